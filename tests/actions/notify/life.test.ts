import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { UnpackedAction } from "../gate/runner.ts";
import { stories } from "../../eval/report/stories.ts";
import { violations } from "../../../rehearsal/github/openapi.ts";
import { startGitHub, type SeededGitHub } from "../../../rehearsal/github/seeded/github.ts";
import { addChat, startTelegram, type StandInTelegram } from "../../../rehearsal/telegram/server.ts";
import { commit, pullRequestEvent, receipt, runNotify, unpackNotify, type NotifyOptions } from "./step.ts";

const group = -1001234567890;
const githubToken = "ghs_a1b2c3d4e5f6";
const png = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);

let action: UnpackedAction;
let telegram: StandInTelegram;
let github: SeededGitHub;
beforeAll(async () => {
  action = await unpackNotify();
});
afterAll(() => {
  action.remove();
});
beforeEach(async () => {
  telegram = await startTelegram();
  github = await startGitHub();
  addChat(telegram.state, { id: group, topics: new Map([[9, "open"]]) });
});
afterEach(async () => {
  await telegram.close();
  await github.close();
  const found = [...telegram.violations, ...github.transcript.flatMap(violations)];
  if (found.length > 0) throw new Error(found.join("\n"));
});

/** Runs the step and checks that nothing it left behind contains secrets. */
async function notify(options: Partial<NotifyOptions> = {}) {
  const run = await runNotify({
    action,
    apiUrl: github.url,
    ...options,
    inputs: {
      token: telegram.token,
      chat: String(group),
      "api-root": telegram.url,
      "github-token": githubToken,
      ...options.inputs,
    },
  });
  for (const text of [run.log.replaceAll(/^::add-mask::.*$/gm, ""), run.summary, JSON.stringify(run.outputs)]) {
    for (const secret of [telegram.token, telegram.token.split(":")[1] as string, githubToken])
      expect(text).not.toContain(secret);
  }
  expect(run.outside).toEqual([]);
  return run;
}
const messages = () => telegram.state.messages.filter((one) => one.from.is_bot);
const card = () => JSON.stringify(messages()[0]?.rich ?? messages()[0]?.text);
const sounds = () => telegram.transcript.filter((call) => call.audible).length;
const main = { name: "push", payload: { repository: { default_branch: "main" } } };

describe("one candidate, six jobs, one card", () => {
  it("from evaluating to live, then rolled back: edited in place, with a sound twice", async () => {
    const steps: [Partial<NotifyOptions>, status: string, words: string, sounds: number][] = [
      [{ inputs: { models: "mood@1.1.0" } }, "sent", "mood 1.1.0: evaluating", 0],
      [{ inputFiles: { verdict: stories.pass } }, "edited", "mood 1.1.0: PASS", 0],
      [{ inputFiles: { verdict: stories.pass }, inputs: { phase: "waiting" } }, "edited", "waiting for approval", 1],
      [
        { inputFiles: { verdict: stories.pass }, inputs: { phase: "build" }, event: main },
        "edited",
        "mood 1.1.0: deploying",
        1,
      ],
      [{ inputFiles: { verdict: stories.pass }, inputs: { phase: "proving" }, event: main }, "edited", "proof …", 1],
      [
        { inputFiles: { verdict: stories.pass, deployment: receipt("live") }, event: main },
        "edited",
        "live in production",
        1,
      ],
      [
        {
          inputFiles: {
            verdict: stories.pass,
            deployment: receipt("rolled-back", {
              reason: "/readyz answered 503 for 60 s",
              rolledBackTo: { commit, restored: commit, model: "mood", version: "1.0.0" },
            }),
          },
          event: main,
        },
        "edited",
        "mood 1.0.0 serves again.",
        2,
      ],
    ];
    // After the merge, the pull request is found by the commit.
    github.state.commitPulls[commit] = [{ number: 12, head: "octo:topic", headSha: commit }];
    for (const [options, status, words, rung] of steps) {
      const run = await notify(options);
      expect([words, run.code, run.outputs["status"], run.outputs["message"]]).toEqual([words, 0, status, "1"]);
      expect(card()).toContain(words);
      expect([words, sounds()]).toEqual([words, rung]);
      expect(run.summary).toBe("");
      // The message that asked for the approval is deleted once it has been given.
      expect([words, messages().length]).toEqual([words, words === "waiting for approval" || rung === 2 ? 2 : 1]);
    }
    // The card, and the last message that made a sound; the earlier one is deleted.
    expect(messages().map((one) => one.message_id)).toEqual([1, 3]);
    expect(messages()[1]).toMatchObject({
      replyTo: 1,
      text: "↩️ mood 1.1.0: rolled back in production",
      silent: false,
    });
    expect(card()).toContain("pull request 12");
    expect(github.state.comments).toHaveLength(1);
    expect(github.state.comments[0]?.body).toMatch(
      /^<!-- sluice-card chat=[0-9a-f]{12} cards=\{"mood":\{"message":1,"ring":3,"tone":"red","edited":\d{13},"links":\[[^\]]*\]\}\} -->\nThe card of `mood`/,
    );
    expect(github.state.comments[0]?.body).not.toContain("1234567890");
  });

  it("a candidate that turns red makes a sound at once; its next pushes are silent until it has recovered", async () => {
    await notify({ inputFiles: { verdict: stories.fail } });
    expect([messages().length, sounds()]).toEqual([1, 1]);
    await notify({ inputFiles: { verdict: stories.fail } });
    await notify({ inputs: { models: "mood" } });
    expect([messages().length, sounds()]).toEqual([1, 1]);
    await notify({ inputFiles: { verdict: stories.pass } });
    expect(sounds()).toBe(2);
    expect(messages()[1]).toMatchObject({ replyTo: 1, text: "✅ mood 1.1.0: PASS" });
  });
});

describe("when", () => {
  it("change: the first card, then only changes for the worse or the better", async () => {
    const change = { when: "change" };
    expect((await notify({ inputFiles: { verdict: stories.pass }, inputs: change })).outputs["status"]).toBe("sent");
    expect(
      (await notify({ inputFiles: { verdict: stories.pass, deployment: receipt("live") }, inputs: change })).outputs[
        "status"
      ],
    ).toBe("unchanged");
    expect((await notify({ inputFiles: { verdict: stories.fail }, inputs: change })).outputs["status"]).toBe("edited");
  });

  it("failure: nothing while green, the card of a failure, and its recovery", async () => {
    const failure = { when: "failure" };
    expect((await notify({ inputFiles: { verdict: stories.pass }, inputs: failure })).outputs["status"]).toBe(
      "unchanged",
    );
    expect(messages()).toEqual([]);
    expect((await notify({ inputFiles: { verdict: stories.fail }, inputs: failure })).outputs["status"]).toBe("sent");
    expect((await notify({ inputFiles: { verdict: stories.pass }, inputs: failure })).outputs["status"]).toBe("edited");
    expect((await notify({ inputFiles: { verdict: stories.pass }, inputs: failure })).outputs["status"]).toBe(
      "unchanged",
    );
  });
});

describe("where it goes", () => {
  it("is sent anew when the message is gone, with sound only if that is due", async () => {
    await notify({ inputFiles: { verdict: stories.pass } });
    telegram.state.messages.length = 0;
    expect((await notify({ inputFiles: { verdict: stories.pass } })).outputs["status"]).toBe("resent");
    expect((await notify({ inputFiles: { verdict: stories.pass } })).outputs).toMatchObject({
      status: "edited",
      message: "2",
    });
    telegram.state.messages.length = 0;
    expect((await notify({ inputFiles: { verdict: stories.fail } })).outputs["status"]).toBe("resent");
    expect([messages().length, sounds()]).toEqual([1, 1]);
  });

  it("goes into its topic, or into the chat with a warning if the topic is gone", async () => {
    await notify({ inputFiles: { verdict: stories.pass }, inputs: { topic: "9" } });
    expect(messages()[0]?.thread).toBe(9);
    telegram.state.chats.get(group)?.topics?.delete(9);
    telegram.state.messages.length = 0;
    const run = await notify({ inputFiles: { verdict: stories.pass }, inputs: { topic: "9" } });
    expect(run.log).toContain("::warning title=Telegram card::mood: topic 9 is gone");
    expect(messages()[0]?.thread).toBeNull();
  });

  it("as HTML where the Bot API has no rich messages", async () => {
    telegram.state.rich = false;
    const run = await notify({ inputFiles: { verdict: stories.fail } });
    expect(run.result?.cards[0]).toMatchObject({ form: "html", tone: "red" });
    expect(messages()[0]?.entities.map((one) => one.type)).toEqual(["bold", "italic", "pre", "code", "text_link"]);
    expect(messages()[0]?.markup?.inline_keyboard[0]?.map((one) => one["text"])).toEqual([
      "Run",
      "Report",
      "Pull request",
    ]);
  });

  it("one card per model, worst first, ten at most", async () => {
    const [pass, fail] = [stories.pass.models[0], stories.fail.models[0]].map(
      (one) => one as NonNullable<typeof one>,
    ) as [(typeof stories.pass.models)[0], (typeof stories.fail.models)[0]];
    const models = [
      ...Array.from({ length: 11 }, (_, i) => ({ ...pass, model: { ...pass.model, id: `m${i}` } })),
      { ...fail, model: { ...fail.model, id: "bad" } },
    ];
    const run = await notify({ inputFiles: { verdict: { ...stories.fail, models } } });
    expect(run.result?.cards).toHaveLength(10);
    expect(run.result?.cards[0]).toMatchObject({ model: "bad", status: "sent" });
    expect(run.log).toContain("2 more models have no card");
    expect(github.state.comments).toHaveLength(1);
    // A matrix job that reports on one of them edits only that one.
    const again = await notify({
      inputFiles: { verdict: { ...stories.pass, models: [{ ...pass, model: { ...pass.model, id: "bad" } }] } },
    });
    expect(again.result?.cards).toMatchObject([{ model: "bad", status: "edited", message: 1, rang: true }]);
    expect(
      Object.keys(JSON.parse(/cards=(.*) -->/.exec(github.state.comments[0]?.body ?? "")?.[1] ?? "{}") as object),
    ).toHaveLength(10);
    const other = await notify({
      inputFiles: { verdict: { ...stories.pass, models: [{ ...pass, model: { ...pass.model, id: "late" } }] } },
    });
    expect(other.outputs["status"]).toBe("sent");
    expect(github.state.comments).toHaveLength(2);
  });

  it("with the report's picture, if there is one, as the message that makes the sound", async () => {
    await notify({ inputFiles: { verdict: stories.pass } });
    await notify({ inputFiles: { verdict: stories.fail, picture: { name: "mood.png", bytes: png } } });
    expect(messages()[1]).toMatchObject({
      replyTo: 1,
      caption: "❌ mood 1.1.0: FAIL",
      photo: { filename: "mood.png" },
      silent: false,
    });
    await notify({ inputFiles: { verdict: stories.pass } });
    // If the file is not a picture, the sound is made all the same.
    await notify({
      inputFiles: { verdict: stories.fail, picture: { name: "report.png", bytes: Buffer.from("<svg/>") } },
    });
    expect(messages().at(-1)).toMatchObject({ text: "❌ mood 1.1.0: FAIL", photo: null });
  });

  it("a deploy step that left no receipt: the verdict, or a failure where the workflow says so", async () => {
    const nowhere = { deployment: "nowhere.json" };
    await notify({ inputFiles: { verdict: stories.pass }, inputs: nowhere });
    expect(card()).toContain("mood 1.1.0: PASS");
    await notify({ inputFiles: { verdict: stories.pass }, inputs: { ...nowhere, phase: "failed" } });
    expect(card()).toContain("mood 1.1.0: deployment failed");
    await notify({
      inputFiles: { verdict: stories.pass, deployment: receipt("rolled-back", { reason: "x" }) },
      inputs: { phase: "failed" },
    });
    expect(card()).toContain("rolled back in production");
  });

  it("a receipt of a dry run leaves the card at the verdict", async () => {
    await notify({ inputFiles: { verdict: stories.pass, deployment: receipt("planned") } });
    expect(card()).toContain("mood 1.1.0: PASS");
  });

  it("for a fork, posted by the trusted workflow: the pull request is the one of GitHub's event, whatever the files say", async () => {
    const other = "0".repeat(39) + "1";
    github.state.pulls.push({ number: 12, head: "eve:topic", headSha: commit });
    github.state.commitPulls[other] = [{ number: 3, head: "octo:other", headSha: other }];
    const event = {
      name: "workflow_run",
      payload: {
        workflow_run: {
          id: 7,
          event: "pull_request",
          head_sha: commit,
          head_branch: "topic",
          head_repository: { owner: { login: "eve" } },
        },
      },
    };
    const run = await notify({ inputFiles: { verdict: { ...stories.pass, commit: other } }, event, sha: other });
    expect(run.outputs["status"]).toBe("sent");
    expect(github.state.comments.map((one) => one.issue)).toEqual([12]);
    expect(card()).toContain("pull request 12");
    expect(JSON.stringify(messages()[0])).toContain("/actions/runs/7");
    // Once the pull request has moved on, nothing is written to it.
    const late = await notify({
      inputFiles: { verdict: stories.pass },
      event: { ...event, payload: { workflow_run: { ...event.payload.workflow_run, head_sha: other } } },
    });
    expect([late.outputs["status"], github.state.comments.length]).toEqual(["sent", 1]);
  });

  it("a named model without a verdict has an ERROR card; a model judged twice has one card with the worse verdict", async () => {
    const [pass, fail] = [stories.pass.models[0], stories.fail.models[0]].map(
      (one) => one as NonNullable<typeof one>,
    ) as [(typeof stories.pass.models)[0], (typeof stories.pass.models)[0]];
    await notify({ inputs: { models: "mood@1.1.0 births@2.0.0" } });
    const run = await notify({
      inputFiles: { verdict: { ...stories.fail, reason: "1 of 2 shards reported", models: [pass, fail] } },
      inputs: { models: "mood@1.1.0 births@2.0.0" },
    });
    expect(run.result?.cards.map(({ model, status, tone }) => [model, status, tone])).toEqual([
      ["births", "edited", "red"],
      ["mood", "edited", "red"],
    ]);
    expect(JSON.stringify(messages().map((one) => one.rich ?? one.text))).toContain("births 2.0.0: ERROR");
  });

  it("without a verdict's models, under the repository's name", async () => {
    await notify({ inputFiles: { verdict: { ...stories.error, models: [], reason: "sluice.yaml cannot be read" } } });
    expect(card()).toContain("models: ERROR");
    expect(card()).toContain("sluice.yaml cannot be read");
  });
});

describe("memory", () => {
  it("in the GitHub Deployment where there is no pull request; its state is left as it is", async () => {
    github.state.rows.push({
      id: 77,
      sha: commit,
      ref: "main",
      task: "sluice",
      environment: "production",
      description: "",
      payload: {},
      transient_environment: false,
      production_environment: true,
    });
    github.state.deployments[77] = [
      {
        id: 1,
        state: "in_progress",
        description: "building",
        log_url: "https://github.com/octo/models/actions/runs/42",
        environment_url: "https://octo-mood.hf.space",
      },
    ];
    const deployment = receipt("live", { githubDeployment: 77 });
    expect(
      (await notify({ inputFiles: { verdict: stories.pass, deployment }, inputs: { phase: "proving" }, event: main }))
        .outputs["status"],
    ).toBe("sent");
    expect((await notify({ inputFiles: { verdict: stories.pass, deployment }, event: main })).outputs["status"]).toBe(
      "edited",
    );
    expect(github.state.deployments[77]?.at(-1)).toMatchObject({
      state: "in_progress",
      description: expect.stringMatching(/^Telegram card [0-9a-f]{12} [0-9a-f]{8}: 1 0 green \d{13}$/),
      environment_url: "https://octo-mood.hf.space",
    });
    expect(messages()).toHaveLength(1);
  });

  it("believes no comment of another account", async () => {
    await notify({ inputFiles: { verdict: stories.pass } });
    const stored = github.state.comments[0] as { author: string };
    stored.author = "mallory";
    expect((await notify({ inputFiles: { verdict: stories.pass } })).outputs).toMatchObject({
      status: "sent",
      message: "2",
    });
  });

  it("without a token: a new card each time, and no request to GitHub", async () => {
    for (const message of ["1", "2"])
      expect(
        (await notify({ inputFiles: { verdict: stories.pass }, inputs: { "github-token": "" } })).outputs,
      ).toMatchObject({ status: "sent", message });
    expect(github.transcript).toEqual([]);
  });

  it("that cannot be written is a warning", async () => {
    github.state.faults.push({
      method: "POST",
      path: /comments$/,
      times: 9,
      does: { kind: "answer", status: 403, message: "Resource not accessible by integration" },
    });
    const run = await notify({ inputFiles: { verdict: stories.pass } });
    expect([run.code, run.outputs["status"]]).toEqual([0, "sent"]);
    expect(run.log).toMatch(
      /::warning title=Telegram card::mood: what was delivered could not be remembered.*Resource not accessible/,
    );
  });

  it("behind a GitHub that hangs: a new card, a warning, and no waiting for ever", async () => {
    github.state.faults.push({ method: "GET", path: /comments$/, times: 1, does: { kind: "hang" } });
    const run = await notify({ inputFiles: { verdict: stories.pass } });
    expect([run.code, run.outputs["status"]]).toEqual([0, "sent"]);
    expect(run.log).toContain("mood: the card could not be looked up, so it is a new one");
    expect(github.state.comments).toHaveLength(1);
  });

  it("is separate for each chat", async () => {
    await notify({ inputFiles: { verdict: stories.pass } });
    await notify({ inputFiles: { verdict: stories.pass }, inputs: { topic: "9" } });
    expect(github.state.comments).toHaveLength(2);
    expect(messages()).toHaveLength(2);
  });
});

it("empty inputs fall back to the runner's own variables", async () => {
  const run = await runNotify({
    action,
    inputFiles: { verdict: stories.pass },
    event: pullRequestEvent(12),
    env: { TELEGRAM_BOT_TOKEN: telegram.token, TELEGRAM_CHAT_ID: String(group), TELEGRAM_API_ROOT: telegram.url },
  });
  expect([run.code, run.outputs["status"]]).toEqual([0, "sent"]);
  expect(run.log).toContain(`::add-mask::${telegram.token}`);
});
