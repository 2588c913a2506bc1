#include "kernel/edge/turns.hpp"

#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "platform/log/api.hpp"

namespace jw::edge {

namespace {

using Steady = std::chrono::steady_clock;
using Job = std::function<void()>;

constexpr int kHeavyNiceness = 10;
constexpr auto kLong = std::chrono::milliseconds(100);
constexpr double kForgottenWithinUs = 10e6;  // time used counts for a third after so long
constexpr size_t kAccountsMost = 20'000;     // known at a time, before those at rest are forgotten

// The store that fails here ends one request with 500 (its Respond goes unanswered), never the server.
void run(Job& job) {
  try {
    job();
  } catch (const std::exception& error) {
    log::error("turn.failed", {{"error", error.what()}});
  }
  job = nullptr;
}

struct Account {
  int running = 0;     // light ones
  bool heavy = false;  // one runs
  std::deque<Job> light_waiting, heavy_waiting;
  double used_us = 0;  // of the threads, fading
  Steady::time_point used_at{};
  int64_t full_at_us = 0;  // when the bucket of questions is full again

  void fade(Steady::time_point now) {
    const double passed = std::chrono::duration<double, std::micro>(now - used_at).count();
    used_us *= std::exp(-passed / kForgottenWithinUs);
    used_at = now;
  }
  bool at_rest(int64_t now_us) const {
    return running == 0 && !heavy && heavy_waiting.empty() && full_at_us <= now_us && used_us < 1;
  }
};

}  // namespace

struct Turns::Impl {
  explicit Impl(Limits given) : limits(given) {
    for (int i = 0; i < limits.heavy_threads; ++i) threads.emplace_back([this] { work(); });
  }
  ~Impl() {
    {
      const std::lock_guard lock(mutex);
      stopping = true;
    }
    wake.notify_all();
    for (std::thread& thread : threads) thread.join();
  }

  // Runs the job without the lock and charges its account for the time.
  void run_for(std::unique_lock<std::mutex>& lock, int64_t account, Job job) {
    lock.unlock();
    const auto began = Steady::now();
    run(job);
    const auto ended = Steady::now();
    lock.lock();
    Account& who = accounts[account];
    who.fade(ended);
    who.used_us += std::chrono::duration<double, std::micro>(ended - began).count();
  }

  void work() {
    setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kHeavyNiceness);
    std::unique_lock lock(mutex);
    for (;;) {
      wake.wait(lock, [this] { return stopping || !ready.empty(); });
      if (stopping) return;
      const int64_t account = ready.front();
      ready.pop_front();
      Account& who = accounts[account];
      Job job = std::move(who.heavy_waiting.front());
      who.heavy_waiting.pop_front();
      who.heavy = true;
      const auto began = Steady::now();
      run_for(lock, account, std::move(job));
      if (Steady::now() - began > kLong) {
        // What a long one took is the machine's again, not the allocator's.
        lock.unlock();
        malloc_trim(0);
        lock.lock();
      }
      Account& after = accounts[account];
      after.heavy = false;
      if (!after.heavy_waiting.empty()) ready.push_back(account);  // behind the others
    }
  }

  void forget_those_at_rest(int64_t now_us) {
    if (accounts.size() < kAccountsMost) return;
    const auto now = Steady::now();
    for (auto& [number, who] : accounts) who.fade(now);
    std::erase_if(accounts, [&](const auto& each) { return each.second.at_rest(now_us); });
  }

  const Limits limits;
  std::mutex mutex;
  std::condition_variable wake;
  std::unordered_map<int64_t, Account> accounts;
  std::deque<int64_t> ready;  // accounts with a heavy question waiting and none running, first come first
  bool stopping = false;
  std::vector<std::thread> threads;
};

Turns::Turns(Limits limits) : impl_(std::make_unique<Impl>(limits)) {}
Turns::~Turns() = default;

bool Turns::ask(int64_t account, int64_t per_minute, Instant now) {
  const int64_t refill_us = std::max<int64_t>(1, 60 * kSecond / per_minute);
  const std::lock_guard lock(impl_->mutex);
  impl_->forget_those_at_rest(now.us);
  Account& who = impl_->accounts[account];
  // Further ahead than asking can push it: the clock was set back (trials do so).
  if (who.full_at_us - now.us > 61 * kSecond) who.full_at_us = now.us;
  const int64_t next = std::max(who.full_at_us, now.us) + refill_us;
  if (next - now.us > 60 * kSecond) return false;
  who.full_at_us = next;
  return true;
}

bool Turns::enter(int64_t account, bool heavy, std::function<void()> job) {
  std::unique_lock lock(impl_->mutex);
  Account& who = impl_->accounts[account];
  who.fade(Steady::now());
  if (heavy || who.used_us > static_cast<double>(impl_->limits.patience_us)) {
    if (who.heavy_waiting.size() >= impl_->limits.waiting_max) return false;
    who.heavy_waiting.push_back(std::move(job));
    if (!who.heavy && who.heavy_waiting.size() == 1) {
      impl_->ready.push_back(account);
      impl_->wake.notify_one();
    }
    return true;
  }
  if (who.running >= impl_->limits.at_once) {
    if (who.light_waiting.size() >= impl_->limits.waiting_max) return false;
    who.light_waiting.push_back(std::move(job));
    return true;
  }
  ++who.running;
  // Whoever runs one runs those of the same account that came meanwhile: no thread waits for another.
  for (;;) {
    impl_->run_for(lock, account, std::move(job));
    Account& after = impl_->accounts[account];
    if (after.light_waiting.empty()) {
      --after.running;
      return true;
    }
    job = std::move(after.light_waiting.front());
    after.light_waiting.pop_front();
  }
}

}  // namespace jw::edge
