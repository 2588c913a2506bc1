// Plans are kept by shape: two questions, or two people's permissions, with one shape get one statement. So equal
// shapes must mean equal plans, whatever the numbers and names in them.
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "kernel/policy/api.hpp"
#include "kernel/query/plan.hpp"

namespace jw::query {
namespace {

using catalog::Condition;
using catalog::Dataset;
using policy::Atom;

constexpr Instant kNow{1'773'622'800'000'000};

// The school's, with students tied to every relation: what a school may write any day.
const catalog::Catalogue& catalogue() {
  static const catalog::Catalogue tied = [] {
    auto loaded = std::get<catalog::Catalogue>(catalog::load(JW_SOURCE_DIR));
    Dataset& student = loaded.datasets.at(static_cast<size_t>(loaded.find("student")->index));
    student.bindings.clear();
    for (size_t i = 0; i < loaded.relations.size(); ++i) student.bindings.push_back({static_cast<int>(i), {}});
    return loaded;
  }();
  return tied;
}

// Its settings alone: nobody here holds a post.
const policy::Regulation& regulation() {
  static const policy::Regulation settings = [] {
    const auto loaded = policy::load(JW_SOURCE_DIR, catalogue());
    policy::Regulation out;
    out.settings = std::get<policy::Regulation>(loaded).settings;
    return out;
  }();
  return settings;
}

// Everything that is told apart by a plan.
std::string printed(const Plan& plan) {
  std::string out = plan.sql + plan.columns_json;
  for (const HiddenField& hidden : plan.hidden)
    out += "/" + std::to_string(hidden.field) + "," + std::to_string(static_cast<int>(hidden.how));
  for (const policy::Slot& slot : plan.slots)
    out += "|" + std::to_string(static_cast<int>(slot.kind)) + "," + std::to_string(slot.index);
  if (plan.few) out += "\n" + printed(*plan.few);
  return out;
}

class Shapes {
 public:
  // nullptr when refused.
  void look(const Query& query, const std::vector<Atom>& grants) {
    const auto rules = std::make_shared<const policy::Rules>(catalogue(), regulation(), grants, 0, dialect_);
    Instant edge;
    const policy::AuthorityPtr authority = rules->authority(rules, {}, 1, kNow, edge);
    const policy::Decision& decision = authority->decide(
        *query.dataset, query.is_statistics() ? policy::Action::statistics : policy::Action::query, "study");
    if (!decision.allowed()) return;
    const auto plan = compile({catalogue(), rules->regulation(), dialect_}, query, decision, {}, false);
    if (!plan) return;
    ++looked_;
    const std::string text = printed(**plan);
    const auto [at, is_new] = plans_.emplace(shape_of(query, decision), text);
    ASSERT_EQ(at->second, text) << "two plans of the shape " << at->first;
  }
  void turn(db::Dialect dialect) {
    plans_.clear();
    dialect_ = dialect;
  }
  size_t looked() const { return looked_; }
  size_t known() const { return plans_.size(); }

 private:
  db::Dialect dialect_ = db::Dialect::sqlite;
  std::map<std::string, std::string> plans_;
  size_t looked_ = 0;
};

Atom permit(const Dataset& dataset) {
  Atom atom;
  atom.dataset = dataset.index;
  atom.account = 1;
  atom.rows = Atom::Rows::all;
  atom.actions = policy::kReading;
  atom.grant = "2026-0001";
  atom.clause = "2.4.2";
  atom.fields.assign(dataset.fields.size(), policy::Sight::clear);
  return atom;
}

Condition is_null(int field) {
  Condition leaf;
  leaf.kind = Condition::Kind::leaf;
  leaf.field = field;
  leaf.op = catalog::Op::is_null;
  leaf.values = {int64_t{1}};
  return leaf;
}

Condition both(std::vector<Condition> parts) {
  Condition all;
  all.parts = std::move(parts);
  return all;
}

// Relations and fields side by side, each number of one or two digits.
TEST(Shapes, of_relations_and_fields_never_run_together) {
  for (const db::Dialect dialect : {db::Dialect::sqlite, db::Dialect::postgres}) {
    Shapes shapes;
    shapes.turn(dialect);
    size_t asked = 0;
    for (const Dataset& dataset : catalogue().datasets) {
      Query query;
      query.dataset = &dataset;
      for (const catalog::Binding& binding : dataset.bindings) {
        for (size_t f = 0; f < dataset.fields.size(); ++f) {
          Atom atom = permit(dataset);
          atom.rows = Atom::Rows::relation;
          atom.relation = binding.relation;
          atom.narrowed = true;
          atom.where = is_null(static_cast<int>(f));
          shapes.look(query, {atom});
          ++asked;
        }
      }
    }
    EXPECT_EQ(shapes.known(), asked);
  }
}

class Dice {
 public:
  explicit Dice(unsigned seed) : random_(seed) {}
  int upto(size_t n) { return static_cast<int>(random_() % n); }

  Condition condition(const Dataset& dataset, int depth) {
    Condition out;
    const int kind = depth == 0 ? 3 : upto(4);
    if (kind == 3) return leaf(dataset);
    out.kind = static_cast<Condition::Kind>(kind);
    const int parts = out.kind == Condition::Kind::negation ? 1 : upto(3) + 1;
    for (int i = 0; i < parts; ++i) out.parts.push_back(condition(dataset, depth - 1));
    return out;
  }
  Condition leaf(const Dataset& dataset) {
    Condition out = is_null(upto(dataset.fields.size()));
    const catalog::Type type = dataset.fields[static_cast<size_t>(out.field)].type;
    if (upto(2) == 0 || type == catalog::Type::ref || type == catalog::Type::boolean) {
      out.values = {int64_t{upto(2)}};
      return out;
    }
    out.op = static_cast<catalog::Op>(upto(6));  // eq to ge
    if (policy::reads_as_text(type)) {
      out.values = {std::string("x")};
    } else {
      out.values = {int64_t{1}};
    }
    return out;
  }
  Atom atom(const Dataset& dataset) {
    Atom out = permit(dataset);
    const int rows = upto(3);
    out.rows = static_cast<Atom::Rows>(rows);
    if (out.rows == Atom::Rows::relation) {
      if (dataset.bindings.empty()) return permit(dataset);
      out.relation = dataset.bindings[static_cast<size_t>(upto(dataset.bindings.size()))].relation;
      out.narrowed = upto(2) == 0;
    }
    out.where = condition(dataset, 1);
    for (policy::Sight& sight : out.fields)
      sight = upto(3) == 0 ? policy::Sight::masked : upto(3) == 0 ? policy::Sight::hidden : policy::Sight::clear;
    if (upto(4) == 0) {
      out.effect = policy::Effect::forbid;
      out.actions = policy::kAllActions;
    }
    return out;
  }
  Query query(const Dataset& dataset) {
    Query out;
    out.dataset = &dataset;
    const auto field = [&] { return upto(dataset.fields.size()); };
    for (int i = upto(4); i > 0; --i) out.fields.push_back(field());
    if (upto(2) == 0) out.where = condition(dataset, 2);
    for (int i = upto(3); i > 0; --i) out.order.push_back({field(), upto(2) == 0});
    if (upto(2) == 0) return out;
    out.fields.clear();
    out.order.clear();
    for (int i = upto(3); i > 0; --i) out.group.push_back(field());
    constexpr std::string_view kNames[] = {"a", "1", "1.", "2.1", ":", "a:m0/-1/2/0/~", "m"};
    for (int i = upto(2) + 1; i > 0; --i) {
      Measure measure;
      measure.as = kNames[upto(std::size(kNames))];
      measure.named = true;
      if (upto(2) == 0) {
        measure.function = Function::share;
        measure.where = condition(dataset, 1);
      }
      out.measures.push_back(std::move(measure));
    }
    return out;
  }

 private:
  std::mt19937 random_;
};

// Of few fields and few permits, so that equal shapes come up again and again.
TEST(Shapes, that_are_equal_are_of_equal_plans) {
  for (const db::Dialect dialect : {db::Dialect::sqlite, db::Dialect::postgres}) {
    Shapes shapes;
    shapes.turn(dialect);
    Dice dice(7);
    for (const char* name : {"term", "grade", "student"}) {
      const Dataset& dataset = *catalogue().find(name);
      for (int i = 0; i < 1500; ++i) {
        std::vector<Atom> grants;
        for (int n = dice.upto(2) + 1; n > 0; --n) grants.push_back(dice.atom(dataset));
        shapes.look(dice.query(dataset), grants);
        // The simplest kind of all, which the dice meet seldom.
        Query plain;
        plain.dataset = &dataset;
        plain.where = both({is_null(dice.upto(3)), is_null(dice.upto(dataset.fields.size()))});
        shapes.look(plain, {permit(dataset)});
      }
    }
    EXPECT_GT(shapes.looked(), 6'000u);
    EXPECT_LT(shapes.known(), shapes.looked());
  }
}

}  // namespace
}  // namespace jw::query
