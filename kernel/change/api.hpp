// The one way academic data is written (design §1: Change; §4.1.2, §4.2.1, §4.2.3): a batch of rows, checked, applied
// in one transaction, with provenance on every row and every older version kept.
//
// A batch belongs to the caller's writing transaction: open it, put rows into its tables, check and finish it, commit,
// then deliver its record entry. If anything is refused the caller rolls back: a batch is applied whole or not at all.
// Batches of one store are applied one after another.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "kernel/catalog/api.hpp"
#include "kernel/policy/api.hpp"
#include "kernel/query/within.hpp"
#include "kernel/record/api.hpp"
#include "platform/db/api.hpp"

namespace jw::change {

// Whoever has the machine and the command line, by name. Outside the permits, which bind people who sign in: an import
// and made-up data come before anybody holds a post. The batch and its leaf say so.
struct Operator {
  std::string name;
};

// Somebody who signs in. A hand without a session (Asker::session 0) does not act now: who entered what is reviewed
// later.
struct Hand {
  policy::Asker asker;
  std::string name;
};

// One entered and another one reviewed (§4.2.1): never the same person, and each within what is permitted (§2.2.1,
// §4.1.2) when the batch is applied.
struct People {
  const policy::Policy* policy;
  Hand entered, reviewed;
  std::string purpose{};  // of the permits; empty: default permits only, as in a query
};

struct Head {
  std::string kind;  // "import" | "made_up" | "entry"
  std::string title;
  std::string source;         // file name or origin
  std::string source_digest;  // hex SHA-256, empty when there is no file
  std::variant<Operator, People> by;
  std::string scope{};  // of a source that is compared as a set: what it says everything about; empty: no set
};

using catalog::Value;

// What is wrong with a row, by field: required, range, length, pattern, code and the dataset's checks (§4.2.3).
// `values`: one for each own field of the dataset, as stored; refs as row ids.
std::vector<FieldProblem> check_row(const catalog::Catalogue& catalogue, const catalog::Dataset& dataset,
                                    std::span<const Value> values);

class Batch;

// One dataset within a batch.
class Table {
 public:
  const catalog::Dataset& dataset() const { return dataset_; }
  size_t width() const { return width_; }  // own fields

  // Adds a row that is known to be new and to pass check_row; returns its id. Rows are sent in blocks: a repeated key
  // shows as db::Error when the block is sent. `person`: for datasets of persons.
  int64_t insert(std::span<const Value> values, int64_t person = 0);

  // Adds the row, or replaces the one with the same natural key (its old version goes to the history), or leaves it
  // when nothing differs.
  enum class Put { added, replaced, same };
  struct Placed {
    Put put;
    int64_t id;
  };
  Placed put(std::span<const Value> values, int64_t person = 0);
  // The same for a row known by its id, whatever its natural key says: what identifies it may be the id of a source.
  Placed replace(int64_t id, std::span<const Value> values);
  // Own fields of a row as it stands; nullopt when there is none.
  std::optional<std::vector<Value>> row(int64_t id);
  // Kind of the batch (Head::kind) that wrote the version of a row that stands; empty when there is no row.
  std::string kind_of(int64_t id);
  // Takes a row away; its last version stays in the history. False when there is none.
  bool remove(int64_t id);

  // Sends the rows that wait: a statement of one's own does not see them before.
  void flush();

  // Row id by natural key, for datasets with one text key.
  std::optional<int64_t> find(std::string_view key);

 private:
  friend class Batch;
  Table(Batch& batch, const catalog::Dataset& dataset);
  void fill(int64_t id, int64_t person, std::span<const Value> values, std::vector<Value>& row) const;
  std::optional<int64_t> existing(std::span<const Value> values);
  void keep_version(int64_t id);
  int64_t person_of(int64_t id);
  // What became of a row; asked about when the batch is checked.
  enum class Event : uint8_t { added, changed, removed };
  void note(int64_t id, Event event);
  query::Written written() const;

  Batch& batch_;
  const catalog::Dataset& dataset_;
  size_t width_ = 0;
  int64_t next_id_ = 1;
  std::vector<std::string> columns_;
  std::vector<Value> buffer_;
  bool flushing_ = false;
  std::unordered_map<std::string, int64_t> keys_;  // known keys of datasets with one text key
  std::vector<std::pair<int64_t, Event>> events_;  // in order; none for an operator
  // What the leaf of the batch answers for: versions written and ended here (kernel/record/rows.hpp).
  void add_to_sum(std::span<const Value> row);  // one for each of columns_
  std::vector<size_t> by_name_;                 // places in columns_, in order of name
  std::vector<std::string> sorted_;
  record::BatchSum sum_;
};

struct Counts {
  int64_t added = 0, replaced = 0, same = 0, removed = 0;
};

class Batch {
 public:
  Batch(const catalog::Catalogue& catalogue, db::Connection& transaction, const Head& head, Instant now);
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

  int64_t id() const { return id_; }
  Instant now() const { return now_; }
  Table& table(std::string_view dataset);
  const catalog::Catalogue& catalogue() const { return catalogue_; }
  db::Connection& connection() { return connection_; }
  // Keeps a source row verbatim (`content`), with what was wrong (JSON array of texts).
  void keep_source(int64_t n, std::string_view content, std::string_view problems_json);
  const Counts& counts() const { return counts_; }

  // Whether the people may write these rows, and rows that exclude each other (catalog::Apart) among all that the store
  // holds now. Refusals: change.same_person, change.not_permitted (403; by row and field, `grade[K].score` with the
  // natural key K), those of the policy for a dataset of which nothing is open, identity.session_ended,
  // identity.agreement_due, change.apart (422).
  Result<Done> check();
  // Sends what waits, notes the sums, raises the gate's epoch. The entry (kind "change") goes into the outbox of
  // `recorder`; deliver the id after the commit. Without a recorder (a store being made, not yet open to anybody) the
  // entry is left out and 0 returned. Throws std::runtime_error when check() would refuse.
  int64_t finish(record::Recorder* recorder);

 private:
  friend class Table;
  const catalog::Catalogue& catalogue_;
  db::Connection& connection_;
  Head head_;
  Instant now_;
  int64_t id_ = 0;
  Counts counts_;
  std::map<std::string, std::unique_ptr<Table>, std::less<>> tables_;
  std::vector<std::tuple<int64_t, std::string, std::string>> sources_;
  void flush_sources();

  // What a person's posts and grants were before anything was written.
  struct Acting {
    policy::Action action;
    const Hand* hand;
    policy::AuthorityPtr authority;
  };
  void begin_acting();
  Result<Done> check_people();
  Result<Done> check_permits(const Acting& acting);
  // The decision that opens a dataset to somebody.
  const policy::Decision& decision_of(const Acting& acting, const catalog::Dataset& dataset) const;
  std::string basis_of(const Acting& acting) const;
  void tell_permits(record::Entry& entry) const;
  std::vector<Acting> acting_;  // none for an operator
  size_t asked_ = 0;            // events when the people were found to be permitted
};

}  // namespace jw::change
