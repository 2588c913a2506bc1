// Finds the route of a path, one look-up a segment, without going back: at start the paths below a capture are also put
// below its literal neighbours, so the first literal met is always the right one.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "platform/http/api.hpp"

namespace jw::http {

constexpr size_t kVerbs = 5;
std::string_view name_of(Verb verb);  // "GET"

// The pieces of a route's path. Throws std::runtime_error when it is malformed.
struct Segment {
  std::string_view text;  // without braces
  bool is_capture;
};
std::vector<Segment> segments_of(std::string_view path);

class Router {
 public:
  // Keeps a reference. Throws std::runtime_error on a malformed path, an empty handler, or two routes that answer the
  // same.
  explicit Router(const std::vector<Route>& routes);

  struct Place {
    bool known = false;                 // some verb answers here
    std::array<int, kVerbs> numbers{};  // of routes by verb; -1 = none
  };
  // `raw_path` is still percent-encoded, so that an encoded slash stays inside its segment.
  Place find(std::string_view raw_path) const;
  // Values of the captures, decoded. The path must be the one for which `find` gave this route.
  std::vector<std::string> captures(int number, std::string_view raw_path) const;
  static std::string allow(const Place& place);  // "GET, HEAD, POST"

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  struct Node {
    std::unordered_map<std::string, int, Hash, std::equal_to<>> literals{};
    int capture = -1;
    std::array<int, kVerbs> numbers{-1, -1, -1, -1, -1};
  };
  void add(int number);
  void spread(int node);
  void merge(int from, int into);

  const std::vector<Route>& routes_;
  std::vector<Node> nodes_;
  std::vector<std::vector<size_t>> captures_;  // by route: which segments are captured
};

}  // namespace jw::http
