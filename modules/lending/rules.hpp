// What tells that an account is used by more than one person (§2.5.3, §6.1.3): pure functions over what one account did
// of late. Each rule is a row of a table, says in words what it saw, and names the sessions and leaves it rests on.
//
// A score is 0–100: how hard it is for one honest person to make this pattern. Its meaning is measured, not argued:
// docs/lending.md has the false alarms on simulated honest traffic, and a test holds them to a bound.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "kernel/policy/regulation.hpp"
#include "modules/lending/network.hpp"

namespace jw::lending {

constexpr int kHistoryDays = 28;
constexpr int64_t kBurstGapUs = 10 * 60 * kSecond;  // quiet for longer than this begins a new burst

// The numbers that the school may change (regulation/settings.toml, lending_…).
struct Settings {
  int64_t window_hours = 0;
  int64_t device_accounts = 0;                 // accounts on one person's device within the window that are too many
  int64_t foreign_days = 0;                    // days on another person's device that are too many
  int64_t near_minutes = 0;                    // two devices used within this of each other are used side by side
  int64_t switches = 0;                        // changes between two places that are too many
  int64_t volume_times = 0, volume_floor = 0;  // queries a day: so many times one's own most, and at least so many
  int64_t weight_device = 0, weight_account = 0, weight_move = 0, weight_past = 0;  // percent; 0 turns a rule off
  int64_t ask_score = 0, read_only_score = 0, suspend_score = 0;
  int64_t mute_days = 0;   // after a finding was dismissed, the same rule is silent about the account for so long
  int64_t steps_hour = 0;  // steps above asking that may be taken automatically within an hour
};
// Throws std::runtime_error naming a setting that is not there.
Settings settings_of(const policy::Regulation& regulation);

// Time in which one session asked from one zone without a long pause.
struct Burst {
  int64_t session = 0;
  int64_t device = 0;  // 0: the browser sent no mark
  int zone = 0;        // index into Network::zones
  int64_t from_us = 0, until_us = 0;
};

// Who used a device within the history, on how many days.
struct DeviceUser {
  int64_t account = 0;
  int days = 0;
};
struct Device {
  std::vector<DeviceUser> users;
  int recent = 0;  // accounts within the window, where machines are not everybody's
  // Whose it is by its use: 0 when nobody's or nobody's yet.
  int64_t owner() const;
  int days_of(int64_t account) const;
};

// Queries of one hour on one dataset.
struct Use {
  int64_t session = 0;
  int64_t hour_us = 0;
  std::string dataset;
  int64_t queries = 0;
  uint64_t first_leaf = 0, last_leaf = 0;
};

// What one account did within the history, and what is known of the devices it used.
struct View {
  Instant now;
  int64_t account = 0;
  std::vector<Burst> bursts;  // by from_us
  std::vector<Use> uses;
  std::map<int64_t, Device> devices;
  int64_t day_permille = 1000;  // how busy accounts of this kind are today against their usual day; 1000 = as usual
  std::map<int64_t, uint64_t> sign_in_leaves;  // by session
};

struct Rule;
struct Finding {
  const Rule* rule = nullptr;
  int score = 0;
  Text seen;
  int64_t from_us = 0, until_us = 0;
  std::vector<int64_t> sessions;
  std::vector<uint64_t> leaves;  // seq in the record
};

struct Rule {
  std::string_view name;
  Text label;
  std::string_view clause;
  int64_t Settings::*weight;
  std::optional<Finding> (*look)(const View&, const Settings&, const Network&);
};
std::span<const Rule> rules();
const Rule* rule_named(std::string_view name);

// Every rule's finding, weighed, strongest first.
std::vector<Finding> look(const View& view, const Settings& settings, const Network& network);

}  // namespace jw::lending
