// The gallery of a made-up university: inside modules/made_up only.
#pragma once

#include <span>

#include "kernel/edge/api.hpp"

namespace jw::made_up {

std::span<const edge::Route> gallery_routes();

}  // namespace jw::made_up
