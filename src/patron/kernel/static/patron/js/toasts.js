import { Controller } from "../../vendor/stimulus/stimulus.js";

const SHOWN_MS = 8000;

// Short words about what was done or refused. Good news leaves by itself; refusals wait to be closed.
export class ToastsController extends Controller {
  static targets = ["note", "template"];
  static values = { failed: String, offline: String };

  connect() {
    this.onToast = (event) => {
      for (const { text, level } of event.detail.toasts ?? []) this.show(text, level);
    };
    this.onRefused = (event) => this.show(this.wordsOf(event.detail.xhr), "danger");
    this.onOffline = () => this.show(this.offlineValue, "danger");
    document.addEventListener("patron:toast", this.onToast);
    document.addEventListener("htmx:responseError", this.onRefused);
    document.addEventListener("htmx:sendError", this.onOffline);
    document.addEventListener("htmx:timeout", this.onOffline);
  }

  disconnect() {
    document.removeEventListener("patron:toast", this.onToast);
    document.removeEventListener("htmx:responseError", this.onRefused);
    document.removeEventListener("htmx:sendError", this.onOffline);
    document.removeEventListener("htmx:timeout", this.onOffline);
  }

  noteTargetConnected(note) {
    if (["success", "info", "debug"].includes(note.dataset.level)) setTimeout(() => note.remove(), SHOWN_MS);
  }

  close(event) {
    event.currentTarget.closest(".toast-note").remove();
  }

  show(text, level = "success") {
    const note = this.templateTarget.content.firstElementChild.cloneNode(true);
    note.dataset.level = level;
    note.querySelector("p").textContent = text;
    this.element.append(note);
  }

  wordsOf(xhr) {
    if ((xhr.getResponseHeader("Content-Type") ?? "").includes("json")) {
      try {
        const problem = JSON.parse(xhr.responseText);
        return problem.detail || problem.title || this.failedValue;
      } catch {
        return this.failedValue;
      }
    }
    return this.failedValue;
  }
}
