// What a writing connection tells of the rows it writes (Store::watch). Inside platform/db only.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "platform/db/api.hpp"

namespace jw::db {

// A writing statement that also returns what it wrote.
struct Telling {
  std::string table;
  const Watch::Table* columns = nullptr;
  std::string sql;
  bool removes = false, adds = false, replaces = false;  // DELETE; INSERT, also over what is there
  std::string before;          // of UPDATE and DELETE: reads the rows that it will write, as they are
  std::vector<size_t> params;  // of `before`, by place among those of the statement
};

// nullopt: it writes nothing of a watched table, or only columns that no digest is over. Throws Error (statement) for
// forms of writing that cannot be told.
std::optional<Telling> telling_of(const Watch& watch, std::string_view sql);

class WatchedConnection : public Connection {
 public:
  void watch(const WatchPtr& watch) {
    if (watch == watch_) return;
    watch_ = watch;
    tellings_.clear();
  }
  void wrote(WrittenRow row) override {
    if (watch_) rows_.push_back(std::move(row));
  }
  int64_t& kept_in_transaction() override { return kept_; }

 protected:
  virtual bool in_transaction() const = 0;

  const Telling* telling(std::string_view sql);
  // Runs what writes and tells, in a transaction of its own if there is none; gives the number of rows.
  template <class Run>
  int64_t tell(const Telling& telling, std::span<const Param> params, Run run) {
    if (in_transaction()) {
      const Before before = before_of(telling, params);
      return take(telling, before, run(telling.sql));
    }
    Transaction own(*this, Transaction::Mode::write);
    const Before before = before_of(telling, params);
    const int64_t count = take(telling, before, run(telling.sql));
    own.commit();
    return count;
  }
  void tell_before_commit();
  void forget() {
    rows_.clear();
    kept_ = 0;
  }
  // Told from what is sent: loading in bulk returns nothing.
  std::unique_ptr<Bulk> telling_bulk(std::string_view table, std::span<const std::string> columns,
                                     const std::function<std::unique_ptr<Bulk>()>& begin);

 private:
  using Before = std::unordered_map<std::string, std::string>;  // digests of rows as they are, by key
  Before before_of(const Telling& telling, std::span<const Param> params);
  int64_t take(const Telling& telling, const Before& before, Rows rows);

  WatchPtr watch_;
  std::unordered_map<std::string, std::optional<Telling>> tellings_;
  std::vector<WrittenRow> rows_;
  int64_t kept_ = 0;
};

}  // namespace jw::db
