import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { chromiumPath, openBrowser } from "./chromium.ts";
import { serveKinds, type Served } from "./served.ts";

describe.skipIf(chromiumPath === undefined)(
  "answers of every kind on the page (skipped without Chromium: apt-get install chromium, or SLUICE_CHROMIUM=PATH)",
  () => {
    let browser: Browser;
    let served: Served;
    let wrongs: string[] = [];
    beforeAll(async () => {
      [browser, served] = await Promise.all([openBrowser(), serveKinds()]);
    });
    afterAll(async () => {
      await browser?.close();
      await served?.stop();
    });
    afterEach(async () => {
      await Promise.all(browser.contexts().map((context) => context.close()));
      if (wrongs.length > 0) throw new Error(`the page did what it must not: ${wrongs.join("; ")}`);
    });

    /** The answer to a model's example. */
    async function ask(model: string, width = 1200): Promise<{ page: Page; answer: ReturnType<Page["getByRole"]> }> {
      wrongs = [];
      const context = await browser.newContext({ locale: "en-US", viewport: { width, height: 900 } });
      context.setDefaultTimeout(20_000);
      const page = await context.newPage();
      page.on("pageerror", (error) => wrongs.push(error.message));
      page.on("console", (message) => {
        if (/content security policy/i.test(message.text())) wrongs.push(message.text());
      });
      await page.goto(`${served.url}#${model}`);
      await page.getByRole("tab", { name: model, exact: true }).click();
      await page.getByRole("tabpanel").locator(".chip").first().click();
      await page.getByRole("button", { name: "Predict", exact: true }).click();
      const answer = page.getByRole("tabpanel").getByRole("region", { name: "Answer", exact: true });
      await answer.getByText("The server’s JSON").waitFor();
      return { page, answer };
    }

    test("a ranking is a list from the best on, with names and scores", async () => {
      const { answer } = await ask("pages");
      const items = await answer.locator(".ranked li").allInnerTexts();
      expect(items).toHaveLength(8);
      expect(items[0]).toMatch(/^1\s+Item b\s*b\s+5\.6$/);
    });

    test("a forecast is a line after its history, with a band, and a table", async () => {
      const { answer } = await ask("demand");
      expect(await answer.locator(".plot polyline").count()).toBe(2);
      expect(await answer.locator(".plot polygon.band").count()).toBe(1);
      expect(await answer.locator(".plot svg").getAttribute("aria-label")).toMatch(
        /^Forecast, pieces: forecast now 7\.6.*before now 4.*10 % – 90 % from/,
      );
      await answer.getByText("The values").click();
      expect(await answer.locator("tbody tr").allInnerTexts()).toEqual([
        "1\t4.9\t3.7\t4.9\t6.1",
        "2\t5.8\t3.4\t5.8\t8.2",
        "3\t6.7\t3.1\t6.7\t10.3",
        "4\t7.6\t2.8\t7.6\t12.4",
      ]);
    });

    test("what was observed since is a line of its own, with a ring around what is flagged", async () => {
      const { answer } = await ask("seen");
      expect(await answer.locator(".plot polyline").count()).toBe(3);
      expect(await answer.locator(".plot circle.mark").count()).toBe(1);
      expect(await answer.locator(".plot svg").getAttribute("aria-label")).toMatch(/observed now 9.*; 1 flagged$/);
      await answer.getByText("The values").click();
      expect(await answer.locator("tbody tr").allInnerTexts()).toEqual([
        "1\t4.9\t4.9\t3.7\t4.9\t6.1",
        "2\t9 flagged\t5.8\t3.4\t5.8\t8.2",
        "3\t–\t6.7\t3.1\t6.7\t10.3",
        "4\t–\t7.6\t2.8\t7.6\t12.4",
      ]);
    });

    test("spans are marked in the text, with what the colours mean", async () => {
      const { answer } = await ask("entities");
      expect(await answer.locator("mark").allInnerTexts()).toEqual([
        "Anna BergPER",
        "ViennaLOC",
        "New YorkLOC",
        "ClaraPER",
        "ViennaLOC",
      ]);
      expect(await answer.locator(".span-legend li").allInnerTexts()).toEqual(["PER\n2", "LOC\n3"]);
      expect([await answer.locator("mark.span-0").count(), await answer.locator("mark.span-1").count()]).toEqual([
        2, 3,
      ]);
    });

    test("the most probable labels are bars, and the others are counted", async () => {
      const { answer } = await ask("kinds");
      expect(await answer.locator(".bars li").allInnerTexts()).toEqual(["y\n66.5 %", "z\n24.5 %"]);
      await answer.getByText("1 less likely label not listed").waitFor();
    });

    test("a text is a text", async () => {
      const { answer } = await ask("words");
      expect(await answer.locator(".result-text").innerText()).toBe("word 7");
    });

    test.each(["pages", "demand", "seen", "entities", "kinds", "words"])("%s fits a phone", async (model) => {
      const { page } = await ask(model, 360);
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(360);
    });
  },
);
