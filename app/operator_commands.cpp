// Commands of the operator beside serve: account add, audit verify, migrate, permissions.
#include <algorithm>
#include <fstream>
#include <iostream>
#include <sstream>

#include "app/commands.hpp"
#include "app/system.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "kernel/catalog/schema.hpp"
#include "kernel/change/api.hpp"
#include "kernel/edge/facts.hpp"

namespace jw::app {

namespace {

template <class T>
T must(Result<T> result) {
  if (!result) {
    std::string text = result.refusal().detail.zh + " / " + result.refusal().detail.en;
    for (const FieldProblem& field : result.refusal().fields)
      text += "\n  " + field.field + ": " + field.text.zh + " / " + field.text.en;
    throw std::runtime_error(text);
  }
  return std::move(result).value();
}

constexpr std::string_view kOfficeKinds[] = {"academic_office",  "student_office", "finance_office", "research_office",
                                             "logistics_office", "system_admin",   "security_admin", "audit_admin"};

const policy::Post* post_of(const System& system, const std::string& kind) {
  const int post = system.regulation.post(kind);
  return post < 0 ? nullptr : &system.regulation.posts[static_cast<size_t>(post)];
}

std::string own_unit(const std::string& kind) {
  constexpr std::pair<std::string_view, std::string_view> kUnits[] = {
      {"student_office", "xsc"}, {"finance_office", "cwc"}, {"research_office", "kyc"}, {"logistics_office", "hqc"}};
  for (const auto& [name, unit] : kUnits) {
    if (name == kind) return std::string(unit);
  }
  return "jwc";
}

// Values of a row by field name; everything else NULL. What a dataset requires beyond must be given by the caller.
std::vector<change::Value> row_of(const catalog::Dataset& dataset,
                                  const std::vector<std::pair<std::string, change::Value>>& given) {
  std::vector<change::Value> row;
  for (const catalog::Field& field : dataset.fields) {
    if (field.is_lookup()) break;
    row.emplace_back();
    for (const auto& [name, value] : given) {
      if (name == field.name) row.back() = value;
    }
  }
  return row;
}

int64_t put_checked(change::Batch& batch, const std::string& dataset,
                    const std::vector<std::pair<std::string, change::Value>>& given, int64_t person = 0) {
  change::Table& table = batch.table(dataset);
  const std::vector<change::Value> row = row_of(table.dataset(), given);
  for (const FieldProblem& problem : change::check_row(batch.catalogue(), table.dataset(), row)) {
    throw std::runtime_error(dataset + "." + problem.field + ": " + problem.text.zh + " / " + problem.text.en);
  }
  return table.put(row, person).id;
}

// Staff row and appointment for the first account of an office; returns the person.
int64_t appoint(System& system, change::Batch& batch, const std::string& kind, const std::string& account,
                Instant now) {
  db::Connection& connection = batch.connection();
  const std::string unit = own_unit(kind);
  const policy::Post* post = post_of(system, kind);
  std::optional<int64_t> unit_row = batch.table("unit").find(unit);
  if (!unit_row) {
    const policy::Post* owner = post_of(system, unit == "jwc" ? "academic_office" : kind);
    const catalog::Dataset* units = system.catalogue->find("unit");
    std::vector<std::pair<std::string, change::Value>> given{{"code", unit}, {"name", owner->label.zh}};
    for (const catalog::Field& field : units->fields) {
      if (field.is_lookup() || !field.required || field.name == "code" || field.name == "name") continue;
      if (field.type == catalog::Type::code)
        given.emplace_back(
            field.name,
            change::Value{system.catalogue->code_sets[static_cast<size_t>(field.code_set)].codes.front().code});
    }
    unit_row = put_checked(batch, "unit", given);
  }
  const std::string_view names[] = {post->label.zh};
  const int64_t person = identity::add_persons(connection, names, now);
  const int64_t staff = put_checked(batch, "staff",
                                    {{"number", account},
                                     {"name", post->label.zh},
                                     {"unit", *unit_row},
                                     {"state", std::string("11")},
                                     {"provisional", int64_t{0}}},
                                    person);
  put_checked(batch, "post_holding",
              {{"staff", staff}, {"post", kind}, {"unit", *unit_row}, {"begins", now.date().print()}});
  return person;
}

int64_t person_by_number(System& system, db::Connection& connection, const std::string& number) {
  if (const int64_t person = edge::person_of_number(*system.catalogue, connection, number); person != 0) return person;
  throw std::runtime_error("没有学号或工号 " + number + " / there is no student or staff number " + number);
}

// What a change of the catalogue does not explain must be mended by hand.
int compare_with_tables(const catalog::Catalogue& catalogue, db::Connection& writer, bool say_agreed) {
  const std::vector<Text> drift = catalog::schema_drift(catalogue, writer);
  for (const Text& each : drift) std::cout << "[?] " << each.zh << " / " << each.en << "\n";
  if (!drift.empty()) {
    std::cout
        << "表被人手工改动过，请从备份恢复或手工改回 / the tables were altered by hand: restore a backup, or alter "
           "them back\n";
    return 4;
  }
  if (say_agreed) std::cout << "表结构与目录一致 / the tables agree with the catalogue\n";
  return 0;
}

// What would be done; empty: nothing. Nothing is written.
std::vector<catalog::SchemaChange> show_changes(const std::filesystem::path& home, const catalog::Catalogue& catalogue,
                                                db::Connection& connection, bool& agreed) {
  const std::vector<std::string> ahead = db::migrations_ahead(connection, db::migrations_of(home));
  for (const std::string& name : ahead) {
    std::cout << "[+] 系统自用的表 / the system's own tables: " << name << "\n";
  }
  std::vector<catalog::SchemaChange> changes = catalog::schema_changes(catalogue, connection);
  for (const catalog::SchemaChange& change : changes) {
    std::cout << (change.safe ? "[+] " : "[!] ") << change.text.zh << " / " << change.text.en << "\n";
    for (const std::string& statement : change.statements) std::cout << "      " << statement << "\n";
  }
  agreed = ahead.empty() && changes.empty();
  return changes;
}

// Whatever deletes stored values is named by who asks for it.
bool drops_named(const std::vector<catalog::SchemaChange>& changes, const std::string& drop) {
  const std::vector<std::string_view> named = split(drop, ',');
  std::string missing;
  for (const catalog::SchemaChange& change : changes) {
    for (const std::string& lost : change.loses) {
      if (std::find(named.begin(), named.end(), lost) == named.end()) missing += (missing.empty() ? "" : ",") + lost;
    }
  }
  if (missing.empty()) return true;
  std::cout
      << "以下数据连同历史将被删除，未作任何改动；确要删除请加 --drop " << missing
      << " / these data would be deleted, older versions included; nothing was changed. To delete them add --drop "
      << missing << "\n";
  return false;
}

// A change of structure states rows anew: what was altered before would go unseen.
bool rows_hold(const SystemOptions& options) {
  const auto store = db::Store::open(store_options(options));
  const db::Store::Lease lease = store->reader();
  if (!record::joined(*lease)) return true;
  const std::vector<Text> problems = record::verify(*lease, {}, {});
  for (const Text& problem : problems) std::cout << problem.zh << " / " << problem.en << "\n";
  if (problems.empty()) return true;
  std::cout << "数据库与记录不符，未作任何改动 / the store is not as its record says; nothing was changed\n";
  return false;
}

}  // namespace

int init(const edge::Words& words) {
  const edge::Arguments arguments(words, edge::with_store(), {});
  if (!arguments.rest().empty()) throw edge::UsageError("用法：init / usage: init");
  const SystemOptions options = options_of(arguments, true);
  const auto system = open_system(options);
  std::cout << "数据库已就绪，签名密钥在 / the store is ready, its signing key is in " << options.key_file << "\n";
  return 0;
}

int record(const edge::Words& words) {
  const edge::Arguments arguments(words, edge::with_store({"reason"}), {});
  if (arguments.rest() != edge::Words{"adopt"})
    throw edge::UsageError("用法：record adopt --reason 理由 / usage: record adopt --reason TEXT");
  SystemOptions options = options_of(arguments, false);
  options.adopt = arguments.required("reason");
  const auto system = open_system(options);
  std::cout << "数据库与记录以现状相合，记录已有 / store and record are joined as they are; leaves: "
            << system->recorder->size() << "\n";
  return 0;
}

int account(const edge::Words& words) {
  const edge::Arguments arguments(words, edge::with_store({"kind", "account", "person"}), {});
  if (arguments.rest() != edge::Words{"add"}) throw edge::UsageError("用法：account add / usage: account add");
  const std::string kind = arguments.required("kind"), login = arguments.required("account");
  const auto system = open_system(options_of(arguments, false));
  if (post_of(*system, kind) == nullptr)
    throw edge::UsageError("没有账号类别 " + kind + " / there is no account kind " + kind);
  const identity::OneTime one_time = system->identity->one_time_password();
  int64_t outbox = 0, change_outbox = 0;
  {
    const db::Store::Lease lease = system->store->writer();
    db::Transaction transaction(*lease, db::Transaction::Mode::write);
    if (system->identity->accounts_of_kind(*lease, kind) > 0) {
      throw std::runtime_error("类别 " + kind + " 已有账号；以后的账号在系统内办理 / the kind " + kind +
                               " has an account already; further ones are made in the product");
    }
    const Instant now = system->clock->now();
    int64_t person = 0;
    if (const auto number = arguments.option("person")) {
      person = person_by_number(*system, *lease, *number);
    } else if (std::find(std::begin(kOfficeKinds), std::end(kOfficeKinds), kind) != std::end(kOfficeKinds)) {
      change::Head head{"entry", "account add", "command line", "", change::Operator{"operator"}};
      change::Batch batch(*system->catalogue, *lease, head, now);
      person = appoint(*system, batch, kind, login, now);
      change_outbox = batch.finish(system->recorder.get());
    } else {
      throw edge::UsageError("类别 " + kind + " 须用 --person 给出学号或工号 / the kind " + kind +
                             " needs --person NUMBER");
    }
    identity::NewAccount fresh{login, kind, post_of(*system, kind)->label.zh, person};
    const int64_t id = must(system->identity->create_account(*lease, fresh, one_time));
    record::Entry entry = record::act_of(edge::operator_hand(), "account_add", "3.1.1", now);
    JsonWriter(entry.parameters).object().field("account", id).field("kind", kind).end_object();
    outbox = system->recorder->put_in_outbox(*lease, entry);
    transaction.commit();
  }
  if (change_outbox != 0) system->recorder->deliver(change_outbox);
  system->recorder->deliver(outbox);
  std::cout << one_time.text << '\n' << std::flush;
  std::cerr << "账号 " << login << " 的一次性密码如上，首次登录须改密码 / one-time password of " << login
            << " above; it is changed at the first sign-in\n";
  return 0;
}

int audit(const edge::Words& words) {
  const edge::Arguments arguments(words, edge::with_store({"against"}), {});
  if (arguments.rest() != edge::Words{"verify"}) throw edge::UsageError("用法：audit verify / usage: audit verify");
  std::string against;
  if (const auto file = arguments.option("against")) {
    std::ifstream in(*file);
    if (!in) throw edge::UsageError("读不到检查点 " + *file + " / cannot read the checkpoint " + *file);
    std::stringstream text;
    text << in.rdbuf();
    against = text.str();
  }
  SystemOptions options = options_of(arguments, false);
  const auto catalogue = load_catalogue(options.home);
  const auto store = db::Store::open(store_options(options));
  const db::Store::Lease lease = store->reader();
  std::vector<Text> problems = record::verify(*lease, kept_of(options.home, *catalogue), {against, options.key_file});
  for (Text& each : cases::check_signatures(*lease, step_keys(*lease))) problems.push_back(std::move(each));
  for (const Text& problem : problems) std::cout << problem.zh << " / " << problem.en << "\n";
  if (!problems.empty()) return 1;
  db::Rows rows = lease->query("SELECT COUNT(*) FROM record.leaf");
  rows.next();
  std::cout << "记录完整，共 " << rows.integer(0) << " 条 / the record holds, " << rows.integer(0) << " leaves\n";
  return 0;
}

int migrate(const edge::Words& words) {
  const edge::Arguments arguments(words, edge::with_store({"drop"}), {"apply"});
  SystemOptions options = options_of(arguments, false);
  const auto catalogue = load_catalogue(options.home);
  bool agreed = false;
  {
    db::Options bare;
    bare.url = options.db;
    const auto store = db::Store::open(bare);
    const db::Store::Lease writer = store->writer();
    const std::vector<catalog::SchemaChange> changes = show_changes(options.home, *catalogue, *writer, agreed);
    if (!agreed && !arguments.flag("apply")) {
      std::cout << "加 --apply 执行 / add --apply to carry out\n";
      return 3;
    }
    if (!agreed && !drops_named(changes, arguments.option("drop").value_or(""))) return 3;
    if (agreed) {
      const int code = compare_with_tables(*catalogue, *writer, true);
      if (code != 0 || !arguments.flag("apply")) return code;
    }
  }
  if (!agreed && !rows_hold(options)) return 1;
  options.restructure = true;
  const auto system = open_system(options);
  if (!agreed) std::cout << "已执行 / done\n";
  for (const Text& loose : system->loose) std::cout << "[?] " << loose.zh << " / " << loose.en << "\n";
  return agreed ? 0 : compare_with_tables(*catalogue, *system->store->writer(), false);
}

}  // namespace jw::app
