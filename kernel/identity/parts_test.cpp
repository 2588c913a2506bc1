#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "kernel/identity/api.hpp"
#include "kernel/identity/common_passwords.hpp"
#include "kernel/identity/remote_limits.hpp"
#include "kernel/identity/session_cache.hpp"

namespace jw::identity {
namespace {

std::vector<std::string> codes(PasswordRules rules, std::string_view password, std::string_view login = "t2019001",
                               std::string_view name = "张三丰") {
  std::vector<std::string> found;
  for (const FieldProblem& problem : check_password(rules, password, login, name)) {
    EXPECT_EQ(problem.field, "new_password");
    EXPECT_FALSE(problem.text.zh.empty());
    EXPECT_FALSE(problem.text.en.empty());
    found.push_back(problem.code);
  }
  return found;
}

using Codes = std::vector<std::string>;

TEST(PasswordRules, dengbao_asks_for_eight_characters_of_three_classes) {
  const auto rules = PasswordRules::dengbao;
  EXPECT_EQ(codes(rules, "Tr4vel-by"), Codes{});
  EXPECT_EQ(codes(rules, "Tr4-veL"), Codes{"too_short"});
  EXPECT_EQ(codes(rules, "rivermountain"), Codes{"too_simple"});
  EXPECT_EQ(codes(rules, "rivermount4in"), Codes{"too_simple"});
  EXPECT_EQ(codes(rules, "rivermount4in!"), Codes{});
  EXPECT_EQ(codes(rules, "江河湖海river7"), Codes{});  // Han counts as other
  EXPECT_EQ(codes(rules, "Tr4ve"), Codes{"too_short"});
}

TEST(PasswordRules, full_width_characters_count_as_what_they_look_like) {
  EXPECT_EQ(codes(PasswordRules::dengbao, "Ｔｒ４ｖｅｌ－ｂｙ"), Codes{});
  EXPECT_EQ(codes(PasswordRules::dengbao, "Ａｄｍｉｎ＠１２３"), Codes{"common"});
}

TEST(PasswordRules, asvs_asks_for_twelve_characters_and_no_composition) {
  const auto rules = PasswordRules::asvs;
  EXPECT_EQ(codes(rules, "rivermountainsky"), Codes{});
  EXPECT_EQ(codes(rules, "Tr4vel-by"), Codes{"too_short"});
  EXPECT_EQ(codes(rules, "春江花月夜不是密码的吧啊"), Codes{});
  EXPECT_EQ(codes(rules, "qwertyuiop123"), Codes{"common"});
}

TEST(PasswordRules, not_ones_own_login_or_name_or_its_pinyin) {
  const auto rules = PasswordRules::dengbao;
  EXPECT_EQ(codes(rules, "T2019001#x"), Codes{"contains_login"});
  EXPECT_EQ(codes(rules, "我是张三丰Ab1"), Codes{"contains_name"});
  EXPECT_EQ(codes(rules, "ZhangSanFeng#19"), Codes{"contains_name"});
  EXPECT_EQ(codes(rules, "ZhangWuji#19x", "t2019001", "Li"), Codes{});
}

TEST(PasswordRules, nothing_overlong_and_nothing_that_is_not_text) {
  EXPECT_EQ(codes(PasswordRules::asvs, std::string(600, 'x')), Codes{"too_long"});
  std::string long_one;
  for (int i = 0; i < 43; ++i) long_one += std::to_string(100 + i * 7 % 900);
  EXPECT_EQ(codes(PasswordRules::asvs, long_one), Codes{"too_long"});
  EXPECT_EQ(codes(PasswordRules::asvs, "abc\xff\xfe-defghijkl"), Codes{"not_text"});
}

TEST(PasswordRules, what_everybody_tries_first_is_refused) {
  const char* const common[] = {"123456",         "Woaini1314!", "woaini520",     "P@ssw0rd",     "Passw0rd2024!",
                                "Admin@123",      "admin@2025",  "1qaz@WSX",      "1qaz!QAZ",     "Qwer1234!",
                                "Aa123456",       "Abc@123456",  "zhongguo@1949", "Jiaowu#2026",  "aaaaaaaaAAAA",
                                "abcABCabcABC",   "5201314a",    "a5201314",      "qwertyuiop[]", "0987654321",
                                "abcdefghijklmn", "!@#$%^&*()",  "xuexiao2026!",  "Huawei@123",   "Student@2026",
                                "123Woaini!",     "!QAZ2wsx",    "Zxcvbnm,./",    "Qq123456789",  "IloveYou1314!"};
  for (const char* password : common) EXPECT_TRUE(is_common_password(password)) << password;
  const char* const good[] = {"Tr4vel-by",     "rivermountain",       "K7x!93qzPw",        "correct-horse-staple",
                              "春眠不觉晓Ab1", "password-K7x!93qzPw", "admin839201746513", "9f8e-2c1d-77aa"};
  for (const char* password : good) EXPECT_FALSE(is_common_password(password)) << password;
}

TEST(RemoteLimits, a_key_has_so_many_attempts_and_gets_them_back_with_time) {
  RemoteLimits limits({.burst = 3, .refill_us = 10, .known_max = 100});
  int64_t now = 1000;
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(limits.take("a", now));
  EXPECT_FALSE(limits.take("a", now));
  EXPECT_TRUE(limits.take("b", now));
  now += 10;
  EXPECT_TRUE(limits.take("a", now));
  EXPECT_FALSE(limits.take("a", now));
  limits.give_back("a");
  EXPECT_TRUE(limits.take("a", now));
  EXPECT_FALSE(limits.take("a", now));
}

TEST(RemoteLimits, what_counts_as_one_address_and_as_one_network) {
  struct Row {
    const char *one, *other;
    bool address, network;
  };
  constexpr Row kRows[] = {
      {"192.0.2.1", "192.0.2.1", true, true},
      {"192.0.2.1", "::ffff:192.0.2.1", true, true},
      {"192.0.2.1", "192.0.2.9", false, true},
      {"192.0.2.1", "192.0.3.1", false, false},
      {"2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true, true},
      {"2001:db8:1:2::1", "2001:db8:1:3::1", false, true},
      {"2001:db8:1:2::1", "2001:db8:2:2::1", false, false},
      {"no address", "another", false, false},
  };
  for (const Row& row : kRows) {
    EXPECT_EQ(remote_key(row.one) == remote_key(row.other), row.address) << row.one << ' ' << row.other;
    EXPECT_EQ(network_key(row.one) == network_key(row.other), row.network) << row.one << ' ' << row.other;
  }
}

TEST(RemoteLimits, a_clock_set_back_locks_nobody_out_and_a_little_unevenness_gives_nothing) {
  RemoteLimits limits({.burst = 2, .refill_us = kSecond, .known_max = 8});
  EXPECT_TRUE(limits.take("192.0.2.1", kDay + 10));
  EXPECT_TRUE(limits.take("192.0.2.1", kDay + 10));
  EXPECT_FALSE(limits.take("192.0.2.1", kDay));
  EXPECT_TRUE(limits.take("192.0.2.1", 0));
}

TEST(RemoteLimits, addresses_kept_are_bounded) {
  RemoteLimits limits({.burst = 1, .refill_us = 10, .known_max = 8});
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(limits.take("198.51.100." + std::to_string(i), 0));
  EXPECT_EQ(limits.known(), 8U);
  EXPECT_FALSE(limits.take("198.51.100.99", 0));
}

std::shared_ptr<const Session> session_of(int64_t id) {
  auto session = std::make_shared<Session>();
  session->id = id;
  session->expires = {1'000'000};
  return session;
}

crypto::Digest digest_of(int64_t id) {
  return crypto::sha256(std::to_string(id));
}

TEST(SessionCache, forgets_by_id_and_stays_within_its_bound) {
  SessionCache cache(320, 1000, 100);
  for (int64_t id = 1; id <= 5000; ++id) cache.put(digest_of(id), session_of(id), 1100, 0);
  EXPECT_LE(cache.size(), 320U);
  EXPECT_EQ(cache.find(digest_of(1), 0).session, nullptr);
  ASSERT_NE(cache.find(digest_of(5000), 0).session, nullptr);
  cache.forget(5000);
  EXPECT_EQ(cache.find(digest_of(5000), 0).session, nullptr);
}

TEST(SessionCache, use_is_written_once_in_a_flush_and_never_too_late) {
  const int64_t idle = 1000;
  const int64_t flush = 100;
  SessionCache cache(320, idle, flush);
  int64_t stored = idle + flush;
  cache.put(digest_of(1), session_of(1), stored, 0);
  EXPECT_TRUE(cache.uses_due().empty());
  int written = 0;
  for (int64_t now = 0; now < 20'000; now += 10) {
    if (now % 30 == 0) {  // in use all the time: the store must never think it idle
      ASSERT_NE(cache.find(digest_of(1), now).session, nullptr) << now;
    }
    ASSERT_GT(stored, now);
    if (now % flush != 0) continue;
    for (const auto& use : cache.uses_due()) {
      stored = use.idle_until_us;
      cache.written(use);
      ++written;
    }
  }
  EXPECT_LE(written, 200);
  EXPECT_GE(written, 90);
}

TEST(SessionCache, a_use_just_before_idleness_is_urgent_and_survives_eviction) {
  SessionCache cache(32, 1000, 100);  // one for each shard
  cache.put(digest_of(1), session_of(1), 1100, 0);
  EXPECT_FALSE(cache.find(digest_of(1), 500).urgent);
  EXPECT_TRUE(cache.find(digest_of(1), 1050).urgent);
  for (int64_t id = 2; id < 2000; ++id) cache.put(digest_of(id), session_of(id), 2150, 1050);
  EXPECT_EQ(cache.find(digest_of(1), 1060).session, nullptr);
  const auto uses = cache.uses_due();
  ASSERT_EQ(uses.size(), 1U);
  EXPECT_EQ(uses[0].session, 1);
  EXPECT_EQ(uses[0].idle_until_us, 1050 + 1000 + 100);
}

TEST(SessionCache, an_entry_is_never_out_of_reach_of_forget) {
  SessionCache cache(64, 1000, 100);  // small: entries come and go all the time
  constexpr int64_t kSessions = 200;
  std::vector<std::jthread> threads;
  for (int64_t thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&cache, thread] {
      for (int64_t i = 0; i < 20'000; ++i) {
        const int64_t id = 1 + (i * 7 + thread * 13) % kSessions;
        if (i % 5 == thread) {
          cache.forget(id);
        } else if (!cache.find(digest_of(id), i).session) {
          cache.put(digest_of(id), session_of(id), i + 1100, i);
        }
        if (i % 1000 == 0) {
          for (const auto& use : cache.uses_due()) cache.written(use);
        }
      }
    });
  }
  threads.clear();
  EXPECT_LE(cache.size(), 64U);
  EXPECT_GT(cache.size(), 0U);
  for (int64_t id = 1; id <= kSessions; ++id) cache.forget(id);
  EXPECT_EQ(cache.size(), 0U);
}

}  // namespace
}  // namespace jw::identity
