// What one account may take of the machine (§4.3.1): calls in a minute, cases, files, documents, memory of a question.
// Each bound is a setting of the regulation, or of the engine, and is refused in words when it is reached.
#include <future>
#include <thread>

#include "app/modules.hpp"
#include "app/routes.hpp"
#include "kernel/edge/api.hpp"
#include "tests/engine/campus.hpp"

namespace jw::tests {
namespace {

namespace json = boost::json;
using edge::Verb;

const std::string kPdf = "%PDF-1.7 " + std::string(1 << 20, 'x');

class Bounds : public ::testing::TestWithParam<db::Dialect> {
 protected:
  void SetUp() override {
    if (!TestStore::available(GetParam())) GTEST_SKIP() << "no PostgreSQL: JIAOWU_TEST_PG is not set";
    campus_ = std::make_unique<Campus>(GetParam());
    campus_->put("unit", {{{"code", "jwc"}, {"name", "教务处"}}});
    campus_->put("staff", {{{"number", "O1"}, {"name", "欧"}, {"unit", "jwc"}, {"state", "11"}},
                           {{"number", "T1"}, {"name", "陶"}, {"unit", "jwc"}, {"state", "11"}}});
    campus_->put("post_holding",
                 {{{"staff", "O1"}, {"post", "academic_office"}, {"unit", "jwc"}, {"begins", "2020-01-01"}}});
    office_ = campus_->sign_in("o1", "academic_office", "O1");
    teacher_ = campus_->sign_in("t1", "teacher", "T1");
    house().leniency = 1;
  }

  edge::House& house() { return *campus_->system().house; }

  // As if the regulation had been changed, which other tests show.
  void set(const std::string& name, int64_t value) {
    json::object content;
    {
      const auto reader = house().store.reader();
      db::Rows rows = reader->query("SELECT content FROM regulation_version ORDER BY version DESC LIMIT 1");
      ASSERT_TRUE(rows.next());
      content = json::parse(rows.text(0)).as_object();
    }
    bool found = false;
    for (json::value& row : content.at("settings").as_array()) {
      if (row.at("name").as_string() != name) continue;
      row.as_object()["value"] = value;
      found = true;
    }
    ASSERT_TRUE(found) << name;
    {
      const auto writer = house().store.writer();
      db::Transaction transaction(*writer, db::Transaction::Mode::write);
      writer->execute(
          "INSERT INTO regulation_version (id, version, kind, content, base, clause, note, proposed_by, proposed_name, "
          "approved_by, approved_name, proposed, approved) SELECT id + 1, version + 1, 'change', $1, version, '', '', "
          "1, '', 2, '', 0, 0 FROM regulation_version ORDER BY version DESC LIMIT 1",
          {json::serialize(content)});
      writer->execute("UPDATE gate SET epoch = epoch + 1 WHERE id = 1");
      transaction.commit();
    }
    house().policy.refresh(*house().store.reader());
  }

  struct Answer {
    int status = 0;
    json::value body;
    std::string type() const { return std::string(body.at("type").as_string()); }
  };
  Answer ask(const std::vector<http::Route>& table, Verb verb, std::string_view path, const std::string& login,
             const json::value& body = nullptr) {
    if (!tokens_.contains(login)) {
      const auto entered = house().identity.enter_made_up(login, "127.0.0.1", "test");
      EXPECT_TRUE(entered.result);
      tokens_[login] = entered.result->token;
    }
    http::Request request;
    request.verb = verb;
    request.path = path;
    request.id = "test";
    request.remote = "127.0.0.1";
    request.headers = {{"authorization", "Bearer " + tokens_[login]}, {"content-type", "application/json"}};
    if (!body.is_null()) request.body = json::serialize(body);
    for (const http::Route& route : table) {
      if (route.verb != verb || route.path != path) continue;
      const auto promise = std::make_shared<std::promise<http::Response>>();
      route.handler(std::move(request), [promise](http::Response response) { promise->set_value(std::move(response)); });
      const http::Response response = promise->get_future().get();
      return {response.status, json::parse(response.body)};
    }
    ADD_FAILURE() << "no such route";
    return {};
  }

  cases::Actor actor(const policy::Asker& who) {
    const auto reader = house().store.reader();
    house().policy.refresh(*reader);
    return house().cases.actor(*reader, who, "t1", "陶", house().clock.now());
  }
  Result<std::string> draft() {
    const json::object input{{"content", json::object{{"dataset", "evaluation"}}}};
    JW_TRY(const cases::Taken taken, house().cases.open(actor(teacher_), "access", "draft", input, false));
    house().recorder.deliver(taken.outbox);
    return taken.number;
  }
  Result<std::string> attach(const std::string& number, std::string_view name = "a.pdf") {
    const auto writer = house().store.writer();
    db::Transaction transaction(*writer, db::Transaction::Mode::write);
    const int64_t most = 3 * cases::kMegabyte;
    JW_TRY(std::string sha256,
           cases::attach(*writer, number, name, kPdf, teacher_.account, most, house().clock.now()));
    transaction.commit();
    return sha256;
  }
  int64_t files() {
    const auto keeper = house().store.private_reader();
    db::Rows rows = keeper->query("SELECT COUNT(*) FROM case_attachment");
    rows.next();
    return rows.integer(0);
  }

  std::unique_ptr<Campus> campus_;
  policy::Asker office_, teacher_;
  std::map<std::string, std::string> tokens_;
};

JW_ON_BOTH_STORES(Bounds);

Result<std::string> nothing(const edge::Call&) {
  return std::string("{}");
}
void do_nothing(const edge::Call& call) {
  call.say(std::string("{}"));
}
const edge::Route kRoutes[] = {
    {.verb = Verb::get,
     .path = "/look",
     .needs = edge::Needs::session(),
     .run = edge::saying<nothing>,
     .summary = {}},
    {.verb = Verb::post, .path = "/act", .needs = edge::Needs::session(), .run = do_nothing, .summary = {}},
};

TEST_P(Bounds, calls_and_acts_of_an_account_in_a_minute) {
  set("questions_per_minute", 60);
  set("acts_per_minute", 10);
  const std::vector<http::Route> table = edge::table(house(), kRoutes);
  for (int i = 0; i < 10; ++i) ASSERT_EQ(ask(table, Verb::post, "/act", "t1").status, 200) << i;
  const Answer acts = ask(table, Verb::post, "/act", "t1");
  EXPECT_EQ(acts.status, 429);
  EXPECT_EQ(acts.type(), "http.acts_too_often");
  for (int i = 0; i < 49; ++i) ASSERT_EQ(ask(table, Verb::get, "/look", "t1").status, 200) << i;
  const Answer looks = ask(table, Verb::get, "/look", "t1");
  EXPECT_EQ(looks.status, 429);
  EXPECT_EQ(looks.type(), "http.too_often");
  EXPECT_EQ(ask(table, Verb::get, "/look", "o1").status, 200) << "another account is none the worse";
  campus_->at("2026-03-16T09:00:30+08:00");
  EXPECT_EQ(ask(table, Verb::get, "/look", "t1").status, 200);
}

TEST_P(Bounds, questions_of_one_account_that_wait_are_bounded) {
  std::promise<void> begun, go;
  const auto wait = go.get_future().share();
  auto& turns = house().turns;
  ASSERT_TRUE(turns.enter(teacher_.account, true, [&, wait] {
    begun.set_value();
    wait.wait();
  }));
  begun.get_future().wait();
  int taken = 0;
  while (taken < 1000 && turns.enter(teacher_.account, true, [wait] {})) ++taken;
  EXPECT_EQ(taken, static_cast<int>(edge::Turns::Limits{}.waiting_max));
  const std::vector<http::Route> table = edge::table(house(), app::query_routes());
  const json::value counted = json::parse(R"({"dataset":"staff","measures":[{"fn":"count"}]})");
  EXPECT_EQ(ask(table, Verb::post, "/api/query", "t1", counted).type(), "query.too_many_waiting");
  EXPECT_EQ(ask(table, Verb::post, "/api/query", "o1", counted).status, 200);
  go.set_value();
}

TEST_P(Bounds, open_cases_of_an_account) {
  set("open_cases", 5);
  std::vector<std::string> numbers;
  for (int i = 0; i < 5; ++i) numbers.push_back(draft().value());
  EXPECT_EQ(draft().refusal().type, "case.too_many_open");
  ASSERT_TRUE(house().cases.act(actor(teacher_), numbers[0], "discard", {}, false));
  EXPECT_TRUE(draft());
}

TEST_P(Bounds, files_of_an_account_over_all_its_cases_and_a_discarded_draft_gives_back_its_own) {
  const std::string one = draft().value(), two = draft().value();
  ASSERT_TRUE(attach(one));
  ASSERT_TRUE(attach(two));
  EXPECT_EQ(attach(one).refusal().type, "case.attachments_full");
  EXPECT_EQ(files(), 2);
  ASSERT_TRUE(house().cases.act(actor(teacher_), two, "discard", {}, false));
  EXPECT_EQ(files(), 1);
  EXPECT_TRUE(attach(one));
  EXPECT_EQ(attach(one, "a\u202Efdp.exe").refusal().type, "text.not_accepted");
  EXPECT_EQ(attach(one, "").refusal().type, "text.not_accepted");
}

TEST_P(Bounds, documents_of_an_account_by_number_and_by_size) {
  std::vector<http::Route> table;
  for (const edge::Module* module : app::modules()) {
    if (module->name.text() == "documents") table = edge::table(house(), module->routes);
  }
  const json::value asked =
      json::parse(R"({"query":{"dataset":"staff","fields":["number","name"]},"format":"csv",
                      "purpose":"teaching_administration"})");
  const auto make = [&] { return ask(table, Verb::post, "/api/documents", "o1", asked); };
  const auto told = [&] {
    const Answer answer = make();
    return answer.status == 200 ? std::string("made") : answer.type();
  };
  set("documents_per_day", 2);
  EXPECT_EQ(told(), "made");
  EXPECT_EQ(told(), "made");
  const uint64_t before = house().recorder.size();
  EXPECT_EQ(told(), "document.too_many");
  EXPECT_EQ(house().recorder.size(), before + 1) << "the attempt is on record";
  campus_->at("2026-03-17T10:00:00+08:00");
  EXPECT_EQ(told(), "made");
  set("document_megabytes", 10);
  {
    const auto writer = house().store.writer();
    db::Transaction transaction(*writer, db::Transaction::Mode::write);
    writer->execute("UPDATE paper SET content = $1", {db::Param::blob(std::string(4 << 20, 'x'))});
    transaction.commit();
  }
  EXPECT_EQ(told(), "document.too_large_together");
  campus_->at("2026-06-17T10:00:00+08:00");
  EXPECT_EQ(told(), "made");
}

TEST_P(Bounds, memory_of_a_question_and_equal_measures_cost_once) {
  std::vector<Row> courses;
  for (int i = 0; i < 400; ++i) {
    const std::string number = "C" + std::to_string(1000 + i);
    courses.push_back({{"number", number}, {"name", "某" + number}, {"unit", "jwc"}, {"hours", std::to_string(i)}});
  }
  campus_->put("course", courses);
  const auto told = [&](int64_t bytes_most, const std::string& further) {
    query::Options options;
    options.token_key = std::string(32, 'k');
    options.statement_bytes_max = bytes_most;
    query::Engine engine(house().catalogue, house().policy, house().store, house().clock, options);
    const query::Outcome outcome = engine.ask(office_, json::parse(R"({"dataset":"course",)" + further + "}"));
    const auto* refusal = std::get_if<Refusal>(&outcome.result);
    return refusal == nullptr ? std::string("answered") : refusal->type;
  };
  const auto medians = [](int count) {
    std::string measures;
    for (int i = 0; i < count; ++i) {
      measures += (i == 0 ? "" : ",") + std::string(R"({"fn":"median","field":"hours","as":"m)") + std::to_string(i) +
                  R"(","places":)" + std::to_string(i % 4) + "}";
    }
    return R"("measures":[)" + measures + "]";
  };
  EXPECT_EQ(told(60'000, medians(1)), "answered");
  EXPECT_EQ(told(60'000, medians(20)), "answered") << "made from the same values, kept once";
  EXPECT_EQ(told(20'000, medians(1)), "query.too_heavy");
  const std::string grouped = R"("group":["number","name"],"measures":[{"fn":"count"}])";
  EXPECT_EQ(told(64 << 20, grouped), "answered");
  EXPECT_EQ(told(50'000, grouped), "query.too_heavy");
  const std::string list = R"("fields":["number","name","unit"],"limit":400)";
  EXPECT_EQ(told(64 << 20, list), "answered");
  EXPECT_EQ(told(10'000, list), "query.too_heavy");
}

TEST(Room, is_told_while_there_still_is_some) {
  const uintmax_t giga = uintmax_t{1} << 30;
  EXPECT_FALSE(app::little_room(50 * giga, 100 * giga));
  EXPECT_FALSE(app::little_room(3 * giga, 100 * giga)) << "enough, whatever the share";
  EXPECT_FALSE(app::little_room(giga, 4 * giga)) << "a small disk with much of it free";
  const auto told = app::little_room(giga, 100 * giga);
  ASSERT_TRUE(told);
  EXPECT_NE(told->zh.find("1024 MB"), std::string::npos);
  EXPECT_TRUE(app::little_room(0, giga));
}

}  // namespace
}  // namespace jw::tests
