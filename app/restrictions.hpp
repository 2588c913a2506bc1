// Why a session answers nothing, or an account may look only: in plain words, with what was seen, what to do and whom
// to ask (§2.5.3).
#pragma once

#include <optional>
#include <string>

#include "app/system.hpp"

namespace jw::app {

// 401 identity.confirmation_required; remedy kind `confirm_code` or `confirm_password`.
Refusal session_held(System& system, int64_t account);
Refusal account_read_only(System& system, int64_t account);  // 403 lending.read_only
Refusal account_suspended(System& system, int64_t account);  // 401 identity.suspended

// For a request whose token opens no session.
Refusal no_session(System& system, const std::string& token);
// A session that the gate let answer nothing; nullopt: it is simply over.
std::optional<Refusal> why_nothing(System& system, const identity::Session& session);

}  // namespace jw::app
