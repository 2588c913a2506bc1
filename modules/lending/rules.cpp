#include "modules/lending/rules.hpp"

#include <algorithm>
#include <set>
#include <stdexcept>

namespace jw::lending {

namespace {

constexpr int64_t kMinute = 60 * kSecond;
constexpr int kOwnerDays = 3;        // on fewer days a device is nobody's yet
constexpr int kOwnerTimes = 2;       // and its owner is there so many times as often as anybody else
constexpr int kKnownDays = 3;        // days after which a device is known to be one's own
constexpr int kPublicAccounts = 12;  // more than this a day on nobody's device: a public machine that no zone names
constexpr int64_t kLookedBackUs = 14 * kDay;  // for what happened again and again
constexpr int kScoreMost = 95;
constexpr int kGuestMost = 65;  // on somebody else's device

struct Limits {
  int64_t since_us;  // of the window
};

Limits limits_of(const View& view, const Settings& settings) {
  return {view.now.us - settings.window_hours * 3600 * kSecond};
}

std::string clock_text(int64_t us) {
  const std::string text = Instant{us / kMinute * kMinute}.print();  // 2026-11-23T15:10:00+08:00
  return text.substr(5, 5) + " " + text.substr(11, 5);
}

std::string number(int64_t value) {
  return std::to_string(value);
}

// The sessions a finding rests on, with the leaves of their sign-ins and of what they asked within the window.
void cite(Finding& finding, const View& view, std::set<int64_t> sessions, int64_t since_us) {
  finding.sessions.assign(sessions.begin(), sessions.end());
  std::set<uint64_t> leaves;
  for (const int64_t session : sessions) {
    if (const auto found = view.sign_in_leaves.find(session); found != view.sign_in_leaves.end())
      leaves.insert(found->second);
  }
  for (const Use& use : view.uses) {
    if (use.hour_us + 3600 * kSecond < since_us || !sessions.contains(use.session)) continue;
    leaves.insert(use.first_leaf);
    leaves.insert(use.last_leaf);
  }
  finding.leaves.assign(leaves.begin(), leaves.end());
}

const Zone& zone_of(const Network& network, const Burst& burst) {
  return network.zones[static_cast<size_t>(burst.zone)];
}

const Device* device_of(const View& view, const Burst& burst) {
  const auto found = burst.device == 0 ? view.devices.end() : view.devices.find(burst.device);
  return found == view.devices.end() ? nullptr : &found->second;
}

bool is_foreign(const View& view, const Burst& burst) {
  const Device* device = device_of(view, burst);
  return device != nullptr && device->owner() != 0 && device->owner() != view.account;
}

bool is_known(const View& view, const Burst& burst) {
  const Device* device = device_of(view, burst);
  return device != nullptr && device->owner() == view.account && device->days_of(view.account) >= kKnownDays;
}

// Between the end of the earlier and the beginning of the later; negative: at the same time.
int64_t gap_us(const Burst& a, const Burst& b) {
  return std::max(a.from_us, b.from_us) - std::min(a.until_us, b.until_us);
}

// Two bursts, the earlier first.
struct Pair {
  const Burst *first, *second;
};

// Pairs of bursts of the window that lie within `most_us` of each other.
template <class Each>
void each_pair(const View& view, int64_t since_us, int64_t most_us, const Each& each) {
  const std::vector<Burst>& all = view.bursts;
  for (size_t i = 0; i < all.size(); ++i) {
    if (all[i].until_us < since_us) continue;
    for (size_t k = i + 1; k < all.size() && all[k].from_us - all[i].until_us <= most_us; ++k)
      each(Pair{&all[i], &all[k]});
  }
}

// ---- one device, many accounts

std::optional<Finding> device_many_accounts(const View& view, const Settings& settings, const Network& network) {
  const int64_t since = limits_of(view, settings).since_us;
  Finding best;
  for (const Burst& burst : view.bursts) {
    const Device* device = device_of(view, burst);
    if (burst.until_us < since || device == nullptr || zone_of(network, burst).is_shared()) continue;
    const int64_t owner = device->owner();
    int regulars = 0, returned = 0;  // others who keep coming back to it; all who came back at all
    for (const DeviceUser& user : device->users) {
      regulars += user.account != owner && user.days >= kOwnerDays ? 1 : 0;
      returned += user.days > 1 ? 1 : 0;
    }
    const auto recent = static_cast<int64_t>(device->recent);
    int64_t score = 0;
    if (recent >= settings.device_accounts && owner != 0) {
      score = 45 + 8 * (recent - settings.device_accounts);
    } else if (recent >= settings.device_accounts) {
      // Nobody's: customers of a print shop come once; a few who come back together share something else.
      score = returned * 2 >= static_cast<int>(device->users.size()) ? 45 : recent <= kPublicAccounts ? 20 : 15;
    }
    if (owner != 0 && regulars >= 2) score = std::max<int64_t>(score, 30 + 10 * (regulars - 2));
    if (score <= best.score) continue;
    // Whoever uses many accounts on the own device is plain to see; each of the others may have sat there by chance.
    best.score = static_cast<int>(std::min<int64_t>(score, owner == view.account ? kScoreMost : kGuestMost));
    best.from_us = burst.from_us;
    best.until_us = burst.until_us;
    const std::string many = number(std::max<int64_t>(recent, regulars + 1)), hours = number(settings.window_hours);
    if (owner == view.account) {
      best.seen = {"您常用的设备在 " + hours + " 小时内登录了 " + many + " 个账号",
                   many + " accounts signed in on your own device within " + hours + " hours"};
    } else if (owner != 0) {
      best.seen = {"您的账号在他人常用的设备上登录，该设备 " + hours + " 小时内登录了 " + many + " 个账号",
                   "your account signed in on a device that somebody else uses, with " + many + " accounts within " +
                       hours + " hours"};
    } else {
      best.seen = {"您的账号与另外 " + number(recent - 1) + " 个账号在 " + hours + " 小时内用过同一台设备",
                   "your account and " + number(recent - 1) + " others used one device within " + hours + " hours"};
    }
    cite(best, view, {burst.session}, since);
  }
  if (best.score == 0) return std::nullopt;
  return best;
}

// ---- one account, several devices side by side

// Again and again on somebody else's device while one's own is in use, too. Room mates do so as well: worth a look, no
// more.
std::optional<Finding> beside_own(const View& view, const Settings& settings, const Network& network, int64_t since) {
  constexpr int kMost = 35;
  Finding best;
  each_pair(view, since, settings.near_minutes * kMinute, [&](const Pair& pair) {
    const Burst &a = *pair.first, &b = *pair.second;
    if (a.device == b.device || a.device == 0 || b.device == 0 || is_foreign(view, a) == is_foreign(view, b)) return;
    const Burst& foreign = is_foreign(view, a) ? a : b;
    const Burst& own = is_foreign(view, a) ? b : a;
    const Zone &there = zone_of(network, foreign), &here = zone_of(network, own);
    const int days = device_of(view, foreign)->days_of(view.account);
    if (there.is_shared() || days < settings.foreign_days) return;
    const auto score = static_cast<int>(std::min<int64_t>(kMost, 20 + 5 * (days - settings.foreign_days)));
    if (score <= best.score) return;
    best.score = score;
    best.from_us = a.from_us;
    best.until_us = std::max(a.until_us, b.until_us);
    best.seen = {"您的账号在 " + clock_text(foreign.from_us) + "（" + there.label.zh +
                     "）用于他人常用的设备，前后又在您自己的设备上使用（" + here.label.zh + "）；这样的日子共 " +
                     number(days) + " 天",
                 "your account was used at " + clock_text(foreign.from_us) + " (" + there.label.en +
                     ") on a device that somebody else uses, with your own device in use beside it (" + here.label.en +
                     "); on " + number(days) + " days in all"};
    cite(best, view, {a.session, b.session}, since);
  });
  if (best.score == 0) return std::nullopt;
  return best;
}

// Two places of one campus whose machines are not everybody's. What is on two campuses is for impossible_move.
bool side_by_side(const Zone& here, const Zone& there) {
  return here.is_placed() && here.campus == there.campus && !here.is_shared() && !there.is_shared();
}

// Two devices in two places at the same time, day after day. Both known as one's own: somebody who reaches the machine
// in the office from elsewhere. Places next to each other share the air, so that a single day says little.
std::optional<Finding> in_two_places(const View& view, const Network& network, int64_t since) {
  std::set<int32_t> days;
  std::set<int64_t> sessions;
  const Burst *one = nullptr, *other = nullptr;
  bool known = true, foreign = false;
  each_pair(view, view.now.us - kLookedBackUs, 0, [&](const Pair& pair) {
    const Burst &a = *pair.first, &b = *pair.second;
    if (a.device == b.device || a.device == 0 || b.device == 0 || a.zone == b.zone) return;
    const Zone &here = zone_of(network, a), &there = zone_of(network, b);
    if (!side_by_side(here, there)) return;
    const bool own = is_known(view, a) && is_known(view, b);
    if (!own) days.insert(Instant{b.from_us}.date().days);
    known = known && own;
    foreign = foreign || is_foreign(view, a) || is_foreign(view, b);
    if (b.until_us < since) return;
    one = &a;
    other = &b;
    sessions.insert({a.session, b.session});
  });
  if (one == nullptr) return std::nullopt;
  const auto count = static_cast<int>(days.size());
  Finding finding;
  finding.score = known ? 20 : std::min(75, (count == 1 ? 20 : 30 + 10 * count) + (foreign ? 10 : 0));
  finding.from_us = one->from_us;
  finding.until_us = std::max(one->until_us, other->until_us);
  const Text &here = zone_of(network, *one).label, &there = zone_of(network, *other).label;
  finding.seen = {"您的账号在 " + clock_text(other->from_us) + " 同时在" + here.zh + "和" + there.zh +
                      "的两台设备上使用；这样的日子共 " + number(std::max(1, count)) + " 天",
                  "your account was used at " + clock_text(other->from_us) + " on two devices at the same time, in " +
                      here.en + " and in " + there.en + "; on " + number(std::max(1, count)) + " days in all"};
  cite(finding, view, std::move(sessions), since);
  return finding;
}

// To and fro between devices in two places within the window, faster than one can walk.
std::optional<Finding> to_and_fro(const View& view, const Settings& settings, const Network& network, int64_t since) {
  constexpr int64_t kWalkUs = 3 * kMinute;
  int64_t switches = 0;
  bool known = true;
  const Burst *first = nullptr, *second = nullptr, *last = nullptr;
  std::set<int64_t> sessions;
  each_pair(view, since, kWalkUs, [&](const Pair& pair) {
    const Burst &a = *pair.first, &b = *pair.second;
    if (a.device == b.device || a.device == 0 || b.device == 0 || a.zone == b.zone) return;
    const Zone &here = zone_of(network, a), &there = zone_of(network, b);
    if (!side_by_side(here, there)) return;
    switches += gap_us(a, b) <= 0 ? 2 : 1;
    known = known && is_known(view, a) && is_known(view, b);
    if (first == nullptr) {
      first = &a;
      second = &b;
    }
    last = &b;
    sessions.insert({a.session, b.session});
  });
  if (first == nullptr || switches < settings.switches) return std::nullopt;
  Finding finding;
  finding.score = known ? 30 : static_cast<int>(std::min<int64_t>(75, 45 + 5 * (switches - settings.switches)));
  finding.from_us = first->from_us;
  finding.until_us = last->until_us;
  const Text &one = zone_of(network, *first).label, &other = zone_of(network, *second).label;
  const std::string when = clock_text(first->from_us), times = number(switches);
  finding.seen = {"自 " + when + " 起，您的账号在不同地点的设备间来回切换 " + times + " 次（如" + one.zh + "与" +
                      other.zh + "），快于步行所需",
                  "from " + when + " your account went to and fro between devices in different places " + times +
                      " times (as " + one.en + " and " + other.en + "), faster than one can walk"};
  cite(finding, view, std::move(sessions), since);
  return finding;
}

std::optional<Finding> account_many_devices(const View& view, const Settings& settings, const Network& network) {
  const int64_t since = limits_of(view, settings).since_us;
  std::optional<Finding> best;
  for (auto& each : {beside_own(view, settings, network, since), in_two_places(view, network, since),
                     to_and_fro(view, settings, network, since)}) {
    if (each && (!best || each->score > best->score)) best = each;
  }
  return best;
}

// ---- from campus to campus, faster than anybody travels

std::optional<Finding> impossible_move(const View& view, const Settings& settings, const Network& network) {
  constexpr int64_t kFarthestUs = kDay;
  const int64_t since = limits_of(view, settings).since_us;
  Finding best;
  std::set<int32_t> days;  // of moves that no remote machine explains
  std::set<int64_t> sessions;
  each_pair(view, view.now.us - kLookedBackUs, kFarthestUs, [&](const Pair& pair) {
    const Burst &a = *pair.first, &b = *pair.second;
    const Zone &from = zone_of(network, a), &to = zone_of(network, b);
    const int64_t minutes = network.travel_minutes(from.campus, to.campus);
    const int64_t gap = gap_us(a, b);
    if (minutes == 0 || gap >= minutes * kMinute) return;
    const bool foreign = is_foreign(view, a) || is_foreign(view, b);
    const bool known = is_known(view, a) && is_known(view, b) && a.device != b.device;
    if (!known) days.insert(Instant{b.from_us}.date().days);
    if (b.until_us < since) return;
    sessions.insert({a.session, b.session});
    const int score = foreign ? 80 : a.session == b.session ? 75 : known ? 30 : 60;
    if (score <= best.score) return;
    best.score = score;
    best.from_us = a.from_us;
    best.until_us = std::max(a.until_us, b.until_us);
    const std::string apart = number(std::max<int64_t>(0, gap / kMinute)), way = number(minutes);
    best.seen = {"您的账号 " + clock_text(a.until_us) + " 在" + from.label.zh + "、" + clock_text(b.from_us) + " 在" +
                     to.label.zh + "使用，相隔 " + apart + " 分钟，而两校区间最快也要 " + way + " 分钟",
                 "your account was used at " + clock_text(a.until_us) + " in " + from.label.en + " and at " +
                     clock_text(b.from_us) + " in " + to.label.en + ", " + apart +
                     " minutes apart, where the shortest way takes " + way};
  });
  if (best.score == 0) return std::nullopt;
  const auto again = static_cast<int>(std::min<size_t>(days.size(), 5)) - 1;
  if (again > 0) {
    best.score = std::min(kScoreMost, best.score + 8 * again);
    best.seen.zh += "；这样的日子共 " + number(again + 1) + " 天";
    best.seen.en += "; on " + number(again + 1) + " days or more";
  }
  cite(best, view, std::move(sessions), since);
  return best;
}

// ---- reading unlike one's own past

struct Past {
  int64_t most = 0;  // queries on the busiest day
  int64_t today = 0;
  int active_days = 0;
  std::set<int> hours;
  std::set<std::string> datasets;
  int64_t strange_hours = 0;  // of today: queries in hours never used before
  std::set<std::string> strange_datasets;
  std::set<int64_t> sessions;  // of today
};

int hour_of_day(int64_t us) {
  return static_cast<int>((us + 8 * 3600 * kSecond) / (3600 * kSecond) % 24);
}

Past past_of(const View& view) {
  Past past;
  const Date today = view.now.date();
  std::map<Date, int64_t> days;
  for (const Use& use : view.uses) {
    const Date day = Instant{use.hour_us}.date();
    if (day == today) continue;
    days[day] += use.queries;
    for (const int near : {-1, 0, 1}) past.hours.insert((hour_of_day(use.hour_us) + near + 24) % 24);
    past.datasets.insert(use.dataset);
  }
  for (const auto& [day, queries] : days) past.most = std::max(past.most, queries);
  past.active_days = static_cast<int>(days.size());
  for (const Use& use : view.uses) {
    if (Instant{use.hour_us}.date() != today) continue;
    past.today += use.queries;
    past.sessions.insert(use.session);
    if (!past.hours.contains(hour_of_day(use.hour_us))) past.strange_hours += use.queries;
    if (!past.datasets.contains(use.dataset)) past.strange_datasets.insert(use.dataset);
  }
  return past;
}

// Weak by nature: people change. It never does more by itself than have somebody show again who it is.
std::optional<Finding> unlike_own_past(const View& view, const Settings& settings, const Network&) {
  constexpr int kActiveDays = 5;  // before, nothing is known of somebody's habits
  const Past past = past_of(view);
  if (past.active_days < kActiveDays || past.today < settings.volume_floor) return std::nullopt;
  // On the day grades come out everybody reads more than ever.
  const int64_t busy = std::max<int64_t>(1000, view.day_permille);
  const int64_t usual = std::max<int64_t>(1, past.most) * busy / 1000;
  if (past.today < settings.volume_times * usual) return std::nullopt;
  Finding finding;
  finding.score = 30;
  const bool at_strange_hours = past.strange_hours * 2 >= past.today;
  if (at_strange_hours) finding.score += 10;
  if (past.strange_datasets.size() >= 2) finding.score += 5;
  finding.from_us = Instant::at_start_of(view.now.date()).us;
  finding.until_us = view.now.us;
  finding.seen = {"今天查询 " + number(past.today) + " 次，您以往最多的一天为 " + number(past.most) + " 次",
                  number(past.today) + " queries today, where your busiest day before had " + number(past.most)};
  if (at_strange_hours) {
    finding.seen.zh += "；多在您从不使用的时段";
    finding.seen.en += "; mostly at hours you have never used";
  }
  if (!past.strange_datasets.empty()) {
    finding.seen.zh +=
        "；其中有 " + number(static_cast<int64_t>(past.strange_datasets.size())) + " 种数据您以前没有查过";
    finding.seen.en += "; " + number(static_cast<int64_t>(past.strange_datasets.size())) +
                       " kinds of data among them that you never asked for";
  }
  cite(finding, view, past.sessions, finding.from_us);
  return finding;
}

constexpr std::string_view kClause = "2.5.3";

const Rule kRules[] = {
    {"device_many_accounts",
     {"一台设备登录多个账号", "one device, many accounts"},
     kClause,
     &Settings::weight_device,
     device_many_accounts},
    {"account_many_devices",
     {"一个账号在多台设备上交替使用", "one account on several devices side by side"},
     kClause,
     &Settings::weight_account,
     account_many_devices},
    {"impossible_move",
     {"短时间内出现在不可能到达的地点", "from campus to campus faster than anybody travels"},
     kClause,
     &Settings::weight_move,
     impossible_move},
    {"unlike_own_past",
     {"查询情况与本人以往明显不同", "reading unlike one's own past"},
     kClause,
     &Settings::weight_past,
     unlike_own_past},
};

}  // namespace

int64_t Device::owner() const {
  const DeviceUser* most = nullptr;
  int second = 0;
  for (const DeviceUser& user : users) {
    if (most == nullptr || user.days > most->days) {
      second = most == nullptr ? 0 : most->days;
      most = &user;
    } else {
      second = std::max(second, user.days);
    }
  }
  if (most == nullptr || most->days < kOwnerDays || most->days < kOwnerTimes * second) return 0;
  return most->account;
}

int Device::days_of(int64_t account) const {
  for (const DeviceUser& user : users) {
    if (user.account == account) return user.days;
  }
  return 0;
}

Settings settings_of(const policy::Regulation& regulation) {
  Settings settings;
  const std::pair<const char*, int64_t Settings::*> kNames[] = {
      {"lending_window_hours", &Settings::window_hours},
      {"lending_device_accounts", &Settings::device_accounts},
      {"lending_foreign_days", &Settings::foreign_days},
      {"lending_near_minutes", &Settings::near_minutes},
      {"lending_switches", &Settings::switches},
      {"lending_volume_times", &Settings::volume_times},
      {"lending_volume_floor", &Settings::volume_floor},
      {"lending_weight_device", &Settings::weight_device},
      {"lending_weight_account", &Settings::weight_account},
      {"lending_weight_move", &Settings::weight_move},
      {"lending_weight_past", &Settings::weight_past},
      {"lending_ask_score", &Settings::ask_score},
      {"lending_read_only_score", &Settings::read_only_score},
      {"lending_suspend_score", &Settings::suspend_score},
      {"lending_mute_days", &Settings::mute_days},
      {"lending_steps_hour", &Settings::steps_hour},
  };
  for (const auto& [name, place] : kNames) {
    try {
      settings.*place = regulation.setting(name);
    } catch (const std::out_of_range&) {
      throw std::runtime_error(std::string("regulation/settings.toml 缺少设置 / lacks the setting ") + name);
    }
  }
  return settings;
}

std::span<const Rule> rules() {
  return kRules;
}

const Rule* rule_named(std::string_view name) {
  for (const Rule& rule : kRules) {
    if (rule.name == name) return &rule;
  }
  return nullptr;
}

std::vector<Finding> look(const View& view, const Settings& settings, const Network& network) {
  std::vector<Finding> findings;
  for (const Rule& rule : kRules) {
    const int64_t weight = settings.*rule.weight;
    if (weight == 0) continue;
    auto found = rule.look(view, settings, network);
    if (!found) continue;
    found->rule = &rule;
    found->score = static_cast<int>(std::min<int64_t>(100, found->score * weight / 100));
    findings.push_back(std::move(*found));
  }
  std::stable_sort(findings.begin(), findings.end(),
                   [](const Finding& a, const Finding& b) { return a.score > b.score; });
  return findings;
}

}  // namespace jw::lending
