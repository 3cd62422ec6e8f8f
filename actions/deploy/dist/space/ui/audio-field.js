import { fill, h } from "./dom.js";
import { size } from "./format.js";

/** A recording that nobody ends. */
const maxRecordingMs = 120_000;

/**
 * A sound: a file that was chosen or dropped, or what the microphone hears. It can be listened to before it is sent.
 * @param {import("./schema-fields.js").Field} facts
 * @returns {import("./controls.js").Control}
 */
export function audioControl(facts) {
  /** @type {string | undefined} */
  let value;
  /** @type {MediaRecorder | null} */
  let recorder = null;
  const preview = h("div", { class: "audio-preview" });
  const file = h("input", { type: "file", accept: "audio/*,video/mp4,video/webm" });
  const record = h("button", { type: "button", class: "plain small record" }, "Record");
  const zone = h(
    "div",
    { class: "drop" },
    file,
    h("p", { class: "quiet" }, "Choose or drop a sound file, or record one."),
    record,
    preview,
  );
  // Browsers give the microphone only to pages from this machine or over https.
  const canRecord = typeof MediaRecorder === "function" && navigator.mediaDevices?.getUserMedia !== undefined;
  record.hidden = !canRecord;

  /** @param {Blob | null | undefined} chosen @param {string} name */
  const take = (chosen, name) => {
    if (chosen === null || chosen === undefined) return;
    const reader = new FileReader();
    reader.addEventListener("load", () => {
      value = String(reader.result);
      fillPreview(value, `${name}, ${size(chosen.size)}`);
      zone.dispatchEvent(new Event("input", { bubbles: true }));
    });
    reader.readAsDataURL(chosen);
  };

  /** @param {string} source a data: URL @param {string} words */
  const fillPreview = (source, words) => {
    const player = h("audio", { controls: "", src: source, "aria-label": `The sound for ${facts.name}` });
    player.addEventListener("error", () =>
      fill(preview, h("p", { class: "warn" }, "The browser cannot play this file; the server may still read it.")),
    );
    fill(preview, player, h("span", { class: "quiet" }, words));
  };

  const start = async () => {
    /** @type {MediaStream} */
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    } catch {
      fill(preview, h("p", { class: "warn", role: "alert" }, "The browser does not give this page the microphone."));
      return;
    }
    /** @type {Blob[]} */
    const pieces = [];
    const own = new MediaRecorder(stream);
    recorder = own;
    const limit = setTimeout(() => own.stop(), maxRecordingMs);
    own.addEventListener("dataavailable", ({ data }) => pieces.push(data));
    own.addEventListener("stop", () => {
      clearTimeout(limit);
      for (const track of stream.getTracks()) track.stop();
      recorder = null;
      fill(record, "Record");
      record.classList.remove("recording");
      file.value = "";
      take(new Blob(pieces, { type: own.mimeType }), "recording");
    });
    own.start();
    fill(record, "Stop");
    record.classList.add("recording");
    fill(preview, h("span", { class: "quiet", role: "status" }, "Recording …"));
  };

  record.addEventListener("click", () => {
    if (recorder === null) void start();
    else recorder.stop();
  });
  file.addEventListener("change", () => take(file.files?.[0], file.files?.[0]?.name ?? ""));
  zone.addEventListener("dragover", (event) => {
    event.preventDefault();
    zone.classList.add("over");
  });
  zone.addEventListener("dragleave", () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    take(event.dataTransfer?.files[0], event.dataTransfer?.files[0]?.name ?? "");
  });
  return {
    control: zone,
    focusable: file,
    read: () => value,
    write(given) {
      value = typeof given === "string" && given !== "" ? given : undefined;
      file.value = "";
      if (value === undefined) fill(preview);
      else fillPreview(value.startsWith("data:") ? value : `data:;base64,${value}`, "an example");
    },
  };
}
