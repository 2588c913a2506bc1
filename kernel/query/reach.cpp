// What a query's statement needs to read; see kernel/policy/reach.hpp.
#include "kernel/policy/reach.hpp"

#include "kernel/identity/api.hpp"
#include "kernel/query/plan.hpp"

namespace jw::query {

using catalog::Condition;
using catalog::Dataset;
using catalog::Field;
using policy::Decision;

namespace {

// Need of one query under one decision.
class QueryNeed {
 public:
  QueryNeed(const catalog::Catalogue& catalogue, const Decision& decision)
      : catalogue_(catalogue), decision_(decision), dataset_(*decision.dataset), need_(catalogue) {
    need_.reach() = identity::gate_reach();
    need_.reach().add(policy::lowered_functions());
    need_.table(dataset_);
    for (const policy::Atom* permit : decision.permits) need_.rows(dataset_, *permit);
    forbids_on(dataset_);
  }

  // A field that the asker named or gets. A closed one is never needed, whoever names it.
  void field(int field) {
    if (decision_.fields.at(static_cast<size_t>(field)).is_closed()) return;
    need_.field(dataset_, field);
    const Dataset* reached = &dataset_;
    const Field& asked = dataset_.fields.at(static_cast<size_t>(field));
    for (const int hop : asked.path) reached = pass(*reached, hop);
    if (asked.type == catalog::Type::ref) pass(*reached, asked.is_lookup() ? asked.target : field);
  }
  void sort_by(int of) {
    if (decision_.fields.at(static_cast<size_t>(of)).is_closed()) return;
    field(of);
    need_.sort_key(dataset_, of);
  }
  void condition(const Condition& asked) {
    for (const Condition& part : asked.parts) condition(part);
    if (asked.kind == Condition::Kind::leaf) field(asked.field);
  }
  void list(const Query& query) {
    std::vector<int> fields = query.fields;
    for (size_t f = 0; query.fields.empty() && f < dataset_.fields.size(); ++f) fields.push_back(static_cast<int>(f));
    for (const int each : fields) field(each);
    for (const OrderKey& key : query.order) sort_by(key.field);
    if (query.order.empty()) {
      for (const catalog::SortKey& key : dataset_.order) sort_by(key.field);
    }
    need_.row(dataset_);
    subjects();
  }
  // Whom the rows are about, for who-read-me.
  void subjects() {
    if (!dataset_.has_subject || decision_.own_only) return;
    if (dataset_.about.empty()) need_.row(dataset_);
    const Dataset& persons = need_.way(dataset_, dataset_.about);
    need_.person(persons);
    if (persons.group >= 0) need_.stored(persons, persons.group);
  }
  void statistics(const Query& query) {
    for (const int each : query.group) field(each);
    for (const Measure& measure : query.measures) {
      if (measure.field >= 0) field(measure.field);
      if (measure.where) condition(*measure.where);
    }
    subjects();
  }
  db::Reach& reach() { return need_.reach(); }

 private:
  // Forbids on a row reach the cells borrowed from it.
  const Dataset* pass(const Dataset& from, int hop) {
    const int next = from.fields.at(static_cast<size_t>(hop)).ref;
    const Dataset& reached = catalogue_.datasets.at(static_cast<size_t>(next));
    forbids_on(reached);
    return &reached;
  }
  void forbids_on(const Dataset& dataset) {
    const auto forbids = decision_.forbids.find(dataset.index);
    if (forbids == decision_.forbids.end()) return;
    for (const policy::BoundForbid& forbid : forbids->second) need_.rows(dataset, *forbid.atom);
  }

  const catalog::Catalogue& catalogue_;
  const Decision& decision_;
  const Dataset& dataset_;
  policy::Need need_;
};

}  // namespace

db::ReachPtr reach_of(const catalog::Catalogue& catalogue, const Query& query, const Decision& decision) {
  QueryNeed need(catalogue, decision);
  if (query.where) need.condition(*query.where);
  if (query.is_statistics()) {
    need.statistics(query);
  } else {
    need.list(query);
  }
  return std::make_shared<const db::Reach>(std::move(need.reach()));
}

}  // namespace jw::query
