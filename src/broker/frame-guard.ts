// Counts MQTT packets by their fixed headers, in front of the parser, which would buffer up to 256 MB for one packet.
// It looks at the headers only, so it costs a few operations per packet, whatever the packet's length.

/** @returns a function that follows a connection's bytes, and says false once a packet's length is malformed or over `bytesMax` */
export function createFrameGuard(bytesMax: number): (chunk: Uint8Array) => boolean {
  let body = 0;
  let inLength = false;
  let length = 0;
  let shift = 0;
  return (chunk) => {
    let at = 0;
    while (at < chunk.length) {
      if (body > 0) {
        const taken = Math.min(body, chunk.length - at);
        body -= taken;
        at += taken;
      } else if (!inLength) {
        // The first byte is type and flags: the parser's business.
        at++;
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
          if (length > bytesMax) return false;
        } else if (shift > 21) return false; // at most four bytes [MQTT-2.2.3]
      }
    }
    return true;
  };
}
