// The one reader over HTTP (design §6).
#include <boost/json.hpp>

#include "app/problem.hpp"
#include "app/serving.hpp"

namespace jw::app {

namespace {

using Session = std::shared_ptr<const identity::Session>;

constexpr std::string_view kQuerySchema = R"({"$ref":"#/components/schemas/Query"})";
constexpr std::string_view kAnswerSchema = R"({"$ref":"#/components/schemas/Answer"})";

}  // namespace

std::vector<http::Route> query_routes(Serving& serving) {
  using http::Verb;
  return {
      {.verb = Verb::get,
       .path = "/api/datasets",
       .needs = http::kSession,
       .handler = signed_in(serving,
                            [&serving](http::Request, Session session, http::Respond respond) {
                              respond(json_response(serving.system.engine->datasets_json(asker_of(*session))));
                            }),
       .summary = {"我可以查询的数据", "the datasets I may query"},
       .response_schema = R"({"type":"object"})"},
      {.verb = Verb::get,
       .path = "/api/datasets/{name}",
       .needs = http::kSession,
       .handler = signed_in(serving,
                            [&serving](http::Request request, Session session, http::Respond respond) {
                              Result<std::string> described =
                                  serving.system.engine->dataset_json(asker_of(*session), request.captures.at(0));
                              respond(described ? json_response(std::move(described).value())
                                                : problem(described.refusal(), request.id));
                            }),
       .summary = {"一种数据的字段、条件和依据", "fields, conditions and basis of one dataset"},
       .response_schema = R"({"type":"object"})"},
      {.verb = Verb::get,
       .path = "/api/datasets/{name}/{key}",
       .needs = http::kSession,
       .handler = signed_in(
           serving,
           [&serving](http::Request request, Session session, http::Respond respond) {
             const std::string purpose = request.parameter("purpose").value_or("");
             release(serving, *session,
                     serving.system.engine->ask_one(asker_of(*session), request.captures.at(0), request.captures.at(1),
                                                    purpose),
                     request.id, std::move(respond));
           },
           Alive::by_gate),
       .summary = {"一条记录", "one row"},
       .response_schema = kAnswerSchema},
      {.verb = Verb::post,
       .path = "/api/query",
       .needs = http::kSession,
       .handler = signed_in(
           serving,
           [&serving](http::Request request, Session session, http::Respond respond) {
             const Result<boost::json::value> body = json_body(request);
             if (!body) return respond(problem(body.refusal(), request.id));
             release(serving, *session, serving.system.engine->ask(asker_of(*session), *body), request.id,
                     std::move(respond));
           },
           Alive::by_gate),
       .summary = {"查询", "query"},
       .request_schema = kQuerySchema,
       .response_schema = kAnswerSchema,
       .body_max = 512 * 1024},
      {.verb = Verb::post,
       .path = "/api/query/explain",
       .needs = http::kSession,
       .handler = signed_in(
           serving,
           [&serving](http::Request request, Session session, http::Respond respond) {
             const Result<boost::json::value> body = json_body(request);
             if (!body) return respond(problem(body.refusal(), request.id));
             release(serving, *session, serving.system.engine->explain(asker_of(*session), *body), request.id,
                     std::move(respond));
           },
           Alive::checked, Does::looks),
       .summary = {"为什么能查或不能查", "why a query is permitted or not"},
       .request_schema = kQuerySchema,
       .response_schema = R"({"type":"object"})",
       .body_max = 512 * 1024},
  };
}

}  // namespace jw::app
