// What time does to cases: deadlines that move with the calendar, reminders, escalation, and the clock's own steps.
// Nothing is approved by it unless a kind's table says so, and no table does (tests/engine/cases_test.cpp).
#include <boost/json.hpp>

#include <algorithm>

#include "base/json.hpp"
#include "kernel/case/api.hpp"
#include "kernel/case/file.hpp"

namespace jw::cases {

namespace {

struct Waiting {
  int64_t id;
  std::string number;
};

std::vector<Waiting> waiting(db::Connection& connection, std::string_view sql,
                             std::initializer_list<db::Param> values) {
  std::vector<Waiting> all;
  db::Rows rows = connection.query(sql, values);
  while (rows.next()) all.push_back({rows.integer(0), std::string(rows.text(1))});
  return all;
}

}  // namespace

int Engine::tend(Instant now) {
  return end_deputies(now) + recompute(now) + pass(now);
}

// Open deadlines by the calendar in force, with one leaf that names each that moved (§2.4.2).
int Engine::recompute(Instant now) {
  std::shared_ptr<const calendar::Calendar> calendar;
  {
    const db::Store::Lease reader = services_.store.reader();
    calendar = services_.calendar.current(*reader);
    if (!reader
             ->query("SELECT 1 FROM \"case\" WHERE closed IS NULL AND due IS NOT NULL AND due_version <> $1 LIMIT 1",
                     {calendar->version()})
             .next())
      return 0;
  }
  const db::Store::Lease writer = services_.store.writer();
  db::Transaction transaction(*writer, db::Transaction::Mode::write);
  // Two nodes: the second waits here and then finds nothing to do.
  writer->execute(
      "UPDATE \"case\" SET revision = revision WHERE closed IS NULL AND due IS NOT NULL AND due_version <> $1",
      {calendar->version()});
  std::vector<calendar::Open> open;
  std::vector<std::string> numbers;
  {
    db::Rows rows = writer->query(
        "SELECT id, due_from_us, due_days, due, number FROM \"case\" WHERE closed IS NULL AND due IS NOT NULL AND "
        "due_version <> $1 ORDER BY id",
        {calendar->version()});
    while (rows.next()) {
      open.push_back({rows.integer(0), {rows.integer(1)}, static_cast<int>(rows.integer(2)), {rows.integer(3)}});
      numbers.emplace_back(rows.text(4));
    }
  }
  if (open.empty()) return 0;
  const std::vector<calendar::Recomputed> moved = calendar::recompute(*calendar, open, now).value();
  record::Entry entry = record::entry_of({}, "act", "deadlines", now);
  entry.dataset = "case";
  entry.basis = "§2.4.2";
  JsonWriter out(entry.parameters);
  out.object().field("calendar", calendar->version()).key("moved").array();
  int count = 0;
  for (size_t i = 0; i < moved.size(); ++i) {
    const calendar::Recomputed& each = moved[i];
    const bool passed = each.before <= now;  // what is late stays late
    writer->execute("UPDATE \"case\" SET due = $2, due_provisional = $3, due_version = $4 WHERE id = $1",
                    {each.id, each.moved ? each.deadline.at.us : each.before.us,
                     !passed && each.deadline.provisional ? 1 : 0, calendar->version()});
    if (!each.moved) continue;
    ++count;
    out.object().field("case", numbers[i]).field("from", each.before.print());
    out.field("to", each.deadline.at.print()).end_object();
  }
  out.end_array().end_object();
  const int64_t outbox = count > 0 ? services_.recorder.put_in_outbox(*writer, entry) : 0;
  transaction.commit();
  if (outbox != 0) services_.recorder.deliver(outbox);
  return count;
}

int Engine::pass(Instant now) {
  std::vector<Waiting> due, soon;
  {
    const db::Store::Lease reader = services_.store.reader();
    due = waiting(*reader,
                  "SELECT id, number FROM \"case\" WHERE closed IS NULL AND due <= $1 AND lateness <> 'late' ORDER BY "
                  "due LIMIT 500",
                  {now.us});
    soon = waiting(*reader,
                   "SELECT id, number FROM \"case\" WHERE closed IS NULL AND due > $1 AND lateness = 'in_time' ORDER "
                   "BY due LIMIT 500",
                   {now.us});
  }
  int count = 0;
  for (const Waiting& each : due) count += overdue(each.number, now) ? 1 : 0;
  for (const Waiting& each : soon) count += remind(each.number, now) ? 1 : 0;
  return count;
}

bool Engine::overdue(const std::string& number, Instant now) {
  const Actor clock = clock_actor();
  int64_t outbox = 0;
  {
    const db::Store::Lease writer = services_.store.writer();
    db::Transaction transaction(*writer, db::Transaction::Mode::write);
    std::optional<Case> file = read_case(*writer, services_.kinds, number, true);
    if (!file || file->closed || !file->due || now < *file->due || file->lateness == "late") return false;
    const State& state = *file->kind->state(file->state);
    if (!state.at_due.empty()) {
      const Result<Taken> taken = act_within(*writer, clock, number, state.at_due, {}, false);
      if (!taken) return false;
      outbox = taken->outbox;
    } else {
      const boost::json::object none;
      Moment moment{services_, *writer, *file, clock, none, now};
      file->lateness = "late";
      outbox = note(moment, "late", state.escalates_to, {"已超过办理期限", "is past its time limit"});
    }
    transaction.commit();
  }
  services_.recorder.deliver(outbox);
  return true;
}

bool Engine::remind(const std::string& number, Instant now) {
  {
    // Nearly always it is too early: nobody's writing waits for finding that out.
    const db::Store::Lease reader = services_.store.reader();
    const std::optional<Case> file = services_.find(*reader, number);
    if (!file || !file->due || file->due_days < 2) return false;
    const int64_t days = std::max<int64_t>(1, file->due_days * services_.setting("decision_remind_percent") / 100);
    const auto calendar = services_.calendar.current(*reader);
    const auto warned = calendar->working_days_after(file->due_from, static_cast<int>(days));
    if (!warned || now < warned->at || warned->at >= *file->due) return false;
  }
  int64_t outbox = 0;
  {
    const db::Store::Lease writer = services_.store.writer();
    db::Transaction transaction(*writer, db::Transaction::Mode::write);
    std::optional<Case> file = read_case(*writer, services_.kinds, number, true);
    if (!file || file->closed || file->lateness != "in_time" || !file->due || now >= *file->due) return false;
    const Actor clock = clock_actor();
    const boost::json::object none;
    Moment moment{services_, *writer, *file, clock, none, now};
    file->lateness = "due_soon";
    const std::string last = Instant{file->due->us - 1}.date().print();
    outbox =
        note(moment, "remind", std::nullopt, {"须在 " + last + " 前（含当日）办结", "is due by the end of " + last});
    transaction.commit();
  }
  services_.recorder.deliver(outbox);
  return true;
}

// A line in the timeline by the clock: the state stays, and the revision too, so that nobody's open page is outdated.
int64_t Engine::note(Moment& moment, std::string_view action, const std::optional<Who>& besides, const Text& text) {
  Case& file = moment.file;
  Step step;
  step.n = file.steps.empty() ? 1 : file.steps.back().n + 1;
  step.action = action;
  step.from = step.to = file.state;
  step.name = moment.actor.name;
  step.at = moment.now;
  step.content = "{}";
  record::Entry entry =
      record::entry_of({}, "act", std::string(file.kind->name) + "." + std::string(action), moment.now);
  entry.beneficiary = file.person;
  entry.dataset = "case";
  entry.basis = "§" + std::string(file.kind->clause);
  JsonWriter(entry.parameters).object().field("case", file.number).field("state", file.state).end_object();
  step.outbox = services_.recorder.put_in_outbox(moment.connection, entry);
  update_case(moment.connection, file);
  insert_step(moment.connection, file, step);
  std::vector<int64_t> told;
  for (const int64_t account : who_may_act(file, besides, moment.now)) {
    if (std::find(told.begin(), told.end(), account) != told.end()) continue;
    told.push_back(account);
    put_notice(moment.connection,
               {account,
                file.number,
                {file.kind->label.zh + " " + file.number + " " + text.zh,
                 file.kind->label.en + " " + file.number + " " + text.en}},
               moment.now);
  }
  return step.outbox;
}

}  // namespace jw::cases
