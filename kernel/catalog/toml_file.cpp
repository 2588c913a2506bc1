// The only translation unit that includes toml++: its headers are heavy.
#include <algorithm>
#include <sstream>

// toml++ states with assertions what its parser believes of its own place in the text, and some malformed headers
// ("[.[x]") break that. A file must never end the process, nor be read on a false belief: here the assertion is an
// error like any other.
namespace jw::catalog {
namespace {
struct TomlConfused {};
[[noreturn]] void toml_confused() {
  throw TomlConfused();
}
}  // namespace
}  // namespace jw::catalog
#undef NDEBUG
#define TOML_ASSERT(expression) ((expression) ? void() : jw::catalog::toml_confused())
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

// End of the quoted text that begins at `at`; of the line when a short one is not closed.
size_t end_of_quoted(std::string_view text, size_t at) {
  const char quote = text[at];
  const bool escapes = quote == '"';
  const std::string three(3, quote);
  const bool multi = text.substr(at, 3) == three;
  for (at += multi ? 3 : 1; at < text.size(); ++at) {
    if (escapes && text[at] == '\\') {
      ++at;
    } else if (!multi && (text[at] == quote || text[at] == '\n')) {
      return at + 1;
    } else if (multi && text.substr(at, 3) == three) {
      at += 3;
      while (at < text.size() && text[at] == quote) ++at;  // up to two quotes may belong to the text itself
      return at;
    }
  }
  return text.size();
}

// Line of the first character beyond ASCII that stands neither in quotes nor in a comment, or 0. There TOML allows
// none, and toml++ 3.3 has undefined behaviour for some of them (U+014E).
int stray_character(std::string_view text) {
  for (size_t at = text.starts_with("\xEF\xBB\xBF") ? 3 : 0; at < text.size();) {
    if (text[at] == '"' || text[at] == '\'') {
      at = end_of_quoted(text, at);
    } else if (text[at] == '#') {
      at = std::min(text.find('\n', at), text.size());
    } else if (static_cast<unsigned char>(text[at]) >= 0x80) {
      return 1 + static_cast<int>(std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
    } else {
      ++at;
    }
  }
  return 0;
}

}  // namespace

std::optional<Node> parse_toml(std::string_view text, const std::string& shown, Problems& problems) {
  if (!is_valid_utf8(text)) {
    problems.add(shown, 1, bilingual("文件须为 UTF-8 编码的文本", "the file must be UTF-8 text"));
    return std::nullopt;
  }
  if (const int line = stray_character(text)) {
    problems.add(shown, line,
                 bilingual("引号和注释之外不得有中文或全角字符", "only ASCII may stand outside quotes and comments"));
    return std::nullopt;
  }
  try {
    return node_of(toml::parse(text, shown));
  } catch (const toml::parse_error& error) {
    const std::string what(error.description());
    problems.add(shown, static_cast<int>(error.source().begin.line),
                 bilingual("不是正确的 TOML：{}", "not TOML: {}", {what}));
    return std::nullopt;
  } catch (const TomlConfused&) {
    problems.add(
        shown, 1,
        bilingual("不是正确的 TOML：括号或表头写法有误", "not TOML: brackets or a table header are malformed"));
    return std::nullopt;
  }
}

}  // namespace jw::catalog
