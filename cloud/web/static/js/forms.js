// Forms that say which parts of the page their answer replaces: `data-swap="#queue"`.

/** Replace parts of this page by the same parts of another. */
export function swap(html, selectors) {
  const other = new DOMParser().parseFromString(html, "text/html");
  for (const selector of selectors.split(" ")) {
    const fresh = other.querySelector(selector);
    const shown = document.querySelector(selector);
    if (fresh && shown) keepFocus(shown, () => shown.replaceWith(document.adoptNode(fresh)));
  }
  document.dispatchEvent(new CustomEvent("swapped"));
  return other;
}

/** Put the focus and what was being typed back where it was, by id or name and form. */
function keepFocus(shown, replace) {
  const active = shown.contains(document.activeElement) ? document.activeElement : null;
  // what was sent is not being typed any more
  const typed = [...shown.querySelectorAll("input[name]:not([type=hidden])")]
    .filter((input) => input.value && input.form && !("sent" in input.form.dataset))
    .map((input) => [input.form.getAttribute("action"), input.name, input.value]);
  const place = active && pathOf(active);
  replace();
  for (const [action, name, value] of typed) {
    const input = document.querySelector(`form[action="${CSS.escape(action)}"] input[name="${name}"]`);
    if (input && !input.value) input.value = value;
  }
  if (place) document.querySelector(place)?.focus();
}

function pathOf(element) {
  if (element.id) return `#${CSS.escape(element.id)}`;
  const form = element.form?.getAttribute("action");
  if (!form) return null;
  const name = element.name ? `[name="${element.name}"]` : "";
  return `form[action="${CSS.escape(form)}"] ${element.localName}${name}`;
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  const selectors = form.dataset.swap;
  if (!selectors) return;
  event.preventDefault();
  const button = form.querySelector("button");
  button.disabled = true;
  form.dataset.sent = "";
  form.dispatchEvent(new CustomEvent("asked", { bubbles: true }));
  try {
    const response = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
    const other = swap(await response.text(), selectors);
    refuse(response.ok ? "" : other.querySelector("#error-detail")?.textContent ?? "");
  } catch {
    form.submit();
  } finally {
    button.disabled = false;
    delete form.dataset.sent;
    form.dispatchEvent(new CustomEvent("answered", { bubbles: true }));
  }
});

function refuse(detail) {
  const notice = document.getElementById("refused");
  if (!notice) return;
  notice.hidden = !detail;
  notice.textContent = detail;
}
