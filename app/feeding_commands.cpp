// Commands that fill a store: demo and import.
#include <pwd.h>
#include <unistd.h>

#include <boost/json.hpp>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <map>

#include "app/arguments.hpp"
#include "app/commands.hpp"
#include "app/system.hpp"
#include "base/json.hpp"
#include "modules/made_up/api.hpp"
#include "modules/zfsoft/api.hpp"
#include "platform/crypto/api.hpp"

namespace jw::app {

namespace {

std::string operator_name() {
  const passwd* user = getpwuid(geteuid());  // NOLINT(concurrency-mt-unsafe): one thread
  return user == nullptr ? "uid " + std::to_string(geteuid()) : user->pw_name;
}

std::string read_file(const std::string& name) {
  std::ifstream in(name, std::ios::binary);
  if (!in) throw UsageError("读不到文件 " + name + " / cannot read " + name);
  std::string text;
  char block[1 << 16];
  while (in.read(block, sizeof block) || in.gcount() > 0) {
    text.append(block, static_cast<size_t>(in.gcount()));
    if (text.size() > zfsoft::kFileMax) throw UsageError("文件过大 / the file is too large: " + name);
  }
  return text;
}

void print_problems(const std::vector<zfsoft::Problem>& problems) {
  for (const zfsoft::Problem& problem : problems) {
    const std::string place = problem.row == 0
                                  ? "文件 / file"
                                  : "第 " + std::to_string(problem.row) + " 行 / row " + std::to_string(problem.row);
    std::cout << place << " " << problem.field << "：" << problem.text.zh << " / " << problem.text.en << "\n";
  }
}

}  // namespace

int import_file(const Words& words) {
  const Arguments arguments(words, {"db", "home"}, {});
  if (arguments.rest().size() != 2 || arguments.rest().front() != "zfsoft-sections")
    throw UsageError("用法：import zfsoft-sections FILE / usage: import zfsoft-sections FILE");
  const std::string file = arguments.rest().back();
  const std::string text = read_file(file);
  const Result<zfsoft::Export> found = zfsoft::read_export(text);
  if (!found) throw std::runtime_error(file + ": " + found.refusal().detail.zh + " / " + found.refusal().detail.en);
  SystemOptions options;
  options.db = arguments.required("db");
  options.home = find_home(arguments.option("home").value_or(""));
  options.node = "command";
  options.create = true;
  const auto system = open_system(options);
  zfsoft::Imported imported;
  int64_t outbox = 0;
  {
    const db::Store::Lease lease = system->store->writer();
    db::Transaction transaction(*lease, db::Transaction::Mode::write);
    // An import is a batch reviewed by its named operator (design §3a).
    const change::Hand hand{0, operator_name()};
    const change::Head head{"import",
                            "zfsoft-sections",
                            std::filesystem::path(file).filename().string(),
                            crypto::hex(crypto::sha256(text)),
                            hand,
                            hand};
    change::Batch batch(*system->catalogue, *lease, head, system->clock->now());
    imported = zfsoft::load(*found, batch);
    outbox = batch.finish(system->recorder.get());
    transaction.commit();
  }
  system->recorder->deliver(outbox);
  print_problems(imported.problems);
  std::cout << "新增 " << imported.counts.added << "，更改 " << imported.counts.replaced << "，不变 "
            << imported.counts.same << " / added " << imported.counts.added << ", changed " << imported.counts.replaced
            << ", the same " << imported.counts.same << "\n";
  std::string summary;
  JsonWriter(summary)
      .object()
      .field("rows", imported.rows)
      .field("sections", imported.sections)
      .field("courses", imported.courses)
      .field("teachers", imported.teachers)
      .field("meetings", imported.meetings)
      .field("problems", static_cast<int64_t>(imported.problems.size()))
      .end_object();
  std::cout << summary << '\n' << std::flush;
  return 0;
}

int demo(const Words& words) {
  const Arguments arguments(words, {"db", "home", "students", "seed", "accounts", "sign-ins"}, {});
  SystemOptions options;
  options.db = arguments.required("db");
  options.home = find_home(arguments.option("home").value_or(""));
  options.node = "command";
  options.create = true;
  made_up::Options size;
  size.accounts_file = arguments.required("accounts");
  size.students = arguments.number("students", 2000, made_up::kStudentsMin, made_up::kStudentsMax);
  size.seed = static_cast<uint64_t>(arguments.number("seed", 1, 0, INT64_MAX));
  size.sign_ins = arguments.number("sign-ins", 0, 0, made_up::kStudentsMax);
  const auto system = open_system(options);
  const Result<made_up::Summary> filled =
      made_up::fill(*system->catalogue, system->regulation, *system->store, system->recorder.get(), *system->clock,
                    size, [](const Text& step) { std::cout << step.zh << " / " << step.en << '\n'
                                                           << std::flush; });
  if (!filled) throw std::runtime_error(filled.refusal().detail.zh + " / " + filled.refusal().detail.en);
  if (system->store->dialect() == db::Dialect::postgres) system->store->writer()->script("ANALYZE");
  std::cout << "虚构的大学已就绪：学生 " << filled->students << " 人，成绩 " << filled->grades << " 条，可登录账号 "
            << filled->sign_ins << " 个，见 " << size.accounts_file
            << " / the made-up university is ready: " << filled->students << " students, " << filled->grades
            << " grades, " << filled->sign_ins << " sign-ins in " << size.accounts_file << '\n'
            << std::flush;
  return 0;
}

}  // namespace jw::app
