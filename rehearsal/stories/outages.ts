import assert from "node:assert/strict";
import type { FaultRule } from "../hub/faults.ts";
import type { Fault } from "../telegram/state.ts";
import type { RunRecord } from "../executor/platform.ts";
import { fareModel } from "../scene/fares.ts";
import { verdictOf } from "../scene/reports.ts";
import { product, team } from "../scene/scene.ts";
import { quality } from "../scene/team.ts";
import type { Story } from "./story.ts";

const branch = "fares-1.10.0";
const staging = "acme/fares-staging";
const slowRequests = 6;

export const outages: Story = {
  number: 10,
  title:
    "GitHub refuses comments, Telegram is down, the Hub is slow: verdicts and deployments are the same, and what was not reported is said",
  async play(scene, log) {
    const { github, telegram } = scene;
    github.setVariable(team, "SLUICE_DEPLOY_AFTER_MERGE", "staging");
    github.setVariable(team, "SLUICE_PROMOTE_AFTER_MERGE", "");
    const down: Fault = { method: "*", times: Infinity, does: { kind: "reset" } };
    telegram.fail(down);
    const refused = ["POST", "PATCH"].map((method) =>
      github.fail({
        method,
        path: /\/issues\/(comments\/\d+|\d+\/comments)$/,
        does: { kind: "answer", status: 403, message: "Resource not accessible by integration" },
      }),
    );
    const chats = () => telegram.state.messages.map(({ message_id, chat, edits }) => `${chat} ${message_id} ${edits}`);
    const before = { chats: chats(), live: await scene.serves("acme/fares") };
    const slow: FaultRule = { path: /./, times: 0, fault: { kind: "slow", ms: 500 } };
    scene.hubs.of(staging).faults.push(slow);
    try {
      const sluice = await github.world.repositories.get(product)?.git.resolve("refs/heads/main");
      const pull = await scene.propose({
        branch,
        title: "fares 1.10.0",
        files: {
          ...fareModel({ id: "fares", version: "1.10.0", wrong: { airport: 0.01, centre: 0.01 }, checks: quality }),
          ".github/workflows/strict.yml": strict(String(sluice)),
        },
        by: "lena",
      });
      const [gate] = scene.runsOf("gate.yml", pull.sha);
      requireTold(gate, "the gate");
      assert.deepEqual([gate.conclusion, verdictOf(gate).verdict], ["success", "PASS"], scene.logs(gate));
      assert.match(
        scene.logs(gate),
        /The verdict stands, but the comment could not be posted: the token may not comment \(403\)/,
      );
      const [demanding] = scene.runsOf("strict.yml", pull.sha);
      assert.equal(demanding?.conclusion, "failure");
      assert.match(
        scene.logs(demanding),
        /Process completed with exit code 5[\s\S]*verdict: PASS/,
        "where the comment is required, a PASS that is not reported is red, and is a PASS",
      );
      assert.deepEqual(await scene.comments(pull.number), []);
      log(
        "the gate passes, and says in its summary that nothing was reported; where a comment is required: exit code 5",
      );

      Object.assign(slow, { times: slowRequests });
      const merged = await scene.merge(pull.number, "lena");
      const deploy = scene.runsOf("deploy.yml").at(-1);
      requireTold(deploy, "the deployment");
      assert.equal(deploy.conclusion, "success", scene.logs(deploy));
      assert.ok(slow.times < slowRequests, "the Hub was slow meanwhile");
      assert.equal(await scene.serves(staging), "1.10.0");
      assert.equal(await scene.serves("acme/fares"), before.live);
      const [deployment] = await scene.ask<{ id: number; sha: string; environment: string }[]>(
        "deployments?environment=fares-staging&per_page=1",
      );
      assert.equal(deployment?.sha, merged);
      const [status] = await scene.ask<{ state: string }[]>(`deployments/${deployment.id}/statuses`);
      assert.equal(status?.state, "success");
      assert.deepEqual(chats(), before.chats, "Telegram got nothing");
      log(
        "merged and live on staging although the Hub was slow; the cards that were not delivered are in the summaries",
      );
    } finally {
      for (const restore of refused) restore();
      down.times = 0;
      slow.times = 0;
    }

    // Once all services are back, the next deployment is reported as usual.
    const asked = await fetch(`${github.apiUrl}/repos/${team}/actions/workflows/deploy.yml/dispatches`, {
      method: "POST",
      headers: { authorization: `token ${github.tokenOf("lena")}` },
      body: JSON.stringify({ ref: "main", inputs: { model: "fares", environment: "staging" } }),
      signal: AbortSignal.timeout(20_000),
    });
    assert.ok(asked.ok, await asked.text());
    await github.settled();
    assert.match(scene.card("fares 1.10.0"), /live/);
    log(`back again: ${scene.card("fares 1.10.0").split("\n")[0]}`);
  },
};

/** Checks that the step summary contains the card that the chat did not get, with the reason. */
function requireTold(run: RunRecord | undefined, what: string): asserts run is RunRecord {
  assert.ok(run !== undefined, `${what} did not start`);
  assert.match(
    run.jobs.map(({ summary }) => summary).join("\n"),
    /#### Telegram card[\s\S]*fares 1\.10\.0/,
    `${what}'s summary has the card`,
  );
  assert.ok(
    run.jobs.some(({ annotations }) =>
      annotations.some(({ level, title }) => level === "warning" && title === "Telegram card not delivered"),
    ),
    `${what} warns`,
  );
}

/** A gate with `comment: required`, used by the pull request that adds it. */
const strict = (sluice: string) => `name: strict
on:
  pull_request:
    paths: [.github/workflows/strict.yml]
permissions: {}
jobs:
  strict:
    runs-on: ubuntu-24.04
    permissions: { contents: read, pull-requests: write }
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
        with: { persist-credentials: false, fetch-depth: 0 }
      - id: gate
        uses: ${product}/actions/gate@${sluice}
        with: { models: fares, performance: "false", comment: required }
      - if: always()
        env: { VERDICT: "\${{ steps.gate.outputs.verdict }}" }
        run: 'echo "verdict: $VERDICT"'
`;
