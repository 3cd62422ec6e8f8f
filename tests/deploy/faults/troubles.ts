import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Deployed } from "../../../rehearsal/hub/space.ts";
import type { FaultRule } from "../../../rehearsal/hub/faults.ts";
import { Stage, type DeployAction, type DeployRun, type StageOptions } from "../stage.ts";

/**
 * Something that goes wrong in a way that no single request shows. 1.0.0 is live and proved, and 1.1.0 is to be
 * deployed.
 */
export type Trouble = {
  name: string;
  /** Whether the test suite plays it too. */
  telling?: true;
  options?: StageOptions;
  /** @returns what is not as it should be */
  play: (stage: Stage) => Promise<string[]>;
};

const isNew = (deployed: Deployed) => deployed?.model?.version === "1.1.0";
const down = (status: number, times: number, path: RegExp): FaultRule => ({
  path,
  times,
  fault: { kind: "status", status, effect: false },
});
const everything = /^\/api\//;
const commitPath = /\/commit\/main$/;

/** After the commit has taken effect, its answer is lost and `act` is done. */
function afterCommit({ hub }: Stage, act: () => void, skip = 0): void {
  hub.faults.push({ method: "POST", path: commitPath, skip, times: 1, fault: { kind: "then", run: act } });
}

function byHand(stage: Stage): void {
  const { space } = stage.hub;
  space.repository.apply(
    [
      { key: "header", value: { summary: "by hand" } },
      { key: "file", value: { path: "note.txt", content: "mine" } },
    ],
    "owner",
  );
  space.changed();
}

/** A person's commit with the files of the first deployment. */
function revertByHand(stage: Stage): void {
  const { repository } = stage.hub.space;
  const [, first] = repository.log().toReversed();
  const current = repository.commit("main")!;
  repository.apply(
    [
      { key: "header", value: { summary: "revert by hand" } },
      ...[...current.tree.keys()]
        .filter((path) => !first!.tree.has(path))
        .map((path) => ({ key: "deletedFile" as const, value: { path } })),
      ...[...first!.tree].map(([path, { lfs }]) =>
        lfs === null
          ? {
              key: "file" as const,
              value: { path, content: repository.read(first!, path)!.toString("base64"), encoding: "base64" as const },
            }
          : { key: "lfsFile" as const, value: { path, algo: "sha256", oid: lfs.oid, size: lfs.size } },
      ),
    ],
    "owner",
  );
  stage.hub.space.changed();
}

/** At the next round of proof the Hub says twice that the app is starting. @param times for how many rounds */
function leaveRunning({ hub }: Stage, times: number): void {
  const run = () => {
    const body = { ...hub.space.runtime(hub.domain), stage: "APP_STARTING" };
    hub.faults.push({ path: /\/runtime$/, times: 2, fault: { kind: "status", status: 200, body, effect: false } });
  };
  hub.appFaults.push({ path: /^\/readyz$/, times, fault: { kind: "before", run } });
}

const words = (value: unknown) => JSON.stringify(value);
const same = (what: string, received: unknown, expected: unknown): string[] =>
  words(received) === words(expected) ? [] : [`${what}: expected ${words(expected)}, received ${words(received)}`];
const says = (run: DeployRun, text: string): string[] =>
  `${run.receipt?.reason}\n${run.log}`.includes(text)
    ? []
    : [`nothing says "${text}": ${run.receipt?.reason ?? run.log.slice(-300)}`];
const ended = (run: DeployRun, code: number, outcome: string): string[] =>
  same("exit and outcome", [run.code, run.outputs["outcome"]], [code, outcome]);

const first = "Deploy births 1.0.0";
const second = "Deploy births 1.1.0";
const back = "Restore births 1.0.0";
const was = "births-production deploy 1.0.0: success";

async function isLive(stage: Stage, run: DeployRun): Promise<string[]> {
  return [
    ...ended(run, 0, "live"),
    ...same("serves", await stage.serves(), "1.1.0"),
    ...same("commits", stage.commits(), [first, second]),
    ...same("records", stage.records(), [was, "births-production deploy 1.1.0: in_progress success"]),
  ];
}

async function isBack(stage: Stage, run: DeployRun): Promise<string[]> {
  return [
    ...ended(run, 1, "rolled-back"),
    ...same("serves", await stage.serves(), "1.0.0"),
    ...same("commits", stage.commits(), [first, second, back]),
    ...same("records", stage.records(), [
      was,
      "births-production deploy 1.1.0: in_progress failure",
      "births-production rollback 1.0.0: success",
    ]),
  ];
}

/** Nothing was restarted or restored over what somebody else committed last, under `title`. */
function isOvertaken(stage: Stage, run: DeployRun, title: string): string[] {
  const { space } = stage.hub;
  return [
    ...ended(run, 1, "overtaken"),
    ...same("commits", stage.commits(), [first, second, title]),
    ...same("restarts", [space.restarts, space.factoryRebuilds], [0, 0]),
    ...same("state of the Deployment", stage.records().at(-1)?.split(" ").at(-1), "inactive"),
  ];
}

export const troubles: readonly Trouble[] = [
  {
    name: "the commit's answer is lost, and then come 60 answers of 503",
    telling: true,
    play: async (stage) => {
      afterCommit(stage, () => stage.hub.faults.push(down(503, 60, everything)));
      return isLive(stage, await stage.deploy());
    },
  },
  {
    name: "the commit's answer is lost, and the Hub stays away",
    telling: true,
    play: async (stage) => {
      afterCommit(stage, () => stage.hub.faults.push(down(503, 100_000, everything)));
      const run = await stage.deploy({ settings: "build-timeout=1" });
      const problems = [
        ...ended(run, 3, "unknown"),
        ...says(run, "Next: look at"),
        ...same("records", stage.records(), [was, "births-production deploy 1.1.0: error"]),
        ...same("spaceCommit", run.receipt?.spaceCommit, null),
      ];
      stage.hub.faults.length = 0;
      const again = await stage.deploy();
      return [
        ...problems,
        ...ended(again, 0, "live"),
        ...same("commits", stage.commits(), [first, second]),
        ...same("last record", stage.records().at(-1), "births-production deploy 1.1.0: in_progress success"),
      ];
    },
  },
  {
    name: "the commit's answer is lost, and listings and logs are empty once",
    play: async (stage) => {
      const empty = (path: RegExp): FaultRule => ({
        path,
        times: 1,
        fault: { kind: "status", status: 200, body: [], effect: false },
      });
      afterCommit(stage, () => stage.hub.faults.push(empty(/\/commits\/main$/), empty(/\/tree\//)));
      return isLive(stage, await stage.deploy());
    },
  },
  {
    name: "the look-ups of what runs are refused with 401, 403, 404 and 423, and answered with what is no JSON, once each",
    telling: true,
    options: { hub: { behaviour: { buildMs: 500 } } },
    play: async (stage) => {
      const once = (status: number, body?: unknown): FaultRule => ({
        path: /\/runtime$/,
        skip: 1,
        times: 1,
        fault: { kind: "status", status, effect: false, ...(body === undefined ? {} : { body }) },
      });
      afterCommit(stage, () => {
        stage.hub.faults.push(...[401, 403, 404, 423].map((status) => once(status)));
        stage.hub.faults.push(once(200, Buffer.from("<html>")), once(200, { stage: null }));
      });
      return isLive(stage, await stage.deploy());
    },
  },
  {
    name: "somebody commits right after ours, whose answer is lost",
    telling: true,
    play: async (stage) => {
      afterCommit(stage, () => {
        byHand(stage);
      });
      return isOvertaken(stage, await stage.deploy(), "by hand");
    },
  },
  {
    name: "somebody commits while a stalled Space would be restarted",
    options: { hub: { behaviour: { stalls: (deployed) => (isNew(deployed) ? "always" : "never") } } },
    play: async (stage) => {
      afterCommit(stage, () => {
        setTimeout(() => {
          byHand(stage);
        }, 300);
      });
      return isOvertaken(stage, await stage.deploy(), "by hand");
    },
  },
  {
    name: "a person reverts a version that does not build",
    telling: true,
    options: { hub: { behaviour: { breaksBuild: isNew, buildMs: 400 } } },
    play: async (stage) => {
      afterCommit(stage, () => {
        setTimeout(() => {
          revertByHand(stage);
        }, 200);
      });
      const run = await stage.deploy();
      return [...isOvertaken(stage, run, "revert by hand"), ...same("records", stage.records().length, 2)];
    },
  },
  {
    name: "somebody commits during the proof",
    play: async (stage) => {
      afterCommit(stage, () => {
        stage.hub.appFaults.push({
          method: "POST",
          path: /^\/predict$/,
          skip: 3,
          times: 1,
          fault: {
            kind: "before",
            run: () => {
              byHand(stage);
            },
          },
        });
      });
      return isOvertaken(stage, await stage.deploy(), "by hand");
    },
  },
  {
    name: "the app ends during the proof",
    telling: true,
    play: async (stage) => {
      afterCommit(stage, () => {
        const crash = {
          kind: "before" as const,
          run: () => {
            if (isNew(stage.hub.space.deployed(stage.hub.space.sha!))) void stage.hub.space.live?.stop();
          },
        };
        stage.hub.appFaults.push({ method: "POST", path: /^\/predict$/, times: 1, fault: crash });
      });
      const run = await stage.deploy({ settings: "prove-timeout=60" });
      return [...(await isBack(stage, run)), ...says(run, "the app does not run (RUNTIME_ERROR")];
    },
  },
  {
    name: "the stage leaves RUNNING once during the proof, and comes back",
    play: async (stage) => {
      afterCommit(stage, () => {
        leaveRunning(stage, 1);
      });
      const run = await stage.deploy();
      return [...(await isLive(stage, run)), ...says(run, "the Space stopped running our revision during its proof")];
    },
  },
  {
    name: "the stage leaves RUNNING again and again",
    telling: true,
    play: async (stage) => {
      afterCommit(stage, () => {
        leaveRunning(stage, 4);
      });
      const run = await stage.deploy();
      return [...(await isBack(stage, run)), ...says(run, "for the 4th time")];
    },
  },
  {
    name: "two replicas answer at one address, one of them the old revision's",
    telling: true,
    options: { hub: { behaviour: { keepsOld: isNew } } },
    play: async (stage) => {
      const run = await stage.deploy({ settings: "prove-timeout=2" });
      return [...(await isBack(stage, run)), ...says(run, "two revisions answer at this address")];
    },
  },
  {
    name: "the receipt cannot be written, and neither can the outputs",
    telling: true,
    play: async (stage) => {
      mkdirSync(join(stage.repository.dir, ".sluice/deployment.json"));
      const run = await stage.deploy();
      const result = JSON.parse(run.outputs["result"] ?? "{}") as { outcome?: string; notRecorded?: string[] };
      const blind = await stage.deploy({}, { GITHUB_OUTPUT: join(stage.repository.dir, "no/such/file") });
      return [
        ...ended(run, 5, "live"),
        ...same("result", result.outcome, "live"),
        ...same("path of the receipt", run.outputs["receipt"], ""),
        ...same("serves", await stage.serves(), "1.1.0"),
        ...says(run, '"outcome":"live"'),
        ...same("what is not recorded", result.notRecorded?.[0]?.startsWith("the receipt could not be written"), true),
        ...same("without outputs", blind.code, 5),
        ...says(blind, '"outcome":"live"'),
      ];
    },
  },
  {
    name: "the wall clock is put forward by an hour during the build",
    telling: true,
    options: { hub: { behaviour: { buildMs: 2000 } } },
    play: async (stage) => {
      const preload = ["../../../rehearsal/executor/loopback-only.mjs", "./clock-step.mjs"];
      const options = preload.map((file) => `--import ${new URL(file, import.meta.url).href}`).join(" ");
      const step = join(stage.repository.dir, ".sluice/step");
      afterCommit(stage, () => {
        setTimeout(() => {
          writeFileSync(step, "");
        }, 700);
      });
      return isLive(stage, await stage.deploy({}, { NODE_OPTIONS: options, CLOCK_STEP: step }));
    },
  },
  {
    name: "the process is killed after the restoring commit",
    telling: true,
    options: { hub: { behaviour: { breaksBuild: isNew } } },
    play: async (stage) => {
      afterCommit(stage, () => stage.child?.kill("SIGKILL"), 1);
      const killed = await stage.deploy();
      const problems = [
        ...same("killed", killed.code, -1),
        ...same("records", stage.records(), [was, "births-production deploy 1.1.0: in_progress failure"]),
      ];
      const run = await stage.deploy({}, { GITHUB_RUN_ATTEMPT: "2" });
      return [...problems, ...(await isBack(stage, run))];
    },
  },
  {
    name: "two deployments of different versions race without a lock",
    play: async (stage) => {
      stage.hub.space.behaviour.buildMs = 1500;
      const running = stage.deploy({ token: "" });
      while (stage.holds() !== "1.1.0") await new Promise((done) => setTimeout(done, 10));
      stage.repository.release("1.2.0", "candidate");
      const later = await stage.deploy({ token: "" });
      const earlier = await running;
      return [
        ...same("exits", [earlier.code, later.code], [1, 0]),
        ...same("outcome of the earlier", earlier.outputs["outcome"], "overtaken"),
        ...same("serves", await stage.serves(), "1.2.0"),
        ...same("restarts", [stage.hub.space.restarts, stage.hub.space.factoryRebuilds], [0, 0]),
        ...same("commits", stage.commits(), [first, second, "Deploy births 1.2.0"]),
      ];
    },
  },
  {
    name: "two deployments of different versions race, and a lock is there",
    play: async (stage) => {
      stage.hub.space.behaviour.buildMs = 1500;
      const running = stage.deploy();
      while (stage.holds() !== "1.1.0") await new Promise((done) => setTimeout(done, 10));
      stage.repository.release("1.2.0", "candidate");
      const later = await stage.deploy({}, { GITHUB_RUN_ID: "43" });
      const earlier = await running;
      return [
        ...same("exits", [earlier.code, later.code], [0, 1]),
        ...says(later, "births-production is locked by octo since"),
        ...same("serves", await stage.serves(), "1.1.0"),
        ...same("commits", stage.commits(), [first, second]),
      ];
    },
  },
  {
    name: "the release tag is moved, and then deleted",
    telling: true,
    play: async (stage) => {
      const problems = await isLive(stage, await stage.deploy());
      const { refs } = stage.github.state.git;
      const tag = "refs/tags/births@1.1.0";
      refs[tag] = { sha: "d".repeat(40), type: "commit" };
      const moved = await stage.deploy();
      delete refs[tag];
      stage.repository.release("1.1.0", "production");
      const deleted = await stage.deploy();
      return [
        ...problems,
        ...same("moved", moved.code, 2),
        ...says(moved, "the release tag was moved since the version was released"),
        ...same("deleted", deleted.code, 2),
        ...says(deleted, "this version was released with other weights, says GitHub Deployment"),
        ...same("serves", await stage.serves(), "1.1.0"),
      ];
    },
  },
  {
    name: "the commit is refused for its rate, and the Hub says for how long",
    play: async (stage) => {
      stage.hub.faults.push({
        method: "POST",
        path: commitPath,
        times: 2,
        fault: { kind: "status", status: 429, headers: { "retry-after": "1" }, effect: false },
      });
      const run = await stage.deploy();
      const at = stage.hub.transcript.filter(({ path }) => commitPath.test(path)).map(({ atMs }) => atMs);
      const waits = at.slice(1).map((ms, i) => ms - at[i]! >= 950);
      return [...(await isLive(stage, run)), ...same("waits of a second", waits, [true, true])];
    },
  },
  {
    name: "the owner's storage is used up",
    play: async (stage) => {
      const body = { error: "Repository storage limit reached: your quota is used up" };
      stage.hub.faults.push({
        path: commitPath,
        times: 1,
        fault: { kind: "status", status: 403, body, effect: false },
      });
      const run = await stage.deploy();
      return [...ended(run, 2, "refused"), ...says(run, "the storage of the Space's owner is used up")];
    },
  },
  {
    name: "the deployment to staging is refused, after a tree was made for production",
    telling: true,
    play: async (stage) => {
      await stage.deploy({ space: "none", bundle: "out/tree" });
      const run = await stage.deploy({ bundle: "out/tree", environment: "staging", space: "octo/absent" });
      return [
        ...ended(run, 2, "refused"),
        ...same("environment", run.receipt?.environment, "births-staging"),
        ...same("outcome", run.receipt?.outcome, "refused"),
      ];
    },
  },
];

/** Plays a trouble on a stage of its own. @returns what is not as it should be */
export async function playTrouble(
  { options = {}, play }: Trouble,
  action: DeployAction,
  predecessor: string,
): Promise<string[]> {
  const stage = await Stage.open(action, options);
  try {
    const { behaviour } = stage.hub.space;
    const { buildMs } = behaviour;
    behaviour.buildMs = 30;
    await stage.seed(join(predecessor, "tree"));
    behaviour.buildMs = buildMs;
    stage.repository.release("1.1.0", "candidate");
    const problems = await play(stage);
    return [
      ...problems,
      ...stage.leaks().map((secret) => `leaked: ${secret}`),
      ...stage.locks().map((lock) => `left behind: ${lock}`),
    ];
  } finally {
    await stage.close();
  }
}
