#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <thread>

#include "tests/support/stores.hpp"

namespace jw::db {
namespace {

namespace fs = std::filesystem;

// A home with migrations, gone with the object.
class Home {
 public:
  Home() {
    static int count = 0;
    path_ = fs::temp_directory_path() / ("jw_migrate_" + std::to_string(::getpid()) + "_" + std::to_string(count++));
    fs::create_directories(path_ / "db" / "migrations");
  }
  Home(const Home&) = delete;
  Home& operator=(const Home&) = delete;
  ~Home() { fs::remove_all(path_); }

  void put(const std::string& file, const std::string& text) const {
    fs::create_directories((path_ / file).parent_path());
    std::ofstream(path_ / file) << text;
  }
  void drop(const std::string& file) const { fs::remove(path_ / file); }
  std::vector<Migrations> sources() const { return migrations_of(path_); }

 private:
  fs::path path_;
};

class Migrate : public ::testing::TestWithParam<Dialect> {
 protected:
  void SetUp() override {
    home_.put("db/migrations/0001_kernel_core.sql",
              "-- it's the first\nCREATE TABLE thing (id INTEGER PRIMARY KEY, name TEXT NOT NULL, bytes BLOB);\n"
              "--postgres ALTER TABLE thing SET (fillfactor = 80);\n"
              "INSERT INTO thing (id, name) VALUES (1, 'TEXT -- it''s');\n");
    home_.put("modules/lending/migrations/0001_findings.sql",
              "CREATE TABLE \"case\" (id BIGINT PRIMARY KEY REFERENCES thing(id));");
  }
  // What migrate() says, or nothing when it does it.
  std::optional<std::string> refusal(Connection& writer) const {
    try {
      migrate(writer, home_.sources());
    } catch (const Error& error) {
      EXPECT_EQ(error.failure(), Failure::statement);
      return error.what();
    }
    return {};
  }
  Home home_;
};
JW_ON_BOTH_STORES(Migrate);

TEST_P(Migrate, one_text_makes_the_same_tables_on_both_stores) {
  JW_TEST_STORE(made, GetParam());
  const Store::Lease writer = made.store().writer();
  EXPECT_EQ(migrate(*writer, home_.sources()), 2);
  EXPECT_EQ(migrate(*writer, home_.sources()), 0);
  const int64_t large = int64_t{1} << 40;  // no 32 bit integer
  writer->execute("INSERT INTO thing (id, name, bytes) VALUES ($1, $2, $3)",
                  {large, "a", Param::blob(std::string_view("\0\xff", 2))});
  writer->execute("INSERT INTO thing (id, name) VALUES ($1, $2)", {2, "B"});
  Rows rows = writer->query("SELECT id, name, bytes FROM thing ORDER BY name");  // by bytes, so capitals first
  for (const auto& [id, name] : {std::pair<int64_t, std::string>{2, "B"}, {1, "TEXT -- it's"}, {large, "a"}}) {
    ASSERT_TRUE(rows.next());
    EXPECT_EQ(rows.integer(0), id);
    EXPECT_EQ(rows.text(1), name);
  }
  EXPECT_EQ(rows.blob(2), std::string_view("\0\xff", 2));
}

TEST_P(Migrate, the_kernel_goes_first_then_the_modules_by_name) {
  JW_TEST_STORE(made, GetParam());
  const Store::Lease writer = made.store().writer();
  home_.put("modules/access/migrations/0001_uses.sql", "CREATE TABLE use (id BIGINT);");
  const std::vector<std::string> all = {"kernel/0001_kernel_core", "access/0001_uses", "lending/0001_findings"};
  EXPECT_EQ(migrations_ahead(*writer, home_.sources()), all);
  EXPECT_EQ(migrate(*writer, home_.sources()), 3);
  // Each owner counts for itself: the kernel's second comes after a module's first.
  home_.put("db/migrations/0002_kernel_more.sql", "CREATE TABLE more (id BIGINT);");
  EXPECT_EQ(migrations_ahead(*writer, home_.sources()), std::vector<std::string>{"kernel/0002_kernel_more"});
  EXPECT_EQ(migrate(*writer, home_.sources()), 1);
}

TEST_P(Migrate, looking_ahead_changes_nothing) {
  JW_TEST_STORE(made, GetParam());
  const Store::Lease writer = made.store().writer();
  EXPECT_EQ(migrations_ahead(*writer, home_.sources()).size(), 2u);
  EXPECT_THROW(writer->query("SELECT number FROM schema_migration"), Error);
  EXPECT_THROW(writer->query("SELECT id FROM thing"), Error);
}

TEST_P(Migrate, what_was_applied_is_the_beginning_of_what_there_is) {
  JW_TEST_STORE(made, GetParam());
  const Store::Lease writer = made.store().writer();
  home_.put("db/migrations/0003_kernel_third.sql", "CREATE TABLE third (id BIGINT);");
  ASSERT_FALSE(refusal(*writer));

  home_.put("db/migrations/0002_kernel_late.sql", "CREATE TABLE late (id BIGINT);");
  EXPECT_NE(refusal(*writer).value_or("").find("kernel/0002_kernel_late comes before"), std::string::npos);
  home_.drop("db/migrations/0002_kernel_late.sql");

  home_.put("modules/lending/migrations/0001_findings.sql", "CREATE TABLE \"case\" (id BIGINT);");
  EXPECT_NE(refusal(*writer).value_or("").find("lending/0001_findings was applied and has changed"), std::string::npos);
  EXPECT_THROW(migrations_ahead(*writer, home_.sources()), Error);

  home_.drop("modules/lending/migrations/0001_findings.sql");
  EXPECT_NE(refusal(*writer).value_or("").find("lending/0001_findings was applied and is not here"), std::string::npos);
}

TEST_P(Migrate, one_that_fails_leaves_nothing_behind) {
  JW_TEST_STORE(made, GetParam());
  const Store::Lease writer = made.store().writer();
  home_.put("modules/lending/migrations/0002_wrong.sql",
            "CREATE TABLE half (id BIGINT); INSERT INTO nowhere VALUES (1);");
  EXPECT_NE(refusal(*writer).value_or("").find("lending/0002_wrong"), std::string::npos);
  EXPECT_THROW(writer->query("SELECT id FROM half"), Error);
  EXPECT_EQ(migrations_ahead(*writer, home_.sources()), std::vector<std::string>{"lending/0002_wrong"});
}

TEST_P(Migrate, of_two_nodes_at_once_each_migration_runs_once) {
  JW_TEST_STORE(made, GetParam());
  Store& store = made.store();
  int first = 0, second = 0;
  const auto node = [&](int& count) { count = migrate(*store.writer(), home_.sources()); };
  std::thread one(node, std::ref(first)), other(node, std::ref(second));
  one.join();
  other.join();
  EXPECT_EQ(first + second, 2);
}

TEST_P(Migrate, names_and_numbers_that_do_not_fit_are_refused) {
  JW_TEST_STORE(made, GetParam());
  const Store::Lease writer = made.store().writer();
  for (const char* file :
       {"db/migrations/0001_kernel_again.sql", "db/migrations/core.sql", "db/migrations/0000_a.sql"}) {
    home_.put(file, "CREATE TABLE again (id BIGINT);");
    EXPECT_TRUE(refusal(*writer)) << file;
    home_.drop(file);
  }
  EXPECT_FALSE(refusal(*writer));
}

TEST(Migrations, TypesAreTranslatedOutsideQuotesAndComments) {
  const auto postgres = [](std::string_view sql) { return in_dialect(Dialect::postgres, sql); };
  EXPECT_EQ(postgres("a TEXT, b INTEGER, c BLOB, d BIGINT"), "a TEXT COLLATE \"C\", b BIGINT, c BYTEA, d BIGINT");
  EXPECT_EQ(postgres("'TEXT' \"BLOB\" -- INTEGER\n/* TEXT */ TEXTUAL"),
            "'TEXT' \"BLOB\" -- INTEGER\n/* TEXT */ TEXTUAL");
  EXPECT_EQ(postgres("CAST(x AS TEXT)"), "CAST(x AS TEXT)");
  EXPECT_EQ(postgres("--postgres VACUUM;\nSELECT 1"), "VACUUM;\nSELECT 1");
  EXPECT_EQ(in_dialect(Dialect::sqlite, "a TEXT --postgres x\n"), "a TEXT --postgres x\n");
}

TEST(Migrations, TellTheirTables) {
  const Home home;
  home.put("db/migrations/0001_kernel_core.sql",
           "-- CREATE TABLE no (id BIGINT);\nCREATE TABLE one(id BIGINT);\nCREATE UNIQUE INDEX i ON one (id);\n"
           "  CREATE TABLE\n\"case\" (a TEXT DEFAULT 'CREATE TABLE no (x)');");
  home.put("modules/a/migrations/0001_x.sql", "CREATE TABLE IF NOT EXISTS two (id BIGINT);");
  EXPECT_EQ(tables_of(home.sources()), (std::set<std::string, std::less<>>{"case", "one", "two"}));
  const std::set<std::string, std::less<>> real = tables_of(migrations_of(JW_SOURCE_DIR));
  for (const char* table : {"gate", "account", "session", "case", "deputy", "lending_finding"}) {
    EXPECT_TRUE(real.contains(table)) << table;
  }
}

}  // namespace
}  // namespace jw::db
