// One connection and the thread it lives on. Everything here runs on that thread, but for Mailbox::deliver.
#pragma once

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "platform/http/core.hpp"
#include "platform/http/exchange.hpp"
#include "platform/http/tls.hpp"

namespace jw::http {

namespace net = boost::asio;
using SteadyClock = std::chrono::steady_clock;
using Instant = SteadyClock::time_point;
using Executor = net::io_context::executor_type;  // a concrete one: no type-erased call for each operation
using Socket = net::basic_stream_socket<net::ip::tcp, Executor>;
using Timer = net::basic_waitable_timer<SteadyClock, net::wait_traits<SteadyClock>, Executor>;

class IoThread;

// A file being sent. A temporary one has lost its name already; it goes when this is closed.
class OpenFile {
 public:
  OpenFile() = default;
  OpenFile(OpenFile&& other) noexcept
      : number_(std::exchange(other.number_, -1)), size_(other.size_), sent_(other.sent_) {}
  OpenFile& operator=(OpenFile&& other) noexcept;
  ~OpenFile();
  bool open(const std::string& path, bool is_temporary);  // false when it cannot be read
  int number() const { return number_; }
  uint64_t size() const { return size_; }
  uint64_t& sent() { return sent_; }
  bool all_sent() const { return sent_ >= size_; }

 private:
  int number_ = -1;
  uint64_t size_ = 0, sent_ = 0;
};

class Connection {
 public:
  Connection(IoThread& thread, Socket socket, uint32_t slot);

  void start();
  void answer(Delivery&& delivery);  // from the mailbox
  void check_deadline(Instant now);
  void end_soon();  // the server stops: close now, or with the running answer
  void close();

 private:
  friend class Hold;
  enum class Phase : uint8_t { handshake, idle, reading, handling, writing, lingering, closed };
  enum class Wait : uint8_t { readable, writable };

  std::string_view unread() const { return {in_.data() + in_begin_, in_end_ - in_begin_}; }
  void advance();
  bool await_bytes();  // true when some are there already; false: on_bytes comes, or this is closed
  void skip_empty_lines();
  void await(Wait wait);
  void on_bytes(uint32_t epoch, bool good, size_t count);
  void on_ready(uint32_t epoch, bool good);
  bool read_secure();  // false when there is nothing to read now, and a wait was begun or the connection closed
  void make_room();
  void handshake();

  void begin_request();
  void head_read();
  void say_continue();
  bool hold_body();  // counts what has been read of it; false when all bodies together are too much
  void let_go_of_body();
  void refuse_unread(const Fault& fault);
  void dispatch();
  void fill_in_peer();
  void refuse(const Fault& fault, std::vector<std::pair<std::string, std::string>> headers = {});

  void send(Response response);
  void flush();
  bool flush_plain();  // these three: false when all that can be is done for now
  bool flush_secure();
  bool flush_file();
  bool taken(long count);
  bool await_to_write(Wait wait);
  bool all_written() const { return out_sent_ == out_.size() && body_sent_ == body_.size() && file_.all_sent(); }
  void finish();
  void linger();
  Instant deadline_by_rate(Instant from, std::chrono::milliseconds base, uint64_t bytes) const;

  IoThread& thread_;
  Socket socket_;
  const uint32_t slot_;
  uint32_t holds_ = 0;  // operations under way, and one while open
  uint32_t epoch_ = 0;  // operations of an older one are ignored
  Phase phase_ = Phase::idle;
  bool keeps_alive_ = false, is_head_verb_ = false, input_whole_ = false, peer_trusted_ = false, secure_ = false;
  std::unique_ptr<Tls> tls_;
  std::string peer_;
  Instant deadline_ = Instant::max();

  std::vector<char> in_;
  size_t in_begin_ = 0, in_end_ = 0;
  RequestParser parser_;

  // The request being read or answered.
  Request request_;
  Instant started_{};
  uint64_t number_ = 0;
  std::string id_, remote_;
  int route_number_ = -1, status_ = 0;
  size_t bytes_in_ = 0, bytes_out_ = 0, body_held_ = 0;

  // The answer being written.
  Instant write_started_{};
  std::string out_;
  size_t out_sent_ = 0, body_sent_ = 0;
  std::string body_owned_;
  std::shared_ptr<const std::string> body_shared_;
  std::string_view body_;
  OpenFile file_;
};

// Keeps a connection's memory while an operation knows it. Not atomic: one thread.
class Hold {
 public:
  explicit Hold(Connection& connection) : connection_(&connection) { ++connection_->holds_; }
  Hold(const Hold& other) : connection_(other.connection_) { ++connection_->holds_; }
  Hold(Hold&& other) noexcept : connection_(std::exchange(other.connection_, nullptr)) {}
  Hold& operator=(const Hold&) = delete;
  ~Hold() {
    if (connection_ != nullptr && --connection_->holds_ == 0) delete connection_;
  }
  Connection* operator->() const { return connection_; }

 private:
  Connection* connection_;
};

class IoThread {
 public:
  IoThread(Core& core, int index);
  ~IoThread();

  void run();                   // the thread's function
  void adopt(Socket&& socket);  // from any thread
  void stop_soon();             // from any thread: no new request
  void stop_now();              // from any thread: close all; run() then returns
  net::io_context& context() { return context_; }

  Core& core() { return core_; }
  const std::shared_ptr<Mailbox>& mailbox() const { return mailbox_; }
  const std::string& date() const { return date_; }
  bool is_stopping() const { return stopping_; }
  uint64_t next_number() { return ++number_; }
  void forget(uint32_t slot);
  Executor executor() { return context_.get_executor(); }

 private:
  void open(Socket&& socket);
  void tick();
  void deliver_all();

  Core& core_;
  net::io_context context_{1};
  net::executor_work_guard<Executor> work_;
  Timer timer_;
  std::chrono::milliseconds tick_every_;
  std::shared_ptr<Mailbox> mailbox_;
  std::vector<Delivery> delivering_;
  std::vector<std::unique_ptr<Hold>> slots_;
  std::vector<uint32_t> free_slots_;
  uint64_t number_;
  std::string date_;
  bool stopping_ = false;
};

}  // namespace jw::http
