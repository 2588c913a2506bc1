// Structured log: one JSON object a line, to stderr or to a file.
//   {"time":"2026-11-23T15:10:00.000123+08:00","level":"warning","event":"http.handler_failed","request":"0f3a…"}
// No personal data: names of events and fields are literals of the program, values are numbers, truth values and short
// words (request ids, route patterns, machine names of refusals). Never write names, account names, student numbers,
// paths or queries as sent, addresses, bodies. `text` of an exception may go into a field "error".
//
// Every function may be called from any thread. Lines below `warning` are gathered and written by a thread of its own,
// warnings and errors at once; when the target does not take lines they are counted and dropped, never waited for.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace jw::log {

enum class Level : uint8_t { debug, info, warning, error };

// A name that stands in the program's text; a computed one does not compile.
class Name {
 public:
  consteval Name(const char* literal) : text_(literal) {}
  constexpr std::string_view text() const { return text_; }

 private:
  std::string_view text_;
};

// One value of a line; borrows what it is made from, until write() returns.
class Field {
 public:
  Field(Name name, bool truth) : name_(name.text()), kind_(Kind::truth), number_(truth ? 1 : 0) {}
  template <std::integral T>
  Field(Name name, T number) : name_(name.text()), kind_(Kind::number), number_(static_cast<int64_t>(number)) {}
  Field(Name name, std::string_view word) : name_(name.text()), kind_(Kind::word), word_(word) {}
  Field(Name name, const char* word) : Field(name, std::string_view(word)) {}
  Field(Name name, const std::string& word) : Field(name, std::string_view(word)) {}

  void append_to(std::string& out) const;

 private:
  enum class Kind : uint8_t { truth, number, word };
  std::string_view name_;
  Kind kind_;
  int64_t number_ = 0;
  std::string_view word_{};  // at most 500 bytes are written; what is not UTF-8 becomes '?'
};

struct Options {
  Level least = Level::info;
  std::string file{};  // empty = stderr
  std::chrono::milliseconds flush_every{200};
  size_t waiting_max = 8 << 20;  // bytes gathered; more are dropped and counted
};

// Before start() warnings and errors go to stderr. Throws std::runtime_error when the file cannot be opened.
void start(const Options& options);
void flush();
void reopen();  // after the file was rotated away; keeps the old one when the new one cannot be opened
bool is_on(Level level);
void write(Level level, Name event, std::initializer_list<Field> fields = {});

inline void debug(Name event, std::initializer_list<Field> fields = {}) {
  write(Level::debug, event, fields);
}
inline void info(Name event, std::initializer_list<Field> fields = {}) {
  write(Level::info, event, fields);
}
inline void warning(Name event, std::initializer_list<Field> fields = {}) {
  write(Level::warning, event, fields);
}
inline void error(Name event, std::initializer_list<Field> fields = {}) {
  write(Level::error, event, fields);
}

}  // namespace jw::log
