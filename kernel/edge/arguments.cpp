#include "kernel/edge/arguments.hpp"

#include <charconv>

namespace jw::edge {

std::set<std::string> with_store(std::set<std::string> own) {
  own.insert({"db", "home", "key-file"});
  return own;
}

Arguments::Arguments(const std::vector<std::string>& words, const std::set<std::string>& valued,
                     const std::set<std::string>& flags) {
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (!word.starts_with("--")) {
      rest_.push_back(word);
      continue;
    }
    const size_t equals = word.find('=');
    const std::string name = word.substr(2, equals == std::string::npos ? equals : equals - 2);
    if (flags.contains(name) && equals == std::string::npos) {
      flags_.insert(name);
    } else if (valued.contains(name)) {
      if (equals != std::string::npos) {
        options_[name] = word.substr(equals + 1);
      } else if (++i < words.size()) {
        options_[name] = words[i];
      } else {
        throw UsageError("选项 --" + name + " 缺少值 / option --" + name + " needs a value");
      }
    } else {
      throw UsageError("没有选项 --" + name + " / there is no option --" + name);
    }
  }
}

std::optional<std::string> Arguments::option(const std::string& name) const {
  const auto at = options_.find(name);
  if (at == options_.end()) return std::nullopt;
  return at->second;
}

std::string Arguments::required(const std::string& name) const {
  const auto value = option(name);
  if (!value || value->empty()) throw UsageError("须给出 --" + name + " / --" + name + " is required");
  return *value;
}

int64_t Arguments::number(const std::string& name, int64_t otherwise, int64_t min, int64_t max) const {
  const auto text = option(name);
  if (!text) return otherwise;
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc{} || end != text->data() + text->size() || value < min || value > max) {
    const std::string range = std::to_string(min) + "–" + std::to_string(max);
    throw UsageError("--" + name + " 应为 " + range + " 的整数 / --" + name + " must be an integer of " + range);
  }
  return value;
}

}  // namespace jw::edge
