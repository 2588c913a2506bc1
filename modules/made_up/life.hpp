// What happens to students beside their grades: changes of status, evaluation, awards, discipline, warnings,
// attendance, payments, housing, research, graduation.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "modules/made_up/writing.hpp"

namespace jw::made_up {

class Life {
 public:
  Life(Writing& writing, change::Batch& batch, int cohort, Numbers& numbers);
  // The students of one college and year of entry, with their studies in the same order.
  void write(const std::vector<Student>& students, const std::vector<Study>& studies);

 private:
  struct Year {
    int academic = -1;  // weighted average of first attempts, hundredths; -1 = none
    int total = 0, class_rank = 0, class_size = 0, major_rank = 0, major_size = 0;
    std::array<int, 5> parts{};  // moral, academic, physical, arts, labour
    int bonus = 0;
  };
  static constexpr int kYears = 3;  // the last year is not evaluated

  void rate(const std::vector<Student>& students, const std::vector<Study>& studies);
  void rank(const std::vector<Student>& students, int year, bool by_class);
  void evaluation(const Student& student, const std::array<Year, kYears>& years);
  void awards(const Student& student, const std::array<Year, kYears>& years, Random& random);
  void discipline(const Student& student, Random& random);
  void status(const Student& student);
  void warnings(const Student& student, const Study& study);
  void attendance(const Student& student, const Study& study, Random& random);
  void payments(const Student& student, Random& random);
  void housing(const Student& student, Random& random);
  void research(const Student& student, Random& random);
  void graduation(const Student& student, const Study& study);
  void diploma(const Student& student, const Study& study, bool full, int year, const std::string& replaces);

  Date term_day(int study_term, int day) const;  // day 0 = its first Monday
  bool has_begun(int study_term) const;

  World& world_;
  int cohort_;
  Numbers& numbers_;
  Sheet evaluation_, awards_, discipline_, status_, warnings_, attendance_, payments_, housing_, research_, graduation_;
  std::vector<std::array<Year, kYears>> years_;
  std::string last_certificate_;
};

}  // namespace jw::made_up
