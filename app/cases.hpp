// The case engine of a running system, with what it needs from the floors above the kernel: notices, letters, sessions.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "app/system.hpp"
#include "kernel/case/api.hpp"
#include "modules/lending/api.hpp"
#include "platform/office/letter.hpp"

namespace jw::app {

std::unique_ptr<cases::Engine> case_engine(System& system);

// What opens the case of §2.5.3 when an account is suspended, in the same transaction.
lending::OnSuspended suspension_case(System& system);

// The official form of a case as a sheet to print (§2.4.1).
office::Sheet sheet_of(const cases::Form& form, const std::string& number, Instant now);

// What time does, on a thread of its own: deadlines, grants, and whatever else is due. A round that fails is logged and
// made up for by the next.
class Upkeep {
 public:
  Upkeep(System& system, std::chrono::seconds every);
  ~Upkeep();
  Upkeep(const Upkeep&) = delete;
  Upkeep& operator=(const Upkeep&) = delete;

 private:
  void run();
  void deliver_waiting();
  System& system_;
  std::mutex mutex_;
  std::condition_variable wake_;
  const std::chrono::seconds every_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace jw::app
