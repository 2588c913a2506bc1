// Deputies (代理): who signs and decides for whom while one is away. It lends the steps of cases, never sight of data.
#include <algorithm>

#include "base/json.hpp"
#include "base/typed.hpp"
#include "kernel/case/api.hpp"
#include "kernel/notice/api.hpp"

namespace jw::cases {

namespace {

constexpr int kDaysMax = 180;
constexpr size_t kLoginMax = 64;
constexpr int64_t kNobody = -1;                    // an offer that nobody can accept
constexpr int64_t kOpenMost = 5, kDailyMost = 20;  // offers of one principal: not answered, made in a day

Refusal invalid(const std::string& field, const char* code, Text text) {
  return {Code::unprocessable, "case.deputy_invalid", text, {{field, code, text}}};
}

// Who could accept: of the staff, with a live account, none of the three administrators. nullopt: nobody; the reason is
// told to nobody.
struct Person {
  int64_t account = 0, person = 0;
};
std::optional<Person> find_deputy(db::Connection& connection, const Services& on, std::string_view login, Instant now) {
  Person found;
  {
    db::Rows rows = connection.query(
        "SELECT id, person_id FROM account WHERE lower(login) = lower($1) AND person_id IS NOT NULL AND closed_us IS "
        "NULL AND suspended_us IS NULL AND kind NOT IN ('student', 'graduate')",
        {login});
    if (!rows.next()) return std::nullopt;
    found = {rows.integer(0), rows.integer(1)};
  }
  const db::Store::Lease reader = on.store.reader();
  const auto rules = on.policy.rules();
  const auto posts = rules->posts_of(*reader, found.person, 0, now);
  const int staff = rules->regulation().post("staff");
  const bool serves =
      std::any_of(posts.begin(), posts.end(), [&](const policy::HeldPost& each) { return each.post == staff; });
  if (!serves || rules->is_apart(posts)) return std::nullopt;
  return found;
}

std::string about(int64_t number) {
  return "deputy:" + std::to_string(number);
}

// Whether the principal still has what was lent.
bool lends(const Services& on, int64_t person, const std::string& post, const std::string& unit, Instant now) {
  const db::Store::Lease reader = on.store.reader();
  return on.policy.rules()->holds(*reader, person, post, unit, now);
}

Refusal unknown() {
  return {
      Code::not_found, "case.deputy_unknown", {"没有这项代理，或已经结束", "there is no such deputy, or it is over"}};
}

Result<Done> check_few(db::Connection& transaction, const Actor& actor, Instant now) {
  db::Rows rows = transaction.query(
      "SELECT COALESCE(SUM(CASE WHEN accepted IS NULL AND declined IS NULL AND ended IS NULL AND ends >= $2 THEN 1 "
      "ELSE "
      "0 END), 0), COALESCE(SUM(CASE WHEN made > $3 THEN 1 ELSE 0 END), 0) FROM deputy WHERE principal_person = $1",
      {actor.asker.person, now.date().print(), now.us - kDay});
  rows.next();
  if (rows.integer(0) < kOpenMost && rows.integer(1) < kDailyMost) return Done{};
  return Refusal{Code::too_many,
                 "case.deputy_too_many",
                 {"尚未答复的代理请求已有 5 项，或一天内已提出 20 项，请先结束一些",
                  "there are 5 offers without an answer, or 20 within a day: end some first"}};
}

Result<std::string> checked(const Actor& actor, const Deputation& asked, Instant now) {
  JW_TRY(std::string login, typed_text(asked.deputy_login, {.name = "deputy",
                                                            .label = {"代理人的账号", "the account of the deputy"},
                                                            .least = 1,
                                                            .most = kLoginMax}));
  if (login == actor.login)
    return invalid("deputy", "oneself", {"代理人不能是本人", "one does not stand in for oneself"});
  if (asked.begins < now.date())
    return invalid("begins", "past", {"开始日期不应早于今天", "the first day cannot lie in the past"});
  if (asked.ends < asked.begins)
    return invalid("ends", "order", {"截止日期不应早于开始日期", "the last day is not before the first"});
  if (asked.ends.days - asked.begins.days + 1 > kDaysMax)
    return invalid("ends", "too_long", {"一次代理最长 180 天", "a deputy stands in for at most 180 days"});
  return login;
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

Result<int64_t> appoint_deputy(db::Connection& transaction, const Engine& engine, const Actor& actor,
                               const Deputation& asked, Instant now) {
  const Services& on = engine.services();
  Unit unit;
  {
    const db::Store::Lease reader = on.store.reader();
    const std::vector<Engine::Lendable> lendable = engine.lendable(*reader, actor);
    const auto lent = std::find_if(lendable.begin(), lendable.end(), [&](const Engine::Lendable& each) {
      return each.post == asked.post && each.unit.code == asked.unit;
    });
    if (lent == lendable.end()) {
      return Refusal{Code::forbidden,
                     "case.deputy_not_yours",
                     {"只能为本人现任的、有签字或审批的岗位指定代理",
                      "one appoints a deputy for a post that one holds oneself and that signs or decides"}};
    }
    unit = lent->unit;
  }
  JW_TRY(const std::string login, checked(actor, asked, now));
  JW_TRY(const std::string reason, typed_reason(asked.reason));
  JW_CHECK(check_few(transaction, actor, now));
  std::optional<Person> deputy = find_deputy(transaction, on, login, now);
  if (deputy && deputy->person == actor.asker.person) deputy.reset();  // by another account of one's own
  const int64_t number = next_number(transaction, "deputy");
  transaction.execute(
      "INSERT INTO deputy (id, number, person_id, deputy, deputy_name, principal_person, principal, principal_name, "
      "post, unit, begins, ends, reason, made) VALUES ($1, $1, $2, $3, '', $4, $5, $6, $7, $8, $9, $10, $11, $12)",
      {number, deputy ? deputy->person : kNobody, login, actor.asker.person, actor.login, actor.name, asked.post,
       unit.id == 0 ? db::Param() : db::Param(unit.id), asked.begins.print(), asked.ends.print(), reason, now.us});
  std::string parameters;
  JsonWriter(parameters)
      .object()
      .field("number", number)
      .field("deputy", login)
      .field("post", asked.post)
      .field("unit", asked.unit)
      .field("begins", asked.begins.print())
      .field("ends", asked.ends.print())
      .field("reason", reason)
      .end_object();
  const std::string days = asked.begins.print() + " — " + asked.ends.print();
  if (deputy) {
    notice::put_notice(transaction,
                       {deputy->account,
                        about(number),
                        {actor.name + " 请您代理其岗位办理事项（" + days + "），请到“代理”页面接受或谢绝",
                         actor.name + " asks you to stand in (" + days + "): accept or decline on the page Deputies"}},
                       now);
  }
  return put_leaf(transaction, on, actor, "appoint", std::move(parameters), now);
}

Result<int64_t> answer_deputy(db::Connection& transaction, const Services& on, const Actor& actor, int64_t number,
                              bool accepts, Instant now) {
  std::string post, unit, principal;
  int64_t person = 0;
  {
    // Locked by writing it: answered once.
    transaction.execute("UPDATE deputy SET number = number WHERE number = $1", {number});
    db::Rows rows = transaction.query(
        "SELECT d.post, u.code, d.principal, d.principal_person FROM deputy d LEFT JOIN \"unit\" u ON u.id = d.unit "
        "WHERE d.number = $1 AND d.person_id = $2 AND d.accepted IS NULL AND d.declined IS NULL AND d.ended IS NULL "
        "AND "
        "d.ends >= $3",
        {number, actor.asker.person, now.date().print()});
    if (!rows.next()) return unknown();
    post = rows.text(0);
    unit = rows.text(1);
    principal = rows.text(2);
    person = rows.integer(3);
  }
  if (accepts && !lends(on, person, post, unit, now)) {
    return Refusal{Code::conflict,
                   "case.deputy_lost",
                   {"请您代理的人已不再担任这个岗位", "who asked you holds the post no longer"}};
  }
  transaction.execute(
      accepts ? "UPDATE deputy SET accepted = $2, deputy = $3, deputy_name = $4, principal_staff = (SELECT s.id FROM "
                "staff s WHERE s.person_id = deputy.principal_person) WHERE number = $1"
              : "UPDATE deputy SET declined = $2, deputy = $3, deputy_name = $4 WHERE number = $1",
      {number, now.us, actor.login, actor.name});
  notice::settle(transaction, about(number), 0, now);
  int64_t account = 0;
  {
    db::Rows rows = transaction.query("SELECT id FROM account WHERE login = $1", {principal});
    if (rows.next()) account = rows.integer(0);
  }
  if (account != 0) {
    notice::put_notice(transaction,
                       {account, about(number),
                        accepts ? Text{actor.name + " 已接受代理", actor.name + " has accepted to stand in for you"}
                                : Text{actor.name + " 未接受代理", actor.name + " has declined to stand in for you"}},
                       now);
  }
  std::string parameters;
  JsonWriter(parameters).object().field("number", number).end_object();
  return put_leaf(transaction, on, actor, accepts ? "accept" : "decline", std::move(parameters), now);
}

// Sight goes with the post at once (catalog/relations.toml); this writes down that it has.
int Engine::end_deputies(Instant now) {
  struct Standing {
    int64_t number, person;
    std::string post, unit;
  };
  std::vector<Standing> lost;
  {
    const db::Store::Lease reader = services_.store.reader();
    services_.policy.refresh(*reader);
    db::Rows rows = reader->query(
        "SELECT d.number, d.principal_person, d.post, u.code FROM deputy d LEFT JOIN \"unit\" u ON u.id = d.unit WHERE "
        "d.ended IS NULL AND d.declined IS NULL AND d.ends >= $1 ORDER BY d.number",
        {now.date().print()});
    while (rows.next())
      lost.push_back({rows.integer(0), rows.integer(1), std::string(rows.text(2)), std::string(rows.text(3))});
  }
  std::erase_if(lost, [&](const Standing& each) { return lends(services_, each.person, each.post, each.unit, now); });
  int count = 0;
  for (const Standing& each : lost) {
    int64_t outbox = 0;
    {
      const db::Store::Lease writer = services_.store.writer();
      db::Transaction transaction(*writer, db::Transaction::Mode::write);
      if (writer->execute("UPDATE deputy SET ended = $2 WHERE number = $1 AND ended IS NULL", {each.number, now.us}) ==
          0)
        continue;
      notice::settle(*writer, about(each.number), 0, now);
      std::string parameters;
      JsonWriter(parameters).object().field("number", each.number).end_object();
      outbox = put_leaf(*writer, services_, clock_actor(), "end", std::move(parameters), now);
      transaction.commit();
    }
    services_.recorder.deliver(outbox);
    ++count;
  }
  return count;
}

Result<int64_t> end_deputy(db::Connection& transaction, const Services& on, const Actor& actor, int64_t number,
                           Instant now) {
  // The principal ends it, and so may the deputy.
  const int64_t changed = transaction.execute(
      "UPDATE deputy SET ended = $2 WHERE number = $1 AND ended IS NULL AND ends >= $4 AND (principal_person = $3 OR "
      "person_id = $3)",
      {number, now.us, actor.asker.person, now.date().print()});
  if (changed == 0) return unknown();
  notice::settle(transaction, about(number), 0, now);
  std::string parameters;
  JsonWriter(parameters).object().field("number", number).end_object();
  return put_leaf(transaction, on, actor, "end", std::move(parameters), now);
}

}  // namespace jw::cases
