import { EvaluationError } from "../errors.ts";
import { beamSearch, logSoftmax, type BeamSearch } from "./beams.ts";
import { promptsOf, startDecoding, type Decoding } from "./decoding.ts";
import type { DecoderPlan } from "./plan.ts";
import { randomStream } from "./random.ts";
import { drawToken } from "./sample.ts";
import type { GenerateSettings } from "./schema.ts";
import { tokenRules } from "./token-rules.ts";
import type { GraphTensor } from "../tensors.ts";

/** What the loop made of one row: its tokens without what the decoder began with, and without the end. */
export type Sequence = { ids: number[]; ended: boolean };

export type GenerateOptions = {
  /** Looked at before every step. */
  signal?: AbortSignal | undefined;
  /** Called with each token of a row as it is made, the end apart. With beams a row's tokens come once it is over. */
  onToken?: ((row: number, id: number) => void) | undefined;
};

/** `tokens`: all that were made, ends included. `firstTokenMs`: from the start to the first token. */
export type Generated = { sequences: Sequence[]; tokens: number; firstTokenMs: number };

/** The longest that a loop holds the event loop before others may work, in milliseconds. */
const TURN_MS = 5;

/**
 * Runs a model's decode loop.
 *
 * @param feeds of the main graph: what the encoder takes, or the prompts of a model without one
 * @throws EvaluationError when a graph fails or gives a number that is not finite; the signal's reason when aborted
 */
export async function generateSequences(
  plan: DecoderPlan,
  settings: GenerateSettings,
  feeds: Readonly<Record<string, GraphTensor>>,
  { signal, onToken }: GenerateOptions = {},
): Promise<Generated> {
  const start = performance.now();
  const rows = Object.values(feeds)[0]!.dims[0]!;
  signal?.throwIfAborted();
  const prompts = plan.encoder === null ? promptsOf(feeds) : null;
  const decoding = await startDecoding(plan, feeds, rows);
  const limits = Array.from({ length: rows }, (_, row) => limitOf(settings, feeds, row));
  let firstTokenMs = Infinity;
  const loop: Loop = {
    decoding,
    settings,
    limits,
    begin: (row) => prompts?.[row] ?? settings.start ?? [],
    token(row, id) {
      firstTokenMs = Math.min(firstTokenMs, performance.now() - start);
      if (!settings.end.includes(id)) onToken?.(row, id);
    },
    pause: turns(signal),
  };
  const made = settings.beams > 1 ? await searchBeams(loop) : await oneByOne(loop);
  return {
    sequences: made.map((ids) => {
      const ended = settings.end.includes(ids.at(-1) ?? -1);
      return { ids: ended ? ids.slice(0, -1) : ids, ended };
    }),
    tokens: made.reduce((sum, ids) => sum + ids.length, 0),
    firstTokenMs: firstTokenMs === Infinity ? performance.now() - start : firstTokenMs,
  };
}

type Loop = {
  decoding: Decoding;
  settings: GenerateSettings;
  limits: readonly number[];
  begin: (row: number) => readonly number[];
  token: (row: number, id: number) => void;
  pause: () => Promise<void>;
};

/** The next token of every row: the most probable one, or one that is drawn. */
async function oneByOne({ decoding, settings, limits, begin, token, pause }: Loop): Promise<number[][]> {
  const rules = tokenRules(settings);
  const { sample } = settings;
  const streams = sample === undefined ? null : limits.map(() => randomStream(sample.seed));
  const made: number[][] = limits.map(() => []);
  const pad = settings.pad ?? settings.end[0]!;
  /** The row that each row of the decoder is; rows that have ended stay until they are half of all. */
  let kept = limits.map((_, row) => row);
  const over = limits.map(() => false);
  // Prompts of different lengths are padded on their left.
  let logits = await decoding.step(kept.map(begin));
  for (;;) {
    const next = kept.map((row, at) => {
      if (over[row]!) return [pad];
      const scores = logits(at);
      if (!rules.idle) rules.apply(scores, decoding.tokens(at), made[row]!.length, limits[row]!);
      const id = sample === undefined ? largest(scores) : drawToken(finite(scores), sample, streams![row]!());
      made[row]!.push(id);
      over[row] = settings.end.includes(id) || made[row]!.length >= limits[row]!;
      token(row, id);
      return [id];
    });
    const active = kept.flatMap((row, at) => (over[row]! ? [] : [at]));
    if (active.length === 0) return made;
    await pause();
    if (active.length <= kept.length / 2) {
      decoding.gather(active, true);
      logits = await decoding.step(active.map((at) => next[at]!));
      kept = active.map((at) => kept[at]!);
    } else logits = await decoding.step(next);
  }
}

/** The most probable texts of every row. Rows that are over stay until all are. */
async function searchBeams({ decoding, settings, limits, begin, token, pause }: Loop): Promise<number[][]> {
  const rules = tokenRules(settings);
  const { beams } = settings;
  const searches: BeamSearch[] = limits.map(() => beamSearch(settings));
  const over = limits.map(() => false);
  const each = limits.flatMap((_, row) => Array.from({ length: beams }, () => row));
  const begins = limits.map((_, row) => begin(row));
  decoding.gather(each, true);
  let logits = await decoding.step(each.map((row) => begins[row]!));
  for (;;) {
    const order: number[] = [];
    const next: number[][] = [];
    searches.forEach((search, row) => {
      if (!over[row]!) {
        const { made } = search.live[0]!;
        const scores = search.live.map((_, beam) => {
          const at = row * beams + beam;
          const own = logSoftmax(finite(logits(at)));
          rules.apply(own, decoding.tokens(at), made.length, limits[row]!);
          return own;
        });
        over[row] = search.advance(scores, limits[row]!);
        if (over[row]) for (const id of search.best().made) token(row, id);
      }
      for (let beam = 0; beam < beams; beam++) {
        const live = over[row]! ? undefined : search.live[beam];
        order.push(row * beams + (live?.from ?? beam));
        next.push([live?.token ?? settings.pad ?? settings.end[0]!]);
      }
    });
    if (over.every(Boolean)) return searches.map((search) => [...search.best().made]);
    await pause();
    decoding.gather(order, false);
    logits = await decoding.step(next);
  }
}

/** The largest score's id, the smaller one of equal scores. */
function largest(scores: Float32Array): number {
  let top = 0;
  let best = scores[0]!;
  let strange = best !== best;
  for (let i = 1; i < scores.length; i++) {
    const score = scores[i]!;
    if (score > best) {
      best = score;
      top = i;
      // NaN alone is not equal to itself; the function that says so costs more than all the rest.
    } else if (score !== score) strange = true;
  }
  if (strange) throw notFinite(NaN, scores.findIndex(Number.isNaN));
  if (!Number.isFinite(best)) throw notFinite(best, top);
  return top;
}

function finite(scores: Float32Array): Float32Array {
  largest(scores);
  return scores;
}

const notFinite = (score: number, id: number) =>
  new EvaluationError({
    code: "output-not-finite",
    problem: "the decoder gives no finite number",
    expected: "a finite logit for a token that may be made",
    received: `${score} for the id ${id}`,
  });

/** Most tokens of a row: the absolute limit, and the one by the seconds of its input. */
function limitOf(
  { maxTokens, tokensPerSecond }: GenerateSettings,
  feeds: Readonly<Record<string, GraphTensor>>,
  row: number,
): number {
  if (tokensPerSecond === undefined) return maxTokens;
  const { tokens, input, rate } = tokensPerSecond;
  const { dims } = feeds[input]!;
  const length = dims.at(-1)!;
  const mask = feeds["attention_mask"];
  const values =
    mask !== undefined && mask.dims[1] === length
      ? Array.from({ length }, (_, i) => Number(mask.data[row * length + i])).reduce((sum, one) => sum + one, 0)
      : length;
  return Math.max(1, Math.min(maxTokens, Math.ceil((values / rate) * tokens)));
}

/** Lets others work between two steps, and ends the loop where the signal says so. */
function turns(signal: AbortSignal | undefined): () => Promise<void> {
  let last = performance.now();
  return async () => {
    if (performance.now() - last >= TURN_MS) {
      await new Promise<void>((resolve) => {
        setImmediate(resolve);
      });
      last = performance.now();
    }
    signal?.throwIfAborted();
  };
}
