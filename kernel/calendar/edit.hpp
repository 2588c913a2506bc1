// Acts upon the calendar of a store (§2.4.2, design §1: Act): a year imported, a window of the school added or
// withdrawn. Each is one version with who, when and why, and one leaf of the record, in the caller's writing
// transaction; after the commit the caller delivers `outbox`. After a refusal it rolls back.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "kernel/calendar/api.hpp"
#include "kernel/catalog/api.hpp"
#include "kernel/record/api.hpp"
#include "platform/db/api.hpp"

namespace jw::calendar {

constexpr size_t kFileMax = 64 * 1024;  // bytes of a file of years
constexpr int kWindowDaysMax = 120;     // a window longer than a holiday is a mistake

// Years of a file (docs/howto/calendar.md), or all its mistakes by line, with what would be right. `shown`: its name.
std::variant<std::vector<Year>, std::vector<catalog::FileProblem>> read_years(std::string_view text,
                                                                              const std::string& shown);

using record::Hand;

struct Changed {
  int64_t from = 0, to = 0;  // version
  int64_t outbox = 0;        // deliver it after the commit
};

// What an import would do with a year.
struct Preview {
  const Year* year;
  bool known = false;        // the store has this year already
  int working_days = 0;      // of the year, windows of the school apart
  std::vector<Day> differs;  // days that change between working and off, as they would be
};
std::vector<Preview> preview(const Calendar& before, const std::vector<Year>& years);

// Refusals: text.not_accepted (422), calendar.same (409; nothing would change), calendar.less_official (409; a
// provisional year over one with its notice).
Result<Changed> import_years(db::Connection& transaction, record::Recorder& recorder, const std::vector<Year>& years,
                             const Hand& hand, std::string_view reason, Instant now);
// The window's number is Changed::to. Refusals: text.not_accepted, calendar.window_invalid (422; backwards,
// begins before today, longer than kWindowDaysMax, out of range), calendar.window_overlaps (409).
Result<Changed> add_window(db::Connection& transaction, record::Recorder& recorder, Date begins, Date ends,
                           const Text& reason, const Hand& hand, Instant now);
// Of a window under way the days gone by, today included, stay stopped. Refusals: text.not_accepted,
// calendar.window_unknown (404), calendar.window_over (409).
Result<Changed> withdraw_window(db::Connection& transaction, record::Recorder& recorder, int64_t id, const Hand& hand,
                                std::string_view reason, Instant now);

// Gives a store that has no calendar yet the years it starts with; nothing when it has one. Outbox id, or 0.
int64_t start(db::Connection& transaction, record::Recorder& recorder, const std::vector<Year>& years, Instant now);

}  // namespace jw::calendar
