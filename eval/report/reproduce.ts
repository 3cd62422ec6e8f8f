import type { ModelVerdict, VerdictFile } from "../schema/verdict.ts";

const plainWord = /^[\w][\w./@~^-]{0,199}$/;

/**
 * The shell commands that repeat this judgement on a laptop. Anything that is not a plain word (a hostile model id) is
 * left out, not quoted, because readers paste these lines into a shell.
 */
export function reproduceCommands(verdict: VerdictFile): string[] {
  const gates = verdict.models
    .filter(({ model }) => plainWord.test(model.id))
    .map((one) => `npx sluice gate ${one.model.id}${baselineFlag(one)}`);
  if (gates.length === 0) return [];
  const checkout = verdict.commit !== null && plainWord.test(verdict.commit) ? [`git checkout ${verdict.commit}`] : [];
  return [...checkout, ...gates];
}

function baselineFlag(verdict: ModelVerdict): string {
  if (verdict.baseline === null) return verdict.baselineSource.startsWith("none") ? " --baseline none" : "";
  const commit = /\b[0-9a-f]{7,40}\b/.exec(verdict.baselineSource)?.[0];
  return commit === undefined ? "" : ` --baseline ${commit}`;
}
