#include "platform/http/exchange.hpp"

#include <unistd.h>

#include <atomic>

namespace jw::http {
namespace {

thread_local InlineAnswer* inline_answer = nullptr;

// What all copies of one Respond share.
class Exchange {
 public:
  Exchange(std::shared_ptr<Mailbox> mailbox, uint32_t slot, uint64_t number)
      : mailbox_(std::move(mailbox)), slot_(slot), number_(number) {}
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;
  ~Exchange() { answer(std::nullopt); }

  void answer(std::optional<Response> response) {
    if (answered_.exchange(true, std::memory_order_relaxed)) {
      if (response) discard(*response);
      return;
    }
    Delivery delivery{slot_, number_, std::move(response)};
    if (!InlineAnswer::catch_it(*mailbox_, delivery)) mailbox_->deliver(std::move(delivery));
  }

 private:
  std::shared_ptr<Mailbox> mailbox_;
  const uint32_t slot_;
  const uint64_t number_;
  std::atomic<bool> answered_{false};
};

}  // namespace

void discard(Response& response) {
  if (response.file_is_temporary && !response.file.empty()) ::unlink(response.file.c_str());
}

void Mailbox::deliver(Delivery&& delivery) {
  {
    const std::lock_guard lock(mutex_);
    if (wake_) {
      waiting_.push_back(std::move(delivery));
      if (waiting_.size() == 1) wake_();
      return;
    }
  }
  if (delivery.response) discard(*delivery.response);
}

void Mailbox::take_all(std::vector<Delivery>& into) {
  const std::lock_guard lock(mutex_);
  into.swap(waiting_);
}

void Mailbox::close() {
  std::vector<Delivery> left;
  {
    const std::lock_guard lock(mutex_);
    wake_ = nullptr;
    left.swap(waiting_);
  }
  for (Delivery& one : left) {
    if (one.response) discard(*one.response);
  }
}

Respond respond_to(std::shared_ptr<Mailbox> mailbox, uint32_t slot, uint64_t number) {
  return [exchange = std::make_shared<Exchange>(std::move(mailbox), slot, number)](Response response) {
    exchange->answer(std::move(response));
  };
}

InlineAnswer::InlineAnswer(const Mailbox& mailbox, uint64_t number) : mailbox_(mailbox), number_(number) {
  inline_answer = this;
}

InlineAnswer::~InlineAnswer() {
  inline_answer = nullptr;
}

bool InlineAnswer::catch_it(const Mailbox& mailbox, Delivery& delivery) {
  if (inline_answer == nullptr || &inline_answer->mailbox_ != &mailbox || inline_answer->number_ != delivery.number) {
    return false;
  }
  inline_answer->caught_ = std::move(delivery);
  return true;
}

}  // namespace jw::http
