import { readFile } from "node:fs/promises";
import { writeFileAtomic } from "../../models/core/atomic-write.ts";
import {
  readRolloutNote,
  ROLLOUT_TASK,
  rolloutEnvironment,
  rolloutRef,
  writeRolloutNote,
  type RolloutNote,
} from "../../github/registry/rollout.ts";
import { mayHaveHappened } from "../hub/http.ts";
import type { GitHubRecords, StatusWanted } from "./github-records.ts";

/** Where a controller keeps what it knows of a roll-out. */
export type RolloutNotes = {
  read(): Promise<RolloutNote | null>;
  write(note: RolloutNote): Promise<void>;
  /** The roll-out's GitHub Deployment; null where there is no GitHub. */
  open(note: RolloutNote): Promise<number | null>;
  status(deployment: number, status: Omit<StatusWanted, "logUrl">): Promise<void>;
};

/** @param commit any commit of the repository for the note's tag; the candidate's own where it is known */
export function notesOnGitHub(
  github: GitHubRecords,
  environment: string,
  commit: string,
  logUrl: string | null,
): RolloutNotes {
  const ref = rolloutRef(environment);
  return {
    async read() {
      const found = await github.confirmedRef(ref);
      return found === null ? null : readRolloutNote((await github.tagObject(found.sha)).message);
    },
    async write(note) {
      const tag = await github.createTagObject(`sluice-rollout-${environment}`, writeRolloutNote(note), commit);
      if (!(await github.createRef(ref, tag))) await github.moveRef(ref, tag);
    },
    async open({ rollout, model, candidate, baseline, space }) {
      const shown = rolloutEnvironment(environment);
      const payload = { schemaVersion: 1, rollout, model, version: candidate, baseline, space };
      const find = async () =>
        (await github.deployments({ task: ROLLOUT_TASK, environment: shown }, 30)).find(
          (one) => (asObject(one.payload)["rollout"] as unknown) === rollout,
        )?.id ?? null;
      const there = await find();
      if (there !== null) return there;
      try {
        return await github.createDeployment({
          ref: commit,
          environment: shown,
          task: ROLLOUT_TASK,
          description: `${model} ${candidate} beside ${baseline}`,
          payload,
          production: false,
        });
      } catch (error) {
        if (!mayHaveHappened(error)) throw error;
        await github.pause(1);
        return find();
      }
    },
    status: (deployment, status) => github.addStatus(deployment, { ...status, logUrl }),
  };
}

/** GitHub returns a payload in the form in which it was sent. */
function asObject(payload: unknown): Record<string, unknown> {
  try {
    const value: unknown = typeof payload === "string" ? JSON.parse(payload) : payload;
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** The same in a file, for one who works without GitHub. */
export function notesInFile(file: string): RolloutNotes {
  return {
    read: async () => readRolloutNote(await readFile(file, "utf8").catch(() => "")),
    write: (note) => writeFileAtomic(file, `${writeRolloutNote(note)}\n`),
    open: () => Promise.resolve(null),
    status: () => Promise.resolve(),
  };
}
