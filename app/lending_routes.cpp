// The desk for findings of lending (§2.5.3): of the security administrator and 教务处. Also the reset of somebody's
// second factor (§3.1.1).
#include <boost/json.hpp>

#include <algorithm>
#include <charconv>

#include "app/problem.hpp"
#include "app/serving.hpp"
#include "base/json.hpp"
#include "base/text.hpp"

namespace jw::app {

namespace json = boost::json;

namespace {

using Session = std::shared_ptr<const identity::Session>;

constexpr std::string_view kPower = "lending_desk";  // regulation/powers.toml

std::optional<lending::Hand> hand_of(Serving& serving, const identity::Session& session) {
  System& system = serving.system;
  const db::Store::Lease lease = system.store->reader();
  const policy::AuthorityPtr authority = system.policy->authority(*lease, asker_of(session), system.clock->now());
  const int post = authority->rules().empowered(authority->posts(), kPower);
  for (const policy::HeldPost& held : authority->posts()) {
    if (held.post != post) continue;
    return lending::Hand{session.account,
                         session.person,
                         session.id,
                         session.display_name,
                         authority->rules().regulation().posts[static_cast<size_t>(post)].name,
                         held.units.empty() ? "" : held.units.front()};
  }
  return std::nullopt;
}

const Refusal kNotDesk{
    Code::forbidden,
    "lending.desk_only",
    {"由安全管理员或教务处处理", "the security administrator or the academic affairs office deal with this"},
    {},
    Remedy{"2.5.3",
           {"如怀疑账号被转借或冒用，请告知教务处或安全管理员",
            "if you suspect that an account is lent or impersonated, tell the academic affairs office "
            "or the security administrator"},
           "",
           ""}};

void refuse_recorded(Serving& serving, const identity::Session& session, std::string_view action, Refusal refusal,
                     const std::string& request_id, const http::Respond& respond) {
  query::Outcome outcome;
  outcome.entry.time = serving.system.clock->now();
  outcome.entry.kind = "refusal";
  outcome.entry.account = session.account;
  outcome.entry.person = session.person;
  outcome.entry.session = session.id;
  outcome.entry.action = action;
  outcome.entry.decision = refusal.type;
  outcome.result = std::move(refusal);
  release(serving, session, std::move(outcome), request_id, respond);
}

// Who looked at the desk is on record, too.
void list(Serving& serving, const http::Request& request, const identity::Session& session,
          const http::Respond& respond) {
  const auto hand = hand_of(serving, session);
  if (!hand) return refuse_recorded(serving, session, "lending_findings", kNotDesk, request.id, respond);
  const std::string state = request.parameter("state").value_or("open");
  if (state != "open" && state != "closed") {
    return respond(problem({Code::unprocessable,
                            "lending.state_unknown",
                            {"state 应为 open 或 closed", "state must be open or closed"},
                            {{"state", "unknown", {"应为 open 或 closed", "must be open or closed"}}}},
                           request.id));
  }
  std::string body;
  {
    const db::Store::Lease lease = serving.system.store->private_reader();
    body = serving.lending.findings_json(*lease, state);
  }
  record::Entry entry;
  entry.time = serving.system.clock->now();
  entry.kind = "act";
  entry.account = session.account;
  entry.person = session.person;
  entry.session = session.id;
  entry.post = hand->post;
  entry.unit = hand->unit;
  entry.action = "lending_findings";
  entry.decision = "allowed";
  entry.basis = "§2.5.3";
  if (!serving.system.recorder->append_and_wait(std::move(entry))) {
    return respond(
        problem({Code::unavailable, "record.not_durable", {"记录无法保存", "the record cannot be kept"}}, request.id));
  }
  respond(json_response(std::move(body)));
}

std::string text_of(const json::value& body, const char* name) {
  const json::value* value = body.is_object() ? body.get_object().if_contains(name) : nullptr;
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

Result<record::Leaf> act(Serving& serving, const std::string& what, int64_t finding, const lending::Hand& hand,
                         const json::value& body) {
  const std::string reason = text_of(body, "reason");
  if (what == "dismiss") return serving.lending.dismiss(finding, hand, reason);
  if (what == "lift") return serving.lending.lift(finding, hand, reason);
  const auto step = lending::step_named(text_of(body, "step"));
  if (!step || *step == lending::Step::none) {
    return Refusal{
        Code::unprocessable,
        "lending.step_unknown",
        {"没有这种措施", "there is no such step"},
        {{"step",
          "unknown",
          {"应为 ask_second_factor、read_only 或 suspended", "must be ask_second_factor, read_only or suspended"}}}};
  }
  return serving.lending.take_step(finding, *step, hand, reason);
}

void done(const Result<record::Leaf>& leaf, const std::string& request_id, const http::Respond& respond) {
  if (!leaf) return respond(problem(leaf.refusal(), request_id));
  std::string text;
  JsonWriter(text).object().field("record", leaf->id()).end_object();
  respond(json_response(std::move(text)));
}

http::Handler acting(Serving& serving, const char* what) {
  return signed_in(serving, [&serving, what](http::Request request, Session session, http::Respond respond) {
    const std::string action = std::string("lending_") + what;
    const auto hand = hand_of(serving, *session);
    if (!hand) return refuse_recorded(serving, *session, action, kNotDesk, request.id, respond);
    const Result<json::value> body = json_body(request);
    if (!body) return respond(problem(body.refusal(), request.id));
    int64_t finding = 0;
    const std::string& number = request.captures.at(0);
    std::from_chars(number.data(), number.data() + number.size(), finding);  // anything else is no finding
    const Result<record::Leaf> leaf = act(serving, what, finding, *hand, *body);
    if (!leaf && leaf.refusal().type == "lending.own_account")
      return refuse_recorded(serving, *session, action, leaf.refusal(), request.id, respond);
    done(leaf, request.id, respond);
  });
}

// Somebody lost the telephone: the desk triggers, and reads nothing.
void reset_factor(Serving& serving, const http::Request& request, const identity::Session& session,
                  const http::Respond& respond) {
  System& system = serving.system;
  const auto hand = hand_of(serving, session);
  if (!hand) return refuse_recorded(serving, session, "factor_reset", kNotDesk, request.id, respond);
  const Result<json::value> body = json_body(request);
  if (!body) return respond(problem(body.refusal(), request.id));
  const std::string reason(trim(text_of(*body, "reason")));
  if (reason.empty() || reason.size() > 4 * lending::kReasonMax) {
    return respond(problem({Code::unprocessable,
                            "lending.reason_missing",
                            {"须写明理由", "the reason must be stated"},
                            {{"reason", "required", {"必填", "required"}}}},
                           request.id));
  }
  int64_t outbox = 0;
  {
    const db::Store::Lease lease = system.store->writer();
    db::Transaction transaction(*lease, db::Transaction::Mode::write);
    const auto account = system.identity->find_account(*lease, request.captures.at(0));
    const Result<Done> reset =
        account && account->id != session.account
            ? system.identity->reset_factor(*lease, account->id)
            : Result<Done>(Refusal{Code::not_found,
                                   "identity.account_unknown",
                                   {"没有这个账号，或是您自己的账号", "there is no such account, or it is your own"}});
    if (!reset) return respond(problem(reset.refusal(), request.id));
    record::Entry entry;
    entry.time = system.clock->now();
    entry.kind = "act";
    entry.account = session.account;
    entry.person = session.person;
    entry.session = session.id;
    entry.post = hand->post;
    entry.unit = hand->unit;
    entry.action = "factor_reset";
    entry.decision = "allowed";
    entry.basis = "§3.1.1";
    JsonWriter(entry.parameters).object().field("account", account->id).field("reason", reason).end_object();
    outbox = system.recorder->put_in_outbox(*lease, entry);
    transaction.commit();
  }
  const auto leaf = system.recorder->deliver(outbox);
  if (!leaf) {
    return respond(problem(
        {Code::unavailable,
         "record.not_durable",
         {"已重置，但记录暂时无法保存，稍后会补上", "reset, but its record cannot be kept now; it follows later"}},
        request.id));
  }
  done(*leaf, request.id, respond);
}

constexpr std::string_view kReasonSchema =
    R"({"type":"object","required":["reason"],"properties":{"reason":{"type":"string"}}})";
constexpr std::string_view kStepSchema =
    R"({"type":"object","required":["step","reason"],"properties":{"step":{"enum":["ask_second_factor","read_only","suspended"]},"reason":{"type":"string"}}})";
constexpr std::string_view kDoneSchema =
    R"({"type":"object","required":["record"],"properties":{"record":{"type":"string"}}})";
constexpr std::string_view kFindingsSchema =
    R"({"type":"object","required":["findings"],"properties":{"findings":{"type":"array","items":{"type":"object","required":["id","account","name","rule","label","clause","score","seen","from","until","found","answered","state","sessions","records","step","steps"]}}}})";
constexpr size_t kBodyMax = 16 * 1024;

}  // namespace

std::vector<http::Route> lending_routes(Serving& serving) {
  using http::Verb;
  return {
      {.verb = Verb::get,
       .path = "/api/lending/findings",
       .needs = http::kSession,
       .handler = signed_in(serving, [&serving](http::Request request, Session session,
                                                http::Respond respond) { list(serving, request, *session, respond); }),
       .summary = {"转借识别的发现（安全管理员、教务处）",
                   "findings of lending (security administrator, academic affairs office)"},
       .response_schema = kFindingsSchema},
      {.verb = Verb::post,
       .path = "/api/lending/findings/{id}/dismiss",
       .needs = http::kSession,
       .handler = acting(serving, "dismiss"),
       .summary = {"认定为正常", "the pattern is honest"},
       .request_schema = kReasonSchema,
       .response_schema = kDoneSchema,
       .body_max = kBodyMax},
      {.verb = Verb::post,
       .path = "/api/lending/findings/{id}/step",
       .needs = http::kSession,
       .handler = acting(serving, "step"),
       .summary = {"采取措施", "take a step"},
       .request_schema = kStepSchema,
       .response_schema = kDoneSchema,
       .body_max = kBodyMax},
      {.verb = Verb::post,
       .path = "/api/lending/findings/{id}/lift",
       .needs = http::kSession,
       .handler = acting(serving, "lift"),
       .summary = {"解除措施", "lift what is in force"},
       .request_schema = kReasonSchema,
       .response_schema = kDoneSchema,
       .body_max = kBodyMax},
      {.verb = Verb::post,
       .path = "/api/accounts/{account}/factor-reset",
       .needs = http::kSession,
       .handler =
           signed_in(serving, [&serving](http::Request request, Session session,
                                         http::Respond respond) { reset_factor(serving, request, *session, respond); }),
       .summary = {"重置他人的动态验证码（安全管理员、教务处）",
                   "reset somebody's second factor (security administrator, academic affairs office)"},
       .request_schema = kReasonSchema,
       .response_schema = kDoneSchema,
       .body_max = kBodyMax},
  };
}

}  // namespace jw::app
