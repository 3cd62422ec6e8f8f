// Tokenises JSON lines of texts with the shipped tokenizer, exactly as a client does.
//   node encode.mjs words  MODEL_DIR NODE_MODULES < texts.jsonl > words.jsonl
//   node encode.mjs encode MODEL_DIR NODE_MODULES < texts.jsonl > ids.jsonl
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [mode, modelDir, nodeModules] = process.argv.slice(2);
const lib = pathToFileURL(resolve(nodeModules, "@huggingface/tokenizers/dist/tokenizers.mjs")).href;
const { Tokenizer } = await import(lib);
const read = (name) => JSON.parse(readFileSync(join(modelDir, name), "utf8"));
const config = read("tokenizer_config.json");
const tokenizer = new Tokenizer(read("tokenizer.json"), config);

let out = "";
for await (const line of createInterface({ input: process.stdin })) {
  const text = JSON.parse(line);
  const row =
    mode === "words"
      ? tokenizer.pre_tokenizer(tokenizer.normalizer(text))
      : tokenizer.encode(text).ids.slice(0, config.model_max_length);
  out += JSON.stringify(row) + "\n";
  if (out.length > 1 << 20) {
    process.stdout.write(out);
    out = "";
  }
}
process.stdout.write(out);
