// From the plan in memory to rows: one function for each part of the university. Each batch is one transaction.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "kernel/identity/api.hpp"
#include "modules/made_up/api.hpp"
#include "modules/made_up/sheet.hpp"
#include "modules/made_up/study.hpp"

namespace jw::made_up {

struct Writing {
  const catalog::Catalogue& catalogue;
  const policy::Regulation& regulation;
  db::Store& store;
  record::Recorder* recorder;
  const Clock& clock;
  const Options& options;
  identity::Identity& identity;
  World& world;
  Summary summary;
  Checking checking() const { return {options.check_every}; }
};

// Runs `work` with a batch in a transaction of its own, commits, delivers its leaf.
void in_batch(Writing& writing, const std::string& title, const std::function<void(change::Batch&)>& work);

void write_units(Writing& writing, change::Batch& batch);    // term, unit, room
void write_staff(Writing& writing, change::Batch& batch);    // persons, staff, post_holding
void write_courses(Writing& writing, change::Batch& batch);  // major, course, plan, plan_course, tuition
void write_classes(Writing& writing, change::Batch& batch);
void write_resources(Writing& writing, change::Batch& batch);  // library_holding, online_course
void write_sections(Writing& writing, change::Batch& batch,
                    const Studies& studies);  // section, section_teacher, meeting, progress

// A student as far as later steps need it.
struct Student {
  Pupil pupil;
  std::string number, name;
  bool male = false, minor = false;
  std::string_view state;
  int64_t id = 0, person = 0;
};
struct Numbers {  // of certificates, by year of graduation
  std::map<int, int> certificates, degrees;
};
// One year of entry: students with their persons and accounts, enrolments, grades and everything else about them.
// `keep`: whom the sign-ins may be taken from.
void write_cohort(Writing& writing, change::Batch& batch, const Studies& studies, int cohort, Numbers& numbers,
                  std::vector<Student>& keep);

// Sign-ins, gallery and grants. `students`: those kept by write_cohort.
void write_sign_ins(Writing& writing, const std::vector<Student>& students);

}  // namespace jw::made_up
