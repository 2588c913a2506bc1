// What a schema holds beside its rows: read, and held against one newly made.
#include <algorithm>
#include <array>

#include "platform/db/api.hpp"
#include "platform/db/sql_text.hpp"

namespace jw::db {
namespace {

// Of a table or its parts as written, but for space and comments.
std::string plain(std::string_view sql) {
  std::string out;
  while (!sql.empty()) {
    const Piece piece = take_piece(sql);
    const bool nothing = piece.text.find_first_not_of(" \t\r\n") == std::string_view::npos ||
                         piece.text.starts_with("--") || piece.text.starts_with("/*");
    if (!nothing) out.append(out.empty() ? "" : " ").append(piece.text);
  }
  return out;
}

// What stands between the brackets of a CREATE TABLE, comma by comma, and what follows them. In no order: a column that
// was added later stands last. The reference of a column is a part of its own, as it is written for a new table.
std::set<std::string> parts_of(std::string_view sql) {
  std::set<std::string> parts;
  std::string part;
  int depth = 0;
  const auto end = [&] {
    std::string text = plain(part);
    part.clear();
    if (text.empty()) return;
    const size_t refers = text.find(" REFERENCES ");
    if (refers != std::string::npos && !text.starts_with("FOREIGN ") && !text.starts_with("CONSTRAINT ")) {
      std::string_view rest = text;
      parts.insert("FOREIGN KEY ( " + std::string(take_piece(rest).text) + " )" + text.substr(refers));
      text.erase(refers);
    }
    parts.insert(std::move(text));
  };
  while (!sql.empty()) {
    const Piece piece = take_piece(sql);
    if (piece.text == "(" && depth++ == 0) {
      part.clear();  // the name
    } else if ((piece.text == ")" && --depth == 0) || (piece.text == "," && depth <= 1)) {
      end();
    } else {
      part += piece.text;
    }
  }
  end();
  return parts;
}

// What a column is generated from, as both stores print it: without brackets, casts and the ELSE NULL that nobody
// wrote.
std::string source_of(std::string_view expression) {
  std::string out;
  for (const char c : expression) {
    if (std::string_view(" \t\r\n()'").find(c) == std::string_view::npos) out += c;
  }
  for (const std::string_view word : {"::bigint", "ELSENULL"}) {
    for (size_t at = out.find(word); at != std::string::npos; at = out.find(word)) out.erase(at, word.size());
  }
  return out;
}

// Of the column as it is written among the parts of its table.
std::string source_in(const std::set<std::string>& parts, std::string_view column) {
  constexpr std::string_view kGenerated = " GENERATED ALWAYS AS ";
  for (const std::string& part : parts) {
    std::string_view rest = part;
    const size_t at = part.find(kGenerated), end = part.rfind(')');
    if (take_piece(rest).name() != column || at == std::string::npos || end == std::string::npos || end < at) continue;
    return source_of(std::string_view(part).substr(at + kGenerated.size(), end - at - kGenerated.size()));
  }
  return "?";
}

std::string type_of(std::string_view type) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kTypes{
      {{"INTEGER", "bigint"}, {"BIGINT", "bigint"}, {"TEXT", "text"}, {"BLOB", "bytea"}}};
  for (const auto& [sqlite, postgres] : kTypes) {
    if (type == sqlite) return std::string(postgres);
  }
  return std::string(type);
}

Structure sqlite_structure(Connection& connection, std::string_view schema) {
  Structure found{.dialect = Dialect::sqlite, .schema = std::string(schema)};
  const std::string within = schema.empty() ? "main" : std::string(schema), master = within + ".sqlite_master";
  {
    Rows rows = connection.query("SELECT type, name, tbl_name, sql FROM " + master +
                                 " WHERE sql IS NOT NULL AND NOT (type = 'table' AND name GLOB 'sqlite_*')");
    while (rows.next()) {
      const std::string_view type = rows.text(0), sql = rows.text(3);
      const std::string name(rows.text(1)), table(rows.text(2)), written = plain(sql);
      const bool is_virtual = type == "table" && !written.starts_with("CREATE TABLE");
      if (type == "index") {
        found.indexes[name].written = written;
      } else if (type == "table" && !is_virtual) {
        found.tables[name].parts = parts_of(sql);
      } else {
        found.acting.push_back({is_virtual ? "virtual table" : std::string(type), name, table});
      }
    }
  }
  {
    Rows rows = connection.query("SELECT m.name, p.name, p.type, p.hidden FROM " + master +
                                     " m JOIN pragma_table_xinfo(m.name, $1) p WHERE m.type = 'table'",
                                 {within});
    while (rows.next()) {
      const auto table = found.tables.find(std::string(rows.text(0)));
      if (table == found.tables.end()) continue;
      std::string& column = table->second.columns[std::string(rows.text(1))];
      column = type_of(rows.text(2));
      if (rows.integer(3) > 1) column += " = " + source_in(table->second.parts, rows.text(1));
    }
  }
  Rows rows = connection.query(
      "SELECT l.name, m.name, l.\"unique\", l.partial, COALESCE(x.name, '?') FROM " + master +
          " m JOIN pragma_index_list(m.name, $1) l JOIN pragma_index_info(l.name, $1) x WHERE m.type = 'table' AND "
          "l.origin = 'c' ORDER BY l.name, x.seqno",
      {within});
  while (rows.next()) {
    Structure::Index& index = found.indexes[std::string(rows.text(0))];
    index.unique = rows.integer(2) != 0;
    index.partial = rows.integer(3) != 0;
    index.on += (index.on.empty() ? std::string(rows.text(1)) + ": " : ", ") + std::string(rows.text(4));
  }
  return found;
}

constexpr std::string_view kPostgresColumns =
    "SELECT CAST(c.relname AS TEXT), CAST(a.attname AS TEXT), format_type(a.atttypid, a.atttypmod), "
    "CASE WHEN a.attgenerated = '' THEN NULL ELSE pg_get_expr(d.adbin, d.adrelid) END "
    "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped "
    "LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum "
    "WHERE n.nspname = $1 AND c.relkind IN ('r', 'p')";
constexpr std::string_view kPostgresIndexes =
    "SELECT CAST(x.relname AS TEXT), CAST(c.relname AS TEXT), CAST(CASE WHEN i.indisunique THEN 1 ELSE 0 END AS "
    "BIGINT), "
    "CAST(CASE WHEN i.indpred IS NULL THEN 0 ELSE 1 END AS BIGINT), COALESCE(CAST(a.attname AS TEXT), '?'), "
    "CAST(CASE WHEN i.indisvalid AND i.indisready AND i.indislive THEN 1 ELSE 0 END AS BIGINT) "
    "FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_class c ON c.oid = i.indrelid "
    "JOIN pg_namespace n ON n.oid = c.relnamespace "
    "CROSS JOIN LATERAL unnest(CAST(i.indkey AS SMALLINT[])) WITH ORDINALITY k (attnum, place) "
    "LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum AND k.attnum > 0 "
    "WHERE n.nspname = $1 AND NOT EXISTS (SELECT 1 FROM pg_constraint s WHERE s.conindid = i.indexrelid AND s.conrelid "
    "= i.indrelid AND s.contype IN ('p', 'u', 'x')) ORDER BY x.relname, k.place";
// Policies that the belt has not put there hide rows as a view does.
constexpr std::string_view kPostgresActing =
    "SELECT o.kind, CAST(o.name AS TEXT), CAST(c.relname AS TEXT) FROM pg_class c "
    "JOIN pg_namespace n ON n.oid = c.relnamespace JOIN ("
    "SELECT 'trigger' AS kind, tgname AS name, tgrelid AS of FROM pg_trigger WHERE NOT tgisinternal UNION ALL "
    "SELECT 'rule', rulename, ev_class FROM pg_rewrite WHERE rulename <> '_RETURN' UNION ALL "
    "SELECT 'policy', polname, polrelid FROM pg_policy WHERE polname <> 'jiaowu_seal' UNION ALL "
    "SELECT 'view', relname, oid FROM pg_class WHERE relkind IN ('v', 'm', 'f')) o ON o.of = c.oid "
    "WHERE n.nspname = $1 ORDER BY 1, 2, 3";

Structure postgres_structure(Connection& connection, std::string_view schema) {
  Structure found{.dialect = Dialect::postgres, .schema = std::string(schema)};
  std::string within(schema);
  if (schema.empty()) {
    Rows rows = connection.query("SELECT CAST(current_schema() AS TEXT)");
    if (rows.next()) within = rows.text(0);
  }
  {
    Rows rows = connection.query(kPostgresColumns, {within});
    while (rows.next()) {
      std::string& column = found.tables[std::string(rows.text(0))].columns[std::string(rows.text(1))];
      column = rows.text(2);
      if (!rows.is_null(3)) column += " = " + source_of(rows.text(3));
    }
  }
  {
    Rows rows = connection.query(kPostgresIndexes, {within});
    while (rows.next()) {
      Structure::Index& index = found.indexes[std::string(rows.text(0))];
      index.unique = rows.integer(2) != 0;
      index.partial = rows.integer(3) != 0;
      index.valid = rows.integer(5) != 0;
      index.on += (index.on.empty() ? std::string(rows.text(1)) + ": " : ", ") + std::string(rows.text(4));
    }
  }
  Rows rows = connection.query(kPostgresActing, {within});
  while (rows.next())
    found.acting.push_back({std::string(rows.text(0)), std::string(rows.text(1)), std::string(rows.text(2))});
  return found;
}

class Comparison {
 public:
  Comparison(const Structure& made, const Structure& there) : made_(made), there_(there) {}

  std::vector<Text> run() {
    for (const auto& [name, table] : made_.tables) compare_table(name, table);
    for (const auto& [name, index] : made_.indexes) compare_index(name, index);
    if (alone()) {
      for (const auto& [name, table] : there_.tables) {
        if (!made_.tables.contains(name))
          tell("多出表「" + of(name) + "」", "there is a table '" + of(name) + "' too many");
      }
      for (const auto& [name, index] : there_.indexes) {
        if (!made_.indexes.contains(name))
          tell("多出索引「" + of(name) + "」", "there is an index '" + of(name) + "' too many");
      }
    }
    return std::move(told_);
  }

 private:
  // A file holds what is ours and nothing else; a schema of a server may hold tables and indexes of its keepers.
  bool alone() const { return there_.dialect == Dialect::sqlite; }
  std::string of(const std::string& name) const { return (there_.schema.empty() ? "" : there_.schema + ".") + name; }
  void tell(std::string zh, std::string en) { told_.push_back({std::move(zh), std::move(en)}); }

  void compare_table(const std::string& name, const Structure::Table& made) {
    const auto found = there_.tables.find(name);
    if (found == there_.tables.end())
      return tell("缺少表「" + of(name) + "」", "the table '" + of(name) + "' is missing");
    const Structure::Table& there = found->second;
    const size_t before = told_.size();
    for (const auto& [column, type] : made.columns) {
      const auto now = there.columns.find(column);
      if (now == there.columns.end()) {
        tell("表「" + of(name) + "」缺少列「" + column + "」",
             "the table '" + of(name) + "' lacks the column '" + column + "'");
      } else if (now->second != type) {
        tell("表「" + of(name) + "」的列「" + column + "」类型是 " + now->second,
             "the table '" + of(name) + "' has its column '" + column + "' as " + now->second);
      }
    }
    for (const auto& [column, type] : there.columns) {
      if (made.columns.contains(column)) continue;
      tell("表「" + of(name) + "」多出列「" + column + "」",
           "the table '" + of(name) + "' has a column '" + column + "' too many");
    }
    if (!alone() || told_.size() != before || made.parts == there.parts) return;
    std::string differs;
    for (const auto* some : {&made.parts, &there.parts}) {
      for (const std::string& part : *some) {
        if (!differs.empty() || (some == &made.parts ? there.parts : made.parts).contains(part)) continue;
        differs = part;
      }
    }
    tell("表「" + of(name) + "」的定义与所建不同：" + differs,
         "the table '" + of(name) + "' is not as it was made: " + differs);
  }

  void compare_index(const std::string& name, const Structure::Index& made) {
    if (!there_.tables.contains(made.on.substr(0, made.on.find(':')))) return;  // told already
    const auto found = there_.indexes.find(name);
    if (found == there_.indexes.end())
      return tell("缺少索引「" + of(name) + "」", "the index '" + of(name) + "' is missing");
    const Structure::Index& there = found->second;
    const bool same = there.on == made.on && there.unique == made.unique && there.partial == made.partial &&
                      there.valid && (!alone() || there.written == made.written);
    if (!same) tell("索引「" + of(name) + "」与所建不同", "the index '" + of(name) + "' is not as it was made");
  }

  const Structure &made_, &there_;
  std::vector<Text> told_;
};

Text kind_of(std::string_view kind) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kKinds{
      {{"trigger", "触发器"}, {"rule", "规则"}, {"policy", "行策略"}, {"view", "视图"}, {"virtual table", "虚拟表"}}};
  for (const auto& [en, zh] : kKinds) {
    if (en == kind) return {std::string(zh), std::string(en)};
  }
  return {std::string(kind), std::string(kind)};
}

}  // namespace

Structure structure_of(Connection& connection, std::string_view schema) {
  return connection.dialect() == Dialect::sqlite ? sqlite_structure(connection, schema)
                                                 : postgres_structure(connection, schema);
}

std::vector<Text> acting(const Structure& made, const Structure& there) {
  std::vector<Text> told;
  for (const Structure::Acting& each : there.acting) {
    if (there.dialect != Dialect::sqlite && !made.tables.contains(each.table)) continue;
    const Text kind = kind_of(each.kind);
    const std::string table = (there.schema.empty() ? "" : there.schema + ".") + each.table;
    told.push_back(
        {"表「" + table + "」处有不是本系统所建的" + kind.zh + "「" + each.name + "」",
         "at the table '" + table + "' there is a " + kind.en + " '" + each.name + "' which this system did not make"});
  }
  return told;
}

std::vector<Text> differences(const Structure& made, const Structure& there) {
  std::vector<Text> told = acting(made, there);
  for (Text& each : Comparison(made, there).run()) told.push_back(std::move(each));
  return told;
}

std::vector<Text> damage(Connection& connection) {
  std::vector<Text> told;
  if (connection.dialect() != Dialect::sqlite) return told;
  Rows rows = connection.query("SELECT integrity_check FROM pragma_integrity_check");
  while (rows.next()) {
    const std::string found(rows.text(0));
    if (found == "ok") continue;
    told.push_back({"数据库文件内部不一致：" + found, "the file of the store does not agree with itself: " + found});
  }
  return told;
}

}  // namespace jw::db
