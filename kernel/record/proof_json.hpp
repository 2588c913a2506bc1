// Evidence as JSON for GET /api/audit/checkpoint, /api/audit/proof and /api/audit/consistency, made so that a browser
// can check it with WebCrypto alone (SHA-256, Ed25519), trusting nothing the server says besides.
//
// Checkpoint:
//   {"origin":"jiaowu.local/record", "size":42, "root":HEX, "checkpoint":"signed note",
//   "public_key":"name+hash+base64",
//    "ed25519":HEX of the 32 bytes of the key}
// Proof:
//   {"id":"ORIGIN/SEQ", "seq":7, "size":42, "leaf_hash":HEX, "path":[HEX, …], "leaf":BASE64, "body":BASE64,
//   "salt":BASE64,
//    "entry":{…}, "checkpoint":…, "public_key":…, "ed25519":…}
//   `leaf` and `entry` (time, recorded, kind, post, unit) only for whoever may see the header, `body`, `salt` and the
//   rest of `entry` only for whoever may see the whole (part_for). `entry` is what the bytes say, for display; evidence
//   are the bytes (kernel/record/leaf.hpp).
// Consistency:
//   {"from":M, "to":N, "path":[HEX, …]}
//
// How to check a proof, step by step; H is SHA-256, || joins bytes:
//   1. The checkpoint is text. Find "\n\n"; `signed` = everything up to and including the first of the two line feeds.
//   Its lines are
//      origin, size, base64 of the root. Line 2 must be `size`, line 1 the first part of `id` (all before the last
//      '/').
//   2. The line behind the blank one is "— " + origin + " " + base64 of 68 bytes: 4 bytes key id, 64 bytes signature.
//   Ed25519-verify
//      (`ed25519`, signature, bytes of `signed`). That key is worth what its source is worth: compare it with the one
//      printed on documents or kept from last time. public_key = origin "+" hex(key id) "+" base64(0x01 || key); key id
//      = first 4 bytes of H(origin || 0x0a || 0x01 || key).
//   3. With `leaf`: H(0x00 || leaf) must be `leaf_hash`. Bytes 1–8 of the leaf, big endian, must be `seq`.
//   4. With `body`: H(salt || body) must be bytes 25–56 of the leaf.
//   5. The path: inner = number of bits of (seq XOR (size − 1)); border = number of 1 bits in (seq >> inner); its
//   length must be
//      inner + border. Let h = leaf_hash. For i = 0, 1, …: if i >= inner or bit i of seq is 1, h = H(0x01 || path[i] ||
//      h), else h = H(0x01 || h || path[i]). At the end h must be the root of step 1. (Use BigInt: seq and size may
//      pass 2^32.)
//   6. The entry shown is that of `leaf` and `body`, read as kernel/record/leaf.hpp says.
//   7. Kept an older checkpoint? Ask /api/audit/consistency?from=OLD&to=SIZE and check as RFC 9162 §2.1.4.2 says; it
//   shows that
//      nothing in front was changed since.
// kernel/record/proof_check.mjs does all of it and is what the tests run.
#pragma once

#include <string>

#include "kernel/record/api.hpp"

namespace jw::record {

// How much of a leaf somebody may see. Anybody signed in may have the proof; it says nothing about the leaf but its
// hash.
enum class ProofPart { hash, header, whole };

// The whole: who acted. The header: who was asked about, and who was assisted. The body would tell them of the others
// who were asked about, and of the account and session of who asked; the header says the class of act, when, and in
// which capacity, and nothing in it can be tried out (§1.3.1, §6.1.1). Whether an audit post may see more is policy's
// to say.
ProofPart part_for(const InclusionProof& proof, int64_t person);

std::string checkpoint_json(const Checkpoint& checkpoint, const std::string& public_key);
std::string proof_json(const InclusionProof& proof, ProofPart part, const std::string& public_key);
std::string consistency_json(uint64_t from, uint64_t to, const std::vector<Hash>& path);

}  // namespace jw::record
