// Administration of accounts, inside the caller's transaction (§2.5.1–§2.5.3, §4.3.3; ASVS 6.4).
#include <stdexcept>

#include "base/text.hpp"
#include "kernel/identity/implementation.hpp"
#include "kernel/identity/refusals.hpp"

namespace jw::identity {
namespace {

constexpr size_t kLoginMost = 64;
constexpr size_t kNameMost = 100;
constexpr size_t kKindMost = 64;
constexpr std::string_view kAccountIds = "identity.account";
constexpr std::string_view kPersonIds = "identity.person";

#define JW_ACCOUNT_COLUMNS                                                                                      \
  "id, login, kind, display_name, person_id, CASE WHEN password_hash IS NULL THEN 0 ELSE 1 END, suspended_us, " \
  "closed_us, suspended_reason"
constexpr std::string_view kAccountByLogin = "SELECT " JW_ACCOUNT_COLUMNS " FROM account WHERE lower(login) = $1";
constexpr std::string_view kAccountById = "SELECT " JW_ACCOUNT_COLUMNS " FROM account WHERE id = $1";
#undef JW_ACCOUNT_COLUMNS

// Han characters come as three bytes U+4E00–U+9FFF; letters of other scripts look like Latin ones and stay out.
bool is_login(std::string_view login) {
  if (login.empty() || code_points(login) > kLoginMost) return false;
  for (size_t i = 0; i < login.size();) {
    const auto c = static_cast<unsigned char>(login[i]);
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
        c == '-' || c == '@') {
      ++i;
      continue;
    }
    if ((c & 0xF0) != 0xE0) return false;
    const unsigned point = ((c & 0x0FU) << 12U) | ((static_cast<unsigned char>(login[i + 1]) & 0x3FU) << 6U) |
                           (static_cast<unsigned char>(login[i + 2]) & 0x3FU);
    if (point < 0x4E00 || point > 0x9FFF) return false;
    i += 3;
  }
  return true;
}

bool is_kind(std::string_view kind) {
  if (kind.empty() || kind.size() > kKindMost) return false;
  for (const char c : kind) {
    if (!((c >= 'a' && c <= 'z') || c == '_')) return false;
  }
  return true;
}

struct Checked {
  std::string login;
  std::string display_name;
};

Result<Checked> check(const NewAccount& account) {
  if (!is_valid_utf8(account.login)) return refusal::login_invalid();
  Checked checked{nfkc(account.login), {}};
  if (!is_login(checked.login)) return refusal::login_invalid();
  if (!is_kind(account.kind)) return refusal::kind_invalid();
  if (!is_valid_utf8(account.display_name)) return refusal::name_invalid();
  checked.display_name = std::string(trim(nfkc(account.display_name)));
  if (checked.display_name.empty() || code_points(checked.display_name) > kNameMost) return refusal::name_invalid();
  return checked;
}

std::optional<Account> read_account(db::Rows rows) {
  if (!rows.next()) return std::nullopt;
  return Account{.id = rows.integer(0),
                 .login = std::string(rows.text(1)),
                 .kind = std::string(rows.text(2)),
                 .display_name = std::string(rows.text(3)),
                 .person = rows.integer(4),
                 .activated = rows.integer(5) != 0,
                 .suspended = !rows.is_null(6),
                 .closed = !rows.is_null(7),
                 .suspended_reason = std::string(rows.text(8))};
}

std::vector<int64_t> session_ids(db::Connection& connection, int64_t account) {
  std::vector<int64_t> ids;
  auto rows = connection.query("SELECT id FROM session WHERE account = $1 AND ended_us IS NULL", {account});
  while (rows.next()) ids.push_back(rows.integer(0));
  return ids;
}

}  // namespace

bool is_staff_kind(std::string_view kind) {
  return kind != "student" && kind != "graduate" && kind != "graduate_expired";
}

Options Options::for_made_up() {
  Options options;
  options.made_up = true;
  options.password_days = 0;
  options.failures_before_lock = 1000;
  options.remote_burst = 100'000;
  options.remote_refill_us = 1000;
  options.sign_ins_waiting = 5000;
  options.session_us = 3650 * kDay;  // trials move the clock by years
  options.idle_us = 3650 * kDay;
  options.sessions_per_account = 1000;
  return options;
}

int64_t take_ids(db::Connection& transaction, std::string_view name, int64_t count) {
  transaction.execute(
      "INSERT INTO row_id (dataset, next) VALUES ($1, $2) ON CONFLICT (dataset) DO UPDATE SET next = row_id.next + $3",
      {name, 1 + count, count});
  auto rows = transaction.query("SELECT next FROM row_id WHERE dataset = $1", {name});
  if (!rows.next()) throw std::runtime_error("row_id lost a row");
  return rows.integer(0) - count;
}

void raise_epoch(db::Connection& transaction) {
  transaction.execute("UPDATE gate SET epoch = epoch + 1 WHERE id = 1");
}

int64_t add_persons(db::Connection& transaction, std::span<const std::string_view> names, Instant now) {
  const int64_t first = take_ids(transaction, kPersonIds, static_cast<int64_t>(names.size()));
  const std::string columns[] = {"id", "name", "created_us"};
  const auto bulk = transaction.bulk("person", columns);
  int64_t id = first;
  for (const std::string_view name : names) {
    const db::Param row[] = {id++, name, now.us};
    bulk->row(row);
  }
  bulk->finish();
  return first;
}

std::string kept_secret(db::Connection& connection, std::string_view name) {
  auto rows = connection.query("SELECT value FROM secret WHERE name = $1", {name});
  return rows.next() ? std::string(rows.blob(0)) : std::string();
}

void forget_secret(db::Connection& transaction, std::string_view name) {
  transaction.execute("DELETE FROM secret WHERE name = $1", {name});
}

std::string secret(db::Connection& connection, std::string_view name) {
  if (std::string kept = kept_secret(connection, name); !kept.empty()) return kept;
  const std::string made = crypto::random_bytes(32);
  connection.execute("INSERT INTO secret (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
                     {name, db::Param::blob(made)});
  std::string kept = kept_secret(connection, name);  // another node may have been faster
  if (kept.empty()) throw std::runtime_error("a secret is gone");
  return kept;
}

OneTime Identity::one_time_password() {
  constexpr size_t kCharacters = 12;  // 60 random bits
  std::string code = crypto::random_code(kCharacters);
  OneTime one_time{.text = crypto::dashed(code), .hash = implementation_->hash(code)};
  wipe(code);
  return one_time;
}

std::string Identity::hash_password(std::string_view password) {
  return implementation_->hash(password);
}

Result<int64_t> Identity::create_account(db::Connection& transaction, const NewAccount& account,
                                         const OneTime& one_time) {
  JW_TRY(const Checked checked, check(account));
  if (find_account(transaction, checked.login)) return refusal::login_taken();
  const int64_t now_us = implementation_->clock_.now().us;
  const int64_t id = take_ids(transaction, kAccountIds, 1);
  try {
    transaction.execute(
        "INSERT INTO account (id, login, kind, person_id, display_name, password_hash, password_set_us, must_change, "
        "one_time, "
        "one_time_expires_us, created_us) VALUES ($1, $2, $3, $4, $5, $6, $7, 1, 1, $8, $9)",
        {id, checked.login, account.kind, account.person, checked.display_name, one_time.hash, now_us,
         now_us + implementation_->options_.one_time_us, now_us});
  } catch (const db::Error& error) {
    if (error.failure() == db::Failure::unique) return refusal::login_taken();  // made elsewhere since we looked
    throw;
  }
  return id;
}

Result<int64_t> Identity::create_inactive(db::Connection& transaction, std::span<const NewAccount> accounts) {
  std::vector<Checked> all;  // before the bulk begins: nothing else may run on the connection until it ends
  all.reserve(accounts.size());
  for (const NewAccount& account : accounts) {
    JW_TRY(Checked checked, check(account));
    all.push_back(std::move(checked));
  }
  const int64_t now_us = implementation_->clock_.now().us;
  const int64_t first = take_ids(transaction, kAccountIds, static_cast<int64_t>(accounts.size()));
  const std::string columns[] = {"id", "login", "kind", "person_id", "display_name", "created_us"};
  try {
    const auto bulk = transaction.bulk("account", columns);
    for (size_t i = 0; i < accounts.size(); ++i) {
      const db::Param row[] = {first + static_cast<int64_t>(i),
                               all[i].login,
                               accounts[i].kind,
                               accounts[i].person,
                               all[i].display_name,
                               now_us};
      bulk->row(row);
    }
    bulk->finish();
  } catch (const db::Error& error) {
    if (error.failure() == db::Failure::unique) return refusal::login_taken();
    throw;
  }
  return first;
}

Result<Done> Identity::issue_one_time(db::Connection& transaction, int64_t account, const OneTime& one_time) {
  const auto found = this->account(transaction, account);
  if (!found) return refusal::account_unknown();
  if (found->closed) return refusal::account_closed();
  const Instant now = implementation_->clock_.now();
  transaction.execute(
      "UPDATE account SET password_hash = $2, password_set_us = $3, must_change = 1, one_time = 1, one_time_expires_us "
      "= $4, "
      "failed_count = 0, last_failed_us = NULL, locked_until_us = NULL, locked_attempts = 0 WHERE id = $1",
      {account, one_time.hash, now.us, now.us + implementation_->options_.one_time_us});
  transaction.execute(
      "UPDATE session SET failed_count = 0, last_failed_us = NULL, locked_until_us = NULL, locked_attempts = 0 WHERE "
      "account = $1 AND failed_count > 0",
      {account});
  implementation_->forget(end_sessions(transaction, account, "password_reset", now));
  return Done{};
}

Result<Done> Identity::set_ready(db::Connection& transaction, int64_t account, std::string_view password_hash) {
  if (!implementation_->options_.made_up) return refusal::not_made_up();
  const int64_t now_us = implementation_->clock_.now().us;
  const int64_t changed = transaction.execute(
      "UPDATE account SET password_hash = $2, password_set_us = $3, must_change = 0, one_time = 0, one_time_expires_us "
      "= NULL, "
      "agreement_version = $4, agreement_us = $5 WHERE id = $1 AND closed_us IS NULL",
      {account, password_hash, now_us, implementation_->options_.agreement_version, now_us});
  if (changed != 1) return refusal::account_unknown();
  return Done{};
}

Result<Done> Identity::suspend(db::Connection& transaction, int64_t account, std::string_view reason) {
  const Instant now = implementation_->clock_.now();
  const int64_t changed = transaction.execute(
      "UPDATE account SET suspended_us = $2, suspended_reason = $3 WHERE id = $1", {account, now.us, reason});
  if (changed != 1) return refusal::account_unknown();
  implementation_->forget(end_sessions(transaction, account, "suspended", now));
  raise_epoch(transaction);
  return Done{};
}

Result<Done> Identity::resume(db::Connection& transaction, int64_t account) {
  const int64_t changed =
      transaction.execute("UPDATE account SET suspended_us = NULL, suspended_reason = NULL WHERE id = $1", {account});
  if (changed != 1) return refusal::account_unknown();
  raise_epoch(transaction);
  return Done{};
}

Result<Done> Identity::close(db::Connection& transaction, int64_t account) {
  const auto found = this->account(transaction, account);
  if (!found) return refusal::account_unknown();
  const Instant now = implementation_->clock_.now();
  const int64_t changed =
      transaction.execute("UPDATE account SET closed_us = $2 WHERE id = $1 AND closed_us IS NULL", {account, now.us});
  if (changed != 1) return refusal::account_closed();
  implementation_->forget(end_sessions(transaction, account, "closed", now));
  raise_epoch(transaction);
  return Done{};
}

Result<Done> Identity::change_kind(db::Connection& transaction, int64_t account, std::string_view kind) {
  if (!is_kind(kind)) return refusal::kind_invalid();
  const auto found = this->account(transaction, account);
  if (!found) return refusal::account_unknown();
  if (found->closed) return refusal::account_closed();
  transaction.execute("UPDATE account SET kind = $2 WHERE id = $1", {account, kind});
  implementation_->forget(session_ids(transaction, account));
  raise_epoch(transaction);
  return Done{};
}

Result<Done> Identity::sign_agreement(db::Connection& transaction, int64_t account, int64_t version) {
  const auto found = this->account(transaction, account);
  if (!found) return refusal::account_unknown();
  if (version != implementation_->options_.agreement_version) return refusal::agreement_changed();
  transaction.execute("UPDATE account SET agreement_version = $2, agreement_us = $3 WHERE id = $1",
                      {account, version, implementation_->clock_.now().us});
  implementation_->forget(session_ids(transaction, account));
  if (is_staff_kind(found->kind)) raise_epoch(transaction);
  return Done{};
}

std::optional<Account> Identity::find_account(db::Connection& connection, std::string_view login) const {
  return read_account(connection.query(kAccountByLogin, {login_key(login)}));
}

std::optional<Account> Identity::account(db::Connection& connection, int64_t id) const {
  return read_account(connection.query(kAccountById, {id}));
}

int64_t Identity::accounts_of_kind(db::Connection& connection, std::string_view kind) const {
  auto rows = connection.query("SELECT COUNT(*) FROM account WHERE kind = $1 AND closed_us IS NULL", {kind});
  return rows.next() ? rows.integer(0) : 0;
}

Identity::Identity(db::Store& store, const Clock& clock, Options options)
    : implementation_(std::make_unique<Implementation>(store, clock, options)) {}

Identity::~Identity() = default;

const Counters& Identity::counters() const {
  return implementation_->counters_;
}

const Options& Identity::options() const {
  return implementation_->options_;
}

}  // namespace jw::identity
