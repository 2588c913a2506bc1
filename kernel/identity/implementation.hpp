// Inside kernel/identity only: what the parts of Identity share.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include "kernel/identity/api.hpp"
#include "kernel/identity/remote_limits.hpp"
#include "kernel/identity/secret_text.hpp"
#include "kernel/identity/session_cache.hpp"

namespace jw::identity {

// Wrong passwords and codes in a row. They are counted where they are given: at the door on the account (or nobody's),
// inside a session on that session, at the door by a browser that has signed in to the account before on its last
// session. So a stranger's guesses lock the door for strangers, and nobody else.
struct Failures {
  int64_t count = 0;
  int64_t last_us = 0;
  int64_t locked_until_us = 0;
  int64_t locked_attempts = 0;
};

// An account as the door sees it. id 0: nobody has that login.
struct Standing {
  int64_t id = 0;
  int64_t person = 0;
  std::string kind;
  std::string login;
  std::string display_name;
  std::optional<std::string> hash;
  int64_t password_set_us = 0;
  bool must_change = false;
  bool one_time = false;
  int64_t one_time_expires_us = 0;
  bool suspended = false;
  bool closed = false;
  int64_t agreement_version = 0;
  Failures failures;
  int64_t counted_on = 0;  // session that keeps the failures; 0: the account
};

// What an account's past says of an attempt at the door.
struct Past {
  int64_t session = 0;  // the last one that began in this browser; 0: none did
  Failures failures;    // counted on it
  bool here = false;    // a session of the account began at this address
};

// What was found out about a password before the transaction: Argon2 must not hold a connection.
struct Attempt {
  bool right = false;
  std::optional<std::string> hash_seen;    // the hash it was checked against
  std::optional<std::string> new_hash;     // of a new password that is good
  std::vector<FieldProblem> new_problems;  // of one that is not
};

struct Verdict {
  Refusal told;
  std::string decision;  // for the record; may say more than the person is told
};
Verdict plainly(Refusal told);

// login as compared: NFKC, trimmed, lower case. Empty when it cannot be a login.
std::string login_key(std::string_view login);

int64_t take_ids(db::Connection& transaction, std::string_view name, int64_t count);
void raise_epoch(db::Connection& transaction);
// Ends the live sessions of an account but one; gives their ids.
std::vector<int64_t> end_sessions(db::Connection& transaction, int64_t account, std::string_view reason, Instant now,
                                  int64_t except = 0);

// Where a session begins.
struct Origin {
  std::string_view remote, user_agent, device, zone;
};

class Identity::Implementation {
 public:
  Implementation(db::Store& store, const Clock& clock, Options options);

  Standing standing_of_login(std::string_view login);
  Standing standing_of_session(const Session& session);
  // `session`: on which the failures are counted; 0: on the account.
  Standing lock_standing(db::Connection& transaction, int64_t account, int64_t session);
  Past past_of(int64_t account, std::string_view device, std::string_view remote);

  // An attempt at the door, as far as its address goes. Where too many guesses came from there, whoever was there
  // before still gets through, with a few tries of their own.
  struct Attempted {
    bool admitted = false;
    bool shut = false;  // for others: a wrong password is answered as if it had not been looked at
    std::vector<std::pair<RemoteLimits*, std::string>> taken;
  };
  Attempted attempt_from(const SignInRequest& request, const std::function<Past()>& past, Instant now);
  static void give_back(const Attempted& attempted);

  bool verify(const Standing& standing, std::string_view password);
  std::string hash(std::string_view password);
  Attempt weigh(const Standing& standing, std::string_view password, std::optional<std::string_view> new_password);
  // Wrong, locked, closed, suspended, expired: writes failures down and says no. `wrong`: the text of a wrong password.
  std::optional<Verdict> judge(db::Connection& transaction, const Standing& standing, const Attempt& attempt,
                               const Refusal& wrong, Instant now);
  // The password alone: of whoever has no factor yet and asks for one.
  Result<Done> confirm_password(const Session& session, std::string_view password);
  Failures failed_once_more(const Failures& failures, Instant now) const;

  // ---- second factor, in the transaction that locked the account
  bool has_factor(db::Connection& transaction, int64_t account);
  // Takes a code of the confirmed factor, or a recovery code; else writes the failure down. `offered`: of the one that
  // is not confirmed yet.
  enum class Of { confirmed, offered };
  std::optional<Verdict> judge_code(db::Connection& transaction, const Standing& standing, std::string_view code, Of of,
                                    Instant now);
  // The code that whoever has a confirmed factor owes; nullopt: there is none, or it was right.
  std::optional<Verdict> judge_factor(db::Connection& transaction, const Standing& standing, std::string_view code,
                                      Instant now);
  std::vector<std::string> new_recovery_codes(db::Connection& transaction, int64_t account);
  // What somebody signed in does to the own factor, with a code: `act` runs once it was right.
  template <class Act>
  auto with_code(const Session& session, std::string_view code, Of of, Act act)
      -> Result<decltype(act(std::declval<db::Connection&>(), Instant{}))>;

  void write_failures(db::Connection& transaction, const Standing& standing, const Failures& failures);
  void set_password(db::Connection& transaction, int64_t account, std::string_view new_hash, Instant now);

  // In the transaction; the caller puts it into the cache after the commit.
  NewSession open_session(db::Connection& transaction, const Standing& standing, const Origin& origin, Instant now);
  SignIn admitted(Outcome outcome, NewSession opened, Instant now);  // after the commit
  std::shared_ptr<const Session> read_session(const crypto::Digest& digest, Instant now);
  bool password_due(std::string_view kind, int64_t password_set_us, Instant now) const;
  void keep(const crypto::Digest& digest, std::shared_ptr<const Session> session, int64_t idle_until_us, Instant now);
  int64_t idle_until(Instant used) const { return used.us + options_.idle_us + options_.idle_flush_us; }
  void forget(std::span<const int64_t> sessions);

  void tend();
  void wake();

  // One of the sign-ins under way; beyond the limit it is not admitted.
  class Turn {
   public:
    Turn(Counters& counters, int most);
    ~Turn();
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    bool admitted() const { return admitted_; }

   private:
    Counters& counters_;
    bool admitted_;
  };

  db::Store& store_;
  const Clock& clock_;
  const Options options_;
  Counters counters_;
  SessionCache cache_;
  RemoteLimits remotes_, networks_;
  RemoteLimits known_;              // those who were there before, each browser and each account at each address
  const std::string nobodys_hash_;  // checked when there is no hash, so that all attempts cost the same

 private:
  void run(const std::stop_token& stop);
  void write_uses();
  void remove_old_sessions(Instant now);

  std::mutex tend_mutex_;  // one tend() at a time
  int64_t removed_at_us_ = 0;
  std::mutex wake_mutex_;
  std::condition_variable_any wake_up_;
  bool woken_ = false;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace jw::identity
