// What a watched store tells before it commits, on both stores alike.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/stores.hpp"

namespace jw::db {
namespace {

using testing::IsEmpty;
using testing::UnorderedElementsAre;

class Watched : public ::testing::TestWithParam<Dialect> {
 protected:
  void SetUp() override {
    if (!tests::TestStore::available(GetParam())) GTEST_SKIP() << "no PostgreSQL: JIAOWU_TEST_PG is empty";
    made_ = std::make_unique<tests::TestStore>(GetParam());
    const auto writer = made_->store().writer();
    writer->script(in_dialect(GetParam(),
                              "CREATE TABLE kept (id INTEGER PRIMARY KEY, name TEXT NOT NULL, bytes BLOB, seen BIGINT, "
                              "state TEXT NOT NULL DEFAULT 'new', tries BIGINT NOT NULL DEFAULT 0); "
                              "CREATE TABLE pair (a BIGINT NOT NULL, b TEXT NOT NULL, PRIMARY KEY (b, a)); "
                              "CREATE TABLE other (id INTEGER PRIMARY KEY)"));
    auto watch = std::make_shared<Watch>();
    watch->tables["kept"] = table_to_watch(*writer, "kept", {"seen"});
    watch->tables["pair"] = table_to_watch(*writer, "pair", {});
    watch->before_commit = [this](Connection&, const std::vector<WrittenRow>& rows) {
      if (fails_) throw std::runtime_error("not now");
      for (const WrittenRow& row : rows)
        told_.push_back(row.table + " " + row.key + (row.digest.empty() ? " gone" : ""));
      for (const WrittenRow& row : rows) digests_[row.table + " " + row.key] = row.digest;
    };
    made_->store().watch(watch);
  }
  std::vector<std::string> told(const std::string& sql, std::initializer_list<Param> params = {}) {
    told_.clear();
    made_->store().writer()->execute(sql, params);
    return told_;
  }
  // Of a row as it is read.
  std::string digest_of(const std::string& where) {
    const auto reader = made_->store().reader();
    const Watch::Table table = table_to_watch(*reader, "kept", {"seen"});
    Rows rows = reader->query("SELECT bytes, id, name, state, tries FROM kept WHERE " + where);
    EXPECT_TRUE(rows.next());
    return row_digest(table.columns, values_of(rows, 0, table.columns.size()));
  }

  std::unique_ptr<tests::TestStore> made_;
  std::vector<std::string> told_;
  std::map<std::string, std::string> digests_;
  bool fails_ = false;
};
JW_ON_BOTH_STORES(Watched);

TEST_P(Watched, every_way_of_writing_tells_its_rows) {
  EXPECT_THAT(told("INSERT INTO kept (id, name) VALUES (1, 'a'), (2, 'b')"), UnorderedElementsAre("kept 1", "kept 2"));
  EXPECT_EQ(digests_["kept 1"], digest_of("id = 1")) << "with the values that were not given";
  EXPECT_THAT(told("INSERT INTO kept (id, name) VALUES (1, 'x') ON CONFLICT (id) DO NOTHING"), IsEmpty());
  EXPECT_THAT(told("INSERT INTO kept (id, name) VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET name = excluded.name"),
              UnorderedElementsAre("kept 1"));
  EXPECT_THAT(told("UPDATE kept SET name = $1, bytes = $2", {"c", Param::blob(std::string_view("\0y", 2))}),
              UnorderedElementsAre("kept 1", "kept 2"));
  EXPECT_EQ(digests_["kept 2"], digest_of("id = 2"));
  EXPECT_THAT(told("DELETE FROM kept WHERE id = 2"), UnorderedElementsAre("kept 2 gone"));
  EXPECT_THAT(told("INSERT INTO pair (a, b) SELECT id, 'p/q' FROM kept"), UnorderedElementsAre("pair p%2Fq/1"));
  EXPECT_THAT(told("INSERT INTO other (id) VALUES (1)"), IsEmpty());
}

TEST_P(Watched, what_is_set_aside_or_only_locked_is_not_told) {
  told("INSERT INTO kept (id, name) VALUES (1, 'a')");
  EXPECT_THAT(told("UPDATE kept SET seen = $1 WHERE id = 1", {5}), IsEmpty());
  EXPECT_THAT(told("UPDATE kept SET name = name WHERE id = 1"), IsEmpty());
  EXPECT_THAT(told("UPDATE kept SET seen = CASE WHEN seen > 4 THEN (SELECT MAX(tries) FROM kept) END, name = 'b' "
                   "WHERE id = 1"),
              UnorderedElementsAre("kept 1"));
  EXPECT_THAT(told("UPDATE kept SET tries = tries + 1"), UnorderedElementsAre("kept 1"));
  EXPECT_EQ(digests_["kept 1"], digest_of("id = 1"));
}

TEST_P(Watched, loading_in_bulk_tells_too) {
  {
    const auto writer = made_->store().writer();
    Transaction transaction(*writer, Transaction::Mode::write);
    const std::string columns[] = {"id", "\"name\""};
    const auto bulk = writer->bulk("\"kept\"", columns);
    for (int64_t id : {7, 8}) {
      const Param row[] = {id, "bulk"};
      bulk->row(row);
    }
    bulk->finish();
    EXPECT_THAT(told_, IsEmpty()) << "before the commit";
    transaction.commit();
  }
  EXPECT_THAT(told_, UnorderedElementsAre("kept 7", "kept 8"));
  EXPECT_EQ(digests_["kept 7"], digest_of("id = 7"));
}

TEST_P(Watched, what_is_not_committed_is_not_told_and_what_cannot_be_told_is_not_committed) {
  {
    const auto writer = made_->store().writer();
    Transaction transaction(*writer, Transaction::Mode::write);
    writer->execute("INSERT INTO kept (id, name) VALUES (1, 'a')");
    writer->kept_in_transaction() = 9;
  }
  EXPECT_THAT(told("INSERT INTO kept (id, name) VALUES (2, 'b')"), UnorderedElementsAre("kept 2"));
  {
    const auto writer = made_->store().writer();
    Transaction transaction(*writer, Transaction::Mode::write);
    EXPECT_EQ(writer->kept_in_transaction(), 0);
  }
  fails_ = true;
  EXPECT_THROW(told("INSERT INTO kept (id, name) VALUES (3, 'c')"), std::runtime_error);
  EXPECT_FALSE(made_->store().reader()->query("SELECT id FROM kept WHERE id = 3").next());
  fails_ = false;
  EXPECT_THROW(told("UPDATE kept SET name = 'x' RETURNING id"), Error);
  made_->store().watch(nullptr);
  EXPECT_THAT(told("INSERT INTO kept (id, name) VALUES (4, 'd')"), IsEmpty());
}

TEST_P(Watched, a_table_without_a_key_cannot_be_watched) {
  const auto writer = made_->store().writer();
  writer->script("CREATE TABLE loose (a BIGINT)");
  EXPECT_TRUE(table_to_watch(*writer, "loose", {}).key.empty());
  EXPECT_THROW(table_to_watch(*writer, "absent", {}), Error);
}

TEST(Asides, say_why) {
  const tests::TestStore made(Dialect::sqlite);
  const std::filesystem::path folder = made.folder() / "migrations";
  std::filesystem::create_directories(folder);
  const Migrations sources[] = {{"kernel", folder}};
  const auto write = [&](const std::string& text) { std::ofstream(folder / "0001_x.sql") << text; };
  write("CREATE TABLE a (id INTEGER PRIMARY KEY);\n--aside a: counts\n--aside b.c: moves\n--aside b.d: moves\n");
  const auto asides = asides_of(sources);
  EXPECT_TRUE(asides.at("a").whole);
  EXPECT_FALSE(asides.at("b").whole);
  EXPECT_THAT(asides.at("b").columns, UnorderedElementsAre("c", "d"));
  write("--aside a\n");
  EXPECT_THROW(asides_of(sources), Error);
}

}  // namespace
}  // namespace jw::db
