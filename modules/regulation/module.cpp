// Permission administration (§2.1.1, §4.3.2): the default permissions by version, proposed by one and decided by
// another; who sees what. The regulation itself is kernel/policy.
#include "modules/regulation/regulation.hpp"

namespace jw::regulation {

namespace {

constexpr size_t kBodyMax = 256 * 1024;
constexpr std::string_view kRegulationSchema =
    R"({"type":"object","required":["version","in_force","may","settings","posts","powers","rules","datasets","history","proposals","record"],"properties":{"version":{"type":"integer"},"in_force":{"type":"integer"},"may":{"type":"object","required":["propose","approve","ask"]},"settings":{"type":"array"},"posts":{"type":"array"},"powers":{"type":"array"},"rules":{"type":"array","items":{"type":"object","required":["rule"]}},"datasets":{"type":"array"},"relations":{"type":"array"},"modules":{"type":"array"},"purposes":{"type":"array"},"history":{"type":"array"},"proposals":{"type":"array"},"record":{"type":"string"}}})";
constexpr std::string_view kPreviewSchema =
    R"({"type":"object","properties":{"changes":{"type":"array"},"rollback_to":{"type":"integer"},"proposal":{"type":"integer"}}})";
constexpr std::string_view kProposalSchema =
    R"({"type":"object","required":["base","changes","note"],"properties":{"base":{"type":"integer"},"changes":{"type":"array","items":{"type":"object","required":["op"]}},"note":{"type":"string"},"clause":{"type":"string"}}})";
constexpr std::string_view kRollbackSchema =
    R"({"type":"object","required":["base","to","note"],"properties":{"base":{"type":"integer"},"to":{"type":"integer"},"note":{"type":"string"},"clause":{"type":"string"}}})";
constexpr std::string_view kDecisionSchema =
    R"({"type":"object","properties":{"password":{"type":"string"},"code":{"type":"string"},"reason":{"type":"string"}}})";
constexpr std::string_view kActedSchema =
    R"({"type":"object","required":["proposal","version","record"],"properties":{"proposal":{"type":"integer"},"version":{"type":"integer"},"record":{"type":"string"}}})";
constexpr std::string_view kAnySchema = R"({"type":"object","required":["record"]})";

const edge::Route kRoutes[] = {
    {.verb = edge::Verb::get,
     .path = "/api/regulation",
     .needs = edge::Needs::power(kRead),
     .run = read,
     .summary = {"默认权限、岗位、设置及其历史与提议（§2.1.1）",
                 "default permissions, posts, settings, their history and proposals"},
     .response_schema = kRegulationSchema},
    {.verb = edge::Verb::get,
     .path = "/api/regulation/difference",
     .needs = edge::Needs::power(kRead),
     .run = read_difference,
     .summary = {"两版规定的差别", "what differs between two versions of the regulation"},
     .response_schema = kAnySchema},
    {.verb = edge::Verb::post,
     .path = "/api/regulation/preview",
     .needs = edge::Needs::power(kPreview),
     .run = preview,
     .summary = {"更改的效果：谁将多看到或少看到什么", "the effect of a change: who gains or loses what"},
     .request_schema = kPreviewSchema,
     .response_schema = kAnySchema,
     .body_max = kBodyMax,
     .does = edge::Does::looks},
    {.verb = edge::Verb::post,
     .path = "/api/regulation/proposals",
     .needs = edge::Needs::power(kPropose),
     .run = propose,
     .summary = {"提议更改默认权限", "propose a change"},
     .request_schema = kProposalSchema,
     .response_schema = kActedSchema,
     .body_max = kBodyMax},
    {.verb = edge::Verb::post,
     .path = "/api/regulation/rollback",
     .needs = edge::Needs::power(kPropose),
     .run = roll_back,
     .summary = {"提议恢复某一版", "propose to bring a version back"},
     .request_schema = kRollbackSchema,
     .response_schema = kActedSchema,
     .body_max = kBodyMax},
    {.verb = edge::Verb::post,
     .path = "/api/regulation/proposals/{id}/approve",
     .needs = edge::Needs::power(kApprove),
     .run = approve,
     .summary = {"批准他人的提议（双人复核）", "approve somebody else's proposal (four eyes)"},
     .request_schema = kDecisionSchema,
     .response_schema = kActedSchema,
     .body_max = kBodyMax},
    {.verb = edge::Verb::post,
     .path = "/api/regulation/proposals/{id}/reject",
     .needs = edge::Needs::power(kApprove),
     .run = reject,
     .summary = {"退回他人的提议", "reject somebody else's proposal"},
     .request_schema = kDecisionSchema,
     .response_schema = kActedSchema,
     .body_max = kBodyMax},
    {.verb = edge::Verb::post,
     .path = "/api/regulation/proposals/{id}/withdraw",
     .needs = edge::Needs::power(kPropose),
     .run = withdraw,
     .summary = {"撤回自己的提议", "withdraw one's own proposal"},
     .request_schema = R"({"type":"object"})",
     .response_schema = kActedSchema,
     .body_max = kBodyMax},
    {.verb = edge::Verb::get,
     .path = "/api/sight/cell",
     .needs = edge::Needs::power(kSight),
     .run = see_cell,
     .summary = {"谁能看到这一格数据", "who sees this cell"},
     .response_schema = kAnySchema},
    {.verb = edge::Verb::get,
     .path = "/api/sight/person",
     .needs = edge::Needs::power(kSight),
     .run = see_person,
     .summary = {"此人能看到什么，凭什么", "what this person sees, and why"},
     .response_schema = kAnySchema},
};

constexpr edge::Command kCommands[] = {
    {"regulation",
     "regulation rollback N --db URL --reason TEXT\n      恢复第 N 版规定（无人能登录办理时） / bring version N of the "
     "regulation back (when nobody can sign in to do so)",
     command},
};

}  // namespace

extern const edge::Module kModule;
const edge::Module kModule{
    .name = "regulation",
    .label = {"默认权限", "default permissions"},
    .clause = "2.1.1",
    .routes = kRoutes,
    .commands = kCommands,
};

}  // namespace jw::regulation
