// Inside kernel/identity only: how often one remote address may try (ASVS 6.3.1). Thread-safe, bounded.
#pragma once

#include <cstdint>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace jw::identity {

class RemoteLimits {
 public:
  struct Limits {
    int64_t burst = 1;      // attempts at once
    int64_t refill_us = 1;  // one more each
    int64_t known_max = 1;  // addresses kept; the longest unused is forgotten first
  };
  explicit RemoteLimits(Limits limits) : limits_(limits) {}

  // `key`: of what is limited, e.g. remote_key(address).
  bool take(std::string key, int64_t now_us);
  void give_back(const std::string& key);
  size_t known() const;

 private:
  // A bucket as one number: the instant at which it is full again. Each attempt moves it by one refill.
  struct Bucket {
    std::string key;
    int64_t full_at_us = 0;
  };

  const Limits limits_;
  mutable std::mutex mutex_;
  std::list<Bucket> recent_;                                                   // most recently used first
  std::unordered_map<std::string_view, std::list<Bucket>::iterator> buckets_;  // keys live in the list
};

// What counts as one address: an IPv4 address (mapped ones too), the /64 of an IPv6 address, anything else as it is.
std::string remote_key(std::string_view remote);
// The network around it: the /24 of an IPv4 address, the /48 of an IPv6 address (what one customer is given).
std::string network_key(std::string_view remote);

}  // namespace jw::identity
