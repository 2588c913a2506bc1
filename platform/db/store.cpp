#include "platform/db/api.hpp"
#include "platform/db/stores.hpp"

namespace jw::db {

std::unique_ptr<Store> Store::open(const Options& options) {
  if (options.url.starts_with("postgresql://") || options.url.starts_with("postgres://")) {
    return open_postgres(options);
  }
  constexpr std::string_view kScheme = "sqlite:";
  const bool named = options.url.starts_with(kScheme);
  return open_sqlite(options, named ? options.url.substr(kScheme.size()) : options.url);
}

}  // namespace jw::db
