#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <condition_variable>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <limits>
#include <mutex>
#include <optional>
#include <thread>

#include "tests/support/stores.hpp"

namespace jw::db {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using namespace std::string_view_literals;
using std::chrono::milliseconds;
using tests::TestStore;

class Db : public ::testing::TestWithParam<Dialect> {
 protected:
  static bool sqlite() { return GetParam() == Dialect::sqlite; }
  static const char* blob_type() { return sqlite() ? "BLOB" : "BYTEA"; }
};
JW_ON_BOTH_STORES(Db);

// The failure of a call, or nothing when it throws nothing.
template <class Call>
std::optional<Error> error_of(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return error;
  }
  return {};
}

template <class Call>
std::optional<Failure> failure_of(Call call) {
  const std::optional<Error> error = error_of(call);
  return error ? std::optional(error->failure()) : std::nullopt;
}

int64_t one_number(Connection& connection, std::string_view sql, std::initializer_list<Param> params = {}) {
  Rows rows = connection.query(sql, params);
  EXPECT_TRUE(rows.next());
  const int64_t number = rows.integer(0);
  EXPECT_FALSE(rows.next());
  return number;
}

void make_numbers(Connection& writer, int64_t count) {
  writer.script("CREATE TABLE number (n BIGINT PRIMARY KEY, name TEXT)");
  Transaction transaction(writer, Transaction::Mode::write);
  for (int64_t n = 1; n <= count; ++n) {
    writer.execute("INSERT INTO number (n, name) VALUES ($1, $2)", {n, "n" + std::to_string(n)});
  }
  transaction.commit();
}

// /readyz looks at the disk there; the database server of the tests is on this machine, and tells its superuser.
TEST_P(Db, a_store_tells_where_its_data_lie_on_this_machine) {
  JW_TEST_STORE(made, GetParam());
  const std::filesystem::path folder = made.store().folder();
  ASSERT_FALSE(folder.empty());
  EXPECT_GT(std::filesystem::space(folder).capacity, 0U) << folder;
}

// ----------------------------------------------------------------------------------------------------------- streaming

TEST_P(Db, a_stream_gives_the_rows_as_they_come_and_lets_the_connection_go_on) {
  JW_TEST_STORE(made, GetParam());
  const auto writer = made.store().writer();
  make_numbers(*writer, 3000);
  const auto reader = made.store().reader();
  const std::string_view all = "SELECT n, name FROM number ORDER BY n";
  const auto sum = [](Rows& rows, int64_t most) {
    int64_t total = 0;
    for (int64_t read = 0; read < most && rows.next(); ++read) total += rows.integer(0);
    return total;
  };
  {
    Rows rows = reader->stream(all);
    EXPECT_EQ(4501500, sum(rows, 5000));
    EXPECT_FALSE(rows.next());
    EXPECT_FALSE(rows.next());
  }
  {
    Rows rows = reader->stream(all);
    EXPECT_EQ(55, sum(rows, 10));
    // Another statement meanwhile.
    Rows other = reader->query("SELECT COUNT(*) FROM number");
    ASSERT_TRUE(other.next());
    EXPECT_EQ(3000, other.integer(0));
    EXPECT_EQ(11, sum(rows, 1));
    Rows second = reader->stream("SELECT n FROM number WHERE n > $1 ORDER BY n", std::array{Param(2990)});
    EXPECT_EQ(12, sum(rows, 1));
    EXPECT_EQ(29955, sum(second, 5000));
    EXPECT_EQ(4501500 - 55 - 11 - 12, sum(rows, 5000));
  }
  {
    Rows rows = reader->stream(all);
    EXPECT_EQ(3, sum(rows, 2));  // and no more of it
  }
  {
    Transaction snapshot(*reader, Transaction::Mode::read);
    Rows rows = reader->stream_within(
        std::make_shared<const Reach>(Reach{{{"number", {"n", "name"}}}, {}}), all, {});
    EXPECT_EQ(6, sum(rows, 3));
    Rows none = reader->stream("SELECT n FROM number WHERE n < 0");
    EXPECT_FALSE(none.next());
    EXPECT_EQ(4, sum(rows, 1));
  }
  {
    Transaction snapshot(*reader, Transaction::Mode::read);
    Rows rows = reader->stream(all);
    EXPECT_EQ(1, sum(rows, 1));
    snapshot.commit();
  }
  EXPECT_THROW(reader->stream("SELECT nothing FROM number"), Error);
  Rows after = reader->query("SELECT MAX(n) FROM number");
  ASSERT_TRUE(after.next());
  EXPECT_EQ(3000, after.integer(0));
}

// -------------------------------------------------------------------------------------------------------------- values

TEST_P(Db, gives_back_every_kind_as_it_came) {
  JW_TEST_STORE(made, GetParam());
  const auto writer = made.store().writer();
  writer->script("CREATE TABLE kept (id BIGINT PRIMARY KEY, i BIGINT, t TEXT, b "s + blob_type() + ")");
  const std::string_view insert = "INSERT INTO kept (id, i, t, b) VALUES ($1, $2, $3, $4)";
  const std::string all_bytes = [] {
    std::string bytes;
    for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
    return bytes;
  }();
  const std::string long_text(100'000, 'x');
  EXPECT_EQ(1, writer->execute(insert, {1, std::numeric_limits<int64_t>::min(), "张三 𠮷 \\ ' \" \t\n", Param::blob(all_bytes)}));
  EXPECT_EQ(1, writer->execute(insert, {2, std::numeric_limits<int64_t>::max(), "", Param::blob("")}));
  EXPECT_EQ(1, writer->execute(insert, {3, nullptr, nullptr, nullptr}));
  EXPECT_EQ(1, writer->execute(insert, {4, std::optional<int64_t>(), std::optional("有"s), Param::blob("\0\0"sv)}));
  EXPECT_EQ(1, writer->execute(insert, {5, -1, long_text, nullptr}));

  const auto reader = made.store().reader();
  Rows rows = reader->query("SELECT i, t, b FROM kept ORDER BY id");
  ASSERT_EQ(3U, rows.columns());
  ASSERT_TRUE(rows.next());
  EXPECT_EQ(Kind::integer, rows.kind(0));
  EXPECT_EQ(std::numeric_limits<int64_t>::min(), rows.integer(0));
  EXPECT_EQ(Kind::text, rows.kind(1));
  EXPECT_EQ("张三 𠮷 \\ ' \" \t\n", rows.text(1));
  EXPECT_EQ(Kind::blob, rows.kind(2));
  EXPECT_EQ(all_bytes, rows.blob(2));
  ASSERT_TRUE(rows.next());
  EXPECT_EQ(std::numeric_limits<int64_t>::max(), rows.integer(0));
  EXPECT_EQ(Kind::text, rows.kind(1));
  EXPECT_EQ("", rows.text(1));
  EXPECT_EQ(Kind::blob, rows.kind(2));
  EXPECT_EQ("", rows.blob(2));
  ASSERT_TRUE(rows.next());
  for (size_t column = 0; column < 3; ++column) EXPECT_TRUE(rows.is_null(column));
  EXPECT_EQ(0, rows.integer(0));
  EXPECT_EQ("", rows.text(1));
  ASSERT_TRUE(rows.next());
  EXPECT_TRUE(rows.is_null(0));
  EXPECT_EQ("有", rows.text(1));
  EXPECT_EQ("\0\0"sv, rows.blob(2));
  ASSERT_TRUE(rows.next());
  EXPECT_EQ(-1, rows.integer(0));
  EXPECT_EQ(long_text, rows.text(1));
  EXPECT_FALSE(rows.next());
  EXPECT_FALSE(rows.next());
}

TEST_P(Db, refuses_text_that_is_not_utf8) {
  JW_TEST_STORE(made, GetParam());
  const auto reader = made.store().reader();
  const std::string_view same = "SELECT CAST($1 AS TEXT)";
  EXPECT_EQ(Failure::statement, failure_of([&] { reader->query(same, {"a\0b"sv}); }));
  EXPECT_EQ(Failure::statement, failure_of([&] { reader->query(same, {"\xff"}); }));
  EXPECT_EQ(Failure::statement, failure_of([&] { reader->query(same, {"\xe4\xbd"}); }));
  EXPECT_EQ(std::nullopt, failure_of([&] { reader->query(same, {"好"}); }));
}

TEST_P(Db, takes_placeholders_repeated_and_in_any_order) {
  JW_TEST_STORE(made, GetParam());
  const auto reader = made.store().reader();
  Rows rows = reader->query(
      "SELECT CAST($3 AS TEXT), CAST($1 AS BIGINT), CAST($3 AS TEXT), CAST($2 AS BIGINT) WHERE $1 < $2 AND $11 = 11",
      {1, 2, "three", 4, 5, 6, 7, 8, 9, 10, 11});
  ASSERT_TRUE(rows.next());
  EXPECT_EQ("three", rows.text(0));
  EXPECT_EQ(1, rows.integer(1));
  EXPECT_EQ("three", rows.text(2));
  EXPECT_EQ(2, rows.integer(3));
  EXPECT_EQ(Failure::statement, failure_of([&] { reader->query("SELECT 1 WHERE $1 < $2", {1}); }));
}

TEST_P(Db, one_text_takes_null_and_values_in_turn) {
  JW_TEST_STORE(made, GetParam());
  const auto writer = made.store().writer();
  writer->script("CREATE TABLE pair (id BIGINT PRIMARY KEY, a BIGINT, b TEXT)");
  const std::string_view insert = "INSERT INTO pair (id, a, b) VALUES ($1, $2, $3)";
  writer->execute(insert, {1, nullptr, nullptr});
  writer->execute(insert, {2, 2, nullptr});
  writer->execute(insert, {3, nullptr, "c"});
  writer->execute(insert, {4, 4, "d"});
  writer->execute(insert, {5, nullptr, nullptr});
  EXPECT_EQ(2, one_number(*writer, "SELECT COUNT(*) FROM pair WHERE a IS NOT NULL"));
  EXPECT_EQ(2, one_number(*writer, "SELECT COUNT(*) FROM pair WHERE b IS NOT NULL"));
}

TEST_P(Db, reads_sums_and_counts_as_integers) {
  JW_TEST_STORE(made, GetParam());
  const auto writer = made.store().writer();
  make_numbers(*writer, 3);
  Rows rows = writer->query("SELECT COUNT(*), SUM(n), MAX(n), COALESCE(SUM(n * 100000000000), 0), -SUM(n) FROM number");
  ASSERT_TRUE(rows.next());
  for (size_t i = 0; i < 5; ++i) EXPECT_EQ(Kind::integer, rows.kind(i)) << i;
  EXPECT_EQ(3, rows.integer(0));
  EXPECT_EQ(6, rows.integer(1));
  EXPECT_EQ(3, rows.integer(2));
  EXPECT_EQ(600'000'000'000, rows.integer(3));
  EXPECT_EQ(-6, rows.integer(4));
  for (const int64_t extreme : {std::numeric_limits<int64_t>::max(), std::numeric_limits<int64_t>::min()}) {
    writer->execute("DELETE FROM number");
    writer->execute("INSERT INTO number (n) VALUES ($1)", {extreme});
    EXPECT_EQ(extreme, one_number(*writer, "SELECT SUM(n) FROM number"));
  }
}

}  // namespace
}  // namespace jw::db
