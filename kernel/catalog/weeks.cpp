// Sets of weeks as people and files write them, read by a grammar: what has no place in it makes the whole text not
// understood, so that nothing is ever read out of what was left over ("2 4" is no week 24, "2(4)" means nothing).
//
//   list    = element { ( "," | nothing ) element }       nothing: only where it is plain that another one begins
//   element = [ parity ] run [ parity ]                   one parity at most; the first only after a separator
//   run     = number [ dash number ] | "(" list ")"       with 第 before and 周 behind where one likes
//   parity  = 单 | 双, with 周 behind, in brackets or after "|" where one likes
#include <bit>
#include <optional>
#include <string>
#include <vector>

#include "base/text.hpp"
#include "kernel/catalog/api.hpp"

namespace jw::catalog {
namespace {

constexpr int kMost = 60;
constexpr size_t kTextMax = 1000;

enum class Sign : uint8_t { end, number, dash, comma, ordinal, counted, odd, even, open, close, bar };

struct Token {
  Sign sign = Sign::end;
  int value = 0;        // of a number; of a bracket: its kind
  bool spaced = false;  // a blank stands before it
};

bool is_blank(char32_t c) {
  return c == ' ' || (c >= '\t' && c <= '\r') || c == 0xA0 || c == 0x3000 || (c >= 0x2000 && c <= 0x200A) ||
         c == 0x202F;
}

std::optional<Token> sign_of(char32_t c, char32_t counted) {
  if (c == counted) return Token{Sign::counted};
  constexpr std::u32string_view kDashes = U"-~\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u223C\u301C至到";
  constexpr std::u32string_view kCommas = U",;、和及与", kOpen = U"([{【", kClose = U")]}】";
  if (kDashes.find(c) != kDashes.npos) return Token{Sign::dash};
  if (kCommas.find(c) != kCommas.npos) return Token{Sign::comma};
  if (const size_t kind = kOpen.find(c); kind != kOpen.npos) return Token{Sign::open, static_cast<int>(kind)};
  if (const size_t kind = kClose.find(c); kind != kClose.npos) return Token{Sign::close, static_cast<int>(kind)};
  switch (c) {
    case U'第':
      return Token{Sign::ordinal};
    case U'单':
      return Token{Sign::odd};
    case U'双':
      return Token{Sign::even};
    case U'|':
      return Token{Sign::bar};
    default:
      return std::nullopt;
  }
}

std::optional<std::vector<Token>> tokens_of(std::string_view text, char32_t counted) {
  std::vector<Token> tokens;
  bool spaced = false, digits = false;
  char32_t before = 0;
  for (const char32_t point : utf32(text)) {
    // Full width is the same sign. No more than that: NFKC would make a digit of "²" and "②".
    const char32_t c = point >= 0xFF01 && point <= 0xFF5E ? point - 0xFEE0 : point;
    if (is_blank(c)) {
      spaced = true;
      continue;
    }
    if (c >= '0' && c <= '9') {
      if (!digits || spaced) tokens.push_back({Sign::number, 0, spaced});
      int& value = tokens.back().value;
      value = value * 10 + static_cast<int>(c - '0');
      if (value > kMost) return std::nullopt;
      digits = true;
    } else if (c == U'—' && before == U'—' && !spaced) {
      digits = false;  // the dash of a Chinese keyboard is two of them
    } else {
      auto token = sign_of(c, counted);
      if (!token) return std::nullopt;
      token->spaced = spaced;
      tokens.push_back(*token);
      digits = false;
    }
    before = before == U'—' && c == U'—' ? 0 : c;
    spaced = false;
  }
  tokens.push_back({});
  return tokens;
}

class Reader {
 public:
  explicit Reader(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  std::optional<uint64_t> whole() {
    const auto weeks = list(false);
    return peek().sign == Sign::end ? weeks : std::nullopt;
  }

 private:
  static constexpr uint64_t kOdd = 0x5555'5555'5555'5555;

  const Token& peek(size_t ahead = 0) const { return tokens_[std::min(at_ + ahead, tokens_.size() - 1)]; }
  bool take(Sign sign) {
    if (peek().sign != sign) return false;
    ++at_;
    return true;
  }
  bool is_parity(size_t ahead) const { return peek(ahead).sign == Sign::odd || peek(ahead).sign == Sign::even; }
  bool begins_run() const { return peek().sign == Sign::number || peek().sign == Sign::ordinal; }

  std::optional<uint64_t> list(bool inside) {
    uint64_t all = 0;
    for (bool separated = true;;) {
      const auto some = element(separated, inside);
      if (!some || *some == 0) return std::nullopt;  // a part that means no week is a mistake, not nothing
      all |= *some;
      separated = take(Sign::comma);
      if (separated) continue;
      if (peek().sign == Sign::end || peek().sign == Sign::close) return all;
      if (!begins_run() || !(closed_ || peek().spaced || peek().sign == Sign::ordinal)) return std::nullopt;
    }
  }

  std::optional<uint64_t> element(bool separated, bool inside) {
    const std::optional<uint64_t> before = separated ? parity() : std::nullopt;
    auto weeks = separated && !inside ? bracketed() : std::nullopt;
    if (!weeks) weeks = run();
    if (!weeks) return std::nullopt;
    const bool apart = is_parity(0) && peek().spaced;
    const std::optional<uint64_t> behind = parity();
    if (before && behind) return std::nullopt;
    // "1-4 双 10-16": whose it is cannot be told.
    if (behind && apart && begins_run()) return std::nullopt;
    if (behind) closed_ = true;
    return *weeks & before.value_or(behind.value_or(~uint64_t{0}));
  }

  std::optional<uint64_t> parity() {
    const size_t start = at_;
    const bool bar = take(Sign::bar);
    const int kind = !bar && peek().sign == Sign::open && is_parity(1) ? peek().value : -1;
    if (kind >= 0) ++at_;
    if (is_parity(0)) {
      const uint64_t weeks = take(Sign::odd) ? kOdd : (take(Sign::even), ~kOdd);
      take(Sign::counted);
      if (kind < 0 || closes(kind)) return weeks;
    }
    at_ = start;
    return std::nullopt;
  }

  bool closes(int kind) { return peek().value == kind && take(Sign::close); }

  std::optional<uint64_t> bracketed() {
    const size_t start = at_;
    take(Sign::ordinal);
    const int kind = peek().value;
    if (take(Sign::open)) {
      const auto weeks = list(true);
      if (!weeks || !closes(kind)) return std::nullopt;
      closed_ = take(Sign::counted);
      return weeks;
    }
    at_ = start;
    return std::nullopt;
  }

  std::optional<int> number() {
    take(Sign::ordinal);
    const int value = peek().value;
    if (!take(Sign::number) || value == 0) return std::nullopt;
    closed_ = take(Sign::counted);
    return value;
  }

  std::optional<uint64_t> run() {
    const auto first = number();
    const auto last = first && take(Sign::dash) ? number() : first;
    if (!first || !last || *first > *last) return std::nullopt;
    return (~uint64_t{0} >> (64 - *last)) & (~uint64_t{0} << (*first - 1));
  }

  std::vector<Token> tokens_;
  size_t at_ = 0;
  bool closed_ = false;  // 周 or a parity ended what was read last: another run may follow at once
};

}  // namespace

std::optional<int64_t> parse_weeks(std::string_view text, char32_t counted) {
  if (text.size() > kTextMax || !is_valid_utf8(text)) return std::nullopt;
  auto tokens = tokens_of(text, counted);
  if (!tokens) return std::nullopt;
  const auto weeks = Reader(std::move(*tokens)).whole();
  if (!weeks) return std::nullopt;
  return static_cast<int64_t>(*weeks);
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
