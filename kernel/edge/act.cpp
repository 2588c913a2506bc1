#include <pwd.h>
#include <unistd.h>

#include <boost/json.hpp>

#include "kernel/edge/api.hpp"
#include "kernel/edge/store_failure.hpp"

namespace jw::edge {

namespace json = boost::json;

namespace {

// Whether the refusal of an effect says that somebody tried what was not theirs, or came too late: on record.
bool is_attempt(Code code) {
  return code != Code::bad_request && code != Code::unprocessable && code != Code::not_found && code != Code::too_large;
}

bool gives_proof(const json::object& body) {
  for (const char* each : {"password", "code"}) {
    const json::value* value = body.if_contains(each);
    if (value != nullptr && !value->is_null()) return true;
  }
  return false;
}

// For work on another thread than the one whose failures are caught (edge::table).
std::function<void()> told_of_failures(const Call& call, std::function<void()> work) {
  return [call, work = std::move(work)] {
    told_when_the_store_fails(work, [&](const Refusal& refusal) { call.refuse(refusal); });
  };
}

Result<Done> signed_for(const Call& call, const Act& what, const json::object& body) {
  if (what.signing.is_none()) return Done{};
  if (what.signing.is_now() && !gives_proof(body)) return signature_missing();
  JW_TRY(const bool signs, signature(call.house(), call.session(), body));
  if (!signs) return signature_missing();
  return Done{};
}

}  // namespace

Refusal signature_missing() {
  return {Code::forbidden,
          "identity.signature_missing",
          {"须再次输入密码（已启用动态验证码的输入验证码）签署",
           "sign with your password, or the code of your second factor"},
          {{"password", "required", {"签署时必填", "required to sign"}}}};
}

Result<bool> signature(House& house, const identity::Session& session, const json::object& body) {
  const Instant now = house.clock.now();
  JW_TRY(const std::string password, optional_text(body, "password"));
  JW_TRY(const std::string code, optional_text(body, "code"));
  if (!gives_proof(body)) return house.signatures.holds(session.id, now);
  JW_CHECK(house.identity.confirm_again(session, code, password));
  house.signatures.put(session.id, now);
  return true;
}

record::Hand operator_hand() {
  const passwd* user = getpwuid(geteuid());  // NOLINT(concurrency-mt-unsafe): one thread
  record::Hand hand;
  hand.name = user == nullptr ? "uid " + std::to_string(geteuid()) : user->pw_name;
  return hand;
}

void at_the_door(const Call& call, std::function<void()> work) {
  if (call.house().door.enter(told_of_failures(call, std::move(work)))) return;
  call.refuse({Code::unavailable, "identity.busy", {"系统繁忙，请稍后再试", "busy: try again shortly"}});
}

void in_turn(const Call& call, bool heavy, std::function<void()> work) {
  if (call.house().turns.enter(call.session().account, heavy, told_of_failures(call, std::move(work)))) return;
  call.refuse(
      {Code::too_many,
       "query.too_many_waiting",
       {"您有太多查询还在等候，请等它们完成后再查", "too many of your questions still wait: let them finish first"}});
}

Result<Acted> carry_out(db::Store& store, record::Recorder& recorder, const record::Hand& by, const Act& what,
                        const json::object& body, Instant now, const Effect& effect) {
  record::Entry entry = record::act_of(by, what.action, what.clause, now);
  std::string object;
  int64_t outbox = 0;
  {
    const db::Store::Lease lease = store.writer();
    db::Transaction transaction(*lease, db::Transaction::Mode::write);
    Doing doing{*lease, by, body, now, entry};
    JW_TRY(object, effect(doing));
    if (doing.nothing) return Acted{std::move(object), std::nullopt, true};
    outbox = doing.outbox != 0 ? doing.outbox : recorder.put_in_outbox(*lease, entry);
    transaction.commit();
  }
  return Acted{std::move(object), recorder.deliver(outbox)};
}

void act(const Call& call, const Act& what, Effect effect) {
  Result<json::object> body = call.body();
  if (!body) return call.refuse(body.refusal());
  const bool slow = !what.signing.is_none() && gives_proof(*body);
  auto work = [call, what, body = std::move(body).value(), effect = std::move(effect)] {
    if (const Result<Done> sure = signed_for(call, what, body); !sure)
      return call.refuse_on_record(what.action, sure.refusal());
    House& house = call.house();
    Result<Acted> done = carry_out(house.store, house.recorder, call.hand(), what, body, house.clock.now(), effect);
    if (!done && is_attempt(done.refusal().code)) return call.refuse_on_record(what.action, done.refusal());
    if (!done) return call.refuse(done.refusal());
    if (done->nothing) return call.say(std::move(done->object));
    if (!done->leaf) return call.refuse(not_durable(true));
    call.say(framed(std::move(done->object), done->leaf->id()));
  };
  slow ? at_the_door(call, std::move(work)) : work();
}

}  // namespace jw::edge
