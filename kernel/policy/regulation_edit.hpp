// The regulation of a store (§2.1.1, design §1): read by version, changed by acts that two people do. Somebody
// proposes, another decides (four eyes); what is approved is a new version, in force on the next statement of every
// node, as the gate's epoch is raised in the same transaction. Nothing is overwritten: to roll back is to propose an
// older version again. Each act is one leaf of the record, in the caller's writing transaction; after the commit the
// caller delivers `outbox`, after a refusal it rolls back.
//
// Who may do what is a row of the regulation (Regulation::powers): regulation_propose, regulation_approve. The caller
// proves the power of the hand; that two hands are two people is checked here.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "kernel/policy/regulation.hpp"
#include "kernel/record/api.hpp"
#include "platform/db/api.hpp"

namespace jw::policy {

constexpr size_t kChangesMax = 200;  // operations of one proposal

// ---- reading

int64_t version_in_force(db::Connection& connection);  // 0: the store has none yet
// What of it cannot be understood (any more) closes only itself and is told in Regulation::closed: a permit opens
// nothing, a forbid closes its whole dataset, a post is held by nobody. Throws std::runtime_error when this version is
// not there.
Regulation stored_regulation(db::Connection& connection, int64_t version, const catalog::Catalogue& catalogue);

// Refusal: regulation.version_unknown (404).
Result<boost::json::object> content_of(db::Connection& connection, int64_t version);

struct Proposal {
  int64_t id = 0, base = 0;
  std::string kind, state;  // change | rollback; proposed | approved | rejected | withdrawn
  std::string clause, note, answer;
  int64_t proposed_by = 0, proposed_person = 0;
  std::string proposed_name, decided_name;
  Instant proposed, decided;
  std::optional<int64_t> rolled_back_to, version;
  boost::json::object content;
};
Result<Proposal> proposal(db::Connection& connection, int64_t id);  // regulation.proposal_unknown (404)

// What differs, row by row: [{"kind":"rule","key":"17","before":{…}|null,"after":{…}|null}]; kinds: setting, post,
// power, rule.
boost::json::array difference(const boost::json::object& before, const boost::json::object& after);

// ---- drafting

struct Draft {
  boost::json::object content;
  Regulation regulation;  // as it would be in force
};
// `changes`, in turn: {"op":"add_rule","rule":{…}} {"op":"put_rule","id":17,"rule":{…}} {"op":"remove_rule","id":17}
// {"op":"set_setting","name":…,"value":…} {"op":"put_post","post":{…}} {"op":"set_power","name":…,"post":[…]}.
// A new post stands last; posts and settings are never taken away. Refusals: regulation.change_invalid (422, by field
// `changes[0].rule`), regulation.same (409; nothing would change).
Result<Draft> draft(const catalog::Catalogue& catalogue, const boost::json::object& base,
                    const boost::json::array& changes);
// An older version as it would be brought back: posts and settings that came later stay.
Result<Draft> draft_rollback(const catalog::Catalogue& catalogue, const boost::json::object& now,
                             const boost::json::object& then);

// ---- acts

using record::Hand;

struct Acted {
  int64_t proposal = 0;
  int64_t version = 0;  // now in force
  int64_t outbox = 0;
};

struct Wording {
  std::string clause;  // "2.1.1"
  std::string note;    // why
};

// Whether what is proposed or decided can be in force on this store, grants beside it included (query::fits); asked
// inside the act, so that nothing is decided that would close the system.
using Trial = std::function<Result<Done>(const Regulation&)>;

// `base`: the version that the proposer saw. Refusals: text.not_accepted, regulation.change_invalid (422),
// regulation.base_changed (409, with what changed since), regulation.same (409), those of the trial.
Result<Acted> propose(db::Connection& transaction, record::Recorder& recorder, const catalog::Catalogue& catalogue,
                      int64_t base, const boost::json::array& changes, const Wording& wording, const Hand& hand,
                      Instant now, const Trial& trial);
Result<Acted> propose_rollback(db::Connection& transaction, record::Recorder& recorder,
                               const catalog::Catalogue& catalogue, int64_t base, int64_t to, const Wording& wording,
                               const Hand& hand, Instant now, const Trial& trial);
// Refusals: regulation.proposal_unknown (404), regulation.decided (409), regulation.own_proposal (403),
// regulation.base_changed (409), regulation.change_invalid (422; the catalogue has changed meanwhile), those of the
// trial.
Result<Acted> approve(db::Connection& transaction, record::Recorder& recorder, const catalog::Catalogue& catalogue,
                      int64_t id, const Hand& hand, Instant now, const Trial& trial);
// Refusals: regulation.proposal_unknown, .decided, .own_proposal (withdraw it instead), text.not_accepted.
Result<Acted> reject(db::Connection& transaction, record::Recorder& recorder, int64_t id, std::string_view reason,
                     const Hand& hand, Instant now);
// By its proposer. Refusals: regulation.proposal_unknown, .decided, .not_own_proposal (403).
Result<Acted> withdraw(db::Connection& transaction, record::Recorder& recorder, int64_t id, const Hand& hand,
                       Instant now);

// The operator's way back when nobody can sign in to propose it: version `to` is in force again at once, as a version
// of its own, and on record as an administration. Posts and settings that came later stay. Refusals:
// regulation.version_unknown (404), text.not_accepted (422), regulation.same (409).
Result<Acted> restore(db::Connection& transaction, record::Recorder& recorder, int64_t to, std::string_view note,
                      const Hand& hand, Instant now);

// Gives a store that has no version yet the one of the files. Later the files count only as long as nothing was decided
// in the product: then settings, posts and powers that the program has learned are added, nothing else. Outbox id, or
// 0.
int64_t start_regulation(db::Connection& transaction, record::Recorder& recorder, const catalog::Catalogue& catalogue,
                         const boost::json::object& files, Instant now);

}  // namespace jw::policy
