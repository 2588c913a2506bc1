// The catalogue that is delivered: it loads, and its national code sets are whole (standards of the trade).
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include <set>

#include "kernel/catalog/api.hpp"
#include "kernel/catalog/condition.hpp"

namespace jw::catalog {
namespace {

const Catalogue& real() {
  static const Catalogue catalogue = [] {
    auto loaded = load(JW_SOURCE_DIR);
    if (const auto* problems = std::get_if<std::vector<FileProblem>>(&loaded)) {
      for (const FileProblem& problem : *problems) ADD_FAILURE() << problem.print();
      return Catalogue{};
    }
    return std::get<Catalogue>(std::move(loaded));
  }();
  return catalogue;
}

std::set<std::string> codes_of(const char* set) {
  const int index = real().code_set(set);
  if (index < 0) return {};
  std::set<std::string> codes;
  for (const Code& code : real().code_sets[static_cast<size_t>(index)].codes) {
    if (!code.ext) codes.insert(code.code);
  }
  return codes;
}

std::string zh_of(const char* set, const char* code) {
  const int index = real().code_set(set);
  const Code* found = index < 0 ? nullptr : real().code_sets[static_cast<size_t>(index)].find(code);
  return found == nullptr ? "" : found->name.zh;
}

TEST(RealCatalogue, HasEveryDatasetOfChapterTwo) {
  for (const char* name : {"term",          "unit",
                           "post_holding",  "student",
                           "staff",         "major",
                           "class",         "course",
                           "plan",          "plan_course",
                           "section",       "section_teacher",
                           "room",          "meeting",
                           "enrolment",     "progress",
                           "grade",         "status_change",
                           "award",         "discipline",
                           "attendance",    "payment",
                           "tuition",       "evaluation",
                           "warning",       "research_result",
                           "housing",       "library_holding",
                           "online_course", "graduation",
                           "access_log"}) {
    EXPECT_NE(real().find(name), nullptr) << name;
  }
}

TEST(RealCatalogue, EveryDatasetAboutPersonsIsTiedToThem) {
  const int self = real().relation("self");
  ASSERT_GE(self, 0);
  for (const Dataset& dataset : real().datasets) {
    if (!dataset.has_subject) continue;
    const Binding* binding = dataset.binding(self);
    ASSERT_NE(binding, nullptr) << dataset.name << " is about persons but not tied by self";
    EXPECT_EQ(binding->path, dataset.about) << dataset.name;
  }
}

TEST(RealCatalogue, EveryFieldHasAnExampleThatFitsOrNoneAtAll) {
  for (const Dataset& dataset : real().datasets) {
    for (const Field& field : dataset.fields) {
      if (field.example.empty() || field.is_lookup()) continue;
      const auto value = parse_value(real(), field, field.example);
      ASSERT_TRUE(value) << dataset.name << "." << field.name << ": " << value.refusal().detail.en;
      const auto again = parse_value(real(), field, print_value(real(), field, *value, true));
      if (field.type == Type::code) continue;  // names may be ambiguous, codes are not
      ASSERT_TRUE(again) << dataset.name << "." << field.name;
      EXPECT_EQ(*again, *value) << dataset.name << "." << field.name;
    }
  }
}

using Codes = std::set<std::string>;

TEST(RealCodes, PersonSets) {
  EXPECT_EQ(codes_of("XB"), (Codes{"0", "1", "2", "9"}));
  EXPECT_EQ(codes_of("ZZMM"), (Codes{"01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "11", "12", "13"}));
  EXPECT_EQ(zh_of("ZZMM", "03"), "共青团员");
  Codes peoples;
  for (int i = 1; i <= 56; ++i) peoples.insert((i < 10 ? "0" : "") + std::to_string(i));
  peoples.insert({"97", "98"});
  EXPECT_EQ(codes_of("MZ"), peoples);
  EXPECT_EQ(zh_of("MZ", "56"), "基诺族");
  EXPECT_EQ(zh_of("MZ", "11"), "满族");
  EXPECT_TRUE(codes_of("SFZJLX").contains("A"));
  EXPECT_EQ(codes_of("JZGDQZT").size(), 17u);
}

TEST(RealCodes, DisciplineHasNoFive) {
  // 5 was the abolished 勒令退学 and stays free (CFMC of JY/T 1001).
  EXPECT_EQ(codes_of("CFMC"), (Codes{"1", "2", "3", "4", "6", "9"}));
  EXPECT_EQ(zh_of("CFMC", "4"), "留校察看");
  EXPECT_EQ(zh_of("WJLB", "13"), "违反网络管理规定");
}

TEST(RealCodes, StatusSets) {
  EXPECT_EQ(codes_of("XSDQZT"),
            (Codes{"01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "11", "12", "13", "14", "15", "99"}));
  EXPECT_EQ(codes_of("XJYDLB").size(), 8u + 9 + 9 + 9);
  EXPECT_EQ(zh_of("XJYDLB", "42"), "开除学籍");
}

TEST(RealCodes, EducationAndDegrees) {
  const Codes education = codes_of("XL");
  for (const char* code : {"11", "14", "21", "28", "31", "41", "61", "63", "71", "73", "81", "83", "90"}) {
    EXPECT_TRUE(education.contains(code)) << code;
  }
  EXPECT_FALSE(education.contains("72"));
  EXPECT_FALSE(education.contains("82"));
  EXPECT_EQ(codes_of("XWLB"), (Codes{"11", "12", "21", "22", "31", "32"}));
  // 艺术学 is younger than the standard: the school's own until it is revised.
  EXPECT_FALSE(codes_of("XW").contains("413"));
}

TEST(RealCodes, TeachingSets) {
  EXPECT_EQ(codes_of("XQ"), (Codes{"1", "2", "3", "9"}));
  EXPECT_EQ(codes_of("KCSX"), (Codes{"1", "2", "3", "4", "5", "6", "7", "8", "9"}));
  EXPECT_EQ(codes_of("KSXZ"), (Codes{"01", "02", "03", "11", "12", "13", "14", "21", "41", "99"}));
  EXPECT_EQ(zh_of("KSXZ", "13"), "重修");
  EXPECT_EQ(codes_of("PYCC"), (Codes{"1", "2", "3", "4", "9"}));
}

TEST(RealCodes, OwnCodesMapToNationalOnes) {
  for (const CodeSet& set : real().code_sets) {
    for (const Code& code : set.codes) {
      if (code.parent.empty()) continue;
      const Code* parent = set.find(code.parent);
      ASSERT_NE(parent, nullptr) << set.name << " " << code.code;
      EXPECT_TRUE(code.ext && !parent->ext) << set.name << " " << code.code;
    }
  }
}

// §2.4.3: a list of who was warned is told by its rows, whatever fields it shows; so is one of those who fit a
// condition.
TEST(RealCatalogue, LevelIsOfWhatIsShownAskedForAndOfBeingThere) {
  const auto level = [](const char* name, std::vector<const char*> shown, const char* where = nullptr) {
    const Dataset& dataset = *real().find(name);
    std::vector<int> fields;
    for (const char* each : shown) fields.push_back(dataset.field(each));
    std::vector<Condition> conditions;
    if (where != nullptr)
      conditions.push_back(
          parse_condition(real(), dataset, boost::json::parse(where), ConditionUse::query, "where").value());
    return level_of(dataset, fields, conditions);
  };
  for (const char* name : {"warning", "discipline", "status_change", "payment"})
    EXPECT_GE(level(name, {"student", "student_name"}), Level::sensitive) << name;
  EXPECT_EQ(level("student", {"number", "name"}), Level::internal);
  EXPECT_GE(level("student", {"number", "name"}, R"({"field":"id_number","op":"starts","value":"64"})"),
            Level::sensitive);
  EXPECT_GE(
      level(
          "student", {"number"},
          R"({"any":[{"field":"name","op":"eq","value":"x"},{"not":{"field":"id_number","op":"is_null","value":true}}]})"),
      Level::sensitive);
  EXPECT_EQ(level("course", {"number", "name"}), Level::open);
}

}  // namespace
}  // namespace jw::catalog
