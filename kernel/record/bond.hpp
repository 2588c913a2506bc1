// That a store and a record are of one another, and neither older than the other. Inside kernel/record only.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>

#include "kernel/record/api.hpp"
#include "kernel/record/ledger.hpp"

namespace jw::record {

// What the store knows (record_bond, tables.hpp).
struct StoreBond {
  std::string store, record;
  uint64_t turn = 0;  // the last one given
  uint64_t size = 0;  // of the record's tree, when it was last told
  Hash root{};
};
std::optional<StoreBond> store_bond(db::Connection& store);  // nullopt: it knows of none
void put_bond(db::Connection& writer, const StoreBond& bond);
uint64_t take_turn(db::Connection& transaction);          // 0: the store knows of no record
std::set<uint64_t> turns_waiting(db::Connection& store);  // in the outbox

// Before a record is made: throws Apart when the store has one, and it is not there. True otherwise.
bool check_record_there(db::Store& store, db::Store& record, const Options& options);

// Both as they are, while others may be at work on them: nothing in the store is newer than what is read of the record
// afterwards, but the last turn of the record, which was read first.
struct Both {
  std::optional<StoreBond> store;
  std::optional<Ledger::Bond> record;
  uint64_t last_turn = 0;
  bool turns_whole = true;  // all turns of the store after that one are in the outbox or in the record
  uint64_t size = 0;
};
// Why they do not fit; nullopt: they do.
std::optional<Text> difference(const Both& both, const std::function<Hash(uint64_t)>& root_at);

// All that the leaves say. `own`: of the record's own store.
RowsOnRecord rows_on_record(db::Connection& own);

}  // namespace jw::record
