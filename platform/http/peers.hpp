// Whose address a request comes from, when proxies stand in between.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jw::http {

class TrustedProxies {
 public:
  explicit TrustedProxies(const std::vector<std::string>& networks);  // throws std::runtime_error
  bool contains(std::string_view address) const;
  // The last hop of X-Forwarded-For that is not one of ours: what stands further left, anybody may have written.
  // Empty when there is none, or it is not an address.
  std::string client_of(std::string_view forwarded_for) const;

 private:
  struct Network {
    std::array<uint8_t, 16> address;  // IPv4 mapped into IPv6
    int bits;
  };
  static std::optional<Network> parse(std::string_view text);
  std::vector<Network> networks_;
};

}  // namespace jw::http
