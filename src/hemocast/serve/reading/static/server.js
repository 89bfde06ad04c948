// Talking to the server: reading cases, and keeping answers so that none is lost.

export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function ask(path, options = {}) {
  const response = await fetch(path, { credentials: "same-origin", cache: "no-store", ...options });
  if (!response.ok) {
    const told = await response.json().catch(() => ({}));
    throw new Refused(response.status, told.error ?? `Error ${response.status}`);
  }
  return response;
}

export const getJson = async (path) => (await ask(path)).json();

const numbers = (text) => text.split(",").map(Number);

export async function getPixels(path, signal) {
  const response = await ask(path, { signal });
  const data = new Int16Array(await response.arrayBuffer());
  const { headers } = response;
  return {
    data,
    shape: numbers(headers.get("X-Shape")),
    spacing: numbers(headers.get("X-Spacing")),
    frameSlices: headers.has("X-Frame-Slices") ? numbers(headers.get("X-Frame-Slices")) : null,
  };
}

export async function getHeat(path, colours, signal) {
  const response = await ask(path, { signal });
  return {
    shades: new Uint8Array(await response.arrayBuffer()),
    shape: numbers(response.headers.get("X-Shape")),
    top: Number(response.headers.get("X-Top")),
    colours,
  };
}

// crypto.randomUUID is missing where the page is not served over TLS or from this machine.
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const text = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return text.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

// Sends answers one after the other, in order. A sending that fails is tried again with the same
// id, so that an answer that did arrive is not kept twice.
export class Saver {
  constructor(told) {
    this.told = told;
    this.last = Promise.resolve();
  }

  // `correcting`: a draft of a case that was submitted; the submitted answer stands until the next.
  send(key, answer, correcting = false) {
    const body = JSON.stringify({ answer_id: newId(), ...answer });
    const kept = correcting ? "draft" : "saved";
    const sending = this.last.then(() => this.deliver(key, body, kept));
    this.last = sending.catch(() => {});
    return sending;
  }

  async deliver(key, body, kept) {
    for (let wait = 500; ; wait = Math.min(2 * wait, 15000)) {
      try {
        const response = await ask(`/api/case/${key}/answer`, {
          method: "POST",
          headers: { "Content-Type": "application/json", "X-Hemocast-Reading": "1" },
          // Goes on after the page was closed; browsers allow it for small bodies only.
          keepalive: body.length < 60000,
          body,
        });
        this.told(kept, (await response.json()).saved_at);
        return;
      } catch (error) {
        if (error instanceof Refused && error.status < 500) {
          this.told("refused", error.message);
          throw error;
        }
        this.told("waiting");
        await new Promise((done) => setTimeout(done, wait));
      }
    }
  }
}
