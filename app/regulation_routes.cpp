// Permission administration (§2.1.1, §4.3.2): the default permissions as they stand and as they were, proposals and
// their effect, decisions by a second person, and who sees what.
#include <boost/json.hpp>

#include <charconv>

#include "app/problem.hpp"
#include "app/serving.hpp"
#include "base/json.hpp"
#include "kernel/policy/regulation_edit.hpp"
#include "kernel/query/effect.hpp"
#include "kernel/query/sight.hpp"
#include "platform/crypto/api.hpp"

namespace jw::app {

namespace json = boost::json;

namespace {

using Session = std::shared_ptr<const identity::Session>;
using Rules = std::shared_ptr<const policy::Rules>;

constexpr int kVersionsShown = 200, kProposalsShown = 50;
constexpr std::string_view kPropose = "regulation_propose", kApprove = "regulation_approve", kSight = "sight_ask";

// What somebody may do here, by the rules in force at this moment.
struct Desk {
  Rules rules;
  policy::Hand hand;
  bool proposes = false, approves = false, asks = false;
  bool any() const { return proposes || approves || asks; }
};

Desk desk_of(Serving& serving, db::Connection& reader, const identity::Session& session, std::string_view power = {}) {
  System& system = serving.system;
  system.policy->refresh(reader);  // nothing here runs through the gate of a governed statement
  Desk desk{system.policy->rules(), {session.account, session.person, session.id, session.display_name, {}, {}}};
  const std::vector<policy::HeldPost> held =
      desk.rules->posts_of(reader, session.person, session.id, system.clock->now());
  desk.proposes = desk.rules->empowered(held, kPropose) >= 0;
  desk.approves = desk.rules->empowered(held, kApprove) >= 0;
  desk.asks = desk.rules->empowered(held, kSight) >= 0;
  int post = -1;
  for (const std::string_view each : {power, kPropose, kApprove, kSight}) {
    if (post < 0) post = desk.rules->empowered(held, each);
  }
  for (const policy::HeldPost& each : held) {
    if (each.post != post) continue;
    desk.hand.post = desk.rules->regulation().posts[static_cast<size_t>(post)].name;
    desk.hand.unit = each.units.empty() ? "" : each.units.front();
  }
  return desk;
}

const Refusal kNoPower{
    Code::forbidden,
    "regulation.no_power",
    {"默认权限由教务处提议，教务处另一人或安全管理员审批；其他人不能查看或办理",
     "the academic affairs office proposes default permissions, and another of it or the security "
     "administrator decides; nobody else looks at or does this"},
    {},
    Remedy{"2.1.1",
           {"认为默认权限有误，请告知教务处；需要更多权限，请提交权限申请",
            "if a default permission is wrong, tell the academic affairs office; to see more, apply"},
           "",
           ""}};

record::Entry entry_of(Serving& serving, const identity::Session& session, const Desk& desk, std::string_view kind,
                       std::string_view action) {
  record::Entry entry;
  entry.time = serving.system.clock->now();
  entry.kind = kind;
  entry.account = session.account;
  entry.person = session.person;
  entry.session = session.id;
  entry.post = desk.hand.post;
  entry.unit = desk.hand.unit;
  entry.action = action;
  entry.decision = "allowed";
  entry.basis = "§2.1.1";
  entry.policy_version = desk.rules->epoch();
  return entry;
}

// A refused attempt is on record, too (§6.1.1).
void refuse_recorded(Serving& serving, const identity::Session& session, const Desk& desk, std::string_view action,
                     Refusal refusal, const http::Request& request, const http::Respond& respond) {
  query::Outcome outcome;
  outcome.entry = entry_of(serving, session, desk, "refusal", action);
  outcome.entry.decision = refusal.type;
  outcome.result = std::move(refusal);
  release(serving, session, std::move(outcome), request.id, respond);
}

// `body` is a JSON object; it is told with the id of its leaf when that is durable.
void tell(Serving& serving, const identity::Session& session, record::Entry entry, std::string body,
          const http::Request& request, const http::Respond& respond) {
  body.pop_back();  // the closing bracket: release() adds the leaf
  entry.digest = crypto::sha256(body);
  release(serving, session, {std::move(entry), query::Answer{std::move(body), 0}}, request.id, respond);
}

// ---- members of requests

Refusal wrong(const std::string& field, Text text) {
  return {Code::unprocessable, "http.field_wrong", {"请求有误", "the request is not right"}, {{field, "wrong", text}}};
}

Result<int64_t> number(const json::object& body, const std::string& name) {
  const json::value* value = body.if_contains(name);
  if (value == nullptr || !value->is_int64() || value->get_int64() < 0)
    return wrong(name, {"必填，应为整数", "required, as a whole number"});
  return value->get_int64();
}

Result<std::string> text(const json::object& body, const std::string& name, bool required = true) {
  const json::value* value = body.if_contains(name);
  if (value == nullptr && !required) return std::string();
  if (value == nullptr || !value->is_string() || value->get_string().size() > 4096)
    return wrong(name, {"必填，应为文字", "required, as text"});
  return std::string(value->get_string());
}

Result<json::array> list(const json::object& body, const std::string& name) {
  const json::value* value = body.if_contains(name);
  if (value == nullptr || !value->is_array()) return wrong(name, {"必填，应为数组", "required, as an array"});
  return value->get_array();
}

int64_t numbered(std::string_view text) {
  int64_t number = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size() ? number : -1;
}

// ---- reading

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
    out.field("academic", !dataset.by_kernel && !dataset.in_record);
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

void write_history(JsonWriter& out, db::Connection& reader) {
  out.key("history").array();
  for (const policy::Version& each : policy::versions(reader, kVersionsShown)) {
    out.object().field("version", each.version).field("base", each.base).field("kind", each.kind);
    out.field("clause", each.clause).field("note", each.note);
    out.field("proposed_by", each.proposed_name).field("approved_by", each.approved_name);
    out.field("proposed", each.proposed.print()).field("approved", each.approved.print());
    if (each.rolled_back_to) out.field("rolled_back_to", *each.rolled_back_to);
    out.end_object();
  }
  out.end_array();
}

void write_proposals(JsonWriter& out, db::Connection& reader, const policy::Hand& hand) {
  out.key("proposals").array();
  for (const policy::Proposal& each : policy::proposals(reader, kProposalsShown)) {
    out.object().field("id", each.id).field("kind", each.kind).field("state", each.state).field("base", each.base);
    out.field("clause", each.clause).field("note", each.note).field("answer", each.answer);
    out.field("proposed_by", each.proposed_name).field("proposed", each.proposed.print());
    out.field("own", each.proposed_by == hand.account || (hand.person != 0 && each.proposed_person == hand.person));
    if (each.state != "proposed") {
      out.field("decided_by", each.decided_name).field("decided", each.decided.print());
    }
    if (each.version) out.field("version", *each.version);
    if (each.rolled_back_to) out.field("rolled_back_to", *each.rolled_back_to);
    out.key("changes");
    if (const auto base = policy::content_of(reader, each.base)) {
      out.raw(json::serialize(policy::difference(*base, each.content)));
    } else {
      out.raw("[]");
    }
    out.end_object();
  }
  out.end_array();
}

Result<std::string> regulation_json(Serving& serving, db::Connection& reader, const Desk& desk, int64_t version) {
  const catalog::Catalogue& catalogue = *serving.system.catalogue;
  const int64_t newest = policy::version_in_force(reader);
  if (version < 0) version = newest;
  JW_TRY(const json::object content, policy::content_of(reader, version));
  auto loaded = policy::load_content(content, catalogue);
  policy::Regulation none;
  const auto* regulation = std::get_if<policy::Regulation>(&loaded);
  std::string body;
  JsonWriter out(body);
  out.object().field("version", version).field("in_force", newest);
  out.key("may").object().field("propose", desk.proposes).field("approve", desk.approves).field("ask", desk.asks);
  out.end_object();
  for (const char* kind : {"settings", "posts", "powers"}) out.key(kind).raw(json::serialize(content.at(kind)));
  // A version of a catalogue that is no more is shown by its rows alone.
  write_rules(out, catalogue, regulation == nullptr ? none : *regulation, content);
  write_catalogue(out, catalogue);
  out.key("purposes").array();
  for (const std::string& purpose : desk.rules->purposes()) out.value(purpose);
  out.end_array();
  write_history(out, reader);
  write_proposals(out, reader, desk.hand);
  out.end_object();
  return body;
}

void read_regulation(Serving& serving, const http::Request& request, const identity::Session& session,
                     const http::Respond& respond) {
  Desk desk;
  Result<std::string> body = std::string();
  {
    const db::Store::Lease lease = serving.system.store->reader();
    desk = desk_of(serving, *lease, session);
    if (desk.any()) {
      const auto asked = request.parameter("version");
      const db::Transaction snapshot(*lease, db::Transaction::Mode::read);
      body = regulation_json(serving, *lease, desk, asked ? std::max<int64_t>(numbered(*asked), 0) : -1);
    }
  }
  if (!desk.any()) return refuse_recorded(serving, session, desk, "regulation_read", kNoPower, request, respond);
  if (!body) return respond(problem(body.refusal(), request.id));
  tell(serving, session, entry_of(serving, session, desk, "query", "regulation_read"), std::move(*body), request,
       respond);
}

void read_difference(Serving& serving, const http::Request& request, const identity::Session& session,
                     const http::Respond& respond) {
  Desk desk;
  Result<std::string> body = std::string();
  {
    const db::Store::Lease lease = serving.system.store->reader();
    desk = desk_of(serving, *lease, session);
    const auto differ = [&]() -> Result<std::string> {
      JW_TRY(const json::object from, policy::content_of(*lease, numbered(request.parameter("from").value_or(""))));
      JW_TRY(const json::object to, policy::content_of(*lease, numbered(request.parameter("to").value_or(""))));
      return "{\"changes\":" + json::serialize(policy::difference(from, to)) + "}";
    };
    if (desk.any()) body = differ();
  }
  if (!desk.any()) return refuse_recorded(serving, session, desk, "regulation_read", kNoPower, request, respond);
  if (!body) return respond(problem(body.refusal(), request.id));
  tell(serving, session, entry_of(serving, session, desk, "query", "regulation_read"), std::move(*body), request,
       respond);
}

// ---- preview

struct Previewed {
  std::string json;
  std::vector<query::Effect::Told> told;
};

// What is asked about: {"changes":[…]}, {"rollback_to":N} or {"proposal":N}, against the version in force.
Result<policy::Draft> drafted(db::Connection& reader, const catalog::Catalogue& catalogue, const json::object& body,
                              const json::object& base) {
  if (body.contains("rollback_to")) {
    JW_TRY(const int64_t to, number(body, "rollback_to"));
    JW_TRY(const json::object then, policy::content_of(reader, to));
    return policy::draft_rollback(catalogue, base, then);
  }
  if (body.contains("proposal")) {
    JW_TRY(const int64_t id, number(body, "proposal"));
    JW_TRY(policy::Proposal found, policy::proposal(reader, id));
    auto loaded = policy::load_content(found.content, catalogue);
    if (const auto* regulation = std::get_if<policy::Regulation>(&loaded))
      return policy::Draft{std::move(found.content), *regulation};
    return Refusal{Code::conflict,
                   "regulation.change_invalid",
                   {"提议与现在的数据目录不符，不能再采纳", "the proposal does not fit the catalogue any more"}};
  }
  JW_TRY(const json::array changes, list(body, "changes"));
  return policy::draft(catalogue, base, changes);
}

Result<Previewed> previewed(Serving& serving, db::Connection& reader, const Desk& desk,
                            const identity::Session& session, const json::object& body) {
  const catalog::Catalogue& catalogue = *serving.system.catalogue;
  const policy::Regulation& now = desk.rules->regulation();
  JW_TRY(const json::object base, policy::content_of(reader, now.version));
  JW_TRY(policy::Draft draft, drafted(reader, catalogue, body, base));
  draft.regulation.version = -1;  // of no plan that is kept
  const Rules after = desk.rules->with(std::move(draft.regulation));
  const query::Effect effect =
      query::effect_of(catalogue, reader, desk.rules, after, asker_of(session), serving.system.clock->now());
  Previewed out{{}, effect.told};
  JsonWriter writer(out.json);
  writer.object().field("base", now.version);
  writer.key("changes").raw(json::serialize(policy::difference(base, draft.content)));
  writer.key("effect").raw(effect.json).end_object();
  return out;
}

void preview(Serving& serving, const http::Request& request, const identity::Session& session,
             const http::Respond& respond) {
  const Result<json::object> body = object_body(request);
  if (!body) return respond(problem(body.refusal(), request.id));
  Desk desk;
  Result<Previewed> made = Previewed{};
  {
    const db::Store::Lease lease = serving.system.store->reader();
    desk = desk_of(serving, *lease, session);
    if (desk.proposes || desk.approves) made = previewed(serving, *lease, desk, session, *body);
  }
  if (!desk.proposes && !desk.approves)
    return refuse_recorded(serving, session, desk, "regulation_preview", kNoPower, request, respond);
  if (!made) return respond(problem(made.refusal(), request.id));
  // Whose rows stood in a sample can see that (§1.3.1): a leaf for each dataset, before anything is told.
  for (query::Effect::Told& told : made->told) {
    record::Entry entry = entry_of(serving, session, desk, "query", "query");
    entry.dataset = told.dataset;
    entry.purpose = "teaching_administration";
    entry.rows = told.rows;
    entry.subjects = std::move(told.subjects);
    entry.parameters = R"({"of":"regulation_preview"})";
    if (!serving.system.recorder->append_and_wait(std::move(entry)))
      return respond(problem({Code::unavailable, "record.not_durable", {"记录无法保存", "the record cannot be kept"}},
                             request.id));
  }
  record::Entry entry = entry_of(serving, session, desk, "query", "regulation_preview");
  entry.parameters = json::serialize(*body);
  tell(serving, session, std::move(entry), std::move(made->json), request, respond);
}

// ---- acts

using Acted = policy::Acted;

// One act: the power, then `act` in the writing transaction. Who is refused leaves a leaf, what is wrong in the content
// does not.
template <class Act>
void act(Serving& serving, const http::Request& request, const identity::Session& session, std::string_view action,
         std::string_view power, const http::Respond& respond, Act run) {
  System& system = serving.system;
  const Result<json::object> body = object_body(request);
  if (!body) return respond(problem(body.refusal(), request.id));
  Desk desk;
  {
    const db::Store::Lease lease = system.store->reader();
    desk = desk_of(serving, *lease, session, power);
  }
  if (!(power == kPropose ? desk.proposes : desk.approves))
    return refuse_recorded(serving, session, desk, action, kNoPower, request, respond);
  Result<Acted> done = Acted{};
  {
    const db::Store::Lease lease = system.store->writer();
    db::Transaction transaction(*lease, db::Transaction::Mode::write);
    done = run(*lease, *body, desk, system.clock->now());
    if (done) transaction.commit();
  }
  if (!done) {
    if (done.refusal().code != Code::forbidden && done.refusal().code != Code::conflict)
      return respond(problem(done.refusal(), request.id));
    return refuse_recorded(serving, session, desk, action, done.refusal(), request, respond);
  }
  const auto leaf = system.recorder->deliver(done->outbox);
  if (!leaf) {
    return respond(problem(
        {Code::unavailable,
         "record.not_durable",
         {"已办理，但记录暂时无法保存，稍后会补上", "it is done, but its record cannot be kept now; it follows later"}},
        request.id));
  }
  std::string text;
  JsonWriter out(text);
  out.object().field("proposal", done->proposal).field("version", done->version).field("record", leaf->id());
  out.end_object();
  respond(json_response(std::move(text)));
}

Result<policy::Wording> wording_of(const json::object& body) {
  policy::Wording wording;
  JW_TRY(wording.note, text(body, "note"));
  JW_TRY(wording.clause, text(body, "clause", false));
  return wording;
}

void propose(Serving& serving, const http::Request& request, const identity::Session& session,
             const http::Respond& respond) {
  act(serving, request, session, "regulation_propose", kPropose, respond,
      [&](db::Connection& transaction, const json::object& body, const Desk& desk, Instant now) -> Result<Acted> {
        JW_TRY(const policy::Wording wording, wording_of(body));
        JW_TRY(const int64_t base, number(body, "base"));
        JW_TRY(const json::array changes, list(body, "changes"));
        return policy::propose(transaction, *serving.system.recorder, *serving.system.catalogue, base, changes, wording,
                               desk.hand, now);
      });
}

void roll_back(Serving& serving, const http::Request& request, const identity::Session& session,
               const http::Respond& respond) {
  act(serving, request, session, "regulation_propose", kPropose, respond,
      [&](db::Connection& transaction, const json::object& body, const Desk& desk, Instant now) -> Result<Acted> {
        JW_TRY(const policy::Wording wording, wording_of(body));
        JW_TRY(const int64_t base, number(body, "base"));
        JW_TRY(const int64_t to, number(body, "to"));
        return policy::propose_rollback(transaction, *serving.system.recorder, *serving.system.catalogue, base, to,
                                        wording, desk.hand, now);
      });
}

// Deciding is signing: who decides shows again who it is (design §8).
Result<Done> confirmed(Serving& serving, const identity::Session& session, const http::Request& request) {
  JW_TRY(const json::object body, object_body(request));
  JW_TRY(const std::string password, text(body, "password", false));
  JW_TRY(const std::string code, text(body, "code", false));
  return serving.system.identity->confirm_again(session, code, password);
}

// Whoever proposed must still be one who may: a post that ended takes its open proposals with it (§2.5.1).
Result<Done> proposer_holds(Serving& serving, db::Connection& transaction, const Desk& desk, int64_t id, Instant now) {
  JW_TRY(const policy::Proposal found, policy::proposal(transaction, id));
  std::vector<policy::HeldPost> held;
  {
    const db::Store::Lease reader = serving.system.store->reader();
    held = desk.rules->posts_of(*reader, found.proposed_person, 0, now);
  }
  if (desk.rules->empowered(held, kPropose) >= 0) return Done{};
  return Refusal{Code::conflict,
                 "regulation.proposer_gone",
                 {"提议人已不再担任可以提议的岗位，只能退回", "who proposed holds the post no longer; reject it"}};
}

void approve(Serving& serving, const http::Request& request, const identity::Session& session,
             const http::Respond& respond) {
  if (const auto sure = confirmed(serving, session, request); !sure)
    return respond(problem(sure.refusal(), request.id));
  const int64_t id = numbered(request.captures.at(0));
  act(serving, request, session, "regulation_approve", kApprove, respond,
      [&](db::Connection& transaction, const json::object&, const Desk& desk, Instant now) -> Result<Acted> {
        JW_CHECK(proposer_holds(serving, transaction, desk, id, now));
        return policy::approve(transaction, *serving.system.recorder, *serving.system.catalogue, id, desk.hand, now);
      });
}

void reject(Serving& serving, const http::Request& request, const identity::Session& session,
            const http::Respond& respond) {
  if (const auto sure = confirmed(serving, session, request); !sure)
    return respond(problem(sure.refusal(), request.id));
  const int64_t id = numbered(request.captures.at(0));
  act(serving, request, session, "regulation_reject", kApprove, respond,
      [&](db::Connection& transaction, const json::object& body, const Desk& desk, Instant now) -> Result<Acted> {
        JW_TRY(const std::string reason, text(body, "reason"));
        return policy::reject(transaction, *serving.system.recorder, id, reason, desk.hand, now);
      });
}

void withdraw(Serving& serving, const http::Request& request, const identity::Session& session,
              const http::Respond& respond) {
  const int64_t id = numbered(request.captures.at(0));
  act(serving, request, session, "regulation_withdraw", kPropose, respond,
      [&](db::Connection& transaction, const json::object&, const Desk& desk, Instant now) -> Result<Acted> {
        return policy::withdraw(transaction, *serving.system.recorder, id, desk.hand, now);
      });
}

// ---- who sees what

template <class Look>
void look(Serving& serving, const http::Request& request, const identity::Session& session, std::string_view action,
          const http::Respond& respond, const std::string& parameters, Look found) {
  Desk desk;
  Result<std::string> body = std::string();
  {
    const db::Store::Lease lease = serving.system.store->reader();
    desk = desk_of(serving, *lease, session, kSight);
    lease->statement_limit(std::chrono::seconds(20));
    if (desk.asks) body = found(*lease, desk.rules, serving.system.clock->now());
  }
  if (!desk.asks) return refuse_recorded(serving, session, desk, action, kNoPower, request, respond);
  record::Entry entry = entry_of(serving, session, desk, "query", action);
  entry.basis = "§4.3.2";
  entry.parameters = parameters;
  if (body) return tell(serving, session, std::move(entry), std::move(*body), request, respond);
  entry.kind = "refusal";
  entry.decision = body.refusal().type;
  release(serving, session, {std::move(entry), body.refusal()}, request.id, respond);
}

void see_cell(Serving& serving, const http::Request& request, const identity::Session& session,
              const http::Respond& respond) {
  const std::string dataset = request.parameter("dataset").value_or(""), key = request.parameter("key").value_or(""),
                    field = request.parameter("field").value_or("");
  std::string parameters;
  JsonWriter(parameters).object().field("dataset", dataset).field("key", key).field("field", field).end_object();
  look(serving, request, session, "sight_cell", respond, parameters,
       [&](db::Connection& reader, const Rules& rules, Instant now) {
         return query::who_sees(reader, rules, dataset, key, field, now);
       });
}

void see_person(Serving& serving, const http::Request& request, const identity::Session& session,
                const http::Respond& respond) {
  const std::string account = request.parameter("account").value_or("");
  std::string parameters;
  JsonWriter(parameters).object().field("account", account).end_object();
  look(serving, request, session, "sight_person", respond, parameters,
       [&](db::Connection& reader, const Rules& rules, Instant now) {
         return query::what_sees(reader, rules, account, now);
       });
}

constexpr std::string_view kRegulationSchema =
    R"({"type":"object","required":["version","in_force","may","settings","posts","powers","rules","datasets","history","proposals","record"],"properties":{"version":{"type":"integer"},"in_force":{"type":"integer"},"may":{"type":"object","required":["propose","approve","ask"]},"settings":{"type":"array"},"posts":{"type":"array"},"powers":{"type":"array"},"rules":{"type":"array","items":{"type":"object","required":["rule"]}},"datasets":{"type":"array"},"relations":{"type":"array"},"modules":{"type":"array"},"purposes":{"type":"array"},"history":{"type":"array"},"proposals":{"type":"array"},"record":{"type":"string"}}})";
constexpr std::string_view kPreviewSchema =
    R"({"type":"object","properties":{"changes":{"type":"array"},"rollback_to":{"type":"integer"},"proposal":{"type":"integer"}}})";
constexpr std::string_view kProposalSchema =
    R"({"type":"object","required":["base","changes","note"],"properties":{"base":{"type":"integer"},"changes":{"type":"array","items":{"type":"object","required":["op"]}},"note":{"type":"string"},"clause":{"type":"string"}}})";
constexpr std::string_view kRollbackSchema =
    R"({"type":"object","required":["base","to","note"],"properties":{"base":{"type":"integer"},"to":{"type":"integer"},"note":{"type":"string"},"clause":{"type":"string"}}})";
constexpr std::string_view kDecisionSchema =
    R"({"type":"object","properties":{"password":{"type":"string"},"code":{"type":"string"},"reason":{"type":"string"}}})";
constexpr std::string_view kActedSchema =
    R"({"type":"object","required":["proposal","version","record"],"properties":{"proposal":{"type":"integer"},"version":{"type":"integer"},"record":{"type":"string"}}})";
constexpr std::string_view kAnySchema = R"({"type":"object","required":["record"]})";

}  // namespace

std::vector<http::Route> regulation_routes(Serving& serving) {
  using http::Verb;
  using Act = void (*)(Serving&, const http::Request&, const identity::Session&, const http::Respond&);
  const auto by = [&serving](Act act, Does does = Does::by_verb) {
    return signed_in(
        serving,
        [&serving, act](http::Request request, Session session, http::Respond respond) {
          act(serving, request, *session, respond);
        },
        Alive::checked, does);
  };
  const auto get = [&](std::string_view path, Act act, Text summary, std::string_view schema) {
    return http::Route{.verb = Verb::get,
                       .path = path,
                       .needs = http::kSession,
                       .handler = by(act),
                       .summary = std::move(summary),
                       .response_schema = schema};
  };
  const auto post = [&](std::string_view path, Act act, Text summary, std::string_view asked, std::string_view answered,
                        Does does = Does::by_verb) {
    return http::Route{.verb = Verb::post,
                       .path = path,
                       .needs = http::kSession,
                       .handler = by(act, does),
                       .summary = std::move(summary),
                       .request_schema = asked,
                       .response_schema = answered,
                       .body_max = 256 * 1024};
  };
  return {
      get("/api/regulation", read_regulation,
          {"默认权限、岗位、设置及其历史与提议（§2.1.1）",
           "default permissions, posts, settings, their history and proposals"},
          kRegulationSchema),
      get("/api/regulation/difference", read_difference,
          {"两版规定的差别", "what differs between two versions of the regulation"}, kAnySchema),
      post("/api/regulation/preview", preview,
           {"更改的效果：谁将多看到或少看到什么", "the effect of a change: who gains or loses what"}, kPreviewSchema,
           kAnySchema, Does::looks),
      post("/api/regulation/proposals", propose,
           {"提议更改默认权限（教务处）", "propose a change (academic affairs office)"}, kProposalSchema, kActedSchema),
      post("/api/regulation/rollback", roll_back, {"提议恢复某一版（教务处）", "propose to bring a version back"},
           kRollbackSchema, kActedSchema),
      post("/api/regulation/proposals/{id}/approve", approve,
           {"批准他人的提议（双人复核）", "approve somebody else's proposal (four eyes)"}, kDecisionSchema,
           kActedSchema),
      post("/api/regulation/proposals/{id}/reject", reject, {"退回他人的提议", "reject somebody else's proposal"},
           kDecisionSchema, kActedSchema),
      post("/api/regulation/proposals/{id}/withdraw", withdraw, {"撤回自己的提议", "withdraw one's own proposal"},
           R"({"type":"object"})", kActedSchema),
      get("/api/sight/cell", see_cell, {"谁能看到这一格数据", "who sees this cell"}, kAnySchema),
      get("/api/sight/person", see_person, {"此人能看到什么，凭什么", "what this person sees, and why"}, kAnySchema),
  };
}

}  // namespace jw::app
