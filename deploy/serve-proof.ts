import {
  DEPLOYED_FILE,
  deployedSchema,
  GOLDEN_FILE,
  goldenSchema,
  parseTreeFile,
  type Expected,
} from "./bundle/deployed.ts";
import type { Tree } from "./bundle/tree.ts";
import type { Context } from "./context.ts";
import { Overtaken } from "./hub/commit-once.ts";
import { DeployFailure } from "./hub/failure.ts";
import type { Runtime } from "./hub/space.ts";
import { prove, type Proof } from "./prove/prove.ts";
import type { Settings } from "./hub/settings.ts";
import { treeDigest } from "../models/core/tree-digest.ts";
import { lookAt, tailOf, waitForRevision, type Awaited, type WaitDeps } from "./wait.ts";

/** 5 MB a second: the slowest download from the Hub to a Space that we allow for. */
const slowestBytesPerMs = 5000;

/** How often a revision may stop running during its proof, and start again, before it counts as unstable. */
const maxRelapses = 3;

/** What a revision of a Space says about itself; null if it was not made by us. */
export async function recordOf(context: Context, revision: string): Promise<Expected | null> {
  const [record, golden] = [
    await context.space.read(revision, DEPLOYED_FILE),
    await context.space.read(revision, GOLDEN_FILE),
  ];
  if (record === null || golden === null) return null;
  try {
    return {
      deployed: parseTreeFile(deployedSchema, record, DEPLOYED_FILE),
      golden: parseTreeFile(goldenSchema, golden, GOLDEN_FILE),
      treeDigest: treeDigest(record),
    };
  } catch {
    return null;
  }
}

/** What a tree will be proved by. */
export function expectedOf({ deployed, golden, files, candidate }: Tree): Expected {
  const record = files.find(({ path }) => path === DEPLOYED_FILE)!;
  return {
    deployed,
    golden,
    treeDigest: treeDigest(record.bytes),
    ...(candidate === undefined ? {} : { candidate }),
  };
}

/** The app's address. */
export function urlOf(context: Context, runtime: Runtime): string | null {
  return runtime.domain === null ? null : `${context.scheme}//${runtime.domain}`;
}

/**
 * Waits for a revision and proves it. While it is being proved, the stage, the revision and main are looked at again: one
 * that stops running is waited for again, a few times.
 *
 * @param onStep called at every change between waiting and proving
 * @throws DeployFailure, Overtaken among them; HttpRefusal, NoAnswer if the Hub does not answer any more
 */
export async function waitAndProve(
  context: Context,
  awaited: Awaited,
  expected: Expected,
  isPrivate: boolean,
  onStep: (step: "building" | "proving") => void,
): Promise<{ proof: Proof; url: string }> {
  const { space, settings, deps, http, timeline } = context;
  const waitDeps: WaitDeps = {
    ...deps,
    http,
    onStage: (text) => {
      timeline.stage("stage", text);
    },
    onLog: (line) => {
      timeline.log(line);
    },
  };
  let until: number | null = null;
  for (let relapses = 0; ; relapses += 1) {
    onStep("building");
    timeline.stage("wait", `for ${awaited.commit.slice(0, 7)} to run`);
    const runtime = await waitForRevision(awaited, space, settings, waitDeps);
    const url = urlOf(context, runtime);
    if (url === null) throw new DeployFailure("no-domain", "the Hub names no address for the running Space");
    onStep("proving");
    timeline.stage("prove", url);
    // The server listens before it has its large weights from the Hub. Proving waits for that download too.
    until ??=
      deps.monotonic() + settings["prove-timeout"] + (expected.deployed.weights?.bytes ?? 0) / slowestBytesPerMs;
    try {
      const stillRuns = async () => {
        const { stage, sha } = await lookAt(awaited, space, settings, waitDeps);
        if (stage !== "RUNNING" || sha !== awaited.commit) throw new StoppedRunning(stage, sha);
      };
      return { proof: await proveAt(context, url, expected, isPrivate, settings, until, stillRuns), url };
    } catch (error) {
      if (error instanceof StoppedRunning) {
        timeline.note(error.message);
        if (relapses < maxRelapses) continue;
        throw new DeployFailure("unstable", `${error.message}, for the ${maxRelapses + 1}th time`, {
          log: await tailOf(space, "run", null, settings, deps),
        });
      }
      // The app's own log explains the failure best.
      if (error instanceof DeployFailure && !(error instanceof Overtaken) && error.log.length === 0)
        throw new DeployFailure(error.code, error.message, {
          cause: error,
          log: await tailOf(space, "run", null, settings, deps),
        });
      throw error;
    }
  }
}

/** Our revision no longer runs. What becomes of it is for the next wait to find out. */
class StoppedRunning extends Error {
  constructor(stage: string, sha: string | null) {
    super(
      `the Space stopped running our revision during its proof (${stage}${sha === null ? "" : ` ${sha.slice(0, 7)}`})`,
    );
  }
}

/** One round of proof of what serves now, before it is replaced. If it passes, we can go back to it. */
export async function provesNow(
  context: Context,
  url: string,
  expected: Expected,
  isPrivate: boolean,
): Promise<boolean> {
  try {
    const settings = { ...context.settings, passes: 1, probes: 1, "poll-interval": 0 };
    await proveAt(context, url, expected, isPrivate, settings, context.deps.monotonic(), async () => {});
    return true;
  } catch {
    context.deps.signal.throwIfAborted();
    return false;
  }
}

function proveAt(
  context: Context,
  url: string,
  expected: Expected,
  isPrivate: boolean,
  settings: Settings,
  until: number,
  stillRuns: () => Promise<void>,
): Promise<Proof> {
  return prove(url, expected, isPrivate ? context.space.token : null, settings, until, {
    ...context.deps,
    http: context.http,
    onRound: (text) => {
      context.timeline.note(text);
    },
    stillRuns,
  });
}
