// Faults that were found once, each as the small case that showed it.
#include "tests/differential/oracles.hpp"

namespace jw::differential {
namespace {

namespace json = boost::json;

class Corpus : public ::testing::TestWithParam<db::Dialect> {
 protected:
  void SetUp() override {
    if (!tests::TestStore::available(GetParam())) GTEST_SKIP() << "no PostgreSQL: JIAOWU_TEST_PG is empty";
  }
  // Permits of account 1 (person 1) unless another is named; whatever is left out of a row is NULL.
  void grant(const std::string& dataset, const std::string& content, policy::Effect effect = policy::Effect::permit,
             int64_t account = 1) {
    policy::Grant made;
    made.number = "G" + std::to_string(one_.grants().size());
    made.effect = effect;
    made.account = account;
    made.dataset = dataset;
    made.content = content;
    made.source = "2.4.1";
    made.until = {kNow + 365 * kDay};
    auto grants = one_.grants();
    grants.push_back(made);
    one_.set_policy({}, std::move(grants));
  }
  void row(const std::string& dataset, int64_t id, const std::map<std::string, Value>& cells, int64_t person = 0) {
    const catalog::Dataset& of = *one_.catalogue().find(dataset);
    Row row{id, person, {}};
    for (const catalog::Field& field : of.fields) {
      if (!field.is_lookup()) row.cells.push_back(cells.contains(field.name) ? cells.at(field.name) : Value{});
    }
    World world = *one_.world;
    world.resize(one_.catalogue().datasets.size());
    world[static_cast<size_t>(of.index)].push_back(row);
    one_.world = std::make_shared<World>(world);
  }
  Side& side() {
    if (!side_) side_ = std::make_unique<Side>(GetParam(), one_.variant);
    one_.now_us = kNow;
    one_.world = std::make_shared<World>([&] {
      World world = *one_.world;
      world.resize(one_.catalogue().datasets.size());
      return world;
    }());
    return *side_;
  }
  void holds(const std::string& request) {
    side().put(one_);
    ask(request);
  }
  void ask(const std::string& request) {
    one_.request = json::parse(request).as_object();
    const auto wrong = compare_with_reference(side().engine(), one_);
    EXPECT_FALSE(wrong) << request << "\n" << *wrong;
  }

  Case one_ = [] {
    Case none;
    none.set_policy({}, {});
    return none;
  }();
  std::unique_ptr<Side> side_;
};

TEST_P(Corpus, masks_are_those_of_the_catalogue) {
  for (one_.variant = 0; one_.variant < kCatalogues; ++one_.variant) {
    side_.reset();
    one_.world = std::make_shared<World>();
    one_.set_policy({}, {});
    grant("pupil", R"({"rows":"all","clear":["number"],"masked":["*"],"actions":["query"]})");
    int64_t id = 0;
    for (const char* text :
         {"13812345678", "010-62751234", "1-23", "12-345", "12345-6", "9", "张三", "a@b", "ab@c", "@b", "ab"}) {
      ++id;
      row("pupil", id,
          {{"number", "p" + std::to_string(id)},
           {"name", text},
           {"phone", text},
           {"hours", id - 6},
           {"born", "2024-02-29"}},
          1);
    }
    holds(R"({"dataset":"pupil","purpose":"study"})");
  }
}

TEST_P(Corpus, a_forbid_over_a_relation_closes_a_row_without_the_reference) {
  grant("mark", R"({"rows":"all","clear":["*"],"actions":["query"]})");
  grant("mark", R"({"rows":"taught","actions":["query"]})", policy::Effect::forbid);
  row("mark", 1, {{"serial", "m1"}, {"attempt", int64_t{1}}});
  holds(R"({"dataset":"mark","purpose":"study"})");
}

TEST_P(Corpus, a_field_borrowed_from_forbidden_rows_is_hidden_everywhere) {
  grant("mark", R"({"rows":"all","clear":["*"],"actions":["query","statistics"]})");
  grant("pupil", R"({"rows":"all"})", policy::Effect::forbid);  // names no action: forbids all
  row("pupil", 1, {{"number", "p1"}, {"name", "张三"}, {"hours", int64_t{3}}}, 2);
  row("mark", 1, {{"serial", "m1"}, {"attempt", int64_t{1}}, {"pupil", int64_t{1}}});
  row("mark", 2, {{"serial", "m2"}, {"attempt", int64_t{1}}});
  holds(R"({"dataset":"mark","purpose":"study","order":[{"field":"pupil_name","desc":true},{"field":"pupil"}]})");
  ask(R"({"dataset":"mark","purpose":"study","where":{"field":"pupil_name","op":"is_null","value":true}})");
  ask(R"({"dataset":"mark","purpose":"study","group":["pupil_name"],"measures":[{"fn":"sum","field":"pupil_hours"},
          {"fn":"median","field":"pupil_hours"},{"fn":"max","field":"pupil_hours"}]})");
}

TEST_P(Corpus, nothing_at_all_is_measured_once) {
  grant("mark", R"({"rows":"all","clear":["*"],"actions":["statistics"]})");
  holds(
      R"({"dataset":"mark","purpose":"study","measures":[{"fn":"count"},{"fn":"median","field":"score"},{"fn":"histogram","field":"score","width":1}]})");
}

TEST_P(Corpus, a_row_ordered_by_what_shows_nothing_has_an_answer) {
  grant("mark", R"({"rows":"all","clear":["serial"],"masked":["kind","passed"],"actions":["query"]})");
  row("mark", 1, {{"serial", "m1"}, {"attempt", int64_t{1}}, {"kind", "1"}});
  holds(R"({"dataset":"mark","purpose":"study","order":[{"field":"kind"},{"field":"serial"}]})");
}

TEST_P(Corpus, hidden_fields_are_told_in_the_words_of_ones_own_grant) {
  grant("mark", R"({"rows":"all","clear":["serial"],"masked":["note"],"actions":["query"],"purposes":["study"]})",
        policy::Effect::permit, 1);
  grant("mark", R"({"rows":"all","clear":["serial"],"masked":["note"],"actions":["query"],"purposes":["inspection"]})",
        policy::Effect::permit, 2);
  side().put(one_);
  for (const auto& [account, purpose] : {std::pair{1, "study"}, {2, "inspection"}}) {
    one_.account = account;
    one_.request = {{"dataset", "mark"}, {"purpose", purpose}};
    EXPECT_EQ(answer_of(side().engine(), one_), answer_of(side().uncached(), one_));
  }
}

TEST_P(Corpus, names_of_measures_do_not_run_into_their_conditions) {
  grant("mark", R"({"rows":"all","clear":["*"],"actions":["statistics"]})");
  row("mark", 1, {{"serial", "m1"}, {"attempt", int64_t{1}}});
  side().put(one_);
  const catalog::Dataset& mark = *one_.catalogue().find("mark");
  const auto ask_share = [&](const std::string& as, size_t field) {
    ask(R"({"dataset":"mark","purpose":"study","measures":[{"fn":"share","as":")" + as + R"(","where":{"field":")" +
        mark.fields[field].name + R"(","op":"is_null","value":true}}]})");
  };
  ask_share("a", 10);
  ask_share("a1", 0);
}

INSTANTIATE_TEST_SUITE_P(stores, Corpus, ::testing::Values(db::Dialect::sqlite, db::Dialect::postgres),
                         tests::store_name);

}  // namespace
}  // namespace jw::differential
