import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { lockRef } from "../../github/registry/lock.ts";
import { repositoryRoot } from "../actions/gate/runner.ts";
import { ana, gateRun, main, release, botInProcess, waits, type InProcessBot } from "./in-process.ts";

// Every combination of who acts, on which evidence, what, and when. docs/bot.md says in a table what comes of it: a row
// for each thing that may be wrong. Where several are, the first row that concerns the action decides. The table is read
// from there, so that it cannot say anything else than what the bot does.

const actions = ["deploy", "rollback", "approve", "reject", "lock", "unlock", "retrain", "cancel"] as const;
type Action = (typeof actions)[number];

/** Who acts: how Ana's account differs from one that may. */
const actors: Record<string, (here: InProcessBot) => void> = {
  "": () => {},
  "no GitHub account is linked": ({ context }) => {
    context.store.links.unlink(ana);
  },
  "may only read the repository": ({ state }) => {
    Object.assign(state.workflows.people["ana-gh"] as object, { role: "read" });
  },
  "is a bot's account": (here) => {
    here.link(ana, "ana[bot]");
  },
  "started the run, which takes two persons": ({ state }) => {
    for (const run of state.workflows.runs) run.actor = "ana-gh";
  },
};

/** What the evidence is, when somebody asks; and what it has become by the last tap. */
type Evidence = { asked?: (here: InProcessBot) => void; tapped?: (here: InProcessBot) => void };
const gate = (change: object) => (here: InProcessBot) => {
  for (const run of here.state.workflows.runs) if (run.file === "gate.yml") Object.assign(run, change);
};
const evidences: Record<string, Evidence> = {
  "": {},
  "the gate or receipt is not PASS": {
    asked: (here) => {
      gate({ conclusion: "failure" })(here);
      release(here.state, "1.0.0", main, "FAIL");
    },
  },
  "the gate still runs": { asked: gate({ status: "in_progress", conclusion: null }) },
  "there is no gate run, or no tag": {
    asked: ({ state }) => {
      state.workflows.runs = state.workflows.runs.filter(({ file }) => file !== "gate.yml");
      delete state.git.refs["refs/tags/mood@1.0.0"];
    },
  },
  "the run does not tell what it deploys": {
    asked: ({ state }) => {
      for (const run of state.workflows.runs) if (run.status === "waiting") run.title = "Deploy mood";
    },
  },
  "the branch is red by now": {
    asked: ({ state }) => {
      state.git.refs["refs/heads/main"] = { sha: "f".repeat(40), type: "commit" };
      gateRun(state, { sha: "f".repeat(40), conclusion: "failure" });
    },
  },
  "the report changed after it was shown": {
    tapped: (here) => {
      gate({ artifacts: [{ name: "sluice-gate-cpu-0", digest: `sha256:${"c".repeat(64)}` }] })(here);
      const tag = here.state.git.tags[here.state.git.refs["refs/tags/mood@1.0.0"]?.sha ?? ""];
      if (tag !== undefined) tag.message = tag.message.replace("0.92", "0.93");
    },
  },
};

const ages = ["", "nobody confirms in time", "GitHub is away until it is too late"] as const;

const commands: Record<Action, { text: string; first: string; second: string | null }> = {
  deploy: { text: "/deploy mood staging", first: "Deploy…", second: "Yes, deploy" },
  rollback: { text: "/rollback mood staging 1.0.0", first: "Roll back…", second: "Yes, roll back" },
  approve: { text: "/approve", first: "Approve mood-production", second: "Yes, approve" },
  reject: { text: "/reject", first: "Reject mood-production", second: "Yes, reject: not now" },
  lock: { text: "/lock incident", first: "Lock", second: null },
  unlock: { text: "/unlock", first: "Unlock…", second: "Yes, unlock" },
  retrain: { text: "/retrain mood drift", first: "Retrain", second: null },
  cancel: { text: "/cancel 501", first: "Cancel the run…", second: "Yes, cancel the run" },
};

const expireSeconds = 60;

/** Plays one cell. @returns whether anything changed on GitHub */
async function plays(actor: string, evidence: string, action: Action, age: string): Promise<boolean> {
  const here = await botInProcess({
    environments: { staging: { danger: true }, production: { danger: true, persons: 2 } },
    approvals: { expireSeconds, remindSeconds: null },
  });
  try {
    here.link(ana, "ana-gh");
    here.state.workflows.people["octo"] = { id: 5, role: "write" };
    gateRun(here.state, {});
    release(here.state, "1.0.0");
    waits(here.state);
    if (action === "unlock") {
      const note = { schemaVersion: 1, holder: "octo", reason: "r", at: "", run: null };
      here.state.git.tags["9".repeat(40)] = { tag: "lock", message: JSON.stringify(note), object: main };
      here.state.git.refs[lockRef("mood-staging")] = { sha: "9".repeat(40), type: "tag" };
    }
    actors[actor]?.(here);
    evidences[evidence]?.asked?.(here);
    const { text, first, second } = commands[action];
    const key = await here.says(ana, text);
    const tapIfShown = async (label: string | null) => {
      if (label !== null && here.labels(key).includes(label)) await here.presses(ana, key, label);
    };
    if (second !== null) await tapIfShown(first);
    evidences[evidence]?.tapped?.(here);
    if (age === "nobody confirms in time") here.later((expireSeconds + 1) * 1000);
    await tapIfShown(second ?? first);
    if (age === "GitHub is away until it is too late") here.later((expireSeconds + 1) * 1000);
    await here.settle();
    return here.changes().length > 0;
  } finally {
    await here.close();
  }
}

/** The rows of the table in docs/bot.md: what is wrong → for each action "done", "refused" or "", which does not matter. */
function documented(): Map<string, Record<Action, string>> {
  const text = readFileSync(join(repositoryRoot, "docs/bot.md"), "utf8");
  const lines = /\| what is wrong \|[^\n]*\n\|[-|]+\|\n((?:\|[^\n]*\n)+)/.exec(text)?.[1]?.trim().split("\n") ?? [];
  return new Map(
    lines.map((line) => {
      const [what = "", ...cells] = line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim());
      return [what, Object.fromEntries(actions.map((action, i) => [action, cells[i] ?? ""])) as Record<Action, string>];
    }),
  );
}

const table = documented();

it("the page has a row for each thing that may be wrong, and one for nothing", () => {
  expect([...table.keys()].toSorted()).toEqual(
    ["nothing", ...[...Object.keys(actors), ...Object.keys(evidences), ...ages].filter((one) => one !== "")].toSorted(),
  );
});

describe.each(actions)("%s", (action) => {
  it.each(Object.keys(actors))("who acts: %s; on every evidence, at every age", async (actor) => {
    const cells = Object.keys(evidences).flatMap((evidence) => ages.map((age) => ({ evidence, age })));
    const played = await Promise.all(
      cells.map(async ({ evidence, age }) => {
        const changed = await plays(actor, evidence, action, age);
        return [evidence, age, changed ? "done" : "refused"];
      }),
    );
    const stated = cells.map(({ evidence, age }) => {
      const wrong = new Set<string>([actor, evidence, age]);
      const row =
        [...table].find(([what, cell]) => wrong.has(what) && cell[action] !== "")?.[1] ?? table.get("nothing");
      return [evidence, age, row?.[action]];
    });
    expect(played).toEqual(stated);
  });
});
