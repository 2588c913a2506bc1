// HTTP/1.1 server, plain or TLS. Handlers see plain structs; Beast stays inside two .cpp files of this folder.
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
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;
  std::string remote;  // address of the peer (or of the first X-Forwarded-For hop when the peer is a trusted proxy)
  std::string id;      // request id: made here, shown in errors and logs
  bool secure = false; // came over TLS (or through a trusted proxy that says so)
  std::vector<std::string> captures;  // values of {name} in the route's path, decoded, in order

  std::string_view header(std::string_view lower_case_name) const;  // empty when absent
  std::string_view cookie(std::string_view name) const;
  std::optional<std::string> parameter(std::string_view name) const;  // decoded value of ?name=
};

struct Response {
  int status = 200;
  std::string body;
  std::string_view content_type = "application/json; charset=utf-8";
  std::vector<std::pair<std::string, std::string>> headers;
  std::string file;  // when set, the body is this file, streamed (documents); removed after sending if `file_is_temporary`
  bool file_is_temporary = false;
};

// Call exactly once, from any thread. Not calling it before destruction answers 500.
using Respond = std::function<void(Response)>;
using Handler = std::function<void(Request, Respond)>;

// Who may call a route. There is no default: a route without `needs` does not compile.
class Needs {
 public:
  constexpr explicit Needs(std::string_view name) : name_(name) {}
  constexpr std::string_view name() const { return name_; }
  constexpr bool operator==(const Needs&) const = default;

 private:
  std::string_view name_;
};
constexpr Needs kPublic{"public"};    // anybody (sign-in, public verification, health)
constexpr Needs kSession{"session"};  // a live session; what it may see is decided by policy

struct Route {
  Verb verb;
  std::string_view path;  // "/api/datasets/{name}/{key}"
  Needs needs;
  Handler handler;
  Text summary;
  std::string_view request_schema = {};   // JSON Schema text of the body, empty = no body
  std::string_view response_schema = {};  // JSON Schema text of the 200 body
  size_t body_max = 1 << 20;              // bytes; more is 413
  bool blocking = true;  // run on the worker pool; false = short, never touches disk, runs on the I/O thread
};

// OpenAPI 3.1 of a route table, JSON text (deterministic: it is a golden file). `components` is a JSON object of shared schemas.
std::string openapi(const std::vector<Route>& routes, std::string_view title, std::string_view version, std::string_view components);

struct Options {
  std::string host = "127.0.0.1";
  uint16_t port = 8080;  // 0 = any; see Server::port()
  int io_threads = 1;
  int workers = 4;
  std::string certificate_file, key_file;  // PEM; both set = TLS (>= 1.2)
  std::vector<std::string> trusted_proxies;
  size_t header_max = 16 * 1024;
  int connections_max = 10'000;
  int queue_max = 4'096;  // requests waiting for a worker; more is 503 with Retry-After
  std::chrono::milliseconds request_deadline{15'000};  // from first byte to the whole request, else 408
  std::chrono::milliseconds idle_deadline{60'000};
  std::vector<std::pair<std::string, std::string>> headers;  // on every response: security headers
};

// Answers outside the route table: static web files, 404. Same thread rules as handlers.
class Server {
 public:
  // `guard` runs before every handler of a route on the handler's thread: it may answer instead (401, 403, 429) by
  // returning a Response; it may also change the request (for instance attach nothing but headers).
  using Guard = std::function<std::optional<Response>(const Route&, Request&)>;
  // Written when a response is finished: for access log and metrics. Must not block.
  struct Finished {
    const Route* route;  // null when none matched
    int status;
    int64_t duration_us;
    size_t bytes_in, bytes_out;
    std::string_view id, remote;
  };

  static std::unique_ptr<Server> start(const Options& options, std::vector<Route> routes, Guard guard, Handler otherwise,
                                       std::function<Response(const Refusal&, std::string_view request_id)> problem,
                                       std::function<void(const Finished&)> finished);  // throws std::runtime_error
  virtual ~Server() = default;
  virtual uint16_t port() const = 0;
  // Graceful: stop accepting, finish running requests (at most `patience`), close, join.
  virtual void stop(std::chrono::milliseconds patience) = 0;
};

}  // namespace jw::http
