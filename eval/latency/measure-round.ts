import type { RandomStream } from "../stats/random.ts";
import type { ModelProcess } from "./model-process.ts";
import { onSameProcessors } from "./processors.ts";
import { quantile } from "./quantile.ts";
import { arms, type Arm, type Block, type MeasuredRound } from "./rounds.ts";
import { blockOrder, type RoundShape } from "./schedule.ts";

/**
 * One round with processes that are already warm: `shape.blocks` blocks of eight turns, one process at a time,
 * all of them on the same processors where the system can do that.
 * All turns of a block predict the same rows, so that long and short texts cannot favour anyone.
 */
export async function measureRound(
  processes: Record<Arm, ModelProcess>,
  shape: RoundShape,
  batch: number,
  index: number,
  random: RandomStream,
): Promise<MeasuredRound> {
  const durations: Record<Arm, Float64Array[]> = { baseline: [], baselineTwin: [], candidate: [], candidateTwin: [] };
  const blocks: Block[] = [];
  const sameProcessors = await onSameProcessors(
    arms.map((arm) => ({ pid: processes[arm].pid, threads: processes[arm].opened.threads })),
    index,
  );
  // After four warm-ups side by side, one short turn each alone, so that the first block is like the others.
  for (const arm of arms) await processes[arm].turn({ start: 0, batch, lead: 0, count: shape.lead + 1 });
  for (let i = 0; i < shape.blocks; i++) {
    const medians: Record<Arm, number[]> = { baseline: [], baselineTwin: [], candidate: [], candidateTwin: [] };
    const start = (index * shape.blocks + i) * shape.calls;
    for (const arm of blockOrder(random)) {
      const { durationsMs } = await processes[arm].turn({ start, batch, lead: shape.lead, count: shape.calls });
      medians[arm].push(quantile(durationsMs, 0.5));
      durations[arm].push(durationsMs);
    }
    blocks.push(medians as unknown as Block);
  }
  return {
    sameProcessors,
    blocks,
    queriesMs: {
      baseline: joined(durations.baseline),
      baselineTwin: joined(durations.baselineTwin),
      candidate: joined(durations.candidate),
      candidateTwin: joined(durations.candidateTwin),
    },
  };
}

function joined(parts: readonly Float64Array[]): Float64Array {
  const all = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
