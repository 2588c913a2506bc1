// Reading the regulation's files. Every row cites its clause; nothing is opened by a mistake: what cannot be understood
// is a problem.
#include "kernel/policy/regulation.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <stdexcept>

#include <boost/json/serialize.hpp>

#include "base/json.hpp"
#include "base/text.hpp"
#include "kernel/catalog/condition.hpp"
#include "kernel/catalog/source.hpp"
#include "platform/crypto/api.hpp"

namespace jw::policy {
using catalog::bilingual;
using catalog::Catalogue;
using catalog::Condition;
using catalog::ConditionUse;
using catalog::Dataset;
using catalog::did_you_mean;
using catalog::Node;
using catalog::Problems;
using catalog::Table;
using catalog::Word;

namespace {

constexpr std::array<std::string_view, kActions> kActionNames = {"query", "detail", "statistics", "print", "export"};
constexpr uint8_t kAllActions = (1u << kActions) - 1;

// "2.2.1": chapter, section, item.
bool is_clause(std::string_view text) {
  const auto parts = split(text, '.');
  return parts.size() >= 2 && parts.size() <= 3 && std::all_of(parts.begin(), parts.end(), [](std::string_view part) {
           return !part.empty() && part.size() <= 3 &&
                  std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; });
         });
}

std::string clause_of(const Table& table) {
  std::string clause = table.text("clause");
  if (!clause.empty() && !is_clause(clause)) {
    table.problem("clause",
                  bilingual("clause 应为条款号，如 2.2.1", "clause must be the number of a clause such as 2.2.1"));
  }
  return clause;
}

// A post that does not ask for "me" would be held by everyone.
bool asks_for_me(const Condition& where) {
  switch (where.kind) {
    case Condition::Kind::leaf:
      return where.source == Condition::Source::me;
    case Condition::Kind::all:
      return std::any_of(where.parts.begin(), where.parts.end(), asks_for_me);
    case Condition::Kind::any:
      return !where.parts.empty() && std::all_of(where.parts.begin(), where.parts.end(), asks_for_me);
    case Condition::Kind::negation:
      return false;
  }
  return false;
}

void collect_settings(const Condition& condition, std::set<std::string>& names) {
  if (condition.kind == Condition::Kind::leaf && condition.source == Condition::Source::today_minus_years)
    names.insert(condition.name);
  for (const Condition& part : condition.parts) collect_settings(part, names);
}

class Loader {
 public:
  Loader(const Catalogue& catalogue, const std::filesystem::path& home)
      : catalogue_(catalogue), files_(catalog::read_files(home, "regulation", problems_)) {}

  std::variant<Regulation, std::vector<catalog::FileProblem>> load() {
    read("settings.toml", {"setting"}, [&](const Table& file) {
      for (const Node* node : file.tables("setting")) setting(*node, file.file());
    });
    read("posts.toml", {"post"}, [&](const Table& file) {
      for (const Node* node : file.tables("post")) post(*node, file.file());
    });
    read("permissions.toml", {"permit", "forbid"}, [&](const Table& file) {
      for (const Node* node : file.tables("permit")) permit(*node, file.file());
      for (const Node* node : file.tables("forbid")) forbid(*node, file.file());
    });
    check_catalogue();
    if (!problems_.empty()) return problems_.take();
    regulation_.digest = digest();
    return std::move(regulation_);
  }

 private:
  template <class Read>
  void read(const char* name, std::initializer_list<std::string_view> known, Read each) {
    const std::string shown = std::string("regulation/") + name;
    const auto node = catalog::read_toml(files_, shown, problems_);
    if (node) each(Table(*node, shown, problems_, known));
  }

  const Dataset& dataset(int index) const { return catalogue_.datasets[static_cast<size_t>(index)]; }

  std::vector<std::string> post_names() const {
    std::vector<std::string> names;
    for (const Post& each : regulation_.posts) names.push_back(each.name);
    return names;
  }

  std::vector<std::string> dataset_names() const {
    std::vector<std::string> names;
    for (const Dataset& each : catalogue_.datasets) names.push_back(each.name);
    return names;
  }

  void unknown(const Table& table, int line, std::string_view name, const std::vector<std::string>& known, Text what) {
    const Text near = did_you_mean(name, known);
    table.problem_at(line, Text{"没有" + what.zh + "「" + std::string(name) + "」" + near.zh,
                                "there is no " + what.en + " '" + std::string(name) + "'" + near.en});
  }

  // ---- settings
  void setting(const Node& node, const std::string& file) {
    const Table table(node, file, problems_, {"name", "value", "min", "max", "clause", "label"});
    Setting setting;
    setting.name = table.text("name");
    setting.clause = clause_of(table);
    setting.label = table.label("label");
    for (const auto& [key, value] :
         {std::pair{"value", &setting.value}, {"min", &setting.min}, {"max", &setting.max}}) {
      if (!table.has(key)) table.missing(key);
      *value = table.integer(key).value_or(0);
    }
    if (!setting.name.empty() && !catalog::is_plain_name(setting.name)) {
      table.problem("name", bilingual("名称应为小写字母、数字、下划线", "a name is lower-case letters, digits and _"));
    }
    if (has_setting(setting.name))
      table.problem("name", bilingual("设置「{}」重复", "setting '{}' stands here twice", {setting.name}));
    if (setting.value < setting.min || setting.value > setting.max) {
      table.problem("value", bilingual("value 应在 min 与 max 之间", "value must lie between min and max"));
    }
    regulation_.settings.push_back(std::move(setting));
  }

  bool has_setting(std::string_view name) const {
    return std::any_of(regulation_.settings.begin(), regulation_.settings.end(),
                       [&](const Setting& each) { return each.name == name; });
  }

  // ---- conditions
  std::optional<Condition> where(const Table& table, const Dataset& of) {
    const Node* node = table.find("where");
    if (node == nullptr) return std::nullopt;
    auto condition = catalog::read_condition(catalogue_, of, *node, table.file(), ConditionUse::regulation, problems_);
    if (!condition) return std::nullopt;
    std::set<std::string> names;
    collect_settings(*condition, names);
    for (const std::string& name : names) {
      if (!has_setting(name)) unknown(table, node->line, name, setting_names(), Text{"设置", "setting"});
    }
    return condition;
  }

  std::vector<std::string> setting_names() const {
    std::vector<std::string> names;
    for (const Setting& each : regulation_.settings) names.push_back(each.name);
    return names;
  }

  Text in_words(const Dataset& of, const Condition& condition) const {
    return catalog::describe_condition(catalogue_, of, condition, [&](std::string_view name) {
      return has_setting(name) ? std::to_string(regulation_.setting(name)) : std::string(name);
    });
  }

  // ---- posts
  void post(const Node& node, const std::string& file) {
    const Table table(node, file, problems_, {"name", "label", "clause", "from", "where", "unit", "refusal"});
    Post post;
    post.name = table.text("name");
    post.label = table.label("label");
    post.clause = clause_of(table);
    post.refusal = table.label_if_any("refusal");
    if (!post.name.empty() && !catalog::is_plain_name(post.name)) {
      table.problem("name", bilingual("名称应为小写字母、数字、下划线", "a name is lower-case letters, digits and _"));
    }
    if (regulation_.post(post.name) >= 0)
      table.problem("name", bilingual("岗位「{}」重复", "post '{}' stands here twice", {post.name}));
    const std::string from = table.text("from");
    const Dataset* source = catalogue_.find(from);
    if (source == nullptr || source->in_record) {
      if (!from.empty()) unknown(table, table.line("from"), from, dataset_names(), Text{"数据集", "dataset"});
    } else {
      post.from = source->index;
      read_holding(table, *source, post);
    }
    regulation_.posts.push_back(std::move(post));
  }

  void read_holding(const Table& table, const Dataset& source, Post& post) {
    if (!table.has("where")) return table.missing("where");
    if (auto condition = where(table, source)) {
      if (!asks_for_me(*condition)) {
        table.problem("where", bilingual("where 须要求 is = \"me\"，否则人人都任此岗位",
                                         "where must ask for is = \"me\", or everyone would hold this post"));
      }
      post.where = std::move(*condition);
    }
    const std::string unit = table.text_if_any("unit");
    if (unit.empty()) return;
    post.unit = source.field(unit);
    const bool fits = post.unit >= 0 && source.fields[static_cast<size_t>(post.unit)].type == catalog::Type::ref &&
                      !source.fields[static_cast<size_t>(post.unit)].is_lookup();
    if (!fits)
      table.problem(
          "unit", bilingual("unit 应为「{}」自身的 ref 字段", "unit must be an own ref field of '{}'", {source.name}));
  }

  // ---- permits and forbids
  // Whom and what a row is about, with "*" and lists spread out.
  std::vector<int> posts_of(const Table& table) {
    std::vector<int> posts;
    if (!table.has("post")) table.missing("post");
    for (const Word& word : table.words("post")) {
      if (word.text == "*") {
        for (size_t i = 0; i < regulation_.posts.size(); ++i) posts.push_back(static_cast<int>(i));
        continue;
      }
      const int index = regulation_.post(word.text);
      if (index < 0) {
        unknown(table, word.line, word.text, post_names(), Text{"岗位", "post"});
      } else {
        posts.push_back(index);
      }
    }
    return posts;
  }

  struct Scope {
    Atom::Rows rows = Atom::Rows::all;
    int relation = -1;
    bool every = false;  // dataset = "*"
    std::vector<int> datasets;
  };

  std::optional<Scope> scope_of(const Table& table, bool all_when_silent) {
    Scope scope;
    const std::string rows = table.text_if_any("rows");
    if (table.has("where") == table.has("rows") && !(all_when_silent && !table.has("where"))) {
      table.problem("rows", bilingual("须写 rows（关系名或 \"all\"）或 where，二者择一",
                                      "write either rows (a relation or \"all\") or where"));
      return std::nullopt;
    }
    if (table.has("where")) {
      scope.rows = Atom::Rows::where;
    } else if (!rows.empty() && rows != "all") {
      scope.rows = Atom::Rows::relation;
      scope.relation = catalogue_.relation(rows);
      if (scope.relation < 0) {
        std::vector<std::string> names = {"all"};
        for (const catalog::Relation& each : catalogue_.relations) names.push_back(each.name);
        unknown(table, table.line("rows"), rows, names, Text{"关系", "relation"});
        return std::nullopt;
      }
    }
    if (!table.has("dataset")) table.missing("dataset");
    for (const Word& word : table.words("dataset")) {
      word.text == "*" ? every_dataset(table, scope) : one_dataset(table, word, scope);
    }
    return scope;
  }

  void every_dataset(const Table& table, Scope& scope) {
    scope.every = true;
    if (scope.rows == Atom::Rows::where) {
      return table.problem("dataset",
                           bilingual("dataset = \"*\" 不能与 where 同用", "dataset = \"*\" does not go with where"));
    }
    for (const Dataset& each : catalogue_.datasets) {
      if (scope.rows == Atom::Rows::all || each.binding(scope.relation) != nullptr)
        scope.datasets.push_back(each.index);
    }
  }

  void one_dataset(const Table& table, const Word& word, Scope& scope) {
    const Dataset* found = catalogue_.find(word.text);
    if (found == nullptr) return unknown(table, word.line, word.text, dataset_names(), Text{"数据集", "dataset"});
    if (scope.rows == Atom::Rows::relation && found->binding(scope.relation) == nullptr) {
      const std::string& relation = catalogue_.relations[static_cast<size_t>(scope.relation)].name;
      return table.problem_at(
          word.line, bilingual("「{}」没有关系「{}」（见其 [relations]）",
                               "'{}' is not tied by relation '{}' (see its [relations])", {word.text, relation}));
    }
    scope.datasets.push_back(found->index);
  }

  // What a permit says of each field. "*" in one of the lists stands for all that the others do not name.
  struct Sights {
    std::map<std::string, Sight> named;
    Sight others = Sight::hidden;
  };

  Sights sights_of(const Table& table, const Scope& scope) {
    Sights sights;
    bool star = false;
    for (const auto& [key, sight] :
         {std::pair{"clear", Sight::clear}, {"masked", Sight::masked}, {"hidden", Sight::hidden}}) {
      for (const Word& word : table.words(key)) {
        if (word.text == "*") {
          if (star) table.problem_at(word.line, bilingual("「*」只能出现在一处", "\"*\" can stand in one list only"));
          star = true;
          sights.others = sight;
        } else if (!sights.named.emplace(word.text, sight).second) {
          table.problem_at(word.line, bilingual("字段「{}」写了两次", "field '{}' is named twice", {word.text}));
        } else {
          check_field(table, word, scope);
        }
      }
    }
    if (!table.has("clear") && !star) sights.others = Sight::clear;
    return sights;
  }

  void check_field(const Table& table, const Word& word, const Scope& scope) {
    std::vector<std::string> names;
    for (const int index : scope.datasets) {
      if (dataset(index).field(word.text) >= 0) return;
      for (const catalog::Field& field : dataset(index).fields) names.push_back(field.name);
    }
    if (!scope.datasets.empty()) unknown(table, word.line, word.text, names, Text{"字段", "field"});
  }

  uint8_t actions_of(const Table& table) {
    if (!table.has("actions")) return kAllActions;
    uint8_t actions = 0;
    for (const Word& word : table.words("actions")) {
      const auto action = action_named(word.text);
      if (action) {
        actions = static_cast<uint8_t>(actions | (1u << static_cast<unsigned>(*action)));
      } else {
        table.problem_at(word.line, bilingual("actions 可用：query detail statistics print export",
                                              "actions are query detail statistics print export"));
      }
    }
    if (actions == 0 && table.words("actions").empty()) {
      table.problem("actions", bilingual("actions 不得为空", "actions must not be empty"));
    }
    return actions;
  }

  std::vector<std::string> purposes_of(const Table& table) {
    if (!table.has("purposes")) return {"teaching_administration", "study"};
    std::vector<std::string> purposes;
    for (const Word& word : table.words("purposes")) {
      if (!catalog::is_plain_name(word.text)) {
        table.problem_at(word.line,
                         bilingual("用途应为小写字母、数字、下划线", "a purpose is lower-case letters, digits and _"));
      }
      purposes.push_back(word.text);
    }
    if (purposes.empty()) table.problem("purposes", bilingual("purposes 不得为空", "purposes must not be empty"));
    return purposes;
  }

  void permit(const Node& node, const std::string& file) {
    const Table table(
        node, file, problems_,
        {"post", "dataset", "rows", "where", "clear", "masked", "hidden", "actions", "purposes", "clause"});
    Atom atom;
    atom.clause = clause_of(table);
    atom.actions = actions_of(table);
    atom.purposes = purposes_of(table);
    const std::vector<int> posts = posts_of(table);
    const auto scope = scope_of(table, false);
    if (!scope) return;
    const Sights sights = sights_of(table, *scope);
    spread(table, *scope, posts, atom, [&](const Dataset& of) {
      std::vector<Sight> fields;
      for (const catalog::Field& field : of.fields) {
        const auto named = sights.named.find(field.name);
        fields.push_back(named == sights.named.end() ? sights.others : named->second);
      }
      return fields;
    });
  }

  void forbid(const Node& node, const std::string& file) {
    const Table table(node, file, problems_, {"post", "dataset", "rows", "where", "clause", "text"});
    Atom atom;
    atom.effect = Effect::forbid;
    atom.clause = clause_of(table);
    atom.actions = kAllActions;
    atom.text = table.label("text");
    const std::vector<int> posts = posts_of(table);
    const auto scope = scope_of(table, true);
    if (!scope) return;
    spread(table, *scope, posts, atom,
           [](const Dataset& of) { return std::vector<Sight>(of.fields.size(), Sight::hidden); });
  }

  // One atom for each post and dataset.
  template <class Fields>
  void spread(const Table& table, const Scope& scope, const std::vector<int>& posts, const Atom& model,
              Fields fields_of) {
    for (const int index : scope.datasets) {
      const Dataset& of = dataset(index);
      Atom atom = model;
      atom.dataset = index;
      atom.rows = scope.rows;
      atom.relation = scope.relation;
      atom.fields = fields_of(of);
      if (scope.rows == Atom::Rows::where) {
        auto condition = where(table, of);
        if (!condition) continue;
        atom.where = std::move(*condition);
      }
      if (atom.effect == Effect::permit) atom.text = rows_in_words(of, atom);
      for (const int post : posts) {
        atom.post = post;
        regulation_.atoms.push_back(atom);
      }
    }
  }

  Text rows_in_words(const Dataset& of, const Atom& atom) const {
    if (atom.rows == Atom::Rows::relation) return catalogue_.relations[static_cast<size_t>(atom.relation)].label;
    if (atom.rows == Atom::Rows::where) return in_words(of, atom.where);
    return bilingual("全部", "all rows");
  }

  // What the catalogue leaves to the regulation: settings in relations, posts that keep datasets.
  void check_catalogue() {
    for (const catalog::Relation& relation : catalogue_.relations) {
      std::set<std::string> names;
      collect_settings(relation.where, names);
      for (const std::string& name : names) {
        if (has_setting(name)) continue;
        problems_.add("regulation/settings.toml", 1,
                      bilingual("缺少设置「{}」，关系「{}」要用到它", "setting '{}' is missing; relation '{}' uses it",
                                {name, relation.name}));
      }
    }
    for (const Dataset& each : catalogue_.datasets) {
      if (regulation_.post(each.owner_post) >= 0) continue;
      const Text near = did_you_mean(each.owner_post, post_names());
      problems_.add("regulation/posts.toml", 1,
                    Text{"没有岗位「" + each.owner_post + "」，它是「" + each.name + "」的负责岗位" + near.zh,
                         "there is no post '" + each.owner_post + "', which keeps '" + each.name + "'" + near.en});
    }
  }

  // ---- digest
  std::string printed(int dataset_index, const Condition& condition) const {
    return boost::json::serialize(catalog::print_condition(catalogue_, dataset(dataset_index), condition));
  }

  std::string digest() const {
    std::string text;
    JsonWriter out(text);
    out.object().field("catalogue", catalogue_.digest).key("posts").array();
    for (const Post& post : regulation_.posts) {
      out.object()
          .field("name", post.name)
          .field("clause", post.clause)
          .field("from", post.from)
          .field("unit", post.unit);
      out.key("where").raw(printed(post.from, post.where)).end_object();
    }
    out.end_array().key("atoms").array();
    for (const Atom& atom : regulation_.atoms) {
      out.object()
          .field("effect", static_cast<int>(atom.effect))
          .field("dataset", atom.dataset)
          .field("post", atom.post);
      out.field("rows", static_cast<int>(atom.rows))
          .field("relation", atom.relation)
          .field("actions", static_cast<int>(atom.actions));
      out.field("clause", atom.clause).key("where").raw(printed(atom.dataset, atom.where)).key("fields").array();
      for (const Sight sight : atom.fields) out.value(static_cast<int>(sight));
      out.end_array().key("purposes").array();
      for (const std::string& purpose : atom.purposes) out.value(purpose);
      out.end_array().end_object();
    }
    out.end_array().key("settings").object();
    for (const Setting& setting : regulation_.settings) out.field(setting.name, setting.value);
    out.end_object().end_object();
    const crypto::Digest sum = crypto::sha256(text);
    return crypto::hex(std::string_view(reinterpret_cast<const char*>(sum.data()), sum.size()));
  }

  const Catalogue& catalogue_;
  Problems problems_;
  const catalog::SourceFiles files_;
  Regulation regulation_;
};

}  // namespace

std::string_view action_name(Action action) {
  return kActionNames[static_cast<size_t>(action)];
}

std::optional<Action> action_named(std::string_view name) {
  const auto found = std::find(kActionNames.begin(), kActionNames.end(), name);
  if (found == kActionNames.end()) return std::nullopt;
  return static_cast<Action>(found - kActionNames.begin());
}

int Regulation::post(std::string_view name) const {
  for (size_t i = 0; i < posts.size(); ++i) {
    if (posts[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

int64_t Regulation::setting(std::string_view name) const {
  for (const Setting& each : settings) {
    if (each.name == name) return each.value;
  }
  throw std::out_of_range("no such setting: " + std::string(name));
}

std::variant<Regulation, std::vector<catalog::FileProblem>> load(const std::filesystem::path& home,
                                                                 const Catalogue& catalogue) {
  return Loader(catalogue, home).load();
}

}  // namespace jw::policy
