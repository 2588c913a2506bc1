#include <sodium.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <utility>

#include "platform/db/api.hpp"
#include "platform/db/sql_text.hpp"

namespace jw::db {
namespace {

namespace fs = std::filesystem;

struct Migration {
  std::string name;  // of the file, without .sql
  std::string text;
  std::string digest;  // hex SHA-256 of the text
};

struct Applied {
  std::string name;
  std::string digest;
};

template <class What>
using ByNumber = std::map<int64_t, What>;
using Done = std::map<std::string, ByNumber<Applied>, std::less<>>;  // by owner

[[noreturn]] void wrong(const std::string& what) {
  throw Error(Failure::statement, "migrations: " + what);
}

std::string read(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (!in.good() && !in.eof()) wrong("cannot read " + file.string());
  return text;
}

std::string sha256(std::string_view text) {
  std::array<unsigned char, crypto_hash_sha256_BYTES> digest{};
  crypto_hash_sha256(digest.data(), reinterpret_cast<const unsigned char*>(text.data()), text.size());
  std::array<char, 2 * crypto_hash_sha256_BYTES + 1> hex{};
  sodium_bin2hex(hex.data(), hex.size(), digest.data(), digest.size());
  return hex.data();
}

ByNumber<Migration> read_folder(const fs::path& folder) {
  std::error_code error;
  fs::directory_iterator entries(folder, error);
  if (error) wrong("cannot read the folder " + folder.string());
  ByNumber<Migration> migrations;
  for (const fs::directory_entry& entry : entries) {
    if (entry.path().extension() != ".sql") continue;
    const std::string name = entry.path().stem().string();
    int64_t number = 0;
    const auto [end, code] = std::from_chars(name.data(), name.data() + std::min<size_t>(name.size(), 4), number);
    if (code != std::errc() || end != name.data() + 4 || name.size() < 6 || *end != '_' || number == 0) {
      wrong(entry.path().string() + " is not called NNNN_<what>.sql");
    }
    std::string text = read(entry.path());
    std::string digest = sha256(text);
    if (!migrations.try_emplace(number, Migration{name, std::move(text), std::move(digest)}).second) {
      wrong("two with the number of " + name);
    }
  }
  return migrations;
}

// ------------------------------------------------------------------------------------------------------------- dialect

constexpr std::string_view kPostgresOnly = "--postgres ";
constexpr std::string_view kAside = "--aside ";

std::string_view in_postgres(std::string_view word, std::string_view before) {
  if (word == "TEXT") return before == "AS" ? word : "TEXT COLLATE \"C\"";  // CAST(… AS TEXT) takes no collation
  if (word == "INTEGER") return "BIGINT";
  if (word == "BLOB") return "BYTEA";
  return word;
}

// One node at a time, however long another takes.
void lock(Connection& writer) {
  if (writer.dialect() == Dialect::sqlite) return;  // BEGIN IMMEDIATE has done it
  writer.script("SET LOCAL lock_timeout = 0; SELECT pg_advisory_xact_lock(7217300)");
}

void make_table(Connection& writer) {
  writer.script(in_dialect(writer.dialect(),
                           "CREATE TABLE IF NOT EXISTS schema_migration (owner TEXT NOT NULL, number BIGINT NOT NULL,"
                           " name TEXT NOT NULL, digest TEXT NOT NULL, applied_us BIGINT NOT NULL,"
                           " PRIMARY KEY (owner, number))"));
}

bool has_table(Connection& connection) {
  return connection
      .query(connection.dialect() == Dialect::sqlite
                 ? "SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'schema_migration'"
                 : "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND "
                   "tablename = 'schema_migration'")
      .next();
}

Done read_done(Connection& connection) {
  Done done;
  Rows rows = connection.query("SELECT owner, number, name, digest FROM schema_migration ORDER BY owner, number");
  while (rows.next()) {
    done[std::string(rows.text(0))][rows.integer(1)] = {std::string(rows.text(2)), std::string(rows.text(3))};
  }
  return done;
}

struct Step {
  std::string owner;
  int64_t number = 0;
  Migration migration;
};

std::vector<Step> steps_of(std::span<const Migrations> sources) {
  std::vector<Step> steps;
  for (const Migrations& source : sources) {
    for (auto& [number, migration] : read_folder(source.folder))
      steps.push_back({source.owner, number, std::move(migration)});
  }
  return steps;
}

// What is to be done, in order. Throws unless what was done is, owner by owner, the beginning of what there is.
std::vector<const Step*> steps_ahead(const std::vector<Step>& steps, const Done& done) {
  std::vector<const Step*> ahead;
  std::set<std::pair<std::string, int64_t>> known;
  const ByNumber<Applied> none;
  for (const Step& step : steps) {
    const auto found = done.find(step.owner);
    const ByNumber<Applied>& applied = found == done.end() ? none : found->second;
    const std::string name = step.owner + "/" + step.migration.name;
    if (const auto was = applied.find(step.number); was != applied.end()) {
      if (was->second.digest != step.migration.digest) wrong(name + " was applied and has changed since");
      known.emplace(step.owner, step.number);
    } else if (!applied.empty() && step.number < applied.rbegin()->first) {
      wrong(name + " comes before one already applied");
    } else {
      ahead.push_back(&step);
    }
  }
  for (const auto& [owner, applied] : done) {
    for (const auto& [number, was] : applied) {
      if (known.contains({owner, number})) continue;
      wrong(owner + "/" + was.name + " was applied and is not here: the store is newer than the program");
    }
  }
  return ahead;
}

void apply(Connection& writer, const Step& step) {
  const Migration& migration = step.migration;
  try {
    writer.script(in_dialect(writer.dialect(), migration.text));
  } catch (const Error& error) {
    throw Error(error.failure(), "migration " + step.owner + "/" + migration.name + ": " + error.what(),
                error.constraint());
  }
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  writer.execute("INSERT INTO schema_migration (owner, number, name, digest, applied_us) VALUES ($1, $2, $3, $4, $5)",
                 {step.owner, step.number, migration.name, migration.digest,
                  static_cast<int64_t>(std::chrono::duration_cast<std::chrono::microseconds>(now).count())});
}

}  // namespace

std::string in_dialect(Dialect dialect, std::string_view sql) {
  if (dialect == Dialect::sqlite) return std::string(sql);
  std::string out;
  std::string_view before;
  while (!sql.empty()) {
    const Piece piece = take_piece(sql);
    if (piece.text.starts_with(kPostgresOnly)) {
      out += piece.text.substr(kPostgresOnly.size());
    } else {
      out += piece.word ? in_postgres(piece.text, before) : piece.text;
    }
    if (piece.word) before = piece.text;
  }
  return out;
}

std::vector<Migrations> migrations_of(const fs::path& home) {
  std::vector<Migrations> sources;
  std::error_code none;  // a home without modules has the kernel's alone
  for (const fs::directory_entry& module : fs::directory_iterator(home / "modules", none)) {
    const fs::path folder = module.path() / "migrations";
    if (fs::is_directory(folder)) sources.push_back({module.path().filename().string(), folder});
  }
  std::sort(sources.begin(), sources.end(), [](const Migrations& a, const Migrations& b) { return a.owner < b.owner; });
  sources.insert(sources.begin(), {"kernel", home / "db" / "migrations"});
  return sources;
}

std::set<std::string, std::less<>> tables_of(std::span<const Migrations> sources) {
  std::set<std::string, std::less<>> tables;
  for (const Step& step : steps_of(sources)) {
    std::string_view sql = step.migration.text, last, before;  // the two words before this piece
    while (!sql.empty()) {
      const Piece piece = take_piece(sql);
      if (!piece.is_name()) continue;
      if (piece.text == "IF" || piece.text == "NOT" || piece.text == "EXISTS") continue;
      if (before == "CREATE" && last == "TABLE") {
        tables.emplace(piece.name());
      }
      before = std::exchange(last, piece.text);
    }
  }
  return tables;
}

std::map<std::string, Aside, std::less<>> asides_of(std::span<const Migrations> sources) {
  std::map<std::string, Aside, std::less<>> asides;
  for (const Step& step : steps_of(sources)) {
    std::string_view sql = step.migration.text;
    while (!sql.empty()) {
      std::string_view line = take_piece(sql).text;
      if (!line.starts_with(kAside)) continue;
      line.remove_prefix(kAside.size());
      const size_t colon = line.find(": ");
      if (colon == std::string_view::npos || line.size() < colon + 4)
        wrong(step.migration.name + ": --aside says no reason");
      const std::string_view what = line.substr(0, colon);
      const size_t dot = what.find('.');
      Aside& aside = asides[std::string(what.substr(0, dot))];
      if (dot == std::string_view::npos) {
        aside.whole = true;
      } else {
        aside.columns.emplace(what.substr(dot + 1));
      }
    }
  }
  return asides;
}

std::vector<std::string> migrations_ahead(Connection& connection, std::span<const Migrations> sources) {
  std::vector<std::string> names;
  const std::vector<Step> steps = steps_of(sources);
  for (const Step* step : steps_ahead(steps, has_table(connection) ? read_done(connection) : Done{})) {
    names.push_back(step->owner + "/" + step->migration.name);
  }
  return names;
}

int migrate(Connection& writer, std::span<const Migrations> sources) {
  const std::vector<Step> steps = steps_of(sources);
  int count = 0;
  for (;;) {  // each in a transaction of its own, with a fresh look: another node may be at it
    Transaction transaction(writer, Transaction::Mode::write);
    lock(writer);
    make_table(writer);
    const std::vector<const Step*> ahead = steps_ahead(steps, read_done(writer));
    if (!ahead.empty()) apply(writer, *ahead.front());
    transaction.commit();
    if (ahead.empty()) return count;
    ++count;
  }
}

}  // namespace jw::db
