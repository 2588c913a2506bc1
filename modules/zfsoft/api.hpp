// Import of the teaching sections exported from a 正方 (ZFSoft) academic-affairs system: one JSON array, an object for
// each weekly meeting of a section (§4.1.2, §4.2.3). Three steps: read_export() understands each row by itself,
// settle() makes one thing of the rows that speak of it, load() compares that with what stands and writes the
// difference.
//
// A fact that is not understood, or that rows contradict each other about, leaves what stands, is told, and costs only
// itself. Every source row is kept verbatim with its batch. docs/howto/import-sections.md says it for those who import.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "base/typed.hpp"
#include "kernel/catalog/api.hpp"
#include "kernel/change/api.hpp"

namespace jw::zfsoft {

// ---- cells
// Text without tags and entities, in the normal form of base/typed.hpp; line ends stay.
Cleaned cell_text(std::string_view valid_utf8);
// Every run of blanks and line ends as one blank, none at the ends.
std::string one_line(std::string_view text);

struct Teacher {
  std::string number;  // of staff; empty: by name only
  std::string name;    // empty: by number only. "张伟(大)" when a bracket tells namesakes apart
  std::string title;   // as written beside the name; for telling, not stored
};
struct Teachers {
  bool said = false;                 // there is a list, even one of nobody (未定, TBA)
  std::vector<Teacher> named;        // in order
  std::vector<std::string> unclear;  // items that have no place in the grammar
  std::vector<std::string> twice;    // named more than once, taken once
};
// The one reader of lists of teachers (grammar in read_teachers.cpp).
Teachers read_teachers(std::string_view text);

// ---- rows
struct Problem {
  int64_t row = 0;    // 1-based place in the file; 0 = the file as a whole
  std::string field;  // key of the export, or field of the catalogue
  Text text;
  // A fact of the source did not get in, or the store must be put right; otherwise what was decided is told.
  bool lost = false;
};

// By field of the catalogue, only what the row says. A ref by natural key, a code by name.
using Facts = std::map<std::string, catalog::Value>;

struct Time {
  int weekday = 0;                           // xqj, 1 Monday … 7
  std::vector<std::pair<int, int>> periods;  // runs of jc; several when the periods are not contiguous
  int64_t weeks = 0;                         // zcd, bit 0 = week 1
};

// One object of the export as understood; the keys of the export stand beside the members.
struct Meeting {
  int64_t row = 0;
  std::string section_id;  // jxb_id
  std::string term;        // xnm, xqm as "2025-2026-1"
  std::string course;      // kch
  std::string unit, room;  // kkbm_id, cdbh; empty = none
  Facts of_section, of_course, of_unit, of_room;
  Teachers teachers, lead, present;  // jsxx, zjs, jszc
  bool timed = false;                // the row speaks of a time; without `time` it was not understood
  std::optional<Time> time;
};

struct Export {
  std::vector<Meeting> meetings;
  std::vector<std::string> sources;         // each row verbatim, by place
  std::map<std::string, int64_t> unmapped;  // keys that nothing here uses, with how often
  std::vector<Problem> problems;
  // Whether the file holds every row there is and each says whose it is. Otherwise nobody can tell what has ended.
  bool whole = true;
};

constexpr size_t kFileMax = 512u << 20;

// Pure. An array of rows, or the paged answer of the system with `items`. Refusals: import.not_an_export, and
// import.other_export for known other forms, which says what to export instead.
Result<Export> read_export(std::string_view text);

// ---- what the rows speak of
struct Thing {
  Facts facts;
  int64_t row = 0;             // the first that speaks of it
  std::set<std::string> open;  // facts that rows contradict each other about, without a majority
};

struct Slot {
  int weekday = 0, first = 0, last = 0;
  int64_t weeks = 0;
  std::string room;
  auto operator<=>(const Slot&) const = default;
};
struct SlotFacts {
  int64_t row = 0;                // the first that says it
  std::set<std::string> present;  // names of the teachers of the meeting
};

struct Section {
  std::string id, term;  // together they identify it
  std::string number;    // in the product, for a new one
  std::string course, unit;
  Thing of;
  std::vector<Teacher> teachers;
  std::set<std::pair<std::string, std::string>> leads;  // number, name
  bool teachers_said = false, teachers_whole = true;    // whole: every item of the lists was understood
  std::map<Slot, SlotFacts> slots;
  int64_t meetings = 0;  // of the source: one of two runs of periods is two slots
  bool times_whole = true;
};

struct Settled {
  std::map<std::string, Thing> units, courses, rooms;    // by natural key
  std::vector<Section> sections;                         // by id and term
  std::map<std::string, std::pair<int64_t, int>> terms;  // code: first row, last week with a meeting
  std::set<std::pair<std::string, std::string>> named;   // every id and term in the file, contradictory ones included
  bool timed = false;                                    // some row has a time: a section without one has none
  std::vector<Problem> problems;
};
// Pure, and the same in any order of rows. Facts that rows contradict each other about: the one that more than half of
// them say, or none. An id with two courses is left out.
Settled settle(const Export& found, const catalog::Catalogue& catalogue);

// ---- scope and comparison
// What the file says everything about: sections of this source outside are left alone, those inside that it does not
// name have ended.
struct Scope {
  std::set<std::pair<std::string, std::string>> pairs;  // term, unit as they occur in the file
  std::set<std::string> terms;                          // stated: whole terms; then `units` alone narrows
  std::set<std::string> units;
  bool stated() const { return !terms.empty() || !units.empty(); }
  bool holds(const std::string& term, const std::string& unit) const;
  std::string print() const;  // "2025-2026-1: 03300,03400"
};
// Of the file, narrowed to stated terms and units. Refusal import.scope: a term or unit stated is not in the file.
Result<Scope> scope_of(const Settled& settled, std::set<std::string> terms, std::set<std::string> units);

struct Change {
  enum class Kind : uint8_t { added, changed, ended } kind;
  std::string dataset;  // name in the catalogue
  std::string key;      // as people write it
  Text what;            // old and new values
};

struct Imported {
  int64_t rows = 0;  // in the file
  // Distinct things of the file that stand in the store afterwards; a meeting of two runs of periods is one.
  int64_t sections = 0, courses = 0, teachers = 0, meetings = 0;
  std::vector<Problem> problems;
  std::vector<Change> changes;  // empty: the batch is, too
  int64_t same = 0;             // rows of the store that stand as the file says
};

// Writes the difference between the file and what stands into the batch; nothing when there is none. Teachers by name
// only: one provisional staff row for each unit and name, to be merged with the real one later. Refusal
// import.ends_too_much: more than half of the scope would end and the scope was not stated.
Result<Imported> load(const Export& found, const Settled& settled, const Scope& scope, change::Batch& batch);

}  // namespace jw::zfsoft
