#include "kernel/edge/door.hpp"

#include <condition_variable>
#include <deque>
#include <exception>
#include <thread>
#include <vector>

#include "platform/log/api.hpp"

namespace jw::edge {

struct Door::Impl {
  std::mutex mutex;
  std::condition_variable wake;
  std::deque<std::function<void()>> waiting;
  size_t waiting_max = 0;
  bool stopping = false;
  std::vector<std::thread> threads;

  void work() {
    for (;;) {
      std::function<void()> job;
      {
        std::unique_lock lock(mutex);
        wake.wait(lock, [this] { return stopping || !waiting.empty(); });
        if (waiting.empty()) return;
        job = std::move(waiting.front());
        waiting.pop_front();
      }
      // A store that fails here ends one request with 500 (its Respond goes unanswered), never the server.
      try {
        job();
      } catch (const std::exception& error) {
        log::error("door.failed", {{"error", error.what()}});
      }
      job = nullptr;
    }
  }
};

Door::Door(int threads, size_t waiting_max) : impl_(std::make_unique<Impl>()) {
  impl_->waiting_max = waiting_max;
  for (int i = 0; i < threads; ++i) impl_->threads.emplace_back([this] { impl_->work(); });
}

Door::~Door() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
  }
  impl_->wake.notify_all();
  for (std::thread& thread : impl_->threads) thread.join();
}

bool Door::enter(std::function<void()> job) {
  {
    const std::lock_guard lock(impl_->mutex);
    if (impl_->stopping || impl_->waiting.size() >= impl_->waiting_max) return false;
    impl_->waiting.push_back(std::move(job));
  }
  impl_->wake.notify_one();
  return true;
}

void Signatures::put(int64_t session, Instant now) {
  const std::lock_guard lock(mutex_);
  if (signed_.size() > 10'000)
    std::erase_if(signed_, [&](const auto& each) { return each.second.us + kHolds < now.us; });
  signed_[session] = now;
}

bool Signatures::holds(int64_t session, Instant now) const {
  const std::lock_guard lock(mutex_);
  const auto found = signed_.find(session);
  return found != signed_.end() && now.us < found->second.us + kHolds;
}

}  // namespace jw::edge
