// The engine and a slow reference answer the same random questions over random tiny universities
// (docs/differential.md).
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <mutex>
#include <thread>

#include "tests/differential/trial.hpp"

namespace jw::differential {
namespace {

int64_t number(const char* name, int64_t otherwise) {
  const char* text = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nobody sets it
  return text == nullptr || *text == '\0' ? otherwise : static_cast<int64_t>(std::stoull(text));
}

Trial trial(int64_t cases) {
  Trial out;
  out.seed = static_cast<uint64_t>(number("JIAOWU_DIFFERENTIAL_SEED", 1));
  out.block = static_cast<uint64_t>(number("JIAOWU_DIFFERENTIAL_BLOCK", 0));
  out.cases = cases;
  const char* only = std::getenv("JIAOWU_DIFFERENTIAL_CHECK");  // NOLINT(concurrency-mt-unsafe): nobody sets it
  if (only != nullptr) out.only = {only};
  return out;
}

// A minute in CI, half an hour with the other long tests (`./dev check`).
int64_t cases() {
  return number("JIAOWU_DIFFERENTIAL_CASES", number("JW_LONG", 0) != 0 ? 10'000'000 : 300'000);
}

// design §1.5: a query means what it means over the authorised view of whoever asks.
TEST(Differential, everybody_gets_exactly_the_authorised_view) {
  const Result result = run(trial(cases()));
  std::cout << result.print();
  if (!result.failure.empty()) FAIL() << result.failure;
}

TEST(Differential, both_stores_give_the_same_bytes) {
  if (!tests::TestStore::available(db::Dialect::postgres)) GTEST_SKIP() << "no PostgreSQL: JIAOWU_TEST_PG is empty";
  Trial both = trial(cases() / 20);
  both.postgres = true;
  const Result result = run(both);
  std::cout << result.print();
  if (!result.failure.empty()) FAIL() << result.failure;
}

// While grants change under the askers, every answer is the one of before or the one of after, never of both.
TEST(Differential, answers_are_of_before_or_after_a_change_of_grants) {
  Dice dice(static_cast<uint64_t>(number("JIAOWU_DIFFERENTIAL_SEED", 1)));
  Side side(db::Dialect::sqlite, 0);
  for (int64_t round = 0; round < 1 + cases() / 10'000; ++round) {
    Case one;
    one.now_us = kNow;
    one.world = std::make_shared<World>(any_world(dice, one.catalogue()));
    const auto before = any_grants(dice, one.catalogue(), kNow), after = any_grants(dice, one.catalogue(), kNow);
    one.set_policy(any_defaults(dice, one.catalogue()), before);
    std::vector<Case> questions;
    for (int q = 0; q < 24; ++q) {
      any_question(dice, one);
      questions.push_back(one);
    }
    side.put(one);
    std::vector<std::set<std::string>> right(questions.size());
    for (const auto* grants : {&after, &before}) {
      side.put_grants(*grants);
      for (size_t q = 0; q < questions.size(); ++q) right[q].insert(answer_of(side.engine(), questions[q]));
    }
    std::atomic<bool> done = false;
    std::atomic<int64_t> answers = 0;
    std::mutex mutex;
    std::string wrong;
    const auto ask = [&](size_t from) {
      for (size_t q = from; !done; q = (q + 1) % questions.size()) {
        const std::string answer = answer_of(side.engine(), questions[q]);
        ++answers;
        if (right[q].contains(answer) || answer.starts_with("refused policy.changing")) continue;
        const std::lock_guard lock(mutex);
        wrong = boost::json::serialize(questions[q].request) + "\n" + answer + "\nneither of\n" + *right[q].begin() +
                "\n" + *right[q].rbegin();
      }
    };
    std::thread first(ask, 0), second(ask, questions.size() / 2);
    for (int change = 0; change < 40; ++change) {
      side.put_grants(change % 2 == 0 ? after : before);
      for (const int64_t seen = answers; answers < seen + 8;) std::this_thread::yield();
    }
    done = true;
    first.join();
    second.join();
    ASSERT_EQ(wrong, "");
  }
}

}  // namespace
}  // namespace jw::differential

int main(int argc, char** argv) {
  // No disk is waited for where there is a file system in memory.
  if (std::filesystem::is_directory("/dev/shm")) setenv("TMPDIR", "/dev/shm", 0);
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
