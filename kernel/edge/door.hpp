// Slow work at the door, and who has signed lately.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "base/time.hpp"

namespace jw::edge {

// Password hashing (Argon2, 20 ms), apart from the threads that answer queries.
class Door {
 public:
  Door(int threads, size_t waiting_max);
  ~Door();
  Door(const Door&) = delete;
  Door& operator=(const Door&) = delete;
  bool enter(std::function<void()> job);  // false when too many wait

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// One showing of who one is holds for the next steps of the same session (§2.4.2), on this node. Thread-safe.
class Signatures {
 public:
  static constexpr int64_t kHolds = 10 * 60 * kSecond;
  void put(int64_t session, Instant now);
  bool holds(int64_t session, Instant now) const;

 private:
  mutable std::mutex mutex_;
  std::unordered_map<int64_t, Instant> signed_;
};

}  // namespace jw::edge
