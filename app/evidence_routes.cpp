// Evidence (§4.3.2): signed checkpoints, proofs and papers that anyone can check.
#include "app/routes.hpp"
#include "base/json.hpp"
#include "kernel/notice/api.hpp"
#include "kernel/paper/api.hpp"
#include "kernel/record/proof_json.hpp"

namespace jw::app {

using edge::Call;

namespace {

const Refusal kNoLeaf{Code::not_found,
                      "record.leaf_unknown",
                      {"没有这条记录", "there is no such leaf"},
                      {{"leaf", "unknown", {"应为答案中的 record", "must be the record of an answer"}}}};

Result<std::string> checkpoint(const Call& call) {
  record::Recorder& recorder = call.house().recorder;
  return record::checkpoint_json(recorder.checkpoint(), recorder.public_key());
}

Result<std::string> proof(const Call& call) {
  record::Recorder& recorder = call.house().recorder;
  const std::string leaf = call.parameter("leaf");
  const size_t slash = leaf.rfind('/');
  if (slash == std::string::npos || leaf.substr(0, slash) != recorder.origin()) return kNoLeaf;
  const int64_t seq = edge::number_in(std::string_view(leaf).substr(slash + 1));
  const auto found = seq < 0 ? std::nullopt : recorder.prove(static_cast<uint64_t>(seq));
  if (!found) return kNoLeaf;
  return record::proof_json(*found, record::part_for(*found, call.session().person), recorder.public_key());
}

Result<std::string> consistency(const Call& call) {
  const int64_t from = edge::number_in(call.parameter("from")), to = edge::number_in(call.parameter("to"));
  const auto path = from < 0 || to < 0
                        ? std::nullopt
                        : call.house().recorder.consistency(static_cast<uint64_t>(from), static_cast<uint64_t>(to));
  if (path) return record::consistency_json(static_cast<uint64_t>(from), static_cast<uint64_t>(to), *path);
  return Refusal{Code::unprocessable,
                 "record.no_such_trees",
                 {"from 和 to 应是两棵已有的树的大小，from 不大于 to",
                  "from and to must be sizes of existing trees, from not above to"},
                 {{"from", "invalid", {"应为整数", "must be an integer"}}}};
}

// Anyone holding a paper of any kind may check it; the answer names no person and shows no content (§3.3.1).
Result<std::string> verify(const Call& call) {
  edge::House& house = call.house();
  std::optional<paper::Paper> found;
  {
    const db::Store::Lease lease = house.store.reader();
    found = paper::find_by_code(*lease, call.captured(0), house.clock.now());
  }
  if (!found) {
    return Refusal{Code::not_found,
                   "paper.code_unknown",
                   {"没有这个验证码：文件可能是伪造的，或验证码输入有误",
                    "no paper has this code: it may be forged, or the code mistyped"}};
  }
  std::string text;
  JsonWriter out(text);
  out.object().field("number", found->number).field("kind", found->kind).field("title", found->title);
  out.field("sha256", found->sha256).field("made", found->made.print()).field("state", paper::name(found->state));
  if (found->expires) out.field("expires", found->expires->print());
  if (!found->replaced_by.empty()) out.field("replaced_by", found->replaced_by);
  if (const auto leaf = house.recorder.deliver(found->outbox)) out.field("record", leaf->id());
  out.end_object();
  return text;
}

void revoke(const Call& call) {
  edge::act(call, {"paper_revoke", "3.3.1", edge::Signing::now()},
            [number = call.captured(0)](edge::Doing& doing) -> Result<std::string> {
              JW_TRY(const std::string reason, edge::text_member(doing.body, "reason"));
              JW_TRY(const paper::Paper revoked,
                     paper::revoke(doing.transaction, number, doing.by.account, reason, doing.now));
              JsonWriter(doing.entry.parameters).object().field("paper", number).field("reason", reason).end_object();
              if (revoked.account != 0) {
                notice::put_notice(doing.transaction,
                                   {revoked.account,
                                    "paper:" + number,
                                    {"您的文件 " + number + "（" + revoked.title + "）已被撤销：" + reason,
                                     "your paper " + number + " (" + revoked.title + ") was revoked: " + reason}},
                                   doing.now);
              }
              std::string text;
              JsonWriter(text)
                  .object()
                  .field("number", number)
                  .field("state", paper::name(paper::State::revoked))
                  .end_object();
              return text;
            });
}

const edge::Route kRoutes[] = {
    {.verb = edge::Verb::get,
     .path = "/api/verify/{code}",
     .needs = edge::Needs::open("whoever holds a paper checks it without an account (§3.3.1)"),
     .run = edge::saying<verify>,
     .summary = {"按验证码核验文件", "check a paper by its code"},
     .response = "Paper"},
    {.verb = edge::Verb::post,
     .path = "/api/papers/{number}/revocation",
     .needs = edge::Needs::power("paper_revoke"),
     .run = revoke,
     .summary = {"撤销文件（签署）", "revoke a paper, signed"},
     .request = "SignedReason",
     .response = "PaperRevoked",
     .body_max = 16 * 1024},
    {.verb = edge::Verb::get,
     .path = "/api/audit/checkpoint",
     .needs = edge::Needs::open("whoever holds evidence checks it without an account (§4.3.2)"),
     .run = edge::saying<checkpoint>,
     .summary = {"已签名的检查点", "the signed checkpoint"},
     .response = "Checkpoint"},
    {.verb = edge::Verb::get,
     .path = "/api/audit/proof",
     .needs = edge::Needs::session(),
     .run = edge::saying<proof>,
     .summary = {"某条记录的包含证明", "inclusion proof of a leaf"},
     .parameters = "ProofQuestion",
     .response = "InclusionProof"},
    {.verb = edge::Verb::get,
     .path = "/api/audit/consistency",
     .needs = edge::Needs::open("whoever holds evidence checks it without an account (§4.3.2)"),
     .run = edge::saying<consistency>,
     .summary = {"两个检查点之间的一致性证明", "consistency of two checkpoints"},
     .parameters = "ConsistencyQuestion",
     .response = "ConsistencyProof"},
};

}  // namespace

std::span<const edge::Route> evidence_routes() {
  return kRoutes;
}

}  // namespace jw::app
