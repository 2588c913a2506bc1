// Differences between what a store holds and a catalogue. Internal to kernel/catalog.
#pragma once

#include <map>

#include "kernel/catalog/shape.hpp"

namespace jw::catalog {

// New datasets first, then their references, then changes, then what goes.
std::vector<SchemaChange> difference(const std::map<std::string, Shape>& stored, const Catalogue& catalogue,
                                     db::Dialect dialect);
std::string create_history_index(const Shape& shape);

}  // namespace jw::catalog
