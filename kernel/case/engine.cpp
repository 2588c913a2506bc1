// Taking a step: who may, why not, and all that goes with it in one transaction.
#include <boost/json.hpp>

#include <algorithm>

#include "base/typed.hpp"
#include "kernel/case/api.hpp"
#include "kernel/case/file.hpp"
#include "kernel/notice/api.hpp"
#include "kernel/paper/api.hpp"

namespace jw::cases {

namespace json = boost::json;

namespace {

constexpr size_t kOpinionMax = 1000;  // characters

Refusal unknown_case() {
  return {Code::not_found, "case.unknown", {"没有这个办件", "there is no such case"}};
}

const Unit& unit_of(const Case& file, Who::Of of) {
  return of == Who::Of::sign_unit ? file.sign_unit : of == Who::Of::owner_unit ? file.owner_unit : file.unit;
}

std::string unit_code(const Case& file, const Who& who) {
  if (who.of == Who::Of::anywhere) return {};
  return who.of == Who::Of::named ? std::string(who.unit) : unit_of(file, who.of).code;
}

bool is_clock(const Actor& actor) {
  return actor.asker.account == 0;
}

std::string series_of(Instant now) {
  return "case/" + std::to_string(now.date().year());
}

std::string number_of(std::string_view year, int64_t n) {
  std::string serial = std::to_string(n);
  if (serial.size() < 4) serial.insert(0, 4 - serial.size(), '0');
  return std::string(year) + "-" + serial;
}

Result<std::string> opinion_of(const Transition& row, const json::object& input) {
  const json::value* given = input.if_contains("opinion");
  const bool none = given == nullptr || given->is_null();
  const TypedField field{.name = "opinion",
                         .label = {"意见", "the opinion"},
                         .least = row.opinion == Opinion::required ? 1U : 0U,
                         .most = kOpinionMax,
                         .lines = true};
  if (!none && !given->is_string()) {
    const Text text{"意见应为文字", "the opinion must be text"};
    return Refusal{Code::unprocessable, "text.not_accepted", text, {{"opinion", "not_text", text}}};
  }
  return typed_text(none ? std::string_view() : std::string_view(given->get_string()), field);
}

// A script that opens cases all day fills nothing but its own list.
Result<Done> check_open_cases(const Moment& moment) {
  const int64_t most = moment.on.setting("open_cases");
  db::Rows rows = moment.connection.query("SELECT COUNT(*) FROM \"case\" WHERE account = $1 AND closed IS NULL",
                                          {moment.file.account});
  rows.next();
  if (rows.integer(0) < most) return Done{};
  const std::string shown = std::to_string(most);
  return Refusal{Code::too_many,
                 "case.too_many_open",
                 {"您未办结的申请已有 " + shown + " 件，请等其中一些办结，或作废不用的草稿",
                  "you have " + shown + " open cases: let some of them be decided, or discard drafts you do not need"}};
}

// Whoever may not look at own cases any more (left, or the period of graduates is over) could neither go on with a
// draft nor read the reply: refused with the way that remains, which the regulation names for the post.
Result<Done> check_follows_own_cases(const Moment& moment) {
  const db::Store::Lease reader = moment.on.store.reader();
  const policy::AuthorityPtr authority = moment.on.policy.authority(*reader, moment.actor.asker, moment.now);
  const policy::Decision& decision = authority->decide(*moment.on.catalogue.find("case"), policy::Action::query, "");
  if (decision.allowed()) return Done{};
  return *decision.refusal;
}

// What nobody ever signed is no evidence of anything: the files of a discarded draft go with it.
void forget_unsigned_files(const Moment& moment) {
  const std::vector<Step>& steps = moment.file.steps;
  if (std::any_of(steps.begin(), steps.end(), [](const Step& step) { return !step.signature.empty(); })) return;
  moment.connection.execute("DELETE FROM case_attachment WHERE case_id = $1", {moment.file.id});
}

Result<Done> check_live(const Moment& moment) {
  if (is_clock(moment.actor) || identity::check_live(moment.connection, moment.actor.asker.session, moment.now))
    return Done{};
  return identity::session_ended();
}

std::string canonical(const Case& file, const Step& step) {
  std::string text;
  JsonWriter out(text);
  out.object().field("case", file.number).field("step", step.n).field("action", step.action);
  out.field("from", step.from).field("to", step.to).field("person", step.person).field("name", step.name);
  out.field("post", step.post).field("unit", step.unit).field("for", step.for_person).field("at", step.at.print());
  out.field("opinion", step.opinion).key("content").raw(step.content).end_object();
  return text;
}

}  // namespace

const State* Kind::state(std::string_view state_name) const {
  for (const State& each : states) {
    if (each.name == state_name) return &each;
  }
  return nullptr;
}

const Actor::Held* Actor::held(std::string_view post) const {
  for (const Held& each : posts) {
    if (each.post == post && each.for_person == 0) return &each;
  }
  return nullptr;
}

int64_t Services::setting(std::string_view name) const {
  return policy.rules()->regulation().setting(name);
}

Engine::Engine(Services services)
    : services_(std::move(services)),
      desks_(desks_of(services_.kinds)),
      key_(crypto::SigningKey::from_seed(services_.signing_seed)) {}

const Kind* Engine::kind(std::string_view name) const {
  for (const Kind* each : services_.kinds) {
    if (each->name == name) return each;
  }
  return nullptr;
}

bool Engine::has_action(std::string_view action) const {
  return std::any_of(services_.kinds.begin(), services_.kinds.end(), [&](const Kind* each) {
    return std::any_of(each->transitions.begin(), each->transitions.end(),
                       [&](const Transition& row) { return row.action == action; });
  });
}

Actor Engine::clock_actor() {
  Actor actor;
  actor.name = "系统";
  return actor;
}

// ---- who may, and why not
// -----------------------------------------------------------------------------------------

// As oneself before as a deputy.
const Actor::Held* holding(const Case& file, const Who& who, const Actor& actor) {
  const Actor::Held* found = nullptr;
  const std::string unit = unit_code(file, who);
  for (const Actor::Held& held : actor.posts) {
    if (held.post != who.post) continue;
    if (who.of != Who::Of::anywhere && (unit.empty() || held.unit != unit)) continue;
    if (found == nullptr || (found->for_person != 0 && held.for_person == 0)) found = &held;
  }
  return found;
}

Result<Engine::Chosen> Engine::choose(Moment& moment, std::string_view action) const {
  const Case& file = moment.file;
  const Kind& kind = *file.kind;
  const Transition* meant = nullptr;
  bool known = false;
  for (const Transition& row : kind.transitions) {
    if (row.action != action) continue;
    known = true;
    if (row.from != file.state || (row.when != nullptr && !row.when(moment))) continue;
    meant = &row;
    break;
  }
  if (!known) {
    return Refusal{Code::not_found,
                   "case.action_unknown",
                   {"“" + kind.label.zh + "”没有这一步骤", kind.label.en + " has no such step"}};
  }
  if (meant == nullptr) {
    return Refusal{Code::conflict,
                   "case.moved",
                   {"办件已不在这一环节（可能已由他人办理），请刷新后再看",
                    "the case has left this state (somebody else may have taken it on): look at it again"}};
  }
  Chosen chosen{meant, nullptr};
  const Who& who = meant->who;
  bool may = false;
  if (who.is == Who::Is::clock) may = is_clock(moment.actor);
  if (who.is == Who::Is::applicant) may = !is_clock(moment.actor) && moment.actor.asker.account == file.account;
  if (who.is == Who::Is::post) {
    chosen.held = holding(file, who, moment.actor);
    may = chosen.held != nullptr;
  }
  if (!may) {
    Text text{"这一步由申请人办理", "this step is the applicant's"};
    if (who.is == Who::Is::clock) text = {"这一步由系统到期办理", "this step is taken by the clock"};
    if (who.is == Who::Is::post) {
      const int post = moment.on.policy.rules()->regulation().post(who.post);
      const Text label = post < 0 ? Text{std::string(who.post), std::string(who.post)}
                                  : moment.on.policy.rules()->regulation().posts[static_cast<size_t>(post)].label;
      const bool here = who.of != Who::Of::anywhere && who.of != Who::Of::named;
      const std::string unit = here ? unit_of(file, who.of).name : "";
      text = {"这一步由" + unit + label.zh + "办理",
              "this step is taken by " + label.en + (unit.empty() ? "" : " of " + unit)};
    }
    return Refusal{Code::forbidden, "case.not_yours", text};
  }
  JW_CHECK(check_apart(moment, chosen));
  if (meant->guard != nullptr) JW_CHECK(meant->guard(moment));
  return chosen;
}

// Requester, signer and deciders are different people (§2.4.3); who stands in counts as oneself and as the principal.
Result<Done> Engine::check_apart(const Moment& moment, const Chosen& chosen) const {
  const Transition& row = *chosen.row;
  if (row.who.is != Who::Is::post || row.from.empty()) return Done{};
  const int64_t person = moment.actor.asker.person;
  const int64_t principal = chosen.held == nullptr ? 0 : chosen.held->for_person;
  const auto is_one_of_us = [&](int64_t other) { return other != 0 && (other == person || other == principal); };
  const Refusal same{Code::forbidden,
                     "case.same_person",
                     {"申请、签字、审批须由不同的人办理，您（或您所代理的人）已在此件中办理过",
                      "application, signature and decision are taken by different people, and you (or whom you stand "
                      "in for) took one of them"}};
  if (is_one_of_us(moment.file.person)) return same;
  if (!row.approves()) return Done{};
  if (moment.file.kind->favours != nullptr && moment.file.kind->favours(moment)) {
    return Refusal{
        Code::forbidden,
        "case.own_favour",
        {"批准后您本人（或您所代理的人）也会得到这项权限，须由他人办理",
         "what is asked for would be given to you (or whom you stand in for) as well: somebody else decides"}};
  }
  for (auto step = moment.file.steps.rbegin(); step != moment.file.steps.rend(); ++step) {
    const State* to = moment.file.kind->state(step->to);
    if (to != nullptr && &to->waits_for == &kWaitsApplicant) break;  // sent back: all begins anew
    for (const Transition& taken : moment.file.kind->transitions) {
      if (!taken.approves() || taken.action != step->action || taken.from != step->from) continue;
      if (is_one_of_us(step->person) || is_one_of_us(step->for_person)) return same;
    }
  }
  return Done{};
}

// ---- steps
// --------------------------------------------------------------------------------------------------------

Result<Taken> Engine::open(const Actor& actor, std::string_view kind_name, std::string_view action,
                           const json::object& input, bool signed_by_person) {
  const db::Store::Lease lease = services_.store.writer();
  db::Transaction transaction(*lease, db::Transaction::Mode::write);
  Result<Taken> taken = open_within(*lease, actor, kind_name, action, input, signed_by_person);
  if (taken) transaction.commit();
  return taken;
}

Result<Taken> Engine::open_within(db::Connection& transaction, const Actor& actor, std::string_view kind_name,
                                  std::string_view action, const json::object& input, bool signed_by_person) {
  const Kind* which = kind(kind_name);
  if (which == nullptr)
    return Refusal{Code::not_found, "case.kind_unknown", {"没有这种办件", "there is no such kind of case"}};
  Case file;
  file.kind = which;
  file.account = actor.asker.account;
  file.person = actor.asker.person;
  file.applicant = actor.login;
  file.applicant_name = actor.name;
  Moment moment{services_, transaction, file, actor, input, services_.clock.now()};
  JW_CHECK(check_live(moment));
  if (!is_clock(actor)) JW_CHECK(check_follows_own_cases(moment));
  file.opened = file.arrived = moment.now;
  JW_TRY(const Chosen chosen, choose(moment, action));
  if (!is_clock(actor)) JW_CHECK(check_open_cases(moment));
  file.id = next_id(transaction, "case");
  const std::string year = std::to_string(moment.now.date().year());
  file.number = number_of(year, next_number(transaction, series_of(moment.now)));
  return take(moment, chosen, signed_by_person);
}

Result<Taken> Engine::act(const Actor& actor, std::string_view number, std::string_view action,
                          const json::object& input, bool signed_by_person) {
  const db::Store::Lease lease = services_.store.writer();
  db::Transaction transaction(*lease, db::Transaction::Mode::write);
  Result<Taken> taken = act_within(*lease, actor, number, action, input, signed_by_person);
  if (taken) transaction.commit();
  return taken;
}

Result<Taken> Engine::act_within(db::Connection& transaction, const Actor& actor, std::string_view number,
                                 std::string_view action, const json::object& input, bool signed_by_person) {
  std::optional<Case> file = read_case(transaction, services_.kinds, number, true);
  if (!file) return unknown_case();
  Moment moment{services_, transaction, *file, actor, input, services_.clock.now()};
  JW_CHECK(check_live(moment));
  if (const json::value* revision = input.if_contains("revision");
      revision != nullptr && !revision->is_null() &&
      !(revision->is_int64() && revision->get_int64() == file->revision)) {
    return Refusal{
        Code::conflict,
        "case.moved",
        {"您打开之后，此件已有新的办理，请刷新后再办", "the case has moved since you opened it: look at it again"}};
  }
  JW_TRY(const Chosen chosen, choose(moment, action));
  return take(moment, chosen, signed_by_person);
}

Result<Taken> Engine::take(Moment& moment, const Chosen& chosen, bool signed_by_person) {
  const Transition& row = *chosen.row;
  Case& file = moment.file;
  JW_TRY(const std::string opinion, opinion_of(row, moment.input));
  if (row.signs() && !signed_by_person) {
    return Refusal{Code::forbidden,
                   "case.signature_missing",
                   {"签字须重新输入口令确认", "a signature needs the password once more"},
                   {{"password", "required", {"请输入您的登录口令", "your password, please"}}}};
  }
  if (row.effect != nullptr) JW_CHECK(row.effect(moment));
  const State& state = *file.kind->state(row.to);
  const bool moves = row.from != row.to;
  file.state = row.to;
  ++file.revision;
  if (moves) {
    file.arrived = moment.now;
    start_clock(moment, state);
    file.closed = state.closed ? std::optional(moment.now) : std::nullopt;
  }
  if (row.from.empty()) insert_case(moment.connection, file);
  Step step;
  step.n = file.steps.empty() ? 1 : file.steps.back().n + 1;
  step.action = row.action;
  step.from = row.from;
  step.to = row.to;
  step.account = moment.actor.asker.account;
  step.person = moment.actor.asker.person;
  step.name = moment.actor.name;
  if (chosen.held != nullptr) {
    step.post = chosen.held->post;
    step.unit = chosen.held->unit;
    step.for_person = chosen.held->for_person;
    step.for_name = chosen.held->for_name;
  }
  step.at = moment.now;
  step.opinion = opinion;
  step.content = json::serialize(moment.changed);
  if (row.signs()) step.signature = crypto::base64(key_.sign(canonical(file, step)));
  record(moment, row, step);
  update_case(moment.connection, file);
  insert_step(moment.connection, file, step);
  file.steps.push_back(step);
  if (file.closed) forget_unsigned_files(moment);
  // Who was called upon in the state that is left need not come any more; what the applicant was told stays unread.
  if (moves) {
    const bool own = moment.actor.asker.account == file.account;
    notice::settle(moment.connection, "case:" + file.number, own ? 0 : file.account, moment.now);
  }
  JW_CHECK(send_letter(moment, row, step));
  tell(moment, row);
  for (const Notice& notice : moment.notices) put_notice(moment.connection, notice, moment.now);
  return Taken{file.number, file.state, step.outbox};
}

void Engine::record(Moment& moment, const Transition& row, Step& step) {
  const record::Hand hand{step.account, step.person, moment.actor.asker.session, step.name, step.post, step.unit};
  record::Entry entry =
      record::entry_of(hand, "act", std::string(moment.file.kind->name) + "." + std::string(row.action), moment.now);
  entry.beneficiary = moment.file.person;
  entry.dataset = "case";
  entry.basis = "§" + std::string(moment.file.kind->clause);
  JsonWriter out(entry.parameters);
  out.object().field("case", moment.file.number).field("step", step.n).field("from", step.from).field("to", step.to);
  out.field("for", step.for_person).field("opinion", step.opinion).key("changed").raw(step.content);
  out.field("signature", step.signature).end_object();
  step.outbox = services_.recorder.put_in_outbox(moment.connection, entry);
}

void Engine::start_clock(Moment& moment, const State& state) const {
  Case& file = moment.file;
  if (state.keeps_clock) return;
  file.due.reset();
  file.due_provisional = false;
  file.due_days = 0;
  file.lateness = "in_time";
  if (state.due_setting.empty()) return;
  const auto calendar = services_.calendar.current(moment.connection);
  const int64_t days = services_.setting(state.due_setting);
  const calendar::Deadline deadline = calendar->working_days_after(moment.now, static_cast<int>(days)).value();
  file.due = deadline.at;
  file.due_provisional = deadline.provisional;
  file.due_from = moment.now;
  file.due_days = days;
  file.due_version = deadline.version;
}

Result<Done> Engine::send_letter(Moment& moment, const Transition& row, const Step& step) {
  if (row.letter == nullptr) return Done{};
  const std::optional<Letter> letter = row.letter(moment);
  if (!letter) return Done{};
  const paper::Mark mark = paper::take(moment.connection, moment.file.kind->letter_series, moment.now);
  JW_TRY(const std::string pdf, print_letter(services_, *letter, mark.number, mark.code, moment.now));
  const paper::New made{
      .kind = "letter", .title = letter->title, .account = moment.file.account, .bytes = pdf, .outbox = step.outbox};
  JW_CHECK(paper::issue(moment.connection, mark, made, moment.now));
  moment.connection.execute("INSERT INTO case_letter (paper, case_id, step) VALUES ($1, $2, $3)",
                            {mark.number, moment.file.id, step.n});
  return Done{};
}

// Whoever has it now, and the applicant when somebody else moved it.
void Engine::tell(Moment& moment, const Transition& row) const {
  if (row.from == row.to) return;
  const Case& file = moment.file;
  const State& state = *file.kind->state(file.state);
  const Text& now = state.label;
  std::vector<int64_t> told{moment.actor.asker.account};
  const auto say = [&](int64_t account, const Text& text) {
    if (account == 0 || std::find(told.begin(), told.end(), account) != told.end()) return;
    told.push_back(account);
    moment.notices.push_back({account, file.number, text});
  };
  say(file.account, {"您的" + file.kind->label.zh + " " + file.number + "：" + now.zh,
                     "your " + file.kind->label.en + " " + file.number + ": " + now.en});
  for (const int64_t account : who_may_act(file, std::nullopt, moment.now)) {
    say(account, {file.kind->label.zh + " " + file.number + "（" + file.applicant_name + "）" + now.zh,
                  file.kind->label.en + " " + file.number + " (" + file.applicant_name + "): " + now.en});
  }
}

std::vector<int64_t> Engine::who_may_act(const Case& file, const std::optional<Who>& besides, Instant now) const {
  std::vector<Who> people;
  for (const Transition& next : file.kind->transitions) {
    if (next.from == file.state && next.who.is != Who::Is::clock) people.push_back(next.who);
  }
  if (besides) people.push_back(*besides);
  std::vector<int64_t> accounts;
  std::vector<std::pair<std::string_view, std::string>> asked;
  const db::Store::Lease reader = services_.store.reader();
  for (const Who& who : people) {
    if (who.is != Who::Is::post) continue;  // the applicant is told otherwise
    const std::string unit = unit_code(file, who);
    if (who.of != Who::Of::anywhere && unit.empty()) continue;
    if (std::find(asked.begin(), asked.end(), std::pair{who.post, unit}) != asked.end()) continue;
    asked.emplace_back(who.post, unit);
    for (const policy::Asker& holder : services_.policy.rules()->holders(*reader, who.post, unit, now)) {
      if (holder.account != file.account) accounts.push_back(holder.account);
    }
  }
  return accounts;
}

std::optional<Case> Services::find(db::Connection& connection, std::string_view number) const {
  return read_case(connection, kinds, number, false);
}

// ---- people
// -------------------------------------------------------------------------------------------------------

Actor Engine::actor(db::Connection& reader, const policy::Asker& asker, std::string login, std::string name,
                    Instant now) const {
  Actor actor;
  actor.asker = asker;
  actor.login = std::move(login);
  actor.name = std::move(name);
  const policy::AuthorityPtr authority = services_.policy.authority(reader, asker, now);
  const auto take_posts = [&](const policy::Authority& of, int64_t principal, const std::string& principal_name,
                              std::string_view only_post, std::string_view only_unit) {
    for (const policy::HeldPost& held : of.posts()) {
      const std::string& post = of.rules().regulation().posts[static_cast<size_t>(held.post)].name;
      if (!only_post.empty() && post != only_post) continue;
      std::vector<std::string> units = held.units;
      if (units.empty()) units.emplace_back();
      for (const std::string& unit : units) {
        if (only_unit.empty() || unit == only_unit) actor.posts.push_back({post, unit, principal, principal_name});
      }
    }
  };
  take_posts(*authority, 0, "", "", "");
  struct Deputed {
    int64_t person;
    std::string name, post, unit;
  };
  std::vector<Deputed> deputed;
  {
    db::Rows rows = reader.query(
        "SELECT d.principal_person, d.principal_name, d.post, u.code FROM deputy d LEFT JOIN \"unit\" u ON u.id = "
        "d.unit WHERE d.person_id = $1 AND d.begins <= $2 AND d.ends >= $2 AND d.accepted IS NOT NULL AND d.ended IS "
        "NULL",
        {asker.person, now.date().print()});
    while (rows.next()) {
      deputed.push_back(
          {rows.integer(0), std::string(rows.text(1)), std::string(rows.text(2)), std::string(rows.text(3))});
    }
  }
  // A principal who has lost the post has none to lend.
  for (const Deputed& each : deputed) {
    policy::Asker principal;
    {
      db::Rows rows = reader.query(
          "SELECT id, kind FROM account WHERE person_id = $1 AND suspended_us IS NULL AND closed_us IS NULL",
          {each.person});
      if (!rows.next()) continue;
      principal.account = rows.integer(0);
      principal.kind = rows.text(1);
      principal.person = each.person;
    }
    take_posts(*services_.policy.authority(reader, principal, now), each.person, each.name, each.post, each.unit);
  }
  return actor;
}

std::vector<Text> check_signatures(db::Connection& reader, std::span<const std::string> keys) {
  std::vector<Text> wrong;
  std::vector<Case> files;
  {
    db::Rows rows = reader.query("SELECT id, number FROM \"case\" ORDER BY id");
    while (rows.next()) {
      files.emplace_back().id = rows.integer(0);
      files.back().number = rows.text(1);
    }
  }
  for (const Case& file : files) {
    for (const Step& step : read_steps(reader, file.id)) {
      const auto signature = crypto::unbase64(step.signature);
      const bool holds = signature && std::any_of(keys.begin(), keys.end(), [&](const std::string& key) {
                           return crypto::verify_signature(key, canonical(file, step), *signature);
                         });
      if (step.signature.empty() || holds) continue;
      const std::string n = std::to_string(step.n);
      wrong.push_back({"办件 " + file.number + " 第 " + n + " 步的签名不成立：被改动",
                       "the signature of step " + n + " of case " + file.number + " does not hold: it was changed"});
    }
  }
  return wrong;
}

}  // namespace jw::cases
