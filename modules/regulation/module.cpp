// Permission administration (§2.1.1, §4.3.2): the default permissions by version, proposed by one and decided by
// another; who sees what. The regulation itself is kernel/policy.
#include "modules/regulation/regulation.hpp"

namespace jw::regulation {

namespace {

constexpr size_t kBodyMax = 256 * 1024;

const edge::Route kRoutes[] = {
    {.verb = edge::Verb::get,
     .path = "/api/regulation",
     .needs = edge::Needs::power(kRead),
     .run = read,
     .summary = {"默认权限、岗位、设置及其历史与提议（§2.1.1）",
                 "default permissions, posts, settings, their history and proposals"},
     .parameters = "RegulationQuestion",
     .response = "Regulation"},
    {.verb = edge::Verb::get,
     .path = "/api/regulation/difference",
     .needs = edge::Needs::power(kRead),
     .run = read_difference,
     .summary = {"两版规定的差别", "what differs between two versions of the regulation"},
     .parameters = "DifferenceQuestion",
     .response = "RegulationDifference"},
    {.verb = edge::Verb::post,
     .path = "/api/regulation/preview",
     .needs = edge::Needs::power(kPreview),
     .run = preview,
     .summary = {"更改的效果：谁将多看到或少看到什么", "the effect of a change: who gains or loses what"},
     .request = "RegulationAsked",
     .response = "RegulationPreview",
     .body_max = kBodyMax,
     .does = edge::Does::looks},
    {.verb = edge::Verb::post,
     .path = "/api/regulation/proposals",
     .needs = edge::Needs::power(kPropose),
     .run = propose,
     .summary = {"提议更改默认权限（签署）", "propose a change, signed"},
     .request = "RegulationProposing",
     .response = "RegulationActed",
     .body_max = kBodyMax},
    {.verb = edge::Verb::post,
     .path = "/api/regulation/rollback",
     .needs = edge::Needs::power(kPropose),
     .run = roll_back,
     .summary = {"提议恢复某一版（签署）", "propose to bring a version back, signed"},
     .request = "RegulationRollback",
     .response = "RegulationActed",
     .body_max = kBodyMax},
    {.verb = edge::Verb::post,
     .path = "/api/regulation/proposals/{id}/approve",
     .needs = edge::Needs::power(kApprove),
     .run = approve,
     .summary = {"批准他人的提议（双人复核）", "approve somebody else's proposal (four eyes)"},
     .request = "RegulationDecision",
     .response = "RegulationActed",
     .body_max = kBodyMax},
    {.verb = edge::Verb::post,
     .path = "/api/regulation/proposals/{id}/reject",
     .needs = edge::Needs::power(kApprove),
     .run = reject,
     .summary = {"退回他人的提议", "reject somebody else's proposal"},
     .request = "RegulationDecision",
     .response = "RegulationActed",
     .body_max = kBodyMax},
    {.verb = edge::Verb::post,
     .path = "/api/regulation/proposals/{id}/withdraw",
     .needs = edge::Needs::power(kPropose),
     .run = withdraw,
     .summary = {"撤回自己的提议（签署）", "withdraw one's own proposal, signed"},
     .request = "Signature",
     .response = "RegulationActed",
     .body_max = kBodyMax},
    {.verb = edge::Verb::get,
     .path = "/api/sight/cell",
     .needs = edge::Needs::power(kSight),
     .run = see_cell,
     .summary = {"谁能看到这一格数据", "who sees this cell"},
     .parameters = "CellQuestion",
     .response = "SightCell"},
    {.verb = edge::Verb::get,
     .path = "/api/sight/person",
     .needs = edge::Needs::power(kSight),
     .run = see_person,
     .summary = {"此人能看到什么，凭什么", "what this person sees, and why"},
     .parameters = "PersonQuestion",
     .response = "SightPerson"},
};

constexpr edge::Command kCommands[] = {
    {"regulation",
     "regulation rollback N --db URL --reason TEXT [--key-file FILE]\n      恢复第 N 版规定（无人能登录办理时） / "
     "bring version N of the "
     "regulation back (when nobody can sign in to do so)",
     command},
};

bool reads(const edge::Call& call) {
  return edge::empowered(call, kRead);
}

const edge::Place kPlaces[] = {{.name = "regulation", .label = {"默认权限", "Permissions"}, .open = reads}};

}  // namespace

extern const edge::Module kModule;
const edge::Module kModule{
    .name = "regulation",
    .label = {"默认权限", "default permissions"},
    .clause = "2.1.1",
    .routes = kRoutes,
    .places = kPlaces,
    .commands = kCommands,
};

}  // namespace jw::regulation
