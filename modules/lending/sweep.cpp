// One round of looking, by one node at a time.
#include <algorithm>

#include "modules/lending/implementation.hpp"

namespace jw::lending {

namespace {

constexpr std::string_view kTryLock =
    "SELECT CAST(CASE WHEN pg_try_advisory_xact_lock(7217301) THEN 1 ELSE 0 END AS BIGINT)";
constexpr int64_t kOverlapUs = 2 * 60 * kSecond;  // nodes write places down when they come to it

// Whether a step may be due that an earlier round failed to take.
bool could_matter(const std::vector<Finding>& findings, const Settings& settings) {
  std::vector<Weighed> weighed;
  for (const Finding& each : findings) weighed.push_back({each.rule->name, each.score, each.until_us, false});
  return total_score(weighed) >= settings.ask_score;
}

}  // namespace

Settings Watch::Implementation::settings() const {
  return settings_of(parts_.policy.rules()->regulation());
}

// PostgreSQL: the lock lives as long as the transaction that took it, so that a node that dies lets it go. SQLite: one
// process; should there be two, what each counts and finds is still kept once.
Swept Watch::Implementation::sweep() {
  const std::lock_guard one_at_a_time(sweeping_);
  if (parts_.store.dialect() == db::Dialect::sqlite) return sweep_locked();
  const db::Store::Lease keeper = parts_.store.writer();
  db::Transaction lock(*keeper, db::Transaction::Mode::write);
  {
    auto rows = keeper->query(kTryLock);
    if (!rows.next() || rows.integer(0) == 0) return {};
  }
  return sweep_locked();
}

Swept Watch::Implementation::sweep_locked() {
  Swept swept;
  swept.worked = true;
  const Instant now = parts_.clock.now();
  const Settings settings = this->settings();
  record_network(now);
  swept.leaves = read_record(now);
  std::set<int64_t> accounts;
  {
    const db::Store::Lease lease = parts_.store.private_reader();
    int64_t looked_us = 0;
    {
      auto rows = lease->query("SELECT looked_us FROM lending_state WHERE id = 1");
      if (rows.next()) looked_us = rows.integer(0);
    }
    // A clock that was set back (trials do so) looks at the whole window.
    const int64_t window_us = settings.window_hours * 3600 * kSecond;
    const int64_t since_us =
        looked_us > now.us ? now.us - window_us : std::max(looked_us - kOverlapUs, now.us - window_us);
    accounts = active_accounts(*lease, since_us);
  }
  for (const int64_t account : accounts) {
    std::vector<Finding> findings;
    {
      const db::Store::Lease lease = parts_.store.private_reader();
      findings = look(view_of(*lease, account, settings, now), settings, network_);
    }
    ++swept.accounts;
    if (findings.empty()) continue;
    try {
      const bool news = keep_findings(account, findings, settings, now, swept);
      if (news || could_matter(findings, settings)) take_due_step(account, settings, now, swept);
    } catch (const std::exception&) {
      ++swept.failed;  // one account must not keep the others from being looked at
    }
  }
  if (swept.failed == 0)
    parts_.store.writer()->execute("UPDATE lending_state SET looked_us = $1 WHERE id = 1", {now.us});
  forget_old(now);
  return swept;
}

// The sign-ins a finding rests on, in place of those it rested on before.
void Watch::Implementation::keep_evidence(db::Connection& transaction, int64_t finding, const identity::Account& holder,
                                          const std::vector<int64_t>& sessions) {
  transaction.execute("DELETE FROM lending_evidence WHERE finding = $1", {finding});
  int64_t number = 0;
  for (const int64_t session : sessions) {
    const auto begun = parts_.identity.beginning_of(transaction, session);
    if (!begun) continue;
    const Text& zone = network_.zones[static_cast<size_t>(network_.zone_named(begun->zone))].label;
    transaction.execute(
        "INSERT INTO lending_evidence (id, finding, number, person_id, began, zone_zh, zone_en, remote) VALUES ($1, "
        "$2, $3, $4, $5, $6, $7, $8)",
        {take_id(transaction), finding, ++number, person_of(holder), begun->at.us, zone.zh, zone.en, begun->remote});
  }
}

// True when one of them says something new.
bool Watch::Implementation::keep_findings(int64_t account, const std::vector<Finding>& findings,
                                          const Settings& settings, Instant now, Swept& swept) {
  bool news = false;
  const db::Store::Lease lease = parts_.store.writer();
  db::Transaction transaction(*lease, db::Transaction::Mode::write);
  const auto holder = parts_.identity.account(*lease, account);
  if (!holder) throw std::logic_error("a finding without account");
  for (const Finding& finding : findings) {
    const std::string_view rule = finding.rule->name;
    int64_t id = 0, found_us = 0;
    int score = 0;
    bool muted = false;
    {
      auto rows = lease->query(
          "SELECT id, score, found, state, closed FROM lending_finding WHERE account = $1 AND rule = $2 ORDER BY "
          "id DESC LIMIT 1",
          {account, rule});
      if (rows.next()) {
        const bool open = rows.text(3) == "open";
        muted = !open && now.us - rows.integer(4) < settings.mute_days * kDay;
        if (open) {
          id = rows.integer(0);
          score = static_cast<int>(rows.integer(1));
          found_us = rows.integer(2);
        }
      }
    }
    if (muted || (id != 0 && !is_news(score, found_us, finding.score, now.us))) continue;
    news = true;
    ++swept.findings;
    const std::string sessions = json_of(finding.sessions), leaves = json_of(finding.leaves);
    if (id != 0) {
      lease->execute(
          "UPDATE lending_finding SET score = $2, seen_zh = $3, seen_en = $4, begins = $5, ends = $6, sessions = "
          "$7, leaves = $8, found = $9, answered = NULL WHERE id = $1",
          {id, finding.score, finding.seen.zh, finding.seen.en, finding.from_us, finding.until_us, sessions, leaves,
           now.us});
    } else {
      id = take_id(*lease);
      lease->execute(
          "INSERT INTO lending_finding (id, number, account, person_id, holder, holder_name, holder_kind, rule, score, "
          "seen_zh, seen_en, begins, ends, sessions, leaves, first_found, found, state) VALUES ($1, $1, $2, $3, $4, "
          "$5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $15, 'open')",
          {id, account, person_of(*holder), holder->login, holder->display_name, holder->kind, rule, finding.score,
           finding.seen.zh, finding.seen.en, finding.from_us, finding.until_us, sessions, leaves, now.us});
    }
    keep_evidence(*lease, id, *holder, finding.sessions);
  }
  transaction.commit();
  return news;
}

// In one transaction: what stands, what is due, the step, its leaf. Should a table of zones be wrong, the brake keeps
// it from shutting out a school.
void Watch::Implementation::take_due_step(int64_t account, const Settings& settings, Instant now, Swept& swept) {
  int64_t outbox = 0;
  {
    const db::Store::Lease lease = parts_.store.writer();
    db::Transaction transaction(*lease, db::Transaction::Mode::write);
    lock_acts(*lease);
    const InForce current = in_force(*lease, account);
    std::vector<std::string> names;
    std::vector<Weighed> weighed;
    {
      auto rows = lease->query(
          "SELECT rule, score, found, answered FROM lending_finding WHERE account = $1 AND state = 'open' AND found > "
          "$2",
          {account, now.us - settings.mute_days * kDay - kDay});
      while (rows.next()) {
        const Rule* rule = rule_named(rows.text(0));
        if (rule == nullptr) continue;  // of a program that knew more rules
        weighed.push_back({rule->name, static_cast<int>(rows.integer(1)), rows.integer(2), !rows.is_null(3)});
      }
    }
    Step due = step_due(current.step, current.since_us, weighed, settings);
    if (due > Step::ask_second_factor) {
      auto rows = lease->query(
          "SELECT COUNT(*) FROM lending_step WHERE taken > $1 AND taken_by = 0 AND step <> 'ask_second_factor'",
          {now.us - 3600 * kSecond});
      const bool braked = rows.next() && rows.integer(0) >= settings.steps_hour;
      if (braked) due = std::max(current.step, Step::ask_second_factor);
    }
    if (due <= current.step) return;
    outbox = put_step(*lease, account, due, Hand{}, "", open_findings(*lease, account), now);
    transaction.commit();
  }
  ++swept.steps;
  parts_.recorder.deliver(outbox);
}

Watch::Watch(Parts parts, Network network, OnSuspended on_suspended)
    : implementation_(std::make_unique<Implementation>(parts, std::move(network), std::move(on_suspended))) {}

Watch::~Watch() = default;

const Network& Watch::network() const {
  return implementation_->network_;
}

void Watch::note(int64_t session, int64_t account, std::string_view remote) {
  implementation_->places_.note(session, account, remote, implementation_->parts_.clock.now().us);
}

void Watch::flush() {
  implementation_->places_.flush(implementation_->parts_.store, implementation_->parts_.clock.now().us);
}

Swept Watch::sweep() {
  return implementation_->sweep();
}

}  // namespace jw::lending
