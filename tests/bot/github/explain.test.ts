import { expect, it } from "vitest";
import { explainFailure, isRateLimit } from "../../../bot/github/explain.ts";

const failure = (status: number, headers: Record<string, string> = {}, message = "x") =>
  Object.assign(new Error(message), { status, response: { headers } });
const now = Date.UTC(2026, 10, 29, 8, 0);

it.each([
  ["the bot's token", failure(401), "bot", /GITHUB_TOKEN/, /Try again/],
  ["a person's login", failure(401), "person", /\/link/, /Try again/],
  ["a missing right of the bot's", failure(403), "bot", /npx sluice doctor/, /Try again/],
  ["a missing right of a person's", failure(403), "person", /required reviewer/, /Try again/],
  [
    "a rate limit with its end",
    failure(403, { "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(now / 1000 + 900) }),
    "bot",
    /before 08:15 UTC does not help/,
    /Try again/,
  ],
  ["a pause that is asked for", failure(429, { "retry-after": "120" }), "bot", /before 08:02 UTC/, /Try again/],
  ["what is gone", failure(404), "bot", /deleted/, /Try again/],
  ["a refusal", failure(422), "bot", /does not help/, /Try again/],
] as const)("says what helps against %s", (_, error, token, right, wrong) => {
  const { next } = explainFailure(error, token, now);
  expect(next).toMatch(right);
  expect(next).not.toMatch(wrong);
});

it("advises to try again only where that may help", () => {
  expect(explainFailure(failure(502), "bot", now).next).toBe("Try again in a minute.");
  expect(explainFailure(new Error("reset"), "bot", now).next).toBe("Try again in a minute.");
});

it("tells a rate limit from a missing right", () => {
  expect(isRateLimit(failure(403, { "x-ratelimit-remaining": "0", "x-ratelimit-reset": "1" }))).toBe(true);
  expect(isRateLimit(failure(403, {}, "You have exceeded a secondary rate limit"))).toBe(true);
  expect(isRateLimit(failure(403, {}, "Must have admin rights"))).toBe(false);
});
