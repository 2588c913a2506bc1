// Results and refusals. A refusal is a value: the system understood and says no, with the reason and what would be
// right. Failures of the machine (disk, network, a bug) are exceptions and are caught once, at the edge.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace jw {

// Text for people, in both languages. Never contains values of data, SQL, paths or secrets.
struct Text {
  std::string zh;
  std::string en;
  bool operator==(const Text&) const = default;
};

// Why a call was refused. One place (app/problem.cpp) maps these to HTTP status codes.
enum class Code {
  bad_request,      // 400: the request cannot be understood
  unauthenticated,  // 401: no live session
  forbidden,        // 403: a known function without permission; carries a remedy
  not_found,        // 404: unknown, or outside what this person may see
  conflict,         // 409: the state has changed, or two wanted the same
  too_large,        // 413
  wrong_media,      // 415: the body is of a kind that is not taken
  unprocessable,    // 422: understood, but a field is wrong
  too_many,         // 429
  internal,         // 500
  unavailable,      // 503
  timeout,          // 504: the statement took longer than its limit
};

// What is wrong with one field, and what would be right.
struct FieldProblem {
  std::string field;  // JSON path in the request or name of the data field
  std::string code;   // machine name, e.g. "required"
  Text text;
};

// How to ask for what was refused (§2.4.1): the clause, a sentence, and the application form filled in.
struct Remedy {
  std::string clause;  // "2.4.1"
  Text text;
  std::string kind;          // kind of case to open, e.g. "access"
  std::string prefill_json;  // body of POST /api/cases/{kind}; empty when nothing can be prefilled
};

struct Refusal {
  Code code = Code::internal;
  std::string type;  // stable machine name, e.g. "query.field_unknown"
  Text detail;
  std::vector<FieldProblem> fields{};
  std::optional<Remedy> remedy{};
};

// A value or a refusal. Use JW_TRY to pass a refusal on.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Refusal refusal) : state_(std::in_place_index<1>, std::move(refusal)) {}

  explicit operator bool() const { return state_.index() == 0; }
  T& value() & { return std::get<0>(state_); }
  const T& value() const& { return std::get<0>(state_); }
  T&& value() && { return std::get<0>(std::move(state_)); }
  Refusal& refusal() & { return std::get<1>(state_); }
  const Refusal& refusal() const& { return std::get<1>(state_); }
  Refusal&& refusal() && { return std::get<1>(std::move(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

 private:
  std::variant<T, Refusal> state_;
};

struct Done {};  // Result<Done> for calls that give nothing back

#define JW_CONCAT_(a, b) a##b
#define JW_CONCAT(a, b) JW_CONCAT_(a, b)
// JW_TRY(auto x, f()): x becomes the value, or this function returns the refusal.
#define JW_TRY(declaration, call) JW_TRY_(declaration, call, JW_CONCAT(jw_result_, __LINE__))
#define JW_TRY_(declaration, call, name)       \
  auto name = (call);                          \
  if (!name) return std::move(name).refusal(); \
  declaration = std::move(name).value()
// JW_CHECK(f()): this function returns the refusal of f, if it refused.
#define JW_CHECK(call)                                                                 \
  do {                                                                                 \
    if (auto jw_checked = (call); !jw_checked) return std::move(jw_checked).refusal(); \
  } while (false)

}  // namespace jw
