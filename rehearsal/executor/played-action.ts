import type { Platform, RunRecord } from "./platform.ts";
import type { ArtifactStore } from "./artifacts.ts";
import type { Runner } from "./runner.ts";

/** The input of one of GitHub's own actions, which the rehearsal implements itself. */
export type ActionCall = {
  /** Including defaults. */
  inputs: Readonly<Record<string, string>>;
  /** The environment that a process of the step would get. */
  env: Readonly<Record<string, string>>;
  workspace: string;
  platform: Platform;
  runner: Runner;
  run: RunRecord;
  /** github.repository, github.sha, github.ref, github.event_name and github.event. */
  repository: string;
  sha: string;
  ref: string;
  eventName: string;
  event: Readonly<Record<string, unknown>>;
  artifacts: ArtifactStore;
  findRun: (id: number) => RunRecord | undefined;
  /** What a token may do; undefined if the token belongs to no running job. */
  permissionsOf: (token: string) => Readonly<Record<string, string>> | undefined;
  log: (line: string) => void;
  warn: (message: string) => void;
  output: (name: string, value: string) => void;
  addPath: (path: string) => void;
  mask: (value: string) => void;
};

export type PlayedAction = {
  /** Every input that the real action has, with its default. */
  inputs: Readonly<Record<string, string>>;
  /** @throws Error with the message that fails the step */
  run: (call: ActionCall) => Promise<void>;
};

export const isTrue = (call: ActionCall, name: string): boolean => {
  const value = call.inputs[name] ?? "";
  if (/^(true|True|TRUE)$/.test(value)) return true;
  if (/^(false|False|FALSE|)$/.test(value)) return false;
  throw new Error(`Input does not meet YAML 1.2 "Core Schema" specification: ${name}`);
};

/** For inputs that are not implemented: any value but the default is an error instead of being ignored. */
export function refuse(call: ActionCall, action: PlayedAction, names: readonly string[]): void {
  for (const name of names)
    if (call.inputs[name] !== action.inputs[name])
      throw new Error(
        `the rehearsal does not play the input ${name}: expected '${action.inputs[name] ?? ""}', received '${call.inputs[name] ?? ""}'`,
      );
}
