// Signing in and out (§3.1.1), who I am, the confidentiality agreement (§4.3.3).
#include <boost/json.hpp>

#include "app/problem.hpp"
#include "app/restrictions.hpp"
#include "app/serving.hpp"
#include "base/json.hpp"
#include "platform/crypto/api.hpp"

namespace jw::app {

namespace json = boost::json;

namespace {

record::Entry door_entry(const identity::Outcome& outcome, Instant now) {
  record::Entry entry;
  entry.time = now;
  entry.kind = outcome.kind;
  entry.account = outcome.account;
  entry.person = outcome.person;
  entry.session = outcome.session;
  entry.decision = outcome.decision;
  return entry;
}

std::string cookie(const Serving& serving, const std::string& token) {
  std::string text = std::string(http::kSessionCookie) + "=" + token + "; Path=/; HttpOnly; SameSite=Strict";
  if (token.empty()) text += "; Max-Age=0";
  if (serving.cross_origin_cookie_secure) text += "; Secure";
  return text;
}

// The mark that a browser keeps for the time when an account is lent (§2.5.3). It opens nothing, and goes to no other
// path than that of signing in.
constexpr std::string_view kDeviceCookie = "jiaowu_device";
constexpr size_t kDeviceCharacters = 22;
constexpr std::string_view kDeviceLife =
    "; Path=/api/session; HttpOnly; SameSite=Strict; Max-Age=34560000";  // 400 days

// As it was sent, or a new one.
std::string device_of(const http::Request& request) {
  std::string sent(request.cookie(kDeviceCookie));
  const auto bytes = crypto::unbase64url(sent);
  if (sent.size() == kDeviceCharacters && bytes && bytes->size() == 16) return sent;
  return crypto::base64url(crypto::random_bytes(16));
}

std::string device_cookie(const Serving& serving, const std::string& device) {
  std::string text = std::string(kDeviceCookie) + "=" + device + std::string(kDeviceLife);
  if (serving.cross_origin_cookie_secure) text += "; Secure";
  return text;
}

std::string person_number(System& system, int64_t person) {
  if (person == 0) return {};
  const db::Store::Lease lease = system.store->reader();
  for (const catalog::Dataset& dataset : system.catalogue->datasets) {
    if (!dataset.person) continue;
    const std::string& key = dataset.fields[static_cast<size_t>(dataset.key.front())].name;
    db::Rows rows = lease->query(
        "SELECT \"" + key + "\" FROM \"" + dataset.name + "\" WHERE person_id = $1 ORDER BY id DESC LIMIT 1", {person});
    if (rows.next()) return std::string(rows.text(0));
  }
  return {};
}

http::Response new_session_response(const Serving& serving, const identity::NewSession& made,
                                    const std::string& device) {
  http::Response response;
  const identity::Session& session = *made.session;
  JsonWriter out(response.body);
  out.object().field("token", made.token).field("expires", session.expires.print()).key("person").object();
  out.field("account", session.login).field("kind", session.kind).field("name", session.display_name);
  out.field("number", person_number(serving.system, session.person)).end_object();
  out.field("must_change_password", session.must_change).end_object();
  response.headers.emplace_back("Set-Cookie", cookie(serving, made.token));
  response.headers.emplace_back("Set-Cookie", device_cookie(serving, device));
  response.headers.emplace_back("Cache-Control", "no-store");
  return response;
}

Result<std::string> text_member(const json::value& body, const char* name, bool required) {
  const json::value* value = body.is_object() ? body.get_object().if_contains(name) : nullptr;
  if (value == nullptr || value->is_null()) {
    if (!required) return std::string();
    return Refusal{Code::unprocessable,
                   "http.field_missing",
                   {"缺少必填项", "a required field is missing"},
                   {{name, "required", {"必填", "required"}}}};
  }
  if (!value->is_string() || value->get_string().size() > 1024) {
    return Refusal{Code::unprocessable,
                   "http.field_invalid",
                   {"内容应是文字", "the field must be text"},
                   {{name, "not_text", {"应是文字", "must be text"}}}};
  }
  return std::string(value->get_string());
}

void answer_sign_in(Serving& serving, identity::SignIn signed_in, std::string device, std::string request_id,
                    http::Respond respond) {
  if (!signed_in.result && signed_in.result.refusal().type == "identity.suspended")
    signed_in.result = account_suspended(serving, signed_in.outcome.account, Code::forbidden);
  record::Entry entry = door_entry(signed_in.outcome, serving.system.clock->now());
  serving.system.recorder->append(
      std::move(entry),
      [&serving, result = std::move(signed_in.result), device = std::move(device), request_id = std::move(request_id),
       respond = std::move(respond)](const std::optional<record::Leaf>& leaf) {
        if (!leaf) {
          // Without its record the sign-in did not happen.
          if (result) {
            serving.door.enter([&serving, made = result.value()] { serving.system.identity->sign_out(*made.session); });
          }
          return respond(problem({Code::unavailable,
                                  "record.not_durable",
                                  {"登录记录无法保存，请稍后重试", "the record cannot be kept now; try again later"}},
                                 request_id));
        }
        if (!result) return respond(problem(result.refusal(), request_id, leaf->id()));
        // Reading who this is would wait on a store; the recorder's thread must not.
        if (!serving.door.enter([&serving, made = result.value(), device, respond] {
              respond(new_session_response(serving, made, device));
            })) {
          respond(problem({Code::unavailable,
                           "identity.busy",
                           {"登录的人太多，请稍后重试", "too many are signing in; try again in a moment"}},
                          request_id));
        }
      });
}

void sign_in(Serving& serving, http::Request request, http::Respond respond) {
  const std::string id = request.id;
  const Result<json::value> body = json_body(request);
  if (!body) return respond(problem(body.refusal(), id));
  const Result<std::string> account = text_member(*body, "account", true),
                            password = text_member(*body, "password", true),
                            fresh = text_member(*body, "new_password", false), code = text_member(*body, "code", false);
  for (const auto* each : {&account, &password, &fresh, &code}) {
    if (!*each) return respond(problem(each->refusal(), id));
  }
  const bool entered = serving.door.enter(
      [&serving, account = *account, password = *password, fresh = *fresh, code = *code, remote = request.remote,
       agent = std::string(request.header("user-agent")), device = device_of(request), id, respond] {
        identity::SignInRequest asked{.login = account, .password = password, .remote = remote, .user_agent = agent};
        asked.code = code;
        if (!fresh.empty()) asked.new_password = fresh;
        asked.device = device;
        asked.zone = serving.lending.network().zone_of(remote).name;
        identity::SignIn answer = serving.system.identity->sign_in(asked);
        if (answer.result) serving.lending.note(answer.outcome.session, answer.outcome.account, remote);
        answer_sign_in(serving, std::move(answer), device, id, respond);
      });
  if (!entered) {
    respond(problem({Code::unavailable,
                     "identity.busy",
                     {"登录的人太多，请稍后重试", "too many are signing in; try again in a moment"}},
                    id));
  }
}

// What is in force against the account, for its holder (§2.5.3).
void append_restriction(Serving& serving, const identity::Session& session, JsonWriter& out) {
  std::optional<lending::Story> story;
  {
    const db::Store::Lease lease = serving.system.store->private_reader();
    story = serving.lending.story(*lease, session.account);
  }
  if (!story) return;
  const Refusal told = account_read_only(serving, session.account);
  out.key("restriction").object().field("step", lending::step_name(story->step));
  out.field("label", lending::step_label(story->step)).field("since", story->since.print());
  out.key("seen").array();
  for (const Text& each : story->seen) out.value(each);
  out.end_array().field("reason", story->reason).field("todo", told.remedy->text).end_object();
}

void me(Serving& serving, const http::Request&, const identity::Session& session, const http::Respond& respond) {
  System& system = serving.system;
  const policy::Asker asker = asker_of(session);
  http::Response response;
  JsonWriter out(response.body);
  out.object().field("account", session.login).field("kind", session.kind).field("name", session.display_name);
  out.field("number", person_number(system, session.person));
  out.key("posts").raw(system.engine->posts_json(asker));
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
  append_restriction(serving, session, out);
  out.key("modules").raw(system.engine->modules_json(asker));
  std::string school_zh, school_en;
  identity::FactorState factor;
  {
    const db::Store::Lease lease = system.store->reader();
    factor = system.identity->factor_of(*lease, session.account);
    school_zh = store_fact(*lease, "school_zh");
    school_en = store_fact(*lease, "school_en");
  }
  out.key("store").object().field("made_up", system.made_up).field("school", Text{school_zh, school_en}).end_object();
  out.key("factor").object().field("enrolled", factor.enrolled).field("recovery_left", factor.recovery_left);
  if (factor.enrolled) out.field("since", factor.since.print());
  out.end_object();
  out.field("now", system.clock->now().print()).end_object();
  response.headers.emplace_back("Cache-Control", "no-store");
  respond(std::move(response));
}

record::Entry act_entry(const identity::Session& session, std::string_view action, Instant now) {
  record::Entry entry;
  entry.time = now;
  entry.kind = "act";
  entry.account = session.account;
  entry.person = session.person;
  entry.session = session.id;
  entry.action = action;
  entry.decision = "allowed";
  return entry;
}

// Waits for durability on the worker: these are rare.
void respond_recorded(Serving& serving, record::Entry entry, http::Response response, const std::string& request_id,
                      const http::Respond& respond) {
  const auto leaf = serving.system.recorder->append_and_wait(std::move(entry));
  if (!leaf)
    return respond(
        problem({Code::unavailable, "record.not_durable", {"记录无法保存", "the record cannot be kept"}}, request_id));
  respond(std::move(response));
}

void change_password(Serving& serving, const http::Request& request, const identity::Session& session,
                     const http::Respond& respond) {
  const Result<json::value> body = json_body(request);
  if (!body) return respond(problem(body.refusal(), request.id));
  const Result<std::string> old_password = text_member(*body, "old_password", true),
                            fresh = text_member(*body, "new_password", true);
  for (const auto* each : {&old_password, &fresh}) {
    if (!*each) return respond(problem(each->refusal(), request.id));
  }
  const Result<Done> changed = serving.system.identity->change_password(session, *old_password, *fresh);
  record::Entry entry = act_entry(session, "password_change", serving.system.clock->now());
  if (!changed) {
    entry.decision = changed.refusal().type;
    return respond_recorded(serving, std::move(entry), problem(changed.refusal(), request.id), request.id, respond);
  }
  respond_recorded(serving, std::move(entry), {.status = 204}, request.id, respond);
}

void sign_agreement(Serving& serving, const http::Request& request, const identity::Session& session,
                    const http::Respond& respond) {
  System& system = serving.system;
  const Result<json::value> body = json_body(request);
  if (!body) return respond(problem(body.refusal(), request.id));
  const Result<std::string> password = text_member(*body, "password", true);
  if (!password) return respond(problem(password.refusal(), request.id));
  // Signing = re-authentication, recorded (design §8).
  if (const Result<Done> confirmed = system.identity->confirm_password(session, *password); !confirmed) {
    return respond(problem(confirmed.refusal(), request.id));
  }
  int64_t outbox = 0;
  {
    const db::Store::Lease lease = system.store->writer();
    db::Transaction transaction(*lease, db::Transaction::Mode::write);
    const Result<Done> signed_now =
        system.identity->sign_agreement(*lease, session.account, system.identity->options().agreement_version);
    if (!signed_now) return respond(problem(signed_now.refusal(), request.id));
    outbox = system.recorder->put_in_outbox(*lease, act_entry(session, "agreement_sign", system.clock->now()));
    transaction.commit();
  }
  system.recorder->deliver(outbox);
  system.identity->forget(session.id);
  respond({.status = 204});
}

}  // namespace

std::vector<http::Route> session_routes(Serving& serving) {
  using http::Verb;
  return {
      {.verb = Verb::post,
       .path = "/api/session",
       .needs = http::kPublic,
       .handler = [&serving](http::Request request,
                             http::Respond respond) { sign_in(serving, std::move(request), std::move(respond)); },
       .summary = {"登录", "sign in"},
       .request_schema =
           R"({"type":"object","required":["account","password"],"properties":{"account":{"type":"string"},"password":{"type":"string"},"new_password":{"type":"string"},"code":{"type":"string","description":"of the second factor, when the account has one"}}})",
       .response_schema = R"({"$ref":"#/components/schemas/Session"})",
       .body_max = 16 * 1024,
       .blocking = false},
      {.verb = Verb::del,
       .path = "/api/session",
       .needs = http::kSession,
       .handler = signed_in(
           serving,
           [&serving](http::Request request, std::shared_ptr<const identity::Session> session, http::Respond respond) {
             serving.system.identity->sign_out(*session);
             record::Entry entry = act_entry(*session, "", serving.system.clock->now());
             entry.kind = "sign_out";
             http::Response response{.status = 204};
             response.headers.emplace_back("Set-Cookie", cookie(serving, ""));
             respond_recorded(serving, std::move(entry), std::move(response), request.id, respond);
           },
           Alive::held_too, Does::looks),
       .summary = {"退出", "sign out"}},
      {.verb = Verb::post,
       .path = "/api/session/password",
       .needs = http::kSession,
       .handler = signed_in(
           serving,
           [&serving](http::Request request, std::shared_ptr<const identity::Session> session, http::Respond respond) {
             change_password(serving, request, *session, respond);
           },
           Alive::checked, Does::looks),
       .summary = {"修改密码", "change one's password"},
       .request_schema =
           R"({"type":"object","required":["old_password","new_password"],"properties":{"old_password":{"type":"string"},"new_password":{"type":"string"}}})"},
      {.verb = Verb::post,
       .path = "/api/session/agreement",
       .needs = http::kSession,
       .handler = signed_in(serving,
                            [&serving](http::Request request, std::shared_ptr<const identity::Session> session,
                                       http::Respond respond) { sign_agreement(serving, request, *session, respond); }),
       .summary = {"签署保密协议", "sign the confidentiality agreement"},
       .request_schema = R"({"type":"object","required":["password"],"properties":{"password":{"type":"string"}}})"},
      {.verb = Verb::get,
       .path = "/api/me",
       .needs = http::kSession,
       .handler = signed_in(serving, [&serving](http::Request request, std::shared_ptr<const identity::Session> session,
                                                http::Respond respond) { me(serving, request, *session, respond); }),
       .summary = {"我是谁，能查什么", "who I am and what I may query"},
       .response_schema = R"({"$ref":"#/components/schemas/Me"})"},
  };
}

}  // namespace jw::app
