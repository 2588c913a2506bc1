// The traffic of a whole university, made up by a seed: what honest people do that looks strange (computer rooms,
// service counters, phone beside laptop, a borrowed laptop, remote desktops, shuttles between campuses, the day grades
// come out, browsers that forget their mark, a festival at home), and the ways in which accounts are lent. Against this
// the rules of modules/lending are measured (docs/lending.md).
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "modules/lending/ladder.hpp"
#include "modules/lending/rules.hpp"

namespace jw::tests {

constexpr int kTrafficDays = 42;  // two weeks in which devices become known, then four that are measured
constexpr int kFirstMeasured = 14;

// How an account is lent; none = honest.
enum class Lent : uint8_t {
  none,
  gatherer,          // one student signs in as a dozen class mates on the own laptop, one evening a week
  gathered,          // … and they are these
  friend_elsewhere,  // used by a friend in another building, on the friend's laptop, three days a week
  other_campus,      // used by somebody on the other campus, several days a week
  room_mate,         // used by a room mate on the room mate's laptop, most days: same place
  assistant,         // a teacher's, used by an assistant on the assistant's laptop while the teacher is in the office
  sold,              // used from outside by a program that reads all night
  token,             // the session itself handed over: one session on two campuses
};
constexpr int kLentKinds = 9;
const char* lent_name(Lent lent);

struct Person {
  std::string kind;  // student, teacher, academic_office
  int campus = 0;
  Lent lent = Lent::none;
  bool has_laptop = true, private_mode = false, owl = false, on_two_campuses = false, remote_desktop = false;
  int64_t phone = 0, laptop = 0, office = 0;
  size_t room_mate = 0;  // another person, or oneself
  int habit = 0;         // queries of a visit
};

struct Visit {
  size_t person = 0;
  lending::Burst burst;
  std::string dataset;
  int64_t queries = 0;
};

class Traffic {
 public:
  Traffic(uint64_t seed, size_t students, const lending::Network& network);
  const std::vector<Person>& people() const { return people_; }
  // Everything of one day, in the order of time.
  std::vector<Visit> day(int number);
  static int64_t start_of(int day);

 private:
  struct Where {
    int64_t device;
    int zone;
    double minute;       // of the day
    double minutes;      // how long
    double queries = 0;  // 0: by habit
  };
  uint64_t next();
  bool chance(double probability) { return static_cast<double>(next() >> 11U) * 0x1p-53 < probability; }
  double between(double low, double high) { return low + static_cast<double>(next() >> 11U) * 0x1p-53 * (high - low); }
  size_t any_of(size_t count) { return static_cast<size_t>(next() % count); }
  int zone(int campus, const char* what) const;
  int64_t new_device() { return ++devices_; }

  void make_people(size_t students);
  void make_lending();
  int64_t visit(size_t person, const Where& where, int64_t session = 0);
  void student_day(size_t who);
  void student_visit(size_t who, int zone, double minute);
  void teacher_day(size_t who);
  void lending_day(size_t who);
  void gather(size_t who);
  void counters_and_shops();

  const lending::Network& network_;
  uint64_t state_;
  int64_t devices_ = 0, sessions_ = 0;
  int today_ = 0;
  std::vector<Person> people_;
  std::vector<int64_t> lab_machines_, library_machines_, counters_, shops_;
  std::vector<Visit> visits_;
};

// What the rules and the ladder made of it.
struct Measured {
  size_t people = 0;
  double weeks = 0;
  std::array<int64_t, 4> false_steps{};        // by lending::Step, of honest accounts
  std::map<std::string, int64_t> false_rules;  // findings of honest accounts strong enough to ask, by rule
  struct Pattern {
    int64_t accounts = 0, seen = 0, acted_upon = 0, asked = 0, read_only = 0, suspended = 0;
  };
  std::array<Pattern, kLentKinds> patterns{};
  double per_10000_weeks(lending::Step step) const;
};
Measured measure(Traffic& traffic, const lending::Settings& settings, const lending::Network& network);
std::string table_of(const Measured& measured);

}  // namespace jw::tests
