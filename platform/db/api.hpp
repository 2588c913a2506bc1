// One database interface over SQLite (embedded, the default) and PostgreSQL.
//
// SQL is portable text with $1, $2 … placeholders; values travel only as parameters. All stored values are integers
// (64 bit), UTF-8 text or blobs: money, marks and credits are scaled integers, dates are text "YYYY-MM-DD", instants are
// microseconds, truth values 0/1. Text compares by UTF-8 bytes on both stores (PostgreSQL columns are COLLATE "C").
//
// A Connection is used by one thread at a time. Statements are prepared once per connection and text, and cached by text.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace jw::db {

enum class Dialect { sqlite, postgres };

enum class Kind : uint8_t { null, integer, text, blob };

// A value on its way in. Borrows text and blobs: they must live until the call returns.
struct Param {
  Kind kind = Kind::null;
  int64_t integer = 0;
  std::string_view bytes{};

  constexpr Param() = default;
  constexpr Param(std::nullptr_t) {}
  constexpr Param(int64_t value) : kind(Kind::integer), integer(value) {}
  constexpr Param(int value) : Param(static_cast<int64_t>(value)) {}
  constexpr Param(std::string_view value) : kind(Kind::text), bytes(value) {}
  constexpr Param(const char* value) : Param(std::string_view(value)) {}
  Param(const std::string& value) : Param(std::string_view(value)) {}
  template <class T>
  Param(const std::optional<T>& value) : Param() {
    if (value) *this = Param(*value);
  }
  static constexpr Param blob(std::string_view value) {
    Param p(value);
    p.kind = Kind::blob;
    return p;
  }
};

// What went wrong, the same on both stores. what() is for the log only, never for a person.
enum class Failure {
  unique,       // a row with this key exists
  foreign_key,  // points at a row that does not exist, or is still pointed at
  not_null,
  check,
  busy,         // lock, serialisation or dead-lock: the caller may try the transaction again
  timeout,      // the statement limit was reached, or it was cancelled
  read_only,    // a write on a reading connection
  unavailable,  // connection lost, server away
  full,         // disk full
  corrupt,
  statement,    // wrong SQL: a bug
};

class Error : public std::runtime_error {
 public:
  Error(Failure failure, const std::string& what, std::string constraint = {})
      : std::runtime_error(what), failure_(failure), constraint_(std::move(constraint)) {}
  Failure failure() const { return failure_; }
  const std::string& constraint() const { return constraint_; }  // its name where the store tells, else empty

 private:
  Failure failure_;
  std::string constraint_;
};

// A forward cursor. text() and blob() stay valid until next() or the cursor's end. Move-only; one open cursor per
// statement text at a time and connection (a second query of the same text while one is open prepares another copy).
class Rows {
 public:
  class Source {  // what a store implements
   public:
    virtual ~Source() = default;
    virtual bool next() = 0;
    virtual size_t columns() const = 0;
    virtual Kind kind(size_t column) const = 0;
    virtual int64_t integer(size_t column) const = 0;
    virtual std::string_view bytes(size_t column) const = 0;
  };

  explicit Rows(std::unique_ptr<Source> source) : source_(std::move(source)) {}
  bool next() { return source_->next(); }
  size_t columns() const { return source_->columns(); }
  Kind kind(size_t column) const { return source_->kind(column); }
  bool is_null(size_t column) const { return source_->kind(column) == Kind::null; }
  int64_t integer(size_t column) const { return source_->integer(column); }  // 0 when NULL
  std::string_view text(size_t column) const { return source_->bytes(column); }  // empty when NULL
  std::string_view blob(size_t column) const { return source_->bytes(column); }

 private:
  std::unique_ptr<Source> source_;
};

// Loads many rows into one table inside the caller's transaction: prepared INSERT on SQLite, COPY on PostgreSQL.
// No other statement may run on the connection until finish().
class Bulk {
 public:
  virtual ~Bulk() = default;
  virtual void row(std::span<const Param> values) = 0;
  virtual void finish() = 0;
};

class Connection {
 public:
  virtual ~Connection() = default;
  virtual Dialect dialect() const = 0;

  virtual Rows query(std::string_view sql, std::span<const Param> params = {}) = 0;
  virtual int64_t execute(std::string_view sql, std::span<const Param> params = {}) = 0;  // rows changed
  // Several statements separated by ';', no parameters, not cached: migrations and schema.
  virtual void script(std::string_view sql) = 0;
  virtual std::unique_ptr<Bulk> bulk(std::string_view table, std::span<const std::string> columns) = 0;

  // A statement running longer ends with Failure::timeout. 0 = no limit. Applies to statements started after the call.
  virtual void statement_limit(std::chrono::milliseconds limit) = 0;

  Rows query(std::string_view sql, std::initializer_list<Param> params) {
    return query(sql, std::span(params.begin(), params.size()));
  }
  int64_t execute(std::string_view sql, std::initializer_list<Param> params) {
    return execute(sql, std::span(params.begin(), params.size()));
  }

 protected:
  friend class Transaction;
  virtual void begin(bool write) = 0;  // write: BEGIN IMMEDIATE / BEGIN; read: one snapshot (REPEATABLE READ, READ ONLY)
  virtual void commit() = 0;
  virtual void roll_back() noexcept = 0;
};

// Rolls back unless committed.
class Transaction {
 public:
  enum class Mode { read, write };
  Transaction(Connection& connection, Mode mode) : connection_(&connection) { connection.begin(mode == Mode::write); }
  ~Transaction() {
    if (connection_ != nullptr) connection_->roll_back();
  }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit() {
    connection_->commit();
    connection_ = nullptr;
  }

 private:
  Connection* connection_;
};

struct Options {
  // "sqlite:PATH" or "postgresql://…" (a libpq URL). A bare path means sqlite.
  std::string url;
  bool create = false;        // SQLite: make the file if it is absent. Otherwise a missing store is an Error.
  int readers = 8;            // most reading connections
  int writers = 1;            // most writing connections (SQLite: always 1)
  // SQLite: a second database attached under this schema name to every connection, e.g. the record beside the store;
  // PostgreSQL: a schema of that name is made if absent and qualified names reach it.
  std::string attached_name;  // "record"
  std::string attached_path;  // SQLite only; made if absent when `create`
  std::string role;           // PostgreSQL: SET ROLE for reading connections (row-level seat-belt), empty = none
};

// Pools of reading and writing connections of one store. Thread-safe.
// SQLite: WAL, synchronous=FULL, foreign keys on, readers open read-only with query_only.
class Store {
 public:
  static std::unique_ptr<Store> open(const Options& options);  // throws Error
  virtual ~Store() = default;
  virtual Dialect dialect() const = 0;

  // A connection lent from the pool; goes back when the lease ends. Waits when all are lent.
  class Lease {
   public:
    Lease(Store* store, Connection* connection, bool writer) : store_(store), connection_(connection), writer_(writer) {}
    Lease(Lease&& other) noexcept : store_(other.store_), connection_(other.connection_), writer_(other.writer_) {
      other.connection_ = nullptr;
    }
    Lease& operator=(Lease&&) = delete;
    ~Lease() {
      if (connection_ != nullptr) store_->give_back(connection_, writer_);
    }
    Connection& operator*() const { return *connection_; }
    Connection* operator->() const { return connection_; }

   private:
    Store* store_;
    Connection* connection_;
    bool writer_;
  };
  virtual Lease reader() = 0;
  virtual Lease writer() = 0;

 protected:
  virtual void give_back(Connection* connection, bool writer) noexcept = 0;
};

// Numbered migrations of the kernel's own tables (db/migrations/NNNN_<floor>_<what>.sql, with NNNN_….pg.sql beside it where
// the text must differ): each runs once, in order, in a transaction; the store remembers number and digest.
// Throws Error when a migration already applied has changed since. Returns the number applied now.
int migrate(Connection& writer, std::string_view folder);

}  // namespace jw::db
