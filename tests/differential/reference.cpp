#include "tests/differential/reference.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "base/json.hpp"
#include "base/text.hpp"

namespace jw::differential {
namespace {

using catalog::Condition;
using catalog::Dataset;
using catalog::Field;
using catalog::Op;
using catalog::Type;
using policy::Action;
using policy::Atom;
using policy::Sight;
using query::Function;
__extension__ using Wide = __int128;

enum class Truth : uint8_t { no, unknown, yes };

// A row, or where a reference leads nowhere.
struct Spot {
  const Dataset* dataset;
  const Row* row;
};

// A visible row, by field.
struct Viewed {
  const Row* row;
  std::vector<Seen> seen;
  std::vector<Value> shown, clear, sort;  // as displayed; NULL unless clear; what it is ordered by
};

struct Decision {
  std::vector<const Atom*> permits, forbids;
  Sight least = Sight::masked;  // that opens a field; clear when writing
};

template <class T>
const T& at(const std::vector<T>& all, int64_t i) {
  return all.at(static_cast<size_t>(i));
}

bool is_null(const Value& value) {
  return std::holds_alternative<std::monostate>(value);
}

Truth of(bool holds) {
  return holds ? Truth::yes : Truth::no;
}

Truth compare(const Value& x, Op op, const std::vector<Value>& values) {
  if (is_null(x)) return Truth::unknown;
  if (op == Op::in) return of(std::find(values.begin(), values.end(), x) != values.end());
  const Value& y = values.at(0);
  if (op == Op::between) return of(y <= x && x <= values.at(1));
  if (op == Op::eq) return of(x == y);
  if (op == Op::ne) return of(x != y);
  if (op == Op::lt) return of(x < y);
  if (op == Op::le) return of(x <= y);
  if (op == Op::gt) return of(x > y);
  if (op == Op::ge) return of(x >= y);
  const auto& text = std::get<std::string>(x);
  if (op == Op::starts) return of(text.starts_with(std::get<std::string>(y)));
  return of(text.find(std::get<std::string>(y)) != std::string::npos);  // contains
}

// NULL last in both directions.
int order_of(const Value& a, const Value& b, bool descending) {
  if (is_null(a) || is_null(b)) return is_null(a) && is_null(b) ? 0 : is_null(a) ? 1 : -1;
  if (a == b) return 0;
  return (a < b) == descending ? 1 : -1;
}

std::string json_of(const Field& field, const Value& value) {
  std::string out;
  catalog::append_json(out, field, value);
  return out;
}

void join(std::string& list, const std::string& item) {
  list += (list.empty() ? "" : ",") + item;
}

std::string item(const char* list, size_t i, const char* rest = "") {
  return std::string(list) + "[" + std::to_string(i) + "]" + rest;
}

// ---- numbers of measures: integers, one division at the end, half up (away from zero)

Wide ten_to(int n) {
  return n == 0 ? 1 : 10 * ten_to(n - 1);
}

Wide rounded(Wide a, Wide b) {
  const Wide size = a < 0 ? -a : a, whole = size / b + (2 * (size % b) >= b ? 1 : 0);
  return a < 0 ? -whole : whole;
}

int places_of(const Field& field) {
  return field.type == Type::decimal ? field.size : 0;
}

// Of all the values, to `places`: the greatest r for which r - ½ units is no more than sqrt(spread) / n.
Wide deviation(const std::vector<int64_t>& x, int field_places, int places) {
  const Wide n = static_cast<Wide>(x.size());
  Wide sum = 0, squares = 0;
  for (int64_t each : x) {
    sum += each;
    squares += static_cast<Wide>(each) * each;
  }
  const Wide spread = n * squares - sum * sum, unit = n * ten_to(field_places), scale = ten_to(places);
  Wide low = 0, high = Wide{1} << 40;
  while (low < high) {
    const Wide r = (low + high + 1) / 2, side = (2 * r - 1) * unit;
    (side * side <= 4 * spread * scale * scale ? low : high) = side * side <= 4 * spread * scale * scale ? r : r - 1;
  }
  return low;
}

std::string histogram(const std::vector<int64_t>& numbers, int64_t width, int places) {
  std::map<int64_t, int64_t> buckets;
  for (int64_t number : numbers) {
    int64_t edge = number / width * width;
    if (edge > number) edge -= width;
    ++buckets[edge];
  }
  std::string out;
  for (const auto& [edge, count] : buckets) {
    std::string bucket;
    append_decimal(bucket, edge, places);
    join(out, "[" + bucket + "," + std::to_string(count) + "]");
  }
  return "[" + out + "]";
}

class Reference {
 public:
  explicit Reference(const Asking& asking)
      : rules_(asking.rules), world_(asking.world), asker_(asking.asker), now_(asking.now) {}

  // ---- rows and cells as stored

  const Dataset& dataset(int index) const { return at(rules_.catalogue->datasets, index); }

  Spot step(const Spot& spot, int own_field) const {
    Spot next{&dataset(at(spot.dataset->fields, own_field).ref), nullptr};
    if (spot.row == nullptr) return next;
    for (const Row& row : at(world_, next.dataset->index)) {
      if (Value(row.id) == at(spot.row->cells, own_field)) next.row = &row;
    }
    return next;
  }

  // The row in which a field stands: its own, or the one it is borrowed from.
  Spot holder(const Spot& spot, int field) const {
    Spot reached = spot;
    for (int hop : at(spot.dataset->fields, field).path) reached = step(reached, hop);
    return reached;
  }
  static int own(const Field& f, int field) { return f.is_lookup() ? f.target : field; }

  Spot pointed_to(const Spot& spot, int ref) const {
    return step(holder(spot, ref), own(at(spot.dataset->fields, ref), ref));
  }

  Value stored(const Spot& spot, int field) const {
    const Spot source = holder(spot, field);
    return source.row == nullptr ? Value{} : at(source.row->cells, own(at(spot.dataset->fields, field), field));
  }

  // A ref is shown as the natural key of the row it points to.
  Value shown(const Spot& spot, int field) const {
    if (at(spot.dataset->fields, field).type != Type::ref) return stored(spot, field);
    const Spot target = pointed_to(spot, field);
    return target.row == nullptr ? Value{} : at(target.row->cells, target.dataset->key.front());
  }

  // ---- conditions

  using Cells = std::function<Value(int field)>;

  Truth truth(const Spot& spot, const Condition& condition) const {
    return truth(spot, condition, [&](int field) { return shown(spot, field); });
  }

  Truth truth(const Spot& spot, const Condition& condition, const Cells& cells) const {
    if (condition.kind == Condition::Kind::leaf) return leaf(spot, condition, cells);
    if (condition.kind == Condition::Kind::negation) {
      const Truth inner = truth(spot, condition.parts.front(), cells);
      return inner == Truth::unknown ? inner : of(inner == Truth::no);
    }
    const bool all = condition.kind == Condition::Kind::all;
    Truth out = of(all);
    for (const Condition& part : condition.parts)
      out = all ? std::min(out, truth(spot, part, cells)) : std::max(out, truth(spot, part, cells));
    return out;
  }

  Truth leaf(const Spot& spot, const Condition& leaf, const Cells& cells) const {
    const auto row = [&] { return leaf.field == Condition::kRowId ? spot : pointed_to(spot, leaf.field); };
    Date day = now_.date();
    switch (leaf.source) {
      case Condition::Source::literal:
        if (leaf.op == Op::is_null) return of(is_null(cells(leaf.field)) == (leaf.values[0] == Value{int64_t{1}}));
        return compare(cells(leaf.field), leaf.op, leaf.values);
      case Condition::Source::me:
        return row().row == nullptr ? Truth::unknown : of(row().row->person == asker_.person);
      case Condition::Source::today_minus_years:
        day = day.plus_years(-static_cast<int>(rules_.regulation.setting(leaf.name)));
        [[fallthrough]];
      case Condition::Source::today:
        return compare(cells(leaf.field), leaf.op, {day.print()});
      case Condition::Source::relation:
        return member(rules_.catalogue->relation(leaf.name), row());
      case Condition::Source::other_field:
        break;
    }
    throw std::logic_error("neither in permissions nor in queries");
  }

  // Whether a row belongs to the set of a relation; of a row that is not there that is not known.
  Truth member(int relation, const Spot& spot) const {
    if (spot.row == nullptr) return Truth::unknown;
    const catalog::Relation& r = at(rules_.catalogue->relations, relation);
    if (r.of < 0) return of(spot.row->person == asker_.person);
    Truth best = Truth::no;
    for (const Row& row : at(world_, r.from)) {
      const Spot each{&dataset(r.from), &row};
      const Value selected = r.select == Condition::kRowId ? Value{row.id} : stored(each, r.select);
      if (selected == Value{spot.row->id}) best = std::max(best, truth(each, r.where));
    }
    return best;
  }

  Truth rows(const Spot& spot, const Atom& atom) const {
    if (atom.rows == Atom::Rows::all) return Truth::yes;
    if (atom.rows == Atom::Rows::where) return truth(spot, atom.where);
    const catalog::Binding* binding = spot.dataset->binding(atom.relation);
    if (binding == nullptr) return Truth::unknown;
    Spot end = spot;
    for (int hop : binding->path) end = step(end, hop);
    const Truth tied = member(atom.relation, end);
    return atom.narrowed ? std::min(tied, truth(spot, atom.where)) : tied;
  }

  // ---- permissions

  // Posts held, each with the units in which it is.
  using Held = std::map<int, std::set<std::string>>;
  Held posts() const {
    Held held;
    for (size_t i = 0; asker_.person != 0 && i < rules_.regulation.posts.size(); ++i) {
      const policy::Post& post = rules_.regulation.posts[i];
      for (const Row& row : at(world_, post.from)) {
        const Spot spot{&dataset(post.from), &row};
        if (truth(spot, post.where) != Truth::yes) continue;
        auto& units = held[static_cast<int>(i)];
        const Value unit = post.unit < 0 ? Value{} : shown(spot, post.unit);
        if (!is_null(unit)) units.insert(std::get<std::string>(unit));
      }
    }
    // Of posts with one mark nobody holds two: whoever is found with two holds neither (§4.3.2).
    const auto mark = [&](int post) -> const std::string& { return at(rules_.regulation.posts, post).apart; };
    const Held found = held;
    std::erase_if(held, [&](const auto& one) {
      return std::any_of(found.begin(), found.end(), [&](const auto& other) {
        return one.first != other.first && !mark(one.first).empty() && mark(one.first) == mark(other.first);
      });
    });
    return held;
  }

  bool is_in_force(const Atom& atom) const { return atom.from_us <= now_.us && now_.us < atom.until_us; }

  bool is_given(const Held& held, const Atom& atom) const {
    if (atom.post >= 0)
      return held.contains(atom.post) && (atom.unit.empty() || held.at(atom.post).contains(atom.unit));
    const bool belongs =
        std::any_of(held.begin(), held.end(), [&](const auto& post) { return post.second.contains(atom.unit); });
    return atom.account == asker_.account && (atom.unit.empty() || belongs);
  }

  // To whoever holds a post that is set apart nothing opens academic data but the own.
  bool is_closed_apart(const Held& held, const Atom& atom) const {
    const bool own =
        atom.rows == Atom::Rows::relation && rules_.catalogue->relations[static_cast<size_t>(atom.relation)].of < 0;
    return !own && !dataset(atom.dataset).by_kernel && std::any_of(held.begin(), held.end(), [&](const auto& each) {
      return !rules_.regulation.posts[static_cast<size_t>(each.first)].apart.empty();
    });
  }

  Decision decide(const Dataset& asked, Action action, const std::string& purpose) const {
    Decision decision;
    if (!policy::is_reading(action)) decision.least = Sight::clear;
    const Held held = posts();
    const auto applies = [&](const Atom& atom) {
      if (atom.effect == policy::Effect::permit && is_closed_apart(held, atom)) return false;
      if (!is_in_force(atom)) return false;
      return (atom.actions >> static_cast<int>(action) & 1) != 0 && is_given(held, atom);
    };
    const auto serves = [&](const Atom& atom) {
      if (purpose.empty()) return atom.grant.empty();  // under a grant it has to be stated
      const auto& all = atom.purposes;
      return all.empty() || std::find(all.begin(), all.end(), purpose) != all.end();
    };
    for (const auto* atoms : {&rules_.regulation.atoms, &rules_.grants}) {
      for (const Atom& atom : *atoms) {
        if (!applies(atom)) continue;
        if (atom.effect == policy::Effect::forbid) decision.forbids.push_back(&atom);
        const bool permit = atom.effect == policy::Effect::permit && atom.dataset == asked.index;
        if (permit && serves(atom)) decision.permits.push_back(&atom);
      }
    }
    return decision;
  }

  static bool closed(const Decision& decision, int field, Sight least) {
    return std::none_of(decision.permits.begin(), decision.permits.end(),
                        [&](const Atom* atom) { return at(atom->fields, field) >= least; });
  }

  static bool closed_in(const Decision& decision, const Condition& condition) {
    if (condition.kind == Condition::Kind::leaf) return closed(decision, condition.field, Sight::masked);
    return std::any_of(condition.parts.begin(), condition.parts.end(),
                       [&](const Condition& part) { return closed_in(decision, part); });
  }

  bool forbidden(const Spot& spot, const Decision& decision) const {
    return std::any_of(decision.forbids.begin(), decision.forbids.end(), [&](const Atom* atom) {
      return atom->dataset == spot.dataset->index && rows(spot, *atom) != Truth::no;
    });
  }

  bool visible(const Spot& spot, const Decision& decision) const {
    return !forbidden(spot, decision) &&
           std::any_of(decision.permits.begin(), decision.permits.end(), [&](const Atom* atom) {
             const bool shows = std::any_of(atom->fields.begin(), atom->fields.end(),
                                            [&](Sight sight) { return sight >= decision.least; });
             return shows && rows(spot, *atom) == Truth::yes;
           });
  }

  // Whether a forbid closes one of the rows that a cell is borrowed from; the key that a ref shows is.
  bool is_borrowed_from_closed(const Spot& spot, int field, const Decision& decision) const {
    const Field& f = at(spot.dataset->fields, field);
    std::vector<int> hops = f.path;
    if (f.type == Type::ref) hops.push_back(own(f, field));
    Spot source = spot;
    return std::any_of(hops.begin(), hops.end(), [&](int hop) {
      source = step(source, hop);
      return forbidden(source, decision);
    });
  }

  Seen sight(const Spot& spot, int field, const Decision& decision) const {
    if (is_borrowed_from_closed(spot, field, decision)) return Seen::hidden;
    Seen best = Seen::hidden;
    for (const Atom* atom : decision.permits) {
      if (rows(spot, *atom) != Truth::yes) continue;
      if (at(atom->fields, field) == Sight::clear) best = Seen::clear;
      if (at(atom->fields, field) == Sight::masked) best = std::min(best, Seen::masked);
    }
    return best;
  }

  // As seen on a row that may not be visible. What is seen by its mask is written by nobody.
  Seen seen(const Spot& spot, int field, const Decision& decision) const {
    if (!visible(spot, decision)) return Seen::hidden;
    const Seen seen = sight(spot, field, decision);
    return seen == Seen::masked && decision.least == Sight::clear ? Seen::hidden : seen;
  }

  // ---- writing

  std::string key_of(const Spot& spot) const {
    std::string out;
    for (const int key : spot.dataset->key) {
      const Value value = shown(spot, key);
      if (is_null(value)) return {};
      out += (out.empty() ? "" : "~") +
             catalog::print_value(*rules_.catalogue, at(spot.dataset->fields, key), value, false);
    }
    return out;
  }

  // What may not be written of a row of which `other` is what it was or will be: nothing, the row, or its first such
  // field.
  std::string closed_to_writing(const Spot& spot, const Row* other, const Decision& decision) const {
    const std::string row = spot.dataset->name + "[" + key_of(spot) + "]";
    if (!visible(spot, decision)) return row;
    for (int f = 0; f < static_cast<int>(spot.row->cells.size()); ++f) {
      const bool same = at(spot.row->cells, f) == (other == nullptr ? Value{} : at(other->cells, f));
      if (!same && sight(spot, f, decision) != Seen::clear) return row + "." + at(spot.dataset->fields, f).name;
    }
    return {};
  }

  // The rows that are visible and of which the condition is true, by id.
  std::vector<Viewed> view(const Dataset& of_these, const Decision& decision,
                           const std::optional<Condition>& where) const {
    std::vector<Viewed> out;
    for (const Row& row : at(world_, of_these.index)) {
      const Spot spot{&of_these, &row};
      if (!visible(spot, decision)) continue;
      Viewed viewed{&row, {}, {}, {}, {}};
      for (int f = 0; f < static_cast<int>(of_these.fields.size()); ++f) {
        const Field& field = at(of_these.fields, f);
        const Seen seen = viewed.seen.emplace_back(sight(spot, f, decision));
        const Value value = shown(spot, f);
        const bool by_sound = field.pinyin && !is_null(value) && seen == Seen::clear;
        viewed.clear.push_back(seen == Seen::clear ? value : Value{});
        viewed.shown.push_back(seen == Seen::masked ? catalog::apply_mask(field, value) : viewed.clear.back());
        viewed.sort.push_back(by_sound ? Value{pinyin_key(std::get<std::string>(value))} : viewed.shown.back());
      }
      if (!where || holds(of_these, viewed, *where)) out.push_back(std::move(viewed));
    }
    std::sort(out.begin(), out.end(), [](const Viewed& a, const Viewed& b) { return a.row->id < b.row->id; });
    return out;
  }

  bool holds(const Dataset& of_these, const Viewed& row, const Condition& condition) const {
    return truth({&of_these, row.row}, condition, [&](int f) { return at(row.clear, f); }) == Truth::yes;
  }

  // ---- lists

  Expected list(const query::Query& query, const Decision& decision) const {
    const Dataset& listed = *query.dataset;
    const auto is_closed = [&](int field) { return closed(decision, field, Sight::masked); };
    Expected out;
    out.columns = query.fields;
    for (size_t i = 0; i < query.fields.size(); ++i) {
      if (is_closed(query.fields[i])) return refused(item("fields", i));
    }
    for (int f = 0; query.fields.empty() && f < static_cast<int>(listed.fields.size()); ++f) {
      if (!is_closed(f)) out.columns.push_back(f);
    }
    if (query.where && closed_in(decision, *query.where)) return refused("where");
    std::vector<query::OrderKey> order = query.order;
    for (size_t i = 0; i < order.size(); ++i) {
      if (is_closed(order[i].field)) return refused(item("order", i, ".field"));
    }
    for (const catalog::SortKey& key : listed.order) {
      if (query.order.empty() && !is_closed(key.field)) order.push_back({key.field, key.descending});
    }
    std::vector<Viewed> rows = view(listed, decision, query.where);
    std::stable_sort(rows.begin(), rows.end(), [&](const Viewed& a, const Viewed& b) {
      for (const query::OrderKey& key : order) {
        const int c = order_of(at(a.sort, key.field), at(b.sort, key.field), key.descending);
        if (c != 0) return c < 0;
      }
      return false;  // by id, as they stand
    });
    out.more = rows.size() > static_cast<size_t>(query.limit);
    // That there is a further row tells of it.
    if (out.more) rows.resize(static_cast<size_t>(query.limit) + 1);
    for (const Viewed& row : rows) {
      if (const auto person = subject_of(listed, *row.row)) out.subjects.insert(*person);
    }
    name_persons(query, out.subjects);
    if (out.more) rows.pop_back();
    for (const Viewed& row : rows) {
      std::string json;
      out.sight.emplace_back();
      out.cells.emplace_back();
      for (int f : out.columns) {
        join(json, json_of(at(listed.fields, f), at(row.shown, f)));
        out.sight.back().push_back(at(row.seen, f));
        out.cells.back().push_back(at(row.shown, f));
      }
      out.rows.push_back("[" + json + "]");
    }
    return out;
  }

  static Expected refused(const std::string& path) {
    Expected out;
    out.refusal = "policy.field_closed";
    out.path = path;
    return out;
  }

  // Whom a row is about.
  std::optional<int64_t> subject_of(const Dataset& dataset, const Row& row) const {
    if (!dataset.has_subject) return std::nullopt;
    Spot subject{&dataset, &row};
    for (int hop : dataset.about) subject = step(subject, hop);
    if (subject.row == nullptr) return std::nullopt;
    return subject.row->person;
  }

  // Whom a question about persons names by key in its conditions, as far as the asker may query their rows: asked about
  // in vain is asked about. The asker is nobody to be told.
  void name_persons(const query::Query& query, std::set<int64_t>& persons) const {
    const auto name = [&](const Condition& condition, const auto& self) -> void {
      for (const Condition& part : condition.parts) self(part, self);
      const bool literal = condition.kind == Condition::Kind::leaf && condition.source == Condition::Source::literal;
      if (!literal || condition.op == Op::is_null) return;
      const Field& field = at(query.dataset->fields, condition.field);
      const Dataset* named = query.dataset;
      for (const int hop : field.path) named = &dataset(at(named->fields, hop).ref);
      const bool ref = field.type == Type::ref;
      if (ref) named = &dataset(field.ref);
      const int key = named->key.front();
      if (named->key.size() != 1 || (!ref && own(field, condition.field) != key)) return;
      for (const Viewed& row : view(*named, decide(*named, Action::query, query.purpose), {})) {
        const auto person = subject_of(*named, *row.row);
        if (person && compare(at(row.clear, key), Op::in, condition.values) == Truth::yes) persons.insert(*person);
      }
    };
    if (query.dataset->has_subject) {
      if (query.where) name(*query.where, name);
      for (const query::Measure& measure : query.measures) {
        if (measure.where) name(*measure.where, name);
      }
    }
    persons.erase(asker_.person);
  }

  // ---- statistics

  // A part of a group of which a measure tells: numbers about few tell of each of them (§1.3.1).
  void tell_of_few(const query::Query& query, const std::vector<const Viewed*>& rows,
                   const std::function<bool(const Viewed&)>& belongs, std::set<int64_t>& told) const {
    std::set<int64_t> persons;
    for (const Viewed* row : rows) {
      if (!belongs(*row)) continue;
      if (const auto person = subject_of(*query.dataset, *row->row)) persons.insert(*person);
    }
    if (persons.size() <= static_cast<size_t>(kFewPersons)) told.insert(persons.begin(), persons.end());
  }

  // JSON and, to order by, the value.
  std::pair<std::string, Value> measure(const query::Query& query, const query::Measure& measure,
                                        const std::vector<const Viewed*>& rows) const {
    const auto number = [](Wide scaled, int places) {
      std::string json;
      append_decimal(json, static_cast<int64_t>(scaled), places);
      return std::pair<std::string, Value>(json, static_cast<int64_t>(scaled));
    };
    const Wide scale = ten_to(measure.places), count = static_cast<Wide>(rows.size());
    if (measure.function == Function::count) return number(count, 0);
    if (measure.function == Function::share) {
      const auto hits = std::count_if(rows.begin(), rows.end(),
                                      [&](const Viewed* row) { return holds(*query.dataset, *row, *measure.where); });
      if (rows.empty()) return {"null", {}};
      return number(rounded(hits * scale, count), measure.places);
    }
    const Field& field = at(query.dataset->fields, measure.field);
    const int places = places_of(field);
    std::vector<Value> values;
    for (const Viewed* row : rows) {
      if (!is_null(at(row->clear, measure.field))) values.push_back(at(row->clear, measure.field));
    }
    std::sort(values.begin(), values.end());
    if (measure.function == Function::count_distinct)
      return number(static_cast<Wide>(std::set<Value>(values.begin(), values.end()).size()), 0);
    if (values.empty()) return {measure.function == Function::histogram ? "[]" : "null", {}};
    if (measure.function == Function::min) return {json_of(field, values.front()), values.front()};
    if (measure.function == Function::max) return {json_of(field, values.back()), values.back()};
    std::vector<int64_t> x;
    Wide sum = 0;
    for (const Value& value : values) sum += x.emplace_back(std::get<int64_t>(value));
    const Wide n = static_cast<Wide>(x.size()), unit = ten_to(places);
    if (measure.function == Function::histogram) return {histogram(x, measure.width, places), {}};
    if (measure.function == Function::sum) return number(sum, places);
    if (measure.function == Function::avg) return number(rounded(sum * scale, n * unit), measure.places);
    if (measure.function == Function::stddev) return number(deviation(x, places, measure.places), measure.places);
    const Wide middle = static_cast<Wide>(x[(x.size() - 1) / 2]) + x[x.size() / 2];  // median
    return number(rounded(middle * scale, 2 * unit), measure.places);
  }

  // Until small groups can be held back, groups and measures are over fields that some permit shows in clear.
  static std::string closed_path(const query::Query& query, const Decision& decision) {
    if (query.where && closed_in(decision, *query.where)) return "where";
    for (size_t i = 0; i < query.group.size(); ++i) {
      if (closed(decision, query.group[i], Sight::clear)) return item("group", i);
    }
    for (size_t i = 0; i < query.measures.size(); ++i) {
      const query::Measure& each = query.measures[i];
      if (each.field >= 0 && closed(decision, each.field, Sight::clear)) return item("measures", i, ".field");
      if (each.where && closed_in(decision, *each.where)) return item("measures", i, ".where");
    }
    return {};
  }

  Expected statistics(const query::Query& query, const Decision& decision) const {
    if (const std::string path = closed_path(query, decision); !path.empty()) return refused(path);
    const std::vector<Viewed> rows = view(*query.dataset, decision, query.where);
    std::map<std::vector<Value>, std::vector<const Viewed*>> groups;
    if (query.group.empty()) groups[{}];  // without groups nothing, too, is measured
    for (const Viewed& row : rows) {
      std::vector<Value> key;
      for (int f : query.group) key.push_back(at(row.shown, f));
      groups[key].push_back(&row);
    }
    std::vector<std::pair<std::vector<Value>, std::string>> lines;
    Expected out;
    for (const auto& [group, members] : groups) {
      tell_of_few(
          query, members, [](const Viewed&) { return true; }, out.subjects);
      for (const query::Measure& each : query.measures) {
        const auto seen = [&](const Viewed& row) { return !is_null(at(row.clear, each.field)); };
        const auto hit = [&](const Viewed& row) { return holds(*query.dataset, row, *each.where); };
        if (each.field >= 0) tell_of_few(query, members, seen, out.subjects);
        if (each.where) tell_of_few(query, members, hit, out.subjects);
        if (each.where) tell_of_few(query, members, std::not_fn(hit), out.subjects);
      }
      std::vector<Value> keys = group;
      std::string line;
      for (size_t g = 0; g < group.size(); ++g)
        join(line, json_of(at(query.dataset->fields, query.group[g]), group[g]));
      for (const query::Measure& each : query.measures) {
        const auto [json, key] = measure(query, each, members);
        join(line, json);
        keys.push_back(key);
      }
      lines.emplace_back(std::move(keys), "[" + line + "]");
    }
    name_persons(query, out.subjects);
    std::vector<query::OrderKey> order = query.order;
    for (size_t g = 0; g < query.group.size(); ++g) order.push_back({static_cast<int>(g), false});
    std::stable_sort(lines.begin(), lines.end(), [&](const auto& a, const auto& b) {
      for (const query::OrderKey& key : order) {
        const int c = order_of(at(a.first, key.field), at(b.first, key.field), key.descending);
        if (c != 0) return c < 0;
      }
      return false;
    });
    out.groups = static_cast<int64_t>(lines.size());
    out.more = lines.size() > static_cast<size_t>(query.limit);
    for (size_t i = 0; i < lines.size() && i < static_cast<size_t>(query.limit); ++i)
      out.rows.push_back(lines[i].second);
    return out;
  }

 private:
  const Rules& rules_;
  const World& world_;
  const policy::Asker& asker_;
  Instant now_;
};

}  // namespace

Expected expected_answer(const Asking& asking, const query::Query& query, Action action) {
  const Reference reference(asking);
  std::set<std::string> purposes = {"", "teaching_administration", "study"};
  for (const auto* atoms : {&asking.rules.regulation.atoms, &asking.rules.grants}) {
    for (const Atom& atom : *atoms) purposes.insert(atom.purposes.begin(), atom.purposes.end());
  }
  const Decision decision = reference.decide(*query.dataset, action, query.purpose);
  Expected out;
  if (asking.asker.agreement_due && query.dataset->tells_of_persons) {
    out.refusal = "identity.agreement_due";
  } else if (!purposes.contains(query.purpose)) {
    out.refusal = "query.purpose_unknown";
  } else if (decision.permits.empty()) {
    out.refusal = "policy.denied";
  } else {
    return query.is_statistics() ? reference.statistics(query, decision) : reference.list(query, decision);
  }
  return out;
}

std::string expected_refusal(const Asking& asking, Action action, const std::string& purpose, const Dataset& dataset,
                             const std::vector<Change>& changes) {
  const Reference reference(asking);
  if (asking.asker.agreement_due && dataset.tells_of_persons) return "identity.agreement_due";
  const Decision decision = reference.decide(dataset, action, purpose);
  if (decision.permits.empty()) return "policy.denied";
  std::string out;
  std::set<std::string> told;
  for (const bool stood : {true, false}) {
    for (const Change& change : changes) {
      const Row* row = stood ? change.stood : change.stands;
      if (row == nullptr) continue;
      const Row* other = stood ? change.stands : change.stood;
      const std::string closed = reference.closed_to_writing({&dataset, row}, other, decision);
      if (!closed.empty() && told.insert(closed).second) out += (out.empty() ? "" : " ") + closed;
    }
  }
  return out;
}

Shift expected_shift(const Asking& asking, const Holding& holding, const Dataset& dataset,
                     const std::vector<int>& fields) {
  const Reference viewing(asking);
  const Reference before({holding.before, asking.world, holding.holder, asking.now}),
      after({holding.after, asking.world, holding.holder, asking.now});
  const Decision was = before.decide(dataset, holding.action, holding.purpose),
                 is = after.decide(dataset, holding.action, holding.purpose);
  Shift shift;
  for (const Viewed& row : viewing.view(dataset, viewing.decide(dataset, Action::query, ""), {})) {
    const Spot spot{&dataset, row.row};
    const bool stood = before.visible(spot, was), stands = after.visible(spot, is);
    bool changes = stood != stands;
    shift.gained += !stood && stands ? 1 : 0;
    shift.lost += stood && !stands ? 1 : 0;
    for (const int field : fields) {
      const Seen low = before.seen(spot, field, was), high = after.seen(spot, field, is);
      if (low == high) continue;
      changes = true;
      auto& [gained, lost] = shift.cells[field];
      ++(high < low ? gained : lost);  // clear < masked < hidden
    }
    const auto person = viewing.subject_of(dataset, *row.row);
    if (changes && person && *person != asking.asker.person) shift.persons.insert(*person);
  }
  return shift;
}

bool holds_post(const Asking& asking, int post) {
  return Reference(asking).posts().contains(post);
}

const Row* row_asked_for(const Asking& asking, const Dataset& dataset, const std::vector<Value>& key, int field) {
  const Reference reference(asking);
  if (asking.asker.agreement_due) return nullptr;
  for (const Viewed& row : reference.view(dataset, reference.decide(dataset, Action::query, ""), {})) {
    bool same = at(row.seen, field) == Seen::clear;
    for (size_t i = 0; i < key.size(); ++i)
      same = same && at(row.seen, dataset.key[i]) == Seen::clear && at(row.clear, dataset.key[i]) == key[i];
    if (same) return row.row;
  }
  return nullptr;
}

std::optional<int64_t> subject_of(const Asking& asking, const Dataset& dataset, const Row& row) {
  return Reference(asking).subject_of(dataset, row);
}

bool sees_by(const Asking& asking, const Atom& permit, const Dataset& dataset, const Row& row, int field) {
  const Reference reference(asking);
  const auto held = reference.posts();
  const Spot spot{&dataset, &row};
  Decision forbids;
  for (const auto* atoms : {&asking.rules.regulation.atoms, &asking.rules.grants}) {
    for (const Atom& atom : *atoms) {
      const bool closes = atom.effect == policy::Effect::forbid && (atom.actions & 1U) != 0;
      if (closes && reference.is_in_force(atom) && reference.is_given(held, atom)) forbids.forbids.push_back(&atom);
    }
  }
  return reference.is_given(held, permit) && !reference.is_closed_apart(held, permit) &&
         reference.rows(spot, permit) == Truth::yes && !reference.forbidden(spot, forbids) &&
         !reference.is_borrowed_from_closed(spot, field, forbids);
}

std::string authorised_view(const Asking& asking, const Dataset& dataset, Action action, const std::string& purpose) {
  const Reference reference(asking);
  const Decision decision = reference.decide(dataset, action, purpose);
  std::string out;
  for (const auto& [post, units] : reference.posts()) {
    out += std::to_string(post);
    for (const std::string& unit : units) out += " " + unit;
    out += ";";
  }
  for (const Atom* atom : decision.permits) out += std::to_string(reinterpret_cast<uintptr_t>(atom)) + ",";
  for (const Viewed& row : reference.view(dataset, decision, {})) {
    out += "\n" + std::to_string(row.row->id);
    for (size_t f = 0; f < row.seen.size(); ++f)
      out += '|' + std::to_string(static_cast<int>(row.seen[f])) + json_of(dataset.fields[f], row.shown[f]);
  }
  return out;
}

}  // namespace jw::differential
