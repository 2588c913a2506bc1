// Lost and found student cards (§2.3.1 leaves services to the school): whoever finds one reports it, the logistics
// office keeps it and hands it out. The procedure of docs/howto/add-a-procedure.md.
#include <boost/json.hpp>

#include "base/json.hpp"
#include "base/text.hpp"
#include "kernel/edge/module.hpp"

namespace jw::lost_card {

namespace {

using cases::Moment, cases::State, cases::Transition, cases::Who;
using edge::Call;

constexpr size_t kTextMax = 60;  // characters

// ---- the case: found → kept → handed out

Result<std::string> short_text(const boost::json::object& content, const char* name) {
  JW_TRY(const std::string given, edge::text_member(content, name));
  std::string text(trim(given));
  if (!text.empty() && code_points(text) <= kTextMax) return text;
  return Refusal{Code::unprocessable,
                 "lost_card.text_invalid",
                 {"内容有误", "the content is not right"},
                 {{std::string("content.") + name, "length", {"应为 1 至 60 个字", "must be 1 to 60 characters"}}}};
}

Result<Done> report(Moment& moment) {
  JW_TRY(const boost::json::object content, edge::object_member(moment.input, "content"));
  JW_TRY(const std::string card, short_text(content, "card"));
  JW_TRY(const std::string place, short_text(content, "place"));
  moment.file.content = {{"card", card}, {"place", place}};
  moment.file.title = "拾到校园卡：" + card;
  moment.connection.execute(
      "INSERT INTO lost_card (id, number, card, place, found, state) VALUES ($1, $2, $3, $4, $5, 'kept')",
      {moment.file.id, moment.file.number, card, place, moment.now.date().print()});
  return Done{};
}

Result<Done> hand_out(Moment& moment) {
  moment.connection.execute("UPDATE lost_card SET state = 'handed_out' WHERE id = $1", {moment.file.id});
  return Done{};
}

constexpr Who kDesk = Who::holder("logistics_office");
const cases::Waits kWaitsDesk{"logistics", {"后勤处", "logistics office"}};

const State kStates[] = {
    {.name = "kept", .label = {"待认领", "waiting for its owner"}, .waits_for = kWaitsDesk},
    {.name = "handed_out",
     .label = {"已领回", "handed out"},
     .waits_for = cases::kWaitsNobody,
     .closed = true,
     .tone = cases::Tone::good},
};

// clang-format off
const Transition kTransitions[] = {
    {.from = "", .action = "report", .to = "kept", .who = Who::applicant(),
     .label = {"报告拾到", "report"}, .effect = report},
    {.from = "kept", .action = "hand_out", .to = "handed_out", .who = kDesk,
     .label = {"交还", "hand out"}, .opinion = cases::Opinion::required, .effect = hand_out,
     .tone = cases::Tone::good},
};
// clang-format on

const cases::Field kFields[] = {
    {"card", {"卡号", "card"}, catalog::Level::internal},
    {"place", {"地点", "place"}, catalog::Level::internal},
};

const cases::Kind kLostCard{.name = "lost_card",
                            .label = {"拾到校园卡", "found student card"},
                            .clause = "2.3.1",
                            .states = kStates,
                            .transitions = kTransitions,
                            .fields = kFields};

// ---- beside the case: the desk moves a card to another shelf

constexpr std::string_view kShelf = "lost_card_shelf";  // the power, regulation.toml
constexpr edge::Signing kShelving = edge::Signing::none("on which shelf a card lies is of no consequence to anybody");

void move(const Call& call) {
  edge::act(call, {"lost_card_move", "2.3.1", kShelving}, [call](edge::Doing& doing) -> Result<std::string> {
    JW_TRY(const std::string place, short_text(doing.body, "place"));
    const int64_t moved = doing.transaction.execute(
        "UPDATE lost_card SET place = $2 WHERE number = $1 AND state = 'kept'", {call.captured(0), place});
    if (moved == 0) return Refusal{Code::not_found, "lost_card.unknown", {"没有这张卡", "there is no such card"}};
    doing.entry.dataset = "lost_card";
    JsonWriter(doing.entry.parameters).object().field("number", call.captured(0)).field("place", place).end_object();
    return std::string("{}");
  });
}

const edge::Route kRoutes[] = {
    {.verb = edge::Verb::post,
     .path = "/api/lost-cards/{number}/place",
     .needs = edge::Needs::power(kShelf),
     .run = move,
     .summary = {"移放校园卡", "move a card to another shelf"},
     .request = "LostCardPlace",
     .response = "Done",
     .body_max = 4 * 1024},
};

const edge::Place kPlaces[] = {
    {.name = "lost_card", .label = {"校园卡招领", "Lost and found cards"}, .open = edge::everybody}};

const cases::Kind* const kKinds[] = {&kLostCard};

}  // namespace

extern const edge::Module kModule;
const edge::Module kModule{
    .name = "lost_card",
    .label = {"校园卡招领", "lost and found cards"},
    .clause = "2.3.1",
    .routes = kRoutes,
    .places = kPlaces,
    .kinds = kKinds,
};

}  // namespace jw::lost_card
