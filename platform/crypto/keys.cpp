#include <sodium.h>

#include <stdexcept>

#include "platform/crypto/api.hpp"
#include "platform/crypto/sodium.hpp"

namespace jw::crypto {
namespace {

const unsigned char* bytes_in(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes_out(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

constexpr size_t kNonce = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr size_t kTag = crypto_aead_xchacha20poly1305_ietf_ABYTES;
static_assert(crypto_aead_xchacha20poly1305_ietf_KEYBYTES == sizeof(Digest));

Digest cipher_key(std::string_view key) {
  return hmac_sha256(key, "jiaowu seal 1 cipher");
}

std::string nonce_of(std::string_view key, std::string_view context, std::string_view plain) {
  const Digest nonce_key = hmac_sha256(key, "jiaowu seal 1 nonce");
  std::string message = std::to_string(context.size()) + ":";
  message.append(context).append(plain);
  return std::string(bytes_of(hmac_sha256(bytes_of(nonce_key), message)).substr(0, kNonce));
}

}  // namespace

SigningKey SigningKey::from_seed(std::string_view seed) {
  if (seed.size() != crypto_sign_SEEDBYTES) throw std::invalid_argument("an Ed25519 seed has 32 bytes");
  sodium_ready();
  SigningKey key;
  key.seed = seed;
  key.public_key.resize(crypto_sign_PUBLICKEYBYTES);
  std::string secret(crypto_sign_SECRETKEYBYTES, '\0');
  crypto_sign_seed_keypair(bytes_out(key.public_key), bytes_out(secret), bytes_in(seed));
  sodium_memzero(secret.data(), secret.size());
  return key;
}

std::string SigningKey::sign(std::string_view message) const {
  if (seed.size() != crypto_sign_SEEDBYTES || public_key.size() != crypto_sign_PUBLICKEYBYTES) {
    throw std::invalid_argument("sign with a key that was not made");
  }
  std::string secret = seed + public_key;  // the form in which libsodium keeps a secret key
  std::string signature(crypto_sign_BYTES, '\0');
  crypto_sign_detached(bytes_out(signature), nullptr, bytes_in(message), message.size(), bytes_in(secret));
  sodium_memzero(secret.data(), secret.size());
  return signature;
}

bool verify_signature(std::string_view public_key, std::string_view message, std::string_view signature) {
  if (public_key.size() != crypto_sign_PUBLICKEYBYTES || signature.size() != crypto_sign_BYTES) return false;
  sodium_ready();
  return crypto_sign_verify_detached(bytes_in(signature), bytes_in(message), message.size(), bytes_in(public_key)) == 0;
}

std::string seal(std::string_view key, std::string_view context, std::string_view plain) {
  sodium_ready();
  std::string sealed = nonce_of(key, context, plain);
  const Digest cipher = cipher_key(key);
  sealed.resize(kNonce + plain.size() + kTag);
  unsigned long long length = 0;
  crypto_aead_xchacha20poly1305_ietf_encrypt(bytes_out(sealed) + kNonce, &length, bytes_in(plain), plain.size(),
                                             bytes_in(context), context.size(), nullptr, bytes_in(sealed),
                                             cipher.data());
  return sealed;
}

std::optional<std::string> unseal(std::string_view key, std::string_view context, std::string_view sealed) {
  if (sealed.size() < kNonce + kTag) return std::nullopt;
  sodium_ready();
  const Digest cipher = cipher_key(key);
  std::string plain(sealed.size() - kNonce - kTag, '\0');
  unsigned long long length = 0;
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(bytes_out(plain), &length, nullptr, bytes_in(sealed) + kNonce,
                                                 sealed.size() - kNonce, bytes_in(context), context.size(),
                                                 bytes_in(sealed), cipher.data()) != 0) {
    return std::nullopt;
  }
  return plain;
}

}  // namespace jw::crypto
