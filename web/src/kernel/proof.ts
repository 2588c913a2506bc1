// The steps of "prove it", each with what was computed and whether it held. The answers of the server are only input.
import { checkpoint_read as ask_checkpoint, consistency_read, proof_read } from '@/api/calls'
import {
  base64_read, checkpoint_read, checkpoint_signed_by, consistency_holds, hex_read, hex_text, inclusion_steps, joined, leaf_hash, same, sha256,
  verifier_key_read,
  type Bytes, type Checkpoint, type Step, type VerifierKey,
} from './merkle'

export type Verdict = 'holds' | 'fails' | 'open'

export interface Shown {
  step: 'leaf' | 'body' | 'path' | 'root' | 'signature' | 'key' | 'history'
  verdict: Verdict
  numbers: Record<string, string | number>
}

export interface Proof {
  seq: number
  size: number
  leaf_hash: Bytes
  leaf: Bytes | null // only for whoever may see the header of the record
  body: { bytes: Bytes; salt: Bytes } | null // only for whoever may see the whole
  entry: Record<string, unknown> | null // the server's reading of those bytes, for display
  path: Bytes[]
  note: string
}

const kHashSize = 32

export function hash_read(text: string): Bytes {
  const bytes = hex_read(text)
  if (bytes.length !== kHashSize) throw new Error('not a SHA-256 hash')
  return bytes
}

const is_record = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

// The answer of /api/audit/proof (kernel/record/proof_json.hpp).
export function proof_of(answer: unknown): Proof {
  if (!is_record(answer)) throw new Error('no proof in the answer')
  const { seq, size, leaf_hash: hash, path, checkpoint, leaf, body, salt, entry } = answer
  if (typeof seq !== 'number' || typeof size !== 'number' || typeof hash !== 'string' || !Array.isArray(path) || typeof checkpoint !== 'string') {
    throw new Error('the proof lacks a part')
  }
  return {
    seq, size, note: checkpoint, leaf_hash: hash_read(hash), path: path.map((one) => hash_read(String(one))),
    leaf: typeof leaf === 'string' && leaf ? base64_read(leaf) : null,
    body: typeof body === 'string' && typeof salt === 'string' ? { bytes: base64_read(body), salt: base64_read(salt) } : null,
    entry: is_record(entry) ? entry : null,
  }
}

const kSeqAt = 1 // place of the sequence number in a leaf, eight bytes, big endian
const kBodyDigestAt = 25

export async function leaf_check(proof: Proof): Promise<boolean> {
  if (!proof.leaf || proof.leaf.length < kBodyDigestAt + kHashSize) return false
  const written = new DataView(proof.leaf.buffer, proof.leaf.byteOffset).getBigUint64(kSeqAt)
  return same(await leaf_hash(proof.leaf), proof.leaf_hash) && written === BigInt(proof.seq)
}

export async function body_check(proof: Proof): Promise<boolean> {
  if (!proof.leaf || !proof.body) return false
  const digest = await sha256(joined(proof.body.salt, proof.body.bytes))
  return same(digest, proof.leaf.slice(kBodyDigestAt, kBodyDigestAt + kHashSize))
}

const kKept = 'jiaowu.checkpoint'
interface Kept { note: string; key: string; seen: string }

function kept_read(): Kept | null {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(kKept) ?? 'null')
    return is_record(kept) && typeof kept.note === 'string' && typeof kept.key === 'string' ? (kept as unknown as Kept) : null
  } catch {
    return null
  }
}

// The newest tree this browser has itself found whole; never replaced by one that does not continue it.
function keep(note: string, key: string) {
  try {
    localStorage.setItem(kKept, JSON.stringify({ note, key, seen: new Date().toISOString() }))
  } catch {
    // then this browser cannot remember, and says so at the next proof
  }
}

export async function prove(leaf: string, tell: (shown: Shown) => void): Promise<{ proof: Proof; steps: Step[] }> {
  const [raw_proof, raw_key] = await Promise.all([proof_read(leaf), ask_checkpoint()])
  const proof = proof_of(raw_proof)
  const key_text = is_record(raw_key) && typeof raw_key.public_key === 'string' ? raw_key.public_key : ''
  const checkpoint = checkpoint_read(proof.note)

  tell({
    step: 'leaf', verdict: proof.leaf ? ((await leaf_check(proof)) ? 'holds' : 'fails') : 'open',
    numbers: { seq: proof.seq, bytes: proof.leaf?.length ?? 0, hash: hex_text(proof.leaf_hash) },
  })
  if (proof.body) {
    tell({ step: 'body', verdict: (await body_check(proof)) ? 'holds' : 'fails', numbers: { bytes: proof.body.bytes.length } })
  }

  const asked_seq = Number(leaf.slice(leaf.lastIndexOf('/') + 1))
  const fits = asked_seq === proof.seq && proof.size === checkpoint.size
  const steps = fits ? await inclusion_steps(proof.seq, proof.size, proof.leaf_hash, proof.path) : null
  const reached = steps ? (steps.at(-1)?.result ?? proof.leaf_hash) : null
  tell({ step: 'path', verdict: steps ? 'holds' : 'fails', numbers: { n: proof.path.length, size: proof.size } })
  tell({
    step: 'root', verdict: reached && same(reached, checkpoint.root) ? 'holds' : 'fails',
    numbers: { computed: reached ? hex_text(reached) : '—', root: hex_text(checkpoint.root) },
  })

  const key = await verifier_key_read(key_text)
  const signed = checkpoint.origin === key.name && (await checkpoint_signed_by(checkpoint, key))
  tell({ step: 'signature', verdict: signed ? 'holds' : 'fails', numbers: { name: key.name, id: key.key_id } })

  await history(checkpoint, key, key_text, proof.note, signed && Boolean(reached && same(reached, checkpoint.root)), tell)
  return { proof, steps: steps ?? [] }
}

async function history(now: Checkpoint, key: VerifierKey, key_text: string, note: string, sound: boolean, tell: (shown: Shown) => void) {
  const kept = kept_read()
  if (!kept) {
    tell({ step: 'history', verdict: 'open', numbers: { size: now.size } })
    if (sound) keep(note, key_text)
    return
  }
  if (kept.key !== key_text) {
    tell({ step: 'key', verdict: 'fails', numbers: { id: key.key_id, before: kept.key.split('+')[1] ?? '' } })
    return
  }
  const before = checkpoint_read(kept.note)
  const [older, newer] = before.size <= now.size ? [before, now] : [now, before]
  const raw = older.size === newer.size || older.size === 0 ? { path: [] } : await consistency_read(older.size, newer.size)
  const path = is_record(raw) && Array.isArray(raw.path) ? raw.path.map((one) => hash_read(String(one))) : []
  const holds = await consistency_holds(older.size, older.root, newer.size, newer.root, path)
  tell({ step: 'history', verdict: holds ? 'holds' : 'fails', numbers: { from: before.size, size: now.size, seen: kept.seen.slice(0, 10) } })
  if (holds && sound && now.size >= before.size) keep(note, key_text)
}
