#include <algorithm>

#include "base/text.hpp"
#include "kernel/identity/api.hpp"
#include "kernel/identity/common_passwords.hpp"
#include "kernel/identity/secret_text.hpp"

namespace jw::identity {
namespace {

constexpr size_t kMostCharacters = 128;
constexpr size_t kMostBytes = 512;

FieldProblem problem(const char* code, Text text) {
  return {"new_password", code, std::move(text)};
}

std::string lower_ascii(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

int classes(std::string_view password) {
  bool upper = false;
  bool lower = false;
  bool digit = false;
  bool other = false;
  for (const char c : password) {
    if (c >= 'A' && c <= 'Z') {
      upper = true;
    } else if (c >= 'a' && c <= 'z') {
      lower = true;
    } else if (c >= '0' && c <= '9') {
      digit = true;
    } else {
      other = true;
    }
  }
  return upper + lower + digit + other;
}

// "ZHANG SAN 张三" -> "zhangsan"
std::string joined_pinyin(std::string_view name) {
  std::string joined;
  for (const char c : pinyin_key(name)) {
    if (static_cast<unsigned char>(c) >= 0x80) break;
    if (c >= 'A' && c <= 'Z') joined += static_cast<char>(c - 'A' + 'a');
  }
  return joined;
}

bool contains_name(std::string_view lower_password, std::string_view name) {
  const std::string plain = lower_ascii(is_valid_utf8(name) ? nfkc(trim(name)) : std::string());
  constexpr size_t kNameLeast = 2;    // 张三
  constexpr size_t kPinyinLeast = 4;  // shorter syllables occur in any word
  if (code_points(plain) >= kNameLeast && lower_password.find(plain) != std::string_view::npos) return true;
  const std::string pinyin = joined_pinyin(plain);
  return pinyin.size() >= kPinyinLeast && lower_password.find(pinyin) != std::string_view::npos;
}

}  // namespace

std::vector<FieldProblem> check_password(PasswordRules rules, std::string_view password, std::string_view login,
                                         std::string_view display_name) {
  if (password.size() > kMostBytes) {
    return {problem("too_long", {"密码最多 128 个字符", "A password has at most 128 characters"})};
  }
  if (!is_valid_utf8(password))
    return {problem("not_text", {"密码含有无法识别的字符", "The password is not valid text"})};
  SecretText normal;
  normal.take(nfkc(password));
  SecretText lower;
  lower.take(lower_ascii(normal.view()));

  std::vector<FieldProblem> problems;
  const size_t length = code_points(normal.view());
  if (length > kMostCharacters) {
    problems.push_back(problem("too_long", {"密码最多 128 个字符", "A password has at most 128 characters"}));
  }
  if (rules == PasswordRules::dengbao) {
    if (length < 8)
      problems.push_back(problem("too_short", {"密码至少 8 个字符", "A password has at least 8 characters"}));
    if (classes(normal.view()) < 3) {
      problems.push_back(
          problem("too_simple", {"密码应包含大写字母、小写字母、数字、符号中的至少三类",
                                 "A password has at least three of: capitals, small letters, digits, signs"}));
    }
  } else if (length < 12) {
    problems.push_back(problem("too_short", {"密码至少 12 个字符", "A password has at least 12 characters"}));
  }
  constexpr size_t kLoginLeast = 3;
  if (login.size() >= kLoginLeast && lower.view().find(lower_ascii(login)) != std::string_view::npos) {
    problems.push_back(problem("contains_login", {"密码不能包含账号", "A password must not contain the account name"}));
  }
  if (contains_name(lower.view(), display_name)) {
    problems.push_back(
        problem("contains_name", {"密码不能包含姓名或其拼音", "A password must not contain one's name or its pinyin"}));
  }
  if (is_common_password(normal.view())) {
    problems.push_back(
        problem("common", {"这个密码太常见,容易被猜到", "This password is among the first that anybody tries"}));
  }
  return problems;
}

}  // namespace jw::identity
