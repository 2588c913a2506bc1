// Random permissions and questions, mostly well-typed: the field decides which operators and values go with it.
#pragma once

#include "tests/differential/side.hpp"

namespace jw::differential {

constexpr int64_t kNow = 1'773'622'800'000'000;  // 2026-03-16T09:00:00+08:00

constexpr const char* kSentinel = "ZQXJKV";  // a value that must never be seen in the text of a statement

boost::json::value any_condition(Dice& dice, const catalog::Catalogue& catalogue, const catalog::Dataset& dataset,
                                 int depth, bool regulation = false);
std::vector<policy::Atom> any_defaults(Dice& dice, const catalog::Catalogue& catalogue);
std::vector<policy::Grant> any_grants(Dice& dice, const catalog::Catalogue& catalogue, int64_t now_us);
policy::Grant any_grant(Dice& dice, const catalog::Catalogue& catalogue, int64_t now_us, policy::Effect effect,
                        int64_t account);
// Form, request and account of the case; its policy is there already.
void any_question(Dice& dice, Case& one);
// The same question with other values.
void other_values(Dice& dice, Case& one);

}  // namespace jw::differential
