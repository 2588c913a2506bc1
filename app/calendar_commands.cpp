// jiaowu calendar import: the operator's way to a new year, for a start without anybody signed in.
#include <pwd.h>
#include <unistd.h>

#include <fstream>
#include <iostream>
#include <sstream>

#include "app/arguments.hpp"
#include "app/commands.hpp"
#include "app/system.hpp"
#include "kernel/calendar/edit.hpp"

namespace jw::app {

namespace {

std::vector<calendar::Year> years_of(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw UsageError("读不到文件 " + file + " / cannot read " + file);
  std::string text(calendar::kFileMax + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(in.gcount()));
  auto read = calendar::read_years(text, file);
  if (const auto* problems = std::get_if<std::vector<catalog::FileProblem>>(&read)) {
    std::string told = "文件有误，未导入 / the file has mistakes; nothing was imported:";
    for (const catalog::FileProblem& problem : *problems) told += "\n  " + problem.print();
    throw std::runtime_error(told);
  }
  return std::get<std::vector<calendar::Year>>(std::move(read));
}

void print(const std::vector<calendar::Preview>& previews) {
  for (const calendar::Preview& each : previews) {
    std::cout << each.year->year << (each.year->provisional ? "（暂定 / provisional）" : " " + each.year->notice)
              << "：" << each.working_days << " 个工作日 / working days\n";
    for (const calendar::Day& day : each.differs)
      std::cout << "  " << day.date.print() << (day.works() ? " 改为上班 / works now: " : " 改为休息 / off now: ")
                << day.reason.zh << " / " << day.reason.en << "\n";
  }
}

std::string operator_name() {
  const passwd* user = getpwuid(geteuid());  // NOLINT(concurrency-mt-unsafe): one thread
  return user == nullptr ? "uid " + std::to_string(geteuid()) : user->pw_name;
}

}  // namespace

int calendar(const Words& words) {
  const Arguments arguments(words, {"db", "home", "reason"}, {"check"});
  if (arguments.rest().size() != 2 || arguments.rest().front() != "import")
    throw UsageError("用法：calendar import FILE / usage: calendar import FILE");
  const std::vector<calendar::Year> years = years_of(arguments.rest().back());
  SystemOptions options;
  options.db = arguments.required("db");
  options.home = find_home(arguments.option("home").value_or(""));
  options.node = "command";
  const auto system = open_system(options);
  {
    const db::Store::Lease lease = system->store->reader();
    print(calendar::preview(*system->calendar.current(*lease), years));
  }
  if (arguments.flag("check")) return 0;
  calendar::Changed changed;
  {
    const db::Store::Lease lease = system->store->writer();
    db::Transaction transaction(*lease, db::Transaction::Mode::write);
    calendar::Hand hand;
    hand.name = operator_name();
    const Result<calendar::Changed> done =
        calendar::import_years(*lease, *system->recorder, years, hand,
                               arguments.option("reason").value_or("calendar import"), system->clock->now());
    if (!done) throw std::runtime_error(done.refusal().detail.zh + " / " + done.refusal().detail.en);
    transaction.commit();
    changed = *done;
  }
  const auto leaf = system->recorder->deliver(changed.outbox);
  std::cout << "校历版本 / version " << changed.from << " → " << changed.to << "，记录 / record "
            << (leaf ? leaf->id() : "—") << "\n";
  return 0;
}

}  // namespace jw::app
