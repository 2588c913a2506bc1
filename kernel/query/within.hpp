// Whether rows that are being written are within what somebody may enter or review (design §4; §2.2.1, §4.1.2, §4.2.1).
//
// Asked inside the transaction that writes, after the rows are written and before it commits: each row as it would
// stand must be one that the action opens, and as it stood, too; so must each field that is filled, changed or emptied.
// A permit to write means what a permit to read means: the same lowering makes the predicate, over the store as it
// stood before the batch, so that nothing a batch writes opens anything to whoever writes it. A row that is not shown
// to be within is outside.
#pragma once

#include <set>
#include <span>
#include <string>
#include <vector>

#include "kernel/policy/api.hpp"

namespace jw::query {

// Rows of one dataset that a batch has written, by id.
struct Written {
  const catalog::Dataset* dataset = nullptr;
  int64_t batch = 0;
  std::set<int> datasets;       // all that the batch has written to, by index
  std::vector<int64_t> stood;   // changed or taken away
  std::vector<int64_t> stands;  // added or changed
};

struct Outside {
  std::string key;  // natural key, parts joined by "~"; empty where a part cannot be told
  int field = -1;   // the first that is not opened there; -1: the row itself
  bool operator==(const Outside&) const = default;
};

struct Writing {
  const policy::Authority& authority;  // as before the batch
  const policy::Asker& asker;
  policy::Action action;  // enter or review
  std::string purpose;    // empty: left out
  Instant now;
};

// What of these rows is outside, each once and at most `most`: as they stood first, then as they would stand, by id.
// Refused when the action opens nothing of the dataset: policy.no_permit and its like, identity.agreement_due.
Result<std::vector<Outside>> outside(db::Connection& transaction, const Writing& writing, const Written& written,
                                     size_t most);

}  // namespace jw::query
