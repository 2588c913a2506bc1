#include <stdexcept>
#include <string>

#include "platform/db/api.hpp"
#include "platform/db/stores.hpp"

namespace jw::db {

void Reach::add(const Reach& other) {
  for (const auto& [table, names] : other.columns) columns[table].insert(names.begin(), names.end());
  functions.insert(other.functions.begin(), other.functions.end());
}

std::unique_ptr<Store> Store::open(const Options& options) {
  if (options.url.starts_with("postgresql://") || options.url.starts_with("postgres://")) {
    return open_postgres(options);
  }
  constexpr std::string_view kScheme = "sqlite:";
  const bool named = options.url.starts_with(kScheme);
  // A path may be given bare, but mysql://… is no path: better refused than made into a file of that name.
  if (!named && options.url.find("://") != std::string::npos) {
    throw std::runtime_error("--db 应为 sqlite:路径 或 postgresql://… / --db is sqlite:PATH or postgresql://…");
  }
  return open_sqlite(options, named ? options.url.substr(kScheme.size()) : options.url);
}

}  // namespace jw::db
