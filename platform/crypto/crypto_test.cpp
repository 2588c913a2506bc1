#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <set>
#include <thread>
#include <vector>

#include "platform/crypto/api.hpp"
#include "platform/crypto/fair_gate.hpp"

namespace jw::crypto {
namespace {

std::string bytes(std::string_view hex_text) {
  return unhex(hex_text).value();
}

TEST(Sha256Test, KnownVectors) {  // FIPS 180-4 examples
  EXPECT_EQ(hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(hex(sha256(std::string(1'000'000, 'a'))),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256Test, StreamingEqualsOneShotWhereverItIsCut) {
  const std::string text = random_bytes(300);
  Sha256 stream;
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    stream.add(std::string_view(text).substr(0, cut)).add(std::string_view(text).substr(cut));
    ASSERT_EQ(stream.finish(), sha256(text)) << cut;
  }
}

TEST(HmacTest, Rfc4231) {
  const auto mac = [](const std::string& key, const std::string& data) { return hex(hmac_sha256(key, data)); };
  EXPECT_EQ(mac(std::string(20, '\x0b'), "Hi There"),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(mac("Jefe", "what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(mac(std::string(20, '\xaa'), std::string(50, '\xdd')),
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
  EXPECT_EQ(mac(bytes("0102030405060708090a0b0c0d0e0f10111213141516171819"), std::string(50, '\xcd')),
            "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b");
  EXPECT_EQ(mac(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First"),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(HmacTest, EmptyKeyIsAKeyAndNotTheLastOne) {
  const std::string empty = "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad";
  EXPECT_EQ(hex(hmac_sha256("", "")), empty);
  (void)hmac_sha256("other", "x");
  EXPECT_EQ(hex(hmac_sha256({}, "")), empty);
}

TEST(Ed25519Test, Rfc8032) {
  struct Vector {
    const char *seed, *public_key, *message, *signature;
  };
  const Vector vectors[] = {
      {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
       "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
       "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe"
       "24655141438e7a100b"},
      {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
       "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
       "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302a"
       "eeb00d291612bb0c00"},
      {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
       "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
       "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed2"
       "8dc027beceea1ec40a"},
  };
  for (const Vector& v : vectors) {
    const SigningKey key = SigningKey::from_seed(bytes(v.seed));
    EXPECT_EQ(hex(key.public_key), v.public_key);
    const std::string signature = key.sign(bytes(v.message));
    EXPECT_EQ(hex(signature), v.signature);
    EXPECT_TRUE(verify_signature(key.public_key, bytes(v.message), signature));
    EXPECT_FALSE(verify_signature(key.public_key, bytes(v.message) + "x", signature));
    for (size_t i = 0; i < signature.size(); ++i) {
      std::string forged = signature;
      forged[i] = static_cast<char>(forged[i] ^ 1);
      EXPECT_FALSE(verify_signature(key.public_key, bytes(v.message), forged)) << i;
    }
  }
}

TEST(Ed25519Test, WrongSizesAreRefused) {
  EXPECT_THROW(SigningKey::from_seed("short"), std::invalid_argument);
  EXPECT_THROW(SigningKey{}.sign("x"), std::invalid_argument);
  const SigningKey key = SigningKey::from_seed(random_bytes(32));
  const std::string signature = key.sign("x");
  EXPECT_FALSE(verify_signature(key.public_key.substr(1), "x", signature));
  EXPECT_FALSE(verify_signature(key.public_key, "x", signature.substr(1)));
  EXPECT_FALSE(verify_signature(key.public_key, "x", signature + "x"));
  EXPECT_FALSE(verify_signature("", "", ""));
}

TEST(SealTest, OpensAndDependsOnlyOnItsInput) {
  const std::string key = random_bytes(32);
  for (const size_t length : {0U, 1U, 15U, 16U, 17U, 64U, 1000U}) {
    const std::string plain = random_bytes(length);
    const std::string sealed = seal(key, "page", plain);
    EXPECT_EQ(sealed, seal(key, "page", plain));
    EXPECT_EQ(sealed.size(), plain.size() + 40);
    EXPECT_EQ(unseal(key, "page", sealed), plain);
    EXPECT_EQ(unseal(key, "pag", sealed), std::nullopt);
    EXPECT_EQ(unseal(key + "x", "page", sealed), std::nullopt);
  }
  EXPECT_NE(seal(key, "a", "bc").substr(0, 24), seal(key, "ab", "c").substr(0, 24))
      << "context and text must not run together";
}

TEST(SealTest, EveryChangedCutOrAddedByteIsRefused) {
  const std::string key = random_bytes(32);
  const std::string sealed = seal(key, "context", "a page token of some length");
  for (size_t i = 0; i < sealed.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string forged = sealed;
      forged[i] = static_cast<char>(forged[i] ^ (1 << bit));
      ASSERT_EQ(unseal(key, "context", forged), std::nullopt) << i << '.' << bit;
    }
    ASSERT_EQ(unseal(key, "context", sealed.substr(0, i)), std::nullopt) << i;
  }
  EXPECT_EQ(unseal(key, "context", sealed + '\0'), std::nullopt);
}

TEST(Base64Test, Rfc4648) {
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, text] : vectors) {
    EXPECT_EQ(base64(plain), text);
    EXPECT_EQ(unbase64(text), plain);
    std::string url = text;
    while (url.ends_with('=')) url.pop_back();
    EXPECT_EQ(base64url(plain), url);
    EXPECT_EQ(unbase64url(url), plain);
  }
  EXPECT_EQ(base64("\xfb\xff\xfe"), "+//+");
  EXPECT_EQ(base64url("\xfb\xff\xfe"), "-__-");
}

TEST(Base64Test, WhatIsNotCanonicalIsRefused) {
  for (const char* text : {"Zg", "Zg=", "Zg===", "Z", "=", "====", "Zh==", "Zm9=", "Zm9v\n", " Zm9v", "Zm9v=", "Zm-v",
                           "Zm_v", "Zm9vZg==Zg==", "Zm=v"}) {
    EXPECT_EQ(unbase64(text), std::nullopt) << text;
  }
  for (const char* text : {"Zg==", "Z", "Zh", "Zm9", "Zm+v", "Zm/v", "Zm9v\n"}) {
    EXPECT_EQ(unbase64url(text), std::nullopt) << text;
  }
  EXPECT_EQ(unbase64(std::string_view("Zm9v\0", 5)), std::nullopt);
}

TEST(Base64Test, EveryTextHasOneMeaning) {  // also where libsodium is lax about bytes above 0x7f
  for (const size_t length : {1U, 2U, 3U, 68U}) {
    const std::string text = base64(std::string(length, '\x5a'));
    const std::string url = base64url(std::string(length, '\x5a'));
    for (size_t i = 0; i < text.size() * 256; ++i) {
      std::string other = text;
      other[i / 256] = static_cast<char>(i % 256);
      const auto bytes_then = unbase64(other);
      ASSERT_TRUE(!bytes_then || base64(*bytes_then) == other) << other;
      if (i / 256 >= url.size()) continue;
      other = url;
      other[i / 256] = static_cast<char>(i % 256);
      const auto url_then = unbase64url(other);
      ASSERT_TRUE(!url_then || base64url(*url_then) == other) << other;
    }
  }
}

TEST(Base64Test, AnyBytesComeBack) {
  for (size_t length = 0; length < 100; ++length) {
    const std::string b = random_bytes(length);
    EXPECT_EQ(unbase64(base64(b)), b);
    EXPECT_EQ(unbase64url(base64url(b)), b);
    EXPECT_EQ(unhex(hex(b)), b);
  }
}

TEST(HexTest, Edges) {
  EXPECT_EQ(hex(std::string_view("\0\x7f\xff", 3)), "007fff");
  EXPECT_EQ(unhex("00fFA0"), std::string("\0\xff\xa0", 3));
  EXPECT_EQ(unhex(""), "");
  for (const char* text : {"0", "0g", "00 ", "0x00", "000"}) EXPECT_EQ(unhex(text), std::nullopt) << text;
}

TEST(RandomTest, NumbersStayBelowAndReachAll) {
  EXPECT_THROW(random_number(0), std::invalid_argument);
  EXPECT_EQ(random_number(1), 0U);
  std::vector<int> seen(10);
  for (int i = 0; i < 10'000; ++i) ++seen.at(random_number(10));
  for (const int n : seen) EXPECT_NEAR(n, 1000, 250);  // 8 standard deviations
  for (int i = 0; i < 100; ++i) EXPECT_LT(random_number((uint64_t{1} << 63) + 1), (uint64_t{1} << 63) + 1);
}

TEST(RandomTest, CodesHaveNoLettersThatLookAlike) {
  std::set<std::string> codes;
  for (int i = 0; i < 1000; ++i) {
    const std::string code = random_code(12);
    EXPECT_EQ(code.size(), 12U);
    EXPECT_EQ(code.find_first_not_of("0123456789ABCDEFGHJKMNPQRSTVWXYZ"), std::string::npos);
    EXPECT_TRUE(codes.insert(code).second);
  }
}

TEST(CodeTest, IsReadAsPeopleTypeIt) {
  EXPECT_EQ(dashed(""), "");
  EXPECT_EQ(dashed("7K3M"), "7K3M");
  EXPECT_EQ(dashed("7K3M9QWX2FJTAB4C"), "7K3M-9QWX-2FJT-AB4C");
  EXPECT_EQ(dashed("7K3M9"), "7K3M-9");
  EXPECT_EQ(code_as_made(" 7k3m-9qwx 2fjt-ab4c"), "7K3M9QWX2FJTAB4C");
  EXPECT_EQ(code_as_made("oOiIlL"), "001111");
  EXPECT_EQ(code_as_made("码_"), "码_") << "what no code has stays, and is no code";
}

TEST(EqualTest, ComparesLengthAndBytes) {
  EXPECT_TRUE(equal_in_constant_time("", ""));
  EXPECT_TRUE(equal_in_constant_time("abc", "abc"));
  EXPECT_FALSE(equal_in_constant_time("abc", "abd"));
  EXPECT_FALSE(equal_in_constant_time("abc", "ab"));
  EXPECT_FALSE(equal_in_constant_time("", "a"));
}

TEST(PasswordTest, HashesAndVerifies) {
  const std::string hash = password_hash("correct horse 电池");
  EXPECT_THAT(hash, testing::StartsWith("$argon2id$v=19$m=19456,t=2,p=1$"));
  EXPECT_NE(hash, password_hash("correct horse 电池")) << "salted";
  EXPECT_TRUE(password_verify(hash, "correct horse 电池"));
  EXPECT_FALSE(password_verify(hash, "correct horse"));
  EXPECT_FALSE(password_verify(hash, ""));
  EXPECT_FALSE(password_verify("", ""));
  EXPECT_FALSE(password_verify("plain", "plain"));
  EXPECT_FALSE(password_verify(hash.substr(0, hash.size() - 1), "correct horse 电池"));
  EXPECT_FALSE(password_verify(std::string(500, '$'), "x"));
}

TEST(PasswordTest, ManyAtOnceAllCorrect) {
  const std::string hash = password_hash("p");
  std::atomic<int> right = 0;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] { right += password_verify(hash, i % 2 == 0 ? "p" : "q") == (i % 2 == 0) ? 1 : 0; });
  }
  threads.clear();
  EXPECT_EQ(right, 8);
}

TEST(FairGateTest, AtMostNInsideAndFirstComeFirstServed) {
  FairGate gate(2);
  std::atomic<int> inside = 0;
  std::atomic<int> most = 0;
  std::mutex mutex;
  std::vector<int> order;
  {
    auto first = std::make_unique<FairGate::Pass>(gate);
    auto second = std::make_unique<FairGate::Pass>(gate);
    std::vector<std::jthread> threads;
    for (int i = 0; i < 12; ++i) {
      threads.emplace_back([&, i] {
        const FairGate::Pass pass(gate);
        {
          const std::lock_guard lock(mutex);
          order.push_back(i);
        }
        const int now = ++inside;
        int old = most;
        while (now > old && !most.compare_exchange_weak(old, now)) {
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
        --inside;
      });
      std::this_thread::sleep_for(std::chrono::milliseconds(60));  // so that the tickets are drawn in this order
    }
    EXPECT_EQ(inside, 0);
    first.reset();  // one slot stays taken: the others go in one by one, so their order can be seen
    threads.clear();
    second.reset();
  }
  EXPECT_EQ(most, 1);
  EXPECT_THAT(order, testing::ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11));

  std::vector<std::jthread> threads;
  most = 0;
  for (int i = 0; i < 12; ++i) {
    threads.emplace_back([&] {
      const FairGate::Pass pass(gate);
      const int now = ++inside;
      int old = most;
      while (now > old && !most.compare_exchange_weak(old, now)) {
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      --inside;
    });
  }
  threads.clear();
  EXPECT_EQ(most, 2);
}

}  // namespace
}  // namespace jw::crypto
