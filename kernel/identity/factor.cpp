// The second factor of an account: offered, confirmed, asked for, reset (§3.1.1, §2.5.3; 等保 8.1.4.1 d; ASVS 6.5).
#include <algorithm>
#include <utility>

#include "kernel/identity/implementation.hpp"
#include "kernel/identity/one_time_code.hpp"
#include "kernel/identity/refusals.hpp"

namespace jw::identity {
namespace {

constexpr int kRecoveryCodes = 10;
constexpr size_t kRecoveryCharacters = 12;  // 60 random bits
constexpr std::string_view kSealKey = "factor_seal", kRecoveryKey = "factor_recovery";

std::string seal_context(int64_t account) {
  return "factor:" + std::to_string(account);
}

struct Factor {
  std::string secret;
  int64_t last_step = 0;
  bool confirmed = false;
};

std::optional<Factor> read_factor(db::Connection& transaction, int64_t account) {
  std::string sealed;
  Factor factor;
  {
    auto rows = transaction.query(
        "SELECT sealed_secret, last_step, confirmed_us FROM account_factor WHERE account = $1", {account});
    if (!rows.next()) return std::nullopt;
    sealed = rows.blob(0);
    factor.last_step = rows.integer(1);
    factor.confirmed = !rows.is_null(2);
  }
  auto opened = crypto::unseal(secret(transaction, kSealKey), seal_context(account), sealed);
  if (!opened) throw db::Error(db::Failure::corrupt, "a second factor does not open with this store's key");
  factor.secret = std::move(*opened);
  return factor;
}

void forget_factor(db::Connection& transaction, int64_t account) {
  transaction.execute("DELETE FROM account_recovery WHERE account = $1", {account});
  transaction.execute("DELETE FROM account_factor WHERE account = $1", {account});
}

bool take_recovery(db::Connection& transaction, int64_t account, const std::string& code, Instant now) {
  const crypto::Digest digest = crypto::hmac_sha256(secret(transaction, kRecoveryKey), code);
  return transaction.execute(
             "UPDATE account_recovery SET used_us = $3 WHERE account = $1 AND code_digest = $2 AND used_us IS NULL",
             {account, db::Param::blob(crypto::bytes_of(digest)), now.us}) == 1;
}

}  // namespace

bool Identity::Implementation::has_factor(db::Connection& transaction, int64_t account) {
  auto rows = transaction.query(
      "SELECT CAST(1 AS BIGINT) FROM account_factor WHERE account = $1 AND confirmed_us IS NOT NULL", {account});
  return rows.next();
}

std::optional<Verdict> Identity::Implementation::judge_code(db::Connection& transaction, const Standing& standing,
                                                            std::string_view code, Of of, Instant now) {
  if (standing.failures.locked_until_us > now.us) {
    write_failures(transaction, standing, failed_once_more(standing.failures, now));
    return Verdict{refusal::locked(standing.failures.locked_until_us - now.us), "identity.locked"};
  }
  const std::string plain = crypto::code_as_made(code.substr(0, 64));
  bool right = false;
  if (auto factor = read_factor(transaction, standing.id); factor && factor->confirmed == (of == Of::confirmed)) {
    if (plain.size() == kCodeDigits) {
      const auto step = matching_step(factor->secret, plain, now, factor->last_step);
      right =
          step && transaction.execute("UPDATE account_factor SET last_step = $2 WHERE account = $1 AND last_step < $2",
                                      {standing.id, *step}) == 1;
    } else if (plain.size() == kRecoveryCharacters && factor->confirmed) {
      right = take_recovery(transaction, standing.id, plain, now);
    }
    wipe(factor->secret);
  }
  if (right) {
    if (standing.failures.count != 0) write_failures(transaction, standing, {});
    return std::nullopt;
  }
  write_failures(transaction, standing, failed_once_more(standing.failures, now));
  return Verdict{refusal::code_wrong(), "identity.code_wrong"};
}

std::optional<Verdict> Identity::Implementation::judge_factor(db::Connection& transaction, const Standing& standing,
                                                              std::string_view code, Instant now) {
  if (!has_factor(transaction, standing.id)) return std::nullopt;
  if (code.empty()) return plainly(refusal::code_required());
  return judge_code(transaction, standing, code, Of::confirmed, now);
}

std::vector<std::string> Identity::Implementation::new_recovery_codes(db::Connection& transaction, int64_t account) {
  transaction.execute("DELETE FROM account_recovery WHERE account = $1", {account});
  const std::string key = secret(transaction, kRecoveryKey);
  std::vector<std::string> shown;
  for (int i = 0; i < kRecoveryCodes; ++i) {
    const std::string code = crypto::random_code(kRecoveryCharacters);
    const crypto::Digest digest = crypto::hmac_sha256(key, code);
    transaction.execute("INSERT INTO account_recovery (account, code_digest) VALUES ($1, $2)",
                        {account, db::Param::blob(crypto::bytes_of(digest))});
    shown.push_back(crypto::dashed(code));
  }
  return shown;
}

template <class Act>
auto Identity::Implementation::with_code(const Session& session, std::string_view code, Of of, Act act)
    -> Result<decltype(act(std::declval<db::Connection&>(), Instant{}))> {
  auto lease = store_.writer();
  db::Transaction transaction(*lease, db::Transaction::Mode::write);
  const Instant now = clock_.now();
  const Standing standing = lock_standing(*lease, session.account, session.id);
  if (!check_live(*lease, session.id, now)) return session_ended();
  const auto factor = read_factor(*lease, session.account);
  if (!factor) return refusal::factor_absent();
  if (factor->confirmed != (of == Of::confirmed))
    return of == Of::offered ? refusal::factor_enrolled() : refusal::factor_absent();
  if (auto verdict = judge_code(*lease, standing, code, of, now)) {
    transaction.commit();  // the failure counts
    return std::move(verdict->told);
  }
  auto result = act(*lease, now);
  transaction.commit();
  return result;
}

Result<FactorOffer> Identity::offer_factor(const Session& session, std::string_view password, std::string_view issuer) {
  Implementation& it = *implementation_;
  JW_CHECK(it.confirm_password(session, password));
  std::string made = crypto::random_bytes(kSecretBytes);
  auto lease = it.store_.writer();
  db::Transaction transaction(*lease, db::Transaction::Mode::write);
  const Instant now = it.clock_.now();
  it.lock_standing(*lease, session.account, session.id);
  if (!check_live(*lease, session.id, now)) return session_ended();
  if (it.has_factor(*lease, session.account)) return refusal::factor_enrolled();
  forget_factor(*lease, session.account);  // one that was offered and never confirmed
  const std::string sealed = crypto::seal(secret(*lease, kSealKey), seal_context(session.account), made);
  lease->execute("INSERT INTO account_factor (account, sealed_secret, made_us) VALUES ($1, $2, $3)",
                 {session.account, db::Param::blob(sealed), now.us});
  transaction.commit();
  FactorOffer offer{base32(made), otpauth_uri(made, issuer, session.login)};
  wipe(made);
  return offer;
}

Result<std::vector<std::string>> Identity::confirm_factor(const Session& session, std::string_view code) {
  Implementation& it = *implementation_;
  return it.with_code(session, code, Implementation::Of::offered, [&](db::Connection& transaction, Instant now) {
    transaction.execute("UPDATE account_factor SET confirmed_us = $2 WHERE account = $1", {session.account, now.us});
    return it.new_recovery_codes(transaction, session.account);
  });
}

Result<std::vector<std::string>> Identity::renew_recovery(const Session& session, std::string_view code) {
  Implementation& it = *implementation_;
  return it.with_code(session, code, Implementation::Of::confirmed, [&](db::Connection& transaction, Instant) {
    return it.new_recovery_codes(transaction, session.account);
  });
}

Result<Done> Identity::remove_factor(const Session& session, std::string_view code) {
  return implementation_->with_code(session, code, Implementation::Of::confirmed,
                                    [&](db::Connection& transaction, Instant) {
                                      forget_factor(transaction, session.account);
                                      return Done{};
                                    });
}

FactorState Identity::factor_of(db::Connection& connection, int64_t account) const {
  FactorState state;
  {
    auto rows = connection.query(
        "SELECT confirmed_us FROM account_factor WHERE account = $1 AND confirmed_us IS NOT NULL", {account});
    if (!rows.next()) return state;
    state.enrolled = true;
    state.since = {rows.integer(0)};
  }
  auto rows =
      connection.query("SELECT COUNT(*) FROM account_recovery WHERE account = $1 AND used_us IS NULL", {account});
  if (rows.next()) state.recovery_left = rows.integer(0);
  return state;
}

// The same as with_code, but for a session that may be held, and with the password in place of a factor there is not.
Result<Done> Identity::confirm_again(const Session& session, std::string_view code, std::string_view password) {
  Implementation& it = *implementation_;
  const Implementation::Turn turn(it.counters_, it.options_.sign_ins_waiting);
  if (!turn.admitted()) return refusal::busy();
  // Argon2 before the transaction, and only where the password is what counts.
  bool enrolled = false;
  {
    auto lease = it.store_.reader();
    enrolled = factor_of(*lease, session.account).enrolled;
  }
  std::optional<Attempt> attempt;
  if (!enrolled) attempt = it.weigh(it.standing_of_session(session), password, std::nullopt);
  auto lease = it.store_.writer();
  db::Transaction transaction(*lease, db::Transaction::Mode::write);
  const Instant now = it.clock_.now();
  const Standing standing = it.lock_standing(*lease, session.account, session.id);
  if (!liveness(*lease, session.id, now)) return session_ended();
  std::optional<Verdict> verdict;
  if (it.has_factor(*lease, session.account)) {
    verdict = it.judge_factor(*lease, standing, code, now);
  } else if (!attempt) {
    return session_ended();  // the factor went while we looked: its reset has ended the session
  } else {
    verdict = it.judge(*lease, standing, *attempt, refusal::password_wrong(), now);
    if (!verdict && standing.failures.count != 0) it.write_failures(*lease, standing, {});
  }
  if (!verdict)
    lease->execute("UPDATE session SET held_us = NULL, confirmed_us = $2 WHERE id = $1", {session.id, now.us});
  transaction.commit();
  if (verdict) return std::move(verdict->told);
  return Done{};
}

Result<Done> Identity::reset_factor(db::Connection& transaction, int64_t account) {
  if (!this->account(transaction, account)) return refusal::account_unknown();
  if (!implementation_->has_factor(transaction, account)) return refusal::factor_absent();
  forget_factor(transaction, account);
  implementation_->forget(end_sessions(transaction, account, "factor_reset", implementation_->clock_.now()));
  return Done{};
}

int64_t Identity::hold(db::Connection& transaction, int64_t account) {
  return transaction.execute(
      "UPDATE session SET held_us = $2 WHERE account = $1 AND ended_us IS NULL AND held_us IS NULL",
      {account, implementation_->clock_.now().us});
}

void Identity::let_go(db::Connection& transaction, int64_t account) {
  transaction.execute("UPDATE session SET held_us = NULL WHERE account = $1 AND ended_us IS NULL", {account});
}

Result<Done> Identity::set_read_only(db::Connection& transaction, int64_t account, bool read_only) {
  const int64_t now = implementation_->clock_.now().us;
  const int64_t changed = transaction.execute("UPDATE account SET read_only_us = $2 WHERE id = $1",
                                              {account, read_only ? db::Param(now) : db::Param(nullptr)});
  if (changed != 1) return refusal::account_unknown();
  return Done{};
}

}  // namespace jw::identity
