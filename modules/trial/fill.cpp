// From an empty store to a university: offices and colleges, people, courses and sections, then what four years left
// behind.
#include <algorithm>
#include <map>
#include <set>

#include "base/text.hpp"
#include "kernel/change/api.hpp"
#include "modules/trial/api.hpp"
#include "modules/trial/people.hpp"

namespace jw::trial {

using catalog::Value;

namespace {

constexpr int kCoursesATerm = 12, kSlots = 25, kCohorts = 4;
constexpr const char* kSchoolNumber = "10999";  // 院校国标代码 of a school that does not exist

// One row in the making; fields by name, found once per table.
class Row {
 public:
  Row(change::Batch& batch, const char* dataset)
      : batch_(batch), table_(batch.table(dataset)), values_(table_.width()) {
    for (size_t i = 0; i < values_.size(); ++i) places_[table_.dataset().fields[i].name] = i;
  }
  Row& set(std::string_view field, Value value) {
    values_[places_.find(field)->second] = std::move(value);
    return *this;
  }
  Row& date(std::string_view field, Date day) { return set(field, day.print()); }
  // Adds the row and starts the next one. Every row of a small store is checked, one in some hundred of a large one.
  int64_t add(int64_t person = 0) {
    if (++rows_ < 2000 || rows_ % 256 == 0) {
      const auto problems = change::check_row(batch_.catalogue(), table_.dataset(), values_);
      if (!problems.empty())
        throw std::logic_error("made up " + table_.dataset().name + "." + problems.front().field + ": " +
                               problems.front().text.en);
    }
    const int64_t id = table_.insert(values_, person);
    std::fill(values_.begin(), values_.end(), Value{});
    return id;
  }

 private:
  change::Batch& batch_;
  change::Table& table_;
  std::vector<Value> values_;
  std::map<std::string, size_t, std::less<>> places_;
  int64_t rows_ = 0;
};

struct Term {
  int64_t id = 0;
  std::string code;
  int year = 0, season = 1;  // season 1 autumn of `year`, 2 spring of year + 1
  Date begins, ends;
};

struct Staff {
  int64_t id = 0, person = 0;
  std::string number, name;
  std::map<std::string, std::vector<bool>> busy;  // slots taken, by term
};

struct Section {
  int64_t id = 0, course = 0;
  size_t course_index = 0;
  const Term* term = nullptr;
};

// Classes that share all sections: up to four of one major and year.
struct Group {
  std::vector<Section> sections;  // of every term so far, in order
};

struct Class {
  int64_t id = 0;
  size_t group = 0;
};

struct Major {
  int64_t id = 0, plan = 0, tuition = 0;
  std::string code, name, national;
  size_t college = 0;
  std::vector<size_t> courses;  // 8 terms × kCoursesATerm, into courses_
};

struct Course {
  int64_t id = 0;
  int64_t credits = 0;  // scaled by 10
  int ease = 0;
};

struct College {
  int64_t id = 0;
  std::string code, name;
  std::vector<Staff> staff;
  size_t next_teacher = 0;
  std::vector<std::vector<bool>> rooms_of_term;
};

struct Person {  // somebody who may get an account
  std::string kind, login, name;
  int64_t person = 0;
  Text note;
};

struct MajorSeed {
  const char *national, *name;
};
struct CollegeSeed {
  const char *name, *english;
  std::array<MajorSeed, 2> majors;
};
constexpr std::array<CollegeSeed, 10> kColleges = {
    {{"计算机学院", "School of Computing", {{{"080901", "计算机科学与技术"}, {"080902", "软件工程"}}}},
     {"数学学院", "School of Mathematics", {{{"070101", "数学与应用数学"}, {"071201", "统计学"}}}},
     {"外国语学院", "School of Foreign Languages", {{{"050201", "英语"}, {"050207", "日语"}}}},
     {"经济管理学院", "School of Economics and Management", {{{"020101", "经济学"}, {"120203K", "会计学"}}}},
     {"法学院", "School of Law", {{{"030101K", "法学"}, {"030102T", "知识产权"}}}},
     {"机械工程学院",
      "School of Mechanical Engineering",
      {{{"080202", "机械设计制造及其自动化"}, {"080207", "车辆工程"}}}},
     {"物理学院", "School of Physics", {{{"070201", "物理学"}, {"070202", "应用物理学"}}}},
     {"文学院", "School of Humanities", {{{"050101", "汉语言文学"}, {"060101", "历史学"}}}},
     {"生命科学学院", "School of Life Sciences", {{{"071001", "生物科学"}, {"071002", "生物技术"}}}},
     {"土木工程学院", "School of Civil Engineering", {{{"081001", "土木工程"}, {"082803", "风景园林"}}}}}};
constexpr std::array<const char*, 24> kSubjects = {
    "导论",     "高等数学", "大学英语", "大学物理", "程序设计", "思想道德与法治", "体育",     "线性代数",
    "概率统计", "方法论",   "实验技术", "文献研读", "原理",     "系统分析",       "设计",     "综合实践",
    "前沿专题", "专业英语", "案例研究", "数据分析", "理论基础", "应用技术",       "研究方法", "专题讨论"};
constexpr std::array<const char*, 6> kOfficeUnits = {"jwc", "xsc", "cwc", "kyc", "hqc", "tsg"};
constexpr std::array<const char*, 6> kOfficeNames = {"教务处", "学生处", "财务处", "科研处", "后勤处", "图书馆"};

int64_t scaled_points(int64_t score) {
  return score >= 600 ? score - 500 : 0;
}  // G5 linear: (x − 50) / 10

class University {
 public:
  University(change::Batch& batch, Instant now, const Options& options)
      : batch_(batch), today_(now.date()), now_(now), options_(options), chance_(options.seed) {}

  void build() {
    terms();
    units();
    majors();
    courses();
    offices();
    classes_and_sections();
    libraries();
  }
  std::vector<Person>& people() { return people_; }
  std::vector<Person>& others() { return others_; }

 private:
  std::string padded(int64_t number, size_t width) const {
    std::string text = std::to_string(number);
    return text.size() >= width ? text : std::string(width - text.size(), '0') + text;
  }

  void terms() {
    first_year_ = today_.month() >= 9 ? today_.year() : today_.year() - 1;
    Row row(batch_, "term");
    for (int year = first_year_ - 7; year <= first_year_; ++year) {
      for (int season = 1; season <= 2; ++season) {
        Term term;
        term.year = year;
        term.season = season;
        term.begins = season == 1 ? Date::from_civil(year, 9, 7) : Date::from_civil(year + 1, 2, 22);
        while (term.begins.weekday() != 1) ++term.begins.days;
        term.ends = Date{term.begins.days + 19 * 7 - 1};
        term.code = std::to_string(year) + "-" + std::to_string(year + 1) + "-" + std::to_string(season);
        row.set("code", term.code)
            .set("name", std::to_string(year) + "-" + std::to_string(year + 1) + " 学年" +
                             (season == 1 ? "秋季学期" : "春季学期"));
        row.set("school_year", term.code.substr(0, 9))
            .set("season", std::to_string(season))
            .date("begins", term.begins)
            .date("ends", term.ends)
            .set("weeks", int64_t{19});
        term.id = row.add();
        if (term.begins <= today_) current_ = terms_.size();
        terms_.push_back(term);
      }
    }
  }

  void units() {
    Row row(batch_, "unit");
    for (size_t i = 0; i < kOfficeUnits.size(); ++i) {
      unit_ids_[kOfficeUnits[i]] = row.set("code", std::string(kOfficeUnits[i]))
                                       .set("name", std::string(kOfficeNames[i]))
                                       .set("kind", std::string("office"))
                                       .set("campus", std::string("本部"))
                                       .add();
    }
    const size_t count = options_.students >= 5000 ? kColleges.size() : 4;
    for (size_t i = 0; i < count; ++i) {
      College college;
      college.code = padded(static_cast<int64_t>(i + 1) * 100, 5);
      college.name = kColleges[i].name;
      college.id = row.set("code", college.code)
                       .set("name", college.name)
                       .set("english_name", std::string(kColleges[i].english))
                       .set("kind", std::string("college"))
                       .set("campus", std::string(i % 2 == 0 ? "本部" : "东区"))
                       .add();
      colleges_.push_back(std::move(college));
    }
    Row room(batch_, "room");
    const int64_t per_college = std::max<int64_t>(6, options_.students / static_cast<int64_t>(count) / 60);
    for (size_t c = 0; c < count; ++c) {
      rooms_.emplace_back();
      for (int64_t i = 0; i < per_college; ++i) {
        const std::string code = "R" + colleges_[c].code.substr(0, 3) + padded(i + 1, 3);
        rooms_[c].push_back(room.set("code", code)
                                .set("name", std::string("第") + std::to_string(c + 1) + "教学楼" +
                                                 padded(100 * (i / 20 + 1) + i % 20, 3))
                                .set("kind", std::string(i % 5 == 0 ? "1" : "5"))
                                .set("building", "第" + std::to_string(c + 1) + "教学楼")
                                .set("campus", std::string(c % 2 == 0 ? "本部" : "东区"))
                                .set("seats", int64_t{140})
                                .set("available", int64_t{1})
                                .add());
      }
    }
  }

  void majors() {
    Row row(batch_, "major"), tuition(batch_, "tuition");
    for (size_t c = 0; c < colleges_.size(); ++c) {
      for (const MajorSeed& seed : kColleges[c].majors) {
        Major major;
        major.national = seed.national;
        major.code = major.national;
        major.name = seed.name;
        major.college = c;
        major.id = row.set("code", major.code)
                       .set("name", major.name)
                       .set("unit", colleges_[c].id)
                       .set("level", std::string("3"))
                       .set("national_code", major.national)
                       .set("duration", int64_t{40})
                       .set("degree", "4" + major.national.substr(0, 2))
                       .set("founded_year", int64_t{1980 + static_cast<int64_t>(c)})
                       .set("stopped", int64_t{0})
                       .add();
        majors_.push_back(std::move(major));
      }
    }
    for (const Major& major : majors_) {
      for (int year = first_year_ - 7; year <= first_year_; ++year) {
        tuitions_[{major.id, year}] = tuition.set("code", major.code + "-" + std::to_string(year))
                                          .set("major", major.id)
                                          .set("grade_year", int64_t{year})
                                          .set("level", std::string("3"))
                                          .set("amount", int64_t{tuition_of(major)})
                                          .set("housing", int64_t{120'000})
                                          .date("valid_from", Date::from_civil(year, 9, 1))
                                          .add();
      }
    }
  }

  static int64_t tuition_of(const Major& major) { return major.college % 3 == 0 ? 550'000 : 500'000; }

  void courses() {
    Row row(batch_, "course"), online(batch_, "online_course");
    for (size_t m = 0; m < majors_.size(); ++m) {
      for (int i = 0; i < 8 * kCoursesATerm; ++i) {
        Course course;
        const std::string number = "C" + padded(static_cast<int64_t>(m + 1), 2) + padded(i + 1, 3);
        course.credits = 10 * chance_.between(1, 4);
        course.ease = static_cast<int>(chance_.between(-60, 60));
        const std::string name = majors_[m].name + kSubjects[static_cast<size_t>(i) % kSubjects.size()] +
                                 (i >= 24 ? std::string(i < 48   ? "（二）"
                                                        : i < 72 ? "（三）"
                                                                 : "（四）")
                                          : "");
        course.id = row.set("number", number)
                        .set("name", name)
                        .set("unit", colleges_[majors_[m].college].id)
                        .set("credits", course.credits)
                        .set("hours", course.credits / 10 * 16)
                        .set("hours_by_kind", "理论(" + std::to_string(course.credits / 10) + ".0)")
                        .set("category", std::string("1"))
                        .set("nature", std::to_string(1 + i % 3))
                        .set("exam_form", std::string(i % 4 == 3 ? "2" : "1"))
                        .add();
        majors_[m].courses.push_back(courses_.size());
        courses_.push_back(course);
        if (i % 24 == 0) {
          online.set("code", "MOOC-" + number)
              .set("title", name + "（在线）")
              .set("platform", std::string("本校在线课程"))
              .set("url", "https://courses.example.edu.cn/" + number)
              .set("course", course.id)
              .set("unit", colleges_[majors_[m].college].id)
              .set("hours", int64_t{32})
              .set("open_to_public", int64_t{1})
              .add();
        }
      }
    }
    Row plan(batch_, "plan"), part(batch_, "plan_course");
    for (Major& major : majors_) {
      for (int year = first_year_ - 7; year <= first_year_; ++year) {
        const int64_t id = plan.set("code", major.code + "-" + std::to_string(year))
                               .set("name", major.name + " " + std::to_string(year) + " 级教学计划")
                               .set("major", major.id)
                               .set("grade_year", int64_t{year})
                               .set("level", std::string("3"))
                               .set("terms", int64_t{8})
                               .set("credits_required", int64_t{1600})
                               .set("state", std::string("in_force"))
                               .add();
        plans_[{major.id, year}] = id;
        for (size_t i = 0; i < major.courses.size(); ++i) {
          const Course& course = courses_[major.courses[i]];
          part.set("plan", id)
              .set("course", course.id)
              .set("term_number", static_cast<int64_t>(i) / kCoursesATerm + 1)
              .set("nature", std::string(i % 4 == 3 ? "2" : "1"))
              .set("credits", course.credits)
              .add();
        }
      }
    }
  }

  Staff hire(Row& row, int64_t unit, const std::string& number, const char* kind) {
    const Human human = make_human(chance_, Date::from_civil(1966, 1, 1), Date::from_civil(1996, 12, 31));
    const std::string_view names[] = {human.name};
    Staff staff;
    staff.number = number;
    staff.name = human.name;
    staff.person = identity::add_persons(batch_.connection(), names, now_);
    const Date hired = Date::from_civil(human.born.year() + 27, 7, 1);
    row.set("number", number)
        .set("name", human.name)
        .set("unit", unit)
        .set("provisional", int64_t{0})
        .set("sex", std::string(human.male ? "1" : "2"))
        .date("birth_date", human.born)
        .set("id_type", std::string("1"))
        .set("id_number", human.id_number)
        .set("ethnic", std::string("01"))
        .set("phone", human.phone)
        .set("email", number + "@example.edu.cn")
        .set("kind", std::string(kind))
        .date("hired_on", std::min(hired, today_))
        .set("state", std::string("11"));
    staff.id = row.add(staff.person);
    others_.push_back(
        {kind == std::string_view("teacher") ? "teacher" : "staff", number, human.name, staff.person, {}});
    return staff;
  }

  void appoint(Row& row, const Staff& staff, const char* post, int64_t unit) {
    row.set("staff", staff.id)
        .set("post", std::string(post))
        .set("unit", unit)
        .date("begins", Date{today_.days - 400})
        .date("ends", Date{today_.days + 700})
        .add();
  }

  void sign_in_as(const char* kind, const Staff& staff, Text note) {
    std::erase_if(others_, [&](const Person& p) { return p.person == staff.person; });
    people_.push_back({kind, staff.number, staff.name, staff.person, std::move(note)});
  }

  void offices() {
    struct Office {
      const char *kind, *unit;
      Text note;
    };
    const Office offices[] = {
        {"academic_office", "jwc", {"§2.1.1 教务处：可查询全部教务数据", "§2.1.1 academic affairs: all academic data"}},
        {"student_office",
         "xsc",
         {"§2.1.2 学生处：学生信息、异动、奖惩", "§2.1.2 student affairs: students, status, awards"}},
        {"finance_office", "cwc", {"§2.1.3 财务处：缴费与学费标准", "§2.1.3 finance: payments and tuition"}},
        {"research_office",
         "kyc",
         {"§2.1.4 科研处：经授权查询学生科研成果", "§2.1.4 research office: research results by grant"}},
        {"logistics_office", "hqc", {"§2.1.4 后勤处：经授权查询住宿", "§2.1.4 logistics: housing by grant"}},
        {"system_admin", "jwc", {"§4.3.2 系统管理员：不查教务数据", "§4.3.2 system administrator: no academic data"}},
        {"security_admin",
         "jwc",
         {"§4.3.2 安全管理员：不查教务数据", "§4.3.2 security administrator: no academic data"}},
        {"audit_admin", "jwc", {"§4.3.2 审计管理员：不查教务数据", "§4.3.2 audit administrator: no academic data"}}};
    int64_t number = 0;
    for (const Office& office : offices) {
      for (int i = 0; i < 3; ++i) {
        Row staff_row(batch_, "staff");
        const Staff staff = hire(staff_row, unit_ids_[office.unit], "J" + padded(++number, 4), "administration");
        Row holding(batch_, "post_holding");
        appoint(holding, staff, office.kind, unit_ids_[office.unit]);
        sign_in_as(office.kind, staff, office.note);
      }
    }
    for (size_t c = 0; c < colleges_.size(); ++c) {
      const int64_t teachers = std::max<int64_t>(24, options_.students / static_cast<int64_t>(colleges_.size()) / 22);
      Row staff_row(batch_, "staff");
      for (int64_t i = 0; i < teachers; ++i)
        colleges_[c].staff.push_back(
            hire(staff_row, colleges_[c].id, "T" + colleges_[c].code.substr(0, 3) + padded(i + 1, 4), "teacher"));
      Row holding(batch_, "post_holding");
      appoint(holding, colleges_[c].staff[0], "department_head", colleges_[c].id);
    }
    Row former(batch_, "post_holding");
    for (size_t c = 0; c < std::min<size_t>(4, colleges_.size()); ++c) {
      for (size_t i : {size_t{1}, size_t{2}}) {  // headed the college once: an appointment that has ended
        former.set("staff", colleges_[c].staff[i].id)
            .set("post", std::string("department_head"))
            .set("unit", colleges_[c].id)
            .date("begins", Date{today_.days - 2600 + static_cast<int32_t>(i) * 700})
            .date("ends", Date{today_.days - 1901 + static_cast<int32_t>(i) * 700})
            .add();
      }
      sign_in_as("department_head", colleges_[c].staff[0],
                 {"§2.4.2 " + colleges_[c].name + "负责人", "§2.4.2 head of a college"});
      sign_in_as(
          "teacher", colleges_[c].staff[2],
          {"§2.2.1 任课教师：所授课程的名单、成绩", "§2.2.1 course teacher: rosters and grades of own sections"});
      sign_in_as("class_adviser", colleges_[c].staff[1],
                 {"§2.2.2 班主任：所带班级的基本信息、成绩、考勤、奖惩", "§2.2.2 class adviser: the class led"});
    }
  }

  // ---- teaching
  // -------------------------------------------------------------------------------------------------------

  void classes_and_sections() {
    const int64_t cohort = std::max<int64_t>(1, options_.students / kCohorts);
    // In school: four years. Besides: one year within the graduates' period, one past it.
    std::vector<std::pair<int, int64_t>> cohorts;
    for (int back = 0; back < kCohorts; ++back)
      cohorts.emplace_back(first_year_ - back, back == 0 ? options_.students - (kCohorts - 1) * cohort : cohort);
    const int last_graduated = today_ >= Date::from_civil(first_year_ + 1, 6, 30) ? first_year_ - 3 : first_year_ - 4;
    cohorts.emplace_back(last_graduated, std::clamp<int64_t>(cohort / 20, 12, 400));
    cohorts.emplace_back(last_graduated - 2, std::clamp<int64_t>(cohort / 40, 6, 200));
    // The first student is one who has seen much: of the third year.
    std::swap(cohorts[0], cohorts[2]);
    for (const auto& [year, count] : cohorts) make_cohort(year, count, year <= first_year_ - kCohorts);
  }

  void make_cohort(int year, int64_t count, bool graduated) {
    const size_t majors = majors_.size();
    const int64_t per_major = (count + static_cast<int64_t>(majors) - 1) / static_cast<int64_t>(majors);
    int64_t left = count;
    for (size_t m = 0; m < majors && left > 0; ++m) {
      const int64_t here = std::min(per_major, left);
      left -= here;
      make_major_year(m, year, here, graduated);
    }
  }

  // Terms of a cohort: those begun by today, at most eight.
  std::vector<const Term*> terms_of(int year) const {
    std::vector<const Term*> out;
    for (size_t t = 0; t <= current_; ++t) {
      if (terms_[t].year >= year && terms_[t].year < year + 4) out.push_back(&terms_[t]);
    }
    return out;
  }

  void make_major_year(size_t m, int year, int64_t count, bool graduated) {
    Row class_row(batch_, "class");
    const int64_t classes = std::max<int64_t>(1, (count + 29) / 30);
    const std::vector<const Term*> terms = terms_of(year);
    Group group;
    for (int64_t k = 0; k < classes; ++k) {
      if (k % 4 == 0) group = make_group(m, terms, std::min<int64_t>(classes - k, 4) * 30, graduated);
      const Major& major = majors_[m];
      College& college = colleges_[major.college];
      const Staff& adviser = college.staff[static_cast<size_t>(
          1 + (adviser_++ % 3 == 0 ? 0 : chance_.below(static_cast<int64_t>(college.staff.size()) - 1)))];
      const std::string short_year = std::to_string(year).substr(2);
      const std::string code = major.national.substr(0, 6) + "-" + short_year + padded(k + 1, 2);
      const Date from = Date::from_civil(year, 9, 1), until = Date::from_civil(year + 4, 6, 30);
      class_row.set("code", code)
          .set("name", major.name + short_year + padded(k + 1, 2) + "班")
          .set("unit", college.id)
          .set("major", major.id)
          .set("grade_year", int64_t{year})
          .set("adviser", adviser.id)
          .date("adviser_from", from)
          .date("adviser_until", until)
          .set("graduated", int64_t{graduated ? 1 : 0});
      const int64_t id = class_row.add();
      const int64_t size = std::min<int64_t>(30, count - k * 30);
      for (int64_t i = 0; i < size; ++i) make_student(m, year, id, i + k * 30, size, group, graduated);
    }
  }

  // Twelve courses a term in twenty-five slots of the week: what a class shares cannot clash.
  Group make_group(size_t m, const std::vector<const Term*>& terms, int64_t seats, bool graduated) {
    Group group;
    Row section_row(batch_, "section"), teacher_row(batch_, "section_teacher"), meeting_row(batch_, "meeting"),
        progress_row(batch_, "progress");
    const Major& major = majors_[m];
    College& college = colleges_[major.college];
    for (size_t t = 0; t < terms.size(); ++t) {
      const Term& term = *terms[t];
      std::array<int, kSlots> slots{};
      for (int i = 0; i < kSlots; ++i) slots[static_cast<size_t>(i)] = i;
      for (size_t i = kSlots - 1; i > 0; --i)
        std::swap(slots[i], slots[static_cast<size_t>(chance_.below(static_cast<int64_t>(i) + 1))]);
      for (size_t i = 0; i < kCoursesATerm; ++i) {
        Section section;
        section.course_index = major.courses[t * kCoursesATerm + i];
        section.course = courses_[section.course_index].id;
        section.term = &term;
        const std::string number = term.code + "-" + "C" + padded(static_cast<int64_t>(m + 1), 2) +
                                   padded(static_cast<int64_t>(t * kCoursesATerm + i + 1), 3) + "-" +
                                   padded(++sections_of_[{section.course, term.id}], 2);
        const std::array<int, 2> at = {slots[2 * i], slots[2 * i + 1]};
        Staff& teacher = free_teacher(college, term, at);
        section.id = section_row.set("number", number)
                         .set("course", section.course)
                         .set("term", term.id)
                         .set("unit", college.id)
                         .set("teachers", teacher.name)
                         .set("capacity", seats)
                         .set("students_count", seats)
                         .set("kind", std::string("major"))
                         .set("campus", std::string(major.college % 2 == 0 ? "本部" : "东区"))
                         .add();
        teacher_row.set("section", section.id)
            .set("teacher", teacher.id)
            .set("lead", int64_t{1})
            .set("ordinal", int64_t{1})
            .add();
        if (!graduated) {
          for (size_t k = 0; k < at.size(); ++k) {
            const int slot = at[k];
            meeting_row.set("section", section.id)
                .set("ordinal", static_cast<int64_t>(k) + 1)
                .set("weekday", int64_t{slot / 5 + 1})
                .set("first_period", int64_t{slot % 5 * 2 + 1})
                .set("last_period", int64_t{slot % 5 * 2 + 2})
                .set("weeks", int64_t{k == 0 ? 0xFFFF : 0xFF})
                .set("teachers", teacher.name);
            if (const int64_t room = free_room(major.college, term, slot)) meeting_row.set("room", room);
            meeting_row.add();
          }
        }
        if (term.id == terms_[current_].id) {
          for (int64_t week = 1; week <= 16 && term.begins.days + (week - 1) * 7 <= today_.days; week += 4) {
            const Date held{term.begins.days + static_cast<int32_t>(week - 1) * 7 + at[0] / 5};
            progress_row.set("section", section.id)
                .set("ordinal", week)
                .set("week", week)
                .set("planned", "第 " + std::to_string(week) + " 单元");
            if (held <= today_)
              progress_row.date("held_on", held)
                  .set("done", "第 " + std::to_string(week) + " 单元")
                  .set("hours", int64_t{20});
            progress_row.add();
          }
        }
        group.sections.push_back(section);
      }
    }
    return group;
  }

  Staff& free_teacher(College& college, const Term& term, const std::array<int, 2>& slots) {
    const auto is_free = [&](Staff& staff) {
      std::vector<bool>& busy = staff.busy[term.code];
      if (busy.empty()) busy.resize(kSlots);
      return !busy[static_cast<size_t>(slots[0])] && !busy[static_cast<size_t>(slots[1])];
    };
    for (size_t tried = 0; tried < college.staff.size(); ++tried) {
      Staff& staff = college.staff[college.next_teacher++ % college.staff.size()];
      if (!is_free(staff)) continue;
      for (int slot : slots) staff.busy[term.code][static_cast<size_t>(slot)] = true;
      return staff;
    }
    // More classes than teachers for these hours: one more is hired.
    Row row(batch_, "staff");
    college.staff.push_back(
        hire(row, college.id,
             "T" + college.code.substr(0, 3) + padded(static_cast<int64_t>(college.staff.size()) + 1, 4), "teacher"));
    Staff& staff = college.staff.back();
    staff.busy[term.code].resize(kSlots);
    for (int slot : slots) staff.busy[term.code][static_cast<size_t>(slot)] = true;
    return staff;
  }

  int64_t free_room(size_t college, const Term& term, int slot) {
    size_t& next = room_next_[{college, term.id, slot}];
    return next < rooms_[college].size() ? rooms_[college][next++] : 0;  // 0: no room left at this hour, held online
  }

  // ---- students
  // -------------------------------------------------------------------------------------------------------

  void make_student(size_t m, int year, int64_t class_id, int64_t index, int64_t class_size, const Group& group,
                    bool graduated) {
    const Major& major = majors_[m];
    const Human human = make_human(chance_, Date::from_civil(year - 19, 9, 1), Date::from_civil(year - 17, 12, 31));
    const std::string_view names[] = {human.name};
    const int64_t person = identity::add_persons(batch_.connection(), names, now_);
    const std::string number = std::to_string(year) + padded(static_cast<int64_t>(m + 1), 2) + padded(index + 1, 4);
    const bool on_leave = !graduated && chance_.one_in(80) && students_ > 0;
    const Date entered = Date::from_civil(year, 9, 1), expected = Date::from_civil(year + 4, 6, 30);
    Row& row = rows("student");
    row.set("number", number)
        .set("name", human.name)
        .set("sex", std::string(human.male ? "1" : "2"))
        .date("birth_date", human.born)
        .set("id_type", std::string("1"))
        .set("id_number", human.id_number)
        .set("ethnic", std::string(chance_.one_in(12) ? "03" : "01"))
        .set("politics", std::string(chance_.one_in(8) ? "13" : "03"))
        .set("nationality", std::string("中国"))
        .set("native_place", human.place)
        .set("division", human.division)
        .set("phone", human.phone)
        .set("email", number + "@stu.example.edu.cn")
        .set("home_address", human.place + "学府路" + std::to_string(chance_.between(1, 999)) + "号")
        .set("admission", std::string("01"))
        .set("level", std::string("3"))
        .set("kind", std::string("42"))
        .set("unit", colleges_[major.college].id)
        .set("major", major.id)
        .set("class", class_id)
        .set("plan", plans_[{major.id, year}])
        .set("grade_year", int64_t{year})
        .set("duration", int64_t{40})
        .date("entered_on", entered)
        .date("expected_on", expected)
        .set("state", std::string(graduated  ? "07"
                                  : on_leave ? "02"
                                             : "01"))
        .set("registered", int64_t{1})
        .set("campus", std::string(major.college % 2 == 0 ? "本部" : "东区"));
    const int64_t student = row.add(person);
    const bool first = students_++ == 0;
    const Totals totals = teach(student, group, first);
    if (graduated) {
      graduate(student, year, major, totals);
    } else {
      live(student, number, year, major, index, class_size, totals, first, on_leave);
    }
    account(number, human.name, person, year, graduated, expected);
  }

  struct Totals {
    int64_t credits = 0, points = 0, failed = 0;
  };

  Totals teach(int64_t student, const Group& group, bool first) {
    Totals totals;
    const int64_t ability = 755 + chance_.bell(70);
    Row &grade = rows("grade"), &enrolment = rows("enrolment"), &attendance = rows("attendance");
    for (const Section& section : group.sections) {
      const Course& course = courses_[section.course_index];
      const bool current = section.term == &terms_[current_];
      const bool recent = section.term->begins.days + 400 > today_.days;
      if (recent)
        enrolment.set("section", section.id)
            .set("student", student)
            .set("kind", std::string("1"))
            .set("nature", std::string("1"))
            .date("enrolled_on", Date{section.term->begins.days - 20})
            .add();
      if (current) {
        if ((first || chance_.one_in(40)) && section.term->begins.days + 7 <= today_.days) {
          attendance.set("student", student)
              .set("section", section.id)
              .date("held_on", Date{section.term->begins.days + 7})
              .set("first_period", int64_t{1})
              .set("state", std::string(first ? "present" : "absent"))
              .add();
        }
        continue;
      }
      int64_t score = std::clamp<int64_t>(ability + course.ease + chance_.bell(55), 200, 1000);
      score -= score % 5;
      put_grade(grade, student, section, 1, "01", score, Date{section.term->ends.days + 7});
      if (score < 600) {
        int64_t again = std::clamp<int64_t>(score + chance_.between(-20, 160), 200, 750);
        again -= again % 5;
        if (section.term->ends.days + 60 <= today_.days)
          put_grade(grade, student, section, 2, "11", again, Date{section.term->ends.days + 50});
        if (again < 600) totals.failed += course.credits;
      }
      totals.credits += course.credits;
      totals.points += course.credits * scaled_points(score);
    }
    return totals;
  }

  void put_grade(Row& row, int64_t student, const Section& section, int64_t attempt, const char* kind, int64_t score,
                 Date released) {
    row.set("student", student)
        .set("section", section.id)
        .set("attempt", attempt)
        .set("term", section.term->id)
        .set("course", section.course)
        .set("nature", std::string("1"))
        .set("score", score)
        .set("points", scaled_points(score))
        .set("exam_kind", std::string(kind))
        .set("passed", int64_t{score >= 600 ? 1 : 0})
        .set("counted", int64_t{1})
        .date("released_on", std::min(released, today_))
        .add();
  }

  void graduate(int64_t student, int year, const Major& major, const Totals& totals) {
    const Date day = Date::from_civil(year + 4, 6, 30);
    const int64_t serial = ++certificates_[year];
    const std::string tail = std::to_string(year + 4);
    rows("graduation")
        .set("student", student)
        .set("kind", std::string("1"))
        .date("graduated_on", day)
        .set("education", std::string("21"))
        .set("certificate_number", kSchoolNumber + std::string("1") + tail + "05" + padded(serial, 6))
        .set("degree", "4" + major.national.substr(0, 2))
        .set("degree_kind", std::string("11"))
        .date("degree_on", day)
        .set("degree_number", kSchoolNumber + std::string("4") + tail + padded(serial, 6))
        .set("credits_total", totals.credits)
        .set("gpa", totals.credits > 0 ? totals.points / totals.credits : 0)
        .add();
  }

  void pay_and_be_evaluated(int64_t student, const std::string& number, int year, const Major& major, int64_t index,
                            int64_t class_size, bool first) {
    for (int y = year; y <= first_year_; ++y) {
      const bool late = y == first_year_ && !first && chance_.one_in(15);
      const int64_t due = tuition_of(major);
      const std::string school_year = std::to_string(y) + "-" + std::to_string(y + 1);
      Row& payment = rows("payment");
      payment.set("number", "P" + std::to_string(y) + "-" + number)
          .set("student", student)
          .set("school_year", school_year)
          .set("item", std::string("tuition"))
          .set("tuition", tuitions_[{major.id, year}])
          .set("due", due)
          .set("paid", late ? int64_t{0} : due)
          .set("outstanding", late ? due : int64_t{0})
          .set("state", std::string(late ? "due" : "paid"))
          .date("due_on", Date::from_civil(y, 9, 30));
      if (!late)
        payment.date("paid_on", Date::from_civil(y, 9, static_cast<unsigned>(chance_.between(1, 5))))
            .set("method", std::string("online"));
      payment.add();
      if (y < first_year_) {
        const int64_t total = std::clamp<int64_t>(7500 + chance_.bell(900), 3000, 11'000);
        rows("evaluation")
            .set("student", student)
            .set("school_year", school_year)
            .set("moral", std::min<int64_t>(total, 9900))
            .set("academic", std::min<int64_t>(total, 9900))
            .set("total", total)
            .set("class_rank", index % class_size + 1)
            .set("class_size", class_size)
            .date("confirmed_on", Date::from_civil(y + 1, 10, 15))
            .add();
      }
    }
  }

  void live(int64_t student, const std::string& number, int year, const Major& major, int64_t index, int64_t class_size,
            const Totals& totals, bool first, bool on_leave) {
    pay_and_be_evaluated(student, number, year, major, index, class_size, first);
    rows("housing")
        .set("student", student)
        .set("campus", std::string("本部"))
        .set("building", "学生公寓" + std::to_string(1 + students_ / 600) + "号楼")
        .set("room", padded(100 + students_ / 4 % 500, 3))
        .set("bed", std::to_string(1 + students_ % 4))
        .date("begins", Date::from_civil(year, 9, 1))
        .set("fee", int64_t{120'000})
        .set("state", std::string("living"))
        .add();
    if (first || chance_.one_in(10)) {
      const Date day = Date{std::min(Date::from_civil(first_year_, 11, 20), today_).days};
      rows("award")
          .set("student", student)
          .set("name", std::string("校优秀学生奖学金"))
          .set("kind", std::string("scholarship"))
          .set("level", std::string("school"))
          .set("grade", std::string("二等奖"))
          .date("awarded_on", day)
          .set("amount", int64_t{200'000})
          .add();
    }
    if (first || totals.failed >= 80) {
      rows("warning")
          .set("student", student)
          .set("term", terms_[current_].id)
          .set("kind", std::string("credits"))
          .set("level", std::string("1"))
          .set("failed_credits", totals.failed)
          .set("reason", std::string("累计不及格学分较多"))
          .date("raised_on", std::min(Date{terms_[current_].begins.days + 14}, today_))
          .set("state", std::string("helping"))
          .add();
    }
    if (on_leave || first) {
      Row& change = rows("status_change");
      const Date day{today_.days - 40};
      if (on_leave) {
        change.set("student", student)
            .set("kind", std::string("11"))
            .set("reason", std::string("24"))
            .date("decided_on", day)
            .date("begins", day)
            .date("ends", Date{day.days + 365})
            .set("state_before", std::string("01"))
            .set("state_after", std::string("02"))
            .add();
      } else {
        change.set("student", student)
            .set("kind", std::string("64"))
            .date("decided_on", Date{day.days - 300})
            .set("state_after", std::string("01"))
            .set("explanation", std::string("国内访学一学期"))
            .add();
      }
    }
    if (first || chance_.one_in(250)) {
      const Date happened{today_.days - 300};
      rows("discipline")
          .set("student", student)
          .set("kind", std::string("1"))
          .set("violation", std::string("12"))
          .date("happened_on", happened)
          .date("decided_on", Date{happened.days + 20})
          .set("document", "学生〔" + std::to_string(happened.year()) + "〕" + std::to_string(++documents_) + "号")
          .set("reason", std::string("违反宿舍管理规定"))
          .date("ends_on", Date{happened.days + 200})
          .add();
    }
    if (first || chance_.one_in(40)) {
      rows("research_result")
          .set("number", "R" + std::to_string(first_year_) + "-" + padded(++results_, 5))
          .set("student", student)
          .set("kind", std::string("paper"))
          .set("title", major.name + "若干问题的研究")
          .set("rank", int64_t{1})
          .set("outlet", std::string("大学学报"))
          .date("published_on", Date{today_.days - 100})
          .set("confirmed", int64_t{1})
          .add();
    }
  }

  void account(const std::string& number, const std::string& name, int64_t person, int year, bool graduated,
               Date graduated_on) {
    if (!graduated) {
      if (signed_students_ < std::max<int64_t>(10, options_.sign_ins)) {
        ++signed_students_;
        people_.push_back({"student",
                           number,
                           name,
                           person,
                           {"§2.3.1 在校学生（" + std::to_string(year) + " 级）：本人的全部信息",
                            "§2.3.1 student (" + std::to_string(year) + "): everything about oneself"}});
        return;
      }
      others_.push_back({"student", number, name, person, {}});
      return;
    }
    const bool expired = graduated_on.plus_years(1) < today_;
    int& count = expired ? expired_ : graduates_;
    if (++count <= 4) {
      people_.push_back(
          {expired ? "graduate_expired" : "graduate", number, name, person,
           expired ? Text{"§2.3.2 毕业已逾查询期限：只得到说明", "§2.3.2 graduate past the period: an explanation only"}
                   : Text{"§2.3.2 毕业生：期限内的成绩和证书编号",
                          "§2.3.2 graduate: grades and certificate numbers within the period"}});
    } else {
      others_.push_back({"graduate", number, name, person, {}});
    }
  }

  void libraries() {
    Row row(batch_, "library_holding");
    for (int64_t i = 0; i < 200; ++i) {
      const int64_t copies = chance_.between(1, 8);
      row.set("number", "B" + padded(i + 1, 7))
          .set("call_number", "TP" + std::to_string(300 + i % 20) + "/" + padded(i + 1, 4))
          .set("title", majors_[static_cast<size_t>(i) % majors_.size()].name +
                            kSubjects[static_cast<size_t>(i) % kSubjects.size()])
          .set("author", std::string("编写组"))
          .set("publisher", std::string("大学出版社"))
          .set("year", int64_t{2000 + i % 25})
          .set("kind", std::string("book"))
          .set("language", std::string("中文"))
          .set("copies", copies)
          .set("available", chance_.below(copies + 1))
          .add();
    }
  }

  Row& rows(const char* dataset) {
    const auto known = kept_.find(dataset);
    if (known != kept_.end()) return known->second;
    return kept_.emplace(dataset, Row(batch_, dataset)).first->second;
  }

  change::Batch& batch_;
  Date today_;
  Instant now_;
  Options options_;
  Chance chance_;
  int first_year_ = 0;  // of the school year today is in
  size_t current_ = 0;
  std::vector<Term> terms_;
  std::map<std::string, int64_t> unit_ids_;
  std::vector<College> colleges_;
  std::vector<std::vector<int64_t>> rooms_;
  std::vector<Major> majors_;
  std::vector<Course> courses_;
  std::map<std::pair<int64_t, int>, int64_t> tuitions_, plans_;
  std::map<std::pair<int64_t, int64_t>, int64_t> sections_of_;
  std::map<std::tuple<size_t, int64_t, int>, size_t> room_next_;
  std::map<int, int64_t> certificates_;
  std::map<std::string, Row> kept_;
  std::vector<Person> people_, others_;
  int64_t students_ = 0, signed_students_ = 0, documents_ = 0, results_ = 0, adviser_ = 0;
  int graduates_ = 0, expired_ = 0;
};

bool is_empty(db::Connection& connection) {
  db::Rows rows = connection.query("SELECT COUNT(*) FROM batch");
  return rows.next() && rows.integer(0) == 0;
}

Result<Done> open_grants(const catalog::Catalogue& catalogue, const policy::Regulation& regulation,
                         db::Connection& connection, Instant now) {
  struct Opening {
    const char *post, *dataset, *purpose, *clause;
  };
  constexpr Opening kOpenings[] = {{"research_office", "research_result", "teaching_administration", "2.1.4"},
                                   {"logistics_office", "housing", "teaching_administration", "2.1.4"},
                                   {"student", "library_holding", "study", "2.3.1"},
                                   {"student", "online_course", "study", "2.3.1"}};
  int number = 0;
  for (const Opening& opening : kOpenings) {
    policy::Grant grant;
    grant.number = std::to_string(now.date().year()) + "-000" + std::to_string(++number);
    grant.post = opening.post;
    grant.dataset = opening.dataset;
    // Statistics are for offices within their range; students ask for assistance (§3.2.1).
    const std::string statistics = opening.post == std::string_view("student") ? "" : R"("statistics",)";
    grant.content = R"({"rows":"all","clear":["*"],"actions":["query","detail",)" + statistics +
                    R"("print","export"],"purposes":[")" + opening.purpose + "\"]}";
    grant.from = Instant{now.us - 30 * kDay};
    grant.until = Instant{now.us + 300 * kDay};
    grant.source = opening.clause;
    JW_CHECK(policy::put_grant(catalogue, regulation, connection, grant, now));
  }
  return Done{};
}

}  // namespace

Result<std::vector<SignIn>> fill(const catalog::Catalogue& catalogue, const policy::Regulation& regulation,
                                 db::Connection& connection, identity::Identity& identity, Instant now,
                                 const Options& options) {
  if (!is_empty(connection)) {
    return Refusal{
        Code::conflict,
        "made_up.not_empty",
        {"该库已有数据，不能再填入虚构数据", "the store has data already and is not filled with made-up data"}};
  }
  const change::Head head{"made_up", "made-up university", "seed " + std::to_string(options.seed),
                          "",        {0, "made_up"},       {0, "made_up"}};
  change::Batch batch(catalogue, connection, head, now);
  University university(batch, now, options);
  university.build();
  batch.finish(nullptr);
  JW_CHECK(open_grants(catalogue, regulation, connection, now));

  std::vector<SignIn> out;
  std::map<std::string, std::pair<std::string, std::string>> passwords;  // kind -> password, hash
  std::vector<identity::NewAccount> ready, inactive;
  for (const Person& person : university.people())
    ready.push_back({person.login, person.kind, person.name, person.person});
  for (const Person& person : university.others())
    inactive.push_back({person.login, person.kind, person.name, person.person});
  JW_TRY(const int64_t first, identity.create_inactive(connection, ready));
  for (size_t i = 0; i < ready.size(); ++i) {
    const Person& person = university.people()[i];
    auto& [password, hash] = passwords[person.kind];
    if (password.empty()) {
      password = "Try-" + std::to_string(1000 + passwords.size() * 37) + "-" + person.kind;
      hash = identity.hash_password(password);
    }
    JW_CHECK(identity.set_ready(connection, first + static_cast<int64_t>(i), hash));
    out.push_back({person.kind, person.login, password, person.name, person.note});
  }
  constexpr size_t kBlock = 10'000;
  for (size_t at = 0; at < inactive.size(); at += kBlock) {
    JW_CHECK(
        identity.create_inactive(connection, std::span(inactive).subspan(at, std::min(kBlock, inactive.size() - at))));
  }
  return out;
}

}  // namespace jw::trial
