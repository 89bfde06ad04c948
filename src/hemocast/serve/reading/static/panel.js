// The reader's answers on the page: shown, changed, and what is still missing.

const $ = (id) => document.getElementById(id);

export class Panel {
  // `changed` is called after every change that the reader made.
  constructor(changed) {
    this.changed = changed;
    this.answer = { probability: null, decision: null, confidence: null };
    $("slider").addEventListener("input", () => this.set("probability", $("slider").value / 100));
    // A click on an untouched slider's own place moves nothing, but answers.
    $("slider").addEventListener("click", () => this.set("probability", $("slider").value / 100));
    $("number").addEventListener("input", () => {
      const value = $("number").valueAsNumber;
      const good = Number.isFinite(value) && value >= 0 && value <= 100;
      this.set("probability", good ? Math.round(value) / 100 : null, true);
    });
    $("number").addEventListener("blur", () => this.show());
    for (const name of ["decision", "confidence"]) {
      $(name).addEventListener("change", (event) => this.set(name, Number(event.target.value)));
    }
  }

  load({ probability, decision, confidence }) {
    this.answer = { probability, decision, confidence };
    this.show();
  }

  set(name, value, typing = false) {
    if (this.answer[name] === value) return;
    this.answer[name] = value;
    this.show(typing);
    this.changed();
  }

  // The first key press of a reader who has not answered starts from the middle.
  move(percent) {
    const now = Math.round((this.answer.probability ?? 0.5) * 100);
    this.set("probability", Math.min(100, Math.max(0, now + percent)) / 100);
  }

  show(typing = false) {
    const { probability, decision, confidence } = this.answer;
    const percent = probability === null ? null : Math.round(probability * 100);
    $("slider").value = percent ?? 0;
    $("slider").classList.toggle("unset", percent === null);
    $("slider").setAttribute("aria-valuetext", percent === null ? "not answered" : `${percent} percent`);
    if (!typing) $("number").value = percent ?? "";
    for (const [name, value] of Object.entries({ decision, confidence })) {
      for (const input of $(name).querySelectorAll("input")) {
        input.checked = value !== null && Number(input.value) === value;
      }
    }
    const missing = this.missing();
    $("missing").textContent = missing.length ? `Missing: ${missing.join(", ")}` : "";
    $("missing").classList.remove("asked");
    $("submit").disabled = false;
    $("submit").classList.toggle("incomplete", missing.length > 0);
    this.point([]);
  }

  // Say loudly what a submission lacks.
  ask() {
    this.show();
    const missing = this.missing();
    $("missing").textContent = `Not submitted. Missing: ${missing.join(", ")}`;
    $("missing").classList.add("asked");
    const fields = { "how likely": "slider", "yes or no": "decision", "how sure": "confidence" };
    this.point(missing.map((noun) => $(fields[noun]).closest("fieldset")));
  }

  point(fields) {
    for (const field of document.querySelectorAll("#answers fieldset")) {
      field.classList.toggle("lacking", fields.includes(field));
    }
    fields[0]?.scrollIntoView({ block: "nearest" });
  }

  missing() {
    const nouns = { probability: "how likely", decision: "yes or no", confidence: "how sure" };
    return Object.keys(nouns)
      .filter((name) => this.answer[name] === null)
      .map((name) => nouns[name]);
  }
}
