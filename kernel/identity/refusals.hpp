// Inside kernel/identity only: every refusal of this folder, in both languages.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.hpp"

namespace jw::identity::refusal {

Refusal sign_in_refused();
Refusal password_wrong();
Refusal locked(int64_t wait_us);
Refusal suspended();
Refusal closed();
Refusal one_time_expired();
Refusal password_change_required();
Refusal password_rules(std::vector<FieldProblem> problems);
Refusal too_many_attempts();
Refusal busy();
Refusal not_made_up();
Refusal login_invalid();
Refusal login_taken();
Refusal kind_invalid();
Refusal name_invalid();
Refusal account_unknown();
Refusal account_closed();
Refusal agreement_changed();
Refusal code_required();
Refusal code_wrong();
Refusal factor_enrolled();
Refusal factor_absent();

}  // namespace jw::identity::refusal
