// The made-up university: fills a new store with invented people who study, teach and work (issue 2, item 9), for
// trials, tests and measurements. Everything is written through kernel/change like real data.
//
// The same students, seed and day give the same rows on every store and machine. `students` counts all rows of
// `student`: seven years of entry, four of them in school. Only the sign-ins written out have a password; every other
// person in school or service has an account that is not yet activated.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/result.hpp"
#include "base/time.hpp"
#include "kernel/catalog/api.hpp"
#include "kernel/policy/api.hpp"
#include "kernel/record/api.hpp"
#include "platform/db/api.hpp"

namespace jw::made_up {

constexpr int64_t kStudentsMin = 100;
constexpr int64_t kStudentsMax = 2'000'000;

struct Options {
  int64_t students = 2000;
  uint64_t seed = 1;
  int64_t sign_ins = 0;        // so many more students get a password
  std::string accounts_file;   // JSON array of {kind, account, password, name, note}; empty: none is written
  int64_t check_every = 1009;  // so often a row goes through check_row while writing; 1 = all of them
};

struct Summary {
  int64_t students = 0, staff = 0, sections = 0, enrolments = 0, grades = 0, rows = 0, sign_ins = 0;
};

// Told before each step, in words for the operator.
using Progress = std::function<void(const Text& step)>;

// The store must have been migrated and its schema made. Opens its own writing leases: the caller must hold none.
// `recorder` may be null: then the changes have no leaves, and nobody has been read yet. With it, 教务处 truly reads
// the persons of the sign-ins once, so that "who read me" (§1.3.1) shows something.
//
// Refusals: made_up.students (422), made_up.real_data (409: rows or accounts that this did not make),
// made_up.filled (409: filled before; store facts seed and students say with what), made_up.unfinished (409: a filling
// broke off, the store can only be thrown away). Store facts written: made_up, school_zh, school_en, gallery,
// made_up_seed, made_up_students. Failures of the machine are exceptions (db::Error, std::runtime_error for the
// accounts file).
Result<Summary> fill(const catalog::Catalogue& catalogue, const policy::Regulation& regulation, db::Store& store,
                     record::Recorder* recorder, const Clock& clock, const Options& options,
                     const Progress& progress = {});

}  // namespace jw::made_up
