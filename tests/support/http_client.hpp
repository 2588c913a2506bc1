// A small blocking HTTP/1.1 client for tests. One request at a time on one connection; any byte can be sent, so it can
// also be wrong on purpose.
#pragma once

#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.hpp"
#include "platform/http/tls.hpp"

namespace jw::tests {

struct Answer {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers{};  // names in lower case
  std::string body{};

  std::string_view header(std::string_view lower_case_name) const;  // of the first one; empty when absent
};

class Client {
 public:
  struct Options {
    std::chrono::milliseconds timeout{10'000};  // of each connect, read and write
    bool tls = false;
    std::string authority_file{};  // PEM of who must have signed the server's certificate; empty = the system's
    size_t body_max = 64 << 20;
  };
  using Headers = std::vector<std::pair<std::string, std::string>>;

  // Throws std::runtime_error when there is no connection, as every call below does when the peer is silent, gone, or
  // does not speak HTTP.
  Client(const std::string& host, uint16_t port, const Options& options);
  Client(const std::string& host, uint16_t port) : Client(host, port, Options{}) {}
  ~Client();
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;

  // Host and, for a body or a verb that has one, Content-Length are added.
  Answer request(std::string_view verb, std::string_view target, std::string_view body = {},
                 const Headers& headers = {});

  void send(std::string_view bytes);  // as they are
  void finish_sending();              // closes this direction only
  Answer read(bool of_head = false);  // the next answer, interim ones (1xx) included; one to HEAD has no body
  bool is_closed();  // waits for the peer's end (at most the timeout); false when bytes come or nothing

 private:
  struct Wire;
  std::unique_ptr<Wire> wire_;
};

namespace client {

inline constexpr size_t kHeadMax = 64 * 1024;

[[noreturn]] inline void fail(const std::string& what) {
  throw std::runtime_error("HTTP client: " + what);
}

inline std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

inline uint64_t number_of(std::string_view text, int base) {
  uint64_t number = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (text.empty() || end.ec != std::errc{} || end.ptr != text.data() + text.size()) fail("not a length");
  return number;
}

}  // namespace client

inline std::string_view Answer::header(std::string_view lower_case_name) const {
  for (const auto& [name, value] : headers) {
    if (name == lower_case_name) return value;
  }
  return {};
}

// The socket, perhaps under TLS, and what has been read and not yet used.
struct Client::Wire {
  Options options;
  std::string host;
  int socket = -1;
  http::TlsContext context{};
  std::unique_ptr<http::Tls> tls{};
  std::string buffer{};
  bool at_end = false;

  Wire(const Options& given, std::string name) : options(given), host(std::move(name)) {}
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;
  ~Wire() {
    if (socket >= 0) ::close(socket);
  }

  bool wait(short events) const {
    pollfd ready{socket, events, 0};
    for (;;) {
      const int count = ::poll(&ready, 1, static_cast<int>(options.timeout.count()));
      if (count >= 0 || errno != EINTR) return count > 0;
    }
  }

  void connect(uint16_t port) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0)
      client::fail("unknown host " + host);
    const std::unique_ptr<addrinfo, void (*)(addrinfo*)> all(found, ::freeaddrinfo);
    for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
      if (try_one(*one)) break;
    }
    if (socket < 0) client::fail("no connection to " + host + ':' + std::to_string(port));
    const int on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (options.tls) handshake();
  }

  bool try_one(const addrinfo& address) {
    socket = ::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (socket < 0) return false;
    int error = ::connect(socket, address.ai_addr, address.ai_addrlen) == 0 ? 0 : errno;
    if (error == EINPROGRESS && wait(POLLOUT)) {
      socklen_t size = sizeof error;
      ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size);
    }
    if (error == 0) return true;
    ::close(socket);
    socket = -1;
    return false;
  }

  void handshake() {
    context = http::client_tls(options.authority_file);
    tls = std::make_unique<http::Tls>(context.get(), socket, http::Tls::Side::client, host);
    for (;;) {
      const http::Tls::Outcome outcome = tls->handshake();
      if (outcome == http::Tls::Outcome::done) return;
      wait_for(outcome, "TLS handshake");
    }
  }

  void wait_for(http::Tls::Outcome outcome, const char* what) const {
    if (outcome == http::Tls::Outcome::closed) client::fail(std::string(what) + " failed");
    if (!wait(outcome == http::Tls::Outcome::wait_readable ? POLLIN : POLLOUT))
      client::fail(std::string(what) + " took too long");
  }

  void write(std::string_view bytes) {
    while (!bytes.empty()) {
      size_t count = 0;
      if (tls != nullptr) {
        const http::Tls::Outcome outcome = tls->write(bytes, count);
        if (outcome != http::Tls::Outcome::done) wait_for(outcome, "writing");
      } else {
        const ssize_t sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN && !wait(POLLOUT)) client::fail("writing took too long");
        if (sent < 0 && errno != EAGAIN && errno != EINTR) client::fail("the connection was closed while writing");
        count = sent > 0 ? static_cast<size_t>(sent) : 0;
      }
      bytes.remove_prefix(count);
    }
  }

  // More bytes into the buffer; false at the peer's end. `may_wait_in_vain`: silence is false as well.
  bool fill(bool may_wait_in_vain = false) {
    char piece[16 * 1024];
    while (!at_end) {
      size_t count = 0;
      http::Tls::Outcome outcome = http::Tls::Outcome::done;
      if (tls != nullptr) {
        outcome = tls->read(piece, sizeof piece, count);
      } else {
        const ssize_t got = ::recv(socket, piece, sizeof piece, 0);
        if (got > 0) count = static_cast<size_t>(got);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) outcome = http::Tls::Outcome::wait_readable;
        if (got == 0 || (got < 0 && outcome == http::Tls::Outcome::done)) outcome = http::Tls::Outcome::closed;
      }
      if (outcome == http::Tls::Outcome::done) {
        buffer.append(piece, count);
        return true;
      }
      if (outcome == http::Tls::Outcome::closed) {
        at_end = true;
      } else if (!wait(outcome == http::Tls::Outcome::wait_readable ? POLLIN : POLLOUT)) {
        if (may_wait_in_vain) return false;
        client::fail("the answer took too long");
      }
    }
    return false;
  }

  std::string take(size_t count) {
    if (count > options.body_max) client::fail("the answer is too long");
    while (buffer.size() < count) {
      if (!fill()) client::fail("the answer is cut off");
    }
    std::string out = buffer.substr(0, count);
    buffer.erase(0, count);
    return out;
  }

  std::string take_line() {
    size_t end = 0;
    while ((end = buffer.find("\r\n")) == std::string::npos) {
      if (buffer.size() > client::kHeadMax) client::fail("a line is too long");
      if (!fill()) client::fail("the answer is cut off");
    }
    std::string line = buffer.substr(0, end);
    buffer.erase(0, end + 2);
    return line;
  }

  std::string take_chunks() {
    std::string body;
    for (;;) {
      const std::string line = take_line();
      const uint64_t size = client::number_of(trim(std::string_view(line).substr(0, line.find(';'))), 16);
      if (size == 0) break;
      if (size > options.body_max - std::min(options.body_max, body.size())) client::fail("the answer is too long");
      body += take(size);
      if (!take_line().empty()) client::fail("a chunk without its end");
    }
    while (!take_line().empty()) {
    }
    return body;
  }
};

inline Client::Client(const std::string& host, uint16_t port, const Options& options)
    : wire_(std::make_unique<Wire>(options, host)) {
  wire_->connect(port);
}
inline Client::~Client() = default;
inline Client::Client(Client&&) noexcept = default;
inline Client& Client::operator=(Client&&) noexcept = default;

inline Answer Client::request(std::string_view verb, std::string_view target, std::string_view body,
                              const Headers& headers) {
  std::string head(verb);
  head.append(" ").append(target).append(" HTTP/1.1\r\nHost: ").append(wire_->host).append("\r\n");
  if (!body.empty() || (verb != "GET" && verb != "HEAD" && verb != "DELETE")) {
    head += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  }
  for (const auto& [name, value] : headers) head += name + ": " + value + "\r\n";
  head.append("\r\n").append(body);
  wire_->write(head);
  for (;;) {
    Answer answer = read(verb == "HEAD");
    if (answer.status >= 200) return answer;
  }
}

inline void Client::send(std::string_view bytes) {
  wire_->write(bytes);
}

inline void Client::finish_sending() {
  ::shutdown(wire_->socket, SHUT_WR);
}

inline Answer Client::read(bool of_head) {
  const std::string line = wire_->take_line();
  if (!line.starts_with("HTTP/1.") || line.size() < 12) client::fail("the peer does not speak HTTP");
  Answer answer{.status = static_cast<int>(client::number_of(std::string_view(line).substr(9, 3), 10))};
  for (std::string field = wire_->take_line(); !field.empty(); field = wire_->take_line()) {
    const size_t colon = field.find(':');
    if (colon == std::string::npos || answer.headers.size() > 200) client::fail("not a header");
    answer.headers.emplace_back(client::lower(field.substr(0, colon)), trim(std::string_view(field).substr(colon + 1)));
  }
  if (of_head || answer.status < 200 || answer.status == 204 || answer.status == 304) return answer;
  if (const auto length = answer.header("content-length"); !length.empty()) {
    answer.body = wire_->take(client::number_of(length, 10));
  } else if (client::lower(answer.header("transfer-encoding")) == "chunked") {
    answer.body = wire_->take_chunks();
  } else {
    while (wire_->fill()) {
      if (wire_->buffer.size() > wire_->options.body_max) client::fail("the answer is too long");
    }
    answer.body.swap(wire_->buffer);
  }
  return answer;
}

inline bool Client::is_closed() {
  if (!wire_->buffer.empty()) return false;
  wire_->fill(true);
  return wire_->at_end && wire_->buffer.empty();
}

}  // namespace jw::tests
