// The meaning of a governed query, row by row, as the documents say it (design §1.5, §4, §5; governance §3.2–3.3; ADR
// 0009): slow, naive, without SQL. It shares with the engine the catalogue, the parsed query and the parsed permits,
// nothing else.
//
//   row visible   some permit that shows a field is definitely true of it, every forbid definitely false
//   cell          clear, masked or hidden by the best permit true of the row; hidden, too, unless every forbid on the
//   rows it is
//                 borrowed from is definitely false (a row that is not there is a row of NULLs)
//   condition     three-valued; a cell not seen in clear is NULL; every leaf but is_null is unknown on NULL
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "kernel/catalog/api.hpp"
#include "kernel/policy/api.hpp"
#include "kernel/query/api.hpp"

namespace jw::differential {

using catalog::Value;

enum class Truth : uint8_t { no, unknown, yes };
enum class Seen : uint8_t { clear, masked, hidden };

struct Row {
  int64_t id = 0;
  int64_t person = 0;        // datasets of persons
  std::vector<Value> cells;  // own fields; a ref holds the id of its row
};
using World = std::vector<std::vector<Row>>;  // by dataset

struct Rules {
  const catalog::Catalogue* catalogue = nullptr;
  policy::Regulation regulation;     // posts, settings, default permits and forbids
  std::vector<policy::Atom> grants;  // those of the store
};

struct Expected {
  std::string refusal;  // type; "policy.denied" when no permit applies. Empty: answered
  std::string path;     // of the closed field
  std::vector<int> columns;
  std::vector<std::string> rows;          // JSON
  std::vector<std::vector<Value>> cells;  // lists: the same as values
  std::vector<std::vector<Seen>> sight;   // lists: of each cell
  bool more = false;
};

// A row, or where a reference leads nowhere.
struct Spot {
  const catalog::Dataset* dataset;
  const Row* row;
};

class Reference {
 public:
  Reference(const Rules& rules, const World& world, const policy::Asker& asker, Instant now)
      : rules_(rules), world_(world), asker_(asker), now_(now) {}

  Expected answer(const query::Query& query, policy::Action action, size_t skip = 0);
  // All that the asker may see of a dataset: rows with their ids, cells, sort keys. Equal views must give equal
  // answers.
  std::string view(const catalog::Dataset& dataset, policy::Action action, const std::string& purpose);

 private:
  struct Viewed {
    const Row* row;
    std::vector<Seen> seen;
    std::vector<Value> shown, clear, sort;  // as displayed; NULL unless clear; what it is ordered by
  };
  struct Decision {
    std::vector<const policy::Atom*> permits, forbids;
  };
  using Cells = std::function<Value(int field)>;

  Decision decide(const catalog::Dataset& dataset, policy::Action action, const std::string& purpose) const;
  std::vector<policy::HeldPost> posts() const;
  bool holds(const policy::Atom& atom, const std::vector<policy::HeldPost>& held) const;
  bool closed(const Decision& decision, int field, bool masked_too) const;
  std::string closed_in(const Decision& decision, const catalog::Condition& condition) const;
  std::vector<Viewed> authorised(const catalog::Dataset& dataset, const Decision& decision) const;
  bool visible(const Spot& spot, const Decision& decision) const;
  Seen sight(const Spot& spot, int field, const Decision& decision) const;

  Spot step(const Spot& spot, int field) const;
  Spot pointed_to(const Spot& spot, int field) const;  // by a ref, own or borrowed
  Value stored(const Spot& spot, int field) const;
  Value shown(const Spot& spot, int field) const;
  Value sort_key(const Spot& spot, int field) const;
  Truth truth(const Spot& spot, const catalog::Condition& condition, const Cells& cells) const;
  Truth truth(const Spot& spot, const catalog::Condition& condition) const;
  Truth leaf(const Spot& spot, const catalog::Condition& leaf, const Cells& cells) const;
  Truth member(int relation, const Spot& spot) const;
  Truth rows(const Spot& spot, const policy::Atom& atom) const;

  Expected list(const query::Query& query, const Decision& decision, size_t skip) const;
  Expected statistics(const query::Query& query, const Decision& decision) const;
  void measure(const query::Query& query, const query::Measure& measure, const std::vector<const Viewed*>& rows,
               std::string& json, Value& key) const;

  const Rules& rules_;
  const World& world_;
  const policy::Asker& asker_;
  Instant now_;
};

}  // namespace jw::differential
