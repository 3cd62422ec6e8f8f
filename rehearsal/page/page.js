// Shows the state from /state. It redraws only the parts that changed, so that unfolded sections and scroll positions
// are kept.
const $ = (id) => document.getElementById(id);
const shown = new Map();

/** @returns whether this part must be redrawn */
function isNew(part, state) {
  const text = JSON.stringify(state);
  if (shown.get(part) === text) return false;
  shown.set(part, text);
  return true;
}

function element(tag, change = {}, ...inside) {
  const made = Object.assign(document.createElement(tag), change);
  made.append(...inside);
  return made;
}

const post = (path, body) =>
  fetch(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });

function drawStories(stories) {
  $("stories").replaceChildren(
    ...stories.map(({ name, title, state, seconds }) => {
      const sign = state === "passed" ? " ✓" : state === "failed" ? " ✗" : state === "playing" ? " …" : "";
      return element("li", {
        className: state,
        title,
        textContent:
          state === "playing" || stories.length <= 4
            ? `${name}${sign} ${title}`
            : `${name}${sign}${seconds === null ? "" : ` ${seconds.toFixed(0)} s`}`,
      });
    }),
  );
}

/** Keeps the user's choice among names. Until the user chooses, the newest is selected. */
function choose(select, options, preferred) {
  if (isNew(select.id, options)) {
    const chosen =
      select.dataset.chosen === "yes" && options.some(({ value }) => value === select.value) ? select.value : preferred;
    select.replaceChildren(...options.map(({ value, text }) => element("option", { value, textContent: text })));
    select.value = chosen;
  }
  return select.value;
}
for (const id of ["pulls", "spaces"])
  $(id).addEventListener("change", () => {
    $(id).dataset.chosen = "yes";
    void refresh();
  });

function drawPull({ number, title, author, branch, state, check, comments }) {
  const words = { open: "Open", merged: "Merged", closed: "Closed" };
  const good = check === "success";
  $("pull").replaceChildren(
    element("h2", { className: "pull-title" }, `${title} `, element("span", { textContent: `#${number}` })),
    element(
      "p",
      { className: "facts" },
      element("span", { className: `state ${state}`, textContent: words[state] }),
      `${author} · ${branch}`,
    ),
    // The shortest comment, which only records where the card is, comes last.
    ...comments
      .toSorted((a, b) => b.html.length - a.html.length)
      .map(({ author: by, html }) =>
        element(
          "article",
          { className: "comment" },
          element("h3", { textContent: by }),
          element("div", { innerHTML: html }),
        ),
      ),
    ...(check === null
      ? []
      : [
          element(
            "div",
            { className: `checks ${good ? "" : check === "failure" ? "failure" : "other"}` },
            element("b", { textContent: good ? "✓" : check === "failure" ? "✗" : "●" }),
            `gate / gate: ${check}${good ? "" : check === "failure" ? ". Required: the merge is blocked." : ""}`,
          ),
        ]),
  );
}

function drawMessage({ id, from, bot, html, at, edited, buttons }) {
  const time = new Date(at * 1000).toTimeString().slice(0, 5);
  const bubble = element("div", { className: `bubble${html.startsWith("<h4>") ? " rich" : ""}` });
  bubble.append(
    element("h3", { textContent: from }),
    element("div", { innerHTML: html }),
    element("span", { className: "time", textContent: `${edited ? "edited " : ""}${time}` }),
  );
  const keys = buttons.map((row) =>
    element(
      "div",
      {},
      ...row.map(({ text, url }) => {
        if (url !== null)
          return element("a", { textContent: `${text} ↗`, href: url, target: "_blank", rel: "noreferrer" });
        return element("button", {
          type: "button",
          textContent: text,
          onclick: () => {
            void post("press", { who: $("who").value, message: id, label: text });
          },
        });
      }),
    ),
  );
  return element(
    "article",
    { className: `message${bot ? "" : " person"}` },
    bubble,
    ...(keys.length === 0 ? [] : [element("div", { className: "keys" }, ...keys)]),
  );
}

const messageNodes = new Map();
function drawChat(messages) {
  const chat = $("chat");
  const atEnd = chat.scrollHeight - chat.scrollTop - chat.clientHeight < 60;
  for (const message of messages) {
    if (!isNew(`message ${message.id}`, message)) continue;
    const node = drawMessage(message);
    if (messageNodes.has(message.id)) messageNodes.get(message.id).replaceWith(node);
    else chat.append(node);
    messageNodes.set(message.id, node);
  }
  for (const [id, node] of messageNodes) {
    if (messages.some((one) => one.id === id)) continue;
    node.remove();
    messageNodes.delete(id);
  }
  chat.querySelector(".empty")?.toggleAttribute("hidden", messages.length > 0);
  if (atEnd) chat.scrollTop = chat.scrollHeight;
}

function drawSpace(space) {
  const frame = $("space");
  $("nothing").hidden = space !== undefined;
  frame.hidden = $("open").hidden = space === undefined;
  if (space === undefined || !isNew("frame", [space.url, space.version])) return;
  $("open").href = space.url;
  frame.src = space.url;
}

async function refresh() {
  try {
    const { stories, pulls, messages, spaces } = await (await fetch("state")).json();
    $("lost").hidden = true;
    if (isNew("stories", stories)) drawStories(stories);
    const number = Number(
      choose(
        $("pulls"),
        pulls.map((one) => ({ value: String(one.number), text: `#${one.number} ${one.title}` })),
        String(pulls.at(-1)?.number),
      ),
    );
    const pull = pulls.find((one) => one.number === number);
    if (pull !== undefined && isNew("pull", pull)) drawPull(pull);
    drawChat(messages);
    const live = spaces.filter(({ version }) => version !== null);
    const newest = live.findLast(({ name }) => !name.endsWith("-staging")) ?? live.at(-1);
    const name = choose(
      $("spaces"),
      live.map((one) => ({ value: one.name, text: `${one.name}: ${one.version}` })),
      newest?.name,
    );
    drawSpace(live.find((one) => one.name === name));
  } catch {
    $("lost").hidden = false;
  }
}

$("say").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = $("text").value.trim();
  if (text !== "") void post("say", { who: $("who").value, text });
  $("text").value = "";
});

for (;;) {
  await refresh();
  await new Promise((resolve) => {
    setTimeout(resolve, 1000);
  });
}
