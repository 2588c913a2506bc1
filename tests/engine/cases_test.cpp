// Every row of every kind's table of transitions is taken once and refused once (§2.4, §2.5), on both stores; and the
// words of the tables are those of the catalogue.
#include <atomic>
#include <map>
#include <set>
#include <thread>

#include "app/modules.hpp"
#include "modules/access/api.hpp"
#include "modules/lending/api.hpp"
#include "tests/engine/campus.hpp"

namespace jw::tests {
namespace {

namespace json = boost::json;
using cases::Kind;
using cases::Transition;
using cases::Who;

Row post(const char* who, const char* what, const char* unit) {
  return {{"staff", who}, {"post", what}, {"unit", unit}, {"begins", "2020-01-01"}};
}

void fill(Campus& campus) {
  campus.put("term", {{{"code", "2025-2026-2"},
                       {"school_year", "2025-2026"},
                       {"season", "2"},
                       {"begins", "2026-02-23"},
                       {"ends", "2026-07-05"}}});
  campus.put("unit", {{{"code", "jwc"}, {"name", "教务处"}},
                      {{"code", "xsc"}, {"name", "学生处"}},
                      {{"code", "xxb"}, {"name", "信息办"}},
                      {{"code", "cs"}, {"name", "计算机学院"}}});
  std::vector<Row> staff;
  for (const auto& [number, unit] : std::map<std::string, std::string>{{"T1", "cs"},
                                                                       {"H1", "cs"},
                                                                       {"X1", "xsc"},
                                                                       {"O1", "jwc"},
                                                                       {"O2", "jwc"},
                                                                       {"D1", "jwc"},
                                                                       {"S1", "xxb"},
                                                                       {"N1", "cs"},
                                                                       {"L1", "cs"}})
    staff.push_back({{"number", number}, {"name", number}, {"unit", unit}, {"state", "11"}});
  campus.put("staff", staff);
  campus.put("post_holding", {post("H1", "department_head", "cs"), post("X1", "department_head", "xsc"),
                              post("O1", "academic_office", "jwc"), post("O2", "academic_office", "jwc"),
                              post("D1", "department_head", "jwc"), post("S1", "security_admin", "xxb")});
}

// A case on its way along a path of rows.
class Walk {
 public:
  explicit Walk(db::Dialect dialect) : campus_(dialect) {
    fill(campus_);
    for (const char* who : {"T1", "H1", "X1", "O1", "O2", "D1", "S1", "N1", "L1"})
      people_[who] = campus_.sign_in(who, "staff", who);
  }

  Campus& campus() { return campus_; }
  app::System& system() { return campus_.system(); }
  cases::Engine& engine() { return *system().cases; }

  cases::Actor actor(const std::string& who) {
    if (who == "clock") return cases::Engine::clock_actor();
    const auto reader = system().store->reader();
    system().policy->refresh(*reader);
    return engine().actor(*reader, people_.at(who), who, who, system().clock->now());
  }

  const policy::Asker& asker(const std::string& who) const { return people_.at(who); }
  int64_t account(const std::string& who) const { return people_.at(who).account; }
  int64_t person(const std::string& who) const { return people_.at(who).person; }

  Result<cases::Taken> open(const std::string& who, const std::string& kind, const std::string& action,
                            const json::object& input, bool signs = true) {
    return delivered(engine().open(actor(who), kind, action, input, signs));
  }
  Result<cases::Taken> act(const std::string& who, const std::string& number, const std::string& action,
                           const json::object& input, bool signs = true) {
    return delivered(engine().act(actor(who), number, action, input, signs));
  }

  int64_t unit(const std::string& code) {
    const auto reader = system().store->reader();
    return cases::find_unit(*reader, code).id;
  }

  std::string state(const std::string& number) {
    const auto reader = system().store->reader();
    return engine().services().find(*reader, number)->state;
  }

 private:
  Result<cases::Taken> delivered(Result<cases::Taken> taken) {
    if (taken) system().recorder->deliver(taken->outbox);
    return taken;
  }

  Campus campus_;
  std::map<std::string, policy::Asker> people_;
};

json::object application(const std::string& variant) {
  json::object content = json::parse(R"({"dataset":"evaluation","rows":"taught","clear":["student"],"masked":[],
    "actions":["query"],"purpose":"teaching_administration","reason":"学业指导使用","from":"2026-03-16",
    "until":"2026-06-30"})")
                             .as_object();
  if (variant == "strict") content["masked"] = json::array{"total"};
  if (variant == "owned") {
    content["dataset"] = "award";
    content["rows"] = "class";
  }
  return content;
}

// An application that was granted, to follow up.
std::string granted(Walk& walk, const std::string& variant) {
  const json::object input{{"content", application(variant)}, {"undertaking", 1}};
  const std::string number = walk.open("T1", "access", "draft", input).value().number;
  const auto step = [&](const char* who, const char* action) {
    const auto taken = walk.act(who, number, action, action == std::string("submit") ? input : json::object{});
    EXPECT_TRUE(taken) << action << ": " << taken.refusal().detail.en;
  };
  step("T1", "submit");
  step("H1", "sign");
  step("O1", "approve");
  if (variant == "strict") step("O2", "approve");
  EXPECT_EQ(walk.state(number), "granted");
  return number;
}

// What a step of this kind needs to be told; `grant`: of an earlier application.
json::object input_of(Walk& walk, const Kind& kind, const Transition& row, const std::string& variant,
                      const std::string& grant) {
  json::object input{{"opinion", "已核实"}, {"undertaking", 1}};
  const json::object applicant{
      {"account", walk.account("T1")}, {"person", walk.person("T1")}, {"applicant", "T1"},
      {"applicant_name", "T1"},        {"unit", walk.unit("cs")},     {"unit_code", "cs"},
      {"term", "2025-2026-2"},         {"findings", json::array{}},   {"grants", json::array{json::value(grant)}},
      {"reason", "岗位变动"}};
  if (kind.name == "access" && (row.action == "draft" || row.action == "save" || row.action == "submit"))
    input["content"] = application(variant);
  if (kind.name == "renewal" && row.action == "submit")
    input["content"] = json::object{{"grant", grant}, {"until", "2026-07-10"}, {"reason", "继续使用到学期末"}};
  if (kind.name == "change" && row.action == "submit")
    input["content"] = json::object{{"grants", json::array{json::value(grant)}}, {"reason", "职责调整"}};
  if (row.who.is == Who::Is::clock && row.from.empty()) input["content"] = applicant;
  if (kind.name == "revocation")
    input["content"] = json::object{{"grants", json::array{json::value(grant)}}, {"reason", "不再需要"}};
  if (row.action == "confirm") {
    input["keep"] = json::array{json::value(grant)};
    input["end"] = json::array{};
  }
  return input;
}

std::string taker(const Transition& row, const std::string& variant) {
  if (row.who.is == Who::Is::applicant) return "T1";
  if (row.who.is == Who::Is::clock) return "clock";
  if (row.who.post == "academic_office") return row.from == "seconding" ? "O2" : "O1";
  if (row.who.post == "security_admin") return "S1";
  return row.who.of == Who::Of::owner_unit && variant == "owned" ? "X1" : "H1";
}

// Shortest ways to each state, whatever `when` says: a variant that goes another way is noticed while walking.
std::vector<std::vector<const Transition*>> ways_to(const Kind& kind, std::string_view state) {
  std::vector<std::vector<const Transition*>> found, open{{}};
  for (int depth = 0; depth < 7 && !open.empty(); ++depth) {
    std::vector<std::vector<const Transition*>> next;
    for (const auto& way : open) {
      const std::string_view here = way.empty() ? std::string_view() : way.back()->to;
      if (here == state && (!state.empty() || way.empty())) found.push_back(way);
      for (const Transition& row : kind.transitions) {
        const bool seen = std::find(way.begin(), way.end(), &row) != way.end();
        if (row.from == here && row.from != row.to && !seen) {
          next.push_back(way);
          next.back().push_back(&row);
        }
      }
    }
    open = std::move(next);
  }
  return found;
}

// Takes the rows of a way and the last one; nullopt when this variant does not lead there.
std::optional<std::string> along(Walk& walk, const Kind& kind, const std::vector<const Transition*>& way,
                                 const std::string& variant, const std::string& grant) {
  std::string number;
  for (const Transition* row : way) {
    const json::object input = input_of(walk, kind, *row, variant, grant);
    const std::string who = taker(*row, variant), action(row->action);
    const auto taken =
        number.empty() ? walk.open(who, std::string(kind.name), action, input) : walk.act(who, number, action, input);
    if (!taken || taken->state != row->to) return std::nullopt;
    number = taken->number;
  }
  return number;
}

class EveryRow : public testing::TestWithParam<db::Dialect> {
 protected:
  void SetUp() override {
    if (GetParam() == db::Dialect::postgres && postgres_url().empty())
      GTEST_SKIP() << "no PostgreSQL: JIAOWU_TEST_PG is not set";
  }
};
JW_ON_BOTH_STORES(EveryRow);

TEST_P(EveryRow, is_taken_once_and_refused_once) {
  Walk walk(GetParam());
  const auto check = [&](const Kind& kind, const Transition& row, const std::string& variant) {
    const bool follows = kind.name != "access";
    for (const auto& way : ways_to(kind, row.from)) {
      const std::string grant = follows ? granted(walk, variant == "strict" ? "strict" : "plain") : "";
      if (kind.name == "suspension") {
        const auto writer = walk.system().store->writer();
        db::Transaction transaction(*writer, db::Transaction::Mode::write);
        static_cast<void>(walk.system().identity->suspend(*writer, walk.account("L1"), "test"));
        transaction.commit();
      }
      const auto number = along(walk, kind, way, variant, grant);
      if (!number) continue;
      const json::object input = input_of(walk, kind, row, variant, grant);
      const std::string action(row.action), right = taker(row, variant);
      // Refused: somebody whose step it is not.
      const std::string wrong = row.who.is != Who::Is::applicant ? "N1" : number->empty() ? "clock" : "N1";
      const auto refused = number->empty() ? walk.open(wrong, std::string(kind.name), action, input)
                                           : walk.act(wrong, *number, action, input);
      EXPECT_FALSE(refused);
      if (!refused) {
        EXPECT_EQ(refused.refusal().type, "case.not_yours");
      }
      if (!number->empty()) {
        EXPECT_EQ(walk.state(*number), row.from);
      }
      if (row.signs()) {
        const auto unsigned_step = number->empty() ? walk.open(right, std::string(kind.name), action, input, false)
                                                   : walk.act(right, *number, action, input, false);
        EXPECT_FALSE(unsigned_step) << "without a signature";
      }
      const auto taken = number->empty() ? walk.open(right, std::string(kind.name), action, input)
                                         : walk.act(right, *number, action, input);
      if (!taken || taken->state != row.to) continue;
      return true;
    }
    return false;
  };
  for (const Kind* kind : app::kinds()) {
    for (const Transition& row : kind->transitions) {
      const bool done = check(*kind, row, "plain") || check(*kind, row, "strict") || check(*kind, row, "owned");
      EXPECT_TRUE(done) << kind->name << ": " << row.from << " --" << row.action << "--> " << row.to << " never taken";
    }
  }
  const auto reader = walk.system().store->private_reader();
  EXPECT_TRUE(record::verify(*reader, {}, {}).problems.empty()) << "the record holds";
}

// Once the revocation is done, no query that begins later is answered; the record has no gap.
TEST_P(EveryRow, a_revocation_stops_the_next_query_on_every_thread) {
  Walk walk(GetParam());
  const std::string number = granted(walk, "plain");
  constexpr std::string_view kAsk =
      R"({"dataset":"evaluation","fields":["student"],"purpose":"teaching_administration"})";
  const policy::Asker teacher = walk.asker("T1");
  std::atomic<bool> over{false}, stop{false};
  std::atomic<int> answered{0}, late{0}, broken{0};
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      while (!stop) {
        const bool began_after = over;
        query::Outcome outcome = walk.campus().ask(teacher, kAsk);
        if (std::holds_alternative<query::Answer>(outcome.result)) {
          ++answered;
          if (began_after) ++late;
        } else if (std::get<Refusal>(outcome.result).code != Code::forbidden) {
          ++broken;
        }
        if (!walk.system().recorder->append_and_wait(std::move(outcome.entry))) ++broken;
      }
    });
  }
  while (answered < 50) std::this_thread::yield();
  const json::object input{
      {"content", json::object{{"grants", json::array{json::value(number)}}, {"reason", "不再需要"}}}};
  EXPECT_TRUE(walk.open("H1", "revocation", "revoke", input));
  over = true;
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  stop = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(late, 0);
  EXPECT_EQ(broken, 0);
  EXPECT_EQ(walk.campus().rows(teacher, kAsk), "policy.no_permit");
  const auto reader = walk.system().store->private_reader();
  EXPECT_TRUE(record::verify(*reader, {}, {}).problems.empty());
}

// Whoever is suspended gets a case in the same transaction; lifting it lets the person in again.
TEST_P(EveryRow, a_suspension_opens_its_case_and_lifting_ends_it) {
  Walk walk(GetParam());
  app::System& system = walk.system();
  lending::Stored finding;
  finding.id = 1;
  finding.rule = "one_device_many";
  finding.seen = {"同一台设备登录了多个账号", "one device signed in to several accounts"};
  {
    const auto writer = system.store->writer();
    db::Transaction transaction(*writer, db::Transaction::Mode::write);
    ASSERT_TRUE(system.identity->suspend(*writer, walk.account("L1"), "§2.5.3"));
    writer->execute(
        "INSERT INTO lending_step (id, number, account, holder, holder_name, step, taken, taken_by, taken_name, "
        "reason, "
        "findings) VALUES (1, 1, $1, 'L1', 'L1', 'suspended', 1, 0, '', '', '[]')",
        {walk.account("L1")});
    lending::open_suspension(*system.cases, *writer, walk.account("L1"), {finding});
    transaction.commit();
  }
  const auto suspended = [&] {
    const auto reader = system.store->private_reader();
    return system.identity->account(*reader, walk.account("L1"))->suspended;
  };
  EXPECT_TRUE(suspended());
  const std::string seen =
      walk.campus().rows(walk.asker("S1"), R"({"dataset":"case","fields":["number","kind","state","applicant"]})");
  EXPECT_NE(seen.find("suspension"), std::string::npos) << seen;
  const std::string number(json::parse(seen).at(0).at(0).as_string());
  const auto stranger = walk.act("N1", number, "lift", {{"opinion", "说明情况"}});
  EXPECT_FALSE(stranger);
  const auto lifted = walk.act("S1", number, "lift", {{"opinion", "本人已说明，改了口令"}});
  ASSERT_TRUE(lifted) << lifted.refusal().detail.en;
  EXPECT_EQ(walk.state(number), "lifted");
  EXPECT_FALSE(suspended());
  const auto reader = system.store->private_reader();
  EXPECT_TRUE(record::verify(*reader, {}, {}).problems.empty());
}

// Several deciders press at the same moment: one step is taken, the others hear that it is gone.
TEST_P(EveryRow, of_two_deciders_at_once_one_decides) {
  Walk walk(GetParam());
  for (int round = 0; round < 5; ++round) {
    const json::object input{{"content", application("plain")}, {"undertaking", 1}};
    const std::string number = walk.open("T1", "access", "draft", input).value().number;
    ASSERT_TRUE(walk.act("T1", number, "submit", input));
    ASSERT_TRUE(walk.act("H1", number, "sign", {}));
    std::vector<std::thread> deciders;
    std::atomic<int> taken{0}, gone{0};
    for (const char* who : {"O1", "O2", "O1", "O2"}) {
      deciders.emplace_back([&, who] {
        const auto said = walk.act(who, number, round % 2 == 0 ? "approve" : "refuse", {{"opinion", "同时办理"}});
        if (said) ++taken;
        if (!said && said.refusal().type == "case.moved") ++gone;
      });
    }
    for (std::thread& decider : deciders) decider.join();
    EXPECT_EQ(taken, 1);
    EXPECT_EQ(gone, 3);
    const auto reader = walk.system().store->private_reader();
    db::Rows rows = reader->query(
        "SELECT COUNT(*), (SELECT COUNT(*) FROM access_grant g WHERE g.number = $1), (SELECT COUNT(*) FROM case_letter "
        "l JOIN \"case\" c ON c.id = l.case_id WHERE c.number = $1) FROM case_step s JOIN \"case\" c ON c.id = "
        "s.case_id WHERE c.number = $1",
        {number});
    rows.next();
    EXPECT_EQ(rows.integer(0), 4);
    EXPECT_EQ(rows.integer(1), round % 2 == 0 ? 1 : 0);
    EXPECT_EQ(rows.integer(2), 1);
  }
}

TEST_P(EveryRow, nothing_is_approved_by_the_clock) {
  for (const Kind* kind : app::kinds()) {
    for (const Transition& row : kind->transitions) {
      if (row.who.is != Who::Is::clock) continue;
      EXPECT_FALSE(row.approves()) << kind->name << "." << row.action;
      EXPECT_NE(row.to, "granted") << kind->name << "." << row.action;
      EXPECT_EQ(row.letter, nullptr) << kind->name << "." << row.action;
    }
  }
}

TEST_P(EveryRow, speaks_the_words_of_the_catalogue) {
  Campus campus(GetParam());
  const catalog::Catalogue& catalogue = *campus.system().catalogue;
  const auto set = [&](const char* name) -> const catalog::CodeSet& {
    return catalogue.code_sets[static_cast<size_t>(catalogue.code_set(name))];
  };
  std::set<std::string> kinds, states, waits;
  for (const Kind* kind : app::kinds()) {
    kinds.emplace(kind->name);
    EXPECT_NE(set("CASE_KIND").find(kind->name), nullptr) << kind->name;
    for (const cases::State& state : kind->states) {
      states.emplace(state.name);
      waits.emplace(state.waits_for.name);
      EXPECT_NE(set("CASE_STATE").find(state.name), nullptr) << state.name;
      EXPECT_NE(set("CASE_WAITS").find(state.waits_for.name), nullptr) << state.waits_for.name;
      if (!state.due_setting.empty()) {
        EXPECT_GT(campus.system().cases->services().setting(state.due_setting), 0) << state.due_setting;
      }
    }
    for (const Transition& row : kind->transitions) {
      EXPECT_TRUE(row.from.empty() || kind->state(row.from) != nullptr) << row.from;
      EXPECT_NE(kind->state(row.to), nullptr) << row.to;
      EXPECT_TRUE(row.from.empty() || !kind->state(row.from)->closed) << kind->name << " goes on after its end";
      EXPECT_FALSE(row.label.zh.empty() || row.label.en.empty()) << kind->name << "." << row.action;
      if (row.who.is == Who::Is::post) {
        EXPECT_GE(campus.system().policy->rules()->regulation().post(row.who.post), 0);
      }
    }
  }
  EXPECT_EQ(kinds.size(), set("CASE_KIND").codes.size());
  EXPECT_EQ(states.size(), set("CASE_STATE").codes.size());
  EXPECT_EQ(waits.size(), set("CASE_WAITS").codes.size());
}

}  // namespace
}  // namespace jw::tests
