// The regulation of a store, on both stores: versions, proposals, four eyes, and what stops answering.
#include "kernel/policy/regulation_edit.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include <atomic>
#include <thread>

#include "kernel/catalog/schema.hpp"
#include "kernel/policy/api.hpp"
#include "tests/support/stores.hpp"

namespace jw::policy {
namespace {

const Trial kFits = [](const Regulation&) -> Result<Done> { return Done{}; };

namespace json = boost::json;

class SetClock final : public Clock {
 public:
  Instant now() const override { return Instant::parse("2026-03-02T09:00:00+08:00").value(); }
};

const catalog::Catalogue& catalogue() {
  static const catalog::Catalogue kLoaded = [] {
    auto loaded = catalog::load(JW_SOURCE_DIR);
    return std::get<catalog::Catalogue>(std::move(loaded));
  }();
  return kLoaded;
}

json::object files() {
  auto content = content_of_files(JW_SOURCE_DIR, catalogue());
  if (const auto* problems = std::get_if<std::vector<catalog::FileProblem>>(&content))
    throw std::runtime_error(problems->front().print());
  return std::get<json::object>(std::move(content));
}

json::array changes(std::string_view text) {
  return json::parse(text).as_array();
}

// The row of a content with this member.
json::object row(const json::object& content, std::string_view kind, std::string_view member, std::string_view value) {
  for (const json::value& each : content.at(kind).as_array()) {
    if (each.at(member).is_string() && each.at(member).get_string() == value) return each.get_object();
  }
  throw std::out_of_range(std::string(value));
}

TEST(RegulationContent, rows_mean_what_the_files_mean) {
  const auto whole = load(JW_SOURCE_DIR, catalogue());
  const auto& regulation = std::get<Regulation>(whole);
  const json::object content = files();
  const auto again = load_content(content, catalogue());
  ASSERT_TRUE(std::holds_alternative<Regulation>(again))
      << std::get<std::vector<catalog::FileProblem>>(again).front().print();
  const auto& rows = std::get<Regulation>(again);
  EXPECT_EQ(rows.digest, regulation.digest);
  ASSERT_EQ(rows.atoms.size(), regulation.atoms.size());
  EXPECT_EQ(content.at("rules").as_array().size(), regulation.atoms.size());
  for (size_t i = 0; i < rows.atoms.size(); ++i) {
    EXPECT_EQ(rows.atoms[i].rule, static_cast<int64_t>(i) + 1);
    EXPECT_EQ(rows.atoms[i].text, regulation.atoms[i].text);
  }
}

TEST(RegulationContent, mistakes_name_the_rule) {
  json::object content = files();
  json::object& rule = content["rules"].as_array()[6].as_object();
  rule["hidden"] = json::array{"nothing_like_it"};
  const auto loaded = load_content(content, catalogue());
  const auto* problems = std::get_if<std::vector<catalog::FileProblem>>(&loaded);
  ASSERT_NE(problems, nullptr);
  EXPECT_EQ(problems->front().file, "rules");
  EXPECT_EQ(problems->front().line, 7);
  for (const char* broken : {"{}", R"({"settings":1,"posts":[],"powers":[],"rules":[]})",
                             R"({"settings":[],"posts":[],"powers":[],"rules":[{"id":1}]})",
                             R"({"settings":[],"posts":[],"powers":[],"rules":[7]})"}) {
    EXPECT_TRUE(std::holds_alternative<std::vector<catalog::FileProblem>>(
        load_content(json::parse(broken).as_object(), catalogue())))
        << broken;
  }
}

TEST(RegulationContent, no_rule_opens_academic_data_to_an_administrator) {
  for (const char* post : {"system_admin", "security_admin", "audit_admin"}) {
    const auto refused = draft(catalogue(), files(),
                               changes(R"([{"op":"add_rule","rule":{"post":")" + std::string(post) +
                                       R"(","dataset":"grade","rows":"all","clause":"2.1.1"}}])"));
    ASSERT_FALSE(refused) << post;
    EXPECT_NE(refused.refusal().fields.front().text.en.find("4.3.2"), std::string::npos);
    json::object unmarked = row(files(), "posts", "name", post);
    unmarked.erase("apart");
    json::array put{json::object{{"op", "put_post"}, {"post", unmarked}}};
    EXPECT_FALSE(draft(catalogue(), files(), put)) << "the mark itself cannot be taken away";
  }
}

TEST(RegulationContent, rows_that_differ_are_told_by_kind_and_key) {
  const json::object base = files();
  const auto made = draft(catalogue(), base, changes(R"([
    {"op":"remove_rule","id":3},
    {"op":"add_rule","rule":{"post":"teacher","dataset":"evaluation","rows":"all","clause":"2.2.1"}},
    {"op":"set_setting","name":"decision_days","value":7}])"));
  ASSERT_TRUE(made) << made.refusal().fields.front().text.en;
  const json::array differs = difference(base, made->content);
  ASSERT_EQ(differs.size(), 3u);
  EXPECT_EQ(json::serialize(differs[0].at("key")), R"("decision_days")");
  EXPECT_TRUE(differs[1].at("before").is_null() || differs[2].at("before").is_null());
  EXPECT_TRUE(difference(base, base).empty());
  // The number of a rule that was removed is never given again.
  const auto first =
      draft(catalogue(), made->content,
            changes(R"([{"op":"remove_rule","id":)" + std::to_string(base.at("rules").as_array().size() + 1) + "}]"));
  ASSERT_TRUE(first) << first.refusal().fields.front().text.en;
  const auto then = draft(
      catalogue(), first->content,
      changes(R"([{"op":"add_rule","rule":{"post":"teacher","dataset":"evaluation","rows":"all","clause":"2.2.1"}}])"));
  ASSERT_TRUE(then);
  EXPECT_EQ(then->content.at("rules").as_array().back().at("id").as_int64(),
            static_cast<int64_t>(base.at("rules").as_array().size()) + 2);
}

class RegulationOn : public testing::TestWithParam<db::Dialect> {
 protected:
  void SetUp() override {
    if (!tests::TestStore::available(GetParam())) GTEST_SKIP() << "no PostgreSQL: JIAOWU_TEST_PG is empty";
    made_ = std::make_unique<tests::TestStore>(GetParam());
    {
      const db::Store::Lease lease = made_->store().writer();
      db::migrate(*lease, db::migrations_of(JW_SOURCE_DIR));
    }
    record_ = db::Store::open(record::record_store(made_->options()));
    record::Options options;
    options.key_file = made_->key_file();
    recorder_ = record::Recorder::open(made_->store(), *record_, clock_, options);
    start(files());
  }
  void TearDown() override {
    recorder_.reset();
    record_.reset();
    made_.reset();
  }

  db::Store& store() { return made_->store(); }
  Instant now() const { return clock_.now(); }

  void start(const json::object& content) {
    const db::Store::Lease lease = store().writer();
    db::Transaction transaction(*lease, db::Transaction::Mode::write);
    const int64_t outbox = start_regulation(*lease, *recorder_, catalogue(), content, now());
    if (outbox == 0) return;
    transaction.commit();
    EXPECT_TRUE(recorder_->deliver(outbox));
  }
  template <class Act>
  Result<Acted> act(Act act) {
    Result<Acted> done = Acted{};
    {
      const db::Store::Lease lease = store().writer();
      db::Transaction transaction(*lease, db::Transaction::Mode::write);
      done = act(*lease);
      if (done) transaction.commit();
    }
    if (done) {
      EXPECT_TRUE(recorder_->deliver(done->outbox));
    }
    return done;
  }
  static Hand hand(int64_t account) {
    return {account, 100 + account, 1, "hand " + std::to_string(account), "academic_office", "jwc"};
  }
  Result<Acted> offer(std::string_view what, int64_t base, int64_t by = 1, const std::string& note = "why") {
    return act([&](db::Connection& transaction) {
      return propose(transaction, *recorder_, catalogue(), base, changes(what), {"2.1.1", note}, hand(by), now(),
                     kFits);
    });
  }
  Result<Acted> take(int64_t id, int64_t by = 2) {
    return act([&](db::Connection& transaction) {
      return approve(transaction, *recorder_, catalogue(), id, hand(by), now(), kFits);
    });
  }
  int64_t in_force() { return version_in_force(*store().reader()); }
  int64_t setting(int64_t version, const char* name) {
    return stored_regulation(*store().reader(), version, catalogue()).setting(name);
  }

  SetClock clock_;
  std::unique_ptr<tests::TestStore> made_;
  std::unique_ptr<db::Store> record_;
  std::unique_ptr<record::Recorder> recorder_;
};

constexpr std::string_view kDays = R"([{"op":"set_setting","name":"decision_days","value":9}])";

TEST_P(RegulationOn, every_version_stays) {
  EXPECT_EQ(in_force(), 1);
  const int64_t was = setting(1, "decision_days");
  const auto proposed = offer(kDays, 1);
  ASSERT_TRUE(proposed) << proposed.refusal().detail.en;
  EXPECT_EQ(in_force(), 1) << "a proposal changes nothing";
  const uint64_t leaves = recorder_->size();
  ASSERT_TRUE(take(proposed->proposal));
  EXPECT_EQ(recorder_->size(), leaves + 1);
  EXPECT_EQ(in_force(), 2);
  EXPECT_EQ(setting(2, "decision_days"), 9);
  EXPECT_EQ(setting(1, "decision_days"), was);
  const auto back = act([&](db::Connection& transaction) {
    return propose_rollback(transaction, *recorder_, catalogue(), 2, 1, {"", "back"}, hand(2), now(), kFits);
  });
  ASSERT_TRUE(back) << back.refusal().detail.en;
  ASSERT_TRUE(take(back->proposal, 1));
  EXPECT_EQ(setting(3, "decision_days"), was);
  {
    const db::Store::Lease reader = store().private_reader();
    db::Rows rows = reader->query(
        "SELECT kind, COALESCE(rolled_back_to, 0), approved_name FROM regulation_version ORDER BY version DESC");
    ASSERT_TRUE(rows.next());
    EXPECT_EQ(rows.text(0), "rollback");
    EXPECT_EQ(rows.integer(1), 1);
    ASSERT_TRUE(rows.next());
    EXPECT_EQ(rows.text(2), "hand 2");
    ASSERT_TRUE(rows.next());
    EXPECT_FALSE(rows.next());
  }
  EXPECT_EQ(recorder_->prove(leaves)->entry.action, "regulation_approve");
  EXPECT_NE(recorder_->prove(leaves)->entry.parameters.find("decision_days"), std::string::npos);
}

TEST_P(RegulationOn, four_eyes_are_two_people) {
  const auto proposed = offer(kDays, 1);
  ASSERT_TRUE(proposed);
  EXPECT_EQ(take(proposed->proposal, 1).refusal().type, "regulation.own_proposal");
  const auto other_account = act([&](db::Connection& transaction) {
    Hand same_person = hand(7);
    same_person.person = hand(1).person;
    return approve(transaction, *recorder_, catalogue(), proposed->proposal, same_person, now(), kFits);
  });
  EXPECT_EQ(other_account.refusal().type, "regulation.own_proposal") << "a second account is no second person";
  const auto own = act([&](db::Connection& transaction) {
    return reject(transaction, *recorder_, proposed->proposal, "no", hand(1), now());
  });
  EXPECT_EQ(own.refusal().type, "regulation.own_proposal");
  const auto foreign = act([&](db::Connection& transaction) {
    return withdraw(transaction, *recorder_, proposed->proposal, hand(2), now());
  });
  EXPECT_EQ(foreign.refusal().type, "regulation.not_own_proposal");
  // Not even past the program.
  EXPECT_THROW(store().writer()->execute("UPDATE regulation_version SET proposed_by = 5, approved_by = 5"), db::Error);
  EXPECT_EQ(in_force(), 1);
}

TEST_P(RegulationOn, what_is_decided_is_decided_and_an_older_base_is_refused) {
  const auto first = offer(kDays, 1);
  const auto second = offer(R"([{"op":"set_setting","name":"sign_days","value":4}])", 1, 3);
  ASSERT_TRUE(first && second);
  ASSERT_TRUE(take(first->proposal));
  EXPECT_EQ(take(first->proposal).refusal().type, "regulation.decided");
  const auto stale = take(second->proposal);
  EXPECT_EQ(stale.refusal().type, "regulation.base_changed");
  ASSERT_EQ(stale.refusal().fields.size(), 1u);
  EXPECT_EQ(stale.refusal().fields[0].field, "setting.decision_days");
  EXPECT_EQ(offer(kDays, 1).refusal().type, "regulation.base_changed");
  EXPECT_EQ(offer(kDays, 2).refusal().type, "regulation.same");
  EXPECT_EQ(offer(kDays, 99).refusal().type, "regulation.version_unknown");
  EXPECT_EQ(offer(kDays, 2, 1, "  ").refusal().type, "text.not_accepted");
  EXPECT_EQ(take(4711).refusal().type, "regulation.proposal_unknown");
}

TEST_P(RegulationOn, of_two_approvers_at_once_one_wins) {
  const auto proposed = offer(kDays, 1);
  ASSERT_TRUE(proposed);
  std::atomic<int> won = 0, told = 0;
  std::vector<std::thread> threads;
  for (int64_t by = 2; by < 6; ++by) {
    threads.emplace_back([&, by] {
      const auto done = take(proposed->proposal, by);
      if (done) ++won;
      if (!done && done.refusal().type == "regulation.decided") ++told;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(won, 1);
  EXPECT_EQ(told, 3);
  EXPECT_EQ(in_force(), 2);
}

TEST_P(RegulationOn, the_numbers_of_the_regulation_stay_within_their_bounds) {
  for (const int value : {0, 21, -1}) {
    const auto refused =
        offer(R"([{"op":"set_setting","name":"decision_days","value":)" + std::to_string(value) + "}]", 1);
    EXPECT_EQ(refused.refusal().type, "regulation.change_invalid") << value;
  }
}

TEST_P(RegulationOn, the_files_count_until_something_is_decided_here) {
  json::object newer = files();
  start(newer);
  EXPECT_EQ(in_force(), 1) << "the same files are no new version";
  newer["rules"].as_array().pop_back();
  start(newer);
  EXPECT_EQ(in_force(), 2);
  const auto proposed = offer(kDays, 2);
  ASSERT_TRUE(take(proposed->proposal));
  start(files());
  EXPECT_EQ(in_force(), 3) << "what was decided in the product is not overwritten";
  json::object learned = files();
  json::object more = row(learned, "settings", "name", "decision_days");
  more["name"] = "something_new";
  learned["settings"].as_array().push_back(more);
  start(learned);
  EXPECT_EQ(in_force(), 4);
  EXPECT_EQ(setting(4, "decision_days"), 9);
  EXPECT_EQ(setting(4, "something_new"), 5);
  EXPECT_EQ(stored_regulation(*store().reader(), 4, catalogue()).atoms.size(),
            files().at("rules").as_array().size() - 1);
}

TEST_P(RegulationOn, a_version_is_in_force_everywhere_at_once_or_nothing_is_answered) {
  {
    const db::Store::Lease writer = store().writer();
    ASSERT_TRUE(catalog::apply_schema(catalogue(), *writer, false));
  }
  auto given = load(JW_SOURCE_DIR, catalogue());
  Policy one(catalogue(), std::get<Regulation>(given), store()), two(catalogue(), std::get<Regulation>(given), store());
  EXPECT_EQ(one.rules()->regulation().version, 1);
  const auto proposed = offer(kDays, 1);
  ASSERT_TRUE(take(proposed->proposal));
  for (Policy* node : {&one, &two}) {
    const db::Store::Lease reader = store().reader();
    node->refresh(*reader);
    EXPECT_EQ(node->rules()->regulation().version, 2);
    EXPECT_EQ(node->rules()->regulation().setting("decision_days"), 9);
  }
  // Where nothing of a version can be understood nobody holds a post; the files are never taken instead.
  store().writer()->execute(
      "INSERT INTO regulation_version (id, version, kind, content, base, clause, note, proposed_by, proposed_name, "
      "approved_by, approved_name, proposed, approved) VALUES (3, 3, 'change', '{\"rules\":[]}', 2, '', '', 1, '', 2, "
      "'', 0, 0)");
  store().writer()->execute("UPDATE gate SET epoch = epoch + 1");
  one.refresh(*store().reader());
  Policy three(catalogue(), std::get<Regulation>(given), store());
  for (const Policy* node : {&one, &three}) {
    EXPECT_TRUE(node->rules()->regulation().atoms.empty());
    EXPECT_TRUE(node->rules()->regulation().posts.empty());
    EXPECT_FALSE(node->rules()->closed().empty());
  }
  store().writer()->execute("DELETE FROM regulation_proposal");
  store().writer()->execute("DELETE FROM regulation_version");
  store().writer()->execute("UPDATE gate SET epoch = epoch + 1");
  EXPECT_THROW(one.refresh(*store().reader()), std::runtime_error);
}

JW_ON_BOTH_STORES(RegulationOn);

}  // namespace
}  // namespace jw::policy
