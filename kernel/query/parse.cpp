// Reading the query language.
#include <boost/json.hpp>

#include <algorithm>
#include <set>

#include "kernel/catalog/condition.hpp"
#include "kernel/query/api.hpp"

namespace jw::query {

namespace json = boost::json;
using catalog::Catalogue;
using catalog::Dataset;
using catalog::Field;
using catalog::Type;

namespace {

Refusal refuse(const std::string& field, const std::string& code, Text text) {
  return {Code::unprocessable, "query." + code, text, {{field, code, text}}};
}

Result<int> field_named(const Dataset& dataset, const json::value& name, const std::string& path) {
  if (!name.is_string())
    return refuse(path, "not_a_name", {"这里应是字段名（文字）", "a field name (text) belongs here"});
  const int field = dataset.field(std::string_view(name.get_string()));
  if (field < 0) {
    const std::string given(name.get_string());
    return refuse(
        path, "field_unknown",
        {"“" + dataset.label.zh + "”没有字段“" + given + "”", dataset.name + " has no field “" + given + "”"});
  }
  return field;
}

struct FunctionName {
  std::string_view name;
  Function function;
};
constexpr FunctionName kFunctions[] = {{"count", Function::count},   {"count_distinct", Function::count_distinct},
                                       {"sum", Function::sum},       {"avg", Function::avg},
                                       {"min", Function::min},       {"max", Function::max},
                                       {"share", Function::share},   {"median", Function::median},
                                       {"stddev", Function::stddev}, {"histogram", Function::histogram}};

bool is_number(const Field& field) {
  return field.type == Type::integer || field.type == Type::decimal;
}

Result<Done> check_keys(const json::object& object, const std::string& path) {
  for (const auto& member : object) {
    constexpr std::string_view kKnown[] = {"fn", "field", "as", "places", "width", "where"};
    if (std::find(std::begin(kKnown), std::end(kKnown), std::string_view(member.key())) == std::end(kKnown)) {
      const std::string name(member.key());
      return refuse(path + "." + name, "key_unknown",
                    {"度量没有“" + name + "”这一项", "a measure has no “" + name + "”"});
    }
  }
  return Done{};
}

Result<FunctionName> function_named(const json::value* name, const std::string& path) {
  const auto* known = std::find_if(std::begin(kFunctions), std::end(kFunctions), [&](const FunctionName& f) {
    return name != nullptr && name->is_string() && std::string_view(name->get_string()) == f.name;
  });
  if (known == std::end(kFunctions)) {
    return refuse(path + ".fn", "function_unknown",
                  {"fn 应为 count count_distinct sum avg min max share median stddev histogram 之一",
                   "fn must be one of count count_distinct sum avg min max share median stddev histogram"});
  }
  return *known;
}

// The field that a function measures; -1 for those that take none.
Result<int> measured_field(const Dataset& dataset, Function function, const json::value* given,
                           const std::string& path) {
  const bool takes_field = function != Function::count && function != Function::share;
  if (given == nullptr) {
    if (takes_field) return refuse(path + ".field", "required", {"须写明 field", "field is required"});
    return -1;
  }
  if (!takes_field)
    return refuse(path + ".field", "field_not_taken", {"count 和 share 不带 field", "count and share take no field"});
  JW_TRY(const int number, field_named(dataset, *given, path + ".field"));
  const Field& field = dataset.fields.at(static_cast<size_t>(number));
  const bool any_kind = function == Function::count_distinct;
  const bool ordered = function == Function::min || function == Function::max;
  if (!any_kind && !is_number(field) && !(ordered && (field.type == Type::date || field.type == Type::timestamp))) {
    return refuse(path + ".field", "not_a_number",
                  {"“" + field.label.zh + "”不是数值，不能这样统计",
                   field.name + " is not a number and cannot be measured this way"});
  }
  return number;
}

// How the result is called and rounded, and how wide the bars of a histogram are.
Result<Done> parse_form(const Dataset& dataset, const json::object& object, const std::string& path, Measure& measure) {
  if (const json::value* as = object.if_contains("as")) {
    const bool valid = as->is_string() && !as->get_string().empty() && as->get_string().size() <= 40 &&
                       std::all_of(as->get_string().begin(), as->get_string().end(),
                                   [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
    if (!valid)
      return refuse(
          path + ".as", "bad_name",
          {"as 只用小写字母、数字和下划线，至多 40 个", "as takes lower-case letters, digits and _, at most 40"});
    measure.as = as->get_string();
    measure.named = true;
  }
  if (const json::value* places = object.if_contains("places")) {
    if (!places->is_int64() || places->get_int64() < 0 || places->get_int64() > 6) {
      return refuse(path + ".places", "out_of_range",
                    {"places 应为 0 到 6 的整数", "places must be an integer from 0 to 6"});
    }
    measure.places = static_cast<int>(places->get_int64());
  }
  if (measure.function == Function::histogram) {
    const Field& field = dataset.fields.at(static_cast<size_t>(measure.field));
    const json::value* width = object.if_contains("width");
    if (width == nullptr || !width->is_int64() || width->get_int64() < 1 || width->get_int64() > 1'000'000) {
      return refuse(path + ".width", "out_of_range",
                    {"histogram 的 width 应为 1 以上的整数", "width of a histogram must be an integer of 1 or more"});
    }
    measure.width = width->get_int64();
    for (int i = 0; i < (field.type == Type::decimal ? field.size : 0); ++i) measure.width *= 10;
  }
  return Done{};
}

Result<Measure> parse_measure(const Catalogue& catalogue, const Dataset& dataset, const json::value& given,
                              const std::string& path) {
  if (!given.is_object()) return refuse(path, "not_an_object", {"度量应是对象", "a measure must be an object"});
  const json::object& object = given.get_object();
  JW_CHECK(check_keys(object, path));
  JW_TRY(const FunctionName function, function_named(object.if_contains("fn"), path));
  Measure measure;
  measure.function = function.function;
  measure.as = function.name;
  JW_TRY(measure.field, measured_field(dataset, measure.function, object.if_contains("field"), path));
  if (measure.field >= 0) measure.as += "_" + dataset.fields.at(static_cast<size_t>(measure.field)).name;
  const json::value* where = object.if_contains("where");
  if (measure.function == Function::share) {
    if (where == nullptr)
      return refuse(path + ".where", "required", {"share 须写明条件 where", "share needs a condition where"});
    JW_TRY(measure.where,
           catalog::parse_condition(catalogue, dataset, *where, catalog::ConditionUse::query, path + ".where"));
  } else if (where != nullptr) {
    return refuse(path + ".where", "not_taken", {"只有 share 带 where", "only share takes where"});
  }
  JW_CHECK(parse_form(dataset, object, path, measure));
  return measure;
}

Result<Done> parse_list(const Catalogue&, const json::object& object, Query& query) {
  const Dataset& dataset = *query.dataset;
  if (const json::value* fields = object.if_contains("fields")) {
    if (!fields->is_array() || fields->get_array().empty()) {
      return refuse(
          "fields", "not_a_list",
          {"fields 应是字段名的非空数组，或省略", "fields must be a non-empty array of names, or be left out"});
    }
    if (fields->get_array().size() > kFieldsMax) return refuse("fields", "too_many", {"字段太多", "too many fields"});
    for (size_t i = 0; i < fields->get_array().size(); ++i) {
      JW_TRY(const int field, field_named(dataset, fields->get_array()[i], "fields[" + std::to_string(i) + "]"));
      if (std::find(query.fields.begin(), query.fields.end(), field) != query.fields.end()) {
        return refuse("fields[" + std::to_string(i) + "]", "repeated", {"字段重复", "the field is named twice"});
      }
      query.fields.push_back(field);
    }
  }
  return Done{};
}

Result<Done> parse_statistics(const Catalogue& catalogue, const json::object& object, Query& query) {
  const Dataset& dataset = *query.dataset;
  if (object.contains("fields")) {
    return refuse("fields", "not_with_measures",
                  {"统计用 group 和 measures，不用 fields", "statistics take group and measures, not fields"});
  }
  if (const json::value* group = object.if_contains("group")) {
    if (!group->is_array() || group->get_array().size() > 8)
      return refuse("group", "not_a_list",
                    {"group 应是至多 8 个字段名的数组", "group must be an array of at most 8 field names"});
    for (size_t i = 0; i < group->get_array().size(); ++i) {
      JW_TRY(const int field, field_named(dataset, group->get_array()[i], "group[" + std::to_string(i) + "]"));
      if (std::find(query.group.begin(), query.group.end(), field) != query.group.end()) {
        return refuse("group[" + std::to_string(i) + "]", "repeated", {"字段重复", "the field is named twice"});
      }
      query.group.push_back(field);
    }
  }
  const json::value* measures = object.if_contains("measures");
  if (measures == nullptr || !measures->is_array() || measures->get_array().empty() ||
      measures->get_array().size() > 20) {
    return refuse("measures", "not_a_list",
                  {"measures 应是 1 到 20 个度量的数组", "measures must be an array of 1 to 20 measures"});
  }
  std::set<std::string> names;
  for (int field : query.group) names.insert(dataset.fields.at(static_cast<size_t>(field)).name);
  for (size_t i = 0; i < measures->get_array().size(); ++i) {
    const std::string path = "measures[" + std::to_string(i) + "]";
    JW_TRY(Measure measure, parse_measure(catalogue, dataset, measures->get_array()[i], path));
    if (!names.insert(measure.as).second)
      return refuse(path + ".as", "repeated",
                    {"列名重复，请用 as 另起名", "the column name is taken; give another with as"});
    query.measures.push_back(std::move(measure));
  }
  return Done{};
}

Result<Done> parse_order(const json::value& order, Query& query) {
  const Dataset& dataset = *query.dataset;
  if (!order.is_array() || order.get_array().size() > 8)
    return refuse("order", "not_a_list", {"order 应是至多 8 项的数组", "order must be an array of at most 8 keys"});
  for (size_t i = 0; i < order.get_array().size(); ++i) {
    const std::string path = "order[" + std::to_string(i) + "]";
    const json::value& given = order.get_array()[i];
    if (!given.is_object() || !given.get_object().contains("field")) {
      return refuse(path, "not_an_object",
                    {"排序项应为 {\"field\":…,\"desc\":true}", "an order key is {\"field\":…,\"desc\":true}"});
    }
    OrderKey key;
    for (const auto& member : given.get_object()) {
      if (member.key() == "desc") {
        if (!member.value().is_bool())
          return refuse(path + ".desc", "not_a_bool", {"desc 应为 true 或 false", "desc must be true or false"});
        key.descending = member.value().get_bool();
      } else if (member.key() != "field") {
        return refuse(path, "key_unknown", {"排序项只有 field 和 desc", "an order key has only field and desc"});
      }
    }
    const json::value& name = given.get_object().at("field");
    if (!query.is_statistics()) {
      JW_TRY(key.field, field_named(dataset, name, path + ".field"));
    } else {
      const std::string_view wanted = name.is_string() ? std::string_view(name.get_string()) : std::string_view();
      for (size_t c = 0; c < query.group.size() + query.measures.size(); ++c) {
        const std::string& column = c < query.group.size() ? dataset.fields.at(static_cast<size_t>(query.group[c])).name
                                                           : query.measures[c - query.group.size()].as;
        if (column == wanted) key.field = static_cast<int>(c);
      }
      if (key.field < 0 ||
          (key.field >= static_cast<int>(query.group.size()) &&
           query.measures[static_cast<size_t>(key.field) - query.group.size()].function == Function::histogram)) {
        return refuse(
            path + ".field", "field_unknown",
            {"统计结果只能按 group 或 measures 的列排序", "statistics are ordered by a column of group or measures"});
      }
    }
    query.order.push_back(key);
  }
  return Done{};
}

}  // namespace

Result<Query> parse(const Catalogue& catalogue, const json::value& request) {
  if (!request.is_object())
    return Refusal{Code::bad_request, "query.not_an_object", {"查询应是 JSON 对象", "a query must be a JSON object"}};
  const json::object& object = request.get_object();
  for (const auto& member : object) {
    constexpr std::string_view kKnown[] = {"dataset", "fields",  "where", "order",   "limit",
                                           "after",   "purpose", "group", "measures"};
    if (std::find(std::begin(kKnown), std::end(kKnown), std::string_view(member.key())) == std::end(kKnown)) {
      const std::string name(member.key());
      return refuse(name, "key_unknown", {"查询没有“" + name + "”这一项", "a query has no “" + name + "”"});
    }
  }
  Query query;
  const json::value* dataset = object.if_contains("dataset");
  if (dataset == nullptr || !dataset->is_string())
    return refuse("dataset", "required", {"须写明 dataset", "dataset is required"});
  query.dataset = catalogue.find(std::string_view(dataset->get_string()));
  if (query.dataset == nullptr) {
    return Refusal{Code::not_found,
                   "query.dataset_unknown",
                   {"没有这种数据", "there is no such dataset"},
                   {{"dataset", "dataset_unknown", {"没有这种数据", "there is no such dataset"}}}};
  }
  if (const json::value* after = object.if_contains("after"); after != nullptr && !after->is_null()) {
    if (!after->is_string())
      return refuse("after", "bad_token", {"after 应是上一页给出的 next", "after must be the next of the page before"});
    query.after = after->get_string();
  }
  const bool statistics = object.contains("measures") || object.contains("group");
  if (statistics) {
    JW_CHECK(parse_statistics(catalogue, object, query));
    query.limit = 1000;
  } else {
    JW_CHECK(parse_list(catalogue, object, query));
  }
  if (const json::value* where = object.if_contains("where"); where != nullptr && !where->is_null()) {
    JW_TRY(query.where,
           catalog::parse_condition(catalogue, *query.dataset, *where, catalog::ConditionUse::query, "where"));
  }
  if (const json::value* order = object.if_contains("order"); order != nullptr && !order->is_null())
    JW_CHECK(parse_order(*order, query));
  if (const json::value* limit = object.if_contains("limit")) {
    const int64_t most = statistics ? kGroupsMax : kLimitMax;
    if (!limit->is_int64() || limit->get_int64() < 1 || limit->get_int64() > most) {
      const std::string range = "1–" + std::to_string(most);
      return refuse("limit", "out_of_range",
                    {"limit 应为 " + range + " 的整数", "limit must be an integer of " + range});
    }
    query.limit = limit->get_int64();
  }
  if (const json::value* purpose = object.if_contains("purpose"); purpose != nullptr && !purpose->is_null()) {
    const bool valid = purpose->is_string() && !purpose->get_string().empty() && purpose->get_string().size() <= 40 &&
                       std::all_of(purpose->get_string().begin(), purpose->get_string().end(),
                                   [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
    if (!valid)
      return refuse("purpose", "bad_name",
                    {"purpose 应为目的的代码，如 study", "purpose must be the code of a purpose, such as study"});
    query.purpose = purpose->get_string();
  }
  return query;
}

}  // namespace jw::query
