// What may be queried, and why or why not: descriptions and explanations. Functions of person, request and policy,
// never of data.
#include <boost/json.hpp>

#include <algorithm>
#include <set>

#include "base/json.hpp"
#include "base/text.hpp"
#include "kernel/catalog/condition.hpp"
#include "kernel/query/engine.hpp"
#include "platform/crypto/api.hpp"

namespace jw::query {

namespace json = boost::json;
using catalog::Dataset;
using catalog::Field;
using catalog::Type;
using policy::Action;
using policy::Authority;
using policy::Decision;

namespace {

constexpr Action kEveryAction[] = {Action::query, Action::detail, Action::statistics, Action::print, Action::export_};

// Every decision that opens the dataset for an action: under the defaults, then under each purpose (grants need one
// stated).
std::vector<const Decision*> openings(const Authority& authority, const Dataset& dataset, Action action) {
  std::vector<const Decision*> out;
  const Decision& plain = authority.decide(dataset, action, "");
  if (plain.allowed()) out.push_back(&plain);
  for (const std::string& purpose : authority.rules().purposes()) {
    const Decision& decision = authority.decide(dataset, action, purpose);
    if (decision.allowed() &&
        std::none_of(out.begin(), out.end(), [&](const Decision* d) { return d->permits == decision.permits; })) {
      out.push_back(&decision);
    }
  }
  return out;
}

std::string basis_json(const std::vector<const Decision*>& decisions) {
  json::array all;
  for (const Decision* decision : decisions) {
    const json::value scope = json::parse(decision->scope_json);
    for (const json::value& basis : scope.at("basis").as_array()) {
      if (std::find(all.begin(), all.end(), basis) == all.end()) all.push_back(basis);
    }
  }
  return json::serialize(all);
}

void write_actions(JsonWriter& out, const Authority& authority, const Dataset& dataset) {
  out.key("actions").array();
  for (Action action : kEveryAction) {
    if (!openings(authority, dataset, action).empty()) out.value(policy::action_name(action));
  }
  out.end_array();
}

// The best that any opening shows of a field: clear on all rows, masked on all rows, differing by row, or nothing.
std::string_view sight_of(const std::vector<const Decision*>& decisions, size_t field) {
  std::string_view best = "hidden";
  const auto rank = [](std::string_view sight) {
    return sight == "clear" ? 3 : sight == "varies" ? 2 : sight == "masked" ? 1 : 0;
  };
  for (const Decision* decision : decisions) {
    const policy::FieldSight& sight = decision->fields[field];
    const auto on_all_rows = [&](const std::vector<int>& permits) {
      return permits.size() == decision->permits.size() || std::any_of(permits.begin(), permits.end(), [&](int i) {
               return decision->permits[static_cast<size_t>(i)]->rows == policy::Atom::Rows::all;
             });
    };
    std::string_view here = "hidden";
    if (on_all_rows(sight.clear) && !sight.clear.empty()) {
      here = "clear";
    } else if (!sight.clear.empty()) {
      here = "varies";
    } else if (!sight.masked.empty()) {
      here = on_all_rows(sight.masked) ? "masked" : "varies";
    }
    if (rank(here) > rank(best)) best = here;
  }
  return best;
}

void write_field(JsonWriter& out, const catalog::Catalogue& catalogue, const Authority& authority,
                 const Dataset& dataset, size_t index, const std::vector<const Decision*>& decisions) {
  const Field& field = dataset.fields[index];
  const std::string_view sight = sight_of(decisions, index);
  out.object().field("name", field.name).field("label", field.label).field("type", catalog::type_name(field.type));
  if (field.type == Type::decimal) out.field("places", field.size);
  if (field.type == Type::text) out.field("length", field.size);
  out.field("level", static_cast<int>(field.level))
      .field("sight", sight)
      .field("lookup", field.is_lookup())
      .field("required", field.required);
  out.key("operators").array();
  for (catalog::Op op : catalog::ops_of(field)) out.value(catalog::op_name(op));
  out.end_array();
  if (field.help) out.field("help", *field.help);
  if (!field.example.empty()) out.field("example", field.example);
  if (!field.standard.empty()) out.field("standard", field.standard);
  if (field.type == Type::code) {
    out.key("codes").array();
    for (const catalog::Code& code : catalogue.code_sets.at(static_cast<size_t>(field.code_set)).codes) {
      out.object().field("code", code.code).field("name", code.name).end_object();
    }
    out.end_array();
  }
  if (field.type == Type::ref) {
    const Dataset& target = catalogue.datasets.at(static_cast<size_t>(field.ref));
    const std::string label_field =
        target.field("name") >= 0 ? "name" : target.fields.at(static_cast<size_t>(target.key.front())).name;
    out.key("ref")
        .object()
        .field("dataset", target.name)
        .field("key", target.fields.at(static_cast<size_t>(target.key.front())).name);
    out.field("label_field", label_field)
        .field("queryable", !openings(authority, target, Action::query).empty())
        .end_object();
  }
  if (sight != "clear") {
    const Text reason = sight == "masked" ? Text{"按许可范围以掩码显示", "shown masked within what is permitted"}
                        : sight == "varies" ? Text{"只在部分行上可见", "seen on some rows only"}
                                            : Text{"不在许可范围内", "not within what is permitted"};
    out.field("reason", reason);
    out.field("remedy", policy::access_remedy(dataset, {field.name}, Action::query, ""));
  }
  out.end_object();
}

// Authority of an asker for descriptions; these read no data and are not recorded.
policy::AuthorityPtr authority_of(policy::Policy& policy, db::Store& store, const policy::Asker& asker, Instant now) {
  const db::Store::Lease lease = store.reader();
  policy.refresh(*lease);
  return policy.authority(*lease, asker, now);
}

}  // namespace

std::string Engine::datasets_json(const policy::Asker& asker) {
  const policy::AuthorityPtr authority = authority_of(impl_->policy, impl_->store, asker, impl_->clock.now());
  std::string out;
  JsonWriter json(out);
  json.object().key("datasets").array();
  for (const Dataset& dataset : impl_->catalogue.datasets) {
    const auto decisions = openings(*authority, dataset, Action::query);
    if (decisions.empty()) continue;
    json.object().field("name", dataset.name).field("label", dataset.label).field("module", dataset.module);
    json.key("basis").raw(basis_json(decisions));
    write_actions(json, *authority, dataset);
    json.end_object();
  }
  json.end_array().end_object();
  return out;
}

std::string Engine::modules_json(const policy::Asker& asker) {
  const policy::AuthorityPtr authority = authority_of(impl_->policy, impl_->store, asker, impl_->clock.now());
  std::string out;
  JsonWriter json(out);
  json.array();
  for (const catalog::Module& module : impl_->catalogue.modules) {
    std::string inner;
    JsonWriter datasets(inner);
    datasets.array();
    bool any = false;
    for (const Dataset& dataset : impl_->catalogue.datasets) {
      if (dataset.module != module.name) continue;
      const auto decisions = openings(*authority, dataset, Action::query);
      if (decisions.empty()) continue;
      any = true;
      datasets.object()
          .field("name", dataset.name)
          .field("label", dataset.label)
          .key("basis")
          .raw(basis_json(decisions))
          .end_object();
    }
    datasets.end_array();
    if (!any) continue;
    json.object()
        .field("name", module.name)
        .field("label", module.label)
        .field("icon", module.icon)
        .key("datasets")
        .raw(inner)
        .end_object();
  }
  json.end_array();
  return out;
}

std::string Engine::posts_json(const policy::Asker& asker) {
  const policy::AuthorityPtr authority = authority_of(impl_->policy, impl_->store, asker, impl_->clock.now());
  std::string out;
  JsonWriter json(out);
  json.array();
  for (const policy::HeldPost& held : authority->posts()) {
    const policy::Post& post = authority->rules().regulation().posts.at(static_cast<size_t>(held.post));
    json.object().field("name", post.name).field("label", post.label).field("clause", post.clause).key("units").array();
    for (const std::string& unit : held.units) json.value(unit);
    json.end_array();
    if (post.refusal) json.field("refusal", *post.refusal);
    json.end_object();
  }
  json.end_array();
  return out;
}

Result<std::string> Engine::dataset_json(const policy::Asker& asker, std::string_view name) {
  const Dataset* dataset = impl_->catalogue.find(name);
  if (dataset == nullptr)
    return Refusal{Code::not_found, "query.dataset_unknown", {"没有这种数据", "there is no such dataset"}};
  const policy::AuthorityPtr authority = authority_of(impl_->policy, impl_->store, asker, impl_->clock.now());
  const auto decisions = openings(*authority, *dataset, Action::query);
  if (decisions.empty()) return *authority->decide(*dataset, Action::query, "").refusal;
  std::string out;
  JsonWriter json(out);
  json.object().field("name", dataset->name).field("label", dataset->label).field("module", dataset->module);
  const auto names = [&](std::string_view key, const std::vector<int>& fields) {
    json.key(key).array();
    for (int field : fields) json.value(dataset->fields.at(static_cast<size_t>(field)).name);
    json.end_array();
  };
  names("key", dataset->key);
  names("show", dataset->show);
  json.key("order").array();
  for (const catalog::SortKey& key : dataset->order) {
    json.value((key.descending ? "-" : "") + dataset->fields.at(static_cast<size_t>(key.field)).name);
  }
  json.end_array();
  if (dataset->has_subject) {
    json.field("about", dataset->about.empty() ? std::string("id")
                                               : dataset->fields.at(static_cast<size_t>(dataset->about.front())).name);
  }
  // The one that a question without a purpose has comes first: it is what pages propose.
  json.key("purposes").array();
  const Decision& plain = authority->decide(*dataset, Action::query, "");
  if (plain.allowed()) json.value(plain.purpose);
  for (const std::string& purpose : authority->rules().purposes()) {
    if (plain.allowed() && purpose == plain.purpose) continue;
    if (authority->decide(*dataset, Action::query, purpose).allowed()) json.value(purpose);
  }
  json.end_array();
  write_actions(json, *authority, *dataset);
  json.key("basis").raw(basis_json(decisions));
  json.key("fields").array();
  for (size_t i = 0; i < dataset->fields.size(); ++i)
    write_field(json, impl_->catalogue, *authority, *dataset, i, decisions);
  json.end_array().end_object();
  return out;
}

Outcome Engine::explain(const policy::Asker& asker, const json::value& request) {
  Run run = impl_->begin(asker, request);
  Result<Query> query = impl_->read(request, run);
  if (!query) return refused(std::move(run), std::move(query).refusal());
  const Action action = query->is_statistics() ? Action::statistics : Action::query;
  run.entry.dataset = query->dataset->name;
  run.entry.action = policy::action_name(action);
  const db::Store::Lease lease = impl_->store.reader();
  run.entry.policy_version = impl_->policy.refresh(*lease);
  const policy::AuthorityPtr authority = impl_->policy.authority(*lease, asker, run.now);
  const Result<Impl::Prepared> prepared = impl_->prepare(*lease, *query, action, run);
  Answer answer;
  JsonWriter json(answer.json);
  json.object().field("decision", prepared ? "allowed" : "denied").field("action", policy::action_name(action));
  json.field("dataset", query->dataset->name);
  json.key("considered").array();
  for (Action each : kEveryAction) {
    for (const Decision* decision : openings(*authority, *query->dataset, each)) {
      json.object().field("action", policy::action_name(each)).field("purpose", decision->purpose);
      json.key("scope").raw(decision->scope_json).field("grants", each == action).end_object();
    }
  }
  json.end_array();
  if (prepared) {
    json.key("scope").raw(prepared->decision->scope_json).field("plan", prepared->plan->digest);
  } else {
    const Refusal& refusal = prepared.refusal();
    json.key("nearest").object().field("missing", refusal.type).field("text", refusal.detail).end_object();
    if (refusal.remedy) json.field("remedy", *refusal.remedy);
  }
  json.end_object();
  run.entry.kind = "explain";
  run.entry.decision = prepared ? "allowed" : prepared.refusal().type;
  return {std::move(run.entry), std::move(answer)};
}

std::string forbid_marks(const catalog::Catalogue& catalogue, const policy::Decision& decision) {
  std::set<std::string> marks;
  for (const auto& [index, forbids] : decision.forbids) {
    const Dataset& of = catalogue.datasets.at(static_cast<size_t>(index));
    for (const policy::BoundForbid& forbid : forbids) {
      const policy::Atom& atom = *forbid.atom;
      std::string what = of.name + "/" + std::to_string(static_cast<int>(atom.rows)) + "/";
      if (atom.relation >= 0) what += catalogue.relations.at(static_cast<size_t>(atom.relation)).name;
      if (atom.has_condition()) what += "/" + json::serialize(catalog::print_condition(catalogue, of, atom.where));
      const crypto::Digest digest = crypto::sha256(what);
      marks.insert(crypto::hex(crypto::bytes_of(digest).substr(0, 12)));
    }
  }
  std::string out;
  for (const std::string& mark : marks) out += ",forbid:" + mark;
  return out;
}

Result<Done> Engine::check_stands(const policy::Asker& asker, const json::value& request, Action action,
                                  const Basis& basis) {
  Run run = impl_->begin(asker, request);
  JW_TRY(const Query query, impl_->read(request, run));
  const db::Store::Lease lease = impl_->store.reader();
  impl_->policy.refresh(*lease);
  JW_TRY(const Impl::Prepared prepared, impl_->prepare(*lease, query, action, run));
  const Decision& decision = *prepared.decision;
  std::vector<std::string> fields;
  for (const auto& [name, clear] : basis.clear) fields.push_back(name);
  const auto ended = [&](const Text& what) {
    Refusal refusal{Code::forbidden,
                    "query.basis_ended",
                    {"这份文件所依据的" + what.zh + "已不再有效，不能再取用",
                     what.en + ", on which this document rests, is in force no longer"}};
    refusal.remedy = policy::access_remedy(*query.dataset, fields, action, decision.purpose);
    return refusal;
  };
  for (const std::string_view mark : split(basis.marks, ',')) {
    if (mark.empty() || mark.starts_with("forbid:") ||
        ("," + decision.basis + ",").find("," + std::string(mark) + ",") != std::string::npos)
      continue;
    const bool grant = mark.starts_with("grant:");
    const std::string name(grant ? mark.substr(6) : mark);
    return ended(grant ? Text{"授权 " + name, "the grant " + name} : Text{"规定 " + name, "clause " + name});
  }
  const std::string forbids = forbid_marks(impl_->catalogue, decision);
  for (const std::string_view mark : split(forbids, ',')) {
    if (!mark.empty() && ("," + basis.marks + ",").find("," + std::string(mark) + ",") == std::string::npos)
      return ended({"可见范围（其后有新的禁止）", "what may be seen (something was forbidden since)"});
  }
  for (const auto& [name, clear] : basis.clear) {
    const int field = query.dataset->field(name);
    const policy::FieldSight* sight = field < 0 ? nullptr : &decision.fields.at(static_cast<size_t>(field));
    if (sight != nullptr && (clear ? !sight->clear.empty() : !sight->is_closed())) continue;
    const Text label = field < 0 ? Text{name, name} : query.dataset->fields.at(static_cast<size_t>(field)).label;
    return ended({"字段“" + label.zh + "”的权限", "the permission for " + label.en});
  }
  return Done{};
}

}  // namespace jw::query
