// Tables and indexes made from the catalogue, on both stores, and what changes between two catalogues (design §3).
//
// Dataset `d` has table "d": id BIGINT, [person_id BIGINT for datasets of persons], a column for each own field, the sort key
// "<field>_sort" of a name, then provenance: batch_id BIGINT (who entered and who reviewed stand in the batch), since_us BIGINT. Table "d_history"
// holds every older version: the same columns, until_us BIGINT, ended_batch_id BIGINT.
// Types: BIGINT for integer kinds and refs, TEXT (COLLATE "C" on PostgreSQL) for text, code and date.
#pragma once

#include <string>
#include <vector>

#include "kernel/catalog/api.hpp"

namespace jw::catalog {

std::string table_name(const Dataset& dataset);  // quoted; `record.access_log` for datasets in the record
std::string column_name(const Field& field);     // quoted

// CREATE TABLE / INDEX of one dataset; idempotent (IF NOT EXISTS).
std::vector<std::string> create_statements(const Catalogue& catalogue, const Dataset& dataset, db::Dialect dialect);

// Difference between what the store holds (its stored description) and the catalogue.
struct SchemaChange {
  bool safe;  // new dataset, new nullable field, new index: `serve` may do it by itself
  Text text;
  std::vector<std::string> statements;
};
std::vector<SchemaChange> schema_changes(const Catalogue& catalogue, db::Connection& connection);
// Applies in one transaction, stores description and digest, raises the gate's epoch. Refuses when `only_safe` and some are not.
Result<Done> apply_schema(const Catalogue& catalogue, db::Connection& writer, bool only_safe);
std::string stored_digest(db::Connection& connection);  // empty when the store is new

}  // namespace jw::catalog
