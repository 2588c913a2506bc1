// Made-up stores only: be one of the made-up persons, ask the same question as several of them.
#include <boost/json.hpp>

#include "app/problem.hpp"
#include "app/serving.hpp"
#include "base/json.hpp"

namespace jw::app {

namespace json = boost::json;

namespace {

Result<std::shared_ptr<const identity::Session>> enter(Serving& serving, const http::Request& request,
                                                       std::string_view account, std::string* token) {
  identity::SignIn entered =
      serving.system.identity->enter_made_up(account, request.remote, request.header("user-agent"));
  record::Entry entry;
  entry.time = serving.system.clock->now();
  entry.kind = entered.outcome.kind;
  entry.account = entered.outcome.account;
  entry.person = entered.outcome.person;
  entry.session = entered.outcome.session;
  entry.decision = entered.outcome.decision;
  if (!serving.system.recorder->append_and_wait(std::move(entry))) {
    return Refusal{Code::unavailable, "record.not_durable", {"登录记录无法保存", "the record cannot be kept now"}};
  }
  if (!entered.result) return entered.result.refusal();
  if (token != nullptr) *token = entered.result->token;
  return entered.result->session;
}

void persons(Serving& serving, const http::Respond& respond) {
  const db::Store::Lease lease = serving.system.store->reader();
  const std::string gallery = store_fact(*lease, "gallery");
  http::Response response;
  response.body = "{\"persons\":" + (gallery.empty() ? std::string("[]") : gallery) + "}";
  respond(std::move(response));
}

void be(Serving& serving, const http::Request& request, const http::Respond& respond) {
  const Result<json::value> body = json_body(request);
  if (!body) return respond(problem(body.refusal(), request.id));
  const json::value* account = body->is_object() ? body->get_object().if_contains("account") : nullptr;
  if (account == nullptr || !account->is_string()) {
    return respond(problem({Code::unprocessable,
                            "http.field_missing",
                            {"须写明 account", "account is required"},
                            {{"account", "required", {"必填", "required"}}}},
                           request.id));
  }
  std::string token;
  const auto session = enter(serving, request, std::string_view(account->get_string()), &token);
  if (!session) return respond(problem(session.refusal(), request.id));
  http::Response response;
  JsonWriter out(response.body);
  out.object().field("token", token).field("expires", (*session)->expires.print()).key("person").object();
  out.field("account", (*session)->login)
      .field("kind", (*session)->kind)
      .field("name", (*session)->display_name)
      .end_object();
  out.field("must_change_password", false).end_object();
  response.headers.emplace_back(
      "Set-Cookie", std::string(http::kSessionCookie) + "=" + token + "; Path=/; HttpOnly; SameSite=Strict");
  response.headers.emplace_back("Cache-Control", "no-store");
  respond(std::move(response));
}

// One person's answer to the common question, recorded like any other.
void compare_one(Serving& serving, const http::Request& request, std::string_view account, const json::value& query,
                 JsonWriter& out) {
  out.object().field("account", account);
  const auto session = enter(serving, request, account, nullptr);
  if (!session) {
    out.field("kind", "").field("name", "").field("status", status_of(session.refusal().code));
    out.key("problem").raw(problem(session.refusal(), request.id).body).end_object();
    return;
  }
  out.field("kind", (*session)->kind).field("name", (*session)->display_name);
  query::Outcome outcome = serving.system.engine->ask(asker_of(**session), query);
  const auto leaf = serving.system.recorder->append_and_wait(std::move(outcome.entry));
  const std::string id = leaf ? leaf->id() : std::string();
  const Refusal lost{Code::unavailable, "record.not_durable", {"记录无法保存", "the record cannot be kept"}};
  const Refusal* refusal = leaf ? std::get_if<Refusal>(&outcome.result) : &lost;
  if (refusal != nullptr) {
    out.field("status", status_of(refusal->code)).key("problem").raw(problem(*refusal, request.id, id).body);
  } else {
    std::string answer = std::get<query::Answer>(outcome.result).json + ",\"record\":";
    append_json_string(answer, id);
    out.field("status", 200).key("answer").raw(answer + "}");
  }
  out.end_object();
  serving.system.identity->sign_out(**session);
}

void compare(Serving& serving, const http::Request& request, const http::Respond& respond) {
  const Result<json::value> body = json_body(request);
  if (!body) return respond(problem(body.refusal(), request.id));
  const json::object* object = body->if_object();
  const json::value* query = object == nullptr ? nullptr : object->if_contains("query");
  const json::value* accounts = object == nullptr ? nullptr : object->if_contains("accounts");
  const bool good = query != nullptr && accounts != nullptr && accounts->is_array() &&
                    accounts->get_array().size() <= 12 &&
                    std::all_of(accounts->get_array().begin(), accounts->get_array().end(),
                                [](const json::value& a) { return a.is_string(); });
  if (!good) {
    return respond(problem({Code::unprocessable,
                            "http.field_invalid",
                            {"须给出 query 和至多 12 个 accounts", "query and at most 12 accounts are required"},
                            {{"accounts", "invalid", {"应是账号的数组", "must be an array of accounts"}}}},
                           request.id));
  }
  http::Response response;
  JsonWriter out(response.body);
  out.object().key("answers").array();
  for (const json::value& account : accounts->get_array())
    compare_one(serving, request, std::string_view(account.get_string()), *query, out);
  out.end_array().end_object();
  response.headers.emplace_back("Cache-Control", "no-store");
  respond(std::move(response));
}

}  // namespace

std::vector<http::Route> demo_routes(Serving& serving) {
  using http::Verb;
  if (!serving.system.made_up) return {};
  return {
      {.verb = Verb::get,
       .path = "/api/demo/persons",
       .needs = http::kPublic,
       .handler = [&serving](http::Request, http::Respond respond) { persons(serving, respond); },
       .summary = {"虚构的人物（仅演示库）", "the made-up persons (made-up stores only)"},
       .response_schema = R"({"type":"object"})"},
      {.verb = Verb::post,
       .path = "/api/demo/session",
       .needs = http::kPublic,
       .handler = [&serving](http::Request request, http::Respond respond) { be(serving, request, respond); },
       .summary = {"成为其中一人（仅演示库）", "be one of them (made-up stores only)"},
       .request_schema = R"({"type":"object","required":["account"],"properties":{"account":{"type":"string"}}})",
       .response_schema = R"({"$ref":"#/components/schemas/Session"})"},
      {.verb = Verb::post,
       .path = "/api/demo/compare",
       .needs = http::kPublic,
       .handler = [&serving](http::Request request, http::Respond respond) { compare(serving, request, respond); },
       .summary = {"同一个问题，几个人问（仅演示库）", "the same question asked by several (made-up stores only)"},
       .request_schema =
           R"({"type":"object","required":["query","accounts"],"properties":{"query":{"$ref":"#/components/schemas/Query"},"accounts":{"type":"array","items":{"type":"string"}}}})",
       .response_schema = R"({"type":"object"})"},
  };
}

}  // namespace jw::app
