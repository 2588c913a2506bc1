// Who sees what (§2.1.1, §4.3.2): the question turned round, for whoever answers for the permissions. Who asks need not
// see any data, so what is told follows from the rules alone, the same for every row, whether there is one or not. Only
// to whoever may query the row and the field anyway it is told of this row, and people are counted and named only where
// everything that it rests on is known to the asker (known.hpp).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "kernel/policy/api.hpp"
#include "kernel/record/api.hpp"
#include "platform/db/api.hpp"

namespace jw::query {

constexpr int kNamesMax = 50;

// Whom an answer told of, by dataset: one leaf of the record each (§1.3.1).
struct Told {
  std::string dataset;
  int64_t rows = 0;
  std::vector<record::Subject> subjects;
};

// Each person once for each dataset.
void add_told(std::vector<Told>& told, Told more);

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

// Who asks, and when.
struct Viewer {
  const policy::Asker& asker;
  Instant now;
};

struct Seen {
  std::string json;
  std::vector<Told> told;
};

// Who sees this cell, clear or masked: by post (with clause, rows in words, actions) and by grant. `by` says of what it
// is told: "rule", all that opens the field on any row; or "row", what opens it here. `holders` (null: not told) and up
// to kNamesMax names stand where the asker may query them. `grants`: whether grants of single accounts are among them;
// only to whoever may query which accounts have grants. Refusals: query.dataset_unknown, query.field_unknown (404).
Result<Seen> who_sees(db::Connection& reader, const std::shared_ptr<const policy::Rules>& rules, const Viewer& viewer,
                      std::string_view dataset, std::string_view key, std::string_view field);

// What this person sees, and why: posts with units, then by dataset every permit, grant and forbid with its basis, and
// the sight of each field. Told to whoever may query who holds each post and each grant. Refusals:
// query.sight_closed (403, whatever the account), identity.account_unknown (404).
Result<Seen> what_sees(db::Connection& reader, const std::shared_ptr<const policy::Rules>& rules, const Viewer& viewer,
                       std::string_view login);

}  // namespace jw::query
