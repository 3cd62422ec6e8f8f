import { describe, expect, it } from "vitest";
import type { GraphTensor } from "../../../models/core/tensors.ts";
import type { Problem } from "../../../spaces/server/http/problem.ts";
import { decodeBinary, decodeJson } from "../../../spaces/server/v2/decode.ts";
import { datatypeOf } from "../../../spaces/server/v2/datatypes.ts";
import { readInference, writeInference } from "../../../spaces/server/v2/infer.ts";

const bytesOf = (data: Float32Array | BigInt64Array | Uint8Array) =>
  Buffer.from(data.buffer, data.byteOffset, data.byteLength);
const refusal = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    const { body, message } = error as Problem;
    return `${body.status} ${message}`;
  }
  return "accepted";
};

/** A model with these inputs; a new one for each test, because checked headers are kept per model. */
const face = (inputs = [{ name: "x", dtype: "float32", shape: ["batch", 2] as (string | number)[] }]) => ({
  inputs,
  outputs: [
    { name: "y", dtype: "float32", shape: ["batch", 1] },
    { name: "z", dtype: "int64", shape: ["batch"] },
  ],
  largest: {} as Record<string, readonly number[]>,
});
const x = (shape: number[], more: object = {}) => ({ name: "x", datatype: "FP32", shape, ...more });
const sized = (bytes: number, shape: number[] = [1, 2]) => x(shape, { parameters: { binary_data_size: bytes } });
const read = (body: object, one = face(), maxRows = 100) => readInference(body, null, one, maxRows);
/** A request of JSON and the bytes after it. */
function readBinary(head: object | string, bytes: Buffer, one = face(), length?: number) {
  const text = Buffer.from(typeof head === "string" ? head : JSON.stringify(head));
  return readInference(Buffer.concat([text, bytes]), length ?? text.length, one, 100);
}
const floats = (...values: number[]) => bytesOf(Float32Array.from(values));

describe("binary data", () => {
  it.each<[string, object[], number[], string]>([
    ["as many bytes as the shape takes", [sized(8)], [1, 2], "accepted"],
    [
      "more bytes than the shape takes",
      [sized(12)],
      [1, 2, 3],
      "400 input x: 12 bytes for shape [1, 2], which takes 8",
    ],
    ["fewer bytes than the shape takes", [sized(4)], [1], "400 input x: 4 bytes for shape [1, 2], which takes 8"],
    ["bytes after the last input", [sized(8)], [1, 2, 3], "400 4 bytes are left over after the inputs"],
    [
      "a size beyond the body",
      [sized(12)],
      [1, 2],
      "400 input x: binary_data_size is 12, but 8 bytes are left after the JSON",
    ],
    ["a size below 0", [sized(-8)], [1, 2], "400 input x: binary_data_size is -8"],
    ["a size that is no whole number", [sized(7.5)], [1, 2], "400 input x: binary_data_size is 7.5"],
    ["both data and a size", [{ ...sized(8), data: [1, 2] }], [1, 2], "400 input x has both data and binary_data_size"],
  ])("%s", (_, inputs, values, said) => {
    expect(refusal(() => readBinary({ inputs }, floats(...values)))).toContain(said);
  });

  it("of several inputs follow one another, each at its own place", () => {
    const two = () => face(["x", "w"].map((name) => ({ name, dtype: "float32", shape: ["batch", 2] })));
    const head = { inputs: [{ ...sized(8), name: "w" }, sized(8)] };
    const one = two();
    for (const round of [0, 10]) {
      const { feeds } = readBinary(head, floats(round + 1, round + 2, round + 3, round + 4), one);
      expect([[...(feeds["w"]!.data as Float32Array)], [...(feeds["x"]!.data as Float32Array)]]).toEqual([
        [round + 1, round + 2],
        [round + 3, round + 4],
      ]);
    }
    expect(refusal(() => readBinary(head, floats(1, 2, 3), one))).toContain(
      "400 input x: binary_data_size is 8, but 4",
    );
    expect(refusal(() => readBinary(head, floats(1, 2, 3, 4, 5), one))).toContain("400 4 bytes are left over");
  });

  it("that a known header announced are another request's own", () => {
    const one = face();
    const head = { id: "a", inputs: [sized(8)], outputs: [{ name: "z" }] };
    readBinary(head, floats(1, 2), one);
    const again = readBinary(head, floats(3, 4), one);
    expect(again).toMatchObject({ id: "a", rows: 1, outputs: [{ name: "z", binary: false }] });
    expect([...(again.feeds["x"]!.data as Float32Array)]).toEqual([3, 4]);
    // The same header for another model is checked there.
    expect(
      refusal(() => readBinary(head, floats(1, 2), face([{ name: "x", dtype: "int64", shape: ["batch", 1] }]))),
    ).toContain("400 input x is INT64, not FP32");
  });

  it("of inputs whose names are digits keep their places too", () => {
    const one = face(["11", "10"].map((name) => ({ name, dtype: "float32", shape: ["batch", 2] })));
    const head = {
      inputs: [
        { ...sized(8), name: "11" },
        { ...sized(8), name: "10" },
      ],
    };
    for (const round of [0, 10]) {
      const { feeds } = readBinary(head, floats(round + 1, round + 2, round + 3, round + 4), one);
      expect([[...(feeds["11"]!.data as Float32Array)], [...(feeds["10"]!.data as Float32Array)]]).toEqual([
        [round + 1, round + 2],
        [round + 3, round + 4],
      ]);
    }
  });

  it.each<[Parameters<typeof decodeBinary>[1], ArrayBufferView & ArrayLike<unknown>]>([
    ["float64", Float64Array.of(1.5, -2)],
    ["float32", Float32Array.of(1.5, -2)],
    ["float16", Uint16Array.of(0x3c00, 0x4000)],
    ["int64", BigInt64Array.of(1n, -2n)],
    ["int32", Int32Array.of(1, -2)],
    ["int8", Int8Array.of(1, -2)],
    ["uint8", Uint8Array.of(1, 255)],
    ["bool", Uint8Array.of(1, 0)],
  ])("of %s are its own numbers", (dtype, numbers) => {
    const bytes = Buffer.from(numbers.buffer as ArrayBuffer, numbers.byteOffset, numbers.byteLength);
    expect(decodeBinary("x", dtype, [2], bytes)).toEqual({ dtype, data: numbers, dims: [2] });
    // Also where they begin at an odd place.
    const odd = Buffer.concat([Buffer.alloc(1), bytes]).subarray(1);
    expect(decodeBinary("x", dtype, [2], odd).data).toEqual(numbers);
  });

  it("of texts are those texts", () => {
    const bytes = Buffer.from([2, 0, 0, 0, 0xc3, 0xa9, 0, 0, 0, 0, 3, 0, 0, 0, 0x61, 0x62, 0x63]);
    expect(decodeBinary("t", "string", [3], bytes).data).toEqual(["é", "", "abc"]);
  });

  it("need not begin at a multiple of their size", () => {
    for (const pad of ["", " ", "  ", "   "]) {
      const { feeds } = readBinary(`${JSON.stringify({ inputs: [sized(8)] })}${pad}`, floats(1.5, -2), face());
      expect([...(feeds["x"]!.data as Float32Array)]).toEqual([1.5, -2]);
    }
  });

  it.each<[string, number | undefined, string]>([
    ["{", 1, "400 the first 1 bytes of the body are not JSON"],
    ["{}", 3, "400 Inference-Header-Content-Length is 3, but the body has 2 bytes"],
  ])("after %s of %d bytes", (text, length, said) => {
    expect(refusal(() => readBinary(text, Buffer.alloc(0), face(), length))).toContain(said);
  });

  it("of booleans are 0 or 1", () => {
    expect(decodeBinary("b", "bool", [2], Buffer.from([0, 1])).data).toEqual(Uint8Array.of(0, 1));
    expect(refusal(() => decodeBinary("b", "bool", [2], Buffer.from([1, 2])))).toBe(
      "400 input b: element 1 is neither 0 nor 1",
    );
  });

  it.each<[string, number[], string]>([
    ["two texts", [2, 0, 0, 0, 0x61, 0xc3, 0, 0, 0, 0], "accepted"],
    ["a third one", [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], "400 input t: 3 elements, but the shape has 2"],
    ["only one", [0, 0, 0, 0], "400 input t: 1 elements, but the shape has 2"],
    ["a length that is cut off", [0, 0, 0, 0, 1, 0, 0], "400 input t: the length of element 1 is cut off"],
    ["a text that is cut off", [0, 0, 0, 0, 2, 0, 0, 0, 0x61], "400 input t: element 1 is cut off"],
  ])("of texts, where the shape has two: %s", (_, bytes, said) => {
    expect(refusal(() => decodeBinary("t", "string", [2], Buffer.from(bytes)))).toBe(said);
  });
});

describe("a body of bare bytes", () => {
  const raw = (bytes: Buffer, one = face()) => readInference(bytes, 0, one, 100);
  it("is the only input, whose number of rows follows from it, and is answered in bytes", () => {
    const found = raw(floats(1, 2, 3, 4, 5, 6));
    expect(found.rows).toBe(3);
    expect(found.feeds["x"]).toMatchObject({ dtype: "float32", dims: [3, 2] });
    expect(found.outputs).toEqual([
      { name: "y", binary: true },
      { name: "z", binary: true },
    ]);
  });
  it.each<[string, Buffer, ReturnType<typeof face>, string]>([
    ["half a row", floats(1, 2, 3), face(), "400 12 bytes are no whole number of rows"],
    ["no row", Buffer.alloc(0), face(), "400 input x: a dimension of 0"],
    [
      "two inputs",
      floats(1, 2),
      face([...face().inputs, { name: "w", dtype: "float32", shape: [1] }]),
      "400 a body without JSON",
    ],
    ["texts", floats(1, 2), face([{ name: "x", dtype: "string", shape: ["batch"] }]), "400 a body without JSON"],
    [
      "two sizes that vary",
      floats(1, 2),
      face([{ name: "x", dtype: "float32", shape: ["batch", "length"] }]),
      "400 a body without JSON",
    ],
    [
      "a type that JSON has no name for",
      floats(1, 2),
      face([{ name: "x", dtype: "uint16", shape: ["batch"] }]),
      "400 a body without JSON",
    ],
  ])("is refused: %s", (_, bytes, one, said) => {
    expect(refusal(() => raw(bytes, one))).toContain(said);
  });
});

describe("the shape", () => {
  const texts = () => ({
    ...face([
      { name: "ids", dtype: "int64", shape: ["batch", "length"] },
      { name: "mask", dtype: "int64", shape: ["batch", "length"] },
    ]),
    largest: { ids: [0, 8] },
  });
  const ids = (name: string, rows: number, length: number) => ({
    name,
    datatype: "INT64",
    shape: [rows, length],
    data: Array.from({ length: rows * length }, () => 1),
  });
  it.each<[string, object[], ReturnType<typeof face>, string]>([
    ["as the model wants it", [x([2, 2], { data: [1, 2, 3, 4] })], face(), "accepted"],
    ["with as many rows as a request may have", [x([100, 2], { data: new Array(200).fill(0) })], face(), "accepted"],
    [
      "with a row too many",
      [x([101, 2], { data: new Array(202).fill(0) })],
      face(),
      "400 input x: dimension 0 is 101; at most 100 is taken",
    ],
    ["with another fixed size", [x([1, 3], { data: [1, 2, 3] })], face(), "400 input x has shape [-1, 2], not [1, 3]"],
    ["with another number of sizes", [x([2], { data: [1, 2] })], face(), "400 input x has shape [-1, 2], not [2]"],
    ["without rows", [x([0, 2], { data: [] })], face(), "400 input x: a dimension of 0; at least 1 is needed"],
    ["with texts as long as the model reads", [ids("ids", 1, 8), ids("mask", 1, 8)], texts(), "accepted"],
    [
      "with longer ones",
      [ids("ids", 1, 9), ids("mask", 1, 9)],
      texts(),
      "400 input ids: dimension 1 is 9; at most 8 is taken",
    ],
    [
      "with a named size that disagrees",
      [ids("ids", 1, 2), ids("mask", 1, 3)],
      texts(),
      "400 input mask: dimension 1 (length) is 3, but it is 2 in another input",
    ],
    [
      "of an input twice",
      [x([1, 2], { data: [1, 2] }), x([1, 2], { data: [1, 2] })],
      face(),
      "400 input x stands twice",
    ],
    [
      "of an unknown input",
      [{ ...x([1, 2], { data: [1, 2] }), name: "v" }],
      face(),
      "400 the model has no input v; it has x",
    ],
    ["without one of the inputs", [ids("ids", 1, 2)], texts(), "400 nothing feeds the input mask"],
  ])("%s", (_, inputs, one, said) => {
    expect(refusal(() => read({ inputs }, one))).toBe(said);
  });

  it("says the number of rows", () => {
    expect(read({ inputs: [x([3, 2], { data: new Array(6).fill(0) })] }).rows).toBe(3);
    expect(
      read({ inputs: [x([3], { data: [1, 2, 3] })] }, face([{ name: "x", dtype: "float32", shape: [3] }])).rows,
    ).toBe(3);
  });
});

describe("data in JSON", () => {
  it.each<[string, Parameters<typeof decodeJson>[1], unknown, unknown]>([
    ["flat", "float32", [1, 2, 3, 4], [1, 2, 3, 4]],
    [
      "nested",
      "float32",
      [
        [1, 2],
        [3, 4],
      ],
      [1, 2, 3, 4],
    ],
    ["as booleans", "bool", [true, false, 1, 0], [1, 0, 1, 0]],
    ["as whole numbers", "int8", [-128, 0, 1, 127], [-128, 0, 1, 127]],
    ["as texts", "string", ["a", "", "c", "d"], ["a", "", "c", "d"]],
  ])("%s", (_, dtype, data, wanted) => {
    const { data: found, dims } = decodeJson("x", dtype, [2, 2], data);
    expect([[...found], dims]).toEqual([wanted, [2, 2]]);
  });
  it.each<[string, Parameters<typeof decodeJson>[1], unknown, string]>([
    ["none", "float32", undefined, "no data"],
    ["no list", "float32", 1, "no data"],
    ["too few", "float32", [1, 2, 3], "3 elements for shape [2, 2], which has 4"],
    ["too many", "float32", [1, 2, 3, 4, 5], "5 elements for shape [2, 2]"],
    ["a text among numbers", "float32", [1, "2", 3, 4], "element 1 is not a number"],
    ["a truth among numbers", "float32", [1, true, 3, 4], "element 1 is not a number"],
    ["a text among truths", "bool", [true, "x", true, true], "element 1 is not true or false"],
    ["a number among texts", "string", ["a", "b", 3, "d"], "element 2 is not a text"],
    ["half floats", "float16", [1, 2, 3, 4], "FP16 has no JSON form"],
    ["beyond the type", "int8", [1, 2, 3, 128], "element 3 is not a whole number from -128 to 127"],
    ["beyond a float", "float32", [1, 1e39, 3, 4], "element 1 is not a finite float32 number"],
    [
      "nested without end",
      "float32",
      JSON.parse(`${"[".repeat(40)}1${"]".repeat(40)}`),
      "nested data must have the shape [2, 2]",
    ],
  ])("is refused: %s", (_, dtype, data, said) => {
    expect(refusal(() => decodeJson("x", dtype, [2, 2], data))).toContain(said);
  });
});

it("data is flat, or nested as its shape says", () => {
  expect(decodeJson("x", "float32", [2, 1, 2], [1, 2, 3, 4]).data).toEqual(Float32Array.of(1, 2, 3, 4));
  expect(decodeJson("x", "float32", [2, 1, 2], [[[1, 2]], [[3, 4]]]).data).toEqual(Float32Array.of(1, 2, 3, 4));
  for (const data of [
    [
      [1, 2],
      [3, 4],
    ],
    [[[1, 2, 3, 4]]],
    [
      [[1], [2]],
      [[3], [4]],
    ],
    [[[1, 2]], [3, 4]],
    [[[[1, 2]]], [[[3, 4]]]],
  ])
    expect(refusal(() => decodeJson("x", "float32", [2, 1, 2], data))).toContain("must have the shape [2, 1, 2]");
});

describe("the outputs", () => {
  const good = { inputs: [x([1, 2], { data: [1, 2] })] };
  it.each<[string, object, unknown]>([
    [
      "are all of them, in JSON",
      {},
      [
        ["y", false],
        ["z", false],
      ],
    ],
    [
      "are all of them where none is named",
      { outputs: [] },
      [
        ["y", false],
        ["z", false],
      ],
    ],
    [
      "are bytes where the request says so",
      { parameters: { binary_data_output: true } },
      [
        ["y", true],
        ["z", true],
      ],
    ],
    [
      "are those that are named, in that order",
      { outputs: [{ name: "z" }, { name: "y" }] },
      [
        ["z", false],
        ["y", false],
      ],
    ],
    [
      "each may say for itself",
      {
        parameters: { binary_data_output: true },
        outputs: [{ name: "y", parameters: { binary_data: false } }, { name: "z" }],
      },
      [
        ["y", false],
        ["z", true],
      ],
    ],
  ])("%s", (_, more, wanted) => {
    expect(read({ ...good, ...more }).outputs.map(({ name, binary }) => [name, binary])).toEqual(wanted);
  });
  it("must be the model's", () => {
    expect(refusal(() => read({ ...good, outputs: [{ name: "v" }] }))).toBe(
      "400 the model has no output v; it has y, z",
    );
  });

  const tensors: Record<string, GraphTensor> = {
    y: { dtype: "float32", data: Float32Array.of(0, 1.5, 2).subarray(1), dims: [2, 1] },
    z: { dtype: "int64", data: BigInt64Array.of(7n, -8n), dims: [2] },
    t: { dtype: "string", data: ["a", "é"], dims: [2] },
    b: { dtype: "bool", data: Uint8Array.of(1, 0), dims: [2] },
    nan: { dtype: "float32", data: Float32Array.of(1, Number.NaN), dims: [2] },
    infinite: { dtype: "float64", data: Float64Array.of(Infinity), dims: [1] },
    half: { dtype: "float16", data: Uint16Array.of(0), dims: [1] },
  };
  const write = (id: string | undefined, ...outputs: [string, boolean][]) =>
    writeInference(
      { id: "m", version: "1" },
      { id, feeds: {}, rows: 2, outputs: outputs.map(([name, binary]) => ({ name, binary })) },
      tensors,
    );
  it("are written as JSON, with the request's id", () => {
    const { body, headers } = write("q", ["y", false], ["z", false], ["t", false], ["b", false]);
    expect(JSON.parse(String(body))).toEqual({
      model_name: "m",
      model_version: "1",
      id: "q",
      outputs: [
        { name: "y", shape: [2, 1], datatype: "FP32", data: [1.5, 2] },
        { name: "z", shape: [2], datatype: "INT64", data: [7, -8] },
        { name: "t", shape: [2], datatype: "BYTES", data: ["a", "é"] },
        { name: "b", shape: [2], datatype: "BOOL", data: [true, false] },
      ],
    });
    expect(headers).toEqual({ "content-type": "application/json" });
    expect(String(write(undefined, ["z", false]).body)).not.toContain('"id"');
  });
  it("are written as bytes after the JSON, each with its size", () => {
    const { body, headers } = write(undefined, ["y", true], ["z", false], ["t", true]);
    const length = Number(headers["inference-header-content-length"]);
    const head = JSON.parse((body as Buffer).toString("utf8", 0, length)) as { outputs: object[] };
    expect(head.outputs).toEqual([
      { name: "y", shape: [2, 1], datatype: "FP32", parameters: { binary_data_size: 8 } },
      { name: "z", shape: [2], datatype: "INT64", data: [7, -8] },
      { name: "t", shape: [2], datatype: "BYTES", parameters: { binary_data_size: 11 } },
    ]);
    expect((body as Buffer).subarray(length)).toEqual(
      Buffer.concat([floats(1.5, 2), Buffer.from([1, 0, 0, 0, 0x61, 2, 0, 0, 0, 0xc3, 0xa9])]),
    );
    expect(headers["content-type"]).toBe("application/octet-stream");
  });
  it("that JSON cannot say are refused", () => {
    expect(refusal(() => write(undefined, ["nan", false]))).toContain("500 output nan: numbers that are not finite");
    expect(refusal(() => write(undefined, ["infinite", false]))).toContain("500 output infinite: numbers that are not");
    expect(refusal(() => write(undefined, ["half", false]))).toContain("400 output half: FP16 has no JSON form");
    expect(refusal(() => write(undefined, ["nan", true], ["half", true]))).toBe("accepted");
  });
});

it("types are named as the protocol names them", () => {
  expect(["bool", "float16", "int64", "string", "uint16", "bfloat16", "float8"].map(datatypeOf)).toEqual([
    "BOOL",
    "FP16",
    "INT64",
    "BYTES",
    "UINT16",
    "BF16",
    "FP8",
  ]);
});
