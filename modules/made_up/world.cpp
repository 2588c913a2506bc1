#include "modules/made_up/world.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "base/text.hpp"

namespace jw::made_up {
namespace {

constexpr int kClassSize = 30;
constexpr int kPrintedFrom = -20'000;  // days; staff are born after 1915

enum Stream : uint64_t { kStreamTerms = 1, kStreamCourse, kStreamStaff, kStreamAdviser };

Date monday_from(int year, unsigned month, unsigned day) {
  Date date = Date::from_civil(year, month, day);
  while (date.weekday() != 1) ++date.days;
  return date;
}
Date autumn(int year) {
  return monday_from(year, 9, 1);
}
Date spring(int year) {
  return monday_from(year + 1, 2, 20);
}

std::string two(int n) {
  return (n < 10 ? "0" : "") + std::to_string(n);
}
std::string four(int n) {
  return std::string(n < 10 ? "000" : n < 100 ? "00" : n < 1000 ? "0" : "") + std::to_string(n);
}

size_t colleges_for(int64_t students) {
  return students < 600 ? 3 : students < 3'000 ? 8 : students < 20'000 ? 12 : 16;
}

}  // namespace

World::World(int64_t size, uint64_t seed_given, Date now) : seed(seed_given), today(now), students(size) {
  make_terms();
  make_units(size);
  make_courses();
  make_classes(size);
  plan_sections();
  make_staff();
  make_advisers();
  make_rooms();
  make_timetable();
  remember_leavers();
}

Random World::random(std::initializer_list<uint64_t> what) const {
  return Random(mix({seed, mix(what)}));
}

const std::string& World::print(Date date) {
  const auto index = static_cast<size_t>(date.days - kPrintedFrom);
  if (printed_.size() <= index) printed_.resize(index + 4096);
  if (printed_[index].empty()) printed_[index] = date.print();
  return printed_[index];
}

int World::unit_of(std::string_view letters) const {
  for (size_t i = 0; i < units.size(); ++i) {
    if (units[i].letters == letters) return static_cast<int>(i);
  }
  return colleges[mix({letters.size(), static_cast<uint64_t>(letters.front())}) % colleges.size()];
}

int World::office(std::string_view code) const {
  for (size_t i = 0; i < units.size(); ++i) {
    if (units[i].code == code) return static_cast<int>(i);
  }
  return 0;
}

int World::shown_class() const {
  for (size_t i = 0; i < classes.size(); ++i) {
    if (classes[i].cohort == shown_cohort()) return static_cast<int>(i);
  }
  return 0;
}

// A term lasts until the next one begins, so that every day lies in one.
void World::make_terms() {
  const int year = today >= autumn(today.year()) ? today.year() : today.year() - 1;
  base_year = year - (kCohorts - 1);
  for (int y = base_year; y <= year; ++y) {
    for (int season = 1; season <= 2; ++season) {
      TermInfo term;
      term.year = y;
      term.season = season;
      term.begins = season == 1 ? autumn(y) : spring(y);
      if (term.begins > today) break;
      term.ends = {(season == 1 ? spring(y) : autumn(y + 1)).days - 1};
      term.school_year = std::to_string(y) + "-" + std::to_string(y + 1);
      term.code = term.school_year + "-" + std::to_string(season);
      term.name = std::to_string(y) + "—" + std::to_string(y + 1) + "学年" + (season == 1 ? "秋季学期" : "春季学期");
      terms.push_back(std::move(term));
    }
  }
}

void World::make_units(int64_t size) {
  const auto add = [&](std::string code, std::string name, std::string english, std::string short_name,
                       std::string_view kind) -> UnitInfo& {
    UnitInfo unit;
    unit.code = std::move(code);
    unit.name = std::move(name);
    unit.english = std::move(english);
    unit.short_name = std::move(short_name);
    unit.kind = kind;
    unit.parent = units.empty() ? -1 : 0;
    unit.campus = 0;
    return units.emplace_back(std::move(unit));
  };
  add("00001", kSchoolZh, kSchoolEn, "青屿", "school");
  add("jwc", "教务处", "Academic Affairs Office", "教务处", "office");
  add("xsc", "学生处", "Student Affairs Office", "学生处", "office");
  add("cwc", "财务处", "Finance Office", "财务处", "office");
  add("kyc", "科研处", "Research Office", "科研处", "office");
  add("hqc", "后勤处", "Logistics Office", "后勤处", "office");
  add("xxb", "信息化办公室", "Information Technology Office", "信息办", "office");
  add("sjc", "审计处", "Audit Office", "审计处", "office");
  add("tsg", "图书馆", "Library", "图书馆", "support");
  const auto all = made_up::colleges();
  for (size_t i = 0; i < colleges_for(size); ++i) {
    const CollegeText& text = all[i];
    UnitInfo& unit = add(std::string(text.code), std::string(text.name), std::string(text.english),
                         std::string(text.short_name), "college");
    unit.letters = text.letters;
    unit.campus = static_cast<int>(i % 3 == 2 ? 1 : 0);
    colleges.push_back(static_cast<int>(units.size()) - 1);
    texts.push_back(&text);
  }
  add("24000", "马克思主义学院", "School of Marxism", "马院", "college").letters = "MX";
  add("25000", "体育部", "Department of Physical Education", "体育部", "support").letters = "TY";
  hired_.resize(units.size());
}

int World::course(std::string number, std::string_view name, int unit, int credits, int hours, Grading grading,
                  std::string_view category, std::string_view nature) {
  Random random = this->random({kStreamCourse, courses.size()});
  CourseInfo info;
  info.number = std::move(number);
  info.name = name;
  info.unit = unit;
  info.credits = credits;
  info.hours = hours;
  info.grading = grading;
  info.category = category;
  info.nature = nature;
  info.exam_form = grading == Grading::score && credits >= 20 ? "1" : "2";
  info.difficulty = static_cast<int>(random.bell() * 3 / 1000) + (credits >= 40 ? 3 : 0) - (credits <= 10 ? 4 : 0);
  courses.push_back(std::move(info));
  return static_cast<int>(courses.size()) - 1;
}

int World::item(int term, std::vector<int> of, std::string_view attribute, std::string_view group,
                int classes_together) {
  items.push_back({term, std::move(of), attribute, group, classes_together, false});
  return static_cast<int>(items.size()) - 1;
}

void World::make_public_courses() {
  std::map<std::string_view, int> known;
  for (const bool science : {true, false}) {
    for (const PublicText& text : public_courses(science)) {
      auto [place, fresh] = known.emplace(text.number, 0);
      if (fresh)
        place->second = course(std::string(text.number), text.name, unit_of(text.owner), text.credits, text.hours,
                               text.grading, text.category, "1");
      public_items_[science ? 1 : 0].push_back(item(text.term, {place->second}, "1", "公共基础课", text.classes));
    }
  }
}

void World::make_courses() {
  make_public_courses();
  std::vector<int> general;
  for (const GeneralText& text : general_electives()) {
    general.push_back(course("GE" + std::to_string(1001 + general.size()), text.name, unit_of(text.owner), 20, 32,
                             Grading::score, "1", "1"));
  }
  // In which term the 22 courses of a college come: they spread over the first seven.
  constexpr int kCoreTerms[] = {1, 2, 3, 3, 4, 4, 4, 4, 4, 4, 4, 5, 5, 5, 5, 5, 5, 6, 6, 6, 6, 6};
  for (size_t c = 0; c < texts.size(); ++c) {
    const CollegeText& text = *texts[c];
    const int unit = colleges[c];
    std::vector<int>& core = core_items_.emplace_back();
    std::vector<int> electives;
    int nth = 0;
    for (const std::string_view name : split(text.core, '|')) {
      const bool practice = nth == 21 || name.find("实验") != std::string_view::npos;
      const int made = course(std::string(text.letters) + std::to_string(2001 + nth), name, unit,
                              practice       ? 20
                              : nth % 3 == 0 ? 40
                                             : 30,
                              practice       ? 32
                              : nth % 3 == 0 ? 64
                                             : 48,
                              practice ? Grading::levels : Grading::score, practice ? "3" : "1", nth < 8 ? "2" : "3");
      core.push_back(item(at(kCoreTerms, nth), {made}, practice ? "5" : "1", nth < 8 ? "学科基础课" : "专业核心课", 2));
      items.back().degree_course = nth >= 8 && nth < 16;
      ++nth;
    }
    for (const std::string_view name : split(text.electives, '|')) {
      electives.push_back(course(std::string(text.letters) + std::to_string(3001 + electives.size()), name, unit, 20,
                                 32, Grading::score, "1", "3"));
    }
    const int practice = course(std::string(text.letters) + "4001", std::string(text.short_name) + "类专业实习", unit,
                                40, 0, Grading::levels, "5", "3");
    const int thesis = course(std::string(text.letters) + "4002", std::string(text.short_name) + "类毕业设计（论文）",
                              unit, 80, 0, Grading::score, "5", "3");
    for (size_t m = 0; m < text.majors.size(); ++m) {
      MajorInfo major;
      major.college = static_cast<int>(c);
      major.text = &text.majors[m];
      major.code = std::string(major.text->national.substr(0, 6)) + "1";
      major.items = public_items_[text.science ? 1 : 0];
      major.items.insert(major.items.end(), core.begin(), core.end());
      for (size_t e = 0; e < 4; ++e) {
        const size_t first = (e * 2 + m * 2) % electives.size();
        major.items.push_back(item(e == 0   ? 5
                                   : e == 1 ? 6
                                            : 7,
                                   {electives[first], electives[first + 1]}, "2", "专业选修课", 2));
      }
      for (size_t g = 0; g < 6; ++g) {
        std::vector<int> options;
        for (size_t o = 0; o < 4; ++o) options.push_back(general[(g * 4 + o + (c * 3 + m) * 7) % general.size()]);
        major.items.push_back(item(static_cast<int>(g) + 2, options, "8", "通识选修课", 4));
      }
      major.items.push_back(item(7, {practice}, "5", "实践教学", 2));
      major.items.push_back(item(8, {thesis}, "5", "毕业设计（论文）", 1));
      majors.push_back(std::move(major));
    }
  }
}

void World::make_classes(int64_t size) {
  int weights = 0;
  for (const CollegeText* text : texts) weights += text->weight;
  int64_t placed = 0;
  for (int cohort = 0; cohort < kCohorts; ++cohort) {
    const int64_t cohort_end = size * (cohort + 1) / kCohorts;
    const int64_t cohort_size = cohort_end - placed;
    int64_t weight_before = 0, first = placed;
    for (size_t c = 0; c < texts.size(); ++c) {
      weight_before += texts[c]->weight;
      const int64_t end = cohort_end - cohort_size + cohort_size * weight_before / weights;
      const int64_t here = end - first;
      const auto most = static_cast<int64_t>(texts[c]->majors.size());
      const int64_t used = std::clamp<int64_t>(here / 25, 1, most);
      size_t first_major = 0;
      while (majors[first_major].college != static_cast<int>(c)) ++first_major;
      for (int64_t m = 0; m < used; ++m) {
        const int64_t in_major = here * (m + 1) / used - here * m / used;
        const int64_t count = std::max<int64_t>(1, (in_major + kClassSize - 1) / kClassSize);
        for (int64_t k = 0; k < count; ++k) {
          ClassInfo info;
          info.college = static_cast<int>(c);
          info.major = static_cast<int>(first_major) + static_cast<int>(m);
          info.cohort = cohort;
          info.first_student = static_cast<int>(first + here * m / used + in_major * k / count);
          info.students = static_cast<int>(in_major * (k + 1) / count - in_major * k / count);
          const MajorText& text = *at(majors, info.major).text;
          const std::string digits = two((base_year + cohort) % 100) + two(static_cast<int>(k) + 1);
          info.code = std::string(text.letters) + digits;
          info.name = std::string(text.short_name) + digits;
          info.sections.assign(items.size(), -1);
          classes.push_back(std::move(info));
        }
      }
      first = end;
    }
    placed = cohort_end;
  }
}

// One section, or parallel ones, for some classes next to each other.
void World::plan_group(int first, int count, int item_index, int term) {
  const PlanItem& place = at(items, item_index);
  int heads = 0;
  for (int i = first; i < first + count; ++i) heads += at(classes, i).students;
  const int most = static_cast<int>(place.courses.size());
  const int options = std::clamp(heads / 12, 1, most);
  const int begins = static_cast<int>(sections.size());
  // Which of several courses is offered when few are: not always the first.
  const int shift = most == options
                        ? 0
                        : static_cast<int>(mix({static_cast<uint64_t>(first), static_cast<uint64_t>(item_index)}) %
                                           static_cast<uint64_t>(most));
  for (int o = 0; o < options; ++o) {
    SectionInfo section;
    section.term = term;
    section.course = at(place.courses, (o + shift) % most);
    section.cohort = at(classes, first).cohort;
    section.college = at(classes, first).college;
    section.item = item_index;
    section.first_class = first;
    section.classes = count;
    section.option = o;
    section.options = options;
    sections.push_back(std::move(section));
  }
  for (int i = first; i < first + count; ++i) at(at(classes, i).sections, item_index) = begins;
}

void World::plan_sections() {
  const int total = static_cast<int>(classes.size());
  for (int from = 0; from < total;) {
    int to = from;
    while (to < total && at(classes, to).cohort == at(classes, from).cohort &&
           at(classes, to).college == at(classes, from).college)
      ++to;
    const int cohort = at(classes, from).cohort;
    std::set<int> done;  // items shared by the majors of the college
    for (int c = from; c < to; ++c) {
      for (const int index : at(majors, at(classes, c).major).items) {
        if (!done.insert(index).second) continue;
        const int term = term_of(cohort, at(items, index).term);
        if (term > current_term()) continue;
        // Who takes it: all classes of the college whose major has it. They stand next to each other.
        int end = c;
        while (end < to) {
          const std::vector<int>& theirs = at(majors, at(classes, end).major).items;
          if (std::find(theirs.begin(), theirs.end(), index) == theirs.end()) break;
          ++end;
        }
        const int together = at(items, index).classes;
        const int groups = (end - c + together - 1) / together;
        for (int g = 0; g < groups; ++g) {
          const int a = c + (end - c) * g / groups, b = c + (end - c) * (g + 1) / groups;
          plan_group(a, b - a, index, term);
        }
      }
    }
    from = to;
  }
  std::map<std::pair<int, int>, int> numbers;
  for (SectionInfo& section : sections) section.number = ++numbers[{section.term, section.course}];
}

int World::hire(int unit, std::string_view kind, Random& random) {
  Employee one;
  one.unit = unit;
  one.kind = kind;
  one.male = random.chance(kind == "teacher" ? 560 : 430);
  one.name = surname(random) + given_name(random, one.male, false);
  const int age = static_cast<int>(random.between(30, 58));
  one.birth = Date::from_civil(today.year() - age, static_cast<unsigned>(random.between(1, 12)),
                               static_cast<unsigned>(random.between(1, 28)));
  one.hired = Date::from_civil(std::min(one.birth.year() + static_cast<int>(random.between(26, 34)), base_year), 7, 1);
  if (one.hired <= one.birth.plus_years(20)) one.hired = one.birth.plus_years(20);
  if (kind == "teacher") {
    one.title = age > 45             ? (random.chance(600) ? "011" : "012")
                : age > 35           ? (random.chance(700) ? "012" : "013")
                : random.chance(850) ? "013"
                                     : "014";
  } else {
    one.title = random.chance(300) ? "A3" : "A9";
  }
  const UnitInfo& where = at(units, unit);
  const bool office = where.letters.empty();
  const int nth = ++at(hired_, unit);
  one.number = office ? "J" + std::to_string(unit) +
                            (nth < 10    ? "00"
                             : nth < 100 ? "0"
                                         : "") +
                            std::to_string(nth)
                      : (kind == "teacher" ? "T" : "F") + where.code.substr(0, 2) + four(nth);
  staff.push_back(std::move(one));
  return static_cast<int>(staff.size()) - 1;
}

void World::make_staff() {
  // So many teachers that nobody has more than a few sections in the fullest term.
  std::vector<std::vector<int>> load(units.size(), std::vector<int>(terms.size()));
  for (const SectionInfo& section : sections) ++at(at(load, at(courses, section.course).unit), section.term);
  for (size_t u = 0; u < units.size(); ++u) {
    Random random = this->random({kStreamStaff, u});
    UnitInfo& unit = units[u];
    const int index = static_cast<int>(u);
    if (unit.letters.empty()) {
      if (unit.kind == "school") continue;
      const int clerks = 6 + static_cast<int>(students / 12'000);
      unit.head = hire(index, "administration", random);
      for (int i = 0; i < clerks; ++i) unit.clerks.push_back(hire(index, "administration", random));
      continue;
    }
    const int fullest = *std::max_element(load[u].begin(), load[u].end());
    unit.head = hire(index, "teacher", random);
    at(staff, unit.head).title = "011";
    const int teachers = std::max(5, (fullest * 10 + 24) / 25);
    for (int i = 0; i < teachers; ++i) unit.teachers.push_back(hire(index, "teacher", random));
    unit.teachers.push_back(unit.head);  // heads teach as well: several posts in one hand
    if (unit.kind != "college") continue;
    const int leaver = hire(index, "teacher", random);  // gone since last year, with whatever they taught before
    at(staff, leaver).state = "06";
    at(staff, leaver).left_on = Date{today.days - 200}.print();
    unit.leaver = leaver;
  }
}

// Who left has taught before: one section of each term that was over by then, beside its first teacher.
void World::remember_leavers() {
  std::vector<int> done(units.size() * terms.size());
  for (SectionInfo& section : sections) {
    const int unit = at(courses, section.course).unit;
    const int leaver = at(units, unit).leaver;
    if (leaver < 0 || section.second >= 0 || section.meetings.empty()) continue;
    if (at(terms, section.term).ends.days > today.days - 200) continue;
    int& has = done[static_cast<size_t>(unit) * terms.size() + static_cast<size_t>(section.term)];
    if (has++ == 0) section.second = leaver;
  }
}

void World::make_advisers() {
  for (size_t c = 0; c < colleges.size(); ++c) {
    const int unit_index = colleges[c];
    Random random = this->random({kStreamAdviser, c});
    int led = 0, teacher = 0;
    int counsellor = -1, counsellor_has = 0;
    for (ClassInfo& info : classes) {
      if (info.college != static_cast<int>(c)) continue;
      const Date entry = at(terms, term_of(info.cohort, 1)).begins;
      info.adviser_from = {entry.days - 7};
      if (has_graduated(info.cohort)) info.adviser_until = graduation_day(info.cohort).print();
      UnitInfo& unit = at(units, unit_index);
      if (info.cohort >= shown_cohort() && led++ % 3 != 1) {  // a teacher leads it
        info.adviser = at(unit.teachers, 1 + teacher++ * 2 % (static_cast<int>(unit.teachers.size()) - 1));
        continue;
      }
      // Counsellors lead five classes, those of the cohort to be shown just one.
      const int most = info.cohort == shown_cohort() ? 1 : 5;
      if (counsellor < 0 || counsellor_has >= most) {
        counsellor = hire(unit_index, "administration", random);
        at(units, unit_index).counsellors.push_back(counsellor);
        counsellor_has = 0;
      }
      info.adviser = counsellor;
      if (++counsellor_has >= most) counsellor = -1;
    }
  }
}

void World::make_rooms() {
  // As many rooms of each size as the fullest term needs with two thirds of the slots used.
  constexpr int kSeats[] = {40, 70, 110, 160, 240};
  constexpr std::string_view kBuildings[] = {"第一教学楼", "第二教学楼", "第三教学楼", "综合楼", "报告厅"};
  for (int campus = 0; campus < 2; ++campus) {
    std::vector<std::vector<int>> need(terms.size(), std::vector<int>(7));
    for (const SectionInfo& section : sections) {
      if (at(units, at(colleges, section.college)).campus != campus) continue;
      const CourseInfo& info = at(courses, section.course);
      int heads = 0;
      for (int i = 0; i < section.classes; ++i) heads += at(classes, section.first_class + i).students;
      heads /= section.options;
      int tier = 0;
      while (tier < 4 && at(kSeats, tier) < heads) ++tier;
      if (info.category == "3") tier = 5;
      if (info.category == "4") tier = 6;
      at(at(need, section.term), tier) += (info.hours + 31) / 32;
    }
    for (int tier = 0; tier < 7; ++tier) {
      int most = 0;
      for (const auto& term : need) most = std::max(most, at(term, tier));
      if (most == 0 && tier > 1) continue;
      const int count = most / (kWeekSlots * 2 / 3) + 2;
      for (int i = 0; i < count; ++i) {
        RoomInfo room;
        room.campus = campus;
        room.floor = i % 5 + 1;
        room.kind = tier == 5 ? (i % 2 == 0 ? "3" : "4") : tier == 6 ? "A5" : i % 3 == 0 ? "A1" : "1";
        room.seats = tier == 5 ? 60 : tier == 6 ? 80 : at(kSeats, tier);
        const std::string_view name = tier == 5 ? "实验楼" : tier == 6 ? "体育馆" : at(kBuildings, tier);
        room.building = std::string(campus == 0 ? "东湖" : "西山") + std::string(name);
        const std::string number = std::to_string(room.floor) + (i / 5 < 9 ? "0" : "") + std::to_string(i / 5 + 1);
        room.code = std::string(campus == 0 ? "DH" : "XS") + std::to_string(tier + 1) + "-" + number;
        room.name = room.building + number;
        rooms.push_back(std::move(room));
      }
    }
  }
}

}  // namespace jw::made_up
