#include "app/system.hpp"

#include <cstdlib>
#include <stdexcept>

#include "app/modules.hpp"
#include "kernel/catalog/schema.hpp"
#include "kernel/edge/facts.hpp"
#include "kernel/notice/api.hpp"
#include "kernel/paper/api.hpp"
#include "kernel/policy/reach.hpp"
#include "kernel/policy/regulation_edit.hpp"

namespace jw::app {

namespace fs = std::filesystem;

namespace {

bool is_home(const fs::path& folder) {
  return fs::is_directory(folder / "catalog") && fs::is_directory(folder / "regulation");
}

std::runtime_error problems_error(const std::vector<catalog::FileProblem>& problems) {
  return std::runtime_error(
      catalog::print("目录或规定的文件有误 / the catalogue or the regulation has mistakes:", problems));
}

db::Options store_options(const SystemOptions& options) {
  db::Options out;
  out.url = options.db;
  out.create = options.create;
  out.readers = options.readers;
  out.writers = 4;
  out.attached_name = "record";
  if (!options.db.starts_with("postgres")) {
    std::string path = options.db.starts_with("sqlite:") ? options.db.substr(7) : options.db;
    if (options.create) {
      const fs::path parent = fs::path(path).parent_path();
      if (!parent.empty()) fs::create_directories(parent);
    }
    out.attached_path = path + "-record";
  }
  return out;
}

void bring_schema_up(System& system) {
  const db::Store::Lease writer = system.store->writer();
  db::migrate(*writer, db::migrations_of(system.options.home));
  if (catalog::stored_digest(*writer) == system.catalogue->digest) return;
  const bool new_store = catalog::stored_digest(*writer).empty();
  const Result<Done> applied = catalog::apply_schema(*system.catalogue, *writer, !new_store);
  if (!applied) {
    throw std::runtime_error(
        applied.refusal().detail.zh + " / " + applied.refusal().detail.en +
        "\n  请运行 jiaowu migrate --db … 查看并执行 / run jiaowu migrate --db … to see and apply");
  }
}

// The regulation in force is the store's; the files are what a new store starts with (design §1.3).
void start_regulation(System& system, const boost::json::object& files) {
  int64_t outbox = 0;
  {
    const db::Store::Lease writer = system.store->writer();
    db::Transaction transaction(*writer, db::Transaction::Mode::write);
    outbox = policy::start_regulation(*writer, *system.recorder, *system.catalogue, files, system.clock->now());
    if (outbox != 0) transaction.commit();
  }
  if (outbox != 0) system.recorder->deliver(outbox);
  const db::Store::Lease reader = system.store->reader();
  system.regulation = policy::stored_regulation(*reader, policy::version_in_force(*reader), *system.catalogue);
}

void open_house(System& system) {
  std::string seed;
  Text school;
  {
    const db::Store::Lease writer = system.store->writer();
    seed = identity::secret(*writer, "case_signature");
    school = {edge::store_fact(*writer, "school_zh"), edge::store_fact(*writer, "school_en")};
  }
  system.cases = std::make_unique<cases::Engine>(cases::Services{.catalogue = *system.catalogue,
                                                                 .policy = *system.policy,
                                                                 .calendar = system.calendar,
                                                                 .recorder = *system.recorder,
                                                                 .store = *system.store,
                                                                 .clock = *system.clock,
                                                                 .identity = *system.identity,
                                                                 .kinds = kinds(),
                                                                 .signing_seed = std::move(seed),
                                                                 .school = school.zh,
                                                                 .public_url = system.options.public_url});
  system.engine->name_condition("case", "waits_for_me", [&system](const policy::Asker& asker, Instant now) {
    const db::Store::Lease lease = system.store->reader();
    system.policy->refresh(*lease);
    return system.cases->waits_for(*lease, asker, now);
  });
  system.house.reset(new edge::House{.catalogue = *system.catalogue,
                                     .store = *system.store,
                                     .recorder = *system.recorder,
                                     .clock = *system.clock,
                                     .calendar = system.calendar,
                                     .identity = *system.identity,
                                     .policy = *system.policy,
                                     .engine = *system.engine,
                                     .cases = *system.cases,
                                     .metrics = system.metrics,
                                     .home = system.options.home,
                                     .made_up = system.made_up,
                                     .school = std::move(school),
                                     .turns = edge::Turns({.heavy_threads = system.options.heavy_threads}),
                                     .leniency = system.made_up ? 1000 : 1});
  for (const edge::Module* module : modules()) {
    system.house->hooks.push_back(module->hooks);
    if (module->open != nullptr) module->open(*system.house);
  }
}

}  // namespace

fs::path find_home(const std::string& given) {
  if (!given.empty()) {
    if (!is_home(given))
      throw std::runtime_error(given + " 中没有 catalog/ 和 regulation/ / " + given +
                               " has no catalog/ and regulation/");
    return fs::absolute(given);
  }
  if (const char* from_environment = std::getenv("JIAOWU_HOME");
      from_environment != nullptr && *from_environment != '\0') {
    return find_home(from_environment);
  }
  std::error_code error;
  for (fs::path start : {fs::read_symlink("/proc/self/exe", error).parent_path(), fs::current_path()}) {
    for (fs::path folder = start; !folder.empty(); folder = folder.parent_path()) {
      if (is_home(folder)) return folder;
      if (folder == folder.root_path()) break;
    }
  }
  throw std::runtime_error(
      "找不到 catalog/ 和 regulation/，请用 --home 指定 / cannot find catalog/ and regulation/; name their folder with "
      "--home");
}

db::Belt belt_of(const catalog::Catalogue& catalogue) {
  db::Belt belt;
  belt.readers = policy::whole_catalogue(catalogue);
  for (const auto& [table, columns] : belt.readers.columns) belt.sealed.push_back(table);
  belt.readers.add(policy::readers_reach());
  belt.readers.add(identity::readers_reach());
  belt.readers.add(calendar::readers_reach());
  belt.readers.add(cases::readers_reach());
  belt.readers.add(notice::readers_reach());
  belt.readers.add(paper::readers_reach());
  for (const edge::Module* module : modules()) {
    if (module->reach != nullptr) belt.readers.add(module->reach());
  }
  belt.readers.columns["store_fact"] = {"name", "value"};
  return belt;
}

std::unique_ptr<catalog::Catalogue> load_catalogue(const fs::path& home) {
  std::vector<catalog::CodeSet> made = cases::code_sets(kinds());
  for (const edge::Module* module : modules()) {
    if (module->codes == nullptr) continue;
    for (catalog::CodeSet& set : module->codes()) made.push_back(std::move(set));
  }
  auto loaded = catalog::load(home, made);
  if (auto* problems = std::get_if<std::vector<catalog::FileProblem>>(&loaded)) throw problems_error(*problems);
  return std::make_unique<catalog::Catalogue>(std::get<catalog::Catalogue>(std::move(loaded)));
}

std::unique_ptr<System> open_system(const SystemOptions& options) {
  auto system = std::make_unique<System>();
  system->options = options;
  system->catalogue = load_catalogue(options.home);
  auto regulation = policy::content_of_files(options.home, *system->catalogue);
  if (auto* problems = std::get_if<std::vector<catalog::FileProblem>>(&regulation)) throw problems_error(*problems);

  const db::Options store = store_options(options);
  system->store = db::Store::open(store);
  bring_schema_up(*system);
  {
    const db::Store::Lease keeper = system->store->private_reader();
    system->made_up = edge::store_fact(*keeper, "made_up") == "1";
  }
  if (!options.clock_file.empty()) {
    if (!system->made_up) throw std::runtime_error("--clock 只用于虚构的数据 / --clock works on made-up stores only");
    system->clock = file_clock(options.clock_file);
  } else {
    system->clock = system_clock();
  }
  system->record_store = db::Store::open(record::record_store(store));
  record::Options record;
  record.witness = options.witness;
  record.node = options.node;
  system->recorder = record::Recorder::open(*system->store, *system->record_store, *system->clock, record);
  start_regulation(*system, std::get<boost::json::object>(regulation));
  system->loose = system->store->fasten(belt_of(*system->catalogue));

  identity::Options identity = system->made_up ? identity::Options::for_made_up() : identity::Options{};
  identity.made_up = system->made_up;
  system->identity = std::make_unique<identity::Identity>(*system->store, *system->clock, identity);
  system->policy = std::make_unique<policy::Policy>(*system->catalogue, system->regulation, *system->store);
  query::Options query;
  query.cache_plans = options.cache_plans;
  {
    const db::Store::Lease writer = system->store->writer();
    query.token_key = identity::secret(*writer, "page_token");
  }
  system->engine = std::make_unique<query::Engine>(*system->catalogue, *system->policy, *system->store, *system->clock,
                                                   std::move(query));
  open_house(*system);
  return system;
}

}  // namespace jw::app
