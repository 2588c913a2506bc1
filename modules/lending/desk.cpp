// Steps, and what the security administrator and 教务处 do about findings (§2.5.3).
#include <algorithm>

#include "base/json.hpp"
#include "base/typed.hpp"
#include "modules/lending/implementation.hpp"

namespace jw::lending {

namespace {

constexpr std::string_view kInForce =
    "SELECT step, taken FROM lending_step WHERE account = $1 AND lifted IS NULL ORDER BY taken DESC, id DESC "
    "LIMIT 1";

Stored stored_of(const db::Rows& rows) {
  Stored stored{rows.integer(0),
                std::string(rows.text(1)),
                static_cast<int>(rows.integer(2)),
                {std::string(rows.text(3)), std::string(rows.text(4))},
                numbers_of(rows.text(5)),
                {}};
  for (const int64_t leaf : numbers_of(rows.text(6))) stored.leaves.push_back(static_cast<uint64_t>(leaf));
  return stored;
}

struct Target {
  Stored finding;
  int64_t account = 0;
  bool open = false;
};

// Somebody may have several accounts; those of one person are all the own.
Result<Target> target_of(db::Connection& transaction, const identity::Identity& identity, int64_t finding,
                         const Hand& hand) {
  lock_acts(transaction);
  auto rows = transaction.query(
      "SELECT id, rule, score, seen_zh, seen_en, sessions, leaves, account, state FROM lending_finding WHERE id = $1",
      {finding});
  if (!rows.next())
    return Refusal{Code::not_found, "lending.finding_unknown", {"没有这个发现", "there is no such finding"}};
  Target target{stored_of(rows), rows.integer(7), rows.text(8) == "open"};
  const auto holder = identity.account(transaction, target.account);
  if (target.account == hand.account || (holder && holder->person != 0 && holder->person == hand.person)) {
    return Refusal{Code::forbidden,
                   "lending.own_account",
                   {"不能处理针对本人账号的发现，请由他人处理",
                    "nobody deals with findings about the own account; somebody else has to"}};
  }
  return target;
}

Refusal closed() {
  return {Code::conflict, "lending.closed", {"这个发现已处理", "this finding is dealt with already"}};
}

void close_findings(db::Connection& transaction, int64_t account, int64_t only, std::string_view state,
                    const Hand& hand, std::string_view reason, Instant now) {
  transaction.execute(
      "UPDATE lending_finding SET state = $3, closed = $4, closed_by = $5, closed_name = $6, closed_reason = $7 "
      "WHERE account = $1 AND state = 'open' AND ($2 = 0 OR id = $2)",
      {account, only, state, now.us, hand.account, hand.name, reason});
}

void append_findings(JsonWriter& out, const std::vector<Stored>& findings) {
  out.key("findings").array();
  for (const Stored& each : findings) {
    out.object().field("id", each.id).field("rule", each.rule).field("score", each.score).field("seen", each.seen);
    out.key("sessions").raw(json_of(each.sessions)).key("leaves").raw(json_of(each.leaves)).end_object();
  }
  out.end_array();
}

}  // namespace

int64_t take_id(db::Connection& transaction) {
  transaction.execute("UPDATE lending_state SET next_id = next_id + 1 WHERE id = 1");
  auto rows = transaction.query("SELECT next_id FROM lending_state WHERE id = 1");
  if (!rows.next()) throw db::Error(db::Failure::corrupt, "lending_state is empty");
  return rows.integer(0) - 1;
}

void lock_acts(db::Connection& transaction) {
  transaction.execute("UPDATE lending_state SET next_id = next_id WHERE id = 1");
}

InForce in_force(db::Connection& connection, int64_t account) {
  auto rows = connection.query(kInForce, {account});
  if (!rows.next()) return {};
  return {step_named(rows.text(0)).value_or(Step::none), rows.integer(1)};
}

std::vector<Stored> Watch::Implementation::open_findings(db::Connection& connection, int64_t account) {
  std::vector<Stored> findings;
  auto rows = connection.query(
      "SELECT id, rule, score, seen_zh, seen_en, sessions, leaves FROM lending_finding WHERE account = $1 AND state = "
      "'open' ORDER BY score DESC, id",
      {account});
  while (rows.next()) findings.push_back(stored_of(rows));
  return findings;
}

int64_t Watch::Implementation::put_step(db::Connection& transaction, int64_t account, Step step, const Hand& hand,
                                        std::string_view reason, const std::vector<Stored>& findings, Instant now) {
  std::vector<int64_t> ids;
  for (const Stored& each : findings) ids.push_back(each.id);
  const auto holder = parts_.identity.account(transaction, account);
  if (!holder) throw std::logic_error("a finding without account");
  transaction.execute(
      "INSERT INTO lending_step (id, number, account, person_id, holder, holder_name, step, taken, taken_by, "
      "taken_name, reason, findings) VALUES ($1, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
      {take_id(transaction), account, person_of(*holder), holder->login, holder->display_name, step_name(step), now.us,
       hand.account, hand.name, reason, json_of(ids)});
  switch (step) {
    case Step::none:
      break;
    case Step::ask_second_factor:
      parts_.identity.hold(transaction, account);
      break;
    case Step::read_only:
      parts_.identity.hold(transaction, account);
      if (!parts_.identity.set_read_only(transaction, account, true))
        throw std::logic_error("a finding without account");
      break;
    case Step::suspended:
      if (!parts_.identity.suspend(transaction, account, "§2.5.3")) throw std::logic_error("a finding without account");
      if (on_suspended_) on_suspended_(transaction, account, findings);
      break;
  }
  record::Entry entry = record::act_of(hand, "lending_step", "2.5.3", now);
  JsonWriter out(entry.parameters);
  out.object().field("account", account).field("step", step_name(step)).field("reason", reason);
  append_findings(out, findings);
  out.end_object();
  return parts_.recorder.put_in_outbox(transaction, entry);
}

void Watch::answered(const Hand& holder) {
  Implementation& it = *implementation_;
  const Instant now = it.parts_.clock.now();
  const db::Store::Lease lease = it.parts_.store.writer();
  db::Transaction transaction(*lease, db::Transaction::Mode::write);
  lease->execute("UPDATE lending_finding SET answered = $2 WHERE account = $1 AND state = 'open'",
                 {holder.account, now.us});
  lease->execute(
      "UPDATE lending_step SET lifted = $2, lifted_by = $1, lifted_name = $3, lifted_reason = '' WHERE account = $1 "
      "AND step = 'ask_second_factor' AND lifted IS NULL",
      {holder.account, now.us, holder.name});
  transaction.commit();
}

std::optional<Story> Watch::story(db::Connection& connection, int64_t account) const {
  Story story;
  std::vector<int64_t> findings;
  {
    auto rows = connection.query(
        "SELECT step, taken, reason, findings FROM lending_step WHERE account = $1 AND lifted IS NULL ORDER BY "
        "taken DESC, id DESC LIMIT 1",
        {account});
    if (!rows.next()) return std::nullopt;
    story.step = step_named(rows.text(0)).value_or(Step::none);
    story.since = {rows.integer(1)};
    story.reason = rows.text(2);
    findings = numbers_of(rows.text(3));
  }
  for (const int64_t finding : findings) {
    auto rows = connection.query("SELECT seen_zh, seen_en FROM lending_finding WHERE id = $1", {finding});
    if (rows.next()) story.seen.push_back({std::string(rows.text(0)), std::string(rows.text(1))});
  }
  return story;
}

Result<int64_t> Watch::dismiss(db::Connection& transaction, int64_t finding, const Hand& hand,
                               std::string_view reason) {
  Implementation& it = *implementation_;
  JW_TRY(const std::string why, typed_reason(reason));
  const Instant now = it.parts_.clock.now();
  JW_TRY(const Target target, target_of(transaction, it.parts_.identity, finding, hand));
  if (!target.open) return closed();
  close_findings(transaction, target.account, finding, "dismissed", hand, why, now);
  record::Entry entry = record::act_of(hand, "lending_dismiss", "2.5.3", now);
  JsonWriter out(entry.parameters);
  out.object().field("account", target.account).field("reason", why);
  append_findings(out, {target.finding});
  out.end_object();
  return it.parts_.recorder.put_in_outbox(transaction, entry);
}

Result<int64_t> Watch::take_step(db::Connection& transaction, int64_t finding, Step step, const Hand& hand,
                                 std::string_view reason) {
  Implementation& it = *implementation_;
  JW_TRY(const std::string why, typed_reason(reason));
  JW_TRY(const Target target, target_of(transaction, it.parts_.identity, finding, hand));
  if (!target.open) return closed();
  if (step <= in_force(transaction, target.account).step) {
    return Refusal{Code::conflict,
                   "lending.step_lower",
                   {"已采取同样或更严的措施；要放宽请解除", "that or more is in force already; lift it to do less"}};
  }
  return it.put_step(transaction, target.account, step, hand, why, it.open_findings(transaction, target.account),
                     it.parts_.clock.now());
}

Result<Done> lift_within(db::Connection& transaction, identity::Identity& identity, int64_t account, const Hand& hand,
                         std::string_view reason, Instant now) {
  lock_acts(transaction);
  const Step was = in_force(transaction, account).step;
  // Only what was done here is undone: an account that somebody suspended for another reason stays suspended.
  const auto holder = identity.account(transaction, account);
  if (was == Step::suspended && holder && holder->suspended_reason == "§2.5.3")
    JW_CHECK(identity.resume(transaction, account));
  JW_CHECK(identity.set_read_only(transaction, account, false));
  identity.let_go(transaction, account);
  transaction.execute(
      "UPDATE lending_step SET lifted = $2, lifted_by = $3, lifted_name = $4, lifted_reason = $5 WHERE account = $1 "
      "AND lifted IS NULL",
      {account, now.us, hand.account, hand.name, reason});
  close_findings(transaction, account, 0, "settled", hand, std::string(reason), now);
  return Done{};
}

Result<int64_t> Watch::lift(db::Connection& transaction, int64_t finding, const Hand& hand, std::string_view reason) {
  Implementation& it = *implementation_;
  JW_TRY(const std::string why, typed_reason(reason));
  const Instant now = it.parts_.clock.now();
  JW_TRY(const Target target, target_of(transaction, it.parts_.identity, finding, hand));
  const Step was = in_force(transaction, target.account).step;
  if (was == Step::none) {
    return Refusal{Code::conflict, "lending.closed", {"没有可解除的措施", "nothing is in force that could be lifted"}};
  }
  record::Entry entry = record::act_of(hand, "lending_lift", "2.5.3", now);
  JsonWriter out(entry.parameters);
  out.object().field("account", target.account).field("step", step_name(was)).field("reason", why);
  append_findings(out, it.open_findings(transaction, target.account));
  out.end_object();
  JW_CHECK(lift_within(transaction, it.parts_.identity, target.account, hand, why, now));
  return it.parts_.recorder.put_in_outbox(transaction, entry);
}

}  // namespace jw::lending
