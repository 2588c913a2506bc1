#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <atomic>
#include <fstream>
#include <future>
#include <iterator>
#include <latch>
#include <set>
#include <thread>

#include "kernel/record/api.hpp"
#include "kernel/record/key_file.hpp"
#include "kernel/record/leaf.hpp"
#include "kernel/record/note.hpp"
#include "kernel/record/outbox.hpp"
#include "kernel/record/test_store.hpp"

namespace jw::record {
namespace {

using std::chrono::milliseconds;

class TestClock final : public Clock {
 public:
  Instant now() const override { return {us++}; }
  mutable std::atomic<int64_t> us = 1'763'881'200'000'000;
};

Entry query_entry(int64_t n) {
  Entry entry;
  entry.kind = "query";
  entry.account = 100 + n % 7;
  entry.person = 500 + n % 7;
  entry.session = n;
  entry.post = "student";
  entry.unit = "信息学院";
  entry.dataset = "grade";
  entry.action = "query";
  entry.purpose = "study";
  entry.decision = "allowed";
  entry.basis = "§2.3.1";
  entry.plan = "00ff";
  entry.parameters = "{\"n\":" + std::to_string(n) + "}";
  entry.rows = 50;
  entry.subjects = {{Subject::Kind::person, 500 + n % 7, 1}};
  return entry;
}

Entry act_entry(int64_t n) {
  Entry entry = query_entry(n);
  entry.kind = "act";
  return entry;
}

class RecorderTest : public testing::TestWithParam<db::Dialect> {
 protected:
  void SetUp() override {
    if (!TestStore::available(GetParam())) {
      GTEST_SKIP() << "JIAOWU_TEST_PG is not set";
    }
    store_ = std::make_unique<TestStore>(GetParam());
    options_.key_file = store_->key_file();
    reopen_stores();
  }
  void TearDown() override {
    recorder_.reset();
    stores_.reset();
  }
  void reopen_stores() {
    recorder_.reset();
    stores_.reset();
    stores_ = std::make_unique<OpenStores>(store_->options());
  }
  Recorder& open() {
    recorder_.reset();
    recorder_ = Recorder::open(*stores_->main, *stores_->record, clock_, options_);
    return *recorder_;
  }
  void close() { recorder_.reset(); }
  std::vector<Text> problems(const std::string& against = "") {
    const auto reader = stores_->main->reader();
    return verify(*reader, options_.kept, {against, options_.key_file}).problems;
  }
  int64_t number(const std::string& sql) {
    const auto reader = stores_->main->reader();
    db::Rows rows = reader->query(sql);
    return rows.next() ? rows.integer(0) : -1;
  }
  void append_many(int64_t count) {
    std::atomic<int64_t> left = count;
    std::promise<void> done;
    for (int64_t i = 0; i < count; ++i) {
      recorder_->append(query_entry(i), [&](const std::optional<Leaf>& leaf) {
        EXPECT_TRUE(leaf);
        if (--left == 0) done.set_value();
      });
    }
    if (count > 0) done.get_future().wait();
  }
  template <class Condition>
  static bool within(milliseconds limit, const Condition& condition) {
    const auto until = std::chrono::steady_clock::now() + limit;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > until) return false;
      std::this_thread::sleep_for(milliseconds(5));
    }
    return true;
  }

  std::unique_ptr<TestStore> store_;
  std::unique_ptr<OpenStores> stores_;
  TestClock clock_;
  Options options_;
  std::unique_ptr<Recorder> recorder_;
};

INSTANTIATE_TEST_SUITE_P(Stores, RecorderTest, testing::Values(db::Dialect::sqlite, db::Dialect::postgres),
                         [](const auto& parameter) {
                           return parameter.param == db::Dialect::sqlite ? "sqlite" : "postgres";
                         });

void expect_none(const std::vector<Text>& problems) {
  for (const Text& problem : problems) ADD_FAILURE() << problem.en << " / " << problem.zh;
}

void expect_proved(Recorder& recorder, uint64_t seq) {
  const auto proof = recorder.prove(seq);
  ASSERT_TRUE(proof) << seq;
  const auto key = VerifierKey::parse(recorder.public_key());
  const auto note = Note::parse(proof->checkpoint.text);
  ASSERT_TRUE(key && note);
  EXPECT_TRUE(note->signed_by(*key));
  EXPECT_EQ(note->size, proof->size);
  EXPECT_EQ(leaf_hash(proof->leaf), proof->leaf_hash);
  EXPECT_EQ(hash_of(LeafView::read(proof->leaf, {})->body_digest), salted_digest(proof->salt, proof->body));
  EXPECT_TRUE(inclusion_holds(proof->leaf_hash, seq, proof->size, proof->path, note->root)) << seq;
}

TEST_P(RecorderTest, AppendsAndProves) {
  Recorder& recorder = open();
  EXPECT_EQ(recorder.size(), 0U);
  EXPECT_FALSE(recorder.prove(0));
  for (uint64_t i = 0; i < 20; ++i) {
    const auto leaf = recorder.append_and_wait(query_entry(static_cast<int64_t>(i)));
    ASSERT_TRUE(leaf);
    EXPECT_EQ(leaf->seq, i);
    EXPECT_EQ(leaf->id(), "jiaowu.local/record/" + std::to_string(i));
    expect_proved(recorder, i);
  }
  EXPECT_EQ(recorder.size(), 20U);
  EXPECT_FALSE(recorder.prove(20));
  EXPECT_FALSE(recorder.prove(~uint64_t{0}));
  const auto proof = recorder.prove(3);
  EXPECT_EQ(proof->entry.basis, "§2.3.1");
  EXPECT_EQ(proof->entry.parameters, "{\"n\":3}");
  EXPECT_EQ(proof->entry.subjects.size(), 1U);
  EXPECT_NE(proof->entry.time.us, 0) << "0 means now";
  expect_none(problems());
}

TEST_P(RecorderTest, ManyThreadsGetNumbersWithoutGapsAndCallbacksInOrder) {
  Recorder& recorder = open();
  constexpr int kThreads = 8;
  constexpr int kEach = 400;
  std::vector<uint64_t> order;  // only the writer's thread touches it
  std::latch done(kThreads * kEach);
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < kEach; ++i) {
          recorder.append(query_entry(t * kEach + i), [&](const std::optional<Leaf>& leaf) {
            order.push_back(leaf.value().seq);
            done.count_down();
          });
        }
      });
    }
  }
  done.wait();
  ASSERT_EQ(order.size(), static_cast<size_t>(kThreads * kEach));
  for (size_t i = 0; i < order.size(); ++i) ASSERT_EQ(order[i], i);
  EXPECT_EQ(number("SELECT count(*) FROM record.leaf"), kThreads * kEach);
  EXPECT_EQ(number("SELECT count(*) FROM record.access_log"), kThreads * kEach);
  for (const uint64_t seq : {0U, 255U, 256U, 1000U, 3199U}) expect_proved(recorder, seq);
  close();
  expect_none(problems());
}

TEST_P(RecorderTest, GoesOnWhereItWas) {
  std::vector<Checkpoint> checkpoints;
  uint64_t size = 0;
  for (const int64_t grow : {0, 1, 255, 1, 300, 700}) {
    reopen_stores();
    Recorder& recorder = open();
    EXPECT_EQ(recorder.size(), size);
    append_many(grow);
    size += static_cast<uint64_t>(grow);
    const Checkpoint now = recorder.checkpoint();
    EXPECT_EQ(now.size, size);
    for (const Checkpoint& old : checkpoints) {
      const auto path = recorder.consistency(old.size, now.size);
      ASSERT_TRUE(path);
      EXPECT_TRUE(consistency_holds(old.size, old.root, now.size, now.root, *path)) << old.size << " to " << now.size;
    }
    checkpoints.push_back(now);
    EXPECT_FALSE(recorder.consistency(0, size + 1));
    EXPECT_FALSE(recorder.consistency(size + 1, size));
    if (size > 0) expect_proved(recorder, size / 2);
  }
  close();
  for (const Checkpoint& checkpoint : checkpoints) expect_none(problems(checkpoint.text));
}

TEST_P(RecorderTest, AnotherOriginIsRefused) {
  open();
  close();
  options_.origin = "example.edu/record";
  EXPECT_THROW(open(), std::runtime_error);
  options_.origin = "with space";
  EXPECT_THROW(open(), std::runtime_error);
}

TEST_P(RecorderTest, WhoReadMeHasOneRowForEachSubject) {
  Recorder& recorder = open();
  Entry entry = query_entry(0);
  entry.time = {77};
  entry.subjects = {{Subject::Kind::person, 4711, 1}, {Subject::Kind::group, 12, 38}};
  ASSERT_TRUE(recorder.append_and_wait(entry));
  const auto reader = stores_->main->reader();
  db::Rows rows = reader->query(
      "SELECT leaf, time_us, subject, count, person, account, post, unit, dataset, action, purpose, basis "
      "FROM record.access_log WHERE subject_kind = $1 AND subject = $2 ORDER BY time_us DESC",
      {1, 12});
  ASSERT_TRUE(rows.next());
  EXPECT_EQ(rows.integer(0), 0);
  EXPECT_EQ(rows.integer(1), 77);
  EXPECT_EQ(rows.integer(3), 38);
  EXPECT_EQ(rows.integer(4), entry.person);
  EXPECT_EQ(rows.text(7), "信息学院");
  EXPECT_EQ(rows.text(11), "§2.3.1");
  EXPECT_FALSE(rows.next());
}

TEST_P(RecorderTest, AnIntentWithoutOutcomeIsClosedAsAborted) {
  Recorder& recorder = open();
  Entry intent = query_entry(1);
  intent.kind = "export";
  intent.decision = "intent";
  const auto first = recorder.append_and_wait(intent);
  const auto second = recorder.append_and_wait(intent);
  Entry outcome = intent;
  outcome.decision = "allowed";
  outcome.intent = first->seq;
  ASSERT_TRUE(recorder.append_and_wait(outcome));
  EXPECT_EQ(number("SELECT count(*) FROM record.open_intent"), 1);
  const std::string mine = options_.node;
  options_.node = "command";
  EXPECT_EQ(open().size(), 3U) << "another process's intents are not ours to close";
  options_.node = mine;
  Recorder& again = open();
  EXPECT_EQ(again.size(), 4U);
  const auto proof = again.prove(3);
  EXPECT_EQ(proof->entry.decision, "aborted");
  EXPECT_EQ(proof->entry.kind, "export");
  EXPECT_EQ(proof->entry.intent, second->seq);
  EXPECT_EQ(number("SELECT count(*) FROM record.open_intent"), 0);
  EXPECT_EQ(open().size(), 4U);
  expect_none(problems());
}

TEST_P(RecorderTest, AnIntentWhoseOutcomeWaitsInTheOutboxIsNotAborted) {
  Recorder& recorder = open();
  Entry entry = query_entry(1);
  entry.kind = "export";
  entry.decision = "intent";
  entry.intent = recorder.append_and_wait(entry)->seq;
  entry.decision = "allowed";
  {
    const auto writer = stores_->main->writer();
    db::Transaction transaction(*writer, db::Transaction::Mode::write);
    recorder.put_in_outbox(*writer, entry);
    transaction.commit();
  }
  Recorder& again = open();  // as after a crash between commit and delivery
  EXPECT_EQ(again.size(), 2U);
  EXPECT_EQ(again.prove(1)->entry.decision, "allowed");
  EXPECT_EQ(number("SELECT count(*) FROM record.open_intent"), 0);
  expect_none(problems());
}

TEST_P(RecorderTest, OutboxIsDeliveredOnceEvenWhenAsked) {
  Recorder& recorder = open();
  int64_t id = 0;
  int64_t never = 0;
  {
    const auto writer = stores_->main->writer();
    {
      db::Transaction transaction(*writer, db::Transaction::Mode::write);
      id = recorder.put_in_outbox(*writer, act_entry(1));
      transaction.commit();
    }
    db::Transaction transaction(*writer, db::Transaction::Mode::write);
    never = recorder.put_in_outbox(*writer, act_entry(2));
  }
  EXPECT_EQ(recorder.deliver(never), std::nullopt) << "rolled back";
  std::vector<std::optional<Leaf>> leaves(6);
  {
    std::vector<std::jthread> threads;
    for (auto& leaf : leaves) threads.emplace_back([&] { leaf = recorder.deliver(id); });
  }
  for (const auto& leaf : leaves) {
    ASSERT_TRUE(leaf);
    EXPECT_EQ(leaf->seq, 0U);
  }
  EXPECT_EQ(recorder.size(), 1U);
  EXPECT_TRUE(within(milliseconds(5000), [&] { return number("SELECT count(*) FROM record_outbox") == 0; }));
  EXPECT_EQ(recorder.deliver(id)->seq, 0U) << "also long after";
  expect_none(problems());
}

TEST_P(RecorderTest, OutboxLeftByACrashIsDeliveredAtTheNextStart) {
  {
    Recorder& recorder = open();
    const auto writer = stores_->main->writer();
    db::Transaction transaction(*writer, db::Transaction::Mode::write);
    for (int i = 0; i < 5; ++i) recorder.put_in_outbox(*writer, act_entry(i));
    transaction.commit();
  }
  close();  // within less than the keeper's two looks
  EXPECT_EQ(number("SELECT count(*) FROM record.leaf"), 0);
  EXPECT_EQ(open().size(), 5U);
  EXPECT_EQ(open().size(), 5U);
  EXPECT_TRUE(within(milliseconds(5000), [&] { return number("SELECT count(*) FROM record_outbox") == 0; }));
  expect_none(problems());
}

TEST_P(RecorderTest, OutboxNobodyDeliversIsSweptIn) {
  Recorder& recorder = open();
  {
    const auto writer = stores_->main->writer();
    db::Transaction transaction(*writer, db::Transaction::Mode::write);
    recorder.put_in_outbox(*writer, act_entry(1));
    transaction.commit();
  }
  EXPECT_TRUE(within(milliseconds(8000), [&] { return recorder.size() == 1; }));
  EXPECT_TRUE(within(milliseconds(5000), [&] { return number("SELECT count(*) FROM record_outbox") == 0; }));
  EXPECT_EQ(recorder.size(), 1U);
}

// design §7: "A long batch never delays a read."
TEST_P(RecorderTest, ALongTransactionOfTheStoreDoesNotDelayTheRecord) {
  Recorder& recorder = open();
  const auto writer = stores_->main->writer();
  db::Transaction transaction(*writer, db::Transaction::Mode::write);
  recorder.put_in_outbox(*writer, act_entry(0));
  auto leaf = std::async(std::launch::async, [&] { return recorder.append_and_wait(query_entry(1)); });
  ASSERT_EQ(leaf.wait_for(std::chrono::seconds(3)), std::future_status::ready);
  EXPECT_TRUE(leaf.get());
}

TEST_P(RecorderTest, CheckpointsComeByThemselvesWhileThereIsNews) {
  options_.checkpoint_every = milliseconds(100);
  Recorder& recorder = open();
  append_many(3);
  EXPECT_TRUE(within(milliseconds(3000), [&] { return number("SELECT max(size) FROM record.checkpoint") == 3; }));
  append_many(2);
  EXPECT_TRUE(within(milliseconds(3000), [&] { return number("SELECT max(size) FROM record.checkpoint") == 5; }));
  const int64_t count = number("SELECT count(*) FROM record.checkpoint");
  std::this_thread::sleep_for(milliseconds(350));
  EXPECT_EQ(number("SELECT count(*) FROM record.checkpoint"), count) << "no news, no checkpoint";
  EXPECT_EQ(recorder.checkpoint().size, 5U);
  EXPECT_EQ(number("SELECT count(*) FROM record.checkpoint"), count);
  options_.checkpoint_every = milliseconds(3'600'000);
  open();
  append_many(4);
  close();
  EXPECT_EQ(number("SELECT max(size) FROM record.checkpoint"), 9) << "the last one is made when closing";
}

std::set<std::string> names_in(const std::filesystem::path& folder) {
  std::set<std::string> names;
  for (const auto& file : std::filesystem::directory_iterator(folder)) names.insert(file.path().filename());
  return names;
}
std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST_P(RecorderTest, CheckpointsLeaveTheMachine) {
  options_.witness = store_->folder() / "witness";
  std::filesystem::create_directory(options_.witness);
  Recorder& recorder = open();
  append_many(3);
  const Checkpoint three = recorder.checkpoint();
  append_many(1);
  recorder.checkpoint();
  close();
  const std::set<std::string> names = names_in(options_.witness);
  EXPECT_TRUE(names.contains("3") && names.contains("4"));
  for (const std::string& name : names) {
    const auto note = Note::parse(text_of(std::filesystem::path(options_.witness) / name));
    ASSERT_TRUE(note) << name;
    EXPECT_EQ(std::to_string(note->size), name);
    expect_none(problems(text_of(std::filesystem::path(options_.witness) / name)));
  }
  EXPECT_EQ(text_of(std::filesystem::path(options_.witness) / "3"), three.text);
  EXPECT_TRUE(open().problems().empty());
}

TEST_P(RecorderTest, AnUnreachableWitnessIsToldAndFedLater) {
  options_.witness = store_->folder() / "witness";
  Recorder& recorder = open();
  append_many(2);
  recorder.checkpoint();
  EXPECT_TRUE(within(milliseconds(5000), [&] { return recorder.problems().size() == 1; }));
  EXPECT_TRUE(recorder.healthy());
  std::filesystem::create_directory(options_.witness);
  EXPECT_TRUE(within(milliseconds(5000), [&] { return recorder.problems().empty(); }));
  EXPECT_TRUE(names_in(options_.witness).contains("2"));
}

TEST_P(RecorderTest, AForkIsReportedAndTheWitnessKeepsWhatItHas) {
  options_.witness = store_->folder() / "witness";
  std::filesystem::create_directory(options_.witness);
  const crypto::SigningKey key = crypto::SigningKey::from_seed(std::string(32, 'k'));
  const std::string other = sign_checkpoint(key, options_.origin, 2, leaf_hash("other"));
  std::ofstream(std::filesystem::path(options_.witness) / "2") << other;
  Recorder& recorder = open();
  ASSERT_EQ(recorder.problems().size(), 1U) << "the witness knows 2 leaves, we have none";
  EXPECT_THAT(recorder.problems()[0].en, testing::HasSubstr("cut off"));
  append_many(2);
  recorder.checkpoint();
  EXPECT_TRUE(within(milliseconds(5000), [&] {
    const auto all = recorder.problems();
    return all.size() == 1 && all[0].en.find("has another checkpoint of size 2") != std::string::npos;
  }));
  close();
  EXPECT_EQ(text_of(std::filesystem::path(options_.witness) / "2"), other);
  EXPECT_THAT(open().problems(), testing::SizeIs(1)) << "also at the next start";
}

TEST_P(RecorderTest, AFullQueueMakesAppendersWaitAndDropsNothing) {
  options_.queue_max = 8;
  options_.batch_max = 4;
  Recorder& recorder = open();
  std::atomic<int> durable = 0;
  std::atomic<int> given = 0;
  std::jthread appender;
  {
    // Keeps the recorder's own writers, so that nothing can be committed.
    const auto first = stores_->record->writer();
    std::optional<db::Store::Lease> second;
    if (GetParam() == db::Dialect::postgres) second.emplace(stores_->record->writer());
    appender = std::jthread([&] {
      for (int i = 0; i < 40; ++i) {
        recorder.append(query_entry(i), [&](const std::optional<Leaf>& leaf) { durable += leaf ? 1 : 0; });
        ++given;
      }
    });
    std::this_thread::sleep_for(milliseconds(300));
    EXPECT_LE(given, 8 + 4);
    EXPECT_GE(given, 8);
    EXPECT_EQ(durable, 0);
  }
  EXPECT_TRUE(within(milliseconds(5000), [&] { return durable == 40; }));
}

TEST_P(RecorderTest, ClosingCommitsWhatWaits) {
  Recorder& recorder = open();
  std::atomic<int> durable = 0;
  for (int i = 0; i < 3000; ++i) {
    recorder.append(query_entry(i), [&](const std::optional<Leaf>& leaf) { durable += leaf ? 1 : 0; });
  }
  close();
  EXPECT_EQ(durable, 3000);
  expect_none(problems());
}

TEST_P(RecorderTest, TwoRecordersAppendToOneTree) {
  OpenStores others(store_->options());
  Recorder& one = open();
  Options second_options = options_;
  second_options.node = "second";
  const auto two = Recorder::open(*others.main, *others.record, clock_, second_options);
  EXPECT_EQ(one.public_key(), two->public_key());
  std::mutex mutex;
  std::set<uint64_t> seen;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        Recorder& recorder = t % 2 == 0 ? one : *two;
        for (int i = 0; i < 150; ++i) {
          const auto leaf = recorder.append_and_wait(query_entry(i));
          ASSERT_TRUE(leaf);
          const std::lock_guard lock(mutex);
          ASSERT_TRUE(seen.insert(leaf->seq).second) << leaf->seq;
        }
      });
    }
  }
  EXPECT_EQ(seen.size(), 600U);
  EXPECT_EQ(*seen.rbegin(), 599U);
  EXPECT_TRUE(one.healthy() && two->healthy());
  for (const uint64_t seq : {0U, 299U, 599U}) {
    expect_proved(one, seq);
    expect_proved(*two, seq);
  }
  const Checkpoint a = one.checkpoint();
  const Checkpoint b = two->checkpoint();
  EXPECT_EQ(a.text, b.text);
  expect_none(problems(a.text));
}

TEST_P(RecorderTest, BodiesMayBeDestroyedAndProofsStillHold) {
  Recorder& recorder = open();
  append_many(300);
  const Checkpoint before = recorder.checkpoint();
  const auto leaf = recorder.destroy_bodies(250, query_entry(0));
  ASSERT_TRUE(leaf);
  EXPECT_EQ(number("SELECT count(*) FROM record.leaf WHERE body IS NULL AND body_salt IS NULL"), 250);
  EXPECT_EQ(number("SELECT count(*) FROM record.access_log WHERE leaf < 250"), 0);
  const auto proof = recorder.prove(100);
  ASSERT_TRUE(proof);
  EXPECT_TRUE(proof->body.empty() && proof->salt.empty() && proof->entry.parameters.empty());
  EXPECT_TRUE(inclusion_holds(proof->leaf_hash, 100, proof->size, proof->path, proof->checkpoint.root));
  expect_proved(recorder, 250);
  expect_none(problems(before.text));
}

// --- records made before
// ------------------------------------------------------------------------------------------------------

TEST_P(RecorderTest, ARecordThatHeldItsKeyItselfGetsAFileForIt) {
  const std::string before = open().public_key();
  append_many(10);
  close();
  const std::string seed = read_key_file(options_.key_file);
  {
    const auto own = stores_->record->writer();
    const std::string p(own_prefix(GetParam()));
    own->script("DROP TABLE " + p + "bond; DROP TABLE " + p + "written; UPDATE " + p +
                "head SET version = 1; ALTER TABLE " + p + "head DROP COLUMN seal; ALTER TABLE " + p +
                "checkpoint ADD COLUMN time_us BIGINT NOT NULL DEFAULT 0");
    own->script(
        db::in_dialect(GetParam(), "CREATE TABLE " + p + "record_key (id INTEGER PRIMARY KEY, seed BLOB NOT NULL)"));
    own->execute("INSERT INTO " + p + "record_key (id, seed) VALUES (1, $1)", {db::Param::blob(seed)});
    stores_->main->writer()->script(
        "DROP TABLE record_bond; DROP TABLE record_turn; ALTER TABLE record_outbox DROP COLUMN seal");
  }
  std::filesystem::remove(options_.key_file);
  reopen_stores();
  EXPECT_EQ(open().public_key(), before);
  EXPECT_EQ(read_key_file(options_.key_file), seed);
  EXPECT_EQ(std::filesystem::status(options_.key_file).permissions() & std::filesystem::perms::all,
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  EXPECT_THROW(number("SELECT count(*) FROM record.record_key"), db::Error);
  expect_none(problems());
}

// A table that is kept: rows of every transaction have their leaf, also without an act.
TEST_P(RecorderTest, EveryWritingHasItsTurnAndItsLeaf) {
  stores_->main->writer()->script("CREATE TABLE pupil (id BIGINT PRIMARY KEY, name TEXT NOT NULL)");
  stores_->main->writer()->execute("INSERT INTO pupil (id, name) VALUES (1, 'a')");
  options_.kept.tables["pupil"];
  Recorder& recorder = open();
  EXPECT_EQ(recorder.size(), 1U) << "what is there is stated";
  stores_->main->writer()->execute("INSERT INTO pupil (id, name) VALUES (2, 'b')");
  {
    const auto writer = stores_->main->writer();
    db::Transaction transaction(*writer, db::Transaction::Mode::write);
    writer->execute("UPDATE pupil SET name = 'c' WHERE id = 2");
    recorder.put_in_outbox(*writer, act_entry(1));
    writer->execute("DELETE FROM pupil WHERE id = 1");
    transaction.commit();
  }
  expect_none(problems());  // on their way
  EXPECT_TRUE(within(milliseconds(8000), [&] { return recorder.size() == 3; }));
  close();
  EXPECT_EQ(number("SELECT count(*) FROM record.written"), 3);
  EXPECT_EQ(number("SELECT turn FROM record_bond"), 3);
  expect_none(problems());
  stores_->main->writer()->execute("UPDATE pupil SET name = 'b' WHERE id = 2");
  ASSERT_EQ(problems().size(), 1U);
  EXPECT_NE(problems()[0].en.find("row 2 of table pupil"), std::string::npos);
  stores_->main->writer()->execute("UPDATE pupil SET name = 'c' WHERE id = 2");
  stores_->record->writer()->execute("DELETE FROM " + std::string(own_prefix(GetParam())) + "written WHERE turn = 2");
  EXPECT_FALSE(problems().empty());
}

// --- somebody who writes into the files, without the key
// ------------------------------------------------------------------------------

class ForgedTest : public RecorderTest {
 protected:
  std::string own(std::string sql) const {
    const std::string prefix(own_prefix(GetParam()));
    for (size_t at = sql.find('@'); at != std::string::npos; at = sql.find('@')) sql.replace(at, 1, prefix);
    return sql;
  }
  void in_store(const std::string& sql, std::vector<db::Param> values = {}) {
    EXPECT_GT(stores_->main->writer()->execute(sql, values), 0) << sql;
  }
  void in_record(const std::string& sql, std::vector<db::Param> values = {}) {
    EXPECT_GT(stores_->record->writer()->execute(own(sql), values), 0) << sql;
  }
  void forge(int64_t id, const Entry& entry, const std::string& seal) {
    const LeafBytes bytes = encode(entry);
    in_store("INSERT INTO record_outbox (id, header, body, salt, seal) VALUES ($1, $2, $3, $4, $5)",
             {id, db::Param::blob(bytes.header), db::Param::blob(bytes.body), db::Param::blob(bytes.salt),
              db::Param::blob(seal)});
  }
  int64_t put(const Entry& entry) {
    const auto writer = stores_->main->writer();
    db::Transaction transaction(*writer, db::Transaction::Mode::write);
    const int64_t id = recorder_->put_in_outbox(*writer, entry);
    transaction.commit();
    return id;
  }
  std::string apart() {
    try {
      open();
      return "";
    } catch (const Apart& error) {
      return error.text().en;
    }
  }
  testing::Matcher<std::vector<Text>> tells(const std::string& part) {
    return testing::Contains(testing::Field(&Text::en, testing::HasSubstr(part)));
  }
  void keep_pupils() {
    stores_->main->writer()->script("CREATE TABLE pupil (id BIGINT PRIMARY KEY, name TEXT NOT NULL)");
    stores_->main->writer()->execute("INSERT INTO pupil (id, name) VALUES (1, 'a')");
    options_.kept.tables["pupil"];
    open();
    close();
  }
};
INSTANTIATE_TEST_SUITE_P(Stores, ForgedTest, testing::Values(db::Dialect::sqlite, db::Dialect::postgres),
                         [](const auto& parameter) {
                           return parameter.param == db::Dialect::sqlite ? "sqlite" : "postgres";
                         });

TEST_P(ForgedTest, AnEntryThatThisSystemDidNotPutThereIsNotTaken) {
  open();
  append_many(3);
  close();
  Entry backdated = act_entry(1);
  backdated.time = {1};
  Entry destruction = act_entry(2);
  destruction.kind = "retention";
  destruction.rows = 3;
  forge(1, backdated, std::string(32, '\0'));
  forge(2, destruction, "");
  EXPECT_THAT(problems(), tells("entry 1 on its way into the record was not put there by this system"));
  EXPECT_THAT(problems(), tells("entry 2 on its way"));
  Recorder& recorder = open();
  EXPECT_EQ(recorder.size(), 3U);
  EXPECT_THAT(recorder.problems(), tells("not put there by this system"));
  EXPECT_EQ(recorder.deliver(1), std::nullopt);
  std::this_thread::sleep_for(milliseconds(2500));  // the keeper has looked twice
  EXPECT_EQ(recorder.size(), 3U);
  EXPECT_THROW(put(destruction), std::invalid_argument);
  close();
  options_.adopt = true;
  EXPECT_EQ(open().size(), 4U);
  EXPECT_NE(recorder_->prove(3)->entry.parameters.find("\"unsealed\":2"), std::string::npos);
  close();
  expect_none(problems());
}

TEST_P(ForgedTest, AnEntryThatWasChangedOnItsWayIsNotTaken) {
  open();
  const int64_t id = put(act_entry(1));
  close();
  const LeafBytes other = encode(act_entry(2));
  in_store("UPDATE record_outbox SET header = $1, body = $2, salt = $3",
           {db::Param::blob(other.header), db::Param::blob(other.body), db::Param::blob(other.salt)});
  EXPECT_EQ(open().size(), 0U);
  EXPECT_EQ(recorder_->deliver(id), std::nullopt);
  close();
  EXPECT_THAT(problems(), tells("was not put there by this system"));
}

TEST_P(ForgedTest, AWritingThatThisSystemDidNotSealIsNotTaken) {
  keep_pupils();
  in_store("UPDATE pupil SET name = 'b'");
  Rows rows{2, false, {{"pupil", false, false, {}, {}}}};
  {
    const auto writer = stores_->main->writer();
    db::Transaction transaction(*writer, db::Transaction::Mode::write);
    rows.tables[0].rows = read_whole(*writer, "pupil", false, {"id", "name"}, {"id"}).rows;
  }
  forge(1, act_entry(1), "");
  in_store("INSERT INTO record_turn (outbox, turn, bytes, salt) VALUES (1, 2, $1, $2)",
           {db::Param::blob(encode(rows)), db::Param::blob("0123456789abcdef")});
  in_store("UPDATE record_bond SET turn = 2");
  EXPECT_THAT(problems(), tells("entry 1 on its way"));
  EXPECT_THAT(problems(), tells("row 1 of table pupil"));
  EXPECT_THAT(apart(), testing::HasSubstr("not on record"));
}

TEST_P(ForgedTest, WithoutTheKeyFileItIsSaidThatWhatWaitsCannotBeChecked) {
  open();
  put(act_entry(1));
  close();
  const auto reader = stores_->main->reader();
  const Verified without = verify(*reader, {}, {});
  EXPECT_THAT(without.remarks, tells("1 entries are on their way: without the key file"));
  EXPECT_THAT(verify(*reader, {}, {{}, options_.key_file}).remarks, testing::IsEmpty());
}

TEST_P(ForgedTest, WhatLeavesStatedIsNotStatedAnewUnseen) {
  keep_pupils();
  in_store("UPDATE pupil SET name = 'b'");
  in_store("DELETE FROM record_bond");
  EXPECT_THAT(apart(), testing::HasSubstr("belongs to another store"));
  in_record("DELETE FROM @bond");
  EXPECT_THAT(apart(), testing::HasSubstr("nor does the store know of it"));
  EXPECT_FALSE(problems().empty());
}

TEST_P(ForgedTest, AnotherStatementOfATableIsNamed) {
  keep_pupils();
  open();
  in_store("UPDATE pupil SET name = 'c'");
  close();
  open();
  const Sealer sealer(read_key_file(options_.key_file));
  {
    const auto writer = stores_->main->writer();
    db::Transaction transaction(*writer, db::Transaction::Mode::write);
    const int64_t id = recorder_->put_in_outbox(*writer, act_entry(1));
    writer->execute("UPDATE record_bond SET turn = 3");
    record::put_rows(*writer, sealer, id, {3, false, {read_whole(*writer, "pupil", false, {"id", "name"}, {"id"})}});
    transaction.commit();
  }
  close();
  open();
  close();
  EXPECT_THAT(problems(), tells("states the table pupil anew for no reason"));
}

TEST_P(ForgedTest, AnAdoptionStatesRowsAnewAndIsTold) {
  keep_pupils();
  in_store("UPDATE pupil SET name = 'b'");
  options_.adopt = true;
  options_.adopt_reason = "Tuesday";
  EXPECT_EQ(open().size(), 2U) << "bonds fit, rows do not";
  close();
  expect_none(problems());
  const auto reader = stores_->main->reader();
  EXPECT_THAT(verify(*reader, options_.kept, {{}, options_.key_file}).remarks,
              tells("(record_adopted) states 1 tables anew"));
}

TEST_P(ForgedTest, ARewrittenRecordWithoutCheckpointsIsNotTaken) {
  open();
  append_many(10);
  close();
  in_store("UPDATE record_bond SET size = 0");
  EXPECT_THAT(apart(), testing::HasSubstr("not what its signed checkpoint says"));
  EXPECT_THAT(problems(), tells("not what its signed checkpoint says"));
  in_store("UPDATE record_bond SET note = ''");
  EXPECT_EQ(apart(), "") << "as before the store was told";
  close();
  in_record("DELETE FROM @checkpoint");
  EXPECT_THAT(apart(), testing::HasSubstr("checkpoints were removed"));
  EXPECT_THAT(problems(), tells("checkpoints were removed"));
  in_store("UPDATE record_bond SET size = 0, note = ''");
  std::string header;
  {
    const auto reader = stores_->record->reader();
    db::Rows rows = reader->query(own("SELECT header FROM @leaf WHERE seq = 4"));
    ASSERT_TRUE(rows.next());
    header = rows.blob(0);
  }
  header[24] = static_cast<char>(header[24] ^ 1);
  in_record(
      "UPDATE @leaf SET header = $1, hash = $2, time_us = $3 WHERE seq = 4",
      {db::Param::blob(header), db::Param::blob(bytes_of(leaf_hash(header))), LeafView::read(header, {})->time.us});
  EXPECT_THAT(problems(), tells("the last 10 leaves are under no checkpoint and their seal does not hold"));
  EXPECT_THAT(apart(), testing::HasSubstr("last 10 leaves are under no checkpoint"));
  in_record("UPDATE @head SET seal = NULL");
  EXPECT_THAT(apart(), testing::HasSubstr("last 10 leaves are under no checkpoint")) << "as of an older version";
}

TEST_P(ForgedTest, LeavesAppendedWithoutTheKeyAreNotTaken) {
  const auto append = [&](int64_t seq) {
    LeafBytes bytes = encode(act_entry(77));
    place_leaf(bytes.header, static_cast<uint64_t>(seq), {4'000'000'000'000'000});
    in_record(
        "INSERT INTO @leaf (seq, time_us, account, person, kind, dataset, header, body, body_salt, hash) "
        "VALUES ($1, 0, 0, 0, 'act', '', $2, $3, $4, $5)",
        {seq, db::Param::blob(bytes.header), db::Param::blob(bytes.body), db::Param::blob(bytes.salt),
         db::Param::blob(bytes_of(leaf_hash(bytes.header)))});
    in_record("UPDATE @head SET size = $1", {seq + 1});
  };
  open();
  append_many(3);
  append(3);
  EXPECT_EQ(recorder_->append_and_wait(query_entry(1)), std::nullopt) << "while it runs";
  close();
  EXPECT_THAT(apart(), testing::HasSubstr("under no checkpoint"));
  EXPECT_THAT(problems(), tells("seal does not hold"));
}

TEST_P(ForgedTest, AnInventedIntentIsNotAborted) {
  open();
  Entry intent = query_entry(1);
  intent.kind = "export";
  intent.decision = "intent";
  ASSERT_TRUE(recorder_->append_and_wait(query_entry(0)));
  const uint64_t closed = recorder_->append_and_wait(intent)->seq;
  intent.decision = "allowed";
  intent.intent = closed;
  ASSERT_TRUE(recorder_->append_and_wait(intent));
  close();
  for (const char* seq : {"0", "1"})
    in_record(std::string("INSERT INTO @open_intent (seq, node) VALUES (") + seq + ", 'server')");
  EXPECT_EQ(open().size(), 3U);
  close();
  EXPECT_THAT(problems(), tells("leaf 0 is no open intent"));
  EXPECT_THAT(problems(), tells("leaf 1 is no open intent"));
  in_record("DELETE FROM @open_intent");
  open();
  intent.decision = "intent";
  intent.intent.reset();
  ASSERT_TRUE(recorder_->append_and_wait(intent));
  close();
  expect_none(problems());
  in_record("DELETE FROM @open_intent");
  EXPECT_THAT(problems(), tells("leaf 3 is an open intent and is not listed"));
}

TEST_P(ForgedTest, ALeafThatStandsForAnotherEntryIsNamed) {
  open();
  append_many(1);
  const int64_t id = put(act_entry(1));
  in_record("UPDATE @leaf SET outbox = $1 WHERE seq = 0", {id});
  EXPECT_EQ(recorder_->deliver(id), std::nullopt);
  EXPECT_THAT(recorder_->problems(), tells("leaf 0 stands for an entry"));
  close();
  EXPECT_THAT(problems(), tells("leaf 0 stands for an entry"));
}

TEST_P(ForgedTest, AnEntryIsOnRecordOnce) {
  open();
  const int64_t id = put(act_entry(1));
  std::vector<std::string> parts;
  {
    const auto reader = stores_->main->private_reader();
    db::Rows rows = reader->query("SELECT header, body, salt, seal FROM record_outbox");
    ASSERT_TRUE(rows.next());
    for (size_t i = 0; i < 4; ++i) parts.emplace_back(rows.blob(i));
  }
  ASSERT_TRUE(recorder_->deliver(id));
  EXPECT_TRUE(within(milliseconds(5000), [&] { return number("SELECT count(*) FROM record_outbox") == 0; }));
  close();
  in_record("UPDATE @leaf SET outbox = NULL");
  in_store(
      "INSERT INTO record_outbox (id, header, body, salt, seal) VALUES ($1, $2, $3, $4, $5)",
      {id, db::Param::blob(parts[0]), db::Param::blob(parts[1]), db::Param::blob(parts[2]), db::Param::blob(parts[3])});
  EXPECT_EQ(open().size(), 2U);
  close();
  EXPECT_THAT(problems(), tells("on record more than once"));
}

TEST_P(ForgedTest, ANewRecordDoesNotTakeThePlaceOfOneThatIsGone) {
  open();
  append_many(2);
  close();
  const std::string key = read_key_file(options_.key_file);
  stores_->record->writer()->script(
      own("DROP TABLE @head; DROP TABLE @leaf; DROP TABLE @tile; DROP TABLE @checkpoint; DROP TABLE @open_intent; DROP "
          "TABLE "
          "@access_log; DROP TABLE @bond; DROP TABLE @written"));
  in_store("DELETE FROM record_bond");
  EXPECT_THAT(apart(), testing::HasSubstr("the file of its signing key is"));
  EXPECT_EQ(read_key_file(options_.key_file), key);
}

// As version 2 left it.
TEST_P(ForgedTest, ARecordWithoutSealsIsTakenAfterACleanStopOnly) {
  keep_pupils();
  open();
  append_many(5);
  close();
  stores_->record->writer()->script(
      own("ALTER TABLE @head DROP COLUMN seal; ALTER TABLE @checkpoint ADD COLUMN time_us BIGINT NOT NULL DEFAULT 0; "
          "CREATE TABLE @kept (name TEXT PRIMARY KEY, columns TEXT NOT NULL); UPDATE @head SET version = 2"));
  stores_->main->writer()->script(
      "ALTER TABLE record_outbox DROP COLUMN seal; ALTER TABLE record_bond DROP COLUMN note");
  reopen_stores();
  const LeafBytes waits = encode(act_entry(1));
  in_store("INSERT INTO record_outbox (id, header, body, salt) VALUES (1, $1, $2, $3)",
           {db::Param::blob(waits.header), db::Param::blob(waits.body), db::Param::blob(waits.salt)});
  EXPECT_THAT(problems(), tells("an older version left"));
  EXPECT_THAT(apart(), testing::HasSubstr("start the older version once and stop it cleanly"));
  in_store("DELETE FROM record_outbox");
  EXPECT_EQ(open().size(), 6U);
  append_many(1);
  close();
  expect_none(problems());
}

// --- crash
// ------------------------------------------------------------------------------------------------------------

// Appends without end from several threads and writes each acknowledged seq and number to `out`.
[[noreturn]] void append_until_killed(const db::Options& stores_options, const Options& options, int out,
                                      int64_t base) {
  const OpenStores stores(stores_options);
  const TestClock clock;
  const auto recorder = Recorder::open(*stores.main, *stores.record, clock, options);
  std::vector<std::jthread> threads;
  for (int64_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int64_t n = base + t;; n += 4) {
        std::optional<Leaf> leaf;
        if (n % 3 == 0) {
          std::optional<db::Store::Lease> writer(stores.main->writer());
          db::Transaction transaction(**writer, db::Transaction::Mode::write);
          const int64_t id = recorder->put_in_outbox(**writer, act_entry(n));
          transaction.commit();
          writer.reset();
          leaf = recorder->deliver(id);
        } else {
          leaf = recorder->append_and_wait(query_entry(n));
        }
        if (!leaf) _exit(3);
        const int64_t line[2] = {static_cast<int64_t>(leaf->seq), n};
        if (::write(out, line, sizeof line) != sizeof line) _exit(4);
      }
    });
  }
  threads.clear();
  _exit(5);
}

TEST_P(RecorderTest, KilledUnderLoadEveryAcknowledgedLeafIsThere) {
  stores_.reset();
  std::map<int64_t, int64_t> acknowledged;
  for (int round = 0; round < 4; ++round) {
    int pipe_ends[2];
    ASSERT_EQ(::pipe(pipe_ends), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) append_until_killed(store_->options(), options_, pipe_ends[1], int64_t{1'000'000} * round);
    ::close(pipe_ends[1]);
    const auto until = std::chrono::steady_clock::now() + milliseconds(300 + 170 * round);
    int64_t line[2];
    size_t lines = 0;
    bool killed = false;
    while (::read(pipe_ends[0], line, sizeof line) == sizeof line) {
      ASSERT_TRUE(acknowledged.emplace(line[0], line[1]).second) << "seq " << line[0] << " given twice";
      ++lines;
      if (!killed && lines > 20 && std::chrono::steady_clock::now() > until) {
        ::kill(child, SIGKILL);
        killed = true;
      }
    }
    ::close(pipe_ends[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself";
    EXPECT_GT(lines, 20U);
  }
  reopen_stores();
  Recorder& recorder = open();
  std::set<int64_t> numbers;
  for (uint64_t seq = 0; seq < recorder.size(); ++seq) {
    const auto proof = recorder.prove(seq);
    ASSERT_TRUE(proof);
    ASSERT_TRUE(numbers.insert(proof->entry.session).second) << "number " << proof->entry.session << " recorded twice";
    const auto told = acknowledged.find(static_cast<int64_t>(seq));
    if (told != acknowledged.end()) {
      ASSERT_EQ(told->second, proof->entry.session);
      acknowledged.erase(told);
    }
  }
  EXPECT_TRUE(acknowledged.empty()) << acknowledged.size() << " acknowledged leaves are gone";
  close();
  expect_none(problems());
}

// --- failing store
// ------------------------------------------------------------------------------------------------------

class SqliteFailureTest : public RecorderTest {};
INSTANTIATE_TEST_SUITE_P(Stores, SqliteFailureTest, testing::Values(db::Dialect::sqlite),
                         [](const auto&) { return "sqlite"; });

TEST_P(SqliteFailureTest, AFullDiskIsToldAndHealsWithoutLosingAnything) {
  Recorder& recorder = open();
  append_many(10);
  const auto limit = [&](const std::string& pages) {
    const auto writer = stores_->record->writer();
    writer->script("PRAGMA max_page_count = " + pages);
  };
  limit("1");  // SQLite takes the present size then: full from now on
  std::optional<Leaf> last;
  int64_t durable = 10;
  do {
    last = recorder.append_and_wait(query_entry(1));
    durable += last ? 1 : 0;
  } while (last && durable < 1000);
  EXPECT_FALSE(last);
  EXPECT_FALSE(recorder.healthy());
  EXPECT_EQ(recorder.size(), static_cast<uint64_t>(durable));
  int64_t id = 0;
  {
    const auto writer = stores_->main->writer();
    db::Transaction transaction(*writer, db::Transaction::Mode::write);
    Entry large = query_entry(2);
    large.kind = "act";
    large.parameters.assign(20'000, ' ');
    id = recorder.put_in_outbox(*writer, large);
    transaction.commit();
  }
  EXPECT_FALSE(recorder.deliver(id));
  limit("1073741823");
  EXPECT_TRUE(within(milliseconds(5000), [&] { return recorder.healthy(); })) << "heals by itself";
  EXPECT_TRUE(within(milliseconds(8000), [&] { return recorder.size() == static_cast<uint64_t>(durable) + 1; }))
      << "what waited in the outbox goes in by itself";
  EXPECT_EQ(recorder.append_and_wait(query_entry(3))->seq, static_cast<uint64_t>(durable) + 1);
  close();
  expect_none(problems());
}

class PostgresFailureTest : public RecorderTest {};
INSTANTIATE_TEST_SUITE_P(Stores, PostgresFailureTest, testing::Values(db::Dialect::postgres),
                         [](const auto&) { return "postgres"; });

TEST_P(PostgresFailureTest, LostConnectionsAreToldAndHeal) {
  Recorder& recorder = open();
  append_many(10);
  {
    OpenStores others(store_->options());
    const auto writer = others.main->writer();
    writer->script(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> "
        "pg_backend_pid()");
  }
  int durable = 0;
  EXPECT_TRUE(within(milliseconds(10'000), [&] {
    durable += recorder.append_and_wait(query_entry(1)) ? 1 : 0;
    return durable == 5;
  }));
  EXPECT_TRUE(recorder.healthy());
  EXPECT_GE(recorder.size(), 15U);
  reopen_stores();
  expect_none(problems());
}

}  // namespace
}  // namespace jw::record
