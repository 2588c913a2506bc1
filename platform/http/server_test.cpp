#include <gtest/gtest.h>

#include <thread>

#include "platform/http/api.hpp"
#include "platform/http/client.hpp"

namespace jw::http {
namespace {

Response problem(const Refusal& refusal, int status, std::string_view id) {
  return {.status = status, .body = refusal.type + ' ' + std::string(id), .content_type = "text/plain"};
}

TEST(Smoke, answers) {
  std::vector<Route> routes;
  routes.push_back({.verb = Verb::get, .path = "/hello/{name}", .needs = kPublic,
                    .handler = [](Request request, Respond respond) { respond({.body = request.captures[0]}); },
                    .summary = {"问候", "Greet"}});
  routes.push_back({.verb = Verb::post, .path = "/echo", .needs = kPublic,
                    .handler = [](Request request, Respond respond) { respond({.body = request.body}); },
                    .summary = {"回声", "Echo"}, .blocking = false});
  auto server = Server::start({.port = 0}, routes, {}, {}, problem, {});
  Client client("127.0.0.1", server->port());
  EXPECT_EQ(client.request("GET", "/hello/world").body, "world");
  EXPECT_EQ(client.request("POST", "/echo", "abc").body, "abc");
  EXPECT_EQ(client.request("POST", "/nothing", "abc").status, 404);
  server->stop(std::chrono::seconds(1));
}

}  // namespace
}  // namespace jw::http
