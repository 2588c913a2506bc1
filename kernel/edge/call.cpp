#include <boost/json.hpp>

#include "base/json.hpp"
#include "kernel/edge/api.hpp"
#include "kernel/edge/facts.hpp"
#include "platform/crypto/api.hpp"

namespace jw::edge {

namespace {

// Why a session answers nothing any more; nullopt: it is simply over.
std::optional<Refusal> why_nothing(House& house, const identity::Session& session) {
  std::optional<identity::Liveness> live;
  bool suspended = false;
  {
    const db::Store::Lease lease = house.store.reader();
    live = identity::liveness(*lease, session.id, house.clock.now());
    if (!live) suspended = identity::is_suspended(*lease, session.account);
  }
  if (live && live->held) return session_held(house, session.account);
  if (suspended) return account_suspended(house, session.account, Code::unauthenticated);
  return std::nullopt;
}

}  // namespace

Refusal not_durable(bool done) {
  if (done) {
    return {
        Code::unavailable,
        "record.not_durable",
        {"已办理，但记录暂时无法保存，稍后会补上", "it is done, but its record cannot be kept now; it follows later"}};
  }
  return {Code::unavailable,
          "record.not_durable",
          {"记录无法保存，因此不能给出结果，请稍后重试",
           "the record cannot be kept now, so nothing is answered; try again later"}};
}

std::string framed(std::string object, std::string_view record) {
  object.pop_back();
  object += object.size() > 1 ? ",\"record\":" : "\"record\":";
  append_json_string(object, record);
  object += '}';
  return object;
}

void set_session_cookie(const http::Request& request, http::Response& response, const std::string& token) {
  std::string text(request.secure ? http::kSecureSessionCookie : http::kSessionCookie);
  text += "=" + token + "; Path=/; HttpOnly; SameSite=Strict";
  if (token.empty()) text += "; Max-Age=0";
  if (request.secure) text += "; Secure";
  response.headers.emplace_back("Set-Cookie", std::move(text));
}

http::Response session_response(const Call& call, const identity::NewSession& made) {
  House& house = call.house();
  http::Response response;
  JsonWriter out(response.body);
  const identity::Session& session = *made.session;
  out.object().field("token", made.token).field("expires", session.expires.print()).key("person").object();
  out.field("account", session.login).field("kind", session.kind).field("name", session.display_name);
  {
    const db::Store::Lease lease = house.store.reader();
    out.field("number", number_of_person(house.catalogue, *lease, session.person)).end_object();
  }
  out.field("must_change_password", session.must_change).end_object();
  set_session_cookie(call.request(), response, made.token);
  response.headers.emplace_back("Cache-Control", "no-store");
  return response;
}

Call::Call(House& house, http::Request request, std::shared_ptr<const identity::Session> session, record::Hand hand,
           http::Respond respond)
    : state_(std::make_shared<State>(
          State{house, std::move(request), std::move(session), std::move(hand), std::move(respond)})) {}

policy::Asker asker_of(const identity::Session& session) {
  policy::Asker asker;
  asker.account = session.account;
  asker.person = session.person;
  asker.session = session.id;
  asker.kind = session.kind;
  asker.agreement_due = session.agreement_due;
  return asker;
}

record::Entry entry_of(const identity::Outcome& outcome, Instant now) {
  record::Entry entry =
      record::entry_of({outcome.account, outcome.person, outcome.session, {}, {}, {}}, outcome.kind, "", now);
  entry.decision = outcome.decision;
  return entry;
}

const policy::Authority& Call::authority() const {
  if (!state_->authority) {
    const db::Store::Lease lease = house().store.reader();
    house().policy.refresh(*lease);  // no statement of the engine is asked here that would notice a change
    state_->authority = house().policy.authority(*lease, asker(), house().clock.now());
  }
  return *state_->authority;
}

cases::Actor Call::actor() const {
  const db::Store::Lease lease = house().store.reader();
  house().policy.refresh(*lease);
  return house().cases.actor(*lease, asker(), session().login, session().display_name, house().clock.now());
}

record::Entry Call::entry(std::string_view kind, std::string_view action) const {
  return record::entry_of(hand(), kind, action, house().clock.now());
}

namespace {

http::Response json_response(std::string body) {
  http::Response response;
  response.body = std::move(body);
  response.headers.emplace_back("Cache-Control", "no-store");
  return response;
}

}  // namespace

void Call::say(std::string object) const {
  send(json_response(std::move(object)));
}

void Call::say(Result<std::string> object) const {
  if (!object) return refuse(object.refusal());
  say(std::move(object).value());
}

void Call::refuse_on_record(std::string_view action, Refusal refusal, std::string parameters) const {
  record::Entry refused = entry("refusal", action);
  refused.parameters = std::move(parameters);
  release(std::move(refused), refusal);
}

void Call::release(query::Outcome outcome) const {
  // The gate let nothing through: not because of what was asked.
  if (const auto* refusal = std::get_if<Refusal>(&outcome.result);
      refusal != nullptr && refusal->type == "identity.session_ended") {
    house().identity.forget(session().id);
    if (auto why = why_nothing(house(), session())) {
      outcome.entry.decision = why->type;
      outcome.result = std::move(*why);
    }
  }
  if (std::holds_alternative<query::Answer>(outcome.result))
    house().tell(&Hooks::answered, outcome.entry.basis, outcome.entry.time);
  house().recorder.append(std::move(outcome.entry), [call = *this, result = std::move(outcome.result)](
                                                        const std::optional<record::Leaf>& leaf) mutable {
    if (!leaf) return call.refuse(not_durable());
    if (const auto* refusal = std::get_if<Refusal>(&result))
      return call.send(problem(*refusal, call.request().id, leaf->id()));
    call.say(framed(std::move(std::get<query::Answer>(result).json), leaf->id()));
  });
}

void Call::release(record::Entry entry, std::string object) const {
  entry.digest = crypto::sha256(object);
  release(query::Outcome{std::move(entry), query::Answer{std::move(object), 0}});
}

void Call::release(record::Entry entry, const Refusal& refusal) const {
  entry.decision = refusal.type;
  release(query::Outcome{std::move(entry), refusal});
}

void Call::release(record::Entry entry, http::Response response) const {
  house().recorder.append(std::move(entry), [call = *this, response = std::move(response)](
                                                const std::optional<record::Leaf>& leaf) mutable {
    if (!leaf) return call.refuse(not_durable());
    call.send(std::move(response));
  });
}

Result<Done> keep_told(const Call& call, const record::Entry& like, std::vector<query::Told> told) {
  for (query::Told& each : told) {
    record::Entry entry = like;
    entry.dataset = std::move(each.dataset);
    entry.rows = each.rows;
    entry.subjects = std::move(each.subjects);
    if (!call.house().recorder.append_and_wait(std::move(entry))) return not_durable();
  }
  return Done{};
}

}  // namespace jw::edge
