// Checks evidence exactly as kernel/record/proof_json.hpp describes it, with WebCrypto alone: runs in a browser and in node.
// checkProof(proof) and checkCheckpoint(answer) return what was shown, or throw an Error that names the step that failed.

const bytesOfHex = (text) => {
  if (!/^([0-9a-f]{2})*$/.test(text)) throw new Error('not hex');
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
};
const bytesOfBase64 = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
const hexOf = (bytes) => Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');
const base64Of = (bytes) => btoa(String.fromCharCode(...bytes));
const join = (...parts) => {
  const all = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
};
const sha256 = async (...parts) => new Uint8Array(await crypto.subtle.digest('SHA-256', join(...parts)));
const utf8 = (text) => new TextEncoder().encode(text);
const must = (holds, step) => {
  if (!holds) throw new Error(step);
};
const one = Uint8Array.of(1);
const zero = Uint8Array.of(0);

// Steps 1 and 2. `answer` has checkpoint, public_key, ed25519.
export async function checkCheckpoint(answer) {
  const blank = answer.checkpoint.indexOf('\n\n');
  must(blank > 0, 'checkpoint: no blank line');
  const signed = answer.checkpoint.slice(0, blank + 1);
  const [origin, size, root] = signed.split('\n');
  must(/^(0|[1-9][0-9]*)$/.test(size), 'checkpoint: size');
  const key = bytesOfHex(answer.ed25519);
  must(key.length === 32, 'checkpoint: key');
  const keyId = (await sha256(utf8(origin), Uint8Array.of(0x0a, 1), key)).slice(0, 4);
  must(answer.public_key === `${origin}+${hexOf(keyId)}+${base64Of(join(one, key))}`, 'checkpoint: verifier key');
  const prefix = `\u2014 ${origin} `;
  const line = answer.checkpoint.slice(blank + 2).split('\n').find((text) => text.startsWith(prefix));
  must(line !== undefined, 'checkpoint: no signature by this key');
  const signature = bytesOfBase64(line.slice(prefix.length));
  must(signature.length === 68 && hexOf(signature.slice(0, 4)) === hexOf(keyId), 'checkpoint: key id');
  const publicKey = await crypto.subtle.importKey('raw', key, { name: 'Ed25519' }, false, ['verify']);
  const holds = await crypto.subtle.verify({ name: 'Ed25519' }, publicKey, signature.slice(4), utf8(signed));
  must(holds, 'checkpoint: signature');
  return { origin, size: BigInt(size), root: bytesOfBase64(root) };
}

const bits = (number) => (number === 0n ? 0 : number.toString(2).length);
const ones = (number) => number.toString(2).replaceAll('0', '').length;

export async function checkProof(proof) {
  const checkpoint = await checkCheckpoint(proof);
  const seq = BigInt(proof.seq);
  const size = BigInt(proof.size);
  must(checkpoint.size === size && seq < size, 'proof: size');
  must(proof.id === `${checkpoint.origin}/${seq}`, 'proof: id');
  let hash = bytesOfHex(proof.leaf_hash);
  if (proof.leaf !== undefined) {
    const leaf = bytesOfBase64(proof.leaf);
    must(hexOf(await sha256(zero, leaf)) === proof.leaf_hash, 'leaf: hash');
    must(new DataView(leaf.buffer).getBigUint64(1) === seq, 'leaf: seq');
    if (proof.body !== undefined) {
      const digest = await sha256(bytesOfBase64(proof.salt), bytesOfBase64(proof.body));
      must(hexOf(digest) === hexOf(leaf.slice(25, 57)), 'body: digest');
    }
  }
  const inner = bits(seq ^ (size - 1n));
  must(proof.path.length === inner + ones(seq >> BigInt(inner)), 'path: length');
  for (const [i, text] of proof.path.entries()) {
    const sibling = bytesOfHex(text);
    must(sibling.length === 32, 'path: hash');
    const isRight = i >= inner || ((seq >> BigInt(i)) & 1n) === 1n;
    hash = isRight ? await sha256(one, sibling, hash) : await sha256(one, hash, sibling);
  }
  must(hexOf(hash) === hexOf(checkpoint.root), 'path: root');
  return { checkpoint, leafHash: proof.leaf_hash, seen: proof.body !== undefined ? 'whole' : proof.leaf !== undefined ? 'header' : 'hash' };
}

// node proof_check.mjs FILE…: one JSON proof a file; prints what it shows or the step that failed, exit 1 then.
if (typeof process !== 'undefined' && process.argv[1] && import.meta.url.endsWith(process.argv[1].split('/').pop())) {
  const { readFile } = await import('node:fs/promises');
  for (const file of process.argv.slice(2)) {
    try {
      const shown = await checkProof(JSON.parse(await readFile(file, 'utf8')));
      console.log(`holds ${shown.seen}`);
    } catch (error) {
      console.log(`refused ${error.message}`);
      process.exitCode = 1;
    }
  }
}
