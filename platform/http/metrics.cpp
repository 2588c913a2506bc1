#include "platform/http/metrics.hpp"

#include <array>
#include <memory>

#include "platform/http/router.hpp"
#include "platform/log/api.hpp"

namespace jw::http {
namespace {

constexpr std::array<int, 28> kStatuses{200, 201, 202, 204, 206, 301, 302, 303, 304, 400, 401, 403, 404, 405,
                                        408, 409, 410, 413, 415, 417, 422, 429, 431, 500, 501, 502, 503, 504};

size_t index_of(int status) {
  for (size_t i = 0; i < kStatuses.size(); ++i) {
    if (kStatuses[i] == status) return i;
  }
  return kStatuses.size();
}

struct OfRoute {
  std::array<log::Counter*, kStatuses.size() + 1> by_status{};
  log::Histogram* duration = nullptr;
};

OfRoute of_route(log::Metrics& metrics, const std::string& path, const std::string& verb) {
  OfRoute one;
  for (size_t i = 0; i <= kStatuses.size(); ++i) {
    const std::string status = i < kStatuses.size() ? std::to_string(kStatuses[i]) : "other";
    one.by_status[i] = &metrics.counter("http_requests_total", "Answered requests.",
                                        {{"route", path}, {"verb", verb}, {"status", status}});
  }
  one.duration = &metrics.histogram("http_request_duration_seconds",
                                    "From the first byte of a request to the last byte of its answer.",
                                    log::duration_bounds(), {{"route", path}, {"verb", verb}});
  return one;
}

}  // namespace

OnFinished request_metrics(log::Metrics& metrics, const std::vector<Route>& routes) {
  auto of_routes = std::make_shared<std::vector<OfRoute>>();
  of_routes->push_back(of_route(metrics, "none", "-"));
  for (const Route& route : routes) {
    of_routes->push_back(of_route(metrics, std::string(route.path), std::string(name_of(route.verb))));
  }
  log::Counter& in = metrics.counter("http_received_bytes_total", "Bytes of requests.");
  log::Counter& out = metrics.counter("http_sent_bytes_total", "Bytes of answers.");
  return [of_routes, &in, &out](const Server::Finished& finished) {
    OfRoute& one = (*of_routes)[static_cast<size_t>(finished.route_number + 1)];
    one.by_status[index_of(finished.status)]->add();
    one.duration->observe(static_cast<double>(finished.duration_us) / 1e6);
    in.add(finished.bytes_in);
    out.add(finished.bytes_out);
  };
}

OnFinished access_log() {
  return [](const Server::Finished& finished) {
    log::info("http.request", {{"request", finished.id},
                               {"verb", finished.route != nullptr ? name_of(finished.route->verb) : "-"},
                               {"route", finished.route != nullptr ? finished.route->path : "none"},
                               {"status", finished.status},
                               {"us", finished.duration_us},
                               {"in", finished.bytes_in},
                               {"out", finished.bytes_out}});
  };
}

OnFinished all_of(std::vector<OnFinished> actions) {
  return [actions = std::move(actions)](const Server::Finished& finished) {
    for (const OnFinished& action : actions) action(finished);
  };
}

}  // namespace jw::http
