#include "tests/differential/side.hpp"

#include <algorithm>
#include <set>

#include "base/text.hpp"
#include "kernel/catalog/schema.hpp"
#include "kernel/identity/api.hpp"
#include "kernel/policy/reach.hpp"
#include "kernel/query/plan.hpp"
#include "platform/crypto/api.hpp"

namespace jw::differential {

namespace json = boost::json;
using catalog::Dataset;
using catalog::Field;
using policy::Action;

Action action_of(const Case& one) {
  if (one.form == Case::Form::one) return Action::detail;
  if (one.form == Case::Form::document) return one.seed % 4 == 0 ? Action::print : Action::export_;
  return one.request.contains("measures") ? Action::statistics : Action::query;
}

std::string login_of(int64_t account) {
  return "a" + std::to_string(account);
}

policy::Asker asker_of(int64_t account) {
  policy::Asker asker;
  asker.account = account;
  asker.person = account <= kPersons ? account : account == 5 ? 1 : 0;
  asker.session = account;
  asker.kind = "test";
  return asker;
}

policy::Asker Case::asker() const {
  policy::Asker asker = asker_of(account);
  asker.agreement_due = agreement_due;
  return asker;
}

void Case::set_policy(std::vector<policy::Atom> own_defaults, std::vector<policy::Grant> own_grants) {
  Rules rules{&catalogue(), test_regulation(catalogue()), {}};
  rules.regulation.atoms = std::move(own_defaults);
  for (const policy::Grant& grant : own_grants) {
    auto atom = policy::grant_atom(catalogue(), rules.regulation, grant);
    if (!atom) throw std::runtime_error("a grant that is none: " + atom.refusal().detail.en);
    rules.grants.push_back(std::move(atom).value());
  }
  policy_ = std::make_shared<Policy>(Policy{std::move(own_grants), std::move(rules)});
}

Side::Side(db::Dialect dialect, int variant) : catalogue_(test_catalogue(variant)), made_(dialect) {
  if (dialect == db::Dialect::postgres) {
    // A database that by itself sorts as Chinese dictionaries do: what is not told to compare by bytes shows.
    tests::TestStore::administer("DROP DATABASE " + made_.name());
    tests::TestStore::administer("CREATE DATABASE " + made_.name() +
                                 " TEMPLATE template0 LOCALE 'C' LOCALE_PROVIDER icu ICU_LOCALE 'zh-Hans-CN'");
  }
  const auto writer = made_.store().writer();
  db::migrate(*writer, db::migrations_of(JW_SOURCE_DIR));
  if (const auto done = catalog::apply_schema(catalogue_, *writer, false); !done)
    throw std::runtime_error(done.refusal().detail.en);
  db::Transaction transaction(*writer, db::Transaction::Mode::write);
  for (const Dataset& dataset : catalogue_.datasets)  // put_world() gives its rows ids of its own
    writer->execute("INSERT INTO row_id (dataset, next) VALUES ($1, $2)", {dataset.name, kFirstId});
  for (int64_t person = 1; person <= kPersons; ++person)
    writer->execute("INSERT INTO person (id, name, created_us) VALUES ($1, 'p', 0)", {person});
  for (int64_t account = 1; account <= kAccounts; ++account) {
    const int64_t person = asker_of(account).person;
    writer->execute(
        "INSERT INTO account (id, login, kind, display_name, person_id, created_us) VALUES ($1, $2, 'test', 'a', $3, "
        "0)",
        {account, login_of(account), person == 0 ? db::Param() : db::Param(person)});
    writer->execute(
        "INSERT INTO session (id, token_digest, account, created_us, expires_us, idle_until_us, remote, "
        "user_agent_digest) "
        "VALUES ($1, $2, $1, 0, $3, $3, 'r', $2)",
        {account, db::Param::blob("s" + std::to_string(account)), INT64_MAX});
  }
  transaction.commit();
  // The seat-belt of the product: what the engine reads beyond its permissions is refused by the store, and differs.
  db::Belt belt;
  belt.readers = policy::whole_catalogue(catalogue_);
  for (const auto& [table, columns] : belt.readers.columns) belt.sealed.push_back(table);
  belt.readers.add(policy::readers_reach());
  belt.readers.add(identity::readers_reach());
  if (const auto loose = made_.store().fasten(belt); !loose.empty()) throw std::runtime_error(loose.front().en);
}

void Side::raise_epoch(db::Connection& writer) {
  writer.execute("UPDATE gate SET epoch = epoch + 1 WHERE id = 1");
}

void Side::at(int64_t now_us) {
  if (now_us < clock_.now_us) raise_epoch(*made_.store().writer());
  clock_.now_us = now_us;
}

void Side::put(const Case& all) {
  at(all.now_us);
  put_world(*all.world);
  put_policy(all.defaults(), all.grants());
}

void Side::put_world(const World& world) {
  const auto writer = made_.store().writer();
  db::Transaction transaction(*writer, db::Transaction::Mode::write);
  for (const Dataset& dataset : catalogue_.datasets) {
    writer->execute("DELETE FROM " + catalog::table_name(dataset));
    std::string columns = "id", values = "$1";
    const auto column = [&](const std::string& name) {
      columns += ", \"" + name + "\"";
      values += ", $" + std::to_string(std::count(columns.begin(), columns.end(), ',') + 1);
    };
    if (dataset.person) column("person_id");
    for (const Field& field : dataset.fields) {
      if (field.is_lookup()) continue;
      column(field.name);
      if (field.pinyin) column(field.name + "_sort");
    }
    column("batch_id");
    column("since_us");
    const std::string sql =
        "INSERT INTO " + catalog::table_name(dataset) + " (" + columns + ") VALUES (" + values + ")";
    for (const Row& row : world[static_cast<size_t>(dataset.index)]) {
      std::vector<db::Param> params = {row.id};
      std::vector<std::string> sort_keys;
      sort_keys.reserve(row.cells.size());
      if (dataset.person) params.emplace_back(row.person);
      for (size_t f = 0; f < row.cells.size(); ++f) {
        params.push_back(catalog::param_of(row.cells[f]));
        if (!dataset.fields[f].pinyin) continue;
        const auto* name = std::get_if<std::string>(&row.cells[f]);
        params.push_back(name == nullptr ? db::Param() : db::Param(sort_keys.emplace_back(pinyin_key(*name))));
      }
      params.emplace_back(0);
      params.emplace_back(0);
      writer->execute(sql, params);
    }
  }
  raise_epoch(*writer);
  transaction.commit();
}

void Side::write_grants(db::Connection& writer, const std::vector<policy::Grant>& grants) {
  writer.execute("DELETE FROM access_grant");
  for (const policy::Grant& grant : grants) {
    writer.execute(
        "INSERT INTO access_grant (id, number, effect, account, post, unit, dataset, content, valid_from, valid_until, "
        "source, made) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0)",
        {++grant_id_, grant.number, grant.effect == policy::Effect::forbid ? "forbid" : "permit",
         grant.account == 0 ? db::Param() : db::Param(grant.account),
         grant.post.empty() ? db::Param() : db::Param(grant.post), grant.unit, grant.dataset, grant.content,
         grant.from.us, grant.until.us, grant.source});
  }
  raise_epoch(writer);
}

void Side::put_grants(const std::vector<policy::Grant>& grants) {
  const auto writer = made_.store().writer();
  db::Transaction transaction(*writer, db::Transaction::Mode::write);
  write_grants(*writer, grants);
  transaction.commit();
}

void Side::put_policy(const std::vector<policy::Atom>& defaults, const std::vector<policy::Grant>& grants) {
  put_grants(grants);
  policy::Regulation regulation = test_regulation(catalogue_);
  regulation.atoms = defaults;
  engine_.reset();
  uncached_.reset();
  policy_ = std::make_unique<policy::Policy>(catalogue_, std::move(regulation), made_.store());
  query::few_persons = kFewPersons;
  query::Options options;
  options.token_key = std::string(32, 'k');
  engine_ = std::make_unique<query::Engine>(catalogue_, *policy_, made_.store(), clock_, options);
  options.cache_plans = false;
  uncached_ = std::make_unique<query::Engine>(catalogue_, *policy_, made_.store(), clock_, options);
}

void Side::end_sessions(bool ended) {
  const auto writer = made_.store().writer();
  writer->execute("UPDATE session SET ended_us = $1", {ended ? db::Param(1) : db::Param()});
}

// ---- asking

namespace {

std::string words(const Refusal& refusal) {
  std::string out = "refused " + refusal.type + " " + std::to_string(static_cast<int>(refusal.code)) + " " +
                    refusal.detail.zh + " " + refusal.detail.en;
  for (const FieldProblem& problem : refusal.fields)
    out += " " + problem.field + ":" + problem.code + ":" + problem.text.en;
  if (refusal.remedy) out += " " + refusal.remedy->clause + refusal.remedy->text.zh + refusal.remedy->prefill_json;
  return out;
}

std::string text_at(const json::object& object, const char* key) {
  const json::value* value = object.if_contains(key);
  return value == nullptr || !value->is_string() ? std::string() : std::string(value->get_string());
}

struct Got {
  std::string refusal, path;
  std::string answer;  // an answer's JSON, or a document's lines
  record::Entry entry;
};

Got ask(query::Engine& engine, const Case& one) {
  const policy::Asker asker = one.asker();
  Got got;
  const auto refused = [&](const Refusal& refusal) {
    got.refusal = refusal.type;
    got.path = refusal.fields.empty() ? "" : refusal.fields.front().field;
    got.answer = words(refusal);
  };
  if (one.form == Case::Form::document) {
    std::string lines;
    auto outcome = engine.make_document(
        asker, one.request, action_of(one), false, [](const auto&) {},
        [&](const std::vector<std::string>& texts) {
          for (const std::string& text : texts) lines += text + "\x1f";
          lines += "\n";
        });
    const auto* refusal = std::get_if<Refusal>(&outcome.result);
    refusal != nullptr ? refused(*refusal) : static_cast<void>(got.answer = lines);
    got.entry = std::move(outcome.entry);
    return got;
  }
  query::Outcome outcome = one.form == Case::Form::ask
                               ? engine.ask(asker, one.request)
                               : engine.ask_one(asker, text_at(one.request, "dataset"), text_at(one.request, "key"),
                                                text_at(one.request, "purpose"));
  const auto* refusal = std::get_if<Refusal>(&outcome.result);
  refusal != nullptr ? refused(*refusal) : static_cast<void>(got.answer = std::get<query::Answer>(outcome.result).json);
  got.entry = std::move(outcome.entry);
  return got;
}

// The query that a key asks for; nothing when the key cannot be one.
std::optional<query::Query> by_key(const Case& one) {
  query::Query query;
  query.dataset = one.catalogue().find(text_at(one.request, "dataset"));
  query.purpose = text_at(one.request, "purpose");
  query.limit = 1;
  const std::string key = text_at(one.request, "key");
  const auto parts = split(key, '~');
  if (query.dataset == nullptr || parts.size() != query.dataset->key.size()) return std::nullopt;
  catalog::Condition all;
  for (size_t i = 0; i < parts.size(); ++i) {
    catalog::Condition leaf;
    leaf.kind = catalog::Condition::Kind::leaf;
    leaf.field = query.dataset->key[i];
    auto value =
        catalog::parse_value(one.catalogue(), query.dataset->fields[static_cast<size_t>(leaf.field)], parts[i]);
    if (!value) return std::nullopt;
    leaf.values = {*value};
    all.parts.push_back(leaf);
  }
  query.where = all;
  return query;
}

std::string joined(const std::vector<std::string>& rows) {
  std::string out;
  for (const std::string& row : rows) out += (out.empty() ? "" : ",") + row;
  return out;
}

// Sight of each cell as the answer tells it: by field where it is the same on all rows, by cell where it is not.
std::optional<std::string> compare_sights(const query::Query& query, const Expected& expected,
                                          std::string_view hidden) {
  const bool all_clear = std::all_of(expected.sight.begin(), expected.sight.end(), [](const auto& row) {
    return std::all_of(row.begin(), row.end(), [](Seen seen) { return seen == Seen::clear; });
  });
  if (hidden == R"({"fields":{},"cells":[]})" && all_clear) return std::nullopt;
  const json::value told = json::parse(hidden);
  const json::object& fields = told.at("fields").get_object();
  auto seen = expected.sight;
  for (auto& row : seen) {
    for (size_t c = 0; c < row.size(); ++c) {
      const std::string& name = query.dataset->fields[static_cast<size_t>(expected.columns[c])].name;
      const json::value* field = fields.if_contains(name);
      row[c] = field != nullptr && field->at("sight") == "masked" ? Seen::masked : Seen::clear;
    }
  }
  for (const json::value& mark : told.at("cells").get_array()) {
    const auto row = static_cast<size_t>(mark.at(0).as_int64()), column = static_cast<size_t>(mark.at(1).as_int64());
    const std::string& name = query.dataset->fields[static_cast<size_t>(expected.columns.at(column))].name;
    if (!fields.contains(name) || fields.at(name).at("sight") != "varies")
      return "a mark on a field that does not vary";
    seen.at(row).at(column) = mark.at(2) == "masked" ? Seen::masked : Seen::hidden;
  }
  if (seen != expected.sight) return "marks of the cells differ";
  std::set<std::string> closed, told_closed;
  for (size_t f = 0; query.fields.empty() && f < query.dataset->fields.size(); ++f)
    closed.insert(query.dataset->fields[f].name);
  for (int f : expected.columns) closed.erase(query.dataset->fields[static_cast<size_t>(f)].name);
  for (const auto& field : fields) {
    if (field.value().at("sight") == "hidden") told_closed.insert(std::string(field.key()));
  }
  if (closed != told_closed) return "fields told as hidden differ";
  return std::nullopt;
}

std::string between(const std::string& text, std::string_view from, std::string_view to) {
  const size_t begin = text.find(from);
  if (begin == std::string::npos) return {};
  return text.substr(begin + from.size(), text.find(to, begin + from.size()) - begin - from.size());
}

// What the record will say of an answer: how many rows, their digest, and about whom.
std::optional<std::string> compare_entry(const Got& got, const Expected& expected, bool document) {
  std::set<int64_t> subjects;
  for (const record::Subject& subject : got.entry.subjects) subjects.insert(subject.id);
  if (subjects.size() != got.entry.subjects.size() || subjects != expected.subjects)
    return "other subjects in the record";
  if (got.entry.rows != static_cast<int64_t>(expected.rows.size())) return "another number of rows in the record";
  const std::string_view digested = std::string_view(got.answer).substr(0, got.answer.find(",\"scope\":"));
  if (!document && got.entry.digest != crypto::sha256(digested)) return "another digest in the record";
  return std::nullopt;
}

std::string document_lines(const Case& one, const query::Query& query, const Expected& expected) {
  std::string out;
  for (const auto& cells : expected.cells) {
    for (size_t c = 0; c < cells.size(); ++c) {
      const Field& field = query.dataset->fields[static_cast<size_t>(expected.columns[c])];
      out += catalog::print_value(one.catalogue(), field, cells[c], false) + "\x1f";
    }
    out += "\n";
  }
  return out;
}

}  // namespace

std::string answer_of(query::Engine& engine, const Case& one) {
  return ask(engine, one).answer;
}

std::string rows_of(const std::string& answer) {
  if (answer.starts_with("refused")) return answer;
  return between(answer, "\"rows\":", ",\"hidden\":") + between(answer, ",\"cells\":", ",\"next\":");
}

std::optional<std::string> compare_with_reference(query::Engine& engine, const Case& one) {
  const Got got = ask(engine, one);
  const policy::Asker asker = one.asker();
  std::optional<query::Query> query;
  const Action action = action_of(one);
  if (one.form == Case::Form::one) {
    query = by_key(one);
    if (!query)
      return got.refusal == "query.row_unknown" ? std::nullopt : std::optional("a key that is none: " + got.answer);
  } else {
    auto parsed = query::parse(one.catalogue(), one.request);
    if (!parsed) {
      return got.refusal == parsed.refusal().type
                 ? std::nullopt
                 : std::optional("expected " + parsed.refusal().type + "\ngot " + got.answer);
    }
    query = std::move(parsed).value();
    if (one.form == Case::Form::document) query->limit = 100'000;
  }
  Expected expected;
  if (one.form == Case::Form::document && query->purpose.empty()) {
    expected.refusal = "query.purpose_required";
  } else if (one.form == Case::Form::document && query->is_statistics()) {
    expected.refusal = "query.not_a_list";
  } else {
    expected = expected_answer({one.rules(), *one.world, asker, {one.now_us}}, *query, action);
  }
  if (one.form == Case::Form::one && expected.refusal.empty() && expected.rows.empty())
    expected.refusal = "query.row_unknown";
  if (!expected.refusal.empty()) {
    const bool same = expected.refusal == "policy.denied"
                          ? got.refusal.starts_with("policy.") && got.refusal != "policy.field_closed" &&
                                got.refusal != "policy.changing"
                          : got.refusal == expected.refusal && (expected.path.empty() || got.path == expected.path);
    if (same) return std::nullopt;
    return "expected refusal " + expected.refusal + " " + expected.path + "\ngot " + got.answer;
  }
  if (one.form == Case::Form::document) {
    const std::string lines = document_lines(one, *query, expected);
    if (auto wrong = compare_entry(got, expected, true)) return *wrong + "\ngot " + got.answer;
    return got.answer == lines ? std::nullopt : std::optional("expected " + lines + "\ngot " + got.answer);
  }
  const std::string rows = "[" + joined(expected.rows) + "]";
  if (!got.refusal.empty() || between(got.answer, ",\"rows\":", ",\"hidden\":") != rows)
    return "expected rows " + rows + "\ngot " + got.answer;
  if ((between(got.answer, "},\"next\":", ",\"scope\":") != "null") != expected.more)
    return std::string(expected.more ? "no further page: " : "a page after the last: ") + got.answer;
  if (query->is_statistics() && between(got.answer, ",\"groups\":", ",\"rows\"") != std::to_string(expected.groups))
    return "another number of groups: " + got.answer;
  if (!query->is_statistics()) {
    if (auto wrong = compare_sights(*query, expected, between(got.answer, ",\"hidden\":", ",\"next\":")))
      return *wrong + "\nexpected rows " + rows + "\ngot " + got.answer;
  }
  if (auto wrong = compare_entry(got, expected, false)) return *wrong + "\ngot " + got.answer;
  return std::nullopt;
}

}  // namespace jw::differential
