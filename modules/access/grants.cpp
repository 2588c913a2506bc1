#include "modules/access/grants.hpp"

#include "modules/access/api.hpp"
#include "modules/access/tables.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace jw::access {

namespace json = boost::json;

json::object content_of(const cases::Case& file) {
  const json::value* granted = file.content.if_contains("granted");
  if (granted != nullptr && granted->is_object()) return granted->get_object();
  json::object content = file.content;
  for (const char* own : {"undertaking", "level", "renews"}) content.erase(own);
  return content;
}

namespace {

constexpr std::string_view kColumns =
    "SELECT number, title, dataset, holder, holder_name, post, unit, state, content, account, person_id, holder_unit, "
    "valid_from, valid_until, revoked, suspended, uses, last_used FROM access_grant WHERE effect = 'permit' AND ";

GrantRow row_of(const db::Rows& rows) {
  GrantRow grant;
  grant.number = rows.text(0);
  grant.title = rows.text(1);
  grant.dataset = rows.text(2);
  grant.holder = rows.text(3);
  grant.holder_name = rows.text(4);
  grant.post = rows.text(5);
  grant.unit = rows.text(6);
  grant.state = rows.text(7);
  grant.content = rows.text(8);
  grant.account = rows.integer(9);
  grant.person = rows.integer(10);
  grant.holder_unit = rows.integer(11);
  grant.from = {rows.integer(12)};
  grant.until = {rows.integer(13)};
  grant.revoked = !rows.is_null(14);
  grant.suspended = !rows.is_null(15);
  grant.uses = rows.integer(16);
  if (!rows.is_null(17)) grant.last_used = Instant{rows.integer(17)};
  return grant;
}

void raise_epoch(db::Connection& transaction) {
  transaction.execute("UPDATE gate SET epoch = epoch + 1 WHERE id = 1");
}

}  // namespace

std::optional<GrantRow> find_grant(db::Connection& connection, std::string_view number) {
  db::Rows rows = connection.query(std::string(kColumns) + "number = $1", {number});
  if (!rows.next()) return std::nullopt;
  return row_of(rows);
}

std::vector<GrantRow> standing_grants(db::Connection& connection, int64_t person, int64_t holder_unit, Instant now) {
  std::vector<GrantRow> grants;
  db::Rows rows = connection.query(std::string(kColumns) +
                                       "revoked IS NULL AND valid_until > $1 AND ($2 = 0 OR person_id = $2) AND "
                                       "($3 = 0 OR holder_unit = $3) ORDER BY number",
                                   {now.us, person, holder_unit});
  while (rows.next()) grants.push_back(row_of(rows));
  return grants;
}

bool end_grant(db::Connection& transaction, std::string_view number, std::string_view reason, Instant now) {
  const int64_t changed = transaction.execute(
      "UPDATE access_grant SET revoked = $2, state = 'revoked', end_reason = $3 WHERE number = $1 AND revoked IS NULL "
      "AND valid_until > $2",
      {number, now.us, reason});
  if (changed > 0) raise_epoch(transaction);
  return changed > 0;
}

bool suspend_grant(db::Connection& transaction, std::string_view number, std::string_view reason, Instant now) {
  const int64_t changed = transaction.execute(
      "UPDATE access_grant SET suspended = $2, state = 'suspended', end_reason = $3 WHERE number = $1 AND revoked IS "
      "NULL AND suspended IS NULL AND valid_until > $2",
      {number, now.us, reason});
  if (changed > 0) raise_epoch(transaction);
  return changed > 0;
}

bool resume_grant(db::Connection& transaction, std::string_view number) {
  const int64_t changed = transaction.execute(
      "UPDATE access_grant SET suspended = NULL, state = 'valid', end_reason = NULL WHERE number = $1 AND revoked IS "
      "NULL AND suspended IS NOT NULL",
      {number});
  if (changed > 0) raise_epoch(transaction);
  return changed > 0;
}

void Uses::note(std::string_view basis, Instant now) {
  constexpr std::string_view kMark = "grant:";
  for (size_t at = basis.find(kMark); at != std::string_view::npos; at = basis.find(kMark, at + 1)) {
    const std::string_view number = basis.substr(at + kMark.size(), basis.find(',', at) - at - kMark.size());
    const std::lock_guard lock(mutex_);
    Use& use = uses_[std::string(number)];
    ++use.times;
    use.last = std::max(use.last, now);
  }
}

int Uses::write(db::Store& store) {
  std::map<std::string, Use, std::less<>> some;
  {
    const std::lock_guard lock(mutex_);
    some.swap(uses_);
  }
  if (some.empty()) return 0;
  const db::Store::Lease writer = store.writer();
  db::Transaction transaction(*writer, db::Transaction::Mode::write);
  for (const auto& [number, use] : some) {
    writer->execute(
        "UPDATE access_grant SET uses = uses + $2, last_used = CASE WHEN last_used IS NULL OR last_used < $3 THEN $3 "
        "ELSE last_used END WHERE number = $1",
        {number, use.times, use.last.us});
  }
  transaction.commit();
  return static_cast<int>(some.size());
}

void write_grant(JsonWriter& out, const GrantRow& grant) {
  out.object().field("number", grant.number).field("title", grant.title).field("state", grant.state);
  out.field("dataset", grant.dataset).field("holder", grant.holder).field("holder_name", grant.holder_name);
  out.field("valid_from", grant.from.print()).field("valid_until", grant.until.print()).field("uses", grant.uses);
  out.key("last_used");
  grant.last_used ? out.value(grant.last_used->print()) : out.null();
  out.end_object();
}

Result<policy::Grant> grant_from(const cases::Services& on, const cases::Case& file, const json::object& content,
                                 Instant now) {
  // Checked when it was submitted and again when it was narrowed: what is wrong now has changed since (a field or a
  // relation of the catalogue), and must not be granted.
  const Application asked = read(on, content, Date{0}).application;
  if (asked.dataset == nullptr)
    return Refusal{
        Code::conflict, "access.outdated", {"所申请的数据已不存在", "the data asked for are no longer there"}};
  policy::Grant grant;
  grant.number = file.number;
  grant.dataset = asked.dataset->name;
  grant.content = json::serialize(asked.grant_content(on.catalogue));
  grant.from = std::max(Instant::at_start_of(asked.from), now);
  grant.until = Instant::at_start_of(Date{asked.until.days + 1});
  grant.source = "2.4.2";
  grant.title = title_of(on, asked).zh;
  grant.holder_unit = file.unit.id;
  if (asked.holder.post.empty()) {
    grant.account = file.account;
    grant.unit = file.unit.code;  // in force only while the holder belongs there (§2.5.1)
    grant.person = file.person;
    grant.holder = file.applicant;
    grant.holder_name = file.applicant_name;
  } else {
    grant.post = asked.holder.post;
    grant.unit = asked.holder.unit;
    grant.holder = asked.holder.post;
    const auto rules = on.policy.rules();
    const int post = rules->regulation().post(asked.holder.post);
    if (post < 0) return Refusal{Code::conflict, "access.outdated", {"岗位已不存在", "the post is no longer there"}};
    grant.holder_name = rules->regulation().posts[static_cast<size_t>(post)].label.zh;
  }
  if (grant.until <= now)
    return Refusal{Code::conflict,
                   "access.period_over",
                   {"申请的期限已过，请退回申请人修改", "the period asked for is over: send it back"}};
  return grant;
}

}  // namespace jw::access
