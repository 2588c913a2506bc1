// Versions and proposals of the regulation; see regulation_edit.hpp.
#include "kernel/policy/regulation_edit.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <stdexcept>

#include "base/json.hpp"
#include "base/typed.hpp"

namespace jw::policy {

namespace json = boost::json;
using catalog::Catalogue;
using Problems = std::vector<catalog::FileProblem>;

namespace {

// Kinds of rows, and the member that names one for ever.
struct Kind {
  std::string_view rows, row, key;
};
constexpr Kind kKinds[] = {
    {"settings", "setting", "name"}, {"posts", "post", "name"}, {"powers", "power", "name"}, {"rules", "rule", "id"}};

std::string key_of(const json::value& row, std::string_view key) {
  const json::value* value = row.is_object() ? row.get_object().if_contains(key) : nullptr;
  if (value == nullptr) return {};
  return value->is_string() ? std::string(value->get_string()) : json::serialize(*value);
}

const json::array& rows_of(const json::object& content, std::string_view kind) {
  static const json::array kNone;
  const json::value* rows = content.if_contains(kind);
  return rows != nullptr && rows->is_array() ? rows->get_array() : kNone;
}

json::value* row_of(json::object& content, const Kind& kind, std::string_view key) {
  json::value* rows = content.if_contains(kind.rows);
  if (rows == nullptr || !rows->is_array()) return nullptr;
  for (json::value& row : rows->get_array()) {
    if (key_of(row, kind.key) == key) return &row;
  }
  return nullptr;
}

Refusal invalid(const std::string& field, Text text) {
  return {Code::unprocessable,
          "regulation.change_invalid",
          {"更改有误，未采纳", "the change is not right and was not taken"},
          {{field, "invalid", std::move(text)}}};
}

Refusal invalid(const Problems& problems) {
  Refusal refusal{Code::unprocessable,
                  "regulation.change_invalid",
                  {"更改后的规定有误，未采纳", "the regulation as changed is not right; nothing was taken"}};
  for (const catalog::FileProblem& each : problems)
    refusal.fields.push_back({each.file + "." + std::to_string(each.line), "invalid", each.text});
  return refusal;
}

Refusal same() {
  return {Code::conflict,
          "regulation.same",
          {"与现行规定相同，没有变化", "this is what is in force already; nothing would change"}};
}

Refusal base_changed(int64_t base, int64_t newest, const json::object& was, const json::object& is) {
  const std::string from = std::to_string(base), to = std::to_string(newest);
  Refusal refusal{Code::conflict,
                  "regulation.base_changed",
                  {"这是按第 " + from + " 版拟的，现行的已是第 " + to + " 版：请对照变化重新提出",
                   "this was made against version " + from + ", and version " + to +
                       " is in force: look at what has changed and propose again"}};
  for (const json::value& row : difference(was, is)) {
    const std::string kind(row.at("kind").get_string()), key(row.at("key").get_string());
    const char* how = row.at("before").is_null() ? "added" : row.at("after").is_null() ? "removed" : "changed";
    refusal.fields.push_back(
        {kind + "." + key, how, {kind + " " + key + " 在此期间已变化", kind + " " + key + " has changed meanwhile"}});
  }
  return refusal;
}

// ---- drafting

int64_t next_id(const json::object& content) {
  // Kept in the content, so that the number of a rule that was removed means nothing else later.
  int64_t next = 1;
  if (const json::value* kept = content.if_contains("next_rule"); kept != nullptr && kept->is_int64())
    next = kept->get_int64();
  for (const json::value& rule : rows_of(content, "rules")) {
    const json::value* id = rule.is_object() ? rule.get_object().if_contains("id") : nullptr;
    if (id != nullptr && id->is_int64()) next = std::max(next, id->get_int64() + 1);
  }
  return next;
}

Result<json::object> object_member(const json::object& change, std::string_view name, const std::string& at) {
  const json::value* value = change.if_contains(name);
  if (value == nullptr || !value->is_object())
    return invalid(at + "." + std::string(name), {"必填，应为对象", "required, as an object"});
  return value->get_object();
}

class Drafting {
 public:
  explicit Drafting(json::object content) : content_(std::move(content)) {}

  Result<Done> apply(const json::object& change, const std::string& at) {
    const std::string op = key_of(change, "op");
    if (op == "add_rule") return add_rule(change, at);
    if (op == "put_rule") return put_rule(change, at);
    if (op == "remove_rule") return remove_rule(change, at);
    if (op == "set_setting") return set_setting(change, at);
    if (op == "put_post") return put_post(change, at);
    if (op == "set_power") return set_power(change, at);
    return invalid(at + ".op", {"应为 add_rule、put_rule、remove_rule、set_setting、put_post、set_power 之一",
                                "must be one of add_rule, put_rule, remove_rule, set_setting, put_post, set_power"});
  }
  json::object take() { return std::move(content_); }

 private:
  Result<Done> add_rule(const json::object& change, const std::string& at) {
    JW_TRY(json::object rule, object_member(change, "rule", at));
    const int64_t id = next_id(content_);
    place(rule, id);
    content_["next_rule"] = id + 1;
    content_["rules"].as_array().push_back(std::move(rule));
    return Done{};
  }
  Result<Done> put_rule(const json::object& change, const std::string& at) {
    JW_TRY(json::object rule, object_member(change, "rule", at));
    json::value* row = row_of(content_, kKinds[3], key_of(change, "id"));
    if (row == nullptr) return invalid(at + ".id", {"没有这条规则", "there is no such rule"});
    place(rule, row->at("id").as_int64());
    *row = std::move(rule);
    return Done{};
  }
  // As the store has them: id and effect first.
  static void place(json::object& rule, int64_t id) {
    json::object placed;
    placed["id"] = id;
    const json::value* effect = rule.if_contains("effect");
    placed["effect"] = effect == nullptr ? json::value("permit") : *effect;
    for (const auto& [key, value] : rule) {
      if (key != "id" && key != "effect" && !value.is_null()) placed[key] = value;
    }
    rule = std::move(placed);
  }
  Result<Done> remove_rule(const json::object& change, const std::string& at) {
    const json::value* row = row_of(content_, kKinds[3], key_of(change, "id"));
    if (row == nullptr) return invalid(at + ".id", {"没有这条规则", "there is no such rule"});
    content_["next_rule"] = next_id(content_);
    json::array& rules = content_["rules"].as_array();
    rules.erase(rules.begin() + (row - rules.data()));
    return Done{};
  }
  Result<Done> set_setting(const json::object& change, const std::string& at) {
    json::value* row = row_of(content_, kKinds[0], key_of(change, "name"));
    if (row == nullptr) return invalid(at + ".name", {"没有这个设置", "there is no such setting"});
    const json::value* value = change.if_contains("value");
    if (value == nullptr || !value->is_int64())
      return invalid(at + ".value", {"必填，应为整数", "required, as a whole number"});
    row->as_object()["value"] = *value;
    return Done{};
  }
  Result<Done> put_post(const json::object& change, const std::string& at) {
    JW_TRY(json::object post, object_member(change, "post", at));
    if (json::value* row = row_of(content_, kKinds[1], key_of(post, "name"))) {
      *row = std::move(post);
    } else {
      content_["posts"].as_array().push_back(std::move(post));
    }
    return Done{};
  }
  Result<Done> set_power(const json::object& change, const std::string& at) {
    json::value* row = row_of(content_, kKinds[2], key_of(change, "name"));
    if (row == nullptr) return invalid(at + ".name", {"没有这项职权", "there is no such power"});
    const json::value* posts = change.if_contains("post");
    if (posts == nullptr || !posts->is_array() || posts->get_array().empty())
      return invalid(at + ".post", {"必填，至少一个岗位", "required, at least one post"});
    row->as_object()["post"] = *posts;
    return Done{};
  }

  json::object content_;
};

// What no change may do, whatever the rows say.
Result<Done> check_change(const Regulation& regulation, const json::object& before) {
  for (const char* name : {"regulation_propose", "regulation_approve"}) {
    const Power* power = regulation.power(name);
    if (power == nullptr || power->posts.empty())
      return invalid("powers", {"提议和审批须各有岗位承担，否则规定无法再更改",
                                "somebody must propose and somebody decide, or nothing could be changed any more"});
  }
  size_t place = 0;
  for (const json::value& post : rows_of(before, "posts")) {
    const bool stays = place < regulation.posts.size() && regulation.posts[place].name == key_of(post, "name");
    ++place;
    if (!stays) return invalid("posts", {"岗位不能删除或改名", "posts are neither removed nor renamed"});
  }
  std::map<std::string, std::string> marks;
  for (const Post& post : regulation.posts) marks[post.name] = post.apart;
  for (const json::value& post : rows_of(before, "posts")) {
    if (const std::string was = key_of(post, "apart"); !was.empty() && marks[key_of(post, "name")] != was)
      return invalid("posts", {"三员分设的标记不能更改（§4.3.2）",
                               "the mark that sets the three administrators apart stays (§4.3.2)"});
  }
  return Done{};
}

Result<Draft> checked(const Catalogue& catalogue, const json::object& before, json::object content) {
  // Notes of the store apart, nothing would change.
  if (difference(before, content).empty()) return same();
  auto loaded = load_content(content, catalogue);
  if (const auto* problems = std::get_if<Problems>(&loaded)) return invalid(*problems);
  Draft draft{std::move(content), std::get<Regulation>(std::move(loaded))};
  JW_CHECK(check_change(draft.regulation, before));
  return draft;
}

// ---- what cannot be understood

// A stored version, of which rows may have become meaningless: their dataset, field or code is gone from the catalogue.
// Each such row closes only itself; where even that leaves nothing to load, nobody holds any post.
class Closing {
 public:
  Closing(const Catalogue& catalogue, json::object content) : catalogue_(catalogue), content_(std::move(content)) {}

  Regulation regulation() {
    for (int round = 0; round < kRounds; ++round) {
      auto loaded = load_content(content_, catalogue_);
      if (auto* regulation = std::get_if<Regulation>(&loaded)) return finish(std::move(*regulation));
      const Problems& problems = std::get<Problems>(loaded);
      std::set<std::pair<std::string, int>> rows;  // from the last one, as rows are taken out by their place
      for (const catalog::FileProblem& each : problems) {
        rows.insert({each.file, each.line});
        if (!told_.insert({each.file, each.line}).second) continue;
        closed_.push_back(
            {"规定中「" + each.file + " " + std::to_string(each.line) + "」无法理解，已关闭：" + each.text.zh,
             "of the regulation, " + each.file + " " + std::to_string(each.line) +
                 " cannot be understood and is closed: " + each.text.en});
      }
      for (auto row = rows.rbegin(); row != rows.rend(); ++row) close(row->first, row->second);
    }
    return finish(nothing());
  }

 private:
  static constexpr int kRounds = 8;  // closing a row may leave another without its post

  void close(const std::string& kind, int line) {
    if (kind == "rules") return close_rule(line);
    json::value* rows = content_.if_contains(kind);
    const bool there =
        rows != nullptr && rows->is_array() && line > 0 && static_cast<size_t>(line) <= rows->get_array().size();
    if (!there) return;
    json::array& array = rows->get_array();
    if (kind == "posts") return close_post(array[static_cast<size_t>(line) - 1]);
    if (kind == "powers") array.erase(array.begin() + (line - 1));  // nobody has it
  }
  // A permit is left out; a forbid, whose rows nobody can tell, forbids all of them.
  void close_rule(int id) {
    json::value* row = row_of(content_, kKinds[3], std::to_string(id));
    if (row == nullptr) return;
    json::object whole;
    for (const char* name : {"id", "effect", "post", "dataset", "clause", "text"}) {
      if (const json::value* value = row->as_object().if_contains(name)) whole[name] = *value;
    }
    whole["rows"] = "all";
    if (key_of(*row, "effect") == "forbid" && *row != json::value(whole)) {
      *row = std::move(whole);
      return;
    }
    json::array& rules = content_["rules"].as_array();
    rules.erase(rules.begin() + (row - rules.data()));
  }
  // It keeps its place, its name and its mark.
  void close_post(json::value& row) {
    const std::string name = key_of(row, "name"), apart = key_of(row, "apart");
    json::object closed{{"name", name}, {"label", {{"zh", name}, {"en", name}}}, {"clause", "2.1.1"}};
    if (!apart.empty()) closed["apart"] = apart;
    for (const catalog::Dataset& dataset : catalogue_.datasets) {
      if (!dataset.person) continue;
      closed["from"] = dataset.name;
      closed["where"] = {{"field", "id"}, {"is", "me"}};
      break;
    }
    row = std::move(closed);
    closed_posts_.insert(name);
  }
  Regulation nothing() const {
    Regulation out;
    for (const json::value& row : rows_of(content_, "posts")) {
      Post post;
      post.name = key_of(row, "name");
      post.label = {post.name, post.name};
      post.from = 0;
      post.closed = true;
      out.posts.push_back(std::move(post));
    }
    for (const json::value& row : rows_of(content_, "settings")) {
      const json::value* value = row.is_object() ? row.get_object().if_contains("value") : nullptr;
      if (value == nullptr || !value->is_int64()) continue;
      Setting setting;
      setting.name = key_of(row, "name");
      setting.value = value->get_int64();
      out.settings.push_back(std::move(setting));
    }
    return out;
  }
  Regulation finish(Regulation regulation) {
    for (Post& post : regulation.posts) post.closed = post.closed || closed_posts_.contains(post.name);
    regulation.closed = std::move(closed_);
    return regulation;
  }

  const Catalogue& catalogue_;
  json::object content_;
  std::vector<Text> closed_;
  std::set<std::pair<std::string, int>> told_;
  std::set<std::string> closed_posts_;
};

// ---- stored

json::object parsed(std::string_view text) {
  boost::system::error_code error;
  json::value value = json::parse(text, error);
  if (error || !value.is_object()) throw std::runtime_error("the stored regulation is no JSON object");
  return std::move(value.get_object());
}

constexpr std::string_view kProposalColumns =
    "id, base, kind, state, clause, note, answer, proposed_by, COALESCE(person_id, 0), proposed_name, decided_name, "
    "proposed, decided, rolled_back_to, version, content";

Proposal read_proposal(const db::Rows& rows) {
  Proposal out;
  out.id = rows.integer(0);
  out.base = rows.integer(1);
  out.kind = rows.text(2);
  out.state = rows.text(3);
  out.clause = rows.text(4);
  out.note = rows.text(5);
  out.answer = rows.text(6);
  out.proposed_by = rows.integer(7);
  out.proposed_person = rows.integer(8);
  out.proposed_name = rows.text(9);
  out.decided_name = rows.text(10);
  out.proposed = {rows.integer(11)};
  out.decided = {rows.integer(12)};
  if (!rows.is_null(13)) out.rolled_back_to = rows.integer(13);
  if (!rows.is_null(14)) out.version = rows.integer(14);
  out.content = parsed(rows.text(15));
  return out;
}

// The gate's row is locked until the transaction ends: acts upon the regulation happen one after the other on every
// node, and what is in force is planned anew everywhere.
void lock(db::Connection& transaction) {
  transaction.execute("UPDATE gate SET epoch = epoch + 1 WHERE id = 1");
}

// The leaf holds the difference itself: the record alone shows what was open on a day.
int64_t put_leaf(db::Connection& transaction, record::Recorder& recorder, record::Entry entry, const Proposal& proposal,
                 const json::array& differs, std::string_view answer) {
  JsonWriter out(entry.parameters);
  out.object().field("proposal", proposal.id).field("base", proposal.base);
  if (proposal.version) out.field("version", *proposal.version);
  if (proposal.rolled_back_to) out.field("rolled_back_to", *proposal.rolled_back_to);
  out.field("note", proposal.note);
  if (!answer.empty()) out.field("answer", answer);
  out.key("changes").raw(json::serialize(differs)).end_object();
  return recorder.put_in_outbox(transaction, entry);
}

struct Version {
  int64_t version = 0, base = 0;
  std::string kind;  // start | files | change | rollback
  std::string clause, note, proposed_name, approved_name;
  Instant proposed, approved;
  std::optional<int64_t> rolled_back_to;
};

void write_version(db::Connection& transaction, const Version& version, const json::object& content, int64_t proposer,
                   int64_t approver) {
  transaction.execute(
      "INSERT INTO regulation_version (id, version, kind, content, base, clause, note, proposed_by, person_id, "
      "proposed_name, approved_by, approved_name, proposed, approved, rolled_back_to) VALUES ($1, $1, $2, $3, $4, $5, "
      "$6, $7, (SELECT person_id FROM account WHERE id = $7), $8, $9, $10, $11, $12, $13)",
      {version.version, version.kind, json::serialize(content), version.base, version.clause, version.note, proposer,
       version.proposed_name, approver, version.approved_name, version.proposed.us, version.approved.us,
       db::Param(version.rolled_back_to)});
}

Result<Acted> put_proposal(db::Connection& transaction, record::Recorder& recorder, const json::object& before,
                           Draft draft, Proposal proposal, const Hand& hand, Instant now) {
  {
    db::Rows rows = transaction.query("SELECT COALESCE(MAX(id), 0) + 1 FROM regulation_proposal");
    rows.next();
    proposal.id = rows.integer(0);
  }
  transaction.execute(
      "INSERT INTO regulation_proposal (id, number, kind, state, base, content, clause, note, rolled_back_to, "
      "proposed_by, person_id, proposer, proposed_name, proposed) VALUES ($1, $1, $2, 'proposed', $3, $4, $5, $6, $7, "
      "$8, $9, (SELECT login FROM account WHERE id = $8), $10, $11)",
      {proposal.id, proposal.kind, proposal.base, json::serialize(draft.content), proposal.clause, proposal.note,
       db::Param(proposal.rolled_back_to), hand.account, hand.person == 0 ? db::Param() : db::Param(hand.person),
       hand.name, now.us});
  const int64_t outbox =
      put_leaf(transaction, recorder, record::act_of(hand, "regulation_propose", proposal.clause, now), proposal,
               difference(before, draft.content), "");
  return Acted{proposal.id, proposal.base, outbox};
}

bool is_clause(std::string_view text) {
  return !text.empty() && text.size() <= 12 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c == '.' || (c >= '0' && c <= '9'); });
}

// What is in force, locked; refuses when that is not what the proposer saw.
Result<json::object> base_of(db::Connection& transaction, int64_t base) {
  const int64_t newest = version_in_force(transaction);
  JW_TRY(json::object now, content_of(transaction, newest));
  if (base == newest) return now;
  JW_TRY(const json::object was, content_of(transaction, base));
  return base_changed(base, newest, was, now);
}

Result<Proposal> proposal_from(const Wording& wording, std::string_view kind, int64_t base) {
  Proposal proposal;
  JW_TRY(proposal.note, typed_reason(wording.note, "note"));
  proposal.clause = wording.clause.empty() ? "2.1.1" : wording.clause;
  if (!is_clause(proposal.clause))
    return invalid("clause", {"应为条款号，如 2.1.1", "must be the number of a clause such as 2.1.1"});
  proposal.kind = kind;
  proposal.base = base;
  return proposal;
}

// An open proposal, locked until the transaction ends.
Result<Proposal> open_proposal(db::Connection& transaction, int64_t id) {
  lock(transaction);
  JW_TRY(Proposal found, proposal(transaction, id));
  if (found.state == "proposed") return found;
  return Refusal{Code::conflict,
                 "regulation.decided",
                 {"这项提议已有结果（" + found.state + "）", "this proposal has been decided (" + found.state + ")"}};
}

bool is_own(const Proposal& proposal, const Hand& hand) {
  return proposal.proposed_by == hand.account || (hand.person != 0 && proposal.proposed_person == hand.person);
}

Refusal own_proposal() {
  return {Code::forbidden,
          "regulation.own_proposal",
          {"提议人不能审批自己的提议，须由另一人审批（双人复核）",
           "a proposal is decided by somebody else than who made it (four eyes)"},
          {},
          Remedy{"4.3.2",
                 {"请教务处另一位人员或安全管理员审批；不需要了可以撤回",
                  "ask another of the academic affairs office, or the security administrator; or withdraw it"},
                 "",
                 ""}};
}

void decide(db::Connection& transaction, const Proposal& proposal, std::string_view state, std::string_view answer,
            const Hand& hand, Instant now) {
  transaction.execute(
      "UPDATE regulation_proposal SET state = $2, decided_by = $3, decided_name = $4, decided = $5, answer = $6, "
      "version = $7 WHERE id = $1 AND state = 'proposed'",
      {proposal.id, state, hand.account, hand.name, now.us, answer, db::Param(proposal.version)});
}

// Without being in force: the gate was raised only to have one act at a time, so it costs a planning anew.
Result<Acted> end(db::Connection& transaction, record::Recorder& recorder, const Proposal& proposal,
                  std::string_view state, std::string_view answer, const Hand& hand, Instant now) {
  decide(transaction, proposal, state, answer, hand, now);
  const std::string_view action = state == "rejected" ? "regulation_reject" : "regulation_withdraw";
  const int64_t outbox =
      put_leaf(transaction, recorder, record::act_of(hand, action, proposal.clause, now), proposal, {}, answer);
  return Acted{proposal.id, version_in_force(transaction), outbox};
}

}  // namespace

// ---- reading
// ---------------------------------------------------------------------------------------------------------

int64_t version_in_force(db::Connection& connection) {
  db::Rows rows = connection.query("SELECT COALESCE(MAX(version), 0) FROM regulation_version");
  rows.next();
  return rows.integer(0);
}

Regulation stored_regulation(db::Connection& connection, int64_t version, const Catalogue& catalogue) {
  const Result<json::object> content = content_of(connection, version);
  if (!content) throw std::runtime_error("version " + std::to_string(version) + " of the regulation is not there");
  Regulation regulation = Closing(catalogue, *content).regulation();
  regulation.version = version;
  return regulation;
}

Result<json::object> content_of(db::Connection& connection, int64_t version) {
  db::Rows rows = connection.query("SELECT content FROM regulation_version WHERE version = $1", {version});
  if (!rows.next())
    return Refusal{Code::not_found, "regulation.version_unknown", {"没有这一版", "there is no such version"}};
  return parsed(rows.text(0));
}

Result<Proposal> proposal(db::Connection& connection, int64_t id) {
  db::Rows rows =
      connection.query("SELECT " + std::string(kProposalColumns) + " FROM regulation_proposal WHERE id = $1", {id});
  if (!rows.next())
    return Refusal{Code::not_found, "regulation.proposal_unknown", {"没有这项提议", "there is no such proposal"}};
  return read_proposal(rows);
}

json::array difference(const json::object& before, const json::object& after) {
  json::array out;
  for (const Kind& kind : kKinds) {
    std::map<std::string, const json::value*> was;
    std::set<std::string> seen;
    for (const json::value& row : rows_of(before, kind.rows)) was[key_of(row, kind.key)] = &row;
    const auto differ = [&](const std::string& key, json::value from, json::value to) {
      out.push_back({{"kind", kind.row}, {"key", key}, {"before", std::move(from)}, {"after", std::move(to)}});
    };
    for (const json::value& row : rows_of(after, kind.rows)) {
      const std::string key = key_of(row, kind.key);
      seen.insert(key);
      const auto found = was.find(key);
      if (found == was.end()) {
        differ(key, nullptr, row);
      } else if (*found->second != row) {
        differ(key, *found->second, row);
      }
    }
    for (const json::value& row : rows_of(before, kind.rows)) {
      const std::string key = key_of(row, kind.key);
      if (!seen.contains(key)) differ(key, row, nullptr);
    }
  }
  return out;
}

// ---- drafting
// --------------------------------------------------------------------------------------------------------

Result<Draft> draft(const Catalogue& catalogue, const json::object& base, const json::array& changes) {
  if (changes.empty() || changes.size() > kChangesMax) {
    const std::string most = std::to_string(kChangesMax);
    return invalid("changes", {"应为 1 至 " + most + " 项更改", "must be 1 to " + most + " changes"});
  }
  Drafting drafting(base);
  for (size_t i = 0; i < changes.size(); ++i) {
    const std::string at = "changes[" + std::to_string(i) + "]";
    if (!changes[i].is_object()) return invalid(at, {"应为对象", "must be an object"});
    JW_CHECK(drafting.apply(changes[i].get_object(), at));
  }
  return checked(catalogue, base, drafting.take());
}

namespace {

// The settings, posts and powers that are only in the other.
void add_missing(json::object& content, const json::object& other) {
  for (const Kind& kind : {kKinds[0], kKinds[1], kKinds[2]}) {
    for (const json::value& row : rows_of(other, kind.rows)) {
      if (row_of(content, kind, key_of(row, kind.key)) == nullptr) content[kind.rows].as_array().push_back(row);
    }
  }
}

json::object brought_back(const json::object& now, const json::object& then) {
  json::object content = then;
  add_missing(content, now);
  content["next_rule"] = std::max(next_id(now), next_id(then));
  return content;
}

}  // namespace

Result<Draft> draft_rollback(const Catalogue& catalogue, const json::object& now, const json::object& then) {
  return checked(catalogue, now, brought_back(now, then));
}

// ---- acts
// ------------------------------------------------------------------------------------------------------------

Result<Acted> propose(db::Connection& transaction, record::Recorder& recorder, const Catalogue& catalogue, int64_t base,
                      const json::array& changes, const Wording& wording, const Hand& hand, Instant now,
                      const Trial& trial) {
  lock(transaction);
  JW_TRY(Proposal proposal, proposal_from(wording, "change", base));
  JW_TRY(const json::object before, base_of(transaction, base));
  JW_TRY(Draft made, draft(catalogue, before, changes));
  JW_CHECK(trial(made.regulation));
  return put_proposal(transaction, recorder, before, std::move(made), std::move(proposal), hand, now);
}

Result<Acted> propose_rollback(db::Connection& transaction, record::Recorder& recorder, const Catalogue& catalogue,
                               int64_t base, int64_t to, const Wording& wording, const Hand& hand, Instant now,
                               const Trial& trial) {
  lock(transaction);
  JW_TRY(Proposal proposal, proposal_from(wording, "rollback", base));
  JW_TRY(const json::object before, base_of(transaction, base));
  JW_TRY(const json::object then, content_of(transaction, to));
  JW_TRY(Draft made, draft_rollback(catalogue, before, then));
  JW_CHECK(trial(made.regulation));
  proposal.rolled_back_to = to;
  return put_proposal(transaction, recorder, before, std::move(made), std::move(proposal), hand, now);
}

Result<Acted> approve(db::Connection& transaction, record::Recorder& recorder, const Catalogue& catalogue, int64_t id,
                      const Hand& hand, Instant now, const Trial& trial) {
  JW_TRY(Proposal open, open_proposal(transaction, id));
  if (is_own(open, hand)) return own_proposal();
  JW_TRY(const json::object before, base_of(transaction, open.base));
  JW_TRY(const Draft made, checked(catalogue, before, open.content));
  JW_CHECK(trial(made.regulation));
  Version version{open.base + 1,      open.base, open.kind,     open.clause, open.note,
                  open.proposed_name, hand.name, open.proposed, now,         open.rolled_back_to};
  write_version(transaction, version, made.content, open.proposed_by, hand.account);
  open.version = version.version;
  decide(transaction, open, "approved", "", hand, now);
  const int64_t outbox = put_leaf(transaction, recorder, record::act_of(hand, "regulation_approve", open.clause, now),
                                  open, difference(before, made.content), "");
  return Acted{id, version.version, outbox};
}

Result<Acted> reject(db::Connection& transaction, record::Recorder& recorder, int64_t id, std::string_view reason,
                     const Hand& hand, Instant now) {
  JW_TRY(const std::string why, typed_reason(reason));
  JW_TRY(const Proposal open, open_proposal(transaction, id));
  if (is_own(open, hand)) return own_proposal();
  return end(transaction, recorder, open, "rejected", why, hand, now);
}

Result<Acted> withdraw(db::Connection& transaction, record::Recorder& recorder, int64_t id, const Hand& hand,
                       Instant now) {
  JW_TRY(const Proposal open, open_proposal(transaction, id));
  if (!is_own(open, hand))
    return Refusal{Code::forbidden,
                   "regulation.not_own_proposal",
                   {"只有提议人可以撤回", "only who made a proposal withdraws it"}};
  return end(transaction, recorder, open, "withdrawn", "", hand, now);
}

Result<Acted> restore(db::Connection& transaction, record::Recorder& recorder, int64_t to, std::string_view note,
                      const Hand& hand, Instant now) {
  lock(transaction);
  Version version;
  JW_TRY(version.note, typed_reason(note));
  version.base = version_in_force(transaction);
  version.version = version.base + 1;
  version.kind = "rollback";
  version.clause = "2.1.1";
  version.proposed_name = version.approved_name = hand.name;
  version.proposed = version.approved = now;
  version.rolled_back_to = to;
  JW_TRY(const json::object before, content_of(transaction, version.base));
  JW_TRY(const json::object then, content_of(transaction, to));
  const json::object content = brought_back(before, then);
  const json::array differs = difference(before, content);
  if (differs.empty()) return same();
  write_version(transaction, version, content, 0, 0);
  Proposal whole;
  whole.base = version.base;
  whole.version = version.version;
  whole.rolled_back_to = to;
  whole.note = version.note;
  return Acted{0, version.version,
               put_leaf(transaction, recorder, record::act_of(hand, "regulation_rollback", version.clause, now), whole,
                        differs, "")};
}

int64_t start_regulation(db::Connection& transaction, record::Recorder& recorder, const Catalogue& catalogue,
                         const json::object& files, Instant now) {
  lock(transaction);
  Version version;
  version.base = version_in_force(transaction);
  version.version = version.base + 1;
  version.kind = version.base == 0 ? "start" : "files";
  version.clause = "2.1.1";
  version.proposed = version.approved = now;
  json::object before, content = files;
  if (version.base > 0) {
    const Result<json::object> known = content_of(transaction, version.base);
    if (!known) throw std::runtime_error("the regulation in force is not there");
    before = *known;
    bool decided = false;
    {
      db::Rows rows =
          transaction.query("SELECT 1 FROM regulation_version WHERE kind NOT IN ('start', 'files') LIMIT 1");
      decided = rows.next();
    }
    if (decided) {
      content = before;
      add_missing(content, files);
    }
  }
  const json::array differs = difference(before, content);
  if (differs.empty()) return 0;
  if (auto loaded = load_content(content, catalogue); const auto* problems = std::get_if<Problems>(&loaded)) {
    // What is stored is not understood by itself: it stays as it is, closed where it must be, until it is rolled back.
    if (version.base > 0 && std::holds_alternative<Problems>(load_content(before, catalogue))) return 0;
    throw std::runtime_error("the regulation of the files cannot be taken over: " + problems->front().print());
  }
  write_version(transaction, version, content, 0, 0);
  Proposal whole;
  whole.base = version.base;
  whole.version = version.version;
  return put_leaf(transaction, recorder, record::act_of(Hand{}, "regulation_" + version.kind, version.clause, now),
                  whole, differs, "");
}

}  // namespace jw::policy
