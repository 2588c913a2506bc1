#include "kernel/change/api.hpp"

#include <algorithm>
#include <stdexcept>

#include "base/json.hpp"
#include "base/text.hpp"
#include "kernel/catalog/schema.hpp"

namespace jw::change {

using catalog::Dataset;
using catalog::Field;
using catalog::param_of;

namespace {

constexpr size_t kBlock = 4096;  // rows sent together

std::string quoted(const std::string& name) {
  return "\"" + name + "\"";
}

// The next free id of a dataset, held for this transaction.
int64_t take_next_id(db::Connection& connection, const Dataset& dataset) {
  connection.execute("INSERT INTO row_id (dataset, next) VALUES ($1, 1) ON CONFLICT (dataset) DO NOTHING",
                     {dataset.name});
  const char* sql = connection.dialect() == db::Dialect::postgres
                        ? "SELECT next FROM row_id WHERE dataset = $1 FOR UPDATE"
                        : "SELECT next FROM row_id WHERE dataset = $1";
  db::Rows rows = connection.query(sql, {dataset.name});
  return rows.next() ? rows.integer(0) : 1;
}

}  // namespace

Table::Table(Batch& batch, const Dataset& dataset) : batch_(batch), dataset_(dataset) {
  while (width_ < dataset.fields.size() && !dataset.fields[width_].is_lookup()) ++width_;
  columns_.emplace_back("id");
  if (dataset.person) columns_.emplace_back("person_id");
  for (size_t i = 0; i < width_; ++i) {
    columns_.push_back(dataset.fields[i].name);
    if (dataset.fields[i].pinyin) columns_.push_back(dataset.fields[i].name + "_sort");
  }
  columns_.emplace_back("batch_id");
  columns_.emplace_back("since_us");
  for (size_t i = 0; i < columns_.size(); ++i) by_name_.push_back(i);
  std::sort(by_name_.begin(), by_name_.end(), [&](size_t a, size_t b) { return columns_[a] < columns_[b]; });
  for (const size_t place : by_name_) sorted_.push_back(columns_[place]);
  next_id_ = take_next_id(batch.connection_, dataset);
}

void Table::add_to_sum(std::span<const Value> row) {
  std::vector<db::Param> params;
  params.reserve(row.size());
  for (const size_t place : by_name_) params.push_back(param_of(row[place]));
  sum_.version(sorted_, params);
}

void Table::fill(int64_t id, int64_t person, std::span<const Value> values, std::vector<Value>& row) const {
  row.emplace_back(id);
  if (dataset_.person) row.emplace_back(person);
  for (size_t i = 0; i < width_; ++i) {
    row.push_back(values[i]);
    if (!dataset_.fields[i].pinyin) continue;
    const auto* name = std::get_if<std::string>(&values[i]);
    row.push_back(name == nullptr ? Value{} : Value{pinyin_key(*name)});
  }
  row.emplace_back(batch_.id_);
  row.emplace_back(batch_.now_.us);
}

int64_t Table::insert(std::span<const Value> values, int64_t person) {
  if (values.size() != width_)
    throw std::logic_error("a row of " + dataset_.name + " has " + std::to_string(width_) + " values");
  const int64_t id = next_id_++;
  note(id, Event::added);
  fill(id, person, values, buffer_);
  add_to_sum(std::span(buffer_).last(columns_.size()));
  ++batch_.counts_.added;
  if (dataset_.key.size() == 1) {
    if (const auto* key = std::get_if<std::string>(&values[static_cast<size_t>(dataset_.key.front())]))
      keys_[*key] = id;
  }
  if (buffer_.size() >= kBlock * columns_.size()) flush();
  return id;
}

void Table::flush() {
  if (buffer_.empty() || flushing_) return;
  // What rows point to goes first. While a deferred reference is open, SQLite looks for rows pointing to every row it
  // adds.
  flushing_ = true;
  for (size_t i = 0; i < width_; ++i) {
    if (dataset_.fields[i].ref < 0) continue;
    const auto target =
        batch_.tables_.find(batch_.catalogue_.datasets[static_cast<size_t>(dataset_.fields[i].ref)].name);
    if (target != batch_.tables_.end()) target->second->flush();
  }
  flushing_ = false;
  std::vector<std::string> names;
  for (const std::string& column : columns_) names.push_back(quoted(column));
  const std::unique_ptr<db::Bulk> bulk = batch_.connection_.bulk(catalog::table_name(dataset_), names);
  std::vector<db::Param> params(columns_.size());
  for (size_t at = 0; at < buffer_.size(); at += columns_.size()) {
    for (size_t c = 0; c < columns_.size(); ++c) params[c] = param_of(buffer_[at + c]);
    bulk->row(params);
  }
  bulk->finish();
  buffer_.clear();
}

std::optional<int64_t> Table::find(std::string_view key) {
  const auto known = keys_.find(std::string(key));
  if (known != keys_.end()) return known->second;
  const std::string sql = "SELECT \"id\" FROM " + catalog::table_name(dataset_) + " WHERE " +
                          catalog::column_name(dataset_.fields[static_cast<size_t>(dataset_.key.front())]) + " = $1";
  db::Rows rows = batch_.connection_.query(sql, {key});
  if (!rows.next()) return std::nullopt;
  return keys_[std::string(key)] = rows.integer(0);
}

std::optional<int64_t> Table::existing(std::span<const Value> values) {
  flush();
  std::string sql = "SELECT \"id\" FROM " + catalog::table_name(dataset_) + " WHERE ";
  std::vector<db::Param> params;
  for (size_t i = 0; i < dataset_.key.size(); ++i) {
    const auto field = static_cast<size_t>(dataset_.key[i]);
    if (i > 0) sql += " AND ";
    if (std::holds_alternative<std::monostate>(values[field])) {
      sql += catalog::column_name(dataset_.fields[field]) + " IS NULL";
      continue;
    }
    params.push_back(param_of(values[field]));
    sql += catalog::column_name(dataset_.fields[field]) + " = $" + std::to_string(params.size());
  }
  db::Rows rows = batch_.connection_.query(sql, params);
  if (!rows.next()) return std::nullopt;
  return rows.integer(0);
}

void Table::keep_version(int64_t id) {
  std::string list, in_order;
  for (const std::string& column : columns_) list += quoted(column) + ", ";
  for (const std::string& column : sorted_) in_order += (in_order.empty() ? "" : ", ") + quoted(column);
  {
    // The version that ends is told with what it says: no older one can be put in its place.
    db::Rows rows = batch_.connection_.query(
        "SELECT " + in_order + " FROM " + catalog::table_name(dataset_) + " WHERE \"id\" = $1", {id});
    if (!rows.next()) return;
    sum_.ended(sorted_, db::values_of(rows, 0, sorted_.size()), batch_.now_.us);
  }
  batch_.connection_.execute("INSERT INTO " + catalog::history_name(dataset_) + " (" + list +
                                 "\"until_us\", \"ended_batch_id\") SELECT " + list + "$1, $2 FROM " +
                                 catalog::table_name(dataset_) + " WHERE \"id\" = $3",
                             {batch_.now_.us, batch_.id_, id});
}

// A replaced row stays that of its person.
int64_t Table::person_of(int64_t id) {
  if (!dataset_.person) return 0;
  db::Rows rows = batch_.connection_.query(
      "SELECT \"person_id\" FROM " + catalog::table_name(dataset_) + " WHERE \"id\" = $1", {id});
  return rows.next() ? rows.integer(0) : 0;
}

Table::Placed Table::put(std::span<const Value> values, int64_t person) {
  const std::optional<int64_t> id = existing(values);
  if (!id) {
    const int64_t added = insert(values, person);
    flush();
    return {Put::added, added};
  }
  return replace(*id, values);
}

std::optional<std::vector<Value>> Table::row(int64_t id) {
  flush();
  std::string list;
  for (size_t i = 0; i < width_; ++i) list += (i == 0 ? "" : ", ") + catalog::column_name(dataset_.fields[i]);
  db::Rows rows = batch_.connection_.query(
      "SELECT " + list + " FROM " + catalog::table_name(dataset_) + " WHERE \"id\" = $1", {id});
  if (!rows.next()) return std::nullopt;
  std::vector<Value> values;
  for (size_t i = 0; i < width_; ++i) values.push_back(catalog::value_of(rows, i));
  return values;
}

std::string Table::kind_of(int64_t id) {
  flush();
  db::Rows rows = batch_.connection_.query("SELECT b.kind FROM batch b JOIN " + catalog::table_name(dataset_) +
                                               " r ON r.\"batch_id\" = b.id WHERE r.\"id\" = $1",
                                           {id});
  return rows.next() ? std::string(rows.text(0)) : std::string();
}

Table::Placed Table::replace(int64_t id, std::span<const Value> values) {
  flush();
  std::string same = "SELECT COUNT(*) FROM " + catalog::table_name(dataset_) + " WHERE \"id\" = $1";
  std::string assignments;
  std::vector<db::Param> params{id};
  std::vector<db::Param> updates{id};
  std::vector<std::string> sort_keys;
  sort_keys.reserve(width_);
  for (size_t i = 0; i < width_; ++i) {
    const std::string column = catalog::column_name(dataset_.fields[i]);
    if (std::holds_alternative<std::monostate>(values[i])) {
      same += " AND " + column + " IS NULL";
      assignments += column + " = NULL, ";
      if (dataset_.fields[i].pinyin) assignments += quoted(dataset_.fields[i].name + "_sort") + " = NULL, ";
      continue;
    }
    params.push_back(param_of(values[i]));
    updates.push_back(param_of(values[i]));
    same += " AND " + column + " = $" + std::to_string(params.size());
    assignments += column + " = $" + std::to_string(updates.size()) + ", ";
    if (!dataset_.fields[i].pinyin) continue;
    sort_keys.push_back(pinyin_key(std::get<std::string>(values[i])));
    updates.emplace_back(std::string_view(sort_keys.back()));
    assignments += quoted(dataset_.fields[i].name + "_sort") + " = $" + std::to_string(updates.size()) + ", ";
  }
  {
    db::Rows rows = batch_.connection_.query(same, params);
    if (rows.next() && rows.integer(0) == 1) {
      ++batch_.counts_.same;
      return {Put::same, id};
    }
  }
  keep_version(id);
  std::vector<Value> row;
  fill(id, person_of(id), values, row);
  add_to_sum(row);
  updates.emplace_back(batch_.id_);
  updates.emplace_back(batch_.now_.us);
  batch_.connection_.execute("UPDATE " + catalog::table_name(dataset_) + " SET " + assignments + "\"batch_id\" = $" +
                                 std::to_string(updates.size() - 1) + ", \"since_us\" = $" +
                                 std::to_string(updates.size()) + " WHERE \"id\" = $1",
                             updates);
  ++batch_.counts_.replaced;
  note(id, Event::changed);
  return {Put::replaced, id};
}

bool Table::remove(int64_t id) {
  flush();
  keep_version(id);
  const bool removed =
      batch_.connection_.execute("DELETE FROM " + catalog::table_name(dataset_) + " WHERE \"id\" = $1", {id}) == 1;
  if (removed) {
    ++batch_.counts_.removed;
    note(id, Event::removed);
    keys_.clear();
  }
  return removed;
}

// ---- batches
// ----------------------------------------------------------------------------------------------------------

namespace {

// As batch and leaf name a hand: account 0 is the operator on the command line.
struct Named {
  int64_t account;
  const std::string* name;
};

Named entered_by(const Head& head) {
  if (const auto* one = std::get_if<Operator>(&head.by)) return {0, &one->name};
  const Hand& hand = std::get<People>(head.by).entered;
  return {hand.asker.account, &hand.name};
}

Named reviewed_by(const Head& head) {
  if (const auto* one = std::get_if<Operator>(&head.by)) return {0, &one->name};
  const Hand& hand = std::get<People>(head.by).reviewed;
  return {hand.asker.account, &hand.name};
}

}  // namespace

Batch::Batch(const catalog::Catalogue& catalogue, db::Connection& transaction, const Head& head, Instant now)
    : catalogue_(catalogue), connection_(transaction), head_(head), now_(now) {
  // One batch after another, and none beside a change of permissions.
  connection_
      .query(connection_.dialect() == db::Dialect::postgres ? "SELECT epoch FROM gate WHERE id = 1 FOR UPDATE"
                                                            : "SELECT epoch FROM gate WHERE id = 1")
      .next();
  begin_acting();
  {
    db::Rows rows = connection_.query("SELECT COALESCE(MAX(id), 0) + 1 FROM batch");
    if (rows.next()) id_ = rows.integer(0);
  }
  const Named entered = entered_by(head_), reviewed = reviewed_by(head_);
  connection_.execute(
      "INSERT INTO batch (id, kind, title, source, source_digest, entered_by, entered_name, reviewed_by, "
      "reviewed_name, opened_us) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
      {id_, head.kind, head.title, head.source, head.source_digest, entered.account, *entered.name, reviewed.account,
       *reviewed.name, now.us});
}

Table& Batch::table(std::string_view name) {
  const auto known = tables_.find(name);
  if (known != tables_.end()) return *known->second;
  const Dataset* dataset = catalogue_.find(name);
  if (dataset == nullptr || dataset->by_kernel) throw std::logic_error("no writable dataset " + std::string(name));
  return *tables_.emplace(std::string(name), std::unique_ptr<Table>(new Table(*this, *dataset))).first->second;
}

void Batch::keep_source(int64_t n, std::string_view content, std::string_view problems_json) {
  sources_.emplace_back(n, std::string(content), std::string(problems_json));
  if (sources_.size() >= kBlock) flush_sources();
}

void Batch::flush_sources() {
  if (sources_.empty()) return;
  const std::vector<std::string> columns{"batch", "n", "content", "problems"};
  const std::unique_ptr<db::Bulk> bulk = connection_.bulk("batch_row", columns);
  for (const auto& [n, content, problems] : sources_) {
    const db::Param row[] = {id_, n, content, problems};
    bulk->row(row);
  }
  bulk->finish();
  sources_.clear();
}

namespace {

// Pairs of rows that hold on one day and exclude each other; each pair once is enough.
std::string apart_sql(const Dataset& dataset, const catalog::Apart& apart) {
  const auto column = [&](const char* alias, int field) {
    return std::string(alias) + "." + catalog::column_name(dataset.fields[static_cast<size_t>(field)]);
  };
  std::string values;
  for (size_t i = 0; i < apart.values.size(); ++i) values += (i == 0 ? "$" : ", $") + std::to_string(i + 1);
  const auto before_end = [&](const char* begins, const char* ends) {
    return "(" + column(ends, apart.ends) + " IS NULL OR " + column(begins, apart.begins) +
           " <= " + column(ends, apart.ends) + ")";
  };
  return "SELECT 1 FROM " + catalog::table_name(dataset) + " a JOIN " + catalog::table_name(dataset) + " b ON " +
         column("a", apart.of) + " = " + column("b", apart.of) + " AND " + column("a", apart.field) + " < " +
         column("b", apart.field) + " WHERE " + column("a", apart.field) + " IN (" + values + ") AND " +
         column("b", apart.field) + " IN (" + values + ") AND " + before_end("a", "b") + " AND " +
         before_end("b", "a") + " LIMIT 1";
}

}  // namespace

Result<Done> Batch::check() {
  for (auto& [name, table] : tables_) table->flush();
  JW_CHECK(check_people());
  for (auto& [name, table] : tables_) {
    for (const catalog::Apart& apart : table->dataset().aparts) {
      std::vector<db::Param> params(apart.values.begin(), apart.values.end());
      db::Rows rows = connection_.query(apart_sql(table->dataset(), apart), params);
      if (!rows.next()) continue;
      const catalog::Field& field = table->dataset().fields[static_cast<size_t>(apart.field)];
      return Refusal{Code::unprocessable, "change.apart", apart.text, {{name + "." + field.name, "apart", apart.text}}};
    }
  }
  return Done{};
}

int64_t Batch::finish(record::Recorder* recorder) {
  if (const Result<Done> fits = check(); !fits)
    throw std::runtime_error(fits.refusal().detail.zh + " / " + fits.refusal().detail.en);
  flush_sources();
  std::string datasets;
  for (auto& [name, table] : tables_) {
    table->flush();
    if (!table->sum_.empty()) connection_.wrote({name, std::to_string(id_), table->sum_.digest(), std::string()});
    connection_.execute("UPDATE row_id SET next = $2 WHERE dataset = $1", {name, table->next_id_});
    datasets += (datasets.empty() ? "" : ",") + name;
  }
  const int64_t touched = counts_.added + counts_.replaced + counts_.removed;
  connection_.execute("UPDATE batch SET applied_us = $2, row_count = $3 WHERE id = $1", {id_, now_.us, touched});
  // Posts and relations follow from data: whoever has read them reads them again.
  connection_.execute("UPDATE gate SET epoch = epoch + 1 WHERE id = 1");
  if (recorder == nullptr) return 0;
  record::Entry entry = record::entry_of({entered_by(head_).account, 0, 0, {}, {}, {}}, "change", head_.kind, now_);
  tell_permits(entry);
  entry.dataset = datasets;
  entry.purpose = head_.title;
  entry.rows = touched;
  JsonWriter json(entry.parameters);
  json.object().field("batch", id_).field("source", head_.source).field("source_digest", head_.source_digest);
  if (!head_.scope.empty()) json.field("scope", head_.scope);
  json.field("by", std::holds_alternative<Operator>(head_.by) ? "operator" : "people")
      .field("entered", *entered_by(head_).name)
      .field("reviewed", *reviewed_by(head_).name)
      .field("added", counts_.added)
      .field("replaced", counts_.replaced)
      .field("same", counts_.same)
      .field("removed", counts_.removed);
  if (!acting_.empty()) json.field("review_basis", basis_of(acting_.back()));
  json.end_object();
  return recorder->put_in_outbox(connection_, entry);
}

}  // namespace jw::change
