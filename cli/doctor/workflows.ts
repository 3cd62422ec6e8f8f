import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parse } from "yaml";
import { sluiceCommand } from "../../models/core/invocation.ts";
import { broken, inWords, ok, warning, type DoctorDeps, type Finding } from "./finding.ts";

type Workflow = { name?: string; on?: unknown; jobs?: Record<string, Job | null> };
type Job = { uses?: string; permissions?: unknown; steps?: { uses?: string }[] };
type Gated = { file: string; workflow: Workflow; uses: string; job: Job; called: boolean };

const folder = ".github/workflows";
const called = /(^|\/)\.github\/workflows\/gate\.yml(@|$)/;
const action = /(^|\/)actions\/gate(@|$)/;

/** Whether a workflow gates pull requests, and whether what it calls can be moved under it. Reads files alone. */
export function workflows({ root }: Pick<DoctorDeps, "root">): Finding[] {
  const found: Finding[] = [];
  const gates: Gated[] = [];
  for (const file of workflowFiles(root)) {
    const path = `${folder}/${file}`;
    let workflow: Workflow | null;
    try {
      workflow = parse(readFileSync(join(root, path), "utf8")) as Workflow | null;
    } catch (error) {
      found.push(
        broken(
          path,
          `it is no YAML: ${inWords(error).split("\n", 1)[0]}`,
          "GitHub starts nothing from it; repair the file",
        ),
      );
      continue;
    }
    for (const job of Object.values(workflow?.jobs ?? {}))
      for (const uses of job === null ? [] : [job.uses, ...(job.steps ?? []).map((step) => step.uses)])
        if (uses !== undefined && (called.test(uses) || action.test(uses)))
          gates.push({ file: path, workflow: workflow!, uses, job: job!, called: called.test(uses) });
  }
  if (gates.length === 0)
    found.push(
      warning(
        "workflows",
        "none gates pull requests",
        `\`${sluiceCommand()} init\` writes one with a model; docs/adopt.md has it to copy`,
      ),
    );
  return [...found, ...gates.map(judged)];
}

function workflowFiles(root: string): string[] {
  try {
    return readdirSync(resolve(root, folder))
      .filter((name) => /\.ya?ml$/.test(name))
      .toSorted();
  } catch {
    return [];
  }
}

function judged({ file, workflow, uses, job, called: reusable }: Gated): Finding {
  const events =
    typeof workflow.on === "string"
      ? [workflow.on]
      : Array.isArray(workflow.on)
        ? workflow.on
        : Object.keys(workflow.on ?? {});
  if (!events.includes("pull_request") && !events.includes("workflow_call"))
    return broken(file, "it gates, and no pull request starts it", "on: pull_request");
  const ref = uses.split("@")[1];
  if (ref !== undefined && !/^[0-9a-f]{40}$|^v\d+(\.\d+)*$/.test(ref))
    return warning(
      file,
      `it follows ${ref}, which anybody who may push there can move`,
      "name a release: @vX.Y.Z, or its commit",
    );
  const granted = job.permissions as Record<string, string> | undefined;
  if (reusable && (typeof granted !== "object" || granted === null || granted["pull-requests"] !== "write"))
    return broken(
      file,
      "GitHub does not start it: gate.yml asks for more than the job grants",
      "permissions: {contents: read, pull-requests: write}",
    );
  if (reusable && workflow.name !== "gate")
    return warning(file, `its name is "${workflow.name ?? ""}", and other workflows wait for "gate"`, "name: gate");
  return ok(
    file,
    `it gates pull requests${ref === undefined ? "" : ` by ${ref.length === 40 ? ref.slice(0, 12) : ref}`}`,
  );
}
