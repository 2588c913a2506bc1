// Reading the export: text and bit mask state the same facts twice; the mask is used, the text checks it.
#include <boost/json.hpp>

#include <algorithm>
#include <bit>
#include <charconv>
#include <set>

#include "base/text.hpp"
#include "modules/zfsoft/api.hpp"

namespace jw::zfsoft {

namespace json = boost::json;

namespace {

// Every key that is used, or known to say again what another one says.
const std::set<std::string_view> kMapped = {
    "jxb_id", "jxbmc", "kch",   "kch_id", "kcmc",   "xnm",    "xqm",     "xn",    "xq",    "kkbm_id",
    "kkxy",   "xf",    "rwzxs", "zhxs",   "kcxzmc", "kklx",   "jxbzc",   "nj",    "jxbrs", "xkrs",
    "jsxx",   "zjs",   "jszc",  "xqj",    "jc",     "skjc",   "zcd",     "qsjsz", "cdbh",  "cdmc",
    "cdlbmc", "jxlmc", "xqmc",  "zws",    "cdjc",   "cdskjc", "cdqsjsz", "sksj",  "jxdd"};

class RowReader {
 public:
  RowReader(const json::object& row, int64_t number, std::vector<Problem>& problems)
      : row_(row), number_(number), problems_(problems) {}

  std::string text(std::string_view key) const {
    const json::value* value = row_.if_contains(key);
    if (value == nullptr || value->is_null()) return {};
    if (value->is_string()) return std::string(trim(nfkc(std::string_view(value->get_string()))));
    if (value->is_int64()) return std::to_string(value->get_int64());
    if (value->is_uint64()) return std::to_string(value->get_uint64());
    problem(key, {"应是文字或数字", "must be text or a number"});
    return {};
  }

  std::string required(std::string_view key) {
    std::string value = text(key);
    if (value.empty()) {
      problem(key, {"缺少必需的值", "a required value is missing"});
      usable_ = false;
    }
    return value;
  }

  // -1 = not given.
  int64_t number(std::string_view key) const {
    const std::string value = text(key);
    if (value.empty()) return -1;
    int64_t out = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), out);
    if (error != std::errc{} || end != value.data() + value.size() || out < 0) {
      problem(key,
              {"“" + clip(value) + "”应是不小于 0 的整数", "“" + clip(value) + "” must be an integer of 0 or more"});
      return -1;
    }
    return out;
  }

  int64_t credits() const {
    const std::string value = text("xf");
    if (value.empty()) return -1;
    const size_t dot = value.find('.');
    int64_t whole = 0, tenths = 0;
    const std::string head = value.substr(0, dot), tail = dot == std::string::npos ? "0" : value.substr(dot + 1);
    const bool good = std::from_chars(head.data(), head.data() + head.size(), whole).ptr == head.data() + head.size() &&
                      !head.empty() && tail.size() == 1 && tail[0] >= '0' && tail[0] <= '9';
    if (!good || whole > 60) {
      problem("xf", {"学分“" + clip(value) + "”应为 0 到 60，一位小数",
                     "credits “" + clip(value) + "” must be 0 to 60 with one decimal place"});
      return -1;
    }
    tenths = tail[0] - '0';
    return whole * 10 + tenths;
  }

  std::vector<std::string> names(std::string_view key) const {
    std::vector<std::string> out;
    const std::string listed = text(key);
    for (const std::string_view part : split(listed, ',')) {
      const std::string name(trim(part));
      if (!name.empty() && std::find(out.begin(), out.end(), name) == out.end()) out.push_back(name);
    }
    return out;
  }

  void problem(std::string_view key, Text text) const {
    problems_.push_back({number_, std::string(key), std::move(text)});
  }
  void unusable() { usable_ = false; }
  bool usable() const { return usable_; }

 private:
  static std::string clip(const std::string& value) { return value.size() <= 60 ? value : "…"; }

  const json::object& row_;
  int64_t number_;
  std::vector<Problem>& problems_;
  bool usable_ = true;
};

// "3-4节", "9节,12节", "11-15节(单)" as a mask, bit 0 = period 1: written like weeks with another word.
std::optional<int64_t> periods_of(std::string text) {
  for (size_t at = text.find("节"); at != std::string::npos; at = text.find("节", at))
    text.replace(at, std::string_view("节").size(), "周");
  return catalog::parse_weeks(text);
}

void check_mask(const RowReader& row, std::string_view mask_key, int64_t mask, std::string_view text_key,
                const std::optional<int64_t>& told) {
  const std::string text = row.text(text_key);
  if (text.empty()) return;
  if (!told) {
    row.problem(text_key, {"看不懂“" + text + "”", "“" + text + "” is not understood"});
  } else if (*told != mask) {
    row.problem(text_key, {"“" + text + "”与 " + std::string(mask_key) + " 不一致，以后者为准",
                           "“" + text + "” differs from " + std::string(mask_key) + ", which is used"});
  }
}

std::vector<std::pair<int, int>> runs_of(int64_t mask) {
  std::vector<std::pair<int, int>> runs;
  for (int bit = 0; bit < 20; ++bit) {
    if ((mask >> bit & 1) == 0) continue;
    if (!runs.empty() && runs.back().second == bit) {
      runs.back().second = bit + 1;
    } else {
      runs.emplace_back(bit + 1, bit + 1);
    }
  }
  return runs;
}

void read_time(RowReader& row, Meeting& meeting) {
  meeting.weekday = static_cast<int>(row.number("xqj"));
  if (meeting.weekday < 1 || meeting.weekday > 7) {
    row.problem("xqj", {"星期应为 1 到 7", "the weekday must be 1 to 7"});
    row.unusable();
  }
  const int64_t periods = row.number("jc"), weeks = row.number("zcd");
  meeting.periods = runs_of(periods < 0 ? 0 : periods);
  if (periods <= 0 || periods >> 20 != 0) {
    row.problem("jc", {"节次应为 1 到 20 节的位图", "the periods must be a bit mask of 1 to 20"});
    row.unusable();
  } else {
    check_mask(row, "jc", periods, "skjc", periods_of(row.text("skjc")));
    if (meeting.periods.size() > 1) {
      row.problem("jc",
                  {"节次不连续，分为 " + std::to_string(meeting.periods.size()) + " 次上课存放",
                   "the periods are not contiguous; kept as " + std::to_string(meeting.periods.size()) + " meetings"});
    }
  }
  if (weeks <= 0 || weeks >> 60 != 0) {
    row.problem("zcd", {"周次应为 1 到 60 周的位图", "the weeks must be a bit mask of 1 to 60"});
    row.unusable();
  } else {
    meeting.weeks = weeks;
    check_mask(row, "zcd", weeks, "qsjsz", catalog::parse_weeks(row.text("qsjsz")));
  }
  if (row.text("cdbh").empty()) return;
  if (row.number("cdjc") != periods)
    row.problem("cdjc", {"教室的节次与上课节次不一致，以上课为准",
                         "the room's periods differ from the meeting's, which are used"});
  std::string room_weeks = row.text("cdqsjsz");
  if (room_weeks.starts_with("第")) room_weeks.erase(0, std::string_view("第").size());
  if (!room_weeks.empty() && catalog::parse_weeks(room_weeks) != weeks) {
    row.problem("cdqsjsz", {"教室的周次与上课周次不一致，以上课为准",
                            "the room's weeks differ from the meeting's, which are used"});
  }
}

// The section's own summary names every time: this row's must be among them.
void check_summary(const RowReader& row, const Meeting& meeting) {
  constexpr std::string_view kDays[] = {"一", "二", "三", "四", "五", "六", "日"};
  const std::string summary = row.text("sksj");
  if (summary.empty() || !row.usable()) return;
  const std::string day = "星期" + std::string(kDays[meeting.weekday - 1]);
  int64_t weeks = 0;
  for (const std::string_view segment : split(summary, ';')) {
    const size_t open = segment.find('{'), close = segment.find('}');
    if (!segment.starts_with(day) || open == std::string_view::npos || close == std::string_view::npos || close < open)
      continue;
    weeks |= catalog::parse_weeks(segment.substr(open + 1, close - open - 1)).value_or(0);
  }
  if ((meeting.weeks & ~weeks) != 0) {
    row.problem("sksj", {"教学班的时间汇总中没有这一次上课的全部周次",
                         "the section's summary of times does not hold all weeks of this meeting"});
  }
}

std::string term_of(RowReader& row) {
  const int64_t year = row.number("xnm"), code = row.number("xqm");
  const char* season = code == 3 ? "1" : code == 12 ? "2" : code == 16 ? "3" : nullptr;
  if (year < 1980 || year > 2100 || season == nullptr) {
    row.problem("xqm", {"学年 xnm 应为年份，学期 xqm 应为 3、12 或 16", "xnm must be a year and xqm one of 3, 12, 16"});
    row.unusable();
    return {};
  }
  return std::to_string(year) + "-" + std::to_string(year + 1) + "-" + season;
}

std::optional<Meeting> read_row(const json::object& object, int64_t number, std::vector<Problem>& problems) {
  RowReader row(object, number, problems);
  Meeting m;
  m.row = number;
  m.section_id = row.required("jxb_id");
  m.course = row.required("kch");
  m.term = term_of(row);
  m.section_name = row.text("jxbmc");
  m.course_name = row.text("kcmc");
  m.course_id = row.text("kch_id");
  m.unit = row.text("kkbm_id");
  m.unit_name = row.text("kkxy");
  if (m.unit_name.empty() && !m.unit.empty())
    row.problem("kkxy", {"开课单位缺名称，以代码代替", "the unit has no name; its code is used"});
  m.credits = row.credits();
  m.hours = row.number("rwzxs");
  m.hours_by_kind = row.text("zhxs");
  m.nature = row.text("kcxzmc");
  m.kind = row.text("kklx");
  m.groups = row.text("jxbzc");
  m.grade_years = row.text("nj");
  m.students = row.number("jxbrs");
  m.capacity = row.number("xkrs");
  m.teachers = row.names("jsxx");
  m.lead = row.text("zjs");
  m.meeting_teachers = row.names("jszc");
  read_time(row, m);
  check_summary(row, m);
  m.room = row.text("cdbh");
  m.room_name = row.text("cdmc");
  m.room_kind = row.text("cdlbmc");
  m.building = row.text("jxlmc");
  m.campus = row.text("xqmc");
  m.seats = row.number("zws");
  if (!row.usable()) return std::nullopt;
  return m;
}

}  // namespace

Result<Export> read_export(std::string_view text) {
  const auto refuse = [](Text why) { return Refusal{Code::unprocessable, "import.not_an_export", std::move(why)}; };
  if (text.size() > kFileMax) return refuse({"文件超过 512 MiB", "the file is larger than 512 MiB"});
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  if (!is_valid_utf8(text)) return refuse({"文件应为 UTF-8 编码的 JSON", "the file must be JSON in UTF-8"});
  boost::system::error_code error;
  json::monotonic_resource memory;
  const json::value parsed = json::parse(text, error, &memory);
  if (error || !parsed.is_array())
    return refuse(
        {"文件应是 JSON 数组，每个元素是一次上课", "the file must be a JSON array, an object for each meeting"});
  Export out;
  int64_t number = 0;
  for (const json::value& value : parsed.get_array()) {
    ++number;
    out.sources.push_back(json::serialize(value));
    if (!value.is_object()) {
      out.problems.push_back({number, "", {"这一行不是对象", "the row is no object"}});
      continue;
    }
    for (const auto& member : value.get_object()) {
      if (!kMapped.contains(std::string_view(member.key()))) ++out.unmapped[std::string(member.key())];
    }
    if (auto meeting = read_row(value.get_object(), number, out.problems)) out.meetings.push_back(std::move(*meeting));
  }
  return out;
}

}  // namespace jw::zfsoft
