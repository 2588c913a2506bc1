// Commands that fill a store: demo and import.
#include <iostream>

#include "app/arguments.hpp"
#include "app/commands.hpp"
#include "app/system.hpp"

namespace jw::app {

int demo(const Words&) { throw UsageError("-"); }
int import_file(const Words&) { throw UsageError("-"); }

}  // namespace jw::app
