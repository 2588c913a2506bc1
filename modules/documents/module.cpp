// Exports (§3.1.4, §3.3.1): a numbered file with a verification code, made through the same plan as the query on the
// page. Number, code and whether it stands are kernel/paper's.
#include <boost/json.hpp>

#include "base/json.hpp"
#include "kernel/edge/module.hpp"
#include "kernel/paper/api.hpp"
#include "platform/crypto/api.hpp"
#include "platform/office/csv.hpp"

namespace jw::documents {

namespace json = boost::json;
using edge::Call;

namespace {

constexpr int64_t kValidDays = 180;  // how long an export stands and can be fetched
constexpr int64_t kWindowDays = 30;  // over which the size of documents is added up (clause 4.3.1)

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

struct Issued {
  paper::Mark mark;
  std::string sha256, record;
};

// The paper, what it was made of, and the outcome's way into the record are one transaction.
Result<Issued> issue(const Call& call, const Made& made, std::string_view query) {
  const auto& document = std::get<query::Engine::Document>(made.outcome.result);
  const std::string clear = json::serialize(json::value_from(document.basis.clear));
  const edge::House& house = call.house();
  const record::Entry& entry = made.outcome.entry;
  Issued issued;
  int64_t outbox = 0;
  {
    const db::Store::Lease lease = house.store.writer();
    db::Transaction transaction(*lease, db::Transaction::Mode::write);
    outbox = house.recorder.put_in_outbox(*lease, entry);
    issued.mark = paper::take(*lease, "", entry.time);
    const paper::New exported{.kind = "export",
                              .title = house.catalogue.find(entry.dataset)->label.zh,
                              .account = call.session().account,
                              .bytes = made.content,
                              .outbox = outbox,
                              .expires = Instant{entry.time.us + kValidDays * kDay}};
    JW_TRY(issued.sha256, paper::issue(*lease, issued.mark, exported, entry.time));
    lease->execute(
        "INSERT INTO document (paper, dataset, format, purpose, query, row_count, clear, basis) VALUES ($1, $2, "
        "'csv', "
        "$3, $4, $5, $6, $7)",
        {issued.mark.number, entry.dataset, entry.purpose, query, document.rows, clear, document.basis.marks});
    transaction.commit();
  }
  const auto leaf = house.recorder.deliver(outbox);
  if (!leaf) return edge::not_durable();
  issued.record = leaf->id();
  return issued;
}

// What the account has made lately, held against what it may (clause 4.3.1).
Result<Done> check_room(const Call& call) {
  const edge::House& house = call.house();
  const policy::Regulation& regulation = house.policy.rules()->regulation();
  const int64_t day_most = regulation.setting("documents_per_day"),
                megabytes_most = regulation.setting("document_megabytes");
  const Instant now = house.clock.now();
  const db::Store::Lease keeper = house.store.private_reader();
  const int64_t account = call.session().account;
  if (paper::given_since(*keeper, account, "export", {now.us - kDay}).papers >= day_most) {
    const std::string most = std::to_string(day_most);
    return Refusal{Code::too_many,
                   "document.too_many",
                   {"您在 24 小时内已导出 " + most + " 份文件，请明天再导出",
                    "you have made " + most + " documents within 24 hours: go on tomorrow"}};
  }
  if (paper::given_since(*keeper, account, "export", {now.us - kWindowDays * kDay}).bytes >=
      megabytes_most * cases::kMegabyte) {
    const std::string most = std::to_string(megabytes_most);
    return Refusal{Code::too_many,
                   "document.too_large_together",
                   {"您近 30 天导出的文件合计已到 " + most + " MB，请收窄条件，或过些天再导出",
                    "your documents of the last 30 days have reached " + most + " MB: ask for less, or go on later"}};
  }
  return Done{};
}

// Intent leaf, spool, paper with the outcome's leaf, then delivery (design §7).
void make(const Call& call, json::object query) {
  edge::House& house = call.house();
  if (const auto room = check_room(call); !room) return call.refuse_on_record("export", room.refusal());
  record::Entry intent = call.entry("export", "export");
  intent.decision = "intent";
  intent.parameters = json::serialize(query);
  const auto intent_leaf = house.recorder.append_and_wait(std::move(intent));
  if (!intent_leaf) return call.refuse(edge::not_durable());

  const bool zh = !call.request().header("accept-language").starts_with("en");
  Made made = make_csv(call, query, zh);
  made.outcome.entry.intent = intent_leaf->seq;
  if (const auto* refusal = std::get_if<Refusal>(&made.outcome.result))
    return call.release(std::move(made.outcome.entry), *refusal);
  const auto& document = std::get<query::Engine::Document>(made.outcome.result);
  const Result<Issued> issued = issue(call, made, json::serialize(query));
  if (!issued) return call.refuse(issued.refusal());
  std::string text;
  JsonWriter out(text);
  out.object().field("number", issued->mark.number).field("link", "/api/documents/" + issued->mark.number);
  out.field("code", crypto::dashed(issued->mark.code)).field("rows", document.rows);
  out.field("sha256", issued->sha256).end_object();
  call.say(edge::framed(std::move(text), issued->record));
}

void ask(const Call& call) {
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
  edge::in_turn(call, true, [call, query = std::move(query)]() mutable { make(call, std::move(query)); });
}

// Every download is asked for again: what may be fetched follows what may be queried now (§3.3.1).
void fetch(const Call& call) {
  edge::House& house = call.house();
  const std::string& number = call.captured(0);
  const Refusal unknown{Code::not_found, "document.unknown", {"没有这份文件", "there is no such document"}};
  Result<std::string> content = unknown;
  std::string dataset;
  json::value query;
  query::Engine::Basis basis;
  int64_t outbox = 0;
  {
    const db::Store::Lease lease = house.store.private_reader();
    db::Rows rows = lease->query("SELECT dataset, query, clear, basis FROM document WHERE paper = $1", {number});
    const auto found = paper::find(*lease, number, house.clock.now());
    if (!found || found->account != call.session().account || !rows.next()) return call.refuse(unknown);
    dataset = rows.text(0);
    query = json::parse(rows.text(1));
    const json::value open = json::parse(rows.text(2));
    for (const auto& [column, clear] : open.as_object()) basis.clear[column] = clear.as_bool();
    basis.marks = rows.text(3);
    outbox = found->outbox;
    content = paper::bytes(*lease, *found);
  }
  const auto made = house.recorder.deliver(outbox);
  const auto proof = made ? house.recorder.prove(made->seq) : std::nullopt;
  if (!proof) return call.refuse(edge::not_durable());
  if (basis.marks.empty()) basis.marks = proof->entry.basis;
  if (const auto stands = house.engine.check_stands(call.asker(), query, policy::Action::export_, basis); !stands) {
    std::string parameters;
    JsonWriter(parameters).object().field("document", number).end_object();
    return call.refuse_on_record("export", stands.refusal(), std::move(parameters));
  }
  if (!content) return call.refuse(content.refusal());
  http::Response response;
  response.body = std::move(content).value();
  response.content_type = "text/csv; charset=utf-8";
  response.headers.emplace_back("Content-Disposition", "attachment; filename=\"" + number + ".csv\"");
  response.headers.emplace_back("Cache-Control", "no-store");
  // Whoever stands in it can see every download, not the first alone, and under what (§1.3.1).
  record::Entry entry = call.entry("export", "export");
  entry.post = proof->entry.post;
  entry.unit = proof->entry.unit;
  entry.purpose = proof->entry.purpose;
  entry.basis = proof->entry.basis;
  entry.policy_version = house.policy.rules()->epoch();
  entry.dataset = std::move(dataset);
  entry.rows = proof->entry.rows;
  entry.subjects = proof->entry.subjects;
  JsonWriter(entry.parameters).object().field("document", number).end_object();
  call.release(std::move(entry), std::move(response));
}

const edge::Route kRoutes[] = {
    {.verb = edge::Verb::post,
     .path = "/api/documents",
     .needs = edge::Needs::session(),
     .run = ask,
     .summary = {"导出", "export"},
     .request = "DocumentAsked",
     .response = "Document",
     .body_max = 512 * 1024},
    {.verb = edge::Verb::get,
     .path = "/api/documents/{number}",
     .needs = edge::Needs::session(),
     .run = fetch,
     .summary = {"取回导出的文件", "fetch an exported document"},
     .response = "Csv",
     .does = edge::Does::acts},
};

db::Reach reach() {
  db::Reach reach;
  reach.columns["document"] = {"paper", "dataset"};
  return reach;
}

}  // namespace

extern const edge::Module kModule;
const edge::Module kModule{
    .name = "documents",
    .label = {"导出与打印", "exports and prints"},
    .clause = "3.1.4",
    .routes = kRoutes,
    .reach = reach,
};

}  // namespace jw::documents
