#include "platform/http/api.hpp"
#include "platform/http/target.hpp"

namespace jw::http {

std::string_view Request::header(std::string_view lower_case_name) const {
  for (const auto& [name, value] : headers) {
    if (name == lower_case_name) return value;
  }
  return {};
}

std::string_view Request::cookie(std::string_view wanted) const {
  for (const auto& [name, value] : headers) {
    if (name != "cookie") continue;
    std::string_view rest = value;
    while (!rest.empty()) {
      const size_t end = rest.find(';');
      std::string_view pair = rest.substr(0, end);
      rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
      while (!pair.empty() && pair.front() == ' ') pair.remove_prefix(1);
      if (pair.size() <= wanted.size() || pair[wanted.size()] != '=' || !pair.starts_with(wanted)) continue;
      pair.remove_prefix(wanted.size() + 1);
      if (pair.size() >= 2 && pair.front() == '"' && pair.back() == '"') pair = pair.substr(1, pair.size() - 2);
      return pair;
    }
  }
  return {};
}

std::optional<std::string> Request::parameter(std::string_view wanted) const {
  std::string_view rest = query;
  while (!rest.empty()) {
    const size_t end = rest.find('&');
    const std::string_view pair = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    const size_t equals = pair.find('=');
    const auto name = percent_decode(pair.substr(0, equals), Plus::space);
    if (!name || *name != wanted) continue;
    return percent_decode(equals == std::string_view::npos ? std::string_view{} : pair.substr(equals + 1), Plus::space);
  }
  return std::nullopt;
}

}  // namespace jw::http
