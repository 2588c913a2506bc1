// One HTTP/1 request out of bytes, without a tree in between: Beast's parser writes straight into a Request.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "platform/http/api.hpp"

namespace jw::http {

// A refusal of the protocol, before any handler.
struct Fault {
  int status;
  Code code;
  const char* type;
  const char* zh;
  const char* en;
  Refusal refusal() const { return Refusal{code, type, Text{zh, en}}; }
};

namespace fault {
constexpr Fault kMalformed{400, Code::bad_request, "http.malformed", "请求不符合 HTTP 规范",
                           "The request is not valid HTTP"};
constexpr Fault kBadTarget{400, Code::bad_request, "http.bad_target", "网址不合规范",
                           "The request target is not a valid address"};
constexpr Fault kBadHost{400, Code::bad_request, "http.bad_host", "请求须恰有一个 Host 头",
                         "The request must have exactly one Host header"};
constexpr Fault kBadLength{400, Code::bad_request, "http.bad_length", "请求体的长度说明有矛盾",
                           "The length of the request body is told in conflicting ways"};
constexpr Fault kBadExpectation{417, Code::bad_request, "http.bad_expectation", "不支持该 Expect 要求",
                                "The expectation cannot be met"};
constexpr Fault kCoding{501, Code::bad_request, "http.transfer_coding", "不支持该传输编码",
                        "The transfer coding is not supported"};
constexpr Fault kHeadTooLarge{431, Code::too_large, "http.header_too_large", "请求头过大",
                              "The request header is too large"};
constexpr Fault kBodyTooLarge{413, Code::too_large, "http.body_too_large", "请求体过大",
                              "The request body is too large"};
constexpr Fault kNotFound{404, Code::not_found, "http.not_found", "没有这个地址", "There is nothing at this address"};
constexpr Fault kWrongVerb{405, Code::bad_request, "http.wrong_verb", "该地址不支持这种请求方法",
                           "This address does not answer this method"};
constexpr Fault kSlow{408, Code::timeout, "http.too_slow", "请求未在时限内发完",
                      "The request was not complete in time"};
constexpr Fault kInternal{500, Code::internal, "http.internal", "系统内部错误", "Something went wrong in the system"};
constexpr Fault kBusy{503, Code::unavailable, "http.busy", "系统繁忙，请稍后再试",
                      "The system is busy; try again shortly"};
}  // namespace fault

class RequestParser {
 public:
  enum class Step : uint8_t { more, head, complete, refused };

  explicit RequestParser(size_t header_max);
  ~RequestParser();
  RequestParser(const RequestParser&) = delete;
  RequestParser& operator=(const RequestParser&) = delete;

  void begin(Request& request);     // of a new message, read into `request`
  bool set_body_max(size_t bytes);  // false = refused: the head announces more
  // Reads from `bytes`, says how many were used up. Gives `head` once, when the head is read; call again for the body.
  Step feed(std::string_view bytes, size_t& used);

  const Fault& fault() const;  // after `refused`
  bool has_head() const;
  std::optional<Verb> verb() const;  // nothing when it is none of ours; HEAD is `get`
  bool is_head_verb() const;
  std::string_view raw_path() const;  // after `head`: as sent, percent-encoded
  bool keeps_alive() const;           // HTTP/1.0 never does
  bool expects_continue() const;      // the client waits for "100 Continue" before it sends the body
  bool has_body() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace jw::http
