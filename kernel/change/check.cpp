// Checks of one row (§4.2.3): the same for the keystroke, the imported file and the nightly audit of stored data.
#include <mutex>
#include <regex>
#include <shared_mutex>

#include "base/text.hpp"
#include "kernel/change/api.hpp"

namespace jw::change {

using catalog::Condition;
using catalog::Dataset;
using catalog::Field;
using catalog::Op;
using catalog::Type;

namespace {

enum class Truth : int8_t { no = -1, unknown = 0, yes = 1 };

Truth negate(Truth t) {
  return static_cast<Truth>(-static_cast<int>(t));
}
Truth truth(bool b) {
  return b ? Truth::yes : Truth::no;
}

bool is_null(const Value& value) {
  return std::holds_alternative<std::monostate>(value);
}

Truth compare(Op op, const Value& a, const Value& b) {
  if (is_null(a) || is_null(b) || a.index() != b.index()) return Truth::unknown;
  switch (op) {
    case Op::eq:
      return truth(a == b);
    case Op::ne:
      return truth(a != b);
    case Op::lt:
      return truth(a < b);
    case Op::le:
      return truth(a <= b);
    case Op::gt:
      return truth(a > b);
    case Op::ge:
      return truth(a >= b);
    default:
      return Truth::unknown;
  }
}

Truth evaluate_leaf(const Condition& leaf, std::span<const Value> row) {
  const auto field = static_cast<size_t>(leaf.field);
  if (leaf.field < 0 || field >= row.size()) return Truth::unknown;  // lookups are not part of the row
  const Value& x = row[field];
  if (leaf.op == Op::is_null) return truth(is_null(x) == (leaf.values.empty() || leaf.values[0] == Value{int64_t{1}}));
  if (leaf.source == Condition::Source::other_field) {
    const auto other = static_cast<size_t>(leaf.other);
    return leaf.other < 0 || other >= row.size() ? Truth::unknown : compare(leaf.op, x, row[other]);
  }
  if (leaf.source != Condition::Source::literal || is_null(x)) return Truth::unknown;
  const auto* text = std::get_if<std::string>(&x);
  switch (leaf.op) {
    case Op::between: {
      const Truth low = compare(Op::ge, x, leaf.values.at(0)), high = compare(Op::le, x, leaf.values.at(1));
      return std::min(low, high);
    }
    case Op::in: {
      for (const Value& value : leaf.values) {
        if (compare(Op::eq, x, value) == Truth::yes) return Truth::yes;
      }
      return Truth::no;
    }
    case Op::contains:
      return text == nullptr ? Truth::unknown
                             : truth(text->find(std::get<std::string>(leaf.values.at(0))) != std::string::npos);
    case Op::starts:
      return text == nullptr ? Truth::unknown : truth(text->starts_with(std::get<std::string>(leaf.values.at(0))));
    default:
      return compare(leaf.op, x, leaf.values.at(0));
  }
}

Truth evaluate(const Condition& condition, std::span<const Value> row) {
  switch (condition.kind) {
    case Condition::Kind::leaf:
      return evaluate_leaf(condition, row);
    case Condition::Kind::negation:
      return negate(evaluate(condition.parts.front(), row));
    case Condition::Kind::all: {
      Truth t = Truth::yes;
      for (const Condition& part : condition.parts) t = std::min(t, evaluate(part, row));
      return t;
    }
    case Condition::Kind::any: {
      Truth t = Truth::no;
      for (const Condition& part : condition.parts) t = std::max(t, evaluate(part, row));
      return t;
    }
  }
  return Truth::unknown;
}

bool matches(const std::string& pattern, const std::string& text) {
  static std::shared_mutex mutex;
  static std::unordered_map<std::string, std::regex> compiled;
  {
    const std::shared_lock lock(mutex);
    const auto known = compiled.find(pattern);
    if (known != compiled.end()) return std::regex_match(text, known->second);
  }
  const std::unique_lock lock(mutex);
  return std::regex_match(
      text, compiled.try_emplace(pattern, pattern, std::regex::ECMAScript | std::regex::optimize).first->second);
}

std::optional<FieldProblem> check_range(const catalog::Catalogue& catalogue, const Field& field, int64_t number) {
  if ((!field.min || number >= *field.min) && (!field.max || number <= *field.max)) return std::nullopt;
  const auto edge = [&](const std::optional<int64_t>& value) {
    if (!value) return std::string();
    if (field.type == Type::date) return Date{static_cast<int32_t>(*value)}.print();
    return catalog::print_value(catalogue, field, *value, true);
  };
  const std::string low = edge(field.min), high = edge(field.max);
  return FieldProblem{field.name,
                      "out_of_range",
                      {"“" + field.label.zh + "”应在 " + low + " 至 " + high + " 之间",
                       field.label.en + " must lie between " + low + " and " + high}};
}

std::optional<FieldProblem> check_field(const catalog::Catalogue& catalogue, const Field& field, const Value& value) {
  if (is_null(value)) {
    if (!field.required) return std::nullopt;
    return FieldProblem{field.name, "required", {"“" + field.label.zh + "”必填", field.label.en + " is required"}};
  }
  const auto* text = std::get_if<std::string>(&value);
  const auto* number = std::get_if<int64_t>(&value);
  const bool is_text = field.type == Type::text || field.type == Type::code || field.type == Type::date;
  if (is_text != (text != nullptr)) {
    return FieldProblem{
        field.name, "wrong_kind", {"“" + field.label.zh + "”的类型不对", field.label.en + " is of the wrong kind"}};
  }
  if (number != nullptr) return check_range(catalogue, field, *number);
  if (field.type == Type::date) {
    const auto date = Date::parse(*text);
    if (!date)
      return FieldProblem{
          field.name,
          "not_a_date",
          {"“" + field.label.zh + "”应为日期，如 2025-09-01", field.label.en + " must be a date such as 2025-09-01"}};
    if (auto wrong = catalog::wrong_weekday(field, *date))
      return FieldProblem{
          field.name, "weekday", {"“" + field.label.zh + "”" + wrong->zh, field.label.en + " " + wrong->en}};
    return check_range(catalogue, field, date->days);
  }
  if (field.type == Type::code) {
    const catalog::CodeSet& set = catalogue.code_sets[static_cast<size_t>(field.code_set)];
    if (set.find(*text) != nullptr) return std::nullopt;
    return FieldProblem{
        field.name,
        "code_unknown",
        {"“" + *text + "”不在代码表“" + set.label.zh + "”中", "“" + *text + "” is not a code of " + set.label.en}};
  }
  if (field.size > 0 && code_points(*text) > static_cast<size_t>(field.size)) {
    const std::string most = std::to_string(field.size);
    return FieldProblem{
        field.name,
        "too_long",
        {"“" + field.label.zh + "”至多 " + most + " 个字", field.label.en + " has at most " + most + " characters"}};
  }
  if (!field.pattern.empty() && !matches(field.pattern, *text)) {
    return FieldProblem{field.name,
                        "pattern",
                        {"“" + field.label.zh + "”的格式不对，例如：" + field.example,
                         field.label.en + " has the wrong form; for example " + field.example}};
  }
  return std::nullopt;
}

}  // namespace

std::vector<FieldProblem> check_row(const catalog::Catalogue& catalogue, const Dataset& dataset,
                                    std::span<const Value> values) {
  std::vector<FieldProblem> problems;
  for (size_t i = 0; i < values.size(); ++i) {
    if (auto problem = check_field(catalogue, dataset.fields[i], values[i])) problems.push_back(std::move(*problem));
  }
  if (!problems.empty()) return problems;
  for (const catalog::Check& check : dataset.checks) {
    if (evaluate(check.must, values) == Truth::no) problems.push_back({"", "check", check.text});
  }
  return problems;
}

}  // namespace jw::change
