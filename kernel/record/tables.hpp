// Where the record lies in a store. Inside kernel/record only, but for the layout, which the catalogue's `access_log`
// and the audit's own queries read:
//
//   head         id = 1, version, origin, public_key (32 bytes), size: leaves in the tree, seal: over size and root
//                (seal.hpp). Locked while a batch is appended.
//   leaf         seq, time_us, account, person, kind, dataset (as in the header, for queries), header, body, body_salt
//                (both NULL once destroyed), hash = H(0x00 || header), outbox: id it had in the outbox, if it came that
//                way
//   tile         level, number, hashes: full tiles of 256 hashes (merkle.hpp)
//   checkpoint   size, root, text: every checkpoint that was ever signed
//   open_intent  seq, node: where to look for intents without an outcome; the leaves say which are
//   access_log   id = leaf << 16 | position, leaf, time_us, subject_kind (0 person, 1 group), subject, count, person,
//                account, post, unit, dataset, action, purpose, basis: who read whom; by (subject_kind, subject,
//                time_us)
// and beside the store's own tables
//   record_outbox  id, header, body, salt, seal: entries of committed transactions on their way into the tree
//   (outbox.hpp) record_turn    outbox, turn, bytes, salt: what they wrote record_bond    id = 1, store: its name for
//   good, record: that of its record, turn: the last one given, size, root:
//                  of the record's tree as last known here, note: the signed checkpoint that says so
// The key that signs checkpoints lies in a file outside (Options::key_file). Tables of version 1 held it in record_key;
// those of version 2 had no seals.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "platform/db/api.hpp"

namespace jw::record {

constexpr int64_t kTablesVersion = 3;
constexpr unsigned kPositionBits = 16;  // of access_log.id

// Before table names: the recorder's own SQLite connection has the record as its main file, everybody else as "record".
std::string_view own_prefix(db::Dialect dialect);

bool has_tables(db::Connection& own);
void make_tables(db::Connection& own);  // in the caller's transaction
void add_tables(db::Connection& own);   // what version 1 did not have; in the caller's transaction
void add_seals(db::Connection& own);    // what version 2 did not have; in the caller's transaction
bool has_table(db::Connection& connection, std::string_view name);  // of the connection's own schema, not the record's
void make_outbox(db::Connection& main_writer);                      // if absent; in the caller's transaction
// Takes that of an older version away, with its entries; in the caller's transaction.
void drop_old_outbox(db::Connection& main_writer);

// INSERT of many rows of one table in few statements: round trips are dear on PostgreSQL, binding is all on SQLite.
class RowWriter {
 public:
  RowWriter(db::Dialect dialect, std::string_view table, std::string_view columns);
  void add(std::initializer_list<db::Param> row);  // what it borrows must live until write()
  void write(db::Connection& connection);
  void clear() { values_.clear(); }

 private:
  struct Form {
    size_t rows;
    std::string sql;
  };
  size_t columns_;
  std::vector<Form> forms_;  // larger ones first
  std::vector<db::Param> values_;
};

}  // namespace jw::record
