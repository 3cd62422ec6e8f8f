import type { Permissions, Platform } from "./platform.ts";
import type { WorkflowSource } from "./contexts.ts";
import { commitOf, git, readBlob } from "./git.ts";
import { beyond, permissionsOf } from "./permissions.ts";
import { readWorkflow, type Workflow, type WorkflowFile } from "./workflow.ts";

/** A workflow and the workflows that its jobs call, all read and checked before anything starts. */
export type Prepared = {
  source: WorkflowSource;
  workflow: Workflow;
  called: ReadonlyMap<string, Prepared>;
  /** For a called workflow: the permissions that its caller may give; null for the run's own. */
  ceiling: Permissions | null;
};

const depthLimit = 10;

/** Reads workflow files. Equal content is parsed only once. */
export class WorkflowReader {
  readonly #read = new Map<string, Promise<WorkflowFile>>();
  readonly #platform: Platform;
  constructor(platform: Platform) {
    this.#platform = platform;
  }

  async file(repository: string, name: string, blob: string): Promise<WorkflowFile> {
    const key = `${name}:${blob}`;
    const known = this.#read.get(key);
    if (known !== undefined) return known;
    const reading = readBlob(this.#platform.gitDirectory(repository), blob).then((content) =>
      readWorkflow(name, content),
    );
    this.#read.set(key, reading);
    return reading;
  }

  /** @throws Error with the reason for which GitHub would refuse to start the run */
  async prepare(source: WorkflowSource, file: WorkflowFile, ceiling: Permissions | null, depth = 1): Promise<Prepared> {
    if (file.errors.length > 0) throw new Error(`Invalid workflow file: ${source.path}: ${file.errors.join("; ")}`);
    if (depth > depthLimit) throw new Error(`${source.path}: reusable workflows can be nested ${depthLimit} deep`);
    const { workflow } = file;
    const called = new Map<string, Prepared>();
    for (const [key, job] of Object.entries(workflow.jobs)) {
      const asked = permissionsOf(workflow.permissions, job.permissions, ceiling);
      const tooMuch = ceiling === null ? [] : beyond(asked, ceiling);
      if (tooMuch.length > 0)
        throw new Error(
          `Error calling workflow '${source.path}'. The nested job '${key}' is requesting '${tooMuch.join(", ")}', but is only allowed '${tooMuch.map((one) => `${one.split(":")[0] as string}: ${ceiling?.[one.split(":")[0] as string] ?? "none"}`).join(", ")}'.`,
        );
      if (job.uses !== undefined) called.set(key, await this.#called(source, job.uses, asked, depth));
    }
    return { source, workflow, called, ceiling };
  }

  async #called(caller: WorkflowSource, uses: string, ceiling: Permissions, depth: number): Promise<Prepared> {
    const local = /^\.\/(\.github\/workflows\/[^/]+\.ya?ml)$/.exec(uses);
    const remote = /^([^/]+\/[^/]+)\/(\.github\/workflows\/[^/]+\.ya?ml)@(.+)$/.exec(uses);
    if (local === null && remote === null) throw new Error(`invalid value workflow reference: ${uses}`);
    const repository = remote?.[1] ?? caller.repository;
    const path = (local?.[1] ?? remote?.[2]) as string;
    const directory = this.#platform.gitDirectory(repository);
    const sha = remote === null ? caller.sha : await commitOf(directory, remote[3] as string);
    const blob = (await git(directory, ["rev-parse", "--verify", "--quiet", `${sha}:${path}`]).catch(() => "")).trim();
    if (blob === "") throw new Error(`error parsing called workflow "${uses}": workflow was not found`);
    const file = await this.file(repository, path.split("/").at(-1) as string, blob);
    if (file.workflow.events["workflow_call"] === undefined)
      throw new Error(`error parsing called workflow "${uses}": it has no workflow_call trigger`);
    return this.prepare(
      { repository, sha, ref: remote === null ? caller.ref : (remote[3] as string), path },
      file,
      ceiling,
      depth + 1,
    );
  }
}
