// Page tokens: the order keys of a page's last row, sealed and bound to plan and account (design §5).
#pragma once

#include <optional>
#include <string>

#include "kernel/query/plan.hpp"

namespace jw::query {

std::string seal_cursor(std::string_view key, std::string_view context, const Cursor& cursor);
std::optional<Cursor> unseal_cursor(std::string_view key, std::string_view context, std::string_view token);

}  // namespace jw::query
