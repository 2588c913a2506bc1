// That a store and a record are of one another, and neither older than the other. Inside kernel/record only.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "kernel/record/api.hpp"
#include "kernel/record/ledger.hpp"

namespace jw::record {

// What the store knows (record_bond, tables.hpp).
struct StoreBond {
  std::string store, record;
  uint64_t turn = 0;  // the last one given
  uint64_t size = 0;  // of the record's tree, when it was last told
  Hash root{};
  std::string note;  // the signed checkpoint that says so; empty: not told yet, or of an older version
};
std::optional<StoreBond> store_bond(db::Connection& store);  // nullopt: it knows of none
void put_bond(db::Connection& writer, const StoreBond& bond);
void tell_checkpoint(db::Connection& writer, const Checkpoint& newest);  // never an older one than it knows
uint64_t take_turn(db::Connection& transaction);                         // 0: the store knows of no record

// Before a record is made: throws Apart when there was one, as the store or the key's file says, and it is not there.
// True otherwise.
bool check_record_there(db::Store& store, db::Store& record, const Options& options);

// Both as they are, while others may be at work on them: nothing in the store is newer than what is read of the record
// afterwards, but the last turn of the record, which was read first.
struct Both {
  std::optional<StoreBond> store;
  std::optional<Ledger::Bond> record;
  uint64_t last_turn = 0;
  bool turns_whole = true;  // all turns of the store after that one are in the outbox or in the record
  uint64_t size = 0;
  uint64_t checkpoint = 0;      // leaves under the newest one that is stored
  bool new_record = false;      // made just now: nobody can know of it
  std::optional<Text> doubt{};  // of the record itself (Ledger::doubt)
  const VerifierKey* key = nullptr;
};
// Why they do not fit; nullopt: they do.
std::optional<Text> difference(const Both& both, const std::function<Hash(uint64_t)>& root_at);

// What a row (turn, leaf, bytes, salt of record.written, header of that leaf) tells; nullopt unless its leaf commits to
// it.
std::optional<Rows> written_in(const db::Rows& row);
// All that the leaves say. `own`: of the record's own store. Throws db::Error when a leaf does not say so.
RowsOnRecord rows_on_record(db::Connection& own);
// Tables that leaves have stated whole, with their columns as last stated, and what is wrong with the turns.
struct Stated {
  std::map<std::string, std::string> columns;  // columns_text; empty: the table is gone
  std::vector<Text> problems;
};
Stated stated_on_record(db::Connection& own);

}  // namespace jw::record
