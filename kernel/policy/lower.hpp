// Lowering conditions and permissions to SQL (governance §3.2–3.4).
//
// Meaning: every leaf but is_null is *unknown* on NULL. T(φ) is true where φ is definitely true, F(φ) where it is
// definitely false; NOT is pushed to the leaves and never printed. The text depends on shapes only: every value is a
// slot bound later.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "kernel/catalog/api.hpp"
#include "kernel/policy/regulation.hpp"

namespace jw::policy {

// Where a bound value comes from at execution.
struct Slot {
  enum class Kind : uint8_t { person, session, now, today, years_ago, query_literal, policy_literal, cursor, limit };
  Kind kind;
  int64_t index = 0;  // person: 0 the asker, 1 Binding::other; years_ago: years; literals: ordinal; cursor: ordinal
  bool operator==(const Slot&) const = default;
};

// A predicate as SQL, constants folded.
struct Predicate {
  enum class Truth : uint8_t { never, always, depends };
  Truth truth = Truth::never;
  std::string sql;  // when depends; always safe to combine (atomic or parenthesised)

  static Predicate never() { return {}; }
  static Predicate always() { return {Truth::always, {}}; }
  static Predicate depends(std::string text) { return {Truth::depends, std::move(text)}; }
  bool is_never() const { return truth == Truth::never; }
  bool is_always() const { return truth == Truth::always; }
  std::string text() const;  // "1=1" / "1=0" when constant
  bool operator==(const Predicate&) const = default;
};
Predicate all_of(const std::vector<Predicate>& parts);
Predicate any_of(const std::vector<Predicate>& parts);

// One value of a condition: integer, text, or a set written as JSON array text.
using Literal = catalog::Value;
void collect_literals(const catalog::Condition& condition, std::vector<Literal>& out);
size_t literal_count(const catalog::Condition& condition);
// Canonical text of a condition's shape: everything but the values. Shapes are keys of plans, so two may only be equal
// when what they stand for is: every number ends and every name says its length, or those side by side run together.
void append_number(std::string& shape, int64_t number);
void append_name(std::string& shape, std::string_view name);
void append_shape(std::string& out, const catalog::Condition& condition);

class Statement;

// A dataset standing in FROM under an alias, with the joins its refs and lookups need.
class Frame {
 public:
  Frame(Statement& statement, const catalog::Dataset& dataset, std::string alias);
  const catalog::Dataset& dataset() const { return *dataset_; }
  const std::string& alias() const { return alias_; }
  // Alias of the dataset reached over these ref fields; joins are added once each. An empty path is the frame's own
  // alias.
  const std::string& join(const std::vector<int>& path);
  // Its rows come from elsewhere: `source` has the columns of the dataset's table.
  void from(std::string source) { source_ = std::move(source); }
  // Only rows whose `expression` is an id of `select` (each there once), and the search begins there.
  void begin_with(std::string select, std::string expression) { first_ = {std::move(select), std::move(expression)}; }
  // `"d" t LEFT JOIN … ON …`
  std::string from_sql() const;

 private:
  struct Join {
    std::string alias, sql;
    bool certain = false;  // the row is there
  };
  Statement* statement_;
  const catalog::Dataset* dataset_;
  std::string alias_, source_;
  std::map<std::vector<int>, Join> joins_;
  std::vector<const Join*> order_;
  // Ids, and what must be one of them; empty when the search begins anywhere.
  std::pair<std::string, std::string> first_;
};

// One place in a frame: the row itself, or the row reached over refs. Conditions over that row's dataset are lowered
// there.
struct Place {
  Frame* frame;
  std::vector<int> path;
};

// Whether a cell is text as a person reads it: a ref is the natural key of its row.
constexpr bool reads_as_text(catalog::Type type) {
  using catalog::Type;
  return type == Type::text || type == Type::code || type == Type::date || type == Type::ref;
}

// Text and slots of one statement in the making.
class Statement {
 public:
  Statement(const catalog::Catalogue& catalogue, const Regulation& regulation, db::Dialect dialect)
      : catalogue_(catalogue), regulation_(&regulation), dialect_(dialect) {}

  // From now on "me" is this person (an SQL expression; empty: the asker), and settings are those of this regulation:
  // one statement may compare what two persons, or one person under two regulations, may see.
  void speak_for(const Regulation& regulation, std::string person = {}) {
    regulation_ = &regulation;
    person_ = std::move(person);
  }

  // From now on these datasets are as they stood before the batch (an SQL expression) that is writing them: what it
  // writes ties no row to anybody and opens nothing.
  void look_past(std::string batch, std::set<int> datasets) {
    batch_ = std::move(batch);
    past_ = std::move(datasets);
  }
  bool looks_past() const { return !past_.empty(); }

  const catalog::Catalogue& catalogue() const { return catalogue_; }
  db::Dialect dialect() const { return dialect_; }
  bool postgres() const { return dialect_ == db::Dialect::postgres; }
  // Where the rows of a dataset stand, for FROM.
  std::string table(const catalog::Dataset& dataset) const;
  // SELECT "id" FROM … WHERE, for a set of rows of a dataset.
  std::string ids_where(const catalog::Dataset& dataset) const;
  std::string slot(Slot slot);  // "$3"; the same slot gets the same number
  const std::vector<Slot>& slots() const { return slots_; }
  std::string new_alias(const char* prefix);

  // Stored value of a field (own or lookup) at a place: `t."score"`; for a ref the row id.
  std::string stored(const Place& place, int field);
  // What a person reads: as stored, but for a ref the natural key of the row it points to.
  std::string shown(const Place& place, int field);
  std::string sort_key(const Place& place, int field);  // shown, or the stored pinyin key
  std::string masked(const Place& place, int field);    // the field's mask over shown
  std::string row_id(const Place& place);               // id of the row at the place
  std::string person_id(const Place& place);            // person of the person row at the place

  // T(condition) when positive, else F(condition). `literals` is the kind of its literal slots and the ordinal of its
  // first literal; it is moved past the literals of this condition. `printed`: the condition is the catalogue's own
  // (relations, posts): its values are part of the text.
  struct Literals {
    Slot::Kind kind;
    int64_t next;
    bool printed = false;
  };
  // `guard(field)`: when the cell is seen in clear; left out in permissions, which see everything.
  using Guard = std::function<Predicate(int field)>;
  Predicate lower(const Place& place, const catalog::Condition& condition, bool positive, Literals& literals,
                  const Guard& guard = {});
  // Rows tied by a relation: T when positive, else F. `alone`: no other permit opens rows, so the statement may begin
  // with the rows of the person.
  Predicate tied(const Place& place, const catalog::Binding& binding, bool positive, bool alone = false);
  // Rows of an atom: T when positive, else F.
  Predicate rows(const Place& place, const Atom& atom, bool positive, Literals literals, bool alone = false);

  // expr IN (subselect of ids): the form each store is fast with.
  std::string member(const std::string& expression, const std::string& select, bool positive) const;

 private:
  Predicate leaf(const Place& place, const catalog::Condition& leaf, bool positive, Literals& literals);
  Predicate compare(const Place& place, const catalog::Condition& leaf, bool positive, Literals& literals);
  Predicate set_member(const Place& place, const catalog::Condition& leaf, bool positive, Literals& literals);
  std::string relation_select(int relation, bool positive);
  Place ref_place(const Place& place, int field) const;  // the row that a ref field (own or lookup) points to
  // `sql` about the row at a place that is reached over joins.
  Predicate joined(const Place& place, std::string sql, bool positive) const;
  std::string value(const catalog::Condition& leaf, size_t i, Literals& literals);
  const catalog::Dataset& dataset_at(const Place& place) const;

  std::string me() { return person_.empty() ? slot({Slot::Kind::person}) : person_; }

  const catalog::Catalogue& catalogue_;
  const Regulation* regulation_;
  db::Dialect dialect_;
  std::string person_, batch_;
  std::set<int> past_;
  std::vector<Slot> slots_;
  int aliases_ = 0;
};

}  // namespace jw::policy
