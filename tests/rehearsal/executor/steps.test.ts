import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { conclusions, jobOf, Stage } from "./stage.ts";

let stage: Stage;
beforeAll(async () => {
  process.env["OF_THE_PARENT"] = "leaks";
  stage = await Stage.start({ minuteMs: 500 });
});
afterAll(async () => {
  delete process.env["OF_THE_PARENT"];
  await stage.close();
});

const job = (steps: string, more = "") =>
  `on: push\njobs:\n  one:\n    runs-on: ubuntu-24.04\n${more}    steps:\n${steps.replace(/^/gm, "      ")}`;
const checkout = "- uses: actions/checkout@0000000000000000000000000000000000000000\n";

describe("steps", () => {
  it("hand on environment, outputs, path and summary through files", async () => {
    const run = await stage.play(
      job(
        `- id: first
  run: |
    echo "PLAIN=a=b" >> "$GITHUB_ENV"
    { echo "LONG<<END"; echo "one"; echo "two"; echo END; } >> "$GITHUB_ENV"
    { echo "word=x"; echo "lines<<E"; echo 1; echo 2; echo E; } >> "$GITHUB_OUTPUT"
    mkdir -p "$RUNNER_TEMP/tools" && printf '#!/bin/sh\\necho own tool\\n' > "$RUNNER_TEMP/tools/own-tool" && chmod +x "$RUNNER_TEMP/tools/own-tool"
    echo "$RUNNER_TEMP/tools" >> "$GITHUB_PATH"
    echo "# Summary" >> "$GITHUB_STEP_SUMMARY"
- env: { WORD: "\${{ steps.first.outputs.word }}\${{ env.PLAIN }}", LINES: "\${{ steps.first.outputs.lines }}", TOP: step }
  run: |
    echo "$PLAIN|$LONG|$WORD|$LINES|$TOP|\${{ env.TOP }}|$JOB"
    own-tool
`,
        '    env: { TOP: job, JOB: "${{ github.event_name }}" }\n',
      ),
    );
    const { log, summary, conclusion } = jobOf(run, "one");
    expect(conclusion, log).toBe("success");
    expect(log).toContain("a=b|one\ntwo|xa=b|1\n2|step|step|push");
    expect(log).toContain("\nown tool\n");
    expect(summary).toBe("# Summary\n");
  });

  it("fail on a broken file command, and lose a summary above 1 MiB without failing", async () => {
    const run = await stage.play(
      job(`- run: head -c 1048577 /dev/zero | tr '\\0' x >> "$GITHUB_STEP_SUMMARY"
- run: echo "no value" >> "$GITHUB_OUTPUT"
`),
    );
    const { log, summary, steps } = jobOf(run, "one");
    expect(summary).toBe("");
    expect(log).toContain("$GITHUB_STEP_SUMMARY upload aborted, supports content up to a size of 1024k, got 1024k");
    expect(log).toContain("##[error]Invalid format 'no value'");
    expect(steps.map(({ conclusion }) => conclusion)).toEqual(["success", "success", "failure"]);
  });

  it("print workflow commands: annotations, groups, masks, stopped commands", async () => {
    stage.repositorySecrets = { KEY: "s3cret-value/with+signs" };
    const run = await stage.play(
      job(`- env: { KEY: "\${{ secrets.KEY }}" }
  run: |
    echo "::error file=models/a.yaml,line=3,title=Bad%3A one::First%0Asecond"
    echo "::warning::careful"
    echo "::group::Things"
    echo "::endgroup::"
    echo "key is $KEY, packed $(printf 'x%s' "$KEY" | base64 -w0)"
    echo "::add-mask::hidden-word"
    echo "a hidden-word here"
    echo "::stop-commands::pause"
    echo "::notice::not read"
    echo "::pause::"
    echo "::notice::read"
    echo "::unknown-command::shown"
`),
    );
    const { log, annotations } = jobOf(run, "one");
    expect(annotations).toEqual([
      { level: "failure", title: "Bad: one", message: "First\nsecond", path: "models/a.yaml", line: 3 },
      { level: "warning", title: "", message: "careful", path: null, line: null },
      { level: "notice", title: "", message: "read", path: null, line: null },
    ]);
    expect(log).toContain("##[group]Things\n##[endgroup]\nkey is ***, packed eH***");
    expect(log).toContain("a *** here");
    expect(log).toContain("::unknown-command::shown");
    expect(log).not.toMatch(/s3cret|not read$/);
  });

  it("evaluate success, failure, cancelled, always and continue-on-error", async () => {
    const run = await stage.play(
      job(`- id: soft
  run: exit 3
  continue-on-error: true
- if: steps.soft.outcome == 'failure' && steps.soft.conclusion == 'success'
  name: after \${{ steps.soft.outcome }}
  run: echo hard; false | true
- shell: bash
  run: false | true
- run: echo never
- if: failure() && !cancelled()
  run: echo on failure
- if: always()
  run: echo always
- if: \${{ 'x' == 'y' }} || true
  run: echo never, for the failure before
`),
    );
    const { steps, log, annotations } = jobOf(run, "one");
    expect(steps.map(({ name, conclusion }) => `${name}: ${conclusion}`)).toEqual([
      "Set up job: success",
      "Run exit 3: success",
      "after failure: success",
      "Run false | true: failure",
      "Run echo never: skipped",
      "Run echo on failure: success",
      "Run echo always: success",
      "Run echo never, for the failure before: skipped",
    ]);
    expect(run.conclusion).toBe("failure");
    expect(log).toContain("Process completed with exit code 3.");
    expect(annotations.map(({ message }) => message)).toEqual([
      "Process completed with exit code 3.",
      "Process completed with exit code 1.",
    ]);
  });

  it("have a runner's environment and nothing of this process; nothing outside this machine answers", async () => {
    const run = await stage.play(
      job(`- run: |
    env | cut -d= -f1 | sort | tr '\\n' ' '
    test "$HOME" != "${process.env["HOME"]}"
    node --version
    pwd
- run: curl -sS --max-time 20 https://example.com
  continue-on-error: true
- run: node -e 'fetch("https://example.com").catch((error) => console.log(error.cause.message))'
- run: sleep 60
  timeout-minutes: 1
`),
    );
    const { log, conclusion } = jobOf(run, "one");
    expect(log).not.toMatch(/OF_THE_PARENT|VITEST|NODE_PATH|node_modules/);
    expect(log).toMatch(/CI GITHUB_ACTION GITHUB_ACTIONS GITHUB_ACTOR .*GITHUB_WORKSPACE .*RUNNER_TEMP/);
    expect(log).toContain(process.version);
    expect(log).toMatch(/\/models\/models\n/);
    expect(log).toContain("no network beyond this machine: example.com");
    expect(log).toMatch(/curl: \(\d+\) Failed to connect to 127.0.0.1 port 9/);
    expect(log).toContain("has timed out after 1 minutes.");
    expect(conclusion).toBe("failure");
  });

  it("run the committed actions with their inputs, state and post steps", async () => {
    const files = {
      "act/action.yml":
        "name: Act\ninputs:\n  who: { default: world }\n  two words: { default: '${{ github.repository }}' }\n  none: { required: true }\nruns: { using: node24, main: main.js, post: main.js, post-if: success() }\n",
      "act/main.js": `const fs = require("node:fs");
if (process.env.STATE_begun) { console.log("post " + process.env.STATE_begun + process.env.INPUT_WHO); process.exit(0); }
console.log(Object.keys(process.env).filter((name) => name.startsWith("INPUT_")).sort().map((name) => name + "=" + process.env[name]).join(","));
fs.appendFileSync(process.env.GITHUB_STATE, "begun=yes\\n"); fs.appendFileSync(process.env.GITHUB_OUTPUT, "said=hello\\n");`,
      "old/action.yml": "name: Old\nruns: { using: node20, main: main.js }\n",
    };
    const run = await stage.play(
      job(`${checkout}- id: act
  name: Acting
  uses: ./act
  with: { who: you, wrong: 1 }
- run: echo "said \${{ steps.act.outputs.said }} \${{ github.token }}"
`),
      { files },
    );
    const { log, steps, annotations, conclusion } = jobOf(run, "one");
    expect(conclusion, log).toBe("success");
    expect(log).toContain("INPUT_NONE=,INPUT_TWO_WORDS=octo/models,INPUT_WHO=you,INPUT_WRONG=1");
    expect(log).toContain("said hello ***");
    expect(log).toContain("post yesyou");
    expect(steps.at(-1)).toMatchObject({ name: "Post Acting", conclusion: "success" });
    expect(annotations.map(({ message }) => message)).toEqual([
      "Unexpected input(s) 'wrong', valid inputs are ['who', 'two words', 'none']",
    ]);
  });

  it.each([
    ["someone/else@v1", "the rehearsal does not know the action someone/else@v1"],
    ["./nowhere", "Can't find 'action.yml', 'action.yaml' or 'Dockerfile' under"],
    ["./old", "runs.using node24; received node20"],
  ])("fail loudly on %s", async (uses, message) => {
    const run = await stage.play(job(`${checkout}- uses: ${uses}\n`));
    expect(conclusions(run)).toEqual({ one: "failure" });
    expect(jobOf(run, "one").log).toContain(message);
  });
});
