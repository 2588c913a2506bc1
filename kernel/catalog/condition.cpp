// Conditions: JSON to tree and back. What a leaf may say is decided by the field's type (ops_of) and by where it
// stands.
#include "kernel/catalog/condition.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "base/json.hpp"
#include "base/text.hpp"
#include "kernel/catalog/source.hpp"

namespace jw::catalog {
namespace json = boost::json;
namespace {

constexpr std::array<std::string_view, 11> kOps = {"eq",      "ne", "lt",       "le",     "gt",     "ge",
                                                   "between", "in", "contains", "starts", "is_null"};
constexpr size_t kLiteralMax = 400;  // code points of a text that a condition compares with

bool is_order(Op op) {
  return op == Op::lt || op == Op::le || op == Op::gt || op == Op::ge;
}

class Parser {
 public:
  Parser(const Catalogue& catalogue, const Dataset& dataset, ConditionUse use)
      : catalogue_(catalogue), dataset_(dataset), use_(use) {}

  Condition parse(const json::value& value, const std::string& path, int depth) {
    const json::object* object = value.if_object();
    if (object == nullptr) {
      wrong(path, "type",
            bilingual("条件应为对象，如 {\"field\": …, \"op\": …, \"value\": …}",
                      "a condition must be an object such as {\"field\": …, \"op\": …, \"value\": …}"));
      return {};
    }
    if (depth > kDepthMax) {
      wrong(path, "too_deep",
            bilingual("条件嵌套最多 {} 层", "conditions may be nested {} deep at most", {std::to_string(kDepthMax)}));
      return {};
    }
    for (const auto& [name, kind] :
         {std::pair{"all", Condition::Kind::all}, {"any", Condition::Kind::any}, {"not", Condition::Kind::negation}}) {
      if (const json::value* parts = object->if_contains(name)) return group(*object, name, kind, *parts, path, depth);
    }
    return leaf(*object, path);
  }

  std::vector<FieldProblem> take() { return std::move(problems_); }

 private:
  void wrong(std::string path, const char* code, Text text) {
    // A few problems help; thousands only fill the answer.
    if (problems_.size() < 100) problems_.push_back(FieldProblem{std::move(path), code, std::move(text)});
  }

  void keys(const json::object& object, std::initializer_list<std::string_view> known, const std::string& path) {
    const std::vector<std::string> names(known.begin(), known.end());
    for (const auto& member : object) {
      const std::string key(member.key());
      if (std::find(names.begin(), names.end(), key) != names.end()) continue;
      const Text near = did_you_mean(key, names);
      wrong(path + "." + key, "unknown",
            Text{"此处不认识「" + key + "」" + near.zh, "unknown key '" + key + "' here" + near.en});
    }
  }

  Condition group(const json::object& object, const std::string& name, Condition::Kind kind, const json::value& parts,
                  const std::string& path, int depth) {
    Condition condition;
    condition.kind = kind;
    keys(object, {name}, path);
    const std::string at = path + "." + name;
    if (kind == Condition::Kind::negation) {
      condition.parts.push_back(parse(parts, at, depth + 1));
      return condition;
    }
    const json::array* array = parts.if_array();
    if (array == nullptr) {
      wrong(at, "type", bilingual("「{}」应为条件的列表", "'{}' must be a list of conditions", {name}));
      return condition;
    }
    for (size_t i = 0; i < array->size() && leaves_ <= kLeavesMax; ++i) {
      condition.parts.push_back(parse((*array)[i], at + "[" + std::to_string(i) + "]", depth + 1));
    }
    return condition;
  }

  std::string text_of(const json::object& object, const char* key, const std::string& path) {
    const json::value* value = object.if_contains(key);
    if (value == nullptr) {
      wrong(path, "required", bilingual("条件中缺少「{}」", "'{}' is missing in the condition", {key}));
      return {};
    }
    if (const json::string* text = value->if_string()) return std::string(*text);
    wrong(path + "." + key, "type", bilingual("「{}」应为文本", "'{}' must be text", {key}));
    return {};
  }

  std::optional<int> field_of(const json::object& object, const std::string& path) {
    const size_t before = problems_.size();
    const std::string name = text_of(object, "field", path);
    if (problems_.size() != before) return std::nullopt;
    if (name == "id" && use_ != ConditionUse::query) return Condition::kRowId;
    const int index = dataset_.field(name);
    if (index >= 0) return index;
    std::vector<std::string> names;
    for (const Field& field : dataset_.fields) names.push_back(field.name);
    const Text near = did_you_mean(name, names);
    wrong(path + ".field", "field_unknown",
          Text{"「" + dataset_.label.zh + "」没有字段「" + name + "」" + near.zh,
               dataset_.label.en + " has no field '" + name + "'" + near.en});
    return std::nullopt;
  }

  Condition leaf(const json::object& object, const std::string& path) {
    Condition condition;
    condition.kind = Condition::Kind::leaf;
    if (++leaves_ == kLeavesMax + 1) {
      wrong(path, "too_many", bilingual("条件最多 {} 项", "at most {} conditions", {std::to_string(kLeavesMax)}));
    }
    if (leaves_ > kLeavesMax) return condition;
    const auto field = field_of(object, path);
    if (!field) return condition;
    condition.field = *field;
    const bool regulation = use_ == ConditionUse::regulation;
    if (regulation && object.contains("is")) {
      me(object, condition, path);
    } else if (regulation && object.contains("in_relation")) {
      in_relation(object, condition, path);
    } else if (*field == Condition::kRowId) {
      wrong(
          path + ".field", "field_unknown",
          bilingual("「id」只能与 is = \"me\" 或 in_relation 同用", "'id' goes only with is = \"me\" or in_relation"));
    } else if (regulation && object.contains("today")) {
      today(object, condition, path);
    } else if (regulation && object.contains("today_minus_years")) {
      today_minus_years(object, condition, path);
    } else if (use_ == ConditionUse::check && object.contains("other")) {
      other(object, condition, path);
    } else {
      literal(object, condition, path);
    }
    return condition;
  }

  const Field& field(const Condition& condition) const { return dataset_.fields[static_cast<size_t>(condition.field)]; }

  // Index of the dataset whose row the leaf's field names; -1 when it names none.
  int row_of(const Condition& condition) const {
    if (condition.field == Condition::kRowId) return dataset_.index;
    return field(condition).type == Type::ref ? field(condition).ref : -1;
  }

  void me(const json::object& object, Condition& condition, const std::string& path) {
    keys(object, {"field", "is"}, path);
    condition.source = Condition::Source::me;
    const size_t before = problems_.size();
    const std::string is = text_of(object, "is", path);
    if (problems_.size() == before && is != "me") {
      wrong(path + ".is", "value", bilingual("「is」只能是 \"me\"", "'is' can only be \"me\""));
    }
    const int row = row_of(condition);
    const bool own_row = condition.field == Condition::kRowId && dataset_.by_kernel;  // it has person_id itself
    if (!own_row && (row < 0 || !catalogue_.datasets[static_cast<size_t>(row)].person)) {
      wrong(path + ".field", "type",
            bilingual("is = \"me\" 须用于指向人员的 ref 字段", "is = \"me\" needs a ref to a dataset of persons"));
    }
  }

  void in_relation(const json::object& object, Condition& condition, const std::string& path) {
    keys(object, {"field", "in_relation"}, path);
    condition.source = Condition::Source::relation;
    condition.op = Op::in;
    const size_t before = problems_.size();
    condition.name = text_of(object, "in_relation", path);
    if (problems_.size() != before) return;
    const int index = catalogue_.relation(condition.name);
    if (index < 0) {
      std::vector<std::string> names;
      for (const Relation& relation : catalogue_.relations) names.push_back(relation.name);
      const Text near = did_you_mean(condition.name, names);
      wrong(path + ".in_relation", "relation_unknown",
            Text{"没有关系「" + condition.name + "」" + near.zh,
                 "there is no relation '" + condition.name + "'" + near.en});
      return;
    }
    const int of = catalogue_.relations[static_cast<size_t>(index)].of;
    const int row = row_of(condition);
    const bool fits = row >= 0 && (of < 0 ? catalogue_.datasets[static_cast<size_t>(row)].person : row == of);
    if (fits) return;
    const std::string wanted = of < 0 ? "person" : catalogue_.datasets[static_cast<size_t>(of)].name;
    wrong(path + ".field", "type",
          bilingual("关系「{}」的成员是「{}」的行，此字段不指向它",
                    "relation '{}' holds rows of '{}', which this field does not point to", {condition.name, wanted}));
  }

  // The operator of a comparison with one value: equality or order, as far as the type allows.
  void comparison(const json::object& object, Condition& condition, const std::string& path) {
    const size_t before = problems_.size();
    const std::string name = text_of(object, "op", path);
    if (problems_.size() != before) return;
    const auto op = op_named(name);
    if (op && (*op == Op::eq || *op == Op::ne || is_order(*op)) && allowed(condition, *op)) {
      condition.op = *op;
      return;
    }
    wrong(path + ".op", "op",
          bilingual("此处可用的比较：eq ne lt le gt ge", "comparisons possible here: eq ne lt le gt ge"));
  }

  bool allowed(const Condition& condition, Op op) const {
    const std::vector<Op> ops = ops_of(field(condition));
    return std::find(ops.begin(), ops.end(), op) != ops.end();
  }

  void must_be_date(const Condition& condition, const std::string& path) {
    if (field(condition).type != Type::date) {
      wrong(path + ".field", "type", bilingual("与今天比较须用日期字段", "only a date can be compared with today"));
    }
  }

  void today(const json::object& object, Condition& condition, const std::string& path) {
    keys(object, {"field", "op", "today"}, path);
    condition.source = Condition::Source::today;
    comparison(object, condition, path);
    must_be_date(condition, path);
    const json::value& value = object.at("today");
    if (!value.is_bool() || !value.get_bool())
      wrong(path + ".today", "value", bilingual("「today」只能是 true", "'today' can only be true"));
  }

  void today_minus_years(const json::object& object, Condition& condition, const std::string& path) {
    keys(object, {"field", "op", "today_minus_years"}, path);
    condition.source = Condition::Source::today_minus_years;
    comparison(object, condition, path);
    must_be_date(condition, path);
    const size_t before = problems_.size();
    condition.name = text_of(object, "today_minus_years", path);
    if (problems_.size() == before && !is_plain_name(condition.name)) {
      wrong(path + ".today_minus_years", "value", bilingual("应为设置的名称", "must be the name of a setting"));
    }
  }

  void other(const json::object& object, Condition& condition, const std::string& path) {
    keys(object, {"field", "op", "other"}, path);
    condition.source = Condition::Source::other_field;
    comparison(object, condition, path);
    const size_t before = problems_.size();
    const std::string name = text_of(object, "other", path);
    if (problems_.size() != before) return;
    condition.other = dataset_.field(name);
    if (condition.other < 0) {
      std::vector<std::string> names;
      for (const Field& each : dataset_.fields) names.push_back(each.name);
      const Text near = did_you_mean(name, names);
      wrong(path + ".other", "field_unknown",
            Text{"没有字段「" + name + "」" + near.zh, "there is no field '" + name + "'" + near.en});
      return;
    }
    const Field& a = field(condition);
    const Field& b = dataset_.fields[static_cast<size_t>(condition.other)];
    const bool same =
        a.type == b.type && a.ref == b.ref && a.code_set == b.code_set && (a.type != Type::decimal || a.size == b.size);
    if (!same)
      wrong(path + ".other", "type", bilingual("两个字段的类型须相同", "both fields must be of the same type"));
  }

  void literal(const json::object& object, Condition& condition, const std::string& path) {
    keys(object, {"field", "op", "value"}, path);
    const size_t before = problems_.size();
    const std::string name = text_of(object, "op", path);
    if (problems_.size() != before) return;
    const auto op = op_named(name);
    if (!op || !allowed(condition, *op)) {
      std::string all;
      for (const Op each : ops_of(field(condition))) all += (all.empty() ? "" : " ") + std::string(op_name(each));
      wrong(path + ".op", "op", bilingual("此字段可用的运算：{}", "operators of this field: {}", {all}));
      return;
    }
    condition.op = *op;
    const json::value* value = object.if_contains("value");
    const std::string at = path + ".value";
    if (*op == Op::is_null) return null_or_not(value, condition, at);
    if (value == nullptr)
      return wrong(path, "required", bilingual("条件中缺少「value」", "'value' is missing in the condition"));
    if (*op == Op::in || *op == Op::between) return list(*value, condition, at);
    add(*value, condition, at);
  }

  void null_or_not(const json::value* value, Condition& condition, const std::string& at) {
    if (value != nullptr && !value->is_bool())
      wrong(at, "type", bilingual("is_null 的值应为 true 或 false", "the value of is_null must be true or false"));
    condition.values.emplace_back(int64_t{value == nullptr || (value->is_bool() && value->get_bool()) ? 1 : 0});
  }

  void list(const json::value& value, Condition& condition, const std::string& at) {
    const json::array* array = value.if_array();
    const bool pair = condition.op == Op::between;
    if (array == nullptr || (pair && array->size() != 2)) {
      return pair ? wrong(at, "type",
                          bilingual("between 的值应为两项的列表", "the value of between must be a list of two"))
                  : wrong(at, "type", bilingual("in 的值应为列表", "the value of in must be a list"));
    }
    if (array->size() > kSetMax) {
      return wrong(at, "too_many", bilingual("一次最多 {} 个值", "at most {} values", {std::to_string(kSetMax)}));
    }
    for (size_t i = 0; i < array->size(); ++i) add((*array)[i], condition, at + "[" + std::to_string(i) + "]");
  }

  void add(const json::value& value, Condition& condition, const std::string& at) {
    if (value.is_null())
      return wrong(at, "null", bilingual("要找空值请用 is_null", "use is_null to ask for empty values"));
    const Field& of = field(condition);
    Field wanted = of;
    const bool fragment = condition.op == Op::contains || condition.op == Op::starts;
    // Parts of a code, and codes to compare in order, need not be codes of the set.
    if (of.type == Type::code && (fragment || is_order(condition.op) || condition.op == Op::between))
      wanted.type = Type::text;
    auto parsed = literal_of(wanted, value);
    if (!parsed) {
      const FieldProblem& problem = parsed.refusal().fields.front();
      return wrong(at, problem.code.c_str(), problem.text);
    }
    if (std::holds_alternative<std::string>(*parsed) && code_points(std::get<std::string>(*parsed)) > kLiteralMax) {
      return wrong(at, "length", bilingual("最多 {} 个字", "at most {} characters", {std::to_string(kLiteralMax)}));
    }
    condition.values.push_back(std::move(parsed).value());
  }

  Result<Value> literal_of(const Field& wanted, const json::value& value);

  const Catalogue& catalogue_;
  const Dataset& dataset_;
  const ConditionUse use_;
  std::vector<FieldProblem> problems_;
  size_t leaves_ = 0;
};

// A JSON scalar as the text a person would type for this field; nothing when the kinds do not go together.
// Numbers go through their shortest decimal form, so 60.5 is exactly 60.5 and nothing is rounded on the way.
std::optional<std::string> typed_text(const Field& field, const json::value& value) {
  const bool number = field.type == Type::integer || field.type == Type::decimal;
  if (const json::string* text = value.if_string()) return std::string(*text);
  if (value.is_bool() && field.type == Type::boolean) return value.get_bool() ? "true" : "false";
  if (value.is_int64() && number) return std::to_string(value.get_int64());
  if (value.is_uint64() && number) return std::to_string(value.get_uint64());
  if (value.is_double() && number) {
    std::array<char, 400> digits;
    const auto [end, error] =
        std::to_chars(digits.data(), digits.data() + digits.size(), value.get_double(), std::chars_format::fixed);
    if (error == std::errc{}) return std::string(digits.data(), end);
  }
  return std::nullopt;
}

Refusal wrong_json(const Field& field) {
  Text text = field.type == Type::integer || field.type == Type::decimal
                  ? bilingual("「{}」应为数", "the value must be a number")
              : field.type == Type::boolean ? bilingual("「{}」应为 true 或 false", "the value must be true or false")
                                            : bilingual("「{}」应为文本", "the value must be text");
  text.zh = bilingual(text.zh, "", {field.label.zh}).zh;
  Refusal refusal;
  refusal.code = jw::Code::unprocessable;
  refusal.type = "value.invalid";
  refusal.detail = text;
  refusal.fields.push_back(FieldProblem{field.name, "type", std::move(text)});
  return refusal;
}

Result<Value> Parser::literal_of(const Field& wanted, const json::value& value) {
  const auto text = typed_text(wanted, value);
  if (!text) return wrong_json(wanted);
  return parse_literal(catalogue_, wanted, *text);
}

json::value json_of(const Field& field, const Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return json::string(*text);
  if (std::holds_alternative<std::monostate>(value)) return nullptr;
  const int64_t number = std::get<int64_t>(value);
  if (field.type == Type::integer) return number;
  if (field.type == Type::boolean) return number != 0;
  std::string out;
  if (field.type == Type::decimal) {
    append_decimal(out, number, field.size);  // as text: a double could not hold every scaled value
  } else {
    out = field.type == Type::weeks ? print_weeks(number) : Instant{number}.print();
  }
  return json::string(out);
}

void print_leaf(const Dataset& dataset, const Condition& leaf, json::object& out) {
  const bool row = leaf.field == Condition::kRowId;
  out["field"] = row ? std::string("id") : dataset.fields[static_cast<size_t>(leaf.field)].name;
  if (leaf.source == Condition::Source::me) {
    out["is"] = "me";
    return;
  }
  if (leaf.source == Condition::Source::relation) {
    out["in_relation"] = leaf.name;
    return;
  }
  out["op"] = op_name(leaf.op);
  if (leaf.source == Condition::Source::today) {
    out["today"] = true;
  } else if (leaf.source == Condition::Source::today_minus_years) {
    out["today_minus_years"] = leaf.name;
  } else if (leaf.source == Condition::Source::other_field) {
    out["other"] = dataset.fields[static_cast<size_t>(leaf.other)].name;
  } else if (leaf.op == Op::is_null) {
    out["value"] = std::get<int64_t>(leaf.values.at(0)) != 0;
  } else {
    const Field& field = dataset.fields[static_cast<size_t>(leaf.field)];
    if (leaf.op == Op::in || leaf.op == Op::between) {
      json::array& values = (out["value"] = json::array()).get_array();
      for (const Value& value : leaf.values) values.push_back(json_of(field, value));
    } else {
      out["value"] = json_of(field, leaf.values.at(0));
    }
  }
}

}  // namespace

std::string_view op_name(Op op) {
  return kOps[static_cast<size_t>(op)];
}

std::optional<Op> op_named(std::string_view name) {
  const auto found = std::find(kOps.begin(), kOps.end(), name);
  if (found == kOps.end()) return std::nullopt;
  return static_cast<Op>(found - kOps.begin());
}

std::vector<Op> ops_of(const Field& field) {
  std::vector<Op> ops = {Op::eq, Op::ne};
  if (field.type != Type::boolean && field.type != Type::weeks) {
    ops.insert(ops.end(), {Op::lt, Op::le, Op::gt, Op::ge, Op::between, Op::in});
  }
  if (field.type == Type::text || field.type == Type::code || field.type == Type::ref) {
    ops.insert(ops.end(), {Op::contains, Op::starts});
  }
  ops.push_back(Op::is_null);
  return ops;
}

Result<Condition> parse_condition(const Catalogue& catalogue, const Dataset& dataset, const json::value& value,
                                  ConditionUse use, const std::string& path) {
  Parser parser(catalogue, dataset, use);
  Condition condition = parser.parse(value, path, 1);
  std::vector<FieldProblem> problems = parser.take();
  if (problems.empty()) return condition;
  Refusal refusal;
  refusal.code = jw::Code::unprocessable;
  refusal.type = "query.condition_invalid";
  refusal.detail = problems.front().text;
  refusal.fields = std::move(problems);
  return refusal;
}

json::value print_condition(const Catalogue& catalogue, const Dataset& dataset, const Condition& condition) {
  json::object out;
  if (condition.kind == Condition::Kind::leaf) {
    print_leaf(dataset, condition, out);
  } else if (condition.kind == Condition::Kind::negation) {
    out["not"] = print_condition(catalogue, dataset, condition.parts.at(0));
  } else {
    json::array parts;
    for (const Condition& part : condition.parts) parts.push_back(print_condition(catalogue, dataset, part));
    out[condition.kind == Condition::Kind::all ? "all" : "any"] = std::move(parts);
  }
  return out;
}

Result<Value> parse_json_value(const Catalogue& catalogue, const Field& field, const json::value& value) {
  if (value.is_null()) return parse_value(catalogue, field, "");
  const auto text = typed_text(field, value);
  if (!text) return wrong_json(field);
  return parse_value(catalogue, field, *text);
}

size_t leaf_count(const Condition& condition) {
  if (condition.kind == Condition::Kind::leaf) return 1;
  size_t count = 0;
  for (const Condition& part : condition.parts) count += leaf_count(part);
  return count;
}

}  // namespace jw::catalog
