// The record (§4.3.2, design §7): every query, refusal, act, change and sign-in is one leaf of a Merkle log (RFC 6962),
// durable before anything is released. Nobody, the administrators included, has a function to change or delete a leaf.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "platform/db/api.hpp"

namespace jw::record {

using Hash = std::array<uint8_t, 32>;

// One person (or, for answers about more than kPersonsMax persons, one class or unit) that an answer told something about.
struct Subject {
  enum class Kind : uint8_t { person, group };
  Kind kind = Kind::person;
  int64_t id = 0;      // person id, or id of the group's row
  int64_t count = 1;   // persons of that group in the answer
};
constexpr size_t kPersonsMax = 200;

struct Entry {
  Instant time;
  std::string kind;         // query | detail | statistics | export | print | refusal | change | act | sign_in | sign_in_failed | sign_out | administration
  int64_t account = 0;      // 0 = nobody signed in
  int64_t person = 0;       // who
  int64_t beneficiary = 0;  // for whom, when assisted; 0 = the same person
  int64_t session = 0;
  std::string post;         // post under which it was answered, "," separated when several
  std::string unit;         // unit of that post
  std::string dataset;
  std::string action;
  std::string purpose;
  std::string decision;     // "allowed" | "denied" | "aborted" | machine name of the refusal
  std::string basis;        // clauses and grants, "," separated: "§2.3.1,grant:2026-0017"
  int64_t policy_version = 0;
  std::string plan;         // hex digest of the statement's shape
  std::string parameters;   // JSON: the request as understood (personal part of the leaf)
  int64_t rows = 0;
  Hash digest{};            // SHA-256 of columns, rows and page token of the answer
  std::vector<Subject> subjects;  // written to access_log in the same transaction (who read me, §1.3.1)
};

struct Leaf {
  uint64_t seq = 0;  // 0-based index in the tree
  std::string origin;
  std::string id() const { return origin + "/" + std::to_string(seq); }
};

struct Checkpoint {
  std::string text;  // C2SP signed note: origin, size, base64 root, blank line, signature lines
  uint64_t size = 0;
  Hash root{};
};

struct InclusionProof {
  uint64_t seq = 0;
  uint64_t size = 0;         // of the tree the proof is for
  Hash leaf_hash{};          // H(0x00 || leaf bytes)
  std::string leaf;          // the leaf bytes themselves (header with the digest of the body); empty unless asked for
  std::string body;          // the personal part the header's body digest commits to; only for whoever may see it
  std::vector<Hash> path;
  Checkpoint checkpoint;
};

struct Options {
  std::string origin = "jiaowu.local/record";  // name of this log; one per node or store
  std::string witness;  // "" or a folder: every new checkpoint is also written there (design §7: checkpoints leave the machine)
};

// The one writer of the record of a store. Thread-safe. Appends are collected and committed together (group commit);
// the callback runs on the writer's thread as soon as the leaf is durable, in order of seq. It must be short.
class Recorder {
 public:
  // Makes the tables if absent, restores the tree from the store, writes `aborted` outcomes for open intents,
  // and moves over what waits in the outbox. Throws db::Error; std::runtime_error when the stored tree is not whole.
  static std::unique_ptr<Recorder> open(db::Store& store, const Clock& clock, const Options& options);
  virtual ~Recorder() = default;  // commits what waits

  // Called with the durable leaf, or with nullopt when it could not be made durable (then nothing may be released).
  using Durable = std::function<void(std::optional<Leaf>)>;
  virtual void append(Entry entry, Durable durable) = 0;
  std::optional<Leaf> append_and_wait(Entry entry);

  // Inside a change's or act's own transaction: puts the entry into the store's outbox. After the commit call
  // deliver(): it returns when the leaf is in the tree, exactly once, also after a crash in between.
  virtual int64_t put_in_outbox(db::Connection& transaction, const Entry& entry) = 0;
  virtual std::optional<Leaf> deliver(int64_t outbox_id) = 0;

  virtual Checkpoint checkpoint() = 0;                                // over everything durable now, signed
  virtual std::optional<InclusionProof> prove(uint64_t seq) = 0;      // nullopt: no such leaf
  virtual std::vector<Hash> consistency(uint64_t old_size, uint64_t new_size) = 0;
  virtual std::string public_key() const = 0;  // C2SP verifier key "name+hash+base64"
  virtual bool healthy() const = 0;            // false once appending failed (disk full …): the server then answers 503
};

// Offline check of a whole record: every leaf hash, the tree, every stored checkpoint and its signature, the order of time;
// `against`: text of a checkpoint kept elsewhere, which must be a prefix. Problems in both languages; none = holds.
std::vector<Text> verify(db::Connection& reader, const std::string& against);

}  // namespace jw::record
