#include "platform/http/peers.hpp"

#include <arpa/inet.h>

#include <charconv>
#include <cstring>
#include <stdexcept>

#include "base/text.hpp"

namespace jw::http {

TrustedProxies::TrustedProxies(const std::vector<std::string>& networks) {
  for (const std::string& text : networks) {
    const auto network = parse(text);
    if (!network) throw std::runtime_error("not an address or network: " + text);
    networks_.push_back(*network);
  }
}

std::optional<TrustedProxies::Network> TrustedProxies::parse(std::string_view text) {
  const size_t slash = text.find('/');
  const std::string address(text.substr(0, slash));
  Network network{};
  int bits_max = 128, bits_before = 0;
  if (::inet_pton(AF_INET6, address.c_str(), network.address.data()) != 1) {
    network.address = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0};
    if (::inet_pton(AF_INET, address.c_str(), network.address.data() + 12) != 1) return std::nullopt;
    bits_max = 32;
    bits_before = 96;
  }
  network.bits = 128;
  if (slash == std::string_view::npos) return network;
  const std::string_view number = text.substr(slash + 1);
  int bits = 0;
  const auto end = std::from_chars(number.data(), number.data() + number.size(), bits);
  if (end.ec != std::errc{} || end.ptr != number.data() + number.size() || bits < 0 || bits > bits_max) {
    return std::nullopt;
  }
  network.bits = bits_before + bits;
  return network;
}

bool TrustedProxies::contains(std::string_view address) const {
  if (networks_.empty() || address.find('/') != std::string_view::npos) return false;
  const auto one = parse(address);
  if (!one) return false;
  for (const Network& network : networks_) {
    const auto whole = static_cast<size_t>(network.bits / 8);
    if (std::memcmp(network.address.data(), one->address.data(), whole) != 0) continue;
    const int rest = network.bits % 8;
    if (rest == 0 || (network.address[whole] ^ one->address[whole]) >> (8 - rest) == 0) return true;
  }
  return false;
}

std::string TrustedProxies::client_of(std::string_view forwarded_for) const {
  std::string_view rest = forwarded_for;
  while (!rest.empty()) {
    const size_t comma = rest.rfind(',');
    const std::string_view hop = trim(comma == std::string_view::npos ? rest : rest.substr(comma + 1));
    rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(0, comma);
    if (contains(hop)) continue;
    if (hop.find('/') != std::string_view::npos || !parse(hop)) return {};
    return std::string(hop);
  }
  return {};
}

}  // namespace jw::http
