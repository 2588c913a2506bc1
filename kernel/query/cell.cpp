// Cells as JSON and as texts of a document.
#include "base/json.hpp"
#include "kernel/query/plan.hpp"

namespace jw::query {

using catalog::Type;

void append_cell(std::string& out, const db::Rows& rows, size_t column, const Printed& printed) {
  if (rows.is_null(column)) {
    out += "null";
    return;
  }
  switch (printed.type) {
    case Type::integer:
    case Type::decimal:
      append_decimal(out, rows.integer(column), printed.places);
      return;
    case Type::boolean:
      out += rows.integer(column) != 0 ? "true" : "false";
      return;
    case Type::weeks:
      append_json_string(out, catalog::print_weeks(rows.integer(column)));
      return;
    case Type::timestamp:
      append_json_string(out, Instant{rows.integer(column)}.print());
      return;
    case Type::text:
    case Type::code:
    case Type::date:
    case Type::ref:
      append_json_string(out, rows.text(column));
      return;
  }
}

}  // namespace jw::query
