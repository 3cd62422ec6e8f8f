import { verdictFile, type ModelVerdict } from "../../eval/schema/verdict.ts";
import type { BotConfiguration } from "../config/config.ts";
import type { Artifact, GitHub, Run } from "./github.ts";
import { readZipEntry } from "../../github/zip.ts";

/** What a gate run says about its models. */
export type RunVerdicts = {
  run: Run;
  /** The pull request; null for a branch. */
  pullRequest: number | null;
  /**
   * From the verdict.json of the run's artifacts. Empty if none can be read; then only the run's conclusion is known.
   */
  models: ModelVerdict[];
};

const maxZipBytes = 16 * 1024 * 1024;
const maxVerdictBytes = 4 * 1024 * 1024;
/** A gate uploads one artifact for each model and kind of runner. */
const maxArtifacts = 12;
const maxPullRequests = 5;
const maxRemembered = 200;

/**
 * Verdicts of gate runs, for people to read. They come from what the run uploaded, so they are bounded in size, checked
 * against the schema, and never decide a deployment. A fork's run may upload anything, so its files are not read at
 * all.
 */
export class Verdicts {
  private readonly github: GitHub;
  private readonly bot: Pick<BotConfiguration, "github" | "branch">;
  /** By artifact id. Artifacts never change. */
  private readonly known = new Map<number, ModelVerdict[]>();

  constructor(github: GitHub, bot: Pick<BotConfiguration, "github" | "branch">) {
    this.github = github;
    this.bot = bot;
  }

  /** The latest gate runs: of the branch, then of the open pull requests, most recently updated first. */
  async latest(): Promise<RunVerdicts[]> {
    const { github, bot } = this;
    const [[main], pulls] = await Promise.all([
      github.runs({ file: bot.github.gate, branch: bot.branch, count: 1 }),
      github.openPullRequests(maxPullRequests),
    ]);
    const ofPulls = await Promise.all(
      pulls.map(async ({ number, sha }) => ({
        number,
        run: (await github.runs({ file: bot.github.gate, sha, count: 1 }))[0],
      })),
    );
    const wanted = [
      ...(main === undefined ? [] : [{ run: main, pullRequest: null }]),
      ...ofPulls.flatMap(({ number, run }) => (run === undefined ? [] : [{ run, pullRequest: number }])),
    ];
    return Promise.all(
      wanted.map(async ({ run, pullRequest }) => ({
        run,
        pullRequest,
        models: run.status === "completed" && !run.fork ? await this.in(await this.github.artifacts(run.id)) : [],
      })),
    );
  }

  /** The verdicts in the artifacts of one run; empty if none can be read. */
  async in(artifacts: readonly Artifact[]): Promise<ModelVerdict[]> {
    const reports = artifacts
      .filter(
        ({ name, sizeBytes, expired }) =>
          name.startsWith(this.bot.github.artifact) && !expired && sizeBytes <= maxZipBytes,
      )
      .slice(0, maxArtifacts);
    const all = (await Promise.all(reports.map(({ id }) => this.read(id)))).flat();
    // A model may be judged on several kinds of runners. The worst verdict counts.
    return [...Map.groupBy(all, ({ model }) => model.id).values()].map(
      (same) => same.find(({ verdict }) => verdict !== "PASS") ?? (same[0] as ModelVerdict),
    );
  }

  private async read(artifact: number): Promise<ModelVerdict[]> {
    const known = this.known.get(artifact);
    if (known !== undefined) return known;
    const zip = await this.github.artifactZip(artifact, maxZipBytes).catch(() => null);
    if (zip === null) return [];
    const models = await modelsIn(zip);
    if (this.known.size >= maxRemembered) this.known.delete(this.known.keys().next().value as number);
    this.known.set(artifact, models);
    return models;
  }
}

async function modelsIn(zip: Buffer): Promise<ModelVerdict[]> {
  const bytes = await readZipEntry(zip, "verdict.json", maxVerdictBytes);
  if (bytes === null) return [];
  try {
    return verdictFile.parse(JSON.parse(bytes.toString("utf8"))).models.slice(0, 50);
  } catch {
    return [];
  }
}
