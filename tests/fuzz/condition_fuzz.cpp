// Conditions of the query language on any bytes: refused with places and words, or understood; what is understood,
// printed and read again is the same condition.
#include <cstdio>
#include <cstdlib>
#include <string>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "kernel/catalog/condition.hpp"
#include "kernel/catalog/source.hpp"

namespace {

using namespace jw::catalog;

const Catalogue& catalogue() {
  static const Catalogue made = [] {
    std::string fields;
    int number = 0;
    for (const char* type :
         {"text(20)", "int", "decimal(1)", "date", "timestamp", "bool", "weeks", "code(XB)", "ref(pupil)"}) {
      fields += "[[field]]\nname = \"f" + std::to_string(number++) +
                "\"\nlabel = { zh = \"字\", en = \"F\" }\ntype = \"" + type + "\"\nlevel = 1\n";
    }
    SourceFiles files = {
        {"catalog/modules.toml", "[[module]]\nname = \"m\"\nlabel = { zh = \"块\", en = \"M\" }\n"},
        {"catalog/codes/xb.toml",
         "set = \"XB\"\nlabel = { zh = \"性别\", en = \"Sex\" }\n[[code]]\ncode = \"1\"\nname = { zh = \"男\", en = "
         "\"male\" }\n"},
        {"catalog/relations.toml",
         "[[relation]]\nname = \"self\"\nof = \"person\"\nlabel = { zh = \"本人\", en = \"self\" }\n"},
        {"catalog/pupil.toml",
         "name = \"pupil\"\nlabel = { zh = \"学生\", en = \"Pupil\" }\nmodule = \"m\"\nowner = { unit = \"u\", post = "
         "\"p\" }\nperson = true\n"
         "about = \"id\"\nkey = [\"number\"]\n[relations]\nself = \"id\"\n[[field]]\nname = \"number\"\nlabel = { zh = "
         "\"学号\", en = \"No\" }\n"
         "type = \"text(20)\"\nrequired = true\nlevel = 1\n" +
             fields},
    };
    auto result = load_files(files);
    if (auto* problems = std::get_if<std::vector<FileProblem>>(&result)) {
      for (const FileProblem& problem : *problems) std::fprintf(stderr, "%s\n", problem.print().c_str());
      std::abort();
    }
    return std::get<Catalogue>(std::move(result));
  }();
  return made;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  boost::json::error_code error;
  const boost::json::value json = boost::json::parse({reinterpret_cast<const char*>(data) + 1, size - 1}, error);
  if (error) return 0;
  const Dataset& dataset = catalogue().datasets.front();
  const auto use = static_cast<ConditionUse>(data[0] % 3);
  const auto condition = parse_condition(catalogue(), dataset, json, use, "where");
  if (!condition) {
    if (condition.refusal().fields.empty()) std::abort();
    for (const auto& problem : condition.refusal().fields) {
      if (!problem.field.starts_with("where") || problem.text.zh.empty() || problem.text.en.empty()) std::abort();
    }
    return 0;
  }
  const jw::Text words = describe_condition(catalogue(), dataset, *condition);
  if (words.zh.empty() || words.en.empty()) std::abort();
  const auto again = parse_condition(
      catalogue(), dataset,
      boost::json::parse(boost::json::serialize(print_condition(catalogue(), dataset, *condition))), use, "where");
  if (!again || !(*again == *condition)) std::abort();
  return 0;
}
