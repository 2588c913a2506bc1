// One's own notices (design §8): what waits, newest first, and that it was seen.
#include <boost/json.hpp>

#include <charconv>

#include "app/problem.hpp"
#include "app/serving.hpp"
#include "base/json.hpp"
#include "kernel/notice/api.hpp"
#include "platform/crypto/api.hpp"

namespace jw::app {

namespace json = boost::json;

namespace {

using Session = std::shared_ptr<const identity::Session>;

constexpr int64_t kPage = 30;
constexpr size_t kMarkedMost = 1000;

record::Entry entry_of(Serving& serving, const identity::Session& session, std::string_view kind,
                       std::string_view action) {
  record::Entry entry;
  entry.time = serving.system.clock->now();
  entry.kind = kind;
  entry.account = session.account;
  entry.person = session.person;
  entry.session = session.id;
  entry.action = action;
  entry.decision = "allowed";
  return entry;
}

// A number of the bell, asked for often: it tells nothing, so nothing is recorded.
void count(Serving& serving, const identity::Session& session, const http::Respond& respond) {
  int64_t unread = 0;
  {
    const db::Store::Lease reader = serving.system.store->reader();
    unread = notice::unread(*reader, session.account);
  }
  std::string body;
  JsonWriter(body).object().field("unread", unread).end_object();
  respond(json_response(std::move(body)));
}

Result<int64_t> begins_before(const http::Request& request) {
  const std::string text = request.parameter("before").value_or("0");
  int64_t before = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), before);
  if (error == std::errc{} && end == text.data() + text.size() && before >= 0) return before;
  return Refusal{Code::unprocessable,
                 "notice.page_invalid",
                 {"页码有误", "the page is not right"},
                 {{"before", "not_a_number", {"应为上一页给出的 next", "must be what the page before gave as next"}}}};
}

void list(Serving& serving, const http::Request& request, const identity::Session& session,
          const http::Respond& respond) {
  const Result<int64_t> before = begins_before(request);
  if (!before) return respond(problem(before.refusal(), request.id));
  std::vector<notice::Notice> page;
  int64_t unread = 0;
  {
    const db::Store::Lease reader = serving.system.store->reader();
    const db::Transaction snapshot(*reader, db::Transaction::Mode::read);
    page = notice::notices_of(*reader, session.account, *before, kPage + 1);
    unread = notice::unread(*reader, session.account);
  }
  const bool more = page.size() > static_cast<size_t>(kPage);
  if (more) page.pop_back();
  std::string body;
  JsonWriter out(body);
  out.object().field("unread", unread).key("notices").array();
  for (const notice::Notice& each : page) {
    out.object().field("id", each.id).field("about", each.about).field("text", each.text);
    out.field("at", each.created.print()).field("read", each.read).end_object();
  }
  out.end_array().key("next");
  body += more ? std::to_string(page.back().id) : "null";  // left open for the record
  query::Outcome outcome;
  outcome.entry = entry_of(serving, session, "query", "notices");
  outcome.entry.rows = static_cast<int64_t>(page.size());
  outcome.entry.digest = crypto::sha256(body);
  outcome.result = query::Answer{std::move(body), outcome.entry.rows};
  release(serving, session, std::move(outcome), request.id, respond);
}

// The notices named; empty = all.
Result<std::vector<int64_t>> marked_in(const http::Request& request) {
  const Refusal wrong{Code::unprocessable,
                      "notice.which",
                      {"请给出 ids 或 all", "either ids or all, please"},
                      {{"ids", "required", {"应为 1 至 1000 个编号", "must be 1 to 1000 ids"}}}};
  JW_TRY(const json::value body, json_body(request));
  const json::object* object = body.if_object();
  if (object == nullptr) return wrong;
  const json::value* all = object->if_contains("all");
  const json::value* ids = object->if_contains("ids");
  if ((all == nullptr) == (ids == nullptr)) return wrong;
  if (all != nullptr) return *all == json::value(true) ? Result<std::vector<int64_t>>(std::vector<int64_t>{}) : wrong;
  const json::array* array = ids->if_array();
  if (array == nullptr || array->empty() || array->size() > kMarkedMost) return wrong;
  std::vector<int64_t> marked;
  for (const json::value& id : *array) {
    if (!id.is_int64()) return wrong;
    marked.push_back(id.get_int64());
  }
  return marked;
}

void mark(Serving& serving, const http::Request& request, const identity::Session& session,
          const http::Respond& respond) {
  System& system = serving.system;
  const Result<std::vector<int64_t>> ids = marked_in(request);
  if (!ids) return respond(problem(ids.refusal(), request.id));
  int64_t marked = 0, unread = 0, outbox = 0;
  {
    const db::Store::Lease writer = system.store->writer();
    db::Transaction transaction(*writer, db::Transaction::Mode::write);
    marked = notice::mark_read(*writer, session.account, *ids, system.clock->now());
    unread = notice::unread(*writer, session.account);
    if (marked > 0) {
      record::Entry entry = entry_of(serving, session, "act", "notices_read");
      entry.rows = marked;
      outbox = system.recorder->put_in_outbox(*writer, entry);
      transaction.commit();
    }
  }
  if (outbox != 0 && !system.recorder->deliver(outbox)) {
    return respond(problem({Code::unavailable,
                            "record.not_durable",
                            {"已标为已读，但记录暂时无法保存，稍后会补上",
                             "they are marked as seen, but the record cannot be kept now; it follows later"}},
                           request.id));
  }
  std::string text;
  JsonWriter(text).object().field("marked", marked).field("unread", unread).end_object();
  respond(json_response(std::move(text)));
}

constexpr std::string_view kListSchema =
    R"({"type":"object","required":["unread","notices","next","record"],"properties":{"unread":{"type":"integer"},"notices":{"type":"array","items":{"type":"object","required":["id","about","text","at","read"],"properties":{"id":{"type":"integer"},"about":{"type":"string","description":"case:NUMBER, grant:NUMBER, or empty"},"text":{"$ref":"#/components/schemas/Text"},"at":{"type":"string","format":"date-time"},"read":{"type":"boolean"}}}},"next":{"type":["integer","null"],"description":"as before= of the next page"},"record":{"type":"string"}}})";
constexpr std::string_view kMarkSchema =
    R"({"type":"object","description":"one of the two","properties":{"ids":{"type":"array","items":{"type":"integer"},"minItems":1,"maxItems":1000},"all":{"const":true}}})";

}  // namespace

std::vector<http::Route> notice_routes(Serving& serving) {
  using http::Verb;
  return {
      {.verb = Verb::get,
       .path = "/api/notices",
       .needs = http::kSession,
       .handler = signed_in(serving, [&serving](http::Request request, Session session,
                                                http::Respond respond) { list(serving, request, *session, respond); }),
       .summary = {"我的通知", "my notices"},
       .response_schema = kListSchema},
      {.verb = Verb::get,
       .path = "/api/notices/unread",
       .needs = http::kSession,
       .handler = signed_in(serving, [&serving](http::Request, Session session,
                                                http::Respond respond) { count(serving, *session, respond); }),
       .summary = {"未读通知数", "how many notices are unread"},
       .response_schema = R"({"type":"object","required":["unread"],"properties":{"unread":{"type":"integer"}}})"},
      {.verb = Verb::post,
       .path = "/api/notices/read",
       .needs = http::kSession,
       .handler = signed_in(
           serving,
           [&serving](http::Request request, Session session, http::Respond respond) {
             mark(serving, request, *session, respond);
           },
           Alive::checked, Does::looks),
       .summary = {"标为已读", "mark as seen"},
       .request_schema = kMarkSchema,
       .response_schema =
           R"({"type":"object","required":["marked","unread"],"properties":{"marked":{"type":"integer"},"unread":{"type":"integer"}}})",
       .body_max = 64 * 1024},
  };
}

}  // namespace jw::app
