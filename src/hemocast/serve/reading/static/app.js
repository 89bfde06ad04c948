// The reading room: from state to case to answer to the next case.

import { KEYS, POINTER, listenToKeys } from "./keys.js";
import { nameOf } from "./marks.js";
import { PLANES } from "./planes.js";
import { Panel } from "./panel.js";
import { Refused, Saver, getHeat, getJson, getPixels } from "./server.js";
import { PRESETS, Viewer } from "./viewer.js";

const $ = (id) => document.getElementById(id);
const element = (tag, text, more = {}) => Object.assign(document.createElement(tag), { textContent: text }, more);
const percent = (share) => {
  if (share > 0 && share < 0.01) return "<1 %";
  if (share > 0.99 && share < 1) return ">99 %";
  return `${Math.round(100 * share)} %`;
};
const DRAFT_MS = 250;

let state = null;
let current = null; // { key, ...case, shownFrom }
let draft = 0;
let greeted = null;

const viewer = new Viewer($("picture"), $("measured"), (what) => {
  showView();
  if (current?.loaded) showMarks();
  if (what === "marks") changed();
});
const panel = new Panel(() => changed());
const saver = new Saver((what, detail) => {
  const words = {
    saved: () => `Saved ${new Date(detail).toLocaleTimeString()}`,
    draft: () => `Draft saved ${new Date(detail).toLocaleTimeString()}, not yet submitted`,
    waiting: () => "Not saved yet. Trying again …",
    refused: () => `Not saved: ${detail}`,
  };
  $("saved").textContent = words[what]();
  $("saved").classList.toggle("failed", what === "waiting" || what === "refused");
});

// ---- time in sight

function seconds() {
  const since = current.shownFrom === null ? 0 : (performance.now() - current.shownFrom) / 1000;
  return Math.round((current.seconds + since) * 100) / 100;
}

function pause() {
  if (!current || current.shownFrom === null) return;
  current.seconds = seconds();
  current.shownFrom = null;
}

function resume() {
  if (current?.loaded && current.shownFrom === null && !document.hidden) {
    current.shownFrom = performance.now();
  }
}

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) return resume();
  pause();
  saveDraft(true);
});
window.addEventListener("pagehide", () => saveDraft(true));

// ---- keeping answers

function reading(final) {
  // A mark that is just being drawn may be a single point yet: it is kept once it is drawn.
  const regions = viewer.marks.filter((mark) => mark !== viewer.hand.stroke);
  return { ...panel.answer, regions, seconds: seconds(), final };
}

function changed() {
  if (!current?.loaded) return;
  current.dirty = true;
  clearTimeout(draft);
  draft = setTimeout(saveDraft, DRAFT_MS);
}

function saveDraft(always = false) {
  clearTimeout(draft);
  // After a submission, time alone is no new draft.
  if (!current?.loaded || !(current.dirty || (always && !current.submitted))) return;
  current.dirty = false;
  saver.send(current.key, reading(false), current.submitted).catch(() => {});
}

async function submit() {
  if (!current?.loaded || current.sending) return;
  if (panel.missing().length) {
    // A field that loses the focus shows its answer again: only then say what is missing.
    viewer.canvas.focus({ preventScroll: true });
    panel.ask();
    return;
  }
  clearTimeout(draft);
  current.sending = true;
  $("submit").disabled = true;
  showTurns();
  try {
    pause();
    await saver.send(current.key, reading(true));
    if (current.next) await openCase(current.next);
    else await start();
  } catch (error) {
    report(error);
    resume();
  } finally {
    if (current) current.sending = false;
    showTurns();
    panel.show();
  }
}

// ---- going from case to case

async function start() {
  state = await getJson("/api/state");
  viewer.simulated = state.simulated;
  $("simulated").hidden = !state.simulated;
  if (state.phase !== "reading") return showEnd();
  const part = `${state.part}`;
  if (state.done === 0 && greeted !== part) return showGreeting(part);
  return openCase(state.current);
}

async function openCase(key) {
  saveDraft();
  current?.loading?.abort();
  const loading = new AbortController();
  current = { key, loading, loaded: false, shownFrom: null };
  const mine = current;
  try {
    $("message").hidden = true;
    $("reading").hidden = false;
    loadingText("Loading …");
    viewer.clear();
    const [told, frames] = await Promise.all([
      getJson(`/api/case/${key}`),
      getPixels(`/api/case/${key}/frames`, loading.signal),
    ]);
    if (mine !== current) return;
    Object.assign(current, told, { loaded: true });
    viewer.setVolume("frames", frames);
    viewer.marks = told.answer.regions;
    panel.load(told.answer);
    showCase();
    setPreset(0);
    viewer.setView("frames");
    setTool(null);
    $("saved").textContent = "";
    loadingText("");
    resume();
    viewer.canvas.focus();
    if (told.model?.heat) {
      viewer.heat = await getHeat(`/api/case/${key}/heat`, told.model.heat_colours, loading.signal);
      viewer.draw();
    }
  } catch (error) {
    if (error.name !== "AbortError") report(error);
  }
}

function report(error) {
  if (error instanceof Refused && error.status === 401) location.reload();
  else if (error instanceof Refused) start();
  else loadingText("The scan could not be loaded. Check the connection and reload the page.", true);
}

function loadingText(text, failed = false) {
  $("loading").textContent = text;
  $("loading").hidden = !text;
  $("loading").classList.toggle("failed", failed);
}

async function toggleSeries() {
  const view = viewer.view === "frames" ? "series" : "frames";
  if (!current?.loaded) return;
  if (!viewer.views[view]) {
    const mine = current;
    loadingText("Loading the full series …");
    try {
      const series = await getPixels(`/api/case/${current.key}/series`, current.loading.signal);
      if (mine !== current) return;
      viewer.setVolume("series", series);
    } catch (error) {
      if (error.name !== "AbortError") report(error);
      return;
    }
    loadingText("");
  }
  viewer.setView(view);
}

// ---- what the page shows

function showCase() {
  const { number, total, arm, next, submitted, model } = current;
  $("where").textContent = `Case ${number} of ${total}`;
  $("progress").max = total;
  $("progress").value = arm === state.arm ? state.done : total;
  const aided = arm === "aided";
  $("arm").textContent = state.parts > 1 ? `${aided ? "With" : "Without"} the model` : "";
  $("arm").classList.toggle("aided", aided);
  $("question").textContent =
    `How likely is hemorrhagic transformation within ${state.horizon_days} days of onset?`;
  $("submit").firstChild.textContent = submitted ? "Save the correction " : "Submit ";
  $("next").hidden = !next;
  showTurns();
  $("heat").hidden = !model?.heat;
  setHeat(Boolean(model?.heat) && viewer.showHeat);
  $("model").hidden = !model;
  if (model) showModel(model);
  showMarks();
}

// While an answer is on its way the reader stays: leaving would hide that it has not arrived.
function showTurns() {
  const sending = Boolean(current?.sending);
  $("previous").disabled = sending || !current?.previous;
  $("next").disabled = sending;
}

function showModel({ probability, threshold, simulated }) {
  $("model-probability").textContent = percent(probability);
  const words = ["Of a research model; not a diagnosis."];
  if (threshold !== null) words.push(`It says yes from ${percent(threshold)}.`);
  $("model-text").textContent = words.join(" ");
  $("model-simulated").hidden = !simulated;
}

function showView() {
  const { volume } = viewer;
  if (!volume) return;
  $("slice").max = volume.shape[0];
  $("slice").value = volume.slice + 1;
  $("slice-text").textContent = viewer.sliceText;
  $("view-frames").setAttribute("aria-pressed", viewer.view === "frames");
  $("view-series").setAttribute("aria-pressed", viewer.view === "series");
  $("heat").disabled = viewer.view !== "frames" || viewer.plane !== "axial";
  for (const plane of PLANES) {
    $(`plane-${plane}`).setAttribute("aria-pressed", viewer.plane === plane);
    $(`plane-${plane}`).disabled = plane !== "axial" && !viewer.mayReslice;
  }
  for (const button of document.querySelectorAll("[data-tool]")) {
    button.disabled = viewer.plane !== "axial" && button.dataset.tool !== "distance";
  }
  [...$("windows").children].forEach((button, i) => {
    const { width, level } = PRESETS[i];
    const on = viewer.window.width === width && viewer.window.level === level;
    button.setAttribute("aria-pressed", on);
  });
  viewer.canvas.setAttribute("aria-label", `Head CT, ${viewer.sliceText}`);
}

function showMarks() {
  const rows = viewer.marks.map((mark) => {
    const row = element("li", "");
    const go = element("button", nameOf(mark), { type: "button" });
    row.classList.toggle("elsewhere", !viewer.isShown(mark));
    go.addEventListener("click", () => {
      if (viewer.views[mark.view]) showMark(mark);
      else toggleSeries().then(() => showMark(mark));
    });
    const remove = element("button", "Remove", { type: "button" });
    remove.setAttribute("aria-label", `Remove ${nameOf(mark)}`);
    remove.addEventListener("click", () => viewer.removeMark(mark));
    row.append(go, remove);
    return row;
  });
  if (viewer.active) {
    const hint = "Arrows move, Shift sizes, Enter ends";
    rows.unshift(element("li", hint, { className: "hint" }));
  }
  $("mark-list").replaceChildren(...rows);
  $("mark-list").scrollTop = $("mark-list").scrollHeight;
}

function showMark(mark) {
  if (viewer.view !== mark.view) viewer.setView(mark.view);
  viewer.setPlane("axial");
  viewer.setSlice(mark.slice);
}

function showMessage(title, paragraphs, go, back) {
  current = null;
  $("reading").hidden = true;
  $("message").hidden = false;
  $("where").textContent = "Reading room";
  $("arm").textContent = "";
  $("progress").max = state.total;
  $("progress").value = state.done;
  $("message-title").textContent = title;
  $("message-text").replaceChildren(...paragraphs.map((text) => element("p", text)));
  $("go").hidden = !go;
  $("go").textContent = go?.[0] ?? "";
  $("go").onclick = go?.[1] ?? null;
  $("back").hidden = !back;
  $("back").onclick = back ? () => openCase(back) : null;
  if (go) $("go").focus();
}

function showGreeting(part) {
  const aided = state.arm === "aided";
  const first = state.part === 1;
  const title = state.parts > 1 ? `Part ${state.part} of ${state.parts}` : "Before you begin";
  const text = [
    `${state.total} scans of patients with acute ischemic stroke. For each, say how likely hemorrhagic ` +
      `transformation is within ${state.horizon_days} days of onset.`,
    aided
      ? "Beside each scan you see the result of a research model. It may be wrong: the answer is yours."
      : "You see the scan alone: no clinical data and no result of a model.",
    "Every answer is saved at once. You may stop at any time and go on later; you can return to cases " +
      "and correct your answers. Some scans may come twice.",
    "Read in a darkened room on a good screen. Press ? for the keys.",
  ];
  if (!first) text.unshift(`Part ${state.part - 1} is finished. Once you answer in this part, it is closed.`);
  if (state.simulated) text.unshift("SIMULATED scans: they show no patients.");
  const begin = () => {
    greeted = part;
    openCase(state.current);
  };
  showMessage(title, text, [first ? "Begin" : "Begin this part", begin], state.last);
}

function showEnd() {
  const n = `${state.total} of ${state.total}`;
  if (state.phase === "washout") {
    const day = new Date(state.opens_at).toLocaleString(undefined, { dateStyle: "long", timeStyle: "short" });
    const text = [
      "Thank you. Everything is saved.",
      `So that you do not read from memory, the second part opens on ${day}. Your link stays the same.`,
    ];
    showMessage("Part 1 is finished", text, null, state.last);
    return;
  }
  const text = [`You have read ${n} cases. Everything is saved; you can close this page.`];
  showMessage("Finished. Thank you.", text, null, state.last);
}

// ---- what buttons and keys do

function setPreset(index) {
  viewer.setWindow(PRESETS[index].width, PRESETS[index].level);
}

function setTool(tool) {
  const wanted = viewer.tool === tool ? null : tool;
  viewer.setTool(wanted);
  for (const button of document.querySelectorAll("[data-tool]")) {
    button.setAttribute("aria-pressed", button.dataset.tool === wanted);
  }
}

function setHeat(on) {
  viewer.showHeat = on;
  $("heat").setAttribute("aria-pressed", on);
  viewer.draw();
}

const act = {
  isReading: () => !$("reading").hidden && Boolean(current?.loaded),
  probability: (by) => panel.move(by),
  decision: (value) => panel.set("decision", value),
  confidence: (value) => panel.set("confidence", value),
  preset: setPreset,
  toggleSeries,
  toggleHeat: () => current.model?.heat && setHeat(!viewer.showHeat),
  nextPlane: () => viewer.setPlane(PLANES[(PLANES.indexOf(viewer.plane) + 1) % PLANES.length]),
  tool: (tool) => setTool(tool),
  placeMark: () => viewer.placeMark(viewer.tool === "box" ? "box" : "ellipse"),
  endMark: () => {
    viewer.active = null;
    viewer.draw();
    showMarks();
  },
  // Of what is seen: a mark on another slice or view is not removed unseen.
  removeLastMark: () => {
    const mark = viewer.active ?? viewer.marks.findLast((one) => viewer.isShown(one));
    if (mark) viewer.removeMark(mark);
  },
  submit,
  turn: (where) => current[where] && !current.sending && openCase(current[where]),
  help: () => $("keys").showModal(),
};

PRESETS.forEach(({ name }, i) => {
  const button = element("button", `${name} `, { type: "button" });
  button.append(element("kbd", `${i + 1}`));
  button.addEventListener("click", () => setPreset(i));
  $("windows").append(button);
});
for (const [key, text] of [...KEYS, ...POINTER]) {
  $("keys-list").append(element("dt", key), element("dd", text));
}
for (const button of document.querySelectorAll("[data-tool]")) {
  button.addEventListener("click", () => setTool(button.dataset.tool));
}
$("view-frames").addEventListener("click", () => viewer.view === "frames" || toggleSeries());
$("view-series").addEventListener("click", () => viewer.view === "series" || toggleSeries());
for (const plane of PLANES) $(`plane-${plane}`).addEventListener("click", () => viewer.setPlane(plane));
$("reset").addEventListener("click", () => viewer.fit());
$("heat").addEventListener("click", act.toggleHeat);
$("slice").addEventListener("input", () => viewer.setSlice($("slice").valueAsNumber - 1));
$("previous").addEventListener("click", () => act.turn("previous"));
$("next").addEventListener("click", () => act.turn("next"));
$("help").addEventListener("click", act.help);
$("answers").addEventListener("submit", (event) => {
  event.preventDefault();
  submit();
});
// After the mouse, the keys belong to the scan again: an arrow must not change an answer unseen.
document.addEventListener("pointerup", (event) => {
  const typed = event.target instanceof HTMLInputElement && event.target.type === "number";
  if (act.isReading() && !typed && !$("keys").open) setTimeout(() => viewer.canvas.focus(), 0);
});
listenToKeys(viewer, act);
start().catch(report);
