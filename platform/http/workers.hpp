// Threads that run handlers. At most one sleeping thread is being woken at a time; it wakes the next one if there is
// more to do, so a burst costs the I/O thread one system call and not one for each request.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "platform/http/api.hpp"

namespace jw::http {

struct Job {
  const Route* route = nullptr;  // null = outside the table
  Request request;
  Respond respond;
};

class Workers {
 public:
  Workers(int threads, size_t queue_max, std::function<void(Job&&)> run);  // `run` does not throw
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  bool offer(Job& job);  // false, and the job untouched, when the queue is full or this has been stopped
  size_t queued() const;
  void stop();  // drops what waits, and waits for what runs

 private:
  void work();

  const size_t queue_max_;
  const std::function<void(Job&&)> run_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job> queue_;
  size_t idle_ = 0;
  bool waking_ = false, stopped_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace jw::http
