// CSV as spreadsheets read it: RFC 4180, UTF-8 with byte order mark, CRLF; cells that a spreadsheet would take for a
// formula are disarmed (OWASP ASVS 1.2.10).
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace jw::office {

constexpr std::string_view kCsvMark = "\xEF\xBB\xBF";  // goes first

void append_csv_row(std::string& out, std::span<const std::string> cells);

}  // namespace jw::office
