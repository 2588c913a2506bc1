// Access beyond the defaults (§2.4, §2.5): applied for, signed, decided, granted; renewed, changed, confirmed, revoked.
#include <boost/json.hpp>

#include <algorithm>

#include "modules/access/access.hpp"
#include "modules/access/tables.hpp"

namespace jw::access {

namespace {

namespace json = boost::json;

// The posts that somebody holds, not those stood in for.
std::vector<cases::Actor::Held> posts_of(edge::House& house, const policy::Asker& asker) {
  const db::Store::Lease lease = house.store.reader();
  house.policy.refresh(*lease);
  auto posts = house.cases.actor(*lease, asker, {}, {}, house.clock.now()).posts;
  std::erase_if(posts, [](const cases::Actor::Held& each) { return each.for_person != 0; });
  return posts;
}

bool holds(const edge::Call& call, std::string_view post) {
  const policy::Authority& authority = call.authority();
  const int asked = authority.rules().regulation().post(post);
  return std::any_of(authority.posts().begin(), authority.posts().end(),
                     [&](const policy::HeldPost& held) { return held.post == asked; });
}

// Grants of this person, and of the posts held.
json::value mine(edge::House& house, const policy::Asker& asker) {
  const std::string login = cases::login_of(*house.store.reader(), asker.account);
  json::array any{json::object{{"field", "holder"}, {"op", "eq"}, {"value", login}}};
  for (const cases::Actor::Held& held : posts_of(house, asker)) {
    if (held.unit.empty()) continue;
    const json::object post{{"field", "post"}, {"op", "eq"}, {"value", held.post}};
    const json::object unit{{"field", "holder_unit"}, {"op", "eq"}, {"value", held.unit}};
    any.emplace_back(json::object{{"all", json::array{post, unit}}});
  }
  return json::object{{"any", std::move(any)}};
}

// Grants of the people of the units that this person heads.
json::value of_my_units(edge::House& house, const policy::Asker& asker) {
  json::array units;
  for (const cases::Actor::Held& held : posts_of(house, asker)) {
    if (held.post == kHead) units.emplace_back(held.unit);
  }
  return json::object{{"field", "holder_unit"}, {"op", "in"}, {"value", std::move(units)}};
}

void open(edge::House& house) {
  house.parts.keep(std::make_unique<Uses>());
  house.engine.name_condition("access_grant", "mine",
                              [&house](const policy::Asker& asker, Instant) { return mine(house, asker); });
  house.engine.name_condition("access_grant", "of_my_units",
                              [&house](const policy::Asker& asker, Instant) { return of_my_units(house, asker); });
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

bool heads(const edge::Call& call) {
  return holds(call, kHead);
}
bool decides(const edge::Call& call) {
  return holds(call, kOffice);
}

const edge::Place kPlaces[] = {
    {.name = "grants", .label = {"授权", "Grants"}, .open = edge::everybody},
    {.name = "unit_grants", .label = {"本单位的授权", "Grants of my unit"}, .open = heads},
    {.name = "all_grants", .label = {"全部授权", "All grants"}, .open = decides},
};

}  // namespace

extern const edge::Module kModule;
const edge::Module kModule{
    .name = "access",
    .label = {"查询权限", "access"},
    .clause = "2.4",
    .routes = routes(),
    .places = kPlaces,
    .kinds = kKinds,
    .rounds = kRounds,
    .hooks = {.answered = answered},
    .open = open,
};

}  // namespace jw::access
