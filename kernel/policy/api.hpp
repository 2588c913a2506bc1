// Permission decisions (design §4). A decision is Denied, or a set of permits whose rows and cells are lowered to SQL
// by kernel/query: there is no third thing and no null. Deny by default; what fails to load is an error, never empty.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/time.hpp"
#include "kernel/catalog/api.hpp"
#include "kernel/policy/lower.hpp"
#include "kernel/policy/regulation.hpp"
#include "platform/db/api.hpp"

namespace jw::policy {

// Whoever asks. A query without an asker cannot be written.
struct Asker {
  int64_t account = 0;
  int64_t person = 0;  // 0: the account belongs to no person of the data; relations are then empty
  int64_t session = 0;
  std::string kind;
  bool agreement_due = false;  // confidentiality agreement not signed in its current version (§4.3.3)
};

struct HeldPost {
  int post = -1;                   // index into Regulation::posts
  std::vector<std::string> units;  // codes of the units in which it is held
  auto operator<=>(const HeldPost&) const = default;
};

// Which permits let a field be seen, by index into Decision::permits.
struct FieldSight {
  std::vector<int> clear, masked;
  bool is_closed() const { return clear.empty() && masked.empty(); }
  bool operator==(const FieldSight&) const = default;
};

// A forbid with the ordinal of its first literal in Decision::literals.
struct BoundForbid {
  const Atom* atom;
  int64_t literals;
};

struct Decision {
  const catalog::Dataset* dataset = nullptr;
  Action action = Action::query;
  std::string purpose;                              // as declared, or the first purpose of the first default permit
  std::vector<const Atom*> permits;                 // none = denied
  std::vector<int64_t> permit_literals;             // ordinal of each permit's first literal
  std::map<int, std::vector<BoundForbid>> forbids;  // by dataset: forbids reach lookups from other datasets too
  std::vector<FieldSight> fields;                   // one per field of the dataset
  std::vector<Literal> literals;                    // values of the permits' and forbids' conditions
  std::string shape;                                // equal shapes compile to equal statements
  bool own_only = false;                            // every permit is `self`: all rows are about the asker
  std::string scope_json;                           // {"text":…,"basis":[…]}
  std::string basis;                                // for the record: "§2.3.1,grant:2026-0017"
  std::string post, unit;                           // for the record
  std::optional<Refusal> refusal;                   // why denied, and how to ask
  bool allowed() const { return !permits.empty(); }
};

class Rules;

// What people with the same posts and grants may do; shared by all of them. Thread-safe.
class Authority {
 public:
  Authority(std::shared_ptr<const Rules> rules, std::vector<HeldPost> posts, std::vector<const Atom*> in_force,
            std::vector<const Atom*> out_of_force);
  const std::vector<HeldPost>& posts() const { return posts_; }
  const Rules& rules() const { return *rules_; }
  const std::vector<const Atom*>& in_force() const { return in_force_; }
  // `purpose` empty: left out by the asker.
  const Decision& decide(const catalog::Dataset& dataset, Action action, const std::string& purpose) const;

 private:
  std::unique_ptr<Decision> make(const catalog::Dataset& dataset, Action action, const std::string& purpose) const;
  Refusal refuse(const catalog::Dataset& dataset, Action action, const std::string& purpose) const;

  std::shared_ptr<const Rules> rules_;
  std::vector<HeldPost> posts_;
  std::vector<const Atom*> in_force_, out_of_force_;
  mutable std::shared_mutex mutex_;
  mutable std::map<std::tuple<int, Action, std::string>, std::unique_ptr<Decision>> decisions_;
};
using AuthorityPtr = std::shared_ptr<const Authority>;

// The rows that a permit opens, or a forbid closes: 「本人任教的教学班的成绩」.
Text rows_in_words(const catalog::Catalogue& catalogue, const catalog::Dataset& dataset, const Atom& atom);

// The remedy of §2.4.1: the application for access, filled in. Only reading is applied for: who enters and who reviews
// is the regulation's (§4.1.2, §4.2.1).
Remedy access_remedy(const catalog::Dataset& dataset, const std::vector<std::string>& fields, Action action,
                     const std::string& purpose);

// Everything in force at one epoch of the gate: regulation and grants.
class Rules {
 public:
  // `closed`: what of the grants could not be understood, for the operator.
  Rules(const catalog::Catalogue& catalogue, Regulation regulation, std::vector<Atom> grants, int64_t epoch,
        db::Dialect dialect, std::vector<Text> closed = {});
  const catalog::Catalogue& catalogue() const { return catalogue_; }
  const Regulation& regulation() const { return regulation_; }
  const std::vector<Atom>& grants() const { return grants_; }
  // Of the regulation, then of the grants.
  template <class Each>
  void for_each_atom(const Each& each) const {
    for (const std::vector<Atom>* atoms : {&regulation_.atoms, &grants_}) {
      for (const Atom& atom : *atoms) each(atom);
    }
  }
  int64_t epoch() const { return epoch_; }
  std::vector<Text> closed() const;  // what is stored, cannot be understood and closes itself
  // Posts whose holders this store cannot be asked for, by place.
  std::vector<int> posts_beyond(db::Connection& connection) const;
  // The same with another regulation, or with one grant more: what would be in force then (§2.1.1).
  std::shared_ptr<const Rules> with(Regulation regulation) const;
  std::shared_ptr<const Rules> with(Atom grant) const;
  // Posts that a person holds now. Of posts that exclude each other nobody holds two: whoever is found with two holds
  // neither (§4.3.2).
  std::vector<HeldPost> posts_of(db::Connection& connection, int64_t person, int64_t session, Instant now) const;
  // That the person which `person` is (an SQL expression) holds this post, in this unit ("" = any), as a predicate of
  // another statement; and what that may read.
  std::string holds_sql(Statement& statement, int post, const std::string& unit, const std::string& person) const;
  const db::Reach& posts_reach() const { return *posts_reach_; }
  // Staff with a live account who hold this post now, in this unit (code; "" = any), as accounts in their order.
  std::vector<Asker> holders(db::Connection& reader, std::string_view post, const std::string& unit, Instant now) const;
  // Whether this person does, whatever account there is.
  bool holds(db::Connection& reader, int64_t person, std::string_view post, const std::string& unit, Instant now) const;
  // Whether a holder of these posts is one of those set apart (§4.3.2): to them no post and no grant opens academic
  // data, but for the own entry. It is asked of the person, whatever else the person holds.
  bool is_apart(const std::vector<HeldPost>& posts) const;
  // Whether an atom opens nothing to them.
  bool is_closed_apart(const Atom& atom) const;
  // That the person which `person` is (an SQL expression) is none of them.
  std::string not_apart_sql(Statement& statement, const std::string& person) const;
  // Whether one of these posts has that power (Regulation::powers); the post, or -1.
  int empowered(const std::vector<HeldPost>& posts, std::string_view power) const;
  // Whether any permit, grant or the regulation's own vocabulary knows this purpose.
  bool knows_purpose(const std::string& purpose) const { return purposes_.contains(purpose); }
  const std::set<std::string>& purposes() const { return purposes_; }
  // Authority of a holder of these posts; interned. `edge` becomes the next instant at which a grant begins or ends.
  AuthorityPtr authority(const std::shared_ptr<const Rules>& self, const std::vector<HeldPost>& posts, int64_t account,
                         Instant now, Instant& edge) const;

 private:
  const catalog::Catalogue& catalogue_;
  Regulation regulation_;
  std::vector<Atom> grants_;
  int64_t epoch_;
  db::Dialect dialect_;
  std::vector<Text> closed_;
  // (unit) of every holding of one post.
  std::string post_sql(Statement& statement, size_t post, const std::string& unit) const;

  std::string posts_sql_;
  std::vector<Slot> posts_slots_;
  db::ReachPtr posts_reach_;
  std::set<std::string> purposes_;
  std::unordered_map<int64_t, std::vector<const Atom*>> by_account_;
  std::vector<std::vector<const Atom*>> by_post_;  // defaults and grants
  mutable std::mutex mutex_;
  mutable std::map<std::pair<std::vector<HeldPost>, std::vector<const Atom*>>, std::weak_ptr<const Authority>>
      interned_;
};

// Values for the slots of a statement.
struct Binding {
  int64_t person = 0, other = 0, session = 0, now_us = 0, limit = 0;
  Date today;
  const std::vector<Literal>* query = nullptr;
  const std::vector<Literal>* policy = nullptr;
  const std::vector<Literal>* cursor = nullptr;
};
// `store` keeps made-up texts (dates) alive; reserve nothing: it is cleared here. Called with its namespace: std::bind
// takes anything.
void bind(const std::vector<Slot>& slots, const Binding& binding, std::vector<db::Param>& params,
          std::vector<std::string>& store);
// Every row of a statement, on a reading connection within what it may read.
template <class Each>
void each_row(db::Connection& reader, const db::ReachPtr& reach, const std::string& sql, const std::vector<Slot>& slots,
              const Binding& binding, const Each& each) {
  std::vector<db::Param> params;
  std::vector<std::string> texts;
  policy::bind(slots, binding, params, texts);
  db::Rows rows = reader.query_within(reach, sql, params);
  while (rows.next()) each(rows);
}
// Whether this store can be asked such a statement at all: tried about nobody. What fails for another reason (time, a
// lost store) is thrown.
bool can_be_asked(db::Connection& reader, const db::ReachPtr& reach, const std::string& sql,
                  const std::vector<Slot>& slots, const std::vector<Literal>* policy = nullptr);

// What this folder reads on reading connections, the catalogue's tables apart.
db::Reach readers_reach();

// The rules of a store, kept current by the gate's epoch. Thread-safe.
class Policy {
 public:
  // `regulation` counts while the store holds no version (kernel/policy/regulation_edit.hpp). What is stored and cannot
  // be understood, or not be asked of this store, closes only itself (never the files instead): a permit opens nothing,
  // a forbid closes its dataset, a post is held by nobody; Rules::closed tells.
  Policy(const catalog::Catalogue& catalogue, Regulation regulation, db::Store& store);

  // Posts and grants of this person now, from cache while epoch and day are the same.
  AuthorityPtr authority(db::Connection& connection, const Asker& asker, Instant now);
  // The same inside a writing transaction, as it sees them; nothing of it is kept, since it may be rolled back.
  AuthorityPtr authority_in(db::Connection& transaction, const Asker& asker, Instant now) const;
  std::shared_ptr<const Rules> rules() const;  // keep it as long as anything of it is used: refresh() replaces it
  // Loads the rules again when the store's epoch is newer than ours. Returns the epoch in use.
  int64_t refresh(db::Connection& connection);

 private:
  struct Facts {
    int64_t epoch = 0;
    Date today;
    Instant edge;
    AuthorityPtr authority;
  };
  Regulation regulation_now(db::Connection& connection, const Rules* current) const;
  std::shared_ptr<const Rules> rules_in(db::Connection& connection) const;

  const catalog::Catalogue& catalogue_;
  const Regulation given_;
  const db::Dialect dialect_;
  mutable std::shared_mutex mutex_;
  std::shared_ptr<const Rules> rules_;
  static constexpr size_t kShards = 16;
  struct Shard {
    std::mutex mutex;
    std::unordered_map<int64_t, Facts> facts;  // by account
  };
  std::array<Shard, kShards> shards_;
};

// A grant or forbid as stored: content is {"rows": "all" | relation | {condition}, "where": {condition}, "clear": […],
// "masked": […], "actions": […], "purposes": […]}; `where` may be left out, and narrows the rows of a relation. A
// forbid that names no actions forbids all; purposes do not narrow it.
struct Grant {
  std::string number;
  Effect effect = Effect::permit;
  int64_t account = 0;  // holder: an account, or
  std::string post;     // a post,
  std::string unit;     // held in this unit ("" = any); an account: while its person has any post there (§2.5.1)
  std::string dataset;
  std::string content;
  Instant from, until;
  std::string source;  // clause or case
  // For people and lists (dataset access_grant): what it opens and whose it is. holder_unit: id of a row of `unit`.
  std::string title{}, holder{}, holder_name{};
  int64_t person = 0, holder_unit = 0;
};
// That every stored grant in force which is understood under `before` is understood under `after`, too.
// Refusal: regulation.grant_lost (422, one field each).
Result<Done> grants_stay(const catalog::Catalogue& catalogue, db::Connection& reader, const Regulation& before,
                         const Regulation& after);
Result<Atom> grant_atom(const catalog::Catalogue& catalogue, const Regulation& regulation, const Grant& grant);
// Writes a grant and raises the gate's epoch, inside the caller's transaction.
Result<Done> put_grant(const catalog::Catalogue& catalogue, const Regulation& regulation, db::Connection& transaction,
                       const Grant& grant, Instant now);

}  // namespace jw::policy
