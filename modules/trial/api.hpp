// The made-up university: a store filled with a plausible one, for trials, tests and measurements. Deterministic: the
// same seed, size and day give the same rows on every store. Everything is written through kernel/change, like real
// data.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "kernel/catalog/api.hpp"
#include "kernel/identity/api.hpp"
#include "kernel/policy/api.hpp"
#include "platform/db/api.hpp"

namespace jw::trial {

struct Options {
  int64_t students = 2000;  // in school; two graduated years come besides
  uint64_t seed = 1;
  int64_t sign_ins = 10;  // students with a password
};

constexpr int64_t kStudentsMin = 50, kStudentsMax = 200'000;

// Somebody who can sign in, ready to use: no forced change of password, agreement signed.
struct SignIn {
  std::string kind, account, password, name;
  Text note;  // which clause this person shows
};

// Within the caller's writing transaction, on a store whose tables are made and empty (else refused:
// made_up.not_empty).
Result<std::vector<SignIn>> fill(const catalog::Catalogue& catalogue, const policy::Regulation& regulation,
                                 db::Connection& transaction, identity::Identity& identity, Instant now,
                                 const Options& options);

}  // namespace jw::trial
