// Whether rules can be in force on this store at all, tried before anybody may decide it: both stores have limits
// (SQLite takes 500 SELECTs in a union and expressions 1000 deep) which no reading of the rows foresees.
#pragma once

#include "kernel/query/effect.hpp"

namespace jw::query {

// `regulation` instead of that of `rules`: grants in force must still be understood, every post's holders asked for,
// every dataset queried by every post, and by one who holds all posts together, and every power that is moved, or that
// somebody has now, be somebody's then. `reader`: a reading connection outside any transaction. Refusals:
// regulation.grant_lost, regulation.cannot_run (422, naming post and dataset), regulation.power_unheld (422).
Result<Done> fits(db::Connection& reader, const RulesPtr& rules, const policy::Regulation& regulation, Instant now);

}  // namespace jw::query
