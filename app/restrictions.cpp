#include "app/restrictions.hpp"

namespace jw::app {

namespace {

const Text kWhom{"如有疑问，请联系教务处或安全管理员",
                 "if something is wrong, turn to the academic affairs office or the security administrator"};

// What was seen, and why somebody decided so, in front of what is refused.
void tell_story(Serving& serving, int64_t account, Refusal& refusal) {
  std::optional<lending::Story> story;
  {
    const db::Store::Lease lease = serving.system.store->private_reader();
    story = serving.lending.story(*lease, account);
  }
  if (!story) return;
  for (const Text& seen : story->seen) {
    refusal.detail.zh += "。所见情况：" + seen.zh;
    refusal.detail.en += ". What was seen: " + seen.en;
  }
  if (!story->reason.empty()) {
    refusal.detail.zh += "。处理理由：" + story->reason;
    refusal.detail.en += ". Reason given: " + story->reason;
  }
}

}  // namespace

Refusal session_held(Serving& serving, int64_t account) {
  bool enrolled = false;
  {
    const db::Store::Lease lease = serving.system.store->reader();
    enrolled = serving.system.identity->factor_of(*lease, account).enrolled;
  }
  Refusal refusal{Code::unauthenticated,
                  "identity.confirmation_required",
                  {"请再次证明是您本人，然后继续", "show again that it is you, then go on"}};
  tell_story(serving, account, refusal);
  const Text with = enrolled ? Text{"输入动态验证码", "give the code of your second factor"}
                             : Text{"再次输入密码", "give your password again"};
  refusal.remedy = Remedy{"2.5.3",
                          {with.zh + "即可继续；若这不是您本人所为，请随后修改密码。" + kWhom.zh,
                           with.en + " and go on; if this was not you, change your password then. " + kWhom.en},
                          enrolled ? "confirm_code" : "confirm_password",
                          "{}"};
  return refusal;
}

Refusal account_read_only(Serving& serving, int64_t account) {
  Refusal refusal{Code::forbidden,
                  "lending.read_only",
                  {"您的账号目前只能查看：不能办理、修改或导出（§2.5.3）",
                   "your account may look only at present: no acts, changes or exports (§2.5.3)"}};
  tell_story(serving, account, refusal);
  refusal.remedy = Remedy{"2.5.3",
                          {"请先修改密码，再联系教务处或安全管理员说明情况，由其恢复",
                           "change your password, then explain to the academic affairs office or the security "
                           "administrator, who lift this"},
                          "",
                          "{}"};
  return refusal;
}

Refusal account_suspended(Serving& serving, int64_t account, Code code) {
  Refusal refusal{code, "identity.suspended", {"账号已停用（§2.5.3）", "the account is suspended (§2.5.3)"}};
  tell_story(serving, account, refusal);
  refusal.remedy = Remedy{"2.5.3",
                          {"请本人持有效证件到教务处说明情况，由教务处或安全管理员核实后恢复",
                           "go to the academic affairs office in person with an identity document; it or the security "
                           "administrator lifts this when it is cleared up"},
                          "",
                          "{}"};
  return refusal;
}

Refusal no_session(Serving& serving, const std::string& token) {
  if (!token.empty()) {
    const auto lost = serving.system.identity->lost(token);
    if (lost && lost->suspended) return account_suspended(serving, lost->account, Code::unauthenticated);
  }
  return {Code::unauthenticated, "identity.session_ended", {"请先登录", "sign in first"}};
}

std::optional<Refusal> why_nothing(Serving& serving, const identity::Session& session) {
  std::optional<identity::Liveness> live;
  bool suspended = false;
  {
    const db::Store::Lease lease = serving.system.store->reader();
    live = identity::liveness(*lease, session.id, serving.system.clock->now());
    if (!live) {
      db::Rows rows = lease->query("SELECT suspended_us FROM account WHERE id = $1", {session.account});
      suspended = rows.next() && !rows.is_null(0);
    }
  }
  if (live && live->held) return session_held(serving, session.account);
  if (suspended) return account_suspended(serving, session.account, Code::unauthenticated);
  return std::nullopt;
}

}  // namespace jw::app
