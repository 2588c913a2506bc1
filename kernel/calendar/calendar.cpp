// Counting: no store, no clock.
#include <algorithm>

#include "kernel/calendar/api.hpp"

namespace jw::calendar {

namespace {

constexpr size_t kComputed = SIZE_MAX;

struct Fixed {
  unsigned month, day;
  Text name;
};

// What the law fixes by the solar calendar. Spring Festival, Qingming, Dragon Boat and Mid-Autumn need an almanac: they
// come with an imported year, provisional or not.
const std::vector<Fixed>& fixed_by_law() {
  static const std::vector<Fixed> days = [] {
    const Text new_year{"元旦", "New Year"}, labour{"劳动节", "Labour Day"}, national{"国庆节", "National Day"};
    return std::vector<Fixed>{{1, 1, new_year},  {5, 1, labour},    {5, 2, labour},
                              {10, 1, national}, {10, 2, national}, {10, 3, national}};
  }();
  return days;
}

Date next(Date date) {
  return Date{date.days + 1};
}

bool in_range(Date date) {
  return date.year() >= kFirstYear && date.year() <= kLastYear;
}

Refusal out_of_range(std::string field) {
  const std::string first = std::to_string(kFirstYear), last = std::to_string(kLastYear);
  return {Code::unprocessable,
          "calendar.year_out_of_range",
          {"校历只包括 " + first + " 年至 " + last + " 年", "the calendar covers the years " + first + " to " + last},
          {{std::move(field),
            "range",
            {"应在 " + first + " 年至 " + last + " 年之内", "must lie in the years " + first + " to " + last}}}};
}

Text reason_of(const Special& special, const Year* year) {
  const std::string zh = year == nullptr     ? "（暂按法律推算，尚无正式通知）"
                         : year->provisional ? "（暂定，尚无正式通知）"
                                             : "（" + year->notice + "）";
  const std::string en = year == nullptr     ? " (computed from the law, no notice yet)"
                         : year->provisional ? " (provisional, no notice yet)"
                                             : " (" + year->notice + ")";
  if (special.works) return {"调休上班" + zh, "make-up working day" + en};
  return {special.name.zh + "放假" + zh, special.name.en + ", day off" + en};
}

}  // namespace

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::workday:
      return "workday";
    case Kind::makeup:
      return "makeup";
    case Kind::weekend:
      return "weekend";
    case Kind::holiday:
      return "holiday";
    case Kind::window:
      return "window";
  }
  return "";
}

Calendar::Calendar(std::vector<Year> years, std::vector<Window> windows, int64_t version)
    : years_(std::move(years)), windows_(std::move(windows)), version_(version) {
  std::sort(years_.begin(), years_.end(), [](const Year& a, const Year& b) { return a.year < b.year; });
  for (int year = kFirstYear; year <= kLastYear; ++year) {
    if (imported(year) != nullptr) continue;
    for (const Fixed& fixed : fixed_by_law()) {
      const Date date = Date::from_civil(year, fixed.month, fixed.day);
      special_[date] = {{date, false, fixed.name}, kComputed};
    }
  }
  // Later years last: a notice may give days of the December before.
  for (size_t at = 0; at < years_.size(); ++at) {
    for (const Special& special : years_[at].days) special_[special.date] = {special, at};
  }
}

const Year* Calendar::imported(int year) const {
  const auto found = std::find_if(years_.begin(), years_.end(), [&](const Year& each) { return each.year == year; });
  return found == years_.end() ? nullptr : &*found;
}

bool Calendar::is_provisional(int year) const {
  const Year* entry = imported(year);
  return entry == nullptr || entry->provisional;
}

Result<Day> Calendar::is_working_day(Date date) const {
  if (!in_range(date)) return out_of_range("date");
  Day day{date, Kind::workday, is_provisional(date.year()), {"工作日", "working day"}};
  if (const auto known = special_.find(date); known != special_.end()) {
    const auto& [special, at] = known->second;
    day.kind = special.works ? Kind::makeup : Kind::holiday;
    day.reason = reason_of(special, at == kComputed ? nullptr : &years_[at]);
  } else if (date.weekday() > 5) {
    day.kind = Kind::weekend;
    day.reason = {"周末", "weekend"};
  }
  if (!day.works()) return day;
  for (const Window& window : windows_) {
    if (date < window.begins || window.ends < date) continue;
    day.kind = Kind::window;
    day.reason = {"校历停办：" + window.reason.zh, "stopped by the school's calendar: " + window.reason.en};
  }
  return day;
}

Result<Deadline> Calendar::working_days_after(Instant start, int n) const {
  if (n < 1 || n > kDaysMax) {
    const std::string most = std::to_string(kDaysMax);
    return Refusal{Code::unprocessable,
                   "calendar.days_out_of_range",
                   {"工作日数应为 1 至 " + most, "the number of working days must be 1 to " + most},
                   {{"days", "range", {"应为 1 至 " + most, "must be 1 to " + most}}}};
  }
  Deadline deadline;
  deadline.version = version_;
  deadline.last = start.date();
  if (!in_range(deadline.last)) return out_of_range("start");
  for (int left = n; left > 0;) {
    deadline.last = next(deadline.last);
    JW_TRY(const Day day, is_working_day(deadline.last));
    deadline.provisional = deadline.provisional || day.provisional;
    if (day.works()) --left;
  }
  deadline.at = Instant::at_start_of(next(deadline.last));
  return deadline;
}

Result<int> Calendar::working_days_between(Date from, Date to) const {
  if (!in_range(from)) return out_of_range("from");
  if (!in_range(to)) return out_of_range("to");
  int count = 0;
  const Date begin = std::min(from, to), end = std::max(from, to);
  for (Date date = next(begin); date <= end; date = next(date)) {
    JW_TRY(const Day day, is_working_day(date));
    if (day.works()) ++count;
  }
  return from <= to ? count : -count;
}

Result<std::vector<Recomputed>> recompute(const Calendar& calendar, std::span<const Open> rows, Instant now) {
  std::vector<Recomputed> out;
  out.reserve(rows.size());
  for (const Open& row : rows) {
    Recomputed each{row.id, row.at, {}, false};
    if (row.at <= now) {
      each.deadline = {row.at, Instant{row.at.us - 1}.date(), false, calendar.version()};
    } else {
      JW_TRY(each.deadline, calendar.working_days_after(row.from, row.days));
      if (each.deadline.at <= now) {
        JW_TRY(each.deadline, calendar.working_days_after(now, 1));
      }
    }
    each.moved = each.deadline.at != each.before;
    out.push_back(std::move(each));
  }
  return out;
}

}  // namespace jw::calendar
