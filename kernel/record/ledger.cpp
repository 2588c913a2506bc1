#include "kernel/record/ledger.hpp"

#include <algorithm>
#include <filesystem>
#include <stdexcept>
#include <unordered_map>

#include "kernel/record/key_file.hpp"
#include "kernel/record/outbox.hpp"
#include "kernel/record/rows.hpp"

namespace jw::record {
namespace {

int64_t number(uint64_t value) {
  return static_cast<int64_t>(value);
}
uint64_t size_in(const db::Rows& rows, size_t column) {
  return static_cast<uint64_t>(rows.integer(column));
}

[[noreturn]] void not_whole(const std::string& what) {
  throw std::runtime_error("the record is not whole: " + what);
}

Hash hash_or_throw(std::string_view bytes) {
  const std::optional<Hash> hash = hash_of(bytes);
  if (!hash) not_whole("a hash has the wrong length");
  return *hash;
}

}  // namespace

// What one transaction adds.
struct Ledger::Batch {
  std::shared_ptr<Edge> edge;
  std::vector<Tile> tiles;
  std::vector<std::string> tile_bytes;
  std::vector<uint64_t> intents;
  std::vector<uint64_t> outcomes;
  std::vector<int64_t> outbox;
};

Ledger::Ledger(db::Store& store, const Clock& clock, const Options& options)
    : store_(store),
      clock_(clock),
      options_(options),
      dialect_(store.dialect()),
      leaf_rows_(dialect_, "leaf",
                 "seq, time_us, account, person, kind, dataset, header, body, body_salt, hash, outbox"),
      access_rows_(dialect_, "access_log",
                   "id, leaf, time_us, subject_kind, subject, count, person, account, post, unit, dataset, action, "
                   "purpose, basis"),
      tile_rows_(dialect_, "tile", "level, number, hashes"),
      written_rows_(dialect_, "written", "turn, leaf, bytes, salt"),
      sql_head_(sql(dialect_ == db::Dialect::postgres ? "SELECT size FROM @head WHERE id = 1 FOR UPDATE"
                                                      : "SELECT size FROM @head WHERE id = 1")),
      sql_size_(sql("UPDATE @head SET size = $1, seal = $2 WHERE id = 1")),
      sql_after_(sql("SELECT seq, hash, header FROM @leaf WHERE seq >= $1 AND seq < $2 ORDER BY seq")),
      sql_tile_(sql("SELECT hashes FROM @tile WHERE level = $1 AND number = $2")),
      sql_leaf_(sql("SELECT header, body, body_salt, hash FROM @leaf WHERE seq = $1")),
      sql_outbox_(sql("SELECT seq FROM @leaf WHERE outbox = $1")),
      sql_open_(sql("INSERT INTO @open_intent (seq, node) VALUES ($1, $2)")),
      sql_close_(sql("DELETE FROM @open_intent WHERE seq = $1")),
      sql_checkpoint_(sql("INSERT INTO @checkpoint (size, root, text) VALUES ($1, $2, $3) "
                          "ON CONFLICT (size) DO NOTHING")) {
  if (!is_origin(options_.origin)) throw std::runtime_error("the record's origin must be a name without space or '+'");
  const db::Store::Lease lease = store_.writer();
  make(*lease);
  bring_up(*lease);
  db::Transaction transaction(*lease, db::Transaction::Mode::read);
  load_key(*lease);
  restore(*lease);
}

std::string Ledger::sql(std::string_view text) const {
  std::string out;
  for (const char c : text) {
    if (c == '@') {
      out += own_prefix(dialect_);
    } else {
      out += c;
    }
  }
  return out;
}

void Ledger::make(db::Connection& connection) {
  if (has_tables(connection)) return;
  db::Transaction transaction(connection, db::Transaction::Mode::write);
  if (dialect_ == db::Dialect::postgres) {
    // Two nodes may start on an empty store at the same time.
    db::Rows lock = connection.query(
        "SELECT count(*) FROM (SELECT pg_advisory_xact_lock(CAST(7158278826 AS BIGINT)) AS l) AS lock");
    while (lock.next()) {
    }
  }
  if (has_tables(connection)) return;
  make_tables(connection);
  const crypto::SigningKey key = crypto::SigningKey::from_seed(crypto::random_bytes(32));
  make_key_file(options_.key_file, key.seed);
  connection.execute(sql("INSERT INTO @head (id, version, origin, public_key, size) VALUES (1, $1, $2, $3, 0)"),
                     {kTablesVersion, options_.origin, db::Param::blob(key.public_key)});
  transaction.commit();
  new_ = true;
}

// A record of version 1 held its key itself: it goes into the file, and then out of the record. One of version 2 gets
// its seal with the next leaf; until then a checkpoint must be over all (restore).
void Ledger::bring_up(db::Connection& connection) {
  {
    db::Rows rows = connection.query(sql("SELECT version FROM @head WHERE id = 1"));
    if (!rows.next() || (rows.integer(0) != 1 && rows.integer(0) != 2)) return;
  }
  if (dialect_ == db::Dialect::sqlite) connection.script("PRAGMA secure_delete = ON");
  db::Transaction transaction(connection, db::Transaction::Mode::write);
  lock_head(connection);
  int64_t version = 0;
  {
    db::Rows rows = connection.query(sql("SELECT version FROM @head WHERE id = 1"));
    if (rows.next()) version = rows.integer(0);
  }
  if (version == kTablesVersion) return;  // another node was faster
  if (version == 1) {
    {
      db::Rows rows = connection.query(sql("SELECT seed FROM @record_key WHERE id = 1"));
      if (!rows.next() || rows.blob(0).size() != 32) not_whole("its key is gone");
      // A key of its own that is there already is not given up for what the tables say.
      std::error_code none;
      if (std::filesystem::exists(options_.key_file, none) && read_key_file(options_.key_file) != rows.blob(0))
        throw wrong_key_file(options_.key_file);
      make_key_file(options_.key_file, rows.blob(0));
    }
    connection.script(sql("DROP TABLE @record_key"));
    add_tables(connection);
    new_ = true;
  }
  add_seals(connection);
  connection.execute(sql("UPDATE @head SET version = $1 WHERE id = 1"), {kTablesVersion});
  transaction.commit();
}

void Ledger::load_key(db::Connection& connection) {
  {
    db::Rows rows = connection.query(sql("SELECT version, origin, public_key FROM @head WHERE id = 1"));
    if (!rows.next()) not_whole("it has no head");
    if (rows.integer(0) != kTablesVersion) throw std::runtime_error("the record was written by a newer program");
    verifier_ = {std::string(rows.text(1)), std::string(rows.blob(2))};
  }
  if (verifier_.name != options_.origin) {
    throw std::runtime_error("this record was made with the origin " + verifier_.name + ", which cannot change");
  }
  const std::string seed = read_key_file(options_.key_file);
  signing_ = crypto::SigningKey::from_seed(seed);
  sealer_ = Sealer(seed);
  if (signing_.public_key != verifier_.public_key) throw wrong_key_file(options_.key_file);
}

void Ledger::restore(db::Connection& connection) {
  uint64_t size = 0;
  {
    db::Rows rows = connection.query(sql("SELECT h.size, (SELECT max(seq) FROM @leaf) FROM @head AS h WHERE h.id = 1"));
    rows.next();
    size = size_in(rows, 0);
    const uint64_t leaves = rows.is_null(1) ? 0 : size_in(rows, 1) + 1;
    if (leaves != size) {
      not_whole("it should have " + std::to_string(size) + " leaves and has " + std::to_string(leaves));
    }
  }
  auto edge = std::make_shared<Edge>();
  std::vector<Hash> tail;
  const uint64_t first = size - size % kTileWidth;
  // One leaf more than the edge needs, for the time of the last one when the edge is empty.
  {
    db::Rows rows = connection.query(sql_after_, {number(first == 0 ? 0 : first - 1), number(size)});
    while (rows.next()) {
      const std::optional<LeafView> header = LeafView::read(rows.blob(2), {});
      const Hash hash = hash_or_throw(rows.blob(1));
      if (!header || header->seq != size_in(rows, 0) || leaf_hash(rows.blob(2)) != hash) {
        not_whole("leaf " + std::to_string(size_in(rows, 0)) + " has been changed");
      }
      edge->recorded = header->recorded;
      if (header->seq >= first) tail.push_back(hash);
    }
  }
  if (tail.size() != size % kTileWidth) not_whole("leaves at its end are missing");
  edge->tree = Tree::restore(size, tail, tiles(connection));
  edge_ = edge;
  std::vector<Checkpoint> last = checkpoints_above(connection, 0, -1);
  uint64_t covered = 0;
  if (!last.empty()) {
    TreeReader reader(edge->tree, tiles(connection));
    if (last[0].size > size || reader.root(last[0].size) != last[0].root) {
      not_whole("it does not agree with its last checkpoint, of " + std::to_string(last[0].size) + " leaves");
    }
    const std::optional<Note> note = Note::parse(last[0].text);
    const bool holds = note && note->signed_by(verifier_) && note->size == last[0].size && note->root == last[0].root;
    if (!holds)
      doubt_ = Text{"最后的检查点不是记录的密钥所签", "its last checkpoint is not signed by the record's key"};
    if (holds) covered = last[0].size;
    if (holds) checkpoint_ = std::move(last[0]);
  }
  if (covered == size || is_sealed(connection, edge->tree)) return;
  const std::string rest = std::to_string(size - covered);
  doubt_ = Text{"操作记录最后 " + rest + " 条不在检查点之下，封印也不符：不是本系统所写，或旧版本未正常停止",
                "the record's last " + rest +
                    " leaves are under no checkpoint and their seal does not hold: this system did not write them, or "
                    "an older version was not stopped cleanly"};
}

// limit > 0: the first ones with more leaves than `size`; -1: only the last one.
std::vector<Checkpoint> Ledger::checkpoints_above(db::Connection& connection, uint64_t size, int64_t limit) const {
  db::Rows rows = connection.query(
      limit < 0 ? sql("SELECT size, root, text FROM @checkpoint WHERE size > $1 ORDER BY size DESC LIMIT $2")
                : sql("SELECT size, root, text FROM @checkpoint WHERE size > $1 ORDER BY size LIMIT $2"),
      {number(size), limit < 0 ? -limit : limit});
  std::vector<Checkpoint> found;
  while (rows.next()) found.push_back({std::string(rows.text(2)), size_in(rows, 0), hash_or_throw(rows.blob(1))});
  return found;
}

std::shared_ptr<const Edge> Ledger::edge() const {
  const std::lock_guard lock(mutex_);
  return edge_;
}

std::optional<Checkpoint> Ledger::last_checkpoint() const {
  const std::lock_guard lock(mutex_);
  return checkpoint_;
}

Tree::TileSource Ledger::tiles(db::Connection& connection) const {
  return [this, &connection](uint64_t level, uint64_t tile) {
    db::Rows rows = connection.query(sql_tile_, {number(level), number(tile)});
    std::vector<Hash> hashes;
    if (rows.next()) hashes = hashes_of_tile(rows.blob(0));
    if (hashes.size() != kTileWidth) {
      not_whole("tile " + std::to_string(level) + "/" + std::to_string(tile) + " is missing or broken");
    }
    return hashes;
  };
}

std::optional<StoredLeaf> Ledger::leaf(db::Connection& connection, uint64_t seq) const {
  db::Rows rows = connection.query(sql_leaf_, {number(seq)});
  if (!rows.next()) return std::nullopt;
  return StoredLeaf{std::string(rows.blob(0)), std::string(rows.blob(1)), std::string(rows.blob(2)),
                    hash_or_throw(rows.blob(3))};
}

std::optional<uint64_t> Ledger::seq_of_outbox(db::Connection& connection, int64_t outbox) const {
  db::Rows rows = connection.query(sql_outbox_, {outbox});
  if (!rows.next()) return std::nullopt;
  return size_in(rows, 0);
}

std::set<uint64_t> Ledger::open_intents(db::Connection& connection, const std::string& node) const {
  db::Rows rows = connection.query(sql("SELECT seq FROM @open_intent WHERE node = $1 ORDER BY seq"), {node});
  std::vector<uint64_t> told;
  while (rows.next()) told.push_back(size_in(rows, 0));
  std::set<uint64_t> open;
  for (const uint64_t seq : told) {
    const std::optional<StoredLeaf> there = leaf(connection, seq);
    const std::optional<LeafView> view = there ? LeafView::read(there->header, there->body) : std::nullopt;
    if (view && view->decision == "intent") open.insert(seq);
  }
  if (open.empty()) return open;
  db::Rows later = connection.query(sql("SELECT header, body FROM @leaf WHERE seq > $1"), {number(*open.begin())});
  while (later.next()) {
    const std::optional<LeafView> view = LeafView::read(later.blob(0), later.blob(1));
    if (view && view->intent > 0) open.erase(view->intent - 1);
  }
  return open;
}

bool Ledger::is_sealed(db::Connection& connection, const Tree& tree) const {
  db::Rows rows = connection.query(sql("SELECT seal FROM @head WHERE id = 1"));
  return rows.next() && crypto::equal_in_constant_time(rows.blob(0), sealer_.of_tree(tree.size(), tree.root()));
}

uint64_t Ledger::lock_head(db::Connection& connection) {
  db::Rows rows = connection.query(sql_head_);
  if (!rows.next()) not_whole("it has no head");
  const uint64_t size = size_in(rows, 0);
  while (rows.next()) {
  }
  return size;
}

// Another process has appended: takes over its leaves. Their full tiles are stored already.
void Ledger::catch_up(db::Connection& connection, Edge& edge, uint64_t size) const {
  if (size < edge.tree.size()) not_whole("it has become shorter while this process was running");
  std::vector<Tile> stored;
  db::Rows rows = connection.query(sql_after_, {number(edge.tree.size()), number(size)});
  while (rows.next()) {
    const std::optional<LeafView> header = LeafView::read(rows.blob(2), {});
    if (!header || size_in(rows, 0) != edge.tree.size()) not_whole("a leaf of another process is missing or broken");
    edge.tree.append(hash_or_throw(rows.blob(1)), stored);
    edge.recorded = header->recorded;
  }
  if (edge.tree.size() != size) not_whole("leaves of another process are missing");
  if (!is_sealed(connection, edge.tree)) not_whole("leaves were added that no process of this system has sealed");
}

void Ledger::catch_up() {
  const db::Store::Lease lease = store_.reader();
  db::Transaction snapshot(*lease, db::Transaction::Mode::read);
  uint64_t size = 0;
  {
    db::Rows rows = lease->query(sql("SELECT size FROM @head WHERE id = 1"));
    if (rows.next()) size = size_in(rows, 0);
  }
  auto edge = std::make_shared<Edge>(*this->edge());
  if (size == edge->tree.size()) return;
  catch_up(*lease, *edge, size);
  const std::lock_guard lock(mutex_);
  edge_ = std::move(edge);
}

void Ledger::commit(std::span<Pending> batch, bool checkpoint) {
  const db::Store::Lease lease = store_.writer();
  db::Transaction transaction(*lease, db::Transaction::Mode::write);
  const uint64_t size = lock_head(*lease);
  leaf_rows_.clear();  // what a batch that failed has left
  access_rows_.clear();
  tile_rows_.clear();
  written_rows_.clear();
  Batch out;
  out.edge = std::make_shared<Edge>(*edge());
  if (size != out.edge->tree.size()) catch_up(*lease, *out.edge, size);
  place(*lease, batch, out);
  write(*lease, out);
  if (out.edge->tree.size() != size) {
    const Tree& tree = out.edge->tree;
    const std::string seal = sealer_.of_tree(tree.size(), tree.root());
    lease->execute(sql_size_, {number(tree.size()), db::Param::blob(seal)});
  }
  std::optional<Checkpoint> signed_now;
  if (checkpoint) signed_now = sign(*lease, *out.edge);
  transaction.commit();
  const std::lock_guard lock(mutex_);
  edge_ = std::move(out.edge);
  if (signed_now) checkpoint_ = std::move(signed_now);
}

void Ledger::place(db::Connection& connection, std::span<Pending> batch, Batch& out) {
  Edge& edge = *out.edge;
  std::unordered_map<int64_t, uint64_t> from_outbox;
  const Instant now = batch.empty() ? Instant{} : clock_.now();
  for (Pending& pending : batch) {
    if (pending.outbox != 0) {
      const auto twice = from_outbox.find(pending.outbox);
      const std::optional<uint64_t> there =
          twice == from_outbox.end() ? seq_of_outbox(connection, pending.outbox) : twice->second;
      out.outbox.push_back(pending.outbox);
      if (there) {
        pending.seq = *there;
        continue;
      }
      from_outbox.emplace(pending.outbox, edge.tree.size());
    }
    pending.seq = edge.tree.size();
    edge.recorded = std::max(edge.recorded, now);
    place_leaf(pending.bytes.header, pending.seq, edge.recorded);
    pending.hash = leaf_hash(pending.bytes.header);
    edge.tree.append(pending.hash, out.tiles);
    add_rows(pending, out);
  }
}

void Ledger::add_rows(const Pending& pending, Batch& out) {
  std::optional<LeafView> read = LeafView::read(pending.bytes.header, pending.bytes.body);
  if (!read) throw std::runtime_error("an entry in the outbox is broken");
  LeafView& leaf = *read;
  const int64_t seq = number(leaf.seq);
  const db::Param outbox = pending.outbox == 0 ? db::Param() : db::Param(pending.outbox);
  leaf_rows_.add({seq, leaf.time.us, leaf.account, leaf.person, leaf.kind, leaf.dataset,
                  db::Param::blob(pending.bytes.header), db::Param::blob(pending.bytes.body),
                  db::Param::blob(pending.bytes.salt), db::Param::blob(bytes_of(pending.hash)), outbox});
  int64_t position = 0;
  while (const std::optional<Subject> s = leaf.subjects.next()) {
    access_rows_.add({seq << kPositionBits | position++, seq, leaf.time.us, static_cast<int64_t>(s->kind), s->id,
                      s->count, leaf.person, leaf.account, leaf.post, leaf.unit, leaf.dataset, leaf.action,
                      leaf.purpose, leaf.basis});
  }
  if (leaf.decision == "intent") out.intents.push_back(leaf.seq);
  if (leaf.intent > 0) out.outcomes.push_back(leaf.intent - 1);
  if (pending.bytes.rows.empty()) return;
  const std::optional<Rows> rows = decode_rows(pending.bytes.rows);
  if (!rows) throw std::runtime_error("what an entry in the outbox wrote is broken");
  written_rows_.add(
      {number(rows->turn), seq, db::Param::blob(pending.bytes.rows), db::Param::blob(pending.bytes.rows_salt)});
}

void Ledger::write(db::Connection& connection, Batch& out) {
  leaf_rows_.write(connection);
  access_rows_.write(connection);
  written_rows_.write(connection);
  out.tile_bytes.reserve(out.tiles.size());
  for (const Tile& tile : out.tiles) {
    out.tile_bytes.push_back(tile.bytes());
    tile_rows_.add({number(tile.level), number(tile.number), db::Param::blob(out.tile_bytes.back())});
  }
  tile_rows_.write(connection);
  for (const uint64_t seq : out.intents) connection.execute(sql_open_, {number(seq), options_.node});
  for (const uint64_t seq : out.outcomes) connection.execute(sql_close_, {number(seq)});
  if (dialect_ != db::Dialect::postgres) return;
  // The outbox lies in the same database: gone in the same transaction. On SQLite the keeper removes it later.
  for (const int64_t id : out.outbox) take_out(connection, id);
}

std::optional<Checkpoint> Ledger::sign(db::Connection& connection, const Edge& edge) {
  const uint64_t size = edge.tree.size();
  const std::optional<Checkpoint> last = last_checkpoint();
  if (last && last->size == size) return last;
  Checkpoint made;
  made.size = size;
  made.root = edge.tree.root();
  made.text = sign_checkpoint(signing_, verifier_.name, size, made.root);
  connection.execute(sql_checkpoint_, {number(size), db::Param::blob(bytes_of(made.root)), made.text});
  return made;
}

std::optional<Ledger::Bond> Ledger::bond(db::Connection& connection) const {
  db::Rows rows = connection.query(sql("SELECT record, store FROM @bond WHERE id = 1"));
  if (!rows.next()) return std::nullopt;
  return Bond{std::string(rows.text(0)), std::string(rows.text(1))};
}

void Ledger::bind(const Bond& bond) {
  store_.writer()->execute(sql("INSERT INTO @bond (id, record, store) VALUES (1, $1, $2) "
                               "ON CONFLICT (id) DO UPDATE SET store = excluded.store"),
                           {bond.record, bond.store});
}

uint64_t Ledger::last_turn(db::Connection& connection) const {
  db::Rows rows = connection.query(sql("SELECT COALESCE(MAX(turn), 0) FROM @written"));
  return rows.next() ? size_in(rows, 0) : 0;
}

std::set<uint64_t> Ledger::turns_after(db::Connection& connection, uint64_t turn) const {
  std::set<uint64_t> turns;
  db::Rows rows = connection.query(sql("SELECT turn FROM @written WHERE turn > $1"), {number(turn)});
  while (rows.next()) turns.insert(size_in(rows, 0));
  return turns;
}

void Ledger::probe() {
  const db::Store::Lease lease = store_.writer();
  db::Transaction transaction(*lease, db::Transaction::Mode::write);
  lease->execute(sql("UPDATE @head SET size = $1 WHERE id = 1"), {number(lock_head(*lease))});
  transaction.commit();
}

void Ledger::destroy_bodies(uint64_t from, uint64_t before) {
  constexpr uint64_t kAtOnce = 1000;  // short transactions, since appending waits for them
  for (uint64_t begin = from; begin < before; begin += kAtOnce) {
    const int64_t end = number(std::min(before, begin + kAtOnce));
    const db::Store::Lease lease = store_.writer();
    db::Transaction transaction(*lease, db::Transaction::Mode::write);
    lease->execute(sql("UPDATE @leaf SET body = NULL, body_salt = NULL, account = 0, person = 0, dataset = '' WHERE "
                       "seq >= $1 AND seq < $2 AND body IS NOT NULL"),
                   {number(begin), end});
    lease->execute(sql("DELETE FROM @access_log WHERE id >= $1 AND id < $2"),
                   {number(begin) << kPositionBits, end << kPositionBits});
    transaction.commit();
  }
}

}  // namespace jw::record
