// The second factor of one's account (§3.1.1), its reset by those who may, and showing again who one is in the middle
// of a session (§2.5.3).
#include <boost/json.hpp>

#include "app/routes.hpp"
#include "base/json.hpp"
#include "base/typed.hpp"
#include "platform/office/qr.hpp"

namespace jw::app {

namespace json = boost::json;
using edge::Call;

namespace {

// What came of it is on record before it is told, refusals included. A code that was shown and never recorded is worth
// nothing to anybody but its owner, who asks again.
template <class T, class Write>
void tell(const Call& call, std::string_view action, std::string_view clause, const Result<T>& done, Write write) {
  record::Entry entry = record::act_of(call.hand(), action, clause, call.house().clock.now());
  if (!done) return call.release(std::move(entry), done.refusal());
  std::string body;
  JsonWriter out(body);
  out.object();
  write(out, *done);
  out.end_object();
  // The digest of what holds a secret would be a secret's digest: left out.
  call.release(query::Outcome{std::move(entry), query::Answer{std::move(body), 0}});
}

// `run` with the text of one member of the body.
template <class Run>
void with(const Call& call, std::string_view member, Run run) {
  const Result<json::object> body = call.body();
  if (!body) return call.refuse(body.refusal());
  const Result<std::string> text = edge::text_member(*body, member);
  if (!text) return call.refuse(text.refusal());
  run(*text);
}

void offer(const Call& call) {
  with(call, "password", [&](const std::string& password) {
    const edge::House& house = call.house();
    tell(call, "factor_offer", "3.1.1",
         house.identity.offer_factor(call.session(), password, house.school.zh.empty() ? "教务" : house.school.zh),
         [](JsonWriter& out, const identity::FactorOffer& made) {
           out.field("secret", made.secret).field("uri", made.uri).key("qr").array();
           for (const std::string& row : office::qr_rows(made.uri)) out.value(row);
           out.end_array();
         });
  });
}

void write_codes(JsonWriter& out, const std::vector<std::string>& codes) {
  out.key("recovery_codes").array();
  for (const std::string& code : codes) out.value(code);
  out.end_array();
}

void write_nothing(JsonWriter&, const Done&) {}

void confirm(const Call& call) {
  with(call, "code", [&](const std::string& code) {
    tell(call, "factor_confirm", "3.1.1", call.house().identity.confirm_factor(call.session(), code), write_codes);
  });
}

void renew(const Call& call) {
  with(call, "code", [&](const std::string& code) {
    tell(call, "factor_recovery_renew", "3.1.1", call.house().identity.renew_recovery(call.session(), code),
         write_codes);
  });
}

void remove(const Call& call) {
  with(call, "code", [&](const std::string& code) {
    tell(call, "factor_remove", "3.1.1", call.house().identity.remove_factor(call.session(), code), write_nothing);
  });
}

void confirm_again(const Call& call) {
  const Result<json::object> body = call.body();
  if (!body) return call.refuse(body.refusal());
  const Result<std::string> code = edge::optional_text(*body, "code"),
                            password = edge::optional_text(*body, "password");
  for (const auto* each : {&code, &password}) {
    if (!*each) return call.refuse(each->refusal());
  }
  edge::House& house = call.house();
  const Result<Done> done = house.identity.confirm_again(call.session(), *code, *password);
  if (done) house.tell(&edge::Hooks::confirmed, call.hand());
  tell(call, "session_confirm", "2.5.3", done, write_nothing);
}

// Somebody lost the telephone: the desk triggers, and reads nothing.
void reset(const Call& call) {
  edge::act(
      call, {"factor_reset", "3.1.1", edge::Signing::lately()}, [call](edge::Doing& doing) -> Result<std::string> {
        JW_TRY(const std::string given, edge::text_member(doing.body, "reason"));
        JW_TRY(const std::string reason, typed_reason(given));
        identity::Identity& identity = call.house().identity;
        const auto account = identity.find_account(doing.transaction, call.captured(0));
        if (!account || account->id == doing.by.account)
          return Refusal{Code::not_found,
                         "identity.account_unknown",
                         {"没有这个账号，或是您自己的账号", "there is no such account, or it is your own"}};
        JW_CHECK(identity.reset_factor(doing.transaction, account->id));
        JsonWriter(doing.entry.parameters).object().field("account", account->id).field("reason", reason).end_object();
        return std::string("{}");
      });
}

constexpr size_t kBodyMax = 16 * 1024;

// Whoever may look only may still make the account safe again.
const edge::Route kRoutes[] = {
    {.verb = edge::Verb::post,
     .path = "/api/session/factor",
     .needs = edge::Needs::session(),
     .run = offer,
     .summary = {"申请动态验证码的密钥（只显示一次）", "a new second factor, shown once"},
     .request = "PasswordGiven",
     .response = "FactorOffer",
     .body_max = kBodyMax,
     .does = edge::Does::looks},
    {.verb = edge::Verb::post,
     .path = "/api/session/factor/confirmation",
     .needs = edge::Needs::session(),
     .run = confirm,
     .summary = {"以第一个验证码启用，得到恢复码", "put it in force with its first code; gives the recovery codes"},
     .request = "CodeGiven",
     .response = "RecoveryCodes",
     .body_max = kBodyMax,
     .does = edge::Does::looks},
    {.verb = edge::Verb::post,
     .path = "/api/session/factor/recovery",
     .needs = edge::Needs::session(),
     .run = renew,
     .summary = {"换一组恢复码", "new recovery codes in place of the old"},
     .request = "CodeGiven",
     .response = "RecoveryCodes",
     .body_max = kBodyMax,
     .does = edge::Does::looks},
    {.verb = edge::Verb::post,
     .path = "/api/session/factor/removal",
     .needs = edge::Needs::session(),
     .run = remove,
     .summary = {"停用动态验证码", "remove one's second factor"},
     .request = "CodeGiven",
     .response = "Done",
     .body_max = kBodyMax,
     .does = edge::Does::looks},
    {.verb = edge::Verb::post,
     .path = "/api/session/confirmation",
     .needs = edge::Needs::session(),
     .run = confirm_again,
     .summary = {"会话中再次证明是本人（§2.5.3）", "show again, in the middle of a session, who one is (§2.5.3)"},
     .request = "Signature",
     .response = "Done",
     .body_max = kBodyMax,
     .alive = edge::Alive::held_too,
     .does = edge::Does::looks},
    {.verb = edge::Verb::post,
     .path = "/api/accounts/{account}/factor-reset",
     .needs = edge::Needs::power("factor_reset"),
     .run = reset,
     .summary = {"重置他人的动态验证码（安全管理员、教务处）",
                 "reset somebody's second factor (security administrator, academic affairs office)"},
     .request = "SignedReason",
     .response = "Done",
     .body_max = kBodyMax},
};

}  // namespace

std::span<const edge::Route> factor_routes() {
  return kRoutes;
}

}  // namespace jw::app
