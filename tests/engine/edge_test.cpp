// The governed edge on both stores: who may call is asked in front of the handler, whatever the handler does; acts are
// one transaction with their leaf; refused attempts are on record.
#include <future>

#include "kernel/edge/api.hpp"
#include "tests/engine/campus.hpp"

namespace jw::tests {
namespace {

using edge::Call;
using edge::Needs;
using edge::Verb;

Result<std::string> nothing_checked(const Call&) {
  return std::string("{\"secret\":1}");
}

void add_one(const Call& call) {
  edge::act(call, {"test_add", "2.1.1", edge::Signing::none("a test")}, [](edge::Doing& doing) -> Result<std::string> {
    JW_TRY(const std::string how, edge::text_member(doing.body, "how"));
    edge::set_store_fact(doing.transaction, "test", how);
    if (how == "conflict") return Refusal{Code::conflict, "test.conflict", {"冲突", "conflict"}};
    if (how == "wrong") return Refusal{Code::unprocessable, "test.wrong", {"有误", "wrong"}};
    doing.nothing = how == "nothing";
    return std::string("{\"how\":\"" + how + "\"}");
  });
}

void sign_one(const Call& call) {
  edge::act(call, {"test_sign", "2.4.2", edge::Signing::now()},
            [](edge::Doing&) -> Result<std::string> { return std::string("{}"); });
}

const edge::Route kRoutes[] = {
    {.verb = Verb::get,
     .path = "/open",
     .needs = Needs::open("a test"),
     .run = edge::saying<nothing_checked>,
     .summary = {}},
    {.verb = Verb::get,
     .path = "/session",
     .needs = Needs::session(),
     .run = edge::saying<nothing_checked>,
     .summary = {}},
    {.verb = Verb::post,
     .path = "/session",
     .needs = Needs::session(),
     .run = edge::saying<nothing_checked>,
     .summary = {}},
    {.verb = Verb::get,
     .path = "/power",
     .needs = Needs::power("lending_desk"),
     .run = edge::saying<nothing_checked>,
     .summary = {}},
    {.verb = Verb::post, .path = "/act", .needs = Needs::power("lending_desk"), .run = add_one, .summary = {}},
    {.verb = Verb::post, .path = "/sign", .needs = Needs::session(), .run = sign_one, .summary = {}},
};

class Edge : public ::testing::TestWithParam<db::Dialect> {
 protected:
  void SetUp() override {
    if (!TestStore::available(GetParam())) GTEST_SKIP() << "no PostgreSQL: JIAOWU_TEST_PG is not set";
    campus_ = std::make_unique<Campus>(GetParam());
    campus_->put("unit", {{{"code", "xxb"}, {"name", "信息办"}}, {{"code", "cs"}, {"name", "计算机学院"}}});
    campus_->put("staff", {{{"number", "A1"}, {"name", "安全员"}, {"unit", "xxb"}, {"state", "11"}},
                           {{"number", "T1"}, {"name", "陶老师"}, {"unit", "cs"}, {"state", "11"}}});
    campus_->put("post_holding",
                 {{{"staff", "A1"}, {"post", "security_admin"}, {"unit", "xxb"}, {"begins", "2020-01-01"}}});
    campus_->sign_in("a1", "security_admin", "A1");
    campus_->sign_in("t1", "teacher", "T1");
    table_ = edge::table(house(), kRoutes);
  }

  edge::House& house() { return *campus_->system().house; }

  struct Answer {
    int status = 0;
    boost::json::value json;
    std::string type() const { return std::string(json.at("type").as_string()); }
  };
  Answer ask(Verb verb, std::string_view path, const std::string& login, std::string body = {}, bool cookie = false,
             bool csrf = false) {
    http::Request request;
    request.verb = verb;
    request.path = path;
    request.body = std::move(body);
    request.id = "test";
    request.remote = "127.0.0.1";
    if (verb != Verb::get) request.headers.emplace_back("content-type", "application/json");
    if (!login.empty()) {
      const auto entered = house().identity.enter_made_up(login, "127.0.0.1", "test");
      EXPECT_TRUE(entered.result);
      if (cookie) {
        request.headers.emplace_back("cookie", std::string(http::kSessionCookie) + "=" + entered.result->token);
      } else {
        request.headers.emplace_back("authorization", "Bearer " + entered.result->token);
      }
    }
    if (csrf) request.headers.emplace_back("x-csrf", "1");
    for (const http::Route& route : table_) {
      if (route.verb != verb || route.path != path) continue;
      std::promise<http::Response> promise;
      auto future = promise.get_future();
      route.handler(std::move(request), [&](http::Response response) { promise.set_value(std::move(response)); });
      const http::Response response = future.get();
      return {response.status, boost::json::parse(response.body)};
    }
    ADD_FAILURE() << "no such route";
    return {};
  }
  uint64_t leaves() { return house().recorder.size(); }
  std::string fact() { return edge::store_fact(*house().store.private_reader(), "test"); }

  std::unique_ptr<Campus> campus_;
  std::vector<http::Route> table_;
};

JW_ON_BOTH_STORES(Edge);

TEST_P(Edge, a_power_is_asked_for_though_the_handler_asks_nothing) {
  EXPECT_EQ(ask(Verb::get, "/power", "a1").status, 200);
  const uint64_t before = leaves();
  const Answer refused = ask(Verb::get, "/power", "t1");
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(refused.type(), "policy.power_missing");
  EXPECT_EQ(refused.json.as_object().if_contains("secret"), nullptr);
  EXPECT_NE(boost::json::serialize(refused.json.at("remedy")).find("安全管理员"), std::string::npos);
  EXPECT_EQ(leaves(), before + 1) << "a refused attempt is on record";
  EXPECT_EQ(ask(Verb::get, "/power", "").status, 401);
}

TEST_P(Edge, without_credentials_every_verb_is_401_and_a_cookie_alone_does_not_write) {
  EXPECT_EQ(ask(Verb::get, "/open", "").status, 200);
  for (const Verb verb : {Verb::get, Verb::post}) EXPECT_EQ(ask(verb, "/session", "").status, 401);
  EXPECT_EQ(ask(Verb::get, "/session", "t1", "", true).status, 200);
  const Answer forged = ask(Verb::post, "/session", "t1", "", true);
  EXPECT_EQ(forged.status, 403);
  EXPECT_EQ(forged.type(), "http.csrf");
  EXPECT_EQ(ask(Verb::post, "/session", "t1", "", true, true).status, 200);
  EXPECT_EQ(ask(Verb::post, "/session", "t1").status, 200);
}

TEST_P(Edge, an_act_is_one_transaction_with_its_leaf_or_nothing) {
  uint64_t before = leaves();
  const Answer done = ask(Verb::post, "/act", "a1", R"({"how":"well"})");
  EXPECT_EQ(done.status, 200);
  EXPECT_EQ(done.json.at("how").as_string(), "well");
  EXPECT_EQ(done.json.at("record").as_string(), house().recorder.origin() + "/" + std::to_string(before));
  EXPECT_EQ(leaves(), before + 1);
  EXPECT_EQ(fact(), "well");
  before = leaves();
  EXPECT_EQ(ask(Verb::post, "/act", "a1", R"({"how":"conflict"})").type(), "test.conflict");
  EXPECT_EQ(leaves(), before + 1) << "the attempt is on record";
  EXPECT_EQ(ask(Verb::post, "/act", "a1", R"({"how":"wrong"})").type(), "test.wrong");
  EXPECT_EQ(ask(Verb::post, "/act", "a1", R"({})").type(), "http.field_missing");
  EXPECT_EQ(ask(Verb::post, "/act", "a1", "no").type(), "http.not_json");
  const Answer none = ask(Verb::post, "/act", "a1", R"({"how":"nothing"})");
  EXPECT_EQ(none.status, 200);
  EXPECT_EQ(none.json.as_object().if_contains("record"), nullptr);
  EXPECT_EQ(leaves(), before + 1) << "nothing was done";
  EXPECT_EQ(fact(), "well") << "and nothing was kept";
}

TEST_P(Edge, what_is_to_be_signed_asks_who_it_is_now) {
  EXPECT_EQ(ask(Verb::post, "/sign", "t1", "{}").type(), "identity.signature_missing");
  EXPECT_EQ(ask(Verb::post, "/sign", "t1", R"({"password":"wrong"})").type(), "identity.password_wrong");
  EXPECT_EQ(ask(Verb::post, "/sign", "t1", R"({"password":"Made-Up-2026"})").status, 200);
}

TEST_P(Edge, a_power_that_no_regulation_knows_is_found_at_the_start) {
  const edge::Route rows[] = {{.verb = Verb::get,
                               .path = "/x",
                               .needs = Needs::power("no_such_power"),
                               .run = edge::saying<nothing_checked>,
                               .summary = {}}};
  EXPECT_THROW(edge::table(house(), rows), std::logic_error);
}

// A row of the regulation in force that is no longer understood takes its power with it, and nothing else: the server
// goes on, and starts again.
TEST_P(Edge, a_power_that_is_not_understood_any_more_nobody_has) {
  const auto stored = [&] {
    const auto reader = house().store.private_reader();
    db::Rows rows = reader->query("SELECT content FROM regulation_version ORDER BY version DESC LIMIT 1");
    EXPECT_TRUE(rows.next());
    return boost::json::parse(rows.text(0)).as_object();
  };
  boost::json::object content = stored();
  for (boost::json::value& row : content.at("powers").as_array()) {
    if (row.at("name").as_string() == "lending_desk") row.as_object()["posts"] = {"no_such_post"};
  }
  {
    const auto writer = house().store.writer();
    db::Transaction transaction(*writer, db::Transaction::Mode::write);
    writer->execute(
        "INSERT INTO regulation_version (id, version, kind, content, base, clause, note, proposed_by, proposed_name, "
        "approved_by, approved_name, proposed, approved) SELECT id + 1, version + 1, 'change', $1, version, '', '', 1, "
        "'', 2, '', 0, 0 FROM regulation_version ORDER BY version DESC LIMIT 1",
        {boost::json::serialize(content)});
    writer->execute("UPDATE gate SET epoch = epoch + 1 WHERE id = 1");
    transaction.commit();
  }
  const uint64_t before = leaves();
  for (const char* login : {"a1", "t1"}) {
    const Answer refused = ask(Verb::get, "/power", login);
    EXPECT_EQ(refused.status, 403) << login;
    EXPECT_EQ(refused.type(), "policy.power_missing") << login;
  }
  EXPECT_EQ(leaves(), before + 2) << "refused attempts are on record";
  EXPECT_EQ(ask(Verb::get, "/session", "a1").status, 200);
  EXPECT_NO_THROW(edge::table(house(), kRoutes)) << "as at the next start";
}

TEST(Framed, the_leaf_is_the_last_member) {
  EXPECT_EQ(edge::framed("{}", "a/1"), R"({"record":"a/1"})");
  EXPECT_EQ(edge::framed(R"({"x":1})", "a/1"), R"({"x":1,"record":"a/1"})");
}

}  // namespace
}  // namespace jw::tests
