#include "kernel/catalog/source.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <tuple>

#include "base/text.hpp"

namespace jw::catalog {
namespace {

std::string fill_one(std::string_view pattern, std::initializer_list<std::string_view> arguments) {
  std::string out;
  auto argument = arguments.begin();
  for (size_t at = 0; at < pattern.size(); ++at) {
    if (pattern.substr(at, 2) == "{}" && argument != arguments.end()) {
      out += *argument++;
      ++at;
    } else {
      out += pattern[at];
    }
  }
  return out;
}

// Edits (insert, delete, replace, swap of neighbours) from a to b.
size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1), last(b.size() + 1), now(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    now[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      now[j] = std::min({last[j] + 1, now[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) now[j] = std::min(now[j], before[j - 2] + 1);
    }
    before.swap(last);
    last.swap(now);
  }
  return last[b.size()];
}

const char* kind_zh(Node::Kind kind) {
  constexpr const char* kNames[] = {"文本", "整数", "小数", "true 或 false", "列表", "表"};
  return kNames[static_cast<size_t>(kind)];
}

const char* kind_en(Node::Kind kind) {
  constexpr const char* kNames[] = {"text", "an integer", "a number", "true or false", "a list", "a table"};
  return kNames[static_cast<size_t>(kind)];
}

Text wrong_kind(std::string_view key, Node::Kind wanted, Node::Kind found) {
  Text text;
  text.zh = fill_one("「{}」应为{}，现为{}", {key, kind_zh(wanted), kind_zh(found)});
  text.en = fill_one("'{}' must be {}, not {}", {key, kind_en(wanted), kind_en(found)});
  return text;
}

}  // namespace

const Node* Node::find(std::string_view key) const {
  for (size_t i = 0; i < keys.size(); ++i) {
    if (keys[i] == key) return &items[i];
  }
  return nullptr;
}

Text bilingual(std::string_view zh, std::string_view en, std::initializer_list<std::string_view> arguments) {
  return Text{fill_one(zh, arguments), fill_one(en, arguments)};
}

std::optional<std::string> nearest(std::string_view name, const std::vector<std::string>& known) {
  if (name.size() > 80) return std::nullopt;
  size_t best = std::max<size_t>(2, name.size() / 3) + 1;
  std::optional<std::string> found;
  for (const std::string& candidate : known) {
    const size_t edits = distance(name, candidate);
    if (edits < best && edits < candidate.size()) {
      best = edits;
      found = candidate;
    }
  }
  return found;
}

Text did_you_mean(std::string_view name, const std::vector<std::string>& known) {
  const auto near = nearest(name, known);
  return near ? bilingual("；是否指「{}」？", "; did you mean '{}'?", {*near}) : Text{};
}

bool is_plain_name(std::string_view name) {
  if (name.empty() || name.size() > 40 || name[0] < 'a' || name[0] > 'z') return false;
  return std::all_of(name.begin(), name.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

std::string FileProblem::print() const {
  return file + (line > 0 ? ":" + std::to_string(line) : "") + ": " + text.zh + " / " + text.en;
}

std::string print(std::string head, const std::vector<FileProblem>& problems) {
  for (const FileProblem& problem : problems) head += "\n  " + problem.print();
  return head;
}

void Problems::add(const std::string& file, int line, Text text) {
  problems_.push_back(FileProblem{file, line, std::move(text)});
}

std::vector<FileProblem> Problems::take() {
  std::stable_sort(problems_.begin(), problems_.end(), [](const FileProblem& a, const FileProblem& b) {
    return std::tie(a.file, a.line) < std::tie(b.file, b.line);
  });
  return std::move(problems_);
}

SourceFiles read_files(const std::filesystem::path& home, const std::string& folder, Problems& problems) {
  SourceFiles files;
  std::error_code error;
  for (auto at = std::filesystem::recursive_directory_iterator(home / folder, error);
       !error && at != std::filesystem::recursive_directory_iterator(); at.increment(error)) {
    if (at->path().extension() != ".toml") continue;
    const std::string shown = folder + "/" + at->path().lexically_relative(home / folder).generic_string();
    std::ifstream in(at->path(), std::ios::binary);
    std::string text(std::istreambuf_iterator<char>(in), {});
    if (!in) problems.add(shown, 0, bilingual("读不到此文件", "this file cannot be read"));
    files.emplace(shown, std::move(text));
  }
  if (error) problems.add(folder, 0, bilingual("读不到此文件夹", "this folder cannot be read"));
  return files;
}

std::optional<Node> read_toml(const SourceFiles& files, const std::string& shown, Problems& problems) {
  const auto found = files.find(shown);
  if (found != files.end()) return parse_toml(found->second, shown, problems);
  problems.add(shown, 0, bilingual("没有此文件", "this file is missing"));
  return std::nullopt;
}

Table::Table(const Node& node, std::string file, Problems& problems, std::initializer_list<std::string_view> known)
    : node_(&node), file_(std::move(file)), problems_(&problems) {
  const std::vector<std::string> names(known.begin(), known.end());
  for (size_t i = 0; i < node.keys.size(); ++i) {
    const std::string& key = node.keys[i];
    if (std::find(names.begin(), names.end(), key) != names.end()) continue;
    Text text = did_you_mean(key, names);
    if (text.zh.empty()) {
      std::string all;
      for (const std::string& name : names) all += (all.empty() ? "" : " ") + name;
      text = bilingual("；此处可用：{}", "; known here: {}", {all});
    }
    problems.add(file_, node.items[i].line,
                 Text{"不认识「" + key + "」" + text.zh, "unknown key '" + key + "'" + text.en});
  }
}

int Table::line(std::string_view key) const {
  const Node* node = node_->find(key);
  return node != nullptr ? node->line : node_->line;
}

void Table::missing(std::string_view key) const {
  problem(key, bilingual("缺少「{}」", "'{}' is missing", {key}));
}

std::string Table::text(std::string_view key) const {
  if (!has(key)) {
    missing(key);
    return {};
  }
  std::string found = text_if_any(key);
  if (found.empty() && find(key)->kind == Node::Kind::text) {
    problem(key, bilingual("「{}」不得为空", "'{}' must not be empty", {key}));
  }
  return found;
}

std::string Table::text_if_any(std::string_view key) const {
  const Node* node = find(key);
  if (node == nullptr) return {};
  if (node->kind != Node::Kind::text) {
    problem(key, wrong_kind(key, Node::Kind::text, node->kind));
    return {};
  }
  return node->text;
}

Text Table::label(std::string_view key) const {
  if (!has(key)) {
    problem(key, bilingual("缺少「{}」，应写作 {} = { zh = \"…\", en = \"…\" }",
                           "'{}' is missing: write {} = { zh = \"…\", en = \"…\" }", {key, key}));
    return {};
  }
  return label_if_any(key).value_or(Text{});
}

std::optional<Text> Table::label_if_any(std::string_view key) const {
  const Node* node = find(key);
  if (node == nullptr) return std::nullopt;
  if (node->kind != Node::Kind::table) {
    problem(key, bilingual("「{}」须有中英文两种：{ zh = \"…\", en = \"…\" }",
                           "'{}' needs both languages: { zh = \"…\", en = \"…\" }", {key}));
    return std::nullopt;
  }
  const Table languages(*node, file_, *problems_, {"zh", "en"});
  return Text{languages.text("zh"), languages.text("en")};
}

std::optional<int64_t> Table::integer(std::string_view key) const {
  const Node* node = find(key);
  if (node == nullptr) return std::nullopt;
  if (node->kind != Node::Kind::integer) {
    problem(key, wrong_kind(key, Node::Kind::integer, node->kind));
    return std::nullopt;
  }
  return node->integer;
}

bool Table::boolean(std::string_view key, bool otherwise) const {
  const Node* node = find(key);
  if (node == nullptr) return otherwise;
  if (node->kind != Node::Kind::boolean) {
    problem(key, wrong_kind(key, Node::Kind::boolean, node->kind));
    return otherwise;
  }
  return node->integer != 0;
}

std::vector<Word> Table::words(std::string_view key) const {
  const Node* node = find(key);
  if (node == nullptr) return {};
  if (node->kind == Node::Kind::text) return {Word{node->text, node->line}};
  if (node->kind != Node::Kind::array) {
    problem(key, wrong_kind(key, Node::Kind::array, node->kind));
    return {};
  }
  std::vector<Word> words;
  for (const Node& item : node->items) {
    if (item.kind == Node::Kind::text) {
      words.push_back(Word{item.text, item.line});
    } else {
      problem_at(item.line, wrong_kind(key, Node::Kind::text, item.kind));
    }
  }
  return words;
}

std::vector<const Node*> Table::tables(std::string_view key) const {
  const Node* node = find(key);
  if (node == nullptr) return {};
  std::vector<const Node*> found;
  if (node->kind == Node::Kind::array) {
    for (const Node& item : node->items) {
      if (item.kind == Node::Kind::table) found.push_back(&item);
    }
  }
  if (node->kind != Node::Kind::array || found.size() != node->items.size()) {
    problem(key, bilingual("「{}」应写作 [[{}]]，可写多次", "'{}' must be written [[{}]], once for each", {key, key}));
  }
  return found;
}

}  // namespace jw::catalog
