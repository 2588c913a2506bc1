// One database interface over SQLite (embedded, the default) and PostgreSQL.
//
// SQL is portable text with $1, $2 … placeholders; values travel only as parameters. All stored values are integers
// (64 bit), UTF-8 text or blobs: money, marks and credits are scaled integers, dates are text "YYYY-MM-DD", instants
// are microseconds, truth values 0/1. Text compares by UTF-8 bytes on both stores (PostgreSQL columns are COLLATE "C").
//
// A Connection is used by one thread at a time. Statements are prepared once per connection and text, and cached by
// text. The same placeholder may appear several times and in any order. Text is UTF-8 without NUL; anything else is
// refused. PostgreSQL infers nothing: an integer parameter is a bigint, so write CAST(… AS BIGINT) in results where a
// type matters.
//
// Every failure of a store is thrown as Error. Inside a Transaction an Error ends it: on both stores nothing but
// rolling back is possible then (statements and commit() throw), so that what is tested on one store holds on the
// other.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

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
  forbidden,    // reads what its reach or its role does not open: a bug, or worse
  unavailable,  // connection lost, server away
  full,         // disk full
  corrupt,
  statement,  // wrong SQL: a bug
};

class Error : public std::runtime_error {
 public:
  Error(Failure failure, const std::string& what, std::string constraint = {})
      : std::runtime_error(what), failure_(failure), constraint_(std::move(constraint)) {}
  Failure failure() const { return failure_; }
  // What was violated where the store tells, else empty. SQLite tells "table.column, table.column" of a unique key, or
  // "index 'name'" of one over expressions, and the name of a check; PostgreSQL the name of the constraint or index.
  // not_null is "table.column" on both.
  const std::string& constraint() const { return constraint_; }

 private:
  Failure failure_;
  std::string constraint_;
};

// A forward cursor. text() and blob() stay valid until next() or the cursor's end. Move-only; several may be open on
// one connection, of the same text too. Must end before the lease and, when it began in one, should end before the
// transaction. Ask a column for what kind() tells; a floating-point number or another foreign type is Error
// (statement).
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
  int64_t integer(size_t column) const { return source_->integer(column); }      // 0 when NULL
  std::string_view text(size_t column) const { return source_->bytes(column); }  // empty when NULL
  std::string_view blob(size_t column) const { return source_->bytes(column); }

 private:
  std::unique_ptr<Source> source_;
};

// Loads many rows into one table inside the caller's transaction (without one: Error): prepared INSERT on SQLite, COPY
// on PostgreSQL. No other statement may run on the connection until finish(). A row that cannot be stored throws from
// row() or only from finish(). Ended without finish(): the transaction can only be rolled back.
class Bulk {
 public:
  virtual ~Bulk() = default;
  virtual void row(std::span<const Param> values) = 0;
  virtual void finish() = 0;
};

// What may be read, said apart from the text that reads it: the seat-belt under whoever writes SQL (docs/adr/0011).
struct Reach {
  using Names = std::set<std::string, std::less<>>;
  // Columns by table ("account", "record.access_log"). A table with no column named may be counted only.
  std::map<std::string, Names, std::less<>> columns;
  Names functions;  // SQLite: those that may be called (a table-valued one is a table); PostgreSQL does not look

  void add(const Reach& other);
  bool operator==(const Reach&) const = default;
};
using ReachPtr = std::shared_ptr<const Reach>;

// A row of a watched table as a transaction left it.
struct WrittenRow {
  std::string table;
  std::string key;     // values of its primary key, '/' between them
  std::string digest;  // row_digest(); empty: the row is gone
};

class Connection {
 public:
  virtual ~Connection() = default;
  virtual Dialect dialect() const = 0;

  // Rows of this transaction that whoever writes them in bulk tells of himself (Store::watch).
  virtual void wrote(WrittenRow row) = 0;
  // A number that whoever watches keeps for the length of a transaction; 0 when it begins.
  virtual int64_t& kept_in_transaction() = 0;

  // The statement has begun when the call returns: what it refuses is thrown here rather than by next().
  virtual Rows query(std::string_view sql, std::span<const Param> params = {}) = 0;
  // The same for answers too large for memory: PostgreSQL sends row by row (slower for small answers). Another
  // statement on the connection meanwhile makes it collect the rest in memory first; what is not read at the end of the
  // cursor is dropped.
  virtual Rows stream(std::string_view sql, std::span<const Param> params = {}) = 0;
  // query() that may read nothing beyond `reach`. SQLite asks while it prepares the statement and refuses anything else
  // (Failure::forbidden): other tables and columns, functions, ATTACH, PRAGMA, writing; once prepared it costs nothing.
  // On PostgreSQL the role of reading connections stands for it. A writing connection is outside the belt: plain
  // query().
  virtual Rows query_within(const ReachPtr& reach, std::string_view sql, std::span<const Param> params) = 0;
  virtual Rows stream_within(const ReachPtr& reach, std::string_view sql, std::span<const Param> params) = 0;
  virtual int64_t execute(std::string_view sql, std::span<const Param> params = {}) = 0;  // rows changed
  // Several statements separated by ';', no parameters, not cached: migrations and schema. Outside a transaction
  // PostgreSQL runs them as one, SQLite each by itself.
  virtual void script(std::string_view sql) = 0;
  virtual std::unique_ptr<Bulk> bulk(std::string_view table, std::span<const std::string> columns) = 0;

  // A statement running longer, the reading of its rows included, ends with Failure::timeout. 0 = no limit. Applies to
  // statements started after the call, until the lease ends. Waiting for a lock is limited by Options::busy_wait.
  virtual void statement_limit(std::chrono::milliseconds limit) = 0;

  Rows query(std::string_view sql, std::initializer_list<Param> params) {
    return query(sql, std::span(params.begin(), params.size()));
  }
  int64_t execute(std::string_view sql, std::initializer_list<Param> params) {
    return execute(sql, std::span(params.begin(), params.size()));
  }

 protected:
  friend class Transaction;
  // write: BEGIN IMMEDIATE / READ COMMITTED; read: one snapshot, taken by the first statement, no writing even on a
  // writer (BEGIN and query_only / REPEATABLE READ, READ ONLY). Transactions do not nest: Error.
  virtual void begin(bool write) = 0;
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
  bool create = false;  // SQLite: make the file if it is absent. Otherwise a missing store is an Error.
  int readers = 8;      // most reading connections
  int writers = 1;      // most writing connections (SQLite: always 1)
  // SQLite: a second database attached under this schema name to every connection, for reading only (a writing
  // transaction would lock it too): whoever writes it opens it as a store of its own, e.g. the record beside the store.
  // PostgreSQL: a schema of that name is made if absent; qualified names reach it.
  std::string attached_name;                    // "record"
  std::string attached_path;                    // SQLite only; made if absent when `create`
  std::chrono::milliseconds busy_wait{10'000};  // a lock held by others longer than this is Failure::busy
};

// The seat-belt of a store's reading connections.
struct Belt {
  Reach readers;                    // all that any of them may read
  std::vector<std::string> sealed;  // tables whose rows, on PostgreSQL, not even their owner sees in a bare session
};

// Tables whose every writing is told before its transaction commits (kernel/record/rows.hpp says what for). A statement
// outside a transaction gets one of its own. execute() and bulk() tell; script(), which is for structure, does not.
struct Watch {
  struct Table {
    std::vector<std::string> key;                   // columns of the primary key
    std::vector<std::string> columns;               // that row_digest() is over, in order of name
    std::map<std::string, std::string> defaults{};  // SQL of values that columns get when none is given
  };
  std::map<std::string, Table, std::less<>> tables;
  // Rows in the order written, a row as often as it was. Throws, and nothing is committed. May write itself.
  std::function<void(Connection&, std::vector<WrittenRow>)> before_commit;
};
using WatchPtr = std::shared_ptr<const Watch>;

// A table as it is there: all columns but those set aside. One without a key cannot be watched. Error: there is none.
Watch::Table table_to_watch(Connection& connection, std::string_view table,
                            const std::set<std::string, std::less<>>& aside);
// SHA-256 (32 bytes) over names and values, `values` being those of `columns`; a NULL counts as no column, so that one
// added later changes no digest of rows that do not have it.
std::string row_digest(std::span<const std::string> columns, std::span<const Param> values);
// Column `first` and the following of a row, borrowed until the next one.
std::vector<Param> values_of(const Rows& row, size_t first, size_t count);
std::string key_text(std::span<const Param> values);

// Pools of reading and writing connections of one store. Thread-safe.
// SQLite: WAL, synchronous=FULL, foreign keys on, readers open read-only with query_only and an authorizer that lets
// nothing but reading through; LIKE is case-sensitive as on PostgreSQL; "x" is never text. PostgreSQL: time zone UTC;
// readers are read-only; a lost connection is opened anew by the next lease.
class Store {
 public:
  static std::unique_ptr<Store> open(const Options& options);  // throws Error
  virtual ~Store() = default;
  virtual Dialect dialect() const = 0;
  // Where the data lie, if that is a disk of this machine; empty: elsewhere, or the server does not tell whoever asks
  // (it tells its superuser and members of pg_read_all_settings).
  virtual std::filesystem::path folder() = 0;

  // A connection lent from the pool; goes back when the lease ends, rolled back if need be. Waits, in the order of
  // asking, when all are lent: one thread asking for a second lease of the same kind may wait for ever.
  class Lease {
   public:
    Lease(Store* store, Connection* connection, bool writer)
        : store_(store), connection_(connection), writer_(writer) {}
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
  // For the system's own reading of what no reader may see (password hashes, files of documents, entries on their way
  // into the record): SQLite a reader outside the belt, PostgreSQL a writer.
  virtual Lease private_reader() = 0;

  // Fastens the belt of reader(), when all tables it names are there; before, readers see everything. Once, at the
  // start, while no other thread asks for readers. SQLite: their statements stay within belt.readers. PostgreSQL: they
  // sign in as a role of their own, made here if the connected role may make roles, that is granted these columns and
  // owns nothing; rows of these tables appear only in sessions that proved a key which this role cannot read
  // (docs/deploy.md). Returns what could not be fastened, for the operator; none = all of it holds.
  virtual std::vector<Text> fasten(const Belt& belt) = 0;

  // For all writing connections lent from now on; null = nobody watches. Once, at the start, and at the end.
  virtual void watch(WatchPtr watch) = 0;

 protected:
  virtual void give_back(Connection* connection, bool writer) noexcept = 0;
};

// ---------------------------------------------------------------------------------------------------------- migrations

// SQL of tables as both stores take it: written for SQLite, and for PostgreSQL with other names of types: TEXT becomes
// TEXT COLLATE "C", INTEGER (on SQLite the row id itself) BIGINT, BLOB BYTEA. A line that begins with "--postgres " is
// for PostgreSQL alone. Within quotes and comments nothing changes.
std::string in_dialect(Dialect dialect, std::string_view sql);

// A folder of numbered migrations, NNNN_<what>.sql, and whose they are.
struct Migrations {
  std::string owner;  // "kernel", or the name of a module
  std::filesystem::path folder;
};
// Those of a home: the kernel's (db/migrations), then those of the modules (modules/NAME/migrations) by name.
std::vector<Migrations> migrations_of(const std::filesystem::path& home);
// Names of all tables that they make.
std::set<std::string, std::less<>> tables_of(std::span<const Migrations> sources);

// What no leaf of the record answers for (Store::watch): lines "--aside TABLE: why" and "--aside TABLE.COLUMN: why" of
// the migrations. By table; everything that is not named is answered for.
struct Aside {
  bool whole = false;
  std::set<std::string, std::less<>> columns;
};
std::map<std::string, Aside, std::less<>> asides_of(std::span<const Migrations> sources);

// Each migration runs once, source after source and in order of number, in a transaction; the store remembers owner,
// number and digest. Several nodes may do so at once. Throws Error (statement) when a migration already applied has
// changed since, when one is missing, or when a new one has a lower number than the last one applied of its owner.
// Returns the number applied now. Rules: docs/howto/add-a-migration.md.
int migrate(Connection& writer, std::span<const Migrations> sources);
// What migrate() would apply, as "owner/NNNN_<what>"; changes nothing. Throws as it does.
std::vector<std::string> migrations_ahead(Connection& connection, std::span<const Migrations> sources);

}  // namespace jw::db
