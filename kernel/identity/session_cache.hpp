// Inside kernel/identity only: sessions in memory by the digest of their token, so that a query needs no statement to
// know who asks. Stale at worst: the gate in the statement decides. Thread-safe, bounded, least recently used goes
// first.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "kernel/identity/api.hpp"
#include "platform/crypto/api.hpp"

namespace jw::identity {

class SessionCache {
 public:
  SessionCache(int64_t entries_max, int64_t idle_us, int64_t flush_us);

  struct Found {
    std::shared_ptr<const Session> session;  // null: not here, or idle as far as this node knows: read it
    bool urgent = false;  // its use must be written down before the usual time, or it dies of idleness
  };
  Found find(const crypto::Digest& digest, int64_t now_us);
  // A session just read or made, used now.
  bool put(const crypto::Digest& digest, std::shared_ptr<const Session> session, int64_t idle_until_us, int64_t now_us);
  void forget(int64_t session);

  // Uses that the store does not know well enough: those after which it would let the session die too early.
  struct Use {
    int64_t session = 0;
    int64_t used_us = 0;
    int64_t idle_until_us = 0;  // what should be written
  };
  std::vector<Use> uses_due();
  void written(const Use& use);
  size_t size() const;

 private:
  struct Entry {
    crypto::Digest digest{};
    std::shared_ptr<const Session> session;
    int64_t used_us = 0;
    int64_t idle_until_us = 0;  // as the store has it
  };
  struct DigestHash {
    size_t operator()(const crypto::Digest& digest) const {
      size_t head = 0;
      std::memcpy(&head, digest.data() + 1, sizeof head);
      return head;
    }
  };
  using Entries = std::unordered_map<crypto::Digest, std::list<Entry>::iterator, DigestHash>;
  static constexpr size_t kShards = 32;
  struct alignas(64) Shard {
    mutable std::mutex mutex;
    std::list<Entry> recent;
    Entries entries;
    std::vector<Use> left;  // due uses of entries that went
  };
  struct alignas(64) IdShard {
    std::mutex mutex;
    std::unordered_map<int64_t, crypto::Digest> digests;
  };

  Shard& shard(const crypto::Digest& digest) { return shards_[digest[0] % kShards]; }
  IdShard& id_shard(int64_t session) { return ids_[static_cast<uint64_t>(session) % kShards]; }
  void remove(Shard& here, Entries::iterator entry);
  std::optional<crypto::Digest> digest_of(int64_t session);
  std::optional<Use> due(const Entry& entry) const;
  bool urgent(const Entry& entry) const { return entry.idle_until_us - entry.used_us <= flush_us_; }

  const size_t shard_max_;
  const int64_t idle_us_;
  const int64_t flush_us_;
  std::array<Shard, kShards> shards_;
  std::array<IdShard, kShards> ids_;
};

}  // namespace jw::identity
