#include "kernel/record/proof_json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdio.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>

#include "kernel/record/leaf.hpp"
#include "kernel/record/note.hpp"
#include "kernel/record/test_store.hpp"
#include "platform/crypto/api.hpp"

namespace jw::record {
namespace {

namespace json = boost::json;

class ProofJsonTest : public testing::Test {
 protected:
  void SetUp() override {
    stores_ = std::make_unique<OpenStores>(store_.options());
    Options options;
    options.key_file = store_.key_file();
    recorder_ = Recorder::open(*stores_->main, *stores_->record, *clock_, options);
    for (int64_t i = 0; i < 21; ++i) {
      Entry entry;
      entry.kind = "query";
      entry.person = 1;
      entry.beneficiary = 2;
      entry.dataset = "成绩";
      entry.parameters = R"({"值":"\"张三\""})";
      entry.subjects = {{Subject::Kind::person, 3, 1}};
      if (i % 2 == 1) entry.subjects.push_back({Subject::Kind::person, 4, 1});
      recorder_->append_and_wait(entry);
    }
  }
  std::string proof_of(uint64_t seq, ProofPart part) {
    return proof_json(recorder_->prove(seq).value(), part, recorder_->public_key());
  }
  // What kernel/record/proof_check.mjs says about it, the way a browser would check.
  std::string checked(const std::string& proof) {
    const std::string file = (store_.folder() / "proof.json").string();
    std::ofstream(file) << proof;
    const std::string command = "node " JW_SOURCE_DIR "/kernel/record/proof_check.mjs " + file + " 2>&1";
    FILE* output = ::popen(command.c_str(), "r");
    std::string text;
    char buffer[4096];
    while (const size_t count = ::fread(buffer, 1, sizeof buffer, output)) text.append(buffer, count);
    ::pclose(output);
    while (text.ends_with('\n')) text.pop_back();
    return text;
  }

  TestStore store_{db::Dialect::sqlite};
  std::unique_ptr<OpenStores> stores_;
  std::unique_ptr<Clock> clock_ = system_clock();
  std::unique_ptr<Recorder> recorder_;
};

TEST_F(ProofJsonTest, WhoMaySeeHowMuch) {
  const InclusionProof alone = recorder_->prove(0).value();
  const InclusionProof among = recorder_->prove(1).value();
  EXPECT_EQ(part_for(alone, 1), ProofPart::whole) << "who acted";
  EXPECT_EQ(part_for(alone, 2), ProofPart::header) << "who was assisted does not learn account and session of who did";
  EXPECT_EQ(part_for(alone, 3), ProofPart::header) << "nor does who was asked about, alone …";
  EXPECT_EQ(part_for(among, 3), ProofPart::header) << "… or among others";
  InclusionProof old = alone;
  old.leaf[0] = 1;
  EXPECT_EQ(part_for(old, 1), ProofPart::whole);
  EXPECT_EQ(part_for(old, 3), ProofPart::hash) << "the header of version 1 says too much";
  EXPECT_EQ(part_for(alone, 4), ProofPart::hash);
  EXPECT_EQ(part_for(alone, 0), ProofPart::hash) << "nobody signed in";
  InclusionProof nobody = alone;
  nobody.entry.beneficiary = 0;
  EXPECT_EQ(part_for(nobody, 0), ProofPart::hash);
}

TEST_F(ProofJsonTest, SaysNoMoreThanThePart) {
  const json::object hash = json::parse(proof_of(3, ProofPart::hash)).as_object();
  for (const char* name : {"leaf", "entry", "body", "salt"}) EXPECT_FALSE(hash.contains(name)) << name;
  const std::string header_text = proof_of(3, ProofPart::header);
  const json::object header = json::parse(header_text).as_object();
  for (const char* name : {"body", "salt"}) EXPECT_FALSE(header.contains(name)) << name;
  std::vector<std::string> told;
  for (const auto& member : header.at("entry").as_object()) told.emplace_back(member.key());
  EXPECT_THAT(told, testing::UnorderedElementsAre("time", "recorded", "kind", "post", "unit"));
  EXPECT_THAT(header_text, testing::Not(testing::HasSubstr("张三")));
  const json::object whole = json::parse(proof_of(3, ProofPart::whole)).as_object();
  EXPECT_EQ(whole.at("entry").at("parameters").as_string(), R"({"值":"\"张三\""})");
  EXPECT_EQ(whole.at("entry").at("subjects").as_array().size(), 2U);
  EXPECT_EQ(whole.at("id").as_string(), "jiaowu.local/record/3");
}

// §1.3.1: somebody asked about together with others holds a proof, knows the question and its own row, and tries values
// for the rows of the others: nothing in the proof agrees with one more than with another.
TEST_F(ProofJsonTest, AProofTellsNothingThatCouldBeTriedOut) {
  const auto leaf_of = [&](const std::string& answer, int64_t other, int64_t rows) {
    Entry entry;
    entry.time = {1'763'881'200'000'000};
    entry.kind = "query";
    entry.account = 100 + other;
    entry.person = 9;
    entry.session = 12'345 + other;
    entry.post = "academic_office";
    entry.unit = "jwc";
    entry.dataset = "grade";
    entry.decision = "allowed";
    entry.rows = rows;
    entry.digest = crypto::sha256(answer);
    entry.subjects = {{Subject::Kind::person, 3, 1}, {Subject::Kind::person, other, 1}};
    return recorder_->append_and_wait(entry)->seq;
  };
  const auto header_of = [&](uint64_t seq) {
    const InclusionProof proof = recorder_->prove(seq).value();
    EXPECT_EQ(part_for(proof, 3), ProofPart::header);
    const json::object shown = json::parse(proof_json(proof, ProofPart::header, recorder_->public_key())).as_object();
    EXPECT_EQ(shown.at("entry").as_object().size(), 5U);
    for (const char* name : {"body", "salt"}) EXPECT_FALSE(shown.contains(name)) << name;
    std::string header = proof.leaf;
    for (const std::string& tried : {std::string("61.5"), std::string("88.0")}) {
      for (const std::string& bytes : {tried, proof.body, proof.leaf.substr(0, 25) + tried})
        EXPECT_THAT(header, testing::Not(testing::HasSubstr(std::string(bytes_of(crypto::sha256(bytes))))));
    }
    header.replace(1, 16, 16, '\0');   // place in the tree, and when it came there
    header.replace(25, 32, 32, '\0');  // under a salt that nobody but the actor sees
    return header;
  };
  EXPECT_EQ(header_of(leaf_of("61.5", 4, 2)), header_of(leaf_of("88.0", 5, 3)));
  EXPECT_EQ(header_of(leaf_of("61.5", 4, 2)), header_of(leaf_of("61.5", 4, 2)));
}

TEST_F(ProofJsonTest, CheckpointAndConsistency) {
  const Checkpoint checkpoint = recorder_->checkpoint();
  const json::object object = json::parse(checkpoint_json(checkpoint, recorder_->public_key())).as_object();
  EXPECT_EQ(object.at("size").as_int64(), 21);
  EXPECT_EQ(object.at("origin").as_string(), "jiaowu.local/record");
  const auto note = Note::parse(std::string(object.at("checkpoint").as_string()));
  EXPECT_TRUE(note->signed_by(VerifierKey::parse(std::string(object.at("public_key").as_string())).value()));
  const json::object path = json::parse(consistency_json(5, 21, recorder_->consistency(5, 21).value())).as_object();
  EXPECT_EQ(path.at("from").as_int64(), 5);
  EXPECT_FALSE(path.at("path").as_array().empty());
}

TEST_F(ProofJsonTest, ABrowserCanCheckItAndNoticesEveryChange) {
  if (std::system("node --version > /dev/null 2>&1") != 0) GTEST_SKIP() << "node is not installed";
  for (const uint64_t seq : {0U, 7U, 19U, 20U}) EXPECT_EQ(checked(proof_of(seq, ProofPart::whole)), "holds whole");
  EXPECT_EQ(checked(proof_of(7, ProofPart::header)), "holds header");
  EXPECT_EQ(checked(proof_of(7, ProofPart::hash)), "holds hash");
  const json::object right = json::parse(proof_of(7, ProofPart::whole)).as_object();
  const auto with = [&](const char* name, const auto& value) {
    json::object wrong = right;
    wrong[name] = json::value_from(value);
    return checked(json::serialize(wrong));
  };
  const std::string other_hash(64, 'a');
  EXPECT_THAT(with("seq", 6), testing::StartsWith("refused"));
  EXPECT_EQ(with("size", 20), "refused proof: size");
  EXPECT_EQ(with("leaf_hash", other_hash), "refused leaf: hash");
  EXPECT_EQ(with("leaf", "AAAA"), "refused leaf: hash");
  EXPECT_EQ(with("body", "AAAA"), "refused body: digest");
  EXPECT_EQ(with("salt", "AAAA"), "refused body: digest");
  EXPECT_EQ(with("ed25519", other_hash), "refused checkpoint: verifier key");
  json::array path = right.at("path").as_array();
  path[1] = other_hash;
  EXPECT_EQ(with("path", path), "refused path: root");
  path.pop_back();
  EXPECT_EQ(with("path", path), "refused path: length");
  std::string text(right.at("checkpoint").as_string());
  text.replace(text.find("\n21\n"), 4, "\n22\n");
  EXPECT_EQ(with("checkpoint", text), "refused checkpoint: signature");
}

}  // namespace
}  // namespace jw::record
