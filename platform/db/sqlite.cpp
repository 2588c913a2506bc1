// SQLite through its C API: one connection is one sqlite3 handle without its mutex, as a connection serves one thread at
// a time.
#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <thread>

#include "base/text.hpp"
#include "platform/db/cache.hpp"
#include "platform/db/pool.hpp"
#include "platform/db/stores.hpp"
#include "platform/db/watch.hpp"

namespace jw::db {
namespace {

using Steady = std::chrono::steady_clock;

constexpr size_t kStatementsMax = 512;     // cached per connection
constexpr int kStepsBetweenLooks = 2'000;  // of SQLite's virtual machine, between looks at the clock: some 50 µs

struct Close {
  void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Database = std::unique_ptr<sqlite3, Close>;
using Prepared = std::unique_ptr<sqlite3_stmt, Close>;

// ------------------------------------------------------------------------------------------------------------- errors

Failure failure_of_constraint(int code) {
  switch (code) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID: return Failure::unique;
    case SQLITE_CONSTRAINT_FOREIGNKEY: return Failure::foreign_key;
    case SQLITE_CONSTRAINT_NOTNULL: return Failure::not_null;
    case SQLITE_CONSTRAINT_CHECK:
    case SQLITE_CONSTRAINT_TRIGGER: return Failure::check;
    default: return Failure::statement;
  }
}

bool is_disk_full(int system_error) {
  return system_error == ENOSPC || system_error == EDQUOT || system_error == EFBIG;
}

Failure failure_of(int code, int system_error) {
  switch (code & 0xff) {
    case SQLITE_CONSTRAINT: return failure_of_constraint(code);
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return Failure::busy;
    case SQLITE_INTERRUPT: return Failure::timeout;
    case SQLITE_READONLY: return Failure::read_only;
    case SQLITE_FULL: return Failure::full;
    case SQLITE_IOERR: return is_disk_full(system_error) ? Failure::full : Failure::unavailable;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return Failure::corrupt;
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_NOMEM:
    case SQLITE_PROTOCOL: return Failure::unavailable;
    default: return Failure::statement;
  }
}

Error error_of(sqlite3* database, std::string_view sql) {
  const int code = sqlite3_extended_errcode(database);
  const Failure failure = failure_of(code, sqlite3_system_errno(database));
  const std::string message = sqlite3_errmsg(database);
  std::string constraint;
  constexpr std::string_view kBefore = "constraint failed: ";
  if (const size_t at = message.find(kBefore); at != std::string::npos) constraint = message.substr(at + kBefore.size());
  std::string what = "sqlite " + std::to_string(code) + ": " + message;
  if (!sql.empty()) what.append(": ").append(sql.substr(0, 500));
  return {failure, what, std::move(constraint)};
}

// ---------------------------------------------------------------------------------------------------------- statements

// A prepared statement of a connection's cache, with its own copy of the texts bound to it.
struct Statement {
  std::string sql;
  ReachPtr reach;  // under which it was prepared
  Prepared handle;
  std::vector<int> places;  // of $1, $2 … among SQLite's parameters; 0: does not appear
  std::string bytes;
  Steady::time_point deadline;
  bool open = false;  // a cursor is on it
};

// Rows that were read to the end before the first is asked for.
class ReadRows final : public Rows::Source {
 public:
  struct Cell {
    Kind kind = Kind::null;
    int64_t integer = 0;
    std::string bytes;
  };

  ReadRows(size_t columns, std::vector<Cell> cells) : columns_(columns), cells_(std::move(cells)) {}
  bool next() override {
    at_ = started_ ? at_ + columns_ : 0;
    started_ = true;
    return at_ < cells_.size();
  }
  size_t columns() const override { return columns_; }
  Kind kind(size_t column) const override { return cells_[at_ + column].kind; }
  int64_t integer(size_t column) const override { return cells_[at_ + column].integer; }
  std::string_view bytes(size_t column) const override { return cells_[at_ + column].bytes; }

 private:
  size_t columns_;
  std::vector<Cell> cells_;
  size_t at_ = 0;
  bool started_ = false;
};

class SqliteConnection;

// A cursor on a statement whose first step is already taken.
class Cursor final : public Rows::Source {
 public:
  Cursor(SqliteConnection& connection, Statement& statement, bool row)
      : connection_(connection), statement_(statement), handle_(statement.handle.get()), row_(row) {}
  Cursor(const Cursor&) = delete;
  Cursor& operator=(const Cursor&) = delete;
  ~Cursor() override {
    sqlite3_reset(handle_);
    statement_.open = false;
  }

  bool next() override;
  size_t columns() const override { return static_cast<size_t>(sqlite3_column_count(handle_)); }
  Kind kind(size_t column) const override {
    switch (sqlite3_column_type(handle_, static_cast<int>(column))) {
      case SQLITE_INTEGER: return Kind::integer;
      case SQLITE_TEXT: return Kind::text;
      case SQLITE_BLOB: return Kind::blob;
      case SQLITE_NULL: return Kind::null;
      default: throw Error(Failure::statement, "a floating-point number in a result: " + statement_.sql.substr(0, 500));
    }
  }
  int64_t integer(size_t column) const override { return sqlite3_column_int64(handle_, static_cast<int>(column)); }
  std::string_view bytes(size_t column) const override {
    // Of a text, too, column_blob gives the bytes, without looking whether they end in NUL.
    const void* begin = sqlite3_column_blob(handle_, static_cast<int>(column));
    return {static_cast<const char*>(begin), static_cast<size_t>(sqlite3_column_bytes(handle_, static_cast<int>(column)))};
  }

 private:
  SqliteConnection& connection_;
  Statement& statement_;
  sqlite3_stmt* const handle_;
  bool row_;               // the statement stands on a row
  bool first_given_ = false;
};

// ---------------------------------------------------------------------------------------------------------- connection

class SqliteConnection final : public WatchedConnection {
 public:
  // Once set, an authorizer is kept: setting one makes SQLite prepare every statement anew.
  SqliteConnection(Database database, bool writer) : database_(std::move(database)), writer_(writer) {
    if (!writer_) sqlite3_set_authorizer(database_.get(), &authorize, this);
  }
  SqliteConnection(const SqliteConnection&) = delete;
  SqliteConnection& operator=(const SqliteConnection&) = delete;

  Dialect dialect() const override { return Dialect::sqlite; }
  Rows query(std::string_view sql, std::span<const Param> params) override { return run(bounds_, sql, params); }
  Rows stream(std::string_view sql, std::span<const Param> params) override { return query(sql, params); }
  Rows query_within(const ReachPtr& reach, std::string_view sql, std::span<const Param> params) override;
  Rows stream_within(const ReachPtr& reach, std::string_view sql, std::span<const Param> params) override {
    return query_within(reach, sql, params);
  }
  int64_t execute(std::string_view sql, std::span<const Param> params) override;
  void script(std::string_view sql) override;
  std::unique_ptr<Bulk> bulk(std::string_view table, std::span<const std::string> columns) override;
  void statement_limit(std::chrono::milliseconds limit) override;

  void reset() noexcept;  // for the next lease
  void stay_within(ReachPtr bounds) { bounds_ = std::move(bounds); }  // all that this lease may read; null = anything
  Statement& begin_statement(std::string_view sql, const ReachPtr& reach = nullptr);
  void bind(Statement& statement, std::span<const Param> params);
  // True: on a row. On an error the statement is reset and no cursor's.
  bool step(Statement& statement);
  void run_bare(const char* sql);  // no parameters, no rows
  // An error inside a transaction ends it, as on PostgreSQL; SQLite itself rolls some back at once and goes on with others.
  void spoil() { failed_ = failed_ || in_transaction_; }

 protected:
  void begin(bool write) override;
  void commit() override;
  void roll_back() noexcept override;
  bool in_transaction() const override { return in_transaction_; }

 private:
  static int authorize(void* self, int action, const char* first, const char* second, const char* schema, const char*);
  bool may(int action, std::string_view first, std::string_view second, std::string_view schema) const;
  Rows run(const ReachPtr& reach, std::string_view sql, std::span<const Param> params);
  Error what_failed(std::string_view sql);
  std::unique_ptr<Statement> prepare(std::string_view sql, const ReachPtr& reach);
  void check_usable() const;
  Rows read_all(Statement& statement, bool row);

  Database database_;
  const bool writer_;
  StatementCache<Statement> statements_{kStatementsMax};
  ReachPtr bounds_;
  const Reach* asked_ = nullptr;  // of the statement being prepared or stepped: stepping prepares again when need be
  enum class Refused : uint8_t { nothing, reading, writing } refused_ = Refused::nothing;  // by the authorizer
  std::chrono::milliseconds limit_{0};
  Steady::time_point deadline_ = Steady::time_point::max();  // of the statement being stepped
  bool in_transaction_ = false;
  bool reads_only_ = false;  // a reading transaction on a writer
  bool failed_ = false;      // the transaction can only be rolled back
};

bool Cursor::next() {
  if (!first_given_) {
    first_given_ = true;
    return row_;
  }
  if (!row_) return false;
  row_ = false;  // also when stepping throws
  row_ = connection_.step(statement_);
  return row_;
}

// $N anywhere in the text -> the number that SQLite gave it (numbers follow the first appearance).
std::vector<int> places_of(sqlite3_stmt* handle, std::string_view sql) {
  std::vector<int> places;
  const int count = sqlite3_bind_parameter_count(handle);
  for (int i = 1; i <= count; ++i) {
    const char* name = sqlite3_bind_parameter_name(handle, i);
    const std::string_view text = name == nullptr ? std::string_view() : name;
    size_t number = 0;
    const char* end = text.data() + text.size();
    const bool numbered = text.size() > 1 && text[0] == '$' && std::from_chars(text.data() + 1, end, number).ptr == end;
    if (!numbered || number == 0 || number > 65'535) {
      throw Error(Failure::statement, "a placeholder is $1, $2 …: " + std::string(sql.substr(0, 500)));
    }
    if (places.size() < number) places.resize(number, 0);
    places[number - 1] = i;
  }
  return places;
}

bool is_write(int action) {
  switch (action) {
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_FUNCTION:
    case SQLITE_RECURSIVE:
    case SQLITE_ATTACH:
    case SQLITE_DETACH:
    case SQLITE_PRAGMA:
    case SQLITE_TRANSACTION:
    case SQLITE_SAVEPOINT: return false;
    default: return true;
  }
}

bool reaches(const Reach& reach, std::string_view table, std::string_view column, std::string_view schema) {
  // A table that is only counted comes as it was written, without "main".
  const bool own = schema.empty() || schema == "main";
  const auto columns =
      own ? reach.columns.find(table) : reach.columns.find(std::string(schema).append(".").append(table));
  return columns != reach.columns.end() && (column.empty() || columns->second.contains(column));
}

// Called for everything a statement of a reading connection would do, while it is prepared.
int SqliteConnection::authorize(void* self, int action, const char* first, const char* second, const char* schema,
                                const char* /*trigger*/) {
  auto& connection = *static_cast<SqliteConnection*>(self);
  const auto text = [](const char* given) { return given == nullptr ? std::string_view() : std::string_view(given); };
  if (connection.may(action, text(first), text(second), text(schema))) return SQLITE_OK;
  if (connection.refused_ == Refused::nothing)
    connection.refused_ = is_write(action) ? Refused::writing : Refused::reading;
  return SQLITE_DENY;
}

bool SqliteConnection::may(int action, std::string_view first, std::string_view second, std::string_view schema) const {
  switch (action) {
    case SQLITE_SELECT: return true;
    case SQLITE_READ: return asked_ == nullptr || reaches(*asked_, first, second, schema);
    case SQLITE_FUNCTION: return asked_ == nullptr ? second != "load_extension" : asked_->functions.contains(second);
    case SQLITE_RECURSIVE: return asked_ == nullptr;
    // Beginning and ending are the connection's own; the shape of tables is asked for when they are compared.
    case SQLITE_TRANSACTION: return asked_ == nullptr;
    case SQLITE_PRAGMA: return asked_ == nullptr && first == "table_xinfo";
    default: return false;
  }
}

// SQLite's own code for a refusal is at times that of a wrong statement.
Error SqliteConnection::what_failed(std::string_view sql) {
  const Error error = error_of(database_.get(), sql);
  const Refused refused = std::exchange(refused_, Refused::nothing);
  if (refused == Refused::nothing) return error;
  return {refused == Refused::writing ? Failure::read_only : Failure::forbidden, error.what()};
}

std::unique_ptr<Statement> SqliteConnection::prepare(std::string_view sql, const ReachPtr& reach) {
  auto made = std::make_unique<Statement>();
  made->sql = sql;
  made->reach = reach;
  asked_ = reach.get();
  sqlite3_stmt* handle = nullptr;
  const char* tail = nullptr;
  const int code = sqlite3_prepare_v3(database_.get(), made->sql.c_str(), static_cast<int>(made->sql.size() + 1),
                                      SQLITE_PREPARE_PERSISTENT, &handle, &tail);
  made->handle.reset(handle);
  if (code != SQLITE_OK) throw what_failed(sql);
  if (handle == nullptr) throw Error(Failure::statement, "an empty statement");
  if (std::string_view(tail).find_first_not_of(" \t\r\n;") != std::string_view::npos) {
    throw Error(Failure::statement, "more than one statement: " + made->sql.substr(0, 500));
  }
  made->places = places_of(handle, sql);
  return made;
}

void SqliteConnection::check_usable() const {
  if (failed_) throw Error(Failure::statement, "a statement after an error in the same transaction");
}

bool same(const ReachPtr& one, const ReachPtr& other) {
  return one == other || (one != nullptr && other != nullptr && *one == *other);
}

Statement& SqliteConnection::begin_statement(std::string_view sql, const ReachPtr& reach) {
  check_usable();
  Statement* found =
      statements_.find(sql, [&](const Statement& copy) { return !copy.open && same(copy.reach, reach); });
  if (found != nullptr) {
    if (found->reach != reach) found->reach = reach;  // the next comparison is one of pointers
  } else {
    try {
      found = &statements_.add(prepare(sql, reach));
      statements_.take_forgotten().clear();
    } catch (...) {
      spoil();
      throw;
    }
  }
  found->deadline = limit_.count() == 0 ? Steady::time_point::max() : Steady::now() + limit_;
  found->open = true;
  return *found;
}

void SqliteConnection::bind(Statement& statement, std::span<const Param> params) {
  sqlite3_stmt* handle = statement.handle.get();
  if (params.size() < statement.places.size()) {
    throw Error(Failure::statement, "too few values for: " + statement.sql.substr(0, 500));
  }
  size_t size = 0;
  for (const Param& param : params) size += param.bytes.size();
  statement.bytes.clear();
  statement.bytes.reserve(size);  // what is bound points here and must not move
  for (size_t i = 0; i < statement.places.size(); ++i) {
    const int place = statement.places[i];
    if (place == 0) continue;
    const Param& param = params[i];
    const char* copy = statement.bytes.data() + statement.bytes.size();
    statement.bytes.append(param.bytes);
    int code = SQLITE_OK;
    switch (param.kind) {
      case Kind::null: code = sqlite3_bind_null(handle, place); break;
      case Kind::integer: code = sqlite3_bind_int64(handle, place, param.integer); break;
      case Kind::text:
        if (!is_valid_utf8(param.bytes)) throw Error(Failure::statement, "a text that is not UTF-8, or has a NUL");
        code = sqlite3_bind_text64(handle, place, copy, param.bytes.size(), SQLITE_STATIC, SQLITE_UTF8);
        break;
      case Kind::blob: code = sqlite3_bind_blob64(handle, place, copy, param.bytes.size(), SQLITE_STATIC); break;
    }
    if (code != SQLITE_OK) throw error_of(database_.get(), statement.sql);
  }
}

bool SqliteConnection::step(Statement& statement) {
  deadline_ = statement.deadline;
  asked_ = statement.reach.get();
  const int code = sqlite3_step(statement.handle.get());
  deadline_ = Steady::time_point::max();  // preparing looks at the clock, too
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) {
    sqlite3_reset(statement.handle.get());  // ends its read transaction
    return false;
  }
  Error error = what_failed(statement.sql);
  sqlite3_reset(statement.handle.get());
  spoil();
  throw error;
}

// Statements that write end at once, so that their rows do not stand in the way of the commit.
Rows SqliteConnection::read_all(Statement& statement, bool row) {
  std::vector<ReadRows::Cell> cells;
  const Cursor cursor(*this, statement, row);
  for (; row; row = step(statement)) {
    for (size_t i = 0; i < cursor.columns(); ++i) {
      cells.push_back({cursor.kind(i), cursor.integer(i), std::string(cursor.bytes(i))});
    }
  }
  return Rows(std::make_unique<ReadRows>(cursor.columns(), std::move(cells)));
}

Rows SqliteConnection::query_within(const ReachPtr& reach, std::string_view sql, std::span<const Param> params) {
  if (reach == nullptr) throw Error(Failure::statement, "a statement without its reach");
  return run(writer_ ? nullptr : reach, sql, params);
}

Rows SqliteConnection::run(const ReachPtr& reach, std::string_view sql, std::span<const Param> params) {
  Statement& statement = begin_statement(sql, reach);
  bool row = false;
  try {
    bind(statement, params);
    row = step(statement);
  } catch (...) {
    statement.open = false;
    spoil();
    throw;
  }
  if (sqlite3_stmt_readonly(statement.handle.get()) == 0) return read_all(statement, row);
  return Rows(std::make_unique<Cursor>(*this, statement, row));
}

int64_t SqliteConnection::execute(std::string_view sql, std::span<const Param> params) {
  if (const Telling* telling = this->telling(sql))
    return tell(*telling, [&](const std::string& telling_sql) { return run(nullptr, telling_sql, params); });
  Statement& statement = begin_statement(sql);
  const sqlite3_int64 before = sqlite3_total_changes64(database_.get());
  try {
    bind(statement, params);
    while (step(statement)) {
    }
  } catch (...) {
    statement.open = false;
    spoil();
    throw;
  }
  statement.open = false;
  // Statements that change no rows leave the count of the one before.
  return sqlite3_total_changes64(database_.get()) == before ? 0 : sqlite3_changes64(database_.get());
}

void SqliteConnection::run_bare(const char* sql) {
  asked_ = nullptr;
  if (sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) throw error_of(database_.get(), sql);
}

void SqliteConnection::script(std::string_view sql) {
  check_usable();
  deadline_ = limit_.count() == 0 ? Steady::time_point::max() : Steady::now() + limit_;
  try {
    run_bare(std::string(sql).c_str());
    deadline_ = Steady::time_point::max();
  } catch (...) {
    deadline_ = Steady::time_point::max();
    spoil();
    throw;
  }
}

int look_at_clock(void* deadline) { return Steady::now() > *static_cast<const Steady::time_point*>(deadline) ? 1 : 0; }

void SqliteConnection::statement_limit(std::chrono::milliseconds limit) {
  if (limit == limit_) return;
  limit_ = limit;
  // Cursors that began under an earlier limit keep their deadline.
  sqlite3_progress_handler(database_.get(), kStepsBetweenLooks, look_at_clock, &deadline_);
}

void SqliteConnection::begin(bool write) {
  if (in_transaction_) throw Error(Failure::statement, "a transaction inside a transaction");
  if (write && !writer_) throw Error(Failure::read_only, "a writing transaction on a reading connection");
  if (writer_ && !write) run_bare("PRAGMA query_only = ON");
  reads_only_ = writer_ && !write;
  try {
    Statement& statement = begin_statement(write ? "BEGIN IMMEDIATE" : "BEGIN");
    statement.open = false;
    statement.deadline = Steady::time_point::max();
    step(statement);
  } catch (...) {
    roll_back();
    throw;
  }
  forget();
  in_transaction_ = true;
}

void SqliteConnection::commit() {
  if (!failed_) tell_before_commit();
  if (failed_) {
    roll_back();
    throw Error(Failure::statement, "committing after an error");
  }
  Statement& statement = begin_statement("COMMIT");
  statement.open = false;
  statement.deadline = Steady::time_point::max();
  step(statement);
  in_transaction_ = false;
  if (reads_only_) run_bare("PRAGMA query_only = OFF");
  reads_only_ = false;
}

void SqliteConnection::roll_back() noexcept {
  asked_ = nullptr;
  if (sqlite3_get_autocommit(database_.get()) == 0) {
    sqlite3_exec(database_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
  }
  if (reads_only_) sqlite3_exec(database_.get(), "PRAGMA query_only = OFF", nullptr, nullptr, nullptr);
  in_transaction_ = reads_only_ = failed_ = false;
  forget();
}

void SqliteConnection::reset() noexcept {
  if (in_transaction_ || sqlite3_get_autocommit(database_.get()) == 0) roll_back();
  limit_ = std::chrono::milliseconds(0);
}

// ---------------------------------------------------------------------------------------------------------------- bulk

class SqliteBulk final : public Bulk {
 public:
  SqliteBulk(SqliteConnection& connection, Statement& statement) : connection_(connection), statement_(statement) {}
  SqliteBulk(const SqliteBulk&) = delete;
  SqliteBulk& operator=(const SqliteBulk&) = delete;
  ~SqliteBulk() override {
    if (!finished_) connection_.spoil();
    statement_.open = false;
  }
  void row(std::span<const Param> values) override {
    if (values.size() != statement_.places.size()) throw Error(Failure::statement, "a row of another width");
    connection_.bind(statement_, values);
    connection_.step(statement_);
  }
  void finish() override { finished_ = true; }

 private:
  SqliteConnection& connection_;
  Statement& statement_;
  bool finished_ = false;
};

std::unique_ptr<Bulk> SqliteConnection::bulk(std::string_view table, std::span<const std::string> columns) {
  if (!in_transaction_) throw Error(Failure::statement, "bulk loading outside a transaction");
  std::string sql = "INSERT INTO ";
  sql.append(table).append(" (");
  std::string values;
  for (size_t i = 0; i < columns.size(); ++i) {
    sql.append(i == 0 ? "" : ", ").append(columns[i]);
    values.append(i == 0 ? "$" : ", $").append(std::to_string(i + 1));
  }
  sql.append(") VALUES (").append(values).append(")");
  return telling_bulk(table, columns, [&] { return std::make_unique<SqliteBulk>(*this, begin_statement(sql)); });
}

// --------------------------------------------------------------------------------------------------------------- store

// A name for sqlite3_open with its options: only these bytes mean something there.
std::string uri_of(const std::string& path, std::string_view options) {
  std::string uri = "file:";
  for (const char c : path) {
    if (c == '%' || c == '?' || c == '#') {
      constexpr std::string_view kHex = "0123456789ABCDEF";
      uri += {'%', kHex[static_cast<unsigned char>(c) >> 4U], kHex[static_cast<unsigned char>(c) & 15U]};
    } else {
      uri += c;
    }
  }
  return uri.append(options);
}

Database open_file(const std::string& path, bool writer, std::chrono::milliseconds busy_wait) {
  sqlite3* handle = nullptr;
  const int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI | (writer ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY);
  const int code = sqlite3_open_v2(uri_of(path, writer ? "?mode=rw" : "?mode=ro").c_str(), &handle, flags, nullptr);
  Database database(handle);
  if (handle == nullptr) throw Error(Failure::unavailable, "sqlite: no memory");
  sqlite3_extended_result_codes(handle, 1);
  if (code != SQLITE_OK) throw error_of(handle, "open " + path);
  sqlite3_busy_timeout(handle, static_cast<int>(std::clamp<int64_t>(busy_wait.count(), 0, 86'400'000)));
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  // Otherwise a misspelt "column" is silently a text.
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  return database;
}

void run(sqlite3* database, const std::string& sql) {
  if (sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) throw error_of(database, sql);
}

// Several processes that open a new file at once collide here, and SQLite does not wait by itself.
void use_wal(sqlite3* database, std::chrono::milliseconds busy_wait) {
  const Steady::time_point deadline = Steady::now() + busy_wait;
  for (;;) {
    std::string mode;
    const auto keep = [](void* into, int, char** values, char**) {
      *static_cast<std::string*>(into) = values[0];
      return 0;
    };
    const int code = sqlite3_exec(database, "PRAGMA journal_mode = WAL", keep, &mode, nullptr);
    if (code == SQLITE_OK && mode == "wal") return;
    if (code == SQLITE_OK) throw Error(Failure::unavailable, "sqlite: no write-ahead log here, but " + mode);
    if ((code & 0xff) != SQLITE_BUSY || Steady::now() > deadline) throw error_of(database, "PRAGMA journal_mode");
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

// For the owner only: the -wal and -shm files take the same mode.
void make_file(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file >= 0) {
    ::close(file);
  } else if (errno != EEXIST) {
    throw Error(errno == ENOSPC ? Failure::full : Failure::unavailable, "cannot make " + path);
  }
}

class SqliteStore final : public Store {
 public:
  SqliteStore(const Options& options, std::string path)
      : options_(options),
        path_(std::move(path)),
        readers_(static_cast<size_t>(std::max(1, options.readers)), [this] { return connect(false); }),
        writers_(1, [this] { return connect(true); }) {
    if (path_.empty() || path_ == ":memory:") throw Error(Failure::unavailable, "a store is a file");
    if (options_.create) make_file(path_);
    if (!options_.attached_name.empty() && options_.create) {
      make_file(options_.attached_path);
      use_wal(open_file(options_.attached_path, true, options_.busy_wait).get(), options_.busy_wait);
    }
    const Lease first = writer();  // so that what is wrong shows now
  }
  SqliteStore(const SqliteStore&) = delete;
  SqliteStore& operator=(const SqliteStore&) = delete;
  ~SqliteStore() override {
    readers_.close();
    // Whoever copies the file of a store that is not in use has all of it: others may hold it open (the record is
    // attached to the store's connections), and then closing alone leaves the log beside it.
    try {
      static_cast<SqliteConnection&>(*writer()).run_bare("PRAGMA wal_checkpoint(TRUNCATE)");
    } catch (const std::exception&) {
      // full disk, or the file is gone: what was committed is in the log, which is read when it is opened again
    }
    writers_.close();  // last: brings the log into the file and removes it
  }

  Dialect dialect() const override { return Dialect::sqlite; }
  std::filesystem::path folder() override {
    const std::filesystem::path file(path_);
    return file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
  }
  Lease reader() override { return lend_reader(bounds_); }
  Lease writer() override {
    SqliteConnection* connection = writers_.lend();
    connection->watch(watch_);
    return {this, connection, true};
  }
  Lease private_reader() override { return lend_reader(nullptr); }
  std::vector<Text> fasten(const Belt& belt) override {
    bounds_ = std::make_shared<const Reach>(belt.readers);
    return {};
  }
  void watch(WatchPtr watch) override { watch_ = std::move(watch); }

 protected:
  void give_back(Connection* connection, bool writer) noexcept override {
    auto* ours = static_cast<SqliteConnection*>(connection);
    ours->reset();
    (writer ? writers_ : readers_).give_back(ours);
  }

 private:
  Lease lend_reader(const ReachPtr& bounds) {
    SqliteConnection* connection = readers_.lend();
    connection->stay_within(bounds);
    return {this, connection, false};
  }
  std::unique_ptr<SqliteConnection> connect(bool writer) const;

  ReachPtr bounds_;  // of reader()
  WatchPtr watch_;   // of writer()
  const Options options_;
  const std::string path_;
  Pool<SqliteConnection> readers_;
  Pool<SqliteConnection> writers_;
};

std::unique_ptr<SqliteConnection> SqliteStore::connect(bool writer) const {
  Database database = open_file(path_, writer, options_.busy_wait);
  sqlite3* handle = database.get();
  if (writer) use_wal(handle, options_.busy_wait);
  // What a statement sorts stays in memory up to the size of the cache, then goes to a file without a name (temp_store):
  // with all of it in memory, a few statistics took gigabytes.
  run(handle, "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA case_sensitive_like = ON;"
              "PRAGMA temp_store = FILE; PRAGMA cache_size = -16384");
  if (writer) {
    run(handle, "PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864");
  } else {
    run(handle, "PRAGMA mmap_size = 1073741824; PRAGMA query_only = ON");
  }
  if (!options_.attached_name.empty()) {
    // mode=ro, so that a writing transaction, which locks all it may write, leaves the attached database to its writer.
    const std::unique_ptr<char, decltype(&sqlite3_free)> sql(
        sqlite3_mprintf("ATTACH DATABASE %Q AS \"%w\"", uri_of(options_.attached_path, "?mode=ro").c_str(),
                        options_.attached_name.c_str()),
        &sqlite3_free);
    run(handle, sql.get());
  }
  // Table-valued functions make themselves known at their first use, in a way that looks like writing to the authorizer.
  if (!writer) run(handle, "SELECT 1 FROM json_each('[]'), pragma_table_xinfo('')");
  return std::make_unique<SqliteConnection>(std::move(database), writer);
}

}  // namespace

std::unique_ptr<Store> open_sqlite(const Options& options, const std::string& path) {
  return std::make_unique<SqliteStore>(options, path);
}

}  // namespace jw::db
