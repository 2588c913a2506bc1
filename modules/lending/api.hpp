// Lending and impersonation (§2.5.3, §6.1.3): sees when an account is used by more than one person, has its holder show
// who it is, limits it, suspends it, and tells the holder what was seen, what to do and whom to ask (docs/lending.md).
//
// Evidence is what the record and the sessions hold anyway: sign-ins, queries by the hour, the device mark and the zone
// of the campus network. Queries cost one look into a map more; everything else happens in sweep(), in the background.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "kernel/case/api.hpp"
#include "kernel/identity/api.hpp"
#include "kernel/policy/api.hpp"
#include "kernel/record/api.hpp"
#include "modules/lending/ladder.hpp"
#include "modules/lending/network.hpp"
#include "modules/lending/rules.hpp"
#include "platform/db/api.hpp"

namespace jw::lending {

using record::Hand;

// A finding as stored.
struct Stored {
  int64_t id = 0;
  std::string rule;
  int score = 0;
  Text seen;
  std::vector<int64_t> sessions;
  std::vector<uint64_t> leaves;
};

// Called in the transaction that suspends an account, with the findings it rests on: opens the case of §2.5.3. What it
// throws undoes the suspension.
using OnSuspended =
    std::function<void(db::Connection& transaction, int64_t account, const std::vector<Stored>& findings)>;

// What is in force against an account, for its holder.
struct Story {
  Step step = Step::none;
  Instant since;
  std::vector<Text> seen;  // what was seen, in plain words; names nobody else
  std::string reason;      // of whoever took the step; empty: it was taken by itself
};

struct Swept {
  bool worked = false;  // false: another node is at it
  int64_t leaves = 0, accounts = 0, findings = 0, steps = 0;
  int64_t failed = 0;  // accounts whose step could not be taken (no case could be opened …); tried again next time
};

// Everything in force against an account ends, and its open findings are settled; within the caller's transaction, who
// puts it on record (the case of a suspension). What was suspended for another reason stays so.
Result<Done> lift_within(db::Connection& transaction, identity::Identity& identity, int64_t account, const Hand& hand,
                         std::string_view reason, Instant now);

// Opens the case of §2.5.3 in the transaction that suspends.
void open_suspension(cases::Engine& engine, db::Connection& transaction, int64_t account,
                     const std::vector<Stored>& findings);

// Thread-safe.
class Watch {
 public:
  struct Parts {
    db::Store& store;
    identity::Identity& identity;
    record::Recorder& recorder;
    const policy::Policy& policy;
    const Clock& clock;
  };
  Watch(Parts parts, Network network, OnSuspended on_suspended);
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  const Network& network() const;
  // A live session asked for something from this address.
  void note(int64_t session, int64_t account, std::string_view remote);
  // Writes down where sessions asked from.
  void flush();
  // One round: reads what is new in the record, looks at whoever was active, does what is due. Of several nodes one at
  // a time works. Puts the zones of the network on record when they changed.
  Swept sweep();

  // The holder has shown again who it is: what was found until now is answered, and asking is over.
  void answered(const Hand& holder);
  // nullopt: nothing is in force. `connection` reads past the belt.
  std::optional<Story> story(db::Connection& connection, int64_t account) const;

  // ---- the desk (power lending_desk); each act writes its own leaf within the caller's transaction, who delivers the
  // outbox id after the commit

  // The pattern is honest: the rule is silent about this account for a while. Nothing is lifted by it.
  Result<int64_t> dismiss(db::Connection& transaction, int64_t finding, const Hand& hand, std::string_view reason);
  // Refusals: lending.step_lower (409) when that or more is in force already.
  Result<int64_t> take_step(db::Connection& transaction, int64_t finding, Step step, const Hand& hand,
                            std::string_view reason);
  // Everything in force against the account of this finding ends, and its open findings are settled.
  Result<int64_t> lift(db::Connection& transaction, int64_t finding, const Hand& hand, std::string_view reason);
  // All three: lending.finding_unknown (404), lending.closed (409), lending.own_account (403),
  // text.not_accepted (422).

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace jw::lending
