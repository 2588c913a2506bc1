#include "modules/made_up/life.hpp"

#include <algorithm>

namespace jw::made_up {
namespace {

constexpr uint64_t kStreamLife = 60;
using Maybe = std::optional<std::string>;
using MaybeId = std::optional<int64_t>;

std::string six(int n) {
  return std::to_string(1'000'000 + n).substr(1);
}

}  // namespace

Life::Life(Writing& writing, change::Batch& batch, int cohort, Numbers& numbers)
    : world_(writing.world),
      cohort_(cohort),
      numbers_(numbers),
      evaluation_(batch, "evaluation",
                  {"student", "school_year", "moral", "academic", "physical", "arts", "labour", "bonus", "total",
                   "class_rank", "class_size", "major_rank", "major_size", "confirmed_on"},
                  writing.checking()),
      awards_(batch, "award",
              {"student", "name", "kind", "level", "grade", "school_year", "awarded_on", "awarded_by", "amount",
               "document"},
              writing.checking()),
      discipline_(batch, "discipline",
                  {"student", "kind", "violation", "happened_on", "facts", "reason", "decided_on", "document",
                   "delivered_on", "ends_on", "released_on", "release_document"},
                  writing.checking()),
      status_(batch, "status_change",
              {"student", "kind", "reason", "explanation", "decided_on", "begins", "ends", "state_before",
               "state_after", "unit_before", "unit_after", "major_before", "major_after", "class_before", "class_after",
               "grade_year_before", "grade_year_after", "document"},
              writing.checking()),
      warnings_(batch, "warning",
                {"student", "term", "kind", "level", "reason", "failed_credits", "raised_on", "state", "measures",
                 "handled_on"},
                writing.checking()),
      attendance_(batch, "attendance",
                  {"student", "section", "held_on", "first_period", "state", "leave_reason", "noted_on"},
                  writing.checking()),
      payments_(batch, "payment",
                {"number", "student", "school_year", "item", "tuition", "due", "waived", "paid", "outstanding", "state",
                 "due_on", "paid_on", "method", "receipt", "bank_card"},
                writing.checking()),
      housing_(batch, "housing", {"student", "campus", "building", "room", "bed", "begins", "ends", "fee", "state"},
               writing.checking()),
      research_(batch, "research_result",
                {"number", "student", "kind", "title", "level", "authors", "rank", "outlet", "published_on",
                 "identifier", "tutor", "funding", "confirmed"},
                writing.checking()),
      graduation_(batch, "graduation",
                  {"student", "kind", "graduated_on", "education", "certificate_number", "degree", "degree_kind",
                   "degree_on", "degree_number", "credits_total", "gpa", "president", "replaces", "revoked_on"},
                  writing.checking()) {}

Date Life::term_day(int study_term, int day) const {
  const int term = world_.term_of(cohort_, study_term);
  if (term <= world_.current_term()) return {at(world_.terms, term).begins.days + day};
  return {world_.today.days + 1};
}

bool Life::has_begun(int study_term) const {
  return world_.term_of(cohort_, study_term) <= world_.current_term();
}

void Life::write(const std::vector<Student>& students, const std::vector<Study>& studies) {
  rate(students, studies);
  for (size_t i = 0; i < students.size(); ++i) {
    const Student& student = students[i];
    Random random = world_.random({kStreamLife, static_cast<uint64_t>(student.pupil.index)});
    evaluation(student, years_[i]);
    awards(student, years_[i], random);
    discipline(student, random);
    status(student);
    warnings(student, studies[i]);
    attendance(student, studies[i], random);
    payments(student, random);
    housing(student, random);
    research(student, random);
    graduation(student, studies[i]);
  }
}

// ---- evaluation and awards
// ----------------------------------------------------------------------------------------------

void Life::rate(const std::vector<Student>& students, const std::vector<Study>& studies) {
  years_.assign(students.size(), {});
  for (size_t i = 0; i < students.size(); ++i) {
    std::array<int64_t, kYears> sum{}, weight{};
    for (const Exam& result : studies[i].results) {
      const SectionInfo& section = at(world_.sections, result.section);
      const int year = (section.term - world_.term_of(cohort_, 1)) / 2;
      if (result.attempt != 1 || result.score < 0 || result.exam_kind != "01" || year >= kYears) continue;
      const int credits = at(world_.courses, section.course).credits;
      at(sum, year) += static_cast<int64_t>(result.score) * 10 * credits;
      at(weight, year) += credits;
    }
    Random random = world_.random({kStreamLife, static_cast<uint64_t>(students[i].pupil.index), 1});
    for (int y = 0; y < kYears; ++y) {
      Year& year = at(years_[i], y);
      for (int& part : year.parts) part = std::clamp(8200 + static_cast<int>(random.bell() * 6 / 10), 6000, 9950);
      year.bonus = static_cast<int>(random.below(5)) * 50;
      if (at(weight, y) == 0 || students[i].pupil.stop <= 2 * y + 2 || term_day(2 * y + 3, 35) > world_.today) continue;
      year.academic = year.parts[1] = static_cast<int>(at(sum, y) / at(weight, y));
      year.total =
          (year.parts[0] * 20 + year.parts[1] * 60 + year.parts[2] * 10 + year.parts[3] * 5 + year.parts[4] * 5) / 100 +
          year.bonus;
    }
  }
  for (int y = 0; y < kYears; ++y) {
    rank(students, y, true);
    rank(students, y, false);
  }
}

void Life::rank(const std::vector<Student>& students, int year, bool by_class) {
  const auto group_of = [&](size_t i) {
    return by_class ? students[i].pupil.klass : at(world_.classes, students[i].pupil.klass).major;
  };
  std::vector<size_t> order;
  for (size_t from = 0; from < students.size();) {
    order.clear();
    size_t to = from;
    for (; to < students.size() && group_of(to) == group_of(from); ++to) {
      if (at(years_[to], year).academic >= 0) order.push_back(to);
    }
    std::stable_sort(order.begin(), order.end(),
                     [&](size_t a, size_t b) { return at(years_[a], year).total > at(years_[b], year).total; });
    for (size_t place = 0; place < order.size(); ++place) {
      Year& each = at(years_[order[place]], year);
      (by_class ? each.class_rank : each.major_rank) = static_cast<int>(place) + 1;
      (by_class ? each.class_size : each.major_size) = static_cast<int>(order.size());
    }
    from = to;
  }
}

void Life::evaluation(const Student& student, const std::array<Year, kYears>& years) {
  for (int y = 0; y < kYears; ++y) {
    const Year& year = at(years, y);
    if (year.academic < 0) continue;
    evaluation_.add(student.id, at(world_.terms, world_.term_of(cohort_, 2 * y + 1)).school_year, year.parts[0],
                    year.parts[1], year.parts[2], year.parts[3], year.parts[4], year.bonus, year.total, year.class_rank,
                    year.class_size, year.major_rank, year.major_size, world_.print(term_day(2 * y + 3, 35)));
  }
}

void Life::awards(const Student& student, const std::array<Year, kYears>& years, Random& random) {
  for (int y = 0; y < kYears; ++y) {
    const Year& year = at(years, y);
    const bool contest = random.chance(25);
    const Date day = term_day(2 * y + 3, 56);
    if (year.academic < 0 || day > world_.today) continue;
    const std::string& school_year = at(world_.terms, world_.term_of(cohort_, 2 * y + 1)).school_year;
    const std::string letter = "青校学〔" + std::to_string(day.year()) + "〕";
    const int place = student.pupil.shown ? 1 : year.class_rank;
    const int size = std::max(year.class_size, 1);
    if (place == 1 && (year.major_rank == 1 || student.pupil.shown) && y > 0) {
      awards_.add(student.id, "国家奖学金", "scholarship", "national", std::nullopt, school_year, world_.print(day),
                  "教育部", 1'000'000, letter + "61号");
    } else if (place == 1 || place * 20 <= size) {
      awards_.add(student.id, "校优秀学生奖学金", "scholarship", "school", "一等奖", school_year, world_.print(day),
                  kSchoolZh, 300'000, letter + "58号");
    } else if (place * 7 <= size) {
      awards_.add(student.id, "校优秀学生奖学金", "scholarship", "school", "二等奖", school_year, world_.print(day),
                  kSchoolZh, 150'000, letter + "58号");
    } else if (place * 4 <= size) {
      awards_.add(student.id, "校优秀学生奖学金", "scholarship", "school", "三等奖", school_year, world_.print(day),
                  kSchoolZh, 80'000, letter + "58号");
    }
    if (place * 6 <= size)
      awards_.add(student.id, "三好学生", "honour", "school", std::nullopt, school_year, world_.print(day), kSchoolZh,
                  std::nullopt, letter + "59号");
    if (contest)
      awards_.add(student.id, "大学生学科竞赛", "contest", "province", "二等奖", school_year, world_.print(day),
                  "竞赛组织委员会", std::nullopt, std::nullopt);
  }
}

// ---- discipline, status, warnings
// -----------------------------------------------------------------------------------------

void Life::discipline(const Student& student, Random& random) {
  struct Case {
    std::string_view kind, violation, facts, reason;
    int days;
  };
  constexpr Case kCases[] = {{"1", "12", "在宿舍使用违禁电器", "违反宿舍管理规定", 183},
                             {"2", "13", "借用他人账号登录校园网络", "违反网络管理规定", 243},
                             {"3", "03", "课程作业抄袭他人成果", "学业违纪", 304},
                             {"4", "03", "期末考试中携带与课程有关的资料", "考试违纪", 365}};
  const bool expelled = student.pupil.fate == Fate::expelled;
  const bool lot = random.chance(4);
  // Every class of the year to be shown has one, so that each adviser sees what the post opens.
  const bool wanted = student.pupil.shown || (cohort_ == world_.shown_cohort() && student.pupil.seat == 2);
  const int64_t pick = random.below(4);
  if (!expelled && !lot && !wanted) return;
  const int study_term = expelled ? student.pupil.stop - 1 : 2;
  if (study_term >= student.pupil.stop) return;
  const Date decided = term_day(study_term, 60);
  if (decided > world_.today) return;
  Case each = kCases[student.pupil.shown ? 0 : static_cast<size_t>(pick)];
  if (expelled) each = {"6", "03", "由他人代替参加考试", "考试作弊", 0};
  const Date ends{decided.days + each.days}, released{ends.days + 9};
  const bool over = !expelled && released <= world_.today;
  const std::string year = std::to_string(decided.year());
  discipline_.add(student.id, each.kind, each.violation, world_.print(Date{decided.days - 20}), each.facts, each.reason,
                  world_.print(decided), "青校学〔" + year + "〕处" + std::to_string(student.pupil.index + 1) + "号",
                  world_.print(Date{decided.days + 2}), expelled ? Maybe() : Maybe(world_.print(ends)),
                  over ? Maybe(world_.print(released)) : Maybe(),
                  over ? Maybe("青校学〔" + std::to_string(released.year()) + "〕解" +
                               std::to_string(student.pupil.index + 1) + "号")
                       : Maybe());
}

void Life::status(const Student& student) {
  const Pupil& pupil = student.pupil;
  const ClassInfo& info = at(world_.classes, pupil.klass);
  const int year = world_.base_year + cohort_;
  const auto letter = [&](Date day) {
    return "青教务〔" + std::to_string(day.year()) + "〕异" + std::to_string(pupil.index + 1) + "号";
  };
  // What changes only the state, for a time or for good.
  const auto simple = [&](std::string_view kind, std::string_view reason, std::string_view why, Date day,
                          const Maybe& ends, std::string_view before, std::string_view after) {
    if (day > world_.today) return;
    const MaybeId none;
    status_.add(student.id, kind, reason, why, world_.print(day), world_.print(day), ends, before, after, none, none,
                none, none, none, none, none, none, letter(day));
  };
  const auto later = [&](Date day, int years) { return Maybe(Date{day.plus_years(years).days - 1}.print()); };
  switch (pupil.fate) {
    case Fate::restored:
      simple("63", "39", "本人申请退学创业，作肄业处理", Date::from_civil(year + 1, 7, 10), std::nullopt, "01", "09");
      simple("17", "99", "本人撤回退学申请，恢复学籍", Date::from_civil(year + 1, 8, 28), std::nullopt, "09", "01");
      break;
    case Fate::returned: {
      const Date left = Date::from_civil(year - 1, 10, 9);
      const Date back = term_day(1, -3);
      simple("11", "19", "因病休学一年", left, later(left, 1), "01", "02");
      const MaybeId none;
      status_.add(student.id, "12", "99", "休学期满复学，编入下一年级", world_.print(back), world_.print(back),
                  std::nullopt, "02", "01", none, none, none, none, none, info.id, year - 1, year, letter(back));
      break;
    }
    case Fate::transferred: {
      const Date day = term_day(3, -7);
      int other = -1;
      for (size_t m = 0; m < world_.majors.size(); ++m) {
        if (world_.majors[m].college == info.college && static_cast<int>(m) != info.major) other = static_cast<int>(m);
      }
      if (day > world_.today || other < 0) break;
      const int64_t unit = at(world_.units, at(world_.colleges, info.college)).id;
      status_.add(student.id, "23", "01", "按学校转专业办法转入", world_.print(day), world_.print(day), std::nullopt,
                  "01", "01", unit, unit, at(world_.majors, other).id, at(world_.majors, info.major).id, std::nullopt,
                  info.id, year, year, letter(day));
      break;
    }
    case Fate::on_leave: {
      const Date day = world_.terms.back().begins;
      simple("11", "24", "休学一年创业", day, later(day, 1), "01", "02");
      break;
    }
    case Fate::in_service: {
      const Date day = world_.terms.back().begins;
      simple("19", "34", "应征入伍，保留学籍", day, later(day, 2), "01", "A1");
      break;
    }
    case Fate::withdrawn:
      simple("31", "21", "本人申请退学", term_day(pupil.stop, 20), std::nullopt, "01", "03");
      break;
    case Fate::expelled:
      simple("42", "39", "考试作弊，开除学籍", term_day(pupil.stop, 5), std::nullopt, "01", "14");
      break;
    case Fate::ordinary:
      if (student.state == "A3")
        simple("06", "22", "未达到毕业要求，延长学习年限", world_.graduation_day(cohort_), std::nullopt, "01", "A3");
      break;
  }
}

void Life::warnings(const Student& student, const Study& study) {
  for (int k = 1; k < student.pupil.stop && has_begun(k + 1); ++k) {
    const int term = world_.term_of(cohort_, k);
    const Date raised = term_day(k + 1, 22);
    if (raised > world_.today || k + 1 > kStudyTerms) break;
    int failed = 0;
    for (const Exam& result : study.results) {
      const SectionInfo& section = at(world_.sections, result.section);
      if (section.term == term && result.attempt == 1 && !result.passed && result.exam_kind != "02")
        failed += at(world_.courses, section.course).credits;
    }
    const bool recent = term == world_.current_term() - 1;
    const Maybe handled = recent ? Maybe() : Maybe(Date{raised.days + 60}.print());
    if (failed >= 60) {
      const std::string_view level = failed >= 150 ? "3" : failed >= 100 ? "2" : "1";
      warnings_.add(student.id, at(world_.terms, term).id, "failed", level,
                    "本学期不及格学分达到 " + std::to_string(failed / 10), failed, world_.print(raised),
                    recent ? "helping" : "lifted", "约谈学生，制订补修计划", handled);
    } else if (student.pupil.shown && k == 1) {
      warnings_.add(student.id, at(world_.terms, term).id, "attendance", "1", "一门课程缺勤达到三次", 0,
                    world_.print(raised), "lifted", "班主任约谈，已改正", Date{raised.days + 30}.print());
    }
  }
}

// ---- attendance, payments, housing
// ------------------------------------------------------------------------------------------

void Life::attendance(const Student& student, const Study& study, Random& random) {
  const size_t count = study.enrolments.size();
  if (count == 0 || (student.state != "01" && !student.pupil.shown)) return;
  const int wanted = student.pupil.shown ? 100 : 4;
  for (int term = std::max(0, world_.current_term() - 1); term <= world_.current_term(); ++term) {
    const TermInfo& info = at(world_.terms, term);
    int noted = 0;
    const size_t start = static_cast<size_t>(random.below(static_cast<int64_t>(count)));
    for (size_t i = 0; i < count && noted < wanted; ++i) {
      const Enrolment& each = study.enrolments[(start + i) % count];
      const SectionInfo& section = at(world_.sections, each.section);
      if (section.term != term || section.meetings.empty() || each.kind == "4") continue;
      const MeetingPlan& meeting = section.meetings.front();
      const int week = 1 + static_cast<int>(random.below(4)) + ((meeting.weeks & 1) != 0 ? 0 : 8);
      const Date day = info.day_of(week, meeting.slot / 6 + 1);
      if (day > world_.today || (meeting.weeks >> (week - 1) & 1) == 0) continue;
      const int64_t lot = random.below(100);
      const std::string_view state = lot < 78   ? "present"
                                     : lot < 86 ? "late"
                                     : lot < 89 ? "early"
                                     : lot < 96 ? "leave"
                                                : "absent";
      attendance_.add(student.id, section.id, world_.print(day), meeting.slot % 6 * 2 + 1, state,
                      state == "leave" ? Maybe(random.chance(500) ? "事假" : "病假") : Maybe(), world_.print(day));
      ++noted;
    }
  }
}

void Life::payments(const Student& student, Random& random) {
  const ClassInfo& info = at(world_.classes, student.pupil.klass);
  const MajorInfo& major = at(world_.majors, info.major);
  const int64_t tuition = at(major.tuition_ids, cohort_);
  const int fee = major.text->degree == "413" ? 1'000'000 : at(world_.texts, info.college)->science ? 550'000 : 500'000;
  for (int y = 0; y < 4 && 2 * y + 1 < student.pupil.stop && has_begun(2 * y + 1); ++y) {
    const TermInfo& term = at(world_.terms, world_.term_of(cohort_, 2 * y + 1));
    const int year = term.year;
    const Date due_on = Date::from_civil(year, 9, 30);
    const Date paid_day{Date::from_civil(year, 8, 20).days + static_cast<int32_t>(random.below(40))};
    const int64_t lot = student.pupil.shown ? 500 : random.below(1000);
    const bool this_year = year == world_.terms.back().year;
    const bool unpaid = (this_year && lot < 25) || paid_day > world_.today;
    const bool part = this_year && lot >= 25 && lot < 40 && !unpaid;
    const int waived = lot >= 40 && lot < 55 ? fee / 2 : 0;
    const std::string_view method = lot >= 55 && lot < 130 ? "loan" : lot < 600 ? "transfer" : "online";
    const std::string prefix = "P" + std::to_string(year) + "-" + student.number + "-";
    const auto receipt = [&](int nth) {
      return Maybe(six(static_cast<int>(
          mix({static_cast<uint64_t>(student.pupil.index), static_cast<uint64_t>(year * 4 + nth)}) % 1'000'000)));
    };
    const auto write = [&](int nth, std::string_view item, const MaybeId& standard, int due, int off, int paid) {
      const int open = due - off - paid;
      const bool nothing = paid == 0;
      payments_.add(prefix + std::to_string(nth), student.id, term.school_year, item, standard, due, off, paid, open,
                    open == 0 ? "paid"
                    : nothing ? "due"
                              : "partial",
                    world_.print(due_on), nothing ? Maybe() : Maybe(world_.print(paid_day)),
                    nothing ? std::optional<std::string_view>() : std::optional(method),
                    nothing ? Maybe() : receipt(nth), std::nullopt);
    };
    const int owed = fee - waived;
    write(1, "tuition", tuition, fee, waived, unpaid ? 0 : part ? owed / 2 : owed);
    write(2, "housing", std::nullopt, 120'000, 0, unpaid ? 0 : 120'000);
    if (y == 0 && (student.pupil.shown || student.pupil.index % 40 == 0) &&
        paid_day <= world_.today) {  // books given back
      const std::string card = "6200990000" + std::to_string(100'000'000 + student.pupil.index).substr(1);
      payments_.add(prefix + "3", student.id, term.school_year, "textbook", std::nullopt, 60'000, 0, 60'000, 0,
                    "refunded", world_.print(due_on), world_.print(paid_day), "online", receipt(3), card);
    }
  }
}

void Life::housing(const Student& student, Random& random) {
  const ClassInfo& info = at(world_.classes, student.pupil.klass);
  const bool east = at(world_.units, at(world_.colleges, info.college)).campus == 0;
  const Date begins = term_day(1, -2);
  Maybe ends;
  std::string_view state = "living";
  if (student.state != "01" && student.state != "A3") {
    state = "left";
    const bool graduated = world_.has_graduated(cohort_) && student.pupil.stop > kStudyTerms;
    const Date left =
        graduated ? Date{world_.graduation_day(cohort_).days + 5} : Date{term_day(student.pupil.stop, 10)};
    ends = std::max(begins, std::min(left, world_.today)).print();
    if (begins > world_.today) return;
  } else if (!student.pupil.shown && random.chance(12)) {
    state = "outside";
  }
  // Four beds to a room, rooms of a floor in order, men and women apart.
  const int place = student.pupil.index / 4;
  const std::string building = std::string(east ? "东湖苑" : "西山苑") + std::to_string(place / 120 % 40 + 1) +
                               (student.male ? "号楼A座" : "号楼B座");
  const int floor = place / 20 % 6 + 1;
  housing_.add(student.id, east ? "东湖校区" : "西山校区", building, std::to_string(floor * 100 + place % 20 + 1),
               std::to_string(student.pupil.index % 4 + 1), world_.print(begins), ends, 120'000, state);
}

// ---- research and graduation
// --------------------------------------------------------------------------------------------------

void Life::research(const Student& student, Random& random) {
  const bool lot = random.chance(15);
  if ((!lot && !student.pupil.shown) || student.pupil.stop <= 4 || !has_begun(4)) return;
  struct Kind {
    std::string_view kind, title, outlet, level;
  };
  constexpr Kind kKinds[] = {{"paper", "面向校园数据的查询与保护方法研究", "青屿大学学报", "province"},
                             {"software", "课程资料管理软件", "计算机软件著作权登记", "school"},
                             {"project", "大学生创新训练计划项目", kSchoolZh, "school"},
                             {"contest", "大学生创新创业大赛作品", "大赛组织委员会", "national"},
                             {"patent", "一种实验教学装置", "实用新型专利", "national"}};
  const ClassInfo& info = at(world_.classes, student.pupil.klass);
  const UnitInfo& unit = at(world_.units, at(world_.colleges, info.college));
  const int tutor = random.pick(unit.teachers);
  const Kind& each = student.pupil.shown ? kKinds[0] : random.pick(kKinds);
  const Date day = std::min(term_day(4, static_cast<int>(random.between(10, 100))), world_.today);
  research_.add("R" + std::to_string(day.year()) + "-" + std::to_string(10'000'000 + student.pupil.index).substr(1),
                student.id, each.kind, std::string(each.title) + "（" + unit.short_name + "）", each.level,
                student.name + ", " + at(world_.staff, tutor).name, 1, each.outlet, world_.print(day),
                "QY." + std::to_string(day.year()) + "." + std::to_string(student.pupil.index + 1),
                at(world_.staff, tutor).id, each.kind == "project" ? MaybeId(1'000'000) : MaybeId(), true);
}

// Certificate numbers are given without gaps, by year.
void Life::diploma(const Student& student, const Study& study, bool full, int year, const std::string& replaces) {
  const MajorInfo& major = at(world_.majors, at(world_.classes, student.pupil.klass).major);
  const Date day = Date::from_civil(year, 6, 20);
  last_certificate_ = std::string(kSchoolCode) + "1" + std::to_string(year) + "05" + six(++numbers_.certificates[year]);
  const Maybe degree =
      full ? Maybe(std::string(kSchoolCode) + "4" + std::to_string(year) + six(++numbers_.degrees[year])) : Maybe();
  const auto only = [&](std::string_view text) {
    return full ? std::optional(text) : std::optional<std::string_view>();
  };
  graduation_.add(student.id, full ? "1" : "2", world_.print(day), full ? "21" : "22", last_certificate_,
                  only(major.text->degree), only("11"), full ? Maybe(world_.print(day)) : Maybe(), degree,
                  study.credits + (replaces.empty() ? 0 : study.open_credits), study.gpa(), "林知远",
                  replaces.empty() ? Maybe() : Maybe(replaces), std::nullopt);
}

void Life::graduation(const Student& student, const Study& study) {
  const int year = world_.base_year + cohort_ + 4;
  if (student.pupil.fate == Fate::restored) {  // an interruption that was taken back: the conclusion is revoked
    const Date left = Date::from_civil(year - 3, 7, 10), back = Date::from_civil(year - 3, 8, 28);
    if (back > world_.today) return;
    graduation_.add(student.id, "3", world_.print(left), "23", std::nullopt, std::nullopt, std::nullopt, std::nullopt,
                    std::nullopt, study.credits / 3, study.gpa(), std::nullopt, std::nullopt, world_.print(back));
    return;
  }
  if (student.state == "08") {
    diploma(student, study, false, year, "");
  } else if (student.state == "07" && study.open_credits == 0) {
    diploma(student, study, true, year, "");
  } else if (student.state == "07") {  // completed first, graduated a year later: a new number, the old one named
    diploma(student, study, false, year, "");
    diploma(student, study, true, year + 1, last_certificate_);
  }
}

}  // namespace jw::made_up
