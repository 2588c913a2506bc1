#include "platform/http/parser.hpp"

// Beast 1.81 asserts that a last chunk comes in five bytes at least, which a client may break ("0\r\n", then "\r"); the
// code after the assertion is right for less. No sender may abort this process.
#define BOOST_DISABLE_ASSERTS
#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>

#include "platform/http/target.hpp"

namespace jw::http {
namespace {

namespace beast = boost::beast;
using beast::error_code;
using beast::http::error;
using Field = beast::http::field;
constexpr size_t kHeadersMax = 100;
constexpr size_t kReserveMax = 64 * 1024;  // of a body that is only announced

bool equals_ignoring_case(std::string_view a, std::string_view lower) {
  return std::equal(a.begin(), a.end(), lower.begin(), lower.end(),
                    [](char x, char y) { return (x >= 'A' && x <= 'Z' ? static_cast<char>(x + 32) : x) == y; });
}

std::string lower(beast::string_view name) {
  std::string out(name.data(), name.size());
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

class Message final : public beast::http::basic_parser<true> {
 public:
  Message(Request& request, size_t header_max) : request_(request), head_left_(header_max) {
    header_limit(static_cast<uint32_t>(header_max));
    body_limit(boost::none);  // ours is checked below, when the route is known
  }

  const Fault* fault() const { return fault_; }
  std::optional<Verb> verb() const { return verb_; }
  bool is_head_verb() const { return is_head_verb_; }
  bool version_is_11() const { return !is_http_10_; }
  bool expects_continue() const { return expects_continue_; }
  std::string_view raw_path() const { return raw_path_; }
  bool has_body() const { return chunked() || content_length().value_or(0) > 0; }

  // After the head, when the route has said how much it takes.
  bool take_body(size_t max) {
    body_max_ = max;
    const auto length = content_length();
    if (length && *length > max) return fail(fault::kBodyTooLarge);
    if (length) request_.body.reserve(std::min<size_t>(*length, kReserveMax));
    return true;
  }

 private:
  void on_request_impl(beast::http::verb verb, beast::string_view, beast::string_view target, int version,
                       error_code& ec) override {
    is_http_10_ = version == 10;
    switch (verb) {
      case beast::http::verb::get:
        verb_ = Verb::get;
        break;
      case beast::http::verb::head:
        verb_ = Verb::get;
        is_head_verb_ = true;
        break;
      case beast::http::verb::post:
        verb_ = Verb::post;
        break;
      case beast::http::verb::put:
        verb_ = Verb::put;
        break;
      case beast::http::verb::patch:
        verb_ = Verb::patch;
        break;
      case beast::http::verb::delete_:
        verb_ = Verb::del;
        break;
      default:
        break;
    }
    if (verb_) request_.verb = *verb_;
    head_left_ -= std::min(head_left_, target.size());
    target_.assign(target.data(), target.size());
    if (!read_target(target_, request_, raw_path_)) return stop(fault::kBadTarget, ec);
  }
  void on_response_impl(int, beast::string_view, int, error_code&) override {}

  void on_field_impl(Field field, beast::string_view name, beast::string_view value, error_code& ec) override {
    if (head_read_) return;  // a trailer: nobody reads them, and they must not pass for headers
    const size_t size = name.size() + value.size() + 4;
    if (request_.headers.size() >= kHeadersMax || size > head_left_) return stop(fault::kHeadTooLarge, ec);
    head_left_ -= size;  // Beast's limit is on what is in the buffer only
    switch (field) {
      case Field::host:
        if (std::exchange(has_host_, true)) return stop(fault::kBadHost, ec);
        break;
      case Field::content_length:
        if (std::exchange(has_length_, true) || has_coding_) return stop(fault::kBadLength, ec);
        if (value.find(',') != beast::string_view::npos) return stop(fault::kBadLength, ec);
        break;
      case Field::transfer_encoding:
        if (std::exchange(has_coding_, true) || has_length_ || is_http_10_) return stop(fault::kBadLength, ec);
        if (!equals_ignoring_case({value.data(), value.size()}, "chunked")) return stop(fault::kCoding, ec);
        break;
      case Field::expect:
        if (!equals_ignoring_case({value.data(), value.size()}, "100-continue"))
          return stop(fault::kBadExpectation, ec);
        expects_continue_ = !is_http_10_;
        break;
      default:
        break;
    }
    if (request_.headers.empty()) request_.headers.reserve(16);
    request_.headers.emplace_back(lower(name), std::string(value.data(), value.size()));
  }

  void on_header_impl(error_code& ec) override {
    head_read_ = true;
    if (!has_host_ && !is_http_10_) return stop(fault::kBadHost, ec);
  }
  void on_body_init_impl(boost::optional<std::uint64_t> const&, error_code&) override {}
  std::size_t on_body_impl(beast::string_view bytes, error_code& ec) override {
    if (request_.body.size() + bytes.size() > body_max_) {
      stop(fault::kBodyTooLarge, ec);
      return 0;
    }
    request_.body.append(bytes.data(), bytes.size());
    return bytes.size();
  }
  void on_chunk_header_impl(std::uint64_t size, beast::string_view, error_code& ec) override {
    if (size > body_max_ - std::min(body_max_, request_.body.size())) stop(fault::kBodyTooLarge, ec);
  }
  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view bytes, error_code& ec) override {
    return on_body_impl(bytes, ec);
  }
  void on_finish_impl(error_code&) override {}

  void stop(const Fault& fault, error_code& ec) {
    fail(fault);
    ec = error::bad_value;
  }
  bool fail(const Fault& fault) {
    fault_ = &fault;
    return false;
  }

  Request& request_;
  const Fault* fault_ = nullptr;
  std::optional<Verb> verb_;
  std::string target_;
  std::string_view raw_path_;
  size_t head_left_, body_max_ = 0;
  bool is_head_verb_ = false, is_http_10_ = false, head_read_ = false, expects_continue_ = false;
  bool has_host_ = false, has_length_ = false, has_coding_ = false;
};

const Fault& fault_of(const error_code& ec) {
  if (ec == error::header_limit) return fault::kHeadTooLarge;
  if (ec == error::body_limit) return fault::kBodyTooLarge;
  if (ec == error::bad_content_length || ec == error::multiple_content_length || ec == error::bad_transfer_encoding)
    return fault::kBadLength;
  if (ec == error::bad_target) return fault::kBadTarget;
  return fault::kMalformed;
}

}  // namespace

struct RequestParser::State {
  size_t header_max;
  std::optional<Message> message{};
  const Fault* fault = nullptr;
};

RequestParser::RequestParser(size_t header_max) : state_(std::make_unique<State>(State{header_max})) {}
RequestParser::~RequestParser() = default;

void RequestParser::begin(Request& request) {
  state_->message.emplace(request, state_->header_max);
  state_->fault = nullptr;
}

bool RequestParser::set_body_max(size_t bytes) {
  if (state_->message->take_body(bytes)) return true;
  state_->fault = state_->message->fault();
  return false;
}

RequestParser::Step RequestParser::feed(std::string_view bytes, size_t& used) {
  Message& message = *state_->message;
  used = 0;
  if (state_->fault != nullptr) return Step::refused;
  const bool had_head = message.is_header_done();
  error_code ec;
  if (!message.is_done()) {
    message.eager(had_head);
    used = message.put(boost::asio::const_buffer(bytes.data(), bytes.size()), ec);
  }
  if (ec == error::need_more) {
    // A line of a chunk (its extensions, the trailer) is kept whole in the buffer: as long as a header at most.
    if (bytes.size() - used >= state_->header_max) {
      state_->fault = &fault::kHeadTooLarge;
      return Step::refused;
    }
    return Step::more;
  }
  if (ec) {
    state_->fault = message.fault() != nullptr ? message.fault() : &fault_of(ec);
    return Step::refused;
  }
  if (!had_head) return message.is_header_done() ? Step::head : Step::more;
  return message.is_done() ? Step::complete : Step::more;
}

const Fault& RequestParser::fault() const {
  return *state_->fault;
}
bool RequestParser::has_head() const {
  return state_->message->is_header_done();
}
std::optional<Verb> RequestParser::verb() const {
  return state_->message->verb();
}
bool RequestParser::is_head_verb() const {
  return state_->message->is_head_verb();
}
std::string_view RequestParser::raw_path() const {
  return state_->message->raw_path();
}
bool RequestParser::keeps_alive() const {
  return state_->message->version_is_11() && state_->message->keep_alive();
}
bool RequestParser::expects_continue() const {
  return state_->message->expects_continue();
}
bool RequestParser::has_body() const {
  return state_->message->has_body();
}

}  // namespace jw::http
