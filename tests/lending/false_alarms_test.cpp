// How often the rules of §2.5.3 are wrong about honest people, and how often they see lending.
// JIAOWU_LENDING_STUDENTS=40000 measures a whole university and prints the tables of docs/lending.md; otherwise a tenth
// of it, held to bounds.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>

#include "kernel/catalog/api.hpp"
#include "kernel/policy/regulation.hpp"
#include "tests/lending/honest_traffic.hpp"

namespace jw::tests {
namespace {

using lending::Step;

struct Rulebook {
  lending::Settings settings;
  lending::Network network;
};

Rulebook rulebook() {
  const std::filesystem::path home = JW_SOURCE_DIR;
  auto catalogue = catalog::load(home);
  auto regulation = policy::load(home, std::get<catalog::Catalogue>(catalogue));
  auto network = lending::load_network(home);
  return {lending::settings_of(std::get<policy::Regulation>(regulation)), std::get<lending::Network>(network)};
}

size_t students() {
  const char* given = std::getenv("JIAOWU_LENDING_STUDENTS");  // NOLINT(concurrency-mt-unsafe): nobody sets it
  return given == nullptr ? 4000 : static_cast<size_t>(std::strtoul(given, nullptr, 10));
}

TEST(Lending, C4_3_1b_honest_traffic_raises_few_alarms_and_lending_is_seen) {
  const Rulebook book = rulebook();
  Traffic traffic(1, students(), book.network);
  const Measured measured = measure(traffic, book.settings, book.network);
  std::printf("%s", table_of(measured).c_str());
  EXPECT_LE(measured.per_10000_weeks(Step::ask_second_factor), 20.0);
  EXPECT_LE(measured.per_10000_weeks(Step::read_only), 1.0);
  EXPECT_EQ(measured.false_steps[static_cast<size_t>(Step::suspended)], 0);
  const auto acted_upon = [&](Lent lent) {
    const Measured::Pattern& each = measured.patterns[static_cast<size_t>(lent)];
    return static_cast<double>(each.acted_upon) / static_cast<double>(each.accounts);
  };
  for (const Lent lent : {Lent::gatherer, Lent::gathered, Lent::other_campus, Lent::token})
    EXPECT_GE(acted_upon(lent), 0.9) << lent_name(lent);
  for (const Lent lent : {Lent::friend_elsewhere, Lent::assistant, Lent::sold})
    EXPECT_GE(acted_upon(lent), 0.5) << lent_name(lent);
}

TEST(Lending, with_every_weight_at_nothing_nothing_is_found) {
  Rulebook book = rulebook();
  for (const lending::Rule& rule : lending::rules()) book.settings.*rule.weight = 0;
  Traffic traffic(2, 400, book.network);
  const Measured measured = measure(traffic, book.settings, book.network);
  for (const Measured::Pattern& each : measured.patterns) EXPECT_EQ(each.seen, 0);
  EXPECT_EQ(measured.false_steps, (std::array<int64_t, 4>{}));
}

}  // namespace
}  // namespace jw::tests
