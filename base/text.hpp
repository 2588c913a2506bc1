// UTF-8 text: validity, code points, NFKC, pinyin keys.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace jw {

bool is_valid_utf8(std::string_view text);        // no surrogates, no overlong forms, no NUL
size_t code_points(std::string_view valid_utf8);  // number of code points
std::u32string utf32(std::string_view valid_utf8);
std::string utf8(std::u32string_view code_points);
std::string nfkc(std::string_view valid_utf8);  // Unicode normalisation form KC (full-width forms become plain)
std::string_view trim(std::string_view text);   // ASCII white space and U+3000 at both ends
std::vector<std::string_view> split(std::string_view text, char separator);

// Sort key of a person's name: toneless pinyin of each character in capitals, then the name itself, so that equal
// sounds keep a fixed order. "张三" -> "ZHANG SAN 张三". Surnames read differently as surnames (单 Shan, 曾 Zeng …) are
// known.
std::string pinyin_key(std::string_view name);

}  // namespace jw
