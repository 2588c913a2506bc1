// Reading conditions from JSON (queries, permits) and from the catalogue's own files (turned into JSON first).
#pragma once

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
// Values are typed by the field (decimal scaled, dates real, codes of the set). Refusal: unprocessable, one FieldProblem each.
Result<Condition> parse_condition(const Catalogue& catalogue, const Dataset& dataset, const boost::json::value& json,
                                  ConditionUse use, const std::string& path);
boost::json::value print_condition(const Catalogue& catalogue, const Dataset& dataset, const Condition& condition);
size_t leaf_count(const Condition& condition);

// In words: 「学期 等于 2025-2026-1 且 成绩 小于 60」.
Text describe_condition(const Catalogue& catalogue, const Dataset& dataset, const Condition& condition);

}  // namespace jw::catalog
