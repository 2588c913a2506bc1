// Who sees what (§2.1.1, §4.3.2): the question turned round, for whoever answers for the permissions. The answers tell
// of permissions and persons, never of data: who asks need not see any.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "kernel/policy/api.hpp"
#include "platform/db/api.hpp"

namespace jw::query {

constexpr int kNamesMax = 50;

// Accounts that hold a post now, by account id; closed and suspended ones apart.
struct Holder {
  int64_t account = 0, person = 0;
  std::string login, name;
};
struct Holders {
  int64_t count = 0;
  std::vector<Holder> some;
};
// `spread`: taken over all of them rather than the first. At most `most`.
Holders holders_of(db::Connection& reader, const policy::Rules& rules, int post, Instant now, int most, bool spread);

// Who sees this cell, clear or masked: by post (with clause, rows in words, actions, number of holders and up to
// kNamesMax names) and by grant to an account. Refusals: query.dataset_unknown, query.row_unknown, query.field_unknown
// (404).
Result<std::string> who_sees(db::Connection& reader, const std::shared_ptr<const policy::Rules>& rules,
                             std::string_view dataset, std::string_view key, std::string_view field, Instant now);

// What this person sees, and why: posts with units, then by dataset every permit, grant and forbid with its basis, and
// the sight of each field. Refusal: identity.account_unknown (404).
Result<std::string> what_sees(db::Connection& reader, const std::shared_ptr<const policy::Rules>& rules,
                              std::string_view login, Instant now);

}  // namespace jw::query
