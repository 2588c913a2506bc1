// @vitest-environment node
import { generateKeyPairSync, sign } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import {
  base64_text, checkpoint_read, checkpoint_signed_by, consistency_holds, hex_read, hex_text, inclusion_steps, joined,
  leaf_hash, node_hash, sha256, utf8, verifier_key_read, type Bytes,
} from './merkle'

// The eight leaves and the roots of the reference log that RFC 6962 implementations share.
const leaves = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'].map(hex_read)
const roots: Record<number, string> = {
  1: '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  2: 'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  3: 'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  4: 'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  5: '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  6: '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  7: 'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  8: '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
}

const split_of = (n: number) => {
  let k = 1
  while (k * 2 < n) k *= 2
  return k
}
async function root_of(part: Bytes[]): Promise<Bytes> {
  if (part.length === 0) return sha256(new Uint8Array())
  if (part.length === 1) return leaf_hash(part[0]!)
  const k = split_of(part.length)
  return node_hash(await root_of(part.slice(0, k)), await root_of(part.slice(k)))
}
async function path_of(m: number, part: Bytes[]): Promise<Bytes[]> {
  if (part.length === 1) return []
  const k = split_of(part.length)
  return m < k
    ? [...(await path_of(m, part.slice(0, k))), await root_of(part.slice(k))]
    : [...(await path_of(m - k, part.slice(k))), await root_of(part.slice(0, k))]
}
async function subproof(m: number, part: Bytes[], complete: boolean): Promise<Bytes[]> {
  if (m === part.length) return complete ? [] : [await root_of(part)]
  const k = split_of(part.length)
  return m <= k
    ? [...(await subproof(m, part.slice(0, k), complete)), await root_of(part.slice(k))]
    : [...(await subproof(m - k, part.slice(k), false)), await root_of(part.slice(0, k))]
}

const flip = (bytes: Bytes): Bytes => bytes.map((byte, i) => (i === 0 ? byte ^ 1 : byte)) as Bytes

describe('RFC 6962 tree', () => {
  it('hashes the reference leaves to the reference roots', async () => {
    for (const [size, root] of Object.entries(roots)) {
      expect(hex_text(await root_of(leaves.slice(0, Number(size))))).toBe(root)
    }
  })
  it('accepts every inclusion proof of every size and leads to the reference root', async () => {
    for (let size = 1; size <= 8; ++size) {
      for (let seq = 0; seq < size; ++seq) {
        const steps = await inclusion_steps(seq, size, await leaf_hash(leaves[seq]!), await path_of(seq, leaves.slice(0, size)))
        const reached = steps!.at(-1)?.result ?? (await leaf_hash(leaves[seq]!))
        expect(hex_text(reached)).toBe(roots[size])
      }
    }
  })
  it('refuses a path that is too short, too long, or for another place', async () => {
    const hash = await leaf_hash(leaves[2]!)
    const path = await path_of(2, leaves)
    expect(await inclusion_steps(2, 8, hash, path.slice(1))).toBeNull()
    expect(await inclusion_steps(2, 8, hash, [...path, hash])).toBeNull()
    expect(await inclusion_steps(8, 8, hash, path)).toBeNull()
    const elsewhere = await inclusion_steps(3, 8, hash, path)
    expect(hex_text(elsewhere!.at(-1)!.result)).not.toBe(roots[8])
  })
  it('accepts every consistency proof and refuses a changed one', async () => {
    for (let size = 1; size <= 8; ++size) {
      for (let old = 1; old <= size; ++old) {
        const proof = await subproof(old, leaves.slice(0, size), true)
        const old_root = hex_read(roots[old]!)
        const root = hex_read(roots[size]!)
        expect(await consistency_holds(old, old_root, size, root, proof)).toBe(true)
        expect(await consistency_holds(old, flip(old_root), size, root, proof)).toBe(false)
        expect(await consistency_holds(old, old_root, size, flip(root), proof)).toBe(false)
        if (proof.length) expect(await consistency_holds(old, old_root, size, root, proof.slice(1))).toBe(false)
      }
    }
    expect(await consistency_holds(8, hex_read(roots[8]!), 4, hex_read(roots[4]!), [])).toBe(false)
  })
})

describe('checkpoint', () => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const raw: Bytes = new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }).subarray(-32))

  async function made(text: string, name = 'school.example/record') {
    const body = joined(new Uint8Array([1]), raw)
    const id = (await sha256(joined(utf8(`${name}\n`), body))).slice(0, 4)
    const line = base64_text(joined(id, new Uint8Array(sign(null, utf8(text), privateKey))))
    return { key: `${name}+${hex_text(id)}+${base64_text(body)}`, note: `${text}\n— ${name} ${line}\n` }
  }

  it('reads origin, size and root and checks the signature', async () => {
    const { key, note } = await made(`school.example/record\n8\n${base64_text(hex_read(roots[8]!))}\n`)
    const checkpoint = checkpoint_read(note)
    expect([checkpoint.origin, checkpoint.size, hex_text(checkpoint.root)]).toEqual(['school.example/record', 8, roots[8]])
    expect(await checkpoint_signed_by(checkpoint, await verifier_key_read(key))).toBe(true)
  })
  it('refuses another size under the same signature, and a key that is not itself', async () => {
    const { key, note } = await made(`school.example/record\n8\n${base64_text(hex_read(roots[8]!))}\n`)
    const forged = checkpoint_read(note.replace('\n8\n', '\n9\n'))
    expect(await checkpoint_signed_by(forged, await verifier_key_read(key))).toBe(false)
    await expect(verifier_key_read(key.replace('school', 'scholl'))).rejects.toThrow()
    expect(() => checkpoint_read('no note')).toThrow()
  })
})
