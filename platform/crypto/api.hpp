// Digests, signatures, random numbers, passwords. Thin over libsodium and OpenSSL; nothing invented.
// Every function may be called from any thread. Errors: what comes from outside and is wrong gives nullopt or false;
// a wrong length of a key given by the program, or a library that cannot work (no memory), is an exception.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace jw::crypto {

using Digest = std::array<uint8_t, 32>;

Digest sha256(std::string_view bytes);
Digest hmac_sha256(std::string_view key, std::string_view bytes);
std::string hmac_sha1(std::string_view key, std::string_view bytes);  // 20 bytes; for RFC 6238 alone
// Streaming SHA-256, for answers and files.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  Sha256& add(std::string_view bytes);
  Digest finish();  // and begins anew

 private:
  void* state_;
};

std::string random_bytes(size_t count);
uint64_t random_number(uint64_t below);      // uniform in [0, below); below > 0
// Codes for people: Crockford base32, for verification codes and one-time passwords.
std::string random_code(size_t characters);
std::string dashed(std::string_view code);         // 7K3M-9QWX-2FJT-AB4C: as people read it
std::string code_as_made(std::string_view typed);  // without dashes and blanks, large, O as 0, I and L as 1
std::string hex(std::string_view bytes);     // lower case
std::string hex(const Digest& digest);
std::optional<std::string> unhex(std::string_view text);  // either case, two digits a byte
std::string_view bytes_of(const Digest& digest);          // the same bytes, borrowed
std::string base64(std::string_view bytes);
std::optional<std::string> unbase64(std::string_view text);  // standard alphabet with padding, canonical only
std::string base64url(std::string_view bytes);               // without padding
std::optional<std::string> unbase64url(std::string_view text);
bool equal_in_constant_time(std::string_view a, std::string_view b);  // the lengths are not secret

// Ed25519. The key pair's seed is 32 bytes.
struct SigningKey {
  std::string seed;
  std::string public_key;  // 32 bytes
  static SigningKey from_seed(std::string_view seed);
  std::string sign(std::string_view message) const;  // 64 bytes
};
bool verify_signature(std::string_view public_key, std::string_view message, std::string_view signature);

// Authenticated encryption whose result depends only on key, context and plain text (the nonce is derived from them),
// so that equal page tokens are equal bytes. XChaCha20-Poly1305 with the context as associated data; the key of the
// cipher and that of the nonce are HMAC(key, label); nonce = first 24 bytes of HMAC(nonce key, length of context ||
// context || plain). Result: nonce, cipher text, 16 bytes tag. `key` may have any length; 32 random bytes are right.
std::string seal(std::string_view key, std::string_view context, std::string_view plain);
std::optional<std::string> unseal(std::string_view key, std::string_view context, std::string_view sealed);

// Argon2id, 19 MiB, t = 2 (OWASP). Slow on purpose (about 20 ms): at most `kPasswordsAtOnce` run at the same time in
// this process, hashing and verifying together; the others wait in the order in which they came.
constexpr int kPasswordsAtOnce = 2;
std::string password_hash(std::string_view password);  // PHC string
bool password_verify(std::string_view hash, std::string_view password);

}  // namespace jw::crypto
