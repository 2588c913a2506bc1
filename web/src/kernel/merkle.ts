// The record's evidence, checked here in the browser and by nobody else: RFC 6962 hashes and proofs, C2SP checkpoints,
// Ed25519. WebCrypto where the page has it (secure contexts), else a small pure library.

export type Bytes = Uint8Array<ArrayBuffer>

export async function sha256(data: Bytes): Promise<Bytes> {
  if (globalThis.crypto?.subtle) return new Uint8Array(await crypto.subtle.digest('SHA-256', data))
  const noble = await import('@noble/hashes/sha2.js')
  return new Uint8Array(noble.sha256(data))
}

export async function ed25519_verify(key: Bytes, signature: Bytes, message: Bytes): Promise<boolean> {
  if (globalThis.crypto?.subtle) {
    try {
      const imported = await crypto.subtle.importKey('raw', key, { name: 'Ed25519' }, false, ['verify'])
      return await crypto.subtle.verify({ name: 'Ed25519' }, imported, signature, message)
    } catch (error) {
      if (!(error instanceof DOMException) || error.name !== 'NotSupportedError') throw error
    }
  }
  const noble = await import('@noble/curves/ed25519.js')
  return noble.ed25519.verify(signature, message, key)
}

export function joined(...parts: Bytes[]): Bytes {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

export const utf8 = (text: string): Bytes => new Uint8Array(new TextEncoder().encode(text))

export function base64_read(text: string): Bytes {
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0))
}

export function base64_text(bytes: Bytes): string {
  return btoa(String.fromCharCode(...bytes))
}

export function hex_read(text: string): Bytes {
  if (!/^([0-9a-f]{2})*$/i.test(text)) throw new Error('not hexadecimal')
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
}

export function hex_text(bytes: Bytes): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

export function same(a: Bytes, b: Bytes): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}

export const leaf_hash = (leaf: Bytes) => sha256(joined(new Uint8Array([0]), leaf))
export const node_hash = (left: Bytes, right: Bytes) => sha256(joined(new Uint8Array([1]), left, right))

const even = (n: number) => n % 2 === 0
const half = (n: number) => Math.floor(n / 2)

export interface Step {
  sibling: Bytes
  side: 'left' | 'right'
  result: Bytes
}

// RFC 9162 §2.1.3.2: the root that the path leads to, with every step; null when the path does not fit seq and size.
export async function inclusion_steps(seq: number, size: number, leaf: Bytes, path: readonly Bytes[]): Promise<Step[] | null> {
  if (seq < 0 || seq >= size) return null
  let fn = seq
  let sn = size - 1
  let hash = leaf
  const steps: Step[] = []
  for (const sibling of path) {
    if (sn === 0) return null
    if (!even(fn) || fn === sn) {
      hash = await node_hash(sibling, hash)
      steps.push({ sibling, side: 'left', result: hash })
      while (even(fn) && fn !== 0) {
        fn = half(fn)
        sn = half(sn)
      }
    } else {
      hash = await node_hash(hash, sibling)
      steps.push({ sibling, side: 'right', result: hash })
    }
    fn = half(fn)
    sn = half(sn)
  }
  return sn === 0 ? steps : null
}

// RFC 9162 §2.1.4.2: does the tree of `size` with `root` begin with the tree of `old_size` with `old_root`?
export async function consistency_holds(
  old_size: number, old_root: Bytes, size: number, root: Bytes, path: readonly Bytes[],
): Promise<boolean> {
  if (old_size > size) return false
  if (old_size === size) return path.length === 0 && same(old_root, root)
  if (old_size === 0) return path.length === 0
  let fn = old_size - 1
  let sn = size - 1
  const rest = [...path]
  while (!even(fn)) {
    fn = half(fn)
    sn = half(sn)
  }
  // A complete old tree is not repeated in the path: its root is the start.
  const start = fn === 0 ? old_root : rest.shift()
  if (!start) return false
  let fr = start
  let sr = start
  for (const node of rest) {
    if (sn === 0) return false
    if (!even(fn) || fn === sn) {
      fr = await node_hash(node, fr)
      sr = await node_hash(node, sr)
      while (even(fn) && fn !== 0) {
        fn = half(fn)
        sn = half(sn)
      }
    } else {
      sr = await node_hash(sr, node)
    }
    fn = half(fn)
    sn = half(sn)
  }
  return sn === 0 && same(fr, old_root) && same(sr, root)
}

export interface Checkpoint {
  origin: string
  size: number
  root: Bytes
  signed: string // the text the signature covers, its last newline included
  signatures: { name: string; key_id: string; signature: Bytes }[]
}

// C2SP tlog-checkpoint in a C2SP signed note.
export function checkpoint_read(note: string): Checkpoint {
  const split = note.indexOf('\n\n')
  if (split < 0) throw new Error('no signature block in the checkpoint')
  const signed = note.slice(0, split + 1)
  const [origin, size, root] = signed.split('\n')
  if (!origin || !size || !/^(0|[1-9]\d*)$/.test(size) || !root) throw new Error('not a checkpoint')
  const signatures = note.slice(split + 2).split('\n').filter(Boolean).map((line) => {
    const match = /^— (\S+) (\S+)$/.exec(line)
    if (!match) throw new Error('not a signature line')
    const bytes = base64_read(match[2]!)
    return { name: match[1]!, key_id: hex_text(bytes.slice(0, 4)), signature: bytes.slice(4) }
  })
  return { origin, size: Number(size), root: base64_read(root), signed, signatures }
}

export interface VerifierKey {
  name: string
  key_id: string
  key: Bytes
}

const kEd25519 = 1

// C2SP verifier key "name+hash+base64(0x01 || key)"; the hash in it is checked.
export async function verifier_key_read(text: string): Promise<VerifierKey> {
  const match = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/.exec(text.trim())
  if (!match) throw new Error('not a verifier key')
  const body = base64_read(match[3]!)
  if (body[0] !== kEd25519 || body.length !== 33) throw new Error('not an Ed25519 key')
  const computed = hex_text((await sha256(joined(utf8(`${match[1]}\n`), body))).slice(0, 4))
  if (computed !== match[2]) throw new Error('the key does not match its own hash')
  return { name: match[1]!, key_id: match[2]!, key: body.slice(1) }
}

export async function checkpoint_signed_by(checkpoint: Checkpoint, key: VerifierKey): Promise<boolean> {
  for (const line of checkpoint.signatures) {
    if (line.name !== key.name || line.key_id !== key.key_id) continue
    if (await ed25519_verify(key.key, line.signature, utf8(checkpoint.signed))) return true
  }
  return false
}
