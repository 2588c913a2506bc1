// Inside kernel/identity only: a password while it is held. Wiped when it goes (等保 8.1.4.10).
#pragma once

#include <cstring>
#include <string>
#include <string_view>

namespace jw::identity {

inline void wipe(std::string& text) {
  explicit_bzero(text.data(), text.capacity());
  text.clear();
}

class SecretText {
 public:
  SecretText() = default;
  explicit SecretText(std::string_view text) : text_(text) {}
  ~SecretText() { wipe(text_); }
  // Moving a short string leaves its characters behind, so a secret stays where it is.
  SecretText(const SecretText&) = delete;
  SecretText& operator=(const SecretText&) = delete;

  // Takes the characters of a passing string and wipes that.
  void take(std::string&& text) {
    wipe(text_);
    text_.assign(text);
    wipe(text);
  }
  std::string_view view() const { return text_; }
  bool empty() const { return text_.empty(); }

 private:
  std::string text_;
};

}  // namespace jw::identity
