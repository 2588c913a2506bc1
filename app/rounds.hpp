// What comes round by itself while the system serves: one thread a round, one try each time (edge::Round).
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "kernel/edge/module.hpp"

namespace jw::app {

class Rounds {
 public:
  // `every`: seconds of some rounds by name ("mail=5"), instead of their own. Throws edge::UsageError.
  Rounds(edge::House& house, std::vector<edge::Round> rounds, const std::string& every);
  ~Rounds();
  Rounds(const Rounds&) = delete;
  Rounds& operator=(const Rounds&) = delete;

 private:
  void run(const edge::Round& round, const std::stop_token& stop);

  edge::House& house_;
  std::vector<edge::Round> rounds_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::vector<std::jthread> threads_;  // last: they use all of the above
};

// The kernel's own, and those of all modules.
std::vector<edge::Round> rounds();

}  // namespace jw::app
