#include <algorithm>
#include <map>
#include <set>

#include "kernel/record/api.hpp"
#include "kernel/record/bond.hpp"
#include "kernel/record/key_file.hpp"
#include "kernel/record/leaf.hpp"
#include "kernel/record/note.hpp"
#include "kernel/record/outbox.hpp"
#include "kernel/record/tables.hpp"

namespace jw::record {
namespace {

// Read in pieces: no cursor stays open while another statement runs, and memory stays small on both stores.
constexpr uint64_t kPiece = 4 * kTileWidth;

int64_t number(uint64_t value) {
  return static_cast<int64_t>(value);
}
uint64_t size_in(const db::Rows& rows, size_t column) {
  return static_cast<uint64_t>(rows.integer(column));
}
std::string text(uint64_t value) {
  return std::to_string(value);
}

class Verifier {
 public:
  Verifier(db::Connection& reader, const Kept& kept) : reader_(reader), kept_(kept) {}

  Verified run(const Against& against) {
    db::Transaction snapshot(reader_, db::Transaction::Mode::read);
    if (!against.key_file.empty()) read_key(against.key_file);
    read_store();  // first: on SQLite the record's part of the snapshot begins later, and then has all that this has
    if (!read_head()) return {std::move(problems_), {}};
    if (!against.checkpoint.empty()) read_against(against.checkpoint);
    if (key_public_) check_key();
    check_waiting();
    check_checkpoint_at(0);
    for (uint64_t begin = 0; begin < size_ && !is_full(); begin += kPiece) check_piece(begin);
    check_end();
    check_bond();
    check_rows();
    snapshot.commit();
    check_not_older();
    return {std::move(problems_), std::move(remarks_)};
  }

 private:
  void problem(std::string zh, std::string en) {
    if (!is_full()) problems_.push_back({std::move(zh), std::move(en)});
  }
  bool is_full() const { return problems_.size() >= kProblemsMax; }

  void read_store();
  bool read_head();
  void read_key(const std::string& file);
  void check_key();
  void check_waiting();
  void check_seal(uint64_t covered);
  void check_intents();
  void check_restated(const Rows& told, const LeafView& leaf, const std::string& seq);
  void check_bond();
  void check_rows();
  void take_written();
  void take_waiting(uint64_t before);
  void check_turns();
  void check_not_older();
  void read_against(const std::string& against);
  void check_piece(uint64_t begin);
  void read_checkpoints(uint64_t begin, uint64_t end);
  void read_leaves(uint64_t begin, uint64_t end);
  bool check_leaf(const db::Rows& row, uint64_t seq);
  void check_columns(const db::Rows& row, const LeafView& leaf, uint64_t seq);
  void check_body(const db::Rows& row, LeafView& leaf, uint64_t seq);
  void check_access(uint64_t begin, uint64_t end);
  void check_tiles();
  void compare_tile(const Tile& tile);
  void check_checkpoint_at(uint64_t size);
  void check_note(const Note& note, bool outside);
  void check_end();

  db::Connection& reader_;
  const Kept& kept_;
  std::vector<Text> problems_, remarks_;
  Sealer sealer_;
  std::optional<std::string> key_public_;  // of the key file
  std::optional<StoreBond> store_;
  std::vector<InOutbox> outbox_;
  std::map<uint64_t, Rows> waiting_;  // by turn: committed, on their way into the record
  RowsOnRecord said_;
  VerifierKey key_;
  uint64_t size_ = 0;
  std::string seal_;         // of the tree's end; empty: of an older version
  uint64_t checkpoint_ = 0;  // leaves under the newest one stored

  Tree tree_;
  bool tree_whole_ = true;  // false once a leaf is missing: nothing behind it can be computed
  Instant recorded_;
  std::vector<Tile> full_;
  std::map<uint64_t, Note> checkpoints_;  // of the piece, by size
  std::map<uint64_t, Note> outside_;      // kept elsewhere
  std::optional<Hash> root_known_;        // of the tree, when it had the size that the store knows
  uint64_t wrote_ = 0;                    // leaves that wrote rows
  uint64_t newest_ = 0;                   // turn on record

  // What the leaves of the piece say about who read whom: one line after the other, as access_log should have it.
  std::string expected_;
  std::vector<std::pair<uint64_t, size_t>> expected_ids_;  // id, end of its line

  uint64_t destroyed_below_ = 0;  // bodies under this seq were destroyed by a recorded decision
  std::optional<uint64_t> last_without_body_;
  std::set<uint64_t> intents_;  // open
};

void Verifier::read_store() {
  store_ = store_bond(reader_);
  if (!store_) return;
  if (outbox_has_seals(reader_)) {
    outbox_ = read_outbox(reader_, sealer_);
    db::Rows rows =
        reader_.query("SELECT COUNT(*) FROM record_turn WHERE outbox NOT IN (SELECT id FROM record_outbox)");
    if (rows.next() && rows.integer(0) > 0)
      problem("有写入不属于任何待记入的条目", "a writing on its way into the record belongs to no entry");
    return;
  }
  db::Rows rows = reader_.query("SELECT COUNT(*) FROM record_outbox");
  if (rows.next() && rows.integer(0) > 0)
    problem("旧版本留下的待记入条目没有封印", "entries that an older version left on their way bear no seal");
}

// What waits is taken for what the store says only if this system put it there, or if nobody can tell.
void Verifier::check_waiting() {
  size_t untold = 0;
  for (InOutbox& each : outbox_) {
    std::optional<uint64_t> seq;
    bool same = false;
    {
      db::Rows rows = reader_.query("SELECT seq, header FROM record.leaf WHERE outbox = $1", {each.id});
      if (rows.next()) {
        const std::optional<LeafView> leaf = LeafView::read(rows.blob(1), {});
        seq = size_in(rows, 0);
        same = leaf && leaf->body_digest == each.body_digest();
      }
    }
    if (seq && same) continue;  // on record; it will be taken out
    if (seq)
      problem("第 " + text(*seq) + " 条冒充了待记入记录的条目",
              "leaf " + text(*seq) + " stands for an entry on its way that it is not");
    if (!each.whole || (sealer_.has_key() && !each.sealed)) {
      problem("待记入记录的条目 " + std::to_string(each.id) + " 不是本系统放入的，或已损坏",
              "entry " + std::to_string(each.id) +
                  " on its way into the record was not put there by this system, or is "
                  "broken");
      continue;
    }
    if (!sealer_.has_key()) ++untold;
    if (each.rows) waiting_.emplace(each.rows->turn, std::move(*each.rows));
  }
  if (untold > 0)
    remarks_.push_back({"有 " + text(untold) + " 条待记入：没有密钥文件，无法确认是否由本系统放入",
                        text(untold) + " entries are on their way: without the key file nobody can tell whether this "
                                       "system put them there"});
}

void Verifier::read_key(const std::string& file) {
  try {
    const std::string seed = read_key_file(file);
    sealer_ = Sealer(seed);
    key_public_ = crypto::SigningKey::from_seed(seed).public_key;
  } catch (const std::runtime_error&) {
    problem("密钥文件 " + file + " 读不到：无法确认签名的密钥未被替换",
            "the key file " + file + " cannot be read: whether the signing key was replaced cannot be told");
  }
}

void Verifier::check_key() {
  if (*key_public_ == key_.public_key) return;
  problem("记录的公钥不是密钥文件中的：检查点可能由他人重新签名",
          "the record's public key is not that of the key file: somebody else may have signed its checkpoints anew");
}

// Leaves behind the last checkpoint, as a crash leaves them: under the seal, which takes the key to check.
void Verifier::check_seal(uint64_t covered) {
  if (covered >= size_ || !tree_whole_ || is_full()) return;
  const std::string rest = text(size_ - covered);
  if (seal_.empty() ||
      (sealer_.has_key() && !crypto::equal_in_constant_time(seal_, sealer_.of_tree(size_, tree_.root())))) {
    problem("最后 " + rest + " 条不在任何检查点之下，封印也不符：不是本系统所写",
            "the last " + rest +
                " leaves are under no checkpoint and their seal does not hold: this system did not "
                "write them");
    return;
  }
  remarks_.push_back(
      {"最后 " + rest + " 条尚不在检查点之下" + (sealer_.has_key() ? "，封印相符" : "，没有密钥文件，无法核对其封印"),
       "the last " + rest + " leaves are under no checkpoint yet; " +
           (sealer_.has_key() ? "their seal holds" : "without the key file their seal cannot be checked")});
}

void Verifier::check_intents() {
  std::set<uint64_t> told;
  db::Rows rows = reader_.query("SELECT seq FROM record.open_intent");
  while (rows.next()) told.insert(size_in(rows, 0));
  for (const uint64_t seq : told) {
    if (seq >= destroyed_below_ && !intents_.contains(seq))
      problem("第 " + text(seq) + " 条不是未结的意图",
              "leaf " + text(seq) + " is no open intent, and is listed as one");
  }
  for (const uint64_t seq : intents_) {
    if (!told.contains(seq))
      problem("第 " + text(seq) + " 条是未结的意图而未列出",
              "leaf " + text(seq) + " is an open intent and is not listed");
  }
}

// A table that leaves have stated is stated again only when somebody adopts what is there, or its shape changes.
void Verifier::check_restated(const Rows& told, const LeafView& leaf, const std::string& seq) {
  size_t again = 0;
  std::string first;
  for (const TableRows& table : told.tables) {
    if (!table.whole || !said_.states(table.table)) continue;
    if (++again == 1) first = table.table;
  }
  if (again == 0) return;
  const bool known = leaf.has_body;  // its act is gone with a body that was destroyed
  if (known && leaf.action != "record_adopted" && leaf.action != "structure_changed") {
    problem("第 " + seq + " 条无故重新陈述了表 " + first,
            "leaf " + seq + " states the table " + first + " anew for no reason");
    return;
  }
  remarks_.push_back({"第 " + seq + " 条（" + std::string(known ? leaf.action : "正文已销毁") + "）重新陈述了 " +
                          text(again) + " 张表",
                      "leaf " + seq + " (" + std::string(known ? leaf.action : "its body is destroyed") + ") states " +
                          text(again) + " tables anew"});
}

// The store's own word about the record, and the record's about the store.
void Verifier::check_bond() {
  std::optional<Ledger::Bond> ours;
  {
    db::Rows rows = reader_.query("SELECT record, store FROM record.bond WHERE id = 1");
    if (rows.next()) ours = Ledger::Bond{std::string(rows.text(0)), std::string(rows.text(1))};
  }
  if (!store_ && !ours) return problem("数据库与操作记录尚未建立对应", "store and record have not been joined yet");
  const Both both{store_, ours, 0, true, size_, checkpoint_, false, {}, &key_};
  if (const auto apart = difference(both, [&](uint64_t) { return root_known_.value_or(store_->root); }))
    problem(apart->zh, apart->en);
}

// Leaves say what must be in the store.
void Verifier::check_rows() {
  if (!store_ || is_full()) return;
  take_written();
  check_turns();
  for (const Text& each : said_.problems()) problem(each.zh, each.en);
  const auto known = [&](const std::string& name) {
    if (said_.states(name)) return;
    problem("表 " + name + " 没有任何记录为之作证", "no leaf answers for the table " + name);
  };
  for (const auto& [name, aside] : kept_.tables) known(name);
  for (const std::string& name : kept_.datasets) known(name);
  for (const std::string& name : said_.tables()) {
    for (const Text& each : said_.compare(reader_, name)) problem(each.zh, each.en);
  }
}

void Verifier::take_written() {
  uint64_t found = 0;
  db::Rows rows = reader_.query(
      "SELECT w.turn, w.leaf, w.bytes, w.salt, l.header, l.body FROM record.written w LEFT JOIN record.leaf l ON l.seq "
      "= "
      "w.leaf ORDER BY w.turn");
  while (rows.next()) {
    const std::string seq = text(size_in(rows, 1));
    const std::optional<Rows> told = written_in(rows);
    std::optional<LeafView> leaf = LeafView::read(rows.blob(4), rows.blob(5));
    if (!leaf) leaf = LeafView::read(rows.blob(4), {});
    if (!told || !leaf) {
      problem("第 " + seq + " 条所写的行与其摘要不符：被改动", "what leaf " + seq + " wrote was changed");
      continue;
    }
    ++found;
    take_waiting(told->turn);
    waiting_.erase(told->turn);
    newest_ = std::max(newest_, told->turn);
    if (told->turn > store_->turn) continue;  // not in this view of the store
    check_restated(*told, *leaf, seq);
    said_.take(*told, seq);
  }
  take_waiting(store_->turn + 1);
  if (found < wrote_)
    problem("有 " + text(wrote_ - found) + " 条记录所写的行不在了",
            text(wrote_ - found) + " leaves lack what they wrote");
}

void Verifier::take_waiting(uint64_t before) {
  while (!waiting_.empty() && waiting_.begin()->first < before) {
    said_.take(waiting_.begin()->second, "outbox");
    waiting_.erase(waiting_.begin());
  }
}

// When all is taken.
void Verifier::check_turns() {
  if (said_.turn() < store_->turn) {
    problem("数据库第 " + text(said_.turn()) + " 轮之后的写入没有记录：记录较旧，或待记入的条目被删",
            "the store's writings after " + text(said_.turn()) +
                " are not on record: the record is older, or entries on their way into it were removed");
  }
}

// While others write, the record may tell of more than this view of the store; not of more than the store has by now.
void Verifier::check_not_older() {
  const std::optional<StoreBond> now = store_bond(reader_);
  if (!now || newest_ <= now->turn) return;
  problem("数据库比操作记录旧：写到第 " + text(now->turn) + " 轮，记录中已有第 " + text(newest_) + " 轮",
          "the store is older than the record: it has written " + text(now->turn) + " times, the record tells of " +
              text(newest_));
}

bool Verifier::read_head() {
  const bool there = [&] {
    db::Rows rows = reader_.query(reader_.dialect() == db::Dialect::sqlite
                                      ? "SELECT CAST(1 AS BIGINT) FROM record.sqlite_master WHERE name = 'head'"
                                      : "SELECT CAST(1 AS BIGINT) FROM information_schema.tables "
                                        "WHERE table_schema = 'record' AND table_name = 'head'");
    return rows.next();
  }();
  if (!there) {
    problem("这个数据库没有操作记录", "this store has no record");
    return false;
  }
  db::Rows rows = reader_.query("SELECT version, origin, public_key, size FROM record.head WHERE id = 1");
  // One of version 2 has no seal: all of it must be under a checkpoint.
  if (!rows.next() || rows.integer(0) < 2 || rows.integer(0) > kTablesVersion || rows.blob(2).size() != 32) {
    problem("记录的表头缺失或版本不符", "the record's head is missing or of another version");
    return false;
  }
  const bool has_seal = rows.integer(0) == kTablesVersion;
  key_ = {std::string(rows.text(1)), std::string(rows.blob(2))};
  size_ = size_in(rows, 3);
  while (rows.next()) {
  }
  if (!has_seal) return true;
  db::Rows sealed = reader_.query("SELECT seal FROM record.head WHERE id = 1");
  if (sealed.next()) seal_ = sealed.blob(0);
  return true;
}

void Verifier::read_against(const std::string& against) {
  std::optional<Note> note = Note::parse(against);
  if (!note) {
    problem("给出的外部检查点不是有效的检查点文本", "the checkpoint given to compare with is not a checkpoint");
    return;
  }
  if (!note->signed_by(key_)) {
    problem("外部检查点不是由本记录的密钥签名的", "the checkpoint kept elsewhere is not signed by this record's key");
  }
  if (note->size > size_) {
    problem("外部检查点有 " + text(note->size) + " 条，本记录只有 " + text(size_) + " 条：尾部被截断",
            "the checkpoint kept elsewhere has " + text(note->size) + " leaves, this record " + text(size_) +
                ": its tail was cut off");
    return;
  }
  const uint64_t size = note->size;
  outside_.emplace(size, std::move(*note));
}

void Verifier::check_piece(uint64_t begin) {
  const uint64_t end = std::min(begin + kPiece, size_);
  read_checkpoints(begin, end);
  read_leaves(begin, end);
  check_access(begin, end);
  check_tiles();
}

void Verifier::read_checkpoints(uint64_t begin, uint64_t end) {
  checkpoints_.clear();
  db::Rows rows =
      reader_.query("SELECT size, root, text FROM record.checkpoint WHERE size > $1 AND size <= $2 ORDER BY size",
                    {begin == 0 ? -1 : number(begin), number(end)});
  while (rows.next()) {
    const uint64_t size = size_in(rows, 0);
    std::optional<Note> note = Note::parse(rows.text(2));
    if (!note || note->size != size || bytes_of(note->root) != rows.blob(1) || !note->signed_by(key_)) {
      problem("检查点 " + text(size) + " 被改动：文本、签名或根哈希不符",
              "checkpoint " + text(size) + " has been changed: text, signature or root do not hold");
      continue;
    }
    checkpoints_.emplace(size, std::move(*note));
  }
  if (begin == 0) check_checkpoint_at(0);
}

void Verifier::read_leaves(uint64_t begin, uint64_t end) {
  expected_.clear();
  expected_ids_.clear();
  db::Rows rows = reader_.query(
      "SELECT seq, time_us, account, person, kind, dataset, header, body, body_salt, hash, outbox FROM "
      "record.leaf "
      "WHERE seq >= $1 AND seq < $2 ORDER BY seq",
      {number(begin), number(end)});
  uint64_t next = begin;
  const auto missing = [&](uint64_t until) {
    if (next >= until) return;
    problem("第 " + text(next) + (until - next > 1 ? " 至 " + text(until - 1) : "") + " 条缺失",
            until - next > 1 ? "leaves " + text(next) + " to " + text(until - 1) + " are missing"
                             : "leaf " + text(next) + " is missing");
    tree_whole_ = false;
  };
  while (rows.next() && !is_full()) {
    missing(size_in(rows, 0));
    next = size_in(rows, 0) + 1;
    const std::optional<Hash> hash = hash_of(rows.blob(9));
    if (!check_leaf(rows, next - 1) || !hash || !tree_whole_) {
      tree_whole_ = tree_whole_ && hash.has_value();
      if (!tree_whole_) continue;
    }
    tree_.append(*hash, full_);
    check_checkpoint_at(next);
  }
  if (!is_full()) missing(end);
}

// The header first; false when it does not have the hash that stands beside it.
bool Verifier::check_leaf(const db::Rows& row, uint64_t seq) {
  const std::string_view bytes = row.blob(6);
  std::optional<LeafView> header = LeafView::read(bytes, row.blob(7));
  if (!header) header = LeafView::read(bytes, {});  // a body that cannot be read is not the one that belongs to it
  const bool holds = bytes_of(leaf_hash(bytes)) == row.blob(9);
  if (!holds || !header) {
    problem("第 " + text(seq) + " 条的内容与其哈希不符：被改动",
            "leaf " + text(seq) + " does not have its hash: it was changed");
    return false;
  }
  if (header->wrote_rows()) ++wrote_;
  if (header->seq != seq) {
    problem("第 " + text(seq) + " 条的位置上是第 " + text(header->seq) + " 条：被调换",
            "leaf " + text(header->seq) + " stands in the place of leaf " + text(seq) + ": they were swapped");
  }
  // A leaf that stands in the wrong place says nothing about the time of its neighbours.
  if (header->seq == seq && header->recorded < recorded_) {
    problem("第 " + text(seq) + " 条的记入时间早于前一条",
            "leaf " + text(seq) + " was recorded before the one in front of it");
  }
  if (header->seq == seq) recorded_ = std::max(recorded_, header->recorded);
  check_body(row, *header, seq);
  check_columns(row, *header, seq);
  if (header->decision == "intent") intents_.insert(seq);
  if (header->intent > 0) intents_.erase(header->intent - 1);
  if (header->kind == "retention" && header->has_body) {
    destroyed_below_ = std::max(destroyed_below_, std::min(seq, static_cast<uint64_t>(header->rows)));
  }
  return true;
}

void Verifier::check_columns(const db::Rows& row, const LeafView& leaf, uint64_t seq) {
  // Without its body a leaf no longer says who and what about: the columns say nothing then.
  const bool told = leaf.has_body || (leaf.version == 1 && row.integer(2) == leaf.account);
  const bool same = told
                        ? row.integer(2) == leaf.account && row.integer(3) == leaf.person && row.text(5) == leaf.dataset
                        : row.integer(2) == 0 && row.integer(3) == 0 && row.text(5).empty();
  const bool way = row.is_null(10) || goes_by_outbox(leaf.kind);
  if (row.integer(1) == leaf.time.us && row.text(4) == leaf.kind && same && way) return;
  problem("第 " + text(seq) + " 条的查询列与其内容不符：被改动",
          "the columns of leaf " + text(seq) + " do not say what the leaf says: they were changed");
}

void append_line(std::string& out, std::initializer_list<int64_t> numbers,
                 std::initializer_list<std::string_view> texts) {
  for (const int64_t value : numbers) out.append(reinterpret_cast<const char*>(&value), sizeof value);
  for (const std::string_view value : texts) {
    const uint64_t size = value.size();
    out.append(reinterpret_cast<const char*>(&size), sizeof size).append(value);
  }
}

void Verifier::check_body(const db::Rows& row, LeafView& leaf, uint64_t seq) {
  if (row.is_null(7) && row.is_null(8)) {
    last_without_body_ = seq;
    return;
  }
  if (bytes_of(salted_digest(row.blob(8), row.blob(7))) != leaf.body_digest || !leaf.has_body) {
    problem("第 " + text(seq) + " 条的正文与其摘要不符：被改动", "the body of leaf " + text(seq) + " was changed");
    leaf = LeafView::read(row.blob(6), {}).value();
    return;
  }
  uint64_t id = seq << kPositionBits;
  while (const std::optional<Subject> s = leaf.subjects.next()) {
    append_line(expected_,
                {number(seq), leaf.time.us, static_cast<int64_t>(s->kind), s->id, s->count, leaf.person, leaf.account},
                {leaf.post, leaf.unit, leaf.dataset, leaf.action, leaf.purpose, leaf.basis});
    expected_ids_.emplace_back(id++, expected_.size());
  }
}

void Verifier::check_access(uint64_t begin, uint64_t end) {
  db::Rows rows = reader_.query(
      "SELECT id, leaf, time_us, subject_kind, subject, count, person, account, post, unit, dataset, action, purpose, "
      "basis FROM record.access_log WHERE id >= $1 AND id < $2 ORDER BY id",
      {number(begin << kPositionBits), number(end << kPositionBits)});
  std::string line;
  size_t at = 0;
  const auto wrong = [&](uint64_t id) {
    const std::string seq = text(id >> kPositionBits);
    problem("“谁看过我”中第 " + seq + " 条的行与该条不符", "who-read-me does not say what leaf " + seq + " says");
  };
  while (rows.next() && !is_full()) {
    const uint64_t id = size_in(rows, 0);
    for (; at < expected_ids_.size() && expected_ids_[at].first < id; ++at) wrong(expected_ids_[at].first);
    line.clear();
    append_line(line,
                {rows.integer(1), rows.integer(2), rows.integer(3), rows.integer(4), rows.integer(5), rows.integer(6),
                 rows.integer(7)},
                {rows.text(8), rows.text(9), rows.text(10), rows.text(11), rows.text(12), rows.text(13)});
    if (at == expected_ids_.size() || expected_ids_[at].first != id) {
      wrong(id);
      continue;
    }
    const size_t from = at == 0 ? 0 : expected_ids_[at - 1].second;
    if (std::string_view(expected_).substr(from, expected_ids_[at].second - from) != line) wrong(id);
    ++at;
  }
  for (; at < expected_ids_.size() && !is_full(); ++at) wrong(expected_ids_[at].first);
}

void Verifier::check_tiles() {
  for (const Tile& tile : full_) compare_tile(tile);
  full_.clear();
}

void Verifier::compare_tile(const Tile& tile) {
  const std::string name = text(tile.level) + "/" + text(tile.number);
  db::Rows rows = reader_.query("SELECT hashes FROM record.tile WHERE level = $1 AND number = $2",
                                {number(tile.level), number(tile.number)});
  if (!rows.next()) {
    problem("缺少瓦片 " + name, "tile " + name + " is missing");
    return;
  }
  const std::vector<Hash> stored = hashes_of_tile(rows.blob(0));
  if (stored.size() != tile.hashes.size()) {
    problem("瓦片 " + name + " 长度不符", "tile " + name + " has the wrong length");
    return;
  }
  for (size_t i = 0; i < stored.size(); ++i) {
    if (stored[i] == tile.hashes[i]) continue;
    const std::string index = text(tile.number * kTileWidth + i);
    if (tile.level == 0) {
      problem("第 " + index + " 条与瓦片 " + name + " 不符", "leaf " + index + " and tile " + name + " do not agree");
    } else {
      problem("瓦片 " + name + " 的第 " + text(i) + " 项与其下的内容不符",
              "entry " + text(i) + " of tile " + name + " does not agree with what lies under it");
    }
  }
}

// Called when the tree has just this size.
void Verifier::check_checkpoint_at(uint64_t size) {
  if (store_ && store_->size == size && tree_whole_) root_known_ = tree_.root();
  if (const auto found = checkpoints_.find(size); found != checkpoints_.end()) check_note(found->second, false);
  if (const auto found = outside_.find(size); found != outside_.end()) check_note(found->second, true);
}

void Verifier::check_note(const Note& note, bool outside) {
  if (!tree_whole_ || note.root == tree_.root()) return;
  const std::string size = text(note.size);
  if (outside) {
    problem("前 " + size + " 条与外部保存的检查点不符：记录被改写",
            "the first " + size + " leaves are not those of the checkpoint kept elsewhere: the record was rewritten");
  } else {
    problem("前 " + size + " 条与检查点 " + size + " 不符：记录被改写",
            "the first " + size + " leaves are not those of checkpoint " + size + ": the record was rewritten");
  }
}

void Verifier::check_end() {
  if (is_full()) return;
  if (last_without_body_ && *last_without_body_ >= destroyed_below_) {
    problem("第 " + text(*last_without_body_) + " 条的正文缺失，且没有销毁记录",
            "the body of leaf " + text(*last_without_body_) + " is missing, and no destruction was recorded");
  }
  uint64_t tiles = 0;
  for (uint64_t nodes = size_ >> kTileLevels; nodes > 0; nodes >>= kTileLevels) tiles += nodes;
  db::Rows rows = reader_.query(
      "SELECT (SELECT count(*) FROM record.leaf WHERE seq >= $1 OR seq < 0), (SELECT max(size) FROM "
      "record.checkpoint), "
      "(SELECT count(*) FROM record.tile), (SELECT count(*) FROM record.access_log WHERE id >= $2 OR id < 0), (SELECT "
      "count(*) FROM "
      "(SELECT 1 FROM record.leaf GROUP BY substr(header, 26, 32) HAVING count(*) > 1) AS twice)",
      {number(size_), number(size_ << kPositionBits)});
  rows.next();
  if (rows.integer(0) > 0) {
    problem("表头记 " + text(size_) + " 条，其后还有 " + text(size_in(rows, 0)) + " 条",
            "the head says " + text(size_) + " leaves, and there are " + text(size_in(rows, 0)) + " more");
  }
  if (!rows.is_null(1) && size_in(rows, 1) > size_) {
    problem("有大小为 " + text(size_in(rows, 1)) + " 的检查点，而记录只有 " + text(size_) + " 条：尾部被截断",
            "there is a checkpoint of " + text(size_in(rows, 1)) + " leaves, and the record has " + text(size_) +
                ": its tail was cut off");
  }
  if (size_in(rows, 2) > tiles) {
    problem("瓦片多于记录的条数所应有的", "there are more tiles than the leaves have: the tail was cut off");
  }
  if (rows.integer(3) > 0) problem("“谁看过我”中有不属于任何一条的行", "who-read-me has lines that belong to no leaf");
  if (rows.integer(4) > 0)
    problem("有 " + text(size_in(rows, 4)) + " 个条目不止一次被记入",
            text(size_in(rows, 4)) + " entries are on record more than once");
  checkpoint_ = rows.is_null(1) ? 0 : size_in(rows, 1);
  if (store_ && store_->note.empty() && checkpoint_ > 0)
    remarks_.push_back(
        {"数据库尚不知道记录的任何检查点", "the store does not know of any checkpoint of the record yet"});
  check_intents();
  check_seal(checkpoint_);
}

}  // namespace

bool joined(db::Connection& reader) {
  return store_bond(reader).has_value();
}

Verified verify(db::Connection& reader, const Kept& kept, const Against& against) {
  return Verifier(reader, kept).run(against);
}

}  // namespace jw::record
