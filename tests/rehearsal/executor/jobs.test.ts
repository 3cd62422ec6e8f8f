import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { conclusions, jobOf, Stage } from "./stage.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.start({ minuteMs: 400, parallelJobs: 3 });
});
afterAll(() => stage.close());

const run = (command: string) => `runs-on: ubuntu-24.04, steps: [{ run: '${command}' }]`;

describe("jobs", () => {
  it("wait for the jobs that they need, and get their outputs and results", async () => {
    const workflow = `on: push
jobs:
  make:
    runs-on: ubuntu-24.04
    outputs: { word: "\${{ steps.a.outputs.word }}", leak: "\${{ steps.a.outputs.leak }}" }
    steps: [{ id: a, run: 'echo "word=x" >> $GITHUB_OUTPUT; echo "::add-mask::hidden"; echo "leak=hidden" >> $GITHUB_OUTPUT' }]
  use: { name: "use \${{ needs.make.outputs.word }}", needs: make, ${run("test ${{ needs.make.outputs.word }}${{ needs.make.outputs.leak }} = x")} }
  fail: { needs: [make], ${run("exit 1")} }
  soft: { continue-on-error: true, ${run("exit 1")} }
  after-soft: { needs: soft, ${run("test ${{ needs.soft.result }} = success")} }
  skip: { if: "needs.make.outputs.word == 'y'", needs: make, ${run("true")} }
  after-skip: { needs: [skip], ${run("true")} }
  always: { needs: [skip], if: always(), ${run("test ${{ needs.skip.result }} = skipped")} }
  after-always: { needs: [always], ${run("true")} }
  on-failure: { needs: [fail], if: failure(), ${run("test ${{ needs.fail.result }} = failure")} }
  not-cancelled: { needs: [fail], if: "!cancelled() && needs.make.result == ''", ${run("true")} }
  broken: { needs: make, if: "fromJSON(needs.make.outputs.word) == 1", ${run("true")} }
`;
    const record = await stage.play(workflow);
    expect(conclusions(record), record.startupError).toEqual({
      make: "success",
      "use x": "success",
      fail: "failure",
      soft: "failure",
      "after-soft": "success",
      skip: "skipped",
      "after-skip": "skipped",
      // A job ran although one before it was skipped. GitHub still skips later jobs whose `if` has no status function.
      always: "success",
      "after-always": "skipped",
      "on-failure": "success",
      "not-cancelled": "success",
      broken: "failure",
    });
    expect(jobOf(record, "make").log).toContain("Skip output 'leak' since it may contain secret.");
    expect(jobOf(record, "broken").annotations[0]?.message).toContain("fromJSON(needs.make.outputs.word) == 1");
    expect(record).toMatchObject({
      status: "completed",
      conclusion: "failure",
      workflowName: ".github/workflows/w.yml",
      displayTitle: "change",
    });
  });

  it("multiply by a matrix from an expression, with include and exclude, one at a time", async () => {
    const workflow = `on: push
jobs:
  plan: { outputs: { models: "\${{ steps.a.outputs.models }}" }, runs-on: ubuntu-24.04, steps: [{ id: a, run: 'echo "models=[\\"births\\",\\"mood\\"]" >> $GITHUB_OUTPUT' }] }
  each:
    needs: plan
    name: \${{ matrix.model }} on \${{ matrix.kind }} \${{ matrix.extra }}
    strategy:
      max-parallel: 1
      fail-fast: false
      matrix:
        model: \${{ fromJSON(needs.plan.outputs.models) }}
        kind: [cpu, gpu]
        exclude: [{ model: mood, kind: gpu }]
        include: [{ model: births, extra: more }, { model: alone }]
    runs-on: ubuntu-24.04
    steps: [{ run: 'echo "\${{ strategy.job-index }}/\${{ strategy.job-total }} \${{ toJSON(matrix) }}"' }]
  plain:
    strategy: { matrix: { os: [a, b], n: [1] } }
    runs-on: ubuntu-24.04
    steps: [{ run: 'test \${{ matrix.os }} != b' }]
  none: { strategy: { matrix: { a: "\${{ fromJSON('[]') }}" } }, ${run("true")} }
`;
    const record = await stage.play(workflow);
    expect(Object.keys(conclusions(record)).filter((name) => name.includes(" on "))).toEqual([
      "births on cpu more",
      "births on gpu more",
      "mood on cpu ",
      "alone on  ",
    ]);
    expect(conclusions(record)).toMatchObject({ "plain (b, 1)": "failure", none: "failure" });
    expect(jobOf(record, "none").log).toContain("Matrix vector 'a' does not contain any values");
    const each = record.jobs
      .filter((one) => one.key === "each")
      .toSorted((one, other) => String(one.startedAt).localeCompare(String(other.startedAt)));
    for (const [at, one] of each.entries())
      if (at > 0) expect(String(one.startedAt) >= String(each[at - 1]?.completedAt)).toBe(true);
    expect(each.map((one) => /(\d)\/4/.exec(one.log)?.[1]).toSorted()).toEqual(["0", "1", "2", "3"]);
  });

  it("cancel the rest of a matrix when one fails, unless told otherwise", async () => {
    const record = await stage.play(`on: push
jobs:
  each:
    strategy: { matrix: { n: [1, 2, 3, 4] } }
    runs-on: ubuntu-24.04
    steps: [{ run: 'test \${{ matrix.n }} != 1; exec sleep 60' }, { if: cancelled(), run: echo cleaned }]
`);
    expect(conclusions(record)).toEqual({
      "each (1)": "failure",
      "each (2)": "cancelled",
      "each (3)": "cancelled",
      "each (4)": "cancelled",
    });
    expect(record.conclusion).toBe("failure");
    for (const one of record.jobs.filter(({ name, steps }) => name !== "each (1)" && steps.length > 0))
      expect(one.log).toContain("cleaned");
  });

  it("end when their time limit is reached", async () => {
    const record = await stage.play(`on: push
jobs:
  long: { timeout-minutes: 1, runs-on: ubuntu-24.04, steps: [{ run: exec sleep 60 }, { if: always(), run: echo cleaned }] }
  next: { needs: long, ${run("true")} }
`);
    expect(conclusions(record)).toEqual({ long: "cancelled", next: "skipped" });
    expect(jobOf(record, "long").log).toContain("cleaned");
    expect(jobOf(record, "long").annotations.at(-1)?.message).toContain("exceeded the maximum execution time of 1m0s");
  });

  it("are cancelled with their run; steps that ask for it still clean up", async () => {
    const playing = stage.play(`on: push
jobs:
  long: { runs-on: ubuntu-24.04, steps: [{ run: exec sleep 60 }, { run: echo never }, { if: cancelled(), run: echo cleaned }] }
  after: { needs: long, ${run("true")} }
  sweep: { needs: long, if: always(), ${run("echo ${{ needs.long.result }}")} }
`);
    await stage.until(
      "the step runs",
      () => stage.executor.runs.at(-1)?.jobs.find((one) => one.key === "long")?.steps[1]?.status === "in_progress",
    );
    stage.executor.cancel(stage.executor.runs.at(-1)!.id);
    const record = await playing;
    expect(record.conclusion).toBe("cancelled");
    expect(jobOf(record, "long")).toMatchObject({ conclusion: "cancelled" });
    expect(jobOf(record, "long").log).toContain("cleaned");
    expect(conclusions(record)).toMatchObject({ after: "skipped", sweep: "success" });
  });

  it("let an action that is interrupted, and its post step, clean up", async () => {
    const files = {
      "act/action.yml": "name: Act\nruns: { using: node24, main: main.js, post: post.js }\n",
      "act/post.js": "console.log('post ran')",
      "act/main.js":
        "process.on('SIGINT', () => { console.log('interrupted'); process.exit(1); }); console.log('::notice::ready'); setInterval(() => {}, 1000)",
    };
    const playing = stage.play(
      `on: push
defaults: { run: { working-directory: act } }
jobs:
  one: { runs-on: ubuntu-24.04, steps: [{ uses: actions/checkout@0000000000000000000000000000000000000000 }, { run: ls }, { id: act, uses: ./act }, { if: "cancelled() && steps.act.outcome == 'cancelled'", run: echo after }] }
`,
      { files },
    );
    await stage.until(
      "the action runs",
      () => stage.executor.runs.at(-1)?.jobs[0]?.log.includes("##[notice]ready") === true,
    );
    stage.executor.cancel(stage.executor.runs.at(-1)!.id);
    const { log, steps } = jobOf(await playing, "one");
    expect(log).toMatch(/main\.js\npost\.js\n[^]*interrupted\n[^]*after\n[^]*post ran\n/);
    expect(steps.map(({ conclusion }) => conclusion)).toEqual([
      "success",
      "success",
      "success",
      "cancelled",
      "success",
      "success",
    ]);
  });

  it("take turns in a group of their own", async () => {
    const record = await stage.play(`on: push
jobs:
  a: { concurrency: turn, ${run("true")} }
  b: { concurrency: turn, ${run("true")} }
`);
    expect(conclusions(record)).toEqual({ a: "success", b: "success" });
    expect(String(jobOf(record, "b").startedAt) >= String(jobOf(record, "a").completedAt)).toBe(true);
  });

  it("share a concurrency group: one runs, one waits, a newer one takes its place or ends the one that runs", async () => {
    const workflow = (progress: boolean) => `on: push
concurrency: { group: "g-${progress}-\${{ github.ref }}", cancel-in-progress: ${progress} }
jobs: { one: { runs-on: ubuntu-24.04, steps: [{ run: 'exec sleep 60' }] } }
`;
    const push = async (progress: boolean) =>
      (await stage.push(stage.commit({ ".github/workflows/w.yml": workflow(progress) })))[0]!;
    const first = await push(false);
    await stage.until("the first runs", () => first.status === "in_progress");
    const second = await push(false);
    const third = await push(false);
    await stage.until("the second gave way", () => second.status === "completed");
    expect([first, second, third].map((one) => [one.status, one.conclusion])).toEqual([
      ["in_progress", null],
      ["completed", "cancelled"],
      ["queued", null],
    ]);
    stage.executor.cancel(first.id);
    await stage.until("the third runs", () => third.jobs[0]?.status === "in_progress");
    stage.executor.cancel(third.id);
    await stage.executor.idle();

    const old = await push(true);
    await stage.until("the old one runs", () => old.jobs[0]?.status === "in_progress");
    const fresh = await push(true);
    await stage.until("the fresh one runs", () => fresh.jobs[0]?.status === "in_progress");
    expect(old).toMatchObject({ status: "completed", conclusion: "cancelled" });
    stage.executor.cancel(fresh.id);
    await stage.executor.idle();
  });
});
