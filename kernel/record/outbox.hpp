// Entries of committed transactions on their way into the record (record_outbox), with what they wrote (record_turn).
// Only what is sealed is taken into it, and only kinds that are written inside a transaction. Inside kernel/record
// only.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/record/leaf.hpp"
#include "kernel/record/rows.hpp"
#include "kernel/record/seal.hpp"
#include "platform/db/api.hpp"

namespace jw::record {

bool goes_by_outbox(std::string_view kind);

struct InOutbox {
  int64_t id = 0;
  LeafBytes bytes;           // header and rows as they were put there
  std::optional<Rows> rows;  // read; nullopt: it wrote none, or they are broken
  bool whole = false;        // all can be read, and its kind goes this way
  bool sealed = false;

  LeafBytes leaf() const;  // the header with the digest of the rows
  std::string_view body_digest() const { return whole ? LeafView::read(bytes.header, {})->body_digest : ""; }
};

// All in order of id, or the one of this id. `store` reads past the belt.
std::vector<InOutbox> read_outbox(db::Connection& store, const Sealer& sealer, std::optional<int64_t> id = {});
std::set<uint64_t> turns_waiting(db::Connection& store, const Sealer& sealer);  // of sealed ones
void put_in_outbox(db::Connection& transaction, const Sealer& sealer, int64_t id, const LeafBytes& bytes);
// What the transaction of that entry wrote; sealed with it.
void put_rows(db::Connection& transaction, const Sealer& sealer, int64_t id, const Rows& rows);
void take_out(db::Connection& writer, int64_t id);  // with what it wrote
bool outbox_has_seals(db::Connection& store);       // false: of an older version

}  // namespace jw::record
