#include "platform/http/router.hpp"

#include <gtest/gtest.h>

namespace jw::http {
namespace {

Route route(Verb verb, std::string_view path) {
  return {.verb = verb, .path = path, .handler = [](Request, Respond) {}};
}

std::string answer(const std::vector<Route>& routes, Verb verb, std::string_view path) {
  const Router router(routes);
  const Router::Place place = router.find(path);
  if (!place.known) return "none";
  const int number = place.numbers[static_cast<size_t>(verb)];
  if (number < 0) return "allow " + Router::allow(place);
  std::string out(routes[static_cast<size_t>(number)].path);
  for (const std::string& value : router.captures(number, path)) out += " " + value;
  return out;
}

TEST(RouterTest, literals_win_and_captures_fill_in_without_going_back) {
  const std::vector<Route> routes{
      route(Verb::get, "/"),          route(Verb::get, "/a/{x}"),        route(Verb::post, "/a/b"),
      route(Verb::get, "/a/{x}/c"),   route(Verb::get, "/a/b/d"),        route(Verb::put, "/{p}/{q}/{r}/{s}"),
      route(Verb::put, "/a/b/c/{s}"), route(Verb::post, "/{kind}/{id}"),
  };
  EXPECT_EQ(answer(routes, Verb::get, "/"), "/");
  EXPECT_EQ(answer(routes, Verb::get, "/a/b"), "/a/{x} b");
  EXPECT_EQ(answer(routes, Verb::post, "/a/b"), "/a/b");
  EXPECT_EQ(answer(routes, Verb::post, "/a/c"), "/{kind}/{id} a c");
  EXPECT_EQ(answer(routes, Verb::get, "/a/b/c"), "/a/{x}/c b");
  EXPECT_EQ(answer(routes, Verb::get, "/a/b/d"), "/a/b/d");
  EXPECT_EQ(answer(routes, Verb::put, "/a/b/c/1"), "/a/b/c/{s} 1");
  EXPECT_EQ(answer(routes, Verb::put, "/a/b/d/1"), "/{p}/{q}/{r}/{s} a b d 1");
  EXPECT_EQ(answer(routes, Verb::put, "/z/b/d/1"), "/{p}/{q}/{r}/{s} z b d 1");
  EXPECT_EQ(answer(routes, Verb::put, "/a/b"), "allow GET, HEAD, POST");
  EXPECT_EQ(answer(routes, Verb::del, "/x/y"), "allow POST");
  for (const char* path : {"/a", "/a/", "/a//c", "//", "/a/b/c/d/e"})
    EXPECT_EQ(answer(routes, Verb::get, path), "none") << path;
}

TEST(RouterTest, escapes_are_decoded_inside_their_segment) {
  const std::vector<Route> routes{route(Verb::get, "/d/{name}/{key}"), route(Verb::get, "/d/成绩/x")};
  EXPECT_EQ(answer(routes, Verb::get, "/d/g%2Fh/1~2%7e3"), "/d/{name}/{key} g/h 1~2~3");
  EXPECT_EQ(answer(routes, Verb::get, "/d/%E6%88%90%E7%BB%A9/%78"), "/d/成绩/x");
  EXPECT_EQ(answer(routes, Verb::get, "/%64/a/b"), "/d/{name}/{key} a b");
}

TEST(RouterTest, conflicts_and_malformed_paths_are_refused_at_start) {
  const auto refused = [](std::vector<Route> routes) {
    EXPECT_THROW(Router{routes}, std::runtime_error) << routes[0].path;
  };
  refused({route(Verb::get, "/a/{x}"), route(Verb::get, "/a/{y}")});
  refused({route(Verb::get, "/a"), route(Verb::get, "/a")});
  for (const char* path : {"", "a", "/a/", "//a", "/a/{}", "/a/{x", "/a/x}", "/a{x}", "/{x}/{x}", "/a%20b", "/a?b"}) {
    refused({route(Verb::get, path)});
  }
  const std::vector<Route> fine{route(Verb::get, "/a/{x}"), route(Verb::post, "/a/{y}"), route(Verb::get, "/a/x")};
  EXPECT_NO_THROW(Router{fine});
}

}  // namespace
}  // namespace jw::http
