#include "kernel/edge/store_failure.hpp"

#include <gtest/gtest.h>

#include "platform/db/api.hpp"

namespace jw::edge {
namespace {

std::string told(db::Failure failure) {
  std::string type;
  told_when_the_store_fails([&] { throw db::Error(failure, "details for the log"); },
                            [&](const Refusal& refusal) { type = refusal.type; });
  return type;
}

TEST(StoreFailure, is_told_when_it_passes_and_goes_on_when_it_is_a_bug) {
  for (const auto failure : {db::Failure::busy, db::Failure::full, db::Failure::unavailable})
    EXPECT_EQ(told(failure), "http.store_unavailable");
  EXPECT_EQ(told(db::Failure::timeout), "http.store_timeout");
  for (const auto failure : {db::Failure::statement, db::Failure::corrupt, db::Failure::forbidden, db::Failure::unique})
    EXPECT_THROW(told(failure), db::Error);
  told_when_the_store_fails([] {}, [](const Refusal&) { FAIL(); });
}

}  // namespace
}  // namespace jw::edge
