// Exports (§3.1.4, §3.3.1): a numbered file with a verification code, made through the same plan as the query on the
// page.
#include <boost/json.hpp>

#include <algorithm>

#include "app/problem.hpp"
#include "app/serving.hpp"
#include "base/json.hpp"
#include "kernel/paper/api.hpp"
#include "platform/office/csv.hpp"

namespace jw::app {

namespace json = boost::json;

namespace {

using Session = std::shared_ptr<const identity::Session>;

constexpr int64_t kValidDays = 180;  // how long an export stands and can be fetched

struct Made {
  std::string content;
  query::Engine::DocumentOutcome outcome;
};

Made make_csv(Serving& serving, const identity::Session& session, const json::value& query, bool zh) {
  std::string content(office::kCsvMark);
  std::vector<std::string> cells;
  query::Engine::DocumentOutcome outcome = serving.system.engine->make_document(
      asker_of(session), query, policy::Action::export_, zh,
      [&](const std::vector<query::Column>& columns) {
        cells.clear();
        for (const query::Column& column : columns) cells.push_back(zh ? column.label.zh : column.label.en);
        office::append_csv_row(content, cells);
      },
      [&](const std::vector<std::string>& row) { office::append_csv_row(content, row); });
  return {std::move(content), std::move(outcome)};
}

Refusal not_durable() {
  return {Code::unavailable,
          "record.not_durable",
          {"记录无法保存，因此不能导出", "the record cannot be kept, so nothing is exported"}};
}

struct Issued {
  paper::Mark mark;
  std::string sha256, record;
};

// The paper, what it was made of, and the outcome's way into the record are one transaction.
Result<Issued> issue(System& system, const identity::Session& session, const Made& made, std::string_view query,
                     int64_t rows) {
  const record::Entry& entry = made.outcome.entry;
  Issued issued;
  int64_t outbox = 0;
  {
    const db::Store::Lease lease = system.store->writer();
    db::Transaction transaction(*lease, db::Transaction::Mode::write);
    outbox = system.recorder->put_in_outbox(*lease, entry);
    issued.mark = paper::take(*lease, "", entry.time);
    const paper::New exported{.kind = "export",
                              .title = system.catalogue->find(entry.dataset)->label.zh,
                              .account = session.account,
                              .bytes = made.content,
                              .outbox = outbox,
                              .expires = Instant{entry.time.us + kValidDays * kDay}};
    JW_TRY(issued.sha256, paper::issue(*lease, issued.mark, exported, entry.time));
    lease->execute(
        "INSERT INTO document (paper, dataset, format, purpose, query, row_count) VALUES ($1, $2, 'csv', $3, $4, $5)",
        {issued.mark.number, entry.dataset, entry.purpose, query, rows});
    transaction.commit();
  }
  const auto leaf = system.recorder->deliver(outbox);
  if (!leaf) return not_durable();
  issued.record = leaf->id();
  return issued;
}

// Intent leaf, spool, paper with the outcome's leaf, then delivery (design §7).
void make(Serving& serving, const http::Request& request, const identity::Session& session,
          const http::Respond& respond) {
  System& system = serving.system;
  const Result<json::value> body = json_body(request);
  if (!body) return respond(problem(body.refusal(), request.id));
  const json::object* object = body->if_object();
  const json::value* asked = object == nullptr ? nullptr : object->if_contains("query");
  const json::value* format = object == nullptr ? nullptr : object->if_contains("format");
  if (asked == nullptr || !asked->is_object()) {
    return respond(problem({Code::unprocessable,
                            "http.field_missing",
                            {"须给出 query", "query is required"},
                            {{"query", "required", {"必填", "required"}}}},
                           request.id));
  }
  if (format == nullptr || !format->is_string() || format->get_string() != "csv") {
    return respond(problem({Code::unprocessable,
                            "document.format_unknown",
                            {"format 应为 csv", "format must be csv"},
                            {{"format", "unknown", {"应为 csv", "must be csv"}}}},
                           request.id));
  }
  json::object query = asked->get_object();
  if (const json::value* purpose = object->if_contains("purpose")) query["purpose"] = *purpose;
  query.erase("limit");
  query.erase("after");
  record::Entry intent;
  intent.time = system.clock->now();
  intent.kind = "export";
  intent.account = session.account;
  intent.person = session.person;
  intent.session = session.id;
  intent.action = "export";
  intent.decision = "intent";
  intent.parameters = json::serialize(query);
  const auto intent_leaf = system.recorder->append_and_wait(std::move(intent));
  if (!intent_leaf) return respond(problem(not_durable(), request.id));

  const bool zh = !request.header("accept-language").starts_with("en");
  Made made = make_csv(serving, session, query, zh);
  made.outcome.entry.intent = intent_leaf->seq;
  if (const auto* refusal = std::get_if<Refusal>(&made.outcome.result)) {
    const auto leaf = system.recorder->append_and_wait(std::move(made.outcome.entry));
    return respond(leaf ? problem(*refusal, request.id, leaf->id()) : problem(not_durable(), request.id));
  }
  const auto& document = std::get<query::Engine::Document>(made.outcome.result);
  const Result<Issued> issued = issue(system, session, made, json::serialize(query), document.rows);
  if (!issued) return respond(problem(issued.refusal(), request.id));
  http::Response response;
  JsonWriter out(response.body);
  out.object()
      .field("number", issued->mark.number)
      .field("link", "/api/documents/" + issued->mark.number)
      .field("code", paper::dashed(issued->mark.code))
      .field("rows", document.rows);
  out.field("sha256", issued->sha256).field("record", issued->record).end_object();
  response.headers.emplace_back("Cache-Control", "no-store");
  respond(std::move(response));
}

void fetch(Serving& serving, const http::Request& request, const identity::Session& session,
           const http::Respond& respond) {
  const std::string& number = request.captures.at(0);
  const Refusal unknown{Code::not_found, "document.unknown", {"没有这份文件", "there is no such document"}};
  Result<std::string> content = unknown;
  std::string dataset;
  {
    const db::Store::Lease lease = serving.system.store->private_reader();
    db::Rows rows = lease->query("SELECT dataset FROM document WHERE paper = $1", {number});
    const auto found = paper::find(*lease, number, serving.system.clock->now());
    if (!found || found->account != session.account || !rows.next()) return respond(problem(unknown, request.id));
    dataset = rows.text(0);
    content = paper::bytes(*lease, *found);
  }
  // Whoever lost the permission since then lost the file, too: what may be fetched follows what may be queried now.
  const Result<std::string> open = serving.system.engine->dataset_json(asker_of(session), dataset);
  if (!open) return respond(problem(open.refusal(), request.id));
  if (!content) return respond(problem(content.refusal(), request.id));
  http::Response response;
  response.body = std::move(content).value();
  response.content_type = "text/csv; charset=utf-8";
  response.headers.emplace_back("Content-Disposition", "attachment; filename=\"" + number + ".csv\"");
  response.headers.emplace_back("Cache-Control", "no-store");
  record::Entry entry;
  entry.time = serving.system.clock->now();
  entry.kind = "export";
  entry.account = session.account;
  entry.person = session.person;
  entry.session = session.id;
  entry.dataset = std::move(dataset);
  entry.action = "fetch";
  entry.decision = "allowed";
  JsonWriter(entry.parameters).object().field("document", number).end_object();
  serving.system.recorder->append(std::move(entry), [response = std::move(response), respond,
                                                     id = request.id](const std::optional<record::Leaf>& leaf) mutable {
    if (!leaf) return respond(problem(not_durable(), id));
    respond(std::move(response));
  });
}

// Anyone holding a paper of any kind may check it; the answer names no person and shows no content (§3.3.1).
void verify(Serving& serving, const http::Request& request, const http::Respond& respond) {
  std::optional<paper::Paper> found;
  {
    const db::Store::Lease lease = serving.system.store->reader();
    found = paper::find_by_code(*lease, request.captures.at(0), serving.system.clock->now());
  }
  if (!found) {
    return respond(problem({Code::not_found,
                            "paper.code_unknown",
                            {"没有这个验证码：文件可能是伪造的，或验证码输入有误",
                             "no paper has this code: it may be forged, or the code mistyped"}},
                           request.id));
  }
  http::Response response;
  JsonWriter out(response.body);
  out.object().field("number", found->number).field("kind", found->kind).field("title", found->title);
  out.field("sha256", found->sha256).field("made", found->made.print()).field("state", paper::name(found->state));
  if (found->expires) out.field("expires", found->expires->print());
  if (!found->replaced_by.empty()) out.field("replaced_by", found->replaced_by);
  if (const auto leaf = serving.system.recorder->deliver(found->outbox)) out.field("record", leaf->id());
  out.end_object();
  response.headers.emplace_back("Cache-Control", "no-store");
  respond(std::move(response));
}

}  // namespace

std::vector<http::Route> document_routes(Serving& serving) {
  using http::Verb;
  return {
      {.verb = Verb::post,
       .path = "/api/documents",
       .needs = http::kSession,
       .handler = signed_in(serving, [&serving](http::Request request, Session session,
                                                http::Respond respond) { make(serving, request, *session, respond); }),
       .summary = {"导出", "export"},
       .request_schema =
           R"({"type":"object","required":["query","format","purpose"],"properties":{"query":{"$ref":"#/components/schemas/Query"},"format":{"enum":["csv"]},"purpose":{"type":"string"}}})",
       .response_schema = R"({"type":"object"})",
       .body_max = 512 * 1024},
      {.verb = Verb::get,
       .path = "/api/documents/{number}",
       .needs = http::kSession,
       .handler = signed_in(
           serving,
           [&serving](http::Request request, Session session, http::Respond respond) {
             fetch(serving, request, *session, respond);
           },
           Alive::checked, Does::acts),
       .summary = {"取回导出的文件", "fetch an exported document"}},
      {.verb = Verb::get,
       .path = "/api/verify/{code}",
       .needs = http::kPublic,
       .handler = [&serving](http::Request request, http::Respond respond) { verify(serving, request, respond); },
       .summary = {"按验证码核验文件", "check a document by its code"},
       .response_schema = R"({"type":"object"})"},
  };
}

}  // namespace jw::app
