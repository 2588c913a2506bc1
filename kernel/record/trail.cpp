#include "kernel/record/api.hpp"
#include "kernel/record/leaf.hpp"

namespace jw::record {

std::vector<int64_t> waiting(db::Connection& connection) {
  std::vector<int64_t> ids;
  db::Rows rows = connection.query("SELECT id FROM record_outbox ORDER BY id LIMIT 100");
  while (rows.next()) ids.push_back(rows.integer(0));
  return ids;
}

uint64_t read_trail(db::Connection& connection, uint64_t from, size_t most,
                    const std::function<void(const Trace&)>& each) {
  db::Rows rows = connection.query("SELECT header, body FROM record.leaf WHERE seq >= $1 ORDER BY seq LIMIT $2",
                                   {static_cast<int64_t>(from), static_cast<int64_t>(most)});
  while (rows.next()) {
    const auto view = LeafView::read(rows.blob(0), rows.blob(1));
    if (!view) throw db::Error(db::Failure::corrupt, "a leaf of the record cannot be read");
    each({view->seq, view->time, view->kind, view->dataset, view->decision, view->account, view->session, view->rows});
    from = view->seq + 1;
  }
  return from;
}

}  // namespace jw::record
