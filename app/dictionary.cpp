#include "app/dictionary.hpp"

#include <iostream>

#include "app/commands.hpp"
#include "app/system.hpp"

namespace jw::app {

namespace {

using catalog::Field;
using catalog::Type;

std::string cell(std::string text) {
  for (size_t at = text.find('|'); at != std::string::npos; at = text.find('|', at + 2)) text.insert(at, 1, '\\');
  return text;
}

std::string type_of(const catalog::Catalogue& catalogue, const Field& field) {
  switch (field.type) {
    case Type::text:
      return "文字，至多 " + std::to_string(field.size) + " 字";
    case Type::decimal:
      return "小数，" + std::to_string(field.size) + " 位";
    case Type::code:
      return "代码 " + catalogue.code_sets[static_cast<size_t>(field.code_set)].name;
    case Type::ref:
      return "指向 " + catalogue.datasets[static_cast<size_t>(field.ref)].name;
    default:
      return std::string(catalog::type_name(field.type));
  }
}

void describe_field(std::string& out, const catalog::Catalogue& catalogue, const Field& field) {
  std::string rules;
  const auto add = [&rules](const std::string& text) { rules += (rules.empty() ? "" : "；") + text; };
  if (field.min) add("≥ " + catalog::print_value(catalogue, field, *field.min, true));
  if (field.max) add("≤ " + catalog::print_value(catalogue, field, *field.max, true));
  if (!field.pattern.empty()) add("`" + field.pattern + "`");
  if (!field.example.empty()) add("例 " + field.example);
  if (field.help) add(field.help->zh);
  constexpr const char* kLevels[] = {"", "1 公开", "2 一般", "3 敏感", "4 重要"};
  out += "| " + field.name + " | " + cell(field.label.zh) + " / " + cell(field.label.en) + " | " +
         type_of(catalogue, field) + " | " +
         (field.is_lookup() ? "引用"
          : field.required  ? "必填"
                            : "") +
         " | " + kLevels[static_cast<size_t>(field.level)] + " | " + cell(field.standard) + " | " + cell(field.header) +
         " | " + cell(rules) + " |\n";
}

}  // namespace

std::string data_dictionary(const catalog::Catalogue& catalogue) {
  std::string out = "# 数据字典 Data dictionary\n\n目录摘要 digest of the catalogue: `" + catalogue.digest + "`\n";
  for (const catalog::Dataset& dataset : catalogue.datasets) {
    out += "\n## " + dataset.label.zh + " " + dataset.label.en + " `" + dataset.name + "`\n\n";
    out += "责任单位 owner: " + dataset.owner_unit + "（" + dataset.owner_post + "）；主键 key: ";
    for (size_t i = 0; i < dataset.key.size(); ++i)
      out += (i > 0 ? ", " : "") + dataset.fields[static_cast<size_t>(dataset.key[i])].name;
    out +=
        "\n\n| 字段 | 名称 | 类型 | 要求 | 级别 | 标准 | 列名 | 规则与说明 |\n| --- | --- | --- | --- | --- | --- | "
        "--- | --- |\n";
    for (const Field& field : dataset.fields) describe_field(out, catalogue, field);
    for (const catalog::Check& check : dataset.checks)
      out += "\n- 校验 check: " + check.text.zh + " / " + check.text.en;
    if (!dataset.checks.empty()) out += "\n";
  }
  out += "\n# 代码表 Code sets\n";
  for (const catalog::CodeSet& set : catalogue.code_sets) {
    out += "\n## " + set.name + " " + set.label.zh + " / " + set.label.en +
           (set.standard.empty() ? "" : "（" + set.standard + "）") + "\n\n";
    for (const catalog::Code& code : set.codes)
      out += "- `" + code.code + "` " + code.name.zh + " / " + code.name.en + (code.ext ? "（校内扩展）" : "") + "\n";
  }
  return out;
}

int dictionary(const edge::Words& words) {
  const edge::Arguments arguments(words, {"home"}, {});
  std::cout << data_dictionary(*load_catalogue(find_home(arguments.option("home").value_or(""))));
  return 0;
}

}  // namespace jw::app
