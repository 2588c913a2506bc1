// Whom a case waits for, as a condition of the query language: who may act is known to the tables of kinds alone.
#include <boost/json.hpp>

#include <algorithm>
#include <stdexcept>

#include "kernel/case/api.hpp"

namespace jw::cases {

namespace json = boost::json;

namespace {

bool same(const Who& a, const Who& b) {
  return a.is == b.is && a.post == b.post && a.of == b.of && a.unit == b.unit;
}

bool has(const std::vector<Who>& people, const Who& who) {
  return std::any_of(people.begin(), people.end(), [&](const Who& each) { return same(each, who); });
}

std::string_view field_of(Who::Of of) {
  return of == Who::Of::sign_unit ? "sign_unit" : of == Who::Of::owner_unit ? "owner_unit" : "unit";
}

json::object equals(std::string_view field, std::string_view value) {
  return {{"field", field}, {"op", "eq"}, {"value", value}};
}

// Where this actor is such a person; nullopt: nowhere; without members: everywhere.
std::optional<json::object> place_of(const Actor& actor, const Who& who) {
  const bool by_unit = who.of != Who::Of::anywhere && who.of != Who::Of::named;
  json::array units;
  bool any = false;
  for (const Actor::Held& held : actor.posts) {
    if (held.post != who.post || (who.of == Who::Of::named && held.unit != who.unit)) continue;
    if (by_unit && held.unit.empty()) continue;
    any = true;
    if (const json::value unit(held.unit); std::find(units.begin(), units.end(), unit) == units.end())
      units.push_back(unit);
  }
  if (!any) return std::nullopt;
  if (!by_unit) return json::object();
  return json::object{{"field", field_of(who.of)}, {"op", "in"}, {"value", std::move(units)}};
}

}  // namespace

std::string login_of(db::Connection& reader, int64_t account) {
  db::Rows rows = reader.query("SELECT login FROM account WHERE id = $1", {account});
  return rows.next() ? std::string(rows.text(0)) : std::string();
}

std::vector<Desk> desks_of(std::span<const Kind* const> kinds) {
  std::vector<Desk> desks;
  for (const Kind* kind : kinds) {
    for (const State& state : kind->states) {
      if (&state.waits_for == &kWaitsNobody || &state.waits_for == &kWaitsApplicant) continue;
      Desk desk{state.waits_for.name, {}};
      for (const Transition& row : kind->transitions) {
        if (row.from == state.name && row.who.is == Who::Is::post && !has(desk.people, row.who))
          desk.people.push_back(row.who);
      }
      if (desk.people.empty()) continue;  // a state that this kind shares with another and never comes to
      const auto known =
          std::find_if(desks.begin(), desks.end(), [&](const Desk& each) { return each.waits_for == desk.waits_for; });
      if (known == desks.end()) {
        desks.push_back(std::move(desk));
      } else if (known->people.size() != desk.people.size() ||
                 !std::all_of(desk.people.begin(), desk.people.end(),
                              [&](const Who& each) { return has(known->people, each); })) {
        throw std::logic_error("waiting for '" + std::string(desk.waits_for) + "' means other people in " +
                               std::string(kind->name));
      }
    }
  }
  return desks;
}

bool Engine::serves(const Actor& actor) const {
  return std::any_of(desks_.begin(), desks_.end(), [&](const Desk& desk) {
    return std::any_of(desk.people.begin(), desk.people.end(),
                       [&](const Who& who) { return place_of(actor, who).has_value(); });
  });
}

json::value Engine::waits_for(db::Connection& reader, const policy::Asker& asker, Instant now) const {
  const Actor actor = this->actor(reader, asker, login_of(reader, asker.account), {}, now);
  const json::object own = equals("applicant", actor.login);
  json::array any;
  any.emplace_back(json::object{{"all", json::array{own, equals("waits_for", kWaitsApplicant.name)}}});
  for (const Desk& desk : desks_) {
    for (const Who& who : desk.people) {
      std::optional<json::object> place = place_of(actor, who);
      if (!place) continue;
      // Nobody decides what they asked for themselves.
      json::array all{equals("waits_for", desk.waits_for), json::object{{"not", own}}};
      if (!place->empty()) all.push_back(std::move(*place));
      any.emplace_back(json::object{{"all", std::move(all)}});
    }
  }
  return json::object{{"any", std::move(any)}};
}

std::vector<Engine::Lendable> Engine::lendable(db::Connection& reader, const Actor& actor) const {
  const auto rules = services_.policy.rules();
  const policy::Regulation& regulation = rules->regulation();
  std::vector<Lendable> some;
  for (const Actor::Held& held : actor.posts) {
    const bool needed = std::any_of(desks_.begin(), desks_.end(), [&](const Desk& desk) {
      return std::any_of(desk.people.begin(), desk.people.end(), [&](const Who& who) { return who.post == held.post; });
    });
    if (!needed || held.for_person != 0) continue;
    const policy::Post& post = regulation.posts.at(static_cast<size_t>(regulation.post(held.post)));
    if (!post.apart.empty()) continue;  // nobody else does what the three administrators do (§4.3.2)
    some.push_back({held.post, post.label, find_unit(reader, held.unit)});
  }
  return some;
}

}  // namespace jw::cases
