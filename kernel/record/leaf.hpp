// The bytes of a leaf. Nothing here may ever change for a version: a browser and an offline check read the same bytes.
//
// Version 2, written now. Header (what the tree commits to; leaf hash = H(0x00 || header)), all numbers big endian:
//    at  0  1 byte    version = 2
//    at  1  8 bytes   seq, 0-based index in the tree
//    at  9  8 bytes   recorded: microseconds since 1970, when it was put into the tree; never less than in the leaf
//    before at 17  8 bytes   time: microseconds since 1970, of what happened at 25  32 bytes  body digest =
//    SHA-256(salt || body) at 57  32 bytes  rows digest = SHA-256(salt of the rows || rows) (kernel/record/rows.hpp);
//    zeros when nothing was written
//    then   three texts: kind, post, unit
//    and nothing behind. It is what a proof shows to others than who acted, and what stays for ever: the class of act,
//    the time, post and unit. Whatever else could be found out by trying values lies in the body, under its salt.
// A number is an unsigned LEB128 (low seven bits first, high bit = more follows, shortest form only) of its 64 bits; a
// text is such a number, its length in bytes, then UTF-8 (a text that was not UTF-8 is kept as "not-utf8:" and its
// bytes in hex).
//
// Body (the personal part; may be destroyed, every proof still holds): 1 byte version = 2; 32 bytes digest of the
// answer (SHA-256 of columns, rows, page token; zeros when there was none); seven numbers: account, person,
// beneficiary, session, policy_version, rows, intent (0 = none, else seq of the intent leaf + 1); six texts: dataset,
// action, purpose, decision, basis, plan; number of subjects; for each 1 byte kind (0 person, 1 group), number id,
// number count; the rest is the text of the parameters (JSON). Salt: 16 random bytes, without which a body cannot be
// guessed from its digest.
//
// Version 1, read only: the digest of the answer stood at 57, and the header's numbers and texts were those seven, then
// kind, post, unit, dataset, action, purpose, decision, basis, plan; its body (version = 1) began with the subjects.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "kernel/record/api.hpp"

namespace jw::record {

constexpr size_t kSaltSize = 16;

struct LeafBytes {
  std::string header;
  std::string body;
  std::string salt;
  std::string rows;       // what the act wrote (rows.hpp); empty: nothing
  std::string rows_salt;  // empty with them
};

// The header with seq 0, recorded 0 and no rows: its place in the tree is known only to the writer, and what is written
// only when the transaction ends. Throws std::invalid_argument for more than kSubjectsMax subjects.
LeafBytes encode(const Entry& entry);
void place_leaf(std::string& header, uint64_t seq, Instant recorded);
void place_rows(std::string& header, const Hash& digest);
Hash salted_digest(std::string_view salt, std::string_view bytes);  // of body, of rows

// Subjects one after the other, then the parameters; borrows.
class SubjectReader {
 public:
  SubjectReader() = default;
  explicit SubjectReader(std::string_view bytes);      // from their number on
  std::optional<Subject> next();                       // nullopt: no more, or broken
  bool whole() const { return whole_ && left_ == 0; }  // after the last subject: everything could be read
  std::string_view parameters() const { return rest_; }

 private:
  std::string_view rest_;
  uint64_t left_ = 0;
  bool whole_ = false;
};

// A leaf read in place; borrows.
struct LeafView {
  unsigned version = 0;
  uint64_t seq = 0;
  Instant recorded;
  Instant time;
  std::string_view body_digest;
  std::string_view rows_digest;  // of version 2
  std::string_view kind, post, unit;
  bool has_body = false;
  // Of the body (version 1: of the header); nothing without it.
  std::string_view digest;
  int64_t account = 0, person = 0, beneficiary = 0, session = 0, policy_version = 0, rows = 0;
  uint64_t intent = 0;
  std::string_view dataset, action, purpose, decision, basis, plan;
  SubjectReader subjects;

  bool wrote_rows() const;  // its rows digest is not zeros
  // nullopt unless a known version to the letter. `body` may be empty: destroyed.
  static std::optional<LeafView> read(std::string_view header, std::string_view body);
};

// nullopt when either cannot be read.
std::optional<Entry> decode(std::string_view header, std::string_view body);

}  // namespace jw::record
