// What must hold of every answer. Each check is given cases of one world and one policy, which stand in the stores, and
// says what is wrong; those that change world or grants leave it to the caller to put them back.
#pragma once

#include <functional>
#include <span>

#include "tests/differential/generate.hpp"

namespace jw::differential {

struct Sides {
  Side* sqlite = nullptr;
  Side* postgres = nullptr;  // none: SQLite alone
};
using Cases = std::span<const Case>;

struct Found {
  std::string wrong;
  Case one;
};
using Check = std::optional<Found> (*)(const Sides& sides, Cases cases);

// 1, 2: rows, cells with masks and marks, order, refusals.
std::optional<Found> as_the_reference_says(const Sides& sides, Cases cases);
// 3: neither the order of permits nor repeating one nor one out of time says anything.
std::optional<Found> order_of_permits_is_nothing(const Sides& sides, Cases cases);
// 4: a permit never removes, a forbid never adds.
std::optional<Found> permits_add_and_forbids_remove(const Sides& sides, Cases cases);
// 5: what a condition is true of, false of and unknown of is all there is (TLP); count, sum, min, max recombine.
std::optional<Found> partitions_make_the_whole(const Sides& sides, Cases cases);
// 6: filtered count = how many the unfiltered statement finds the condition true of (NoREC).
std::optional<Found> filter_counts_what_holds(const Sides& sides, Cases cases);
// 7: the same bytes from both stores.
std::optional<Found> stores_agree(const Sides& sides, Cases cases);
// 8: a plan made for another asks the same as one made now.
std::optional<Found> cached_plans_answer_the_same(const Sides& sides, Cases cases);
// 9: the text of a statement depends on shapes only.
std::optional<Found> text_holds_no_value(const Sides& sides, Cases cases);
// Page after page gives the rows of one long answer.
std::optional<Found> pages_make_the_whole(const Sides& sides, Cases cases);
// 12: what one may not see changes no byte of any answer.
std::optional<Found> hidden_data_changes_nothing(const Sides& sides, Cases cases);
// The same of what is told of permissions: the effect of a change, who sees a cell.
std::optional<Found> permissions_tell_nothing_hidden(const Sides& sides, Cases cases);
// Who holds a post, who gains and loses which rows and cells, and whom the record names for it (§1.3.1).
std::optional<Found> effects_are_as_the_reference_says(const Sides& sides, Cases cases);
std::optional<Found> sight_is_as_the_reference_says(const Sides& sides, Cases cases);
// A batch is refused exactly where the reference says so, of whoever enters and whoever reviews (§2.2.1, §4.1.2,
// §4.2.1).
std::optional<Found> batches_stay_within(const Sides& sides, Cases cases);
// Grants revoked and sessions ended act on the next statement, whatever is cached.
std::optional<Found> revocation_acts_at_once(const Sides& sides, Cases cases);

}  // namespace jw::differential
