// Everything a procedure stands on while the system runs, assembled once by app/ and passed down: no globals
// (docs/architecture.md). A module finds here the kernel, and keeps here what it has for itself.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <typeindex>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "kernel/calendar/api.hpp"
#include "kernel/case/api.hpp"
#include "kernel/catalog/api.hpp"
#include "kernel/edge/door.hpp"
#include "kernel/edge/turns.hpp"
#include "kernel/identity/api.hpp"
#include "kernel/policy/api.hpp"
#include "kernel/query/api.hpp"
#include "kernel/record/api.hpp"
#include "platform/db/api.hpp"
#include "platform/log/metrics.hpp"

namespace jw::edge {

struct House;

// What is in force against an account, for its holder (§2.5.3).
struct Story {
  std::string step;  // machine name
  Text label;
  Instant since;
  std::vector<Text> seen;  // what was seen, in plain words; names nobody else
  std::string reason;      // of whoever took the step; empty: it was taken by itself
};

// Where a module has its say in what the edge does for everybody. All on the thread of the request: short.
struct Hooks {
  // A live session asked for something from this address; also the sign-in that began it.
  void (*asked)(House&, int64_t session, int64_t account, std::string_view remote) = nullptr;
  // The holder of a session has shown again who it is.
  void (*confirmed)(House&, const record::Hand& holder) = nullptr;
  // Name of the part of the campus network that an address belongs to.
  std::string (*zone)(House&, std::string_view remote) = nullptr;
  // nullopt: nothing is in force against this account.
  std::optional<Story> (*story)(House&, int64_t account) = nullptr;
  // An answer went out on this basis ("§2.2.1,grant:2026-0017").
  void (*answered)(House&, std::string_view basis, Instant now) = nullptr;
};

// What modules keep while the house is open, found by type; goes in the reverse order of coming.
class Parts {
 public:
  Parts() = default;
  Parts(Parts&&) = default;
  ~Parts() {
    while (!parts_.empty()) parts_.pop_back();
  }

  template <class T>
  T& keep(std::unique_ptr<T> part) {
    T& kept = *part;
    parts_.emplace_back(std::type_index(typeid(T)), std::shared_ptr<void>(std::move(part)));
    return kept;
  }
  template <class T>
  T& get() const {
    for (const auto& [type, part] : parts_) {
      if (type == std::type_index(typeid(T))) return *static_cast<T*>(part.get());
    }
    throw std::logic_error("nobody keeps such a part");
  }

 private:
  std::vector<std::pair<std::type_index, std::shared_ptr<void>>> parts_;
};

struct House {
  const catalog::Catalogue& catalogue;
  db::Store& store;
  record::Recorder& recorder;
  const Clock& clock;
  calendar::Book& calendar;
  identity::Identity& identity;
  policy::Policy& policy;
  query::Engine& engine;
  cases::Engine& cases;
  log::Metrics& metrics;
  std::filesystem::path home;  // folder with catalog/, regulation/, modules/, web/dist/
  bool made_up = false;
  Text school = {};  // its name
  std::vector<Hooks> hooks = {};
  Signatures signatures = {};
  Parts parts = {};
  // Last: what still runs on their threads at the end may use all of the above.
  Door door{3, 600};
  Turns turns{Turns::Limits{}};
  int64_t leniency = 1;  // what an account may ask and do in a minute, so many times over (made-up stores: trials)

  // Tells every module that wants to know.
  template <class Hook, class... Said>
  void tell(Hook Hooks::*hook, const Said&... said) {
    for (const Hooks& each : hooks) {
      if (each.*hook != nullptr) (each.*hook)(*this, said...);
    }
  }
};

}  // namespace jw::edge
