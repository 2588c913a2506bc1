// Values: from what people and files give to what is stored, and back.
#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "base/json.hpp"
#include "base/text.hpp"
#include "kernel/catalog/pattern.hpp"
#include "kernel/catalog/source.hpp"

namespace jw::catalog {

db::Param param_of(const Value& value) {
  if (const auto* number = std::get_if<int64_t>(&value)) return *number;
  if (const auto* text = std::get_if<std::string>(&value)) return std::string_view(*text);
  return nullptr;
}

Value value_of(const db::Rows& rows, size_t column) {
  switch (rows.kind(column)) {
    case db::Kind::null:
      return {};
    case db::Kind::integer:
      return rows.integer(column);
    default:
      return std::string(rows.text(column));
  }
}

namespace {

struct Wrong {
  const char* code;
  Text text;
};

template <class T>
using Parsed = std::variant<T, Wrong>;

Refusal refuse(const Field& field, Wrong wrong) {
  Refusal refusal;
  refusal.code = jw::Code::unprocessable;
  refusal.type = "value.invalid";
  refusal.detail = wrong.text;
  refusal.fields.push_back(FieldProblem{field.name, wrong.code, std::move(wrong.text)});
  return refusal;
}

// Wording "「成绩」应为 …" / "Score must be …"; the value itself is never repeated.
Wrong must_be(const Field& field, const char* code, Text what) {
  std::string zh = "「" + field.label.zh + "」" + what.zh, en = field.label.en + " " + what.en;
  if (!field.example.empty()) {
    zh += "，例如 " + field.example;
    en += ", e.g. " + field.example;
  }
  return Wrong{code, Text{std::move(zh), std::move(en)}};
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Also the ways of writing a date that sheets of the trade contain: 20250901, 2025/9/1, 2025.9.1, 2025年9月1日.
std::optional<Date> parse_date(std::string text) {
  for (const auto& [from, to] : {std::pair{"年", "-"}, {"月", "-"}, {"日", ""}}) {
    if (const size_t at = text.find(from); at != std::string::npos) text.replace(at, 3, to);
  }
  for (char& c : text) {
    if (c == '/' || c == '.') c = '-';
  }
  if (text.size() == 8 && std::all_of(text.begin(), text.end(), is_digit)) {
    return Date::parse(text.substr(0, 4) + "-" + text.substr(4, 2) + "-" + text.substr(6));
  }
  const auto parts = split(text, '-');
  if (parts.size() != 3 || parts[0].size() != 4) return std::nullopt;
  std::string full(parts[0]);
  for (size_t i = 1; i < 3; ++i) {
    if (parts[i].empty() || parts[i].size() > 2) return std::nullopt;
    full += parts[i].size() == 1 ? "-0" : "-";
    full += parts[i];
  }
  return Date::parse(full);
}

// RFC 3339, or date and time of day in the school's zone: 2025-09-01 08:00.
std::optional<Instant> parse_instant(std::string text) {
  if (const auto instant = Instant::parse(text)) return instant;
  if (text.size() == 16) text += ":00";
  if (text.size() != 19) return std::nullopt;
  return Instant::parse(text + "+08:00");
}

std::optional<bool> parse_bool(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  for (const char* yes : {"是", "true", "yes", "y", "1", "√"}) {
    if (lower == yes) return true;
  }
  for (const char* no : {"否", "false", "no", "n", "0", "×"}) {
    if (lower == no) return false;
  }
  return std::nullopt;
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7f;
  });
}

Parsed<std::string> clean(const Field& field, std::string_view text) {
  if (!is_valid_utf8(text)) {
    return must_be(field, "encoding", Text{"须为 UTF-8 文本", "must be UTF-8 text"});
  }
  // The readers of weeks and numbers know full width themselves: NFKC would make 22 of "2²".
  const bool counts = field.type == Type::weeks || field.type == Type::integer || field.type == Type::decimal;
  std::string normal = counts ? std::string(text) : nfkc(text);
  std::string trimmed(trim(normal));
  if (has_control(trimmed)) {
    return must_be(field, "encoding", Text{"不得含有控制字符", "must not contain control characters"});
  }
  return trimmed;
}

Parsed<Value> parse_code(const Catalogue& catalogue, const Field& field, const std::string& text) {
  const CodeSet& set = catalogue.code_sets[static_cast<size_t>(field.code_set)];
  if (const Code* code = set.find(text)) return Value(code->code);
  if (set.made && set.codes.empty()) return Value(text);  // read without the program that knows the codes
  const Code* named = nullptr;
  for (const Code& code : set.codes) {
    if (nfkc(code.name.zh) != text && code.name.en != text) continue;
    if (named != nullptr) {
      return must_be(field, "code_ambiguous",
                     bilingual("此名称在代码集「{}」中不止一个，请填写代码",
                               "is a name that stands for several codes of {}: give the code", {set.label.zh}));
    }
    named = &code;
  }
  if (named != nullptr) return Value(named->code);
  return must_be(
      field, "code_unknown",
      Text{"应为代码集「" + set.label.zh + "」中的代码或名称", "must be a code or a name of " + set.label.en});
}

Wrong wrong_number(const Field& field) {
  if (field.type == Type::integer) return must_be(field, "type", Text{"应为整数", "must be a whole number"});
  const std::string places = std::to_string(field.size);
  return must_be(field, "type",
                 bilingual("应为最多 {} 位小数的数", "must be a number with at most {} decimal places", {places}));
}

// Value of a text that is not empty, by type only.
Parsed<Value> parse_kind(const Catalogue& catalogue, const Field& field, const std::string& text) {
  switch (field.type) {
    case Type::text:
    case Type::ref:
      return Value(text);
    case Type::code:
      return parse_code(catalogue, field, text);
    case Type::integer:
    case Type::decimal: {
      const auto number = parse_decimal(text, field.type == Type::decimal ? field.size : 0);
      if (number) return Value(*number);
      return wrong_number(field);
    }
    case Type::date: {
      const auto date = parse_date(text);
      if (date) return Value(date->print());
      return must_be(field, "type", Text{"应为真实存在的日期（年-月-日）", "must be a real date (year-month-day)"});
    }
    case Type::timestamp: {
      const auto instant = parse_instant(text);
      if (instant) return Value(instant->us);
      return must_be(field, "type",
                     Text{"应为日期和时间（年-月-日 时:分）", "must be date and time (year-month-day hour:minute)"});
    }
    case Type::boolean: {
      const auto truth = parse_bool(text);
      if (truth) return Value(int64_t{*truth});
      return must_be(field, "type", Text{"应为「是」或「否」", "must be yes or no"});
    }
    case Type::weeks: {
      const auto weeks = parse_weeks(text);
      if (weeks) return Value(*weeks);
      return must_be(field, "type",
                     Text{"应为周次（1 至 60），如 1-8,10,12", "must be weeks from 1 to 60 such as 1-8,10,12"});
    }
  }
  throw std::logic_error("type of a field");
}

std::string bound(const Field& field, int64_t value) {
  if (field.type == Type::date) return Date{static_cast<int32_t>(value)}.print();
  std::string out;
  append_decimal(out, value, field.type == Type::decimal ? field.size : 0);
  return out;
}

std::optional<Wrong> check_range(const Field& field, const Value& value) {
  if (!field.min && !field.max) return std::nullopt;
  int64_t number = 0;
  if (const auto* integer = std::get_if<int64_t>(&value)) {
    number = *integer;
  } else if (field.type == Type::date) {
    number = Date::parse(std::get<std::string>(value)).value().days;
  } else {
    return std::nullopt;
  }
  if ((!field.min || number >= *field.min) && (!field.max || number <= *field.max)) return std::nullopt;
  Text what;
  if (field.min && field.max) {
    what = bilingual("应在 {} 与 {} 之间", "must lie between {} and {}",
                     {bound(field, *field.min), bound(field, *field.max)});
  } else if (field.min) {
    what = bilingual("不得小于 {}", "must not be less than {}", {bound(field, *field.min)});
  } else {
    what = bilingual("不得大于 {}", "must not be more than {}", {bound(field, *field.max)});
  }
  return must_be(field, "range", std::move(what));
}

std::optional<Wrong> check_weekday(const Field& field, const Value& value) {
  if (field.weekday == 0) return std::nullopt;
  auto wrong = wrong_weekday(field, Date::parse(std::get<std::string>(value)).value());
  return wrong ? std::optional(must_be(field, "weekday", std::move(*wrong))) : std::nullopt;
}

std::optional<Wrong> check_text(const Field& field, std::string_view text) {
  if (field.type == Type::text && field.size > 0 && code_points(text) > static_cast<size_t>(field.size)) {
    return must_be(field, "length",
                   bilingual("最多 {} 个字", "has at most {} characters", {std::to_string(field.size)}));
  }
  if (field.type == Type::text && !field.pattern.empty()) {
    const bool fits = field.matcher ? field.matcher->matches(text) : Pattern(field.pattern).matches(text);
    if (!fits) return must_be(field, "pattern", Text{"的写法不对", "is not written as it should be"});
  }
  return std::nullopt;
}

}  // namespace

std::optional<int64_t> parse_decimal(std::string_view written, int places) {
  // Full width says nothing. No more than that: NFKC would make 32 of "3²".
  std::string plain;
  for (const char32_t c : utf32(written)) {
    const char32_t narrow = c >= 0xFF01 && c <= 0xFF5E ? c - 0xFEE0 : c;
    if (narrow > 0x7F) return std::nullopt;
    plain += static_cast<char>(narrow);
  }
  std::string_view text = plain;
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  const size_t point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  std::string_view part = point == std::string_view::npos ? std::string_view{} : text.substr(point + 1);
  if (whole.empty() || (point != std::string_view::npos && part.empty())) return std::nullopt;
  if (!std::all_of(whole.begin(), whole.end(), is_digit) || !std::all_of(part.begin(), part.end(), is_digit))
    return std::nullopt;
  while (part.size() > static_cast<size_t>(places) && part.back() == '0') part.remove_suffix(1);
  if (part.size() > static_cast<size_t>(places)) return std::nullopt;
  std::string digits(whole);
  digits.append(part);
  digits.append(static_cast<size_t>(places) - part.size(), '0');
  if (negative) digits.insert(0, "-");
  int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

std::optional<Text> wrong_weekday(const Field& field, Date date) {
  constexpr std::array<std::pair<const char*, const char*>, 7> kDays{{{"星期一", "a Monday"},
                                                                      {"星期二", "a Tuesday"},
                                                                      {"星期三", "a Wednesday"},
                                                                      {"星期四", "a Thursday"},
                                                                      {"星期五", "a Friday"},
                                                                      {"星期六", "a Saturday"},
                                                                      {"星期日", "a Sunday"}}};
  const auto is = static_cast<int>(date.weekday());
  if (field.weekday == 0 || is == field.weekday) return std::nullopt;
  const auto& [must_zh, must_en] = kDays.at(static_cast<size_t>(field.weekday - 1));
  const auto& [is_zh, is_en] = kDays.at(static_cast<size_t>(is - 1));
  return Text{std::string("应为") + must_zh + "，" + date.print() + " 是" + is_zh,
              std::string("must be ") + must_en + "; " + date.print() + " is " + is_en};
}

Result<Value> parse_literal(const Catalogue& catalogue, const Field& field, std::string_view text) {
  auto cleaned = clean(field, text);
  if (auto* wrong = std::get_if<Wrong>(&cleaned)) return refuse(field, std::move(*wrong));
  auto parsed = parse_kind(catalogue, field, std::get<std::string>(cleaned));
  if (auto* wrong = std::get_if<Wrong>(&parsed)) return refuse(field, std::move(*wrong));
  return std::get<Value>(std::move(parsed));
}

Result<Value> parse_value(const Catalogue& catalogue, const Field& field, std::string_view text) {
  auto cleaned = clean(field, text);
  if (auto* wrong = std::get_if<Wrong>(&cleaned)) return refuse(field, std::move(*wrong));
  const std::string& plain = std::get<std::string>(cleaned);
  if (plain.empty()) {
    if (field.required) return refuse(field, must_be(field, "required", Text{"必填", "is required"}));
    return Value{};
  }
  auto parsed = parse_kind(catalogue, field, plain);
  if (auto* wrong = std::get_if<Wrong>(&parsed)) return refuse(field, std::move(*wrong));
  if (auto wrong = check_range(field, std::get<Value>(parsed))) return refuse(field, std::move(*wrong));
  if (auto wrong = check_weekday(field, std::get<Value>(parsed))) return refuse(field, std::move(*wrong));
  if (auto wrong = check_text(field, plain)) return refuse(field, std::move(*wrong));
  return std::get<Value>(std::move(parsed));
}

void append_json(std::string& out, const Field& field, const Value& value) {
  if (std::holds_alternative<std::monostate>(value)) {
    out += "null";
  } else if (const auto* text = std::get_if<std::string>(&value)) {
    append_json_string(out, *text);
  } else {
    const int64_t number = std::get<int64_t>(value);
    switch (field.type) {
      case Type::boolean:
        out += number != 0 ? "true" : "false";
        break;
      case Type::weeks:
        append_json_string(out, print_weeks(number));
        break;
      case Type::timestamp:
        append_json_string(out, Instant{number}.print());
        break;
      default:
        append_decimal(out, number, field.type == Type::decimal ? field.size : 0);
    }
  }
}

std::string print_value(const Catalogue& catalogue, const Field& field, const Value& value, bool zh) {
  if (std::holds_alternative<std::monostate>(value)) return {};
  if (const auto* text = std::get_if<std::string>(&value)) {
    if (field.type != Type::code || field.code_set < 0) return *text;
    const Code* code = catalogue.code_sets[static_cast<size_t>(field.code_set)].find(*text);
    return code == nullptr ? *text : zh ? code->name.zh : code->name.en;
  }
  const int64_t number = std::get<int64_t>(value);
  if (field.type == Type::boolean) return number != 0 ? (zh ? "是" : "yes") : (zh ? "否" : "no");
  if (field.type == Type::weeks) return print_weeks(number);
  if (field.type == Type::timestamp) {
    std::string text = Instant{number}.print().substr(0, 19);
    text[10] = ' ';
    return text;
  }
  std::string out;
  append_decimal(out, number, field.type == Type::decimal ? field.size : 0);
  return out;
}

}  // namespace jw::catalog
