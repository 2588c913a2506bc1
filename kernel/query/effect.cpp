// Both sets of rules side by side; see effect.hpp.
#include "kernel/query/effect.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <set>

#include "base/fault.hpp"
#include "base/json.hpp"
#include "kernel/catalog/condition.hpp"
#include "kernel/policy/reach.hpp"
#include "kernel/query/known.hpp"
#include "kernel/query/sight.hpp"
#include "kernel/query/view.hpp"

namespace jw::query {

using policy::Action;
using policy::Atom;
using policy::Rules;
using policy::Sight;

namespace {

// Who reads, who enters and who reviews are three matters, each compared by itself.
struct Matter {
  const char* name;
  uint8_t actions;
};
constexpr Matter kMatters[] = {{"reading", policy::kReading},
                               {"enter", 1U << static_cast<int>(Action::enter)},
                               {"review", 1U << static_cast<int>(Action::review)}};

// Whom an effect is about, everybody who holds a post or one account, and in which matter. Two sets of rules need not
// have the same posts in the same places, so a post goes by its name; what stands on one side only is held by nobody on
// the other.
struct Whom {
  std::string post;
  int64_t account = 0;
  size_t matter = 0;  // of kMatters
  int actions_of(const Atom& atom) const { return atom.actions & kMatters[matter].actions; }
  auto operator<=>(const Whom&) const = default;
};

const policy::Post& post_at(const Rules& rules, int post) {
  return rules.regulation().posts.at(static_cast<size_t>(post));
}

bool is_given(const Rules& rules, const Atom& atom, const Whom& whom) {
  if (whom.actions_of(atom) == 0) return false;
  if (atom.post >= 0) return post_at(rules, atom.post).name == whom.post;
  return whom.post.empty() && atom.account == whom.account;
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
    append_settings(catalogue, regulation, catalogue.relations.at(static_cast<size_t>(relation)).where, out);
  }
}

std::string printed(const catalog::Catalogue& catalogue, const policy::Regulation& regulation, int dataset,
                    const catalog::Condition& condition) {
  const Dataset& of = catalogue.datasets.at(static_cast<size_t>(dataset));
  std::string out = boost::json::serialize(catalog::print_condition(catalogue, of, condition));
  append_settings(catalogue, regulation, condition, out);
  return out;
}

std::string meaning(const Rules& rules, const Atom& atom) {
  const catalog::Catalogue& catalogue = rules.catalogue();
  std::string out = std::to_string(static_cast<int>(atom.effect)) + "/" + std::to_string(static_cast<int>(atom.rows)) +
                    "/" + std::to_string(atom.relation) + "/" + atom.unit + "/" + std::to_string(atom.from_us) + "/" +
                    std::to_string(atom.until_us) + "/";
  for (const Sight sight : atom.fields) out += static_cast<char>('0' + static_cast<int>(sight));
  for (const std::string& purpose : atom.purposes) out += "," + purpose;
  if (atom.rows == Atom::Rows::relation) {
    append_settings(catalogue, rules.regulation(), catalogue.relations.at(static_cast<size_t>(atom.relation)).where,
                    out);
  }
  if (atom.has_condition()) out += printed(catalogue, rules.regulation(), atom.dataset, atom.where);
  return out;
}

using Meanings = std::map<std::pair<Whom, int>, std::vector<std::string>>;

Meanings meanings_of(const Rules& rules) {
  Meanings out;
  rules.for_each_atom([&](const Atom& atom) {
    std::string text = meaning(rules, atom);
    Whom whom{{}, atom.account};
    if (atom.post >= 0) {  // who holds the post belongs to what the row means
      const policy::Post& post = post_at(rules, atom.post);
      text += printed(rules.catalogue(), rules.regulation(), post.from, post.where);
      whom = {post.name, 0};
    }
    for (whom.matter = 0; whom.matter < std::size(kMatters); ++whom.matter) {
      const int actions = whom.actions_of(atom);
      if (actions != 0) out[{whom, atom.dataset}].push_back(std::to_string(actions) + "/" + text);
    }
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
  rules.for_each_atom([&](const Atom& atom) {
    if (atom.dataset != dataset.index || !is_given(rules, atom, whom)) return;
    (atom.effect == policy::Effect::permit ? side.permits : side.forbids).push_back(&atom);
    if (atom.effect != policy::Effect::permit) return;
    side.actions = static_cast<uint8_t>(side.actions | whom.actions_of(atom));
    for (size_t f = 0; f < side.fields.size(); ++f) {
      // What is seen by its mask is written by nobody.
      const bool opens = whom.matter == 0 || atom.fields[f] == Sight::clear;
      if (opens) side.fields[f] = std::max(side.fields[f], atom.fields[f]);
    }
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
                const Whom& whom, const Side& side) {
  out.key(key).array();
  for (const std::vector<const Atom*>* atoms : {&side.permits, &side.forbids}) {
    for (const Atom* atom : *atoms) {
      out.object().field("effect", atom->effect == policy::Effect::permit ? "permit" : "forbid");
      out.field("text", policy::rows_in_words(catalogue, dataset, *atom));
      out.field(atom->grant.empty() ? "clause" : "grant", atom->grant.empty() ? atom->clause : atom->grant);
      write_actions(out, "actions", whom.actions_of(*atom));
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

  // Every field that decides about a row of one side is seen in clear on all rows that the viewer sees, and what
  // relations are made of on all rows there are. Not only what changes counts: a holder's other permits and forbids
  // stand in the same statement.
  bool is_open(const Decision& side, const Known& known) {
    for (const Atom* permit : side.permits) {
      if (!is_open(*permit, known)) return false;
    }
    for (const auto& [dataset, forbids] : side.forbids) {
      for (const policy::BoundForbid& forbid : forbids) {
        const bool open = dataset == dataset_.index ? is_open(*forbid.atom, known) : known.rows(*forbid.atom);
        if (JW_FAULT(78, !open, false)) return false;
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

  // Whom the counted rows are about, as long as they are few: a number about few tells of each (§1.3.1).
  std::vector<int64_t> few_persons(db::Connection& reader, const policy::Binding& binding,
                                   const std::vector<int>& fields) {
    if (!dataset_.has_subject) return {};
    std::string changed = gained() + " OR " + lost();
    for (const int field : fields)
      changed += " OR " + raised(field, was_, rows_was_, is_, rows_is_) + " OR " +
                 raised(field, is_, rows_is_, was_, rows_was_);
    std::vector<int64_t> persons;
    policy::Binding few = binding;
    few.limit = kFewPersons + 1;
    const std::string person = statement_.person_id(subject());  // before FROM is printed: it adds joins
    const std::string rows_changed = where(Predicate::depends("(" + changed + ")"));
    run(reader, few,
        "SELECT DISTINCT " + person + " FROM " + frame_.from_sql() + " WHERE " + rows_changed + " LIMIT " +
            statement_.slot({Slot::Kind::limit}),
        [&](db::Rows& rows) {
          if (!rows.is_null(0)) persons.push_back(rows.integer(0));
        });
    if (JW_FAULT(75, persons.size() > static_cast<size_t>(kFewPersons), true)) persons.clear();
    return persons;
  }

  // A few rows as the viewer sees them; columns are the key and what is shown first.
  std::vector<int> columns(const Decision& viewer) const {
    std::vector<int> out;
    for (const std::vector<int>* from : {&dataset_.key, &dataset_.show}) {
      for (const int field : *from) {
        const bool open = !viewer.fields.at(static_cast<size_t>(field)).is_closed();
        if (out.size() < 5 && open && std::find(out.begin(), out.end(), field) == out.end()) out.push_back(field);
      }
    }
    return out;
  }
  void sample(db::Connection& reader, const policy::Binding& binding, bool of_gained, const std::vector<int>& fields,
              Told& told, JsonWriter& out) {
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
        const Field& field = dataset_.fields.at(static_cast<size_t>(fields[i]));
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

  bool is_open(const Atom& atom, const Known& known) {
    if (atom.has_condition() && !is_open(atom.where, known)) return false;
    if (atom.rows != Atom::Rows::relation) return true;
    const catalog::Binding* binding = dataset_.binding(atom.relation);
    if (binding == nullptr) return false;
    const bool first = binding->path.empty() || JW_FAULT(79, viewer_.clear(binding->path.front()).is_always(), true);
    return first && known.beyond(dataset_, binding->path) && known.relation(atom.relation);
  }
  bool is_open(const catalog::Condition& condition, const Known& known) {
    for (const catalog::Condition& part : condition.parts) {
      if (!is_open(part, known)) return false;
    }
    if (condition.kind != catalog::Condition::Kind::leaf) return true;
    for (const int field : {condition.field, condition.other}) {
      if (field >= 0 && JW_FAULT(73, !viewer_.clear(field).is_always(), false)) return false;
    }
    return condition.source != catalog::Condition::Source::relation ||
           known.relation(catalogue_.relation(condition.name));
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
  std::string where(const Predicate& rows) const {
    return JW_FAULT(74, policy::all_of({rows_viewer_, rows}), rows).text();
  }
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
    policy::each_row(reader, std::make_shared<const db::Reach>(reach_), sql, statement_.slots(), binding, each);
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
    viewing_ = authority_of(reader_, before_, viewer_, now_);
    known_.emplace(catalogue_, *viewing_);
  }

  Effect make() {
    reader_.statement_limit(options_.limit);
    json_.object().key("effects").array();
    const Meanings was = meanings_of(*before_), is = meanings_of(*after_);
    std::set<std::pair<Whom, int>> found;
    for (const Meanings* each : {&was, &is}) {
      for (const auto& [key, texts] : *each) found.insert(key);
    }
    std::vector<std::pair<Whom, int>> keys(found.begin(), found.end());
    std::stable_sort(keys.begin(), keys.end(),
                     [this](const auto& a, const auto& b) { return place_of(a.first) < place_of(b.first); });
    for (const auto& key : keys) {
      const auto a = was.find(key), b = is.find(key);
      if (a != was.end() && b != is.end() && a->second == b->second) continue;
      if (!may_anybody(key.first, key.second)) continue;
      one(key.first, catalogue_.datasets.at(static_cast<size_t>(key.second)));
    }
    json_.end_array().field("widens", effect_.widens).field("narrows", effect_.narrows).end_object();
    return std::move(effect_);
  }

 private:
  // Posts as the regulation has them, new ones last; accounts first.
  std::pair<bool, int> place_of(const Whom& whom) const {
    const int now = before_->regulation().post(whom.post);
    if (whom.post.empty() || now >= 0) return {false, now};
    return {true, after_->regulation().post(whom.post)};
  }

  // A forbid closes nothing that nobody may do.
  bool may_anybody(const Whom& whom, int dataset) const {
    bool may = whom.matter == 0;
    for (const Rules* rules : {before_.get(), after_.get()}) {
      rules->for_each_atom([&](const Atom& atom) {
        const bool permit = atom.effect == policy::Effect::permit && atom.dataset == dataset;
        may = may || (permit && whom.actions_of(atom) != 0);
      });
    }
    return may;
  }

  void one(const Whom& whom, const Dataset& dataset) {
    const Side was = side_of(*before_, whom, dataset), is = side_of(*after_, whom, dataset);
    json_.object();
    name(whom);
    json_.key("dataset").object().field("name", dataset.name).field("label", dataset.label).end_object();
    json_.field("matter", kMatters[whom.matter].name).key("actions").object();
    write_actions(json_, "gained", is.actions & ~was.actions);
    write_actions(json_, "lost", was.actions & ~is.actions);
    json_.end_object().key("rows").object();
    write_rows(json_, "before", catalogue_, dataset, whom, was);
    write_rows(json_, "after", catalogue_, dataset, whom, is);
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
    if (whom.post.empty()) {
      json_.key("post").null();
      if (!options_.names_holder && !known_->grants()) return;
      const Holder holder = of_account(whom.account);
      json_.field("account", holder.login).field("account_name", holder.name);
      return;
    }
    const Rules& rules = after_->regulation().post(whom.post) >= 0 ? *after_ : *before_;
    const policy::Post& post = post_at(rules, rules.regulation().post(whom.post));
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
    const Decision& viewer = viewing_->decide(dataset, Action::query, "");
    const bool asks = JW_FAULT(80, !viewer_.agreement_due, true) && viewer.allowed();
    if (!asks || !knows_holders(whom, dataset)) {
      json_.key("holders").null();
      if (!asks)
        return words_only({"您本人不能查询这类数据，因此只有文字，没有数量",
                           "you may not query this data yourself, so there are words and no numbers"});
      return words_only(
          {"谁任这个岗位取决于您看不到的字段，因此只有文字，没有数量",
           "who holds the post depends on a field that you do not see, so there are words and no numbers"});
    }
    Holders holders;
    try {
      holders = whom.post.empty() ? one_account(whom.account) : holders_of(whom.post);
    } catch (const db::Error& error) {
      if (error.failure() != db::Failure::timeout) throw;
      json_.key("holders").null();
      return words_only({"岗位人员太多，来不及统计", "too many hold the post to be counted in time"});
    }
    json_.field("holders", holders.count);
    if (holders.some.empty()) return words_only({"目前没有人任这个岗位", "nobody holds the post at present"});
    tell_holders(whom, holders);
    holders.some.resize(std::min(holders.some.size(), static_cast<size_t>(options_.holders)));
    if (budget_ < static_cast<int>(holders.some.size()))
      return words_only({"涉及面太大，未逐一统计数量", "too much is touched to count it one by one"});
    counted(whom, holders, dataset, viewer, was, is);
  }

  Holders one_account(int64_t account) {
    Holder one = of_account(account);
    return one.account == 0 ? Holders{} : Holders{1, {std::move(one)}};
  }

  // Whoever holds the post on either side: the change may be about who holds it. All of them while they are few.
  const Holders& holders_of(const std::string& post) {
    const auto known = holders_.find(post);
    return known != holders_.end() ? known->second : holders_.emplace(post, asked_holders(post)).first->second;
  }
  Holders asked_holders(const std::string& post) {
    Holders most;
    for (const RulesPtr& rules : {before_, after_}) {
      const int place = rules->regulation().post(post);
      if (place < 0 || JW_FAULT(77, false, rules == after_)) continue;
      Holders holders = query::holders_of(reader_, *rules, place, now_, kFewPersons, true);
      if (holders.count > most.count || most.some.empty()) most = std::move(holders);
    }
    if (most.count <= kFewPersons) return most;
    Holders spread{most.count, {}};
    const size_t last = most.some.size() - 1, wanted = static_cast<size_t>(std::max(options_.holders, 1));
    for (size_t i = 0; i < wanted; ++i) spread.some.push_back(most.some[wanted > 1 ? i * last / (wanted - 1) : i]);
    return spread;
  }

  // Who holds whatever post has a say about this dataset is known to the viewer: all those posts decide what a holder
  // sees there.
  bool knows_holders(const Whom& whom, const Dataset& dataset) const {
    for (const RulesPtr& rules : {before_, after_}) {
      bool known = true;
      rules->for_each_atom([&](const Atom& atom) {
        const bool says = atom.dataset == dataset.index || atom.effect == policy::Effect::forbid;
        if (known && says) known = JW_FAULT(72, known_->posts_of(rules->regulation(), atom), true);
      });
      if (known && !dataset.by_kernel) known = known_->apart(rules->regulation());
      const int post = rules->regulation().post(whom.post);
      if (!known || (post >= 0 && !known_->post(rules->regulation(), post))) return false;
    }
    return true;
  }

  // Who is named or counted among few can see that (§1.3.1).
  void tell_holders(const Whom& whom, const Holders& holders) {
    if (JW_FAULT(76, whom.post.empty(), true)) return;
    const Rules& rules = after_->regulation().post(whom.post) >= 0 ? *after_ : *before_;
    const policy::Post& post = post_at(rules, rules.regulation().post(whom.post));
    Told told{catalogue_.datasets.at(static_cast<size_t>(post.from)).name, 0, {}};
    for (const Holder& holder : holders.some) {
      ++told.rows;
      if (holder.person != viewer_.person) told.subjects.push_back({record::Subject::Kind::person, holder.person, 1});
    }
    add_told(effect_.told, std::move(told));
  }

  // The action under which to compare: the first that either side opens.
  static Action compared(const Whom& whom, const Side& was, const Side& is) {
    const int opened = was.actions | is.actions;
    const int bits = opened != 0 ? opened : kMatters[whom.matter].actions;
    for (int i = 0; i < policy::kActions; ++i) {
      if ((bits >> i & 1) != 0) return static_cast<Action>(i);
    }
    return Action::query;
  }

  void counted(const Whom& whom, const Holders& holders, const Dataset& dataset, const Decision& viewer,
               const Side& was, const Side& is) {
    std::vector<int> changed;
    for (size_t f = 0; f < dataset.fields.size(); ++f) {
      if (was.fields[f] != is.fields[f]) changed.push_back(static_cast<int>(f));
    }
    const Action action = compared(whom, was, is);
    std::string numbers, gained, lost;
    JsonWriter out(numbers);
    out.array();
    std::vector<int> columns;
    Told told{dataset.name, 0, {}};
    try {
      for (const Holder& holder : holders.some) {
        const Decision &decided_was = authority(before_, holder).decide(dataset, action, options_.purpose),
                       &decided_is = authority(after_, holder).decide(dataset, action, options_.purpose);
        Comparison comparison(catalogue_, reader_.dialect(), *before_, *after_, decided_was, decided_is, *before_,
                              viewer);
        if (!comparison.is_open(decided_was, *known_) || !comparison.is_open(decided_is, *known_)) {
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
        for (const int64_t person : comparison.few_persons(reader_, binding, changed)) {
          if (person != viewer_.person) told.subjects.push_back({record::Subject::Kind::person, person, 1});
        }
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
    }
    if (told.rows > 0 || !told.subjects.empty()) add_told(effect_.told, std::move(told));
    json_.key("why").null();
  }

  const policy::Authority& authority(const RulesPtr& rules, const Holder& holder) {
    policy::AuthorityPtr& known = authorities_[{rules.get(), holder.account}];
    Instant edge;
    if (!known)
      known = rules->authority(rules, rules->posts_of(reader_, holder.person, 0, now_), holder.account, now_, edge);
    return *known;
  }

  void write(JsonWriter& out, const Dataset& dataset, const Holder& holder, const Comparison::Counts& counts) {
    if (counts.gained > 0) effect_.widens = true;
    if (counts.lost > 0) effect_.narrows = true;
    out.object().field("account", holder.login).field("name", holder.name);
    out.field("gained", counts.gained).field("lost", counts.lost).key("cells").array();
    for (const auto& [field, more, less] : counts.cells) {
      out.object().field("field", dataset.fields.at(static_cast<size_t>(field)).name);
      out.field("gained", more).field("lost", less).end_object();
    }
    out.end_array().end_object();
  }

  void sample(Comparison& comparison, const policy::Binding& binding, bool of_gained, const std::vector<int>& columns,
              Told& told, std::string& text) {
    JsonWriter out(text);
    comparison.sample(reader_, binding, of_gained, columns, told, out);
  }

  void write_samples(const Dataset& dataset, const std::vector<int>& columns, const std::string& gained,
                     const std::string& lost) {
    json_.object().key("columns").array();
    for (const int column : columns) {
      const Field& field = dataset.fields.at(static_cast<size_t>(column));
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
  std::optional<Known> known_;  // of viewing_
  // Asked once, however many datasets and matters of a post are touched.
  std::map<std::string, Holders> holders_;
  std::map<std::pair<const Rules*, int64_t>, policy::AuthorityPtr> authorities_;
};

// What the rules let one person do, as texts: (permits, forbids), with dataset and actions.
std::array<std::multiset<std::string>, 2> given_to(db::Connection& reader, const RulesPtr& rules,
                                                   const policy::Asker& person, Instant now) {
  Instant edge;
  const policy::AuthorityPtr authority =
      rules->authority(rules, rules->posts_of(reader, person.person, 0, now), person.account, now, edge);
  std::array<std::multiset<std::string>, 2> out;
  for (const Atom* atom : authority->in_force()) {
    out.at(atom->effect == policy::Effect::permit ? 0 : 1)
        .insert(std::to_string(atom->dataset) + "/" + std::to_string(atom->actions) + "/" + meaning(*rules, *atom));
  }
  return out;
}

}  // namespace

bool favours(db::Connection& reader, const RulesPtr& before, const RulesPtr& after, const policy::Asker& person,
             Instant now) {
  const auto was = given_to(reader, before, person, now), is = given_to(reader, after, person, now);
  if (!std::includes(was[0].begin(), was[0].end(), is[0].begin(), is[0].end())) return true;
  if (!std::includes(is[1].begin(), is[1].end(), was[1].begin(), was[1].end())) return true;
  const auto posts_was = before->posts_of(reader, person.person, 0, now),
             posts_is = after->posts_of(reader, person.person, 0, now);
  const auto& powers = after->regulation().powers;
  return std::any_of(powers.begin(), powers.end(), [&](const policy::Power& power) {
    return after->empowered(posts_is, power.name) >= 0 && before->empowered(posts_was, power.name) < 0;
  });
}

Effect effect_of(const catalog::Catalogue& catalogue, db::Connection& reader, const RulesPtr& before,
                 const RulesPtr& after, const policy::Asker& viewer, Instant now, const EffectOptions& options) {
  return Effects(catalogue, reader, before, after, viewer, now, options).make();
}

}  // namespace jw::query
