// Commands that fill a store: demo and import.
#include <fcntl.h>
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
#include "modules/trial/api.hpp"
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
  const crypto::Digest digest = crypto::sha256(text);
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
                            crypto::hex(std::string_view(reinterpret_cast<const char*>(digest.data()), digest.size())),
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

namespace {

// Real reads of the made-up people by the academic office, so that everybody finds somebody in «who read me» (§1.3.1).
void read_as(System& system, const std::vector<trial::SignIn>& sign_ins,
             std::vector<trial::SignIn>::const_iterator office) {
  const identity::SignIn entered = system.identity->enter_made_up(office->account, "127.0.0.1", "demo");
  if (!entered.result) throw std::runtime_error(entered.result.refusal().detail.en);
  const identity::Session& session = *entered.result->session;
  policy::Asker asker;
  asker.account = session.account;
  asker.person = session.person;
  asker.session = session.id;
  asker.kind = session.kind;
  for (const char* dataset : {"staff", "student", "grade"}) {
    const char* key = dataset == std::string_view("grade") ? "student" : "number";
    boost::json::array numbers;
    for (const trial::SignIn& each : sign_ins) {
      if (each.account != office->account && numbers.size() < 150) numbers.emplace_back(each.account);
    }
    boost::json::object query{{"dataset", dataset}, {"limit", 200}, {"purpose", "teaching_administration"}};
    query["where"] = boost::json::object{{"field", key}, {"op", "in"}, {"value", numbers}};
    query::Outcome outcome = system.engine->ask(asker, query);
    if (const auto* refusal = std::get_if<Refusal>(&outcome.result)) throw std::runtime_error(refusal->detail.en);
    if (!system.recorder->append_and_wait(std::move(outcome.entry)))
      throw std::runtime_error("the record cannot be written");
  }
  system.identity->sign_out(session);
}

void read_everybody(System& system, const std::vector<trial::SignIn>& sign_ins) {
  const auto is_office = [](const trial::SignIn& each) { return each.kind == "academic_office"; };
  const auto first = std::find_if(sign_ins.begin(), sign_ins.end(), is_office);
  read_as(system, sign_ins, first);
  // The first one, too, is read by somebody.
  const auto second = std::find_if(first + 1, sign_ins.end(), is_office);
  if (second != sign_ins.end()) read_as(system, sign_ins, second);
}

std::string gallery_of(const std::vector<trial::SignIn>& sign_ins) {
  std::string out;
  JsonWriter json(out);
  json.array();
  std::map<std::string, int> shown;
  for (const trial::SignIn& each : sign_ins) {
    if (++shown[each.kind] > 4) continue;
    json.object()
        .field("kind", each.kind)
        .field("account", each.account)
        .field("name", each.name)
        .field("note", each.note)
        .end_object();
  }
  json.end_array();
  return out;
}

void write_accounts(const std::string& file, const std::vector<trial::SignIn>& sign_ins) {
  std::string text;
  JsonWriter json(text);
  json.array();
  for (const trial::SignIn& each : sign_ins) {
    json.object()
        .field("kind", each.kind)
        .field("account", each.account)
        .field("password", each.password)
        .field("name", each.name);
    json.field("note", each.note.zh + " / " + each.note.en).end_object();
  }
  json.end_array();
  const int descriptor =
      ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);  // passwords: for the owner only
  if (descriptor < 0) throw UsageError("写不了文件 " + file + " / cannot write " + file);
  text += "\n";
  const bool written = ::write(descriptor, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  ::close(descriptor);
  if (!written) throw std::runtime_error("写不了文件 " + file + " / cannot write " + file);
}

}  // namespace

int demo(const Words& words) {
  const Arguments arguments(words, {"db", "home", "students", "seed", "accounts", "sign-ins"}, {});
  SystemOptions options;
  options.db = arguments.required("db");
  options.home = find_home(arguments.option("home").value_or(""));
  options.node = "command";
  options.create = true;
  const std::string accounts = arguments.required("accounts");
  trial::Options size;
  size.students = arguments.number("students", 2000, trial::kStudentsMin, trial::kStudentsMax);
  size.seed = static_cast<uint64_t>(arguments.number("seed", 1, 0, INT64_MAX));
  size.sign_ins = arguments.number("sign-ins", 10, 0, trial::kStudentsMax);
  std::vector<trial::SignIn> sign_ins;
  {
    const auto system = open_system(options);
    const db::Store::Lease lease = system->store->writer();
    // Accounts with passwords of known value belong on made-up stores only; the mark goes in with the data or not at
    // all.
    identity::Options made_up = identity::Options::for_made_up();
    made_up.made_up = true;
    made_up.background = false;
    identity::Identity identity(*system->store, *system->clock, made_up);
    db::Transaction transaction(*lease, db::Transaction::Mode::write);
    Result<std::vector<trial::SignIn>> filled =
        trial::fill(*system->catalogue, system->regulation, *lease, identity, system->clock->now(), size);
    if (!filled) throw std::runtime_error(filled.refusal().detail.zh + " / " + filled.refusal().detail.en);
    sign_ins = std::move(filled).value();
    set_store_fact(*lease, "made_up", "1");
    set_store_fact(*lease, "school_zh", "云岭大学（虚构）");
    set_store_fact(*lease, "school_en", "Yunling University (made up)");
    set_store_fact(*lease, "gallery", gallery_of(sign_ins));
    transaction.commit();
    if (system->store->dialect() == db::Dialect::postgres) lease->script("ANALYZE");
  }
  const auto system = open_system(options);
  read_everybody(*system, sign_ins);
  write_accounts(accounts, sign_ins);
  std::cout << "虚构的大学已就绪：在校学生 " << size.students << " 人，可登录账号 " << sign_ins.size() << " 个，见 "
            << accounts << " / the made-up university is ready: " << size.students << " students, " << sign_ins.size()
            << " sign-ins in " << accounts << '\n'
            << std::flush;
  return 0;
}

}  // namespace jw::app
