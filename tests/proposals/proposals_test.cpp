// Nothing that is decided can end the product (§2.1.1, §4.3.2): changes of the regulation of every kind, ordinary and
// hostile, are proposed at random; what is accepted is approved, and afterwards everybody is answered or properly
// refused, the server starts again, and the roll-back works.
#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <random>

#include "base/json.hpp"
#include "kernel/catalog/condition.hpp"
#include "kernel/policy/regulation_edit.hpp"
#include "kernel/query/effect.hpp"
#include "kernel/query/trial.hpp"
#include "tests/engine/campus.hpp"

namespace jw::tests {
namespace {

namespace json = boost::json;
using catalog::Dataset;
using catalog::Field;
using catalog::Type;

// Enough in CI to meet every kind of change a few times; with the other long tests (`./dev check`) the number asked
// for.
int64_t proposals() {
  const char* is_long = std::getenv("JW_LONG");  // NOLINT(concurrency-mt-unsafe): nobody sets it
  return is_long != nullptr && std::string_view(is_long) == "1" ? 2'000 : 150;
}

// Changes drawn at random from the regulation as it is: most of them could be meant, the others are what a mistake, a
// broken client or an attacker sends.
class Changes {
 public:
  // `catalogue`: must outlive this.
  Changes(const catalog::Catalogue& catalogue, uint64_t seed) : catalogue_(catalogue), engine_(seed) {}

  json::array any(const json::object& content) {
    json::array changes;
    for (size_t n = chance(70) ? 1 : 1 + below(4); n > 0; --n) changes.push_back(one(content));
    if (chance(1)) {  // more than anybody decides about
      while (changes.size() < 260) changes.push_back(changes.front());
    }
    return changes;
  }
  size_t below(size_t n) { return n == 0 ? 0 : engine_() % n; }

 private:
  bool chance(int percent) { return below(100) < static_cast<size_t>(percent); }
  template <class T>
  const typename T::value_type& of(const T& all) {
    return all[below(all.size())];
  }
  std::string word(std::initializer_list<const char*> all) { return all.begin()[below(all.size())]; }
  static const json::array& rows(const json::object& content, const char* kind) { return content.at(kind).as_array(); }
  std::string name_in(const json::object& content, const char* kind) {
    return std::string(of(rows(content, kind)).at("name").as_string());
  }

  json::value one(const json::object& content) {
    if (chance(2)) return hostile();
    json::object change;
    switch (below(6)) {
      case 0:
        change = {{"op", "add_rule"}, {"rule", rule(content)}};
        break;
      case 1:
        change = {{"op", "put_rule"}, {"id", of(rows(content, "rules")).at("id")}, {"rule", rule(content)}};
        break;
      case 2:
        change = {{"op", "remove_rule"}, {"id", of(rows(content, "rules")).at("id")}};
        break;
      case 3:
        change = setting(content);
        break;
      case 4:
        change = {{"op", "put_post"}, {"post", post(content)}};
        break;
      default:
        change = {{"op", "set_power"}, {"name", name_in(content, "powers")}, {"post", posts(content)}};
        break;
    }
    if (chance(12)) spoil(change);
    return change;
  }

  json::array posts(const json::object& content) {
    json::array out;
    for (size_t n = 1 + below(3); n > 0; --n) out.emplace_back(name_in(content, "posts"));
    if (chance(5)) {
      for (int i = 0; i < 800; ++i) out.emplace_back(name_in(content, "posts"));
    }
    return out;
  }

  json::object setting(const json::object& content) {
    const json::object& row = of(rows(content, "settings")).as_object();
    const auto edge = [&](const char* key) { return row.contains(key) ? row.at(key).as_int64() : int64_t{0}; };
    const int64_t values[] = {edge("min"),     edge("max"), edge("min") + 1, edge("max") + 1,
                              edge("min") - 1, INT64_MIN,   INT64_MAX};
    return {{"op", "set_setting"}, {"name", row.at("name")}, {"value", values[below(std::size(values))]}};
  }

  json::object rule(const json::object& content) {
    json::object rule;
    if (chance(50)) rule = of(rows(content, "rules")).as_object();
    const Dataset& dataset = chance(60) && rule.contains("dataset") ? *catalogue_.find(rule.at("dataset").as_string())
                                                                    : of(catalogue_.datasets);
    rule.erase("id");
    if (rule.contains("dataset") && rule.at("dataset").as_string() != dataset.name) rule.clear();
    rule["dataset"] = dataset.name;
    if (!rule.contains("post") || chance(50)) rule["post"] = name_in(content, "posts");
    rule["clause"] = word({"2.1.1", "2.2.1", "2.3.1", "4.3.2"});
    if (chance(35)) rule["effect"] = word({"permit", "forbid"});
    if (rule.contains("effect") && rule.at("effect").as_string() == "forbid") {
      for (const char* key : {"clear", "masked", "hidden", "actions", "purposes"}) rule.erase(key);
      if (!rule.contains("text")) rule["text"] = {{"zh", "不开放"}, {"en", "closed"}};
    }
    if ((!rule.contains("rows") && !rule.contains("where")) || chance(60)) {
      rule.erase("rows");
      rule.erase("where");
      const size_t how = below(3);
      if (how == 0) {
        rule["rows"] = "all";
      } else if (how == 1 && !dataset.bindings.empty()) {
        rule["rows"] = catalogue_.relations[static_cast<size_t>(of(dataset.bindings).relation)].name;
      } else {
        rule["where"] = condition(content, dataset, 3);
      }
    }
    if (rule.contains("effect") && rule.at("effect").as_string() == "forbid") return rule;
    for (const char* key : {"clear", "masked", "hidden"}) {
      if (!chance(30)) continue;
      json::array names;
      for (size_t n = below(6); n > 0; --n) names.emplace_back(of(dataset.fields).name);
      if (chance(20)) names.emplace_back("*");
      rule[key] = std::move(names);
    }
    if (chance(40)) {
      json::array actions;
      for (const char* each : {"query", "detail", "statistics", "print", "export", "enter", "review"}) {
        if (chance(50)) actions.emplace_back(each);
      }
      rule["actions"] = std::move(actions);
    }
    if (chance(20)) rule["purposes"] = json::array{word({"study", "teaching_administration", "inspection", "other"})};
    return rule;
  }

  json::object post(const json::object& content) {
    json::object post;
    if (chance(60)) {
      post = of(rows(content, "posts")).as_object();
    } else {
      post = {{"name", "post_" + std::to_string(below(400))},
              {"label", {{"zh", "新岗位"}, {"en", "new post"}}},
              {"clause", "2.1.4"}};
    }
    const bool anew = !post.contains("from") || chance(25);
    if (anew)
      post["from"] =
          (chance(80) ? *catalogue_.find(word({"staff", "student", "post_holding", "class"})) : of(catalogue_.datasets))
              .name;
    const Dataset& from = *catalogue_.find(post.at("from").as_string());
    if (anew || chance(60)) post["where"] = me_and(content, from);
    if (chance(20)) post["unit"] = of(from.fields).name;
    if (chance(10)) post["apart"] = word({"administrator", "other", ""});
    if (chance(10)) post["refusal"] = {{"zh", "请向教务处申请"}, {"en", "ask the academic office"}};
    return post;
  }

  // A post asks for "me", in the row or where one of its refs leads.
  json::value me_and(const json::object& content, const Dataset& from) {
    std::vector<std::string> ways;
    if (from.person) ways.emplace_back("id");
    for (const Field& field : from.fields) {
      if (field.ref >= 0 && catalogue_.datasets[static_cast<size_t>(field.ref)].person) ways.push_back(field.name);
    }
    const json::object me{{"field", ways.empty() ? "id" : of(ways)}, {"is", "me"}};
    if (chance(20)) return me;
    return json::object{{"all", json::array{me, condition(content, from, 2)}}};
  }

  json::value condition(const json::object& content, const Dataset& dataset, int depth) {
    if (chance(2)) return deep(content, dataset);
    if (depth > 0 && chance(40)) {
      if (chance(30)) return json::object{{"not", condition(content, dataset, depth - 1)}};
      json::array parts;
      for (size_t n = chance(5) ? 0 : chance(3) ? 300 : 1 + below(3); n > 0; --n)
        parts.push_back(condition(content, dataset, depth - 1));
      return json::object{{chance(50) ? "all" : "any", std::move(parts)}};
    }
    const Field& field = of(dataset.fields);
    if (field.ref >= 0 && chance(40)) {
      for (const catalog::Relation& relation : catalogue_.relations) {
        if (relation.of == field.ref) return json::object{{"field", field.name}, {"in_relation", relation.name}};
      }
    }
    const std::vector<catalog::Op> ops = catalog::ops_of(field);
    const catalog::Op op = of(ops);
    json::object leaf{{"field", field.name}, {"op", catalog::op_name(op)}};
    if (field.type == Type::date && chance(30)) {
      chance(50) ? leaf["today"] = true : leaf["today_minus_years"] = name_in(content, "settings");
      return leaf;
    }
    if (op == catalog::Op::is_null) {
      leaf["value"] = chance(50);
    } else if (op == catalog::Op::in || op == catalog::Op::between) {
      json::array values;
      for (size_t n = op == catalog::Op::between ? 2 : chance(5) ? 700 : 1 + below(4); n > 0; --n)
        values.push_back(value(field));
      leaf["value"] = std::move(values);
    } else {
      leaf["value"] = value(field);
    }
    return leaf;
  }

  // Nested beyond what anybody writes.
  json::value deep(const json::object& content, const Dataset& dataset) {
    json::value out = condition(content, dataset, 0);
    for (size_t n = 20 + below(60); n > 0; --n)
      out = json::object{{"not", json::object{{"all", json::array{std::move(out)}}}}};
    return out;
  }

  json::value value(const Field& field) {
    if (chance(4)) return any_value();
    switch (field.type) {
      case Type::integer:
        return static_cast<int64_t>(below(7)) - 2;
      case Type::decimal:
        return json::string(word({"0", "59.5", "60", "100", "-1"}));
      case Type::boolean:
        return chance(50);
      case Type::date:
        return json::string(word({"2026-03-16", "1999-12-31", "2024-02-29"}));
      case Type::timestamp:
        return json::string(word({"2026-03-16T09:00:00+08:00", "2020-01-01T00:00:00+08:00"}));
      case Type::weeks:
        return json::string(word({"1-16", "1,3,5", "2-16双"}));
      case Type::code: {
        const auto& codes = catalogue_.code_sets[static_cast<size_t>(field.code_set)].codes;
        return json::string(of(codes).code);
      }
      case Type::text:
      case Type::ref:
        return json::string(word({"cs", "jwc", "O1", "T1", "张三", "a%b_c'd", "\"; DROP TABLE grade; --", "1"}));
    }
    return nullptr;
  }

  // Anything at all.
  json::value any_value() {
    switch (below(9)) {
      case 0:
        return nullptr;
      case 1:
        return INT64_MAX;
      case 2:
        return 1e308;
      case 3:
        return json::string(100'000, 'x');
      case 4:
        return json::string("\u202e\u200b\x01");
      case 5:
        return json::object{{"field", json::object{}}};
      case 6:
        return json::array(1'000, json::value("x"));
      case 7:
        return UINT64_MAX;
      default:
        return json::string("");
    }
  }
  json::value hostile() {
    if (chance(30)) return any_value();
    return json::object{
        {"op", chance(50) ? any_value() : json::value("put_post")}, {"post", any_value()}, {"rule", any_value()}};
  }

  // One member somewhere below, of another kind or gone.
  void spoil(json::object& object) {
    if (object.empty()) return;
    const auto at = object.begin() + static_cast<std::ptrdiff_t>(below(object.size()));
    json::value& value = at->value();
    if (value.is_object() && chance(80)) return spoil(value.get_object());
    if (value.is_array() && !value.get_array().empty() && chance(50)) {
      json::value& part = value.get_array()[below(value.get_array().size())];
      if (part.is_object()) return spoil(part.get_object());
      part = any_value();
      return;
    }
    if (chance(30)) {
      object.erase(std::string(at->key()));
    } else {
      value = any_value();
    }
  }

  const catalog::Catalogue& catalogue_;
  std::mt19937_64 engine_;
};

class Proposals : public ::testing::TestWithParam<db::Dialect> {
 protected:
  void SetUp() override {
    if (!TestStore::available(GetParam())) GTEST_SKIP() << "no PostgreSQL: JIAOWU_TEST_PG is not set";
    campus_ = std::make_unique<Campus>(GetParam());
    Campus& campus = *campus_;
    campus.put("term", {{{"code", "2025-2026-1"},
                         {"school_year", "2025-2026"},
                         {"season", "1"},
                         {"begins", "2025-09-08"},
                         {"ends", "2026-01-18"}}});
    campus.put("unit", {{{"code", "jwc"}, {"name", "教务处"}},
                        {{"code", "xxb"}, {"name", "信息办"}},
                        {{"code", "cs"}, {"name", "计算机学院"}}});
    const auto staff = [](const char* number, const char* name, const char* unit) {
      return Row{{"number", number}, {"name", name}, {"unit", unit}, {"state", "11"}};
    };
    campus.put("staff", {staff("T1", "陶老师", "cs"), staff("O1", "教务员", "jwc"), staff("O2", "教务处长", "jwc"),
                         staff("A1", "安全员", "xxb"), staff("A2", "安全主管", "xxb")});
    const auto holds = [](const char* who, const char* post, const char* unit) {
      return Row{{"staff", who}, {"post", post}, {"unit", unit}, {"begins", "2020-01-01"}};
    };
    campus.put("post_holding", {holds("O1", "academic_office", "jwc"), holds("O2", "academic_office", "jwc"),
                                holds("A1", "security_admin", "xxb"), holds("A2", "security_admin", "xxb")});
    campus.put("class", {{{"code", "C1"},
                          {"name", "一班"},
                          {"unit", "cs"},
                          {"adviser", "T1"},
                          {"adviser_from", "2025-09-01"},
                          {"adviser_until", "2026-08-31"}}});
    campus.put("student",
               {{{"number", "202400001"}, {"name", "张三"}, {"unit", "cs"}, {"class", "C1"}, {"state", "01"}}});
    campus.put("course", {{{"number", "CS1"}, {"name", "数据结构"}}});
    campus.put("section", {{{"number", "A"}, {"course", "CS1"}, {"term", "2025-2026-1"}}});
    campus.put("section_teacher", {{{"section", "A"}, {"teacher", "T1"}, {"lead", "是"}}});
    campus.put("grade", {{{"student", "202400001"},
                          {"section", "A"},
                          {"attempt", "1"},
                          {"term", "2025-2026-1"},
                          {"course", "CS1"},
                          {"score", "91.5"},
                          {"points", "4"},
                          {"exam_kind", "01"}}});
    for (const auto& [login, kind, number] : {std::tuple{"t1", "teacher", "T1"},
                                              {"o1", "academic_office", "O1"},
                                              {"o2", "academic_office", "O2"},
                                              {"a1", "security_admin", "A1"},
                                              {"a2", "security_admin", "A2"},
                                              {"s1", "student", "202400001"}})
      people_.push_back(campus.sign_in(login, kind, number));
  }

  app::System& system() { return campus_->system(); }
  const catalog::Catalogue& catalogue() { return *system().catalogue; }
  Instant now() { return system().clock->now(); }
  query::RulesPtr rules() {
    system().policy->refresh(*system().store->reader());
    return system().policy->rules();
  }
  json::object content() {
    const auto reader = system().store->reader();
    return policy::content_of(*reader, policy::version_in_force(*reader)).value();
  }

  // As the interface does it: what cannot run on this store, or favours its decider, is not taken.
  policy::Trial trial() {
    return [this](const policy::Regulation& regulation) {
      const auto reader = system().store->reader();
      return query::fits(*reader, system().policy->rules(), regulation, people_.at(3), now());
    };
  }
  template <class Act>
  Result<policy::Acted> act(const Act& act) {
    rules();
    Result<policy::Acted> done = policy::Acted{};
    {
      const auto writer = system().store->writer();
      db::Transaction transaction(*writer, db::Transaction::Mode::write);
      done = act(*writer);
      if (done) transaction.commit();
    }
    if (done) {
      EXPECT_TRUE(system().recorder->deliver(done->outbox));
    }
    return done;
  }
  record::Hand hand(size_t person) {
    const policy::Asker& asker = people_.at(person);
    return {asker.account, asker.person, asker.session, "hand", "security_admin", "xxb"};
  }
  Result<policy::Acted> propose(const json::array& changes, int64_t base) {
    return act([&](db::Connection& transaction) {
      return policy::propose(transaction, *system().recorder, catalogue(), base, changes, {"2.1.1", "试"}, hand(3),
                             now(), trial());
    });
  }
  Result<policy::Acted> approve(int64_t id) {
    return act([&](db::Connection& transaction) {
      return policy::approve(transaction, *system().recorder, catalogue(), id, hand(4), now(), trial());
    });
  }

  // Everybody's first query of this dataset is answered, or refused for what it is.
  std::string first_queries(const Dataset& dataset) {
    std::string wrong;
    for (const policy::Asker& asker : people_) {
      for (const char* question : {R"({"dataset":")", R"({"measures":[{"fn":"count"}],"dataset":")"}) {
        const query::Outcome outcome = system().engine->ask(asker, json::parse(question + dataset.name + "\"}"));
        const auto* refusal = std::get_if<Refusal>(&outcome.result);
        const bool proper = refusal == nullptr || refusal->code == Code::forbidden || refusal->code == Code::not_found;
        if (!proper) wrong += dataset.name + " " + refusal->type + " " + refusal->detail.en + "; ";
      }
    }
    return wrong;
  }

  // The way back is always open, and it leads back.
  void roll_back(const json::object& first) {
    const int64_t base = rules()->regulation().version;
    const auto back = act([&](db::Connection& transaction) {
      return policy::propose_rollback(transaction, *system().recorder, catalogue(), base, 1, {"2.1.1", "回退"}, hand(3),
                                      now(), trial());
    });
    if (!back && back.refusal().type == "regulation.same") return;
    ASSERT_TRUE(back) << back.refusal().type << " " << back.refusal().detail.en << " "
                      << back.refusal().fields.front().text.en;
    const auto done = approve(back->proposal);
    ASSERT_TRUE(done) << done.refusal().type;
    const json::object now_is = content();
    EXPECT_EQ(now_is.at("rules"), first.at("rules"));
    EXPECT_EQ(now_is.at("powers"), first.at("powers"));
    for (const json::value& post : first.at("posts").as_array()) {
      const json::array& posts = now_is.at("posts").as_array();
      EXPECT_NE(std::find(posts.begin(), posts.end(), post), posts.end()) << json::serialize(post);
    }
    EXPECT_TRUE(rules()->regulation().closed.empty());
  }

  std::unique_ptr<Campus> campus_;
  std::vector<policy::Asker> people_;
};

TEST_P(Proposals, nothing_decided_ends_the_product) {
  const json::object first = content();
  const catalog::Catalogue kept = catalogue();  // the server starts again meanwhile
  Changes changes(kept, GetParam() == db::Dialect::sqlite ? 1 : 2);
  std::map<std::string, int64_t> counts;
  for (int64_t i = 0; i < proposals() && !HasFatalFailure() && !HasFailure(); ++i) {
    const json::object base = content();
    const int64_t version = rules()->regulation().version;
    const json::array proposed = changes.any(base);
    const auto said = [&] {
      return "proposal " + std::to_string(i) + ": " + json::serialize(proposed).substr(0, 4000);
    };
    const Result<policy::Acted> offered = propose(proposed, version);
    if (!offered) {
      // Refused for what is wrong with it, by name; the store and everybody's queries are as they were.
      EXPECT_LT(static_cast<int>(offered.refusal().code), static_cast<int>(Code::internal)) << said();
      EXPECT_FALSE(offered.refusal().detail.zh.empty()) << said();
      ++counts[offered.refusal().type];
      continue;
    }
    const Result<policy::Acted> decided = approve(offered->proposal);
    ASSERT_TRUE(decided) << "what could be proposed can be decided: " << decided.refusal().type << " " << said();
    ++counts["approved"];
    EXPECT_TRUE(rules()->regulation().closed.empty()) << said();
    for (int d = 0; d < 4; ++d) {
      const Dataset& dataset = catalogue().datasets[changes.below(catalogue().datasets.size())];
      EXPECT_EQ(first_queries(dataset), "") << said();
    }
    // What it would do to take it back is told, whoever asks.
    query::EffectOptions options;
    options.statements = 20;
    query::effect_of(catalogue(), *system().store->reader(), rules(),
                     rules()->with(policy::stored_regulation(*system().store->reader(), version, catalogue())),
                     people_[changes.below(people_.size())], now(), options);
    if (counts["approved"] % 12 == 0) {
      for (const Dataset& dataset : catalogue().datasets) EXPECT_EQ(first_queries(dataset), "") << said();
      campus_->close();
      campus_->open();
      EXPECT_TRUE(rules()->regulation().closed.empty()) << said();
      EXPECT_EQ(first_queries(*catalogue().find("grade")), "") << "after the server started again, " << said();
      roll_back(first);
    }
  }
  roll_back(first);
  for (const Dataset& dataset : catalogue().datasets) EXPECT_EQ(first_queries(dataset), "");
  for (const auto& [what, count] : counts) std::cout << what << " " << count << "\n";
  EXPECT_GT(counts["approved"], proposals() / 8) << "ordinary changes are taken";
  EXPECT_GT(counts["regulation.change_invalid"], proposals() / 20) << "and hostile ones are not";
}

INSTANTIATE_TEST_SUITE_P(Stores, Proposals, ::testing::Values(db::Dialect::sqlite, db::Dialect::postgres),
                         [](const auto& store) {
                           return store.param == db::Dialect::sqlite ? "SQLite" : "PostgreSQL";
                         });

}  // namespace
}  // namespace jw::tests
