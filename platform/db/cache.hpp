// Prepared statements of one connection, found by their text. Inside platform/db only.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace jw::db {

// S has `std::string sql` and `bool open` (in use: never forgotten). One text may have several statements: copies for
// cursors open at once, or variants by the kinds of its parameters.
template <class S>
class StatementCache {
 public:
  explicit StatementCache(size_t most) : most_(most) {}

  template <class Fits>
  S* find(std::string_view sql, Fits fits) {
    const auto entry = texts_.find(sql);
    if (entry == texts_.end()) return nullptr;
    for (const auto& statement : entry->second.statements) {
      if (!fits(*statement)) continue;
      entry->second.used = ++uses_;
      return statement.get();
    }
    return nullptr;
  }

  S& add(std::unique_ptr<S> made) {
    if (texts_.size() >= most_) make_room();
    S& statement = *made;
    // The key borrows the text of the entry's first statement, which goes only with the entry.
    Entry& entry = texts_.try_emplace(statement.sql).first->second;
    entry.statements.push_back(std::move(made));
    entry.used = ++uses_;
    return statement;
  }

  // Statements forgotten since the last call, for a store that must be told.
  std::vector<std::unique_ptr<S>> take_forgotten() { return std::exchange(forgotten_, {}); }
  bool has_forgotten() const { return !forgotten_.empty(); }

  void forget(std::string_view sql) {
    const auto entry = texts_.find(sql);
    if (entry != texts_.end()) forget(entry);
  }

 private:
  struct Entry {
    std::vector<std::unique_ptr<S>> statements;
    uint64_t used = 0;
  };
  using Texts = std::unordered_map<std::string_view, Entry>;

  typename Texts::iterator forget(typename Texts::iterator entry) {
    std::ranges::move(entry->second.statements, std::back_inserter(forgotten_));  // keeps the key's text
    return texts_.erase(entry);
  }

  // Forgets the quarter that was used longest ago, as far as it is not in use.
  void make_room() {
    std::vector<uint64_t> uses;
    for (const auto& [sql, entry] : texts_) uses.push_back(entry.used);
    const auto quarter = uses.begin() + static_cast<std::ptrdiff_t>(uses.size() / 4);
    std::ranges::nth_element(uses, quarter);
    const uint64_t oldest_kept = *quarter;
    for (auto entry = texts_.begin(); entry != texts_.end();) {
      const bool open = std::ranges::any_of(entry->second.statements, [](const auto& one) { return one->open; });
      entry = entry->second.used < oldest_kept && !open ? forget(entry) : std::next(entry);
    }
  }

  const size_t most_;
  Texts texts_;
  std::vector<std::unique_ptr<S>> forgotten_;
  uint64_t uses_ = 0;
};

}  // namespace jw::db
