#include "tests/differential/oracles.hpp"

#include <algorithm>
#include <charconv>
#include <set>

namespace jw::differential {

namespace json = boost::json;
using catalog::Dataset;
using catalog::Field;
using catalog::Op;
using catalog::Type;

namespace {

// PostgreSQL where it takes part.
Side& tried(const Sides& sides) {
  return sides.postgres != nullptr ? *sides.postgres : *sides.sqlite;
}

bool is_list(const Case& one) {
  return one.form == Case::Form::ask && !one.request.contains("measures") && !one.request.contains("unheard_of");
}

const Dataset& dataset_of(const Case& one) {
  return *one.catalogue().find(one.request.at("dataset").as_string());
}

bool is_refused(const std::string& answer) {
  return answer.starts_with("refused");
}

json::array rows_in(const std::string& answer) {
  return json::parse(answer).at("rows").as_array();
}

// Rows and marks row by row, so that pages can be put one after the other.
std::vector<std::string> marked_rows(const std::string& answer) {
  const json::value parsed = json::parse(answer);
  std::vector<std::string> rows;
  for (const json::value& row : parsed.at("rows").as_array()) rows.push_back(json::serialize(row));
  for (const json::value& mark : parsed.at("hidden").at("cells").as_array())
    rows.at(static_cast<size_t>(mark.at(0).as_int64())) +=
        " " + json::serialize(mark.at(1)) + json::serialize(mark.at(2));
  return rows;
}

json::value both(const json::value* where, json::value further) {
  if (where == nullptr) return further;
  return json::object{{"all", json::array{*where, std::move(further)}}};
}

// A random leaf over a field that the asker may name, and the condition that it is unknown; nothing without such a
// field.
struct Partition {
  json::value holds, fails, unknown;
};
std::optional<Partition> any_partition(Dice& dice, Side& side, const Case& one) {
  const Dataset& dataset = dataset_of(one);
  for (int tries = 0; tries < 4; ++tries) {
    json::value leaf = any_condition(dice, one.catalogue(), dataset, 0);
    if (leaf.at("op") == "is_null") continue;
    Case named = one;
    named.request["where"] = leaf;
    if (is_refused(answer_of(side.engine(), named))) continue;
    return Partition{leaf, json::object{{"not", leaf}},
                     json::object{{"field", leaf.at("field")}, {"op", "is_null"}, {"value", true}}};
  }
  return std::nullopt;
}

std::string ask_where(Side& side, Case one, const json::value& where) {
  one.request["where"] = where;
  return answer_of(side.engine(), one);
}

// The numbers of an answer of one row, without their points; nothing for NULL.
std::vector<std::optional<int64_t>> numbers_in(const std::string& answer) {
  constexpr std::string_view kRows = "\"rows\":[[";
  const size_t begin = answer.find(kRows) + kRows.size();
  std::string row = answer.substr(begin, answer.find("]]", begin) - begin);
  std::erase(row, '.');
  std::vector<std::optional<int64_t>> out;
  for (size_t at = 0; at <= row.size();) {
    const size_t end = std::min(row.find(',', at), row.size());
    int64_t number = 0;
    const bool is_number = std::from_chars(row.data() + at, row.data() + end, number).ec == std::errc{};
    out.push_back(is_number ? std::optional(number) : std::nullopt);
    at = end + 1;
  }
  return out;
}

template <class Fold>
std::optional<int64_t> combined(std::initializer_list<std::optional<int64_t>> parts, Fold fold) {
  std::optional<int64_t> out;
  for (const auto& part : parts) {
    if (part) out = out ? fold(*out, *part) : *part;
  }
  return out;
}

Found found(std::string wrong, const Case& one) {
  return {std::move(wrong), one};
}

}  // namespace

std::optional<Found> as_the_reference_says(const Sides& sides, Cases cases) {
  for (const Case& one : cases) {
    Side& side = tried(sides);
    side.at(one.now_us);
    if (auto wrong = compare_with_reference(side.engine(), one)) return found(*wrong, one);
  }
  return std::nullopt;
}

std::optional<Found> order_of_permits_is_nothing(const Sides& sides, Cases cases) {
  std::vector<std::string> before;
  for (const Case& one : cases) {
    tried(sides).at(one.now_us);
    before.push_back(rows_of(answer_of(tried(sides).engine(), one)));
  }
  Dice dice(cases.front().seed);
  std::vector<policy::Grant> grants = cases.front().grants();
  const size_t count = grants.size();
  for (size_t i = 0; i < count; ++i) {
    if (dice.chance(40)) grants.push_back(grants[i]);
    if (dice.chance(20)) {
      const auto effect = dice.chance(50) ? policy::Effect::permit : policy::Effect::forbid;
      grants.push_back(any_grant(dice, cases.front().catalogue(), kNow, effect, cases.front().account));
      grants.back().from = {0};
      grants.back().until = {1};
    }
  }
  for (size_t i = grants.size(); i > 1; --i) std::swap(grants[i - 1], grants[dice.below(i)]);
  for (size_t i = 0; i < grants.size(); ++i) grants[i].number = "S" + std::to_string(i);
  tried(sides).put_grants(grants);
  for (size_t i = 0; i < cases.size(); ++i) {
    tried(sides).at(cases[i].now_us);
    const std::string after = rows_of(answer_of(tried(sides).engine(), cases[i]));
    const bool both_refused = is_refused(before[i]) && is_refused(after);  // words of refusals name grants
    // A purpose is a word of the language from the first grant on that names it, in force or not.
    const bool new_word = before[i].starts_with("refused query.purpose_unknown");
    if (after != before[i] && !both_refused && !new_word)
      return found("permits in another order: " + before[i] + "\nthen " + after, cases[i]);
  }
  return std::nullopt;
}

std::optional<Found> permits_add_and_forbids_remove(const Sides& sides, Cases cases) {
  Dice dice(cases.front().seed);
  Side& side = tried(sides);
  // How many rows there are, and of how many each field is seen in clear and not NULL.
  const auto measure = [&](const Case& one) {
    std::vector<size_t> sizes;
    Case asked = one;
    asked.form = Case::Form::ask;
    json::object request{{"dataset", one.request.at("dataset")}, {"limit", 1000}, {"purpose", "study"}};
    asked.request = request;
    side.at(one.now_us);
    const std::string all = answer_of(side.engine(), asked);
    sizes.push_back(is_refused(all) ? 0 : rows_in(all).size());
    for (const Field& field : dataset_of(one).fields) {
      asked.request["where"] = json::object{{"field", field.name}, {"op", "is_null"}, {"value", false}};
      const std::string some = answer_of(side.engine(), asked);
      sizes.push_back(is_refused(some) ? 0 : rows_in(some).size());
    }
    return sizes;
  };
  const Case& one = cases.front();
  const std::vector<size_t> before = measure(one);
  std::vector<policy::Grant> grants = one.grants();
  const policy::Effect effect = dice.chance(50) ? policy::Effect::permit : policy::Effect::forbid;
  grants.push_back(any_grant(dice, one.catalogue(), kNow, effect, one.account));
  side.put_grants(grants);
  const std::vector<size_t> after = measure(one);
  for (size_t i = 0; i < before.size(); ++i) {
    const bool well = effect == policy::Effect::permit ? before[i] <= after[i] : before[i] >= after[i];
    if (well) continue;
    return found((effect == policy::Effect::permit ? "a permit more shows less: " : "a forbid more shows more: ") +
                     grants.back().dataset + " " + grants.back().content +
                     (i == 0 ? " rows " : " field " + dataset_of(one).fields[i - 1].name + " ") +
                     std::to_string(before[i]) + " then " + std::to_string(after[i]),
                 one);
  }
  return std::nullopt;
}

namespace {

std::optional<std::string> partition_rows(Side& side, Case one, const Partition& by) {
  const json::value* where = one.request.if_contains("where");
  const json::value kept = where == nullptr ? json::value() : *where;
  one.request["limit"] = 1000;
  const std::string whole = answer_of(side.engine(), one);
  if (is_refused(whole)) return std::nullopt;
  std::vector<std::string> expected, got;
  for (const json::value& row : rows_in(whole)) expected.push_back(json::serialize(row));
  for (const json::value* part : {&by.holds, &by.fails, &by.unknown}) {
    const std::string answer = ask_where(side, one, both(kept.is_null() ? nullptr : &kept, *part));
    if (is_refused(answer)) return "a part is refused: " + answer;
    for (const json::value& row : rows_in(answer)) got.push_back(json::serialize(row));
  }
  std::sort(expected.begin(), expected.end());
  std::sort(got.begin(), got.end());
  if (expected == got) return std::nullopt;
  return "the parts by " + json::serialize(by.holds) + " have " + std::to_string(got.size()) +
         " rows, not those of the whole: " + whole;
}

std::optional<std::string> partition_measures(Side& side, const Case& one, const Partition& by) {
  const Dataset& dataset = dataset_of(one);
  for (const Field& field : dataset.fields) {
    if (field.type != Type::integer && field.type != Type::decimal) continue;
    Case asked = one;
    asked.form = Case::Form::ask;
    asked.request = {{"dataset", dataset.name}};
    if (one.request.contains("purpose")) asked.request["purpose"] = one.request.at("purpose");
    json::array measures{json::object{{"fn", "count"}}};
    for (const char* fn : {"sum", "min", "max"}) measures.push_back(json::object{{"fn", fn}, {"field", field.name}});
    asked.request["measures"] = std::move(measures);
    const std::string whole = answer_of(side.engine(), asked);
    if (is_refused(whole)) continue;
    const std::string yes = ask_where(side, asked, by.holds), no = ask_where(side, asked, by.fails),
                      unknown = ask_where(side, asked, by.unknown);
    if (is_refused(yes)) return std::nullopt;  // the leaf is open for lists, not for statistics
    const auto w = numbers_in(whole), y = numbers_in(yes), n = numbers_in(no), u = numbers_in(unknown);
    const auto plus = [](int64_t a, int64_t b) { return a + b; };
    const auto least = [](int64_t a, int64_t b) { return std::min(a, b); };
    const auto most = [](int64_t a, int64_t b) { return std::max(a, b); };
    if (w[0] != combined({y[0], n[0], u[0]}, plus) || w[1] != combined({y[1], n[1], u[1]}, plus) ||
        w[2] != combined({y[2], n[2], u[2]}, least) || w[3] != combined({y[3], n[3], u[3]}, most))
      return "the parts by " + json::serialize(by.holds) + " do not make " + whole + "\n" + yes + "\n" + no + "\n" +
             unknown;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Found> partitions_make_the_whole(const Sides& sides, Cases cases) {
  for (const Case& one : cases) {
    if (one.form != Case::Form::ask || one.request.contains("unheard_of")) continue;
    Dice dice(one.seed);
    tried(sides).at(one.now_us);
    const auto by = any_partition(dice, tried(sides), one);
    if (!by) continue;
    if (is_list(one)) {
      if (auto wrong = partition_rows(tried(sides), one, *by)) return found(*wrong, one);
    } else if (auto wrong = partition_measures(tried(sides), one, *by)) {
      return found(*wrong, one);
    }
  }
  return std::nullopt;
}

std::optional<Found> filter_counts_what_holds(const Sides& sides, Cases cases) {
  for (const Case& one : cases) {
    if (one.form != Case::Form::ask || !one.request.contains("where") || one.request.contains("unheard_of")) continue;
    const json::value& where = one.request.at("where");
    Case asked = one;
    asked.request = {{"dataset", one.request.at("dataset")},
                     {"measures", json::array{json::object{{"fn", "count"}}}},
                     {"where", where}};
    if (one.request.contains("purpose")) asked.request["purpose"] = one.request.at("purpose");
    tried(sides).at(one.now_us);
    const std::string filtered = answer_of(tried(sides).engine(), asked);
    asked.request.erase("where");
    asked.request["measures"] =
        json::array{json::object{{"fn", "count"}}, json::object{{"fn", "share"}, {"where", where}, {"places", 6}}};
    const std::string unfiltered = answer_of(tried(sides).engine(), asked);
    if (is_refused(filtered) != is_refused(unfiltered)) return found(filtered + "\n" + unfiltered, one);
    if (is_refused(filtered)) continue;
    const auto all = numbers_in(unfiltered);
    const int64_t hits = all[1] ? (*all[0] * *all[1] + 500'000) / 1'000'000 : 0;
    if (numbers_in(filtered)[0] != hits)
      return found("counted by filter: " + filtered + "\nby looking at each: " + unfiltered, one);
  }
  return std::nullopt;
}

std::optional<Found> stores_agree(const Sides& sides, Cases cases) {
  for (const Case& one : cases) {
    sides.sqlite->at(one.now_us);
    sides.postgres->at(one.now_us);
    const std::string sqlite = answer_of(sides.sqlite->engine(), one),
                      postgres = answer_of(sides.postgres->engine(), one);
    if (sqlite != postgres) return found("SQLite   " + sqlite + "\nPostgreSQL " + postgres, one);
  }
  return std::nullopt;
}

std::optional<Found> cached_plans_answer_the_same(const Sides& sides, Cases cases) {
  for (Case one : cases) {
    tried(sides).at(one.now_us);
    // The same question by somebody else in between: plans are shared by shape, never by person.
    const int64_t first = one.account;
    for (int64_t account : {first, first % kAccounts + 1, first}) {
      one.account = account;
      const std::string cached = answer_of(tried(sides).engine(), one), made = answer_of(tried(sides).uncached(), one);
      if (cached != made) return found("cached " + cached + "\nmade now " + made, one);
    }
  }
  return std::nullopt;
}

namespace {

// Values that appear nowhere else, in every leaf; false when there is none that can take one.
bool plant(const Dataset& dataset, json::value& node, std::vector<std::string>& planted) {
  if (json::array* parts = node.if_array()) {
    bool any = false;
    for (json::value& part : *parts) any = plant(dataset, part, planted) || any;
    return any;
  }
  json::object* object = node.if_object();
  if (object == nullptr) return false;
  if (!object->contains("op")) {
    bool any = false;
    for (auto& member : *object) any = plant(dataset, member.value(), planted) || any;
    return any;
  }
  const Field& field = dataset.fields[static_cast<size_t>(dataset.field(object->at("field").as_string()))];
  json::value value;
  switch (field.type) {
    case Type::text:
    case Type::ref:
      value = "QZWXEC";
      break;
    case Type::integer:
    case Type::decimal:
      value = 76543219;
      break;
    case Type::date:
      value = "1987-06-05";
      break;
    default:
      return false;
  }
  const std::string& op = std::string(object->at("op").as_string());
  if (op == "is_null") return false;
  object->at("value") = op == "in" || op == "between" ? json::value(json::array{value, value}) : value;
  planted.push_back(value.is_string() ? std::string(value.get_string()) : "76543219");
  return true;
}

}  // namespace

std::optional<Found> text_holds_no_value(const Sides& sides, Cases cases) {
  for (const Case& one : cases) {
    if (one.form != Case::Form::ask) continue;
    Side& side = tried(sides);
    side.at(one.now_us);
    const auto before = side.engine().statement(one.asker(), one.request);
    if (!before) continue;
    if (before->sql.find(kSentinel) != std::string::npos) return found("a value stands in " + before->sql, one);
    Case other = one;
    std::vector<std::string> planted;
    for (const char* key : {"where", "measures"}) {
      if (json::value* node = other.request.if_contains(key)) plant(dataset_of(one), *node, planted);
    }
    const auto after = side.engine().statement(other.asker(), other.request);
    if (!after) return found("other values are refused: " + after.refusal().detail.en, one);
    if (before->sql != after->sql) return found("other values, another text:\n" + before->sql + "\n" + after->sql, one);
    for (const std::string& value : planted) {
      if (after->sql.find(value) != std::string::npos) return found("a value stands in " + after->sql, one);
    }
  }
  return std::nullopt;
}

std::optional<Found> pages_make_the_whole(const Sides& sides, Cases cases) {
  for (const Case& one : cases) {
    if (one.form != Case::Form::ask || one.request.contains("unheard_of")) continue;
    Side& side = tried(sides);
    side.at(one.now_us);
    Case asked = one;
    asked.request["limit"] = 1000;
    const std::string whole = answer_of(side.engine(), asked);
    if (is_refused(whole)) continue;
    std::vector<std::string> walked;
    asked.request["limit"] = 1 + static_cast<int64_t>(one.seed % 3);
    for (int page = 0; page < 20; ++page) {
      const std::string answer = answer_of(side.engine(), asked);
      if (is_refused(answer)) return found("page " + std::to_string(page) + ": " + answer, one);
      for (std::string& row : marked_rows(answer)) walked.push_back(std::move(row));
      const json::value next = json::parse(answer).at("next");
      if (next.is_null()) break;
      // The token is the account's own, and this query's own.
      Case stranger = asked;
      stranger.account = one.account % kAccounts + 1;
      stranger.request["after"] = next;
      if (const std::string stolen = answer_of(side.engine(), stranger); !is_refused(stolen))
        return found("somebody else's page token is taken: " + stolen, one);
      asked.request["after"] = next;
    }
    if (walked != marked_rows(whole)) {
      std::string pages;
      for (const std::string& row : walked) pages += row + "\n";
      return found("page by page\n" + pages + "at once " + whole, one);
    }
  }
  return std::nullopt;
}

namespace {

// The authorised view that these cases of one account look into.
std::string view_of(Cases cases, const World& world) {
  std::string out;
  std::set<std::string> seen;
  for (const Case& one : cases) {
    const policy::Asker asker = one.asker();
    const json::value* purpose = one.request.if_contains("purpose");
    const std::string text = purpose == nullptr ? "" : std::string(purpose->as_string());
    const policy::Action action = action_of(one);
    if (!seen.insert(dataset_of(one).name + text + std::to_string(static_cast<int>(action)) +
                     std::to_string(one.now_us))
             .second)
      continue;
    out += authorised_view({one.rules(), world, asker, {one.now_us}}, dataset_of(one), action, text) + "\n--\n";
  }
  return out;
}

std::vector<std::string> all_answers(Side& side, Cases cases) {
  std::vector<std::string> out;
  for (const Case& one : cases) {
    side.at(one.now_us);
    out.push_back(answer_of(side.engine(), one));
    if (one.form == Case::Form::ask) {
      const auto explained = side.engine().explain(one.asker(), one.request);
      const auto* answer = std::get_if<query::Answer>(&explained.result);
      out.back() += answer == nullptr ? std::get<Refusal>(explained.result).type : answer->json;
    }
    const auto described = side.engine().dataset_json(one.asker(), dataset_of(one).name);
    out.back() += described ? *described : described.refusal().detail.en;
  }
  return out;
}

}  // namespace

std::optional<Found> hidden_data_changes_nothing(const Sides& sides, Cases cases) {
  Side& side = tried(sides);
  std::vector<Case> mine;
  for (const Case& one : cases) {
    if (one.account == cases.front().account) mine.push_back(one);
  }
  const World& world = *mine.front().world;
  const std::string view = view_of(mine, world);
  Dice dice(mine.front().seed);
  World other = world;
  bool changed = false;
  for (int i = 0; i < 16; ++i) {
    World next = other;
    disturb(dice, mine.front().catalogue(), next, 3);
    if (view_of(mine, next) != view) continue;
    other = std::move(next);
    changed = true;
  }
  if (!changed) return std::nullopt;
  const std::vector<std::string> before = all_answers(side, mine);
  side.put_world(other);
  const std::vector<std::string> after = all_answers(side, mine);
  for (size_t i = 0; i < mine.size(); ++i) {
    if (before[i] == after[i]) continue;
    return found("the same view, another answer:\n" + before[i] + "\n" + after[i] + "\nthe other world:\n" +
                     print(mine[i].catalogue(), other),
                 mine[i]);
  }
  return std::nullopt;
}

std::optional<Found> revocation_acts_at_once(const Sides& sides, Cases cases) {
  Side& side = tried(sides);
  Case one = cases.front();
  side.at(one.now_us);
  answer_of(side.engine(), one);
  Dice dice(one.seed);
  std::vector<policy::Grant> kept;
  for (const policy::Grant& grant : one.grants()) {
    if (dice.chance(50)) kept.push_back(grant);
  }
  one.set_policy(one.defaults(), kept);
  side.put_grants(kept);
  if (auto wrong = compare_with_reference(side.engine(), one)) return found("after a revocation: " + *wrong, one);
  side.end_sessions(true);
  const std::string ended = answer_of(side.engine(), one);
  side.end_sessions(false);
  // What is wrong with the question itself is told to anyone.
  if (!ended.starts_with("refused identity.session_ended") && !ended.starts_with("refused query."))
    return found("after the session ended: " + ended, one);
  return std::nullopt;
}

}  // namespace jw::differential
