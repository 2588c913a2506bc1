// The calendar of a store: read for counting, changed by acts. What an act replaces stays as an older version.
#include <algorithm>
#include <utility>

#include "base/json.hpp"
#include "base/typed.hpp"
#include "kernel/calendar/edit.hpp"

namespace jw::calendar {

namespace {

// Versions are read in their order, so that the newest of each year is the one that stays.
std::vector<Year> read_newest_years(db::Connection& connection) {
  std::map<int, std::pair<int64_t, Year>> newest;
  db::Rows rows = connection.query(
      "SELECT year, version, provisional, notice, issued, source FROM calendar_year ORDER BY year, version");
  while (rows.next()) {
    const int year = static_cast<int>(rows.integer(0));
    newest[year] = {rows.integer(1), Year{year, rows.integer(2) == 1, std::string(rows.text(3)),
                                          std::string(rows.text(4)), std::string(rows.text(5))}};
  }
  db::Rows days = connection.query(
      "SELECT year, version, day, works, name_zh, name_en FROM calendar_day ORDER BY year, version, day");
  while (days.next()) {
    const auto found = newest.find(static_cast<int>(days.integer(0)));
    if (found == newest.end() || found->second.first != days.integer(1)) continue;
    found->second.second.days.push_back({Date::parse(days.text(2)).value(),
                                         days.integer(3) == 1,
                                         {std::string(days.text(4)), std::string(days.text(5))}});
  }
  std::vector<Year> years;
  for (auto& [year, each] : newest) years.push_back(std::move(each.second));
  return years;
}

struct StoredWindow {
  Window window;
  bool withdrawn = false;
};

// A window that was withdrawn before its first day is not among them.
std::vector<StoredWindow> read_windows(db::Connection& connection) {
  std::vector<StoredWindow> windows;
  db::Rows rows = connection.query(
      "SELECT version, begins, ends, reason_zh, reason_en, withdrawn, kept_until FROM calendar_window ORDER BY begins");
  while (rows.next()) {
    const bool withdrawn = !rows.is_null(5);
    if (withdrawn && rows.is_null(6)) continue;
    windows.push_back({{rows.integer(0),
                        Date::parse(rows.text(1)).value(),
                        Date::parse(withdrawn ? rows.text(6) : rows.text(2)).value(),
                        {std::string(rows.text(3)), std::string(rows.text(4))}},
                       withdrawn});
  }
  return windows;
}

Calendar load(db::Connection& connection, int64_t version) {
  std::vector<Window> windows;
  for (StoredWindow& each : read_windows(connection)) windows.push_back(std::move(each.window));
  return Calendar(read_newest_years(connection), std::move(windows), version);
}

Refusal window_invalid(std::string field, Text what) {
  return {Code::unprocessable,
          "calendar.window_invalid",
          {"停办时段有误", "the window is not right"},
          {{std::move(field), "invalid", std::move(what)}}};
}

// The row is locked until the transaction ends: acts upon the calendar happen one after the other.
int64_t next_version(db::Connection& transaction) {
  transaction.execute("UPDATE calendar_state SET version = version + 1 WHERE id = 1");
  return version(transaction);
}

void write_change(db::Connection& transaction, int64_t version, std::string_view kind, const Hand& hand,
                  std::string_view reason, Instant now) {
  transaction.execute(
      "INSERT INTO calendar_change (id, version, kind, account, person_id, name, reason, changed) VALUES ($1, $1, $2, "
      "$3, $4, $5, $6, $7)",
      {version, kind, hand.account, hand.person == 0 ? db::Param() : db::Param(hand.person), hand.name, reason,
       now.us});
}

void write_year(db::Connection& transaction, const Year& year, int64_t version) {
  transaction.execute(
      "INSERT INTO calendar_year (year, version, provisional, notice, issued, source) VALUES ($1, $2, $3, $4, $5, $6)",
      {year.year, version, year.provisional ? 1 : 0, year.notice, year.issued, year.source});
  for (const Special& special : year.days) {
    transaction.execute(
        "INSERT INTO calendar_day (year, version, day, works, name_zh, name_en) VALUES ($1, $2, $3, $4, $5, $6)",
        {year.year, version, special.date.print(), special.works ? 1 : 0, special.name.zh, special.name.en});
  }
}

// The leaf holds the whole of what was imported: the record alone shows by which calendar a deadline was counted.
void append_years(JsonWriter& out, const std::vector<const Year*>& years) {
  out.key("years").array();
  for (const Year* year : years) {
    out.object().field("year", year->year).field("provisional", year->provisional);
    out.field("notice", year->notice).field("source", year->source);
    for (const bool works : {false, true}) {
      out.key(works ? "work" : "off").array();
      for (const Special& special : year->days) {
        if (special.works == works) out.value(special.date.print());
      }
      out.end_array();
    }
    out.end_object();
  }
  out.end_array();
}

Changed put_years(db::Connection& transaction, record::Recorder& recorder, const std::vector<const Year*>& years,
                  const Hand& hand, std::string_view kind, std::string_view reason, int64_t version, Instant now) {
  write_change(transaction, version, kind, hand, reason, now);
  for (const Year* year : years) write_year(transaction, *year, version);
  record::Entry entry = record::act_of(hand, "calendar_" + std::string(kind), "2.4.2", now);
  JsonWriter out(entry.parameters);
  out.object().field("from", version - 1).field("to", version).field("reason", reason);
  append_years(out, years);
  out.end_object();
  return {version - 1, version, recorder.put_in_outbox(transaction, entry)};
}

Result<Done> check_window(const Calendar& calendar, Date begins, Date ends, Date today) {
  const std::string first = std::to_string(kFirstYear), last = std::to_string(kLastYear);
  for (const auto& [field, date] : {std::pair{"begins", begins}, {"ends", ends}}) {
    if (date.year() < kFirstYear || date.year() > kLastYear)
      return window_invalid(
          field, {"应在 " + first + " 年至 " + last + " 年之内", "must lie in the years " + first + " to " + last});
  }
  if (ends < begins) return window_invalid("ends", {"不得早于开始日期", "must not be before the first day"});
  if (begins < today)
    return window_invalid(
        "begins", {"不得早于今天：已过去的日子照常计算", "must not be before today: days gone by count as they did"});
  if (ends.days - begins.days + 1 > kWindowDaysMax) {
    const std::string most = std::to_string(kWindowDaysMax);
    return window_invalid("ends", {"一次停办最长 " + most + " 天", "a window has at most " + most + " days"});
  }
  for (const Window& other : calendar.windows()) {
    if (ends < other.begins || other.ends < begins) continue;
    return Refusal{Code::conflict,
                   "calendar.window_overlaps",
                   {"与 " + other.begins.print() + " 至 " + other.ends.print() + " 的停办时段重叠",
                    "overlaps the window " + other.begins.print() + " to " + other.ends.print()},
                   {{"begins", "overlaps", {"须与已有的停办时段错开", "must be apart from the windows there are"}}}};
  }
  return Done{};
}

}  // namespace

int64_t version(db::Connection& connection) {
  db::Rows rows = connection.query("SELECT version FROM calendar_state WHERE id = 1");
  if (!rows.next()) throw db::Error(db::Failure::corrupt, "calendar_state is empty");
  return rows.integer(0);
}

db::Reach readers_reach() {
  db::Reach reach;
  reach.columns = {
      {"calendar_state", {"id", "version"}},
      {"calendar_year", {"year", "version", "provisional", "notice", "issued", "source"}},
      {"calendar_day", {"year", "version", "day", "works", "name_zh", "name_en"}},
      {"calendar_window", {"version", "begins", "ends", "reason_zh", "reason_en", "withdrawn", "kept_until"}},
  };
  return reach;
}

std::shared_ptr<const Calendar> Book::current(db::Connection& connection) {
  // The version before the days: days newer than their version only cause one more reading.
  const int64_t now = version(connection);
  const std::lock_guard lock(mutex_);
  if (!current_ || current_->version() != now) current_ = std::make_shared<const Calendar>(load(connection, now));
  return current_;
}

std::vector<Preview> preview(const Calendar& before, const std::vector<Year>& years) {
  std::vector<Year> replaced = years;
  for (const Year& year : before.years()) {
    if (std::none_of(years.begin(), years.end(), [&](const Year& each) { return each.year == year.year; }))
      replaced.push_back(year);
  }
  const Calendar then(std::move(replaced), {}, 0), now(before.years(), {}, 0);
  std::vector<Preview> out;
  for (const Year& year : years) {
    Preview preview{&year, now.imported(year.year) != nullptr, 0, {}};
    const Date end = Date::from_civil(year.year, 12, 31);
    for (Date date = Date::from_civil(year.year - 1, 12, 1); date <= end; date = Date{date.days + 1}) {
      const Result<Day> day = then.is_working_day(date), old = now.is_working_day(date);
      if (!day || !old) continue;  // December before the first year
      if (day->works() && date.year() == year.year) ++preview.working_days;
      if (day->works() != old->works()) preview.differs.push_back(*day);
    }
    out.push_back(std::move(preview));
  }
  return out;
}

Result<Changed> import_years(db::Connection& transaction, record::Recorder& recorder, const std::vector<Year>& years,
                             const Hand& hand, std::string_view reason, Instant now) {
  JW_TRY(const std::string why, typed_reason(reason));
  const int64_t to = next_version(transaction);
  const Calendar before = load(transaction, to - 1);
  std::vector<const Year*> fresh;
  for (const Year& year : years) {
    const Year* old = before.imported(year.year);
    if (old != nullptr && *old == year) continue;
    if (old != nullptr && year.provisional && !old->provisional) {
      const std::string name = std::to_string(year.year);
      return Refusal{
          Code::conflict,
          "calendar.less_official",
          {name + " 年已有正式通知（" + old->notice + "），不能改回暂定",
           name + " has its notice (" + old->notice + ") and cannot become provisional again"},
          {{"file", "less_official", {"去掉这一年，或写上文号", "leave this year out, or give its notice"}}}};
    }
    fresh.push_back(&year);
  }
  if (fresh.empty()) {
    return Refusal{Code::conflict,
                   "calendar.same",
                   {"校历中已是这些内容，没有变化", "the calendar has just this already; nothing would change"}};
  }
  return put_years(transaction, recorder, fresh, hand, "years", why, to, now);
}

Result<Changed> add_window(db::Connection& transaction, record::Recorder& recorder, Date begins, Date ends,
                           const Text& reason, const Hand& hand, Instant now) {
  JW_TRY(const std::string zh, typed_reason(reason.zh, "reason.zh"));
  JW_TRY(const std::string en, typed_reason(reason.en, "reason.en"));
  const int64_t to = next_version(transaction);
  JW_CHECK(check_window(load(transaction, to - 1), begins, ends, now.date()));
  write_change(transaction, to, "window", hand, zh, now);
  transaction.execute(
      "INSERT INTO calendar_window (version, begins, ends, reason_zh, reason_en) VALUES ($1, $2, $3, $4, $5)",
      {to, begins.print(), ends.print(), zh, en});
  record::Entry entry = record::act_of(hand, "calendar_window", "2.4.2", now);
  JsonWriter(entry.parameters)
      .object()
      .field("from", to - 1)
      .field("to", to)
      .field("begins", begins.print())
      .field("ends", ends.print())
      .field("reason", Text{zh, en})
      .end_object();
  return Changed{to - 1, to, recorder.put_in_outbox(transaction, entry)};
}

Result<Changed> withdraw_window(db::Connection& transaction, record::Recorder& recorder, int64_t id, const Hand& hand,
                                std::string_view reason, Instant now) {
  JW_TRY(const std::string why, typed_reason(reason));
  const int64_t to = next_version(transaction);
  const std::vector<StoredWindow> windows = read_windows(transaction);
  const auto found =
      std::find_if(windows.begin(), windows.end(), [&](const StoredWindow& each) { return each.window.id == id; });
  if (found == windows.end() || found->withdrawn)
    return Refusal{Code::not_found, "calendar.window_unknown", {"没有这个停办时段", "there is no such window"}};
  const Date today = now.date();
  if (found->window.ends <= today) {
    return Refusal{
        Code::conflict,
        "calendar.window_over",
        {"停办已到最后一天或已结束，不能撤回", "the window is in its last day or over and cannot be withdrawn"}};
  }
  const bool begun = found->window.begins <= today;
  write_change(transaction, to, "withdrawal", hand, why, now);
  const std::string kept = today.print();
  transaction.execute("UPDATE calendar_window SET withdrawn = $2, kept_until = $3 WHERE version = $1",
                      {id, to, begun ? db::Param(kept) : db::Param(nullptr)});
  record::Entry entry = record::act_of(hand, "calendar_withdrawal", "2.4.2", now);
  JsonWriter out(entry.parameters);
  out.object().field("from", to - 1).field("to", to).field("window", id).field("reason", why);
  if (begun) out.field("kept_until", kept);
  out.end_object();
  return Changed{to - 1, to, recorder.put_in_outbox(transaction, entry)};
}

int64_t start(db::Connection& transaction, record::Recorder& recorder, const std::vector<Year>& years, Instant now) {
  if (transaction.execute("UPDATE calendar_state SET version = 1 WHERE id = 1 AND version = 0") == 0) return 0;
  std::vector<const Year*> all;
  for (const Year& year : years) all.push_back(&year);
  return put_years(transaction, recorder, all, Hand{}, "start", "", 1, now).outbox;
}

}  // namespace jw::calendar
