import { ConfigurationError, type Diagnostic } from "../models/core/errors.ts";
import type { LargeWeights } from "./bundle/hub-weights.ts";
import type { TreeFile } from "./bundle/tree.ts";
import { sameContent } from "./content.ts";
import { commitDeps, type Context } from "./context.ts";
import { commitOnce, HeadMoved, Overtaken } from "./hub/commit-once.ts";
import { HttpRefusal } from "./hub/http.ts";
import type { HubRepository } from "./hub/repository.ts";
import { uploadNotes } from "./upload-notes.ts";

/** What the plan and its refusals need to know about the model repository. */
export type WeightsState = {
  repository: string;
  head: string;
  /** The commit that contains the weights; null if none does yet. */
  revision: string | null;
  private: boolean;
  /** Whether the Space has a secret HF_TOKEN; null if this token may not list its secrets, or if none is needed. */
  secret: boolean | null;
  bytes: number;
};

/**
 * How many attempts to commit to the model repository if others keep committing. Their files do not conflict with ours.
 */
const maxAttempts = 5;

/**
 * Reads the state of large weights in their model repository. Changes nothing.
 *
 * @throws ConfigurationError if the repository cannot be used
 */
export async function readWeightsState(
  context: Context,
  repository: HubRepository,
  weights: LargeWeights,
): Promise<WeightsState> {
  const { private: isPrivate, head } = await explainRefusals(repository, () => repository.info());
  const names = isPrivate ? await context.space.secretNames() : null;
  return {
    repository: repository.name,
    head,
    revision: await revisionOf(repository, head, weights.files),
    private: isPrivate,
    secret: names === null ? null : names.includes("HF_TOKEN"),
    bytes: weights.bytes,
  };
}

/** Why the Space could not fetch these weights and would not start. Pure. */
export function weightsRefusals({ repository, private: isPrivate, secret }: WeightsState, space: string): Diagnostic[] {
  if (!isPrivate || secret !== false) return [];
  return [
    {
      code: "weights-secret",
      place: `spaces/${space}`,
      problem: `the weights lie in ${repository}, which is private, and the Space has no token to fetch them with`,
      expected: "a secret HF_TOKEN of the Space that may read the model repository",
      received: "no such secret",
      hint: "add it once in the Space's Settings → Variables and secrets (a fine-grained token, read access to that repository alone)",
    },
  ];
}

/**
 * Commits large weights to their model repository, once. Weights that are already there keep the commit that added
 * them, so that every later tree is the same.
 *
 * @returns the revision to pin
 */
export async function publishWeights(
  context: Context,
  repository: HubRepository,
  weights: LargeWeights,
  seen: WeightsState,
  title: string,
): Promise<string> {
  if (seen.revision !== null) return seen.revision;
  const { timeline, deps, logUrl } = context;
  const mark = `[${context.mark} weights]`;
  let parent = seen.head;
  for (let attempt = 1; ; attempt += 1) {
    const progress = uploadNotes((text) => timeline.note(text), deps.monotonic, ` to ${repository.name}`);
    const lines = await explainRefusals(repository, () => repository.upload(weights.files, progress));
    deps.signal.throwIfAborted();
    try {
      const made = await explainRefusals(repository, () =>
        commitOnce(
          repository,
          {
            lines,
            parent,
            title,
            description: `${logUrl ?? ""} ${mark}`.trim(),
            mark,
            isDone: async (head) => (await revisionOf(repository, head, weights.files)) !== null,
          },
          commitDeps(context),
        ),
      );
      return (await revisionOf(repository, made, weights.files)) ?? made;
    } catch (error) {
      if (!(error instanceof HeadMoved || error instanceof Overtaken) || attempt >= maxAttempts) throw error;
      const { head } = await repository.info();
      const found = await revisionOf(repository, head, weights.files);
      if (found !== null) return found;
      timeline.note(`${error.message}; its files are no obstacle: once more on top of it`);
      parent = head;
    }
  }
}

/**
 * The commit that added these files, as seen from `head`; null if `head` does not contain them. Later commits do not
 * change the result.
 */
async function revisionOf(repository: HubRepository, head: string, files: readonly TreeFile[]): Promise<string | null> {
  const held = await holds(repository, head, files);
  if (held === null) return null;
  return held === head || (held.length > 0 && (await holds(repository, held, files)) !== null) ? held : head;
}

/** The commit that last changed the first of these files; null if the revision does not contain them all. */
async function holds(repository: HubRepository, revision: string, files: readonly TreeFile[]): Promise<string | null> {
  const found = await repository.find(
    revision,
    files.map(({ path }) => path),
  );
  const same = files.every((file) => {
    const there = found.find(({ path }) => path === file.path);
    return there !== undefined && sameContent(file, there);
  });
  return same ? (found.find(({ path }) => path === files[0]!.path)!.lastCommit ?? revision) : null;
}

/** Turns the Hub's refusals about a model repository into errors that say what to do. */
async function explainRefusals<T>({ name }: HubRepository, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof HttpRefusal)) throw error;
    const missing: Diagnostic = {
      code: "weights-repository",
      place: `models/${name}`,
      problem:
        "the weights are too large for the Space, and there is no such model repository, or this token may not see it",
      expected: "a model repository that exists: deploying never creates one",
      hint: `create it once at https://huggingface.co/new; or name another in sluice.yaml (\`weights:\`); or keep the weights in the Space with the setting max-weights-bytes`,
    };
    const denied: Diagnostic = {
      code: "weights-denied",
      place: `models/${name}`,
      problem: "the Hub does not let this token write the weights there",
      expected: "a token with write access to the model repository too, or a trusted publisher for it",
      received: error.message,
    };
    const full: Diagnostic = {
      ...denied,
      code: "weights-storage",
      problem: "the storage of the model repository's owner is used up",
      expected: "room for the weights of this version",
      hint: "make room or buy storage on the Hub (Settings → Billing)",
    };
    const diagnostic =
      error.status === 404 || (error.status === 401 && error.errorCode === "RepoNotFound")
        ? missing
        : error.status === 401 || error.status === 403
          ? error.isStorageFull
            ? full
            : denied
          : null;
    if (diagnostic === null) throw error;
    throw new ConfigurationError(diagnostic, { cause: error });
  }
}
