// The governed edge: the one way in. A row of a route table says who may call it; that is enforced here, before its
// handler runs. What a handler answers, refuses or does goes out through Call, and leaves its leaf in the record before
// anybody hears of it (§4.3.2, §6.1.1). `act` is the one way to act outside cases.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"
#include "kernel/edge/house.hpp"
#include "kernel/query/effect.hpp"
#include "platform/http/api.hpp"

namespace jw::edge {

using http::Verb;

// ---- refusals as RFC 9457 problems; the only place that knows HTTP status codes (docs/api.md)

int status_of(Code code);
// `record`: id of the leaf that keeps this refusal; empty when none does.
http::Response problem(const Refusal& refusal, std::string_view request_id, std::string_view record = {});
http::Response problem_with_status(const Refusal& refusal, int status, std::string_view request_id,
                                   std::string_view record = {});
// Nothing may be answered or done without its record. `done`: it is done all the same, and its leaf follows.
Refusal not_durable(bool done = false);

// ---- bodies

// A member that must be there, as text; `shown`: its path for the problem, when deeper.
Result<std::string> text_member(const boost::json::object& body, std::string_view name, std::string shown = {});
// Empty when left out.
Result<std::string> optional_text(const boost::json::object& body, std::string_view name);
Result<int64_t> number_member(const boost::json::object& body, std::string_view name);  // not below 0
Result<boost::json::array> array_member(const boost::json::object& body, std::string_view name);
Result<boost::json::object> object_member(const boost::json::object& body, std::string_view name);
// A date such as 2026-01-24.
Result<Date> date_member(const boost::json::object& body, std::string_view name);
// A number of the path or the query; -1: none, which is the number of nothing.
int64_t number_in(std::string_view text);

// ---- one call

policy::Asker asker_of(const identity::Session& session);
record::Entry entry_of(const identity::Outcome& outcome, Instant now);  // of a sign-in, whatever came of it

// Who asks, for what, and the way to answer: once. Copies are of the same call and may go to another thread.
class Call {
 public:
  Call(House& house, http::Request request, std::shared_ptr<const identity::Session> session, record::Hand hand,
       http::Respond respond);

  House& house() const { return state_->house; }
  const http::Request& request() const { return state_->request; }
  const std::string& captured(size_t place) const { return state_->request.captures.at(place); }
  std::string parameter(std::string_view name) const { return state_->request.parameter(name).value_or(""); }
  // Of a route that is not open.
  const identity::Session& session() const { return *state_->session; }
  // Post and unit are those that give the power which the route needs; empty without one.
  const record::Hand& hand() const { return state_->hand; }
  policy::Asker asker() const { return asker_of(session()); }
  // What the regulation and the grants let whoever asks do, read once a call; of a route that is not open.
  const policy::Authority& authority() const;
  // Whoever asks as the engine of cases knows them: with the posts held and stood in for.
  cases::Actor actor() const;
  // Of a body sent as application/json: 415 http.not_as_json, 400 http.not_json. Every text in it has the normal form
  // of what is typed, passwords and codes excepted; else 422 text.not_accepted (base/typed.hpp).
  Result<boost::json::value> json() const;
  Result<boost::json::object> body() const;
  record::Entry entry(std::string_view kind, std::string_view action) const;  // decision "allowed"
  // The edge's own, before the handler: in which capacity the call is made.
  void set_hand(record::Hand hand) { state_->hand = std::move(hand); }

  void send(http::Response response) const { state_->respond(std::move(response)); }
  // A JSON object that nobody keeps.
  void say(std::string object) const;
  void say(Result<std::string> object) const;
  // Something is wrong in what was sent: not on record.
  void refuse(const Refusal& refusal) const { send(problem(refusal, state_->request.id)); }
  // A refused attempt, on record (§6.1.1).
  void refuse_on_record(std::string_view action, Refusal refusal, std::string parameters = {}) const;
  // What the engine, or an entry made here, came to: told when its leaf is durable, and framed with its id.
  void release(query::Outcome outcome) const;
  void release(record::Entry entry, std::string object) const;
  void release(record::Entry entry, const Refusal& refusal) const;
  // A response of another kind (a file) under the same rule.
  void release(record::Entry entry, http::Response response) const;

 private:
  struct State {
    House& house;
    http::Request request;
    std::shared_ptr<const identity::Session> session;
    record::Hand hand;
    http::Respond respond;
    policy::AuthorityPtr authority = nullptr;
  };
  std::shared_ptr<State> state_;
};

// Whose rows stand in what is about to be told can see that (§1.3.1): a leaf like this one for each dataset, before
// anything is told.
Result<Done> keep_told(const Call& call, const record::Entry& like, std::vector<query::Told> told);

// What whoever has signed in is told: the session, its cookie.
http::Response session_response(const Call& call, const identity::NewSession& made);
// The cookie of a new session; with an empty token, of its end. Held to TLS where the client uses it.
void set_session_cookie(const http::Request& request, http::Response& response, const std::string& token);

// A JSON object with the id of its leaf as last member: what every recorded answer looks like.
std::string framed(std::string object, std::string_view record);

// ---- route tables

// Who may call a route. There is no default: a route without `needs` does not compile.
class Needs {
 public:
  static constexpr Needs open(std::string_view reason) { return {Kind::open, reason}; }  // anybody; why
  static constexpr Needs session() { return {Kind::session, "session"}; }                // what it sees, policy decides
  static constexpr Needs power(std::string_view name) { return {Kind::power, name}; }    // a row of powers.toml
  constexpr bool is_open() const { return kind_ == Kind::open; }
  constexpr bool is_power() const { return kind_ == Kind::power; }
  constexpr std::string_view name() const { return name_; }  // reason, "session", or the power
  constexpr bool operator==(const Needs&) const = default;

 private:
  enum class Kind : uint8_t { open, session, power };
  constexpr Needs(Kind kind, std::string_view name) : kind_(kind), name_(name) {}
  Kind kind_;
  std::string_view name_;
};

// `by_gate`: the handler's own governed statement proves that the session is live; otherwise it is asked for here, so
// that a suspended account gets nothing on any node (§2.5.3). `held_too`: for the little that a session may do whose
// holder has to show again who it is.
enum class Alive : uint8_t { checked, by_gate, held_too };
// What a read-only account is refused (§2.5.3), and who has not signed the agreement (§4.3.3): everything that is no
// GET, unless a route says that it looks only, or serves to set the account in order.
enum class Does : uint8_t { by_verb, looks, acts };

struct Route {
  Verb verb;
  std::string_view path;  // http::Route::path
  Needs needs;
  void (*run)(const Call&);
  Text summary;
  // Names of schemas (app/api.json, modules/X/api.json): of what stands in the query string, of the body, of the 200
  // answer; without one, there is none of it, and a route that answers nothing answers 204.
  std::string_view parameters = {}, request = {}, response = {};
  size_t body_max = 1 << 20;
  bool blocking = true;
  Alive alive = Alive::checked;
  Does does = Does::by_verb;
  bool hears_of_too_large = false;  // http::Route
};

// A handler that gives a JSON object, or what is wrong with the question; nobody keeps it.
template <auto F>
void saying(const Call& call) {
  call.say(F(call));
}

// Whether whoever asks has this power (Regulation::powers), besides the one that the route needs.
bool empowered(const Call& call, std::string_view power);

// The rows as the server takes them: who may call is asked in front of every handler. Throws std::logic_error when a
// row needs a power that the regulation does not know; one that it knows and cannot be understood as stored
// (Rules::closed) nobody has. The house outlives the server.
std::vector<http::Route> table(House& house, std::span<const Route> routes);

// ---- acting

// Who acts signs, by showing again who it is: now; or now or within the last minutes of this session, where several
// such acts follow one another. Or does not, and why. There is no default: an act that says nothing of it does not
// compile.
class Signing {
 public:
  static constexpr Signing now() { return {Kind::now, {}}; }
  static constexpr Signing lately() { return {Kind::lately, {}}; }
  static consteval Signing none(std::string_view because) {
    if (because.empty()) throw "an act that nobody signs says why";
    return {Kind::none, because};
  }
  constexpr bool is_none() const { return kind_ == Kind::none; }
  constexpr bool is_now() const { return kind_ == Kind::now; }
  constexpr std::string_view because() const { return because_; }  // why nobody signs; else empty

 private:
  enum class Kind : uint8_t { none, lately, now };
  constexpr Signing(Kind kind, std::string_view because) : kind_(kind), because_(because) {}
  Kind kind_;
  std::string_view because_;
};

// Shows who it is by the members "password" and "code" of a body (§2.4.2): by the code where a second factor is
// enrolled, else by the password. False: nothing was given, nor lately.
Result<bool> signature(House& house, const identity::Session& session, const boost::json::object& body);
// The refusal of an act that nobody signed.
Refusal signature_missing();

struct Act {
  std::string_view action;  // in the record
  std::string_view clause;  // "2.4.2"
  Signing signing;
};

// What an effect works with, inside the transaction. It fills the entry (parameters, rows …).
struct Doing {
  db::Connection& transaction;
  const record::Hand& by;
  const boost::json::object& body;
  Instant now;
  record::Entry& entry;
  // Set by an effect of the kernel that has put its own entry into the outbox.
  int64_t outbox = 0;
  bool nothing = false;  // set by an effect that found nothing to do: no entry, nothing is kept
};
// Gives the members of the answer as a JSON object. After a refusal nothing is kept.
using Effect = std::function<Result<std::string>(Doing&)>;

// Body → signature → writer → transaction → effect → entry in the outbox → commit → deliver → answer with its record.
// That the power is held was asked before (Route::needs). Refusals of the effect are on record, but for what is wrong
// in the content (400, 404, 422).
void act(const Call& call, const Act& what, Effect effect);
// The same without a call: an operator on the command line, the system's own clock.
struct Acted {
  std::string object;
  std::optional<record::Leaf> leaf;  // nullopt: done, and its leaf follows later; or nothing was done
  bool nothing = false;
};
Result<Acted> carry_out(db::Store& store, record::Recorder& recorder, const record::Hand& by, const Act& what,
                        const boost::json::object& body, Instant now, const Effect& effect);
// Whoever runs the command line, by the name of the system's user.
record::Hand operator_hand();
constexpr Signing kAtTheMachine = Signing::none("whoever runs commands has the machine; its system knows who that is");
// Runs where hashing may wait; a full door is told to the caller of `call`.
void at_the_door(const Call& call, std::function<void()> work);
// Runs when it is the turn of whoever asks (kernel/edge/turns.hpp); heavy: what looks at very many rows. 429
// query.too_many_waiting.
void in_turn(const Call& call, bool heavy, std::function<void()> work);

// ---- what holds a session or an account back (§2.5.3), in plain words

std::optional<Story> story_of(House& house, int64_t account);
Refusal session_held(House& house, int64_t account);                  // 401 identity.confirmation_required
Refusal account_read_only(House& house, int64_t account);             // 403 identity.read_only
Refusal account_suspended(House& house, int64_t account, Code code);  // identity.suspended

}  // namespace jw::edge
