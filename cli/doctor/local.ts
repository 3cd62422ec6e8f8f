import { existsSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { repositoryIn } from "../../deploy/record/repository.ts";
import { fullName } from "../../github/runner.ts";
import { configuration, type Configuration } from "../../eval/schema/configuration.ts";
import { gitIn } from "../../eval/gate/git.ts";
import { artifactDigest, artifactFiles } from "../../models/core/manifest/artifact-files.ts";
import { fetchGraphs } from "../../models/core/artifact/artifact.ts";
import { defaultCacheDir } from "../../models/core/artifact/cache-dir.ts";
import { withWorkDir } from "../../eval/gate/work-dir.ts";
import { parseYaml } from "../../models/core/manifest/config-file.ts";
import { EvaluationError, SluiceError } from "../../models/core/errors.ts";
import { loadManifest, type LoadedManifest } from "../../models/core/predictor/load.ts";
import type { HeadResult } from "../../models/core/postprocess/result.ts";
import { openPredictor } from "../../models/core/predictor/predictor.ts";
import { readDataset } from "../../eval/dataset/read.ts";
import { bytes, significant } from "../../eval/report/text/format.ts";
import { ask, broken, inWords, ok, timeoutMs, warning, type DoctorDeps, type Finding } from "./finding.ts";
import { sluiceCommand } from "../../models/core/invocation.ts";

export function nodeVersion(): Finding {
  const { version } = process;
  return Number(version.slice(1).split(".")[0]) >= 24
    ? ok("node", version)
    : broken("node", `${version} is too old`, "Node 24 or newer runs it: `npm ci` brings one");
}

export async function git({ root, env }: DoctorDeps): Promise<Finding[]> {
  const run = gitIn(root, env);
  const said = async (...args: string[]) => {
    const { code, stdout } = await run(args, { timeoutMs });
    return code === 0 ? stdout.toString("utf8").trim() : null;
  };
  try {
    if ((await said("rev-parse", "--is-inside-work-tree")) !== "true")
      return [
        broken(
          "git",
          "this folder is not in a git repository",
          "run it in a clone of your repository, or `git init`: a candidate is compared with what its base branch has",
        ),
      ];
  } catch {
    return [broken("git", "git cannot be started", "install git")];
  }
  const [head, shallow, repository] = [
    await said("rev-parse", "--short", "HEAD"),
    await said("rev-parse", "--is-shallow-repository"),
    await repositoryIn(root, env),
  ];
  return [
    head === null
      ? warning("git", "a repository without a commit", "commit once: the gate compares with a commit")
      : shallow === "true"
        ? warning(
            "git",
            `a shallow clone at ${head}`,
            "`git fetch --unshallow`, or `fetch-depth: 0` in actions/checkout: the production version may not be in it",
          )
        : ok("git", `a repository at ${head}`),
    repository === null
      ? warning(
          "remote",
          "no GitHub repository is known",
          "`git remote add origin git@github.com:OWNER/NAME.git`, or set GITHUB_REPOSITORY: deploying and cards need it",
        )
      : ok("remote", fullName(repository)),
  ];
}

/** Reads sluice.yaml; `value` is null if it cannot be used. */
export function readConfiguration({ root, config }: DoctorDeps): { finding: Finding; value: Configuration | null } {
  const file = resolve(root, config);
  if (!existsSync(file))
    return {
      finding: broken(
        config,
        "there is none here",
        `write one at the repository's root: schemaVersion: 1, models: [models/NAME]`,
      ),
      value: null,
    };
  try {
    const value = parseYaml(readFileSync(file, "utf8"), config, configuration);
    return { finding: ok(config, `${value.models.length} ${value.models.length === 1 ? "model" : "models"}`), value };
  } catch (error) {
    return { finding: failedFinding(config, error), value: null };
  }
}

/** A refusal of ours as a finding: the rest of its lines says what to do. */
export function failedFinding(name: string, error: unknown): Finding {
  if (!(error instanceof SluiceError)) return broken(name, inWords(error), "look at the file");
  const { problem, place, expected, received, example, hint, others = [] } = error.diagnostic;
  const fix = [
    expected === undefined ? null : `expected ${expected}`,
    received === undefined ? null : `received ${received}`,
    example === undefined ? null : `e.g. ${example.replaceAll(/\s*\n\s*/g, " · ")}`,
    hint ?? null,
  ]
    .filter((one) => one !== null)
    .join("; ");
  return broken(
    name,
    `${place === undefined || place === name ? "" : `${place}: `}${problem}${others.length === 0 ? "" : ` (and ${others.length} more)`}`,
    fix || "look at the file",
  );
}

/**
 * Checks model.yaml, the artifact's sha256, and that the graph opens, fits model.yaml and answers one row. Of an artifact
 * on the Hub it checks only what the Hub says about the file, because the doctor downloads no model.
 */
export async function model(deps: DoctorDeps, folder: string): Promise<Finding[]> {
  const { root, env, fetch: transport } = deps;
  // Relative, so that no message shows paths of this machine.
  const dir = relative(process.cwd(), join(root, folder)) || ".";
  let loaded;
  try {
    loaded = await loadManifest(dir);
  } catch (error) {
    if (error instanceof SluiceError && error.code === "remote-backend")
      return [ok(folder, "a remote provider answers for it; there is no artifact")];
    return [failedFinding(folder, error)];
  }
  const { id, version, artifact } = loaded.manifest;
  const name = `${id} ${version}`;
  if (loaded.composition !== undefined) return [await answers(deps, name, folder, loaded)];
  const unopened = (why: string) => ok(name, `${folder}/model.yaml reads; its graph was not opened: ${why}`);
  const onlyHub = artifactFiles(artifact).filter(({ file: { hub } }) => hub !== undefined);
  if (onlyHub.length > 0)
    return [
      unopened(`it is on the Hub, and \`${sluiceCommand()} gate ${id}\` fetches it`),
      ...(await Promise.all(
        onlyHub.map(({ at, file: { hub, sha256 } }) => onHub(deps, `${name} ${at.join(".")}`, hub!, sha256)),
      )),
    ];
  try {
    const graphs = await fetchGraphs(artifact, dir, { env, fetch: transport });
    const totalBytes = graphs.reduce((sum, { model: { totalBytes: one } }) => sum + one, 0);
    const paths = artifactFiles(artifact).map(({ file: { path, hub } }) => path ?? hub);
    const size = `${paths.join(", ")}: ${bytes(totalBytes)}, sha256 ${artifactDigest(artifact).slice(0, 12)} holds`;
    return [await answers(deps, name, folder, loaded), ok(`${name} artifact`, size)];
  } catch (error) {
    return [unopened("the artifact is not what it should be"), failedFinding(`${name} artifact`, error)];
  }
}

/** Opens the model and runs one row: the first example of the server, else the first of the dataset, else zeros. */
async function answers(deps: DoctorDeps, name: string, folder: string, loaded: LoadedManifest): Promise<Finding> {
  const { env, fetch: transport } = deps;
  const { manifest, dir } = loaded;
  try {
    const predictor = await openPredictor(loaded, {}, { env, fetch: transport });
    try {
      const [example] = manifest.serving.examples;
      const here = manifest.dataset?.files.every(({ npm }) => npm === undefined) === true;
      if (example === undefined && !here) {
        await predictor.warmUp();
        return ok(
          name,
          `${folder}/model.yaml fits its graph, which runs on zeros: there is no example and no data here`,
        );
      }
      const [row, from] =
        example !== undefined
          ? [example, "serving.examples[0]"]
          : [
              (
                await withWorkDir(env, (workDir) =>
                  readDataset(manifest, dir, {
                    root: resolve(deps.root),
                    lfs: ([first]) =>
                      first === undefined ? Promise.resolve([]) : Promise.reject(onlyHere(first.place)),
                    env,
                    fetch: transport,
                    cacheDir: defaultCacheDir(env),
                    workDir,
                  }),
                )
              ).rows[0]?.row ?? {},
              "the dataset's first row",
            ];
      const heads = await predictor.predictOne(row);
      const results = Object.entries(heads).map(([head, result]) => `${head} ${answerInWords(result)}`);
      return ok(name, `${folder}/model.yaml is valid: its graph answers ${from} with ${results.join(", ")}`);
    } finally {
      await predictor.close();
    }
  } catch (error) {
    return failedFinding(name, error);
  }
}

async function onHub(
  { env, fetch: transport }: DoctorDeps,
  name: string,
  hub: string,
  sha256: string,
): Promise<Finding> {
  const at = hub.indexOf("@");
  const slash = hub.indexOf("/", at);
  const endpoint = (env["HF_ENDPOINT"] || "https://huggingface.co").replace(/\/+$/, "");
  const url = `${endpoint}/${hub.slice(0, at)}/resolve/${encodeURIComponent(hub.slice(at + 1, slash))}/${hub.slice(slash + 1)}`;
  const answer = await ask(transport, url, { method: "HEAD", token: env["HF_TOKEN"] || null });
  if (!answer.reached) return warning(name, `${hub} was not checked: ${answer.why}`, "try again with a network");
  if (answer.status >= 400)
    return broken(
      name,
      `the Hub answers ${answer.status} for ${hub}`,
      answer.status === 404
        ? "check repository, revision and path"
        : "the repository is private or gated: set HF_TOKEN with access to it",
    );
  const digest = /^"?([0-9a-f]{64})"?$/.exec(answer.headers.get("x-linked-etag") ?? "")?.[1];
  if (digest !== undefined && digest !== sha256)
    return broken(
      name,
      `the Hub's file has sha256 ${digest.slice(0, 12)}, model.yaml says ${sha256.slice(0, 12)}`,
      "put the right revision or sha256 into model.yaml",
    );
  return digest === undefined
    ? warning(
        name,
        `${hub} is there; its sha256 is checked when it is fetched`,
        `\`${sluiceCommand()} gate\` fetches and checks it`,
      )
    : ok(name, `${hub}: sha256 ${sha256.slice(0, 12)} holds`);
}

export async function runtime(): Promise<Finding> {
  try {
    const { runtimeVersion } = await import("../../models/core/session/session.ts");
    return ok("onnxruntime", await runtimeVersion());
  } catch (error) {
    return broken(
      "onnxruntime",
      `it does not load: ${inWords(error)}`,
      "`npm ci` on this machine, with its own Node; docs/serving.md says which platforms there are",
    );
  }
}

/** The doctor fetches nothing large, so data behind a Git LFS pointer is not read. */
const onlyHere = (place: string) =>
  new EvaluationError({
    code: "lfs-missing",
    place,
    problem: "the data is a Git LFS pointer",
    expected: "the file itself",
    example: "git lfs pull",
  });

/** A head's answer in a few words. */
function answerInWords(result: HeadResult): string {
  switch (result.kind) {
    case "classification":
      return `${result.label} (${significant(result.score)})`;
    case "regression":
      return significant(result.value);
    case "ranking":
      return `${result.items[0]!.id} (${significant(result.items[0]!.score)}) and ${result.items.length - 1} more`;
    case "series":
      return `${result.values
        .slice(0, 3)
        .map((value) => significant(value))
        .join(", ")}${result.values.length > 3 ? ", …" : ""}`;
    case "spans":
      return `${result.spans.length} spans`;
    case "text":
      return JSON.stringify(result.text.slice(0, 60));
  }
}
