#include "tests/differential/trial.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>

namespace jw::differential {

namespace {

constexpr int kQuestions = 32, kWorlds = 8;  // of one policy, so that plans are used again

struct Named {
  const char* name;
  Check check;
  int percent;   // of the worlds (changes) or of the cases (else) it is put to
  bool changes;  // world or grants have to be put back
};
constexpr Named kChecks[] = {
    {"page by page", pages_make_the_whole, 6, false},
    {"partitions", partitions_make_the_whole, 5, false},
    {"filter counts", filter_counts_what_holds, 6, false},
    {"cached plans", cached_plans_answer_the_same, 3, false},
    {"no value in text", text_holds_no_value, 3, false},
    {"writing", batches_stay_within, 25, false},
    {"effects", effects_are_as_the_reference_says, 4, false},
    {"sight", sight_is_as_the_reference_says, 3, false},
    {"hidden from effects and sight", permissions_tell_nothing_hidden, 60, true},
    {"non-interference", hidden_data_changes_nothing, 60, true},
    {"order of permits", order_of_permits_is_nothing, 10, true},
    {"more permits", permits_add_and_forbids_remove, 10, true},
    {"revocation", revocation_acts_at_once, 10, true},
};

class Running {
 public:
  explicit Running(const Trial& trial) : trial_(trial) {}

  Result run() {
    const auto begin = std::chrono::steady_clock::now();
    Dice dice(trial_.seed);
    do {
      block(trial_.block != 0 ? trial_.block : dice.seed());
    } while (trial_.block == 0 && result_.cases < trial_.cases && result_.failure.empty());
    result_.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    return result_;
  }

 private:
  Sides sides(int variant) {
    const auto at = [&](auto& sides, db::Dialect dialect) {
      if (!sides[variant]) sides[variant] = std::make_unique<Side>(dialect, variant);
      return sides[variant].get();
    };
    return {at(sqlite_, db::Dialect::sqlite), trial_.postgres ? at(postgres_, db::Dialect::postgres) : nullptr};
  }

  // One policy, some questions, several worlds.
  void block(uint64_t seed) {
    Dice dice(seed);
    Case one;
    one.variant = static_cast<int>(dice.below(kCatalogues));
    const Sides stores = sides(one.variant);
    one.now_us = kNow;
    one.set_policy(any_defaults(dice, one.catalogue()), any_grants(dice, one.catalogue(), kNow));
    put_policy(stores, one);
    std::vector<Case> questions;
    for (int q = 0; q < kQuestions; ++q) {
      any_question(dice, one);
      questions.push_back(one);
    }
    for (int w = 0; w < kWorlds && result_.failure.empty(); ++w) {
      const auto world = std::make_shared<World>(any_world(dice, one.catalogue()));
      // The clock passes the edges of grants while everything is cached; a day later "today" is another.
      const int64_t now = kNow + dice.between(-1, 1);
      const int64_t later = now + dice.between(0, 2) + (dice.chance(15) ? kDay : 0);
      for (size_t q = 0; q < questions.size(); ++q) {
        if (w > 0) other_values(dice, questions[q]);
        questions[q].world = world;
        questions[q].now_us = q < questions.size() / 2 ? now : later;
      }
      put_world(stores, *world);
      put_questions(stores, questions, seed);
      put_changes(dice, stores, questions, seed);
    }
  }

  static void put_policy(const Sides& stores, const Case& one) {
    stores.sqlite->put_policy(one.defaults(), one.grants());
    if (stores.postgres != nullptr) stores.postgres->put_policy(one.defaults(), one.grants());
  }
  static void put_world(const Sides& stores, const World& world) {
    stores.sqlite->put_world(world);
    if (stores.postgres != nullptr) stores.postgres->put_world(world);
  }

  void put_questions(const Sides& stores, const std::vector<Case>& questions, uint64_t seed) {
    for (const Case& one : questions) {
      if (!holds(stores, "reference", as_the_reference_says, Cases(&one, 1), seed)) return;
      if (trial_.postgres && !holds(stores, "both stores", stores_agree, Cases(&one, 1), seed)) return;
      Dice dice(one.seed);
      for (const Named& each : kChecks) {
        if (each.changes || !dice.chance(each.percent)) continue;
        if (!holds(stores, each.name, each.check, Cases(&one, 1), seed)) return;
      }
    }
  }

  void put_changes(Dice& dice, const Sides& stores, std::vector<Case>& questions, uint64_t seed) {
    for (const Named& each : kChecks) {
      const int percent = trial_.postgres ? each.percent / 4 : each.percent;
      if (!each.changes || !dice.chance(percent) || !result_.failure.empty()) continue;
      // Those of one account, of which the later ones come last.
      const int64_t account = dice.of(questions).account;
      std::vector<Case> cases;
      std::copy_if(questions.begin(), questions.end(), std::back_inserter(cases),
                   [&](const Case& one) { return one.account == account; });
      if (!holds(stores, each.name, each.check, cases, seed)) return;
      Side& changed = stores.postgres != nullptr ? *stores.postgres : *stores.sqlite;
      changed.put_grants(cases.front().grants());
      changed.put_world(*cases.front().world);
    }
  }

  bool holds(const Sides& stores, const char* name, Check check, Cases cases, uint64_t seed) {
    if (!trial_.only.empty() && !trial_.only.contains(name)) return true;
    result_.cases += static_cast<int64_t>(cases.size());
    result_.checks[name] += static_cast<int64_t>(cases.size());
    std::optional<Found> found;
    try {
      found = check(stores, cases);
      if (!found) return true;
    } catch (const std::exception& error) {
      found = Found{std::string("failed: ") + error.what(), cases.front()};
    }
    result_.failure =
        "check: " + std::string(name) + "\nagain: JIAOWU_DIFFERENTIAL_BLOCK=" + std::to_string(seed) + "\n";
    if (trial_.shrinks) {
      const Found small = shrink(stores, check, *found);
      result_.failure += print(stores.postgres != nullptr ? *stores.postgres : *stores.sqlite, small);
    } else {
      result_.failure += found->wrong;
    }
    return false;
  }

  const Trial trial_;
  Result result_;
  std::map<int, std::unique_ptr<Side>> sqlite_, postgres_;
};

}  // namespace

std::string Result::print() const {
  char line[200];
  std::snprintf(line, sizeof line, "%lld cases in %.1f s, %.0f a second:", static_cast<long long>(cases), seconds,
                static_cast<double>(cases) / seconds);
  std::string out = line;
  for (const auto& [name, count] : checks) out += " " + name + " " + std::to_string(count) + ",";
  out.back() = '\n';
  return out;
}

Result run(const Trial& trial) {
  return Running(trial).run();
}

}  // namespace jw::differential
