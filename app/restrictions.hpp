// Why a session answers nothing, or an account may look only: in plain words, with what was seen, what to do and whom
// to ask (§2.5.3).
#pragma once

#include <optional>
#include <string>

#include "app/serving.hpp"

namespace jw::app {

// 401 identity.confirmation_required; remedy kind `confirm_code` or `confirm_password`.
Refusal session_held(Serving& serving, int64_t account);
Refusal account_read_only(Serving& serving, int64_t account);             // 403 lending.read_only
Refusal account_suspended(Serving& serving, int64_t account, Code code);  // identity.suspended

// For a request whose token opens no session.
Refusal no_session(Serving& serving, const std::string& token);
// A session that the gate let answer nothing; nullopt: it is simply over.
std::optional<Refusal> why_nothing(Serving& serving, const identity::Session& session);

}  // namespace jw::app
