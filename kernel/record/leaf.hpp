// The bytes of a leaf. Nothing here may ever change for version 1: a browser and an offline check read the same bytes.
//
// Header (what the tree commits to; leaf hash = H(0x00 || header)), all numbers big endian:
//    at  0  1 byte    version = 1
//    at  1  8 bytes   seq, 0-based index in the tree
//    at  9  8 bytes   recorded: microseconds since 1970, when it was put into the tree; never less than in the leaf
//    before at 17  8 bytes   time: microseconds since 1970, of what happened at 25  32 bytes  body digest =
//    SHA-256(salt || body) at 57  32 bytes  digest of the answer (SHA-256 of columns, rows, page token); zeros when
//    there was none at 89  seven numbers: account, person, beneficiary, session, policy_version, rows, intent
//           (intent: 0 = none, else seq of the intent leaf + 1)
//    then   nine texts: kind, post, unit, dataset, action, purpose, decision, basis, plan
//    and nothing behind.
// A number is an unsigned LEB128 (low seven bits first, high bit = more follows, shortest form only) of its 64 bits; a
// text is such a number, its length in bytes, then UTF-8 (a text that was not UTF-8 is kept as "not-utf8:" and its
// bytes in hex).
//
// Body (the personal part; may be destroyed, every proof still holds): 1 byte version = 1; number of subjects; for each
// 1 byte kind (0 person, 1 group), number id, number count; the rest is the text of the parameters (JSON).
// Salt: 16 random bytes, without which a destroyed body cannot be guessed from its digest.
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
};

// The header with seq 0 and recorded 0: the place in the tree is known only to the writer, which puts it in last.
// Throws std::invalid_argument for more than kSubjectsMax subjects.
LeafBytes encode(const Entry& entry);
void place_leaf(std::string& header, uint64_t seq, Instant recorded);
Hash body_digest(std::string_view salt, std::string_view body);

// A header read in place; borrows.
struct HeaderView {
  uint64_t seq = 0;
  Instant recorded;
  Instant time;
  std::string_view body_digest;
  std::string_view digest;
  int64_t account = 0, person = 0, beneficiary = 0, session = 0, policy_version = 0, rows = 0;
  uint64_t intent = 0;
  std::string_view kind, post, unit, dataset, action, purpose, decision, basis, plan;

  static std::optional<HeaderView> read(std::string_view header);  // nullopt unless version 1 to the letter
};

// Subjects one after the other, then the parameters; borrows.
class BodyReader {
 public:
  explicit BodyReader(std::string_view body);
  std::optional<Subject> next();                       // nullopt: no more, or broken
  bool whole() const { return whole_ && left_ == 0; }  // after the last subject: everything could be read
  std::string_view parameters() const { return rest_; }

 private:
  std::string_view rest_;
  uint64_t left_ = 0;
  bool whole_ = false;
};

// nullopt when either cannot be read. An empty body (destroyed) leaves subjects and parameters empty.
std::optional<Entry> decode(std::string_view header, std::string_view body);

}  // namespace jw::record
