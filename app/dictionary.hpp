// The data dictionary of §4.1.1: every dataset's owner and fields with type, format, code set, check; Markdown, made
// from the catalogue.
#pragma once

#include <string>

#include "kernel/catalog/api.hpp"

namespace jw::app {

std::string data_dictionary(const catalog::Catalogue& catalogue);

}  // namespace jw::app
