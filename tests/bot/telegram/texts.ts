import fc from "fast-check";
import { renderCard } from "../../../bot/card/render.ts";
import { createTelegram } from "../../../bot/telegram/client.ts";
import { escapeHtml, fit, inert, maxTextLength, truncate, truncateHtml } from "../../../bot/telegram/format.ts";
import { sendOrEdit } from "../../../bot/telegram/send-or-edit.ts";
import { parseHtml } from "../../../rehearsal/telegram/html.ts";
import { addChat, startTelegram } from "../../../rehearsal/telegram/server.ts";
import { quickClock } from "./clock.ts";
import { anyCard, anyText } from "./hostile.ts";

export type Tally = { texts: number; cards: number; calls: number; refused: string[] };

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

function claim(holds: boolean, words: string): void {
  if (!holds) throw new Error(words);
}

/** Checks one text with every formatting function: nothing is split, nothing becomes active, nothing is too long. */
function formatsSafely(text: string, maxLength: number): void {
  const html = `<b>${escapeHtml(inert(text))}</b>`;
  const whole = parseHtml(html);
  claim(!/[@#](?=[\p{L}\p{N}_])|:\/\//u.test(whole.text), `live text: ${JSON.stringify(whole.text)}`);
  const { text: shown, entities } = parseHtml(truncateHtml(html, maxLength));
  claim(shown.length <= maxLength, `${shown.length} > ${maxLength}`);
  claim(shown.isWellFormed(), "half a surrogate pair");
  claim(
    entities.every((one) => one.type === "bold"),
    "a tag of the text's own",
  );
  const short = truncate(fit(text), maxLength);
  claim(short.length <= maxLength && short.isWellFormed(), "plain text is too long or torn");
  const kept = short.replace(/…$/, "");
  const normal = [...graphemes.segment(fit(text).slice(0, kept.length + 200))].filter(
    ({ segment }) => segment.length <= 64,
  );
  claim(
    kept.length === fit(text).length ||
      normal.length === 0 ||
      [...graphemes.segment(fit(text))].some(({ index, segment }) => index === kept.length || segment.length > 64),
    "a grapheme was torn",
  );
}

/**
 * Renders random cards, sends each as a rich message, as HTML and as plain text to the stand-in, and counts the
 * refusals.
 */
export async function soak(runs: number, seed: number): Promise<Tally> {
  const tally: Tally = { texts: 0, cards: 0, calls: 0, refused: [] };
  fc.assert(
    fc.property(anyText, fc.integer({ min: 64, max: maxTextLength }), (text, maxLength) => {
      tally.texts += 1;
      formatsSafely(text, maxLength);
    }),
    { numRuns: runs, seed },
  );

  const telegram = await startTelegram();
  try {
    addChat(telegram.state, { id: 5 });
    const clock = quickClock();
    const client = createTelegram({
      token: telegram.token,
      apiRoot: telegram.url,
      clock,
      pace: { private: { count: 1e9, perMs: 1 }, group: { count: 1e9, perMs: 1 } },
    });
    for (const state of fc.sample(anyCard, { numRuns: runs, seed })) {
      tally.cards += 1;
      const card = renderCard(state, [[{ text: "Approve", callback_data: "0123456789abcdef" }]]);
      const { rich: _rich, ...html } = card;
      // sendOrEdit() would fall back silently. Here the first form of each must be accepted.
      for (const [content, wanted] of [
        [card, "rich"],
        [html, "html"],
      ] as const) {
        const shown = await sendOrEdit(client, { chat: 5 }, content, null);
        if (shown.form !== wanted)
          tally.refused.push(
            `${wanted}: ${JSON.stringify(telegram.transcript.at(-2)?.answer)} for ${JSON.stringify(state).slice(0, 300)}`,
          );
      }
      await client.call("sendMessage", { chat_id: 5, text: card.plain });
      telegram.state.messages.length = 0;
      tally.calls += telegram.transcript.length;
      telegram.transcript.length = 0;
    }
    tally.refused.push(...telegram.violations);
  } finally {
    await telegram.close();
  }
  return tally;
}
