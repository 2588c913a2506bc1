// Random universities, permissions and questions by the thousand, each put to every check; what fails is made small.
#pragma once

#include <map>
#include <set>
#include <string>

#include "tests/differential/oracles.hpp"

namespace jw::differential {

struct Trial {
  uint64_t seed = 1;      // of the whole run
  uint64_t block = 0;     // of one block alone, as a failure names it; 0: all
  int64_t cases = 0;      // at least so many
  bool postgres = false;  // beside SQLite: fewer checks, each on both
  bool shrinks = true;
  std::set<std::string> only{};  // names of the checks to make; empty: all
};

struct Result {
  int64_t cases = 0;                      // answers held against a check
  std::map<std::string, int64_t> checks;  // cases by check
  double seconds = 0;
  std::string failure;  // seed, check, what is wrong, the smallest case found; empty: none
  std::string print() const;
};

Result run(const Trial& trial);

// The smallest case found that still fails the check, starting from this one.
Found shrink(const Sides& sides, Check check, const Found& from);
// Everything of the case, and the statement.
std::string print(Side& side, const Found& found);

}  // namespace jw::differential
