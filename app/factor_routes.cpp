// The second factor of one's account (§3.1.1), and showing again who one is in the middle of a session (§2.5.3).
#include <boost/json.hpp>

#include "app/problem.hpp"
#include "app/serving.hpp"
#include "base/json.hpp"
#include "platform/office/qr.hpp"

namespace jw::app {

namespace json = boost::json;

namespace {

using Session = std::shared_ptr<const identity::Session>;

constexpr size_t kTextMax = 1024;

Result<std::string> member(const json::value& body, const char* name, bool required) {
  const json::value* value = body.is_object() ? body.get_object().if_contains(name) : nullptr;
  if (value == nullptr && !required) return std::string();
  if (value != nullptr && value->is_string() && value->get_string().size() <= kTextMax)
    return std::string(value->get_string());
  return Refusal{Code::unprocessable,
                 "http.field_missing",
                 {"缺少必填项", "a required field is missing"},
                 {{name, "required", {"必填，应为文字", "required, as text"}}}};
}

record::Entry act_of(Serving& serving, const identity::Session& session, std::string_view action) {
  record::Entry entry;
  entry.time = serving.system.clock->now();
  entry.kind = "act";
  entry.account = session.account;
  entry.person = session.person;
  entry.session = session.id;
  entry.action = action;
  entry.decision = "allowed";
  entry.basis = "§3.1.1";
  return entry;
}

// What came of it is on record before it is told, refusals included. A code that was shown and never recorded is worth
// nothing to anybody but its owner, who asks again.
void tell(Serving& serving, record::Entry entry, const Refusal* refusal, std::string body, const http::Request& request,
          const http::Respond& respond) {
  if (refusal != nullptr) entry.decision = refusal->type;
  const auto leaf = serving.system.recorder->append_and_wait(std::move(entry));
  if (!leaf) {
    return respond(problem({Code::unavailable,
                            "record.not_durable",
                            {"记录无法保存，请稍后重试", "the record cannot be kept; try again later"}},
                           request.id));
  }
  if (refusal != nullptr) return respond(problem(*refusal, request.id, leaf->id()));
  http::Response response = json_response(std::move(body));
  if (response.body.empty()) response.status = 204;
  respond(std::move(response));
}

using Handle = void (*)(Serving&, const http::Request&, const identity::Session&, const json::value&,
                        const http::Respond&);

void offer(Serving& serving, const http::Request& request, const identity::Session& session, const json::value& body,
           const http::Respond& respond) {
  const Result<std::string> password = member(body, "password", true);
  if (!password) return respond(problem(password.refusal(), request.id));
  std::string issuer;
  {
    const db::Store::Lease lease = serving.system.store->reader();
    issuer = store_fact(*lease, "school_zh");
  }
  const auto made =
      serving.system.identity->offer_factor(session, *password, issuer.empty() ? std::string("教务") : issuer);
  std::string text;
  if (made) {
    JsonWriter out(text);
    out.object().field("secret", made->secret).field("uri", made->uri).key("qr").array();
    for (const std::string& row : office::qr_rows(made->uri)) out.value(row);
    out.end_array().end_object();
  }
  tell(serving, act_of(serving, session, "factor_offer"), made ? nullptr : &made.refusal(), std::move(text), request,
       respond);
}

void tell_codes(Serving& serving, const http::Request& request, const identity::Session& session,
                std::string_view action, const Result<std::vector<std::string>>& codes, const http::Respond& respond) {
  std::string text;
  if (codes) {
    JsonWriter out(text);
    out.object().key("recovery_codes").array();
    for (const std::string& code : *codes) out.value(code);
    out.end_array().end_object();
  }
  tell(serving, act_of(serving, session, action), codes ? nullptr : &codes.refusal(), std::move(text), request,
       respond);
}

void confirm(Serving& serving, const http::Request& request, const identity::Session& session, const json::value& body,
             const http::Respond& respond) {
  const Result<std::string> code = member(body, "code", true);
  if (!code) return respond(problem(code.refusal(), request.id));
  tell_codes(serving, request, session, "factor_confirm", serving.system.identity->confirm_factor(session, *code),
             respond);
}

void renew(Serving& serving, const http::Request& request, const identity::Session& session, const json::value& body,
           const http::Respond& respond) {
  const Result<std::string> code = member(body, "code", true);
  if (!code) return respond(problem(code.refusal(), request.id));
  tell_codes(serving, request, session, "factor_recovery_renew",
             serving.system.identity->renew_recovery(session, *code), respond);
}

void remove(Serving& serving, const http::Request& request, const identity::Session& session, const json::value& body,
            const http::Respond& respond) {
  const Result<std::string> code = member(body, "code", true);
  if (!code) return respond(problem(code.refusal(), request.id));
  const Result<Done> done = serving.system.identity->remove_factor(session, *code);
  tell(serving, act_of(serving, session, "factor_remove"), done ? nullptr : &done.refusal(), {}, request, respond);
}

void confirm_again(Serving& serving, const http::Request& request, const identity::Session& session,
                   const json::value& body, const http::Respond& respond) {
  const Result<std::string> code = member(body, "code", false), password = member(body, "password", false);
  for (const auto* each : {&code, &password}) {
    if (!*each) return respond(problem(each->refusal(), request.id));
  }
  const Result<Done> done = serving.system.identity->confirm_again(session, *code, *password);
  if (done) serving.lending.answered({session.account, session.person, session.id, session.display_name, "", ""});
  record::Entry entry = act_of(serving, session, "session_confirm");
  entry.basis = "§2.5.3";
  tell(serving, std::move(entry), done ? nullptr : &done.refusal(), {}, request, respond);
}

http::Handler by(Serving& serving, Handle handle, Alive alive = Alive::checked) {
  return signed_in(
      serving,
      [&serving, handle](http::Request request, Session session, http::Respond respond) {
        const Result<json::value> body = json_body(request);
        if (!body) return respond(problem(body.refusal(), request.id));
        handle(serving, request, *session, *body, respond);
      },
      alive, Does::looks);  // whoever may look only may still make the account safe again
}

constexpr std::string_view kCodeSchema =
    R"({"type":"object","required":["code"],"properties":{"code":{"type":"string"}}})";
constexpr std::string_view kCodesSchema =
    R"({"type":"object","required":["recovery_codes"],"properties":{"recovery_codes":{"type":"array","items":{"type":"string"}}}})";
constexpr size_t kBodyMax = 16 * 1024;

}  // namespace

std::vector<http::Route> factor_routes(Serving& serving) {
  using http::Verb;
  return {
      {.verb = Verb::post,
       .path = "/api/session/factor",
       .needs = http::kSession,
       .handler = by(serving, offer),
       .summary = {"申请动态验证码的密钥（只显示一次）", "a new second factor, shown once"},
       .request_schema = R"({"type":"object","required":["password"],"properties":{"password":{"type":"string"}}})",
       .response_schema =
           R"({"type":"object","required":["secret","uri","qr"],"properties":{"secret":{"type":"string"},"uri":{"type":"string"},"qr":{"type":"array","items":{"type":"string"},"description":"rows of the QR code, 1 is dark"}}})",
       .body_max = kBodyMax},
      {.verb = Verb::post,
       .path = "/api/session/factor/confirmation",
       .needs = http::kSession,
       .handler = by(serving, confirm),
       .summary = {"以第一个验证码启用，得到恢复码", "put it in force with its first code; gives the recovery codes"},
       .request_schema = kCodeSchema,
       .response_schema = kCodesSchema,
       .body_max = kBodyMax},
      {.verb = Verb::post,
       .path = "/api/session/factor/recovery",
       .needs = http::kSession,
       .handler = by(serving, renew),
       .summary = {"换一组恢复码", "new recovery codes in place of the old"},
       .request_schema = kCodeSchema,
       .response_schema = kCodesSchema,
       .body_max = kBodyMax},
      {.verb = Verb::post,
       .path = "/api/session/factor/removal",
       .needs = http::kSession,
       .handler = by(serving, remove),
       .summary = {"停用动态验证码", "remove one's second factor"},
       .request_schema = kCodeSchema,
       .body_max = kBodyMax},
      {.verb = Verb::post,
       .path = "/api/session/confirmation",
       .needs = http::kSession,
       .handler = by(serving, confirm_again, Alive::held_too),
       .summary = {"会话中再次证明是本人（§2.5.3）", "show again, in the middle of a session, who one is (§2.5.3)"},
       .request_schema = R"({"type":"object","properties":{"code":{"type":"string"},"password":{"type":"string"}}})",
       .body_max = kBodyMax},
  };
}

}  // namespace jw::app
