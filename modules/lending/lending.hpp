// Inside modules/lending only: what its module.cpp is made of.
#pragma once

#include <span>

#include "kernel/edge/module.hpp"
#include "modules/lending/api.hpp"

namespace jw::lending {

constexpr std::string_view kDesk = "lending_desk";  // the power, regulation.toml

extern const cases::Kind kSuspension;
std::span<const edge::Route> routes();

}  // namespace jw::lending
