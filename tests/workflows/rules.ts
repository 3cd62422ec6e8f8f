import { parse } from "yaml";
import { grants, ownCallable } from "./own.ts";
import { eventsOf, type Job, type Step, type Workflow } from "./workflow.ts";

type Finding = { rule: Rule; place: string; problem: string };
export type Rule = keyof typeof rules;
type Report = (place: string, problem: string) => void;

/** References to our actions and workflows, from this repository and from others. */
const ours = /^(?:\.\/\.sluice-action|\.|OWNER\/REPO)\/((?:actions|\.github\/workflows)\/[^@]+)(?:@(.*))?$/;
const pathOf = (uses: string) => ours.exec(uses)?.[1] ?? null;
const jobsOf = (workflow: Workflow) => Object.entries(workflow.jobs ?? {});
const stepsOf = (job: Job) =>
  (job.steps ?? []).map((step, i): [string, Step] => [`step ${step.id ?? step.name ?? step.uses ?? i + 1}`, step]);
const everyStep = (workflow: Workflow) =>
  jobsOf(workflow).flatMap(([id, job]) => stepsOf(job).map(([name, step]): [string, Step] => [`${id}, ${name}`, step]));
const isCheckout = (step: Step) => step.uses?.startsWith("actions/checkout@") === true;
const cancels = (concurrency: unknown) =>
  typeof concurrency === "object" &&
  concurrency !== null &&
  "cancel-in-progress" in concurrency &&
  concurrency["cancel-in-progress"] !== false;

const rules = {
  /**
   * A tag can be moved to other code; a commit cannot. The comment with the version keeps it readable and lets tools
   * update it.
   */
  pinned: (_workflow: Workflow, report: Report, text: string) => {
    for (const [line, , uses = "", rest = ""] of text.matchAll(/^(?!\s*#)(.*\buses: *)"?([^\s"#]+)"?(.*)$/gm)) {
      if (uses.startsWith("./") || uses.startsWith("OWNER/REPO/")) continue;
      if (!/^[\w.-]+\/[\w./-]+@[0-9a-f]{40}$/.test(uses)) report(line.trim(), "is not pinned by a commit of 40 digits");
      else if (!/#\s*v\d+(\.\d+)*/.test(rest)) report(line.trim(), "has no comment with the version");
    }
  },
  "no more than read at the top": ({ permissions }: Workflow, report: Report) => {
    const fine =
      typeof permissions === "object" &&
      permissions !== null &&
      Object.values(permissions).every((access) => access === "read" || access === "none");
    if (!fine) report("permissions", `expected {} or read only, received ${JSON.stringify(permissions ?? null)}`);
  },
  "permissions per job": (workflow: Workflow, report: Report) => {
    for (const [id, job] of jobsOf(workflow))
      if (typeof job.permissions !== "object" || job.permissions === null) report(id, "does not list what it needs");
  },
  /** Even harmless expressions are pasted into the script's text. `env:` can always be used instead. */
  "no expression in a script": (workflow: Workflow, report: Report) => {
    for (const [place, step] of everyStep(workflow)) {
      for (const script of [step.run, step.with?.["script"]])
        if (typeof script === "string" && script.includes("${{"))
          report(place, "pastes an expression into its program; pass it by env");
    }
  },
  "no token left behind": (workflow: Workflow, report: Report) => {
    for (const [place, step] of everyStep(workflow))
      if (isCheckout(step) && step.with?.["persist-credentials"] !== false)
        report(place, "needs persist-credentials: false");
  },
  /** The job's own token cannot read another repository that is private, e.g. a company's copy of this one. */
  "our actions come with a token that may be given": (workflow: Workflow, report: Report) => {
    for (const [place, step] of everyStep(workflow))
      if (
        isCheckout(step) &&
        String(step.with?.["repository"]).includes("job.workflow_repository") &&
        step.with?.["token"] !== "${{ secrets.SLUICE_TOKEN || github.token }}"
      )
        report(place, "needs token: ${{ secrets.SLUICE_TOKEN || github.token }}");
  },
  "no pull_request_target": ({ on }: Workflow, report: Report) => {
    if (eventsOf(on).includes("pull_request_target"))
      report("on", "runs strangers' changes with the repository's rights");
  },
  "bounded in time": (workflow: Workflow, report: Report) => {
    for (const [id, job] of jobsOf(workflow))
      if (job.uses === undefined && typeof job["timeout-minutes"] !== "number") report(id, "has no timeout-minutes");
  },
  "deploys one at a time, each to its end": (workflow: Workflow, report: Report) => {
    for (const [id, job] of jobsOf(workflow)) {
      const deploys =
        job.environment !== undefined ||
        (job.steps ?? []).some(
          (step) =>
            step.uses !== undefined && pathOf(step.uses) === "actions/deploy" && step.with?.["space"] !== "none",
        );
      if (!deploys) continue;
      const guards = [workflow.concurrency, job.concurrency].filter((one) => one !== undefined);
      if (guards.length === 0) report(id, "deploys without concurrency");
      if (guards.some(cancels)) report(id, "deploys in a concurrency group that cancels");
    }
  },
  "our inputs, secrets and permissions": (workflow: Workflow, report: Report) => {
    const given = [
      ...everyStep(workflow).map(([place, { uses, with: inputs }]) => ({ place, uses, inputs, job: null })),
      ...jobsOf(workflow).map(([place, job]) => ({ place, uses: job.uses, inputs: job.with, job })),
    ];
    for (const { place, uses, inputs = {}, job } of given) {
      const path = uses === undefined ? null : pathOf(uses);
      if (path === null) continue;
      const own = ownCallable(path);
      if (own === null) {
        report(place, `${path} is not in this repository, or cannot be called`);
        continue;
      }
      for (const name of Object.keys(inputs))
        if (!own.inputs.includes(name)) report(place, `${path} has no input ${name}`);
      for (const name of own.required) if (!(name in inputs)) report(place, `${path} needs the input ${name}`);
      if (job === null) continue;
      for (const name of typeof job.secrets === "object" && job.secrets !== null ? Object.keys(job.secrets) : [])
        if (!own.secrets.includes(name)) report(place, `${path} has no secret ${name}`);
      const granted = job.permissions ?? workflow.permissions;
      for (const [name, access] of Object.entries(own.permissions))
        if (typeof granted !== "object" || granted === null || !grants(granted[name], access))
          report(place, `${path} needs ${name}: ${access}`);
    }
  },
  "no secret given by the handful": (workflow: Workflow, report: Report) => {
    for (const [id, job] of jobsOf(workflow))
      if (job.secrets === "inherit") report(id, "hands over every secret; name those it needs");
  },
};

/** Everything that our own rules find wrong with a workflow. */
export function findingsOf(text: string): Finding[] {
  const workflow = parse(text) as Workflow;
  return Object.entries(rules).flatMap(([rule, check]) => {
    const found: Finding[] = [];
    check(
      workflow,
      (place, problem) => {
        found.push({ rule: rule as Rule, place, problem });
      },
      text,
    );
    return found;
  });
}
