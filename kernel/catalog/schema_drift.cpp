// The columns there really are, against those the catalogue has made.
#include <map>

#include "kernel/catalog/shape.hpp"
#include "kernel/catalog/source.hpp"

namespace jw::catalog {
namespace {

using Columns = std::map<std::string, std::string>;  // type by name
using Tables = std::map<std::string, Columns>;

constexpr const char* kSqliteColumns =
    "SELECT m.name, p.name, p.type FROM sqlite_master m JOIN pragma_table_xinfo(m.name) p WHERE m.type = 'table'";
constexpr const char* kPostgresColumns =
    "SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod) FROM pg_class c "
    "JOIN pg_attribute a ON a.attrelid = c.oid "
    "WHERE c.relnamespace = to_regnamespace(quote_ident(current_schema())) AND c.relkind IN ('r', 'p') "
    "AND a.attnum > 0 AND NOT a.attisdropped";

Tables tables_there(db::Connection& connection) {
  Tables tables;
  db::Rows rows = connection.query(connection.dialect() == db::Dialect::sqlite ? kSqliteColumns : kPostgresColumns);
  while (rows.next()) tables[std::string(rows.text(0))].emplace(rows.text(1), rows.text(2));
  return tables;
}

std::string type_there(const std::string& column, const Shape& shape, db::Dialect dialect) {
  const bool sqlite = dialect == db::Dialect::sqlite;
  for (const Column& field : shape.columns) {
    const bool text = (field.name == column && field.is_text()) || (field.pinyin && field.name + "_sort" == column);
    if (text) return sqlite ? "TEXT" : "text";
  }
  return sqlite ? "INTEGER" : "bigint";
}

void compare(const std::string& name, std::vector<std::string> expected, const Shape& shape, db::Dialect dialect,
             const Tables& there, std::vector<Text>& drift) {
  const auto table = there.find(name);
  if (table == there.end()) {
    drift.push_back(bilingual("缺少表「{}」", "the table '{}' is missing", {name}));
    return;
  }
  Columns left = table->second;
  for (const std::string& column : expected) {
    const auto found = left.find(column);
    if (found == left.end()) {
      drift.push_back(bilingual("表「{}」缺少列「{}」", "the table '{}' lacks the column '{}'", {name, column}));
      continue;
    }
    if (found->second != type_there(column, shape, dialect)) {
      drift.push_back(bilingual("表「{}」的列「{}」类型是 {}", "the table '{}' has its column '{}' as {}",
                                {name, column, found->second}));
    }
    left.erase(found);
  }
  for (const auto& [column, type] : left) {
    drift.push_back(bilingual("表「{}」多出列「{}」", "the table '{}' has a column '{}' too many", {name, column}));
  }
}

}  // namespace

std::vector<Text> schema_drift(const Catalogue& catalogue, db::Connection& connection) {
  const Tables there = tables_there(connection);
  std::vector<Text> drift;
  for (const Dataset& dataset : catalogue.datasets) {
    if (dataset.by_kernel) continue;
    const Shape shape = shape_of(catalogue, dataset);
    std::vector<std::string> columns = stored_columns(shape);
    compare(shape.name, columns, shape, connection.dialect(), there, drift);
    columns.insert(columns.end(), {"until_us", "ended_batch_id"});
    compare(shape.name + "_history", columns, shape, connection.dialect(), there, drift);
  }
  return drift;
}

}  // namespace jw::catalog
