#include "modules/lending/places.hpp"

#include <algorithm>
#include <span>

#include "modules/lending/rules.hpp"

namespace jw::lending {

namespace {

constexpr std::string_view kWrite =
    "INSERT INTO lending_place (session, from_us, zone, until_us, account) VALUES ($1, $2, $3, $4, $5) "
    "ON CONFLICT (session, from_us, zone) DO UPDATE SET until_us = excluded.until_us";

}  // namespace

void Places::note(int64_t session, int64_t account, std::string_view remote, int64_t now_us) {
  Shard& here = shard(session);
  const std::lock_guard lock(here.mutex);
  Place& place = here.live[session];
  const bool known = place.session != 0;
  if (known && place.remote == remote && now_us - place.until_us < kBurstGapUs) {
    place.until_us = std::max(place.until_us, now_us);
    return;
  }
  const int zone = network_.zone_named(network_.zone_of(remote).name);
  if (known && place.zone == zone && now_us - place.until_us < kBurstGapUs) {
    place.until_us = std::max(place.until_us, now_us);
    place.remote = remote;
    return;
  }
  if (known && place.written_us != place.until_us) here.ended.push_back(std::move(place));
  place = {session, account, zone, now_us, now_us, 0, std::string(remote)};
}

std::vector<Places::Place> Places::due(int64_t now_us) {
  std::vector<Place> all;
  for (Shard& here : shards_) {
    const std::lock_guard lock(here.mutex);
    std::move(here.ended.begin(), here.ended.end(), std::back_inserter(all));
    here.ended.clear();
    for (auto at = here.live.begin(); at != here.live.end();) {
      Place& place = at->second;
      if (place.written_us != place.until_us) {
        all.push_back(place);
        place.written_us = place.until_us;
        ++at;
      } else {
        at = now_us - place.until_us > 2 * kBurstGapUs ? here.live.erase(at) : std::next(at);
      }
    }
  }
  return all;
}

void Places::give_back(std::vector<Place> places) {
  for (Place& place : places) {
    Shard& here = shard(place.session);
    const std::lock_guard lock(here.mutex);
    here.ended.push_back(std::move(place));
  }
}

void Places::flush(db::Store& store, int64_t now_us) {
  constexpr size_t kAtOnce = 256;
  std::vector<Place> all = due(now_us);
  size_t done = 0;
  try {
    for (; done < all.size(); done += kAtOnce) {
      const auto some = std::span(all).subspan(done, std::min(kAtOnce, all.size() - done));
      const db::Store::Lease lease = store.writer();
      db::Transaction transaction(*lease, db::Transaction::Mode::write);
      for (const Place& place : some) {
        lease->execute(kWrite, {place.session, place.from_us, network_.zones[static_cast<size_t>(place.zone)].name,
                                place.until_us, place.account});
      }
      transaction.commit();
    }
  } catch (const db::Error&) {
    all.erase(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(std::min(done, all.size())));
    give_back(std::move(all));
    throw;
  }
}

size_t Places::size() const {
  size_t total = 0;
  for (const Shard& here : shards_) {
    const std::lock_guard lock(here.mutex);
    total += here.live.size();
  }
  return total;
}

}  // namespace jw::lending
