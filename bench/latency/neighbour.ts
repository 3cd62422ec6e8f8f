/**
 * A busy neighbour: one process that works through memory without a pause, until its parent exits or it is killed.
 * record-trace.ts and live.ts start it with `--condition busy`.
 */
const memory = new Float64Array(1 << 22);
let i = 1;

process.on("disconnect", () => process.exit(0));
setInterval(() => {
  const until = Date.now() + 200;
  while (Date.now() < until) {
    for (let k = 0; k < 100_000; k++) {
      i = (Math.imul(i, 1_103_515_245) + 12_345) & (memory.length - 1);
      memory[i] = (memory[i] as number) + k;
    }
  }
}, 0);
