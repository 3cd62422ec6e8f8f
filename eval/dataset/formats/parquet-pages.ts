import { parquetHeader } from "hyparquet/src/column.js";
import { decompressPage } from "hyparquet/src/datapage.js";
import { readRleBitPackedHybrid } from "hyparquet/src/encoding.js";
import { readPlain } from "hyparquet/src/plain.js";
import { getSchemaPath } from "hyparquet/src/schema.js";
import type { AsyncBuffer, Compressors, FileMetaData, ParquetType, SchemaElement } from "hyparquet";

/** Texts as they lie in a page: text i has the bytes from `starts[i]` to `ends[i]`. */
export class PageTexts {
  readonly bytes: Buffer;
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;

  constructor(bytes: Buffer, starts: Uint32Array, ends: Uint32Array) {
    this.bytes = bytes;
    this.starts = starts;
    this.ends = ends;
  }

  get length(): number {
    return this.starts.length;
  }

  text(i: number): string {
    return this.bytes.toString("utf8", this.starts[i], this.ends[i]);
  }
}

/** Texts of a dictionary: text i is the one at `places[i]`. */
export class DictionaryTexts {
  readonly texts: PageTexts;
  readonly places: Uint32Array;

  constructor(texts: PageTexts, places: Uint32Array) {
    this.texts = texts;
    this.places = places;
  }
}

type PageNumbers = Float64Array | Float32Array | Int32Array | BigInt64Array;
/** Values of one page. */
export type PageValues = PageNumbers | PageTexts | DictionaryTexts;

const wholeNumbers = ["INT_8", "INT_16", "INT_32", "INT_64"];

/**
 * Whether a column is one of plain numbers or texts that stand in no list and no structure. Others mean more than their
 * bytes: dates, decimals, unsigned integers.
 */
function isPlain({ type, converted_type: converted, logical_type: logical, num_children }: SchemaElement): boolean {
  if (num_children !== undefined && num_children > 0) return false;
  if (type === "DOUBLE" || type === "FLOAT") return converted === undefined && logical === undefined;
  if (type === "INT32" || type === "INT64")
    return converted === undefined ? logical === undefined : wholeNumbers.includes(converted);
  return type === "BYTE_ARRAY" && (converted === "UTF8" || logical?.type === "STRING");
}

/**
 * A column of a Parquet file page by page, without an object per value, which the library makes for every column that
 * could lack values, as all of pandas' could. Gives null in the place of a page for what it does not read: a column that
 * does lack values or is not plain, and rare encodings. Then nothing of it counts, and the library reads it.
 *
 * @param name of a column at the top level
 */
export async function* plainPages(
  file: AsyncBuffer,
  metadata: FileMetaData,
  name: string,
  compressors: Compressors,
): AsyncGenerator<PageValues | null> {
  const schemaPath = getSchemaPath(metadata.schema, [name]);
  const element = schemaPath[1]?.element;
  if (element === undefined || element.repetition_type === "REPEATED" || !isPlain(element)) return yield null;
  const isOptional = element.repetition_type !== "REQUIRED";
  for (const group of metadata.row_groups) {
    const column = group.columns.find(
      ({ meta_data: found }) => found?.path_in_schema.length === 1 && found.path_in_schema[0] === name,
    );
    const about = column?.meta_data;
    if (about === undefined || column?.file_path != null || about.type !== element.type) return yield null;
    const { type, codec } = about;
    const from = Number(about.dictionary_page_offset || about.data_page_offset);
    const bytes = await file.slice(from, from + Number(about.total_compressed_size));
    const reader = { view: new DataView(bytes), offset: 0 };
    let dictionary: PageNumbers | PageTexts | null = null;
    for (let left = Number(about.num_values); left > 0;) {
      const header = parquetHeader(reader);
      const compressed = new Uint8Array(bytes, reader.offset, header.compressed_page_size);
      reader.offset += header.compressed_page_size;
      const whole = () => decompressPage(compressed, Number(header.uncompressed_page_size), codec, compressors);
      if (header.type === "DICTIONARY_PAGE" && header.dictionary_page_header !== undefined) {
        const page = readerOf(whole());
        const count = header.dictionary_page_header.num_values;
        dictionary = type === "BYTE_ARRAY" ? textsAt(page, count) : numbersAt(page, type, count);
        continue;
      }
      const second = header.data_page_header_v2;
      const data = second ?? header.data_page_header;
      if (data === undefined) return yield null;
      let page: PageReader;
      if (second === undefined) {
        page = readerOf(whole());
        if (isOptional && !hasAll(page, data.num_values)) return yield null;
      } else {
        // The second version of pages says how many values are missing, and does not compress the levels.
        if (second.num_nulls > 0) return yield null;
        const levels = second.repetition_levels_byte_length + second.definition_levels_byte_length;
        const values = compressed.subarray(levels);
        const size = Number(header.uncompressed_page_size) - levels;
        page = readerOf(second.is_compressed === false ? values : decompressPage(values, size, codec, compressors));
      }
      left -= data.num_values;
      if (data.encoding === "PLAIN")
        yield type === "BYTE_ARRAY" ? textsAt(page, data.num_values) : numbersAt(page, type, data.num_values);
      else if (dictionary !== null && (data.encoding === "RLE_DICTIONARY" || data.encoding === "PLAIN_DICTIONARY"))
        yield looked(page, data.num_values, dictionary);
      else return yield null;
    }
  }
}

type PageReader = { view: DataView<ArrayBuffer>; offset: number };

function readerOf(page: Uint8Array): PageReader {
  return { view: new DataView(page.buffer as ArrayBuffer, page.byteOffset, page.byteLength), offset: 0 };
}

/** Reads the definition levels of a page: whether each of its rows has a value. */
function hasAll(page: PageReader, count: number): boolean {
  const levels = new Uint8Array(count);
  readRleBitPackedHybrid(page, 1, levels);
  return levels.every((level) => level === 1);
}

/** Texts in the encoding PLAIN: four bytes of length, then the bytes. */
function textsAt(page: PageReader, count: number): PageTexts {
  const { view } = page;
  const starts = new Uint32Array(count);
  const ends = new Uint32Array(count);
  let at = page.offset;
  for (let i = 0; i < count; i++) {
    const start = at + 4;
    at = start + view.getUint32(at, true);
    starts[i] = start;
    ends[i] = at;
  }
  if (at > view.byteLength) throw new RangeError("a text ends after its page");
  return new PageTexts(Buffer.from(view.buffer, view.byteOffset, view.byteLength), starts, ends);
}

function numbersAt(page: PageReader, type: ParquetType, count: number): PageNumbers {
  return count === 0 ? new Float64Array(0) : (readPlain(page, type, count, undefined) as PageNumbers);
}

/** The values of a page that holds their places in the dictionary. */
function looked(page: PageReader, count: number, dictionary: PageNumbers | PageTexts): PageValues {
  const width = page.view.getUint8(page.offset++);
  const places = new Uint32Array(count);
  if (width > 0) readRleBitPackedHybrid(page, width, places, page.view.byteLength - page.offset);
  for (const place of places) if (place >= dictionary.length) throw new RangeError("a place outside of the dictionary");
  if (dictionary instanceof PageTexts) return new DictionaryTexts(dictionary, places);
  const found = new (dictionary.constructor as new (length: number) => PageNumbers)(count);
  for (let i = 0; i < count; i++) found[i] = dictionary[places[i] as number] as never;
  return found;
}
