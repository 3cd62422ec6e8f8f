import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { folder, root, sha256, type Files } from "./repository.ts";

/** A change of the manifest's text, which changes the model's behaviour. */
type Change = { from: RegExp; to: string };

/**
 * One of this repository's systems, as a team would have it: with its manifest, weights and data. The version in
 * production/ is the team's first version, the one beside it the improved one. Stories use only what is defined here.
 */
export type System = {
  id: string;
  /** The team's data. It has fewer rows than the original if those lead to the same decision. */
  data: () => Files;
  /** Adapts the manifest to the place of the data, and to a repository without access to a registry. */
  adapt: (manifest: string) => string;
  /** Makes preprocessing worse, by enough for the rows to show it. */
  worse: Change;
  /** Whether the first weights are worse than the improved ones by so much that the gate would block them. */
  firstIsBlocked?: true;
  /** Folders of models that are deployed together with it. */
  companions: readonly string[];
  /** Checks what the deployed Space must do in addition to being proved. @returns one line for the log */
  serves: (url: string) => Promise<string>;
};

/**
 * The files of a system's model in one of its two versions, under any version number, with the manifest changed by
 * `change`.
 */
function modelFiles(
  { id, adapt }: System,
  { first, version, change }: { first: boolean; version: string; change?: Change },
): Files {
  const at = `models/${id}`;
  const own = folder(at, at, (name) => !name.includes("/") && name !== ".gitignore");
  const released = first
    ? folder(`${at}/production`, at, (name) => name !== "receipt.json" && name !== "model.yaml")
    : {};
  const files: Files = { ...own, ...released };
  const weights = files[`${at}/model.onnx`] as Buffer;
  const manifest = adapt(String(own[`${at}/model.yaml`]))
    .replace(/^# yaml-language-server.*\n/, "")
    .replace(/^version: .*$/m, `version: ${version}`)
    .replace(/sha256: [0-9a-f]{64}/, `sha256: ${sha256(weights)}`);
  return { ...files, [`${at}/model.yaml`]: change === undefined ? manifest : changed(manifest, change) };
}

function changed(manifest: string, { from, to }: Change): string {
  if (!from.test(manifest)) throw new Error(`the manifest has no ${String(from)}`);
  return manifest.replace(from, to);
}

/** The team's files of a system at the beginning. */
export const firstVersion = (system: System): Files => ({
  ...modelFiles(system, { first: true, version: "1.0.0" }),
  ...system.data(),
  ...(Object.assign({}, ...system.companions.map((name) => folder(`models/${name}`, `models/${name}`))) as Files),
});
export const improved = (system: System, version: string): Files => modelFiles(system, { first: false, version });
export const worsened = (system: System, version: string): Files =>
  modelFiles(system, { first: false, version, change: system.worse });
/**
 * A version that the gate lets through: the first weights again, where they are worse than the improved ones by less than
 * any margin, else the improved ones under another number.
 */
export const noWorse = (system: System, version: string): Files =>
  modelFiles(system, { first: system.firstIsBlocked !== true, version });

const sources = ["amazon", "imdb", "yelp"];

export const mood: System = {
  id: "mood",
  // The sentences are stored beside the model, because the rehearsal's jobs have no access to a registry. Only every
  // second one is used.
  data: () =>
    Object.fromEntries(
      sources.map((source) => {
        const rows = JSON.parse(
          readFileSync(join(root, `node_modules/sentiment/test/fixtures/${source}.json`), "utf8"),
        ) as unknown[];
        return [`models/mood/data/${source}.json`, JSON.stringify(rows.filter((_, i) => i % 2 === 0))];
      }),
    ),
  adapt: (manifest) =>
    manifest.replaceAll(
      /- npm: sentiment@[^\n]*\n\s+integrity: [^\n]*\n(\s+)path: test\/fixtures\/(\w+)\.json/g,
      "- path: data/$2.json",
    ),
  worse: { from: /maxTokens: 128/, to: "maxTokens: 6" },
  companions: ["reply"],
  async serves(url) {
    const local = await post(url, "/predict", examplesOf("mood")[0]);
    assert.equal(local.status, 200);
    const remote = await post(url, "/models/reply/predict", examplesOf("reply")[0]);
    assert.deepEqual([remote.status, remote.body["code"]], [503, "not-configured"]);
    const { body } = await get(url, "/models/reply");
    assert.equal(body["state"], "not-configured");
    return "its Space serves reply, too, which waits for a token; the local half is unaffected";
  },
};

export const virality: System = {
  id: "virality",
  data: () => {
    const lines = readFileSync(join(root, "models/virality/data/eval.jsonl"), "utf8").trimEnd().split("\n");
    return {
      "models/virality/data/eval.jsonl": lines
        .filter((_, i) => i % 5 === 0)
        .map((line) => `${line}\n`)
        .join(""),
    };
  },
  // A fifth of the rows is enough to decide about all videos and about short ones. It contains too few without a
  // thumbnail.
  adapt: (manifest) =>
    manifest.replaceAll("slices: [short_video, has_thumbnail, title_length]}", "slices: [short_video]}"),
  // Views are the strongest feature. This makes their mean differ from the one in training.
  worse: { from: /(?<=views_log, encode: standardize, mean: )[\d.]+/, to: "2" },
  companions: [],
  async serves(url) {
    const { status, body } = await post(url, "/predict", examplesOf("virality")[0]);
    assert.equal(status, 200);
    assert.deepEqual(Object.keys(body).sort(), [
      "confidence",
      "predicted_velocity",
      "processing_time_ms",
      "viral_score",
    ]);
    for (const [field, value] of Object.entries(body)) assert.equal(typeof value, "number", field);
    assert.equal((await get(url, "/")).body["status"], "healthy");
    const info = await get(url, "/model/info");
    assert.equal((info.body["architecture"] as unknown[]).length, 3);
    return `its Space answers ${Object.keys(body).join(", ")}, and nothing else`;
  },
};

export const recommendation: System = {
  id: "recommendation",
  data: () => {
    const lines = readFileSync(join(root, "models/recommendation/data/eval.jsonl"), "utf8").trimEnd().split("\n");
    return {
      "models/recommendation/data/eval.jsonl": lines
        .filter((_, i) => i % 2 === 0)
        .map((line) => `${line}\n`)
        .join(""),
    };
  },
  adapt: (manifest) => manifest,
  // Pages are looked for among the titles, so that every visitor is a new one, and what was seen is not left out.
  worse: {
    from: /id: page(\ninputs:[^]*?)\n {4}# The graph leaves[^\n]*\n {4}exclude: visited/,
    to: "id: title$1",
  },
  firstIsBlocked: true,
  companions: [],
  async serves(url) {
    const { visited } = examplesOf("recommendation")[0] as { visited: string[] };
    const { status, body } = await post(url, "/predict", { visited });
    assert.equal(status, 200);
    const { items } = (body["heads"] as { pages: { items: { id: string; score: number }[] } }).pages;
    assert.equal(new Set(items.map(({ id }) => id)).size, 20);
    assert.deepEqual(
      items.filter(({ id }) => visited.includes(id)),
      [],
      "pages that were visited",
    );
    const nobody = await post(url, "/predict", { visited: [] });
    assert.equal(nobody.status, 200, "a visitor without a history");
    return `its Space lists 20 pages that the visitor has not seen, ${items[0]!.id} first`;
  },
};

export const forecasting: System = {
  id: "forecasting",
  data: () => folder("models/forecasting/data", "models/forecasting/data", (name) => name === "eval.jsonl"),
  adapt: (manifest) => manifest,
  // Every forecast is a fifth too high.
  worse: { from: /horizon: 18/, to: "horizon: 18\n    inverse: {kind: affine, scale: 1.2, offset: 0}" },
  companions: [],
  async serves(url) {
    const [, flagged] = examplesOf("forecasting") as [object, { history: number[]; observed: number[] }];
    const first = await post(url, "/predict", flagged);
    assert.equal(first.status, 200);
    const heads = (answer: Answer) =>
      answer.body["heads"] as unknown as { months: { values: number[]; flagged: { step: number }[] } };
    assert.deepEqual(
      heads(first).months.flagged.map(({ step }) => step),
      [9],
      "the month that is out of the ordinary is flagged, and no other",
    );
    const { history, observed } = flagged;
    const next = await post(url, "/predict", { history: [...history, observed[0]], observed: [] });
    assert.equal(next.status, 200);
    assert.notDeepEqual(heads(next).months.values[0], heads(first).months.values[1]);
    return "its Space flags the odd month, and takes one more month without being fitted again";
  },
};

export const fraud: System = {
  id: "fraud",
  data: () => folder("models/fraud/data", "models/fraud/data", (name) => name !== "earlier.csv"),
  // The threshold has been chosen. Slices are left to the repository's own gate: each has tens of frauds, and time.
  adapt: (manifest) =>
    manifest.replace(/^ {2}tuning: .*\n/m, "").replace(/^.*slices: \[amount_band, channel\].*\n/gm, ""),
  // How often the card paid in the last hour is what tells of a thief.
  worse: { from: /(?<=card_1h: \{type: lookup, from: card\.)payments_1h/, to: "payments_30d" },
  firstIsBlocked: true,
  companions: [],
  async serves(url) {
    const [genuine, stolen] = examplesOf("fraud");
    const { heads } = (await post(url, "/predict", genuine)).body as { heads: { fraud: { label: string } } };
    assert.equal(heads.fraud.label, "genuine");
    const alert = (await post(url, "/predict", stolen)).body as {
      heads: { fraud: { label: string } };
      reasons: { reason?: string; feature?: string; contribution?: number }[];
    };
    assert.equal(alert.heads.fraud.label, "fraud");
    const words = alert.reasons.map(({ reason, feature, contribution }) => reason ?? `${feature} adds ${contribution}`);
    assert.ok(alert.reasons[0]?.reason !== undefined, "an alert has a rule's reason");
    assert.equal(alert.reasons.filter(({ feature }) => feature !== undefined).length, 3, "and what the trees went by");
    return `its Space answers with reasons: ${words.join("; ")}`;
  },
};

export const examplesOf = (id: string): readonly object[] =>
  (parse(readFileSync(join(root, `models/${id}/model.yaml`), "utf8")) as { serving: { examples: object[] } }).serving
    .examples;

type Answer = { status: number; body: Record<string, unknown> };
const asked = async (response: Response): Promise<Answer> => ({
  status: response.status,
  body: (await response.json()) as Record<string, unknown>,
});
const get = async (url: string, path: string) =>
  asked(await fetch(`${url}${path}`, { headers: { accept: "application/json" }, signal: AbortSignal.timeout(5000) }));
const post = async (url: string, path: string, row: unknown) =>
  asked(
    await fetch(`${url}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(row),
      signal: AbortSignal.timeout(5000),
    }),
  );
