#include "kernel/catalog/shape.hpp"

#include <algorithm>
#include <stdexcept>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "platform/crypto/api.hpp"

namespace jw::catalog {
namespace json = boost::json;
namespace {

constexpr size_t kNameMax = 63;  // PostgreSQL cuts longer names off

// grade_student_fkey; parts that would make it too long are replaced by a digest of them.
std::string constraint_name(const std::string& dataset, const std::vector<std::string>& columns, const char* ending) {
  std::string name = dataset;
  for (const std::string& column : columns) name += "_" + column;
  if (name.size() + std::string_view(ending).size() > kNameMax) {
    const crypto::Digest digest = crypto::sha256(name);
    name = dataset + "_" + crypto::hex(crypto::bytes_of(digest).substr(0, 5));
  }
  return name + ending;
}

std::string list(const std::vector<std::string>& columns) {
  std::string out;
  for (const std::string& column : columns) out += (out.empty() ? "" : ", ") + identifier(column);
  return out;
}

const char* integer(db::Dialect dialect) {
  return dialect == db::Dialect::sqlite ? "INTEGER" : "BIGINT";
}
const char* text(db::Dialect dialect) {
  return dialect == db::Dialect::sqlite ? "TEXT" : "TEXT COLLATE \"C\"";
}

bool covered(const Shape& shape, const std::string& column) {
  if (!shape.key.empty() && shape.key.front() == column) return true;
  return std::any_of(shape.indexes.begin(), shape.indexes.end(),
                     [&](const auto& index) { return index.front() == column; });
}

void add_index(Shape& shape, const std::string& column) {
  if (!covered(shape, column)) shape.indexes.push_back({column});
}

// Columns of the fields with their sort keys, one definition each.
void field_columns(const Shape& shape, db::Dialect dialect, bool history, std::vector<std::string>& out) {
  for (const Column& column : shape.columns) {
    out.push_back(identifier(column.name) + " " + column_type(column, dialect) +
                  (column.required && !history ? " NOT NULL" : ""));
    if (column.pinyin) out.push_back(identifier(column.name + "_sort") + " " + text(dialect));
  }
}

std::string create(std::string_view as, const std::vector<std::string>& parts, const char* options) {
  std::string sql = "CREATE TABLE IF NOT EXISTS " + identifier(as) + " (";
  for (size_t i = 0; i < parts.size(); ++i) sql += (i == 0 ? "" : ", ") + parts[i];
  return sql + ")" + options;
}

std::string string_at(const json::object& object, const char* key) {
  return std::string(object.at(key).as_string());
}

std::vector<std::string> strings_at(const json::value& value) {
  std::vector<std::string> out;
  for (const json::value& item : value.as_array()) out.emplace_back(item.as_string());
  return out;
}

json::array array_of(const std::vector<std::string>& names) {
  json::array out;
  for (const std::string& name : names) out.emplace_back(name);
  return out;
}

}  // namespace

const Column* Shape::find(std::string_view column) const {
  const auto at = std::find_if(columns.begin(), columns.end(), [&](const Column& each) { return each.name == column; });
  return at == columns.end() ? nullptr : &*at;
}

Shape shape_of(const Catalogue& catalogue, const Dataset& dataset) {
  Shape shape;
  shape.name = dataset.name;
  shape.person = dataset.person;
  shape.clustered = dataset.clustered;
  const auto name_of = [&](int field) { return dataset.fields[static_cast<size_t>(field)].name; };
  for (const Field& field : dataset.fields) {
    if (field.is_lookup()) continue;
    Column column;
    column.name = field.name;
    column.type = type_name(field.type);
    column.size = field.size;
    if (field.code_set >= 0) column.codes = catalogue.code_sets[static_cast<size_t>(field.code_set)].name;
    if (field.ref >= 0) column.ref = catalogue.datasets[static_cast<size_t>(field.ref)].name;
    column.required = field.required;
    column.pinyin = field.pinyin;
    shape.columns.push_back(std::move(column));
  }
  for (const int field : dataset.key) shape.key.push_back(name_of(field));
  for (const std::vector<int>& index : dataset.indexes) {
    std::vector<std::string> columns;
    for (const int field : index) columns.push_back(name_of(field));
    shape.indexes.push_back(columns);
    const Field& first = dataset.fields[static_cast<size_t>(index.front())];
    if (index.size() == 1 && first.pinyin) shape.indexes.push_back({first.name + "_sort"});
  }
  // What every governed statement joins or selects by.
  if (dataset.has_subject && !dataset.about.empty()) add_index(shape, name_of(dataset.about.front()));
  for (const Binding& binding : dataset.bindings) {
    if (!binding.path.empty()) add_index(shape, name_of(binding.path.front()));
  }
  if (dataset.person) add_index(shape, "person_id");
  std::sort(shape.indexes.begin(), shape.indexes.end());
  shape.indexes.erase(std::unique(shape.indexes.begin(), shape.indexes.end()), shape.indexes.end());
  return shape;
}

std::string print_shape(const Shape& shape) {
  json::array columns, indexes;
  for (const Column& column : shape.columns) {
    json::object out{{"name", column.name}, {"type", column.type}, {"required", column.required}};
    if (column.size != 0) out["size"] = column.size;
    if (!column.codes.empty()) out["codes"] = column.codes;
    if (!column.ref.empty()) out["ref"] = column.ref;
    if (column.pinyin) out["pinyin"] = true;
    columns.push_back(std::move(out));
  }
  for (const auto& index : shape.indexes) indexes.push_back(array_of(index));
  return json::serialize(json::object{{"name", shape.name},
                                      {"person", shape.person},
                                      {"clustered", shape.clustered},
                                      {"key", array_of(shape.key)},
                                      {"columns", columns},
                                      {"indexes", indexes}});
}

Shape parse_shape(std::string_view text_of_shape) {
  const json::value value = json::parse(json::string_view(text_of_shape.data(), text_of_shape.size()));
  const json::object& object = value.as_object();
  Shape shape;
  shape.name = string_at(object, "name");
  shape.person = object.at("person").as_bool();
  shape.clustered = object.at("clustered").as_bool();
  shape.key = strings_at(object.at("key"));
  for (const json::value& index : object.at("indexes").as_array()) shape.indexes.push_back(strings_at(index));
  for (const json::value& each : object.at("columns").as_array()) {
    const json::object& from = each.as_object();
    Column column;
    column.name = string_at(from, "name");
    column.type = string_at(from, "type");
    column.required = from.at("required").as_bool();
    if (from.contains("size")) column.size = static_cast<int>(from.at("size").as_int64());
    if (from.contains("codes")) column.codes = string_at(from, "codes");
    if (from.contains("ref")) column.ref = string_at(from, "ref");
    column.pinyin = from.contains("pinyin");
    shape.columns.push_back(std::move(column));
  }
  return shape;
}

std::string identifier(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

std::string column_type(const Column& column, db::Dialect dialect) {
  return column.is_text() ? text(dialect) : integer(dialect);
}

std::string create_table(const Shape& shape, db::Dialect dialect, std::string_view as) {
  const bool sqlite = dialect == db::Dialect::sqlite;
  const bool by_key = sqlite && shape.clustered;
  const std::string number = integer(dialect);
  std::vector<std::string> parts = {identifier("id") + " " + number + (by_key ? " NOT NULL" : " PRIMARY KEY")};
  if (shape.person) parts.push_back(identifier("person_id") + " " + number + " NOT NULL");
  field_columns(shape, dialect, false, parts);
  parts.push_back(identifier("batch_id") + " " + number + " NOT NULL");
  parts.push_back(identifier("since_us") + " " + number + " NOT NULL");
  if (by_key) {
    parts.push_back("PRIMARY KEY (" + list(shape.key) + ")");
    parts.push_back("UNIQUE (" + identifier("id") + ")");
  } else {
    parts.push_back("CONSTRAINT " + identifier(constraint_name(shape.name, {}, "_key")) + " UNIQUE (" +
                    list(shape.key) + ")");
  }
  for (const Column& column : shape.columns) {
    if (!sqlite || column.ref.empty()) continue;
    parts.push_back("FOREIGN KEY (" + identifier(column.name) + ") REFERENCES " + identifier(column.ref) +
                    " (\"id\") DEFERRABLE INITIALLY DEFERRED");
  }
  return create(as, parts, by_key ? " STRICT, WITHOUT ROWID" : sqlite ? " STRICT" : "");
}

std::string create_history(const Shape& shape, db::Dialect dialect, std::string_view as) {
  const std::string number = integer(dialect);
  std::vector<std::string> parts = {identifier("id") + " " + number + " NOT NULL"};
  if (shape.person) parts.push_back(identifier("person_id") + " " + number);
  field_columns(shape, dialect, true, parts);
  for (const char* name : {"batch_id", "since_us", "until_us", "ended_batch_id"}) {
    parts.push_back(identifier(name) + " " + number + " NOT NULL");
  }
  return create(as, parts, dialect == db::Dialect::sqlite ? " STRICT" : "");
}

std::string create_index(const Shape& shape, const std::vector<std::string>& columns) {
  return "CREATE INDEX IF NOT EXISTS " + identifier(constraint_name(shape.name, columns, "_idx")) + " ON " +
         identifier(shape.name) + " (" + list(columns) + ")";
}

std::string drop_index(const Shape& shape, const std::vector<std::string>& columns) {
  return "DROP INDEX IF EXISTS " + identifier(constraint_name(shape.name, columns, "_idx"));
}

std::string link_column(const Shape& shape, const Column& column) {
  const std::string name = constraint_name(shape.name, {column.name}, "_fkey");
  return "DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = '" + name + "' AND conrelid = '" +
         identifier(shape.name) + "'::regclass) THEN ALTER TABLE " + identifier(shape.name) + " ADD CONSTRAINT " +
         identifier(name) + " FOREIGN KEY (" + identifier(column.name) + ") REFERENCES " + identifier(column.ref) +
         " (\"id\") DEFERRABLE INITIALLY DEFERRED; END IF; END $$";
}

std::vector<std::string> stored_columns(const Shape& shape) {
  std::vector<std::string> columns = {"id"};
  if (shape.person) columns.push_back("person_id");
  for (const Column& column : shape.columns) {
    columns.push_back(column.name);
    if (column.pinyin) columns.push_back(column.name + "_sort");
  }
  columns.insert(columns.end(), {"batch_id", "since_us"});
  return columns;
}

}  // namespace jw::catalog
