import { Controller } from "../../vendor/stimulus/stimulus.js";

// Anything with data-confirm="What will happen" asks first, in one dialog that the whole page shares.
export class ConfirmController extends Controller {
  static targets = ["dialog", "question", "yes"];

  connect() {
    this.onSubmit = (event) => {
      const asked = event.submitter?.dataset.confirm ?? event.target.dataset.confirm;
      if (!asked || event.target === this.confirmed || event.target.method === "dialog") return;
      event.preventDefault();
      event.stopImmediatePropagation();
      this.ask(asked, event.submitter, () => {
        this.confirmed = event.target;
        event.target.requestSubmit(event.submitter);
        this.confirmed = null;
      });
    };
    this.onHtmx = (event) => {
      if (!event.detail.question) return;
      event.preventDefault();
      this.ask(event.detail.question, event.detail.elt, () => event.detail.issueRequest(true));
    };
    document.addEventListener("submit", this.onSubmit, true);
    document.addEventListener("htmx:confirm", this.onHtmx);
  }

  disconnect() {
    document.removeEventListener("submit", this.onSubmit, true);
    document.removeEventListener("htmx:confirm", this.onHtmx);
  }

  ask(question, source, proceed) {
    this.questionTarget.textContent = question;
    this.yesTarget.textContent = source?.dataset.confirmYes || source?.textContent.trim() || this.yesTarget.dataset.text;
    const dangerous = source?.classList.contains("btn-danger") ?? false;
    this.yesTarget.classList.toggle("btn-danger", dangerous);
    this.yesTarget.classList.toggle("btn-primary", !dangerous);
    this.dialogTarget.returnValue = "";
    this.dialogTarget.addEventListener(
      "close",
      () => this.dialogTarget.returnValue === "yes" && proceed(),
      { once: true },
    );
    this.dialogTarget.showModal();
  }
}
