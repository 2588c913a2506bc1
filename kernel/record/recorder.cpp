#include <atomic>
#include <condition_variable>
#include <future>
#include <map>
#include <thread>
#include <unordered_set>

#include "base/json.hpp"
#include "kernel/record/api.hpp"
#include "kernel/record/bond.hpp"
#include "kernel/record/ledger.hpp"
#include "kernel/record/witness.hpp"

namespace jw::record {
namespace {

using Steady = std::chrono::steady_clock;
constexpr auto kProbeEvery = std::chrono::seconds(1);
constexpr auto kKeepEvery = std::chrono::seconds(1);
constexpr int kBusyTries = 3;  // each waits Options::busy_wait of the store
constexpr int64_t kWitnessAtOnce = 1000;

class StoreRecorder final : public Recorder {
 public:
  StoreRecorder(db::Store& store, db::Store& record, const Clock& clock, const Options& options);
  ~StoreRecorder() override;

  void append(Entry entry, Durable durable) override;
  int64_t put_in_outbox(db::Connection& transaction, const Entry& entry) override;
  std::optional<Leaf> deliver(int64_t outbox_id) override;
  std::optional<Leaf> destroy_bodies(uint64_t before, Entry entry) override;
  Checkpoint checkpoint() override;
  std::optional<InclusionProof> prove(uint64_t seq) override;
  std::optional<std::vector<Hash>> consistency(uint64_t old_size, uint64_t new_size) override;
  std::string public_key() const override { return ledger_.key().print(); }
  std::string origin() const override { return ledger_.key().name; }
  uint64_t size() const override { return ledger_.edge()->tree.size(); }
  bool healthy() const override { return healthy_; }
  std::vector<Text> problems() const override;

 private:
  struct Waiting {
    Pending pending;
    Durable durable;
  };
  struct Work {
    std::vector<Waiting> batch;
    std::vector<std::promise<Checkpoint>> checkpoints;
    bool sign = false;
    bool last = false;
  };

  void make_outbox_tables();
  Both look();
  void join();
  void finish_what_a_crash_left();
  void state_tables();
  std::vector<TableRows> tables_to_state(db::Connection& store);
  void watch();
  void tell_rows(db::Connection& transaction, const std::vector<db::WrittenRow>& rows);
  void put_rows(db::Connection& transaction, int64_t outbox, Rows rows);
  std::optional<Pending> in_outbox(int64_t id);
  void note_size();
  void close_intents();
  void compare_with_witness();

  void enqueue(Pending pending, Durable durable);
  void write_loop();
  Work next_work();
  Steady::time_point wake_at() const;
  bool has_news() const;
  bool signing_due() const;
  void carry_out(Work& work);
  std::exception_ptr try_commit(std::vector<Pending>& batch, bool sign);

  void keep_loop();
  void sweep_outbox();
  void feed_witness();
  std::vector<int64_t> ids_in_outbox();
  void note(const std::string& about, std::optional<Text> problem);
  bool apart() const { return store_.dialect() == db::Dialect::sqlite; }
  db::Store& outbox_store() { return apart() ? store_ : record_; }

  db::Store& store_;
  db::Store& record_;
  const Clock& clock_;
  const Options options_;
  const bool may_begin_;  // before the ledger makes a record where one is missing
  Ledger ledger_;
  enum class Joined : uint8_t { as_before, new_here, adopted } joined_ = Joined::as_before;
  std::optional<Witness> witness_;
  uint64_t noted_ = 0;      // the keeper's: size that the store knows
  uint64_t witnessed_ = 0;  // the keeper's: size of the last checkpoint the witness has

  mutable std::mutex mutex_;  // guards the queue and what follows
  std::condition_variable work_, space_;
  std::vector<Waiting> queue_;
  std::vector<std::promise<Checkpoint>> checkpoints_wanted_;
  bool writer_waits_ = false;
  bool stop_ = false;
  bool closed_ = false;  // the writer has ended
  std::atomic<bool> healthy_ = true;
  Steady::time_point signed_at_ = Steady::now();  // the writer's

  mutable std::mutex keep_mutex_;  // guards what follows
  std::condition_variable keep_;
  bool keep_stop_ = false;
  bool checkpoint_made_ = false;
  std::unordered_set<int64_t> delivered_;     // may be removed from the outbox
  std::unordered_set<int64_t> seen_waiting_;  // the keeper's: were there at its last look
  std::map<std::string, Text> problems_;

  std::thread writer_;
  std::thread keeper_;
};

StoreRecorder::StoreRecorder(db::Store& store, db::Store& record, const Clock& clock, const Options& options)
    : store_(store),
      record_(record),
      clock_(clock),
      options_(options),
      may_begin_(check_record_there(store, record, options)),
      ledger_(record, clock, options) {
  make_outbox_tables();
  join();
  if (!options_.witness.empty()) {
    witness_.emplace(options_.witness);
    compare_with_witness();
  }
  writer_ = std::thread([this] { write_loop(); });
  try {
    finish_what_a_crash_left();
    state_tables();
    watch();
    keeper_ = std::thread([this] { keep_loop(); });
  } catch (...) {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    work_.notify_all();
    writer_.join();
    throw;
  }
}

void StoreRecorder::make_outbox_tables() {
  const db::Store::Lease lease = outbox_store().writer();
  db::Transaction transaction(*lease, db::Transaction::Mode::write);
  make_outbox(*lease);
  transaction.commit();
}

StoreRecorder::~StoreRecorder() {
  store_.watch(nullptr);
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  work_.notify_all();
  writer_.join();
  {
    const std::lock_guard lock(keep_mutex_);
    keep_stop_ = true;
  }
  keep_.notify_all();
  keeper_.join();
}

void StoreRecorder::finish_what_a_crash_left() {
  for (const int64_t id : ids_in_outbox())
    deliver(id);    // one that cannot be delivered now is tried again by the keeper
  close_intents();  // after the outcomes that came by the outbox
}

void StoreRecorder::close_intents() {
  std::vector<Entry> open;
  {
    const db::Store::Lease lease = record_.reader();
    for (const uint64_t seq : ledger_.open_intents(*lease, options_.node)) {
      const std::optional<StoredLeaf> leaf = ledger_.leaf(*lease, seq);
      std::optional<Entry> entry = leaf ? decode(leaf->header, leaf->body) : std::nullopt;
      if (!entry) throw std::runtime_error("the record is not whole: an open intent cannot be read");
      entry->time = clock_.now();
      entry->decision = "aborted";
      entry->intent = seq;
      entry->parameters.clear();
      entry->subjects.clear();
      open.push_back(std::move(*entry));
    }
  }
  for (Entry& entry : open) {
    if (!append_and_wait(std::move(entry))) throw std::runtime_error("the record cannot be written");
  }
}

// --- store and record, and the rows of the store --------------------------------------------------------------------

Both StoreRecorder::look() {
  Both both;
  const auto of_record = [this](auto get) {
    const db::Store::Lease lease = record_.reader();
    return get(*lease);
  };
  both.record = of_record([this](db::Connection& own) { return ledger_.bond(own); });
  both.last_turn = of_record([this](db::Connection& own) { return ledger_.last_turn(own); });
  std::set<uint64_t> turns;
  {
    const db::Store::Lease lease = outbox_store().private_reader();
    both.store = store_bond(*lease);
    turns = turns_waiting(*lease);
  }
  turns.merge(of_record([&](db::Connection& own) { return ledger_.turns_after(own, both.last_turn); }));
  for (uint64_t turn = both.last_turn + 1; both.store && turn <= both.store->turn; ++turn)
    both.turns_whole = both.turns_whole && turns.contains(turn);
  ledger_.catch_up();
  both.size = ledger_.edge()->tree.size();
  return both;
}

// One of another, neither older than the other; or it is said (Apart), or adopted.
void StoreRecorder::join() {
  const Both both = look();
  const std::optional<Text> apart = difference(both, [this](uint64_t size) {
    const db::Store::Lease reader = record_.reader();
    return TreeReader(ledger_.edge()->tree, ledger_.tiles(*reader)).root(size);
  });
  const auto& [theirs, ours, last, turns_whole, size] = both;
  if (apart && !options_.adopt) throw Apart(*apart);
  if (!apart && theirs) return;
  joined_ = apart ? Joined::adopted : Joined::new_here;
  const std::string record = ours ? ours->record : crypto::hex(crypto::random_bytes(16));
  const std::string store = theirs ? theirs->store : crypto::hex(crypto::random_bytes(16));
  // The store first: if it ends here, they do not fit, and it is said again.
  put_bond(*outbox_store().writer(), {store, record, std::max(last, theirs ? theirs->turn : 0), 0, Hash{}});
  ledger_.bind({record, store});
}

namespace {

db::Watch::Table kept_table(db::Connection& store, const std::string& name,
                            const std::set<std::string, std::less<>>& aside) {
  db::Watch::Table table = db::table_to_watch(store, name, aside);
  if (table.key.empty()) throw db::Error(db::Failure::statement, "a table without a primary key: " + name);
  return table;
}

}  // namespace

// Tables that no leaf has stated yet, or whose columns have changed.
std::vector<TableRows> StoreRecorder::tables_to_state(db::Connection& store) {
  std::map<std::string, std::string> stated;
  {
    const db::Store::Lease lease = record_.reader();
    stated = ledger_.kept(*lease);
  }
  const std::map<std::string, std::string> known =
      joined_ == Joined::adopted ? std::map<std::string, std::string>{} : stated;
  std::vector<TableRows> tables;
  std::vector<Text> changed;
  std::optional<RowsOnRecord> said;
  const auto state = [&](const std::string& name, bool by_batch, const db::Watch::Table& table) {
    const auto before = known.find(name);
    const bool same = before != known.end() && before->second == columns_text(table.columns);
    if (same && !(by_batch && options_.restructured)) return;
    if (before != known.end() && !options_.migrated) {
      // Whoever changed it ended before it was stated; or somebody else did. The rows tell.
      if (!said) said = rows_on_record(*record_.reader());
      for (Text& each : said->compare(store, name, &table.columns)) changed.push_back(std::move(each));
    }
    tables.push_back(read_whole(store, name, by_batch, table.columns, table.key));
  };
  for (const auto& [name, aside] : options_.kept.tables) state(name, false, kept_table(store, name, aside));
  for (const std::string& name : options_.kept.datasets) state(name, true, {{}, columns_of_dataset(store, name)});
  for (const auto& [name, columns] : stated) {
    if (columns.empty() || options_.kept.tables.contains(name) || options_.kept.datasets.contains(name)) continue;
    tables.push_back({name, true, false, {}, {}});  // it is gone, or nobody keeps it any more
  }
  if (changed.empty()) return tables;
  throw Apart({"表的结构和行都与记录不符：" + changed.front().zh,
               "the shape of tables and their rows are not as the record says: " + changed.front().en});
}

void StoreRecorder::state_tables() {
  int64_t outbox = 0;
  {
    const db::Store::Lease lease = outbox_store().writer();
    db::Transaction transaction(*lease, db::Transaction::Mode::write);
    const uint64_t turn = take_turn(*lease);  // whoever writes now waits, and comes after
    std::vector<TableRows> tables = tables_to_state(*lease);
    const bool news = joined_ == Joined::adopted || !options_.migration.empty();
    if (tables.empty() && !news) return;
    const char* action = joined_ == Joined::adopted    ? "record_adopted"
                         : joined_ == Joined::new_here ? "record_begun"
                         : options_.migrated           ? "structure_changed"
                                                       : "rows_stated";
    Entry entry = act_of(options_.adopted_by, action, "4.3.2", clock_.now());
    JsonWriter json(entry.parameters);
    json.object().field("size", static_cast<uint64_t>(ledger_.edge()->tree.size()));
    if (joined_ == Joined::adopted) json.field("reason", options_.adopt_reason).field("by", options_.adopted_by.name);
    if (!options_.migration.empty()) json.field("changes", options_.migration);
    json.key("tables").array();
    for (const TableRows& table : tables) json.value(table.table);
    json.end_array().end_object();
    outbox = put_in_outbox(*lease, entry);
    put_rows(*lease, outbox, {turn, joined_ != Joined::as_before, std::move(tables)});
    transaction.commit();
  }
  if (!deliver(outbox)) throw std::runtime_error("the record cannot be written");
}

void StoreRecorder::watch() {
  auto watch = std::make_shared<db::Watch>();
  {
    const db::Store::Lease lease = store_.writer();
    for (const auto& [name, aside] : options_.kept.tables) watch->tables.emplace(name, kept_table(*lease, name, aside));
  }
  watch->before_commit = [this](db::Connection& transaction, const std::vector<db::WrittenRow>& rows) {
    tell_rows(transaction, rows);
  };
  store_.watch(std::move(watch));
}

// The last entry of the transaction answers for all that it wrote; without one, an entry of its own.
void StoreRecorder::tell_rows(db::Connection& transaction, const std::vector<db::WrittenRow>& rows) {
  std::map<std::string, TableRows> tables;
  for (const db::WrittenRow& row : rows) {
    TableRows& table = tables[row.table];
    table.table = row.table;
    table.rows[row.key] = row.digest;
  }
  int64_t outbox = transaction.kept_in_transaction();
  if (outbox == 0) outbox = put_in_outbox(transaction, entry_of({}, "rows", "", clock_.now()));
  Rows told{take_turn(transaction), false, {}};
  for (auto& [name, table] : tables) told.tables.push_back(std::move(table));
  put_rows(transaction, outbox, std::move(told));
}

void StoreRecorder::put_rows(db::Connection& transaction, int64_t outbox, Rows rows) {
  const std::string bytes = encode(rows), salt = crypto::random_bytes(kSaltSize);
  transaction.execute("INSERT INTO record_turn (outbox, turn, bytes, salt) VALUES ($1, $2, $3, $4)",
                      {outbox, static_cast<int64_t>(rows.turn), db::Param::blob(bytes), db::Param::blob(salt)});
}

// The store learns how far the record has come: an older copy of it is told at the next start.
void StoreRecorder::note_size() {
  const std::optional<Checkpoint> last = ledger_.last_checkpoint();
  if (!last || last->size == noted_) return;
  const db::Store::Lease lease = outbox_store().writer();
  lease->execute("UPDATE record_bond SET size = $1, root = $2 WHERE id = 1 AND size < $1",
                 {static_cast<int64_t>(last->size), db::Param::blob(bytes_of(last->root))});
  noted_ = last->size;
}

// --- appending ------------------------------------------------------------------------------------------------------

// Takes as many subjects as one leaf may name off an entry that has more.
std::optional<Entry> part_of(Entry& entry) {
  if (entry.subjects.size() <= kSubjectsMax) return std::nullopt;
  const auto end = entry.subjects.begin() + static_cast<ptrdiff_t>(kSubjectsMax);
  Entry part = entry_of({entry.account, entry.person, entry.session, {}, entry.post, entry.unit}, "subjects",
                        entry.action, entry.time);
  part.beneficiary = entry.beneficiary;
  part.dataset = entry.dataset;
  part.purpose = entry.purpose;
  part.basis = entry.basis;
  part.policy_version = entry.policy_version;
  part.subjects.assign(entry.subjects.begin(), end);
  entry.subjects.erase(entry.subjects.begin(), end);
  return part;
}

void StoreRecorder::append(Entry entry, Durable durable) {
  if (entry.time.us == 0) entry.time = clock_.now();
  if (const std::optional<Entry> part = part_of(entry)) {
    // The answer waits for all of them.
    return enqueue({record::encode(*part), 0, 0, {}},
                   [this, entry = std::move(entry), durable = std::move(durable)](const std::optional<Leaf>& leaf) {
                     leaf ? append(entry, durable) : durable(std::nullopt);
                   });
  }
  enqueue({record::encode(entry), 0, 0, {}}, std::move(durable));
}

void StoreRecorder::enqueue(Pending pending, Durable durable) {
  std::unique_lock lock(mutex_);
  // The writer's own callbacks may append: it must not wait for itself.
  const bool own = std::this_thread::get_id() == writer_.get_id();
  space_.wait(lock, [&] { return own || closed_ || queue_.size() < options_.queue_max; });
  if (closed_) {
    lock.unlock();
    durable(std::nullopt);
    return;
  }
  queue_.push_back({std::move(pending), std::move(durable)});
  const bool wake = writer_waits_;
  writer_waits_ = false;
  lock.unlock();
  if (wake) work_.notify_one();
}

void StoreRecorder::write_loop() {
  for (;;) {
    Work work = next_work();
    carry_out(work);
    if (work.last) return;
  }
}

// Waits for something to do and takes it.
StoreRecorder::Work StoreRecorder::next_work() {
  Work work;
  std::unique_lock lock(mutex_);
  const Steady::time_point wake = wake_at();
  while (queue_.empty() && checkpoints_wanted_.empty() && !stop_ && Steady::now() < wake) {
    writer_waits_ = true;
    if (wake == Steady::time_point::max()) {
      work_.wait(lock);
    } else {
      work_.wait_until(lock, wake);
    }
  }
  writer_waits_ = false;
  work.checkpoints.swap(checkpoints_wanted_);
  if (queue_.size() <= options_.batch_max) {
    work.batch.swap(queue_);
    work.last = stop_;
    closed_ = stop_;
  } else {
    const auto end = queue_.begin() + static_cast<ptrdiff_t>(options_.batch_max);
    work.batch.assign(std::make_move_iterator(queue_.begin()), std::make_move_iterator(end));
    queue_.erase(queue_.begin(), end);
  }
  lock.unlock();
  space_.notify_all();
  const bool fresh = !work.batch.empty() || has_news();
  work.sign = !work.checkpoints.empty() || (fresh && (work.last || signing_due()));
  return work;
}

bool StoreRecorder::has_news() const {
  const std::optional<Checkpoint> last = ledger_.last_checkpoint();
  return ledger_.edge()->tree.size() != (last ? last->size : 0);
}

bool StoreRecorder::signing_due() const {
  return Steady::now() - signed_at_ >= options_.checkpoint_every;
}

Steady::time_point StoreRecorder::wake_at() const {
  if (!healthy_) return Steady::now() + kProbeEvery;
  if (has_news()) return std::max(Steady::now(), signed_at_ + options_.checkpoint_every);
  return Steady::time_point::max();
}

void StoreRecorder::carry_out(Work& work) {
  std::vector<Pending> pending;
  pending.reserve(work.batch.size());
  for (Waiting& waiting : work.batch) pending.push_back(std::move(waiting.pending));
  const std::exception_ptr failure = try_commit(pending, work.sign);
  healthy_ = failure == nullptr;
  for (size_t i = 0; i < work.batch.size(); ++i) {
    std::optional<Leaf> leaf;
    if (!failure) leaf = Leaf{pending[i].seq, ledger_.key().name};
    work.batch[i].durable(std::move(leaf));
  }
  if (!work.sign) return;
  for (std::promise<Checkpoint>& wanted : work.checkpoints) {
    if (failure) {
      wanted.set_exception(failure);
    } else {
      wanted.set_value(ledger_.last_checkpoint().value());
    }
  }
  if (failure) return;
  signed_at_ = Steady::now();
  {
    const std::lock_guard lock(keep_mutex_);
    checkpoint_made_ = true;
  }
  keep_.notify_one();
}

std::exception_ptr StoreRecorder::try_commit(std::vector<Pending>& batch, bool sign) {
  for (int tries = 1;; ++tries) {
    try {
      if (batch.empty() && !sign) {
        if (!healthy_) ledger_.probe();
      } else {
        ledger_.commit(batch, sign);
      }
      return nullptr;
    } catch (const db::Error& error) {
      // Another process is writing; surely nothing of ours was committed. Anything else may have been: no second try.
      if (error.failure() != db::Failure::busy || tries == kBusyTries) return std::current_exception();
    } catch (const std::exception&) {
      return std::current_exception();
    }
  }
}

// --- outbox ---------------------------------------------------------------------------------------------------------

int64_t StoreRecorder::put_in_outbox(db::Connection& transaction, const Entry& entry) {
  Entry timed = entry;
  if (timed.time.us == 0) timed.time = clock_.now();
  while (const std::optional<Entry> part = part_of(timed)) put_in_outbox(transaction, *part);
  const LeafBytes bytes = record::encode(timed);
  // Never used twice, not even after the store was restored from an older backup than the record.
  const auto id = static_cast<int64_t>(crypto::random_number(uint64_t{1} << 62) + 1);
  transaction.execute("INSERT INTO record_outbox (id, header, body, salt) VALUES ($1, $2, $3, $4)",
                      {id, db::Param::blob(bytes.header), db::Param::blob(bytes.body), db::Param::blob(bytes.salt)});
  transaction.kept_in_transaction() = id;
  return id;
}

std::optional<Pending> StoreRecorder::in_outbox(int64_t id) {
  const db::Store::Lease lease = outbox_store().private_reader();
  db::Rows rows = lease->query(
      "SELECT o.header, o.body, o.salt, t.bytes, t.salt FROM record_outbox o LEFT JOIN record_turn t ON t.outbox = "
      "o.id "
      "WHERE o.id = $1",
      {id});
  if (!rows.next()) return std::nullopt;
  Pending pending{{std::string(rows.blob(0)), std::string(rows.blob(1)), std::string(rows.blob(2)),
                   std::string(rows.blob(3)), std::string(rows.blob(4))},
                  id,
                  0,
                  {}};
  if (!pending.bytes.rows.empty() && LeafView::read(pending.bytes.header, {}))
    place_rows(pending.bytes.header, salted_digest(pending.bytes.rows_salt, pending.bytes.rows));
  return pending;
}

std::optional<Leaf> StoreRecorder::deliver(int64_t outbox_id) {
  std::optional<Pending> pending = in_outbox(outbox_id);
  const bool whole = pending && LeafView::read(pending->bytes.header, pending->bytes.body) &&
                     (pending->bytes.rows.empty() || decode_rows(pending->bytes.rows));
  if (pending && !whole) {
    note("outbox", Text{"待记入记录的条目已损坏", "an entry on its way into the record is broken"});
    return std::nullopt;  // it must not hold up the others
  }
  if (!pending) {
    const db::Store::Lease lease = record_.reader();
    const std::optional<uint64_t> seq = ledger_.seq_of_outbox(*lease, outbox_id);
    if (!seq) return std::nullopt;
    return Leaf{*seq, ledger_.key().name};
  }
  std::promise<std::optional<Leaf>> promise;
  std::future<std::optional<Leaf>> future = promise.get_future();
  enqueue(std::move(*pending), [&](std::optional<Leaf> leaf) { promise.set_value(std::move(leaf)); });
  std::optional<Leaf> leaf = future.get();
  if (leaf && apart()) {
    const std::lock_guard lock(keep_mutex_);
    delivered_.insert(outbox_id);
  }
  return leaf;
}

std::vector<int64_t> StoreRecorder::ids_in_outbox() {
  const db::Store::Lease lease = outbox_store().private_reader();
  db::Rows rows = lease->query("SELECT id FROM record_outbox ORDER BY id");
  std::vector<int64_t> ids;
  while (rows.next()) ids.push_back(rows.integer(0));
  return ids;
}

// Removes what is in the tree; what was there already at the last look and is not, was left by a process that died or
// by a failure since healed: delivers it.
void StoreRecorder::sweep_outbox() {
  std::unordered_set<int64_t> waiting;
  std::vector<int64_t> done;
  for (const int64_t id : ids_in_outbox()) {
    std::unique_lock lock(keep_mutex_);
    const bool is_delivered = delivered_.contains(id);
    lock.unlock();
    if (is_delivered || (seen_waiting_.contains(id) && deliver(id))) {
      done.push_back(id);
    } else {
      waiting.insert(id);
    }
  }
  seen_waiting_ = std::move(waiting);
  if (done.empty() || !apart()) return;
  const db::Store::Lease lease = store_.writer();
  db::Transaction transaction(*lease, db::Transaction::Mode::write);
  for (const int64_t id : done) take_out(*lease, id);
  transaction.commit();
  const std::lock_guard lock(keep_mutex_);
  for (const int64_t id : done) delivered_.erase(id);
}

std::optional<Leaf> StoreRecorder::destroy_bodies(uint64_t before, Entry entry) {
  entry.kind = "retention";
  entry.rows = static_cast<int64_t>(before);
  std::optional<Leaf> leaf = append_and_wait(std::move(entry));
  if (leaf) ledger_.destroy_bodies(0, std::min(before, leaf->seq));
  return leaf;
}

// --- checkpoints and proofs -----------------------------------------------------------------------------------------

Checkpoint StoreRecorder::checkpoint() {
  std::promise<Checkpoint> promise;
  std::future<Checkpoint> future = promise.get_future();
  {
    const std::lock_guard lock(mutex_);
    if (closed_) throw db::Error(db::Failure::unavailable, "the recorder is closing");
    checkpoints_wanted_.push_back(std::move(promise));
    writer_waits_ = false;
  }
  work_.notify_one();
  return future.get();
}

std::optional<InclusionProof> StoreRecorder::prove(uint64_t seq) {
  std::optional<Checkpoint> over = ledger_.last_checkpoint();
  if (!over || over->size <= seq) over = checkpoint();
  if (over->size <= seq) return std::nullopt;
  const std::shared_ptr<const Edge> edge = ledger_.edge();
  const db::Store::Lease lease = record_.reader();
  std::optional<StoredLeaf> leaf = ledger_.leaf(*lease, seq);
  if (!leaf) throw db::Error(db::Failure::corrupt, "a leaf is missing");
  std::optional<Entry> entry = decode(leaf->header, leaf->body);
  const std::optional<LeafView> header = LeafView::read(leaf->header, {});
  if (!entry || !header) throw db::Error(db::Failure::corrupt, "a leaf cannot be read");
  InclusionProof proof;
  proof.seq = seq;
  proof.size = over->size;
  proof.leaf_hash = leaf->hash;
  proof.recorded = header->recorded;
  proof.entry = std::move(*entry);
  proof.leaf = std::move(leaf->header);
  proof.body = std::move(leaf->body);
  proof.salt = std::move(leaf->salt);
  proof.path = TreeReader(edge->tree, ledger_.tiles(*lease)).inclusion(seq, over->size);
  proof.checkpoint = std::move(*over);
  return proof;
}

std::optional<std::vector<Hash>> StoreRecorder::consistency(uint64_t old_size, uint64_t new_size) {
  if (old_size > new_size) return std::nullopt;
  if (new_size > ledger_.edge()->tree.size()) checkpoint();  // another node may have appended
  const std::shared_ptr<const Edge> edge = ledger_.edge();
  if (new_size > edge->tree.size()) return std::nullopt;
  const db::Store::Lease lease = record_.reader();
  return TreeReader(edge->tree, ledger_.tiles(*lease)).consistency(old_size, new_size);
}

// --- keeper: outbox and witness, off the writer's path
// ----------------------------------------------------------------

void StoreRecorder::keep_loop() {
  for (;;) {
    bool last = false;
    {
      std::unique_lock lock(keep_mutex_);
      keep_.wait_for(lock, kKeepEvery, [&] { return keep_stop_ || checkpoint_made_; });
      last = keep_stop_;
      checkpoint_made_ = false;
    }
    try {
      feed_witness();
      note_size();
      if (!last && healthy_) sweep_outbox();
      note("store", std::nullopt);
    } catch (const std::exception&) {
      note("store", Text{"记录的后台整理暂时无法访问数据库，将自动重试",
                         "the record's housekeeping cannot reach the store now and will try again"});
    }
    if (last) return;
  }
}

void StoreRecorder::feed_witness() {
  if (!witness_) return;
  std::vector<Checkpoint> fresh;
  do {
    {
      const db::Store::Lease lease = record_.reader();
      fresh = ledger_.checkpoints_above(*lease, witnessed_, kWitnessAtOnce);
    }
    for (const Checkpoint& checkpoint : fresh) {
      const Witness::Outcome outcome = witness_->keep(checkpoint);
      if (outcome == Witness::Outcome::unreachable) {
        note("witness", Text{"无法写入见证目录，检查点只保存在本机，将自动重试",
                             "the witness folder cannot be written; checkpoints stay on this machine, will try again"});
        return;
      }
      if (outcome == Witness::Outcome::fork) {
        const std::string size = std::to_string(checkpoint.size);
        note("fork", Text{"见证目录中大小为 " + size + " 的检查点与本记录不同：记录曾被改写或由旧备份恢复",
                          "the witness has another checkpoint of size " + size +
                              ": the record was rewritten or restored from an old backup"});
      }
      witnessed_ = checkpoint.size;
    }
  } while (!fresh.empty());
  note("witness", std::nullopt);
}

void StoreRecorder::compare_with_witness() {
  const std::optional<Note> newest = witness_->newest();
  if (!newest) return;
  const std::string size = std::to_string(newest->size);
  const std::shared_ptr<const Edge> edge = ledger_.edge();
  if (newest->size > edge->tree.size()) {
    note("fork", Text{"见证目录中有大小为 " + size + " 的检查点，而本记录只有 " + std::to_string(edge->tree.size()) +
                          " 条：记录尾部被截断或由旧备份恢复",
                      "the witness knows " + size + " leaves, this record has " + std::to_string(edge->tree.size()) +
                          ": its tail was cut off or it was restored from an old backup"});
    return;
  }
  const db::Store::Lease lease = record_.reader();
  if (TreeReader(edge->tree, ledger_.tiles(*lease)).root(newest->size) != newest->root) {
    note("fork", Text{"见证目录中大小为 " + size + " 的检查点与本记录不同：记录曾被改写",
                      "the witness has another checkpoint of size " + size + ": the record was rewritten"});
    return;
  }
  witnessed_ = newest->size;
}

void StoreRecorder::note(const std::string& about, std::optional<Text> problem) {
  const std::lock_guard lock(keep_mutex_);
  if (problem) {
    problems_.insert_or_assign(about, std::move(*problem));
  } else {
    problems_.erase(about);
  }
}

std::vector<Text> StoreRecorder::problems() const {
  const std::lock_guard lock(keep_mutex_);
  std::vector<Text> all;
  for (const auto& [about, problem] : problems_) all.push_back(problem);
  return all;
}

}  // namespace

db::Options record_store(const db::Options& store) {
  db::Options own;
  own.create = store.create;
  own.busy_wait = store.busy_wait;
  own.readers = 4;
  if (store.url.starts_with("postgres://") || store.url.starts_with("postgresql://")) {
    own.url = store.url;
    own.writers = 2;  // the writer, and now and then the keeper
    own.attached_name = "record";
  } else {
    own.url = "sqlite:" + store.attached_path;
  }
  return own;
}

std::unique_ptr<Recorder> Recorder::open(db::Store& store, db::Store& record, const Clock& clock,
                                         const Options& options) {
  return std::make_unique<StoreRecorder>(store, record, clock, options);
}

Entry entry_of(const Hand& hand, std::string_view kind, std::string_view action, Instant now) {
  Entry entry;
  entry.time = now;
  entry.kind = kind;
  entry.account = hand.account;
  entry.person = hand.person;
  entry.session = hand.session;
  entry.post = hand.post;
  entry.unit = hand.unit;
  entry.action = action;
  entry.decision = "allowed";
  return entry;
}

Entry act_of(const Hand& hand, std::string_view action, std::string_view clause, Instant now) {
  Entry entry = entry_of(hand, hand.account == 0 ? "administration" : "act", action, now);
  entry.basis = "§" + std::string(clause);
  return entry;
}

std::optional<Leaf> Recorder::append_and_wait(Entry entry) {
  std::promise<std::optional<Leaf>> promise;
  std::future<std::optional<Leaf>> future = promise.get_future();
  append(std::move(entry), [&](std::optional<Leaf> leaf) { promise.set_value(std::move(leaf)); });
  return future.get();
}

}  // namespace jw::record
