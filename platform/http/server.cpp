#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/post.hpp>
#include <stdexcept>
#include <thread>

#include "platform/http/connection.hpp"
#include "platform/log/api.hpp"

namespace jw::http {
namespace {

using boost::system::error_code;
using Acceptor = net::basic_socket_acceptor<net::ip::tcp, Executor>;
constexpr std::chrono::milliseconds kAcceptPause{100};  // after EMFILE and the like

class HttpServer final : public Server {
 public:
  HttpServer(const Options& options, std::vector<Route> routes, Handler otherwise, Problem problem,
             std::function<void(const Finished&)> finished)
      : core_(options, std::move(routes), std::move(otherwise), std::move(problem), std::move(finished)) {
    for (int i = 0; i < options.io_threads; ++i) io_.push_back(std::make_unique<IoThread>(core_, i));
    acceptor_ = std::make_unique<Acceptor>(io_.front()->context());
    pause_ = std::make_unique<Timer>(io_.front()->context());
    listen();
    accept();
    for (const auto& one : io_) threads_.emplace_back([&io = *one] { io.run(); });
  }
  ~HttpServer() override { stop(std::chrono::milliseconds(0)); }

  uint16_t port() const override { return port_; }
  Load load() const override { return {core_.connections(), core_.workers.queued(), core_.body_bytes()}; }
  void reload_certificate() override {
    if (!core_.options.certificate_file.empty()) core_.load_certificate();
  }

  void stop(std::chrono::milliseconds patience) override {
    if (threads_.empty()) return;
    // Also from here on a connection accepted but not yet taken over finds its thread stopping.
    net::post(io_.front()->context(), [this] {
      error_code ec;
      stopping_ = true;
      acceptor_->close(ec);
      pause_->cancel();
    });
    for (const auto& one : io_) one->stop_soon();
    if (!core_.wait_for_none(patience)) log::warning("http.stop_cut_connections");
    core_.workers.stop();
    for (const auto& one : io_) one->stop_now();
    for (std::thread& one : threads_) one.join();
    threads_.clear();
    for (const auto& one : io_) one->mailbox()->close();
  }

 private:
  void listen() {
    const std::string where = core_.options.host + ':' + std::to_string(core_.options.port);
    error_code ec;
    const auto address = net::ip::make_address(core_.options.host, ec);
    if (ec) throw std::runtime_error("HTTP server: not an address: " + core_.options.host);
    const net::ip::tcp::endpoint endpoint(address, core_.options.port);
    acceptor_->open(endpoint.protocol(), ec);
    if (!ec) acceptor_->set_option(Acceptor::reuse_address(true), ec);
    if (!ec) acceptor_->bind(endpoint, ec);
    if (!ec) acceptor_->listen(Acceptor::max_listen_connections, ec);
    if (ec) throw std::runtime_error("HTTP server: cannot listen on " + where + ": " + ec.message());
    port_ = acceptor_->local_endpoint().port();
  }

  // Connections go round the threads: SO_REUSEPORT would leave them uneven, and p99 shows it.
  void accept() {
    IoThread& next = *io_[turn_++ % io_.size()];
    acceptor_->async_accept(next.context(), [this, &next](const error_code& ec, Socket socket) {
      if (stopping_) return;
      if (!ec) {
        next.adopt(std::move(socket));
        return accept();
      }
      pause_->expires_after(kAcceptPause);
      pause_->async_wait([this](const error_code& ended) {
        if (!ended && !stopping_) accept();
      });
    });
  }

  Core core_;
  std::vector<std::unique_ptr<IoThread>> io_;
  std::unique_ptr<Acceptor> acceptor_;
  std::unique_ptr<Timer> pause_;
  std::vector<std::thread> threads_;
  size_t turn_ = 0;
  uint16_t port_ = 0;
  bool stopping_ = false;
};

}  // namespace

std::unique_ptr<Server> Server::start(const Options& options, std::vector<Route> routes, Handler otherwise,
                                      Problem problem, std::function<void(const Finished&)> finished) {
  return std::make_unique<HttpServer>(options, std::move(routes), std::move(otherwise), std::move(problem),
                                      std::move(finished));
}

}  // namespace jw::http
