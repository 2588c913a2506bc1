// The catalogue: all the program knows of data (design §3, docs/catalogue.md). Loaded once, immutable, shared by all
// threads. Everything is resolved at loading: names became indexes, so that nothing is looked up by text afterwards.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "platform/db/api.hpp"

namespace jw::catalog {

enum class Type : uint8_t { text, integer, decimal, date, timestamp, boolean, weeks, code, ref };
enum class Level : uint8_t { open = 1, internal = 2, sensitive = 3, important = 4 };

// How a cell appears to someone whose permit says masked. Keeps the stored kind (text stays text, integers integers).
struct Mask {
  enum class Kind : uint8_t { none, keep_last, keep_first, surname, year, phone, email, id_number, bucket };
  Kind kind = Kind::none;  // none: a masked cell shows nothing
  int64_t n = 0;           // keep_last, keep_first: code points; bucket: width in stored units (decimal: scaled)
  bool operator==(const Mask&) const = default;
};

// A value as it is stored: integers for int, decimal (scaled), bool, weeks (bit 0 = week 1), timestamp (µs), ref (row
// id); text for text, code, date ("YYYY-MM-DD"). monostate = NULL.
using Value = std::variant<std::monostate, int64_t, std::string>;

// A value on its way into a statement (borrowed), and out of an answer.
db::Param param_of(const Value& value);
Value value_of(const db::Rows& rows, size_t column);

struct Dataset;
class Pattern;  // a pattern made ready once

struct Field {
  std::string name;
  Text label;
  Type type = Type::text;
  int size = 0;       // text: most code points; decimal: places
  int code_set = -1;  // index into Catalogue::code_sets
  int ref = -1;       // index into Catalogue::datasets
  bool required = false;
  Level level = Level::internal;
  Mask mask;
  std::string standard, example, header, pattern;
  std::shared_ptr<const Pattern> matcher;  // of `pattern`, made by the loader; nullptr when there is none
  std::optional<Text> help;
  std::optional<int64_t> min, max;  // stored units; dates: days since 1970-01-01
  int weekday = 0;                  // dates: the only weekday it may be, 1 Monday … 7 Sunday; 0 = any
  bool pinyin = false;              // has a stored sort key in column `<name>_sort`
  // A lookup is borrowed along refs: own ref field, then ref fields of each dataset reached; `target` is the field of
  // the last one. Type, size, code_set, ref, pinyin are the target's. Empty path = a field of the dataset itself.
  std::vector<int> path;
  int target = -1;
  bool is_lookup() const { return !path.empty(); }
};

enum class Op : uint8_t { eq, ne, lt, le, gt, ge, between, in, contains, starts, is_null };
std::string_view op_name(Op op);
std::optional<Op> op_named(std::string_view name);
// Operators that make sense for a field: equality and is_null for all; in for all but bool and weeks; order for all but
// bool and weeks (a ref by natural key, a code by its code); contains and starts for text, code, ref.
std::vector<Op> ops_of(const Field& field);
std::string_view type_name(Type type);  // "text", "int", "decimal", …

// A condition of the query language (design §5); the same tree serves queries, permits, relations, posts and checks.
struct Condition {
  enum class Kind : uint8_t { all, any, negation, leaf };
  enum class Source : uint8_t {
    literal,            // values[0…]
    me,                 // the ref (or the row itself when field = kRowId) is a person row of whoever asks
    today,              // compare with today
    today_minus_years,  // compare with today minus setting `name` years
    relation,           // the ref is a member of relation `name`
    other_field,        // compare with field `other` of the same row (checks only)
  };
  static constexpr int kRowId = -1;

  Kind kind = Kind::all;
  std::vector<Condition> parts;  // all, any, negation (one)
  int field = kRowId;            // leaf: index into Dataset::fields
  Op op = Op::eq;
  Source source = Source::literal;
  std::vector<Value> values;  // literal: eq… one, between two, in any number, is_null one (1 = is null, 0 = is not
                              // null) a ref is compared by the natural key (text) of the dataset it points to
  std::string name;           // setting or relation
  int other = -1;
  bool operator==(const Condition&) const = default;
};

struct Check {
  Condition must;  // not definitely false for every row
  Text text;
};

// Rows that exclude each other: of one `of` (a ref), no two with different ones of `values` in `field` may hold on one
// day (§4.3.2: nobody holds two of the three administrators' posts). Checked when a batch is finished.
struct Apart {
  int field = -1, of = -1, begins = -1, ends = -1;  // ends may be NULL: it lasts
  std::vector<std::string> values;
  Text text;
};

// How rows of a dataset are tied to a relation's set: hops over ref fields from the row; empty = the row itself.
struct Binding {
  int relation = -1;      // index into Catalogue::relations
  std::vector<int> path;  // field indexes: own ref field, then ref fields of each dataset reached
};

struct SortKey {
  int field;
  bool descending;
};

struct Dataset {
  int index = -1;
  std::string name, file;
  Text label;
  std::string module;
  std::string owner_unit, owner_post;
  // Of being in it at all: that somebody was warned or sanctioned is told by the row, whatever fields are shown.
  Level level = Level::open;
  bool person = false;  // rows are persons: has column person_id
  // store = "kernel": the table is made by a migration and written by the kernel's own acts (cases, grants), never by a
  // batch; each row has person_id (may be NULL). store = "record": such a table too, in the record: record.<name>.
  bool by_kernel = false;
  bool in_record = false;
  bool clustered = false;
  std::vector<int> key;    // field indexes of the natural key
  std::vector<int> about;  // path of ref fields to the person row a row is about; see has_subject
  int group = -1;  // datasets of persons: the ref (class, unit) by which answers about many persons are recorded
  bool has_subject = false;  // about given; empty path = the row itself is the person
  // Its rows tell of persons by a subject, a ref to one, or as the program's own rows about somebody (cases, grants):
  // what nobody reads of others before the agreement is signed (§4.3.3).
  bool tells_of_persons = false;
  std::vector<SortKey> order;  // left out in the file: the key, ascending
  std::vector<int> show;       // left out in the file: every field
  std::vector<std::vector<int>> indexes;
  std::vector<Field> fields;  // own fields in file order, then lookups
  std::vector<Binding> bindings;
  std::vector<Check> checks;
  std::vector<Apart> aparts;

  int field(std::string_view field_name) const;  // index, or -1
  const Binding* binding(int relation) const;    // nullptr when rows are not tied by that relation
};

// How much care (§2.4.3) what is shown of a dataset asks for: the highest of the dataset's own level, of the fields
// shown, and of every field that a condition on the rows asks for, since who is on such a list is told by it.
Level level_of(const Dataset& dataset, const std::vector<int>& shown, const std::vector<Condition>& conditions);

struct Relation {
  std::string name;
  Text label;
  int of = -1;      // dataset whose row ids the set holds; -1 = persons ("self")
  int from = -1;    // dataset the set is selected from
  int select = -1;  // its field: a ref(of), or Condition::kRowId
  Condition where;
  bool everyone = false;  // the same set whoever asks: narrows what a grant opens, never ties rows to a person
};

struct Code {
  std::string code;
  Text name;
  bool ext = false;
  std::string parent, valid_from, valid_until;
};

struct CodeSet {
  std::string name;
  Text label;
  std::string standard;
  std::vector<Code> codes;
  bool made = false;  // its codes are the program's own: given to load(), not written in the file
  const Code* find(std::string_view code) const;
};

struct Module {
  std::string name;
  Text label;
  std::string icon;
};

struct Catalogue {
  std::vector<Dataset> datasets;  // in order of name
  std::vector<Relation> relations;
  std::vector<CodeSet> code_sets;
  std::vector<Module> modules;
  std::string digest;  // hex SHA-256 over everything that shapes tables and meaning; held by the store
                       // (kernel/catalog/schema.hpp)

  const Dataset* find(std::string_view dataset) const;
  int relation(std::string_view name) const;  // index or -1
  int code_set(std::string_view name) const;
};

// What is wrong in a file, and what would be right.
struct FileProblem {
  std::string file;
  int line = 0;
  Text text;
  std::string print() const;  // "catalog/grade.toml:12: …中文… / …English…"
};
std::string print(std::string head, const std::vector<FileProblem>& problems);  // each on a line below

// Reads HOME/catalog. All problems of all files at once; a catalogue with a problem is not loaded.
// `made`: the code sets that the program brings, by name; a set whose file says made = true and that is not among them
// has no codes, and any text is taken for one.
std::variant<Catalogue, std::vector<FileProblem>> load(const std::filesystem::path& home,
                                                       std::span<const CodeSet> made = {});

// ---- values ---------------------------------------------------------------------------------------------------------
// From what a person or a file gives (text as typed: "87.5", "2025-09-01", "是", "1-8,10", a code or its name when
// unambiguous) to the stored value, checked for type, length, range, pattern and code set. A ref gives the natural key
// as text: resolving it to a row is the caller's. Empty text is NULL (refused when required).
Result<Value> parse_value(const Catalogue& catalogue, const Field& field, std::string_view text);
// Only the kind of value: what a query may compare with need not be a value that the field may hold (score lt 101).
Result<Value> parse_literal(const Catalogue& catalogue, const Field& field, std::string_view text);
// A number by its value: -12.50 with 1 place is -125; more places than asked for only when they are zero.
std::optional<int64_t> parse_decimal(std::string_view text, int places);
// What is wrong with the weekday of a date, in words that follow the field's label; nullopt when it may be that day.
std::optional<Text> wrong_weekday(const Field& field, Date date);
// Stored value of a ref, code, text … as JSON text / as a person reads it. `value` of a ref is its natural key.
void append_json(std::string& out, const Field& field, const Value& value);
std::string print_value(const Catalogue& catalogue, const Field& field, const Value& value, bool zh);

// Set of weeks, 1 to 60: bit 0 = week 1. "1-8,10,12" in the canonical form. The one reader of weeks: 第, 周, 单, 双,
// brackets, blanks and the dashes and commas of the trade are read by the grammar in weeks.cpp; nullopt when any part
// of the text has no place in it or means no week. `counted`: 周, or another unit counted so (节 of a day).
std::optional<int64_t> parse_weeks(std::string_view text, char32_t counted = U'周');
std::string print_weeks(int64_t weeks);

// The mask applied to a stored value; the reference for the SQL form made by kernel/query.
Value apply_mask(const Field& field, const Value& value);

}  // namespace jw::catalog
