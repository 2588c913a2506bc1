// Exports (§3.1.4, §3.3.1): a numbered file with a verification code, made through the same plan as the query on the
// page.
#include <boost/json.hpp>

#include <algorithm>

#include "app/problem.hpp"
#include "app/serving.hpp"
#include "base/json.hpp"
#include "platform/crypto/api.hpp"
#include "platform/office/csv.hpp"

namespace jw::app {

namespace json = boost::json;

namespace {

using Session = std::shared_ptr<const identity::Session>;

constexpr int64_t kValidDays = 180;  // how long a document can be checked by its code

std::string hex_digest(std::string_view bytes) {
  return crypto::hex(crypto::sha256(bytes));
}

// "7K3M-9QWX-2FJT-AB4C" as typed or scanned: upper case without dashes.
std::string plain_code(std::string_view code) {
  std::string out;
  for (char c : code) {
    if (c == '-' || c == ' ') continue;
    out += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return out;
}

std::string dashed(const std::string& code) {
  std::string out;
  for (size_t i = 0; i < code.size(); ++i) out += (i > 0 && i % 4 == 0 ? "-" : "") + std::string(1, code[i]);
  return out;
}

std::string next_number(db::Connection& transaction, Instant now) {
  const int64_t year = now.date().year();
  transaction.execute("INSERT INTO document_number (year, next) VALUES ($1, 1) ON CONFLICT (year) DO NOTHING", {year});
  transaction.execute("UPDATE document_number SET next = next + 1 WHERE year = $1", {year});
  db::Rows rows = transaction.query("SELECT next - 1 FROM document_number WHERE year = $1", {year});
  rows.next();
  std::string serial = std::to_string(rows.integer(0));
  if (serial.size() < 6) serial.insert(0, 6 - serial.size(), '0');
  return "D" + std::to_string(year) + "-" + serial;
}

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

// Intent leaf, spool, outcome leaf with digest, then delivery (design §7).
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
  const std::string sha256 = hex_digest(made.content);
  const Instant now = made.outcome.entry.time;
  const std::string dataset = made.outcome.entry.dataset, purpose = made.outcome.entry.purpose;
  const auto leaf = system.recorder->append_and_wait(std::move(made.outcome.entry));
  if (!leaf) return respond(problem(not_durable(), request.id));
  if (const auto* refusal = std::get_if<Refusal>(&made.outcome.result))
    return respond(problem(*refusal, request.id, leaf->id()));
  const auto& document = std::get<query::Engine::Document>(made.outcome.result);
  const std::string code = crypto::random_code(16);
  std::string number;
  {
    const db::Store::Lease lease = system.store->writer();
    db::Transaction transaction(*lease, db::Transaction::Mode::write);
    number = next_number(*lease, now);
    const catalog::Dataset* described = system.catalogue->find(dataset);
    lease->execute(
        "INSERT INTO document (number, code_digest, account, dataset, title, format, purpose, query, row_count, "
        "sha256, content, leaf, created_us, expires_us) "
        "VALUES ($1, $2, $3, $4, $5, 'csv', $6, $7, $8, $9, $10, $11, $12, $13)",
        {number, hex_digest(code), session.account, dataset, described->label.zh, purpose, json::serialize(query),
         document.rows, sha256, db::Param::blob(made.content), leaf->id(), now.us, now.us + kValidDays * kDay});
    transaction.commit();
  }
  http::Response response;
  JsonWriter out(response.body);
  out.object()
      .field("number", number)
      .field("link", "/api/documents/" + number)
      .field("code", dashed(code))
      .field("rows", document.rows);
  out.field("sha256", sha256).field("record", leaf->id()).end_object();
  response.headers.emplace_back("Cache-Control", "no-store");
  respond(std::move(response));
}

void fetch(Serving& serving, const http::Request& request, const identity::Session& session,
           const http::Respond& respond) {
  const Refusal unknown{Code::not_found, "document.unknown", {"没有这份文件", "there is no such document"}};
  std::string content, dataset;
  {
    const db::Store::Lease lease = serving.system.store->private_reader();
    db::Rows rows =
        lease->query("SELECT content, dataset FROM document WHERE number = $1 AND account = $2 AND revoked_us IS NULL",
                     {request.captures.at(0), session.account});
    if (!rows.next()) return respond(problem(unknown, request.id));
    content = rows.blob(0);
    dataset = rows.text(1);
  }
  // Whoever lost the permission since then lost the file, too: what may be fetched follows what may be queried now.
  const Result<std::string> open = serving.system.engine->dataset_json(asker_of(session), dataset);
  if (!open) return respond(problem(open.refusal(), request.id));
  http::Response response;
  response.body = std::move(content);
  response.content_type = "text/csv; charset=utf-8";
  response.headers.emplace_back("Content-Disposition", "attachment; filename=\"" + request.captures.at(0) + ".csv\"");
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
  JsonWriter(entry.parameters).object().field("document", request.captures.at(0)).end_object();
  serving.system.recorder->append(std::move(entry), [response = std::move(response), respond,
                                                     id = request.id](const std::optional<record::Leaf>& leaf) mutable {
    if (!leaf) return respond(problem(not_durable(), id));
    respond(std::move(response));
  });
}

// A written reply (§2.4.2): number, title, digest, whether it still stands. nullopt: no letter has this code.
std::optional<std::string> verified_letter(Serving& serving, const std::string& digest) {
  const db::Store::Lease lease = serving.system.store->private_reader();
  db::Rows rows = lease->query(
      "SELECT l.number, l.title, l.sha256, l.made_us, l.revoked_us, f.seq FROM case_letter l JOIN case_step s ON "
      "s.case_id = l.case_id AND s.n = l.step LEFT JOIN record.leaf f ON f.outbox = s.outbox WHERE l.code_digest = $1",
      {digest});
  if (!rows.next()) return std::nullopt;
  std::string body;
  JsonWriter out(body);
  out.object().field("number", rows.text(0)).field("kind", "letter").field("title", rows.text(1));
  out.field("sha256", rows.text(2)).field("made", Instant{rows.integer(3)}.print());
  out.field("record", serving.system.recorder->origin() + "/" + std::to_string(rows.integer(5)));
  out.field("state", rows.is_null(4) ? "valid" : "revoked").end_object();
  return body;
}

// Anyone holding a document may check it; the answer names no person and shows no content (§3.3.1).
void verify(Serving& serving, const http::Request& request, const http::Respond& respond) {
  const std::string digest = hex_digest(plain_code(request.captures.at(0)));
  if (std::optional<std::string> letter = verified_letter(serving, digest))
    return respond(json_response(std::move(*letter)));
  const db::Store::Lease lease = serving.system.store->reader();
  db::Rows rows = lease->query(
      "SELECT number, title, row_count, sha256, leaf, created_us, expires_us, revoked_us FROM document WHERE "
      "code_digest = $1",
      {digest});
  if (!rows.next()) {
    return respond(problem({Code::not_found,
                            "document.code_unknown",
                            {"没有这个验证码：文件可能是伪造的，或验证码输入有误",
                             "no document has this code: it may be forged, or the code mistyped"}},
                           request.id));
  }
  const Instant now = serving.system.clock->now();
  const std::string_view state = !rows.is_null(7) ? "revoked" : now.us >= rows.integer(6) ? "expired" : "valid";
  http::Response response;
  JsonWriter out(response.body);
  out.object()
      .field("number", rows.text(0))
      .field("kind", "export")
      .field("title", rows.text(1))
      .field("rows", rows.integer(2));
  out.field("sha256", rows.text(3)).field("record", rows.text(4)).field("made", Instant{rows.integer(5)}.print());
  out.field("expires", Instant{rows.integer(6)}.print()).field("state", state).end_object();
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
