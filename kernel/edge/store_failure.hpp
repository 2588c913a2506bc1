// Inside kernel/edge only: a failure of the store as an answer (docs/architecture.md, errors in three kinds).
#pragma once

#include <functional>

#include "base/result.hpp"

namespace jw::edge {

// Does the work. When the store is locked, full or away, or a statement took too long, `tell` hears so (503, 504), and
// the log why; whatever else is thrown goes on.
void told_when_the_store_fails(const std::function<void()>& work, const std::function<void(const Refusal&)>& tell);

}  // namespace jw::edge
