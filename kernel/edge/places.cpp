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

// What opens a dataset for whoever asks, without a purpose stated; nullptr: there is no such dataset.
const policy::Decision* decision_on(const Call& call, std::string_view name) {
  const catalog::Dataset* dataset = call.house().catalogue.find(name);
  return dataset == nullptr ? nullptr : &call.authority().decide(*dataset, policy::Action::query, "");
}

}  // namespace

bool may_query_others(const Call& call, std::string_view dataset) {
  const policy::Decision* decision = decision_on(call, dataset);
  return decision != nullptr && decision->allowed() && !decision->own_only;
}

bool may_query(const Call& call, std::string_view name, std::initializer_list<std::string_view> relations) {
  const policy::Decision* decision = decision_on(call, name);
  if (decision == nullptr || relations.size() == 0) return decision != nullptr && decision->allowed();
  return std::any_of(decision->permits.begin(), decision->permits.end(), [&](const policy::Atom* permit) {
    if (permit->rows != policy::Atom::Rows::relation) return false;
    const std::string& relation = call.house().catalogue.relations[static_cast<size_t>(permit->relation)].name;
    return std::find(relations.begin(), relations.end(), relation) != relations.end();
  });
}

}  // namespace jw::edge
