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

constexpr std::array<std::string_view, kActions> kActionNames = {"query",  "detail", "statistics", "print",
                                                                 "export", "enter",  "review"};

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

// Where rows of one kind come from, and the name that problems show.
struct Source {
  std::string shown;
  Node node;
  bool of_module = false;  // rows of any kind may stand in it
};

struct Sources {
  std::vector<Source> settings, posts, powers, permissions;
};

// The school's own files, each with rows of its kind, and one file of every module with rows of any.
Sources read_sources(const std::filesystem::path& home, Problems& problems) {
  catalog::SourceFiles files = catalog::read_files(home, "regulation", problems);
  if (std::filesystem::exists(home / "modules")) files.merge(catalog::read_files(home, "modules", problems));
  Sources sources;
  const auto read = [&](const std::string& shown, std::initializer_list<std::vector<Source>*> kinds) {
    if (auto node = catalog::read_toml(files, shown, problems)) {
      for (std::vector<Source>* kind : kinds) kind->push_back(Source{shown, *node, shown.starts_with("modules/")});
    }
  };
  read("regulation/settings.toml", {&sources.settings});
  read("regulation/posts.toml", {&sources.posts});
  if (files.contains("regulation/powers.toml")) read("regulation/powers.toml", {&sources.powers});
  read("regulation/permissions.toml", {&sources.permissions});
  for (const auto& [shown, text] : files) {
    if (shown.starts_with("modules/") && shown.ends_with("/regulation.toml"))
      read(shown, {&sources.settings, &sources.posts, &sources.powers, &sources.permissions});
  }
  return sources;
}

class Loader {
 public:
  Loader(const Catalogue& catalogue, Sources sources, Problems problems)
      : catalogue_(catalogue), problems_(std::move(problems)), sources_(std::move(sources)) {}

  std::variant<Regulation, std::vector<catalog::FileProblem>> load() {
    read(sources_.settings, {"setting"}, [&](const Table& file) {
      for (const Node* node : file.tables("setting")) setting(*node, file.file());
    });
    read(sources_.posts, {"post"}, [&](const Table& file) {
      for (const Node* node : file.tables("post")) post(*node, file.file());
    });
    read(sources_.powers, {"power"}, [&](const Table& file) {
      for (const Node* node : file.tables("power")) power(*node, file.file());
    });
    read(sources_.permissions, {"permit", "forbid"}, [&](const Table& file) {
      for (const Node* node : file.tables("permit")) permit(*node, file.file());
      for (const Node* node : file.tables("forbid")) forbid(*node, file.file());
    });
    check_catalogue();
    check_apart();
    check_written();
    if (!problems_.empty()) return problems_.take();
    regulation_.digest = digest();
    return std::move(regulation_);
  }

  // What load() has read (of another loader of the same sources), spread out into rows of one post and one dataset.
  void take(Regulation regulation) { regulation_ = std::move(regulation); }
  boost::json::object content();
  void number_rules() { ids_ = true; }  // the lines of rules are their ids

 private:
  template <class Read>
  void read(const std::vector<Source>& sources, std::initializer_list<std::string_view> known, Read each) {
    for (const Source& source : sources) {
      if (source.of_module) {
        each(Table(source.node, source.shown, problems_, {"setting", "post", "power", "permit", "forbid"}));
      } else {
        each(Table(source.node, source.shown, problems_, known));
      }
    }
  }
  void add_rules(const Table& table, const Node& node, std::string_view effect, boost::json::array& rules);

  const Dataset& dataset(int index) const { return catalogue_.datasets.at(static_cast<size_t>(index)); }

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
    const Table table(node, file, problems_, {"name", "label", "clause", "from", "where", "unit", "refusal", "apart"});
    Post post;
    post.name = table.text("name");
    post.label = table.label("label");
    post.clause = clause_of(table);
    post.refusal = table.label_if_any("refusal");
    post.apart = table.text_if_any("apart");
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
    const bool fits = post.unit >= 0 && source.fields.at(static_cast<size_t>(post.unit)).type == catalog::Type::ref &&
                      !source.fields.at(static_cast<size_t>(post.unit)).is_lookup();
    if (!fits)
      table.problem(
          "unit", bilingual("unit 应为「{}」自身的 ref 字段", "unit must be an own ref field of '{}'", {source.name}));
  }

  // ---- powers
  void power(const Node& node, const std::string& file) {
    const Table table(node, file, problems_, {"name", "label", "post", "clause"});
    Power power;
    power.name = table.text("name");
    power.label = table.label("label");
    power.clause = clause_of(table);
    power.posts = posts_of(table);
    if (!power.name.empty() && !catalog::is_plain_name(power.name)) {
      table.problem("name", bilingual("名称应为小写字母、数字、下划线", "a name is lower-case letters, digits and _"));
    }
    if (regulation_.power(power.name) != nullptr)
      table.problem("name", bilingual("职权「{}」重复", "power '{}' stands here twice", {power.name}));
    regulation_.powers.push_back(std::move(power));
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
      const std::string& relation = catalogue_.relations.at(static_cast<size_t>(scope.relation)).name;
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
    if (!table.has("actions")) return kReading;
    uint8_t actions = 0;
    for (const Word& word : table.words("actions")) {
      const auto action = action_named(word.text);
      if (action) {
        actions = static_cast<uint8_t>(actions | (1u << static_cast<unsigned>(*action)));
      } else {
        table.problem_at(word.line, bilingual("actions 可用：query detail statistics print export enter review",
                                              "actions are query detail statistics print export enter review"));
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
        {"post", "dataset", "rows", "where", "text", "clear", "masked", "hidden", "actions", "purposes", "clause"});
    Atom atom;
    if (const auto text = table.label_if_any("text")) atom.text = *text;
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
      if (atom.effect == Effect::permit && atom.text.zh.empty()) atom.text = rows_in_words(of, atom);
      atom.rule = ids_ ? table.line() : 0;
      for (const int post : posts) {
        atom.post = post;
        regulation_.atoms.push_back(atom);
      }
    }
  }

  Text rows_in_words(const Dataset& of, const Atom& atom) const {
    if (atom.rows == Atom::Rows::relation) return catalogue_.relations.at(static_cast<size_t>(atom.relation)).label;
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

  // §4.3.2: whoever keeps the system sees no academic data by that.
  void check_apart() {
    for (const Atom& atom : regulation_.atoms) {
      const Post& post = regulation_.posts.at(static_cast<size_t>(atom.post));
      const Dataset& of = dataset(atom.dataset);
      if (post.apart.empty() || atom.effect != Effect::permit || of.by_kernel) continue;
      problems_.add(sources_.permissions.front().shown, static_cast<int>(atom.rule),
                    bilingual("岗位「{}」不得查询教学数据「{}」（§4.3.2）",
                              "post '{}' may not query academic data such as '{}' (§4.3.2)", {post.name, of.name}));
    }
  }

  // What a procedure writes is entered by nobody (Dataset::by_kernel).
  void check_written() {
    for (const Atom& atom : regulation_.atoms) {
      const Dataset& of = dataset(atom.dataset);
      if (atom.effect != Effect::permit || (atom.actions & kWriting) == 0 || !of.by_kernel) continue;
      problems_.add(sources_.permissions.front().shown, static_cast<int>(atom.rule),
                    bilingual("「{}」由程序在办理事项时写入，不能 enter 或 review",
                              "'{}' is written by procedures: nobody may enter or review it", {of.name}));
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
    out.end_object().key("powers").object();
    for (const Power& power : regulation_.powers) {
      out.key(power.name).array();
      for (const int post : power.posts) out.value(post);
      out.end_array();
    }
    out.end_object().end_object();
    const crypto::Digest sum = crypto::sha256(text);
    return crypto::hex(std::string_view(reinterpret_cast<const char*>(sum.data()), sum.size()));
  }

  const Catalogue& catalogue_;
  Problems problems_;
  const Sources sources_;
  Regulation regulation_;
  bool ids_ = false;
};

// ---- content
// ---------------------------------------------------------------------------------------------------------

boost::json::value json_of(const Node& node) {
  switch (node.kind) {
    case Node::Kind::text:
      return boost::json::string(node.text);
    case Node::Kind::integer:
      return node.integer;
    case Node::Kind::real:
      return node.real;
    case Node::Kind::boolean:
      return node.integer != 0;
    case Node::Kind::array: {
      boost::json::array out;
      for (const Node& item : node.items) out.push_back(json_of(item));
      return out;
    }
    case Node::Kind::table: {
      boost::json::object out;
      for (size_t i = 0; i < node.items.size(); ++i) out[node.keys[i]] = json_of(node.items[i]);
      return out;
    }
  }
  return nullptr;
}

Node node_of(const boost::json::value& json, int line) {
  Node node;
  node.line = line;
  if (json.is_string()) {
    node.kind = Node::Kind::text;
    node.text = json.get_string();
  } else if (json.is_bool()) {
    node.kind = Node::Kind::boolean;
    node.integer = json.get_bool() ? 1 : 0;
  } else if (json.is_double()) {
    node.kind = Node::Kind::real;
    node.real = json.get_double();
  } else if (json.is_int64() || json.is_uint64()) {
    node.kind = Node::Kind::integer;
    node.integer = json.is_int64() ? json.get_int64() : static_cast<int64_t>(json.get_uint64());
  } else if (json.is_array()) {
    node.kind = Node::Kind::array;
    for (const boost::json::value& item : json.get_array()) node.items.push_back(node_of(item, line));
  } else if (json.is_object()) {
    for (const auto& [key, value] : json.get_object()) {
      if (value.is_null()) continue;
      node.keys.emplace_back(key);
      node.items.push_back(node_of(value, line));
    }
  } else {
    node.kind = Node::Kind::text;  // null where something must stand: an empty text is refused wherever it matters
  }
  return node;
}

// The rows of one kind of content as the file of that kind would hold them: [[row]] by name of its table.
Source source_of(const boost::json::object& content, std::string_view kind, std::string_view row, Problems& problems) {
  Source source{std::string(kind), {}, false};
  const boost::json::value* rows = content.if_contains(kind);
  if (rows == nullptr || !rows->is_array()) {
    problems.add(source.shown, 0, bilingual("缺少「{}」", "'{}' is missing", {kind}));
    return source;
  }
  const auto add = [&](std::string_view table, Node node) {
    for (size_t i = 0; i < source.node.keys.size(); ++i) {
      if (source.node.keys[i] == table) return void(source.node.items[i].items.push_back(std::move(node)));
    }
    source.node.keys.emplace_back(table);
    source.node.items.push_back({.kind = Node::Kind::array, .text = {}, .items = {std::move(node)}, .keys = {}});
  };
  int place = 0;
  for (const boost::json::value& value : rows->get_array()) {
    ++place;
    if (!value.is_object()) {
      problems.add(source.shown, place, bilingual("应为一行", "must be a row"));
      continue;
    }
    boost::json::object copy = value.get_object();
    if (kind != "rules") {
      add(row, node_of(copy, place));
      continue;
    }
    const boost::json::value* id = copy.if_contains("id");
    const boost::json::value* effect = copy.if_contains("effect");
    const bool known = effect != nullptr && (*effect == "permit" || *effect == "forbid");
    if (id == nullptr || !id->is_int64() || id->get_int64() <= 0 || id->get_int64() > INT32_MAX || !known) {
      problems.add(source.shown, place, bilingual("规则须有编号 id 和 effect", "a rule needs an id and an effect"));
      continue;
    }
    const int line = static_cast<int>(id->get_int64());
    const std::string table(effect->get_string());
    copy.erase("id");
    copy.erase("effect");
    add(table, node_of(copy, line));
  }
  return source;
}

void Loader::add_rules(const Table& table, const Node& node, std::string_view effect, boost::json::array& rules) {
  const std::vector<int> posts = posts_of(table);
  const auto scope = scope_of(table, effect == "forbid");
  if (!scope) return;
  for (const int index : scope->datasets) {
    const Dataset& of = dataset(index);
    boost::json::object rule;
    rule["id"] = 0;
    rule["effect"] = effect;
    rule["post"] = "";
    rule["dataset"] = of.name;
    for (size_t i = 0; i < node.keys.size(); ++i) {
      const std::string& key = node.keys[i];
      if (key == "post" || key == "dataset") continue;
      rule[key] = json_of(node.items[i]);
      if (key != "clear" && key != "masked" && key != "hidden") continue;
      boost::json::array names;  // a list over several datasets: those that this one has
      for (const Word& word : table.words(key)) {
        if (word.text == "*" || of.field(word.text) >= 0) names.push_back(boost::json::string(word.text));
      }
      if (names.empty() && key != "clear") {
        rule.erase(key);
      } else {
        rule[key] = std::move(names);
      }
    }
    for (const int post : posts) {
      rule["id"] = static_cast<int64_t>(rules.size()) + 1;
      rule["post"] = regulation_.posts.at(static_cast<size_t>(post)).name;
      rules.push_back(rule);
    }
  }
}

boost::json::object Loader::content() {
  boost::json::object out;
  const auto copy = [&](std::string_view kind, const std::vector<Source>& sources, const char* row) {
    boost::json::array rows;
    read(sources, {row}, [&](const Table& file) {
      for (const Node* node : file.tables(row)) rows.push_back(json_of(*node));
    });
    out[kind] = std::move(rows);
  };
  copy("settings", sources_.settings, "setting");
  copy("posts", sources_.posts, "post");
  copy("powers", sources_.powers, "power");
  boost::json::array rules;
  read(sources_.permissions, {"permit", "forbid"}, [&](const Table& file) {
    for (const char* effect : {"permit", "forbid"}) {
      for (const Node* node : file.tables(effect)) {
        const Table table(
            *node, file.file(), problems_,
            {"post", "dataset", "rows", "where", "text", "clear", "masked", "hidden", "actions", "purposes", "clause"});
        add_rules(table, *node, effect, rules);
      }
    }
  });
  out["rules"] = std::move(rules);
  return out;
}

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

const Power* Regulation::power(std::string_view name) const {
  for (const Power& each : powers) {
    if (each.name == name) return &each;
  }
  return nullptr;
}

std::variant<Regulation, std::vector<catalog::FileProblem>> load(const std::filesystem::path& home,
                                                                 const Catalogue& catalogue) {
  Problems problems;
  Sources sources = read_sources(home, problems);
  return Loader(catalogue, std::move(sources), std::move(problems)).load();
}

std::variant<boost::json::object, std::vector<catalog::FileProblem>> content_of_files(const std::filesystem::path& home,
                                                                                      const Catalogue& catalogue) {
  Problems problems;
  const Sources sources = read_sources(home, problems);
  auto loaded = Loader(catalogue, sources, std::move(problems)).load();
  if (auto* wrong = std::get_if<std::vector<catalog::FileProblem>>(&loaded)) return std::move(*wrong);
  Loader again(catalogue, sources, {});
  again.take(std::get<Regulation>(std::move(loaded)));
  return again.content();
}

std::variant<Regulation, std::vector<catalog::FileProblem>> load_content(const boost::json::object& content,
                                                                         const Catalogue& catalogue) {
  Problems problems;
  Sources sources{{source_of(content, "settings", "setting", problems)},
                  {source_of(content, "posts", "post", problems)},
                  {source_of(content, "powers", "power", problems)},
                  {source_of(content, "rules", "", problems)}};
  Loader loader(catalogue, std::move(sources), std::move(problems));
  loader.number_rules();
  return loader.load();
}

}  // namespace jw::policy
