// The effect of a change on a campus small enough to count every row by hand, and the three administrators (§2.1.1,
// §4.3.2).
#include "kernel/policy/regulation_edit.hpp"
#include "kernel/query/effect.hpp"
#include "kernel/query/sight.hpp"
#include "kernel/query/trial.hpp"
#include "tests/engine/campus.hpp"

namespace jw::tests {
namespace {

namespace json = boost::json;

void fill(Campus& campus) {
  campus.put("term", {{{"code", "2025-2026-1"},
                       {"school_year", "2025-2026"},
                       {"season", "1"},
                       {"begins", "2025-09-08"},
                       {"ends", "2026-01-18"}}});
  campus.put("unit", {{{"code", "jwc"}, {"name", "教务处"}},
                      {{"code", "xxb"}, {"name", "信息办"}},
                      {{"code", "cs"}, {"name", "计算机学院"}}});
  campus.put("staff", {{{"number", "T1"}, {"name", "陶老师"}, {"unit", "cs"}, {"state", "11"}},
                       {{"number", "T2"}, {"name", "班主任"}, {"unit", "cs"}, {"state", "11"}},
                       {{"number", "O1"}, {"name", "教务员"}, {"unit", "jwc"}, {"state", "11"}},
                       {{"number", "A1"}, {"name", "安全员"}, {"unit", "xxb"}, {"state", "11"}}});
  campus.put("post_holding",
             {{{"staff", "O1"}, {"post", "academic_office"}, {"unit", "jwc"}, {"begins", "2020-01-01"}},
              {{"staff", "A1"}, {"post", "security_admin"}, {"unit", "xxb"}, {"begins", "2020-01-01"}}});
  campus.put("class", {{{"code", "C1"},
                        {"name", "一班"},
                        {"unit", "cs"},
                        {"adviser", "T2"},
                        {"adviser_from", "2025-09-01"},
                        {"adviser_until", "2026-08-31"}},
                       {{"code", "C2"}, {"name", "二班"}, {"unit", "cs"}}});
  const auto student = [](const char* number, const char* name, const char* in_class) {
    return Row{{"number", number}, {"name", name}, {"unit", "cs"}, {"class", in_class}, {"state", "01"}};
  };
  campus.put("student", {student("202400001", "张三", "C1"), student("202400002", "李四", "C1"),
                         student("202400003", "王五", "C2")});
  campus.put("course", {{{"number", "CS1"}, {"name", "数据结构"}}});
  campus.put("section", {{{"number", "A"}, {"course", "CS1"}, {"term", "2025-2026-1"}},
                         {{"number", "B"}, {"course", "CS1"}, {"term", "2025-2026-1"}}});
  campus.put("section_teacher", {{{"section", "A"}, {"teacher", "T1"}, {"lead", "是"}}});
  const auto grade = [](const char* who, const char* section, const char* score) {
    return Row{{"student", who},  {"section", section}, {"attempt", "1"}, {"term", "2025-2026-1"},
               {"course", "CS1"}, {"score", score},     {"points", "2"},  {"exam_kind", "01"}};
  };
  campus.put("grade", {grade("202400001", "A", "91.5"), grade("202400002", "B", "55"), grade("202400003", "B", "70")});
}

class RegulationEffect : public ::testing::TestWithParam<db::Dialect> {
 protected:
  void SetUp() override {
    if (!TestStore::available(GetParam())) GTEST_SKIP() << "no PostgreSQL: JIAOWU_TEST_PG is not set";
    campus_ = std::make_unique<Campus>(GetParam());
    fill(*campus_);
    office_ = campus_->sign_in("o1", "academic_office", "O1");
    teacher_ = campus_->sign_in("t1", "teacher", "T1");
    adviser_ = campus_->sign_in("t2", "class_adviser", "T2");
  }

  query::RulesPtr rules() {
    const auto reader = campus_->system().store->reader();
    campus_->system().policy->refresh(*reader);
    return campus_->system().policy->rules();
  }
  query::RulesPtr changed(std::string_view changes) { return changed(rules(), changes); }
  query::RulesPtr changed(const query::RulesPtr& from, std::string_view changes) {
    const auto reader = campus_->system().store->reader();
    const auto base = policy::content_of(*reader, from->regulation().version);
    auto draft = policy::draft(*campus_->system().catalogue, *base, json::parse(changes).as_array());
    EXPECT_TRUE(draft) << draft.refusal().fields.front().text.en;
    return from->with(std::move(draft->regulation));
  }
  json::value effect(const query::RulesPtr& after, const policy::Asker& viewer, const std::string& purpose = {}) {
    return effect(rules(), after, viewer, purpose);
  }
  json::value effect(const query::RulesPtr& before, const query::RulesPtr& after, const policy::Asker& viewer,
                     const std::string& purpose = {}) {
    const auto reader = campus_->system().store->reader();
    query::EffectOptions options;
    options.purpose = purpose;
    told_ = query::effect_of(*campus_->system().catalogue, *reader, before, after, viewer,
                             campus_->system().clock->now(), options);
    return json::parse(told_.json);
  }
  static const json::object& one(const json::value& effect, std::string_view dataset) {
    for (const json::value& each : effect.at("effects").as_array()) {
      if (each.at("dataset").at("name").as_string() == dataset) return each.as_object();
    }
    throw std::out_of_range(std::string(dataset));
  }

  // Rules that open whatever posts are held by.
  static std::string knowing(const std::string& post, const std::string& hidden) {
    std::string out;
    for (const char* dataset : {"post_holding", "staff", "class", "student", "section_teacher", "graduation"}) {
      out += std::string(out.empty() ? "" : ",") + R"({"op":"add_rule","rule":{"post":")" + post + R"(","dataset":")" +
             dataset + R"(","rows":"all","clause":"2.1.1")" +
             (std::string_view(dataset) == "student" && !hidden.empty() ? R"(,"hidden":[")" + hidden + "\"]" : "") +
             "}}";
    }
    return out;
  }

  std::unique_ptr<Campus> campus_;
  policy::Asker office_, teacher_, adviser_;
  query::Effect told_;
};

policy::Grant grant_of(int64_t account, const std::string& content) {
  policy::Grant grant;
  grant.number = "2026-0001";
  grant.account = account;
  grant.dataset = "grade";
  grant.content = content;
  grant.from = Instant::parse("2026-03-01T00:00:00+08:00").value();
  grant.until = Instant::parse("2026-06-01T00:00:00+08:00").value();
  grant.source = "2.4.2";
  return grant;
}

TEST_P(RegulationEffect, of_one_grant_is_told_to_who_decides) {
  const auto atom = policy::grant_atom(*campus_->system().catalogue, rules()->regulation(),
                                       grant_of(teacher_.account, R"({"rows":"all","clear":["student","course","term"],
                                                        "masked":["score"],"actions":["query"],"purposes":["study"]})"));
  ASSERT_TRUE(atom) << atom.refusal().detail.en;
  const json::value told = effect(rules()->with(*atom), office_, "study");
  EXPECT_EQ(json::serialize(told.at("widens")), "true");
  EXPECT_EQ(json::serialize(told.at("narrows")), "false");
  ASSERT_EQ(told.at("effects").as_array().size(), 1u);
  const json::object& grade = one(told, "grade");
  EXPECT_EQ(grade.at("account"), "t1");
  const json::object& counted = grade.at("numbers").as_array().at(0).as_object();
  EXPECT_EQ(counted.at("gained"), 2) << json::serialize(grade);
  EXPECT_EQ(counted.at("lost"), 0);
  EXPECT_EQ(grade.at("samples").at("gained").as_array().size(), 2u);
  ASSERT_EQ(told_.told.size(), 1u);
  EXPECT_EQ(told_.told[0].subjects.size(), 2u) << "whose rows were shown can see that (§1.3.1)";
  // Limited by a condition.
  const auto narrow = policy::grant_atom(
      *campus_->system().catalogue, rules()->regulation(),
      grant_of(teacher_.account, R"({"rows":{"field":"score","op":"lt","value":60},"clear":["*"],"actions":["query"],
                                     "purposes":["study"]})"));
  ASSERT_TRUE(narrow);
  EXPECT_EQ(one(effect(rules()->with(*narrow), office_, "study"), "grade").at("numbers").as_array().at(0).at("gained"),
            1);
}

// Who may enter more or less is a matter of its own: rows are those that the viewer sees, fields those that may be
// filled.
TEST_P(RegulationEffect, what_may_be_entered_is_counted_by_itself) {
  const auto atom = policy::grant_atom(
      *campus_->system().catalogue, rules()->regulation(),
      grant_of(teacher_.account, R"({"rows":{"field":"section","op":"eq","value":"B"},"clear":["student","score"],
                                     "masked":["points"],"actions":["enter","query"],"purposes":["study"]})"));
  ASSERT_TRUE(atom) << atom.refusal().detail.en;
  const json::value told = effect(rules()->with(*atom), office_, "study");
  ASSERT_EQ(told.at("effects").as_array().size(), 2u);
  const json::object &reading = told.at("effects").at(0).as_object(), &entry = told.at("effects").at(1).as_object();
  EXPECT_EQ(reading.at("matter"), "reading");
  EXPECT_EQ(entry.at("matter"), "enter");
  EXPECT_EQ(json::serialize(entry.at("actions")), R"({"gained":["enter"],"lost":[]})");
  EXPECT_EQ(json::serialize(reading.at("actions")), R"({"gained":["query"],"lost":[]})");
  for (const json::object* each : {&reading, &entry}) {
    const json::object& counted = each->at("numbers").as_array().at(0).as_object();
    EXPECT_EQ(counted.at("gained"), 2) << json::serialize(*each);
    std::string fields;
    for (const json::value& field : each->at("fields").as_array())
      fields += std::string(field.at("name").as_string()) + " ";
    EXPECT_EQ(fields, each == &entry ? "student score " : "student score points ");
  }
  // To take the teachers' own row of permissions away narrows what they enter, and nothing else.
  const auto reader = campus_->system().store->reader();
  const auto base = policy::content_of(*reader, rules()->regulation().version);
  std::string id;
  for (const json::value& rule : base->at("rules").as_array()) {
    if (rule.at("post") == "teacher" && rule.as_object().contains("actions") &&
        json::serialize(rule.at("actions")) == R"(["enter"])")
      id = std::to_string(rule.at("id").as_int64());
  }
  const json::value less = effect(changed(R"([{"op":"remove_rule","id":)" + id + "}]"), office_);
  ASSERT_EQ(less.at("effects").as_array().size(), 1u);
  EXPECT_EQ(less.at("effects").at(0).at("matter"), "enter");
  EXPECT_EQ(json::serialize(less.at("widens")), "false");
  EXPECT_EQ(json::serialize(less.at("narrows")), "true");
  EXPECT_EQ(less.at("effects").at(0).at("numbers").at(0).at("lost"), 1) << json::serialize(less);
}

TEST_P(RegulationEffect, numbers_are_about_rows_that_the_viewer_sees) {
  const int64_t id = [&] {
    for (const policy::Atom& atom : rules()->regulation().atoms) {
      if (atom.post == rules()->regulation().post("teacher") &&
          atom.dataset == campus_->system().catalogue->find("grade")->index)
        return atom.rule;
    }
    return int64_t{0};
  }();
  const std::string change = R"([{"op":"put_rule","id":)" + std::to_string(id) +
                             R"(,"rule":{"post":"teacher","dataset":"grade","rows":"all","clause":"2.2.1"}}])";
  EXPECT_EQ(one(effect(changed(change), office_), "grade").at("numbers").as_array().at(0).at("gained"), 2);
  // The adviser sees the grades of the class alone, and does not know who holds which post: words.
  EXPECT_TRUE(one(effect(changed(change), adviser_), "grade").at("numbers").is_null());
  EXPECT_TRUE(told_.told.empty());
  // Where that is known: of the two rows gained, one.
  const std::string known = knowing("class_adviser", {});
  const json::value narrow =
      effect(changed("[" + known + "]"), changed("[" + known + "," + change.substr(1)), adviser_);
  EXPECT_EQ(one(narrow, "grade").at("numbers").as_array().at(0).at("gained"), 1);
  const json::array& sample = one(narrow, "grade").at("samples").at("gained").as_array();
  ASSERT_EQ(sample.size(), 1u);
  EXPECT_EQ(json::serialize(sample.at(0)).find("202400003"), std::string::npos);
  // Whoever may not query grades gets words; a guard of the system as well as a stranger.
  const auto guard = campus_->sign_in("a1", "security_admin", "A1");
  EXPECT_TRUE(one(effect(changed(change), guard), "grade").at("numbers").is_null());
  EXPECT_TRUE(told_.told.empty());
  EXPECT_TRUE(told_.widens);
  // A condition about a field that the viewer does not see in clear would tell of it by counting.
  const std::string hidden = R"([{"op":"add_rule","rule":{"post":"teacher","dataset":"student","clause":"2.2.1",)"
                             R"("where":{"field":"guardian_phone","op":"is_null","value":true}}}])";
  EXPECT_TRUE(one(effect(changed(hidden), adviser_), "student").at("numbers").is_null());
  EXPECT_FALSE(one(effect(changed(hidden), office_), "student").at("numbers").is_null());
}

// A post may be defined by anything: how many hold it, and who, is told only to whoever may ask that anyway.
TEST_P(RegulationEffect, holders_are_counted_for_whoever_may_query_what_makes_them) {
  const auto guard = campus_->sign_in("a1", "security_admin", "A1");
  const auto made_up = [](const std::string& from, const std::string& where) {
    return R"([{"op":"put_post","post":{"name":"curious","label":{"zh":"好奇","en":"curious"},"clause":"2.1.1","from":")" +
           from + R"(","where":{"all":[)" + where +
           R"(]}}},{"op":"add_rule","rule":{"post":"curious","dataset":"term",)" +
           R"("rows":"all","clause":"2.1.1"}}])";
  };
  const auto about_student =
      made_up("student", R"({"field":"id","is":"me"},{"field":"guardian_phone","op":"starts","value":"138"})");
  campus_->sign_in("zhang", "student", "202400001");
  for (const policy::Asker& stranger : {guard, teacher_, adviser_}) {
    const json::value told = effect(changed(about_student), stranger);
    EXPECT_TRUE(one(told, "term").at("holders").is_null()) << json::serialize(told);
    EXPECT_TRUE(one(told, "term").at("numbers").is_null());
    EXPECT_TRUE(told_.told.empty());
  }
  EXPECT_EQ(one(effect(changed(about_student), office_), "term").at("holders"), 0);
  const auto here =
      made_up("student", R"({"field":"id","is":"me"},{"field":"guardian_phone","op":"is_null","value":true})");
  EXPECT_EQ(one(effect(changed(here), office_), "term").at("holders"), 1);
  ASSERT_EQ(told_.told.size(), 1u);
  EXPECT_EQ(told_.told[0].dataset, "student");
  EXPECT_EQ(told_.told[0].subjects.size(), 1u) << "who is counted among few can see that (§1.3.1)";
  // The office sees bank cards masked: it must not ask them out by counting either.
  const auto cards =
      made_up("payment", R"({"field":"student","is":"me"},{"field":"bank_card","op":"starts","value":"62"})");
  EXPECT_TRUE(one(effect(changed(cards), office_), "term").at("holders").is_null());
  EXPECT_TRUE(told_.told.empty());
}

// `adult` is a date of birth.
TEST_P(RegulationEffect, a_relation_tells_of_the_fields_it_is_made_of) {
  const auto told_with = [&](const std::string& hidden) {
    const auto before = changed("[" + knowing("class_adviser", hidden) + "]");
    const auto grant = policy::grant_atom(
        *campus_->system().catalogue, before->regulation(),
        grant_of(teacher_.account, R"({"rows":{"field":"student","in_relation":"adult"},"clear":["*"],
                                       "actions":["query"],"purposes":["study"]})"));
    EXPECT_TRUE(grant) << grant.refusal().detail.en;
    // Sight of students by other rules of the adviser is left out by asking with a viewer of that post only.
    return json::value(one(effect(before, before->with(*grant), adviser_, "study"), "grade").at("numbers"));
  };
  EXPECT_FALSE(told_with("phone").is_null());
  EXPECT_TRUE(told_with("birth_date").is_null());
}

// Two sets of rules need not have the same posts: what stands on one side only is held by nobody on the other.
TEST_P(RegulationEffect, posts_of_one_side_only) {
  {
    const auto writer = campus_->system().store->writer();
    db::Transaction transaction(*writer, db::Transaction::Mode::write);
    policy::Grant grant = grant_of(0, R"({"rows":"all","clear":["*"],"actions":["query"],"purposes":["study"]})");
    grant.post = "teacher";
    ASSERT_TRUE(policy::put_grant(*campus_->system().catalogue, rules()->regulation(), *writer, grant,
                                  campus_->system().clock->now()));
    transaction.commit();
  }
  const auto with_post = changed(
      R"([{"op":"put_post","post":{"name":"dean","label":{"zh":"院长","en":"dean"},"clause":"2.1.1","from":"staff",)"
      R"("where":{"field":"id","is":"me"}}},{"op":"add_rule","rule":{"post":"dean","dataset":"course","rows":"all",)"
      R"("clause":"2.1.1"}}])");
  EXPECT_EQ(one(effect(rules(), with_post, office_), "course").at("numbers").as_array().at(0).at("lost"), 0);
  EXPECT_EQ(one(effect(rules(), with_post, office_), "course").at("holders"), 3);
  const json::value gone = effect(with_post, rules(), office_);
  EXPECT_EQ(one(gone, "course").at("post").at("name"), "dean");
  EXPECT_EQ(one(gone, "course").at("holders"), 3);
  // Fewer posts, and in other places: grants go with the name.
  policy::Regulation fewer = rules()->regulation();
  const int teacher = fewer.post("teacher");
  std::erase_if(fewer.atoms, [&](const policy::Atom& atom) { return atom.post >= teacher; });
  fewer.powers.clear();
  fewer.posts.erase(fewer.posts.begin() + teacher, fewer.posts.end());
  EXPECT_EQ(one(effect(rules(), rules()->with(fewer), office_, "study"), "grade").at("post").at("name"), "teacher");
  EXPECT_FALSE(effect(rules()->with(fewer), rules(), office_, "study").at("effects").as_array().empty());
  EXPECT_TRUE(rules()->with(fewer)->grants().empty());
  std::reverse(fewer.posts.begin(), fewer.posts.end());
  fewer.atoms.clear();
  fewer.posts.push_back(rules()->regulation().posts.at(static_cast<size_t>(teacher)));
  EXPECT_EQ(rules()->with(fewer)->grants().at(0).post, static_cast<int>(fewer.posts.size()) - 1);
}

// Nothing may be decided that this store cannot run, or that takes the ground from a grant.
TEST_P(RegulationEffect, what_cannot_be_in_force_is_refused_before_it_is_decided) {
  const auto fits = [&](const policy::Regulation& regulation) {
    const auto now = rules();
    const auto reader = campus_->system().store->reader();
    const auto done = query::fits(*reader, now, regulation, office_, campus_->system().clock->now());
    return done ? std::string() : done.refusal().type;
  };
  EXPECT_EQ(fits(rules()->regulation()), "");
  // A list of any length works, here in the definition of a post.
  std::string many;
  for (int i = 0; i < 600; ++i) many += (i == 0 ? "\"" : ",\"") + std::string("T") + std::to_string(i) + "\"";
  const auto listed = changed(
      R"([{"op":"put_post","post":{"name":"listed","label":{"zh":"名单","en":"listed"},"clause":"2.1.1","from":"staff",)"
      R"("where":{"all":[{"field":"id","is":"me"},{"field":"number","op":"in","value":[)" +
      many + "]}]}}}]");
  EXPECT_EQ(fits(listed->regulation()), "");
  {
    const auto reader = campus_->system().store->reader();
    const auto held = listed->posts_of(*reader, teacher_.person, 0, campus_->system().clock->now());
    EXPECT_TRUE(std::any_of(held.begin(), held.end(), [&](const policy::HeldPost& each) {
      return each.post == listed->regulation().post("listed");
    }));
  }
  // SQLite takes no more than 500 SELECTs in one statement.
  policy::Regulation crowded = rules()->regulation();
  for (int i = 0; i < 600; ++i) {
    policy::Post post = crowded.posts.back();
    post.name = "post_" + std::to_string(i);
    crowded.posts.push_back(std::move(post));
  }
  EXPECT_EQ(fits(crowded), GetParam() == db::Dialect::sqlite ? "regulation.cannot_run" : "");
  // A mark that takes academic data from a post whose grant opens some.
  {
    const auto writer = campus_->system().store->writer();
    db::Transaction transaction(*writer, db::Transaction::Mode::write);
    policy::Grant grant = grant_of(0, R"({"rows":"all","clear":["*"],"actions":["query"],"purposes":["study"]})");
    grant.post = "department_head";
    ASSERT_TRUE(policy::put_grant(*campus_->system().catalogue, rules()->regulation(), *writer, grant,
                                  campus_->system().clock->now()));
    transaction.commit();
  }
  policy::Regulation marked = rules()->regulation();
  marked.posts.at(static_cast<size_t>(marked.post("department_head"))).apart = "administrator";
  EXPECT_EQ(fits(marked), "regulation.grant_lost");
}

// Whoever a number tells of can see that it was asked.
TEST_P(RegulationEffect, statistics_about_few_persons_note_them) {
  const auto subjects = [&](const policy::Asker& asker, std::string_view query) {
    const query::Outcome outcome = campus_->ask(asker, query);
    EXPECT_TRUE(std::holds_alternative<query::Answer>(outcome.result)) << query;
    return outcome.entry.subjects.size();
  };
  for (const char* by : {"student", "student_name"}) {
    EXPECT_EQ(subjects(office_, std::string(R"({"dataset":"grade","group":[")") + by +
                                    R"("],"measures":[{"fn":"count"},{"fn":"median","field":"score"}]})"),
              3u)
        << by;
  }
  EXPECT_EQ(subjects(office_, R"({"dataset":"student","group":["number"],"measures":[{"fn":"count"}]})"), 3u);
  for (const char* fn : {"min", "max", "avg", "median"}) {
    EXPECT_EQ(subjects(office_, std::string(R"({"dataset":"grade","where":{"field":"student","op":"eq","value":)") +
                                    R"("202400002"},"measures":[{"fn":")" + fn + R"(","field":"score"}]})"),
              1u)
        << fn;
  }
  EXPECT_EQ(subjects(teacher_, R"({"dataset":"grade","measures":[{"fn":"avg","field":"score"}]})"), 1u);
  EXPECT_EQ(subjects(office_, R"({"dataset":"course","measures":[{"fn":"count"}]})"), 0u) << "about nobody";
  // Among many it tells of nobody; beside them, of whoever stands alone.
  std::vector<Row> more;
  for (int i = 10; i < 30; ++i)
    more.push_back(
        {{"number", "2024100" + std::to_string(i)}, {"name", "众"}, {"unit", "cs"}, {"class", "C2"}, {"state", "01"}});
  campus_->put("student", more);
  EXPECT_EQ(subjects(office_, R"({"dataset":"student","measures":[{"fn":"count"}]})"), 0u);
  EXPECT_EQ(subjects(office_, R"({"dataset":"student","group":["class"],"measures":[{"fn":"count"}]})"), 2u)
      << "the first class has two";
}

// Whoever is asked about can see it, found or not; and nobody whom the asker may not query (§1.3.1).
TEST_P(RegulationEffect, whom_a_question_is_about_is_noted_whatever_comes_of_it) {
  std::vector<Row> more;
  for (int i = 10; i < 30; ++i)
    more.push_back(
        {{"number", "2024100" + std::to_string(i)}, {"name", "众"}, {"unit", "cs"}, {"class", "C2"}, {"state", "01"}});
  campus_->put("student", more);
  const auto subjects = [&](const policy::Asker& asker, const std::string& query) {
    const query::Outcome outcome = campus_->ask(asker, query);
    EXPECT_TRUE(std::holds_alternative<query::Answer>(outcome.result)) << query;
    for (const record::Subject& each : outcome.entry.subjects) EXPECT_EQ(each.kind, record::Subject::Kind::person);
    return outcome.entry.subjects.size();
  };
  const auto failing = [](const char* who, const char* op = "eq") {
    return R"({"dataset":"grade","where":{"all":[{"field":"student","op":")" + std::string(op) + R"(","value":)" + who +
           R"(},{"field":"score","op":"lt","value":10}]}})";
  };
  EXPECT_EQ(subjects(office_, failing(R"("202400002")")), 1u) << "no row is an answer about them";
  EXPECT_EQ(subjects(office_, failing(R"(["202400001","202400002","none"])", "in")), 2u);
  EXPECT_EQ(subjects(office_, R"({"dataset":"student","where":{"all":[{"field":"number","op":"eq","value":)"
                              R"("202400001"},{"field":"name","op":"eq","value":"王五"}]}})"),
            1u);
  EXPECT_EQ(subjects(office_, R"({"dataset":"grade","where":{"all":[{"field":"student","op":"ge","value":"202400002"},)"
                              R"({"field":"student","op":"le","value":"202400002"},)"
                              R"({"field":"score","op":"lt","value":10}]},"measures":[{"fn":"count"}]})"),
            1u)
      << "by a range, in a number";
  EXPECT_EQ(subjects(teacher_, failing(R"("202400002")")), 0u) << "who is not among those taught";
  EXPECT_EQ(subjects(office_, R"({"dataset":"grade","limit":1})"), 2u) << "that there is a further one, too";
  EXPECT_EQ(subjects(office_, R"({"dataset":"student","measures":[{"fn":"share","where":{"field":"name","op":"eq",)"
                              R"("value":"张三"}}]})"),
            1u);
  EXPECT_EQ(subjects(office_, R"({"dataset":"student","measures":[{"fn":"share","where":{"field":"name","op":"ne",)"
                              R"("value":"张三"}}]})"),
            1u)
      << "by what is left";
  EXPECT_EQ(subjects(office_, R"({"dataset":"student","measures":[{"fn":"share","where":{"field":"class","op":"eq",)"
                              R"("value":"C2"}}]})"),
            2u)
      << "of the other class there are two";
  // Of whom alone there is a value.
  EXPECT_EQ(subjects(office_, R"({"dataset":"student","measures":[{"fn":"count_distinct","field":"state"}]})"), 0u);
  campus_->put("student", {{{"number", "202400003"},
                            {"name", "王五"},
                            {"unit", "cs"},
                            {"class", "C2"},
                            {"state", "01"},
                            {"english_name", "Wang"}}});
  EXPECT_EQ(subjects(office_, R"({"dataset":"student","measures":[{"fn":"count_distinct","field":"english_name"}]})"),
            1u);
}

// However long a list: who belongs to no class or has none is noted one by one (§1.3.1).
TEST_P(RegulationEffect, a_long_list_loses_nobody) {
  std::vector<Row> staff, students;
  for (int i = 0; i < 210; ++i) {
    const std::string n = std::to_string(1000 + i);
    staff.push_back({{"number", "S" + n}, {"name", "众"}, {"unit", "cs"}, {"state", "11"}});
    students.push_back({{"number", "2024" + n}, {"name", "众"}, {"unit", "cs"}, {"state", "01"}});
    if (i >= 7) students.back()["class"] = "C2";
  }
  campus_->put("staff", staff);
  campus_->put("student", students);
  const auto subjects = [&](std::string_view dataset, std::string_view field = "number") {
    const auto outcome = campus_->ask(office_, R"({"dataset":")" + std::string(dataset) + R"(","fields":[")" +
                                                   std::string(field) + R"("],"limit":1000})");
    std::pair<size_t, int64_t> out;  // persons one by one, and those counted in classes
    for (const record::Subject& each : outcome.entry.subjects) {
      EXPECT_NE(each.id, 0);
      const bool alone = each.kind == record::Subject::Kind::person;
      (alone ? out.first += 1 : static_cast<size_t>(out.second += each.count));
    }
    return out;
  };
  EXPECT_EQ(subjects("staff"), (std::pair<size_t, int64_t>(213, 0))) << "all but the asker";
  EXPECT_EQ(subjects("student"), (std::pair<size_t, int64_t>(7, 206)));
  // Where being in it is sensitive, a number by class would tell who else is: there each is noted.
  std::vector<Row> warned;
  for (const Row& student : students) warned.push_back({{"student", student.at("number")}, {"term", "2025-2026-1"}});
  campus_->put("warning", warned);
  EXPECT_EQ(subjects("warning", "student"), (std::pair<size_t, int64_t>(210, 0)));
  EXPECT_EQ(campus_->answer(office_, R"({"dataset":"warning","fields":["student"],"limit":1000})")
                .at("rows")
                .as_array()
                .size(),
            210u);
}

// Before the agreement is signed nobody reads persons, in whatever dataset they stand (§4.3.3).
TEST_P(RegulationEffect, before_the_agreement_no_person_is_read) {
  policy::Asker teacher = teacher_, office = office_;
  teacher.agreement_due = office.agreement_due = true;
  for (const char* dataset : {"section_teacher", "grade"})
    EXPECT_EQ(campus_->rows(teacher, R"({"dataset":")" + std::string(dataset) + "\"}"), "identity.agreement_due")
        << dataset;
  for (const char* dataset : {"class", "staff", "case", "deputy", "access_grant", "post_holding"})
    EXPECT_EQ(campus_->rows(office, R"({"dataset":")" + std::string(dataset) + "\"}"), "identity.agreement_due")
        << dataset;
  for (const char* dataset : {"term", "unit", "course", "notice"})
    EXPECT_EQ(campus_->rows(office, R"({"dataset":")" + std::string(dataset) + "\"}").front(), '[') << dataset;
}

TEST_P(RegulationEffect, who_posts_are_held_by_has_its_effect_too) {
  const json::value told = effect(changed(R"([{"op":"set_setting","name":"teacher_years","value":0}])"), office_);
  const json::object& grade = one(told, "grade");
  EXPECT_EQ(grade.at("numbers").as_array().at(0).at("lost"), 1) << json::serialize(grade);
  EXPECT_EQ(json::serialize(told.at("widens")), "false");
}

// What somebody is told of a cell, and whom that told of.
struct Told {
  std::string json;
  std::set<std::string> people;  // accounts named as seeing it in clear
  size_t subjects = 0;
};

class SightOf : public RegulationEffect {
 protected:
  void SetUp() override {
    RegulationEffect::SetUp();
    if (IsSkipped()) return;
    security_ = campus_->sign_in("a1", "security_admin", "A1");
  }
  Told who(const policy::Asker& viewer, const char* key, const char* field, const char* dataset = "grade") {
    const auto reader = campus_->system().store->reader();
    const auto seen = query::who_sees(*reader, rules(), {viewer, campus_->system().clock->now()}, dataset, key, field);
    EXPECT_TRUE(seen) << seen.refusal().detail.en;
    Told out{seen->json, {}, 0};
    const json::value parsed = json::parse(seen->json);
    for (const json::value& each : parsed.at("clear").as_array()) {
      for (const json::value& person : each.at("people").as_array())
        out.people.insert(std::string(person.at("account").as_string()));
    }
    for (const query::Told& each : seen->told) out.subjects += each.subjects.size();
    return out;
  }
  Result<query::Seen> what(const policy::Asker& viewer, const char* login) {
    const auto reader = campus_->system().store->reader();
    return query::what_sees(*reader, rules(), {viewer, campus_->system().clock->now()}, login);
  }
  // What a change is refused for when `by` proposes it; empty: nothing.
  std::string fits(const policy::Asker& by, std::string_view changes) {
    const auto after = changed(changes);
    const auto reader = campus_->system().store->reader();
    const auto done = query::fits(*reader, rules(), after->regulation(), by, campus_->system().clock->now());
    return done ? std::string() : done.refusal().type + " " + done.refusal().fields.front().field;
  }
  policy::Asker security_;
};

// Being one of the three administrators is asked of the person, at use: whatever else is held or granted opens no
// academic data but the own entry (§4.3.2).
TEST_P(SightOf, administrators_are_apart_by_whatever_post_or_grant) {
  constexpr const char* kGrades = R"({"dataset":"grade","fields":["student"],"purpose":"study"})";
  campus_->put("class", {{{"code", "C2"},
                          {"name", "二班"},
                          {"unit", "cs"},
                          {"adviser", "A1"},
                          {"adviser_from", "2025-09-01"},
                          {"adviser_until", "2026-08-31"}}});
  {
    const auto writer = campus_->system().store->writer();
    db::Transaction transaction(*writer, db::Transaction::Mode::write);
    policy::Grant grant =
        grant_of(security_.account, R"({"rows":"all","clear":["*"],"actions":["query"],"purposes":["study"]})");
    grant.person = security_.person;
    ASSERT_TRUE(policy::put_grant(*campus_->system().catalogue, rules()->regulation(), *writer, grant,
                                  campus_->system().clock->now()));
    transaction.commit();
  }
  EXPECT_EQ(campus_->rows(security_, kGrades), "policy.no_permit");
  EXPECT_EQ(campus_->rows(security_, R"({"dataset":"student"})"), "policy.no_permit") << "as an adviser";
  EXPECT_EQ(campus_->rows(security_, R"({"dataset":"staff","fields":["number"]})"), R"([["A1"]])");
  EXPECT_EQ(who(office_, "202400003~B~1", "score").people, (std::set<std::string>{"o1"})) << "and so it is told";
  // A new post of everybody in the staff opens it to the others alone.
  const auto open =
      changed(R"([{"op":"put_post","post":{"name":"anybody","label":{"zh":"任何人","en":"anybody"},"clause":"2.1.4",)"
              R"("from":"staff","where":{"field":"id","is":"me"}}},)"
              R"({"op":"add_rule","rule":{"post":"anybody","dataset":"grade","rows":"all","clause":"2.1.4"}}])");
  const auto sees = [&](const policy::Asker& asker) {
    const auto reader = campus_->system().store->reader();
    const Instant now = campus_->system().clock->now();
    Instant edge;
    const auto held = open->posts_of(*reader, asker.person, 0, now);
    return open->authority(open, held, asker.account, now, edge)
        ->decide(*campus_->system().catalogue->find("grade"), policy::Action::query, "")
        .allowed();
  };
  EXPECT_TRUE(sees(teacher_));
  EXPECT_FALSE(sees(security_));
  // Nobody decides in their own favour.
  const auto gains = [&](const query::RulesPtr& after, const policy::Asker& decider) {
    const auto reader = campus_->system().store->reader();
    return query::favours(*reader, rules(), after, decider, campus_->system().clock->now());
  };
  EXPECT_TRUE(gains(open, teacher_));
  EXPECT_TRUE(gains(open, office_)) << "a permit more, though nothing new is seen by it";
  EXPECT_FALSE(gains(open, security_));
  EXPECT_TRUE(
      gains(changed(R"([{"op":"set_power","name":"sight_ask","post":["teacher","academic_office"]}])"), teacher_));
  EXPECT_FALSE(gains(changed(R"([{"op":"set_setting","name":"decision_days","value":7}])"), office_));
  EXPECT_FALSE(gains(rules(), office_));
}

TEST_P(SightOf, a_power_is_moved_to_nobody) {
  const auto fits = [&](const char* changes) { return this->fits(office_, changes); };
  EXPECT_EQ(fits(R"([{"op":"set_power","name":"regulation_approve","post":["audit_admin"]}])"),
            "regulation.power_unheld powers.regulation_approve");
  EXPECT_EQ(
      fits(R"([{"op":"put_post","post":{"name":"fresh","label":{"zh":"新岗","en":"fresh"},"clause":"2.1.4",)"
           R"("from":"staff","where":{"all":[{"field":"id","is":"me"},{"field":"number","op":"eq","value":"X"}]}}},)"
           R"({"op":"set_power","name":"sight_ask","post":["fresh"]}])"),
      "regulation.power_unheld powers.sight_ask");
  EXPECT_EQ(fits(R"([{"op":"set_power","name":"sight_ask","post":["security_admin"]}])"), "");
}

// Whether somebody holds a post that is made up for the purpose would answer any question about anybody (§4.3.2).
TEST_P(SightOf, whom_a_new_or_changed_post_fits_is_told_to_nobody_who_may_not_query_it) {
  const auto post = [&](const std::string& name, const std::string& further, const std::string& where) {
    return R"({"op":"put_post","post":{"name":")" + name + R"(","label":{"zh":"岗","en":"post"},"clause":"2.1.4",)" +
           further + R"("where":{"all":[)" + where + "]}}}";
  };
  const auto power = [](const std::string& to) {
    return R"({"op":"set_power","name":"paper_revoke","post":[")" + to + "\"]}";
  };
  const std::string staff = R"("from":"staff",)", me = R"({"field":"id","is":"me"},)";
  const auto named = [](const char* number, const char* name) {
    return R"({"field":"number","op":"eq","value":")" + std::string(number) +
           R"("},{"field":"name","op":"eq","value":")" + name + "\"}";
  };
  const auto admin = [](const char* unit) {
    return R"({"field":"staff","is":"me"},{"field":"post","op":"eq","value":"security_admin"},)"
           R"({"field":"unit","op":"eq","value":")" +
           std::string(unit) + "\"}";
  };
  const std::string appointed = R"("from":"post_holding","apart":"administrator",)",
                    apart = R"("from":"staff","apart":"administrator",)";
  struct Asked {
    const char* what;
    std::string yes, no;
  };
  const Asked asked[] = {
      {"a new post", "[" + post("zz", staff, me + named("T1", "陶老师")) + "," + power("zz") + "]",
       "[" + post("zz", staff, me + named("T1", "李老师")) + "," + power("zz") + "]"},
      {"a changed post", "[" + post("security_admin", appointed, admin("xxb")) + "," + power("security_admin") + "]",
       "[" + post("security_admin", appointed, admin("cs")) + "," + power("security_admin") + "]"},
      {"a post that takes another from its holder",
       "[" + post("zz", apart, me + named("A1", "安全员")) + "," + power("security_admin") + "]",
       "[" + post("zz", apart, me + named("A1", "李老师")) + "," + power("security_admin") + "]"},
  };
  for (const Asked& each : asked) {
    EXPECT_EQ(fits(security_, each.yes), "regulation.power_unheld powers.paper_revoke") << each.what;
    EXPECT_EQ(fits(security_, each.no), "regulation.power_unheld powers.paper_revoke") << each.what;
  }
  EXPECT_EQ(fits(office_, asked[0].yes), "") << "whoever may query the staff knows it anyway";
  EXPECT_EQ(fits(office_, asked[0].no), "regulation.power_unheld powers.paper_revoke");
  EXPECT_EQ(fits(security_, "[" + power("security_admin") + "]"), "") << "as it stands, and held";
}

// Personal grants say of whom they are, and their conditions of whose data.
TEST_P(SightOf, grants_of_accounts_are_told_to_who_may_query_them) {
  {
    const auto writer = campus_->system().store->writer();
    db::Transaction transaction(*writer, db::Transaction::Mode::write);
    policy::Grant grant =
        grant_of(teacher_.account, R"({"rows":{"field":"student","op":"eq","value":"202400003"},"clear":["*"],
                                       "actions":["query"],"purposes":["study"]})");
    grant.person = teacher_.person;
    ASSERT_TRUE(policy::put_grant(*campus_->system().catalogue, rules()->regulation(), *writer, grant,
                                  campus_->system().clock->now()));
    transaction.commit();
  }
  for (const auto& [viewer, told] :
       {std::pair(office_, true), std::pair(security_, false), std::pair(teacher_, false)}) {
    const std::string json = who(viewer, "no~such", "score").json;
    EXPECT_EQ(json.find("2026-0001") != std::string::npos, told) << json;
    EXPECT_EQ(json.find("202400003") != std::string::npos, told) << json;
    EXPECT_EQ(json::parse(json).at("grants").as_bool(), told);
  }
}

TEST_P(SightOf, a_cell_is_the_same_whether_there_is_such_a_row_or_not) {
  // Nobody may learn who is failed, sanctioned or enrolled by asking who sees it (§4.3.2).
  const std::string by_rule = who(security_, "202400001~A~1", "score").json;
  EXPECT_NE(by_rule.find(R"("by":"rule")"), std::string::npos) << by_rule;
  EXPECT_EQ(by_rule.find("\"o1\""), std::string::npos) << "names nobody";
  for (const char* key : {"202400003~B~1", "202499999~A~1", "no~such", "x", ""}) {
    EXPECT_EQ(who(security_, key, "score").json, by_rule) << key;
    EXPECT_EQ(who(security_, key, "score").subjects, 0u) << key;
  }
  // A teacher: a row of another's section is as one that is not there; of the own section it is told of the row, but
  // who else sees it rests on what the teacher may not query.
  EXPECT_EQ(who(teacher_, "202400002~B~1", "score").json, by_rule);
  EXPECT_EQ(who(teacher_, "202499999~A~1", "score").json, by_rule);
  const Told own = who(teacher_, "202400001~A~1", "score");
  EXPECT_NE(own.json.find(R"("by":"row")"), std::string::npos) << own.json;
  EXPECT_TRUE(own.people.empty());
  EXPECT_EQ(own.subjects, 1u) << "the student of the row";
  // A row that is seen, of a field that is not.
  EXPECT_EQ(who(adviser_, "202400001", "guardian_phone", "student").json,
            who(adviser_, "202400003", "guardian_phone", "student").json);
  // Under the agreement that is still due nobody sees any row (§4.3.3).
  policy::Asker unsigned_office = office_;
  unsigned_office.agreement_due = true;
  EXPECT_EQ(who(unsigned_office, "202400001~A~1", "score").json, by_rule);
}

TEST_P(SightOf, a_person_is_told_to_whoever_may_query_who_holds_what) {
  for (const policy::Asker& viewer : {security_, teacher_, adviser_}) {
    for (const char* login : {"t1", "o1", "nobody", ""}) {
      const auto seen = what(viewer, login);
      ASSERT_FALSE(seen) << login;
      EXPECT_EQ(seen.refusal().type, "query.sight_closed") << login;
    }
  }
  EXPECT_EQ(what(office_, "nobody").refusal().type, "identity.account_unknown");
  const auto seen = what(office_, "t1");
  ASSERT_TRUE(seen) << seen.refusal().detail.en;
  EXPECT_NE(seen->json.find("\"teacher\""), std::string::npos);
  size_t noted = 0;
  for (const query::Told& each : seen->told) noted += each.subjects.size();
  EXPECT_GE(noted, 2u) << "as a teacher and as one of the staff";
}

TEST_P(SightOf, a_cell_is_who_gets_it) {
  const auto who = [&](const char* key, const char* field) { return this->who(office_, key, field).people; };
  const auto student = campus_->sign_in("zhang", "student", "202400001");
  EXPECT_EQ(who("202400001~A~1", "score"), (std::set<std::string>{"o1", "t1", "t2", "zhang"}));
  EXPECT_EQ(who("202400002~B~1", "score"), (std::set<std::string>{"o1", "t2"}));
  EXPECT_EQ(who("202400003~B~1", "score"), (std::set<std::string>{"o1"}));
  // A forbid on the row takes it from those whom it is given to, and from nobody else.
  {
    const auto writer = campus_->system().store->writer();
    db::Transaction transaction(*writer, db::Transaction::Mode::write);
    policy::Grant forbid = grant_of(adviser_.account, R"({"rows":"all"})");
    forbid.effect = policy::Effect::forbid;
    ASSERT_TRUE(policy::put_grant(*campus_->system().catalogue, rules()->regulation(), *writer, forbid,
                                  campus_->system().clock->now()));
    transaction.commit();
  }
  EXPECT_EQ(who("202400002~B~1", "score"), (std::set<std::string>{"o1"}));
  EXPECT_EQ(campus_->rows(adviser_, R"({"dataset":"grade","fields":["score"]})"), "[]");
  EXPECT_EQ(this->who(office_, "202400001~A~1", "score").subjects, 3u) << "the student, once as such; the teacher";
}

// A grant that is bound to a unit opens nothing to whoever holds no post there, and so it is told.
TEST_P(SightOf, a_grant_bound_to_a_unit_is_told_of_who_holds_a_post_there) {
  const auto told = [&](const char* unit) {
    {
      const auto writer = campus_->system().store->writer();
      db::Transaction transaction(*writer, db::Transaction::Mode::write);
      writer->execute("DELETE FROM access_grant");
      policy::Grant grant =
          grant_of(office_.account, R"({"rows":"all","clear":["*"],"actions":["query"],"purposes":["study"]})");
      grant.unit = unit;
      EXPECT_TRUE(policy::put_grant(*campus_->system().catalogue, rules()->regulation(), *writer, grant,
                                    campus_->system().clock->now()));
      transaction.commit();
    }
    return who(office_, "202400003~B~1", "score").json.find("2026-0001") != std::string::npos;
  };
  EXPECT_TRUE(told(""));
  EXPECT_TRUE(told("jwc"));
  EXPECT_FALSE(told("cs"));
}

TEST_P(RegulationEffect, nobody_is_appointed_to_two_administrators_posts) {
  const auto appoint = [&](const char* post, const char* begins, const char* ends) {
    const auto writer = campus_->system().store->writer();
    db::Transaction transaction(*writer, db::Transaction::Mode::write);
    const change::Head head{"entry", "test", "test", "", change::Operator{"test"}};
    change::Batch batch(*campus_->system().catalogue, *writer, head, campus_->system().clock->now());
    const auto staff = batch.table("staff").find("A1"), unit = batch.table("unit").find("xxb");
    const change::Value until = *ends == '\0' ? change::Value{} : change::Value{std::string(ends)};
    const std::vector<change::Value> row{*staff, std::string(post), *unit, std::string(begins), until, {}};
    batch.table("post_holding").put(row);
    const Result<Done> fits = batch.check();
    if (!fits) {
      EXPECT_EQ(fits.refusal().type, "change.apart");
      EXPECT_THROW(batch.finish(nullptr), std::runtime_error);
    }
    return static_cast<bool>(fits);
  };
  EXPECT_FALSE(appoint("audit_admin", "2026-01-01", ""));
  EXPECT_FALSE(appoint("system_admin", "2019-01-01", "2020-01-01")) << "not even on one day";
  EXPECT_TRUE(appoint("system_admin", "2019-01-01", "2019-12-31")) << "one after the other is another matter";
  EXPECT_TRUE(appoint("department_head", "2026-01-01", ""));
}

INSTANTIATE_TEST_SUITE_P(Stores, SightOf, ::testing::Values(db::Dialect::sqlite, db::Dialect::postgres),
                         [](const auto& instance) {
                           return instance.param == db::Dialect::sqlite ? "sqlite" : "postgres";
                         });
INSTANTIATE_TEST_SUITE_P(Stores, RegulationEffect, ::testing::Values(db::Dialect::sqlite, db::Dialect::postgres),
                         [](const auto& instance) {
                           return instance.param == db::Dialect::sqlite ? "sqlite" : "postgres";
                         });

}  // namespace
}  // namespace jw::tests
