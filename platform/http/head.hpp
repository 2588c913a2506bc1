// Writing the head of a response by hand: one string, no tree.
#pragma once

#include <string>
#include <string_view>

#include "platform/http/api.hpp"

namespace jw::http {

std::string_view reason_of(int status);  // "Not Found"; "Unknown" for one we do not know

// Whether name and values can stand in a header: no way to end the line or the head from inside one.
bool is_sendable(const Response& response);

// The headers of Options, printed once.
class FixedHeaders {
 public:
  explicit FixedHeaders(const std::vector<std::pair<std::string, std::string>>& headers);  // throws std::runtime_error
  void append_to(std::string& out, const Response& response) const;  // but those which the response has itself

 private:
  struct Line {
    std::string lower_name, text;
  };
  std::vector<Line> lines_;
  std::string all_;
};

struct Head {
  const Response& response;
  const FixedHeaders& fixed;
  std::string_view date;  // as it stands in the header
  std::string_view id;
  uint64_t length;  // of the body
  bool close;
};
void append_head(std::string& out, const Head& head);

// "Thu, 05 Nov 2026 07:10:00 GMT" (RFC 9110 §5.6.7)
std::string http_date(int64_t seconds);

}  // namespace jw::http
