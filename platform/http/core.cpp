#include "platform/http/core.hpp"

#include <cstring>
#include <stdexcept>

#include "platform/crypto/api.hpp"
#include "platform/http/tls.hpp"
#include "platform/log/api.hpp"

namespace jw::http {
namespace {

uint64_t random_nonce() {
  const std::string bytes = crypto::random_bytes(sizeof(uint64_t));
  uint64_t nonce = 0;
  std::memcpy(&nonce, bytes.data(), sizeof nonce);
  return nonce;
}

Options checked(const Options& options) {
  const auto need = [](bool good, const char* what) {
    if (!good) throw std::runtime_error(std::string("HTTP server: ") + what);
  };
  need(options.io_threads >= 1 && options.io_threads <= 256, "io_threads must be 1 to 256");
  need(options.workers >= 1 && options.workers <= 4096, "workers must be 1 to 4096");
  need(options.header_max >= 512 && options.header_max <= (1 << 20), "header_max must be 512 bytes to 1 MiB");
  need(options.connections_max >= 1 && options.queue_max >= 1, "connections_max and queue_max must be 1 at least");
  need(options.request_deadline.count() > 0 && options.idle_deadline.count() > 0, "deadlines must be positive");
  need(options.rate_min > 0, "rate_min must be positive");
  need(options.certificate_file.empty() == options.key_file.empty(), "certificate and key go together");
  return options;
}

}  // namespace

Core::Core(const Options& given, std::vector<Route> table, Handler otherwise_, Problem problem_,
           std::function<void(const Server::Finished&)> finished_)
    : options(checked(given)),
      routes(std::move(table)),
      otherwise(std::move(otherwise_)),
      problem(std::move(problem_)),
      finished(std::move(finished_)),
      fixed_headers(given.headers),
      secure_headers([&] {
        auto all = given.headers;
        all.insert(all.end(), given.secure_headers.begin(), given.secure_headers.end());
        return all;
      }()),
      proxies(given.trusted_proxies),
      boot_nonce(random_nonce()),
      workers(given.workers, static_cast<size_t>(given.queue_max), [this](Job&& job) { run(std::move(job)); }) {
  if (!problem) throw std::runtime_error("HTTP server: nothing writes the answer to a refusal");
  if (!options.certificate_file.empty()) load_certificate();
}

void Core::run(Job&& job) const noexcept {
  const std::string id = job.request.id;
  const auto failed = [&](std::string_view what) {
    log::error("http.handler_failed",
               {{"request", id}, {"route", job.route != nullptr ? job.route->path : "-"}, {"error", what}});
  };
  try {
    const Handler& handler = job.route != nullptr ? job.route->handler : otherwise;
    handler(std::move(job.request), std::move(job.respond));
  } catch (const std::exception& problem_met) {
    failed(problem_met.what());
  } catch (...) {
    failed("not an exception of the standard library");
  }
}

Response Core::refuse(const Fault& fault, std::string_view id) const noexcept {
  try {
    Response response = problem(fault.refusal(), fault.status, id);
    response.status = fault.status;
    return response;
  } catch (const std::exception& problem_met) {
    log::error("http.problem_failed", {{"request", id}, {"error", problem_met.what()}});
  } catch (...) {
    log::error("http.problem_failed", {{"request", id}});
  }
  Response bare;
  bare.status = fault.status;
  bare.content_type = {};
  return bare;
}

// The number goes through a bijection of 64 bits, so ids do not tell how many requests there were.
std::string Core::request_id(uint64_t number) const {
  uint64_t mixed = number * 0x9e3779b97f4a7c15ULL + boot_nonce;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9ULL;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebULL;
  mixed ^= mixed >> 31;
  std::string id(13, '0');
  for (char& c : id) {
    c = "0123456789abcdefghjkmnpqrstvwxyz"[mixed & 31];
    mixed >>= 5;
  }
  return id;
}

std::shared_ptr<SSL_CTX> Core::tls() const {
  if (options.certificate_file.empty()) return nullptr;
  const std::lock_guard lock(mutex_);
  return tls_;
}

void Core::load_certificate() {
  std::shared_ptr<SSL_CTX> fresh = server_tls(options.certificate_file, options.key_file);
  const std::lock_guard lock(mutex_);
  tls_ = std::move(fresh);
}

bool Core::add_connection() {
  if (connections_.fetch_add(1, std::memory_order_relaxed) < options.connections_max) return true;
  remove_connection();
  return false;
}

void Core::remove_connection() {
  if (connections_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  const std::lock_guard lock(mutex_);
  none_.notify_all();
}

bool Core::add_body_bytes(size_t bytes) {
  if (body_bytes_.fetch_add(bytes, std::memory_order_relaxed) + bytes <= options.bodies_max) return true;
  remove_body_bytes(bytes);
  return false;
}

bool Core::wait_for_none(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  return none_.wait_for(lock, patience, [this] { return connections_.load(std::memory_order_acquire) == 0; });
}

}  // namespace jw::http
