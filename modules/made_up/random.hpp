// Numbers that repeat: the same seed makes the same university on every machine and every store. Integers only, because
// the standard library's distributions differ between implementations.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>

namespace jw::made_up {

// One well mixed number out of several: picks that must not depend on the order of work.
inline uint64_t mix(std::initializer_list<uint64_t> parts) {
  uint64_t x = 0x9E3779B97F4A7C15U;
  for (const uint64_t part : parts) {
    x = (x ^ part) + 0x9E3779B97F4A7C15U;
    x = (x ^ (x >> 30U)) * 0xBF58476D1CE4E5B9U;
    x = (x ^ (x >> 27U)) * 0x94D049BB133111EBU;
    x ^= x >> 31U;
  }
  return x;
}

// xoshiro256** by Blackman and Vigna, filled by mix().
class Random {
 public:
  explicit Random(uint64_t seed) {
    for (uint64_t i = 0; i < state_.size(); ++i) state_[i] = mix({seed, i});
  }

  uint64_t next() {
    const uint64_t result = rotate(state_[1] * 5, 7) * 9;
    const uint64_t t = state_[1] << 17U;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = rotate(state_[3], 45);
    return result;
  }
  // 0 … n-1, n ≤ 2^31.
  int64_t below(int64_t n) { return static_cast<int64_t>(((next() >> 32U) * static_cast<uint64_t>(n)) >> 32U); }
  int64_t between(int64_t low, int64_t high) { return low + below(high - low + 1); }
  bool chance(int64_t of_thousand) { return below(1000) < of_thousand; }
  // Bell-shaped around 0 with standard deviation 1000, within ±3464: a sum of four uniform numbers.
  int64_t bell() {
    const uint64_t x = next();
    const auto sum = static_cast<int64_t>((x & 0xFFFFU) + ((x >> 16U) & 0xFFFFU) + ((x >> 32U) & 0xFFFFU) + (x >> 48U));
    return (sum - 131'070) * 1000 / 37'837;
  }
  template <class Collection>
  const auto& pick(const Collection& collection) {
    return collection[static_cast<size_t>(below(static_cast<int64_t>(std::size(collection))))];
  }

 private:
  static uint64_t rotate(uint64_t x, unsigned by) { return (x << by) | (x >> (64U - by)); }
  std::array<uint64_t, 4> state_{};
};

}  // namespace jw::made_up
