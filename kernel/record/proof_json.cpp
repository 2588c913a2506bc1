#include "kernel/record/proof_json.hpp"

#include <algorithm>
#include <stdexcept>

#include "base/json.hpp"
#include "base/text.hpp"
#include "kernel/record/leaf.hpp"
#include "kernel/record/note.hpp"
#include "platform/crypto/api.hpp"

namespace jw::record {
namespace {

VerifierKey parse_key(const std::string& public_key) {
  std::optional<VerifierKey> key = VerifierKey::parse(public_key);
  if (!key) throw std::invalid_argument("not a verifier key");
  return *key;
}

std::string hex(const Hash& hash) {
  return crypto::hex(bytes_of(hash));
}

void write_path(JsonWriter& json, const std::vector<Hash>& path) {
  json.key("path").array();
  for (const Hash& hash : path) json.value(hex(hash));
  json.end_array();
}

void write_body(JsonWriter& json, const Entry& entry) {
  // Any bytes may have been given as parameters; what JSON cannot carry is in `body`.
  if (is_valid_utf8(entry.parameters)) json.field("parameters", std::string_view(entry.parameters));
  json.key("subjects").array();
  for (const Subject& subject : entry.subjects) {
    json.object()
        .field("kind", subject.kind == Subject::Kind::person ? "person" : "group")
        .field("id", subject.id)
        .field("count", subject.count)
        .end_object();
  }
  json.end_array();
}

void write_entry(JsonWriter& json, const InclusionProof& proof, bool whole) {
  const Entry& e = proof.entry;
  json.key("entry").object();
  json.field("time", e.time.print()).field("recorded", proof.recorded.print());
  json.field("kind", e.kind).field("account", e.account).field("person", e.person);
  json.field("beneficiary", e.beneficiary).field("session", e.session);
  json.field("post", e.post).field("unit", e.unit).field("dataset", e.dataset).field("action", e.action);
  json.field("purpose", e.purpose).field("decision", e.decision).field("basis", e.basis);
  json.field("policy_version", e.policy_version).field("plan", e.plan).field("rows", e.rows);
  json.field("digest", hex(e.digest));
  if (e.intent) json.field("intent", *e.intent);
  if (whole) write_body(json, e);
  json.end_object();
}

}  // namespace

ProofPart part_for(const InclusionProof& proof, int64_t person) {
  if (person == 0) return ProofPart::hash;
  const Entry& e = proof.entry;
  if (e.person == person || e.beneficiary == person) return ProofPart::whole;
  const bool asked_about = std::any_of(e.subjects.begin(), e.subjects.end(), [&](const Subject& s) {
    return s.kind == Subject::Kind::person && s.id == person;
  });
  if (!asked_about) return ProofPart::hash;
  return e.subjects.size() == 1 ? ProofPart::whole : ProofPart::header;
}

std::string checkpoint_json(const Checkpoint& checkpoint, const std::string& public_key) {
  const VerifierKey key = parse_key(public_key);
  std::string out;
  JsonWriter json(out);
  json.object().field("origin", key.name).field("size", checkpoint.size).field("root", hex(checkpoint.root));
  json.field("checkpoint", checkpoint.text).field("public_key", public_key);
  json.field("ed25519", crypto::hex(key.public_key)).end_object();
  return out;
}

std::string proof_json(const InclusionProof& proof, ProofPart part, const std::string& public_key) {
  const VerifierKey key = parse_key(public_key);
  std::string out;
  JsonWriter json(out);
  json.object().field("id", Leaf{proof.seq, key.name}.id()).field("seq", proof.seq).field("size", proof.size);
  json.field("leaf_hash", hex(proof.leaf_hash));
  write_path(json, proof.path);
  if (part != ProofPart::hash) json.field("leaf", crypto::base64(proof.leaf));
  const bool whole = part == ProofPart::whole && !proof.salt.empty();
  if (whole) json.field("body", crypto::base64(proof.body)).field("salt", crypto::base64(proof.salt));
  if (part != ProofPart::hash) write_entry(json, proof, whole);
  json.field("checkpoint", proof.checkpoint.text).field("public_key", public_key);
  json.field("ed25519", crypto::hex(key.public_key)).end_object();
  return out;
}

std::string consistency_json(uint64_t from, uint64_t to, const std::vector<Hash>& path) {
  std::string out;
  JsonWriter json(out);
  json.object().field("from", from).field("to", to);
  write_path(json, path);
  json.end_object();
  return out;
}

}  // namespace jw::record
