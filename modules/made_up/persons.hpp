// Who could live here: names, birthplaces, identity and telephone numbers. All invented; the numbers pass every check.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "base/time.hpp"
#include "modules/made_up/random.hpp"

namespace jw::made_up {

// A county of GB/T 2260 with the names a person writes.
struct Division {
  std::string_view code, province, city, county, postcode;
};

std::string surname(Random& random);
std::string given_name(Random& random, bool male, bool young);
const Division& birthplace(Random& random);
std::string mobile_number(Random& random);  // of a range that is given to nobody
std::string_view ethnic(Random& random);    // GB/T 3304

// Numbers after GB 11643: division, birth date, serial (odd = male), check digit. No two are equal.
class IdNumbers {
 public:
  std::string next(std::string_view division, Date birth, bool male);

 private:
  std::unordered_map<uint64_t, int> used_;
};
// The check digit of the first 17 digits (ISO 7064 MOD 11-2).
char check_digit(std::string_view seventeen);

}  // namespace jw::made_up
