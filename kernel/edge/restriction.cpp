// Why a session answers nothing, or an account may look only: in plain words, with what was seen, what to do and whom
// to ask (§2.5.3).
#include "kernel/edge/api.hpp"

namespace jw::edge {

namespace {

const Text kWhom{"如有疑问，请联系教务处或安全管理员",
                 "if something is wrong, turn to the academic affairs office or the security administrator"};

// What was seen, and why somebody decided so, in front of what is refused.
void tell_story(House& house, int64_t account, Refusal& refusal) {
  const std::optional<Story> story = story_of(house, account);
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

std::optional<Story> story_of(House& house, int64_t account) {
  for (const Hooks& each : house.hooks) {
    if (each.story == nullptr) continue;
    if (auto story = each.story(house, account)) return story;
  }
  return std::nullopt;
}

Refusal session_held(House& house, int64_t account) {
  bool enrolled = false;
  {
    const db::Store::Lease lease = house.store.reader();
    enrolled = house.identity.factor_of(*lease, account).enrolled;
  }
  Refusal refusal{Code::unauthenticated,
                  "identity.confirmation_required",
                  {"请再次证明是您本人，然后继续", "show again that it is you, then go on"}};
  tell_story(house, account, refusal);
  const Text with = enrolled ? Text{"输入动态验证码", "give the code of your second factor"}
                             : Text{"再次输入密码", "give your password again"};
  refusal.remedy = Remedy{"2.5.3",
                          {with.zh + "即可继续；若这不是您本人所为，请随后修改密码。" + kWhom.zh,
                           with.en + " and go on; if this was not you, change your password then. " + kWhom.en},
                          enrolled ? "confirm_code" : "confirm_password",
                          "{}"};
  return refusal;
}

Refusal account_read_only(House& house, int64_t account) {
  Refusal refusal{Code::forbidden,
                  "identity.read_only",
                  {"您的账号目前只能查看：不能办理、修改或导出（§2.5.3）",
                   "your account may look only at present: no acts, changes or exports (§2.5.3)"}};
  tell_story(house, account, refusal);
  refusal.remedy = Remedy{"2.5.3",
                          {"请先修改密码，再联系教务处或安全管理员说明情况，由其恢复",
                           "change your password, then explain to the academic affairs office or the security "
                           "administrator, who lift this"},
                          "",
                          "{}"};
  return refusal;
}

Refusal account_suspended(House& house, int64_t account, Code code) {
  Refusal refusal{code, "identity.suspended", {"账号已停用（§2.5.3）", "the account is suspended (§2.5.3)"}};
  tell_story(house, account, refusal);
  refusal.remedy = Remedy{"2.5.3",
                          {"请本人持有效证件到教务处说明情况，由教务处或安全管理员核实后恢复",
                           "go to the academic affairs office in person with an identity document; it or the security "
                           "administrator lifts this when it is cleared up"},
                          "",
                          "{}"};
  return refusal;
}

}  // namespace jw::edge
