// jiaowu permissions: the default permissions as a table that the head of 教务处 can read and sign (a golden file in
// tests).
#include <iostream>
#include <map>

#include "app/commands.hpp"
#include "app/permissions.hpp"
#include "app/system.hpp"

namespace jw::app {

namespace {

using policy::Atom;
using policy::Sight;

std::string rows_of(const catalog::Catalogue& catalogue, const Atom& atom) {
  switch (atom.rows) {
    case Atom::Rows::all:
      return "全部";
    case Atom::Rows::relation:
      return catalogue.relations[static_cast<size_t>(atom.relation)].label.zh;
    case Atom::Rows::where:
      return atom.reads() ? "按条件" : atom.text.zh;  // short enough to be read out
  }
  return {};
}

// Of a row to write: the fields that it opens are those in clear, and lookups are nobody's to write.
std::string written_of(const catalog::Dataset& dataset, const Atom& atom) {
  std::string closed;
  for (size_t i = 0; i < atom.fields.size(); ++i) {
    if (atom.fields[i] != Sight::clear && !dataset.fields[i].is_lookup()) closed += " " + dataset.fields[i].name;
  }
  return closed.empty() ? "全部字段" : "除以下外：" + closed.substr(1);
}

std::string fields_of(const catalog::Dataset& dataset, const Atom& atom) {
  if (!atom.reads()) return written_of(dataset, atom);
  std::map<Sight, std::string> names;
  for (size_t i = 0; i < atom.fields.size(); ++i) {
    std::string& list = names[atom.fields[i]];
    list += (list.empty() ? "" : " ") + dataset.fields[i].name;
  }
  std::string out = names.contains(Sight::masked) || names.contains(Sight::hidden) ? "其余明文" : "全部明文";
  if (!names.contains(Sight::clear)) out = "无明文";
  if (const auto masked = names.find(Sight::masked); masked != names.end()) out += "；掩码：" + masked->second;
  if (const auto hidden = names.find(Sight::hidden); hidden != names.end()) out += "；不可见：" + hidden->second;
  return out;
}

std::string actions_of(const Atom& atom) {
  std::string out;
  for (int i = 0; i < policy::kActions; ++i) {
    if ((atom.actions >> i & 1) != 0)
      out += (out.empty() ? "" : " ") + std::string(policy::action_name(static_cast<policy::Action>(i)));
  }
  return out;
}

}  // namespace

std::string permission_table(const catalog::Catalogue& catalogue, const policy::Regulation& regulation) {
  std::string out = "| 岗位 | 数据 | 行 | 字段 | 操作 | 依据 |\n| --- | --- | --- | --- | --- | --- |\n";
  for (size_t p = 0; p < regulation.posts.size(); ++p) {
    const policy::Post& post = regulation.posts[p];
    bool any = false;
    for (const Atom& atom : regulation.atoms) {
      if (atom.post != static_cast<int>(p)) continue;
      any = true;
      const catalog::Dataset& dataset = catalogue.datasets[static_cast<size_t>(atom.dataset)];
      out += "| " + post.label.zh + " " + post.name + " | " + dataset.label.zh + " " + dataset.name + " | " +
             (atom.effect == policy::Effect::forbid ? "禁止：" : "") + rows_of(catalogue, atom) + " | " +
             fields_of(dataset, atom) + " | " + actions_of(atom) + " | §" + atom.clause + " |\n";
    }
    if (!any) out += "| " + post.label.zh + " " + post.name + " | 无 | | | | §" + post.clause + " |\n";
  }
  return out;
}

int permissions(const edge::Words& words) {
  const edge::Arguments arguments(words, {"home"}, {});
  const auto home = find_home(arguments.option("home").value_or(""));
  const auto catalogue = load_catalogue(home);
  auto regulation = policy::load(home, *catalogue);
  if (const auto* problems = std::get_if<std::vector<catalog::FileProblem>>(&regulation)) {
    for (const catalog::FileProblem& problem : *problems) std::cerr << problem.print() << "\n";
    return 1;
  }
  std::cout << permission_table(*catalogue, std::get<policy::Regulation>(regulation));
  return 0;
}

}  // namespace jw::app
