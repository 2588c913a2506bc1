// One dataset with a field of every type, for the targets that read questions.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>
#include <variant>
#include <vector>

#include "kernel/catalog/source.hpp"

namespace jw::fuzz {

inline catalog::Catalogue pupils() {
  std::string fields;
  int number = 0;
  for (const char* type :
       {"text(20)", "int", "decimal(1)", "date", "timestamp", "bool", "weeks", "code(XB)", "ref(pupil)"}) {
    fields += "[[field]]\nname = \"f" + std::to_string(number++) +
              "\"\nlabel = { zh = \"字\", en = \"F\" }\ntype = \"" + type + "\"\nlevel = 1\n";
  }
  const catalog::SourceFiles files = {
      {"catalog/modules.toml", "[[module]]\nname = \"m\"\nlabel = { zh = \"块\", en = \"M\" }\n"},
      {"catalog/codes/xb.toml",
       "set = \"XB\"\nlabel = { zh = \"性别\", en = \"Sex\" }\n[[code]]\ncode = \"1\"\nname = { zh = \"男\", en = "
       "\"male\" }\n"},
      {"catalog/relations.toml",
       "[[relation]]\nname = \"self\"\nof = \"person\"\nlabel = { zh = \"本人\", en = \"self\" }\n"},
      {"catalog/pupil.toml",
       "name = \"pupil\"\nlabel = { zh = \"学生\", en = \"Pupil\" }\nmodule = \"m\"\nowner = { unit = \"u\", post = "
       "\"p\" }\nperson = true\nabout = \"id\"\nkey = [\"number\"]\n[relations]\nself = \"id\"\n[[field]]\nname = "
       "\"number\"\nlabel = { zh = \"学号\", en = \"No\" }\ntype = \"text(20)\"\nrequired = true\nlevel = 1\n" +
           fields},
  };
  auto loaded = catalog::load_files(files);
  if (auto* problems = std::get_if<std::vector<catalog::FileProblem>>(&loaded)) {
    for (const catalog::FileProblem& problem : *problems) std::fprintf(stderr, "%s\n", problem.print().c_str());
    std::abort();
  }
  return std::get<catalog::Catalogue>(std::move(loaded));
}

}  // namespace jw::fuzz
