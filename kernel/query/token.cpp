#include "kernel/query/token.hpp"

#include <charconv>

#include "platform/crypto/api.hpp"

namespace jw::query {

std::string seal_cursor(std::string_view key, std::string_view context, const Cursor& cursor) {
  std::string plain;
  for (const catalog::Value& value : cursor.values) {
    if (const auto* number = std::get_if<int64_t>(&value)) {
      plain += 'i' + std::to_string(*number) + ';';
    } else if (const auto* text = std::get_if<std::string>(&value)) {
      plain += 't' + std::to_string(text->size()) + ';' + *text;
    } else {
      plain += "n;";
    }
  }
  return crypto::base64url(crypto::seal(key, context, plain));
}

std::optional<Cursor> unseal_cursor(std::string_view key, std::string_view context, std::string_view token) {
  const auto sealed = crypto::unbase64url(token);
  if (!sealed) return std::nullopt;
  const auto plain = crypto::unseal(key, context, *sealed);
  if (!plain) return std::nullopt;
  // Sealed by us: what follows cannot be malformed unless our own format changed, which reads as a foreign token.
  Cursor cursor;
  std::string_view rest = *plain;
  while (!rest.empty()) {
    const size_t end = rest.find(';');
    if (end == std::string_view::npos) return std::nullopt;
    const char kind = rest.front();
    int64_t number = 0;
    if (kind != 'n') {
      const auto [at, error] = std::from_chars(rest.data() + 1, rest.data() + end, number);
      if (error != std::errc{} || at != rest.data() + end) return std::nullopt;
    }
    rest.remove_prefix(end + 1);
    if (kind == 'n') {
      cursor.values.emplace_back();
    } else if (kind == 'i') {
      cursor.values.emplace_back(number);
    } else if (kind == 't' && number >= 0 && static_cast<size_t>(number) <= rest.size()) {
      cursor.values.emplace_back(std::string(rest.substr(0, static_cast<size_t>(number))));
      rest.remove_prefix(static_cast<size_t>(number));
    } else {
      return std::nullopt;
    }
  }
  return cursor;
}

}  // namespace jw::query
