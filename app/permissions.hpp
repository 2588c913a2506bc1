// The default permissions as text: post × dataset × rows × fields × actions, with the clause of each row.
#pragma once

#include <string>

#include "kernel/catalog/api.hpp"
#include "kernel/policy/regulation.hpp"

namespace jw::app {

std::string permission_table(const catalog::Catalogue& catalogue, const policy::Regulation& regulation);

}  // namespace jw::app
