// The made-up university before it is written: calendar, colleges, courses, classes, staff and the timetable of every
// term, small enough for memory (100,000 students: some 30 MB). Everything follows from size, seed and today.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "modules/made_up/persons.hpp"
#include "modules/made_up/random.hpp"
#include "modules/made_up/syllabus.hpp"

namespace jw::made_up {

template <class Vector, class Index>
auto& at(Vector& vector, Index index) {
  return vector[static_cast<size_t>(index)];
}

constexpr int kCohorts = 7;     // years of entry: four in school, the others graduated
constexpr int kStudyTerms = 8;  // terms of a course of study
constexpr int kWeekSlots = 30;  // five days of six double periods
constexpr int kTermWeeks = 16;  // weeks with lessons
constexpr const char* kSchoolZh = "青屿大学";
constexpr const char* kSchoolEn = "Qingyu University";
constexpr const char* kSchoolCode = "19899";  // of its certificates; no real school has it

struct TermInfo {
  std::string code, name, school_year;
  int year = 0;    // first year of the school year
  int season = 1;  // 1 autumn, 2 spring
  Date begins, ends;
  int64_t id = 0;
  Date day_of(int week, int weekday) const { return {begins.days + (week - 1) * 7 + weekday - 1}; }
};

struct Person {
  std::string name;
  bool male = false;
  Date birth;
};

struct Employee : Person {
  std::string number;
  int unit = 0;
  std::string_view kind, title, state = "11";
  Date hired;
  std::string left_on;  // empty: still here
  int64_t id = 0, person = 0;
};

struct UnitInfo {
  std::string code, name, english, short_name, letters;
  std::string_view kind;
  int parent = -1, campus = -1;
  int64_t id = 0;
  std::vector<int> teachers;     // index into World::staff; those who teach, and they alone
  std::vector<int> counsellors;  // staff of a college who lead classes and do not teach
  std::vector<int> clerks;       // staff of an office
  int head = -1, leaver = -1;
};

struct MajorInfo {
  int college = 0;  // index into World::colleges
  const MajorText* text = nullptr;
  std::string code;
  int64_t id = 0;
  std::vector<int64_t> plan_ids, tuition_ids;  // by cohort
  std::vector<int> items;                      // index into World::items, in order of term
};

struct CourseInfo {
  std::string number, name;
  int unit = 0, credits = 0, hours = 0;  // credits in tenths
  Grading grading = Grading::score;
  std::string_view category, nature, exam_form;
  int difficulty = 0;  // points the average is lower
  int64_t id = 0;
};

// A place in a teaching plan: one course, or several of which a student takes one.
struct PlanItem {
  int term = 1;
  std::vector<int> courses;
  std::string_view attribute;  // KCSX
  std::string_view group;
  int classes = 2;  // taught together
  bool degree_course = false;
};

struct ClassInfo {
  std::string code, name;
  int college = 0, major = 0, cohort = 0, students = 0, first_student = 0;
  int adviser = -1;
  Date adviser_from;
  std::string adviser_until;
  int64_t id = 0;
  std::vector<int> sections;  // of each plan item: index of the first parallel section, -1 = none yet
};

struct RoomInfo {
  std::string code, name, building;
  std::string_view kind;
  int campus = 0, floor = 1, seats = 0;
  int64_t id = 0;
};

struct MeetingPlan {
  int slot = 0;  // weekday - 1 = slot / 6, double period = slot % 6
  int64_t weeks = 0;
  int room = -1;
};

struct SectionInfo {
  int term = 0, course = 0, cohort = 0, college = 0, item = 0;
  int first_class = 0, classes = 1;
  int option = 0, options = 1;
  int lead = -1, second = -1;
  int number = 1;  // within course and term
  int students = 0;
  uint64_t busy = 0;  // bits 2·slot (weeks 1–8) and 2·slot+1 (weeks 9–16)
  std::vector<MeetingPlan> meetings;
  int64_t id = 0;
};

struct World {
  World(int64_t students, uint64_t seed_given, Date now);

  uint64_t seed;
  Date today;
  int base_year = 0;            // year of entry of the oldest cohort
  std::vector<TermInfo> terms;  // the last one contains today
  std::vector<UnitInfo> units;
  std::vector<int> colleges;  // index into units
  std::vector<const CollegeText*> texts;
  std::vector<MajorInfo> majors;
  std::vector<CourseInfo> courses;
  std::vector<PlanItem> items;
  std::vector<ClassInfo> classes;  // by cohort, college, major
  std::vector<Employee> staff;
  std::vector<RoomInfo> rooms;
  std::vector<SectionInfo> sections;  // by cohort, college
  int64_t students = 0;
  IdNumbers id_numbers;

  int current_term() const { return static_cast<int>(terms.size()) - 1; }
  int term_of(int cohort, int study_term) const { return cohort * 2 + study_term - 1; }  // may lie beyond the last one
  Date graduation_day(int cohort) const { return Date::from_civil(base_year + cohort + 4, 6, 20); }
  bool has_graduated(int cohort) const { return graduation_day(cohort) <= today; }
  // The cohort in its third year, or what comes nearest: its first class is the one to show.
  int shown_cohort() const { return kCohorts - 3; }
  int shown_class() const;
  int unit_of(std::string_view letters) const;
  int office(std::string_view code) const;
  Random random(std::initializer_list<uint64_t> what) const;
  const std::string& print(Date date);  // kept: the same days come up millions of times

 private:
  void make_terms();
  void make_units(int64_t size);
  void make_public_courses();
  void make_courses();
  void make_plan(MajorInfo& major, int nth);
  void make_classes(int64_t size);
  void plan_sections();
  void make_staff();
  int hire(int unit, std::string_view kind, Random& random);
  void remember_leavers();
  void make_advisers();
  void make_rooms();
  void make_timetable();  // timetable.cpp

  int course(std::string number, std::string_view name, int unit, int credits, int hours, Grading grading,
             std::string_view category, std::string_view nature);
  int item(int term, std::vector<int> of, std::string_view attribute, std::string_view group, int classes_together);
  void plan_group(int first, int count, int item_index, int term);

  std::vector<std::vector<int>> core_items_;  // of each college
  std::vector<int> public_items_[2];          // arts, science
  std::vector<std::string> printed_;
  std::vector<int> hired_;  // by unit, for staff numbers
};

}  // namespace jw::made_up
