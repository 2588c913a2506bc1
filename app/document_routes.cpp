// Exports (§3.1.4, §3.3.1): a numbered file with a verification code, made through the same plan as the query on the
// page.
#include <boost/json.hpp>

#include <algorithm>

#include "app/routes.hpp"
#include "base/json.hpp"
#include "platform/crypto/api.hpp"
#include "platform/office/csv.hpp"

namespace jw::app {

namespace json = boost::json;
using edge::Call;

namespace {

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

Made make_csv(const Call& call, const json::value& query, bool zh) {
  std::string content(office::kCsvMark);
  std::vector<std::string> cells;
  query::Engine::DocumentOutcome outcome = call.house().engine.make_document(
      call.asker(), query, policy::Action::export_, zh,
      [&](const std::vector<query::Column>& columns) {
        cells.clear();
        for (const query::Column& column : columns) cells.push_back(zh ? column.label.zh : column.label.en);
        office::append_csv_row(content, cells);
      },
      [&](const std::vector<std::string>& row) { office::append_csv_row(content, row); });
  return {std::move(content), std::move(outcome)};
}

// Intent leaf, spool, outcome leaf with digest, then delivery (design §7).
void make(const Call& call) {
  edge::House& house = call.house();
  const Result<json::object> body = call.body();
  if (!body) return call.refuse(body.refusal());
  const Result<json::object> asked = edge::object_member(*body, "query");
  if (!asked) return call.refuse(asked.refusal());
  const json::value* format = body->if_contains("format");
  if (format == nullptr || !format->is_string() || format->get_string() != "csv") {
    return call.refuse({Code::unprocessable,
                        "document.format_unknown",
                        {"format 应为 csv", "format must be csv"},
                        {{"format", "unknown", {"应为 csv", "must be csv"}}}});
  }
  json::object query = *asked;
  if (const json::value* purpose = body->if_contains("purpose")) query["purpose"] = *purpose;
  query.erase("limit");
  query.erase("after");
  record::Entry intent = call.entry("export", "export");
  intent.decision = "intent";
  intent.parameters = json::serialize(query);
  const auto intent_leaf = house.recorder.append_and_wait(std::move(intent));
  if (!intent_leaf) return call.refuse(edge::not_durable());

  const bool zh = !call.request().header("accept-language").starts_with("en");
  Made made = make_csv(call, query, zh);
  made.outcome.entry.intent = intent_leaf->seq;
  const std::string sha256 = hex_digest(made.content);
  const Instant now = made.outcome.entry.time;
  const std::string dataset = made.outcome.entry.dataset, purpose = made.outcome.entry.purpose;
  const auto leaf = house.recorder.append_and_wait(std::move(made.outcome.entry));
  if (!leaf) return call.refuse(edge::not_durable());
  if (const auto* refusal = std::get_if<Refusal>(&made.outcome.result))
    return call.send(edge::problem(*refusal, call.request().id, leaf->id()));
  const auto& document = std::get<query::Engine::Document>(made.outcome.result);
  const std::string code = crypto::random_code(16);
  std::string number;
  {
    const db::Store::Lease lease = house.store.writer();
    db::Transaction transaction(*lease, db::Transaction::Mode::write);
    number = next_number(*lease, now);
    const catalog::Dataset* described = house.catalogue.find(dataset);
    lease->execute(
        "INSERT INTO document (number, code_digest, account, dataset, title, format, purpose, query, row_count, "
        "sha256, content, leaf, created_us, expires_us) "
        "VALUES ($1, $2, $3, $4, $5, 'csv', $6, $7, $8, $9, $10, $11, $12, $13)",
        {number, hex_digest(code), call.session().account, dataset, described->label.zh, purpose, json::serialize(query),
         document.rows, sha256, db::Param::blob(made.content), leaf->id(), now.us, now.us + kValidDays * kDay});
    transaction.commit();
  }
  std::string text;
  JsonWriter out(text);
  out.object().field("number", number).field("link", "/api/documents/" + number).field("code", dashed(code));
  out.field("rows", document.rows).field("sha256", sha256).field("record", leaf->id()).end_object();
  call.say(std::move(text));
}

void fetch(const Call& call) {
  edge::House& house = call.house();
  const std::string& number = call.captured(0);
  std::string content, dataset;
  {
    const db::Store::Lease lease = house.store.private_reader();
    db::Rows rows =
        lease->query("SELECT content, dataset FROM document WHERE number = $1 AND account = $2 AND revoked_us IS NULL",
                     {number, call.session().account});
    if (!rows.next())
      return call.refuse({Code::not_found, "document.unknown", {"没有这份文件", "there is no such document"}});
    content = rows.blob(0);
    dataset = rows.text(1);
  }
  // Whoever lost the permission since then lost the file, too: what may be fetched follows what may be queried now.
  const Result<std::string> open = house.engine.dataset_json(call.asker(), dataset);
  if (!open) return call.refuse(open.refusal());
  http::Response response;
  response.body = std::move(content);
  response.content_type = "text/csv; charset=utf-8";
  response.headers.emplace_back("Content-Disposition", "attachment; filename=\"" + number + ".csv\"");
  response.headers.emplace_back("Cache-Control", "no-store");
  record::Entry entry = call.entry("export", "fetch");
  entry.dataset = std::move(dataset);
  JsonWriter(entry.parameters).object().field("document", number).end_object();
  call.release(std::move(entry), std::move(response));
}

// A written reply (§2.4.2): number, title, digest, whether it still stands. nullopt: no letter has this code.
std::optional<std::string> verified_letter(edge::House& house, const std::string& digest) {
  const db::Store::Lease lease = house.store.private_reader();
  db::Rows rows = lease->query(
      "SELECT l.number, l.title, l.sha256, l.made_us, l.revoked_us, f.seq FROM case_letter l JOIN case_step s ON "
      "s.case_id = l.case_id AND s.n = l.step LEFT JOIN record.leaf f ON f.outbox = s.outbox WHERE l.code_digest = $1",
      {digest});
  if (!rows.next()) return std::nullopt;
  std::string body;
  JsonWriter out(body);
  out.object().field("number", rows.text(0)).field("kind", "letter").field("title", rows.text(1));
  out.field("sha256", rows.text(2)).field("made", Instant{rows.integer(3)}.print());
  out.field("record", house.recorder.origin() + "/" + std::to_string(rows.integer(5)));
  out.field("state", rows.is_null(4) ? "valid" : "revoked").end_object();
  return body;
}

// Anyone holding a document may check it; the answer names no person and shows no content (§3.3.1).
Result<std::string> verify(const Call& call) {
  edge::House& house = call.house();
  const std::string digest = hex_digest(plain_code(call.captured(0)));
  if (std::optional<std::string> letter = verified_letter(house, digest)) return std::move(*letter);
  const db::Store::Lease lease = house.store.reader();
  db::Rows rows = lease->query(
      "SELECT number, title, row_count, sha256, leaf, created_us, expires_us, revoked_us FROM document WHERE "
      "code_digest = $1",
      {digest});
  if (!rows.next()) {
    return Refusal{Code::not_found,
                   "document.code_unknown",
                   {"没有这个验证码：文件可能是伪造的，或验证码输入有误",
                    "no document has this code: it may be forged, or the code mistyped"}};
  }
  const Instant now = house.clock.now();
  const std::string_view state = !rows.is_null(7) ? "revoked" : now.us >= rows.integer(6) ? "expired" : "valid";
  std::string text;
  JsonWriter out(text);
  out.object()
      .field("number", rows.text(0))
      .field("kind", "export")
      .field("title", rows.text(1))
      .field("rows", rows.integer(2));
  out.field("sha256", rows.text(3)).field("record", rows.text(4)).field("made", Instant{rows.integer(5)}.print());
  out.field("expires", Instant{rows.integer(6)}.print()).field("state", state).end_object();
  return text;
}

const edge::Route kRoutes[] = {
    {.verb = edge::Verb::post,
     .path = "/api/documents",
     .needs = edge::Needs::session(),
     .run = make,
     .summary = {"导出", "export"},
     .request_schema =
         R"({"type":"object","required":["query","format","purpose"],"properties":{"query":{"$ref":"#/components/schemas/Query"},"format":{"enum":["csv"]},"purpose":{"type":"string"}}})",
     .response_schema = R"({"type":"object"})",
     .body_max = 512 * 1024},
    {.verb = edge::Verb::get,
     .path = "/api/documents/{number}",
     .needs = edge::Needs::session(),
     .run = fetch,
     .summary = {"取回导出的文件", "fetch an exported document"},
     .does = edge::Does::acts},
    {.verb = edge::Verb::get,
     .path = "/api/verify/{code}",
     .needs = edge::Needs::open("whoever holds a paper checks it without an account (§3.3.1)"),
     .run = edge::saying<verify>,
     .summary = {"按验证码核验文件", "check a document by its code"},
     .response_schema = R"({"type":"object"})"},
};

}  // namespace

std::span<const edge::Route> document_routes() {
  return kRoutes;
}

}  // namespace jw::app
