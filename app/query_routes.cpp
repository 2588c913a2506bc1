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
  edge::in_turn(call, false, [call] {
    call.release(
        call.house().engine.ask_one(call.asker(), call.captured(0), call.captured(1), call.parameter("purpose")));
  });
}

// Statistics look at all rows there are.
bool is_heavy(const boost::json::value& question) {
  return question.is_object() && question.get_object().contains("measures");
}

void query(const Call& call) {
  Result<boost::json::value> body = call.json();
  if (!body) return call.refuse(body.refusal());
  const bool heavy = is_heavy(*body);
  edge::in_turn(call, heavy,
                [call, body = std::move(body).value()] { call.release(call.house().engine.ask(call.asker(), body)); });
}

void explain(const Call& call) {
  const Result<boost::json::value> body = call.json();
  if (!body) return call.refuse(body.refusal());
  call.release(call.house().engine.explain(call.asker(), *body));
}

const edge::Route kRoutes[] = {
    {.verb = edge::Verb::get,
     .path = "/api/datasets",
     .needs = edge::Needs::session(),
     .run = edge::saying<datasets>,
     .summary = {"我可以查询的数据", "the datasets I may query"},
     .response = "DatasetList"},
    {.verb = edge::Verb::get,
     .path = "/api/datasets/{name}",
     .needs = edge::Needs::session(),
     .run = edge::saying<dataset>,
     .summary = {"一种数据的字段、条件和依据", "fields, conditions and basis of one dataset"},
     .response = "Dataset"},
    {.verb = edge::Verb::get,
     .path = "/api/datasets/{name}/{key}",
     .needs = edge::Needs::session(),
     .run = one_row,
     .summary = {"一条记录", "one row"},
     .parameters = "RowQuestion",
     .response = "Answer",
     .alive = edge::Alive::by_gate},
    {.verb = edge::Verb::post,
     .path = "/api/query",
     .needs = edge::Needs::session(),
     .run = query,
     .summary = {"查询", "query"},
     .request = "Query",
     .response = "Answer",
     .body_max = 512 * 1024,
     .alive = edge::Alive::by_gate,
     .does = edge::Does::looks},
    {.verb = edge::Verb::post,
     .path = "/api/query/explain",
     .needs = edge::Needs::session(),
     .run = explain,
     .summary = {"为什么能查或不能查", "why a query is permitted or not"},
     .request = "Query",
     .response = "Explanation",
     .body_max = 512 * 1024,
     .does = edge::Does::looks},
};

}  // namespace

std::span<const edge::Route> query_routes() {
  return kRoutes;
}

}  // namespace jw::app
