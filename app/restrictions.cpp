#include "app/restrictions.hpp"

namespace jw::app {

namespace {

Remedy remedy(Text text, std::string kind) {
  return {"2.5.3", std::move(text), std::move(kind), "{}"};
}

const Text kWhom{"如有疑问，请联系教务处或安全管理员",
                 "if something is wrong, turn to the academic affairs office or the security administrator"};

}  // namespace

Refusal session_held(System& system, int64_t account) {
  bool enrolled = false;
  {
    const db::Store::Lease lease = system.store->reader();
    enrolled = system.identity->factor_of(*lease, account).enrolled;
  }
  Refusal refusal{Code::unauthenticated,
                  "identity.confirmation_required",
                  {"请再次证明是您本人，然后继续", "show again that it is you, then go on"}};
  refusal.remedy =
      enrolled
          ? remedy({"输入动态验证码；" + kWhom.zh, "give the code of your second factor; " + kWhom.en}, "confirm_code")
          : remedy({"再次输入密码；" + kWhom.zh, "give your password again; " + kWhom.en}, "confirm_password");
  return refusal;
}

Refusal account_read_only(System&, int64_t) {
  Refusal refusal{Code::forbidden,
                  "lending.read_only",
                  {"您的账号目前只能查看：不能办理、修改或导出（§2.5.3）",
                   "your account may look only at present: no acts, changes or exports (§2.5.3)"}};
  refusal.remedy = remedy({"修改密码，然后联系教务处或安全管理员说明情况，由其恢复",
                           "change your password, then explain to the academic affairs office or the security "
                           "administrator, who lift this"},
                          "");
  return refusal;
}

Refusal account_suspended(System&, int64_t) {
  Refusal refusal{
      Code::unauthenticated, "identity.suspended", {"账号已停用（§2.5.3）", "the account is suspended (§2.5.3)"}};
  refusal.remedy = remedy({"请本人持有效证件到教务处说明情况，由教务处或安全管理员核实后恢复",
                           "go to the academic affairs office in person with an identity document; it or the security "
                           "administrator lifts this when it is cleared up"},
                          "");
  return refusal;
}

Refusal no_session(System& system, const std::string& token) {
  if (!token.empty()) {
    const auto lost = system.identity->lost(token);
    if (lost && lost->suspended) return account_suspended(system, lost->account);
  }
  return {Code::unauthenticated, "identity.session_ended", {"请先登录", "sign in first"}};
}

std::optional<Refusal> why_nothing(System& system, const identity::Session& session) {
  std::optional<identity::Liveness> live;
  bool suspended = false;
  {
    const db::Store::Lease lease = system.store->reader();
    live = identity::liveness(*lease, session.id, system.clock->now());
    if (!live) {
      db::Rows rows = lease->query("SELECT suspended_us FROM account WHERE id = $1", {session.account});
      suspended = rows.next() && !rows.is_null(0);
    }
  }
  if (live && live->held) return session_held(system, session.account);
  if (suspended) return account_suspended(system, session.account);
  return std::nullopt;
}

}  // namespace jw::app
