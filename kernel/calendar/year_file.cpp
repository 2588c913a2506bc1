// Files of years: what a clerk writes from the notice, checked against the law and the week.
#include <algorithm>
#include <charconv>
#include <optional>
#include <set>

#include "base/text.hpp"
#include "kernel/calendar/edit.hpp"
#include "kernel/catalog/source.hpp"

namespace jw::calendar {

namespace {

using catalog::bilingual;
using catalog::Node;
using catalog::Problems;
using catalog::Table;

constexpr std::string_view kNoticeHead = "国办发明电〔", kNoticeMiddle = "〕", kNoticeEnd = "号";

bool is_number(std::string_view text, size_t most) {
  return !text.empty() && text.size() <= most &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// 国办发明电〔2025〕7号
bool is_notice(std::string_view text) {
  if (!text.starts_with(kNoticeHead)) return false;
  text.remove_prefix(kNoticeHead.size());
  if (!is_number(text.substr(0, 4), 4) || !text.substr(4).starts_with(kNoticeMiddle)) return false;
  text.remove_prefix(4 + kNoticeMiddle.size());
  return text.ends_with(kNoticeEnd) && is_number(text.substr(0, text.size() - kNoticeEnd.size()), 3);
}

// "02-14" of that year, or in full for a day of the December before.
std::optional<Date> read_day(std::string_view text, int year) {
  const auto date = Date::parse(text.size() == 5 ? std::to_string(year) + "-" + std::string(text) : std::string(text));
  if (!date) return std::nullopt;
  const bool december_before = date->year() == year - 1 && date->month() == 12;
  return date->year() == year || december_before ? date : std::nullopt;
}

class YearReader {
 public:
  YearReader(const Node& node, const std::string& file, Problems& problems)
      : problems_(problems),
        table_(node, file, problems, {"year", "provisional", "notice", "issued", "source", "off", "work"}) {}

  std::optional<Year> read() {
    if (!table_.has("year")) {
      table_.missing("year");
      return std::nullopt;
    }
    const int64_t number = table_.integer("year").value_or(0);
    if (number < kFirstYear || number > kLastYear) {
      table_.problem("year", bilingual("year 应为 {} 至 {} 的年份", "year must be a year from {} to {}",
                                       {std::to_string(kFirstYear), std::to_string(kLastYear)}));
      return std::nullopt;
    }
    year_.year = static_cast<int>(number);
    year_.provisional = table_.boolean("provisional", false);
    read_origin();
    if (!table_.has("off")) table_.missing("off");
    for (const Node* node : table_.tables("off")) read_span(*node);
    for (const catalog::Word& word : table_.words("work")) read_work(word);
    if (problems_.empty()) check_law();
    std::sort(year_.days.begin(), year_.days.end(), [](const Special& a, const Special& b) { return a.date < b.date; });
    return std::move(year_);
  }

 private:
  void read_origin() {
    if (year_.provisional) {
      for (const char* key : {"notice", "issued", "source"}) {
        if (table_.has(key))
          table_.problem(
              key, bilingual("暂定的年份没有 {}；有通知就去掉 provisional",
                             "a provisional year has no {}; leave out provisional once there is a notice", {key}));
      }
      return;
    }
    year_.notice = table_.text("notice");
    year_.issued = table_.text("issued");
    year_.source = table_.text("source");
    if (!year_.notice.empty() && !is_notice(year_.notice))
      table_.problem("notice",
                     bilingual("notice 应为文号，如「国办发明电〔2025〕7号」；尚无通知的年份写 provisional = true",
                               "notice must be a number such as 国办发明电〔2025〕7号; a year without one has "
                               "provisional = true"));
    if (!year_.issued.empty() && !Date::parse(year_.issued))
      table_.problem("issued", bilingual("issued 应为通知的日期，如 2025-11-04",
                                         "issued must be the date of the notice such as 2025-11-04"));
    if (!year_.source.empty() && (!year_.source.starts_with("https://") || year_.source.size() > 300))
      table_.problem("source", bilingual("source 应为通知原文的网址，以 https:// 开头",
                                         "source must be the address of the notice, beginning with https://"));
  }

  void read_span(const Node& node) {
    const Table span(node, table_.file(), problems_, {"days", "name"});
    const std::string days = span.text("days");
    const Text name = span.label("name");
    if (days.empty()) return;
    const auto parts = split(days, '/');
    const auto first = read_day(parts.front(), year_.year), last = read_day(parts.back(), year_.year);
    if (parts.size() > 2 || !first || !last || *last < *first || last->days - first->days > 30) {
      span.problem(
          "days",
          bilingual("off 的 days「{}」应为 {} 年的一天或一段，如 05-01 或 05-01/05-05；上年十二月的日子写全年月日",
                    "days '{}' of off must be a day or a span of {} such as 05-01 or 05-01/05-05; a day "
                    "of the December before is written in full",
                    {days, std::to_string(year_.year)}));
      return;
    }
    for (Date date = *first; date <= *last; date = Date{date.days + 1}) add({date, false, name}, span.line("days"));
  }

  void read_work(const catalog::Word& word) {
    const auto date = read_day(word.text, year_.year);
    if (!date || date->weekday() < 6) {
      table_.problem_at(
          word.line, bilingual("work 的「{}」应为 {} 年的一个周六或周日，如 10-10；平日本来就上班",
                               "'{}' of work must be a Saturday or Sunday of {} such as 10-10; on weekdays one works "
                               "anyway",
                               {word.text, std::to_string(year_.year)}));
      return;
    }
    add({*date, true, {"调休上班", "make-up working day"}}, word.line);
  }

  void add(Special special, int line) {
    if (!seen_.insert(special.date).second) {
      table_.problem_at(line,
                        bilingual("{} 写了两次：每天只能在 off 或 work 中出现一次",
                                  "{} stands twice: a day stands once, in off or in work", {special.date.print()}));
      return;
    }
    year_.days.push_back(std::move(special));
  }

  // The 13 days of the law: a year that lacks one was mistyped.
  void check_law() {
    const auto is_off = [&](Date date) {
      return std::any_of(year_.days.begin(), year_.days.end(),
                         [&](const Special& each) { return each.date == date && !each.works; });
    };
    for (const auto& [month, day] : {std::pair{1u, 1u}, {5u, 1u}, {5u, 2u}, {10u, 1u}, {10u, 2u}, {10u, 3u}}) {
      const Date date = Date::from_civil(year_.year, month, day);
      if (!is_off(date))
        table_.problem("off", bilingual("off 缺少法定假日 {}", "off lacks {}, a day off by law", {date.print()}));
    }
    const auto off =
        std::count_if(year_.days.begin(), year_.days.end(), [](const Special& each) { return !each.works; });
    if (off < 13)
      table_.problem("off",
                     bilingual("off 共 {} 天；法定假日有 13 天（元旦1、春节4、清明1、劳动节2、端午1、中秋1、国庆3）",
                               "off has {} days; by law there are 13 (New Year 1, Spring Festival 4, Qingming 1, "
                               "Labour Day 2, Dragon Boat 1, Mid-Autumn 1, National Day 3)",
                               {std::to_string(off)}));
  }

  Problems& problems_;
  Table table_;
  Year year_;
  std::set<Date> seen_;
};

}  // namespace

std::variant<std::vector<Year>, std::vector<catalog::FileProblem>> read_years(std::string_view text,
                                                                              const std::string& shown) {
  Problems problems;
  if (text.size() > kFileMax) {
    problems.add(shown, 1,
                 bilingual("文件超过 {} 字节", "the file has more than {} bytes", {std::to_string(kFileMax)}));
    return problems.take();
  }
  std::vector<Year> years;
  if (const auto root = catalog::parse_toml(text, shown, problems)) {
    const Table file(*root, shown, problems, {"year"});
    if (!file.has("year"))
      problems.add(shown, 1,
                   bilingual("文件中没有 [[year]]；每一年写一段，格式见说明",
                             "there is no [[year]] in the file; each year is one, see the guide"));
    std::set<int> seen;
    for (const Node* node : file.tables("year")) {
      Problems own;
      auto year = YearReader(*node, shown, own).read();
      for (catalog::FileProblem& problem : own.take())
        problems.add(problem.file, problem.line, std::move(problem.text));
      if (!year) continue;
      if (!seen.insert(year->year).second)
        problems.add(shown, node->line,
                     bilingual("{} 年写了两次", "the year {} stands twice", {std::to_string(year->year)}));
      years.push_back(std::move(*year));
    }
  }
  if (!problems.empty()) return problems.take();
  return years;
}

}  // namespace jw::calendar
