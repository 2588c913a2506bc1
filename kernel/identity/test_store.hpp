// For this folder's tests: a fresh store with the migrations applied, gone with the object; and a clock to set.
// SQLite always; PostgreSQL when JIAOWU_TEST_PG holds the URL of a server on which databases may be made.
#pragma once

#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "platform/db/api.hpp"

namespace jw::identity {

class SetClock : public Clock {
 public:
  Instant now() const override { return {us_.load()}; }
  void pass(int64_t us) { us_ += us; }

 private:
  std::atomic<int64_t> us_ = Instant::parse("2026-09-01T08:00:00+08:00")->us;
};

inline std::vector<db::Dialect> dialects_to_test() {
  std::vector<db::Dialect> dialects = {db::Dialect::sqlite};
  if (std::getenv("JIAOWU_TEST_PG") != nullptr) dialects.push_back(db::Dialect::postgres);
  return dialects;
}

class TestStore {
 public:
  explicit TestStore(db::Dialect dialect) : dialect_(dialect) {
    static std::atomic<int> counter = 0;
    name_ = "jw_identity_" + std::to_string(getpid()) + "_" + std::to_string(++counter);
    if (dialect == db::Dialect::sqlite) {
      folder_ = std::filesystem::temp_directory_path() / name_;
      std::filesystem::create_directories(folder_);
      url_ = "sqlite:" + (folder_ / "store.db").string();
    } else {
      url_ = with_database(name_);
      open_server()->writer()->script("CREATE DATABASE " + name_);
    }
    auto store = open();
    db::migrate(*store->writer(), std::string(JW_SOURCE_DIR) + "/db/migrations");
  }
  ~TestStore() {
    if (dialect_ == db::Dialect::sqlite) {
      std::error_code ignored;
      std::filesystem::remove_all(folder_, ignored);
    } else {
      open_server()->writer()->script("DROP DATABASE " + name_ + " WITH (FORCE)");
    }
  }
  TestStore(const TestStore&) = delete;
  TestStore& operator=(const TestStore&) = delete;

  // Each call is another node: its own pools.
  std::unique_ptr<db::Store> open() const {
    db::Options options;
    options.url = url_;
    options.create = true;
    options.writers = dialect_ == db::Dialect::sqlite ? 1 : 4;
    return db::Store::open(options);
  }

 private:
  static std::string server_url() { return std::getenv("JIAOWU_TEST_PG"); }
  static std::unique_ptr<db::Store> open_server() {
    db::Options options;
    options.url = server_url();
    return db::Store::open(options);
  }
  static std::string with_database(const std::string& name) {
    std::string url = server_url();
    const size_t query = std::min(url.find('?'), url.size());
    const size_t path = url.find('/', url.find("://") + 3);
    return url.substr(0, std::min(path, query)) + "/" + name + url.substr(query);
  }

  db::Dialect dialect_;
  std::string name_;
  std::filesystem::path folder_;
  std::string url_;
};

}  // namespace jw::identity
