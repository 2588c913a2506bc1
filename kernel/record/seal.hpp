// Seals on what lies in the tables and is not under a checkpoint yet: entries on their way into the record, and the
// end of the tree. Their key is made of the signing key's seed, which lies in a file outside (key_file.hpp): whoever
// can write the tables alone makes none. Inside kernel/record only.
#pragma once

#include <string>
#include <string_view>

#include "kernel/record/leaf.hpp"
#include "kernel/record/merkle.hpp"

namespace jw::record {

class Sealer {
 public:
  Sealer() = default;  // without a key: to look, not to tell
  explicit Sealer(std::string_view seed);

  bool has_key() const { return !key_.empty(); }
  // 32 bytes each. Of an entry: with what it wrote.
  std::string of_entry(int64_t outbox, const LeafBytes& bytes) const;
  std::string of_tree(uint64_t size, const Hash& root) const;

 private:
  std::string key_;
};

}  // namespace jw::record
