// The seat-belts below whoever writes SQL: what a statement may reach on SQLite, what a role may see on PostgreSQL.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <libpq-fe.h>

#include <optional>

#include "platform/db/belt.hpp"
#include "tests/support/stores.hpp"

namespace jw::db {
namespace {

using tests::TestStore;

ReachPtr reach(std::map<std::string, Reach::Names, std::less<>> columns, Reach::Names functions = {}) {
  return std::make_shared<const Reach>(Reach{std::move(columns), std::move(functions)});
}

template <class Call>
std::optional<Failure> failure_of(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return error.failure();
  }
  return {};
}

int64_t one_number(Rows rows) {
  EXPECT_TRUE(rows.next());
  return rows.integer(0);
}

void make_tables(Store& store) {
  const auto writer = store.writer();
  writer->script(
      "CREATE TABLE account (id BIGINT PRIMARY KEY, login TEXT, password_hash TEXT);"
      "CREATE TABLE grade (id BIGINT PRIMARY KEY, score BIGINT, note TEXT);"
      "CREATE TABLE secret (name TEXT PRIMARY KEY, value TEXT);"
      "INSERT INTO account VALUES (1, 'zhang', 'argon2');"
      "INSERT INTO grade VALUES (1, 915, 'a'), (2, 600, 'b');"
      "INSERT INTO secret VALUES ('page_token', 'xyz')");
}

const Belt& belt() {
  static const Belt made{{{{"account", {"id", "login"}}, {"grade", {"id", "score"}}}, {"count", "sum", "coalesce"}},
                         {"grade"}};
  return made;
}

// ---- SQLite: the authorizer

class Authorizer : public ::testing::Test {
 protected:
  void SetUp() override { make_tables(made_.store()); }
  std::optional<Failure> asked(std::string_view sql, const ReachPtr& within) {
    const auto reader = made_.store().reader();
    return failure_of([&] { reader->query_within(within, sql, {}).next(); });
  }
  TestStore made_{Dialect::sqlite};
  const ReachPtr grades_ = reach({{"grade", {"id", "score"}}, {"json_each", {"value"}}}, {"count"});
};

TEST_F(Authorizer, lets_through_what_the_reach_names) {
  EXPECT_EQ(asked("SELECT g.id, g.score FROM grade g WHERE g.score > 1 ORDER BY g.id", grades_), std::nullopt);
  EXPECT_EQ(asked("SELECT COUNT(*) FROM grade", grades_), std::nullopt);
  EXPECT_EQ(asked("SELECT id FROM grade WHERE id IN (SELECT value FROM json_each('[1,2]'))", grades_), std::nullopt);
}

TEST_F(Authorizer, refuses_everything_else_while_preparing) {
  for (const char* sql : {
           "SELECT note FROM grade",
           "SELECT id FROM grade WHERE note = 'a'",
           "SELECT id FROM grade ORDER BY note",
           "SELECT id, (SELECT password_hash FROM account) FROM grade",
           "SELECT COUNT(*) FROM account",
           "SELECT id FROM grade UNION ALL SELECT value FROM secret",
           "SELECT id FROM grade WHERE EXISTS (SELECT 1 FROM secret s WHERE s.value > 'm')",
           "SELECT name FROM sqlite_master",
           "SELECT * FROM pragma_table_xinfo('account')",
           "SELECT length(score) FROM grade",
           "ATTACH DATABASE ':memory:' AS other",
           "DETACH DATABASE main",
           "PRAGMA query_only = OFF",
           "PRAGMA table_xinfo(account)",
           "BEGIN",
           "SAVEPOINT s",
           "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n LIMIT 3",
       }) {
    EXPECT_EQ(asked(sql, grades_), Failure::forbidden) << sql;
  }
  for (const char* sql : {"DELETE FROM grade", "UPDATE grade SET score = 0", "INSERT INTO grade VALUES (9, 9, 'x')",
                          "CREATE TABLE t (a)", "CREATE TEMP TABLE t (a)", "DROP TABLE grade", "ANALYZE", "REINDEX"}) {
    EXPECT_EQ(asked(sql, grades_), Failure::read_only) << sql;
  }
}

TEST_F(Authorizer, without_a_reach_readers_still_only_read) {
  const auto reader = made_.store().reader();
  EXPECT_EQ(one_number(reader->query("SELECT length(password_hash) FROM account")), 6);
  EXPECT_EQ(failure_of([&] { reader->query("PRAGMA query_only = OFF"); }), Failure::forbidden);
  EXPECT_EQ(failure_of([&] { reader->query("ATTACH DATABASE ':memory:' AS other"); }), Failure::forbidden);
  EXPECT_EQ(failure_of([&] { reader->execute("DELETE FROM grade"); }), Failure::read_only);
  const Transaction transaction(*reader, Transaction::Mode::read);
  EXPECT_EQ(one_number(reader->query("SELECT COUNT(*) FROM grade")), 2);
}

TEST_F(Authorizer, a_text_prepared_before_gains_nothing_under_another_reach) {
  const auto reader = made_.store().reader();
  const std::string_view sql = "SELECT note FROM grade WHERE id = $1";
  const std::array<Param, 1> first{Param(1)};
  const ReachPtr wide = reach({{"grade", {"id", "note"}}});
  EXPECT_TRUE(reader->query(sql, first).next());
  EXPECT_TRUE(reader->query_within(wide, sql, first).next());
  EXPECT_EQ(failure_of([&] { reader->query_within(grades_, sql, first); }), Failure::forbidden);
  EXPECT_TRUE(reader->query_within(reach({{"grade", {"id", "note"}}}), sql, first).next());  // the same in other words
}

TEST_F(Authorizer, holds_when_a_statement_is_prepared_again_for_a_changed_table) {
  const auto reader = made_.store().reader();
  const std::string_view all = "SELECT * FROM grade WHERE id = 1", some = "SELECT id FROM grade WHERE id = 1";
  const ReachPtr three = reach({{"grade", {"id", "score", "note"}}});
  EXPECT_TRUE(reader->query_within(three, all, {}).next());
  EXPECT_TRUE(reader->query_within(grades_, some, {}).next());
  made_.store().writer()->script("ALTER TABLE grade ADD COLUMN hidden TEXT");
  EXPECT_TRUE(reader->query_within(grades_, some, {}).next());
  EXPECT_EQ(failure_of([&] { reader->query_within(three, all, {}); }), Failure::forbidden);
  EXPECT_TRUE(reader->query_within(grades_, some, {}).next());
}

TEST_F(Authorizer, a_function_of_that_name_opens_no_table) {
  made_.store().writer()->script("CREATE TABLE \"count\" (id BIGINT PRIMARY KEY)");
  EXPECT_EQ(asked("SELECT id FROM \"count\"", grades_), Failure::forbidden);
  EXPECT_EQ(asked("SELECT COUNT(*) FROM \"count\"", grades_), Failure::forbidden);
}

TEST_F(Authorizer, tells_the_attached_record_from_the_store) {
  made_.store().writer();
  {
    Options record;
    record.url = "sqlite:" + made_.options().attached_path;
    Store::open(record)->writer()->script("CREATE TABLE grade (id BIGINT PRIMARY KEY, seed TEXT)");
  }
  EXPECT_EQ(asked("SELECT id FROM record.grade", grades_), Failure::forbidden);
  EXPECT_EQ(asked("SELECT id FROM record.grade", reach({{"record.grade", {"id"}}})), std::nullopt);
  EXPECT_EQ(asked("SELECT seed FROM record.grade", reach({{"record.grade", {"id"}}})), Failure::forbidden);
}

// ---- both: the belt of all readers

class BeltOn : public ::testing::TestWithParam<Dialect> {};
JW_ON_BOTH_STORES(BeltOn);

TEST_P(BeltOn, readers_see_what_it_names_and_nothing_else) {
  JW_TEST_STORE(made, GetParam());
  make_tables(made.store());
  EXPECT_THAT(made.store().fasten(belt()), ::testing::IsEmpty());
  const auto reader = made.store().reader();
  EXPECT_EQ(one_number(reader->query("SELECT COALESCE(SUM(score), 0) FROM grade")), 1515);
  EXPECT_TRUE(reader->query("SELECT login FROM account WHERE id = 1").next());
  for (const char* sql : {"SELECT password_hash FROM account", "SELECT note FROM grade", "SELECT value FROM secret",
                          "SELECT * FROM grade", "SELECT login FROM account WHERE password_hash > 'a'"}) {
    EXPECT_EQ(failure_of([&] { reader->query(sql).next(); }), Failure::forbidden) << sql;
  }
  EXPECT_EQ(failure_of([&] { reader->execute("DELETE FROM grade"); }), Failure::read_only);
  const auto keeper = made.store().private_reader();
  EXPECT_TRUE(keeper->query("SELECT password_hash FROM account").next());
}

TEST_P(BeltOn, a_second_node_and_a_second_start_find_it_fastened) {
  JW_TEST_STORE(made, GetParam());
  make_tables(made.store());
  EXPECT_THAT(made.store().fasten(belt()), ::testing::IsEmpty());
  const auto other = Store::open(made.options());
  EXPECT_THAT(other->fasten(belt()), ::testing::IsEmpty());
  EXPECT_EQ(one_number(other->reader()->query("SELECT COUNT(*) FROM grade")), 2);
  EXPECT_EQ(one_number(made.store().reader()->query("SELECT COUNT(*) FROM grade")), 2);
}

TEST_P(BeltOn, writers_write_load_and_read_as_before) {
  JW_TEST_STORE(made, GetParam());
  make_tables(made.store());
  EXPECT_THAT(made.store().fasten(belt()), ::testing::IsEmpty());
  const auto writer = made.store().writer();
  {
    Transaction transaction(*writer, Transaction::Mode::write);
    const std::vector<std::string> columns = {"id", "score"};
    for (int64_t round : {0, 1}) {  // twice in one transaction
      const auto bulk = writer->bulk("\"grade\"", columns);
      for (int64_t i = 10; i < 15; ++i) bulk->row(std::array{Param(10 * round + i), Param(i)});
      bulk->finish();
    }
    writer->execute("UPDATE grade SET score = 1 WHERE id = $1", {10});
    transaction.commit();
  }
  EXPECT_EQ(one_number(made.store().reader()->query("SELECT COUNT(*) FROM grade")), 12);
  Transaction transaction(*writer, Transaction::Mode::write);
  const std::vector<std::string> columns = {"id", "score"};
  const auto failure = failure_of([&] {
    const auto bulk = writer->bulk("\"grade\"", columns);
    bulk->row(std::array{Param(1), Param(1)});
    bulk->finish();
  });
  EXPECT_EQ(failure, Failure::unique);
}

// ---- PostgreSQL: a session that somebody else opens

// `role` signs in by itself, past this program (the test server trusts everybody).
class Bare {
 public:
  Bare(const std::string& url, const std::string& role)
      : handle_(PQconnectdb(("postgresql://" + role + url.substr(url.find('@'))).c_str()), &PQfinish) {
    EXPECT_EQ(PQstatus(handle_.get()), CONNECTION_OK) << PQerrorMessage(handle_.get());
  }
  // First value of the first row, "" when there is none, or the state of the error.
  std::string ask(const std::string& sql) {
    const std::unique_ptr<PGresult, decltype(&PQclear)> answer(PQexec(handle_.get(), sql.c_str()), &PQclear);
    const auto status = PQresultStatus(answer.get());
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
      return PQresultErrorField(answer.get(), PG_DIAG_SQLSTATE);
    return PQntuples(answer.get()) == 0 ? "" : PQgetvalue(answer.get(), 0, 0);
  }

 private:
  std::unique_ptr<PGconn, decltype(&PQfinish)> handle_;
};

constexpr const char* kForbidden = "42501";

class ReadingRoleOf : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!TestStore::available(Dialect::postgres)) GTEST_SKIP() << "no PostgreSQL: JIAOWU_TEST_PG is empty";
    made_.emplace(Dialect::postgres);
    make_tables(made_->store());
    role_ = reading_role_name(made_->name());
  }
  std::vector<Text> fasten() { return made_->store().fasten(belt()); }
  Bare bare() { return Bare(made_->options().url, role_); }
  std::optional<TestStore> made_;
  std::string role_;
};

TEST_F(ReadingRoleOf, sees_no_row_in_a_session_of_its_own) {
  ASSERT_THAT(fasten(), ::testing::IsEmpty());
  EXPECT_EQ(one_number(made_->store().reader()->query("SELECT COUNT(*) FROM grade")), 2);
  Bare session = bare();
  EXPECT_EQ(session.ask("SELECT count(id) FROM grade"), "0");
  EXPECT_EQ(session.ask("SELECT count(id) FROM account"), "0");
  EXPECT_EQ(session.ask("SELECT password_hash FROM account"), kForbidden);
  EXPECT_EQ(session.ask("SELECT count(*) FROM account WHERE password_hash > 'a'"), kForbidden);
  EXPECT_EQ(session.ask("SELECT value FROM secret"), kForbidden);
  EXPECT_EQ(session.ask("SELECT seal FROM jiaowu_belt.key"), kForbidden);
  EXPECT_EQ(session.ask("SELECT rolpassword FROM pg_authid"), kForbidden);
}

TEST_F(ReadingRoleOf, cannot_seal_a_session_by_itself) {
  ASSERT_THAT(fasten(), ::testing::IsEmpty());
  Bare session = bare();
  session.ask("SET default_transaction_read_only = off");
  EXPECT_EQ(session.ask("CREATE TEMP TABLE jiaowu_seal ()"), kForbidden);
  EXPECT_EQ(session.ask("CREATE TABLE jiaowu_seal ()"), kForbidden);
  EXPECT_EQ(session.ask("SELECT jiaowu_belt.open(CAST(extract(epoch FROM now()) AS BIGINT) + 60, sha256('guess'))"),
            "f");
  EXPECT_EQ(session.ask("SELECT jiaowu_belt.open(CAST(extract(epoch FROM now()) AS BIGINT) + 60, NULL)"), "f");
  EXPECT_EQ(session.ask("SELECT jiaowu_belt.open(NULL, NULL)"), "f");
  EXPECT_EQ(session.ask("SELECT set_config('jiaowu.seal', 'x', false)"), "x");
  EXPECT_EQ(session.ask("SELECT count(id) FROM grade"), "0");
  EXPECT_EQ(session.ask("ALTER TABLE grade DISABLE ROW LEVEL SECURITY"), kForbidden);
  EXPECT_EQ(session.ask("DROP POLICY jiaowu_seal ON grade"), kForbidden);
}

TEST_F(ReadingRoleOf, a_token_opens_one_session_and_no_other) {
  ASSERT_THAT(fasten(), ::testing::IsEmpty());
  Bare mine = bare(), other = bare();
  for (Bare* session : {&mine, &other}) session->ask("SET default_transaction_read_only = off");
  const std::string pid = mine.ask("SELECT pg_backend_pid()");
  const std::string until = mine.ask("SELECT CAST(extract(epoch FROM now()) AS BIGINT) + 60");
  // The owner reckons as the program does, from the pads.
  const auto call = [&](const std::string& at) {
    Rows rows = made_->store().writer()->query(
        "SELECT encode(sha256(outer_pad || sha256(inner_pad || convert_to($1, 'UTF8'))), 'hex') FROM jiaowu_belt.key",
        {pid + "/" + at});
    rows.next();
    return "SELECT jiaowu_belt.open(" + at + ", '\\x" + std::string(rows.text(0)) + "')";
  };
  EXPECT_EQ(other.ask(call(until)), "f");
  EXPECT_EQ(other.ask("SELECT count(id) FROM grade"), "0");
  const std::string long_ago = mine.ask("SELECT CAST(extract(epoch FROM now()) AS BIGINT) - 60");
  EXPECT_EQ(mine.ask(call(long_ago)), "f");
  const std::string far = mine.ask("SELECT CAST(extract(epoch FROM now()) AS BIGINT) + 86400");
  EXPECT_EQ(mine.ask(call(far)), "f");
  EXPECT_EQ(mine.ask(call(until)), "t");
  EXPECT_EQ(mine.ask("SELECT count(id) FROM grade"), "2");
}

TEST_F(ReadingRoleOf, cannot_write_nor_become_the_owner) {
  ASSERT_THAT(fasten(), ::testing::IsEmpty());
  const auto reader = made_->store().reader();
  for (const char* sql : {"SELECT set_config('role', 'none', false)",
                          "SELECT set_config('default_transaction_read_only', 'off', false)"}) {
    reader->query(sql);  // what an injected text could call
  }
  for (const char* sql : {"UPDATE grade SET score = 1", "DELETE FROM grade", "INSERT INTO grade (id) VALUES (9)",
                          "CREATE TABLE mine (a INT)", "SELECT password_hash FROM account",
                          "SELECT set_config('role', 'jiaowu_school', false)", "SELECT pg_read_file('/etc/passwd')"}) {
    EXPECT_EQ(failure_of([&] { reader->query(sql); }), Failure::forbidden) << sql;
  }
  EXPECT_EQ(failure_of([&] { reader->query("RESET ROLE; SELECT password_hash FROM account"); }), Failure::statement);
}

TEST_F(ReadingRoleOf, another_database_has_another_role_that_reads_nothing_here) {
  ASSERT_THAT(fasten(), ::testing::IsEmpty());
  TestStore second(Dialect::postgres);
  make_tables(second.store());
  ASSERT_THAT(second.store().fasten(belt()), ::testing::IsEmpty());
  Bare stranger(made_->options().url, reading_role_name(second.name()));
  EXPECT_EQ(stranger.ask("SELECT count(id) FROM grade"), kForbidden);
  EXPECT_EQ(stranger.ask("SELECT login FROM account"), kForbidden);
  const std::string long_name(63, 'x');
  EXPECT_EQ(reading_role_name(long_name).size(), 14U + 32U);
  EXPECT_NE(reading_role_name(long_name), reading_role_name(std::string(62, 'x') + "y"));
}

TEST_F(ReadingRoleOf, the_owner_too_sees_nothing_by_mistake) {
  ASSERT_THAT(fasten(), ::testing::IsEmpty());
  Bare owner(made_->options().url, "jiaowu_school");
  EXPECT_EQ(owner.ask("SELECT count(*) FROM grade"), "0");
  owner.ask("CREATE TEMP TABLE jiaowu_seal ()");
  EXPECT_EQ(owner.ask("SELECT count(*) FROM grade"), "2");
}

TEST_F(ReadingRoleOf, stays_narrow_after_a_table_was_opened_by_hand) {
  ASSERT_THAT(fasten(), ::testing::IsEmpty());
  made_->store().writer()->script("GRANT SELECT ON secret, account TO " + role_);
  EXPECT_EQ(bare().ask("SELECT value FROM secret"), "xyz");
  const auto node = Store::open(made_->options());
  EXPECT_THAT(node->fasten(belt()), ::testing::IsEmpty());
  EXPECT_EQ(bare().ask("SELECT value FROM secret"), kForbidden);
  EXPECT_EQ(bare().ask("SELECT password_hash FROM account"), kForbidden);
}

// An owner that may not make roles: the administrator has made none, then a good one, then one that is too strong, then
// one that cannot sign in.
TEST_F(ReadingRoleOf, without_the_right_to_make_roles_it_says_so_and_goes_on_read_only) {
  const std::string plain = "jiaowu_plain_" + made_->name(), role = reading_role_name(plain);
  Bare administrator(made_->options().url, "jiaowu");
  ASSERT_EQ(administrator.ask("CREATE ROLE " + plain + " LOGIN"), "");
  ASSERT_EQ(administrator.ask("CREATE DATABASE " + plain + " OWNER " + plain), "");
  Options options = made_->options();
  const std::string url = tests::with_database(options.url, plain);
  options.url = "postgresql://" + plain + url.substr(url.find('@'));
  const auto node = [&options](const auto& look) {
    const auto store = Store::open(options);
    look(*store, store->fasten(belt()));
  };
  make_tables(*Store::open(options));
  const auto as_owner = [&](Store& store, const std::vector<Text>& loose) {
    ASSERT_EQ(loose.size(), 1U);
    EXPECT_THAT(loose[0].en, ::testing::HasSubstr(role));
    EXPECT_THAT(loose[0].zh, ::testing::HasSubstr(role));
    EXPECT_EQ(one_number(store.reader()->query("SELECT COUNT(*) FROM grade")), 2);
    EXPECT_EQ(failure_of([&] { store.reader()->execute("DELETE FROM grade"); }), Failure::read_only);
  };
  node(as_owner);
  ASSERT_EQ(administrator.ask("CREATE ROLE " + role + " LOGIN"), "");
  node([&](Store& store, const std::vector<Text>& loose) {
    EXPECT_THAT(loose, ::testing::IsEmpty());
    EXPECT_EQ(failure_of([&] { store.reader()->query("SELECT password_hash FROM account"); }), Failure::forbidden);
    EXPECT_EQ(one_number(store.reader()->query("SELECT COUNT(id) FROM grade")), 2);
  });
  ASSERT_EQ(administrator.ask("ALTER ROLE " + role + " BYPASSRLS"), "");
  node([&](Store&, const std::vector<Text>& loose) { EXPECT_EQ(loose.size(), 1U); });
  ASSERT_EQ(administrator.ask("ALTER ROLE " + role + " NOBYPASSRLS NOLOGIN"), "");
  node(as_owner);
  EXPECT_EQ(administrator.ask("DROP DATABASE " + plain + " WITH (FORCE)"), "");
  EXPECT_EQ(administrator.ask("DROP ROLE " + plain + ", " + role), "");
}

}  // namespace
}  // namespace jw::db
