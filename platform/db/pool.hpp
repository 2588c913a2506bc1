// A bounded pool of connections of one kind, opened when first needed, handed to waiting threads in the order they came.
// Inside platform/db only.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace jw::db {

template <class C>
class Pool {
 public:
  using Open = std::function<std::unique_ptr<C>()>;

  Pool(size_t most, Open open) : most_(most), open_(std::move(open)) {}

  // Throws what opening throws; the next to ask tries again.
  C* lend() {
    std::unique_lock lock(mutex_);
    if (!waiting_.empty() || (idle_.empty() && opened_ == most_)) {
      Waiter me;
      waiting_.push_back(&me);
      me.wake.wait(lock, [&me] { return me.served; });
      if (me.connection != nullptr) return me.connection;
    } else if (!idle_.empty()) {
      C* last = idle_.back();  // the one whose caches are warm
      idle_.pop_back();
      return last;
    } else {
      ++opened_;
    }
    lock.unlock();
    return open_one();
  }

  void give_back(C* connection) noexcept {
    const std::lock_guard lock(mutex_);
    if (waiting_.empty()) {
      idle_.push_back(connection);
    } else {
      serve(connection);
    }
  }

  // A lent connection that turned out to be dead: closed, and its place is free.
  void discard(C* connection) noexcept {
    const std::lock_guard lock(mutex_);
    std::erase_if(all_, [connection](const std::unique_ptr<C>& one) { return one.get() == connection; });
    if (waiting_.empty()) {
      --opened_;
    } else {
      serve(nullptr);
    }
  }

  // All connections, when none is lent: closes them.
  void close() {
    const std::lock_guard lock(mutex_);
    idle_.clear();
    all_.clear();
    opened_ = 0;
  }

 private:
  struct Waiter {
    std::condition_variable wake;
    C* connection = nullptr;  // stays null when the waiter may open one itself
    bool served = false;
  };

  void serve(C* connection) {
    Waiter* first = waiting_.front();
    waiting_.pop_front();
    first->connection = connection;
    first->served = true;
    first->wake.notify_one();  // under the lock: the waiter's frame must not end before
  }

  C* open_one() {
    try {
      std::unique_ptr<C> made = open_();
      const std::lock_guard lock(mutex_);
      idle_.reserve(most_);  // so that giving back cannot throw
      all_.push_back(std::move(made));
      return all_.back().get();
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (waiting_.empty()) {
        --opened_;
      } else {
        serve(nullptr);
      }
      throw;
    }
  }

  const size_t most_;
  const Open open_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<C>> all_;
  std::vector<C*> idle_;
  std::deque<Waiter*> waiting_;
  size_t opened_ = 0;  // open or being opened
};

}  // namespace jw::db
