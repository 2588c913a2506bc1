#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/params.h>

#include <memory>
#include <stdexcept>

#include "platform/crypto/api.hpp"

namespace jw::crypto {
namespace {

struct Free {
  void operator()(EVP_MD* p) const { EVP_MD_free(p); }
  void operator()(EVP_MD_CTX* p) const { EVP_MD_CTX_free(p); }
  void operator()(EVP_MAC* p) const { EVP_MAC_free(p); }
  void operator()(EVP_MAC_CTX* p) const { EVP_MAC_CTX_free(p); }
};

void must(bool held, const char* what) {
  if (!held) throw std::runtime_error(what);
}

// Fetching an algorithm by name costs more than hashing a leaf with it, hence once a process.
const EVP_MD* sha256_method() {
  static const std::unique_ptr<EVP_MD, Free> method(EVP_MD_fetch(nullptr, "SHA256", nullptr));
  must(method != nullptr, "OpenSSL has no SHA-256");
  return method.get();
}

EVP_MD_CTX* thread_context() {
  thread_local const std::unique_ptr<EVP_MD_CTX, Free> context(EVP_MD_CTX_new());
  must(context != nullptr, "no memory for a digest");
  return context.get();
}

void start(EVP_MD_CTX* context) {
  must(EVP_DigestInit_ex2(context, sha256_method(), nullptr) == 1, "SHA-256 start");
}

void take(EVP_MD_CTX* context, std::string_view bytes) {
  must(EVP_DigestUpdate(context, bytes.data(), bytes.size()) == 1, "SHA-256 update");
}

Digest end(EVP_MD_CTX* context) {
  Digest digest;
  must(EVP_DigestFinal_ex(context, digest.data(), nullptr) == 1, "SHA-256 end");
  return digest;
}

EVP_MAC_CTX* new_hmac_context() {
  static const std::unique_ptr<EVP_MAC, Free> method(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
  must(method != nullptr, "OpenSSL has no HMAC");
  EVP_MAC_CTX* context = EVP_MAC_CTX_new(method.get());
  must(context != nullptr, "no memory for an HMAC");
  char name[] = "SHA256";
  const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
                                   OSSL_PARAM_construct_end()};
  must(EVP_MAC_CTX_set_params(context, parameters) == 1, "HMAC digest");
  return context;
}

}  // namespace

Digest sha256(std::string_view bytes) {
  EVP_MD_CTX* context = thread_context();
  start(context);
  take(context, bytes);
  return end(context);
}

Digest hmac_sha256(std::string_view key, std::string_view bytes) {
  thread_local const std::unique_ptr<EVP_MAC_CTX, Free> context(new_hmac_context());
  // A null pointer would mean "the key of last time": an empty key must still be a key.
  const auto* key_bytes = reinterpret_cast<const unsigned char*>(key.empty() ? "" : key.data());
  must(EVP_MAC_init(context.get(), key_bytes, key.size(), nullptr) == 1, "HMAC start");
  must(EVP_MAC_update(context.get(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()) == 1,
       "HMAC update");
  Digest digest;
  size_t length = 0;
  must(EVP_MAC_final(context.get(), digest.data(), &length, digest.size()) == 1 && length == digest.size(), "HMAC end");
  return digest;
}

std::string hmac_sha1(std::string_view key, std::string_view bytes) {
  std::array<unsigned char, 20> digest{};
  unsigned length = 0;
  const auto* message = reinterpret_cast<const unsigned char*>(bytes.data());
  must(HMAC(EVP_sha1(), key.data(), static_cast<int>(key.size()), message, bytes.size(), digest.data(), &length) !=
               nullptr &&
           length == digest.size(),
       "HMAC-SHA-1");
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

Sha256::Sha256() : state_(EVP_MD_CTX_new()) {
  must(state_ != nullptr, "no memory for a digest");
  start(static_cast<EVP_MD_CTX*>(state_));
}

Sha256::~Sha256() {
  EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(state_));
}

Sha256& Sha256::add(std::string_view bytes) {
  take(static_cast<EVP_MD_CTX*>(state_), bytes);
  return *this;
}

Digest Sha256::finish() {
  const Digest digest = end(static_cast<EVP_MD_CTX*>(state_));
  start(static_cast<EVP_MD_CTX*>(state_));
  return digest;
}

}  // namespace jw::crypto
