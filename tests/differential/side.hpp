// The engine on one store, and one case put to it.
#pragma once

#include <boost/json.hpp>

#include <memory>
#include <optional>

#include "tests/differential/university.hpp"
#include "tests/support/stores.hpp"

namespace jw::differential {

std::string login_of(int64_t account);
policy::Asker asker_of(int64_t account);

// Everything an answer depends on.
struct Case {
  int variant = 0;
  std::shared_ptr<const World> world = std::make_shared<World>();
  int64_t now_us = 0;
  int64_t account = 1;
  bool agreement_due = false;
  enum class Form : uint8_t { ask, one, document } form = Form::ask;
  boost::json::object request;  // one: dataset, key, purpose
  uint64_t seed = 0;            // for what a check draws by itself

  const catalog::Catalogue& catalogue() const { return test_catalogue(variant); }
  policy::Asker asker() const;
  // The policy: default permits and forbids, and the grants of the store.
  void set_policy(std::vector<policy::Atom> own_defaults, std::vector<policy::Grant> own_grants);
  const std::vector<policy::Atom>& defaults() const { return policy_->rules.regulation.atoms; }
  const std::vector<policy::Grant>& grants() const { return policy_->grants; }
  const Rules& rules() const { return policy_->rules; }

 private:
  struct Policy {
    std::vector<policy::Grant> grants;
    Rules rules;
  };
  std::shared_ptr<const Policy> policy_;  // shared: cases are copied often
};

constexpr int64_t kFirstId = 1000;  // of rows that a batch adds

policy::Action action_of(const Case& one);  // follows from the form

class Side {
 public:
  Side(db::Dialect dialect, int variant);

  void put(const Case& all);  // world, policy, time
  void put_world(const World& world);
  void put_policy(const std::vector<policy::Atom>& defaults, const std::vector<policy::Grant>& grants);
  void put_grants(const std::vector<policy::Grant>& grants);  // the running engine has to notice
  void end_sessions(bool ended);
  void at(int64_t now_us);  // back in time nothing that is cached holds

  query::Engine& engine() { return *engine_; }
  query::Engine& uncached() { return *uncached_; }
  const policy::Policy& policy() const { return *policy_; }
  db::Store& store() { return made_.store(); }

 private:
  struct FixedClock final : Clock {
    int64_t now_us = 0;
    Instant now() const override { return {now_us}; }
  };
  void raise_epoch(db::Connection& writer);
  void write_grants(db::Connection& writer, const std::vector<policy::Grant>& grants);

  const catalog::Catalogue& catalogue_;
  tests::TestStore made_;
  FixedClock clock_;
  int64_t grant_id_ = 0;
  std::unique_ptr<policy::Policy> policy_;
  std::unique_ptr<query::Engine> engine_, uncached_;
};

// The whole answer as the person gets it, or the refusal with all its words.
std::string answer_of(query::Engine& engine, const Case& one);
// What is wrong with the engine's answer to the case, held against the reference; nothing when it is right.
std::optional<std::string> compare_with_reference(query::Engine& engine, const Case& one);
// Part of an answer without what rests on permits by name: columns, rows and marks.
std::string rows_of(const std::string& answer);

}  // namespace jw::differential
