// A campus of a handful of people in a store of its own, for tests that want to see every row: rows are given as a
// person would type them, by field name; whatever a dataset requires and a test does not care about is filled in.
#pragma once

#include <gtest/gtest.h>
#include <boost/json.hpp>

#include <fstream>
#include <map>

#include "app/system.hpp"
#include "kernel/change/api.hpp"
#include "kernel/edge/api.hpp"
#include "kernel/edge/facts.hpp"
#include "tests/support/stores.hpp"

namespace jw::tests {

using Row = std::map<std::string, std::string>;

class Campus {
 public:
  explicit Campus(db::Dialect dialect, std::string home = JW_SOURCE_DIR) : made_(dialect) {
    clock_file_ = (made_.folder() / "clock").string();
    at("2026-03-16T09:00:00+08:00");
    options_.db = made_.options().url;
    options_.home = std::move(home);
    options_.key_file = made_.key_file();
    options_.create = true;
    options_.readers = 4;
    {
      const auto fresh = app::open_system(options_);
      const auto writer = fresh->store->writer();
      db::Transaction transaction(*writer, db::Transaction::Mode::write);
      edge::set_store_fact(*writer, "made_up", "1");
      transaction.commit();
    }
    options_.clock_file = clock_file_;
    system_ = app::open_system(options_);
  }

  app::System& system() { return *system_; }
  TestStore& made() { return made_; }
  const app::SystemOptions& options() const { return options_; }
  void close() { system_.reset(); }  // the store is left as a clean stop leaves it
  void open() { system_ = app::open_system(options_); }
  void at(const std::string& instant) {
    std::ofstream(clock_file_ + ".new") << instant << "\n";
    std::filesystem::rename(clock_file_ + ".new", clock_file_);
  }

  // Adds or replaces rows of one dataset. A row of persons is tied to the person called `person` there, made when new.
  void put(const std::string& dataset, const std::vector<Row>& rows) {
    const auto writer = system_->store->writer();
    db::Transaction transaction(*writer, db::Transaction::Mode::write);
    const change::Head head{"made_up", "test", "test", "", change::Operator{"test"}};
    change::Batch batch(*system_->catalogue, *writer, head, system_->clock->now());
    for (const Row& row : rows) put_row(batch, dataset, row);
    batch.finish(nullptr);
    transaction.commit();
  }

  // The same by two people, applied when they may.
  Result<Done> write(const policy::Asker& entered, const policy::Asker& reviewed, const std::string& dataset,
                     const std::vector<Row>& rows, const std::string& purpose = {}) {
    return write(
        entered, reviewed,
        [&](change::Batch& batch) {
          for (const Row& row : rows) put_row(batch, dataset, row);
        },
        purpose);
  }
  template <class Work>
  Result<Done> write(const policy::Asker& entered, const policy::Asker& reviewed, const Work& work,
                     const std::string& purpose = {}) {
    int64_t outbox = 0;
    {
      const auto writer = system_->store->writer();
      db::Transaction transaction(*writer, db::Transaction::Mode::write);
      const change::People people{system_->policy.get(), {entered, "entered"}, {reviewed, "reviewed"}, purpose};
      change::Batch batch(*system_->catalogue, *writer, {"entry", "test", "test", "", people}, system_->clock->now());
      work(batch);
      JW_CHECK(batch.check());
      outbox = batch.finish(system_->recorder.get());
      transaction.commit();
    }
    EXPECT_TRUE(system_->recorder->deliver(outbox));
    return Done{};
  }
  // One row of a batch, as a person would type it.
  void put_row(change::Batch& batch, const std::string& dataset, const Row& row) {
    change::Table& table = batch.table(dataset);
    std::vector<change::Value> values;
    for (const catalog::Field& field : table.dataset().fields) {
      if (field.is_lookup()) break;
      const auto given = row.find(field.name);
      std::string text = given == row.end() ? "" : given->second;
      if (given == row.end() && field.required) text = filler(field);
      auto value = catalog::parse_value(*system_->catalogue, field, text);
      ASSERT_TRUE(value) << dataset << "." << field.name << " «" << text << "»: " << value.refusal().detail.en;
      if (field.type == catalog::Type::ref && std::holds_alternative<std::string>(*value)) {
        const auto& target = system_->catalogue->datasets[static_cast<size_t>(field.ref)];
        const auto id = batch.table(target.name).find(std::get<std::string>(*value));
        ASSERT_TRUE(id) << dataset << "." << field.name << " points to no " << target.name << " " << text;
        values.emplace_back(*id);
      } else {
        values.push_back(std::move(*value));
      }
    }
    const auto problems = change::check_row(*system_->catalogue, table.dataset(), values);
    ASSERT_TRUE(problems.empty()) << dataset << ": " << problems.front().field << " " << problems.front().text.en;
    int64_t person = 0;
    if (table.dataset().person) {
      const std::string name = row.contains("person") ? row.at("person") : row.at("number");
      if (!persons_.contains(name)) {
        const std::string_view names[] = {name};
        persons_[name] = identity::add_persons(batch.connection(), names, batch.now());
      }
      person = persons_[name];
    }
    table.put(values, person);
  }

  // An account for a person by the name given in put(), signed in.
  policy::Asker sign_in(const std::string& login, const std::string& kind, const std::string& person) {
    const auto& identity = system_->identity;
    {
      const auto writer = system_->store->writer();
      db::Transaction transaction(*writer, db::Transaction::Mode::write);
      std::optional<int64_t> id;
      if (!person.empty()) id = persons_.at(person);
      const identity::NewAccount account{login, kind, login, id};
      const auto made = identity->create_inactive(*writer, std::span(&account, 1));
      EXPECT_TRUE(made) << made.refusal().detail.en;
      EXPECT_TRUE(identity->set_ready(*writer, *made, hash()));
      transaction.commit();
    }
    return enter(login);
  }
  policy::Asker enter(const std::string& login) {
    const identity::SignIn entered = system_->identity->enter_made_up(login, "127.0.0.1", "test");
    EXPECT_TRUE(entered.result) << entered.result.refusal().detail.en;
    return edge::asker_of(*entered.result->session);
  }

  query::Outcome ask(const policy::Asker& asker, std::string_view json) {
    return system_->engine->ask(asker, boost::json::parse(json));
  }
  // The rows of an answer as JSON text, or the type of the refusal.
  std::string rows(const policy::Asker& asker, std::string_view json) {
    const query::Outcome outcome = ask(asker, json);
    if (const auto* refusal = std::get_if<Refusal>(&outcome.result)) return refusal->type;
    const auto answer = boost::json::parse(std::get<query::Answer>(outcome.result).json);
    return boost::json::serialize(answer.at("rows"));
  }
  boost::json::value answer(const policy::Asker& asker, std::string_view json) {
    const query::Outcome outcome = ask(asker, json);
    const auto* answer = std::get_if<query::Answer>(&outcome.result);
    if (answer == nullptr) {
      ADD_FAILURE() << std::get<Refusal>(outcome.result).detail.en;
      return nullptr;
    }
    return boost::json::parse(answer->json);
  }

 private:
  const std::string& hash() {
    if (hash_.empty()) hash_ = system_->identity->hash_password("Made-Up-2026");
    return hash_;
  }

  std::string filler(const catalog::Field& field) const {
    switch (field.type) {
      case catalog::Type::code:
        return system_->catalogue->code_sets[static_cast<size_t>(field.code_set)].codes.front().code;
      case catalog::Type::boolean:
        return "否";
      default:
        return field.example;
    }
  }

  TestStore made_;
  app::SystemOptions options_;
  std::string clock_file_, hash_;
  std::unique_ptr<app::System> system_;
  std::map<std::string, int64_t> persons_;
};

}  // namespace jw::tests
