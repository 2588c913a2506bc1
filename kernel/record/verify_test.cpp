#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <latch>

#include "kernel/record/api.hpp"
#include "kernel/record/key_file.hpp"
#include "kernel/record/leaf.hpp"
#include "kernel/record/note.hpp"
#include "kernel/record/test_store.hpp"

namespace jw::record {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr int64_t kLeaves = 700;  // two full tiles and an edge

class VerifyTest : public testing::TestWithParam<db::Dialect> {
 protected:
  void SetUp() override {
    if (!TestStore::available(GetParam())) {
      GTEST_SKIP() << "JIAOWU_TEST_PG is not set";
    }
    store_ = std::make_unique<TestStore>(GetParam());
    stores_ = std::make_unique<OpenStores>(store_->options());
    prefix_ = own_prefix(GetParam());
    append(kLeaves / 2);
    append(kLeaves / 2);
  }
  Options options() const {
    Options options;
    options.key_file = store_->key_file();
    return options;
  }
  void change_store(const std::string& sql) { stores_->main->writer()->execute(sql); }
  static std::string leaf_time(int seq, const std::string& header) {
    const int64_t time = LeafView::read(header, {})->time.us;
    return "UPDATE @leaf SET time_us = " + std::to_string(time) + " WHERE seq = " + std::to_string(seq);
  }
  // Appends and closes, which makes a checkpoint.
  void append(int64_t count) {
    const std::unique_ptr<Clock> clock = system_clock();
    const auto recorder = Recorder::open(*stores_->main, *stores_->record, *clock, options());
    std::latch done(count);
    for (int64_t i = 0; i < count; ++i) {
      Entry entry;
      entry.kind = "query";
      entry.account = 7;
      entry.person = 8;
      entry.post = "teacher";
      entry.dataset = "grade";
      entry.decision = "allowed";
      entry.parameters = "{}";
      entry.subjects.assign(static_cast<size_t>(i % 3), {Subject::Kind::person, i, 1});
      recorder->append(std::move(entry), [&](const std::optional<Leaf>&) { done.count_down(); });
    }
    done.wait();
  }
  std::vector<std::string> problems(const std::string& against = "") {
    const auto reader = stores_->main->reader();
    std::vector<std::string> found;
    for (const Text& problem : verify(*reader, {}, {against, store_->key_file()}).problems) {
      EXPECT_FALSE(problem.zh.empty());
      found.push_back(problem.en);
    }
    return found;
  }
  // '@' before a table is where the record's own connection finds it.
  std::string own(std::string sql) const {
    for (size_t at = sql.find('@'); at != std::string::npos; at = sql.find('@')) sql.replace(at, 1, prefix_);
    return sql;
  }
  void change(const std::string& sql, std::vector<db::Param> values = {}) {
    const auto writer = stores_->record->writer();
    db::Transaction transaction(*writer, db::Transaction::Mode::write);
    EXPECT_GT(writer->execute(own(sql), values), 0) << sql;
    transaction.commit();
  }
  std::string blob(const std::string& sql) {
    const auto reader = stores_->record->reader();
    db::Rows rows = reader->query(own(sql));
    EXPECT_TRUE(rows.next());
    return std::string(rows.blob(0));
  }
  // Changes every byte of a blob in turn and expects a problem that names it each time.
  void every_byte(const std::string& table, const std::string& column, const std::string& where,
                  const testing::Matcher<std::string>& names, size_t step = 1) {
    const std::string right = blob("SELECT " + column + " FROM @" + table + " WHERE " + where);
    const std::string update = "UPDATE @" + table + " SET " + column + " = $1 WHERE " + where;
    for (size_t i = 0; i < right.size(); i += step) {
      std::string wrong = right;
      wrong[i] = static_cast<char>(wrong[i] ^ (1 << i % 8));
      change(update, {db::Param::blob(wrong)});
      ASSERT_THAT(problems(), Contains(names)) << table << '.' << column << " byte " << i;
    }
    for (const std::string& wrong : {right.substr(1), right + "x", std::string()}) {
      change(update, {db::Param::blob(wrong)});
      ASSERT_THAT(problems(), Contains(names)) << table << '.' << column << " of another length";
    }
    change(update, {db::Param::blob(right)});
    ASSERT_THAT(problems(), IsEmpty());
  }

  std::unique_ptr<TestStore> store_;
  std::unique_ptr<OpenStores> stores_;
  std::string prefix_;
};

INSTANTIATE_TEST_SUITE_P(Stores, VerifyTest, testing::Values(db::Dialect::sqlite, db::Dialect::postgres),
                         [](const auto& parameter) {
                           return parameter.param == db::Dialect::sqlite ? "sqlite" : "postgres";
                         });

TEST_P(VerifyTest, AnUntouchedRecordHolds) {
  EXPECT_THAT(problems(), IsEmpty());
}

TEST_P(VerifyTest, EveryChangedByteOfALeafIsNamed) {
  for (const std::string seq : {"5", "255", "699"}) {  // in a tile, its last, and at the edge
    const auto names = HasSubstr("leaf " + seq + " ");
    every_byte("leaf", "header", "seq = " + seq, names);
    every_byte("leaf", "hash", "seq = " + seq, names);
    every_byte("leaf", "body_salt", "seq = " + seq, HasSubstr("body of leaf " + seq));
  }
  every_byte("leaf", "body", "seq = 5", HasSubstr("body of leaf 5 "));
}

TEST_P(VerifyTest, ChangedColumnsOfALeafAreNamed) {
  int seq = 40;
  for (const std::string set : {"time_us = time_us + 1", "account = 9", "person = 9", "kind = 'act'", "dataset = ''"}) {
    const std::string name = std::to_string(++seq);
    change("UPDATE @leaf SET " + set + " WHERE seq = " + name);
    EXPECT_THAT(problems(), Contains(HasSubstr("columns of leaf " + name + " "))) << set;
  }
}

TEST_P(VerifyTest, EveryChangedByteOfATileIsNamed) {
  every_byte("tile", "hashes", "level = 0 AND number = 1", HasSubstr("tile 0/1"), 97);
}

TEST_P(VerifyTest, EveryChangedByteOfACheckpointIsNamed) {
  every_byte("checkpoint", "root", "size = 350", HasSubstr("checkpoint 350 "));
  const std::string right = blob("SELECT text FROM @checkpoint WHERE size = 350");
  for (size_t i = 0; i < right.size(); ++i) {
    if (static_cast<unsigned char>(right[i]) >= 0x80) continue;  // text columns take UTF-8 only
    std::string wrong = right;
    wrong[i] = wrong[i] == 'A' ? 'B' : 'A';
    change("UPDATE @checkpoint SET text = $1 WHERE size = 350", {wrong});
    ASSERT_THAT(problems(), Contains(HasSubstr("checkpoint 350 "))) << i;
  }
}

TEST_P(VerifyTest, ACheckpointMovedToAnotherSizeIsNamed) {
  change("UPDATE @checkpoint SET size = 351 WHERE size = 350");
  EXPECT_THAT(problems(), Contains(HasSubstr("checkpoint 351 ")));
}

TEST_P(VerifyTest, ACheckpointOfAnotherTreeSignedWithTheStolenKeyIsNamed) {
  const crypto::SigningKey key = crypto::SigningKey::from_seed(read_key_file(store_->key_file()));
  const Hash root = leaf_hash("another tree");
  const std::string text = sign_checkpoint(key, Options{}.origin, 350, root);
  change("UPDATE @checkpoint SET text = $1, root = $2 WHERE size = 350", {text, db::Param::blob(bytes_of(root))});
  EXPECT_THAT(problems(), Contains(HasSubstr("not those of checkpoint 350")));
  change("DELETE FROM @checkpoint WHERE size = 350");
  EXPECT_THAT(problems(), IsEmpty()) << "inside nothing tells any more …";
  EXPECT_THAT(problems(text), Contains(HasSubstr("checkpoint kept elsewhere"))) << "… but outside it does";
}

TEST_P(VerifyTest, MissingLeavesAreNamed) {
  change("DELETE FROM @leaf WHERE seq = 300");
  EXPECT_THAT(problems(), Contains(HasSubstr("leaf 300 is missing")));
  change("DELETE FROM @leaf WHERE seq >= 100 AND seq < 200");
  EXPECT_THAT(problems(), Contains(HasSubstr("leaves 100 to 199 are missing")));
  change("DELETE FROM @tile WHERE number = 0");
  EXPECT_FALSE(problems().empty());
}

TEST_P(VerifyTest, MissingTilesAreNamed) {
  change("DELETE FROM @tile WHERE number = 1");
  EXPECT_THAT(problems(), Contains(HasSubstr("tile 0/1 is missing")));
}

TEST_P(VerifyTest, SwappedLeavesAreNamed) {
  for (const auto& [a, b] : {std::pair("10", "11"), std::pair("20", "600")}) {
    change(std::string("UPDATE @leaf SET seq = -1 WHERE seq = ") + a);
    change(std::string("UPDATE @leaf SET seq = ") + a + " WHERE seq = " + b);
    change(std::string("UPDATE @leaf SET seq = ") + b + " WHERE seq = -1");
    EXPECT_THAT(problems(), Contains(HasSubstr(std::string("leaf ") + b + " stands in the place of leaf " + a)));
    EXPECT_THAT(problems(), Contains(HasSubstr(std::string("leaf ") + a + " stands in the place of leaf " + b)));
  }
}

TEST_P(VerifyTest, ACutTailIsNamed) {
  const std::string before = blob("SELECT text FROM @checkpoint WHERE size = 700");
  change("DELETE FROM @leaf WHERE seq >= 400");
  EXPECT_THAT(problems(), Contains(HasSubstr("leaves 400 to 699 are missing")));
  change("UPDATE @head SET size = 400");
  const std::vector<std::string> found = problems();
  EXPECT_THAT(found, Contains(HasSubstr("checkpoint of 700 leaves, and the record has 400: its tail was cut off")));
  EXPECT_THAT(found, Contains(HasSubstr("more tiles")));
  EXPECT_THAT(found, Contains(HasSubstr("lines that belong to no leaf")));
  // Somebody who cleans up everything inside is found by the checkpoint kept elsewhere.
  change("DELETE FROM @checkpoint WHERE size > 400");
  change("DELETE FROM @tile WHERE number = 1");
  change("DELETE FROM @access_log WHERE leaf >= 400");
  EXPECT_THAT(problems(), testing::ElementsAre(HasSubstr("their seal does not hold"),
                                               HasSubstr("the record is older than the store")))
      << "the store knows …";
  change_store("UPDATE record_bond SET size = 0, note = ''");
  EXPECT_THAT(problems(), testing::ElementsAre(HasSubstr("last 50 leaves")))
      << "… and the seal is not that of 400 leaves";
  change("DELETE FROM @leaf WHERE seq >= 350");
  change("DELETE FROM @access_log WHERE leaf >= 350");
  change("UPDATE @head SET size = 350");
  EXPECT_THAT(problems(), IsEmpty()) << "… but 350 there have been, with all that knows of them set back";
  EXPECT_THAT(problems(before), Contains(HasSubstr("tail was cut off")));
}

TEST_P(VerifyTest, LeavesBehindTheEndAreNamed) {
  change("UPDATE @head SET size = 699");
  EXPECT_THAT(problems(), Contains(HasSubstr("there are 1 more")));
}

// Somebody who rewrites a leaf with all that follows from it, and signs again with the stolen key.
TEST_P(VerifyTest, ACompleteRewriteIsFoundByTheCheckpointKeptElsewhere) {
  const std::string kept = blob("SELECT text FROM @checkpoint WHERE size = 350");
  const crypto::SigningKey key = crypto::SigningKey::from_seed(read_key_file(store_->key_file()));
  std::string header = blob("SELECT header FROM @leaf WHERE seq = 602");
  header[24] = static_cast<char>(header[24] ^ 1);  // in the time, of a leaf about nobody
  const Hash hash = leaf_hash(header);
  change("UPDATE @leaf SET header = $1, hash = $2 WHERE seq = 602",
         {db::Param::blob(header), db::Param::blob(bytes_of(hash))});
  change(leaf_time(602, header));
  EXPECT_THAT(problems(), Contains(HasSubstr("not those of checkpoint 700")));
  Tree tree;
  std::vector<Tile> full;
  for (int seq = 0; seq < 700; ++seq) {
    tree.append(hash_of(blob("SELECT hash FROM @leaf WHERE seq = " + std::to_string(seq))).value(), full);
  }
  const std::string again = sign_checkpoint(key, Options{}.origin, 700, tree.root());
  const std::string outside = blob("SELECT text FROM @checkpoint WHERE size = 700");
  change("UPDATE @checkpoint SET text = $1, root = $2 WHERE size = 700",
         {again, db::Param::blob(bytes_of(tree.root()))});
  EXPECT_THAT(problems(), testing::ElementsAre(HasSubstr("not those the store knows")));
  change_store("UPDATE record_bond SET size = 0, note = ''");
  EXPECT_THAT(problems(), IsEmpty());
  EXPECT_THAT(problems(kept), IsEmpty()) << "older than what was changed";
  EXPECT_THAT(problems(outside), Contains(HasSubstr("the record was rewritten")));
}

TEST_P(VerifyTest, ChangedWhoReadMeIsNamed) {
  // leaf 2 has two rows, leaf 1 one, leaf 0 none
  change("UPDATE @access_log SET purpose = 'study' WHERE id = (2 << 16)");
  EXPECT_THAT(problems(), Contains(HasSubstr("leaf 2 says")));
  change("DELETE FROM @access_log WHERE leaf = 2");
  EXPECT_THAT(problems(), Contains(HasSubstr("leaf 2 says")));
  change("DELETE FROM @access_log WHERE leaf = 1");
  EXPECT_THAT(problems(), Contains(HasSubstr("leaf 1 says")));
  change("UPDATE @access_log SET id = 1, leaf = 0 WHERE leaf = 5 AND id = (5 << 16)");
  EXPECT_THAT(problems(), Contains(HasSubstr("leaf 0 says")));
}

TEST_P(VerifyTest, AMissingBodyNeedsARecordedDestruction) {
  change("UPDATE @leaf SET body = NULL, body_salt = NULL WHERE seq = 0");
  EXPECT_THAT(problems(), Contains(HasSubstr("body of leaf 0 is missing")));
}

TEST_P(VerifyTest, AReplacedKeyIsNamed) {
  const std::string kept = blob("SELECT text FROM @checkpoint WHERE size = 700");
  const crypto::SigningKey other = crypto::SigningKey::from_seed(std::string(32, 'o'));
  change("UPDATE @head SET public_key = $1", {db::Param::blob(other.public_key)});
  EXPECT_THAT(problems(), Contains(HasSubstr("checkpoint 700 ")));
  EXPECT_THAT(problems(kept), Contains(HasSubstr("not signed by this record's key")));
}

TEST_P(VerifyTest, WhatIsNotACheckpointIsTold) {
  EXPECT_THAT(problems("hello"), Contains(HasSubstr("is not a checkpoint")));
}

TEST_P(VerifyTest, ManyProblemsAreCut) {
  change("UPDATE @leaf SET account = 99");
  EXPECT_EQ(problems().size(), kProblemsMax);
}

TEST_P(VerifyTest, AStoreWithoutRecordIsTold) {
  TestStore empty(GetParam());
  const OpenStores stores(empty.options());
  const auto reader = stores.main->reader();
  EXPECT_THAT(verify(*reader, {}, {}).problems, testing::SizeIs(1));
}

TEST_P(VerifyTest, ARecorderDoesNotOpenABrokenTree) {
  const std::unique_ptr<Clock> clock = system_clock();
  const auto opens = [&] { Recorder::open(*stores_->main, *stores_->record, *clock, options()); };
  const std::string header = blob("SELECT header FROM @leaf WHERE seq = 690");
  std::string wrong = header;
  wrong[70] = 'x';
  change("UPDATE @leaf SET header = $1 WHERE seq = 690", {db::Param::blob(wrong)});
  EXPECT_THROW(opens(), std::runtime_error);
  change("UPDATE @leaf SET header = $1 WHERE seq = 690", {db::Param::blob(header)});
  EXPECT_NO_THROW(opens());
  change("UPDATE @head SET size = 699");
  EXPECT_THROW(opens(), std::runtime_error);
  change("UPDATE @head SET size = 700");
  std::filesystem::remove(store_->key_file());
  EXPECT_THROW(opens(), std::runtime_error) << "without its key";
  make_key_file(store_->key_file(), std::string(32, 'o'));
  EXPECT_THROW(opens(), std::runtime_error) << "with another key";
  EXPECT_THAT(problems(), testing::ElementsAre(HasSubstr("public key is not that of the key file")));
}

}  // namespace
}  // namespace jw::record
