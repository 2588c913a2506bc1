#include "kernel/record/bytes.hpp"

namespace jw::record {

void put_number(std::string& out, uint64_t value) {
  while (value >= 0x80) {
    out += static_cast<char>((value & 0x7fU) | 0x80U);
    value >>= 7U;
  }
  out += static_cast<char>(value);
}

bool get_number(std::string_view& in, uint64_t& value) {
  value = 0;
  for (size_t i = 0; i < in.size() && i < 10; ++i) {
    const auto byte = static_cast<unsigned char>(in[i]);
    if (i == 9 && byte > 1) return false;  // over 64 bits
    value |= static_cast<uint64_t>(byte & 0x7fU) << (7 * i);
    if ((byte & 0x80U) != 0) continue;
    if (byte == 0 && i > 0) return false;  // not the shortest form
    in.remove_prefix(i + 1);
    return true;
  }
  return false;
}

bool get_number(std::string_view& in, int64_t& value) {
  uint64_t bits = 0;
  if (!get_number(in, bits)) return false;
  value = static_cast<int64_t>(bits);
  return true;
}

void put_text(std::string& out, std::string_view text) {
  put_number(out, text.size());
  out += text;
}

bool get_text(std::string_view& in, std::string_view& text) {
  uint64_t size = 0;
  if (!get_number(in, size) || size > in.size()) return false;
  text = in.substr(0, size);
  in.remove_prefix(size);
  return true;
}

}  // namespace jw::record
