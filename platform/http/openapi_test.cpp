#include <gtest/gtest.h>

#include "platform/http/api.hpp"

namespace jw::http {
namespace {

Route route(Verb verb, std::string_view path, Needs needs, Text summary) {
  return {
      .verb = verb, .path = path, .needs = needs, .handler = [](Request, Respond) {}, .summary = std::move(summary)};
}

std::vector<Route> table() {
  std::vector<Route> routes;
  routes.push_back(route(Verb::post, "/api/things/{kind}", Needs::session(), {"新建", "Make one"}));
  routes.back().request_schema = R"({"$ref":"#/components/schemas/Thing"})";
  routes.back().response_schema = R"({"type":"object"})";
  routes.push_back(route(Verb::get, "/healthz", Needs::open("test"), {"是否在运行", "Whether it runs"}));
  return routes;
}

constexpr std::string_view kGolden =
    R"({"openapi":"3.1.0","info":{"title":"T","version":"1"},"paths":{)"
    R"("/api/things/{kind}":{"post":{"operationId":"post_api_things_by_kind","summary":"新建",)"
    R"("x-summary-en":"Make one","x-needs":"session",)"
    R"("parameters":[{"name":"kind","in":"path","required":true,"schema":{"type":"string"}}],)"
    R"("requestBody":{"required":true,)"
    R"("content":{"application/json":{"schema":{"$ref":"#/components/schemas/Thing"}}}},)"
    R"("security":[{"bearer":[]},{"session":[],"csrf":[]}],"responses":{"200":{"description":"OK",)"
    R"("content":{"application/json":{"schema":{"type":"object"}}}},)"
    R"("400":{"$ref":"#/components/responses/400"},"401":{"$ref":"#/components/responses/401"},)"
    R"("403":{"$ref":"#/components/responses/403"},)"
    R"("404":{"$ref":"#/components/responses/404"},"409":{"$ref":"#/components/responses/409"},)"
    R"("413":{"$ref":"#/components/responses/413"},)"
    R"("422":{"$ref":"#/components/responses/422"},"429":{"$ref":"#/components/responses/429"},)"
    R"("503":{"$ref":"#/components/responses/503"},)"
    R"("default":{"$ref":"#/components/responses/default"}}}},)"
    R"("/healthz":{"get":{"operationId":"get_healthz","summary":"是否在运行","x-summary-en":"Whether it runs",)"
    R"("x-needs":"public","parameters":[],"security":[],)"
    R"("responses":{"200":{"description":"OK"},"400":{"$ref":"#/components/responses/400"},)"
    R"("429":{"$ref":"#/components/responses/429"},)"
    R"("503":{"$ref":"#/components/responses/503"},"default":{"$ref":"#/components/responses/default"}}}}},)"
    R"("components":{"schemas":{)";

TEST(OpenApiTest, is_the_golden_text) {
  const std::string text = openapi(table(), "T", "1", R"({"Thing":{"type":"string"}})");
  EXPECT_EQ(text.substr(0, kGolden.size()), kGolden);
  for (const char* part : {R"("Thing":{"type":"string"}},"responses":{"400":)", R"("Problem":{"type":"object")",
                           R"("securitySchemes":{"bearer":{"type":"http","scheme":"bearer"},)"
                           R"("session":{"type":"apiKey","in":"cookie","name":"jiaowu_session"},)"
                           R"("csrf":{"type":"apiKey","in":"header","name":"x-csrf"}}}})"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << '\n' << text;
  }
}

TEST(OpenApiTest, does_not_depend_on_the_order_of_the_table) {
  auto turned = table();
  std::swap(turned[0], turned[1]);
  EXPECT_EQ(openapi(table(), "T", "1", "{}"), openapi(turned, "T", "1", "{}"));
  EXPECT_NE(openapi(table(), "T", "1", "{}").find(R"("schemas":{"Text":)"), std::string::npos);
}

}  // namespace
}  // namespace jw::http
