#include "kernel/query/known.hpp"

#include <algorithm>

#include "base/fault.hpp"

namespace jw::query {

using catalog::Condition;
using catalog::Dataset;
using policy::Action;
using policy::Atom;
using policy::Decision;

policy::AuthorityPtr authority_of(db::Connection& reader, const std::shared_ptr<const policy::Rules>& rules,
                                  const policy::Asker& viewer, Instant now) {
  Instant edge;
  return rules->authority(rules, rules->posts_of(reader, viewer.person, viewer.session, now), viewer.account, now,
                          edge);
}

bool Known::field(const Dataset& dataset, int field) const {
  const Decision& decision = viewing_.decide(dataset, Action::query, "");
  if (!decision.allowed() || JW_FAULT(68, decision.forbids.contains(dataset.index), false)) return false;
  // Which row it is, is known by its key; a permit that shows no field opens no row.
  if (field == Condition::kRowId)
    return JW_FAULT(
        70, std::all_of(dataset.key.begin(), dataset.key.end(), [&](int key) { return this->field(dataset, key); }),
        true);
  const auto whole = [&](const Atom* permit) { return permit->rows == Atom::Rows::all; };
  const catalog::Field& asked = dataset.fields.at(static_cast<size_t>(field));
  const Dataset* reached = &dataset;  // forbids on a row reach what is borrowed from it
  for (const int hop : asked.path) {
    reached = &catalogue_.datasets.at(static_cast<size_t>(reached->fields.at(static_cast<size_t>(hop)).ref));
    if (decision.forbids.contains(reached->index)) return false;
  }
  if (asked.ref >= 0 && decision.forbids.contains(asked.ref)) return false;
  const std::vector<int>& clear = decision.fields.at(static_cast<size_t>(field)).clear;
  return std::any_of(clear.begin(), clear.end(),
                     [&](int permit) { return whole(decision.permits.at(static_cast<size_t>(permit))); });
}

bool Known::condition(const Dataset& dataset, const Condition& condition) const {
  for (const Condition& part : condition.parts) {
    if (!this->condition(dataset, part)) return false;
  }
  if (condition.kind != Condition::Kind::leaf) return true;
  if (!field(dataset, condition.field)) return false;
  if (condition.source == Condition::Source::other_field) return field(dataset, condition.other);
  return condition.source != Condition::Source::relation || relation(catalogue_.relation(condition.name));
}

bool Known::relation(int index) const {
  const catalog::Relation& relation = catalogue_.relations.at(static_cast<size_t>(index));
  if (relation.of < 0) return true;  // oneself
  const Dataset& from = catalogue_.datasets.at(static_cast<size_t>(relation.from));
  return JW_FAULT(69, field(from, relation.select) && condition(from, relation.where), true);
}

bool Known::beyond(const Dataset& dataset, const std::vector<int>& path) const {
  const Dataset* reached = &dataset;
  for (size_t i = 0; i < path.size(); ++i) {
    if (i > 0 && JW_FAULT(71, !field(*reached, path[i]), false)) return false;
    reached = &catalogue_.datasets.at(static_cast<size_t>(reached->fields.at(static_cast<size_t>(path[i])).ref));
  }
  return true;
}

bool Known::rows(const Atom& atom) const {
  const Dataset& of = catalogue_.datasets.at(static_cast<size_t>(atom.dataset));
  if (atom.has_condition() && !condition(of, atom.where)) return false;
  if (atom.rows != Atom::Rows::relation) return true;
  const catalog::Binding* binding = of.binding(atom.relation);
  if (binding == nullptr) return false;
  const bool first = binding->path.empty() || field(of, binding->path.front());
  return first && beyond(of, binding->path) && relation(atom.relation);
}

bool Known::grants() const {
  const Dataset* grants = catalogue_.find("access_grant");
  return grants != nullptr && field(*grants, grants->field("holder"));
}

bool Known::post(const policy::Regulation& regulation, int index) const {
  const policy::Post& post = regulation.posts.at(static_cast<size_t>(index));
  const Dataset& from = catalogue_.datasets.at(static_cast<size_t>(post.from));
  if (!condition(from, post.where) || (post.unit >= 0 && !field(from, post.unit))) return false;
  // Of posts with one mark nobody holds two, so who holds the others counts as well.
  return post.apart.empty() || apart(regulation);
}

bool Known::posts_of(const policy::Regulation& regulation, const Atom& atom) const {
  if (atom.post >= 0) return post(regulation, atom.post);
  for (size_t i = 0; !atom.unit.empty() && i < regulation.posts.size(); ++i) {
    if (regulation.posts[i].unit >= 0 && !post(regulation, static_cast<int>(i))) return false;
  }
  return true;
}

bool Known::apart(const policy::Regulation& regulation) const {
  return std::all_of(regulation.posts.begin(), regulation.posts.end(), [&](const policy::Post& each) {
    return each.apart.empty() || condition(catalogue_.datasets.at(static_cast<size_t>(each.from)), each.where);
  });
}

}  // namespace jw::query
