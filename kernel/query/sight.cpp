// The question turned round: from a cell to the people, and from a person to all that is open; see sight.hpp.
#include "kernel/query/sight.hpp"

#include <algorithm>
#include <optional>

#include "base/fault.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "kernel/policy/reach.hpp"
#include "kernel/query/known.hpp"
#include "kernel/query/view.hpp"

namespace jw::query {

using policy::Atom;
using policy::Rules;
using policy::Sight;

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
  }
  if (!atom.unit.empty()) out.field("unit", atom.unit);
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

void note(std::vector<Told>& told, const std::string& dataset, int64_t person, int64_t asker) {
  Told one{dataset, 1, {}};
  if (person != 0 && person != asker) one.subjects.push_back({record::Subject::Kind::person, person, 1});
  add_told(told, std::move(one));
}

// ---- one cell

struct Row {
  int64_t id = 0, person = 0;  // person: whom it is about; 0 = nobody
};

class Cell {
 public:
  // `row`: nullopt tells by the rules alone.
  Cell(const Rules& rules, const Known& known, const Dataset& dataset, std::optional<Row> row, int field,
       const Viewer& viewer)
      : rules_(rules), known_(known), dataset_(dataset), row_(row), field_(field), viewer_(viewer) {
    rules.for_each_atom([&](const Atom& atom) {
      if (!is_in_force(atom, viewer.now)) return;
      if (atom.effect == policy::Effect::forbid && (atom.actions & 1U) != 0) forbids_.push_back(&atom);
      const bool shows = atom.effect == policy::Effect::permit && atom.dataset == dataset.index && atom.reads();
      if (shows && atom.fields.at(static_cast<size_t>(field)) >= Sight::masked) permits_.push_back(&atom);
    });
  }

  Seen look(db::Connection& reader) {
    if (row_ && dataset_.has_subject)
      note(seen_.told, dataset_.name, JW_FAULT(81, row_->person, 0), viewer_.asker.person);
    std::string clear, masked;
    JsonWriter clear_out(clear), masked_out(masked);
    clear_out.array();
    masked_out.array();
    for (const Atom* permit : permits_) {
      if (JW_FAULT(89, permit->account != 0 && !tells_grants(), false)) continue;
      const bool is_clear = permit->fields.at(static_cast<size_t>(field_)) == Sight::clear;
      write(is_clear ? clear_out : masked_out, reader, *permit);
    }
    clear_out.end_array();
    masked_out.end_array();
    const Field& field = dataset_.fields.at(static_cast<size_t>(field_));
    JsonWriter json(seen_.json);
    json.object().field("dataset", dataset_.name).field("dataset_label", dataset_.label);
    json.field("field", field.name).field("label", field.label).field("level", static_cast<int>(field.level));
    json.field("by", row_ ? "row" : "rule").field("grants", tells_grants());
    json.key("clear").raw(clear).key("masked").raw(masked).end_object();
    return std::move(seen_);
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

  bool tells_grants() const { return !viewer_.asker.agreement_due && known_.grants(); }

  // Whom the permit is given to, on which rows, and what forbids take from it, is all that the asker may query.
  bool is_known(const Atom& permit, Frame& frame) const {
    const auto knows = [&](const Atom& atom) { return known_.holders(rules_.regulation(), atom) && known_.rows(atom); };
    bool all = knows(permit) && (!rules_.is_closed_apart(permit) || known_.apart(rules_.regulation()));
    for_each_source(frame, [&](const Place&, const Dataset& at) {
      for (const Atom* forbid : forbids_)
        all = all && (forbid->dataset != at.index || JW_FAULT(83, knows(*forbid), true));
    });
    return all;
  }

  void write(JsonWriter& out, db::Connection& reader, const Atom& permit) {
    Statement statement(rules_.catalogue(), rules_.regulation(), reader.dialect());
    Frame frame(statement, dataset_, "t");
    if (!row_ || !is_known(permit, frame)) {
      out.object();
      write_basis(out, rules_, permit);
      out.key("holders").null().key("people").array().end_array().end_object();
      return;
    }
    std::vector<policy::Literal> query{row_->id}, literals;
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
      const std::string unit = atom.unit.empty() ? "" : slot(atom.unit);
      if (atom.post >= 0) return rules_.holds_sql(statement, atom.post, unit, kPerson);
      const std::string account = "a.id = " + slot(atom.account);
      return unit.empty() ? account : account + " AND " + holds_any_sql(statement, unit);
    };
    std::string where = std::string(kLive) + " AND " + frame.alias() +
                        ".\"id\" = " + statement.slot({Slot::Kind::query_literal, 0}) + " AND " + given_to(permit);
    if (JW_FAULT(84, rules_.is_closed_apart(permit), false))
      where += " AND " + rules_.not_apart_sql(statement, kPerson);
    where += " AND " + rows_of({&frame, {}}, dataset_, permit, true);
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
        "SELECT a.login, a.display_name, a.person_id FROM account a CROSS JOIN " + frame.from_sql() + " WHERE " +
            where + " ORDER BY a.id",
        binding_at(viewer_.now, query, literals), [&](db::Rows& rows) {
          if (++count > kNamesMax) return;
          names.object().field("account", rows.text(0)).field("name", rows.text(1)).end_object();
          note(seen_.told, told_in(permit), JW_FAULT(82, rows.integer(2), 0), viewer_.asker.person);
        });
    names.end_array();
    if (count == 0) return;
    out.object();
    write_basis(out, rules_, permit);
    out.field("holders", count).key("people").raw(people).end_object();
  }

  // That somebody holds a post in this unit, whichever.
  std::string holds_any_sql(Statement& statement, const std::string& unit) const {
    std::string any;
    const std::vector<policy::Post>& posts = rules_.regulation().posts;
    for (size_t i = 0; i < posts.size(); ++i) {
      if (posts[i].unit < 0) continue;
      any += (any.empty() ? "" : " OR ") + rules_.holds_sql(statement, static_cast<int>(i), unit, kPerson);
    }
    return any.empty() ? "1=0" : "(" + any + ")";
  }

  // The dataset that says who holds it.
  std::string told_in(const Atom& permit) const {
    if (permit.post < 0) return "access_grant";
    const policy::Post& post = rules_.regulation().posts.at(static_cast<size_t>(permit.post));
    return rules_.catalogue().datasets.at(static_cast<size_t>(post.from)).name;
  }

  const Rules& rules_;
  const Known& known_;
  const Dataset& dataset_;
  const std::optional<Row> row_;
  const int field_;
  const Viewer& viewer_;
  Seen seen_;
  std::vector<const Atom*> permits_, forbids_;
};

// The row with this natural key, if the asker sees it, its key and this field in clear. What is not there and what is
// not seen are one.
std::optional<Row> row_of(db::Connection& reader, const Rules& rules, const policy::Authority& viewing,
                          const Viewer& viewer, const Dataset& dataset, std::string_view key, int field) {
  const std::vector<std::string_view> parts = split(key, '~');
  const Decision& decision = viewing.decide(dataset, policy::Action::query, "");
  if (parts.size() != dataset.key.size() || viewer.asker.agreement_due || !decision.allowed()) return std::nullopt;
  const auto is_closed = [&](int each) { return decision.fields.at(static_cast<size_t>(each)).clear.empty(); };
  if (is_closed(field) || std::any_of(dataset.key.begin(), dataset.key.end(), is_closed)) return std::nullopt;
  Statement statement(rules.catalogue(), rules.regulation(), reader.dialect());
  Frame frame(statement, dataset, "t");
  View view(statement, frame, decision, {&rules.regulation(), {}, 0, false});
  std::vector<Predicate> where{JW_FAULT(85, view.rows(), Predicate::always()),
                               JW_FAULT(86, view.clear(field), Predicate::always())};
  Query asked;  // for what it may read
  asked.dataset = &dataset;
  policy::Need need(rules.catalogue());
  std::vector<policy::Literal> query;
  for (size_t i = 0; i < parts.size(); ++i) {
    const Field& part = dataset.fields.at(static_cast<size_t>(dataset.key[i]));
    Result<catalog::Value> value = catalog::parse_literal(rules.catalogue(), part, parts[i]);
    if (!value) return std::nullopt;
    where.push_back(view.clear(dataset.key[i]));
    const std::string shown = statement.shown(view.place(), dataset.key[i]);
    need.field(dataset, dataset.key[i]);
    if (std::holds_alternative<std::monostate>(*value)) {
      where.push_back(Predicate::depends("(" + shown + " IS NULL)"));
      continue;
    }
    query.push_back(std::move(value).value());
    const int64_t at = static_cast<int64_t>(query.size()) - 1;
    where.push_back(Predicate::depends("(" + shown + " = " + statement.slot({Slot::Kind::query_literal, at}) + ")"));
  }
  need.row(dataset);
  std::string person = "NULL";
  if (dataset.has_subject) {
    Place subject = view.place();
    subject.path.insert(subject.path.end(), dataset.about.begin(), dataset.about.end());
    person = statement.person_id(subject);
    need.person(need.way(dataset, dataset.about));
  }
  db::Reach reach = *reach_of(rules.catalogue(), asked, decision);
  reach.add(need.reach());
  policy::Binding binding = binding_at(viewer.now, query, decision.literals);
  binding.person = viewer.asker.person;
  binding.session = viewer.asker.session;
  const std::string text = policy::all_of(where).text();
  std::optional<Row> row;
  run(reader, reach, statement,
      "SELECT " + frame.alias() + ".\"id\", " + person + " FROM " + frame.from_sql() + " WHERE " + text, binding,
      [&](db::Rows& rows) {
        row = Row{rows.integer(0), rows.is_null(1) ? 0 : rows.integer(1)};
      });
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

void add_told(std::vector<Told>& told, Told more) {
  auto known = std::find_if(told.begin(), told.end(), [&](const Told& each) { return each.dataset == more.dataset; });
  if (known == told.end()) known = told.insert(known, {more.dataset, 0, {}});
  known->rows += more.rows;
  for (const record::Subject& subject : more.subjects) {
    const bool there = std::any_of(known->subjects.begin(), known->subjects.end(),
                                   [&](const record::Subject& each) { return each.id == subject.id; });
    if (!there) known->subjects.push_back(subject);
  }
}

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

Result<Seen> who_sees(db::Connection& reader, const std::shared_ptr<const Rules>& rules, const Viewer& viewer,
                      std::string_view name, std::string_view key, std::string_view field) {
  const Dataset* dataset = rules->catalogue().find(name);
  if (dataset == nullptr) return unknown("query.dataset_unknown", {"没有这种数据", "there is no such dataset"});
  const int index = dataset->field(field);
  if (index < 0) return unknown("query.field_unknown", {"没有这个字段", "there is no such field"});
  const policy::AuthorityPtr viewing = authority_of(reader, rules, viewer.asker, viewer.now);
  const Known known(rules->catalogue(), *viewing);
  const std::optional<Row> row = row_of(reader, *rules, *viewing, viewer, *dataset, key, index);
  return Cell(*rules, known, *dataset, row, index, viewer).look(reader);
}

Result<Seen> what_sees(db::Connection& reader, const std::shared_ptr<const Rules>& rules, const Viewer& viewer,
                       std::string_view login) {
  const policy::Regulation& regulation = rules->regulation();
  const policy::AuthorityPtr viewing = authority_of(reader, rules, viewer.asker, viewer.now);
  const Known known(rules->catalogue(), *viewing);
  bool open = !viewer.asker.agreement_due && known.grants();
  for (size_t post = 0; post < regulation.posts.size(); ++post)
    open = open && known.post(regulation, static_cast<int>(post));
  if (!open) {
    return Refusal{Code::forbidden,
                   "query.sight_closed",
                   {"谁任什么岗位您不能查询，因此不能按人查明；可以按数据和字段查明有哪些规定",
                    "who holds which post is not open to you, so it cannot be told of a person; ask by dataset and "
                    "field what the rules open"}};
  }
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
      rules->authority(rules, rules->posts_of(reader, holder.person, 0, viewer.now), holder.account, viewer.now, edge);
  Seen seen;
  JsonWriter out(seen.json);
  out.object().field("account", holder.login).field("name", holder.name).field("kind", kind).field("live", live);
  out.key("posts").array();
  note(seen.told, "access_grant", holder.person, viewer.asker.person);
  for (const policy::HeldPost& held : authority->posts()) {
    const policy::Post& post = regulation.posts.at(static_cast<size_t>(held.post));
    out.object().field("name", post.name).field("label", post.label).field("clause", post.clause).key("units").array();
    for (const std::string& unit : held.units) out.value(unit);
    out.end_array().end_object();
    note(seen.told, rules->catalogue().datasets.at(static_cast<size_t>(post.from)).name, holder.person,
         viewer.asker.person);
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
  return seen;
}

}  // namespace jw::query
