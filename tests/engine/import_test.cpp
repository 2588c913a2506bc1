// The import of a real term: everything arrives, and a second run changes nothing.
#include "modules/zfsoft/api.hpp"
#include "tests/engine/campus.hpp"

namespace jw::tests {
namespace {

constexpr std::string_view kRow =
    R"({"jxb_id":"A1","jxbmc":"(2025-2026-1)-CS1-01","kch":"CS1","kcmc":"数据结构","xnm":"2025","xqm":"3","kkbm_id":"03300","kkxy":"计算机学院",
"xf":"3.0","rwzxs":48,"jsxx":"张三, 李四","zjs":"张三","jszc":"张三","xqj":1,"jc":51,"zcd":255,"cdbh":"R1","cdmc":"教一楼101","cdjc":51,"jxbrs":72})";

zfsoft::Imported import_into(Campus& campus, std::string_view text) {
  const auto found = zfsoft::read_export(text);
  EXPECT_TRUE(found);
  const auto writer = campus.system().store->writer();
  db::Transaction transaction(*writer, db::Transaction::Mode::write);
  const change::Head head{"import", "test", "test.json", "", change::Operator{"test"}};
  change::Batch batch(*campus.system().catalogue, *writer, head, campus.system().clock->now());
  zfsoft::Imported imported = zfsoft::load(*found, batch);
  batch.finish(nullptr);
  transaction.commit();
  return imported;
}

class Import : public ::testing::TestWithParam<db::Dialect> {
 protected:
  void SetUp() override {
    if (!TestStore::available(GetParam())) GTEST_SKIP() << "no PostgreSQL: JIAOWU_TEST_PG is not set";
  }
};

TEST_P(Import, a_second_run_changes_nothing) {
  Campus campus(GetParam());
  const std::string text = "[" + std::string(kRow) + "]";
  const zfsoft::Imported first = import_into(campus, text), second = import_into(campus, text);
  EXPECT_EQ(first.rows, 1);
  EXPECT_EQ(first.sections, 1);
  EXPECT_EQ(first.teachers, 2);
  EXPECT_EQ(first.problems.size(), second.problems.size());
  EXPECT_EQ(second.counts.added + second.counts.replaced, 0);
  const auto reader = campus.system().store->private_reader();
  // Periods 1-2 and 5-6 are two meetings.
  db::Rows rows = reader->query("SELECT CAST(COUNT(*) AS BIGINT) FROM \"meeting\"");
  ASSERT_TRUE(rows.next());
  EXPECT_EQ(rows.integer(0), 2);
  db::Rows kept = reader->query("SELECT CAST(COUNT(*) AS BIGINT) FROM batch_row");
  ASSERT_TRUE(kept.next());
  EXPECT_EQ(kept.integer(0), 2);
}

TEST_P(Import, the_real_term_arrives_whole) {
  const char* given = std::getenv("JIAOWU_REAL_DATA");  // NOLINT(concurrency-mt-unsafe): nobody sets it
  const std::filesystem::path file =
      given != nullptr ? given : std::filesystem::path(JW_SOURCE_DIR) / "../shared/data/sections-2025-2026-1.json";
  if (!std::filesystem::exists(file)) GTEST_SKIP() << "no real export here; name one with JIAOWU_REAL_DATA";
  std::ifstream in(file, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  Campus campus(GetParam());
  const zfsoft::Imported first = import_into(campus, text), second = import_into(campus, text);
  EXPECT_EQ(first.rows, 3336);
  EXPECT_EQ(first.sections, 2431);
  EXPECT_EQ(first.courses, 1551);
  EXPECT_EQ(first.meetings, 3336);
  EXPECT_EQ(second.counts.added + second.counts.replaced, 0);
  EXPECT_EQ(first.problems.size(), second.problems.size());
}

INSTANTIATE_TEST_SUITE_P(Stores, Import, ::testing::Values(db::Dialect::sqlite, db::Dialect::postgres),
                         [](const auto& instance) {
                           return instance.param == db::Dialect::sqlite ? "sqlite" : "postgres";
                         });

}  // namespace
}  // namespace jw::tests
