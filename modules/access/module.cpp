// Access beyond the defaults (§2.4, §2.5): applied for, signed, decided, granted; renewed, changed, confirmed, revoked.
#include "modules/access/access.hpp"
#include "modules/access/tables.hpp"

namespace jw::access {

namespace {

void open(edge::House& house) {
  house.parts.keep(std::make_unique<Uses>());
}

void answered(edge::House& house, std::string_view basis, Instant now) {
  if (basis.find("grant:") != std::string_view::npos) house.parts.get<Uses>().note(basis, now);
}

void turn(edge::House& house) {
  house.parts.get<Uses>().write(house.store);
  tend(house.cases, house.clock.now());
}

const cases::Kind* const kKinds[] = {&kAccess, &kRenewal, &kChange, &kRevocation, &kConfirmation};
constexpr edge::Round kRounds[] = {{"access", std::chrono::seconds(5), turn}};

}  // namespace

extern const edge::Module kModule;
const edge::Module kModule{
    .name = "access",
    .label = {"查询权限", "access"},
    .clause = "2.4",
    .routes = routes(),
    .kinds = kKinds,
    .rounds = kRounds,
    .hooks = {.answered = answered},
    .open = open,
};

}  // namespace jw::access
