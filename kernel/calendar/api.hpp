// Working days of the school, and the deadlines counted in them (§2.4.2, §3.3.2; design §8).
//
// A day works when the yearly notice of the State Council (国办发明电) or, failing one, the week says so, and no window
// of the school (校历停办: winter holiday, exams …) stops the clock. The day of receipt is not counted. A deadline of n
// working days is the end of the nth of them, 24:00 in the school's zone (UTC+8): `at` is that midnight, and in time
// means now < at. A year without a notice is computed from its weekends and what the law itself fixes
// (全国年节及纪念日放假办法); everything that rests on such a year is `provisional`.
//
// Use: `Book::current` gives the calendar in force; keep its version beside each deadline; when `Book::current` has
// another version, pass the open deadlines to `recompute` and store what comes back. Acts upon the calendar: edit.hpp.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "platform/db/api.hpp"

namespace jw::calendar {

constexpr int kFirstYear = 2025;  // of the law in force since 2025-01-01
constexpr int kLastYear = 2099;
constexpr int kDaysMax = 1000;  // working days in one deadline at most

enum class Kind : uint8_t {
  workday,
  makeup,  // 调休: a Saturday or Sunday on which one works
  weekend,
  holiday,  // off by law or by the notice
  window,   // would work, but the school has stopped the clock
};
std::string_view name_of(Kind kind);  // "workday" …

struct Day {
  Date date;
  Kind kind = Kind::workday;
  bool provisional = false;
  Text reason;  // why it works or does not
  bool works() const { return kind == Kind::workday || kind == Kind::makeup; }
};

struct Deadline {
  Instant at;                // first instant that is too late: the midnight after `last`
  Date last;                 // the last day in time, for people
  bool provisional = false;  // a year without notice was counted through
  int64_t version = 0;       // of the calendar
};

// A deadline as stored: n = `days` working days after `from`.
struct Open {
  int64_t id = 0;
  Instant from;
  int days = 0;
  Instant at;
};
struct Recomputed {
  int64_t id = 0;
  Instant before;
  Deadline deadline;
  bool moved = false;
};

// A day on which the week does not hold.
struct Special {
  Date date;
  bool works = false;
  Text name;  // of the festival
  bool operator==(const Special&) const = default;
};
struct Year {
  int year = 0;
  bool provisional = false;
  std::string notice;           // 国办发明电〔2025〕7号; empty when provisional
  std::string issued;           // date of the notice
  std::string source;           // where it can be read
  std::vector<Special> days{};  // by date; may reach into the December before
  bool operator==(const Year&) const = default;
};
struct Window {
  int64_t id = 0;
  Date begins, ends;  // both included
  Text reason;
};

// Immutable; thread-safe.
class Calendar {
 public:
  Calendar(std::vector<Year> years, std::vector<Window> windows, int64_t version);

  int64_t version() const { return version_; }
  const std::vector<Year>& years() const { return years_; }  // as imported, ascending
  const std::vector<Window>& windows() const { return windows_; }
  const Year* imported(int year) const;  // nullptr: computed
  bool is_provisional(int year) const;

  // Refusal: calendar.year_out_of_range (422), also when a deadline would end beyond kLastYear.
  Result<Day> is_working_day(Date date) const;
  // 1 ≤ n ≤ kDaysMax, else calendar.days_out_of_range (422).
  Result<Deadline> working_days_after(Instant start, int n) const;
  // Working days d with from < d ≤ to; negative when `to` is earlier. working_days_between(s, after(s, n).last) = n.
  Result<int> working_days_between(Date from, Date to) const;

 private:
  std::vector<Year> years_;
  std::vector<Window> windows_;
  int64_t version_;
  struct Known {
    Special special;
    size_t year;  // index into years_, or none
  };
  std::map<Date, Known> special_;
};

// Each row by this calendar, in the order given. What has passed stays as it was; and nobody becomes late because the
// calendar changed: a deadline still to come that would lie in the past ends with the next working day instead.
Result<std::vector<Recomputed>> recompute(const Calendar& calendar, std::span<const Open> rows, Instant now);

// The version in force in the store, 0 before the first start.
int64_t version(db::Connection& connection);
// What this folder reads on reading connections.
db::Reach readers_reach();

// The calendar of a store, read again when its version has changed. Thread-safe.
class Book {
 public:
  // `connection`: a reader, or a transaction that does not itself change the calendar.
  std::shared_ptr<const Calendar> current(db::Connection& connection);

 private:
  std::mutex mutex_;
  std::shared_ptr<const Calendar> current_;
};

}  // namespace jw::calendar
