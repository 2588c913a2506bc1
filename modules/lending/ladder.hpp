// From findings to what is done about them (§2.5.3): a ladder whose steps are taken one at a time, but for strong
// evidence. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "modules/lending/rules.hpp"

namespace jw::lending {

enum class Step : uint8_t {
  none,
  ask_second_factor,  // every live session answers nothing until its holder has shown again who it is
  read_only,          // no acts, changes, exports
  suspended,          // nothing, at once, on every node
};
std::string_view step_name(Step step);
std::optional<Step> step_named(std::string_view name);
Text step_label(Step step);

// A finding that nobody dismissed, within the history.
struct Weighed {
  std::string_view rule;
  int score = 0;
  int64_t found_us = 0;   // when it was last seen to be so strong
  bool answered = false;  // the holder has shown since then who it is
};

// Findings of different rules add up as independent doubts do: 100 · (1 − Π (1 − score/100)). Answered ones count half.
int total_score(std::span<const Weighed> findings);

// Whether a pattern seen again says something new: it is clearly stronger, or it is another day's.
bool is_news(int score_before, int64_t found_before_us, int score, int64_t now_us);

// The step that is due; never lower than `current`. Without a finding newer than `since_us`, when the current step was
// taken, none is. A step is skipped, and an account suspended, only on one finding of `suspend_score` or more, or when
// the account is read-only already and two rules agree.
Step step_due(Step current, int64_t since_us, std::span<const Weighed> findings, const Settings& settings);

}  // namespace jw::lending
