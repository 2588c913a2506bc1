// Whose turn it is: nobody's questions take the machine away from everybody else's (§4.3.1, 等保 8.1.4.2 availability).
// Three bounds for each account: how often it may ask, how many of its questions run at once, and one heavy question at
// a time, on threads of their own that give way to all others.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "base/time.hpp"

namespace jw::edge {

// Thread-safe. On this node.
class Turns {
 public:
  struct Limits {
    int heavy_threads = 2;              // so many heavy questions at once, of all accounts
    int at_once = 2;                    // light questions of one account at once; the others of it wait
    size_t waiting_max = 48;            // of one account, of each kind
    int64_t patience_us = 2 * kSecond;  // whoever has used more than this of the last ten seconds or so asks heavily
  };
  explicit Turns(Limits limits);
  ~Turns();  // what waits is dropped
  Turns(const Turns&) = delete;
  Turns& operator=(const Turns&) = delete;

  // Whether one more call of this account is within so many a minute, all of which may come at once.
  bool ask(int64_t account, int64_t per_minute, Instant now);
  // Runs the job: at once on the calling thread, or later when it is the account's turn. False when too many of the
  // account wait; the job is dropped. A job that throws ends with its own answer only.
  bool enter(int64_t account, bool heavy, std::function<void()> job);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace jw::edge
