// A small blocking HTTP/1.1 client: for tests, for sending checkpoints to witnesses, for calling a neighbour. One
// request at a time on one connection; any byte can be sent, so it can also be wrong on purpose.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace jw::http {

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

}  // namespace jw::http
