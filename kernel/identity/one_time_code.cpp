#include "kernel/identity/one_time_code.hpp"

#include "platform/crypto/api.hpp"

namespace jw::identity {
namespace {

std::string percent_encoded(std::string_view text) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '.' || c == '_' || c == '~';
    if (plain) {
      out += c;
    } else {
      out += '%';
      out += kDigits[byte >> 4U];
      out += kDigits[byte & 15U];
    }
  }
  return out;
}

}  // namespace

int64_t step_at(Instant now) {
  return now.us / kStepUs;
}

std::string code_of_step(std::string_view secret, int64_t step) {
  std::string counter(8, '\0');
  for (size_t i = 8; i-- > 0; step >>= 8) counter[i] = static_cast<char>(step & 0xff);
  const std::string digest = crypto::hmac_sha1(secret, counter);
  const auto byte = [&](size_t at) { return static_cast<uint32_t>(static_cast<unsigned char>(digest[at])); };
  const size_t from = byte(19) & 15U;
  uint32_t number = (byte(from) & 0x7fU) << 24U | byte(from + 1) << 16U | byte(from + 2) << 8U | byte(from + 3);
  std::string code(kCodeDigits, '0');
  for (size_t i = kCodeDigits; i-- > 0; number /= 10) code[i] = static_cast<char>('0' + number % 10);
  return code;
}

std::optional<int64_t> matching_step(std::string_view secret, std::string_view code, Instant now, int64_t newest_used) {
  std::optional<int64_t> found;
  for (int64_t step = step_at(now) - 1; step <= step_at(now) + 1; ++step) {
    const bool same = crypto::equal_in_constant_time(code_of_step(secret, step), code);
    if (same && step > newest_used && !found) found = step;
  }
  return found;
}

std::string base32(std::string_view bytes) {
  constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  std::string out;
  uint32_t held = 0;
  unsigned bits = 0;
  for (const char c : bytes) {
    held = held << 8U | static_cast<unsigned char>(c);
    for (bits += 8; bits >= 5; bits -= 5) out += kAlphabet[held >> (bits - 5) & 31U];
  }
  if (bits > 0) out += kAlphabet[held << (5 - bits) & 31U];
  return out;
}

std::string otpauth_uri(std::string_view secret, std::string_view issuer, std::string_view account) {
  const std::string by = percent_encoded(issuer);
  return "otpauth://totp/" + by + ":" + percent_encoded(account) + "?secret=" + base32(secret) + "&issuer=" + by +
         "&algorithm=SHA1&digits=6&period=30";
}

}  // namespace jw::identity
