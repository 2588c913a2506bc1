// The rows and cells that a decision opens, as predicates of one statement; not for other folders.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "base/fault.hpp"
#include "kernel/query/plan.hpp"

namespace jw::query {

using catalog::Dataset;
using catalog::Field;
using catalog::Type;
using policy::Decision;
using policy::Frame;
using policy::Place;
using policy::Predicate;
using policy::Slot;
using policy::Statement;

// The authorised view of one dataset for one decision, inside one statement.
class View {
 public:
  // By whose eyes, when one statement looks through several: see Statement::speak_for.
  struct Eyes {
    const policy::Regulation* regulation;
    std::string person;         // SQL; empty: the asker
    int64_t first_literal = 0;  // where the decision's literals begin among those bound
    bool alone = true;          // the statement is about these rows only, so it may begin with them
  };

  View(Statement& statement, Frame& frame, const Decision& decision, Eyes eyes)
      : statement_(statement),
        place_{&frame, {}},
        decision_(decision),
        dataset_(*decision.dataset),
        eyes_(std::move(eyes)) {
    speak();
    const bool alone = eyes_.alone && decision.permits.size() == 1;
    for (size_t i = 0; i < decision.permits.size(); ++i) {
      Statement::Literals literals{Slot::Kind::policy_literal, eyes_.first_literal + decision.permit_literals[i]};
      permits_.push_back(statement.rows(place_, *decision.permits[i], true, literals, alone));
    }
    clear_.resize(dataset_.fields.size());
    masked_.resize(dataset_.fields.size());
  }

  const Place& place() const { return place_; }

  // Row visible ⇔ T(∨ permits that show something) ∧ F(∨ forbids).
  Predicate rows() {
    speak();
    std::vector<bool> shows(permits_.size(), false);
    for (const policy::FieldSight& sight : decision_.fields) {
      for (int i : sight.clear) shows[static_cast<size_t>(i)] = true;
      for (int i : sight.masked) shows[static_cast<size_t>(i)] = true;
    }
    std::vector<Predicate> some;
    for (size_t i = 0; i < permits_.size(); ++i) {
      if (shows[i]) some.push_back(permits_[i]);
    }
    shown_rows_ = policy::any_of(some);
    return policy::all_of({shown_rows_, JW_FAULT(25, allowed_at(place_, dataset_), Predicate::always())});
  }

  // Cell seen as it is / seen at least masked. Relative to a visible row: constant when the row's visibility implies
  // it.
  const Predicate& clear(int field) { return sight(field, clear_, false); }
  const Predicate& seen(int field) { return sight(field, masked_, true); }

  std::string cell(int field) { return view(field, statement_.shown(place_, field)); }
  std::string sort(int field) {
    const std::string key = statement_.sort_key(place_, field);
    return JW_FAULT(29, view(field, key), key);
  }
  // NULL unless seen in clear: what conditions and measures work on.
  std::string clear_value(int field) {
    const Predicate& visible = clear(field);
    const std::string x = statement_.shown(place_, field);
    if (visible.is_always()) return x;
    if (!visible.is_never()) return JW_FAULT(30, "CASE WHEN " + visible.sql + " THEN " + x + " END", x);
    // PostgreSQL wants to know of what type it makes a sum.
    return policy::reads_as_text(dataset_.fields.at(static_cast<size_t>(field)).type) ? "CAST(NULL AS TEXT)"
                                                                                      : "CAST(NULL AS BIGINT)";
  }
  // 0 clear, 1 masked, 2 hidden; empty when the same on all rows.
  std::string mark(int field) {
    const Predicate &c = clear(field), &s = seen(field);
    if (c.is_always() || (c.is_never() && s.is_always())) return {};
    if (s.is_never()) return "2";  // open by the permits, closed by a forbid on every row it is borrowed from
    std::string sql = "CASE";
    if (!c.is_never()) sql += " WHEN " + c.sql + " THEN 0";
    if (s.is_always()) return sql + " ELSE 1 END";
    if (decision_.fields.at(static_cast<size_t>(field)).masked.empty()) return sql + " ELSE 2 END";
    return sql + " WHEN " + s.text() + JW_FAULT(31, " THEN 1 ELSE 2 END", " THEN 0 ELSE 2 END");
  }

 private:
  void speak() { statement_.speak_for(*eyes_.regulation, eyes_.person); }

  Predicate any_permit(const std::vector<int>& which) const {
    std::vector<Predicate> parts;
    for (int i : which) parts.push_back(permits_[static_cast<size_t>(i)]);
    return policy::any_of(parts);
  }

  // F(∨ forbids on this dataset) for the row at a place.
  Predicate allowed_at(const Place& place, const Dataset& dataset) {
    const auto forbids = decision_.forbids.find(dataset.index);
    if (forbids == decision_.forbids.end()) return Predicate::always();
    std::vector<Predicate> parts;
    for (const policy::BoundForbid& forbid : forbids->second) {
      Statement::Literals literals{Slot::Kind::policy_literal, eyes_.first_literal + forbid.literals};
      parts.push_back(statement_.rows(place, *forbid.atom, false, literals));
    }
    return policy::all_of(parts);
  }

  // Forbids on the rows a cell is borrowed from (design §3, lookups).
  Predicate sources_allowed(int field) {
    const Field& f = dataset_.fields.at(static_cast<size_t>(field));
    std::vector<int> path = f.path;
    if (f.type == Type::ref) path.push_back(f.is_lookup() ? f.target : field);
    std::vector<Predicate> parts;
    Place reached = place_;
    const Dataset* dataset = &dataset_;
    for (int hop : path) {
      const int next = dataset->fields.at(static_cast<size_t>(hop)).ref;
      dataset = &statement_.catalogue().datasets.at(static_cast<size_t>(next));
      reached.path.push_back(hop);
      if (decision_.forbids.contains(dataset->index)) parts.push_back(allowed_at(reached, *dataset));
    }
    return policy::all_of(parts);
  }

  const Predicate& sight(int field, std::vector<std::optional<Predicate>>& cache, bool with_masked) {
    std::optional<Predicate>& slot = cache[static_cast<size_t>(field)];
    if (slot) return *slot;
    speak();
    const policy::FieldSight& granted = decision_.fields.at(static_cast<size_t>(field));
    std::vector<int> which = granted.clear;
    if (with_masked) which.insert(which.end(), granted.masked.begin(), granted.masked.end());
    std::sort(which.begin(), which.end());
    Predicate by_permit = any_permit(which);
    if (by_permit == shown_rows_ || covers_rows(which)) by_permit = Predicate::always();
    slot = policy::all_of({by_permit, JW_FAULT(26, sources_allowed(field), Predicate::always())});
    return *slot;
  }

  // Every permit that opens a row is among these, or opens no other rows than one of these.
  bool covers_rows(const std::vector<int>& which) const {
    for (size_t i = 0; i < permits_.size(); ++i) {
      const bool covered = std::any_of(which.begin(), which.end(),
                                       [&](int w) { return permits_[static_cast<size_t>(w)] == permits_[i]; });
      if (!covered && !permits_[i].is_never()) return JW_FAULT(27, false, true);
    }
    return true;
  }

  std::string view(int field, const std::string& as_is) {
    const Predicate &c = clear(field), &s = seen(field);
    if (c.is_always()) return as_is;
    const std::string masked = JW_FAULT(28, statement_.masked(place_, field), as_is);
    const bool any_masked = !decision_.fields.at(static_cast<size_t>(field)).masked.empty() && masked != "NULL";
    if (c.is_never()) {
      if (!any_masked || s.is_never()) return "NULL";
      return s.is_always() ? masked : "CASE WHEN " + s.sql + " THEN " + masked + " END";
    }
    std::string sql = "CASE WHEN " + c.sql + " THEN " + as_is;
    if (any_masked) sql += s.is_always() ? " ELSE " + masked : " WHEN " + s.text() + " THEN " + masked;
    return sql + " END";
  }

  Statement& statement_;
  Place place_;
  const Decision& decision_;
  const Dataset& dataset_;
  const Eyes eyes_;
  std::vector<Predicate> permits_;
  Predicate shown_rows_;
  std::vector<std::optional<Predicate>> clear_, masked_;
};

// The SELECT list: equal expressions stand once.
class Selection {
 public:
  size_t add(const std::string& expression) {
    const auto known = std::find(expressions_.begin(), expressions_.end(), expression);
    if (known != expressions_.end()) return static_cast<size_t>(known - expressions_.begin());
    expressions_.push_back(expression);
    return expressions_.size() - 1;
  }
  std::string sql() const {
    std::string out;
    for (size_t i = 0; i < expressions_.size(); ++i)
      out += (i == 0 ? "" : ", ") + expressions_[i] + " AS c" + std::to_string(i);
    return out;
  }

 private:
  std::vector<std::string> expressions_;
};

}  // namespace jw::query
