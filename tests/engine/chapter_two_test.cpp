// Chapter 2 on a campus small enough to know every row: who sees what, and nothing else.
#include "tests/engine/campus.hpp"

namespace jw::tests {
namespace {

// Two students of two classes, a teacher with one section of them, an adviser of one class, offices, two graduates.
void fill(Campus& campus) {
  campus.put("term", {{{"code", "2020-2021-1"},
                       {"school_year", "2020-2021"},
                       {"season", "1"},
                       {"begins", "2020-09-07"},
                       {"ends", "2021-01-17"}},
                      {{"code", "2025-2026-1"},
                       {"school_year", "2025-2026"},
                       {"season", "1"},
                       {"begins", "2025-09-08"},
                       {"ends", "2026-01-18"}},
                      {{"code", "2025-2026-2"},
                       {"school_year", "2025-2026"},
                       {"season", "2"},
                       {"begins", "2026-02-23"},
                       {"ends", "2026-07-05"}}});
  campus.put("unit", {{{"code", "jwc"}, {"name", "教务处"}},
                      {{"code", "xsc"}, {"name", "学生处"}},
                      {{"code", "cwc"}, {"name", "财务处"}},
                      {{"code", "cs"}, {"name", "计算机学院"}}});
  campus.put("staff", {{{"number", "T1"}, {"name", "陶老师"}, {"unit", "cs"}, {"state", "11"}},
                       {{"number", "T2"}, {"name", "班主任"}, {"unit", "cs"}, {"state", "11"}},
                       {{"number", "T3"}, {"name", "已调出"}, {"unit", "cs"}, {"state", "05"}},
                       {{"number", "O1"}, {"name", "教务员"}, {"unit", "jwc"}, {"state", "11"}},
                       {{"number", "O2"}, {"name", "财务员"}, {"unit", "cwc"}, {"state", "11"}},
                       {{"number", "O3"}, {"name", "学工员"}, {"unit", "xsc"}, {"state", "11"}}});
  campus.put("post_holding", {{{"staff", "O1"}, {"post", "academic_office"}, {"unit", "jwc"}, {"begins", "2020-01-01"}},
                              {{"staff", "O2"}, {"post", "finance_office"}, {"unit", "cwc"}, {"begins", "2020-01-01"}},
                              {{"staff", "O3"},
                               {"post", "student_office"},
                               {"unit", "xsc"},
                               {"begins", "2020-01-01"},
                               {"ends", "2026-06-30"}}});
  campus.put("class", {{{"code", "C1"},
                        {"name", "一班"},
                        {"unit", "cs"},
                        {"adviser", "T2"},
                        {"adviser_from", "2025-09-01"},
                        {"adviser_until", "2026-08-31"}},
                       {{"code", "C2"}, {"name", "二班"}, {"unit", "cs"}}});
  const auto student = [](const char* number, const char* name, const char* in_class, const char* state) {
    return Row{{"number", number},  {"name", name},   {"unit", "cs"},
               {"class", in_class}, {"state", state}, {"grade_year", "2024"}};
  };
  campus.put("student", {student("202400001", "张三", "C1", "01"), student("202400002", "李四", "C2", "01"),
                         student("201600001", "毕业一", "C1", "07"), student("201600002", "毕业二", "C2", "07")});
  campus.put("course", {{{"number", "CS1"}, {"name", "数据结构"}}, {{"number", "CS2"}, {"name", "操作系统"}}});
  campus.put("section", {{{"number", "A"}, {"course", "CS1"}, {"term", "2025-2026-1"}},
                         {{"number", "B"}, {"course", "CS2"}, {"term", "2025-2026-1"}},
                         {{"number", "OLD"}, {"course", "CS1"}, {"term", "2020-2021-1"}}});
  campus.put("section_teacher", {{{"section", "A"}, {"teacher", "T1"}, {"lead", "是"}},
                                 {{"section", "OLD"}, {"teacher", "T1"}, {"lead", "是"}},
                                 {{"section", "B"}, {"teacher", "T3"}, {"lead", "是"}}});
  const auto grade = [](const char* who, const char* section, const char* term, const char* course, const char* score,
                        const char* points) {
    return Row{{"student", who},   {"section", section}, {"attempt", "1"},   {"term", term},
               {"course", course}, {"score", score},     {"points", points}, {"exam_kind", "01"}};
  };
  campus.put("grade", {grade("202400001", "A", "2025-2026-1", "CS1", "91.5", "4.15"),
                       grade("202400002", "A", "2025-2026-1", "CS1", "55", "0"),
                       grade("202400001", "B", "2025-2026-1", "CS2", "70", "2"),
                       grade("201600001", "OLD", "2020-2021-1", "CS1", "88", "3.8"),
                       grade("201600002", "OLD", "2020-2021-1", "CS1", "66", "1.6")});
  campus.put(
      "graduation",
      {{{"student", "201600001"}, {"graduated_on", "2025-06-30"}, {"certificate_number", "102231202505000001"}},
       {{"student", "201600002"}, {"graduated_on", "2024-06-30"}, {"certificate_number", "102231202405000001"}}});
}

constexpr std::string_view kGrades =
    R"({"dataset":"grade","fields":["student","course","score"],"order":[{"field":"student"},{"field":"course"}]})";

class ChapterTwo : public ::testing::TestWithParam<db::Dialect> {
 protected:
  void SetUp() override {
    if (!TestStore::available(GetParam())) GTEST_SKIP() << "no PostgreSQL: JIAOWU_TEST_PG is not set";
    campus_ = std::make_unique<Campus>(GetParam());
    fill(*campus_);
  }
  std::unique_ptr<Campus> campus_;
};

TEST_P(ChapterTwo, a_student_sees_own_grades_only) {
  const auto zhang = campus_->sign_in("zhang", "student", "202400001");
  EXPECT_EQ(campus_->rows(zhang, kGrades), R"([["202400001","CS1",9.15E1],["202400001","CS2",7E1]])");
  EXPECT_EQ(
      campus_->rows(
          zhang, R"({"dataset":"grade","fields":["score"],"where":{"field":"student","op":"eq","value":"202400002"}})"),
      "[]");
  EXPECT_EQ(campus_->rows(zhang, R"({"dataset":"payment"})"), "[]");
  EXPECT_EQ(campus_->rows(zhang, R"({"dataset":"staff"})"), "policy.no_permit");
}

TEST_P(ChapterTwo, a_teacher_sees_own_sections_two_years_back) {
  const auto teacher = campus_->sign_in("t1", "teacher", "T1");
  EXPECT_EQ(campus_->rows(teacher, kGrades), R"([["202400001","CS1",9.15E1],["202400002","CS1",5.5E1]])");
  EXPECT_EQ(campus_->rows(teacher, R"({"dataset":"evaluation"})"), "policy.no_permit");
}

TEST_P(ChapterTwo, an_adviser_sees_the_class_within_the_dates) {
  const auto adviser = campus_->sign_in("t2", "class_adviser", "T2");
  EXPECT_EQ(campus_->rows(adviser, R"({"dataset":"student","fields":["number"]})"), R"([["201600001"],["202400001"]])");
  campus_->at("2026-09-01T09:00:00+08:00");
  EXPECT_EQ(campus_->rows(campus_->enter("t2"), R"({"dataset":"student","fields":["number"]})"), "policy.no_permit");
}

TEST_P(ChapterTwo, offices_by_clause) {
  const auto academic = campus_->sign_in("o1", "academic_office", "O1"),
             finance = campus_->sign_in("o2", "finance_office", "O2"),
             students = campus_->sign_in("o3", "student_office", "O3");
  EXPECT_EQ(boost::json::parse(campus_->rows(academic, kGrades)).as_array().size(), 5u);
  EXPECT_EQ(campus_->rows(finance, kGrades), "policy.no_permit");
  EXPECT_EQ(campus_->rows(finance, R"({"dataset":"payment"})"), "[]");
  EXPECT_EQ(campus_->rows(students, kGrades), "policy.no_permit");
  EXPECT_EQ(
      boost::json::parse(campus_->rows(students, R"({"dataset":"student","fields":["number"]})")).as_array().size(),
      4u);
}

TEST_P(ChapterTwo, a_graduate_keeps_grades_and_certificates_for_a_year) {
  const auto within = campus_->sign_in("g1", "graduate", "201600001"),
             past = campus_->sign_in("g2", "graduate_expired", "201600002");
  EXPECT_EQ(campus_->rows(within, kGrades), R"([["201600001","CS1",8.8E1]])");
  EXPECT_EQ(campus_->rows(within, R"({"dataset":"graduation","fields":["graduated_on"]})"), R"([["2025-06-30"]])");
  EXPECT_EQ(campus_->rows(within, R"({"dataset":"student"})"), "policy.no_permit");
  const query::Outcome refused = campus_->ask(past, kGrades);
  ASSERT_TRUE(std::holds_alternative<Refusal>(refused.result));
  EXPECT_TRUE(std::get<Refusal>(refused.result).remedy);
  EXPECT_NE(std::get<Refusal>(refused.result).detail.zh, "");
}

TEST_P(ChapterTwo, who_left_holds_nothing) {
  const auto left = campus_->sign_in("t3", "teacher", "T3");
  EXPECT_EQ(campus_->rows(left, kGrades), "policy.no_permit");
  EXPECT_EQ(campus_->rows(left, R"({"dataset":"section"})"), "policy.no_permit");
}

TEST_P(ChapterTwo, suspension_acts_on_the_next_statement) {
  const auto zhang = campus_->sign_in("zhang", "student", "202400001");
  EXPECT_NE(campus_->rows(zhang, kGrades), "[]");
  {
    const auto writer = campus_->system().store->writer();
    db::Transaction transaction(*writer, db::Transaction::Mode::write);
    ASSERT_TRUE(campus_->system().identity->suspend(*writer, zhang.account, "lent"));
    transaction.commit();
  }
  EXPECT_EQ(campus_->rows(zhang, kGrades), "identity.session_ended");
  EXPECT_EQ(campus_->rows(zhang, R"({"dataset":"staff"})"), "identity.session_ended");
}

TEST_P(ChapterTwo, a_grant_opens_exactly_what_it_says_while_it_lasts) {
  campus_->put("evaluation", {{{"student", "202400001"}, {"school_year", "2024-2025"}},
                              {{"student", "202400002"}, {"school_year", "2024-2025"}}});
  const auto finance = campus_->sign_in("o2", "finance_office", "O2");
  policy::Grant grant;
  grant.number = "2026-0001";
  grant.account = finance.account;
  grant.dataset = "evaluation";
  grant.content =
      R"({"rows":{"field":"student","op":"eq","value":"202400002"},"clear":["student","school_year"],"actions":["query"],"purposes":["accounting"]})";
  grant.from = *Instant::parse("2026-03-16T10:00:00+08:00");
  grant.until = *Instant::parse("2026-03-17T10:00:00+08:00");
  grant.source = "2.1.4";
  {
    const auto writer = campus_->system().store->writer();
    db::Transaction transaction(*writer, db::Transaction::Mode::write);
    ASSERT_TRUE(
        policy::put_grant(*campus_->system().catalogue, campus_->system().regulation, *writer, grant, grant.from));
    transaction.commit();
  }
  constexpr std::string_view kAsk = R"({"dataset":"evaluation","fields":["student"],"purpose":"accounting"})";
  EXPECT_EQ(campus_->rows(finance, kAsk), "policy.out_of_time");
  campus_->at("2026-03-16T10:00:00+08:00");
  EXPECT_EQ(campus_->rows(finance, kAsk), R"([["202400002"]])");
  EXPECT_EQ(campus_->rows(finance, R"({"dataset":"evaluation","fields":["student"]})"), "policy.purpose_required");
  EXPECT_EQ(
      campus_->rows(finance, R"({"dataset":"evaluation","fields":["student","class_rank"],"purpose":"accounting"})"),
      "policy.field_closed");
  EXPECT_EQ(campus_->rows(finance, R"({"dataset":"evaluation","measures":[{"fn":"count"}],"purpose":"accounting"})"),
            "policy.action_closed");
  campus_->at("2026-03-17T10:00:00+08:00");
  EXPECT_EQ(campus_->rows(finance, kAsk), "policy.out_of_time");
}

TEST_P(ChapterTwo, a_gate_that_was_set_back_makes_the_rules_be_read_anew) {
  campus_->put("evaluation", {{{"student", "202400001"}, {"school_year", "2024-2025"}}});
  const auto finance = campus_->sign_in("o2", "finance_office", "O2");
  constexpr std::string_view kAsk = R"({"dataset":"evaluation","fields":["student"],"purpose":"study"})";
  const auto set_gate = [&](int64_t epoch) {
    campus_->system().store->writer()->execute("UPDATE gate SET epoch = $1", {epoch});
  };
  set_gate(1000);
  EXPECT_EQ(campus_->rows(finance, kAsk), "policy.no_permit");
  policy::Grant grant;
  grant.number = "2026-0001";
  grant.account = finance.account;
  grant.dataset = "evaluation";
  grant.content = R"({"rows":"all","clear":["student"],"actions":["query"],"purposes":["study"]})";
  grant.from = *Instant::parse("2026-03-16T08:00:00+08:00");
  grant.until = *Instant::parse("2026-03-17T10:00:00+08:00");
  grant.source = "2.1.4";
  {
    const auto writer = campus_->system().store->writer();
    db::Transaction transaction(*writer, db::Transaction::Mode::write);
    ASSERT_TRUE(
        policy::put_grant(*campus_->system().catalogue, campus_->system().regulation, *writer, grant, grant.from));
    transaction.commit();
  }
  EXPECT_EQ(campus_->rows(finance, kAsk), R"([["202400001"]])");
  campus_->system().store->writer()->execute("DELETE FROM access_grant");
  set_gate(1000);  // a number that was seen before, under other rules
  EXPECT_EQ(campus_->rows(finance, kAsk), "policy.no_permit");
  set_gate(1);
  EXPECT_EQ(campus_->rows(finance, kAsk), "policy.no_permit") << "not policy.changing";
}

TEST_P(ChapterTwo, a_grant_that_cannot_be_understood_is_not_made) {
  const auto finance = campus_->sign_in("o2", "finance_office", "O2");
  policy::Grant grant;
  grant.number = "2026-0002";
  grant.account = finance.account;
  grant.dataset = "evaluation";
  grant.from = *Instant::parse("2026-03-16T10:00:00+08:00");
  grant.until = *Instant::parse("2026-03-17T10:00:00+08:00");
  const auto writer = campus_->system().store->writer();
  for (const char* content : {"", "[]", "{}", R"({"rows":"nobody's"})", R"({"rows":"all","clear":"student"})",
                              R"({"rows":"all","clear":["no_such_field"]})"}) {
    grant.content = content;
    db::Transaction transaction(*writer, db::Transaction::Mode::write);
    const auto made =
        policy::put_grant(*campus_->system().catalogue, campus_->system().regulation, *writer, grant, grant.from);
    ASSERT_FALSE(made) << content;
    EXPECT_EQ(made.refusal().type, "policy.bad_grant") << content;
  }
}

TEST_P(ChapterTwo, the_record_names_who_was_read) {
  const auto teacher = campus_->sign_in("t1", "teacher", "T1");
  const query::Outcome outcome = campus_->ask(teacher, kGrades);
  ASSERT_EQ(outcome.entry.subjects.size(), 2u);
  EXPECT_EQ(outcome.entry.basis, "§2.2.1");
  EXPECT_TRUE(campus_->system().recorder->append_and_wait(outcome.entry));
  const auto zhang = campus_->sign_in("zhang", "student", "202400001");
  EXPECT_EQ(campus_->rows(zhang, R"({"dataset":"access_log","fields":["dataset","basis","post"]})"),
            R"([["grade","§2.2.1","teacher"]])");
  const auto li = campus_->sign_in("li", "student", "202400002");
  EXPECT_EQ(boost::json::parse(campus_->rows(li, R"({"dataset":"access_log"})")).as_array().size(), 1u);
}

TEST_P(ChapterTwo, pages_follow_each_other_without_gap) {
  const auto academic = campus_->sign_in("o1", "academic_office", "O1");
  std::vector<std::string> seen;
  std::string after;
  for (int page = 0; page < 9; ++page) {
    boost::json::object request =
        boost::json::parse(
            R"({"dataset":"grade","fields":["student","course"],"order":[{"field":"score","desc":true}],"limit":2})")
            .as_object();
    if (!after.empty()) request["after"] = after;
    const auto answer = campus_->answer(academic, boost::json::serialize(request));
    for (const auto& row : answer.at("rows").as_array()) seen.push_back(boost::json::serialize(row));
    if (answer.at("next").is_null()) break;
    after = answer.at("next").as_string();
    EXPECT_EQ(
        campus_->rows(
            campus_->sign_in("x" + std::to_string(page), "student", "202400001"),
            R"({"dataset":"grade","fields":["student","course"],"order":[{"field":"score","desc":true}],"limit":2,"after":")" +
                after + "\"}"),
        "query.bad_token");
  }
  EXPECT_EQ(seen,
            (std::vector<std::string>{R"(["202400001","CS1"])", R"(["201600001","CS1"])", R"(["202400001","CS2"])",
                                      R"(["201600002","CS1"])", R"(["202400002","CS1"])"}));
}

TEST_P(ChapterTwo, statistics_divide_once_and_round_half_up) {
  const auto academic = campus_->sign_in("o1", "academic_office", "O1");
  EXPECT_EQ(
      campus_->rows(
          academic,
          R"({"dataset":"grade","group":["term"],"measures":[{"fn":"count"},{"fn":"avg","field":"score"},{"fn":"median","field":"score"},
      {"fn":"stddev","field":"score"},{"fn":"share","as":"fail","where":{"field":"score","op":"lt","value":60}},{"fn":"histogram","field":"score","width":10},{"fn":"count_distinct","field":"student"}]})"),
      R"([["2020-2021-1",2,7.7E1,7.7E1,1.1E1,0E0,[[6E1,1],[8E1,1]],2],["2025-2026-1",3,7.217E1,7E1,1.498E1,3.3E-1,[[5E1,1],[7E1,1],[9E1,1]],2]])");
}

INSTANTIATE_TEST_SUITE_P(Stores, ChapterTwo, ::testing::Values(db::Dialect::sqlite, db::Dialect::postgres),
                         [](const auto& instance) {
                           return instance.param == db::Dialect::sqlite ? "sqlite" : "postgres";
                         });

}  // namespace
}  // namespace jw::tests
