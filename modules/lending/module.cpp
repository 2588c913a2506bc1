// Lending and impersonation of accounts (§2.5.3): found by rules that can be explained, answered on a ladder, dealt
// with at a desk; a suspended account is examined by people in a case.
#include "modules/lending/lending.hpp"

#include <stdexcept>

#include "platform/log/api.hpp"

namespace jw::lending {

namespace {

Network zones_of(const std::filesystem::path& home) {
  auto read = load_network(home);
  if (const auto* problems = std::get_if<std::vector<catalog::FileProblem>>(&read))
    throw std::runtime_error(catalog::print("modules/lending/network.toml 有误 / has mistakes:", *problems));
  return std::get<Network>(std::move(read));
}

void open(edge::House& house) {
  const Watch::Parts parts{house.store, house.identity, house.recorder, house.policy, house.clock};
  house.parts.keep(std::make_unique<Watch>(
      parts, zones_of(house.home),
      [&house](db::Connection& transaction, int64_t account, const std::vector<Stored>& findings) {
        open_suspension(house.cases, transaction, account, findings);
      }));
}

void sweep(edge::House& house) {
  Watch& watch = house.parts.get<Watch>();
  watch.flush();
  const Swept done = watch.sweep();
  if (done.steps > 0) log::info("lending.steps", {{"steps", done.steps}, {"findings", done.findings}});
  if (done.failed > 0) log::error("lending.steps_failed", {{"accounts", done.failed}});
}

void asked(edge::House& house, int64_t session, int64_t account, std::string_view remote) {
  house.parts.get<Watch>().note(session, account, remote);
}

void confirmed(edge::House& house, const record::Hand& holder) {
  house.parts.get<Watch>().answered(holder);
}

std::string zone(edge::House& house, std::string_view remote) {
  return house.parts.get<Watch>().network().zone_of(remote).name;
}

std::optional<edge::Story> story(edge::House& house, int64_t account) {
  const db::Store::Lease lease = house.store.private_reader();
  auto told = house.parts.get<Watch>().story(*lease, account);
  if (!told) return std::nullopt;
  return edge::Story{std::string(step_name(told->step)), step_label(told->step), told->since, std::move(told->seen),
                     std::move(told->reason)};
}

void add(catalog::CodeSet& set, std::string_view name, const Text& label) {
  catalog::Code& code = set.codes.emplace_back();
  code.code = name;
  code.name = label;
  code.ext = true;
}

std::vector<catalog::CodeSet> codes() {
  std::vector<catalog::CodeSet> sets(2);
  sets[0].name = "LENDING_RULE";
  for (const Rule& rule : rules()) add(sets[0], rule.name, rule.label);
  sets[1].name = "LENDING_STEP";
  for (const Step step : {Step::ask_second_factor, Step::read_only, Step::suspended})
    add(sets[1], step_name(step), step_label(step));
  return sets;
}

bool has_desk(const edge::Call& call) {
  return edge::empowered(call, kDesk);
}

int64_t open_findings(const edge::Call& call) {
  const db::Store::Lease lease = call.house().store.private_reader();
  db::Rows rows = lease->query("SELECT COUNT(*) FROM lending_finding WHERE state = 'open'");
  return rows.next() ? rows.integer(0) : 0;
}

const edge::Place kPlaces[] = {
    {.name = "lending", .label = {"转借与冒用", "Lending of accounts"}, .open = has_desk, .count = open_findings}};

const cases::Kind* const kKinds[] = {&kSuspension};
constexpr edge::Round kRounds[] = {{"lending", std::chrono::seconds(60), sweep}};

}  // namespace

extern const edge::Module kModule;
const edge::Module kModule{
    .name = "lending",
    .label = {"转借与冒用", "lending and impersonation"},
    .clause = "2.5.3",
    .routes = routes(),
    .places = kPlaces,
    .kinds = kKinds,
    .codes = codes,
    .rounds = kRounds,
    .hooks = {.asked = asked, .confirmed = confirmed, .zone = zone, .story = story},
    .open = open,
};

}  // namespace jw::lending
