// The till from the keyboard: codes are taken in the order scanned, however quick; Enter leads from goods to payment.
const { Controller, register } = window.Patron;

class TillController extends Controller {
  static targets = ["product", "scanned", "add", "suggestions", "basket", "given", "sell"];

  initialize() {
    this.waiting = [];
    this.busy = false;
  }

  connect() {
    this.onKey = (event) => {
      if (event.key !== "F9" || !this.hasSellTarget) return;
      event.preventDefault();
      this.sellTarget.click();
    };
    this.onSent = (event) => {
      if (event.detail.elt === this.element) this.sent(event.detail.successful);
    };
    document.addEventListener("keydown", this.onKey);
    this.element.addEventListener("htmx:afterRequest", this.onSent);
    this.element.dataset.ready = "true"; // from here on codes are taken in order; before, Enter sends the form
  }

  disconnect() {
    document.removeEventListener("keydown", this.onKey);
    this.element.removeEventListener("htmx:afterRequest", this.onSent);
  }

  // A scanner types a code and Enter, perhaps the next one before the answer to the first is there.
  product(event) {
    if (event.key === "ArrowDown" || event.key === "Escape") return this.walkFrom(event);
    if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault();
    const typed = this.productTarget.value.trim();
    if (typed) {
      this.waiting.push(typed);
      this.productTarget.value = "";
      this.productTarget.dispatchEvent(new CustomEvent("htmx:abort", { bubbles: true, detail: {} })); // late suggestions
      this.suggestionsTarget.replaceChildren();
      this.next();
    } else if (this.hasGivenTarget) {
      this.givenTarget.focus();
      this.givenTarget.select();
    }
  }

  next() {
    if (this.busy || this.waiting.length === 0) return;
    this.busy = true;
    this.scannedTarget.value = this.waiting.shift();
    this.addTarget.click(); // a click: HTMX sends the value of the button clicked last
  }

  sent(successful) {
    const scanned = this.scannedTarget.value;
    this.scannedTarget.value = "";
    this.busy = false;
    if (!successful && scanned && !this.productTarget.value) this.productTarget.value = scanned;
    this.next();
  }

  choose() {
    this.element.addEventListener(
      "htmx:afterRequest",
      () => {
        this.productTarget.value = "";
        this.suggestionsTarget.replaceChildren();
      },
      { once: true },
    );
  }

  given(event) {
    if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault();
    this.sellTarget.click();
  }

  // Down goes into the suggestions under a field, Escape closes them.
  walkFrom(event) {
    const box = event.target.closest(".till-bar").querySelector(".till-suggestions");
    if (event.key === "Escape") box.replaceChildren();
    if (event.key !== "ArrowDown") return;
    event.preventDefault();
    box.querySelector("button")?.focus();
  }

  walk(event) {
    const bar = event.target.closest(".till-bar");
    const stops = [bar.querySelector("input"), ...bar.querySelectorAll(".till-suggestions button")];
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape") stops[0].focus();
    if (!step) return;
    event.preventDefault();
    stops[(stops.indexOf(document.activeElement) + step + stops.length) % stops.length].focus();
  }

  // After a change the server says where to go on: mostly to the product field, for the next scan.
  basketTargetConnected(basket) {
    const place = document.getElementById(basket.dataset.focus);
    if (!place || (this.waiting.length > 0 && place !== this.productTarget)) return;
    place.focus();
    if (place !== this.productTarget) place.select?.();
  }
}

register("till", TillController);
