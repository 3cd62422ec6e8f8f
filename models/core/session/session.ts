import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import type { InferenceSession, Tensor } from "onnxruntime-common";
import type { VerifiedModel } from "../artifact/artifact.ts";
import { EvaluationError } from "../errors.ts";
import type { Manifest } from "../manifest/manifest.ts";
import { checkFeeds } from "./contract.ts";
import { checkOnnxFile, explainCreateFailure, providerUnavailable, requireProvider } from "./failures.ts";
import { disableRuntimeTelemetry } from "./telemetry.ts";
import type { Dtype, GraphTensor, TensorData, TensorMetadata } from "../tensors.ts";

export type Provider = Manifest["runtime"]["provider"];

export type SessionOptions = {
  provider: Provider;
  /** intra-op threads. */
  threads: number;
  /** Profile one run and count the nodes per execution provider. Always done for providers other than cpu. */
  prove?: boolean;
  /** Feeds of the profiled run; default: zeros in the graph's shapes. */
  probe?: Readonly<Record<string, GraphTensor>>;
  /** File of the model's optimised form, opened instead of the model's bytes. Its weights are mapped. */
  optimisedFile?: string | undefined;
};

/** An open model. `run` blocks the event loop while it works; runs of one session are serial. */
export type Session = {
  inputs: readonly TensorMetadata[];
  outputs: readonly TensorMetadata[];
  /** Execution provider that is actually in use. */
  provider: Provider;
  /** Nodes of the graph per execution provider in a profiled run; null without one. */
  providerNodes: Readonly<Record<string, number>> | null;
  threads: number;
  onnxruntime: string;
  /** @throws EvaluationError when the feeds do not fit, or the runtime fails. */
  run(feeds: Readonly<Record<string, GraphTensor>>, fetches?: readonly string[]): Promise<Record<string, GraphTensor>>;
  /** One run on zeros in the graph's shapes, so that the first real run is not slow. */
  warmUp(): Promise<void>;
  /** Frees the native memory; a second call does nothing. */
  close(): Promise<void>;
};

/**
 * The only place that imports the native runtime, and only for the first session: `--help` and bundled actions start
 * without it.
 *
 * @throws EvaluationError when the runtime cannot be loaded (wrong platform, missing native files).
 */
async function runtime() {
  disableRuntimeTelemetry();
  const ort = await import("onnxruntime-node").catch((error: unknown) => {
    throw new EvaluationError(
      {
        code: "runtime-missing",
        problem: "ONNX Runtime cannot be loaded",
        expected: `onnxruntime-node's native files for ${process.platform}-${process.arch}`,
        received: String((error as Error).message).split("\n", 1)[0] ?? "",
        hint: "npm install onnxruntime-node, on a platform that it supports",
      },
      { cause: error },
    );
  });
  // Every failure reaches us as an exception; the runtime's own printing would only repeat it on stderr.
  ort.env.logLevel = "fatal";
  return ort;
}

/**
 * Writes a model's graph with the optimisations that do not depend on the processor, and its weights in a file beside
 * it.
 *
 * @param weightsName name of the weights' file.
 * @throws EvaluationError as `openSession`.
 */
export async function writeOptimisedGraph(model: VerifiedModel, file: string, weightsName: string): Promise<void> {
  const header = checkOnnxFile(model);
  const ort = await runtime();
  const session = await ort.InferenceSession.create(model.bytes, {
    executionProviders: ["cpu"],
    graphOptimizationLevel: "extended",
    logSeverityLevel: 4,
    optimizedModelFilePath: file,
    extra: {
      session: {
        optimized_model_external_initializers_file_name: weightsName,
        optimized_model_external_initializers_min_size_in_bytes: "1024",
      },
    },
    ...(model.externalData.length > 0
      ? { externalData: model.externalData.map((one) => ({ path: one.path, data: one.bytes })) }
      : {}),
  }).catch((error: unknown) => {
    throw explainCreateFailure(error, model, header, `ONNX Runtime ${ort.env.versions.node ?? "unknown"}`, "cpu");
  });
  await session.release();
}

/** Version of ONNX Runtime; opens no model. */
export async function runtimeVersion(): Promise<string> {
  return (await runtime()).env.versions.node ?? "unknown";
}

/**
 * Opens a model from verified bytes.
 *
 * @throws EvaluationError: model-empty, model-is-text, model-truncated, model-not-onnx, model-external-data,
 *   model-unknown-opset, model-unknown-operator, model-refused, provider-unavailable, runtime-missing.
 */
export async function openSession(model: VerifiedModel, options: SessionOptions): Promise<Session> {
  const header = checkOnnxFile(model);
  const ort = await runtime();
  const version = ort.env.versions.node ?? "unknown";
  const scratch =
    options.provider !== "cpu" || options.prove === true ? await mkdtemp(join(tmpdir(), "sluice-profile-")) : null;
  let native: InferenceSession | null = null;
  try {
    const open = (settings: InferenceSession.SessionOptions) =>
      options.optimisedFile === undefined
        ? ort.InferenceSession.create(model.bytes, settings)
        : ort.InferenceSession.create(options.optimisedFile, settings);
    native = await open({
      executionProviders: options.provider === "cpu" ? ["cpu"] : [options.provider, "cpu"],
      intraOpNumThreads: options.threads,
      interOpNumThreads: 1,
      executionMode: "sequential",
      graphOptimizationLevel: options.optimisedFile === undefined ? "all" : "disabled",
      logSeverityLevel: 4,
      ...(model.externalData.length > 0 && options.optimisedFile === undefined
        ? { externalData: model.externalData.map((file) => ({ path: file.path, data: file.bytes })) }
        : {}),
      ...(scratch === null ? {} : { enableProfiling: true, profileFilePrefix: join(scratch, "profile") }),
    }).catch((error: unknown) => {
      throw explainCreateFailure(error, model, header, `ONNX Runtime ${version}`, options.provider);
    });
    const session = wrap(ort.Tensor, native, options, version);
    if (scratch === null) return session;
    const nodes = await profiledNodes(session, native, scratch, options, model.source);
    requireProvider(nodes, options.provider, model.source);
    return { ...session, providerNodes: nodes };
  } catch (error) {
    await native?.release();
    throw error;
  } finally {
    if (scratch !== null) await rm(scratch, { recursive: true, force: true });
  }
}

function wrap(TensorClass: typeof Tensor, native: InferenceSession, options: SessionOptions, version: string): Session {
  const inputs = facts(native.inputMetadata);
  let open = true;
  const session: Session = {
    inputs,
    outputs: facts(native.outputMetadata),
    provider: options.provider,
    providerNodes: null,
    threads: options.threads,
    onnxruntime: version,
    async run(feeds, fetches) {
      if (!open)
        throw new EvaluationError({
          code: "session-closed",
          problem: "the session is closed",
          expected: "an open session",
          received: "a run after close()",
        });
      checkFeeds(feeds, inputs);
      const tensors = Object.fromEntries(
        Object.entries(feeds).map(([name, feed]) => [name, tensorOf(TensorClass, feed)]),
      );
      const answers = await (fetches === undefined ? native.run(tensors) : native.run(tensors, [...fetches])).catch(
        (error: unknown) => {
          throw new EvaluationError(
            {
              code: "run-failed",
              problem: "the model failed while it ran",
              expected: "an answer",
              received:
                String((error as Error).message)
                  .split("\n", 1)[0]
                  ?.slice(0, 300) ?? "",
            },
            { cause: error },
          );
        },
      );
      return Object.fromEntries(
        Object.entries(answers).map(([name, tensor]) => [
          name,
          { dtype: tensor.type as Dtype, data: tensor.data as TensorData, dims: tensor.dims },
        ]),
      );
    },
    async warmUp() {
      await session.run(syntheticFeeds(inputs));
    },
    async close() {
      if (!open) return;
      open = false;
      await native.release();
    },
  };
  return session;
}

/**
 * Under Node 24 the runtime's JavaScript side wraps float16 numbers in a Float16Array, which its native side cannot
 * read. The raw 16 bits replace it.
 */
function tensorOf(TensorClass: typeof Tensor, feed: GraphTensor): Tensor {
  const tensor = new TensorClass(feed.dtype, feed.data as never, [...feed.dims]);
  if (feed.dtype === "float16") {
    const { buffer, byteOffset, length } = feed.data as Uint16Array;
    Object.defineProperty(tensor, "data", { value: new Uint16Array(buffer, byteOffset, length) });
  }
  return tensor;
}

/** No API reports which provider is in use. The profile of a run does, per node (`args.provider`). */
async function profiledNodes(
  session: Session,
  native: InferenceSession,
  scratch: string,
  options: SessionOptions,
  place: string,
): Promise<Record<string, number>> {
  await session.run(options.probe ?? syntheticFeeds(session.inputs)).catch((error: unknown) => {
    throw providerUnavailable(
      place,
      options.provider,
      `the run that should prove it failed: ${String((error as Error).message)}`,
      error,
    );
  });
  native.endProfiling();
  const nodes: Record<string, number> = {};
  for (const file of await readdir(scratch)) {
    const events = JSON.parse(await readFile(join(scratch, basename(file)), "utf8")) as {
      cat?: string;
      args?: { provider?: string };
    }[];
    for (const { cat, args } of events)
      if (cat === "Node" && args?.provider) nodes[args.provider] = (nodes[args.provider] ?? 0) + 1;
  }
  return nodes;
}

/** Zeros in the graph's shapes: one row, and 8 for every other size that varies. */
function syntheticFeeds(inputs: readonly TensorMetadata[]): Record<string, GraphTensor> {
  return Object.fromEntries(
    inputs.map(({ name, dtype, shape }) => {
      const dims = shape.map((size, i) => (typeof size === "number" ? size : i === 0 ? 1 : 8));
      const length = dims.reduce((product, size) => product * size, 1);
      const make = {
        float32: Float32Array,
        float64: Float64Array,
        int64: BigInt64Array,
        int32: Int32Array,
        int8: Int8Array,
        uint8: Uint8Array,
        bool: Uint8Array,
        float16: Uint16Array,
      }[dtype];
      return [
        name,
        { dtype: dtype as Dtype, data: make === undefined ? Array.from({ length }, () => "") : new make(length), dims },
      ];
    }),
  );
}

function facts(metadata: readonly InferenceSession.ValueMetadata[]): TensorMetadata[] {
  return metadata.map((one) => ({
    name: one.name,
    dtype: one.isTensor ? one.type : "not a tensor",
    shape: one.isTensor ? one.shape : [],
  }));
}
