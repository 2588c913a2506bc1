#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.hpp"
#include "base/text.hpp"
#include "base/time.hpp"

namespace jw {
namespace {

TEST(Time, DatesAreRealDates) {
  EXPECT_EQ(Date::parse("2024-02-29")->print(), "2024-02-29");
  EXPECT_FALSE(Date::parse("2025-02-29"));
  EXPECT_FALSE(Date::parse("2025-2-9"));
  EXPECT_FALSE(Date::parse("20250209"));
  EXPECT_EQ(Date::parse("2024-02-29")->plus_years(1).print(), "2025-02-28");
  EXPECT_EQ(Date::parse("2026-11-23")->weekday(), 1u);
}

TEST(Time, InstantsFollowRfc3339) {
  EXPECT_EQ(Instant::parse("2026-11-23T00:00:00Z")->print(), "2026-11-23T08:00:00+08:00");
  EXPECT_EQ(Instant::parse("1969-12-31T15:59:59.5Z")->print(), "1969-12-31T23:59:59.500000+08:00");
  EXPECT_EQ(Instant::parse("2026-11-23T08:00:00+08:00")->us, Instant::parse("2026-11-23T00:00:00Z")->us);
  EXPECT_EQ(Instant::parse("2026-11-23T23:30:00Z")->date().print(), "2026-11-24");
  EXPECT_EQ(Instant::at_start_of(*Date::parse("2026-11-23")).print(), "2026-11-23T00:00:00+08:00");
  EXPECT_FALSE(Instant{INT64_MAX}.print().empty()) << "without end";
  EXPECT_FALSE(Instant::parse("2026-11-23T25:00:00Z"));
  EXPECT_FALSE(Instant::parse("2026-11-23T08:00:00"));
}

TEST(Json, WritesEveryKind) {
  std::string out;
  JsonWriter(out)
      .object()
      .field("a", "x\"\\\n\x01")
      .field("b", int64_t{-7})
      .key("c")
      .array()
      .decimal(875, 1)
      .decimal(-5, 2)
      .null()
      .value(true)
      .end_array()
      .end_object();
  EXPECT_EQ(out, R"({"a":"x\"\\\n\u0001","b":-7,"c":[87.5,-0.05,null,true]})");
}

TEST(Text, Utf8IsChecked) {
  EXPECT_TRUE(is_valid_utf8("教务𠮷"));
  EXPECT_FALSE(is_valid_utf8("\xC0\x80"));
  EXPECT_FALSE(is_valid_utf8("\xED\xA0\x80"));
  EXPECT_FALSE(is_valid_utf8(std::string_view("a\0b", 3)));
  EXPECT_EQ(code_points("欧阳娜娜"), 4u);
  EXPECT_EQ(utf32("a阳𠮷"), U"a阳𠮷");
  EXPECT_EQ(utf8(U"a阳𠮷"), "a阳𠮷");
  EXPECT_EQ(nfkc("１２ＡＢ"), "12AB");
  EXPECT_EQ(trim(" 　教务　\n"), "教务");
}

TEST(Text, NamesSortByPinyin) {
  EXPECT_EQ(pinyin_key("张三"), "ZHANG SAN 张三");
  EXPECT_EQ(pinyin_key("单雄信"), "SHAN XIONG XIN 单雄信");
  EXPECT_LT(pinyin_key("陈一"), pinyin_key("王一"));
}

}  // namespace
}  // namespace jw
