// Tables and indexes made from the catalogue, on both stores, and what changes between two catalogues (design §3).
//
// Dataset `d` has table "d": id BIGINT, [person_id BIGINT for datasets of persons], a column for each own field, the
// sort key "<field>_sort" of a name, then provenance: batch_id BIGINT (who entered and who reviewed stand in the
// batch), since_us BIGINT. Table "d_history" holds every older version: the same columns, until_us BIGINT,
// ended_batch_id BIGINT. Types: BIGINT for integer kinds and refs, TEXT (COLLATE "C" on PostgreSQL) for text, code and
// date. On SQLite tables are STRICT, so that no value of another kind gets in. Columns are always named in statements:
// a field added later stands last in the table. Table dataset_schema remembers what the store holds: one row for each
// dataset, and row '*' with the catalogue's digest.
#pragma once

#include <string>
#include <vector>

#include "kernel/catalog/api.hpp"

namespace jw::catalog {

std::string table_name(const Dataset& dataset);    // quoted; `record.access_log` for datasets in the record
std::string history_name(const Dataset& dataset);  // quoted
std::string column_name(const Field& field);       // quoted

// CREATE TABLE / INDEX of one dataset; idempotent (IF NOT EXISTS). Empty for datasets in the record.
std::vector<std::string> create_statements(const Catalogue& catalogue, const Dataset& dataset, db::Dialect dialect);
// Foreign keys of one dataset on PostgreSQL, to run when the tables of all datasets exist; idempotent. Empty on SQLite,
// where they are part of the table.
std::vector<std::string> link_statements(const Catalogue& catalogue, const Dataset& dataset, db::Dialect dialect);

// Difference between what the store holds (its stored description) and the catalogue.
struct SchemaChange {
  bool safe = false;     // new dataset, new nullable field, index: `serve` may do it by itself
  bool possible = true;  // false: stored values cannot be carried over; the text says what to do instead
  Text text;
  std::vector<std::string> statements;
  std::vector<std::string> loses;  // "dataset" or "dataset.field" whose stored values are deleted
};
std::vector<SchemaChange> schema_changes(const Catalogue& catalogue, db::Connection& connection);
// Applies in one transaction, stores description and digest, raises the gate's epoch. Refuses (conflict) with type
// "schema.unsafe" when `only_safe` and some are not, "schema.impossible", or "schema.data" when stored rows do not
// allow it; nothing is changed then.
Result<Done> apply_schema(const Catalogue& catalogue, db::Connection& writer, bool only_safe);
std::string stored_digest(db::Connection& connection);  // empty when the store is new

}  // namespace jw::catalog
