#include "kernel/query/trial.hpp"

#include <set>

#include "kernel/query/known.hpp"
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

// Whether somebody would have each power, without telling whom a new definition of a post fits (§4.3.2): whoever may
// propose could else ask of anybody, yes or no, whatever a condition can ask.
class Powers {
 public:
  Powers(db::Connection& reader, const RulesPtr& before, const RulesPtr& after, const policy::Asker& viewer,
         Instant now)
      : reader_(reader),
        before_(*before),
        after_(*after),
        now_(now),
        viewing_(authority_of(reader, before, viewer, now)),
        known_(before->catalogue(), *viewing_) {}

  // Nobody could move it back again, or whoever is appointed next has it alone.
  Result<Done> stay() {
    Refusal lost{Code::conflict,
                 "regulation.power_unheld",
                 {"职权只能交给现在有人担任的岗位；新设或更改的岗位先生效，再交职权",
                  "a power goes to a post that somebody holds now; a new or changed post comes into force first"}};
    for (const policy::Power& power : after_.regulation().powers) {
      const policy::Power* was = before_.regulation().power(power.name);
      const std::vector<std::string> posts = posts_with(after_.regulation(), power);
      const bool moved = was == nullptr || posts_with(before_.regulation(), *was) != posts;
      const auto held = [&](const std::string& post) { return is_told(post) && is_held(after_, post); };
      if (std::any_of(posts.begin(), posts.end(), held)) continue;
      if (!moved && std::none_of(posts.begin(), posts.end(), [&](const auto& post) { return is_held(before_, post); }))
        continue;
      lost.fields.push_back({"powers." + power.name,
                             "unheld",
                             {"「" + power.label.zh + "」须有一个现行未改、有人担任的岗位",
                              power.label.en + ": needs a post that stands unchanged and is held"}});
    }
    if (lost.fields.empty()) return Done{};
    return lost;
  }

 private:
  bool is_held(const policy::Rules& rules, const std::string& post) {
    return !rules.holders(reader_, post, "", now_).empty();
  }
  // Whether the viewer may be told if the post, as it would be, is held.
  bool is_told(const std::string& name) {
    const policy::Regulation& then = after_.regulation();
    return known_.post(then, then.post(name)) || (stands(name) && (!is_apart(then, name) || apart_stand()));
  }
  static bool is_apart(const policy::Regulation& regulation, const std::string& name) {
    return !regulation.posts.at(static_cast<size_t>(regulation.post(name))).apart.empty();
  }
  // Defined now as then.
  bool stands(const std::string& name) const {
    const policy::Regulation &now = before_.regulation(), &then = after_.regulation();
    if (now.post(name) < 0 || then.post(name) < 0) return false;
    const policy::Post &was = now.posts.at(static_cast<size_t>(now.post(name))),
                       &is = then.posts.at(static_cast<size_t>(then.post(name)));
    return was.from == is.from && was.unit == is.unit && was.apart == is.apart && was.closed == is.closed &&
           was.where == is.where && same_settings(is.where);
  }
  // Of posts set apart nobody holds two: each of them counts for the others.
  bool apart_stand() const {
    for (const policy::Regulation* each : {&before_.regulation(), &after_.regulation()}) {
      for (const policy::Post& post : each->posts) {
        if (!post.apart.empty() && !stands(post.name)) return false;
      }
    }
    return true;
  }
  bool same_settings(const catalog::Condition& condition) const {
    using Source = catalog::Condition::Source;
    if (condition.source == Source::today_minus_years)
      return before_.regulation().setting(condition.name) == after_.regulation().setting(condition.name);
    if (condition.source == Source::relation) {
      const catalog::Catalogue& catalogue = before_.catalogue();
      const catalog::Relation& relation =
          catalogue.relations.at(static_cast<size_t>(catalogue.relation(condition.name)));
      return same_settings(relation.where);
    }
    return std::all_of(condition.parts.begin(), condition.parts.end(),
                       [this](const catalog::Condition& part) { return same_settings(part); });
  }

  db::Connection& reader_;
  const policy::Rules &before_, &after_;
  const Instant now_;
  const policy::AuthorityPtr viewing_;
  const Known known_;
};

}  // namespace

Result<Done> fits(db::Connection& reader, const RulesPtr& rules, const policy::Regulation& regulation,
                  const policy::Asker& viewer, Instant now) {
  JW_CHECK(policy::grants_stay(rules->catalogue(), reader, rules->regulation(), regulation));
  const RulesPtr then = rules->with(regulation);
  if (const std::vector<int> beyond = then->posts_beyond(reader); !beyond.empty())
    return cannot_run(regulation.posts.at(static_cast<size_t>(beyond.front())).name, "");
  JW_CHECK(Powers(reader, rules, then, viewer, now).stay());
  return Trial(reader, then).run();
}

}  // namespace jw::query
