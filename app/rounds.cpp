#include "app/rounds.hpp"

#include <algorithm>
#include <charconv>

#include "app/modules.hpp"
#include "base/text.hpp"
#include "platform/log/api.hpp"

namespace jw::app {

namespace {

constexpr int64_t kSecondsMost = 3600;

// Leaves of acts whose transaction was somebody else's, and of a process that ended between commit and delivery.
void deliver_waiting(edge::House& house) {
  for (const int64_t id : record::waiting(*house.store.private_reader())) house.recorder.deliver(id);
}

void tend_cases(edge::House& house) {
  {
    const db::Store::Lease reader = house.store.reader();
    house.policy.refresh(*reader);
  }
  house.cases.tend(house.clock.now());
}

constexpr edge::Round kRounds[] = {
    {"record", std::chrono::seconds(5), deliver_waiting},
    {"cases", std::chrono::seconds(5), tend_cases},
};

edge::UsageError wrong() {
  std::string names;
  for (const edge::Round& each : rounds()) names += " " + std::string(each.name);
  return edge::UsageError("--every 应为 名称=秒数，名称有 / --every is NAME=SECONDS (1 to 3600), names are:" + names);
}

void set_every(std::vector<edge::Round>& rounds, const std::string& every) {
  if (every.empty()) return;
  for (const std::string_view each : split(every, ',')) {
    const size_t equals = each.find('=');
    if (equals == std::string_view::npos) throw wrong();
    const std::string_view number = each.substr(equals + 1);
    int64_t seconds = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), seconds);
    const auto found = std::find_if(rounds.begin(), rounds.end(),
                                    [&](const edge::Round& round) { return round.name == each.substr(0, equals); });
    if (found == rounds.end() || error != std::errc{} || end != number.data() + number.size() || seconds < 1 ||
        seconds > kSecondsMost)
      throw wrong();
    found->every = std::chrono::seconds(seconds);
  }
}

}  // namespace

std::vector<edge::Round> rounds() {
  std::vector<edge::Round> all(std::begin(kRounds), std::end(kRounds));
  for (const edge::Module* module : modules()) all.insert(all.end(), module->rounds.begin(), module->rounds.end());
  return all;
}

Rounds::Rounds(edge::House& house, std::vector<edge::Round> rounds, const std::string& every)
    : house_(house), rounds_(std::move(rounds)) {
  set_every(rounds_, every);
  for (const edge::Round& round : rounds_)
    threads_.emplace_back([this, &round](const std::stop_token& stop) { run(round, stop); });
}

Rounds::~Rounds() {
  for (std::jthread& each : threads_) each.request_stop();
}

void Rounds::run(const edge::Round& round, const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    try {
      round.run(house_);
    } catch (const std::exception& error) {
      log::error("round.failed", {{"round", round.name}, {"what", error.what()}});  // the next one makes up for it
    }
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, stop, round.every, [] { return false; });
  }
}

}  // namespace jw::app
