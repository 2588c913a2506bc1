// The rows of the whole interface, and its description.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "kernel/catalog/api.hpp"
#include "kernel/edge/api.hpp"

namespace jw::app {

// The tables of the kernel and of every module; those for made-up stores alone only if `made_up`.
std::vector<std::span<const edge::Route>> route_tables(bool made_up);

// OpenAPI 3.1 of those tables, with the schemas of the files and the names of the catalogue's datasets.
std::string description(const std::filesystem::path& home, const catalog::Catalogue& catalogue, bool made_up);

}  // namespace jw::app
