import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { graphOf, linear, mood, sideBySide } from "../../models/core/graph/build.ts";
import { serve, type ServerProcess } from "../server/harness.ts";
import { chromiumPath, openBrowser } from "./chromium.ts";

const shots = process.env["SLUICE_SCREENSHOTS"];

describe.skipIf(chromiumPath === undefined)("a composition on the page (skipped without Chromium)", () => {
  let browser: Browser;
  let server: ServerProcess;
  beforeAll(async () => {
    const root = sideBySide({
      mood: mood(),
      linear: linear(),
      both: graphOf(
        {
          root: { sequence: [{ model: "mood" }, { name: "then", node: "choice" }] },
          choice: {
            on: "mood.mood.label",
            switch: [
              { label: "positive", name: "up", model: "linear" },
              { name: "other", node: "mean" },
            ],
          },
          mean: {
            ensemble: [
              { name: "one", model: "linear" },
              { name: "two", model: "linear" },
            ],
          },
        },
        { serving: { examples: [{ text: "t1", a: 1, b: 2, c: 3 }] } },
      ),
    });
    [browser, server] = await Promise.all([openBrowser(), serve([join(root, "both")])]);
  });
  afterAll(() => browser?.close());

  test("shows its graph as a drawing, with words for whoever cannot see it", async () => {
    const context = await browser.newContext({ locale: "en-US", viewport: { width: 1200, height: 900 } });
    const page = await context.newPage();
    const wrongs: string[] = [];
    page.on("pageerror", (error) => wrongs.push(error.message));
    page.on("console", (message) => {
      if (/content security policy/i.test(message.text())) wrongs.push(message.text());
    });
    await page.goto(server.url);
    await page.getByRole("tab", { name: "Status" }).click();
    const drawing = page.locator(".graph svg");
    await drawing.waitFor();
    expect(await drawing.getAttribute("aria-label")).toBe(
      "mood (mood 1.0.0), then switch on mood.mood.label: up (linear 1.0.0), for positive; ensemble mean: one (linear 1.0.0); two (linear 1.0.0)",
    );
    expect(await drawing.locator("rect.box").count()).toBe(4);
    expect(await drawing.locator("rect.frame").count()).toBe(2);
    if (shots !== undefined) await page.screenshot({ path: `${shots}/composition.png`, fullPage: true });
    await context.close();
    expect(wrongs).toEqual([]);
  });
});
