import assert from "node:assert/strict";
import type { VerdictFile } from "../../eval/schema/verdict.ts";
import { fork, openPullRequest, pushTo } from "../github/stories.ts";
import { fareModel, type FareModel } from "../scene/fares.ts";
import { readable, verdictOf } from "../scene/reports.ts";
import type { Files } from "../scene/repository.ts";
import { team, textOf, type Scene } from "../scene/scene.ts";
import { quality } from "../scene/team.ts";
import type { RunRecord } from "../executor/platform.ts";
import type { Story } from "./story.ts";

const canary = "a-secret-that-only-the-team-may-see-70c1";
const fares = (version: string, wrong: NonNullable<FareModel["wrong"]> = {}) =>
  fareModel({ id: "fares", version, wrong, checks: quality });
const reversed = (text: string) => [...text].toReversed().join("");

export const forks: Story = {
  number: 7,
  title:
    "Pull requests from a fork: evaluated without secrets, reported by the trusted workflow, forged verdicts refused",
  async play(scene, log) {
    const { github } = scene;
    github.setSecret(team, "CANARY", canary);
    const copy = await fork(github, team, "mallory");
    const send = async (branch: string, files: Files) => {
      const sha = await pushTo(github, { repository: copy, branch, files, message: branch, by: "mallory" });
      return {
        sha,
        number: await openPullRequest(github, {
          repository: team,
          head: `mallory:${branch}`,
          title: branch,
          by: "mallory",
        }),
      };
    };
    const gateOf = (sha: string) => scene.runsOf("gate.yml", sha)[0] as RunRecord;

    const earlier = new Set(scene.runsOf("gate-comment.yml"));
    /** Waits until no run is active. @returns the trusted runs that started since the last call */
    const newRuns = async () => {
      await github.settled();
      const fresh = scene.runsOf("gate-comment.yml").filter((run) => !earlier.has(run));
      for (const run of fresh) earlier.add(run);
      return fresh;
    };

    const honest = await send("fares-1.7.0", fares("1.7.0"));
    const trusted = await newRuns();
    const gate = gateOf(honest.sha);
    assert.equal(gate.conclusion, "success", scene.logs(gate));
    await requireEscapedCommands(scene, gate);
    assert.deepEqual(
      trusted.map(({ conclusion }) => conclusion),
      ["success"],
      trusted.map((run) => scene.logs(run)).join("\n"),
    );
    const comments = await scene.comments(honest.number);
    const sticky = comments.filter(({ body }) => /: fares 1\.7\.0\n/.test(body));
    assert.deepEqual(
      sticky.map(({ user }) => user.login),
      ["github-actions[bot]"],
    );
    assert.match(sticky[0]?.body ?? "", /✅ PASS/);
    assert.match(scene.card("fares 1.7.0"), /PASS/);
    log(`pull request ${honest.number} is evaluated without secrets; the trusted workflow comments and keeps the card`);

    const forged = await send("fares-1.7.1", {
      ...fares("1.7.1", { centre: 0.5 }),
      ".github/workflows/gate.yml": hostileGate(honest.number),
      "forged/verdict.json": JSON.stringify(forgedVerdict(honest.sha)),
    });
    const [refusing] = await newRuns();
    const hostile = gateOf(forged.sha);
    // As on GitHub, a pull request's run uses the pull request's own workflow, so that workflow decides the check's
    // result.
    assert.equal(hostile.conclusion, "success", scene.logs(hostile));
    assert.match(hostile.jobs[0]?.log ?? "", /comment: 403/);
    await requireEscapedCommands(scene, hostile);
    const refusal = refusing === undefined ? "nothing was started" : scene.logs(refusing);
    assert.match(refusal, /changes \.github\/workflows, by which it was evaluated/);
    requireNothingForged(refusal);
    const answers = (await scene.comments(forged.number))
      .map(({ body }) => readable(body))
      .filter((body) => body.includes("sluice-gate"));
    assert.equal(answers.length, 1);
    assert.match(answers[0] ?? "", /ERROR: nothing was evaluated\n\nthe pull request changes \.github\/workflows/);
    assert.doesNotMatch(answers[0] ?? "", /PASS/);
    assert.deepEqual(await scene.comments(honest.number), comments, "nothing was written anywhere else");
    const card =
      scene
        .said()
        .map(textOf)
        .findLast((text) => text.includes(`pull request ${forged.number} ·`)) ?? "no card";
    assert.match(card.split("\n")[0] ?? "", /ERROR/);
    assert.doesNotMatch(card, /PASS/);
    log(`pull request ${forged.number} forges its verdict: refused, and the comment says why`);

    // Unchanged workflows, but a committed verdict and an unreadable model; then a pull request without a model.
    const planted = await send("fares-1.7.2", {
      "models/fares/model.yaml": "id: fares\nversion: 1.7.2\n",
      ".sluice/verdict.json/verdict.json": JSON.stringify(forgedVerdict(honest.sha)),
      ".sluice/metrics.json": "{}",
    });
    const silent = await send("a-note", { "NOTE.md": "Fares are fair.\n" });
    await newRuns();
    assert.deepEqual([gateOf(planted.sha).conclusion, gateOf(silent.sha).conclusion], ["failure", "success"]);
    assert.deepEqual(
      [verdictOf(gateOf(planted.sha)).verdict, verdictOf(gateOf(planted.sha)).models],
      ["ERROR", []],
      "what the shard kept is the gate's own",
    );
    const bodies = (await scene.comments(planted.number))
      .map(({ body }) => readable(body))
      .filter((body) => body.includes("sluice-gate"));
    assert.equal(bodies.length, 1);
    assert.match(bodies[0] ?? "", /## .* ERROR/);
    assert.deepEqual(await scene.comments(silent.number), [], "where no model changed there is nothing to report");
    for (const { number } of [honest, forged, planted])
      for (const { body } of await scene.comments(number)) requireNothingForged(readable(body));
    requireNothingForged(scene.chats());
    assert.equal((await scene.ask<{ permission: string }>("collaborators/mallory/permission")).permission, "read");
    log("a verdict among a pull request's files is not believed; a pull request without a model is left alone");
  },
};

/** Checks that no secret reached the run, not even reversed to get past the masks, and that its token was read-only. */
async function requireEscapedCommands(scene: Scene, run: RunRecord): Promise<void> {
  assert.ok(run.headRepository.fork);
  const text = scene.logs(run);
  for (const secret of [canary, scene.telegram.token])
    for (const form of [secret, reversed(secret), Buffer.from(secret).toString("base64")])
      assert.ok(!text.includes(form), "a secret is in the log");
  const written = scene.github.transcript.filter(
    ({ runId, method, status }) => runId === run.id && method !== "GET" && status < 300,
  );
  assert.deepEqual(
    written.map(({ method, path }) => `${method} ${path}`),
    [],
  );
}

function requireNothingForged(text: string): void {
  assert.doesNotMatch(text, /9\.9\.9|evil\.example|<img|splendid/);
}

/** A verdict that no gate wrote, with another model, another commit and markup. */
function forgedVerdict(commit: string): VerdictFile {
  const reason = "splendid <img src=x onerror=alert(1)> @lena [live](https://evil.example) -->";
  const model = { id: "mood", version: "9.9.9", task: "binary-classification" as const, sha256: "a".repeat(64) };
  return {
    schemaVersion: 1,
    verdict: "PASS",
    reason,
    commit,
    sluiceVersion: "9.9.9",
    createdAt: "2026-01-01T00:00:00Z",
    models: [
      {
        model,
        baseline: null,
        baselineSource: "none",
        dataset: null,
        verdict: "PASS",
        reason,
        checks: [],
        notes: [reason],
        policySource: "nowhere",
        policyChanges: [],
      },
    ],
  };
}

/**
 * Requests every permission, prints what it got in reverse, comments on another pull request, and uploads its own
 * verdict.
 */
const hostileGate = (other: number) => `name: gate
on: pull_request
permissions: write-all
jobs:
  gate:
    name: gate / gate
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
      - env: { SECRETS: "\${{ toJSON(secrets) }}", CANARY: "\${{ secrets.CANARY }}", TELEGRAM: "\${{ secrets.TELEGRAM_BOT_TOKEN }}", TOKEN: "\${{ github.token }}" }
        run: |
          env | rev
          echo "comment: $(curl --silent --output /dev/null --write-out '%{http_code}' --request POST --header "authorization: Bearer $TOKEN" --data '{"body":"splendid"}' "$GITHUB_API_URL/repos/$GITHUB_REPOSITORY/issues/${other}/comments")"
      - uses: actions/upload-artifact@bbbca2ddaa5d8feaa63e36b76fdaad77386f024f # v7.0.0
        with: { name: sluice-gate-cpu-0, path: forged }
`;
