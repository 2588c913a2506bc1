// The two back ends, chosen by Store::open. Inside platform/db only.
#pragma once

#include <memory>
#include <string>

#include "platform/db/api.hpp"

namespace jw::db {

std::unique_ptr<Store> open_sqlite(const Options& options, const std::string& path);
std::unique_ptr<Store> open_postgres(const Options& options);

}  // namespace jw::db
