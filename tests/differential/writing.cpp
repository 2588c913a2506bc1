// Batches at random, put to the writer of the product and to the reference; every one is rolled back.
#include <algorithm>
#include <map>

#include "kernel/change/api.hpp"
#include "tests/differential/oracles.hpp"

namespace jw::differential {

namespace {

using catalog::Dataset;
using policy::Action;

// One batch in the making: the world as it becomes, and what was done.
class Written {
 public:
  Written(Dice& dice, const Case& one, change::Batch& batch)
      : dice_(dice), catalogue_(one.catalogue()), before_(*one.world), after_(before_), batch_(batch) {}

  void any_step(const Dataset& dataset) {
    std::vector<Row>& rows = after_[static_cast<size_t>(dataset.index)];
    const size_t what = dice_.below(100);
    if (rows.empty() || what < 35) return add(dataset);
    const size_t at = dice_.below(rows.size());
    if (what < 85) return change(dataset, rows[at]);
    told_ += "  take away " + dataset.name + " " + std::to_string(rows[at].id) + "\n";
    touched_[dataset.name].insert(rows[at].id);
    batch_.table(dataset.name).remove(rows[at].id);
    rows.erase(rows.begin() + static_cast<std::ptrdiff_t>(at));
  }

  // What was done, row by row, for one dataset.
  std::vector<Change> changes(const std::string& dataset) const {
    std::vector<Change> out;
    const auto touched = touched_.find(dataset);
    if (touched == touched_.end()) return out;
    const auto index = static_cast<size_t>(catalogue_.find(dataset)->index);
    for (const int64_t id : touched->second) out.push_back({find(before_[index], id), find(after_[index], id)});
    return out;
  }
  std::vector<std::string> datasets() const {
    std::vector<std::string> out;
    for (const auto& [name, ids] : touched_) out.push_back(name);
    return out;
  }
  const std::string& told() const { return told_; }

 private:
  static const Row* find(const std::vector<Row>& rows, int64_t id) {
    const auto found = std::find_if(rows.begin(), rows.end(), [&](const Row& row) { return row.id == id; });
    return found == rows.end() ? nullptr : &*found;
  }

  void add(const Dataset& dataset) {
    std::optional<Row> row = any_row(dice_, catalogue_, after_, dataset);
    if (!row) return;
    // Rows of one batch that point to each other.
    for (size_t f = 0; f < row->cells.size(); ++f) {
      const int ref = dataset.fields[f].ref;
      if (ref < 0 || !dice_.chance(40)) continue;
      const std::vector<Row>& targets = after_[static_cast<size_t>(ref)];
      if (!targets.empty() && targets.back().id >= kFirstId) row->cells[f] = targets.back().id;
    }
    row->id = batch_.table(dataset.name).put(row->cells, row->person).id;
    touched_[dataset.name].insert(row->id);
    told_ += "  add " + print(dataset, *row);
    after_[static_cast<size_t>(dataset.index)].push_back(std::move(*row));
  }

  void change(const Dataset& dataset, Row& row) {
    Row changed = row;
    for (size_t n = 1 + dice_.below(2); n > 0; --n) {
      const size_t f = dice_.below(row.cells.size());
      if (std::find(dataset.key.begin(), dataset.key.end(), static_cast<int>(f)) != dataset.key.end()) continue;
      changed.cells[f] = any_cell(dice_, catalogue_, after_, dataset.fields[f]);
    }
    const auto placed = batch_.table(dataset.name).put(changed.cells);
    if (placed.put == change::Table::Put::same) return;
    told_ += "  change " + print(dataset, row) + "      to " + print(dataset, changed);
    row = std::move(changed);
    touched_[dataset.name].insert(row.id);
  }

  std::string print(const Dataset& dataset, const Row& row) const {
    World one(catalogue_.datasets.size());
    one[static_cast<size_t>(dataset.index)].push_back(row);
    return differential::print(catalogue_, one);
  }

  Dice& dice_;
  const catalog::Catalogue& catalogue_;
  const World& before_;
  World after_;
  change::Batch& batch_;
  std::map<std::string, std::set<int64_t>> touched_;
  std::string told_;
};

policy::Asker asker_of(const Case& one, int64_t account) {
  policy::Asker asker = differential::asker_of(account);
  asker.agreement_due = one.agreement_due && account == one.account;
  return asker;
}

// Datasets of which something may be open to writing, most of the time.
const Dataset& any_dataset(Dice& dice, const Case& one) {
  std::vector<int> open;
  for (const auto* atoms : {&one.rules().regulation.atoms, &one.rules().grants}) {
    for (const policy::Atom& atom : *atoms) {
      const bool enters = (atom.actions >> static_cast<int>(Action::enter) & 1) != 0;
      if (atom.effect == policy::Effect::permit && enters && (atom.post >= 0 || atom.account == one.account))
        open.push_back(atom.dataset);
    }
  }
  const std::vector<Dataset>& all = one.catalogue().datasets;
  return all[open.empty() || dice.chance(10) ? dice.below(all.size()) : static_cast<size_t>(dice.of(open))];
}

std::string told(const Result<Done>& result) {
  if (result) return {};
  const Refusal& refusal = result.refusal();
  if (refusal.type != "change.not_permitted")
    return refusal.type.starts_with("policy.") ? "policy.denied" : refusal.type;
  std::string out;
  for (const FieldProblem& problem : refusal.fields) out += (out.empty() ? "" : " ") + problem.field;
  return out;
}

std::string expected(const Case& one, const Written& written, const change::People& people) {
  const policy::Asker &entered = people.entered.asker, &reviewed = people.reviewed.asker;
  if (entered.account == reviewed.account || (entered.person != 0 && entered.person == reviewed.person))
    return "change.same_person";
  for (const auto& [action, asker] : {std::pair{Action::enter, &entered}, {Action::review, &reviewed}}) {
    for (const std::string& name : written.datasets()) {
      const std::string refusal = expected_refusal({one.rules(), *one.world, *asker, {one.now_us}}, action,
                                                   people.purpose, *one.catalogue().find(name), written.changes(name));
      if (!refusal.empty()) return refusal;
    }
  }
  return {};
}

}  // namespace

std::optional<Found> batches_stay_within(const Sides& sides, Cases cases) {
  for (const Case& one : cases) {
    Side& side = sides.postgres != nullptr ? *sides.postgres : *sides.sqlite;
    side.at(one.now_us);
    Dice dice(one.seed);
    const char* const purposes[] = {"", "study", "teaching_administration", "inspection"};
    const change::People people{&side.policy(),
                                {asker_of(one, one.account), "entered"},
                                {asker_of(one, dice.between(1, kAccounts)), "reviewed"},
                                purposes[dice.below(4)]};
    const auto writer = side.store().writer();
    const db::Transaction transaction(*writer, db::Transaction::Mode::write);
    change::Batch batch(one.catalogue(), *writer, {"entry", "test", "test", "", people}, {one.now_us});
    Written written(dice, one, batch);
    const Dataset& most = any_dataset(dice, one);
    for (size_t n = 1 + dice.below(4); n > 0; --n) written.any_step(dice.chance(75) ? most : any_dataset(dice, one));
    const std::string got = told(batch.check()), right = expected(one, written, people);
    if (got == right) continue;
    return Found{"account " + std::to_string(people.entered.asker.account) + " enters, " +
                     std::to_string(people.reviewed.asker.account) + " reviews, for «" + people.purpose + "»\n" +
                     written.told() + "expected «" + right + "»\ngot «" + got + "»",
                 one};
  }
  return std::nullopt;
}

}  // namespace jw::differential
