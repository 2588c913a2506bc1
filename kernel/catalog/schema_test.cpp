// Tables made from a catalogue, and what happens to stored rows when it changes: on SQLite, and on PostgreSQL when
// there is a server.
#include "kernel/catalog/schema.hpp"

#include <set>

#include "kernel/catalog/loading.hpp"
#include "tests/support/catalogue.hpp"
#include "tests/support/stores.hpp"

namespace jw::catalog {
namespace {

using tests::Files;
using tests::Home;
using tests::loaded;
using tests::printed;

const Files kBefore = {
    {"catalog/modules.toml", R"toml([[module]]
name = "people"
label = { zh = "人员", en = "People" }
)toml"},
    {"catalog/codes/xb.toml", R"toml(set = "XB"
label = { zh = "性别", en = "Sex" }
[[code]]
code = "1"
name = { zh = "男性", en = "male" }
)toml"},
    {"catalog/relations.toml", R"toml([[relation]]
name = "self"
of = "person"
label = { zh = "本人", en = "oneself" }
)toml"},
    {"catalog/order.toml", R"toml(name = "order"
label = { zh = "班级", en = "Class" }
module = "people"
owner = { unit = "jwc", post = "office" }
key = ["group"]
[[field]]
name = "group"
label = { zh = "班级号", en = "Class code" }
type = "text(12)"
required = true
level = 1
[[field]]
name = "leader"
label = { zh = "班长", en = "Leader" }
type = "ref(pupil)"
level = 2
)toml"},
    {"catalog/pupil.toml", R"toml(name = "pupil"
label = { zh = "学生", en = "Pupil" }
module = "people"
owner = { unit = "jwc", post = "office" }
person = true
about = "id"
key = ["number"]
indexes = [["name"]]
[relations]
self = "id"
[[field]]
name = "number"
label = { zh = "学号", en = "Number" }
type = "text(20)"
required = true
level = 1
[[field]]
name = "name"
label = { zh = "姓名", en = "Name" }
type = "text(60)"
level = 1
sort = "pinyin"
[[field]]
name = "nick"
label = { zh = "别名", en = "Nickname" }
type = "text(60)"
level = 1
[[field]]
name = "order"
label = { zh = "班级", en = "Class" }
type = "ref(order)"
level = 1
)toml"},
    {"catalog/mark.toml", R"toml(name = "mark"
label = { zh = "成绩", en = "Mark" }
module = "people"
owner = { unit = "jwc", post = "office" }
about = "pupil"
key = ["pupil", "number"]
clustered = true
[relations]
self = "pupil"
[[field]]
name = "pupil"
label = { zh = "学号", en = "Number" }
type = "ref(pupil)"
required = true
level = 1
[[field]]
name = "number"
label = { zh = "次数", en = "Number" }
type = "int"
required = true
level = 1
[[field]]
name = "score"
label = { zh = "分数", en = "Score" }
type = "decimal(1)"
level = 3
[[field]]
name = "sex"
label = { zh = "性别", en = "Sex" }
type = "code(XB)"
level = 3
)toml"},
};

Files changed(const char* file, const std::string& from, const std::string& to) {
  Files files = kBefore;
  std::string& text = files[file];
  const size_t at = text.find(from);
  if (at == std::string::npos) throw std::logic_error("no such text: " + from);
  text.replace(at, from.size(), to);
  return files;
}

class SchemaTest : public testing::TestWithParam<db::Dialect> {
 protected:
  void SetUp() override {
    if (!tests::TestStore::available(GetParam())) GTEST_SKIP() << "no PostgreSQL: JIAOWU_TEST_PG is empty";
    made_.emplace(GetParam());
    auto writer = made_->store().writer();
    writer->script(
        "CREATE TABLE gate (id BIGINT PRIMARY KEY, epoch BIGINT NOT NULL); INSERT INTO gate (id, epoch) VALUES (1, "
        "1)");
  }
  db::Store& store() { return made_->store(); }
  void apply(const Catalogue& catalogue, bool only_safe = true) {
    auto writer = made_->store().writer();
    const auto done = apply_schema(catalogue, *writer, only_safe);
    if (!done) ADD_FAILURE() << done.refusal().type << " " << done.refusal().detail.en;
  }
  int64_t number(const std::string& sql) {
    auto writer = made_->store().writer();
    db::Rows rows = writer->query(sql);
    EXPECT_TRUE(rows.next()) << sql;
    return rows.integer(0);
  }
  std::string text(const std::string& sql) {
    auto writer = made_->store().writer();
    db::Rows rows = writer->query(sql);
    EXPECT_TRUE(rows.next()) << sql;
    return std::string(rows.text(0));
  }
  // A class led by a pupil of that class (they point at each other), a second pupil, one mark and an older version of
  // it.
  void fill() {
    auto writer = made_->store().writer();
    db::Transaction transaction(*writer, db::Transaction::Mode::write);
    writer->script(R"(
      INSERT INTO "order" ("id", "group", "leader", "batch_id", "since_us") VALUES (10, 'A', 1, 7, 5);
      INSERT INTO "pupil" ("id", "person_id", "number", "name", "nick", "order", "batch_id", "since_us")
        VALUES (1, 100, 'P1', '张三', '三', 10, 7, 5), (2, 101, 'P2', '李四', NULL, 10, 7, 5);
      INSERT INTO "mark" ("id", "pupil", "number", "score", "sex", "batch_id", "since_us") VALUES (20, 1, 1, 875, '1', 7, 5);
      INSERT INTO "mark_history" ("id", "pupil", "number", "score", "sex", "batch_id", "since_us", "until_us", "ended_batch_id")
        VALUES (20, 1, 1, 600, '1', 6, 4, 5, 7);
    )");
    transaction.commit();
  }

  std::optional<tests::TestStore> made_;
};

JW_ON_BOTH_STORES(SchemaTest);

TEST_P(SchemaTest, ANewStoreGetsAllTablesAndRemembersThem) {
  const Catalogue catalogue = loaded(kBefore);
  EXPECT_EQ(stored_digest(*store().writer()), "");
  for (const SchemaChange& change : schema_changes(catalogue, *store().writer()))
    EXPECT_TRUE(change.safe && change.possible) << change.text.en;
  apply(catalogue);
  EXPECT_EQ(stored_digest(*store().writer()), catalogue.digest);
  EXPECT_EQ(number("SELECT epoch FROM gate"), 2);
  EXPECT_TRUE(schema_changes(catalogue, *store().writer()).empty());
  apply(catalogue);
  EXPECT_EQ(number("SELECT epoch FROM gate"), 2) << "nothing changed, so plans stay good";
  fill();
  EXPECT_EQ(text(R"(SELECT "name" FROM "pupil" WHERE "id" = 1)"), "张三");
}

TEST_P(SchemaTest, StatementsCanBeRunAgain) {
  const Catalogue catalogue = loaded(kBefore);
  auto writer = store().writer();
  for (int round = 0; round < 2; ++round) {
    for (const Dataset& dataset : catalogue.datasets) {
      for (const std::string& sql : create_statements(catalogue, dataset, GetParam())) writer->script(sql);
    }
    for (const Dataset& dataset : catalogue.datasets) {
      for (const std::string& sql : link_statements(catalogue, dataset, GetParam())) writer->script(sql);
    }
  }
}

TEST_P(SchemaTest, TheStoreItselfKeepsKeysReferencesAndRequiredFields) {
  apply(loaded(kBefore));
  fill();
  const std::pair<const char*, db::Failure> rows[] = {
      {R"(INSERT INTO "pupil" ("id", "person_id", "number", "batch_id", "since_us") VALUES (3, 102, 'P1', 7, 5))",
       db::Failure::unique},
      {R"(INSERT INTO "pupil" ("id", "person_id", "number", "batch_id", "since_us") VALUES (1, 102, 'P3', 7, 5))",
       db::Failure::unique},
      {R"(INSERT INTO "mark" ("id", "pupil", "number", "batch_id", "since_us") VALUES (20, 2, 1, 7, 5))",
       db::Failure::unique},
      {R"(INSERT INTO "mark" ("id", "pupil", "number", "batch_id", "since_us") VALUES (21, 1, 1, 7, 5))",
       db::Failure::unique},
      {R"(INSERT INTO "mark" ("id", "pupil", "number", "batch_id", "since_us") VALUES (21, 9, 1, 7, 5))",
       db::Failure::foreign_key},
      {R"(INSERT INTO "pupil" ("id", "person_id", "number", "batch_id", "since_us") VALUES (3, 102, NULL, 7, 5))",
       db::Failure::not_null},
      {R"(INSERT INTO "pupil" ("id", "number", "batch_id", "since_us") VALUES (3, 'P3', 7, 5))", db::Failure::not_null},
  };
  for (const auto& [sql, failure] : rows) {
    auto writer = store().writer();
    try {
      db::Transaction transaction(*writer, db::Transaction::Mode::write);
      writer->execute(sql);
      transaction.commit();
      ADD_FAILURE() << "accepted: " << sql;
    } catch (const db::Error& error) {
      EXPECT_EQ(error.failure(), failure) << sql << ": " << error.what();
    }
  }
  auto writer = store().writer();
  EXPECT_THROW(writer->execute(R"(UPDATE "mark" SET "score" = 'many')"), db::Error)
      << "a text does not get into a number";
}

// One change of the catalogue: what is said of it, whether it may happen by itself, and what a query of the old rows
// then gives.
struct Change {
  const char *file, *from, *to;
  bool safe, possible;
  const char *zh, *query;
  int64_t result;
};

const char* const kMark = "catalog/mark.toml";
const char* const kPupil = "catalog/pupil.toml";

const Change kChanges[] = {
    // clang-format off
    {kMark, "[[field]]\nname = \"sex\"",
     "[[field]]\nname = \"note\"\nlabel = { zh = \"注\", en = \"Note\" }\ntype = \"text(9)\"\nlevel = 1\n[[field]]\nname = \"sex\"",
     true, true, "新增字段「note」", "SELECT count(*) FROM \"mark\" WHERE \"note\" IS NULL", 1},
    {kMark, "[[field]]\nname = \"sex\"",
     "[[field]]\nname = \"by\"\nlabel = { zh = \"由\", en = \"By\" }\ntype = \"ref(order)\"\nlevel = 1\n[[field]]\nname = \"sex\"",
     true, true, "新增字段「by」", "SELECT count(*) FROM \"mark_history\" WHERE \"by\" IS NULL", 1},
    {kMark, "clustered = true", "clustered = true\nindexes = [[\"score\"]]", true, true, "新增索引（score）", "SELECT count(*) FROM \"mark\"", 1},
    {kPupil, "indexes = [[\"name\"]]\n", "", true, true, "去掉索引（name）", "SELECT count(*) FROM \"pupil\"", 2},
    {kPupil, "type = \"text(60)\"\nlevel = 1\n[[field]]\nname = \"order\"", "type = \"text(60)\"\nsort = \"pinyin\"\nlevel = 1\n[[field]]\nname = \"order\"",
     true, true, "增加拼音排序", "SELECT count(*) FROM \"pupil\" WHERE \"nick_sort\" = 'SAN 三'", 1},
    {kPupil, "type = \"text(20)\"", "type = \"text(30)\"", true, true, "放宽为 text(30)", "SELECT count(*) FROM \"pupil\"", 2},
    {kPupil, "type = \"text(20)\"", "type = \"text(10)\"", false, true, "请核对", "SELECT count(*) FROM \"pupil\"", 2},
    {kMark, "decimal(1)", "decimal(2)", false, true, "随之换算", "SELECT \"score\" FROM \"mark\"", 8750},
    {kMark, "decimal(1)", "decimal(3)", false, true, "随之换算", "SELECT \"score\" FROM \"mark_history\"", 60000},
    {kMark, "type = \"code(XB)\"", "type = \"text(3)\"", false, true, "请核对", "SELECT count(*) FROM \"mark\" WHERE \"sex\" = '1'", 1},
    {kPupil, "[[field]]\nname = \"nick\"\nlabel = { zh = \"别名\", en = \"Nickname\" }\ntype = \"text(60)\"\nlevel = 1\n", "",
     false, true, "去掉字段「nick」", "SELECT count(*) FROM \"pupil\" WHERE \"order\" = 10", 2},
    {kPupil, "sort = \"pinyin\"\n", "", false, true, "去掉拼音排序", "SELECT count(*) FROM \"pupil\"", 2},
    {kMark, "type = \"code(XB)\"\n", "type = \"code(XB)\"\nrequired = true\n", false, true, "改为必填", "SELECT count(*) FROM \"mark\"", 1},
    {"catalog/order.toml", "key = [\"group\"]", "key = [\"group\"]\nclustered = true", false, true, "存放方式", "SELECT \"leader\" FROM \"order\"", 1},
    {kMark, "key = [\"pupil\", \"number\"]", "key = [\"number\", \"pupil\"]", false, true, "key 改变", "SELECT \"id\" FROM \"mark\"", 20},
    {kMark, "clustered = true\n", "", false, true, "存放方式", "SELECT \"id\" FROM \"mark\"", 20},
    {kMark, "decimal(1)", "text(9)", false, false, "请另建字段", nullptr, 0},
    {kMark, "decimal(1)", "int", false, false, "请另建字段", nullptr, 0},
    {kPupil, "ref(order)", "ref(pupil)", false, false, "请另建字段", nullptr, 0},
    // clang-format on
};

// What is told of a store that is held against one newly made from the catalogue.
std::set<std::string> drift_of(const Catalogue& catalogue, db::Connection& there, bool gate = true) {
  const std::unique_ptr<db::Connection> made = db::scratch();
  if (gate) made->script("CREATE TABLE gate (id BIGINT PRIMARY KEY, epoch BIGINT NOT NULL)");
  EXPECT_TRUE(apply_schema(catalogue, *made, true));
  std::set<std::string> told;
  for (const Text& each : db::differences(db::structure_of(*made), db::structure_of(there))) {
    EXPECT_FALSE(each.zh.empty());
    told.insert(each.en);
  }
  return told;
}

// Each change on a store of its own: told rightly, refused when only safe ones may happen, applied, rows kept.
class OneChange {
 public:
  OneChange(db::Dialect dialect, const Change& change)
      : store_(dialect), change_(change), after_(loaded(changed(change.file, change.from, change.to))) {}

  void run() {
    auto writer = store_.store().writer();
    ASSERT_TRUE(apply_schema(loaded(kBefore), *writer, true));
    writer->script(kRows);
    const auto changes = schema_changes(after_, *writer);
    ASSERT_FALSE(changes.empty());
    bool told = false, safe = true, possible = true;
    for (const SchemaChange& each : changes) {
      told = told || each.text.zh.find(change_.zh) != std::string::npos;
      EXPECT_FALSE(each.text.en.empty());
      safe = safe && each.safe;
      possible = possible && each.possible;
    }
    EXPECT_TRUE(told) << changes.front().text.zh;
    EXPECT_EQ(safe, change_.safe);
    EXPECT_EQ(possible, change_.possible);
    if (!safe) refused(*writer, true);
    if (!possible) return refused(*writer, false);
    const auto done = apply_schema(after_, *writer, false);
    ASSERT_TRUE(done) << done.refusal().type << " " << done.refusal().detail.en;
    kept(*writer);
  }

 private:
  void refused(db::Connection& writer, bool only_safe) {
    const std::string digest = stored_digest(writer);
    const auto done = apply_schema(after_, writer, only_safe);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.refusal().type, change_.possible ? "schema.unsafe" : "schema.impossible");
    EXPECT_FALSE(done.refusal().fields.empty());
    EXPECT_EQ(stored_digest(writer), digest);
  }

  void kept(db::Connection& writer) {
    EXPECT_TRUE(schema_changes(after_, writer).empty());
    EXPECT_EQ(stored_digest(writer), after_.digest);
    EXPECT_EQ(drift_of(after_, writer, false), std::set<std::string>{}) << "as if it had always been so";
    {
      db::Rows rows = writer.query(change_.query);
      ASSERT_TRUE(rows.next());
      EXPECT_EQ(rows.integer(0), change_.result);
    }
    // References still hold, in both directions.
    EXPECT_THROW(writer.execute(R"(DELETE FROM "pupil" WHERE "id" = 1)"), db::Error);
    EXPECT_THROW(writer.execute(R"(UPDATE "pupil" SET "order" = 99 WHERE "id" = 1)"), db::Error);
    EXPECT_THROW(writer.execute(R"(UPDATE "mark" SET "pupil" = 99)"), db::Error);
  }

  static constexpr const char* kRows = R"(
      BEGIN;
      INSERT INTO "order" ("id", "group", "leader", "batch_id", "since_us") VALUES (10, 'A', 1, 7, 5);
      INSERT INTO "pupil" ("id", "person_id", "number", "name", "nick", "order", "batch_id", "since_us")
        VALUES (1, 100, 'P1', '张三', '三', 10, 7, 5), (2, 101, 'P2', '李四', NULL, 10, 7, 5);
      INSERT INTO "mark" ("id", "pupil", "number", "score", "sex", "batch_id", "since_us") VALUES (20, 1, 1, 875, '1', 7, 5);
      INSERT INTO "mark_history" ("id", "pupil", "number", "score", "sex", "batch_id", "since_us", "until_us", "ended_batch_id")
        VALUES (20, 1, 1, 600, '1', 6, 4, 5, 7);
      COMMIT;)";

  tests::TestStore store_;
  const Change& change_;
  const Catalogue after_;
};

TEST(Schema, ChangesOfTheCatalogue) {
  for (const db::Dialect dialect : {db::Dialect::sqlite, db::Dialect::postgres}) {
    if (!tests::TestStore::available(dialect)) continue;
    for (const Change& change : kChanges) {
      SCOPED_TRACE(std::string(dialect == db::Dialect::sqlite ? "sqlite: " : "postgres: ") + change.from + " -> " +
                   change.to);
      OneChange(dialect, change).run();
    }
  }
}

TEST_P(SchemaTest, RowsThatDoNotFitRefuseTheChangeAndNothingHappens) {
  apply(loaded(kBefore));
  fill();
  const Files required = changed(kPupil, "name = \"nick\"", "required = true\nname = \"nick\"");
  const std::string digest = stored_digest(*store().writer());
  {
    auto writer = store().writer();
    const auto done = apply_schema(loaded(required), *writer, false);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.refusal().type, "schema.data");
  }
  EXPECT_EQ(stored_digest(*store().writer()), digest);
  EXPECT_EQ(number("SELECT count(*) FROM \"pupil\""), 2);
  EXPECT_EQ(number("SELECT epoch FROM gate"), 2);
}

TEST_P(SchemaTest, ADatasetThatGoesTakesItsTablesAlong) {
  apply(loaded(kBefore));
  Files files = kBefore;
  files.erase("catalog/mark.toml");
  const Catalogue after = loaded(files);
  const auto changes = schema_changes(after, *store().writer());
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_FALSE(changes[0].safe);
  apply(after, false);
  auto writer = store().writer();
  EXPECT_THROW(writer->query("SELECT * FROM \"mark\"").next(), db::Error);
}

TEST_P(SchemaTest, TheDeliveredCatalogueMakesItsTables) {
  auto result = load(JW_SOURCE_DIR);
  ASSERT_TRUE(std::holds_alternative<Catalogue>(result));
  const Catalogue& catalogue = std::get<Catalogue>(result);
  apply(catalogue);
  for (const Dataset& dataset : catalogue.datasets) {
    if (dataset.by_kernel) continue;
    EXPECT_EQ(number("SELECT count(*) FROM " + table_name(dataset)), 0) << dataset.name;
  }
  EXPECT_EQ(table_name(*catalogue.find("access_log")), "\"record\".\"access_log\"");
}

TEST_P(SchemaTest, WhatActsBehindAStatementIsTold) {
  const Catalogue catalogue = loaded(kBefore);
  apply(catalogue);
  const auto writer = store().writer();
  const bool sqlite = GetParam() == db::Dialect::sqlite;
  const auto drift = [&] { return drift_of(catalogue, *writer); };
  const auto at = [](const std::string& table, const std::string& what) {
    return std::set<std::string>{"at the table '" + table + "' there is a " + what + " which this system did not make"};
  };
  writer->script(sqlite ? "CREATE TRIGGER still BEFORE UPDATE OF epoch ON gate BEGIN SELECT RAISE(IGNORE); END"
                        : "CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; "
                          "CREATE TRIGGER still BEFORE UPDATE ON gate FOR EACH ROW EXECUTE FUNCTION nothing()");
  writer->execute("UPDATE gate SET epoch = 77");
  EXPECT_FALSE(writer->query("SELECT id FROM gate WHERE epoch = 77").next());
  EXPECT_EQ(drift(), at("gate", "trigger 'still'"));
  writer->script(sqlite ? "DROP TRIGGER still" : "DROP TRIGGER still ON gate");
  EXPECT_EQ(drift(), std::set<std::string>{});
  writer->script("ALTER TABLE \"mark\" RENAME TO hidden; CREATE VIEW \"mark\" AS SELECT * FROM hidden");
  std::set<std::string> told = at("mark", "view 'mark'");
  told.insert("the table 'mark' is missing");
  if (sqlite) told.insert("there is a table 'hidden' too many");
  EXPECT_EQ(drift(), told);
  writer->script("DROP VIEW \"mark\"; ALTER TABLE hidden RENAME TO \"mark\"");
  EXPECT_EQ(drift(), std::set<std::string>{});
  if (sqlite) return;
  writer->script("CREATE RULE still AS ON UPDATE TO gate DO INSTEAD NOTHING");
  EXPECT_EQ(drift(), at("gate", "rule 'still'"));
  writer->script("DROP RULE still ON gate; CREATE POLICY hiding ON gate USING (id = 2)");
  EXPECT_EQ(drift(), at("gate", "policy 'hiding'"));
}

TEST_P(SchemaTest, IndexesAndKeysAreLookedAtLikeTables) {
  const Catalogue catalogue = loaded(kBefore);
  apply(catalogue);
  const auto writer = store().writer();
  const std::string index = [&] {
    const std::unique_ptr<db::Connection> made = db::scratch();
    EXPECT_TRUE(apply_schema(catalogue, *made, true));
    for (const auto& [name, each] : db::structure_of(*made).indexes) {
      if (each.on == "pupil: name") return name;
    }
    return std::string();
  }();
  ASSERT_FALSE(index.empty());
  const auto drift = [&] { return drift_of(catalogue, *writer); };
  writer->script("DROP INDEX " + index);
  EXPECT_EQ(drift(), std::set<std::string>{"the index '" + index + "' is missing"});
  for (const char* other : {"(\"name\") WHERE \"name\" <> 'x'", "(\"nick\")"}) {
    writer->script("CREATE INDEX " + index + " ON \"pupil\" " + other);
    EXPECT_EQ(drift(), std::set<std::string>{"the index '" + index + "' is not as it was made"}) << other;
    writer->script("DROP INDEX " + index);
  }
  writer->script("CREATE UNIQUE INDEX " + index + " ON \"pupil\" (\"name\")");
  EXPECT_EQ(drift(), std::set<std::string>{"the index '" + index + "' is not as it was made"});
}

// By the kernel's tables and the record's, which are no datasets.
TEST_P(SchemaTest, AGeneratedColumnThatSaysSomethingElseIsTold) {
  constexpr const char* kMade =
      "CREATE TABLE seen (id BIGINT PRIMARY KEY, kind BIGINT, who BIGINT, of BIGINT GENERATED "
      "ALWAYS AS (CASE kind WHEN 0 THEN who END) STORED, low BIGINT GENERATED ALWAYS AS (id & "
      "65535) STORED)";
  const std::unique_ptr<db::Connection> made = db::scratch();
  made->script(kMade);
  const auto there = store().writer();
  there->script(kMade);
  there->script("DROP TABLE gate");
  EXPECT_TRUE(db::differences(db::structure_of(*made), db::structure_of(*there)).empty());
  std::string other = kMade;
  other.replace(other.find("WHEN 0"), 6, "WHEN 7");
  there->script("DROP TABLE seen; " + other);
  const std::vector<Text> told = db::differences(db::structure_of(*made), db::structure_of(*there));
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told.front().en, "the table 'seen' has its column 'of' as bigint = CASEkindWHEN7THENwhoEND");
}

TEST_P(SchemaTest, TablesAlteredByHandAreTold) {
  const Catalogue catalogue = loaded(kBefore);
  apply(catalogue);
  const auto writer = store().writer();
  const auto drift = [&] { return drift_of(catalogue, *writer); };
  EXPECT_EQ(drift(), std::set<std::string>{});
  writer->script("ALTER TABLE \"pupil\" DROP COLUMN \"nick\"");
  writer->script("ALTER TABLE \"mark\" ADD COLUMN by_hand INT");
  writer->script("ALTER TABLE \"order_history\" DROP COLUMN \"until_us\"");
  EXPECT_EQ(drift(), (std::set<std::string>{"the table 'pupil' lacks the column 'nick'",
                                            "the table 'mark' has a column 'by_hand' too many",
                                            "the table 'order_history' lacks the column 'until_us'"}));
  writer->script("ALTER TABLE \"pupil\" ADD COLUMN \"nick\" INT; ALTER TABLE \"mark\" DROP COLUMN by_hand");
  writer->script("DROP TABLE \"order_history\"");
  EXPECT_EQ(drift(), (std::set<std::string>{std::string("the table 'pupil' has its column 'nick' as ") +
                                                (GetParam() == db::Dialect::sqlite ? "INT" : "integer"),
                                            "the table 'order_history' is missing"}));
}

TEST(Schema, ClusteredTablesKeepTheOrderOfTheirKey) {
  const Catalogue catalogue = loaded(kBefore);
  const std::string sqlite = create_statements(catalogue, *catalogue.find("mark"), db::Dialect::sqlite).front();
  EXPECT_NE(sqlite.find("PRIMARY KEY (\"pupil\", \"number\"), UNIQUE (\"id\")"), std::string::npos) << sqlite;
  EXPECT_TRUE(sqlite.ends_with("WITHOUT ROWID")) << sqlite;
  const std::string postgres = create_statements(catalogue, *catalogue.find("mark"), db::Dialect::postgres).front();
  EXPECT_NE(postgres.find("\"id\" BIGINT PRIMARY KEY"), std::string::npos) << postgres;
  EXPECT_NE(postgres.find("UNIQUE (\"pupil\", \"number\")"), std::string::npos) << postgres;
}

TEST(Schema, WhatSelfAndSubjectGoThroughIsIndexedUnlessTheKeyDoes) {
  const Catalogue catalogue = loaded(kBefore);
  const auto all = [&](const char* name) {
    std::string out;
    for (const std::string& sql : create_statements(catalogue, *catalogue.find(name), db::Dialect::sqlite))
      out += sql + "\n";
    return out;
  };
  EXPECT_EQ(all("mark").find("ON \"mark\""), std::string::npos) << "pupil is the first column of the key";
  EXPECT_NE(all("pupil").find("ON \"pupil\" (\"person_id\")"), std::string::npos);
  EXPECT_NE(all("pupil").find("ON \"pupil\" (\"name_sort\")"), std::string::npos);
  EXPECT_NE(all("mark").find("ON \"mark_history\" (\"id\")"), std::string::npos);
}

}  // namespace
}  // namespace jw::catalog
