// Shared JSON Schemas of the API (components.schemas of /api/openapi.json). docs/api.md says what a schema cannot.
#pragma once

#include <string_view>

namespace jw::app {

extern const std::string_view kSchemas;

}  // namespace jw::app
