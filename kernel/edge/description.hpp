// What the interface is, for programs that call it: OpenAPI 3.1, made from the route tables and from files of schemas.
// docs/api.md says what a schema cannot.
#pragma once

#include <boost/json/object.hpp>

#include <filesystem>
#include <string>
#include <vector>

#include "kernel/edge/api.hpp"

namespace jw::edge {

// The schemas of app/api.json and modules/*/api.json below `home`, by name: JSON Schema 2020-12, in files
// {"schemas": {NAME: …}}. Each describes every member that it requires and refers to none that there is not. A schema
// with "contentMediaType" is of a body that is no JSON. Throws std::runtime_error with all mistakes of the files.
boost::json::object read_schemas(const std::filesystem::path& home);

// One line of JSON, in the order of paths and verbs: a row's place in its table does not show. Throws std::logic_error
// for a row that names a schema which there is not.
std::string openapi(std::vector<const Route*> routes, boost::json::object schemas);

}  // namespace jw::edge
