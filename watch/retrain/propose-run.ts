import { lstat, readdir, readFile } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { readConfiguration } from "../../eval/gate/configuration-file.ts";
import { datasetPaths } from "../../eval/dataset/paths.ts";
import { commitOf, gitIn, slashed, topLevel } from "../../eval/gate/git.ts";
import { appJwt, installationToken } from "../../github/app-token.ts";
import { createClient } from "../../github/client.ts";
import { apiUrlOf, parseRepository, runUrlOf } from "../../github/runner.ts";
import { ConfigurationError, EvaluationError } from "../../models/core/errors.ts";
import { MANIFEST_FILE, parseManifest, placeIn } from "../../models/core/predictor/load.ts";
import { mergeWhenPassed, type MergeOutcome } from "./merge.ts";
import { examKeys } from "./candidate.ts";
import { propose, type ProposeOutcome } from "./propose.ts";
import { trainedModel, type RetrainDeps, type RetrainOutcome } from "./retrain.ts";

export type ProposeRequest = {
  root: string;
  configFile: string;
  model: string;
  /** What `sluice retrain` left: retrain.json and candidate/. */
  folder: string;
  reason: string;
  watchReport: string | null;
  gate: string | null;
};

/** GitHub takes blobs of up to 100 MB, base64 included. */
const fileBytes = 70_000_000;
const filesAtMost = 200;

const outcomeFile = z.strictObject({
  schemaVersion: z.literal(1),
  model: z.string(),
  result: z.enum(["candidate", "same", "current"]),
  folder: z.string(),
  from: z.string(),
  version: z.string(),
  seconds: z.number().nullable(),
  peakMemoryMb: z.number().nullable(),
  data: z.array(z.strictObject({ name: z.string(), sha256: z.string(), rows: z.number() })),
  testRows: z.number(),
  files: z.array(z.string()),
}) satisfies z.ZodType<RetrainOutcome>;

/**
 * Proposes what an earlier job trained. That job ran the training's own code, so nothing that it left is believed: files
 * count only in the model's folder, never what judges it, and model.yaml must ask for the same exam.
 *
 * @throws ConfigurationError, EvaluationError `propose-…` and those of `propose`
 */
export async function proposeFromFolder(request: ProposeRequest, deps: RetrainDeps): Promise<ProposeOutcome> {
  const { env } = deps;
  const repository = parseRepository(env["GITHUB_REPOSITORY"]);
  const token = env["GITHUB_TOKEN"] ?? "";
  const branch = env["GITHUB_REF_NAME"] ?? "";
  const { loaded } = await trainedModel(request, env);
  const git = gitIn(loaded.dir, env);
  const sha = env["GITHUB_SHA"] || (await commitOf(git, "HEAD"));
  if (repository === null || token === "" || branch === "" || !sha)
    throw notInWorkflow(env, token, branch, "--propose");
  const outcome = await readOutcome(join(request.folder, "retrain.json"), request.model);
  const top = await topLevel(git, loaded.dir);
  const folder = slashed(relative(top, loaded.dir));
  const files = new Map<string, Uint8Array>();
  if (outcome.result === "candidate") {
    const { production } = await readConfiguration(join(request.root, request.configFile));
    const kept = [
      ...datasetPaths(loaded.manifest.dataset!),
      ...loaded.manifest.train!.data.filter(({ npm }) => npm === undefined).map(({ path }) => path),
      production,
    ];
    for (const [path, content] of await candidateFiles(join(request.folder, "candidate"), kept))
      files.set(folder === "" ? path : `${folder}/${path}`, content);
    const text = files.get(folder === "" ? MANIFEST_FILE : `${folder}/${MANIFEST_FILE}`);
    if (text === undefined) throw refuse("no model.yaml", "a whole candidate");
    const after = parseManifest(Buffer.from(text).toString("utf8"), loaded.dir, MANIFEST_FILE).manifest;
    const changed = examKeys.filter((key) => !isDeepStrictEqual(loaded.manifest[key], after[key]));
    if (changed.length > 0) throw refuse(`another ${changed.join(", ")}`, placeIn(loaded, [changed[0]!]));
    outcome.version = after.version;
    await refuseLfs(git, [...files.keys()], top);
  }
  const { octokit, isApp } = await connected(env, token, repository, deps);
  const report = request.watchReport === null ? null : await readFile(request.watchReport, "utf8");
  return propose(
    { octokit, ...repository },
    {
      outcome,
      files,
      reason: request.reason,
      watchReport: report === null || report.trim() === "" ? null : report,
      base: { branch, sha },
      runUrl: runUrlOf(env),
      // What an App opens starts the workflows by itself.
      gate: isApp ? null : request.gate,
    },
  );
}

/** As the App where there is one, whose pull requests and pushes start workflows; else with the job's own token. */
async function connected(
  env: NodeJS.ProcessEnv,
  token: string,
  repository: { owner: string; repo: string },
  deps: Pick<RetrainDeps, "fetch" | "onNote">,
) {
  const client = (auth: string) =>
    createClient({
      token: auth,
      apiUrl: apiUrlOf(env),
      userAgent: "sluice-retrain",
      fetch: deps.fetch,
      log: deps.onNote,
      limits: { timeoutMs: 60_000, maxPauseSeconds: 60, waitsFor: "reads", secondaryPauseSeconds: 30 },
    });
  const { SLUICE_APP_ID: appId = "", SLUICE_APP_KEY: appKey = "" } = env;
  const isApp = appId !== "" && appKey !== "";
  const octokit = client(
    isApp
      ? await installationToken(client(appJwt(appId, appKey, Date.now())), repository, {
          contents: "write",
          pull_requests: "write",
        })
      : token,
  );
  return { octokit, isApp };
}

/**
 * Merges the model's proposed candidate, where the configuration of this checkout asks for it.
 *
 * @throws ConfigurationError
 */
export async function mergeFromCheckout(
  request: Pick<ProposeRequest, "root" | "configFile" | "model"> & { gate: string; waitMinutes: number },
  deps: RetrainDeps,
): Promise<MergeOutcome> {
  const { env } = deps;
  const repository = parseRepository(env["GITHUB_REPOSITORY"]);
  const [token, base] = [env["GITHUB_TOKEN"] ?? "", env["GITHUB_REF_NAME"] ?? ""];
  const { retrain } = await readConfiguration(join(request.root, request.configFile));
  if (repository === null || token === "" || base === "") throw notInWorkflow(env, token, base, "--merge");
  const { octokit, isApp } = await connected(env, token, repository, deps);
  // Reports of runs are read with the job's own token: the App has no right to them.
  const own = createClient({
    token,
    apiUrl: apiUrlOf(env),
    userAgent: "sluice-retrain",
    fetch: deps.fetch,
    log: deps.onNote,
    limits: { timeoutMs: 60_000, maxPauseSeconds: 60, waitsFor: "reads", secondaryPauseSeconds: 30 },
  });
  return mergeWhenPassed(
    { octokit, ...repository },
    { model: request.model, policy: retrain.merge, base, gate: request.gate, artifact: "sluice-gate", isApp },
    {
      now: Date.now,
      sleep: (ms) => sleep(ms),
      waitMs: request.waitMinutes * 60_000,
      runs: { octokit: own, ...repository },
    },
  );
}

const notInWorkflow = (env: NodeJS.ProcessEnv, token: string, branch: string, place: string) =>
  new ConfigurationError({
    code: "propose-where",
    place,
    problem: "it is not known where the pull request belongs",
    expected: "GITHUB_REPOSITORY, GITHUB_TOKEN and GITHUB_REF_NAME, as in a workflow",
    received: `GITHUB_REPOSITORY=${env["GITHUB_REPOSITORY"] ?? ""}, GITHUB_REF_NAME=${branch}, ${token === "" ? "no token" : "a token"}`,
    example: "GITHUB_REPOSITORY=octo/models GITHUB_REF_NAME=main",
  });

const refuse = (received: string, expected: string) =>
  new EvaluationError({
    code: "propose-candidate",
    place: "candidate",
    problem: "what the training left is no candidate of this model",
    expected,
    received,
    hint: "the log of the training's job says what it wrote",
  });

async function readOutcome(file: string, model: string): Promise<RetrainOutcome> {
  const text = await readFile(file, "utf8").catch(() => "null");
  let value: unknown = null;
  try {
    value = JSON.parse(text);
  } catch {
    // Said below.
  }
  const parsed = outcomeFile.safeParse(value);
  if (!parsed.success || parsed.data.model !== model) throw refuse(`${file} is not of ${model}`, "retrain.json");
  return parsed.data;
}

async function candidateFiles(folder: string, kept: readonly string[]): Promise<[string, Uint8Array][]> {
  const found: [string, Uint8Array][] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])) {
    const path = join(entry.parentPath, entry.name);
    const name = relative(folder, path).split(sep).join("/");
    if (entry.isDirectory()) continue;
    if (!entry.isFile()) throw refuse(`${name}, which is no file`, "plain files");
    if (name.split("/").some((part) => part.toLowerCase() === ".git")) throw refuse(name, "no part of a repository");
    if (kept.some((one) => name === one || name.startsWith(`${one}/`)))
      throw refuse(name, "neither the gate's rows, nor the training data, nor the production version");
    const { size } = await lstat(path);
    if (size > fileBytes) throw refuse(`${name} with ${size} bytes`, `at most ${fileBytes} bytes a file`);
    if (found.length === filesAtMost) throw refuse("more", `at most ${filesAtMost} files`);
    found.push([name, await readFile(path)]);
  }
  return found.toSorted(([a], [b]) => (a < b ? -1 : 1));
}

/** GitHub's API makes commits of blobs, not of Git LFS objects. */
async function refuseLfs(git: ReturnType<typeof gitIn>, paths: readonly string[], top: string): Promise<void> {
  const { stdout } = await git(["-C", top, "check-attr", "-z", "filter", "--", ...paths]);
  const fields = stdout.toString("utf8").split("\0");
  for (let i = 0; i + 2 < fields.length; i += 3)
    if (fields[i + 2] === "lfs")
      throw new EvaluationError({
        code: "propose-lfs",
        place: fields[i]!,
        problem: "the file is kept in Git LFS, and a pull request of `sluice retrain` cannot put it there",
        expected: "weights in git itself",
        received: "filter=lfs",
        hint: "take the candidate from the run's artifact, and push it by hand",
      });
}
