#include "kernel/identity/remote_limits.hpp"

#include <arpa/inet.h>

#include <algorithm>

#include "base/time.hpp"

namespace jw::identity {

namespace {

// The first bytes of an address; anything else as it is.
std::string prefix(std::string_view remote, size_t of_four, size_t of_six) {
  const std::string text(remote.substr(0, INET6_ADDRSTRLEN));
  in6_addr six{};
  in_addr four{};
  if (inet_pton(AF_INET, text.c_str(), &four) == 1) return std::string(reinterpret_cast<const char*>(&four), of_four);
  if (inet_pton(AF_INET6, text.c_str(), &six) != 1) return text;
  const auto* bytes = reinterpret_cast<const char*>(&six);
  if (IN6_IS_ADDR_V4MAPPED(&six)) return std::string(bytes + 12, of_four);
  return std::string(bytes, of_six);
}

}  // namespace

std::string remote_key(std::string_view remote) {
  return prefix(remote, 4, 8);
}

std::string network_key(std::string_view remote) {
  return prefix(remote, 3, 6);
}

bool RemoteLimits::take(std::string key, int64_t now_us) {
  const std::lock_guard lock(mutex_);
  auto found = buckets_.find(key);
  if (found == buckets_.end()) {
    if (buckets_.size() >= static_cast<size_t>(limits_.known_max)) {
      buckets_.erase(recent_.back().key);
      recent_.pop_back();
    }
    recent_.push_front({std::move(key), now_us});
    found = buckets_.emplace(recent_.front().key, recent_.begin()).first;
  } else {
    recent_.splice(recent_.begin(), recent_, found->second);
  }
  Bucket& bucket = *found->second;
  // Further ahead than any attempt can push it: the clock was set back (trials do so). Attempts at once differ by
  // little.
  if (bucket.full_at_us - now_us > 2 * limits_.burst * limits_.refill_us + 60 * kSecond) bucket.full_at_us = now_us;
  const int64_t next = std::max(bucket.full_at_us, now_us) + limits_.refill_us;
  if (next - now_us > limits_.burst * limits_.refill_us) return false;
  bucket.full_at_us = next;
  return true;
}

void RemoteLimits::give_back(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto found = buckets_.find(key);
  if (found != buckets_.end()) found->second->full_at_us -= limits_.refill_us;
}

size_t RemoteLimits::known() const {
  const std::lock_guard lock(mutex_);
  return buckets_.size();
}

}  // namespace jw::identity
