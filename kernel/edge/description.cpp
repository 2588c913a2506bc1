#include "kernel/edge/description.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>
#include <stdexcept>

namespace jw::edge {

namespace fs = std::filesystem;
namespace json = boost::json;

namespace {

constexpr std::string_view kReference = "#/components/schemas/";

// ---- the files

class Reading {
 public:
  void read(const fs::path& file, const std::string& shown) {
    std::ifstream in(file, std::ios::binary);
    std::stringstream text;
    text << in.rdbuf();
    boost::system::error_code wrong;
    const json::value value = json::parse(text.str(), wrong);
    const json::object* root = value.if_object();
    const json::value* given = root == nullptr ? nullptr : root->if_contains("schemas");
    if (wrong || given == nullptr || !given->is_object() || root->size() != 1)
      return mistake(shown, "应为 {\"schemas\": {…}} 的 JSON / must be JSON {\"schemas\": {…}}");
    for (const auto& [name, schema] : given->get_object()) {
      if (schemas_.contains(name)) mistake(shown, "另有同名的 / is in another file, too: " + std::string(name));
      schemas_.insert_or_assign(name, schema);
      origin_[std::string(name)] = shown;
    }
  }

  json::object finish() && {
    for (const auto& [name, schema] : schemas_) check(name, schema);
    if (mistakes_.empty()) return std::move(schemas_);
    throw std::runtime_error("接口说明的文件有误 / the schemas of the interface have mistakes:" + mistakes_);
  }

 private:
  void mistake(const std::string& where, const std::string& what) { mistakes_ += "\n  " + where + ": " + what; }

  void check(std::string_view name, const json::value& value) {
    if (const json::array* array = value.if_array()) {
      for (const json::value& each : *array) check(name, each);
    }
    const json::object* object = value.if_object();
    if (object == nullptr) return;
    const std::string where = origin_.at(std::string(name)) + ": " + std::string(name);
    if (const json::value* to = object->if_contains("$ref"); to != nullptr && to->is_string()) {
      const std::string_view target = to->get_string();
      if (!target.starts_with(kReference) || !schemas_.contains(target.substr(kReference.size())))
        mistake(where, "没有 / there is no " + std::string(target));
    }
    const json::value *required = object->if_contains("required"), *properties = object->if_contains("properties");
    if (required != nullptr && required->is_array()) {
      for (const json::value& each : required->get_array()) {
        const bool described =
            properties != nullptr && properties->is_object() && properties->get_object().contains(each.as_string());
        if (!described) mistake(where, "必有而未说明 / is required and not described: " + json::serialize(each));
      }
    }
    for (const auto& [key, each] : *object) check(name, each);
  }

  json::object schemas_;
  std::map<std::string, std::string> origin_;  // file by name of schema
  std::string mistakes_;
};

// ---- the document

struct ProblemStatus {
  std::string_view status;
  Text text;
};

const ProblemStatus kProblems[] = {
    {"400", {"请求不正确", "The request is wrong"}},
    {"401", {"未登录或登录已失效", "No live session"}},
    {"403", {"没有权限；说明如何申请", "No permission; says how to apply"}},
    {"404", {"不存在，或不在可见范围内", "Unknown, or outside what one may see"}},
    {"409", {"状态已改变", "The state has changed"}},
    {"413", {"请求体过大", "The body is too large"}},
    {"415", {"请求体不是 JSON", "The body is not sent as JSON"}},
    {"422", {"字段有误", "A field is wrong"}},
    {"429", {"请求过于频繁", "Too many requests"}},
    {"503", {"系统繁忙，请稍后再试", "The system is busy; try again shortly"}},
    {"default", {"其他错误", "Any other error"}},
};

bool applies(std::string_view status, const Route& route) {
  if (status == "401" || status == "403") return !route.needs.is_open();
  if (status == "404") return route.path.find('{') != std::string_view::npos || !route.parameters.empty();
  if (status == "409") return route.verb != Verb::get;
  if (status == "413" || status == "415" || status == "422") return !route.request.empty();
  return true;
}

json::object reference(std::string_view schema) {
  return {{"$ref", std::string(kReference) + std::string(schema)}};
}

std::string verb_key(Verb verb) {
  constexpr std::string_view kKeys[] = {"get", "post", "put", "patch", "delete"};
  return std::string(kKeys[static_cast<size_t>(verb)]);
}

// get_api_datasets_by_name
std::string operation_id(const Route& route) {
  std::string out = verb_key(route.verb);
  for (const char c : route.path) {
    if (c == '{') out += "by_";
    if (c == '{' || c == '}') continue;
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    out += plain ? c : '_';
  }
  return out;
}

class Description {
 public:
  explicit Description(json::object schemas) : schemas_(std::move(schemas)) {}

  std::string of(std::vector<const Route*> routes) {
    std::sort(routes.begin(), routes.end(),
              [](const Route* a, const Route* b) { return std::tie(a->path, a->verb) < std::tie(b->path, b->verb); });
    json::object paths;
    for (const Route* route : routes) {
      json::value& path = paths[route->path];
      if (path.is_null()) path.emplace_object();
      path.get_object()[verb_key(route->verb)] = operation(*route);
    }
    // What is asked for in the query string stands with its operation.
    for (const std::string& name : asked_) schemas_.erase(name);
    json::object document{{"openapi", "3.1.0"}};
    document["info"] = json::object{{"title", "Jiaowu 教务"},
                                    {"version", "1"},
                                    {"license", {{"name", "Apache-2.0"}, {"identifier", "Apache-2.0"}}}};
    document["servers"] = json::array{json::object{{"url", "/"}}};
    document["paths"] = std::move(paths);
    document["components"] = components();
    return json::serialize(document);
  }

 private:
  const json::object& named(const Route& route, std::string_view name) const {
    const json::value* found = schemas_.if_contains(name);
    if (found == nullptr || !found->is_object())
      throw std::logic_error("the route " + std::string(route.path) +
                             " names a schema that is in no api.json: " + std::string(name));
    return found->get_object();
  }

  json::object content(const Route& route, std::string_view name) const {
    const json::value* media = named(route, name).if_contains("contentMediaType");
    const std::string type = media == nullptr ? "application/json" : std::string(media->as_string());
    return {{type, {{"schema", reference(name)}}}};
  }

  json::array parameters(const Route& route) {
    json::array out;
    for (size_t at = route.path.find('{'); at != std::string_view::npos; at = route.path.find('{', at + 1)) {
      const std::string_view name = route.path.substr(at + 1, route.path.find('}', at) - at - 1);
      out.push_back({{"name", name}, {"in", "path"}, {"required", true}, {"schema", {{"type", "string"}}}});
    }
    if (route.parameters.empty()) return out;
    const json::object& schema = named(route, route.parameters);
    asked_.insert(std::string(route.parameters));
    json::array required;
    if (const json::value* given = schema.if_contains("required")) required = given->as_array();
    for (const auto& [name, each] : schema.at("properties").as_object()) {
      const bool must = std::find(required.begin(), required.end(), json::value(name)) != required.end();
      out.push_back({{"name", name}, {"in", "query"}, {"required", must}, {"schema", each}});
    }
    return out;
  }

  json::object operation(const Route& route) {
    json::object out{{"operationId", operation_id(route)},
                     {"summary", route.summary.zh},
                     {"x-summary-en", route.summary.en},
                     {"x-needs", route.needs.is_open() ? std::string_view("public") : route.needs.name()}};
    out["parameters"] = parameters(route);
    if (!route.request.empty())
      out["requestBody"] = json::object{{"required", true}, {"content", content(route, route.request)}};
    json::array security;
    if (!route.needs.is_open()) {
      json::object cookie{{"session", json::array()}};
      if (route.verb != Verb::get) cookie["csrf"] = json::array();
      security = {json::object{{"bearer", json::array()}}, std::move(cookie)};
    }
    out["security"] = std::move(security);
    json::object responses;
    if (route.response.empty()) {
      responses["204"] = json::object{{"description", "已办理，没有内容"}, {"x-description-en", "Done, no content"}};
    } else {
      responses["200"] = json::object{{"description", "OK"}, {"content", content(route, route.response)}};
    }
    for (const ProblemStatus& problem : kProblems) {
      if (applies(problem.status, route))
        responses[problem.status] = json::object{{"$ref", "#/components/responses/" + std::string(problem.status)}};
    }
    out["responses"] = std::move(responses);
    return out;
  }

  json::object components() {
    json::object responses;
    for (const ProblemStatus& problem : kProblems) {
      responses[problem.status] =
          json::object{{"description", problem.text.zh},
                       {"x-description-en", problem.text.en},
                       {"content", {{"application/problem+json", {{"schema", reference("Problem")}}}}}};
    }
    json::object out;
    out["schemas"] = std::move(schemas_);
    out["responses"] = std::move(responses);
    out["securitySchemes"] =
        json::object{{"bearer", {{"type", "http"}, {"scheme", "bearer"}}},
                     {"session", {{"type", "apiKey"}, {"in", "cookie"}, {"name", http::kSessionCookie}}},
                     {"csrf", {{"type", "apiKey"}, {"in", "header"}, {"name", http::kCsrfHeader}}}};
    return out;
  }

  json::object schemas_;
  std::set<std::string, std::less<>> asked_;
};

}  // namespace

json::object read_schemas(const fs::path& home) {
  std::vector<std::string> shown{"app/api.json"};
  std::error_code none;
  for (const fs::directory_entry& module : fs::directory_iterator(home / "modules", none)) {
    const std::string file = "modules/" + module.path().filename().string() + "/api.json";
    if (fs::exists(home / file)) shown.push_back(file);
  }
  std::sort(shown.begin(), shown.end());
  Reading reading;
  for (const std::string& each : shown) reading.read(home / each, each);
  return std::move(reading).finish();
}

std::string openapi(std::vector<const Route*> routes, json::object schemas) {
  return Description(std::move(schemas)).of(std::move(routes));
}

}  // namespace jw::edge
