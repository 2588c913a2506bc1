// Whether rules can be in force on this store at all, tried before anybody may decide it: both stores have limits
// (SQLite takes 500 SELECTs in a union and expressions 1000 deep) which no reading of the rows foresees.
#pragma once

#include "kernel/query/effect.hpp"

namespace jw::query {

// `regulation` instead of that of `rules`: grants in force must still be understood, every post's holders asked for,
// every dataset queried by every post, and by one who holds all posts together, and every power that is moved, or that
// somebody has now, be somebody's then: by a post that stands unchanged, or of which `viewer` may query who holds it.
// What a new or changed post asks for is answered to nobody else, neither by yes nor by no. `reader`: a reading
// connection outside any transaction. Refusals: regulation.grant_lost, regulation.cannot_run (422, naming post and
// dataset), regulation.power_unheld (409: it rests on who holds what).
Result<Done> fits(db::Connection& reader, const RulesPtr& rules, const policy::Regulation& regulation,
                  const policy::Asker& viewer, Instant now);

}  // namespace jw::query
