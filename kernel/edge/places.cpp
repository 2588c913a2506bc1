#include <algorithm>

#include "kernel/edge/module.hpp"

namespace jw::edge {

void write_places(const Call& call, std::span<const Place> places, JsonWriter& out) {
  for (const Place& place : places) {
    if (!place.open(call)) continue;
    out.object().field("name", place.name).field("label", place.label);
    if (place.count != nullptr) out.field("count", place.count(call));
    out.end_object();
  }
}

bool may_query(const Call& call, std::string_view name, std::initializer_list<std::string_view> relations) {
  House& house = call.house();
  const catalog::Dataset* dataset = house.catalogue.find(name);
  if (dataset == nullptr) return false;
  const db::Store::Lease lease = house.store.reader();
  house.policy.refresh(*lease);
  const policy::AuthorityPtr authority = house.policy.authority(*lease, call.asker(), house.clock.now());
  const policy::Decision& decision = authority->decide(*dataset, policy::Action::query, "");
  if (relations.size() == 0) return decision.allowed();
  return std::any_of(decision.permits.begin(), decision.permits.end(), [&](const policy::Atom* permit) {
    if (permit->rows != policy::Atom::Rows::relation) return false;
    const std::string& relation = house.catalogue.relations[static_cast<size_t>(permit->relation)].name;
    return std::find(relations.begin(), relations.end(), relation) != relations.end();
  });
}

}  // namespace jw::edge
