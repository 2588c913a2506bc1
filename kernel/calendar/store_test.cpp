// Acts upon the calendar of a store, on both stores: one version and one leaf each, or nothing at all.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <thread>

#include "kernel/calendar/edit.hpp"
#include "tests/support/stores.hpp"

namespace jw::calendar {
namespace {

class SetClock final : public Clock {
 public:
  Instant now() const override { return now_; }
  void set(std::string_view text) { now_ = Instant::parse(text).value(); }

 private:
  Instant now_ = Instant::parse("2026-03-02T09:00:00+08:00").value();
};

Date date(std::string_view text) {
  return Date::parse(text).value();
}

Year year_2028(bool provisional = false) {
  Year year{2028, provisional, provisional ? "" : "国办发明电〔2027〕1号", "2027-11-04", "https://www.gov.cn/x.htm"};
  for (const char* day : {"2028-01-03", "2028-01-26"})
    year.days.push_back({date(day), false, {"春节", "Spring Festival"}});
  year.days.push_back({date("2028-01-08"), true, {"调休上班", "make-up working day"}});
  std::sort(year.days.begin(), year.days.end(), [](const Special& a, const Special& b) { return a.date < b.date; });
  return year;
}

class CalendarOn : public testing::TestWithParam<db::Dialect> {
 protected:
  void SetUp() override {
    if (!tests::TestStore::available(GetParam())) GTEST_SKIP() << "no PostgreSQL: JIAOWU_TEST_PG is empty";
    made_ = std::make_unique<tests::TestStore>(GetParam());
    {
      const db::Store::Lease lease = made_->store().writer();
      db::migrate(*lease, db::migrations_of(JW_SOURCE_DIR));
    }
    record_ = db::Store::open(record::record_store(made_->options()));
    record::Options options;
    options.key_file = made_->key_file();
    recorder_ = record::Recorder::open(made_->store(), *record_, clock_, options);
  }
  void TearDown() override {
    recorder_.reset();
    record_.reset();
    made_.reset();
  }

  // One act in a transaction of its own, delivered; or its refusal, rolled back.
  template <class Act>
  Result<Changed> act(Act act) {
    Result<Changed> changed = [&]() -> Result<Changed> {
      const db::Store::Lease lease = made_->store().writer();
      db::Transaction transaction(*lease, db::Transaction::Mode::write);
      Result<Changed> done = act(*lease);
      if (done) transaction.commit();
      return done;
    }();
    if (changed) {
      EXPECT_TRUE(recorder_->deliver(changed->outbox));
    }
    return changed;
  }
  Result<Changed> import(const std::vector<Year>& years, std::string_view reason = "新通知") {
    return act([&](db::Connection& t) { return import_years(t, *recorder_, years, hand_, reason, clock_.now()); });
  }
  Result<Changed> window(std::string_view begins, std::string_view ends) {
    return act([&](db::Connection& t) {
      return add_window(t, *recorder_, date(begins), date(ends), {"寒假", "winter holiday"}, hand_, clock_.now());
    });
  }
  Result<Changed> withdraw(int64_t id) {
    return act([&](db::Connection& t) { return withdraw_window(t, *recorder_, id, hand_, "提前开学", clock_.now()); });
  }
  // The log, oldest first: version, kind, name, reason.
  std::string changes() {
    const db::Store::Lease lease = made_->store().private_reader();
    db::Rows rows = lease->query("SELECT version, kind, name, reason FROM calendar_change ORDER BY version");
    std::string all;
    while (rows.next()) {
      all += std::to_string(rows.integer(0)) + " " + std::string(rows.text(1)) + " " + std::string(rows.text(2)) + " " +
             std::string(rows.text(3)) + "\n";
    }
    return all;
  }
  std::shared_ptr<const Calendar> current() {
    const db::Store::Lease lease = made_->store().reader();
    return book_.current(*lease);
  }
  Kind kind(std::string_view day) { return current()->is_working_day(date(day))->kind; }
  std::string last_parameters() { return recorder_->prove(recorder_->size() - 1)->entry.parameters; }

  SetClock clock_;
  std::unique_ptr<tests::TestStore> made_;
  std::unique_ptr<db::Store> record_;
  std::unique_ptr<record::Recorder> recorder_;
  Book book_;
  Hand hand_{11, 22, 33, "教务处", "academic_office", "jwc"};
};
JW_ON_BOTH_STORES(CalendarOn);

TEST_P(CalendarOn, starts_once) {
  EXPECT_EQ(current()->version(), 0);
  for (const bool first : {true, false}) {
    const db::Store::Lease lease = made_->store().writer();
    db::Transaction transaction(*lease, db::Transaction::Mode::write);
    const int64_t outbox = start(*lease, *recorder_, {year_2028()}, clock_.now());
    EXPECT_EQ(outbox != 0, first);
    transaction.commit();
  }
  EXPECT_EQ(current()->version(), 1);
  EXPECT_EQ(current()->years(), std::vector<Year>{year_2028()});
}

TEST_P(CalendarOn, an_import_is_a_version_and_a_leaf) {
  const auto before = current();
  EXPECT_EQ(kind("2028-01-08"), Kind::weekend);
  const auto changed = import({year_2028()});
  ASSERT_TRUE(changed);
  EXPECT_EQ(changed->from, 0);
  EXPECT_EQ(changed->to, 1);
  EXPECT_EQ(current()->version(), 1);
  EXPECT_EQ(before->version(), 0);  // what somebody holds does not change under him
  EXPECT_EQ(kind("2028-01-08"), Kind::makeup);
  EXPECT_EQ(current()->years(), std::vector<Year>{year_2028()});

  const auto leaf = recorder_->prove(recorder_->size() - 1)->entry;
  EXPECT_EQ(leaf.kind, "act");
  EXPECT_EQ(leaf.action, "calendar_years");
  EXPECT_EQ(leaf.account, 11);
  EXPECT_EQ(leaf.post, "academic_office");
  EXPECT_NE(leaf.parameters.find("2028-01-08"), std::string::npos) << leaf.parameters;
  EXPECT_NE(leaf.parameters.find("\"from\":0,\"to\":1,\"reason\":\"新通知\""), std::string::npos) << leaf.parameters;

  // A better copy replaces it; the older version stays in the store.
  Year corrected = year_2028();
  corrected.days.pop_back();
  ASSERT_TRUE(import({corrected}));
  EXPECT_EQ(kind("2028-01-26"), Kind::workday);
  const db::Store::Lease lease = made_->store().reader();
  db::Rows rows = lease->query("SELECT COUNT(*) FROM calendar_year WHERE year = 2028");
  rows.next();
  EXPECT_EQ(rows.integer(0), 2);
  EXPECT_EQ(changes(), "1 years 教务处 新通知\n2 years 教务处 新通知\n");
}

TEST_P(CalendarOn, a_refused_act_leaves_no_trace) {
  ASSERT_TRUE(import({year_2028()}));
  const uint64_t leaves = recorder_->size();
  EXPECT_EQ(import({year_2028()}).refusal().type, "calendar.same");
  EXPECT_EQ(import({year_2028(true)}).refusal().type, "calendar.less_official");
  for (const std::string& reason : {std::string(), std::string(" 　"), std::string(501, 'x'), std::string("\xff")}) {
    EXPECT_EQ(import({year_2028(true)}, reason).refusal().type, "text.not_accepted");
  }
  EXPECT_EQ(withdraw(1).refusal().type, "calendar.window_unknown");
  EXPECT_EQ(current()->version(), 1);
  EXPECT_EQ(recorder_->size(), leaves);
  EXPECT_EQ(changes(), "1 years 教务处 新通知\n");
}

TEST_P(CalendarOn, a_window_is_added_and_withdrawn) {
  const auto added = window("2026-03-05", "2026-03-20");
  ASSERT_TRUE(added);
  EXPECT_EQ(kind("2026-03-04"), Kind::workday);
  EXPECT_EQ(kind("2026-03-05"), Kind::window);
  EXPECT_EQ(kind("2026-03-20"), Kind::window);
  EXPECT_EQ(current()->windows().front().id, added->to);

  struct Row {
    const char *begins, *ends, *type, *field;
  };
  for (const Row& row : {Row{"2026-03-20", "2026-03-25", "calendar.window_overlaps", "begins"},
                         {"2026-03-01", "2026-03-03", "calendar.window_invalid", "begins"},  // yesterday
                         {"2026-04-10", "2026-04-09", "calendar.window_invalid", "ends"},
                         {"2026-04-10", "2026-08-08", "calendar.window_invalid", "ends"},
                         {"2100-01-01", "2100-01-02", "calendar.window_invalid", "begins"}}) {
    const auto refused = window(row.begins, row.ends);
    ASSERT_FALSE(refused) << row.begins;
    EXPECT_EQ(refused.refusal().type, row.type) << row.begins;
    EXPECT_EQ(refused.refusal().fields.front().field, row.field) << row.begins;
  }
  ASSERT_TRUE(window("2026-04-10", "2026-08-07"));  // the longest there is

  clock_.set("2026-03-10T10:00:00+08:00");
  ASSERT_TRUE(withdraw(added->to));
  EXPECT_EQ(kind("2026-03-10"), Kind::window);  // the days gone by stay stopped
  EXPECT_EQ(kind("2026-03-11"), Kind::workday);
  EXPECT_NE(last_parameters().find("\"kept_until\":\"2026-03-10\""), std::string::npos) << last_parameters();
  EXPECT_EQ(withdraw(added->to).refusal().type, "calendar.window_unknown");

  const int64_t later = current()->windows().back().id;
  ASSERT_TRUE(withdraw(later));  // not begun: gone altogether
  EXPECT_EQ(current()->windows().size(), 1u);
  EXPECT_EQ(kind("2026-04-10"), Kind::workday);

  const auto next = window("2026-03-11", "2026-03-12");
  ASSERT_TRUE(next);
  clock_.set("2026-03-12T10:00:00+08:00");
  EXPECT_EQ(withdraw(next->to).refusal().type, "calendar.window_over");
}

TEST_P(CalendarOn, two_at_once_are_two_versions) {
  std::atomic<int> done = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      const std::string begins = "2026-0" + std::to_string(5 + i) + "-10";
      if (window(begins, begins)) ++done;
      if (window("2026-04-01", "2026-04-02")) ++done;  // only one of the four
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(done, 5);
  EXPECT_EQ(current()->version(), 5);
  EXPECT_EQ(current()->windows().size(), 5u);
  EXPECT_EQ(recorder_->size(), 5u);
}

TEST_P(CalendarOn, a_preview_names_the_days_that_change) {
  const auto seen = preview(*current(), {year_2028()});
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_FALSE(seen[0].known);
  std::vector<std::string> days;
  for (const Day& day : seen[0].differs) days.push_back(day.date.print());
  // 05-01 …: the law's days are not in this entry, so they would work; 2028-01-01, 10-01 fall on a Saturday and a
  // Sunday.
  EXPECT_EQ(days, (std::vector<std::string>{"2028-01-03", "2028-01-08", "2028-01-26", "2028-05-01", "2028-05-02",
                                            "2028-10-02", "2028-10-03"}));
}

}  // namespace
}  // namespace jw::calendar
