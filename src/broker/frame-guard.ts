// Counts MQTT packets by their fixed headers, in front of the parser, which would buffer up to 256 MB for one packet.
// It looks at the headers only, so it costs a few operations per packet, whatever the packet's length.

const PUBLISH = 3;

/**
 * @param firstMax of the first packet: who has not said yet who he is may send no more
 * @returns a function that follows a connection's bytes: how many PUBLISH begin in a chunk, or -1 once a packet's length is malformed or over its bound
 */
export function createFrameGuard(bytesMax: number, firstMax = bytesMax): (chunk: Uint8Array) => number {
  let most = Math.min(bytesMax, firstMax);
  let body = 0;
  let inLength = false;
  let length = 0;
  let shift = 0;
  return (chunk) => {
    let at = 0;
    let published = 0;
    while (at < chunk.length) {
      if (body > 0) {
        const taken = Math.min(body, chunk.length - at);
        body -= taken;
        at += taken;
      } else if (!inLength) {
        // The first byte is type and flags: otherwise the parser's business.
        if ((chunk[at++] as number) >> 4 === PUBLISH) published++;
        inLength = true;
        length = 0;
        shift = 0;
      } else {
        const byte = chunk[at++] as number;
        length |= (byte & 0x7f) << shift;
        shift += 7;
        if (byte < 0x80) {
          inLength = false;
          body = length;
          if (length > most) return -1;
          most = bytesMax;
        } else if (shift > 21) return -1; // at most four bytes [MQTT-2.2.3]
      }
    }
    return published;
  };
}
