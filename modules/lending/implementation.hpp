// Inside modules/lending only: what the parts of Watch share.
#pragma once

#include <mutex>
#include <set>

#include "modules/lending/api.hpp"
#include "modules/lending/places.hpp"

namespace jw::lending {

// What is in force against an account.
struct InForce {
  Step step = Step::none;
  int64_t since_us = 0;
};

std::string json_of(const std::vector<int64_t>& numbers);
std::string json_of(const std::vector<uint64_t>& numbers);
std::vector<int64_t> numbers_of(std::string_view json);

int64_t take_id(db::Connection& transaction);
inline db::Param person_of(const identity::Account& account) {
  return account.person == 0 ? db::Param() : db::Param(account.person);
}
// What is done about accounts happens one after the other, on all nodes.
void lock_acts(db::Connection& transaction);
InForce in_force(db::Connection& connection, int64_t account);

class Watch::Implementation {
 public:
  Implementation(Parts parts, Network network, OnSuspended on_suspended)
      : parts_(parts), network_(std::move(network)), on_suspended_(std::move(on_suspended)), places_(network_) {}

  // ---- gather.cpp
  int64_t read_record(Instant now);
  void forget_old(Instant now);
  void record_network(Instant now);
  std::set<int64_t> active_accounts(db::Connection& connection, int64_t since_us);
  View view_of(db::Connection& connection, int64_t account, const Settings& settings, Instant now);

  // ---- sweep.cpp
  Swept sweep();
  Settings settings() const;

  // ---- desk.cpp
  // Within the caller's transaction; gives the outbox id of its leaf.
  int64_t put_step(db::Connection& transaction, int64_t account, Step step, const Hand& hand, std::string_view reason,
                   const std::vector<Stored>& findings, Instant now);
  std::vector<Stored> open_findings(db::Connection& connection, int64_t account);

  const Parts parts_;
  const Network network_;
  const OnSuspended on_suspended_;
  Places places_;

 private:
  Swept sweep_locked();
  void keep_evidence(db::Connection& transaction, int64_t finding, const identity::Account& holder,
                     const std::vector<int64_t>& sessions);
  bool keep_findings(int64_t account, const std::vector<Finding>& findings, const Settings& settings, Instant now,
                     Swept& swept);
  void take_due_step(int64_t account, const Settings& settings, Instant now, Swept& swept);

  std::mutex sweeping_;
  Instant forgot_at_;
};

}  // namespace jw::lending
