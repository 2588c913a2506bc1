#include "platform/http/target.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace jw::http {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_control(char c) {
  return (c >= 0 && c < 0x20) || c == 0x7f;
}

bool has_dot_segment(std::string_view path) {
  if (path.find("/.") == std::string_view::npos) return false;
  for (const std::string_view segment : split(path, '/')) {
    if (segment == "." || segment == "..") return true;
  }
  return false;
}

}  // namespace

std::optional<std::string> percent_decode(std::string_view text, Plus plus) {
  std::string out;
  out.reserve(text.size());
  bool ascii = true;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = hex_digit(text[i + 1]), low = hex_digit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    } else if (c == '+' && plus == Plus::space) {
      c = ' ';
    }
    if (is_control(c)) return std::nullopt;
    ascii = ascii && c >= 0;
    out += c;
  }
  if (!ascii && !is_valid_utf8(out)) return std::nullopt;
  return out;
}

bool read_target(std::string_view target, Request& request, std::string_view& raw_path) {
  if (target.starts_with("http://") || target.starts_with("https://")) {
    const size_t slash = target.find('/', target.find("//") + 2);
    if (slash == std::string_view::npos) return false;
    target.remove_prefix(slash);
  }
  if (target.empty() || target.front() != '/' || target.find('#') != std::string_view::npos) return false;
  const size_t mark = target.find('?');
  raw_path = target.substr(0, mark);
  const std::string_view query = mark == std::string_view::npos ? std::string_view{} : target.substr(mark + 1);
  auto path = percent_decode(raw_path, Plus::itself);
  if (!path || has_dot_segment(*path)) return false;
  if (!query.empty() && !percent_decode(query, Plus::itself)) return false;
  request.path = std::move(*path);
  request.query = query;
  return true;
}

}  // namespace jw::http
