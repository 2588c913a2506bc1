// Signing in and out (§3.1.1), who I am, the confidentiality agreement (§4.3.3).
#include <boost/json.hpp>

#include "app/routes.hpp"
#include "base/json.hpp"
#include "kernel/edge/facts.hpp"
#include "platform/crypto/api.hpp"

namespace jw::app {

namespace json = boost::json;
using edge::Call;
using edge::House;

namespace {

// The mark that a browser keeps for the time when an account is lent (§2.5.3). It opens nothing, and goes to no other
// path than that of signing in.
constexpr std::string_view kDeviceCookie = "jiaowu_device", kSecureDeviceCookie = "__Secure-jiaowu_device";
constexpr size_t kDeviceCharacters = 22;
constexpr std::string_view kDeviceLife =
    "; Path=/api/session; HttpOnly; SameSite=Strict; Max-Age=34560000";  // 400 days

std::string_view device_name(const http::Request& request) {
  return request.secure ? kSecureDeviceCookie : kDeviceCookie;
}

// As it was sent, or a new one.
std::string device_of(const http::Request& request) {
  std::string sent(request.cookie(device_name(request)));
  const auto bytes = crypto::unbase64url(sent);
  if (sent.size() == kDeviceCharacters && bytes && bytes->size() == 16) return sent;
  return crypto::base64url(crypto::random_bytes(16));
}

std::string device_cookie(const http::Request& request, const std::string& device) {
  std::string text = std::string(device_name(request)) + "=" + device + std::string(kDeviceLife);
  if (request.secure) text += "; Secure";
  return text;
}

const Refusal kBusy{
    Code::unavailable, "identity.busy", {"登录的人太多，请稍后重试", "too many are signing in; try again in a moment"}};

void answer_sign_in(const Call& call, identity::SignIn signed_in, std::string device) {
  House& house = call.house();
  if (!signed_in.result && signed_in.result.refusal().type == "identity.suspended")
    signed_in.result = edge::account_suspended(house, signed_in.outcome.account, Code::forbidden);
  record::Entry entry = edge::entry_of(signed_in.outcome, house.clock.now());
  house.recorder.append(std::move(entry), [call, result = std::move(signed_in.result),
                                           device = std::move(device)](const std::optional<record::Leaf>& leaf) {
    House& at = call.house();
    if (!leaf) {
      // Without its record the sign-in did not happen.
      if (result) at.door.enter([&at, made = result.value()] { at.identity.sign_out(*made.session); });
      return call.refuse(edge::not_durable());
    }
    if (!result) return call.send(edge::problem(result.refusal(), call.request().id, leaf->id()));
    // Reading who this is would wait on a store; the recorder's thread must not.
    const bool entered = at.door.enter([call, made = result.value(), device] {
      http::Response response = edge::session_response(call, made);
      response.headers.emplace_back("Set-Cookie", device_cookie(call.request(), device));
      call.send(std::move(response));
    });
    if (!entered) call.refuse(kBusy);
  });
}

struct Given {
  std::string account, password, fresh, code;
};

Result<Given> given_in(const Call& call) {
  JW_TRY(const json::object body, call.body());
  Given given;
  JW_TRY(given.account, edge::text_member(body, "account"));
  JW_TRY(given.password, edge::text_member(body, "password"));
  JW_TRY(given.fresh, edge::optional_text(body, "new_password"));
  JW_TRY(given.code, edge::optional_text(body, "code"));
  return given;
}

void sign_in(const Call& call) {
  Result<Given> given = given_in(call);
  if (!given) return call.refuse(given.refusal());
  const bool entered = call.house().door.enter([call, given = std::move(given).value()] {
    House& house = call.house();
    const http::Request& request = call.request();
    const std::string device = device_of(request);
    std::string zone;
    for (const edge::Hooks& each : house.hooks) {
      if (each.zone != nullptr) zone = each.zone(house, request.remote);
    }
    identity::SignInRequest asked{.login = given.account,
                                  .password = given.password,
                                  .remote = request.remote,
                                  .user_agent = request.header("user-agent"),
                                  .code = given.code,
                                  .device = device,
                                  .zone = zone};
    if (!given.fresh.empty()) asked.new_password = given.fresh;
    identity::SignIn answer = house.identity.sign_in(asked);
    if (answer.result) house.tell(&edge::Hooks::asked, answer.outcome.session, answer.outcome.account, request.remote);
    answer_sign_in(call, std::move(answer), device);
  });
  if (!entered) call.refuse(kBusy);
}

void sign_out(const Call& call) {
  call.house().identity.sign_out(call.session());
  http::Response response{.status = 204};
  edge::set_session_cookie(call.request(), response, "");
  call.release(call.entry("sign_out", ""), std::move(response));
}

// What is in force against the account, for its holder (§2.5.3).
void append_restriction(House& house, const identity::Session& session, JsonWriter& out) {
  const std::optional<edge::Story> story = edge::story_of(house, session.account);
  if (!story) return;
  const Refusal told = edge::account_read_only(house, session.account);
  out.key("restriction").object().field("step", story->step);
  out.field("label", story->label).field("since", story->since.print());
  out.key("seen").array();
  for (const Text& each : story->seen) out.value(each);
  out.end_array().field("reason", story->reason).field("todo", told.remedy->text).end_object();
}

void append_due(const identity::Session& session, JsonWriter& out) {
  out.key("due").array();
  if (session.agreement_due) {
    out.object()
        .field("kind", "agreement")
        .field("text",
               Text{"须先签署保密协议（§4.3.3）", "the confidentiality agreement is to be signed first (§4.3.3)"})
        .end_object();
  }
  if (session.password_due) {
    out.object()
        .field("kind", "password")
        .field("text", Text{"密码已超过使用期限，请修改", "the password is older than its period; please change it"})
        .end_object();
  }
  out.end_array();
}

Result<std::string> me(const Call& call) {
  House& house = call.house();
  const identity::Session& session = call.session();
  std::string body;
  JsonWriter out(body);
  out.object().field("account", session.login).field("kind", session.kind).field("name", session.display_name);
  std::string number;
  identity::FactorState factor;
  {
    const db::Store::Lease lease = house.store.reader();
    number = edge::number_of_person(house.catalogue, *lease, session.person);
    factor = house.identity.factor_of(*lease, session.account);
  }
  out.field("number", number);
  out.key("posts").raw(house.engine.posts_json(call.asker()));
  append_due(session, out);
  append_restriction(house, session, out);
  out.key("modules").raw(house.engine.modules_json(call.asker()));
  write_places(call, out);
  out.key("store").object().field("made_up", house.made_up).field("school", house.school).end_object();
  out.key("factor").object().field("enrolled", factor.enrolled).field("recovery_left", factor.recovery_left);
  if (factor.enrolled) out.field("since", factor.since.print());
  out.end_object();
  out.field("now", house.clock.now().print()).end_object();
  return body;
}

// What came of it is on record before it is told.
void change_password(const Call& call) {
  const Result<json::object> body = call.body();
  if (!body) return call.refuse(body.refusal());
  const Result<std::string> old_password = edge::text_member(*body, "old_password"),
                            fresh = edge::text_member(*body, "new_password"), code = edge::optional_text(*body, "code");
  for (const auto* each : {&old_password, &fresh, &code}) {
    if (!*each) return call.refuse(each->refusal());
  }
  const Result<Done> changed = call.house().identity.change_password(call.session(), *old_password, *fresh, *code);
  record::Entry entry = call.entry("act", "password_change");
  if (!changed) return call.release(std::move(entry), changed.refusal());
  call.release(std::move(entry), http::Response{.status = 204});
}

void sign_agreement(const Call& call) {
  edge::act(call, {"agreement_sign", "4.3.3", edge::Signing::now()}, [call](edge::Doing& doing) -> Result<std::string> {
    identity::Identity& identity = call.house().identity;
    JW_CHECK(identity.sign_agreement(doing.transaction, doing.by.account, identity.options().agreement_version));
    identity.forget(doing.by.session);
    return std::string("{}");
  });
}

const edge::Route kRoutes[] = {
    {.verb = edge::Verb::post,
     .path = "/api/session",
     .needs = edge::Needs::open("whoever signs in has no session yet"),
     .run = sign_in,
     .summary = {"登录", "sign in"},
     .request = "SignIn",
     .response = "Session",
     .body_max = 16 * 1024,
     .blocking = false},
    {.verb = edge::Verb::del,
     .path = "/api/session",
     .needs = edge::Needs::session(),
     .run = sign_out,
     .summary = {"退出", "sign out"},
     .alive = edge::Alive::held_too,
     .does = edge::Does::looks},
    {.verb = edge::Verb::post,
     .path = "/api/session/password",
     .needs = edge::Needs::session(),
     .run = change_password,
     .summary = {"修改密码", "change one's password"},
     .request = "PasswordChange",
     .does = edge::Does::looks},
    {.verb = edge::Verb::post,
     .path = "/api/session/agreement",
     .needs = edge::Needs::session(),
     .run = sign_agreement,
     .summary = {"签署保密协议", "sign the confidentiality agreement"},
     .request = "Signature",
     .response = "Done",
     .does = edge::Does::looks},
    {.verb = edge::Verb::get,
     .path = "/api/me",
     .needs = edge::Needs::session(),
     .run = edge::saying<me>,
     .summary = {"我是谁，能查什么", "who I am and what I may query"},
     .response = "Me"},
};

}  // namespace

std::span<const edge::Route> session_routes() {
  return kRoutes;
}

}  // namespace jw::app
