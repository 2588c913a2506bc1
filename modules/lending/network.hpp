// Where on the campus an address lies (modules/lending/network.toml; §2.5.3). Immutable once read.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "kernel/catalog/api.hpp"

namespace jw::lending {

enum class ZoneKind : uint8_t { dormitory, teaching, office, library, lab, counter, vpn, outside };

struct Zone {
  std::string name;
  Text label;
  ZoneKind kind = ZoneKind::outside;
  int campus = -1;  // index into Network::campuses; -1: nothing is known about the place

  bool is_placed() const { return campus >= 0; }
  // Its machines are everybody's.
  bool is_shared() const { return kind == ZoneKind::lab || kind == ZoneKind::library || kind == ZoneKind::counter; }
};

class Network {
 public:
  // zones[0] is "outside": whatever no zone names.
  std::vector<Zone> zones = {{"outside", {"校外", "outside the campus"}, ZoneKind::outside, -1}};
  std::vector<std::pair<std::string, Text>> campuses;
  int64_t version = 0;
  std::string digest;  // hex SHA-256 of the file

  const Zone& zone_of(std::string_view address) const;  // an address that cannot be read is outside
  int zone_named(std::string_view name) const;          // index; 0 when there is none of that name
  // Shortest way in minutes; 0 on one campus or where nothing is known.
  int64_t travel_minutes(int from_campus, int to_campus) const;

 private:
  friend class NetworkReader;
  struct Block {
    std::array<uint8_t, 16> address{};  // IPv4 as ::ffff:a.b.c.d
    int bits = 0;
    int zone = 0;
  };
  struct Travel {
    int from = -1, to = -1;
    int64_t minutes = 0;
  };
  std::vector<Block> blocks_;  // longest prefix first
  std::vector<Travel> travel_;
};

std::variant<Network, std::vector<catalog::FileProblem>> load_network(const std::filesystem::path& home);
// `shown`: the file's name in problems.
std::variant<Network, std::vector<catalog::FileProblem>> read_network(std::string_view text, const std::string& shown);

}  // namespace jw::lending
