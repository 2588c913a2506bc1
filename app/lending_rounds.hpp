// The rounds of modules/lending in the background of a server.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "modules/lending/api.hpp"

namespace jw::app {

class LendingRounds {
 public:
  // Both must outlive this.
  LendingRounds(lending::Watch& watch, std::chrono::seconds every);
  ~LendingRounds() = default;
  LendingRounds(const LendingRounds&) = delete;
  LendingRounds& operator=(const LendingRounds&) = delete;

 private:
  void run(const std::stop_token& stop, std::chrono::seconds every);

  lending::Watch& watch_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace jw::app
