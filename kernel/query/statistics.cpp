// Folding counts by value into measures: integers only, one division at the end, half away from zero.
#include <algorithm>
#include <limits>
#include <map>

#include "base/fault.hpp"
#include "base/json.hpp"
#include "kernel/query/plan.hpp"

namespace jw::query {

using catalog::Type;
using catalog::Value;
using catalog::value_of;

namespace {

__extension__ using Wide = __int128;

constexpr Wide power_of_ten(int n) {
  Wide p = 1;
  for (int i = 0; i < n; ++i) p *= 10;
  return p;
}

// a / b to the nearest integer, halves away from zero; b > 0.
Wide divide(Wide a, Wide b) {
  return a >= 0 ? (a + JW_FAULT(42, b / 2, Wide{0})) / b : -((-a + b / 2) / b);
}

Wide square_root(Wide value) {
  if (value <= 0) return 0;
  Wide low = 0, high = Wide{1} << 63;
  while (low < high) {
    const Wide middle = (low + high + 1) / 2;
    if (middle <= value / middle) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

// Running result of one measure in one group, or of several that are made from the same columns.
struct Running {
  Wide sum = 0, squares = 0;
  int64_t count = 0;                  // not NULL
  Value extreme;                      // min, max
  std::map<Value, int64_t> by_value;  // median, histogram, count_distinct
};

// What a running result is of: two measures with equal parts share one.
enum class Part : uint8_t { spread, values, average, sum, plain, least, most };
struct Slot {
  Part part;
  size_t first, second;
  bool operator==(const Slot&) const = default;
};

// NULL last, integers by value, text by bytes.
int compare(const Value& a, const Value& b, bool descending) {
  const bool null_a = std::holds_alternative<std::monostate>(a), null_b = std::holds_alternative<std::monostate>(b);
  if (null_a || null_b) return null_a == null_b ? 0 : null_a ? JW_FAULT(43, 1, -1) : JW_FAULT(43, -1, 1);
  if (a == b) return 0;
  return (a < b) != descending ? -1 : 1;
}

struct Line {
  std::vector<Value> keys;  // values to order by: groups, then measures (NULL for histogram)
  std::vector<std::string> json;
};

class Folding {
 public:
  Folding(const Query& query, const Plan& plan) : query_(query), plan_(plan) {
    for (size_t m = 0; m < query.measures.size(); ++m) {
      const Slot slot = slot_for(m);
      const auto known = std::find(slots_.begin(), slots_.end(), slot);
      slot_of_.push_back(static_cast<size_t>(known - slots_.begin()));
      if (known == slots_.end()) slots_.push_back(slot);
    }
    // Without groups there is one answer, of nothing too; counts by value give no row to make it from.
    if (JW_FAULT(46, query.group.empty(), false)) groups_[{}].running.resize(slots_.size());
  }

  void add(const db::Rows& rows) {
    std::vector<Value> keys;
    for (const OutColumn& group : plan_.groups) keys.push_back(value_of(rows, group.column));
    const int64_t size = added_by(keys);
    const auto [at, added] = groups_.try_emplace(std::move(keys));
    if (added) {
      at->second.running.resize(slots_.size());
      bytes_ += size;
    }
    const int64_t count = rows.integer(plan_.count);
    at->second.rows += count;
    for (size_t s = 0; s < slots_.size(); ++s) add_slot(rows, slots_[s], count, at->second.running[s]);
  }

  // What it holds in memory, the answer to come included.
  int64_t bytes() const { return bytes_; }

  size_t groups() const { return groups_.size(); }

  Result<Statistics> finish(const Cursor* after) {
    std::vector<Line> results;
    for (const auto& [keys, group] : groups_) {
      Line result;
      for (size_t g = 0; g < keys.size(); ++g) {
        result.keys.push_back(keys[g]);
        result.json.push_back(cell(keys[g], plan_.groups[g].printed));
      }
      for (size_t m = 0; m < query_.measures.size(); ++m) finish_measure(m, group, result);
      results.push_back(std::move(result));
    }
    order(results);
    Statistics out;
    JsonWriter json(out.rows_json);
    json.array();
    out.groups = static_cast<int64_t>(results.size());
    const Line* last = nullptr;
    for (const Line& result : results) {
      if (after != nullptr && JW_FAULT(88, !comes_before(after->values, result.keys), false)) continue;
      if (out.rows == query_.limit) {
        out.last = Cursor{last->keys};
        break;
      }
      last = &result;
      ++out.rows;
      json.array();
      for (const std::string& text : result.json) json.raw(text);
      json.end_array();
    }
    json.end_array();
    if (overflow_) {
      return Refusal{Code::unprocessable,
                     "query.measure_too_large",
                     {"数值过大，无法精确统计；请减少小数位或收窄条件",
                      "the numbers are too large to measure exactly; ask for fewer places or narrow the conditions"}};
    }
    return out;
  }

 private:
  struct Folded {
    int64_t rows = 0;
    std::vector<Running> running;
  };

  static constexpr int64_t kNode = 48;  // of a tree, beside what it holds

  static int64_t size_of(const Value& value) {
    const std::string* text = std::get_if<std::string>(&value);
    return static_cast<int64_t>(sizeof(Value)) + (text == nullptr ? 0 : static_cast<int64_t>(text->size()));
  }

  // A group with its running results, and its line of the answer.
  int64_t added_by(const std::vector<Value>& keys) const {
    int64_t bytes = kNode + static_cast<int64_t>(sizeof(Folded) + slots_.size() * sizeof(Running) +
                                                 query_.measures.size() * (sizeof(Value) + sizeof(std::string)));
    for (const Value& key : keys) bytes += 3 * size_of(key);
    return bytes;
  }

  bool by_value(const Measure& measure) const {
    switch (measure.function) {
      case Function::median:
      case Function::histogram:
        return true;
      case Function::count_distinct:
        return !plan_.values.empty();
      default:
        return false;
    }
  }

  Slot slot_for(size_t m) const {
    const Measure& measure = query_.measures[m];
    const MeasureColumns& columns = plan_.measures[m];
    if (by_value(measure)) return {Part::values, columns.first, 0};
    switch (measure.function) {
      case Function::stddev:
        return {Part::spread, columns.first, 0};
      case Function::avg:
        return {Part::average, columns.first, columns.second};
      case Function::sum:
        return {Part::sum, columns.first, 0};
      case Function::min:
        return {Part::least, columns.first, 0};
      case Function::max:
        return {Part::most, columns.first, 0};
      default:
        return {Part::plain, columns.first, 0};
    }
  }

  void add_slot(const db::Rows& rows, const Slot& slot, int64_t count, Running& running) {
    switch (slot.part) {
      case Part::values: {
        if (rows.is_null(slot.first)) return;
        const auto [at, added] = running.by_value.try_emplace(value_of(rows, slot.first));
        if (added) bytes_ += kNode + static_cast<int64_t>(sizeof(int64_t)) + size_of(at->first);
        at->second += count;
        return;
      }
      case Part::spread: {
        if (rows.is_null(slot.first)) return;
        const Wide x = rows.integer(slot.first);
        running.count += count;
        running.sum += x * count;
        running.squares += x * x * count;
        return;
      }
      case Part::average:
        running.count += rows.integer(slot.second);
        running.sum += rows.integer(slot.first);
        return;
      case Part::sum:
        if (rows.is_null(slot.first)) return;
        running.sum += rows.integer(slot.first);
        ++running.count;
        return;
      case Part::plain:
        running.sum += rows.integer(slot.first);
        return;
      case Part::least:
      case Part::most: {
        const Value value = value_of(rows, slot.first);
        if (std::holds_alternative<std::monostate>(value)) return;
        const bool none = std::holds_alternative<std::monostate>(running.extreme);
        if (none || (slot.part == Part::least ? value < running.extreme : running.extreme < value))
          running.extreme = value;
        return;
      }
    }
  }

  std::string cell(const Value& value, const Printed& printed) const {
    std::string out;
    if (std::holds_alternative<std::monostate>(value)) return "null";
    catalog::Field field;
    field.type = printed.type;
    field.size = printed.places;
    catalog::append_json(out, field, value);
    return out;
  }

  void put_decimal(Wide scaled, int places, Line& result) {
    if (scaled > std::numeric_limits<int64_t>::max() || scaled < std::numeric_limits<int64_t>::min()) {
      overflow_ = true;
      scaled = 0;
    }
    std::string out;
    append_decimal(out, static_cast<int64_t>(scaled), places);
    result.keys.emplace_back(static_cast<int64_t>(scaled));
    result.json.push_back(std::move(out));
  }

  void put_null(Line& result) {
    result.keys.emplace_back();
    result.json.emplace_back("null");
  }

  int places_of(const Measure& measure) const {
    const catalog::Field& field = query_.dataset->fields.at(static_cast<size_t>(measure.field));
    return field.type == Type::decimal ? field.size : 0;
  }

  void finish_measure(size_t m, const Folded& group, Line& result) {
    const Measure& measure = query_.measures[m];
    const Running& running = group.running[slot_of_[m]];
    const Printed& printed = plan_.measures[m].printed;
    switch (measure.function) {
      case Function::count:
        return put_decimal(group.rows, 0, result);
      case Function::count_distinct:
        return put_decimal(by_value(measure) ? static_cast<Wide>(running.by_value.size()) : running.sum, 0, result);
      case Function::sum:
        return running.count == 0 ? put_null(result) : put_decimal(running.sum, printed.places, result);
      case Function::avg:
        if (running.count == 0) return put_null(result);
        return put_decimal(
            divide(running.sum * power_of_ten(measure.places), running.count * power_of_ten(places_of(measure))),
            measure.places, result);
      case Function::min:
      case Function::max:
        result.keys.push_back(running.extreme);
        result.json.push_back(cell(running.extreme, printed));
        return;
      case Function::share:
        if (group.rows == 0) return put_null(result);
        return put_decimal(divide(running.sum * power_of_ten(measure.places), group.rows), measure.places, result);
      case Function::median:
        return finish_median(measure, running, result);
      case Function::stddev:
        return finish_stddev(measure, running, result);
      case Function::histogram:
        return finish_histogram(measure, running, printed, result);
    }
  }

  static int64_t total(const Running& running) {
    int64_t n = 0;
    for (const auto& [value, count] : running.by_value) n += count;
    return n;
  }

  void finish_median(const Measure& measure, const Running& running, Line& result) {
    const int64_t n = total(running);
    if (n == 0) return put_null(result);
    // Sum of the two middle values (the same one twice when n is odd).
    Wide sum = 0;
    int64_t before = 0;
    for (const auto& [value, count] : running.by_value) {
      for (const int64_t middle : {JW_FAULT(44, (n - 1) / 2, n / 2), n / 2}) {
        if (before <= middle && middle < before + count) sum += std::get<int64_t>(value);
      }
      before += count;
    }
    put_decimal(divide(sum * power_of_ten(measure.places), 2 * power_of_ten(places_of(measure))), measure.places,
                result);
  }

  // Of the whole population: sqrt(n·Σx² − (Σx)²) / n.
  void finish_stddev(const Measure& measure, const Running& running, Line& result) {
    const int64_t n = running.count;
    if (n == 0) return put_null(result);
    Wide spread = 0, scaled = 0;
    if (__builtin_mul_overflow(running.squares, static_cast<Wide>(n), &spread)) overflow_ = true;
    spread -= running.sum * running.sum;
    // root(spread · (2·10^p)²) / (n·10^f), one more binary place for rounding.
    const Wide factor = 2 * power_of_ten(measure.places);
    if (__builtin_mul_overflow(spread, factor * factor, &scaled)) overflow_ = true;
    if (overflow_) return put_null(result);
    put_decimal(divide(square_root(scaled), 2 * static_cast<Wide>(n) * power_of_ten(places_of(measure))),
                measure.places, result);
  }

  void finish_histogram(const Measure& measure, const Running& running, const Printed& printed, Line& result) {
    std::map<int64_t, int64_t> buckets;
    for (const auto& [value, count] : running.by_value) {
      const int64_t x = std::get<int64_t>(value);
      const int64_t rest = ((x % measure.width) + measure.width) % measure.width;
      buckets[x - rest] += JW_FAULT(45, count, 1);
    }
    std::string out;
    JsonWriter json(out);
    json.array();
    for (const auto& [edge, count] : buckets) json.array().decimal(edge, printed.places).value(count).end_array();
    json.end_array();
    result.keys.emplace_back();
    result.json.push_back(std::move(out));
  }

  // No two groups are equal in all their keys, so a page ends at one place.
  bool comes_before(const std::vector<Value>& a, const std::vector<Value>& b) const {
    for (const OrderKey& key : query_.order) {
      const auto column = static_cast<size_t>(key.field);
      const int c = compare(a.at(column), b.at(column), key.descending);
      if (c != 0) return c < 0;
    }
    for (size_t g = 0; g < plan_.groups.size(); ++g) {
      const int c = compare(a.at(g), b.at(g), false);
      if (c != 0) return c < 0;
    }
    return false;
  }

  void order(std::vector<Line>& results) const {
    std::sort(results.begin(), results.end(),
              [this](const Line& a, const Line& b) { return comes_before(a.keys, b.keys); });
  }

  const Query& query_;
  const Plan& plan_;
  std::vector<Slot> slots_;
  std::vector<size_t> slot_of_;  // by measure
  std::map<std::vector<Value>, Folded> groups_;
  int64_t bytes_ = 0;
  bool overflow_ = false;
};

}  // namespace

Refusal too_heavy() {
  return {Code::too_large,
          "query.too_heavy",
          {"这个查询占用的内存超过上限，请减少分组、统计项或字段，或收窄条件",
           "this takes more memory than one question may: ask for fewer groups, measures or fields, or narrow the "
           "conditions"}};
}

Result<Statistics> fold(const Query& query, const Plan& plan, db::Rows& rows, bool first_row_read, int64_t bytes_most,
                        const Cursor* after) {
  Folding folding(query, plan);
  bool more = first_row_read || rows.next();
  int64_t read = 0;
  for (; more; more = rows.next()) {
    folding.add(rows);
    if (folding.bytes() > bytes_most) return too_heavy();
    if (static_cast<int64_t>(folding.groups()) > kGroupsMax || ++read > 20 * kGroupsMax) {
      return Refusal{Code::too_large,
                     "query.too_many_groups",
                     {"分组多于 " + std::to_string(kGroupsMax) + " 个，请减少分组或收窄条件",
                      "more than " + std::to_string(kGroupsMax) + " groups; group by less or narrow the conditions"}};
    }
  }
  return folding.finish(after);
}

}  // namespace jw::query
