// The door: signing in, changing and confirming a password (§3.1.1; ASVS 6.3, 6.4; 等保 8.1.4.1 b).
//
// The password is weighed before the transaction, the account judged within it: whatever happened to the account
// meanwhile (wrong attempts in flight, a suspension, another password) counts, so that parallel guesses gain nothing
// over guesses in a row.
#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "kernel/identity/implementation.hpp"
#include "kernel/identity/refusals.hpp"

namespace jw::identity {
namespace {

constexpr size_t kPasswordBytesMost = 512;
constexpr size_t kLoginBytesMost = 256;

// Wrong passwords are counted on an account, on a session, and on nobody's account: the same columns each time.
#define JW_FAILURE_COLUMNS "failed_count, last_failed_us, locked_until_us, locked_attempts"
#define JW_COUNT_FAILURES \
  " SET failed_count = $2, last_failed_us = $3, locked_until_us = $4, locked_attempts = $5 WHERE id = $1"
#define JW_STANDING_COLUMNS                                                                           \
  "id, person_id, kind, login, display_name, password_hash, password_set_us, must_change, one_time, " \
  "one_time_expires_us, suspended_us, closed_us, agreement_version, " JW_FAILURE_COLUMNS
constexpr std::string_view kByLogin = "SELECT " JW_STANDING_COLUMNS " FROM account WHERE lower(login) = $1";
constexpr std::string_view kById = "SELECT " JW_STANDING_COLUMNS " FROM account WHERE id = $1";
constexpr std::string_view kByIdLocked = "SELECT " JW_STANDING_COLUMNS " FROM account WHERE id = $1 FOR UPDATE";
constexpr std::string_view kNobody = "SELECT " JW_FAILURE_COLUMNS " FROM nobody WHERE id = $1";
constexpr std::string_view kNobodyLocked = "SELECT " JW_FAILURE_COLUMNS " FROM nobody WHERE id = $1 FOR UPDATE";
constexpr std::string_view kOfSession = "SELECT " JW_FAILURE_COLUMNS " FROM session WHERE id = $1";
constexpr std::string_view kPast = "SELECT id, remote, device_digest, " JW_FAILURE_COLUMNS
                                   " FROM session WHERE account = $1 ORDER BY created_us DESC, id LIMIT 100";
constexpr std::string_view kFailures = "UPDATE account" JW_COUNT_FAILURES;
constexpr std::string_view kSessionFailures = "UPDATE session" JW_COUNT_FAILURES;
constexpr std::string_view kNobodysFailures = "UPDATE nobody" JW_COUNT_FAILURES;
#undef JW_STANDING_COLUMNS
#undef JW_COUNT_FAILURES
#undef JW_FAILURE_COLUMNS

Failures read_failures(const db::Rows& rows, size_t from) {
  return {rows.integer(from), rows.integer(from + 1), rows.integer(from + 2), rows.integer(from + 3)};
}

Standing read_standing(db::Rows& rows) {
  Standing standing;
  if (!rows.next()) return standing;
  standing.id = rows.integer(0);
  standing.person = rows.integer(1);
  standing.kind = rows.text(2);
  standing.login = rows.text(3);
  standing.display_name = rows.text(4);
  if (!rows.is_null(5)) standing.hash = std::string(rows.text(5));
  standing.password_set_us = rows.integer(6);
  standing.must_change = rows.integer(7) != 0;
  standing.one_time = rows.integer(8) != 0;
  standing.one_time_expires_us = rows.integer(9);
  standing.suspended = !rows.is_null(10);
  standing.closed = !rows.is_null(11);
  standing.agreement_version = rows.integer(12);
  standing.failures = read_failures(rows, 13);
  return standing;
}

void count_on(db::Connection& connection, int64_t session, Standing& standing) {
  if (session == 0 || standing.id == 0) return;
  auto rows = connection.query(kOfSession, {session});
  if (!rows.next()) return;  // forgotten meanwhile
  standing.failures = read_failures(rows, 0);
  standing.counted_on = session;
}

bool can_be_password(std::string_view password) {
  return !password.empty() && password.size() <= kPasswordBytesMost && is_valid_utf8(password);
}

bool one_time_is_over(const Standing& standing, Instant now) {
  return standing.one_time && standing.one_time_expires_us <= now.us;
}

SignIn refused(Counters& counters, Outcome outcome, Verdict verdict) {
  counters.refused.fetch_add(1, std::memory_order_relaxed);
  outcome.kind = "sign_in_failed";
  outcome.decision = std::move(verdict.decision);
  return {std::move(outcome), std::move(verdict.told)};
}

SignIn turned_away(Counters& counters, Refusal told) {
  counters.turned_away.fetch_add(1, std::memory_order_relaxed);
  Outcome outcome{.kind = "sign_in_failed", .decision = told.type};
  return {std::move(outcome), std::move(told)};
}

}  // namespace

Verdict plainly(Refusal told) {
  std::string decision = told.type;
  return {std::move(told), std::move(decision)};
}

std::string login_key(std::string_view login) {
  if (login.size() > kLoginBytesMost || !is_valid_utf8(login)) return {};
  std::string key(trim(nfkc(login)));
  for (char& c : key) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return key;
}

Identity::Implementation::Turn::Turn(Counters& counters, int most) : counters_(counters) {
  const uint64_t waiting = counters_.waiting.fetch_add(1) + 1;
  admitted_ = waiting <= static_cast<uint64_t>(most);
  if (!admitted_) return;
  uint64_t seen = counters_.waiting_most.load();
  while (seen < waiting && !counters_.waiting_most.compare_exchange_weak(seen, waiting)) {
  }
}

Identity::Implementation::Turn::~Turn() {
  counters_.waiting.fetch_sub(1);
}

// Readers see no password hashes.
Standing Identity::Implementation::standing_of_login(std::string_view login) {
  const std::string key = login_key(login);
  auto lease = store_.private_reader();
  auto rows = lease->query(kByLogin, {key});
  return read_standing(rows);
}

Standing Identity::Implementation::standing_of_session(const Session& session) {
  auto lease = store_.private_reader();
  Standing standing;
  {
    auto rows = lease->query(kById, {session.account});
    standing = read_standing(rows);
  }
  count_on(*lease, session.id, standing);
  return standing;
}

// SQLite's writing transaction is alone; PostgreSQL needs the row's lock.
Standing Identity::Implementation::lock_standing(db::Connection& transaction, int64_t account, int64_t session) {
  const bool alone = transaction.dialect() == db::Dialect::sqlite;
  if (account != 0) {
    Standing standing;
    {
      auto rows = transaction.query(alone ? kById : kByIdLocked, {account});
      standing = read_standing(rows);
    }
    count_on(transaction, session, standing);
    return standing;
  }
  Standing nobody;
  auto rows = transaction.query(alone ? kNobody : kNobodyLocked, {0});
  if (rows.next()) nobody.failures = read_failures(rows, 0);
  return nobody;
}

bool Identity::Implementation::verify(const Standing& standing, std::string_view password) {
  SecretText typed;
  const bool can_be = can_be_password(password);
  if (can_be) typed.take(nfkc(password));
  if (can_be && standing.one_time) typed.take(crypto::code_as_made(typed.view()));
  const bool known = can_be && standing.hash.has_value();
  counters_.verifications.fetch_add(1, std::memory_order_relaxed);
  return crypto::password_verify(known ? *standing.hash : nobodys_hash_, typed.view()) && known;
}

std::string Identity::Implementation::hash(std::string_view password) {
  SecretText normal;
  normal.take(nfkc(password));
  counters_.hashes.fetch_add(1, std::memory_order_relaxed);
  return crypto::password_hash(normal.view());
}

Attempt Identity::Implementation::weigh(const Standing& standing, std::string_view password,
                                        std::optional<std::string_view> new_password) {
  Attempt attempt;
  attempt.hash_seen = standing.hash;
  attempt.right = verify(standing, password);
  const Instant now = clock_.now();
  const bool useless = standing.closed || standing.suspended || standing.failures.locked_until_us > now.us ||
                       one_time_is_over(standing, now);
  if (!attempt.right || !new_password || useless) return attempt;
  attempt.new_problems = check_password(options_.rules, *new_password, standing.login, standing.display_name);
  if (attempt.new_problems.empty()) {
    SecretText before;
    before.take(nfkc(password));
    SecretText after;
    after.take(nfkc(*new_password));
    if (before.view() == after.view()) {
      attempt.new_problems.push_back(
          {"new_password", "unchanged", {"新密码不能与原密码相同", "The new password must differ from the old one"}});
    }
  }
  if (attempt.new_problems.empty()) attempt.new_hash = hash(*new_password);
  return attempt;
}

Past Identity::Implementation::past_of(int64_t account, std::string_view device, std::string_view remote) {
  Past past;
  const crypto::Digest digest = crypto::sha256(device);
  const std::string key = remote_key(remote);
  auto lease = store_.private_reader();
  auto rows = lease->query(kPast, {account});
  while (rows.next()) {
    past.here = past.here || remote_key(rows.text(1)) == key;
    if (past.session != 0 || device.empty() || rows.is_null(2) || rows.blob(2) != crypto::bytes_of(digest)) continue;
    past.session = rows.integer(0);
    past.failures = read_failures(rows, 3);
  }
  return past;
}

Identity::Implementation::Attempted Identity::Implementation::attempt_from(const SignInRequest& request,
                                                                           const std::function<Past()>& past,
                                                                           Instant now) {
  Attempted attempted;
  const auto take = [&](RemoteLimits& limits, std::string key) {
    if (!limits.take(key, now.us)) return false;
    attempted.taken.emplace_back(&limits, std::move(key));
    return true;
  };
  attempted.admitted = take(remotes_, remote_key(request.remote)) && take(networks_, network_key(request.remote));
  if (attempted.admitted) return attempted;
  give_back(attempted);
  attempted.taken.clear();
  attempted.shut = true;
  const Past known = past();
  if (known.session != 0) {
    attempted.admitted = take(known_, "browser " + std::string(request.device));
  } else if (known.here) {
    attempted.admitted = take(known_, "account " + login_key(request.login) + " " + remote_key(request.remote));
  }
  return attempted;
}

void Identity::Implementation::give_back(const Attempted& attempted) {
  for (const auto& [limits, key] : attempted.taken) limits->give_back(key);
}

void Identity::Implementation::write_failures(db::Connection& transaction, const Standing& standing,
                                              const Failures& failures) {
  const bool on_session = standing.counted_on != 0;
  transaction.execute(on_session         ? kSessionFailures
                      : standing.id == 0 ? kNobodysFailures
                                         : kFailures,
                      {on_session ? standing.counted_on : standing.id, failures.count, failures.last_us,
                       failures.locked_until_us, failures.locked_attempts});
}

Failures Identity::Implementation::failed_once_more(const Failures& before, Instant now) const {
  Failures failures = before;
  if (failures.locked_until_us > now.us) {
    ++failures.locked_attempts;
    return failures;
  }
  const bool forgotten = now.us - failures.last_us >= options_.failures_forgotten_us;
  failures.count = forgotten ? 1 : failures.count + 1;
  failures.last_us = now.us;
  const int64_t beyond = failures.count - options_.failures_before_lock;
  if (beyond >= 0) {
    const int64_t doublings = std::min<int64_t>(beyond, 20);
    failures.locked_until_us = now.us + std::min(options_.lock_first_us << doublings, options_.lock_most_us);
    failures.locked_attempts = 0;
  }
  return failures;
}

std::optional<Verdict> Identity::Implementation::judge(db::Connection& transaction, const Standing& standing,
                                                       const Attempt& attempt, const Refusal& wrong, Instant now) {
  Failures failures = standing.failures;
  const bool locked = failures.locked_until_us > now.us;
  const bool right = attempt.right && standing.hash == attempt.hash_seen;
  if (!right) {
    failures = failed_once_more(failures, now);
    write_failures(transaction, standing, failures);
    const char* why = standing.id == 0 ? "identity.unknown_login"
                      : !standing.hash ? "identity.not_activated"
                      : locked         ? "identity.wrong_password_while_locked"
                                       : "identity.wrong_password";
    return Verdict{wrong, why};
  }
  if (locked) {
    const bool first = failures.locked_attempts == 0;
    ++failures.locked_attempts;
    write_failures(transaction, standing, failures);
    return Verdict{first ? refusal::locked(failures.locked_until_us - now.us) : wrong, "identity.locked"};
  }
  if (standing.closed) return plainly(refusal::closed());
  if (standing.suspended) return plainly(refusal::suspended());
  if (one_time_is_over(standing, now)) return plainly(refusal::one_time_expired());
  return std::nullopt;
}

void Identity::Implementation::set_password(db::Connection& transaction, int64_t account, std::string_view new_hash,
                                            Instant now) {
  transaction.execute(
      "UPDATE account SET password_hash = $2, password_set_us = $3, must_change = 0, one_time = 0, one_time_expires_us "
      "= NULL "
      "WHERE id = $1",
      {account, new_hash, now.us});
}

SignIn Identity::Implementation::admitted(Outcome outcome, NewSession opened, Instant now) {
  keep(crypto::sha256(opened.token), opened.session, idle_until(now), now);
  counters_.signed_in.fetch_add(1, std::memory_order_relaxed);
  outcome.kind = "sign_in";
  outcome.session = opened.session->id;
  outcome.decision = "allowed";
  return {std::move(outcome), std::move(opened)};
}

SignIn Identity::sign_in(const SignInRequest& request) {
  Implementation& it = *implementation_;
  const Implementation::Turn turn(it.counters_, it.options_.sign_ins_waiting);
  if (!turn.admitted()) return turned_away(it.counters_, refusal::busy());
  std::optional<Standing> found;
  std::optional<Past> told;
  const auto standing_now = [&]() -> const Standing& {
    return found ? *found : found.emplace(it.standing_of_login(request.login));
  };
  const auto past_now = [&]() -> const Past& {
    return told ? *told : told.emplace(it.past_of(standing_now().id, request.device, request.remote));
  };
  const auto attempted = it.attempt_from(request, past_now, it.clock_.now());
  if (!attempted.admitted) return turned_away(it.counters_, refusal::too_many_attempts());
  Standing seen = standing_now();
  const int64_t counted_on = past_now().session;
  if (counted_on != 0) seen.failures = past_now().failures;
  const Attempt attempt = it.weigh(seen, request.password, request.new_password);

  auto lease = it.store_.writer();
  db::Transaction transaction(*lease, db::Transaction::Mode::write);
  const Instant now = it.clock_.now();
  Standing standing = it.lock_standing(*lease, seen.id, counted_on);
  Outcome outcome{.account = standing.id, .person = standing.person};
  auto verdict = it.judge(*lease, standing, attempt,
                          attempted.shut ? refusal::too_many_attempts() : refusal::sign_in_refused(), now);
  if (!verdict && !attempt.new_problems.empty()) verdict = plainly(refusal::password_rules(attempt.new_problems));
  const bool wants_new = standing.must_change || request.new_password.has_value();
  if (!verdict && wants_new && !attempt.new_hash) verdict = plainly(refusal::password_change_required());
  const bool right_but_for_the_code = !verdict;
  if (!verdict) verdict = it.judge_factor(*lease, standing, request.code, now);
  // Guesses of a code cost like guesses of a password.
  const bool guessed = right_but_for_the_code && verdict && !request.code.empty();
  if (attempt.right && !guessed) it.give_back(attempted);
  if (verdict) {
    transaction.commit();
    return refused(it.counters_, std::move(outcome), std::move(*verdict));
  }
  if (attempt.new_hash) {
    it.set_password(*lease, standing.id, *attempt.new_hash, now);
    it.forget(end_sessions(*lease, standing.id, "password_changed", now));
    standing.must_change = false;
    standing.password_set_us = now.us;
  }
  if (standing.failures.count != 0) it.write_failures(*lease, standing, {});
  NewSession opened =
      it.open_session(*lease, standing, {request.remote, request.user_agent, request.device, request.zone}, now);
  transaction.commit();
  return it.admitted(std::move(outcome), std::move(opened), now);
}

SignIn Identity::enter_made_up(std::string_view login, std::string_view remote, std::string_view user_agent,
                               std::string_view device, std::string_view zone) {
  Implementation& it = *implementation_;
  if (!it.options_.made_up) return turned_away(it.counters_, refusal::not_made_up());
  const Standing seen = it.standing_of_login(login);
  auto lease = it.store_.writer();
  db::Transaction transaction(*lease, db::Transaction::Mode::write);
  const Instant now = it.clock_.now();
  const Standing standing = it.lock_standing(*lease, seen.id, 0);
  Outcome outcome{.account = standing.id, .person = standing.person};
  std::optional<Verdict> verdict;
  if (standing.id == 0) {
    verdict = plainly(refusal::account_unknown());
  } else if (standing.closed) {
    verdict = plainly(refusal::closed());
  } else if (standing.suspended) {
    verdict = plainly(refusal::suspended());
  }
  if (verdict) return refused(it.counters_, std::move(outcome), std::move(*verdict));
  NewSession opened = it.open_session(*lease, standing, {remote, user_agent, device, zone}, now);
  transaction.commit();
  return it.admitted(std::move(outcome), std::move(opened), now);
}

Result<Done> Identity::change_password(const Session& session, std::string_view old_password,
                                       std::string_view new_password, std::string_view code) {
  Implementation& it = *implementation_;
  const Implementation::Turn turn(it.counters_, it.options_.sign_ins_waiting);
  if (!turn.admitted()) return refusal::busy();
  const Attempt attempt = it.weigh(it.standing_of_session(session), old_password, new_password);

  std::vector<int64_t> ended;
  {
    auto lease = it.store_.writer();
    db::Transaction transaction(*lease, db::Transaction::Mode::write);
    const Instant now = it.clock_.now();
    const Standing standing = it.lock_standing(*lease, session.account, session.id);
    if (!check_live(*lease, session.id, now)) return session_ended();
    auto verdict = it.judge(*lease, standing, attempt, refusal::password_wrong(), now);
    if (!verdict && !attempt.new_problems.empty()) verdict = plainly(refusal::password_rules(attempt.new_problems));
    // Whoever learned the password of a session left open is not to take the account over.
    if (!verdict) verdict = it.judge_factor(*lease, standing, code, now);
    if (verdict) {
      transaction.commit();
      return std::move(verdict->told);
    }
    // judged good but not hashed: the account was locked when it was weighed and is not any more
    if (!attempt.new_hash) return refusal::password_wrong();
    it.set_password(*lease, standing.id, *attempt.new_hash, now);
    if (standing.failures.count != 0) it.write_failures(*lease, standing, {});
    ended = end_sessions(*lease, standing.id, "password_changed", now, session.id);
    transaction.commit();
  }
  it.forget(ended);
  it.cache_.forget(session.id);
  return Done{};
}

Result<Done> Identity::Implementation::confirm_password(const Session& session, std::string_view password) {
  const Turn turn(counters_, options_.sign_ins_waiting);
  if (!turn.admitted()) return refusal::busy();
  const Attempt attempt = weigh(standing_of_session(session), password, std::nullopt);

  auto lease = store_.writer();
  db::Transaction transaction(*lease, db::Transaction::Mode::write);
  const Instant now = clock_.now();
  const Standing standing = lock_standing(*lease, session.account, session.id);
  if (!check_live(*lease, session.id, now)) return session_ended();
  const auto verdict = judge(*lease, standing, attempt, refusal::password_wrong(), now);
  if (!verdict && standing.failures.count != 0) write_failures(*lease, standing, {});
  transaction.commit();
  if (verdict) return verdict->told;
  return Done{};
}

}  // namespace jw::identity
