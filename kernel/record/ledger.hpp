// The record in its store: restoring the tree, committing batches, reading leaves and tiles. Inside kernel/record only.
// commit() by one thread at a time; the rest from any thread.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "kernel/record/api.hpp"
#include "kernel/record/leaf.hpp"
#include "kernel/record/note.hpp"
#include "kernel/record/seal.hpp"
#include "kernel/record/tables.hpp"

namespace jw::record {

// One entry on its way into the tree.
struct Pending {
  LeafBytes bytes;
  int64_t outbox = 0;  // id in the outbox; 0 = it did not come that way
  uint64_t seq = 0;    // set by commit()
  Hash hash{};         // set by commit()
};

// The tree as it was last known to be durable.
struct Edge {
  Tree tree;
  Instant recorded;  // of its last leaf
};

struct StoredLeaf {
  std::string header, body, salt;  // the last two empty once destroyed
  Hash hash{};
};

class Ledger {
 public:
  // Makes the tables if absent and restores the tree. Throws as Recorder::open.
  Ledger(db::Store& store, const Clock& clock, const Options& options);

  // Appends all in one transaction, in this order, and sets their seq; one whose outbox id is in the tree already gets
  // that leaf's seq. With `checkpoint`, also signs one over everything in the tree then. Throws, and nothing has
  // changed.
  void commit(std::span<Pending> batch, bool checkpoint);
  void catch_up();  // with what other processes have appended; throws when it is not what they sealed
  void probe();     // writes and commits without changing anything

  std::shared_ptr<const Edge> edge() const;
  std::optional<Checkpoint> last_checkpoint() const;
  Tree::TileSource tiles(db::Connection& connection) const;

  std::optional<StoredLeaf> leaf(db::Connection& connection, uint64_t seq) const;
  std::optional<uint64_t> seq_of_outbox(db::Connection& connection, int64_t outbox) const;
  // Of this node, and without an outcome among the leaves.
  std::set<uint64_t> open_intents(db::Connection& connection, const std::string& node) const;
  std::vector<Checkpoint> checkpoints_above(db::Connection& connection, uint64_t size, int64_t limit) const;
  void destroy_bodies(uint64_t from, uint64_t before);  // of from <= seq < before

  // Which store the record says it belongs to.
  struct Bond {
    std::string record, store;
  };
  std::optional<Bond> bond(db::Connection& connection) const;
  void bind(const Bond& bond);
  uint64_t last_turn(db::Connection& connection) const;  // 0: none
  std::set<uint64_t> turns_after(db::Connection& connection, uint64_t turn) const;

  const VerifierKey& key() const { return verifier_; }
  const Sealer& sealer() const { return sealer_; }
  bool is_new() const { return new_; }  // made by this ledger, or had no bond in its version
  // Why what is there was not written by this system alone; nullopt: its end is sealed, or under a checkpoint.
  const std::optional<Text>& doubt() const { return doubt_; }
  db::Store& store() const { return store_; }

 private:
  struct Batch;
  void make(db::Connection& connection);
  void bring_up(db::Connection& connection);
  void load_key(db::Connection& connection);
  void restore(db::Connection& connection);
  uint64_t lock_head(db::Connection& connection);
  bool is_sealed(db::Connection& connection, const Tree& tree) const;
  void catch_up(db::Connection& connection, Edge& edge, uint64_t size) const;
  void place(db::Connection& connection, std::span<Pending> batch, Batch& out);
  void write(db::Connection& connection, Batch& out);
  void add_rows(const Pending& pending, Batch& out);
  std::optional<Checkpoint> sign(db::Connection& connection, const Edge& edge);
  std::string sql(std::string_view text) const;  // '@' before a table becomes the prefix

  db::Store& store_;
  const Clock& clock_;
  const Options options_;
  const db::Dialect dialect_;
  crypto::SigningKey signing_;
  VerifierKey verifier_;
  Sealer sealer_;
  bool new_ = false;
  std::optional<Text> doubt_;
  RowWriter leaf_rows_;
  RowWriter access_rows_;
  RowWriter tile_rows_;
  RowWriter written_rows_;
  const std::string sql_head_, sql_size_, sql_after_, sql_tile_, sql_leaf_, sql_outbox_, sql_open_, sql_close_,
      sql_checkpoint_;

  mutable std::mutex mutex_;  // guards the two below
  std::shared_ptr<const Edge> edge_;
  std::optional<Checkpoint> checkpoint_;
};

}  // namespace jw::record
