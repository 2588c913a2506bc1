// Reading conditions from JSON (queries, permits) and from the catalogue's own files (turned into JSON first).
#pragma once

#include <functional>

#include <boost/json/value.hpp>

#include "kernel/catalog/api.hpp"

namespace jw::catalog {

constexpr size_t kLeavesMax = 64;
constexpr size_t kSetMax = 10'000;
constexpr int kDepthMax = 16;

enum class ConditionUse {
  query,       // literals only
  regulation,  // relations, posts, permits: also me, today, today_minus_years, in_relation
  check,       // also other = "field"
};

// `path` is where the condition stands in the request, for the problems: "where" gives "where.all[0].value".
// Values are typed by the field (decimal scaled, dates real, codes of the set). Refusal: unprocessable, one
// FieldProblem each.
Result<Condition> parse_condition(const Catalogue& catalogue, const Dataset& dataset, const boost::json::value& json,
                                  ConditionUse use, const std::string& path);
boost::json::value print_condition(const Catalogue& catalogue, const Dataset& dataset, const Condition& condition);
// A value of a changed row: JSON text, number, true/false or null, checked like parse_value. Decimals are taken
// exactly.
Result<Value> parse_json_value(const Catalogue& catalogue, const Field& field, const boost::json::value& json);
size_t leaf_count(const Condition& condition);

// In words: 「学期 等于 2025-2026-1 且 成绩 小于 60」. `setting` gives the value of a setting as text; without it its
// name stands there.
using SettingWords = std::function<std::string(std::string_view)>;
Text describe_condition(const Catalogue& catalogue, const Dataset& dataset, const Condition& condition,
                        const SettingWords& setting = {});

}  // namespace jw::catalog
