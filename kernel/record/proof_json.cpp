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
  json.field("account", entry.account).field("person", entry.person);
  json.field("beneficiary", entry.beneficiary).field("session", entry.session);
  json.field("dataset", entry.dataset).field("action", entry.action).field("purpose", entry.purpose);
  json.field("decision", entry.decision).field("basis", entry.basis);
  json.field("policy_version", entry.policy_version).field("plan", entry.plan).field("rows", entry.rows);
  json.field("digest", hex(entry.digest));
  if (entry.intent) json.field("intent", *entry.intent);
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
  json.field("kind", e.kind).field("post", e.post).field("unit", e.unit);
  if (whole) write_body(json, e);
  json.end_object();
}

}  // namespace

ProofPart part_for(const InclusionProof& proof, int64_t person) {
  if (person == 0) return ProofPart::hash;
  const Entry& e = proof.entry;
  if (e.person == person) return ProofPart::whole;
  // The header of version 1 says more than others may know, and cannot be made to say less.
  if (proof.leaf.starts_with('\1')) return ProofPart::hash;
  const bool concerns =
      e.beneficiary == person || std::any_of(e.subjects.begin(), e.subjects.end(), [&](const Subject& s) {
        return s.kind == Subject::Kind::person && s.id == person;
      });
  return concerns ? ProofPart::header : ProofPart::hash;
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
