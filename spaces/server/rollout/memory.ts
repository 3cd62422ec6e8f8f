import { totalmem } from "node:os";

/** What a model takes beside its weights: the runtime's arenas and a worker. */
const OVERHEAD_BYTES = 64 * 1024 * 1024;
/** Of the weights in the file: a copy in the runtime, and one while it is opened. */
const COPIES = 2;

/** What the machine gives to this process. */
export function machineBytes(): number {
  const constrained = process.constrainedMemory();
  return constrained > 0 && constrained < totalmem() ? constrained : totalmem();
}

/**
 * Why a second model may not be loaded; null where it may.
 *
 * @param residentBytes of the process now
 */
export function whyNoRoom(modelBytes: number, residentBytes: number, boundBytes: number): string | null {
  const needed = COPIES * modelBytes + OVERHEAD_BYTES;
  if (residentBytes + needed <= boundBytes) return null;
  const mib = (bytes: number): string => `${Math.ceil(bytes / 1_048_576)} MiB`;
  return `the candidate needs about ${mib(needed)} beside the ${mib(residentBytes)} in use, more than the bound of ${mib(boundBytes)} (rollout.memoryMb)`;
}
