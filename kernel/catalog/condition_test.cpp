// Conditions: what is understood, what is refused and where, printing back, words.
#include "kernel/catalog/condition.hpp"

#include <gtest/gtest.h>

#include <rapidcheck.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "tests/support/catalogue.hpp"

namespace jw::catalog {
namespace {

const Catalogue& catalogue() {
  static const Catalogue made = tests::loaded(tests::kSmallCatalogue);
  return made;
}

const Dataset& mark() {
  return *catalogue().find("mark");
}

// Printed again, or "path code" of the first problem.
std::string through(const char* text, ConditionUse use = ConditionUse::query) {
  const auto condition = parse_condition(catalogue(), mark(), boost::json::parse(text), use, "where");
  if (!condition) return condition.refusal().fields.at(0).field + " " + condition.refusal().fields.at(0).code;
  return boost::json::serialize(print_condition(catalogue(), mark(), *condition));
}

TEST(Condition, Understood) {
  const std::pair<const char*, const char*> rows[] = {
      {R"({"field":"score","op":"lt","value":60})", R"({"field":"score","op":"lt","value":"60.0"})"},
      {R"({"field":"score","op":"between","value":[60,"70.5"]})",
       R"({"field":"score","op":"between","value":["60.0","70.5"]})"},
      {R"({"field":"kind","op":"eq","value":"正常考试"})", R"({"field":"kind","op":"eq","value":"01"})"},
      {R"({"field":"kind","op":"starts","value":"0"})", R"({"field":"kind","op":"starts","value":"0"})"},
      {R"({"field":"kind","op":"ge","value":"1"})", R"({"field":"kind","op":"ge","value":"1"})"},
      {R"({"field":"term","op":"in","value":[]})", R"({"field":"term","op":"in","value":[]})"},
      {R"({"field":"term","op":"eq","value":"2025-2026-1"})", R"({"field":"term","op":"eq","value":"2025-2026-1"})"},
      {R"({"field":"passed","op":"eq","value":true})", R"({"field":"passed","op":"eq","value":true})"},
      {R"({"field":"released","op":"ge","value":"2025-9-1"})",
       R"({"field":"released","op":"ge","value":"2025-09-01"})"},
      {R"({"field":"weeks","op":"eq","value":"8,1-7"})", R"({"field":"weeks","op":"eq","value":"1-8"})"},
      {R"({"field":"name","op":"contains","value":" ＡＢ "})", R"({"field":"name","op":"contains","value":"AB"})"},
      {R"({"field":"score","op":"is_null"})", R"({"field":"score","op":"is_null","value":true})"},
      {R"({"field":"score","op":"is_null","value":false})", R"({"field":"score","op":"is_null","value":false})"},
      {R"({"all":[]})", R"({"all":[]})"},
      {R"({"not":{"any":[{"field":"count","op":"ne","value":1}]}})",
       R"({"not":{"any":[{"field":"count","op":"ne","value":1}]}})"},
  };
  for (const auto& [text, result] : rows) EXPECT_EQ(through(text), result) << text;
}

TEST(Condition, RefusedWithThePlaceAndTheReason) {
  const std::pair<const char*, const char*> rows[] = {
      {R"(7)", "where type"},
      {R"({})", "where required"},
      {R"({"field":"scor","op":"lt","value":1})", "where.field field_unknown"},
      {R"({"field":"id","op":"eq","value":"1"})", "where.field field_unknown"},
      {R"({"field":3,"op":"lt","value":1})", "where.field type"},
      {R"({"field":"score","value":1})", "where required"},
      {R"({"field":"score","op":"like","value":1})", "where.op op"},
      {R"({"field":"score","op":"contains","value":"1"})", "where.op op"},
      {R"({"field":"passed","op":"lt","value":true})", "where.op op"},
      {R"({"field":"weeks","op":"ge","value":"1"})", "where.op op"},
      {R"({"field":"score","op":"lt"})", "where required"},
      {R"({"field":"score","op":"lt","value":null})", "where.value null"},
      {R"({"field":"score","op":"lt","value":60.55})", "where.value type"},
      {R"({"field":"score","op":"lt","value":"many"})", "where.value type"},
      {R"({"field":"score","op":"between","value":[1]})", "where.value type"},
      {R"({"field":"score","op":"in","value":5})", "where.value type"},
      {R"({"field":"score","op":"in","value":[5,null]})", "where.value[1] null"},
      {R"({"field":"kind","op":"eq","value":"02"})", "where.value code_unknown"},
      {R"({"field":"released","op":"eq","value":"2025-02-30"})", "where.value type"},
      {R"({"field":"name","op":"eq","value":7})", "where.value type"},
      {R"({"field":"score","op":"lt","value":1,"sql":"x"})", "where.sql unknown"},
      {R"({"all":[{"field":"score","op":"lt","value":1}],"any":[]})", "where.any unknown"},
      {R"({"all":{}})", "where.all type"},
      {R"({"all":[{"any":[{"field":"x","op":"eq","value":1}]}]})", "where.all[0].any[0].field field_unknown"},
      {R"({"not":[]})", "where.not type"},
      {R"({"field":"pupil","is":"me"})", "where.is unknown"},
      {R"({"field":"released","op":"ge","today":true})", "where.today unknown"},
      {R"({"field":"score","op":"ge","other":"limit"})", "where.other unknown"},
  };
  for (const auto& [text, result] : rows) EXPECT_EQ(through(text), result) << text;
}

TEST(Condition, OnlyTheRegulationKnowsMeTodayAndRelations) {
  for (const char* text :
       {R"({"field":"pupil","is":"me"})", R"({"field":"pupil","in_relation":"self"})",
        R"({"field":"term","in_relation":"terms"})", R"({"field":"released","op":"ge","today":true})",
        R"({"field":"released","op":"lt","today_minus_years":"years"})"}) {
    EXPECT_EQ(through(text, ConditionUse::regulation), text);
    EXPECT_EQ(through(text, ConditionUse::query).substr(0, 6), "where.") << text;
    EXPECT_EQ(through(text, ConditionUse::check).substr(0, 6), "where.") << text;
  }
  EXPECT_EQ(through(R"({"field":"term","is":"me"})", ConditionUse::regulation), "where.field type");
  EXPECT_EQ(through(R"({"field":"id","is":"me"})", ConditionUse::regulation), "where.field type")
      << "a mark is not a person";
  EXPECT_EQ(through(R"({"field":"pupil","in_relation":"terms"})", ConditionUse::regulation), "where.field type");
  EXPECT_EQ(through(R"({"field":"term","in_relation":"trems"})", ConditionUse::regulation),
            "where.in_relation relation_unknown");
  EXPECT_EQ(through(R"({"field":"score","op":"ge","today":true})", ConditionUse::regulation), "where.field type");
  EXPECT_EQ(through(R"({"field":"released","op":"in","today":true})", ConditionUse::regulation), "where.op op");
}

TEST(Condition, OnlyChecksCompareTwoFields) {
  const char* text = R"({"field":"score","op":"ge","other":"limit"})";
  EXPECT_EQ(through(text, ConditionUse::check), text);
  EXPECT_EQ(through(R"({"field":"score","op":"ge","other":"count"})", ConditionUse::check), "where.other type");
  EXPECT_EQ(through(R"({"field":"score","op":"ge","other":"limt"})", ConditionUse::check), "where.other field_unknown");
}

TEST(Condition, HasLimits) {
  const std::string leaf = R"({"field":"count","op":"eq","value":1})";
  const auto many = [&](size_t n) {
    std::string text = R"({"all":[)";
    for (size_t i = 0; i < n; ++i) text += (i == 0 ? "" : ",") + leaf;
    return text + "]}";
  };
  EXPECT_EQ(through(many(kLeavesMax).c_str()), many(kLeavesMax));
  EXPECT_EQ(through(many(kLeavesMax + 1).c_str()), "where.all[64] too_many");
  const auto deep = [&](int n) {
    std::string text = leaf;
    for (int i = 1; i < n; ++i) text = R"({"not":)" + text + "}";
    return text;
  };
  EXPECT_EQ(through(deep(kDepthMax).c_str()), deep(kDepthMax));
  EXPECT_TRUE(through(deep(kDepthMax + 1).c_str()).ends_with(" too_deep"));
  std::string set = "1";
  for (size_t i = 1; i <= kSetMax; ++i) set += ",1";
  EXPECT_EQ(through((R"({"field":"count","op":"in","value":[)" + set + "]}").c_str()), "where.value too_many");
  const std::string longer(401, 'x');
  EXPECT_EQ(through((R"({"field":"name","op":"eq","value":")" + longer + "\"}").c_str()), "where.value length");
}

TEST(Condition, InWords) {
  const auto words = [](const char* text, ConditionUse use = ConditionUse::query) {
    const auto condition = parse_condition(catalogue(), mark(), boost::json::parse(text), use, "where");
    return describe_condition(catalogue(), mark(), *condition, [](std::string_view) { return std::string("2"); });
  };
  EXPECT_EQ(
      words(R"({"all":[{"field":"term","op":"eq","value":"2025-2026-1"},{"field":"score","op":"lt","value":60}]})").zh,
      "学期 等于 2025-2026-1 且 成绩 小于 60.0");
  EXPECT_EQ(
      words(R"({"all":[{"field":"term","op":"eq","value":"2025-2026-1"},{"field":"score","op":"lt","value":60}]})").en,
      "term equals 2025-2026-1 and score is less than 60.0");
  EXPECT_EQ(
      words(
          R"({"all":[{"field":"count","op":"eq","value":1},{"any":[{"field":"kind","op":"eq","value":"11"},{"field":"passed","op":"eq","value":false}]}]})")
          .zh,
      "次数 等于 1 且 （考试性质 等于 补考一 或 是否通过 等于 否）");
  EXPECT_EQ(words(R"({"field":"released","op":"ge","value":"2025-09-01"})").zh, "公布日期 不早于 2025-09-01");
  EXPECT_EQ(words(R"({"field":"term","op":"in","value":["a","b"]})").zh, "学期 为 a、b 之一");
  EXPECT_EQ(words(R"({"field":"term","op":"in","value":["a","b"]})").en, "term is a or b");
  EXPECT_EQ(words(R"({"field":"term","op":"in","value":["a","b","c","d","e","f"]})").zh,
            "学期 为 a、b、c、d、e 等 6 项 之一");
  EXPECT_EQ(words(R"({"field":"score","op":"is_null","value":false})").en, "score is not empty");
  EXPECT_EQ(words(R"({"not":{"field":"name","op":"contains","value":"张"}})").zh, "并非（姓名 包含 张）");
  EXPECT_EQ(words(R"({"all":[]})").zh, "全部");
  EXPECT_EQ(words(R"({"field":"pupil","is":"me"})", ConditionUse::regulation).zh, "学号 是本人");
  EXPECT_EQ(words(R"({"field":"term","in_relation":"terms"})", ConditionUse::regulation).zh, "学期 属于本人的学期");
  EXPECT_EQ(words(R"({"field":"released","op":"ge","today_minus_years":"years"})", ConditionUse::regulation).zh,
            "公布日期 不早于 2 年前的今天");
  EXPECT_EQ(words(R"({"field":"score","op":"ge","other":"limit"})", ConditionUse::check).en, "score is at least limit");
}

// A condition made at random out of what each field allows.
Condition random_condition(int depth) {
  Condition made;
  const int kind = depth == 0 ? 3 : *rc::gen::inRange(0, 4);
  made.kind = static_cast<Condition::Kind>(kind);
  if (made.kind != Condition::Kind::leaf) {
    const int parts = made.kind == Condition::Kind::negation ? 1 : *rc::gen::inRange(0, 3);
    for (int i = 0; i < parts; ++i) made.parts.push_back(random_condition(depth - 1));
    return made;
  }
  made.field = *rc::gen::inRange(0, static_cast<int>(mark().fields.size()));
  const Field& of = mark().fields[static_cast<size_t>(made.field)];
  made.op = *rc::gen::elementOf(ops_of(of));
  const auto value = [&]() -> Value {
    if (of.type == Type::code) return *rc::gen::elementOf(std::vector<std::string>{"01", "11"});
    if (of.type == Type::date) return Date{*rc::gen::inRange<int32_t>(0, 30'000)}.print();
    if (of.type == Type::timestamp) return *rc::gen::inRange<int64_t>(0, 4'000'000'000) * 1'000'000;
    if (of.type == Type::weeks) return *rc::gen::inRange<int64_t>(1, int64_t{1} << 60);
    if (of.type == Type::boolean) return *rc::gen::inRange<int64_t>(0, 2);
    if (of.type == Type::text || of.type == Type::ref)
      return *rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::inRange('a', 'z')));
    return *rc::gen::arbitrary<int64_t>();
  };
  size_t count = made.op == Op::between ? 2 : made.op == Op::in ? *rc::gen::inRange<size_t>(0, 4) : 1;
  if (made.op == Op::is_null) {
    made.values.emplace_back(*rc::gen::inRange<int64_t>(0, 2));
    count = 0;
  }
  for (size_t i = 0; i < count; ++i) made.values.push_back(value());
  return made;
}

TEST(ConditionProperty, PrintedAndReadAgainIsTheSame) {
  EXPECT_TRUE(rc::check([] {
    const Condition made = random_condition(3);
    const auto json = boost::json::parse(boost::json::serialize(print_condition(catalogue(), mark(), made)));
    const auto again = parse_condition(catalogue(), mark(), json, ConditionUse::query, "where");
    RC_ASSERT(static_cast<bool>(again));
    RC_ASSERT(*again == made);
    const Text words = describe_condition(catalogue(), mark(), made);
    RC_ASSERT(!words.zh.empty() && !words.en.empty());
  }));
}

}  // namespace
}  // namespace jw::catalog
