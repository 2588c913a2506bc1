#include "kernel/catalog/pattern.hpp"

namespace jw::catalog {
namespace {

std::wstring wide(std::string_view text) {
  static_assert(sizeof(wchar_t) == 4, "a wchar_t holds a code point");
  std::wstring out;
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    char32_t point = length == 1 ? lead : lead & (0x7Fu >> length);
    for (size_t k = 1; k < length && i + k < text.size(); ++k) {
      point = (point << 6) | (static_cast<unsigned char>(text[i + k]) & 0x3Fu);
    }
    out += static_cast<wchar_t>(point);
    i += length;
  }
  return out;
}

}  // namespace

Pattern::Pattern(std::string_view expression)
    : expression_(wide(expression), std::regex::ECMAScript | std::regex::optimize) {}

bool Pattern::matches(std::string_view valid_utf8) const {
  return std::regex_match(wide(valid_utf8), expression_);
}

}  // namespace jw::catalog
