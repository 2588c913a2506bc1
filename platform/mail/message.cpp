// The bytes of a message: headers with encoded-words (RFC 2047), the text in base64 (RFC 2045).
#include <algorithm>
#include <array>
#include <cstdint>

#include "base/text.hpp"
#include "platform/crypto/api.hpp"
#include "platform/mail/api.hpp"

namespace jw::mail {

namespace {

constexpr size_t kLine = 76;  // RFC 2047 §2: longest line with an encoded-word; RFC 2045: longest line of base64
constexpr std::string_view kOpen = "=?UTF-8?B?", kClose = "?=";

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_atom(char c) {
  return is_letter_or_digit(c) || std::string_view("!#$%&'*+-/=?^_`{|}~").find(c) != std::string_view::npos;
}

bool is_dot_atom(std::string_view text) {
  if (text.empty() || text.size() > 64) return false;
  return std::ranges::all_of(split(text, '.'),
                             [](std::string_view part) { return !part.empty() && std::ranges::all_of(part, is_atom); });
}

bool is_domain(std::string_view text) {
  if (text.empty() || text.size() > 253) return false;
  return std::ranges::all_of(split(text, '.'), [](std::string_view label) {
    return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
           std::ranges::all_of(label, [](char c) { return is_letter_or_digit(c) || c == '-'; });
  });
}

// One line of a header: UTF-8 without a control character, NEL and the separators of lines and paragraphs included.
bool is_one_line(std::string_view text) {
  if (!is_valid_utf8(text)) return false;
  if (std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; })) return false;
  for (size_t at = text.find('\xc2'); at != std::string_view::npos; at = text.find('\xc2', at + 1)) {
    if (static_cast<unsigned char>(text[at + 1]) < 0xa0) return false;  // U+0080 … U+009F
  }
  return text.find("\xe2\x80\xa8") == std::string_view::npos && text.find("\xe2\x80\xa9") == std::string_view::npos;
}

// Length of the longest run from the beginning that has at most `most` bytes and ends between characters.
size_t whole_characters(std::string_view text, size_t most) {
  if (text.size() <= most) return text.size();
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xc0) == 0x80) --most;
  return most;
}

// Appends encoded-words, folded; `column` = bytes already on this line.
void append_encoded(std::string& out, std::string_view text, size_t column) {
  bool first = true;
  while (!text.empty()) {
    size_t room = kLine - (first ? std::min(column, kLine) : 1);
    room = room > kOpen.size() + kClose.size() ? (room - kOpen.size() - kClose.size()) / 4 * 3 : 0;
    const size_t length = whole_characters(text, std::min<size_t>(room, 45));  // 45: a word of at most 75 characters
    if (length == 0 || !first) out += "\r\n ";  // with no room on the first line it begins on the next
    first = false;
    if (length == 0) {
      column = 1;
      first = true;
      continue;
    }
    out += kOpen;
    out += crypto::base64(text.substr(0, length));
    out += kClose;
    text.remove_prefix(length);
  }
}

// Unstructured (RFC 5322 §2.2.1): plain where that is unmistakable and fits its line.
void append_text(std::string& out, std::string_view name, std::string_view text) {
  out += name;
  out += ": ";
  const bool plain = name.size() + 2 + text.size() <= kLine && trim(text) == text &&
                     text.find("=?") == std::string_view::npos &&
                     std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; });
  if (plain) {
    out += text;
  } else {
    append_encoded(out, text, name.size() + 2);
  }
  out += "\r\n";
}

// `name <address>` or the address alone.
void append_mailbox(std::string& out, std::string_view header, std::string_view name, std::string_view address) {
  out += header;
  out += ": ";
  if (!name.empty()) {
    const bool plain = name.size() <= 40 && name.find("=?") == std::string_view::npos &&
                       std::ranges::all_of(name, [](char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; });
    if (plain) {
      out += '"';
      out += name;
      out += '"';
    } else {
      append_encoded(out, name, header.size() + 2);
    }
    out += "\r\n ";
  }
  out += '<';
  out += address;
  out += ">\r\n";
}

std::string two(int64_t number) {
  return (number < 10 ? "0" : "") + std::to_string(number);
}

// RFC 5322 §3.3, in the school's zone.
std::string print_date(Instant at) {
  constexpr std::array kDays = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
  constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const Date date = at.date();
  const int64_t second = (at.us - Instant::at_start_of(date).us) / kSecond;
  return std::string(kDays.at(date.weekday() - 1)) + ", " + std::to_string(date.day()) + " " +
         kMonths.at(date.month() - 1) + " " + std::to_string(date.year()) + " " + two(second / 3600) + ":" +
         two(second / 60 % 60) + ":" + two(second % 60) + " +0800";
}

// Lines end with CRLF before they are encoded (RFC 2045 §6.8); a lone CR is taken for an end of line, too.
std::string canonical_lines(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 40 + 2);
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\r' && text[i] != '\n') {
      out += text[i];
      continue;
    }
    if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') ++i;
    out += "\r\n";
  }
  if (!out.ends_with("\r\n")) out += "\r\n";
  return out;
}

}  // namespace

bool is_address(std::string_view text) {
  const size_t at = text.find('@');
  return at != std::string_view::npos && text.size() <= 254 && is_dot_atom(text.substr(0, at)) &&
         is_domain(text.substr(at + 1));
}

Composed compose(const Message& message, std::string_view from_address, std::string_view from_name) {
  if (!is_address(message.to) || !is_address(from_address)) return {{}, "address_invalid"};
  if (!is_one_line(message.to_name) || !is_one_line(from_name)) return {{}, "name_invalid"};
  if (message.subject.empty() || !is_one_line(message.subject)) return {{}, "subject_invalid"};
  if (!is_valid_utf8(message.text)) return {{}, "text_invalid"};
  if (!is_address(message.message_id)) return {{}, "id_invalid"};
  Composed made;
  std::string& out = made.bytes;
  out += "Date: " + print_date(message.date) + "\r\n";
  append_mailbox(out, "From", from_name, from_address);
  append_mailbox(out, "To", message.to_name, message.to);
  append_text(out, "Subject", message.subject);
  // On a line of its own when long: an identifier cannot be folded.
  out += message.message_id.size() > 60 ? "Message-ID:\r\n <" : "Message-ID: <";
  out += message.message_id + ">\r\n";
  out += "Auto-Submitted: auto-generated\r\n";  // RFC 3834: no robot answers it
  out += "MIME-Version: 1.0\r\n";
  out += "Content-Type: text/plain; charset=utf-8\r\n";
  out += "Content-Transfer-Encoding: base64\r\n\r\n";
  const std::string body = crypto::base64(canonical_lines(message.text));
  for (size_t at = 0; at < body.size(); at += kLine) {
    out.append(body, at, kLine);
    out += "\r\n";
  }
  return made;
}

}  // namespace jw::mail
