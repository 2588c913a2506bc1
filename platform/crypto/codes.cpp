#include <sodium.h>

#include <limits>
#include <stdexcept>

#include "platform/crypto/api.hpp"
#include "platform/crypto/sodium.hpp"

namespace jw::crypto {
namespace {

std::string encode(std::string_view bytes, int variant) {
  // sodium counts and writes a final NUL
  std::string text(sodium_base64_encoded_len(bytes.size(), variant), '\0');
  sodium_bin2base64(text.data(), text.size(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
                    variant);
  text.pop_back();
  return text;
}

std::optional<std::string> decode(std::string_view text, int variant) {
  std::string bytes(text.size() / 4 * 3 + 3, '\0');
  size_t length = 0;
  if (sodium_base642bin(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(), text.data(), text.size(), nullptr,
                        &length, nullptr, variant) != 0) {
    return std::nullopt;
  }
  bytes.resize(length);
  // libsodium 1.0.18 also takes some bytes above 0x7f, at the padding for one: only what we would write ourselves is
  // right.
  if (encode(bytes, variant) != text) return std::nullopt;
  return bytes;
}

}  // namespace

void sodium_ready() {
  static const int state = sodium_init();
  if (state < 0) throw std::runtime_error("libsodium cannot start");
}

std::string random_bytes(size_t count) {
  sodium_ready();
  std::string bytes(count, '\0');
  randombytes_buf(bytes.data(), bytes.size());
  return bytes;
}

uint64_t random_number(uint64_t below) {
  if (below == 0) throw std::invalid_argument("random_number(0)");
  sodium_ready();
  // Numbers under 2^64 mod below would make the small results likelier: drawn again.
  const uint64_t smallest = (std::numeric_limits<uint64_t>::max() - below + 1) % below;
  for (;;) {
    uint64_t number = 0;
    randombytes_buf(&number, sizeof number);
    if (number >= smallest) return number % below;
  }
}

std::string random_code(size_t characters) {
  static constexpr char kAlphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  std::string code = random_bytes(characters);
  for (char& c : code) c = kAlphabet[static_cast<unsigned char>(c) & 31U];
  return code;
}

std::string dashed(std::string_view code) {
  std::string out;
  for (size_t i = 0; i < code.size(); ++i) {
    if (i > 0 && i % 4 == 0) out += '-';
    out += code[i];
  }
  return out;
}

std::string code_as_made(std::string_view typed) {
  std::string code;
  code.reserve(typed.size());
  for (char c : typed) {
    if (c == '-' || c == ' ') continue;
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    if (c == 'O') c = '0';
    if (c == 'I' || c == 'L') c = '1';
    code += c;
  }
  return code;
}

std::string hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    text += kDigits[static_cast<unsigned char>(c) >> 4U];
    text += kDigits[static_cast<unsigned char>(c) & 15U];
  }
  return text;
}

std::string hex(const Digest& digest) {
  return hex(bytes_of(digest));
}

std::optional<std::string> unhex(std::string_view text) {
  std::string bytes(text.size() / 2, '\0');
  size_t length = 0;
  if (text.size() % 2 != 0 ||
      sodium_hex2bin(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(), text.data(), text.size(), nullptr,
                     &length, nullptr) != 0 ||
      length != bytes.size()) {
    return std::nullopt;
  }
  return bytes;
}

std::string_view bytes_of(const Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

std::string base64(std::string_view bytes) {
  return encode(bytes, sodium_base64_VARIANT_ORIGINAL);
}
std::optional<std::string> unbase64(std::string_view text) {
  return decode(text, sodium_base64_VARIANT_ORIGINAL);
}
std::string base64url(std::string_view bytes) {
  return encode(bytes, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}
std::optional<std::string> unbase64url(std::string_view text) {
  return decode(text, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace jw::crypto
