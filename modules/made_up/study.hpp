// How one student goes through the years: what is enrolled in, examined, failed, tried again. It follows from the
// student's own stream of numbers alone, so it can be run twice: once to count, once to write.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "modules/made_up/world.hpp"

namespace jw::made_up {

enum class Fate : uint8_t {
  ordinary,
  restored,     // left for a summer and came back: the one to be shown
  returned,     // came back after a year and joined the class
  transferred,  // from another major of the college
  on_leave,
  in_service,  // military service, enrolment reserved
  withdrawn,
  expelled,
};

struct Pupil {
  int klass = 0, seat = 0, index = 0;  // index: 0-based in the university
  Fate fate = Fate::ordinary;
  int stop = kStudyTerms + 1;  // first term of study without enrolments
  int ability = 0;             // tenths of points above the average
  bool shown = false;          // has something of everything
};
Pupil pupil_of(const World& world, int klass, int seat);

struct Enrolment {
  int section = 0;
  std::string_view kind;  // ENROLMENT_KIND
};

struct Exam {
  int section = 0, attempt = 1, item = 0;
  int score = -1;   // tenths; -1 = none
  char mark = 0;    // 0 = none
  int points = -1;  // hundredths; -1 = none
  std::string_view exam_kind = "01";
  bool passed = false, counted = true;
  Date released;
};

struct Study {
  std::vector<Enrolment> enrolments;
  std::vector<Exam> results;
  int credits = 0;       // earned, tenths
  int open_credits = 0;  // failed and not made up for, tenths
  int64_t weighted = 0;  // Σ points × credits of what counts
  int64_t weight = 0;    // Σ credits of what counts
  int gpa() const {
    return weight == 0 ? 0 : static_cast<int>((weighted * 2 + weight) / (weight * 2));
  }  // hundredths, half up
};

class Studies {
 public:
  explicit Studies(const World& world);
  void of(const Pupil& pupil, Study& study) const;  // `study` is emptied first

 private:
  struct Way;
  void first_time(Way& way, int item, int study_term) const;
  void again(Way& way, size_t failed, int item, int study_term) const;
  void last_chance(Way& way) const;
  void mark(Way& way, Exam result, int raw) const;
  Date release_day(const SectionInfo& section, int study_term) const;
  uint64_t busy_of_class(int klass, int study_term) const;

  const World& world_;
  std::vector<std::vector<int>> first_class_;                 // [cohort][major], -1 = none
  std::vector<std::vector<std::vector<int>>> items_by_term_;  // [major][study term]
};

}  // namespace jw::made_up
