import type { Remembered } from "../../github/registry/card.ts";
import { linkRow, renderCard } from "../card/render.ts";
import { isAudible, remembered as toneToRemember, toneOf, type CardState, type Tone } from "../card/state.ts";
import { headline, nameOf } from "../card/words.ts";
import type { TelegramClient } from "../telegram/client.ts";
import { escapeHtml, maxCaptionLength, truncateHtml } from "../telegram/format.ts";
import type { InputFile } from "../telegram/payload.ts";
import { show, type Shown } from "../telegram/show.ts";
import type { Memory } from "./memory.ts";

export type When = "always" | "change" | "failure";

/** What became of one card. `rang`: it made a sound. */
export type CardResult = {
  model: string;
  status: "sent" | "edited" | "resent" | "unchanged";
  message: number | null;
  form: Shown["form"] | null;
  tone: Tone;
  rang: boolean;
  notes: string[];
};

type UpdateCardDeps = {
  client: TelegramClient;
  memory: Memory | null;
  picture: () => Promise<InputFile | null>;
  signal: AbortSignal;
  /** A failure in words that may be printed. */
  explain: (error: unknown) => string;
  now: () => number;
};

/**
 * Brings one candidate's card up to date: finds it, edits it or sends it, makes a sound only where that is due, and
 * remembers where it is.
 *
 * An edit is silent in Telegram, so the sound comes from a short reply to the card; at most one of them exists: the
 * previous one is deleted, and so is one that asked for an approval when that has been given.
 *
 * @throws TelegramFailure when the card itself could not be delivered; everything else becomes a note
 */
export async function updateCard(
  state: CardState,
  address: { chat: number | string; topic: number | null },
  when: When,
  { client, memory, picture, signal, explain, now }: UpdateCardDeps,
): Promise<CardResult> {
  const notes: string[] = [];
  const note =
    (what: string) =>
    (error: unknown): null => {
      notes.push(`${what}: ${explain(error)}`);
      return null;
    };
  const before =
    memory === null
      ? null
      : await memory.recall(state.model.id).catch(note("the card could not be looked up, so it is a new one"));
  const tone = toneOf(state);
  const kept = toneToRemember(before?.tone ?? null, tone);
  if (!isWanted(when, before, tone, kept))
    return {
      model: state.model.id,
      status: "unchanged",
      message: before?.message ?? null,
      form: null,
      tone,
      rang: false,
      notes,
    };

  const audible = isAudible(before?.tone ?? null, tone);
  const shown = await show(client, address, renderCard(state), before?.message ?? null, { silent: !audible, signal });
  if (shown.chat !== address.chat) notes.push(`the group is a supergroup now: set chat to ${shown.chat}`);
  if (shown.topic !== address.topic)
    notes.push(`topic ${address.topic} is gone: the card is in the chat's general part`);

  let ring = before?.ring ?? null;
  // A new message has made its own sound; only a picture still follows it.
  const plot = audible && tone === "red" ? await picture().catch(() => null) : null;
  if (audible && (shown.outcome === "edited" || plot !== null)) {
    const old = ring;
    ring = await reply(client, shown, state, plot, shown.outcome !== "edited", signal).catch(
      note("the card is there, but the message that rings was not sent"),
    );
    if (old !== null && ring !== null)
      await client.call("deleteMessage", { chat_id: shown.chat, message_id: old }, { signal }).catch(() => undefined);
  } else if (ring !== null && before?.tone === "attention" && tone === "green") {
    // Somebody has acted: the message that asked for it is not true any more.
    ring = await client.call("deleteMessage", { chat_id: shown.chat, message_id: ring }, { signal }).then(
      () => null,
      () => ring,
    );
  }
  memory?.remember(state.model.id, {
    message: shown.messageId,
    ring,
    tone: kept,
    edited: now(),
    links: linkRow(state),
  });
  return {
    model: state.model.id,
    status: shown.outcome,
    message: shown.messageId,
    form: shown.form,
    tone,
    rang: audible,
    notes,
  };
}

function isWanted(when: When, before: Remembered | null, tone: Tone, kept: Tone): boolean {
  switch (when) {
    case "always":
      return true;
    case "change":
      return before === null || before.tone !== kept;
    case "failure":
      return tone === "red" || before?.tone === "red";
  }
}

async function reply(
  client: TelegramClient,
  { chat, topic, messageId }: Shown,
  state: CardState,
  plot: InputFile | null,
  silent: boolean,
  signal: AbortSignal,
): Promise<number> {
  const { sign, words } = headline(state);
  const html = `${sign} <b>${escapeHtml(nameOf(state))}</b>: ${escapeHtml(words)}`;
  const common = {
    chat_id: chat,
    ...(topic === null ? {} : { message_thread_id: topic }),
    ...(silent ? { disable_notification: true } : {}),
    reply_parameters: { message_id: messageId, allow_sending_without_reply: true },
    parse_mode: "HTML" as const,
  };
  if (plot !== null) {
    // A picture that Telegram cannot read must not cost the sound.
    const sent = await client
      .call("sendPhoto", { ...common, photo: plot, caption: truncateHtml(html, maxCaptionLength) }, { signal })
      .catch(() => null);
    if (sent !== null) return sent.message_id;
  }
  return (await client.call("sendMessage", { ...common, text: html }, { signal })).message_id;
}
