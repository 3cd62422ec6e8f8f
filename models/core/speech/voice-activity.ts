import type { VerifiedModel } from "../artifact/artifact.ts";
import { ConfigurationError, EvaluationError } from "../errors.ts";
import { openSession, type Session } from "../session/session.ts";
import type { GraphTensor } from "../tensors.ts";
import { windowSamples } from "./segmenter.ts";

const stateSize = 2 * 128;
/** Samples of the window before, which the graph sees again: without them it hears almost nothing. */
const contextSamples = (rate: number) => (rate === 8_000 ? 32 : 64);

/** One sound's way through the graph. */
export type VoiceStream = {
  /**
   * @param window as many samples as `windowSamples` says, right after those of the window before
   * @returns the probability that somebody speaks in it
   */
  probability(window: Float32Array): Promise<number>;
};

export type VoiceActivity = {
  /** @param rate 8000 or 16000 */
  stream(rate: number): VoiceStream;
  close(): Promise<void>;
};

/**
 * Opens a Silero VAD graph (https://github.com/snakers4/silero-vad, MIT): `input` [1, context + window], `state`
 * [2, 1, 128] and `sr`, → `output` [1, 1] and `stateN`.
 *
 * @param place where the manifest names it
 * @throws ConfigurationError `segment-graph` for another graph; EvaluationError as `openSession`
 */
export async function openVoiceActivity(model: VerifiedModel, place: string): Promise<VoiceActivity> {
  const session = await openSession(model, { provider: "cpu", threads: 1 });
  const missing = [
    ...["input", "state", "sr"].filter((name) => !session.inputs.some((one) => one.name === name)),
    ...["output", "stateN"].filter((name) => !session.outputs.some((one) => one.name === name)),
  ];
  if (missing.length > 0) {
    await session.close();
    throw new ConfigurationError({
      code: "segment-graph",
      place,
      problem: "the graph is no Silero VAD of version 5 or 6",
      expected: "inputs input, state, sr; outputs output, stateN",
      received: `no ${missing.join(", ")}`,
    });
  }
  return { stream: (rate) => streamOf(session, rate), close: () => session.close() };
}

function streamOf(session: Session, rate: number): VoiceStream {
  const size = windowSamples(rate);
  const context = contextSamples(rate);
  const sr: GraphTensor = { dtype: "int64", data: BigInt64Array.of(BigInt(rate)), dims: [] };
  const heard = new Float32Array(context + size);
  let state: GraphTensor = { dtype: "float32", data: new Float32Array(stateSize), dims: [2, 1, 128] };
  return {
    async probability(window) {
      if (window.length !== size) throw new TypeError(`a window of ${size} samples was expected`);
      heard.copyWithin(0, size);
      heard.set(window, context);
      const input: GraphTensor = { dtype: "float32", data: heard, dims: [1, context + size] };
      const { output, stateN } = await session.run({ input, state, sr });
      state = stateN!;
      const probability = Number(output!.data[0]);
      if (!Number.isFinite(probability))
        throw new EvaluationError({
          code: "segment-graph",
          problem: "the voice-activity graph gives no finite number",
          expected: "a probability",
          received: String(probability),
        });
      return probability;
    },
  };
}
