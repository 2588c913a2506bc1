// A compiled query: one statement and how to read its rows. Depends on shapes only; shared by everybody with the same
// shapes.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "kernel/query/api.hpp"

namespace jw::query {

// kFewPersons; another number where nobody has ten persons: the differential test.
inline int64_t few_persons = kFewPersons;

// How a cell becomes JSON.
struct Printed {
  catalog::Type type = catalog::Type::text;
  int places = 0;
};
void append_cell(std::string& out, const db::Rows& rows, size_t column, const Printed& printed);

struct OutColumn {
  int field = -1;
  size_t column = 0;  // of the statement
  int mark = -1;      // column that says 0 clear, 1 masked, 2 hidden; -1 = the same on all rows
  Printed printed;
};

// One part of a measure as the statement returns it; the engine folds and divides.
struct MeasureColumns {
  size_t first = 0;   // count: n; sum, avg: sum; share: hits; min, max: value; counted by value: the value itself
  size_t second = 0;  // avg: how many are not NULL
  Printed printed;    // of the answer
};

// A field of an answer that is not clear on all rows, or is left out because it is closed.
struct HiddenField {
  int field = -1;
  enum class How : uint8_t { varies, masked, closed } how = How::closed;
};

struct Plan {
  std::string sql;
  db::ReachPtr reach;  // all that the statement may read
  std::vector<policy::Slot> slots;
  std::string digest;  // hex, for the record
  // The gate stands in column 0.
  std::vector<OutColumn> out;
  std::string columns_json;
  std::vector<HiddenField> hidden;
  int person = -1, group = -1;  // columns for who-read-me; -1 = not needed
  bool about_others = false;    // rows are about persons, others than the asker among them
  std::vector<size_t> cursor;   // columns of the order keys, then the row id
  // Statistics.
  std::vector<OutColumn> groups;
  std::vector<size_t> values;  // further grouped columns: counts by value (median, stddev, histogram, count_distinct)
  std::vector<MeasureColumns> measures;
  size_t count = 0;  // column of COUNT(*)
  // Of whom the numbers tell one by one (`person` and `group` of this plan), for who-read-me: the persons of groups,
  // and of parts of groups of which a measure tells, that are no more than few_persons. nullptr when nobody else than
  // the asker is told of.
  std::shared_ptr<const Plan> few;
};

// Page token content: the order keys of the last row and its id.
struct Cursor {
  std::vector<catalog::Value> values;
};

struct Compiler {
  const catalog::Catalogue& catalogue;
  const policy::Regulation& regulation;
  db::Dialect dialect;
};

// Text on which everything of a plan but the page token's NULLs depends: equal texts, equal plans (design §5).
std::string shape_of(const Query& query, const policy::Decision& decision);

// `cursor`: which of the order keys are NULL in the page token; empty when there is none.
Result<std::shared_ptr<const Plan>> compile(const Compiler& compiler, const Query& query,
                                            const policy::Decision& decision, const std::vector<bool>& cursor_nulls,
                                            bool has_cursor);

// What the statement of this query needs to read, found without looking at its text.
db::ReachPtr reach_of(const catalog::Catalogue& catalogue, const Query& query, const policy::Decision& decision);

// {"field":{sight, reason, remedy},…}: in the words of this decision, as plans are shared by people whose grants have
// the same shape and other names.
std::string hidden_json(const policy::Decision& decision, const Plan& plan);

// The gate alone: (epoch) when the session is live, NULL otherwise.
std::string gate_sql(policy::Statement& statement);

// Statistics: folds the statement's rows into the answer's rows, orders, limits, prints.
struct Statistics {
  std::string rows_json;
  int64_t rows = 0;
  int64_t groups = 0;          // all of them, on whatever page
  std::optional<Cursor> last;  // of this page, when there is a further one
};
// Refusals: query.too_many_groups, query.too_heavy (413; more memory than `bytes_most`), query.measure_too_large (422).
// `after`: the last line of the page before; nullptr: the first page.
Result<Statistics> fold(const Query& query, const Plan& plan, db::Rows& rows, bool first_row_read, int64_t bytes_most,
                        const Cursor* after);
Refusal too_heavy();

}  // namespace jw::query
