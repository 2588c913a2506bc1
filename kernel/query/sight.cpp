// The question turned round: from a cell to the people, and from a person to all that is open; see sight.hpp.
#include "kernel/query/sight.hpp"

#include <algorithm>
#include <optional>

#include "base/json.hpp"
#include "base/text.hpp"
#include "kernel/policy/reach.hpp"
#include "kernel/query/plan.hpp"

namespace jw::query {

using catalog::Dataset;
using catalog::Field;
using policy::Atom;
using policy::Frame;
using policy::Place;
using policy::Rules;
using policy::Sight;
using policy::Slot;
using policy::Statement;

namespace {

const std::string kPerson = "a.\"person_id\"";
constexpr std::string_view kLive = "a.closed_us IS NULL AND a.suspended_us IS NULL AND a.person_id IS NOT NULL";

db::Reach account_reach() {
  db::Reach reach;
  reach.columns["account"] = {"id", "person_id", "login", "display_name", "kind", "closed_us", "suspended_us"};
  return reach;
}

policy::Binding binding_at(Instant now, const std::vector<policy::Literal>& query,
                           const std::vector<policy::Literal>& policy) {
  policy::Binding binding;
  binding.now_us = now.us;
  binding.today = now.date();
  binding.query = &query;
  binding.policy = &policy;
  return binding;
}

template <class Each>
void run(db::Connection& reader, const db::Reach& reach, const Statement& statement, const std::string& sql,
         const policy::Binding& binding, const Each& each) {
  policy::each_row(reader, std::make_shared<const db::Reach>(reach), sql, statement.slots(), binding, each);
}

bool is_in_force(const Atom& atom, Instant now) {
  return atom.from_us <= now.us && now.us < atom.until_us;
}

void write_actions(JsonWriter& out, const Atom& atom) {
  out.key("actions").array();
  for (int i = 0; i < policy::kActions; ++i) {
    if ((atom.actions >> i & 1) != 0) out.value(policy::action_name(static_cast<policy::Action>(i)));
  }
  out.end_array();
}

// On what a permit or forbid rests.
void write_basis(JsonWriter& out, const Rules& rules, const Atom& atom) {
  const Dataset& dataset = rules.catalogue().datasets.at(static_cast<size_t>(atom.dataset));
  out.field("rows", policy::rows_in_words(rules.catalogue(), dataset, atom)).field("clause", atom.clause);
  if (atom.post >= 0) {
    const policy::Post& post = rules.regulation().posts.at(static_cast<size_t>(atom.post));
    out.key("post").object().field("name", post.name).field("label", post.label).end_object();
    if (!atom.unit.empty()) out.field("unit", atom.unit);
  }
  if (!atom.grant.empty()) {
    out.field("grant", atom.grant);
    out.field("from", Instant{atom.from_us}.print()).field("until", Instant{atom.until_us}.print());
  }
  if (atom.rule != 0) out.field("rule", atom.rule);
  write_actions(out, atom);
  out.key("purposes").array();
  for (const std::string& purpose : atom.purposes) out.value(purpose);
  out.end_array();
}

// ---- one cell

class Cell {
 public:
  Cell(const Rules& rules, const Dataset& dataset, int64_t row, int field, Instant now)
      : rules_(rules), dataset_(dataset), row_(row), field_(field), now_(now) {
    rules.for_each_atom([&](const Atom& atom) {
      if (!is_in_force(atom, now)) return;
      if (atom.effect == policy::Effect::forbid && (atom.actions & 1U) != 0) forbids_.push_back(&atom);
      const bool shows = atom.effect == policy::Effect::permit && atom.dataset == dataset.index && atom.reads();
      if (shows && atom.fields.at(static_cast<size_t>(field)) >= Sight::masked) permits_.push_back(&atom);
    });
  }

  std::string json(db::Connection& reader) const {
    std::string clear, masked;
    JsonWriter clear_out(clear), masked_out(masked);
    clear_out.array();
    masked_out.array();
    for (const Atom* permit : permits_) {
      const bool is_clear = permit->fields.at(static_cast<size_t>(field_)) == Sight::clear;
      write(is_clear ? clear_out : masked_out, reader, *permit);
    }
    clear_out.end_array();
    masked_out.end_array();
    const Field& field = dataset_.fields.at(static_cast<size_t>(field_));
    std::string out;
    JsonWriter json(out);
    json.object().field("dataset", dataset_.name).field("dataset_label", dataset_.label);
    json.field("field", field.name).field("label", field.label).field("level", static_cast<int>(field.level));
    json.key("clear").raw(clear).key("masked").raw(masked).end_object();
    return out;
  }

 private:
  // The rows whose forbids reach the cell: its own, and those it is borrowed from (design §3, lookups).
  template <class Each>
  void for_each_source(Frame& frame, const Each& each) const {
    Place place{&frame, {}};
    const Dataset* at = &dataset_;
    each(place, *at);
    const Field& field = dataset_.fields.at(static_cast<size_t>(field_));
    std::vector<int> path = field.path;
    if (field.type == catalog::Type::ref) path.push_back(field.is_lookup() ? field.target : field_);
    for (const int hop : path) {
      at = &rules_.catalogue().datasets.at(static_cast<size_t>(at->fields.at(static_cast<size_t>(hop)).ref));
      place.path.push_back(hop);
      each(place, *at);
    }
  }

  void write(JsonWriter& out, db::Connection& reader, const Atom& permit) const {
    Statement statement(rules_.catalogue(), rules_.regulation(), reader.dialect());
    Frame frame(statement, dataset_, "t");
    std::vector<policy::Literal> query{row_}, literals;
    policy::Need need(rules_.catalogue());
    need.row(dataset_);
    const auto rows_of = [&](const Place& place, const Dataset& at, const Atom& atom, bool positive) {
      Statement::Literals from{Slot::Kind::policy_literal, static_cast<int64_t>(literals.size())};
      if (atom.has_condition()) policy::collect_literals(atom.where, literals);
      statement.speak_for(rules_.regulation(), kPerson);
      need.rows(at, atom);
      return statement.rows(place, atom, positive, from).text();
    };
    const auto given_to = [&](const Atom& atom) {
      const auto slot = [&](const auto& value) {
        query.emplace_back(value);
        return statement.slot({Slot::Kind::query_literal, static_cast<int64_t>(query.size()) - 1});
      };
      if (atom.post < 0 && atom.account == 0) return std::string("1=1");  // a forbid whose holder cannot be told
      if (atom.post < 0) return "a.id = " + slot(atom.account);
      return rules_.holds_sql(statement, atom.post, atom.unit.empty() ? "" : slot(atom.unit), kPerson);
    };
    std::string where = std::string(kLive) + " AND " + frame.alias() +
                        ".\"id\" = " + statement.slot({Slot::Kind::query_literal, 0}) + " AND " + given_to(permit) +
                        " AND " + rows_of({&frame, {}}, dataset_, permit, true);
    for_each_source(frame, [&](const Place& place, const Dataset& at) {
      for (const Atom* forbid : forbids_) {
        if (forbid->dataset != at.index) continue;
        const std::string whom = given_to(*forbid);
        where += " AND (NOT (" + whom + ") OR " + rows_of(place, at, *forbid, false) + ")";
      }
    });
    for_each_source(frame, [&](const Place& place, const Dataset&) { need.way(dataset_, place.path); });
    db::Reach reach = account_reach();
    reach.add(need.reach());
    reach.add(rules_.posts_reach());
    std::string people;
    JsonWriter names(people);
    names.array();
    int64_t count = 0;
    run(reader, reach, statement,
        "SELECT a.login, a.display_name FROM account a CROSS JOIN " + frame.from_sql() + " WHERE " + where +
            " ORDER BY a.id",
        binding_at(now_, query, literals), [&](db::Rows& rows) {
          if (++count <= kNamesMax)
            names.object().field("account", rows.text(0)).field("name", rows.text(1)).end_object();
        });
    names.end_array();
    if (count == 0) return;
    out.object();
    write_basis(out, rules_, permit);
    out.field("holders", count).key("people").raw(people).end_object();
  }

  const Rules& rules_;
  const Dataset& dataset_;
  const int64_t row_;
  const int field_;
  const Instant now_;
  std::vector<const Atom*> permits_, forbids_;
};

// The id of the row with this natural key.
std::optional<int64_t> row_of(db::Connection& reader, const Rules& rules, const Dataset& dataset, std::string_view key,
                              Instant now) {
  const std::vector<std::string_view> parts = split(key, '~');
  if (parts.size() != dataset.key.size()) return std::nullopt;
  Statement statement(rules.catalogue(), rules.regulation(), reader.dialect());
  Frame frame(statement, dataset, "t");
  policy::Need need(rules.catalogue());
  need.row(dataset);
  std::vector<policy::Literal> query;
  std::string where;
  for (size_t i = 0; i < parts.size(); ++i) {
    const Field& field = dataset.fields.at(static_cast<size_t>(dataset.key[i]));
    Result<catalog::Value> value = catalog::parse_literal(rules.catalogue(), field, parts[i]);
    if (!value) return std::nullopt;
    const std::string shown = statement.shown({&frame, {}}, dataset.key[i]);
    need.field(dataset, dataset.key[i]);
    where += where.empty() ? "" : " AND ";
    if (std::holds_alternative<std::monostate>(*value)) {
      where += shown + " IS NULL";
      continue;
    }
    query.push_back(std::move(value).value());
    where += shown + " = " + statement.slot({Slot::Kind::query_literal, static_cast<int64_t>(query.size()) - 1});
  }
  std::optional<int64_t> row;
  run(reader, need.reach(), statement,
      "SELECT " + frame.alias() + ".\"id\" FROM " + frame.from_sql() + " WHERE " + where, binding_at(now, query, {}),
      [&](db::Rows& rows) { row = rows.integer(0); });
  return row;
}

Refusal unknown(const char* type, const Text& text) {
  return {Code::not_found, type, text};
}

// ---- one person

void write_fields(JsonWriter& out, std::string_view key, const Dataset& dataset, const Atom& atom, Sight sight) {
  out.key(key).array();
  for (size_t f = 0; f < dataset.fields.size(); ++f) {
    if (atom.fields[f] == sight) out.value(dataset.fields[f].name);
  }
  out.end_array();
}

void write_dataset(JsonWriter& out, const Rules& rules, const Dataset& dataset, const std::vector<const Atom*>& atoms) {
  out.object().field("name", dataset.name).field("label", dataset.label).key("permits").array();
  std::vector<Sight> best(dataset.fields.size(), Sight::hidden);
  for (const Atom* atom : atoms) {
    if (atom->effect != policy::Effect::permit) continue;
    out.object();
    write_basis(out, rules, *atom);
    write_fields(out, "clear", dataset, *atom, Sight::clear);
    write_fields(out, "masked", dataset, *atom, Sight::masked);
    out.end_object();
    for (size_t f = 0; f < best.size() && atom->reads(); ++f) best[f] = std::max(best[f], atom->fields[f]);
  }
  out.end_array().key("forbids").array();
  for (const Atom* atom : atoms) {
    if (atom->effect != policy::Effect::forbid) continue;
    out.object();
    write_basis(out, rules, *atom);
    out.end_object();
  }
  out.end_array().key("fields").array();
  for (size_t f = 0; f < best.size(); ++f) {
    const Field& field = dataset.fields[f];
    out.object().field("name", field.name).field("label", field.label).field("level", static_cast<int>(field.level));
    out.field("sight", best[f] == Sight::clear ? "clear" : best[f] == Sight::masked ? "masked" : "hidden");
    out.end_object();
  }
  out.end_array().end_object();
}

}  // namespace

Holders holders_of(db::Connection& reader, const Rules& rules, int post, Instant now, int most, bool spread) {
  Statement statement(rules.catalogue(), rules.regulation(), reader.dialect());
  const std::string holds = rules.holds_sql(statement, post, {}, kPerson);
  db::Reach reach = account_reach();
  reach.add(rules.posts_reach());
  Holders holders;
  std::vector<Holder> all;
  run(reader, reach, statement,
      "SELECT a.id, a.person_id, a.login, a.display_name FROM account a WHERE " + std::string(kLive) + " AND " + holds +
          " ORDER BY a.id",
      binding_at(now, {}, {}), [&](db::Rows& rows) {
        ++holders.count;
        if (!spread && holders.count > most) return;
        all.push_back({rows.integer(0), rows.integer(1), std::string(rows.text(2)), std::string(rows.text(3))});
      });
  const size_t wanted = std::min(all.size(), static_cast<size_t>(std::max(most, 0)));
  for (size_t i = 0; i < wanted; ++i) {
    holders.some.push_back(std::move(all[spread && wanted > 1 ? i * (all.size() - 1) / (wanted - 1) : i]));
  }
  return holders;
}

Result<std::string> who_sees(db::Connection& reader, const std::shared_ptr<const Rules>& rules, std::string_view name,
                             std::string_view key, std::string_view field, Instant now) {
  const Dataset* dataset = rules->catalogue().find(name);
  if (dataset == nullptr) return unknown("query.dataset_unknown", {"没有这种数据", "there is no such dataset"});
  const int index = dataset->field(field);
  if (index < 0) return unknown("query.field_unknown", {"没有这个字段", "there is no such field"});
  const auto row = row_of(reader, *rules, *dataset, key, now);
  if (!row) return unknown("query.row_unknown", {"没有这条记录", "there is no such row"});
  return Cell(*rules, *dataset, *row, index, now).json(reader);
}

Result<std::string> what_sees(db::Connection& reader, const std::shared_ptr<const Rules>& rules, std::string_view login,
                              Instant now) {
  Holder holder;
  bool live = true;
  std::string kind;
  {
    db::Reach reach = account_reach();
    reach.functions.insert("lower");
    const db::Param asked[] = {login};
    db::Rows rows = reader.query_within(
        std::make_shared<const db::Reach>(std::move(reach)),
        "SELECT id, person_id, login, display_name, kind, closed_us, suspended_us FROM account WHERE lower(login) = "
        "lower($1)",
        asked);
    if (!rows.next()) return unknown("identity.account_unknown", {"没有这个账号", "there is no such account"});
    holder = {rows.integer(0), rows.integer(1), std::string(rows.text(2)), std::string(rows.text(3))};
    kind = rows.text(4);
    live = rows.is_null(5) && rows.is_null(6);
  }
  Instant edge;
  const policy::AuthorityPtr authority =
      rules->authority(rules, rules->posts_of(reader, holder.person, 0, now), holder.account, now, edge);
  std::string text;
  JsonWriter out(text);
  out.object().field("account", holder.login).field("name", holder.name).field("kind", kind).field("live", live);
  out.key("posts").array();
  for (const policy::HeldPost& held : authority->posts()) {
    const policy::Post& post = rules->regulation().posts.at(static_cast<size_t>(held.post));
    out.object().field("name", post.name).field("label", post.label).field("clause", post.clause).key("units").array();
    for (const std::string& unit : held.units) out.value(unit);
    out.end_array().end_object();
  }
  out.end_array().key("datasets").array();
  for (const Dataset& dataset : rules->catalogue().datasets) {
    std::vector<const Atom*> atoms;
    for (const Atom* atom : authority->in_force()) {
      if (atom->dataset == dataset.index) atoms.push_back(atom);
    }
    if (!atoms.empty()) write_dataset(out, *rules, dataset, atoms);
  }
  out.end_array().end_object();
  return text;
}

}  // namespace jw::query
