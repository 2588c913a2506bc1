// The engine and a slow reference answer the same random questions over random tiny universities
// (docs/differential.md).
#include <cstdlib>
#include <filesystem>
#include <iostream>

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
  if (only != nullptr) out.only = only;
  return out;
}

// A minute in CI, half an hour with the other long tests (`./dev check`).
int64_t cases() {
  return number("JIAOWU_DIFFERENTIAL_CASES", number("JW_LONG", 0) != 0 ? 10'000'000 : 300'000);
}

// design §1.5: a query means what it means over the authorised view of whoever asks.
TEST(Differential, C2_1_1_C2_2_1_C2_3_1_everybody_gets_exactly_the_authorised_view) {
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

}  // namespace
}  // namespace jw::differential

int main(int argc, char** argv) {
  // No disk is waited for where there is a file system in memory.
  if (std::filesystem::is_directory("/dev/shm")) setenv("TMPDIR", "/dev/shm", 0);
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
