// The one reader (design §1, §5). A query by a person is evaluated over the authorised view of that person: the
// database in which rows that may not be seen are absent and cells that may not be seen are NULL. Query and permissions
// compile to one parametrised statement whose text depends on shapes only; plans are cached, decisions' answers never.
//
// Every outcome, refusals included, comes with the entry that must be durable in the record before it is released.
#pragma once

#include <boost/json/value.hpp>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "kernel/catalog/api.hpp"
#include "kernel/policy/api.hpp"
#include "kernel/record/api.hpp"
#include "platform/db/api.hpp"

namespace jw::query {

// ---- the language
// -----------------------------------------------------------------------------------------------------

enum class Function : uint8_t { count, count_distinct, sum, avg, min, max, share, median, stddev, histogram };

struct Measure {
  Function function = Function::count;
  int field = -1;  // count and share: none
  std::string as;
  bool named = false;                       // `as` was given
  int places = 2;                           // avg, share, stddev, median: decimals, half up
  int64_t width = 0;                        // histogram: stored units
  std::optional<catalog::Condition> where;  // share
};

struct OrderKey {
  int field = -1;  // list: field; statistics: index of the answer's column (groups, then measures)
  bool descending = false;
};

// A query as understood: everything resolved and typed.
struct Query {
  const catalog::Dataset* dataset = nullptr;
  std::vector<int> fields;  // empty: all that one may see
  std::optional<catalog::Condition> where;
  std::vector<OrderKey> order;
  std::vector<int> group;
  std::vector<Measure> measures;
  int64_t limit = 50;
  std::string after;  // page token
  std::string purpose;
  bool is_statistics() const { return !measures.empty(); }
};

constexpr int64_t kLimitMax = 1000;
constexpr int64_t kFewPersons = 9;       // a number about so many persons, or fewer, tells of each of them (§1.3.1)
constexpr int64_t kGroupsMax = 100'000;  // groups a statistics statement may make
constexpr size_t kFieldsMax = 200;

// Refusals name the field in the request, e.g. `where.all[0].value`.
Result<Query> parse(const catalog::Catalogue& catalogue, const boost::json::value& json);

// ---- answers
// ----------------------------------------------------------------------------------------------------------

struct Answer {
  std::string json;  // an object; told with the id of its leaf as last member once the entry is durable (kernel/edge)
  int64_t rows = 0;
};

// What came of a request: the entry for the record, and the result or why there is none.
template <class T>
struct Settled {
  record::Entry entry;
  std::variant<T, Refusal> result;
};
using Outcome = Settled<Answer>;

// A column of a document.
struct Column {
  std::string name;
  Text label;
  const catalog::Field* field = nullptr;
};

struct Options {
  std::string token_key;  // 32 bytes, shared by all nodes of a store: page tokens
  std::chrono::milliseconds list_limit{5'000};
  std::chrono::milliseconds statistics_limit{60'000};
  int64_t document_rows_max = 200'000;
  // What one question may take up of the program's memory, beside the store's own bounds (docs/deploy.md): groups and
  // values of a statistic, cells of a list or a document.
  int64_t statement_bytes_max = 64 << 20;
  int64_t document_bytes_max = 256 << 20;
  bool cache_plans = true;
};

struct Plan;

// Thread-safe.
class Engine {
 public:
  Engine(const catalog::Catalogue& catalogue, policy::Policy& policy, db::Store& store, const Clock& clock,
         Options options);
  ~Engine();

  // A condition that depends on who asks and when, by name: {"is": NAME} in `where` of a question about this dataset
  // stands for what it means then. Named before the first question.
  using Meaning = std::function<boost::json::value(const policy::Asker&, Instant now)>;
  void name_condition(std::string dataset, std::string name, Meaning meaning);

  // Any query; the action follows from its form.
  Outcome ask(const policy::Asker& asker, const boost::json::value& request);
  // One row by its natural key, parts joined by '~'.
  Outcome ask_one(const policy::Asker& asker, std::string_view dataset, std::string_view key, std::string_view purpose);
  // All rows of a query for a document (export or print): `row` is called with the texts a person reads, in page order.
  // On what a document rests: clauses and grants ("§2.3.1,grant:2026-0017"), and of each column whether it was open in
  // clear.
  struct Basis {
    std::string marks;
    std::map<std::string, bool> clear;
  };
  struct Document {
    std::vector<Column> columns;
    int64_t rows = 0;
    std::string scope_json;
    Basis basis;
  };
  using DocumentOutcome = Settled<Document>;
  using RowSink = std::function<void(const std::vector<std::string>&)>;
  using HeadSink = std::function<void(const std::vector<Column>&)>;
  DocumentOutcome make_document(const policy::Asker& asker, const boost::json::value& request, policy::Action action,
                                bool zh, const HeadSink& head, const RowSink& row);
  // Whether a document that was made of this request on that basis could be handed out now: every clause and grant
  // still opens it to this person, and no column less than then. No data, no record. Refusals: those of the decision,
  // query.basis_ended (403, naming what has ended, with the way to ask for it anew).
  Result<Done> check_stands(const policy::Asker& asker, const boost::json::value& request, policy::Action action,
                            const Basis& basis);
  // The decision without data. Recorded like a query.
  Outcome explain(const policy::Asker& asker, const boost::json::value& request);
  // Which datasets this person may query, and one dataset's description (docs/api.md). No data, no record.
  std::string datasets_json(const policy::Asker& asker);
  std::string modules_json(const policy::Asker& asker);
  std::string posts_json(const policy::Asker& asker);
  Result<std::string> dataset_json(const policy::Asker& asker, std::string_view dataset);

  size_t plans() const;
  // The statement a query of this asker compiles to, its values and all that it may read (tests: no value of a user
  // appears in the text; seat-belts; the stores' plans).
  struct Statement {
    std::string sql;
    std::vector<catalog::Value> values;  // of $1 …
    db::ReachPtr reach;
    std::vector<db::Param> params() const;  // the values, borrowed
  };
  Result<Statement> statement(const policy::Asker& asker, const boost::json::value& request);
  // Compile alone, for the bench: false when refused.
  bool plan_only(const policy::Asker& asker, const Query& query);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace jw::query
