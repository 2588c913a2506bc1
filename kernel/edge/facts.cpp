#include "kernel/edge/facts.hpp"

#include <algorithm>

#include "kernel/catalog/schema.hpp"

namespace jw::edge {

std::string store_fact(db::Connection& connection, std::string_view name) {
  db::Rows rows = connection.query("SELECT value FROM store_fact WHERE name = $1", {name});
  return rows.next() ? std::string(rows.text(0)) : std::string();
}

void set_store_fact(db::Connection& transaction, std::string_view name, std::string_view value) {
  transaction.execute(
      "INSERT INTO store_fact (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
      {name, value});
}

namespace {

std::string key_column(const catalog::Dataset& dataset) {
  return catalog::column_name(dataset.fields.at(static_cast<size_t>(dataset.key.front())));
}

}  // namespace

std::string number_of_person(const catalog::Catalogue& catalogue, db::Connection& connection, int64_t person) {
  if (person == 0) return {};
  for (const catalog::Dataset& dataset : catalogue.datasets) {
    if (!dataset.person) continue;
    db::Rows rows = connection.query("SELECT " + key_column(dataset) + " FROM " + catalog::table_name(dataset) +
                                         " WHERE person_id = $1 ORDER BY id DESC LIMIT 1",
                                     {person});
    if (rows.next()) return std::string(rows.text(0));
  }
  return {};
}

int64_t person_of_number(const catalog::Catalogue& catalogue, db::Connection& connection, std::string_view number) {
  for (const catalog::Dataset& dataset : catalogue.datasets) {
    if (!dataset.person) continue;
    db::Rows rows = connection.query(
        "SELECT person_id FROM " + catalog::table_name(dataset) + " WHERE " + key_column(dataset) + " = $1", {number});
    if (rows.next()) return rows.integer(0);
  }
  return 0;
}

std::optional<std::string> mail_address(const catalog::Catalogue& catalogue, db::Connection& connection,
                                        int64_t account) {
  int64_t person = 0;
  {
    db::Rows rows = connection.query("SELECT person_id FROM account WHERE id = $1 AND closed_us IS NULL", {account});
    if (!rows.next() || rows.is_null(0)) return std::nullopt;
    person = rows.integer(0);
  }
  for (const catalog::Dataset& dataset : catalogue.datasets) {
    const bool has = std::any_of(dataset.fields.begin(), dataset.fields.end(), [](const catalog::Field& field) {
      return field.name == "email" && !field.is_lookup();
    });
    if (!dataset.person || !has) continue;
    db::Rows rows =
        connection.query("SELECT email FROM " + catalog::table_name(dataset) + " WHERE person_id = $1", {person});
    if (rows.next() && !rows.text(0).empty()) return std::string(rows.text(0));
  }
  return std::nullopt;
}

}  // namespace jw::edge
