// Files of the catalogue and the regulation as trees with line numbers, and how their mistakes are told
// (docs/catalogue.md). TOML is read in one place (toml_file.cpp); everything else works on Node.
#pragma once

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "kernel/catalog/api.hpp"
#include "kernel/catalog/condition.hpp"

namespace jw::catalog {

// One value of a file. Dates and times written without quotes arrive as text.
struct Node {
  enum class Kind : uint8_t { text, integer, real, boolean, array, table };
  Kind kind = Kind::table;
  int line = 0;
  std::string text;               // text
  int64_t integer = 0;            // integer; boolean: 0 or 1
  double real = 0;                // real
  std::vector<Node> items;        // array: its items; table: its values in the order of the file
  std::vector<std::string> keys;  // table: names of the values
  const Node* find(std::string_view key) const;
};

// Text in both languages with {} replaced by the arguments in turn.
Text bilingual(std::string_view zh, std::string_view en, std::initializer_list<std::string_view> arguments = {});

// The name that was probably meant, or nothing when none is near.
std::optional<std::string> nearest(std::string_view name, const std::vector<std::string>& known);
// "；是否指「score」" / "; did you mean 'score'?" or empty.
Text did_you_mean(std::string_view name, const std::vector<std::string>& known);

// [a-z][a-z0-9_]*, at most 40 characters: what names of datasets, fields, relations, posts, settings must be.
bool is_plain_name(std::string_view name);

class Problems {
 public:
  void add(const std::string& file, int line, Text text);
  bool empty() const { return problems_.empty(); }
  size_t size() const { return problems_.size(); }
  std::vector<FileProblem> take();  // by file and line

 private:
  std::vector<FileProblem> problems_;
};

// Texts of files by the name that problems show: "catalog/grade.toml".
using SourceFiles = std::map<std::string, std::string>;
// All *.toml of HOME/FOLDER and the folders below. What cannot be read is a problem.
SourceFiles read_files(const std::filesystem::path& home, const std::string& folder, Problems& problems);
using TableNames = std::set<std::string, std::less<>>;
// The catalogue of files that are in memory already; see load(). `kernel_tables`: those made by migrations.
std::variant<Catalogue, std::vector<FileProblem>> load_files(const SourceFiles& files,
                                                             const TableNames& kernel_tables = {},
                                                             std::span<const CodeSet> made = {});

// `shown` is the name used in problems ("catalog/grade.toml"). Nothing when the file cannot be read or is not TOML.
std::optional<Node> parse_toml(std::string_view text, const std::string& shown, Problems& problems);
// The file of that name; a problem when there is none.
std::optional<Node> read_toml(const SourceFiles& files, const std::string& shown, Problems& problems);

// Text that knows where it stands.
struct Word {
  std::string text;
  int line = 0;
};

// One table of a file while it is read: what is missing, of a wrong type or unknown is added to the problems.
class Table {
 public:
  Table(const Node& node, std::string file, Problems& problems, std::initializer_list<std::string_view> known);

  bool has(std::string_view key) const { return node_->find(key) != nullptr; }
  const Node* find(std::string_view key) const { return node_->find(key); }
  int line(std::string_view key) const;  // of the key, or of the table when it is absent
  int line() const { return node_->line; }
  const std::string& file() const { return file_; }

  std::string text(std::string_view key) const;         // required and not empty; "" after a problem
  std::string text_if_any(std::string_view key) const;  // "" when absent
  Text label(std::string_view key) const;               // { zh, en }, required
  std::optional<Text> label_if_any(std::string_view key) const;
  std::optional<int64_t> integer(std::string_view key) const;  // nothing when absent
  bool boolean(std::string_view key, bool otherwise) const;
  std::vector<Word> words(std::string_view key) const;          // a text or a list of texts; empty when absent
  std::vector<const Node*> tables(std::string_view key) const;  // [[key]]; empty when absent

  void problem(std::string_view key, Text text) const { problems_->add(file_, line(key), std::move(text)); }
  void problem_at(int line, Text text) const { problems_->add(file_, line, std::move(text)); }
  void missing(std::string_view key) const;

 private:
  const Node* node_;
  std::string file_;
  Problems* problems_;
};

// A condition of a file; problems name the line of the part that is wrong.
std::optional<Condition> read_condition(const Catalogue& catalogue, const Dataset& dataset, const Node& node,
                                        const std::string& file, ConditionUse use, Problems& problems);

}  // namespace jw::catalog
