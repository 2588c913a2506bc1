// From a request to an answer: decide, plan, run, print, and the entry for the record.
#include "kernel/query/engine.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <map>

#include "base/fault.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "kernel/catalog/condition.hpp"
#include "kernel/identity/api.hpp"
#include "kernel/query/token.hpp"
#include "platform/crypto/api.hpp"

namespace jw::query {

namespace json = boost::json;
using catalog::Dataset;
using policy::Action;
using policy::Asker;
using policy::Decision;

namespace {

constexpr int64_t kRowsCountable = 20'000;  // rows of a statistic of which every person is looked at

std::vector<policy::Literal> literals_of(const Query& query) {
  std::vector<policy::Literal> out;
  if (query.where) policy::collect_literals(*query.where, out);
  for (const Measure& measure : query.measures) {
    if (measure.where) policy::collect_literals(*measure.where, out);
  }
  return out;
}

Refusal store_failed(const db::Error& error) {
  if (error.failure() == db::Failure::timeout) {
    return {Code::timeout,
            "query.timeout",
            {"查询超时，请收窄条件后重试", "the query took too long; narrow the conditions and try again"}};
  }
  if (error.failure() == db::Failure::forbidden) {
    return {Code::internal,
            "query.beyond_reach",
            {"该查询超出了为它核定的读取范围，已被数据库拦下并记录，请联系管理员",
             "the query would have read more than was worked out for it; the database stopped it, and it is on record. "
             "Please tell the administrator"}};
  }
  return {Code::unavailable,
          "query.store_unavailable",
          {"数据库暂不可用，请稍后重试", "the store is not available now; try again later"}};
}

// Whose data an answer told about: each person up to record::kPersonsMax, beyond that the groups they belong to, and
// each person that belongs to none (§1.3.1).
class Subjects {
 public:
  Subjects(const Plan& plan, int64_t asker) : plan_(plan), asker_(asker) {}

  void add(const db::Rows& rows) {
    if (plan_.person < 0 || rows.is_null(static_cast<size_t>(plan_.person))) return;
    add(rows.integer(static_cast<size_t>(plan_.person)),
        plan_.group >= 0 ? rows.integer(static_cast<size_t>(plan_.group)) : 0);
  }
  void add(int64_t person, int64_t group) {
    if (!JW_FAULT(47, person == asker_, true)) persons_.emplace_back(person, group);
  }

  std::vector<record::Subject> take() {
    std::sort(persons_.begin(), persons_.end());
    persons_.erase(
        std::unique(persons_.begin(), persons_.end(), [](const auto& a, const auto& b) { return a.first == b.first; }),
        persons_.end());
    std::vector<record::Subject> out;
    if (persons_.size() <= record::kPersonsMax) {
      for (const auto& [person, group] : persons_) out.push_back({record::Subject::Kind::person, person, 1});
      return out;
    }
    std::unordered_map<int64_t, int64_t> groups;
    for (const auto& [person, group] : persons_) {
      if (group != 0) {
        ++groups[group];
      } else {
        out.push_back({record::Subject::Kind::person, person, 1});
      }
    }
    for (const auto& [group, count] : groups) out.push_back({record::Subject::Kind::group, group, count});
    std::sort(out.begin(), out.end(),
              [](const auto& a, const auto& b) { return std::pair(a.kind, a.id) < std::pair(b.kind, b.id); });
    return out;
  }

 private:
  const Plan& plan_;
  int64_t asker_;
  std::vector<std::pair<int64_t, int64_t>> persons_;
};

}  // namespace

std::string shape_of(const Query& query, const Decision& decision) {
  std::string out;
  const auto number = [&](auto value) { policy::append_number(out, static_cast<int64_t>(value)); };
  const auto condition = [&](const std::optional<catalog::Condition>& where) {
    number(where.has_value());
    if (where) policy::append_shape(out, *where);
  };
  const auto fields = [&](const std::vector<int>& some) {
    number(some.size());
    for (const int field : some) number(field);
  };
  number(query.dataset->index);
  fields(query.fields);
  condition(query.where);
  number(query.order.size());
  for (const OrderKey& key : query.order) {
    number(key.field);
    number(key.descending);
  }
  fields(query.group);
  number(query.measures.size());
  for (const Measure& measure : query.measures) {
    for (const int64_t part : {static_cast<int64_t>(measure.function), static_cast<int64_t>(measure.field),
                               static_cast<int64_t>(measure.places), measure.width, int64_t{measure.named}})
      number(part);
    policy::append_name(out, measure.as);
    condition(measure.where);
  }
  return out + decision.shape;
}

Engine::Engine(const catalog::Catalogue& catalogue, policy::Policy& policy, db::Store& store, const Clock& clock,
               Options options)
    : impl_(new Impl{catalogue, policy, store, clock, std::move(options)}) {
  const std::shared_ptr<const policy::Rules> rules = impl_->policy.rules();
  policy::Statement statement(catalogue, rules->regulation(), store.dialect());
  impl_->gate_statement = "SELECT " + gate_sql(statement);
  impl_->gate_slots = statement.slots();
  impl_->gate_reach = std::make_shared<const db::Reach>(identity::gate_reach());
}

Engine::~Engine() = default;

Run Engine::Impl::begin(const Asker& asker, const json::value& request) const {
  Run run{asker, clock.now(), {}};
  run.entry.time = run.now;
  run.entry.account = asker.account;
  run.entry.person = asker.person;
  run.entry.session = asker.session;
  run.entry.kind = "query";
  run.entry.parameters = json::serialize(request);
  return run;
}

namespace {

// Puts what `meaning` gives in place of {"is": name}, however deep.
template <class Meaning>
void put_in(json::value& where, std::string_view name, const Meaning& meaning) {
  if (json::array* parts = where.if_array()) {
    for (json::value& part : *parts) put_in(part, name, meaning);
  }
  json::object* object = where.if_object();
  if (object == nullptr) return;
  const json::value* is = object->if_contains("is");
  if (is != nullptr && object->size() == 1 && is->is_string() && std::string_view(is->get_string()) == name) {
    where = meaning();
    return;
  }
  for (const char* key : {"all", "any", "not"}) {
    if (json::value* parts = object->if_contains(key)) put_in(*parts, name, meaning);
  }
}

}  // namespace

Result<Query> Engine::Impl::read(const json::value& request, const Run& run) const {
  const json::object* object = request.if_object();
  const json::value* dataset = object == nullptr ? nullptr : object->if_contains("dataset");
  if (dataset == nullptr || !dataset->is_string() || !object->contains("where")) return parse(catalogue, request);
  std::optional<json::value> meant;
  for (const Named& named : conditions) {
    if (std::string_view(dataset->get_string()) != named.dataset) continue;
    if (!meant) meant = request;
    std::optional<json::value> once;  // however often it is named
    put_in(meant->as_object()["where"], named.name, [&] {
      if (!once) once = named.meaning(run.asker, run.now);
      return *once;
    });
  }
  return parse(catalogue, meant ? *meant : request);
}

std::optional<int64_t> Engine::Impl::gate(db::Connection& connection, const Run& run) const {
  policy::Binding values;
  values.session = run.asker.session;
  values.now_us = run.now.us;
  std::vector<db::Param> params;
  std::vector<std::string> texts;
  policy::bind(gate_slots, values, params, texts);
  db::Rows rows = connection.query_within(gate_reach, gate_statement, params);
  if (!rows.next() || rows.is_null(0)) return std::nullopt;
  return rows.integer(0);
}

Result<std::shared_ptr<const Plan>> Engine::Impl::plan_for(const Query& query, const Prepared& prepared,
                                                           const std::vector<bool>& nulls) {
  const bool has_cursor = prepared.cursor.has_value();
  std::string key = prepared.context;
  if (has_cursor) {
    key += '#';
    for (bool is_null : nulls) key += JW_FAULT(37, is_null, false) ? '0' : '1';
  }
  if (options.cache_plans) {
    const std::shared_lock lock(mutex);
    const auto known = plans.find(key);
    if (known != plans.end()) return known->second;
  }
  // By the rules that were decided under, which the key names: another thread may bring newer ones at any moment.
  const Compiler compiler{catalogue, prepared.authority->rules().regulation(), store.dialect()};
  JW_TRY(std::shared_ptr<const Plan> plan, compile(compiler, query, *prepared.decision, nulls, has_cursor));
  if (options.cache_plans) {
    const std::unique_lock lock(mutex);
    if (plans.size() >= 20'000) plans.clear();  // shapes come from outside
    plans.emplace(std::move(key), plan);
  }
  return plan;
}

Result<Engine::Impl::Prepared> Engine::Impl::prepare(db::Connection& connection, const Query& query, Action action,
                                                     Run& run) {
  Prepared prepared;
  prepared.reader = &connection;
  prepared.authority = policy.authority(connection, run.asker, run.now);
  if (run.asker.agreement_due && query.dataset->tells_of_persons && !query.dataset->by_kernel)
    return identity::agreement_due();
  if (!query.purpose.empty() && !prepared.authority->rules().knows_purpose(query.purpose)) {
    Refusal refusal{Code::unprocessable, "query.purpose_unknown", {"没有这种目的", "there is no such purpose"}};
    std::string known;
    for (const std::string& purpose : prepared.authority->rules().purposes())
      known += (known.empty() ? "" : ", ") + purpose;
    refusal.fields.push_back({"purpose", "purpose_unknown", {"应为下列之一：" + known, "must be one of " + known}});
    return refusal;
  }
  prepared.decision = &prepared.authority->decide(*query.dataset, action, query.purpose);
  if (!prepared.decision->allowed()) return *prepared.decision->refusal;
  // The own cases, notices and grants are the procedures' way to reach somebody; those of others are data of persons.
  if (run.asker.agreement_due && query.dataset->tells_of_persons && !prepared.decision->own_only)
    return identity::agreement_due();
  const Decision& decision = *prepared.decision;
  run.entry.purpose = decision.purpose;
  run.entry.basis = decision.basis;
  run.entry.post = decision.post;
  run.entry.unit = decision.unit;
  prepared.context = shape_of(query, decision);
  std::vector<bool> nulls;
  if (!query.after.empty()) {
    prepared.cursor =
        unseal_cursor(options.token_key, prepared.context + "/" + std::to_string(run.asker.account), query.after);
    if (!prepared.cursor) {
      return Refusal{Code::unprocessable,
                     "query.bad_token",
                     {"翻页标记无效，请从第一页重新查询",
                      "the page token does not belong to this query; start from the first page"},
                     {{"after",
                       "bad_token",
                       {"应是同一查询上一页给出的 next", "must be the next of the page before of the same query"}}}};
    }
    for (const catalog::Value& value : prepared.cursor->values)
      nulls.push_back(std::holds_alternative<std::monostate>(value));
  }
  JW_TRY(prepared.plan, plan_for(query, prepared, nulls));
  run.entry.plan = prepared.plan->digest;
  return prepared;
}

policy::Binding Engine::Impl::binding(const Prepared& prepared, const Run& run,
                                      const std::vector<policy::Literal>& literals, int64_t limit) {
  policy::Binding values;
  values.person = run.asker.person;
  values.session = run.asker.session;
  values.now_us = run.now.us;
  values.today = run.now.date();
  values.limit = limit;
  values.query = &literals;
  values.policy = &prepared.decision->literals;
  if (prepared.cursor) values.cursor = &prepared.cursor->values;
  return values;
}

template <class Read>
auto Engine::Impl::governed(const Query& query, Action action, Run& run, int64_t limit, std::chrono::milliseconds time,
                            const Read& read)
    -> decltype(read(std::declval<const Prepared&>(), std::declval<db::Rows&>(), true)) {
  run.entry.dataset = query.dataset->name;
  run.entry.action = policy::action_name(action);
  const std::vector<policy::Literal> literals = literals_of(query);
  const db::Store::Lease lease = store.reader();
  for (int attempt = 0; attempt < 8; ++attempt) {
    const int64_t epoch = policy.rules()->epoch();
    run.entry.policy_version = epoch;
    Result<Prepared> prepared = prepare(*lease, query, action, run);
    std::optional<int64_t> seen;
    if (!prepared) {
      // A refusal, too, must rest on what is in force now.
      seen = gate(*lease, run);
      if (!seen) return identity::session_ended();
      if (*seen == epoch) return std::move(prepared).refusal();
    } else {
      std::vector<db::Param> params;
      std::vector<std::string> texts;
      policy::bind(prepared->plan->slots, binding(*prepared, run, literals, limit), params, texts);
      lease->statement_limit(time);
      {
        std::optional<db::Transaction> snapshot;  // whom a statistic is about is asked in a second statement
        if (prepared->plan->least >= 0) snapshot.emplace(*lease, db::Transaction::Mode::read);
        // What may be very many rows is read as it comes; the answer keeps of it what its bound allows.
        const bool many = limit > kLimitMax + 1;
        db::Rows rows = many ? lease->stream_within(prepared->plan->reach, prepared->plan->sql, params)
                             : lease->query_within(prepared->plan->reach, prepared->plan->sql, params);
        const bool any = rows.next();
        if (any) {
          if (JW_FAULT(40, rows.is_null(0), false)) return identity::session_ended();
          seen = rows.integer(0);
          if (JW_FAULT(39, *seen == epoch, true)) return read(*prepared, rows, true);
        } else {
          seen = gate(*lease, run);
          if (!seen) return identity::session_ended();
          if (JW_FAULT(41, *seen == epoch, true)) return read(*prepared, rows, false);
        }
      }
    }
    policy.refresh(*lease);
  }
  return Refusal{Code::unavailable,
                 "policy.changing",
                 {"权限正在变更，请稍后重试", "permissions are being changed; try again in a moment"}};
}

template <class T, class Read>
Settled<T> Engine::Impl::settled(const Query& query, Action action, Run& run, int64_t limit,
                                 std::chrono::milliseconds time, const Read& read) {
  try {
    Result<T> result = governed(query, action, run, limit, time, read);
    if (!result) return refused<T>(std::move(run), std::move(result).refusal());
    run.entry.kind = policy::action_name(action);
    run.entry.decision = "allowed";
    return {std::move(run.entry), std::move(result).value()};
  } catch (const db::Error& error) {
    return refused<T>(std::move(run), store_failed(error));
  }
}

Outcome Engine::Impl::answer(const Query& query, Action action, Run run) {
  const auto read = [&](const Prepared& prepared, db::Rows& rows, bool any) -> Result<Answer> {
    const Plan& plan = *prepared.plan;
    Answer answer;
    std::string& out = answer.json;
    out.reserve(8192);
    out += "{\"columns\":";
    out += plan.columns_json;
    out += ",\"rows\":[";
    std::string cells;
    Subjects subjects(plan, run.asker.person);
    Cursor last;
    bool more = false;
    for (; any; any = rows.next()) {
      if (answer.rows == query.limit) {
        more = true;
        break;
      }
      out += answer.rows == 0 ? "[" : ",[";
      for (size_t c = 0; c < plan.out.size(); ++c) {
        const OutColumn& column = plan.out[c];
        if (c > 0) out += ',';
        append_cell(out, rows, column.column, column.printed);
        if (column.mark >= 0) {
          const int64_t mark = rows.integer(static_cast<size_t>(column.mark));
          if (mark != 0) {
            cells += (cells.empty() ? "[" : ",[") + std::to_string(answer.rows) + ',' + std::to_string(c) +
                     (mark == 1 ? ",\"masked\"]" : ",\"hidden\"]");
          }
        }
      }
      out += ']';
      if (static_cast<int64_t>(out.size() + cells.size()) > options.statement_bytes_max) return too_heavy();
      subjects.add(rows);
      ++answer.rows;
      if (answer.rows == query.limit) {
        for (size_t column : plan.cursor) last.values.push_back(catalog::value_of(rows, column));
      }
    }
    out += "],\"hidden\":{\"fields\":";
    out += hidden_json(*prepared.decision, plan);
    out += ",\"cells\":[" + cells + "]},\"next\":";
    if (more) {
      append_json_string(
          out, seal_cursor(options.token_key, prepared.context + "/" + std::to_string(run.asker.account), last));
    } else {
      out += "null";
    }
    run.entry.digest = crypto::sha256(out);
    out += ",\"scope\":";
    out += prepared.decision->scope_json;
    out += '}';
    run.entry.subjects = subjects.take();
    run.entry.rows = answer.rows;
    return answer;
  };
  return settled<Answer>(query, action, run, query.limit + JW_FAULT(38, 1, 0), options.list_limit, read);
}

// Persons in groups so small that the numbers tell of each (§1.3.1). Of a question about very many rows, whose persons
// cannot be counted beside it, those who are a group by themselves.
std::vector<record::Subject> Engine::Impl::few_of(const Prepared& prepared, const Run& run, const Query& query,
                                                  const Statistics& statistics) {
  const bool countable = statistics.counted <= kRowsCountable;
  if (prepared.plan->least < 0 || statistics.counted == 0 || (!countable && !statistics.lone)) return {};
  const Plan& plan = countable ? *prepared.plan->everybody : *prepared.plan->loners;
  const std::vector<policy::Literal> literals = literals_of(query);
  std::vector<db::Param> params;
  std::vector<std::string> texts;
  policy::bind(plan.slots, binding(prepared, run, literals, kGroupsMax), params, texts);
  db::Rows rows = prepared.reader->query_within(plan.reach, plan.sql, params);
  std::map<std::vector<catalog::Value>, std::vector<std::pair<int64_t, int64_t>>> groups;
  while (rows.next()) {
    if (rows.is_null(static_cast<size_t>(plan.person))) continue;
    std::vector<catalog::Value> keys;
    for (const OutColumn& group : plan.groups) keys.push_back(catalog::value_of(rows, group.column));
    groups[std::move(keys)].emplace_back(rows.integer(static_cast<size_t>(plan.person)),
                                         plan.group < 0 ? 0 : rows.integer(static_cast<size_t>(plan.group)));
  }
  Subjects subjects(plan, run.asker.person);
  for (const auto& [keys, persons] : groups) {
    if (persons.size() > static_cast<size_t>(kFewPersons)) continue;
    for (const auto& [person, group] : persons) subjects.add(person, group);
  }
  return subjects.take();
}

Outcome Engine::Impl::answer_statistics(const Query& query, Run run) {
  const auto read = [&](const Prepared& prepared, db::Rows& rows, bool any) -> Result<Answer> {
    // Without groups an aggregate of nothing is one row; with groups no row means no group.
    JW_TRY(Statistics statistics, fold(query, *prepared.plan, rows, any, options.statement_bytes_max));
    Answer answer;
    answer.rows = statistics.rows;
    answer.json = "{\"columns\":" + prepared.plan->columns_json + ",\"rows\":" + statistics.rows_json +
                  ",\"hidden\":{\"fields\":{},\"cells\":[]},\"next\":null";
    run.entry.digest = crypto::sha256(answer.json);
    answer.json += ",\"scope\":" + prepared.decision->scope_json + "}";
    run.entry.rows = answer.rows;
    run.entry.subjects = few_of(prepared, run, query, statistics);
    return answer;
  };
  return settled<Answer>(query, Action::statistics, run, 20 * kGroupsMax + 1, options.statistics_limit, read);
}

void Engine::name_condition(std::string dataset, std::string name, Meaning meaning) {
  impl_->conditions.push_back({std::move(dataset), std::move(name), std::move(meaning)});
}

Outcome Engine::ask(const Asker& asker, const json::value& request) {
  Run run = impl_->begin(asker, request);
  Result<Query> query = impl_->read(request, run);
  if (!query) return refused(std::move(run), std::move(query).refusal());
  if (query->is_statistics()) return impl_->answer_statistics(*query, std::move(run));
  return impl_->answer(*query, Action::query, std::move(run));
}

Outcome Engine::ask_one(const Asker& asker, std::string_view name, std::string_view key, std::string_view purpose) {
  json::object request;
  request["dataset"] = name;
  request["key"] = key;
  if (!purpose.empty()) request["purpose"] = purpose;
  Run run = impl_->begin(asker, request);
  const Refusal unknown{Code::not_found,
                        "query.row_unknown",
                        {"没有这条记录，或不在您可见的范围内", "there is no such row within what you may see"}};
  const Dataset* dataset = impl_->catalogue.find(name);
  if (dataset == nullptr) return refused(std::move(run), unknown);
  Query query;
  query.dataset = dataset;
  query.limit = 1;
  query.purpose = purpose;
  // A key that cannot be one is the key of no row: whoever has no permission hears that, not that the key is wrong.
  const std::vector<std::string_view> parts = split(key, '~');
  bool possible = parts.size() == dataset->key.size();
  catalog::Condition all;
  for (size_t i = 0; i < dataset->key.size(); ++i) {
    catalog::Condition leaf;
    leaf.kind = catalog::Condition::Kind::leaf;
    leaf.field = dataset->key[i];
    Result<catalog::Value> value =
        catalog::parse_value(impl_->catalogue, dataset->fields.at(static_cast<size_t>(leaf.field)),
                             possible ? parts[i] : std::string_view{});
    if (!possible || !value) {
      leaf.op = catalog::Op::in;  // of nothing
      possible = false;
    } else if (std::holds_alternative<std::monostate>(*value)) {
      leaf.op = catalog::Op::is_null;
      leaf.values = {int64_t{1}};
    } else {
      leaf.values = {std::move(value).value()};
    }
    all.parts.push_back(std::move(leaf));
  }
  query.where = std::move(all);
  Outcome outcome = impl_->answer(query, Action::detail, std::move(run));
  if (auto* answer = std::get_if<Answer>(&outcome.result); answer != nullptr && answer->rows == 0) {
    outcome.entry.kind = "refusal";
    outcome.entry.decision = unknown.type;
    outcome.result = unknown;
  }
  return outcome;
}

Engine::DocumentOutcome Engine::make_document(const Asker& asker, const json::value& request, Action action, bool zh,
                                              const HeadSink& head, const RowSink& sink) {
  Run run = impl_->begin(asker, request);
  const auto refuse = [&](Refusal refusal) { return refused<Document>(std::move(run), std::move(refusal)); };
  Result<Query> parsed = impl_->read(request, run);
  if (!parsed) return refuse(std::move(parsed).refusal());
  Query& query = *parsed;
  if (query.purpose.empty()) {
    return refuse({Code::unprocessable,
                   "query.purpose_required",
                   {"导出和打印须写明目的（§3.3.1）", "exports and prints need a stated purpose (§3.3.1)"},
                   {{"purpose", "required", {"须写明目的", "a purpose is required"}}}});
  }
  if (query.is_statistics()) {
    return refuse(
        {Code::unprocessable, "query.not_a_list", {"只能导出列表查询", "only list queries become documents"}, {}});
  }
  const auto read = [&](const Impl::Prepared& prepared, db::Rows& rows, bool any) -> Result<Document> {
    const Plan& plan = *prepared.plan;
    Document document;
    for (const OutColumn& column : plan.out) {
      const catalog::Field& field = query.dataset->fields.at(static_cast<size_t>(column.field));
      document.columns.push_back({field.name, field.label, &field});
      document.basis.clear[field.name] = !prepared.decision->fields.at(static_cast<size_t>(column.field)).clear.empty();
    }
    document.basis.marks = prepared.decision->basis;
    head(document.columns);
    Subjects subjects(plan, asker.person);
    crypto::Sha256 digest;
    int64_t bytes = 0;
    std::vector<std::string> texts(plan.out.size());
    for (; any; any = rows.next()) {
      if (document.rows == impl_->options.document_rows_max || bytes > impl_->options.document_bytes_max) {
        return Refusal{Code::too_large,
                       "query.document_too_large",
                       {"结果超过导出上限，请收窄条件", "more rows than a document may hold; narrow the conditions"}};
      }
      for (size_t c = 0; c < plan.out.size(); ++c) {
        const catalog::Value value = catalog::value_of(rows, plan.out[c].column);
        texts[c] = catalog::print_value(impl_->catalogue, *document.columns[c].field, value, zh);
        bytes += static_cast<int64_t>(texts[c].size()) + 3;
        digest.add(texts[c]).add(std::string_view("\x1f", 1));
      }
      digest.add("\n");
      subjects.add(rows);
      sink(texts);
      ++document.rows;
    }
    document.scope_json = prepared.decision->scope_json;
    run.entry.digest = digest.finish();
    run.entry.rows = document.rows;
    run.entry.subjects = subjects.take();
    return document;
  };
  return impl_->settled<Document>(query, action, run, impl_->options.document_rows_max + 1,
                                  impl_->options.statistics_limit, read);
}

size_t Engine::plans() const {
  const std::shared_lock lock(impl_->mutex);
  return impl_->plans.size();
}

std::vector<db::Param> Engine::Statement::params() const {
  std::vector<db::Param> params;
  for (const catalog::Value& value : values) params.push_back(catalog::param_of(value));
  return params;
}

Result<Engine::Statement> Engine::statement(const Asker& asker, const json::value& request) {
  Run run = impl_->begin(asker, request);
  JW_TRY(const Query query, impl_->read(request, run));
  const db::Store::Lease lease = impl_->store.reader();
  JW_TRY(const Impl::Prepared prepared,
         impl_->prepare(*lease, query, query.is_statistics() ? Action::statistics : Action::query, run));
  std::vector<db::Param> params;
  std::vector<std::string> texts;
  const std::vector<policy::Literal> literals = literals_of(query);
  policy::bind(prepared.plan->slots, Impl::binding(prepared, run, literals, query.limit + 1), params, texts);
  Statement statement{prepared.plan->sql, {}, prepared.plan->reach};
  for (const db::Param& param : params) {
    if (param.kind == db::Kind::integer) {
      statement.values.emplace_back(param.integer);
    } else {
      statement.values.emplace_back(std::string(param.bytes));
    }
  }
  return statement;
}

bool Engine::plan_only(const Asker& asker, const Query& query) {
  Run run{asker, impl_->clock.now(), {}};
  const db::Store::Lease lease = impl_->store.reader();
  return static_cast<bool>(
      impl_->prepare(*lease, query, query.is_statistics() ? Action::statistics : Action::query, run));
}

}  // namespace jw::query
