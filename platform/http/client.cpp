#include "platform/http/client.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <stdexcept>

#include "base/text.hpp"
#include "platform/http/tls.hpp"

namespace jw::http {
namespace {

constexpr size_t kHeadMax = 64 * 1024;

[[noreturn]] void fail(const std::string& what) {
  throw std::runtime_error("HTTP client: " + what);
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

uint64_t number_of(std::string_view text, int base) {
  uint64_t number = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (text.empty() || end.ec != std::errc{} || end.ptr != text.data() + text.size()) fail("not a length");
  return number;
}

}  // namespace

std::string_view Answer::header(std::string_view lower_case_name) const {
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
  TlsContext context{};
  std::unique_ptr<Tls> tls{};
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
    if (::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) fail("unknown host " + host);
    const std::unique_ptr<addrinfo, void (*)(addrinfo*)> all(found, ::freeaddrinfo);
    for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
      if (try_one(*one)) break;
    }
    if (socket < 0) fail("no connection to " + host + ':' + std::to_string(port));
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
    context = client_tls(options.authority_file);
    tls = std::make_unique<Tls>(context.get(), socket, Tls::Side::client, host);
    for (;;) {
      const Tls::Outcome outcome = tls->handshake();
      if (outcome == Tls::Outcome::done) return;
      wait_for(outcome, "TLS handshake");
    }
  }

  void wait_for(Tls::Outcome outcome, const char* what) const {
    if (outcome == Tls::Outcome::closed) fail(std::string(what) + " failed");
    if (!wait(outcome == Tls::Outcome::wait_readable ? POLLIN : POLLOUT)) fail(std::string(what) + " took too long");
  }

  void write(std::string_view bytes) {
    while (!bytes.empty()) {
      size_t count = 0;
      if (tls != nullptr) {
        const Tls::Outcome outcome = tls->write(bytes, count);
        if (outcome != Tls::Outcome::done) wait_for(outcome, "writing");
      } else {
        const ssize_t sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN && !wait(POLLOUT)) fail("writing took too long");
        if (sent < 0 && errno != EAGAIN && errno != EINTR) fail("the connection was closed while writing");
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
      Tls::Outcome outcome = Tls::Outcome::done;
      if (tls != nullptr) {
        outcome = tls->read(piece, sizeof piece, count);
      } else {
        const ssize_t got = ::recv(socket, piece, sizeof piece, 0);
        if (got > 0) count = static_cast<size_t>(got);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) outcome = Tls::Outcome::wait_readable;
        if (got == 0 || (got < 0 && outcome == Tls::Outcome::done)) outcome = Tls::Outcome::closed;
      }
      if (outcome == Tls::Outcome::done) {
        buffer.append(piece, count);
        return true;
      }
      if (outcome == Tls::Outcome::closed) {
        at_end = true;
      } else if (!wait(outcome == Tls::Outcome::wait_readable ? POLLIN : POLLOUT)) {
        if (may_wait_in_vain) return false;
        fail("the answer took too long");
      }
    }
    return false;
  }

  std::string take(size_t count) {
    if (count > options.body_max) fail("the answer is too long");
    while (buffer.size() < count) {
      if (!fill()) fail("the answer is cut off");
    }
    std::string out = buffer.substr(0, count);
    buffer.erase(0, count);
    return out;
  }

  std::string take_line() {
    size_t end = 0;
    while ((end = buffer.find("\r\n")) == std::string::npos) {
      if (buffer.size() > kHeadMax) fail("a line is too long");
      if (!fill()) fail("the answer is cut off");
    }
    std::string line = buffer.substr(0, end);
    buffer.erase(0, end + 2);
    return line;
  }

  std::string take_chunks() {
    std::string body;
    for (;;) {
      const std::string line = take_line();
      const uint64_t size = number_of(trim(std::string_view(line).substr(0, line.find(';'))), 16);
      if (size == 0) break;
      if (size > options.body_max - std::min(options.body_max, body.size())) fail("the answer is too long");
      body += take(size);
      if (!take_line().empty()) fail("a chunk without its end");
    }
    while (!take_line().empty()) {
    }
    return body;
  }
};

Client::Client(const std::string& host, uint16_t port, const Options& options)
    : wire_(std::make_unique<Wire>(options, host)) {
  wire_->connect(port);
}
Client::~Client() = default;
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;

Answer Client::request(std::string_view verb, std::string_view target, std::string_view body, const Headers& headers) {
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

void Client::send(std::string_view bytes) {
  wire_->write(bytes);
}

void Client::finish_sending() {
  ::shutdown(wire_->socket, SHUT_WR);
}

Answer Client::read(bool of_head) {
  const std::string line = wire_->take_line();
  if (!line.starts_with("HTTP/1.") || line.size() < 12) fail("the peer does not speak HTTP");
  Answer answer{.status = static_cast<int>(number_of(std::string_view(line).substr(9, 3), 10))};
  for (std::string field = wire_->take_line(); !field.empty(); field = wire_->take_line()) {
    const size_t colon = field.find(':');
    if (colon == std::string::npos || answer.headers.size() > 200) fail("not a header");
    answer.headers.emplace_back(lower(field.substr(0, colon)), trim(std::string_view(field).substr(colon + 1)));
  }
  if (of_head || answer.status < 200 || answer.status == 204 || answer.status == 304) return answer;
  if (const auto length = answer.header("content-length"); !length.empty()) {
    answer.body = wire_->take(number_of(length, 10));
  } else if (lower(answer.header("transfer-encoding")) == "chunked") {
    answer.body = wire_->take_chunks();
  } else {
    while (wire_->fill()) {
      if (wire_->buffer.size() > wire_->options.body_max) fail("the answer is too long");
    }
    answer.body.swap(wire_->buffer);
  }
  return answer;
}

bool Client::is_closed() {
  if (!wire_->buffer.empty()) return false;
  wire_->fill(true);
  return wire_->at_end && wire_->buffer.empty();
}

}  // namespace jw::http
