#include "tests/differential/reference.hpp"

#include <algorithm>
#include <set>

#include "base/json.hpp"
#include "base/text.hpp"

namespace jw::differential {

using catalog::Condition;
using catalog::Dataset;
using catalog::Field;
using catalog::Op;
using catalog::Type;
using policy::Action;
using policy::Atom;
using query::Function;

namespace {

bool is_null(const Value& value) {
  return std::holds_alternative<std::monostate>(value);
}

Truth of(bool holds) {
  return holds ? Truth::yes : Truth::no;
}

const Field& field_of(const Dataset& dataset, int field) {
  return dataset.fields[static_cast<size_t>(field)];
}

Truth compare(const Value& x, const Condition& leaf) {
  if (is_null(x)) return Truth::unknown;
  const auto& values = leaf.values;
  switch (leaf.op) {
    case Op::eq:
      return of(x == values[0]);
    case Op::ne:
      return of(x != values[0]);
    case Op::lt:
      return of(x < values[0]);
    case Op::le:
      return of(x <= values[0]);
    case Op::gt:
      return of(x > values[0]);
    case Op::ge:
      return of(x >= values[0]);
    case Op::between:
      return of(values[0] <= x && x <= values[1]);
    case Op::in:
      return of(std::find(values.begin(), values.end(), x) != values.end());
    case Op::contains:
      return of(std::get<std::string>(x).find(std::get<std::string>(values[0])) != std::string::npos);
    case Op::starts:
      return of(std::get<std::string>(x).starts_with(std::get<std::string>(values[0])));
    case Op::is_null:
      break;
  }
  throw std::logic_error("no comparison");
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

}  // namespace

// ---- rows and cells as stored

Spot Reference::step(const Spot& spot, int field) const {
  const int target = field_of(*spot.dataset, field).ref;
  Spot next{&rules_.catalogue->datasets[static_cast<size_t>(target)], nullptr};
  if (spot.row == nullptr) return next;
  const Value& id = spot.row->cells[static_cast<size_t>(field)];
  if (is_null(id)) return next;
  for (const Row& row : world_[static_cast<size_t>(target)]) {
    if (Value(row.id) == id) next.row = &row;
  }
  return next;
}

Value Reference::stored(const Spot& spot, int field) const {
  const Field& f = field_of(*spot.dataset, field);
  Spot at = spot;
  for (int hop : f.path) at = step(at, hop);
  return at.row == nullptr ? Value{} : at.row->cells[static_cast<size_t>(f.is_lookup() ? f.target : field)];
}

Value Reference::shown(const Spot& spot, int field) const {
  const Field& f = field_of(*spot.dataset, field);
  if (f.type != Type::ref) return stored(spot, field);
  const Spot at = pointed_to(spot, field);
  return at.row == nullptr ? Value{} : at.row->cells[static_cast<size_t>(at.dataset->key.front())];
}

Spot Reference::pointed_to(const Spot& spot, int field) const {
  const Field& f = field_of(*spot.dataset, field);
  Spot at = spot;
  for (int hop : f.path) at = step(at, hop);
  return step(at, f.is_lookup() ? f.target : field);
}

Value Reference::sort_key(const Spot& spot, int field) const {
  const Value value = shown(spot, field);
  if (!field_of(*spot.dataset, field).pinyin || is_null(value)) return value;
  return pinyin_key(std::get<std::string>(value));
}

// ---- conditions

Truth Reference::truth(const Spot& spot, const Condition& condition) const {
  return truth(spot, condition, [&](int field) { return shown(spot, field); });
}

Truth Reference::truth(const Spot& spot, const Condition& condition, const Cells& cells) const {
  switch (condition.kind) {
    case Condition::Kind::leaf:
      return leaf(spot, condition, cells);
    case Condition::Kind::negation: {
      const Truth inner = truth(spot, condition.parts.front(), cells);
      return inner == Truth::unknown ? inner : of(inner == Truth::no);
    }
    case Condition::Kind::all: {
      Truth all = Truth::yes;
      for (const Condition& part : condition.parts) all = std::min(all, truth(spot, part, cells));
      return all;
    }
    case Condition::Kind::any:
      break;
  }
  Truth any = Truth::no;
  for (const Condition& part : condition.parts) any = std::max(any, truth(spot, part, cells));
  return any;
}

Truth Reference::leaf(const Spot& spot, const Condition& leaf, const Cells& cells) const {
  const bool row_itself = leaf.field == Condition::kRowId;
  switch (leaf.source) {
    case Condition::Source::literal: {
      const Value x = cells(leaf.field);
      if (leaf.op == Op::is_null) return of(is_null(x) == (leaf.values[0] == Value{int64_t{1}}));
      return compare(x, leaf);
    }
    case Condition::Source::me: {
      const Spot who = row_itself ? spot : pointed_to(spot, leaf.field);
      return who.row == nullptr ? Truth::unknown : of(who.row->person == asker_.person);
    }
    case Condition::Source::today:
    case Condition::Source::today_minus_years: {
      Date day = now_.date();
      if (leaf.source == Condition::Source::today_minus_years)
        day = day.plus_years(-static_cast<int>(rules_.regulation.setting(leaf.name)));
      Condition with = leaf;
      with.values = {day.print()};
      return compare(cells(leaf.field), with);
    }
    case Condition::Source::relation:
      return member(rules_.catalogue->relation(leaf.name), row_itself ? spot : pointed_to(spot, leaf.field));
    case Condition::Source::other_field:
      break;
  }
  throw std::logic_error("not in permissions or queries");
}

// Whether a row belongs to the set of a relation: to no set known when it is not there.
Truth Reference::member(int relation, const Spot& spot) const {
  if (spot.row == nullptr) return Truth::unknown;
  const catalog::Relation& r = rules_.catalogue->relations[static_cast<size_t>(relation)];
  if (r.of < 0) return of(spot.row->person == asker_.person);
  const Dataset& from = rules_.catalogue->datasets[static_cast<size_t>(r.from)];
  Truth best = Truth::no;
  for (const Row& row : world_[static_cast<size_t>(r.from)]) {
    const Spot each{&from, &row};
    const Value selected = r.select == Condition::kRowId ? Value{row.id} : stored(each, r.select);
    if (selected == Value{spot.row->id}) best = std::max(best, truth(each, r.where));
  }
  return best;
}

Truth Reference::rows(const Spot& spot, const Atom& atom) const {
  if (atom.rows == Atom::Rows::all) return Truth::yes;
  if (atom.rows == Atom::Rows::where) return truth(spot, atom.where);
  const catalog::Binding* binding = spot.dataset->binding(atom.relation);
  if (binding == nullptr) return Truth::unknown;
  Spot end = spot;
  for (int hop : binding->path) end = step(end, hop);
  return member(atom.relation, end);
}

// ---- permissions

std::vector<policy::HeldPost> Reference::posts() const {
  std::vector<policy::HeldPost> held;
  if (asker_.person == 0) return held;
  for (size_t i = 0; i < rules_.regulation.posts.size(); ++i) {
    const policy::Post& post = rules_.regulation.posts[i];
    policy::HeldPost here{static_cast<int>(i), {}};
    bool holds_it = false;
    for (const Row& row : world_[static_cast<size_t>(post.from)]) {
      const Spot spot{&rules_.catalogue->datasets[static_cast<size_t>(post.from)], &row};
      if (truth(spot, post.where) != Truth::yes) continue;
      holds_it = true;
      const Value unit = post.unit < 0 ? Value{} : shown(spot, post.unit);
      if (!is_null(unit)) here.units.push_back(std::get<std::string>(unit));
    }
    if (holds_it) held.push_back(here);
  }
  return held;
}

bool Reference::holds(const Atom& atom, const std::vector<policy::HeldPost>& held) const {
  if (now_.us < atom.from_us || now_.us >= atom.until_us) return false;
  if (atom.post < 0) return atom.account == asker_.account;
  return std::any_of(held.begin(), held.end(), [&](const policy::HeldPost& post) {
    return post.post == atom.post &&
           (atom.unit.empty() || std::find(post.units.begin(), post.units.end(), atom.unit) != post.units.end());
  });
}

Reference::Decision Reference::decide(const Dataset& dataset, Action action, const std::string& purpose) const {
  Decision decision;
  const auto held = posts();
  for (const auto* atoms : {&rules_.regulation.atoms, &rules_.grants}) {
    for (const Atom& atom : *atoms) {
      if (!holds(atom, held) || (atom.actions >> static_cast<int>(action) & 1) == 0) continue;
      if (atom.effect == policy::Effect::forbid) {
        decision.forbids.push_back(&atom);
        continue;
      }
      const auto& allowed = atom.purposes;
      const bool serves = purpose.empty()
                              ? atom.grant.empty()
                              : allowed.empty() || std::find(allowed.begin(), allowed.end(), purpose) != allowed.end();
      if (serves && atom.dataset == dataset.index) decision.permits.push_back(&atom);
    }
  }
  return decision;
}

bool Reference::closed(const Decision& decision, int field, bool masked_too) const {
  return std::none_of(decision.permits.begin(), decision.permits.end(), [&](const Atom* atom) {
    const policy::Sight sight = atom->fields[static_cast<size_t>(field)];
    return sight == policy::Sight::clear || (masked_too && sight == policy::Sight::masked);
  });
}

bool Reference::visible(const Spot& spot, const Decision& decision) const {
  bool opened = false;
  for (const Atom* atom : decision.permits) {
    const bool shows = std::any_of(atom->fields.begin(), atom->fields.end(), [](policy::Sight sight) {
      return sight == policy::Sight::clear || sight == policy::Sight::masked;
    });
    if (shows && rows(spot, *atom) == Truth::yes) opened = true;
  }
  for (const Atom* atom : decision.forbids) {
    if (atom->dataset == spot.dataset->index && rows(spot, *atom) != Truth::no) return false;
  }
  return opened;
}

Seen Reference::sight(const Spot& spot, int field, const Decision& decision) const {
  const Field& f = field_of(*spot.dataset, field);
  std::vector<int> hops = f.path;
  if (f.type == Type::ref) hops.push_back(f.is_lookup() ? f.target : field);  // shows the key of the row it points to
  Spot source = spot;
  for (int hop : hops) {
    source = step(source, hop);
    for (const Atom* atom : decision.forbids) {
      if (atom->dataset == source.dataset->index && rows(source, *atom) != Truth::no) return Seen::hidden;
    }
  }
  Seen best = Seen::hidden;
  for (const Atom* atom : decision.permits) {
    if (rows(spot, *atom) != Truth::yes) continue;
    const policy::Sight given = atom->fields[static_cast<size_t>(field)];
    if (given == policy::Sight::clear) best = Seen::clear;
    if (given == policy::Sight::masked) best = std::min(best, Seen::masked);
  }
  return best;
}

std::vector<Reference::Viewed> Reference::authorised(const Dataset& dataset, const Decision& decision) const {
  std::vector<Viewed> out;
  for (const Row& row : world_[static_cast<size_t>(dataset.index)]) {
    const Spot spot{&dataset, &row};
    if (!visible(spot, decision)) continue;
    Viewed viewed{&row, {}, {}, {}, {}};
    for (int f = 0; f < static_cast<int>(dataset.fields.size()); ++f) {
      const Seen seen = sight(spot, f, decision);
      const Value value = shown(spot, f);
      const Value masked = seen == Seen::masked ? catalog::apply_mask(field_of(dataset, f), value) : Value{};
      viewed.seen.push_back(seen);
      viewed.shown.push_back(seen == Seen::clear ? value : masked);
      viewed.clear.push_back(seen == Seen::clear ? value : Value{});
      viewed.sort.push_back(seen == Seen::clear ? sort_key(spot, f) : masked);
    }
    out.push_back(std::move(viewed));
  }
  std::sort(out.begin(), out.end(), [](const Viewed& a, const Viewed& b) { return a.row->id < b.row->id; });
  return out;
}

std::string Reference::view(const Dataset& dataset, Action action, const std::string& purpose) {
  const Decision decision = decide(dataset, action, purpose);
  std::string out;
  for (const policy::HeldPost& post : posts()) {
    out += std::to_string(post.post);
    for (const std::string& unit : std::set<std::string>(post.units.begin(), post.units.end())) out += " " + unit;
    out += ";";
  }
  for (const Atom* atom : decision.permits) out += std::to_string(reinterpret_cast<uintptr_t>(atom)) + ",";
  for (const Viewed& viewed : authorised(dataset, decision)) {
    out += "\n" + std::to_string(viewed.row->id);
    for (size_t f = 0; f < viewed.seen.size(); ++f) {
      out += '|' + std::to_string(static_cast<int>(viewed.seen[f]));
      out += json_of(dataset.fields[f], viewed.shown[f]);
    }
  }
  return out;
}

// ---- queries

std::string Reference::closed_in(const Decision& decision, const Condition& condition) const {
  if (condition.kind == Condition::Kind::leaf) return closed(decision, condition.field, true) ? "closed" : "";
  for (const Condition& part : condition.parts) {
    if (!closed_in(decision, part).empty()) return "closed";
  }
  return "";
}

Expected Reference::answer(const query::Query& query, Action action, size_t skip) {
  Expected out;
  std::set<std::string> purposes = {"", "teaching_administration", "study"};
  for (const auto* atoms : {&rules_.regulation.atoms, &rules_.grants}) {
    for (const Atom& atom : *atoms) purposes.insert(atom.purposes.begin(), atom.purposes.end());
  }
  const Decision decision = decide(*query.dataset, action, query.purpose);
  if (asker_.agreement_due && query.dataset->has_subject) {
    out.refusal = "identity.agreement_due";
  } else if (!purposes.contains(query.purpose)) {
    out.refusal = "query.purpose_unknown";
  } else if (decision.permits.empty()) {
    out.refusal = "policy.denied";
  } else {
    return query.is_statistics() ? statistics(query, decision) : list(query, decision, skip);
  }
  return out;
}

Expected Reference::list(const query::Query& query, const Decision& decision, size_t skip) const {
  const Dataset& dataset = *query.dataset;
  Expected out;
  const auto refuse = [&](const std::string& path) {
    out = {};
    out.refusal = "policy.field_closed";
    out.path = path;
    return out;
  };
  out.columns = query.fields;
  for (size_t i = 0; i < out.columns.size(); ++i) {
    if (closed(decision, out.columns[i], true)) return refuse("fields[" + std::to_string(i) + "]");
  }
  for (int f = 0; query.fields.empty() && f < static_cast<int>(dataset.fields.size()); ++f) {
    if (!closed(decision, f, true)) out.columns.push_back(f);
  }
  if (query.where && !closed_in(decision, *query.where).empty()) return refuse("where");
  std::vector<query::OrderKey> order = query.order;
  for (size_t i = 0; i < order.size(); ++i) {
    if (closed(decision, order[i].field, true)) return refuse("order[" + std::to_string(i) + "].field");
  }
  for (const catalog::SortKey& key : dataset.order) {
    if (query.order.empty() && !closed(decision, key.field, true)) order.push_back({key.field, key.descending});
  }
  std::vector<Viewed> rows = authorised(dataset, decision);
  std::erase_if(rows, [&](const Viewed& row) {
    return query.where && truth({&dataset, row.row}, *query.where,
                                [&](int f) { return row.clear[static_cast<size_t>(f)]; }) != Truth::yes;
  });
  std::stable_sort(rows.begin(), rows.end(), [&](const Viewed& a, const Viewed& b) {
    for (const query::OrderKey& key : order) {
      const auto f = static_cast<size_t>(key.field);
      if (const int c = order_of(a.sort[f], b.sort[f], key.descending); c != 0) return c < 0;
    }
    return false;  // by id, as they stand
  });
  for (size_t r = skip; r < rows.size(); ++r) {
    if (out.rows.size() == static_cast<size_t>(query.limit)) {
      out.more = true;
      break;
    }
    std::string json;
    std::vector<Seen>& sights = out.sight.emplace_back();
    std::vector<Value>& cells = out.cells.emplace_back();
    for (int f : out.columns) {
      json += (json.empty() ? "" : ",") + json_of(field_of(dataset, f), rows[r].shown[static_cast<size_t>(f)]);
      sights.push_back(rows[r].seen[static_cast<size_t>(f)]);
      cells.push_back(rows[r].shown[static_cast<size_t>(f)]);
    }
    out.rows.push_back("[" + json + "]");
  }
  return out;
}

// ---- statistics

namespace {

__extension__ using Wide = __int128;

Wide ten_to(int n) {
  return n == 0 ? 1 : 10 * ten_to(n - 1);
}

// a / b, half up (away from zero).
Wide rounded(Wide a, Wide b) {
  const Wide size = a < 0 ? -a : a, twice = 2 * (size % b);
  const Wide whole = size / b + (twice >= b ? 1 : 0);
  return a < 0 ? -whole : whole;
}

void put(Wide scaled, int places, std::string& json, Value& key) {
  append_decimal(json, static_cast<int64_t>(scaled), places);
  key = static_cast<int64_t>(scaled);
}

int places_of(const Field& field) {
  return field.type == Type::decimal ? field.size : 0;
}

// Of all the values: the least r that is no less than sqrt(spread) / n, to `places` and half up.
Wide deviation(const std::vector<int64_t>& x, int field_places, int places) {
  const Wide n = static_cast<Wide>(x.size());
  Wide sum = 0, squares = 0;
  for (int64_t each : x) {
    sum += each;
    squares += static_cast<Wide>(each) * each;
  }
  const Wide spread = n * squares - sum * sum, unit = n * ten_to(field_places), scale = ten_to(places);
  Wide low = 0, high = Wide{1} << 40;  // the answer is the greatest r with (2r-1)·unit ≤ 2·sqrt(spread)·scale
  while (low < high) {
    const Wide r = (low + high + 1) / 2, side = (2 * r - 1) * unit;
    if (side * side <= 4 * spread * scale * scale) {
      low = r;
    } else {
      high = r - 1;
    }
  }
  return low;
}

}  // namespace

void Reference::measure(const query::Query& query, const query::Measure& measure,
                        const std::vector<const Viewed*>& rows, std::string& json, Value& key) const {
  json.clear();
  key = {};
  if (measure.function == Function::count) return put(static_cast<Wide>(rows.size()), 0, json, key);
  if (measure.function == Function::share) {
    Wide hits = 0;
    for (const Viewed* row : rows) {
      const Truth hit =
          truth({query.dataset, row->row}, *measure.where, [&](int f) { return row->clear[static_cast<size_t>(f)]; });
      hits += hit == Truth::yes ? 1 : 0;
    }
    if (!rows.empty())
      return put(rounded(hits * ten_to(measure.places), static_cast<Wide>(rows.size())), measure.places, json, key);
    json = "null";
    return;
  }
  const Field& field = field_of(*query.dataset, measure.field);
  std::vector<Value> values;
  for (const Viewed* row : rows) {
    const Value& value = row->clear[static_cast<size_t>(measure.field)];
    if (!is_null(value)) values.push_back(value);
  }
  std::sort(values.begin(), values.end());
  if (measure.function == Function::count_distinct)
    return put(static_cast<Wide>(std::set<Value>(values.begin(), values.end()).size()), 0, json, key);
  if (values.empty()) {
    json = measure.function == Function::histogram ? "[]" : "null";
    return;
  }
  if (measure.function == Function::min || measure.function == Function::max) {
    key = measure.function == Function::min ? values.front() : values.back();
    json = json_of(field, key);
    return;
  }
  std::vector<int64_t> numbers;
  for (const Value& value : values) numbers.push_back(std::get<int64_t>(value));
  const size_t n = numbers.size();
  Wide sum = 0;
  for (int64_t number : numbers) sum += number;
  const Wide scale = ten_to(measure.places), unit = ten_to(places_of(field));
  switch (measure.function) {
    case Function::sum:
      return put(sum, places_of(field), json, key);
    case Function::avg:
      return put(rounded(sum * scale, static_cast<Wide>(n) * unit), measure.places, json, key);
    case Function::median:
      return put(rounded((static_cast<Wide>(numbers[(n - 1) / 2]) + numbers[n / 2]) * scale, 2 * unit), measure.places,
                 json, key);
    case Function::stddev:
      return put(deviation(numbers, places_of(field), measure.places), measure.places, json, key);
    default:
      break;
  }
  std::map<int64_t, int64_t> buckets;
  for (int64_t number : numbers) {
    int64_t edge = number / measure.width * measure.width;
    if (edge > number) edge -= measure.width;
    ++buckets[edge];
  }
  for (const auto& [edge, count] : buckets) {
    json += json.empty() ? "[[" : ",[";
    append_decimal(json, edge, places_of(field));
    json += "," + std::to_string(count) + "]";
  }
  json += "]";
}

Expected Reference::statistics(const query::Query& query, const Decision& decision) const {
  const Dataset& dataset = *query.dataset;
  Expected out;
  // Until small groups can be held back, measures and groups are over fields seen in clear (issue: Foundation).
  if (query.where && !closed_in(decision, *query.where).empty()) out.path = "where";
  for (size_t i = 0; i < query.group.size() && out.path.empty(); ++i) {
    if (closed(decision, query.group[i], false)) out.path = "group[" + std::to_string(i) + "]";
  }
  for (size_t i = 0; i < query.measures.size() && out.path.empty(); ++i) {
    const query::Measure& each = query.measures[i];
    if (each.field >= 0 && closed(decision, each.field, false)) out.path = "measures[" + std::to_string(i) + "].field";
    if (each.where && !closed_in(decision, *each.where).empty()) out.path = "measures[" + std::to_string(i) + "].where";
  }
  if (!out.path.empty()) {
    out.refusal = "policy.field_closed";
    return out;
  }
  const std::vector<Viewed> view = authorised(dataset, decision);
  std::map<std::vector<Value>, std::vector<const Viewed*>> groups;
  if (query.group.empty()) groups[{}];  // without groups nothing, too, is measured
  for (const Viewed& row : view) {
    if (query.where && truth({&dataset, row.row}, *query.where,
                             [&](int f) { return row.clear[static_cast<size_t>(f)]; }) != Truth::yes)
      continue;
    std::vector<Value> key;
    for (int f : query.group) key.push_back(row.shown[static_cast<size_t>(f)]);
    groups[key].push_back(&row);
  }
  std::vector<std::pair<std::vector<Value>, std::string>> lines;
  for (const auto& [group, rows] : groups) {
    std::vector<Value> keys = group;
    std::string line;
    for (size_t g = 0; g < group.size(); ++g)
      line += (line.empty() ? "" : ",") + json_of(field_of(dataset, query.group[g]), group[g]);
    for (const query::Measure& each : query.measures) {
      std::string json;
      measure(query, each, rows, json, keys.emplace_back());
      line += (line.empty() ? "" : ",") + json;
    }
    lines.emplace_back(std::move(keys), "[" + line + "]");
  }
  std::vector<query::OrderKey> order = query.order;
  for (size_t g = 0; g < query.group.size(); ++g) order.push_back({static_cast<int>(g), false});
  std::stable_sort(lines.begin(), lines.end(), [&](const auto& a, const auto& b) {
    for (const query::OrderKey& key : order) {
      const auto at = static_cast<size_t>(key.field);
      if (const int c = order_of(a.first[at], b.first[at], key.descending); c != 0) return c < 0;
    }
    return false;
  });
  for (size_t i = 0; i < lines.size() && i < static_cast<size_t>(query.limit); ++i) out.rows.push_back(lines[i].second);
  return out;
}

}  // namespace jw::differential
