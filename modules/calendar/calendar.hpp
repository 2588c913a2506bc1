// Inside modules/calendar only: what its module.cpp is made of.
#pragma once

#include <span>

#include "kernel/edge/module.hpp"

namespace jw::calendar {

constexpr std::string_view kKeep = "calendar_keep";  // the power, regulation.toml

std::span<const edge::Route> routes();
int command(const edge::Words& words, const edge::OpenHouse& open);

}  // namespace jw::calendar
