#include "kernel/case/file.hpp"

#include <boost/json.hpp>

#include <stdexcept>

namespace jw::cases {

namespace {

constexpr std::string_view kSelect =
    "SELECT c.id, c.number, c.kind, c.state, c.title, c.account, c.person_id, c.applicant, c.applicant_name, "
    "c.opened, c.arrived, c.due, c.due_provisional, c.lateness, c.closed, c.due_from_us, c.due_days, c.due_version, "
    "c.revision, c.content, u.id, u.code, u.name, s.id, s.code, s.name, o.id, o.code, o.name "
    "FROM \"case\" c LEFT JOIN \"unit\" u ON u.id = c.unit LEFT JOIN \"unit\" s ON s.id = c.sign_unit "
    "LEFT JOIN \"unit\" o ON o.id = c.owner_unit WHERE c.number = $1";

Unit unit_at(const db::Rows& rows, size_t column) {
  return {rows.integer(column), std::string(rows.text(column + 1)), std::string(rows.text(column + 2))};
}

std::optional<Instant> instant_at(const db::Rows& rows, size_t column) {
  if (rows.is_null(column)) return std::nullopt;
  return Instant{rows.integer(column)};
}

db::Param param_of(const std::optional<Instant>& at) {
  return at ? db::Param(at->us) : db::Param();
}

db::Param param_of(const Unit& unit) {
  return unit.id == 0 ? db::Param() : db::Param(unit.id);
}

const State& state_of(const Case& file) {
  const State* state = file.kind->state(file.state);
  if (state == nullptr) throw std::logic_error("case " + file.number + " is in no state of its kind: " + file.state);
  return *state;
}

}  // namespace

std::vector<Step> read_steps(db::Connection& connection, int64_t id) {
  std::vector<Step> steps;
  db::Rows rows = connection.query(
      "SELECT n, action, from_state, to_state, account, person, name, post, unit, for_person, for_name, at_us, "
      "opinion, content, signature, outbox FROM case_step WHERE case_id = $1 ORDER BY n",
      {id});
  while (rows.next()) {
    Step step;
    step.n = rows.integer(0);
    step.action = rows.text(1);
    step.from = rows.text(2);
    step.to = rows.text(3);
    step.account = rows.integer(4);
    step.person = rows.integer(5);
    step.name = rows.text(6);
    step.post = rows.text(7);
    step.unit = rows.text(8);
    step.for_person = rows.integer(9);
    step.for_name = rows.text(10);
    step.at = {rows.integer(11)};
    step.opinion = rows.text(12);
    step.content = rows.text(13);
    step.signature = rows.text(14);
    step.outbox = rows.integer(15);
    steps.push_back(std::move(step));
  }
  return steps;
}

std::optional<Case> read_case(db::Connection& connection, std::span<const Kind* const> kinds, std::string_view number,
                              bool lock) {
  // The row is locked by writing it: the same on both stores.
  if (lock && connection.execute("UPDATE \"case\" SET revision = revision WHERE number = $1", {number}) == 0)
    return std::nullopt;
  Case file;
  {
    db::Rows rows = connection.query(kSelect, {number});
    if (!rows.next()) return std::nullopt;
    file.id = rows.integer(0);
    file.number = rows.text(1);
    for (const Kind* kind : kinds) {
      if (kind->name == rows.text(2)) file.kind = kind;
    }
    if (file.kind == nullptr) throw std::runtime_error("case " + file.number + " is of an unknown kind");
    file.state = rows.text(3);
    file.title = rows.text(4);
    file.account = rows.integer(5);
    file.person = rows.integer(6);
    file.applicant = rows.text(7);
    file.applicant_name = rows.text(8);
    file.opened = {rows.integer(9)};
    file.arrived = {rows.integer(10)};
    file.due = instant_at(rows, 11);
    file.due_provisional = rows.integer(12) != 0;
    file.lateness = rows.text(13);
    file.closed = instant_at(rows, 14);
    file.due_from = {rows.integer(15)};
    file.due_days = rows.integer(16);
    file.due_version = rows.integer(17);
    file.revision = rows.integer(18);
    file.content = boost::json::parse(rows.text(19)).as_object();
    file.unit = unit_at(rows, 20);
    file.sign_unit = unit_at(rows, 23);
    file.owner_unit = unit_at(rows, 26);
  }
  file.steps = read_steps(connection, file.id);
  return file;
}

void insert_case(db::Connection& transaction, const Case& file) {
  transaction.execute(
      "INSERT INTO \"case\" (id, number, kind, state, title, person_id, account, applicant, applicant_name, unit, "
      "sign_unit, owner_unit, waits_for, opened, arrived, revision, content) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14, 0, '{}')",
      {file.id, file.number, file.kind->name, file.state, file.title,
       file.person == 0 ? db::Param() : db::Param(file.person), file.account, file.applicant, file.applicant_name,
       param_of(file.unit), param_of(file.sign_unit), param_of(file.owner_unit), state_of(file).waits_for.name,
       file.opened.us});
}

void update_case(db::Connection& transaction, const Case& file) {
  transaction.execute(
      "UPDATE \"case\" SET state = $2, title = $3, unit = $4, sign_unit = $5, owner_unit = $6, waits_for = $7, "
      "arrived = $8, due = $9, due_provisional = $10, lateness = $11, closed = $12, due_from_us = $13, due_days = $14, "
      "due_version = $15, revision = $16, content = $17 WHERE id = $1",
      {file.id, file.state, file.title, param_of(file.unit), param_of(file.sign_unit), param_of(file.owner_unit),
       state_of(file).waits_for.name, file.arrived.us, param_of(file.due), file.due_provisional ? 1 : 0, file.lateness,
       param_of(file.closed), file.due_from.us, file.due_days, file.due_version, file.revision,
       boost::json::serialize(file.content)});
}

void insert_step(db::Connection& transaction, const Case& file, const Step& step) {
  transaction.execute(
      "INSERT INTO case_step (id, case_id, n, action, from_state, to_state, account, person, name, post, unit, "
      "for_person, for_name, at_us, opinion, content, signature, outbox) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)",
      {next_id(transaction, "case_step"), file.id, step.n, step.action, step.from, step.to, step.account, step.person,
       step.name, step.post, step.unit, step.for_person, step.for_name, step.at.us, step.opinion, step.content,
       step.signature, step.outbox});
}

int64_t next_number(db::Connection& transaction, std::string_view series) {
  transaction.execute("INSERT INTO case_number (series, next) VALUES ($1, 1) ON CONFLICT (series) DO NOTHING",
                      {series});
  transaction.execute("UPDATE case_number SET next = next + 1 WHERE series = $1", {series});
  db::Rows rows = transaction.query("SELECT next - 1 FROM case_number WHERE series = $1", {series});
  rows.next();
  return rows.integer(0);
}

int64_t next_id(db::Connection& transaction, std::string_view table) {
  return next_number(transaction, "id/" + std::string(table));
}

Unit find_unit(db::Connection& connection, std::string_view code) {
  db::Rows rows = connection.query("SELECT id, code, name FROM \"unit\" WHERE code = $1", {code});
  return rows.next() ? unit_at(rows, 0) : Unit{};
}

Unit find_unit(db::Connection& connection, int64_t id) {
  db::Rows rows = connection.query("SELECT id, code, name FROM \"unit\" WHERE id = $1", {id});
  return rows.next() ? unit_at(rows, 0) : Unit{};
}

db::Reach readers_reach() {
  db::Reach reach;
  reach.columns = {{"case", {"account", "due_from_us", "due_days", "due_version", "revision", "content"}},
                   {"case_step",
                    {"case_id", "n", "action", "from_state", "to_state", "account", "person", "name", "post", "unit",
                     "for_person", "for_name", "at_us", "opinion", "content", "signature", "outbox"}},
                   {"case_letter", {"paper", "case_id", "step", "read_us"}},
                   {"case_attachment", {"id", "case_id", "name", "media", "sha256", "account", "added_us"}},
                   {"deputy", {"person_id", "principal_person"}},
                   {"account", {"id", "login", "person_id", "kind", "suspended_us", "closed_us"}}};
  return reach;
}

}  // namespace jw::cases
