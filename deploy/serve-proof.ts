import {
  DEPLOYED_FILE,
  deployedSchema,
  GOLDEN_FILE,
  goldenSchema,
  parseTreeFile,
  type Deployed,
  type Golden,
} from "./bundle/deployed.ts";
import type { Context } from "./context.ts";
import { DeployFailure } from "./hub/failure.ts";
import type { Runtime } from "./hub/space.ts";
import { prove, type Proof } from "./prove/prove.ts";
import type { Settings } from "./hub/settings.ts";
import { tailOf, waitForRevision } from "./wait.ts";

/** 5 MB a second: the slowest download from the Hub to a Space that we allow for. */
const slowestBytesPerMs = 5000;

/** What a revision of a Space says about itself; null if it was not made by us. */
export async function recordOf(
  context: Context,
  revision: string,
): Promise<{ deployed: Deployed; golden: Golden } | null> {
  const [record, golden] = [
    await context.space.read(revision, DEPLOYED_FILE),
    await context.space.read(revision, GOLDEN_FILE),
  ];
  if (record === null || golden === null) return null;
  try {
    return {
      deployed: parseTreeFile(deployedSchema, record, DEPLOYED_FILE),
      golden: parseTreeFile(goldenSchema, golden, GOLDEN_FILE),
    };
  } catch {
    return null;
  }
}

/** The app's address. */
export function urlOf(context: Context, runtime: Runtime): string | null {
  return runtime.domain === null ? null : `${context.scheme}//${runtime.domain}`;
}

/** Waits for a revision and proves it. @throws DeployFailure */
export async function waitAndProve(
  context: Context,
  revision: string,
  expected: { deployed: Deployed; golden: Golden },
  isPrivate: boolean,
): Promise<{ proof: Proof; url: string }> {
  const { space, settings, deps, http, timeline } = context;
  timeline.stage("wait", `for ${revision.slice(0, 7)} to run`);
  const runtime = await waitForRevision(revision, space, settings, {
    ...deps,
    http,
    onStage: (text) => {
      timeline.stage("stage", text);
    },
    onLog: (line) => {
      timeline.log(line);
    },
  });
  const url = urlOf(context, runtime);
  if (url === null) throw new DeployFailure("no-domain", "the Hub names no address for the running Space");
  timeline.stage("prove", url);
  // The server listens before it has its large weights from the Hub. Proving waits for that download too.
  const settingsWithFetchTime = {
    ...settings,
    "prove-timeout": settings["prove-timeout"] + (expected.deployed.weights?.bytes ?? 0) / slowestBytesPerMs,
  };
  try {
    return { proof: await proveAt(context, url, expected, isPrivate, settingsWithFetchTime), url };
  } catch (error) {
    // The app's own log explains the failure best.
    if (error instanceof DeployFailure && error.log.length === 0)
      throw new DeployFailure(error.code, error.message, {
        cause: error,
        log: await tailOf(space, "run", null, settings, deps),
      });
    throw error;
  }
}

/** One round of proof of what serves now, before it is replaced. If it passes, we can go back to it. */
export async function provesNow(
  context: Context,
  url: string,
  expected: { deployed: Deployed; golden: Golden },
  isPrivate: boolean,
): Promise<boolean> {
  try {
    await proveAt(context, url, expected, isPrivate, { ...context.settings, passes: 1, probes: 1, "prove-timeout": 0 });
    return true;
  } catch {
    context.deps.signal.throwIfAborted();
    return false;
  }
}

function proveAt(
  context: Context,
  url: string,
  { deployed, golden }: { deployed: Deployed; golden: Golden },
  isPrivate: boolean,
  settings: Settings,
): Promise<Proof> {
  return prove(url, deployed, golden, isPrivate ? context.space.token : null, settings, {
    ...context.deps,
    http: context.http,
    onRound: (text) => {
      context.timeline.note(text);
    },
  });
}
