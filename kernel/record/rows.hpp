// What the leaves answer for in the store: the rows that acts, changes and the regulation wrote.
//
// Every writing transaction that touches a kept table gets a turn, a number without gaps, and tells what it wrote: of
// each row the digest (db::row_digest), or that it is gone. That list is committed to by the header of the act's leaf,
// under a salt of its own; a transaction without an act leaves a leaf of kind "rows". A table is stated whole when it
// is first kept, when its columns change and when a store and a record are joined again (Recorder, adopt). The leaves
// in order of their turns thus say which rows there must be now; verify() compares. All tables of the migrations are
// kept, but for what a migration sets aside (db::asides_of), and all datasets: those by batch, one digest for all
// versions of rows that a batch wrote and all it ended.
//
// A row is told with what it was before it was written: whoever altered it in between is found, although it is written
// over. Of a dataset a batch tells which version it ended, so that no older one can be put in its place.
//
// Bytes, as numbers and texts of a leaf: version = 2, turn, 1 when adopted, number of tables; of each: name, 1 when
// stated whole; then, of a whole one, 1 when kept by batch, number of columns, their names (none: the table is gone);
// number of rows; of each: key, 1 byte: 0 = gone, 1 = 32 bytes of digest follow; 1 byte of before: 0 = not told,
// 1 = there was nothing, 2 = 32 bytes of digest follow. Version 1 tells nothing of before.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "platform/db/api.hpp"

namespace jw::record {

// What is kept of a store: tables by name with the columns set aside, and tables of datasets.
struct Kept {
  std::map<std::string, std::set<std::string, std::less<>>, std::less<>> tables;
  std::set<std::string, std::less<>> datasets;
};

struct TableRows {
  std::string table;
  bool whole = false, by_batch = false;
  std::vector<std::string> columns{};           // of a whole one, in order of name
  std::map<std::string, std::string> rows{};    // digest by key; empty: gone
  std::map<std::string, std::string> before{};  // the same of what was there; empty: nothing; absent: not told
  std::set<std::string> doubled{};              // keys of which there is more than one row
};

struct Rows {
  uint64_t turn = 0;
  bool adopted = false;  // what came before and is not there is given up
  std::vector<TableRows> tables;
};

std::string columns_text(const std::vector<std::string>& columns);  // "," between them
std::string encode(const Rows& rows);
std::optional<Rows> decode_rows(std::string_view bytes);

// The digest of a batch's part in one dataset, whatever the order.
class BatchSum {
 public:
  // A version of a row that the batch wrote; `columns` in order of name.
  void version(std::span<const std::string> columns, std::span<const db::Param> values);
  // A version that it ended, `values` being those of `columns`.
  void ended(std::span<const std::string> columns, std::span<const db::Param> values, int64_t until_us);
  bool empty() const { return parts_.empty(); }  // nothing was written
  std::string digest() const;

 private:
  std::vector<std::string> parts_;
};

// The columns of a dataset's table that the digest of a version is over, in order of name: those that its history has,
// too. What somebody adds to one by hand is nothing that the system writes; `migrate` tells of it.
std::vector<std::string> columns_of_dataset(db::Connection& connection, const std::string& table);
// A table as it is now.
TableRows read_whole(db::Connection& connection, const std::string& table, bool by_batch,
                     std::vector<std::string> columns, std::vector<std::string> key);

// What the leaves say, turn by turn.
class RowsOnRecord {
 public:
  // `next` in order of turns; `leaf` is named in problems.
  void take(const Rows& next, const std::string& leaf);
  uint64_t turn() const { return turn_; }  // the last one taken
  bool states(const std::string& table) const { return tables_.contains(table); }
  // Where the store is not as the leaves say, with `columns` instead of those stated if given. A store's tables one by
  // one, so that memory holds one at a time.
  std::vector<Text> compare(db::Connection& store, const std::string& table,
                            const std::vector<std::string>* columns = nullptr) const;
  std::vector<std::string> tables() const;
  // Turns that are missing or come twice; rows that were altered before they were written again.
  std::vector<Text> problems() const;

 private:
  struct Said {
    std::string digest, leaf;
  };
  struct Table {
    bool by_batch = false;
    std::vector<std::string> columns;
    std::map<std::string, Said> rows;
  };
  void check_before(const TableRows& told, const Table& table, const std::string& leaf);

  std::map<std::string, Table> tables_;
  uint64_t turn_ = 0;
  std::vector<Text> problems_;
  std::map<std::string, std::vector<Text>> altered_;  // by table
};

}  // namespace jw::record
