// TLS over a socket that does not block: OpenSSL on the socket itself, so that waiting stays Asio's and plain and
// secure connections are one class (asio::ssl::stream would double the compile time and the copies).
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <string_view>

namespace jw::http {

struct TlsContextFree {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using TlsContext = std::unique_ptr<SSL_CTX, TlsContextFree>;

// TLS 1.2 at least. Throw std::runtime_error.
TlsContext server_tls(const std::string& certificate_file, const std::string& key_file);
TlsContext client_tls(const std::string& authority_file);  // empty: the system's authorities

class Tls {
 public:
  enum class Outcome : uint8_t { done, wait_readable, wait_writable, closed };

  enum class Side : bool { server, client };
  // `name` is what a client asks for and checks in the certificate.
  Tls(SSL_CTX* context, int socket, Side side, const std::string& name = {});

  Outcome handshake();
  Outcome read(char* into, size_t size, size_t& count);
  Outcome write(std::string_view bytes, size_t& count);
  void say_goodbye();  // close_notify, as far as the socket takes it
  bool has_unread() const { return SSL_pending(ssl_.get()) > 0; }

 private:
  struct Free {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };
  Outcome outcome_of(int result);
  std::unique_ptr<SSL, Free> ssl_;
  bool failed_ = false;
};

}  // namespace jw::http
