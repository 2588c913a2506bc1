#include "kernel/catalog/schema.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "kernel/catalog/source.hpp"
#include "kernel/catalog/stored.hpp"

namespace jw::catalog {
namespace {

constexpr auto kSqlite = db::Dialect::sqlite;
constexpr const char* kCatalogueRow = "*";

bool has_table(db::Connection& connection, const char* name) {
  const char* sql = connection.dialect() == kSqlite
                        ? "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = $1"
                        : "SELECT 1 FROM pg_tables WHERE schemaname = current_schema() AND tablename = $1";
  return connection.query(sql, {name}).next();
}

std::map<std::string, Shape> stored_shapes(db::Connection& connection) {
  std::map<std::string, Shape> shapes;
  if (!has_table(connection, "dataset_schema")) return shapes;
  db::Rows rows =
      connection.query("SELECT dataset, description FROM dataset_schema WHERE dataset <> $1", {kCatalogueRow});
  while (rows.next()) shapes.emplace(rows.text(0), parse_shape(rows.text(1)));
  return shapes;
}

Refusal refuse(const char* type, Text detail, const std::vector<SchemaChange>& changes) {
  Refusal refusal;
  refusal.code = jw::Code::conflict;
  refusal.type = type;
  refusal.detail = std::move(detail);
  for (const SchemaChange& change : changes) {
    if (!change.safe)
      refusal.fields.push_back(FieldProblem{"", change.possible ? "unsafe" : "impossible", change.text});
  }
  return refusal;
}

std::optional<Refusal> objection(const std::vector<SchemaChange>& changes, bool only_safe) {
  if (std::any_of(changes.begin(), changes.end(), [](const SchemaChange& change) { return !change.possible; })) {
    return refuse("schema.impossible",
                  bilingual("目录的改动无法由已存的数据得到",
                            "the catalogue has changed in a way that stored data cannot follow"),
                  changes);
  }
  if (only_safe &&
      std::any_of(changes.begin(), changes.end(), [](const SchemaChange& change) { return !change.safe; })) {
    return refuse(
        "schema.unsafe",
        bilingual("目录的改动会影响已存的数据，请先备份，再运行 jiaowu migrate",
                  "the catalogue has changed in a way that touches stored data: back up, then run jiaowu migrate"),
        changes);
  }
  return std::nullopt;
}

// Rebuilding a table on SQLite drops the one others point to; the references are checked as a whole before the commit.
class ForeignKeysOff {
 public:
  ForeignKeysOff(db::Connection& connection, bool wanted) : connection_(connection) {
    if (!wanted || connection.dialect() != kSqlite) return;
    db::Rows rows = connection.query("PRAGMA foreign_keys");
    was_on_ = rows.next() && rows.integer(0) != 0;
    if (was_on_) set("OFF");
  }
  ~ForeignKeysOff() noexcept(false) {
    if (was_on_) set("ON");
  }
  ForeignKeysOff(const ForeignKeysOff&) = delete;
  ForeignKeysOff& operator=(const ForeignKeysOff&) = delete;

  bool whole() {
    if (!was_on_) return true;
    return !connection_.query("PRAGMA foreign_key_check").next();
  }

 private:
  void set(const char* state) { connection_.script(std::string("PRAGMA foreign_keys = ") + state); }
  db::Connection& connection_;
  bool was_on_ = false;
};

// Rows that were there before their field got a sort key.
void fill_sort_keys(db::Connection& writer, const Shape& shape) {
  for (const Column& column : shape.columns) {
    if (!column.pinyin) continue;
    const std::string name = identifier(column.name), sort = identifier(column.name + "_sort"),
                      table = identifier(shape.name);
    std::vector<std::pair<int64_t, std::string>> found;
    db::Rows rows = writer.query("SELECT \"id\", " + name + " FROM " + table + " WHERE " + name + " IS NOT NULL AND " +
                                 sort + " IS NULL");
    while (rows.next()) found.emplace_back(rows.integer(0), rows.text(1));
    for (const auto& [id, text] : found) {
      writer.execute("UPDATE " + table + " SET " + sort + " = $1 WHERE \"id\" = $2", {pinyin_key(text), id});
    }
  }
}

void remember(db::Connection& writer, const std::string& dataset, const std::string& description) {
  writer.execute("DELETE FROM dataset_schema WHERE dataset = $1", {dataset});
  writer.execute("INSERT INTO dataset_schema (dataset, description) VALUES ($1, $2)", {dataset, description});
}

void remember_all(db::Connection& writer, const Catalogue& catalogue) {
  writer.execute("DELETE FROM dataset_schema");
  for (const Dataset& dataset : catalogue.datasets) {
    if (dataset.by_kernel) continue;
    const Shape shape = shape_of(catalogue, dataset);
    fill_sort_keys(writer, shape);
    remember(writer, dataset.name, print_shape(shape));
  }
  remember(writer, kCatalogueRow, catalogue.digest);
  if (has_table(writer, "gate")) writer.execute("UPDATE gate SET epoch = epoch + 1");
}

Result<Done> apply(const Catalogue& catalogue, db::Connection& writer, bool only_safe, ForeignKeysOff& foreign_keys) {
  db::Transaction transaction(writer, db::Transaction::Mode::write);
  if (writer.dialect() != kSqlite) {
    // Two nodes that start together: the second waits and then finds nothing to do.
    writer.query("SELECT CAST(pg_advisory_xact_lock(7217301) AS TEXT)").next();
  }
  const std::vector<SchemaChange> changes = schema_changes(catalogue, writer);
  if (auto refusal = objection(changes, only_safe)) return std::move(*refusal);
  if (changes.empty() && stored_digest(writer) == catalogue.digest) return Done{};
  writer.script(db::in_dialect(
      writer.dialect(),
      "CREATE TABLE IF NOT EXISTS dataset_schema (dataset TEXT PRIMARY KEY, description TEXT NOT NULL)"));
  try {
    for (const SchemaChange& change : changes) {
      for (const std::string& statement : change.statements) writer.script(statement);
    }
  } catch (const db::Error& error) {
    using db::Failure;
    if (error.failure() != Failure::not_null && error.failure() != Failure::unique &&
        error.failure() != Failure::foreign_key)
      throw;
    return refuse(
        "schema.data",
        bilingual(
            "已存的数据与改动后的目录不合（空值、重复或悬空的引用），未作任何改动",
            "stored rows do not fit the changed catalogue (empty, double or dangling values); nothing was changed"),
        changes);
  }
  remember_all(writer, catalogue);
  if (!foreign_keys.whole()) {
    return refuse("schema.data",
                  bilingual("改动会留下悬空的引用，未作任何改动",
                            "the change would leave dangling references; nothing was changed"),
                  changes);
  }
  transaction.commit();
  return Done{};
}

}  // namespace

std::string table_name(const Dataset& dataset) {
  return (dataset.in_record ? "\"record\"." : "") + identifier(dataset.name);
}
std::string history_name(const Dataset& dataset) {
  return identifier(dataset.name + "_history");
}
std::string column_name(const Field& field) {
  return identifier(field.name);
}

std::string create_history_index(const Shape& shape) {
  return "CREATE INDEX IF NOT EXISTS " + identifier(shape.name + "_history_idx") + " ON " +
         identifier(shape.name + "_history") + " (\"id\")";
}

std::vector<std::string> create_statements(const Catalogue& catalogue, const Dataset& dataset, db::Dialect dialect) {
  if (dataset.by_kernel) return {};
  const Shape shape = shape_of(catalogue, dataset);
  std::vector<std::string> statements = {create_table(shape, dialect, shape.name)};
  for (const auto& index : shape.indexes) statements.push_back(create_index(shape, index));
  statements.push_back(create_history(shape, dialect, shape.name + "_history"));
  statements.push_back(create_history_index(shape));
  return statements;
}

std::vector<std::string> link_statements(const Catalogue& catalogue, const Dataset& dataset, db::Dialect dialect) {
  std::vector<std::string> statements;
  if (dataset.by_kernel || dialect == kSqlite) return statements;
  const Shape shape = shape_of(catalogue, dataset);
  for (const Column& column : shape.columns) {
    if (!column.ref.empty()) statements.push_back(link_column(shape, column));
  }
  return statements;
}

std::vector<SchemaChange> schema_changes(const Catalogue& catalogue, db::Connection& connection) {
  return difference(stored_shapes(connection), catalogue, connection.dialect());
}

Result<Done> apply_schema(const Catalogue& catalogue, db::Connection& writer, bool only_safe) {
  ForeignKeysOff foreign_keys(writer, !only_safe);
  return apply(catalogue, writer, only_safe, foreign_keys);
}

std::string stored_digest(db::Connection& connection) {
  if (!has_table(connection, "dataset_schema")) return {};
  db::Rows rows = connection.query("SELECT description FROM dataset_schema WHERE dataset = $1", {kCatalogueRow});
  return rows.next() ? std::string(rows.text(0)) : std::string();
}

}  // namespace jw::catalog
