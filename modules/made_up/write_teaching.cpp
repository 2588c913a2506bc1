// Sections with their teachers, meetings and progress.
#include "modules/made_up/writing.hpp"

namespace jw::made_up {
namespace {

struct Sheets {
  Sheet sections, teachers, meetings, progress;
};

Sheets open_sheets(Writing& writing, change::Batch& batch) {
  return {Sheet(batch, "section",
                {"number", "name", "course", "term", "unit", "teachers", "capacity", "students_count", "nature", "kind",
                 "teaching_mode", "exam_mode", "hours", "groups", "grade_years", "campus", "state"},
                writing.checking()),
          Sheet(batch, "section_teacher", {"section", "teacher", "lead", "ordinal", "hours"}, writing.checking()),
          Sheet(batch, "meeting",
                {"section", "ordinal", "weekday", "first_period", "last_period", "weeks", "room", "teachers"},
                writing.checking()),
          Sheet(batch, "progress",
                {"section", "ordinal", "week", "held_on", "planned", "done", "mode", "hours", "homework"},
                writing.checking())};
}

// A lesson a week of what is planned; what was done stands there once the day is over.
void write_progress(Writing& writing, Sheet& sheet, const SectionInfo& section) {
  World& world = writing.world;
  const TermInfo& term = at(world.terms, section.term);
  const CourseInfo& course = at(world.courses, section.course);
  const MeetingPlan& meeting = section.meetings.front();
  constexpr std::string_view kChapters[] = {"绪论",     "基本概念", "基本原理", "方法一",    "方法二",   "例题与讨论",
                                            "单元小结", "专题一",   "专题二",   "应用",      "案例分析", "综合练习",
                                            "前沿进展", "复习一",   "复习二",   "总结与答疑"};
  int ordinal = 0;
  for (int week = 1; week <= kTermWeeks; ++week) {
    if ((meeting.weeks >> (week - 1) & 1) == 0) continue;
    const Date day = term.day_of(week, meeting.slot / 6 + 1);
    const bool over = day <= world.today;
    ++ordinal;
    const std::string planned =
        "第" + std::to_string(ordinal) + "讲 " + course.name + "：" + std::string(at(kChapters, (ordinal - 1) % 16));
    using Maybe = std::optional<std::string>;
    sheet.add(section.id, ordinal, week, over ? Maybe(world.print(day)) : Maybe(), planned,
              over ? Maybe(planned) : Maybe(), course.category == "3" ? "5" : "1", 20,
              ordinal % 3 == 0 ? Maybe("习题 " + std::to_string(ordinal / 3)) : Maybe());
  }
}

std::string groups_of(const World& world, const SectionInfo& section) {
  std::string text;
  for (int i = 0; i < section.classes; ++i)
    text += (i == 0 ? "" : ";") + at(world.classes, section.first_class + i).name;
  return text;
}

void write_one(Writing& writing, Sheets& sheets, SectionInfo& section) {
  World& world = writing.world;
  const CourseInfo& course = at(world.courses, section.course);
  const TermInfo& term = at(world.terms, section.term);
  const PlanItem& item = at(world.items, section.item);
  const std::string number =
      term.code + "-" + course.number + (section.number < 10 ? "-0" : "-") + std::to_string(section.number);
  const Employee& lead = at(world.staff, section.lead);
  std::string teachers = lead.name;
  if (section.second >= 0) teachers += "," + at(world.staff, section.second).name;
  const UnitInfo& home = at(world.units, at(world.colleges, section.college));
  const bool current = section.term == world.current_term();
  section.id = sheets.sections.add(number, "(" + term.code + ")" + number.substr(term.code.size()), course.id, term.id,
                                   at(world.units, course.unit).id, teachers, (section.students + 14) / 10 * 10,
                                   section.students,
                                   item.attribute == "1"   ? "必修"
                                   : item.attribute == "2" ? "限选"
                                   : item.attribute == "8" ? "通选"
                                                           : "实践",
                                   item.attribute == "8" ? "general" : "major",
                                   course.category == "3"   ? "5"
                                   : course.category == "5" ? "6"
                                                            : "1",
                                   course.exam_form == "1" ? "1" : "6", course.hours, groups_of(world, section),
                                   std::to_string(world.base_year + section.cohort),
                                   home.campus == 0 ? "东湖校区" : "西山校区", current ? "open" : "finished");
  sheets.teachers.add(section.id, lead.id, true, 1, course.hours * (section.second >= 0 ? 7 : 10));
  if (section.second >= 0)
    sheets.teachers.add(section.id, at(world.staff, section.second).id, false, 2, course.hours * 3);
  int ordinal = 0;
  for (const MeetingPlan& meeting : section.meetings) {
    const int period = meeting.slot % 6;
    using MaybeId = std::optional<int64_t>;
    sheets.meetings.add(section.id, ++ordinal, meeting.slot / 6 + 1, period * 2 + 1, period * 2 + 2, meeting.weeks,
                        meeting.room < 0 ? MaybeId() : MaybeId(at(world.rooms, meeting.room).id), teachers);
  }
  if (section.term >= world.current_term() - 1 && !section.meetings.empty())
    write_progress(writing, sheets.progress, section);
}

}  // namespace

void write_sections(Writing& writing, change::Batch& batch, const Studies& studies) {
  World& world = writing.world;
  Study study;
  for (size_t c = 0; c < world.classes.size(); ++c) {
    for (int seat = 0; seat < world.classes[c].students; ++seat) {
      studies.of(pupil_of(world, static_cast<int>(c), seat), study);
      for (const Enrolment& each : study.enrolments) ++at(world.sections, each.section).students;
    }
  }
  Sheets sheets = open_sheets(writing, batch);
  for (SectionInfo& section : world.sections) write_one(writing, sheets, section);
  writing.summary.sections = static_cast<int64_t>(world.sections.size());
}

}  // namespace jw::made_up
