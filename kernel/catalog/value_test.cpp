// Values in and out, weeks, masks.
#include <gtest/gtest.h>

#include <rapidcheck.h>

#include <boost/json/parse.hpp>

#include "base/json.hpp"
#include "base/text.hpp"
#include "kernel/catalog/condition.hpp"

namespace jw::catalog {
namespace {

Catalogue codes() {
  Catalogue catalogue;
  CodeSet set;
  set.name = "XB";
  set.label = {"性别", "Sex"};
  set.codes = {Code{"1", {"男性", "male"}, false, "", "", ""}, Code{"2", {"女性", "female"}, false, "", "", ""},
               Code{"8", {"其他", "other"}, true, "", "", ""}, Code{"9", {"其他", "other"}, true, "", "", ""}};
  catalogue.code_sets.push_back(set);
  return catalogue;
}

Field field(Type type, int size = 0) {
  Field made;
  made.name = "f";
  made.label = {"字段", "Field"};
  made.type = type;
  made.size = size;
  if (type == Type::code) made.code_set = 0;
  return made;
}

// Parsed and written as JSON, or "! code" of the problem.
std::string through(const Field& of, std::string_view text) {
  const auto value = parse_value(codes(), of, text);
  if (!value) return "! " + value.refusal().fields.at(0).code;
  std::string out;
  append_json(out, of, *value);
  return out;
}

struct Row {
  Type type;
  int size;
  const char *text, *result;
};

TEST(Value, Table) {
  const Row rows[] = {
      {Type::text, 4, "  张三\t", "\"张三\""},
      {Type::text, 4, "ＡＢ１２", "\"AB12\""},
      {Type::text, 4, "欧阳娜娜", "\"欧阳娜娜\""},
      {Type::text, 4, "欧阳娜娜娜", "! length"},
      {Type::text, 4, "", "null"},
      {Type::text, 4, " 　 ", "null"},
      {Type::text, 4, "a\x01", "! encoding"},
      {Type::text, 4, "\xff\xfe", "! encoding"},
      {Type::text, 4, "\xed\xa0\x80", "! encoding"},
      {Type::integer, 0, "42", "42"},
      {Type::integer, 0, "４２", "42"},
      {Type::integer, 0, "-7", "-7"},
      {Type::integer, 0, "+7", "7"},
      {Type::integer, 0, "3.0", "3"},
      {Type::integer, 0, "3.5", "! type"},
      {Type::integer, 0, "1e3", "! type"},
      {Type::integer, 0, "0x10", "! type"},
      {Type::integer, 0, "9223372036854775807", "9223372036854775807"},
      {Type::integer, 0, "9223372036854775808", "! type"},
      {Type::integer, 0, "--1", "! type"},
      {Type::decimal, 1, "87.5", "87.5"},
      {Type::decimal, 1, "87", "87.0"},
      {Type::decimal, 1, "87.50", "87.5"},
      {Type::decimal, 1, "87.55", "! type"},
      {Type::decimal, 2, "-0.05", "-0.05"},
      {Type::decimal, 2, ".5", "! type"},
      {Type::decimal, 2, "5.", "! type"},
      {Type::decimal, 2, "1,000.00", "! type"},
      {Type::decimal, 2, "92233720368547758.08", "! type"},
      {Type::date, 0, "2025-09-01", "\"2025-09-01\""},
      {Type::date, 0, "20250901", "\"2025-09-01\""},
      {Type::date, 0, "2025/9/1", "\"2025-09-01\""},
      {Type::date, 0, "2025年9月1日", "\"2025-09-01\""},
      {Type::date, 0, "2024-02-29", "\"2024-02-29\""},
      {Type::date, 0, "2025-02-29", "! type"},
      {Type::date, 0, "25-02-01", "! type"},
      {Type::date, 0, "2025-13-01", "! type"},
      {Type::timestamp, 0, "2025-09-01T08:00:00+08:00", "\"2025-09-01T08:00:00+08:00\""},
      {Type::timestamp, 0, "2025-09-01T00:00:00Z", "\"2025-09-01T08:00:00+08:00\""},
      {Type::timestamp, 0, "2025-09-01 08:00", "\"2025-09-01T08:00:00+08:00\""},
      {Type::timestamp, 0, "2025-09-01 08:00:59", "\"2025-09-01T08:00:59+08:00\""},
      {Type::timestamp, 0, "2025-09-01 24:00", "! type"},
      {Type::timestamp, 0, "2025-09-01", "! type"},
      {Type::boolean, 0, "是", "true"},
      {Type::boolean, 0, "NO", "false"},
      {Type::boolean, 0, "1", "true"},
      {Type::boolean, 0, "maybe", "! type"},
      {Type::weeks, 0, "1-8周,10,12", "\"1-8,10,12\""},
      {Type::weeks, 0, "61", "! type"},
      {Type::code, 0, "1", "\"1\""},
      {Type::code, 0, "男性", "\"1\""},
      {Type::code, 0, "female", "\"2\""},
      {Type::code, 0, "3", "! code_unknown"},
      {Type::code, 0, "其他", "! code_ambiguous"},
      {Type::ref, 0, " 2023010001 ", "\"2023010001\""},
      {Type::weeks, 0, "2 4", "\"2,4\""},
      {Type::weeks, 0, " １-８周（双） ", "\"2,4,6,8\""},
      {Type::weeks, 0, "2(4)", "! type"},
      {Type::weeks, 0, "2²", "! type"},
      {Type::integer, 0, "２", "2"},
      {Type::integer, 0, "2²", "! type"},
      {Type::decimal, 1, "３．５", "3.5"},
      {Type::decimal, 1, "3.00", "3.0"},
  };
  for (const Row& row : rows)
    EXPECT_EQ(through(field(row.type, row.size), row.text), row.result) << type_name(row.type) << " " << row.text;
}

TEST(Value, RequiredRangeAndPattern) {
  Field score = field(Type::decimal, 1);
  score.required = true;
  score.min = 0;
  score.max = 1000;
  EXPECT_EQ(through(score, ""), "! required");
  EXPECT_EQ(through(score, "100"), "100.0");
  EXPECT_EQ(through(score, "100.1"), "! range");
  EXPECT_EQ(through(score, "-0.1"), "! range");
  Field born = field(Type::date);
  born.min = Date::parse("1900-01-01")->days;
  EXPECT_EQ(through(born, "1899-12-31"), "! range");
  EXPECT_EQ(through(born, "1900-01-01"), "\"1900-01-01\"");
  born.weekday = 1;
  EXPECT_EQ(through(born, "2025-09-08"), "\"2025-09-08\"");
  EXPECT_EQ(through(born, "2025-09-07"), "! weekday");
  Field code = field(Type::text, 8);
  code.pattern = "[一-龥]{2}[A-Z]?";
  EXPECT_EQ(through(code, "计机A"), "\"计机A\"");
  EXPECT_EQ(through(code, "计机"), "\"计机\"");
  EXPECT_EQ(through(code, "计机AB"), "! pattern");
  EXPECT_EQ(through(code, "计"), "! pattern");
}

TEST(Value, ARefusalSaysWhatWouldBeRightInBothLanguagesAndNotWhatWasGiven) {
  Field score = field(Type::decimal, 1);
  score.label = {"成绩", "Score"};
  score.example = "87.5";
  const auto refused = parse_value(codes(), score, "secret");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.refusal().code, jw::Code::unprocessable);
  EXPECT_EQ(refused.refusal().type, "value.invalid");
  EXPECT_EQ(refused.refusal().fields[0].field, "f");
  EXPECT_EQ(refused.refusal().detail.zh, "「成绩」应为最多 1 位小数的数，例如 87.5");
  EXPECT_EQ(refused.refusal().detail.en, "Score must be a number with at most 1 decimal places, e.g. 87.5");
}

// What a condition may compare with is not bound by what the field may hold.
TEST(Value, LiteralIsBoundByKindOnly) {
  Field score = field(Type::decimal, 1);
  score.max = 1000;
  EXPECT_EQ(std::get<int64_t>(*parse_literal(codes(), score, "101")), 1010);
  Field text = field(Type::text, 2);
  text.pattern = "[0-9]+";
  EXPECT_EQ(std::get<std::string>(*parse_literal(codes(), text, "abc")), "abc");
}

TEST(Value, JsonNumbersAreTakenExactly) {
  const auto through_json = [](const Field& of, const char* json) {
    const auto value = parse_json_value(codes(), of, boost::json::parse(json));
    if (!value) return "! " + value.refusal().fields.at(0).code;
    std::string out;
    append_json(out, of, *value);
    return out;
  };
  const Field score = field(Type::decimal, 1);
  EXPECT_EQ(through_json(score, "60"), "60.0");
  EXPECT_EQ(through_json(score, "60.5"), "60.5");
  EXPECT_EQ(through_json(score, "\"60.5\""), "60.5");
  EXPECT_EQ(through_json(score, "60.55"), "! type");
  EXPECT_EQ(through_json(score, "6.05e1"), "60.5");
  EXPECT_EQ(through_json(score, "1e300"), "! type");
  EXPECT_EQ(through_json(score, "18446744073709551615"), "! type");
  EXPECT_EQ(through_json(score, "true"), "! type");
  EXPECT_EQ(through_json(score, "[60]"), "! type");
  EXPECT_EQ(through_json(score, "null"), "null");
  EXPECT_EQ(through_json(field(Type::decimal, 2), "0.07"), "0.07");
  EXPECT_EQ(through_json(field(Type::boolean), "true"), "true");
  EXPECT_EQ(through_json(field(Type::boolean), "1"), "! type");
  EXPECT_EQ(through_json(field(Type::text, 9), "12"), "! type");
  EXPECT_EQ(through_json(field(Type::integer), "7.0"), "7");
}

TEST(Value, PrintsForPeople) {
  const Catalogue catalogue = codes();
  EXPECT_EQ(print_value(catalogue, field(Type::code), std::string("1"), true), "男性");
  EXPECT_EQ(print_value(catalogue, field(Type::code), std::string("1"), false), "male");
  EXPECT_EQ(print_value(catalogue, field(Type::code), std::string("7"), true), "7")
      << "a code that is not in the set is shown as it is";
  EXPECT_EQ(print_value(catalogue, field(Type::boolean), int64_t{0}, true), "否");
  EXPECT_EQ(print_value(catalogue, field(Type::decimal, 2), int64_t{-5}, true), "-0.05");
  EXPECT_EQ(print_value(catalogue, field(Type::timestamp), Instant::parse("2025-09-01T00:00:00Z")->us, false),
            "2025-09-01 08:00:00");
  EXPECT_EQ(print_value(catalogue, field(Type::text), Value{}, true), "");
}

TEST(ValueProperty, WhatIsPrintedIsUnderstood) {
  const Catalogue catalogue = codes();
  EXPECT_TRUE(rc::check("integers and decimals", [&](int64_t number) {
    for (int places = 0; places <= 6; ++places) {
      const Field of = field(places == 0 ? Type::integer : Type::decimal, places);
      const std::string text = print_value(catalogue, of, number, true);
      RC_ASSERT(std::get<int64_t>(parse_value(catalogue, of, text).value()) == number);
    }
  }));
  EXPECT_TRUE(rc::check("dates", [&] {
    const Field of = field(Type::date);
    const std::string date = Date{*rc::gen::inRange<int32_t>(-300'000, 2'000'000)}.print();
    RC_ASSERT(std::get<std::string>(parse_value(catalogue, of, date).value()) == date);
  }));
  EXPECT_TRUE(rc::check("instants of whole seconds", [&] {
    const Field of = field(Type::timestamp);
    const int64_t us = *rc::gen::inRange<int64_t>(-2'000'000'000, 4'000'000'000) * kSecond;
    RC_ASSERT(std::get<int64_t>(parse_value(catalogue, of, print_value(catalogue, of, us, true)).value()) == us);
  }));
}

TEST(ValueProperty, DecimalsThroughJsonDoublesNeverLoseAPlace) {
  const Catalogue catalogue = codes();
  EXPECT_TRUE(rc::check("what fits into a double", [&] {
    const int places = *rc::gen::inRange(1, 5);
    const int64_t number = *rc::gen::inRange<int64_t>(-1'000'000'000'000, 1'000'000'000'000);
    std::string json;
    append_decimal(json, number, places);
    RC_ASSERT(std::get<int64_t>(
                  parse_json_value(catalogue, field(Type::decimal, places), boost::json::parse(json)).value()) ==
              number);
  }));
}

TEST(ValueProperty, NoTextMakesTheParserFail) {
  const Catalogue catalogue = codes();
  EXPECT_TRUE(rc::check("any bytes", [&](const std::string& bytes) {
    for (const Type type : {Type::text, Type::integer, Type::decimal, Type::date, Type::timestamp, Type::boolean,
                            Type::weeks, Type::code, Type::ref}) {
      const Field of = field(type, 3);
      const auto value = parse_value(catalogue, of, bytes);
      if (!value) continue;
      std::string out;
      append_json(out, of, *value);
      boost::json::parse(out);
    }
  }));
}

struct MaskRow {
  Mask mask;
  const char *text, *masked;
};

// standards: masks by code point; names, identity numbers, phones, mail, dates.
TEST(Mask, Vectors) {
  using Kind = Mask::Kind;
  const MaskRow rows[] = {
      {{Kind::surname, 0}, "张三", "张*"},
      {{Kind::surname, 0}, "欧阳娜娜", "欧***"},
      {{Kind::surname, 0}, "张", "*"},
      {{Kind::surname, 0}, "𠮷田", "𠮷*"},
      {{Kind::id_number, 0}, "11010519491231002X", "**************002X"},
      {{Kind::id_number, 0}, "002X", "****"},
      {{Kind::phone, 0}, "13812345678", "138****5678"},
      {{Kind::phone, 0}, "010-62751234", "010-******34"},
      {{Kind::phone, 0}, "62751234", "******34"},
      {{Kind::phone, 0}, "138-12345678", "138-******78"},
      {{Kind::phone, 0}, "1381234567-8", "**********-8"},
      {{Kind::phone, 0}, "12", "**"},
      {{Kind::email, 0}, "zhang@example.edu", "z***@example.edu"},
      {{Kind::email, 0}, "z@example.edu", "***@example.edu"},
      {{Kind::email, 0}, "zhang", "***"},
      {{Kind::email, 0}, "@x", "***"},
      {{Kind::year, 0}, "2007-03-04", "2007-**-**"},
      {{Kind::keep_last, 4}, "6222021234567890", "************7890"},
      {{Kind::keep_last, 4}, "7890", "****"},
      {{Kind::keep_first, 2}, "北京市海淀区", "北京****"},
      {{Kind::keep_first, 2}, "北京", "**"},
      {{Kind::keep_first, 2}, "", ""},
  };
  for (const MaskRow& row : rows) {
    Field of = field(Type::text, 100);
    of.mask = row.mask;
    EXPECT_EQ(std::get<std::string>(apply_mask(of, std::string(row.text))), row.masked) << row.text;
  }
}

TEST(Mask, NoneShowsNothingAndNumbersFallIntoBuckets) {
  Field of = field(Type::decimal, 1);
  EXPECT_EQ(apply_mask(of, int64_t{875}), Value{});
  of.mask = Mask{Mask::Kind::bucket, 100};
  EXPECT_EQ(apply_mask(of, int64_t{875}), Value{int64_t{800}});
  EXPECT_EQ(apply_mask(of, int64_t{800}), Value{int64_t{800}});
  EXPECT_EQ(apply_mask(of, int64_t{-1}), Value{int64_t{-100}});
  EXPECT_EQ(apply_mask(of, Value{}), Value{});
  EXPECT_EQ(apply_mask(of, std::numeric_limits<int64_t>::min()), Value{std::numeric_limits<int64_t>::min()});
}

TEST(MaskProperty, AMaskedTextKeepsItsLengthAndHidesSomething) {
  EXPECT_TRUE(rc::check([] {
    const std::string text = *rc::gen::container<std::string>(rc::gen::inRange('a', 'z'));
    RC_PRE(!text.empty());
    for (const Mask mask : {Mask{Mask::Kind::surname, 0}, Mask{Mask::Kind::id_number, 0},
                            Mask{Mask::Kind::keep_first, 3}, Mask{Mask::Kind::keep_last, 2}}) {
      Field of = field(Type::text, 1000);
      of.mask = mask;
      const auto masked = std::get<std::string>(apply_mask(of, text));
      RC_ASSERT(masked.size() == text.size());
      RC_ASSERT(masked.find('*') != std::string::npos);
    }
  }));
}

}  // namespace
}  // namespace jw::catalog
