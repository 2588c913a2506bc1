// PostgreSQL through libpq: prepared statements with declared parameter types, values sent as text, answers read in
// binary form.
#include <arpa/inet.h>
#include <libpq-fe.h>

#include <array>
#include <charconv>
#include <cstring>
#include <deque>
#include <unordered_map>

#include "base/text.hpp"
#include "platform/db/belt.hpp"
#include "platform/db/pool.hpp"
#include "platform/db/stores.hpp"
#include "platform/db/watch.hpp"

namespace jw::db {
namespace {

// Types of PostgreSQL by their fixed object ids (pg_type.dat).
enum Type : Oid {
  kBool = 16,
  kBytea = 17,
  kName = 19,
  kInt8 = 20,
  kInt2 = 21,
  kInt4 = 23,
  kText = 25,
  kBpchar = 1042,
  kVarchar = 1043,
  kVoid = 2278,
  kUnknown = 705,
  kNumeric = 1700
};

constexpr size_t kStatementsMax = 512;  // prepared per connection

struct Clear {
  void operator()(PGresult* result) const { PQclear(result); }
  void operator()(PGconn* connection) const { PQfinish(connection); }
};
using Answer = std::unique_ptr<PGresult, Clear>;
using Handle = std::unique_ptr<PGconn, Clear>;

Failure failure_of(std::string_view state) {
  if (state == "23505") return Failure::unique;
  if (state == "23503") return Failure::foreign_key;
  if (state == "23502") return Failure::not_null;
  if (state == "23514") return Failure::check;
  if (state == "40001" || state == "40P01" || state == "55P03") return Failure::busy;
  if (state == "57014") return Failure::timeout;
  if (state == "25006") return Failure::read_only;
  if (state == "42501") return Failure::forbidden;
  if (state == "53100") return Failure::full;
  if (state == "08P01") return Failure::statement;  // too few values
  if (state.starts_with("08") || state.starts_with("57P") || state.starts_with("53") || state.empty())
    return Failure::unavailable;
  if (state.starts_with("XX")) return Failure::corrupt;
  return Failure::statement;
}

std::string field_of(const PGresult* result, int code) {
  const char* text = PQresultErrorField(result, code);
  return text == nullptr ? "" : text;
}

// Only the primary message: the detail holds values of rows, which do not belong in a log.
Error error_of(PGconn* connection, const PGresult* result, std::string_view sql) {
  const std::string state = result == nullptr ? "" : field_of(result, PG_DIAG_SQLSTATE);
  const Failure failure = PQstatus(connection) == CONNECTION_BAD ? Failure::unavailable : failure_of(state);
  std::string constraint = result == nullptr ? "" : field_of(result, PG_DIAG_CONSTRAINT_NAME);
  if (failure == Failure::not_null)
    constraint = field_of(result, PG_DIAG_TABLE_NAME) + "." + field_of(result, PG_DIAG_COLUMN_NAME);
  std::string what = result == nullptr ? "connection lost" : field_of(result, PG_DIAG_MESSAGE_PRIMARY);
  what += " [" + state + "] in: " + std::string(sql.substr(0, 500));
  return Error(failure, what, constraint);
}

template <class T>
T from_network(const char* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof value);
  if constexpr (sizeof(T) == 2) return static_cast<T>(ntohs(static_cast<uint16_t>(value)));
  if constexpr (sizeof(T) == 4) return static_cast<T>(ntohl(static_cast<uint32_t>(value)));
  if constexpr (sizeof(T) == 8) return static_cast<T>(be64toh(static_cast<uint64_t>(value)));
}

// sum(bigint) is numeric: whole numbers that fit are taken, anything else is a mistake of the statement.
int64_t whole_numeric(std::string_view bytes) {
  const auto part = [&](size_t i) { return from_network<int16_t>(bytes.data() + 2 * i); };
  const int digits = part(0), weight = part(1);
  const auto sign = static_cast<uint16_t>(part(2));
  if (sign != 0 && sign != 0x4000) throw Error(Failure::statement, "a number that is none");
  __extension__ __int128 value = 0;
  for (int i = 0; i <= weight; ++i) value = value * 10'000 + (i < digits ? part(4 + static_cast<size_t>(i)) : 0);
  bool whole = weight <= 4;
  for (int i = std::max(0, weight + 1); i < digits; ++i) whole = whole && part(4 + static_cast<size_t>(i)) == 0;
  if (sign != 0) value = -value;
  if (!whole || value > INT64_MAX || value < INT64_MIN)
    throw Error(Failure::statement, "a number that is no 64-bit integer");
  return static_cast<int64_t>(value);
}

struct Statement {
  std::string name;
  uint64_t used = 0;
};

class PostgresStream;

class PostgresConnection final : public WatchedConnection {
 public:
  explicit PostgresConnection(Handle handle) : handle_(std::move(handle)) {}

  Dialect dialect() const override { return Dialect::postgres; }
  Rows query(std::string_view sql, std::span<const Param> params) override;
  Rows stream(std::string_view sql, std::span<const Param> params) override;
  Rows query_within(const ReachPtr& reach, std::string_view sql, std::span<const Param> params) override {
    if (reach == nullptr) throw Error(Failure::statement, "a statement without its reach");
    return query(sql, params);
  }
  Rows stream_within(const ReachPtr& reach, std::string_view sql, std::span<const Param> params) override {
    if (reach == nullptr) throw Error(Failure::statement, "a statement without its reach");
    return stream(sql, params);
  }
  int64_t execute(std::string_view sql, std::span<const Param> params) override;
  void script(std::string_view sql) override;
  std::unique_ptr<Bulk> bulk(std::string_view table, std::span<const std::string> columns) override;
  void statement_limit(std::chrono::milliseconds limit) override;

  bool is_alive() const { return PQstatus(handle_.get()) == CONNECTION_OK; }
  void reset() noexcept;
  PGconn* handle() { return handle_.get(); }
  void run(const char* sql) {
    free_the_line();
    const Answer answer(PQexec(handle_.get(), sql));
    const ExecStatusType status = PQresultStatus(answer.get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_EMPTY_QUERY)
      throw error_of(handle_.get(), answer.get(), sql);
  }

 protected:
  void begin(bool write) override;
  void commit() override;
  void roll_back() noexcept override;
  bool in_transaction() const override { return in_transaction_; }

 private:
  friend class PostgresStream;
  Answer run_prepared(std::string_view sql, std::span<const Param> params);
  // Sends it; what comes is read by whoever asked.
  void send_prepared(std::string_view sql, std::span<const Param> params);
  void free_the_line();  // of a stream: the rest of its rows is collected
  const std::string& prepare(std::string_view sql, std::span<const Param> params);

  // How rows are loaded into columns of a table.
  struct Load {
    std::string sql;
    bool by_arrays = false;
  };
  Load load_of(std::string_view table, std::span<const std::string> columns, const std::string& target);
  void apply_limit();

  Handle handle_;
  PostgresStream* streaming_ = nullptr;  // whose rows are still on the line
  bool in_transaction_ = false;
  uint64_t uses_ = 0, names_ = 0;
  std::chrono::milliseconds limit_{0}, server_limit_{0};   // as asked; as the server has it
  std::unordered_map<std::string, Load> loads_;            // by table and columns
  std::unordered_map<std::string, Statement> statements_;  // by text and kinds of the parameters
};

// What a parameter is declared as; nothing is left to be inferred but the type of a NULL.
Oid type_of(Kind kind) {
  switch (kind) {
    case Kind::integer:
      return kInt8;
    case Kind::text:
      return kText;
    case Kind::blob:
      return kBytea;
    case Kind::null:
      return 0;
  }
  return 0;
}

const std::string& PostgresConnection::prepare(std::string_view sql, std::span<const Param> params) {
  std::string key(sql);
  key += '\x1f';
  for (const Param& param : params) key += static_cast<char>('0' + static_cast<int>(param.kind));
  const auto known = statements_.find(key);
  if (known != statements_.end()) {
    known->second.used = ++uses_;
    return known->second.name;
  }
  if (statements_.size() >= kStatementsMax) {
    const auto oldest = std::min_element(statements_.begin(), statements_.end(),
                                         [](const auto& a, const auto& b) { return a.second.used < b.second.used; });
    run(("DEALLOCATE " + oldest->second.name).c_str());
    statements_.erase(oldest);
  }
  std::vector<Oid> types;
  for (const Param& param : params) types.push_back(type_of(param.kind));
  const std::string name = "s" + std::to_string(++names_);
  const Answer answer(
      PQprepare(handle_.get(), name.c_str(), std::string(sql).c_str(), static_cast<int>(types.size()), types.data()));
  if (PQresultStatus(answer.get()) != PGRES_COMMAND_OK) throw error_of(handle_.get(), answer.get(), sql);
  return statements_.emplace(std::move(key), Statement{name, ++uses_}).first->second.name;
}

// Parameters as the wire takes them; borrows what is text.
struct Sent {
  std::vector<const char*> values;
  std::vector<int> lengths, formats;
  std::vector<std::string> numbers;

  explicit Sent(std::span<const Param> params)
      : values(params.size()), lengths(params.size()), formats(params.size()), numbers(params.size()) {
    for (size_t i = 0; i < params.size(); ++i) {
      const Param& param = params[i];
      if (param.kind == Kind::null) continue;
      if (param.kind == Kind::text && !is_valid_utf8(param.bytes))
        throw Error(Failure::statement, "a text that is not UTF-8 or has a NUL");
      numbers[i] = param.kind == Kind::integer ? std::to_string(param.integer) : std::string(param.bytes);
      values[i] = numbers[i].c_str();
      lengths[i] = static_cast<int>(numbers[i].size());
      formats[i] = param.kind == Kind::blob ? 1 : 0;
    }
  }
};

bool is_good(ExecStatusType status) {
  return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || status == PGRES_SINGLE_TUPLE;
}

Answer PostgresConnection::run_prepared(std::string_view sql, std::span<const Param> params) {
  if (!is_alive()) throw Error(Failure::unavailable, "connection lost");
  free_the_line();
  apply_limit();
  const std::string& name = prepare(sql, params);
  const Sent sent(params);
  Answer answer(PQexecPrepared(handle_.get(), name.c_str(), static_cast<int>(params.size()), sent.values.data(),
                               sent.lengths.data(), sent.formats.data(), 1));
  if (!is_good(PQresultStatus(answer.get()))) throw error_of(handle_.get(), answer.get(), sql);
  return answer;
}

void PostgresConnection::send_prepared(std::string_view sql, std::span<const Param> params) {
  if (!is_alive()) throw Error(Failure::unavailable, "connection lost");
  apply_limit();
  const std::string& name = prepare(sql, params);
  const Sent sent(params);
  const int done = PQsendQueryPrepared(handle_.get(), name.c_str(), static_cast<int>(params.size()), sent.values.data(),
                                       sent.lengths.data(), sent.formats.data(), 1);
  if (done != 1 || PQsetSingleRowMode(handle_.get()) != 1) throw error_of(handle_.get(), nullptr, sql);
}

// All rows in memory: answers are bounded by their statement's LIMIT.
class PostgresRows : public Rows::Source {
 public:
  explicit PostgresRows(Answer answer) { take(std::move(answer)); }
  bool next() override { return ++row_ < count_; }
  size_t columns() const override { return types_.size(); }
  Kind kind(size_t column) const override {
    if (PQgetisnull(answer_.get(), row_, static_cast<int>(column)) != 0) return Kind::null;
    switch (types_[column]) {
      case kBool:
      case kInt2:
      case kInt4:
      case kInt8:
      case kNumeric:
        return Kind::integer;
      case kText:
      case kVarchar:
      case kBpchar:
      case kName:
      case kUnknown:
        return Kind::text;
      case kBytea:
        return Kind::blob;
      default:
        throw Error(Failure::statement, "a column of foreign type " + std::to_string(types_[column]));
    }
  }
  int64_t integer(size_t column) const override {
    const std::string_view value = raw(column);
    if (value.empty()) return 0;
    switch (types_[column]) {
      case kInt8:
        return from_network<int64_t>(value.data());
      case kInt4:
        return from_network<int32_t>(value.data());
      case kInt2:
        return from_network<int16_t>(value.data());
      case kBool:
        return value[0] != 0 ? 1 : 0;
      case kNumeric:
        return whole_numeric(value);
      default:
        throw Error(Failure::statement, "not an integer column");
    }
  }
  std::string_view bytes(size_t column) const override { return raw(column); }

 protected:
  PostgresRows() = default;
  void take(Answer answer) {
    answer_ = std::move(answer);
    count_ = PQntuples(answer_.get());
    row_ = -1;
    if (!types_.empty()) return;
    for (int c = 0; c < PQnfields(answer_.get()); ++c) types_.push_back(PQftype(answer_.get(), c));
  }

 private:
  std::string_view raw(size_t column) const {
    const int c = static_cast<int>(column);
    return {PQgetvalue(answer_.get(), row_, c), static_cast<size_t>(PQgetlength(answer_.get(), row_, c))};
  }

  Answer answer_;
  std::vector<Oid> types_;
  int row_ = -1, count_ = 0;
};

// Row by row, as they come; what is not read is thrown away at the end.
class PostgresStream final : public PostgresRows {
 public:
  PostgresStream(PostgresConnection& connection, std::string_view sql) : connection_(connection), sql_(sql) {
    connection_.streaming_ = this;
    fetch();  // what the statement refuses is thrown here
  }
  PostgresStream(const PostgresStream&) = delete;
  PostgresStream& operator=(const PostgresStream&) = delete;
  ~PostgresStream() override {
    if (connection_.streaming_ != this) return;
    while (const Answer rest{PQgetResult(connection_.handle_.get())}) {
    }
    connection_.streaming_ = nullptr;
  }

  bool next() override {
    if (!ahead_.empty()) {
      take(std::move(ahead_.front()));
      ahead_.pop_front();
      return PostgresRows::next();
    }
    if (connection_.streaming_ != this) return false;
    fetch();
    return next_or_end();
  }

  // Somebody else needs the line.
  void collect() {
    while (connection_.streaming_ == this) fetch();
  }

 private:
  bool next_or_end() { return ahead_.empty() ? false : next(); }

  void fetch() {
    Answer answer(PQgetResult(connection_.handle_.get()));
    const ExecStatusType status = PQresultStatus(answer.get());
    if (status == PGRES_SINGLE_TUPLE) {
      ahead_.push_back(std::move(answer));
      return;
    }
    const bool good = answer != nullptr && is_good(status);
    std::optional<Error> failed;
    if (!good) failed.emplace(error_of(connection_.handle_.get(), answer.get(), sql_));
    while (const Answer rest{PQgetResult(connection_.handle_.get())}) {
    }
    connection_.streaming_ = nullptr;
    if (failed) throw Error(*failed);
  }

  PostgresConnection& connection_;
  const std::string sql_;
  std::deque<Answer> ahead_;
};

void PostgresConnection::free_the_line() {
  if (streaming_ != nullptr) streaming_->collect();
}

Rows PostgresConnection::stream(std::string_view sql, std::span<const Param> params) {
  free_the_line();
  send_prepared(sql, params);
  return Rows(std::make_unique<PostgresStream>(*this, sql));
}

Rows PostgresConnection::query(std::string_view sql, std::span<const Param> params) {
  return Rows(std::make_unique<PostgresRows>(run_prepared(sql, params)));
}

int64_t PostgresConnection::execute(std::string_view sql, std::span<const Param> params) {
  if (const Telling* telling = this->telling(sql))
    return tell(*telling, [&](const std::string& telling_sql) { return query(telling_sql, params); });
  const Answer answer = run_prepared(sql, params);
  int64_t changed = 0;
  const std::string_view text = PQcmdTuples(answer.get());
  std::from_chars(text.data(), text.data() + text.size(), changed);
  return changed;
}

void PostgresConnection::script(std::string_view sql) {
  apply_limit();
  run(std::string(sql).c_str());
}

void PostgresConnection::statement_limit(std::chrono::milliseconds limit) {
  limit_ = limit;
}

// Told only when the next statement needs it: lease after lease wants the same, and each telling is a round trip.
void PostgresConnection::apply_limit() {
  if (limit_ == server_limit_) return;
  run(("SET statement_timeout = " + std::to_string(limit_.count())).c_str());
  server_limit_ = limit_;
}

void PostgresConnection::begin(bool write) {
  if (in_transaction_) throw Error(Failure::statement, "transactions do not nest");
  run(write ? "BEGIN ISOLATION LEVEL READ COMMITTED" : "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY");
  forget();
  in_transaction_ = true;
}

void PostgresConnection::commit() {
  if (PQtransactionStatus(handle_.get()) != PQTRANS_INERROR) tell_before_commit();
  if (PQtransactionStatus(handle_.get()) == PQTRANS_INERROR) {
    roll_back();
    throw Error(Failure::statement, "committing after an error");
  }
  run("COMMIT");
  in_transaction_ = false;
}

void PostgresConnection::roll_back() noexcept {
  streaming_ = nullptr;  // what is on the line is read and dropped before the next statement
  if (PQtransactionStatus(handle_.get()) != PQTRANS_IDLE) {
    const Answer ignored(PQexec(handle_.get(), "ROLLBACK"));
  }
  in_transaction_ = false;
  forget();
}

void PostgresConnection::reset() noexcept {
  if (is_alive()) roll_back();
  limit_ = std::chrono::milliseconds(0);
}

// COPY in text form: tabs, backslashes and line ends escaped, \N for NULL.
class PostgresBulk final : public Bulk {
 public:
  PostgresBulk(PostgresConnection& connection, std::string sql, size_t width)
      : connection_(connection), sql_(std::move(sql)), width_(width) {
    const Answer answer(PQexec(connection_.handle(), sql_.c_str()));
    if (PQresultStatus(answer.get()) != PGRES_COPY_IN) throw error_of(connection_.handle(), answer.get(), sql_);
  }
  PostgresBulk(const PostgresBulk&) = delete;
  PostgresBulk& operator=(const PostgresBulk&) = delete;
  ~PostgresBulk() override {
    if (finished_) return;
    PQputCopyEnd(connection_.handle(), "abandoned");
    while (PGresult* rest = PQgetResult(connection_.handle())) PQclear(rest);
  }

  void row(std::span<const Param> values) override {
    if (values.size() != width_) throw Error(Failure::statement, "a row of another width");
    for (size_t i = 0; i < values.size(); ++i) {
      if (i > 0) buffer_ += '\t';
      append(values[i]);
    }
    buffer_ += '\n';
    if (buffer_.size() > 256 * 1024) send();
  }

  void finish() override {
    send();
    finished_ = true;
    if (PQputCopyEnd(connection_.handle(), nullptr) != 1) throw error_of(connection_.handle(), nullptr, sql_);
    std::optional<Error> error;
    while (PGresult* result = PQgetResult(connection_.handle())) {
      const Answer answer(result);
      if (PQresultStatus(result) != PGRES_COMMAND_OK && !error) error = error_of(connection_.handle(), result, sql_);
    }
    if (error) throw *error;
  }

 private:
  void append(const Param& value) {
    switch (value.kind) {
      case Kind::null:
        buffer_ += "\\N";
        return;
      case Kind::integer:
        buffer_ += std::to_string(value.integer);
        return;
      case Kind::blob: {
        buffer_ += "\\\\x";
        constexpr char kHex[] = "0123456789abcdef";
        for (const char c : value.bytes) {
          buffer_ += kHex[static_cast<unsigned char>(c) >> 4U];
          buffer_ += kHex[static_cast<unsigned char>(c) & 15U];
        }
        return;
      }
      case Kind::text:
        if (!is_valid_utf8(value.bytes)) throw Error(Failure::statement, "a text that is not UTF-8 or has a NUL");
        for (const char c : value.bytes) {
          switch (c) {
            case '\\':
              buffer_ += "\\\\";
              break;
            case '\t':
              buffer_ += "\\t";
              break;
            case '\n':
              buffer_ += "\\n";
              break;
            case '\r':
              buffer_ += "\\r";
              break;
            default:
              buffer_ += c;
          }
        }
        return;
    }
  }

  void send() {
    if (buffer_.empty()) return;
    if (PQputCopyData(connection_.handle(), buffer_.data(), static_cast<int>(buffer_.size())) != 1)
      throw error_of(connection_.handle(), nullptr, sql_);
    buffer_.clear();
  }

  PostgresConnection& connection_;
  std::string sql_;
  size_t width_;
  std::string buffer_;
  bool finished_ = false;
};

// PostgreSQL copies into no table whose row security is active: there the rows go as one array for each column.
class PostgresArrays final : public Bulk {
 public:
  PostgresArrays(PostgresConnection& connection, std::string sql, size_t width)
      : connection_(connection), sql_(std::move(sql)), columns_(width) {}

  void row(std::span<const Param> values) override {
    if (values.size() != columns_.size()) throw Error(Failure::statement, "a row of another width");
    for (size_t i = 0; i < values.size(); ++i) {
      columns_[i] += rows_ == 0 ? '{' : ',';
      append(columns_[i], values[i]);
      bytes_ += values[i].bytes.size() + 8;
    }
    if (++rows_ == kRowsMost || bytes_ > kBytesMost) send();
  }
  void finish() override { send(); }

 private:
  static constexpr size_t kRowsMost = 2'000, kBytesMost = 1 << 20;

  static void append(std::string& out, const Param& value) {
    switch (value.kind) {
      case Kind::null:
        out += "NULL";
        return;
      case Kind::integer:
        out += std::to_string(value.integer);
        return;
      case Kind::blob: {
        out += "\"\\\\x";
        constexpr char kHex[] = "0123456789abcdef";
        for (const char c : value.bytes) {
          out += kHex[static_cast<unsigned char>(c) >> 4U];
          out += kHex[static_cast<unsigned char>(c) & 15U];
        }
        out += '"';
        return;
      }
      case Kind::text:
        if (!is_valid_utf8(value.bytes)) throw Error(Failure::statement, "a text that is not UTF-8 or has a NUL");
        out += '"';
        for (const char c : value.bytes) {
          if (c == '"' || c == '\\') out += '\\';
          out += c;
        }
        out += '"';
        return;
    }
  }

  void send() {
    if (rows_ == 0) return;
    std::vector<Param> arrays;
    for (std::string& column : columns_) arrays.emplace_back(std::string_view(column += '}'));
    connection_.execute(sql_, arrays);
    for (std::string& column : columns_) column.clear();
    rows_ = bytes_ = 0;
  }

  PostgresConnection& connection_;
  const std::string sql_;
  std::vector<std::string> columns_;
  size_t rows_ = 0, bytes_ = 0;
};

std::unique_ptr<Bulk> PostgresConnection::bulk(std::string_view table, std::span<const std::string> columns) {
  if (!in_transaction_) throw Error(Failure::statement, "bulk loading outside a transaction");
  std::string target(table);
  target += " (";
  for (size_t i = 0; i < columns.size(); ++i) target.append(i == 0 ? "" : ", ").append(columns[i]);
  target += ')';
  auto known = loads_.find(target);
  if (known == loads_.end()) known = loads_.emplace(target, load_of(table, columns, target)).first;
  return telling_bulk(table, columns, [&]() -> std::unique_ptr<Bulk> {
    if (known->second.by_arrays) return std::make_unique<PostgresArrays>(*this, known->second.sql, columns.size());
    return std::make_unique<PostgresBulk>(*this, known->second.sql, columns.size());
  });
}

PostgresConnection::Load PostgresConnection::load_of(std::string_view table, std::span<const std::string> columns,
                                                     const std::string& target) {
  {
    Rows rows = query("SELECT row_security_active(CAST($1 AS TEXT))", std::array{Param(table)});
    if (rows.next() && rows.integer(0) == 0) return {"COPY " + target + " FROM STDIN", false};
  }
  std::string sql = "INSERT INTO " + target + " SELECT * FROM unnest(";
  for (size_t i = 0; i < columns.size(); ++i) {
    Rows type = query(
        "SELECT format_type(atttypid, NULL) FROM pg_attribute "
        "WHERE attrelid = CAST($1 AS regclass) AND $2 IN (attname, quote_ident(attname), '\"' || attname || '\"')",
        std::array{Param(table), Param(columns[i])});
    if (!type.next()) throw Error(Failure::statement, "no such column to load: " + columns[i]);
    sql.append(i == 0 ? "" : ", ").append("CAST($").append(std::to_string(i + 1)).append(" AS ");
    sql.append(type.text(0)).append("[])");
  }
  return {sql + ")", true};
}

// ---- store
// ------------------------------------------------------------------------------------------------------------

class PostgresStore final : public Store {
 public:
  explicit PostgresStore(const Options& options)
      : options_(options),
        readers_(static_cast<size_t>(std::max(1, options.readers)), [this] { return connect(false); }),
        writers_(static_cast<size_t>(std::max(1, options.writers)), [this] { return connect(true); }) {
    const Lease first = writer();  // so that what is wrong shows now
    if (!options_.attached_name.empty()) {
      static_cast<PostgresConnection&>(*first).run(
          ("CREATE SCHEMA IF NOT EXISTS \"" + options_.attached_name + "\"").c_str());
    }
  }
  ~PostgresStore() override {
    readers_.close();
    writers_.close();
  }
  PostgresStore(const PostgresStore&) = delete;
  PostgresStore& operator=(const PostgresStore&) = delete;

  Dialect dialect() const override { return Dialect::postgres; }
  std::filesystem::path folder() override {
    const Lease lease = writer();
    Rows rows = lease->query(
        "SELECT setting FROM pg_settings WHERE name = 'data_directory' AND (inet_server_addr() IS NULL OR "
        "inet_server_addr() = inet_client_addr())");
    return rows.next() ? std::filesystem::path(rows.text(0)) : std::filesystem::path();
  }
  Lease reader() override { return {this, alive(readers_), false}; }
  Lease writer() override {
    PostgresConnection* connection = alive(writers_);
    connection->watch(watch_);
    return {this, connection, true};
  }
  Lease private_reader() override { return writer(); }
  std::vector<Text> fasten(const Belt& belt) override;
  void watch(WatchPtr watch) override { watch_ = std::move(watch); }

 protected:
  void give_back(Connection* connection, bool writer) noexcept override {
    auto* ours = static_cast<PostgresConnection*>(connection);
    ours->reset();
    (writer ? writers_ : readers_).give_back(ours);
  }

 private:
  PostgresConnection* alive(Pool<PostgresConnection>& pool) {
    for (;;) {
      PostgresConnection* connection = pool.lend();
      if (connection->is_alive()) return connection;
      pool.discard(connection);
    }
  }

  std::unique_ptr<PostgresConnection> connect(bool writer) const;

  const Options options_;
  WatchPtr watch_;                   // of writer()
  std::optional<ReadingRole> role_;  // of readers; none: they are the owner's
  Pool<PostgresConnection> readers_;
  Pool<PostgresConnection> writers_;
};

// The URL as given, but for the role of reading connections its user and password.
Handle sign_in(const std::string& url, const ReadingRole* role) {
  if (role == nullptr) return Handle(PQconnectdb(url.c_str()));
  struct Free {
    void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
  };
  const std::unique_ptr<PQconninfoOption, Free> parsed(PQconninfoParse(url.c_str(), nullptr));
  if (!parsed) throw Error(Failure::unavailable, "the URL of the store cannot be understood");
  std::vector<const char*> names, values;
  for (const PQconninfoOption* option = parsed.get(); option->keyword != nullptr; ++option) {
    const std::string_view name = option->keyword;
    if (option->val == nullptr || name == "user" || name == "password") continue;
    names.push_back(option->keyword);
    values.push_back(option->val);
  }
  const auto add = [&](const char* name, const std::string& value) {
    names.push_back(name);
    values.push_back(value.c_str());
  };
  add("user", role->name);
  if (!role->password.empty()) add("password", role->password);
  names.push_back(nullptr);
  values.push_back(nullptr);
  return Handle(PQconnectdbParams(names.data(), values.data(), 0));
}

std::unique_ptr<PostgresConnection> PostgresStore::connect(bool writer) const {
  const ReadingRole* role = writer || !role_ ? nullptr : &*role_;
  Handle handle = sign_in(options_.url, role);
  if (PQstatus(handle.get()) != CONNECTION_OK) throw Error(Failure::unavailable, "cannot connect to PostgreSQL");
  PQsetNoticeProcessor(
      handle.get(), [](void*, const char*) {}, nullptr);
  auto connection = std::make_unique<PostgresConnection>(std::move(handle));
  connection->run(("SET client_encoding = 'UTF8'; SET TimeZone = 'UTC'; SET standard_conforming_strings = on; SET "
                   "random_page_cost = 1.1; SET jit = off; SET statement_timeout = 0; SET lock_timeout = " +
                   std::to_string(options_.busy_wait.count()))
                      .c_str());
  if (role == nullptr) {
    connection->run(kSealOwnSession);
  } else {
    connection->run("SET default_transaction_read_only = off");  // sealing makes a table
    seal_session(*connection, *role);
  }
  if (!writer) connection->run("SET default_transaction_read_only = on");
  return connection;
}

std::vector<Text> PostgresStore::fasten(const Belt& belt) {
  Fastening made;
  {
    const Lease owner = writer();
    PGconn* handle = static_cast<PostgresConnection&>(*owner).handle();
    made = fasten_postgres(*owner, belt, [handle](const std::string& role, const std::string& password) {
      const std::unique_ptr<char, decltype(&PQfreemem)> verifier(
          PQencryptPasswordConn(handle, password.c_str(), role.c_str(), "scram-sha-256"), &PQfreemem);
      if (!verifier) throw Error(Failure::statement, "no verifier of a password could be made");
      return std::string(verifier.get());
    });
  }
  if (!made.role) return made.loose;
  readers_.close();  // those so far were the owner's
  role_ = std::move(made.role);
  // A password kept here may be of another server's role of that name, in a store restored from there.
  for (const bool kept : {true, false}) {
    if (!kept) role_->password.clear();
    try {
      const std::vector<Text> weak = weaknesses(*reader(), *role_);
      made.loose.insert(made.loose.end(), weak.begin(), weak.end());
      return made.loose;
    } catch (const Error&) {
      continue;
    }
  }
  made.loose.push_back({"无法以查询专用角色 " + role_->name +
                            " 登录数据库（pg_hba.conf 或 ~/.pgpass）：查询将以表的所有者身份只读进行，少一道防护",
                        "cannot sign in to the database as the reading role " + role_->name +
                            " (pg_hba.conf or ~/.pgpass): queries run read-only as the owner of the tables, one belt "
                            "fewer"});
  role_.reset();
  return made.loose;
}

}  // namespace

std::unique_ptr<Store> open_postgres(const Options& options) {
  return std::make_unique<PostgresStore>(options);
}

}  // namespace jw::db
