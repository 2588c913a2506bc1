// The command line: a command of one or two words, options `--name VALUE`, and the rest.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace jw::edge {

using Words = std::vector<std::string>;

// Wrong use of the command line; the message says what would be right.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The options of a command that opens a store (--db, --home, --key-file) and those of its own.
std::set<std::string> with_store(std::set<std::string> own = {});

class Arguments {
 public:
  // `valued`: options that take a value; `flags`: options that do not. Anything else beginning with "--" is refused.
  Arguments(const Words& words, const std::set<std::string>& valued, const std::set<std::string>& flags);

  std::optional<std::string> option(const std::string& name) const;
  std::string required(const std::string& name) const;
  int64_t number(const std::string& name, int64_t otherwise, int64_t min, int64_t max) const;
  bool flag(const std::string& name) const { return flags_.contains(name); }
  const Words& rest() const { return rest_; }

 private:
  std::map<std::string, std::string> options_;
  std::set<std::string> flags_;
  Words rest_;
};

}  // namespace jw::edge
