import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { serve, type ServerProcess } from "../server/harness.ts";
import { chromiumPath, openBrowser } from "./chromium.ts";

describe.skipIf(chromiumPath === undefined)(
  "the page of a model with a JSON of its own and a placeholder (skipped without Chromium)",
  () => {
    let browser: Browser;
    let server: ServerProcess;
    beforeAll(async () => {
      [browser, server] = await Promise.all([openBrowser(), serve(["models/virality"])]);
    });
    afterAll(() => browser?.close());

    test("shows its heads, and says when the picture was not used", async () => {
      const page = await browser.newPage({ locale: "en-US", viewport: { width: 1200, height: 1000 } });
      page.setDefaultTimeout(15_000);
      const wrongs: string[] = [];
      page.on("pageerror", (error) => wrongs.push(error.message));
      await page.goto(server.url);
      const panel = page.getByRole("tabpanel");
      const answer = panel.getByRole("region", { name: "Answer", exact: true });
      await panel.getByRole("button", { name: "How the impossible rocket" }).click();
      await panel.getByRole("img", { name: "The chosen image" }).waitFor();
      await page.getByRole("button", { name: "Predict", exact: true }).click();
      await answer.locator(".result-main").first().waitFor();
      expect(await answer.locator(".result-main").count()).toBe(2);
      expect(await answer.locator(".answer-body .note").count()).toBe(0);
      await panel.getByLabel("Web address for thumbnail_url").fill("http://10.0.0.1/a.png");
      await page.getByRole("button", { name: "Predict", exact: true }).click();
      await answer.locator(".answer-body .note").waitFor();
      expect(await answer.locator(".answer-body .note").innerText()).toBe(
        "thumbnail_url: the image was not fetched: the address is not public; a plain picture of #808080 was used.",
      );
      expect(wrongs).toEqual([]);
    });
  },
);
