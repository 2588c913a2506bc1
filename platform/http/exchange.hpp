// How an answer finds its way from any thread back to the I/O thread of its connection.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "platform/http/api.hpp"

namespace jw::http {

struct Delivery {
  uint32_t slot = 0;                   // of the connection
  uint64_t number = 0;                 // of the request on its I/O thread; a stale one is discarded
  std::optional<Response> response{};  // nothing: Respond was dropped without a call
};

// Removes a temporary file that will not be sent.
void discard(Response& response);

// One for each I/O thread. Answers gather here; only the first one of a batch wakes the thread.
class Mailbox {
 public:
  explicit Mailbox(std::function<void()> wake) : wake_(std::move(wake)) {}
  ~Mailbox() { close(); }

  void deliver(Delivery&& delivery);           // from any thread
  void take_all(std::vector<Delivery>& into);  // what has gathered; `into` is empty and lends its memory
  void close();                                // answers are discarded from now on

 private:
  std::mutex mutex_;
  std::function<void()> wake_;  // empty once closed
  std::vector<Delivery> waiting_;
};

Respond respond_to(std::shared_ptr<Mailbox> mailbox, uint32_t slot, uint64_t number);

// While one lives on the I/O thread, an answer to this request, given on this thread, is caught here.
class InlineAnswer {
 public:
  InlineAnswer(const Mailbox& mailbox, uint64_t number);
  ~InlineAnswer();
  InlineAnswer(const InlineAnswer&) = delete;
  InlineAnswer& operator=(const InlineAnswer&) = delete;

  std::optional<Delivery>& caught() { return caught_; }
  static bool catch_it(const Mailbox& mailbox, Delivery& delivery);

 private:
  const Mailbox& mailbox_;
  const uint64_t number_;
  std::optional<Delivery> caught_;
};

}  // namespace jw::http
