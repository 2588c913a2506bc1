// Masks by code point (standards: name, phone, mail, identity number). A text too short to hide anything in is hidden
// whole.
#include <limits>
#include <vector>

#include "kernel/catalog/api.hpp"

namespace jw::catalog {
namespace {

// A text whose characters can be counted.
class Points {
 public:
  explicit Points(const std::string& text) : text_(text) {
    for (size_t i = 0; i < text.size(); ++i) {
      if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) starts_.push_back(i);
    }
    starts_.push_back(text.size());
  }
  size_t size() const { return starts_.size() - 1; }
  std::string first(size_t n) const { return text_.substr(0, starts_[n]); }
  std::string last(size_t n) const { return text_.substr(starts_[size() - n]); }
  size_t find(char c) const {  // position in code points, size() when absent
    for (size_t i = 0; i < size(); ++i) {
      if (text_[starts_[i]] == c) return i;
    }
    return size();
  }

 private:
  const std::string& text_;
  std::vector<size_t> starts_;
};

std::string stars(size_t n) {
  return std::string(n, '*');
}

std::string keep_last(const Points& text, size_t n) {
  if (text.size() <= n) return stars(text.size());
  return stars(text.size() - n) + text.last(n);
}

std::string keep_first(const Points& text, size_t n) {
  if (text.size() <= n) return stars(text.size());
  return text.first(n) + stars(text.size() - n);
}

// 13812345678 -> 138****5678; 010-62751234 -> 010-******34 (area code and last two); anything else keeps its last two.
std::string phone(const Points& text) {
  const size_t dash = text.find('-');
  if (text.size() == 11 && dash == text.size()) return text.first(3) + "****" + text.last(4);
  if (dash >= 1 && dash <= 4 && text.size() > dash + 3) {
    return text.first(dash + 1) + stars(text.size() - dash - 3) + text.last(2);
  }
  return keep_last(text, 2);
}

// zhang@example.edu -> z***@example.edu; a name of one letter is hidden too.
std::string email(const Points& text) {
  const size_t at = text.find('@');
  if (at == 0 || at == text.size()) return "***";
  return (at > 1 ? text.first(1) : std::string()) + "***" + text.last(text.size() - at);
}

int64_t lower_edge(int64_t value, int64_t width) {
  int64_t rest = value % width;
  if (rest < 0) rest += width;
  int64_t edge = 0;  // the bucket that reaches below the least integer begins there
  return __builtin_sub_overflow(value, rest, &edge) ? std::numeric_limits<int64_t>::min() : edge;
}

Value mask_text(const Mask& mask, const std::string& text) {
  const Points points(text);
  switch (mask.kind) {
    case Mask::Kind::keep_last:
      return keep_last(points, static_cast<size_t>(mask.n));
    case Mask::Kind::keep_first:
      return keep_first(points, static_cast<size_t>(mask.n));
    case Mask::Kind::surname:
      return keep_first(points, 1);
    case Mask::Kind::year:
      return points.size() < 4 ? stars(points.size()) : points.first(4) + "-**-**";
    case Mask::Kind::phone:
      return phone(points);
    case Mask::Kind::email:
      return email(points);
    case Mask::Kind::id_number:
      return keep_last(points, 4);
    case Mask::Kind::bucket:
    case Mask::Kind::none:
      return Value{};
  }
  return Value{};
}

}  // namespace

Value apply_mask(const Field& field, const Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return mask_text(field.mask, *text);
  const auto* number = std::get_if<int64_t>(&value);
  if (number == nullptr || field.mask.kind != Mask::Kind::bucket || field.mask.n <= 0) return Value{};
  return lower_edge(*number, field.mask.n);
}

}  // namespace jw::catalog
