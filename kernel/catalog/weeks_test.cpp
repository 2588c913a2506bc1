// Sets of weeks as they are written: what the grammar reads, and what it refuses rather than read less than stands
// there.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "kernel/catalog/api.hpp"

namespace jw::catalog {
namespace {

struct Case {
  const char *text, *weeks;  // "!" = not understood
};

std::string read(std::string_view text, char32_t counted = U'周') {
  const auto weeks = parse_weeks(text, counted);
  return weeks ? print_weeks(*weeks) : "!";
}

constexpr Case kRead[] = {
    // the canonical form and its blanks
    {"1", "1"},
    {"60", "60"},
    {"1-60", "1-60"},
    {"1-8", "1-8"},
    {"1-8,10,12", "1-8,10,12"},
    {"3,2,1", "1-3"},
    {"01-08", "1-8"},
    {" 1 - 8 ", "1-8"},
    {"1- 8", "1-8"},
    {"1 -8", "1-8"},
    {"1, 3 ,5", "1,3,5"},
    {"2-2", "2"},
    {"5,5,5", "5"},
    {"1-4,3-8", "1-8"},
    // 第 and 周
    {"1-8周", "1-8"},
    {"第1-8周", "1-8"},
    {"第1周", "1"},
    {"第3周", "3"},
    {"第 3 周", "3"},
    {"第1周-第8周", "1-8"},
    {"1周-8周", "1-8"},
    {"第1周至第8周", "1-8"},
    {"1-8 周", "1-8"},
    {"第1-2周、4周", "1-2,4"},
    {"1周,3周", "1,3"},
    {"第1周,第3周,第5周", "1,3,5"},
    {"第1,2周", "1-2"},
    {"1周，3周", "1,3"},
    // odd and even weeks
    {"1-16周(双)", "2,4,6,8,10,12,14,16"},
    {"1-7周（单）", "1,3,5,7"},
    {"1-7周(单)", "1,3,5,7"},
    {"1-15单", "1,3,5,7,9,11,13,15"},
    {"1-7单周", "1,3,5,7"},
    {"2-8双周", "2,4,6,8"},
    {"1-7(单周)", "1,3,5,7"},
    {"1-7周(单周)", "1,3,5,7"},
    {"1-7周单周", "1,3,5,7"},
    {"1-7 单", "1,3,5,7"},
    {"1-7周 单周", "1,3,5,7"},
    {"1-7周 (单)", "1,3,5,7"},
    {"1-7周[单]", "1,3,5,7"},
    {"1-7周【单】", "1,3,5,7"},
    {"2-6周{双}", "2,4,6"},
    {"第1-15周|单周", "1,3,5,7,9,11,13,15"},
    {"第1-15周 | 单周", "1,3,5,7,9,11,13,15"},
    {"1-16|双", "2,4,6,8,10,12,14,16"},
    {"单周1-7", "1,3,5,7"},
    {"双周2-8周", "2,4,6,8"},
    {"(单)1-7周", "1,3,5,7"},
    {"双1-4", "2,4"},
    {"3周(单)", "3"},
    {"1-8,10-16双", "1-8,10,12,14,16"},
    {"1-8,双10-16", "1-8,10,12,14,16"},
    {"2-6周(双),12周", "2,4,6,12"},
    {"1周,3周,5-6周(双),7～9周", "1,3,6-9"},
    // several without a separator
    {"2 4", "2,4"},
    {"2　4", "2,4"},
    {"2\t4", "2,4"},
    {"2\n4", "2,4"},
    {"2\u00a04", "2,4"},
    {"2  4  6", "2,4,6"},
    {"2周4周", "2,4"},
    {"2周 4周", "2,4"},
    {"第2周第4周", "2,4"},
    {"第2第4", "2,4"},
    {"1-4 9-16", "1-4,9-16"},
    {"1-4周9-16周", "1-4,9-16"},
    {"1-4周 9-16周", "1-4,9-16"},
    {"第1-4周第9-16周", "1-4,9-16"},
    {"2-4双 10-16双", "2,4,10,12,14,16"},
    {"2-4双10-16双", "2,4,10,12,14,16"},
    {"2-4(双)10-16(双)", "2,4,10,12,14,16"},
    {"2-4周(双) 10-16周(双)", "2,4,10,12,14,16"},
    {"1-3单 8", "1,3,8"},
    {"1 2-4", "1-4"},
    {"1-2 4-5,7", "1-2,4-5,7"},
    {"(1-4) 9", "1-4,9"},
    // dashes
    {"1~8", "1-8"},
    {"1～8", "1-8"},
    {"1–8", "1-8"},
    {"1—8", "1-8"},
    {"1——8", "1-8"},
    {"1\u20108", "1-8"},
    {"1\u20118", "1-8"},
    {"1\u20128", "1-8"},
    {"1\u20158", "1-8"},
    {"1\u22128", "1-8"},
    {"1\u223c8", "1-8"},
    {"1\u301c8", "1-8"},
    {"1－8", "1-8"},
    {"1至8", "1-8"},
    {"1到8", "1-8"},
    {"1到8周", "1-8"},
    {"第1到第8周", "1-8"},
    {"1 至 8 周", "1-8"},
    // separators
    {"1,3", "1,3"},
    {"1，3", "1,3"},
    {"1、3", "1,3"},
    {"1;3", "1,3"},
    {"1；3", "1,3"},
    {"1和3", "1,3"},
    {"1-4周和9-16周", "1-4,9-16"},
    {"1、3及5", "1,3,5"},
    {"1与3", "1,3"},
    // full width, brackets around
    {"１－８周", "1-8"},
    {"１，３", "1,3"},
    {"第１-１５周｜单周", "1,3,5,7,9,11,13,15"},
    {"(1-8)", "1-8"},
    {"（1-8周）", "1-8"},
    {"{1-8周}", "1-8"},
    {"[1-8]", "1-8"},
    {"【第1-8周】", "1-8"},
    {"第(1-8)周", "1-8"},
    {"(1-4,9-16)双", "2,4,10,12,14,16"},
    {"(1-4 9-12)周(单)", "1,3,9,11"},
    {"{2-6周(双),12周}", "2,4,6,12"},
};

constexpr Case kRefused[] = {
    {"", "nothing"},
    {" ", "blanks"},
    {"　", "a wide blank"},
    {"0", "no week 0"},
    {"61", "beyond 60"},
    {"600", "beyond 60"},
    {"99999999999999999999", "beyond every number"},
    {"0-8", "begins with none"},
    {"1-61", "beyond 60"},
    {"5-3", "backwards"},
    {"1-", "no end"},
    {"-1", "no beginning"},
    {"-", "neither"},
    {"1--8", "two dashes"},
    {"1---8", "three"},
    {"1———8", "three of a Chinese keyboard"},
    {"1-2-3", "two runs in one"},
    {"1,,2", "an empty part"},
    {",1", "an empty part"},
    {"1,", "an empty part"},
    {"1、、2", "an empty part"},
    {"单", "odd weeks of what"},
    {"单周", "odd weeks of what"},
    {"双周", "even weeks of what"},
    {"1-8,单周", "odd weeks of what"},
    {"2-2单", "means no week"},
    {"3双", "means no week"},
    {"1-8,2-2单", "a part that means no week"},
    {"4周(单),6周", "a part that means no week"},
    {"1-8单双", "both"},
    {"单1-8双", "both"},
    {"1-8(单)(双)", "both"},
    {"1-8(单双)", "both"},
    {"2(4)", "brackets without a meaning"},
    {"2周(4)", "brackets without a meaning"},
    {"2 (4)", "brackets without a meaning"},
    {"(2)4", "brackets without a meaning"},
    {"(1-4)(9-16)", "brackets without a separator"},
    {"((1-8))", "brackets in brackets"},
    {"(1-8", "not closed"},
    {"1-8)", "not opened"},
    {"(1-8]", "closed by another one"},
    {"1-8(单", "not closed"},
    {"1-8(单]", "closed by another one"},
    {"1-4 双 10-16", "even weeks of which"},
    {"1-4 双10-16", "even weeks of which"},
    {"第", "which"},
    {"周", "which"},
    {"第周", "which"},
    {"1-8周次", "a word that is not known"},
    {"1-8周上", "a word that is not known"},
    {"第1-16周|2节/周", "hours a week"},
    {"1-8|", "nothing behind the bar"},
    {"|单", "nothing before the bar"},
    {"1-8周,全", "a word that is not known"},
    {"a", "a letter"},
    {"1-8o", "a letter"},
    {"1-8e", "a letter"},
    {"1.5", "a decimal"},
    {"1.3.5", "dots"},
    {"1/3", "a fraction or two weeks"},
    {"+1", "a sign"},
    {"2²", "a footnote is no digit"},
    {"②", "nor is a number in a circle"},
    {"Ⅷ", "nor a Roman one"},
    {"八", "nor a word"},
    {"1\u200b3", "an invisible character"},
    {"3-5节", "periods"},
    {"\xff", "no text"},
};

TEST(Weeks, what_is_read) {
  static_assert(std::size(kRead) + std::size(kRefused) >= 160);
  for (const auto& [text, weeks] : kRead) EXPECT_EQ(read(text), weeks) << text;
  EXPECT_EQ(parse_weeks("1-8周"), 255) << "bit 0 is week 1, as in the trade's own files";
}

TEST(Weeks, what_has_no_place_in_it_makes_the_whole_not_understood) {
  for (const auto& [text, why] : kRefused) {
    EXPECT_EQ(read(text), "!") << "«" << text << "»: " << why;
  }
  EXPECT_EQ(read(std::string("1\0", 2)), "!");
  EXPECT_EQ(read(std::string(2000, ' ') + "1"), "!") << "longer than any set of weeks";
}

TEST(Weeks, periods_are_counted_in_the_same_way) {
  const Case rows[] = {
      {"3-4节", "3-4"},   {"9节,12节", "9,12"}, {"11-15节(单)", "11,13,15"}, {"第1-2节,5-6节", "1-2,5-6"},
      {"第1,2节", "1-2"}, {"1-2周", "!"}};
  for (const auto& [text, periods] : rows) EXPECT_EQ(read(text, U'节'), periods) << text;
}

TEST(Weeks, PrintAndParseAreInverse) {
  EXPECT_TRUE(rc::check([] {
    const int64_t weeks = *rc::gen::inRange<int64_t>(1, int64_t{1} << 60);
    RC_ASSERT(parse_weeks(print_weeks(weeks)) == weeks);
  }));
}

TEST(Weeks, NoTextMakesTheReaderFail) {
  EXPECT_TRUE(rc::check("any signs of the grammar", [] {
    const auto signs = *rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(std::vector<std::string>{
        "1", "2", "8", "16", "-", "—", ",", "第", "周", "单", "双", "(", ")", "{", "}", "|", " ", "到", "x", "\xe5"}));
    std::string text;
    for (const auto& sign : signs) text += sign;
    const auto weeks = parse_weeks(text);
    RC_ASSERT(!weeks || (*weeks > 0 && *weeks >> 60 == 0));
  }));
}

}  // namespace
}  // namespace jw::catalog
