// Loaded before the product's programs while they are tested (LD_PRELOAD): notes each text that they give to SQLite or
// PostgreSQL, once a process, so that the test `statements` can tell which SQL of the product no test runs. The product
// itself knows nothing of it. JIAOWU_STATEMENTS names the folder; each process has its own file there, texts ended by
// NUL.
#include <dlfcn.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_set>

namespace {

// The file, or -1: nobody asked, or this is psql, Node or another program that was started on the way.
int open_notes() {
  const char* folder = std::getenv("JIAOWU_STATEMENTS");  // NOLINT(concurrency-mt-unsafe): nobody sets it
  char path[4096];
  const ssize_t size = ::readlink("/proc/self/exe", path, sizeof path);
  if (folder == nullptr || size <= 0) return -1;
  const std::string_view program(path, static_cast<size_t>(size));
  if (!program.ends_with("/jiaowu") && !program.ends_with("_test")) return -1;
  const std::string file = std::string(folder) + "/" + std::to_string(::getpid());
  return ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
}

void note(std::string_view text) {
  static const int file = open_notes();
  if (file < 0) return;
  // Never destroyed: stores are still closed after static objects are gone.
  static auto& mutex = *new std::mutex;
  static auto& seen = *new std::unordered_set<size_t>;
  const std::lock_guard lock(mutex);
  if (!seen.insert(std::hash<std::string_view>{}(text)).second) return;
  std::string ended(text);
  ended += '\0';
  if (::write(file, ended.data(), ended.size()) < 0) std::abort();
}

// The function itself; programs like Python, that load the library only when they want it, keep it out of sight of
// RTLD_NEXT.
template <class Function>
Function* real(const char* name, const char* library) {
  void* found = ::dlsym(RTLD_NEXT, name);
  if (found == nullptr) found = ::dlsym(::dlopen(library, RTLD_NOW | RTLD_NOLOAD), name);
  return reinterpret_cast<Function*>(found);
}

constexpr const char *kSqlite = "libsqlite3.so.0", *kPostgres = "libpq.so.5";

}  // namespace

extern "C" {

int sqlite3_prepare_v3(sqlite3* database, const char* sql, int size, unsigned flags, sqlite3_stmt** made,
                       const char** rest) {
  static auto* const call = real<decltype(sqlite3_prepare_v3)>("sqlite3_prepare_v3", kSqlite);
  note(sql);
  return call(database, sql, size, flags, made, rest);
}

int sqlite3_exec(sqlite3* database, const char* sql, int (*row)(void*, int, char**, char**), void* given,
                 char** error) {
  static auto* const call = real<decltype(sqlite3_exec)>("sqlite3_exec", kSqlite);
  note(sql);
  return call(database, sql, row, given, error);
}

PGresult* PQprepare(PGconn* connection, const char* name, const char* sql, int count, const Oid* types) {
  static auto* const call = real<decltype(PQprepare)>("PQprepare", kPostgres);
  note(sql);
  return call(connection, name, sql, count, types);
}

PGresult* PQexec(PGconn* connection, const char* sql) {
  static auto* const call = real<decltype(PQexec)>("PQexec", kPostgres);
  note(sql);
  return call(connection, sql);
}

}  // extern "C"
