// Writing JSON (RFC 8259) straight into a string: no tree, no allocation beyond the string itself.
// Reading goes through Boost.JSON where a tree is wanted.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace jw {

class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}

  JsonWriter& object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }
  JsonWriter& key(std::string_view name);
  JsonWriter& value(std::string_view text);
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(int64_t number);
  JsonWriter& value(int number) { return value(static_cast<int64_t>(number)); }
  JsonWriter& value(uint64_t number) { return value(static_cast<int64_t>(number)); }
  JsonWriter& value(bool truth);
  JsonWriter& null();
  JsonWriter& decimal(int64_t scaled, int places);  // decimal(875, 1) writes 87.5
  JsonWriter& raw(std::string_view json);           // already JSON
  JsonWriter& value(const Text& text);              // {"zh":…,"en":…}
  JsonWriter& value(const Remedy& remedy);          // {"clause","text","kind","prefill"}, docs/api.md

  template <class T>
  JsonWriter& field(std::string_view name, T&& v) {
    key(name);
    return value(std::forward<T>(v));
  }

 private:
  void separate() {
    if (comma_) out_ += ',';
    comma_ = true;
  }
  JsonWriter& open(char bracket) {
    separate();
    out_ += bracket;
    comma_ = false;
    return *this;
  }
  JsonWriter& close(char bracket) {
    out_ += bracket;
    comma_ = true;
    return *this;
  }

  std::string& out_;
  bool comma_ = false;
};

void append_json_string(std::string& out, std::string_view text);
void append_decimal(std::string& out, int64_t scaled, int places);

}  // namespace jw
