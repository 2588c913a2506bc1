// Conditions in words, for scopes, forms and letters: natural Chinese and English.
#include "kernel/catalog/condition.hpp"
#include "kernel/catalog/source.hpp"

namespace jw::catalog {
namespace {

constexpr size_t kNamed = 5;  // longer sets are told by the first ones and their number

struct Words {
  const Catalogue& catalogue;
  const Dataset& dataset;
  const SettingWords& setting;

  Text value(const Field& field, const Value& stored) const {
    return Text{print_value(catalogue, field, stored, true), print_value(catalogue, field, stored, false)};
  }
  Text group(const Condition& condition) const;
  Text leaf(const Condition& condition) const;
  Text any_of(const Field& field, const std::vector<Value>& values) const;
  Text literal(const Condition& condition, const Field& field, const Text& name) const;
  Text describe(const Condition& condition) const {
    if (condition.kind == Condition::Kind::leaf) return leaf(condition);
    return group(condition);
  }
};

// "成绩 小于 60"; dates are earlier and later, not less and more.
Text compared(const Text& name, Op op, bool date, const Text& with) {
  struct Phrase {
    Op op;
    const char *zh, *zh_date, *en, *en_date;
  };
  constexpr Phrase kPhrases[] = {
      {Op::eq, "等于", "为", "equals", "is"},
      {Op::ne, "不等于", "不为", "does not equal", "is not"},
      {Op::lt, "小于", "早于", "is less than", "is before"},
      {Op::le, "不大于", "不晚于", "is at most", "is no later than"},
      {Op::gt, "大于", "晚于", "is more than", "is after"},
      {Op::ge, "不小于", "不早于", "is at least", "is no earlier than"},
      {Op::contains, "包含", "包含", "contains", "contains"},
      {Op::starts, "开头是", "开头是", "starts with", "starts with"},
  };
  for (const Phrase& phrase : kPhrases) {
    if (phrase.op != op) continue;
    return Text{name.zh + " " + (date ? phrase.zh_date : phrase.zh) + " " + with.zh,
                name.en + " " + (date ? phrase.en_date : phrase.en) + " " + with.en};
  }
  return name;
}

Text Words::any_of(const Field& field, const std::vector<Value>& values) const {
  Text list;
  for (size_t i = 0; i < values.size() && i < kNamed; ++i) {
    const Text one = value(field, values[i]);
    list.zh += (i == 0 ? "" : "、") + one.zh;
    list.en += (i == 0 ? "" : i + 1 == values.size() ? " or " : ", ") + one.en;
  }
  if (values.size() > kNamed) {
    const std::string count = std::to_string(values.size());
    list.zh += " 等 " + count + " 项";
    list.en += " … (" + count + " in all)";
  }
  return list;
}

Text Words::literal(const Condition& condition, const Field& field, const Text& name) const {
  if (condition.op == Op::is_null) {
    const bool null = std::get<int64_t>(condition.values.at(0)) != 0;
    return null ? Text{name.zh + " 为空", name.en + " is empty"} : Text{name.zh + " 不为空", name.en + " is not empty"};
  }
  if (condition.op == Op::between) {
    const Text low = value(field, condition.values.at(0)), high = value(field, condition.values.at(1));
    return Text{name.zh + " 在 " + low.zh + " 至 " + high.zh + " 之间",
                name.en + " is between " + low.en + " and " + high.en};
  }
  if (condition.op == Op::in) {
    if (condition.values.empty()) return Text{name.zh + " 属于空集", name.en + " is one of none"};
    const Text list = any_of(field, condition.values);
    return Text{name.zh + " 为 " + list.zh + (condition.values.size() > 1 ? " 之一" : ""), name.en + " is " + list.en};
  }
  const bool date = field.type == Type::date || field.type == Type::timestamp;
  return compared(name, condition.op, date, value(field, condition.values.at(0)));
}

Text Words::leaf(const Condition& condition) const {
  const bool row = condition.field == Condition::kRowId;
  const Text name = row ? dataset.label : dataset.fields[static_cast<size_t>(condition.field)].label;
  switch (condition.source) {
    case Condition::Source::me:
      return Text{name.zh + " 是本人", name.en + " is oneself"};
    case Condition::Source::relation: {
      const int index = catalogue.relation(condition.name);
      const Text set =
          index < 0 ? Text{condition.name, condition.name} : catalogue.relations[static_cast<size_t>(index)].label;
      return Text{name.zh + " 属于" + set.zh, name.en + " is among " + set.en};
    }
    case Condition::Source::today:
      return compared(name, condition.op, true, Text{"今天", "today"});
    case Condition::Source::today_minus_years: {
      const std::string years = setting ? setting(condition.name) : condition.name;
      return compared(name, condition.op, true, bilingual("{} 年前的今天", "the day {} years ago", {years}));
    }
    case Condition::Source::other_field:
      return compared(name, condition.op, dataset.fields[static_cast<size_t>(condition.field)].type == Type::date,
                      dataset.fields[static_cast<size_t>(condition.other)].label);
    case Condition::Source::literal:
      return literal(condition, dataset.fields[static_cast<size_t>(condition.field)], name);
  }
  return name;
}

Text Words::group(const Condition& condition) const {
  if (condition.kind == Condition::Kind::negation) {
    const Text inner = describe(condition.parts.at(0));
    return Text{"并非（" + inner.zh + "）", "not (" + inner.en + ")"};
  }
  const bool all = condition.kind == Condition::Kind::all;
  if (condition.parts.empty()) return all ? Text{"全部", "all rows"} : Text{"无", "no rows"};
  Text out;
  for (const Condition& part : condition.parts) {
    Text one = describe(part);
    const bool mixed = part.kind == (all ? Condition::Kind::any : Condition::Kind::all) && part.parts.size() > 1;
    if (mixed && condition.parts.size() > 1) one = Text{"（" + one.zh + "）", "(" + one.en + ")"};
    if (!out.zh.empty()) {
      out.zh += all ? " 且 " : " 或 ";
      out.en += all ? " and " : " or ";
    }
    out.zh += one.zh;
    out.en += one.en;
  }
  return out;
}

}  // namespace

Text describe_condition(const Catalogue& catalogue, const Dataset& dataset, const Condition& condition,
                        const SettingWords& setting) {
  return Words{catalogue, dataset, setting}.describe(condition);
}

}  // namespace jw::catalog
