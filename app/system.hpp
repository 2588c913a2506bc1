// The whole assembled once and passed down: no globals (docs/architecture.md).
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "kernel/calendar/api.hpp"
#include "kernel/case/api.hpp"
#include "kernel/catalog/api.hpp"
#include "kernel/edge/arguments.hpp"
#include "kernel/edge/house.hpp"
#include "kernel/identity/api.hpp"
#include "kernel/policy/api.hpp"
#include "kernel/query/api.hpp"
#include "kernel/record/api.hpp"
#include "platform/db/api.hpp"
#include "platform/log/metrics.hpp"

namespace jw::app {

struct SystemOptions {
  std::string db = "sqlite:var/jiaowu.db";
  std::filesystem::path home;   // folder with catalog/, regulation/, modules/, db/migrations/, web/dist/
  std::string clock_file;       // made-up stores only
  std::string witness;          // folder that receives every checkpoint
  std::string node = "server";  // name of this process in the record
  // Where people reach the system from outside: stands on letters, beside their code.
  std::string public_url = "http://127.0.0.1:8080";
  bool create = false;       // make a store that is absent or empty
  std::string key_file;      // that signs the record's checkpoints; empty: key_file_of(db)
  bool restructure = false;  // carry out schema changes that are not safe, too
  // Join store and record as they are (record::Options::adopt), and why.
  std::optional<std::string> adopt;
  int readers = 8;
  int heavy_threads = 2;  // so many questions that look at very many rows at once
  bool cache_plans = true;
};

// Where catalog/ and regulation/ are: `given`, $JIAOWU_HOME, else the nearest folder above the program or the working
// folder that has both.
std::filesystem::path find_home(const std::string& given);

// Members are in order of dependence: destruction runs backwards.
struct System {
  SystemOptions options;
  std::unique_ptr<catalog::Catalogue> catalogue;
  policy::Regulation regulation;  // as it was at the start; what is in force now: policy->rules()
  std::unique_ptr<Clock> clock;
  std::unique_ptr<db::Store> store;
  std::unique_ptr<db::Store> record_store;
  bool made_up = false;
  std::vector<Text> loose;  // seat-belts that could not be fastened
  std::unique_ptr<record::Recorder> recorder;
  calendar::Book calendar;
  std::unique_ptr<identity::Identity> identity;
  std::unique_ptr<policy::Policy> policy;
  std::unique_ptr<query::Engine> engine;
  std::unique_ptr<cases::Engine> cases;
  log::Metrics metrics;
  std::unique_ptr<edge::House> house;  // all of the above, with what the modules keep
};

// By --db, --home and --key-file, as every command takes them.
SystemOptions options_of(const edge::Arguments& arguments, bool create);

// $JIAOWU_KEY_FILE; or else beside the store: NAME.db-record-key; on PostgreSQL record-key-DATABASE in
// $STATE_DIRECTORY, or else in var/.
std::string key_file_of(const std::string& db);
// What the record answers for in the store.
record::Kept kept_of(const std::filesystem::path& home, const catalog::Catalogue& catalogue);
// Public keys (32 bytes) of those that ever signed steps of cases here. `reader`: past the belt.
std::vector<std::string> step_keys(db::Connection& reader);
// How a store is opened, its record in reach.
db::Options store_options(const SystemOptions& options);

// Loads catalogue and regulation, opens or makes the store, migrates the kernel's tables and the safe part of the
// schema, opens the record and every module. Throws std::runtime_error with a message for the operator; record::Apart.
std::unique_ptr<System> open_system(const SystemOptions& options);

// All that reading connections may read; the tables of the catalogue are sealed (platform/db/api.hpp).
db::Belt belt_of(const catalog::Catalogue& catalogue);

// Loading alone (jiaowu migrate shows differences before anything is opened for business).
std::unique_ptr<catalog::Catalogue> load_catalogue(const std::filesystem::path& home);

}  // namespace jw::app
