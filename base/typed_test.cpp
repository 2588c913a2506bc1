#include "base/typed.hpp"

#include <gtest/gtest.h>

#include "base/text.hpp"

namespace jw {
namespace {

std::string told(std::string_view raw,
                 const TypedField& field = {.name = "f", .label = {"栏", "field"}, .lines = true}) {
  const Result<std::string> text = typed_text(raw, field);
  if (text) return "=" + *text;
  const Refusal& refusal = text.refusal();
  EXPECT_EQ(refusal.type, "text.not_accepted");
  EXPECT_EQ(refusal.fields.at(0).field, "f");
  EXPECT_TRUE(refusal.detail.zh.starts_with("栏：") && refusal.detail.en.starts_with("field: ")) << refusal.detail.en;
  return refusal.fields.at(0).code;
}

TEST(TypedText, is_cleaned_of_what_is_harmless_and_refuses_the_rest_by_name) {
  struct Row {
    std::string_view raw, told;
  };
  const Row rows[] = {
      {"核对成绩", "=核对成绩"},
      {"  \t核对 \r\n 成绩\u3000\r\n", "=核对 \n 成绩"},
      {"a\tb", "=a b"},
      {"a\u00A0b\u2009c", "=a b c"},
      {"a\rb\u2028c", "=a\nb\nc"},
      {"\uFEFF有标记的文件", "=有标记的文件"},
      {"e\u0301", "=\u00E9"},                 // composed
      {"葛\U000E0100城", "=葛\U000E0100城"},  // the form of a name
      {"\U0001F468\u200D\U0001F469\u200D\U0001F467", "=\U0001F468\u200D\U0001F469\u200D\U0001F467"},
      {"", "="},
      {"完成 \u202E%001", "direction"},
      {"a\u200Fb", "direction"},
      {"a\u2066b", "direction"},
      {"a\u200Bb", "invisible"},
      {"a\uFEFFb", "invisible"},
      {"a\u200Db", "invisible"},
      {"a\u00ADb", "invisible"},
      {"\u2060\u2060\u2060\u2060\u2060\u2060", "invisible"},
      {"\u3164\u3164", "invisible"},
      {"\u2800\u2800\u2800\u2800\u2800\u2800", "invisible"},
      {"\uFE0Fa", "invisible"},
      {"a\x01", "control"},
      {"a\x1B[0m", "control"},
      {"a\u0085b", "=a\nb"},
      {"a\u009Bb", "control"},
      {"\uE863", "private_use"},
      {"\uFFFF", "unassigned"},
      {"\U000E0FFF", "unassigned"},
      {"\xFF", "not_text"},
      {"\xED\xA0\x80", "not_text"},
      {std::string_view("a\0b", 3), "not_text"},
  };
  for (const Row& row : rows) EXPECT_EQ(told(row.raw), row.told) << row.raw;
  EXPECT_EQ(told("a" + std::string(20 * 2, ' ') + "b"), "=a" + std::string(40, ' ') + "b");
  std::string stacked = "a";
  for (int i = 0; i < 20; ++i) stacked += "\u0338";
  EXPECT_EQ(told(stacked), "stacked");
}

TEST(TypedText, a_refusal_names_character_and_place_in_both_languages) {
  const Result<std::string> text = typed_reason("共完成\u202E%001");
  ASSERT_FALSE(text);
  EXPECT_EQ(text.refusal().detail.zh, "理由：第 4 个字符是改变文字方向的字符（U+202E RIGHT-TO-LEFT OVERRIDE），请删去");
  EXPECT_EQ(text.refusal().detail.en,
            "the reason: character 4 is a character that turns the direction of writing (U+202E RIGHT-TO-LEFT "
            "OVERRIDE); take it out");
  EXPECT_EQ(text.refusal().fields.at(0).field, "reason");
}

TEST(TypedText, length_is_counted_in_characters_that_one_sees) {
  const TypedField field{.name = "f", .label = {"栏", "field"}, .least = 4, .most = 6};
  EXPECT_EQ(told("   　 ", field), "required");
  EXPECT_EQ(told("一 二 三", field), "too_short");
  EXPECT_EQ(told("一二三四", field), "=一二三四");
  EXPECT_EQ(told("一二三四五六七", field), "too_long");
  EXPECT_EQ(told("一二三\n四", field), "line_break");
  EXPECT_EQ(told("葛\U000E0100城\U0001F468\u200D\U0001F469\u200D\U0001F467好了吗", field),
            "=葛\U000E0100城\U0001F468\u200D\U0001F469\u200D\U0001F467好了吗");
  EXPECT_EQ(characters("葛\U000E0100城"), 2U);
  EXPECT_EQ(characters(""), 0U);
}

// What was accepted is accepted again and stays as it is: a text that is read, shown and sent back never changes.
TEST(TypedText, is_stable) {
  uint32_t state = 1;
  const auto next = [&] { return (state = state * 1664525 + 1013904223) >> 8; };
  for (int i = 0; i < 3000; ++i) {
    std::string raw;
    for (uint32_t n = next() % 12; n > 0; --n) {
      const uint32_t ranges[] = {next() % 0x180,          0x300 + next() % 0x70,    0x2000 + next() % 0x70,
                                 0x3000 + next() % 0x100, 0x4E00 + next() % 0x5000, 0xFE00 + next() % 0x200,
                                 0x1F300 + next() % 0x300};
      uint32_t c = ranges[next() % 7];
      if (c < 0x80) {
        raw += static_cast<char>(c);
      } else if (c < 0x800) {
        raw += {static_cast<char>(0xC0 | c >> 6), static_cast<char>(0x80 | (c & 63))};
      } else if (c < 0x10000) {
        raw += {static_cast<char>(0xE0 | c >> 12), static_cast<char>(0x80 | (c >> 6 & 63)),
                static_cast<char>(0x80 | (c & 63))};
      } else {
        raw += {static_cast<char>(0xF0 | c >> 18), static_cast<char>(0x80 | (c >> 12 & 63)),
                static_cast<char>(0x80 | (c >> 6 & 63)), static_cast<char>(0x80 | (c & 63))};
      }
    }
    const TypedField field{.name = "f", .label = {"栏", "field"}, .lines = true};
    const Result<std::string> once = typed_text(raw, field);
    if (!once) continue;
    const Result<std::string> twice = typed_text(*once, field);
    ASSERT_TRUE(twice) << raw;
    EXPECT_EQ(*twice, *once);
    EXPECT_EQ(trim(*once), *once);
    EXPECT_TRUE(is_valid_utf8(*once));
  }
}

TEST(TypedText, of_a_file_is_cleaned_and_what_was_taken_out_is_told) {
  const Cleaned plain = cleaned_text("a\tb\r\nc\u00a0d");
  EXPECT_EQ(plain.text, "a b\nc d");
  EXPECT_TRUE(plain.told.empty());
  const Cleaned marked = cleaned_text("张\u200b三\u202e\x01\ue863");
  EXPECT_EQ(marked.text, "张三\ue863") << "a name without one of its characters is another name";
  ASSERT_EQ(marked.told.size(), 4U);
  EXPECT_EQ(marked.told[0].zh, "第 2 个字符是看不见的字符（U+200B ZERO WIDTH SPACE）");
}

}  // namespace
}  // namespace jw
