// The regulation's files: what they open and close, and how mistakes in them are told.
#include "kernel/policy/regulation.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "kernel/catalog/condition.hpp"
#include "tests/support/catalogue.hpp"

namespace jw::policy {
namespace {

namespace fs = std::filesystem;
using tests::Files;
using tests::Home;
using tests::printed;

const Files kRegulation = {
    {"regulation/settings.toml", R"toml([[setting]]
name = "graduate_years"
value = 1
min = 0
max = 5
clause = "2.3.2"
label = { zh = "毕业生可查询的年数", en = "years a graduate may query" }
)toml"},
    {"regulation/posts.toml", R"toml([[post]]
name = "office"
label = { zh = "教务处", en = "office" }
clause = "2.1.1"
from = "pupil"
where = { all = [ { field = "id", is = "me" }, { field = "number", op = "starts", value = "J" } ] }
[[post]]
name = "pupil"
label = { zh = "学生", en = "pupil" }
clause = "2.3.1"
from = "pupil"
where = { field = "id", is = "me" }
refusal = { zh = "请到窗口办理", en = "ask at the counter" }
)toml"},
    {"regulation/permissions.toml", R"toml([[permit]]
post = "office"
dataset = "*"
rows = "all"
clause = "2.1.1"
[[permit]]
post = "pupil"
dataset = "*"
rows = "self"
masked = ["phone", "pupil_phone"]
hidden = ["left"]
actions = ["query", "detail"]
purposes = ["study"]
clause = "2.3.1"
[[permit]]
post = "pupil"
dataset = "pupil"
where = { field = "left", op = "ge", today_minus_years = "graduate_years" }
clear = ["number"]
clause = "2.3.2"
[[forbid]]
post = "*"
dataset = "pupil"
where = { field = "number", op = "eq", value = "X1" }
clause = "1.3.3"
text = { zh = "此人另有规定", en = "this person is protected" }
)toml"},
};

const Files kGood = [] {
  Files files = tests::kSmallCatalogue;
  files.insert(kRegulation.begin(), kRegulation.end());
  return files;
}();

catalog::Catalogue catalogue_of(const fs::path& home) {
  auto loaded = catalog::load(home);
  if (auto* problems = std::get_if<std::vector<catalog::FileProblem>>(&loaded)) ADD_FAILURE() << printed(*problems);
  return std::get<catalog::Catalogue>(std::move(loaded));
}

struct Loaded {
  catalog::Catalogue catalogue;
  Regulation regulation;
  std::vector<const Atom*> atoms(const char* post, const char* dataset) const {
    std::vector<const Atom*> found;
    for (const Atom& atom : regulation.atoms) {
      if (atom.post == regulation.post(post) && atom.dataset == catalogue.find(dataset)->index) found.push_back(&atom);
    }
    return found;
  }
  Sight sight(const Atom& atom, const char* field) const {
    const auto& dataset = catalogue.datasets[static_cast<size_t>(atom.dataset)];
    return atom.fields.at(static_cast<size_t>(dataset.field(field)));
  }
};

Loaded load_files(const Files& files) {
  const Home home(files);
  Loaded loaded{catalogue_of(home.path()), {}};
  auto regulation = load(home.path(), loaded.catalogue);
  if (auto* problems = std::get_if<std::vector<catalog::FileProblem>>(&regulation)) {
    ADD_FAILURE() << printed(*problems);
  } else {
    loaded.regulation = std::get<Regulation>(std::move(regulation));
  }
  return loaded;
}

TEST(Regulation, AllAndStarReachEveryDataset_2_1_1) {
  const Loaded loaded = load_files(kGood);
  for (const char* name : {"pupil", "mark", "room"}) {
    const auto atoms = loaded.atoms("office", name);
    ASSERT_GE(atoms.size(), 1u) << name;
    EXPECT_EQ(atoms[0]->rows, Atom::Rows::all);
    EXPECT_EQ(atoms[0]->effect, Effect::permit);
    EXPECT_EQ(atoms[0]->actions, 31);
    EXPECT_EQ(atoms[0]->purposes, (std::vector<std::string>{"teaching_administration", "study"}));
    for (const Sight sight : atoms[0]->fields) EXPECT_EQ(sight, Sight::clear);
    EXPECT_EQ(atoms[0]->clause, "2.1.1");
  }
}

TEST(Regulation, StarUnderARelationReachesOnlyWhatItTies_2_3_1) {
  const Loaded loaded = load_files(kGood);
  EXPECT_TRUE(loaded.atoms("pupil", "room").empty());
  const auto atoms = loaded.atoms("pupil", "mark");
  ASSERT_EQ(atoms.size(), 1u);
  EXPECT_EQ(atoms[0]->rows, Atom::Rows::relation);
  EXPECT_EQ(atoms[0]->relation, loaded.catalogue.relation("self"));
  EXPECT_EQ(atoms[0]->text.zh, "本人");
  EXPECT_EQ(loaded.sight(*atoms[0], "score"), Sight::clear);
  EXPECT_EQ(loaded.sight(*atoms[0], "pupil_phone"), Sight::masked);
  EXPECT_EQ(atoms[0]->actions, 3);
  EXPECT_EQ(atoms[0]->purposes, std::vector<std::string>{"study"});
}

TEST(Regulation, NobodyWritesWhereNoRowSaysSo) {
  Files files = kGood;
  std::string& text = files["regulation/permissions.toml"];
  text.replace(text.find("\"detail\""), 8, "\"enter\"");
  const Loaded loaded = load_files(files);
  EXPECT_EQ(loaded.atoms("pupil", "mark").front()->actions,
            1 << static_cast<int>(Action::query) | 1 << static_cast<int>(Action::enter));
  for (const Atom& atom : loaded.regulation.atoms) {
    if (atom.effect == Effect::forbid) {
      EXPECT_EQ(atom.actions, kAllActions) << "a forbid shuts writing, too";
    } else if (atom.post == loaded.regulation.post("office")) {
      EXPECT_EQ(atom.actions & kWriting, 0);
    }
  }
}

// Cases, grants and the record are written by the program alone.
TEST(Regulation, WhatProceduresWriteIsEnteredByNobody) {
  const catalog::Catalogue catalogue = catalogue_of(JW_SOURCE_DIR);
  auto files = content_of_files(JW_SOURCE_DIR, catalogue);
  auto& content = std::get<boost::json::object>(files);
  for (const char* dataset : {"case", "access_log"}) {
    boost::json::object with = content;
    with["rules"].as_array().push_back({{"id", 9999},
                                        {"effect", "permit"},
                                        {"post", "academic_office"},
                                        {"dataset", dataset},
                                        {"rows", "all"},
                                        {"actions", {"enter"}},
                                        {"clause", "4.1.2"}});
    const auto loaded = load_content(with, catalogue);
    const auto* problems = std::get_if<std::vector<catalog::FileProblem>>(&loaded);
    ASSERT_NE(problems, nullptr) << dataset;
    EXPECT_NE(problems->front().print().find("written by procedures"), std::string::npos) << problems->front().print();
    EXPECT_EQ(problems->front().line, 9999);
  }
}

TEST(Regulation, FieldsNotNamedBesideAListAreHidden) {
  const Loaded loaded = load_files(kGood);
  const auto atoms = loaded.atoms("pupil", "pupil");
  ASSERT_EQ(atoms.size(), 3u);
  EXPECT_EQ(loaded.sight(*atoms[0], "left"), Sight::hidden);
  EXPECT_EQ(loaded.sight(*atoms[0], "phone"), Sight::masked);
  EXPECT_EQ(loaded.sight(*atoms[0], "number"), Sight::clear);
  EXPECT_EQ(loaded.sight(*atoms[1], "number"), Sight::clear);
  EXPECT_EQ(loaded.sight(*atoms[1], "phone"), Sight::hidden);
  EXPECT_EQ(atoms[1]->rows, Atom::Rows::where);
  EXPECT_EQ(atoms[1]->where.source, catalog::Condition::Source::today_minus_years);
  EXPECT_EQ(atoms[1]->text.zh, "离校日期 不早于 1 年前的今天");
  EXPECT_EQ(atoms[2]->effect, Effect::forbid);
  EXPECT_EQ(atoms[2]->text.en, "this person is protected");
  EXPECT_EQ(loaded.atoms("office", "pupil").size(), 2u) << "a forbid for * holds for every post";
}

TEST(Regulation, PostsAndSettings) {
  const Loaded loaded = load_files(kGood);
  const Regulation& regulation = loaded.regulation;
  ASSERT_EQ(regulation.posts.size(), 2u);
  EXPECT_EQ(regulation.post("nobody"), -1);
  EXPECT_EQ(regulation.posts[1].refusal->en, "ask at the counter");
  EXPECT_EQ(regulation.setting("graduate_years"), 1);
  EXPECT_THROW(regulation.setting("absent"), std::out_of_range);
  EXPECT_EQ(regulation.digest.size(), 64u);
}

TEST(Regulation, DigestFollowsWhatIsPermitted) {
  const std::string digest = load_files(kGood).regulation.digest;
  Files files = kGood;
  std::string& text = files["regulation/permissions.toml"];
  text.replace(text.find("\"detail\""), 8, "\"print\"");
  EXPECT_NE(load_files(files).regulation.digest, digest);
}

TEST(Regulation, TheDeliveredOneLoadsAndOpensNothingToOfficesWithoutAGrant_2_1_4) {
  const catalog::Catalogue catalogue = catalogue_of(JW_SOURCE_DIR);
  auto result = load(JW_SOURCE_DIR, catalogue);
  if (auto* problems = std::get_if<std::vector<catalog::FileProblem>>(&result)) FAIL() << printed(*problems);
  const Regulation& regulation = std::get<Regulation>(result);
  // §2.1.4: nothing until granted.
  for (const char* post : {"research_office", "logistics_office"}) {
    const int index = regulation.post(post);
    ASSERT_GE(index, 0) << post;
    for (const Atom& atom : regulation.atoms) {
      const auto& dataset = catalogue.datasets[static_cast<size_t>(atom.dataset)];
      if (atom.post != index || atom.effect != Effect::permit || !atom.reads()) continue;
      EXPECT_FALSE(dataset.has_subject) << post << " may read " << dataset.name;
    }
  }
  for (const Atom& atom : regulation.atoms) {
    EXPECT_GE(atom.post, 0);
    EXPECT_FALSE(atom.clause.empty());
    EXPECT_FALSE(atom.text.zh.empty() || atom.text.en.empty());
    EXPECT_EQ(atom.fields.size(), catalogue.datasets[static_cast<size_t>(atom.dataset)].fields.size());
  }
}

struct Bad {
  const char *file, *from, *to, *at, *zh, *en;
};
void PrintTo(const Bad& bad, std::ostream* out) {
  *out << bad.from << " -> " << bad.to;
}

class RegulationBad : public testing::TestWithParam<Bad> {};

TEST_P(RegulationBad, IsToldWithFileAndLine) {
  const Bad& bad = GetParam();
  Files files = kGood;
  std::string& text = files[bad.file];
  const size_t at = text.find(bad.from);
  ASSERT_NE(at, std::string::npos) << bad.from;
  text.replace(at, std::string(bad.from).size(), bad.to);
  const Home home(files);
  const catalog::Catalogue catalogue = catalogue_of(home.path());
  const auto loaded = load(home.path(), catalogue);
  const auto* problems = std::get_if<std::vector<catalog::FileProblem>>(&loaded);
  ASSERT_NE(problems, nullptr) << "loaded although wrong";
  bool found = false;
  for (const auto& problem : *problems) {
    found = found ||
            (problem.file + ":" + std::to_string(problem.line) == bad.at &&
             problem.text.zh.find(bad.zh) != std::string::npos && problem.text.en.find(bad.en) != std::string::npos);
  }
  EXPECT_TRUE(found) << "expected " << bad.at << " " << bad.zh << " / " << bad.en << "\ngot\n" << printed(*problems);
}

constexpr const char *kPosts = "regulation/posts.toml", *kPermissions = "regulation/permissions.toml",
                     *kSettings = "regulation/settings.toml";

const Bad kBad[] = {
    // clang-format off
    {kPosts, "from = \"pupil\"", "from = \"pupul\"",        "regulation/posts.toml:5", "是否指「pupil」", "did you mean 'pupil'"},
    {kPosts, "{ field = \"id\", is = \"me\" }, ", "",       "regulation/posts.toml:6", "人人都任此岗位", "everyone would hold"},
    {kPosts, "name = \"office\"", "name = \"pupil\"",       "regulation/posts.toml:8", "重复", "stands here twice"},
    {kPosts, "name = \"office\"", "name = \"offices\"",     "regulation/posts.toml:1", "负责岗位；是否指「offices」", "which keeps"},
    {kPosts, "clause = \"2.1.1\"", "clause = \"two\"",      "regulation/posts.toml:4", "条款号", "number of a clause"},
    {kPosts, "clause = \"2.1.1\"\n", "",                    "regulation/posts.toml:1", "缺少「clause」", "'clause' is missing"},
    {kPosts, "from = \"pupil\"", "from = \"mark\"\nunit = \"score\"", "regulation/posts.toml:6", "自身的 ref 字段", "own ref field"},
    {kPermissions, "post = \"office\"", "post = \"ofice\"", "regulation/permissions.toml:2", "是否指「office」", "did you mean 'office'"},
    {kPermissions, "rows = \"all\"\n", "",                  "regulation/permissions.toml:1", "二者择一", "either rows"},
    {kPermissions, "rows = \"self\"", "rows = \"slef\"",    "regulation/permissions.toml:9", "是否指「self」", "did you mean 'self'"},
    {kPermissions, "dataset = \"*\"\nrows = \"self\"", "dataset = [\"mark\",\n\"room\"]\nrows = \"self\"",
     "regulation/permissions.toml:9", "没有关系「self」", "is not tied by relation 'self'"},
    {kPermissions, "\"pupil_phone\"]", "\"pupil_phon\"]",   "regulation/permissions.toml:10", "是否指「pupil_phone」", "did you mean 'pupil_phone'"},
    {kPermissions, "hidden = [\"left\"]", "hidden = [\"phone\"]", "regulation/permissions.toml:11", "写了两次", "named twice"},
    {kPermissions, "hidden = [\"left\"]", "hidden = [\"*\"]\nclear = [\"*\"]", "regulation/permissions.toml:11", "只能出现在一处", "one list only"},
    {kPermissions, "\"detail\"]", "\"details\"]",           "regulation/permissions.toml:12", "query detail", "actions are"},
    {kPermissions, "actions = [\"query\", \"detail\"]", "actions = []", "regulation/permissions.toml:12", "不得为空", "must not be empty"},
    {kPermissions, "purposes = [\"study\"]", "purposes = []", "regulation/permissions.toml:13", "不得为空", "must not be empty"},
    {kPermissions, "\"graduate_years\"", "\"graduate_year\"",
     "regulation/permissions.toml:18", "是否指「graduate_years」", "did you mean 'graduate_years'"},
    {kPermissions, "field = \"left\", op", "field = \"lift\", op", "regulation/permissions.toml:18", "是否指「left」", "did you mean 'left'"},
    {kPermissions, "dataset = \"pupil\"\nwhere", "dataset = \"*\"\nwhere",
     "regulation/permissions.toml:17", "不能与 where 同用", "does not go with where"},
    {kPermissions, "text = {", "txt = {",                   "regulation/permissions.toml:26", "是否指「text」", "did you mean 'text'"},
    {kPermissions, "[[forbid]]", "[[forbids]]",             "regulation/permissions.toml:21", "是否指「forbid」", "did you mean 'forbid'"},
    {kSettings, "value = 1", "value = 6",                   "regulation/settings.toml:3", "min 与 max 之间", "between min and max"},
    {kSettings, "value = 1\n", "",                          "regulation/settings.toml:1", "缺少「value」", "'value' is missing"},
    {kSettings, "value = 1", "value = \"1\"",               "regulation/settings.toml:3", "应为整数", "must be an integer"},
    // clang-format on
};

INSTANTIATE_TEST_SUITE_P(Samples, RegulationBad, testing::ValuesIn(kBad));

TEST(Regulation, AMissingFileIsAProblemNeverAnEmptyRegulation) {
  for (const char* file : {"regulation/settings.toml", "regulation/posts.toml", "regulation/permissions.toml"}) {
    Files files = kGood;
    files.erase(file);
    const Home home(files);
    const auto loaded = load(home.path(), catalogue_of(home.path()));
    const auto* problems = std::get_if<std::vector<catalog::FileProblem>>(&loaded);
    ASSERT_NE(problems, nullptr) << file;
    EXPECT_NE(printed(*problems).find(std::string(file) + ": "), std::string::npos) << printed(*problems);
  }
}

}  // namespace
}  // namespace jw::policy
