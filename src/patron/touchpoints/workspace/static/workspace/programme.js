// The builder saves at every change. An answer must not take away what was ticked while it was on its way, nor the
// place where one is.
const { Controller, register } = window.Patron;

class BuilderController extends Controller {
  connect() {
    this.changes = 0;
    this.saved = 0;
    this.listeners = {
      change: (event) => {
        if (this.element.contains(event.target)) this.changes++;
      },
      "htmx:beforeRequest": (event) => {
        if (event.detail.elt === this.element) this.saved = this.changes;
      },
      "htmx:beforeSwap": (event) => this.keepTicked(event.detail.target),
      "htmx:oobBeforeSwap": (event) => {
        if (!this.element.contains(event.detail.target)) return;
        if (this.changes !== this.saved) event.detail.shouldSwap = false; // the next save brings it
        else if (event.detail.target.contains(document.activeElement)) this.left = document.activeElement;
      },
      "htmx:afterRequest": () => this.comeBack(),
    };
    for (const [name, listener] of Object.entries(this.listeners)) document.addEventListener(name, listener);
  }

  disconnect() {
    for (const [name, listener] of Object.entries(this.listeners)) document.removeEventListener(name, listener);
  }

  // A search is answered after something was ticked in what the one before had found.
  keepTicked(found) {
    if (!found.classList.contains("builder-hits") || !this.element.contains(found)) return;
    const chosen = document.getElementById(found.id.replace("found-", "chosen-"));
    chosen.append(...found.querySelectorAll("label:has(:checked)"));
  }

  // What is ticked moves from those found to those chosen: the keyboard goes with it.
  comeBack() {
    if (!this.left || this.left.isConnected) return;
    const { name, value } = this.left;
    this.left = null;
    this.element.querySelector(`input[name="${CSS.escape(name)}"][value="${CSS.escape(value)}"]`)?.focus();
  }
}

register("builder", BuilderController);
