#include "kernel/edge/turns.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <latch>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace jw::edge {
namespace {

// A job that runs until it is let go.
struct Gate {
  std::latch entered{1}, open{1};
  std::function<void()> job() {
    return [this] {
      entered.count_down();
      open.wait();
    };
  }
};

TEST(Turns, one_heavy_question_of_an_account_runs_and_those_of_others_pass_it) {
  Gate first;
  std::latch others{2};
  std::atomic<bool> second_ran = false;
  std::latch second{1};
  Turns turns({.heavy_threads = 2});
  EXPECT_TRUE(turns.enter(1, true, first.job()));
  first.entered.wait();
  EXPECT_TRUE(turns.enter(1, true, [&] {
    second_ran = true;
    second.count_down();
  }));
  for (int64_t account : {2, 3}) EXPECT_TRUE(turns.enter(account, true, [&] { others.count_down(); }));
  others.wait();  // the other thread has served both; the second of account 1 was there before them
  EXPECT_FALSE(second_ran);
  first.open.count_down();
  second.wait();
  EXPECT_TRUE(second_ran);
}

TEST(Turns, no_more_heavy_questions_run_at_once_than_there_are_threads) {
  Gate first;
  std::latch last{1};
  std::atomic<int> running = 0, most = 0;
  Turns turns({.heavy_threads = 1});
  EXPECT_TRUE(turns.enter(1, true, first.job()));
  first.entered.wait();
  for (int64_t account = 2; account <= 9; ++account) {
    EXPECT_TRUE(turns.enter(account, true, [&, account] {
      most = std::max<int>(most, ++running);
      --running;
      if (account == 9) last.count_down();
    }));
  }
  EXPECT_EQ(running, 0);
  first.open.count_down();
  last.wait();
  EXPECT_EQ(most, 1);
}

TEST(Turns, light_questions_of_one_account_leave_room_for_others) {
  Turns turns({.heavy_threads = 1, .at_once = 2, .waiting_max = 3});
  Gate one, two;
  std::thread first([&] { turns.enter(1, false, one.job()); });
  std::thread second([&] { turns.enter(1, false, two.job()); });
  one.entered.wait();
  two.entered.wait();
  std::atomic<int> later = 0;
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(turns.enter(1, false, [&] { ++later; })) << "waits, and holds no thread";
  EXPECT_EQ(later, 0);
  EXPECT_FALSE(turns.enter(1, false, [&] { ++later; })) << "too many wait";
  bool other = false;
  EXPECT_TRUE(turns.enter(2, false, [&] { other = true; }));
  EXPECT_TRUE(other) << "another account is served at once, on its own thread";
  one.open.count_down();
  two.open.count_down();
  first.join();
  second.join();
  EXPECT_EQ(later, 3);
}

TEST(Turns, who_has_taken_much_time_asks_heavily_for_a_while) {
  Turns turns({.heavy_threads = 1, .patience_us = 0});
  EXPECT_TRUE(turns.enter(1, false, [] { std::this_thread::sleep_for(std::chrono::milliseconds(2)); }));
  std::promise<std::thread::id> ran;
  EXPECT_TRUE(turns.enter(1, false, [&] { ran.set_value(std::this_thread::get_id()); }));
  EXPECT_NE(ran.get_future().get(), std::this_thread::get_id());
}

TEST(Turns, a_job_that_throws_ends_itself_only) {
  Turns turns({.heavy_threads = 1});
  std::latch done{1};
  for (const bool heavy : {false, true}) {
    EXPECT_TRUE(turns.enter(1, heavy, [] { throw std::runtime_error("a failure of the store"); }));
  }
  EXPECT_TRUE(turns.enter(1, true, [&] { done.count_down(); }));
  done.wait();
}

TEST(Turns, so_many_calls_a_minute_all_at_once_or_one_after_another) {
  Turns turns({.heavy_threads = 1});
  Instant now{1'000'000'000};
  for (int i = 0; i < 60; ++i) EXPECT_TRUE(turns.ask(1, 60, now)) << i;
  EXPECT_FALSE(turns.ask(1, 60, now));
  EXPECT_TRUE(turns.ask(2, 60, now));
  now.us += kSecond;
  EXPECT_TRUE(turns.ask(1, 60, now));
  EXPECT_FALSE(turns.ask(1, 60, now));
  now.us += 60 * kSecond;
  for (int i = 0; i < 60; ++i) EXPECT_TRUE(turns.ask(1, 60, now)) << i;
  now.us = 0;  // a clock set back locks nobody out
  EXPECT_TRUE(turns.ask(1, 60, now));
}

}  // namespace
}  // namespace jw::edge
