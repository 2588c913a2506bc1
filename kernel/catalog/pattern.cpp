#include "kernel/catalog/pattern.hpp"

#include "base/text.hpp"

namespace jw::catalog {
namespace {

std::wstring wide(std::string_view text) {
  static_assert(sizeof(wchar_t) == 4, "a wchar_t holds a code point");
  const std::u32string points = utf32(text);
  return {points.begin(), points.end()};
}

}  // namespace

Pattern::Pattern(std::string_view expression)
    : expression_(wide(expression), std::regex::ECMAScript | std::regex::optimize) {}

bool Pattern::matches(std::string_view valid_utf8) const {
  return std::regex_match(wide(valid_utf8), expression_);
}

}  // namespace jw::catalog
