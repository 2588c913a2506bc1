// Accounts, sign-in and sessions on every store.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <latch>
#include <set>
#include <thread>

#include "kernel/identity/api.hpp"
#include "kernel/identity/one_time_code.hpp"
#include "platform/crypto/api.hpp"
#include "tests/support/stores.hpp"

namespace jw::identity {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kPassword = "Tr4vel-by-night";
constexpr std::string_view kRemote = "192.0.2.7";

class SetClock : public Clock {
 public:
  Instant now() const override { return {us_.load()}; }
  void pass(int64_t us) { us_ += us; }

 private:
  std::atomic<int64_t> us_ = Instant::parse("2026-09-01T08:00:00+08:00")->us;
};

// What a person is told: everything of a refusal but nothing else.
std::string told(const Refusal& refusal) {
  std::string all =
      std::to_string(static_cast<int>(refusal.code)) + refusal.type + refusal.detail.zh + refusal.detail.en;
  for (const auto& field : refusal.fields) all += field.field + field.code;
  return all;
}

// One node: own pools, own cache.
struct Node {
  Node(const db::Options& where, const Clock& clock, const Options& options)
      : store(db::Store::open(where)), identity(*store, clock, options) {}

  SignIn sign_in(std::string_view login, std::string_view password, std::string_view remote = kRemote) {
    return identity.sign_in({.login = login, .password = password, .remote = remote, .user_agent = "test"});
  }
  std::string type_of(std::string_view login, std::string_view password, std::string_view remote = kRemote) {
    const SignIn answer = sign_in(login, password, remote);
    return answer.result ? "allowed" : answer.result.refusal().type;
  }
  template <class Act>
  auto change(Act act) {
    auto lease = store->writer();
    db::Transaction transaction(*lease, db::Transaction::Mode::write);
    auto result = act(*lease);
    transaction.commit();
    return result;
  }
  std::optional<int64_t> gate(int64_t session, Instant now) { return check_live(*store->reader(), session, now); }
  int64_t epoch() {
    auto lease = store->reader();
    auto rows = lease->query("SELECT epoch FROM gate WHERE id = 1");
    rows.next();
    return rows.integer(0);
  }

  std::unique_ptr<db::Store> store;
  Identity identity;
};

class IdentityOn : public testing::TestWithParam<db::Dialect> {
 protected:
  static Options strict() {
    Options options;
    options.background = false;
    options.failures_before_lock = 3;
    options.remote_burst = 1000;
    return options;
  }

  void SetUp() override {
    if (!tests::TestStore::available(GetParam())) GTEST_SKIP() << "no PostgreSQL: JIAOWU_TEST_PG is empty";
    stored_.emplace(GetParam());
    db::migrate(*stored_->store().writer(), db::migrations_of(JW_SOURCE_DIR));
  }

  Node node(const Options& options) { return Node(stored_->options(), clock_, options); }

  // A staff account ready to use: with a password of its own, as if the first sign-in had been.
  int64_t ready(Node& on, std::string_view login, std::string_view kind = "teacher") {
    static const std::string hash = crypto::password_hash(kPassword);
    const int64_t now_us = clock_.now().us;
    return on.change([&](db::Connection& transaction) {
      const NewAccount account{.login = login, .kind = kind, .display_name = "李四光"};
      const int64_t id = *on.identity.create_inactive(transaction, std::span(&account, 1));
      transaction.execute("UPDATE account SET password_hash = $2, password_set_us = $3 WHERE id = $1",
                          {id, hash, now_us});
      return id;
    });
  }

  SetClock clock_;
  std::optional<tests::TestStore> stored_;
};

JW_ON_BOTH_STORES(IdentityOn);

TEST_P(IdentityOn, one_signs_in_with_ones_own_account_and_password) {
  Node one = node(strict());
  const int64_t id = ready(one, "T2019001");
  SignIn answer = one.sign_in(" ｔ2019001 ", kPassword);  // full width, other case, blanks
  ASSERT_TRUE(answer.result);
  EXPECT_EQ(answer.outcome.kind, "sign_in");
  EXPECT_EQ(answer.outcome.decision, "allowed");
  EXPECT_EQ(answer.outcome.account, id);
  const auto& session = answer.result->session;
  EXPECT_EQ(answer.outcome.session, session->id);
  EXPECT_EQ(session->account, id);
  EXPECT_EQ(session->login, "T2019001");
  EXPECT_EQ(session->kind, "teacher");
  EXPECT_EQ(session->display_name, "李四光");
  EXPECT_EQ(session->expires.us, clock_.now().us + strict().session_us);
  EXPECT_FALSE(session->must_change);
  EXPECT_EQ(answer.result->token.size(), 43U);
  EXPECT_EQ(one.identity.find_session(answer.result->token)->id, session->id);
  EXPECT_EQ(one.gate(session->id, clock_.now()), one.epoch());

  one.identity.sign_out(*session);
  EXPECT_EQ(one.identity.find_session(answer.result->token), nullptr);
  EXPECT_EQ(one.gate(session->id, clock_.now()), std::nullopt);
}

TEST_P(IdentityOn, wrong_password_says_nothing_about_the_account) {
  Node one = node(strict());
  ready(one, "known");
  ASSERT_TRUE(one.change([&](db::Connection& transaction) {
    const NewAccount sleeping{.login = "sleeping", .kind = "student", .display_name = "王五"};
    return one.identity.create_inactive(transaction, std::span(&sleeping, 1));
  }));
  const SignIn wrong = one.sign_in("known", "not-the-Passw0rd");
  const SignIn unknown = one.sign_in("unknown", kPassword);
  const SignIn sleeping = one.sign_in("sleeping", kPassword);
  const SignIn nonsense = one.sign_in("\xff'; --", "\xff\xfe");
  const SignIn empty = one.sign_in("", "");
  ASSERT_FALSE(wrong.result);
  for (const SignIn* other : {&unknown, &sleeping, &nonsense, &empty}) {
    ASSERT_FALSE(other->result);
    EXPECT_EQ(told(other->result.refusal()), told(wrong.result.refusal()));
  }
  // the record may know more than the person is told
  EXPECT_EQ(wrong.outcome.kind, "sign_in_failed");
  EXPECT_EQ(wrong.outcome.decision, "identity.wrong_password");
  EXPECT_EQ(unknown.outcome.decision, "identity.unknown_login");
  EXPECT_EQ(unknown.outcome.account, 0);
  EXPECT_EQ(sleeping.outcome.decision, "identity.not_activated");
}

TEST_P(IdentityOn, every_attempt_costs_the_same_work) {
  Node one = node(strict());
  ready(one, "known");
  const auto& counters = one.identity.counters();
  const auto cost = [&](std::string_view login, std::string_view password) {
    const uint64_t before = counters.verifications + counters.hashes;
    one.sign_in(login, password);
    return counters.verifications + counters.hashes - before;
  };
  EXPECT_EQ(cost("known", kPassword), 1U);
  EXPECT_EQ(cost("known", "wrong"), 1U);
  EXPECT_EQ(cost("unknown", kPassword), 1U);
  EXPECT_EQ(cost("", ""), 1U);
  EXPECT_EQ(cost("known", std::string(10'000, 'x')), 1U);
  for (int i = 0; i < 3; ++i) one.sign_in("known", "wrong");
  EXPECT_EQ(cost("known", kPassword), 1U);  // locked
  // and the same write: a failure is written down whether or not somebody has the login
  auto lease = one.store->reader();
  auto rows = lease->query("SELECT failed_count FROM nobody WHERE id = 0");
  ASSERT_TRUE(rows.next());
  EXPECT_EQ(rows.integer(0), 2);
}

TEST_P(IdentityOn, wrong_passwords_lock_for_longer_and_longer_and_time_unlocks) {
  Node one = node(strict());
  ready(one, "known");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(one.type_of("known", "wrong"), "identity.sign_in_refused");
  EXPECT_EQ(one.type_of("known", kPassword), "identity.locked");
  clock_.pass(61 * kSecond);
  EXPECT_EQ(one.type_of("known", "wrong"), "identity.sign_in_refused");  // the fourth: two minutes
  clock_.pass(61 * kSecond);
  const SignIn still = one.sign_in("known", kPassword);
  ASSERT_FALSE(still.result);
  EXPECT_EQ(still.result.refusal().type, "identity.locked");
  EXPECT_EQ(still.result.refusal().code, Code::too_many);
  EXPECT_THAT(still.result.refusal().detail.en, HasSubstr("1 min"));
  clock_.pass(60 * kSecond);
  EXPECT_EQ(one.type_of("known", kPassword), "allowed");
  // success forgets the failures
  for (int i = 0; i < 2; ++i) EXPECT_EQ(one.type_of("known", "wrong"), "identity.sign_in_refused");
  EXPECT_EQ(one.type_of("known", kPassword), "allowed");
}

TEST_P(IdentityOn, failures_of_yesterday_are_forgotten_and_the_longest_lock_is_an_hour) {
  Node one = node(strict());
  ready(one, "known");
  for (int i = 0; i < 2; ++i) one.sign_in("known", "wrong");
  clock_.pass(25 * 3600 * kSecond);
  one.sign_in("known", "wrong");
  EXPECT_EQ(one.type_of("known", kPassword), "allowed");
  for (int i = 0; i < 14; ++i) {
    one.sign_in("known", "wrong");
    clock_.pass(3600 * kSecond);
  }
  EXPECT_EQ(one.type_of("known", kPassword), "allowed");
}

TEST_P(IdentityOn, the_lock_is_no_oracle) {
  Node one = node(strict());
  ready(one, "known");
  for (int i = 0; i < 3; ++i) one.sign_in("known", "wrong");
  EXPECT_EQ(one.type_of("known", "wrong"), "identity.sign_in_refused");
  // after a wrong attempt during the lock the right password sounds like any other until the lock ends
  EXPECT_EQ(one.type_of("known", kPassword), "identity.sign_in_refused");
  clock_.pass(61 * kSecond);
  EXPECT_EQ(one.type_of("known", kPassword), "allowed");
}

TEST_P(IdentityOn, parallel_guesses_gain_nothing_over_guesses_in_a_row) {
  Node one = node(strict());
  ready(one, "known");
  std::atomic<int> allowed = 0;
  std::vector<std::jthread> guessers;
  for (int i = 0; i < 12; ++i) {
    guessers.emplace_back([&] { allowed += one.sign_in("known", "wrong").result ? 1 : 0; });
  }
  guessers.clear();
  EXPECT_EQ(allowed, 0);
  auto lease = one.store->reader();
  auto rows = lease->query("SELECT failed_count, locked_attempts FROM account WHERE login = 'known'");
  ASSERT_TRUE(rows.next());
  EXPECT_EQ(rows.integer(0), 3);  // then locked: the other nine came too late, though all had read an unlocked account
  EXPECT_EQ(rows.integer(1), 9);
}

TEST_P(IdentityOn, one_remote_address_cannot_try_without_end) {
  Options options = strict();
  options.remote_burst = 4;
  Node one = node(options);
  ready(one, "known");
  for (int i = 0; i < 10; ++i) EXPECT_EQ(one.type_of("known", kPassword, "192.0.2.8"), "allowed");  // costs nothing
  for (int i = 0; i < 4; ++i) EXPECT_EQ(one.type_of("somebody" + std::to_string(i), "x"), "identity.sign_in_refused");
  const uint64_t work = one.identity.counters().verifications;
  EXPECT_EQ(one.type_of("known", kPassword), "identity.too_many_attempts");
  EXPECT_EQ(one.identity.counters().verifications, work);
  EXPECT_EQ(one.type_of("known", kPassword, "192.0.2.8"), "allowed");
  clock_.pass(options.remote_refill_us);
  EXPECT_EQ(one.type_of("known", kPassword), "allowed");
}

// §3.1.1: one who guesses behind the address of a whole dormitory shuts it for strangers alone.
TEST_P(IdentityOn, a_shut_address_still_lets_through_who_has_been_there) {
  Options options = strict();
  options.remote_burst = 4;
  options.failures_before_lock = 5;
  Node one = node(options);
  for (const char* each : {"resident", "traveller", "stranger"}) ready(one, each);
  EXPECT_EQ(one.type_of("resident", kPassword), "allowed");
  const auto from_browser = [&](std::string_view login, std::string_view password) {
    const SignIn answer = one.identity.sign_in(
        {.login = login, .password = password, .remote = kRemote, .user_agent = "test", .device = "a mark"});
    return answer.result ? "allowed" : answer.result.refusal().type;
  };
  ASSERT_TRUE(one.identity
                  .sign_in({.login = "traveller",
                            .password = kPassword,
                            .remote = "203.0.113.5",
                            .user_agent = "test",
                            .device = "a mark"})
                  .result);
  for (int i = 0; i < 4; ++i) one.sign_in("nobody" + std::to_string(i), "x");
  EXPECT_EQ(one.type_of("stranger", kPassword), "identity.too_many_attempts");
  EXPECT_EQ(one.type_of("traveller", kPassword), "identity.too_many_attempts");
  EXPECT_EQ(from_browser("traveller", kPassword), "allowed") << "has signed in in this browser";
  EXPECT_EQ(from_browser("stranger", kPassword), "identity.too_many_attempts") << "another account has not";
  for (int i = 0; i < 3; ++i) EXPECT_EQ(one.type_of("resident", kPassword), "allowed") << "has signed in from here";
  // Guessing on does not tell which accounts are known here, and comes to an end.
  for (int i = 0; i < 5; ++i) EXPECT_EQ(one.type_of("resident", "wrong"), "identity.too_many_attempts");
  const uint64_t work = one.identity.counters().verifications;
  EXPECT_EQ(one.type_of("resident", "wrong"), "identity.too_many_attempts");
  EXPECT_EQ(one.identity.counters().verifications, work);
}

TEST_P(IdentityOn, many_addresses_of_one_network_are_bounded_together) {
  Options options = strict();
  options.remote_burst = 4;
  Node one = node(options);
  ready(one, "known");
  int looked_at = 0;
  for (int i = 0; i < 60; ++i)
    looked_at += one.type_of("nobody", "x", "192.0.2." + std::to_string(i)) == "identity.sign_in_refused" ? 1 : 0;
  EXPECT_EQ(looked_at, 32);
  EXPECT_EQ(one.type_of("known", kPassword, "192.0.2.200"), "identity.too_many_attempts");
  EXPECT_EQ(one.type_of("known", kPassword, "192.0.3.200"), "allowed");
}

// The lock of the door is not the lock of a live session, nor of a browser whose owner has been here.
TEST_P(IdentityOn, a_strangers_guesses_stop_neither_a_live_session_nor_a_known_browser) {
  Node one = node(strict());
  ready(one, "head");
  const auto from_browser = [&](std::string_view password) {
    return one.identity.sign_in(
        {.login = "head", .password = password, .remote = kRemote, .user_agent = "test", .device = "a mark"});
  };
  const NewSession here = *from_browser(kPassword).result;
  for (int i = 0; i < 9; ++i) one.sign_in("head", "wrong", "203.0.113.9");
  EXPECT_EQ(one.type_of("head", kPassword, "203.0.113.10"), "identity.sign_in_refused") << "the door is locked";
  EXPECT_TRUE(one.identity.confirm_again(*here.session, "", kPassword));
  clock_.pass(kSecond);
  EXPECT_TRUE(from_browser(kPassword).result);
  // Guesses inside a session, or in a known browser, lock there and nowhere else.
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(one.identity.confirm_again(*here.session, "", "wrong").refusal().type, "identity.password_wrong");
  EXPECT_EQ(one.identity.confirm_again(*here.session, "", kPassword).refusal().type, "identity.locked");
  EXPECT_TRUE(from_browser(kPassword).result);
  for (int i = 0; i < 3; ++i) from_browser("wrong");
  EXPECT_EQ(from_browser(kPassword).result.refusal().type, "identity.locked");
  clock_.pass(3600 * kSecond);
  EXPECT_TRUE(from_browser(kPassword).result);
  // A reset lifts every lock.
  for (int i = 0; i < 3; ++i) from_browser("wrong");
  const OneTime one_time = one.identity.one_time_password();
  ASSERT_TRUE(
      one.change([&](db::Connection& t) { return one.identity.issue_one_time(t, here.session->account, one_time); }));
  EXPECT_EQ(from_browser(one_time.text).result.refusal().type, "identity.password_change_required");
}

TEST_P(IdentityOn, sign_ins_at_once_are_bounded_and_a_flood_from_one_place_leaves_room) {
  Options options = strict();
  options.sign_ins_waiting = 16;
  options.remote_burst = 6;
  Node one = node(options);
  ready(one, "known");
  std::atomic<int> busy = 0;
  std::atomic<int> limited = 0;
  std::vector<std::jthread> flood;
  for (int i = 0; i < 60; ++i) {
    flood.emplace_back([&] {
      const std::string type = one.type_of("unknown", "x", "198.51.100.1");
      busy += type == "identity.busy" ? 1 : 0;
      limited += type == "identity.too_many_attempts" ? 1 : 0;
    });
  }
  flood.clear();
  EXPECT_EQ(60 - busy - limited, 6);  // the flood got its burst to work on, no more
  EXPECT_LE(one.identity.counters().waiting_most, 16U);
  EXPECT_EQ(one.identity.counters().waiting, 0U);
  EXPECT_EQ(one.type_of("known", kPassword), "allowed");
}

TEST_P(IdentityOn, beyond_the_bound_people_are_told_to_come_back) {
  Options options = strict();
  options.sign_ins_waiting = 3;
  Node one = node(options);
  ready(one, "known");
  std::latch start(12);
  std::atomic<int> allowed = 0;
  std::atomic<int> busy = 0;
  std::vector<std::jthread> rush;
  for (int i = 0; i < 12; ++i) {
    rush.emplace_back([&] {
      start.arrive_and_wait();
      const std::string type = one.type_of("known", kPassword);
      allowed += type == "allowed" ? 1 : 0;
      busy += type == "identity.busy" ? 1 : 0;
    });
  }
  rush.clear();
  EXPECT_EQ(allowed + busy, 12);  // nobody is refused for another reason, nobody waits for ever
  EXPECT_GE(allowed, 3);
  EXPECT_LE(one.identity.counters().waiting_most, 3U);
  EXPECT_EQ(one.type_of("known", kPassword), "allowed");
}

TEST_P(IdentityOn, a_one_time_password_forces_a_new_one) {
  Node one = node(strict());
  const OneTime one_time = one.identity.one_time_password();
  EXPECT_THAT(one_time.text, testing::MatchesRegex("[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}"));
  const int64_t id = one.change([&](db::Connection& transaction) {
    return *one.identity.create_account(
        transaction, {.login = "office1", .kind = "academic_office", .display_name = "赵六"}, one_time);
  });
  EXPECT_EQ(one.type_of("office1", one_time.text), "identity.password_change_required");

  const auto with_new = [&](std::string_view old_password, std::string_view new_password) {
    return one.identity.sign_in({.login = "office1", .password = old_password, .new_password = new_password});
  };
  const SignIn weak = with_new(one_time.text, "short");
  ASSERT_FALSE(weak.result);
  EXPECT_EQ(weak.result.refusal().type, "identity.password_rules");
  EXPECT_EQ(weak.result.refusal().code, Code::unprocessable);
  EXPECT_EQ(weak.result.refusal().fields.front().field, "new_password");
  EXPECT_EQ(with_new("wrong", kPassword).result.refusal().type, "identity.sign_in_refused");

  std::string sloppy = one_time.text;  // as people type it
  for (char& c : sloppy) c = c == '-' ? ' ' : static_cast<char>(std::tolower(c));
  const SignIn changed = with_new(sloppy, kPassword);
  ASSERT_TRUE(changed.result);
  EXPECT_EQ(changed.outcome.account, id);
  EXPECT_FALSE(changed.result->session->must_change);
  EXPECT_EQ(one.type_of("office1", one_time.text), "identity.sign_in_refused");  // once
  EXPECT_EQ(one.type_of("office1", kPassword), "allowed");
}

TEST_P(IdentityOn, a_one_time_password_expires) {
  Node one = node(strict());
  const int64_t id = ready(one, "known");
  const SignIn before = one.sign_in("known", kPassword);
  const OneTime reset = one.identity.one_time_password();
  ASSERT_TRUE(
      one.change([&](db::Connection& transaction) { return one.identity.issue_one_time(transaction, id, reset); }));
  EXPECT_EQ(one.gate(before.result->session->id, clock_.now()), std::nullopt);  // a reset ends what was open
  EXPECT_EQ(one.type_of("known", kPassword), "identity.sign_in_refused");
  clock_.pass(strict().one_time_us);
  EXPECT_EQ(one.type_of("known", reset.text), "identity.one_time_expired");
  EXPECT_EQ(one.type_of("known", "wrong"), "identity.sign_in_refused");
  const OneTime again = one.identity.one_time_password();
  EXPECT_NE(again.text, reset.text);
  ASSERT_TRUE(
      one.change([&](db::Connection& transaction) { return one.identity.issue_one_time(transaction, id, again); }));
  EXPECT_TRUE(
      one.identity.sign_in({.login = "known", .password = again.text, .new_password = "An0ther-good-one"}).result);
}

TEST_P(IdentityOn, neither_token_nor_password_is_stored) {
  Node one = node(strict());
  ready(one, "known");
  const SignIn answer = one.sign_in("known", kPassword);
  ASSERT_TRUE(answer.result);
  const std::string& token = answer.result->token;
  std::string everything;
  auto lease = one.store->reader();
  for (const char* sql :
       {"SELECT * FROM session", "SELECT * FROM account", "SELECT * FROM secret", "SELECT * FROM nobody"}) {
    auto rows = lease->query(sql);
    while (rows.next()) {
      for (size_t i = 0; i < rows.columns(); ++i) {
        if (rows.kind(i) == db::Kind::text || rows.kind(i) == db::Kind::blob) everything += rows.text(i);
      }
    }
  }
  const crypto::Digest digest = crypto::sha256(token);
  EXPECT_THAT(everything, HasSubstr(std::string(crypto::bytes_of(digest))));
  EXPECT_THAT(everything, HasSubstr("$argon2id$"));
  EXPECT_THAT(everything, Not(HasSubstr(token)));
  EXPECT_THAT(everything, Not(HasSubstr(*crypto::unbase64url(token))));
  EXPECT_THAT(everything, Not(HasSubstr(std::string(kPassword))));
}

TEST_P(IdentityOn, suspension_ends_every_session_on_the_next_statement_of_every_node) {
  Node one = node(strict());
  Node other = node(strict());
  const int64_t id = ready(one, "known");
  const SignIn answer = one.sign_in("known", kPassword);
  const std::string token = answer.result->token;
  const auto cached = other.identity.find_session(token);
  ASSERT_NE(cached, nullptr);
  ASSERT_TRUE(other.gate(cached->id, clock_.now()));
  const int64_t epoch = one.epoch();

  ASSERT_TRUE(one.change([&](db::Connection& t) { return one.identity.suspend(t, id, "2.5.3"); }));

  EXPECT_NE(other.identity.find_session(token), nullptr);         // the other node's memory is stale …
  EXPECT_EQ(other.gate(cached->id, clock_.now()), std::nullopt);  // … and the gate knows
  other.identity.forget(cached->id);
  EXPECT_EQ(other.identity.find_session(token), nullptr);
  EXPECT_EQ(one.identity.find_session(token), nullptr);
  EXPECT_GT(one.epoch(), epoch);
  EXPECT_EQ(one.type_of("known", "wrong"), "identity.sign_in_refused");
  EXPECT_EQ(one.type_of("known", kPassword), "identity.suspended");  // told after the right password only

  ASSERT_TRUE(one.change([&](db::Connection& t) { return one.identity.resume(t, id); }));
  EXPECT_EQ(one.gate(cached->id, clock_.now()), std::nullopt);  // what was ended stays ended
  EXPECT_EQ(one.type_of("known", kPassword), "allowed");
}

TEST_P(IdentityOn, the_gate_minds_the_account_even_if_a_session_was_left_open) {
  Node one = node(strict());
  const int64_t id = ready(one, "known");
  const SignIn answer = one.sign_in("known", kPassword);
  const int64_t session = answer.result->session->id;
  for (const char* column : {"suspended_us", "closed_us"}) {
    ASSERT_TRUE(one.gate(session, clock_.now()));
    one.store->writer()->execute("UPDATE account SET " + std::string(column) + " = 1 WHERE id = $1", {id});
    EXPECT_EQ(one.gate(session, clock_.now()), std::nullopt) << column;
    one.store->writer()->execute("UPDATE account SET " + std::string(column) + " = NULL WHERE id = $1", {id});
  }
}

TEST_P(IdentityOn, a_sign_in_under_way_does_not_outlive_a_suspension) {
  Node one = node(strict());
  Node other = node(strict());
  const int64_t id = ready(one, "known");
  for (int round = 0; round < 3; ++round) {
    std::vector<std::future<SignIn>> under_way;
    for (int i = 0; i < 4; ++i) {
      under_way.push_back(std::async(std::launch::async, [&] { return other.sign_in("known", kPassword); }));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(15));
    ASSERT_TRUE(one.change([&](db::Connection& t) { return one.identity.suspend(t, id, "2.5.3"); }));
    for (auto& each : under_way) {
      const SignIn answer = each.get();
      if (answer.result) {
        EXPECT_EQ(one.gate(answer.result->session->id, clock_.now()), std::nullopt);
      }
    }
    ASSERT_TRUE(one.change([&](db::Connection& t) { return one.identity.resume(t, id); }));
  }
}

TEST_P(IdentityOn, a_closed_account_is_closed_for_good) {
  Node one = node(strict());
  const int64_t id = ready(one, "known", "academic_office");
  EXPECT_EQ(one.identity.accounts_of_kind(*one.store->reader(), "academic_office"), 1);
  const SignIn answer = one.sign_in("known", kPassword);
  ASSERT_TRUE(one.change([&](db::Connection& t) { return one.identity.close(t, id); }));
  EXPECT_EQ(one.gate(answer.result->session->id, clock_.now()), std::nullopt);
  EXPECT_EQ(one.type_of("known", kPassword), "identity.closed");
  EXPECT_EQ(one.identity.accounts_of_kind(*one.store->reader(), "academic_office"), 0);
  auto lease = one.store->writer();
  EXPECT_EQ(one.identity.close(*lease, id).refusal().type, "identity.account_closed");
  EXPECT_EQ(one.identity.change_kind(*lease, id, "teacher").refusal().type, "identity.account_closed");
  EXPECT_EQ(one.identity.suspend(*lease, 999'999, "").refusal().type, "identity.account_unknown");
  EXPECT_EQ(one.identity.resume(*lease, 999'999).refusal().type, "identity.account_unknown");
  const auto found = one.identity.find_account(*lease, "KNOWN");
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->closed);
}

TEST_P(IdentityOn, a_change_of_kind_raises_the_gate) {
  Node one = node(strict());
  const int64_t id = ready(one, "known");
  const SignIn answer = one.sign_in("known", kPassword);
  const int64_t epoch = one.epoch();
  EXPECT_EQ(answer.result->session->epoch, epoch);
  ASSERT_TRUE(one.change([&](db::Connection& t) { return one.identity.change_kind(t, id, "class_adviser"); }));
  const auto again = one.identity.find_session(answer.result->token);
  ASSERT_NE(again, nullptr);
  EXPECT_EQ(again->kind, "class_adviser");
  EXPECT_EQ(again->epoch, epoch + 1);
  EXPECT_EQ(one.gate(again->id, clock_.now()), epoch + 1);
}

TEST_P(IdentityOn, the_gate_is_one_expression_at_any_place_of_a_statement) {
  Node one = node(strict());
  ready(one, "known");
  const SignIn answer = one.sign_in("known", kPassword);
  const int64_t session = answer.result->session->id;
  const std::string sql = "SELECT a.login, " + gate_sql(2) + " FROM account a WHERE a.login = $1";
  const auto gate_of = [&](int64_t id, int64_t now_us) {
    auto lease = one.store->reader();
    auto rows = lease->query(sql, {"known", id, now_us});
    EXPECT_TRUE(rows.next());
    EXPECT_EQ(rows.text(0), "known");
    return rows.is_null(1) ? -1 : rows.integer(1);
  };
  const int64_t now_us = clock_.now().us;
  EXPECT_EQ(gate_of(session, now_us), one.epoch());
  EXPECT_EQ(gate_of(session + 1, now_us), -1);
  EXPECT_EQ(gate_of(session, now_us + strict().idle_us + strict().idle_flush_us), -1);
  EXPECT_EQ(gate_of(session, answer.result->session->expires.us), -1);
}

TEST_P(IdentityOn, an_unused_session_dies_and_a_used_one_lives_until_it_expires) {
  Node one = node(strict());
  ready(one, "known");
  const std::string used = one.sign_in("known", kPassword).result->token;
  const std::string unused = one.sign_in("known", kPassword).result->token;
  const int64_t unused_id = one.identity.find_session(unused)->id;
  const int64_t until_us = one.identity.find_session(used)->expires.us;
  while (clock_.now().us + 4 * 60 * kSecond < until_us) {
    clock_.pass(4 * 60 * kSecond);
    const auto session = one.identity.find_session(used);
    ASSERT_NE(session, nullptr);
    ASSERT_TRUE(one.gate(session->id, clock_.now()));
    one.identity.tend();
  }
  EXPECT_EQ(one.identity.find_session(unused), nullptr);
  EXPECT_EQ(one.gate(unused_id, clock_.now()), std::nullopt);
  clock_.pass(4 * 60 * kSecond);
  EXPECT_EQ(one.identity.find_session(used), nullptr);
}

TEST_P(IdentityOn, use_on_one_node_keeps_the_session_alive_on_another) {
  Node one = node(strict());
  Node other = node(strict());
  ready(one, "known");
  const std::string token = one.sign_in("known", kPassword).result->token;
  ASSERT_NE(other.identity.find_session(token), nullptr);
  for (int i = 0; i < 20; ++i) {
    clock_.pass(5 * 60 * kSecond);
    ASSERT_NE(one.identity.find_session(token), nullptr);
    one.identity.tend();
  }
  const auto there = other.identity.find_session(token);  // its memory says idle since long: it looks
  ASSERT_NE(there, nullptr);
  EXPECT_TRUE(other.gate(there->id, clock_.now()));
}

TEST_P(IdentityOn, the_background_thread_writes_use_down_by_itself) {
  Options options = strict();
  options.background = true;
  options.idle_us = 60 * kSecond;
  options.idle_flush_us = 50'000;
  Node one = node(options);
  ready(one, "known");
  const SignIn answer = one.sign_in("known", kPassword);
  const int64_t id = answer.result->session->id;
  const auto idle_until = [&] {
    auto lease = one.store->reader();
    auto rows = lease->query("SELECT idle_until_us FROM session WHERE id = $1", {id});
    return rows.next() ? rows.integer(0) : 0;
  };
  clock_.pass(30 * kSecond);
  ASSERT_NE(one.identity.find_session(answer.result->token), nullptr);
  const int64_t wanted = clock_.now().us + options.idle_us + options.idle_flush_us;
  for (int i = 0; i < 500 && idle_until() != wanted; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_EQ(idle_until(), wanted);
}

TEST_P(IdentityOn, ended_sessions_are_kept_as_evidence_and_then_removed) {
  Node one = node(strict());
  ready(one, "known");
  ASSERT_TRUE(one.sign_in("known", kPassword).result);
  const auto count = [&] {
    auto lease = one.store->reader();
    auto rows = lease->query("SELECT COUNT(*) FROM session");
    rows.next();
    return rows.integer(0);
  };
  clock_.pass(179 * kDay);
  one.identity.tend();
  EXPECT_EQ(count(), 1);
  clock_.pass(3 * kDay);
  one.identity.tend();
  EXPECT_EQ(count(), 0);
}

TEST_P(IdentityOn, sessions_of_an_account_are_bounded_listed_and_can_be_ended) {
  Options options = strict();
  options.sessions_per_account = 3;
  Node one = node(options);
  const int64_t id = ready(one, "known");
  const int64_t foreign = ready(one, "other");
  std::vector<std::string> tokens;
  for (int i = 0; i < 4; ++i) {
    tokens.push_back(one.sign_in("known", kPassword).result->token);
    clock_.pass(kSecond);
  }
  EXPECT_EQ(one.identity.find_session(tokens[0]), nullptr);  // the oldest went
  const auto live = one.identity.sessions_of(*one.store->reader(), id);
  ASSERT_EQ(live.size(), 3U);
  EXPECT_EQ(live[0].remote, kRemote);
  EXPECT_EQ(live[0].id, one.identity.find_session(tokens[3])->id);
  EXPECT_FALSE(one.identity.end_session(foreign, live[0].id));  // not one's own
  EXPECT_TRUE(one.gate(live[0].id, clock_.now()));
  EXPECT_TRUE(one.identity.end_session(id, live[0].id));
  EXPECT_FALSE(one.identity.end_session(id, live[0].id));
  EXPECT_EQ(one.identity.find_session(tokens[3]), nullptr);
}

TEST_P(IdentityOn, changing_the_password_asks_for_the_old_one_and_ends_other_sessions) {
  Node one = node(strict());
  ready(one, "known");
  const NewSession here = *one.sign_in("known", kPassword).result;
  const NewSession elsewhere = *one.sign_in("known", kPassword).result;
  const auto change = [&](std::string_view from, std::string_view to) {
    const auto result = one.identity.change_password(*here.session, from, to);
    return result ? "done" : result.refusal().type;
  };
  EXPECT_EQ(change("wrong", "An0ther-good-one"), "identity.password_wrong");
  EXPECT_EQ(change(kPassword, kPassword), "identity.password_rules");
  EXPECT_EQ(change(kPassword, "known-Passw0rd"), "identity.password_rules");
  EXPECT_EQ(change(kPassword, "An0ther-good-one"), "done");
  EXPECT_EQ(one.gate(elsewhere.session->id, clock_.now()), std::nullopt);
  EXPECT_TRUE(one.gate(here.session->id, clock_.now()));
  EXPECT_NE(one.identity.find_session(here.token), nullptr);
  EXPECT_EQ(one.type_of("known", kPassword), "identity.sign_in_refused");
  EXPECT_EQ(one.type_of("known", "An0ther-good-one"), "allowed");
  one.identity.sign_out(*here.session);
  EXPECT_EQ(change("An0ther-good-one", kPassword), "identity.session_ended");
}

TEST_P(IdentityOn, signing_asks_for_the_password_again_and_guesses_lock) {
  Node one = node(strict());
  ready(one, "known");
  const NewSession here = *one.sign_in("known", kPassword).result;
  EXPECT_TRUE(one.identity.confirm_again(*here.session, "", kPassword));
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(one.identity.confirm_again(*here.session, "", "wrong").refusal().type, "identity.password_wrong");
  }
  EXPECT_EQ(one.identity.confirm_again(*here.session, "", kPassword).refusal().type, "identity.locked");
  clock_.pass(61 * kSecond);
  EXPECT_TRUE(one.identity.confirm_again(*here.session, "", kPassword));
}

TEST_P(IdentityOn, staff_owe_the_agreement_and_hear_of_old_passwords_students_do_not) {
  Node one = node(strict());
  const int64_t staff = ready(one, "staff", "finance_office");
  ready(one, "pupil", "student");
  EXPECT_TRUE(is_staff_kind("teacher"));
  EXPECT_FALSE(is_staff_kind("graduate"));
  const NewSession s = *one.sign_in("staff", kPassword).result;
  EXPECT_TRUE(s.session->agreement_due);
  EXPECT_FALSE(s.session->password_due);
  EXPECT_FALSE(one.sign_in("pupil", kPassword).result->session->agreement_due);

  const int64_t epoch = one.epoch();
  const auto old = one.change([&](db::Connection& t) { return one.identity.sign_agreement(t, staff, 0); });
  EXPECT_EQ(old.refusal().type, "identity.agreement_changed");
  EXPECT_EQ(one.epoch(), epoch);
  ASSERT_TRUE(one.change([&](db::Connection& t) { return one.identity.sign_agreement(t, staff, 1); }));
  EXPECT_EQ(one.epoch(), epoch + 1);
  EXPECT_FALSE(one.identity.find_session(s.token)->agreement_due);

  Options next_version = strict();
  next_version.agreement_version = 2;
  Node later = node(next_version);
  EXPECT_TRUE(later.identity.find_session(s.token)->agreement_due);

  clock_.pass(90 * kDay);
  EXPECT_TRUE(one.sign_in("staff", kPassword).result->session->password_due);  // a notice, not a lock
  EXPECT_FALSE(one.sign_in("pupil", kPassword).result->session->password_due);
  Options asvs = strict();
  asvs.rules = PasswordRules::asvs;
  EXPECT_FALSE(node(asvs).sign_in("staff", kPassword).result->session->password_due);
}

TEST_P(IdentityOn, logins_are_unique_whatever_the_case_and_plain) {
  Node one = node(strict());
  const OneTime one_time = one.identity.one_time_password();
  const auto create = [&](std::string_view login, std::string_view kind = "teacher", std::string_view name = "钱七") {
    auto lease = one.store->writer();
    db::Transaction transaction(*lease, db::Transaction::Mode::write);
    const auto result =
        one.identity.create_account(*lease, {.login = login, .kind = kind, .display_name = name}, one_time);
    if (result) transaction.commit();
    return result ? "done" : result.refusal().type;
  };
  EXPECT_EQ(create("Wang.Wu@x-1_2"), "done");
  EXPECT_EQ(create("wang.wu@X-1_2"), "identity.login_taken");
  EXPECT_EQ(create("ｗang.wu@X-1_2"), "identity.login_taken");
  EXPECT_EQ(create("王五"), "done");
  for (const char* login : {"", "a b", "a'b", "раvel", "é", "a\n", "\xff", "😀"}) {
    EXPECT_EQ(create(login), "identity.login_invalid") << login;
  }
  EXPECT_EQ(create(std::string(65, 'a')), "identity.login_invalid");
  EXPECT_EQ(create("x1", "Teacher"), "identity.kind_invalid");
  EXPECT_EQ(create("x1", "teacher", " "), "identity.name_invalid");
}

TEST_P(IdentityOn, accounts_and_persons_are_made_in_bulk) {
  Node one = node(strict());
  const int count = 20'000;
  std::vector<std::string> texts;
  std::vector<std::string_view> names;
  for (int i = 0; i < count; ++i) texts.push_back("s" + std::to_string(2023010000 + i));
  for (const auto& text : texts) names.push_back(text);
  const auto ids = one.change([&](db::Connection& transaction) {
    const int64_t first_person = add_persons(transaction, names, clock_.now());
    std::vector<NewAccount> accounts;
    for (int i = 0; i < count; ++i) {
      accounts.push_back({.login = texts[static_cast<size_t>(i)],
                          .kind = "student",
                          .display_name = "学生",
                          .person = first_person + i});
    }
    return std::pair(first_person, *one.identity.create_inactive(transaction, accounts));
  });
  auto lease = one.store->writer();
  EXPECT_EQ(one.identity.accounts_of_kind(*lease, "student"), count);
  const auto last = one.identity.find_account(*lease, texts.back());
  ASSERT_TRUE(last);
  EXPECT_EQ(last->id, ids.second + count - 1);
  EXPECT_EQ(last->person, ids.first + count - 1);
  EXPECT_FALSE(last->activated);
  EXPECT_EQ(one.identity.account(*lease, last->id)->login, texts.back());
  {
    db::Transaction transaction(*lease, db::Transaction::Mode::write);
    const NewAccount twice[] = {{.login = "new1", .kind = "student", .display_name = "x"},
                                {.login = "S2023010000", .kind = "student", .display_name = "x"}};
    EXPECT_EQ(one.identity.create_inactive(*lease, twice).refusal().type, "identity.login_taken");
  }
  EXPECT_FALSE(one.identity.find_account(*lease, "new1"));
}

TEST_P(IdentityOn, shortcuts_exist_on_made_up_stores_only) {
  Options made_up = Options::for_made_up();
  made_up.background = false;
  Node demo = node(made_up);
  Node real = node(strict());
  const int64_t id = ready(demo, "known");
  const std::string hash = demo.identity.hash_password("demo");
  const auto set = [&](Node& on) {
    return on.change([&](db::Connection& t) { return on.identity.set_ready(t, id, hash); });
  };
  EXPECT_EQ(set(real).refusal().type, "identity.not_made_up");
  ASSERT_TRUE(set(demo));
  const SignIn answer = demo.sign_in("known", "demo");
  ASSERT_TRUE(answer.result);
  EXPECT_FALSE(answer.result->session->agreement_due);

  EXPECT_EQ(real.identity.enter_made_up("known", kRemote, "").result.refusal().type, "identity.not_made_up");
  const SignIn entered = demo.identity.enter_made_up("known", kRemote, "");
  ASSERT_TRUE(entered.result);
  EXPECT_TRUE(demo.gate(entered.result->session->id, clock_.now()));
  EXPECT_EQ(demo.identity.enter_made_up("nobody", kRemote, "").result.refusal().type, "identity.account_unknown");
  ASSERT_TRUE(demo.change([&](db::Connection& t) { return demo.identity.suspend(t, id, ""); }));
  EXPECT_EQ(demo.identity.enter_made_up("known", kRemote, "").result.refusal().type, "identity.suspended");
}

TEST_P(IdentityOn, a_secret_is_made_once_for_all_nodes) {
  std::vector<std::future<std::string>> made;
  for (int i = 0; i < 4; ++i) {
    made.push_back(std::async(std::launch::async, [&] {
      auto store = db::Store::open(stored_->options());
      return secret(*store->writer(), "page_token");
    }));
  }
  std::set<std::string> values;
  for (auto& each : made) values.insert(each.get());
  ASSERT_EQ(values.size(), 1U);
  EXPECT_EQ(values.begin()->size(), 32U);
  EXPECT_NE(secret(*stored_->store().writer(), "another"), *values.begin());
}

TEST_P(IdentityOn, tokens_that_nobody_was_given_find_nothing) {
  Node one = node(strict());
  ready(one, "known");
  const std::string token = one.sign_in("known", kPassword).result->token;
  for (size_t i = 0; i < token.size(); ++i) {
    std::string other = token;
    other[i] = other[i] == 'A' ? 'B' : 'A';
    EXPECT_EQ(one.identity.find_session(other), nullptr) << i;
  }
  EXPECT_EQ(one.identity.find_session(""), nullptr);
  EXPECT_EQ(one.identity.find_session(token + "="), nullptr);
  EXPECT_EQ(one.identity.find_session(std::string(1 << 20, 'a')), nullptr);
}

// ---- second factor

std::string unbase32(std::string_view text) {
  std::string bytes;
  uint32_t held = 0;
  unsigned bits = 0;
  for (const char c : text) {
    held = held << 5U | static_cast<uint32_t>(c >= 'A' ? c - 'A' : c - '2' + 26);
    if ((bits += 5) < 8) continue;
    bits -= 8;
    bytes += static_cast<char>(held >> bits & 255U);
  }
  return bytes;
}

// Somebody with a second factor in force.
struct Enrolled {
  std::shared_ptr<const Session> session;
  std::string secret;
  std::vector<std::string> recovery;
};

std::string code_now(const Enrolled& who, const Clock& clock, int64_t steps = 0) {
  return code_of_step(who.secret, step_at(clock.now()) + steps);
}

Enrolled enrol(Node& on, SetClock& clock, std::string_view login) {
  Enrolled made;
  made.session = on.sign_in(login, kPassword).result->session;
  const auto offer = on.identity.offer_factor(*made.session, kPassword, "教务");
  EXPECT_TRUE(offer);
  EXPECT_THAT(offer->uri, HasSubstr("otpauth://totp/%E6%95%99%E5%8A%A1:"));
  EXPECT_THAT(offer->uri, HasSubstr("secret=" + offer->secret + "&"));
  made.secret = unbase32(offer->secret);
  const auto codes = on.identity.confirm_factor(*made.session, code_now(made, clock));
  EXPECT_TRUE(codes);
  made.recovery = *codes;
  clock.pass(30 * kSecond);  // the code of a step is taken once
  return made;
}

SignIn sign_in_with(Node& on, std::string_view login, std::string_view password, std::string_view code) {
  return on.identity.sign_in({.login = login, .password = password, .remote = kRemote, .code = code});
}

std::string told_with(Node& on, std::string_view login, std::string_view password, std::string_view code) {
  const SignIn answer = sign_in_with(on, login, password, code);
  return answer.result ? "allowed" : answer.result.refusal().type;
}

TEST(OneTimeCode, agrees_with_the_vectors_of_RFC_6238) {
  // appendix B has eight digits; six are their last
  constexpr std::string_view kSecret = "12345678901234567890";
  const std::pair<int64_t, const char*> kVectors[] = {{59, "287082"},         {1111111109, "081804"},
                                                      {1111111111, "050471"}, {1234567890, "005924"},
                                                      {2000000000, "279037"}, {20000000000, "353130"}};
  for (const auto& [seconds, code] : kVectors) {
    EXPECT_EQ(code_of_step(kSecret, step_at({seconds * kSecond})), code) << seconds;
  }
  EXPECT_EQ(base32("12345678901234567890"), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
  EXPECT_EQ(base32("f"), "MY");
  EXPECT_EQ(base32(""), "");
}

TEST_P(IdentityOn, changing_the_password_asks_for_the_code_where_a_factor_is_enrolled) {
  Node one = node(strict());
  ready(one, "known");
  const Enrolled who = enrol(one, clock_, "known");
  const auto change = [&](std::string_view from, std::string_view to, std::string_view code) {
    const auto result = one.identity.change_password(*who.session, from, to, code);
    return result ? "done" : result.refusal().type;
  };
  EXPECT_EQ(change(kPassword, "An0ther-good-one", ""), "identity.code_required");
  EXPECT_EQ(change(kPassword, "An0ther-good-one", "000000"), "identity.code_wrong");
  EXPECT_EQ(change("wrong", "An0ther-good-one", code_now(who, clock_)), "identity.password_wrong");
  EXPECT_EQ(change(kPassword, "An0ther-good-one", code_now(who, clock_)), "done");
  EXPECT_EQ(change("An0ther-good-one", kPassword, code_now(who, clock_)), "identity.code_wrong")
      << "a code is taken once";
}

TEST_P(IdentityOn, with_a_second_factor_the_password_alone_opens_nothing) {
  Node one = node(strict());
  ready(one, "known");
  const Enrolled who = enrol(one, clock_, "known");
  EXPECT_EQ(who.recovery.size(), 10U);
  const SignIn missing = sign_in_with(one, "known", kPassword, "");
  ASSERT_FALSE(missing.result);
  EXPECT_EQ(missing.result.refusal().type, "identity.code_required");
  EXPECT_EQ(missing.result.refusal().code, Code::unauthenticated);
  EXPECT_EQ(missing.outcome.decision, "identity.code_required");
  EXPECT_EQ(told_with(one, "known", kPassword, "000000"), "identity.code_wrong");
  EXPECT_EQ(told_with(one, "known", kPassword, code_now(who, clock_)), "allowed");
  // a wrong password hears what everybody hears, whatever code is beside it
  EXPECT_EQ(told_with(one, "known", "wrong", code_now(who, clock_, 1)), "identity.sign_in_refused");
}

TEST_P(IdentityOn, a_code_is_taken_once_and_within_a_step_of_its_time) {
  Options patient = strict();
  patient.failures_before_lock = 20;
  Node one = node(patient);
  ready(one, "known");
  const Enrolled who = enrol(one, clock_, "known");
  const std::string used = code_now(who, clock_);
  EXPECT_EQ(told_with(one, "known", kPassword, used), "allowed");
  EXPECT_EQ(told_with(one, "known", kPassword, used), "identity.code_wrong");  // replayed
  EXPECT_EQ(told_with(one, "known", kPassword, code_now(who, clock_, -1)), "identity.code_wrong");
  clock_.pass(90 * kSecond);
  EXPECT_EQ(told_with(one, "known", kPassword, code_now(who, clock_, -2)), "identity.code_wrong");
  EXPECT_EQ(told_with(one, "known", kPassword, code_now(who, clock_, -1)), "allowed");
  EXPECT_EQ(told_with(one, "known", kPassword, code_now(who, clock_, 1)), "allowed");
  EXPECT_EQ(told_with(one, "known", kPassword, code_now(who, clock_)), "identity.code_wrong");  // older than one taken
  clock_.pass(30 * kSecond);
  EXPECT_EQ(told_with(one, "known", kPassword, code_now(who, clock_, 2)), "identity.code_wrong");
}

TEST_P(IdentityOn, wrong_codes_lock_like_wrong_passwords) {
  Node one = node(strict());
  ready(one, "known");
  const Enrolled who = enrol(one, clock_, "known");
  for (int i = 0; i < 2; ++i) EXPECT_EQ(told_with(one, "known", kPassword, "000000"), "identity.code_wrong");
  EXPECT_EQ(told_with(one, "known", "wrong", ""), "identity.sign_in_refused");  // one count for both
  EXPECT_EQ(told_with(one, "known", kPassword, code_now(who, clock_)), "identity.locked");
  clock_.pass(61 * kSecond);
  EXPECT_EQ(told_with(one, "known", kPassword, code_now(who, clock_)), "allowed");
  EXPECT_EQ(told_with(one, "known", kPassword, ""), "identity.code_required");  // asking is no failure
  for (int i = 0; i < 5; ++i) sign_in_with(one, "known", kPassword, "");
  clock_.pass(30 * kSecond);
  EXPECT_EQ(told_with(one, "known", kPassword, code_now(who, clock_)), "allowed");
}

TEST_P(IdentityOn, ten_recovery_codes_stand_in_once_each) {
  Node one = node(strict());
  const int64_t id = ready(one, "known");
  const Enrolled who = enrol(one, clock_, "known");
  const auto left = [&] { return one.identity.factor_of(*one.store->reader(), id).recovery_left; };
  EXPECT_EQ(left(), 10);
  std::string typed = who.recovery[3];
  for (char& c : typed) c = static_cast<char>(std::tolower(c));
  EXPECT_EQ(told_with(one, "known", kPassword, typed), "allowed");
  EXPECT_EQ(told_with(one, "known", kPassword, who.recovery[3]), "identity.code_wrong");
  EXPECT_EQ(left(), 9);
  const auto fresh = one.identity.renew_recovery(*who.session, code_now(who, clock_));
  ASSERT_TRUE(fresh);
  EXPECT_EQ(left(), 10);
  EXPECT_EQ(told_with(one, "known", kPassword, who.recovery[4]), "identity.code_wrong");
  EXPECT_EQ(told_with(one, "known", kPassword, fresh->front()), "allowed");
}

TEST_P(IdentityOn, a_factor_is_in_force_only_once_a_code_of_it_was_seen) {
  Node one = node(strict());
  ready(one, "known");
  const auto session = one.sign_in("known", kPassword).result->session;
  EXPECT_EQ(one.identity.offer_factor(*session, "wrong", "x").refusal().type, "identity.password_wrong");
  const std::string first = unbase32(one.identity.offer_factor(*session, kPassword, "x")->secret);
  EXPECT_EQ(one.type_of("known", kPassword), "allowed");
  const std::string second = unbase32(one.identity.offer_factor(*session, kPassword, "x")->secret);
  ASSERT_NE(first, second);
  const int64_t step = step_at(clock_.now());
  EXPECT_EQ(one.identity.confirm_factor(*session, code_of_step(first, step)).refusal().type, "identity.code_wrong");
  EXPECT_TRUE(one.identity.confirm_factor(*session, code_of_step(second, step)));
  EXPECT_EQ(one.type_of("known", kPassword), "identity.code_required");
  EXPECT_EQ(one.identity.offer_factor(*session, kPassword, "x").refusal().type, "identity.factor_enrolled");
  EXPECT_EQ(one.identity.confirm_factor(*session, code_of_step(second, step + 1)).refusal().type,
            "identity.factor_enrolled");
  EXPECT_EQ(one.identity.remove_factor(*session, "123").refusal().type, "identity.code_wrong");
  EXPECT_TRUE(one.identity.remove_factor(*session, code_of_step(second, step + 1)));
  EXPECT_EQ(one.type_of("known", kPassword), "allowed");
  EXPECT_EQ(one.identity.remove_factor(*session, "123456").refusal().type, "identity.factor_absent");
}

TEST_P(IdentityOn, who_resets_a_factor_reads_nothing_and_ends_every_session) {
  Node one = node(strict());
  const int64_t id = ready(one, "known");
  const Enrolled who = enrol(one, clock_, "known");
  EXPECT_TRUE(one.change([&](db::Connection& transaction) { return one.identity.reset_factor(transaction, id); }));
  EXPECT_EQ(one.gate(who.session->id, clock_.now()), std::nullopt);
  EXPECT_EQ(one.type_of("known", kPassword), "allowed");
  const auto again = one.change([&](db::Connection& t) { return one.identity.reset_factor(t, id); });
  EXPECT_EQ(again.refusal().type, "identity.factor_absent");
}

TEST_P(IdentityOn, the_secret_of_a_factor_is_stored_sealed_and_recovery_codes_hashed) {
  Node one = node(strict());
  const int64_t id = ready(one, "known");
  const Enrolled who = enrol(one, clock_, "known");
  auto lease = one.store->private_reader();
  {
    auto rows = lease->query("SELECT sealed_secret FROM account_factor WHERE account = $1", {id});
    ASSERT_TRUE(rows.next());
    EXPECT_THAT(std::string(rows.blob(0)), Not(HasSubstr(who.secret)));
    EXPECT_GT(rows.blob(0).size(), who.secret.size() + 16);
  }
  auto rows = lease->query("SELECT code_digest FROM account_recovery WHERE account = $1", {id});
  int count = 0;
  for (; rows.next(); ++count) {
    EXPECT_EQ(rows.blob(0).size(), 32U);
    for (const std::string& code : who.recovery) EXPECT_THAT(std::string(rows.blob(0)), Not(HasSubstr(code)));
  }
  EXPECT_EQ(count, 10);
}

TEST_P(IdentityOn, a_held_session_answers_nothing_on_any_node_until_its_holder_shows_again_who_it_is) {
  Node one = node(strict()), two = node(strict());
  const int64_t id = ready(one, "known");
  const SignIn first = one.sign_in("known", kPassword);
  const Session& session = *first.result->session;
  ASSERT_NE(two.identity.find_session(first.result->token), nullptr);  // in its cache
  EXPECT_EQ(one.change([&](db::Connection& t) { return one.identity.hold(t, id); }), 1);
  EXPECT_EQ(two.gate(session.id, clock_.now()), std::nullopt);
  EXPECT_TRUE(liveness(*two.store->reader(), session.id, clock_.now())->held);
  EXPECT_EQ(two.identity.confirm_again(session, "", "wrong").refusal().type, "identity.password_wrong");
  EXPECT_EQ(two.gate(session.id, clock_.now()), std::nullopt);
  EXPECT_TRUE(two.identity.confirm_again(session, "", kPassword));
  EXPECT_EQ(one.gate(session.id, clock_.now()), one.epoch());
  // with a factor the password is not enough
  const Enrolled who = enrol(one, clock_, "known");
  one.change([&](db::Connection& t) { return one.identity.hold(t, id); });
  EXPECT_EQ(one.identity.confirm_again(session, "", kPassword).refusal().type, "identity.code_required");
  EXPECT_EQ(one.identity.confirm_again(session, "123456", kPassword).refusal().type, "identity.code_wrong");
  EXPECT_TRUE(one.identity.confirm_again(session, code_now(who, clock_), ""));
  EXPECT_EQ(two.gate(session.id, clock_.now()), one.epoch());
}

TEST_P(IdentityOn, whoever_lost_the_session_learns_why) {
  Node one = node(strict());
  const int64_t id = ready(one, "known");
  const SignIn in = one.sign_in("known", kPassword);
  EXPECT_EQ(one.identity.lost(in.result->token)->reason, "");
  EXPECT_TRUE(one.change([&](db::Connection& t) { return one.identity.set_read_only(t, id, true); }));
  EXPECT_TRUE(liveness(*one.store->reader(), in.result->session->id, clock_.now())->read_only);
  EXPECT_TRUE(one.change([&](db::Connection& t) { return one.identity.set_read_only(t, id, false); }));
  EXPECT_FALSE(liveness(*one.store->reader(), in.result->session->id, clock_.now())->read_only);
  EXPECT_TRUE(one.change([&](db::Connection& t) { return one.identity.suspend(t, id, "lending"); }));
  EXPECT_EQ(liveness(*one.store->reader(), in.result->session->id, clock_.now()), std::nullopt);
  const auto lost = one.identity.lost(in.result->token);
  ASSERT_TRUE(lost);
  EXPECT_EQ(lost->account, id);
  EXPECT_EQ(lost->reason, "suspended");
  EXPECT_TRUE(lost->suspended);
  EXPECT_EQ(one.identity.lost(std::string(43, 'A')), std::nullopt);
}

}  // namespace
}  // namespace jw::identity
