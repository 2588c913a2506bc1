// Both sets of rules side by side; see effect.hpp.
#include "kernel/query/effect.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <set>

#include "base/json.hpp"
#include "kernel/catalog/condition.hpp"
#include "kernel/policy/reach.hpp"
#include "kernel/query/sight.hpp"
#include "kernel/query/view.hpp"

namespace jw::query {

using policy::Action;
using policy::Atom;
using policy::Rules;
using policy::Sight;

namespace {

// Whom an effect is about: everybody who holds a post, or one account.
struct Whom {
  int post = -1;
  int64_t account = 0;
  auto operator<=>(const Whom&) const = default;
};

bool is_given(const Atom& atom, const Whom& whom) {
  return whom.post >= 0 ? atom.post == whom.post : atom.post < 0 && atom.account == whom.account;
}

// ---- what a row of rules means, as text: equal texts, equal meaning

void append_settings(const catalog::Catalogue& catalogue, const policy::Regulation& regulation,
                     const catalog::Condition& condition, std::string& out) {
  for (const catalog::Condition& part : condition.parts) append_settings(catalogue, regulation, part, out);
  if (condition.kind != catalog::Condition::Kind::leaf) return;
  if (condition.source == catalog::Condition::Source::today_minus_years)
    out += "$" + std::to_string(regulation.setting(condition.name));
  if (condition.source == catalog::Condition::Source::relation) {
    const int relation = catalogue.relation(condition.name);
    append_settings(catalogue, regulation, catalogue.relations[static_cast<size_t>(relation)].where, out);
  }
}

std::string printed(const catalog::Catalogue& catalogue, const policy::Regulation& regulation, int dataset,
                    const catalog::Condition& condition) {
  const Dataset& of = catalogue.datasets[static_cast<size_t>(dataset)];
  std::string out = boost::json::serialize(catalog::print_condition(catalogue, of, condition));
  append_settings(catalogue, regulation, condition, out);
  return out;
}

std::string meaning(const Rules& rules, const Atom& atom) {
  const catalog::Catalogue& catalogue = rules.catalogue();
  std::string out = std::to_string(static_cast<int>(atom.effect)) + "/" + std::to_string(static_cast<int>(atom.rows)) +
                    "/" + std::to_string(atom.relation) + "/" + std::to_string(atom.actions) + "/" + atom.unit + "/" +
                    std::to_string(atom.from_us) + "/" + std::to_string(atom.until_us) + "/";
  for (const Sight sight : atom.fields) out += static_cast<char>('0' + static_cast<int>(sight));
  for (const std::string& purpose : atom.purposes) out += "," + purpose;
  if (atom.rows == Atom::Rows::relation) {
    append_settings(catalogue, rules.regulation(), catalogue.relations[static_cast<size_t>(atom.relation)].where, out);
  }
  if (atom.has_condition()) out += printed(catalogue, rules.regulation(), atom.dataset, atom.where);
  return out;
}

template <class Each>
void for_each_atom(const Rules& rules, const Each& each) {
  for (const std::vector<Atom>* atoms : {&rules.regulation().atoms, &rules.grants()}) {
    for (const Atom& atom : *atoms) each(atom);
  }
}

using Meanings = std::map<std::pair<Whom, int>, std::vector<std::string>>;

Meanings meanings_of(const Rules& rules) {
  Meanings out;
  for_each_atom(rules, [&](const Atom& atom) {
    std::string text = meaning(rules, atom);
    const Whom whom{atom.post, atom.post >= 0 ? 0 : atom.account};
    if (atom.post >= 0) {  // who holds the post belongs to what the row means
      const policy::Post& post = rules.regulation().posts[static_cast<size_t>(atom.post)];
      text += printed(rules.catalogue(), rules.regulation(), post.from, post.where);
    }
    out[{whom, atom.dataset}].push_back(std::move(text));
  });
  for (auto& [key, texts] : out) std::sort(texts.begin(), texts.end());
  return out;
}

// ---- one side

struct Side {
  std::vector<const Atom*> permits, forbids;
  uint8_t actions = 0;
  std::vector<Sight> fields;
};

Side side_of(const Rules& rules, const Whom& whom, const Dataset& dataset) {
  Side side;
  side.fields.assign(dataset.fields.size(), Sight::hidden);
  for_each_atom(rules, [&](const Atom& atom) {
    if (atom.dataset != dataset.index || !is_given(atom, whom)) return;
    (atom.effect == policy::Effect::permit ? side.permits : side.forbids).push_back(&atom);
    if (atom.effect != policy::Effect::permit) return;
    side.actions = static_cast<uint8_t>(side.actions | atom.actions);
    for (size_t f = 0; f < side.fields.size(); ++f) side.fields[f] = std::max(side.fields[f], atom.fields[f]);
  });
  return side;
}

void write_actions(JsonWriter& out, std::string_view key, int bits) {
  out.key(key).array();
  for (int i = 0; i < policy::kActions; ++i) {
    if ((bits >> i & 1) != 0) out.value(policy::action_name(static_cast<Action>(i)));
  }
  out.end_array();
}

void write_rows(JsonWriter& out, std::string_view key, const catalog::Catalogue& catalogue, const Dataset& dataset,
                const Side& side) {
  out.key(key).array();
  for (const std::vector<const Atom*>* atoms : {&side.permits, &side.forbids}) {
    for (const Atom* atom : *atoms) {
      out.object().field("effect", atom->effect == policy::Effect::permit ? "permit" : "forbid");
      out.field("text", policy::rows_in_words(catalogue, dataset, *atom));
      out.field(atom->grant.empty() ? "clause" : "grant", atom->grant.empty() ? atom->clause : atom->grant);
      write_actions(out, "actions", atom->actions);
      out.end_object();
    }
  }
  out.end_array();
}

std::string_view sight_name(Sight sight) {
  return sight == Sight::clear ? "clear" : sight == Sight::masked ? "masked" : "hidden";
}

// ---- numbers

// Decisions of one holder before and after, and the viewer's, in one statement.
class Comparison {
 public:
  Comparison(const catalog::Catalogue& catalogue, db::Dialect dialect, const Rules& before, const Rules& after,
             const Decision& was, const Decision& is, const Rules& viewing, const Decision& viewer)
      : catalogue_(catalogue),
        dataset_(*viewer.dataset),
        statement_(catalogue, before.regulation(), dialect),
        frame_(statement_, dataset_, "t"),
        other_(statement_.slot({Slot::Kind::person, 1})),
        was_(statement_, frame_, was, {&before.regulation(), other_, 0, false}),
        is_(statement_, frame_, is, {&after.regulation(), other_, count(was), false}),
        viewer_(statement_, frame_, viewer, {&viewing.regulation(), {}, count(was) + count(is), false}) {
    for (const Decision* each : {&was, &is, &viewer}) {
      literals_.insert(literals_.end(), each->literals.begin(), each->literals.end());
      Query everything;
      everything.dataset = &dataset_;
      reach_.add(*reach_of(catalogue, everything, *each));
    }
    rows_was_ = was_.rows();
    rows_is_ = is_.rows();
    rows_viewer_ = viewer_.rows();
  }

  // Every field that a condition asks for is seen in clear on all rows that the viewer sees.
  bool is_open(const Side& side) {
    for (const std::vector<const Atom*>* atoms : {&side.permits, &side.forbids}) {
      for (const Atom* atom : *atoms) {
        if (atom->has_condition() && !is_open(atom->where)) return false;
      }
    }
    return true;
  }

  struct Counts {
    int64_t gained = 0, lost = 0;
    std::vector<std::array<int64_t, 3>> cells;  // field, gained, lost
  };
  Counts count_rows(db::Connection& reader, const policy::Binding& binding, const std::vector<int>& fields) {
    std::string sql = "SELECT " + sum(gained()) + ", " + sum(lost());
    for (const int field : fields) {
      sql += ", " + sum(raised(field, was_, rows_was_, is_, rows_is_)) + ", " +
             sum(raised(field, is_, rows_is_, was_, rows_was_));
    }
    sql += " FROM " + frame_.from_sql() + " WHERE " + where(policy::any_of({rows_was_, rows_is_}));
    Counts counts;
    run(reader, binding, sql, [&](db::Rows& rows) {
      counts.gained = rows.integer(0);
      counts.lost = rows.integer(1);
      for (size_t i = 0; i < fields.size(); ++i) {
        const int64_t more = rows.integer(2 + 2 * i), less = rows.integer(3 + 2 * i);
        if (more != 0 || less != 0) counts.cells.push_back({fields[i], more, less});
      }
    });
    return counts;
  }

  // A few rows as the viewer sees them; columns are the key and what is shown first.
  std::vector<int> columns(const Decision& viewer) const {
    std::vector<int> out;
    for (const std::vector<int>* from : {&dataset_.key, &dataset_.show}) {
      for (const int field : *from) {
        const bool open = !viewer.fields[static_cast<size_t>(field)].is_closed();
        if (out.size() < 5 && open && std::find(out.begin(), out.end(), field) == out.end()) out.push_back(field);
      }
    }
    return out;
  }
  void sample(db::Connection& reader, const policy::Binding& binding, bool of_gained, const std::vector<int>& fields,
              Effect::Told& told, JsonWriter& out) {
    std::string sql = "SELECT " + statement_.row_id(viewer_.place());
    sql += ", " + (dataset_.has_subject ? statement_.person_id(subject()) : std::string("NULL"));
    for (const int field : fields) sql += ", " + viewer_.cell(field);
    const std::string rows = of_gained ? gained() : lost();
    sql += " FROM " + frame_.from_sql() + " WHERE " + where(Predicate::depends(rows)) + " ORDER BY 1 LIMIT " +
           statement_.slot({Slot::Kind::limit});
    out.array();
    run(reader, binding, sql, [&](db::Rows& found) {
      std::string cells = "[";
      for (size_t i = 0; i < fields.size(); ++i) {
        const Field& field = dataset_.fields[static_cast<size_t>(fields[i])];
        if (i > 0) cells += ',';
        append_cell(cells, found, i + 2, {field.type, field.type == catalog::Type::decimal ? field.size : 0});
      }
      out.raw(cells + "]");
      ++told.rows;
      if (!found.is_null(1) && found.integer(1) != binding.person)
        told.subjects.push_back({record::Subject::Kind::person, found.integer(1), 1});
    });
    out.end_array();
  }

 private:
  static int64_t count(const Decision& decision) { return static_cast<int64_t>(decision.literals.size()); }

  bool is_open(const catalog::Condition& condition) {
    for (const catalog::Condition& part : condition.parts) {
      if (!is_open(part)) return false;
    }
    const bool names = condition.kind == catalog::Condition::Kind::leaf && condition.field >= 0;
    return !names || viewer_.clear(condition.field).is_always();
  }

  // Predicates may be unknown: neither is what one may see.
  static std::string holds(const Predicate& predicate) { return "(" + predicate.text() + ") IS TRUE"; }
  static std::string fails(const Predicate& predicate) { return "(" + predicate.text() + ") IS NOT TRUE"; }
  std::string gained() const { return "(" + fails(rows_was_) + " AND " + holds(rows_is_) + ")"; }
  std::string lost() const { return "(" + holds(rows_was_) + " AND " + fails(rows_is_) + ")"; }
  static std::string sum(const std::string& predicate) {
    return "CAST(COALESCE(SUM(CASE WHEN " + predicate + " THEN 1 ELSE 0 END), 0) AS BIGINT)";
  }
  // Cells of a field seen better on the second side than on the first.
  static std::string raised(int field, View& low, const Predicate& low_rows, View& high, const Predicate& high_rows) {
    const Predicate clear_low = policy::all_of({low_rows, low.clear(field)}),
                    seen_low = policy::all_of({low_rows, low.seen(field)}),
                    clear_high = policy::all_of({high_rows, high.clear(field)}),
                    seen_high = policy::all_of({high_rows, high.seen(field)});
    return "((" + holds(clear_high) + " AND " + fails(clear_low) + ") OR (" + holds(seen_high) + " AND " +
           fails(seen_low) + "))";
  }
  std::string where(const Predicate& rows) const { return policy::all_of({rows_viewer_, rows}).text(); }
  Place subject() const {
    Place place = viewer_.place();
    place.path.insert(place.path.end(), dataset_.about.begin(), dataset_.about.end());
    return place;
  }

  template <class Each>
  void run(db::Connection& reader, policy::Binding binding, const std::string& sql, const Each& each) {
    if (dataset_.has_subject) {
      policy::Need need(catalogue_);
      need.person(need.way(dataset_, dataset_.about));
      reach_.add(need.reach());
    }
    binding.policy = &literals_;
    std::vector<db::Param> params;
    std::vector<std::string> texts;
    policy::bind(statement_.slots(), binding, params, texts);
    db::Rows rows = reader.query_within(std::make_shared<const db::Reach>(reach_), sql, params);
    while (rows.next()) each(rows);
  }

  const catalog::Catalogue& catalogue_;
  const Dataset& dataset_;
  policy::Statement statement_;
  Frame frame_;
  std::string other_;
  View was_, is_, viewer_;
  Predicate rows_was_, rows_is_, rows_viewer_;
  std::vector<policy::Literal> literals_;
  db::Reach reach_;
};

// ---- the whole

class Effects {
 public:
  Effects(const catalog::Catalogue& catalogue, db::Connection& reader, const RulesPtr& before, const RulesPtr& after,
          const policy::Asker& viewer, Instant now, const EffectOptions& options)
      : catalogue_(catalogue),
        reader_(reader),
        before_(before),
        after_(after),
        viewer_(viewer),
        now_(now),
        options_(options),
        budget_(options.statements),
        json_(effect_.json) {
    Instant edge;
    viewing_ = before_->authority(before_, before_->posts_of(reader_, viewer_.person, viewer_.session, now_),
                                  viewer_.account, now_, edge);
  }

  Effect make() {
    reader_.statement_limit(options_.limit);
    json_.object().key("effects").array();
    const Meanings was = meanings_of(*before_), is = meanings_of(*after_);
    std::set<std::pair<Whom, int>> keys;
    for (const Meanings* each : {&was, &is}) {
      for (const auto& [key, texts] : *each) keys.insert(key);
    }
    for (const auto& key : keys) {
      const auto a = was.find(key), b = is.find(key);
      if (a != was.end() && b != is.end() && a->second == b->second) continue;
      one(key.first, catalogue_.datasets[static_cast<size_t>(key.second)]);
    }
    json_.end_array().field("widens", effect_.widens).field("narrows", effect_.narrows).end_object();
    return std::move(effect_);
  }

 private:
  void one(const Whom& whom, const Dataset& dataset) {
    const Side was = side_of(*before_, whom, dataset), is = side_of(*after_, whom, dataset);
    json_.object();
    name(whom);
    json_.key("dataset").object().field("name", dataset.name).field("label", dataset.label).end_object();
    json_.key("actions").object();
    write_actions(json_, "gained", is.actions & ~was.actions);
    write_actions(json_, "lost", was.actions & ~is.actions);
    json_.end_object().key("rows").object();
    write_rows(json_, "before", catalogue_, dataset, was);
    write_rows(json_, "after", catalogue_, dataset, is);
    json_.end_object();
    fields(dataset, was, is);
    if ((is.actions & ~was.actions) != 0) effect_.widens = true;
    if ((was.actions & ~is.actions) != 0) effect_.narrows = true;
    const std::string a = rows_text(was), b = rows_text(is);
    rows_differ_ = !was.permits.empty() && !is.permits.empty() && a != b;
    if (was.permits.empty() != is.permits.empty()) (was.permits.empty() ? effect_.widens : effect_.narrows) = true;
    numbers(whom, dataset, was, is);
    json_.end_object();
  }

  static std::string rows_text(const Side& side) {
    std::string text;
    for (const Atom* permit : side.permits) text += permit->text.zh + std::to_string(permit->relation) + ";";
    return text;
  }

  void name(const Whom& whom) {
    if (whom.post < 0) {
      json_.key("post").null();
      const Holder holder = of_account(whom.account);
      json_.field("account", holder.login).field("account_name", holder.name);
      return;
    }
    const auto& posts = after_->regulation().posts;
    const policy::Post& post = posts[static_cast<size_t>(whom.post)];
    json_.key("post").object().field("name", post.name).field("label", post.label).end_object();
  }

  void fields(const Dataset& dataset, const Side& was, const Side& is) {
    json_.key("fields").array();
    for (size_t f = 0; f < dataset.fields.size(); ++f) {
      if (was.fields[f] == is.fields[f]) continue;
      const Field& field = dataset.fields[f];
      (is.fields[f] > was.fields[f] ? effect_.widens : effect_.narrows) = true;
      json_.object().field("name", field.name).field("label", field.label);
      json_.field("level", static_cast<int>(field.level));
      json_.field("before", sight_name(was.fields[f])).field("after", sight_name(is.fields[f])).end_object();
    }
    json_.end_array();
  }

  Holder of_account(int64_t account) {
    db::Rows rows = reader_.query("SELECT id, person_id, login, display_name FROM account WHERE id = $1", {account});
    if (!rows.next()) return {};
    return {rows.integer(0), rows.integer(1), std::string(rows.text(2)), std::string(rows.text(3))};
  }

  void words_only(const Text& why) {
    if (rows_differ_) effect_.widens = effect_.narrows = true;  // who can tell
    json_.key("numbers").null().key("samples").null().field("why", why);
  }

  void numbers(const Whom& whom, const Dataset& dataset, const Side& was, const Side& is) {
    Holders holders;
    try {
      if (whom.post >= 0) {
        // Whoever holds the post on either side: the change may be about who holds it.
        holders = holders_of(reader_, *before_, whom.post, now_, options_.holders, true);
        Holders then = holders_of(reader_, *after_, whom.post, now_, options_.holders, true);
        if (then.count > holders.count) holders = std::move(then);
      } else if (Holder one = of_account(whom.account); one.account != 0) {
        holders = {1, {std::move(one)}};
      }
      json_.field("holders", holders.count);
    } catch (const db::Error& error) {
      if (error.failure() != db::Failure::timeout) throw;
      json_.key("holders").null();
      return words_only({"岗位人员太多，来不及统计", "too many hold the post to be counted in time"});
    }
    const Decision& viewer = viewing_->decide(dataset, Action::query, "");
    if (viewer_.agreement_due || !viewer.allowed()) {
      return words_only({"您本人不能查询这类数据，因此只有文字，没有数量",
                         "you may not query this data yourself, so there are words and no numbers"});
    }
    if (holders.some.empty()) return words_only({"目前没有人任这个岗位", "nobody holds the post at present"});
    if (budget_ < static_cast<int>(holders.some.size()))
      return words_only({"涉及面太大，未逐一统计数量", "too much is touched to count it one by one"});
    counted(holders, dataset, viewer, was, is);
  }

  // The action under which to compare: the first that either side opens.
  static Action compared(const Side& was, const Side& is) {
    const int bits = was.actions | is.actions;
    for (int i = 0; i < policy::kActions; ++i) {
      if ((bits >> i & 1) != 0) return static_cast<Action>(i);
    }
    return Action::query;
  }

  void counted(const Holders& holders, const Dataset& dataset, const Decision& viewer, const Side& was,
               const Side& is) {
    std::vector<int> changed;
    for (size_t f = 0; f < dataset.fields.size(); ++f) {
      if (was.fields[f] != is.fields[f]) changed.push_back(static_cast<int>(f));
    }
    const Action action = compared(was, is);
    std::string numbers, gained, lost;
    JsonWriter out(numbers);
    out.array();
    std::vector<int> columns;
    Effect::Told told{dataset.name, 0, {}};
    try {
      for (const Holder& holder : holders.some) {
        policy::AuthorityPtr a = authority(before_, holder), b = authority(after_, holder);
        Comparison comparison(catalogue_, reader_.dialect(), *before_, *after_,
                              a->decide(dataset, action, options_.purpose),
                              b->decide(dataset, action, options_.purpose), *before_, viewer);
        if (!comparison.is_open(was) || !comparison.is_open(is)) {
          return words_only({"条件涉及您看不到的字段，因此只有文字，没有数量",
                             "a condition asks for a field that you do not see, so there are words and no numbers"});
        }
        policy::Binding binding;
        binding.person = viewer_.person;
        binding.other = holder.person;
        binding.session = viewer_.session;
        binding.now_us = now_.us;
        binding.today = now_.date();
        binding.limit = options_.sample;
        --budget_;
        const auto counts = comparison.count_rows(reader_, binding, changed);
        write(out, dataset, holder, counts);
        columns = comparison.columns(viewer);
        if (counts.gained > 0 && gained.empty() && options_.sample > 0)
          sample(comparison, binding, true, columns, told, gained);
        if (counts.lost > 0 && lost.empty() && options_.sample > 0)
          sample(comparison, binding, false, columns, told, lost);
      }
    } catch (const db::Error& error) {
      if (error.failure() != db::Failure::timeout) throw;
      return words_only({"数据太多，来不及统计数量", "too much data to be counted in time"});
    }
    out.end_array();
    json_.key("numbers").raw(numbers).key("samples");
    if (gained.empty() && lost.empty()) {
      json_.null();
    } else {
      write_samples(dataset, columns, gained, lost);
      tell(std::move(told));
    }
    json_.key("why").null();
  }

  // Each person once, however many posts and samples.
  void tell(Effect::Told told) {
    auto known = std::find_if(effect_.told.begin(), effect_.told.end(),
                              [&](const Effect::Told& each) { return each.dataset == told.dataset; });
    if (known == effect_.told.end()) known = effect_.told.insert(known, {told.dataset, 0, {}});
    known->rows += told.rows;
    for (const record::Subject& subject : told.subjects) {
      const bool there = std::any_of(known->subjects.begin(), known->subjects.end(),
                                     [&](const record::Subject& each) { return each.id == subject.id; });
      if (!there && known->subjects.size() < record::kPersonsMax) known->subjects.push_back(subject);
    }
  }

  policy::AuthorityPtr authority(const RulesPtr& rules, const Holder& holder) {
    Instant edge;
    return rules->authority(rules, rules->posts_of(reader_, holder.person, 0, now_), holder.account, now_, edge);
  }

  void write(JsonWriter& out, const Dataset& dataset, const Holder& holder, const Comparison::Counts& counts) {
    if (counts.gained > 0) effect_.widens = true;
    if (counts.lost > 0) effect_.narrows = true;
    out.object().field("account", holder.login).field("name", holder.name);
    out.field("gained", counts.gained).field("lost", counts.lost).key("cells").array();
    for (const auto& [field, more, less] : counts.cells) {
      out.object().field("field", dataset.fields[static_cast<size_t>(field)].name);
      out.field("gained", more).field("lost", less).end_object();
    }
    out.end_array().end_object();
  }

  void sample(Comparison& comparison, const policy::Binding& binding, bool of_gained, const std::vector<int>& columns,
              Effect::Told& told, std::string& text) {
    JsonWriter out(text);
    comparison.sample(reader_, binding, of_gained, columns, told, out);
  }

  void write_samples(const Dataset& dataset, const std::vector<int>& columns, const std::string& gained,
                     const std::string& lost) {
    json_.object().key("columns").array();
    for (const int column : columns) {
      const Field& field = dataset.fields[static_cast<size_t>(column)];
      json_.object().field("name", field.name).field("label", field.label);
      json_.field("type", catalog::type_name(field.type));
      if (field.type == catalog::Type::decimal) json_.field("places", field.size);
      json_.field("level", static_cast<int>(field.level)).end_object();
    }
    json_.end_array().key("gained").raw(gained.empty() ? "[]" : gained);
    json_.key("lost").raw(lost.empty() ? "[]" : lost).end_object();
  }

  const catalog::Catalogue& catalogue_;
  db::Connection& reader_;
  const RulesPtr &before_, &after_;
  const policy::Asker& viewer_;
  const Instant now_;
  const EffectOptions& options_;
  int budget_;
  bool rows_differ_ = false;
  Effect effect_;
  JsonWriter json_;
  policy::AuthorityPtr viewing_;
};

}  // namespace

Effect effect_of(const catalog::Catalogue& catalogue, db::Connection& reader, const RulesPtr& before,
                 const RulesPtr& after, const policy::Asker& viewer, Instant now, const EffectOptions& options) {
  return Effects(catalogue, reader, before, after, viewer, now, options).make();
}

}  // namespace jw::query
