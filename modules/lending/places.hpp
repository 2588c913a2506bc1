// Inside modules/lending only: where live sessions ask from, kept in memory and written down now and then, so that a
// request costs one look into a map. Thread-safe.
#pragma once

#include <array>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "modules/lending/network.hpp"
#include "platform/db/api.hpp"

namespace jw::lending {

class Places {
 public:
  explicit Places(const Network& network) : network_(network) {}

  void note(int64_t session, int64_t account, std::string_view remote, int64_t now_us);
  // Writes what is new; forgets sessions that were quiet for long.
  void flush(db::Store& store, int64_t now_us);
  size_t size() const;

 private:
  struct Place {
    int64_t session = 0, account = 0;
    int zone = 0;
    int64_t from_us = 0, until_us = 0;
    int64_t written_us = 0;  // the until_us that the store knows
    std::string remote;
  };
  static constexpr size_t kShards = 32;
  struct alignas(64) Shard {
    mutable std::mutex mutex;
    std::unordered_map<int64_t, Place> live;
    std::vector<Place> ended;  // by a pause or a change of place, not written yet
  };

  std::vector<Place> due(int64_t now_us);
  void give_back(std::vector<Place> places);
  Shard& shard(int64_t session) { return shards_[static_cast<uint64_t>(session) % kShards]; }

  const Network& network_;
  std::array<Shard, kShards> shards_;
};

}  // namespace jw::lending
