// Tiny universities for the differential test: a few small catalogues, and rows of them drawn at random from small
// domains (0–12 rows, values 0–3, a quarter NULL, duplicates).
#pragma once

#include <random>

#include "tests/differential/reference.hpp"

namespace jw::differential {

class Dice {
 public:
  explicit Dice(uint64_t seed) : engine_(seed) {}
  size_t below(size_t n) { return n == 0 ? 0 : engine_() % n; }
  bool chance(int percent) { return below(100) < static_cast<size_t>(percent); }
  int64_t between(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(below(static_cast<size_t>(high - low + 1)));
  }
  template <class T>
  const T& of(const std::vector<T>& all) {
    return all[below(all.size())];
  }
  uint64_t seed() { return engine_(); }

 private:
  std::mt19937_64 engine_;
};

constexpr int kCatalogues = 3;
constexpr int kPersons = 4;
constexpr int64_t kAccounts = 6;  // 1–4 belong to the persons 1–4, 5 to person 1 as well, 6 to nobody

// The same five datasets with other types, masks and stores for the fields that vary.
const catalog::Catalogue& test_catalogue(int variant);
// Posts that follow from the data, and a setting; no permits.
policy::Regulation test_regulation(const catalog::Catalogue& catalogue);

// A value of the field's domain as stored, never NULL (a ref: the natural key of a row that may be there).
Value any_value(Dice& dice, const catalog::Catalogue& catalogue, const catalog::Field& field);
World any_world(Dice& dice, const catalog::Catalogue& catalogue);
// A row as it might be there, with a key of its own and no id; refs lead to rows of `world`. Nothing when keys are used
// up.
std::optional<Row> any_row(Dice& dice, const catalog::Catalogue& catalogue, const World& world,
                           const catalog::Dataset& dataset);
// Another value for one field, maybe NULL.
Value any_cell(Dice& dice, const catalog::Catalogue& catalogue, const World& world, const catalog::Field& field);
// Changes cells at random, and adds and removes rows nothing points to.
void disturb(Dice& dice, const catalog::Catalogue& catalogue, World& world, int changes);

std::string print(const catalog::Catalogue& catalogue, const World& world);

}  // namespace jw::differential
