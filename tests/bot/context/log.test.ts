import { expect, it } from "vitest";
import { createLog, secretRedactor } from "../../../bot/context/log.ts";

it("redacts every line, also what a field contains", () => {
  let text = "";
  createLog(
    (line) => {
      text += line;
    },
    (line) => line.replaceAll("secret", "***"),
    () => 0,
  ).warn("x", { error: "https://api/botsecret/getMe" });
  expect(text).toBe(
    '{"time":"1970-01-01T00:00:00.000Z","level":"warn","event":"x","error":"https://api/bot***/getMe"}\n',
  );
});

it("hides the bot's own secrets, and other tokens of Telegram's and GitHub's", () => {
  const redact = secretRedactor({
    telegramToken: "123456:abcdefghijklmnopqrstuvwxyz0123456789",
    githubToken: "a-github-token",
    telegramWebhookSecret: null,
    githubWebhookSecret: "a-webhook-secret",
    sealingKey: null,
    spaceKey: null,
  });
  expect(redact("bot123456:abcdefghijklmnopqrstuvwxyz0123456789/ a-github-token a-webhook-secret")).toBe(
    "bot[secret]/ [secret] [secret]",
  );
  expect(redact("ghp_0123456789ab 7654321:zyxwvutsrqponmlkjihgfedcba9876543210")).toBe("[secret] [token]");
});
