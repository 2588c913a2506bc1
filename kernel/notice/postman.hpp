// Mail for notices (design §8): after the act is committed, and never its content. What a mail says is the same for
// every notice, so that a mailbox gives nothing away; the notice itself is read in the product, under its permissions.
//
// States of a notice's mail: due → sent | refused (the address or the text, or given up) | none (no address, or the
// notice was seen before the mail went). All that is due for one account goes as one mail.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/time.hpp"
#include "platform/db/api.hpp"
#include "platform/mail/api.hpp"

namespace jw::notice {

constexpr int64_t kFirstDelay = 60 * kSecond;          // doubled with each attempt …
constexpr int64_t kLongestDelay = 6 * 3600 * kSecond;  // … up to this
constexpr int64_t kGivenUpAfter = 3 * kDay;            // since the notice was written

struct Delivered {
  int64_t mails = 0;      // taken over by the mail server
  int64_t later = 0;      // notices whose mail waits for another attempt
  int64_t refused = 0;    // notices
  int64_t none = 0;       // notices
  std::string trouble{};  // machine name of the last thing that went wrong (mail::Sent::reason), empty = nothing
};

// Sends what is due. Several nodes of one store may each have one: a mail is claimed before it is sent, by moving its
// next attempt past the time one send can take (the clocks of the nodes must agree within a minute). A node that dies
// between sending and writing it down leaves one duplicate at most, with the same Message-ID.
class Postman {
 public:
  // Of an account, inside the postman's transaction; nullopt or no address at all: it gets no mail.
  using AddressOf = std::function<std::optional<std::string>(db::Connection&, int64_t account)>;
  struct Letter {
    std::string subject, text;
  };

  // All but the letter must outlive this.
  Postman(db::Store& store, mail::Mailer& mailer, const Clock& clock, AddressOf address_of, Letter letter);

  // One round: at most `accounts_most` mails. Ends early when the mail server serves nobody. Waits for the network: for
  // a thread of its own, one at a time. Throws db::Error.
  Delivered deliver_due(int64_t accounts_most = 100);
  void stop();  // ends a round under way within about a second

 private:
  struct Claim;
  Claim claim(int64_t account);
  void write_down(const Claim& claim, const mail::Sent& sent, Delivered& delivered);
  void give_up_old(Delivered& delivered);

  db::Store& store_;
  mail::Mailer& mailer_;
  const Clock& clock_;
  const AddressOf address_of_;
  const Letter letter_;
  std::atomic<bool> stopping_ = false;
};

}  // namespace jw::notice
