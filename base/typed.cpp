#include "base/typed.hpp"

#include <unicode/brkiter.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <optional>
#include <stdexcept>

#include "base/text.hpp"

namespace jw {

namespace {

constexpr size_t kMarksMost = 12;  // code points of one character: a family of four is eleven, a stack of accents more
constexpr UChar32 kWideBlank = 0x3000, kJoiner = 0x200D, kBrailleBlank = 0x2800;

struct Fault {
  const char* code;
  Text what;
};

icu::UnicodeString composed(std::string_view valid_utf8) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* form = icu::Normalizer2::getNFCInstance(status);
  if (U_FAILURE(status)) throw std::runtime_error("ICU: NFC data is missing");
  icu::UnicodeString out = form->normalize(
      icu::UnicodeString::fromUTF8(icu::StringPiece(valid_utf8.data(), static_cast<int>(valid_utf8.size()))), status);
  if (U_FAILURE(status)) throw std::runtime_error("ICU: NFC failed");
  return out;
}

std::string named(UChar32 c) {
  std::array<char, 16> number;
  std::snprintf(number.data(), number.size(), "U+%04X", static_cast<unsigned>(c));
  std::array<char, 128> name{};
  UErrorCode status = U_ZERO_ERROR;
  u_charName(c, U_UNICODE_CHAR_NAME, name.data(), static_cast<int32_t>(name.size()), &status);
  std::string out = number.data();
  if (U_SUCCESS(status) && name[0] != '\0') out += std::string(" ") + name.data();
  return out;
}

bool is_line_end(UChar32 c) {
  return c == '\n' || c == '\r' || c == 0x85 || c == 0x2028 || c == 0x2029;
}

bool is_blank(UChar32 c) {
  return c == ' ' || c == '\n' || c == kWideBlank;
}

// A selector chooses the form of the character before it (Han variants, emoji); a joiner makes one of two emoji.
bool has_its_place(UChar32 c, UChar32 before, UChar32 after) {
  if (u_hasBinaryProperty(c, UCHAR_VARIATION_SELECTOR)) return before != 0 && !is_blank(before);
  return c == kJoiner && u_hasBinaryProperty(after, UCHAR_EXTENDED_PICTOGRAPHIC) &&
         (u_hasBinaryProperty(before, UCHAR_EXTENDED_PICTOGRAPHIC) ||
          u_hasBinaryProperty(before, UCHAR_EMOJI_MODIFIER) || u_hasBinaryProperty(before, UCHAR_VARIATION_SELECTOR));
}

// Why this character cannot stand in what is typed.
std::optional<Fault> fault_of(UChar32 c, UChar32 before, UChar32 after) {
  const int8_t type = u_charType(c);
  if (u_hasBinaryProperty(c, UCHAR_BIDI_CONTROL))
    return Fault{"direction", {"改变文字方向的字符", "a character that turns the direction of writing"}};
  if (type == U_CONTROL_CHAR) return Fault{"control", {"控制字符", "a control character"}};
  if (type == U_PRIVATE_USE_CHAR)
    return Fault{
        "private_use",
        {"自造字（私用区），其他电脑上无法显示", "a private-use character, which other computers cannot show"}};
  if (type == U_UNASSIGNED || type == U_SURROGATE)
    return Fault{"unassigned", {"尚未定义的字符", "a character that is not assigned"}};
  const bool unseen =
      type == U_FORMAT_CHAR || c == kBrailleBlank || u_hasBinaryProperty(c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT);
  if (unseen && !has_its_place(c, before, after)) return Fault{"invisible", {"看不见的字符", "an invisible character"}};
  return std::nullopt;
}

// The text without what is harmless. A fault names the character and its place: the first one ends it, or all go into
// `told` and what has no form of its own is left out.
std::optional<Fault> clean(const icu::UnicodeString& from, icu::UnicodeString& into,
                           std::vector<Text>* told = nullptr) {
  UChar32 before = 0;
  int32_t count = 0;
  for (int32_t at = 0; at < from.length(); at = from.moveIndex32(at, 1)) {
    UChar32 c = from.char32At(at);
    const int32_t next = from.moveIndex32(at, 1);
    const UChar32 after = next < from.length() ? from.char32At(next) : 0;
    ++count;
    if (c == '\r' && after == '\n') continue;
    if (is_line_end(c)) c = '\n';
    if (c == '\t' || (u_charType(c) == U_SPACE_SEPARATOR && c != kWideBlank)) c = ' ';
    // A byte order mark at the front comes with files, and means nothing.
    if (c == 0xFEFF && at == 0) continue;
    if (const auto fault = is_blank(c) ? std::nullopt : fault_of(c, before, after)) {
      const std::string which = named(c), place = std::to_string(count);
      const Text what{"第 " + place + " 个字符是" + fault->what.zh + "（" + which + "）",
                      "character " + place + " is " + fault->what.en + " (" + which + ")"};
      if (told == nullptr) return Fault{fault->code, {what.zh + "，请删去", what.en + "; take it out"}};
      told->push_back(what);
      if (const int8_t type = u_charType(c); type != U_PRIVATE_USE_CHAR && type != U_UNASSIGNED) continue;
    }
    into.append(c);
    before = c;
  }
  return std::nullopt;
}

struct Count {
  size_t all = 0, visible = 0, marks_most = 0;
};

Count count(std::string_view valid_utf8) {
  thread_local const std::unique_ptr<icu::BreakIterator> breaks = [] {
    UErrorCode status = U_ZERO_ERROR;
    std::unique_ptr<icu::BreakIterator> made(
        icu::BreakIterator::createCharacterInstance(icu::Locale::getRoot(), status));
    if (U_FAILURE(status) || !made) throw std::runtime_error("ICU: character break data is missing");
    return made;
  }();
  const icu::UnicodeString text =
      icu::UnicodeString::fromUTF8(icu::StringPiece(valid_utf8.data(), static_cast<int>(valid_utf8.size())));
  breaks->setText(text);
  Count count;
  for (int32_t from = breaks->first(), to = breaks->next(); to != icu::BreakIterator::DONE;
       from = to, to = breaks->next()) {
    ++count.all;
    const UChar32 c = text.char32At(from);
    count.visible += !is_blank(c) && !u_isUWhiteSpace(c);
    count.marks_most = std::max(count.marks_most, static_cast<size_t>(text.countChar32(from, to - from)));
  }
  return count;
}

std::optional<Fault> measured(std::string_view text, const TypedField& field) {
  const Count has = count(text);
  const std::string least = std::to_string(field.least), most = std::to_string(field.most);
  if (has.marks_most > kMarksMost)
    return Fault{"stacked", {"一个字上叠加的符号过多", "too many marks on one character"}};
  if (!field.lines && text.find('\n') != std::string_view::npos)
    return Fault{"line_break", {"应写在一行之内", "must be one line"}};
  if (field.least > 0 && has.visible == 0) return Fault{"required", {"必填", "must be given"}};
  if (has.visible < field.least)
    return Fault{"too_short", {"至少 " + least + " 个字", "must have " + least + " characters at least"}};
  if (has.all > field.most)
    return Fault{"too_long", {"最多 " + most + " 个字", "must have " + most + " characters at most"}};
  return std::nullopt;
}

Refusal refused(std::string_view name, const Text& label, Fault fault) {
  const Text text{label.zh + "：" + fault.what.zh, label.en + ": " + fault.what.en};
  return {Code::unprocessable, "text.not_accepted", text, {{std::string(name), fault.code, text}}};
}

}  // namespace

size_t characters(std::string_view valid_utf8) {
  return count(valid_utf8).all;
}

Result<std::string> plain_text(std::string_view raw, std::string_view name, const Text& label) {
  const bool plain = std::all_of(raw.begin(), raw.end(), [](char c) { return (c >= ' ' && c < 0x7f) || c == '\n'; });
  if (plain) return std::string(raw);
  if (!is_valid_utf8(raw)) return refused(name, label, {"not_text", {"应是 UTF-8 文字", "must be text in UTF-8"}});
  icu::UnicodeString cleaned;
  if (auto fault = clean(composed(raw), cleaned)) return refused(name, label, std::move(*fault));
  std::string text;
  cleaned.toUTF8String(text);
  return text;
}

Cleaned cleaned_text(std::string_view valid_utf8) {
  Cleaned out;
  icu::UnicodeString cleaned;
  clean(composed(valid_utf8), cleaned, &out.told);
  cleaned.toUTF8String(out.text);
  return out;
}

Result<std::string> typed_text(std::string_view raw, const TypedField& field) {
  JW_TRY(std::string text, plain_text(raw, field.name, field.label));
  text = std::string(trim(text));  // of blanks, clean() leaves only those that trim() knows
  if (auto fault = measured(text, field)) return refused(field.name, field.label, std::move(*fault));
  return text;
}

Result<std::string> typed_reason(std::string_view raw, std::string name) {
  return typed_text(raw, {.name = std::move(name), .label = {"理由", "the reason"}, .least = 1, .lines = true});
}

}  // namespace jw
