import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { sha256 } from "../../models/core/build.ts";
import { modelFolder, serve, slowManifest, type ServerProcess } from "../server/harness.ts";
import { chromiumPath, openBrowser } from "./chromium.ts";
import { openProxy, type Proxy } from "./proxy.ts";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
/** Pictures of what the tests saw go here, for people. */
const pictures = process.env["SLUICE_PICTURES"];

/** The jobs of the page in a real Chromium against a real server, with a network that breaks in between. */
describe.skipIf(chromiumPath === undefined)(
  "the page's jobs (skipped without Chromium: apt-get install chromium, or SLUICE_CHROMIUM=PATH)",
  () => {
    let browser: Browser;
    let server: ServerProcess;
    let proxy: Proxy;
    let folder: string;
    let wrongs: string[] = [];

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), "sluice-page-jobs-"));
      const keys = join(folder, "keys");
      writeFileSync(keys, `ada ${sha256("ada-key")}\n`);
      [browser, server] = await Promise.all([
        openBrowser(),
        serve([modelFolder(slowManifest())], ["--keys-file", keys, "--jobs-dir", join(folder, "store")], {
          env: { SLUICE_JOBS_KEY: Buffer.alloc(32, 5).toString("base64") },
        }),
      ]);
      proxy = await openProxy(server.url);
    });
    afterAll(async () => {
      await browser?.close();
      await proxy?.close();
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
    });
    afterEach(async () => {
      proxy.trouble(null);
      await Promise.all(browser.contexts().map((context) => context.close()));
      if (wrongs.length > 0) throw new Error(`the page did what it must not: ${wrongs.join("; ")}`);
    });

    function file(name: string, rows: number, work: number, bad = 0): string {
      const path = join(folder, name);
      const lines = Array.from({ length: rows }, (_, i) => `${i < bad ? "much" : work},${i}`);
      writeFileSync(path, `work,value\n${lines.join("\n")}\n`);
      return path;
    }

    async function open(options: BrowserContextOptions = {}): Promise<Page> {
      wrongs = [];
      const context = await browser.newContext({ locale: "en-US", viewport: { width: 1200, height: 900 }, ...options });
      context.setDefaultTimeout(30_000);
      const page = await context.newPage();
      page.on("pageerror", (error) => wrongs.push(error.message));
      page.on("console", (message) => {
        if (/content security policy/i.test(message.text())) wrongs.push(message.text());
      });
      await page.goto(`${proxy.url}#jobs`);
      await page.getByLabel("Key", { exact: true }).fill("ada-key");
      await page.getByRole("button", { name: "Continue" }).click();
      await page.getByRole("heading", { name: "Whole files, in the background" }).waitFor();
      return page;
    }

    async function start(page: Page, path: string): Promise<void> {
      await page.getByLabel("Input file", { exact: true }).setInputFiles(path);
      await page.getByRole("button", { name: "Start" }).click();
    }
    const job = (page: Page, name: string) => page.locator(".job", { hasText: name });

    test("a file becomes a job, its progress is seen, and its answers are a CSV", async () => {
      const page = await open();
      await start(page, file("rows.csv", 120, 8, 3));
      const card = job(page, "rows.csv");
      await card.getByText(/\d+ of 120 rows/).waitFor();
      await card.getByText("Done", { exact: true }).waitFor();
      await card.getByText(/120 rows · 3 rows without an answer/).waitFor();
      await card.getByText("What is wrong with the rows").click();
      expect(await card.locator("li").innerText()).toBe("work: not a number: 3 rows (row 1, row 2, row 3)");
      const [download] = await Promise.all([
        page.waitForEvent("download"),
        card.getByRole("button", { name: "Download CSV" }).click(),
      ]);
      expect(download.suggestedFilename()).toBe("rows-answers.csv");
      const lines = readFileSync(await download.path(), "utf8")
        .trim()
        .split("\n");
      expect(lines).toHaveLength(121);
      expect(lines[10]).toBe("9,9,predicted,9,,,,,");
      await card.getByRole("button", { name: "Delete" }).click();
      await expect.poll(() => card.count()).toBe(0);
    });

    test("an upload goes on where it was after the network broke, and after the visit ended", async () => {
      const path = join(folder, "large.csv");
      writeFileSync(path, `work,value,note\n${`1,2,${"x".repeat(1000)}\n`.repeat(3000)}`);
      const page = await open();
      proxy.trouble({ path: "/uploads/", after: 3, cut: true });
      await start(page, path);
      await page.getByText(/of 3.02 MB of large.csv are on the server/).waitFor();
      await page.getByRole("button", { name: "Go on" }).waitFor();
      proxy.trouble(null);
      await page.close();

      const later = await open();
      await later.getByText(/large.csv: 2.1 MB of 3.02 MB are on the server/).waitFor();
      const sent = proxy.seen.filter((line) => line.startsWith("PATCH")).length;
      await later.getByLabel("Choose it again to go on").setInputFiles(path);
      await job(later, "large.csv").getByText("Done", { exact: true }).waitFor();
      expect(proxy.seen.filter((line) => line.startsWith("PATCH")).length - sent).toBe(1);
      await later.close();
    });

    test("a job is cancelled; a later visit still lists it", async () => {
      const page = await open();
      await start(page, file("slow.csv", 3000, 300));
      await job(page, "slow.csv").getByText("Running", { exact: true }).waitFor();
      await job(page, "slow.csv").getByRole("button", { name: "Cancel" }).click();
      await job(page, "slow.csv").getByText("Cancelled", { exact: true }).waitFor();
      const later = await open();
      await expect.poll(() => later.getByText("Cancelled", { exact: true }).count()).toBe(1);
    });

    test("what cannot be is said at once", async () => {
      const page = await open();
      await page.getByRole("button", { name: "Start" }).click();
      await page.getByText("Choose a file first.").waitFor();
      writeFileSync(join(folder, "empty.csv"), "");
      await start(page, join(folder, "empty.csv"));
      await page.getByText("The file is empty.").waitFor();
      writeFileSync(join(folder, "what.bin"), "x");
      await start(page, join(folder, "what.bin"));
      await expect.poll(() => page.getByText(/Neither the name nor the Content-Type tells/).count()).toBe(1);
    });

    test.each([
      ["light", { colorScheme: "light" }],
      ["dark", { colorScheme: "dark" }],
      ["phone", { colorScheme: "light", viewport: { width: 375, height: 812 }, isMobile: true, hasTouch: true }],
    ] as [string, BrowserContextOptions][])("everybody can use it (%s)", async (name, options) => {
      const page = await open(options);
      await start(page, file(`seen-${name}.csv`, 20, 1, 2));
      await job(page, `seen-${name}.csv`).getByText("Done", { exact: true }).waitFor();
      await start(page, file(`running-${name}.csv`, 3000, 300));
      await job(page, `running-${name}.csv`)
        .getByText(/\d+ of 3,000 rows/)
        .waitFor();
      if (pictures !== undefined) {
        mkdirSync(pictures, { recursive: true });
        await page.screenshot({ path: join(pictures, `jobs-${name}.png`), fullPage: true });
      }
      await page.evaluate(axe);
      const found = (await page.evaluate("axe.run()")) as { violations: { id: string; nodes: { html: string }[] }[] };
      expect(found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`)).toEqual([]);
      const wide = await page.evaluate(
        "[...document.querySelectorAll('main *, header *')].filter((one) => one.getBoundingClientRect().right > document.documentElement.clientWidth + 0.5).map((one) => one.outerHTML.slice(0, 120))",
      );
      await job(page, `running-${name}.csv`).getByRole("button", { name: "Cancel" }).click();
      await job(page, `running-${name}.csv`).getByText("Cancelled", { exact: true }).waitFor();
      expect(wide).toEqual([]);
    });
  },
);
