// Lets at most N callers through at the same time, the others in the order in which they came. A semaphore of the
// standard library promises no order: under a rush of sign-ins a waiter could be overtaken without end.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace jw::crypto {

class FairGate {
 public:
  explicit FairGate(uint64_t at_once) : open_below_(at_once) {}

  class Pass {
   public:
    explicit Pass(FairGate& gate) : gate_(gate) { gate_.enter(); }
    ~Pass() { gate_.leave(); }
    Pass(const Pass&) = delete;
    Pass& operator=(const Pass&) = delete;

   private:
    FairGate& gate_;
  };

 private:
  void enter() {
    std::unique_lock lock(mutex_);
    const uint64_t ticket = next_ticket_++;
    moved_.wait(lock, [&] { return ticket < open_below_; });
  }
  void leave() {
    {
      const std::lock_guard lock(mutex_);
      ++open_below_;
    }
    moved_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable moved_;
  uint64_t next_ticket_ = 0;
  uint64_t open_below_;  // tickets under this one may be inside or have been
};

}  // namespace jw::crypto
