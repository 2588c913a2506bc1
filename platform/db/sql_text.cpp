#include "platform/db/sql_text.hpp"

namespace jw::db {
namespace {

bool of_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

size_t past(std::string_view sql, std::string_view end, size_t from) {
  const size_t found = sql.find(end, from);
  return found == std::string_view::npos ? sql.size() : found + end.size();
}

}  // namespace

Piece take_piece(std::string_view& sql) {
  size_t length = 1;
  const bool word = of_word(sql[0]);
  if (word) {
    while (length < sql.size() && of_word(sql[length])) ++length;
  } else if (sql.starts_with("--")) {
    length = past(sql, "\n", 2);
  } else if (sql.starts_with("/*")) {
    length = past(sql, "*/", 2);
  } else if (sql[0] == '\'' || sql[0] == '"') {
    length = past(sql, sql.substr(0, 1), 1);
  }
  const Piece piece{sql.substr(0, length), word};
  sql.remove_prefix(length);
  return piece;
}

}  // namespace jw::db
