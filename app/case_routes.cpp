// Cases over HTTP (design §6, §8): the one way to act. Who may see a case is asked of the query engine (dataset
// `case`); who may take which step, of the case engine.
#include <boost/json.hpp>

#include "app/routes.hpp"
#include "base/json.hpp"
#include "kernel/edge/module.hpp"
#include "platform/crypto/api.hpp"

namespace jw::app {

namespace json = boost::json;
using edge::Call;

namespace {

Result<std::string> shown(const Call& call, std::string_view number) {
  const cases::Actor actor = call.actor();
  const db::Store::Lease reader = call.house().store.reader();
  return call.house().cases.show(*reader, actor, number);
}

// Runs `then` with the entry of having looked, if the query engine says that this person sees the case; else what it
// says goes out.
template <class Then>
void seen(const Call& call, Then then) {
  query::Outcome outcome = call.house().engine.ask_one(call.asker(), "case", call.captured(0), "");
  if (!std::holds_alternative<query::Answer>(outcome.result)) return call.release(std::move(outcome));
  then(std::move(outcome.entry));
}

void show(const Call& call) {
  seen(call, [&](record::Entry entry) {
    Result<std::string> text = shown(call, call.captured(0));
    if (!text) return call.refuse(text.refusal());
    call.release(std::move(entry), std::move(text).value());
  });
}

// ---- acting

// `step` runs with the actor and whether the person signed. A refused step is on record, too (§6.1.1).
template <class Step>
void step(const Call& call, std::string action, std::string about, json::object body, Step take) {
  const bool slow = body.contains("password") || body.contains("code");
  auto work = [call, action = std::move(action), about = std::move(about), body = std::move(body),
               take = std::move(take)]() mutable {
    edge::House& house = call.house();
    const auto refuse = [&](const Refusal& refusal) {
      record::Entry entry = call.entry("refusal", action);
      entry.dataset = "case";
      JsonWriter(entry.parameters).object().field("case", about).end_object();
      call.release(std::move(entry), refusal);
    };
    const Result<bool> signs = edge::signature(house, call.session(), body);
    if (!signs) return refuse(signs.refusal());
    json::object input = body;
    input.erase("password");
    input.erase("code");
    const Result<cases::Taken> taken = take(call.actor(), input, *signs);
    if (!taken) return refuse(taken.refusal());
    const auto leaf = house.recorder.deliver(taken->outbox);
    if (!leaf) return call.refuse(edge::not_durable(true));
    Result<std::string> text = shown(call, taken->number);
    if (!text) return call.refuse(text.refusal());
    call.say(edge::framed(std::move(text).value(), leaf->id()));
  };
  slow ? edge::at_the_door(call, std::move(work)) : work();
}

void open(const Call& call) {
  Result<json::object> body = call.body();
  if (!body) return call.refuse(body.refusal());
  const Result<std::string> kind = edge::text_member(*body, "kind"), action = edge::text_member(*body, "action");
  for (const auto* each : {&kind, &action}) {
    if (!*each) return call.refuse(each->refusal());
  }
  // On record stands what there is, never what somebody has typed.
  const cases::Kind* known = call.house().cases.kind(*kind);
  step(call, known == nullptr ? "case.open" : std::string(known->name) + ".open", "", std::move(body).value(),
       [call, kind = *kind, action = *action](const cases::Actor& actor, const json::object& input, bool signs) {
         return call.house().cases.open(actor, kind, action, input, signs);
       });
}

void take(const Call& call) {
  seen(call, [&](const record::Entry&) {
    Result<json::object> body = call.body();
    if (!body) return call.refuse(body.refusal());
    const std::string &number = call.captured(0), &action = call.captured(1);
    step(call, call.house().cases.has_action(action) ? "case." + action : "case.step", number, std::move(body).value(),
         [call, number, action](const cases::Actor& actor, const json::object& input, bool signs) {
           return call.house().cases.act(actor, number, action, input, signs);
         });
  });
}

// ---- papers

// `get` gives the file of a case that this person may see.
template <class Get>
void fetch(const Call& call, std::string_view action, Get get) {
  seen(call, [&](record::Entry entry) {
    Result<std::optional<cases::File>> file = get();
    if (!file) return call.refuse(file.refusal());
    if (!*file) return call.refuse({Code::not_found, "case.no_file", {"没有这份文件", "there is no such file"}});
    entry.action = action;
    entry.digest = crypto::sha256((*file)->bytes);
    http::Response response;
    response.content_type = (*file)->media;
    response.body = std::move((*file)->bytes);
    response.headers.emplace_back("Content-Disposition", "attachment; filename=\"" + (*file)->name + "\"");
    response.headers.emplace_back("Cache-Control", "no-store");
    response.headers.emplace_back("X-Content-Type-Options", "nosniff");
    call.release(std::move(entry), std::move(response));
  });
}

using Found = Result<std::optional<cases::File>>;

void letter(const Call& call) {
  fetch(call, "letter", [&]() -> Found {
    edge::House& house = call.house();
    const cases::Actor actor = call.actor();
    JW_CHECK(house.cases.taken_part_in(*house.store.reader(), actor, call.captured(0)));
    JW_TRY(std::optional<cases::File> found,
           cases::letter_of(*house.store.private_reader(), call.captured(0), house.clock.now()));
    if (found) cases::note_letter_read(house.store, call.captured(0), call.session().account, house.clock.now());
    return found;
  });
}

void form(const Call& call) {
  fetch(call, "form", [&]() -> Found {
    const cases::Actor actor = call.actor();
    const db::Store::Lease reader = call.house().store.reader();
    JW_TRY(std::string pdf, call.house().cases.printed_form(*reader, actor, call.captured(0)));
    return std::optional(cases::File{std::move(pdf), "form-" + call.captured(0) + ".pdf", "application/pdf"});
  });
}

void attachment(const Call& call) {
  fetch(call, "attachment", [&]() -> Found {
    edge::House& house = call.house();
    const cases::Actor actor = call.actor();
    JW_CHECK(house.cases.taken_part_in(*house.store.reader(), actor, call.captured(0)));
    return cases::attachment_of(*call.house().store.private_reader(), call.captured(0),
                                edge::number_in(call.captured(1)));
  });
}

// A refused file is a refused attempt, whatever was wrong with it.
void attach(const Call& call) {
  seen(call, [&](const record::Entry&) {
    const edge::House& house = call.house();
    const auto refuse = [&](const Refusal& refusal) {
      std::string parameters;
      JsonWriter(parameters).object().field("case", call.captured(0)).end_object();
      call.refuse_on_record("case.attach", refusal, std::move(parameters));
    };
    if (call.request().body_too_large) return refuse(cases::attachment_too_large());
    const Result<edge::Acted> done = edge::carry_out(
        house.store, house.recorder, call.hand(),
        {"case.attach", "2.4.1", edge::Signing::none("the step that hands the case in is signed")}, {},
        house.clock.now(), [&](edge::Doing& doing) -> Result<std::string> {
          const int64_t most = house.policy.rules()->regulation().setting("attachment_megabytes") * cases::kMegabyte;
          JW_TRY(const std::string sha256, cases::attach(doing.transaction, call.captured(0), call.parameter("name"),
                                                         call.request().body, doing.by.account, most, doing.now));
          doing.entry.dataset = "case";
          JsonWriter(doing.entry.parameters)
              .object()
              .field("case", call.captured(0))
              .field("sha256", sha256)
              .end_object();
          return std::string("{}");
        });
    if (!done) return refuse(done.refusal());
    show(call);
  });
}

// ---- deputies

Result<std::string> offer(const Call& call) {
  const cases::Actor actor = call.actor();
  const db::Store::Lease reader = call.house().store.reader();
  std::string text;
  JsonWriter out(text);
  out.object().key("posts").array();
  for (const cases::Engine::Lendable& each : call.house().cases.lendable(*reader, actor)) {
    out.object().key("post").object().field("name", each.post).field("label", each.label).end_object();
    if (each.unit.id != 0)
      out.key("unit").object().field("code", each.unit.code).field("name", each.unit.name).end_object();
    out.end_object();
  }
  out.end_array().field("by_name", edge::may_query_others(call, "staff")).end_object();
  return text;
}

void appoint(const Call& call) {
  edge::act(call, {"deputy.appoint", "2.4.2", edge::Signing::lately()},
            [call, actor = call.actor()](edge::Doing& doing) -> Result<std::string> {
              cases::Deputation asked;
              JW_TRY(asked.deputy_login, edge::text_member(doing.body, "deputy"));
              JW_TRY(asked.post, edge::text_member(doing.body, "post"));
              JW_TRY(asked.unit, edge::text_member(doing.body, "unit"));
              JW_TRY(asked.reason, edge::text_member(doing.body, "reason"));
              JW_TRY(asked.begins, edge::date_member(doing.body, "begins"));
              JW_TRY(asked.ends, edge::date_member(doing.body, "ends"));
              JW_TRY(doing.outbox,
                     cases::appoint_deputy(doing.transaction, call.house().cases, actor, asked, doing.now));
              return std::string("{}");
            });
}

void answer_deputy(const Call& call, std::string_view action, bool accepts) {
  constexpr auto kDeclining = edge::Signing::none("who declines an offer takes on nothing, and nobody loses anything");
  edge::act(call, {action, "2.4.2", accepts ? edge::Signing::lately() : kDeclining},
            [call, accepts, actor = call.actor()](edge::Doing& doing) -> Result<std::string> {
              JW_TRY(doing.outbox, cases::answer_deputy(doing.transaction, call.house().cases.services(), actor,
                                                        edge::number_in(call.captured(0)), accepts, doing.now));
              return std::string("{}");
            });
}

void accept_deputy(const Call& call) {
  answer_deputy(call, "deputy.accept", true);
}

void decline_deputy(const Call& call) {
  answer_deputy(call, "deputy.decline", false);
}

void end_deputy(const Call& call) {
  edge::act(call, {"deputy.end", "2.4.2", edge::Signing::lately()},
            [call, actor = call.actor()](edge::Doing& doing) -> Result<std::string> {
              JW_TRY(doing.outbox, cases::end_deputy(doing.transaction, call.house().cases.services(), actor,
                                                     edge::number_in(call.captured(0)), doing.now));
              return std::string("{}");
            });
}

const edge::Route kRoutes[] = {
    {.verb = edge::Verb::post,
     .path = "/api/cases",
     .needs = edge::Needs::session(),
     .run = open,
     .summary = {"提出办件", "open a case"},
     .request = "CaseOpening",
     .response = "Case",
     .body_max = 256 * 1024},
    {.verb = edge::Verb::get,
     .path = "/api/cases/{number}",
     .needs = edge::Needs::session(),
     .run = show,
     .summary = {"一个办件：经过、期限、可办的步骤", "a case: timeline, deadline, steps that may be taken"},
     .response = "Case"},
    {.verb = edge::Verb::get,
     .path = "/api/cases/{number}/letter",
     .needs = edge::Needs::session(),
     .run = letter,
     .summary = {"批复（PDF）", "the written reply (PDF)"},
     .response = "Pdf"},
    {.verb = edge::Verb::get,
     .path = "/api/cases/{number}/form",
     .needs = edge::Needs::session(),
     .run = form,
     .summary = {"申请表（PDF）", "the official form (PDF)"},
     .response = "Pdf"},
    {.verb = edge::Verb::post,
     .path = "/api/cases/{number}/attachments",
     .needs = edge::Needs::session(),
     .run = attach,
     .summary = {"添加附件", "add a file"},
     .parameters = "AttachmentName",
     .request = "File",
     .response = "Case",
     .body_max = cases::kAttachmentMax,
     .hears_of_too_large = true},
    {.verb = edge::Verb::get,
     .path = "/api/cases/{number}/attachments/{id}",
     .needs = edge::Needs::session(),
     .run = attachment,
     .summary = {"附件", "an attached file"},
     .response = "File"},
    {.verb = edge::Verb::post,
     .path = "/api/cases/{number}/{action}",
     .needs = edge::Needs::session(),
     .run = take,
     .summary = {"办理一步", "take a step"},
     .request = "CaseTaking",
     .response = "Case",
     .body_max = 256 * 1024},
    {.verb = edge::Verb::get,
     .path = "/api/deputies/offer",
     .needs = edge::Needs::session(),
     .run = edge::saying<offer>,
     .summary = {"可以指定代理的岗位", "the posts in which a deputy may stand in for me"},
     .response = "DeputyOffer"},
    {.verb = edge::Verb::post,
     .path = "/api/deputies",
     .needs = edge::Needs::session(),
     .run = appoint,
     .summary = {"指定代理（签署），待对方接受", "offer somebody to stand in, signed; in force when accepted"},
     .request = "Deputation",
     .response = "Done",
     .body_max = 16 * 1024},
    {.verb = edge::Verb::post,
     .path = "/api/deputies/{number}/accept",
     .needs = edge::Needs::session(),
     .run = accept_deputy,
     .summary = {"接受代理（签署）", "accept to stand in, signed"},
     .request = "Signature",
     .response = "Done",
     .body_max = 16 * 1024},
    {.verb = edge::Verb::post,
     .path = "/api/deputies/{number}/decline",
     .needs = edge::Needs::session(),
     .run = decline_deputy,
     .summary = {"谢绝代理", "decline to stand in"},
     .request = "Nothing",
     .response = "Done",
     .body_max = 16 * 1024},
    {.verb = edge::Verb::post,
     .path = "/api/deputies/{number}/end",
     .needs = edge::Needs::session(),
     .run = end_deputy,
     .summary = {"结束代理（签署）", "end a deputy, signed"},
     .request = "Signature",
     .response = "Done",
     .body_max = 16 * 1024},
};

}  // namespace

std::span<const edge::Route> case_routes() {
  return kRoutes;
}

}  // namespace jw::app
