// Writing one year of entry: students and grades (write_cohort.cpp), and what else happens to them (life.hpp).
#pragma once

#include <string>
#include <vector>

#include "modules/made_up/life.hpp"
#include "modules/made_up/writing.hpp"

namespace jw::made_up {

std::string_view state_of(const World& world, const Pupil& pupil, const Study& study);  // XSDQZT

class CohortWriter {
 public:
  CohortWriter(Writing& writing, change::Batch& batch, const Studies& studies, int cohort, Numbers& numbers);
  void write(std::vector<Student>& keep);

 private:
  struct Enrolled {
    int section, student;  // student: index in the block
    std::string_view kind;
  };
  // The classes [from, to) of one college.
  void write_block(int from, int to, std::vector<Student>& keep);
  void write_student(Student& student);
  void write_accounts();
  void write_enrolments();
  void write_grades(const Student& student, Study& study);
  void keep_some(std::vector<Student>& keep);

  Writing& writing_;
  World& world_;
  change::Batch& batch_;
  const Studies& studies_;
  int cohort_;
  Sheet students_, enrolments_, grades_;
  Life life_;
  std::vector<Student> block_;
  std::vector<Study> study_of_;  // of each student of the block; grows, never shrinks
  std::vector<Enrolled> enrolled_;
};

}  // namespace jw::made_up
