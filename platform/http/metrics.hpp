// Ready-made things to do when a response is finished (Server::start's last argument).
#pragma once

#include <functional>
#include <vector>

#include "platform/http/api.hpp"
#include "platform/log/metrics.hpp"

namespace jw::http {

using OnFinished = std::function<void(const Server::Finished&)>;

// Counts http_requests_total{route,verb,status}, http_request_duration_seconds{route,verb} and the bytes both ways;
// `routes` is the table given to Server::start, in the same order. What matches none counts as route="none". Lock-free.
// `metrics` must outlive what is given back.
OnFinished request_metrics(log::Metrics& metrics, const std::vector<Route>& routes);

// One line a response, event "http.request": pattern of the route, verb, status, duration, bytes, request id. Neither
// address nor path nor query as sent: those are personal data.
OnFinished access_log();

OnFinished all_of(std::vector<OnFinished> actions);  // in order

}  // namespace jw::http
