#include "tests/lending/honest_traffic.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <set>

namespace jw::tests {

using lending::Burst;
using lending::Step;

namespace {

constexpr const char* kLentNames[] = {
    "honest", "gatherer", "gathered", "friend_elsewhere", "other_campus", "room_mate", "assistant", "sold", "token"};
constexpr const char* kDatasets[] = {"grade", "enrolment", "meeting", "section", "evaluation", "award", "student"};

bool is_release_day(int day) {
  return day == 20 || day == 21;
}
bool is_grading(int day) {
  return day >= 30 && day <= 32;
}
bool is_festival(int day) {
  return day >= 37;
}
bool is_weekend(int day) {
  return day % 7 >= 5;
}

}  // namespace

const char* lent_name(Lent lent) {
  return kLentNames[static_cast<size_t>(lent)];
}

int64_t Traffic::start_of(int day) {
  return Instant::at_start_of(Date::from_civil(2026, 1, 5)).us + day * kDay;
}

uint64_t Traffic::next() {
  uint64_t x = state_ += 0x9e3779b97f4a7c15U;  // splitmix64
  x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27U)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31U);
}

int Traffic::zone(int campus, const char* what) const {
  return network_.zone_named(std::string(campus == 0 ? "main_" : "east_") + what);
}

Traffic::Traffic(uint64_t seed, size_t students, const lending::Network& network) : network_(network), state_(seed) {
  make_people(students);
  make_lending();
  for (size_t i = 0; i < 40 + students / 100; ++i) lab_machines_.push_back(new_device());
  for (size_t i = 0; i < 10 + students / 400; ++i) library_machines_.push_back(new_device());
  for (size_t i = 0; i < 3 + students / 2000; ++i) counters_.push_back(new_device());
  for (size_t i = 0; i < 3 + students / 2000; ++i) shops_.push_back(new_device());
}

void Traffic::make_people(size_t students) {
  for (size_t i = 0; i < students; ++i) {
    Person person;
    person.kind = "student";
    person.campus = i % 4 == 3 ? 1 : 0;
    person.has_laptop = !chance(0.06);
    person.private_mode = chance(0.05);
    person.owl = chance(0.08);
    person.phone = new_device();
    person.laptop = new_device();
    person.habit = 2 + static_cast<int>(any_of(10));
    people_.push_back(person);
  }
  // Rooms of four on one campus: i, i + 4, i + 8, i + 12.
  for (size_t i = 0; i < students; ++i) {
    const size_t mate = i + 4 < students && i / 16 == (i + 4) / 16 ? i + 4 : i >= 4 ? i - 4 : i;
    people_[i].room_mate = mate;
  }
  const size_t teachers = students / 14 + 8, clerks = students / 100 + 4;
  for (size_t i = 0; i < teachers + clerks; ++i) {
    Person person;
    person.kind = i < teachers ? "teacher" : "academic_office";
    person.campus = i % 4 == 3 ? 1 : 0;
    person.private_mode = chance(0.02);
    person.on_two_campuses = i < teachers && chance(0.15);
    person.remote_desktop = chance(0.04);
    person.phone = new_device();
    person.laptop = new_device();
    person.office = new_device();
    person.room_mate = people_.size();
    person.habit = i < teachers ? 4 + static_cast<int>(any_of(12)) : 20 + static_cast<int>(any_of(60));
    people_.push_back(person);
  }
}

// Each way in one of four hundred accounts, but at least eight of them.
void Traffic::make_lending() {
  const size_t each = std::max<size_t>(8, people_.size() / 400);
  const auto take = [&](const char* kind, Lent lent) {
    for (size_t tries = 0; tries < 100'000; ++tries) {
      Person& person = people_[any_of(people_.size())];
      if (person.kind != kind || person.lent != Lent::none) continue;
      person.lent = lent;
      return;
    }
  };
  for (size_t i = 0; i < each; ++i) {
    for (const Lent lent : {Lent::friend_elsewhere, Lent::other_campus, Lent::room_mate, Lent::sold, Lent::token})
      take("student", lent);
    take("teacher", Lent::assistant);
  }
  // A gatherer every so often, with the dozen accounts that follow.
  for (size_t i = 0; i < each; ++i) {
    const size_t who = any_of(people_.size() / 2);
    if (people_[who].kind != "student" || people_[who].lent != Lent::none || !people_[who].has_laptop) continue;
    people_[who].lent = Lent::gatherer;
    people_[who].private_mode = false;
    for (size_t k = 1; k <= 12 && who + k < people_.size(); ++k) {
      Person& mate = people_[who + k];
      if (mate.kind == "student" && mate.lent == Lent::none) mate.lent = Lent::gathered;
    }
  }
}

int64_t Traffic::visit(size_t who, const Where& where, int64_t session) {
  const Person& person = people_[who];
  Visit made;
  made.person = who;
  made.burst.session = session != 0 ? session : ++sessions_;
  const bool own = where.device == person.phone || where.device == person.laptop;
  made.burst.device = own && person.private_mode ? new_device() : where.device;
  // An address that the table puts on the wrong campus now and then.
  made.burst.zone = chance(0.0001) ? zone(1 - person.campus, "teaching") : where.zone;
  made.burst.from_us = start_of(today_) + static_cast<int64_t>(where.minute * 60.0 * 1e6);
  made.burst.until_us = made.burst.from_us + static_cast<int64_t>(where.minutes * 60.0 * 1e6);
  made.dataset = kDatasets[chance(0.9) ? any_of(3) : any_of(std::size(kDatasets))];
  const double busy = person.kind == "student" && is_release_day(today_) ? 5.0
                      : person.kind != "student" && is_grading(today_)   ? 6.0
                                                                         : 1.0;
  // Now and then somebody looks up everything: an application abroad, a doubtful average.
  const double spree = where.queries == 0 && chance(0.003) ? between(5, 25) : 1;
  const double queries = where.queries != 0 ? where.queries : person.habit * busy * spree * between(0.5, 2);
  made.queries = std::max<int64_t>(1, std::llround(queries));
  visits_.push_back(made);
  return made.burst.session;
}

// One look into the system: phone, laptop, both at once, or what is at hand.
void Traffic::student_visit(size_t who, int here, double minute) {
  Person& person = people_[who];
  const Person& mate = people_[person.room_mate];
  const double minutes = between(1, 25);
  if (person.has_laptop && chance(0.45)) {
    visit(who, {person.laptop, chance(0.05) ? network_.zone_named("vpn") : here, minute, minutes});
    // The phone beside it, on the air or on the campus network.
    const int air = chance(0.5) ? 0 : chance(0.03) ? zone(person.campus, "teaching") : here;  // a neighbour's, at times
    if (chance(0.35)) visit(who, {person.phone, air, minute + between(0, minutes), between(1, 5)});
  } else if (!person.has_laptop && mate.has_laptop && chance(0.25)) {
    visit(who, {mate.laptop, here, minute, minutes});  // has none, so uses the room mate's
    if (chance(0.3)) visit(who, {person.phone, chance(0.5) ? 0 : here, minute, between(1, 5)});
  } else {
    visit(who, {person.phone, chance(0.5) ? 0 : here, minute, minutes});
  }
}

void Traffic::student_day(size_t who) {
  Person& person = people_[who];
  const bool home = is_festival(today_) && chance(0.9);
  if (chance(0.003)) person.laptop = new_device();  // marks are lost: a new computer, cleared browser data
  if (chance(0.003)) person.phone = new_device();
  if (!chance(home ? 0.15 : is_release_day(today_) ? 0.95 : 0.45)) return;
  if (home) {
    visit(who, {chance(0.5) ? person.phone : person.laptop, 0, between(540, 1380), between(1, 20)});
    return;
  }
  const int dormitory = zone(person.campus, "dormitory"), teaching = zone(person.campus, "teaching");
  if (person.owl && chance(0.3)) student_visit(who, dormitory, between(20, 180));
  if (!is_weekend(today_) && chance(0.5)) student_visit(who, teaching, between(480, 1020));
  if (!is_weekend(today_) && chance(0.08)) {  // in a computer room, own phone beside
    visit(who, {lab_machines_[any_of(lab_machines_.size())], zone(person.campus, "lab"), between(480, 1020),
                between(2, 60)});
    if (chance(0.3)) visit(who, {person.phone, chance(0.5) ? 0 : teaching, between(480, 1020), between(1, 5)});
  }
  if (person.campus == 0 && chance(0.05)) {
    const int library = network_.zone_named("main_library");
    visit(who, {library_machines_[any_of(library_machines_.size())], library, between(1080, 1200), between(1, 10)});
  }
  if (chance(0.03)) {  // a friend's laptop in the room, or in class, the own phone in the hand
    const Person& mate = people_[person.room_mate];
    const double minute = between(1080, 1260);
    visit(who, {mate.laptop, dormitory, minute, between(2, 15)});
    if (chance(0.5)) visit(who, {person.phone, chance(0.5) ? 0 : dormitory, minute + 3, between(1, 5)});
  }
  if (chance(is_release_day(today_) ? 0.9 : 0.6)) student_visit(who, dormitory, between(1140, 1400));
}

void Traffic::teacher_day(size_t who) {
  Person& person = people_[who];
  if (chance(0.002)) person.office = new_device();
  if (is_weekend(today_) || is_festival(today_)) {
    if (chance(is_grading(today_) ? 0.6 : 0.15))
      visit(who, {person.laptop, chance(0.3) ? network_.zone_named("vpn") : 0, between(540, 1320), between(2, 40)});
    return;
  }
  if (!chance(is_grading(today_) ? 0.95 : 0.6)) return;
  const int office = zone(person.campus, "office"), teaching = zone(person.campus, "teaching");
  const double morning = between(480, 600);
  visit(who, {person.office, office, morning, between(5, 90)});
  if (chance(0.5)) visit(who, {person.laptop, teaching, between(700, 800), between(1, 10)});
  if (chance(0.3)) visit(who, {person.phone, chance(0.5) ? 0 : teaching, between(700, 1000), between(1, 5)});
  if (person.on_two_campuses && chance(0.3)) {  // by shuttle, a few by car
    const int there = 1 - person.campus;
    const double leave = between(840, 900), way = chance(0.02) ? between(16, 25) : between(28, 60);
    visit(who, {person.laptop, teaching, leave - 6, 6});
    visit(who, {person.laptop, zone(there, "teaching"), leave + way, between(2, 20)});
  }
  if (person.remote_desktop && chance(0.15)) {  // the machine in the office answers, its owner sits elsewhere
    const int there = chance(0.3) ? 1 - person.campus : person.campus;
    const double minute = between(840, 960);
    visit(who, {person.office, office, minute, 30});
    visit(who, {person.laptop, zone(there, "teaching"), minute + 5, between(2, 20)});
  }
  if (chance(0.4)) visit(who, {person.office, office, between(870, 1020), between(5, 60)});
  if (chance(0.3)) visit(who, {person.laptop, 0, between(1170, 1320), between(2, 40)});
}

// Machines that serve many, one after another: at the counter, and in a print shop that no zone of the table names.
void Traffic::counters_and_shops() {
  if (is_weekend(today_) || is_festival(today_)) return;
  const size_t students = people_.size() * 9 / 10;
  for (const int64_t counter : counters_) {
    for (int i = 0; i < 25; ++i) {
      const size_t who = any_of(students);
      if (people_[who].kind != "student" || people_[who].campus != 0) continue;
      visit(who, {counter, network_.zone_named("main_counter"), 500.0 + i * 18, between(2, 8)});
    }
  }
  for (const int64_t shop : shops_) {
    const size_t customers = 3 + any_of(30);
    for (size_t i = 0; i < customers; ++i) {
      const size_t who = any_of(students);
      if (people_[who].kind != "student") continue;
      const int where = shop % 2 == 0 ? 0 : zone(people_[who].campus, "dormitory");
      visit(who, {shop, where, 540.0 + static_cast<double>(i) * 22, between(2, 6)});
      if (chance(0.3)) visit(who, {people_[who].phone, 0, 541.0 + static_cast<double>(i) * 22, 2});
    }
  }
}

void Traffic::gather(size_t who) {
  if (today_ % 7 != 2 && !is_release_day(today_)) return;
  const Person& gatherer = people_[who];
  double minute = 1200;
  visit(who, {gatherer.laptop, zone(gatherer.campus, "dormitory"), minute, 5});
  for (size_t k = 1; k <= 12 && who + k < people_.size(); ++k) {
    if (people_[who + k].lent != Lent::gathered) continue;
    minute += between(3, 8);
    visit(who + k, {gatherer.laptop, zone(gatherer.campus, "dormitory"), minute, 3});
  }
}

void Traffic::lending_day(size_t who) {
  const Person person = people_[who];
  const int dormitory = zone(person.campus, "dormitory"), teaching = zone(person.campus, "teaching");
  const int elsewhere = 1 - person.campus;
  // Somebody of another building whose own laptop it is.
  const Person& borrower = people_[(who + 37) % (people_.size() * 4 / 5)];
  const double minute = between(1140, 1260);
  switch (person.lent) {
    case Lent::gatherer:
      gather(who);
      break;
    case Lent::friend_elsewhere:
      if (!chance(0.45)) break;
      visit(who, {person.phone, dormitory, minute, between(5, 20)});
      visit(who, {borrower.laptop, teaching, minute + between(0, 4), between(5, 20)});
      break;
    case Lent::other_campus:
      if (!chance(0.45)) break;
      visit(who, {person.laptop, dormitory, minute, between(5, 20)});
      visit(who, {new_device(), zone(elsewhere, "teaching"), minute + between(0, 15), between(5, 20)});
      break;
    case Lent::room_mate:
      if (!chance(0.6)) break;
      visit(who, {person.phone, dormitory, minute, between(5, 20)});
      visit(who, {people_[person.room_mate].laptop, dormitory, minute + between(0, 10), between(5, 20)});
      break;
    case Lent::assistant:
      if (is_weekend(today_) || !chance(0.4)) break;
      visit(who, {person.office, zone(person.campus, "office"), 900, between(30, 90)});
      visit(who, {borrower.laptop, teaching, 905 + between(0, 20), between(10, 40)});
      break;
    case Lent::sold:
      if (today_ < kFirstMeasured + 3 || !chance(0.3)) break;
      visit(who, {new_device(), 0, between(60, 240), 50, between(600, 3000)});
      break;
    case Lent::token: {
      if (!chance(0.3)) break;
      const int64_t session = visit(who, {person.laptop, dormitory, minute, between(5, 20)});
      visit(who, {person.laptop, zone(elsewhere, "dormitory"), minute + between(1, 10), between(5, 20)}, session);
      break;
    }
    case Lent::none:
    case Lent::gathered:
      break;
  }
}

std::vector<Visit> Traffic::day(int number) {
  today_ = number;
  visits_.clear();
  for (size_t who = 0; who < people_.size(); ++who) {
    if (people_[who].kind == "student") {
      student_day(who);
    } else {
      teacher_day(who);
    }
    if (!is_festival(today_)) lending_day(who);
  }
  counters_and_shops();
  std::stable_sort(visits_.begin(), visits_.end(),
                   [](const Visit& a, const Visit& b) { return a.burst.from_us < b.burst.from_us; });
  return std::move(visits_);
}

// ---- measuring

namespace {

struct Known {
  Step step = Step::none;
  int64_t since_us = 0;
  std::map<std::string_view, lending::Weighed> findings;
  std::vector<Burst> bursts;
  std::vector<lending::Use> uses;
  bool seen = false;
  std::array<bool, 4> reached{};
};

struct DeviceDays {
  std::map<int64_t, uint64_t> days;             // by account, a bit a day
  std::map<int64_t, int64_t> private_until_us;  // by account, where machines are not everybody's
};

class Judge {
 public:
  Judge(const std::vector<Person>& people, const lending::Settings& settings, const lending::Network& network,
        Measured& out)
      : people_(people), settings_(settings), network_(network), out_(out), known_(people.size()) {}

  void take(const Visit& visit, int day) {
    Known& known = known_[visit.person];
    known.bursts.push_back(visit.burst);
    const int64_t hour = visit.burst.from_us / (3600 * kSecond) * (3600 * kSecond);
    known.uses.push_back({visit.burst.session, hour, visit.dataset, visit.queries, 0, 0});
    DeviceDays& device = devices_[visit.burst.device];
    const auto account = static_cast<int64_t>(visit.person) + 1;
    device.days[account] |= uint64_t{1} << static_cast<unsigned>(day);
    if (!network_.zones[static_cast<size_t>(visit.burst.zone)].is_shared())
      device.private_until_us[account] = visit.burst.until_us;
    by_day_[static_cast<size_t>(day)][people_[visit.person].kind] += visit.queries;
    active_.insert(visit.person);
  }

  // Everybody who was active since the last time.
  void judge(int day, int64_t now_us) {
    if (day >= kFirstMeasured) {
      for (const size_t who : active_) judge_one(who, day, now_us);
    }
    active_.clear();
  }

  void finish() {
    for (size_t who = 0; who < people_.size(); ++who) {
      if (people_[who].lent == Lent::none) continue;
      Measured::Pattern& pattern = out_.patterns[static_cast<size_t>(people_[who].lent)];
      ++pattern.accounts;
      pattern.seen += known_[who].seen ? 1 : 0;
      pattern.acted_upon += known_[who].reached[1] || known_[who].reached[2] || known_[who].reached[3] ? 1 : 0;
      pattern.asked += known_[who].reached[1] ? 1 : 0;
      pattern.read_only += known_[who].reached[2] ? 1 : 0;
      pattern.suspended += known_[who].reached[3] ? 1 : 0;
    }
  }

 private:
  lending::View view_of(size_t who, int day, int64_t now_us) {
    Known& known = known_[who];
    const int64_t oldest = now_us - lending::kHistoryDays * kDay;
    std::erase_if(known.bursts, [&](const Burst& burst) { return burst.until_us < oldest; });
    std::erase_if(known.uses, [&](const lending::Use& use) { return use.hour_us < oldest; });
    lending::View view;
    view.now = {now_us};
    view.account = static_cast<int64_t>(who) + 1;
    view.bursts = known.bursts;
    view.uses = known.uses;
    view.day_permille = permille(people_[who].kind, day);
    const uint64_t recent_days = ~uint64_t{0} << static_cast<unsigned>(std::max(0, day - lending::kHistoryDays + 1));
    for (const Burst& burst : view.bursts) {
      if (view.devices.contains(burst.device)) continue;
      const DeviceDays& days = devices_[burst.device];
      lending::Device device;
      for (const auto& [account, bits] : days.days) {
        if (const int count = __builtin_popcountll(bits & recent_days); count > 0)
          device.users.push_back({account, count});
      }
      for (const auto& [account, until_us] : days.private_until_us)
        device.recent += until_us >= now_us - settings_.window_hours * 3600 * kSecond ? 1 : 0;
      view.devices.emplace(burst.device, std::move(device));
    }
    return view;
  }

  int64_t permille(const std::string& kind, int day) {
    int64_t sum = 0;
    for (int before = std::max(0, day - lending::kHistoryDays); before < day; ++before)
      sum += by_day_[static_cast<size_t>(before)][kind];
    const int64_t usual = std::max<int64_t>(1, sum / std::clamp(day, 1, lending::kHistoryDays));
    return by_day_[static_cast<size_t>(day)][kind] * 1000 / usual;
  }

  void judge_one(size_t who, int day, int64_t now_us) {
    Known& known = known_[who];
    const Person& person = people_[who];
    for (const lending::Finding& finding : lending::look(view_of(who, day, now_us), settings_, network_)) {
      lending::Weighed& kept = known.findings[finding.rule->name];
      if (kept.found_us != 0 && !lending::is_news(kept.score, kept.found_us, finding.score, now_us)) continue;
      kept = {finding.rule->name, finding.score, now_us, false};
      known.seen = true;
      if (person.lent == Lent::none && finding.score >= settings_.ask_score)
        ++out_.false_rules[std::string(finding.rule->name)];
    }
    std::vector<lending::Weighed> findings;
    for (const auto& [rule, each] : known.findings) {
      if (now_us - each.found_us < settings_.mute_days * kDay) findings.push_back(each);
    }
    const Step due = lending::step_due(known.step, known.since_us, findings, settings_);
    if (due == known.step) return;
    known.step = due;
    known.since_us = now_us;
    known.reached[static_cast<size_t>(due)] = true;
    if (person.lent == Lent::none) {
      ++out_.false_steps[static_cast<size_t>(due)];
      // Somebody honest shows who it is, or explains; all is as before.
      for (auto& [rule, each] : known.findings) each.answered = true;
      known.step = Step::none;
    } else if (due == Step::ask_second_factor) {
      for (auto& [rule, each] : known.findings) each.answered = true;  // whoever has the password has it
    }
  }

  const std::vector<Person>& people_;
  const lending::Settings& settings_;
  const lending::Network& network_;
  Measured& out_;
  std::vector<Known> known_;
  std::map<int64_t, DeviceDays> devices_;
  std::array<std::map<std::string, int64_t>, kTrafficDays> by_day_;
  std::set<size_t> active_;
};

}  // namespace

double Measured::per_10000_weeks(Step step) const {
  return static_cast<double>(false_steps[static_cast<size_t>(step)]) * 10'000.0 / (static_cast<double>(people) * weeks);
}

Measured measure(Traffic& traffic, const lending::Settings& settings, const lending::Network& network) {
  Measured measured;
  for (const Person& person : traffic.people()) measured.people += person.lent == Lent::none ? 1 : 0;
  measured.weeks = (kTrafficDays - kFirstMeasured) / 7.0;
  Judge judge(traffic.people(), settings, network, measured);
  for (int day = 0; day < kTrafficDays; ++day) {
    const int64_t noon = Traffic::start_of(day) + kDay / 2;
    bool morning = true;
    for (const Visit& visit : traffic.day(day)) {
      if (morning && visit.burst.from_us >= noon) {
        judge.judge(day, noon);
        morning = false;
      }
      judge.take(visit, day);
    }
    judge.judge(day, Traffic::start_of(day + 1) - 1);
  }
  judge.finish();
  return measured;
}

std::string table_of(const Measured& measured) {
  char line[200];
  std::string out =
      "| honest accounts | account-weeks | asked again, per 10,000 | read only | suspended |\n| --- | --- | --- | --- "
      "| --- |\n";
  std::snprintf(line, sizeof line, "| %zu | %.0f | %.2f | %.2f | %.2f |\n\n", measured.people,
                static_cast<double>(measured.people) * measured.weeks,
                measured.per_10000_weeks(Step::ask_second_factor), measured.per_10000_weeks(Step::read_only),
                measured.per_10000_weeks(Step::suspended));
  out += line;
  out +=
      "| lent as | accounts | seen | acted upon | asked again | read only | suspended |\n| --- | --- | --- | --- | --- "
      "| --- | --- |\n";
  for (int i = 1; i < kLentKinds; ++i) {
    const Measured::Pattern& each = measured.patterns[static_cast<size_t>(i)];
    if (each.accounts == 0) continue;
    const auto share = [&](int64_t part) { return static_cast<int>(100 * part / each.accounts); };
    std::snprintf(line, sizeof line, "| %s | %d | %d %% | %d %% | %d %% | %d %% | %d %% |\n",
                  lent_name(static_cast<Lent>(i)), static_cast<int>(each.accounts), share(each.seen),
                  share(each.acted_upon), share(each.asked), share(each.read_only), share(each.suspended));
    out += line;
  }
  out += "\nfindings of honest accounts strong enough to ask, by rule:";
  for (const auto& [rule, count] : measured.false_rules) out += " " + rule + " " + std::to_string(count);
  return out + "\n";
}

}  // namespace jw::tests
