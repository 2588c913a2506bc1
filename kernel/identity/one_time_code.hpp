// Inside kernel/identity only: codes that change with time (RFC 6238 over RFC 4226, SHA-1, six digits, 30 s), pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.hpp"

namespace jw::identity {

constexpr int64_t kStepUs = 30 * kSecond;
constexpr size_t kSecretBytes = 20;  // RFC 4226: as long as the digest
constexpr size_t kCodeDigits = 6;

int64_t step_at(Instant now);
std::string code_of_step(std::string_view secret, int64_t step);  // "094287"
// The step whose code this is: of now, the one before or the one after, and newer than `newest_used`.
std::optional<int64_t> matching_step(std::string_view secret, std::string_view code, Instant now, int64_t newest_used);

std::string base32(std::string_view bytes);  // RFC 4648 without padding
// Key URI as applications read it: otpauth://totp/ISSUER:ACCOUNT?secret=…
std::string otpauth_uri(std::string_view secret, std::string_view issuer, std::string_view account);

}  // namespace jw::identity
