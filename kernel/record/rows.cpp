#include "kernel/record/rows.hpp"

#include <algorithm>
#include <iterator>

#include "kernel/record/bytes.hpp"
#include "platform/crypto/api.hpp"

namespace jw::record {
namespace {

constexpr char kVersion = 2, kVersionWithoutBefore = 1;
constexpr size_t kDigest = 32;

std::string quoted(const std::string& name) {
  return "\"" + name + "\"";
}

std::string listed(const std::vector<std::string>& columns) {
  std::string list;
  for (const std::string& column : columns) list += (list.empty() ? "" : ", ") + quoted(column);
  return list;
}

// All rows of a statement. PostgreSQL would put a whole answer into memory.
template <class Each>
void each_row(db::Connection& connection, const std::string& sql, Each each) {
  if (connection.dialect() == db::Dialect::sqlite) {
    db::Rows rows = connection.query(sql);
    while (rows.next()) each(rows);
    return;
  }
  connection.script("DECLARE kept_rows NO SCROLL CURSOR FOR " + sql);
  for (bool more = true; more;) {
    more = false;
    db::Rows rows = connection.query("FETCH 1000 FROM kept_rows");
    for (; rows.next(); more = true) each(rows);
  }
  connection.script("CLOSE kept_rows");
}

bool get_flag(std::string_view& in, bool& flag) {
  if (in.empty() || static_cast<unsigned char>(in[0]) > 1) return false;
  flag = in[0] == 1;
  in.remove_prefix(1);
  return true;
}

bool get_columns(std::string_view& in, std::vector<std::string>& columns) {
  uint64_t count = 0;
  if (!get_number(in, count)) return false;
  for (uint64_t i = 0; i < count; ++i) {
    std::string_view column;
    if (!get_text(in, column)) return false;
    columns.emplace_back(column);
  }
  return true;
}

bool get_digest(std::string_view& in, bool there, std::string& digest) {
  digest.clear();
  if (!there) return true;
  if (in.size() < kDigest) return false;
  digest = in.substr(0, kDigest);
  in.remove_prefix(kDigest);
  return true;
}

enum class Before : char { not_told, nothing, digest };

bool get_rows(std::string_view& in, char version, TableRows& table) {
  uint64_t count = 0;
  if (!get_number(in, count)) return false;
  for (uint64_t i = 0; i < count; ++i) {
    std::string_view key;
    bool there = false;
    std::string digest;
    if (!get_text(in, key) || !get_flag(in, there) || !get_digest(in, there, digest)) return false;
    table.rows.emplace(key, digest);
    if (version == kVersionWithoutBefore) continue;
    if (in.empty() || in[0] < 0 || in[0] > static_cast<char>(Before::digest)) return false;
    const auto before = static_cast<Before>(in[0]);
    in.remove_prefix(1);
    if (!get_digest(in, before == Before::digest, digest)) return false;
    if (before != Before::not_told) table.before.emplace(key, digest);
  }
  return true;
}

std::map<std::string, std::string> by_batch(db::Connection& connection, const std::string& table,
                                            const std::vector<std::string>& columns) {
  std::map<int64_t, BatchSum> sums;
  const std::string list = listed(columns);
  const auto version = [&](const db::Rows& row) {
    sums[row.integer(0)].version(columns, db::values_of(row, 1, columns.size()));
  };
  each_row(connection, "SELECT \"batch_id\", " + list + " FROM " + quoted(table), version);
  each_row(connection,
           "SELECT \"batch_id\", " + list + ", \"ended_batch_id\", \"until_us\" FROM " + quoted(table + "_history"),
           [&](const db::Rows& row) {
             version(row);
             const size_t end = columns.size() + 1;
             sums[row.integer(end)].ended(columns, db::values_of(row, 1, columns.size()), row.integer(end + 1));
           });
  std::map<std::string, std::string> rows;
  for (const auto& [batch, sum] : sums) rows.emplace(std::to_string(batch), sum.digest());
  return rows;
}

}  // namespace

std::string columns_text(const std::vector<std::string>& columns) {
  std::string text;
  for (const std::string& column : columns) text += (text.empty() ? "" : ",") + column;
  return text;
}

std::string encode(const Rows& rows) {
  std::string out(1, kVersion);
  put_number(out, rows.turn);
  out += static_cast<char>(rows.adopted);
  put_number(out, rows.tables.size());
  for (const TableRows& table : rows.tables) {
    put_text(out, table.table);
    out += static_cast<char>(table.whole);
    if (table.whole) {
      out += static_cast<char>(table.by_batch);
      put_number(out, table.columns.size());
      for (const std::string& column : table.columns) put_text(out, column);
    }
    put_number(out, table.rows.size());
    for (const auto& [key, digest] : table.rows) {
      put_text(out, key);
      out += static_cast<char>(!digest.empty());
      out += digest;
      const auto before = table.before.find(key);
      const bool told = before != table.before.end();
      out += static_cast<char>(!told ? Before::not_told : before->second.empty() ? Before::nothing : Before::digest);
      if (told) out += before->second;
    }
  }
  return out;
}

std::optional<Rows> decode_rows(std::string_view bytes) {
  Rows rows;
  uint64_t count = 0;
  if (bytes.empty() || (bytes[0] != kVersion && bytes[0] != kVersionWithoutBefore)) return std::nullopt;
  const char version = bytes[0];
  bytes.remove_prefix(1);
  if (!get_number(bytes, rows.turn) || !get_flag(bytes, rows.adopted) || !get_number(bytes, count)) return std::nullopt;
  for (uint64_t i = 0; i < count; ++i) {
    TableRows table;
    std::string_view name;
    if (!get_text(bytes, name) || !get_flag(bytes, table.whole)) return std::nullopt;
    table.table = name;
    if (table.whole && (!get_flag(bytes, table.by_batch) || !get_columns(bytes, table.columns))) return std::nullopt;
    if (!get_rows(bytes, version, table)) return std::nullopt;
    rows.tables.push_back(std::move(table));
  }
  if (!bytes.empty()) return std::nullopt;
  return rows;
}

void BatchSum::version(std::span<const std::string> columns, std::span<const db::Param> values) {
  parts_.push_back(db::row_digest(columns, values));
}

void BatchSum::ended(std::span<const std::string> columns, std::span<const db::Param> values, int64_t until_us) {
  static const std::vector<std::string> kEnd{"ended", "until_us"};
  const std::string version = db::row_digest(columns, values);
  const db::Param end[] = {db::Param::blob(version), until_us};
  parts_.push_back(db::row_digest(kEnd, end));
}

std::string BatchSum::digest() const {
  std::vector<std::string> sorted = parts_;
  std::sort(sorted.begin(), sorted.end());
  std::string all;
  all.reserve(sorted.size() * kDigest);
  for (const std::string& part : sorted) all += part;
  const auto digest = crypto::sha256(all);
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

std::vector<std::string> columns_of_dataset(db::Connection& connection, const std::string& table) {
  const std::vector<std::string> now = db::table_to_watch(connection, table, {}).columns,
                                 before = db::table_to_watch(connection, table + "_history", {}).columns;
  std::vector<std::string> both;
  std::set_intersection(now.begin(), now.end(), before.begin(), before.end(), std::back_inserter(both));
  return both;
}

TableRows read_whole(db::Connection& connection, const std::string& table, bool batches,
                     std::vector<std::string> columns, std::vector<std::string> key) {
  TableRows read{table, true, batches, std::move(columns)};
  if (read.columns.empty()) return read;
  if (batches) {
    read.rows = by_batch(connection, table, read.columns);
    return read;
  }
  each_row(connection, "SELECT " + listed(key) + ", " + listed(read.columns) + " FROM " + quoted(table),
           [&](const db::Rows& row) {
             std::string name = db::key_text(db::values_of(row, 0, key.size()));
             std::string digest = db::row_digest(read.columns, db::values_of(row, key.size(), read.columns.size()));
             // SQLite takes several rows without a key.
             if (!read.rows.emplace(name, std::move(digest)).second) read.doubled.insert(std::move(name));
           });
  return read;
}

void RowsOnRecord::take(const Rows& next, const std::string& leaf) {
  const std::string from = std::to_string(turn_ + 1), to = std::to_string(next.turn - 1);
  if (next.turn <= turn_) {
    problems_.push_back({"第 " + leaf + " 条重复了一次写入（轮次 " + std::to_string(next.turn) + "）",
                         "leaf " + leaf + " tells a writing once more (turn " + std::to_string(next.turn) + ")"});
  } else if (next.turn != turn_ + 1 && !next.adopted) {
    problems_.push_back({"记录中缺少数据库第 " + from + " 至 " + to + " 轮写入的条目",
                         "the record has no leaves of the store's writings " + from + " to " + to});
  }
  turn_ = std::max(turn_, next.turn);
  for (const TableRows& each : next.tables) {
    if (each.whole) tables_[each.table] = {each.by_batch, each.columns, {}};
    if (each.whole && next.adopted) altered_.erase(each.table);
    Table& table = tables_[each.table];
    check_before(each, table, leaf);
    for (const auto& [key, digest] : each.rows) {
      if (digest.empty()) {
        table.rows.erase(key);
      } else {
        table.rows[key] = {digest, leaf};
      }
    }
  }
}

void RowsOnRecord::check_before(const TableRows& told, const Table& table, const std::string& leaf) {
  for (const auto& [key, before] : told.before) {
    const auto said = table.rows.find(key);
    if ((said == table.rows.end() ? std::string() : said->second.digest) == before) continue;
    altered_[told.table].push_back(
        {"表 " + told.table + " 中的行 " + key + " 在第 " + leaf + " 条记录写入之前已被改动",
         "row " + key + " of table " + told.table + " had been changed before leaf " + leaf + " wrote it"});
  }
}

std::vector<Text> RowsOnRecord::problems() const {
  std::vector<Text> all = problems_;
  for (const auto& [table, altered] : altered_) all.insert(all.end(), altered.begin(), altered.end());
  return all;
}

std::vector<std::string> RowsOnRecord::tables() const {
  std::vector<std::string> names;
  for (const auto& [name, table] : tables_) {
    if (!table.columns.empty()) names.push_back(name);
  }
  return names;
}

std::vector<Text> RowsOnRecord::compare(db::Connection& store, const std::string& name,
                                        const std::vector<std::string>* columns) const {
  const Table& said = tables_.at(name);
  std::vector<Text> wrong;
  TableRows there;
  try {
    const db::Watch::Table now = db::table_to_watch(store, name, {});
    const std::vector<std::string>& wanted = columns == nullptr ? said.columns : *columns;
    if (!std::includes(now.columns.begin(), now.columns.end(), wanted.begin(), wanted.end()))
      return {{"表 " + name + " 缺少列", "table " + name + " lacks a column"}};
    there = read_whole(store, name, said.by_batch, wanted, said.by_batch ? std::vector<std::string>{} : now.key);
  } catch (const db::Error& error) {
    if (error.failure() != db::Failure::statement) throw;
    return {
        {"表 " + name + " 不在，或其中有不该有的值", "table " + name + " is missing, or holds what it cannot hold"}};
  }
  const std::string what_zh = said.by_batch ? " 中批次 " : " 中的行 ", what_en = said.by_batch ? "batch " : "row ";
  for (const std::string& key : there.doubled) {
    wrong.push_back({"表 " + name + " 中有不止一行 " + key, "table " + name + " has more than one row " + key});
  }
  for (const auto& [key, digest] : there.rows) {
    const auto found = said.rows.find(key);
    if (found == said.rows.end()) {
      wrong.push_back({"表 " + name + what_zh + key + " 没有任何记录写入过",
                       what_en + key + " of table " + name + " was written by no leaf"});
    } else if (found->second.digest != digest) {
      wrong.push_back({"表 " + name + what_zh + key + " 与第 " + found->second.leaf + " 条记录不符：被改动",
                       what_en + key + " of table " + name + " is not as leaf " + found->second.leaf +
                           " wrote it: it was changed"});
    }
  }
  for (const auto& [key, row] : said.rows) {
    if (there.rows.contains(key)) continue;
    wrong.push_back({"表 " + name + " 缺少第 " + row.leaf + " 条记录写入的" + (said.by_batch ? "批次 " : "行 ") + key,
                     "table " + name + " lacks " + what_en + key + ", which leaf " + row.leaf + " wrote"});
  }
  return wrong;
}

}  // namespace jw::record
