// What stands before any student comes: calendar, units, rooms, staff, courses, plans, classes, library.
#include <algorithm>

#include "modules/made_up/writing.hpp"

namespace jw::made_up {
namespace {

constexpr uint64_t kStreamStaffRow = 40;
constexpr uint64_t kStreamLibrary = 41;

constexpr std::string_view kCampuses[] = {"东湖校区", "西山校区"};

using Maybe = std::optional<std::string>;
using MaybeId = std::optional<int64_t>;

void write_posts(Writing& writing, change::Batch& batch) {
  World& world = writing.world;
  Sheet posts(batch, "post_holding", {"staff", "post", "unit", "begins", "ends", "document"}, writing.checking());
  int document = 0;
  const auto appoint = [&](int who, std::string_view post, int unit, int years_ago, const Maybe& ends) {
    const Date begins = Date::from_civil(world.today.year() - years_ago, 3, 1);
    posts.add(at(world.staff, who).id, post, at(world.units, unit).id, world.print(begins), ends,
              "青校人〔" + std::to_string(begins.year()) + "〕" + std::to_string(++document) + "号");
  };
  struct Office {
    std::string_view unit, post;
  };
  constexpr Office kOffices[] = {{"jwc", "academic_office"},
                                 {"xsc", "student_office"},
                                 {"cwc", "finance_office"},
                                 {"kyc", "research_office"},
                                 {"hqc", "logistics_office"}};
  for (const Office& office : kOffices) {
    const int unit = world.office(office.unit);
    for (const int clerk : at(world.units, unit).clerks) appoint(clerk, office.post, unit, 2, std::nullopt);
    appoint(at(world.units, unit).head, office.post, unit, 3, std::nullopt);  // the head works there as well
  }
  // The three administrators are different people (§4.3.2).
  const int technology = world.office("xxb"), audit = world.office("sjc");
  for (size_t i = 0; i < 6; ++i)
    appoint(at(world.units, technology).clerks[i], i < 3 ? "system_admin" : "security_admin", technology, 2,
            std::nullopt);
  for (size_t i = 0; i < 3; ++i) appoint(at(world.units, audit).clerks[i], "audit_admin", audit, 2, std::nullopt);
  for (size_t u = 0; u < world.units.size(); ++u) {
    const UnitInfo& unit = world.units[u];
    const int index = static_cast<int>(u);
    if (unit.head >= 0) appoint(unit.head, "department_head", index, 3, std::nullopt);
    // Appointments that are over: they stand in the record and open nothing.
    const std::string over = Date::from_civil(world.today.year() - 4, 2, 28).print();
    for (size_t i = 0; i < unit.teachers.size() && i < 6; ++i) {
      if (unit.teachers[i] != unit.head) appoint(unit.teachers[i], "department_head", index, 7, over);
    }
    for (size_t i = 0; i < unit.counsellors.size() && i < 40; ++i)
      appoint(unit.counsellors[i], "student_office", world.office("xsc"), 5, over);
  }
}

}  // namespace

void in_batch(Writing& writing, const std::string& title, const std::function<void(change::Batch&)>& work) {
  int64_t leaf = 0;
  {
    const db::Store::Lease lease = writing.store.writer();
    db::Transaction transaction(*lease, db::Transaction::Mode::write);
    const std::string source =
        "seed " + std::to_string(writing.options.seed) + ", " + std::to_string(writing.options.students) + " students";
    change::Batch batch(writing.catalogue, *lease, {"made_up", title, source, "", change::Operator{"jiaowu demo"}},
                        writing.clock.now());
    work(batch);
    leaf = batch.finish(writing.recorder);
    writing.summary.rows += batch.counts().added;
    transaction.commit();
  }
  if (writing.recorder != nullptr && !writing.recorder->deliver(leaf))
    throw std::runtime_error("the record cannot be written");
}

void write_units(Writing& writing, change::Batch& batch) {
  World& world = writing.world;
  Sheet terms(batch, "term", {"code", "name", "school_year", "season", "begins", "ends", "weeks"}, writing.checking());
  for (TermInfo& term : world.terms) {
    term.id = terms.add(term.code, term.name, term.school_year, std::to_string(term.season), world.print(term.begins),
                        world.print(term.ends), 18);
  }
  Sheet units(batch, "unit", {"code", "name", "english_name", "short_name", "kind", "parent", "campus", "phone"},
              writing.checking());
  int phone = 54'740'000;
  for (UnitInfo& unit : world.units) {
    const MaybeId parent = unit.parent < 0 ? MaybeId() : MaybeId(at(world.units, unit.parent).id);
    unit.id = units.add(unit.code, unit.name, unit.english, unit.short_name, unit.kind, parent,
                        at(kCampuses, unit.campus), "0000-" + std::to_string(++phone));
  }
  Sheet rooms(batch, "room",
              {"code", "name", "kind", "building", "floor", "campus", "seats", "exam_seats", "available"},
              writing.checking());
  for (RoomInfo& room : world.rooms) {
    room.id = rooms.add(room.code, room.name, room.kind, room.building, room.floor, at(kCampuses, room.campus),
                        room.seats, room.seats / 2, true);
  }
}

void write_staff(Writing& writing, change::Batch& batch) {
  World& world = writing.world;
  std::vector<std::string_view> names;
  for (const Employee& each : world.staff) names.emplace_back(each.name);
  const int64_t first = identity::add_persons(batch.connection(), names, batch.now());
  Sheet sheet(batch, "staff", {"number",    "name",      "unit",     "provisional", "sex",     "birth_date", "id_type",
                               "id_number", "ethnic",    "politics", "phone",       "email",   "office",     "kind",
                               "title",     "education", "degree",   "hired_on",    "left_on", "state"},
              writing.checking());
  for (size_t i = 0; i < world.staff.size(); ++i) {
    Employee& one = world.staff[i];
    Random random = world.random({kStreamStaffRow, i});
    const UnitInfo& unit = at(world.units, one.unit);
    one.person = first + static_cast<int64_t>(i);
    const Maybe left = one.left_on.empty() ? Maybe() : Maybe(one.left_on);
    const bool doctor = one.kind == "teacher" && random.chance(850);
    const std::string_view politics = random.chance(550) ? "01" : random.chance(100) ? "05" : "13";
    one.id =
        sheet.add_person(one.person, one.number, one.name, unit.id, false, one.male ? "1" : "2", world.print(one.birth),
                         "1", world.id_numbers.next(birthplace(random).code, one.birth, one.male), ethnic(random),
                         politics, mobile_number(random), one.number + "@example.edu.cn",
                         unit.short_name + "楼" + std::to_string(101 + random.below(60)), one.kind, one.title,
                         doctor ? "11" : "14", doctor ? "208" : "308", world.print(one.hired), left, one.state);
  }
  writing.summary.staff = static_cast<int64_t>(world.staff.size());
  write_posts(writing, batch);
}

void write_courses(Writing& writing, change::Batch& batch) {
  World& world = writing.world;
  Sheet courses(
      batch, "course",
      {"number", "name", "unit", "credits", "hours", "hours_by_kind", "category", "nature", "exam_form", "language"},
      writing.checking());
  for (CourseInfo& course : world.courses) {
    const std::string weekly = course.hours == 0 ? "实践"
                                                 : std::string(course.category == "3" ? "实验" : "理论") + "(" +
                                                       std::to_string(course.hours / 16) + ".0)";
    course.id = courses.add(course.number, course.name, at(world.units, course.unit).id, course.credits, course.hours,
                            weekly, course.category, course.nature, course.exam_form, "中文");
  }
  Sheet majors(batch, "major",
               {"code", "name", "unit", "level", "national_code", "duration", "degree", "founded_year", "stopped"},
               writing.checking());
  Sheet plans(
      batch, "plan",
      {"code", "name", "major", "grade_year", "level", "terms", "credits_required", "goals", "adopted_on", "state"},
      writing.checking());
  Sheet rows(batch, "plan_course",
             {"plan", "course", "term_number", "nature", "course_group", "credits", "exam_form", "degree_course"},
             writing.checking());
  Sheet tuition(batch, "tuition",
                {"code", "major", "grade_year", "level", "amount", "per_credit", "housing", "document", "valid_from"},
                writing.checking());
  int nth = 0;
  for (MajorInfo& major : world.majors) {
    major.id = majors.add(major.code, major.text->name, at(world.units, at(world.colleges, major.college)).id, "3",
                          major.text->national, 40, major.text->degree, 1958 + nth++ % 60, false);
    int credits = 0;
    for (const int item : major.items) credits += at(world.courses, at(world.items, item).courses.front()).credits;
    for (int cohort = 0; cohort < kCohorts; ++cohort) {
      const int year = world.base_year + cohort;
      const std::string code = major.code + "-" + std::to_string(year);
      const std::string name = std::string(major.text->name) + std::to_string(year) + "级教学计划";
      const int64_t plan =
          plans.add(code, name, major.id, year, "3", kStudyTerms, credits - 100,
                    "培养掌握" + std::string(major.text->name) + "基本理论与方法、能够解决实际问题的人才。",
                    world.print(Date::from_civil(year, 6, 20)), world.has_graduated(cohort) ? "closed" : "in_force");
      major.plan_ids.push_back(plan);
      for (const int index : major.items) {
        const PlanItem& item = at(world.items, index);
        for (const int course : item.courses) {
          const CourseInfo& info = at(world.courses, course);
          rows.add(plan, info.id, item.term, item.attribute, item.group, info.credits, info.exam_form,
                   item.degree_course);
        }
      }
      const int amount = major.text->degree == "413"               ? 1'000'000
                         : at(world.texts, major.college)->science ? 550'000
                                                                   : 500'000;
      major.tuition_ids.push_back(tuition.add(code, major.id, year, "3", amount, 10'000, 120'000,
                                              "青价费〔" + std::to_string(year) + "〕5号",
                                              world.print(Date::from_civil(year, 9, 1))));
    }
  }
}

void write_classes(Writing& writing, change::Batch& batch) {
  World& world = writing.world;
  Sheet sheet(batch, "class",
              {"code", "name", "unit", "major", "grade_year", "adviser", "adviser_from", "adviser_until", "campus",
               "graduated"},
              writing.checking());
  for (ClassInfo& info : world.classes) {
    const UnitInfo& unit = at(world.units, at(world.colleges, info.college));
    const Maybe until = info.adviser_until.empty() ? Maybe() : Maybe(info.adviser_until);
    info.id = sheet.add(info.code, info.name, unit.id, at(world.majors, info.major).id, world.base_year + info.cohort,
                        at(world.staff, info.adviser).id, world.print(info.adviser_from), until,
                        at(kCampuses, unit.campus), world.has_graduated(info.cohort));
  }
}

void write_resources(Writing& writing, change::Batch& batch) {
  World& world = writing.world;
  Random random = world.random({kStreamLibrary});
  constexpr std::string_view kForms[] = {"", "教程", "导论", "习题与解答", "十讲", "案例分析", "研究前沿", "实验指导"};
  constexpr std::string_view kHouses[] = {"青屿大学出版社", "知行教育出版社", "云帆学术出版社"};
  constexpr std::string_view kClasses[] = {"TP", "O1", "H3", "TH", "F2", "TM", "TB", "O4",
                                           "O6", "I2", "D9", "TU", "Q1", "R4", "J5", "G2"};
  Sheet holdings(batch, "library_holding",
                 {"number", "call_number", "title", "author", "publisher", "year", "isbn", "kind", "language",
                  "location", "copies", "available"},
                 writing.checking());
  const int64_t count = std::min<int64_t>(200 + writing.options.students / 20, 20'000);
  for (int64_t i = 0; i < count; ++i) {
    const CourseInfo& course = random.pick(world.courses);
    const std::string_view form = random.pick(kForms);
    const bool journal = random.chance(60);
    const int64_t copies = journal ? 1 : random.between(1, 9);
    std::string isbn = "978799" + std::to_string(1'000'000 + i % 9'000'000).substr(1);
    int sum = 0;
    for (size_t d = 0; d < isbn.size(); ++d) sum += (isbn[d] - '0') * (d % 2 == 0 ? 1 : 3);
    isbn += static_cast<char>('0' + (10 - sum % 10) % 10);
    const bool male = random.chance(600);
    const std::string author = surname(random) + given_name(random, male, false);
    holdings.add("B" + std::to_string(1'000'000 + i),
                 std::string(at(kClasses, mix({static_cast<uint64_t>(course.unit)}) % 16)) +
                     std::to_string(random.between(10, 99)) + "/" + std::to_string(random.between(100, 999)),
                 course.name + std::string(journal ? "学刊" : form), author, random.pick(kHouses),
                 world.today.year() - static_cast<int>(random.below(20)), isbn,
                 journal              ? "journal"
                 : random.chance(100) ? "ebook"
                                      : "book",
                 "中文",
                 std::string(random.chance(500) ? "主馆" : "西山分馆") + std::to_string(random.between(1, 5)) + "楼",
                 copies, random.below(copies + 1));
  }
  Sheet online(batch, "online_course",
               {"code", "title", "platform", "url", "course", "unit", "teacher", "hours", "level", "language", "begins",
                "ends", "open_to_public"},
               writing.checking());
  const TermInfo& term = world.terms.back();
  for (size_t i = 0; i < world.courses.size(); ++i) {
    const CourseInfo& course = world.courses[i];
    if (i % 9 != 0 || course.hours == 0) continue;
    const UnitInfo& unit = at(world.units, course.unit);
    std::string lower;
    for (const char c : course.number) lower += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    online.add("MOOC-" + course.number, course.name + "（在线）", "青屿在线学堂",
               "https://mooc.example.edu.cn/course/" + lower, course.id, unit.id,
               at(world.staff, random.pick(unit.teachers)).id, std::max(8, course.hours * 2 / 3),
               random.chance(200)   ? "national"
               : random.chance(300) ? "province"
                                    : "school",
               "中文", world.print(term.begins), world.print(term.ends), random.chance(700));
  }
}

}  // namespace jw::made_up
