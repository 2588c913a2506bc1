#include "tests/differential/generate.hpp"

#include <algorithm>

#include "base/json.hpp"
#include "kernel/catalog/condition.hpp"

namespace jw::differential {

namespace json = boost::json;
using catalog::Catalogue;
using catalog::Dataset;
using catalog::Field;
using catalog::Op;
using catalog::Type;

namespace {

json::value literal(Dice& dice, const Catalogue& catalogue, const Field& field, Op op) {
  const Value value = any_value(dice, catalogue, field);
  std::string text;
  if (const auto* number = std::get_if<int64_t>(&value)) {
    if (field.type == Type::boolean) return *number != 0;
    if (field.type == Type::integer) return *number;
    if (field.type == Type::decimal) {
      append_decimal(text, *number, field.size);
      return json::string(text);
    }
    text = field.type == Type::weeks ? catalog::print_weeks(*number) : Instant{*number}.print();
    return json::string(text);
  }
  text = std::get<std::string>(value);
  if (field.type == Type::text && dice.chance(3)) return json::string(kSentinel);
  // A part of a text is still text: cut at a character.
  if ((op == Op::contains || op == Op::starts) && dice.chance(50)) {
    size_t end = 1;
    while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) ++end;
    text = dice.chance(10) ? "" : text.substr(0, end);
  }
  return json::string(text);
}

void fill_value(Dice& dice, const Catalogue& catalogue, const Field& field, Op op, json::object& leaf) {
  if (op == Op::is_null) {
    leaf["value"] = dice.chance(50);
  } else if (op == Op::between || op == Op::in) {
    json::array values;
    for (size_t n = op == Op::between ? 2 : dice.below(4); n > 0; --n)
      values.push_back(literal(dice, catalogue, field, op));
    leaf["value"] = std::move(values);
  } else {
    leaf["value"] = literal(dice, catalogue, field, op);
  }
}

// A leaf that only permissions and relations may have; nothing when this field has none.
std::optional<json::value> regulation_leaf(Dice& dice, const Catalogue& catalogue, const Dataset& dataset,
                                           const Field& field) {
  if (dataset.person && dice.chance(20)) return json::object{{"field", "id"}, {"is", "me"}};
  if (field.type == Type::date) {
    const char* op = std::vector<const char*>{"eq", "ne", "lt", "le", "gt", "ge"}[dice.below(6)];
    if (dice.chance(50)) return json::object{{"field", field.name}, {"op", op}, {"today", true}};
    return json::object{{"field", field.name}, {"op", op}, {"today_minus_years", "years"}};
  }
  if (field.type != Type::ref) return std::nullopt;
  const Dataset& target = catalogue.datasets[static_cast<size_t>(field.ref)];
  if (target.person && dice.chance(50)) return json::object{{"field", field.name}, {"is", "me"}};
  for (const catalog::Relation& relation : catalogue.relations) {
    if (relation.of == target.index) return json::object{{"field", field.name}, {"in_relation", relation.name}};
  }
  return std::nullopt;
}

json::array names_of(const Dataset& dataset, const std::vector<int>& fields) {
  json::array out;
  for (int f : fields) out.emplace_back(dataset.fields[static_cast<size_t>(f)].name);
  return out;
}

json::array some(Dice& dice, const std::vector<const char*>& all, int percent) {
  json::array out;
  for (const char* each : all) {
    if (dice.chance(percent)) out.emplace_back(each);
  }
  return out;
}

const std::vector<const char*> kReading = {"query", "detail", "statistics", "print", "export"};

}  // namespace

json::value any_condition(Dice& dice, const Catalogue& catalogue, const Dataset& dataset, int depth, bool regulation) {
  if (depth > 0 && dice.chance(45)) {
    if (dice.chance(35)) return json::object{{"not", any_condition(dice, catalogue, dataset, depth - 1, regulation)}};
    json::array parts;
    for (size_t n = dice.chance(5) ? 0 : 1 + dice.below(3); n > 0; --n)
      parts.push_back(any_condition(dice, catalogue, dataset, depth - 1, regulation));
    return json::object{{dice.chance(50) ? "all" : "any", std::move(parts)}};
  }
  const Field& field = dice.of(dataset.fields);
  if (regulation && dice.chance(50)) {
    if (auto leaf = regulation_leaf(dice, catalogue, dataset, field)) return *leaf;
  }
  const Op op = dice.of(catalog::ops_of(field));
  json::object leaf{{"field", field.name}, {"op", catalog::op_name(op)}};
  fill_value(dice, catalogue, field, op, leaf);
  return leaf;
}

policy::Grant any_grant(Dice& dice, const Catalogue& catalogue, int64_t now_us, policy::Effect effect,
                        int64_t account) {
  static int64_t number = 0;
  policy::Grant grant;
  grant.number = "G" + std::to_string(++number);
  grant.effect = effect;
  grant.account = account;
  const Dataset& dataset = dice.chance(45) ? *catalogue.find("mark") : dice.of(catalogue.datasets);
  grant.dataset = dataset.name;
  grant.source = "2.4.1";
  json::object content;
  if (dice.chance(effect == policy::Effect::permit ? 35 : 10)) {
    content["rows"] = "all";
  } else if (dice.chance(50) && !dataset.bindings.empty()) {
    content["rows"] = catalogue.relations[static_cast<size_t>(dice.of(dataset.bindings).relation)].name;
    if (dice.chance(40)) content["where"] = any_condition(dice, catalogue, dataset, 2, true);
  } else {
    content["rows"] = any_condition(dice, catalogue, dataset, 2);
  }
  std::vector<int> clear, masked;
  const int open = dice.chance(30) ? 100 : 55;
  for (int f = 0; f < static_cast<int>(dataset.fields.size()); ++f) {
    if (dice.chance(open)) {
      clear.push_back(f);
    } else if (dice.chance(50)) {
      masked.push_back(f);
    }
  }
  if (dice.chance(3)) clear.clear();
  content["clear"] = names_of(dataset, clear);
  content["masked"] = dice.chance(5) ? json::array{"*"} : names_of(dataset, masked);
  content["actions"] = dice.chance(80) ? some(dice, kReading, 100) : some(dice, kReading, 60);
  for (const json::value& writing : some(dice, {"enter", "review"}, 60))
    content["actions"].as_array().push_back(writing);
  content["purposes"] =
      dice.chance(40) ? json::array() : some(dice, {"study", "teaching_administration", "inspection"}, 60);
  grant.content = json::serialize(content);
  grant.from = {dice.chance(75) ? 0 : now_us + dice.between(-1, 1)};
  grant.until = {dice.chance(75) ? kNow + 365 * kDay : now_us + dice.between(0, 1)};
  if (grant.from >= grant.until) grant.until = {grant.from.us + 1};
  return grant;
}

std::vector<policy::Grant> any_grants(Dice& dice, const Catalogue& catalogue, int64_t now_us) {
  std::vector<policy::Grant> grants;
  for (int64_t account = 1; account <= kAccounts; ++account) {
    for (size_t n = dice.below(4); n > 0; --n) {
      grants.push_back(any_grant(dice, catalogue, now_us, policy::Effect::permit, account));
      if (dice.chance(20)) grants.back().unit = "u" + std::to_string(dice.between(1, 3));
    }
    if (dice.chance(25)) grants.push_back(any_grant(dice, catalogue, now_us, policy::Effect::forbid, account));
  }
  for (const char* post : {"learner", "teacher", "head"}) {
    if (!dice.chance(40)) continue;
    grants.push_back(
        any_grant(dice, catalogue, now_us, dice.chance(75) ? policy::Effect::permit : policy::Effect::forbid, 0));
    grants.back().post = post;
    if (dice.chance(50)) grants.back().unit = "u" + std::to_string(dice.between(1, 3));
  }
  return grants;
}

std::vector<policy::Atom> any_defaults(Dice& dice, const Catalogue& catalogue) {
  const policy::Regulation regulation = test_regulation(catalogue);
  std::vector<policy::Atom> atoms;
  for (size_t n = 1 + dice.below(6); n > 0; --n) {
    policy::Grant grant =
        any_grant(dice, catalogue, kNow, dice.chance(85) ? policy::Effect::permit : policy::Effect::forbid, 1);
    policy::Atom atom = policy::grant_atom(catalogue, regulation, grant).value();
    atom.grant.clear();
    atom.clause = std::string("2.") + std::to_string(1 + dice.below(3)) + "." + std::to_string(1 + dice.below(3));
    atom.account = 0;
    atom.post = static_cast<int>(dice.below(regulation.posts.size()));
    atom.from_us = INT64_MIN;
    atom.until_us = INT64_MAX;
    if (atom.purposes.empty()) atom.purposes = {"teaching_administration", "study"};
    if (atom.rows == policy::Atom::Rows::where) {
      const Dataset& dataset = catalogue.datasets[static_cast<size_t>(atom.dataset)];
      atom.where = catalog::parse_condition(catalogue, dataset, any_condition(dice, catalogue, dataset, 2, true),
                                            catalog::ConditionUse::regulation, "where")
                       .value();
    }
    atoms.push_back(std::move(atom));
  }
  return atoms;
}

// ---- questions

namespace {

// Fields that a permit for this account or any post names, most of the time; else any.
int any_field(Dice& dice, const Dataset& dataset, const std::vector<int>& open) {
  if (!open.empty() && dice.chance(96)) return dice.of(open);
  return static_cast<int>(dice.below(dataset.fields.size()));
}

void open_fields(const policy::Atom& atom, const Dataset& dataset, bool in_clear, std::vector<int>& open) {
  if (atom.effect != policy::Effect::permit || atom.dataset != dataset.index) return;
  for (int f = 0; f < static_cast<int>(dataset.fields.size()); ++f) {
    const policy::Sight sight = atom.fields[static_cast<size_t>(f)];
    if (sight == policy::Sight::clear || (sight == policy::Sight::masked && !in_clear)) open.push_back(f);
  }
}

// A condition over open fields: leaves over others are named anew.
void keep_open(Dice& dice, const Catalogue& catalogue, const Dataset& dataset, const std::vector<int>& open,
               json::value& condition) {
  json::object& object = condition.as_object();
  for (const char* key : {"all", "any"}) {
    if (json::value* parts = object.if_contains(key)) {
      for (json::value& part : parts->as_array()) keep_open(dice, catalogue, dataset, open, part);
    }
  }
  if (json::value* part = object.if_contains("not")) keep_open(dice, catalogue, dataset, open, *part);
  if (!object.contains("field")) return;
  const Field& field = dataset.fields[static_cast<size_t>(any_field(dice, dataset, open))];
  const Op op = dice.of(catalog::ops_of(field));
  object["field"] = field.name;
  object["op"] = catalog::op_name(op);
  fill_value(dice, catalogue, field, op, object);
}

json::value open_condition(Dice& dice, const Catalogue& catalogue, const Dataset& dataset,
                           const std::vector<int>& open) {
  json::value condition = any_condition(dice, catalogue, dataset, 3);
  keep_open(dice, catalogue, dataset, open, condition);
  return condition;
}

bool is_number(const Field& field) {
  return field.type == Type::integer || field.type == Type::decimal;
}

json::array any_measures(Dice& dice, const Catalogue& catalogue, const Dataset& dataset, const std::vector<int>& open,
                         const std::vector<int>& in_clear) {
  static const std::vector<const char*> kFunctions = {"count", "count_distinct", "sum",    "avg",    "min",
                                                      "max",   "share",          "median", "stddev", "histogram"};
  json::array measures;
  for (size_t n = 1 + dice.below(4); n > 0; --n) {
    const std::string fn = dice.of(kFunctions);
    json::object measure{{"fn", fn}, {"as", "m" + std::to_string(n)}};
    if (fn == "share") measure["where"] = open_condition(dice, catalogue, dataset, open);
    if (fn != "share" && fn != "count") {
      std::vector<int> fitting;
      for (int f : in_clear) {
        const Field& field = dataset.fields[static_cast<size_t>(f)];
        const bool ordered = fn == "min" || fn == "max";
        if (fn == "count_distinct" || is_number(field) ||
            (ordered && (field.type == Type::date || field.type == Type::timestamp)))
          fitting.push_back(f);
      }
      const int f = fitting.empty() || dice.chance(3) ? any_field(dice, dataset, open) : dice.of(fitting);
      measure["field"] = dataset.fields[static_cast<size_t>(f)].name;
    }
    if (fn == "histogram") measure["width"] = dice.between(1, 3);
    if (dice.chance(50)) measure["places"] = dice.between(0, 4);
    measures.push_back(std::move(measure));
  }
  return measures;
}

void any_statistics(Dice& dice, const Catalogue& catalogue, const Dataset& dataset, const std::vector<int>& open,
                    const std::vector<int>& in_clear, json::object& request) {
  json::array group, order;
  std::vector<std::string> columns;
  for (size_t n = dice.below(3); n > 0; --n) {
    const std::string& name = dataset.fields[static_cast<size_t>(any_field(dice, dataset, in_clear))].name;
    if (std::find(columns.begin(), columns.end(), name) != columns.end()) continue;
    group.emplace_back(name);
    columns.push_back(name);
  }
  if (!group.empty()) request["group"] = std::move(group);
  request["measures"] = any_measures(dice, catalogue, dataset, open, in_clear);
  for (const json::value& measure : request["measures"].as_array()) {
    if (measure.at("fn") != "histogram") columns.emplace_back(measure.at("as").as_string());
  }
  for (size_t n = columns.empty() ? 0 : dice.below(3); n > 0; --n)
    order.push_back(json::object{{"field", dice.of(columns)}, {"desc", dice.chance(50)}});
  if (!order.empty()) request["order"] = std::move(order);
}

void any_list(Dice& dice, const Dataset& dataset, const std::vector<int>& open, json::object& request) {
  if (dice.chance(50)) {
    std::vector<int> fields;
    for (size_t n = 1 + dice.below(6); n > 0; --n) {
      const int f = any_field(dice, dataset, open);
      if (std::find(fields.begin(), fields.end(), f) == fields.end()) fields.push_back(f);
    }
    request["fields"] = names_of(dataset, fields);
  }
  json::array order;
  for (size_t n = dice.below(4); n > 0; --n) {
    const std::string& name = dataset.fields[static_cast<size_t>(any_field(dice, dataset, open))].name;
    order.push_back(json::object{{"field", name}, {"desc", dice.chance(50)}});
  }
  if (!order.empty()) request["order"] = std::move(order);
}

}  // namespace

void any_question(Dice& dice, Case& one) {
  const Catalogue& catalogue = one.catalogue();
  const Rules& rules = one.rules();
  one.account = dice.between(1, kAccounts);
  one.agreement_due = dice.chance(1);
  one.seed = dice.seed();
  // Mostly a dataset of which something may be open.
  std::vector<const policy::Atom*> mine;
  for (const auto* atoms : {&rules.regulation.atoms, &rules.grants}) {
    for (const policy::Atom& atom : *atoms) {
      if (atom.effect == policy::Effect::permit && (atom.post >= 0 || atom.account == one.account))
        mine.push_back(&atom);
    }
  }
  const Dataset& dataset =
      catalogue.datasets[mine.empty() || dice.chance(5) ? dice.below(catalogue.datasets.size())
                                                        : static_cast<size_t>(dice.of(mine)->dataset)];
  std::vector<int> open, in_clear;
  for (const policy::Atom* atom : mine) {
    open_fields(*atom, dataset, false, open);
    open_fields(*atom, dataset, true, in_clear);
  }
  json::object request{{"dataset", dataset.name}};
  if (dice.chance(75))
    request["purpose"] = dice.chance(2)
                             ? "sightseeing"
                             : dice.of(std::vector<const char*>{"study", "teaching_administration", "inspection"});
  const size_t form = dice.below(100);
  one.form = form < 6 ? Case::Form::one : form < 10 ? Case::Form::document : Case::Form::ask;
  if (one.form == Case::Form::one) {
    std::string key = dataset.name.substr(0, 1) + std::to_string(dice.between(1, 5));
    if (dataset.key.size() == 2) key += "~" + std::to_string(dice.between(0, 3));
    request["key"] = key;
  } else {
    if (form >= 10 && form < 45) {
      any_statistics(dice, catalogue, dataset, open, in_clear, request);
    } else {
      any_list(dice, dataset, open, request);
    }
    if (dice.chance(60)) request["where"] = open_condition(dice, catalogue, dataset, open);
    if (dice.chance(35)) request["limit"] = dice.between(1, 8);
    if (dice.chance(1)) request["unheard_of"] = 1;
  }
  one.request = std::move(request);
}

void other_values(Dice& dice, Case& one) {
  const Dataset* dataset = one.catalogue().find(one.request.at("dataset").as_string());
  const auto renew = [&](auto&& self, json::value& node) -> void {
    if (json::array* parts = node.if_array()) {
      for (json::value& part : *parts) self(self, part);
    }
    json::object* object = node.if_object();
    if (object == nullptr) return;
    if (object->contains("op") && object->at("op") != "is_null") {
      const Field& field = dataset->fields[static_cast<size_t>(dataset->field(object->at("field").as_string()))];
      fill_value(dice, one.catalogue(), field, *catalog::op_named(object->at("op").as_string()), *object);
      return;
    }
    for (auto& member : *object) self(self, member.value());
  };
  for (const char* key : {"where", "measures"}) {
    if (json::value* node = one.request.if_contains(key)) renew(renew, *node);
  }
  if (one.form == Case::Form::one) {
    std::string key(one.request.at("key").as_string());
    key[1] = static_cast<char>('0' + dice.between(1, 5));
    one.request["key"] = key;
  }
  one.seed = dice.seed();
}

}  // namespace jw::differential
