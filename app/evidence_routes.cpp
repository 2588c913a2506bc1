// Evidence (§4.3.2): signed checkpoints and proofs that anyone can check in their own browser.
#include <charconv>

#include "app/problem.hpp"
#include "app/serving.hpp"
#include "kernel/record/proof_json.hpp"

namespace jw::app {

namespace {

using Session = std::shared_ptr<const identity::Session>;

std::optional<uint64_t> number(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

const Refusal kNoLeaf{Code::not_found,
                      "record.leaf_unknown",
                      {"没有这条记录", "there is no such leaf"},
                      {{"leaf", "unknown", {"应为答案中的 record", "must be the record of an answer"}}}};

void proof(Serving& serving, const http::Request& request, const identity::Session& session,
           const http::Respond& respond) {
  record::Recorder& recorder = *serving.system.recorder;
  const std::string leaf = request.parameter("leaf").value_or("");
  const size_t slash = leaf.rfind('/');
  const auto seq = slash == std::string::npos || leaf.substr(0, slash) != recorder.origin()
                       ? std::nullopt
                       : number(std::string_view(leaf).substr(slash + 1));
  if (!seq) return respond(problem(kNoLeaf, request.id));
  const auto found = recorder.prove(*seq);
  if (!found) return respond(problem(kNoLeaf, request.id));
  respond(json_response(record::proof_json(*found, record::part_for(*found, session.person), recorder.public_key())));
}

void consistency(Serving& serving, const http::Request& request, const http::Respond& respond) {
  const auto from = number(request.parameter("from").value_or("")), to = number(request.parameter("to").value_or(""));
  const auto path = from && to ? serving.system.recorder->consistency(*from, *to) : std::nullopt;
  if (!path) {
    return respond(problem({Code::unprocessable,
                            "record.no_such_trees",
                            {"from 和 to 应是两棵已有的树的大小，from 不大于 to",
                             "from and to must be sizes of existing trees, from not above to"},
                            {{"from", "invalid", {"应为整数", "must be an integer"}}}},
                           request.id));
  }
  respond(json_response(record::consistency_json(*from, *to, *path)));
}

}  // namespace

std::vector<http::Route> evidence_routes(Serving& serving) {
  using http::Verb;
  return {
      {.verb = Verb::get,
       .path = "/api/audit/checkpoint",
       .needs = http::kPublic,
       .handler =
           [&serving](http::Request, http::Respond respond) {
             record::Recorder& recorder = *serving.system.recorder;
             respond(json_response(record::checkpoint_json(recorder.checkpoint(), recorder.public_key())));
           },
       .summary = {"已签名的检查点", "the signed checkpoint"},
       .response_schema = R"({"type":"object"})"},
      {.verb = Verb::get,
       .path = "/api/audit/proof",
       .needs = http::kSession,
       .handler = signed_in(serving, [&serving](http::Request request, Session session,
                                                http::Respond respond) { proof(serving, request, *session, respond); }),
       .summary = {"某条记录的包含证明", "inclusion proof of a leaf"},
       .response_schema = R"({"type":"object"})"},
      {.verb = Verb::get,
       .path = "/api/audit/consistency",
       .needs = http::kPublic,
       .handler = [&serving](http::Request request, http::Respond respond) { consistency(serving, request, respond); },
       .summary = {"两个检查点之间的一致性证明", "consistency of two checkpoints"},
       .response_schema = R"({"type":"object"})"},
  };
}

}  // namespace jw::app
