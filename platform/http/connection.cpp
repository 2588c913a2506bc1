#include "platform/http/connection.hpp"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/post.hpp>

#include "platform/log/api.hpp"

namespace jw::http {
namespace {

using boost::system::error_code;
using std::chrono::milliseconds;

constexpr size_t kFirstRoom = 4 * 1024;   // enough for the head of a browser's request
constexpr size_t kBodyRoom = 64 * 1024;   // read at once while a body comes in
constexpr size_t kOneRecord = 16 * 1024;  // a TLS record; a shorter answer goes as one
constexpr size_t kUnroutedBodyMax = 64 * 1024;
constexpr int kRoundsMax = 32;  // pipelined requests answered before others have their turn
constexpr milliseconds kLinger{2'000}, kLingerAtEnd{200};
constexpr size_t kFilePiece = 256 * 1024;

}  // namespace

OpenFile& OpenFile::operator=(OpenFile&& other) noexcept {
  std::swap(number_, other.number_);
  std::swap(size_, other.size_);
  std::swap(sent_, other.sent_);
  return *this;
}

OpenFile::~OpenFile() {
  if (number_ >= 0) ::close(number_);
}

bool OpenFile::open(const std::string& path, bool is_temporary) {
  number_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (is_temporary) ::unlink(path.c_str());
  struct stat about {};
  if (number_ < 0 || ::fstat(number_, &about) != 0 || !S_ISREG(about.st_mode)) return false;
  size_ = static_cast<uint64_t>(about.st_size);
  return true;
}

Connection::Connection(IoThread& thread, Socket socket, uint32_t slot)
    : thread_(thread), socket_(std::move(socket)), slot_(slot), parser_(thread.core().options.header_max) {}

void Connection::start() {
  error_code ec;
  socket_.set_option(net::ip::tcp::no_delay(true), ec);
  const auto endpoint = socket_.remote_endpoint(ec);
  if (ec) return close();
  auto address = endpoint.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    address = net::ip::make_address_v4(net::ip::v4_mapped, address.to_v6());
  }
  peer_ = address.to_string();
  peer_trusted_ = thread_.core().proxies.contains(peer_);
  if (const auto tls = thread_.core().tls()) {
    tls_ = std::make_unique<Tls>(tls.get(), socket_.native_handle(), Tls::Side::server);
    phase_ = Phase::handshake;
    deadline_ = SteadyClock::now() + thread_.core().options.request_deadline;
    socket_.native_non_blocking(true, ec);
    return handshake();
  }
  deadline_ = SteadyClock::now() + thread_.core().options.idle_deadline;
  advance();
}

void Connection::handshake() {
  switch (tls_->handshake()) {
    case Tls::Outcome::wait_readable:
      return await(Wait::readable);
    case Tls::Outcome::wait_writable:
      return await(Wait::writable);
    case Tls::Outcome::closed:
      return close();
    case Tls::Outcome::done:
      break;
  }
  phase_ = Phase::idle;
  deadline_ = SteadyClock::now() + thread_.core().options.idle_deadline;
  advance();
}

// ---- reading

void Connection::advance() {
  for (int round = 0; phase_ == Phase::idle || phase_ == Phase::reading;) {
    if (phase_ == Phase::idle) {
      skip_empty_lines();
      if (unread().empty()) {
        if (await_bytes()) continue;
        return;
      }
      if (++round > kRoundsMax) {
        return net::post(thread_.executor(), [self = Hold(*this)] { self->advance(); });
      }
      begin_request();
    }
    size_t used = 0;
    const RequestParser::Step step = parser_.feed(unread(), used);
    in_begin_ += used;
    bytes_in_ += used;
    if (!hold_body()) {
      refuse(fault::kBusy, {{"Retry-After", "1"}});
      continue;
    }
    switch (step) {
      case RequestParser::Step::more:
        if (await_bytes()) break;
        return;
      case RequestParser::Step::head:
        head_read();
        break;
      case RequestParser::Step::complete:
        dispatch();
        break;
      case RequestParser::Step::refused:
        refuse_unread(parser_.fault());
        break;
    }
  }
}

// RFC 9112 §2.2: an empty line before a request is no part of it.
void Connection::skip_empty_lines() {
  while (in_begin_ < in_end_ && (in_[in_begin_] == '\r' || in_[in_begin_] == '\n')) ++in_begin_;
}

void Connection::make_room() {
  if (in_begin_ == in_end_) in_begin_ = in_end_ = 0;
  const bool has_body = phase_ == Phase::reading && parser_.has_head();
  const size_t wanted = has_body ? kBodyRoom : kFirstRoom;
  if (in_end_ < in_.size() && in_.size() >= wanted) return;
  if (in_begin_ > 0) {
    std::copy(in_.begin() + static_cast<ptrdiff_t>(in_begin_), in_.begin() + static_cast<ptrdiff_t>(in_end_),
              in_.begin());
    in_end_ -= in_begin_;
    in_begin_ = 0;
  }
  if (in_.size() < wanted) in_.resize(wanted);
  if (in_end_ == in_.size()) in_.resize(in_.size() * 2);  // bounded: the parser refuses what is longer than a head
}

bool Connection::await_bytes() {
  make_room();
  if (tls_ != nullptr) return read_secure();
  socket_.async_read_some(
      net::buffer(in_.data() + in_end_, in_.size() - in_end_),
      [self = Hold(*this), epoch = epoch_](const error_code& ec, size_t count) { self->on_bytes(epoch, !ec, count); });
  return false;
}

bool Connection::read_secure() {
  size_t count = 0;
  switch (tls_->read(in_.data() + in_end_, in_.size() - in_end_, count)) {
    case Tls::Outcome::done:
      in_end_ += count;
      return true;
    case Tls::Outcome::wait_readable:
      await(Wait::readable);
      return false;
    case Tls::Outcome::wait_writable:
      await(Wait::writable);
      return false;
    case Tls::Outcome::closed:
      close();
      return false;
  }
  return false;
}

void Connection::await(Wait wait) {
  socket_.async_wait(wait == Wait::readable ? Socket::wait_read : Socket::wait_write,
                     [self = Hold(*this), epoch = epoch_](const error_code& ec) { self->on_ready(epoch, !ec); });
}

void Connection::on_ready(uint32_t epoch, bool good) {
  if (epoch != epoch_ || phase_ == Phase::closed) return;
  if (!good) return close();
  switch (phase_) {
    case Phase::handshake:
      return handshake();
    case Phase::writing:
      flush();
      return advance();
    default:
      if (await_bytes()) advance();
  }
}

void Connection::on_bytes(uint32_t epoch, bool good, size_t count) {
  if (epoch != epoch_ || phase_ == Phase::closed) return;
  if (!good) return close();
  in_end_ += count;
  if (phase_ == Phase::lingering) {
    in_begin_ = in_end_ = 0;
    await_bytes();
    return;
  }
  advance();
}

// ---- one request

void Connection::begin_request() {
  phase_ = Phase::reading;
  started_ = SteadyClock::now();
  deadline_ = started_ + thread_.core().options.request_deadline;
  number_ = thread_.next_number();
  id_ = thread_.core().request_id(number_);
  remote_ = peer_;
  secure_ = tls_ != nullptr;
  route_number_ = -1;
  bytes_in_ = bytes_out_ = 0;
  keeps_alive_ = is_head_verb_ = input_whole_ = false;
  request_ = Request{};
  parser_.begin(request_);
}

void Connection::head_read() {
  const Core& core = thread_.core();
  keeps_alive_ = parser_.keeps_alive();
  is_head_verb_ = parser_.is_head_verb();
  input_whole_ = !parser_.has_body();
  const Router::Place place = core.router.find(parser_.raw_path());
  const auto verb = parser_.verb();
  size_t body_max = kUnroutedBodyMax;
  if (place.known) {
    route_number_ = verb ? place.numbers[static_cast<size_t>(*verb)] : -1;
    if (route_number_ < 0) return refuse(fault::kWrongVerb, {{"Allow", Router::allow(place)}});
    body_max = core.routes[static_cast<size_t>(route_number_)].body_max;
  } else if (!verb || !core.otherwise) {
    return refuse(fault::kNotFound);
  }
  if (!parser_.set_body_max(body_max)) return refuse_unread(parser_.fault());
  if (parser_.expects_continue() && parser_.has_body() && unread().empty()) say_continue();
}

void Connection::say_continue() {
  constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  size_t count = 0;
  if (tls_ != nullptr) {
    if (tls_->write(kContinue, count) != Tls::Outcome::done) return close();
  } else {
    const ssize_t sent =
        ::send(socket_.native_handle(), kContinue.data(), kContinue.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    count = sent > 0 ? static_cast<size_t>(sent) : 0;
  }
  // Twenty-five bytes that do not fit: the peer has not taken earlier answers, and half a line cannot be left there.
  if (count != kContinue.size()) close();
}

bool Connection::hold_body() {
  const size_t size = request_.body.size();
  if (size == body_held_) return true;
  if (!thread_.core().add_body_bytes(size - body_held_)) return false;
  body_held_ = size;
  return true;
}

void Connection::let_go_of_body() {
  if (body_held_ != 0) thread_.core().remove_body_bytes(std::exchange(body_held_, 0));
}

void Connection::fill_in_peer() {
  if (peer_trusted_) {
    std::string hops;
    for (const auto& [name, value] : request_.headers) {
      if (name == "x-forwarded-for") hops += (hops.empty() ? "" : ",") + value;
    }
    if (std::string client = thread_.core().proxies.client_of(hops); !client.empty()) remote_ = std::move(client);
    // What the client used counts, not what the proxy uses towards us.
    if (const std::string_view used = request_.header("x-forwarded-proto"); !used.empty()) secure_ = used == "https";
  }
  request_.secure = secure_;
  request_.remote = remote_;
  request_.id = id_;
}

// What cannot be read to its end; the connection ends with the answer.
void Connection::refuse_unread(const Fault& fault) {
  const bool heard = fault.status == fault::kBodyTooLarge.status && route_number_ >= 0 &&
                     thread_.core().routes[static_cast<size_t>(route_number_)].hears_of_too_large;
  if (!heard) return refuse(fault);
  request_.body = {};
  request_.body_too_large = true;
  dispatch();
}

void Connection::dispatch() {
  Core& core = thread_.core();
  phase_ = Phase::handling;
  deadline_ = Instant::max();
  input_whole_ = !request_.body_too_large;
  fill_in_peer();
  const Route* route = route_number_ < 0 ? nullptr : &core.routes[static_cast<size_t>(route_number_)];
  if (route != nullptr) request_.captures = core.router.captures(route_number_, parser_.raw_path());
  Job job{route, std::move(request_), respond_to(thread_.mailbox(), slot_, number_)};
  if (route != nullptr && !route->blocking) {
    const Hold self(*this);
    InlineAnswer inline_answer(*thread_.mailbox(), number_);
    core.run(std::move(job));
    job = {};
    if (inline_answer.caught()) {
      auto& response = inline_answer.caught()->response;
      if (!response) return refuse(fault::kInternal);
      send(std::move(*response));
    }
    return;
  }
  if (!core.workers.offer(job)) refuse(fault::kBusy, {{"Retry-After", "1"}});
}

void Connection::answer(Delivery&& delivery) {
  if (delivery.number != number_ || phase_ != Phase::handling) {
    if (delivery.response) discard(*delivery.response);
    return;
  }
  if (delivery.response) {
    send(std::move(*delivery.response));
  } else {
    refuse(fault::kInternal);
  }
  advance();
}

void Connection::refuse(const Fault& fault, std::vector<std::pair<std::string, std::string>> headers) {
  Response response = thread_.core().refuse(fault, id_);
  for (auto& header : headers) response.headers.push_back(std::move(header));
  send(std::move(response));
}

// ---- writing

void Connection::send(Response response) {
  if (phase_ == Phase::closed) return discard(response);
  Core& core = thread_.core();
  if (!is_sendable(response)) {
    log::error("http.response_not_sendable", {{"request", id_}});
    discard(response);
    response = core.refuse(fault::kInternal, id_);
    if (!is_sendable(response)) response = Response{.status = 500};
  }
  if (!response.file.empty() && !file_.open(response.file, response.file_is_temporary)) {
    log::error("http.file_unreadable", {{"request", id_}});
    file_ = {};
    response = core.refuse(fault::kInternal, id_);
    response.file.clear();
  }
  const bool no_body = response.status == 204 || response.status == 304;
  body_shared_ = std::move(response.shared_body);
  body_owned_ = std::move(response.body);
  body_ = body_shared_ != nullptr ? std::string_view(*body_shared_) : std::string_view(body_owned_);
  if (!response.file.empty()) body_ = {};
  if (!input_whole_ || thread_.is_stopping()) keeps_alive_ = false;
  out_.clear();
  append_head(out_, {.response = response,
                     .fixed = secure_ ? core.secure_headers : core.fixed_headers,
                     .date = thread_.date(),
                     .id = id_,
                     .length = response.file.empty() ? body_.size() : file_.size(),
                     .close = !keeps_alive_});
  if (is_head_verb_ || no_body) {
    body_ = {};
    file_ = {};
  }
  if (tls_ != nullptr && !body_.empty() && out_.size() + body_.size() <= kOneRecord) {
    out_ += body_;
    body_ = {};
  }
  status_ = response.status;
  out_sent_ = body_sent_ = 0;
  phase_ = Phase::writing;
  write_started_ = Instant{};
  flush();
}

void Connection::flush() {
  while (!all_written()) {
    const bool is_head_or_body = out_sent_ < out_.size() || body_sent_ < body_.size();
    if (!(is_head_or_body ? (tls_ != nullptr ? flush_secure() : flush_plain()) : flush_file())) return;
  }
  finish();
}

// How a send went: bytes, or a wait, or the end. False = stop for now.
bool Connection::taken(long count) {
  if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return await_to_write(Wait::writable);
  if (count < 0 && errno == EINTR) return true;
  if (count <= 0) {
    close();
    return false;
  }
  bytes_out_ += static_cast<size_t>(count);
  return true;
}

bool Connection::await_to_write(Wait wait) {
  if (write_started_ == Instant{}) write_started_ = SteadyClock::now();
  deadline_ = deadline_by_rate(write_started_, thread_.core().options.idle_deadline, bytes_out_);
  await(wait);
  return false;
}

bool Connection::flush_plain() {
  iovec parts[2] = {{out_.data() + out_sent_, out_.size() - out_sent_},
                    {const_cast<char*>(body_.data()) + body_sent_, body_.size() - body_sent_}};
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  const int more = file_.all_sent() ? 0 : MSG_MORE;
  const ssize_t count = ::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL | MSG_DONTWAIT | more);
  if (!taken(count)) return false;
  if (count < 0) return true;
  const size_t of_head = std::min(static_cast<size_t>(count), parts[0].iov_len);
  out_sent_ += of_head;
  body_sent_ += static_cast<size_t>(count) - of_head;
  return true;
}

bool Connection::flush_secure() {
  const bool is_head = out_sent_ < out_.size();
  const std::string_view rest = is_head ? std::string_view(out_).substr(out_sent_) : body_.substr(body_sent_);
  size_t count = 0;
  switch (tls_->write(rest, count)) {
    case Tls::Outcome::done:
      break;
    case Tls::Outcome::wait_readable:
      return await_to_write(Wait::readable);
    case Tls::Outcome::wait_writable:
      return await_to_write(Wait::writable);
    case Tls::Outcome::closed:
      close();
      return false;
  }
  bytes_out_ += count;
  (is_head ? out_sent_ : body_sent_) += count;
  return true;
}

bool Connection::flush_file() {
  const auto piece = static_cast<size_t>(std::min<uint64_t>(file_.size() - file_.sent(), kFilePiece));
  if (tls_ == nullptr) {
    off_t at = static_cast<off_t>(file_.sent());
    const ssize_t count = ::sendfile(socket_.native_handle(), file_.number(), &at, piece);
    if (!taken(count)) return false;
    if (count > 0) file_.sent() += static_cast<uint64_t>(count);
    return true;
  }
  // Through the buffer of the body; the piece counts as sent when it is in there.
  body_owned_.resize(std::min(piece, kBodyRoom));
  const ssize_t count =
      ::pread(file_.number(), body_owned_.data(), body_owned_.size(), static_cast<off_t>(file_.sent()));
  if (count <= 0) {
    close();  // shorter than promised: the peer must not take it for the whole
    return false;
  }
  file_.sent() += static_cast<uint64_t>(count);
  body_ = std::string_view(body_owned_).substr(0, static_cast<size_t>(count));
  body_sent_ = 0;
  return true;
}

void Connection::finish() {
  Core& core = thread_.core();
  file_ = {};
  body_ = {};
  body_shared_ = nullptr;
  body_sent_ = 0;
  body_owned_ = {};  // gives the memory back: a kept connection must not keep the largest answer it ever had
  if (in_.size() > kFirstRoom && unread().empty()) {
    in_ = {};
    in_begin_ = in_end_ = 0;
  }
  let_go_of_body();
  if (core.finished) {
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(SteadyClock::now() - started_);
    const Route* route = route_number_ < 0 ? nullptr : &core.routes[static_cast<size_t>(route_number_)];
    core.finished({route, route_number_, status_, took.count(), bytes_in_, bytes_out_, id_, remote_});
  }
  if (!keeps_alive_) return input_whole_ && unread().empty() ? close() : linger();
  phase_ = Phase::idle;
  deadline_ = SteadyClock::now() + core.options.idle_deadline;
}

// The peer may still be sending: closing now would reset the connection and could take the answer away from it.
void Connection::linger() {
  phase_ = Phase::lingering;
  deadline_ = SteadyClock::now() + kLinger;
  in_begin_ = in_end_ = 0;
  error_code ec;
  if (tls_ != nullptr) {
    tls_->say_goodbye();
    tls_ = nullptr;  // what comes now is only thrown away
  }
  socket_.shutdown(Socket::shutdown_send, ec);
  if (ec) return close();
  await_bytes();
}

// ---- deadlines and ends

Instant Connection::deadline_by_rate(Instant from, milliseconds base, uint64_t bytes) const {
  return from + base + milliseconds(bytes * 1000 / thread_.core().options.rate_min);
}

void Connection::check_deadline(Instant now) {
  if (now < deadline_) return;
  if (phase_ == Phase::reading) {
    deadline_ = deadline_by_rate(started_, thread_.core().options.request_deadline, request_.body.size());
    if (now < deadline_) return;
    ++epoch_;  // the read under way no longer counts
    error_code ec;
    socket_.cancel(ec);
    return refuse(fault::kSlow);
  }
  close();
}

void Connection::end_soon() {
  if (phase_ == Phase::idle || phase_ == Phase::handshake) return close();
  if (phase_ == Phase::lingering) deadline_ = std::min(deadline_, SteadyClock::now() + kLingerAtEnd);
}

void Connection::close() {
  if (phase_ == Phase::closed) return;
  if (tls_ != nullptr && phase_ != Phase::handshake) tls_->say_goodbye();
  phase_ = Phase::closed;
  ++epoch_;
  file_ = {};
  error_code ec;
  socket_.shutdown(Socket::shutdown_both, ec);
  socket_.close(ec);
  let_go_of_body();
  thread_.core().remove_connection();
  thread_.forget(slot_);  // may be the last hold: nothing after this
}

// ---- the thread

IoThread::IoThread(Core& core, int index)
    : core_(core),
      work_(context_.get_executor()),
      timer_(context_),
      tick_every_(std::clamp(std::min(core.options.request_deadline, core.options.idle_deadline) / 8, milliseconds(5),
                             milliseconds(250))),
      number_(static_cast<uint64_t>(index) << 56) {  // request ids of two threads differ
  mailbox_ = std::make_shared<Mailbox>([this] { net::post(context_, [this] { deliver_all(); }); });
}

IoThread::~IoThread() {
  mailbox_->close();
}

void IoThread::run() {
  // sendfile to a peer that has gone raises SIGPIPE on this thread, and knows no flag against it.
  sigset_t pipe;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
  tick();
  for (;;) {
    try {
      context_.run();
      return;
    } catch (const std::exception& problem) {
      log::error("http.io_failed", {{"error", problem.what()}});
    }
  }
}

void IoThread::tick() {
  using namespace std::chrono;
  date_ = http_date(duration_cast<seconds>(system_clock::now().time_since_epoch()).count());
  const Instant now = SteadyClock::now();
  for (size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i] == nullptr) continue;
    const Hold connection = *slots_[i];
    connection->check_deadline(now);
  }
  if (!work_.owns_work()) return;
  timer_.expires_after(tick_every_);
  timer_.async_wait([this](const error_code& ec) {
    if (!ec) tick();
  });
}

void IoThread::adopt(Socket&& socket) {
  net::post(context_, [this, moved = std::move(socket)]() mutable { open(std::move(moved)); });
}

void IoThread::open(Socket&& socket) {
  if (stopping_) return;
  if (!core_.add_connection()) {
    constexpr std::string_view kFull =
        "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\n"
        "Connection: close\r\n\r\n";
    // In the clear only: a TLS handshake is what one cannot afford now.
    if (core_.tls() == nullptr) ::send(socket.native_handle(), kFull.data(), kFull.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return;
  }
  uint32_t slot = 0;
  if (free_slots_.empty()) {
    slot = static_cast<uint32_t>(slots_.size());
    slots_.emplace_back();
  } else {
    slot = free_slots_.back();
    free_slots_.pop_back();
  }
  const Hold connection(*new Connection(*this, std::move(socket), slot));
  slots_[slot] = std::make_unique<Hold>(connection);
  connection->start();
}

void IoThread::forget(uint32_t slot) {
  free_slots_.push_back(slot);
  slots_[slot] = nullptr;
}

void IoThread::deliver_all() {
  delivering_.clear();
  mailbox_->take_all(delivering_);
  for (Delivery& delivery : delivering_) {
    if (slots_.size() <= delivery.slot || slots_[delivery.slot] == nullptr) {
      if (delivery.response) discard(*delivery.response);
      continue;
    }
    const Hold connection = *slots_[delivery.slot];
    connection->answer(std::move(delivery));
  }
}

void IoThread::stop_soon() {
  net::post(context_, [this] {
    stopping_ = true;
    for (size_t i = 0; i < slots_.size(); ++i) {
      if (slots_[i] == nullptr) continue;
      const Hold connection = *slots_[i];
      connection->end_soon();
    }
  });
}

void IoThread::stop_now() {
  net::post(context_, [this] {
    stopping_ = true;
    for (size_t i = 0; i < slots_.size(); ++i) {
      if (slots_[i] == nullptr) continue;
      const Hold connection = *slots_[i];
      connection->close();
    }
    work_.reset();
    timer_.cancel();
  });
}

}  // namespace jw::http
