#include "kernel/record/tables.hpp"

#include "kernel/record/api.hpp"

#include <algorithm>

namespace jw::record {
namespace {

// The last columns of access_log are how the catalogue's dataset of that name sees a row (catalog/access_log.toml).
constexpr std::string_view kTables = R"(
CREATE TABLE {P}head (id INTEGER PRIMARY KEY CHECK (id = 1), version BIGINT NOT NULL, origin TEXT NOT NULL,
  public_key BLOB NOT NULL, size BIGINT NOT NULL, seal BLOB);
CREATE TABLE {P}leaf (seq INTEGER PRIMARY KEY, time_us BIGINT NOT NULL, account BIGINT NOT NULL, person BIGINT NOT NULL,
  kind TEXT NOT NULL, dataset TEXT NOT NULL, header BLOB NOT NULL, body BLOB, body_salt BLOB,
  hash BLOB NOT NULL, outbox BIGINT);
CREATE UNIQUE INDEX leaf_outbox ON {P}leaf (outbox) WHERE outbox IS NOT NULL;
CREATE TABLE {P}tile (level BIGINT NOT NULL, number BIGINT NOT NULL, hashes BLOB NOT NULL,
  PRIMARY KEY (level, number));
CREATE TABLE {P}checkpoint (size INTEGER PRIMARY KEY, root BLOB NOT NULL, text TEXT NOT NULL);
CREATE TABLE {P}open_intent (seq INTEGER PRIMARY KEY, node TEXT NOT NULL);
CREATE TABLE {P}access_log (id INTEGER PRIMARY KEY, leaf BIGINT NOT NULL, time_us BIGINT NOT NULL,
  subject_kind BIGINT NOT NULL, subject BIGINT NOT NULL, count BIGINT NOT NULL, person BIGINT NOT NULL,
  account BIGINT NOT NULL, post TEXT NOT NULL, unit TEXT NOT NULL, dataset TEXT NOT NULL, action TEXT NOT NULL,
  purpose TEXT NOT NULL, basis TEXT NOT NULL,
  person_id BIGINT GENERATED ALWAYS AS (CASE subject_kind WHEN 0 THEN subject END) {KEPT},
  "group" BIGINT GENERATED ALWAYS AS (CASE subject_kind WHEN 1 THEN subject END) {KEPT},
  "number" BIGINT GENERATED ALWAYS AS (id & 65535) {KEPT}, "time" BIGINT GENERATED ALWAYS AS (time_us) {KEPT});
CREATE INDEX access_log_subject ON {P}access_log (subject_kind, subject, time_us);
CREATE INDEX access_log_person ON {P}access_log (person_id, "time") WHERE person_id IS NOT NULL;
CREATE INDEX access_log_group ON {P}access_log ("group", "time") WHERE "group" IS NOT NULL;
)";

constexpr std::string_view kSinceTwo = R"(
CREATE TABLE {P}bond (id INTEGER PRIMARY KEY CHECK (id = 1), record TEXT NOT NULL, store TEXT NOT NULL);
CREATE TABLE {P}written (turn INTEGER PRIMARY KEY, leaf BIGINT NOT NULL UNIQUE, bytes BLOB NOT NULL,
  salt BLOB NOT NULL);
)";

constexpr std::string_view kSinceThree = R"(
ALTER TABLE {P}head ADD COLUMN seal BLOB;
ALTER TABLE {P}checkpoint DROP COLUMN time_us;
DROP TABLE IF EXISTS {P}kept;
)";

constexpr std::string_view kOutbox = R"(
CREATE TABLE IF NOT EXISTS record_outbox (id INTEGER PRIMARY KEY, header BLOB NOT NULL, body BLOB NOT NULL,
  salt BLOB NOT NULL, seal BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS record_turn (outbox INTEGER PRIMARY KEY, turn BIGINT NOT NULL, bytes BLOB NOT NULL,
  salt BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS record_bond (id INTEGER PRIMARY KEY CHECK (id = 1), store TEXT NOT NULL,
  record TEXT NOT NULL, turn BIGINT NOT NULL, size BIGINT NOT NULL, root BLOB NOT NULL, note TEXT NOT NULL);
)";

constexpr std::string_view kOldOutbox = R"(
DROP TABLE record_outbox;
DROP TABLE IF EXISTS record_turn;
)";

void replace(std::string& text, std::string_view what, std::string_view with) {
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
}

std::string script_for(db::Dialect dialect, std::string_view script) {
  std::string text(script);
  replace(text, "{P}", own_prefix(dialect));
  replace(text, "{KEPT}", dialect == db::Dialect::sqlite ? "VIRTUAL" : "STORED");  // PostgreSQL 15 knows no other
  return db::in_dialect(dialect, text);
}

}  // namespace

std::string_view own_prefix(db::Dialect dialect) {
  return dialect == db::Dialect::sqlite ? "" : "record.";
}

bool has_tables(db::Connection& own) {
  db::Rows rows = own.query(own.dialect() == db::Dialect::sqlite
                                ? "SELECT CAST(1 AS BIGINT) FROM sqlite_master WHERE type = 'table' AND name = 'head'"
                                : "SELECT CAST(1 AS BIGINT) FROM information_schema.tables "
                                  "WHERE table_schema = 'record' AND table_name = 'head'");
  return rows.next();
}

void make_tables(db::Connection& own) {
  own.script(script_for(own.dialect(), kTables));
  add_tables(own);
}

void add_tables(db::Connection& own) {
  own.script(script_for(own.dialect(), kSinceTwo));
}

void add_seals(db::Connection& own) {
  own.script(script_for(own.dialect(), kSinceThree));
}

bool has_table(db::Connection& connection, std::string_view name) {
  return connection
      .query(connection.dialect() == db::Dialect::sqlite
                 ? "SELECT name FROM sqlite_master WHERE type = 'table' AND name = $1"
                 : "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND tablename = $1",
             {name})
      .next();
}

void make_outbox(db::Connection& main_writer) {
  main_writer.script(script_for(main_writer.dialect(), kOutbox));
}

void make_tables(db::Connection& store, db::Connection& record) {
  make_outbox(store);
  make_tables(record);
}

void drop_old_outbox(db::Connection& main_writer) {
  main_writer.script(script_for(main_writer.dialect(), kOldOutbox));
  if (has_table(main_writer, "record_bond"))
    main_writer.script("ALTER TABLE record_bond ADD COLUMN note TEXT NOT NULL DEFAULT ''");
}

RowWriter::RowWriter(db::Dialect dialect, std::string_view table, std::string_view columns)
    : columns_(static_cast<size_t>(std::count(columns.begin(), columns.end(), ',')) + 1) {
  for (const size_t rows : {64U, 8U, 1U}) {
    if (dialect == db::Dialect::sqlite && rows > 1) continue;
    std::string sql = "INSERT INTO ";
    sql.append(own_prefix(dialect)).append(table).append(" (").append(columns).append(") VALUES ");
    for (size_t i = 0; i < rows * columns_; ++i) {
      sql += i % columns_ == 0 ? (i == 0 ? "($" : "), ($") : ", $";
      sql += std::to_string(i + 1);
    }
    forms_.push_back({rows, sql + ")"});
  }
}

void RowWriter::add(std::initializer_list<db::Param> row) {
  values_.insert(values_.end(), row.begin(), row.end());
}

void RowWriter::write(db::Connection& connection) {
  std::span<const db::Param> rest = values_;
  for (const Form& form : forms_) {
    const size_t count = form.rows * columns_;
    for (; rest.size() >= count; rest = rest.subspan(count)) connection.execute(form.sql, rest.first(count));
  }
  values_.clear();
}

}  // namespace jw::record
