import { Controller } from "../../vendor/stimulus/stimulus.js";

// A form that sends itself when a choice is made.
export class AutosubmitController extends Controller {
  send() {
    this.element.requestSubmit();
  }
}

// A <details> menu that closes on Escape and on a click elsewhere.
export class MenuController extends Controller {
  connect() {
    this.outside = (event) => {
      if (this.element.open && !this.element.contains(event.target)) this.element.open = false;
    };
    this.escape = (event) => {
      if (event.key !== "Escape" || !this.element.open) return;
      this.element.open = false;
      this.element.querySelector("summary").focus();
    };
    document.addEventListener("click", this.outside);
    document.addEventListener("keydown", this.escape);
  }

  disconnect() {
    document.removeEventListener("click", this.outside);
    document.removeEventListener("keydown", this.escape);
  }
}

// The theme button: changes at once, and tells the server so that the next page starts right.
export class ThemeController extends Controller {
  toggle(event) {
    event.preventDefault();
    const root = document.documentElement;
    const theme = root.dataset.bsTheme === "dark" ? "light" : "dark";
    root.dataset.bsTheme = theme;
    window.dispatchEvent(new CustomEvent("patron:theme"));
    const form = event.currentTarget.form;
    const body = new FormData(form);
    body.set("theme", theme);
    fetch(form.action, { method: "POST", body, redirect: "manual" });
  }
}

// Rows to choose: one box for all on the page, and a live count on the actions.
export class SelectionController extends Controller {
  static targets = ["all", "row", "count", "actions"];

  connect() {
    this.refresh();
  }

  toggleAll() {
    for (const row of this.rowTargets) row.checked = this.allTarget.checked;
    this.refresh();
  }

  refresh() {
    const chosen = this.rowTargets.filter((row) => row.checked).length;
    if (this.hasAllTarget) {
      this.allTarget.checked = chosen > 0 && chosen === this.rowTargets.length;
      this.allTarget.indeterminate = chosen > 0 && chosen < this.rowTargets.length;
    }
    for (const place of this.countTargets) place.textContent = chosen.toLocaleString(document.documentElement.lang);
    for (const part of this.actionsTargets) part.hidden = chosen === 0;
  }
}
