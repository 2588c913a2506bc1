// What must happen in the store so that its tables become those of the catalogue, and whether that may happen by
// itself.
#include <algorithm>

#include "kernel/catalog/shape.hpp"
#include "kernel/catalog/source.hpp"
#include "kernel/catalog/stored.hpp"

namespace jw::catalog {
namespace {

constexpr auto kSqlite = db::Dialect::sqlite;

// One difference between two shapes of a dataset.
struct Step {
  Text text;
  bool safe = false, possible = true;
  bool rebuild = false;                 // SQLite cannot alter this: the table is made anew
  std::vector<std::string> statements;  // when it is not rebuilt
  std::vector<std::string> loses{};
};

class Difference {
 public:
  Difference(const Shape& old_shape, const Shape& new_shape, db::Dialect dialect)
      : old_(old_shape),
        new_(new_shape),
        dialect_(dialect),
        table_(identifier(new_shape.name)),
        history_(identifier(new_shape.name + "_history")) {}

  std::vector<SchemaChange> changes() {
    if (old_.person != new_.person) {
      impossible(bilingual("「{}」的 person 不能改变：请以新名称另建数据集",
                           "person of '{}' cannot change: make a dataset of another name", {new_.name}));
    }
    columns();
    table();
    indexes();
    return grouped();
  }

 private:
  void impossible(Text text) { steps_.push_back(Step{std::move(text), false, false, false, {}}); }
  // Statements for PostgreSQL; SQLite rebuilds.
  void unsafe(Text text, std::vector<std::string> statements) {
    steps_.push_back(Step{std::move(text), false, true, true, std::move(statements)});
  }
  void safe(Text text, std::vector<std::string> statements) {
    steps_.push_back(Step{std::move(text), true, true, false, std::move(statements)});
  }

  void columns() {
    for (const Column& column : new_.columns) {
      const Column* before = old_.find(column.name);
      before == nullptr ? added(column) : changed(*before, column);
    }
    for (const Column& column : old_.columns) {
      if (new_.find(column.name) == nullptr) dropped(column);
    }
  }

  // ALTER TABLE of table and history alike.
  std::vector<std::string> both(const std::string& action) const {
    return {"ALTER TABLE " + table_ + " " + action, "ALTER TABLE " + history_ + " " + action};
  }

  void added(const Column& column) {
    const std::string plain = "ADD COLUMN " + identifier(column.name) + " " + column_type(column, dialect_);
    std::vector<std::string> statements = both(plain);
    if (dialect_ == kSqlite && !column.ref.empty()) {
      statements[0] += " REFERENCES " + identifier(column.ref) + " (\"id\") DEFERRABLE INITIALLY DEFERRED";
    }
    if (column.pinyin)
      append(statements, both("ADD COLUMN " + identifier(column.name + "_sort") + " " + column_type(column, dialect_)));
    if (dialect_ != kSqlite && !column.ref.empty()) statements.push_back(link_column(new_, column));
    if (!column.required) {
      return safe(bilingual("「{}」新增字段「{}」", "'{}' gets the field '{}'", {new_.name, column.name}),
                  std::move(statements));
    }
    statements.push_back("ALTER TABLE " + table_ + " ALTER COLUMN " + identifier(column.name) + " SET NOT NULL");
    unsafe(bilingual("「{}」新增必填字段「{}」：已有数据的行没有值；请先作为非必填加入，补齐后再改为必填",
                     "'{}' gets the required field '{}', which rows already stored do not have: add it as not "
                     "required, fill it, then require it",
                     {new_.name, column.name}),
           std::move(statements));
  }

  void dropped(const Column& column) {
    std::vector<std::string> statements = both("DROP COLUMN " + identifier(column.name));
    if (column.pinyin) append(statements, both("DROP COLUMN " + identifier(column.name + "_sort")));
    unsafe(bilingual(
               "「{}」去掉字段「{}」：已存的值连同历史将被删除，请先导出",
               "'{}' loses the field '{}': its stored values are deleted, older versions included; export them first",
               {new_.name, column.name}),
           std::move(statements));
    steps_.back().loses = {new_.name + "." + column.name};
  }

  void changed(const Column& before, const Column& after) {
    if (before.type != after.type || before.size != after.size || before.ref != after.ref ||
        before.codes != after.codes) {
      retyped(before, after);
    }
    if (before.required != after.required) {
      unsafe(after.required ? bilingual("「{}」的字段「{}」改为必填：已有的空值须先补齐",
                                        "the field '{}.{}' becomes required: rows without a value must be filled first",
                                        {new_.name, after.name})
                            : bilingual("「{}」的字段「{}」改为非必填", "the field '{}.{}' is no longer required",
                                        {new_.name, after.name}),
             {"ALTER TABLE " + table_ + " ALTER COLUMN " + identifier(after.name) +
              (after.required ? " SET NOT NULL" : " DROP NOT NULL")});
    }
    if (after.pinyin && !before.pinyin) {
      safe(bilingual("「{}」的字段「{}」增加拼音排序", "the field '{}.{}' gets a pinyin sort key",
                     {new_.name, after.name}),
           both("ADD COLUMN " + identifier(after.name + "_sort") + " " + column_type(after, dialect_)));
    } else if (before.pinyin && !after.pinyin) {
      unsafe(bilingual("「{}」的字段「{}」去掉拼音排序", "the field '{}.{}' loses its pinyin sort key",
                       {new_.name, after.name}),
             both("DROP COLUMN " + identifier(after.name + "_sort")));
    }
  }

  void retyped(const Column& before, const Column& after) {
    const std::string from = printed(before), to = printed(after);
    const std::initializer_list<std::string_view> names = {new_.name, after.name, from, to};
    const int factor = decimal_places(after) - decimal_places(before);
    const bool numbers = decimal_places(before) >= 0 && decimal_places(after) >= 0;
    if (before.type == "text" && after.type == "text" && after.size > before.size) {
      return safe(bilingual("「{}」的字段「{}」由 {} 放宽为 {}", "the field '{}.{}' grows from {} to {}", names), {});
    }
    if (numbers && factor > 0) {
      std::string power = "1" + std::string(static_cast<size_t>(factor), '0');
      const std::string set = " SET " + identifier(after.name) + " = " + identifier(after.name) + " * " + power;
      steps_.push_back(Step{bilingual("「{}」的字段「{}」由 {} 改为 {}，已存的数随之换算",
                                      "the field '{}.{}' changes from {} to {}; stored numbers are rescaled", names),
                            false,
                            true,
                            false,
                            {"UPDATE " + table_ + set, "UPDATE " + history_ + set}});
      return;
    }
    if (before.is_text() && after.is_text()) {
      steps_.push_back(Step{
          bilingual("「{}」的字段「{}」由 {} 改为 {}：已存的值不一定合乎新类型，改后请核对",
                    "the field '{}.{}' changes from {} to {}: stored values may not fit, check them afterwards", names),
          false,
          true,
          false,
          {}});
      return;
    }
    impossible(bilingual("「{}」的字段「{}」不能由 {} 改为 {}：请另建字段，转录后去掉旧字段",
                         "the field '{}.{}' cannot change from {} to {}: add another field, copy, then drop this one",
                         names));
  }

  // Places of a number, 0 for int, -1 for anything else.
  static int decimal_places(const Column& column) {
    return column.type == "int" ? 0 : column.type == "decimal" ? column.size : -1;
  }

  static std::string printed(const Column& column) {
    if (column.type == "text" || column.type == "decimal") return column.type + "(" + std::to_string(column.size) + ")";
    if (!column.codes.empty()) return "code(" + column.codes + ")";
    return column.ref.empty() ? column.type : "ref(" + column.ref + ")";
  }

  void table() {
    if (old_.key != new_.key) {
      const std::string name = identifier(new_.name + "_key");
      std::string columns;
      for (const std::string& column : new_.key) columns += (columns.empty() ? "" : ", ") + identifier(column);
      unsafe(bilingual("「{}」的 key 改变：已有的行须在新 key 下不重复",
                       "the key of '{}' changes: stored rows must be unique under the new one", {new_.name}),
             {"ALTER TABLE " + table_ + " DROP CONSTRAINT " + name,
              "ALTER TABLE " + table_ + " ADD CONSTRAINT " + name + " UNIQUE (" + columns + ")"});
    }
    if (old_.clustered != new_.clustered) {
      unsafe(bilingual("「{}」的存放方式改变", "the rows of '{}' are stored in another order", {new_.name}), {});
    }
  }

  void indexes() {
    for (const auto& index : new_.indexes) {
      if (std::find(old_.indexes.begin(), old_.indexes.end(), index) != old_.indexes.end()) continue;
      safe(bilingual("「{}」新增索引（{}）", "'{}' gets an index ({})", {new_.name, joined(index)}),
           {create_index(new_, index)});
    }
    for (const auto& index : old_.indexes) {
      if (std::find(new_.indexes.begin(), new_.indexes.end(), index) != new_.indexes.end()) continue;
      // Dropping a column drops its indexes; before that it must not be in the way.
      Step step{bilingual("「{}」去掉索引（{}）", "'{}' loses an index ({})", {new_.name, joined(index)}),
                true,
                true,
                false,
                {drop_index(new_, index)}};
      steps_.insert(steps_.begin(), std::move(step));
    }
  }

  static std::string joined(const std::vector<std::string>& columns) {
    std::string out;
    for (const std::string& column : columns) out += (out.empty() ? "" : ", ") + column;
    return out;
  }

  static void append(std::vector<std::string>& to, std::vector<std::string> more) {
    to.insert(to.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  }

  std::vector<SchemaChange> grouped() {
    const bool rebuild =
        dialect_ == kSqlite && std::any_of(steps_.begin(), steps_.end(), [](const Step& step) { return step.rebuild; });
    std::vector<SchemaChange> out;
    for (Step& step : steps_) {
      if (!rebuild || out.empty()) {
        out.push_back(SchemaChange{step.safe, step.possible, std::move(step.text), std::move(step.statements),
                                   std::move(step.loses)});
        continue;
      }
      SchemaChange& one = out.front();  // one rebuild carries all of them
      one.possible = one.possible && step.possible;
      one.text = Text{one.text.zh + "；" + step.text.zh, one.text.en + "; " + step.text.en};
      append(one.loses, std::move(step.loses));
    }
    if (rebuild) {
      out.front().safe = false;
      out.front().statements = rebuilt();
    }
    return out;
  }

  // SQLite: a table of the new shape is filled from the old one and takes its name (foreign keys are off meanwhile).
  std::vector<std::string> rebuilt() const {
    const std::string fresh = new_.name + "_rebuild";
    std::vector<std::string> statements = {create_table(new_, dialect_, fresh)};
    move(statements, fresh, new_.name, stored_columns(new_));
    statements.push_back(create_history(new_, dialect_, fresh));
    std::vector<std::string> columns = stored_columns(new_);
    columns.insert(columns.end(), {"until_us", "ended_batch_id"});
    move(statements, fresh, new_.name + "_history", columns);
    for (const auto& index : new_.indexes) statements.push_back(create_index(new_, index));
    statements.push_back(create_history_index(new_));
    return statements;
  }

  void move(std::vector<std::string>& statements, const std::string& fresh, const std::string& table,
            const std::vector<std::string>& columns) const {
    std::string into, from;
    for (const std::string& name : columns) {
      const std::vector<std::string> had = stored_columns(old_);
      const bool ends = name == "until_us" || name == "ended_batch_id";
      if (!ends && std::find(had.begin(), had.end(), name) == had.end()) continue;
      into += (into.empty() ? "" : ", ") + identifier(name);
      from += (from.empty() ? "" : ", ") + identifier(name) + factor_of(name);
    }
    statements.push_back("INSERT INTO " + identifier(fresh) + " (" + into + ") SELECT " + from + " FROM " +
                         identifier(table));
    statements.push_back("DROP TABLE " + identifier(table));
    statements.push_back("ALTER TABLE " + identifier(fresh) + " RENAME TO " + identifier(table));
  }

  // " * 10" for a number that gets one more place.
  std::string factor_of(const std::string& name) const {
    const Column *before = old_.find(name), *after = new_.find(name);
    if (before == nullptr || after == nullptr) return {};
    const int more = decimal_places(*after) - decimal_places(*before);
    if (decimal_places(*before) < 0 || decimal_places(*after) < 0 || more <= 0) return {};
    return " * 1" + std::string(static_cast<size_t>(more), '0');
  }

  const Shape &old_, &new_;
  const db::Dialect dialect_;
  const std::string table_, history_;
  std::vector<Step> steps_;
};

SchemaChange dropped_dataset(const Shape& shape) {
  return SchemaChange{
      false,
      true,
      bilingual("去掉数据集「{}」：其数据连同历史将被删除，请先导出",
                "the dataset '{}' goes: its data are deleted, older versions included; export them first",
                {shape.name}),
      {"DROP TABLE " + identifier(shape.name), "DROP TABLE " + identifier(shape.name + "_history")},
      {shape.name}};
}

}  // namespace

std::vector<SchemaChange> difference(const std::map<std::string, Shape>& stored, const Catalogue& catalogue,
                                     db::Dialect dialect) {
  std::vector<SchemaChange> added, changed, links, dropped;
  std::map<std::string, bool> present;
  for (const Dataset& dataset : catalogue.datasets) {
    if (dataset.by_kernel) continue;
    present[dataset.name] = true;
    const auto old_shape = stored.find(dataset.name);
    if (old_shape == stored.end()) {
      added.push_back(SchemaChange{true,
                                   true,
                                   bilingual("新数据集「{}」", "new dataset '{}'", {dataset.name}),
                                   create_statements(catalogue, dataset, dialect),
                                   {}});
      auto link = link_statements(catalogue, dataset, dialect);
      if (!link.empty()) {
        links.push_back(
            SchemaChange{true,
                         true,
                         bilingual("新数据集「{}」的引用", "references of the new dataset '{}'", {dataset.name}),
                         std::move(link),
                         {}});
      }
      continue;
    }
    const Shape now = shape_of(catalogue, dataset);
    for (SchemaChange& change : Difference(old_shape->second, now, dialect).changes())
      changed.push_back(std::move(change));
  }
  for (const auto& [name, shape] : stored) {
    if (!present.contains(name)) dropped.push_back(dropped_dataset(shape));
  }
  for (auto* more : {&links, &changed, &dropped}) {
    added.insert(added.end(), std::make_move_iterator(more->begin()), std::make_move_iterator(more->end()));
  }
  return added;
}

}  // namespace jw::catalog
