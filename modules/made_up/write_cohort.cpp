// One year of entry, college by college: the students, what they are enrolled in, and their grades. Rows of one student
// lie together, sections of one college too, so that a store of millions of rows is filled from one end to the other.
#include <algorithm>

#include "modules/made_up/cohort.hpp"

namespace jw::made_up {
namespace {

constexpr uint64_t kStreamStudentRow = 50;
using Maybe = std::optional<std::string>;

bool is_in_school(std::string_view state) {
  return state == "01" || state == "02" || state == "A1" || state == "A3";
}

std::string student_number(const World& world, const ClassInfo& info, const Pupil& pupil, int in_block) {
  const bool returned = pupil.fate == Fate::returned;  // came with the year before
  const int year = world.base_year + info.cohort - (returned ? 1 : 0);
  const std::string place = std::to_string(100 + info.college + 1).substr(1);
  const std::string serial = std::to_string((returned ? 90'000 : 10'000) + in_block);
  return std::to_string(year) + place + (returned || in_block > 9999 ? serial : serial.substr(1));
}

}  // namespace

std::string_view state_of(const World& world, const Pupil& pupil, const Study& study) {
  switch (pupil.fate) {
    case Fate::on_leave:
      return "02";
    case Fate::in_service:
      return "A1";
    case Fate::withdrawn:
      return "03";
    case Fate::expelled:
      return "14";
    default:
      break;
  }
  const int cohort = at(world.classes, pupil.klass).cohort;
  if (!world.has_graduated(cohort)) return "01";
  if (study.open_credits == 0) return "07";
  // Later examinations turned some completions into graduations.
  if (cohort <= 1 && pupil.index % 5 < 2) return "07";
  return study.open_credits > 60 && cohort >= 2 ? "A3" : "08";
}

CohortWriter::CohortWriter(Writing& writing, change::Batch& batch, const Studies& studies, int cohort, Numbers& numbers)
    : writing_(writing),
      world_(writing.world),
      batch_(batch),
      studies_(studies),
      cohort_(cohort),
      students_(batch, "student", {"number",         "name",         "sex",        "birth_date",
                                   "id_type",        "id_number",    "ethnic",     "politics",
                                   "nationality",    "native_place", "division",   "phone",
                                   "email",          "home_address", "postcode",   "guardian_name",
                                   "guardian_phone", "exam_number",  "admission",  "level",
                                   "kind",           "unit",         "major",      "class",
                                   "plan",           "grade_year",   "duration",   "entered_on",
                                   "expected_on",    "state",        "registered", "campus",
                                   "dormitory_phone"},
                writing.checking()),
      enrolments_(batch, "enrolment", {"section", "student", "kind", "nature", "enrolled_on"}, writing.checking()),
      grades_(batch, "grade",
              {"student", "section", "attempt", "term", "course", "nature", "score", "mark", "points", "exam_kind",
               "passed", "counted", "released_on"},
              writing.checking()),
      life_(writing, batch, cohort, numbers) {}

void CohortWriter::write(std::vector<Student>& keep) {
  const int total = static_cast<int>(world_.classes.size());
  for (int from = 0; from < total;) {
    const ClassInfo& first = at(world_.classes, from);
    int to = from;
    while (to < total && at(world_.classes, to).cohort == first.cohort &&
           at(world_.classes, to).college == first.college)
      ++to;
    if (first.cohort == cohort_) write_block(from, to, keep);
    from = to;
  }
}

void CohortWriter::write_block(int from, int to, std::vector<Student>& keep) {
  size_t size = 0;
  for (int c = from; c < to; ++c) size += static_cast<size_t>(at(world_.classes, c).students);
  block_.clear();
  if (study_of_.size() < size) study_of_.resize(size);
  int in_block = 0;
  for (int c = from; c < to; ++c) {
    for (int seat = 0; seat < at(world_.classes, c).students; ++seat) {
      Student student;
      student.pupil = pupil_of(world_, c, seat);
      Study& study = study_of_[static_cast<size_t>(in_block)];
      studies_.of(student.pupil, study);
      student.state = state_of(world_, student.pupil, study);
      student.number = student_number(world_, at(world_.classes, c), student.pupil, ++in_block);
      Random random = world_.random({kStreamStudentRow, static_cast<uint64_t>(student.pupil.index), 0});
      student.male = random.chance(540);
      student.name = surname(random) + given_name(random, student.male, true);
      block_.push_back(std::move(student));
    }
  }
  std::vector<std::string_view> names;
  for (const Student& each : block_) names.emplace_back(each.name);
  const int64_t first_person = identity::add_persons(batch_.connection(), names, batch_.now());
  for (size_t i = 0; i < block_.size(); ++i) {
    block_[i].person = first_person + static_cast<int64_t>(i);
    write_student(block_[i]);
  }
  write_accounts();
  write_enrolments();
  for (size_t i = 0; i < block_.size(); ++i) write_grades(block_[i], study_of_[i]);
  life_.write(block_, study_of_);
  keep_some(keep);
}

void CohortWriter::write_student(Student& student) {
  const Pupil& pupil = student.pupil;
  Random random = world_.random({kStreamStudentRow, static_cast<uint64_t>(pupil.index), 1});
  const ClassInfo& info = at(world_.classes, pupil.klass);
  const MajorInfo& major = at(world_.majors, info.major);
  const UnitInfo& unit = at(world_.units, at(world_.colleges, info.college));
  const int year = world_.base_year + info.cohort;
  const int came = pupil.fate == Fate::returned ? year - 1 : year;
  const Division& home = birthplace(random);
  // Seventeen to twenty at entry: some freshmen are minors for most of a year.
  const int32_t days = static_cast<int32_t>(random.chance(90) ? random.between(650, 880) : random.below(650));
  const Date birth{Date::from_civil(came - 19, 1, 1).days + days};
  student.minor = birth.plus_years(18) > world_.today;
  const Date entered{at(world_.terms, world_.term_of(info.cohort, 1)).begins.days - 3 -
                     (pupil.fate == Fate::returned ? 365 : 0)};
  const int64_t politics = random.below(1000);
  const bool senior = pupil.stop > 4 && world_.term_of(info.cohort, 5) <= world_.current_term();
  const std::string place = std::string(home.province) + std::string(home.city);
  const bool father = random.chance(600);
  const std::string family = father ? student.name.substr(0, 3) : surname(random);
  const std::string guardian = family + given_name(random, father, false);
  const std::string exam = std::to_string(came % 100 + 100).substr(1) + std::string(home.code) +
                           std::to_string(1'000'000 + pupil.index % 1'000'000).substr(1);
  const std::string_view admission = random.chance(940)   ? "01"
                                     : random.chance(300) ? "04"
                                     : random.chance(300) ? "05"
                                                          : "02";
  student.id = students_.add_person(
      student.person, student.number, student.name, student.male ? "1" : "2", world_.print(birth), "1",
      world_.id_numbers.next(home.code, birth, student.male), ethnic(random),
      senior && politics < 90    ? "01"
      : senior && politics < 160 ? "02"
      : politics < 930           ? "03"
                                 : "13",
      "中国", place, home.code, mobile_number(random), student.number + "@stu.example.edu.cn",
      place + std::string(home.county) + "文兴路" + std::to_string(random.between(1, 299)) + "号", home.postcode,
      guardian, mobile_number(random), exam, admission, "3", "42", unit.id, major.id, info.id,
      at(major.plan_ids, info.cohort), year, 40, world_.print(entered),
      world_.print(world_.graduation_day(info.cohort)), student.state, student.state == "01" || student.state == "A3",
      unit.campus == 0 ? "东湖校区" : "西山校区", "0000-" + std::to_string(34'200'000 + pupil.index % 99'999));
  ++writing_.summary.students;
}

void CohortWriter::write_accounts() {
  const bool graduated = world_.has_graduated(cohort_);
  const bool expired = graduated && world_.graduation_day(cohort_).plus_years(1) < world_.today;
  std::vector<identity::NewAccount> accounts;
  for (const Student& each : block_) {
    const bool in_school = is_in_school(each.state);
    if (!in_school && each.state != "07" && each.state != "08") continue;  // who left has none
    accounts.push_back({each.number,
                        in_school ? "student"
                        : expired ? "graduate_expired"
                                  : "graduate",
                        each.name, each.person});
  }
  const auto made = writing_.identity.create_inactive(batch_.connection(), accounts);
  if (!made) throw std::logic_error("accounts of students: " + made.refusal().detail.en);
}

void CohortWriter::write_enrolments() {
  enrolled_.clear();
  for (size_t i = 0; i < block_.size(); ++i) {
    for (const Enrolment& each : study_of_[i].enrolments)
      enrolled_.push_back({each.section, static_cast<int>(i), each.kind});
  }
  std::sort(enrolled_.begin(), enrolled_.end(), [](const Enrolled& a, const Enrolled& b) {
    return std::pair(a.section, a.student) < std::pair(b.section, b.student);
  });
  for (const Enrolled& each : enrolled_) {
    const SectionInfo& section = at(world_.sections, each.section);
    const TermInfo& term = at(world_.terms, section.term);
    enrolments_.add(section.id, at(block_, each.student).id, each.kind, at(world_.items, section.item).attribute,
                    world_.print(Date{term.begins.days - 18}));
  }
  writing_.summary.enrolments += static_cast<int64_t>(enrolled_.size());
}

void CohortWriter::write_grades(const Student& student, Study& study) {
  std::sort(study.results.begin(), study.results.end(), [](const Exam& a, const Exam& b) {
    return std::pair(a.section, a.attempt) < std::pair(b.section, b.attempt);
  });
  for (const Exam& each : study.results) {
    const SectionInfo& section = at(world_.sections, each.section);
    using MaybeNumber = std::optional<int64_t>;
    const std::string_view mark(&each.mark, each.mark == 0 ? 0 : 1);
    grades_.add(student.id, section.id, each.attempt, at(world_.terms, section.term).id,
                at(world_.courses, section.course).id, at(world_.items, section.item).attribute,
                each.score < 0 ? MaybeNumber() : MaybeNumber(each.score),
                mark.empty() ? std::optional<std::string_view>() : std::optional(mark),
                each.points < 0 ? MaybeNumber() : MaybeNumber(each.points), each.exam_kind, each.passed, each.counted,
                world_.print(each.released));
  }
  writing_.summary.grades += static_cast<int64_t>(study.results.size());
}

// Whom the sign-ins are taken from: the class to be shown, the first of every class, and as many as were asked for.
void CohortWriter::keep_some(std::vector<Student>& keep) {
  for (const Student& each : block_) {
    const bool shown = each.pupil.klass == world_.shown_class();
    const bool asked = is_in_school(each.state) && static_cast<int64_t>(keep.size()) < writing_.options.sign_ins + 400;
    const bool minor = each.minor && each.state == "01" && each.pupil.seat < 12;
    if (shown || minor || each.pupil.seat < 2 || asked) keep.push_back(each);
  }
}

void write_cohort(Writing& writing, change::Batch& batch, const Studies& studies, int cohort, Numbers& numbers,
                  std::vector<Student>& keep) {
  CohortWriter(writing, batch, studies, cohort, numbers).write(keep);
}

}  // namespace jw::made_up
