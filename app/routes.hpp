// The kernel's own rows of the route table: signing in, the one reader, evidence, notices, cases, operation. Those of a
// procedure stand in its module.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "kernel/edge/api.hpp"

namespace jw::app {

std::span<const edge::Route> session_routes();
std::span<const edge::Route> factor_routes();
std::span<const edge::Route> query_routes();
std::span<const edge::Route> evidence_routes();
std::span<const edge::Route> notice_routes();
std::span<const edge::Route> case_routes();
std::span<const edge::Route> operation_routes();

// Member "places" of /api/me: where whoever asks can go in the pages, in the order of the rail.
void write_places(const edge::Call& call, JsonWriter& out);

// That a disk is nearly full (bytes): less than a tenth of it, and less than kRoomLeast, is free.
constexpr uintmax_t kRoomLeast = uintmax_t{2} << 30;
std::optional<Text> little_room(uintmax_t available, uintmax_t capacity);

// What /readyz and the description of the interface tell; kept in the house's parts while serving.
class Condition {
 public:
  // `data`: db::Store::folder().
  Condition(edge::House& house, std::vector<Text> loose, std::filesystem::path data)
      : house_(house), loose_(std::move(loose)), data_(std::move(data)) {}
  const std::vector<Text>& loose() const { return loose_; }  // seat-belts that could not be fastened
  // Whether the tables are still those of the catalogue: looked up now and then only, as anybody may ask.
  std::vector<Text> drift();
  std::optional<Text> room() const;              // little_room() on the disk of the data
  std::shared_ptr<const std::string> described;  // OpenAPI
  std::string metrics_token;                     // empty: metrics are for this machine

 private:
  edge::House& house_;
  const std::vector<Text> loose_;
  const std::filesystem::path data_;
  std::mutex mutex_;
  std::optional<std::chrono::steady_clock::time_point> looked_;
  std::vector<Text> found_;
};

}  // namespace jw::app
