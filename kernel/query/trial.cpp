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
    // Those set apart would close what the others open (§4.3.2).
    std::erase_if(all_, [this](const HeldPost& held) { return rules_->is_apart({held}); });
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

std::vector<std::string> posts_with(const policy::Regulation& regulation, const policy::Power& power) {
  std::vector<std::string> names;
  for (const int post : power.posts) names.push_back(regulation.posts.at(static_cast<size_t>(post)).name);
  return names;
}

bool somebody_has(db::Connection& reader, const policy::Rules& rules, const policy::Power& power, Instant now) {
  const std::vector<std::string> posts = posts_with(rules.regulation(), power);
  return std::any_of(posts.begin(), posts.end(),
                     [&](const std::string& post) { return !rules.holders(reader, post, "", now).empty(); });
}

// Nobody could move it back again, or whoever is appointed next has it alone.
Result<Done> powers_stay(db::Connection& reader, const RulesPtr& before, const RulesPtr& after, Instant now) {
  Refusal lost{Code::unprocessable,
               "regulation.power_unheld",
               {"职权只能交给现在有人担任的岗位", "a power goes to a post that somebody holds now"}};
  for (const policy::Power& power : after->regulation().powers) {
    const policy::Power* was = before->regulation().power(power.name);
    const bool moved =
        was == nullptr || posts_with(before->regulation(), *was) != posts_with(after->regulation(), power);
    if (somebody_has(reader, *after, power, now)) continue;
    if (!moved && !somebody_has(reader, *before, *was, now)) continue;
    lost.fields.push_back({"powers." + power.name,
                           "unheld",
                           {"「" + power.label.zh + "」将无人担任", "nobody would have: " + power.label.en}});
  }
  if (lost.fields.empty()) return Done{};
  return lost;
}

}  // namespace

Result<Done> fits(db::Connection& reader, const RulesPtr& rules, const policy::Regulation& regulation, Instant now) {
  JW_CHECK(policy::grants_stay(rules->catalogue(), reader, rules->regulation(), regulation));
  const RulesPtr then = rules->with(regulation);
  if (const std::vector<int> beyond = then->posts_beyond(reader); !beyond.empty())
    return cannot_run(regulation.posts.at(static_cast<size_t>(beyond.front())).name, "");
  JW_CHECK(powers_stay(reader, rules, then, now));
  return Trial(reader, then).run();
}

}  // namespace jw::query
