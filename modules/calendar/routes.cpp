// The calendar of working days (§2.4.2): read by anybody signed in, changed by its keeper.
#include <boost/json.hpp>

#include <charconv>

#include "base/json.hpp"
#include "kernel/calendar/edit.hpp"
#include "modules/calendar/calendar.hpp"

namespace jw::calendar {

namespace json = boost::json;
using edge::Call;

namespace {

// ---- reading

Result<int> year_asked(const Call& call, Date today) {
  const std::string text = call.request().parameter("year").value_or(std::to_string(today.year()));
  int year = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), year);
  if (error == std::errc{} && end == text.data() + text.size() && year >= kFirstYear && year <= kLastYear) return year;
  const std::string first = std::to_string(kFirstYear), last = std::to_string(kLastYear);
  return Refusal{
      Code::unprocessable,
      "calendar.year_out_of_range",
      {"校历只包括 " + first + " 年至 " + last + " 年", "the calendar covers the years " + first + " to " + last},
      {{"year",
        "range",
        {"应为 " + first + " 至 " + last + " 的年份", "must be a year from " + first + " to " + last}}}};
}

// A reason is told where it says more than the kind does.
void write_days(JsonWriter& out, const Calendar& calendar, int year) {
  int working = 0;
  out.key("days").array();
  for (Date date = Date::from_civil(year, 1, 1); date.year() == year; date = Date{date.days + 1}) {
    const Day day = calendar.is_working_day(date).value();
    working += day.works() ? 1 : 0;
    out.object().field("date", date.print()).field("kind", name_of(day.kind)).field("works", day.works());
    if (day.kind != Kind::workday && day.kind != Kind::weekend) out.field("reason", day.reason);
    out.end_object();
  }
  out.end_array().field("working_days", working);
}

void write_windows(JsonWriter& out, const Calendar& calendar, int year, Date today) {
  out.key("windows").array();
  for (const Window& window : calendar.windows()) {
    if (window.begins.year() > year || window.ends.year() < year) continue;
    out.object().field("id", window.id).field("begins", window.begins.print()).field("ends", window.ends.print());
    out.field("reason", window.reason).field("over", window.ends <= today).end_object();
  }
  out.end_array();
}

Result<std::string> read_year(const Call& call) {
  edge::House& house = call.house();
  const Date today = house.clock.now().date();
  JW_TRY(const int year, year_asked(call, today));
  std::string body;
  const db::Store::Lease lease = house.store.reader();
  const auto calendar = house.calendar.current(*lease);
  const Year* imported = calendar->imported(year);
  JsonWriter out(body);
  out.object().field("version", calendar->version()).field("year", year).field("today", today.print());
  out.field("first_year", kFirstYear).field("last_year", kLastYear);
  out.field("provisional", calendar->is_provisional(year)).field("imported", imported != nullptr);
  out.field("notice", imported == nullptr ? "" : imported->notice);
  out.field("issued", imported == nullptr ? "" : imported->issued);
  out.field("source", imported == nullptr ? "" : imported->source);
  write_days(out, *calendar, year);
  write_windows(out, *calendar, year, today);
  out.field("may_change", edge::empowered(call, kKeep));
  out.end_object();
  return body;
}

// ---- changing

// One act of the keeper: `step` gives the outbox of its own leaf.
template <class Step>
void keep(const Call& call, std::string_view action, Step step) {
  edge::act(call, {action, "2.4.2", edge::Signing::lately()}, [call, step](edge::Doing& doing) -> Result<std::string> {
    JW_TRY(const Changed changed, step(doing, call.house().recorder));
    doing.outbox = changed.outbox;
    std::string text;
    JsonWriter out(text);
    out.object().key("changed").object().field("from", changed.from).field("to", changed.to).end_object().end_object();
    return text;
  });
}

Refusal file_refusal(const std::vector<catalog::FileProblem>& problems) {
  Refusal refusal{Code::unprocessable,
                  "calendar.file_invalid",
                  {"文件有误，未导入", "the file has mistakes; nothing was imported"},
                  {}};
  for (const catalog::FileProblem& each : problems) {
    const std::string line = std::to_string(each.line);
    refusal.fields.push_back(
        {"file", "line_" + line, {"第 " + line + " 行：" + each.text.zh, "line " + line + ": " + each.text.en}});
  }
  return refusal;
}

Result<std::vector<Year>> years_of(const json::object& body) {
  JW_TRY(const std::string file, edge::text_member(body, "file"));
  auto read = read_years(file, "file");
  if (const auto* problems = std::get_if<std::vector<catalog::FileProblem>>(&read)) return file_refusal(*problems);
  return std::get<std::vector<Year>>(std::move(read));
}

// What an import would do, without doing it.
Result<std::string> check_years(const Call& call) {
  JW_TRY(const json::object body, call.body());
  JW_TRY(const std::vector<Year> years, years_of(body));
  std::shared_ptr<const Calendar> calendar;
  {
    const db::Store::Lease lease = call.house().store.reader();
    calendar = call.house().calendar.current(*lease);
  }
  std::string text;
  JsonWriter out(text);
  out.object().field("version", calendar->version()).key("years").array();
  for (const Preview& each : preview(*calendar, years)) {
    out.object().field("year", each.year->year).field("provisional", each.year->provisional);
    out.field("notice", each.year->notice).field("known", each.known).field("working_days", each.working_days);
    out.key("differs").array();
    for (const Day& day : each.differs)
      out.object().field("date", day.date.print()).field("works", day.works()).field("reason", day.reason).end_object();
    out.end_array().end_object();
  }
  out.end_array().end_object();
  return text;
}

void import_file(const Call& call) {
  keep(call, "calendar_years", [](edge::Doing& doing, record::Recorder& recorder) -> Result<Changed> {
    JW_TRY(const std::vector<Year> years, years_of(doing.body));
    JW_TRY(const std::string reason, edge::text_member(doing.body, "reason"));
    return import_years(doing.transaction, recorder, years, doing.by, reason, doing.now);
  });
}

void add(const Call& call) {
  keep(call, "calendar_window", [](edge::Doing& doing, record::Recorder& recorder) -> Result<Changed> {
    JW_TRY(const Date begins, edge::date_member(doing.body, "begins"));
    JW_TRY(const Date ends, edge::date_member(doing.body, "ends"));
    const json::value* reason = doing.body.if_contains("reason");
    const json::object texts = reason != nullptr && reason->is_object() ? reason->get_object() : json::object{};
    JW_TRY(const std::string zh, edge::text_member(texts, "zh", "reason.zh"));
    JW_TRY(const std::string en, edge::text_member(texts, "en", "reason.en"));
    return add_window(doing.transaction, recorder, begins, ends, {zh, en}, doing.by, doing.now);
  });
}

void withdraw(const Call& call) {
  keep(call, "calendar_withdrawal",
       [id = edge::number_in(call.captured(0))](edge::Doing& doing, record::Recorder& recorder) -> Result<Changed> {
         JW_TRY(const std::string reason, edge::text_member(doing.body, "reason"));
         return withdraw_window(doing.transaction, recorder, id, doing.by, reason, doing.now);
       });
}

const edge::Route kRoutes[] = {
    {.verb = edge::Verb::get,
     .path = "/api/calendar",
     .needs = edge::Needs::session(),
     .run = edge::saying<read_year>,
     .summary = {"某年的工作日、放假与停办", "working days, days off and windows of a year"},
     .parameters = "CalendarQuestion",
     .response = "CalendarYear"},
    {.verb = edge::Verb::post,
     .path = "/api/calendar/check",
     .needs = edge::Needs::power(kKeep),
     .run = edge::saying<check_years>,
     .summary = {"试读校历文件，不导入", "read a file of years without importing it"},
     .request = "CalendarFile",
     .response = "CalendarChecked",
     .body_max = 2 * kFileMax},
    {.verb = edge::Verb::post,
     .path = "/api/calendar/years",
     .needs = edge::Needs::power(kKeep),
     .run = import_file,
     .summary = {"导入校历年份（签署）", "import years of the calendar, signed"},
     .request = "CalendarImport",
     .response = "CalendarChanged",
     .body_max = 2 * kFileMax},
    {.verb = edge::Verb::post,
     .path = "/api/calendar/windows",
     .needs = edge::Needs::power(kKeep),
     .run = add,
     .summary = {"登记停办时段（签署）", "add a window in which the clock stops, signed"},
     .request = "CalendarWindowGiven",
     .response = "CalendarChanged",
     .body_max = 16 * 1024},
    {.verb = edge::Verb::post,
     .path = "/api/calendar/windows/{id}/withdrawal",
     .needs = edge::Needs::power(kKeep),
     .run = withdraw,
     .summary = {"撤回停办时段（签署）", "withdraw a window, signed"},
     .request = "SignedReason",
     .response = "CalendarChanged",
     .body_max = 16 * 1024},
};

}  // namespace

std::span<const edge::Route> routes() {
  return kRoutes;
}

}  // namespace jw::calendar
