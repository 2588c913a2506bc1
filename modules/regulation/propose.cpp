// Proposals: what they would do, and the acts by which two people change the regulation (§2.1.1, four eyes).
#include <boost/json.hpp>

#include "base/json.hpp"
#include "kernel/policy/regulation_edit.hpp"
#include "kernel/query/effect.hpp"
#include "kernel/query/trial.hpp"
#include "modules/regulation/regulation.hpp"

namespace jw::regulation {

namespace json = boost::json;
using edge::Call;
using policy::Acted;

namespace {

// What is asked about: {"changes":[…]}, {"rollback_to":N} or {"proposal":N}, against the version in force.
Result<policy::Draft> drafted(db::Connection& reader, const catalog::Catalogue& catalogue, const json::object& body,
                              const json::object& base) {
  if (body.contains("rollback_to")) {
    JW_TRY(const int64_t to, edge::number_member(body, "rollback_to"));
    JW_TRY(const json::object then, policy::content_of(reader, to));
    return policy::draft_rollback(catalogue, base, then);
  }
  if (body.contains("proposal")) {
    JW_TRY(const int64_t id, edge::number_member(body, "proposal"));
    JW_TRY(policy::Proposal found, policy::proposal(reader, id));
    auto loaded = policy::load_content(found.content, catalogue);
    if (const auto* regulation = std::get_if<policy::Regulation>(&loaded))
      return policy::Draft{std::move(found.content), *regulation};
    return Refusal{Code::conflict,
                   "regulation.change_invalid",
                   {"提议与现在的数据目录不符，不能再采纳", "the proposal does not fit the catalogue any more"}};
  }
  JW_TRY(const json::array changes, edge::array_member(body, "changes"));
  return policy::draft(catalogue, base, changes);
}

struct Previewed {
  std::string json;
  std::vector<query::Told> told;
};

Result<Previewed> previewed(const Call& call, const json::object& body) {
  edge::House& house = call.house();
  const db::Store::Lease reader = house.store.reader();
  house.policy.refresh(*reader);
  const auto rules = house.policy.rules();
  const int64_t version = rules->regulation().version;
  JW_TRY(const json::object base, policy::content_of(*reader, version));
  JW_TRY(policy::Draft draft, drafted(*reader, house.catalogue, body, base));
  JW_CHECK(query::fits(*reader, rules, draft.regulation, house.clock.now()));
  draft.regulation.version = -1;  // of no plan that is kept
  const auto after = rules->with(std::move(draft.regulation));
  const query::Effect effect =
      query::effect_of(house.catalogue, *reader, rules, after, call.asker(), house.clock.now());
  Previewed out{{}, effect.told};
  JsonWriter writer(out.json);
  writer.object().field("base", version);
  writer.key("changes").raw(json::serialize(policy::difference(base, draft.content)));
  writer.key("effect").raw(effect.json).end_object();
  return out;
}

// One act upon the regulation, which writes its own leaf. `run` gives what came of it.
template <class Run>
void act(const Call& call, std::string_view action, edge::Signing signing, Run run) {
  edge::act(call, {action, "2.1.1", signing}, [call, run](edge::Doing& doing) -> Result<std::string> {
    JW_TRY(const Acted acted, run(doing, call.house()));
    doing.outbox = acted.outbox;
    std::string text;
    JsonWriter(text).object().field("proposal", acted.proposal).field("version", acted.version).end_object();
    return text;
  });
}

policy::Trial trial_in(const edge::House& house) {
  return [&house](const policy::Regulation& regulation) {
    const db::Store::Lease reader = house.store.reader();
    return query::fits(*reader, house.policy.rules(), regulation, house.clock.now());
  };
}

Result<policy::Wording> wording_of(const json::object& body) {
  policy::Wording wording;
  JW_TRY(wording.note, edge::text_member(body, "note"));
  JW_TRY(wording.clause, edge::optional_text(body, "clause"));
  return wording;
}

// Whoever proposed must still be one who may: a post that ended takes its open proposals with it (§2.5.1).
Result<Done> proposer_holds(const edge::House& house, int64_t id) {
  const db::Store::Lease reader = house.store.reader();
  house.policy.refresh(*reader);
  JW_TRY(const policy::Proposal found, policy::proposal(*reader, id));
  const auto rules = house.policy.rules();
  const auto held = rules->posts_of(*reader, found.proposed_person, 0, house.clock.now());
  if (rules->empowered(held, kPropose) >= 0) return Done{};
  return Refusal{Code::conflict,
                 "regulation.proposer_gone",
                 {"提议人已不再担任可以提议的岗位，只能退回", "who proposed holds the post no longer; reject it"}};
}

// Nobody decides in their own favour, by whatever post (§4.3.2).
policy::Trial decided_by(const edge::House& house, const policy::Asker& decider) {
  return [&house, decider](const policy::Regulation& regulation) -> Result<Done> {
    JW_CHECK(trial_in(house)(regulation));
    const db::Store::Lease reader = house.store.reader();
    const auto rules = house.policy.rules();
    if (!query::favours(*reader, rules, rules->with(regulation), decider, house.clock.now())) return Done{};
    return Refusal{Code::forbidden,
                   "regulation.own_favour",
                   {"这项提议会使您本人得到新的权限，须由不受益的人审批",
                    "the proposal would give yourself what you do not have; somebody who gains nothing decides"}};
  };
}

void tell_preview(const Call& call, const json::object& body) {
  Result<Previewed> made = previewed(call, body);
  if (!made) return call.refuse(made.refusal());
  record::Entry like = entry_of(call, "query");
  like.purpose = "teaching_administration";
  like.parameters = R"({"of":"regulation_preview"})";
  if (const auto kept = edge::keep_told(call, like, std::move(made->told)); !kept) return call.refuse(kept.refusal());
  record::Entry entry = entry_of(call, "regulation_preview");
  entry.parameters = json::serialize(body);
  call.release(std::move(entry), std::move(made->json));
}

}  // namespace

void preview(const Call& call) {
  Result<json::object> given = call.body();
  if (!given) return call.refuse(given.refusal());
  edge::in_turn(call, true, [call, body = std::move(given).value()] { tell_preview(call, body); });
}

void propose(const Call& call) {
  act(call, "regulation_propose", edge::Signing::lately(),
      [](const edge::Doing& doing, const edge::House& house) -> Result<Acted> {
        JW_TRY(const policy::Wording wording, wording_of(doing.body));
        JW_TRY(const int64_t base, edge::number_member(doing.body, "base"));
        JW_TRY(const json::array changes, edge::array_member(doing.body, "changes"));
        return policy::propose(doing.transaction, house.recorder, house.catalogue, base, changes, wording, doing.by,
                               doing.now, trial_in(house));
      });
}

void roll_back(const Call& call) {
  act(call, "regulation_propose", edge::Signing::lately(),
      [](const edge::Doing& doing, const edge::House& house) -> Result<Acted> {
        JW_TRY(const policy::Wording wording, wording_of(doing.body));
        JW_TRY(const int64_t base, edge::number_member(doing.body, "base"));
        JW_TRY(const int64_t to, edge::number_member(doing.body, "to"));
        return policy::propose_rollback(doing.transaction, house.recorder, house.catalogue, base, to, wording, doing.by,
                                        doing.now, trial_in(house));
      });
}

// Deciding is signing: who decides shows again who it is (design §8).
void approve(const Call& call) {
  const int64_t id = edge::number_in(call.captured(0));
  if (const auto holds = proposer_holds(call.house(), id); !holds && holds.refusal().code == Code::conflict)
    return call.refuse_on_record("regulation_approve", holds.refusal());
  act(call, "regulation_approve", edge::Signing::now(),
      [id, decider = call.asker()](const edge::Doing& doing, const edge::House& house) -> Result<Acted> {
        return policy::approve(doing.transaction, house.recorder, house.catalogue, id, doing.by, doing.now,
                               decided_by(house, decider));
      });
}

void reject(const Call& call) {
  act(call, "regulation_reject", edge::Signing::now(),
      [id = edge::number_in(call.captured(0))](const edge::Doing& doing, const edge::House& house) -> Result<Acted> {
        JW_TRY(const std::string reason, edge::text_member(doing.body, "reason"));
        return policy::reject(doing.transaction, house.recorder, id, reason, doing.by, doing.now);
      });
}

void withdraw(const Call& call) {
  act(call, "regulation_withdraw", edge::Signing::lately(),
      [id = edge::number_in(call.captured(0))](const edge::Doing& doing, const edge::House& house) {
        return policy::withdraw(doing.transaction, house.recorder, id, doing.by, doing.now);
      });
}

}  // namespace jw::regulation
