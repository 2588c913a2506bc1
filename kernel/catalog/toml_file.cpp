// The only translation unit that includes toml++: its headers are heavy.
#include <algorithm>
#include <sstream>

#include <toml++/toml.h>

#include "base/text.hpp"
#include "kernel/catalog/source.hpp"

namespace jw::catalog {
namespace {

int line_of(const toml::node& node) {
  return static_cast<int>(node.source().begin.line);
}

template <class T>
std::string printed(const T& value) {
  std::ostringstream out;
  out << value;
  return std::move(out).str();
}

Node node_of(const toml::node& from);

Node table_of(const toml::table& from) {
  Node node;
  node.kind = Node::Kind::table;
  // toml++ keeps names in alphabetical order; people expect problems and fields in the order of the file.
  struct Entry {
    toml::source_position at;
    const toml::key* key;
    const toml::node* value;
  };
  std::vector<Entry> entries;
  for (const auto& [key, value] : from) entries.push_back({key.source().begin, &key, &value});
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.at < b.at; });
  for (const Entry& entry : entries) {
    node.keys.emplace_back(entry.key->str());
    node.items.push_back(node_of(*entry.value));
    node.items.back().line = std::max(node.items.back().line, static_cast<int>(entry.at.line));
  }
  return node;
}

Node array_of(const toml::array& from) {
  Node node;
  node.kind = Node::Kind::array;
  for (const toml::node& item : from) node.items.push_back(node_of(item));
  return node;
}

Node node_of(const toml::node& from) {
  Node node;
  if (const toml::table* table = from.as_table()) {
    node = table_of(*table);
  } else if (const toml::array* array = from.as_array()) {
    node = array_of(*array);
  } else if (const auto* text = from.as_string()) {
    node.kind = Node::Kind::text;
    node.text = text->get();
  } else if (const auto* integer = from.as_integer()) {
    node.kind = Node::Kind::integer;
    node.integer = integer->get();
  } else if (const auto* real = from.as_floating_point()) {
    node.kind = Node::Kind::real;
    node.real = real->get();
  } else if (const auto* boolean = from.as_boolean()) {
    node.kind = Node::Kind::boolean;
    node.integer = boolean->get() ? 1 : 0;
  } else {
    node.kind = Node::Kind::text;
    if (const auto* date = from.as_date()) node.text = printed(date->get());
    if (const auto* time = from.as_time()) node.text = printed(time->get());
    if (const auto* instant = from.as_date_time()) node.text = printed(instant->get());
  }
  node.line = line_of(from);
  return node;
}

}  // namespace

std::optional<Node> parse_toml(std::string_view text, const std::string& shown, Problems& problems) {
  if (!is_valid_utf8(text)) {
    problems.add(shown, 1, bilingual("文件须为 UTF-8 编码的文本", "the file must be UTF-8 text"));
    return std::nullopt;
  }
  try {
    return node_of(toml::parse(text, shown));
  } catch (const toml::parse_error& error) {
    const std::string what(error.description());
    problems.add(shown, static_cast<int>(error.source().begin.line),
                 bilingual("不是正确的 TOML：{}", "not TOML: {}", {what}));
    return std::nullopt;
  }
}

}  // namespace jw::catalog
