#include "platform/http/router.hpp"

#include <algorithm>
#include <set>
#include <stdexcept>

#include "base/text.hpp"
#include "platform/http/target.hpp"

namespace jw::http {

std::string_view name_of(Verb verb) {
  constexpr std::array<std::string_view, kVerbs> kNames{"GET", "POST", "PUT", "PATCH", "DELETE"};
  return kNames[static_cast<size_t>(verb)];
}

std::vector<Segment> segments_of(std::string_view path) {
  const auto fail = [&](const char* why) { throw std::runtime_error("route " + std::string(path) + ": " + why); };
  if (path.empty() || path.front() != '/') fail("must begin with a slash");
  std::vector<Segment> segments;
  if (path == "/") return segments;
  std::set<std::string_view> names;
  for (std::string_view text : split(path.substr(1), '/')) {
    if (text.empty()) fail("empty segment");
    const bool is_capture = text.front() == '{' && text.back() == '}' && text.size() > 2;
    if (is_capture) text = text.substr(1, text.size() - 2);
    if (text.find_first_of("{}%? ") != std::string_view::npos) fail("a capture is a whole segment; literals are plain");
    if (is_capture && !names.insert(text).second) fail("two captures of one name");
    segments.push_back({text, is_capture});
  }
  return segments;
}

Router::Router(const std::vector<Route>& routes) : routes_(routes), nodes_(1) {
  for (size_t i = 0; i < routes.size(); ++i) add(static_cast<int>(i));
  spread(0);
}

void Router::add(int number) {
  const Route& route = routes_[static_cast<size_t>(number)];
  const std::string text = std::string(name_of(route.verb)) + ' ' + std::string(route.path);
  if (!route.handler) throw std::runtime_error("route " + text + ": no handler");
  size_t at = 0, index = 0;
  captures_.emplace_back();
  for (const Segment& segment : segments_of(route.path)) {
    int next = -1;
    if (segment.is_capture) {
      captures_.back().push_back(index);
      next = nodes_[at].capture;
    } else if (const auto found = nodes_[at].literals.find(segment.text); found != nodes_[at].literals.end()) {
      next = found->second;
    }
    if (next < 0) {
      next = static_cast<int>(nodes_.size());
      nodes_.emplace_back();
      if (segment.is_capture) {
        nodes_[at].capture = next;
      } else {
        nodes_[at].literals.emplace(segment.text, next);
      }
    }
    at = static_cast<size_t>(next);
    ++index;
  }
  int& place = nodes_[at].numbers[static_cast<size_t>(route.verb)];
  if (place >= 0) throw std::runtime_error("two routes answer " + text);
  place = number;
}

void Router::spread(int node) {
  const int capture = nodes_[static_cast<size_t>(node)].capture;
  std::vector<int> below;
  for (const auto& [text, child] : nodes_[static_cast<size_t>(node)].literals) below.push_back(child);
  if (capture >= 0) {
    for (const int child : below) merge(capture, child);
    below.push_back(capture);
  }
  for (const int child : below) spread(child);
}

// Everything reachable from `from` becomes reachable from `into`, where that has nothing of its own.
void Router::merge(int from, int into) {
  const Node source = nodes_[static_cast<size_t>(from)];  // a copy: nodes_ grows below
  for (size_t verb = 0; verb < kVerbs; ++verb) {
    int& number = nodes_[static_cast<size_t>(into)].numbers[verb];
    if (number < 0) number = source.numbers[verb];
  }
  const auto child_of = [&](int& place) {
    if (place >= 0) return place;
    nodes_.emplace_back();
    return static_cast<int>(nodes_.size()) - 1;
  };
  for (const auto& [text, child] : source.literals) {
    auto& literals = nodes_[static_cast<size_t>(into)].literals;
    int place = literals.contains(text) ? literals[text] : -1;
    const int next = child_of(place);
    nodes_[static_cast<size_t>(into)].literals[text] = next;
    merge(child, next);
  }
  if (source.capture >= 0) {
    int place = nodes_[static_cast<size_t>(into)].capture;
    const int next = child_of(place);
    nodes_[static_cast<size_t>(into)].capture = next;
    merge(source.capture, next);
  }
}

namespace {

// Calls f(index, segment) for each segment until it gives false.
template <class F>
void each_segment(std::string_view raw_path, F&& f) {
  if (raw_path.size() <= 1) return;
  size_t start = 1, index = 0;
  for (;;) {
    const size_t end = std::min(raw_path.find('/', start), raw_path.size());
    if (!f(index++, raw_path.substr(start, end - start)) || end == raw_path.size()) return;
    start = end + 1;
  }
}

}  // namespace

Router::Place Router::find(std::string_view raw_path) const {
  int at = 0;
  each_segment(raw_path, [&](size_t, std::string_view segment) {
    const Node& node = nodes_[static_cast<size_t>(at)];
    std::string decoded;
    if (segment.find('%') != std::string_view::npos) {
      decoded = percent_decode(segment, Plus::itself).value_or("");
      segment = decoded;
    }
    const auto literal = node.literals.find(segment);
    at = literal != node.literals.end() ? literal->second : segment.empty() ? -1 : node.capture;
    return at >= 0;
  });
  Place place;
  place.numbers.fill(-1);
  if (at < 0) return place;
  place.numbers = nodes_[static_cast<size_t>(at)].numbers;
  place.known = std::any_of(place.numbers.begin(), place.numbers.end(), [](int number) { return number >= 0; });
  return place;
}

std::vector<std::string> Router::captures(int number, std::string_view raw_path) const {
  std::vector<std::string> values;
  const auto& wanted = captures_[static_cast<size_t>(number)];
  if (wanted.empty()) return values;
  values.reserve(wanted.size());
  each_segment(raw_path, [&](size_t index, std::string_view segment) {
    if (index == wanted[values.size()]) values.push_back(percent_decode(segment, Plus::itself).value_or(""));
    return values.size() < wanted.size();
  });
  return values;
}

std::string Router::allow(const Place& place) {
  std::string out;
  for (size_t verb = 0; verb < kVerbs; ++verb) {
    if (place.numbers[verb] < 0) continue;
    if (!out.empty()) out += ", ";
    out += name_of(static_cast<Verb>(verb));
    if (static_cast<Verb>(verb) == Verb::get) out += ", HEAD";
  }
  return out;
}

}  // namespace jw::http
