// A procedure is one folder, its name in CMakeLists.txt, and its row here (docs/howto/add-a-procedure.md).
#include "app/modules.hpp"

// clang-format off
#define JW_MODULES(ROW) \
  ROW(access)           \
  ROW(calendar)         \
  ROW(documents)        \
  ROW(lending)          \
  ROW(made_up)          \
  ROW(regulation)       \
  ROW(zfsoft)
// clang-format on

#define JW_DECLARE(name)             \
  namespace jw::name {               \
  extern const edge::Module kModule; \
  }
JW_MODULES(JW_DECLARE)

namespace jw::app {

std::span<const edge::Module* const> modules() {
#define JW_ADDRESS(name) &jw::name::kModule,
  static const edge::Module* const kAll[] = {JW_MODULES(JW_ADDRESS)};
  return kAll;
}

std::vector<const cases::Kind*> kinds() {
  std::vector<const cases::Kind*> all;
  for (const edge::Module* module : modules()) all.insert(all.end(), module->kinds.begin(), module->kinds.end());
  return all;
}

}  // namespace jw::app
