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
      "INSERT INTO notice (id, account, about, text_zh, text_en, created_us, mail_state, mail_next_us) "
      "VALUES ($1, $2, $3, $4, $5, $6, 'due', $6)",
      {id, notice.account, notice.about, notice.text.zh, notice.text.en, now.us});
}

std::vector<Notice> notices_of(db::Connection& connection, int64_t account, int64_t before, int64_t most) {
  std::vector<Notice> all;
  db::Rows rows = connection.query(
      "SELECT id, about, text_zh, text_en, created_us, read_us FROM notice WHERE account = $1 AND ($2 = 0 OR id < $2) "
      "ORDER BY id DESC LIMIT $3",
      {account, before, most});
  while (rows.next()) {
    Notice notice;
    notice.id = rows.integer(0);
    notice.account = account;
    notice.about = rows.text(1);
    notice.text = {std::string(rows.text(2)), std::string(rows.text(3))};
    notice.created = {rows.integer(4)};
    notice.read = !rows.is_null(5);
    all.push_back(std::move(notice));
  }
  return all;
}

int64_t unread(db::Connection& connection, int64_t account) {
  db::Rows rows = connection.query("SELECT COUNT(*) FROM notice WHERE account = $1 AND read_us IS NULL", {account});
  rows.next();
  return rows.integer(0);
}

int64_t mark_read(db::Connection& transaction, int64_t account, std::span<const int64_t> ids, Instant now) {
  if (ids.empty())
    return transaction.execute("UPDATE notice SET read_us = $2 WHERE account = $1 AND read_us IS NULL",
                               {account, now.us});
  int64_t count = 0;
  for (const int64_t id : ids) {
    count += transaction.execute("UPDATE notice SET read_us = $3 WHERE account = $1 AND id = $2 AND read_us IS NULL",
                                 {account, id, now.us});
  }
  return count;
}

db::Reach readers_reach() {
  db::Reach reach;
  reach.columns["notice"] = {"id", "account", "about", "text_zh", "text_en", "created_us", "read_us"};
  reach.functions = {"count"};
  return reach;
}

}  // namespace jw::notice
