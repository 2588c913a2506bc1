// From a request to an answer: decide, plan, run, print, and the entry for the record.
#include "kernel/query/engine.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <map>
#include <set>

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

// Whose data an answer told about: each person up to record::kPersonsMax, beyond that the groups they belong to, and
// each person that belongs to none (§1.3.1). Where it is sensitive to be in a dataset at all, which of a class are is
// nobody's to guess: there each person is noted, however many. So is whoever was asked for by name.
class Subjects {
 public:
  Subjects(const Dataset& dataset, int64_t asker)
      : one_by_one_(dataset.level >= catalog::Level::sensitive), asker_(asker) {}

  void add(const Plan& plan, const db::Rows& rows) {
    if (const auto person = person_in(plan, rows)) persons_.push_back(*person);
  }
  void add_named(const Plan& plan, const db::Rows& rows) {
    if (const auto person = person_in(plan, rows)) named_.insert(person->first);
  }

  std::vector<record::Subject> take() {
    std::sort(persons_.begin(), persons_.end());
    persons_.erase(
        std::unique(persons_.begin(), persons_.end(), [](const auto& a, const auto& b) { return a.first == b.first; }),
        persons_.end());
    const bool each = one_by_one_ || persons_.size() <= record::kPersonsMax;
    std::vector<record::Subject> out;
    for (const int64_t person : named_) out.push_back({record::Subject::Kind::person, person, 1});
    std::map<int64_t, int64_t> groups;
    for (const auto& [person, group] : persons_) {
      if (named_.contains(person)) continue;
      if (each || group == 0) {
        out.push_back({record::Subject::Kind::person, person, 1});
      } else {
        ++groups[group];
      }
    }
    for (const auto& [group, count] : groups) out.push_back({record::Subject::Kind::group, group, count});
    std::sort(out.begin(), out.end(),
              [](const auto& a, const auto& b) { return std::pair(a.kind, a.id) < std::pair(b.kind, b.id); });
    return out;
  }

 private:
  using Person = std::pair<int64_t, int64_t>;  // and the group
  std::optional<Person> person_in(const Plan& plan, const db::Rows& rows) const {
    if (plan.person < 0 || rows.is_null(static_cast<size_t>(plan.person))) return std::nullopt;
    const int64_t person = rows.integer(static_cast<size_t>(plan.person));
    if (JW_FAULT(47, person == asker_, true)) return std::nullopt;
    return Person{person, plan.group >= 0 ? rows.integer(static_cast<size_t>(plan.group)) : 0};
  }

  const bool one_by_one_;
  const int64_t asker_;
  std::vector<Person> persons_;
  std::set<int64_t> named_;
};

namespace {

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

// Natural keys of rows about a person that stand in a condition, by dataset: a ref to such a row, or the key of one.
using Names = std::map<int, std::vector<catalog::Value>>;

void collect_names(const catalog::Catalogue& catalogue, const Dataset& dataset, const catalog::Condition& condition,
                   Names& names) {
  using catalog::Condition;
  for (const Condition& part : condition.parts) collect_names(catalogue, dataset, part, names);
  const bool literal = condition.kind == Condition::Kind::leaf && condition.source == Condition::Source::literal;
  if (!literal || condition.op == catalog::Op::is_null || condition.field == Condition::kRowId) return;
  const catalog::Field& field = dataset.fields.at(static_cast<size_t>(condition.field));
  const auto dataset_of = [&](int index) { return &catalogue.datasets.at(static_cast<size_t>(index)); };
  const Dataset* named = &dataset;
  int key = field.is_lookup() ? field.target : condition.field;
  for (const int hop : field.path) named = dataset_of(named->fields.at(static_cast<size_t>(hop)).ref);
  if (field.type == catalog::Type::ref) {
    named = dataset_of(field.ref);
    key = named->key.front();
  }
  if (!named->has_subject || named->key.size() != 1 || named->key.front() != key) return;
  std::vector<catalog::Value>& keys = names[named->index];
  keys.insert(keys.end(), condition.values.begin(), condition.values.end());
}

Names names_in(const catalog::Catalogue& catalogue, const Query& query) {
  Names names;
  if (!query.dataset->has_subject) return names;
  if (query.where) collect_names(catalogue, *query.dataset, *query.where, names);
  for (const Measure& measure : query.measures) {
    if (measure.where) collect_names(catalogue, *query.dataset, *measure.where, names);
  }
  return names;
}

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

Refusal agreement_due() {
  Refusal refusal{Code::forbidden,
                  "identity.agreement_due",
                  {"接触个人数据的人员须先签署保密协议（§4.3.3），签署后即可查询",
                   "whoever handles data about persons signs the confidentiality agreement first (§4.3.3)"}};
  refusal.remedy = Remedy{
      "4.3.3", {"在“我的”页面阅读并签署保密协议", "read and sign the agreement on the page “Me”"}, "agreement", "{}"};
  return refusal;
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
  if (run.asker.agreement_due && query.dataset->tells_of_persons && !query.dataset->by_kernel) return agreement_due();
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
    return agreement_due();
  const Decision& decision = *prepared.decision;
  run.entry.purpose = decision.purpose;
  run.entry.basis = decision.basis;
  run.entry.post = decision.post;
  run.entry.unit = decision.unit;
  prepared.context = shape_of(query, decision);
  std::vector<bool> nulls;
  if (!query.after.empty()) {
    prepared.cursor = unseal_cursor(options.token_key, context_of(prepared, run), query.after);
    if (!prepared.cursor) {
      return Refusal{Code::unprocessable,
                     "query.bad_token",
                     {"翻页标记无效，请从第一页重新查询",
                      "the page token does not belong to this query; start from the first page"},
                     {{"after",
                       "bad_token",
                       {"应是同一查询上一页给出的 next", "must be the next of the page before of the same query"}}}};
    }
    // Of statistics the page is found after they are made.
    for (const catalog::Value& value : prepared.cursor->values)
      if (!query.is_statistics()) nulls.push_back(std::holds_alternative<std::monostate>(value));
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
        std::optional<db::Transaction> snapshot;  // whom it is about is asked in further statements
        if (prepared->plan->few || !names_in(catalogue, query).empty())
          snapshot.emplace(*lease, db::Transaction::Mode::read);
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

// A page token is this account's, of this question.
std::string Engine::Impl::context_of(const Prepared& prepared, const Run& run) {
  return prepared.context + "/" + std::to_string(run.asker.account);
}

void Engine::Impl::append_next(std::string& out, const Prepared& prepared, const Run& run,
                               const std::optional<Cursor>& last) const {
  if (!last) {
    out += "null";
    return;
  }
  append_json_string(out, seal_cursor(options.token_key, context_of(prepared, run), *last));
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
    Subjects subjects(*query.dataset, run.asker.person);
    Cursor last;
    bool more = false;
    for (; any; any = rows.next()) {
      if (answer.rows == query.limit) {
        more = true;  // that there is one more tells of it
        if (JW_FAULT(90, true, false)) subjects.add(plan, rows);
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
      subjects.add(plan, rows);
      ++answer.rows;
      if (answer.rows == query.limit) {
        for (size_t column : plan.cursor) last.values.push_back(catalog::value_of(rows, column));
      }
    }
    out += "],\"hidden\":{\"fields\":";
    out += hidden_json(*prepared.decision, plan);
    out += ",\"cells\":[" + cells + "]},\"next\":";
    append_next(out, prepared, run, more ? std::optional(std::move(last)) : std::nullopt);
    run.entry.digest = crypto::sha256(out);
    out += ",\"scope\":";
    out += prepared.decision->scope_json;
    out += '}';
    add_named(prepared, run, query, subjects);
    run.entry.subjects = subjects.take();
    run.entry.rows = answer.rows;
    return answer;
  };
  return settled<Answer>(query, action, run, query.limit + JW_FAULT(38, 1, 0), options.list_limit, read);
}

template <class Each>
void Engine::Impl::each_row(const Prepared& at, const Prepared& under, const Plan& plan, const Run& run,
                            const Query& query, int64_t limit, const Each& each) {
  const std::vector<policy::Literal> literals = literals_of(query);
  std::vector<db::Param> params;
  std::vector<std::string> texts;
  policy::bind(plan.slots, binding(under, run, literals, limit), params, texts);
  db::Rows rows = at.reader->query_within(plan.reach, plan.sql, params);
  while (rows.next()) each(rows);
}

// Whom the conditions name by key, found or not: asked about in vain is asked about (§1.3.1). Only whose row the asker
// may query, and nothing of it shows.
void Engine::Impl::add_named(const Prepared& prepared, const Run& run, const Query& query, Subjects& subjects) {
  if (run.asker.agreement_due || JW_FAULT(91, false, true)) return;
  for (auto& [index, keys] : names_in(catalogue, query)) {
    Query named;
    named.dataset = &catalogue.datasets.at(static_cast<size_t>(index));
    named.fields = {named.dataset->key.front()};
    named.limit = static_cast<int64_t>(keys.size());
    catalog::Condition leaf;
    leaf.kind = catalog::Condition::Kind::leaf;
    leaf.field = named.fields.front();
    leaf.op = catalog::Op::in;
    leaf.values = std::move(keys);
    named.where = std::move(leaf);
    Prepared asked;
    asked.authority = prepared.authority;
    asked.decision = &prepared.authority->decide(*named.dataset, Action::query, query.purpose);
    if (!asked.decision->allowed() || asked.decision->own_only) continue;
    asked.context = shape_of(named, *asked.decision);
    const auto plan = plan_for(named, asked, {});
    if (!plan) continue;  // the key is closed
    each_row(prepared, asked, **plan, run, named, named.limit,
             [&](const db::Rows& rows) { subjects.add_named(**plan, rows); });
  }
}

Outcome Engine::Impl::answer_statistics(const Query& query, Run run) {
  const auto read = [&](const Prepared& prepared, db::Rows& rows, bool any) -> Result<Answer> {
    // Without groups an aggregate of nothing is one row; with groups no row means no group.
    const Cursor* const after = prepared.cursor ? &*prepared.cursor : nullptr;
    JW_TRY(Statistics statistics, fold(query, *prepared.plan, rows, any, options.statement_bytes_max, after));
    Answer answer;
    answer.rows = statistics.rows;
    answer.json = "{\"columns\":" + prepared.plan->columns_json + ",\"groups\":" + std::to_string(statistics.groups) +
                  ",\"rows\":" + statistics.rows_json + ",\"hidden\":{\"fields\":{},\"cells\":[]},\"next\":";
    append_next(answer.json, prepared, run, statistics.last);
    run.entry.digest = crypto::sha256(answer.json);
    answer.json += ",\"scope\":" + prepared.decision->scope_json + "}";
    run.entry.rows = answer.rows;
    Subjects subjects(*query.dataset, run.asker.person);
    if (const Plan* few = prepared.plan->few.get()) {
      each_row(prepared, prepared, *few, run, query, kGroupsMax, [&](const db::Rows& of) { subjects.add(*few, of); });
    }
    add_named(prepared, run, query, subjects);
    run.entry.subjects = subjects.take();
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
    document.basis.marks = prepared.decision->basis + forbid_marks(impl_->catalogue, *prepared.decision);
    head(document.columns);
    Subjects subjects(*query.dataset, asker.person);
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
      subjects.add(plan, rows);
      sink(texts);
      ++document.rows;
    }
    document.scope_json = prepared.decision->scope_json;
    run.entry.digest = digest.finish();
    run.entry.rows = document.rows;
    impl_->add_named(prepared, run, query, subjects);
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
