// The pattern of a text field (ECMAScript), over code points, so that [一-龥] and . mean characters and not bytes.
#pragma once

#include <regex>
#include <string>
#include <string_view>

namespace jw::catalog {

class Pattern {
 public:
  explicit Pattern(std::string_view expression);    // throws std::regex_error
  bool matches(std::string_view valid_utf8) const;  // the whole text

 private:
  std::wregex expression_;
};

}  // namespace jw::catalog
