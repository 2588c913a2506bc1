#include "base/typed.hpp"
#include "kernel/paper/api.hpp"
#include "platform/crypto/api.hpp"

namespace jw::paper {

namespace {

constexpr size_t kCodeCharacters = 16;
constexpr int64_t kSerialsMost = 1'000'000'000;  // of a year

const Refusal kUnknown{Code::not_found, "paper.unknown", {"没有这份文件", "there is no such paper"}};

std::string hex_digest(std::string_view bytes) {
  return crypto::hex(crypto::sha256(bytes));
}

std::optional<Instant> instant_at(const db::Rows& rows, size_t column) {
  if (rows.is_null(column)) return std::nullopt;
  return Instant{rows.integer(column)};
}

std::optional<Paper> read(db::Connection& reader, std::string_view column, std::string_view value, Instant now) {
  db::Rows rows = reader.query(
      "SELECT number, kind, title, sha256, account, outbox, made, expires, revoked, replaced_by "
      "FROM paper WHERE " +
          std::string(column) + " = $1",
      {value});
  if (!rows.next()) return std::nullopt;
  Paper paper;
  paper.number = rows.text(0);
  paper.kind = rows.text(1);
  paper.title = rows.text(2);
  paper.sha256 = rows.text(3);
  paper.account = rows.integer(4);
  paper.outbox = rows.integer(5);
  paper.made = {rows.integer(6)};
  paper.expires = instant_at(rows, 7);
  paper.replaced_by = rows.text(9);
  if (!rows.is_null(8)) {
    paper.state = State::revoked;
  } else if (!paper.replaced_by.empty()) {
    paper.state = State::replaced;
  } else if (paper.expires && now >= *paper.expires) {
    paper.state = State::expired;
  }
  return paper;
}

// The paper that is about to be changed, its row locked by writing it: the same on both stores.
Result<Paper> hold(db::Connection& transaction, std::string_view number, Instant now) {
  if (transaction.execute("UPDATE paper SET number = number WHERE number = $1", {number}) == 0) return kUnknown;
  return *find(transaction, number, now);
}

}  // namespace

Mark take(db::Connection& transaction, std::string_view prefix, Instant now) {
  const int64_t year = now.date().year();
  transaction.execute("INSERT INTO paper_number (year, next) VALUES ($1, 1) ON CONFLICT (year) DO NOTHING", {year});
  transaction.execute("UPDATE paper_number SET next = next + 1 WHERE year = $1", {year});
  db::Rows rows = transaction.query("SELECT next - 1 FROM paper_number WHERE year = $1", {year});
  rows.next();
  std::string serial = std::to_string(rows.integer(0));
  Mark mark;
  mark.id = year * kSerialsMost + rows.integer(0);
  mark.code = crypto::random_code(kCodeCharacters);
  if (prefix.empty()) {
    if (serial.size() < 6) serial.insert(0, 6 - serial.size(), '0');
    mark.number = "D" + std::to_string(year) + "-" + serial;
  } else {
    mark.number = std::string(prefix) + "〔" + std::to_string(year) + "〕" + serial + "号";
  }
  return mark;
}

Result<std::string> issue(db::Connection& transaction, const Mark& mark, const New& paper, Instant now) {
  std::string sha256 = hex_digest(paper.bytes);
  transaction.execute(
      "INSERT INTO paper (id, number, code_digest, kind, title, account, person_id, holder, holder_name, sha256, "
      "outbox, made, expires, content) VALUES ($11, $1, $2, $3, $4, $5, (SELECT person_id FROM account WHERE id = $5), "
      "(SELECT login FROM account WHERE id = $5), (SELECT display_name FROM account WHERE id = $5), $6, $7, $8, $9, "
      "$10)",
      {mark.number, hex_digest(mark.code), paper.kind, paper.title, paper.account, sha256, paper.outbox, now.us,
       paper.expires ? db::Param(paper.expires->us) : db::Param(), db::Param::blob(paper.bytes), mark.id});
  if (!paper.replaces.empty()) {
    JW_TRY(const Paper old, hold(transaction, paper.replaces, now));
    JW_CHECK(check_in_force(old));
    transaction.execute("UPDATE paper SET replaced_by = $2 WHERE number = $1", {old.number, mark.number});
  }
  return sha256;
}

std::string_view name(State state) {
  constexpr std::string_view kNames[] = {"valid", "expired", "replaced", "revoked"};
  return kNames[static_cast<size_t>(state)];
}

// Looked up by digest: what the time of a look-up tells about a digest tells nothing about a code.
std::optional<Paper> find_by_code(db::Connection& reader, std::string_view code, Instant now) {
  const std::string as_made = crypto::code_as_made(code);
  if (as_made.size() != kCodeCharacters) return std::nullopt;
  return read(reader, "code_digest", hex_digest(as_made), now);
}

std::optional<Paper> find(db::Connection& reader, std::string_view number, Instant now) {
  return read(reader, "number", number, now);
}

Result<Done> check_in_force(const Paper& paper) {
  switch (paper.state) {
    case State::valid:
      return Done{};
    case State::expired:
      return Refusal{Code::conflict, "paper.expired", {"文件已过有效期", "the paper has expired"}};
    case State::replaced:
      return Refusal{Code::conflict,
                     "paper.replaced",
                     {"文件已由 " + paper.replaced_by + " 替代", "the paper was replaced by " + paper.replaced_by}};
    case State::revoked:
      break;
  }
  return Refusal{Code::conflict, "paper.revoked", {"文件已撤销", "the paper was revoked"}};
}

Result<std::string> bytes(db::Connection& keeper, const Paper& paper) {
  JW_CHECK(check_in_force(paper));
  db::Rows rows = keeper.query("SELECT content FROM paper WHERE number = $1", {paper.number});
  if (!rows.next()) return kUnknown;
  return std::string(rows.blob(0));
}

Given given_since(db::Connection& keeper, int64_t account, std::string_view kind, Instant since) {
  db::Rows rows = keeper.query(
      "SELECT CAST(COUNT(*) AS BIGINT), CAST(COALESCE(SUM(LENGTH(content)), 0) AS BIGINT) FROM paper WHERE account = "
      "$1 AND kind = $2 AND made > $3",
      {account, kind, since.us});
  rows.next();
  return {rows.integer(0), rows.integer(1)};
}

Result<Paper> revoke(db::Connection& transaction, std::string_view number, int64_t by_account, std::string_view reason,
                     Instant now) {
  JW_TRY(const std::string stated, typed_reason(reason));
  JW_TRY(Paper paper, hold(transaction, number, now));
  if (paper.state == State::revoked) JW_CHECK(check_in_force(paper));
  transaction.execute("UPDATE paper SET revoked = $2, revoked_by = $3, revoked_reason = $4 WHERE number = $1",
                      {number, now.us, by_account, stated});
  paper.state = State::revoked;
  return paper;
}

db::Reach readers_reach() {
  db::Reach reach;
  reach.columns["paper"] = {"number", "code_digest", "kind",    "title",   "account",    "sha256",
                            "outbox", "made",        "expires", "revoked", "replaced_by"};
  return reach;
}

}  // namespace jw::paper
