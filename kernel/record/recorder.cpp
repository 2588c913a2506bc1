#include <atomic>
#include <condition_variable>
#include <future>
#include <map>
#include <thread>
#include <unordered_set>

#include "kernel/record/api.hpp"
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

  void finish_what_a_crash_left();
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
  Ledger ledger_;
  std::optional<Witness> witness_;
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
    : store_(store), record_(record), clock_(clock), options_(options), ledger_(record, clock, options) {
  {
    const db::Store::Lease lease = outbox_store().writer();
    db::Transaction transaction(*lease, db::Transaction::Mode::write);
    make_outbox(*lease);
    transaction.commit();
  }
  if (!options_.witness.empty()) {
    witness_.emplace(options_.witness);
    compare_with_witness();
  }
  writer_ = std::thread([this] { write_loop(); });
  try {
    finish_what_a_crash_left();
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

StoreRecorder::~StoreRecorder() {
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
      std::optional<Entry> entry = leaf ? decode(leaf->header, "") : std::nullopt;
      if (!entry) throw std::runtime_error("the record is not whole: an open intent cannot be read");
      entry->time = clock_.now();
      entry->decision = "aborted";
      entry->intent = seq;
      open.push_back(std::move(*entry));
    }
  }
  for (Entry& entry : open) {
    if (!append_and_wait(std::move(entry))) throw std::runtime_error("the record cannot be written");
  }
}

// --- appending ------------------------------------------------------------------------------------------------------

void StoreRecorder::append(Entry entry, Durable durable) {
  if (entry.time.us == 0) entry.time = clock_.now();
  enqueue({encode(entry), 0, 0, {}}, std::move(durable));
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
  const LeafBytes bytes = encode(timed);
  // Never used twice, not even after the store was restored from an older backup than the record.
  const auto id = static_cast<int64_t>(crypto::random_number(uint64_t{1} << 62) + 1);
  transaction.execute("INSERT INTO record_outbox (id, header, body, salt) VALUES ($1, $2, $3, $4)",
                      {id, db::Param::blob(bytes.header), db::Param::blob(bytes.body), db::Param::blob(bytes.salt)});
  return id;
}

std::optional<Leaf> StoreRecorder::deliver(int64_t outbox_id) {
  std::optional<Pending> pending;
  {
    const db::Store::Lease lease = outbox_store().private_reader();
    db::Rows rows = lease->query("SELECT header, body, salt FROM record_outbox WHERE id = $1", {outbox_id});
    if (rows.next()) {
      LeafBytes bytes{std::string(rows.blob(0)), std::string(rows.blob(1)), std::string(rows.blob(2))};
      pending = Pending{std::move(bytes), outbox_id, 0, {}};
    }
  }
  if (pending && !HeaderView::read(pending->bytes.header)) {
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
  for (const int64_t id : done) lease->execute("DELETE FROM record_outbox WHERE id = $1", {id});
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
  const std::optional<HeaderView> header = HeaderView::read(leaf->header);
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
