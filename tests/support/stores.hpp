// A store of its own for one test, on either back end, gone with the object. Tests of anything that stores run on both:
//
//   class Grades : public ::testing::TestWithParam<db::Dialect> {};
//   TEST_P(Grades, …) { JW_TEST_STORE(made, GetParam()); … made.store().writer() … }
//   JW_ON_BOTH_STORES(Grades);
//
// PostgreSQL needs a server whose URL is in JIAOWU_TEST_PG (tests/support/with_postgres starts one); without it that half
// is skipped. Every test has its own database, so that tests can run side by side.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>

#include "platform/db/api.hpp"

namespace jw::tests {

inline std::string postgres_url() {
  const char* url = std::getenv("JIAOWU_TEST_PG");  // NOLINT(concurrency-mt-unsafe): nobody sets it
  return url == nullptr ? "" : url;
}

// postgresql://user@host:port/other?x -> the same with another database.
inline std::string with_database(std::string url, const std::string& database) {
  const size_t host = url.find("://") + 3;
  const size_t query = std::min(url.find('?', host), url.size());
  const size_t slash = std::min(url.find('/', host), query);
  return url.replace(slash, query - slash, "/" + database);
}

class TestStore {
 public:
  static bool available(db::Dialect dialect) { return dialect == db::Dialect::sqlite || !postgres_url().empty(); }

  explicit TestStore(db::Dialect dialect) : dialect_(dialect) {
    static std::atomic<int> made = 0;
    name_ = "jiaowu_test_" + std::to_string(::getpid()) + "_" + std::to_string(++made);
    folder_ = std::filesystem::temp_directory_path() / name_;
    std::filesystem::create_directories(folder_);
    options_.create = true;
    options_.readers = 4;
    options_.writers = 4;
    options_.attached_name = "record";
    if (dialect == db::Dialect::sqlite) {
      options_.url = "sqlite:" + (folder_ / "store.db").string();
      options_.attached_path = (folder_ / "store.db-record").string();
    } else {
      administer("CREATE DATABASE " + name_);
      options_.url = with_database(postgres_url(), name_);
    }
  }
  TestStore(const TestStore&) = delete;
  TestStore& operator=(const TestStore&) = delete;
  ~TestStore() {
    store_.reset();
    try {
      if (dialect_ == db::Dialect::postgres) {
        administer("DROP DATABASE " + name_ + " WITH (FORCE)");
        administer("DROP ROLE IF EXISTS jiaowu_engine_" + name_);  // of reading connections
      }
    } catch (const db::Error& error) {
      ADD_FAILURE() << error.what();
    }
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  db::Options& options() { return options_; }  // may be changed before store() is first called
  db::Store& store() {
    if (!store_) store_ = db::Store::open(options_);
    return *store_;
  }
  void close() { store_.reset(); }
  const std::string& name() const { return name_; }  // PostgreSQL: of the database
  const std::filesystem::path& folder() const { return folder_; }  // for files of the test

  std::string key_file() const { return (folder_ / "record-key").string(); }  // of the record, when one is made

  // On the server's own database.
  static void administer(const std::string& sql) {
    db::Options options;
    options.url = postgres_url();
    db::Store::open(options)->writer()->script(sql);
  }

 private:
  const db::Dialect dialect_;
  std::string name_;
  std::filesystem::path folder_;
  db::Options options_;
  std::unique_ptr<db::Store> store_;
};

inline std::string store_name(const ::testing::TestParamInfo<db::Dialect>& info) {
  return info.param == db::Dialect::sqlite ? "sqlite" : "postgres";
}

}  // namespace jw::tests

#define JW_TEST_STORE(name, dialect)                                                                   \
  if (!jw::tests::TestStore::available(dialect)) GTEST_SKIP() << "no PostgreSQL: JIAOWU_TEST_PG is empty"; \
  jw::tests::TestStore name(dialect)

#define JW_ON_BOTH_STORES(suite)                                                                             \
  INSTANTIATE_TEST_SUITE_P(stores, suite, ::testing::Values(jw::db::Dialect::sqlite, jw::db::Dialect::postgres), \
                           jw::tests::store_name)
