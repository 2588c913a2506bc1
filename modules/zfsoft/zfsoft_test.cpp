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

// "1:xf!" = something of row 1 is lost; without the mark it is told only.
std::string fields_of(const Export& found) {
  std::string out;
  for (const Problem& problem : found.problems)
    out += (out.empty() ? "" : " ") + std::to_string(problem.row) + ":" + problem.field + (problem.lost ? "!" : "");
  return out;
}

// "00123 张三[教授]; 李四", and what is not clear behind a bar.
std::string people(std::string_view text) {
  const Teachers list = read_teachers(text);
  std::string out;
  for (const Teacher& each : list.named) {
    out += (out.empty() ? "" : "; ") + each.number + (each.number.empty() || each.name.empty() ? "" : " ") + each.name;
    if (!each.title.empty()) out += "[" + each.title + "]";
  }
  for (const std::string& item : list.unclear) out += "|" + item;
  return out;
}

struct ListCase {
  const char *text, *people;
};
constexpr ListCase kLists[] = {
    // separators
    {"张三", "张三"},
    {"张三,李四", "张三; 李四"},
    {"张三, 李四", "张三; 李四"},
    {"张三，李四", "张三; 李四"},
    {"张三、李四", "张三; 李四"},
    {"张三;李四", "张三; 李四"},
    {"张三；李四", "张三; 李四"},
    {"张三/李四", "张三; 李四"},
    {"张三|李四", "张三; 李四"},
    {"张三\n李四", "张三; 李四"},
    {"张三\r\n李四", "张三; 李四"},
    {"张三,,李四,", "张三; 李四"},
    {" 张三 ， 李四 ", "张三; 李四"},
    {"张三 / 李四 / 王五", "张三; 李四; 王五"},
    {"和一明、及第", "和一明; 及第"},
    // blanks
    {"张三 李四", "张三; 李四"},
    {"冯燕 岑海景 祝静", "冯燕; 岑海景; 祝静"},
    {"张　三", "张三"},
    {"张 三", "张三"},
    {"张 三丰", "张三丰"},
    {"欧阳 娜娜", "欧阳娜娜"},
    {"诸葛 亮", "诸葛亮"},
    {"张 三 李 四", "|张 三 李 四"},
    {"欧阳 娜娜 张三", "|欧阳 娜娜 张三"},
    {"John Smith", "John Smith"},
    {"John Smith, 李四", "John Smith; 李四"},
    {"John 李四", "|John 李四"},
    {"O'Brien", "O'Brien"},
    {"Jean-Paul Müller", "Jean-Paul Müller"},
    {"A. Smith", "A. Smith"},
    {"阿卜杜拉·买买提", "阿卜杜拉·买买提"},
    {"阿卜杜拉•买买提,阿卜杜拉・买买提", "阿卜杜拉·买买提"},
    {"阿卜杜拉·买买提 王五", "阿卜杜拉·买买提; 王五"},
    // numbers before and behind
    {"00123/张三", "00123 张三"},
    {"00123/张三/教授", "00123 张三[教授]"},
    {"00123/张三/教授;00456/李四/讲师", "00123 张三[教授]; 00456 李四[讲师]"},
    {"00123/张三/00456/李四", "00123 张三; 00456 李四"},
    {"张三/00123/李四/00456", "00123 张三; 00456 李四"},
    {"张三(00123)", "00123 张三"},
    {"张三（00123）", "00123 张三"},
    {"张三[00123]", "00123 张三"},
    {"张三(00123), 李四(00456)", "00123 张三; 00456 李四"},
    {"丁(08154), 喻(12209)", "08154 丁; 12209 喻"},
    {"(00123)张三", "00123 张三"},
    {"00123(张三)", "00123 张三"},
    {"00123张三", "00123 张三"},
    {"张三00123", "00123 张三"},
    {"00123 张三", "00123 张三"},
    {"张三 00123", "00123 张三"},
    {"张三 00123 李四 00456", "00123 张三; 00456 李四"},
    {"T03301/张三", "T03301 张三"},
    {"00123", "00123"},
    {"00123,00456", "00123; 00456"},
    {"00123/00456/张三", "|00123/00456/张三"},
    {"张三(00123)(00456)", "|张三(00123)(00456)"},
    // titles
    {"张三[副教授]", "张三[副教授]"},
    {"张三(教授)", "张三[教授]"},
    {"张三【讲师】", "张三[讲师]"},
    {"张三 教授", "张三[教授]"},
    {"张三/教授", "张三[教授]"},
    {"张三副教授", "张三[副教授]"},
    {"张三老师、李四老师", "张三[老师]; 李四[老师]"},
    {"张三(00123，教授)", "00123 张三[教授]"},
    {"张三(主讲),李四(辅讲)", "张三[主讲]; 李四[辅讲]"},
    {"张三(1-8周),李四(9-16周)", "张三; 李四"},
    {"教授", "|教授"},
    {"王教授", "王教授"},
    // namesakes told apart by the school
    {"张伟(大),张伟(小)", "张伟(大); 张伟(小)"},
    {"张伟(女)", "张伟(女)"},
    {"张伟1,张伟2", "张伟1; 张伟2"},
    {"教师甲00,教师甲01", "教师甲00; 教师甲01"},
    {"张伟(00123),张伟(00456)", "00123 张伟; 00456 张伟"},
    {"张三,张三", "张三"},
    {"张三(00123),00123/张三/教授", "00123 张三"},
    // nobody
    {"", ""},
    {" ", ""},
    {"未定", ""},
    {"待定", ""},
    {"无", ""},
    {"空", ""},
    {"暂无", ""},
    {"TBA", ""},
    {"tbd", ""},
    {"N/A", ""},
    {"-", ""},
    {"——", ""},
    {"/", ""},
    {"?", ""},
    {"0", ""},
    {"教师", ""},
    {"待定教师", ""},
    {"教师待定", ""},
    {"任课教师未定", ""},
    {"待定1、待定2", ""},
    {"[待定]", ""},
    {"未定(00000)", ""},
    {"张三,待定", "张三"},
    {"张三(待定)", "张三"},
    // no place in the grammar
    {"张三+李四", "|张三+李四"},
    {"张三&李四", "|张三&李四"},
    {"张三-李四", "|张三-李四"},
    {"张三.李四", "|张三.李四"},
    {"张三(00123", "|张三(00123"},
    {"12", "|12"},
    {"(大)", "|(大)"},
    {"张三,!!!", "张三|!!!"},
};

TEST(Teachers, lists_as_they_are_written) {
  static_assert(std::size(kLists) >= 60);
  for (const auto& [text, expected] : kLists) EXPECT_EQ(people(text), expected) << text;
}

TEST(Teachers, a_list_of_nobody_says_so_and_who_is_twice_in_it_is_told) {
  EXPECT_FALSE(read_teachers("").said);
  EXPECT_TRUE(read_teachers("未定").said);
  EXPECT_EQ(read_teachers("张三,李四,张三").twice, std::vector<std::string>{"张三"});
}

TEST(Cell, tags_entities_and_blanks) {
  struct Case {
    const char *cell, *text;
    size_t told;
  };
  constexpr Case kCases[] = {
      {"数据结构", "数据结构", 0},
      {"C&amp;C++&nbsp;程序设计<br/>", "C&C++ 程序设计", 0},
      {"O&#39;Brien", "O'Brien", 0},
      {"O&#x27;Brien", "O'Brien", 0},
      {"A&lt;B&gt;", "A<B>", 0},
      {"C++ <T>", "C++ <T>", 0},
      {"AT&T; R&D", "AT&T; R&D", 0},
      {"&amp;nbsp;", "&nbsp;", 0},
      {"&#0;&#xD800;&#99999999;", "&#0;&#xD800;&#99999999;", 0},
      {"甲<span class=\"x\">乙</span>", "甲 乙", 0},
      {"高等数学\t（一）", "高等数学 （一）", 0},
      {"　程序　设计　", "程序 设计", 0},
      {"数据\u200b结构", "数据结构", 1},
      {"数据\u202e结构", "数据结构", 1},
      {"\ue863", "\ue863", 1},
      {"甲\n\n乙", "甲 乙", 0},
  };
  for (const auto& [cell, text, told] : kCases) {
    const Cleaned cleaned = cell_text(cell);
    EXPECT_EQ(one_line(cleaned.text), text) << cell;
    EXPECT_EQ(cleaned.told.size(), told) << cell;
  }
}

TEST(Zfsoft, a_good_row_is_understood_whole) {
  const auto found = read_export("[" + row() + "]");
  ASSERT_TRUE(found);
  EXPECT_EQ(fields_of(*found), "");
  EXPECT_TRUE(found->whole);
  ASSERT_EQ(found->meetings.size(), 1u);
  const Meeting& m = found->meetings[0];
  EXPECT_EQ(m.term, "2025-2026-1");
  EXPECT_EQ(m.of_course.at("credits"), catalog::Value{int64_t{30}});
  EXPECT_EQ(m.teachers.named.size(), 2U);
  ASSERT_TRUE(m.time);
  EXPECT_EQ(m.time->weeks, 255);
  EXPECT_EQ(m.time->periods, (std::vector<std::pair<int, int>>{{1, 2}}));
}

TEST(Zfsoft, what_is_wrong_is_named_row_by_row_and_costs_only_itself) {
  const auto found = read_export("[" + row(R"(,"xf":"3.25")") + "," + row(R"(,"xqj":9)") + "," + row(R"(,"zcd":15)") +
                                 ",7," + row(R"(,"xqm":"4")") + "," + row(R"(,"jc":5)") + "," + row(R"(,"jc":0)") +
                                 "," + row(R"(,"jc":0,"skjc":"一二节")") + "," + row(R"(,"jsxx":"张三+李四")") + "," +
                                 row(R"(,"kch":null)") + "]");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->sources.size(), 10u);
  EXPECT_EQ(fields_of(*found), "1:xf! 2:xqj! 3:qsjsz 4:! 5:xqm! 6:skjc 6:jc 7:jc 8:skjc 8:jc! 9:jsxx! 10:kch!");
  EXPECT_EQ(found->meetings.size(), 8u);
  EXPECT_FALSE(found->whole) << "nobody knows whose rows 4 and 5 are";
}

TEST(Zfsoft, a_number_is_read_by_its_value) {
  struct Case {
    const char* text;
    std::optional<int64_t> credits;
  };
  const Case cases[] = {
      {R"("3.0")", 30}, {R"("3.00")", 30},   {R"("3")", 30},     {R"("03.0")", 30},   {"3", 30},       {"3.0", 30},
      {"3.5", 35},      {R"("3.5000")", 35}, {R"(" 3.5 ")", 35}, {R"("３．５")", 35}, {R"("+3")", 30}, {"0.5", 5},
      {"0", 0},         {R"("")", {}},       {"null", {}},       {R"("3.25")", {}},   {"3.25", {}},    {R"("-1")", {}},
      {R"("3,5")", {}}, {R"("三")", {}},     {R"("3分")", {}},   {R"(".5")", {}},     {R"("3.")", {}}, {"1e300", {}},
      {"true", {}},     {R"("3²")", {}}};
  for (const auto& [text, credits] : cases) {
    const auto found = read_export("[" + row(std::string(",\"xf\":") + text) + "]");
    ASSERT_TRUE(found);
    const Facts& facts = found->meetings.at(0).of_course;
    const auto at = facts.find("credits");
    EXPECT_EQ(at == facts.end() ? std::nullopt : std::optional(std::get<int64_t>(at->second)), credits) << text;
    const bool said = std::string_view(text) != "null" && std::string_view(text) != R"("")";
    EXPECT_EQ(fields_of(*found), credits || !said ? "" : "1:xf!") << text;
  }
}

TEST(Zfsoft, keys_that_nothing_uses_are_counted) {
  const auto found = read_export("[" + row(R"(,"bz":"x")") + "," + row(R"(,"bz":"y","new":1)") + "]");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->unmapped, (std::map<std::string, int64_t>{{"bz", 2}, {"new", 1}}));
}

TEST(Zfsoft, a_file_that_is_no_export_is_refused) {
  for (const std::string& text : {std::string(), std::string("{"), std::string("{}"), std::string("[1"),
                                  std::string("\xFF[]"), std::string(R"({"items":7})"), std::string(100'000, '[')}) {
    const auto found = read_export(text);
    ASSERT_FALSE(found) << text;
    EXPECT_EQ(found.refusal().type, "import.not_an_export");
  }
}

TEST(Zfsoft, a_paged_answer_is_read_and_says_whether_it_is_whole) {
  const auto whole = read_export(R"({"currentPage":1,"totalResult":1,"items":[)" + row() + "]}");
  ASSERT_TRUE(whole);
  EXPECT_TRUE(whole->whole);
  EXPECT_EQ(whole->meetings.size(), 1U);
  const auto part = read_export(R"({"currentPage":1,"totalCount":2,"items":[)" + row() + "]}");
  ASSERT_TRUE(part);
  EXPECT_FALSE(part->whole);
  EXPECT_EQ(fields_of(*part), "0:totalresult!");
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
  EXPECT_TRUE(found->whole);
}

}  // namespace
}  // namespace jw::zfsoft
