// Lessons are placed one section after the other where classes, teacher and room are all free: nobody can clash.
#include <algorithm>
#include <array>

#include "modules/made_up/world.hpp"

namespace jw::made_up {
namespace {

constexpr uint64_t kStreamTimetable = 20;
constexpr int64_t kFirstHalf = 0xFF;     // weeks 1–8
constexpr int64_t kSecondHalf = 0xFF00;  // weeks 9–16
constexpr int64_t kShort = 0x0F;         // four weeks

struct Wish {
  uint64_t bits;  // of one slot: 1 first half, 2 second half, 3 both
  int64_t weeks;
};

// 64 hours are two double periods a week, 48 one and a half, 8 four weeks.
std::vector<Wish> wishes(const CourseInfo& course) {
  if (course.hours == 8) return {{1, kShort}};
  std::vector<Wish> out;
  for (int left = course.hours / 16; left > 0; left -= 2) {
    if (left >= 2) {
      out.push_back({3, kFirstHalf | kSecondHalf});
    } else {
      out.push_back(out.empty() ? Wish{1, kFirstHalf} : Wish{2, kSecondHalf});
    }
  }
  return out;
}

int tier_of(const CourseInfo& course, int heads) {
  if (course.category == "3") return 5;
  if (course.category == "4") return 6;
  return heads <= 40 ? 0 : heads <= 70 ? 1 : heads <= 110 ? 2 : heads <= 160 ? 3 : 4;
}

class TermTable {
 public:
  TermTable(World& world, int term)
      : world_(world), random_(world.random({kStreamTimetable, static_cast<uint64_t>(term)})) {
    class_busy_.resize(world.classes.size());
    staff_busy_.resize(world.staff.size());
    turn_.resize(world.units.size());
    for (auto& campus : next_room_) {
      for (auto& tier : campus) tier.fill(0);
    }
    for (size_t i = 0; i < world.rooms.size(); ++i) {
      const RoomInfo& room = world.rooms[i];
      const int tier = room.kind == "A5" ? 6 : room.kind == "3" || room.kind == "4" ? 5 : tier_of_seats(room.seats);
      at(at(rooms_, room.campus), tier).push_back(static_cast<int>(i));
    }
  }

  // The parallel sections `first` … `first + count - 1` lie in the same slots.
  void place(int first, int count) {
    const SectionInfo& one = at(world_.sections, first);
    const CourseInfo& course = at(world_.courses, one.course);
    uint64_t classes = 0;
    for (int i = 0; i < one.classes; ++i) classes |= at(class_busy_, one.first_class + i);
    const std::vector<Wish> wanted = wishes(course);
    std::vector<int> leads(static_cast<size_t>(count), -1);
    std::vector<int> slots;
    for (int tries = 0; tries < 12; ++tries) {
      for (int i = 0; i < count; ++i) {
        at(leads, i) = next_teacher(at(world_.courses, at(world_.sections, first + i).course).unit);
      }
      uint64_t busy = classes;
      for (const int lead : leads) busy |= at(staff_busy_, lead);
      // Two parallel courses of one teacher cannot both be held.
      const bool twice = std::adjacent_find(leads.begin(), leads.end()) != leads.end();
      slots = twice && tries < 11 ? std::vector<int>() : find_slots(wanted, busy);
      if (slots.size() == wanted.size() && !twice) break;
      slots.clear();
    }
    for (int i = 0; i < count; ++i) settle(at(world_.sections, first + i), at(leads, i), wanted, slots);
  }

 private:
  static int tier_of_seats(int seats) {
    return seats <= 40 ? 0 : seats <= 70 ? 1 : seats <= 110 ? 2 : seats <= 160 ? 3 : 4;
  }

  int next_teacher(int unit) {
    const std::vector<int>& all = at(world_.units, unit).teachers;
    int& turn = at(turn_, unit);
    return at(all, turn++ % static_cast<int>(all.size()));
  }

  std::vector<int> find_slots(const std::vector<Wish>& wanted, uint64_t busy) {
    std::vector<int> slots;
    unsigned days = 0;
    for (const Wish& wish : wanted) {
      int found = -1;
      const int start = static_cast<int>(random_.below(kWeekSlots));
      for (int pass = 0; pass < 2 && found < 0; ++pass) {
        for (int i = 0; i < kWeekSlots; ++i) {
          const int slot = (start + i * 7) % kWeekSlots;
          const bool same_day = (days >> static_cast<unsigned>(slot / 6) & 1U) != 0;
          if ((pass == 0 && same_day) || (busy & wish.bits << static_cast<unsigned>(2 * slot)) != 0) continue;
          found = slot;
          break;
        }
      }
      if (found < 0) return slots;
      busy |= wish.bits << static_cast<unsigned>(2 * found);
      days |= 1U << static_cast<unsigned>(found / 6);
      slots.push_back(found);
    }
    return slots;
  }

  int take_room(int campus, int tier, int slot) {
    // A larger one when those of the size are taken; a laboratory or a hall cannot be replaced.
    for (int t = tier; t < (tier < 5 ? 5 : tier + 1); ++t) {
      int& next = at(at(at(next_room_, campus), t), slot);
      const std::vector<int>& all = at(at(rooms_, campus), t);
      if (next < static_cast<int>(all.size())) return at(all, next++);
    }
    return -1;
  }

  void settle(SectionInfo& section, int lead, const std::vector<Wish>& wanted, const std::vector<int>& slots) {
    const CourseInfo& course = at(world_.courses, section.course);
    section.lead = lead;
    int heads = 0;
    for (int i = 0; i < section.classes; ++i) heads += at(world_.classes, section.first_class + i).students;
    const int campus = at(world_.units, at(world_.colleges, section.college)).campus;
    for (size_t i = 0; i < slots.size(); ++i) {
      section.busy |= wanted[i].bits << static_cast<unsigned>(2 * slots[i]);
      const int room = take_room(campus, tier_of(course, heads / section.options), slots[i]);
      section.meetings.push_back({slots[i], wanted[i].weeks, room});
    }
    at(staff_busy_, lead) |= section.busy;
    for (int i = 0; i < section.classes; ++i) at(class_busy_, section.first_class + i) |= section.busy;
    // Large and practical courses have a second teacher, if one is free then.
    if (course.hours >= 48 && random_.chance(200)) {
      const int second = next_teacher(course.unit);
      if (second != lead && (at(staff_busy_, second) & section.busy) == 0) {
        section.second = second;
        at(staff_busy_, second) |= section.busy;
      }
    }
  }

  World& world_;
  Random random_;
  std::vector<uint64_t> class_busy_, staff_busy_;
  std::vector<int> turn_;  // by unit: whose turn it is
  std::array<std::array<std::vector<int>, 7>, 2> rooms_;
  std::array<std::array<std::array<int, kWeekSlots>, 7>, 2> next_room_{};
};

}  // namespace

void World::make_timetable() {
  std::vector<std::vector<int>> by_term(terms.size());
  for (size_t i = 0; i < sections.size(); ++i) {
    if (sections[i].option == 0) at(by_term, sections[i].term).push_back(static_cast<int>(i));
  }
  for (size_t t = 0; t < terms.size(); ++t) {
    TermTable table(*this, static_cast<int>(t));
    // Those to be shown first: the first teacher of the first college then teaches the class to be shown.
    std::stable_partition(by_term[t].begin(), by_term[t].end(),
                          [&](int i) { return at(sections, i).cohort == shown_cohort(); });
    for (const int first : by_term[t]) table.place(first, at(sections, first).options);
  }
}

}  // namespace jw::made_up
