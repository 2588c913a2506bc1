// Sessions: made, read, ended, kept alive (§3.1.1, §2.5.3; ASVS 7).
#include <algorithm>
#include <stdexcept>

#include "kernel/identity/implementation.hpp"

namespace jw::identity {
namespace {

constexpr size_t kTokenBytes = 32;
constexpr size_t kTokenCharacters = 43;
constexpr size_t kRemoteMost = 64;
constexpr int64_t kNetworkWider = 8;
constexpr int64_t kIdBelow = int64_t{1} << 53;  // exact in JSON

constexpr std::string_view kRead =
    "SELECT s.id, s.account, s.created_us, s.expires_us, s.idle_until_us, a.person_id, a.kind, a.login, "
    "a.display_name, "
    "a.must_change, a.password_set_us, a.agreement_version, g.epoch "
    "FROM session s JOIN account a ON a.id = s.account JOIN gate g ON g.id = 1 "
    "WHERE s.token_digest = $1 AND s.ended_us IS NULL AND s.expires_us > $2 AND s.idle_until_us > $2 "
    "AND a.suspended_us IS NULL AND a.closed_us IS NULL";
constexpr std::string_view kInsert =
    "INSERT INTO session (id, token_digest, account, created_us, expires_us, idle_until_us, remote, user_agent_digest, "
    "device_digest, zone, confirmed_us) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $4)";
constexpr std::string_view kEndDead =
    "UPDATE session SET ended_us = $2, ended_reason = 'expired' "
    "WHERE account = $1 AND ended_us IS NULL AND (expires_us <= $2 OR idle_until_us <= $2)";
constexpr std::string_view kLiveOfAccount =
    "SELECT id, created_us, expires_us, remote FROM session "
    "WHERE account = $1 AND ended_us IS NULL AND expires_us > $2 AND idle_until_us > $2 ORDER BY created_us DESC, id";
#define JW_BEGINNING_COLUMNS "id, account, created_us, zone, remote, device_digest"
constexpr std::string_view kBeginningOf = "SELECT " JW_BEGINNING_COLUMNS " FROM session WHERE id = $1";
constexpr std::string_view kBegunBy =
    "SELECT " JW_BEGINNING_COLUMNS " FROM session WHERE account = $1 AND created_us >= $2 ORDER BY created_us, id";
constexpr std::string_view kBegunOn =
    "SELECT " JW_BEGINNING_COLUMNS
    " FROM session WHERE device_digest = $1 AND created_us >= $2 ORDER BY created_us, id";
#undef JW_BEGINNING_COLUMNS
constexpr std::string_view kEndOne =
    "UPDATE session SET ended_us = $2, ended_reason = $3 WHERE id = $1 AND ended_us IS NULL";
constexpr std::string_view kWriteUse =
    "UPDATE session SET idle_until_us = $2 WHERE id = $1 AND ended_us IS NULL AND idle_until_us > $3 AND idle_until_us "
    "< $2";
constexpr std::string_view kRemoveOld =
    "DELETE FROM session WHERE id IN (SELECT id FROM session WHERE expires_us < $1 ORDER BY expires_us LIMIT 1000)";

std::vector<Beginning> beginnings(db::Rows rows) {
  std::vector<Beginning> all;
  while (rows.next()) {
    all.push_back({rows.integer(0),
                   rows.integer(1),
                   {rows.integer(2)},
                   std::string(rows.text(3)),
                   std::string(rows.text(4)),
                   rows.is_null(5) ? std::string() : std::string(rows.blob(5))});
  }
  return all;
}

}  // namespace

std::string gate_sql(int first) {
  const std::string session = "$" + std::to_string(first);
  const std::string now = "$" + std::to_string(first + 1);
  return "(SELECT g.epoch FROM gate g WHERE g.id = 1 AND EXISTS (SELECT 1 FROM session s JOIN account a ON a.id = "
         "s.account "
         "WHERE s.id = " +
         session + " AND s.ended_us IS NULL AND s.expires_us > " + now + " AND s.idle_until_us > " + now +
         " AND s.held_us IS NULL AND a.suspended_us IS NULL AND a.closed_us IS NULL))";
}

Refusal session_ended() {
  return {Code::unauthenticated,
          "identity.session_ended",
          {"登录已失效（已退出、超时或账号被暂停），请重新登录",
           "the session is over (signed out, expired or suspended); sign in again"}};
}

Refusal agreement_due() {
  return {Code::forbidden,
          "identity.agreement_due",
          {"接触个人数据的人员须先签署保密协议（§4.3.3），签署后即可查询和办理",
           "whoever handles data about persons signs the confidentiality agreement first, then queries and acts "
           "(§4.3.3)"},
          {},
          Remedy{"4.3.3",
                 {"在“我的”页面阅读并签署保密协议", "read and sign the agreement on the page “Me”"},
                 "agreement",
                 "{}"}};
}

db::Reach gate_reach() {
  db::Reach reach;
  reach.columns = {{"gate", {"id", "epoch"}},
                   {"session", {"id", "account", "ended_us", "expires_us", "idle_until_us", "held_us"}},
                   {"account", {"id", "suspended_us", "closed_us"}}};
  return reach;
}

db::Reach readers_reach() {
  db::Reach reach = gate_reach();
  reach.columns["session"].insert({"token_digest", "created_us", "ended_reason"});
  reach.columns["account"].insert({"person_id", "kind", "login", "display_name", "must_change", "password_set_us",
                                   "agreement_version", "read_only_us"});
  reach.columns["account_factor"] = {"account", "confirmed_us"};
  reach.columns["account_recovery"] = {"account", "used_us"};
  return reach;
}

std::optional<int64_t> check_live(db::Connection& connection, int64_t session, Instant now) {
  static const std::string sql = "SELECT " + gate_sql(1);
  auto rows = connection.query(sql, {session, now.us});
  if (!rows.next() || rows.is_null(0)) return std::nullopt;
  return rows.integer(0);
}

bool is_live(db::Connection& connection, int64_t account) {
  auto rows =
      connection.query("SELECT 1 FROM account WHERE id = $1 AND suspended_us IS NULL AND closed_us IS NULL", {account});
  return rows.next();
}

std::optional<Liveness> liveness(db::Connection& connection, int64_t session, Instant now) {
  auto rows = connection.query(
      "SELECT g.epoch, s.held_us, a.read_only_us FROM session s JOIN account a ON a.id = s.account JOIN gate g ON g.id "
      "= 1 WHERE s.id = $1 AND s.ended_us IS NULL AND s.expires_us > $2 AND s.idle_until_us > $2 "
      "AND a.suspended_us IS NULL AND a.closed_us IS NULL",
      {session, now.us});
  if (!rows.next()) return std::nullopt;
  return Liveness{rows.integer(0), !rows.is_null(1), !rows.is_null(2)};
}

bool is_suspended(db::Connection& connection, int64_t account) {
  auto rows = connection.query("SELECT suspended_us FROM account WHERE id = $1", {account});
  return rows.next() && !rows.is_null(0);
}

std::vector<int64_t> end_sessions(db::Connection& transaction, int64_t account, std::string_view reason, Instant now,
                                  int64_t except) {
  std::vector<int64_t> ids;
  {
    auto rows = transaction.query("SELECT id FROM session WHERE account = $1 AND ended_us IS NULL AND id <> $2",
                                  {account, except});
    while (rows.next()) ids.push_back(rows.integer(0));
  }
  transaction.execute(
      "UPDATE session SET ended_us = $2, ended_reason = $3 WHERE account = $1 AND ended_us IS NULL AND id <> $4",
      {account, now.us, reason, except});
  return ids;
}

NewSession Identity::Implementation::open_session(db::Connection& transaction, const Standing& standing,
                                                  const Origin& origin, Instant now) {
  transaction.execute(kEndDead, {standing.id, now.us});
  std::vector<int64_t> live;
  {
    auto rows = transaction.query(kLiveOfAccount, {standing.id, now.us});
    while (rows.next()) live.push_back(rows.integer(0));
  }
  for (size_t i = static_cast<size_t>(options_.sessions_per_account - 1); i < live.size(); ++i) {
    transaction.execute(kEndOne, {live[i], now.us, "replaced"});
    cache_.forget(live[i]);
  }

  auto session = std::make_shared<Session>();
  session->id = 1 + static_cast<int64_t>(crypto::random_number(static_cast<uint64_t>(kIdBelow - 1)));
  session->account = standing.id;
  session->person = standing.person;
  session->kind = standing.kind;
  session->login = standing.login;
  session->display_name = standing.display_name;
  session->created = now;
  session->expires = {now.us + options_.session_us};
  session->must_change = standing.must_change;
  session->password_due = password_due(standing.kind, standing.password_set_us, now);
  session->agreement_due = is_staff_kind(standing.kind) && standing.agreement_version < options_.agreement_version;
  {
    auto rows = transaction.query("SELECT epoch FROM gate WHERE id = 1");
    if (!rows.next()) throw std::runtime_error("the store has no gate");
    session->epoch = rows.integer(0);
  }
  std::string token = crypto::base64url(crypto::random_bytes(kTokenBytes));
  const crypto::Digest digest = crypto::sha256(token);
  const crypto::Digest agent = crypto::sha256(origin.user_agent), device = crypto::sha256(origin.device);
  const auto blob = [](const crypto::Digest& bytes) { return db::Param::blob(crypto::bytes_of(bytes)); };
  transaction.execute(
      kInsert, {session->id, blob(digest), standing.id, now.us, session->expires.us, idle_until(now),
                origin.remote.substr(0, kRemoteMost), blob(agent), origin.device.empty() ? db::Param() : blob(device),
                origin.zone.empty() ? db::Param() : db::Param(origin.zone)});
  return {std::move(token), std::move(session)};
}

bool Identity::Implementation::password_due(std::string_view kind, int64_t password_set_us, Instant now) const {
  return options_.rules == PasswordRules::dengbao && options_.password_days > 0 && is_staff_kind(kind) &&
         now.us - password_set_us >= options_.password_days * kDay;
}

void Identity::Implementation::keep(const crypto::Digest& digest, std::shared_ptr<const Session> session,
                                    int64_t idle_until_us, Instant now) {
  if (cache_.put(digest, std::move(session), idle_until_us, now.us)) wake();
}

std::shared_ptr<const Session> Identity::Implementation::read_session(const crypto::Digest& digest, Instant now) {
  auto session = std::make_shared<Session>();
  int64_t idle_until_us = 0;
  {
    auto lease = store_.reader();
    auto rows = lease->query(kRead, {db::Param::blob(crypto::bytes_of(digest)), now.us});
    if (!rows.next()) return nullptr;
    session->id = rows.integer(0);
    session->account = rows.integer(1);
    session->created = {rows.integer(2)};
    session->expires = {rows.integer(3)};
    idle_until_us = rows.integer(4);
    session->person = rows.integer(5);
    session->kind = rows.text(6);
    session->login = rows.text(7);
    session->display_name = rows.text(8);
    session->must_change = rows.integer(9) != 0;
    session->password_due = password_due(session->kind, rows.integer(10), now);
    session->agreement_due = is_staff_kind(session->kind) && rows.integer(11) < options_.agreement_version;
    session->epoch = rows.integer(12);
  }
  keep(digest, session, idle_until_us, now);
  return session;
}

void Identity::Implementation::forget(std::span<const int64_t> sessions) {
  for (const int64_t id : sessions) cache_.forget(id);
}

std::shared_ptr<const Session> Identity::find_session(std::string_view token) {
  if (token.size() != kTokenCharacters) return nullptr;
  Implementation& it = *implementation_;
  const crypto::Digest digest = crypto::sha256(token);
  const Instant now = it.clock_.now();
  if (auto found = it.cache_.find(digest, now.us); found.session) {
    it.counters_.cache_hits.fetch_add(1, std::memory_order_relaxed);
    if (found.urgent) it.wake();
    return std::move(found.session);
  }
  it.counters_.cache_misses.fetch_add(1, std::memory_order_relaxed);
  return it.read_session(digest, now);
}

std::optional<Lost> Identity::lost(std::string_view token) {
  if (token.size() != kTokenCharacters) return std::nullopt;
  const crypto::Digest digest = crypto::sha256(token);
  auto lease = implementation_->store_.reader();
  auto rows = lease->query(
      "SELECT s.id, s.account, s.ended_reason, a.suspended_us FROM session s JOIN account a ON a.id = s.account WHERE "
      "s.token_digest = $1",
      {db::Param::blob(crypto::bytes_of(digest))});
  if (!rows.next()) return std::nullopt;
  return Lost{rows.integer(0), rows.integer(1), std::string(rows.text(2)), !rows.is_null(3)};
}

void Identity::forget(int64_t session) {
  implementation_->cache_.forget(session);
}

void Identity::sign_out(const Session& session) {
  Implementation& it = *implementation_;
  it.store_.writer()->execute(kEndOne, {session.id, it.clock_.now().us, "signed_out"});
  it.cache_.forget(session.id);
}

std::vector<LiveSession> Identity::sessions_of(db::Connection& connection, int64_t account) const {
  std::vector<LiveSession> sessions;
  auto rows = connection.query(kLiveOfAccount, {account, implementation_->clock_.now().us});
  while (rows.next()) {
    sessions.push_back({rows.integer(0), {rows.integer(1)}, {rows.integer(2)}, std::string(rows.text(3))});
  }
  return sessions;
}

std::optional<Beginning> Identity::beginning_of(db::Connection& connection, int64_t session) const {
  auto found = beginnings(connection.query(kBeginningOf, {session}));
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

std::vector<Beginning> Identity::begun_by(db::Connection& connection, int64_t account, Instant since) const {
  return beginnings(connection.query(kBegunBy, {account, since.us}));
}

std::vector<Beginning> Identity::begun_on(db::Connection& connection, std::string_view device, Instant since) const {
  return beginnings(connection.query(kBegunOn, {db::Param::blob(device), since.us}));
}

bool Identity::end_session(int64_t account, int64_t session) {
  Implementation& it = *implementation_;
  const int64_t ended = it.store_.writer()->execute(
      "UPDATE session SET ended_us = $3, ended_reason = 'ended_by_owner' WHERE id = $1 AND account = $2 AND ended_us "
      "IS NULL",
      {session, account, it.clock_.now().us});
  it.cache_.forget(session);
  return ended == 1;
}

// ---- upkeep

void Identity::Implementation::wake() {
  {
    const std::lock_guard lock(wake_mutex_);
    woken_ = true;
  }
  wake_up_.notify_one();
}

void Identity::Implementation::run(const std::stop_token& stop) {
  constexpr auto kBetween = std::chrono::seconds(1);  // urgent uses are collected for so long
  while (!stop.stop_requested()) {
    {
      std::unique_lock lock(wake_mutex_);
      wake_up_.wait_for(lock, stop, std::chrono::microseconds(options_.idle_flush_us), [&] { return woken_; });
      if (!stop.stop_requested()) wake_up_.wait_for(lock, stop, kBetween, [] { return false; });
      woken_ = false;
    }
    try {
      tend();
    } catch (const db::Error&) {
      counters_.tend_failures.fetch_add(1, std::memory_order_relaxed);  // the uses stay due: the next round writes them
    }
  }
}

// PostgreSQL: each statement by itself, as several locked rows could wait in a circle with a suspension. SQLite has one
// writer: few commits matter more, and the writer is given back in between.
void Identity::Implementation::write_uses() {
  constexpr size_t kAtOnce = 256;
  const std::vector<SessionCache::Use> uses = cache_.uses_due();
  for (size_t from = 0; from < uses.size(); from += kAtOnce) {
    const auto some = std::span(uses).subspan(from, std::min(kAtOnce, uses.size() - from));
    auto lease = store_.writer();
    std::optional<db::Transaction> transaction;
    if (store_.dialect() == db::Dialect::sqlite) transaction.emplace(*lease, db::Transaction::Mode::write);
    for (const auto& use : some) lease->execute(kWriteUse, {use.session, use.idle_until_us, use.used_us});
    if (transaction) transaction->commit();
    for (const auto& use : some) cache_.written(use);
  }
}

void Identity::Implementation::remove_old_sessions(Instant now) {
  constexpr int64_t kEvery = 3600 * kSecond;
  constexpr int kRounds = 100;
  if (now.us - removed_at_us_ < kEvery) return;
  for (int round = 0; round < kRounds; ++round) {
    if (store_.writer()->execute(kRemoveOld, {now.us - options_.session_kept_us}) < 1000) break;
  }
  removed_at_us_ = now.us;
}

void Identity::Implementation::tend() {
  const std::lock_guard lock(tend_mutex_);
  write_uses();
  remove_old_sessions(clock_.now());
}

void Identity::tend() {
  implementation_->tend();
}

Identity::Implementation::Implementation(db::Store& store, const Clock& clock, Options options)
    : store_(store),
      clock_(clock),
      options_(options),
      cache_(options.sessions_cached, options.idle_us, options.idle_flush_us),
      remotes_({options.remote_burst, options.remote_refill_us, options.remotes_known}),
      networks_({kNetworkWider * options.remote_burst, options.remote_refill_us, options.remotes_known}),
      known_({options.failures_before_lock, options.remote_refill_us, options.remotes_known}),
      nobodys_hash_(crypto::password_hash(crypto::random_bytes(kTokenBytes))) {
  if (options_.idle_flush_us <= 0 || options_.idle_us < options_.idle_flush_us || options_.sessions_per_account < 1 ||
      options_.remotes_known < 1 || options_.remote_burst < 1 || options_.failures_before_lock < 1 ||
      options_.session_kept_us < 0) {
    throw std::invalid_argument("identity options");
  }
  if (options_.background) {
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }
}

}  // namespace jw::identity
