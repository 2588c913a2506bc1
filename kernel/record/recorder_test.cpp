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
    return verify(*reader, options_.kept, {against, {}});
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

// A list of more persons without a class than one leaf can name: none is lost, whichever way it goes into the record.
TEST_P(RecorderTest, SubjectsBeyondOneLeafStandInLeavesBeforeIt) {
  Recorder& recorder = open();
  constexpr int64_t kPersons = 2 * int64_t{kSubjectsMax} + 3;
  Entry entry = query_entry(0);
  entry.subjects.clear();
  for (int64_t person = 1; person <= kPersons; ++person) entry.subjects.push_back({Subject::Kind::person, person, 1});
  const std::optional<Leaf> leaf = recorder.append_and_wait(entry);
  ASSERT_TRUE(leaf);
  EXPECT_EQ(leaf->seq, 2U);
  EXPECT_EQ(number("SELECT count(*) FROM record.access_log"), kPersons);
  EXPECT_EQ(number("SELECT count(DISTINCT subject) FROM record.access_log WHERE dataset = 'grade'"), kPersons);
  int64_t id = 0;
  {
    const auto writer = stores_->main->writer();
    db::Transaction transaction(*writer, db::Transaction::Mode::write);
    id = recorder.put_in_outbox(*writer, entry);
    transaction.commit();
  }
  ASSERT_TRUE(recorder.deliver(id));
  EXPECT_TRUE(within(milliseconds(20'000), [&] {
    return number("SELECT count(*) FROM record.access_log") == 2 * kPersons;
  })) << "by the sweep of the outbox, too";
  EXPECT_EQ(number("SELECT count(*) FROM record.leaf WHERE kind = 'query'"), 2);
  EXPECT_EQ(number("SELECT count(*) FROM record.leaf WHERE kind = 'subjects'"), 4);
  expect_none(problems());
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
      id = recorder.put_in_outbox(*writer, query_entry(1));
      transaction.commit();
    }
    db::Transaction transaction(*writer, db::Transaction::Mode::write);
    never = recorder.put_in_outbox(*writer, query_entry(2));
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
    for (int i = 0; i < 5; ++i) recorder.put_in_outbox(*writer, query_entry(i));
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
    recorder.put_in_outbox(*writer, query_entry(1));
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
  recorder.put_in_outbox(*writer, query_entry(0));
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
    own->script("DROP TABLE " + p + "bond; DROP TABLE " + p + "written; DROP TABLE " + p + "kept; UPDATE " + p +
                "head SET version = 1");
    own->script(
        db::in_dialect(GetParam(), "CREATE TABLE " + p + "record_key (id INTEGER PRIMARY KEY, seed BLOB NOT NULL)"));
    own->execute("INSERT INTO " + p + "record_key (id, seed) VALUES (1, $1)", {db::Param::blob(seed)});
    stores_->main->writer()->script("DROP TABLE record_bond; DROP TABLE record_turn");
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

// The key of signed steps follows from that of the record, but for a store that held one itself.
TEST_P(RecorderTest, TheKeyOfStepsLiesInTheKeyFile) {
  open();
  close();
  const std::string own = step_seed(options_.key_file), seed = read_key_file(options_.key_file);
  EXPECT_EQ(own.size(), 32U);
  EXPECT_NE(own, seed);
  EXPECT_EQ(step_seed(options_.key_file), own) << "the same on every node with this file";
  const std::string held(32, 'h');
  keep_step_seed(options_.key_file, held);
  keep_step_seed(options_.key_file, held);
  EXPECT_EQ(step_seed(options_.key_file), held);
  EXPECT_EQ(read_key_file(options_.key_file), seed);
  EXPECT_EQ(std::filesystem::status(options_.key_file).permissions() & std::filesystem::perms::all,
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  EXPECT_THROW(keep_step_seed(options_.key_file, std::string(32, 'o')), std::runtime_error) << "it has another";
  open();
  append_many(3);
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
    recorder.put_in_outbox(*writer, query_entry(1));
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
          const int64_t id = recorder->put_in_outbox(**writer, query_entry(n));
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
