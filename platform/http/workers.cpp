#include "platform/http/workers.hpp"

namespace jw::http {

Workers::Workers(int threads, size_t queue_max, std::function<void(Job&&)> run)
    : queue_max_(queue_max), run_(std::move(run)) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
}

Workers::~Workers() {
  stop();
}

bool Workers::offer(Job& job) {
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    if (stopped_ || queue_.size() >= queue_max_) return false;
    queue_.push_back(std::move(job));
    wake = idle_ > 0 && !waking_;
    if (wake) waking_ = true;
  }
  if (wake) wake_.notify_one();
  return true;
}

size_t Workers::queued() const {
  const std::lock_guard lock(mutex_);
  return queue_.size();
}

void Workers::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    while (queue_.empty() && !stopped_) {
      ++idle_;
      wake_.wait(lock);
      --idle_;
      waking_ = false;
    }
    if (stopped_) return;
    Job job = std::move(queue_.front());
    queue_.pop_front();
    const bool wake_another = !queue_.empty() && idle_ > 0 && !waking_;
    if (wake_another) waking_ = true;
    lock.unlock();
    if (wake_another) wake_.notify_one();
    run_(std::move(job));
    job = {};  // what it held is let go without the lock
    lock.lock();
  }
}

void Workers::stop() {
  std::deque<Job> dropped;  // destroyed without the lock: their Respond answers 500
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    dropped.swap(queue_);
  }
  wake_.notify_all();
  for (std::thread& one : threads_) {
    if (one.joinable()) one.join();
  }
}

}  // namespace jw::http
