// A dataset is one new file in catalog/ and one row in regulation/permissions.toml, nothing else (design §3).
#include "app/dictionary.hpp"
#include "app/permissions.hpp"
#include "app/description.hpp"
#include "tests/engine/campus.hpp"

namespace jw::tests {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kClub = R"toml(
name   = "club_member"
label  = { zh = "社团成员", en = "Club member" }
module = "students"
owner  = { unit = "xsc", post = "student_office" }
about  = "student"
key    = ["student", "club"]
order  = ["club"]
show   = ["student", "club"]

[relations]
self = "student"

[[field]]
name     = "student"
label    = { zh = "学号", en = "Student number" }
type     = "ref(student)"
required = true
level    = 2
example  = "2023010001"

[[field]]
name     = "club"
label    = { zh = "社团", en = "Club" }
type     = "text(40)"
required = true
level    = 2
example  = "围棋社"
)toml";

constexpr std::string_view kPermit = R"toml(
[[permit]]
post    = "student"
dataset = "club_member"
rows    = "self"
clause  = "2.3.1"
)toml";

TEST(NewDataset, one_file_and_one_row_are_enough) {
  const fs::path home = fs::temp_directory_path() / ("jiaowu_home_" + std::to_string(::getpid()));
  fs::create_directories(home);
  for (const char* folder : {"app", "catalog", "regulation", "modules", "db"})
    fs::copy(fs::path(JW_SOURCE_DIR) / folder, home / folder, fs::copy_options::recursive);
  std::ofstream(home / "catalog" / "club_member.toml") << kClub;
  std::ofstream(home / "regulation" / "permissions.toml", std::ios::app) << kPermit;
  {
    Campus campus(db::Dialect::sqlite, home.string());
    campus.put("unit", {{{"code", "cs"}, {"name", "计算机学院"}}});
    campus.put("student", {{{"number", "202400001"}, {"name", "张三"}, {"unit", "cs"}, {"state", "01"}},
                           {{"number", "202400002"}, {"name", "李四"}, {"unit", "cs"}, {"state", "01"}}});
    campus.put("club_member",
               {{{"student", "202400001"}, {"club", "围棋社"}}, {{"student", "202400002"}, {"club", "合唱团"}}});
    const auto zhang = campus.sign_in("zhang", "student", "202400001");
    EXPECT_EQ(campus.rows(zhang, R"({"dataset":"club_member"})"), R"([["202400001","围棋社"]])");
    EXPECT_NE(campus.system().engine->modules_json(zhang).find("club_member"), std::string::npos);
    const auto described = campus.system().engine->dataset_json(zhang, "club_member");
    ASSERT_TRUE(described);
    EXPECT_NE(described->find("围棋社"), std::string::npos);
    EXPECT_NE(app::data_dictionary(*campus.system().catalogue).find("`club_member`"), std::string::npos);
    EXPECT_NE(app::description(home, *campus.system().catalogue, true).find("\"club_member\""), std::string::npos);
    EXPECT_NE(app::permission_table(*campus.system().catalogue, campus.system().regulation).find("club_member"),
              std::string::npos);
  }
  fs::remove_all(home);
}

// docs/permissions.md is what the head of 教务处 reads; it changes only together with the regulation.
TEST(Permissions, the_table_of_default_permissions_is_the_one_published) {
  const auto catalogue = app::load_catalogue(JW_SOURCE_DIR);
  const auto regulation = policy::load(JW_SOURCE_DIR, *catalogue);
  const std::string table = app::permission_table(*catalogue, std::get<policy::Regulation>(regulation));
  std::ifstream in(fs::path(JW_SOURCE_DIR) / "docs" / "permissions.md");
  const std::string published((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  EXPECT_TRUE(published.ends_with(table))
      << "run: jiaowu permissions, and read the difference before publishing it in docs/permissions.md";
}

}  // namespace
}  // namespace jw::tests
