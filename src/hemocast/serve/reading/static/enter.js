// A personal link is used when its reader says so: what only looks at links must not use it up.
const $ = (id) => document.getElementById(id);

$("enter").addEventListener("click", async () => {
  $("enter").disabled = true;
  try {
    const answer = await fetch(location.pathname, {
      method: "POST",
      credentials: "same-origin",
      headers: { "Content-Type": "application/json", "X-Hemocast-Reading": "1" },
      body: JSON.stringify({ stay: $("stay").checked }),
    });
    // Leave the link, so that neither address bar nor history keeps it.
    if (answer.ok) return location.replace("/");
    $("told").textContent = (await answer.json()).error;
    $("on").hidden = answer.status !== 410;
  } catch {
    $("told").textContent = "The reading room does not answer. Try again.";
  }
  $("told").hidden = false;
  $("enter").disabled = false;
});
