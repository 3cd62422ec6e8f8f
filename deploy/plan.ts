import type { Diagnostic } from "../models/core/errors.ts";
import { releaseTag } from "../github/registry/release.ts";
import { DEPLOYED_FILE, type Deployed } from "./bundle/deployed.ts";
import type { TreeFile } from "./bundle/tree.ts";
import { changesTo, type Changes } from "./content.ts";
import type { RemoteFile, RepositoryInfo } from "./hub/repository.ts";
import type { Runtime } from "./hub/space.ts";
import type { Settings } from "./hub/settings.ts";
import type { Verified } from "./record/deployments.ts";
import type { Released } from "./record/release.ts";
import { weightsRefusals, type WeightsState } from "./weights.ts";

export type CurrentState = {
  space: string;
  info: RepositoryInfo;
  runtime: Runtime;
  files: RemoteFile[];
  /** Proved revisions, newest first. */
  verified: readonly Verified[];
  /** What is known of the wanted version's release; null if it was never released. */
  released: Released | null;
};

/** `weights`: the state of weights that are too large for the Space, so that the tree only refers to them. */
export type Wanted = { files: TreeFile[]; deployed: Deployed; weights?: WeightsState | null };

export type Step =
  | { kind: "commit"; parent: string; changes: Changes; bytes: number }
  | { kind: "publish"; weights: WeightsState }
  | { kind: "unchanged"; commit: string }
  | { kind: "wake"; stage: string }
  | { kind: "wait" }
  | { kind: "prove" }
  | { kind: "fall-back"; to: Verified | null; why: string }
  | { kind: "record"; tag: string | null };

const planHint =
  "A Docker Space needs an owner with a PRO, Team or Enterprise plan (since July 2026), even on cpu-basic: subscribe, or move the Space to an organisation that has one.";

/** What a 402 from the Hub means, for any request. */
export const paymentDiagnostic = (space: string): Diagnostic => ({
  code: "space-plan",
  place: `spaces/${space}`,
  problem: "the Hub asks for a paid plan (402)",
  expected: "an owner whose plan includes Docker Spaces",
  hint: planHint,
});

export const missingDiagnostic = (space: string): Diagnostic => ({
  code: "space-missing",
  place: `spaces/${space}`,
  problem: "there is no such Space, or this token may not see it",
  expected: "a Docker Space that exists: deploying never creates one",
  hint: `create it once at https://huggingface.co/new-space (SDK: Docker). ${planHint}`,
});

/** Every reason not to start, all at once; empty if there is none. Pure. */
export function refusals(current: CurrentState, wanted: Wanted, settings: Settings): Diagnostic[] {
  const { space, info, runtime } = current;
  const place = `spaces/${space}`;
  const found: Diagnostic[] = [];
  if (info.sdk !== "docker")
    found.push({
      code: "space-sdk",
      place,
      problem: "not a Docker Space",
      expected: "sdk: docker",
      received: info.sdk ?? "none",
      hint: "a Space's SDK stands in its README's front matter; make a Docker Space for the model",
    });
  if (info.disabled)
    found.push({
      code: "space-disabled",
      place,
      problem: "the Hub has disabled the Space",
      expected: "a Space that runs",
      hint: "its page on the Hub says why",
    });
  if (runtime.stage === "PAUSED")
    found.push({
      code: "space-paused",
      place,
      problem: "the Space is paused",
      expected: "a Space that may run",
      received: "PAUSED",
      hint: "only its owner can unpause it: Settings → Restart this Space",
    });
  if (runtime.stage === "DELETING")
    found.push({
      code: "space-deleting",
      place,
      problem: "the Space is being deleted",
      expected: "a Space that stays",
    });
  const bytes = wanted.files.reduce((sum, { size }) => sum + size, 0);
  if (bytes > settings["max-space-bytes"]) {
    const largest = wanted.files.toSorted((a, b) => b.size - a.size)[0]!;
    found.push({
      code: "space-size",
      place,
      problem: "the tree is too large for a Space's repository",
      expected: `at most ${settings["max-space-bytes"]} bytes`,
      received: `${bytes} bytes; the largest is ${largest.path} with ${largest.size}`,
      hint: "with the setting max-weights-bytes below the weights' size they go to a model repository instead; the server fetches and verifies them at its start",
    });
  }
  if (wanted.weights != null) found.push(...weightsRefusals(wanted.weights, space));
  if (current.released !== null) found.push(...releaseRefusals(current.released, wanted.deployed));
  return found;
}

/** Why a version may not be deployed under its name: it was released as something else. */
function releaseRefusals(
  { tagged, madeFor, sha256, source }: Released,
  { model, source: from }: Deployed,
): Diagnostic[] {
  const place = releaseTag(model.id, model.version);
  const found: Diagnostic[] = [];
  if (sha256 !== null && sha256 !== model.sha256)
    found.push({
      code: "version-taken",
      place,
      problem: `this version was released with other weights, says ${source}`,
      expected: `sha256 ${sha256}`,
      received: `sha256 ${model.sha256}`,
      hint: "raise `version` in model.yaml",
    });
  const restore = `git push --force origin ${madeFor[0] ?? "COMMIT"}:refs/tags/${place}`;
  if (tagged !== null && madeFor.length > 0 && !madeFor.includes(tagged))
    found.push({
      code: "tag-moved",
      place,
      problem: `the release tag was moved since the version was released, says ${source}`,
      expected: `a tag at commit ${madeFor.join(" or ")}`,
      received: `a tag at commit ${tagged}`,
      hint: `find out who moved it; then raise \`version\` in model.yaml, or put it back: ${restore}`,
    });
  if (tagged !== null && madeFor.length === 0 && sha256 === null && tagged !== from.commit)
    found.push({
      code: "tag-foreign",
      place,
      problem: "a tag of this name points at another commit, and it carries no receipt",
      expected: `no such tag, or one at commit ${from.commit ?? "unknown"}`,
      received: `a tag at commit ${tagged}`,
      hint: `raise \`version\` in model.yaml, or remove it: git push origin :refs/tags/${place}`,
    });
  return found;
}

/**
 * The steps from the current to the wanted state. Pure: the same state gives the same plan, which `--dry-run` prints.
 */
export function plan(current: CurrentState, wanted: Wanted): Step[] {
  const changes = changesTo(wanted.files, current.files);
  const changed = changes.upload.length + changes.remove.length > 0;
  const steps: Step[] = wanted.weights != null ? [{ kind: "publish", weights: wanted.weights }] : [];
  steps.push(
    changed
      ? {
          kind: "commit",
          parent: current.info.head,
          changes,
          bytes: changes.upload.reduce((sum, { size }) => sum + size, 0),
        }
      : { kind: "unchanged", commit: current.info.head },
  );
  if (current.runtime.stage === "SLEEPING" || current.runtime.stage === "STOPPED")
    steps.push({ kind: "wake", stage: current.runtime.stage });
  steps.push({ kind: "wait" }, { kind: "prove" }, fallBack(current, changed));
  const { id, version } = wanted.deployed.model;
  steps.push({ kind: "record", tag: current.released?.tagged == null ? releaseTag(id, version) : null });
  return steps;
}

/** Which revision to go back to if the wanted tree cannot be proved. */
function fallBack({ info, verified }: CurrentState, changed: boolean): Step {
  // HEAD was proved before and is not changed now. If it fails, the content is not the cause, and an older version
  // would not help.
  if (!changed && verified.some(({ commit }) => commit === info.head))
    return { kind: "fall-back", to: null, why: "nothing was changed, and this very revision was proved before" };
  const to = verified.find(({ commit }) => commit !== info.head || changed) ?? null;
  if (to !== null) return { kind: "fall-back", to, why: `proved before: ${to.source}` };
  return { kind: "fall-back", to: null, why: "no earlier revision of this Space is known to have been proved" };
}

/** A plan as lines for people. */
export function describePlan(space: string, steps: readonly Step[], wanted: Wanted): string[] {
  const { model, source } = wanted.deployed;
  const kib = (bytes: number) =>
    bytes >= 1_048_576 ? `${(bytes / 1_048_576).toFixed(1)} MiB` : `${(bytes / 1024).toFixed(1)} KiB`;
  const lines = [
    `${model.id} ${model.version} (sha256 ${model.sha256.slice(0, 12)}…, commit ${source.commit?.slice(0, 7) ?? "unknown"}) → ${space}`,
  ];
  for (const step of steps) {
    switch (step.kind) {
      case "publish": {
        const { repository, revision, bytes } = step.weights;
        lines.push(
          revision === null
            ? `first commit the weights (${kib(bytes)}) to the model repository ${repository}`
            : `the weights (${kib(bytes)}) are in the model repository ${repository} at ${revision.slice(0, 7)}`,
        );
        break;
      }
      case "commit":
        lines.push(
          `commit once on top of ${step.parent.slice(0, 7)}: ${step.changes.upload.length} files (${kib(step.bytes)}), ${step.changes.remove.length} removed, ${step.changes.kept} unchanged`,
        );
        for (const { path, size } of step.changes.upload) lines.push(`  + ${path}  ${kib(size)}`);
        for (const path of step.changes.remove) lines.push(`  - ${path}`);
        break;
      case "unchanged":
        lines.push(`no commit: ${step.commit.slice(0, 7)} already holds exactly this tree`);
        break;
      case "wake":
        lines.push(`wake the Space, which is ${step.stage.toLowerCase()}`);
        break;
      case "wait":
        lines.push("wait until the Space runs that very revision");
        break;
      case "prove":
        lines.push("prove it: readiness, weights, source commit, golden answers, latency");
        break;
      case "fall-back":
        lines.push(
          step.to === null
            ? `if that fails: nothing to go back to, ${step.why}`
            : `if that fails: restore ${step.to.model} ${step.to.version} (${step.to.commit.slice(0, 7)}), ${step.why}`,
        );
        break;
      case "record":
        lines.push(step.tag === null ? "record the deployment" : `record the deployment and tag ${step.tag}`);
        break;
    }
  }
  return lines;
}

/** Whether a revision's files include deployment.json. */
export function hasRecord(files: readonly RemoteFile[]): boolean {
  return files.some(({ path }) => path === DEPLOYED_FILE);
}
