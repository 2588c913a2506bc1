// Checkpoints as C2SP signed notes (c2sp.org/tlog-checkpoint, c2sp.org/signed-note), Ed25519:
//
//   origin \n  size \n  base64(root) \n  \n  — origin base64(key id, 4 bytes || signature, 64 bytes) \n
//
// Signed are the bytes up to and including the third line feed. Key id = first four bytes of
// SHA-256(name || 0x0a || 0x01 || public key); the key's name is the origin. Verifier key: "name+hex(key
// id)+base64(0x01 || public key)".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/record/merkle.hpp"
#include "platform/crypto/api.hpp"

namespace jw::record {

bool is_origin(std::string_view name);  // not empty, no white space, control character or '+'

struct VerifierKey {
  std::string name;
  std::string public_key;  // 32 bytes

  static std::optional<VerifierKey> parse(std::string_view text);
  std::string print() const;
  std::string id() const;  // 4 bytes
};

struct Note {
  std::string origin;
  uint64_t size = 0;
  Hash root{};
  std::string signed_text;  // the three lines
  struct Signature {
    std::string name;
    std::string key_id;
    std::string bytes;
  };
  std::vector<Signature> signatures;

  // nullopt unless it is a checkpoint to the letter (extension lines of other logs are kept in signed_text).
  static std::optional<Note> parse(std::string_view text);
  bool signed_by(const VerifierKey& key) const;  // origin and name are the key's, and one of its signatures holds
};

std::string sign_checkpoint(const crypto::SigningKey& key, std::string_view origin, uint64_t size, const Hash& root);

}  // namespace jw::record
