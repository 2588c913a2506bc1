// A suspended account is examined by people (§2.5.3): a case of its own, opened with the suspension.
#include <boost/json.hpp>

#include <stdexcept>

#include "modules/lending/lending.hpp"

namespace jw::lending {

namespace json = boost::json;

namespace {

using cases::Kind, cases::Moment, cases::State, cases::Transition, cases::Who;

Result<Done> open(Moment& moment) {
  cases::Case& file = moment.file;
  const json::object& content = moment.input.at("content").as_object();
  file.account = content.at("account").as_int64();
  file.person = content.at("person").as_int64();
  file.applicant = std::string(content.at("applicant").as_string());
  file.applicant_name = std::string(content.at("applicant_name").as_string());
  file.content = {{"reason", content.at("reason")}, {"findings", content.at("findings")}};
  file.title = "暂停查询权限：" + file.applicant_name;
  return Done{};
}

Result<Done> lift(Moment& moment) {
  Hand hand;
  hand.name = "办件";
  return lift_within(moment.connection, moment.on.identity, moment.file.account, hand, "核查后恢复", moment.now);
}

constexpr Who kGuard = Who::holder("security_admin");

const cases::Waits kWaitsSecurity{"security", {"安全管理员", "security administrator"}};

const State kSuspensionStates[] = {
    {.name = "examining",
     .label = {"待核查", "under examination"},
     .waits_for = kWaitsSecurity,
     .due_setting = "decision_days",
     .escalates_to = Who::holder("academic_office")},
    {.name = "lifted",
     .label = {"已恢复", "lifted"},
     .waits_for = cases::kWaitsNobody,
     .closed = true,
     .tone = cases::Tone::good},
    {.name = "handed_over", .label = {"已移交处理", "handed over"}, .waits_for = cases::kWaitsNobody, .closed = true},
};

// clang-format off
const Transition kSuspensions[] = {
    {.from = "", .action = "open", .to = "examining", .who = Who::clock(),
     .label = {"暂停并立案核查", "suspended, to be examined"}, .effect = open},
    {.from = "examining", .action = "lift", .to = "lifted", .who = kGuard,
     .label = {"恢复", "lift"}, .opinion = cases::Opinion::required, .seal = cases::Seal::approves, .effect = lift,
     .tone = cases::Tone::good},
    {.from = "examining", .action = "hand_over", .to = "handed_over", .who = kGuard,
     .label = {"移交处理", "hand over"}, .opinion = cases::Opinion::required, .seal = cases::Seal::signs,
     .tone = cases::Tone::bad},
};
// clang-format on

void describe_suspension(const Moment& moment, JsonWriter& out) {
  const json::value* reason = moment.file.content.if_contains("reason");
  const json::value* findings = moment.file.content.if_contains("findings");
  out.field("reason", reason != nullptr && reason->is_string() ? std::string(reason->get_string()) : std::string());
  out.key("findings").raw(findings == nullptr ? "[]" : json::serialize(*findings));
}

const cases::Field kFields[] = {
    {"reason", {"原因", "reason"}, catalog::Level::internal},
    {"findings", {"发现", "findings"}, catalog::Level::sensitive},
};

}  // namespace

const Kind kSuspension{.name = "suspension",
                       .label = {"暂停查询权限核查", "examination of a suspension"},
                       .clause = "2.5.3",
                       .states = kSuspensionStates,
                       .transitions = kSuspensions,
                       .fields = kFields,
                       .describe = describe_suspension};

void open_suspension(cases::Engine& engine, db::Connection& transaction, int64_t account,
                     const std::vector<Stored>& findings) {
  json::object content{{"account", account}};
  const auto holder = engine.services().identity.account(transaction, account);
  if (!holder) throw std::logic_error("a suspended account that is not there");
  content["applicant"] = holder->login;
  content["applicant_name"] = holder->display_name;
  content["person"] = holder->person;
  json::array seen;
  for (const Stored& each : findings) {
    seen.push_back(json::object{{"finding", each.id},
                                {"rule", each.rule},
                                {"score", each.score},
                                {"seen", json::object{{"zh", each.seen.zh}, {"en", each.seen.en}}}});
  }
  content["findings"] = std::move(seen);
  content["reason"] = "涉嫌账号或权限转借、冒用";
  const auto opened = engine.open_within(transaction, cases::Engine::clock_actor(), "suspension", "open",
                                         {{"content", std::move(content)}}, false);
  if (!opened) throw std::runtime_error("no case of a suspension: " + opened.refusal().type);
}

}  // namespace jw::lending
