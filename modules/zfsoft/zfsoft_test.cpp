#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "modules/zfsoft/api.hpp"

namespace jw::zfsoft {
namespace {

// A row of the shape of the real export; `change` replaces or adds members.
std::string row(const std::string& change = "") {
  return R"({"jxb_id":"A1","jxbmc":"(2025-2026-1)-CS1-01","kch":"CS1","kch_id":"CS1","kcmc":"数据结构","xnm":"2025","xqm":"3","kkbm_id":"03300","kkxy":"计算机学院",
    "xf":"3.0","rwzxs":48,"jsxx":"张三, 李四","zjs":"张三","jszc":"张三","xqj":1,"jc":3,"skjc":"1-2节","zcd":255,"qsjsz":"1-8周","sksj":"星期一第1-2节{1-8周}")" +
         change + "}";
}

std::string fields_of(const Export& found) {
  std::string out;
  for (const Problem& problem : found.problems)
    out += (out.empty() ? "" : " ") + std::to_string(problem.row) + ":" + problem.field;
  return out;
}

TEST(Zfsoft, a_good_row_is_understood_whole) {
  const auto found = read_export("[" + row() + "]");
  ASSERT_TRUE(found);
  EXPECT_EQ(fields_of(*found), "");
  ASSERT_EQ(found->meetings.size(), 1u);
  const Meeting& m = found->meetings[0];
  EXPECT_EQ(m.term, "2025-2026-1");
  EXPECT_EQ(m.credits, 30);
  EXPECT_EQ(m.teachers, (std::vector<std::string>{"张三", "李四"}));
  EXPECT_EQ(m.weeks, 255);
  EXPECT_EQ(m.periods, (std::vector<std::pair<int, int>>{{1, 2}}));
}

TEST(Zfsoft, what_is_wrong_is_named_row_by_row) {
  const auto found = read_export("[" + row(R"(,"xf":"3.25")") + "," + row(R"(,"xqj":9)") + "," + row(R"(,"zcd":15)") +
                                 ",7," + row(R"(,"xqm":"4")") + "," + row(R"(,"jc":5)") + "]");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->sources.size(), 6u);
  EXPECT_EQ(fields_of(*found), "1:xf 2:xqj 3:qsjsz 4: 5:xqm 6:skjc 6:jc");
  EXPECT_EQ(found->meetings.size(), 3u);
}

TEST(Zfsoft, keys_that_nothing_uses_are_counted) {
  const auto found = read_export("[" + row(R"(,"bz":"x")") + "," + row(R"(,"bz":"y","new":1)") + "]");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->unmapped, (std::map<std::string, int64_t>{{"bz", 2}, {"new", 1}}));
}

TEST(Zfsoft, a_file_that_is_no_export_is_refused) {
  for (const std::string& text : {std::string(), std::string("{"), std::string("{}"), std::string("[1"),
                                  std::string("\xFF[]"), std::string(100'000, '[')}) {
    const auto found = read_export(text);
    ASSERT_FALSE(found) << text;
    EXPECT_EQ(found.refusal().type, "import.not_an_export");
  }
}

// The real export of a whole term stands beside the project where there is one; it is not ours to publish.
TEST(Zfsoft, the_real_export_of_a_term) {
  const char* given = std::getenv("JIAOWU_REAL_DATA");  // NOLINT(concurrency-mt-unsafe): nobody sets it
  const std::filesystem::path file =
      given != nullptr ? given : std::filesystem::path(JW_SOURCE_DIR) / "../shared/data/sections-2025-2026-1.json";
  if (!std::filesystem::exists(file)) GTEST_SKIP() << "no real export here; name one with JIAOWU_REAL_DATA";
  std::ifstream in(file, std::ios::binary);
  const auto found = read_export(std::string((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>()));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->sources.size(), 3336u);
  EXPECT_EQ(found->meetings.size(), 3336u);
}

}  // namespace
}  // namespace jw::zfsoft
