// Inside platform/crypto only.
#pragma once

namespace jw::crypto {

void sodium_ready();  // starts libsodium once; throws when it has no source of random numbers

}  // namespace jw::crypto
