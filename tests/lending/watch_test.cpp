// Evidence, findings, steps and the desk on a store, both kinds; one node at a time.
#include <future>

#include "modules/lending/api.hpp"
#include "tests/engine/campus.hpp"

namespace jw::tests {
namespace {

using lending::Step;

const char* const kDormitory = "10.10.0.5";
const char* const kEast = "10.21.0.5";

class Watched : public ::testing::TestWithParam<db::Dialect> {
 protected:
  void SetUp() override {
    if (!TestStore::available(GetParam())) GTEST_SKIP() << "no PostgreSQL: JIAOWU_TEST_PG is empty";
    campus_.emplace(GetParam());
    watch_.emplace(parts(), zones(),
                   [this](db::Connection&, int64_t account, const std::vector<lending::Stored>& seen) {
                     if (fail_) throw std::runtime_error("no case");
                     opened_.emplace_back(account, seen.size());
                   });
  }
  void TearDown() override {
    if (!campus_) return;
    watch_.reset();
    EXPECT_TRUE(record::verify(*system().store->private_reader(), {}, {}).problems.empty());
  }

  app::System& system() { return campus_->system(); }
  lending::Watch::Parts parts() {
    return {*system().store, *system().identity, *system().recorder, *system().policy, *system().clock};
  }
  static lending::Network zones() { return std::get<lending::Network>(lending::load_network(JW_SOURCE_DIR)); }
  // Day and time of a week in March.
  void at(int day, const char* time) { campus_->at("2026-03-" + std::to_string(10 + day) + "T" + time + "+08:00"); }
  // Signs in on a device from an address, and asks once.
  std::shared_ptr<const identity::Session> come(const std::string& login, const char* remote, const char* device) {
    if (accounts_.insert(login).second) {
      const auto writer = system().store->writer();
      db::Transaction transaction(*writer, db::Transaction::Mode::write);
      const identity::NewAccount account{login, "student", login, {}};
      EXPECT_TRUE(system().identity->create_inactive(*writer, std::span(&account, 1)));
      transaction.commit();
    }
    auto in = system().identity->enter_made_up(login, remote, "test", device, zones().zone_of(remote).name);
    EXPECT_TRUE(in.result);
    const auto session = in.result->session;
    leaf("sign_in", *session);
    watch_->note(session->id, session->account, remote);
    return session;
  }
  void leaf(const char* kind, const identity::Session& session) {
    record::Entry entry;
    entry.time = system().clock->now();
    entry.kind = kind;
    entry.account = session.account;
    entry.session = session.id;
    entry.dataset = "grade";
    entry.decision = "allowed";
    EXPECT_TRUE(system().recorder->append_and_wait(std::move(entry)));
  }
  lending::Swept look() {
    watch_->flush();
    return watch_->sweep();
  }
  std::optional<identity::Liveness> live(const identity::Session& session) {
    return identity::liveness(*system().store->reader(), session.id, system().clock->now());
  }
  int64_t count(const std::string& sql) {
    const auto reader = system().store->private_reader();
    auto rows = reader->query("SELECT COUNT(*) FROM " + sql);
    return rows.next() ? rows.integer(0) : -1;
  }
  int64_t finding_of(int64_t account) {
    const auto reader = system().store->private_reader();
    auto rows = reader->query("SELECT id FROM lending_finding WHERE account = $1 ORDER BY id DESC LIMIT 1", {account});
    return rows.next() ? rows.integer(0) : 0;
  }
  // One act of the desk, in a transaction of its own.
  template <class Act>
  Result<int64_t> desk(Act act) {
    Result<int64_t> outbox = int64_t{0};
    {
      const auto writer = system().store->writer();
      db::Transaction transaction(*writer, db::Transaction::Mode::write);
      outbox = act(*writer);
      if (outbox) transaction.commit();
    }
    EXPECT_TRUE(!outbox || system().recorder->deliver(*outbox));
    return outbox;
  }
  lending::Hand hand() { return {1'000'000, 0, 1, "安全员", "security_admin", "xxb"}; }

  std::optional<Campus> campus_;
  std::optional<lending::Watch> watch_;
  std::set<std::string> accounts_;
  std::vector<std::pair<int64_t, size_t>> opened_;
  bool fail_ = false;
};

JW_ON_BOTH_STORES(Watched);

TEST_P(Watched, two_campuses_within_minutes_hold_every_session_once_and_no_more) {
  at(1, "10:00:00");
  const auto here = come("s1", kDormitory, "laptop");
  EXPECT_EQ(look().steps, 0);
  at(1, "10:05:00");
  const auto there = come("s1", kEast, "another");
  const lending::Swept swept = look();
  EXPECT_EQ(swept.findings, 1);
  EXPECT_EQ(swept.steps, 1);
  EXPECT_TRUE(live(*here)->held && live(*there)->held);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(look().steps, 0) << "the same evidence is used once";
  const auto story = watch_->story(*system().store->private_reader(), here->account);
  ASSERT_TRUE(story);
  EXPECT_EQ(story->step, Step::ask_second_factor);
  EXPECT_EQ(story->seen.size(), 1U);
  watch_->answered({here->account, 0, here->id, "s1", "", ""});
  EXPECT_EQ(watch_->story(*system().store->private_reader(), here->account), std::nullopt);
  EXPECT_EQ(look().steps, 0);
}

TEST_P(Watched, what_is_seen_again_on_another_day_renews_the_finding_that_is_open) {
  for (const int day : {1, 2}) {
    at(day, "10:00:00");
    come("s1", kDormitory, "laptop");
    at(day, "10:05:00");
    come("s1", kEast, "another");
    EXPECT_EQ(look().findings, 1);
    EXPECT_EQ(count("lending_finding WHERE state = 'open'"), 1);
    EXPECT_EQ(count("lending_finding WHERE found > first_found"), day - 1);
  }
}

TEST_P(Watched, strong_evidence_suspends_at_once_and_opens_a_case_or_nothing_happens) {
  for (int day = 1; day <= 4; ++day) {
    at(day, "20:00:00");
    come("owner", kDormitory, "laptop");
    look();
  }
  at(5, "20:00:00");
  const auto owner = come("owner", kDormitory, "laptop");
  std::vector<std::shared_ptr<const identity::Session>> others;
  for (int i = 0; i < 11; ++i) others.push_back(come("mate" + std::to_string(i), kDormitory, "laptop"));
  fail_ = true;
  EXPECT_EQ(look().failed, 1);
  EXPECT_TRUE(live(*owner)) << "without a case no suspension";
  for (const auto& session : others) EXPECT_TRUE(live(*session)->held) << "the others are asked all the same";
  fail_ = false;
  const auto again = come("owner", kDormitory, "laptop");
  EXPECT_EQ(look().failed, 0);
  EXPECT_EQ(live(*owner), std::nullopt);
  EXPECT_EQ(live(*again), std::nullopt);
  ASSERT_EQ(opened_.size(), 1U);
  EXPECT_EQ(opened_[0].first, owner->account);
  EXPECT_GE(opened_[0].second, 1U);
  for (const auto& session : others) EXPECT_TRUE(live(*session)->held) << "whose passwords were used are asked";
}

TEST_P(Watched, what_was_found_honest_is_silent_for_a_while) {
  at(1, "10:00:00");
  come("s1", kDormitory, "office");
  at(1, "10:05:00");
  const auto session = come("s1", kEast, "notebook");
  look();
  const int64_t finding = finding_of(session->account);
  EXPECT_EQ(desk([&](db::Connection& in) { return watch_->dismiss(in, finding, hand(), " "); }).refusal().type,
            "text.not_accepted");
  EXPECT_EQ(desk([&](db::Connection& in) { return watch_->dismiss(in, finding + 100, hand(), "x"); }).refusal().type,
            "lending.finding_unknown");
  lending::Hand own = hand();
  own.account = session->account;
  EXPECT_EQ(desk([&](db::Connection& in) { return watch_->dismiss(in, finding, own, "x"); }).refusal().type,
            "lending.own_account");
  EXPECT_TRUE(desk([&](db::Connection& in) { return watch_->dismiss(in, finding, hand(), "远程桌面"); }));
  EXPECT_EQ(desk([&](db::Connection& in) { return watch_->dismiss(in, finding, hand(), "x"); }).refusal().type,
            "lending.closed");
  EXPECT_TRUE(live(*session)->held) << "dismissing lifts nothing";
  EXPECT_TRUE(desk([&](db::Connection& in) { return watch_->lift(in, finding, hand(), "远程桌面"); }));
  EXPECT_FALSE(live(*session)->held);
  at(3, "10:00:00");
  come("s1", kDormitory, "office");
  come("s1", kEast, "notebook");
  EXPECT_EQ(look().findings, 0);
  at(18, "10:00:00");
  come("s1", kDormitory, "office");
  come("s1", kEast, "notebook");
  EXPECT_EQ(look().findings, 1);
}

TEST_P(Watched, the_desk_goes_up_the_ladder_and_lifts_all_of_it) {
  at(1, "10:00:00");
  come("s1", kDormitory, "laptop");
  const auto session = come("s1", kEast, "another");
  look();
  const int64_t finding = finding_of(session->account);
  EXPECT_EQ(
      desk([&](db::Connection& in) { return watch_->take_step(in, finding, Step::ask_second_factor, hand(), "x"); })
          .refusal()
          .type,
      "lending.step_lower");
  EXPECT_TRUE(
      desk([&](db::Connection& in) { return watch_->take_step(in, finding, Step::read_only, hand(), "核实中"); }));
  EXPECT_TRUE(live(*session)->read_only);
  EXPECT_EQ(watch_->story(*system().store->private_reader(), session->account)->reason, "核实中");
  EXPECT_TRUE(
      desk([&](db::Connection& in) { return watch_->take_step(in, finding, Step::suspended, hand(), "转借"); }));
  EXPECT_EQ(live(*session), std::nullopt);
  EXPECT_EQ(opened_.size(), 1U);
  EXPECT_TRUE(desk([&](db::Connection& in) { return watch_->lift(in, finding, hand(), "已处理"); }));
  EXPECT_TRUE(system().identity->enter_made_up("s1", kDormitory, "test").result);
  EXPECT_EQ(watch_->story(*system().store->private_reader(), session->account), std::nullopt);
  EXPECT_EQ(count("lending_step WHERE lifted IS NULL"), 0);
  EXPECT_EQ(desk([&](db::Connection& in) { return watch_->lift(in, finding, hand(), "x"); }).refusal().type,
            "lending.closed");
}

TEST_P(Watched, nobody_deals_with_findings_about_another_account_of_the_same_person) {
  int64_t person = 0;
  {
    const auto writer = system().store->writer();
    db::Transaction transaction(*writer, db::Transaction::Mode::write);
    const std::string_view names[] = {"甲"};
    person = identity::add_persons(*writer, names, system().clock->now());
    const identity::NewAccount account{"s1", "student", "s1", person};
    ASSERT_TRUE(system().identity->create_inactive(*writer, std::span(&account, 1)));
    accounts_.insert("s1");
    transaction.commit();
  }
  at(1, "10:00:00");
  come("s1", kDormitory, "laptop");
  const auto session = come("s1", kEast, "another");
  look();
  const int64_t finding = finding_of(session->account);
  lending::Hand own = hand();  // of another account
  own.person = person;
  const auto dismiss = [&](const lending::Hand& by) {
    return desk([&](db::Connection& in) { return watch_->dismiss(in, finding, by, "核实无误"); });
  };
  EXPECT_EQ(dismiss(own).refusal().type, "lending.own_account");
  EXPECT_TRUE(dismiss(hand()));
}

TEST_P(Watched, a_wrong_table_of_zones_cannot_shut_out_a_school) {
  for (int day = 1; day <= 6; ++day) {  // before anybody looks: six days of impossible moves by everybody
    at(day, "10:00:00");
    for (int i = 0; i < 24; ++i) {
      come("s" + std::to_string(i), kDormitory, ("laptop" + std::to_string(i)).c_str());
      come("s" + std::to_string(i), kEast, ("phone" + std::to_string(100 * day + i)).c_str());
    }
    watch_->flush();
  }
  look();
  EXPECT_EQ(count("lending_finding WHERE score >= 90"), 24);
  EXPECT_EQ(count("lending_step WHERE step = 'suspended'"), 20);  // setting lending_steps_hour
  EXPECT_EQ(count("lending_step WHERE step = 'ask_second_factor'"), 4);
}

TEST_P(Watched, one_node_at_a_time_works_and_each_leaf_is_counted_once) {
  at(1, "10:00:00");
  const auto session = come("s1", kDormitory, "laptop");
  for (int i = 0; i < 50; ++i) {
    leaf("query", *session);
  }
  lending::Watch other(parts(), zones(), {});
  watch_->flush();
  auto one = std::async(std::launch::async, [&] { return watch_->sweep(); });
  auto two = std::async(std::launch::async, [&] { return other.sweep(); });
  const lending::Swept first = one.get(), second = two.get();
  EXPECT_TRUE(first.worked || second.worked);
  look();
  EXPECT_EQ(count("lending_sign_in"), 1);
  const auto reader = system().store->private_reader();
  auto rows = reader->query("SELECT queries, last_leaf - first_leaf FROM lending_use");
  ASSERT_TRUE(rows.next());
  EXPECT_EQ(rows.integer(0), 50);
  EXPECT_EQ(rows.integer(1), 49);
  EXPECT_FALSE(rows.next());
  if (GetParam() == db::Dialect::postgres) {
    const auto holder = system().store->writer();
    db::Transaction transaction(*holder, db::Transaction::Mode::write);
    holder->query("SELECT CAST(1 AS BIGINT) FROM (SELECT pg_advisory_xact_lock(7217301)) x").next();
    EXPECT_FALSE(other.sweep().worked);
  }
}

}  // namespace
}  // namespace jw::tests
