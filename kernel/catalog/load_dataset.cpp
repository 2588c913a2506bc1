// Key, subject, relations, lists and checks of a dataset.
#include <algorithm>

#include "kernel/catalog/loading.hpp"

namespace jw::catalog {
namespace {

// Index of a named field, or -1 after a problem.
int named_field(Loading& loading, const Dataset& dataset, const std::string& name, int line) {
  const int index = dataset.field(name);
  if (index >= 0) return index;
  const Text near = did_you_mean(name, field_names(dataset));
  loading.problems.add(dataset.file, line,
                       Text{"没有字段「" + name + "」" + near.zh, "there is no field '" + name + "'" + near.en});
  return -1;
}

bool may_be_key(Type type) {
  return type != Type::decimal && type != Type::boolean && type != Type::weeks;
}

void read_key(Loading& loading, const Table& table, Dataset& dataset) {
  if (!table.has("key")) return table.missing("key");
  for (const Word& word : table.words("key")) {
    const int index = named_field(loading, dataset, word.text, word.line);
    if (index < 0) continue;
    const Field& field = dataset.fields[static_cast<size_t>(index)];
    if (std::find(dataset.key.begin(), dataset.key.end(), index) != dataset.key.end()) {
      table.problem_at(word.line, bilingual("「{}」在 key 中重复", "'{}' stands twice in the key", {word.text}));
    }
    if (!loading.broken.contains({dataset.index, index})) {
      if (!may_be_key(field.type)) {
        table.problem_at(word.line,
                         bilingual("「{}」的类型 {} 不能用于 key", "'{}' is of type {}, which cannot be part of a key",
                                   {word.text, type_name(field.type)}));
      }
      if (!field.required) {
        table.problem_at(word.line,
                         bilingual("key 中的字段「{}」须 required = true",
                                   "field '{}' is part of the key and so needs required = true", {word.text}));
      }
    }
    dataset.key.push_back(index);
  }
  if (dataset.key.empty() && table.words("key").empty()) {
    table.problem("key", bilingual("key 至少有一个字段", "the key needs at least one field"));
  }
}

void check_referred(Loading& loading) {
  std::set<int> told;
  for (const Dataset& dataset : loading.catalogue.datasets) {
    for (const Field& field : dataset.fields) {
      if (field.type != Type::ref || field.ref < 0 || told.contains(field.ref)) continue;
      const Dataset& target = loading.dataset(static_cast<size_t>(field.ref));
      if (target.key.empty()) continue;
      const int key = target.key.front();
      if (target.key.size() == 1 &&
          (target.fields[static_cast<size_t>(key)].type == Type::text || loading.broken.contains({target.index, key})))
        continue;
      told.insert(field.ref);
      loading.tables[static_cast<size_t>(target.index)].problem(
          "key", bilingual("「{}」的字段「{}」指向这里，故 key 只能是一个 text 字段",
                           "'{}' refers to this by its field '{}', so the key must be exactly one text field",
                           {dataset.name, field.name}));
    }
  }
}

// Dataset at the end of a path of refs.
const Dataset& end_of(Loading& loading, const Dataset& dataset, const std::vector<int>& path) {
  const Dataset* at = &dataset;
  for (const int hop : path) at = &loading.dataset(static_cast<size_t>(at->fields[static_cast<size_t>(hop)].ref));
  return *at;
}

// A path written in the file: "id" is the row itself, otherwise refs.
std::optional<std::vector<int>> read_path(Loading& loading, const Dataset& dataset, const Word& word) {
  if (word.text == "id") return std::vector<int>{};
  return follow(loading, static_cast<size_t>(dataset.index), word, true);
}

void read_about(Loading& loading, const Table& table, Dataset& dataset) {
  if (!table.has("about")) {
    if (dataset.person)
      table.problem("about", bilingual("人员数据集须写 about = \"id\"", "a dataset of persons needs about = \"id\""));
    return;
  }
  const std::string about = table.text("about");
  if (about.empty()) return;
  auto path = read_path(loading, dataset, Word{about, table.line("about")});
  if (!path) return;
  if (dataset.person && !path->empty()) {
    return table.problem("about",
                         bilingual("人员数据集须写 about = \"id\"", "a dataset of persons needs about = \"id\""));
  }
  if (!end_of(loading, dataset, *path).person) {
    return table.problem(
        "about", bilingual("about 应指向人员（person = true 的数据集），「{}」不是",
                           "about must lead to persons (a dataset with person = true), which '{}' does not", {about}));
  }
  dataset.about = std::move(*path);
  dataset.has_subject = true;
}

// The ref by which answers about many persons are noted in the record.
void read_group(Loading& loading, const Table& table, Dataset& dataset) {
  if (!table.has("group")) return;
  const int index = named_field(loading, dataset, table.text("group"), table.line("group"));
  if (index < 0) return;
  const Field& field = dataset.fields[static_cast<size_t>(index)];
  if (!dataset.person || field.type != Type::ref || field.is_lookup()) {
    return table.problem("group", bilingual("group 用于人员数据集，应为其自身的 ref 字段",
                                            "group belongs to a dataset of persons and names an own ref field"));
  }
  dataset.group = index;
}

void read_bindings(Loading& loading, const Table& table, Dataset& dataset) {
  const Node* node = table.find("relations");
  if (node == nullptr) return;
  if (node->kind != Node::Kind::table) {
    return table.problem("relations",
                         bilingual("relations 应为表：[relations]", "relations must be a table: [relations]"));
  }
  std::vector<std::string> names;
  for (const Relation& relation : loading.catalogue.relations) names.push_back(relation.name);
  for (size_t i = 0; i < node->keys.size(); ++i) {
    const std::string& name = node->keys[i];
    const Node& value = node->items[i];
    const int index = loading.catalogue.relation(name);
    if (index < 0) {
      const Text near = did_you_mean(name, names);
      table.problem_at(value.line, Text{"catalog/relations.toml 中没有关系「" + name + "」" + near.zh,
                                        "catalog/relations.toml has no relation '" + name + "'" + near.en});
      continue;
    }
    if (value.kind != Node::Kind::text) {
      table.problem_at(value.line, bilingual("关系的路径应为文本，如 \"student.class\"",
                                             "the path of a relation must be text such as \"student.class\""));
      continue;
    }
    auto path = read_path(loading, dataset, Word{value.text, value.line});
    if (!path) continue;
    if (loading.relation_tables[static_cast<size_t>(index)].has("everyone")) {
      table.problem_at(value.line,
                       bilingual("关系「{}」与提问者无关，不能把数据与人相连",
                                 "relation '{}' is the same whoever asks and ties no rows to a person", {name}));
      continue;
    }
    const int of = loading.catalogue.relations[static_cast<size_t>(index)].of;
    const Dataset& end = end_of(loading, dataset, *path);
    // A row written by the kernel says itself whom it is about: its table has a column person_id too.
    const bool to_person = end.person || (end.by_kernel && path->empty());
    if (of >= 0 ? end.index != of : of == -1 && !to_person) {
      const std::string wanted = of >= 0 ? loading.dataset(static_cast<size_t>(of)).name : "person = true";
      table.problem_at(value.line, bilingual("关系「{}」的路径应到「{}」，这里到了「{}」",
                                             "the path of relation '{}' must end at '{}', but this ends at '{}'",
                                             {name, wanted, end.name}));
      continue;
    }
    dataset.bindings.push_back(Binding{index, std::move(*path)});
  }
}

void read_indexes(Loading& loading, const Table& table, Dataset& dataset) {
  const Node* node = table.find("indexes");
  if (node == nullptr) return;
  const auto wrong = [&](int line) {
    table.problem_at(
        line, bilingual("indexes 应为字段名列表的列表，如 [[\"section\"], [\"term\", \"course\"]]",
                        "indexes must be a list of lists of fields such as [[\"section\"], [\"term\", \"course\"]]"));
  };
  if (node->kind != Node::Kind::array) return wrong(node->line);
  for (const Node& entry : node->items) {
    if (entry.kind != Node::Kind::array || entry.items.empty()) {
      wrong(entry.line);
      continue;
    }
    std::vector<int> index;
    for (const Node& name : entry.items) {
      if (name.kind != Node::Kind::text) {
        wrong(name.line);
        continue;
      }
      const int field = named_field(loading, dataset, name.text, name.line);
      if (field >= 0 && dataset.fields[static_cast<size_t>(field)].is_lookup()) {
        table.problem_at(name.line, bilingual("「{}」是借用字段，此表中没有这一列",
                                              "'{}' is borrowed, so this table has no such column", {name.text}));
      } else if (field >= 0) {
        index.push_back(field);
      }
    }
    if (!index.empty()) dataset.indexes.push_back(std::move(index));
  }
}

void read_order_and_show(Loading& loading, const Table& table, Dataset& dataset) {
  for (const Word& word : table.words("order")) {
    const bool descending = word.text.starts_with('-');
    const int field = named_field(loading, dataset, word.text.substr(descending ? 1 : 0), word.line);
    if (field >= 0) dataset.order.push_back(SortKey{field, descending});
  }
  for (const Word& word : table.words("show")) {
    const int field = named_field(loading, dataset, word.text, word.line);
    if (field >= 0) dataset.show.push_back(field);
  }
  if (!table.has("order")) {
    for (const int field : dataset.key) dataset.order.push_back(SortKey{field, false});
  }
  if (!table.has("show")) {
    for (size_t i = 0; i < dataset.fields.size(); ++i) dataset.show.push_back(static_cast<int>(i));
  }
}

}  // namespace

void load_keys(Loading& loading) {
  for (size_t i = 0; i < loading.tables.size(); ++i) read_key(loading, loading.tables[i], loading.dataset(i));
  check_referred(loading);
}

void load_subjects(Loading& loading) {
  for (size_t i = 0; i < loading.tables.size(); ++i) {
    read_about(loading, loading.tables[i], loading.dataset(i));
    read_group(loading, loading.tables[i], loading.dataset(i));
    read_bindings(loading, loading.tables[i], loading.dataset(i));
  }
}

void load_lists(Loading& loading) {
  for (size_t i = 0; i < loading.tables.size(); ++i) {
    read_indexes(loading, loading.tables[i], loading.dataset(i));
    read_order_and_show(loading, loading.tables[i], loading.dataset(i));
  }
}

void load_checks(Loading& loading) {
  for (size_t i = 0; i < loading.tables.size(); ++i) {
    Dataset& dataset = loading.dataset(i);
    for (const Node* node : loading.tables[i].tables("check")) {
      const Table table(*node, dataset.file, loading.problems, {"must", "text"});
      Text text = table.label("text");
      const Node* must = table.find("must");
      if (must == nullptr) {
        table.missing("must");
        continue;
      }
      auto condition =
          read_condition(loading.catalogue, dataset, *must, dataset.file, ConditionUse::check, loading.problems);
      if (condition) dataset.checks.push_back(Check{std::move(*condition), std::move(text)});
    }
  }
}

void load_aparts(Loading& loading) {
  for (size_t i = 0; i < loading.tables.size(); ++i) {
    Dataset& dataset = loading.dataset(i);
    for (const Node* node : loading.tables[i].tables("apart")) {
      const Table table(*node, dataset.file, loading.problems, {"field", "values", "of", "begins", "ends", "text"});
      Apart apart;
      apart.text = table.label("text");
      const auto own = [&](const char* key, Type type) {
        const int index = dataset.field(table.text(key));
        const bool fits = index >= 0 && dataset.fields[static_cast<size_t>(index)].type == type &&
                          !dataset.fields[static_cast<size_t>(index)].is_lookup();
        if (!fits)
          table.problem(key, bilingual("应为本数据集自身的 {} 字段", "must be an own {} field of the dataset",
                                       {type_name(type)}));
        return index;
      };
      apart.field = own("field", Type::code);
      apart.of = own("of", Type::ref);
      apart.begins = own("begins", Type::date);
      apart.ends = own("ends", Type::date);
      for (const Word& word : table.words("values")) {
        const Field* coded = apart.field < 0 ? nullptr : &dataset.fields[static_cast<size_t>(apart.field)];
        const bool known = coded != nullptr && coded->code_set >= 0 &&
                           loading.catalogue.code_sets[static_cast<size_t>(coded->code_set)].find(word.text) != nullptr;
        if (!known)
          table.problem_at(word.line,
                           bilingual("「{}」不是这个字段的代码", "'{}' is no code of that field", {word.text}));
        apart.values.push_back(word.text);
      }
      if (apart.values.size() < 2)
        table.problem("values", bilingual("至少两个值才谈得上互斥", "it takes two values to exclude each other"));
      dataset.aparts.push_back(std::move(apart));
    }
  }
}

}  // namespace jw::catalog
