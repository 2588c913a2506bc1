// Cases: the one way to carry out a procedure of the regulation (design §8, §2.4, §2.5). A kind of case is a table of
// transitions; this engine alone moves a case from state to state. State, history, deadline, letter and leaf of the
// record are one transaction; notices are written in it and sent after it. Nothing is ever decided by silence but what
// a kind's own table says of the clock.
//
// A kind states who may take each step as a post of the regulation in one of three units of the case (of the applicant,
// of the head who signs, of the owner of the data); which unit that is, the kind settles when a case is submitted.
// Steps that approve are taken by different people: never by the applicant, never twice by the same person, a deputy
// and the principal counting as one (§2.4.3).
#pragma once

#include <boost/json/object.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "kernel/calendar/api.hpp"
#include "kernel/catalog/api.hpp"
#include "kernel/identity/api.hpp"
#include "kernel/policy/api.hpp"
#include "kernel/record/api.hpp"
#include "platform/crypto/api.hpp"
#include "platform/db/api.hpp"

namespace jw::cases {

// ---- the table of a kind
// ----------------------------------------------------------------------------------------------

// Who takes a step. A row of a table cannot be written without it.
struct Who {
  enum class Is : uint8_t { applicant, post, clock };
  // In which unit the post is held: one of the case, or the one named here.
  enum class Of : uint8_t { anywhere, unit, sign_unit, owner_unit, named };
  Is is;
  std::string_view post;  // name in the regulation
  Of of;
  std::string_view unit;  // named: its code

  static constexpr Who applicant() { return {Is::applicant, {}, Of::anywhere}; }
  static constexpr Who clock() { return {Is::clock, {}, Of::anywhere}; }
  static constexpr Who holder(std::string_view post, Of of = Of::anywhere) { return {Is::post, post, of}; }
  static constexpr Who holder_in(std::string_view post, std::string_view unit) {
    return {Is::post, post, Of::named, unit};
  }

 private:
  constexpr Who(Is is_, std::string_view post_, Of of_, std::string_view unit_ = {})
      : is(is_), post(post_), of(of_), unit(unit_) {}
};

enum class Opinion : uint8_t { none, optional, required };
// How a step or a state looks to people: in favour of what is asked for, against it, or back for amendment.
enum class Tone : uint8_t { plain, good, bad, back };
std::string_view name_of(Tone tone);
// What a step asks of whoever takes it: nothing; re-authentication, with the system's signature over the step; or that
// and being a person who has approved nothing of this case yet and is not the applicant.
enum class Seal : uint8_t { none, signs, approves };

struct Moment;
struct Letter;

// Whom a case waits for, for lists and people; who may act is a matter of the transitions.
struct Waits {
  std::string_view name;
  Text label;
};
extern const Waits kWaitsNobody, kWaitsApplicant;

struct State {
  std::string_view name;
  Text label;
  const Waits& waits_for;
  // Deadline: a setting with working days from the arrival in this state; empty = none. `keeps_clock`: the deadline of
  // the state before goes on.
  std::string_view due_setting = {};
  bool keeps_clock = false;
  std::string_view at_due = {};          // action that the clock takes when it is late; empty: it escalates
  std::optional<Who> escalates_to = {};  // who is told besides when it is late
  bool closed = false;
  Tone tone = Tone::plain;
};

struct Transition {
  std::string_view from;  // empty: opens a case
  std::string_view action;
  std::string_view to;
  Who who;
  Text label;  // of the button
  Opinion opinion = Opinion::none;
  Seal seal = Seal::none;
  // Of several rows with the same state and action the first whose `when` holds is meant. `guard` says why not now; it
  // must not look at the input. `effect` reads the input, changes content and store; after a refusal nothing is kept.
  bool (*when)(const Moment&) = nullptr;
  Result<Done> (*guard)(const Moment&) = nullptr;
  Result<Done> (*effect)(Moment&) = nullptr;
  // The written reply, or nothing.
  std::optional<Letter> (*letter)(const Moment&) = nullptr;
  Tone tone = Tone::plain;
  bool once = false;                             // cannot be taken back and asks for no signature: people confirm it
  bool in_form = false;                          // taken where the content is written, not where it is read
  std::span<const std::string_view> takes = {};  // members of the body, besides the opinion

  bool signs() const { return seal != Seal::none; }
  bool approves() const { return seal == Seal::approves; }
};

// A reply in words; number, date, code and seal are the engine's (§2.4.2).
struct Letter {
  std::string title;      // 关于查询权限申请的批复
  std::string addressee;  // 计算机学院 王珊
  std::vector<std::string> paragraphs;
  std::vector<std::pair<std::string, std::string>> table;
  std::string from;  // 教务处
};

// A printable official form: rows of label and value.
struct Form {
  std::string title;
  std::vector<std::vector<std::pair<std::string, std::string>>> rows;
};

// A member of the content of a case, its name also that of the word it becomes. Sensitive ones are shown to the
// applicant and to whoever has a step in the table of the kind, others to everybody who sees the case; a member without
// a declaration is shown to nobody.
struct Field {
  std::string_view name;
  Text label;
  catalog::Level level;
};

struct Kind {
  std::string_view name;
  Text label;
  std::string_view clause;
  std::span<const State> states;
  std::span<const Transition> transitions;
  std::span<const Field> fields = {};
  std::string_view letter_series = {};  // 代字 of its letters (kernel/paper), when it writes any
  // Adds to the JSON of a case what its content says in words (an open object); what tells of a field bears its name.
  void (*describe)(const Moment&, JsonWriter&) = nullptr;
  Form (*form)(const Moment&) = nullptr;
  // Whether what is asked for would be given to whoever takes the step as well (a post held): such a person approves
  // nothing of it, as the applicant does not (§2.4.3).
  bool (*favours)(const Moment&) = nullptr;

  const State* state(std::string_view name) const;
};

// People for whom a case may wait, by the name that lists show.
struct Desk {
  std::string_view waits_for;
  std::vector<Who> people;
};
// Throws std::logic_error when one name means different people in two kinds or states.
std::vector<Desk> desks_of(std::span<const Kind* const> kinds);

// The code sets CASE_KIND, CASE_STATE and CASE_WAITS of these kinds. Throws std::logic_error when one name has two
// labels.
std::vector<catalog::CodeSet> code_sets(std::span<const Kind* const> kinds);

// ---- a case
// -----------------------------------------------------------------------------------------------------------

struct Unit {
  int64_t id = 0;  // 0 = none
  std::string code, name;
};

struct Step {
  int64_t n = 0;
  std::string action, from, to;
  int64_t account = 0, person = 0;
  std::string name, post, unit;
  int64_t for_person = 0;
  std::string for_name;
  Instant at;
  std::string opinion, content, signature;
  int64_t outbox = 0;
};

struct Case {
  int64_t id = 0;
  std::string number;
  const Kind* kind = nullptr;
  std::string state, title;
  int64_t account = 0, person = 0;
  std::string applicant, applicant_name;
  Unit unit, sign_unit, owner_unit;
  Instant opened, arrived;
  std::optional<Instant> due, closed;
  bool due_provisional = false;
  std::string lateness = "in_time";
  Instant due_from;
  int64_t due_days = 0, due_version = 0;
  int64_t revision = 0;
  boost::json::object content;
  std::vector<Step> steps;
};

// Whoever acts: the person, the posts held now, and the posts stood in for.
struct Actor {
  policy::Asker asker;
  std::string login, name;
  struct Held {
    std::string post, unit;
    int64_t for_person = 0;  // principal, 0 = oneself
    std::string for_name;
  };
  std::vector<Held> posts;
  const Held* held(std::string_view post) const;  // by oneself; nullptr when not
};

struct Notice {
  int64_t account = 0;
  std::string number;  // of the case
  Text text;
};

void put_notice(db::Connection& transaction, const Notice& notice, Instant now);

// What the engine and the kinds stand on. All outlive the engine.
struct Services {
  const catalog::Catalogue& catalogue;
  policy::Policy& policy;
  calendar::Book& calendar;
  record::Recorder& recorder;
  db::Store& store;
  const Clock& clock;
  identity::Identity& identity;
  std::vector<const Kind*> kinds;
  std::string
      signing_seed;        // 32 bytes, shared by all nodes: the key over the steps that people sign (record::step_seed)
  std::string school;      // in Chinese: heads its letters
  std::string public_url;  // where people reach the system: stands on letters, beside their code

  int64_t setting(std::string_view name) const;                                         // of the regulation in force
  std::optional<Case> find(db::Connection& connection, std::string_view number) const;  // nullopt: no such case
};

// All that a guard, an effect or a letter may look at. `connection`: the writing transaction of a step, or a reader
// when actions are only listed.
struct Moment {
  const Services& on;
  db::Connection& connection;
  Case& file;
  const Actor& actor;
  const boost::json::object& input;
  Instant now;
  std::vector<Notice> notices = {};
  // What the step changed, for history and record (JSON).
  boost::json::object changed = {};
};

// ---- the engine
// ---------------------------------------------------------------------------------------------------------

struct Taken {
  std::string number;
  std::string state;
  int64_t outbox = 0;  // deliver it before answering
};

// Steps whose signature holds by none of these public keys (32 bytes). `reader`: past the belt.
std::vector<Text> check_signatures(db::Connection& reader, std::span<const std::string> keys);

class Engine {
 public:
  explicit Engine(Services services);
  const Services& services() const { return services_; }
  const Kind* kind(std::string_view name) const;
  bool has_action(std::string_view action) const;  // in the table of any kind
  std::span<const Kind* const> kinds() const { return services_.kinds; }

  // Posts held and stood in for, now. `reader`: a reading connection.
  Actor actor(db::Connection& reader, const policy::Asker& asker, std::string login, std::string name,
              Instant now) const;
  // The system's clock as an actor.
  static Actor clock_actor();

  // Which cases wait for this person, as a condition on the dataset `case`: what is to be amended, and what waits for a
  // post held or stood in for now. A case that one has signed already, and that waits for the same post, is among them.
  boost::json::value waits_for(db::Connection& reader, const policy::Asker& asker, Instant now) const;
  // Whether cases may wait for this person at all, besides the own.
  bool serves(const Actor& actor) const;
  // The posts held by oneself for which cases wait: those in which a deputy may stand in. None of those set apart.
  struct Lendable {
    std::string post;
    Text label;
    Unit unit;
  };
  std::vector<Lendable> lendable(db::Connection& reader, const Actor& actor) const;

  // Opens a case by the row (from = "", action). Refusals: case.kind_unknown (404), case.action_unknown (404),
  // case.not_yours (403), those of the kind.
  Result<Taken> open(const Actor& actor, std::string_view kind, std::string_view action,
                     const boost::json::object& input, bool signed_by_person);
  // The same within a transaction of the caller, who delivers the outbox after its commit (a step that follows from
  // another act: suspension, a change of the staff record).
  Result<Taken> open_within(db::Connection& transaction, const Actor& actor, std::string_view kind,
                            std::string_view action, const boost::json::object& input, bool signed_by_person);
  // One step. `input`: {"revision"?, "opinion"?, …}. Refusals: case.unknown (404), case.action_unknown (404),
  // case.moved (409: it has left the state since the person looked), case.not_yours (403), case.same_person (403),
  // case.signature_missing (403), text.not_accepted (422), those of the kind.
  Result<Taken> act(const Actor& actor, std::string_view number, std::string_view action,
                    const boost::json::object& input, bool signed_by_person);
  Result<Taken> act_within(db::Connection& transaction, const Actor& actor, std::string_view number,
                           std::string_view action, const boost::json::object& input, bool signed_by_person);

  // The whole case as JSON (docs/api.md), actions with reasons included. Whether the person may see it is the
  // caller's to ask (dataset `case`).
  Result<std::string> show(db::Connection& reader, const Actor& actor, std::string_view number);
  Result<Form> form(db::Connection& reader, const Actor& actor, std::string_view number);
  // Form, attachments, opinions and reply are for the applicant and for whoever has a step in the table of the kind:
  // 403 case.not_yours, 404 case.unknown.
  Result<Case> taken_part_in(db::Connection& reader, const Actor& actor, std::string_view number) const;
  // The official form as a PDF (§2.4.1).
  Result<std::string> printed_form(db::Connection& reader, const Actor& actor, std::string_view number);

  // Deadlines: moved when the calendar has changed, reminded, escalated, and what a kind's table says of the clock.
  // Deputies end whose principal holds the post no longer.
  // Safe on several nodes at once. Returns the steps and moves made.
  int tend(Instant now);

  std::string public_key() const { return crypto::base64(key_.public_key); }  // Ed25519, over what was signed

 private:
  struct Chosen {
    const Transition* row = nullptr;
    const Actor::Held* held = nullptr;  // nullptr: as the applicant or the clock
  };
  Result<Chosen> choose(Moment& moment, std::string_view action) const;
  Result<Taken> take(Moment& moment, const Chosen& chosen, bool signed_by_person);
  Result<Done> check_apart(const Moment& moment, const Chosen& chosen) const;
  void start_clock(Moment& moment, const State& state) const;
  void tell(Moment& moment, const Transition& row) const;
  void record(Moment& moment, const Transition& row, Step& step);
  Result<Done> send_letter(Moment& moment, const Transition& row, const Step& step);
  bool is_being_written(Moment& moment) const;
  void write_actions(Moment& moment, JsonWriter& out) const;
  int end_deputies(Instant now);
  int recompute(Instant now);
  int pass(Instant now);
  bool overdue(const std::string& number, Instant now);
  bool remind(const std::string& number, Instant now);
  int64_t note(Moment& moment, std::string_view action, const std::optional<Who>& besides, const Text& text);
  std::vector<int64_t> who_may_act(const Case& file, const std::optional<Who>& besides, Instant now) const;

  Services services_;
  std::vector<Desk> desks_;
  crypto::SigningKey key_;
};

// ---- files of a case; whether the person may see it is the caller's to ask (dataset `case`)

struct File {
  std::string bytes, name;
  std::string_view media;  // of those taken: application/pdf | image/png | image/jpeg
};
constexpr size_t kAttachmentMax = 5 * 1024 * 1024;  // bytes
constexpr int64_t kAttachmentsMax = 10;             // of one case
Refusal attachment_too_large();                     // 413

// The newest letter of a case; nullopt: none. `reader` reads past the belt. Refusals: those of a paper that stands no
// longer (kernel/paper).
Result<std::optional<File>> letter_of(db::Connection& reader, std::string_view number, Instant now);
// When the person to whom the letters of a case are written first fetched them.
void note_letter_read(db::Store& store, std::string_view number, int64_t account, Instant now);
std::optional<File> attachment_of(db::Connection& reader, std::string_view number, int64_t id);
// By the applicant, while the case is open: a PDF, PNG or JPEG. Gives its SHA-256 in hex. `bytes_most`: of all files of
// the account, over all its cases; a draft that is discarded gives back its own. Refusals: case.not_yours (403),
// text.not_accepted (422; name), case.attachment_invalid (422), case.attachments_full (429).
constexpr int64_t kMegabyte = 1024 * 1024;
Result<std::string> attach(db::Connection& transaction, std::string_view number, std::string_view name,
                           std::string_view bytes, int64_t account, int64_t bytes_most, Instant now);

// A deputy (代理) for a post in a unit, both days included: an offer by who holds the post, in force once the deputy
// has accepted, and as long as the principal holds it. Only for posts for which cases wait (Engine::lendable). Whether
// there is an account that could accept is told to nobody: one that is unknown, of a student or suspended is answered
// alike, and such an offer is never accepted. Refusals: case.deputy_invalid (422), case.deputy_not_yours (403),
// case.deputy_too_many (429), case.deputy_unknown (404). The value is the outbox, to be delivered after the commit.
struct Deputation {
  std::string deputy_login, post, unit, reason;
  Date begins, ends;
};
Result<int64_t> appoint_deputy(db::Connection& transaction, const Engine& engine, const Actor& actor,
                               const Deputation& deputation, Instant now);
// By whom it was offered to. Refusals: case.deputy_unknown (404), case.deputy_lost (409: the principal holds the post
// no longer).
Result<int64_t> answer_deputy(db::Connection& transaction, const Services& services, const Actor& actor, int64_t number,
                              bool accepts, Instant now);
// By either of the two.
Result<int64_t> end_deputy(db::Connection& transaction, const Services& services, const Actor& actor, int64_t number,
                           Instant now);

std::string login_of(db::Connection& reader, int64_t account);  // empty when there is no such account
// Without id when no unit has this code.
Unit find_unit(db::Connection& connection, std::string_view code);
Unit find_unit(db::Connection& connection, int64_t id);

// Next of a gap-free series such as "case/2026".
int64_t next_number(db::Connection& transaction, std::string_view series);
int64_t next_id(db::Connection& transaction, std::string_view table);

db::Reach readers_reach();

}  // namespace jw::cases
