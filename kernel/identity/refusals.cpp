#include "kernel/identity/refusals.hpp"

#include <algorithm>

namespace jw::identity::refusal {
namespace {

constexpr int64_t kMinuteUs = 60'000'000;

Refusal one_field(const char* type, const char* field, const char* code, Text text) {
  return {.code = Code::unprocessable, .type = type, .detail = text, .fields = {{field, code, text}}};
}

}  // namespace

Refusal sign_in_refused() {
  return {
      .code = Code::unauthenticated,
      .type = "identity.sign_in_refused",
      .detail = {"账号或密码不正确,或账号尚未激活。连续输错密码后账号会暂时锁定,请稍后再试",
                 "The account or the password is not right, or the account is not activated yet. After several wrong "
                 "passwords an account is locked for a while; try again later"}};
}

Refusal password_wrong() {
  return {
      .code = Code::forbidden,
      .type = "identity.password_wrong",
      .detail = {"密码不正确。连续输错密码后账号会暂时锁定,请稍后再试",
                 "The password is not right. After several wrong passwords an account is locked for a while; try again "
                 "later"}};
}

Refusal locked(int64_t wait_us) {
  const auto minutes = std::to_string(std::max<int64_t>(1, (wait_us + kMinuteUs - 1) / kMinuteUs));
  return {.code = Code::too_many,
          .type = "identity.locked",
          .detail = {"连续输错密码,账号已暂时锁定,请在 " + minutes + " 分钟后再试",
                     "The account is locked after several wrong passwords; try again in " + minutes + " min"}};
}

Refusal suspended() {
  return {.code = Code::forbidden,
          .type = "identity.suspended",
          .detail = {"账号已停用(第2.5.3条),请与教务处联系",
                     "The account is suspended (§2.5.3); please turn to the academic affairs office"}};
}

Refusal closed() {
  return {.code = Code::forbidden,
          .type = "identity.closed",
          .detail = {"账号已注销(第2.5.2条),如有疑问请与教务处联系",
                     "The account is closed (§2.5.2); please turn to the academic affairs office if this is wrong"}};
}

Refusal one_time_expired() {
  return {.code = Code::forbidden,
          .type = "identity.one_time_expired",
          .detail = {"一次性密码已过期,请向发放者申请新的密码",
                     "The one-time password has expired; ask for a new one where you got it"}};
}

Refusal password_change_required() {
  return {.code = Code::forbidden,
          .type = "identity.password_change_required",
          .detail = {"请设置新密码后登录", "Set a new password to sign in"}};
}

Refusal password_rules(std::vector<FieldProblem> problems) {
  return {.code = Code::unprocessable,
          .type = "identity.password_rules",
          .detail = {"新密码不符合要求", "The new password does not meet the rules"},
          .fields = std::move(problems)};
}

Refusal too_many_attempts() {
  return {.code = Code::too_many,
          .type = "identity.too_many_attempts",
          .detail = {"尝试次数过多,请稍后再试", "Too many attempts from here; try again a little later"}};
}

Refusal busy() {
  return {
      .code = Code::unavailable,
      .type = "identity.busy",
      .detail = {"正在登录的人数过多,请稍后再试", "Too many people are signing in just now; try again in a moment"}};
}

Refusal not_made_up() {
  return {.code = Code::forbidden,
          .type = "identity.not_made_up",
          .detail = {"仅演示库提供此功能", "Only a made-up store offers this"}};
}

Refusal login_invalid() {
  return one_field("identity.login_invalid", "login", "login_invalid",
                   {"账号应为 1 至 64 个字符:字母、数字、汉字或 . _ - @",
                    "An account name has 1 to 64 characters: letters, digits, Han characters or . _ - @"});
}

Refusal login_taken() {
  return {.code = Code::conflict,
          .type = "identity.login_taken",
          .detail = {"该账号已存在(不区分大小写)", "This account name is taken (upper and lower case are the same)"}};
}

Refusal kind_invalid() {
  return one_field("identity.kind_invalid", "kind", "kind_invalid",
                   {"账号类别应为小写字母和下划线", "The kind of an account is lower-case letters and underscores"});
}

Refusal name_invalid() {
  return one_field("identity.name_invalid", "display_name", "name_invalid",
                   {"姓名应为 1 至 100 个字符", "The name has 1 to 100 characters"});
}

Refusal account_unknown() {
  return {.code = Code::not_found,
          .type = "identity.account_unknown",
          .detail = {"没有这个账号", "There is no such account"}};
}

Refusal account_closed() {
  return {.code = Code::conflict, .type = "identity.account_closed", .detail = {"账号已注销", "The account is closed"}};
}

Refusal agreement_changed() {
  return {.code = Code::conflict,
          .type = "identity.agreement_changed",
          .detail = {"保密协议已有新版本,请阅读后再签署",
                     "The confidentiality agreement has a new version; read it, then sign"}};
}

Refusal code_required() {
  return {.code = Code::unauthenticated,
          .type = "identity.code_required",
          .detail = {"请输入动态验证码（手机验证器上的 6 位数字），或一个恢复码",
                     "Give the code of your second factor (six digits of the application), or a recovery code"},
          .fields = {{"code", "required", {"必填", "required"}}}};
}

Refusal code_wrong() {
  return {.code = Code::unauthenticated,
          .type = "identity.code_wrong",
          .detail = {"验证码不正确、已过期或已用过；请等下一个再试。连续输错后账号会暂时锁定",
                     "The code is wrong, too old or already used; wait for the next one. After several wrong codes the "
                     "account is locked for a while"},
          .fields = {{"code", "wrong", {"不正确", "not right"}}}};
}

Refusal factor_enrolled() {
  return {.code = Code::conflict,
          .type = "identity.factor_enrolled",
          .detail = {"已启用动态验证码；更换前请先停用",
                     "A second factor is in force; remove it before you set up another"}};
}

Refusal factor_absent() {
  return {.code = Code::conflict,
          .type = "identity.factor_absent",
          .detail = {"没有动态验证码", "There is no second factor"}};
}

}  // namespace jw::identity::refusal
