#include "kernel/record/seal.hpp"

#include "kernel/record/bytes.hpp"
#include "platform/crypto/api.hpp"

namespace jw::record {
namespace {

std::string mac(std::string_view key, std::string_view bytes) {
  const crypto::Digest digest = crypto::hmac_sha256(key, bytes);
  return std::string(crypto::bytes_of(digest));
}

}  // namespace

Sealer::Sealer(std::string_view seed) : key_(mac(seed, "jiaowu.record.seal.v1")) {}

std::string Sealer::of_entry(int64_t outbox, const LeafBytes& bytes) const {
  std::string all = "entry";
  put_number(all, static_cast<uint64_t>(outbox));
  for (const std::string* part : {&bytes.header, &bytes.body, &bytes.salt, &bytes.rows, &bytes.rows_salt})
    put_text(all, *part);
  return mac(key_, all);
}

std::string Sealer::of_tree(uint64_t size, const Hash& root) const {
  std::string all = "tree";
  put_number(all, size);
  put_text(all, bytes_of(root));
  return mac(key_, all);
}

}  // namespace jw::record
