// The running system behind HTTP: route table, sessions, answers held until their record is durable.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "app/system.hpp"
#include "modules/lending/api.hpp"
#include "platform/http/api.hpp"
#include "platform/log/metrics.hpp"

namespace jw::app {

// Slow work at the door (Argon2), apart from the threads that answer queries.
class Door {
 public:
  Door(int threads, size_t waiting_max);
  ~Door();
  bool enter(std::function<void()> job);  // false when too many wait

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Who has signed lately: one password holds for the next steps of the same session (§2.4.2), on this node.
class Signatures {
 public:
  static constexpr int64_t kHolds = 10 * 60 * kSecond;
  void put(int64_t session, Instant now);
  bool holds(int64_t session, Instant now) const;

 private:
  mutable std::mutex mutex_;
  std::unordered_map<int64_t, Instant> signed_;
};

struct Serving {
  System& system;
  log::Metrics& metrics;
  lending::Watch& lending;
  Door door{3, 600};
  Signatures signatures{};
  bool cross_origin_cookie_secure = false;  // mark the cookie Secure (TLS)
};

// Handler of somebody signed in: finds the session or answers 401; a cookie on a changing verb needs the CSRF header.
using Governed = std::function<void(http::Request, std::shared_ptr<const identity::Session>, http::Respond)>;
// `Alive::by_gate`: the handler's own governed statement proves that the session is live; otherwise it is asked for
// here, so that a suspended account gets nothing on any node (§2.5.3). `held_too`: for the little that a session may do
// whose holder has to show again who it is.
enum class Alive { checked, by_gate, held_too };
// What a read-only account is refused (§2.5.3): everything that is no GET, unless a route says that it looks only.
enum class Does { by_verb, looks, acts };
http::Handler signed_in(Serving& serving, Governed handler, Alive alive = Alive::checked, Does does = Does::by_verb);

policy::Asker asker_of(const identity::Session& session);
std::string token_of(const http::Request& request);
Result<boost::json::value> json_body(const http::Request& request);
Result<boost::json::object> object_body(const http::Request& request);
// A member that must be there, as text; as a date such as 2026-01-24. `shown`: its path for the problem, when deeper.
Result<std::string> text_member(const boost::json::object& body, std::string_view name, std::string shown = {});
Result<Date> date_member(const boost::json::object& body, std::string_view name);

// JSON that nobody keeps.
http::Response json_response(std::string body);

// Appends the outcome's entry and answers when it is durable.
void release(Serving& serving, const identity::Session& session, query::Outcome outcome, std::string request_id,
             http::Respond respond);

std::vector<http::Route> query_routes(Serving& serving);
std::vector<http::Route> session_routes(Serving& serving);
std::vector<http::Route> factor_routes(Serving& serving);
std::vector<http::Route> lending_routes(Serving& serving);
std::vector<http::Route> document_routes(Serving& serving);
std::vector<http::Route> evidence_routes(Serving& serving);
std::vector<http::Route> calendar_routes(Serving& serving);
std::vector<http::Route> case_routes(Serving& serving);
std::vector<http::Route> notice_routes(Serving& serving);
std::vector<http::Route> regulation_routes(Serving& serving);
std::vector<http::Route> demo_routes(Serving& serving);  // empty on real stores
std::vector<http::Route> routes(Serving& serving);       // the whole table

}  // namespace jw::app
