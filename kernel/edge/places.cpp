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

namespace {

// What opens a dataset for whoever asks, without a purpose stated.
struct Decided {
  policy::AuthorityPtr authority;
  const policy::Decision* decision = nullptr;
};
Decided decided_for(const Call& call, std::string_view name) {
  House& house = call.house();
  const catalog::Dataset* dataset = house.catalogue.find(name);
  if (dataset == nullptr) return {};
  const db::Store::Lease lease = house.store.reader();
  house.policy.refresh(*lease);
  Decided decided{house.policy.authority(*lease, call.asker(), house.clock.now())};
  decided.decision = &decided.authority->decide(*dataset, policy::Action::query, "");
  return decided;
}

}  // namespace

bool may_query_others(const Call& call, std::string_view dataset) {
  const Decided decided = decided_for(call, dataset);
  return decided.decision != nullptr && decided.decision->allowed() && !decided.decision->own_only;
}

bool may_query(const Call& call, std::string_view name, std::initializer_list<std::string_view> relations) {
  const Decided decided = decided_for(call, name);
  if (decided.decision == nullptr || relations.size() == 0)
    return decided.decision != nullptr && decided.decision->allowed();
  const std::vector<const policy::Atom*>& permits = decided.decision->permits;
  return std::any_of(permits.begin(), permits.end(), [&](const policy::Atom* permit) {
    if (permit->rows != policy::Atom::Rows::relation) return false;
    const std::string& relation = call.house().catalogue.relations[static_cast<size_t>(permit->relation)].name;
    return std::find(relations.begin(), relations.end(), relation) != relations.end();
  });
}

}  // namespace jw::edge
