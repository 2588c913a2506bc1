// The meaning of a governed query, row by row, as the documents say it (design §1.5, §4, §5; governance §3.2–3.3; ADR
// 0009): slow, naive, without SQL. It shares with the engine the catalogue, the parsed query and the parsed permits,
// nothing else. Writing is decided by the same words: a row may be written when it is visible under `enter` (`review`)
// as it stood and as it would stand, and so is each cell that changes; both are looked at in the world before.
//
//   row visible   some permit that shows a field is definitely true of it, every forbid definitely false
//   cell          clear, masked or hidden by the best permit true of the row; hidden, too, unless every forbid on the
//                 rows it is borrowed from is definitely false (a row that is not there is a row of NULLs)
//   condition     three-valued; a cell not seen in clear is NULL; every leaf but is_null is unknown on NULL
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "kernel/catalog/api.hpp"
#include "kernel/policy/api.hpp"
#include "kernel/query/api.hpp"

namespace jw::differential {

using catalog::Value;
constexpr int64_t kFewPersons = 2;  // numbers about so many tell of each (§1.3.1); nobody here knows ten persons
enum class Seen : uint8_t { clear, masked, hidden };

struct Row {
  int64_t id = 0;
  int64_t person = 0;        // datasets of persons
  std::vector<Value> cells;  // own fields; a ref holds the id of its row
};
using World = std::vector<std::vector<Row>>;  // by dataset

struct Rules {
  const catalog::Catalogue* catalogue = nullptr;
  policy::Regulation regulation;     // posts, settings, default permits and forbids
  std::vector<policy::Atom> grants;  // those of the store
};

struct Expected {
  std::string refusal;  // type; "policy.denied" when no permit applies. Empty: answered
  std::string path;     // of the closed field
  std::vector<int> columns;
  std::vector<std::string> rows;          // JSON
  std::vector<std::vector<Value>> cells;  // lists: the same as values
  std::vector<std::vector<Seen>> sight;   // lists: of each cell
  std::set<int64_t> subjects;             // persons, other than the asker, of whom something was told (§1.3.1)
  bool more = false;
  int64_t groups = 0;  // statistics: on all pages
};

struct Asking {
  const Rules& rules;
  const World& world;
  const policy::Asker& asker;
  Instant now;
};

Expected expected_answer(const Asking& asking, const query::Query& query, policy::Action action);
// A row that a batch writes: as it stood (none: added) and as it would stand (none: taken away).
struct Change {
  const Row* stood = nullptr;
  const Row* stands = nullptr;
};
// Why somebody may not write these rows of one dataset, by id; `asking.world` is as before. A refusal, or by row and
// field ("mark[m1~2].score"), joined by spaces. Empty: they may.
std::string expected_refusal(const Asking& asking, policy::Action action, const std::string& purpose,
                             const catalog::Dataset& dataset, const std::vector<Change>& changes);
// What a change of the rules does to a holder, of the rows that the viewer (`asking`) may query: rows and cells seen
// after and not before, and the other way round.
struct Shift {
  int64_t gained = 0, lost = 0;
  std::map<int, std::pair<int64_t, int64_t>> cells;  // of `fields`: gained, lost; none where both are 0
  std::set<int64_t> persons;                         // whom these rows and cells are about, but the viewer
};
struct Holding {
  const Rules& before;
  const Rules& after;
  const policy::Asker& holder;
  policy::Action action;
  std::string purpose;
};
Shift expected_shift(const Asking& asking, const Holding& holding, const catalog::Dataset& dataset,
                     const std::vector<int>& fields);
bool holds_post(const Asking& asking, int post);
// The row with this natural key, where the asker may query it, its key and this field in clear.
const Row* row_asked_for(const Asking& asking, const catalog::Dataset& dataset, const std::vector<Value>& key,
                         int field);
std::optional<int64_t> subject_of(const Asking& asking, const catalog::Dataset& dataset, const Row& row);
// Whether this permit shows the asker, under some action of reading, the field of a row that no forbid closes.
bool sees_by(const Asking& asking, const policy::Atom& permit, const catalog::Dataset& dataset, const Row& row,
             int field);
// All that the asker may see of a dataset, rows with their ids. Equal views must give equal answers.
std::string authorised_view(const Asking& asking, const catalog::Dataset& dataset, policy::Action action,
                            const std::string& purpose);

}  // namespace jw::differential
