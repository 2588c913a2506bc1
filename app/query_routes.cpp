// The one reader over HTTP (design §6).
#include <boost/json.hpp>

#include "app/routes.hpp"

namespace jw::app {

using edge::Call;

namespace {

Result<std::string> datasets(const Call& call) {
  return call.house().engine.datasets_json(call.asker());
}

Result<std::string> dataset(const Call& call) {
  return call.house().engine.dataset_json(call.asker(), call.captured(0));
}

void one_row(const Call& call) {
  call.release(
      call.house().engine.ask_one(call.asker(), call.captured(0), call.captured(1), call.parameter("purpose")));
}

void query(const Call& call) {
  const Result<boost::json::value> body = call.json();
  if (!body) return call.refuse(body.refusal());
  call.release(call.house().engine.ask(call.asker(), *body));
}

void explain(const Call& call) {
  const Result<boost::json::value> body = call.json();
  if (!body) return call.refuse(body.refusal());
  call.release(call.house().engine.explain(call.asker(), *body));
}

constexpr std::string_view kQuerySchema = R"({"$ref":"#/components/schemas/Query"})";
constexpr std::string_view kAnswerSchema = R"({"$ref":"#/components/schemas/Answer"})";

const edge::Route kRoutes[] = {
    {.verb = edge::Verb::get,
     .path = "/api/datasets",
     .needs = edge::Needs::session(),
     .run = edge::saying<datasets>,
     .summary = {"我可以查询的数据", "the datasets I may query"},
     .response_schema = R"({"type":"object"})"},
    {.verb = edge::Verb::get,
     .path = "/api/datasets/{name}",
     .needs = edge::Needs::session(),
     .run = edge::saying<dataset>,
     .summary = {"一种数据的字段、条件和依据", "fields, conditions and basis of one dataset"},
     .response_schema = R"({"type":"object"})"},
    {.verb = edge::Verb::get,
     .path = "/api/datasets/{name}/{key}",
     .needs = edge::Needs::session(),
     .run = one_row,
     .summary = {"一条记录", "one row"},
     .response_schema = kAnswerSchema,
     .alive = edge::Alive::by_gate},
    {.verb = edge::Verb::post,
     .path = "/api/query",
     .needs = edge::Needs::session(),
     .run = query,
     .summary = {"查询", "query"},
     .request_schema = kQuerySchema,
     .response_schema = kAnswerSchema,
     .body_max = 512 * 1024,
     .alive = edge::Alive::by_gate},
    {.verb = edge::Verb::post,
     .path = "/api/query/explain",
     .needs = edge::Needs::session(),
     .run = explain,
     .summary = {"为什么能查或不能查", "why a query is permitted or not"},
     .request_schema = kQuerySchema,
     .response_schema = R"({"type":"object"})",
     .body_max = 512 * 1024,
     .does = edge::Does::looks},
};

}  // namespace

std::span<const edge::Route> query_routes() {
  return kRoutes;
}

}  // namespace jw::app
