import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { DEFAULT_TEXT, startInferenceEndpoint, type InferenceEndpoint } from "../../../rehearsal/inference/server.ts";
import { chromiumPath, openBrowser } from "./chromium.ts";
import { servePair, type Served } from "./served.ts";
import { visits } from "./visit.ts";

const shots = process.env["SLUICE_SCREENSHOTS"];

/**
 * A local model and its remote counterpart on the page, in a real Chromium. The provider is a stand-in with the real
 * protocol.
 */
describe.skipIf(chromiumPath === undefined)("a local and a remote model side by side", () => {
  let browser: Browser;
  let endpoint: InferenceEndpoint;
  let served: Served;
  let bare: Served;

  beforeAll(async () => {
    endpoint = await startInferenceEndpoint();
    [browser, served, bare] = await Promise.all([
      openBrowser(),
      servePair({ HF_TOKEN: "hf_standInTokenThatNobodyMayPrint0123", HF_INFERENCE_ENDPOINT: endpoint.url }),
      servePair({}),
    ]);
  });
  afterAll(async () => {
    await browser?.close();
    await served?.stop();
    await bare?.stop();
    await endpoint?.close();
  });
  afterEach(() => end(browser, endpoint));

  const { card, ask, end, open: visit } = visits();
  const open = (url: string, options: BrowserContextOptions = {}) => visit(browser, url, options);
  const shoot = async (page: Page, name: string) => {
    if (shots !== undefined) await page.screenshot({ path: `${shots}/${name}.png`, fullPage: true });
  };

  test("both answer: the local label goes to the remote prompt, both times are shown, the comparison runs", async () => {
    const page = await open(`${served.url}/#mood`);
    for (const [i, words] of ["What a lovely day", "I lost my keys and it rains", "What a wonderful gift"].entries()) {
      await ask(page, words);
      await expect
        .poll(() =>
          page
            .locator(".comparison tbody td")
            .first()
            .innerText()
            .catch(() => ""),
        )
        .toBe(String(i + 1));
    }
    expect(await card(page, "Local").locator(".result-main").innerText()).toBe("positive");
    expect(await card(page, "Local").locator(".time-key").innerText()).toMatch(/inference[\s\S]*network and browser/);
    expect(await card(page, "Remote").locator(".result-text").innerText()).toBe(DEFAULT_TEXT);
    expect(await card(page, "Remote").innerText()).toContain(
      "What you enter is sent to whoever runs some-org/some-model.",
    );
    expect(await card(page, "Remote").innerText()).toContain("16 tokens · a text has no confidence");
    expect(await card(page, "Remote").locator(".time-key").innerText()).toMatch(/until the first words[\s\S]*writing/);
    expect(endpoint.calls.map(({ body }) => body.messages.at(-1)?.content)).toEqual([
      "positive: What a lovely day",
      "negative: I lost my keys and it rains",
      "positive: What a wonderful gift",
    ]);
    const comparison = page.getByRole("region", { name: "Comparison" });
    expect(await comparison.locator("figure").first().locator("polyline").count()).toBe(2);
    expect(await comparison.locator("tbody tr").nth(1).innerText()).toMatch(
      /^Remote\s+3\s+0\s+[\d.]+ m?s\s+[\d.]+ m?s\s+\$0\.\d+$/,
    );
    expect(await comparison.innerText()).toMatch(/takes [\d.,]+ times as long as/);
    await shoot(page, "pair-desktop");
  });

  test("a slow remote model: the local answer is already shown, pieces appear as they come, and it can be cancelled alone", async () => {
    const page = await open(`${served.url}/#mood`);
    endpoint.plan({ kind: "slow", piecesFirst: 5 });
    await ask(page, "What a lovely day");
    await card(page, "Local").locator(".result-main").waitFor();
    await expect
      .poll(() =>
        card(page, "Remote")
          .locator(".result-text")
          .innerText()
          .catch(() => ""),
      )
      .toBe("That sounds lovely. I hope");
    await shoot(page, "pair-writing");
    endpoint.release();
    await expect.poll(() => card(page, "Remote").locator(".result-text").innerText()).toBe(DEFAULT_TEXT);
    endpoint.plan({ kind: "slow" });
    await ask(page, "Another lovely day");
    await card(page, "Remote").getByRole("button", { name: "Cancel" }).click();
    await card(page, "Remote").getByText("Cancelled.").waitFor();
    expect(await card(page, "Local").locator(".result-main").innerText()).toBe("positive");
    await expect.poll(() => endpoint.calls.at(-1)?.aborted).toBe(true);
  });

  test("a remote model that fails midway keeps its text, says so, and can be asked again; the local answer stays", async () => {
    const page = await open(`${served.url}/#mood`);
    endpoint.plan({ kind: "cut", pieces: 5 });
    await ask(page, "What a lovely day");
    await card(page, "Remote").getByText("The remote model did not give a whole answer.").waitFor();
    expect(await card(page, "Remote").locator(".partial").innerText()).toMatch(/^That sounds/);
    expect(await card(page, "Local").locator(".result-main").innerText()).toBe("positive");
    await expect
      .poll(() => page.locator(".comparison tbody tr").nth(1).locator("td").nth(1).innerText())
      .toBe("1 (100.0 %)");
    await shoot(page, "pair-midway");
    endpoint.plan({ kind: "refuse", status: 429, retryAfter: "90" });
    await card(page, "Remote").getByRole("button", { name: "Try again" }).click();
    await card(page, "Remote")
      .getByText(/It can be asked again at \d+:\d+:\d+ .M \(in (90|8\d) s\)\./)
      .waitFor();
    endpoint.plan({ kind: "ok" });
    await card(page, "Remote").getByRole("button", { name: "Try again" }).click();
    await expect
      .poll(() =>
        card(page, "Remote")
          .locator(".result-text")
          .innerText()
          .catch(() => ""),
      )
      .toBe(DEFAULT_TEXT);
  });

  test("a remote model without a token says what to set, and the local model answers", async () => {
    const page = await open(`${bare.url}/#mood`);
    await card(page, "Remote").getByText("HF_TOKEN").first().waitFor();
    await ask(page, "What a lovely day");
    await card(page, "Local").locator(".result-main").waitFor();
    expect(await card(page, "Remote").innerText()).toContain("Not set up yet.");
    await page.locator("#health").getByText("Ready").waitFor();
    await shoot(page, "pair-not-configured");
    await page.getByRole("tab", { name: "Status" }).click();
    await page.getByRole("tabpanel").getByText("reply: not configured").waitFor();
    expect(await page.getByRole("region", { name: "Model reply" }).innerText()).toContain("HF_TOKEN");
  });

  test("the status tab shows the gate's verdict for the served weights; a verdict for other weights is marked as such", async () => {
    const page = await open(`${served.url}/#status`);
    await page.getByRole("region", { name: "Model mood" }).getByText("Gate: PASS", { exact: true }).waitFor();
    expect(
      await page.getByRole("region", { name: "Model mood" }).locator(".badge-pass").getAttribute("title"),
    ).not.toBe("");
    await page.getByRole("region", { name: "Model other" }).getByText("Gate: PASS, for other weights").waitFor();
    expect(await page.getByRole("region", { name: "Model other" }).locator(".badge-pass").count()).toBe(0);
    expect(await page.getByRole("region", { name: "Model reply" }).innerText()).toMatch(
      /remote, not gated[\s\S]*some-org\/some-model[\s\S]*closed/,
    );
    await shoot(page, "status-desktop");
  });

  test("on a phone nothing scrolls sideways, and the remote model's own tab answers too", async () => {
    const page = await open(`${served.url}/#mood`, {
      viewport: { width: 390, height: 844 },
      isMobile: true,
      hasTouch: true,
    });
    await ask(page, "What a lovely day");
    await page.getByRole("region", { name: "Comparison" }).waitFor();
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(390);
    await shoot(page, "pair-phone");
    await page.getByRole("tab", { name: "reply" }).tap();
    await ask(page, "What a lovely day");
    await expect
      .poll(() =>
        card(page, "Answer")
          .locator(".result-text")
          .innerText()
          .catch(() => ""),
      )
      .toBe(DEFAULT_TEXT);
    await page.locator("#panel-reply .history tbody tr").waitFor();
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(390);
    await shoot(page, "reply-phone");
    await page.getByRole("tab", { name: "Status" }).tap();
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(390);
  });
});
