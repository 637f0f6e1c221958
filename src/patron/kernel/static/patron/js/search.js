import { Controller } from "../../vendor/stimulus/stimulus.js";

// The search box of the top bar: "/" goes to it, arrows walk the suggestions, Escape leaves.
export class SearchController extends Controller {
  static targets = ["input", "suggestions"];

  connect() {
    this.slash = (event) => {
      const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
      if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      this.inputTarget.focus();
      this.inputTarget.select();
    };
    document.addEventListener("keydown", this.slash);
  }

  disconnect() {
    document.removeEventListener("keydown", this.slash);
  }

  walk(event) {
    if (event.key === "Escape") {
      this.suggestionsTarget.replaceChildren();
      this.inputTarget.blur();
      return;
    }
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    const stops = [this.inputTarget, ...this.suggestionsTarget.querySelectorAll("a")];
    const step = event.key === "ArrowDown" ? 1 : -1;
    const next = (stops.indexOf(document.activeElement) + step + stops.length) % stops.length;
    event.preventDefault();
    stops[next].focus();
  }
}
