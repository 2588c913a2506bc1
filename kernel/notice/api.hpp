// Notices (design §8): what waits for somebody, written in the transaction of the act it tells of, so that it exists
// exactly when the act does. They are asked like everything else (catalog/notice.toml); mail only says that something
// waits (postman.hpp).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/time.hpp"
#include "platform/db/api.hpp"

namespace jw::notice {

struct Notice {
  int64_t account = 0;
  std::string about;  // "case:2026-0017", "grant:2026-0017", "deputy:17", "paper:D2026-000017", or empty
  Text text;
};

void put_notice(db::Connection& transaction, const Notice& notice, Instant now);
// What called for work is over with the work: whoever has not seen it need not. All about this, but of one account.
void settle(db::Connection& transaction, std::string_view about, int64_t but_of, Instant now);
int64_t unread(db::Connection& connection, int64_t account);
// Those of the account among `numbers`; empty = all. Returns how many were unread.
int64_t mark_read(db::Connection& transaction, int64_t account, std::span<const int64_t> numbers, Instant now);

db::Reach readers_reach();

}  // namespace jw::notice
