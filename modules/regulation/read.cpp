// The default permissions as they stand and as they were, and what differs (§2.1.1). Their history and proposals are
// datasets (catalog).
#include <boost/json.hpp>

#include <map>

#include "base/json.hpp"
#include "kernel/policy/regulation_edit.hpp"
#include "modules/regulation/regulation.hpp"

namespace jw::regulation {

namespace json = boost::json;
using edge::Call;

namespace {

void write_relations(JsonWriter& out, const catalog::Catalogue& catalogue, const catalog::Dataset& dataset) {
  out.key("relations").array();
  for (const catalog::Binding& binding : dataset.bindings)
    out.value(catalogue.relations[static_cast<size_t>(binding.relation)].name);
  out.end_array();
}

void write_catalogue(JsonWriter& out, const catalog::Catalogue& catalogue) {
  out.key("datasets").array();
  for (const catalog::Dataset& dataset : catalogue.datasets) {
    out.object().field("name", dataset.name).field("label", dataset.label).field("module", dataset.module);
    out.field("academic", !dataset.by_kernel);
    out.key("key").array();
    for (const int key : dataset.key) out.value(dataset.fields[static_cast<size_t>(key)].name);
    out.end_array();
    write_relations(out, catalogue, dataset);
    out.key("fields").array();
    for (const catalog::Field& field : dataset.fields) {
      out.object().field("name", field.name).field("label", field.label);
      out.field("level", static_cast<int>(field.level));
      out.field("masks", field.mask.kind != catalog::Mask::Kind::none).end_object();
    }
    out.end_array().end_object();
  }
  out.end_array().key("relations").array();
  for (const catalog::Relation& relation : catalogue.relations) {
    if (!relation.everyone) out.object().field("name", relation.name).field("label", relation.label).end_object();
  }
  out.end_array().key("modules").array();
  for (const catalog::Module& module : catalogue.modules)
    out.object().field("name", module.name).field("label", module.label).end_object();
  out.end_array();
}

// Each rule as stored, and what it comes to: rows in words, and the sight of every field (c m h) in their order.
void write_rules(JsonWriter& out, const catalog::Catalogue& catalogue, const policy::Regulation& regulation,
                 const json::object& content) {
  std::map<int64_t, const policy::Atom*> atoms;
  for (const policy::Atom& atom : regulation.atoms) atoms[atom.rule] = &atom;
  out.key("rules").array();
  for (const json::value& rule : content.at("rules").as_array()) {
    const auto found = atoms.find(rule.at("id").as_int64());
    out.object().key("rule").raw(json::serialize(rule));
    if (found != atoms.end()) {
      const policy::Atom& atom = *found->second;
      const catalog::Dataset& dataset = catalogue.datasets[static_cast<size_t>(atom.dataset)];
      std::string sights;
      for (const policy::Sight sight : atom.fields)
        sights += sight == policy::Sight::clear ? 'c' : sight == policy::Sight::masked ? 'm' : 'h';
      out.field("rows", policy::rows_in_words(catalogue, dataset, atom)).field("sights", sights);
      out.key("actions").array();
      for (int i = 0; i < policy::kActions; ++i) {
        if ((atom.actions >> i & 1) != 0) out.value(policy::action_name(static_cast<policy::Action>(i)));
      }
      out.end_array();
    }
    out.end_object();
  }
  out.end_array();
}

Result<std::string> regulation_json(const Call& call, int64_t version) {
  edge::House& house = call.house();
  const catalog::Catalogue& catalogue = house.catalogue;
  const auto may = [&](std::string_view power) { return edge::empowered(call, power); };
  const bool proposes = may(kPropose), approves = may(kApprove), asks = may(kSight);
  const db::Store::Lease lease = house.store.reader();
  const db::Transaction snapshot(*lease, db::Transaction::Mode::read);
  const int64_t newest = policy::version_in_force(*lease);
  if (version < 0) version = newest;
  JW_TRY(const json::object content, policy::content_of(*lease, version));
  auto loaded = policy::load_content(content, catalogue);
  policy::Regulation none;
  const auto* regulation = std::get_if<policy::Regulation>(&loaded);
  std::string body;
  JsonWriter out(body);
  out.object().field("version", version).field("in_force", newest);
  out.key("may").object().field("propose", proposes).field("approve", approves).field("ask", asks).end_object();
  for (const char* kind : {"settings", "posts", "powers"}) out.key(kind).raw(json::serialize(content.at(kind)));
  // A version of a catalogue that is no more is shown by its rows alone.
  write_rules(out, catalogue, regulation == nullptr ? none : *regulation, content);
  write_catalogue(out, catalogue);
  out.key("purposes").array();
  for (const std::string& purpose : house.policy.rules()->purposes()) out.value(purpose);
  out.end_array();
  out.end_object();
  return body;
}

Result<std::string> difference_json(const Call& call) {
  const db::Store::Lease lease = call.house().store.reader();
  JW_TRY(const json::object from, policy::content_of(*lease, edge::number_in(call.parameter("from"))));
  JW_TRY(const json::object to, policy::content_of(*lease, edge::number_in(call.parameter("to"))));
  return "{\"changes\":" + json::serialize(policy::difference(from, to)) + "}";
}

void tell(const Call& call, Result<std::string> body) {
  if (!body) return call.refuse(body.refusal());
  call.release(entry_of(call, "regulation_read"), std::move(body).value());
}

}  // namespace

record::Entry entry_of(const Call& call, std::string_view action) {
  record::Entry entry = call.entry("query", action);
  entry.basis = "§2.1.1";
  entry.policy_version = call.house().policy.rules()->epoch();
  return entry;
}

void read(const Call& call) {
  const auto asked = call.request().parameter("version");
  tell(call, regulation_json(call, asked ? std::max<int64_t>(edge::number_in(*asked), 0) : -1));
}

void read_difference(const Call& call) {
  tell(call, difference_json(call));
}

}  // namespace jw::regulation
