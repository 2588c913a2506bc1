#include "app/system.hpp"

#include <cstdlib>
#include <stdexcept>

#include "app/modules.hpp"
#include "base/text.hpp"
#include "kernel/catalog/schema.hpp"
#include "kernel/edge/facts.hpp"
#include "kernel/notice/api.hpp"
#include "kernel/paper/api.hpp"
#include "kernel/policy/reach.hpp"
#include "kernel/policy/regulation_edit.hpp"
#include "platform/crypto/api.hpp"

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

// An embedded store is made by whoever means to, never by a mistyped name or a disk that is not there; and one whose
// record is gone is not given an empty one.
void check_files(db::Options& store, const SystemOptions& options) {
  if (store.attached_path.empty()) return;
  std::error_code none;
  const std::string path =
      store.attached_path.substr(0, store.attached_path.size() - std::string_view("-record").size());
  const bool there = fs::exists(path, none) && fs::file_size(path, none) > 0;
  if (!there && !options.create) {
    throw std::runtime_error("没有数据库文件 " + path +
                             "。路径写错了，或磁盘没有挂上？新建请用 jiaowu init / there is no store " + path +
                             ". Is the path right, the disk mounted? A new one is made by jiaowu init");
  }
  if (!there || fs::exists(store.attached_path, none)) return;
  if (!options.adopt)
    throw record::Apart(
        {"操作记录 " + store.attached_path + " 不在", "the record " + store.attached_path + " is not there"});
  store.create = true;
}

// A database that is there and holds nothing may be the wrong one: only who means to make a store makes one.
void check_made(db::Connection& writer, bool create) {
  if (create || !catalog::stored_digest(writer).empty()) return;
  throw std::runtime_error(
      "这个数据库是空的。是否连错了库？新建请用 jiaowu init / this database is empty. Is it the right one? A new store "
      "is "
      "made by jiaowu init");
}

// Whether anything was changed, in words for its leaf.
std::string bring_schema_up(System& system) {
  const db::Store::Lease writer = system.store->writer();
  check_made(*writer, system.options.create);
  const std::vector<db::Migrations> sources = db::migrations_of(system.options.home);
  std::string changed;
  for (const std::string& name : db::migrations_ahead(*writer, sources)) changed += name + "; ";
  db::migrate(*writer, sources);
  const std::string stored = catalog::stored_digest(*writer);
  if (stored == system.catalogue->digest) return changed;
  for (const catalog::SchemaChange& change : catalog::schema_changes(*system.catalogue, *writer))
    changed += change.text.en + "; ";
  const Result<Done> applied =
      catalog::apply_schema(*system.catalogue, *writer, !stored.empty() && !system.options.restructure);
  if (!applied) {
    std::string text = applied.refusal().detail.zh + " / " + applied.refusal().detail.en;
    for (const FieldProblem& field : applied.refusal().fields)
      text += "\n  " + field.field + ": " + field.text.zh + " / " + field.text.en;
    throw std::runtime_error(
        text + "\n  请运行 jiaowu migrate --db … 查看并执行 / run jiaowu migrate --db … to see and apply");
  }
  return changed;
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

constexpr std::string_view kHeldStepKey = "case_signature";  // the seed, in stores of older versions
constexpr std::string_view kStepKeys = "step_keys";          // public ones, base64, the one in use last

// Gives the seed of the key that signs steps. What the store held of it itself goes into the key file, and then out of
// the store; it keeps the public keys, of which there is a new one only after a record was begun anew.
std::string settle_step_key(System& system, const std::string& key_file) {
  const db::Store::Lease writer = system.store->writer();
  const std::string held = identity::kept_secret(*writer, kHeldStepKey);
  // Nothing of it stays behind in the file.
  if (!held.empty() && writer->dialect() == db::Dialect::sqlite) writer->script("PRAGMA secure_delete = ON");
  db::Transaction transaction(*writer, db::Transaction::Mode::write);
  if (!held.empty()) {
    record::keep_step_seed(key_file, held);
    identity::forget_secret(*writer, kHeldStepKey);
  }
  std::string seed = record::step_seed(key_file);
  const std::string key = crypto::base64(crypto::SigningKey::from_seed(seed).public_key);
  std::string known = edge::store_fact(*writer, kStepKeys);
  if (!known.ends_with(key)) {
    if (!known.empty() && !system.options.adopt) throw record::wrong_key_file(key_file);
    edge::set_store_fact(*writer, kStepKeys, known + (known.empty() ? "" : " ") + key);
  }
  transaction.commit();
  return seed;
}

void open_house(System& system, std::string seed) {
  Text school;
  {
    const db::Store::Lease writer = system.store->writer();
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

SystemOptions options_of(const edge::Arguments& arguments, bool create) {
  SystemOptions options;
  options.db = arguments.required("db");
  options.home = find_home(arguments.option("home").value_or(""));
  options.node = "command";
  options.create = create;
  options.key_file = arguments.option("key-file").value_or(key_file_of(options.db));
  return options;
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

std::string key_file_of(const std::string& db) {
  if (const char* named = std::getenv("JIAOWU_KEY_FILE"); named != nullptr && *named != '\0') return named;
  if (!db.starts_with("postgres")) return (db.starts_with("sqlite:") ? db.substr(7) : db) + "-record-key";
  const char* state = std::getenv("STATE_DIRECTORY");
  const size_t host = db.find("://") + 3, query = std::min(db.find('?'), db.size());
  const size_t slash = std::min(db.find('/', host), query);
  const std::string database = slash < query ? db.substr(slash + 1, query - slash - 1) : "postgres";
  return (fs::path(state == nullptr || *state == '\0' ? "var" : state) / ("record-key-" + database)).string();
}

record::Kept kept_of(const fs::path& home, const catalog::Catalogue& catalogue) {
  record::Kept kept;
  const std::vector<db::Migrations> sources = db::migrations_of(home);
  const auto asides = db::asides_of(sources);
  for (const std::string& table : db::tables_of(sources)) {
    const auto aside = asides.find(table);
    if (aside != asides.end() && aside->second.whole) continue;
    kept.tables[table] = aside == asides.end() ? std::set<std::string, std::less<>>{} : aside->second.columns;
  }
  for (const catalog::Dataset& dataset : catalogue.datasets) {
    if (!dataset.by_kernel) kept.datasets.insert(dataset.name);
  }
  return kept;
}

std::vector<std::string> step_keys(db::Connection& reader) {
  std::vector<std::string> keys;
  const std::string known = edge::store_fact(reader, kStepKeys);
  for (const std::string_view each : split(known, ' ')) {
    if (const auto key = crypto::unbase64(each); key && !key->empty()) keys.push_back(*key);
  }
  if (const std::string held = identity::kept_secret(reader, kHeldStepKey); !held.empty())
    keys.push_back(crypto::SigningKey::from_seed(held).public_key);
  return keys;
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

  db::Options store = store_options(options);
  check_files(store, options);
  system->store = db::Store::open(store);
  const std::string changed = bring_schema_up(*system);
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
  record.key_file = options.key_file.empty() ? key_file_of(options.db) : options.key_file;
  record.kept = kept_of(options.home, *system->catalogue);
  record.migrated = !changed.empty();
  record.restructured = options.restructure && !changed.empty();
  record.migration = changed;
  if (options.adopt) {
    record.adopt = true;
    record.adopted_by = edge::operator_hand();
    record.adopt_reason = *options.adopt;
  }
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
  open_house(*system, settle_step_key(*system, record.key_file));
  return system;
}

}  // namespace jw::app
