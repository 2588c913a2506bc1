#include "kernel/notice/postman.hpp"

#include <algorithm>
#include <vector>

namespace jw::notice {

// Notices of one account that this node mails now. `until` is when the claim lapses, and the mark by which it is known.
struct Postman::Claim {
  struct Item {
    int64_t id = 0, written_us = 0, attempts = 0;
  };
  std::vector<Item> items{};
  std::vector<int64_t> seen{};
  int64_t until_us = 0;
  std::optional<std::string> address{};
};

namespace {

constexpr int64_t kMargin = 2 * 60 * kSecond;  // beyond the time limit of a send: writing it down, clocks apart

int64_t delay_after(int64_t attempts) {
  int64_t delay = kFirstDelay;
  for (int64_t i = 1; i < attempts && delay < kLongestDelay; ++i) delay *= 2;
  return std::min(delay, kLongestDelay);
}

std::vector<int64_t> accounts_due(db::Connection& connection, Instant now, int64_t most) {
  std::vector<int64_t> accounts;
  db::Rows rows = connection.query(
      "SELECT account FROM notice WHERE mail_state = 'due' AND mail_next_us <= $1 "
      "GROUP BY account ORDER BY MIN(mail_next_us), account LIMIT $2",
      {now.us, most});
  while (rows.next()) accounts.push_back(rows.integer(0));
  return accounts;
}

// Whoever waited for another node's claim of the same row looks at the condition again and takes nothing.
int64_t settle(db::Connection& transaction, int64_t id, int64_t until_us, const char* state, const std::string& reason,
               std::optional<int64_t> next_us) {
  return transaction.execute(
      "UPDATE notice SET mail_state = $3, mail_reason = $4, mail_next_us = $5 "
      "WHERE id = $1 AND mail_state = 'due' AND mail_next_us = $2",
      {id, until_us, state, reason, next_us});
}

}  // namespace

Postman::Postman(db::Store& store, mail::Mailer& mailer, const Clock& clock, AddressOf address_of, Letter letter)
    : store_(store), mailer_(mailer), clock_(clock), address_of_(std::move(address_of)), letter_(std::move(letter)) {}

void Postman::stop() {
  stopping_ = true;
  mailer_.stop();
}

Postman::Claim Postman::claim(int64_t account) {
  Claim claim;
  const db::Store::Lease writer = store_.writer();
  db::Transaction transaction(*writer, db::Transaction::Mode::write);
  const Instant now = clock_.now();
  claim.until_us = now.us + std::chrono::microseconds(mailer_.timeout()).count() + kMargin;
  {
    db::Rows rows = writer->query(
        "UPDATE notice SET mail_attempts = mail_attempts + 1, mail_next_us = $3 "
        "WHERE account = $1 AND mail_state = 'due' AND mail_next_us <= $2 "
        "RETURNING id, made, mail_attempts, CASE WHEN seen IS NULL THEN 0 ELSE 1 END",
        {account, now.us, claim.until_us});
    while (rows.next()) {
      if (rows.integer(3) != 0) {
        claim.seen.push_back(rows.integer(0));
      } else {
        claim.items.push_back({rows.integer(0), rows.integer(1), rows.integer(2)});
      }
    }
  }
  if (!claim.items.empty()) claim.address = address_of_(*writer, account);
  transaction.commit();
  std::ranges::sort(claim.items, {}, &Claim::Item::id);
  return claim;
}

void Postman::write_down(const Claim& claim, const mail::Sent& sent, Delivered& delivered) {
  const db::Store::Lease writer = store_.writer();
  db::Transaction transaction(*writer, db::Transaction::Mode::write);
  const Instant now = clock_.now();
  for (const int64_t id : claim.seen) delivered.none += settle(*writer, id, claim.until_us, "none", "seen", {});
  for (const Claim::Item& each : claim.items) {
    if (!claim.address) {
      delivered.none += settle(*writer, each.id, claim.until_us, "none", "no_address", {});
    } else if (sent.outcome == mail::Outcome::sent) {
      settle(*writer, each.id, claim.until_us, "sent", sent.reason, {});
    } else if (sent.outcome == mail::Outcome::refused) {
      delivered.refused += settle(*writer, each.id, claim.until_us, "refused", sent.reason, {});
    } else {
      delivered.later +=
          settle(*writer, each.id, claim.until_us, "due", sent.reason, now.us + delay_after(each.attempts));
    }
  }
  transaction.commit();
}

void Postman::give_up_old(Delivered& delivered) {
  const db::Store::Lease writer = store_.writer();
  db::Transaction transaction(*writer, db::Transaction::Mode::write);
  const Instant now = clock_.now();
  const int64_t count = writer->execute(
      "UPDATE notice SET mail_state = 'refused', mail_next_us = NULL, "
      "mail_reason = CASE WHEN mail_reason IS NULL THEN 'given_up' ELSE 'given_up_' || mail_reason END "
      "WHERE mail_state = 'due' AND mail_next_us <= $1 AND made <= $2",
      {now.us, now.us - kGivenUpAfter});
  transaction.commit();
  delivered.refused += count;
  if (count > 0) delivered.trouble = "given_up";
}

Delivered Postman::deliver_due(int64_t accounts_most) {
  Delivered delivered;
  std::vector<int64_t> accounts;
  {
    const db::Store::Lease reader = store_.private_reader();
    accounts = accounts_due(*reader, clock_.now(), accounts_most);
  }
  if (accounts.empty()) return delivered;
  give_up_old(delivered);
  const std::string& from = mailer_.from_address();
  const std::string domain = from.substr(from.find('@'));
  bool away = false;
  for (const int64_t account : accounts) {
    if (stopping_ || away) break;
    const Claim claimed = claim(account);
    mail::Sent sent;
    if (claimed.address) {
      const Claim::Item& first = claimed.items.front();
      mail::Message message;
      message.to = *claimed.address;
      message.subject = letter_.subject;
      message.text = letter_.text;
      message.message_id = "notice-" + std::to_string(first.id) + "." + std::to_string(first.written_us) + domain;
      message.date = {first.written_us};
      sent = mailer_.send(message);
      away = sent.server_away;
      if (sent.outcome == mail::Outcome::sent) {
        ++delivered.mails;
      } else {
        delivered.trouble = sent.reason;
      }
    }
    if (!claimed.items.empty() || !claimed.seen.empty()) write_down(claimed, sent, delivered);
  }
  mailer_.hang_up();
  return delivered;
}

}  // namespace jw::notice
