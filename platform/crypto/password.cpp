#include <sodium.h>

#include <new>

#include "platform/crypto/api.hpp"
#include "platform/crypto/fair_gate.hpp"
#include "platform/crypto/sodium.hpp"

namespace jw::crypto {
namespace {

constexpr unsigned long long kPasses = 2;
constexpr size_t kMemory = size_t{19} * 1024 * 1024;

FairGate& gate() {
  static FairGate one(kPasswordsAtOnce);
  return one;
}

}  // namespace

std::string password_hash(std::string_view password) {
  sodium_ready();
  const FairGate::Pass pass(gate());
  char text[crypto_pwhash_STRBYTES] = {};
  if (crypto_pwhash_str_alg(text, password.data(), password.size(), kPasses, kMemory, crypto_pwhash_ALG_ARGON2ID13) !=
      0) {
    throw std::bad_alloc();
  }
  return text;
}

bool password_verify(std::string_view hash, std::string_view password) {
  // The cost stands in the hash: one that asks for much more than ours is not ours and must not stop the server.
  if (hash.size() >= crypto_pwhash_STRBYTES || !hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$")) return false;
  sodium_ready();
  const FairGate::Pass pass(gate());
  return crypto_pwhash_str_verify(std::string(hash).c_str(), password.data(), password.size()) == 0;
}

}  // namespace jw::crypto
