#include <bit>
#include <charconv>
#include <string>

#include "base/text.hpp"
#include "kernel/catalog/api.hpp"

namespace jw::catalog {
namespace {

constexpr int kWeeks = 60;

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

std::optional<int> week_number(std::string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number < 1 || number > kWeeks) return std::nullopt;
  return number;
}

// "8", "1-16", "1-16o" (odd weeks of them), "2-16e" (even).
std::optional<int64_t> parse_run(std::string_view run) {
  int step_from = -1;
  if (run.ends_with('o') || run.ends_with('e')) {
    step_from = run.ends_with('o') ? 1 : 0;
    run.remove_suffix(1);
  }
  const size_t dash = run.find('-');
  const auto first = week_number(run.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : week_number(run.substr(dash + 1));
  if (!first || !last || *first > *last) return std::nullopt;
  uint64_t weeks = 0;
  for (int week = *first; week <= *last; ++week) {
    if (step_from < 0 || week % 2 == step_from) weeks |= uint64_t{1} << (week - 1);
  }
  return static_cast<int64_t>(weeks);
}

}  // namespace

std::optional<int64_t> parse_weeks(std::string_view text) {
  if (!is_valid_utf8(text) || text.size() > 1000) return std::nullopt;
  std::string plain = nfkc(text);
  // 单 and 双 become o and e at the end of their run; brackets, 第 and 周 say nothing more.
  constexpr std::pair<std::string_view, std::string_view> kSpellings[] = {
      {"、", ","}, {"，", ","}, {";", ","},  {"~", "-"}, {"—", "-"}, {"–", "-"}, {"至", "-"},
      {"第", ""},  {"单", "o"}, {"双", "e"}, {"周", ""}, {"(", ""},  {")", ""},  {" ", ""}};
  for (const auto& [from, to] : kSpellings) replace_all(plain, from, to);
  if (plain.empty()) return std::nullopt;
  int64_t weeks = 0;
  for (const std::string_view run : split(plain, ',')) {
    const auto some = parse_run(run);
    if (!some) return std::nullopt;
    weeks |= *some;
  }
  if (weeks == 0) return std::nullopt;
  return weeks;
}

std::string print_weeks(int64_t weeks) {
  std::string out;
  auto left = static_cast<uint64_t>(weeks);
  while (left != 0) {
    const int first = std::countr_zero(left);
    const int length = std::countr_one(left >> first);
    if (!out.empty()) out += ',';
    out += std::to_string(first + 1);
    if (length > 1) out += '-' + std::to_string(first + length);
    if (first + length >= 64) break;
    left &= ~uint64_t{0} << (first + length);
  }
  return out;
}

}  // namespace jw::catalog
