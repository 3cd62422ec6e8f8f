import { Ajv } from "ajv";
import { beforeAll, describe, expect, it } from "vitest";
import { fixture, sequenceManifest, sha256, wordTokenizer } from "../../models/core/build.ts";
import { json, modelFolder, serve, served, type ServerProcess } from "./harness.ts";

/** The published schema of the protocol (open_inference_rest.yaml), made strict against unknown fields. */
const parameters = { type: "object", additionalProperties: { type: ["string", "number", "boolean"] } };
const tensor = {
  type: "object",
  additionalProperties: false,
  required: ["name", "datatype", "shape"],
  properties: {
    name: { type: "string" },
    datatype: {
      enum: [
        "BOOL",
        "UINT8",
        "UINT16",
        "UINT32",
        "UINT64",
        "INT8",
        "INT16",
        "INT32",
        "INT64",
        "FP16",
        "FP32",
        "FP64",
        "BYTES",
      ],
    },
    shape: { type: "array", items: { type: "integer" } },
  },
};
const output = (binary: boolean) => ({
  ...tensor,
  required: [...tensor.required, binary ? "parameters" : "data"],
  properties: {
    ...tensor.properties,
    parameters,
    ...(binary ? {} : { data: { type: "array", items: { type: ["number", "string", "boolean"] } } }),
  },
});
const closed = (required: string[], properties: object) => ({
  type: "object",
  additionalProperties: false,
  required,
  properties,
});
const SCHEMAS = {
  server: closed(["name", "version", "extensions"], {
    name: { type: "string" },
    version: { type: "string" },
    extensions: { type: "array", items: { type: "string" } },
  }),
  model: closed(["name", "platform", "inputs", "outputs"], {
    name: { type: "string" },
    versions: { type: "array", items: { type: "string" } },
    platform: { type: "string" },
    inputs: { type: "array", items: tensor },
    outputs: { type: "array", items: tensor },
  }),
  modelReady: closed(["name", "ready"], { name: { type: "string" }, ready: { type: "boolean" } }),
  live: closed(["live"], { live: { type: "boolean" } }),
  // The schema says `live` for readiness too, the text and KServe's client say `ready`.
  ready: closed(["live", "ready"], { live: { type: "boolean" }, ready: { type: "boolean" } }),
  response: closed(["model_name", "outputs"], {
    model_name: { type: "string" },
    model_version: { type: "string" },
    id: { type: "string" },
    parameters,
    outputs: { type: "array", items: { anyOf: [output(false), output(true)] } },
  }),
  error: closed(["error"], { error: { type: "string", minLength: 1 } }),
};
const ajv = new Ajv({ allowUnionTypes: true });
function conforms<T>(schema: keyof typeof SCHEMAS, body: T): T {
  const valid = ajv.validate(SCHEMAS[schema], body);
  expect(ajv.errorsText()).toBe("No errors");
  expect(valid).toBe(true);
  return body;
}

const DTYPES = {
  float16: "FP16",
  float32: "FP32",
  float64: "FP64",
  int64: "INT64",
  int32: "INT32",
  int8: "INT8",
  uint8: "UINT8",
  bool: "BOOL",
} as const;
let server: ServerProcess;
beforeAll(async () => {
  const types = served({
    id: "types",
    artifact: { path: "every-type.onnx", sha256: sha256(fixture("every-type.onnx")) },
    preprocess: {
      row: { kind: "tabular", columns: { x: { type: "number" } }, features: [{ column: "x", encode: "number" }] },
    },
    inputs: Object.keys(DTYPES).map((name) => ({
      name,
      dtype: name as keyof typeof DTYPES,
      shape: ["batch", 1],
      from: "row.features",
    })),
    outputs: [{ name: "total", dtype: "float16", shape: ["batch", 1] }],
    postprocess: [{ name: "total", from: "total", kind: "regression" }],
    serving: { examples: [{ x: 1 }] },
  });
  const text = sequenceManifest("sequence.onnx", { serving: { examples: [{ text: "t1 t2 t3" }] } });
  const heads = served({
    id: "heads",
    artifact: { path: "two-heads.onnx", sha256: sha256(fixture("two-heads.onnx")) },
    outputs: [
      { name: "logits", dtype: "float32", shape: ["batch", 3] },
      { name: "total", dtype: "float32", shape: ["batch", 1] },
    ],
    postprocess: [{ name: "total", from: "total", kind: "regression" }],
  });
  const broken = served({ id: "broken", artifact: { path: "linear.onnx", sha256: "0".repeat(64) } });
  server = await serve(
    [
      modelFolder(served()),
      modelFolder(types),
      modelFolder(text, { "tokenizer.json": JSON.stringify(wordTokenizer()) }),
      modelFolder(heads),
      modelFolder(broken),
    ],
    ["--max-rows", "100"],
  );
});

const features = (data: unknown, shape: number[], more: object = {}) => ({
  inputs: [{ name: "features", datatype: "FP32", shape, data }],
  ...more,
});
const infer = (model: string, body: unknown, headers: Record<string, string> = {}) =>
  server.post(`/v2/models/${model}/infer`, body, headers);

/** Header and tensors in one body, as the binary tensor extension defines it. */
function binary(header: object, ...tensors: ArrayBufferView[]): { body: Uint8Array; headers: Record<string, string> } {
  const head = Buffer.from(JSON.stringify(header));
  return {
    body: Buffer.concat([head, ...tensors.map((one) => Buffer.from(one.buffer, one.byteOffset, one.byteLength))]),
    headers: { "content-type": "application/octet-stream", "inference-header-content-length": String(head.length) },
  };
}

async function binaryAnswer(response: Response): Promise<{ header: Record<string, never>; bytes: Buffer }> {
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("application/octet-stream");
  const body = Buffer.from(await response.arrayBuffer());
  expect(response.headers.get("content-length")).toBe(String(body.length));
  const length = Number(response.headers.get("inference-header-content-length"));
  return {
    header: conforms("response", JSON.parse(body.toString("utf8", 0, length)) as Record<string, never>),
    bytes: body.subarray(length),
  };
}

describe("health and metadata", () => {
  it("answers as the specification says", async () => {
    expect(conforms("server", await json(await server.get("/v2")))).toMatchObject({
      extensions: expect.arrayContaining(["binary_tensor_data", "classification", "statistics"]),
    });
    expect(conforms("server", await json(await server.get("/v2/")))).toBeDefined();
    expect(conforms("live", await json(await server.get("/v2/health/live")))).toEqual({ live: true });
    expect(conforms("model", await json(await server.get("/v2/models/linear")))).toEqual({
      name: "linear",
      versions: ["1.0.0"],
      platform: "onnx_onnxv1",
      inputs: [{ name: "features", datatype: "FP32", shape: [-1, 3] }],
      outputs: [{ name: "prediction", datatype: "FP32", shape: [-1, 1] }],
    });
    expect(conforms("model", await json(await server.get("/v2/models/types/versions/1.0.0")))).toMatchObject({
      inputs: expect.arrayContaining(
        Object.entries(DTYPES).map(([name, datatype]) => ({ name, datatype, shape: [-1, 1] })),
      ),
    });
    expect(conforms("modelReady", await json(await server.get("/v2/models/linear/versions/1.0.0/ready")))).toEqual({
      name: "linear",
      ready: true,
    });
  });

  it("is not ready as a whole while a model is broken, and says which", async () => {
    const whole = await server.get("/v2/health/ready");
    expect([whole.status, conforms("ready", await json(whole))]).toEqual([503, { live: false, ready: false }]);
    const one = await server.get("/v2/models/broken/ready");
    expect([one.status, conforms("modelReady", await json(one))]).toEqual([503, { name: "broken", ready: false }]);
  });
});

describe("infer with JSON", () => {
  it("returns the graph's own numbers, the id and the version", async () => {
    const response = await infer("linear", features([1, 2, 3, 0.5, 0, 0], [2, 3], { id: "42" }));
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(conforms("response", await json(response))).toEqual({
      model_name: "linear",
      model_version: "1.0.0",
      id: "42",
      outputs: [{ name: "prediction", shape: [2, 1], datatype: "FP32", data: [321.5, 1] }],
    });
    expect(conforms("response", await json(await infer("linear", features([[1, 2, 3]], [1, 3]))))).not.toHaveProperty(
      "id",
    );
    expect((await infer("linear/versions/1.0.0", features([1, 2, 3], [1, 3]))).status).toBe(200);
  });

  it("takes integers, and several inputs of one named size", async () => {
    const ids = { name: "input_ids", datatype: "INT64", shape: [2, 3], data: [61, 1, 62, 61, 2, 62] };
    const mask = { name: "attention_mask", datatype: "INT64", shape: [2, 3], data: [1, 1, 1, 1, 1, 1] };
    const answer = conforms("response", await json(await infer("sequence", { inputs: [ids, mask] }))) as unknown as {
      outputs: { shape: number[]; data: number[] }[];
    };
    expect(answer.outputs[0]!.shape).toEqual([2, 2]);
    const rows = (await json(await server.post("/models/sequence/predict", { text: "t1" }))) as unknown as {
      heads: { mood: { score: number } };
    };
    const [negative, positive] = answer.outputs[0]!.data as [number, number];
    expect(rows.heads.mood.score).toBe(
      1 / (1 + Math.exp(negative - positive)) || Math.exp(positive) / (Math.exp(negative) + Math.exp(positive)),
    );
  });

  it("returns only the requested outputs, in that order", async () => {
    const answer = conforms(
      "response",
      await json(
        await infer("heads", features([1, 2, 3], [1, 3], { outputs: [{ name: "total" }, { name: "logits" }] })),
      ),
    ) as unknown as { outputs: { name: string; data: number[] }[] };
    expect(answer.outputs.map(({ name, data }) => [name, data])).toEqual([
      ["total", [6]],
      ["logits", [1, 2, 3]],
    ]);
  });
});

describe("what Triton's clients ask besides", () => {
  it("the index of models, with the broken one's state", async () => {
    expect(await json(await server.post("/v2/repository/index", {}))).toEqual(
      expect.arrayContaining([
        { name: "linear", version: "1.0.0", state: "READY", reason: "" },
        { name: "broken", state: "UNAVAILABLE", reason: "the model could not be loaded" },
      ]),
    );
  });

  it("a model's configuration, without the batch axis", async () => {
    expect(await json(await server.get("/v2/models/linear/config"))).toMatchObject({
      name: "linear",
      platform: "onnxruntime_onnx",
      max_batch_size: 100,
      input: [{ name: "features", data_type: "TYPE_FP32", dims: [3] }],
      output: [{ name: "prediction", data_type: "TYPE_FP32", dims: [1] }],
    });
  });

  it("statistics that count what was run", async () => {
    const read = async () => {
      const { model_stats: stats } = (await json(await server.get("/v2/models/heads/stats"))) as unknown as {
        model_stats: { inference_count: number; inference_stats: Record<string, { count: number; ns: number }> }[];
      };
      return stats[0]!;
    };
    const before = await read();
    expect((await infer("heads", features([1, 2, 3, 4, 5, 6], [2, 3]))).status).toBe(200);
    const after = await read();
    expect(after.inference_count - before.inference_count).toBe(2);
    expect(after.inference_stats["success"]!.count - before.inference_stats["success"]!.count).toBe(1);
    expect(after.inference_stats["compute_infer"]!.ns).toBeGreaterThan(before.inference_stats["compute_infer"]!.ns);
    const all = (await json(await server.get("/v2/models/stats"))) as unknown as { model_stats: { name: string }[] };
    expect(all.model_stats.map(({ name }) => name)).toEqual(expect.arrayContaining(["linear", "heads"]));
  });

  it("the largest classes of an output as texts, in JSON and in bytes", async () => {
    const top = (classification: unknown, more: object = {}) =>
      features([5, 2, 7], [1, 3], { outputs: [{ name: "logits", parameters: { classification, ...more } }] });
    const answer = await json(await infer("heads", top(2)));
    expect(conforms("response", answer)).toMatchObject({
      outputs: [{ name: "logits", datatype: "BYTES", shape: [1, 2], data: ["7:2", "5:0"] }],
    });
    const { header, bytes } = await binaryAnswer(await infer("heads", top(9, { binary_data: true })));
    expect(header).toMatchObject({ outputs: [{ shape: [1, 3], parameters: { binary_data_size: 21 } }] });
    expect(bytes.subarray(4, 7).toString()).toBe("7:2");
    expect((await infer("heads", top("two"))).status).toBe(400);
    expect((await infer("types", features([1], [1]))).status).toBe(400);
  });

  it("null for what is left out; nested data of another shape is refused", async () => {
    const nulls = features([1, 2, 3], [1, 3], { id: null, parameters: null, outputs: null });
    expect(conforms("response", await json(await infer("linear", nulls)))).not.toHaveProperty("id");
    for (const data of [[[1, 2], [3]], [[1], [2], [3]], [[[1, 2, 3]]]]) {
      const refused = await infer("linear", features(data, [1, 3]));
      expect([refused.status, await json(refused)]).toEqual([
        400,
        { error: "input features: nested data must have the shape [1, 3]" },
      ]);
    }
  });
});

describe("infer with binary tensors", () => {
  it("gives as bytes what JSON gives as numbers", async () => {
    const data = Float32Array.from([1, 2, 3, 0.1, 0.2, 0.3]);
    const header = {
      inputs: [{ name: "features", datatype: "FP32", shape: [2, 3], parameters: { binary_data_size: 24 } }],
      outputs: [{ name: "prediction", parameters: { binary_data: true } }],
    };
    const sent = binary(header, data);
    const { header: answer, bytes } = await binaryAnswer(await infer("linear", sent.body, sent.headers));
    expect(answer).toEqual({
      model_name: "linear",
      model_version: "1.0.0",
      outputs: [{ name: "prediction", shape: [2, 1], datatype: "FP32", parameters: { binary_data_size: 8 } }],
    });
    const inJson = (await json(await infer("linear", features([...data], [2, 3])))) as unknown as {
      outputs: { data: number[] }[];
    };
    expect([...new Float32Array(Uint8Array.from(bytes).buffer)]).toEqual(inJson.outputs[0]!.data);
    // The same with the media type that some clients declare.
    expect((await infer("linear", sent.body, { ...sent.headers, "content-type": "application/json" })).status).toBe(
      200,
    );
  });

  it("carries every type in its native size", async () => {
    const tensors: [name: keyof typeof DTYPES, data: ArrayBufferView][] = [
      ["float16", Uint16Array.from([0x3c00])],
      ["float32", Float32Array.from([2])],
      ["float64", Float64Array.from([4])],
      ["int64", BigInt64Array.from([8n])],
      ["int32", Int32Array.from([16])],
      ["int8", Int8Array.from([32])],
      ["uint8", Uint8Array.from([64])],
      ["bool", Uint8Array.from([1])],
    ];
    const header = {
      inputs: tensors.map(([name, data]) => ({
        name,
        datatype: DTYPES[name],
        shape: [1, 1],
        parameters: { binary_data_size: data.byteLength },
      })),
      parameters: { binary_data_output: true },
    };
    const sent = binary(header, ...tensors.map(([, data]) => data));
    const { bytes } = await binaryAnswer(await infer("types", sent.body, sent.headers));
    // 1 + 2 + 4 + 8 + 16 + 32 + 64 + 1 = 128 = 2^7, in float16.
    expect(bytes.readUInt16LE(0)).toBe((15 + 7) << 10);
    const refused = await infer(
      "types",
      binary({ ...header, parameters: {} }, ...tensors.map(([, data]) => data)).body,
      sent.headers,
    );
    expect(refused.status).toBe(400);
  });

  it("checks the bytes of every request, even if its header was seen before", async () => {
    const types = ["float32", "bool", "int8"] as const;
    const others = (["float16", "float64", "int64", "int32", "uint8"] as const).map((name) => ({
      name,
      datatype: DTYPES[name],
      shape: [1, 1],
      data: name === "float16" ? undefined : [0],
      ...(name === "float16" ? { parameters: { binary_data_size: 2 } } : {}),
    }));
    const whole = {
      inputs: ["float32", "float64", "int64", "int32", "int8", "uint8", "bool", "float16"].map((name) => ({
        name,
        datatype: DTYPES[name as keyof typeof DTYPES],
        shape: [1, 1],
        parameters: {
          binary_data_size: { float32: 4, float64: 8, int64: 8, int32: 4, int8: 1, uint8: 1, bool: 1, float16: 2 }[
            name
          ],
        },
      })),
      parameters: { binary_data_output: true },
    };
    const ask = (float32: number, bool: number) => {
      const sent = binary(
        whole,
        Float32Array.from([float32]),
        Float64Array.from([0]),
        BigInt64Array.from([0n]),
        Int32Array.from([0]),
        Int8Array.from([0]),
        Uint8Array.from([0]),
        Uint8Array.from([bool]),
        Uint16Array.from([0]),
      );
      return infer("types", sent.body, sent.headers);
    };
    const sum = async (float32: number, bool: number) =>
      (await binaryAnswer(await ask(float32, bool))).bytes.readUInt16LE(0);
    // 1, 2 and 3 in float16.
    for (const [float32, bool, bits] of [
      [1, 0, 0x3c00],
      [2, 0, 0x4000],
      [1, 0, 0x3c00],
      [2, 1, 0x4200],
    ] as const)
      expect(await sum(float32, bool)).toBe(bits);
    expect(await json(await ask(1, 2))).toMatchObject({ error: expect.stringContaining("neither 0 nor 1") });
    const short = binary(whole, Float32Array.from([1]));
    expect((await infer("types", short.body, short.headers)).status).toBe(400);
    // Some of the tensors are in the header itself, in any order.
    const mixed = {
      inputs: [
        ...others,
        ...types.map((name) => ({
          name,
          datatype: DTYPES[name],
          shape: [1, 1],
          parameters: { binary_data_size: name === "float32" ? 4 : 1 },
        })),
      ],
      parameters: { binary_data_output: true },
    };
    for (const value of [1, 2]) {
      const sent = binary(
        mixed,
        Uint16Array.from([0]),
        Float32Array.from([value]),
        Uint8Array.from([0]),
        Int8Array.from([0]),
      );
      expect((await binaryAnswer(await infer("types", sent.body, sent.headers))).bytes.readUInt16LE(0)).toBe(
        value === 1 ? 0x3c00 : 0x4000,
      );
    }
  });

  it("overrides binary_data_output per output, and takes a body of bare bytes for a single input", async () => {
    const mixed = features([1, 2, 3], [1, 3], {
      parameters: { binary_data_output: true },
      outputs: [{ name: "logits", parameters: { binary_data: false } }, { name: "total" }],
    });
    const { header, bytes } = await binaryAnswer(await infer("heads", mixed));
    expect(header["outputs"]).toEqual([
      { name: "logits", shape: [1, 3], datatype: "FP32", data: [1, 2, 3] },
      { name: "total", shape: [1, 1], datatype: "FP32", parameters: { binary_data_size: 4 } },
    ]);
    expect(bytes.readFloatLE(0)).toBe(6);
    const raw = await infer("linear", Buffer.from(Float32Array.from([1, 2, 3, 1, 2, 3]).buffer), {
      "content-type": "application/octet-stream",
      "inference-header-content-length": "0",
    });
    const bare = await binaryAnswer(raw);
    expect([bare.bytes.readFloatLE(0), bare.bytes.readFloatLE(4)]).toEqual([321.5, 321.5]);
  });
});

describe("many tensors at once", () => {
  it("are one run each in the queue, however many rows they hold", async () => {
    const body = features(
      Array.from({ length: 300 }, (_, i) => i % 3),
      [100, 3],
    );
    const small = await serve([modelFolder(served())], ["--max-queue-rows", "64", "--max-batch", "4"]);
    const answers = await Promise.all(Array.from({ length: 10 }, () => small.post("/v2/models/linear/infer", body)));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200));
  });
});

// What each refusal says is in v2-messages.test.ts; here it is that it comes as the protocol wants it.
describe("errors are the protocol's own object", () => {
  const good = features([1, 2, 3], [1, 3]);
  const cases: [
    what: string,
    model: string,
    body: unknown,
    status: number,
    words: RegExp,
    headers?: Record<string, string>,
  ][] = [
    ["another shape", "linear", features([1, 2], [1, 2]), 400, /has shape \[-1, 3\], not \[1, 2\]/],
    ["no inputs", "linear", { inputs: [] }, 400, /inputs/],
    [
      "ids outside the vocabulary",
      "sequence",
      {
        inputs: ["input_ids", "attention_mask"].map((name) => ({
          name,
          datatype: "INT64",
          shape: [1, 1],
          data: [999],
        })),
      },
      400,
      /failed while it ran/,
    ],
    ["an unknown model", "nobody", good, 404, /no model/],
    ["an unknown version", "linear/versions/9.9.9", good, 404, /version 1\.0\.0/],
    ["a broken model", "broken", good, 503, /could not be loaded/],
    [
      "bytes without a header length",
      "linear",
      new Uint8Array(12),
      415,
      /Inference-Header/,
      { "content-type": "application/octet-stream" },
    ],
    [
      "a header length beyond the body",
      "linear",
      "{}",
      400,
      /but the body has 2 bytes/,
      { "inference-header-content-length": "99" },
    ],
    ["not JSON", "linear", "{", 400, /not JSON/],
  ];
  it.each(cases)("%s", async (_what, model, body, status, words, headers) => {
    const response = await infer(model, body, headers);
    expect(response.status).toBe(status);
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(conforms("error", await json(response))["error"]).toMatch(words);
  });
});
