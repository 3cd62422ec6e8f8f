import type { Deployed } from "./bundle/deployed.ts";
import type { Tree } from "./bundle/tree.ts";
import type { Context } from "./context.ts";
import type { FallBack } from "./fall-back.ts";
import type { Proof } from "./prove/prove.ts";
import { HttpRefusal } from "./hub/http.ts";
import { releaseMessage, releaseTag } from "../github/registry/release.ts";
import type { DeploymentPayload } from "../github/registry/deployment.ts";
import { closeAbandoned, openDeployment } from "./record/deployments.ts";
import { tagProduction } from "./record/production.ts";
import type { StatusWanted } from "./record/github-records.ts";
import { tagRelease } from "./record/release.ts";

/**
 * Records a deployment on GitHub. A record that cannot be written is noted in the receipt and never changes what is
 * deployed.
 */
export class Recorder {
  readonly problems: string[] = [];
  deployment: number | null = null;
  tag: string | null = null;
  readonly #context: Context;
  readonly #tree: Pick<Tree, "deployed" | "files">;
  readonly #kind: DeploymentPayload["kind"];

  constructor(context: Context, tree: Pick<Tree, "deployed" | "files">, kind: DeploymentPayload["kind"] = "deploy") {
    this.#context = context;
    this.#tree = tree;
    this.#kind = tree.deployed.rollout === undefined ? kind : "rollout";
  }

  /** Runs something whose failure must not fail the deployment. */
  async attempt(what: string, act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      const denied = error instanceof HttpRefusal && (error.status === 403 || error.status === 404);
      const words = `${what} (${(error as Error).message}${denied ? "; the job needs `permissions: deployments: write, contents: write`" : ""})`;
      this.problems.push(words);
      this.#context.timeline.note(words);
    }
  }

  async begin(revision: string): Promise<void> {
    await this.attempt("the deployment could not be recorded", async () => {
      this.deployment = await this.#open(this.#context, revision);
      await this.#status(this.#context, this.deployment, {
        state: "in_progress",
        description: `${this.#words()} is being built`,
        environmentUrl: null,
      });
    });
    const { github, environment, space, logUrl } = this.#context;
    const { deployment } = this;
    if (github !== null && deployment !== null)
      await this.attempt("an earlier deployment could not be closed", () =>
        closeAbandoned(github, environment, space.name, deployment, logUrl),
      );
  }

  async success(revision: string, url: string, proof: Proof): Promise<void> {
    const { github, commit } = this.#context;
    if (github === null || commit === null) return;
    const beside = this.#tree.deployed.rollout?.candidate.model.version;
    await this.attempt("the success could not be recorded", async () => {
      this.deployment ??= await this.#open(this.#context, revision);
      await this.#status(this.#context, this.deployment, {
        state: "success",
        description: `${this.#words()}${beside === undefined ? "" : ` and ${beside} beside it`} proved: ${proof.rounds} rounds, p50 ${proof.p50Ms.toFixed(0)} ms`,
        environmentUrl: url,
      });
    });
    // Nothing was released, and production serves what it served: a roll-out begins.
    if (beside !== undefined) return;
    const { id, version } = this.#tree.deployed.model;
    const tag = releaseTag(id, version);
    await this.attempt(`the tag ${tag} could not be written`, async () => {
      await tagRelease(github, tag, releaseMessage(id, version, this.#releaseRecord(), commit), commit);
      this.tag = tag;
    });
    await this.#inProduction(this.#context, this.#tree.deployed);
  }

  /**
   * Records that a revision failed. This comes before the old one is restored, so that a run that goes on after a kill
   * knows.
   *
   * @param state error if the revision was not found wrong
   * @param next what happens now, for people
   */
  async failed(
    context: Context,
    revision: string,
    state: "failure" | "error",
    reason: string,
    next: string,
  ): Promise<void> {
    const { github } = context;
    if (github === null) return;
    await this.attempt("the failure could not be recorded", async () => {
      if (this.deployment === null) {
        this.deployment = await this.#open(context, revision);
        if (this.deployment !== null && (await github.states(this.deployment))[0] === "failure") return;
      }
      await this.#status(context, this.deployment, {
        state,
        description: `${reason}. ${next}`,
        environmentUrl: null,
      });
    });
  }

  /**
   * Records how a deployment ended that was neither proved nor undone.
   *
   * @param revision null if it is not known whether there is one
   */
  async ended(context: Context, revision: string | null, state: "inactive" | "error", words: string): Promise<void> {
    if (context.github === null) return;
    await this.attempt("the end could not be recorded", async () => {
      this.deployment ??= await this.#open(context, revision ?? "unknown");
      await this.#status(context, this.deployment, { state, description: words, environmentUrl: null });
    });
  }

  /** Records a proved return to an earlier tree, if that can be recorded. */
  async returned(context: Context, back: FallBack & { done: true }): Promise<void> {
    if (context.github === null) return;
    await this.attempt("the roll-back could not be recorded", async () => {
      await this.restored(context, back);
    });
  }

  /**
   * Records a proved return to an earlier tree as a deployment of its own, because a later one may have to go back to
   * it.
   */
  async restored(context: Context, back: FallBack & { done: true }): Promise<number> {
    const payload = payloadOf(context, "rollback", back.revision, back.deployed);
    const id = await openDeployment(
      context.github!,
      context.environment,
      payload,
      context.commit!,
      `${back.to.model} ${back.to.version}, restored`,
    );
    await this.#status(context, id, {
      state: "success",
      description: `${back.to.model} ${back.to.version} restored and proved, p50 ${back.proof.p50Ms.toFixed(0)} ms`,
      environmentUrl: back.url,
    });
    await this.#inProduction(context, back.deployed);
    return id;
  }

  async #inProduction({ github, environment, deps }: Context, deployed: Deployed): Promise<void> {
    if (github === null) return;
    await this.attempt(
      `what production serves could not be tagged, so the gate's baseline is still what was tagged before: let the job create tags ${environment}@*, then run this again`,
      () => tagProduction(github, environment, deployed, new Date(deps.now())),
    );
  }

  async #open(context: Context, revision: string): Promise<number | null> {
    if (context.github === null || context.commit === null) return null;
    return openDeployment(
      context.github,
      context.environment,
      payloadOf(context, this.#kind, revision, this.#tree.deployed),
      context.commit,
      this.#words(),
    );
  }

  async #status(context: Context, deployment: number | null, status: Omit<StatusWanted, "logUrl">): Promise<void> {
    if (deployment === null || context.github === null) return;
    await context.github.addStatus(deployment, { ...status, logUrl: context.logUrl });
  }

  #words(): string {
    const { id, version } = this.#tree.deployed.model;
    return `${id} ${version}`;
  }

  /** The gate's record of the version, if the tree contains one; otherwise what is known about it. */
  #releaseRecord(): string {
    const {
      deployed: { files: _files, ...known },
      files,
    } = this.#tree;
    const record = files.find(({ path }) => path === `models/${known.model.id}/receipt.json`);
    return record === undefined ? JSON.stringify(known, null, 1) : Buffer.from(record.bytes).toString("utf8").trimEnd();
  }
}

function payloadOf(
  context: Context,
  kind: DeploymentPayload["kind"],
  spaceCommit: string,
  { model: { id, version, sha256 }, verdict }: Pick<Deployed, "model" | "verdict">,
): DeploymentPayload {
  return {
    schemaVersion: 1,
    kind,
    space: context.space.name,
    spaceCommit,
    model: { id, version, sha256 },
    verdictSha256: verdict.sha256,
    reason: context.reason,
    actor: context.actor,
  };
}
