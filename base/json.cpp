#include "base/json.hpp"

#include <array>
#include <charconv>

namespace jw {
namespace {

// 0: copy as is; otherwise the character after the backslash, 'u' for \u00XX.
constexpr std::array<char, 256> kEscape = [] {
  std::array<char, 256> table{};
  for (size_t i = 0; i < 0x20; ++i) table[i] = 'u';
  table['"'] = '"';
  table['\\'] = '\\';
  table['\n'] = 'n';
  table['\r'] = 'r';
  table['\t'] = 't';
  table[0x7f] = 'u';
  return table;
}();

void append_integer(std::string& out, int64_t number) {
  std::array<char, 24> buffer;
  const auto result = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number);
  out.append(buffer.data(), result.ptr);
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  size_t start = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char escape = kEscape[static_cast<unsigned char>(text[i])];
    if (escape == 0) continue;
    out.append(text, start, i - start);
    start = i + 1;
    out += '\\';
    out += escape;
    if (escape == 'u') {
      constexpr char kHex[] = "0123456789abcdef";
      const auto byte = static_cast<unsigned char>(text[i]);
      out += "00";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    }
  }
  out.append(text, start, text.size() - start);
  out += '"';
}

void append_decimal(std::string& out, int64_t scaled, int places) {
  if (places <= 0) return append_integer(out, scaled);
  uint64_t magnitude = scaled < 0 ? 0 - static_cast<uint64_t>(scaled) : static_cast<uint64_t>(scaled);
  std::string digits = std::to_string(magnitude);
  const auto width = static_cast<size_t>(places);
  if (digits.size() <= width) digits.insert(0, width + 1 - digits.size(), '0');
  if (scaled < 0) out += '-';
  out.append(digits, 0, digits.size() - width);
  out += '.';
  out.append(digits, digits.size() - width, width);
}

JsonWriter& JsonWriter::key(std::string_view name) {
  separate();
  append_json_string(out_, name);
  out_ += ':';
  comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::value(std::string_view text) {
  separate();
  append_json_string(out_, text);
  return *this;
}

JsonWriter& JsonWriter::value(int64_t number) {
  separate();
  append_integer(out_, number);
  return *this;
}

JsonWriter& JsonWriter::value(bool truth) {
  separate();
  out_ += truth ? "true" : "false";
  return *this;
}

JsonWriter& JsonWriter::null() {
  separate();
  out_ += "null";
  return *this;
}

JsonWriter& JsonWriter::decimal(int64_t scaled, int places) {
  separate();
  append_decimal(out_, scaled, places);
  return *this;
}

JsonWriter& JsonWriter::raw(std::string_view json) {
  separate();
  out_ += json;
  return *this;
}

JsonWriter& JsonWriter::value(const Text& text) {
  return object().field("zh", text.zh).field("en", text.en).end_object();
}

JsonWriter& JsonWriter::value(const Remedy& remedy) {
  object().field("clause", remedy.clause).field("text", remedy.text).field("kind", remedy.kind);
  if (!remedy.prefill_json.empty()) key("prefill").raw(remedy.prefill_json);
  return end_object();
}

}  // namespace jw
