#include "app/lending_rounds.hpp"

#include "platform/log/api.hpp"

namespace jw::app {

LendingRounds::LendingRounds(lending::Watch& watch, std::chrono::seconds every)
    : watch_(watch), thread_([this, every](const std::stop_token& stop) { run(stop, every); }) {}

void LendingRounds::run(const std::stop_token& stop, std::chrono::seconds every) {
  while (!stop.stop_requested()) {
    try {
      watch_.flush();
      const lending::Swept swept = watch_.sweep();
      if (swept.steps > 0) log::info("lending.steps", {{"steps", swept.steps}, {"findings", swept.findings}});
      if (swept.failed > 0) log::error("lending.steps_failed", {{"accounts", swept.failed}});
    } catch (const std::exception&) {
      log::error("lending.round_failed");  // the next round takes it up again
    }
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, stop, every, [] { return false; });
  }
}

}  // namespace jw::app
