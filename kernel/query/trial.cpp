#include "kernel/query/trial.hpp"

#include <set>

#include "kernel/query/plan.hpp"

namespace jw::query {

using catalog::Dataset;
using policy::Action;
using policy::Decision;
using policy::HeldPost;

namespace {

Refusal cannot_run(const std::string& post, const std::string& dataset) {
  Refusal refusal{Code::unprocessable,
                  "regulation.cannot_run",
                  {"更改后的规定超出数据库的能力（条件过多、过深，或岗位多于 500 个），未采纳",
                   "the regulation as changed is beyond the store (conditions too many or too deep, or more than 500 "
                   "posts); nothing was taken"}};
  const Text where =
      dataset.empty()
          ? Text{"无法查询岗位「" + post + "」由谁担任", "it cannot be asked who holds the post " + post}
          : Text{"岗位「" + post + "」无法查询「" + dataset + "」", "the post " + post + " cannot query " + dataset};
  refusal.fields.push_back({"posts." + post, "cannot_run", where});
  return refusal;
}

class Trial {
 public:
  Trial(db::Connection& reader, RulesPtr rules) : reader_(reader), rules_(std::move(rules)) {
    for (size_t i = 0; i < rules_->regulation().posts.size(); ++i) {
      HeldPost held{static_cast<int>(i), {}};
      rules_->for_each_atom([&](const policy::Atom& atom) {
        if (atom.post == held.post && !atom.unit.empty()) held.units.push_back(atom.unit);
      });
      all_.push_back(std::move(held));
    }
  }

  Result<Done> run() {
    for (const HeldPost& held : all_)
      JW_CHECK(queried_by({held}, rules_->regulation().posts.at(static_cast<size_t>(held.post)).name));
    return queried_by(all_, "*");
  }

 private:
  Result<Done> queried_by(const std::vector<HeldPost>& posts, const std::string& name) {
    Instant edge;
    const policy::AuthorityPtr authority = rules_->authority(rules_, posts, 0, Instant{}, edge);
    for (const Dataset& dataset : rules_->catalogue().datasets) {
      for (int action = 0; action < policy::kActions; ++action) {
        const Decision& decision = authority->decide(dataset, static_cast<Action>(action), "");
        if (!decision.allowed() || !tried_.insert(decision.shape).second) continue;
        if (!runs(decision)) return cannot_run(name, dataset.name);
      }
    }
    return Done{};
  }

  bool runs(const Decision& decision) {
    Query query;
    query.dataset = decision.dataset;
    const Compiler compiler{rules_->catalogue(), rules_->regulation(), reader_.dialect()};
    const auto plan = compile(compiler, query, decision, {}, false);
    if (!plan) return true;  // nothing to see: no statement
    return policy::can_be_asked(reader_, (*plan)->reach, (*plan)->sql, (*plan)->slots, &decision.literals);
  }

  db::Connection& reader_;
  const RulesPtr rules_;
  std::vector<HeldPost> all_;
  std::set<std::string> tried_;
};

}  // namespace

Result<Done> fits(db::Connection& reader, const RulesPtr& now, const policy::Regulation& regulation) {
  JW_CHECK(policy::grants_stay(now->catalogue(), reader, now->regulation(), regulation));
  const RulesPtr then = now->with(regulation);
  if (const std::vector<int> beyond = then->posts_beyond(reader); !beyond.empty())
    return cannot_run(regulation.posts.at(static_cast<size_t>(beyond.front())).name, "");
  return Trial(reader, then).run();
}

}  // namespace jw::query
