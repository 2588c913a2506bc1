// What is told of permissions instead of data: the effect of a change, who sees a cell (design §4). Numbers are held
// against the reference, those who are noted against those who are told of, and nothing hidden may change a byte.
#include <algorithm>
#include <iterator>

#include "kernel/catalog/condition.hpp"
#include "kernel/query/effect.hpp"
#include "kernel/query/sight.hpp"
#include "tests/differential/oracles.hpp"

namespace jw::differential {

namespace json = boost::json;
using catalog::Dataset;
using catalog::Field;
using policy::Action;
using policy::Atom;
using policy::Sight;

namespace {

// PostgreSQL where it takes part.
Side& tried(const Sides& sides) {
  return sides.postgres != nullptr ? *sides.postgres : *sides.sqlite;
}

using Persons = std::map<std::string, std::set<int64_t>>;  // told of, by dataset

Persons persons_in(const std::vector<query::Told>& told) {
  Persons out;
  for (const query::Told& each : told) {
    for (const record::Subject& subject : each.subjects) out[each.dataset].insert(subject.id);
  }
  return out;
}

std::string print(const Persons& persons) {
  std::string out;
  for (const auto& [dataset, ids] : persons) {
    out += " " + dataset + ":";
    for (const int64_t id : ids) out += " " + std::to_string(id);
  }
  return out;
}

// ---- rules

// One set of rules as the reference and as the engine has it.
struct RuleSet {
  Rules rules;
  query::RulesPtr engine;
};

RuleSet rule_set(Side& side, Rules rules) {
  auto engine = std::make_shared<const policy::Rules>(*rules.catalogue, rules.regulation, rules.grants, 1,
                                                      side.store().reader()->dialect());
  return {std::move(rules), std::move(engine)};
}

// Those of the case. Numbers are told to whoever may query nearly everything: most of the time, whoever has a post may,
// and few forbids are left.
RuleSet any_rules(Dice& dice, Side& side, const Case& one) {
  Rules rules = one.rules();
  if (dice.chance(30)) return rule_set(side, std::move(rules));
  for (auto* atoms : {&rules.regulation.atoms, &rules.grants})
    std::erase_if(*atoms, [&](const Atom& atom) { return atom.effect == policy::Effect::forbid && dice.chance(80); });
  for (const Dataset& dataset : one.catalogue().datasets) {
    for (const char* post : {"learner", "teacher"}) {
      Atom wide;
      wide.dataset = dataset.index;
      wide.clause = "2.3.1";
      wide.post = rules.regulation.post(post);
      wide.actions = policy::kReading;
      wide.purposes = {"teaching_administration", "study"};
      wide.fields.assign(dataset.fields.size(), Sight::clear);
      if (dice.chance(15)) wide.fields[dice.below(wide.fields.size())] = Sight::masked;
      if (!dice.chance(4)) rules.regulation.atoms.push_back(std::move(wide));
    }
  }
  return rule_set(side, std::move(rules));
}

// Other permits and forbids, another holder of a post, a post more.
policy::Regulation any_change(Dice& dice, const Case& one, policy::Regulation changed) {
  for (const Atom& atom : any_defaults(dice, one.catalogue())) {
    if (dice.chance(60)) changed.atoms.push_back(atom);
  }
  std::erase_if(changed.atoms, [&](const Atom&) { return dice.chance(25); });
  for (policy::Post& post : changed.posts) {
    if (!dice.chance(15)) continue;
    const Dataset& from = one.catalogue().datasets.at(static_cast<size_t>(post.from));
    catalog::Condition me = catalog::parse_condition(one.catalogue(), from, json::object{{"field", "id"}, {"is", "me"}},
                                                     catalog::ConditionUse::regulation, "where")
                                .value();
    post.where = {};
    post.where.kind = catalog::Condition::Kind::all;
    post.where.parts = {std::move(me),
                        catalog::parse_condition(one.catalogue(), from, any_condition(dice, one.catalogue(), from, 1),
                                                 catalog::ConditionUse::regulation, "where")
                            .value()};
  }
  if (dice.chance(30)) {
    changed.posts.push_back(dice.of(changed.posts));
    changed.posts.back().name = "new";
    for (Atom& atom : changed.atoms) {
      if (atom.post >= 0 && dice.chance(40)) atom.post = static_cast<int>(changed.posts.size()) - 1;
    }
  }
  return changed;
}

struct Proposed {
  RuleSet before, after;
};

Proposed any_proposal(Dice& dice, Side& side, const Case& one) {
  RuleSet in_force = any_rules(dice, side, one);
  Rules other = in_force.rules;
  if (dice.chance(40)) {
    const policy::Grant grant =
        any_grant(dice, one.catalogue(), kNow, dice.chance(75) ? policy::Effect::permit : policy::Effect::forbid,
                  dice.between(1, kAccounts));
    other.grants.push_back(policy::grant_atom(one.catalogue(), other.regulation, grant).value());
  } else {
    other.regulation = any_change(dice, one, std::move(other.regulation));
  }
  RuleSet then = rule_set(side, std::move(other));
  if (dice.chance(30)) std::swap(in_force, then);
  return {std::move(in_force), std::move(then)};
}

query::EffectOptions any_options(Dice& dice) {
  query::EffectOptions options;
  options.holders = static_cast<int>(dice.between(1, 6));
  options.statements = 1000;
  options.purpose = dice.of(std::vector<const char*>{"", "study", "inspection"});
  options.names_holder = true;  // no dataset here says which accounts have grants
  return options;
}

// ---- numbers of an effect against the reference

// Whom one part of an effect is about, as its JSON names it.
struct Whom {
  std::string post;
  int64_t account = 0;
  int actions = 0;  // that may be gained or lost here
};

struct OneSide {
  int actions = 0;
  std::vector<Sight> fields;
};

OneSide given(const Rules& rules, const Whom& whom, const Dataset& dataset) {
  OneSide side;
  side.fields.assign(dataset.fields.size(), Sight::hidden);
  for (const auto* atoms : {&rules.regulation.atoms, &rules.grants}) {
    for (const Atom& atom : *atoms) {
      const std::string post = atom.post < 0 ? "" : rules.regulation.posts.at(static_cast<size_t>(atom.post)).name;
      const bool is_whom = post == whom.post && (atom.post >= 0 || atom.account == whom.account);
      const int actions = atom.actions & whom.actions;
      if (!is_whom || actions == 0 || atom.dataset != dataset.index || atom.effect != policy::Effect::permit) continue;
      side.actions |= actions;
      for (size_t f = 0; f < side.fields.size(); ++f) {
        const bool opens = (whom.actions & policy::kReading) != 0 || atom.fields[f] == Sight::clear;
        if (opens) side.fields[f] = std::max(side.fields[f], atom.fields[f]);
      }
    }
  }
  return side;
}

std::vector<int64_t> holders(const Rules& rules, const Case& one, const std::string& post) {
  const int place = rules.regulation.post(post);
  std::vector<int64_t> accounts;
  for (int64_t account = 1; account <= kAccounts && place >= 0; ++account) {
    const policy::Asker asker = asker_of(account);
    if (asker.person != 0 && holds_post({rules, *one.world, asker, {one.now_us}}, place)) accounts.push_back(account);
  }
  return accounts;
}

Action first_action(int bits) {
  int action = 0;
  while ((bits >> action & 1) == 0) ++action;
  return static_cast<Action>(action);
}

class EffectCheck {
 public:
  EffectCheck(const Case& one, const Proposed& proposed, const query::EffectOptions& options)
      : one_(one), proposed_(proposed), options_(options), viewer_(one.asker()) {}

  std::optional<std::string> wrong(const query::Effect& effect) {
    const json::value told = json::parse(effect.json);
    for (const json::value& part : told.at("effects").as_array()) {
      if (auto wrong = part_wrong(part.as_object())) return *wrong + "\nin " + json::serialize(part);
    }
    std::erase_if(expected_, [](const auto& each) { return each.second.empty(); });
    const Persons noted = persons_in(effect.told);
    if (noted == expected_) return std::nullopt;
    return "noted" + print(noted) + "\ntold of" + print(expected_) + "\nin " + effect.json;
  }

 private:
  std::optional<std::string> part_wrong(const json::object& part) {
    const Dataset& dataset = *one_.catalogue().find(part.at("dataset").at("name").as_string());
    Whom whom;
    if (part.at("post").is_object()) {
      whom.post = part.at("post").at("name").as_string();
    } else {
      whom.account = part.at("account").as_string().back() - '0';
    }
    const std::string_view matter = part.at("matter").as_string();
    whom.actions = matter == "reading" ? policy::kReading
                                       : 1 << static_cast<int>(matter == "enter" ? Action::enter : Action::review);
    const OneSide was = given(proposed_.before.rules, whom, dataset), is = given(proposed_.after.rules, whom, dataset);
    std::vector<int> changed;
    for (size_t f = 0; f < was.fields.size(); ++f) {
      if (was.fields[f] != is.fields[f]) changed.push_back(static_cast<int>(f));
    }
    if (part.at("fields").as_array().size() != changed.size()) return "other fields";
    if (part.at("holders").is_null()) return std::nullopt;
    if (viewer_.agreement_due) return "numbers without the agreement";
    std::vector<int64_t> accounts{whom.account};
    if (!whom.post.empty()) {
      accounts = holders(proposed_.before.rules, one_, whom.post);
      std::vector<int64_t> then = holders(proposed_.after.rules, one_, whom.post);
      if (then.size() > accounts.size()) accounts = std::move(then);
      const int place = proposed_.after.rules.regulation.post(whom.post);
      const policy::Regulation& regulation =
          place >= 0 ? proposed_.after.rules.regulation : proposed_.before.rules.regulation;
      const policy::Post& post = regulation.posts.at(static_cast<size_t>(regulation.post(whom.post)));
      for (const int64_t account : accounts) tell(one_.catalogue().datasets[static_cast<size_t>(post.from)], account);
    }
    if (part.at("holders").as_int64() != static_cast<int64_t>(accounts.size())) return "another number of holders";
    if (part.at("numbers").is_null()) return std::nullopt;
    const int opened = was.actions | is.actions;
    return numbers_wrong(part, dataset, accounts, first_action(opened != 0 ? opened : whom.actions), changed);
  }

  std::optional<std::string> numbers_wrong(const json::object& part, const Dataset& dataset,
                                           const std::vector<int64_t>& accounts, Action action,
                                           const std::vector<int>& changed) {
    const json::array& numbers = part.at("numbers").as_array();
    if (numbers.size() != std::min(accounts.size(), static_cast<size_t>(options_.holders)))
      return "another number of holders is counted";
    std::optional<int64_t> gained, lost;  // of the first holder with any
    for (size_t i = 0; i < numbers.size(); ++i) {
      const policy::Asker holder = asker_of(accounts[i]);
      const Shift shift = expected_shift(
          {proposed_.before.rules, *one_.world, viewer_, {one_.now_us}},
          {proposed_.before.rules, proposed_.after.rules, holder, action, options_.purpose}, dataset, changed);
      const json::object& told = numbers[i].as_object();
      if (told.at("account").as_string() != login_of(accounts[i])) return "another holder";
      json::array cells;
      for (const auto& [field, both] : shift.cells)
        cells.push_back(json::object{
            {"field", dataset.fields[static_cast<size_t>(field)].name}, {"gained", both.first}, {"lost", both.second}});
      if (told.at("gained").as_int64() != shift.gained || told.at("lost").as_int64() != shift.lost ||
          told.at("cells").as_array() != cells)
        return "expected gained " + std::to_string(shift.gained) + ", lost " + std::to_string(shift.lost) + ", cells " +
               json::serialize(cells) + " of " + login_of(accounts[i]);
      expected_[dataset.name].insert(shift.persons.begin(), shift.persons.end());
      if (!gained && shift.gained > 0) gained = shift.gained;
      if (!lost && shift.lost > 0) lost = shift.lost;
    }
    const json::value& samples = part.at("samples");
    const auto count = [&](const char* key) {
      return samples.is_null() ? 0 : static_cast<int64_t>(samples.at(key).as_array().size());
    };
    if (count("gained") != std::min<int64_t>(gained.value_or(0), options_.sample) ||
        count("lost") != std::min<int64_t>(lost.value_or(0), options_.sample))
      return "another number of rows is shown";
    return std::nullopt;
  }

  void tell(const Dataset& dataset, int64_t account) {
    const int64_t person = asker_of(account).person;
    if (person != viewer_.person) expected_[dataset.name].insert(person);
  }

  const Case& one_;
  const Proposed& proposed_;
  const query::EffectOptions& options_;
  const policy::Asker viewer_;
  Persons expected_;
};

query::Effect effect_of(Side& side, const Case& one, const Proposed& proposed, const query::EffectOptions& options) {
  return query::effect_of(one.catalogue(), *side.store().reader(), proposed.before.engine, proposed.after.engine,
                          one.asker(), {one.now_us}, options);
}

// ---- who sees a cell

struct Cell {
  const Dataset* dataset;
  std::string key;
  std::vector<Value> values;  // of the key
  int field;
};

Cell any_cell_of(Dice& dice, const Case& one, const World& world) {
  const std::vector<Dataset>& all = one.catalogue().datasets;
  Cell cell{&dice.of(all), "", {}, 0};
  cell.field = static_cast<int>(dice.below(cell.dataset->fields.size()));
  const std::vector<Row>& rows = world[static_cast<size_t>(cell.dataset->index)];
  const Row* row = rows.empty() || dice.chance(5) ? nullptr : &dice.of(rows);
  for (const int key : cell.dataset->key) {
    const Field& field = cell.dataset->fields[static_cast<size_t>(key)];
    cell.values.push_back(row != nullptr ? row->cells[static_cast<size_t>(key)]
                                         : any_value(dice, one.catalogue(), field));
    cell.key += (cell.key.empty() ? "" : "~") + catalog::print_value(one.catalogue(), field, cell.values.back(), false);
  }
  return cell;
}

query::Seen who_sees(Side& side, const Case& one, const RuleSet& rules, const Cell& cell) {
  const policy::Asker asker = one.asker();
  return query::who_sees(*side.store().reader(), rules.engine, {asker, {one.now_us}}, cell.dataset->name, cell.key,
                         cell.dataset->fields[static_cast<size_t>(cell.field)].name)
      .value();
}

std::string basis_of(const Rules& rules, const Atom& atom) {
  const std::string post = atom.post < 0 ? "" : rules.regulation.posts.at(static_cast<size_t>(atom.post)).name;
  return atom.clause + " " + atom.grant + " " + post + " " + atom.unit;
}

std::string text_in(const json::object& object, const char* key) {
  const json::value* value = object.if_contains(key);
  return value == nullptr ? "" : std::string(value->as_string());
}

std::optional<std::string> sight_wrong(const Case& one, const Rules& rules, const Cell& cell, const query::Seen& seen) {
  const policy::Asker viewer = one.asker();
  const Asking asking{rules, *one.world, viewer, {one.now_us}};
  const Row* row = row_asked_for(asking, *cell.dataset, cell.values, cell.field);
  const json::value told = json::parse(seen.json);
  if (told.at("by").as_string() != (row == nullptr ? "rule" : "row")) return "by another ground";
  const Persons noted = persons_in(seen.told);
  const auto is_noted = [&](int64_t person) {
    return person == viewer.person ||
           std::any_of(noted.begin(), noted.end(), [&](const auto& each) { return each.second.contains(person); });
  };
  if (row != nullptr) {
    const auto subject = subject_of(asking, *cell.dataset, *row);
    if (subject && !is_noted(*subject)) return "whom the row is about is not noted";
  }
  for (const Sight sight : {Sight::clear, Sight::masked}) {
    // By the basis of a permit: of how many accounts the reference says that they see it thereby.
    std::map<std::string, std::multiset<int64_t>> expected;
    for (const auto* atoms : {&rules.regulation.atoms, &rules.grants}) {
      for (const Atom& atom : *atoms) {
        const bool shows = atom.effect == policy::Effect::permit && atom.dataset == cell.dataset->index && atom.reads();
        if (!shows || atom.fields[static_cast<size_t>(cell.field)] != sight) continue;
        if (atom.from_us > one.now_us || one.now_us >= atom.until_us) continue;
        if (atom.account != 0) continue;  // no dataset here says which accounts have grants
        int64_t count = 0;
        for (int64_t account = 1; account <= kAccounts && row != nullptr; ++account) {
          const policy::Asker asker = asker_of(account);
          const bool sees = asker.person != 0 &&
                            sees_by({rules, *one.world, asker, {one.now_us}}, atom, *cell.dataset, *row, cell.field);
          count += sees ? 1 : 0;
        }
        expected[basis_of(rules, atom)].insert(count);
      }
    }
    std::map<std::string, size_t> unnumbered;
    for (const json::value& each : told.at(sight == Sight::clear ? "clear" : "masked").as_array()) {
      const json::object& entry = each.as_object();
      const std::string post = entry.contains("post") ? std::string(entry.at("post").at("name").as_string()) : "";
      const std::string basis =
          text_in(entry, "clause") + " " + text_in(entry, "grant") + " " + post + " " + text_in(entry, "unit");
      for (const json::value& person : entry.at("people").as_array()) {
        if (!is_noted(asker_of(person.at("account").as_string().back() - '0').person)) return "a name is not noted";
      }
      if (entry.at("holders").is_null()) {
        ++unnumbered[basis];
        continue;
      }
      auto& counts = expected[basis];
      const auto found = counts.find(entry.at("holders").as_int64());
      if (found == counts.end() || *found == 0) return "another number of holders for " + basis;
      counts.erase(found);
    }
    // What is left was told without a number, or nobody sees it thereby.
    for (const auto& [basis, left] : expected) {
      const auto some = static_cast<size_t>(std::count_if(left.begin(), left.end(), [](int64_t n) { return n > 0; }));
      if (some > unnumbered[basis]) return "whoever sees it is not told: " + basis;
      if (row == nullptr && left.size() != unnumbered[basis]) return "a rule is not told: " + basis;
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<Found> effects_are_as_the_reference_says(const Sides& sides, Cases cases) {
  for (const Case& one : cases) {
    Side& side = tried(sides);
    side.at(one.now_us);
    Dice dice(one.seed);
    const Proposed proposed = any_proposal(dice, side, one);
    const query::EffectOptions options = any_options(dice);
    const query::Effect effect = effect_of(side, one, proposed, options);
    if (auto wrong = EffectCheck(one, proposed, options).wrong(effect)) return Found{*wrong, one};
  }
  return std::nullopt;
}

std::optional<Found> sight_is_as_the_reference_says(const Sides& sides, Cases cases) {
  for (const Case& one : cases) {
    Side& side = tried(sides);
    side.at(one.now_us);
    Dice dice(one.seed);
    const RuleSet rules = any_rules(dice, side, one);
    for (int i = 0; i < 6; ++i) {
      const Cell cell = any_cell_of(dice, one, *one.world);
      const query::Seen seen = who_sees(side, one, rules, cell);
      if (auto wrong = sight_wrong(one, rules.rules, cell, seen))
        return Found{*wrong + "\nof " + cell.dataset->name + " " + cell.key + " " +
                         cell.dataset->fields[static_cast<size_t>(cell.field)].name + " in " + seen.json,
                     one};
    }
  }
  return std::nullopt;
}

std::optional<Found> permissions_tell_nothing_hidden(const Sides& sides, Cases cases) {
  Side& side = tried(sides);
  const Case& one = cases.front();
  side.at(one.now_us);
  Dice dice(one.seed);
  const Proposed proposed = any_proposal(dice, side, one);
  const query::EffectOptions options = any_options(dice);
  const policy::Asker viewer = one.asker();
  const auto view = [&](const World& world) {
    std::string out;
    for (const Dataset& dataset : one.catalogue().datasets)
      out +=
          authorised_view({proposed.before.rules, world, viewer, {one.now_us}}, dataset, Action::query, "") + "\n--\n";
    return out;
  };
  const std::string seen = view(*one.world);
  World other = *one.world;
  bool changed = false;
  for (int i = 0; i < 24; ++i) {
    World next = other;
    disturb(dice, one.catalogue(), next, static_cast<int>(dice.between(1, 3)));
    if (view(next) != seen) continue;
    other = std::move(next);
    changed = true;
  }
  if (!changed) return std::nullopt;
  std::vector<Cell> cells;
  for (int i = 0; i < 12; ++i) cells.push_back(any_cell_of(dice, one, i % 2 == 0 ? *one.world : other));
  const auto tell = [&] {
    std::vector<std::string> out;
    const auto add = [&](const std::string& text, const std::vector<query::Told>& told) {
      out.push_back(text + "\nnoted" + print(persons_in(told)));
    };
    const query::Effect effect = effect_of(side, one, proposed, options);
    add(effect.json, effect.told);
    for (const Cell& cell : cells) {
      const query::Seen told = who_sees(side, one, proposed.before, cell);
      add(cell.dataset->name + " " + cell.key + " " + told.json, told.told);
    }
    return out;
  };
  const std::vector<std::string> before = tell();
  side.put_world(other);
  const std::vector<std::string> after = tell();
  for (size_t i = 0; i < before.size(); ++i) {
    if (before[i] == after[i]) continue;
    return Found{"the same view, told otherwise:\n" + before[i] + "\n" + after[i] + "\nthe other world:\n" +
                     print(one.catalogue(), other),
                 one};
  }
  return std::nullopt;
}

}  // namespace jw::differential
