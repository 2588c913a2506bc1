// What follows a grant: revoked by notice of the department (§2.5.2), reconsidered when a post or duty changes
// (§2.5.1), confirmed each term, and the examination of a suspended account (§2.5.3).
#include <boost/json.hpp>

#include <algorithm>

#include "base/typed.hpp"
#include "modules/access/api.hpp"
#include "modules/access/grants.hpp"
#include "modules/access/tables.hpp"

namespace jw::access {

namespace json = boost::json;
using cases::Kind;
using cases::Letter;
using cases::Moment;
using cases::State;
using cases::Transition;
using cases::Who;

namespace {

constexpr size_t kGrantsMax = 200;
constexpr size_t kHandoverMax = 1000;  // characters

Refusal incomplete(const std::string& field, Text text, const char* code = "required") {
  return {Code::unprocessable, "access.incomplete", text, {{field, code, text}}};
}

const json::object& content_given(const Moment& moment) {
  static const json::object none;
  const json::value* given = moment.input.if_contains("content");
  return given != nullptr && given->is_object() ? given->get_object() : none;
}

Result<std::string> reason_given(const json::object& content) {
  const json::value* reason = content.if_contains("reason");
  return typed_reason(reason != nullptr && reason->is_string() ? std::string_view(reason->get_string()) : "",
                      "content.reason");
}

// `field`: its path in the request. Each number once.
Result<std::vector<std::string>> numbers_given(const json::value* given, const std::string& field) {
  std::vector<std::string> numbers;
  if (given == nullptr || given->is_null()) return numbers;
  const json::array* array = given->if_array();
  const bool texts =
      array != nullptr && array->size() <= kGrantsMax &&
      std::all_of(array->begin(), array->end(), [](const json::value& each) { return each.is_string(); });
  if (!texts) {
    return incomplete(
        field, {"“授权”应为授权号的数组，至多 200 个", "the grants must be an array of their numbers, 200 at most"},
        "invalid");
  }
  for (const json::value& each : *array) {
    const std::string number(each.get_string());
    if (std::find(numbers.begin(), numbers.end(), number) != numbers.end())
      return incomplete(field, {"授权 " + number + " 写了不止一次", "grant " + number + " is named more than once"},
                        "repeated");
    numbers.push_back(number);
  }
  return numbers;
}

// The grants that a case is about, all of them standing and of those that `mine` takes; `whose` says who that is.
template <class Mine>
Result<std::vector<GrantRow>> grants_given(const Moment& moment, const json::object& content, const Text& whose,
                                           Mine mine) {
  const std::string field = "content.grants";
  JW_TRY(const std::vector<std::string> numbers, numbers_given(content.if_contains("grants"), field));
  if (numbers.empty()) return incomplete(field, {"请选择授权", "choose the grants"});
  std::vector<GrantRow> grants;
  for (const std::string& number : numbers) {
    auto grant = find_grant(moment.connection, number);
    if (!grant || !mine(*grant)) {
      const Text text{whose.zh + "没有授权 " + number, whose.en + " no grant " + number};
      return Refusal{Code::not_found, "access.grant_unknown", text, {{field, "unknown", text}}};
    }
    if (grant->is_over(moment.now)) {
      const Text text{"授权 " + number + " 已经终止", "grant " + number + " is over already"};
      return Refusal{Code::conflict, "access.grant_ended", text, {{field, "over", text}}};
    }
    grants.push_back(std::move(*grant));
  }
  return grants;
}

json::array array_of(const std::vector<std::string>& texts) {
  json::array out;
  for (const std::string& text : texts) out.emplace_back(text);
  return out;
}

std::vector<std::string> numbers_of(const std::vector<GrantRow>& grants) {
  std::vector<std::string> numbers;
  for (const GrantRow& grant : grants) numbers.push_back(grant.number);
  return numbers;
}

std::vector<std::string> grants_of(const cases::Case& file) {
  std::vector<std::string> numbers;
  if (const json::value* given = file.content.if_contains("grants"); given != nullptr && given->is_array()) {
    for (const json::value& each : given->get_array()) numbers.emplace_back(each.as_string());
  }
  return numbers;
}

void end_all(Moment& moment, const std::vector<std::string>& numbers, std::string_view reason) {
  json::array ended;
  for (const std::string& number : numbers) {
    const auto grant = find_grant(moment.connection, number);
    if (!grant || !end_grant(moment.connection, number, reason, moment.now)) continue;
    ended.emplace_back(number);
    if (grant->account != 0) {
      moment.notices.push_back({grant->account,
                                moment.file.number,
                                {"授权 " + number + "（" + grant->title + "）已终止：" + std::string(reason),
                                 "grant " + number + " has ended: " + std::string(reason)}});
    }
  }
  moment.changed["ended"] = ended;
}

void describe_grants(const Moment& moment, JsonWriter& out) {
  out.key("grants").array();
  for (const std::string& number : grants_of(moment.file)) {
    if (const auto grant = find_grant(moment.connection, number)) write_grant(out, *grant);
  }
  out.end_array();
  const json::value* reason = moment.file.content.if_contains("reason");
  out.field("reason", reason != nullptr && reason->is_string() ? std::string(reason->get_string()) : std::string());
}

// ---- §2.5.2 revocation by notice of the department

bool by_office(const Moment& moment) {
  return moment.actor.held(kOffice) != nullptr;
}

Result<Done> revoke(Moment& moment) {
  const json::object& content = content_given(moment);
  const auto mine = [&](const GrantRow& grant) {
    return by_office(moment) ||
           std::any_of(moment.actor.posts.begin(), moment.actor.posts.end(), [&](const cases::Actor::Held& held) {
             return held.post == kHead && cases::find_unit(moment.connection, held.unit).id == grant.holder_unit;
           });
  };
  JW_TRY(const std::vector<GrantRow> grants, grants_given(moment, content, {"本单位", "your unit has"}, mine));
  JW_TRY(const std::string reason, reason_given(content));
  const GrantRow& first = grants.front();
  moment.file.unit = cases::find_unit(moment.connection, grants.back().holder_unit);
  moment.file.content = {{"grants", array_of(numbers_of(grants))}, {"reason", reason}};
  moment.file.title = first.holder_name + "：" + first.title +
                      (grants.size() > 1 ? " 等 " + std::to_string(grants.size()) + " 项" : "");
  end_all(moment, numbers_of(grants), reason);
  return Done{};
}

const State kRevocationStates[] = {{.name = "done",
                                    .label = {"已办结", "done"},
                                    .waits_for = cases::kWaitsNobody,
                                    .closed = true,
                                    .tone = cases::Tone::good}};

// clang-format off
const Transition kRevocations[] = {
    {.from = "", .action = "revoke", .to = "done", .who = Who::holder(kOffice),
     .label = {"撤销", "revoke"}, .seal = kSigns, .when = by_office, .effect = revoke,
     .tone = kBad},
    {.from = "", .action = "revoke", .to = "done", .who = Who::holder(kHead),
     .label = {"撤销", "revoke"}, .seal = kSigns, .effect = revoke,
     .tone = kBad},
};
// clang-format on

// ---- §2.5.1 change of post or duty

Result<std::string> handover_given(const json::object& content) {
  const json::value* given = content.if_contains("handover");
  if (given == nullptr || given->is_null()) return std::string();
  const TypedField field{
      .name = "content.handover", .label = {"工作交接", "the handover"}, .most = kHandoverMax, .lines = true};
  if (given->is_string()) return typed_text(given->get_string(), field);
  const Text text{"“工作交接”应为文字", "the handover must be text"};
  return Refusal{Code::unprocessable, "text.not_accepted", text, {{field.name, "not_text", text}}};
}

// By the person: which grants are affected, and why.
Result<Done> ask_change(Moment& moment) {
  const json::object& content = content_given(moment);
  JW_TRY(const std::vector<GrantRow> grants,
         grants_given(moment, content, {"您", "you have"},
                      [&](const GrantRow& grant) { return grant.person != 0 && grant.person == moment.file.person; }));
  JW_TRY(const std::string reason, reason_given(content));
  JW_TRY(const std::string handover, handover_given(content));
  cases::Case& file = moment.file;
  file.content = {{"grants", array_of(numbers_of(grants))}, {"reason", reason}};
  if (!handover.empty()) file.content["handover"] = handover;
  file.unit = file.sign_unit = cases::find_unit(moment.connection, grants.front().holder_unit);
  file.title = "变更：" + grants.front().title;
  return Done{};
}

// By the clock: the staff record says that the holder no longer belongs where the grant was signed.
Result<Done> report_change(Moment& moment) {
  cases::Case& file = moment.file;
  const json::object& content = content_given(moment);
  file.account = content.at("account").as_int64();
  file.person = content.at("person").as_int64();
  file.applicant = std::string(content.at("applicant").as_string());
  file.applicant_name = std::string(content.at("applicant_name").as_string());
  file.unit = file.sign_unit = cases::find_unit(moment.connection, content.at("unit").as_int64());
  file.content = {{"grants", content.at("grants")}, {"reason", content.at("reason")}};
  file.title = "岗位变动：" + file.applicant_name;
  moment.changed = {{"suspended", content.at("grants")}};
  moment.notices.push_back({file.account,
                            file.number,
                            {"您的岗位或单位有变动，原授权已暂停，请办理权限变更",
                             "your post or unit has changed: the grants are suspended until this is settled"}});
  return Done{};
}

Result<Done> end_listed(Moment& moment) {
  end_all(moment, grants_of(moment.file), "岗位或职责变动");
  return Done{};
}

// Where the holder belongs now, by the posts held; without id: nowhere any more.
cases::Unit unit_now(const Moment& moment) {
  policy::Asker holder;
  holder.account = moment.file.account;
  holder.person = moment.file.person;
  std::string code;
  {
    const db::Store::Lease reader = moment.on.store.reader();
    const policy::AuthorityPtr authority = moment.on.policy.authority(*reader, holder, moment.now);
    for (const policy::HeldPost& held : authority->posts()) {
      const std::string& post = authority->rules().regulation().posts[static_cast<size_t>(held.post)].name;
      if ((post == "staff" || post == "student" || post == "graduate") && !held.units.empty())
        code = held.units.front();
    }
  }
  return code.empty() ? cases::Unit{} : cases::find_unit(moment.connection, code);
}

// Kept: what was suspended goes on, bound to the unit where the holder is now. Who has left keeps nothing.
Result<Done> keep_listed(Moment& moment) {
  const cases::Unit unit = unit_now(moment);
  if (unit.id == 0) {
    return Refusal{Code::conflict,
                   "access.left",
                   {"被授权人已不在本校任职或在籍，授权只能终止",
                    "the holder neither works nor studies here any more: the grants can only be ended"}};
  }
  json::array kept;
  for (const std::string& number : grants_of(moment.file)) {
    moment.connection.execute(
        "UPDATE access_grant SET unit = $2, holder_unit = $3 WHERE number = $1 AND account IS NOT NULL AND revoked IS "
        "NULL",
        {number, unit.code, unit.id});
    resume_grant(moment.connection, number);
    kept.emplace_back(number);
  }
  moment.connection.execute("UPDATE gate SET epoch = epoch + 1 WHERE id = 1");
  moment.changed["kept"] = kept;
  moment.changed["unit"] = unit.code;
  return Done{};
}

std::optional<Letter> change_reply(const Moment& moment) {
  Letter letter;
  letter.title = "关于查询权限变更的答复";
  letter.addressee = moment.file.applicant_name + "：";
  const bool kept = moment.changed.contains("kept");
  std::string numbers;
  for (const std::string& number : grants_of(moment.file)) numbers += (numbers.empty() ? "" : "、") + number;
  letter.paragraphs = {"因岗位或职责变动，对授权 " + numbers + " 作了核定（编号 " + moment.file.number + "）：" +
                       (kept ? "予以保留，按原期限继续有效。" : "予以终止，自即日起不再有效。")};
  letter.from = "教务处";
  return letter;
}

constexpr Who kSigner = Who::holder(kHead, Who::Of::sign_unit), kDecider = Who::holder(kOffice),
              kApplicant = Who::applicant();

const State kChangeStates[] = {
    {.name = "signing",
     .label = {"待部门负责人签字", "waiting for the signature of the head"},
     .waits_for = kWaitsHead,
     .due_setting = "sign_days",
     .escalates_to = kDecider},
    {.name = "deciding",
     .label = {"待教务处审批", "waiting for the decision of the office"},
     .waits_for = kWaitsOffice,
     .due_setting = "decision_days",
     .escalates_to = Who::holder_in(kHead, kOfficeUnit)},
    {.name = "done",
     .label = {"已办结", "done"},
     .waits_for = cases::kWaitsNobody,
     .closed = true,
     .tone = cases::Tone::good},
};

// clang-format off
const Transition kChanges[] = {
    {.from = "", .action = "submit", .to = "signing", .who = kApplicant,
     .label = {"签字并提交", "sign and submit"}, .seal = kSigns, .effect = ask_change,
     .tone = kGood},
    {.from = "", .action = "report", .to = "signing", .who = Who::clock(),
     .label = {"岗位变动，暂停授权", "post changed: grants suspended"}, .effect = report_change},
    {.from = "signing", .action = "sign", .to = "deciding", .who = kSigner,
     .label = {"仍需使用，签字上报", "still needed: sign"}, .opinion = kMust, .seal = kApproves,
     .tone = kGood},
    {.from = "signing", .action = "end", .to = "done", .who = kSigner,
     .label = {"不再需要，终止", "no longer needed: end"}, .opinion = kMay, .seal = kSigns, .effect = end_listed, .letter = change_reply,
     .tone = kBad},
    {.from = "signing", .action = "give_up", .to = "done", .who = kApplicant,
     .label = {"本人不再需要", "I need them no more"}, .opinion = kMay, .effect = end_listed,
     .tone = kBad, .once = true},
    {.from = "deciding", .action = "keep", .to = "done", .who = kDecider,
     .label = {"保留", "keep"}, .opinion = kMay, .seal = kApproves, .effect = keep_listed, .letter = change_reply,
     .tone = kGood},
    {.from = "deciding", .action = "end", .to = "done", .who = kDecider,
     .label = {"终止", "end"}, .opinion = kMay, .seal = kSigns, .effect = end_listed, .letter = change_reply,
     .tone = kBad},
    {.from = "deciding", .action = "give_up", .to = "done", .who = kApplicant,
     .label = {"本人不再需要", "I need them no more"}, .opinion = kMay, .effect = end_listed,
     .tone = kBad, .once = true},
};
// clang-format on

// ---- §2.5.2 each term: heads confirm or end every standing grant of their people, silence ends it

Result<Done> open_confirmation(Moment& moment) {
  cases::Case& file = moment.file;
  const json::object& content = content_given(moment);
  file.applicant = "system";
  file.applicant_name = "教务系统";
  file.unit = file.sign_unit = cases::find_unit(moment.connection, content.at("unit").as_int64());
  file.content = {{"grants", content.at("grants")}, {"term", content.at("term")}};
  file.title = std::string(content.at("term").as_string()) + " 学期授权确认";
  return Done{};
}

// Whose grant it is does not say that it is still needed; whoever stands in for them neither.
bool is_own(const Moment& moment, const GrantRow& grant) {
  const int64_t person = moment.actor.asker.person;
  return std::any_of(moment.actor.posts.begin(), moment.actor.posts.end(), [&](const cases::Actor::Held& held) {
    if (grant.post.empty()) return grant.person == person || grant.person == held.for_person;
    return held.post == grant.post && (grant.unit.empty() || held.unit == grant.unit);
  });
}

Result<Done> confirm(Moment& moment) {
  JW_TRY(const std::vector<std::string> keep, numbers_given(moment.input.if_contains("keep"), "keep"));
  for (const std::string& number : keep) {
    const auto grant = find_grant(moment.connection, number);
    if (grant && is_own(moment, *grant)) {
      return Refusal{Code::forbidden,
                     "access.own_grant",
                     {"授权 " + number + " 是您本人（或您所代理的人）的，不能由您确认保留",
                      "grant " + number + " is yours (or that of whom you stand in for): you cannot confirm it"},
                     {{"keep", "own", {"不能确认本人的授权", "not the own grant"}}}};
    }
  }
  JW_TRY(const std::vector<std::string> end, numbers_given(moment.input.if_contains("end"), "end"));
  std::vector<std::string> asked = grants_of(moment.file), said = keep;
  said.insert(said.end(), end.begin(), end.end());
  std::sort(asked.begin(), asked.end());
  std::sort(said.begin(), said.end());
  std::erase_if(asked, [&](const std::string& number) {
    const auto grant = find_grant(moment.connection, number);
    return (!grant || grant->is_over(moment.now)) && !std::binary_search(said.begin(), said.end(), number);
  });
  if (said != asked) {
    return incomplete(
        "keep", {"请对每一项授权选择保留或终止，且各选一次", "say of each grant once whether it is kept or ended"});
  }
  for (const std::string& number : keep) {
    moment.connection.execute("UPDATE access_grant SET confirmed = $2 WHERE number = $1", {number, moment.now.us});
  }
  moment.changed["kept"] = array_of(keep);
  end_all(moment, end, "部门确认不再需要");
  return Done{};
}

Result<Done> lapse(Moment& moment) {
  end_all(moment, grants_of(moment.file), "定期确认期满，部门未确认");
  return Done{};
}

const State kConfirmationStates[] = {
    {.name = "confirming",
     .label = {"待部门确认", "waiting for confirmation"},
     .waits_for = kWaitsHead,
     .due_setting = "confirmation_days",
     .at_due = "lapse"},
    {.name = "done",
     .label = {"已办结", "done"},
     .waits_for = cases::kWaitsNobody,
     .closed = true,
     .tone = cases::Tone::good},
};

constexpr std::string_view kConfirming[] = {"keep", "end"};

// clang-format off
const Transition kConfirmations[] = {
    {.from = "", .action = "open", .to = "confirming", .who = Who::clock(),
     .label = {"发起定期确认", "campaign opened"}, .effect = open_confirmation},
    {.from = "confirming", .action = "confirm", .to = "done", .who = kSigner,
     .label = {"确认", "confirm"}, .opinion = kMay, .seal = kSigns, .effect = confirm,
     .tone = kGood, .takes = kConfirming},
    {.from = "confirming", .action = "lapse", .to = "done", .who = Who::clock(),
     .label = {"期满未确认，授权终止", "not confirmed in time: ended"}, .effect = lapse},
};
// clang-format on

const cases::Field kFields[] = {
    {"grants", {"授权", "grants"}, catalog::Level::internal},
    {"term", {"学期", "term"}, catalog::Level::internal},
    {"handover", {"工作交接", "handover"}, catalog::Level::sensitive},
    {"reason", {"理由", "reason"}, catalog::Level::sensitive},
};

bool has_other_head(const cases::Services& on, const std::string& unit, const Concern& concern, Instant now) {
  if (concern.post == kHead && concern.unit == unit) return false;
  const db::Store::Lease reader = on.store.reader();
  for (const policy::Asker& head : on.policy.rules()->holders(*reader, kHead, unit, now)) {
    if (head.person != concern.person) return true;
  }
  return false;
}

}  // namespace

cases::Unit signing_unit(const cases::Services& on, db::Connection& connection, std::string unit,
                         const Concern& concern, Instant now) {
  for (int hops = 0; hops < 8 && !unit.empty(); ++hops) {
    if (has_other_head(on, unit, concern, now)) return cases::find_unit(connection, unit);
    db::Rows rows =
        connection.query("SELECT p.code FROM \"unit\" u JOIN \"unit\" p ON p.id = u.parent WHERE u.code = $1", {unit});
    unit = rows.next() ? std::string(rows.text(0)) : std::string();
  }
  return cases::find_unit(connection, kOfficeUnit);
}

const cases::Waits kWaitsHead{"head", {"部门负责人", "head of the department"}};
const cases::Waits kWaitsOwner{"owner_head", {"数据归属单位负责人", "head of the owner unit"}};
const cases::Waits kWaitsOffice{"office", {"教务处", "academic affairs office"}};

const Kind kChange{.name = "change",
                   .label = {"查询权限变更", "change of access"},
                   .clause = "2.5.1",
                   .states = kChangeStates,
                   .transitions = kChanges,
                   .fields = kFields,
                   .letter_series = kLetterSeries,
                   .describe = describe_grants};
const Kind kRevocation{.name = "revocation",
                       .label = {"查询权限撤销", "revocation of access"},
                       .clause = "2.5.2",
                       .states = kRevocationStates,
                       .transitions = kRevocations,
                       .fields = kFields,
                       .describe = describe_grants};
const Kind kConfirmation{.name = "confirmation",
                         .label = {"授权定期确认", "confirmation of grants"},
                         .clause = "2.5.2",
                         .states = kConfirmationStates,
                         .transitions = kConfirmations,
                         .fields = kFields,
                         .describe = describe_grants};

}  // namespace jw::access
