// Deputies (代理): who signs and decides for whom while one is away. It lends the steps of cases, never sight of data.
#include <algorithm>

#include "base/json.hpp"
#include "base/typed.hpp"
#include "kernel/case/api.hpp"

namespace jw::cases {

namespace {

constexpr int kDaysMax = 180;

Refusal invalid(const std::string& field, const char* code, Text text) {
  return {Code::unprocessable, "case.deputy_invalid", text, {{field, code, text}}};
}

// The person that an account is of, or nothing.
struct Person {
  int64_t account = 0, person = 0;
  std::string login, name;
};
std::optional<Person> find_person(db::Connection& connection, std::string_view login) {
  db::Rows rows = connection.query(
      "SELECT id, person_id, login, display_name FROM account WHERE lower(login) = lower($1) AND person_id IS NOT NULL "
      "AND closed_us IS NULL AND suspended_us IS NULL",
      {login});
  if (!rows.next()) return std::nullopt;
  return Person{rows.integer(0), rows.integer(1), std::string(rows.text(2)), std::string(rows.text(3))};
}

int64_t put_leaf(db::Connection& transaction, const Services& on, const Actor& actor, std::string_view action,
                 std::string parameters, Instant now) {
  const policy::Asker& asker = actor.asker;
  record::Entry entry = record::act_of({asker.account, asker.person, asker.session, {}, {}, {}}, action, "2.4.2", now);
  entry.dataset = "deputy";
  entry.parameters = std::move(parameters);
  return on.recorder.put_in_outbox(transaction, entry);
}

}  // namespace

Result<int64_t> appoint_deputy(db::Connection& transaction, const Services& on, const Actor& actor,
                               const Deputation& asked, Instant now) {
  const auto held = std::find_if(actor.posts.begin(), actor.posts.end(), [&](const Actor::Held& each) {
    return each.for_person == 0 && each.post == asked.post && each.unit == asked.unit;
  });
  if (held == actor.posts.end()) {
    return Refusal{Code::forbidden,
                   "case.deputy_not_yours",
                   {"只能为本人现任的岗位指定代理", "one appoints a deputy for a post that one holds oneself"}};
  }
  const auto deputy = find_person(transaction, asked.deputy_login);
  if (!deputy) return invalid("deputy", "unknown", {"没有这个账号", "there is no such account"});
  if (deputy->person == actor.asker.person)
    return invalid("deputy", "oneself", {"代理人不能是本人", "one does not stand in for oneself"});
  if (asked.begins < now.date())
    return invalid("begins", "past", {"开始日期不应早于今天", "the first day cannot lie in the past"});
  if (asked.ends < asked.begins)
    return invalid("ends", "order", {"截止日期不应早于开始日期", "the last day is not before the first"});
  if (asked.ends.days - asked.begins.days + 1 > kDaysMax)
    return invalid("ends", "too_long", {"一次代理最长 180 天", "a deputy stands in for at most 180 days"});
  JW_TRY(const std::string reason, typed_reason(asked.reason));
  const Unit unit = find_unit(transaction, asked.unit);
  const int64_t number = next_number(transaction, "deputy");
  transaction.execute(
      "INSERT INTO deputy (id, number, person_id, deputy, deputy_name, principal_person, principal, principal_name, "
      "post, unit, begins, ends, reason, made) VALUES ($1, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
      {number, deputy->person, deputy->login, deputy->name, actor.asker.person, actor.login, actor.name, asked.post,
       unit.id == 0 ? db::Param() : db::Param(unit.id), asked.begins.print(), asked.ends.print(), reason, now.us});
  std::string parameters;
  JsonWriter(parameters)
      .object()
      .field("number", number)
      .field("deputy", deputy->login)
      .field("post", asked.post)
      .field("unit", asked.unit)
      .field("begins", asked.begins.print())
      .field("ends", asked.ends.print())
      .field("reason", reason)
      .end_object();
  const std::string days = asked.begins.print() + " — " + asked.ends.print();
  put_notice(transaction,
             {deputy->account,
              "",
              {actor.name + " 请您代理其岗位办理事项：" + days, actor.name + " asks you to stand in: " + days}},
             now);
  return put_leaf(transaction, on, actor, "appoint", std::move(parameters), now);
}

Result<int64_t> end_deputy(db::Connection& transaction, const Services& on, const Actor& actor, int64_t number,
                           Instant now) {
  // The principal ends it, and so may the deputy.
  const int64_t changed = transaction.execute(
      "UPDATE deputy SET ended = $2 WHERE number = $1 AND ended IS NULL AND ends >= $4 AND (principal_person = $3 OR "
      "person_id = $3)",
      {number, now.us, actor.asker.person, now.date().print()});
  if (changed == 0) {
    return Refusal{
        Code::not_found, "case.deputy_unknown", {"没有这项代理，或已经结束", "there is no such deputy, or it is over"}};
  }
  std::string parameters;
  JsonWriter(parameters).object().field("number", number).end_object();
  return put_leaf(transaction, on, actor, "end", std::move(parameters), now);
}

}  // namespace jw::cases
