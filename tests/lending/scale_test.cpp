// What a round costs beside a large record. JIAOWU_LENDING_EVENTS=1000000 measures what docs/lending.md says.
#include <atomic>
#include <chrono>
#include <cstdio>

#include "modules/lending/api.hpp"
#include "tests/engine/campus.hpp"

namespace jw::tests {
namespace {

class LargeRecord : public ::testing::TestWithParam<db::Dialect> {};

JW_ON_BOTH_STORES(LargeRecord);

double seconds_of(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

constexpr int kVisits = 28;  // of each account, one a day

// Accounts with a session a day for four weeks, half an hour each, on the own device.
void make_history(db::Connection& writer, int64_t accounts, Instant now) {
  db::Transaction transaction(writer, db::Transaction::Mode::write);
  for (int64_t account = 1; account <= accounts; ++account) {
    const std::string login = "s" + std::to_string(account);
    writer.execute("INSERT INTO account (id, login, kind, display_name, created_us) VALUES ($1, $2, 'student', $2, 1)",
                   {account, login});
    for (int day = 0; day < kVisits; ++day) {
      const int64_t session = account * 100 + day, from_us = now.us - day * kDay - 600 * kSecond;
      const std::string token = "t" + std::to_string(session), device = "d" + std::to_string(account);
      writer.execute(
          "INSERT INTO session (id, token_digest, account, created_us, expires_us, idle_until_us, remote, "
          "user_agent_digest, device_digest, zone) VALUES ($1, $2, $3, $4, $5, $5, '', $2, $6, 'main_dormitory')",
          {session, db::Param::blob(token), account, from_us, from_us + kDay, db::Param::blob(device)});
      writer.execute(
          "INSERT INTO lending_place (session, from_us, zone, until_us, account) VALUES ($1, $2, 'main_dormitory', $3, "
          "$4)",
          {session, from_us, from_us + 300 * kSecond, account});
    }
  }
  transaction.commit();
}

void make_leaves(record::Recorder& recorder, int64_t events, int64_t accounts, Instant now) {
  std::atomic<int64_t> durable = 0;
  for (int64_t i = 0; i < events; ++i) {
    record::Entry entry;
    const int64_t day = kVisits - 1 - i * kVisits / events;
    entry.time = {now.us - day * kDay - 600 * kSecond + i};
    entry.kind = "query";
    entry.account = 1 + i * 7919 % accounts;
    entry.session = entry.account * 100 + day;
    entry.dataset = i % 3 == 0 ? "grade" : "enrolment";
    entry.decision = "allowed";
    recorder.append(std::move(entry), [&](const std::optional<record::Leaf>& leaf) { durable += leaf ? 1 : 0; });
  }
  recorder.checkpoint();
  while (durable < events) std::this_thread::sleep_for(std::chrono::milliseconds(5));
}

TEST_P(LargeRecord, a_round_costs_what_is_new_not_what_there_is) {
  if (!TestStore::available(GetParam())) GTEST_SKIP() << "no PostgreSQL: JIAOWU_TEST_PG is empty";
  const char* given = std::getenv("JIAOWU_LENDING_EVENTS");  // NOLINT(concurrency-mt-unsafe): nobody sets it
  const int64_t events = given == nullptr ? 6000 : std::strtoll(given, nullptr, 10);
  const int64_t accounts = std::max<int64_t>(20, events / 100);
  Campus campus(GetParam());
  app::System& system = campus.system();
  const Instant now = system.clock->now();
  make_history(*system.store->writer(), accounts, now);
  make_leaves(*system.recorder, events, accounts, now);
  lending::Watch watch({*system.store, *system.identity, *system.recorder, *system.policy, *system.clock},
                       std::get<lending::Network>(lending::load_network(JW_SOURCE_DIR)), {});

  lending::Swept first, again, next;
  double first_s = 0, again_s = 0, next_s = 0;
  do {  // a round takes a stretch of the record; the first ones catch up
    lending::Swept swept;
    first_s += seconds_of([&] { swept = watch.sweep(); });
    first.leaves += swept.leaves;
    first.accounts = std::max(first.accounts, swept.accounts);
    if (swept.leaves == 0) break;
  } while (true);
  campus.at("2026-03-16T09:20:00+08:00");
  again_s = seconds_of([&] { again = watch.sweep(); });
  for (int64_t account = 1; account <= accounts / 20; ++account) watch.note(account * 100, account, "10.10.0.5");
  next_s = seconds_of([&] {
    watch.flush();
    next = watch.sweep();
  });
  std::printf(
      "%s: %lld leaves of %lld accounts caught up in %.1f s (looked at %lld); nothing new %.1f ms; %lld accounts "
      "active %.0f ms\n",
      GetParam() == db::Dialect::sqlite ? "SQLite" : "PostgreSQL", static_cast<long long>(first.leaves),
      static_cast<long long>(accounts), first_s, static_cast<long long>(first.accounts), again_s * 1e3,
      static_cast<long long>(next.accounts), next_s * 1e3);
  EXPECT_EQ(first.leaves, static_cast<int64_t>(system.recorder->size()));
  EXPECT_EQ(again.leaves, 0);
  EXPECT_EQ(again.accounts, 0);
  EXPECT_EQ(next.accounts, accounts / 20);
  EXPECT_EQ(next.findings, 0) << "everybody on the own device in the own place";
}

}  // namespace
}  // namespace jw::tests
