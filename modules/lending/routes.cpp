// The desk for findings of lending (§2.5.3): what it does. It reads the datasets of modules/lending/catalog.
#include <boost/json.hpp>

#include "modules/lending/lending.hpp"

namespace jw::lending {

using edge::Call;

namespace {

// `step` gives the outbox id of its leaf.
template <class Taking>
void at_desk(const Call& call, std::string_view action, Taking step) {
  edge::act(call, {action, "2.5.3", edge::Signing::lately()}, [call, step](edge::Doing& doing) -> Result<std::string> {
    JW_TRY(const std::string reason, edge::text_member(doing.body, "reason"));
    JW_TRY(doing.outbox,
           step(call.house().parts.get<Watch>(), doing, edge::number_in(call.captured(0)), std::string_view(reason)));
    return std::string("{}");
  });
}

void dismiss(const Call& call) {
  at_desk(call, "lending_dismiss", [](Watch& watch, edge::Doing& doing, int64_t finding, std::string_view reason) {
    return watch.dismiss(doing.transaction, finding, doing.by, reason);
  });
}

void lift(const Call& call) {
  at_desk(call, "lending_lift", [](Watch& watch, edge::Doing& doing, int64_t finding, std::string_view reason) {
    return watch.lift(doing.transaction, finding, doing.by, reason);
  });
}

void take_step(const Call& call) {
  at_desk(call, "lending_step",
          [](Watch& watch, edge::Doing& doing, int64_t finding, std::string_view reason) -> Result<int64_t> {
            JW_TRY(const std::string name, edge::text_member(doing.body, "step"));
            const auto step = step_named(name);
            if (step && *step != Step::none)
              return watch.take_step(doing.transaction, finding, *step, doing.by, reason);
            return Refusal{Code::unprocessable,
                           "lending.step_unknown",
                           {"没有这种措施", "there is no such step"},
                           {{"step",
                             "unknown",
                             {"应为 ask_second_factor、read_only 或 suspended",
                              "must be ask_second_factor, read_only or suspended"}}}};
          });
}

constexpr size_t kBodyMax = 16 * 1024;

const edge::Route kRoutes[] = {
    {.verb = edge::Verb::post,
     .path = "/api/lending/findings/{id}/dismiss",
     .needs = edge::Needs::power(kDesk),
     .run = dismiss,
     .summary = {"认定为正常", "the pattern is honest"},
     .request = "SignedReason",
     .response = "Done",
     .body_max = kBodyMax},
    {.verb = edge::Verb::post,
     .path = "/api/lending/findings/{id}/step",
     .needs = edge::Needs::power(kDesk),
     .run = take_step,
     .summary = {"采取措施", "take a step"},
     .request = "LendingStep",
     .response = "Done",
     .body_max = kBodyMax},
    {.verb = edge::Verb::post,
     .path = "/api/lending/findings/{id}/lift",
     .needs = edge::Needs::power(kDesk),
     .run = lift,
     .summary = {"解除措施", "lift what is in force"},
     .request = "SignedReason",
     .response = "Done",
     .body_max = kBodyMax},
};

}  // namespace

std::span<const edge::Route> routes() {
  return kRoutes;
}

}  // namespace jw::lending
