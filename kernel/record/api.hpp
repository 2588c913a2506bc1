// The record (§4.3.2, design §7): every query, refusal, act, change and sign-in is one leaf of a Merkle log (RFC 6962),
// durable before anything is released. Nobody, the administrators included, has a function to change or delete a leaf.
//
// Where it lies: schema `record` beside the store. SQLite: a file of its own, attached under that name to the store's
// connections (read-only there) and opened by the recorder on its own connection, so that a long transaction of the
// store never delays a read. PostgreSQL: schema `record` of the same database, on the recorder's own connections;
// several application nodes append to one tree, one batch at a time under a row lock. Tables: kernel/record/tables.hpp;
// bytes of a leaf: leaf.hpp; rows of the store it answers for: rows.hpp; the tree: merkle.hpp; checkpoints: note.hpp;
// evidence for a browser: proof_json.hpp.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "kernel/record/merkle.hpp"
#include "kernel/record/rows.hpp"
#include "platform/db/api.hpp"

namespace jw::record {

// One person (or, for answers about more than kPersonsMax persons, one class or unit) that an answer told something
// about.
struct Subject {
  enum class Kind : uint8_t { person, group };
  Kind kind = Kind::person;
  int64_t id = 0;     // person id, or id of the group's row
  int64_t count = 1;  // persons of that group in the answer
};
constexpr size_t kPersonsMax = 200;

// By whose hand something is done. account 0: nobody signed in; the operator on the command line, or the clock.
struct Hand {
  int64_t account = 0, person = 0, session = 0;
  std::string name;
  std::string post, unit;  // in which capacity; empty: as a person
};

struct Entry {
  Instant time;
  std::string kind;  // query | detail | statistics | export | print | refusal | change | act | sign_in | sign_in_failed
                     // | sign_out | administration | retention | rows (written without an act, rows.hpp) | subjects
  int64_t account = 0;      // 0 = nobody signed in
  int64_t person = 0;       // who
  int64_t beneficiary = 0;  // for whom, when assisted; 0 = the same person
  int64_t session = 0;
  std::string post;  // post under which it was answered, "," separated when several
  std::string unit;  // unit of that post
  std::string dataset;
  std::string action;
  std::string purpose;
  std::string decision;  // "allowed" | "denied" | "aborted" | machine name of the refusal
  std::string basis;     // clauses and grants, "," separated: "§2.3.1,grant:2026-0017"
  int64_t policy_version = 0;
  std::string plan;        // hex digest of the statement's shape
  std::string parameters;  // JSON: the request as understood (personal part of the leaf)
  int64_t rows = 0;
  Hash digest{};                  // SHA-256 of columns, rows and page token of the answer
  std::vector<Subject> subjects;  // written to access_log in the same transaction (who read me, §1.3.1)
  // An effect outside (document, letter) is two leaves: first decision = "intent", then, naming that leaf's seq here,
  // one with the outcome. An intent left open by a crash is closed as "aborted" when the recorder opens again.
  std::optional<uint64_t> intent{};
};
// Allowed, by this hand; all else is the caller's.
Entry entry_of(const Hand& hand, std::string_view kind, std::string_view action, Instant now);
// An act under a clause ("2.4.2"); without an account: of administration.
Entry act_of(const Hand& hand, std::string_view action, std::string_view clause, Instant now);
// One leaf names so many; the others stand in leaves of kind "subjects" in front of it, which say nothing else of the
// answer.
constexpr size_t kSubjectsMax = 65'536;

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
  uint64_t size = 0;  // of the tree the proof is for
  Hash leaf_hash{};   // H(0x00 || leaf bytes)
  std::string leaf;   // the leaf bytes themselves (header with the digest of the body)
  std::string body;   // the personal part the header's body digest commits to; only for whoever may see it;
  std::string salt;   // with its salt; both empty once destroyed after retention
  Entry entry;        // both decoded
  Instant recorded;   // when it was put into the tree, never earlier than the leaf before
  std::vector<Hash> path;
  Checkpoint checkpoint;
};

struct Options {
  // Name of this log: that of the key in its checkpoints, and the first part of every leaf's id. Fixed when the record
  // is made; another one later is std::runtime_error. No space, no '+'.
  std::string origin = "jiaowu.local/record";
  // The key that signs checkpoints (key_file.hpp), made with the record; every node of a store needs the same one.
  std::string key_file;
  // What the leaves answer for in the store (rows.hpp).
  Kept kept;
  // Join a store and a record that do not fit, as they are now: a leaf says so, and why.
  bool adopt = false;
  Hand adopted_by{};
  std::string adopt_reason;
  // The shape of tables was changed by who opens (and nothing else has happened since): the rows are stated anew.
  bool migrated = false;
  bool restructured = false;  // stored values were changed with it: every dataset is stated anew
  std::string migration;      // what was done, for its leaf
  // "" or a folder, best on another machine: every new checkpoint is also written there, file name = size, never over a
  // different one (design §7: checkpoints leave the machine).
  std::string witness;
  // Which of the processes that append to this record this is: opening closes the open intents of the same name only.
  // A command line beside a running server takes another name than the server's.
  std::string node = "server";
  std::chrono::milliseconds checkpoint_every{1000};  // at most so often while there is news
  size_t queue_max = 8192;  // entries waiting; append() blocks when reached, nothing is dropped
  size_t batch_max = 512;   // leaves committed together at most
};

// Options of the recorder's own store for a store opened with `store` (whose attached_name must be "record"): on SQLite
// the record file itself, on PostgreSQL the same database without the reading role.
db::Options record_store(const db::Options& store);

// Store and record are not of one another, or one is older than the other, or the record is absent: nothing may be
// answered (it would be evidence of nothing) until the operator has put the right one back, or adopts what is there.
class Apart : public std::runtime_error {
 public:
  explicit Apart(Text text) : std::runtime_error(text.zh + " / " + text.en), text_(std::move(text)) {}
  const Text& text() const { return text_; }

 private:
  Text text_;
};
// What the operator is to do about it.
const Text& apart_advice();

// The one writer of the record of a store. Thread-safe. Appends are collected and committed together (group commit);
// the callback runs on the writer's thread as soon as the leaf is durable, in order of seq. It must be short, must not
// throw, and must not wait for another leaf.
class Recorder {
 public:
  // `record`: opened with record_store(). Both stores must outlive the recorder. Makes the tables if absent, restores
  // the tree, writes `aborted` outcomes for open intents, moves over what waits in the outbox. A new record and its
  // store take each other's name. From then on the store's writing transactions are watched, until the recorder ends.
  // Throws db::Error; Apart; std::runtime_error when the stored tree is not whole, or the key cannot be read.
  static std::unique_ptr<Recorder> open(db::Store& store, db::Store& record, const Clock& clock,
                                        const Options& options);
  // Commits what waits, makes a last checkpoint. The caller must not hold a writer of either store.
  virtual ~Recorder() = default;

  // Called with the durable leaf, or with nullopt when it could not be made durable (then nothing may be released).
  // On PostgreSQL a connection lost during COMMIT is nullopt too, though the leaf may turn out to be there.
  using Durable = std::function<void(std::optional<Leaf>)>;
  virtual void append(Entry entry, Durable durable) = 0;  // entry.time 0: now
  std::optional<Leaf> append_and_wait(Entry entry);

  // Inside a change's or act's own transaction: puts the entry into the store's outbox. After the commit call
  // deliver(): it returns when the leaf is in the tree, exactly once, also after a crash in between. nullopt: it could
  // not be made durable now, and will be as soon as the record can be written again; or the id was never committed.
  virtual int64_t put_in_outbox(db::Connection& transaction, const Entry& entry) = 0;
  virtual std::optional<Leaf> deliver(int64_t outbox_id) = 0;

  // After retention: destroys the personal part (body, salt, who-read-me) of the leaves with seq < before. Their
  // headers stay and every proof still holds. Recorded first, by a leaf of kind "retention" that names `before` in its
  // rows; verify() accepts a missing body only under such a leaf. nullopt: could not be recorded, nothing destroyed.
  virtual std::optional<Leaf> destroy_bodies(uint64_t before, Entry entry) = 0;

  // Each throws db::Error when the store cannot be read or written.
  virtual Checkpoint checkpoint() = 0;                            // over everything durable now, signed, stored
  virtual std::optional<InclusionProof> prove(uint64_t seq) = 0;  // nullopt: no such leaf
  // That the tree of old_size leaves is a prefix of the one of new_size; nullopt: there are no such trees.
  virtual std::optional<std::vector<Hash>> consistency(uint64_t old_size, uint64_t new_size) = 0;
  virtual std::string public_key() const = 0;  // C2SP verifier key "name+hash+base64"
  virtual std::string origin() const = 0;
  virtual uint64_t size() const = 0;  // leaves known to be durable
  virtual bool healthy() const = 0;   // false once appending failed (disk full …): the server then answers 503
  virtual std::vector<Text> problems()
      const = 0;  // what the operator must know: witness not reachable, or a fork found there
};

// The seed (32 bytes) of the key that signs steps of cases: it follows from that of the record, so that whoever can
// write the store signs nothing. A store of an older version held one itself: keep_step_seed() takes it into the file,
// durable when it returns. Throw std::runtime_error as Recorder::open does, and for a file that has another.
std::string step_seed(const std::string& key_file);
void keep_step_seed(const std::string& key_file, std::string_view seed);
std::runtime_error wrong_key_file(const std::string& key_file);  // it is not that of this store

// Ids in the store's outbox that wait for delivery, oldest first, at most 100. `connection` reads past the belt.
std::vector<int64_t> waiting(db::Connection& connection);

// What happened, without what was told; account, session and dataset are gone with a body that was destroyed. Borrows.
struct Trace {
  uint64_t seq = 0;
  Instant time;
  std::string_view kind, dataset, decision;
  int64_t account = 0, session = 0, rows = 0;
};
// Leaves from seq `from` on, in order, at most `most`; gives the seq to go on from. `connection` reads past the belt
// (db::Store::private_reader). db::Error (corrupt) for a leaf that cannot be read.
uint64_t read_trail(db::Connection& connection, uint64_t from, size_t most,
                    const std::function<void(const Trace&)>& each);

// Offline check of a whole record: every leaf hash, the tree, every stored checkpoint and its signature, the order of
// time; that who-read-me says what the leaves say; `against`: text of a checkpoint kept elsewhere ("" = none), whose
// tree must be a prefix; that the rows of the store are those that the leaves say were written (rows.hpp), that store
// and record are of one another; and, with `key_file`, that the record's key is the one there. `reader`: of the store,
// with schema `record` in reach, past the belt. Problems in both languages, at most kProblemsMax; none = holds.
constexpr size_t kProblemsMax = 100;
struct Against {
  std::string checkpoint{}, key_file{};
};
bool joined(db::Connection& reader);  // whether the store has a record that answers for it
std::vector<Text> verify(db::Connection& reader, const Kept& kept, const Against& against);

}  // namespace jw::record
