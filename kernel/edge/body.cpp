#include <boost/json.hpp>

#include <algorithm>
#include <charconv>
#include <iterator>

#include "base/text.hpp"
#include "base/typed.hpp"
#include "kernel/edge/api.hpp"

namespace jw::edge {

namespace json = boost::json;

namespace {

constexpr size_t kTextMax = 16 * 1024;  // bytes of one member that is text

Refusal missing(std::string field, Text text) {
  return {Code::unprocessable,
          "http.field_missing",
          {"缺少必填项", "a required field is missing"},
          {{std::move(field), "required", std::move(text)}}};
}

// Members that are no text for people: taken as they are, as passwords may hold anything.
constexpr std::string_view kSecrets[] = {"password", "old_password", "new_password", "code"};

// What people call the members into which they write.
Text label_of(std::string_view name, std::string_view path) {
  struct Known {
    std::string_view name;
    Text label;
  };
  static const Known kKnown[] = {
      {"reason", {"理由", "the reason"}},   {"justification", {"敏感字段的理由", "the reason for sensitive fields"}},
      {"opinion", {"意见", "the opinion"}}, {"note", {"说明", "the note"}},
      {"account", {"账号", "the account"}}, {"value", {"条件的值", "the value of a condition"}}};
  for (const Known& each : kKnown) {
    if (each.name == name) return each.label;
  }
  return {std::string(path), std::string(path)};
}

// Brings every text below into the normal form of what is typed (base/typed.hpp).
Result<Done> make_plain(json::value& value, std::string_view name, const std::string& path) {
  if (json::string* text = value.if_string()) {
    JW_TRY(const std::string plain, plain_text(*text, path, label_of(name, path)));
    *text = plain;
  } else if (json::array* array = value.if_array()) {
    for (size_t i = 0; i < array->size(); ++i)
      JW_CHECK(make_plain((*array)[i], name, path + "[" + std::to_string(i) + "]"));
  } else if (json::object* object = value.if_object()) {
    for (json::key_value_pair& each : *object) {
      const bool top = path.empty();
      if (top && std::find(std::begin(kSecrets), std::end(kSecrets), each.key()) != std::end(kSecrets)) continue;
      const std::string key(each.key());
      JW_CHECK(make_plain(each.value(), key, top ? key : path + "." + key));
    }
  }
  return Done{};
}

// Also what keeps another site's page out: it can send a form or plain text here unasked, JSON only after asking.
bool says_json(std::string_view content_type) {
  constexpr std::string_view kJson = "application/json";
  const std::string_view media = trim(content_type.substr(0, content_type.find(';')));
  return std::equal(media.begin(), media.end(), kJson.begin(), kJson.end(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + ('a' - 'A') : a) == b; });
}

}  // namespace

Result<std::string> text_member(const json::object& body, std::string_view name, std::string shown) {
  const json::value* value = body.if_contains(name);
  if (value != nullptr && value->is_string() && value->get_string().size() <= kTextMax)
    return std::string(value->get_string());
  return missing(shown.empty() ? std::string(name) : std::move(shown), {"必填，应为文字", "required, as text"});
}

Result<std::string> optional_text(const json::object& body, std::string_view name) {
  const json::value* value = body.if_contains(name);
  if (value == nullptr || value->is_null()) return std::string();
  if (value->is_string() && value->get_string().size() <= kTextMax) return std::string(value->get_string());
  return Refusal{Code::unprocessable,
                 "http.field_invalid",
                 {"内容应是文字", "the field must be text"},
                 {{std::string(name), "not_text", {"应是文字", "must be text"}}}};
}

Result<int64_t> number_member(const json::object& body, std::string_view name) {
  const json::value* value = body.if_contains(name);
  if (value != nullptr && value->is_int64() && value->get_int64() >= 0) return value->get_int64();
  return missing(std::string(name), {"必填，应为整数", "required, as a whole number"});
}

Result<json::array> array_member(const json::object& body, std::string_view name) {
  const json::value* value = body.if_contains(name);
  if (value != nullptr && value->is_array()) return value->get_array();
  return missing(std::string(name), {"必填，应为数组", "required, as an array"});
}

Result<json::object> object_member(const json::object& body, std::string_view name) {
  const json::value* value = body.if_contains(name);
  if (value != nullptr && value->is_object()) return value->get_object();
  return missing(std::string(name), {"必填，应为对象", "required, as an object"});
}

Result<Date> date_member(const json::object& body, std::string_view name) {
  JW_TRY(const std::string text, text_member(body, name));
  if (const auto date = Date::parse(text)) return *date;
  return Refusal{Code::unprocessable,
                 "http.date_invalid",
                 {"日期有误", "the date is not right"},
                 {{std::string(name), "not_a_date", {"应为日期，如 2026-01-24", "must be a date such as 2026-01-24"}}}};
}

int64_t number_in(std::string_view text) {
  int64_t number = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size() && number >= 0 ? number : -1;
}

Result<json::value> Call::json() const {
  if (!says_json(request().header("content-type"))) {
    return Refusal{Code::wrong_media,
                   "http.not_as_json",
                   {"请求头 Content-Type 应是 application/json", "the header Content-Type must be application/json"}};
  }
  const Refusal bad{Code::bad_request, "http.not_json", {"请求体应是 UTF-8 的 JSON", "the body must be JSON in UTF-8"}};
  if (!is_valid_utf8(request().body)) return bad;
  boost::system::error_code error;
  json::parse_options options;
  options.max_depth = 40;
  json::value value = json::parse(request().body, error, {}, options);
  if (error) return bad;
  JW_CHECK(make_plain(value, {}, {}));
  return value;
}

Result<json::object> Call::body() const {
  JW_TRY(json::value body, json());
  if (!body.is_object())
    return Refusal{Code::bad_request, "http.not_json", {"请求体应是 JSON 对象", "the body must be a JSON object"}};
  return std::move(body.get_object());
}

}  // namespace jw::edge
