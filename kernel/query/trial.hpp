// Whether rules can be in force on this store at all, tried before anybody may decide it: both stores have limits
// (SQLite takes 500 SELECTs in a union and expressions 1000 deep) which no reading of the rows foresees.
#pragma once

#include "kernel/query/effect.hpp"

namespace jw::query {

// `regulation` instead of that of `now`: grants in force must still be understood, every post's holders asked for, and
// every dataset queried by every post, and by one who holds all posts together. `reader`: a reading connection outside
// any transaction. Refusals: regulation.grant_lost, regulation.cannot_run (422, naming post and dataset).
Result<Done> fits(db::Connection& reader, const RulesPtr& now, const policy::Regulation& regulation);

}  // namespace jw::query
