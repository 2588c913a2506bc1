// OpenAPI 3.1 out of the route table. Sorted by path and verb, so a route's place in the table does not show.
#include <algorithm>
#include <array>
#include <map>

#include "base/json.hpp"
#include "platform/http/api.hpp"
#include "platform/http/router.hpp"

namespace jw::http {
namespace {

struct ProblemStatus {
  int status;
  const char* zh;
  const char* en;
};
constexpr std::array<ProblemStatus, 9> kProblems{{
    {400, "请求不正确", "The request is wrong"},
    {401, "未登录或登录已失效", "No live session"},
    {403, "没有权限；说明如何申请", "No permission; says how to apply"},
    {404, "不存在，或不在可见范围内", "Unknown, or outside what one may see"},
    {409, "状态已改变", "The state has changed"},
    {413, "请求体过大", "The body is too large"},
    {422, "字段有误", "A field is wrong"},
    {429, "请求过于频繁", "Too many requests"},
    {503, "系统繁忙，请稍后再试", "The system is busy; try again shortly"},
}};

constexpr std::string_view kProblemSchema =
    R"({"type":"object","description":"RFC 9457","required":["type","title","status","code","detail",)"
    R"("request"],"properties":{)"
    R"("type":{"type":"string"},"title":{"$ref":"#/components/schemas/Text"},"status":{"type":"integer"},)"
    R"("code":{"type":"string"},"detail":{"$ref":"#/components/schemas/Text"},)"
    R"("fields":{"type":"array","items":{"type":"object","required":["field","code","text"],"properties":{)"
    R"("field":{"type":"string"},"code":{"type":"string"},"text":{"$ref":"#/components/schemas/Text"}}}},)"
    R"("remedy":{"type":"object","required":["clause","text"],"properties":{"clause":{"type":"string"},)"
    R"("text":{"$ref":"#/components/schemas/Text"},"kind":{"type":"string"},"prefill":{"type":"object"}}},)"
    R"("request":{"type":"string"},"record":{"type":"string"}}})";
constexpr std::string_view kTextSchema =
    R"({"type":"object","required":["zh","en"],"properties":{"zh":{"type":"string"},"en":{"type":"string"}}})";

std::string verb_key(Verb verb) {
  std::string out(name_of(verb));
  for (char& c : out) c = static_cast<char>(c + 32);
  return out;
}

// get_api_datasets_by_name
std::string operation_id(const Route& route) {
  std::string out = verb_key(route.verb);
  for (const Segment& segment : segments_of(route.path)) {
    out += segment.is_capture ? "_by_" : "_";
    for (const char c : segment.text) {
      const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
      out += plain ? c : '_';
    }
  }
  return out;
}

bool applies(const ProblemStatus& problem, const Route& route) {
  const bool has_body = !route.request_schema.empty();
  const bool has_captures = route.path.find('{') != std::string_view::npos;
  switch (problem.status) {
    case 401:
    case 403:
      return !route.needs.is_open();
    case 404:
      return has_captures;
    case 409:
      return route.verb != Verb::get;
    case 413:
    case 422:
      return has_body;
    default:
      return true;
  }
}

void write_security(JsonWriter& json, const Route& route) {
  json.key("security").array();
  if (!route.needs.is_open()) {
    json.object().key("bearer").array().end_array().end_object();
    json.object().key("session").array().end_array();
    if (route.verb != Verb::get) json.key("csrf").array().end_array();
    json.end_object();
  }
  json.end_array();
}

void write_json_content(JsonWriter& json, std::string_view schema) {
  json.key("content").object().key("application/json").object();
  json.key("schema").raw(schema);
  json.end_object().end_object();
}

void write_operation(JsonWriter& json, const Route& route) {
  json.key(verb_key(route.verb)).object();
  json.field("operationId", operation_id(route)).field("summary", route.summary.zh);
  json.field("x-summary-en", route.summary.en).field("x-needs", route.needs.is_open() ? "public" : route.needs.name());
  json.key("parameters").array();
  for (const Segment& segment : segments_of(route.path)) {
    if (!segment.is_capture) continue;
    json.object().field("name", segment.text).field("in", "path").field("required", true);
    json.key("schema").object().field("type", "string").end_object().end_object();
  }
  json.end_array();
  if (!route.request_schema.empty()) {
    json.key("requestBody").object().field("required", true);
    write_json_content(json, route.request_schema);
    json.end_object();
  }
  write_security(json, route);
  json.key("responses").object().key("200").object().field("description", "OK");
  if (!route.response_schema.empty()) write_json_content(json, route.response_schema);
  json.end_object();
  for (const ProblemStatus& problem : kProblems) {
    if (!applies(problem, route)) continue;
    const std::string status = std::to_string(problem.status);
    json.key(status).object().field("$ref", "#/components/responses/" + status).end_object();
  }
  json.key("default").object().field("$ref", "#/components/responses/default").end_object();
  json.end_object().end_object();
}

void write_problem(JsonWriter& json, std::string_view name, std::string_view zh, std::string_view en) {
  json.key(name).object().field("description", zh).field("x-description-en", en);
  json.key("content").object().key("application/problem+json").object();
  json.key("schema").object().field("$ref", "#/components/schemas/Problem").end_object();
  json.end_object().end_object().end_object();
}

void write_components(JsonWriter& json, std::string_view schemas) {
  json.key("components").object().key("schemas").object();
  json.key("Text").raw(kTextSchema).key("Problem").raw(kProblemSchema);
  const size_t open = schemas.find('{'), close = schemas.rfind('}');
  if (open != std::string_view::npos && close != std::string_view::npos) {
    const std::string_view members = schemas.substr(open + 1, close - open - 1);
    if (members.find('"') != std::string_view::npos) json.raw(members);
  }
  json.end_object().key("responses").object();
  for (const ProblemStatus& problem : kProblems) {
    write_problem(json, std::to_string(problem.status), problem.zh, problem.en);
  }
  write_problem(json, "default", "其他错误", "Any other error");
  json.end_object().key("securitySchemes").object();
  json.key("bearer").object().field("type", "http").field("scheme", "bearer").end_object();
  json.key("session").object().field("type", "apiKey").field("in", "cookie").field("name", kSessionCookie).end_object();
  json.key("csrf").object().field("type", "apiKey").field("in", "header").field("name", kCsrfHeader).end_object();
  json.end_object().end_object();
}

}  // namespace

std::string openapi(const std::vector<Route>& routes, std::string_view title, std::string_view version,
                    std::string_view components) {
  std::map<std::string_view, std::vector<const Route*>> by_path;
  for (const Route& route : routes) by_path[route.path].push_back(&route);
  std::string out;
  JsonWriter json(out);
  json.object().field("openapi", "3.1.0");
  json.key("info").object().field("title", title).field("version", version).end_object();
  json.key("paths").object();
  for (auto& [path, of_path] : by_path) {
    std::sort(of_path.begin(), of_path.end(), [](const Route* a, const Route* b) { return a->verb < b->verb; });
    json.key(path).object();
    for (const Route* route : of_path) write_operation(json, *route);
    json.end_object();
  }
  json.end_object();
  write_components(json, components);
  json.end_object();
  return out;
}

}  // namespace jw::http
