import { join } from "node:path";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import sharp from "sharp";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { startInferenceEndpoint, type InferenceEndpoint } from "../../../rehearsal/inference/server.ts";
import { chromiumPath, openBrowser } from "./chromium.ts";
import { serveMood, type Served } from "./served.ts";
import { visits } from "./visit.ts";

/**
 * models/mood and models/reply with their own manifests, in a real Chromium. The provider is a stand-in with the real
 * protocol. With SLUICE_SCREENSHOTS=docs/images the pictures of docs/mood.md are made again.
 */
const shots = process.env["SLUICE_SCREENSHOTS"];

const GLAD =
  "What a lovely morning that must have been. You worked hard for that driving test, and it shows: enjoy every mile of it.";
const LETTER =
  "How wonderful to hear from your daughter so soon, in her own words. She is thinking of you in her first week.";
const GARDEN =
  "Your own tomatoes, warm from the garden! You have waited all summer for that first bite, and you have earned it.";
const SORRY =
  "I am so sorry that the train let you down on a day that mattered so much. Your grandmother will feel how much you wanted to be there.";
/** US dollars per token read, per token written, and per hour, as in the two manifests. */
const [PER_TOKEN, PER_HOUR] = [0.1e-6, 0.03];

describe.skipIf(chromiumPath === undefined)("mood, dual mode", () => {
  let browser: Browser;
  let endpoint: InferenceEndpoint;
  let served: Served;

  beforeAll(async () => {
    endpoint = await startInferenceEndpoint();
    [browser, served] = await Promise.all([
      openBrowser(),
      serveMood({ HF_TOKEN: "hf_standInTokenThatNobodyMayPrint0123", HF_INFERENCE_ENDPOINT: endpoint.url }),
    ]);
  });
  afterAll(async () => {
    await browser?.close();
    await served?.stop();
    await endpoint?.close();
  });
  afterEach(() => end(browser, endpoint));

  const { card, text, ask, end, open: visit } = visits();
  const open = (options: BrowserContextOptions = {}) =>
    visit(browser, `${served.url}/#mood`, { viewport: { width: 1120, height: 900 }, ...options });
  /**
   * A picture of the page from its top to below the last of these parts, with few colours, so that it is small enough
   * to commit.
   */
  async function shoot(page: Page, name: string, last: string) {
    if (shots === undefined) return;
    const box = await page.locator(last).boundingBox();
    const scrolled = Number(await page.evaluate("scrollY"));
    const picture = await page.screenshot({
      fullPage: true,
      animations: "disabled",
      clip: {
        x: 0,
        y: 0,
        width: Math.floor(Number(await page.evaluate("document.body.getBoundingClientRect().width"))),
        height: Math.ceil(box!.y + scrolled + box!.height + 24),
      },
    });
    await sharp(picture)
      .png({ palette: true, colours: 96, effort: 10 })
      .toFile(join(shots, `mood-${name}.png`));
  }

  test("the local model finds the mood, the remote one writes a message; the comparison shows what was measured", async () => {
    const page = await open();
    for (const [i, [words, message]] of (
      [
        ["My daughter wrote me a letter from her first week at university.", LETTER],
        ["My train was cancelled and I missed my grandmother's birthday.", SORRY],
        ["The first tomatoes in my garden are ripe!", GARDEN],
        ["I passed my driving test and I am so happy.", GLAD],
      ] as const
    ).entries()) {
      endpoint.plan({ kind: "ok", text: message, paceMs: 12 });
      await ask(page, words);
      await poll(() =>
        page
          .locator(".comparison tbody tr")
          .nth(1)
          .locator("td")
          .first()
          .innerText()
          .catch(() => ""),
      ).toBe(String(i + 1));
    }
    expect(await card(page, "Local").locator(".result").innerText()).toMatch(/positive\s+9\d\.\d %/);
    expect(await text(page, "Remote")).toBe(GLAD);
    expect(await card(page, "Remote").innerText()).toContain(
      "What you enter is sent to whoever runs HuggingFaceTB/SmolLM3-3B. Nothing is stored here.",
    );
    const [system, user] = endpoint.calls[1]!.body.messages;
    expect(system!.content).toMatch(/^\/no_think\n/);
    expect(user!.content).toBe(
      "A program's guess at their mood: negative\nWhat they wrote:\nMy train was cancelled and I missed my grandmother's birthday.",
    );

    // The tokens that the stand-in counted, at the manifests' prices.
    const tokens = endpoint.calls.map(
      ({ body }, i) =>
        words(body.messages.map(({ content }) => content).join(" ")) + words([LETTER, SORRY, GARDEN, GLAD][i]!),
    );
    const perAnswer = (tokens.reduce((sum, n) => sum + n, 0) / tokens.length) * PER_TOKEN;
    const comparison = page.getByRole("region", { name: "Comparison" });
    expect(await comparison.locator("tbody tr").nth(0).innerText()).toMatch(
      /^Local\s+4\s+0\s+[\d.]+ ms\s+–\s+\$0\.03 an hour$/,
    );
    expect(await comparison.locator("tbody tr").nth(1).innerText()).toMatch(
      new RegExp(`^Remote\\s+4\\s+0\\s+[\\d.]+ m?s\\s+[\\d.]+ ms\\s+\\$${dollars(perAnswer * 1000)}$`),
    );
    const even = await comparison.locator(".even").innerText();
    expect(even).toContain(
      `${Math.round(PER_HOUR / perAnswer).toLocaleString("en-US")} answers an hour. Below that, Remote costs less by the answer ($${dollars(perAnswer * 1000)} per 1,000, of 4 answers seen)`,
    );
    expect(even).toMatch(
      /the machine for Local does \(\$0\.03 an hour\)\. One such machine gives up to about [\d,]+ an hour, one after the other\.$/,
    );
    expect(await comparison.locator(".costs polyline").count()).toBe(2);
    await shoot(page, "side-by-side", ".comparison");
  });

  test("a message appears while it is written, with the local answer already there", async () => {
    const page = await open();
    endpoint.plan({ kind: "slow", text: SORRY, piecesFirst: 17 });
    await ask(page, "My train was cancelled and I missed my grandmother's birthday.");
    await poll(() => text(page, "Remote")).toBe(SORRY.split(" ").slice(0, 17).join(" "));
    expect(await card(page, "Local").locator(".result-main").innerText()).toBe("negative");
    await shoot(page, "streaming", "#panel-mood .answers");
  });

  test("a text that only the local model accepts is answered by it, and marked for the other; nothing scrolls sideways on a phone", async () => {
    const page = await open({
      viewport: { width: 390, height: 844 },
      deviceScaleFactor: 1.5,
      isMobile: true,
      hasTouch: true,
    });
    await ask(page, "lovely ".repeat(300));
    await card(page, "Remote").getByText("What is wrong is marked in the form.").waitFor();
    await page.getByText(/too long; expected at most 2,?000 characters/).waitFor();
    expect(await card(page, "Local").locator(".result-main").innerText()).toBe("positive");
    expect(endpoint.calls).toHaveLength(0);
    await page.getByRole("button", { name: "Clear", exact: true }).first().click();
    endpoint.plan({ kind: "ok", text: SORRY, paceMs: 8 });
    await ask(page, "  My train was\u200b cancelled.  ");
    await poll(() => text(page, "Remote")).toBe(SORRY);
    expect(endpoint.calls[0]!.body.messages[1]!.content).toBe(
      "A program's guess at their mood: negative\nWhat they wrote:\nMy train was cancelled.",
    );
    await page.locator(".even").waitFor();
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(390);
    // A phone shows the costs too, and the table needs no scrolling of its own.
    expect(await page.locator(".comparison .scroll").evaluate((box) => box.scrollWidth - box.clientWidth)).toBe(0);
    await shoot(page, "phone", ".comparison");
    await page.getByRole("tab", { name: "reply" }).tap();
    await ask(page, "My train was cancelled.");
    await poll(() => text(page, "Answer")).toBe(SORRY);
    expect(endpoint.calls[1]!.body.messages[1]!.content).toContain("A program's guess at their mood: not known");
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(390);
  });

  // This test is the last, because the circuit breaker stays open after it.
  test("a remote that fails midway, limits, and is left alone: each time it says what happened and when it can be asked again", async () => {
    const page = await open({ colorScheme: "dark" });
    endpoint.plan({ kind: "cut", text: GLAD, pieces: 9 });
    await ask(page, "I passed my driving test and I am so happy.");
    await card(page, "Remote").getByText("The remote model did not give a whole answer.").waitFor();
    expect(await card(page, "Remote").locator(".partial").innerText()).toMatch(/^What a lovely morning/);
    await card(page, "Remote").getByText("It can be asked again now.").waitFor();
    expect(await card(page, "Local").locator(".result-main").innerText()).toBe("positive");
    await shoot(page, "midway", "#panel-mood .answers");
    endpoint.plan({ kind: "refuse", status: 429, retryAfter: "40" });
    for (let failures = 2; failures <= 5; failures++) {
      await card(page, "Remote").getByRole("button", { name: "Try again" }).click();
      await card(page, "Remote").getByText("The remote model is busy.").waitFor();
      await poll(() => page.locator(".comparison tbody tr").nth(1).locator("td").nth(1).innerText()).toContain(
        `${failures} (`,
      );
    }
    await card(page, "Remote").getByRole("button", { name: "Try again" }).click();
    await card(page, "Remote")
      .getByText("The remote model has failed repeatedly and is left alone for a while.")
      .waitFor();
    const seconds = async () => Number(/ \(in (\d+) s\)/.exec(await card(page, "Remote").innerText())?.[1]);
    const before = await seconds();
    expect(before).toBeGreaterThan(15);
    await poll(seconds).toBeLessThan(before);
    expect(await card(page, "Local").locator(".result-main").innerText()).toBe("positive");
    expect(endpoint.calls).toHaveLength(5);
  });
});

/** A busy machine needs more than a second. */
function poll<T>(get: () => Promise<T>) {
  return expect.poll(get, { timeout: 15_000 });
}

/** Number of pieces, as the stand-in counts them. */
function words(text: string): number {
  return text.match(/\s*\S+/g)?.length ?? 0;
}

/** Small amounts as the page formats them: two to four decimals. */
function dollars(amount: number): string {
  return new Intl.NumberFormat("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 4 }).format(amount);
}
