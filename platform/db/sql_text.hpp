// SQL cut into words: for migrations, which are written once for both stores, and for telling what a statement writes.
// Inside platform/db only.
#pragma once

#include <string_view>

namespace jw::db {

// A piece of SQL: a word is a keyword or a name; quoted names, literals and comments are pieces whole.
struct Piece {
  std::string_view text;
  bool word = false;

  bool is_name() const { return word || (text.size() > 2 && text[0] == '"'); }
  std::string_view name() const { return word ? text : text.substr(1, text.size() - 2); }
};

Piece take_piece(std::string_view& sql);  // of a text that is not empty

}  // namespace jw::db
