// Accounts, passwords, sessions (§3.1.1, §2.5.3, §4.3.2, §4.3.3; GB/T 22239-2019 8.1.4.1; OWASP ASVS 5.0 chapters 6 and
// 7).
//
// Two kinds of functions. Those of a person at the door (sign_in, sign_out, change_password …) open their own short
// transactions. Those of administration take the caller's writing transaction, so that the act, its record in the
// outbox and its effect are one; after a refusal of these the caller rolls back.
//
// The caller appends to the record; SignIn::outcome says what to write. Nothing here logs, and no refusal carries data.
// Passwords are NFKC, 19 MiB Argon2id; each costs about 20 ms of CPU and runs on the calling thread, two at a time: do
// not sign people in on the threads that answer queries. Machine failures are exceptions (db::Error).
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "platform/db/api.hpp"

namespace jw::identity {

// Kinds of accounts are data (`student`, `graduate`, `teacher`, `academic_office` …). Whatever is not a student or a
// graduate counts as staff, which asks for more: confidentiality agreement, ageing of passwords.
bool is_staff_kind(std::string_view kind);

enum class PasswordRules {
  dengbao,  // 等保: ≥ 8 characters, 3 of 4 classes, ageing for staff
  asvs,     // ASVS 5.0 6.2: ≥ 12 characters, no composition, no ageing
};

struct Options {
  bool made_up = false;  // a made-up store: persons may be entered without a password, set_ready works
  PasswordRules rules = PasswordRules::dengbao;
  int password_days = 90;          // dengbao, staff: then `password_due`; a notice, not a lock. 0 = never
  int64_t one_time_us = 7 * kDay;  // life of a one-time password

  int failures_before_lock = 5;          // wrong passwords in a row
  int64_t lock_first_us = 60 * kSecond;  // then locked for this long, doubled with every further failure
  int64_t lock_most_us = 3600 * kSecond;
  int64_t failures_forgotten_us = kDay;  // without a failure for this long the count starts again

  // Token bucket for each remote address (IPv6: each /64), and one eight times as wide for the network around it (/24,
  // IPv6: /48), on each node. Only failures cost; successes give back. When they are empty, whoever has signed in to
  // the same account in the same browser or from the same address before still has failures_before_lock tries.
  int64_t remote_burst = 30;
  int64_t remote_refill_us = 10 * kSecond;  // one more each
  int64_t remotes_known = 65'536;           // buckets kept
  int sign_ins_waiting = 500;               // more at a time are refused (identity.busy)

  int64_t session_us = 12 * 3600 * kSecond;  // longest life of a session
  int64_t idle_us = 30 * 60 * kSecond;       // unused for this long it dies; up to idle_flush_us later
  int64_t idle_flush_us = 5 * 60 * kSecond;  // how often use is written down, by a thread of its own
  int sessions_per_account = 10;             // one more ends the oldest
  int64_t session_kept_us = 180 * kDay;      // ended sessions are evidence for so long
  int64_t sessions_cached = 200'000;
  bool background = true;  // own thread for tend(); tests call it themselves

  int64_t agreement_version = 1;  // confidentiality agreement in force (§4.3.3)

  static Options for_made_up();  // loose limits, no ageing, long sessions
};

// A session as it was when it was read. May be stale, never authoritative: the gate in the statement decides.
struct Session {
  int64_t id = 0;
  int64_t account = 0;
  int64_t person = 0;  // 0 = none
  std::string kind;
  std::string login;
  std::string display_name;
  Instant created;
  Instant expires;
  int64_t epoch = 0;  // gate.epoch when this was read; when the gate says another: forget(id) and find it again
  bool must_change = false;
  bool password_due = false;   // ageing (等保), a notice
  bool agreement_due = false;  // staff who have not signed the version in force (§4.3.3)
};

// For record::Entry. `decision` is "allowed", or a machine name that may say more than the person was told.
struct Outcome {
  std::string kind{};   // sign_in | sign_in_failed
  int64_t account = 0;  // 0 = unknown login
  int64_t person = 0;
  int64_t session = 0;
  std::string decision{};
};

struct SignInRequest {
  std::string_view login;
  std::string_view password;
  std::optional<std::string_view> new_password{};
  std::string_view remote{};  // address of the peer, without port
  std::string_view user_agent{};
  std::string_view code{};    // of the second factor, or a recovery code; empty = none given
  std::string_view device{};  // mark that the browser keeps; empty = it sent none
  std::string_view zone{};    // of the campus network; empty = none
};

struct NewSession {
  std::string token;  // 43 characters; the only copy
  std::shared_ptr<const Session> session;
};

struct SignIn {
  Outcome outcome;
  Result<NewSession> result;
};

// A password that works once, to be handed over on paper and changed at the first sign-in: "7K3M-9QWX-2FJT", 60 random
// bits.
struct OneTime {
  std::string text;
  std::string hash;
};

struct NewAccount {
  std::string_view login;  // 1–64 characters of a–z A–Z 0–9 . _ - @ and Han
  std::string_view kind;
  std::string_view display_name;
  std::optional<int64_t> person{};
};

struct Account {
  int64_t id = 0;
  std::string login;
  std::string kind;
  std::string display_name;
  int64_t person = 0;      // 0 = none
  bool activated = false;  // has a password
  bool suspended = false;
  bool closed = false;
  std::string suspended_reason;
};

// A new second factor (RFC 6238: SHA-1, 6 digits, 30 s), shown once.
struct FactorOffer {
  std::string secret;  // base32, as typed into an application
  std::string uri;     // otpauth://totp/…, as in its QR code
};
struct FactorState {
  bool enrolled = false;
  Instant since;
  int64_t recovery_left = 0;  // recovery codes not used yet
};

// What a session may do now, as the store says. `held`: it answers nothing until confirm_again (§2.5.3).
struct Liveness {
  int64_t epoch = 0;
  bool held = false;
  bool read_only = false;  // the account may look, but neither act, change nor export
  bool operator==(const Liveness&) const = default;
};

// What a session began from (§2.5.3, §6.1.3); told of ended ones, too, for as long as they are kept.
struct Beginning {
  int64_t session = 0;
  int64_t account = 0;
  Instant at;
  std::string zone;    // of the campus network, empty = not known
  std::string remote;  // address
  std::string device;  // digest of the mark of the browser, empty = it sent none
};

// Why a token opens nothing any more.
struct Lost {
  int64_t session = 0;
  int64_t account = 0;
  std::string reason;  // of its end: signed_out, expired, suspended, closed …; empty while it lives
  bool suspended = false;
  bool operator==(const Lost&) const = default;
};

struct LiveSession {
  int64_t id = 0;
  Instant created;
  Instant expires;
  std::string remote;
};

// Since the start of this node, for /metrics.
struct Counters {
  std::atomic<uint64_t> signed_in{0};
  std::atomic<uint64_t> refused{0};
  std::atomic<uint64_t> turned_away{0};    // before any work: rate limit, too many waiting
  std::atomic<uint64_t> verifications{0};  // Argon2, checking
  std::atomic<uint64_t> hashes{0};         // Argon2, making
  std::atomic<uint64_t> waiting{0};        // sign-ins under way now
  std::atomic<uint64_t> waiting_most{0};
  std::atomic<uint64_t> cache_hits{0};
  std::atomic<uint64_t> cache_misses{0};
  std::atomic<uint64_t> tend_failures{0};
};

// The gate (design §4): a scalar subquery for a governed statement. Yields gate.epoch when session ${first} is live at
// instant ${first+1} (µs): not ended, not expired, not idle, not held, account neither suspended nor closed; else NULL.
// Three key look-ups, once a statement.
std::string gate_sql(int first);
// What the gate reads, and all that this folder reads on reading connections (never a password hash).
db::Reach gate_reach();
db::Reach readers_reach();
// The same alone, for calls that read nothing governed.
std::optional<int64_t> check_live(db::Connection& connection, int64_t session, Instant now);
Refusal session_ended();  // 401: what is asked in a session that is over
Refusal agreement_due();  // 403: staff who have not signed the agreement in force (§4.3.3)
// Neither closed nor suspended: of an account that acts in no session of its own now.
bool is_live(db::Connection& connection, int64_t account);
// More of it, held sessions included; nullopt: over.
std::optional<Liveness> liveness(db::Connection& connection, int64_t session, Instant now);
bool is_suspended(db::Connection& connection, int64_t account);

// A key shared by all nodes, made at the first call: 32 random bytes. `connection`: a writer's.
std::string secret(db::Connection& connection, std::string_view name);
// One that an older version kept, as it is; empty: there is none.
std::string kept_secret(db::Connection& connection, std::string_view name);
void forget_secret(db::Connection& transaction, std::string_view name);

// Ids of new human beings: consecutive from the result. Within the caller's transaction.
int64_t add_persons(db::Connection& transaction, std::span<const std::string_view> names, Instant now);

// Thread-safe.
class Identity {
 public:
  Identity(db::Store& store, const Clock& clock, Options options);
  ~Identity();
  Identity(const Identity&) = delete;
  Identity& operator=(const Identity&) = delete;

  // ---- at the door

  // Refusals: identity.sign_in_refused (401; unknown, wrong, not activated, locked: one text for all), and only after
  // the right password: identity.locked (429), .suspended, .closed, .one_time_expired, .password_change_required (403),
  // .password_rules (422, field new_password). Before any look: identity.too_many_attempts (429), identity.busy (503).
  // Failures in a browser that has signed in to the account before are counted apart, so that nobody's guesses lock its
  // owner out there. While an account is locked, one attempt with the right password is told so; further ones hear what
  // everybody hears, or a guesser could go on guessing through the lock.
  SignIn sign_in(const SignInRequest& request);
  // Only on made-up stores (else identity.not_made_up, 403): the gallery of persons, and the bench.
  SignIn enter_made_up(std::string_view login, std::string_view remote, std::string_view user_agent,
                       std::string_view device = {}, std::string_view zone = {});
  void sign_out(const Session& session);

  // Ends every other session of the account; `code` of the second factor, where one is enrolled. Refusals:
  // identity.password_wrong (403), .password_rules (422), .code_required, .code_wrong (401), .session_ended (401),
  // .locked (429), .busy (503); failures count as at sign-in, but on this session: the lock of
  // the door is not the lock of a live session.
  Result<Done> change_password(const Session& session, std::string_view old_password, std::string_view new_password,
                               std::string_view code = {});

  // ---- second factor (§3.1.1; 等保 8.1.4.1 d; ASVS 6.5). Whoever has one gives a code at each sign-in: after the
  // right password identity.code_required (401), or identity.code_wrong (401), which counts like a wrong password. A
  // code is taken within 30 s of its own time, and never twice; a recovery code once.

  // A new secret, in force only once confirm_factor has seen a code of it. Refusals: identity.factor_enrolled (409),
  // and those of change_password but for the rules.
  Result<FactorOffer> offer_factor(const Session& session, std::string_view password, std::string_view issuer);
  // Gives the ten recovery codes, the only copy. Refusals: identity.factor_absent (409), .code_wrong (401), .locked.
  Result<std::vector<std::string>> confirm_factor(const Session& session, std::string_view code);
  Result<std::vector<std::string>> renew_recovery(const Session& session, std::string_view code);
  Result<Done> remove_factor(const Session& session, std::string_view code);
  FactorState factor_of(db::Connection& connection, int64_t account) const;
  // The one re-authentication, before signing and in the middle of a session (§2.4.2, §2.5.3): its holder shows again
  // who it is, by a code when a factor is enrolled, else by the password. Lets a held session go. Refusals:
  // identity.code_required, .code_wrong (401), .password_wrong (403), .locked (429), .session_ended (401).
  Result<Done> confirm_again(const Session& session, std::string_view code, std::string_view password);

  // Why this token opens nothing; nullopt: never seen, or so long ago that it is forgotten.
  std::optional<Lost> lost(std::string_view token);

  // The session of a token as last read, null when there is none. From memory as a rule; a miss costs one statement on
  // a reading connection, so do not hold one while asking. Marks the session as used.
  std::shared_ptr<const Session> find_session(std::string_view token);
  void forget(int64_t session);  // out of the cache; the next find_session reads anew

  std::vector<LiveSession> sessions_of(db::Connection& connection, int64_t account) const;
  // On connections past the belt; in order of their beginning.
  std::optional<Beginning> beginning_of(db::Connection& connection, int64_t session) const;
  std::vector<Beginning> begun_by(db::Connection& connection, int64_t account, Instant since) const;
  std::vector<Beginning> begun_on(db::Connection& connection, std::string_view device, Instant since) const;
  // One of one's own other sessions (ASVS 7.5.2); false when it is none of the account's live ones.
  bool end_session(int64_t account, int64_t session);

  // ---- administration, inside the caller's writing transaction

  OneTime one_time_password();                           // Argon2: make it before the transaction
  std::string hash_password(std::string_view password);  // Argon2, for set_ready

  // Refusals: identity.login_invalid, .kind_invalid, .name_invalid (422), .login_taken (409).
  Result<int64_t> create_account(db::Connection& transaction, const NewAccount& account, const OneTime& one_time);
  // Many accounts without a password (not activated), ids consecutive from the result.
  Result<int64_t> create_inactive(db::Connection& transaction, std::span<const NewAccount> accounts);
  // First password of a not activated account, or a reset: who resets triggers it and never chooses (ASVS 6.4.6).
  // Ends all sessions, lifts a lock. identity.account_unknown (404), .account_closed (409).
  Result<Done> issue_one_time(db::Connection& transaction, int64_t account, const OneTime& one_time);
  // Only on made-up stores: a password ready to use, agreement signed. One hash may serve many accounts.
  Result<Done> set_ready(db::Connection& transaction, int64_t account, std::string_view password_hash);

  // Effective on the next statement everywhere: sessions are ended, gate.epoch is raised (§2.5.3, §2.5.2).
  // identity.account_unknown (404); closing cannot be undone: identity.account_closed (409).
  Result<Done> suspend(db::Connection& transaction, int64_t account, std::string_view reason);
  Result<Done> resume(db::Connection& transaction, int64_t account);
  Result<Done> close(db::Connection& transaction, int64_t account);
  Result<Done> change_kind(db::Connection& transaction, int64_t account, std::string_view kind);

  // The factor of somebody who lost it: who resets triggers it and reads nothing. Ends all sessions.
  // identity.account_unknown (404), .factor_absent (409).
  Result<Done> reset_factor(db::Connection& transaction, int64_t account);
  // Every live session of the account answers nothing more until confirm_again; how many (§2.5.3).
  int64_t hold(db::Connection& transaction, int64_t account);
  void let_go(db::Connection& transaction, int64_t account);
  // identity.account_unknown (404).
  Result<Done> set_read_only(db::Connection& transaction, int64_t account, bool read_only);

  // §4.3.3; identity.agreement_changed (409) when another version is in force now. Raises gate.epoch for staff.
  Result<Done> sign_agreement(db::Connection& transaction, int64_t account, int64_t version);

  std::optional<Account> find_account(db::Connection& connection, std::string_view login) const;
  std::optional<Account> account(db::Connection& connection, int64_t id) const;
  int64_t accounts_of_kind(db::Connection& connection, std::string_view kind) const;  // not closed

  // ---- upkeep

  // Writes down which sessions were used and removes evidence past its time. Called by the background thread.
  void tend();
  const Counters& counters() const;
  const Options& options() const;

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

// The rules of a new password (§3.1.1; 等保 8.1.4.1 a, ASVS 6.2): empty = good. Codes: too_short, too_long, not_text,
// too_simple, contains_login, contains_name, common, unchanged.
std::vector<FieldProblem> check_password(PasswordRules rules, std::string_view password, std::string_view login,
                                         std::string_view display_name);

}  // namespace jw::identity
