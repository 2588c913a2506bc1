// What only access needs beside the routes of all cases: what one may apply for, what an application would open.
#include <boost/json.hpp>

#include "base/json.hpp"
#include "kernel/query/effect.hpp"
#include "modules/access/access.hpp"
#include "platform/crypto/api.hpp"

namespace jw::access {

namespace json = boost::json;
using edge::Call;

namespace {

Result<std::string> catalogue(const Call& call) {
  const cases::Actor asker = call.actor();
  const db::Store::Lease reader = call.house().store.reader();
  return catalogue_json(call.house().cases.services(), *reader, asker);
}

Result<std::string> preview(const Call& call) {
  JW_TRY(const json::object body, call.body());
  JW_TRY(const json::object content, edge::object_member(body, "content"));
  std::string text;
  JsonWriter out(text);
  out.object();
  write_preview(call.house().cases.services(), content, out);
  out.end_object();
  return text;
}

// Rows and fields that the decision would open, in numbers only as far as the decider sees those rows (design §4).
void tell_effect(const Call& call) {
  edge::House& house = call.house();
  const std::string& number = call.captured(0);
  query::Outcome outcome = house.engine.ask_one(call.asker(), "case", number, "");
  if (!std::holds_alternative<query::Answer>(outcome.result)) return call.release(std::move(outcome));
  const cases::Services& on = house.cases.services();
  const Instant now = house.clock.now();
  query::Effect told;
  {
    const db::Store::Lease reader = house.store.reader();
    house.policy.refresh(*reader);
    const auto file = house.cases.taken_part_in(*reader, house.cases.actor(*reader, call.asker(), {}, {}, now), number);
    const identity::Session& who = call.session();
    const bool decides = file && file->account != who.account && (file->person == 0 || file->person != who.person);
    const auto grant = decides ? grant_of(on, *file, now) : std::nullopt;
    if (!grant) {
      record::Entry entry = call.entry("refusal", "case.effect");
      JsonWriter(entry.parameters).object().field("case", number).end_object();
      return call.release(std::move(entry), Refusal{Code::forbidden,
                                                    "case.no_effect",
                                                    {"只有审核、审批人可以查看批准后的影响",
                                                     "only those who sign or decide are shown the effect"}});
    }
    const auto before = on.policy.rules();
    auto atom = policy::grant_atom(on.catalogue, before->regulation(), *grant);
    if (!atom) return call.refuse(atom.refusal());
    query::EffectOptions options;
    options.names_holder = true;  // the applicant of the case
    options.purpose = std::string(json::parse(grant->content).at("purposes").at(0).as_string());
    told = query::effect_of(on.catalogue, *reader, before, before->with(std::move(atom).value()), call.asker(), now,
                            options);
  }
  record::Entry like = call.entry("query", "query");
  like.parameters = R"({"of":"effect"})";
  like.basis = "§2.4.2";
  like.post = outcome.entry.post;
  like.unit = outcome.entry.unit;
  like.purpose = "teaching_administration";
  if (const auto kept = edge::keep_told(call, like, std::move(told.told)); !kept) return call.refuse(kept.refusal());
  outcome.entry.action = "effect";
  call.release(std::move(outcome.entry), std::move(told.json));
}

void effect(const Call& call) {
  edge::in_turn(call, true, [call] { tell_effect(call); });
}

const edge::Route kRoutes[] = {
    {.verb = edge::Verb::get,
     .path = "/api/access/catalogue",
     .needs = edge::Needs::session(),
     .run = edge::saying<catalogue>,
     .summary = {"可以申请查询的数据", "what one may apply for"},
     .response = "Offers"},
    {.verb = edge::Verb::post,
     .path = "/api/access/preview",
     .needs = edge::Needs::session(),
     .run = edge::saying<preview>,
     .summary = {"申请批准后会看到什么（文字）", "what an application would open, in words"},
     .request = "AccessQuestion",
     .response = "AccessPreview",
     .body_max = 128 * 1024},
    {.verb = edge::Verb::get,
     .path = "/api/access/{number}/effect",
     .needs = edge::Needs::session(),
     .run = effect,
     .summary = {"批准后的影响", "the effect of an approval"},
     .response = "Effect"},
};

}  // namespace

std::span<const edge::Route> routes() {
  return kRoutes;
}

}  // namespace jw::access
