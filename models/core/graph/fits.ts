import type { Field } from "../manifest/rows.ts";

/** What a field holds, in words. */
export function typeWords(field: Field): string {
  switch (field.type) {
    case "text":
      return "a text";
    case "image":
      return "an image";
    case "audio":
      return "a sound";
    case "number":
      return "a number";
    case "numbers":
      return field.shape.length === 0 ? "a number" : `a list of ${field.shape.join(" × ")} numbers`;
    case "series":
      return `a list of ${field.minLength} numbers or more`;
    case "boolean":
      return "true or false";
    case "date":
      return "a date";
    case "ids":
      return "a list of ids";
    case "observed":
      return "a list of values";
    case "key":
      return "a key";
    case "instant":
      return "a time";
  }
}

/** Whether every value of one type may go into a field of the other, as far as types say it. */
export function fits(from: Field, into: Field): boolean {
  if (into.type === "numbers") {
    if (into.shape.length === 0) return from.type === "number" || (from.type === "numbers" && from.shape.length === 0);
    return from.type === "numbers" && from.shape.join() === into.shape.join();
  }
  if (from.type === "series" && into.type === "series") return from.minLength >= into.minLength;
  if (from.type === "observed" && into.type === "observed") return from.horizon <= into.horizon;
  if (from.type === into.type) return true;
  switch (into.type) {
    case "text":
      return from.type === "date";
    case "number":
      return from.type === "numbers" && from.shape.length === 0;
    case "series":
      return from.type === "numbers" && from.shape.length === 1 && from.shape[0]! >= into.minLength;
    case "observed":
      return from.type === "numbers" && from.shape.length === 1 && from.shape[0]! <= into.horizon;
    case "key":
      return from.type === "text" || from.type === "number";
    case "instant":
      return from.type === "text" || from.type === "number" || from.type === "date";
    default:
      return false;
  }
}

/** A value of a type, to try an expression with. */
export function sampleOf(field: Field): unknown {
  switch (field.type) {
    case "text":
      return field.known?.[0] ?? "word";
    case "number":
      return Math.min(Math.max(0.5, field.min ?? -Infinity), field.max ?? Infinity);
    case "numbers":
      return field.shape.reduceRight<unknown>((inner, size) => new Array<unknown>(size).fill(inner), 0.5);
    case "series":
      return new Array<number>(field.minLength).fill(0.5);
    case "boolean":
      return true;
    case "date":
      return "2024-02-29";
    case "ids":
      return ["item"];
    case "observed":
      return [0.5];
    case "key":
      return "key";
    case "instant":
      return "2024-02-29T12:00:00Z";
    case "image":
    case "audio":
      return "";
  }
}
