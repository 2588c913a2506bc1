#include "kernel/policy/reach.hpp"

namespace jw::policy {

using catalog::Condition;
using catalog::Dataset;
using catalog::Field;

namespace {

// As platform/db names tables: unquoted.
std::string table_of(const Dataset& dataset) {
  return (dataset.in_record ? "record." : "") + dataset.name;
}

const Field& field_at(const Dataset& dataset, int field) {
  return dataset.fields.at(static_cast<size_t>(field));
}

}  // namespace

void Need::column(const Dataset& dataset, std::string_view column) {
  reach_.columns[table_of(dataset)].emplace(column);
}

void Need::table(const Dataset& dataset) {
  reach_.columns[table_of(dataset)];
}

void Need::row(const Dataset& dataset) {
  column(dataset, "id");
}

void Need::person(const Dataset& dataset) {
  column(dataset, "person_id");
}

const Dataset& Need::way(const Dataset& dataset, const std::vector<int>& path) {
  const Dataset* reached = &dataset;
  for (const int hop : path) {
    const Field& ref = field_at(*reached, hop);
    column(*reached, ref.name);
    reached = &at(ref.ref);
    row(*reached);
  }
  return *reached;
}

const Field& Need::stored(const Dataset& dataset, int field) {
  const Field& asked = field_at(dataset, field);
  const Dataset& holder = way(dataset, asked.path);
  const Field& own = asked.is_lookup() ? field_at(holder, asked.target) : asked;
  column(holder, own.name);
  return own;
}

void Need::field(const Dataset& dataset, int field) {
  const Field& own = stored(dataset, field);
  if (own.ref < 0) return;
  const Dataset& target = at(own.ref);
  row(target);
  column(target, field_at(target, target.key.front()).name);
}

void Need::sort_key(const Dataset& dataset, int field) {
  const Field& asked = field_at(dataset, field);
  const Dataset& holder = way(dataset, asked.path);
  const Field& own = asked.is_lookup() ? field_at(holder, asked.target) : asked;
  if (own.pinyin) column(holder, own.name + "_sort");
}

void Need::relation(int index) {
  const catalog::Relation& relation = catalogue_.relations.at(static_cast<size_t>(index));
  const Dataset& from = at(relation.from);
  if (relation.select == Condition::kRowId) {
    row(from);
  } else {
    stored(from, relation.select);
  }
  condition(from, relation.where);
}

void Need::condition(const Dataset& dataset, const Condition& asked) {
  for (const Condition& part : asked.parts) condition(dataset, part);
  if (asked.kind != Condition::Kind::leaf) return;
  const bool about_row = asked.field == Condition::kRowId;
  switch (asked.source) {
    case Condition::Source::me: {
      if (about_row) return person(dataset);
      const Dataset& persons = at(stored(dataset, asked.field).ref);
      row(persons);
      return person(persons);
    }
    case Condition::Source::relation:
      if (about_row) row(dataset);
      if (!about_row) stored(dataset, asked.field);
      return relation(catalogue_.relation(asked.name));
    case Condition::Source::today:
    case Condition::Source::today_minus_years:
      stored(dataset, asked.field);
      return;
    case Condition::Source::other_field:
      field(dataset, asked.field);
      return field(dataset, asked.other);
    case Condition::Source::literal:
      return field(dataset, asked.field);
  }
}

void Need::rows(const Dataset& dataset, const Atom& atom) {
  if (atom.has_condition()) condition(dataset, atom.where);
  if (atom.rows != Atom::Rows::relation) return;
  const catalog::Binding* binding = dataset.binding(atom.relation);
  if (binding == nullptr) return;
  const Dataset& end = way(dataset, binding->path);
  const catalog::Relation& relation_to = catalogue_.relations.at(static_cast<size_t>(binding->relation));
  if (relation_to.of < 0) {
    if (!binding->path.empty()) row(end);
    return person(end);
  }
  row(end);
  relation(binding->relation);
}

const db::Reach& lowered_functions() {
  static const db::Reach reach{
      {{"json_each", {"value"}}},
      {"coalesce", "count", "hex", "instr", "length", "max", "min", "replace", "substr", "sum", "zeroblob"}};
  return reach;
}

db::Reach whole_catalogue(const catalog::Catalogue& catalogue) {
  db::Reach all;
  for (const Dataset& dataset : catalogue.datasets) {
    db::Reach::Names& columns = all.columns[table_of(dataset)];
    columns.emplace("id");
    if (dataset.person || dataset.by_kernel) columns.emplace("person_id");
    for (const Field& field : dataset.fields) {
      if (field.is_lookup()) continue;
      columns.insert(field.name);
      if (field.pinyin) columns.insert(field.name + "_sort");
    }
  }
  return all;
}

}  // namespace jw::policy
