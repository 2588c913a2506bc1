#include "modules/lending/network.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <fstream>
#include <sstream>

#include "kernel/catalog/source.hpp"
#include "platform/crypto/api.hpp"

namespace jw::lending {

using catalog::bilingual;
using catalog::Node;
using catalog::Problems;
using catalog::Table;

namespace {

constexpr std::string_view kKinds[] = {"dormitory", "teaching", "office", "library",
                                       "lab",       "counter",  "vpn",    "outside"};
constexpr int64_t kTravelMost = 24 * 60;

struct Address {
  std::array<uint8_t, 16> bytes{};
  bool four = false;
};

std::optional<Address> read_address(std::string_view text) {
  const std::string whole(text.substr(0, INET6_ADDRSTRLEN));
  Address address;
  in_addr four{};
  if (inet_pton(AF_INET, whole.c_str(), &four) == 1) {
    address.four = true;
    address.bytes[10] = address.bytes[11] = 0xff;
    std::memcpy(address.bytes.data() + 12, &four, 4);
    return address;
  }
  if (inet_pton(AF_INET6, whole.c_str(), address.bytes.data()) != 1) return std::nullopt;
  return address;
}

bool same_prefix(const std::array<uint8_t, 16>& a, const std::array<uint8_t, 16>& b, int bits) {
  const auto whole = static_cast<size_t>(bits / 8);
  if (!std::equal(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(whole), b.begin())) return false;
  const int rest = bits % 8;
  return rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0;
}

}  // namespace

class NetworkReader {
 public:
  explicit NetworkReader(Problems& problems) : problems_(problems) {}

  Network read(const Node& node, const std::string& shown) {
    const Table file(node, shown, problems_, {"version", "clause", "campus", "travel", "zone"});
    file.text("clause");
    network_.version = file.integer("version").value_or(0);
    if (network_.version < 1)
      file.problem("version", bilingual("version 应为正整数", "version must be a positive integer"));
    for (const Node* each : file.tables("campus")) campus(Table(*each, shown, problems_, {"name", "label"}));
    for (const Node* each : file.tables("travel")) travel(Table(*each, shown, problems_, {"between", "minutes"}));
    for (const Node* each : file.tables("zone"))
      zone(Table(*each, shown, problems_, {"name", "label", "kind", "campus", "cidr"}));
    std::stable_sort(network_.blocks_.begin(), network_.blocks_.end(),
                     [](const auto& a, const auto& b) { return a.bits > b.bits; });
    return std::move(network_);
  }

 private:
  int campus_named(const Table& table, std::string_view key, const std::string& name) {
    for (size_t i = 0; i < network_.campuses.size(); ++i) {
      if (network_.campuses[i].first == name) return static_cast<int>(i);
    }
    table.problem(key, bilingual("没有校区「{}」", "there is no campus '{}'", {name}));
    return -1;
  }

  void campus(const Table& table) { network_.campuses.emplace_back(table.text("name"), table.label("label")); }

  void travel(const Table& table) {
    const auto ends = table.words("between");
    const int64_t minutes = table.integer("minutes").value_or(0);
    if (minutes < 1 || minutes > kTravelMost)
      table.problem("minutes", bilingual("minutes 应为 1 至 1440", "minutes must be from 1 to 1440"));
    if (ends.size() != 2)
      return table.problem("between", bilingual("between 应为两个校区", "between names two campuses"));
    network_.travel_.push_back(
        {campus_named(table, "between", ends[0].text), campus_named(table, "between", ends[1].text), minutes});
  }

  void zone(const Table& table) {
    Zone made;
    made.name = table.text("name");
    made.label = table.label("label");
    const std::string kind = table.text("kind");
    const auto* found = std::find(std::begin(kKinds), std::end(kKinds), kind);
    if (found == std::end(kKinds)) {
      table.problem("kind", bilingual("没有这种区域「{}」", "there is no kind of zone '{}'", {kind}));
    } else {
      made.kind = static_cast<ZoneKind>(found - std::begin(kKinds));
    }
    const bool placed = made.kind != ZoneKind::vpn && made.kind != ZoneKind::outside;
    if (placed != table.has("campus")) {
      table.problem("campus", bilingual("校内区域须写明 campus；vpn 和 outside 不写",
                                        "a zone on a campus names it; vpn and outside do not"));
    } else if (placed) {
      made.campus = campus_named(table, "campus", table.text("campus"));
    }
    if (network_.zone_named(made.name) != 0 || made.name == "outside")
      table.problem("name", bilingual("区域「{}」重复", "zone '{}' stands here twice", {made.name}));
    for (const catalog::Word& word : table.words("cidr")) block(table, word);
    network_.zones.push_back(std::move(made));
  }

  void block(const Table& table, const catalog::Word& word) {
    const size_t slash = word.text.find('/');
    const auto address = read_address(std::string_view(word.text).substr(0, slash));
    int bits = -1;
    if (slash != std::string::npos) {
      const char* end = word.text.data() + word.text.size();
      const auto [at, error] = std::from_chars(word.text.data() + slash + 1, end, bits);
      if (at != end || error != std::errc{}) bits = -1;
    }
    const int most = address && address->four ? 32 : 128;
    if (!address || bits < 0 || bits > most) {
      return table.problem_at(word.line, bilingual("「{}」不是网段，应如 10.1.0.0/16",
                                                   "'{}' is no network; write it as 10.1.0.0/16", {word.text}));
    }
    network_.blocks_.push_back(
        {address->bytes, address->four ? bits + 96 : bits, static_cast<int>(network_.zones.size())});
  }

  Problems& problems_;
  Network network_;
};

const Zone& Network::zone_of(std::string_view text) const {
  const auto address = read_address(text);
  if (!address) return zones.front();
  for (const Block& block : blocks_) {
    if (same_prefix(block.address, address->bytes, block.bits)) return zones[static_cast<size_t>(block.zone)];
  }
  return zones.front();
}

int Network::zone_named(std::string_view name) const {
  for (size_t i = 0; i < zones.size(); ++i) {
    if (zones[i].name == name) return static_cast<int>(i);
  }
  return 0;
}

int64_t Network::travel_minutes(int from, int to) const {
  if (from < 0 || to < 0 || from == to) return 0;
  for (const Travel& each : travel_) {
    if ((each.from == from && each.to == to) || (each.from == to && each.to == from)) return each.minutes;
  }
  return 0;
}

std::variant<Network, std::vector<catalog::FileProblem>> read_network(std::string_view text, const std::string& shown) {
  Problems problems;
  Network network;
  if (const auto node = catalog::parse_toml(text, shown, problems))
    network = NetworkReader(problems).read(*node, shown);
  if (!problems.empty()) return problems.take();
  network.digest = crypto::hex(crypto::sha256(text));
  return network;
}

std::variant<Network, std::vector<catalog::FileProblem>> load_network(const std::filesystem::path& home) {
  const std::string shown = "modules/lending/network.toml";
  std::ifstream in(home / shown);
  std::stringstream text;
  text << in.rdbuf();
  return read_network(text.str(), shown);
}

}  // namespace jw::lending
