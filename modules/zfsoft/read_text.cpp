// Text as it stands in an export that was once a web page: tags and entities, then the one normal form of the product.
#include <array>
#include <charconv>

#include "base/text.hpp"
#include "base/typed.hpp"
#include "modules/zfsoft/api.hpp"

namespace jw::zfsoft {

namespace {

constexpr auto kTags = std::to_array<std::string_view>({"br", "p", "div", "span", "font", "b", "i", "u", "em", "strong",
                                                        "sup", "sub", "a", "td", "nobr", "center", "label"});
constexpr size_t kTagMost = 200, kEntityMost = 10;

constexpr auto kEntities = std::to_array<std::pair<std::string_view, char32_t>>(
    {{"amp", '&'},      {"lt", '<'},       {"gt", '>'},       {"quot", '"'},     {"apos", '\''},     {"nbsp", ' '},
     {"ensp", ' '},     {"emsp", ' '},     {"middot", 0xB7},  {"bull", 0x2022},  {"ndash", 0x2013},  {"mdash", 0x2014},
     {"lsquo", 0x2018}, {"rsquo", 0x2019}, {"ldquo", 0x201C}, {"rdquo", 0x201D}, {"hellip", 0x2026}, {"times", 0xD7},
     {"deg", 0xB0},     {"reg", 0xAE},     {"auml", 0xE4},    {"ouml", 0xF6},    {"uuml", 0xFC},     {"Auml", 0xC4},
     {"Ouml", 0xD6},    {"Uuml", 0xDC},    {"szlig", 0xDF},   {"eacute", 0xE9},  {"egrave", 0xE8},   {"alpha", 0x3B1},
     {"beta", 0x3B2},   {"gamma", 0x3B3},  {"pi", 0x3C0},     {"mu", 0x3BC}});

// Length of a known tag that begins here, 0 when none does: "C++ <T>" stays.
size_t tag_at(std::string_view text) {
  const size_t end = text.substr(0, kTagMost).find('>');
  if (text.front() != '<' || end == std::string_view::npos) return 0;
  std::string_view inside = text.substr(1, end - 1);
  if (inside.starts_with('/')) inside.remove_prefix(1);
  const size_t word = std::min(inside.find_first_of(" /\t\n"), inside.size());
  std::string name(inside.substr(0, word));
  for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return std::find(kTags.begin(), kTags.end(), name) == kTags.end() ? 0 : end + 1;
}

struct Entity {
  char32_t point = 0;
  size_t length = 0;  // 0 = none begins here
};

Entity entity_at(std::string_view text) {
  const size_t end = text.substr(0, kEntityMost).find(';');
  if (text.front() != '&' || end == std::string_view::npos) return {};
  const std::string_view name = text.substr(1, end - 1);
  for (const auto& [known, point] : kEntities) {
    if (known == name) return {point, end + 1};
  }
  if (!name.starts_with('#')) return {};
  const bool hex = name.size() > 1 && (name[1] == 'x' || name[1] == 'X');
  const std::string_view digits = name.substr(hex ? 2 : 1);
  uint32_t point = 0;
  const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), point, hex ? 16 : 10);
  const bool surrogate = point >= 0xD800 && point <= 0xDFFF;
  if (error != std::errc{} || stop != digits.data() + digits.size() || point == 0 || point > 0x10FFFF || surrogate)
    return {};
  return {point, end + 1};
}

}  // namespace

Cleaned cell_text(std::string_view valid_utf8) {
  std::string plain;
  for (size_t at = 0; at < valid_utf8.size();) {
    const std::string_view rest = valid_utf8.substr(at);
    if (const size_t tag = tag_at(rest); tag > 0) {
      plain += '\n';
      at += tag;
    } else if (const Entity entity = entity_at(rest); entity.length > 0) {
      plain += utf8(std::u32string(1, entity.point));
      at += entity.length;
    } else {
      plain += rest.front();
      ++at;
    }
  }
  return cleaned_text(plain);
}

std::string one_line(std::string_view text) {
  std::u32string out;
  for (const char32_t c : utf32(text)) {
    const bool blank = c == ' ' || c == '\n' || c == 0x3000;
    if (!blank) {
      out += c;
    } else if (!out.empty() && out.back() != ' ') {
      out += ' ';
    }
  }
  if (!out.empty() && out.back() == ' ') out.pop_back();
  return utf8(out);
}

}  // namespace jw::zfsoft
