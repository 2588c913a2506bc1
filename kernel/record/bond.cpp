#include "kernel/record/bond.hpp"

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
  db::Rows rows = store.query("SELECT store, record, turn, size, root FROM record_bond WHERE id = 1");
  if (!rows.next()) return std::nullopt;
  StoreBond bond{std::string(rows.text(0)), std::string(rows.text(1)), size_in(rows, 2), size_in(rows, 3), Hash{}};
  if (const std::optional<Hash> root = hash_of(rows.blob(4))) bond.root = *root;
  return bond;
}

void put_bond(db::Connection& writer, const StoreBond& bond) {
  writer.execute(
      "INSERT INTO record_bond (id, store, record, turn, size, root) VALUES (1, $1, $2, $3, $4, $5) ON CONFLICT (id) "
      "DO "
      "UPDATE SET record = excluded.record, turn = excluded.turn, size = excluded.size, root = excluded.root",
      {bond.store, bond.record, static_cast<int64_t>(bond.turn), static_cast<int64_t>(bond.size),
       db::Param::blob(bytes_of(bond.root))});
}

uint64_t take_turn(db::Connection& transaction) {
  transaction.execute("UPDATE record_bond SET turn = turn + 1 WHERE id = 1");
  db::Rows rows = transaction.query("SELECT turn FROM record_bond WHERE id = 1");
  return rows.next() ? size_in(rows, 0) : 0;
}

std::set<uint64_t> turns_waiting(db::Connection& store) {
  std::set<uint64_t> turns;
  db::Rows rows = store.query("SELECT turn FROM record_turn");
  while (rows.next()) turns.insert(size_in(rows, 0));
  return turns;
}

bool check_record_there(db::Store& store, db::Store& record, const Options& options) {
  if (options.adopt) return true;
  {
    const db::Store::Lease lease = record.reader();
    if (has_tables(*lease)) return true;
  }
  const db::Store::Lease lease = store.private_reader();
  const std::optional<StoreBond> bond = store_bond(*lease);
  if (!bond) return true;
  throw Apart({"操作记录不在：数据库知道有 " + text(bond->size) + " 条记录",
               "the record is not there: the store knows of " + text(bond->size) + " leaves"});
}

std::optional<Text> difference(const Both& both, const std::function<Hash(uint64_t)>& root_at) {
  const auto& [store, record, last_turn, turns_whole, size] = both;
  if (!store && !record) return std::nullopt;
  if (!store) return Text{"操作记录属于另一个数据库", "the record belongs to another store"};
  if (!record || record->record != store->record || record->store != store->store)
    return Text{"操作记录不是这个数据库的", "the record is not that of this store"};
  if (size < store->size) {
    return Text{"操作记录比数据库旧：只有 " + text(size) + " 条，数据库知道有 " + text(store->size) + " 条",
                "the record is older than the store: it has " + text(size) + " leaves, the store knows of " +
                    text(store->size)};
  }
  if (store->size > 0 && root_at(store->size) != store->root) {
    return Text{"操作记录的前 " + text(store->size) + " 条不是数据库所知的：被改写",
                "the first " + text(store->size) + " leaves are not those the store knows: the record was rewritten"};
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

RowsOnRecord rows_on_record(db::Connection& own) {
  RowsOnRecord said;
  db::Rows rows =
      own.query("SELECT leaf, bytes FROM " + std::string(own_prefix(own.dialect())) + "written ORDER BY turn");
  while (rows.next()) {
    const std::optional<Rows> told = decode_rows(rows.blob(1));
    if (!told) throw db::Error(db::Failure::corrupt, "what a leaf wrote cannot be read");
    said.take(*told, std::to_string(rows.integer(0)));
  }
  return said;
}

}  // namespace jw::record
