// Rows of one dataset, written by the names of fields: the catalogue may have more fields or another order.
#pragma once

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/change/api.hpp"

namespace jw::made_up {

// Every `every`-th row goes through check_row; a row that does not pass is a mistake of this module and throws.
struct Checking {
  int64_t every = 1;
};

class Sheet {
 public:
  Sheet(change::Batch& batch, std::string_view dataset, std::initializer_list<std::string_view> columns,
        Checking checking)
      : batch_(batch), table_(batch.table(dataset)), checking_(checking), row_(table_.width()) {
    for (const std::string_view name : columns) {
      const int index = table_.dataset().field(name);
      if (index < 0 || static_cast<size_t>(index) >= row_.size()) {
        throw std::logic_error("dataset " + std::string(dataset) + " has no field " + std::string(name));
      }
      places_.push_back(static_cast<size_t>(index));
    }
  }

  // Values in the order of the columns; the row's id.
  template <class... Values>
  int64_t add(const Values&... values) {
    return add_person(0, values...);
  }
  template <class... Values>
  int64_t add_person(int64_t person, const Values&... values) {
    if (sizeof...(values) != places_.size())
      throw std::logic_error("a row of " + table_.dataset().name + " of another width");
    size_t at = 0;
    (put(row_[places_[at++]], values), ...);
    if (count_++ % checking_.every == 0) check();
    return table_.insert(row_, person);
  }

 private:
  static void put(change::Value& cell, std::string_view text) {
    if (auto* old = std::get_if<std::string>(&cell)) {
      old->assign(text);
    } else {
      cell = std::string(text);
    }
  }
  static void put(change::Value& cell, const std::string& text) { put(cell, std::string_view(text)); }
  static void put(change::Value& cell, const char* text) { put(cell, std::string_view(text)); }
  static void put(change::Value& cell, int64_t number) { cell = number; }
  static void put(change::Value& cell, int number) { cell = static_cast<int64_t>(number); }
  static void put(change::Value& cell, bool truth) { cell = static_cast<int64_t>(truth ? 1 : 0); }
  static void put(change::Value& cell, std::nullopt_t) { cell = std::monostate{}; }
  template <class T>
  static void put(change::Value& cell, const std::optional<T>& value) {
    if (value) {
      put(cell, *value);
    } else {
      cell = std::monostate{};
    }
  }

  void check() const {
    const auto problems = change::check_row(batch_.catalogue(), table_.dataset(), row_);
    if (problems.empty()) return;
    throw std::logic_error("a made-up row of " + table_.dataset().name + " does not pass: " + problems[0].field + ": " +
                           problems[0].text.en);
  }

  change::Batch& batch_;
  change::Table& table_;
  Checking checking_;
  std::vector<change::Value> row_;
  std::vector<size_t> places_;
  int64_t count_ = 0;
};

}  // namespace jw::made_up
