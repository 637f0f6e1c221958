import { Controller } from "../../vendor/stimulus/stimulus.js";
import { formatter } from "./formats.js";

const THEME_COLOUR = /^var\((--[\w-]+)\)$/;

// Draws the option that stands as JSON beside it. Colours come from the theme, formats from the page's language.
export class ChartController extends Controller {
  static targets = ["picture", "option"];
  static values = { library: String };

  async connect() {
    this.again = () => this.draw();
    window.addEventListener("patron:theme", this.again);
    this.observer = new ResizeObserver(() => this.chart?.resize());
    this.observer.observe(this.pictureTarget);
    this.echarts = await import(this.libraryValue);
    if (this.element.isConnected) this.draw();
  }

  disconnect() {
    window.removeEventListener("patron:theme", this.again);
    this.observer.disconnect();
    this.chart?.dispose();
    this.chart = null;
  }

  draw() {
    if (!this.echarts) return;
    this.chart?.dispose();
    this.chart = this.echarts.init(this.pictureTarget, null, { renderer: "canvas" });
    this.chart.setOption(this.prepared());
    this.chart.on("click", ({ data }) => data?.url && window.location.assign(data.url));
    this.chart.on("mousemove", ({ data }) => this.chart.getZr().setCursorStyle(data?.url ? "pointer" : "default"));
    this.pictureTarget.dataset.drawn = "true";
  }

  prepared() {
    const probe = document.createElement("span");
    probe.hidden = true;
    this.element.append(probe);
    const seen = new Map();
    const colourOf = (name) => {
      if (!seen.has(name)) {
        probe.style.color = `var(${name})`;
        seen.set(name, getComputedStyle(probe).color);
      }
      return seen.get(name);
    };
    const option = JSON.parse(this.optionTarget.textContent, (_key, value) => {
      if (typeof value !== "string") return value;
      const colour = value.match(THEME_COLOUR);
      if (colour) return colourOf(colour[1]);
      return value.startsWith("format:") ? formatter(value) : value;
    });
    option.textStyle = { ...option.textStyle, fontFamily: getComputedStyle(this.element).fontFamily };
    // Names beside bars are cut later where the picture is wide.
    const names = option.yAxis?.axisLabel;
    if (names?.width) names.width = Math.max(names.width, Math.min(260, Math.round(this.pictureTarget.clientWidth / 3)));
    probe.remove();
    return option;
  }
}
