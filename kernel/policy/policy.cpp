// The rules of a store at an epoch, the grants beside the regulation, and the posts of a person.
#include "kernel/policy/api.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <stdexcept>

#include "base/fault.hpp"
#include "kernel/catalog/condition.hpp"
#include "kernel/catalog/schema.hpp"
#include "kernel/identity/api.hpp"
#include "kernel/policy/reach.hpp"
#include "kernel/policy/regulation_edit.hpp"

namespace jw::policy {

using catalog::Catalogue;
using catalog::Dataset;

// ---- rules
// ------------------------------------------------------------------------------------------------------------

Rules::Rules(const Catalogue& catalogue, Regulation regulation, std::vector<Atom> grants, int64_t epoch,
             db::Dialect dialect, std::vector<Text> closed)
    : catalogue_(catalogue),
      regulation_(std::move(regulation)),
      grants_(std::move(grants)),
      epoch_(epoch),
      dialect_(dialect),
      closed_(std::move(closed)) {
  Statement statement(catalogue_, regulation_, dialect_);
  for (size_t i = 0; i < regulation_.posts.size(); ++i)
    posts_sql_ += (i == 0 ? "" : " UNION ALL ") + post_sql(statement, i, {});
  if (posts_sql_.empty()) posts_sql_ = "SELECT 0 AS post, NULL AS unit WHERE 1=0";
  posts_slots_ = statement.slots();
  Need need(catalogue_);
  for (const Post& post : regulation_.posts) {
    const Dataset& from = catalogue_.datasets.at(static_cast<size_t>(post.from));
    need.condition(from, post.where);
    if (post.unit >= 0) need.field(from, post.unit);
  }
  need.reach().add(lowered_functions());
  posts_reach_ = std::make_shared<const db::Reach>(need.reach());
  by_post_.resize(regulation_.posts.size());
  purposes_ = {"teaching_administration", "study"};
  for_each_atom([this](const Atom& atom) {
    purposes_.insert(atom.purposes.begin(), atom.purposes.end());
    if (atom.post >= 0) {
      by_post_.at(static_cast<size_t>(atom.post)).push_back(&atom);
    } else {
      by_account_[atom.account].push_back(&atom);
    }
  });
}

std::shared_ptr<const Rules> Rules::with(Regulation regulation) const {
  // The places of posts are those of our own regulation; a post that the other has not is held by nobody there.
  std::vector<Atom> grants;
  for (const Atom& grant : grants_) {
    const int post = grant.post < 0 ? -1 : regulation.post(regulation_.posts.at(static_cast<size_t>(grant.post)).name);
    if (grant.post >= 0 && post < 0) continue;
    grants.push_back(grant);
    grants.back().post = post;
  }
  return std::make_shared<const Rules>(catalogue_, std::move(regulation), std::move(grants), epoch_, dialect_);
}

std::shared_ptr<const Rules> Rules::with(Atom grant) const {
  std::vector<Atom> grants = grants_;
  grants.push_back(std::move(grant));
  return std::make_shared<const Rules>(catalogue_, regulation_, std::move(grants), epoch_, dialect_);
}

std::string Rules::post_sql(Statement& statement, size_t index, const std::string& unit) const {
  const Post& post = regulation_.posts.at(index);
  if (post.closed) return "SELECT " + std::to_string(index) + " AS post, CAST(NULL AS TEXT) AS unit WHERE 1=0";
  const Dataset& from = catalogue_.datasets.at(static_cast<size_t>(post.from));
  Frame frame(statement, from, statement.new_alias("p"));
  const Place place{&frame, {}};
  Statement::Literals printed{Slot::Kind::policy_literal, 0, true};
  std::vector<Predicate> where{statement.lower(place, post.where, true, printed)};
  const std::string shown = post.unit >= 0 ? statement.shown(place, post.unit) : "CAST(NULL AS TEXT)";
  if (!unit.empty()) where.push_back(Predicate::depends("(" + shown + " = " + unit + ")"));
  return "SELECT " + std::to_string(index) + " AS post, " + shown + " AS unit FROM " + frame.from_sql() + " WHERE " +
         all_of(where).text();
}

std::string Rules::holds_sql(Statement& statement, int post, const std::string& unit, const std::string& person) const {
  statement.speak_for(regulation_, person);
  std::string sql = "EXISTS (" + post_sql(statement, static_cast<size_t>(post), unit) + ")";
  const std::string& apart = regulation_.posts.at(static_cast<size_t>(post)).apart;
  for (size_t other = 0; !apart.empty() && other < regulation_.posts.size(); ++other) {
    if (static_cast<int>(other) != post && regulation_.posts[other].apart == apart)
      sql += " AND NOT EXISTS (" + post_sql(statement, other, {}) + ")";
  }
  return "(" + sql + ")";
}

std::vector<Asker> Rules::holders(db::Connection& reader, std::string_view post, const std::string& unit,
                                  Instant now) const {
  std::vector<Asker> found;
  const int index = regulation_.post(post);
  if (index < 0) return found;
  Statement statement(catalogue_, regulation_, dialect_);
  const std::vector<Literal> literals{Literal{unit}};
  const std::string in_unit = unit.empty() ? "" : statement.slot({Slot::Kind::query_literal, 0});
  const std::string sql =
      "SELECT a.id, a.person_id, a.kind FROM account a WHERE a.person_id IS NOT NULL AND a.suspended_us IS NULL AND "
      "a.closed_us IS NULL AND a.kind NOT IN ('student', 'graduate') AND " +
      holds_sql(statement, index, in_unit, "a.person_id") + " ORDER BY a.id";
  Binding binding;
  binding.now_us = now.us;
  binding.today = now.date();
  binding.query = &literals;
  db::Reach reach = identity::readers_reach();
  reach.add(*posts_reach_);
  each_row(reader, std::make_shared<const db::Reach>(std::move(reach)), sql, statement.slots(), binding,
           [&](const db::Rows& rows) {
             Asker asker;
             asker.account = rows.integer(0);
             asker.person = rows.integer(1);
             asker.kind = rows.text(2);
             found.push_back(std::move(asker));
           });
  return found;
}

bool Rules::holds(db::Connection& reader, int64_t person, std::string_view post, const std::string& unit,
                  Instant now) const {
  const int index = regulation_.post(post);
  const std::vector<HeldPost> held = posts_of(reader, person, 0, now);
  return std::any_of(held.begin(), held.end(), [&](const HeldPost& each) {
    return each.post == index &&
           (unit.empty() || std::find(each.units.begin(), each.units.end(), unit) != each.units.end());
  });
}

std::vector<Text> Rules::closed() const {
  std::vector<Text> out = regulation_.closed;
  out.insert(out.end(), closed_.begin(), closed_.end());
  return out;
}

std::vector<int> Rules::posts_beyond(db::Connection& connection) const {
  std::vector<int> beyond;
  if (can_be_asked(connection, posts_reach_, posts_sql_, posts_slots_)) return beyond;
  int last = -1;
  for (size_t post = 0; post < regulation_.posts.size(); ++post) {
    if (regulation_.posts[post].closed) continue;
    last = static_cast<int>(post);
    Statement statement(catalogue_, regulation_, dialect_);
    const std::string sql = post_sql(statement, post, {});
    if (!can_be_asked(connection, posts_reach_, sql, statement.slots())) beyond.push_back(last);
  }
  // Each by itself, but not all of them in one statement: too many.
  if (beyond.empty() && last >= 0) beyond.push_back(last);
  return beyond;
}

std::vector<HeldPost> Rules::posts_of(db::Connection& connection, int64_t person, int64_t session, Instant now) const {
  std::vector<HeldPost> held;
  if (person == 0) return held;
  Binding binding;
  binding.person = person;
  binding.session = session;
  binding.now_us = now.us;
  binding.today = now.date();
  std::vector<db::Param> params;
  std::vector<std::string> store;
  policy::bind(posts_slots_, binding, params, store);
  db::Rows rows = connection.query_within(posts_reach_, posts_sql_, params);
  while (rows.next()) {
    const int post = static_cast<int>(rows.integer(0));
    auto at = std::find_if(held.begin(), held.end(), [&](const HeldPost& h) { return h.post == post; });
    if (at == held.end()) at = held.insert(held.end(), HeldPost{post, {}});
    if (!rows.is_null(1)) {
      std::string unit(rows.text(1));
      if (std::find(at->units.begin(), at->units.end(), unit) == at->units.end()) at->units.push_back(std::move(unit));
    }
  }
  const auto apart = [&](const HeldPost& h) -> const std::string& {
    return regulation_.posts.at(static_cast<size_t>(h.post)).apart;
  };
  std::map<std::string, int> marks;
  for (const HeldPost& h : held) ++marks[apart(h)];
  std::erase_if(held, [&](const HeldPost& h) { return !apart(h).empty() && marks[apart(h)] > 1; });
  for (HeldPost& h : held) std::sort(h.units.begin(), h.units.end());
  std::sort(held.begin(), held.end());
  // Units matter only where something is limited to a unit; leaving them out of teachers' posts keeps authorities few.
  return held;
}

bool Rules::is_apart(const std::vector<HeldPost>& posts) const {
  return std::any_of(posts.begin(), posts.end(), [this](const HeldPost& held) {
    return !regulation_.posts.at(static_cast<size_t>(held.post)).apart.empty();
  });
}

bool Rules::is_closed_apart(const Atom& atom) const {
  if (atom.effect != Effect::permit || catalogue_.datasets.at(static_cast<size_t>(atom.dataset)).by_kernel)
    return false;
  const bool own =
      atom.rows == Atom::Rows::relation && catalogue_.relations.at(static_cast<size_t>(atom.relation)).of < 0;
  return !own;
}

std::string Rules::not_apart_sql(Statement& statement, const std::string& person) const {
  std::string sql = "1=1";
  for (size_t post = 0; post < regulation_.posts.size(); ++post) {
    if (!regulation_.posts[post].apart.empty())
      sql += " AND NOT " + holds_sql(statement, static_cast<int>(post), {}, person);
  }
  return "(" + sql + ")";
}

int Rules::empowered(const std::vector<HeldPost>& posts, std::string_view name) const {
  const Power* power = regulation_.power(name);
  if (power == nullptr) return -1;
  for (const HeldPost& held : posts) {
    if (std::find(power->posts.begin(), power->posts.end(), held.post) != power->posts.end()) return held.post;
  }
  return -1;
}

AuthorityPtr Rules::authority(const std::shared_ptr<const Rules>& self, const std::vector<HeldPost>& posts,
                              int64_t account, Instant now, Instant& edge) const {
  std::vector<const Atom*> in_force, out_of_force;
  edge = Instant{INT64_MAX};
  const bool apart = is_apart(posts);
  const auto consider = [&](const Atom* atom) {
    if (apart && JW_FAULT(67, is_closed_apart(*atom), false)) return;
    for (int64_t at : {atom->from_us, atom->until_us}) {
      if (at > now.us && at < edge.us) edge.us = JW_FAULT(16, at, at + 1);
    }
    (JW_FAULT(15, atom->from_us <= now.us, atom->from_us < now.us) &&
             JW_FAULT(14, now.us < atom->until_us, now.us <= atom->until_us)
         ? in_force
         : out_of_force)
        .push_back(atom);
  };
  for (const HeldPost& held : posts) {
    for (const Atom* atom : by_post_.at(static_cast<size_t>(held.post))) {
      if (JW_FAULT(19, atom->unit.empty(), true) ||
          std::find(held.units.begin(), held.units.end(), atom->unit) != held.units.end())
        consider(atom);
    }
  }
  for (const int64_t whose : {account, int64_t{0}}) {  // 0: everybody, a forbid whose holder cannot be told
    const auto own = by_account_.find(whose);
    if (own == by_account_.end() || (whose == 0 && account == 0)) continue;
    for (const Atom* atom : own->second) {
      const bool belongs = atom->unit.empty() || std::any_of(posts.begin(), posts.end(), [&](const HeldPost& held) {
                             return std::find(held.units.begin(), held.units.end(), atom->unit) != held.units.end();
                           });
      if (JW_FAULT(50, belongs, true)) consider(atom);
    }
  }
  std::pair key{posts, in_force};
  key.second.insert(key.second.end(), out_of_force.begin(), out_of_force.end());
  key.second.push_back(nullptr);  // where force ends: the same atoms split otherwise are another authority
  key.second.insert(key.second.end(), in_force.begin(), in_force.end());
  const std::lock_guard lock(mutex_);
  std::weak_ptr<const Authority>& slot = interned_[std::move(key)];
  if (AuthorityPtr known = slot.lock()) return known;
  auto made = std::make_shared<const Authority>(self, posts, std::move(in_force), std::move(out_of_force));
  slot = made;
  return made;
}

// ---- binding
// ----------------------------------------------------------------------------------------------------------

void bind(const std::vector<Slot>& slots, const Binding& binding, std::vector<db::Param>& params,
          std::vector<std::string>& store) {
  params.clear();
  store.clear();
  store.reserve(slots.size());  // the parameters point into it
  for (const Slot& slot : slots) {
    const auto index = static_cast<size_t>(slot.index);
    switch (slot.kind) {
      case Slot::Kind::person:
        params.emplace_back(slot.index == 0 ? binding.person : binding.other);
        break;
      case Slot::Kind::session:
        params.emplace_back(binding.session);
        break;
      case Slot::Kind::now:
        params.emplace_back(binding.now_us);
        break;
      case Slot::Kind::limit:
        params.emplace_back(binding.limit);
        break;
      case Slot::Kind::today:
        params.emplace_back(std::string_view(store.emplace_back(binding.today.print())));
        break;
      case Slot::Kind::years_ago:
        params.emplace_back(std::string_view(
            store.emplace_back(binding.today.plus_years(JW_FAULT(20, -1, 1) * static_cast<int>(slot.index)).print())));
        break;
      case Slot::Kind::query_literal:
        params.push_back(catalog::param_of(binding.query->at(index)));
        break;
      case Slot::Kind::policy_literal:
        params.push_back(catalog::param_of(binding.policy->at(index)));
        break;
      case Slot::Kind::cursor:
        params.push_back(catalog::param_of(binding.cursor->at(index)));
        break;
    }
  }
}

bool can_be_asked(db::Connection& reader, const db::ReachPtr& reach, const std::string& sql,
                  const std::vector<Slot>& slots, const std::vector<Literal>* policy) {
  Binding nobody;
  nobody.person = -1;
  nobody.policy = policy;
  std::vector<db::Param> params;
  std::vector<std::string> texts;
  policy::bind(slots, nobody, params, texts);
  try {
    reader.query_within(reach, sql, params).next();
  } catch (const db::Error& error) {
    if (error.failure() != db::Failure::statement && error.failure() != db::Failure::forbidden) throw;
    return false;
  }
  return true;
}

// ---- policy
// -----------------------------------------------------------------------------------------------------------

Policy::Policy(const Catalogue& catalogue, Regulation regulation, db::Store& store)
    : catalogue_(catalogue), given_(std::move(regulation)), dialect_(store.dialect()) {
  const db::Store::Lease lease = store.reader();
  refresh(*lease);
}

db::Reach readers_reach() {
  db::Reach reach;
  reach.columns = {
      {"gate", {"id", "epoch"}},
      {"access_grant",
       {"id", "number", "effect", "account", "post", "unit", "dataset", "content", "valid_from", "valid_until",
        "source", "revoked", "suspended"}},
      {"regulation_version",
       {"version", "kind", "content", "base", "clause", "note", "proposed_by", "proposed_name", "approved_by",
        "approved_name", "proposed", "approved", "rolled_back_to"}},
      {"regulation_proposal",
       {"id", "kind", "state", "base", "content", "clause", "note", "rolled_back_to", "proposed_by", "person_id",
        "proposed_name", "proposed", "decided_by", "decided_name", "decided", "answer", "version"}}};
  reach.add(lowered_functions());
  return reach;
}

std::shared_ptr<const Rules> Policy::rules() const {
  const std::shared_lock lock(mutex_);
  return rules_;
}

Regulation Policy::regulation_now(db::Connection& connection, const Rules* current) const {
  const int64_t known = current == nullptr ? 0 : current->regulation().version;
  const int64_t newest = version_in_force(connection);
  if (newest == 0 && known > 0) throw std::runtime_error("the stored regulation is gone");
  if (newest == 0) return given_;
  if (newest == known) return current->regulation();
  return stored_regulation(connection, newest, catalogue_);
}

namespace {

template <class Each>
void for_each_grant(db::Connection& connection, const Each& each) {
  db::Rows rows = connection.query(
      "SELECT number, effect, account, post, unit, dataset, content, valid_from, valid_until, source FROM access_grant "
      "WHERE revoked IS NULL AND suspended IS NULL ORDER BY id");
  while (rows.next()) {
    Grant grant;
    grant.number = rows.text(0);
    grant.effect = rows.text(1) == "forbid" ? Effect::forbid : Effect::permit;
    grant.account = rows.integer(2);
    grant.post = rows.text(3);
    grant.unit = rows.text(4);
    grant.dataset = rows.text(5);
    grant.content = rows.text(6);
    grant.from = {rows.integer(7)};
    grant.until = {rows.integer(8)};
    grant.source = rows.text(9);
    each(grant);
  }
}

struct StoredGrants {
  std::vector<Atom> atoms;
  std::vector<Text> closed;
};

// A forbid that cannot be understood forbids its whole dataset: to its holder, or to everybody when that is what cannot
// be told. nullopt: there is no such dataset to close.
std::optional<Atom> whole_forbid(const Catalogue& catalogue, const Regulation& regulation, const Grant& grant) {
  const Dataset* dataset = catalogue.find(grant.dataset);
  if (dataset == nullptr) return std::nullopt;
  Atom atom;
  atom.effect = Effect::forbid;
  atom.dataset = dataset->index;
  atom.rows = Atom::Rows::all;
  atom.fields.assign(dataset->fields.size(), Sight::hidden);
  atom.actions = kAllActions;
  atom.grant = grant.number;
  atom.clause = grant.source;
  atom.post = grant.post.empty() ? -1 : regulation.post(grant.post);
  atom.account = grant.post.empty() ? grant.account : 0;
  if (atom.post >= 0 || atom.account != 0) atom.unit = grant.unit;
  if (grant.from < grant.until) {
    atom.from_us = grant.from.us;
    atom.until_us = grant.until.us;
  }
  return atom;
}

StoredGrants understood(const Catalogue& catalogue, db::Connection& connection, const Regulation& regulation) {
  StoredGrants out;
  for_each_grant(connection, [&](const Grant& grant) {
    Result<Atom> atom = grant_atom(catalogue, regulation, grant);
    if (atom) return out.atoms.push_back(std::move(atom).value());
    const Text& why = atom.refusal().detail;
    if (grant.effect == Effect::permit) {
      out.closed.push_back({"授权 " + grant.number + " 无法理解，暂不生效：" + why.zh,
                            "grant " + grant.number + " cannot be understood and opens nothing: " + why.en});
      return;
    }
    out.closed.push_back({"禁止 " + grant.number + " 无法理解，所涉数据暂全部关闭：" + why.zh,
                          "forbid " + grant.number + " cannot be understood and closes its whole dataset: " + why.en});
    if (auto whole = whole_forbid(catalogue, regulation, grant)) out.atoms.push_back(std::move(*whole));
  });
  return out;
}

}  // namespace

std::shared_ptr<const Rules> Policy::rules_in(db::Connection& connection) const {
  int64_t epoch = 0;
  {
    db::Rows rows = connection.query("SELECT epoch FROM gate WHERE id = 1");
    if (!rows.next()) throw std::runtime_error("the gate is missing");
    epoch = rows.integer(0);
  }
  const std::shared_ptr<const Rules> current = rules();
  if (current && current->epoch() == epoch) return current;
  // The epoch is read before the rest: what is newer than the epoch only causes one more refresh.
  Regulation regulation = regulation_now(connection, current.get());
  StoredGrants grants = understood(catalogue_, connection, regulation);
  auto made = std::make_shared<const Rules>(catalogue_, regulation, grants.atoms, epoch, dialect_, grants.closed);
  // What this store can be asked of a version does not change with the epoch.
  if (current && regulation.version != 0 && regulation.version == current->regulation().version) return made;
  for (std::vector<int> beyond; !(beyond = made->posts_beyond(connection)).empty();) {
    for (const int post : beyond) {
      Post& closed = regulation.posts.at(static_cast<size_t>(post));
      closed.closed = true;
      regulation.closed.push_back(
          {"本数据库无法查询岗位「" + closed.name + "」由谁担任，视为无人担任",
           "this store cannot be asked who holds the post " + closed.name + ", so nobody holds it"});
    }
    made = std::make_shared<const Rules>(catalogue_, regulation, grants.atoms, epoch, dialect_, grants.closed);
  }
  return made;
}

int64_t Policy::refresh(db::Connection& connection) {
  std::shared_ptr<const Rules> seen = rules_in(connection);
  const std::unique_lock lock(mutex_);
  if (!rules_ || rules_->epoch() < seen->epoch()) rules_ = std::move(seen);
  return rules_->epoch();
}

AuthorityPtr Policy::authority_in(db::Connection& transaction, const Asker& asker, Instant now) const {
  const std::shared_ptr<const Rules> seen = rules_in(transaction);
  Instant edge;
  return seen->authority(seen, seen->posts_of(transaction, asker.person, asker.session, now), asker.account, now, edge);
}

AuthorityPtr Policy::authority(db::Connection& connection, const Asker& asker, Instant now) {
  const std::shared_ptr<const Rules> current = rules();
  const Date today = now.date();
  Shard& shard = shards_[static_cast<size_t>(asker.account) % kShards];
  {
    const std::lock_guard lock(shard.mutex);
    const auto known = shard.facts.find(asker.account);
    if (known != shard.facts.end() && JW_FAULT(17, known->second.epoch == current->epoch(), true) &&
        JW_FAULT(18, known->second.today == today, true) && now < known->second.edge) {
      return known->second.authority;
    }
  }
  Facts facts;
  facts.epoch = current->epoch();
  facts.today = today;
  facts.authority = current->authority(current, current->posts_of(connection, asker.person, asker.session, now),
                                       asker.account, now, facts.edge);
  const std::lock_guard lock(shard.mutex);
  if (shard.facts.size() > 20'000) shard.facts.clear();
  shard.facts[asker.account] = facts;
  return facts.authority;
}

// ---- grants
// -----------------------------------------------------------------------------------------------------------

namespace {

Refusal bad_grant(const std::string& field, const Text& text) {
  return {Code::unprocessable, "policy.bad_grant", text, {{field, "invalid", text}}};
}

Result<std::vector<std::string>> names(const boost::json::object& json, const char* key) {
  std::vector<std::string> out;
  const boost::json::value* value = json.if_contains(key);
  if (value == nullptr) return out;
  if (!value->is_array())
    return bad_grant(key, {std::string(key) + " 应是名称的数组", std::string(key) + " must be an array of names"});
  for (const boost::json::value& name : value->get_array()) {
    if (!name.is_string())
      return bad_grant(key, {std::string(key) + " 应是名称的数组", std::string(key) + " must be an array of names"});
    out.emplace_back(name.get_string());
  }
  return out;
}

Result<Done> set_sights(const Dataset& dataset, const boost::json::object& json, Atom& atom) {
  atom.fields.assign(dataset.fields.size(), Sight::hidden);
  for (const auto& [key, sight] : {std::pair{"clear", Sight::clear}, std::pair{"masked", Sight::masked}}) {
    JW_TRY(const std::vector<std::string> listed, names(json, key));
    for (const std::string& name : listed) {
      if (name == "*") {
        for (Sight& each : atom.fields) each = each == Sight::hidden ? sight : each;
        continue;
      }
      const int field = dataset.field(name);
      if (field < 0) return bad_grant(key, {"“" + name + "”不是该数据的字段", name + " is no field of the dataset"});
      atom.fields.at(static_cast<size_t>(field)) = sight;
    }
  }
  return Done{};
}

}  // namespace

Result<Done> grants_stay(const Catalogue& catalogue, db::Connection& reader, const Regulation& before,
                         const Regulation& after) {
  Refusal lost{Code::unprocessable,
               "regulation.grant_lost",
               {"有授权与更改后的规定不符，请先撤销或办结这些授权",
                "there are grants that do not fit the regulation as changed; revoke them first"}};
  for_each_grant(reader, [&](const Grant& grant) {
    const Result<Atom> then = grant_atom(catalogue, after, grant);
    if (!then && grant_atom(catalogue, before, grant))
      lost.fields.push_back({"grants." + grant.number, "lost", then.refusal().detail});
  });
  if (lost.fields.empty()) return Done{};
  return lost;
}

Result<Atom> grant_atom(const Catalogue& catalogue, const Regulation& regulation, const Grant& grant) {
  Atom atom;
  const Dataset* dataset = catalogue.find(grant.dataset);
  if (dataset == nullptr)
    return bad_grant("dataset", {"没有名为“" + grant.dataset + "”的数据", "no dataset is named " + grant.dataset});
  boost::system::error_code error;
  const boost::json::value parsed = boost::json::parse(grant.content, error);
  if (error || !parsed.is_object())
    return bad_grant("content", {"授权内容应是 JSON 对象", "the content of a grant must be a JSON object"});
  const boost::json::object& json = parsed.get_object();
  atom.effect = grant.effect;
  atom.dataset = dataset->index;
  const boost::json::value* rows = json.if_contains("rows");
  if (rows == nullptr) return bad_grant("rows", {"须写明行的范围 rows", "rows must say which rows"});
  if (rows->is_string() && rows->get_string() == "all") {
    atom.rows = Atom::Rows::all;
  } else if (rows->is_string()) {
    atom.rows = Atom::Rows::relation;
    atom.relation = catalogue.relation(std::string_view(rows->get_string()));
    if (atom.relation < 0 || dataset->binding(atom.relation) == nullptr) {
      return bad_grant("rows", {"该数据没有这种与人的关系", "the dataset is not tied to persons by this relation"});
    }
  } else {
    atom.rows = Atom::Rows::where;
    JW_TRY(atom.where, catalog::parse_condition(catalogue, *dataset, *rows, catalog::ConditionUse::regulation, "rows"));
  }
  if (const boost::json::value* where = json.if_contains("where")) {
    if (atom.rows == Atom::Rows::where)
      return bad_grant("where",
                       {"rows 已是条件，不能再写 where", "rows is a condition already; where cannot be added"});
    atom.narrowed = atom.rows == Atom::Rows::relation;
    atom.rows = atom.narrowed ? Atom::Rows::relation : Atom::Rows::where;
    JW_TRY(atom.where,
           catalog::parse_condition(catalogue, *dataset, *where, catalog::ConditionUse::regulation, "where"));
  }
  JW_CHECK(set_sights(*dataset, json, atom));
  JW_TRY(const std::vector<std::string> actions, names(json, "actions"));
  for (const std::string& name : actions) {
    const auto action = action_named(name);
    if (!action) return bad_grant("actions", {"没有名为“" + name + "”的操作", "no action is named " + name});
    atom.actions = static_cast<uint8_t>(atom.actions | 1u << static_cast<int>(*action));
  }
  if (atom.effect == Effect::permit && (atom.actions & kWriting) != 0 && dataset->by_kernel)
    return bad_grant("actions", {"该数据由程序在办理事项时写入，不能录入或审核",
                                 "the dataset is written by procedures: nobody may enter or review it"});
  // A forbid that names no action forbids them all; a permit that names none opens none.
  if (atom.effect == Effect::forbid && actions.empty()) atom.actions = kAllActions;
  JW_TRY(atom.purposes, names(json, "purposes"));
  atom.grant = grant.number;
  atom.clause = grant.source;
  if (!grant.post.empty()) {
    atom.post = regulation.post(grant.post);
    if (atom.post < 0)
      return bad_grant("post", {"没有名为“" + grant.post + "”的岗位", "no post is named " + grant.post});
    const bool apart = !regulation.posts.at(static_cast<size_t>(atom.post)).apart.empty();
    if (apart && atom.effect == Effect::permit && !dataset->by_kernel)
      return bad_grant("post", {"系统、安全、审计管理员岗位不得查询教学数据（§4.3.2）",
                                "the posts of the three administrators open no academic data (§4.3.2)"});
    atom.unit = grant.unit;
  } else {
    if (grant.account == 0) return bad_grant("account", {"授权须写明对象", "a grant needs a holder"});
    atom.account = grant.account;
    atom.unit = grant.unit;
  }
  if (grant.from >= grant.until) return bad_grant("until", {"截止时间应晚于开始时间", "until must be later than from"});
  atom.from_us = grant.from.us;
  atom.until_us = grant.until.us;
  return atom;
}

Result<Done> put_grant(const Catalogue& catalogue, const Regulation& regulation, db::Connection& transaction,
                       const Grant& grant, Instant now) {
  JW_CHECK(grant_atom(catalogue, regulation, grant));
  int64_t id = 1;
  {
    db::Rows rows = transaction.query("SELECT COALESCE(MAX(id), 0) + 1 FROM access_grant");
    if (rows.next()) id = rows.integer(0);
  }
  const db::Param account = grant.account == 0 ? db::Param() : db::Param(grant.account);
  const db::Param post = grant.post.empty() ? db::Param() : db::Param(grant.post);
  const db::Param person = grant.person == 0 ? db::Param() : db::Param(grant.person);
  const db::Param holder_unit = grant.holder_unit == 0 ? db::Param() : db::Param(grant.holder_unit);
  transaction.execute(
      "INSERT INTO access_grant (id, number, effect, account, post, unit, dataset, content, valid_from, valid_until, "
      "source, made, title, holder, holder_name, person_id, holder_unit, state) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)",
      {id, grant.number, grant.effect == Effect::forbid ? "forbid" : "permit", account, post, grant.unit, grant.dataset,
       grant.content, grant.from.us, grant.until.us, grant.source, now.us, grant.title, grant.holder, grant.holder_name,
       person, holder_unit, now < grant.from ? "waiting" : "valid"});
  transaction.execute("UPDATE gate SET epoch = epoch + 1 WHERE id = 1");
  return Done{};
}

}  // namespace jw::policy
