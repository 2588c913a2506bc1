// The register of papers (§2.4.2, §3.1.4, §3.3.1): whatever the system hands out on paper or as a file, of every kind:
// written replies, exports, and what procedures add. One series of numbers, one kind of code, one answer to whoever
// holds a paper and asks whether it is genuine and still stands (/v/CODE).
//
// A paper is issued in the transaction of the act that makes it: number and code are taken, printed on it, and it is
// entered with its bytes. The code is told then and never again: the register keeps its digest only. What else a kind
// knows of its papers (the case of a letter, the query of an export) stands in a table of its own, by number.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/time.hpp"
#include "platform/db/api.hpp"

namespace jw::paper {

// What is printed on a paper.
struct Mark {
  int64_t id = 0;  // in the register: year and serial
  std::string number;
  std::string code;  // 16 characters of Crockford's base32 (80 bits), without dashes
};

// Takes the next number of the year: two at once never get the same, and none is left out (a rolled back transaction
// gives it back). One series counts for all kinds. `prefix`: 代字 of an official letter, "教查" gives 教查〔2026〕17号;
// empty gives D2026-000017.
Mark take(db::Connection& transaction, std::string_view prefix, Instant now);

struct New {
  std::string_view kind = {};   // "letter", "export": named for people by the pages (verify.kind.NAME)
  std::string_view title = {};  // shown to whoever has the code: names no person
  int64_t account = 0;          // whose it is
  std::string_view bytes = {};  // of the file, with the mark on it
  int64_t outbox = 0;           // entry in the record about its making
  std::optional<Instant> expires = {};
  std::string_view replaces = {};  // number of the paper whose place it takes
};
// Enters it into the register, in the transaction that took the mark; gives hex SHA-256 of the bytes. Refusals, when it
// replaces another: those of check_in_force(), paper.unknown.
Result<std::string> issue(db::Connection& transaction, const Mark& mark, const New& paper, Instant now);

enum class State : uint8_t { valid, expired, replaced, revoked };
std::string_view name(State state);  // "valid" …

struct Paper {
  std::string number, kind, title;
  std::string sha256;  // hex
  int64_t account = 0;
  int64_t outbox = 0;  // entry in the record about its making
  Instant made;
  std::optional<Instant> expires;
  State state = State::valid;  // as of the instant asked for
  std::string replaced_by;     // number; empty: by none
};

// By what somebody typed or scanned: either case, with or without dashes and blanks, O for 0 and I or L for 1.
// nullopt: no paper has this code. `reader`: a reading connection.
std::optional<Paper> find_by_code(db::Connection& reader, std::string_view code, Instant now);
std::optional<Paper> find(db::Connection& reader, std::string_view number, Instant now);

// Refuses what is revoked, replaced or expired (409: paper.revoked, paper.replaced, paper.expired).
Result<Done> check_in_force(const Paper& paper);
// The bytes of a paper in force; else as check_in_force(). `keeper`: reads past the belt (db::Store::private_reader).
// Whether this person may have them is the caller's to ask.
Result<std::string> bytes(db::Connection& keeper, const Paper& paper);

// What papers of one kind an account was given since then come to. `keeper`: as above.
struct Given {
  int64_t papers = 0, bytes = 0;
};
Given given_since(db::Connection& keeper, int64_t account, std::string_view kind, Instant since);

// Withdraws a paper of any kind, one that has expired or was replaced, too: it is still held by somebody who takes it
// for genuine. For ever. Refusals: paper.unknown (404), paper.revoked (409), text.not_accepted (422). What is put on
// record, and who is told, is the caller's.
Result<Paper> revoke(db::Connection& transaction, std::string_view number, int64_t by_account, std::string_view reason,
                     Instant now);

// What reading connections may read: all but the bytes.
db::Reach readers_reach();

}  // namespace jw::paper
