import { fill, h } from "./dom.js";
import { size } from "./format.js";

/**
 * An image: dropped, chosen or pasted, or a web address (which the server fetches, not this page).
 * @param {import("./schema-fields.js").Field} facts
 * @returns {import("./controls.js").Control}
 */
export function imageControl(facts) {
  /** @type {string | undefined} */
  let value;
  const preview = h("div", { class: "image-preview" });
  const file = h("input", { type: "file", accept: "image/*" });
  const address = h("input", { type: "url", placeholder: "https://…", "aria-label": `Web address for ${facts.name}` });
  const zone = h(
    "div",
    { class: "drop" },
    file,
    h("p", { class: "quiet" }, "Choose, drop or paste an image, or give its web address."),
    address,
    preview,
  );

  /** @param {File | null | undefined} chosen */
  const take = (chosen) => {
    if (chosen === null || chosen === undefined) return;
    const reader = new FileReader();
    reader.addEventListener("load", () => {
      value = String(reader.result);
      address.value = "";
      const picture = h("img", { alt: "The chosen image", src: value });
      picture.addEventListener("error", () =>
        fill(preview, h("p", { class: "warn" }, "The browser cannot show this file; the server may still read it.")),
      );
      fill(preview, picture, h("span", { class: "quiet" }, `${chosen.name}, ${size(chosen.size)}`));
      zone.dispatchEvent(new Event("input", { bubbles: true }));
    });
    reader.readAsDataURL(chosen);
  };

  file.addEventListener("change", () => take(file.files?.[0]));
  address.addEventListener("input", () => {
    value = address.value.trim() === "" ? undefined : address.value.trim();
    file.value = "";
    fill(preview, value !== undefined && h("span", { class: "quiet" }, "The server will fetch this address."));
  });
  zone.addEventListener("dragover", (event) => {
    event.preventDefault();
    zone.classList.add("over");
  });
  zone.addEventListener("dragleave", () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    take(event.dataTransfer?.files[0]);
  });
  zone.addEventListener("paste", (event) => take(event.clipboardData?.files[0]));
  return {
    control: zone,
    focusable: file,
    read: () => value,
    write(given) {
      value = typeof given === "string" && given !== "" ? given : undefined;
      file.value = "";
      address.value = value?.startsWith("http") ? value : "";
      fill(preview, value?.startsWith("data:") && h("img", { alt: "The chosen image", src: value }));
    },
  };
}
