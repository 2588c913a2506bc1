#include "platform/db/watch.hpp"

#include <sodium.h>

#include <algorithm>
#include <array>

#include "platform/db/sql_text.hpp"

namespace jw::db {
namespace {

constexpr const char* kSqliteColumns =
    "SELECT name, CAST(pk AS INTEGER), dflt_value FROM pragma_table_xinfo($1) WHERE hidden = 0 ORDER BY name";
constexpr const char* kPostgresColumns =
    "SELECT CAST(a.attname AS TEXT), COALESCE(array_position(CAST(i.indkey AS smallint[]), a.attnum) + 1, 0), "
    "pg_get_expr(d.adbin, d.adrelid) FROM pg_attribute a "
    "LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum LEFT JOIN pg_index i ON i.indrelid = "
    "a.attrelid AND i.indisprimary "
    "WHERE a.attrelid = to_regclass(quote_ident($1)) AND a.attnum > 0 AND NOT a.attisdropped "
    "AND a.attgenerated = '' ORDER BY CAST(a.attname AS TEXT) COLLATE \"C\"";

std::string as_name(std::string_view name) {
  return "\"" + std::string(name) + "\"";
}

std::string unquoted(std::string_view name) {
  return std::string(name.starts_with('"') ? name.substr(1, name.size() - 2) : name);
}

class Sha256 {
 public:
  Sha256() { crypto_hash_sha256_init(&state_); }
  void add(std::string_view bytes) {
    crypto_hash_sha256_update(&state_, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  }
  void add(uint64_t number) {
    std::array<char, 8> bytes{};
    for (size_t i = 0; i < 8; ++i) bytes[i] = static_cast<char>(number >> (56U - 8U * i));
    add(std::string_view(bytes.data(), bytes.size()));
  }
  std::string take() {
    std::string digest(crypto_hash_sha256_BYTES, '\0');
    crypto_hash_sha256_final(&state_, reinterpret_cast<unsigned char*>(digest.data()));
    return digest;
  }

 private:
  crypto_hash_sha256_state state_{};
};

// Of a statement, word after word.
class Words {
 public:
  explicit Words(std::string_view sql) : rest_(sql) {}
  // The next piece that is no blank and no comment; empty at the end.
  Piece next() {
    while (!rest_.empty()) {
      const Piece piece = take_piece(rest_);
      if (piece.text.starts_with("--") || piece.text.starts_with("/*") || piece.text == " " || piece.text == "\n")
        continue;
      return piece;
    }
    return {};
  }

 private:
  std::string_view rest_;
};

// The condition of a statement, "" when it has none: what follows WHERE outside of brackets.
std::string_view condition_of(std::string_view sql) {
  int depth = 0;
  for (std::string_view rest = sql; !rest.empty();) {
    const Piece piece = take_piece(rest);
    if (piece.text == "(") ++depth;
    if (piece.text == ")") --depth;
    if (depth == 0 && piece.word && piece.text == "WHERE") return rest;
  }
  return {};
}

// With its parameters counted anew from $1; `params`: which ones of the statement's they are.
std::string renumbered(std::string_view sql, std::vector<size_t>& params) {
  std::string out;
  while (!sql.empty()) {
    const Piece piece = take_piece(sql);
    out += piece.text;
    if (piece.text != "$") continue;
    const auto number = static_cast<size_t>(std::stoul(std::string(take_piece(sql).text)));
    auto known = std::find(params.begin(), params.end(), number - 1);
    if (known == params.end()) known = params.insert(known, number - 1);
    out += std::to_string(known - params.begin() + 1);
  }
  return out;
}

// Whether one of the columns is given another value than its own: "SET x = x" is how a row is locked.
bool assigns(Words words, const std::vector<std::string>& columns) {
  for (Piece piece = words.next(); piece.text != "SET"; piece = words.next()) {
    if (piece.text.empty()) return true;
  }
  for (;;) {
    const Piece column = words.next();
    words.next();  // '='
    Piece piece = words.next();
    const bool same = piece.is_name() && piece.name() == column.name();
    piece = same ? words.next() : piece;
    const bool own = same && (piece.text.empty() || piece.text == "," || piece.text == "WHERE");
    if (!own && std::find(columns.begin(), columns.end(), column.name()) != columns.end()) return true;
    for (int depth = 0; !piece.text.empty(); piece = words.next()) {
      if (piece.text == "(") ++depth;
      if (piece.text == ")") --depth;
      if (depth == 0 && (piece.text == "," || piece.text == "WHERE")) break;
    }
    if (piece.text != ",") return false;
  }
}

}  // namespace

std::optional<Telling> telling_of(const Watch& watch, std::string_view sql) {
  Words words(sql);
  const Piece verb = words.next();
  if (verb.text != "INSERT" && verb.text != "UPDATE" && verb.text != "DELETE") return std::nullopt;
  Piece name = words.next();
  if (name.text == "INTO" || name.text == "FROM") name = words.next();
  if (!name.is_name()) return std::nullopt;
  const auto found = watch.tables.find(name.name());
  if (found == watch.tables.end()) {
    if (name.text == "OR") throw Error(Failure::statement, "INSERT OR … cannot be told: " + std::string(sql));
    return std::nullopt;
  }
  if (verb.text == "UPDATE" && !assigns(words, found->second.columns)) return std::nullopt;
  if (sql.find("RETURNING") != std::string_view::npos)
    throw Error(Failure::statement, "RETURNING on a watched table: " + std::string(sql));
  Telling telling;
  telling.table = found->first;
  telling.columns = &found->second;
  telling.removes = verb.text == "DELETE";
  telling.adds = verb.text == "INSERT";
  telling.replaces = telling.adds && sql.find("DO UPDATE") != std::string_view::npos;
  std::string keys, columns;
  for (const std::string& column : found->second.key) keys += (keys.empty() ? "" : ", ") + as_name(column);
  for (const std::string& column : found->second.columns) columns += ", " + as_name(column);
  telling.sql = std::string(sql) + " RETURNING " + keys + (telling.removes ? "" : columns);
  if (telling.adds) return telling;
  const std::string_view where = condition_of(sql);
  telling.before = "SELECT " + keys + columns + " FROM " + as_name(found->first);
  if (!where.empty()) telling.before += " WHERE" + renumbered(where, telling.params);
  return telling;
}

const Telling* WatchedConnection::telling(std::string_view sql) {
  if (!watch_ || sql.empty() || (sql[0] != 'I' && sql[0] != 'U' && sql[0] != 'D')) return nullptr;
  const auto known = tellings_.find(std::string(sql));
  const auto& telling =
      known != tellings_.end() ? known->second : tellings_.emplace(sql, telling_of(*watch_, sql)).first->second;
  return telling ? &*telling : nullptr;
}

WatchedConnection::Before WatchedConnection::before_of(const Telling& telling, std::span<const Param> params) {
  Before before;
  if (telling.before.empty()) return before;
  std::vector<Param> asked;
  for (const size_t place : telling.params) asked.push_back(params[place]);
  const Watch::Table& table = *telling.columns;
  // On PostgreSQL others write at the same time: not these rows.
  const bool locks = dialect() == Dialect::postgres;
  Rows rows = query(locks ? telling.before + " FOR UPDATE" : telling.before, asked);
  while (rows.next()) {
    before[key_text(values_of(rows, 0, table.key.size()))] =
        row_digest(table.columns, values_of(rows, table.key.size(), table.columns.size()));
  }
  return before;
}

int64_t WatchedConnection::take(const Telling& telling, const Before& before, Rows rows) {
  int64_t count = 0;
  const Watch::Table& table = *telling.columns;
  for (; rows.next(); ++count) {
    WrittenRow row{telling.table, key_text(values_of(rows, 0, table.key.size())), {}};
    if (!telling.removes)
      row.digest = row_digest(table.columns, values_of(rows, table.key.size(), table.columns.size()));
    if (telling.adds) {
      if (!telling.replaces) row.before.emplace();
    } else {
      // The key itself is never given another value; a row that came between the two statements is asked for again.
      const auto was = before.find(row.key);
      if (was == before.end())
        throw Error(Failure::busy, "rows were written by somebody else meanwhile: " + telling.table);
      row.before = was->second;
    }
    rows_.push_back(std::move(row));
  }
  return count;
}

void WatchedConnection::tell_before_commit() {
  if (rows_.empty() || !watch_) return;
  watch_->before_commit(*this, std::exchange(rows_, {}));
}

namespace {

// A value of its own.
struct Given {
  Kind kind = Kind::null;
  int64_t integer = 0;
  std::string bytes;

  Param param() const {
    Param param(std::string_view{bytes});
    param.kind = kind;
    param.integer = integer;
    return param;
  }
};

class TellingBulk final : public Bulk {
 public:
  TellingBulk(WatchedConnection& connection, std::string table, const Watch::Table& watched,
              std::span<const std::string> columns)
      : connection_(connection), table_(std::move(table)), watched_(watched) {
    std::vector<std::string> loaded;
    for (const std::string& column : columns) loaded.push_back(unquoted(column));
    const auto place_of = [&](const std::string& column) {
      return static_cast<size_t>(std::find(loaded.begin(), loaded.end(), column) - loaded.begin());
    };
    for (const std::string& key : watched.key) {
      keys_.push_back(place_of(key));
      if (keys_.back() == loaded.size()) throw Error(Failure::statement, "a key that is not loaded: " + table_);
    }
    for (const std::string& column : watched.columns) {
      places_.push_back(place_of(column));
      given_.emplace_back();
      const auto value = watched.defaults.find(column);
      if (places_.back() != loaded.size() || value == watched.defaults.end()) continue;
      Rows rows = connection.query("SELECT " + value->second, {});
      if (rows.next()) {
        const bool number = rows.kind(0) == Kind::integer;
        given_.back() = {rows.kind(0), number ? rows.integer(0) : 0, number ? "" : std::string(rows.blob(0))};
      }
    }
  }
  void begin(std::unique_ptr<Bulk> inner) { inner_ = std::move(inner); }
  void row(std::span<const Param> values) override {
    inner_->row(values);
    std::vector<Param> key, all;
    for (const size_t at : keys_) key.push_back(values[at]);
    for (size_t i = 0; i < places_.size(); ++i)
      all.push_back(places_[i] < values.size() ? values[places_[i]] : given_[i].param());
    connection_.wrote({table_, key_text(key), row_digest(watched_.columns, all), std::string()});
  }
  void finish() override { inner_->finish(); }

 private:
  WatchedConnection& connection_;
  std::unique_ptr<Bulk> inner_;
  const std::string table_;
  const Watch::Table& watched_;
  std::vector<size_t> keys_, places_;
  std::vector<Given> given_;
};

}  // namespace

std::unique_ptr<Bulk> WatchedConnection::telling_bulk(std::string_view table, std::span<const std::string> columns,
                                                      const std::function<std::unique_ptr<Bulk>()>& begin) {
  if (!watch_) return begin();
  const auto found = watch_->tables.find(unquoted(table));
  if (found == watch_->tables.end()) return begin();
  auto telling = std::make_unique<TellingBulk>(*this, found->first, found->second, columns);
  telling->begin(begin());
  return telling;
}

Watch::Table table_to_watch(Connection& connection, std::string_view table,
                            const std::set<std::string, std::less<>>& aside) {
  Watch::Table made;
  std::map<int64_t, std::string> key;
  Rows rows =
      connection.query(connection.dialect() == Dialect::sqlite ? kSqliteColumns : kPostgresColumns, {Param(table)});
  while (rows.next()) {
    const std::string name(rows.text(0));
    if (rows.integer(1) > 0) key[rows.integer(1)] = name;
    if (!aside.contains(name)) made.columns.push_back(name);
    if (!rows.is_null(2)) made.defaults[name] = rows.text(2);
  }
  for (auto& [place, name] : key) made.key.push_back(std::move(name));
  if (made.columns.empty()) throw Error(Failure::statement, "there is no such table: " + std::string(table));
  return made;
}

std::string row_digest(std::span<const std::string> columns, std::span<const Param> values) {
  Sha256 hash;
  for (size_t i = 0; i < columns.size(); ++i) {
    const Param& value = values[i];
    if (value.kind == Kind::null) continue;
    hash.add(columns[i].size());
    hash.add(columns[i]);
    hash.add(static_cast<uint64_t>(value.kind));
    if (value.kind == Kind::integer) {
      hash.add(static_cast<uint64_t>(value.integer));
    } else {
      hash.add(value.bytes.size());
      hash.add(value.bytes);
    }
  }
  return hash.take();
}

std::vector<Param> values_of(const Rows& row, size_t first, size_t count) {
  std::vector<Param> values;
  values.reserve(count);
  for (size_t i = first; i < first + count; ++i) {
    switch (row.kind(i)) {
      case Kind::null:
        values.emplace_back();
        break;
      case Kind::integer:
        values.emplace_back(row.integer(i));
        break;
      case Kind::text:
        values.emplace_back(row.text(i));
        break;
      case Kind::blob:
        values.push_back(Param::blob(row.blob(i)));
        break;
    }
  }
  return values;
}

std::string key_text(std::span<const Param> values) {
  std::string text;
  for (const Param& value : values) {
    if (&value != values.data()) text += '/';
    if (value.kind == Kind::integer) {
      text += std::to_string(value.integer);
    } else if (value.kind == Kind::text) {
      for (const char c : value.bytes) {
        if (values.size() > 1 && (c == '/' || c == '%')) {
          text += c == '/' ? "%2F" : "%25";
        } else {
          text += c;
        }
      }
    } else {
      std::string hex(2 * value.bytes.size() + 1, '\0');
      sodium_bin2hex(hex.data(), hex.size(), reinterpret_cast<const unsigned char*>(value.bytes.data()),
                     value.bytes.size());
      hex.pop_back();
      text += "x'" + hex + "'";  // a blob is no number and no text that looks like it
    }
  }
  return text;
}

}  // namespace jw::db
