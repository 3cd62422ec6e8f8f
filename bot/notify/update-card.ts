import type { Remembered } from "../../github/registry/card.ts";
import { linkRow, renderCard } from "../card/render.ts";
import { isAudible, toneOf, toneToRemember, type CardState, type Tone } from "../card/state.ts";
import { headline, nameOf } from "../card/words.ts";
import type { TelegramClient } from "../telegram/client.ts";
import { escapeHtml, maxCaptionLength, truncateHtml } from "../telegram/format.ts";
import type { InputFile } from "../telegram/payload.ts";
import { sendOrEdit, type DeliveredMessage } from "../telegram/send-or-edit.ts";
import type { Memory } from "./memory.ts";

export type When = "always" | "change" | "failure";

export type CardResult = {
  model: string;
  status: "sent" | "edited" | "resent" | "unchanged";
  message: number | null;
  form: DeliveredMessage["form"] | null;
  tone: Tone;
  rang: boolean;
  notes: string[];
};

export type UpdateCardDeps = {
  client: TelegramClient;
  memory: Memory | null;
  picture: () => Promise<InputFile | null>;
  signal: AbortSignal;
  /** Describes a failure in words that may be printed. */
  explain: (error: unknown) => string;
  now: () => number;
};

/**
 * Updates one candidate's card: finds it, edits or sends it, makes a sound if one is due, and remembers where the card
 * is.
 *
 * An edit is silent in Telegram, so the sound comes from a short reply to the card. There is at most one such reply: a
 * new one replaces the old, and one that asked for an approval is deleted once the approval was given.
 *
 * @throws TelegramFailure if the card itself could not be delivered; every other failure becomes a note
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
  const nextTone = toneToRemember(before?.tone ?? null, tone);
  if (!isWanted(when, before, tone, nextTone))
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
  const delivered = await sendOrEdit(client, address, renderCard(state), before?.message ?? null, {
    silent: !audible,
    signal,
  });
  if (delivered.chat !== address.chat) notes.push(`the group is a supergroup now: set chat to ${delivered.chat}`);
  if (delivered.topic !== address.topic)
    notes.push(`topic ${address.topic} is gone: the card is in the chat's general part`);

  let ring = before?.ring ?? null;
  // A new message makes its own sound, so only a picture may follow it.
  const shows = tone === "red" || tone === "attention";
  const plot = audible && shows ? await picture().catch(() => null) : null;
  if (audible && (delivered.outcome === "edited" || plot !== null)) {
    const old = ring;
    ring = await reply(client, delivered, state, plot, delivered.outcome !== "edited", signal).catch(
      note("the card is there, but the message that rings was not sent"),
    );
    if (old !== null && ring !== null)
      await client
        .call("deleteMessage", { chat_id: delivered.chat, message_id: old }, { signal })
        .catch(() => undefined);
  } else if (ring !== null && before?.tone === "attention" && tone === "green") {
    // Somebody has acted, so the message that asked for that is out of date.
    ring = await client.call("deleteMessage", { chat_id: delivered.chat, message_id: ring }, { signal }).then(
      () => null,
      () => ring,
    );
  }
  memory?.remember(state.model.id, {
    message: delivered.messageId,
    ring,
    tone: nextTone,
    edited: now(),
    links: linkRow(state),
  });
  return {
    model: state.model.id,
    status: delivered.outcome,
    message: delivered.messageId,
    form: delivered.form,
    tone,
    rang: audible,
    notes,
  };
}

function isWanted(when: When, before: Remembered | null, tone: Tone, nextTone: Tone): boolean {
  switch (when) {
    case "always":
      return true;
    case "change":
      return before === null || before.tone !== nextTone;
    case "failure":
      return tone === "red" || before?.tone === "red";
  }
}

async function reply(
  client: TelegramClient,
  { chat, topic, messageId }: DeliveredMessage,
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
    // If Telegram cannot read the picture, the text alone makes the sound.
    const sent = await client
      .call("sendPhoto", { ...common, photo: plot, caption: truncateHtml(html, maxCaptionLength) }, { signal })
      .catch(() => null);
    if (sent !== null) return sent.message_id;
  }
  return (await client.call("sendMessage", { ...common, text: html }, { signal })).message_id;
}
