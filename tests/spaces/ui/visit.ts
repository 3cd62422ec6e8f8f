import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import type { InferenceEndpoint } from "../../../rehearsal/inference/server.ts";

type Name = "Local" | "Remote" | "Answer";

/** Visits a page on which a local and a remote model are side by side. */
export function visits() {
  /** What a page must not do: script errors, and anything that the content security policy refuses. */
  let wrongs: string[] = [];
  const card = (page: Page, name: Name) => page.getByRole("tabpanel").getByRole("region", { name, exact: true });
  return {
    card,
    text: (page: Page, name: Name) =>
      card(page, name)
        .locator(".result-text")
        .innerText()
        .catch(() => ""),
    async open(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Page> {
      wrongs = [];
      const context = await browser.newContext({ locale: "en-US", viewport: { width: 1200, height: 900 }, ...options });
      context.setDefaultTimeout(20_000);
      const page = await context.newPage();
      page.on("pageerror", (error) => wrongs.push(error.message));
      page.on("console", (message) => {
        if (/content security policy/i.test(message.text())) wrongs.push(message.text());
      });
      await page.goto(url);
      await page.getByRole("tab", { name: "Status" }).waitFor();
      return page;
    },
    async ask(page: Page, words: string) {
      await page.getByRole("tabpanel").getByLabel("text", { exact: true }).fill(words);
      await page.getByRole("button", { name: "Predict", exact: true }).click();
    },
    /**
     * Called after each test.
     *
     * @throws when the page did something that it must not do.
     */
    async end(browser: Browser, endpoint: InferenceEndpoint) {
      endpoint.release();
      endpoint.plan({ kind: "ok" });
      endpoint.calls.length = 0;
      await Promise.all(browser.contexts().map((context) => context.close()));
      if (wrongs.length > 0) throw new Error(`the page did what it must not: ${wrongs.join("; ")}`);
    },
  };
}
