// Cases over HTTP (design §6, §8): the one way to act. Who may see a case is asked of the query engine (dataset
// `case`); who may take which step, of the case engine.
#include <boost/json.hpp>

#include <algorithm>
#include <charconv>

#include "app/cases.hpp"
#include "app/problem.hpp"
#include "app/serving.hpp"
#include "base/json.hpp"
#include "kernel/paper/api.hpp"
#include "kernel/query/effect.hpp"
#include "modules/access/api.hpp"
#include "platform/crypto/api.hpp"

namespace jw::app {

namespace json = boost::json;

namespace {

using Session = std::shared_ptr<const identity::Session>;

constexpr size_t kAttachmentMax = 5 * 1024 * 1024;
constexpr int64_t kAttachmentsMax = 10;

record::Entry entry_of(const Serving& serving, const identity::Session& session, std::string_view kind,
                       std::string_view action) {
  record::Entry entry;
  entry.time = serving.system.clock->now();
  entry.kind = kind;
  entry.account = session.account;
  entry.person = session.person;
  entry.session = session.id;
  entry.dataset = "case";
  entry.action = action;
  return entry;
}

// A refused step is on record, too (§6.1.1).
void refuse(Serving& serving, const identity::Session& session, std::string_view action, std::string_view about,
            Refusal refusal, const std::string& request_id, const http::Respond& respond) {
  query::Outcome outcome;
  outcome.entry = entry_of(serving, session, "refusal", action);
  outcome.entry.decision = refusal.type;
  JsonWriter(outcome.entry.parameters).object().field("case", about).end_object();
  outcome.result = std::move(refusal);
  release(serving, session, std::move(outcome), request_id, respond);
}

cases::Actor actor_of(Serving& serving, const identity::Session& session) {
  const db::Store::Lease reader = serving.system.store->reader();
  serving.system.policy->refresh(*reader);
  return serving.system.cases->actor(*reader, asker_of(session), session.login, session.display_name,
                                     serving.system.clock->now());
}

Result<std::string> shown(Serving& serving, const cases::Actor& actor, std::string_view number) {
  const db::Store::Lease reader = serving.system.store->reader();
  return serving.system.cases->show(*reader, actor, number);
}

// What the query engine says of seeing this case: its outcome carries the entry for the record.
query::Outcome look(Serving& serving, const identity::Session& session, std::string_view number) {
  return serving.system.engine->ask_one(asker_of(session), "case", number, "");
}

void show(Serving& serving, const http::Request& request, const identity::Session& session,
          const http::Respond& respond) {
  const std::string& number = request.captures.at(0);
  query::Outcome outcome = look(serving, session, number);
  if (std::holds_alternative<query::Answer>(outcome.result)) {
    Result<std::string> text = shown(serving, actor_of(serving, session), number);
    if (!text) return respond(problem(text.refusal(), request.id));
    outcome.entry.digest = crypto::sha256(*text);
    outcome.result = query::Answer{std::move(text).value(), 1};
  }
  release(serving, session, std::move(outcome), request.id, respond);
}

// ---- acting

// Whether the person signs this request: the password now, or within the last minutes of this session.
Result<bool> signature(Serving& serving, const identity::Session& session, const json::object& body) {
  const json::value* password = body.if_contains("password");
  const Instant now = serving.system.clock->now();
  if (password == nullptr || password->is_null()) return serving.signatures.holds(session.id, now);
  if (!password->is_string()) {
    return Refusal{Code::unprocessable,
                   "http.field_invalid",
                   {"口令应是文字", "the password must be text"},
                   {{"password", "not_text", {"应是文字", "must be text"}}}};
  }
  JW_CHECK(serving.system.identity->confirm_password(session, password->get_string()));
  serving.signatures.put(session.id, now);
  return true;
}

// `step` runs with the actor and whether the person signed.
template <class Step>
void act(Serving& serving, const http::Request& request, Session session, std::string action, std::string about,
         const http::Respond& respond, Step step) {
  Result<json::object> body = object_body(request);
  if (!body) return respond(problem(body.refusal(), request.id));
  // A password costs 20 ms of hashing: apart from the threads that answer queries.
  const bool slow = body->contains("password") && !body->at("password").is_null();
  auto work = [&serving, session, action = std::move(action), about = std::move(about), respond, id = request.id,
               body = std::move(body).value(), step = std::move(step)] {
    const Result<bool> signs = signature(serving, *session, body);
    if (!signs) return refuse(serving, *session, action, about, signs.refusal(), id, respond);
    const cases::Actor actor = actor_of(serving, *session);
    json::object input = body;
    input.erase("password");
    const Result<cases::Taken> taken = step(actor, input, *signs);
    if (!taken) return refuse(serving, *session, action, about, taken.refusal(), id, respond);
    const auto leaf = serving.system.recorder->deliver(taken->outbox);
    if (!leaf) {
      return respond(problem({Code::unavailable,
                              "record.not_durable",
                              {"已办理，但记录暂时无法保存，稍后会补上",
                               "the step is taken, but its record cannot be kept now; it follows later"}},
                             id));
    }
    Result<std::string> text = shown(serving, actor_of(serving, *session), taken->number);
    if (!text) return respond(problem(text.refusal(), id));
    *text += ",\"record\":";
    append_json_string(*text, leaf->id());
    *text += '}';
    respond(json_response(std::move(text).value()));
  };
  if (!slow) return work();
  if (!serving.door.enter(work))
    respond(
        problem({Code::unavailable, "identity.busy", {"系统繁忙，请稍后再试", "busy: try again shortly"}}, request.id));
}

void open(Serving& serving, const http::Request& request, Session session, const http::Respond& respond) {
  const std::string kind = request.captures.at(0);
  act(serving, request, session, kind + ".open", "", respond,
      [&serving, kind](const cases::Actor& actor, const json::object& input, bool signs) -> Result<cases::Taken> {
        const json::value* action = input.if_contains("action");
        if (action == nullptr || !action->is_string()) {
          return Refusal{Code::unprocessable,
                         "http.field_missing",
                         {"缺少必填项", "a required field is missing"},
                         {{"action", "required", {"必填，应为文字", "required, as text"}}}};
        }
        return serving.system.cases->open(actor, kind, std::string_view(action->get_string()), input, signs);
      });
}

void take(Serving& serving, const http::Request& request, Session session, const http::Respond& respond) {
  const std::string number = request.captures.at(0), action = request.captures.at(1);
  query::Outcome seen = look(serving, *session, number);
  if (!std::holds_alternative<query::Answer>(seen.result))
    return release(serving, *session, std::move(seen), request.id, respond);
  act(serving, request, session, "case." + action, number, respond,
      [&serving, number, action](const cases::Actor& actor, const json::object& input, bool signs) {
        return serving.system.cases->act(actor, number, action, input, signs);
      });
}

// ---- what an application would open

void preview(Serving& serving, const http::Request& request, const identity::Session&, const http::Respond& respond) {
  const Result<json::object> body = object_body(request);
  if (!body) return respond(problem(body.refusal(), request.id));
  const json::value* content = body->if_contains("content");
  if (content == nullptr || !content->is_object()) {
    return respond(problem({Code::unprocessable,
                            "http.field_missing",
                            {"缺少必填项", "a required field is missing"},
                            {{"content", "required", {"应是表单对象", "the form as an object"}}}},
                           request.id));
  }
  std::string text;
  JsonWriter out(text);
  out.object();
  access::write_preview(serving.system.cases->services(), content->get_object(), out);
  out.end_object();
  respond(json_response(std::move(text)));
}

// Rows and fields that the decision would open, in numbers only as far as the decider sees those rows (design §4).
void effect(Serving& serving, const http::Request& request, const identity::Session& session,
            const http::Respond& respond) {
  const std::string& number = request.captures.at(0);
  query::Outcome outcome = look(serving, session, number);
  if (!std::holds_alternative<query::Answer>(outcome.result))
    return release(serving, session, std::move(outcome), request.id, respond);
  const cases::Actor actor = actor_of(serving, session);
  const cases::Services& on = serving.system.cases->services();
  const db::Store::Lease reader = serving.system.store->reader();
  const auto file = on.find(*reader, number);
  const bool applicant = !file || file->account == session.account;
  const auto grant = applicant ? std::nullopt : access::grant_of(on, *file);
  if (!grant) {
    return refuse(serving, session, "case.effect", number,
                  {Code::forbidden,
                   "case.no_effect",
                   {"只有审核、审批人可以查看批准后的影响", "only those who sign or decide are shown the effect"}},
                  request.id, respond);
  }
  const auto before = on.policy.rules();
  auto atom = policy::grant_atom(on.catalogue, before->regulation(), *grant);
  if (!atom) return respond(problem(atom.refusal(), request.id));
  query::EffectOptions options;
  options.purpose = std::string(json::parse(grant->content).at("purposes").at(0).as_string());
  const query::Effect told = query::effect_of(on.catalogue, *reader, before, before->with(std::move(atom).value()),
                                              asker_of(session), serving.system.clock->now(), options);
  outcome.entry.action = "effect";
  outcome.entry.digest = crypto::sha256(told.json);
  for (const query::Effect::Told& each : told.told) {
    record::Entry entry = entry_of(serving, session, "query", "effect");
    entry.dataset = each.dataset;
    entry.decision = "allowed";
    entry.basis = "§2.4.2";
    entry.rows = each.rows;
    entry.subjects = each.subjects;
    if (!serving.system.recorder->append_and_wait(std::move(entry))) {
      return respond(problem({Code::unavailable, "record.not_durable", {"记录无法保存", "the record cannot be kept"}},
                             request.id));
    }
  }
  std::string text = told.json;
  text.pop_back();  // left open for the record
  outcome.result = query::Answer{std::move(text), 1};
  release(serving, session, std::move(outcome), request.id, respond);
}

// ---- papers

struct File {
  std::string bytes, name, media;
};

void send(Serving& serving, const http::Request& request, std::string_view action, File file, query::Outcome outcome,
          const http::Respond& respond) {
  outcome.entry.action = action;
  outcome.entry.digest = crypto::sha256(file.bytes);
  http::Response response;
  response.body = std::move(file.bytes);
  response.content_type = std::move(file.media);
  response.headers.emplace_back("Content-Disposition", "attachment; filename=\"" + file.name + "\"");
  response.headers.emplace_back("Cache-Control", "no-store");
  response.headers.emplace_back("X-Content-Type-Options", "nosniff");
  serving.system.recorder->append(std::move(outcome.entry), [response = std::move(response), respond, id = request.id](
                                                                const std::optional<record::Leaf>& leaf) mutable {
    if (!leaf) {
      return respond(
          problem({Code::unavailable, "record.not_durable", {"记录无法保存", "the record cannot be kept"}}, id));
    }
    respond(std::move(response));
  });
}

// `get` gives the file of a case that this person may see.
template <class Get>
void fetch(Serving& serving, const http::Request& request, const identity::Session& session, std::string_view action,
           const http::Respond& respond, Get get) {
  const std::string& number = request.captures.at(0);
  query::Outcome outcome = look(serving, session, number);
  if (!std::holds_alternative<query::Answer>(outcome.result))
    return release(serving, session, std::move(outcome), request.id, respond);
  Result<File> file = get(number);
  if (!file) return respond(problem(file.refusal(), request.id));
  send(serving, request, action, std::move(file).value(), std::move(outcome), respond);
}

const Refusal kNoFile{Code::not_found, "case.no_file", {"没有这份文件", "there is no such file"}};

// When the person to whom a letter is written first fetched it.
void note_read(Serving& serving, const std::string& letter) {
  const db::Store::Lease writer = serving.system.store->writer();
  db::Transaction transaction(*writer, db::Transaction::Mode::write);
  writer->execute("UPDATE case_letter SET read_us = $2 WHERE paper = $1 AND read_us IS NULL",
                  {letter, serving.system.clock->now().us});
  transaction.commit();
}

void letter(Serving& serving, const http::Request& request, const identity::Session& session,
            const http::Respond& respond) {
  fetch(serving, request, session, "letter", respond, [&](const std::string& number) -> Result<File> {
    File file{"", "letter-" + number + ".pdf", "application/pdf"};
    std::string unread;
    {
      const db::Store::Lease lease = serving.system.store->private_reader();
      db::Rows rows = lease->query(
          "SELECT l.paper, CASE WHEN l.read_us IS NULL AND c.account = $2 THEN l.paper ELSE '' END FROM case_letter l "
          "JOIN \"case\" c ON c.id = l.case_id WHERE c.number = $1 ORDER BY l.step DESC LIMIT 1",
          {number, session.account});
      if (!rows.next()) return kNoFile;
      unread = rows.text(1);
      const auto letter = paper::find(*lease, rows.text(0), serving.system.clock->now());
      JW_TRY(file.bytes, paper::bytes(*lease, letter.value()));
    }
    if (!unread.empty()) note_read(serving, unread);
    return file;
  });
}

void form(Serving& serving, const http::Request& request, const identity::Session& session,
          const http::Respond& respond) {
  fetch(serving, request, session, "form", respond, [&](const std::string& number) -> Result<File> {
    const cases::Actor actor = actor_of(serving, session);
    const db::Store::Lease reader = serving.system.store->reader();
    JW_TRY(const cases::Form made, serving.system.cases->form(*reader, actor, number));
    JW_TRY(std::string pdf, office::pdf_of(sheet_of(made, number, serving.system.clock->now())));
    return File{std::move(pdf), "form-" + number + ".pdf", "application/pdf"};
  });
}

void attachment(Serving& serving, const http::Request& request, const identity::Session& session,
                const http::Respond& respond) {
  fetch(serving, request, session, "attachment", respond, [&](const std::string& number) -> Result<File> {
    int64_t id = 0;
    const std::string& text = request.captures.at(1);
    std::from_chars(text.data(), text.data() + text.size(), id);
    const db::Store::Lease lease = serving.system.store->private_reader();
    db::Rows rows = lease->query(
        "SELECT a.content, a.media FROM case_attachment a JOIN \"case\" c ON c.id = a.case_id WHERE c.number = $1 AND "
        "a.id = $2",
        {number, id});
    if (!rows.next()) return kNoFile;
    const std::string media(rows.text(1));
    const std::string ending = media == "image/png" ? ".png" : media == "image/jpeg" ? ".jpg" : ".pdf";
    return File{std::string(rows.blob(0)), "attachment-" + number + "-" + text + ending, media};
  });
}

// What a file is, by its first bytes; empty: none of those that are taken.
std::string_view media_of(std::string_view bytes) {
  if (bytes.starts_with("%PDF-")) return "application/pdf";
  if (bytes.starts_with("\x89PNG\r\n\x1a\n")) return "image/png";
  if (bytes.starts_with("\xff\xd8\xff")) return "image/jpeg";
  return {};
}

void attach(Serving& serving, const http::Request& request, Session session, const http::Respond& respond) {
  const std::string& number = request.captures.at(0);
  query::Outcome seen = look(serving, *session, number);
  if (!std::holds_alternative<query::Answer>(seen.result))
    return release(serving, *session, std::move(seen), request.id, respond);
  const std::string name = request.parameter("name").value_or("");
  const std::string_view media = media_of(request.body);
  const auto wrong = [&](const char* field, Text text) {
    respond(problem({Code::unprocessable, "case.attachment_invalid", text, {{field, "invalid", text}}}, request.id));
  };
  if (name.empty() || name.size() > 200 || name.find('\0') != std::string::npos)
    return wrong("name", {"请给出文件名（不超过 200 字节）", "a file name of at most 200 bytes, please"});
  if (media.empty()) return wrong("file", {"只接受 PDF、PNG、JPEG 文件", "only PDF, PNG and JPEG files are taken"});
  System& system = serving.system;
  int64_t outbox = 0;
  {
    const db::Store::Lease writer = system.store->writer();
    db::Transaction transaction(*writer, db::Transaction::Mode::write);
    int64_t id = 0, count = 0;
    {
      // The applicant adds to a case that is not over.
      db::Rows rows = writer->query(
          "SELECT c.id, (SELECT COUNT(*) FROM case_attachment a WHERE a.case_id = c.id) FROM \"case\" c WHERE c.number "
          "= $1 AND c.account = $2 AND c.closed IS NULL",
          {number, session->account});
      if (!rows.next()) {
        return respond(problem({Code::forbidden,
                                "case.not_yours",
                                {"附件由申请人在办结前添加", "the applicant adds files while the case is open"}},
                               request.id));
      }
      id = rows.integer(0);
      count = rows.integer(1);
    }
    if (count >= kAttachmentsMax) return wrong("file", {"附件最多 10 个", "at most 10 files"});
    const std::string sha256 = crypto::hex(crypto::sha256(request.body));
    writer->execute(
        "INSERT INTO case_attachment (id, case_id, name, media, sha256, content, account, added_us) VALUES ($1, $2, "
        "$3, $4, $5, $6, $7, $8)",
        {cases::next_id(*writer, "case_attachment"), id, name, media, sha256, db::Param::blob(request.body),
         session->account, system.clock->now().us});
    record::Entry entry = entry_of(serving, *session, "act", "case.attach");
    entry.decision = "allowed";
    JsonWriter(entry.parameters).object().field("case", number).field("sha256", sha256).end_object();
    outbox = system.recorder->put_in_outbox(*writer, entry);
    transaction.commit();
  }
  system.recorder->deliver(outbox);
  show(serving, request, *session, respond);
}

// ---- deputies

template <class Act>
void deputy(Serving& serving, const http::Request& request, const identity::Session& session, std::string_view action,
            const http::Respond& respond, Act step) {
  const Result<json::object> body = object_body(request);
  if (!body) return respond(problem(body.refusal(), request.id));
  const cases::Actor actor = actor_of(serving, session);
  int64_t outbox = 0;
  {
    const db::Store::Lease writer = serving.system.store->writer();
    db::Transaction transaction(*writer, db::Transaction::Mode::write);
    const Result<int64_t> done = step(*writer, actor, *body, serving.system.clock->now());
    if (!done) {
      return refuse(serving, session, action, "", done.refusal(), request.id, respond);
    }
    transaction.commit();
    outbox = *done;
  }
  const auto leaf = serving.system.recorder->deliver(outbox);
  std::string text;
  JsonWriter out(text);
  out.object().field("record", leaf ? leaf->id() : std::string()).end_object();
  respond(json_response(std::move(text)));
}

void appoint(Serving& serving, const http::Request& request, const identity::Session& session,
             const http::Respond& respond) {
  deputy(serving, request, session, "deputy.appoint", respond,
         [&](db::Connection& transaction, const cases::Actor& actor, const json::object& body,
             Instant now) -> Result<int64_t> {
           cases::Deputation asked;
           JW_TRY(asked.deputy_login, text_member(body, "deputy"));
           JW_TRY(asked.post, text_member(body, "post"));
           JW_TRY(asked.unit, text_member(body, "unit"));
           JW_TRY(asked.reason, text_member(body, "reason"));
           JW_TRY(asked.begins, date_member(body, "begins"));
           JW_TRY(asked.ends, date_member(body, "ends"));
           return cases::appoint_deputy(transaction, serving.system.cases->services(), actor, asked, now);
         });
}

void end_deputy(Serving& serving, const http::Request& request, const identity::Session& session,
                const http::Respond& respond) {
  int64_t number = 0;
  const std::string& text = request.captures.at(0);
  std::from_chars(text.data(), text.data() + text.size(), number);
  deputy(serving, request, session, "deputy.end", respond,
         [&](db::Connection& transaction, const cases::Actor& actor, const json::object&, Instant now) {
           return cases::end_deputy(transaction, serving.system.cases->services(), actor, number, now);
         });
}

using Read = void (*)(Serving&, const http::Request&, const identity::Session&, const http::Respond&);
using Act = void (*)(Serving&, const http::Request&, Session, const http::Respond&);

http::Handler reads(Serving& serving, Read read) {
  return signed_in(serving, [&serving, read](http::Request request, Session session, http::Respond respond) {
    read(serving, request, *session, respond);
  });
}

http::Handler acts(Serving& serving, Act act_on) {
  return signed_in(serving, [&serving, act_on](http::Request request, Session session, http::Respond respond) {
    act_on(serving, request, std::move(session), respond);
  });
}

std::vector<http::Route> deputy_routes(Serving& serving) {
  using http::Verb;
  return {
      {.verb = Verb::post,
       .path = "/api/deputies",
       .needs = http::kSession,
       .handler = reads(serving, appoint),
       .summary = {"指定代理", "appoint a deputy"},
       .request_schema =
           R"({"type":"object","required":["deputy","post","unit","begins","ends","reason"],"properties":{"deputy":{"type":"string"},"post":{"type":"string"},"unit":{"type":"string"},"begins":{"type":"string","format":"date"},"ends":{"type":"string","format":"date"},"reason":{"type":"string"}}})",
       .response_schema = R"({"type":"object","required":["record"]})",
       .body_max = 16 * 1024},
      {.verb = Verb::post,
       .path = "/api/deputies/{number}/end",
       .needs = http::kSession,
       .handler = reads(serving, end_deputy),
       .summary = {"结束代理", "end a deputy"},
       .request_schema = R"({"type":"object"})",
       .response_schema = R"({"type":"object","required":["record"]})",
       .body_max = 16 * 1024},
  };
}

}  // namespace

std::vector<http::Route> case_routes(Serving& serving) {
  using http::Verb;
  constexpr std::string_view kCase =
      R"({"type":"object","required":["number","revision","kind","state","steps","actions"]})";
  constexpr std::string_view kStep =
      R"({"type":"object","properties":{"action":{"type":"string"},"revision":{"type":"integer"},"opinion":{"type":"string"},"content":{"type":"object"},"granted":{"type":"object"},"undertaking":{"type":"integer"},"password":{"type":"string"}}})";
  std::vector<http::Route> all{
      {.verb = Verb::get,
       .path = "/api/catalogue",
       .needs = http::kSession,
       .handler = signed_in(serving,
                            [&serving](http::Request, Session, http::Respond respond) {
                              respond(json_response(access::catalogue_json(*serving.system.catalogue)));
                            }),
       .summary = {"可以申请查询的数据", "what one may apply for"},
       .response_schema = R"({"type":"object","required":["datasets"]})"},
      {.verb = Verb::post,
       .path = "/api/cases/access/preview",
       .needs = http::kSession,
       .handler = reads(serving, preview),
       .summary = {"申请批准后会看到什么（文字）", "what an application would open, in words"},
       .request_schema = R"({"type":"object","required":["content"],"properties":{"content":{"type":"object"}}})",
       .response_schema = R"({"type":"object","required":["words"]})",
       .body_max = 128 * 1024},
      {.verb = Verb::post,
       .path = "/api/cases/{kind}",
       .needs = http::kSession,
       .handler = acts(serving, open),
       .summary = {"提出办件", "open a case"},
       .request_schema = kStep,
       .response_schema = kCase,
       .body_max = 256 * 1024},
      {.verb = Verb::get,
       .path = "/api/cases/{number}",
       .needs = http::kSession,
       .handler = reads(serving, show),
       .summary = {"一个办件：经过、期限、可办的步骤", "a case: timeline, deadline, steps that may be taken"},
       .response_schema = kCase},
      {.verb = Verb::get,
       .path = "/api/cases/{number}/effect",
       .needs = http::kSession,
       .handler = reads(serving, effect),
       .summary = {"批准后的影响", "the effect of an approval"},
       .response_schema = R"({"type":"object","required":["effects"]})"},
      {.verb = Verb::get,
       .path = "/api/cases/{number}/letter",
       .needs = http::kSession,
       .handler = reads(serving, letter),
       .summary = {"批复（PDF）", "the written reply (PDF)"}},
      {.verb = Verb::get,
       .path = "/api/cases/{number}/form",
       .needs = http::kSession,
       .handler = reads(serving, form),
       .summary = {"申请表（PDF）", "the official form (PDF)"}},
      {.verb = Verb::post,
       .path = "/api/cases/{number}/attachments",
       .needs = http::kSession,
       .handler = acts(serving, attach),
       .summary = {"添加附件", "add a file"},
       .response_schema = kCase,
       .body_max = kAttachmentMax},
      {.verb = Verb::get,
       .path = "/api/cases/{number}/attachments/{id}",
       .needs = http::kSession,
       .handler = reads(serving, attachment),
       .summary = {"附件", "an attached file"}},
      {.verb = Verb::post,
       .path = "/api/cases/{number}/{action}",
       .needs = http::kSession,
       .handler = acts(serving, take),
       .summary = {"办理一步", "take a step"},
       .request_schema = kStep,
       .response_schema = kCase,
       .body_max = 256 * 1024},
  };
  for (http::Route& route : deputy_routes(serving)) all.push_back(std::move(route));
  return all;
}

}  // namespace jw::app
