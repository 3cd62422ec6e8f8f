import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chirp, wav } from "../../models/core/audio/chirp.ts";
import { sharedData, where } from "../../models/core/audio/shared-speech.ts";
import { spoken, spokenDigit } from "../../models/core/audio/spoken-digits.ts";
import { digitsManifest, speechFiles } from "../../models/core/speech-model.ts";
import { modelFolder, serve, temporaryFolder, type ServerProcess } from "../server/harness.ts";
import { chromiumPath, openBrowser } from "./chromium.ts";

describe.skipIf(chromiumPath === undefined)("a sound on the page (skipped without Chromium)", () => {
  let browser: Browser;
  let server: ServerProcess;
  const digits = () =>
    sharedData === null
      ? wav([chirp(8000)], 8000)
      : wav(
          [
            spoken(
              [3, 4, 9].map((digit) => spokenDigit(digit, "jackson", 0)),
              800,
            ),
          ],
          8000,
        );
  beforeAll(async () => {
    const heard = join(temporaryFolder(), "microphone.wav");
    writeFileSync(heard, digits());
    [browser, server] = await Promise.all([
      openBrowser(
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        `--use-file-for-fake-audio-capture=${heard}`,
      ),
      serve([modelFolder(digitsManifest(), { ...speechFiles })]),
    ]);
  });
  afterAll(() => browser?.close());

  const open = async (width: number, height: number): Promise<{ page: Page; wrongs: string[] }> => {
    const context = await browser.newContext({ viewport: { width, height }, permissions: ["microphone"] });
    context.setDefaultTimeout(15_000);
    const page = await context.newPage();
    const wrongs: string[] = [];
    page.on("pageerror", (error) => wrongs.push(error.message));
    page.on("console", (message) => {
      if (/content security policy/i.test(message.text())) wrongs.push(message.text());
    });
    await page.goto(server.url);
    return { page, wrongs };
  };
  const predict = (page: Page) => page.getByRole("button", { name: "Predict", exact: true }).click();

  it.skipIf(sharedData === null)(`is chosen, played and answered by segment ${where}`, async () => {
    const { page, wrongs } = await open(1200, 900);
    await page
      .locator(".field-audio input[type=file]")
      .setInputFiles({ name: "digits.wav", mimeType: "audio/wav", buffer: digits() });
    const player = page.locator("audio");
    await player.waitFor();
    await page.waitForFunction("document.querySelector('audio').duration > 2");
    await predict(page);
    const answer = page.getByRole("region", { name: "Answer", exact: true });
    await answer.locator(".result-text", { hasText: "three four nine" }).waitFor();
    expect(await answer.locator(".said li span").allTextContents()).toEqual(["three", "four", "nine"]);
    expect((await answer.locator(".said time").first().textContent())!).toMatch(/^0:00\.[67] – 0:01\.\d$/);
    expect(wrongs).toEqual([]);
    if (process.env["SLUICE_SCREENSHOTS"] !== undefined)
      await page.screenshot({ path: join(process.env["SLUICE_SCREENSHOTS"], "sound.png"), fullPage: true });
    await page.context().close();
  });

  it("is recorded with the microphone, on a phone too, and can be heard before it is sent", async () => {
    const { page, wrongs } = await open(390, 844);
    await page.getByRole("button", { name: "Record" }).click();
    await page.getByText("Recording …").waitFor();
    await page.waitForTimeout(2500);
    await page.getByRole("button", { name: "Stop" }).click();
    await page.locator("audio").waitFor();
    const wide = await page.evaluate("document.documentElement.scrollWidth - window.innerWidth");
    expect(wide).toBeLessThanOrEqual(0);
    await predict(page);
    await page.getByRole("region", { name: "Answer", exact: true }).getByText("a text has no confidence").waitFor();
    expect(wrongs).toEqual([]);
    if (process.env["SLUICE_SCREENSHOTS"] !== undefined)
      await page.screenshot({ path: join(process.env["SLUICE_SCREENSHOTS"], "sound-phone.png"), fullPage: true });
    await page.context().close();
  });
});
