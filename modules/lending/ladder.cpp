#include "modules/lending/ladder.hpp"

#include <algorithm>
#include <map>

namespace jw::lending {

namespace {

constexpr std::string_view kNames[] = {"none", "ask_second_factor", "read_only", "suspended"};

// The strongest of each rule: the same pattern seen twice is one doubt.
std::map<std::string_view, int> strongest(std::span<const Weighed> findings) {
  std::map<std::string_view, int> by_rule;
  for (const Weighed& each : findings) {
    int& most = by_rule[each.rule];
    most = std::max(most, each.answered ? each.score / 2 : each.score);
  }
  return by_rule;
}

}  // namespace

std::string_view step_name(Step step) {
  return kNames[static_cast<size_t>(step)];
}

std::optional<Step> step_named(std::string_view name) {
  for (size_t i = 0; i < std::size(kNames); ++i) {
    if (kNames[i] == name) return static_cast<Step>(i);
  }
  return std::nullopt;
}

Text step_label(Step step) {
  switch (step) {
    case Step::none:
      return {"未采取措施", "nothing done"};
    case Step::ask_second_factor:
      return {"要求再次证明是本人", "asked to show again who it is"};
    case Step::read_only:
      return {"只能查看", "may look only"};
    case Step::suspended:
      return {"停用", "suspended"};
  }
  return {};
}

int total_score(std::span<const Weighed> findings) {
  int64_t doubt = 1'000'000;  // that nothing is wrong, in millionths
  for (const auto& [rule, score] : strongest(findings)) doubt = doubt * (100 - score) / 100;
  return static_cast<int>(100 - doubt / 10'000);
}

bool is_news(int score_before, int64_t found_before_us, int score, int64_t now_us) {
  constexpr int kClearly = 10;
  return score >= score_before + kClearly || now_us - found_before_us >= kDay;
}

Step step_due(Step current, int64_t since_us, std::span<const Weighed> findings, const Settings& settings) {
  const bool news = std::any_of(findings.begin(), findings.end(),
                                [&](const Weighed& each) { return !each.answered && each.found_us > since_us; });
  if (!news) return current;
  const int total = total_score(findings);
  Step due = total >= settings.suspend_score     ? Step::suspended
             : total >= settings.read_only_score ? Step::read_only
             : total >= settings.ask_score       ? Step::ask_second_factor
                                                 : Step::none;
  const bool strong = std::any_of(findings.begin(), findings.end(), [&](const Weighed& each) {
    return !each.answered && each.score >= settings.suspend_score;
  });
  if (!strong) {
    const auto next =
        static_cast<Step>(std::min<int>(static_cast<int>(current) + 1, static_cast<int>(Step::suspended)));
    due = std::min(due, next);
    if (due == Step::suspended && (current < Step::read_only || strongest(findings).size() < 2)) due = Step::read_only;
  }
  return std::max(current, due);
}

}  // namespace jw::lending
