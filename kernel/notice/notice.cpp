#include "kernel/notice/api.hpp"

namespace jw::notice {

void put_notice(db::Connection& transaction, const Notice& notice, Instant now) {
  transaction.execute("UPDATE notice_number SET next = next + 1 WHERE id = 1");
  int64_t id = 0;
  {
    db::Rows rows = transaction.query("SELECT next - 1 FROM notice_number WHERE id = 1");
    rows.next();
    id = rows.integer(0);
  }
  transaction.execute(
      "INSERT INTO notice (id, number, account, person_id, about, text_zh, text_en, made, mail_state, mail_next_us) "
      "VALUES ($1, $1, $2, (SELECT person_id FROM account WHERE id = $2), $3, $4, $5, $6, 'due', $6)",
      {id, notice.account, notice.about, notice.text.zh, notice.text.en, now.us});
}

void settle(db::Connection& transaction, std::string_view about, int64_t but_of, Instant now) {
  transaction.execute("UPDATE notice SET seen = $3 WHERE about = $1 AND account <> $2 AND seen IS NULL",
                      {about, but_of, now.us});
}

int64_t unread(db::Connection& connection, int64_t account) {
  db::Rows rows = connection.query("SELECT COUNT(*) FROM notice WHERE account = $1 AND seen IS NULL", {account});
  rows.next();
  return rows.integer(0);
}

int64_t mark_read(db::Connection& transaction, int64_t account, std::span<const int64_t> numbers, Instant now) {
  if (numbers.empty())
    return transaction.execute("UPDATE notice SET seen = $2 WHERE account = $1 AND seen IS NULL", {account, now.us});
  int64_t count = 0;
  for (const int64_t number : numbers) {
    count += transaction.execute("UPDATE notice SET seen = $3 WHERE account = $1 AND number = $2 AND seen IS NULL",
                                 {account, number, now.us});
  }
  return count;
}

db::Reach readers_reach() {
  db::Reach reach;
  reach.columns["notice"] = {"account", "seen"};
  reach.functions = {"count"};
  return reach;
}

}  // namespace jw::notice
