#include <sodium.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include "platform/db/api.hpp"

namespace jw::db {
namespace {

namespace fs = std::filesystem;

struct Migration {
  std::string name;  // of the file, without .sql or .pg.sql
  std::string text;
  std::string digest;  // hex SHA-256 of the text
};

struct Applied {
  std::string name;
  std::string digest;
};

[[noreturn]] void wrong(const std::string& what) { throw Error(Failure::statement, "migrations: " + what); }

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

bool take_suffix(std::string& name, std::string_view suffix) {
  if (!name.ends_with(suffix)) return false;
  name.resize(name.size() - suffix.size());
  return true;
}

// By number; of two files with one number the one for this store.
std::map<int64_t, Migration> read_folder(const fs::path& folder, Dialect dialect) {
  std::error_code error;
  fs::directory_iterator entries(folder, error);
  if (error) wrong("cannot read the folder " + folder.string());
  std::map<int64_t, std::string> names;
  std::map<int64_t, fs::path> files;
  for (const fs::directory_entry& entry : entries) {
    std::string name = entry.path().filename().string();
    if (!take_suffix(name, ".sql")) continue;
    const bool for_postgres = take_suffix(name, ".pg");
    int64_t number = 0;
    const auto [end, code] = std::from_chars(name.data(), name.data() + std::min<size_t>(name.size(), 4), number);
    if (code != std::errc() || end != name.data() + 4 || name.size() < 6 || *end != '_' || number == 0) {
      wrong(entry.path().string() + " is not called NNNN_<owner>_<what>.sql");
    }
    const auto [known, first] = names.try_emplace(number, name);
    if (!first && known->second != name) wrong("two with the number of " + name);
    if (for_postgres && dialect != Dialect::postgres) continue;
    if (for_postgres || !files.contains(number)) files[number] = entry.path();
  }
  std::map<int64_t, Migration> migrations;
  for (const auto& [number, name] : names) {
    const auto file = files.find(number);
    if (file == files.end()) wrong(name + " is there for PostgreSQL alone");
    std::string text = read(file->second);
    std::string digest = sha256(text);
    migrations[number] = {name, std::move(text), std::move(digest)};
  }
  return migrations;
}

// One node at a time, however long another takes.
void lock(Connection& writer) {
  if (writer.dialect() == Dialect::sqlite) return;  // BEGIN IMMEDIATE has done it
  writer.script("SET LOCAL lock_timeout = 0; SELECT pg_advisory_xact_lock(7217300)");
}

void make_table(Connection& writer) {
  writer.script(writer.dialect() == Dialect::sqlite
                    ? "CREATE TABLE IF NOT EXISTS schema_migration (number BIGINT PRIMARY KEY, name TEXT NOT NULL,"
                      " digest TEXT NOT NULL, applied_us BIGINT NOT NULL)"
                    : "CREATE TABLE IF NOT EXISTS schema_migration (number BIGINT PRIMARY KEY,"
                      " name TEXT COLLATE \"C\" NOT NULL, digest TEXT COLLATE \"C\" NOT NULL, applied_us BIGINT NOT NULL)");
}

std::map<int64_t, Applied> read_applied(Connection& writer) {
  std::map<int64_t, Applied> applied;
  Rows rows = writer.query("SELECT number, name, digest FROM schema_migration ORDER BY number");
  while (rows.next()) applied[rows.integer(0)] = {std::string(rows.text(1)), std::string(rows.text(2))};
  return applied;
}

// Throws unless what was applied is the beginning of what there is.
void compare(const std::map<int64_t, Migration>& there, const std::map<int64_t, Applied>& applied) {
  for (const auto& [number, was] : applied) {
    const auto found = there.find(number);
    if (found == there.end()) wrong(was.name + " was applied and is not here: the store is newer than the program");
    if (found->second.digest != was.digest) wrong(was.name + " was applied and has changed since");
  }
  if (applied.empty()) return;
  for (const auto& [number, migration] : there) {
    if (number > applied.rbegin()->first) break;
    if (!applied.contains(number)) wrong(migration.name + " comes before one already applied");
  }
}

void apply(Connection& writer, int64_t number, const Migration& migration) {
  try {
    writer.script(migration.text);
  } catch (const Error& error) {
    throw Error(error.failure(), "migration " + migration.name + ": " + error.what(), error.constraint());
  }
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  writer.execute("INSERT INTO schema_migration (number, name, digest, applied_us) VALUES ($1, $2, $3, $4)",
                 {number, migration.name, migration.digest,
                  static_cast<int64_t>(std::chrono::duration_cast<std::chrono::microseconds>(now).count())});
}

}  // namespace

int migrate(Connection& writer, std::string_view folder) {
  const std::map<int64_t, Migration> there = read_folder(folder, writer.dialect());
  int count = 0;
  for (;;) {  // each in a transaction of its own, with a fresh look: another node may be at it
    Transaction transaction(writer, Transaction::Mode::write);
    lock(writer);
    make_table(writer);
    const std::map<int64_t, Applied> applied = read_applied(writer);
    compare(there, applied);
    const auto next = applied.empty() ? there.begin() : there.upper_bound(applied.rbegin()->first);
    if (next != there.end()) {
      apply(writer, next->first, next->second);
      ++count;
    }
    transaction.commit();
    if (next == there.end()) return count;
  }
}

}  // namespace jw::db
