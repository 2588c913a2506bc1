#include "platform/office/csv.hpp"

namespace jw::office {

namespace {

bool is_plain_number(std::string_view text) {
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) text.remove_prefix(1);
  bool digit = false;
  for (char c : text) {
    if (c != '.' && (c < '0' || c > '9')) return false;
    digit = digit || c != '.';
  }
  return digit;
}

bool looks_like_formula(std::string_view text) {
  if (text.empty()) return false;
  const char c = text.front();
  return (c == '=' || c == '+' || c == '-' || c == '@' || c == '\t' || c == '\r') && !is_plain_number(text);
}

}  // namespace

void append_csv_row(std::string& out, std::span<const std::string> cells) {
  bool first = true;
  for (const std::string& cell : cells) {
    if (!first) out += ',';
    first = false;
    const bool formula = looks_like_formula(cell);
    const bool quote = formula || cell.find_first_of(",\"\r\n") != std::string::npos;
    if (!quote) {
      out += cell;
      continue;
    }
    out += '"';
    if (formula) out += '\'';
    for (char c : cell) {
      if (c == '"') out += '"';
      out += c;
    }
    out += '"';
  }
  out += "\r\n";
}

}  // namespace jw::office
