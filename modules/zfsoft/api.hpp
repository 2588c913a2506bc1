// Import of the teaching sections exported from a 正方 (ZFSoft) academic-affairs system: one JSON array, an object for
// each weekly meeting of a section (issue of real input; §4.1.2, §4.2.3). What is not understood is reported row by row
// and lost nowhere: every source row is kept verbatim with its batch.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "kernel/catalog/api.hpp"
#include "kernel/change/api.hpp"
#include "platform/db/api.hpp"

namespace jw::zfsoft {

// One weekly meeting as understood; names of the members are ours, the keys of the export stand beside them.
struct Meeting {
  int64_t row = 0;                                           // 1-based place in the file
  std::string section_id;                                    // jxb_id
  std::string section_name;                                  // jxbmc
  std::string course, course_name;                           // kch, kcmc
  std::string course_id;                                     // kch_id
  std::string term;                                          // xnm/xqm as "2025-2026-1"
  std::string unit, unit_name;                               // kkbm_id, kkxy
  int64_t credits = -1;                                      // xf, scaled by 10; -1 = not given
  int64_t hours = -1;                                        // rwzxs
  std::string hours_by_kind;                                 // zhxs
  std::string nature, kind;                                  // kcxzmc, kklx
  std::string groups, grade_years;                           // jxbzc, nj
  int64_t students = -1, capacity = -1;                      // jxbrs, xkrs
  std::vector<std::string> teachers;                         // jsxx, in order
  std::string lead;                                          // zjs
  std::vector<std::string> meeting_teachers;                 // jszc
  int weekday = 0;                                           // xqj, 1 Monday … 7
  std::vector<std::pair<int, int>> periods;                  // runs of jc; several when the periods are not contiguous
  int64_t weeks = 0;                                         // zcd, bit 0 = week 1
  std::string room, room_name, room_kind, building, campus;  // cdbh, cdmc, cdlbmc, jxlmc, xqmc
  int64_t seats = -1;                                        // zws
};

struct Problem {
  int64_t row = 0;    // 0 = the file as a whole
  std::string field;  // key of the export
  Text text;
};

struct Export {
  std::vector<Meeting> meetings;
  std::vector<std::string> sources;         // each row verbatim, by place
  std::map<std::string, int64_t> unmapped;  // keys that nothing here uses, with how often
  std::vector<Problem> problems;
};

constexpr size_t kFileMax = 512u << 20;

// Pure. Refusal: the file is no JSON array of objects.
Result<Export> read_export(std::string_view text);

struct Imported {
  int64_t rows = 0, sections = 0, courses = 0, teachers = 0, meetings = 0;  // distinct things found in the file
  std::vector<Problem> problems;
  change::Counts counts;
};

// Puts everything into the batch by natural keys: a second run changes nothing. Teachers come by name only: one
// provisional staff row for each unit and name, to be merged with the real one later.
Imported load(const Export& found, change::Batch& batch);

}  // namespace jw::zfsoft
