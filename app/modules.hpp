// The one list of modules.
#pragma once

#include <span>

#include "kernel/edge/module.hpp"

namespace jw::app {

std::span<const edge::Module* const> modules();
std::vector<const cases::Kind*> kinds();  // of cases, of all modules

}  // namespace jw::app
