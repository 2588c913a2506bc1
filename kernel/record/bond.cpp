#include "kernel/record/bond.hpp"

#include <filesystem>

#include "kernel/record/outbox.hpp"

namespace jw::record {
namespace {

uint64_t size_in(const db::Rows& rows, size_t column) {
  return static_cast<uint64_t>(rows.integer(column));
}

std::string text(uint64_t value) {
  return std::to_string(value);
}

}  // namespace

const Text& apart_advice() {
  static const Text kAdvice{
      "请放回同一时刻的数据库与记录（及密钥文件）；确要以现状继续，执行 jiaowu record adopt --db … --reason …，"
      "此举将记录在案",
      "put back store and record (and key file) of one moment; to go on with what is there, run jiaowu record adopt "
      "--db … --reason …, which is recorded"};
  return kAdvice;
}

std::optional<StoreBond> store_bond(db::Connection& store) {
  if (!has_table(store, "record_bond")) return std::nullopt;
  db::Rows rows = store.query(std::string("SELECT store, record, turn, size, root, ") +
                              (outbox_has_seals(store) ? "note" : "''") + " FROM record_bond WHERE id = 1");
  if (!rows.next()) return std::nullopt;
  StoreBond bond{std::string(rows.text(0)), std::string(rows.text(1)), size_in(rows, 2), size_in(rows, 3), Hash{},
                 std::string(rows.text(5))};
  if (const std::optional<Hash> root = hash_of(rows.blob(4))) bond.root = *root;
  return bond;
}

void put_bond(db::Connection& writer, const StoreBond& bond) {
  writer.execute(
      "INSERT INTO record_bond (id, store, record, turn, size, root, note) VALUES (1, $1, $2, $3, $4, $5, $6) "
      "ON CONFLICT (id) DO UPDATE SET record = excluded.record, turn = excluded.turn, size = excluded.size, "
      "root = excluded.root, note = excluded.note",
      {bond.store, bond.record, static_cast<int64_t>(bond.turn), static_cast<int64_t>(bond.size),
       db::Param::blob(bytes_of(bond.root)), bond.note});
}

void tell_checkpoint(db::Connection& writer, const Checkpoint& newest) {
  writer.execute(
      "UPDATE record_bond SET size = $1, root = $2, note = $3 WHERE id = 1 AND (size < $1 OR (size = $1 AND note = "
      "''))",
      {static_cast<int64_t>(newest.size), db::Param::blob(bytes_of(newest.root)), newest.text});
}

uint64_t take_turn(db::Connection& transaction) {
  transaction.execute("UPDATE record_bond SET turn = turn + 1 WHERE id = 1");
  db::Rows rows = transaction.query("SELECT turn FROM record_bond WHERE id = 1");
  return rows.next() ? size_in(rows, 0) : 0;
}

bool check_record_there(db::Store& store, db::Store& record, const Options& options) {
  if (options.adopt) return true;
  {
    const db::Store::Lease lease = record.reader();
    if (has_tables(*lease)) return true;
  }
  const db::Store::Lease lease = store.private_reader();
  const std::optional<StoreBond> bond = store_bond(*lease);
  std::error_code none;
  if (!bond && std::filesystem::exists(options.key_file, none)) {
    throw Apart({"操作记录不在，而它的签名密钥文件 " + options.key_file + " 在",
                 "the record is not there, and the file of its signing key is: " + options.key_file});
  }
  if (!bond) return true;
  throw Apart({"操作记录不在：数据库知道有 " + text(bond->size) + " 条记录",
               "the record is not there: the store knows of " + text(bond->size) + " leaves"});
}

std::optional<Text> difference(const Both& both, const std::function<Hash(uint64_t)>& root_at) {
  const auto& [store, record, last_turn, turns_whole, size, checkpoint, new_record, doubt, key] = both;
  if (doubt) return doubt;
  if (!store && !record && new_record) return std::nullopt;
  if (!store && !record) {
    return Text{"操作记录有 " + text(size) + " 条，却不知属于哪个数据库，数据库也不知有它",
                "the record has " + text(size) + " leaves and knows of no store, nor does the store know of it"};
  }
  if (!store) return Text{"操作记录属于另一个数据库", "the record belongs to another store"};
  if (!record || record->record != store->record || record->store != store->store)
    return Text{"操作记录不是这个数据库的", "the record is not that of this store"};
  if (!store->note.empty()) {
    const std::optional<Note> note = Note::parse(store->note);
    if (!note || !note->signed_by(*key) || note->size != store->size || note->root != store->root) {
      return Text{"数据库所知的记录大小不是其检查点所签的：被改动",
                  "what the store knows of the record is not what its signed checkpoint says: it was changed"};
    }
  }
  if (size < store->size) {
    return Text{"操作记录比数据库旧：只有 " + text(size) + " 条，数据库知道有 " + text(store->size) + " 条",
                "the record is older than the store: it has " + text(size) + " leaves, the store knows of " +
                    text(store->size)};
  }
  if (store->size > 0 && root_at(store->size) != store->root) {
    return Text{"操作记录的前 " + text(store->size) + " 条不是数据库所知的：被改写",
                "the first " + text(store->size) + " leaves are not those the store knows: the record was rewritten"};
  }
  if (checkpoint < store->size) {
    return Text{"数据库知道有 " + text(store->size) + " 条的检查点，记录中没有：检查点被删",
                "the store knows of a checkpoint of " + text(store->size) +
                    " leaves, and the record has none: checkpoints were removed"};
  }
  if (last_turn > store->turn) {
    return Text{"数据库比操作记录旧：写到第 " + text(store->turn) + " 轮，记录中已有第 " + text(last_turn) + " 轮",
                "the store is older than the record: it has written " + text(store->turn) +
                    " times, the record tells of " + text(last_turn)};
  }
  if (!turns_whole) {
    return Text{"数据库第 " + text(last_turn) + " 轮之后的写入没有记录：记录较旧，或待记入的条目被删",
                "the store's writings after " + text(last_turn) +
                    " are not on record: the record is older, or entries on their way into it were removed"};
  }
  return std::nullopt;
}

std::optional<Rows> written_in(const db::Rows& row) {
  std::optional<Rows> told = decode_rows(row.blob(2));
  const std::optional<LeafView> leaf = LeafView::read(row.blob(4), {});
  if (!told || told->turn != size_in(row, 0) || !leaf || leaf->seq != size_in(row, 1) ||
      leaf->rows_digest != bytes_of(salted_digest(row.blob(3), row.blob(2))))
    return std::nullopt;
  return told;
}

namespace {

// In order of turns; nullopt: broken.
void each_written(db::Connection& own, const std::function<void(std::optional<Rows>, const std::string& leaf)>& each) {
  const std::string prefix(own_prefix(own.dialect()));
  db::Rows rows = own.query("SELECT w.turn, w.leaf, w.bytes, w.salt, l.header FROM " + prefix + "written w LEFT JOIN " +
                            prefix + "leaf l ON l.seq = w.leaf ORDER BY w.turn");
  while (rows.next()) each(written_in(rows), text(size_in(rows, 1)));
}

}  // namespace

RowsOnRecord rows_on_record(db::Connection& own) {
  RowsOnRecord said;
  each_written(own, [&](const std::optional<Rows>& told, const std::string& leaf) {
    if (!told) throw db::Error(db::Failure::corrupt, "what a leaf wrote cannot be read");
    said.take(*told, leaf);
  });
  return said;
}

Stated stated_on_record(db::Connection& own) {
  Stated stated;
  RowsOnRecord turns;  // without the rows, which are many
  each_written(own, [&](std::optional<Rows> told, const std::string& leaf) {
    if (!told) {
      stated.problems.push_back(
          {"第 " + leaf + " 条所写的行与其摘要不符：被改动", "what leaf " + leaf + " wrote was changed"});
      return;
    }
    for (TableRows& table : told->tables) {
      if (table.whole) stated.columns[table.table] = columns_text(table.columns);
      table.rows.clear();
      table.before.clear();
    }
    turns.take(*told, leaf);
  });
  for (Text& each : turns.problems()) stated.problems.push_back(std::move(each));
  return stated;
}

}  // namespace jw::record
