// Number and date formats by name, in the page's language. The names are those of kernel/charts/chart.py.
const language = document.documentElement.lang || "en";
const chinese = language.startsWith("zh");
// Hong Kong English writes day before month; amounts are grouped by three in all languages of the product.
const locale = chinese ? language : "en-HK";
const MINUS = "−";

const plain = (options) => {
  const format = new Intl.NumberFormat("en-HK", options);
  return (value) => (value === null || value === undefined || Number.isNaN(value) ? "–" : format.format(value).replace("-", MINUS));
};
const whole = plain({ maximumFractionDigits: 0 });
const tenth = plain({ maximumFractionDigits: 1 });
const hundredth = plain({ maximumFractionDigits: 2 });

const small = (value) => (Math.abs(value) >= 100 ? whole(value) : tenth(value));

const compact = (value) => {
  const size = Math.abs(value);
  if (chinese) {
    const [tenThousand, hundredMillion] = language === "zh-Hans" ? ["万", "亿"] : ["萬", "億"];
    if (size >= 1e8) return tenth(value / 1e8) + hundredMillion;
    return size >= 1e4 ? tenth(value / 1e4) + tenThousand : small(value);
  }
  if (size >= 1e9) return `${tenth(value / 1e9)}B`;
  if (size >= 1e6) return `${tenth(value / 1e6)}M`;
  return size >= 1e4 ? `${tenth(value / 1e3)}k` : small(value);
};

const withSymbol = (symbol, text) => (text.startsWith(MINUS) ? MINUS + symbol + text.slice(1) : symbol + text);
const date = (options) => {
  const format = new Intl.DateTimeFormat(chinese ? locale : "en-GB", options);
  return (value) => format.format(new Date(typeof value === "string" && value.length === 10 ? `${value}T00:00:00` : value));
};
const day = date({ day: "numeric", month: "short", year: "numeric" });
const short = date({ day: "numeric", month: "short" });
const month = date({ month: "short", year: "numeric" });

const FORMATS = {
  text: () => (value) => String(value),
  count: () => whole,
  "count-compact": () => compact,
  decimal: () => tenth,
  ratio: () => hundredth,
  money: (symbol) => (value) => withSymbol(symbol, whole(value)),
  "money-compact": (symbol) => (value) => withSymbol(symbol, compact(value)),
  percent: () => (value) => `${tenth(value * 100)}${chinese ? "" : "\u00a0"}%`,
  day: () => day,
  short: () => short,
  month: () => month,
  node: () => (params) => `${params.data.text}  ${whole(params.value)}`,
  flow: () => (params) => `${params.data.text}: ${whole(params.value)}`,
  told: () => (params) => params.data.text ?? "",
  visit: (symbol) => (params) => `${day(params.value[0])}  ${withSymbol(symbol, whole(params.value[2]))}`,
};

// "format:money:HK$" → a function of a value. ECharts hands labels an object with `value`, axes the bare value.
export function formatter(name) {
  const [, key, symbol = ""] = name.split(":");
  const format = FORMATS[key];
  if (!format) throw new Error(`no chart format ${name}`);
  const made = format(symbol);
  return ["node", "flow", "told", "visit"].includes(key) ? made : (given) => made(given?.value ?? given);
}
