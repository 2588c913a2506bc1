// The regulation as data: posts, default permissions, settings, each row with its clause (regulation/*.toml,
// docs/catalogue.md). The files are what a new school starts with; afterwards the store's version counts (design §1.3).
#pragma once

#include <filesystem>
#include <string>
#include <variant>
#include <vector>

#include "kernel/catalog/api.hpp"

namespace jw::policy {

enum class Action : uint8_t { query, detail, statistics, print, export_ };
constexpr int kActions = 5;
std::string_view action_name(Action action);
std::optional<Action> action_named(std::string_view name);

enum class Sight : uint8_t { hidden, count_only, masked, clear };

// Who holds a post follows from data at the moment of asking.
struct Post {
  std::string name;
  Text label;
  std::string clause;
  int from = -1;  // dataset
  catalog::Condition where;
  int unit = -1;                // field of `from`: ref to the unit in which it is held; -1 = none
  std::optional<Text> refusal;  // said to a holder who is refused
};

enum class Effect : uint8_t { permit, forbid };

// One row of the regulation, or one grant. `fields` has one Sight per field of the dataset.
struct Atom {
  Effect effect = Effect::permit;
  int dataset = -1;
  enum class Rows : uint8_t { all, relation, where } rows = Rows::all;
  int relation = -1;
  catalog::Condition where;
  bool narrowed = false;  // relation: only those of its rows for which `where` holds
  std::vector<Sight> fields;
  uint8_t actions = 0;                // bit per Action
  std::vector<std::string> purposes;  // empty = any
  std::string clause;                 // "2.2.1" for defaults
  std::string grant;                  // number of the grant, empty for defaults
  Text text;                          // rows in words
  bool has_condition() const { return rows == Rows::where || (rows == Rows::relation && narrowed); }
  // whom it is given to: exactly one of post (index into Regulation::posts), account
  int post = -1;
  int64_t account = 0;
  std::string unit;                                   // with post: only holders in this unit; empty = any
  int64_t from_us = INT64_MIN, until_us = INT64_MAX;  // in force in [from, until)
};

struct Setting {
  std::string name, clause;
  int64_t value = 0, min = 0, max = 0;
  Text label;
};

struct Regulation {
  std::vector<Post> posts;
  std::vector<Atom> atoms;
  std::vector<Setting> settings;
  std::string digest;
  int post(std::string_view name) const;         // index or -1
  int64_t setting(std::string_view name) const;  // throws std::out_of_range: the loader proved that it exists
};

std::variant<Regulation, std::vector<catalog::FileProblem>> load(const std::filesystem::path& home,
                                                                 const catalog::Catalogue& catalogue);

}  // namespace jw::policy
