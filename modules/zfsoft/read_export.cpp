// Reading the export row by row. Text and bit mask state the same facts twice: the mask is used, the text checks it and
// stands in where there is no mask.
#include <boost/json.hpp>

#include <algorithm>
#include <array>
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

std::string clip(std::string_view value) {
  return code_points(value) <= 40 ? std::string(value) : utf8(utf32(value).substr(0, 40)) + "…";
}

class RowReader {
 public:
  RowReader(const json::object& row, int64_t number, std::vector<Problem>& problems)
      : row_(row), number_(number), problems_(problems) {}

  // Of a cell, line ends kept.
  std::string lines(std::string_view key) const {
    const json::value* value = row_.if_contains(key);
    if (value == nullptr || value->is_null()) return {};
    if (value->is_int64()) return std::to_string(value->get_int64());
    if (value->is_uint64()) return std::to_string(value->get_uint64());
    if (value->is_double()) {
      std::array<char, 400> text;
      const auto end =
          std::to_chars(text.data(), text.data() + text.size(), value->get_double(), std::chars_format::fixed);
      return {text.data(), end.ptr};
    }
    if (!value->is_string()) {
      lost(key, {"应是文字或数字", "must be text or a number"});
      return {};
    }
    Cleaned cell = cell_text(std::string_view(value->get_string()));
    for (Text& what : cell.told) told(key, std::move(what));
    return std::move(cell.text);
  }

  std::string text(std::string_view key) const { return one_line(lines(key)); }
  // Of keys and codes: width says nothing in them.
  std::string code(std::string_view key) const { return std::string(trim(nfkc(text(key)))); }

  std::optional<int64_t> number(std::string_view key, int places = 0) const {
    const std::string value = text(key);
    if (value.empty()) return std::nullopt;
    const auto number = catalog::parse_decimal(value, places);
    if (number && *number >= 0) return number;
    const std::string most = std::to_string(places);
    lost(key, {"“" + clip(value) + "”应是不小于 0 的数，" + (places == 0 ? "没有小数" : "至多 " + most + " 位小数"),
               "“" + clip(value) + "” must be a number of 0 or more, " +
                   (places == 0 ? "without decimals" : "with at most " + most + " decimal places")});
    return std::nullopt;
  }

  Teachers teachers(std::string_view key) const {
    Teachers list = read_teachers(lines(key));
    for (const std::string& item : list.unclear)
      lost(key, {"看不懂“" + clip(item) + "”是哪位教师", "it is not clear which teacher “" + clip(item) + "” is"});
    for (const std::string& name : list.twice)
      told(key, {"“" + clip(name) + "”列了不止一次，按一人计",
                 "“" + clip(name) + "” is listed more than once and taken as one person"});
    return list;
  }

  void put(Facts& facts, const char* field, std::string value) const {
    if (!value.empty()) facts[field] = std::move(value);
  }
  void put(Facts& facts, const char* field, std::optional<int64_t> value) const {
    if (value) facts[field] = *value;
  }

  void lost(std::string_view key, Text text) const { note({number_, std::string(key), std::move(text), true}); }
  void told(std::string_view key, Text text) const { note({number_, std::string(key), std::move(text), false}); }

 private:
  // Once, however often a cell is looked at.
  void note(Problem problem) const {
    for (auto at = problems_.rbegin(); at != problems_.rend() && at->row == number_; ++at) {
      if (at->field == problem.field && at->text.zh == problem.text.zh) return;
    }
    problems_.push_back(std::move(problem));
  }

  const json::object& row_;
  int64_t number_;
  std::vector<Problem>& problems_;
};

// What is said by a bit mask and once more in words.
struct Counted {
  const char *mask, *words;
  char32_t unit;
  int most;
};
constexpr Counted kPeriods{"jc", "skjc", U'节', 20}, kWeeks{"zcd", "qsjsz", U'周', 60};

std::optional<int64_t> read_counted(const RowReader& row, const Counted& counted) {
  const std::string mask = row.text(counted.mask), words = row.text(counted.words);
  const auto bounded = [&](std::optional<int64_t> value) {
    return value && *value > 0 && *value >> counted.most == 0 ? value : std::nullopt;
  };
  const auto number = catalog::parse_decimal(mask, 0);
  const auto of_mask = bounded(number ? number : catalog::parse_weeks(mask, counted.unit));
  const auto of_words = bounded(catalog::parse_weeks(words, counted.unit));
  if (!words.empty() && !of_words)
    row.told(counted.words, {"看不懂“" + clip(words) + "”", "“" + clip(words) + "” is not understood"});
  if (of_mask && of_words && *of_mask != *of_words)
    row.told(counted.words, {"“" + clip(words) + "”与 " + counted.mask + " 不一致，以后者为准",
                             "“" + clip(words) + "” differs from " + counted.mask + ", which is used"});
  if (of_mask) return of_mask;
  const Text must{"应为 1 到 " + std::to_string(counted.most) + " 的位图",
                  "must be a bit mask of 1 to " + std::to_string(counted.most)};
  if (!of_words) {
    row.lost(counted.mask, must);
  } else if (!mask.empty()) {
    row.told(counted.mask, {must.zh + "，改用 " + counted.words, must.en + "; " + counted.words + " is used"});
  }
  return of_words;
}

std::vector<std::pair<int, int>> runs_of(int64_t mask) {
  std::vector<std::pair<int, int>> runs;
  for (int bit = 0; bit < kPeriods.most; ++bit) {
    if ((mask >> bit & 1) == 0) continue;
    if (!runs.empty() && runs.back().second == bit) {
      runs.back().second = bit + 1;
    } else {
      runs.emplace_back(bit + 1, bit + 1);
    }
  }
  return runs;
}

// The same times once more, of the room.
void check_room(const RowReader& row, int64_t periods, int64_t weeks) {
  if (row.text("cdbh").empty()) return;
  const auto differs = [&](const char* key, const std::optional<int64_t>& of_room, int64_t of_meeting,
                           const Text& what) {
    if (row.text(key).empty() || of_room == of_meeting) return;
    row.told(key, {"教室的" + what.zh + "与上课不一致，以上课为准",
                   "the room's " + what.en + " differ from the meeting's, which are used"});
  };
  differs("cdjc", catalog::parse_decimal(row.text("cdjc"), 0), periods, {"节次", "periods"});
  differs("cdqsjsz", catalog::parse_weeks(row.text("cdqsjsz")), weeks, {"周次", "weeks"});
}

// The section's own summary names every time: this row's must be among them.
void check_summary(const RowReader& row, const Time& time) {
  constexpr std::string_view kDays[] = {"一", "二", "三", "四", "五", "六", "日"};
  const std::string summary = row.text("sksj");
  if (summary.empty()) return;
  const std::string day = "星期" + std::string(kDays[time.weekday - 1]);
  int64_t weeks = 0;
  for (const std::string_view segment : split(summary, ';')) {
    const size_t open = segment.find('{'), close = segment.find('}');
    if (!segment.starts_with(day) || open == std::string_view::npos || close == std::string_view::npos || close < open)
      continue;
    weeks |= catalog::parse_weeks(segment.substr(open + 1, close - open - 1)).value_or(0);
  }
  if ((time.weeks & ~weeks) != 0)
    row.told("sksj", {"教学班的时间汇总中没有这一次上课的全部周次",
                      "the section's summary of times does not hold all weeks of this meeting"});
}

void read_time(const RowReader& row, Meeting& meeting) {
  for (const char* key : {"xqj", "jc", "skjc", "zcd", "qsjsz"}) {
    const std::string value = row.code(key);
    meeting.timed = meeting.timed || (!value.empty() && value != "0");
  }
  if (!meeting.timed) return;
  const auto weekday = row.number("xqj");
  const bool day = weekday && *weekday >= 1 && *weekday <= 7;
  if (!day) row.lost("xqj", {"星期应为 1 到 7", "the weekday must be 1 to 7"});
  const auto periods = read_counted(row, kPeriods), weeks = read_counted(row, kWeeks);
  if (!day || !periods || !weeks) return;
  meeting.time = Time{static_cast<int>(*weekday), runs_of(*periods), *weeks};
  if (meeting.time->periods.size() > 1)
    row.told("jc",
             {"节次不连续，分为 " + std::to_string(meeting.time->periods.size()) + " 次上课存放",
              "the periods are not contiguous; kept as " + std::to_string(meeting.time->periods.size()) + " meetings"});
  check_room(row, *periods, *weeks);
  check_summary(row, *meeting.time);
}

std::string term_of(const RowReader& row) {
  const auto year = row.number("xnm"), code = row.number("xqm");
  const char* season = !code ? nullptr : *code == 3 ? "1" : *code == 12 ? "2" : *code == 16 ? "3" : nullptr;
  if (!year || *year < 1980 || *year > 2100 || season == nullptr) {
    row.lost("xqm", {"学年 xnm 应为年份，学期 xqm 应为 3、12 或 16", "xnm must be a year and xqm one of 3, 12, 16"});
    return {};
  }
  return std::to_string(*year) + "-" + std::to_string(*year + 1) + "-" + season;
}

void read_facts(const RowReader& row, Meeting& m) {
  const auto hours = row.number("rwzxs"), credits = row.number("xf", 1);
  row.put(m.of_section, "name", row.text("jxbmc"));
  row.put(m.of_section, "capacity", row.number("xkrs"));
  row.put(m.of_section, "students_count", row.number("jxbrs"));
  row.put(m.of_section, "nature", row.text("kcxzmc"));
  row.put(m.of_section, "kind", row.text("kklx"));
  row.put(m.of_section, "hours", hours);
  row.put(m.of_section, "groups", row.text("jxbzc"));
  row.put(m.of_section, "campus", row.text("xqmc"));
  if (const std::string years = row.text("nj"); years != "wnj") row.put(m.of_section, "grade_years", years);
  row.put(m.of_course, "name", row.text("kcmc"));
  row.put(m.of_course, "credits", credits);
  if (credits.value_or(0) > 0) row.put(m.of_course, "hours", hours);
  row.put(m.of_course, "hours_by_kind", row.text("zhxs"));
  row.put(m.of_course, "source_id", row.code("kch_id"));
  row.put(m.of_course, "unit", m.unit);
  row.put(m.of_unit, "name", row.text("kkxy"));
  row.put(m.of_room, "name", row.text("cdmc"));
  row.put(m.of_room, "kind", row.text("cdlbmc"));
  row.put(m.of_room, "building", row.text("jxlmc"));
  row.put(m.of_room, "campus", row.text("xqmc"));
  row.put(m.of_room, "seats", row.number("zws"));
}

// nullopt when nobody can tell whose row it is.
std::optional<Meeting> read_row(const json::object& object, int64_t number, std::vector<Problem>& problems) {
  const RowReader row(object, number, problems);
  Meeting m;
  m.row = number;
  m.section_id = row.code("jxb_id");
  m.term = term_of(row);
  m.course = row.code("kch");
  for (const auto& [key, value] : {std::pair{"jxb_id", &m.section_id}, {"kch", &m.course}}) {
    if (value->empty()) row.lost(key, {"缺少必需的值", "a required value is missing"});
  }
  if (m.section_id.empty() || m.term.empty()) return std::nullopt;
  m.unit = row.code("kkbm_id");
  m.room = row.code("cdbh");
  read_facts(row, m);
  m.teachers = row.teachers("jsxx");
  m.lead = row.teachers("zjs");
  m.present = row.teachers("jszc");
  read_time(row, m);
  return m;
}

Refusal refuse(const char* type, Text why) {
  return {Code::unprocessable, type, std::move(why)};
}

// The rows of an export, and how many there are by its own count.
struct Rows {
  const json::array* rows = nullptr;
  int64_t total = 0;
};

int64_t count_in(const json::object& object, std::initializer_list<const char*> keys) {
  int64_t most = 0;
  for (const char* key : keys) {
    const json::value* value = object.if_contains(key);
    if (value != nullptr && value->is_int64()) most = std::max(most, value->get_int64());
  }
  return most;
}

Result<Rows> rows_of(const json::value& parsed) {
  if (const auto* array = parsed.if_array()) return Rows{array, 0};
  const auto* object = parsed.if_object();
  const json::value* items = object == nullptr ? nullptr : object->if_contains("items");
  if (items != nullptr && items->is_array())
    return Rows{&items->get_array(), count_in(*object, {"totalResult", "totalCount"})};
  if (object != nullptr && object->contains("kbList"))
    return refuse("import.other_export",
                  {"这是一名学生或教师的个人课表（kbList）：只有本人的教学班，也没有开课单位。请在正方系统的教学班（全"
                   "校课表）查询中导出一个学期的全部教学班",
                   "this is the timetable of one person (kbList): it has that person's sections only, and no units. "
                   "Export all sections of a term from the system's query of sections (全校课表) instead"});
  return refuse("import.not_an_export",
                {"文件应是 JSON 数组，每个元素是一次上课；或带 items 数组的分页查询结果",
                 "the file must be a JSON array, an object for each meeting, or a paged answer with an array items"});
}

void check_whole(Export& out, int64_t total) {
  const auto rows = static_cast<int64_t>(out.sources.size());
  if (total <= rows) return;
  out.whole = false;
  out.problems.push_back(
      {0,
       "totalresult",
       {"系统中共 " + std::to_string(total) + " 行，文件只有 " + std::to_string(rows) + " 行：不完整，只增改，不停开",
        "there are " + std::to_string(total) + " rows and the file has " + std::to_string(rows) +
            ": it is not whole, so nothing is ended"},
       true});
}

}  // namespace

Result<Export> read_export(std::string_view text) {
  if (text.size() > kFileMax)
    return refuse("import.not_an_export", {"文件超过 512 MiB", "the file is larger than 512 MiB"});
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  if (!is_valid_utf8(text))
    return refuse("import.not_an_export", {"文件应为 UTF-8 编码的 JSON", "the file must be JSON in UTF-8"});
  boost::system::error_code error;
  json::monotonic_resource memory;
  const json::value parsed = json::parse(text, error, &memory);
  JW_TRY(const Rows rows, rows_of(error ? json::value() : parsed));
  Export out;
  int64_t number = 0, total = rows.total;
  for (const json::value& value : *rows.rows) {
    ++number;
    out.sources.push_back(json::serialize(value));
    if (!value.is_object()) {
      out.problems.push_back({number, "", {"这一行不是对象", "the row is no object"}, true});
      out.whole = false;
      continue;
    }
    for (const auto& member : value.get_object()) {
      const std::string_view key = member.key();
      if (!kMapped.contains(key)) ++out.unmapped[std::string(key)];
    }
    total = std::max(total, count_in(value.get_object(), {"totalresult", "totalResult"}));
    auto meeting = read_row(value.get_object(), number, out.problems);
    out.whole = out.whole && meeting;
    if (meeting) out.meetings.push_back(std::move(*meeting));
  }
  check_whole(out, total);
  return out;
}

}  // namespace jw::zfsoft
