import { ConfigurationError, type Diagnostic } from "../models/core/errors.ts";
import type { Deployed } from "./bundle/deployed.ts";
import type { Context } from "./context.ts";
import { HttpRefusal } from "./hub/http.ts";
import { hasRecord, missingDiagnostic, paymentDiagnostic, type CurrentState } from "./plan.ts";
import { verifiedRevisions, type Verified } from "./record/deployments.ts";
import { releasedAs } from "./record/release.ts";
import { provesNow, recordOf, urlOf } from "./serve-proof.ts";

/** Reads everything that the plan depends on. Changes nothing. */
export async function readState(context: Context, model: Deployed["model"]): Promise<CurrentState> {
  const { space, github, environment } = context;
  const info = await hubAnswer(context, () => space.info());
  const [files, runtime] = [await space.tree(info.head), await space.runtime()];
  const verified = github === null ? [] : await verifiedRevisions(github, environment, space.name);
  const released = github === null ? null : await releasedAs(github, model.id, model.version);
  return { space: space.name, info, runtime, files, verified, released };
}

/**
 * If what serves now passes the proof, it becomes a revision to go back to, no matter who deployed it or what GitHub
 * has recorded.
 *
 * @returns the state with HEAD first among the proved revisions, or unchanged
 */
export async function withLivePredecessor(context: Context, state: CurrentState): Promise<CurrentState> {
  const { info, runtime, files, verified } = state;
  if (
    verified.some(({ commit }) => commit === info.head) ||
    runtime.stage !== "RUNNING" ||
    runtime.sha !== info.head ||
    !hasRecord(files)
  )
    return state;
  const url = urlOf(context, runtime);
  const record = url === null ? null : await recordOf(context, info.head);
  if (url === null || record === null || !(await provesNow(context, url, record, info.private))) return state;
  const { id, version } = record.deployed.model;
  const live: Verified = { commit: info.head, model: id, version, source: "it serves now and proves itself" };
  return { ...state, verified: [live, ...verified] };
}

/** Turns the Hub's refusals into errors that say what to do. */
export async function hubAnswer<T>(context: Context, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof HttpRefusal)) throw error;
    const { name } = context.space;
    const denied: Diagnostic = {
      code: "hub-denied",
      place: `spaces/${name}`,
      problem: "the Hub does not let this token do that",
      expected: "a token with write access to the Space, or a trusted publisher for it",
      received: error.message,
    };
    const full: Diagnostic = {
      ...denied,
      code: "hub-storage",
      problem: "the storage of the Space's owner is used up",
      expected: "room for the files of this version",
      hint: "make room or buy storage on the Hub (Settings → Billing); old large files count as long as a commit names them",
    };
    const unknown: Diagnostic = {
      ...denied,
      code: "hub-token",
      problem: "the Hub does not know this token",
      expected: "a token that is valid, with write access to the Space",
    };
    const diagnostic =
      error.status === 402
        ? paymentDiagnostic(name)
        : error.status === 404
          ? missingDiagnostic(name)
          : error.status === 401
            ? error.errorCode === "RepoNotFound"
              ? missingDiagnostic(name)
              : unknown
            : error.isStorageFull
              ? full
              : error.status === 403
                ? denied
                : null;
    if (diagnostic === null) throw error;
    throw new ConfigurationError(diagnostic, { cause: error });
  }
}
