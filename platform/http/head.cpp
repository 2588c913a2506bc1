#include "platform/http/head.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <stdexcept>

#include "base/time.hpp"

namespace jw::http {
namespace {

constexpr std::pair<int, std::string_view> kReasons[] = {{200, "OK"},
                                                         {201, "Created"},
                                                         {202, "Accepted"},
                                                         {204, "No Content"},
                                                         {206, "Partial Content"},
                                                         {301, "Moved Permanently"},
                                                         {302, "Found"},
                                                         {303, "See Other"},
                                                         {304, "Not Modified"},
                                                         {307, "Temporary Redirect"},
                                                         {308, "Permanent Redirect"},
                                                         {400, "Bad Request"},
                                                         {401, "Unauthorized"},
                                                         {403, "Forbidden"},
                                                         {404, "Not Found"},
                                                         {405, "Method Not Allowed"},
                                                         {406, "Not Acceptable"},
                                                         {408, "Request Timeout"},
                                                         {409, "Conflict"},
                                                         {410, "Gone"},
                                                         {412, "Precondition Failed"},
                                                         {413, "Content Too Large"},
                                                         {415, "Unsupported Media Type"},
                                                         {417, "Expectation Failed"},
                                                         {422, "Unprocessable Content"},
                                                         {423, "Locked"},
                                                         {428, "Precondition Required"},
                                                         {429, "Too Many Requests"},
                                                         {431, "Request Header Fields Too Large"},
                                                         {500, "Internal Server Error"},
                                                         {501, "Not Implemented"},
                                                         {502, "Bad Gateway"},
                                                         {503, "Service Unavailable"},
                                                         {504, "Gateway Timeout"}};

bool is_token(std::string_view name) {
  constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
  return !name.empty() && std::all_of(name.begin(), name.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kOthers.find(c) != std::string_view::npos;
  });
}

bool is_value(std::string_view value) {
  return std::none_of(value.begin(), value.end(),
                      [](char c) { return (c >= 0 && c < 0x20 && c != '\t') || c == 0x7f; });
}

std::string lower(std::string_view name) {
  std::string out(name);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

// Said by the server alone: a second one from a handler could cut or mix answers.
bool is_reserved(std::string_view name) {
  constexpr std::array<std::string_view, 5> kReserved{"connection", "content-length", "date", "transfer-encoding",
                                                      "x-request-id"};
  return std::find(kReserved.begin(), kReserved.end(), lower(name)) != kReserved.end();
}

void append_number(std::string& out, uint64_t number) {
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  out.append(digits.data(), end.ptr);
}

}  // namespace

std::string_view reason_of(int status) {
  for (const auto& [known, reason] : kReasons) {
    if (known == status) return reason;
  }
  return "Unknown";
}

bool is_sendable(const Response& response) {
  if (response.status < 200 || response.status > 599 || !is_value(response.content_type)) return false;
  return std::all_of(response.headers.begin(), response.headers.end(), [](const auto& header) {
    return is_token(header.first) && is_value(header.second) && !is_reserved(header.first);
  });
}

FixedHeaders::FixedHeaders(const std::vector<std::pair<std::string, std::string>>& headers) {
  for (const auto& [name, value] : headers) {
    if (!is_token(name) || !is_value(value) || is_reserved(name)) {
      throw std::runtime_error("cannot be a header of every response: " + name);
    }
    lines_.push_back({lower(name), name + ": " + value + "\r\n"});
    all_ += lines_.back().text;
  }
}

void FixedHeaders::append_to(std::string& out, const Response& response) const {
  if (response.headers.empty()) {
    out += all_;
    return;
  }
  for (const Line& line : lines_) {
    const bool replaced = std::any_of(response.headers.begin(), response.headers.end(), [&](const auto& header) {
      return header.first.size() == line.lower_name.size() && lower(header.first) == line.lower_name;
    });
    if (!replaced) out += line.text;
  }
}

void append_head(std::string& out, const Head& head) {
  const Response& response = head.response;
  out += "HTTP/1.1 ";
  append_number(out, static_cast<uint64_t>(response.status));
  out += ' ';
  out += reason_of(response.status);
  out += "\r\nDate: ";
  out += head.date;
  if (response.status != 204 && response.status != 304) {
    if (!response.content_type.empty()) {
      out += "\r\nContent-Type: ";
      out += response.content_type;
    }
    out += "\r\nContent-Length: ";
    append_number(out, head.length);
  }
  out += "\r\nX-Request-Id: ";
  out += head.id;
  out += head.close ? "\r\nConnection: close\r\n" : "\r\n";
  head.fixed.append_to(out, response);
  for (const auto& [name, value] : response.headers) {
    out += name;
    out += ": ";
    out += value;
    out += "\r\n";
  }
  out += "\r\n";
}

std::string http_date(int64_t seconds) {
  constexpr std::array<const char*, 7> kDays{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
  constexpr std::array<const char*, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const Date date{static_cast<int32_t>(seconds / 86'400)};
  const int64_t in_day = seconds % 86'400;
  const auto two = [](int64_t number) { return std::to_string(100 + number).substr(1); };
  return std::string(kDays[date.weekday() - 1]) + ", " + two(date.day()) + ' ' + kMonths[date.month() - 1] + ' ' +
         std::to_string(date.year()) + ' ' + two(in_day / 3600) + ':' + two(in_day / 60 % 60) + ':' + two(in_day % 60) +
         " GMT";
}

}  // namespace jw::http
