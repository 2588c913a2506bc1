// Notices and their mail on both stores, with a real SMTP server on loopback.
#include <gtest/gtest.h>

#include <memory>
#include <mutex>
#include <set>
#include <thread>

#include "kernel/notice/api.hpp"
#include "kernel/notice/postman.hpp"
#include "tests/support/smtp.hpp"
#include "tests/support/stores.hpp"

namespace jw::notice {
namespace {

class SetClock final : public Clock {
 public:
  Instant now() const override { return {us_.load()}; }
  void pass(int64_t us) { us_ += us; }

 private:
  std::atomic<int64_t> us_ = Instant::parse("2026-03-02T09:00:00+08:00").value().us;
};

constexpr int64_t kMinute = 60 * kSecond;

class NoticesOn : public testing::TestWithParam<db::Dialect> {
 protected:
  void SetUp() override {
    if (!tests::TestStore::available(GetParam())) GTEST_SKIP() << "no PostgreSQL: JIAOWU_TEST_PG is empty";
    made_ = std::make_unique<tests::TestStore>(GetParam());
    const db::Store::Lease writer = store().writer();
    db::migrate(*writer, db::migrations_of(JW_SOURCE_DIR));
    for (int64_t account = 1; account <= 40; ++account) {
      writer->execute("INSERT INTO person (id, name, created_us) VALUES ($1, '张三', 0)", {1000 + account});
      writer->execute(
          "INSERT INTO account (id, login, kind, person_id, display_name, created_us) VALUES ($1, $2, 'student', $3, "
          "'张三', 0)",
          {account, "u" + std::to_string(account), 1000 + account});
    }
  }

  db::Store& store() { return made_->store(); }
  int64_t count(const std::string& state) {
    const db::Store::Lease reader = store().private_reader();
    db::Rows rows = reader->query("SELECT COUNT(*) FROM notice WHERE mail_state = $1", {state});
    rows.next();
    return rows.integer(0);
  }
  std::string reason_of(int64_t account) {
    const db::Store::Lease reader = store().private_reader();
    db::Rows rows =
        reader->query("SELECT mail_state, mail_reason FROM notice WHERE account = $1 ORDER BY id", {account});
    std::string all;
    while (rows.next()) all += std::string(rows.text(0)) + ":" + std::string(rows.text(1)) + " ";
    return all;
  }
  void put(int64_t account, const std::string& zh = "您的申请已批准", bool commit = true) {
    const db::Store::Lease writer = store().writer();
    db::Transaction transaction(*writer, db::Transaction::Mode::write);
    Notice notice;
    notice.account = account;
    notice.about = "case:2026-0017";
    notice.text = {zh, "your application is approved"};
    put_notice(*writer, notice, clock_.now());
    if (commit) transaction.commit();
  }
  // Of the dataset: number, what it says, and whose it is.
  struct Row {
    int64_t number, person;
    std::string about, zh;
    Instant made;
    bool seen;
  };
  std::vector<Row> all_of(int64_t account) {
    const db::Store::Lease reader = store().private_reader();
    db::Rows rows = reader->query(
        "SELECT number, person_id, about, text_zh, made, seen FROM notice WHERE account = $1 ORDER BY number DESC",
        {account});
    std::vector<Row> all;
    while (rows.next()) {
      all.push_back({rows.integer(0),
                     rows.integer(1),
                     std::string(rows.text(2)),
                     std::string(rows.text(3)),
                     {rows.integer(4)},
                     !rows.is_null(5)});
    }
    return all;
  }
  int64_t unread_of(int64_t account) {
    const db::Store::Lease reader = store().reader();
    return unread(*reader, account);
  }
  int64_t mark(int64_t account, const std::vector<int64_t>& ids) {
    const db::Store::Lease writer = store().writer();
    db::Transaction transaction(*writer, db::Transaction::Mode::write);
    const int64_t marked = mark_read(*writer, account, ids, clock_.now());
    transaction.commit();
    return marked;
  }

  std::unique_ptr<mail::Mailer> mailer(const tests::SmtpServer& server) {
    mail::Options options;
    options.url = server.url();
    options.from_address = "jiaowu@school.example";
    options.timeout = std::chrono::seconds(20);
    auto made = mail::Mailer::make(options);
    EXPECT_TRUE(made);
    return std::move(made).value();
  }
  std::unique_ptr<Postman> postman(mail::Mailer& sender) {
    return std::make_unique<Postman>(
        store(), sender, clock_,
        [this](db::Connection&, int64_t account) -> std::optional<std::string> {
          const std::lock_guard lock(mutex_);
          const auto found = addresses_.find(account);
          if (found != addresses_.end()) return found->second;
          return "u" + std::to_string(account) + "@school.example";
        },
        Postman::Letter{"有新的通知", "请登录查看：https://jiaowu.school.example/notices\n"});
  }

  SetClock clock_;
  std::mutex mutex_;
  std::map<int64_t, std::optional<std::string>> addresses_;
  std::unique_ptr<tests::TestStore> made_;
};

TEST_P(NoticesOn, ExistsExactlyWhenItsActDoes) {
  put(1, "第一条");
  put(1, "没有发生", false);
  put(2, "别人的");
  put(1, "第二条");
  const auto all = all_of(1);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].zh, "第二条");
  EXPECT_EQ(all[1].zh, "第一条");
  EXPECT_EQ(all[0].about, "case:2026-0017");
  EXPECT_EQ(all[0].made, clock_.now());
  EXPECT_EQ(all[0].person, 1001) << "who the dataset shows it to";
  EXPECT_FALSE(all[0].seen);
}

TEST_P(NoticesOn, MarkedByTheirOwnerOnly) {
  for (int i = 0; i < 5; ++i) put(1, "第" + std::to_string(i));
  put(2);
  const auto all = all_of(1);
  ASSERT_EQ(all.size(), 5u);
  EXPECT_EQ(unread_of(1), 5);
  EXPECT_EQ(mark(2, {all[0].number}), 0) << "not the one of somebody else";
  EXPECT_EQ(mark(1, {all[0].number, all[1].number, 999}), 2);
  EXPECT_EQ(mark(1, {all[0].number}), 0) << "seen once is seen";
  EXPECT_EQ(unread_of(1), 3);
  EXPECT_EQ(mark(1, {}), 3);
  EXPECT_EQ(unread_of(1), 0);
  EXPECT_EQ(unread_of(2), 1);
}

TEST_P(NoticesOn, OneMailForAllThatWaitsAndNothingOfWhatItIs) {
  const tests::SmtpServer server;
  const auto sender = mailer(server);
  const auto post = postman(*sender);
  put(1, "张三的成绩申诉已受理");
  put(1, "张三的第二件事");
  put(2, "李四的事");
  put(3, "没有提交", false);
  const Delivered delivered = post->deliver_due();
  EXPECT_EQ(delivered.mails, 2);
  EXPECT_EQ(delivered.trouble, "");
  const auto got = server.received();
  ASSERT_EQ(got.size(), 2u);
  EXPECT_EQ(got[0].at("rcpt_to"), "u1@school.example");
  EXPECT_EQ(got[0].at("header Subject"), "有新的通知");
  EXPECT_EQ(got[0].at("text"), "请登录查看：https://jiaowu.school.example/notices\\n");
  EXPECT_EQ(got[0].at("connection"), got[1].at("connection"));
  EXPECT_EQ(reason_of(1), "sent:sent sent:sent ");
  EXPECT_EQ(post->deliver_due().mails, 0);
  EXPECT_EQ(server.received().size(), 2u);
}

TEST_P(NoticesOn, SeenOrWithoutAnAddressGetsNoMail) {
  const tests::SmtpServer server;
  const auto sender = mailer(server);
  const auto post = postman(*sender);
  put(1);
  put(2);
  put(3);
  mark(1, {});
  addresses_[2] = std::nullopt;
  addresses_[3] = "no address";
  const Delivered delivered = post->deliver_due();
  EXPECT_EQ(delivered.none, 2);
  EXPECT_EQ(delivered.refused, 1);
  EXPECT_EQ(reason_of(1), "none:seen ");
  EXPECT_EQ(reason_of(2), "none:no_address ");
  EXPECT_EQ(reason_of(3), "refused:address_invalid ");
  EXPECT_TRUE(server.received().empty());
}

TEST_P(NoticesOn, WaitsLongerEachTimeAndGivesUpAfterThreeDays) {
  const tests::SmtpServer server;
  const auto sender = mailer(server);
  const auto post = postman(*sender);
  addresses_[1] = "busy@school.example";
  addresses_[2] = "unknown@school.example";
  put(1);
  put(2);
  const Delivered first = post->deliver_due();
  EXPECT_EQ(first.later, 1);
  EXPECT_EQ(first.refused, 1);
  EXPECT_EQ(reason_of(1), "due:rcpt_451 ");
  EXPECT_EQ(reason_of(2), "refused:rcpt_550 ");
  std::vector<int64_t> waited;
  int64_t since = 0;
  while (count("due") > 0 && waited.size() < 50) {
    clock_.pass(kMinute);
    since += kMinute;
    if (post->deliver_due().later == 0) continue;
    waited.push_back(since / kMinute);
    since = 0;
  }
  const std::vector<int64_t> doubling = {1, 2, 4, 8, 16, 32, 64, 128, 256};
  ASSERT_GT(waited.size(), doubling.size() + 5);
  EXPECT_TRUE(std::equal(doubling.begin(), doubling.end(), waited.begin()));
  for (size_t i = doubling.size(); i < waited.size(); ++i) EXPECT_EQ(waited[i], 360);
  EXPECT_EQ(reason_of(1), "refused:given_up_rcpt_451 ");
}

TEST_P(NoticesOn, ServerThatIsAwayIsAskedOnceARound) {
  const tests::SmtpServer server;
  const auto sender = mailer(server);
  const auto post = postman(*sender);
  for (int64_t account = 1; account <= 10; ++account) put(account);
  server.says("421 4.3.2 closing for the night");
  const Delivered away = post->deliver_due();
  EXPECT_EQ(away.later, 1);
  EXPECT_EQ(away.trouble, "mail_421");
  EXPECT_EQ(count("due"), 10);
  server.says("");
  EXPECT_EQ(post->deliver_due().mails, 9) << "the other nine were not made to wait";
  clock_.pass(kMinute);
  EXPECT_EQ(post->deliver_due().mails, 1);
}

TEST_P(NoticesOn, NothingIsMailedYearsLaterBecauseAServerWasSetUp) {
  const tests::SmtpServer server;
  const auto sender = mailer(server);
  put(1);
  clock_.pass(kGivenUpAfter);
  put(2);
  const Delivered delivered = postman(*sender)->deliver_due();
  EXPECT_EQ(delivered.mails, 1);
  EXPECT_EQ(reason_of(1), "refused:given_up ");
  EXPECT_EQ(server.received().at(0).at("rcpt_to"), "u2@school.example");
}

TEST_P(NoticesOn, SeveralNodesSendEachMailOnce) {
  const tests::SmtpServer server;
  for (int64_t account = 1; account <= 40; ++account) put(account);
  std::vector<std::unique_ptr<mail::Mailer>> senders;
  std::vector<std::thread> nodes;
  std::atomic<int64_t> mails = 0;
  for (int i = 0; i < 4; ++i) senders.push_back(mailer(server));
  for (const auto& sender : senders) {
    nodes.emplace_back([&, post = std::shared_ptr<Postman>(postman(*sender))] { mails += post->deliver_due().mails; });
  }
  for (std::thread& each : nodes) each.join();
  EXPECT_EQ(mails, 40);
  EXPECT_EQ(count("sent"), 40);
  std::set<std::string> to, ids;
  for (const auto& each : server.received()) {
    to.insert(each.at("rcpt_to"));
    ids.insert(each.at("header Message-ID"));
  }
  EXPECT_EQ(server.received().size(), 40u);
  EXPECT_EQ(to.size(), 40u);
  EXPECT_EQ(ids.size(), 40u);
}

// A node that dies after the server took the mail and before that was written down: here its store refuses the writing.
TEST_P(NoticesOn, DeathBetweenSendingAndWritingLeavesOneDuplicateThatIsKnownAsOne) {
  const tests::SmtpServer server;
  const auto sender = mailer(server);
  const auto post = postman(*sender);
  put(1);
  put(1);
  {
    const db::Store::Lease writer = store().writer();
    writer->script(GetParam() == db::Dialect::sqlite
                       ? "CREATE TRIGGER dies BEFORE UPDATE OF mail_state ON notice WHEN NEW.mail_state = 'sent' "
                         "BEGIN SELECT RAISE(ABORT, 'dead'); END"
                       : "CREATE FUNCTION dies() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'dead'; END $$; "
                         "CREATE TRIGGER dies BEFORE UPDATE ON notice FOR EACH ROW WHEN (NEW.mail_state = 'sent') "
                         "EXECUTE FUNCTION dies()");
  }
  EXPECT_THROW(post->deliver_due(), db::Error);
  EXPECT_EQ(server.received().size(), 1u);
  {
    const db::Store::Lease writer = store().writer();
    writer->script(GetParam() == db::Dialect::sqlite ? "DROP TRIGGER dies" : "DROP TRIGGER dies ON notice");
  }
  EXPECT_EQ(post->deliver_due().mails, 0) << "claimed still";
  clock_.pass(10 * kMinute);
  EXPECT_EQ(post->deliver_due().mails, 1);
  const auto got = server.received();
  ASSERT_EQ(got.size(), 2u);
  EXPECT_EQ(got[0].at("header Message-ID"), got[1].at("header Message-ID"));
  EXPECT_EQ(got[0].at("header Date"), got[1].at("header Date"));
  EXPECT_EQ(server.raw("001"), server.raw("002"));
  EXPECT_EQ(count("sent"), 2);
  clock_.pass(kDay);
  EXPECT_EQ(post->deliver_due().mails, 0);
}

TEST_P(NoticesOn, ReadersDoNotSeeTheMail) {
  put(1);
  EXPECT_TRUE(store().fasten({readers_reach(), {}}).empty());
  EXPECT_EQ(all_of(1).size(), 1u);
  EXPECT_EQ(unread_of(1), 1);
  const db::Store::Lease reader = store().reader();
  for (const char* text :
       {"SELECT mail_state FROM notice", "SELECT mail_reason FROM notice", "SELECT next FROM notice_number"})
    EXPECT_THROW(reader->query(text).next(), db::Error) << text;
}

JW_ON_BOTH_STORES(NoticesOn);

}  // namespace
}  // namespace jw::notice
