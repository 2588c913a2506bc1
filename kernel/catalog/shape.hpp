// The shape of a dataset's tables, apart from all that does not reach the store: what dataset_schema remembers and what
// differences are computed from. Internal to kernel/catalog.
#pragma once

#include <string>
#include <vector>

#include "kernel/catalog/schema.hpp"

namespace jw::catalog {

struct Column {
  std::string name, type;  // type: text, int, decimal … (type_name)
  int size = 0;            // text: characters; decimal: places
  std::string codes, ref;  // code set, dataset
  bool required = false;
  bool pinyin = false;  // with a column "<name>_sort"
  bool operator==(const Column&) const = default;
  bool is_text() const { return type == "text" || type == "code" || type == "date"; }
};

struct Shape {
  std::string name;
  bool person = false, clustered = false;
  std::vector<Column> columns;
  std::vector<std::string> key;
  std::vector<std::vector<std::string>> indexes;  // columns, those for relations and subject included
  bool operator==(const Shape&) const = default;
  const Column* find(std::string_view column) const;
};

Shape shape_of(const Catalogue& catalogue, const Dataset& dataset);
std::string print_shape(const Shape& shape);  // JSON
Shape parse_shape(std::string_view json);     // throws std::runtime_error when the store holds nonsense

// Statements. A table is made under its own name or, while it is rebuilt, under another.
std::string identifier(std::string_view name);
std::string create_table(const Shape& shape, db::Dialect dialect, std::string_view as);
std::string create_history(const Shape& shape, db::Dialect dialect, std::string_view as);
std::string create_index(const Shape& shape, const std::vector<std::string>& columns);
std::string drop_index(const Shape& shape, const std::vector<std::string>& columns);
std::string link_column(const Shape& shape, const Column& column);  // PostgreSQL
std::string column_type(const Column& column, db::Dialect dialect);
std::vector<std::string> stored_columns(const Shape& shape);  // id … since_us

}  // namespace jw::catalog
