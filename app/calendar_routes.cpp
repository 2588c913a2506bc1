// The calendar of working days (§2.4.2): read by anybody signed in, changed by 教务处.
#include <boost/json.hpp>

#include <algorithm>
#include <charconv>

#include "app/problem.hpp"
#include "app/serving.hpp"
#include "base/json.hpp"
#include "kernel/calendar/edit.hpp"

namespace jw::app {

namespace json = boost::json;

namespace {

using Session = std::shared_ptr<const identity::Session>;

constexpr std::string_view kKeeper = "academic_office";  // whose act a change is
constexpr int kChangesShown = 50;

// The capacity in which somebody changes the calendar; nullopt: none.
std::optional<calendar::Hand> hand_of(Serving& serving, const identity::Session& session) {
  System& system = serving.system;
  const db::Store::Lease lease = system.store->reader();
  system.policy->refresh(*lease);  // no statement of the engine is asked here that would notice a change
  const policy::AuthorityPtr authority = system.policy->authority(*lease, asker_of(session), system.clock->now());
  const int keeper = authority->rules().regulation().post(kKeeper);
  for (const policy::HeldPost& held : authority->posts()) {
    if (held.post != keeper) continue;
    return calendar::Hand{session.account,      session.person,       session.id,
                          session.display_name, std::string(kKeeper), held.units.empty() ? "" : held.units.front()};
  }
  return std::nullopt;
}

const Refusal kNotKeeper{Code::forbidden,
                         "calendar.keeper_only",
                         {"校历由教务处维护", "the calendar is kept by the academic affairs office"},
                         {},
                         Remedy{"2.4.2",
                                {"需要停办时段或发现校历有误，请告知教务处",
                                 "if a window is needed or the calendar is wrong, tell the academic affairs office"},
                                "",
                                ""}};

// A refused attempt is on record, too (§6.1.1).
void refuse_recorded(Serving& serving, const identity::Session& session, std::string_view action,
                     const std::string& request_id, const http::Respond& respond) {
  query::Outcome outcome;
  outcome.result = kNotKeeper;
  outcome.entry.time = serving.system.clock->now();
  outcome.entry.kind = "refusal";
  outcome.entry.account = session.account;
  outcome.entry.person = session.person;
  outcome.entry.session = session.id;
  outcome.entry.action = action;
  outcome.entry.decision = kNotKeeper.type;
  release(serving, session, std::move(outcome), request_id, respond);
}

// ---- reading

Result<int> year_asked(const http::Request& request, Date today) {
  const std::string text = request.parameter("year").value_or(std::to_string(today.year()));
  int year = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), year);
  if (error == std::errc{} && end == text.data() + text.size() && year >= calendar::kFirstYear &&
      year <= calendar::kLastYear)
    return year;
  const std::string first = std::to_string(calendar::kFirstYear), last = std::to_string(calendar::kLastYear);
  return Refusal{
      Code::unprocessable,
      "calendar.year_out_of_range",
      {"校历只包括 " + first + " 年至 " + last + " 年", "the calendar covers the years " + first + " to " + last},
      {{"year",
        "range",
        {"应为 " + first + " 至 " + last + " 的年份", "must be a year from " + first + " to " + last}}}};
}

// A reason is told where it says more than the kind does.
void write_days(JsonWriter& out, const calendar::Calendar& calendar, int year) {
  int working = 0;
  out.key("days").array();
  for (Date date = Date::from_civil(year, 1, 1); date.year() == year; date = Date{date.days + 1}) {
    const calendar::Day day = calendar.is_working_day(date).value();
    working += day.works() ? 1 : 0;
    out.object().field("date", date.print()).field("kind", calendar::name_of(day.kind)).field("works", day.works());
    if (day.kind != calendar::Kind::workday && day.kind != calendar::Kind::weekend) out.field("reason", day.reason);
    out.end_object();
  }
  out.end_array().field("working_days", working);
}

void write_windows(JsonWriter& out, const calendar::Calendar& calendar, int year, Date today) {
  out.key("windows").array();
  for (const calendar::Window& window : calendar.windows()) {
    if (window.begins.year() > year || window.ends.year() < year) continue;
    out.object().field("id", window.id).field("begins", window.begins.print()).field("ends", window.ends.print());
    out.field("reason", window.reason).field("over", window.ends <= today).end_object();
  }
  out.end_array();
}

void write_changes(JsonWriter& out, db::Connection& connection) {
  out.key("changes").array();
  for (const calendar::Change& change : calendar::changes(connection, kChangesShown)) {
    out.object().field("version", change.version).field("kind", change.kind).field("name", change.name);
    out.field("reason", change.reason).field("at", change.changed.print()).end_object();
  }
  out.end_array();
}

void read_year(Serving& serving, const http::Request& request, const identity::Session& session,
               const http::Respond& respond) {
  System& system = serving.system;
  const Date today = system.clock->now().date();
  const Result<int> year = year_asked(request, today);
  if (!year) return respond(problem(year.refusal(), request.id));
  const bool keeper = hand_of(serving, session).has_value();
  std::string body;
  {
    const db::Store::Lease lease = system.store->reader();
    const auto calendar = system.calendar.current(*lease);
    const calendar::Year* imported = calendar->imported(*year);
    JsonWriter out(body);
    out.object().field("version", calendar->version()).field("year", *year).field("today", today.print());
    out.field("first_year", calendar::kFirstYear).field("last_year", calendar::kLastYear);
    out.field("provisional", calendar->is_provisional(*year)).field("imported", imported != nullptr);
    out.field("notice", imported == nullptr ? "" : imported->notice);
    out.field("issued", imported == nullptr ? "" : imported->issued);
    out.field("source", imported == nullptr ? "" : imported->source);
    write_days(out, *calendar, *year);
    write_windows(out, *calendar, *year, today);
    out.field("may_change", keeper);
    if (keeper) write_changes(out, *lease);
    out.end_object();
  }
  respond(json_response(std::move(body)));
}

// ---- changing

// One act of the keeper: `act` runs in the writing transaction; refusals leave nothing behind.
template <class Act>
void change(Serving& serving, const http::Request& request, const identity::Session& session, std::string_view action,
            const http::Respond& respond, Act act) {
  System& system = serving.system;
  const auto hand = hand_of(serving, session);
  if (!hand) return refuse_recorded(serving, session, action, request.id, respond);
  const Result<json::object> body = object_body(request);
  if (!body) return respond(problem(body.refusal(), request.id));
  calendar::Changed changed;
  {
    const db::Store::Lease lease = system.store->writer();
    db::Transaction transaction(*lease, db::Transaction::Mode::write);
    const Result<calendar::Changed> done = act(*lease, *body, *hand, system.clock->now());
    if (!done) return respond(problem(done.refusal(), request.id));
    transaction.commit();
    changed = *done;
  }
  const auto leaf = system.recorder->deliver(changed.outbox);
  if (!leaf) {
    return respond(problem({Code::unavailable,
                            "record.not_durable",
                            {"校历已更改，但记录暂时无法保存，稍后会补上",
                             "the calendar is changed, but its record cannot be kept now; it follows later"}},
                           request.id));
  }
  std::string text;
  JsonWriter out(text);
  out.object().key("changed").object().field("from", changed.from).field("to", changed.to).end_object();
  out.field("record", leaf->id()).end_object();
  respond(json_response(std::move(text)));
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

Result<std::vector<calendar::Year>> years_of(const json::object& body) {
  JW_TRY(const std::string file, text_member(body, "file"));
  auto read = calendar::read_years(file, "file");
  if (const auto* problems = std::get_if<std::vector<catalog::FileProblem>>(&read)) return file_refusal(*problems);
  return std::get<std::vector<calendar::Year>>(std::move(read));
}

// What an import would do, without doing it.
void check_years(Serving& serving, const http::Request& request, const identity::Session& session,
                 const http::Respond& respond) {
  if (!hand_of(serving, session)) return refuse_recorded(serving, session, "calendar_years", request.id, respond);
  const Result<json::object> body = object_body(request);
  if (!body) return respond(problem(body.refusal(), request.id));
  const Result<std::vector<calendar::Year>> years = years_of(*body);
  if (!years) return respond(problem(years.refusal(), request.id));
  std::shared_ptr<const calendar::Calendar> calendar;
  {
    const db::Store::Lease lease = serving.system.store->reader();
    calendar = serving.system.calendar.current(*lease);
  }
  std::string text;
  JsonWriter out(text);
  out.object().field("version", calendar->version()).key("years").array();
  for (const calendar::Preview& each : calendar::preview(*calendar, *years)) {
    out.object().field("year", each.year->year).field("provisional", each.year->provisional);
    out.field("notice", each.year->notice).field("known", each.known).field("working_days", each.working_days);
    out.key("differs").array();
    for (const calendar::Day& day : each.differs)
      out.object().field("date", day.date.print()).field("works", day.works()).field("reason", day.reason).end_object();
    out.end_array().end_object();
  }
  out.end_array().end_object();
  respond(json_response(std::move(text)));
}

void import_years(Serving& serving, const http::Request& request, const identity::Session& session,
                  const http::Respond& respond) {
  change(serving, request, session, "calendar_years", respond,
         [&](db::Connection& transaction, const json::object& body, const calendar::Hand& hand,
             Instant now) -> Result<calendar::Changed> {
           JW_TRY(const std::vector<calendar::Year> years, years_of(body));
           JW_TRY(const std::string reason, text_member(body, "reason"));
           return calendar::import_years(transaction, *serving.system.recorder, years, hand, reason, now);
         });
}

void add_window(Serving& serving, const http::Request& request, const identity::Session& session,
                const http::Respond& respond) {
  change(serving, request, session, "calendar_window", respond,
         [&](db::Connection& transaction, const json::object& body, const calendar::Hand& hand,
             Instant now) -> Result<calendar::Changed> {
           JW_TRY(const Date begins, date_member(body, "begins"));
           JW_TRY(const Date ends, date_member(body, "ends"));
           const json::value* reason = body.if_contains("reason");
           const json::object texts = reason != nullptr && reason->is_object() ? reason->get_object() : json::object{};
           JW_TRY(const std::string zh, text_member(texts, "zh", "reason.zh"));
           JW_TRY(const std::string en, text_member(texts, "en", "reason.en"));
           return calendar::add_window(transaction, *serving.system.recorder, begins, ends, {zh, en}, hand, now);
         });
}

void withdraw_window(Serving& serving, const http::Request& request, const identity::Session& session,
                     const http::Respond& respond) {
  int64_t id = 0;
  const std::string& number = request.captures.at(0);
  std::from_chars(number.data(), number.data() + number.size(), id);  // anything else is no window
  change(serving, request, session, "calendar_withdrawal", respond,
         [&](db::Connection& transaction, const json::object& body, const calendar::Hand& hand,
             Instant now) -> Result<calendar::Changed> {
           JW_TRY(const std::string reason, text_member(body, "reason"));
           return calendar::withdraw_window(transaction, *serving.system.recorder, id, hand, reason, now);
         });
}

constexpr std::string_view kYearSchema =
    R"({"type":"object","required":["version","year","provisional","days","windows"],"properties":{"version":{"type":"integer"},"year":{"type":"integer"},"today":{"type":"string","format":"date"},"first_year":{"type":"integer"},"last_year":{"type":"integer"},"provisional":{"type":"boolean"},"imported":{"type":"boolean"},"notice":{"type":"string"},"issued":{"type":"string"},"source":{"type":"string"},"working_days":{"type":"integer"},"days":{"type":"array","items":{"type":"object","required":["date","kind","works"],"properties":{"date":{"type":"string","format":"date"},"kind":{"enum":["workday","makeup","weekend","holiday","window"]},"works":{"type":"boolean"},"reason":{"$ref":"#/components/schemas/Text"}}}},"windows":{"type":"array","items":{"type":"object","required":["id","begins","ends","reason","over"]}},"may_change":{"type":"boolean"},"changes":{"type":"array","items":{"type":"object","required":["version","kind","name","reason","at"]}}}})";
constexpr std::string_view kFileSchema =
    R"({"type":"object","required":["file"],"properties":{"file":{"type":"string","description":"TOML, docs/howto/calendar.md"},"reason":{"type":"string"}}})";
constexpr std::string_view kWindowSchema =
    R"({"type":"object","required":["begins","ends","reason"],"properties":{"begins":{"type":"string","format":"date"},"ends":{"type":"string","format":"date"},"reason":{"$ref":"#/components/schemas/Text"}}})";
constexpr std::string_view kReasonSchema =
    R"({"type":"object","required":["reason"],"properties":{"reason":{"type":"string"}}})";
constexpr std::string_view kChangedSchema =
    R"({"type":"object","required":["changed","record"],"properties":{"changed":{"type":"object","required":["from","to"],"properties":{"from":{"type":"integer"},"to":{"type":"integer"}}},"record":{"type":"string"}}})";

}  // namespace

std::vector<http::Route> calendar_routes(Serving& serving) {
  using http::Verb;
  using Act = void (*)(Serving&, const http::Request&, const identity::Session&, const http::Respond&);
  const auto by = [&serving](Act act) {
    return signed_in(serving, [&serving, act](http::Request request, Session session, http::Respond respond) {
      act(serving, request, *session, respond);
    });
  };
  return {
      {.verb = Verb::get,
       .path = "/api/calendar",
       .needs = http::kSession,
       .handler = by(read_year),
       .summary = {"某年的工作日、放假与停办", "working days, days off and windows of a year"},
       .response_schema = kYearSchema},
      {.verb = Verb::post,
       .path = "/api/calendar/check",
       .needs = http::kSession,
       .handler = by(check_years),
       .summary = {"试读校历文件，不导入（教务处）",
                   "read a file of years without importing it (academic affairs office)"},
       .request_schema = kFileSchema,
       .response_schema = R"({"type":"object","required":["version","years"]})",
       .body_max = 2 * calendar::kFileMax},
      {.verb = Verb::post,
       .path = "/api/calendar/years",
       .needs = http::kSession,
       .handler = by(import_years),
       .summary = {"导入校历年份（教务处）", "import years of the calendar (academic affairs office)"},
       .request_schema = kFileSchema,
       .response_schema = kChangedSchema,
       .body_max = 2 * calendar::kFileMax},
      {.verb = Verb::post,
       .path = "/api/calendar/windows",
       .needs = http::kSession,
       .handler = by(add_window),
       .summary = {"登记停办时段（教务处）", "add a window in which the clock stops (academic affairs office)"},
       .request_schema = kWindowSchema,
       .response_schema = kChangedSchema,
       .body_max = 16 * 1024},
      {.verb = Verb::post,
       .path = "/api/calendar/windows/{id}/withdrawal",
       .needs = http::kSession,
       .handler = by(withdraw_window),
       .summary = {"撤回停办时段（教务处）", "withdraw a window (academic affairs office)"},
       .request_schema = kReasonSchema,
       .response_schema = kChangedSchema,
       .body_max = 16 * 1024},
  };
}

}  // namespace jw::app
