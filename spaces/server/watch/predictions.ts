import { randomFillSync } from "node:crypto";

/** What feedback needs to know of an answer: no input, and of the answer only what is counted. */
export type Remembered = {
  slot: number;
  /** Since 1970, in hours. */
  hour: number;
};

const NONCE_BYTES = 6;
const ID =
  /^(?<instance>[0-9a-f]{12})\.(?<sequence>[0-9a-z]{1,10})\.(?<nonce>[0-9a-z]{1,5}-[0-9a-z]{1,5})(?::(?<index>\d{1,6}))?$/;

/** Converting a large number at once takes several times longer than its two halves, which are small ones. */
const textOf = (secret: number): string =>
  `${Math.floor(secret / 2 ** 24).toString(36)}-${(secret % 2 ** 24).toString(36)}`;

/**
 * The last answers of one model, so that true labels can be joined with them. A ring in memory of fixed size: the oldest
 * answers are forgotten, and all of them at a restart.
 *
 * An id names the instance, the position, and 48 random bits, so that nobody can label an answer that he did not get.
 * The rows of a batch share one; the row's position follows after a colon.
 *
 * @param heads answers kept per row: one value and one score each
 */
export function rememberPredictions(instance: string, capacity: number, heads: number) {
  const sequences = new Float64Array(capacity).fill(-1);
  const nonces = new Float64Array(capacity);
  const hours = new Int32Array(capacity);
  const values = new Float64Array(capacity * heads);
  const scores = new Float64Array(capacity * heads);
  const truths = new Float64Array(capacity * heads);
  const events = new Uint32Array(capacity);
  const random = Buffer.alloc(NONCE_BYTES * 1024);
  let used = random.length;
  let next = 0;

  const prefix = `${instance}.`;

  const nonce = (): number => {
    if (used === random.length) {
      randomFillSync(random);
      used = 0;
    }
    const value = random.readUIntBE(used, NONCE_BYTES);
    used += NONCE_BYTES;
    return value;
  };

  return {
    values,
    scores,
    /** NaN where no label has come. */
    truths,
    /** Bits of the events that were counted. */
    events,
    heads,
    /** Takes the next slots for the rows of one request. */
    begin(rows: number, hour: number): { id: string; slotOf: (index: number) => number } {
      const first = next;
      next += rows;
      const secret = nonce();
      // Of a request larger than the ring only the last rows are remembered.
      for (let i = Math.max(0, rows - capacity); i < rows; i++) {
        const slot = (first + i) % capacity;
        sequences[slot] = first + i;
        nonces[slot] = secret;
        hours[slot] = hour;
        events[slot] = 0;
        for (let k = slot * heads; k < (slot + 1) * heads; k++) {
          truths[k] = Number.NaN;
          values[k] = Number.NaN;
        }
      }
      return {
        id: `${prefix}${first.toString(36)}.${textOf(secret)}`,
        slotOf: (index) => (first + index) % capacity,
      };
    },
    /** The answer of an id; null where it is not, or not any more, among the last ones. */
    find(id: string): Remembered | null {
      const parts = ID.exec(id)?.groups;
      if (parts === undefined || parts["instance"] !== instance) return null;
      const sequence = Number.parseInt(parts["sequence"]!, 36) + Number(parts["index"] ?? 0);
      const slot = sequence % capacity;
      return sequences[slot] === sequence && textOf(nonces[slot]!) === parts["nonce"]
        ? { slot, hour: hours[slot]! }
        : null;
    },
  };
}

export type RememberedPredictions = ReturnType<typeof rememberPredictions>;
