#include "kernel/record/outbox.hpp"

#include <algorithm>

#include "kernel/record/tables.hpp"
#include "platform/crypto/api.hpp"

namespace jw::record {

// What is told by append() alone has no transaction of the store: a question, a refusal, a sign-in, and a destruction
// of bodies, which would excuse that they are missing. `detail`: the first reading of a letter, which is noted with it.
bool goes_by_outbox(std::string_view kind) {
  constexpr std::string_view kKinds[] = {"act", "administration", "change", "detail", "export", "rows", "sign_out"};
  return std::find(std::begin(kKinds), std::end(kKinds), kind) != std::end(kKinds);
}

LeafBytes InOutbox::leaf() const {
  LeafBytes leaf = bytes;
  if (!leaf.rows.empty()) place_rows(leaf.header, salted_digest(leaf.rows_salt, leaf.rows));
  return leaf;
}

std::vector<InOutbox> read_outbox(db::Connection& store, const Sealer& sealer, std::optional<int64_t> id) {
  const std::string select =
      "SELECT o.id, o.header, o.body, o.salt, t.bytes, t.salt, o.seal FROM record_outbox o "
      "LEFT JOIN record_turn t ON t.outbox = o.id ";
  db::Rows rows = id ? store.query(select + "WHERE o.id = $1", {*id}) : store.query(select + "ORDER BY o.id");
  std::vector<InOutbox> found;
  while (rows.next()) {
    InOutbox& each = found.emplace_back();
    each.id = rows.integer(0);
    each.bytes = {std::string(rows.blob(1)), std::string(rows.blob(2)), std::string(rows.blob(3)),
                  std::string(rows.blob(4)), std::string(rows.blob(5))};
    each.sealed =
        sealer.has_key() && crypto::equal_in_constant_time(rows.blob(6), sealer.of_entry(each.id, each.bytes));
    const std::optional<LeafView> view = LeafView::read(each.bytes.header, each.bytes.body);
    if (!each.bytes.rows.empty()) each.rows = decode_rows(each.bytes.rows);
    each.whole =
        view && view->has_body && goes_by_outbox(view->kind) && (each.bytes.rows.empty() || each.rows.has_value());
  }
  return found;
}

std::set<uint64_t> turns_waiting(db::Connection& store, const Sealer& sealer) {
  std::set<uint64_t> turns;
  for (const InOutbox& each : read_outbox(store, sealer)) {
    if (each.sealed && each.rows) turns.insert(each.rows->turn);
  }
  return turns;
}

void put_in_outbox(db::Connection& transaction, const Sealer& sealer, int64_t id, const LeafBytes& bytes) {
  const std::string seal = sealer.of_entry(id, bytes);
  transaction.execute("INSERT INTO record_outbox (id, header, body, salt, seal) VALUES ($1, $2, $3, $4, $5)",
                      {id, db::Param::blob(bytes.header), db::Param::blob(bytes.body), db::Param::blob(bytes.salt),
                       db::Param::blob(seal)});
}

void put_rows(db::Connection& transaction, const Sealer& sealer, int64_t id, const Rows& rows) {
  const std::string bytes = encode(rows), salt = crypto::random_bytes(kSaltSize);
  transaction.execute("INSERT INTO record_turn (outbox, turn, bytes, salt) VALUES ($1, $2, $3, $4)",
                      {id, static_cast<int64_t>(rows.turn), db::Param::blob(bytes), db::Param::blob(salt)});
  const std::vector<InOutbox> entry = read_outbox(transaction, sealer, id);
  if (entry.empty()) throw db::Error(db::Failure::corrupt, "an entry on its way into the record is gone");
  const std::string seal = sealer.of_entry(id, entry.front().bytes);
  transaction.execute("UPDATE record_outbox SET seal = $2 WHERE id = $1", {id, db::Param::blob(seal)});
}

void take_out(db::Connection& writer, int64_t id) {
  writer.execute("DELETE FROM record_outbox WHERE id = $1", {id});
  writer.execute("DELETE FROM record_turn WHERE outbox = $1", {id});
}

bool outbox_has_seals(db::Connection& store) {
  if (!has_table(store, "record_outbox")) return false;
  const std::vector<std::string> columns = db::table_to_watch(store, "record_outbox", {}).columns;
  return std::find(columns.begin(), columns.end(), "seal") != columns.end();
}

}  // namespace jw::record
