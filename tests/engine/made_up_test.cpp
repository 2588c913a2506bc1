// The made-up university: the same from the same seed, without clashes, and right by the standards it follows.
#include <fstream>

#include "app/system.hpp"
#include "modules/trial/api.hpp"
#include "modules/trial/people.hpp"
#include "tests/support/stores.hpp"

namespace jw::tests {
namespace {

class MadeUp {
 public:
  explicit MadeUp(uint64_t seed) : made_(db::Dialect::sqlite) {
    app::SystemOptions options;
    options.db = made_.options().url;
    options.home = JW_SOURCE_DIR;
    options.create = true;
    system_ = app::open_system(options);
    identity::Options identity_options = identity::Options::for_made_up();
    identity_options.made_up = true;
    identity_options.background = false;
    identity::Identity identity(*system_->store, *system_->clock, identity_options);
    const auto writer = system_->store->writer();
    db::Transaction transaction(*writer, db::Transaction::Mode::write);
    const Instant now = *Instant::parse("2026-11-24T09:00:00+08:00");
    auto filled = trial::fill(*system_->catalogue, system_->regulation, *writer, identity, now, {300, seed, 10});
    EXPECT_TRUE(filled) << filled.refusal().detail.en;
    auto again = trial::fill(*system_->catalogue, system_->regulation, *writer, identity, now, {300, seed, 10});
    EXPECT_FALSE(again);
    transaction.commit();
  }
  // All rows of a statement as one text.
  std::string rows(const std::string& sql) {
    const auto reader = system_->store->reader();
    db::Rows found = reader->query(sql);
    std::string out;
    while (found.next()) {
      for (size_t c = 0; c < found.columns(); ++c) {
        out += found.kind(c) == db::Kind::integer ? std::to_string(found.integer(c)) : std::string(found.text(c));
        out += c + 1 < found.columns() ? ' ' : '\n';
      }
    }
    return out;
  }

 private:
  TestStore made_;
  std::unique_ptr<app::System> system_;
};

TEST(MadeUp, the_same_seed_gives_the_same_university) {
  MadeUp one(7), two(7), other(8);
  for (const char* table : {"student", "staff", "section", "meeting", "grade", "payment", "graduation"}) {
    const std::string sql = "SELECT * FROM \"" + std::string(table) + "\" ORDER BY \"id\"";
    EXPECT_EQ(one.rows(sql), two.rows(sql)) << table;
    EXPECT_NE(one.rows(sql), other.rows(sql)) << table;
  }
}

TEST(MadeUp, nobody_and_no_room_is_in_two_places_at_once) {
  MadeUp university(1);
  const std::string at = " HAVING COUNT(*) > 1";
  EXPECT_EQ(university.rows(
                "SELECT st.\"teacher\", s.\"term\", m.\"weekday\", m.\"first_period\" FROM \"meeting\" m JOIN "
                "\"section\" s ON s.\"id\" = m.\"section\" JOIN \"section_teacher\" st ON st.\"section\" = s.\"id\" "
                "GROUP BY 1, 2, 3, 4" +
                at),
            "");
  EXPECT_EQ(university.rows(
                "SELECT m.\"room\", s.\"term\", m.\"weekday\", m.\"first_period\" FROM \"meeting\" m JOIN \"section\" "
                "s ON s.\"id\" = m.\"section\" WHERE m.\"room\" IS NOT NULL GROUP BY 1, 2, 3, 4" +
                at),
            "");
  EXPECT_EQ(
      university.rows(
          "SELECT e.\"student\", s.\"term\", m.\"weekday\", m.\"first_period\" FROM \"meeting\" m JOIN "
          "\"section\" s ON s.\"id\" = m.\"section\" JOIN \"enrolment\" e ON e.\"section\" = s.\"id\" GROUP BY 1, 2, "
          "3, 4" +
          at),
      "");
}

TEST(MadeUp, identity_numbers_follow_the_standard) {
  EXPECT_EQ(trial::id_number_of("110105", *Date::parse("1949-12-31"), 2), "11010519491231002X");
  EXPECT_EQ(trial::id_number_of("440524", *Date::parse("1880-01-01"), 1), "440524188001010014");
}

TEST(MadeUp, C1_3_2_grades_are_believable) {
  MadeUp university(1);
  const std::string text = university.rows(
      "SELECT SUM(\"score\") / COUNT(*), SUM(\"passed\") * 100 / COUNT(*) FROM \"grade\" WHERE \"attempt\" = 1");
  int average = 0, passed = 0;
  ASSERT_EQ(std::sscanf(text.c_str(), "%d %d", &average, &passed), 2);
  EXPECT_GT(average, 680);
  EXPECT_LT(average, 830);
  EXPECT_GT(passed, 85);
  EXPECT_LT(passed, 100);
}

}  // namespace
}  // namespace jw::tests
