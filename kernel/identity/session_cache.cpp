#include "kernel/identity/session_cache.hpp"

#include <algorithm>

namespace jw::identity {

SessionCache::SessionCache(int64_t entries_max, int64_t idle_us, int64_t flush_us)
    : shard_max_(std::max<size_t>(1, static_cast<size_t>(entries_max) / kShards)),
      idle_us_(idle_us),
      flush_us_(flush_us) {}

// The store's instant is use + idle + flush: as uses are written down at most one flush late, a session never dies
// sooner than idle after its last use, and each is written at most once in a flush.
std::optional<SessionCache::Use> SessionCache::due(const Entry& entry) const {
  if (entry.idle_until_us >= entry.used_us + idle_us_) return std::nullopt;
  return Use{entry.session->id, entry.used_us, entry.used_us + idle_us_ + flush_us_};
}

SessionCache::Found SessionCache::find(const crypto::Digest& digest, int64_t now_us) {
  Shard& here = shard(digest);
  const std::lock_guard lock(here.mutex);
  const auto found = here.entries.find(digest);
  if (found == here.entries.end()) return {};
  Entry& entry = *found->second;
  if (now_us >= entry.idle_until_us || now_us >= entry.session->expires.us) return {};
  entry.used_us = std::max(entry.used_us, now_us);
  here.recent.splice(here.recent.begin(), here.recent, found->second);
  return {entry.session, urgent(entry)};
}

bool SessionCache::put(const crypto::Digest& digest, std::shared_ptr<const Session> session, int64_t idle_until_us,
                       int64_t now_us) {
  const int64_t id = session->id;
  Shard& here = shard(digest);
  const std::lock_guard lock(here.mutex);
  if (const auto found = here.entries.find(digest); found != here.entries.end()) {
    remove(here, found);
  } else if (here.entries.size() >= shard_max_) {
    remove(here, here.entries.find(here.recent.back().digest));
  }
  here.recent.push_front({digest, std::move(session), now_us, idle_until_us});
  here.entries.emplace(digest, here.recent.begin());
  IdShard& there = id_shard(id);
  const std::lock_guard id_lock(there.mutex);
  there.digests.insert_or_assign(id, digest);
  return urgent(here.recent.front());
}

// The two maps change together under the lock of the token's shard, so that no entry can be out of forget's reach.
void SessionCache::remove(Shard& here, Entries::iterator entry) {
  const auto place = entry->second;
  if (auto use = due(*place)) here.left.push_back(*use);
  IdShard& there = id_shard(place->session->id);
  {
    const std::lock_guard lock(there.mutex);
    there.digests.erase(place->session->id);
  }
  here.entries.erase(entry);
  here.recent.erase(place);
}

std::optional<crypto::Digest> SessionCache::digest_of(int64_t session) {
  IdShard& there = id_shard(session);
  const std::lock_guard lock(there.mutex);
  const auto found = there.digests.find(session);
  if (found == there.digests.end()) return std::nullopt;
  return found->second;
}

void SessionCache::forget(int64_t session) {
  const auto digest = digest_of(session);
  if (!digest) return;
  Shard& here = shard(*digest);
  const std::lock_guard lock(here.mutex);
  if (const auto found = here.entries.find(*digest); found != here.entries.end()) remove(here, found);
}

std::vector<SessionCache::Use> SessionCache::uses_due() {
  std::vector<Use> uses;
  for (Shard& here : shards_) {
    const std::lock_guard lock(here.mutex);
    uses.insert(uses.end(), here.left.begin(), here.left.end());
    here.left.clear();
    for (const Entry& entry : here.recent) {
      if (auto use = due(entry)) uses.push_back(*use);
    }
  }
  return uses;
}

void SessionCache::written(const Use& use) {
  const auto digest = digest_of(use.session);
  if (!digest) return;
  Shard& here = shard(*digest);
  const std::lock_guard lock(here.mutex);
  const auto found = here.entries.find(*digest);
  if (found == here.entries.end()) return;
  found->second->idle_until_us = std::max(found->second->idle_until_us, use.idle_until_us);
}

size_t SessionCache::size() const {
  size_t total = 0;
  for (const Shard& here : shards_) {
    const std::lock_guard lock(here.mutex);
    total += here.entries.size();
  }
  return total;
}

}  // namespace jw::identity
