// Accounts of staff, the sign-ins that are written out, the gallery of the sign-in page, and the grants in force.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

#include "base/json.hpp"
#include "kernel/case/api.hpp"
#include "modules/made_up/writing.hpp"

namespace jw::made_up {
namespace {

struct SignIn {
  std::string kind, account, name;
  Text note;
  bool in_file = true, in_gallery = true;
};

class SignIns {
 public:
  SignIns(Writing& writing, const std::vector<Student>& students)
      : writing_(writing), world_(writing.world), students_(students) {}

  const std::vector<SignIn>& choose() {
    offices();
    teachers();
    pupils();
    graduates();
    further();
    return all_;
  }

 private:
  void add(std::string_view kind, const Employee& who, Text note, bool in_file = true) {
    all_.push_back({std::string(kind), who.number, who.name, std::move(note), in_file, true});
  }

  void offices() {
    struct Office {
      std::string_view kind, unit;
      size_t from;
      Text note;
    };
    const Office offices[] = {
        {"academic_office",
         "jwc",
         0,
         {"教务处：全部教学数据（第2.1.1条）", "academic affairs office: all academic data (§2.1.1)"}},
        {"student_office",
         "xsc",
         0,
         {"学生处：基本信息、学籍变动、奖惩（第2.1.2条）",
          "student affairs office: basic information, status, awards and discipline (§2.1.2)"}},
        {"finance_office",
         "cwc",
         0,
         {"财务处：缴费与学费标准（第2.1.3条）", "finance office: payments and tuition standards (§2.1.3)"}},
        {"research_office",
         "kyc",
         0,
         {"科研处：经授权查询学生科研成果（第2.1.4条）",
          "research office: students' research results, by grant (§2.1.4)"}},
        {"logistics_office",
         "hqc",
         0,
         {"后勤处：经授权查询住宿安排（第2.1.4条）", "logistics office: housing, by grant (§2.1.4)"}},
        {"system_admin",
         "xxb",
         0,
         {"系统管理员：看不到教学数据（第4.3.2条）", "system administrator: sees no academic data (§4.3.2)"}},
        {"security_admin",
         "xxb",
         3,
         {"安全管理员：看不到教学数据（第4.3.2条）", "security administrator: sees no academic data (§4.3.2)"}},
        {"audit_admin",
         "sjc",
         0,
         {"审计管理员：看不到教学数据（第4.3.2条）", "audit administrator: sees no academic data (§4.3.2)"}},
    };
    for (const Office& office : offices) {
      const UnitInfo& unit = at(world_.units, world_.office(office.unit));
      for (size_t i = 0; i < 3; ++i) add(office.kind, at(world_.staff, unit.clerks[office.from + i]), office.note);
    }
    for (size_t c = 0; c < 3; ++c) {
      const UnitInfo& unit = at(world_.units, world_.colleges[c]);
      add("department_head", at(world_.staff, unit.head),
          {unit.name + "负责人：审核申请，本身不带来数据；任课则岗位合并计算（第2.4.2、2.2.1条）",
           "head of " + unit.english +
               ": signs applications, which opens no data by itself; teaches too, so posts add up (§2.4.2, §2.2.1)"});
    }
  }

  bool leads_class(int who) const {
    return std::any_of(world_.classes.begin(), world_.classes.end(),
                       [&](const ClassInfo& info) { return info.adviser == who && info.adviser_until.empty(); });
  }
  bool teaches_now(int who) const {
    return std::any_of(world_.sections.begin(), world_.sections.end(), [&](const SectionInfo& section) {
      return section.term == world_.current_term() && section.lead == who && !section.meetings.empty() &&
             section.students > 0;
    });
  }

  // Of the first class to be shown in each college.
  void advisers() {
    std::set<int> colleges;
    for (const ClassInfo& info : world_.classes) {
      if (info.cohort != world_.shown_cohort() || colleges.size() == 4 || !colleges.insert(info.college).second)
        continue;
      add("class_adviser", at(world_.staff, info.adviser),
          {"班主任：" + info.name + "，同时任课：岗位合并计算（第2.2.2、2.2.1条）",
           "class adviser of " + info.code + ", teaching as well: posts add up (§2.2.2, §2.2.1)"});
      advisers_.insert(info.adviser);
    }
  }

  void teachers() {
    advisers();
    int plain = 0, both = 0;
    for (const int college : world_.colleges) {
      const UnitInfo& unit = at(world_.units, college);
      int here = 0;
      for (size_t i = 0; i < unit.teachers.size() && i < 6; ++i) {
        const int who = unit.teachers[i];
        if (who == unit.head || advisers_.contains(who) || !teaches_now(who)) continue;
        if (leads_class(who)) {
          if (both++ < 1)
            later_.push_back({"teacher",
                              at(world_.staff, who).number,
                              at(world_.staff, who).name,
                              {"任课教师兼班主任：两个岗位合并计算（第2.2.1、2.2.2条）",
                               "teacher and class adviser: two posts add up (§2.2.1, §2.2.2)"},
                              true,
                              true});
        } else if (plain < 4 && here < 2) {
          add("teacher", at(world_.staff, who),
              {"任课教师：本人任教的教学班（第2.2.1条）", "teacher: the sections taught (§2.2.1)"});
          ++plain;
          ++here;
        }
      }
    }
    all_.insert(all_.end(), later_.begin(), later_.end());
    const int leaver = at(world_.units, world_.colleges.front()).leaver;
    add("teacher", at(world_.staff, leaver),
        {"已离校的教师：不再有任何权限（第2.5.1条）", "a teacher who left: holds nothing any more (§2.5.1)"}, false);
  }

  void pupil(const Student& student, const std::string& zh, const std::string& en, std::string_view kind = "student",
             bool in_gallery = true) {
    const std::string clause = kind == "student" ? "2.3.1" : "2.3.2";
    all_.push_back({std::string(kind),
                    student.number,
                    student.name,
                    {zh + "，学号 " + student.number + "（第" + clause + "条）",
                     en + ", number " + student.number + " (§" + clause + ")"},
                    true,
                    in_gallery});
    taken_.insert(student.number);
  }

  const Student* of_shown(int seat) const {
    for (const Student& each : students_) {
      if (each.pupil.klass == world_.shown_class() && each.pupil.seat == seat) return &each;
    }
    return nullptr;
  }

  void pupils() {
    struct Seat {
      int seat;
      const char *zh, *en;
    };
    constexpr Seat kSeats[] = {{0, "三年级学生，各类数据俱全", "third-year student with something of everything"},
                               {6, "三年级学生", "third-year student"},
                               {4, "三年级学生，有补考与重修", "third-year student with resits and retakes"},
                               {1, "转专业学生", "student who changed majors"},
                               {2, "受过处分的学生", "student with a sanction"},
                               {5, "休学后复学的学生", "student back after a year of leave"},
                               {3, "休学中的学生", "student on leave"}};
    for (const Seat& each : kSeats) {
      if (const Student* student = of_shown(each.seat)) pupil(*student, each.zh, each.en);
    }
    for (const Student& each : students_) {  // one freshman under eighteen
      if (at(world_.classes, each.pupil.klass).cohort != kCohorts - 1 || !each.minor || each.state != "01") continue;
      pupil(each, "一年级学生，未成年", "freshman, a minor");
      break;
    }
    int more = 0;
    for (const Student& each : students_) {
      const int cohort = at(world_.classes, each.pupil.klass).cohort;
      if (each.state != "01" || each.pupil.seat != 0 || taken_.contains(each.number) || world_.has_graduated(cohort))
        continue;
      const int year = kCohorts - cohort;
      if (year == 1 || more >= 6) continue;
      pupil(each, std::to_string(year) + "年级学生", "student of year " + std::to_string(year), "student", more < 2);
      ++more;
    }
  }

  void graduates() {
    int latest = 0;
    for (int cohort = 0; cohort < kCohorts; ++cohort) {
      if (world_.has_graduated(cohort)) latest = cohort;
    }
    int within = 0, over = 0;
    for (const Student& each : students_) {
      const int cohort = at(world_.classes, each.pupil.klass).cohort;
      if (each.state != "07" || each.pupil.fate != Fate::ordinary) continue;
      if (cohort == latest && within < 4) {
        pupil(each, "期限内的毕业生：本人成绩和证书编号",
              "graduate within the period: own grades and certificate numbers", "graduate");
        ++within;
      } else if (cohort == 0 && over < 4) {
        pupil(each, "期限已过的毕业生：只得到办理途径", "graduate whose period is over: is told the way that remains",
              "graduate_expired");
        ++over;
      }
    }
  }

  void further() {
    int64_t left = writing_.options.sign_ins;
    for (const Student& each : students_) {
      if (left == 0) break;
      if (each.state != "01" || taken_.contains(each.number)) continue;
      pupil(each, "学生", "student", "student", false);
      --left;
    }
  }

  Writing& writing_;
  World& world_;
  const std::vector<Student>& students_;
  std::vector<SignIn> all_, later_;
  std::set<std::string> taken_;
  std::set<int> advisers_;
};

// Everybody who works here has an account; those who left have none, but for the one that shows it.
void write_staff_accounts(Writing& writing, db::Connection& transaction) {
  World& world = writing.world;
  std::vector<std::string_view> kinds(world.staff.size(), "staff");
  for (const UnitInfo& unit : world.units) {
    constexpr std::pair<std::string_view, std::string_view> kOffices[] = {{"jwc", "academic_office"},
                                                                          {"xsc", "student_office"},
                                                                          {"cwc", "finance_office"},
                                                                          {"kyc", "research_office"},
                                                                          {"hqc", "logistics_office"}};
    for (const auto& [code, kind] : kOffices) {
      if (unit.code != code) continue;
      for (const int who : unit.clerks) at(kinds, who) = kind;
    }
    for (size_t i = 0; i < 6 && unit.code == "xxb"; ++i)
      at(kinds, unit.clerks[i]) = i < 3 ? "system_admin" : "security_admin";
    for (size_t i = 0; i < 3 && unit.code == "sjc"; ++i) at(kinds, unit.clerks[i]) = "audit_admin";
    for (const int who : unit.teachers) at(kinds, who) = "teacher";
    for (const int who : unit.counsellors) at(kinds, who) = "class_adviser";
    if (unit.head >= 0) at(kinds, unit.head) = "department_head";
  }
  for (const ClassInfo& info : world.classes) {
    if (info.cohort == world.shown_cohort() && at(kinds, info.adviser) == "teacher")
      at(kinds, info.adviser) = "class_adviser";
  }
  const int shown_leaver = at(world.units, world.colleges.front()).leaver;
  at(kinds, shown_leaver) = "teacher";
  std::vector<identity::NewAccount> accounts;
  for (size_t i = 0; i < world.staff.size(); ++i) {
    const Employee& one = world.staff[i];
    if (one.state == "11" || static_cast<int>(i) == shown_leaver)
      accounts.push_back({one.number, kinds[i], one.name, one.person});
  }
  const auto made = writing.identity.create_inactive(transaction, accounts);
  if (!made) throw std::logic_error("accounts of staff: " + made.refusal().detail.en);
}

// One password for each kind: easy to type, and within the rules.
std::string password_of(uint64_t seed, std::string_view kind) {
  uint64_t x = mix({seed, kind.size()});
  for (const char c : kind) x = mix({x, static_cast<uint64_t>(c)});
  constexpr std::string_view kLower = "abcdefghjkmnpqrstuvwxyz", kUpper = "ABCDEFGHJKLMNPQRSTUVWXYZ",
                             kDigits = "23456789";
  std::string password;
  for (int i = 0; i < 12; ++i) {
    const std::string_view from = i == 0 ? kUpper : i == 4 || i == 9 ? std::string_view("-") : i > 9 ? kDigits : kLower;
    password += from[(x >> 5U) % from.size()];
    x = mix({x});
  }
  return password;
}

void write_grants(Writing& writing, db::Connection& transaction) {
  struct Wanted {
    std::string_view post, dataset, clause, actions;
  };
  constexpr std::string_view kAll = R"(["query","detail","statistics","print","export"])",
                             kLook = R"(["query","detail","print","export"])";
  constexpr Wanted kGrants[] = {{"research_office", "research_result", "2.1.4", kAll},
                                {"logistics_office", "housing", "2.1.4", kAll},
                                {"student", "library_holding", "2.3.1", kLook},
                                {"student", "online_course", "2.3.1", kLook}};
  const Instant now = writing.clock.now();
  const int32_t from = writing.world.today.days - 30;  // a year at most (setting grant_days)
  const std::string year = std::to_string(writing.world.today.year());
  for (const Wanted& each : kGrants) {
    policy::Grant grant;
    // Out of the series of the cases, as grants made by cases are.
    grant.number = year + "-000" + std::to_string(cases::next_number(transaction, "case/" + year));
    grant.post = each.post;
    const policy::Post& post = writing.regulation.posts[static_cast<size_t>(writing.regulation.post(each.post))];
    grant.holder = each.post;
    grant.holder_name = post.label.zh;
    grant.title = writing.catalogue.find(each.dataset)->label.zh + "：全部";
    grant.dataset = each.dataset;
    grant.content = R"({"rows":"all","clear":["*"],"actions":)" + std::string(each.actions) +
                    R"(,"purposes":["teaching_administration","study"]})";  // those of §3.3.1
    grant.from = Instant::at_start_of(Date{from});
    grant.until = Instant::at_start_of(Date{from + 365});
    grant.source = each.clause;
    const auto put = policy::put_grant(writing.catalogue, writing.regulation, transaction, grant, now);
    if (!put) throw std::logic_error("grant " + grant.number + ": " + put.refusal().detail.en);
  }
}

std::string gallery(const std::vector<SignIn>& all) {
  std::string text;
  JsonWriter out(text);
  out.array();
  for (const SignIn& each : all) {
    if (!each.in_gallery) continue;
    out.object()
        .field("account", each.account)
        .field("kind", each.kind)
        .field("name", each.name)
        .field("note", each.note)
        .end_object();
  }
  out.end_array();
  return text;
}

void write_file(const std::string& path, const std::vector<SignIn>& all, uint64_t seed) {
  std::string text;
  JsonWriter out(text);
  out.array();
  for (const SignIn& each : all) {
    if (!each.in_file) continue;
    out.object()
        .field("kind", each.kind)
        .field("account", each.account)
        .field("password", password_of(seed, each.kind))
        .field("name", each.name);
    out.field("note", each.note.zh + " / " + each.note.en).end_object();
  }
  out.end_array();
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  std::error_code ignored;  // a device has no permissions of its own
  std::filesystem::permissions(path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write, ignored);
  file << text << '\n';
  if (!file.flush()) throw std::runtime_error("cannot write " + path);
}

}  // namespace

void write_sign_ins(Writing& writing, const std::vector<Student>& students) {
  SignIns chosen(writing, students);
  const std::vector<SignIn>& all = chosen.choose();
  std::map<std::string, std::string> hashes;  // before the transaction: each costs time
  for (const SignIn& each : all) {
    std::string& hash = hashes[each.kind];
    if (hash.empty()) hash = writing.identity.hash_password(password_of(writing.options.seed, each.kind));
  }
  const db::Store::Lease lease = writing.store.writer();
  db::Transaction transaction(*lease, db::Transaction::Mode::write);
  write_staff_accounts(writing, *lease);
  for (const SignIn& each : all) {
    const auto account = writing.identity.find_account(*lease, each.account);
    if (!account) throw std::logic_error("no account " + each.account);
    const auto ready = writing.identity.set_ready(*lease, account->id, hashes[each.kind]);
    if (!ready) throw std::logic_error("account " + each.account + ": " + ready.refusal().detail.en);
  }
  write_grants(writing, *lease);
  lease->execute("INSERT INTO store_fact (name, value) VALUES ($1, $2)", {"gallery", gallery(all)});
  transaction.commit();
  writing.summary.sign_ins = std::count_if(all.begin(), all.end(), [](const SignIn& each) { return each.in_file; });
  if (!writing.options.accounts_file.empty()) write_file(writing.options.accounts_file, all, writing.options.seed);
}

}  // namespace jw::made_up
