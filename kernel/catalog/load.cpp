#include <algorithm>

#include "kernel/catalog/loading.hpp"

namespace jw::catalog {
namespace {

// The files of one folder of the catalogue, of the school's own and of every module, by stem: "catalog/x.toml",
// "modules/NAME/catalog/x.toml".
std::vector<std::pair<std::string, std::string>> files_in(const SourceFiles& files, const std::string& folder) {
  std::vector<std::pair<std::string, std::string>> found;
  for (const auto& [shown, text] : files) {
    const size_t slash = shown.rfind('/');
    if (slash == std::string::npos) continue;
    const std::string_view in = std::string_view(shown).substr(0, slash);
    const bool of_module = in.starts_with("modules/") && in.ends_with("/" + folder) &&
                           std::count(in.begin(), in.end(), '/') == 2 + std::count(folder.begin(), folder.end(), '/');
    if (in == folder || of_module)
      found.emplace_back(shown.substr(slash + 1, shown.size() - slash - 1 - std::string_view(".toml").size()), shown);
  }
  std::sort(found.begin(), found.end());
  return found;
}

bool is_code(std::string_view code) {
  if (code.empty() || code.size() > 40) return false;
  return std::all_of(code.begin(), code.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '.' || c == '-' ||
           c == '_';
  });
}

std::string date_if_any(const Table& table, std::string_view key) {
  std::string date = table.text_if_any(key);
  if (!date.empty() && !Date::parse(date)) {
    table.problem(key, bilingual("「{}」应为日期，如 2025-09-01", "'{}' must be a date such as 2025-09-01", {key}));
  }
  return date;
}

void load_codes(const Table& file, Problems& problems, CodeSet& set) {
  for (const Node* node : file.tables("code")) {
    const Table table(*node, file.file(), problems, {"code", "name", "ext", "parent", "valid_from", "valid_to"});
    Code code;
    code.code = table.text("code");
    code.name = table.label("name");
    code.ext = table.boolean("ext", false);
    code.parent = table.text_if_any("parent");
    code.valid_from = date_if_any(table, "valid_from");
    code.valid_until = date_if_any(table, "valid_to");
    if (!code.code.empty() && !is_code(code.code)) {
      table.problem("code", bilingual("代码应为 1 至 40 个字母、数字、点、横线、下划线",
                                      "a code is 1 to 40 letters, digits, dots, dashes or _"));
    }
    if (set.find(code.code) != nullptr) {
      table.problem("code", bilingual("代码「{}」重复", "code '{}' stands here twice", {code.code}));
    }
    if (!code.parent.empty() && !code.ext) {
      table.problem("parent",
                    bilingual("只有 ext = true 的代码才有 parent", "only a code with ext = true has a parent"));
    }
    set.codes.push_back(std::move(code));
  }
  for (const Node* node : file.tables("code")) {
    const Node* parent = node->find("parent");
    if (parent == nullptr || parent->kind != Node::Kind::text) continue;
    const Code* found = set.find(parent->text);
    if (found == nullptr || found->ext) {
      problems.add(file.file(), parent->line,
                   bilingual("parent「{}」不是本代码集的国家代码", "parent '{}' is not a national code of this set",
                             {parent->text}));
    }
  }
  if (set.codes.empty() && !set.name.empty()) file.missing("code");
}

// Made by the program itself, without a migration.
constexpr std::string_view kOwnTables[] = {"schema_migration", "dataset_schema", "record_outbox"};

bool is_kernel_table(const Loading& loading, std::string_view name) {
  return loading.kernel_tables.contains(name) ||
         std::find(std::begin(kOwnTables), std::end(kOwnTables), name) != std::end(kOwnTables);
}

bool has_reserved_ending(std::string_view name) {
  return name.ends_with("_history") || name.ends_with("_idx") || name.ends_with("_rebuild");
}

void check_dataset_name(const Loading& loading, const Table& table, const std::string& name, const std::string& stem) {
  if (name.empty()) return;
  if (name != stem) {
    table.problem("name", bilingual("name 应与文件名相同：「{}」", "name must be that of the file: '{}'", {stem}));
  }
  if (!is_plain_name(name)) {
    table.problem(
        "name",
        bilingual("名称应为小写字母开头的小写字母、数字、下划线，至多 40 个",
                  "a name is lower-case letters, digits and _, begins with a letter, and has at most 40 characters"));
  } else if (const bool of_kernel = table.text_if_any("store") == "kernel";
             of_kernel != is_kernel_table(loading, name)) {
    table.problem("name", of_kernel ? bilingual("「{}」不是系统自用的表，不能写 store = \"kernel\"",
                                                "'{}' is no table of the system itself: leave out store", {name})
                                    : bilingual("「{}」是系统自用的表名，请另取名",
                                                "'{}' is a table of the system itself: choose another name", {name}));
  } else if (name.starts_with("sqlite_") || name.starts_with("pg_") || has_reserved_ending(name)) {
    table.problem("name",
                  bilingual("「{}」的开头或结尾为数据库所保留，请另取名",
                            "'{}' begins or ends as names reserved for the database do: choose another name", {name}));
  }
}

std::vector<std::string> module_names(const Catalogue& catalogue) {
  std::vector<std::string> names;
  for (const Module& module : catalogue.modules) names.push_back(module.name);
  return names;
}

void read_head(Loading& loading, const Table& table, Dataset& dataset) {
  dataset.label = table.label("label");
  dataset.module = table.text("module");
  dataset.person = table.boolean("person", false);
  dataset.clustered = table.boolean("clustered", false);
  if (table.has("level")) {
    const auto level = table.integer("level");
    if (level && *level >= static_cast<int>(Level::open) && *level <= static_cast<int>(Level::important)) {
      dataset.level = static_cast<Level>(*level);
    } else if (level) {
      table.problem("level", bilingual("level 应为 1 公开、2 一般、3 敏感、4 重要",
                                       "level must be 1 public, 2 internal, 3 sensitive or 4 important"));
    }
  }
  const std::string store = table.text_if_any("store");
  dataset.in_record = store == "record";
  dataset.by_kernel = dataset.in_record || store == "kernel";
  if (!store.empty() && !dataset.by_kernel) {
    table.problem("store", bilingual("store 只能是 \"record\" 或 \"kernel\"，或不写",
                                     "store can only be \"record\" or \"kernel\", or be left out"));
  }
  const std::vector<std::string> modules = module_names(loading.catalogue);
  if (!dataset.module.empty() && std::find(modules.begin(), modules.end(), dataset.module) == modules.end()) {
    const Text near = did_you_mean(dataset.module, modules);
    table.problem("module", Text{"catalog/modules.toml 中没有模块「" + dataset.module + "」" + near.zh,
                                 "catalog/modules.toml has no module '" + dataset.module + "'" + near.en});
  }
  const Node* owner = table.find("owner");
  if (owner == nullptr || owner->kind != Node::Kind::table) {
    table.problem("owner", bilingual("须写明负责单位和岗位：owner = { unit = \"…\", post = \"…\" }",
                                     "who keeps it is missing: owner = { unit = \"…\", post = \"…\" }"));
    return;
  }
  const Table keeper(*owner, table.file(), loading.problems, {"unit", "post"});
  dataset.owner_unit = keeper.text("unit");
  dataset.owner_post = keeper.text("post");
}

void find_cycles(Loading& loading, size_t relation, std::vector<int>& state);

void visit(Loading& loading, const Condition& condition, size_t relation, std::vector<int>& state) {
  if (condition.kind == Condition::Kind::leaf && condition.source == Condition::Source::relation) {
    const int next = loading.catalogue.relation(condition.name);
    if (next < 0) return;
    if (state[static_cast<size_t>(next)] == 1) {
      const Table& table = loading.relation_tables[relation];
      table.problem("where", bilingual("关系互相引用成环：「{}」又用到「{}」",
                                       "relations refer to each other in a circle: '{}' uses '{}' again",
                                       {loading.catalogue.relations[relation].name, condition.name}));
      return;
    }
    find_cycles(loading, static_cast<size_t>(next), state);
  }
  for (const Condition& part : condition.parts) visit(loading, part, relation, state);
}

void find_cycles(Loading& loading, size_t relation, std::vector<int>& state) {
  if (state[relation] != 0) return;
  state[relation] = 1;
  visit(loading, loading.catalogue.relations[relation].where, relation, state);
  state[relation] = 2;
}

// A relation whose set does not depend on who asks would tie its rows to everyone.
bool asks_who(const Loading& loading, const Condition& where) {
  using Source = Condition::Source;
  const auto part = [&loading](const Condition& each) { return asks_who(loading, each); };
  switch (where.kind) {
    case Condition::Kind::leaf:
      if (where.source != Source::relation) return where.source == Source::me;
      return !loading.relation_tables.at(static_cast<size_t>(loading.catalogue.relation(where.name))).has("everyone");
    case Condition::Kind::all:
      return std::any_of(where.parts.begin(), where.parts.end(), part);
    case Condition::Kind::any:
      return !where.parts.empty() && std::all_of(where.parts.begin(), where.parts.end(), part);
    case Condition::Kind::negation:
      return false;
  }
  return false;
}

void read_relation(Loading& loading, size_t index) {
  Relation& relation = loading.catalogue.relations[index];
  const Table& table = loading.relation_tables[index];
  if (relation.of == -1) {
    for (const char* key : {"from", "select", "where"}) {
      if (table.has(key))
        table.problem(key, bilingual("「self」是内建关系，不写 {}", "'self' is built in and has no {}", {key}));
    }
    return;
  }
  const std::string from = table.text("from"), select = table.text("select");
  for (size_t i = 0; i < loading.catalogue.datasets.size(); ++i) {
    if (loading.dataset(i).name == from) relation.from = static_cast<int>(i);
  }
  if (relation.from < 0) {
    if (!from.empty()) table.problem("from", bilingual("没有数据集「{}」", "there is no dataset '{}'", {from}));
    return;
  }
  const Dataset& dataset = loading.dataset(static_cast<size_t>(relation.from));
  const std::string of = relation.of >= 0 ? loading.dataset(static_cast<size_t>(relation.of)).name : "";
  relation.select = select == "id" ? Condition::kRowId : dataset.field(select);
  const bool fits = select == "id" ? relation.from == relation.of
                                   : relation.select >= 0 &&
                                         dataset.fields[static_cast<size_t>(relation.select)].ref == relation.of &&
                                         !dataset.fields[static_cast<size_t>(relation.select)].is_lookup();
  if (!fits && relation.of >= 0 && !select.empty()) {
    table.problem(
        "select",
        bilingual("select 应为「{}」自身的字段，类型 ref({})，或在 from 即「{}」时写 \"id\"",
                  "select must be an own field of '{}' of type ref({}), or \"id\" when from is '{}'", {from, of, of}));
  }
  if (const Node* where = table.find("where")) {
    auto condition =
        read_condition(loading.catalogue, dataset, *where, table.file(), ConditionUse::regulation, loading.problems);
    relation.everyone = table.boolean("everyone", false);
    if (condition && !relation.everyone && !asks_who(loading, *condition)) {
      table.problem(
          "where", bilingual("where 须要求 is = \"me\" 或 in_relation，否则与提问者无关",
                             "where must ask for is = \"me\" or in_relation, or the set would not depend on who asks"));
    }
    if (condition) relation.where = std::move(*condition);
  } else {
    table.missing("where");
  }
}

}  // namespace

void load_code_sets(Loading& loading) {
  for (const auto& [stem, shown] : files_in(loading.files, "catalog/codes")) {
    const auto node = read_toml(loading.files, shown, loading.problems);
    if (!node) continue;
    const Table table(*node, shown, loading.problems, {"set", "label", "standard", "made", "code"});
    CodeSet set;
    set.name = table.text("set");
    set.label = table.label("label");
    set.standard = table.text_if_any("standard");
    if (!set.name.empty() && !is_code(set.name)) {
      table.problem("set", bilingual("代码集名称应为 1 至 40 个字母、数字",
                                     "the name of a code set is 1 to 40 letters or digits"));
    }
    if (loading.catalogue.code_set(set.name) >= 0) {
      table.problem(
          "set", bilingual("代码集「{}」已在另一文件中", "code set '{}' stands in another file already", {set.name}));
    }
    set.made = table.boolean("made", false);
    if (set.made) {
      for (const CodeSet& each : loading.made) {
        if (each.name == set.name) set.codes = each.codes;
      }
    } else {
      load_codes(table, loading.problems, set);
    }
    loading.catalogue.code_sets.push_back(std::move(set));
  }
}

void load_modules(Loading& loading) {
  const std::string shown = "catalog/modules.toml";
  const auto node = read_toml(loading.files, shown, loading.problems);
  if (!node) return;
  const Table file(*node, shown, loading.problems, {"module"});
  for (const Node* each : file.tables("module")) {
    const Table table(*each, shown, loading.problems, {"name", "label", "icon"});
    Module module{table.text("name"), table.label("label"), table.text_if_any("icon")};
    const auto names = module_names(loading.catalogue);
    if (std::find(names.begin(), names.end(), module.name) != names.end()) {
      table.problem("name", bilingual("模块「{}」重复", "module '{}' stands here twice", {module.name}));
    }
    if (!module.name.empty() && !is_plain_name(module.name)) {
      table.problem("name", bilingual("名称应为小写字母、数字、下划线", "a name is lower-case letters, digits and _"));
    }
    loading.catalogue.modules.push_back(std::move(module));
  }
}

void declare_datasets(Loading& loading) {
  std::vector<std::string> shown, stems;
  for (const auto& [stem, file] : files_in(loading.files, "catalog")) {
    if (stem == "relations" || stem == "modules") continue;
    auto node = read_toml(loading.files, file, loading.problems);
    if (!node) continue;
    loading.nodes.push_back(std::move(*node));
    stems.push_back(stem);
    shown.push_back(file);
  }
  for (size_t i = 0; i < loading.nodes.size(); ++i) {
    const Table table(loading.nodes[i], shown[i], loading.problems,
                      {"name", "label", "module", "owner", "level", "about", "key", "order", "show", "indexes",
                       "clustered", "person", "group", "store", "relations", "field", "lookup", "check", "apart"});
    check_dataset_name(loading, table, table.text("name"), stems[i]);
    Dataset dataset;
    dataset.index = static_cast<int>(i);
    dataset.name = stems[i];
    dataset.file = shown[i];
    read_head(loading, table, dataset);
    loading.catalogue.datasets.push_back(std::move(dataset));
    loading.tables.push_back(table);
  }
}

void declare_relations(Loading& loading) {
  const std::string shown = "catalog/relations.toml";
  auto node = read_toml(loading.files, shown, loading.problems);
  if (!node) return;
  loading.relation_file = std::move(*node);
  const Table file(loading.relation_file, shown, loading.problems, {"relation"});
  for (const Node* each : file.tables("relation")) {
    const Table table(*each, shown, loading.problems, {"name", "of", "label", "from", "select", "where", "everyone"});
    Relation relation;
    relation.name = table.text("name");
    relation.label = table.label("label");
    if (loading.catalogue.relation(relation.name) >= 0) {
      table.problem("name", bilingual("关系「{}」重复", "relation '{}' stands here twice", {relation.name}));
    }
    if (!relation.name.empty() && (!is_plain_name(relation.name) || relation.name == "all")) {
      table.problem("name", bilingual("名称应为小写字母、数字、下划线，且不是 all",
                                      "a name is lower-case letters, digits and _, and not 'all'"));
    }
    const std::string of = table.text("of");
    const Dataset* dataset = loading.catalogue.find(of);
    relation.of = dataset != nullptr ? dataset->index : -2;
    if (of == "person") relation.of = -1;
    if ((relation.name == "self") != (relation.of == -1)) {
      table.problem("of",
                    bilingual("of = \"person\" 只用于内建关系「self」，其余写数据集名",
                              "of = \"person\" belongs to the built-in relation 'self' alone; others name a dataset"));
    } else if (relation.of == -2 && !of.empty()) {
      table.problem("of", bilingual("没有数据集「{}」", "there is no dataset '{}'", {of}));
    }
    loading.catalogue.relations.push_back(std::move(relation));
    loading.relation_tables.push_back(table);
  }
  if (loading.catalogue.relation("self") < 0) {
    loading.problems.add(
        shown, 1,
        bilingual("缺少内建关系「self」的名称和说明：[[relation]] name = \"self\" of = \"person\" label = …",
                  "the built-in relation is not labelled: [[relation]] name = \"self\" of = \"person\" label = …"));
  }
}

void load_relations(Loading& loading) {
  for (size_t i = 0; i < loading.relation_tables.size(); ++i) read_relation(loading, i);
  std::vector<int> state(loading.catalogue.relations.size(), 0);
  for (size_t i = 0; i < state.size(); ++i) find_cycles(loading, i, state);
}

bool tells_of_persons(const Loading& loading, const Dataset& dataset) {
  const std::vector<Dataset>& all = loading.catalogue.datasets;
  const auto persons = [&](int index) { return index >= 0 && all.at(static_cast<size_t>(index)).person; };
  if (dataset.has_subject || dataset.person || (dataset.by_kernel && !dataset.bindings.empty())) return true;
  return std::any_of(dataset.fields.begin(), dataset.fields.end(), [&](const Field& field) {
    const Dataset* at = &dataset;
    for (const int hop : field.path) {
      const int next = at->fields.at(static_cast<size_t>(hop)).ref;
      if (persons(next)) return true;
      at = &all.at(static_cast<size_t>(next));
    }
    return persons(field.ref);
  });
}

std::variant<Catalogue, std::vector<FileProblem>> load_files(const SourceFiles& files, const TableNames& kernel_tables,
                                                             std::span<const CodeSet> made) {
  Loading loading{files, kernel_tables, made};
  load_code_sets(loading);
  load_modules(loading);
  declare_datasets(loading);
  declare_relations(loading);
  load_fields(loading);
  load_keys(loading);
  load_lookups(loading);
  load_subjects(loading);
  load_lists(loading);
  load_relations(loading);
  for (Dataset& dataset : loading.catalogue.datasets) dataset.tells_of_persons = tells_of_persons(loading, dataset);
  load_checks(loading);
  load_aparts(loading);
  if (loading.catalogue.datasets.empty() && loading.problems.empty()) {
    loading.problems.add(
        "catalog", 0,
        bilingual("没有任何数据集文件（catalog/*.toml）", "there is no file of a dataset (catalog/*.toml)"));
  }
  if (!loading.problems.empty()) return loading.problems.take();
  loading.catalogue.digest = digest_of(loading.catalogue);
  return std::move(loading.catalogue);
}

std::variant<Catalogue, std::vector<FileProblem>> load(const std::filesystem::path& home,
                                                       std::span<const CodeSet> made) {
  Problems problems;
  SourceFiles files = read_files(home, "catalog", problems);
  if (std::filesystem::exists(home / "modules")) files.merge(read_files(home, "modules", problems));
  TableNames kernel_tables;
  try {
    kernel_tables = db::tables_of(db::migrations_of(home));
  } catch (const db::Error& error) {
    problems.add("db/migrations", 0,
                 bilingual("读不出系统自用的表：{}", "the system's own tables cannot be read: {}", {error.what()}));
  }
  if (!problems.empty()) return problems.take();
  return load_files(files, kernel_tables, made);
}

}  // namespace jw::catalog
