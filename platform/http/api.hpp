// HTTP/1.1 server (RFC 9110, 9112), plain or TLS. Handlers see plain structs; Beast and Asio stay inside this folder.
//
// The server refuses by itself, through `problem`: 400 malformed (also: path or query that is not valid percent-encoded
// UTF-8, dot segments, control characters, no Host, two ways of telling the body's length), 404, 405 with Allow, 408,
// 413, 431, 500 (a handler threw or dropped its Respond), 501 (unknown transfer coding), 503 with Retry-After.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace jw::http {

enum class Verb : uint8_t { get, post, put, patch, del };

struct Request {
  Verb verb = Verb::get;
  std::string path;   // decoded, without query string
  std::string query;  // raw, without '?'
  // Names in lower case.
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  // Address of the peer; behind trusted proxies the last X-Forwarded-For hop that is not one of them.
  std::string remote;
  std::string id;                     // request id: made here, shown in errors and logs
  bool secure = false;                // the client used TLS: with us, or by the word of a trusted proxy
  std::vector<std::string> captures;  // values of {name} in the route's path, decoded, in order
  bool body_too_large = false;        // Route::hears_of_too_large: the body was not read, and is empty

  std::string_view header(std::string_view lower_case_name) const;    // of the first one; empty when absent
  std::string_view cookie(std::string_view name) const;               // of the first one; empty when absent
  std::optional<std::string> parameter(std::string_view name) const;  // decoded value of the first ?name=
};

// Content-Length, Connection, Date, X-Request-Id and the headers of Options are the server's; a header here replaces
// the one of Options with the same name. A name or value that cannot stand in a header (CR, LF …) makes it a 500.
struct Response {
  int status = 200;
  std::string body{};
  std::string_view content_type = "application/json; charset=utf-8";  // of static storage; empty = no such header
  std::vector<std::pair<std::string, std::string>> headers{};
  // When set, the body is this file, streamed (documents); removed after sending if `file_is_temporary`.
  std::string file{};
  bool file_is_temporary = false;
  std::shared_ptr<const std::string> shared_body{};  // when set, the body is this (kept contents, sent without a copy)
};

// Call once, from any thread; a second call is ignored. Not calling it before the last copy is destroyed answers 500.
// It may outlive the server (the answer is dropped).
using Respond = std::function<void(Response)>;
using Handler = std::function<void(Request, Respond)>;

// How a browser's session is named on the wire; the OpenAPI text says the same. Over TLS the name has the prefix with
// which browsers hold a cookie to TLS, to this host and to its root: no neighbouring host can plant one.
constexpr std::string_view kSessionCookie = "jiaowu_session";
constexpr std::string_view kSecureSessionCookie = "__Host-jiaowu_session";
// Must be sent (any value) with the cookie on everything that is not GET.
constexpr std::string_view kCsrfHeader = "x-csrf";

// Who may call a route the server does not know: whoever makes the handlers sees to it (kernel/edge).
struct Route {
  Verb verb;  // a `get` route answers HEAD as well
  // "/api/datasets/{name}/{key}": segments are literal or a whole {capture}; a literal wins over a capture. A captured
  // value is never empty and may hold an (encoded) slash. Two routes of one verb and shape are refused at start.
  std::string_view path;
  Handler handler;
  size_t body_max = 1 << 20;  // bytes; more is 413
  bool blocking = true;       // run on the worker pool; false = short, never touches disk, runs on the I/O thread
  // More than body_max is answered by the handler, which keeps that it was tried, and not by the server.
  bool hears_of_too_large = false;
};

// Writes the answer to a refusal of the server itself, with this HTTP status. May be called from any thread.
using Problem = std::function<Response(const Refusal&, int status, std::string_view request_id)>;

struct StaticOptions {
  // Paths under these are never answered with index.html, but with 404.
  std::vector<std::string> not_pages = {"/api", "/v"};
  size_t gzip_from = 1024;  // bytes; shorter text goes as it is
};

// Serves a built web app, read into memory once: /assets/* (names carry a hash) immutable for a year, all else
// `no-cache` with ETag; text also gzip; an unknown path without a dot gives index.html (single-page app). A symbolic
// link that leaves the folder is not served. Throws std::runtime_error when the folder has no index.html.
Handler static_files(const std::string& folder, Problem problem, const StaticOptions& options = {});

struct Options {
  std::string host = "127.0.0.1";
  uint16_t port = 8080;  // 0 = any; see Server::port()
  int io_threads = 1;
  int workers = 4;
  std::string certificate_file{}, key_file{};  // PEM; both set = TLS (>= 1.2)
  std::vector<std::string> trusted_proxies{};  // addresses or networks: "127.0.0.1", "10.0.0.0/8"
  size_t header_max = 16 * 1024;
  int connections_max = 10'000;   // more are answered 503 and closed
  size_t bodies_max = 512 << 20;  // bytes of request bodies held at the same time, by all; more is 503
  int queue_max = 4'096;          // requests waiting for a worker; more is 503 with Retry-After
  std::chrono::milliseconds request_deadline{15'000};  // from first byte to the whole request, else 408
  std::chrono::milliseconds idle_deadline{60'000};     // between requests, and for a peer that takes no answer
  size_t rate_min = 64 * 1024;  // bytes/s: what has really been moved of a body prolongs both deadlines at this rate
  std::vector<std::pair<std::string, std::string>> headers{};  // on every response: security headers
  // Further ones where the client used TLS (Request::secure).
  std::vector<std::pair<std::string, std::string>> secure_headers{};
};

class Server {
 public:
  // Written when a response is finished: for access log and metrics. Runs on the I/O thread: must not block nor throw.
  struct Finished {
    const Route* route;  // null when none matched
    int route_number;    // its place in the table given to start(); -1 when none matched
    int status;
    int64_t duration_us;  // from the first byte of the request to the last byte of the answer given to the kernel
    size_t bytes_in, bytes_out;
    std::string_view id, remote;
  };

  // `otherwise` answers what is outside the route table, on the worker pool; empty = 404.
  // Throws std::runtime_error (address in use, bad certificate, conflicting routes).
  static std::unique_ptr<Server> start(const Options& options, std::vector<Route> routes, Handler otherwise,
                                       Problem problem, std::function<void(const Finished&)> finished);
  struct Load {
    int connections;    // open now
    size_t queued;      // requests waiting for a worker
    size_t body_bytes;  // of requests being read or answered
  };
  virtual Load load() const = 0;  // for gauges; from any thread

  virtual ~Server() = default;  // stops, with no patience, when stop() was not called
  virtual uint16_t port() const = 0;
  // Graceful: stop accepting, finish running requests (at most `patience`), close, join. A handler that does not return
  // keeps this waiting.
  virtual void stop(std::chrono::milliseconds patience) = 0;
  // Read certificate and key again; connections from now on use them. Throws std::runtime_error and keeps the old ones.
  virtual void reload_certificate() = 0;
};

}  // namespace jw::http
