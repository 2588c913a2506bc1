// Whether the system runs, is ready, and what it counts; what describes it.
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <mutex>

#include "app/dictionary.hpp"
#include "app/routes.hpp"
#include "base/json.hpp"
#include "platform/crypto/api.hpp"

namespace jw::app {

using edge::Call;

std::vector<Text> Condition::drift() {
  const std::lock_guard lock(mutex_);
  const auto time = std::chrono::steady_clock::now();
  if (looked_ && time - *looked_ < std::chrono::seconds(30)) return found_;
  const db::Store::Lease lease = house_.store.private_reader();
  found_ = altered(made_, *lease);
  looked_ = time;
  return found_;
}

std::optional<Text> little_room(uintmax_t available, uintmax_t capacity) {
  if (available >= std::min(kRoomLeast, capacity / 10)) return std::nullopt;
  const std::string left = std::to_string(available >> 20);
  return Text{"数据所在磁盘只剩 " + left + " MB，写满后不能再办理和查询，请尽快清理或扩容",
              "only " + left +
                  " MB are left on the disk of the data: once it is full nothing is answered any more; make room"};
}

std::optional<Text> Condition::room() const {
  if (data_.empty()) return std::nullopt;
  std::error_code error;
  const std::filesystem::space_info space = std::filesystem::space(data_, error);
  return error ? std::nullopt : little_room(space.available, space.capacity);
}

namespace {

void healthy(const Call& call) {
  call.send({.body = "{\"status\":\"ok\"}"});
}

void ready(const Call& call) {
  edge::House& house = call.house();
  if (!house.recorder.healthy()) return call.refuse(edge::not_durable());
  {
    const db::Store::Lease lease = house.store.reader();
    house.policy.refresh(*lease);
  }
  http::Response response;
  JsonWriter json(response.body);
  json.object().field("status", "ready").key("problems").array();
  Condition& condition = house.parts.get<Condition>();
  for (const std::vector<Text>& some :
       {house.recorder.problems(), condition.loose(), condition.drift(), house.policy.rules()->closed()}) {
    for (const Text& each : some) json.value(each);
  }
  if (const auto room = condition.room()) json.value(*room);
  json.end_array().end_object();
  call.send(std::move(response));
}

// The figures tell how many work here and when. Whoever has the token may see them; without one, this machine alone:
// what came through a proxy is somebody else's, whatever address it shows.
bool may_see_metrics(const Call& call) {
  const http::Request& request = call.request();
  if (const std::string& token = call.house().parts.get<Condition>().metrics_token; !token.empty())
    return crypto::equal_in_constant_time(request.header("authorization"), "Bearer " + token);
  const bool passed_on = !request.header("x-forwarded-for").empty() || !request.header("forwarded").empty();
  return !passed_on && (request.remote.starts_with("127.") || request.remote == "::1");
}

void metrics(const Call& call) {
  edge::House& house = call.house();
  if (!may_see_metrics(call)) {
    return call.refuse({Code::forbidden,
                        "http.metrics_closed",
                        {"运行指标只向本机或持令牌者提供（--metrics-token-file）",
                         "metrics are for this machine, or whoever has the token (--metrics-token-file)"}});
  }
  const auto gauge = [&](const char* name, const char* help, uint64_t value) {
    house.metrics.gauge(name, help).set(static_cast<int64_t>(value));
  };
  gauge("jiaowu_record_leaves", "Leaves in the record.", house.recorder.size());
  gauge("jiaowu_plans", "Statements in the plan cache.", house.engine.plans());
  gauge("jiaowu_record_healthy", "1 while the record can be written.", house.recorder.healthy() ? 1 : 0);
  const identity::Counters& door = house.identity.counters();
  gauge("jiaowu_sign_ins", "Sign-ins that succeeded.", door.signed_in.load());
  gauge("jiaowu_sign_ins_refused", "Sign-ins refused.", door.refused.load());
  call.send({.body = house.metrics.text(), .content_type = log::kMetricsType});
}

void dictionary(const Call& call) {
  call.send({.body = data_dictionary(call.house().catalogue), .content_type = "text/markdown; charset=utf-8"});
}

void openapi(const Call& call) {
  call.send({.shared_body = call.house().parts.get<Condition>().described});
}

const edge::Route kRoutes[] = {
    {.verb = edge::Verb::get,
     .path = "/healthz",
     .needs = edge::Needs::open("whoever watches over the server has no account"),
     .run = healthy,
     .summary = {"进程在运行", "the process runs"},
     .response = "Health",
     .blocking = false},
    {.verb = edge::Verb::get,
     .path = "/readyz",
     .needs = edge::Needs::open("whoever watches over the server has no account"),
     .run = ready,
     .summary = {"可以提供服务", "ready to serve"},
     .response = "Readiness"},
    {.verb = edge::Verb::get,
     .path = "/metrics",
     .needs = edge::Needs::open("whoever watches over the server has no account"),
     .run = metrics,
     .summary = {"运行指标", "metrics"},
     .response = "MetricsText"},
    {.verb = edge::Verb::get,
     .path = "/api/dictionary",
     .needs = edge::Needs::open("what fields there are is no secret (§4.1.1)"),
     .run = dictionary,
     .summary = {"数据字典（§4.1.1）", "the data dictionary (§4.1.1)"},
     .response = "Markdown"},
    {.verb = edge::Verb::get,
     .path = "/api/openapi.json",
     .needs = edge::Needs::open("what calls there are is no secret"),
     .run = openapi,
     .summary = {"本接口的 OpenAPI 描述", "the OpenAPI description of this interface"},
     .response = "OpenApi",
     .blocking = false},
};

}  // namespace

std::span<const edge::Route> operation_routes() {
  return kRoutes;
}

}  // namespace jw::app
