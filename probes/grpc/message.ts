/** The two messages of grpc.health.v1.Health/Check. By hand: they have one field each. */

/** HealthCheckRequest { string service = 1 }; proto3 leaves an empty string out. Framed for gRPC. */
export function encodeRequest(service: string): Buffer {
  const name = Buffer.from(service, 'utf8');
  return frame(name.length === 0 ? name : Buffer.concat([Buffer.from([0x0a]), varint(name.length), name]));
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return Buffer.from([...bytes, rest]);
}

/** Length-prefixed message: one byte of flags (not compressed), four of length. */
function frame(message: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** How long the message is that begins here, by its own head, with that; 0 where no head of one is there. */
export function announced(data: Buffer): number {
  return data.length < 5 || data[0]! > 1 ? 0 : 5 + data.readUInt32BE(1);
}

/** The serving status of exactly one uncompressed message, or undefined where it is anything else. */
export function decodeResponse(data: Buffer): number | undefined {
  if (data.length < 5 || data[0] !== 0 || announced(data) !== data.length) return undefined;
  let status = 0;
  let at = 5;
  function readVarint(): number | undefined {
    let value = 0;
    for (let shift = 0; shift < 64; shift += 7) {
      const byte = data[at++];
      if (byte === undefined) return undefined;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    return undefined;
  }
  while (at < data.length) {
    const tag = readVarint();
    // No field has the number 0.
    if (tag === undefined || tag >>> 3 === 0) return undefined;
    const value = readVarint();
    if (value === undefined) return undefined;
    // Wire types: 0 is a varint, 2 a length and that many bytes; others do not occur here.
    if ((tag & 7) === 2) at += value;
    else if ((tag & 7) !== 0) return undefined;
    else if (tag >>> 3 === 1) status = value;
  }
  return at === data.length ? status : undefined;
}
