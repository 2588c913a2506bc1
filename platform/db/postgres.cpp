#include "platform/db/stores.hpp"
namespace jw::db {
std::unique_ptr<Store> open_postgres(const Options&) { throw Error(Failure::unavailable, "PostgreSQL: being written"); }
}  // namespace jw::db
