// The catalogue's loader on any bytes: the delivered catalogue with one file replaced. It either loads, and then
// everything in it is resolved, or it tells problems with file and words; it never fails otherwise.
#include <cstdlib>
#include <string>

#include "kernel/catalog/schema.hpp"
#include "kernel/catalog/source.hpp"

namespace {

using namespace jw::catalog;

const SourceFiles kAround = {
    {"catalog/modules.toml", "[[module]]\nname = \"m\"\nlabel = { zh = \"块\", en = \"M\" }\n"},
    {"catalog/codes/xb.toml",
     "set = \"XB\"\nlabel = { zh = \"性别\", en = \"Sex\" }\n[[code]]\ncode = \"1\"\nname = { zh = \"男\", en = "
     "\"male\" }\n"},
    {"catalog/relations.toml",
     "[[relation]]\nname = \"self\"\nof = \"person\"\nlabel = { zh = \"本人\", en = \"self\" }\n"
     "[[relation]]\nname = \"mine\"\nof = \"pupil\"\nlabel = { zh = \"我\", en = \"mine\" }\nfrom = \"pupil\"\nselect "
     "= \"id\"\n"
     "where = { field = \"id\", is = \"me\" }\n"},
    {"catalog/pupil.toml",
     "name = \"pupil\"\nlabel = { zh = \"学生\", en = \"Pupil\" }\nmodule = \"m\"\nowner = { unit = \"u\", post = "
     "\"p\" }\nperson = true\n"
     "about = \"id\"\nkey = [\"number\"]\n[relations]\nself = \"id\"\n[[field]]\nname = \"number\"\nlabel = { zh = "
     "\"学号\", en = \"No\" }\n"
     "type = \"text(20)\"\nrequired = true\nlevel = 1\n"},
};

void require(bool holds) {
  if (!holds) std::abort();
}

void resolved(const Catalogue& catalogue) {
  for (const Dataset& dataset : catalogue.datasets) {
    const int fields = static_cast<int>(dataset.fields.size());
    require(!dataset.key.empty());
    for (const int key : dataset.key)
      require(key >= 0 && key < fields && !dataset.fields[static_cast<size_t>(key)].is_lookup());
    for (const int shown : dataset.show) require(shown >= 0 && shown < fields);
    for (const Field& field : dataset.fields) {
      require(is_plain_name(field.name) && !field.label.zh.empty() && !field.label.en.empty());
      require((field.type == Type::ref) == (field.ref >= 0) && (field.type == Type::code) == (field.code_set >= 0));
    }
    for (const auto dialect : {jw::db::Dialect::sqlite, jw::db::Dialect::postgres})
      create_statements(catalogue, dataset, dialect);
    for (const Check& check : dataset.checks) describe_condition(catalogue, dataset, check.must);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  // The first byte says which file the rest stands for.
  constexpr const char* kReplaced[] = {"catalog/fuzzed.toml", "catalog/pupil.toml", "catalog/relations.toml",
                                       "catalog/modules.toml", "catalog/codes/xb.toml"};
  SourceFiles files = kAround;
  files[kReplaced[data[0] % 5]] = std::string(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto result = load_files(files);
  if (const auto* catalogue = std::get_if<Catalogue>(&result)) {
    resolved(*catalogue);
  } else {
    const auto& problems = std::get<std::vector<FileProblem>>(result);
    require(!problems.empty());
    for (const FileProblem& problem : problems)
      require(!problem.file.empty() && !problem.text.zh.empty() && !problem.text.en.empty());
  }
  return 0;
}
