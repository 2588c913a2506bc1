// What the connections of a server share; unchanging after start but for the counters.
#pragma once

#include <openssl/ssl.h>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>

#include "platform/http/api.hpp"
#include "platform/http/head.hpp"
#include "platform/http/parser.hpp"
#include "platform/http/peers.hpp"
#include "platform/http/router.hpp"
#include "platform/http/workers.hpp"

namespace jw::http {

struct Core {
  Core(const Options& given, std::vector<Route> table, Handler otherwise_, Problem problem_,
       std::function<void(const Server::Finished&)> finished_);

  const Options options;
  const std::vector<Route> routes;
  const Router router{routes};
  const Handler otherwise;
  const Problem problem;
  const std::function<void(const Server::Finished&)> finished;
  const FixedHeaders fixed_headers, secure_headers;
  const TrustedProxies proxies;
  const uint64_t boot_nonce;

  // What a handler throws is logged; its Respond, dropped, makes the answer a 500.
  void run(Job&& job) const noexcept;
  Response refuse(const Fault& fault, std::string_view id) const noexcept;
  std::string request_id(uint64_t number) const;  // 13 characters of base 32, no two alike since the start

  std::shared_ptr<SSL_CTX> tls() const;  // null = plain
  void load_certificate();               // throws std::runtime_error

  // Open connections of all threads.
  bool add_connection();  // false when there are too many
  void remove_connection();
  int connections() const { return connections_.load(std::memory_order_relaxed); }
  // Memory held by the bodies of requests.
  bool add_body_bytes(size_t bytes);  // false, and nothing added, when it would be too much
  void remove_body_bytes(size_t bytes) { body_bytes_.fetch_sub(bytes, std::memory_order_relaxed); }
  size_t body_bytes() const { return body_bytes_.load(std::memory_order_relaxed); }
  bool wait_for_none(std::chrono::milliseconds patience);

 private:
  mutable std::mutex mutex_;
  std::condition_variable none_;
  std::shared_ptr<SSL_CTX> tls_;
  std::atomic<int> connections_{0};
  std::atomic<size_t> body_bytes_{0};

 public:
  Workers workers;  // last: its threads use all of the above
};

}  // namespace jw::http
