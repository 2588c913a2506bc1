// Made-up human beings: names, identity numbers, chance. Inside modules/trial only.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "base/time.hpp"

namespace jw::trial {

// xoshiro-free on purpose: splitmix64 is short, and the same on every machine.
class Chance {
 public:
  explicit Chance(uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15u + 0x1234567) {}
  uint64_t next() {
    uint64_t z = (state_ += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }
  int64_t below(int64_t n) { return static_cast<int64_t>(next() % static_cast<uint64_t>(n)); }
  int64_t between(int64_t low, int64_t high) { return low + below(high - low + 1); }
  bool one_in(int64_t n) { return below(n) == 0; }
  // Bell-shaped around 0, within ±2·spread: the mean of four even draws.
  int64_t bell(int64_t spread) {
    return (between(-spread, spread) + between(-spread, spread) + between(-spread, spread) + between(-spread, spread)) /
           2;
  }

 private:
  uint64_t state_;
};

struct Human {
  std::string name;
  bool male = true;
  Date born;
  std::string division;   // GB/T 2260
  std::string place;      // its name
  std::string id_number;  // GB 11643 with a right check digit; the day has not been given to anybody by us
  std::string phone;      // from a range kept for fiction: 1000-prefixed
};

Human make_human(Chance& chance, Date earliest, Date latest);
std::string id_number_of(const std::string& division, Date born, int64_t serial);

}  // namespace jw::trial
