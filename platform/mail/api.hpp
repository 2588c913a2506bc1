// Plain-text mail by SMTP (RFC 5321, RFC 5322, RFC 2045 to 2047), in UTF-8 over libcurl.
//
// What a person or a file gives goes into headers only after it was checked: a control character or an address that is
// none is `refused`, never sent in part. Nothing here logs; a Sent::reason is a short word that names no person, no
// address, no secret and no text of the message.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/time.hpp"

namespace jw::mail {

struct Message {
  std::string to;          // addr-spec: local@domain, ASCII
  std::string to_name{};   // shown beside it, any UTF-8; empty = the address alone
  std::string subject;     // one line of UTF-8
  std::string text;        // UTF-8; "\n" or "\r\n" ends a line
  std::string message_id;  // local@domain without brackets; the same for a resend, so that it can be recognised
  Instant date;            // when it was written, not when it is sent: a resend is the same message
};

enum class Tls { required, if_offered, never };  // STARTTLS on smtp://; smtps:// is TLS from the first byte

struct Options {
  std::string url;  // "smtp://host", "smtp://host:587", "smtps://host:465"
  std::string user{};
  std::string password{};
  std::string from_address;
  std::string from_name{};
  // Left out: required, but never for a server on this machine's loopback. A certificate is always verified where TLS
  // is spoken, and a password goes over TLS or over loopback only.
  std::optional<Tls> starttls{};
  std::string ca_file{};                      // PEM; empty = the system's
  std::chrono::milliseconds timeout{30'000};  // of one send, with connecting and signing in
};

enum class Outcome {
  sent,       // the server took it over (250 to the text)
  try_later,  // it said 4xx, did not answer, or does not serve us at all: sign-in, TLS, our own address
  refused,    // it said 5xx to this addressee or this text, or the message cannot be sent as it is
};

struct Sent {
  Outcome outcome = Outcome::try_later;
  // "sent"; "rcpt_550", "data_451" … = the command and the answer; "connect", "resolve", "timeout", "tls", "sign_in",
  // "network", "stopped"; "address_invalid", "name_invalid", "subject_invalid", "text_invalid", "id_invalid".
  std::string reason{};
  // try_later: true = the server serves nobody now, so others would wait in vain too.
  bool server_away = false;
};

// local@domain of at most 254 bytes: a dot-atom before the @, letters, digits and hyphens in labels behind it. Quoted
// local parts, address literals and non-ASCII addresses are none here.
bool is_address(std::string_view text);

// The message as it goes over the wire, CRLF; or the reason why it cannot (see Sent::reason) in `wrong`.
struct Composed {
  std::string bytes{};
  std::string wrong{};
};
Composed compose(const Message& message, std::string_view from_address, std::string_view from_name);

// One sender. Thread-safe: sends one after the other, over one connection kept between them.
class Mailer {
 public:
  // Refuses options that cannot work; does not connect. Machine failures (no memory) throw.
  static Result<std::unique_ptr<Mailer>> make(Options options);
  ~Mailer();
  Mailer(const Mailer&) = delete;
  Mailer& operator=(const Mailer&) = delete;

  Sent send(const Message& message);
  void hang_up();  // ends the kept connection; the next send opens one
  void stop();     // from now on sends end with try_later "stopped", one under way within about a second

  const std::string& from_address() const;
  std::chrono::milliseconds timeout() const;

 private:
  class Line;
  explicit Mailer(std::unique_ptr<Line> line);
  std::unique_ptr<Line> line_;
};

}  // namespace jw::mail
