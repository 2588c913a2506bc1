// For the tests of the record: a store with its recorder's own store beside it.
#pragma once

#include <memory>
#include <string>

#include "kernel/record/api.hpp"
#include "kernel/record/tables.hpp"
#include "platform/crypto/api.hpp"
#include "tests/support/stores.hpp"

namespace jw::record {

using tests::TestStore;

struct OpenStores {
  explicit OpenStores(const db::Options& options)
      : main(db::Store::open(options)), record(db::Store::open(record_store(options))) {}
  std::unique_ptr<db::Store> main;
  std::unique_ptr<db::Store> record;
};

}  // namespace jw::record
