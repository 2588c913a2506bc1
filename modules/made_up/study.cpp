#include "modules/made_up/study.hpp"

#include <algorithm>

namespace jw::made_up {
namespace {

constexpr uint64_t kStreamPupil = 30;
constexpr uint64_t kStreamStudy = 31;

Fate fate_of(const World& world, const ClassInfo& info, Random& random) {
  const bool graduated = world.has_graduated(info.cohort);
  const int64_t lot = random.below(1000);
  if (info.cohort == kCohorts - 1) return lot < 4 ? Fate::in_service : Fate::ordinary;
  if (lot < 4) return Fate::returned;
  if (lot < 14) return Fate::transferred;
  if (lot < 18) return Fate::withdrawn;
  if (lot < 19) return Fate::expelled;
  if (graduated) return Fate::ordinary;
  if (lot < 25) return Fate::on_leave;
  if (lot < 29) return Fate::in_service;
  return Fate::ordinary;
}

}  // namespace

Pupil pupil_of(const World& world, int klass, int seat) {
  const ClassInfo& info = at(world.classes, klass);
  Pupil pupil;
  pupil.klass = klass;
  pupil.seat = seat;
  pupil.index = info.first_student + seat;
  Random random = world.random({kStreamPupil, static_cast<uint64_t>(pupil.index)});
  pupil.ability = static_cast<int>(random.bell() * 65 / 1000);
  pupil.fate = fate_of(world, info, random);
  const int now = world.current_term() - world.term_of(info.cohort, 1) + 1;  // term of study today
  const int leave_at = static_cast<int>(random.between(2, 6));
  if (klass == world.shown_class()) {
    constexpr Fate kFates[] = {Fate::restored, Fate::transferred, Fate::ordinary,
                               Fate::on_leave, Fate::ordinary,    Fate::returned};
    pupil.fate = seat < 6 ? at(kFates, seat) : Fate::ordinary;
    pupil.shown = seat == 0;
    if (seat == 0) pupil.ability = 90;
    if (seat == 4) pupil.ability = -150;  // fails a lot: retakes and warnings
  }
  switch (pupil.fate) {
    case Fate::on_leave:
    case Fate::in_service:
      pupil.stop = std::max(1, now);  // gone since this term
      break;
    case Fate::withdrawn:
    case Fate::expelled:
      pupil.stop = std::max(2, std::min(leave_at, now - 1));
      break;
    default:
      break;
  }
  return pupil;
}

struct Studies::Way {
  const Pupil& pupil;
  Study& study;
  Random random;
};

Studies::Studies(const World& world) : world_(world) {
  first_class_.assign(kCohorts, std::vector<int>(world.majors.size(), -1));
  for (size_t i = world.classes.size(); i-- > 0;) {
    at(at(first_class_, world.classes[i].cohort), world.classes[i].major) = static_cast<int>(i);
  }
  items_by_term_.assign(world.majors.size(), std::vector<std::vector<int>>(kStudyTerms + 1));
  for (size_t m = 0; m < world.majors.size(); ++m) {
    for (const int item : world.majors[m].items) at(items_by_term_[m], at(world.items, item).term).push_back(item);
  }
}

Date Studies::release_day(const SectionInfo& section, int study_term) const {
  const TermInfo& term = at(world_.terms, section.term);
  constexpr uint64_t kSecondHalves = 0xAAAAAAAAAAAAAAAAU;
  int weeks = (section.busy & kSecondHalves) == 0 && section.busy != 0 ? 9 : 18;
  if (study_term == kStudyTerms) weeks = 15;  // before graduation
  return {term.begins.days + weeks * 7 + 4};
}

uint64_t Studies::busy_of_class(int klass, int study_term) const {
  const ClassInfo& info = at(world_.classes, klass);
  uint64_t busy = 0;
  for (const int item : at(at(items_by_term_, info.major), study_term)) {
    const int section = at(info.sections, item);
    if (section >= 0) busy |= at(world_.sections, section).busy;
  }
  return busy;
}

// Puts the outcome of one examination into the student's record, unless it is not out yet.
void Studies::mark(Way& way, Exam result, int raw) const {
  if (result.released > world_.today) return;
  const CourseInfo& course = at(world_.courses, at(world_.sections, result.section).course);
  const bool makeup = result.exam_kind == "11" || result.exam_kind == "12";
  if (course.grading == Grading::score) {
    result.score = std::clamp(raw, 0, 100) * 10;
    if (makeup && result.score > 600) result.score = 600;
    result.passed = result.score >= 600;
    result.points = result.passed ? result.score - 500 : 0;
  } else if (course.grading == Grading::levels) {
    const int step = std::clamp(raw / 10 - 5, 0, makeup ? 1 : 4);
    result.mark = "FDCBA"[step];
    constexpr int kPoints[] = {0, 150, 250, 350, 450};
    result.points = at(kPoints, step);
    result.passed = step > 0;
  } else {
    result.passed = raw >= 55;
    result.mark = result.passed ? 'P' : 'N';
    result.counted = false;
  }
  way.study.results.push_back(result);
}

void Studies::first_time(Way& way, int item, int study_term) const {
  const int first = at(at(world_.classes, way.pupil.klass).sections, item);
  if (first < 0) return;
  const SectionInfo& base = at(world_.sections, first);
  const int choice = base.options == 1
                         ? 0
                         : static_cast<int>(mix({static_cast<uint64_t>(way.pupil.index), static_cast<uint64_t>(item)}) %
                                            static_cast<uint64_t>(base.options));
  const int index = first + choice;
  const SectionInfo& section = at(world_.sections, index);
  const CourseInfo& course = at(world_.courses, section.course);
  Random& random = way.random;
  const int64_t lot = random.below(1000);
  const bool exempt = course.number == "FL1001" && lot < 20;
  way.study.enrolments.push_back({index, exempt ? "4" : "1"});
  Exam result;
  result.section = index;
  result.item = item;
  result.released = release_day(section, study_term);
  if (result.released > world_.today && !exempt) return;
  if (exempt) {
    result.released = {at(world_.terms, section.term).begins.days + 14};
    if (result.released > world_.today) return;
    result.exam_kind = "14";
    result.passed = true;
    result.counted = false;
    way.study.results.push_back(result);
    return;
  }
  const int teacher = static_cast<int>(mix({world_.seed, static_cast<uint64_t>(index)}) % 7) - 3;  // some are milder
  const int raw =
      77 + (way.pupil.ability + 5) / 10 - course.difficulty + teacher + static_cast<int>(random.bell() * 7 / 1000);
  // Nobody fails by a hair, the thesis is handed in when it is good enough.
  const int lifted = raw >= 57 && raw < 60 && random.chance(700) ? 60
                     : study_term == kStudyTerms                 ? std::max(raw, 65)
                                                                 : raw;
  const size_t at_first = way.study.results.size();
  const int next_term = section.term + 1;
  const bool more_terms = next_term <= world_.current_term();
  const Date later = more_terms ? Date{at(world_.terms, next_term).begins.days + 16} : Date{world_.today.days + 1};
  if (lot >= 990 && study_term < kStudyTerms && course.grading == Grading::score) {  // examination put off
    result.exam_kind = "02";
    result.counted = false;
    way.study.results.push_back(result);
    result.exam_kind = "01";
    result.counted = true;
    result.attempt = 2;
    result.released = later;
    mark(way, result, std::max(lifted, 60));
    return;
  }
  if (lot >= 988 && course.grading == Grading::score && study_term < kStudyTerms) {  // did not come
    result.exam_kind = "03";
    way.study.results.push_back(result);
  } else {
    mark(way, result, lifted);
    if (way.study.results.back().passed) return;
    Exam resit = result;
    resit.attempt = 2;
    resit.exam_kind = "11";
    resit.released = later;
    mark(way, resit, random.chance(720) ? 66 : static_cast<int>(random.between(35, 59)));
    if (way.study.results.size() > at_first + 1) way.study.results[at_first].counted = false;
    if (way.study.results.back().passed) return;
  }
  again(way, way.study.results.size() - 1, item, study_term);
}

// The course once more with the next year's class, where it lies in free hours; else without attending.
void Studies::again(Way& way, size_t failed, int item, int study_term) const {
  const ClassInfo& own = at(world_.classes, way.pupil.klass);
  const PlanItem& place = at(world_.items, item);
  if (study_term + 2 >= way.pupil.stop || study_term + 2 > kStudyTerms || own.cohort + 1 >= kCohorts ||
      place.courses.size() > 1)
    return;
  const int klass = at(at(first_class_, own.cohort + 1), own.major);
  if (klass < 0) return;
  const int index = at(at(world_.classes, klass).sections, item);
  if (index < 0) return;
  const SectionInfo& section = at(world_.sections, index);
  const bool clash = (section.busy & busy_of_class(way.pupil.klass, study_term + 2)) != 0;
  // Two retakes may lie in the same hours too.
  bool taken = clash;
  for (const Enrolment& each : way.study.enrolments) {
    const SectionInfo& other = at(world_.sections, each.section);
    if (other.term == section.term && (other.busy & section.busy) != 0 && each.kind != "4") taken = true;
  }
  way.study.enrolments.push_back({index, taken ? "4" : "2"});
  Exam result;
  result.section = index;
  result.item = item;
  result.exam_kind = "13";
  result.released = release_day(section, study_term);
  const size_t before = way.study.results.size();
  mark(way, result, way.random.chance(930) ? static_cast<int>(way.random.between(60, 82)) : 50);
  if (way.study.results.size() > before) way.study.results[failed].counted = false;
}

// Before graduation what is still open is examined a last time.
void Studies::last_chance(Way& way) const {
  const ClassInfo& own = at(world_.classes, way.pupil.klass);
  if (way.pupil.stop <= kStudyTerms || world_.term_of(own.cohort, kStudyTerms) > world_.current_term()) return;
  std::vector<Exam>& results = way.study.results;
  const size_t count = results.size();
  for (size_t i = 0; i < count; ++i) {
    if (results[i].passed || (i + 1 < count && results[i + 1].item == results[i].item)) continue;
    Exam last = results[i];
    ++last.attempt;
    last.exam_kind = "12";
    last.counted = true;
    last.score = last.points = -1;
    last.mark = 0;
    last.released = {at(world_.terms, world_.term_of(own.cohort, kStudyTerms)).begins.days + 15 * 7 - 7};
    mark(way, last, way.random.chance(850) ? 62 : static_cast<int>(way.random.between(40, 58)));
    if (results.size() > count && results.back().item == results[i].item) results[i].counted = false;
  }
}

void Studies::of(const Pupil& pupil, Study& study) const {
  study = Study{std::move(study.enrolments), std::move(study.results), 0, 0, 0, 0};
  study.enrolments.clear();
  study.results.clear();
  const ClassInfo& own = at(world_.classes, pupil.klass);
  Way way{pupil, study, world_.random({kStreamStudy, static_cast<uint64_t>(pupil.index)})};
  for (int k = 1; k < pupil.stop && k <= kStudyTerms; ++k) {
    if (world_.term_of(own.cohort, k) > world_.current_term()) break;
    for (const int item : at(at(items_by_term_, own.major), k)) first_time(way, item, k);
  }
  last_chance(way);
  for (size_t i = 0; i < study.results.size(); ++i) {
    const Exam& result = study.results[i];
    const int credits = at(world_.courses, at(world_.sections, result.section).course).credits;
    if (result.passed) study.credits += credits;
    if (result.counted && result.points >= 0) {
      study.weight += credits;
      study.weighted += static_cast<int64_t>(credits) * result.points;
    }
    const bool last = std::none_of(study.results.begin() + static_cast<std::ptrdiff_t>(i) + 1, study.results.end(),
                                   [&](const Exam& later) { return later.item == result.item; });
    if (last && !result.passed && result.exam_kind != "02") study.open_credits += credits;
  }
}

}  // namespace jw::made_up
