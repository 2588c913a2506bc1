// @vitest-environment node
import { describe, expect, it } from 'vitest'
import { base64_text, hex_text, joined, leaf_hash, sha256, utf8, type Bytes } from './merkle'
import { body_check, leaf_check, proof_of } from './proof'

// A leaf as the record writes it (kernel/record/leaf.hpp): version, sequence number at 1, body digest at 25.
async function answer(seq: number, body = 'about one person') {
  const salt = utf8('sixteen bytes ..')
  const leaf: Bytes = new Uint8Array(89)
  leaf[0] = 1
  new DataView(leaf.buffer).setBigUint64(1, BigInt(seq))
  leaf.set(await sha256(joined(salt, utf8(body))), 25)
  return {
    seq, size: 8, leaf_hash: hex_text(await leaf_hash(leaf)), path: ['ab'.repeat(32)], checkpoint: 'note',
    leaf: base64_text(leaf), body: base64_text(utf8(body)), salt: base64_text(salt), entry: { kind: 'query' },
  }
}

describe('the evidence of a record', () => {
  it('holds for what the record wrote', async () => {
    const proof = proof_of(await answer(7))
    expect(await leaf_check(proof)).toBe(true)
    expect(await body_check(proof)).toBe(true)
    expect(proof.entry).toEqual({ kind: 'query' })
  })
  it('fails for another number, another leaf, another body', async () => {
    const good = await answer(7)
    expect(await leaf_check(proof_of({ ...good, seq: 6 }))).toBe(false)
    expect(await leaf_check(proof_of({ ...good, leaf: (await answer(6)).leaf }))).toBe(false)
    expect(await body_check(proof_of({ ...good, body: base64_text(utf8('about another')) }))).toBe(false)
  })
  it('takes a proof without the parts one may not see, and none that lacks the others', async () => {
    const { leaf: _leaf, body: _body, salt: _salt, entry: _entry, ...hash_only } = await answer(7)
    expect(proof_of(hash_only)).toMatchObject({ leaf: null, body: null, entry: null })
    for (const part of ['seq', 'size', 'leaf_hash', 'path', 'checkpoint']) {
      expect(() => proof_of({ ...hash_only, [part]: undefined }), part).toThrow()
    }
    expect(() => proof_of({ ...hash_only, leaf_hash: 'abcd' })).toThrow()
  })
})
