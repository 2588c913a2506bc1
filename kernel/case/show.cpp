// A case as JSON: timeline, who has it now, what one may do and why not the rest (docs/api.md).
#include <boost/json.hpp>

#include <algorithm>

#include "base/json.hpp"
#include "kernel/case/api.hpp"
#include "kernel/case/file.hpp"
#include "kernel/paper/api.hpp"

namespace jw::cases {

namespace json = boost::json;

namespace {

const Refusal kUnknown{Code::not_found, "case.unknown", {"没有这个办件", "there is no such case"}};

Text post_label(const Services& on, const std::string& post) {
  const auto rules = on.policy.rules();
  const int index = rules->regulation().post(post);
  return index < 0 ? Text{post, post} : rules->regulation().posts[static_cast<size_t>(index)].label;
}

void write_unit(JsonWriter& out, std::string_view name, const Unit& unit) {
  if (unit.id == 0) return;
  out.key(name).object().field("code", unit.code).field("name", unit.name).end_object();
}

void write_due(JsonWriter& out, const Case& file) {
  if (!file.due || file.closed) return;
  // The last day in time, for people: the deadline is the midnight after it.
  const Date last{Instant{file.due->us - 1}.date()};
  out.key("due").object().field("at", file.due->print()).field("last", last.print()).field("days", file.due_days);
  out.field("provisional", file.due_provisional).field("lateness", file.lateness).end_object();
}

// The applicant, and whoever has a step in the table of this kind, whether it is their turn or not.
bool has_part(const Case& file, const Actor& actor) {
  if (file.account == actor.asker.account) return true;
  return std::any_of(file.kind->transitions.begin(), file.kind->transitions.end(), [&](const Transition& row) {
    return row.who.is == Who::Is::post && holding(file, row.who, actor) != nullptr;
  });
}

// What somebody is still writing is the writer's alone: others see it as it was last handed in.
void take_back_unsent(Case& file, const Actor& actor) {
  const auto writes = [&](const Transition& row) {
    return row.from == file.state && row.to == row.from && row.who.is == Who::Is::applicant;
  };
  const auto& table = file.kind->transitions;
  if (file.account == actor.asker.account || std::none_of(table.begin(), table.end(), writes)) return;
  file.content = {};
  for (const Step& step : file.steps) {
    const json::object changed = json::parse(step.content).as_object();
    if (const json::value* content = changed.if_contains("content")) file.content = content->as_object();
  }
}

bool is_shown(const Field& field, bool part) {
  return part || field.level < catalog::Level::sensitive;
}

// Without the members that this viewer does not see.
void take_out_hidden(const Case& file, bool part, json::object& members) {
  for (const Field& field : file.kind->fields) {
    if (!is_shown(field, part)) members.erase(field.name);
  }
}

void write_fields(JsonWriter& out, const Case& file, bool part) {
  out.key("fields").array();
  for (const Field& field : file.kind->fields) {
    const json::value* value = file.content.if_contains(field.name);
    if (value == nullptr) continue;
    const bool shown = is_shown(field, part);
    out.object().field("name", field.name).field("label", field.label).field("level", static_cast<int>(field.level));
    out.field("sight", shown ? "clear" : "hidden").key("value").raw(shown ? json::serialize(*value) : "null");
    out.end_object();
  }
  out.end_array();
}

void write_words(JsonWriter& out, const Moment& moment, bool part) {
  if (moment.file.kind->describe == nullptr) return;
  std::string text;
  JsonWriter words(text);
  words.object();
  moment.file.kind->describe(moment, words);
  words.end_object();
  if (!part) {
    json::object members = json::parse(text).as_object();
    take_out_hidden(moment.file, part, members);
    text = json::serialize(members);
  }
  out.key("words").raw(text);
}

void write_steps(const Services& on, JsonWriter& out, const Case& file, bool part) {
  out.key("steps").array();
  for (const Step& step : file.steps) {
    out.object().field("n", step.n).field("action", step.action);
    Text label{step.action, step.action};
    Tone tone = Tone::plain;
    for (const Transition& row : file.kind->transitions) {
      if (row.action != step.action || row.from != step.from || row.to != step.to) continue;
      label = row.label;
      tone = row.tone;
    }
    out.field("label", label).field("tone", name_of(tone)).field("from", step.from).field("to", step.to);
    out.field("state", file.kind->state(step.to)->label).field("at", step.at.print());
    out.key("by").object().field("name", step.name).field("clock", step.account == 0);
    if (!step.post.empty()) out.field("post", post_label(on, step.post)).field("unit", step.unit);
    if (!step.for_name.empty()) out.field("for", step.for_name);
    json::object changed = json::parse(step.content).as_object();
    changed.erase("content");
    take_out_hidden(file, part, changed);
    out.end_object().field("opinion", part ? step.opinion : "").key("changed").raw(json::serialize(changed));
    out.field("signed", !step.signature.empty()).field("signature", step.signature).end_object();
  }
  out.end_array();
}

void write_letters(db::Connection& reader, JsonWriter& out, const Case& file, Instant now) {
  out.key("letters").array();
  db::Rows rows = reader.query("SELECT paper, read_us FROM case_letter WHERE case_id = $1 ORDER BY step", {file.id});
  while (rows.next()) {
    const paper::Paper letter = paper::find(reader, rows.text(0), now).value();
    out.object().field("number", letter.number).field("title", letter.title).field("sha256", letter.sha256);
    out.field("made", letter.made.print()).field("revoked", letter.state == paper::State::revoked);
    if (!rows.is_null(1)) out.field("read", Instant{rows.integer(1)}.print());
    out.end_object();
  }
  out.end_array();
}

void write_attachments(db::Connection& reader, JsonWriter& out, const Case& file, bool part) {
  out.key("attachments").array();
  if (!part) {
    out.end_array();
    return;
  }
  db::Rows rows = reader.query(
      "SELECT id, name, media, sha256, added_us FROM case_attachment WHERE case_id = $1 ORDER BY id", {file.id});
  while (rows.next()) {
    out.object().field("id", rows.integer(0)).field("name", rows.text(1)).field("media", rows.text(2));
    out.field("sha256", rows.text(3)).field("added", Instant{rows.integer(4)}.print()).end_object();
  }
  out.end_array();
}

}  // namespace

void Engine::write_actions(Moment& moment, JsonWriter& out) const {
  out.key("actions").array();
  std::vector<std::string_view> done;
  for (const Transition& row : moment.file.kind->transitions) {
    if (row.from != moment.file.state || row.who.is == Who::Is::clock) continue;
    if (std::find(done.begin(), done.end(), row.action) != done.end()) continue;
    done.push_back(row.action);
    const Result<Chosen> chosen = choose(moment, row.action);
    out.object().field("action", row.action).field("label", chosen ? chosen->row->label : row.label);
    out.field("allowed", static_cast<bool>(chosen));
    if (!chosen) out.field("code", chosen.refusal().type).field("why", chosen.refusal().detail);
    const Transition& meant = chosen ? *chosen->row : row;
    out.field("opinion", meant.opinion == Opinion::required   ? "required"
                         : meant.opinion == Opinion::optional ? "optional"
                                                              : "none");
    out.field("signs", meant.signs()).field("tone", name_of(meant.tone)).field("once", meant.once);
    out.field("in_form", meant.in_form).key("takes").array();
    for (const std::string_view each : meant.takes) out.value(each);
    out.end_array().end_object();
  }
  out.end_array();
}

// By whoever looks: the applicant has a step that leaves the case where it is.
bool Engine::is_being_written(Moment& moment) const {
  return std::any_of(moment.file.kind->transitions.begin(), moment.file.kind->transitions.end(),
                     [&](const Transition& row) {
                       return row.from == moment.file.state && row.to == row.from && row.who.is == Who::Is::applicant &&
                              choose(moment, row.action);
                     });
}

Result<std::string> Engine::show(db::Connection& reader, const Actor& actor, std::string_view number) {
  std::optional<Case> file = read_case(reader, services_.kinds, number, false);
  if (!file) return kUnknown;
  take_back_unsent(*file, actor);
  const json::object none;
  Moment moment{services_, reader, *file, actor, none, services_.clock.now()};
  std::string text;
  JsonWriter out(text);
  out.object().field("number", file->number).field("revision", file->revision).field("title", file->title);
  out.key("kind").object().field("name", file->kind->name).field("label", file->kind->label);
  out.field("clause", file->kind->clause).end_object();
  const State& state = *file->kind->state(file->state);
  out.key("state").object().field("name", file->state);
  out.field("label", state.label).field("closed", state.closed).field("tone", name_of(state.tone));
  out.end_object();
  out.key("waits_for").object().field("name", state.waits_for.name);
  out.field("label", state.waits_for.label).end_object();
  out.key("applicant").object().field("account", file->applicant).field("name", file->applicant_name);
  write_unit(out, "unit", file->unit);
  out.field("mine", file->account == actor.asker.account).end_object();
  write_unit(out, "sign_unit", file->sign_unit);
  write_unit(out, "owner_unit", file->owner_unit);
  out.field("opened", file->opened.print()).field("arrived", file->arrived.print());
  if (file->closed) out.field("closed", file->closed->print());
  write_due(out, *file);
  const bool part = has_part(*file, actor);
  if (is_being_written(moment)) out.key("content").raw(json::serialize(file->content));
  write_fields(out, *file, part);
  write_words(out, moment, part);
  write_steps(services_, out, *file, part);
  write_letters(reader, out, *file, moment.now);
  write_attachments(reader, out, *file, part);
  write_actions(moment, out);
  out.field("may_attach", takes_files(reader, file->number, actor.asker.account).has_value());
  out.field("printable", file->kind->form != nullptr);
  out.field("signature_key", public_key()).end_object();
  return text;
}

Result<Case> Engine::taken_part_in(db::Connection& reader, const Actor& actor, std::string_view number) const {
  std::optional<Case> file = read_case(reader, services_.kinds, number, false);
  if (!file) return kUnknown;
  take_back_unsent(*file, actor);
  if (has_part(*file, actor)) return std::move(*file);
  return Refusal{Code::forbidden,
                 "case.not_yours",
                 {"申请表、附件、意见和批复只供申请人和经办人查看",
                  "form, attachments, opinions and reply are for the applicant and whoever has a step"}};
}

Result<Form> Engine::form(db::Connection& reader, const Actor& actor, std::string_view number) {
  JW_TRY(Case file, taken_part_in(reader, actor, number));
  if (file.kind->form == nullptr) return kUnknown;
  const json::object none;
  const Moment moment{services_, reader, file, actor, none, services_.clock.now()};
  return file.kind->form(moment);
}

}  // namespace jw::cases
