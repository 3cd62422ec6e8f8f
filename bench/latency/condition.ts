import { fork } from "node:child_process";

export type Condition = "quiet" | "busy";

/** Puts the machine into a condition; the returned function ends it. */
export function setCondition(condition: string): () => void {
  if (condition === "quiet") return () => {};
  if (condition !== "busy") throw new Error(`--condition is quiet or busy, not ${condition}`);
  const neighbour = fork(new URL("./neighbour.ts", import.meta.url), [], { execArgv: [] });
  return () => neighbour.kill();
}
