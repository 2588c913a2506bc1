// Numbers and texts as the leaves hold them (leaf.hpp): an unsigned LEB128 in its shortest form; a text with its length
// in front. Inside kernel/record only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace jw::record {

void put_number(std::string& out, uint64_t value);
void put_text(std::string& out, std::string_view text);
// Each takes what it reads off the front; false when it is not there to the letter.
bool get_number(std::string_view& in, uint64_t& value);
bool get_number(std::string_view& in, int64_t& value);
bool get_text(std::string_view& in, std::string_view& text);

}  // namespace jw::record
