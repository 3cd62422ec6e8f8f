import { readFileSync } from "node:fs";
import { join } from "node:path";
import { folder, root, sha256, type Files } from "./repository.ts";

/** What a change of the manifest's text makes of the model. */
type Change = { from: RegExp; to: string };

/**
 * A system of this repository as a team has it: its own manifest, weights and data. The version in production/ is the
 * team's first, the one beside it the improved one. Stories know of it what stands here, and nothing else.
 */
export type System = {
  id: string;
  /** Its data as the team keeps it: fewer rows than the original where those decide the same. */
  data: () => Files;
  /** Where the manifest finds them, and anything else that differs in a repository that reaches no registry. */
  adapt: (manifest: string) => string;
  /** Spoils how a row is read, by an amount that the rows show. */
  worse: Change;
  /** Changes how a row is read, by next to nothing; `no` tells such changes apart. */
  slight: (no: number) => Change;
  /** Folders of models that are deployed along. */
  companions: readonly string[];
  /** What its deployed Space must do besides being proved. @returns one line for whoever watches */
  serves: (url: string) => Promise<string>;
};

const isData = (name: string) => /^(train|data|production|README|\.gitignore)/.test(name);

/** Files of a system's model in one of its two own versions, under any version number, read as `change` says. */
function modelFiles({ id, adapt }: System, { first, version, change }: { first: boolean; version: string; change?: Change }): Files {
  const at = `models/${id}`;
  const own = folder(at, at, (name) => !isData(name));
  const released = first ? folder(`${at}/production`, at, (name) => name !== "receipt.json" && name !== "model.yaml") : {};
  const files: Files = { ...own, ...released };
  const weights = files[`${at}/model.onnx`] as Buffer;
  const manifest = adapt(String(own[`${at}/model.yaml`])).replace(/^# yaml-language-server.*\n/, "")
    .replace(/^version: .*$/m, `version: ${version}`).replace(/sha256: [0-9a-f]{64}/, `sha256: ${sha256(weights)}`);
  return { ...files, [`${at}/model.yaml`]: change === undefined ? manifest : changed(manifest, change) };
}

function changed(manifest: string, { from, to }: Change): string {
  if (!from.test(manifest)) throw new Error(`the manifest has no ${String(from)}`);
  return manifest.replace(from, to);
}

/** What the team has of a system at the beginning. */
export const firstVersion = (system: System): Files => ({
  ...modelFiles(system, { first: true, version: "1.0.0" }), ...system.data(),
  ...Object.assign({}, ...system.companions.map((name) => folder(`models/${name}`, `models/${name}`))) as Files,
});
export const improved = (system: System, version: string): Files => modelFiles(system, { first: false, version });
export const worsened = (system: System, version: string): Files => modelFiles(system, { first: false, version, change: system.worse });
/** As good as the improved one, and not the same. */
export const varied = (system: System, version: string, no: number): Files => modelFiles(system, { first: false, version, change: system.slight(no) });

const sources = ["amazon", "imdb", "yelp"];

export const mood: System = {
  id: "mood",
  data: () => Object.fromEntries(sources.map((source) => {
    const rows = JSON.parse(readFileSync(join(root, `node_modules/sentiment/test/fixtures/${source}.json`), "utf8")) as unknown[];
    return [`models/mood/data/${source}.json`, JSON.stringify(rows.filter((_, i) => i % 2 === 0))];
  })),
  adapt: (manifest) => manifest.replaceAll(/- npm: sentiment@[^\n]*\n\s+integrity: [^\n]*\n(\s+)path: test\/fixtures\/(\w+)\.json/g, "- path: data/$2.json"),
  worse: { from: /maxTokens: 128/, to: "maxTokens: 6" },
  slight: (no) => ({ from: /maxTokens: 128/, to: `maxTokens: ${128 - no}` }),
  companions: [],
  serves: async () => "",
};
