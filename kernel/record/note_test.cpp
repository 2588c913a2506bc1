#include "kernel/record/note.hpp"

#include <gtest/gtest.h>

namespace jw::record {
namespace {

// The example of the signed-note format's reference implementation.
TEST(NoteTest, VerifierKeyAndSignatureOfTheReference) {
  const auto key = VerifierKey::parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW");
  ASSERT_TRUE(key);
  EXPECT_EQ(key->name, "PeterNeumann");
  EXPECT_EQ(crypto::hex(key->id()), "c74f20a3");
  EXPECT_EQ(key->print(), "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW");
  const std::string text =
      "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
  const std::string line =
      crypto::unbase64("x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=")
          .value();
  EXPECT_EQ(line.substr(0, 4), key->id());
  EXPECT_TRUE(crypto::verify_signature(key->public_key, text, line.substr(4)));
}

struct NoteFixture : testing::Test {
  crypto::SigningKey key = crypto::SigningKey::from_seed(std::string(32, '\x07'));
  VerifierKey verifier{"example.edu/record", key.public_key};
  Hash root = leaf_hash("x");
  std::string text = sign_checkpoint(key, "example.edu/record", 42, root);
};

TEST_F(NoteFixture, SignedCheckpointReadsBack) {
  EXPECT_EQ(text.substr(0, text.find("\n\n") + 1), "example.edu/record\n42\n" + crypto::base64(bytes_of(root)) + "\n");
  const auto note = Note::parse(text);
  ASSERT_TRUE(note);
  EXPECT_EQ(note->origin, "example.edu/record");
  EXPECT_EQ(note->size, 42U);
  EXPECT_EQ(note->root, root);
  EXPECT_TRUE(note->signed_by(verifier));
  EXPECT_FALSE(note->signed_by({"example.edu/other", key.public_key}));
  EXPECT_FALSE(note->signed_by({"example.edu/record", std::string(32, '\x01')}));
  EXPECT_EQ(VerifierKey::parse(verifier.print())->public_key, key.public_key);
}

TEST_F(NoteFixture, EveryFlippedBitIsNoticed) {
  for (size_t i = 0; i < text.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string other = text;
      other[i] = static_cast<char>(other[i] ^ (1 << bit));
      const auto note = Note::parse(other);
      ASSERT_FALSE(note && note->signed_by(verifier)) << "byte " << i << " bit " << bit;
    }
    const auto cut = Note::parse(text.substr(0, i));
    ASSERT_FALSE(cut && cut->signed_by(verifier)) << "cut to " << i;
  }
}

TEST_F(NoteFixture, OtherSignaturesBesideOursAreFine) {
  const auto cosigned =
      Note::parse(text + "\xe2\x80\x94 witness.example " + crypto::base64(std::string(68, 'w')) + "\n");
  ASSERT_TRUE(cosigned);
  EXPECT_EQ(cosigned->signatures.size(), 2U);
  EXPECT_TRUE(cosigned->signed_by(verifier));
}

TEST_F(NoteFixture, WhatIsNotACheckpointIsRefused) {
  const std::string root64 = crypto::base64(bytes_of(root));
  const std::string signature = text.substr(text.find("\n\n") + 1);
  for (const std::string& bad : {std::string(), std::string("\n\n"), "o\n042\n" + root64 + "\n" + signature,
                                 "o\n-1\n" + root64 + "\n" + signature, "o\n+1\n" + root64 + "\n" + signature,
                                 "o\n18446744073709551616\n" + root64 + "\n" + signature, "o\n1\nAAAA\n" + signature,
                                 "\n1\n" + root64 + "\n" + signature, "o\n1\n" + root64 + "\n\n",
                                 "o\n1\n" + root64 + "\n", "o\n1\n" + root64 + "\n\nnot a signature\n"}) {
    EXPECT_FALSE(Note::parse(bad)) << bad;
  }
  for (const char* bad : {"", "a", "a+b", "a+00000000+", "a b+c74f20a3+AAAA",
                          "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
                          "PeterNeumann+c74f20a3+AhpC2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"}) {
    EXPECT_FALSE(VerifierKey::parse(bad)) << bad;
  }
  EXPECT_TRUE(is_origin("jiaowu.local/record"));
  EXPECT_TRUE(is_origin("教务/记录"));
  for (const char* bad : {"", "a b", "a+b", "a\nb",
                          "a\xe3\x80\x80"
                          "b",
                          "\xff"})
    EXPECT_FALSE(is_origin(bad)) << bad;
}

}  // namespace
}  // namespace jw::record
