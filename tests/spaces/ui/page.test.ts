import { readFile } from "node:fs/promises";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import sharp from "sharp";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { chromiumPath, openBrowser } from "./chromium.ts";
import { openProxy, type Proxy } from "./proxy.ts";
import { HOSTILE, serveModels, type Served } from "./served.ts";

/** The page in a real Chromium against the real server, with a proxy in between that causes network problems. */
describe.skipIf(chromiumPath === undefined)(
  "the page (skipped without Chromium: apt-get install chromium, or SLUICE_CHROMIUM=PATH)",
  () => {
    let browser: Browser;
    let served: Served;
    let proxy: Proxy;
    /** What the page must not do: script errors, and anything that the content security policy refuses. */
    let wrongs: string[] = [];
    /** Hosts that the page sent requests to. */
    const hosts = new Set<string>();

    beforeAll(async () => {
      [browser, served] = await Promise.all([openBrowser(), serveModels()]);
      proxy = await openProxy(served.url);
    });
    afterAll(async () => {
      await browser?.close();
      await proxy?.close();
      await served?.stop();
    });
    afterEach(async () => {
      proxy.trouble(null);
      await Promise.all(browser.contexts().map((context) => context.close()));
      // Thrown instead of expected, because this runs outside the tests.
      if (wrongs.length > 0) throw new Error(`the page did what it must not: ${wrongs.join("; ")}`);
    });

    async function open(hash = "", options: BrowserContextOptions = {}): Promise<Page> {
      wrongs = [];
      const context = await browser.newContext({ locale: "en-US", viewport: { width: 1200, height: 900 }, ...options });
      context.setDefaultTimeout(10_000);
      const page = await context.newPage();
      page.on("pageerror", (error) => wrongs.push(error.message));
      page.on("console", (message) => {
        if (/content security policy/i.test(message.text())) wrongs.push(message.text());
      });
      page.on("request", (request) => {
        if (request.url().startsWith("http")) hosts.add(new URL(request.url()).host);
      });
      await page.goto(`${proxy.url}${hash}`);
      await page.getByRole("tab", { name: "Status" }).waitFor();
      return page;
    }

    const answer = (page: Page) => page.getByRole("tabpanel").getByRole("region", { name: "Answer", exact: true });
    const text = (page: Page) => page.getByRole("tabpanel").getByLabel("text", { exact: true });
    const predict = (page: Page) => page.getByRole("button", { name: "Predict", exact: true }).click();
    const served1 = async (path: string, body: object): Promise<any> =>
      (
        await fetch(`${served.url}${path}`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify(body),
        })
      ).json();

    test("it loads: a tab per model, a health light, nothing from other hosts, nothing stored", async () => {
      const page = await open();
      expect(await page.getByRole("tab").allTextContents()).toEqual([
        "mood",
        "births",
        "hostile",
        "pixels",
        "Batch",
        "Jobs",
        "Status",
      ]);
      await page.getByText("Ready", { exact: true }).waitFor();
      expect(await page.title()).toBe("mood · Sluice");
      expect([...hosts]).toEqual([new URL(proxy.url).host]);
      expect(await page.evaluate("[localStorage.length, sessionStorage.length, document.cookie]")).toEqual([0, 0, ""]);
    });

    test("a text gets the server's answer, with its time and an entry in the visit's history", async () => {
      const page = await open();
      await text(page).fill("What a lovely film");
      await predict(page);
      const truth = await served1("/models/mood/predict", { text: "What a lovely film" });
      const { label, probabilities } = truth.heads.mood;
      await answer(page).locator(".result-main").waitFor();
      expect(await answer(page).locator(".result").innerText()).toBe(
        `${label}\n${(probabilities[label] * 100).toFixed(1)} %`,
      );
      expect(await answer(page).locator(".bar-score").allInnerTexts()).toHaveLength(2);
      expect(await answer(page).locator(".time-key").innerText()).toMatch(
        /queue[\s\S]*inference[\s\S]*network and browser/,
      );
      await text(page).fill("Dreadful");
      await predict(page);
      await expect.poll(() => page.locator("#panel-mood .history tbody tr").count()).toBe(2);
      expect(await page.locator("#panel-mood .history polyline").count()).toBeGreaterThan(0);
      await page.getByRole("button", { name: "What a lovely film" }).click();
      expect(await text(page).inputValue()).toBe("What a lovely film");
    });

    test("a date and pasted numbers get a value with its unit", async () => {
      const page = await open("#births");
      const history = [
        7224, 9271, 7913, 7205, 11973, 13122, 12884, 12372, 11901, 8132, 7241, 11496, 12699, 12470, 12242, 12237, 8150,
        7337, 12064, 13350, 13106, 13594, 13434, 8795, 7547, 12967, 12598, 9096,
      ];
      await page.getByLabel("date", { exact: true }).fill("2003-12-25");
      await page.getByLabel("history", { exact: true }).fill(history.join("\n"));
      expect(await page.locator(".list-preview").innerText()).toMatch(/^28 of 28/);
      await predict(page);
      const { heads } = await served1("/models/births/predict", { date: "2003-12-25", history });
      await answer(page).locator(".result-main").waitFor();
      expect(await answer(page).locator(".result-main").getAttribute("title")).toBe(String(heads.births.value));
      expect(await answer(page).locator(".result").innerText()).toBe(
        `${Math.round(heads.births.value).toLocaleString("en-US")}\nbirths`,
      );
    });

    test("a refusal is shown at the field, in the server's words", async () => {
      const page = await open("#births");
      await page.getByLabel("date", { exact: true }).fill("2003-12-25");
      const history = page.getByLabel("history", { exact: true });
      await history.fill("1 2 x");
      await predict(page);
      const { errors } = await served1("/models/births/predict", { date: "2003-12-25", history: [1, 2, "x"] });
      expect(errors.length).toBeGreaterThan(0);
      await page.locator(".field-number-list .wrong p").first().waitFor();
      const message = await page.locator(".field-number-list .wrong").innerText();
      for (const { problem } of errors) expect(message.toLowerCase()).toContain(String(problem).toLowerCase());
      expect(message).toContain("history[2]");
      expect(await history.getAttribute("aria-invalid")).toBe("true");
      expect(await page.evaluate("document.activeElement.tagName")).toBe("TEXTAREA");
      expect(await answer(page).innerText()).toContain("The server could not use this input.");
      expect(await page.locator(".field-date .wrong").innerText()).toBe("");
      await history.fill("1 2 3");
      expect(await history.getAttribute("aria-invalid")).toBeNull();
    });

    test("an image is previewed and answered by both heads; a web address is left to the server", async () => {
      const page = await open("#pixels");
      const panel = page.getByRole("tabpanel");
      const png = await sharp({ create: { width: 20, height: 10, channels: 3, background: "#00ff00" } })
        .png()
        .toBuffer();
      await panel
        .getByLabel("photo", { exact: true })
        .setInputFiles({ name: "green.png", mimeType: "image/png", buffer: png });
      await panel.getByRole("img", { name: "The chosen image" }).waitFor();
      await predict(page);
      const { heads } = await served1("/models/pixels/predict", { photo: png.toString("base64") });
      await answer(page).locator(".result-main").first().waitFor();
      expect(await answer(page).locator(".result-main").allInnerTexts()).toEqual([
        "green",
        Number(heads.brightness.value.toPrecision(4)).toLocaleString("en-US", { maximumSignificantDigits: 6 }),
      ]);
      expect(await answer(page).locator(".bar-label").allInnerTexts()).toHaveLength(3);
      await panel.getByLabel("Web address for photo").fill("https://example.com/cat.png");
      await predict(page);
      await panel.locator(".field-image .wrong").getByText("URLs are switched off here").waitFor();
    });

    test("a server with API keys gets one, which is kept only in memory", async () => {
      const page = await open();
      await text(page).fill("with a key");
      proxy.trouble({ path: "/predict", refuse: { times: 2, status: 401 } });
      await predict(page);
      const dialog = page.getByRole("dialog", { name: "API key" });
      await dialog.getByLabel("Key", { exact: true }).fill("wrong");
      await dialog.getByRole("button", { name: "Continue" }).click();
      await dialog.getByText("The server does not know this key.").waitFor();
      const [sent] = await Promise.all([
        page.waitForRequest((request) => request.headers()["authorization"] === "Bearer right"),
        (async () => {
          await dialog.getByLabel("Key", { exact: true }).fill("right");
          await page.keyboard.press("Enter");
        })(),
      ]);
      expect(sent.url()).toContain("/models/mood/predict");
      await answer(page).locator(".result-main").waitFor();
      expect(await page.evaluate("[localStorage.length, sessionStorage.length, document.cookie]")).toEqual([0, 0, ""]);
    });

    test("a slow server: the page says so, and the wait can be cancelled", async () => {
      const page = await open();
      proxy.trouble({ path: "/predict", delayMs: 60_000 });
      await text(page).fill("slow");
      await predict(page);
      await answer(page).getByText("Still waiting for the server").first().waitFor();
      await answer(page).getByRole("button", { name: "Cancel" }).click();
      await answer(page).getByText("Cancelled.").waitFor();
      proxy.trouble(null);
      await answer(page).getByRole("button", { name: "Try again" }).click();
      await answer(page).locator(".result-main").waitFor();
      expect(await answer(page).innerText()).not.toContain("Cancelled");
    });

    test("a busy server's Retry-After is shown, a dead server too, and what was typed stays", async () => {
      const page = await open();
      await text(page).fill("keep me");
      proxy.trouble({ path: "/predict", refuse: { times: 1, status: 429, headers: { "retry-after": "7" } } });
      await predict(page);
      await answer(page)
        .getByText(/^It can be asked again at .+ \(in [1-7] s\)\.$/)
        .waitFor();
      proxy.trouble({ path: "/", cut: true });
      await answer(page).getByRole("button", { name: "Try again" }).click();
      await answer(page).getByText("The server cannot be reached.").waitFor();
      await page.locator("#health").getByText("Offline").waitFor();
      proxy.trouble(null);
      expect(await text(page).inputValue()).toBe("keep me");
      await answer(page).getByRole("button", { name: "Try again" }).click();
      await answer(page).locator(".result-main").waitFor();
      await page.locator("#health").getByText("Ready").waitFor();
    });

    test("a server that is away when the page loads is asked again", async () => {
      proxy.trouble({ path: "/models", cut: true });
      wrongs = [];
      const page = await (await browser.newContext()).newPage();
      await page.goto(proxy.url);
      await page.getByText("The server cannot be reached.").waitFor();
      proxy.trouble(null);
      await page.getByRole("button", { name: "Try again" }).click();
      await page.getByRole("tab", { name: "mood" }).waitFor();
      expect(await page.getByText("The server cannot be reached.").count()).toBe(0);
    });

    test("a batch with a bad row: every other row is answered, the file has them all, and a busy server is waited for", async () => {
      const page = await open("#batch");
      const panel = page.getByRole("tabpanel");
      await panel.getByLabel("Model", { exact: true }).selectOption("births");
      const good =
        "7224 9271 7913 7205 11973 13122 12884 12372 11901 8132 7241 11496 12699 12470 12242 12237 8150 7337 12064 13350 13106 13594 13434 8795 7547 12967 12598 9096";
      const lines = [
        "date,history,note",
        `2003-12-25,${good},first`,
        "2003-12-26,1 2 3,too short",
        `,${good},no date`,
        `2003-12-28,${good},"last, quoted"`,
      ];
      await panel
        .getByLabel("File")
        .setInputFiles({ name: "days.csv", mimeType: "text/csv", buffer: Buffer.from(lines.join("\n")) });
      await panel.getByText("4 rows in days.csv (CSV)").waitFor();
      expect(await panel.getByRole("region", { name: "Preview" }).innerText()).toContain(
        "Row 3 (line 4): no value for “date”",
      );
      proxy.trouble({ path: "/batch", refuse: { times: 1, status: 503, headers: { "retry-after": "1" } } });
      await panel.getByRole("button", { name: "Predict 3 rows" }).click();
      await panel.getByText("Trying again in 1 s").waitFor();
      const download = panel.getByRole("button", { name: "Download CSV" });
      await download.waitFor();
      const results = panel.getByRole("region", { name: "Answers" }).first();
      expect(await results.innerText()).toContain("2 rows answered, 2 not");
      expect(await results.innerText()).toMatch(/Row 2 \(line 3\): history: .*28/);
      const [file] = await Promise.all([page.waitForEvent("download"), download.click()]);
      const content = (await readFile(await file.path(), "utf8")).replace("\uFEFF", "").trim().split("\r\n");
      expect(content).toHaveLength(5);
      expect(content[0]).toBe("row,date,history,note,predicted_births,error");
      const { heads } = await served1("/models/births/predict", {
        date: "2003-12-25",
        history: good.split(" ").map(Number),
      });
      expect(content[1]).toContain(`,first,${heads.births.value},`);
      expect(content[2]).toMatch(/,too short,,.*28/);
      expect(content[3]).toContain("no value for “date”");
      expect(content[4]).toContain(',"last, quoted",');
    });

    test("a batch can be cancelled and resumed", async () => {
      const page = await open("#batch");
      const panel = page.getByRole("tabpanel");
      const lines = ["text", ...Array.from({ length: 900 }, (_, i) => `sentence number ${i}`)];
      await panel
        .getByLabel("File")
        .setInputFiles({ name: "many.csv", mimeType: "text/csv", buffer: Buffer.from(lines.join("\n")) });
      proxy.trouble({ path: "/batch", after: 2, delayMs: 60_000 });
      await panel.getByRole("button", { name: "Predict 900 rows" }).click();
      await panel.getByText(/^400 of 900 rows/).waitFor();
      await panel.getByRole("button", { name: "Cancel" }).click();
      proxy.trouble(null);
      await panel.getByRole("button", { name: "Go on with 500 rows" }).click();
      await panel.getByText("900 rows answered").waitFor();
      expect(proxy.seen.filter((line) => line.endsWith("/models/mood/predict/batch")).length).toBeGreaterThanOrEqual(5);
    });

    test("the status tab shows digest, engine, lights and live figures", async () => {
      const page = await open("#status");
      const panel = page.getByRole("tabpanel");
      const facts = (await (await fetch(`${served.url}/models/mood`)).json()) as any;
      expect(await panel.getByRole("region", { name: "Model mood" }).innerText()).toContain(facts.artifact.sha256);
      await panel.getByText("Ready for requests").waitFor();
      await panel.getByText("births: ready").waitFor();
      await panel.getByText("Requests answered").waitFor();
      await served1("/models/mood/predict", { text: "one" });
      await panel.locator(".chart").first().locator("polyline, circle").first().waitFor();
      await panel.getByText("Batch sizes measured at warm-up").first().click();
      expect(await panel.getByRole("region", { name: "Model mood" }).locator(".sweep tbody tr").count()).toBe(
        facts.batching.sweep.length,
      );
    });

    test.each(["light", "dark"] as const)(
      "a phone of 390 px, %s: no tab scrolls sideways, colours follow, text is readable",
      async (colorScheme) => {
        const page = await open("", {
          viewport: { width: 390, height: 844 },
          isMobile: true,
          hasTouch: true,
          colorScheme,
        });
        for (const tab of ["mood", "births", "hostile"]) {
          await page.getByRole("tab", { name: tab }).tap();
          await page.locator(`#panel-${tab} .chip`).first().tap();
          await answer(page).locator(".result-main").waitFor();
          expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(390);
        }
        await page.getByRole("tab", { name: "Batch" }).tap();
        await page.getByRole("button", { name: "Use sample rows" }).tap();
        await page.getByRole("button", { name: /^Predict 2 rows/ }).tap();
        await page.getByRole("button", { name: "Download CSV" }).waitFor();
        expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(390);
        await page.getByRole("tab", { name: "Status" }).tap();
        expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(390);
        const [ink, ground] = (await page.evaluate(
          "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]",
        )) as [string, string];
        expect(luminance(ink) < luminance(ground)).toBe(colorScheme === "light");
        for (const [fore, back] of [
          ["quiet", "card"],
          ["quiet", "page"],
          ["accent", "card"],
          ["accent-ink", "accent"],
          ["bad", "bad-soft"],
          ["warn", "warn-soft"],
          ["warn", "card"],
          ["bad", "card"],
        ]) {
          const [a, b] = (await page.evaluate(
            `["${fore}", "${back}"].map((name) => { document.body.style.color = "var(--" + name + ")"; return getComputedStyle(document.body).color; })`,
          )) as [string, string];
          expect(contrast(a, b), `${fore} on ${back}`).toBeGreaterThanOrEqual(4.5);
        }
      },
    );

    test("the keyboard alone: skip link, arrow keys over the tabs, an answer", async () => {
      const page = await open();
      await page.keyboard.press("Tab");
      expect(await page.evaluate("document.activeElement.textContent")).toBe("Skip to the content");
      await page.getByRole("tab", { name: "mood" }).focus();
      await page.keyboard.press("ArrowRight");
      expect(await page.getByRole("tab", { selected: true }).innerText()).toBe("births");
      await page.keyboard.press("End");
      expect(await page.getByRole("tab", { selected: true }).innerText()).toBe("Status");
      await page.keyboard.press("ArrowRight");
      expect(await page.getByRole("tab", { selected: true }).innerText()).toBe("mood");
      expect(await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")).toBe("solid");
      for (let i = 0; i < 8 && (await page.evaluate("document.activeElement.tagName")) !== "TEXTAREA"; i++)
        await page.keyboard.press("Tab");
      await page.keyboard.type("typed without a mouse");
      await page.keyboard.press("Control+Enter");
      await answer(page).locator(".result-main").waitFor();
    });

    test("markup in inputs, labels, descriptions and files stays text", async () => {
      const page = await open("#hostile");
      await text(page).fill(`${HOSTILE} wonderful, great, I love it`);
      await predict(page);
      await answer(page).locator(".result-main").waitFor();
      expect(await answer(page).locator(".result-main").innerText()).toBe(HOSTILE);
      await page.getByRole("tabpanel").getByText("Call it from your own code").click();
      await page.getByRole("tab", { name: "Batch" }).click();
      await page.getByRole("tabpanel").getByLabel("Model", { exact: true }).selectOption("hostile");
      await page.getByLabel("or paste rows").fill(JSON.stringify([{ text: `${HOSTILE} great`, [HOSTILE]: HOSTILE }]));
      await page.getByRole("button", { name: "Predict 1 row" }).click();
      await page.getByRole("button", { name: "Download CSV" }).waitFor();
      await page.getByRole("tab", { name: "Status" }).click();
      expect(await page.locator("main img, main script, main iframe").count()).toBe(0);
      expect(await page.title()).toBe("Status · Sluice");
    });
  },
);

/** WCAG 2: relative luminance of "rgb(r, g, b)". */
function luminance(colour: string): number {
  const [r = 0, g = 0, b = 0] = (colour.match(/[\d.]+/g) ?? []).map((part) => {
    const c = Number(part) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [low = 0, high = 0] = [luminance(a), luminance(b)].toSorted((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}
