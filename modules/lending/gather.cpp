// What is known: the record's sign-ins and queries by the hour, places, devices.
#include <charconv>
#include <cstring>
#include <map>

#include "base/json.hpp"
#include "modules/lending/implementation.hpp"

namespace jw::lending {

namespace {

constexpr int64_t kHourUs = 3600 * kSecond;
constexpr size_t kLeavesAtOnce = 4000;
constexpr int kRoundsMost = 100;

bool is_query(std::string_view kind) {
  return kind == "query" || kind == "detail" || kind == "statistics" || kind == "export" || kind == "print";
}

struct UseKey {
  int64_t account, hour_us, session;
  std::string dataset;
  auto operator<=>(const UseKey&) const = default;
};
struct UseSum {
  int64_t queries = 0;
  uint64_t first_leaf = 0, last_leaf = 0;
};

// A stretch of the record, added up.
struct Stretch {
  std::map<UseKey, UseSum> uses;
  struct SignIn {
    int64_t session, account, time_us;
    uint64_t leaf;
  };
  std::vector<SignIn> sign_ins;

  void add(const record::Trace& trace, int64_t oldest_us) {
    if (trace.account == 0 || trace.session == 0 || trace.time.us < oldest_us) return;
    if (trace.kind == "sign_in") sign_ins.push_back({trace.session, trace.account, trace.time.us, trace.seq});
    if (!is_query(trace.kind) || trace.decision != "allowed") return;
    UseSum& sum = uses[{trace.account, trace.time.us / kHourUs * kHourUs, trace.session, std::string(trace.dataset)}];
    if (sum.queries++ == 0) sum.first_leaf = trace.seq;
    sum.last_leaf = trace.seq;
  }
};

void write(db::Connection& transaction, const identity::Identity& identity, const Stretch& stretch) {
  for (const Stretch::SignIn& each : stretch.sign_ins) {
    transaction.execute(
        "INSERT INTO lending_sign_in (session, account, time_us, leaf) VALUES ($1, $2, $3, $4) ON CONFLICT (session) "
        "DO NOTHING",
        {each.session, each.account, each.time_us, static_cast<int64_t>(each.leaf)});
  }
  std::map<std::pair<int64_t, int64_t>, int64_t> by_day;  // (day, account) → queries
  for (const auto& [key, sum] : stretch.uses) {
    transaction.execute(
        "INSERT INTO lending_use (account, hour_us, session, dataset, queries, first_leaf, last_leaf) VALUES ($1, $2, "
        "$3, $4, $5, $6, $7) ON CONFLICT (account, hour_us, session, dataset) DO UPDATE SET queries = "
        "lending_use.queries + excluded.queries, last_leaf = excluded.last_leaf",
        {key.account, key.hour_us, key.session, key.dataset, sum.queries, static_cast<int64_t>(sum.first_leaf),
         static_cast<int64_t>(sum.last_leaf)});
    by_day[{Instant{key.hour_us}.date().days, key.account}] += sum.queries;
  }
  std::map<std::pair<int64_t, std::string>, int64_t> by_kind;
  for (const auto& [key, queries] : by_day) {
    if (const auto holder = identity.account(transaction, key.second)) by_kind[{key.first, holder->kind}] += queries;
  }
  for (const auto& [key, queries] : by_kind) {
    transaction.execute(
        "INSERT INTO lending_day (day, kind, queries) VALUES ($1, $2, $3) ON CONFLICT (day, kind) DO UPDATE SET "
        "queries = lending_day.queries + excluded.queries",
        {key.first, key.second, queries});
  }
}

int64_t number_of(std::string_view digest) {
  uint64_t bits = 0;
  std::memcpy(&bits, digest.data(), std::min(digest.size(), sizeof bits));
  return static_cast<int64_t>(bits >> 1U) | 1;
}

}  // namespace

std::string json_of(const std::vector<int64_t>& numbers) {
  std::string text;
  JsonWriter out(text);
  out.array();
  for (const int64_t each : numbers) out.value(each);
  out.end_array();
  return text;
}

std::string json_of(const std::vector<uint64_t>& numbers) {
  return json_of(std::vector<int64_t>(numbers.begin(), numbers.end()));
}

// What json_of wrote.
std::vector<int64_t> numbers_of(std::string_view json) {
  std::vector<int64_t> numbers;
  const char *at = json.data(), *end = json.data() + json.size();
  while (at != end) {
    int64_t number = 0;
    const auto [next, error] = std::from_chars(at, end, number);
    if (error == std::errc{}) numbers.push_back(number);
    at = error == std::errc{} ? next : at + 1;
  }
  return numbers;
}

// The leaves are read before the transaction and counted within it, if nobody else has counted them meanwhile.
int64_t Watch::Implementation::read_record(Instant now) {
  const int64_t oldest_us = now.us - kHistoryDays * kDay;
  int64_t total = 0;
  for (int round = 0; round < kRoundsMost; ++round) {
    Stretch stretch;
    uint64_t from = 0, next = 0;
    {
      const db::Store::Lease lease = parts_.store.private_reader();
      {
        auto rows = lease->query("SELECT next_leaf FROM lending_state WHERE id = 1");
        if (!rows.next()) throw db::Error(db::Failure::corrupt, "lending_state is empty");
        from = static_cast<uint64_t>(rows.integer(0));
      }
      next = record::read_trail(*lease, from, kLeavesAtOnce,
                                [&](const record::Trace& trace) { stretch.add(trace, oldest_us); });
    }
    if (next == from) break;
    const db::Store::Lease lease = parts_.store.writer();
    db::Transaction transaction(*lease, db::Transaction::Mode::write);
    const int64_t mine = lease->execute("UPDATE lending_state SET next_leaf = $2 WHERE id = 1 AND next_leaf = $1",
                                        {static_cast<int64_t>(from), static_cast<int64_t>(next)});
    if (mine == 0) break;
    write(*lease, parts_.identity, stretch);
    transaction.commit();
    total += static_cast<int64_t>(next - from);
    if (next - from < kLeavesAtOnce) break;
  }
  return total;
}

void Watch::Implementation::forget_old(Instant now) {
  if (now.us - forgot_at_.us < kHourUs && now.us >= forgot_at_.us) return;
  const int64_t oldest_us = now.us - (kHistoryDays + 2) * kDay;
  const db::Store::Lease lease = parts_.store.writer();
  lease->execute("DELETE FROM lending_place WHERE until_us < $1", {oldest_us});
  lease->execute("DELETE FROM lending_use WHERE hour_us < $1", {oldest_us});
  lease->execute("DELETE FROM lending_sign_in WHERE time_us < $1", {oldest_us});
  lease->execute("DELETE FROM lending_day WHERE day < $1", {Instant{oldest_us}.date().days});
  forgot_at_ = now;
}

void Watch::Implementation::record_network(Instant now) {
  int64_t outbox = 0;
  {
    const db::Store::Lease lease = parts_.store.writer();
    db::Transaction transaction(*lease, db::Transaction::Mode::write);
    if (lease->execute("UPDATE lending_state SET network = $1 WHERE id = 1 AND network <> $1", {network_.digest}) == 0)
      return;
    record::Entry entry = record::act_of({}, "network_zones", "2.5.3", now);
    JsonWriter(entry.parameters)
        .object()
        .field("version", network_.version)
        .field("sha256", network_.digest)
        .field("zones", static_cast<int64_t>(network_.zones.size()))
        .end_object();
    outbox = parts_.recorder.put_in_outbox(*lease, entry);
    transaction.commit();
  }
  parts_.recorder.deliver(outbox);
}

std::set<int64_t> Watch::Implementation::active_accounts(db::Connection& connection, int64_t since_us) {
  std::set<int64_t> accounts;
  auto rows = connection.query("SELECT DISTINCT account FROM lending_place WHERE until_us >= $1", {since_us});
  while (rows.next()) accounts.insert(rows.integer(0));
  return accounts;
}

namespace {

// Who signed in on a device within the history, and how many of late where machines are not everybody's.
Device read_device(const std::vector<identity::Beginning>& begun, const Network& network, int64_t since_us) {
  Device device;
  std::map<int64_t, std::set<int32_t>> days;
  std::set<int64_t> recent;
  for (const identity::Beginning& each : begun) {
    days[each.account].insert(each.at.date().days);
    const Zone& zone = network.zones[static_cast<size_t>(network.zone_named(each.zone))];
    if (each.at.us >= since_us && !zone.is_shared()) recent.insert(each.account);
  }
  for (const auto& [account, on] : days) device.users.push_back({account, static_cast<int>(on.size())});
  device.recent = static_cast<int>(recent.size());
  return device;
}

// Queries of today by accounts of this kind against their usual day, in thousandths.
int64_t day_permille(db::Connection& connection, const std::string& kind, Instant now) {
  const int64_t today = now.date().days;
  int64_t so_far = 0, sum = 0, days = 0;
  auto rows = connection.query("SELECT day, queries FROM lending_day WHERE kind = $1 AND day >= $2",
                               {kind, today - kHistoryDays});
  while (rows.next()) {
    if (rows.integer(0) == today) {
      so_far = rows.integer(1);
    } else {
      sum += rows.integer(1);
      ++days;
    }
  }
  return days == 0 || sum == 0 ? 1000 : so_far * 1000 * days / sum;
}

}  // namespace

View Watch::Implementation::view_of(db::Connection& connection, int64_t account, const Settings& settings,
                                    Instant now) {
  const int64_t oldest_us = now.us - kHistoryDays * kDay;
  View view;
  view.now = now;
  view.account = account;
  std::map<int64_t, std::string> devices;    // digest by number
  std::map<int64_t, std::string> device_of;  // digest by session
  const Instant earliest{oldest_us - parts_.identity.options().session_us};
  for (identity::Beginning& each : parts_.identity.begun_by(connection, account, earliest))
    device_of.emplace(each.session, std::move(each.device));
  {
    auto rows = connection.query(
        "SELECT session, from_us, until_us, zone FROM lending_place WHERE account = $1 AND until_us >= $2 ORDER BY "
        "from_us",
        {account, oldest_us});
    while (rows.next()) {
      const auto found = device_of.find(rows.integer(0));
      const bool known = found != device_of.end() && !found->second.empty();
      const int64_t device = known ? number_of(found->second) : 0;
      if (known) devices.try_emplace(device, found->second);
      view.bursts.push_back(
          {rows.integer(0), device, network_.zone_named(rows.text(3)), rows.integer(1), rows.integer(2)});
    }
  }
  {
    auto rows = connection.query(
        "SELECT session, hour_us, dataset, queries, first_leaf, last_leaf FROM lending_use WHERE account = $1 AND "
        "hour_us >= $2",
        {account, oldest_us});
    while (rows.next()) {
      view.uses.push_back({rows.integer(0), rows.integer(1), std::string(rows.text(2)), rows.integer(3),
                           static_cast<uint64_t>(rows.integer(4)), static_cast<uint64_t>(rows.integer(5))});
    }
  }
  {
    auto rows = connection.query("SELECT session, leaf FROM lending_sign_in WHERE account = $1 AND time_us >= $2",
                                 {account, oldest_us});
    while (rows.next()) view.sign_in_leaves.emplace(rows.integer(0), static_cast<uint64_t>(rows.integer(1)));
  }
  const int64_t since_us = now.us - settings.window_hours * kHourUs;
  for (const auto& [number, digest] : devices) {
    const auto begun = parts_.identity.begun_on(connection, digest, {oldest_us});
    view.devices.emplace(number, read_device(begun, network_, since_us));
  }
  const auto holder = parts_.identity.account(connection, account);
  view.day_permille = day_permille(connection, holder ? holder->kind : "", now);
  return view;
}

}  // namespace jw::lending
