// jiaowu calendar import: the operator's way to a new year, for a start without anybody signed in.
#include <fstream>
#include <iostream>
#include <sstream>

#include "kernel/calendar/edit.hpp"
#include "modules/calendar/calendar.hpp"

namespace jw::calendar {

namespace {

std::vector<Year> years_of(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw edge::UsageError("读不到文件 " + file + " / cannot read " + file);
  std::string text(kFileMax + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(in.gcount()));
  auto read = read_years(text, file);
  if (const auto* problems = std::get_if<std::vector<catalog::FileProblem>>(&read))
    throw std::runtime_error(
        catalog::print("文件有误，未导入 / the file has mistakes; nothing was imported:", *problems));
  return std::get<std::vector<Year>>(std::move(read));
}

void print(const std::vector<Preview>& previews) {
  for (const Preview& each : previews) {
    std::cout << each.year->year << (each.year->provisional ? "（暂定 / provisional）" : " " + each.year->notice)
              << "：" << each.working_days << " 个工作日 / working days\n";
    for (const Day& day : each.differs)
      std::cout << "  " << day.date.print() << (day.works() ? " 改为上班 / works now: " : " 改为休息 / off now: ")
                << day.reason.zh << " / " << day.reason.en << "\n";
  }
}

}  // namespace

int command(const edge::Words& words, const edge::OpenHouse& open) {
  const edge::Arguments arguments(words, edge::with_store({"reason"}), {"check"});
  if (arguments.rest().size() != 2 || arguments.rest().front() != "import")
    throw edge::UsageError("用法：calendar import FILE / usage: calendar import FILE");
  const std::vector<Year> years = years_of(arguments.rest().back());
  const auto house = open(arguments, false);
  {
    const db::Store::Lease lease = house->store.reader();
    print(preview(*house->calendar.current(*lease), years));
  }
  if (arguments.flag("check")) return 0;
  Changed changed;
  const Result<edge::Acted> done = edge::carry_out(
      house->store, house->recorder, edge::operator_hand(), {"calendar_years", "2.4.2", edge::kAtTheMachine}, {},
      house->clock.now(), [&](edge::Doing& doing) -> Result<std::string> {
        JW_TRY(changed, import_years(doing.transaction, house->recorder, years, doing.by,
                                     arguments.option("reason").value_or("calendar import"), doing.now));
        doing.outbox = changed.outbox;
        return std::string("{}");
      });
  if (!done) throw std::runtime_error(done.refusal().detail.zh + " / " + done.refusal().detail.en);
  std::cout << "校历版本 / version " << changed.from << " → " << changed.to << "，记录 / record "
            << (done->leaf ? done->leaf->id() : "—") << "\n";
  return 0;
}

}  // namespace jw::calendar
