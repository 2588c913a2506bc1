#include "kernel/policy/lower.hpp"

#include "base/fault.hpp"
#include "base/json.hpp"
#include "kernel/catalog/schema.hpp"

namespace jw::policy {

using catalog::Condition;
using catalog::Dataset;
using catalog::Field;
using catalog::Op;
using catalog::Type;

// ---- predicates
// -------------------------------------------------------------------------------------------------------

std::string Predicate::text() const {
  switch (truth) {
    case Truth::never:
      return "1=0";
    case Truth::always:
      return "1=1";
    case Truth::depends:
      break;
  }
  return sql;
}

namespace {

Predicate join_parts(const std::vector<Predicate>& parts, bool all) {
  std::vector<std::string> texts;
  for (const Predicate& part : parts) {
    if (all ? part.is_never() : part.is_always()) return part;
    if (part.truth != Predicate::Truth::depends) continue;
    if (std::find(texts.begin(), texts.end(), part.sql) == texts.end()) texts.push_back(part.sql);
  }
  if (texts.empty()) return all ? Predicate::always() : Predicate::never();
  if (texts.size() == 1) return Predicate::depends(texts.front());
  std::string sql = "(";
  for (const std::string& text : texts) {
    if (sql.size() > 1) sql += all ? " AND " : " OR ";
    sql += text;
  }
  return Predicate::depends(sql + ")");
}

}  // namespace

Predicate all_of(const std::vector<Predicate>& parts) {
  return join_parts(parts, true);
}
Predicate any_of(const std::vector<Predicate>& parts) {
  return join_parts(parts, false);
}

// ---- literals and shapes
// ----------------------------------------------------------------------------------------------

namespace {

bool has_literals(const Condition& leaf) {
  return leaf.source == Condition::Source::literal && leaf.op != Op::is_null;
}

std::string json_array(const std::vector<catalog::Value>& values) {
  std::string out;
  JsonWriter json(out);
  json.array();
  for (const catalog::Value& value : values) {
    if (const auto* number = std::get_if<int64_t>(&value)) {
      json.value(*number);
    } else if (const auto* text = std::get_if<std::string>(&value)) {
      json.value(*text);
    }
  }
  json.end_array();
  return out;
}

}  // namespace

void collect_literals(const Condition& condition, std::vector<Literal>& out) {
  for (const Condition& part : condition.parts) collect_literals(part, out);
  if (condition.kind != Condition::Kind::leaf || !has_literals(condition)) return;
  if (condition.op == Op::in) {
    out.emplace_back(json_array(condition.values));
  } else {
    for (const catalog::Value& value : condition.values) out.push_back(value);
  }
}

size_t literal_count(const Condition& condition) {
  size_t count = 0;
  for (const Condition& part : condition.parts) count += literal_count(part);
  if (condition.kind == Condition::Kind::leaf && has_literals(condition)) {
    count += condition.op == Op::in ? 1 : condition.values.size();
  }
  return count;
}

void append_number(std::string& shape, int64_t number) {
  shape += std::to_string(number);
  shape += '.';
}

void append_name(std::string& shape, std::string_view name) {
  append_number(shape, static_cast<int64_t>(name.size()));
  shape += name;
}

void append_shape(std::string& out, const Condition& condition) {
  append_number(out, static_cast<int>(condition.kind));
  if (condition.kind != Condition::Kind::leaf) {
    append_number(out, static_cast<int64_t>(condition.parts.size()));
    for (const Condition& part : condition.parts) append_shape(out, part);
    return;
  }
  append_number(out, condition.field);
  append_number(out, static_cast<int>(condition.op));
  append_number(out, static_cast<int>(condition.source));
  append_name(out, condition.name);
  append_number(out, condition.other);
  const bool is_null = condition.values.empty() || condition.values[0] == catalog::Value{int64_t{1}};
  append_number(out, condition.op == Op::is_null && is_null);
}

// ---- frames
// -----------------------------------------------------------------------------------------------------------

Frame::Frame(Statement& statement, const Dataset& dataset, std::string alias)
    : statement_(&statement), dataset_(&dataset), alias_(std::move(alias)) {}

const std::string& Frame::join(const std::vector<int>& path) {
  if (path.empty()) return alias_;
  const auto known = joins_.find(path);
  if (known != joins_.end()) return known->second.alias;
  const std::vector<int> parent_path(path.begin(), path.end() - 1);
  const std::string parent = join(parent_path);
  const Dataset* dataset = dataset_;
  for (int hop : parent_path) {
    dataset =
        &statement_->catalogue().datasets.at(static_cast<size_t>(dataset->fields.at(static_cast<size_t>(hop)).ref));
  }
  const Field& ref = dataset->fields.at(static_cast<size_t>(path.back()));
  const Dataset& reached = statement_->catalogue().datasets.at(static_cast<size_t>(ref.ref));
  // A required ref of the store's own tables leads somewhere (NOT NULL, foreign key), so PostgreSQL may take it first
  // or last as it likes. SQLite keeps the order written, which a LEFT JOIN makes sure of.
  Join join;
  join.alias = statement_->new_alias("j");
  // Looking past a batch, nothing is certain: the row may be one that the batch adds.
  join.certain = statement_->postgres() && !statement_->looks_past() && ref.required && !dataset->by_kernel &&
                 (parent_path.empty() || joins_.at(parent_path).certain);
  join.sql = (join.certain ? " JOIN " : " LEFT JOIN ") + statement_->table(reached) + " " + join.alias + " ON " +
             join.alias + ".\"id\" = " + parent + "." + catalog::column_name(ref);
  const auto placed = joins_.emplace(path, std::move(join)).first;
  order_.push_back(&placed->second);  // references into a map stay valid
  return placed->second.alias;
}

std::string Frame::from_sql() const {
  std::string sql = (source_.empty() ? statement_->table(*dataset_) : source_) + " " + alias_;
  if (!first_.first.empty()) sql = "(" + first_.first + ") own JOIN " + sql + " ON " + first_.second + " = own.\"id\"";
  for (const Join* join : order_) sql += join->sql;
  return sql;
}

// ---- statements
// -------------------------------------------------------------------------------------------------------

std::string Statement::slot(Slot slot) {
  for (size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i] == slot) return "$" + std::to_string(i + 1);
  }
  slots_.push_back(slot);
  return "$" + std::to_string(slots_.size());
}

std::string Statement::table(const Dataset& dataset) const {
  if (JW_FAULT(51, !past_.contains(dataset.index), true)) return catalog::table_name(dataset);
  std::string columns = "\"id\"";
  if (dataset.person) columns += ", \"person_id\"";
  for (const Field& field : dataset.fields) {
    if (field.is_lookup()) break;
    columns += ", " + catalog::column_name(field);
    if (field.pinyin) columns += ", \"" + field.name + "_sort\"";
  }
  const std::string others = "\"batch_id\" <> " + batch_;
  const std::string kept = " UNION ALL SELECT " + columns + " FROM " + catalog::history_name(dataset) +
                           " WHERE \"ended_batch_id\" = " + batch_ + JW_FAULT(53, " AND " + others, std::string());
  return "(SELECT " + columns + " FROM " + catalog::table_name(dataset) + " WHERE " + others +
         JW_FAULT(52, kept, std::string()) + ")";
}

std::string Statement::ids_where(const Dataset& dataset) const {
  return "SELECT \"id\" FROM " + table(dataset) + (past_.contains(dataset.index) ? " past" : "") + " WHERE ";
}

std::string Statement::new_alias(const char* prefix) {
  return prefix + std::to_string(++aliases_);
}

const Dataset& Statement::dataset_at(const Place& place) const {
  const Dataset* dataset = &place.frame->dataset();
  for (int hop : place.path) {
    dataset = &catalogue_.datasets.at(static_cast<size_t>(dataset->fields.at(static_cast<size_t>(hop)).ref));
  }
  return *dataset;
}

namespace {

// Where the cell of a field really stands: the place of its row and its index there (a lookup stands where its path
// leads).
struct Cell {
  Place place;
  int field;
};

Cell cell_of(const Place& place, const Dataset& dataset, int field) {
  const Field& f = dataset.fields.at(static_cast<size_t>(field));
  Cell cell{place, field};
  if (f.is_lookup()) {
    cell.place.path.insert(cell.place.path.end(), f.path.begin(), f.path.end());
    cell.field = f.target;
  }
  return cell;
}

}  // namespace

std::string Statement::stored(const Place& place, int field) {
  const Cell cell = cell_of(place, dataset_at(place), field);
  const Field& f = dataset_at(cell.place).fields.at(static_cast<size_t>(cell.field));
  return cell.place.frame->join(cell.place.path) + "." + catalog::column_name(f);
}

std::string Statement::shown(const Place& place, int field) {
  Cell cell = cell_of(place, dataset_at(place), field);
  const Field& f = dataset_at(cell.place).fields.at(static_cast<size_t>(cell.field));
  if (f.type != Type::ref) return cell.place.frame->join(cell.place.path) + "." + catalog::column_name(f);
  const Dataset& target = catalogue_.datasets.at(static_cast<size_t>(f.ref));
  cell.place.path.push_back(cell.field);
  return cell.place.frame->join(cell.place.path) + "." +
         catalog::column_name(target.fields.at(static_cast<size_t>(target.key.front())));
}

std::string Statement::sort_key(const Place& place, int field) {
  const Cell cell = cell_of(place, dataset_at(place), field);
  const Field& f = dataset_at(cell.place).fields.at(static_cast<size_t>(cell.field));
  if (!f.pinyin) return shown(place, field);
  return cell.place.frame->join(cell.place.path) + ".\"" + f.name + "_sort\"";
}

Place Statement::ref_place(const Place& place, int field) const {
  Cell cell = cell_of(place, dataset_at(place), field);
  cell.place.path.push_back(cell.field);
  return cell.place;
}

std::string Statement::row_id(const Place& place) {
  if (place.path.empty()) return place.frame->alias() + ".\"id\"";
  // Looking past a batch, a reference may lead to a row that was not there: its id is that of no row, not the
  // reference.
  if (JW_FAULT(54, looks_past(), false)) return place.frame->join(place.path) + ".\"id\"";
  Place parent = place;
  const int ref = parent.path.back();
  parent.path.pop_back();
  return stored(parent, ref);
}

std::string Statement::person_id(const Place& place) {
  return place.frame->join(place.path) + ".\"person_id\"";
}

std::string Statement::masked(const Place& place, int field) {
  const Field& f = dataset_at(place).fields.at(static_cast<size_t>(field));
  const std::string x = shown(place, field);
  const std::string n = std::to_string(f.mask.n);
  // k asterisks; k is an integer expression >= 0
  const auto stars = [&](const std::string& k) {
    return postgres() ? "repeat('*', " + k + ")" : "replace(hex(zeroblob(" + k + ")), '00', '*')";
  };
  const std::string length = "length(" + x + ")";
  const auto first = [&](const std::string& count) { return "substr(" + x + ", 1, " + count + ")"; };
  const auto from = [&](const std::string& position) { return "substr(" + x + ", " + position + ")"; };
  const auto last = [&](const std::string& count) { return from(length + " - " + count + " + 1"); };
  const auto position_of = [&](const char* c) { return (postgres() ? "strpos(" : "instr(") + x + ", '" + c + "')"; };
  const auto keep_last = [&](const std::string& count) {
    return "CASE WHEN " + length + JW_FAULT(12, " <= ", " < ") + count + " THEN " + stars(length) + " ELSE " +
           stars(length + " - " + count) + " || " + last(count) + " END";
  };
  const auto keep_first = [&](const std::string& count) {
    return "CASE WHEN " + length + " <= " + count + " THEN " + stars(length) + " ELSE " + first(count) + " || " +
           stars(length + " - " + count) + " END";
  };
  switch (f.mask.kind) {
    case catalog::Mask::Kind::none:
      return "NULL";
    case catalog::Mask::Kind::keep_last:
      return "(" + keep_last(n) + ")";
    case catalog::Mask::Kind::id_number:
      return "(" + keep_last("4") + ")";
    case catalog::Mask::Kind::keep_first:
      return "(" + keep_first(n) + ")";
    case catalog::Mask::Kind::surname:
      return "(" + keep_first("1") + ")";
    case catalog::Mask::Kind::year:
      return "(" + first("4") + " || '-**-**')";
    case catalog::Mask::Kind::phone: {
      const std::string dash = position_of("-");
      return "(CASE WHEN " + length + " = 11 AND " + dash + " = 0 THEN " + first("3") + " || '****' || " + last("4") +
             " WHEN " + dash + " BETWEEN 2 AND 5 AND " + length + " > " + dash + " + 2 THEN " + first(dash) + " || " +
             stars(length + " - " + dash + " - 2") + " || " + last("2") + " ELSE " + keep_last("2") + " END)";
    }
    case catalog::Mask::Kind::email: {
      const std::string at = position_of("@");
      return "(CASE WHEN " + at + " <= 1 THEN '***' WHEN " + at + " > 2 THEN " + first("1") + " || '***' || " +
             from(at) + " ELSE '***' || " + from(at) + " END)";
    }
    case catalog::Mask::Kind::bucket:
      return "(" + x + " - ((" + x + " % " + n + ")" + JW_FAULT(13, " + " + n, "") + ") % " + n + ")";
  }
  return "NULL";
}

std::string Statement::member(const std::string& expression, const std::string& select, bool positive) const {
  // NULL is in no set known and out of no set known; without saying so an empty set would make NOT IN true of it.
  const std::string head = positive ? "(" : JW_FAULT(6, "(" + expression + " IS NOT NULL AND ", "(");
  if (postgres()) return head + expression + (positive ? " = ANY(ARRAY(" : " <> ALL(ARRAY(") + select + ")))";
  return head + expression + (positive ? " IN (" : " NOT IN (") + select + "))";
}

Predicate Statement::joined(const Place& place, std::string sql, bool positive) const {
  // A row that is not there ties to nothing. Saying so lets SQLite turn the LEFT JOIN into a plain one and drive the
  // search from the set.
  if (!positive || place.path.size() < 2) return Predicate::depends(std::move(sql));
  const std::vector<int> holder(place.path.begin(), place.path.end() - 1);
  return Predicate::depends("(" + place.frame->join(holder) + ".\"id\" IS NOT NULL AND " + sql + ")");
}

// ---- relations
// --------------------------------------------------------------------------------------------------------

std::string Statement::relation_select(int relation, bool positive) {
  const catalog::Relation& r = catalogue_.relations.at(static_cast<size_t>(relation));
  Frame frame(*this, catalogue_.datasets.at(static_cast<size_t>(r.from)), new_alias("r"));
  const Place place{&frame, {}};
  const std::string selected = r.select == Condition::kRowId ? row_id(place) : stored(place, r.select);
  Literals printed{Slot::Kind::policy_literal, 0, true};
  const Predicate where = lower(place, r.where, positive, printed);
  std::string condition;
  if (positive) {
    condition = where.text();
  } else {
    // F(x in S): x is certainly in no row that might belong to S.
    condition = selected + " IS NOT NULL AND (" + where.text() + JW_FAULT(5, ") IS NOT TRUE", ") = (1=0)");
  }
  return "SELECT " + selected + " FROM " + frame.from_sql() + " WHERE " + condition;
}

Predicate Statement::tied(const Place& place, const catalog::Binding& binding, bool positive, bool alone) {
  Place end = place;
  end.path.insert(end.path.end(), binding.path.begin(), binding.path.end());
  const catalog::Relation& relation = catalogue_.relations.at(static_cast<size_t>(binding.relation));
  if (relation.of < 0) {
    const Dataset& persons = dataset_at(end);
    if (end.path.empty()) {
      return Predicate::depends("(" + person_id(end) + (positive ? " = " : " <> ") + me() + ")");
    }
    const std::string id = row_id(end), own = ids_where(persons) + "\"person_id\" = " + me();
    // PostgreSQL takes any array for ten ids and then reads whole tables to join them. A person's rows joined first it
    // counts rightly, and they stay first however many joins follow (beyond join_collapse_limit it keeps the order).
    if (alone && positive && postgres() && end.path.size() == 1) {
      place.frame->begin_with(own, id);
      return Predicate::depends("TRUE");
    }
    return Predicate::depends(member(id, own, positive));
  }
  return joined(end, member(row_id(end), relation_select(binding.relation, positive), positive), positive);
}

Predicate Statement::rows(const Place& place, const Atom& atom, bool positive, Literals literals, bool alone) {
  switch (atom.rows) {
    case Atom::Rows::all:
      return positive ? Predicate::always() : Predicate::never();
    case Atom::Rows::relation: {
      const catalog::Binding* binding = dataset_at(place).binding(atom.relation);
      // A relation that does not tie this dataset yields nothing: no permit, and a forbid that forbids everything.
      if (binding == nullptr) return Predicate::never();
      const Predicate by_relation = tied(place, *binding, JW_FAULT(11, positive, true), alone);
      if (JW_FAULT(49, !atom.narrowed, true)) return by_relation;
      const std::vector<Predicate> parts{by_relation, lower(place, atom.where, positive, literals)};
      return positive ? all_of(parts) : any_of(parts);
    }
    case Atom::Rows::where:
      return lower(place, atom.where, positive, literals);
  }
  return Predicate::never();
}

// ---- conditions
// -------------------------------------------------------------------------------------------------------

Predicate Statement::lower(const Place& place, const Condition& condition, bool positive, Literals& literals,
                           const Guard& guard) {
  switch (condition.kind) {
    case Condition::Kind::all:
    case Condition::Kind::any: {
      std::vector<Predicate> parts;
      for (const Condition& part : condition.parts) parts.push_back(lower(place, part, positive, literals, guard));
      return (condition.kind == Condition::Kind::all) == JW_FAULT(1, positive, true) ? all_of(parts) : any_of(parts);
    }
    case Condition::Kind::negation:
      return lower(place, condition.parts.front(), JW_FAULT(2, !positive, positive), literals, guard);
    case Condition::Kind::leaf:
      break;
  }
  const Predicate visible =
      guard && condition.field != Condition::kRowId ? guard(condition.field) : Predicate::always();
  if (condition.op == Op::is_null) {
    const bool wants_null = (condition.values.empty() || condition.values[0] == catalog::Value{int64_t{1}}) == positive;
    const std::string x = shown(place, condition.field);
    if (!wants_null) return all_of({visible, Predicate::depends("(" + x + " IS NOT NULL)")});
    // A cell that is not seen in clear is NULL to the asker.
    if (visible.is_always()) return Predicate::depends("(" + x + " IS NULL)");
    if (visible.is_never()) return Predicate::always();
    return Predicate::depends(JW_FAULT(4, "((" + visible.sql + ") IS NOT TRUE OR ", "(") + x + " IS NULL)");
  }
  const Predicate lowered = leaf(place, condition, positive, literals);
  return JW_FAULT(3, all_of({visible, lowered}), lowered);
}

namespace {

std::string_view comparison(Op op, bool positive) {
  switch (op) {
    case Op::eq:
      return positive ? " = " : " <> ";
    case Op::ne:
      return positive ? " <> " : " = ";
    case Op::lt:
      return positive ? " < " : JW_FAULT(7, " >= ", " > ");
    case Op::le:
      return positive ? " <= " : " > ";
    case Op::gt:
      return positive ? " > " : " <= ";
    case Op::ge:
      return positive ? " >= " : " < ";
    default:
      throw std::logic_error("not a comparison");
  }
}

}  // namespace

Predicate Statement::leaf(const Place& place, const Condition& leaf, bool positive, Literals& literals) {
  switch (leaf.source) {
    case Condition::Source::literal:
      return compare(place, leaf, positive, literals);
    case Condition::Source::me: {
      if (leaf.field == Condition::kRowId) {
        return Predicate::depends("(" + person_id(place) + (positive ? " = " : " <> ") + me() + ")");
      }
      const Dataset& persons =
          catalogue_.datasets.at(static_cast<size_t>(dataset_at(place).fields.at(static_cast<size_t>(leaf.field)).ref));
      return Predicate::depends(
          member(row_id(ref_place(place, leaf.field)), ids_where(persons) + "\"person_id\" = " + me(), positive));
    }
    case Condition::Source::today:
    case Condition::Source::today_minus_years: {
      const bool date = dataset_at(place).fields.at(static_cast<size_t>(leaf.field)).type == Type::date;
      Slot value{date ? Slot::Kind::today : Slot::Kind::now};
      if (leaf.source == Condition::Source::today_minus_years)
        value = {Slot::Kind::years_ago, regulation_->setting(leaf.name)};
      return Predicate::depends("(" + stored(place, leaf.field) + std::string(comparison(leaf.op, positive)) +
                                slot(value) + ")");
    }
    case Condition::Source::relation: {
      const std::string expression =
          leaf.field == Condition::kRowId ? row_id(place) : row_id(ref_place(place, leaf.field));
      return Predicate::depends(
          member(expression, relation_select(catalogue_.relation(leaf.name), positive), positive));
    }
    case Condition::Source::other_field:
      return Predicate::depends("(" + shown(place, leaf.field) + std::string(comparison(leaf.op, positive)) +
                                shown(place, leaf.other) + ")");
  }
  return Predicate::never();
}

namespace {

std::string printed_value(const catalog::Value& value) {
  if (const auto* number = std::get_if<int64_t>(&value)) return std::to_string(*number);
  std::string out = "'";
  for (char c : std::get<std::string>(value)) {
    if (c == '\'') out += '\'';
    out += c;
  }
  return out + "'";
}

}  // namespace

std::string Statement::value(const Condition& leaf, size_t i, Literals& literals) {
  if (literals.printed) return printed_value(leaf.values.at(i));
  return slot({literals.kind, JW_FAULT(9, literals.next++, literals.next)});
}

Predicate Statement::set_member(const Place& place, const Condition& leaf, bool positive, Literals& literals) {
  const Field& f = dataset_at(place).fields.at(static_cast<size_t>(leaf.field));
  const bool text = reads_as_text(f.type);
  std::string select;
  if (literals.printed) {
    // VALUES, for SQLite takes no more than 500 SELECTs in one UNION; both stores call the column so.
    for (const catalog::Value& member_value : leaf.values)
      select += (select.empty() ? "(" : ", (") + printed_value(member_value) + ")";
    select = select.empty() ? "SELECT NULL WHERE 1=0" : "SELECT column1 FROM (VALUES " + select + ") fixed";
  } else if (const std::string list = slot({literals.kind, literals.next++}); postgres()) {
    select = std::string("SELECT ") + (text ? "value" : "CAST(value AS BIGINT)") +
             " FROM json_array_elements_text(CAST(" + list + " AS JSON))";
  } else {
    select = "SELECT value FROM json_each(" + list + ")";
  }
  if (f.type == Type::ref && positive) {
    const Dataset& target = catalogue_.datasets.at(static_cast<size_t>(f.ref));
    const std::string key = catalog::column_name(target.fields.at(static_cast<size_t>(target.key.front())));
    return joined(ref_place(place, leaf.field),
                  member(stored(place, leaf.field), ids_where(target) + member(key, select, true), true), true);
  }
  const std::string x = shown(place, leaf.field);
  return Predicate::depends(member(x, select, positive));
}

Predicate Statement::compare(const Place& place, const Condition& leaf, bool positive, Literals& literals) {
  if (leaf.op == Op::in) return set_member(place, leaf, positive, literals);
  const Field& f = dataset_at(place).fields.at(static_cast<size_t>(leaf.field));
  size_t used = 0;
  const auto next_value = [&] { return value(leaf, used++, literals); };
  if (f.type == Type::ref && ((leaf.op == Op::eq && positive) || (leaf.op == Op::ne && !positive))) {
    // By the id of the row with this key, so that the index on the ref column is used.
    const Dataset& target = catalogue_.datasets.at(static_cast<size_t>(f.ref));
    const std::string key = catalog::column_name(target.fields.at(static_cast<size_t>(target.key.front())));
    return joined(ref_place(place, leaf.field),
                  member(stored(place, leaf.field), ids_where(target) + key + " = " + next_value(), true), true);
  }
  const std::string x = shown(place, leaf.field);
  switch (leaf.op) {
    case Op::between: {
      const std::string low = next_value(), high = next_value();
      if (positive) return Predicate::depends("(" + x + " >= " + low + " AND " + x + " <= " + high + ")");
      return Predicate::depends("(" + x + " < " + low + JW_FAULT(8, " OR ", " AND ") + x + " > " + high + ")");
    }
    case Op::contains:
      return Predicate::depends("(" + std::string(postgres() ? "strpos(" : "instr(") + x + ", " + next_value() + ")" +
                                (positive ? " > 0)" : " = 0)"));
    case Op::starts: {
      const std::string v = next_value();
      const std::string head = "substr(" + x + ", 1, length(" + v + "))";
      // The range lets an index narrow the search; the head decides.
      if (positive) return Predicate::depends("(" + x + " >= " + v + " AND " + head + " = " + v + ")");
      return Predicate::depends("(" + head + JW_FAULT(10, " <> ", " > ") + v + ")");
    }
    default:
      return Predicate::depends("(" + x + std::string(comparison(leaf.op, positive)) + next_value() + ")");
  }
}

}  // namespace jw::policy
