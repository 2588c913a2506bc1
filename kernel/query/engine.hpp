// Inside of the engine; not for other folders.
#pragma once

#include <shared_mutex>
#include <unordered_map>

#include "kernel/query/api.hpp"
#include "kernel/query/plan.hpp"

namespace jw::query {

// One request on its way: who, when, and the entry that grows with it.
struct Run {
  const policy::Asker& asker;
  Instant now;
  record::Entry entry;
};

// A request that ends here, as it goes into the record.
template <class T = Answer>
Settled<T> refused(Run run, Refusal refusal) {
  run.entry.kind = "refusal";
  run.entry.decision = refusal.type;
  return {std::move(run.entry), std::move(refusal)};
}

struct Engine::Impl {
  const catalog::Catalogue& catalogue;
  policy::Policy& policy;
  db::Store& store;
  const Clock& clock;
  Options options;
  mutable std::shared_mutex mutex{};
  std::unordered_map<std::string, std::shared_ptr<const Plan>> plans{};
  std::string gate_statement{};
  std::vector<policy::Slot> gate_slots{};
  db::ReachPtr gate_reach{};

  struct Named {
    std::string dataset, name;
    Meaning meaning;
  };
  std::vector<Named> conditions{};

  Run begin(const policy::Asker& asker, const boost::json::value& request) const;
  // The question with what its named conditions mean for this asker now.
  Result<Query> read(const boost::json::value& request, const Run& run) const;
  // Everything but the state of the permissions is checked; the gate of the statement tells whether that was current.
  struct Prepared {
    const policy::Decision* decision = nullptr;
    policy::AuthorityPtr authority;
    std::shared_ptr<const Plan> plan;
    std::optional<Cursor> cursor;
    db::Connection* reader = nullptr;  // where it runs
    std::string context;               // shape of the plan; binds page tokens
  };
  Result<Prepared> prepare(db::Connection& connection, const Query& query, policy::Action action, Run& run);
  Result<std::shared_ptr<const Plan>> plan_for(const Query& query, const Prepared& prepared,
                                               const std::vector<bool>& nulls);
  // Borrows from all three.
  static policy::Binding binding(const Prepared& prepared, const Run& run, const std::vector<policy::Literal>& literals,
                                 int64_t limit);
  // Epoch when the asker's session is live, else nullopt.
  std::optional<int64_t> gate(db::Connection& connection, const Run& run) const;

  // Runs `read` on the rows of the compiled statement; plans anew when the permissions changed meanwhile.
  template <class Read>
  auto governed(const Query& query, policy::Action action, Run& run, int64_t limit, std::chrono::milliseconds time,
                const Read& read) -> decltype(read(std::declval<const Prepared&>(), std::declval<db::Rows&>(), true));
  // governed(), and what is written of it either way.
  template <class T, class Read>
  Settled<T> settled(const Query& query, policy::Action action, Run& run, int64_t limit, std::chrono::milliseconds time,
                     const Read& read);
  Outcome answer(const Query& query, policy::Action action, Run run);
  Outcome answer_statistics(const Query& query, Run run);
  std::vector<record::Subject> few_of(const Prepared& prepared, const Run& run, const Query& query,
                                      const Statistics& statistics);
};

}  // namespace jw::query
