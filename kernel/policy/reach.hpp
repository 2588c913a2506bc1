// What a statement needs to read, worked out from question, permissions and catalogue by a way of its own: nothing here
// looks at the text of a statement, and the lowering knows nothing of it. A statement that reads more is refused by the
// store when it is prepared (platform/db/api.hpp, Reach), so that a mistake in the lowering or an injected text opens
// nothing (design §4, docs/adr/0011).
#pragma once

#include <vector>

#include "kernel/catalog/api.hpp"
#include "kernel/policy/regulation.hpp"
#include "platform/db/api.hpp"

namespace jw::policy {

// Adds up what is needed; every call is about rows of one dataset.
class Need {
 public:
  explicit Need(const catalog::Catalogue& catalogue) : catalogue_(catalogue) {}

  // The table, whatever of it: it may be counted.
  void table(const catalog::Dataset& dataset);
  // The row's own id.
  void row(const catalog::Dataset& dataset);
  // The person that a row of persons is.
  void person(const catalog::Dataset& dataset);
  // A field as a person reads it: of a lookup where it stands, of a ref the key of the row it points to.
  void field(const catalog::Dataset& dataset, int field);
  // As it is stored: of a ref the id.
  const catalog::Field& stored(const catalog::Dataset& dataset, int field);
  // The key by which names sort, where there is one.
  void sort_key(const catalog::Dataset& dataset, int field);
  // Refs on the way along a path; gives the dataset at its end.
  const catalog::Dataset& way(const catalog::Dataset& dataset, const std::vector<int>& path);
  void condition(const catalog::Dataset& dataset, const catalog::Condition& condition);
  // The rows of a permit or forbid on this dataset.
  void rows(const catalog::Dataset& dataset, const Atom& atom);

  db::Reach& reach() { return reach_; }

 private:
  const catalog::Dataset& at(int dataset) const { return catalogue_.datasets.at(static_cast<size_t>(dataset)); }
  void column(const catalog::Dataset& dataset, std::string_view column);
  void relation(int relation);

  const catalog::Catalogue& catalogue_;
  db::Reach reach_;
};

// The functions that the lowering may print; of the table-valued one its column.
const db::Reach& lowered_functions();

// Everything of the catalogue that any statement may need: what the role of reading connections is granted.
db::Reach whole_catalogue(const catalog::Catalogue& catalogue);

}  // namespace jw::policy
