// The ladder, the zones, and each rule on the smallest pattern that is lending and the nearest one that is not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "modules/lending/ladder.hpp"
#include "modules/lending/rules.hpp"

namespace jw::lending {
namespace {

using testing::HasSubstr;

constexpr int64_t kMinute = 60 * kSecond;
constexpr int64_t kMe = 1, kOther = 2;
constexpr int64_t kPhone = 11, kLaptop = 12, kTheirs = 13;

Network network() {
  return std::get<Network>(load_network(JW_SOURCE_DIR));
}

Settings settings() {
  Settings made;
  made.window_hours = 24;
  made.device_accounts = 5;
  made.foreign_days = 4;
  made.near_minutes = 30;
  made.switches = 4;
  made.volume_times = 6;
  made.volume_floor = 200;
  made.weight_device = made.weight_account = made.weight_move = made.weight_past = 100;
  made.ask_score = 40;
  made.read_only_score = 70;
  made.suspend_score = 90;
  made.mute_days = 14;
  made.steps_hour = 20;
  return made;
}

// What one account did on the day that ends now, minute by minute.
class Day {
 public:
  Day() {
    view_.now = *Instant::parse("2026-11-23T22:00:00+08:00");
    view_.account = kMe;
    view_.devices[kPhone] = view_.devices[kLaptop] = Device{{{kMe, 12}}, 1};
    view_.devices[kTheirs] = Device{{{kOther, 12}, {kMe, 1}}, 2};
  }
  Day& at(int minutes_ago, int minutes, int64_t device, const char* zone, int64_t session) {
    const int64_t from = view_.now.us - minutes_ago * kMinute;
    view_.bursts.push_back({session, device, network_.zone_named(zone), from, from + minutes * kMinute});
    std::stable_sort(view_.bursts.begin(), view_.bursts.end(),
                     [](const Burst& a, const Burst& b) { return a.from_us < b.from_us; });
    view_.sign_in_leaves[session] = static_cast<uint64_t>(1000 + session);
    return *this;
  }
  Day& asked(int days_ago, int hour, int64_t queries, const char* dataset = "grade") {
    const int64_t start = Instant::at_start_of(Date{view_.now.date().days - days_ago}).us;
    view_.uses.push_back({1, start + hour * 3600 * kSecond, dataset, queries, 5, 9});
    return *this;
  }
  Day& device(int64_t id, Device device) {
    view_.devices[id] = std::move(device);
    return *this;
  }
  Day& busy(int64_t permille) {
    view_.day_permille = permille;
    return *this;
  }
  int score(std::string_view rule) const {
    for (const Finding& each : found()) {
      if (each.rule->name == rule) return each.score;
    }
    return 0;
  }
  std::vector<Finding> found() const { return look(view_, settings(), network_); }

 private:
  Network network_ = network();
  View view_;
};

TEST(LendingZones, the_longest_network_counts_and_what_is_unknown_is_outside) {
  const Network zones = network();
  EXPECT_EQ(zones.zone_of("10.12.1.1").name, "main_office");
  EXPECT_EQ(zones.zone_of("10.12.250.7").name, "main_counter");
  EXPECT_EQ(zones.zone_of("::ffff:10.12.250.7").name, "main_counter");
  EXPECT_EQ(zones.zone_of("2001:db8:10::7").name, "main_dormitory");
  for (const char* outside : {"203.0.113.5", "", "localhost", "2001:db8:11::1", "10.12.1.1.1"})
    EXPECT_EQ(zones.zone_of(outside).name, "outside") << outside;
  EXPECT_FALSE(zones.zone_of("10.30.0.1").is_placed());
  EXPECT_TRUE(zones.zone_of("10.14.0.1").is_shared());
  EXPECT_EQ(zones.travel_minutes(0, 1), 20);
  EXPECT_EQ(zones.travel_minutes(1, 1), 0);
  EXPECT_EQ(zones.travel_minutes(-1, 1), 0);
}

TEST(LendingZones, every_mistake_of_the_file_is_told_with_its_line) {
  const auto problems = [](const std::string& text) {
    const auto read = read_network(
        "version = 1\nclause = \"2.5.3\"\n[[campus]]\nname = \"main\"\nlabel = { zh = "
        "\"主\", en = \"main\" }\n" +
            text,
        "network.toml");
    std::string all;
    if (const auto* list = std::get_if<std::vector<catalog::FileProblem>>(&read)) {
      for (const auto& each : *list) all += each.print() + "\n";
    }
    return all;
  };
  const std::string zone = "[[zone]]\nname = \"z\"\nlabel = { zh = \"区\", en = \"z\" }\n";
  EXPECT_EQ(problems(zone + "kind = \"office\"\ncampus = \"main\"\ncidr = [\"10.0.0.0/8\"]\n"), "");
  EXPECT_THAT(problems(zone + "kind = \"office\"\ncampus = \"main\"\ncidr = [\"10.0.0.0/33\"]\n"), HasSubstr(":11"));
  EXPECT_THAT(problems(zone + "kind = \"office\"\ncampus = \"main\"\ncidr = [\"10.0.0.0\"]\n"), HasSubstr("10.0.0.0"));
  EXPECT_THAT(problems(zone + "kind = \"cellar\"\ncampus = \"main\"\ncidr = []\n"), HasSubstr("cellar"));
  EXPECT_THAT(problems(zone + "kind = \"office\"\ncampus = \"moon\"\ncidr = []\n"), HasSubstr("moon"));
  EXPECT_THAT(problems(zone + "kind = \"office\"\ncidr = []\n"), HasSubstr("campus"));
  EXPECT_THAT(problems("[[travel]]\nbetween = [\"main\"]\nminutes = 0\n"), HasSubstr("minutes"));
}

TEST(LendingRules, C4_3_1b_each_rule_is_a_row_with_its_clause_and_words_in_both_languages) {
  EXPECT_EQ(rules().size(), 4U);
  for (const Rule& rule : rules()) {
    EXPECT_EQ(rule.clause, "2.5.3");
    EXPECT_FALSE(rule.label.zh.empty() || rule.label.en.empty());
    EXPECT_EQ(rule_named(rule.name), &rule);
  }
  EXPECT_EQ(rule_named("none"), nullptr);
}

TEST(LendingRules, many_accounts_on_ones_own_device_and_not_in_a_computer_room) {
  const Device gathered{{{kMe, 12}, {3, 1}, {4, 1}, {5, 1}, {6, 1}, {7, 1}, {8, 1}}, 7};
  EXPECT_EQ(Day().device(kLaptop, gathered).at(60, 5, kLaptop, "main_dormitory", 1).score("device_many_accounts"), 61);
  EXPECT_EQ(Day().device(kLaptop, gathered).at(60, 5, kLaptop, "main_lab", 1).score("device_many_accounts"), 0);
  EXPECT_EQ(Day().device(kLaptop, gathered).at(60, 5, kLaptop, "main_counter", 1).score("device_many_accounts"), 0);
  Device many = gathered;
  many.recent = 12;
  EXPECT_EQ(Day().device(kLaptop, many).at(60, 5, kLaptop, "main_dormitory", 1).score("device_many_accounts"), 95);
  // as one of the many, on somebody else's
  Device theirs = many;
  theirs.users[0].account = kOther;
  theirs.users.push_back({kMe, 1});
  EXPECT_EQ(Day().device(kTheirs, theirs).at(60, 5, kTheirs, "main_dormitory", 1).score("device_many_accounts"), 65);
  // a print shop: customers come once
  const Device shop{{{kMe, 1}, {3, 1}, {4, 1}, {5, 1}, {6, 1}, {7, 1}}, 6};
  EXPECT_LT(Day().device(kTheirs, shop).at(60, 5, kTheirs, "outside", 1).score("device_many_accounts"), 40);
  Device four = gathered;
  four.recent = 4;
  EXPECT_EQ(Day().device(kLaptop, four).at(60, 5, kLaptop, "main_dormitory", 1).score("device_many_accounts"), 0);
}

TEST(LendingRules, from_campus_to_campus_within_minutes_and_not_by_shuttle) {
  const auto moved = [](int minutes_between, int64_t device, int64_t session) {
    return Day()
        .at(200, 10, kLaptop, "main_dormitory", 1)
        .at(190 - minutes_between, 5, device, "east_teaching", session);
  };
  EXPECT_EQ(moved(19, 99, 2).score("impossible_move"), 60);
  EXPECT_EQ(moved(20, 99, 2).score("impossible_move"), 0);
  EXPECT_EQ(moved(5, kTheirs, 2).score("impossible_move"), 80);
  EXPECT_EQ(moved(5, kLaptop, 1).score("impossible_move"), 75);  // the session itself
  EXPECT_EQ(moved(5, kPhone, 2).score("impossible_move"), 30);   // a machine reached from elsewhere
  // outside and VPN are no places
  EXPECT_TRUE(Day().at(60, 10, kLaptop, "main_dormitory", 1).at(50, 5, kPhone, "outside", 2).found().empty());
  EXPECT_TRUE(Day().at(60, 10, kLaptop, "main_dormitory", 1).at(50, 5, kPhone, "vpn", 2).found().empty());
  const Finding finding = moved(5, 99, 2).found().front();
  EXPECT_THAT(finding.seen.zh, HasSubstr("东校区教学楼"));
  EXPECT_THAT(finding.seen.en, HasSubstr("5 minutes apart, where the shortest way takes 20"));
  EXPECT_EQ(finding.sessions, (std::vector<int64_t>{1, 2}));
  EXPECT_EQ(finding.leaves, (std::vector<uint64_t>{1001, 1002}));
}

TEST(LendingRules, on_two_devices_in_two_buildings_at_once_and_not_phone_beside_laptop) {
  const auto beside = [](int64_t device, const char* zone) {
    return Day().at(60, 20, kPhone, "main_dormitory", 1).at(55, 10, device, zone, 2).score("account_many_devices");
  };
  EXPECT_EQ(beside(kLaptop, "main_dormitory"), 0);
  EXPECT_EQ(beside(kLaptop, "outside"), 0);
  EXPECT_EQ(beside(kLaptop, "main_lab"), 0);
  EXPECT_EQ(beside(kLaptop, "main_teaching"), 20);  // both one's own: reached from elsewhere
  EXPECT_EQ(beside(kTheirs, "main_teaching"), 30);  // once
  Day again;
  for (const int day : {0, 1, 2})
    again.at(day * 1440 + 60, 20, kPhone, "main_dormitory", 10 + day)
        .at(day * 1440 + 55, 10, kTheirs, "main_teaching", 20 + day);
  EXPECT_EQ(again.score("account_many_devices"), 70);
}

TEST(LendingRules, to_and_fro_between_buildings_faster_than_one_walks) {
  Day day;
  for (int i = 0; i < 5; ++i) {
    day.at(100 - 4 * i, 1, kPhone, "main_dormitory", 1);
    day.at(98 - 4 * i, 1, 99, "main_teaching", 2);
  }
  EXPECT_GE(day.score("account_many_devices"), 50);
}

TEST(LendingRules, C4_3_1b_reading_unlike_ones_own_past_and_not_on_the_day_grades_come_out) {
  const auto habit = [] {
    Day day;
    for (int ago = 1; ago <= 6; ++ago) day.asked(ago, 20, 30);
    return day;
  };
  EXPECT_EQ(habit().asked(0, 20, 250).score("unlike_own_past"), 30);
  EXPECT_EQ(habit().asked(0, 3, 250).score("unlike_own_past"), 40);  // and at an hour never used
  EXPECT_EQ(habit().asked(0, 3, 125, "award").asked(0, 3, 125, "student").score("unlike_own_past"), 45);
  EXPECT_EQ(habit().asked(0, 20, 250).busy(5000).score("unlike_own_past"), 0);  // everybody reads more today
  EXPECT_EQ(habit().asked(0, 20, 170).score("unlike_own_past"), 0);
  EXPECT_EQ(Day().asked(1, 20, 3).asked(0, 20, 900).score("unlike_own_past"), 0);  // nothing is known of the past
}

TEST(LendingLadder, steps_are_taken_one_at_a_time_but_for_strong_evidence) {
  using enum Step;
  const Settings s = settings();
  const auto due = [&](Step current, std::vector<Weighed> findings) { return step_due(current, 100, findings, s); };
  const auto is = [](std::string_view rule, int score, int64_t found = 200, bool answered = false) {
    return Weighed{rule, score, found, answered};
  };
  EXPECT_EQ(due(none, {}), none);
  EXPECT_EQ(due(none, {is("a", 39)}), none);
  EXPECT_EQ(due(none, {is("a", 40)}), ask_second_factor);
  EXPECT_EQ(due(none, {is("a", 25), is("b", 25)}), ask_second_factor);  // 44 together
  EXPECT_EQ(due(none, {is("a", 25), is("a", 25)}), none);               // one pattern is one doubt
  EXPECT_EQ(due(none, {is("a", 89)}), ask_second_factor);               // never further at once
  EXPECT_EQ(due(none, {is("a", 80), is("b", 80)}), ask_second_factor);
  EXPECT_EQ(due(ask_second_factor, {is("a", 75)}), read_only);
  EXPECT_EQ(due(read_only, {is("a", 89)}), read_only);  // one weak finding never suspends
  EXPECT_EQ(due(read_only, {is("a", 80), is("b", 80)}), suspended);
  EXPECT_EQ(due(none, {is("a", 90)}), suspended);                                  // strong
  EXPECT_EQ(due(none, {is("a", 95, 200, true)}), none);                            // answered already
  EXPECT_EQ(due(none, {is("a", 60, 100)}), none);                                  // nothing new
  EXPECT_EQ(due(none, {is("a", 60, 200, true), is("b", 20)}), ask_second_factor);  // half of it still counts
  EXPECT_EQ(due(suspended, {is("a", 40)}), suspended);                             // never down by itself
  EXPECT_EQ(total_score({}), 0);
  EXPECT_EQ(total_score(std::vector<Weighed>{is("a", 100), is("b", 10)}), 100);
}

TEST(LendingLadder, a_pattern_seen_again_is_news_when_clearly_stronger_or_on_another_day) {
  EXPECT_FALSE(is_news(50, 0, 59, kDay - 1));
  EXPECT_TRUE(is_news(50, 0, 60, 1));
  EXPECT_TRUE(is_news(50, 0, 50, kDay));
  for (const auto step : {Step::none, Step::ask_second_factor, Step::read_only, Step::suspended}) {
    EXPECT_EQ(step_named(step_name(step)), step);
    EXPECT_FALSE(step_label(step).zh.empty());
  }
  EXPECT_EQ(step_named("banned"), std::nullopt);
}

}  // namespace
}  // namespace jw::lending
