// Files of a catalogue in a folder of their own, gone with the object; and the small catalogue of tests that need just
// some.
#pragma once

#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernel/catalog/api.hpp"

namespace jw::tests {

using catalog::Catalogue;
using catalog::FileProblem;

using Files = std::map<std::string, std::string>;

inline std::filesystem::path fresh_folder() {
  static std::atomic<int> count = 0;
  const auto folder = std::filesystem::temp_directory_path() /
                      ("jw_catalog_" + std::to_string(::getpid()) + "_" + std::to_string(count++));
  std::filesystem::create_directories(folder);
  return folder;
}

class Home {
 public:
  explicit Home(const Files& files) : path_(fresh_folder()) {
    std::filesystem::create_directories(path_ / "catalog" / "codes");
    std::filesystem::create_directories(path_ / "db" / "migrations");
    std::filesystem::create_directories(path_ / "regulation");
    for (const auto& [name, text] : files) std::ofstream(path_ / name) << text;
  }
  ~Home() { std::filesystem::remove_all(path_); }
  Home(const Home&) = delete;
  Home& operator=(const Home&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline std::string printed(const std::vector<FileProblem>& problems) {
  std::string out;
  for (const FileProblem& problem : problems) out += problem.print() + "\n";
  return out;
}

inline Catalogue loaded(const Files& files) {
  const Home home(files);
  auto result = catalog::load(home.path());
  if (auto* problems = std::get_if<std::vector<FileProblem>>(&result)) throw std::runtime_error(printed(*problems));
  return std::get<Catalogue>(std::move(result));
}

// Pupils with their marks, a term, a room that is nobody's: every type of field, a person, a subject, a lookup, codes,
// relations.
inline const Files kSmallCatalogue = {
    {"catalog/modules.toml", R"toml([[module]]
name = "people"
label = { zh = "人员", en = "People" }
)toml"},
    {"catalog/codes/ksxz.toml", R"toml(set = "KSXZ"
label = { zh = "考试性质", en = "Examination" }
[[code]]
code = "01"
name = { zh = "正常考试", en = "regular" }
[[code]]
code = "11"
name = { zh = "补考一", en = "first resit" }
)toml"},
    {"catalog/relations.toml", R"toml([[relation]]
name = "self"
of = "person"
label = { zh = "本人", en = "oneself" }
[[relation]]
name = "terms"
of = "term"
label = { zh = "本人的学期", en = "one's terms" }
from = "term"
select = "id"
where = { field = "code", op = "is_null", value = false }
everyone = true
)toml"},
    {"catalog/term.toml", R"toml(name = "term"
label = { zh = "学期", en = "Term" }
module = "people"
owner = { unit = "jwc", post = "office" }
key = ["code"]
[[field]]
name = "code"
label = { zh = "学期", en = "code" }
type = "text(20)"
required = true
level = 1
)toml"},
    {"catalog/room.toml", R"toml(name = "room"
label = { zh = "教室", en = "Room" }
module = "people"
owner = { unit = "jwc", post = "office" }
key = ["code"]
[[field]]
name = "code"
label = { zh = "教室号", en = "code" }
type = "text(20)"
required = true
level = 1
)toml"},
    {"catalog/pupil.toml", R"toml(name = "pupil"
label = { zh = "学生", en = "Pupil" }
module = "people"
owner = { unit = "jwc", post = "office" }
person = true
about = "id"
key = ["number"]
[relations]
self = "id"
[[field]]
name = "number"
label = { zh = "学号", en = "number" }
type = "text(20)"
required = true
level = 1
[[field]]
name = "phone"
label = { zh = "电话", en = "phone" }
type = "text(20)"
level = 3
mask = "phone"
[[field]]
name = "left"
label = { zh = "离校日期", en = "left" }
type = "date"
level = 2
)toml"},
    {"catalog/mark.toml", R"toml(name = "mark"
label = { zh = "成绩", en = "Mark" }
module = "people"
owner = { unit = "jwc", post = "office" }
about = "pupil"
key = ["pupil"]
[relations]
self = "pupil"
[[field]]
name = "term"
label = { zh = "学期", en = "term" }
type = "ref(term)"
level = 1
[[field]]
name = "score"
label = { zh = "成绩", en = "score" }
type = "decimal(1)"
level = 3
[[field]]
name = "kind"
label = { zh = "考试性质", en = "kind" }
type = "code(KSXZ)"
level = 1
[[field]]
name = "passed"
label = { zh = "是否通过", en = "passed" }
type = "bool"
level = 1
[[field]]
name = "released"
label = { zh = "公布日期", en = "released" }
type = "date"
level = 1
[[field]]
name = "weeks"
label = { zh = "周次", en = "weeks" }
type = "weeks"
level = 1
[[field]]
name = "name"
label = { zh = "姓名", en = "name" }
type = "text(60)"
level = 1
[[field]]
name = "count"
label = { zh = "次数", en = "count" }
type = "int"
level = 1
[[field]]
name = "limit"
label = { zh = "及格线", en = "limit" }
type = "decimal(1)"
level = 1
[[field]]
name = "entered"
label = { zh = "录入时间", en = "entered" }
type = "timestamp"
level = 1
[[field]]
name = "pupil"
label = { zh = "学号", en = "pupil" }
type = "ref(pupil)"
required = true
level = 1
[[lookup]]
name = "pupil_phone"
from = "pupil.phone"
label = { zh = "电话", en = "phone" }
)toml"},
};

}  // namespace jw::tests
