// Shared JSON Schemas of the API (components.schemas of /api/openapi.json). docs/api.md says what a schema cannot.
#pragma once

#include <string>

#include "kernel/catalog/api.hpp"

namespace jw::app {

std::string schemas(const catalog::Catalogue& catalogue);

}  // namespace jw::app
