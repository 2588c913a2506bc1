// Loading: a small catalogue that is right, and the same with one thing wrong: file, line and words of each problem.
#include <gtest/gtest.h>

#include "kernel/catalog/condition.hpp"
#include "tests/support/catalogue.hpp"

namespace jw::catalog {
namespace {

using tests::Files;
using tests::Home;
using tests::loaded;
using tests::printed;

const Files kGood = {
    {"catalog/modules.toml", R"toml([[module]]
name = "people"
label = { zh = "人员", en = "People" }
icon = "user"
)toml"},
    {"catalog/codes/xb.toml", R"toml(set = "XB"
label = { zh = "性别", en = "Sex" }
standard = "GB/T 2261.1-2003"
[[code]]
code = "1"
name = { zh = "男性", en = "male" }
[[code]]
code = "2"
name = { zh = "女性", en = "female" }
[[code]]
code = "21"
name = { zh = "校内", en = "own" }
ext = true
parent = "2"
)toml"},
    {"catalog/relations.toml", R"toml([[relation]]
name = "self"
of = "person"
label = { zh = "本人", en = "oneself" }
[[relation]]
name = "advised"
of = "class"
label = { zh = "所带班级", en = "the classes one leads" }
from = "class"
select = "id"
where = { all = [ { field = "adviser", is = "me" }, { field = "until", op = "ge", today = true } ] }
)toml"},
    {"catalog/class.toml", R"toml(name = "class"
label = { zh = "班级", en = "Class" }
module = "people"
owner = { unit = "jwc", post = "office" }
key = ["code"]

[[field]]
name = "code"
label = { zh = "班级号", en = "Class code" }
type = "text(12)"
required = true
level = 1
example = "CS2301"
pattern = "[A-Z0-9]+"

[[field]]
name = "adviser"
label = { zh = "班主任", en = "Adviser" }
type = "ref(person_row)"
level = 2

[[field]]
name = "until"
label = { zh = "至", en = "Until" }
type = "date"
level = 2
min = "1990-01-01"
)toml"},
    {"catalog/person_row.toml", R"toml(name = "person_row"
label = { zh = "人", en = "Person" }
module = "people"
owner = { unit = "jwc", post = "office" }
person = true
about = "id"
key = ["number"]
order = ["-height", "name"]
show = ["number", "name"]
indexes = [["class"], ["name"]]

[relations]
self = "id"
advised = "class"

[[field]]
name = "number"
label = { zh = "编号", en = "Number" }
type = "text(20)"
required = true
level = 1

[[field]]
name = "name"
label = { zh = "姓名", en = "Name" }
type = "text(60)"
level = 3
mask = "surname"
sort = "pinyin"

[[field]]
name = "class"
label = { zh = "班级", en = "Class" }
type = "ref(class)"
level = 2

[[field]]
name = "sex"
label = { zh = "性别", en = "Sex" }
type = "code(XB)"
level = 2
example = "男性"

[[field]]
name = "height"
label = { zh = "身高", en = "Height" }
type = "decimal(1)"
level = 3
mask = "bucket(10)"
min = 30
max = 250.5
example = "172.5"

[[lookup]]
name = "class_until"
from = "class.until"
label = { zh = "班级至", en = "Class until" }

[[lookup]]
name = "adviser_name"
from = "class.adviser.name"
label = { zh = "班主任姓名", en = "Name of the adviser" }

[[check]]
must = { field = "height", op = "ge", value = 40.5 }
text = { zh = "身高过低", en = "too small" }
)toml"},
};

Catalogue load_good() {
  return loaded(kGood);
}

TEST(Load, ResolvesEverything) {
  const Catalogue catalogue = load_good();
  ASSERT_EQ(catalogue.datasets.size(), 2u);
  const Dataset& person = *catalogue.find("person_row");
  EXPECT_EQ(catalogue.find("person"), nullptr);
  EXPECT_TRUE(person.person);
  EXPECT_TRUE(person.has_subject);
  EXPECT_TRUE(person.about.empty());
  EXPECT_EQ(person.key, std::vector<int>{0});
  ASSERT_EQ(person.order.size(), 2u);
  EXPECT_EQ(person.order[0].field, person.field("height"));
  EXPECT_TRUE(person.order[0].descending);
  const Field& height = person.fields[static_cast<size_t>(person.field("height"))];
  EXPECT_EQ(height.min, 300);
  EXPECT_EQ(height.max, 2505);
  EXPECT_EQ(height.mask, (Mask{Mask::Kind::bucket, 100}));
  const Field& adviser = person.fields[static_cast<size_t>(person.field("adviser_name"))];
  EXPECT_EQ(adviser.path, (std::vector<int>{person.field("class"), catalogue.find("class")->field("adviser")}));
  EXPECT_EQ(adviser.target, person.field("name"));
  EXPECT_EQ(adviser.level, Level::sensitive);
  EXPECT_EQ(adviser.mask.kind, Mask::Kind::surname);
  EXPECT_TRUE(adviser.pinyin);
  const int advised = catalogue.relation("advised");
  ASSERT_NE(person.binding(advised), nullptr);
  EXPECT_EQ(person.binding(advised)->path, std::vector<int>{person.field("class")});
  EXPECT_EQ(catalogue.relations[static_cast<size_t>(advised)].select, Condition::kRowId);
  EXPECT_EQ(leaf_count(catalogue.relations[static_cast<size_t>(advised)].where), 2u);
  ASSERT_EQ(person.checks.size(), 1u);
  EXPECT_EQ(std::get<int64_t>(person.checks[0].must.values[0]), 405);
  EXPECT_EQ(catalogue.find("class")->order.size(), 1u);
  EXPECT_EQ(catalogue.find("class")->show.size(), 3u);
  EXPECT_EQ(catalogue.digest.size(), 64u);
}

TEST(Load, DigestFollowsMeaningNotWording) {
  const std::string digest = load_good().digest;
  const auto changed = [](const char* file, const char* from, const char* to) {
    Files files = kGood;
    std::string& text = files[file];
    text.replace(text.find(from), std::string(from).size(), to);
    const Home home(files);
    return std::get<Catalogue>(load(home.path())).digest;
  };
  EXPECT_EQ(changed("catalog/class.toml", "班级号", "班号"), digest);
  EXPECT_NE(changed("catalog/class.toml", "text(12)", "text(13)"), digest);
  EXPECT_NE(changed("catalog/person_row.toml", "value = 40.5", "value = 40"), digest);
  EXPECT_NE(changed("catalog/relations.toml", "op = \"ge\"", "op = \"gt\""), digest);
}

// One thing wrong: in `file` the text `from` becomes `to`; expected "file:line" and a part of the message in each
// language.
struct Bad {
  const char *file, *from, *to, *at, *zh, *en;
};

void PrintTo(const Bad& bad, std::ostream* out) {
  *out << bad.from << " -> " << bad.to;
}

class LoadBad : public testing::TestWithParam<Bad> {};

TEST_P(LoadBad, IsToldWithFileAndLine) {
  const Bad& bad = GetParam();
  Files files = kGood;
  std::string& text = files[bad.file];
  const size_t at = text.find(bad.from);
  ASSERT_NE(at, std::string::npos) << bad.from;
  text.replace(at, std::string(bad.from).size(), bad.to);
  const Home home(files);
  const auto result = load(home.path());
  const auto* problems = std::get_if<std::vector<FileProblem>>(&result);
  ASSERT_NE(problems, nullptr) << "loaded although wrong";
  bool found = false;
  for (const FileProblem& problem : *problems) {
    found = found ||
            (problem.file + ":" + std::to_string(problem.line) == bad.at &&
             problem.text.zh.find(bad.zh) != std::string::npos && problem.text.en.find(bad.en) != std::string::npos);
  }
  EXPECT_TRUE(found) << "expected " << bad.at << " " << bad.zh << " / " << bad.en << "\ngot\n" << printed(*problems);
}

constexpr const char *kClass = "catalog/class.toml", *kPerson = "catalog/person_row.toml",
                     *kRelations = "catalog/relations.toml", *kXb = "catalog/codes/xb.toml",
                     *kModules = "catalog/modules.toml";

const Bad kBad[] = {
    // clang-format off
    {kClass, "module =", "modul =",                        "catalog/class.toml:3", "「module」", "did you mean 'module'"},
    {kClass, "module = \"people\"", "",                    "catalog/class.toml:1", "缺少「module」", "'module' is missing"},
    {kClass, "module = \"people\"", "module = 3",          "catalog/class.toml:3", "应为文本，现为整数", "must be text, not an integer"},
    {kClass, "\"people\"", "\"peopel\"",                   "catalog/class.toml:3", "是否指「people」", "did you mean 'people'"},
    {kClass, "name = \"class\"", "name = \"klass\"",       "catalog/class.toml:1", "应与文件名相同", "must be that of the file: 'class'"},
    {kClass, ", en = \"Class\" }", "}",                      "catalog/class.toml:2", "缺少「en」", "'en' is missing"},
    {kClass, "owner = {", "owner = 3 #",                   "catalog/class.toml:4", "owner", "who keeps it"},
    {kClass, "key = [\"code\"]", "",                       "catalog/class.toml:1", "缺少「key」", "'key' is missing"},
    {kClass, "key = [\"code\"]", "key = [\"cod\"]",        "catalog/class.toml:5", "是否指「code」", "did you mean 'code'"},
    {kClass, "key = [\"code\"]", "key = [\"code\", \"until\"]", "catalog/class.toml:5", "须 required = true", "needs required = true"},
    {kClass, "key = [\"code\"]", "key = [\"code\", \"code\"]", "catalog/class.toml:5", "重复", "stands twice in the key"},
    {kPerson, "key = [\"number\"]", "key = [\"height\"]",  "catalog/person_row.toml:7", "decimal 不能用于 key", "of type decimal"},
    {kClass, "type = \"text(12)\"", "type = \"int\"",      "catalog/class.toml:5", "只能是一个 text 字段", "exactly one text field"},
    {kClass, "type = \"text(12)\"", "type = \"text(0)\"",  "catalog/class.toml:10", "1 至 20000", "must be 1 to 20000"},
    {kClass, "type = \"text(12)\"", "type = \"txt(12)\"",  "catalog/class.toml:10", "没有类型", "there is no type"},
    {kClass, "ref(person_row)", "ref(person_rov)",         "catalog/class.toml:19", "是否指「person_row」", "did you mean 'person_row'"},
    {kPerson, "code(XB)", "code(XC)",                      "catalog/person_row.toml:40", "没有代码集", "has no code set 'XC'"},
    {kPerson, "level = 3\nmask = \"surname\"", "mask = \"surname\"", "catalog/person_row.toml:23", "缺少「level」", "'level' is missing"},
    {kPerson, "level = 3\nmask = \"surname\"", "level = 5\nmask = \"surname\"", "catalog/person_row.toml:27", "level 应为", "level must be 1"},
    {kPerson, "mask = \"surname\"", "mask = \"bucket(10)\"", "catalog/person_row.toml:28", "surname", "masks of this type"},
    {kPerson, "mask = \"bucket(10)\"", "mask = \"bucket(0)\"", "catalog/person_row.toml:49", "bucket(n)", "masks of this type"},
    {kPerson, "mask = \"surname\"", "mask = \"keep_last\"", "catalog/person_row.toml:28", "keep_last(n)", "masks of this type"},
    {kPerson, "max = 250.5", "max = 250.55",               "catalog/person_row.toml:51", "最多 1 位小数", "at most 1 decimal"},
    {kPerson, "max = 250.5", "max = 20",                   "catalog/person_row.toml:51", "max 小于 min", "less than min"},
    {kClass, "min = \"1990-01-01\"", "weekday = 8",         "catalog/class.toml:27", "1（星期一）到 7", "1 (Monday) to 7"},
    {kClass, "pattern = \"[A-Z0-9]+\"", "weekday = 1",       "catalog/class.toml:14", "只用于 date 字段", "fields of type date"},
    {kClass, "1990-01-01", "1990-02-30",                   "catalog/class.toml:27", "真实存在的日期", "real date"},
    {kClass, "example = \"CS2301\"", "example = \"cs\"",   "catalog/class.toml:13", "示例不合规则", "example breaks the rules"},
    {kClass, "[A-Z0-9]+", "[A-Z0-9",                       "catalog/class.toml:14", "正则表达式", "regular expression"},
    {kClass, "name = \"until\"", "name = \"since_us\"",    "catalog/class.toml:23", "为系统保留", "is reserved"},
    {kClass, "name = \"until\"", "name = \"Until\"",       "catalog/class.toml:23", "小写字母", "lower-case letters"},
    {kClass, "name = \"until\"", "name = \"a\\\"; drop\"", "catalog/class.toml:23", "小写字母", "lower-case letters"},
    {kClass, "name = \"until\"", "name = \"code\"",        "catalog/class.toml:23", "重复", "stands here twice"},
    {kClass, "name = \"until\"", "name = \"name_sort\"",   "catalog/class.toml:23", "为系统保留", "is reserved"},
    {kPerson, "from = \"class.until\"", "from = \"class.untl\"", "catalog/person_row.toml:56", "是否指「until」", "did you mean 'until'"},
    {kPerson, "from = \"class.until\"", "from = \"number\"", "catalog/person_row.toml:56", "ref 字段加被借字段", "a ref and then the field"},
    {kPerson, "from = \"class.until\"", "from = \"number.until\"", "catalog/person_row.toml:56", "不是 ref", "is not a ref"},
    {kPerson, "from = \"class.adviser.name\"", "from = \"class.adviser.name\"\nlevel = 2",
     "catalog/person_row.toml:62", "不得低于来源", "never of a lower level"},
    {kPerson, "from = \"class.adviser.name\"", "from = \"class.adviser.name\"\nmask = \"keep_first(2)\"",
     "catalog/person_row.toml:62", "不得弱于来源", "never masked less"},
    {kPerson, "from = \"class.adviser.name\"", "from = \"class.adviser.name\"\nmask = \"keep_last(1)\"",
     "catalog/person_row.toml:62", "不得弱于来源", "never masked less"},
    {kPerson, "about = \"id\"", "",                        "catalog/person_row.toml:1", "about = \"id\"", "needs about"},
    {kPerson, "about = \"id\"", "about = \"class\"",       "catalog/person_row.toml:6", "about = \"id\"", "needs about"},
    {kPerson, "about = \"id\"", "about = \"id\"\ngroup = \"sex\"", "catalog/person_row.toml:7", "自身的 ref 字段", "own ref field"},
    {kClass, "key = [\"code\"]", "key = [\"code\"]\ngroup = \"adviser\"", "catalog/class.toml:6", "group 用于人员", "belongs to a dataset of persons"},
    {kClass, "key = [\"code\"]", "key = [\"code\"]\nabout = \"id\"", "catalog/class.toml:6", "指向人员", "must lead to persons"},
    {kPerson, "order = [\"-height\"", "order = [\"-hight\"", "catalog/person_row.toml:8", "是否指「height」", "did you mean 'height'"},
    {kPerson, "indexes = [[\"class\"], [\"name\"]]", "indexes = [\"class\"]", "catalog/person_row.toml:10", "列表的列表", "list of lists"},
    {kPerson, "indexes = [[\"class\"]", "indexes = [[\"class_until\"]", "catalog/person_row.toml:10", "借用字段", "is borrowed"},
    {kPerson, "advised = \"class\"", "advice = \"class\"", "catalog/person_row.toml:14", "没有关系「advice」", "has no relation 'advice'"},
    {kPerson, "advised = \"class\"", "advised = \"id\"",   "catalog/person_row.toml:14", "应到「class」", "must end at 'class'"},
    {kPerson, "self = \"id\"", "self = \"class\"",         "catalog/person_row.toml:13", "应到「person = true」", "must end at"},
    {kPerson, "field = \"height\", op = \"ge\"", "field = \"hight\", op = \"ge\"",
     "catalog/person_row.toml:65", "是否指「height」", "did you mean 'height'"},
    {kPerson, "op = \"ge\", value = 40.5", "op = \"contains\", value = 40.5", "catalog/person_row.toml:65", "可用的运算", "operators of this field"},
    {kPerson, "op = \"ge\", value = 40.5", "op = \"ge\", value = 40.55", "catalog/person_row.toml:65", "最多 1 位小数", "at most 1 decimal"},
    {kRelations, "from = \"class\"", "from = \"clas\"",    "catalog/relations.toml:9", "没有数据集", "there is no dataset 'clas'"},
    {kRelations, "of = \"class\"", "of = \"person\"",      "catalog/relations.toml:7", "只用于内建关系", "built-in relation 'self' alone"},
    {kRelations, "of = \"person\"", "of = \"class\"",      "catalog/relations.toml:3", "只用于内建关系", "built-in relation 'self' alone"},
    {kRelations, "select = \"id\"", "select = \"adviser\"", "catalog/relations.toml:10", "ref(class)", "ref(class)"},
    {kRelations, "is = \"me\"", "is = \"you\"",            "catalog/relations.toml:11", "只能是 \"me\"", "can only be \"me\""},
    {kRelations, "field = \"adviser\"", "field = \"code\"", "catalog/relations.toml:11", "指向人员的 ref", "ref to a dataset of persons"},
    {kRelations, "field = \"until\"", "field = \"code\"",  "catalog/relations.toml:11", "须用日期字段", "only a date"},
    {kRelations, "today = true", "toady = true",           "catalog/relations.toml:11", "不认识「toady」", "unknown key 'toady'"},
    {kRelations, "{ field = \"adviser\", is = \"me\" }", "{ field = \"id\", in_relation = \"advised\" }",
     "catalog/relations.toml:11", "成环", "in a circle"},
    {kRelations, "{ field = \"adviser\", is = \"me\" }", "{ field = \"adviser\", in_relation = \"advised\" }",
     "catalog/relations.toml:11", "不指向它", "does not point to"},
    {kRelations, "{ field = \"adviser\", is = \"me\" }, ", "", "catalog/relations.toml:11", "与提问者无关", "depend on who asks"},
    {kXb, "code = \"2\"", "code = \"1\"",                  "catalog/codes/xb.toml:8", "重复", "stands here twice"},
    {kXb, "parent = \"2\"", "parent = \"3\"",              "catalog/codes/xb.toml:14", "不是本代码集的国家代码", "not a national code"},
    {kXb, "ext = true\n", "",                              "catalog/codes/xb.toml:13", "才有 parent", "has a parent"},
    {kXb, "code = \"1\"", "code = 1",                      "catalog/codes/xb.toml:5", "应为文本", "must be text"},
    {kModules, "[[module]]", "[module]",                   "catalog/modules.toml:1", "[[module]]", "[[module]]"},
    {kModules, "name = \"people\"", "名 = \"people\"",     "catalog/modules.toml:2", "全角字符", "only ASCII"},
    {kModules, "icon =", "# 注\nlong = \"\"\"\n中\"文\"\"\"\"\nother = '国'\nŎ =", "catalog/modules.toml:8", "全角字符", "only ASCII"},
    {kModules, "icon =", "icon",                           "catalog/modules.toml:4", "不是正确的 TOML", "not TOML"},
    // clang-format on
};

INSTANTIATE_TEST_SUITE_P(Samples, LoadBad, testing::ValuesIn(kBad));

TEST(Load, RefusesNamesOfTheSystemAndOfTheStores) {
  for (const char* name : {"account", "case", "dataset_schema", "class_history", "sqlite_class", "pg_class"}) {
    Files files = kGood;
    files["db/migrations/0001_kernel_core.sql"] =
        "-- tables\nCREATE TABLE account (id INTEGER PRIMARY KEY);\nCREATE TABLE \"case\" (id BIGINT);";
    std::string text = files["catalog/class.toml"];
    text.replace(text.find("\"class\""), 7, std::string("\"") + name + "\"");
    files[std::string("catalog/") + name + ".toml"] = text;
    const Home home(files);
    const auto result = load(home.path());
    const auto* problems = std::get_if<std::vector<FileProblem>>(&result);
    ASSERT_NE(problems, nullptr) << name;
    EXPECT_NE(printed(*problems).find(std::string("catalog/") + name + ".toml:1: "), std::string::npos)
        << printed(*problems);
  }
}

// toml++ would stop the process on this header.
TEST(Load, AMalformedHeaderIsAProblemLikeAnyOther) {
  Files files = kGood;
  files["catalog/class.toml"] += "\n[.[x]]\n";
  const Home home(files);
  const auto result = load(home.path());
  const auto* problems = std::get_if<std::vector<FileProblem>>(&result);
  ASSERT_NE(problems, nullptr);
  EXPECT_EQ(problems->front().file, "catalog/class.toml");
  EXPECT_NE(problems->front().text.en.find("not TOML"), std::string::npos);
}

TEST(Load, TellsAllProblemsOfAllFilesAtOnceInOrder) {
  Files files = kGood;
  files["catalog/class.toml"].replace(files["catalog/class.toml"].find("module"), 6, "mod");
  files["catalog/person_row.toml"].replace(files["catalog/person_row.toml"].find("text(60)"), 8, "blob");
  const Home home(files);
  const auto result = load(home.path());
  const auto& problems = std::get<std::vector<FileProblem>>(result);
  ASSERT_GE(problems.size(), 3u);
  EXPECT_EQ(problems.front().file, "catalog/class.toml");
  EXPECT_EQ(problems.back().file, "catalog/person_row.toml");
  for (const FileProblem& problem : problems) {
    EXPECT_FALSE(problem.text.zh.empty());
    EXPECT_FALSE(problem.text.en.empty());
    EXPECT_GT(problem.line, 0);
  }
}

TEST(Load, AnEmptyFolderIsAProblemNotAnEmptyCatalogue) {
  const Home home(Files{});
  EXPECT_TRUE(std::holds_alternative<std::vector<FileProblem>>(load(home.path())));
  EXPECT_TRUE(std::holds_alternative<std::vector<FileProblem>>(load(home.path() / "absent")));
}

}  // namespace
}  // namespace jw::catalog
