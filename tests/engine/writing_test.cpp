// Who may enter and review what (§2.2.1, §4.1.2, §4.2.1), asked of the writer itself on a campus small enough to know
// every row.
#include "tests/engine/campus.hpp"

namespace jw::tests {
namespace {

using policy::Action;
using Datasets = std::set<std::string>;

// What each post may enter and review, read against docs/regulation.md by hand; every other post and dataset: nothing.
const std::map<std::string, Datasets> kEnters = {
    {"academic_office",
     {"term",  "unit",        "major",      "course",          "room",          "staff",     "post_holding",
      "plan",  "plan_course", "section",    "section_teacher", "meeting",       "enrolment", "progress",
      "grade", "attendance",  "evaluation", "warning",         "online_course", "graduation"}},
    {"student_office", {"student", "class", "status_change", "award", "discipline"}},
    {"finance_office", {"payment", "tuition"}},
    {"research_office", {"research_result"}},
    {"logistics_office", {"housing"}},
    {"teacher", {"grade"}},
};
const std::map<std::string, Datasets> kReviews = {
    {"data_reviewer",
     {"term",
      "unit",
      "major",
      "class",
      "course",
      "room",
      "student",
      "staff",
      "post_holding",
      "plan",
      "plan_course",
      "section",
      "section_teacher",
      "meeting",
      "enrolment",
      "progress",
      "grade",
      "status_change",
      "award",
      "discipline",
      "attendance",
      "payment",
      "tuition",
      "evaluation",
      "warning",
      "research_result",
      "housing",
      "online_course",
      "graduation"}},
};

Row grade(const char* who, const char* section, const char* score) {
  return {{"student", who},  {"section", section}, {"attempt", "1"}, {"term", "2025-2026-1"},
          {"course", "CS1"}, {"score", score},     {"points", "2"},  {"exam_kind", "01"}};
}

// The least that the table takes, beside whatever stands there; its references lead nowhere, as none of it is kept.
std::vector<change::Value> required_only(const change::Table& table) {
  std::vector<change::Value> values(table.width());
  for (size_t f = 0; f < values.size(); ++f) {
    const catalog::Field& field = table.dataset().fields[f];
    if (!field.required) continue;
    if (field.type == catalog::Type::ref) {
      values[f] = int64_t{999'999};
    } else if (field.type == catalog::Type::text || field.type == catalog::Type::code) {
      values[f] = std::string("zz");
    } else if (field.type == catalog::Type::date) {
      values[f] = std::string("2030-01-01");
    } else {
      values[f] = int64_t{1};
    }
  }
  return values;
}

class WritingOn : public ::testing::TestWithParam<db::Dialect> {
 protected:
  void SetUp() override {
    if (!TestStore::available(GetParam())) GTEST_SKIP() << "no PostgreSQL: JIAOWU_TEST_PG is not set";
    campus_ = std::make_unique<Campus>(GetParam());
    fill();
    teacher_ = campus_->sign_in("t1", "teacher", "T1");
    office_ = campus_->sign_in("o1", "academic_office", "O1");
    reviewer_ = campus_->sign_in("r1", "staff", "R1");
  }

  void fill() {
    const auto term = [](const char* code, const char* year, const char* begins, const char* ends) {
      return Row{{"code", code}, {"school_year", year}, {"season", "1"}, {"begins", begins}, {"ends", ends}};
    };
    campus_->put("term", {term("2025-2026-1", "2025-2026", "2025-09-08", "2026-01-18")});
    campus_->put("unit", {{{"code", "jwc"}, {"name", "教务处"}}, {{"code", "cs"}, {"name", "计算机学院"}}});
    std::vector<Row> staff, holdings;
    for (const char* number : {"T1", "T2", "O1", "R1", "A1"})
      staff.push_back({{"number", number}, {"name", "教职工"}, {"unit", "cs"}, {"state", "11"}});
    campus_->put("staff", staff);
    appoint("O1", "academic_office");
    appoint("R1", "data_reviewer");
    campus_->put(
        "class",
        {{{"code", "C1"}, {"name", "一班"}, {"unit", "cs"}, {"adviser", "T2"}, {"adviser_from", "2025-09-01"}}});
    const auto student = [](const char* number, const char* state) {
      return Row{{"number", number}, {"name", "学生"}, {"unit", "cs"}, {"class", "C1"}, {"state", state}};
    };
    campus_->put("student", {student("202400001", "01"), student("202400002", "01"), student("201600001", "07"),
                             student("201600002", "07")});
    campus_->put(
        "graduation",
        {{{"student", "201600001"}, {"graduated_on", "2025-06-30"}, {"certificate_number", "102231202505000001"}},
         {{"student", "201600002"}, {"graduated_on", "2024-06-30"}, {"certificate_number", "102231202405000001"}}});
    campus_->put("course", {{{"number", "CS1"}, {"name", "数据结构"}}});
    campus_->put("section", {{{"number", "A"}, {"course", "CS1"}, {"term", "2025-2026-1"}},
                             {{"number", "B"}, {"course", "CS1"}, {"term", "2025-2026-1"}}});
    campus_->put("section_teacher", {{{"section", "A"}, {"teacher", "T1"}, {"lead", "是"}}});
    Row released = grade("202400002", "A", "70");
    released["released_on"] = "2026-01-20";
    campus_->put("grade", {grade("202400001", "B", "91.5"), released});
  }
  void appoint(const std::string& staff, const std::string& post) {
    campus_->put("post_holding", {{{"staff", staff}, {"post", post}, {"unit", "jwc"}, {"begins", "2020-01-01"}}});
  }
  void grant(const policy::Asker& to, const std::string& dataset, const std::string& content,
             const std::string& number) {
    policy::Grant grant;
    grant.number = number;
    grant.account = to.account;
    grant.dataset = dataset;
    grant.content = content;
    grant.until = Instant::parse("2027-01-01T00:00:00+08:00").value();
    grant.source = "4.1.2";
    const auto writer = campus_->system().store->writer();
    db::Transaction transaction(*writer, db::Transaction::Mode::write);
    ASSERT_TRUE(policy::put_grant(*campus_->system().catalogue, campus_->system().regulation, *writer, grant,
                                  campus_->system().clock->now()));
    transaction.commit();
  }

  // "" when it was applied, else the type of the refusal, with rows and fields.
  static std::string told(const Result<Done>& result) {
    if (result) return {};
    std::string out = result.refusal().type;
    for (const FieldProblem& problem : result.refusal().fields) out += " " + problem.field;
    return out;
  }
  std::string enter(const policy::Asker& who, const std::string& dataset, const std::vector<Row>& rows,
                    const std::string& purpose = {}) {
    return told(campus_->write(who, reviewer_, dataset, rows, purpose));
  }
  std::string cell(const std::string& sql) {
    const auto reader = campus_->system().store->private_reader();
    db::Rows rows = reader->query(sql);
    if (!rows.next()) return "none";
    return rows.kind(0) == db::Kind::integer ? std::to_string(rows.integer(0)) : std::string(rows.text(0));
  }

  std::unique_ptr<Campus> campus_;
  policy::Asker teacher_, office_, reviewer_;
};

TEST_P(WritingOn, a_teacher_enters_grades_of_own_sections_and_of_no_other) {
  EXPECT_EQ(enter(teacher_, "grade", {grade("202400001", "A", "88")}), "");
  EXPECT_EQ(enter(teacher_, "grade", {grade("202400001", "A", "89")}), "") << "and changes it";
  EXPECT_EQ(enter(teacher_, "grade", {grade("202400002", "B", "60")}), "change.not_permitted grade[202400002~B~1]");
  EXPECT_EQ(enter(teacher_, "grade", {grade("202400001", "B", "60")}), "change.not_permitted grade[202400001~B~1]")
      << "one that stands there is told as one that does not";
  EXPECT_EQ(enter(teacher_, "grade", {grade("202400001", "A", "90"), grade("202400002", "B", "60")}),
            "change.not_permitted grade[202400002~B~1]");
  EXPECT_EQ(cell("SELECT score FROM grade g JOIN batch b ON b.id = g.batch_id WHERE b.reviewed_name = 'reviewed'"),
            "890")
      << "a batch is applied whole or not at all";
  EXPECT_EQ(cell("SELECT CAST(COUNT(*) AS BIGINT) FROM grade_history"), "1");
}

TEST_P(WritingOn, what_is_released_is_beyond_the_teacher) {
  EXPECT_EQ(enter(teacher_, "grade", {grade("202400002", "A", "75")}),
            "change.not_permitted grade[202400002~A~1] grade[202400002~A~1].released_on")
      << "as it stood it was released, and to take that back is not the teacher's";
  Row released = grade("202400001", "A", "75");
  released["released_on"] = "2026-03-16";
  EXPECT_EQ(enter(teacher_, "grade", {released}), "change.not_permitted grade[202400001~A~1]")
      << "as it would stand it is released";
  EXPECT_EQ(enter(office_, "grade", {released}), "");
  const auto take_away = [&](const policy::Asker& who) {
    return told(campus_->write(who, reviewer_, [&](change::Batch& batch) {
      const int64_t id =
          std::stoll(cell("SELECT g.id FROM grade g JOIN student s ON s.id = g.student WHERE s.number = "
                          "'202400002' AND g.released_on IS NOT NULL"));
      EXPECT_TRUE(batch.table("grade").remove(id));
    }));
  };
  EXPECT_EQ(take_away(teacher_), "change.not_permitted grade[202400002~A~1]");
  EXPECT_EQ(take_away(office_), "");
}

TEST_P(WritingOn, a_field_that_is_not_opened_is_not_written) {
  grant(
      teacher_, "student",
      R"({"rows":{"field":"state","op":"eq","value":"01"},"clear":["number","name","phone"],"actions":["enter"],"purposes":[]})",
      "2026-0001");
  const auto student = [](const char* phone, const char* email) {
    Row row{{"number", "202400001"}, {"name", "学生"}, {"unit", "cs"},
            {"class", "C1"},         {"state", "01"},  {"phone", phone}};
    if (*email != '\0') row["email"] = email;
    return row;
  };
  EXPECT_EQ(enter(teacher_, "student", {student("13800000001", "")}), "policy.purpose_required");
  EXPECT_EQ(enter(teacher_, "student", {student("13800000001", "")}, "study"), "")
      << "what is not opened may stand there as it stood";
  EXPECT_EQ(enter(teacher_, "student", {student("13800000001", "a@b.cn")}, "study"),
            "change.not_permitted student[202400001].email");
  Row gone = student("13800000001", "");
  gone["state"] = "07";
  EXPECT_EQ(enter(teacher_, "student", {gone}, "study"),
            "change.not_permitted student[202400001].state student[202400001]")
      << "as it stood the field is closed, as it would stand the row";
}

TEST_P(WritingOn, what_a_batch_writes_opens_nothing_to_whoever_writes_it) {
  grant(teacher_, "section_teacher", R"({"rows":"all","clear":["*"],"actions":["enter"],"purposes":["study"]})",
        "2026-0001");
  const auto both = [&](change::Batch& batch) {
    campus_->put_row(batch, "section_teacher", {{"section", "B"}, {"teacher", "T1"}, {"lead", "是"}});
    campus_->put_row(batch, "grade", grade("202400002", "B", "60"));
  };
  EXPECT_EQ(told(campus_->write(teacher_, reviewer_, both, "study")), "change.not_permitted grade[202400002~B~1]");
  EXPECT_EQ(enter(teacher_, "section_teacher", {{{"section", "B"}, {"teacher", "T1"}, {"lead", "是"}}}, "study"), "");
  EXPECT_EQ(enter(teacher_, "grade", {grade("202400002", "B", "60")}), "") << "reviewed, it counts";
}

TEST_P(WritingOn, entry_and_review_are_two_people_who_both_may) {
  EXPECT_EQ(told(campus_->write(office_, office_, "unit", {{{"code", "xx"}, {"name", "新"}}})), "change.same_person");
  appoint("O1", "data_reviewer");
  const auto again = campus_->sign_in("o1_again", "staff", "O1");
  EXPECT_EQ(told(campus_->write(office_, again, "unit", {{{"code", "xx"}, {"name", "新"}}})), "change.same_person")
      << "another account of the same person";
  EXPECT_EQ(told(campus_->write(office_, teacher_, "unit", {{{"code", "xx"}, {"name", "新"}}})), "policy.action_closed")
      << "who may query it";
  const auto student = campus_->sign_in("s1", "student", "202400001");
  EXPECT_EQ(told(campus_->write(office_, student, "staff",
                                {{{"number", "T1"}, {"name", "新"}, {"unit", "cs"}, {"state", "11"}}})),
            "policy.no_permit");
  EXPECT_EQ(told(campus_->write(office_, reviewer_, "unit", {{{"code", "xx"}, {"name", "新"}}})), "");
  EXPECT_EQ(cell("SELECT CAST(COUNT(*) AS BIGINT) FROM unit WHERE code = 'xx'"), "1");
}

TEST_P(WritingOn, whoever_has_left_or_is_suspended_or_has_not_signed_writes_nothing) {
  const Row row{{"code", "xx"}, {"name", "新"}};
  policy::Asker unsigned_yet = office_;
  unsigned_yet.agreement_due = true;
  EXPECT_EQ(enter(unsigned_yet, "grade", {grade("202400001", "A", "88")}), "identity.agreement_due");
  EXPECT_EQ(enter(unsigned_yet, "unit", {row}), "") << "not about persons";
  policy::Asker away = office_;
  away.session = 0;
  EXPECT_EQ(enter(away, "unit", {row}), "") << "reviewed when its author is not signed in";
  {
    const auto writer = campus_->system().store->writer();
    db::Transaction transaction(*writer, db::Transaction::Mode::write);
    ASSERT_TRUE(campus_->system().identity->suspend(*writer, office_.account, "lent"));
    transaction.commit();
  }
  EXPECT_EQ(enter(office_, "unit", {{{"code", "yy"}, {"name", "新"}}}), "identity.session_ended");
  EXPECT_EQ(enter(away, "unit", {{{"code", "yy"}, {"name", "新"}}}), "change.account_ended");
  campus_->put("staff", {{{"number", "T1"}, {"name", "教职工"}, {"unit", "cs"}, {"state", "05"}}});
  EXPECT_EQ(enter(teacher_, "grade", {grade("202400001", "A", "88")}), "policy.no_permit");
}

TEST_P(WritingOn, the_leaf_says_who_and_on_which_clause) {
  ASSERT_EQ(enter(teacher_, "grade", {grade("202400001", "A", "88")}), "");
  record::Recorder& recorder = *campus_->system().recorder;
  const record::Entry entry = recorder.prove(recorder.checkpoint().size - 1)->entry;
  EXPECT_EQ(entry.kind, "change");
  EXPECT_EQ(entry.account, teacher_.account);
  EXPECT_EQ(entry.person, teacher_.person);
  EXPECT_EQ(entry.basis, "§2.2.1");
  EXPECT_EQ(entry.post, "teacher");
  EXPECT_NE(entry.parameters.find(R"("by":"people")"), std::string::npos) << entry.parameters;
  EXPECT_NE(entry.parameters.find(R"("review_basis":"§4.2.1")"), std::string::npos) << entry.parameters;
}

// More rows than are asked about at once, one of them beyond.
TEST_P(WritingOn, a_long_batch_is_asked_about_row_by_row) {
  constexpr int kMany = 9'000;
  std::vector<Row> students;
  const auto number = [](int n) { return "2099" + std::to_string(100'000 + n).substr(1); };
  for (int n = 0; n < kMany; ++n)
    students.push_back({{"number", number(n)}, {"name", "学生"}, {"unit", "cs"}, {"state", "01"}});
  campus_->put("student", students);
  const auto entered = [&](int wrong) {
    return told(campus_->write(teacher_, reviewer_, [&](change::Batch& batch) {
      for (int n = 0; n < kMany; ++n)
        campus_->put_row(batch, "grade", grade(number(n).c_str(), n == wrong ? "B" : "A", "88"));
    }));
  };
  EXPECT_EQ(entered(8'500), "change.not_permitted grade[209908500~B~1]");
  EXPECT_EQ(entered(-1), "");
}

// Every post × dataset: nothing is written that no row of permissions opens.
TEST_P(WritingOn, nobody_writes_what_no_row_of_permissions_opens) {
  const policy::Regulation& regulation = campus_->system().regulation;
  std::map<std::string, policy::Asker> holders{
      {"teacher", teacher_}, {"academic_office", office_}, {"data_reviewer", reviewer_}};
  const auto holder = [&](const std::string& post, const std::string& person) {
    holders[post] = campus_->sign_in("h_" + post, "staff", person);
  };
  holder("class_adviser", "T2");
  holder("staff", "A1");
  holder("student", "202400001");
  holder("graduate", "201600001");
  holder("graduate_expired", "201600002");
  for (const policy::Post& post : regulation.posts) {
    if (holders.contains(post.name)) continue;
    campus_->put("staff", {{{"number", "H_" + post.name}, {"name", "教职工"}, {"unit", "cs"}, {"state", "11"}}});
    appoint("H_" + post.name, post.name);
    holder(post.name, "H_" + post.name);
  }
  size_t asked = 0;
  for (const auto& [post, asker] : holders) {
    const auto writer = campus_->system().store->writer();
    const db::Transaction transaction(*writer, db::Transaction::Mode::write);
    const auto authority = campus_->system().policy->authority_in(*writer, asker, campus_->system().clock->now());
    const int index = regulation.post(post);
    ASSERT_TRUE(std::any_of(authority->posts().begin(), authority->posts().end(), [&](const policy::HeldPost& held) {
      return held.post == index;
    })) << post;
    for (const catalog::Dataset& dataset : campus_->system().catalogue->datasets) {
      const auto opened = [&](const std::map<std::string, Datasets>& by_post) {
        const auto found = by_post.find(post);
        return found != by_post.end() && found->second.contains(dataset.name);
      };
      EXPECT_EQ(authority->decide(dataset, Action::enter, "").allowed(), opened(kEnters))
          << post << " " << dataset.name;
      EXPECT_EQ(authority->decide(dataset, Action::review, "").allowed(), opened(kReviews))
          << post << " " << dataset.name;
      ++asked;
    }
  }
  EXPECT_GT(asked, 400u);
  // And the writer itself: a row of each dataset by everybody else.
  for (const auto& [post, asker] : holders) {
    for (const catalog::Dataset& dataset : campus_->system().catalogue->datasets) {
      const auto opens = kEnters.find(post);
      if (dataset.by_kernel || (opens != kEnters.end() && opens->second.contains(dataset.name))) continue;
      const auto& other = post == "data_reviewer" ? office_ : reviewer_;
      const std::string got = told(campus_->write(asker, other, [&](change::Batch& batch) {
        change::Table& table = batch.table(dataset.name);
        table.insert(required_only(table), 1);
      }));
      EXPECT_TRUE(got == "policy.no_permit" || got == "policy.action_closed")
          << post << " " << dataset.name << ": " << got;
    }
  }
}

JW_ON_BOTH_STORES(WritingOn);

}  // namespace
}  // namespace jw::tests
