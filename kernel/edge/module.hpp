// What a procedure of the regulation is, as a value: one folder modules/X whose module.cpp holds one of these, and one
// row in app/modules.cpp. Beside it in the folder stand what the loaders find there by themselves: catalog/*.toml
// (datasets), regulation.toml (permissions, powers, settings), migrations/*.sql (its own tables), web/ (pages and
// words).
#pragma once

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "kernel/case/api.hpp"
#include "kernel/edge/api.hpp"
#include "kernel/edge/arguments.hpp"
#include "kernel/edge/house.hpp"
#include "platform/db/api.hpp"

namespace jw::edge {

// Text that must be given: a module without a name or a clause does not compile.
class Stated {
 public:
  constexpr Stated(const char* text) : text_(text) {}
  constexpr std::string_view text() const { return text_; }

 private:
  std::string_view text_;
};

// Work that comes round by itself. One try a round: what fails is logged with its name and made up for by the next. On
// several nodes a round sees to it that each row is taken by one.
struct Round {
  std::string_view name;
  std::chrono::seconds every;  // serve --every NAME=SECONDS sets another
  void (*run)(House&);
};

// What a command stands on, by its options (with_store): opened only if it needs a store. `create`: make one that is
// absent.
using OpenHouse = std::function<std::shared_ptr<House>(const Arguments& arguments, bool create)>;

struct Command {
  std::string_view name;   // "calendar"
  std::string_view usage;  // after `jiaowu `, in both languages
  int (*run)(const Words& words, const OpenHouse& open);
};

// Where one can go in the pages. What is done there is asked for again by every call: a place is an offer, no
// permission.
struct Place {
  std::string_view name;                         // of the page's route
  Text label;                                    // in a list of places
  bool (*open)(const Call& call);                // whether it is there for whoever asks
  int64_t (*count)(const Call& call) = nullptr;  // how much waits there
};
// Members "name", "label" and "count" of those that are there for whoever asks.
void write_places(const Call& call, std::span<const Place> places, JsonWriter& out);
// For places: everybody; who has the power; who may query the dataset, by a permit on rows in one of these relations
// when there are any.
inline bool everybody(const Call&) {
  return true;
}
bool may_query(const Call& call, std::string_view dataset, std::initializer_list<std::string_view> relations = {});
bool may_query_others(const Call& call, std::string_view dataset);  // more than what is about oneself

struct Module {
  Stated name;  // of its folder
  Text label;
  Stated clause;  // "2.5.3"
  std::span<const Route> routes = {};
  std::span<const Place> places = {};
  std::span<const cases::Kind* const> kinds = {};
  // Code sets whose words stand in its tables (catalog/codes/*.toml with made = true).
  std::vector<catalog::CodeSet> (*codes)() = nullptr;
  std::span<const Round> rounds = {};
  std::span<const Command> commands = {};
  // What its statements read on reading connections, beyond the catalogue's tables.
  db::Reach (*reach)() = nullptr;
  Hooks hooks = {};
  bool made_up_only = false;  // its routes exist on made-up stores alone
  // Makes what it keeps while the house is open (House::parts).
  void (*open)(House&) = nullptr;
};

}  // namespace jw::edge
