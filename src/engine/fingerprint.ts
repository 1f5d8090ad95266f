// FNV-1a, the hash of Alertmanager's fingerprints: stable names for alerts and notifications without a library.
// Source: Fowler, Noll, Vo, RFC 9923.

const OFFSET = 0xcbf29ce484222325n;
const PRIME = 0x100000001b3n;
const MASK = 0xffffffffffffffffn;

/** @returns 16 hex digits of the 64-bit FNV-1a of the text's UTF-16 code units, low byte first */
export function fingerprint(text: string): string {
  let hash = OFFSET;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    hash = ((hash ^ BigInt(unit & 0xff)) * PRIME) & MASK;
    hash = ((hash ^ BigInt(unit >>> 8)) * PRIME) & MASK;
  }
  return hash.toString(16).padStart(16, "0");
}
