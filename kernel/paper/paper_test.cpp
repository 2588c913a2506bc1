// The register of papers on both stores.
#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "kernel/paper/api.hpp"
#include "platform/crypto/api.hpp"
#include "tests/support/stores.hpp"

namespace jw::paper {
namespace {

Instant at(std::string_view text) {
  return Instant::parse(text).value();
}

const Instant kNow = at("2026-03-02T09:00:00+08:00");

class Papers : public testing::TestWithParam<db::Dialect> {
 protected:
  void SetUp() override {
    if (!tests::TestStore::available(GetParam())) GTEST_SKIP() << "no PostgreSQL: JIAOWU_TEST_PG is empty";
    made_ = std::make_unique<tests::TestStore>(GetParam());
    db::migrate(*store().writer(), db::migrations_of(JW_SOURCE_DIR));
  }
  db::Store& store() { return made_->store(); }

  // What `act` makes of a writing transaction of its own; a refusal rolls it back.
  template <class Act>
  auto write(Act act) {
    const db::Store::Lease writer = store().writer();
    db::Transaction transaction(*writer, db::Transaction::Mode::write);
    auto done = act(*writer);
    if (done) transaction.commit();
    return done;
  }
  Result<Mark> issued(New paper = {}, std::string_view prefix = "", Instant now = kNow) {
    if (paper.kind.empty()) paper.kind = "export";
    if (paper.title.empty()) paper.title = "成绩";
    if (paper.bytes.empty()) paper.bytes = "bytes";
    return write([&](db::Connection& transaction) -> Result<Mark> {
      const Mark mark = take(transaction, prefix, now);
      JW_CHECK(issue(transaction, mark, paper, now));
      return mark;
    });
  }
  Result<Paper> revoked(const std::string& number, const std::string& reason = "误发") {
    return write([&](db::Connection& transaction) { return revoke(transaction, number, 7, reason, kNow); });
  }
  std::optional<Paper> by_code(const std::string& code, Instant now = kNow) {
    return find_by_code(*store().reader(), code, now);
  }
  std::string refused(const std::string& number, Instant now = kNow) {
    const Result<std::string> got = bytes(*store().private_reader(), find(*store().reader(), number, now).value());
    return got ? "" : got.refusal().type;
  }

  std::unique_ptr<tests::TestStore> made_;
};
JW_ON_BOTH_STORES(Papers);

TEST_P(Papers, a_code_finds_its_paper_and_no_other) {
  const Mark one = issued({.kind = "export", .title = "成绩", .account = 3, .bytes = "一", .outbox = 11}).value();
  const Mark other = issued({.kind = "letter", .title = "批复", .account = 4, .bytes = "二"}, "教查").value();
  const auto found = by_code(one.code);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->number, one.number);
  EXPECT_EQ(found->kind, "export");
  EXPECT_EQ(found->title, "成绩");
  EXPECT_EQ(found->account, 3);
  EXPECT_EQ(found->outbox, 11);
  EXPECT_EQ(found->made, kNow);
  EXPECT_EQ(found->state, State::valid);
  EXPECT_FALSE(found->expires);
  EXPECT_EQ(found->sha256, "51a75f4634dfa8598a0a1436da0b7764830edd1f3a97661222387da2fe2b38d1");
  EXPECT_EQ(by_code(other.code)->number, other.number);
  EXPECT_EQ(find(*store().reader(), other.number, kNow)->title, "批复");
  EXPECT_EQ(bytes(*store().private_reader(), *found).value(), "一");
}

TEST_P(Papers, unknown_and_forged_codes_find_nothing) {
  const Mark mark = issued().value();
  std::string forged = mark.code;
  forged.back() = forged.back() == '7' ? '8' : '7';
  for (const std::string& code : {forged, std::string(16, '0'), mark.code.substr(1), mark.code + "0", mark.number,
                                  std::string(), std::string("%' OR 1=1 --   "), std::string(5000, 'A')}) {
    EXPECT_FALSE(by_code(code)) << code;
  }
  EXPECT_FALSE(find(*store().reader(), "D2026-000099", kNow));
  // Not even the register knows a code.
  db::Rows rows = (*store().private_reader()).query("SELECT code_digest FROM paper");
  ASSERT_TRUE(rows.next());
  EXPECT_EQ(rows.text(0).find(mark.code), std::string::npos);
}

TEST_P(Papers, a_code_is_read_as_people_type_it) {
  const Mark mark = issued().value();
  std::string typed = " " + crypto::dashed(mark.code);
  for (char& c : typed) {
    if (c == '0') c = 'o';
    if (c == '1') c = 'l';
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  ASSERT_TRUE(by_code(typed)) << typed;
  EXPECT_EQ(crypto::dashed("7K3M9QWX2FJTAB4C"), "7K3M-9QWX-2FJT-AB4C");
}

TEST_P(Papers, one_series_a_year_for_all_kinds_without_a_gap) {
  EXPECT_EQ(issued()->number, "D2026-000001");
  EXPECT_EQ(issued({.kind = "letter"}, "教查")->number, "教查〔2026〕2号");
  EXPECT_FALSE(issued({.replaces = "D2026-000099"})) << "rolled back, its number with it";
  EXPECT_EQ(issued()->number, "D2026-000003");
  // The school's year, not Greenwich's.
  EXPECT_EQ(issued({}, "", at("2027-01-01T00:30:00+08:00"))->number, "D2027-000001");
}

TEST_P(Papers, many_at_once_get_different_numbers) {
  constexpr int kThreads = 4, kEach = 10;
  std::vector<std::vector<std::string>> numbers(kThreads);
  std::vector<std::thread> threads;
  for (auto& mine : numbers) {
    threads.emplace_back([&] {
      for (int i = 0; i < kEach; ++i) mine.push_back(issued()->number);
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::set<std::string> all;
  for (const auto& mine : numbers) all.insert(mine.begin(), mine.end());
  EXPECT_EQ(all.size(), static_cast<size_t>(kThreads * kEach));
  EXPECT_EQ(*all.rbegin(), "D2026-000040");
}

TEST_P(Papers, an_expired_paper_says_so_and_its_bytes_are_kept_back) {
  const Instant until = at("2026-08-29T09:00:00+08:00");
  const Mark mark = issued({.expires = until}).value();
  EXPECT_EQ(by_code(mark.code, {until.us - 1})->state, State::valid);
  EXPECT_EQ(refused(mark.number, {until.us - 1}), "");
  EXPECT_EQ(by_code(mark.code, until)->state, State::expired);
  EXPECT_EQ(refused(mark.number, until), "paper.expired");
}

TEST_P(Papers, a_paper_of_any_kind_is_revoked_once_and_for_ever) {
  for (const char* kind : {"export", "letter"}) {
    const Mark mark = issued({.kind = kind, .expires = at("2026-08-29T09:00:00+08:00")}).value();
    ASSERT_TRUE(revoked(mark.number));
    EXPECT_EQ(by_code(mark.code)->state, State::revoked);
    EXPECT_EQ(refused(mark.number), "paper.revoked");
    EXPECT_EQ(by_code(mark.code, at("2030-01-01T00:00:00+08:00"))->state, State::revoked) << "rather than expired";
    EXPECT_EQ(revoked(mark.number).refusal().type, "paper.revoked");
    EXPECT_EQ(issued({.replaces = mark.number}).refusal().type, "paper.revoked");
  }
  EXPECT_EQ(revoked("D2026-000099").refusal().type, "paper.unknown");
  const Mark mark = issued().value();
  for (const std::string& reason : {std::string(), std::string(" 　"), std::string(501, 'x')})
    EXPECT_EQ(revoked(mark.number, reason).refusal().type, "text.not_accepted");
  EXPECT_EQ(by_code(mark.code)->state, State::valid);
}

TEST_P(Papers, of_two_that_replace_the_same_one_does) {
  const Mark old = issued().value();
  std::optional<Result<Mark>> first, second;
  std::thread one([&] { first = issued({.replaces = old.number}); });
  std::thread other([&] { second = issued({.replaces = old.number}); });
  one.join();
  other.join();
  ASSERT_NE(bool(*first), bool(*second));
  const auto& [won, lost] = *first ? std::tie(*first, *second) : std::tie(*second, *first);
  EXPECT_EQ(lost.refusal().type, "paper.replaced");
  const auto found = by_code(old.code);
  EXPECT_EQ(found->state, State::replaced);
  EXPECT_EQ(found->replaced_by, won->number);
  EXPECT_EQ(refused(old.number), "paper.replaced");
  EXPECT_EQ(by_code(won->code)->state, State::valid);
  ASSERT_TRUE(revoked(old.number)) << "whoever holds the old one hears that it was withdrawn, not only replaced";
  EXPECT_EQ(by_code(old.code)->state, State::revoked);
  EXPECT_EQ(by_code(old.code)->replaced_by, won->number);
  EXPECT_EQ(refused(old.number), "paper.revoked");
  EXPECT_EQ(by_code(won->code)->state, State::valid);
}

TEST_P(Papers, a_mark_is_used_once) {
  const Mark mark = issued().value();
  EXPECT_THROW(write([&](db::Connection& transaction) { return issue(transaction, mark, {.kind = "export"}, kNow); }),
               db::Error);
  const Mark copied{mark.id + 700, "D2026-000777", mark.code};
  EXPECT_THROW(write([&](db::Connection& transaction) { return issue(transaction, copied, {.kind = "export"}, kNow); }),
               db::Error);
}

TEST_P(Papers, readers_see_all_but_the_bytes) {
  const Mark mark = issued().value();
  EXPECT_TRUE(store().fasten({readers_reach(), {}}).empty());
  EXPECT_TRUE(by_code(mark.code));
  for (const char* text :
       {"SELECT content FROM paper", "SELECT revoked_reason FROM paper", "SELECT next FROM paper_number"})
    EXPECT_THROW((*store().reader()).query(text).next(), db::Error) << text;
}

}  // namespace
}  // namespace jw::paper
