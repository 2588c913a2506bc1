// Conditions of the query language on any bytes: refused with places and words, or understood; what is understood,
// printed and read again is the same condition.
#include <cstdio>
#include <cstdlib>
#include <string>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "kernel/catalog/condition.hpp"
#include "tests/support/catalogue.hpp"

namespace {

using namespace jw::catalog;

const Catalogue& catalogue() {
  static const Catalogue made = jw::tests::loaded(jw::tests::kSmallCatalogue);
  return made;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  boost::json::error_code error;
  const boost::json::value json = boost::json::parse({reinterpret_cast<const char*>(data) + 1, size - 1}, error);
  if (error) return 0;
  const Dataset& dataset = *catalogue().find("mark");
  const auto use = static_cast<ConditionUse>(data[0] % 3);
  const auto condition = parse_condition(catalogue(), dataset, json, use, "where");
  if (!condition) {
    if (condition.refusal().fields.empty()) std::abort();
    for (const auto& problem : condition.refusal().fields) {
      if (!problem.field.starts_with("where") || problem.text.zh.empty() || problem.text.en.empty()) std::abort();
    }
    return 0;
  }
  const jw::Text words = describe_condition(catalogue(), dataset, *condition);
  if (words.zh.empty() || words.en.empty()) std::abort();
  const auto again = parse_condition(
      catalogue(), dataset,
      boost::json::parse(boost::json::serialize(print_condition(catalogue(), dataset, *condition))), use, "where");
  if (!again || !(*again == *condition)) std::abort();
  return 0;
}
