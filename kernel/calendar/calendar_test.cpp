// Counting by the years of modules/calendar/years.toml, against the notices and vectors worked out elsewhere.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "base/text.hpp"
#include "kernel/calendar/edit.hpp"

namespace jw::calendar {
namespace {

std::vector<Year> shipped() {
  std::ifstream in(JW_SOURCE_DIR "/modules/calendar/years.toml");
  std::stringstream text;
  text << in.rdbuf();
  auto read = read_years(text.str(), "modules/calendar/years.toml");
  if (auto* problems = std::get_if<std::vector<catalog::FileProblem>>(&read)) {
    for (const catalog::FileProblem& problem : *problems) ADD_FAILURE() << problem.print();
    return {};
  }
  return std::get<std::vector<Year>>(std::move(read));
}

Calendar calendar(std::vector<Window> windows = {}) {
  return Calendar(shipped(), std::move(windows), 7);
}

Date date(std::string_view text) {
  return Date::parse(text).value();
}

Instant instant(std::string_view text) {
  return Instant::parse(text).value();
}

// Words of a table, one row a line; '|' begins a remark.
std::vector<std::vector<std::string>> rows_of(std::string_view table) {
  std::vector<std::vector<std::string>> rows;
  for (std::string_view line : split(table, '\n')) {
    std::istringstream words{std::string(line.substr(0, line.find('|')))};
    std::vector<std::string> row;
    for (std::string word; words >> word;) row.push_back(word);
    if (!row.empty()) rows.push_back(row);
  }
  return rows;
}

TEST(Calendar, deadlines_of_the_vectors) {
  const Calendar plain = calendar();
  constexpr std::string_view kVectors = R"(
    2026-02-12  5  2026-02-26  | Spring Festival, Saturday 02-14 works
    2026-02-13  3  2026-02-25
    2026-04-30  3  2026-05-08  | Labour Day
    2026-09-18  5  2026-09-24  | Sunday 09-20 works
    2026-09-30  5  2026-10-13  | National Day, Saturday 10-10 works
    2025-09-28  3  2025-10-09
    2025-12-31  3  2026-01-06  | into the next year, Sunday 01-04 works
    2026-11-23  5  2026-11-30  | an ordinary week
    2026-11-21  1  2026-11-23  | received on a Saturday
    2026-06-18  1  2026-06-22  | Dragon Boat
  )";
  for (const auto& row : rows_of(kVectors)) {
    const int n = std::stoi(row[1]);
    const Date last = date(row[2]);
    for (const char* hour : {"T00:00:00+08:00", "T12:30:00+08:00", "T23:59:59.999999+08:00"}) {
      const auto deadline = plain.working_days_after(instant(row[0] + hour), n);
      ASSERT_TRUE(deadline) << row[0];
      EXPECT_EQ(deadline->last.print(), row[2]) << row[0] << hour;
      EXPECT_EQ(deadline->at, Instant::at_start_of(Date{last.days + 1}));
      EXPECT_FALSE(deadline->provisional);
      EXPECT_EQ(deadline->version, 7);
    }
    EXPECT_EQ(plain.working_days_between(date(row[0]), last).value(), n) << row[0];
    EXPECT_EQ(plain.working_days_between(last, date(row[0])).value(), -n) << row[0];
  }
}

TEST(Calendar, the_day_is_that_of_china) {
  // 15:59 UTC is 23:59 of the same day in the school's zone, 16:00 UTC the next day.
  EXPECT_EQ(calendar().working_days_after(instant("2026-11-23T15:59:59Z"), 1)->last.print(), "2026-11-24");
  EXPECT_EQ(calendar().working_days_after(instant("2026-11-23T16:00:00Z"), 1)->last.print(), "2026-11-25");
  EXPECT_EQ(calendar().working_days_after(instant("2026-11-23T15:00:00Z"), 1)->at, instant("2026-11-24T16:00:00Z"));
}

TEST(Calendar, kinds_of_days) {
  const Calendar with = calendar({{3, date("2026-01-24"), date("2026-03-01"), {"寒假", "winter holiday"}}});
  constexpr std::string_view kDays = R"(
    2025-01-01  holiday  official
    2025-01-26  makeup   official
    2025-02-04  holiday  official
    2025-10-08  holiday  official
    2025-10-11  makeup   official
    2026-01-03  holiday  official     | a Saturday the notice names
    2026-01-04  makeup   official
    2026-01-05  workday  official
    2026-01-10  weekend  official
    2026-01-24  weekend  official     | a weekend stays one within a window
    2026-01-26  window   official
    2026-02-14  window   official     | a make-up day, too, is stopped
    2026-02-17  holiday  official
    2026-02-28  window   official
    2026-03-02  workday  official
    2027-01-01  holiday  provisional  | a Friday that others took for a working day
    2027-02-05  holiday  provisional
    2027-02-09  workday  provisional
    2027-06-09  holiday  provisional
    2027-10-04  workday  provisional
    2028-01-01  holiday  provisional  | without an entry: by the law's fixed days
    2028-05-02  holiday  provisional
    2028-10-03  holiday  provisional
    2028-10-04  workday  provisional
    2099-12-31  workday  provisional
  )";
  for (const auto& row : rows_of(kDays)) {
    const auto day = with.is_working_day(date(row[0]));
    ASSERT_TRUE(day) << row[0];
    EXPECT_EQ(name_of(day->kind), row[1]) << row[0];
    EXPECT_EQ(day->provisional, row[2] == "provisional") << row[0];
    EXPECT_EQ(day->works(), row[1] == "workday" || row[1] == "makeup") << row[0];
    EXPECT_FALSE(day->reason.zh.empty() || day->reason.en.empty()) << row[0];
  }
  EXPECT_EQ(with.is_working_day(date("2026-02-17"))->reason.zh, "春节放假（国办发明电〔2025〕7号）");
  EXPECT_EQ(with.is_working_day(date("2026-01-26"))->reason.en, "stopped by the school's calendar: winter holiday");
}

TEST(Calendar, years_have_248_working_days) {
  for (const int year : {2025, 2026}) {
    int works = 0;
    for (Date day = Date::from_civil(year, 1, 1); day.year() == year; day = Date{day.days + 1})
      works += calendar().is_working_day(day)->works() ? 1 : 0;
    EXPECT_EQ(works, 248) << year;
  }
}

TEST(Calendar, a_window_stops_the_clock) {
  const Calendar with = calendar({{3, date("2026-03-04"), date("2026-03-06"), {"停办", "closed"}}});
  EXPECT_EQ(calendar().working_days_after(instant("2026-03-02T09:00:00+08:00"), 3)->last.print(), "2026-03-05");
  EXPECT_EQ(with.working_days_after(instant("2026-03-02T09:00:00+08:00"), 3)->last.print(), "2026-03-10");
  EXPECT_EQ(with.working_days_between(date("2026-03-02"), date("2026-03-10")).value(), 3);
}

TEST(Calendar, provisional_years_mark_what_rests_on_them) {
  const Calendar plain = calendar();
  EXPECT_FALSE(plain.working_days_after(instant("2026-12-28T09:00:00+08:00"), 3)->provisional);
  const auto over = plain.working_days_after(instant("2026-12-28T09:00:00+08:00"), 4);
  EXPECT_EQ(over->last.print(), "2027-01-04");  // 01-01 is off by law, though no notice says so
  EXPECT_TRUE(over->provisional);
  EXPECT_TRUE(plain.is_provisional(2027));
  EXPECT_TRUE(plain.is_provisional(2031));
  EXPECT_FALSE(plain.is_provisional(2026));
}

TEST(Calendar, out_of_range_is_refused) {
  const Calendar plain = calendar();
  for (const char* day : {"2024-12-31", "2100-01-01"}) {
    const auto refused = plain.is_working_day(date(day));
    ASSERT_FALSE(refused) << day;
    EXPECT_EQ(refused.refusal().type, "calendar.year_out_of_range");
    EXPECT_EQ(refused.refusal().fields.front().field, "date");
    EXPECT_FALSE(plain.working_days_between(date("2026-01-01"), date(day)));
    EXPECT_FALSE(plain.working_days_between(date(day), date("2026-01-01")));
    EXPECT_FALSE(plain.working_days_after(instant(std::string(day) + "T09:00:00+08:00"), 1));
  }
  EXPECT_EQ(plain.working_days_after(instant("2099-12-30T09:00:00+08:00"), 1)->last.print(), "2099-12-31");
  EXPECT_EQ(plain.working_days_after(instant("2099-12-30T09:00:00+08:00"), 2).refusal().type,
            "calendar.year_out_of_range");
  for (const int n : {-1, 0, kDaysMax + 1}) {
    EXPECT_EQ(plain.working_days_after(instant("2026-01-05T09:00:00+08:00"), n).refusal().type,
              "calendar.days_out_of_range");
  }
  EXPECT_TRUE(plain.working_days_after(instant("2026-01-05T09:00:00+08:00"), kDaysMax));
}

TEST(Calendar, a_notice_may_give_days_of_the_december_before) {
  const auto read = read_years(R"(
[[year]]
year   = 2028
notice = "国办发明电〔2027〕1号"
issued = 2027-11-04
source = "https://www.gov.cn/x.htm"
off    = [
  { days = "2027-12-31/2028-01-03", name = { zh = "元旦", en = "New Year" } },
  { days = "01-25/02-01", name = { zh = "春节", en = "Spring Festival" } },
  { days = "05-01/05-05", name = { zh = "劳动节", en = "Labour Day" } },
  { days = "10-01/10-07", name = { zh = "国庆节", en = "National Day" } },
]
work   = ["2027-12-26", "01-08"]
)",
                               "2028.toml");
  std::vector<Year> years = shipped();
  for (const Year& year : std::get<std::vector<Year>>(read)) years.push_back(year);
  const Calendar with(years, {}, 1);
  EXPECT_EQ(with.is_working_day(date("2027-12-31"))->kind, Kind::holiday);
  EXPECT_EQ(with.is_working_day(date("2027-12-26"))->kind, Kind::makeup);
  EXPECT_EQ(with.is_working_day(date("2028-01-08"))->kind, Kind::makeup);
  EXPECT_FALSE(with.is_provisional(2028));
}

TEST(Calendar, recompute_moves_what_is_open_and_makes_nobody_late) {
  const Calendar before = calendar();
  const Calendar stopped = calendar({{3, date("2026-03-04"), date("2026-03-06"), {"停办", "closed"}}});
  const auto due = [&](const Calendar& by, const char* from, int days) {
    return by.working_days_after(instant(from), days).value().at;
  };
  const char* from = "2026-03-02T09:00:00+08:00";
  const std::vector<Open> rows{
      {1, instant(from), 1, due(before, from, 1)},
      {2, instant(from), 3, due(before, from, 3)},
      {3, instant("2026-03-09T09:00:00+08:00"), 2, due(before, "2026-03-09T09:00:00+08:00", 2)}};
  const auto moved = recompute(stopped, rows, instant("2026-03-04T08:00:00+08:00")).value();
  EXPECT_EQ(moved[0].moved, false);  // passed at the end of 03-03
  EXPECT_EQ(moved[0].deadline.at, rows[0].at);
  EXPECT_EQ(moved[0].deadline.last.print(), "2026-03-03");
  EXPECT_EQ(moved[1].moved, true);
  EXPECT_EQ(moved[1].before, rows[1].at);
  EXPECT_EQ(moved[1].deadline.last.print(), "2026-03-10");
  EXPECT_EQ(moved[2].moved, false);
  EXPECT_EQ(moved[2].deadline.version, 7);

  // The window is taken back on 03-06: by the plain calendar row 2 would have ended on 03-05.
  const std::vector<Open> open{{2, instant(from), 3, moved[1].deadline.at}};
  const auto back = recompute(before, open, instant("2026-03-06T08:00:00+08:00")).value();
  EXPECT_EQ(back[0].deadline.last.print(), "2026-03-09");
  EXPECT_TRUE(back[0].moved);
}

// ---- files

std::string problems_of(std::string_view text) {
  const auto read = read_years(text, "f");
  std::string out;
  if (const auto* problems = std::get_if<std::vector<catalog::FileProblem>>(&read)) {
    for (const catalog::FileProblem& problem : *problems) out += problem.print() + "\n";
  }
  return out;
}

std::string year_with(std::string_view change_from, std::string_view change_to) {
  std::string text = R"([[year]]
year   = 2028
notice = "国办发明电〔2027〕1号"
issued = 2027-11-04
source = "https://www.gov.cn/x.htm"
off    = [
  { days = "01-01", name = { zh = "元旦", en = "New Year" } },
  { days = "01-25/02-01", name = { zh = "春节", en = "Spring Festival" } },
  { days = "05-01/05-05", name = { zh = "劳动节", en = "Labour Day" } },
  { days = "10-01/10-05", name = { zh = "国庆节", en = "National Day" } },
]
work   = ["01-08"]
)";
  const size_t at = text.find(change_from);
  EXPECT_NE(at, std::string::npos) << change_from;
  return text.replace(at, change_from.size(), change_to);
}

TEST(YearFile, says_line_and_what_would_be_right) {
  EXPECT_EQ(problems_of(year_with("2028", "2028")), "");
  struct Row {
    const char *from, *to, *line, *zh, *en;
  };
  const Row rows[] = {
      {"year   = 2028", "year   = 2024", "f:2", "2025 至 2099", "2025 to 2099"},
      {"year   = 2028", "", "f:1", "year", "year"},
      {"国办发明电〔2027〕1号", "国办发明电2027第1号", "f:3", "应为文号", "must be a number such as"},
      {"2027-11-04", "\"4 November\"", "f:4", "通知的日期", "date of the notice"},
      {"https://www", "http://www", "f:5", "https://", "https://"},
      {"\"01-25/02-01\"", "\"01-25/01-20\"", "f:8", "一天或一段", "a day or a span"},
      {"\"01-25/02-01\"", "\"02-30\"", "f:8", "一天或一段", "a day or a span"},
      {"\"01-25/02-01\"", "\"2027-11-30\"", "f:8", "一天或一段", "a day or a span"},
      {"zh = \"春节\", ", "", "f:8", "zh", "zh"},
      {"work   = [\"01-08\"]", "work   = [\"01-07\"]", "f:12", "周六或周日", "Saturday or Sunday"},
      {"work   = [\"01-08\"]", "work   = [\"01-30\"]", "f:12", "写了两次", "stands twice"},
      {"\"05-01/05-05\"", "\"05-01\"", "f:6", "2028-05-02", "2028-05-02"},
      {"\"01-25/02-01\"", "\"01-25\"", "f:6", "13 天", "there are 13"},
      {"work   =", "holidays =", "f:12", "holidays", "holidays"},
      {"notice =", "provisional = true\nnotice =", "f:4", "暂定", "provisional"},
      {"[[year]]", "[[years]]", "f:1", "[[year]]", "[[year]]"},
      {"off    = [", "off    = (", "f:6", "TOML", "TOML"},
  };
  for (const Row& row : rows) {
    const std::string told = problems_of(year_with(row.from, row.to));
    EXPECT_NE(told.find(std::string(row.line) + ":"), std::string::npos) << row.to << " -> " << told;
    EXPECT_NE(told.find(row.zh), std::string::npos) << row.to << " -> " << told;
    EXPECT_NE(told.find(row.en), std::string::npos) << row.to << " -> " << told;
  }
  const std::string twice = year_with("2028", "2028");
  EXPECT_NE(problems_of(twice + twice).find("写了两次"), std::string::npos);
  EXPECT_NE(problems_of(std::string(kFileMax + 1, '#')).find("65536"), std::string::npos);
  EXPECT_NE(problems_of("\xff").find("UTF-8"), std::string::npos);
}

}  // namespace
}  // namespace jw::calendar
