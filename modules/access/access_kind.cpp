// 《教务系统查询权限申请表》 as a case (§2.4.1–§2.4.3): the applicant submits, the head of the department signs, the
// unit that owns the data consents where that is not the office itself, the office decides within its working days, a
// second decider where sensitive or important data are asked for. Approval makes the grant, refusal says why.
#include <boost/json.hpp>

#include "modules/access/api.hpp"
#include "modules/access/grants.hpp"
#include "modules/access/tables.hpp"

namespace jw::access {

namespace json = boost::json;
using cases::Form;
using cases::Kind;
using cases::Letter;
using cases::Moment;
using cases::State;
using cases::Transition;
using cases::Who;

namespace {

constexpr size_t kContentMax = 64 * 1024;
constexpr int64_t kDraftsMax = 20;

// ---- the applicant

Result<Done> take_content(Moment& moment) {
  const json::value* given = moment.input.if_contains("content");
  if (given == nullptr || given->is_null()) return Done{};
  if (!given->is_object() || json::serialize(*given).size() > kContentMax) {
    return Refusal{Code::unprocessable,
                   "access.content",
                   {"申请内容应是表单对象，且不过大", "the content must be the form as an object, not too large"},
                   {{"content", "type", {"应是表单对象", "must be the form as an object"}}}};
  }
  json::object content = given->get_object();
  for (const char* own : {"granted", "undertaking", "level", "renews"}) content.erase(own);
  const Reading reading = read(moment.on, content, moment.now.date());
  moment.file.content = std::move(content);
  moment.file.title = title_of(moment.on, reading.application).zh;
  return Done{};
}

// A script that opens drafts all day fills nothing but its own list.
Result<Done> check_drafts(const Moment& moment) {
  db::Rows rows = moment.connection.query("SELECT COUNT(*) FROM \"case\" WHERE person_id = $1 AND state = 'draft'",
                                          {moment.file.person});
  rows.next();
  if (rows.integer(0) < kDraftsMax) return Done{};
  return Refusal{Code::too_many,
                 "access.too_many_drafts",
                 {"草稿已有 20 份，请先提交或作废一些", "there are 20 drafts already: submit or discard some first"}};
}

Result<Done> save(Moment& moment) {
  if (moment.file.steps.empty()) JW_CHECK(check_drafts(moment));
  JW_CHECK(take_content(moment));
  if (moment.file.title.empty()) moment.file.title = "（未填写）";
  return Done{};
}

// What was never handed in is nobody's to read (§2.4.1).
Result<Done> forget(Moment& moment) {
  moment.file.content = {};
  moment.file.title = "（草稿已作废）";
  return Done{};
}

// The unit of the applicant: that of the post the grant is for, else where one works or studies.
std::string unit_of(const Moment& moment, const Application& asked) {
  if (!asked.holder.post.empty()) return asked.holder.unit;
  for (const std::string_view post : {"staff", "student", "graduate"}) {
    const cases::Actor::Held* held = moment.actor.held(post);
    if (held != nullptr && !held->unit.empty()) return held->unit;
  }
  for (const cases::Actor::Held& held : moment.actor.posts) {
    if (held.for_person == 0 && !held.unit.empty()) return held.unit;
  }
  return {};
}

// To the three administrators nothing opens academic data, so nothing is asked for and nothing granted (§4.3.2).
Result<Done> check_not_apart(const Moment& moment) {
  const db::Store::Lease reader = moment.on.store.reader();
  const auto rules = moment.on.policy.rules();
  if (!rules->is_apart(rules->posts_of(*reader, moment.file.person, 0, moment.now))) return Done{};
  return Refusal{Code::forbidden,
                 "access.administrator",
                 {"系统、安全、审计管理员不查询教学数据，不能申请（§4.3.2）",
                  "the system, security and audit administrators query no academic data, so none is granted (§4.3.2)"}};
}

// Of a grant to a post, whoever holds that post.
bool favours(const Moment& moment) {
  const Holder holder = read(moment.on, content_of(moment.file), Date{0}).application.holder;
  if (holder.post.empty()) return false;
  return std::any_of(moment.actor.posts.begin(), moment.actor.posts.end(), [&](const cases::Actor::Held& held) {
    return held.post == holder.post && (holder.unit.empty() || held.unit == holder.unit);
  });
}

// The form as it stands goes to the head of the department.
Result<Done> hand_in(Moment& moment) {
  cases::Case& file = moment.file;
  JW_CHECK(check_not_apart(moment));
  for (const char* own : {"granted", "undertaking", "level"}) file.content.erase(own);  // of an earlier round
  Reading reading = read(moment.on, file.content, moment.now.date());
  const Application& asked = reading.application;
  if (!asked.holder.post.empty()) {
    const cases::Actor::Held* held = moment.actor.held(asked.holder.post);
    if (held == nullptr || held->unit != asked.holder.unit || !can_be_holder(*held)) {
      reading.problems.push_back(
          {"content.holder", "not_held", {"只能为本人现任的岗位申请", "only for a post that one holds oneself"}});
    }
  }
  if (!reading.problems.empty()) {
    return Refusal{Code::unprocessable,
                   "access.incomplete",
                   {"申请表还没有填好", "the form is not complete"},
                   std::move(reading.problems)};
  }
  if (asked.is_strict()) {
    const json::value* undertaking = moment.input.if_contains("undertaking");
    if (undertaking == nullptr || !undertaking->is_int64() || undertaking->get_int64() != kUndertakingVersion) {
      return Refusal{Code::unprocessable,
                     "access.undertaking",
                     {"申请敏感或重要数据须签署现行版本的保密承诺（§2.4.3）",
                      "sensitive or important data need the undertaking of confidentiality in its current version "
                      "(§2.4.3)"},
                     {{"undertaking", "required", {"请阅读并同意保密承诺", "read and accept the undertaking"}}}};
    }
    file.content["undertaking"] = kUndertakingVersion;
  }
  file.content["level"] = static_cast<int64_t>(asked.level());
  file.unit = cases::find_unit(moment.connection, unit_of(moment, asked));
  if (file.unit.id == 0) {
    return Refusal{Code::conflict,
                   "access.no_unit",
                   {"查不到您所在的单位，无法确定由谁审核签字，请先请人事或学籍部门补全",
                    "your unit is not known, so nobody can sign: have it entered first"}};
  }
  file.sign_unit = signing_unit(moment.on, moment.connection, file.unit.code, {file.person, {}, {}}, moment.now);
  file.owner_unit = cases::find_unit(moment.connection, asked.dataset->owner_unit);
  moment.changed = {{"content", file.content}};
  return Done{};
}

Result<Done> submit(Moment& moment) {
  JW_CHECK(take_content(moment));
  return hand_in(moment);
}

// ---- signature, consent, decision

bool needs_consent(const Moment& moment) {
  const cases::Case& file = moment.file;
  return file.owner_unit.id != 0 && file.owner_unit.code != kOfficeUnit && file.owner_unit.id != file.sign_unit.id;
}

bool needs_no_consent(const Moment& moment) {
  return !needs_consent(moment);
}

// As what was handed in is read now: the catalogue may have raised a level since.
bool is_strict(const Moment& moment) {
  json::object asked = moment.file.content;
  for (const char* own : {"granted", "undertaking", "level", "renews"}) asked.erase(own);
  const Application application = read(moment.on, asked, Date{0}).application;
  return application.dataset == nullptr || application.is_strict() || application.minors;
}

bool is_plain(const Moment& moment) {
  return !is_strict(moment);
}

// The decider may narrow; data of minors are opened only when that is said for itself (§2.4.3).
Result<Done> propose(Moment& moment) {
  cases::Case& file = moment.file;
  JW_CHECK(check_not_apart(moment));
  const json::value* granted = moment.input.if_contains("granted");
  json::object smaller = content_of(file);
  if (granted != nullptr && granted->is_object()) {
    JW_TRY(smaller, narrow(moment.on, smaller, granted->get_object(), moment.now.date()));
    file.content["granted"] = smaller;
    moment.changed["granted"] = smaller;
  } else if (granted != nullptr && !granted->is_null()) {
    return Refusal{Code::unprocessable,
                   "access.content",
                   {"granted 应是对象", "granted must be an object"},
                   {{"granted", "type", {"应是对象", "must be an object"}}}};
  }
  const json::value* minors = smaller.if_contains("minors");
  if (minors != nullptr && minors->is_bool() && minors->get_bool()) {
    const json::value* said = moment.input.if_contains("minors_approved");
    if (said == nullptr || !said->is_bool() || !said->get_bool()) {
      return Refusal{
          Code::unprocessable,
          "access.minors",
          {"此件包含未成年学生的数据，须单独确认批准（《未成年人网络保护条例》第三十六条），或去掉未成年学生",
           "this includes data of minors: approve that expressly, or leave them out"},
          {{"minors_approved", "required", {"请单独确认", "to be confirmed by itself"}}}};
    }
    moment.changed["minors_approved"] = true;
  }
  JW_CHECK(grant_from(moment.on, file, smaller, moment.now));
  return Done{};
}

Result<Done> grant(Moment& moment) {
  JW_CHECK(propose(moment));
  JW_TRY(const policy::Grant made, grant_from(moment.on, moment.file, content_of(moment.file), moment.now));
  const auto rules = moment.on.policy.rules();
  JW_CHECK(policy::put_grant(moment.on.catalogue, rules->regulation(), moment.connection, made, moment.now));
  moment.changed["grant"] = made.number;
  moment.changed["from"] = made.from.print();
  moment.changed["until"] = made.until.print();
  return Done{};
}

// ---- replies

std::string addressee(const cases::Case& file) {
  return file.unit.name + "　" + file.applicant_name + "：";
}

std::optional<Letter> approval(const Moment& moment) {
  const Application asked = read(moment.on, content_of(moment.file), Date{0}).application;
  Letter letter;
  letter.title = "关于查询权限申请的批复";
  letter.addressee = addressee(moment.file);
  letter.paragraphs = {
      "你于 " + moment.file.opened.date().print() + " 提出的《教务系统查询权限申请表》（编号 " + moment.file.number +
          "）收悉。经审核，同意授予下列查询权限，授权号为 " + moment.file.number + "。",
      "所查询的数据只能用于写明的目的，不得转让、出借，不得提供给校外或无权人员。期限届满，权限自行终止；"
      "岗位或职责变动的，应及时填写变更申请。每次查询均有记录。",
  };
  letter.table = lines_of(moment.on, asked);
  letter.from = "教务处";
  return letter;
}

std::optional<Letter> refusal(const Moment& moment) {
  Letter letter;
  letter.title = "关于查询权限申请的答复";
  letter.addressee = addressee(moment.file);
  const cases::Step& taken = moment.file.steps.back();  // just now
  letter.paragraphs = {
      "你于 " + moment.file.opened.date().print() + " 提出的《教务系统查询权限申请表》（编号 " + moment.file.number +
          "，" + moment.file.title + "）收悉。经研究，不予批准。",
      "理由：" + taken.opinion,
      "对答复有疑问的，可向教务处询问；情况变化后可重新申请。",
  };
  letter.from = taken.from == "consenting" ? moment.file.owner_unit.name
                : taken.from == "signing"  ? moment.file.sign_unit.name
                                           : std::string("教务处");
  return letter;
}

Form form(const Moment& moment) {
  const cases::Case& file = moment.file;
  const Application asked = read(moment.on, content_of(file), Date{0}).application;
  Form out;
  out.title = "教务系统查询权限申请表";
  out.rows.push_back({{"编号", file.number}, {"申请日期", file.opened.date().print()}});
  out.rows.push_back({{"申请人", file.applicant_name}, {"账号", file.applicant}});
  out.rows.push_back({{"所在单位", file.unit.name}, {"数据归属单位", file.owner_unit.name}});
  for (auto& [label, value] : lines_of(moment.on, asked)) out.rows.push_back({{label, value}});
  out.rows.push_back({{"用途说明", asked.reason}});
  if (!asked.justification.empty()) out.rows.push_back({{"明文理由", asked.justification}});
  if (asked.is_strict()) out.rows.push_back({{"保密承诺", kUndertaking.zh}});
  const auto opinion = [&](const std::string& label, std::initializer_list<std::string_view> actions,
                           std::string_view state) {
    std::string text;
    for (const cases::Step& step : file.steps) {
      if (step.from != state || std::find(actions.begin(), actions.end(), step.action) == actions.end()) continue;
      std::string verdict = step.action == "sign" ? "同意上报" : step.action == "consent" ? "同意" : "";
      if (step.action == "approve") verdict = "批准";
      if (step.action == "refuse" || step.action == "decline") verdict = "不同意";
      std::string said = verdict;
      if (!step.opinion.empty()) said += (said.empty() ? "" : "。") + step.opinion;
      std::string when = step.at.print().substr(0, 16);
      when[10] = ' ';
      text += (text.empty() ? "" : "\n") + said + (said.empty() ? "" : "\n") + "签字：" + step.name +
              (step.for_name.empty() ? "" : "（代 " + step.for_name + "）") + "　" + when;
    }
    out.rows.push_back({{label, text}});
  };
  opinion("申请人签字", {"submit"}, "draft");
  opinion("部门负责人意见", {"sign", "decline"}, "signing");
  opinion("数据归属单位意见", {"consent", "decline"}, "consenting");
  opinion("教务处意见", {"approve", "refuse"}, "deciding");
  opinion("第二审批人意见", {"approve", "refuse"}, "seconding");
  return out;
}

void describe(const Moment& moment, JsonWriter& out) {
  const cases::Case& file = moment.file;
  json::object asked = file.content;
  for (const char* own : {"granted", "undertaking", "level", "renews"}) asked.erase(own);
  const bool open = file.state == "draft" || file.state == "returned";
  write_words(moment.on, read(moment.on, asked, open ? moment.now.date() : Date{0}), out);
  if (const json::value* granted = file.content.if_contains("granted"); granted != nullptr && granted->is_object()) {
    out.key("granted").object();
    write_words(moment.on, read(moment.on, granted->get_object(), Date{0}), out);
    out.end_object();
  }
  if (const auto grant_row = find_grant(moment.connection, file.number)) {
    out.key("grant");
    write_grant(out, *grant_row);
  }
}

// ---- renewal: the same once more, in short

// The old application with a new period and reason. It begins when the old grant ends, so that there is no gap.
Result<Done> renew(Moment& moment) {
  const auto missing = [](const char* field, Text text) {
    return Refusal{
        Code::unprocessable, "access.incomplete", text, {{std::string("content.") + field, "required", text}}};
  };
  const json::value* given = moment.input.if_contains("content");
  const json::object none;
  const json::object& asked = given != nullptr && given->is_object() ? given->get_object() : none;
  const json::value* number = asked.if_contains("grant");
  if (number == nullptr || !number->is_string())
    return missing("grant", {"请选择要续期的授权", "which grant is to be renewed?"});
  cases::Case& file = moment.file;
  const auto old = find_grant(moment.connection, std::string_view(number->get_string()));
  const bool mine = old && (old->person != 0 ? old->person == file.person : moment.actor.held(old->post) != nullptr);
  if (!mine) {
    const Text text{"您没有这项授权", "you have no such grant"};
    return Refusal{Code::not_found, "access.grant_unknown", text, {{"content.grant", "unknown", text}}};
  }
  if (old->revoked || old->suspended) {
    const Text text{"授权已撤销或暂停，不能续期，请重新申请", "the grant was revoked or suspended: apply anew"};
    return Refusal{Code::conflict, "access.grant_ended", text, {{"content.grant", "over", text}}};
  }
  const auto before = moment.on.find(moment.connection, old->number);
  if (!before) {
    return Refusal{
        Code::conflict,
        "access.not_renewable",
        {"这项授权不是经申请取得的，请填写新的申请", "this grant was not applied for: make a new application"}};
  }
  json::object content = content_of(*before);
  content["from"] = std::max(old->until.date(), moment.now.date()).print();
  for (const char* key : {"until", "reason"}) {
    if (const json::value* value = asked.if_contains(key)) content[key] = *value;
  }
  content.erase("renews");
  moment.file.content = content;
  moment.file.title = title_of(moment.on, read(moment.on, content, Date{0}).application).zh + "（续期）";
  JW_CHECK(hand_in(moment));
  moment.file.content["renews"] = old->number;
  return Done{};
}

// ---- the table
// ----------------------------------------------------------------------------------------------------

constexpr Who kApplicant = Who::applicant(), kSigner = Who::holder(kHead, Who::Of::sign_unit),
              kOwner = Who::holder(kHead, Who::Of::owner_unit), kDecider = Who::holder(kOffice);

const State kStates[] = {
    {.name = "draft", .label = {"草稿", "draft"}, .waits_for = cases::kWaitsApplicant},
    {.name = "returned",
     .label = {"退回修改", "returned for amendment"},
     .waits_for = cases::kWaitsApplicant,
     .tone = cases::Tone::back},
    {.name = "signing",
     .label = {"待部门负责人签字", "waiting for the signature of the head"},
     .waits_for = kWaitsHead,
     .due_setting = "sign_days",
     .escalates_to = kDecider},
    {.name = "consenting",
     .label = {"待数据归属单位同意", "waiting for the consent of the owner unit"},
     .waits_for = kWaitsOwner,
     .due_setting = "sign_days",
     .escalates_to = kDecider},
    {.name = "deciding",
     .label = {"待教务处审批", "waiting for the decision of the office"},
     .waits_for = kWaitsOffice,
     .due_setting = "decision_days",
     .escalates_to = Who::holder_in(kHead, kOfficeUnit)},
    {.name = "seconding",
     .label = {"待第二人复核", "waiting for the second decider"},
     .waits_for = kWaitsOffice,
     .keeps_clock = true,
     .escalates_to = Who::holder_in(kHead, kOfficeUnit)},
    {.name = "granted",
     .label = {"已批准", "granted"},
     .waits_for = cases::kWaitsNobody,
     .closed = true,
     .tone = cases::Tone::good},
    {.name = "refused",
     .label = {"未批准", "refused"},
     .waits_for = cases::kWaitsNobody,
     .closed = true,
     .tone = cases::Tone::bad},
    {.name = "withdrawn", .label = {"已撤回", "withdrawn"}, .waits_for = cases::kWaitsNobody, .closed = true},
};

const Text kSave{"保存草稿", "save the draft"}, kSubmit{"签字并提交", "sign and submit"}, kDiscard{"作废", "discard"},
    kWithdraw{"撤回申请", "withdraw"}, kSign{"审核同意并签字", "agree and sign"}, kSendBack{"退回修改", "send back"},
    kDecline{"不同意", "decline"}, kConsent{"同意提供", "consent"}, kApprove{"批准", "approve"},
    kRefuse{"不批准", "refuse"}, kSecond{"同意批准，送第二人复核", "approve, on to the second decider"};

// Whoever decides may narrow what is asked for, and says by itself that minors are among the rows.
constexpr std::string_view kNarrowing[] = {"granted", "minors_approved"};

// clang-format off
const Transition kTransitions[] = {
    {.from = "", .action = "draft", .to = "draft", .who = kApplicant, .label = kSave, .effect = save},
    {.from = "draft", .action = "save", .to = "draft", .who = kApplicant, .label = kSave, .effect = save,
     .in_form = true},
    {.from = "returned", .action = "save", .to = "returned", .who = kApplicant, .label = kSave, .effect = save,
     .in_form = true},
    {.from = "draft", .action = "submit", .to = "signing", .who = kApplicant,
     .label = kSubmit, .seal = kSigns, .effect = submit,
     .tone = kGood, .in_form = true},
    {.from = "returned", .action = "submit", .to = "signing", .who = kApplicant,
     .label = kSubmit, .opinion = kMay, .seal = kSigns, .effect = submit,
     .tone = kGood, .in_form = true},
    {.from = "draft", .action = "discard", .to = "withdrawn", .who = kApplicant, .label = kDiscard,
     .effect = forget, .tone = kBad, .once = true},
    {.from = "returned", .action = "discard", .to = "withdrawn", .who = kApplicant, .label = kDiscard,
     .tone = kBad, .once = true},
    {.from = "signing", .action = "sign", .to = "consenting", .who = kSigner,
     .label = kSign, .opinion = kMay, .seal = kApproves, .when = needs_consent,
     .tone = kGood},
    {.from = "signing", .action = "sign", .to = "deciding", .who = kSigner,
     .label = kSign, .opinion = kMay, .seal = kApproves, .when = needs_no_consent,
     .tone = kGood},
    {.from = "signing", .action = "send_back", .to = "returned", .who = kSigner,
     .label = kSendBack, .opinion = kMust,
     .tone = kBack},
    {.from = "signing", .action = "decline", .to = "refused", .who = kSigner,
     .label = kDecline, .opinion = kMust, .seal = kSigns, .letter = refusal,
     .tone = kBad},
    {.from = "signing", .action = "withdraw", .to = "withdrawn", .who = kApplicant,
     .label = kWithdraw, .opinion = kMay,
     .tone = kBad, .once = true},
    {.from = "consenting", .action = "consent", .to = "deciding", .who = kOwner,
     .label = kConsent, .opinion = kMay, .seal = kApproves,
     .tone = kGood},
    {.from = "consenting", .action = "send_back", .to = "returned", .who = kOwner,
     .label = kSendBack, .opinion = kMust,
     .tone = kBack},
    {.from = "consenting", .action = "decline", .to = "refused", .who = kOwner,
     .label = kDecline, .opinion = kMust, .seal = kSigns, .letter = refusal,
     .tone = kBad},
    {.from = "consenting", .action = "withdraw", .to = "withdrawn", .who = kApplicant,
     .label = kWithdraw, .opinion = kMay,
     .tone = kBad, .once = true},
    {.from = "deciding", .action = "approve", .to = "granted", .who = kDecider,
     .label = kApprove, .opinion = kMay, .seal = kApproves, .when = is_plain, .effect = grant, .letter = approval,
     .tone = kGood, .takes = kNarrowing},
    {.from = "deciding", .action = "approve", .to = "seconding", .who = kDecider,
     .label = kSecond, .opinion = kMay, .seal = kApproves, .when = is_strict, .effect = propose,
     .tone = kGood, .takes = kNarrowing},
    {.from = "deciding", .action = "send_back", .to = "returned", .who = kDecider,
     .label = kSendBack, .opinion = kMust,
     .tone = kBack},
    {.from = "deciding", .action = "refuse", .to = "refused", .who = kDecider,
     .label = kRefuse, .opinion = kMust, .seal = kSigns, .letter = refusal,
     .tone = kBad},
    {.from = "deciding", .action = "withdraw", .to = "withdrawn", .who = kApplicant,
     .label = kWithdraw, .opinion = kMay,
     .tone = kBad, .once = true},
    {.from = "seconding", .action = "approve", .to = "granted", .who = kDecider,
     .label = kApprove, .opinion = kMay, .seal = kApproves, .effect = grant, .letter = approval,
     .tone = kGood, .takes = kNarrowing},
    {.from = "seconding", .action = "send_back", .to = "returned", .who = kDecider,
     .label = kSendBack, .opinion = kMust,
     .tone = kBack},
    {.from = "seconding", .action = "refuse", .to = "refused", .who = kDecider,
     .label = kRefuse, .opinion = kMust, .seal = kSigns, .letter = refusal,
     .tone = kBad},
    {.from = "seconding", .action = "withdraw", .to = "withdrawn", .who = kApplicant,
     .label = kWithdraw, .opinion = kMay,
     .tone = kBad, .once = true},
};

const Transition kRenewals[] = {
    {.from = "", .action = "submit", .to = "signing", .who = kApplicant,
     .label = kSubmit, .seal = kSigns, .effect = renew,
     .tone = kGood},
    {.from = "signing", .action = "sign", .to = "deciding", .who = kSigner,
     .label = kSign, .opinion = kMay, .seal = kApproves,
     .tone = kGood},
    {.from = "signing", .action = "decline", .to = "refused", .who = kSigner,
     .label = kDecline, .opinion = kMust, .seal = kSigns, .letter = refusal,
     .tone = kBad},
    {.from = "signing", .action = "withdraw", .to = "withdrawn", .who = kApplicant,
     .label = kWithdraw, .opinion = kMay,
     .tone = kBad, .once = true},
    {.from = "deciding", .action = "approve", .to = "granted", .who = kDecider,
     .label = kApprove, .opinion = kMay, .seal = kApproves, .when = is_plain, .effect = grant, .letter = approval,
     .tone = kGood, .takes = kNarrowing},
    {.from = "deciding", .action = "approve", .to = "seconding", .who = kDecider,
     .label = kSecond, .opinion = kMay, .seal = kApproves, .when = is_strict, .effect = propose,
     .tone = kGood, .takes = kNarrowing},
    {.from = "deciding", .action = "refuse", .to = "refused", .who = kDecider,
     .label = kRefuse, .opinion = kMust, .seal = kSigns, .letter = refusal,
     .tone = kBad},
    {.from = "deciding", .action = "withdraw", .to = "withdrawn", .who = kApplicant,
     .label = kWithdraw, .opinion = kMay,
     .tone = kBad, .once = true},
    {.from = "seconding", .action = "approve", .to = "granted", .who = kDecider,
     .label = kApprove, .opinion = kMay, .seal = kApproves, .effect = grant, .letter = approval,
     .tone = kGood, .takes = kNarrowing},
    {.from = "seconding", .action = "refuse", .to = "refused", .who = kDecider,
     .label = kRefuse, .opinion = kMust, .seal = kSigns, .letter = refusal,
     .tone = kBad},
    {.from = "seconding", .action = "withdraw", .to = "withdrawn", .who = kApplicant,
     .label = kWithdraw, .opinion = kMay,
     .tone = kBad, .once = true},
};
// clang-format on

// What an application says, in the order of its form. Reasons may tell of people, so they are sensitive.
constexpr catalog::Level kInternal = catalog::Level::internal, kSensitive = catalog::Level::sensitive;
const cases::Field kFields[] = {
    {"renews", {"续期的授权", "grant renewed"}, kInternal},
    {"dataset", {"数据", "data"}, kInternal},
    {"rows", {"范围", "rows"}, kInternal},
    {"where", {"条件", "condition"}, kInternal},
    {"clear", {"明文字段", "fields in clear"}, kInternal},
    {"masked", {"掩码字段", "masked fields"}, kInternal},
    {"actions", {"操作", "actions"}, kInternal},
    {"purpose", {"目的", "purpose"}, kInternal},
    {"from", {"开始日期", "from"}, kInternal},
    {"until", {"截止日期", "until"}, kInternal},
    {"minors", {"涉及未成年人", "minors"}, kInternal},
    {"holder", {"使用人", "holder"}, kInternal},
    {"level", {"级别", "level"}, kInternal},
    {"undertaking", {"保密承诺版本", "version of the undertaking"}, kInternal},
    {"reason", {"理由", "reason"}, kSensitive},
    {"justification", {"必要性说明", "justification"}, kSensitive},
    {"granted", {"批准的内容", "what was granted"}, kSensitive},
};

}  // namespace

const Kind kAccess{
    .name = "access",
    .label = {"查询权限申请", "application for access"},
    .clause = "2.4.2",
    .states = kStates,
    .transitions = kTransitions,
    .fields = kFields,
    .letter_series = kLetterSeries,
    .describe = describe,
    .form = form,
    .favours = favours,
};

const Kind kRenewal{
    .name = "renewal",
    .label = {"查询权限续期", "renewal of access"},
    .clause = "2.4.2",
    .states = kStates,
    .transitions = kRenewals,
    .fields = kFields,
    .letter_series = kLetterSeries,
    .describe = describe,
    .form = form,
    .favours = favours,
};

void write_preview(const cases::Services& on, const json::object& content, JsonWriter& out) {
  out.key("words").object();
  write_words(on, read(on, content, on.clock.now().date()), out);
  out.end_object();
}

std::optional<policy::Grant> grant_of(const cases::Services& on, const cases::Case& file) {
  if ((file.kind != &kAccess && file.kind != &kRenewal) || file.content.if_contains("level") == nullptr)
    return std::nullopt;
  auto made = grant_from(on, file, content_of(file), on.clock.now());
  if (!made) return std::nullopt;
  return std::move(made).value();
}

}  // namespace jw::access
