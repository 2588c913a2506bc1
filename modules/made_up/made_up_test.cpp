// A small university, every row of which is checked while it is written, and what the fixed points promise of it.
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include <fstream>
#include <map>
#include <set>

#include "kernel/catalog/schema.hpp"
#include "kernel/identity/api.hpp"
#include "kernel/query/api.hpp"
#include "modules/made_up/api.hpp"
#include "modules/made_up/persons.hpp"
#include "platform/crypto/api.hpp"
#include "tests/support/stores.hpp"

namespace jw::made_up {
namespace {

namespace json = boost::json;

class Day : public Clock {
 public:
  explicit Day(const char* instant) : now_(*Instant::parse(instant)) {}
  Instant now() const override { return now_; }

 private:
  Instant now_;
};

class Made {
 public:
  explicit Made(db::Dialect dialect, int64_t students = 300, uint64_t seed = 1,
                const char* now = "2026-11-23T09:00:00+08:00")
      : made_(dialect), clock_(now) {
    auto loaded = catalog::load(JW_SOURCE_DIR);
    catalogue_ = std::make_unique<catalog::Catalogue>(std::get<catalog::Catalogue>(std::move(loaded)));
    regulation_ = std::get<policy::Regulation>(policy::load(JW_SOURCE_DIR, *catalogue_));
    {
      const auto writer = made_.store().writer();
      db::migrate(*writer, db::migrations_of(JW_SOURCE_DIR));
      EXPECT_TRUE(catalog::apply_schema(*catalogue_, *writer, false));
    }
    record_store_ = db::Store::open(record::record_store(made_.options()));
    record::Options options;
    options.key_file = made_.key_file();
    recorder_ = record::Recorder::open(made_.store(), *record_store_, clock_, options);
    options_.students = students;
    options_.seed = seed;
    options_.check_every = 1;
    options_.accounts_file = (made_.folder() / "accounts.json").string();
  }

  Result<Summary> fill() {
    return made_up::fill(*catalogue_, regulation_, made_.store(), recorder_.get(), clock_, options_);
  }
  db::Store& store() { return made_.store(); }
  const catalog::Catalogue& catalogue() const { return *catalogue_; }
  const policy::Regulation& regulation() const { return regulation_; }
  record::Recorder& recorder() { return *recorder_; }
  const Clock& clock() const { return clock_; }

  int64_t count(const std::string& sql) {
    const auto reader = store().reader();
    db::Rows rows = reader->query(sql);
    return rows.next() ? rows.integer(0) : -1;
  }
  json::array accounts() const {
    std::ifstream in(options_.accounts_file, std::ios::binary);
    const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    return json::parse(text).as_array();
  }
  // Everything academic that was written, as one number.
  std::string digest() {
    std::string all;
    const auto reader = store().reader();
    for (const catalog::Dataset& dataset : catalogue_->datasets) {
      if (dataset.by_kernel) continue;
      std::string columns = "id";
      for (const catalog::Field& field : dataset.fields) {
        if (!field.is_lookup()) columns += ", " + catalog::column_name(field);
      }
      db::Rows rows = reader->query("SELECT " + columns + " FROM " + catalog::table_name(dataset) + " ORDER BY id");
      while (rows.next()) {
        for (size_t i = 0; i < rows.columns(); ++i) {
          all += rows.is_null(i)                     ? "~"
                 : rows.kind(i) == db::Kind::integer ? std::to_string(rows.integer(i))
                                                     : std::string(rows.text(i));
          all += '|';
        }
      }
    }
    const crypto::Digest digest = crypto::sha256(all);
    return crypto::hex(digest);
  }

 private:
  tests::TestStore made_;
  Day clock_;
  std::unique_ptr<catalog::Catalogue> catalogue_;
  policy::Regulation regulation_;
  std::unique_ptr<db::Store> record_store_;
  std::unique_ptr<record::Recorder> recorder_;
  Options options_;
};

class MadeUp : public ::testing::TestWithParam<db::Dialect> {};
JW_ON_BOTH_STORES(MadeUp);

#define JW_MADE(name, ...)                                                                                \
  if (!tests::TestStore::available(GetParam())) GTEST_SKIP() << "no PostgreSQL: JIAOWU_TEST_PG is empty"; \
  Made name(GetParam() __VA_OPT__(, ) __VA_ARGS__)

TEST_P(MadeUp, TheSameSeedMakesTheSameRowsOnEveryStore) {
  JW_MADE(one);
  Made two(db::Dialect::sqlite), other(db::Dialect::sqlite, 300, 2);
  for (Made* made : {&one, &two, &other}) ASSERT_TRUE(made->fill());
  EXPECT_EQ(one.digest(), two.digest());
  EXPECT_NE(one.digest(), other.digest());
}

TEST_P(MadeUp, AStoreIsFilledOnceAndNeverOverRealData) {
  JW_MADE(made);
  ASSERT_TRUE(made.fill());
  const auto again = made.fill();
  ASSERT_FALSE(again);
  EXPECT_EQ(again.refusal().type, "made_up.filled");

  Made real(GetParam());
  {
    const auto writer = real.store().writer();
    db::Transaction transaction(*writer, db::Transaction::Mode::write);
    const std::string_view names[] = {"somebody"};
    identity::add_persons(*writer, names, real.clock().now());
    transaction.commit();
  }
  const auto refused = real.fill();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.refusal().type, "made_up.real_data");
  EXPECT_EQ(real.count("SELECT COUNT(*) FROM batch"), 0);
  EXPECT_EQ(real.count("SELECT COUNT(*) FROM store_fact WHERE name = 'made_up'"), 0);
}

TEST_P(MadeUp, WhatBrokeOffIsNotTakenUpAndNobodyIsNoUniversity) {
  Made broken(GetParam());
  {
    const auto writer = broken.store().writer();
    writer->execute("INSERT INTO store_fact (name, value) VALUES ('made_up_state', 'filling')");
  }
  const auto again = broken.fill();
  ASSERT_FALSE(again);
  EXPECT_EQ(again.refusal().type, "made_up.unfinished");
  const auto empty = Made(GetParam(), 0).fill();
  ASSERT_FALSE(empty);
  EXPECT_EQ(empty.refusal().type, "made_up.students");
}

constexpr const char* kSameTime =
    "a.weekday = b.weekday AND a.first_period <= b.last_period AND b.first_period <= a.last_period AND (a.weeks & "
    "b.weeks) <> 0 AND s.term = t.term";

TEST_P(MadeUp, NobodyAndNoRoomIsInTwoPlacesAtOnce) {
  JW_MADE(made);
  ASSERT_TRUE(made.fill());
  const std::string same = kSameTime;
  EXPECT_GT(made.count("SELECT COUNT(*) FROM meeting"), 1000);
  EXPECT_EQ(made.count("SELECT COUNT(*) FROM meeting a JOIN section s ON s.id = a.section JOIN meeting b ON b.room = "
                       "a.room AND (b.section > a.section OR (b.section "
                       "= a.section AND b.ordinal > a.ordinal)) JOIN section t ON t.id = b.section WHERE " +
                       same),
            0);
  for (const auto& [table, who, more] : {std::tuple("section_teacher", "teacher", ""),
                                         std::tuple("enrolment", "student", " AND x.kind <> '4' AND y.kind <> '4'")}) {
    const std::string sql =
        std::string("SELECT COUNT(*) FROM ") + table +
        " x JOIN section s ON s.id = x.section JOIN meeting a ON a.section = x.section JOIN " + table + " y ON y." +
        who + " = x." + who +
        " AND y.section > x.section JOIN section t ON t.id = y.section JOIN meeting b ON b.section = y.section WHERE " +
        same + more;
    EXPECT_EQ(made.count(sql), 0) << table;
  }
  EXPECT_EQ(made.count("SELECT COUNT(*) FROM section s WHERE students_count <> (SELECT COUNT(*) FROM enrolment e WHERE "
                       "e.section = s.id)"),
            0);
}

TEST_P(MadeUp, IdentityNumbersAreUniqueAndAgreeWithBirthAndSex) {
  JW_MADE(made);
  ASSERT_TRUE(made.fill());
  std::set<std::string> seen;
  for (const char* dataset : {"student", "staff"}) {
    const auto reader = made.store().reader();
    db::Rows rows = reader->query(std::string("SELECT id_number, birth_date, sex FROM ") + dataset);
    while (rows.next()) {
      const std::string number(rows.text(0));
      ASSERT_EQ(number.size(), 18u);
      EXPECT_TRUE(seen.insert(number).second) << number;
      EXPECT_EQ(number[17], check_digit(number.substr(0, 17)));
      EXPECT_EQ(number.substr(6, 4) + "-" + number.substr(10, 2) + "-" + number.substr(12, 2), rows.text(1));
      EXPECT_EQ((number[16] - '0') % 2 == 1 ? "1" : "2", rows.text(2));
    }
  }
  EXPECT_GT(seen.size(), 400u);
  EXPECT_EQ(check_digit("11010519491231002"), 'X');
  EXPECT_EQ(check_digit("44052418800101001"), '4');
}

TEST_P(MadeUp, GradesLookLikeGrades) {
  JW_MADE(made);
  ASSERT_TRUE(made.fill());
  const std::string first = " FROM grade WHERE exam_kind = '01' AND score IS NOT NULL";
  const int64_t all = made.count("SELECT COUNT(*)" + first);
  ASSERT_GT(all, 8000);
  const int64_t mean = made.count("SELECT CAST(SUM(score) / COUNT(*) AS BIGINT)" + first);
  EXPECT_GT(mean, 740);
  EXPECT_LT(mean, 810);
  const int64_t failed = made.count("SELECT COUNT(*)" + first + " AND score < 600");
  EXPECT_GT(failed * 100, all);      // more than 1 %
  EXPECT_LT(failed * 100, all * 6);  // less than 6 %
  EXPECT_GT(made.count("SELECT COUNT(*) FROM grade WHERE attempt = 2 AND exam_kind = '11'"), 50);
  EXPECT_GT(made.count("SELECT COUNT(*) FROM grade WHERE exam_kind = '13'"), 10);
  // Certificate numbers without gaps, by year.
  EXPECT_EQ(made.count("SELECT COUNT(*) FROM (SELECT substr(certificate_number, 7, 4) y, COUNT(*) n, "
                       "MAX(CAST(substr(certificate_number, 13) AS BIGINT)) m FROM graduation WHERE "
                       "certificate_number IS NOT NULL GROUP BY 1) x WHERE n <> m"),
            0);
}

// Every kind has rows in every dataset it may query; a graduate past the period has nothing.
TEST_P(MadeUp, EverySignInFindsRowsInEverythingItsKindMayQuery) {
  JW_MADE(made);
  ASSERT_TRUE(made.fill());
  identity::Options identity_options = identity::Options::for_made_up();
  identity_options.background = false;
  identity::Identity identity(made.store(), made.clock(), identity_options);
  policy::Policy policy(made.catalogue(), made.regulation(), made.store());
  query::Options options;
  options.token_key = std::string(32, 'k');
  query::Engine engine(made.catalogue(), policy, made.store(), made.clock(), options);

  std::map<std::string, int> kinds;
  for (const json::value& each : made.accounts()) {
    const std::string kind(each.at("kind").as_string()), account(each.at("account").as_string());
    const bool first = ++kinds[kind] == 1;
    const std::string password(each.at("password").as_string());
    if (first) {
      const auto entered =
          identity.sign_in({.login = account, .password = password, .remote = "127.0.0.1", .user_agent = "test"});
      ASSERT_TRUE(entered.result) << account;
      EXPECT_FALSE(entered.result->session->must_change);
      EXPECT_FALSE(entered.result->session->agreement_due);
    }
    if (!first) continue;
    const auto entered = identity.enter_made_up(account, "127.0.0.1", "test");
    const identity::Session& session = *entered.result->session;
    const policy::Asker asker{session.account, session.person, session.id, session.kind, session.agreement_due};
    int may = 0;
    for (const catalog::Dataset& dataset : made.catalogue().datasets) {
      if (dataset.by_kernel && !dataset.in_record) continue;  // nobody has applied for anything yet
      const bool by_grant = kind == "student" && (dataset.name == "library_holding" || dataset.name == "online_course");
      const json::object query{
          {"dataset", dataset.name}, {"limit", 1}, {"purpose", by_grant ? "study" : "teaching_administration"}};
      const query::Outcome outcome = engine.ask(asker, query);
      const auto* answer = std::get_if<query::Answer>(&outcome.result);
      if (answer == nullptr) continue;
      ++may;
      EXPECT_GT(answer->rows, 0) << kind << " " << account << " " << dataset.name;
    }
    EXPECT_EQ(may == 0, kind == "graduate_expired") << kind;
    const std::map<std::string, int> exactly = {
        {"academic_office", 31}, {"research_office", 4}, {"logistics_office", 4}, {"system_admin", 3}, {"graduate", 3}};
    const auto wanted = exactly.find(kind);
    EXPECT_TRUE(wanted == exactly.end() || wanted->second == may) << kind << " may query " << may;
  }
  for (const char* kind :
       {"academic_office", "student_office", "finance_office", "research_office", "logistics_office", "department_head",
        "teacher", "class_adviser", "graduate", "graduate_expired", "system_admin", "security_admin", "audit_admin"}) {
    EXPECT_GE(kinds[kind], 3) << kind;
  }
  EXPECT_GE(kinds["student"], 10);
}

// Whatever day it is: the first day of a term, the last, the summer, the winter.
TEST(MadeUpDays, AnyDayOfTheYearWillDo) {
  for (const char* now : {"2026-09-01T00:00:00+08:00", "2026-09-07T08:00:00+08:00", "2027-01-25T08:00:00+08:00",
                          "2027-02-22T08:00:00+08:00", "2026-06-20T08:00:00+08:00", "2026-07-30T08:00:00+08:00"}) {
    Made made(db::Dialect::sqlite, 200, 3, now);
    const auto filled = made.fill();
    ASSERT_TRUE(filled) << now;
    EXPECT_EQ(filled->students, 200);
    EXPECT_EQ(made.count("SELECT COUNT(*) FROM term WHERE begins <= '" + std::string(now).substr(0, 10) +
                         "' AND ends >= '" + std::string(now).substr(0, 10) + "'"),
              1)
        << now;
    for (const char* dataset : {"grade", "graduation", "attendance", "warning", "housing"})
      EXPECT_GT(made.count(std::string("SELECT COUNT(*) FROM ") + dataset), 0) << now << dataset;
  }
}

}  // namespace
}  // namespace jw::made_up
