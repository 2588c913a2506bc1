// Made-up stores only: be one of the made-up persons, ask the same question as several of them.
#include <boost/json.hpp>

#include <algorithm>

#include "base/json.hpp"
#include "kernel/edge/facts.hpp"
#include "modules/made_up/gallery.hpp"

namespace jw::made_up {

namespace json = boost::json;
using edge::Call;

namespace {

constexpr size_t kAtOnceMost = 12;

Result<identity::NewSession> enter(const Call& call, std::string_view account) {
  edge::House& house = call.house();
  identity::SignIn entered =
      house.identity.enter_made_up(account, call.request().remote, call.request().header("user-agent"));
  if (!house.recorder.append_and_wait(edge::entry_of(entered.outcome, house.clock.now()))) return edge::not_durable();
  return std::move(entered.result);
}

Result<std::string> persons(const Call& call) {
  const db::Store::Lease lease = call.house().store.reader();
  const std::string gallery = edge::store_fact(*lease, "gallery");
  return "{\"persons\":" + (gallery.empty() ? "[]" : gallery) + "}";
}

Result<identity::NewSession> asked_for(const Call& call) {
  JW_TRY(const json::object body, call.body());
  JW_TRY(const std::string account, edge::text_member(body, "account"));
  return enter(call, account);
}

void be(const Call& call) {
  const Result<identity::NewSession> made = asked_for(call);
  if (!made) return call.refuse(made.refusal());
  call.send(edge::session_response(call, *made));
}

// One person's answer to the common question, recorded like any other.
void compare_one(const Call& call, std::string_view account, const json::value& query, JsonWriter& out) {
  edge::House& house = call.house();
  out.object().field("account", account);
  const auto refused = [&](const Refusal& refusal, std::string_view record) {
    out.field("status", edge::status_of(refusal.code));
    out.key("problem").raw(edge::problem(refusal, call.request().id, record).body).end_object();
  };
  const Result<identity::NewSession> made = enter(call, account);
  if (!made) {
    out.field("kind", "").field("name", "");
    return refused(made.refusal(), "");
  }
  const identity::Session& session = *made->session;
  out.field("kind", session.kind).field("name", session.display_name);
  query::Outcome outcome = house.engine.ask(edge::asker_of(session), query);
  const auto leaf = house.recorder.append_and_wait(std::move(outcome.entry));
  house.identity.sign_out(session);
  if (!leaf) return refused(edge::not_durable(), "");
  if (const auto* refusal = std::get_if<Refusal>(&outcome.result)) return refused(*refusal, leaf->id());
  const query::Answer& answer = std::get<query::Answer>(outcome.result);
  out.field("status", 200).key("answer").raw(edge::framed(answer.json, leaf->id())).end_object();
}

Result<std::string> compare(const Call& call) {
  JW_TRY(const json::object body, call.body());
  JW_TRY(const json::object query, edge::object_member(body, "query"));
  JW_TRY(const json::array accounts, edge::array_member(body, "accounts"));
  const bool texts = std::all_of(accounts.begin(), accounts.end(), [](const json::value& a) { return a.is_string(); });
  if (!texts || accounts.size() > kAtOnceMost) {
    return Refusal{
        Code::unprocessable,
        "http.field_invalid",
        {"至多 12 个账号", "at most 12 accounts"},
        {{"accounts", "invalid", {"应是账号的数组，至多 12 个", "must be an array of at most 12 accounts"}}}};
  }
  std::string text;
  JsonWriter out(text);
  out.object().key("answers").array();
  for (const json::value& account : accounts) compare_one(call, std::string_view(account.get_string()), query, out);
  out.end_array().end_object();
  return text;
}

constexpr edge::Needs kOpen = edge::Needs::open("a made-up university belongs to nobody");

const edge::Route kRoutes[] = {
    {.verb = edge::Verb::get,
     .path = "/api/demo/persons",
     .needs = kOpen,
     .run = edge::saying<persons>,
     .summary = {"虚构的人物（仅演示库）", "the made-up persons (made-up stores only)"},
     .response = "DemoPersons"},
    {.verb = edge::Verb::post,
     .path = "/api/demo/session",
     .needs = kOpen,
     .run = be,
     .summary = {"成为其中一人（仅演示库）", "be one of them (made-up stores only)"},
     .request = "DemoSignIn",
     .response = "Session"},
    {.verb = edge::Verb::post,
     .path = "/api/demo/compare",
     .needs = kOpen,
     .run = edge::saying<compare>,
     .summary = {"同一个问题，几个人问（仅演示库）", "the same question asked by several (made-up stores only)"},
     .request = "DemoComparing",
     .response = "DemoCompared"},
};

}  // namespace

std::span<const edge::Route> gallery_routes() {
  return kRoutes;
}

}  // namespace jw::made_up
