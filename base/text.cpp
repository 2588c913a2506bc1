#include "base/text.hpp"

#include <unicode/normalizer2.h>
#include <unicode/translit.h>
#include <unicode/unistr.h>

#include <array>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <unordered_map>

namespace jw {

bool is_valid_utf8(std::string_view text) {
  const auto* p = reinterpret_cast<const unsigned char*>(text.data());
  const auto* end = p + text.size();
  const auto continues = [&](size_t n) {
    for (size_t i = 1; i <= n; ++i) {
      if (p + i >= end || (p[i] & 0xC0) != 0x80) return false;
    }
    return true;
  };
  while (p < end) {
    if (*p == 0) return false;
    if (*p < 0x80) {
      p += 1;
    } else if (*p >= 0xC2 && *p <= 0xDF) {
      if (!continues(1)) return false;
      p += 2;
    } else if (*p >= 0xE0 && *p <= 0xEF) {
      if (!continues(2) || (*p == 0xE0 && p[1] < 0xA0) || (*p == 0xED && p[1] > 0x9F)) return false;
      p += 3;
    } else if (*p >= 0xF0 && *p <= 0xF4) {
      if (!continues(3) || (*p == 0xF0 && p[1] < 0x90) || (*p == 0xF4 && p[1] > 0x8F)) return false;
      p += 4;
    } else {
      return false;
    }
  }
  return true;
}

size_t code_points(std::string_view text) {
  size_t count = 0;
  for (char c : text) count += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return count;
}

std::u32string utf32(std::string_view text) {
  std::u32string out;
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    char32_t point = length == 1 ? lead : lead & (0x7Fu >> length);
    for (size_t k = 1; k < length && i + k < text.size(); ++k)
      point = (point << 6) | (static_cast<unsigned char>(text[i + k]) & 0x3Fu);
    out += point;
    i += length;
  }
  return out;
}

std::string utf8(std::u32string_view points) {
  std::string out;
  icu::UnicodeString::fromUTF32(reinterpret_cast<const UChar32*>(points.data()), static_cast<int32_t>(points.size()))
      .toUTF8String(out);
  return out;
}

std::string nfkc(std::string_view text) {
  bool ascii = true;
  for (char c : text) ascii = ascii && static_cast<unsigned char>(c) < 0x80;
  if (ascii) return std::string(text);
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* normalizer = icu::Normalizer2::getNFKCInstance(status);
  if (U_FAILURE(status)) throw std::runtime_error("ICU: NFKC data is missing");
  const icu::UnicodeString source =
      icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<int>(text.size())));
  std::string out;
  normalizer->normalize(source, status).toUTF8String(out);
  if (U_FAILURE(status)) throw std::runtime_error("ICU: NFKC failed");
  return out;
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kWide = "\xE3\x80\x80";
  const auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  for (;;) {
    if (!text.empty() && is_space(text.front())) {
      text.remove_prefix(1);
    } else if (text.starts_with(kWide)) {
      text.remove_prefix(kWide.size());
    } else {
      break;
    }
  }
  for (;;) {
    if (!text.empty() && is_space(text.back())) {
      text.remove_suffix(1);
    } else if (text.ends_with(kWide)) {
      text.remove_suffix(kWide.size());
    } else {
      break;
    }
  }
  return text;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  size_t start = 0;
  for (;;) {
    const size_t at = text.find(separator, start);
    parts.push_back(text.substr(start, at == std::string_view::npos ? at : at - start));
    if (at == std::string_view::npos) return parts;
    start = at + 1;
  }
}

namespace {

// Surnames whose reading as a surname differs from the commonest reading.
const std::unordered_map<std::string_view, std::string_view> kSurnames = {
    {"单", "SHAN"}, {"曾", "ZENG"}, {"解", "XIE"},  {"仇", "QIU"}, {"朴", "PIAO"}, {"查", "ZHA"},  {"任", "REN"},
    {"盖", "GE"},   {"区", "OU"},   {"翟", "ZHAI"}, {"尉", "WEI"}, {"乐", "YUE"},  {"缪", "MIAO"}, {"冼", "XIAN"},
    {"召", "SHAO"}, {"幺", "YAO"},  {"繁", "PO"},   {"覃", "QIN"}, {"员", "YUN"},  {"逄", "PANG"}, {"华", "HUA"}};

// Reading of one character; transliterating is slow (tens of microseconds), names use few thousand characters.
const std::string& reading(std::string_view character) {
  static std::mutex mutex;
  static std::unordered_map<std::string, std::string> known;
  static std::unique_ptr<icu::Transliterator> transliterator = [] {
    UErrorCode status = U_ZERO_ERROR;
    std::unique_ptr<icu::Transliterator> made(
        icu::Transliterator::createInstance("Han-Latin; Latin-ASCII; Upper", UTRANS_FORWARD, status));
    if (U_FAILURE(status) || !made) throw std::runtime_error("ICU: Han-Latin data is missing");
    return made;
  }();
  const std::lock_guard lock(mutex);
  const auto [it, added] = known.try_emplace(std::string(character));
  if (added) {
    icu::UnicodeString text =
        icu::UnicodeString::fromUTF8(icu::StringPiece(character.data(), static_cast<int>(character.size())));
    transliterator->transliterate(text);
    text.toUTF8String(it->second);
  }
  return it->second;  // references into an unordered_map stay valid
}

}  // namespace

std::string pinyin_key(std::string_view name) {
  std::string key;
  bool first = true;
  for (size_t at = 0; at < name.size();) {
    const auto lead = static_cast<unsigned char>(name[at]);
    const size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    const std::string_view character = name.substr(at, length);
    at += length;
    if (length == 1) {
      key += lead >= 'a' && lead <= 'z' ? static_cast<char>(lead - 'a' + 'A') : static_cast<char>(lead);
    } else {
      const auto surname = first ? kSurnames.find(character) : kSurnames.end();
      if (surname != kSurnames.end()) {
        key += surname->second;
      } else {
        key += reading(character);
      }
      key += ' ';
    }
    first = false;
  }
  if (!key.empty() && key.back() != ' ') key += ' ';
  key += name;
  return key;
}

}  // namespace jw
