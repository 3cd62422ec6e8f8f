import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { startGitHub } from "../../rehearsal/github/seeded/github.ts";
import { verdictFile, verdictWord, type VerdictFile } from "../../eval/schema/verdict.ts";
import { git, runStep, type StepRun, type UnpackedAction } from "../actions/gate/runner.ts";
import { outcomes, type Outcome } from "./case-file.ts";
import type { Case } from "./read-cases.ts";
import { checkOut, type CheckedOut } from "./repository.ts";
import type { Services } from "./services.ts";

type Played = {
  outcome: Outcome;
  verdict: Pick<VerdictFile, "verdict" | "reason" | "models">;
  report: string;
  /** What a page or GitHub renders: report.md, report.html, the summary. */
  rendered: string;
  /** Everything that people or programs read. */
  output: string;
  run: StepRun;
};

export type PlayDeps = { action: UnpackedAction; services: Services };

/**
 * Plays a pull request: once as the action alone does it, and once as the workflow does that gates only what changed.
 *
 * @returns what differs from what the case expects; empty when all is as it must be
 */
export async function play(played: Case, deps: PlayDeps): Promise<string[]> {
  const gate = async (dir: string, cache: string) => {
    await step(deps, { dir, event: { name: "push", payload: {} }, sha: "", ref: "" }, "http://127.0.0.1:9", {
      inputs: { baseline: "none" },
      env: { SLUICE_CACHE: cache },
    });
  };
  const checkedOut = await checkOut(played, { services: deps.services, gate });
  const github = await startGitHub({ mergeBases: checkedOut.mergeBases });
  try {
    const [before, beside] = [stateOf(checkedOut.dir), checkedOut.beside()];
    const whole = await gateOf(checkedOut, github.url, deps, []);
    const problems = problemsOf(whole, played, "");
    if (stateOf(checkedOut.dir) !== before) problems.push("the gate changed files of the checkout besides its own");
    if (checkedOut.beside().length !== beside.length)
      problems.push(`the gate wrote beside the checkout: ${checkedOut.beside().join(", ")}`);
    const changed = await changedOf(checkedOut, github.url, deps);
    if (!changed.gated && played.expected.gated)
      problems.push("the workflow that gates only what changed would gate nothing and be green");
    if (changed.gated && !played.expected.gated)
      problems.push(`the workflow that gates only what changed would gate ${changed.models.join(", ")}`);
    if (changed.models.length > 0 && changed.models.length < whole.verdict.models.length)
      problems.push(
        ...problemsOf(
          await gateOf(checkedOut, github.url, deps, changed.models),
          played,
          `with only ${changed.models.join(", ")} gated: `,
        ),
      );
    if (deps.services.askedOfStranger.some((path) => path.includes(played.name)))
      problems.push("a stranger's server was asked");
    return problems;
  } finally {
    await github.close();
    checkedOut.remove();
  }
}

/** What git sees besides the gate's own folder. */
const stateOf = (dir: string) => git(dir, "status", "--porcelain", "--untracked-files=all", "--", ":!.sluice");

type Started = Pick<CheckedOut, "dir" | "event" | "sha" | "ref">;

function step(
  { action, services }: PlayDeps,
  { dir, event, sha, ref }: Started,
  apiUrl: string,
  options: { entry?: "changed"; inputs?: Record<string, string>; env?: Record<string, string> } = {},
): Promise<StepRun> {
  return runStep({
    action,
    workspace: dir,
    event,
    sha,
    ref,
    apiUrl,
    ...(options.entry === undefined ? {} : { entry: options.entry }),
    inputs: { token: "t0ken-of-the-job", ...options.inputs },
    env: { npm_config_registry: services.registry, HF_ENDPOINT: services.registry, ...options.env },
  });
}

async function gateOf(
  checkedOut: CheckedOut,
  apiUrl: string,
  deps: PlayDeps,
  models: readonly string[],
): Promise<Played> {
  const run = await step(deps, checkedOut, apiUrl, {
    inputs: { performance: "false", comment: "never", models: models.join(",") },
  });
  const out = join(checkedOut.dir, ".sluice");
  const read = (name: string) => (existsSync(join(out, name)) ? readFileSync(join(out, name), "utf8") : "");
  if (run.outputs["verdict"] === undefined)
    throw new Error(`the gate ended without a verdict, with exit code ${run.code} (-1: it was stopped): ${run.log}`);
  // A gate that cannot write still says its verdict to the runner.
  const written = read("verdict.json");
  const verdict =
    written === ""
      ? { verdict: verdictWord.parse(run.outputs["verdict"]), reason: run.outputs["result"] ?? "", models: [] }
      : verdictFile.parse(JSON.parse(written));
  const report = read("report.md");
  const outcome = run.code === outcomes["wrong usage"] ? "wrong usage" : verdict.verdict;
  const rendered = [report, read("report.html"), run.summary].join("\n");
  // The runner is told the secret so that it can hide it.
  const log = run.log.replace(/^::add-mask::.*$/m, "");
  const output = [rendered, log, ...Object.values(run.outputs)].join("\n");
  return { outcome, verdict, report, rendered, output, run };
}

async function changedOf(
  checkedOut: CheckedOut,
  apiUrl: string,
  deps: PlayDeps,
): Promise<{ gated: boolean; models: string[] }> {
  const run = await step(deps, checkedOut, apiUrl, { entry: "changed" });
  // A step that fails makes the workflow red.
  if (run.code !== 0) return { gated: true, models: [] };
  const models = JSON.parse(run.outputs["models"] ?? "[]") as string[];
  return { gated: models.length > 0, models };
}

/** The report's text as a reader sees it: without markup and without what keeps names from being links or mentions. */
const plain = (markdown: string) =>
  markdown
    .replaceAll(/<\/?\w+>|[\\\u200b]/g, "")
    .replaceAll(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)));

function problemsOf(
  { outcome, verdict, report, rendered, output, run }: Played,
  { expected }: Case,
  where: string,
): string[] {
  const problems: string[] = [];
  const reason = [verdict.reason, ...verdict.models.map((one) => `${one.model.id} ${one.verdict}: ${one.reason}`)];
  if (!expected.outcome.includes(outcome))
    problems.push(`expected ${expected.outcome.join(" or ")}, came ${outcome}: ${reason.join(" | ").slice(0, 600)}`);
  if (run.code !== outcomes[outcome]) problems.push(`${outcome} with exit code ${run.code}`);
  if (run.outputs["verdict"] !== verdict.verdict)
    problems.push(`the output says ${run.outputs["verdict"]}, verdict.json ${verdict.verdict}`);
  for (const [id, word] of Object.entries(expected.models)) {
    const came = verdict.models.find((one) => one.model.id === id)?.verdict ?? "no verdict";
    if (came !== word && (came !== "no verdict" || where === ""))
      problems.push(`expected ${word} of ${id}, came ${came}`);
  }
  for (const words of expected.says)
    if (!plain(report).includes(words)) problems.push(`report.md does not say: ${words}`);
  for (const words of expected.neverRendered)
    if (rendered.includes(words)) problems.push(`a report has the markup: ${words}`);
  for (const words of expected.never) if (output.includes(words)) problems.push(`an output says: ${words}`);
  if (output.includes("t0ken-of-the-job")) problems.push("an output has the token");
  if (run.outside.length > 0) problems.push(`servers beyond this machine were asked: ${run.outside.join(", ")}`);
  return problems.map((problem) => where + problem);
}
