// The regulation as data: posts, default permissions, settings, each row with its clause (regulation/*.toml,
// docs/catalogue.md). The files are what a new school starts with; afterwards the store's version counts (design §1.3).
#pragma once

#include <boost/json/object.hpp>

#include <filesystem>
#include <string>
#include <variant>
#include <vector>

#include "kernel/catalog/api.hpp"

namespace jw::policy {

// The first five read. `enter` and `review` write (§4.1.2, §4.2.1): a row within them may be put into a batch, or
// passed there; the fields that they open are those in clear.
enum class Action : uint8_t { query, detail, statistics, print, export_, enter, review };
constexpr int kActions = 7;
constexpr uint8_t kAllActions = (1u << kActions) - 1;  // bit per Action
constexpr uint8_t kWriting = 1u << static_cast<int>(Action::enter) | 1u << static_cast<int>(Action::review);
constexpr uint8_t kReading = kAllActions & ~kWriting;
constexpr bool is_reading(Action action) {
  return (kReading >> static_cast<int>(action) & 1) != 0;
}
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
  bool closed = false;          // as stored it cannot be understood, or not be asked of this store: nobody holds it
  std::string apart;            // posts with the same mark: nobody holds two, and none opens academic data (§4.3.2)
};

// What somebody may do besides asking for data: who may is a row, too.
struct Power {
  std::string name;  // "regulation_propose"
  Text label;
  std::string clause;
  std::vector<int> posts;  // index into Regulation::posts
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
  uint8_t actions = 0;                // bit per Action; a permit whose row names none opens kReading
  std::vector<std::string> purposes;  // empty = any
  std::string clause;                 // "2.2.1" for defaults
  std::string grant;                  // number of the grant, empty for defaults
  Text text;                          // rows in words
  int64_t rule = 0;                   // its row in the content of a stored version; 0: a grant, or read from the files
  bool has_condition() const { return rows == Rows::where || (rows == Rows::relation && narrowed); }
  bool reads() const { return (actions & kReading) != 0; }
  // whom it is given to: exactly one of post (index into Regulation::posts), account
  int post = -1;
  int64_t account = 0;
  std::string unit;  // only holders in this unit (an account: who has any post there); empty = any
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
  std::vector<Power> powers;
  std::string digest;
  int64_t version = 0;       // as stored; 0: read from the files
  std::vector<Text> closed;  // what of a stored version cannot be understood, and is closed by that: for the operator
  const Power* power(std::string_view name) const;  // nullptr: nobody may
  int post(std::string_view name) const;            // index or -1
  int64_t setting(std::string_view name) const;     // throws std::out_of_range: the loader proved that it exists
};

std::variant<Regulation, std::vector<catalog::FileProblem>> load(const std::filesystem::path& home,
                                                                 const catalog::Catalogue& catalogue);

// The regulation as rows, what the store keeps of each version: {"settings":[…],"posts":[…],"powers":[…],"rules":[…]}.
// A rule is one [[permit]] or [[forbid]] of one post on one dataset, with `id` (never used again) and `effect`; the
// other rows are as in the files. Posts keep their places for ever: what is known of a holder outlives a version.
std::variant<boost::json::object, std::vector<catalog::FileProblem>> content_of_files(
    const std::filesystem::path& home, const catalog::Catalogue& catalogue);
// `file` of a problem is the kind of row ("rules"), `line` the id of the rule or the place of the row, from 1.
std::variant<Regulation, std::vector<catalog::FileProblem>> load_content(const boost::json::object& content,
                                                                         const catalog::Catalogue& catalogue);

}  // namespace jw::policy
