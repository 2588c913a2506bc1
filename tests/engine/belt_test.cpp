// The seat-belts below the engine, on a whole made-up university: every statement of everybody stays within what was
// worked out for it, what is put into a statement opens nothing, and the reading role by itself sees nobody.
#include <libpq-fe.h>

#include <set>

#include "modules/made_up/api.hpp"
#include "tests/engine/campus.hpp"

namespace jw::tests {
namespace {

namespace json = boost::json;

// One university for all tests of a store: they only read.
struct University {
  explicit University(db::Dialect dialect, int64_t students) : campus(dialect) {
    campus.at("2026-11-23T09:00:00+08:00");
    made_up::Options options;
    options.students = students;
    options.accounts_file = (campus.made().folder() / "accounts.json").string();
    app::System& system = campus.system();
    const auto filled = made_up::fill(*system.catalogue, system.regulation, *system.store, system.recorder.get(),
                                      *system.clock, options);
    if (!filled) throw std::runtime_error(filled.refusal().detail.en);
    if (dialect == db::Dialect::postgres) system.store->writer()->script("ANALYZE");
    std::ifstream file(options.accounts_file);
    const json::value accounts = json::parse(std::string(std::istreambuf_iterator<char>(file), {}));
    std::set<std::string> seen;
    for (const json::value& each : accounts.as_array()) {
      const std::string kind(each.at("kind").as_string());
      if (seen.insert(kind).second)
        askers.emplace_back(kind, campus.enter(std::string(each.at("account").as_string())));
    }
  }
  const policy::Asker& asker(std::string_view kind) const {
    for (const auto& [name, each] : askers) {
      if (name == kind) return each;
    }
    throw std::out_of_range(std::string(kind));
  }

  Campus campus;
  std::vector<std::pair<std::string, policy::Asker>> askers;  // one of each kind
};

class Belts : public ::testing::TestWithParam<db::Dialect> {
 protected:
  static constexpr int64_t kStudents = 300;
  void SetUp() override {
    if (!TestStore::available(GetParam())) GTEST_SKIP() << "no PostgreSQL: JIAOWU_TEST_PG is empty";
    auto& made = universities()[GetParam()];
    if (!made) made = std::make_unique<University>(GetParam(), kStudents);
    made_ = made.get();
  }
  static void TearDownTestSuite() { universities().clear(); }
  static std::map<db::Dialect, std::unique_ptr<University>>& universities() {
    static std::map<db::Dialect, std::unique_ptr<University>> all;
    return all;
  }
  app::System& system() { return made_->campus.system(); }

  University* made_ = nullptr;
};

json::object leaf(const catalog::Field& field, const char* op, json::value value) {
  return {{"field", field.name}, {"op", op}, {"value", std::move(value)}};
}

// A value that the field may be compared with.
json::value example(const catalog::Catalogue& catalogue, const catalog::Field& field) {
  switch (field.type) {
    case catalog::Type::boolean:
      return true;
    case catalog::Type::integer:
    case catalog::Type::decimal:
      return 1;
    case catalog::Type::date:
      return "2025-09-01";
    case catalog::Type::timestamp:
      return "2025-09-01T00:00:00+08:00";
    case catalog::Type::weeks:
      return "1-8";
    case catalog::Type::code:
      return json::string(catalogue.code_sets[static_cast<size_t>(field.code_set)].codes.front().code);
    default:
      return "x";
  }
}

// Every form of statement over the fields that are open to somebody: all cells, every operator in both polarities,
// every order, every group, every measure.
std::vector<json::object> forms(const catalog::Catalogue& catalogue, const catalog::Dataset& dataset,
                                const std::vector<int>& open, const std::vector<int>& clear) {
  std::vector<json::object> all = {{{"dataset", dataset.name}}};
  json::array leaves, order;
  for (const int f : open) {
    const catalog::Field& field = dataset.fields[static_cast<size_t>(f)];
    const json::value value = example(catalogue, field);
    for (const catalog::Op op : catalog::ops_of(field)) {
      if (op == catalog::Op::is_null) {
        leaves.push_back(leaf(field, "is_null", true));
      } else if (op == catalog::Op::in) {
        leaves.push_back(leaf(field, "in", json::array{value}));
      } else if (op == catalog::Op::between) {
        leaves.push_back(leaf(field, "between", json::array{value, value}));
      } else {
        leaves.push_back(leaf(field, std::string(catalog::op_name(op)).c_str(), value));
      }
    }
    order.push_back(json::object{{"field", field.name}, {"desc", f % 2 == 0}});
    all.push_back({{"dataset", dataset.name}, {"fields", json::array{field.name}}, {"limit", 3}});
  }
  constexpr size_t kLeaves = 30;
  for (size_t from = 0; from < leaves.size(); from += kLeaves) {
    const json::array some(leaves.begin() + static_cast<std::ptrdiff_t>(from),
                           leaves.begin() + static_cast<std::ptrdiff_t>(std::min(leaves.size(), from + kLeaves)));
    all.push_back({{"dataset", dataset.name}, {"where", json::object{{"any", some}}}, {"limit", 3}});
    all.push_back(
        {{"dataset", dataset.name}, {"where", json::object{{"not", json::object{{"all", some}}}}}, {"limit", 3}});
  }
  for (size_t from = 0; from < order.size(); from += 4) {
    const json::array some(order.begin() + static_cast<std::ptrdiff_t>(from),
                           order.begin() + static_cast<std::ptrdiff_t>(std::min(order.size(), from + 4)));
    all.push_back({{"dataset", dataset.name}, {"order", some}, {"limit", 3}});
  }
  const json::array count = {json::object{{"fn", "count"}}};
  all.push_back({{"dataset", dataset.name}, {"measures", count}});
  for (const int f : clear) {
    const catalog::Field& field = dataset.fields[static_cast<size_t>(f)];
    all.push_back({{"dataset", dataset.name}, {"group", json::array{field.name}}, {"measures", count}});
    json::array measures = {json::object{{"fn", "count_distinct"}, {"field", field.name}},
                            json::object{{"fn", "share"}, {"where", leaf(field, "is_null", false)}}};
    if (field.type == catalog::Type::integer || field.type == catalog::Type::decimal) {
      for (const char* function : {"sum", "avg", "min", "max", "median", "stddev"})
        measures.push_back(json::object{{"fn", function}, {"field", field.name}});
    }
    all.push_back({{"dataset", dataset.name}, {"measures", measures}});
  }
  return all;
}

TEST_P(Belts, every_statement_of_everybody_stays_within_its_reach) {
  int64_t answered = 0;
  std::set<std::string> datasets, refused;
  for (const auto& [kind, asker] : made_->askers) {
    for (const catalog::Dataset& dataset : system().catalogue->datasets) {
      const Result<std::string> described = system().engine->dataset_json(asker, dataset.name);
      if (!described) continue;
      std::vector<int> open, clear;
      const json::value description = json::parse(*described);
      for (const json::value& field : description.at("fields").as_array()) {
        const std::string sight(field.at("sight").as_string());
        const int index = dataset.field(std::string_view(field.at("name").as_string()));
        if (sight != "hidden") open.push_back(index);
        if (sight == "clear") clear.push_back(index);
      }
      for (json::object& request : forms(*system().catalogue, dataset, open, clear)) {
        for (const char* purpose : {"", "teaching_administration"}) {
          if (*purpose != '\0') request["purpose"] = purpose;
          const query::Outcome outcome = system().engine->ask(asker, request);
          const auto* refusal = std::get_if<Refusal>(&outcome.result);
          if (refusal != nullptr && refusal->code == Code::forbidden && *purpose == '\0') continue;  // wants a purpose
          if (refusal != nullptr) refused.insert(refusal->type);
          ASSERT_TRUE(refusal == nullptr || (refusal->code != Code::internal && refusal->code != Code::unavailable))
              << kind << " " << json::serialize(request) << ": " << refusal->type;
          if (refusal == nullptr) datasets.insert(dataset.name);
          answered += refusal == nullptr ? 1 : 0;
          break;
        }
      }
    }
  }
  for (const std::string& type : refused) {
    EXPECT_TRUE(type.starts_with("policy.") || type.starts_with("query.")) << type;
    EXPECT_NE(type, "query.beyond_reach");
  }
  EXPECT_GT(answered, 3'000);
  EXPECT_EQ(datasets.size(), system().catalogue->datasets.size());
}

TEST_P(Belts, what_is_put_into_a_statement_opens_nothing) {
  const auto own = system().engine->statement(made_->asker("student"), json::parse(R"({"dataset":"grade"})"));
  ASSERT_TRUE(own);
  const auto failure = [&](const std::string& stolen) -> std::optional<db::Failure> {
    std::string sql = own->sql;
    sql.insert(std::string_view("SELECT ").size(), "(" + stolen + ") AS stolen, ");
    const std::vector<db::Param> params = own->params();
    const auto reader = system().store->reader();
    try {
      reader->query_within(own->reach, sql, params).next();
      return std::nullopt;
    } catch (const db::Error& error) {
      return error.failure();
    }
  };
  EXPECT_EQ(failure("SELECT MAX(t.\"score\") FROM \"grade\" t"),
            std::nullopt);  // reads nothing else: the belt holds no rows back
  for (const char* stolen :
       {"SELECT MAX(password_hash) FROM account", "SELECT COUNT(*) FROM account WHERE password_hash LIKE '$argon2id%'",
        "SELECT COUNT(value) FROM secret", "SELECT COUNT(content) FROM paper", "SELECT MAX(content) FROM batch_row",
        "SELECT COUNT(*) FROM \"student_history\"", "SELECT MAX(\"batch_id\") FROM \"grade\"",
        "SELECT COUNT(*) FROM record.leaf", "SELECT COUNT(*) FROM record_outbox", "SELECT MAX(name) FROM person"}) {
    EXPECT_EQ(failure(stolen), db::Failure::forbidden) << stolen;
  }
  const bool sqlite = GetParam() == db::Dialect::sqlite;
  EXPECT_EQ(failure("SELECT COUNT(bytes) FROM record.written"), db::Failure::forbidden);
  if (!sqlite) {
    EXPECT_EQ(failure("SELECT COUNT(seal) FROM jiaowu_belt.key"), db::Failure::forbidden);
    EXPECT_EQ(failure("SELECT pg_read_file('/etc/hostname')"), db::Failure::forbidden);
    return;
  }
  // On SQLite every plan has a reach of its own: another dataset, or a column that this person may not see.
  for (const char* stolen : {"SELECT MAX(\"paid\") FROM \"payment\"", "SELECT COUNT(*) FROM \"discipline\"",
                             "SELECT MAX(\"id_number\") FROM \"student\"", "SELECT MAX(login) FROM account",
                             "SELECT COUNT(*) FROM sqlite_master", "SELECT quote(\"score\") FROM \"grade\""}) {
    EXPECT_EQ(failure(stolen), db::Failure::forbidden) << stolen;
  }
}
JW_ON_BOTH_STORES(Belts);

class BelowTheEngine : public Belts {};
INSTANTIATE_TEST_SUITE_P(stores, BelowTheEngine, ::testing::Values(db::Dialect::postgres), store_name);

// The reading role signs in past the program.
TEST_P(BelowTheEngine, the_reading_role_alone_sees_nobody_and_changes_nothing) {
  const TestStore& store = made_->campus.made();
  const std::string url = const_cast<TestStore&>(store).options().url;
  const std::unique_ptr<PGconn, decltype(&PQfinish)> bare(
      PQconnectdb(("postgresql://jiaowu_engine_" + store.name() + url.substr(url.find('@'))).c_str()), &PQfinish);
  ASSERT_EQ(PQstatus(bare.get()), CONNECTION_OK) << PQerrorMessage(bare.get());
  const auto ask = [&](const std::string& sql) -> std::string {
    const std::unique_ptr<PGresult, decltype(&PQclear)> answer(PQexec(bare.get(), sql.c_str()), &PQclear);
    const auto status = PQresultStatus(answer.get());
    if (status != PGRES_TUPLES_OK) return PQresultErrorField(answer.get(), PG_DIAG_SQLSTATE);
    return PQgetvalue(answer.get(), 0, 0);
  };
  const auto owner = system().store->writer();
  int64_t rows = 0;
  for (const catalog::Dataset& dataset : system().catalogue->datasets) {
    const std::string table = (dataset.in_record ? "record.\"" : "\"") + dataset.name + "\"";
    EXPECT_EQ(ask("SELECT count(id) FROM " + table), "0") << table;
    EXPECT_EQ(ask("SELECT count(batch_id) FROM " + table), dataset.by_kernel ? "42703" : "42501") << table;
    db::Rows counted = owner->query("SELECT COUNT(*) FROM " + table);
    counted.next();
    rows += counted.integer(0);
    const auto reader = system().store->reader();
    db::Rows seen = reader->query("SELECT COUNT(id) FROM " + table);
    seen.next();
    EXPECT_EQ(seen.integer(0), counted.integer(0)) << table;
    if (!dataset.by_kernel) {
      EXPECT_EQ(ask("SELECT count(id) FROM \"" + dataset.name + "_history\""), "42501");
    }
    EXPECT_EQ(ask("DELETE FROM " + table), "25006") << table;
  }
  EXPECT_GT(rows, 10'000);
  ask("SELECT set_config('default_transaction_read_only', 'off', false)");
  for (const char* sql : {"DELETE FROM grade", "UPDATE grade SET score = 1000", "INSERT INTO gate VALUES (2, 1)",
                          "CREATE TABLE mine (a INT)", "CREATE TEMP TABLE jiaowu_seal ()", "TRUNCATE record.leaf",
                          "SELECT count(password_hash) FROM account", "SELECT count(bytes) FROM record.written",
                          "SELECT count(value) FROM secret", "SELECT count(content) FROM paper",
                          "SELECT count(*) FROM record.leaf", "SET ROLE jiaowu_school",
                          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'jiaowu_school'"}) {
    EXPECT_EQ(ask(sql), "42501") << sql;
  }
  EXPECT_EQ(ask("SELECT count(id) FROM account"), "0");
  EXPECT_EQ(ask("SELECT count(id) FROM session"), "0");
  EXPECT_TRUE(system().loose.empty());
}

// ---- plans: the belt must not cost an index (governance §3.5)

class PlansOf : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!TestStore::available(db::Dialect::postgres)) GTEST_SKIP() << "no PostgreSQL: JIAOWU_TEST_PG is empty";
  }
};

void read_through(const json::value& node, std::vector<std::string>& tables) {
  if (node.is_array()) {
    for (const json::value& each : node.as_array()) read_through(each, tables);
  } else if (node.is_object()) {
    const json::object& object = node.as_object();
    if (object.contains("Node Type") && object.at("Node Type").as_string() == "Seq Scan")
      tables.emplace_back(object.at("Relation Name").as_string());
    for (const auto& each : object) read_through(each.value(), tables);
  }
}

// What everybody asks every day, with the values of somebody who is there. `whole`: a question over two tables at once
// (a grade's own section, or the class of its student), which no index serves, with or without the belt.
struct Daily {
  const char* kind;
  const char* question;
  bool whole = false;
};
constexpr Daily kDaily[] = {
    {"student", R"({"dataset":"grade","order":[{"field":"score","desc":true}]})"},
    {"student", R"({"dataset":"grade","where":{"field":"course_name","op":"contains","value":"数"}})"},
    {"student", R"({"dataset":"enrolment"})"},
    {"student", R"({"dataset":"attendance"})"},
    {"student", R"({"dataset":"payment"})"},
    {"student", R"({"dataset":"access_log"})"},
    {"teacher", R"({"dataset":"grade"})"},
    {"teacher", R"({"dataset":"enrolment"})"},
    {"class_adviser", R"({"dataset":"student"})"},
    {"class_adviser", R"({"dataset":"grade"})", true},
    {"class_adviser", R"({"dataset":"attendance"})", true},
    {"graduate", R"({"dataset":"grade"})"},
    {"academic_office", R"({"dataset":"grade","where":{"field":"student","op":"eq","value":"2024010001"}})"},
    {"academic_office", R"({"dataset":"student","where":{"field":"number","op":"starts","value":"20240100"}})"},
    {"academic_office", R"({"dataset":"student","where":{"field":"number","op":"eq","value":"2024010001"}})"},
};

constexpr int64_t kLarge = 10'000;

TEST_F(PlansOf, the_belt_costs_no_index_and_everyday_questions_read_no_large_table_from_end_to_end) {
  University made(db::Dialect::postgres, 2'000);
  app::System& system = made.campus.system();
  std::map<std::string, int64_t> sizes;
  const auto reader = system.store->reader();
  {
    db::Rows rows = reader->query("SELECT relname, CAST(reltuples AS BIGINT) FROM pg_class WHERE relkind = 'r'");
    while (rows.next()) sizes[std::string(rows.text(0))] = rows.integer(1);
  }
  ASSERT_GT(sizes["grade"], kLarge);
  ASSERT_GT(sizes["enrolment"], kLarge);
  const auto read_whole = [&](db::Connection& connection, const query::Engine::Statement& statement) {
    const std::vector<db::Param> params = statement.params();
    std::string plan;
    for (db::Rows rows = connection.query("EXPLAIN (FORMAT JSON) " + statement.sql, params); rows.next();)
      plan += rows.text(0);
    std::vector<std::string> scanned;
    read_through(json::parse(plan), scanned);
    std::set<std::string> large;
    for (const std::string& table : scanned) {
      if (sizes[table] > kLarge) large.insert(table);
    }
    return large;
  };
  db::Options options = made.campus.made().options();  // a superuser goes past row security
  options.url.replace(options.url.find("jiaowu_school"), std::string_view("jiaowu_school").size(), "jiaowu");
  const auto beltless = db::Store::open(options);
  const auto free = beltless->reader();
  for (const char* mode : {"force_custom_plan", "force_generic_plan"}) {
    for (db::Connection* each : {&*reader, &*free})
      each->query("SELECT set_config('plan_cache_mode', $1, false)", {mode});
    for (const Daily& daily : kDaily) {
      const auto statement = system.engine->statement(made.asker(daily.kind), json::parse(daily.question));
      ASSERT_TRUE(statement) << daily.kind << " " << daily.question << ": " << statement.refusal().detail.en;
      const std::set<std::string> whole = read_whole(*reader, *statement);
      EXPECT_EQ(whole, read_whole(*free, *statement)) << daily.kind << " " << daily.question;
      EXPECT_TRUE(daily.whole || whole.empty()) << daily.kind << " " << daily.question << ": " << *whole.begin();
    }
  }
}

}  // namespace
}  // namespace jw::tests
