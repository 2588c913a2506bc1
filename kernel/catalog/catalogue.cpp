// Finding things in a catalogue by name, and the digest of all that shapes tables and meaning.
#include "kernel/catalog/api.hpp"

#include <algorithm>

#include <boost/json/serialize.hpp>

#include "base/json.hpp"
#include "kernel/catalog/condition.hpp"
#include "kernel/catalog/loading.hpp"
#include "platform/crypto/api.hpp"

namespace jw::catalog {
namespace {

void write_field(JsonWriter& out, const Field& field) {
  out.object().field("name", field.name).field("type", type_name(field.type)).field("size", field.size);
  out.field("codes", field.code_set).field("ref", field.ref).field("required", field.required);
  out.field("level", static_cast<int>(field.level)).field("pinyin", field.pinyin).field("pattern", field.pattern);
  out.key("mask").array().value(static_cast<int>(field.mask.kind)).value(field.mask.n).end_array();
  for (const auto& [name, bound] : {std::pair{"min", field.min}, {"max", field.max}}) {
    if (bound) out.field(name, *bound);
  }
  if (field.weekday != 0) out.field("weekday", field.weekday);
  out.key("path").array();
  for (const int hop : field.path) out.value(hop);
  out.value(field.target).end_array().end_object();
}

void write_numbers(JsonWriter& out, std::string_view name, const std::vector<int>& numbers) {
  out.key(name).array();
  for (const int number : numbers) out.value(number);
  out.end_array();
}

void write_dataset(JsonWriter& out, const Catalogue& catalogue, const Dataset& dataset) {
  out.object()
      .field("name", dataset.name)
      .field("person", dataset.person)
      .field("by_kernel", dataset.by_kernel)
      .field("in_record", dataset.in_record);
  out.field("clustered", dataset.clustered)
      .field("has_subject", dataset.has_subject)
      .field("group", dataset.group)
      .field("module", dataset.module);
  out.field("owner_unit", dataset.owner_unit).field("owner_post", dataset.owner_post);
  write_numbers(out, "key", dataset.key);
  write_numbers(out, "about", dataset.about);
  write_numbers(out, "show", dataset.show);
  out.key("order").array();
  for (const SortKey& key : dataset.order) out.value(key.field).value(key.descending);
  out.end_array();
  out.key("indexes").object();
  for (size_t i = 0; i < dataset.indexes.size(); ++i) write_numbers(out, std::to_string(i), dataset.indexes[i]);
  out.end_object();
  out.key("fields").array();
  for (const Field& field : dataset.fields) write_field(out, field);
  out.end_array().key("bindings").object();
  for (const Binding& binding : dataset.bindings) {
    write_numbers(out, catalogue.relations[static_cast<size_t>(binding.relation)].name, binding.path);
  }
  out.end_object().key("checks").array();
  for (const Check& check : dataset.checks)
    out.raw(boost::json::serialize(print_condition(catalogue, dataset, check.must)));
  out.end_array().end_object();
}

}  // namespace

std::string_view type_name(Type type) {
  constexpr std::string_view kNames[] = {"text", "int", "decimal", "date", "timestamp", "bool", "weeks", "code", "ref"};
  return kNames[static_cast<size_t>(type)];
}

int Dataset::field(std::string_view field_name) const {
  for (size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].name == field_name) return static_cast<int>(i);
  }
  return -1;
}

const Binding* Dataset::binding(int relation) const {
  for (const Binding& each : bindings) {
    if (each.relation == relation) return &each;
  }
  return nullptr;
}

const Code* CodeSet::find(std::string_view code) const {
  for (const Code& each : codes) {
    if (each.code == code) return &each;
  }
  return nullptr;
}

namespace {

void raise(Level& level, const Dataset& dataset, int field) {
  if (field != Condition::kRowId) level = std::max(level, dataset.fields.at(static_cast<size_t>(field)).level);
}

void raise(Level& level, const Dataset& dataset, const Condition& condition) {
  for (const Condition& part : condition.parts) raise(level, dataset, part);
  if (condition.kind != Condition::Kind::leaf) return;
  raise(level, dataset, condition.field);
  if (condition.source == Condition::Source::other_field) raise(level, dataset, condition.other);
}

}  // namespace

Level level_of(const Dataset& dataset, const std::vector<int>& shown, const std::vector<Condition>& conditions) {
  Level level = dataset.level;
  for (const int field : shown) raise(level, dataset, field);
  for (const Condition& condition : conditions) raise(level, dataset, condition);
  return level;
}

const Dataset* Catalogue::find(std::string_view dataset) const {
  const auto at = std::lower_bound(datasets.begin(), datasets.end(), dataset,
                                   [](const Dataset& each, std::string_view name) { return each.name < name; });
  return at != datasets.end() && at->name == dataset ? &*at : nullptr;
}

int Catalogue::relation(std::string_view name) const {
  for (size_t i = 0; i < relations.size(); ++i) {
    if (relations[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

int Catalogue::code_set(std::string_view name) const {
  for (size_t i = 0; i < code_sets.size(); ++i) {
    if (code_sets[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

std::string digest_of(const Catalogue& catalogue) {
  std::string text;
  JsonWriter out(text);
  out.object().key("datasets").array();
  for (const Dataset& dataset : catalogue.datasets) write_dataset(out, catalogue, dataset);
  out.end_array().key("relations").array();
  for (const Relation& relation : catalogue.relations) {
    out.object()
        .field("name", relation.name)
        .field("of", relation.of)
        .field("from", relation.from)
        .field("select", relation.select);
    if (relation.from >= 0) {
      const Dataset& from = catalogue.datasets[static_cast<size_t>(relation.from)];
      out.key("where").raw(boost::json::serialize(print_condition(catalogue, from, relation.where)));
    }
    out.end_object();
  }
  out.end_array().key("codes").object();
  for (const CodeSet& set : catalogue.code_sets) {
    out.key(set.name).array();
    for (const Code& code : set.codes)
      out.value(code.code).value(code.parent).value(code.valid_from).value(code.valid_until);
    out.end_array();
  }
  out.end_object().end_object();
  return crypto::hex(crypto::sha256(text));
}

}  // namespace jw::catalog
