// Inside modules/access only: what its module.cpp is made of.
#pragma once

#include <span>

#include "kernel/edge/module.hpp"
#include "modules/access/api.hpp"

namespace jw::access {

std::span<const edge::Route> routes();

}  // namespace jw::access
