// Drives the live page of a running topology in headless Chromium over its debugging pipe, without further packages.
// Usage: node dashboard.mjs BASE_URL FOLDER; screenshots go to FOLDER. The keys of the server are in DPSERVE_API_KEY and
// DPSERVE_ADMIN_API_KEY. scripts/dev/dashboard.sh starts all of it.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const [base, folder] = process.argv.slice(2);
const apiKey = process.env.DPSERVE_API_KEY;
const adminKey = process.env.DPSERVE_ADMIN_API_KEY;
const PATIENCE_MS = 20_000;
const RANK = 1; // the one that is drained
const profile = mkdtempSync(join(tmpdir(), "dpserve-chromium-"));
const problems = [];
const expected = []; // what Chromium itself writes on the console of a refused request

function fail(text) {
  throw new Error(text);
}

/** The browser's debugging protocol: null-terminated JSON on file descriptors 3 and 4. */
class Browser {
  constructor() {
    // No sandbox: CI runs as root, and the page is the project's own.
    this.process = spawn(process.env.CHROMIUM ?? "chromium", ["--headless=new", "--no-sandbox", "--disable-gpu",
      "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update", "--no-first-run", "--force-prefers-reduced-motion",
      "--remote-debugging-pipe", `--user-data-dir=${profile}`, "about:blank"], { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
    this.ended = new Promise(resolve => this.process.on("exit", resolve).on("error", resolve));
    this.answers = new Map();
    this.listeners = [];
    this.calls = 0;
    let rest = "";
    this.process.stdio[4].setEncoding("utf8").on("data", data => {
      const messages = (rest + data).split("\0");
      rest = messages.pop();
      messages.forEach(m => this.onMessage(JSON.parse(m)));
    });
    // Without this a browser that cannot start, or ends, leaves every call waiting.
    this.ended.then(() => this.answers.forEach(({ reject }) => reject(new Error("Chromium ended or did not start"))));
    this.process.stdio[3].on("error", () => {});
  }
  onMessage(message) {
    const waiting = this.answers.get(message.id);
    if (waiting !== undefined) {
      this.answers.delete(message.id);
      message.error ? waiting.reject(new Error(message.error.message)) : waiting.resolve(message.result);
    } else {
      this.listeners.forEach(listen => listen(message.method, message.params));
    }
  }
  send(method, params = {}, sessionId = undefined) {
    const id = ++this.calls;
    this.process.stdio[3].write(JSON.stringify({ id, method, params, sessionId }) + "\0");
    return new Promise((resolve, reject) => this.answers.set(id, { resolve, reject }));
  }
}

const browser = new Browser();
let session;
const page = (method, params) => browser.send(method, params, session);

async function evaluate(expression) {
  const { result, exceptionDetails } = await page("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
  return exceptionDetails ? fail(`${expression}: ${exceptionDetails.exception?.description}`) : result.value;
}
/** Looks again until the expression is true in the page; one that fails is not true, for the page may not be there yet. */
async function until(what, expression) {
  const deadline = Date.now() + PATIENCE_MS;
  while (!(await evaluate(expression).catch(() => false))) {
    if (Date.now() > deadline) fail(`${what}: not within ${PATIENCE_MS / 1000} s; the page says: ${await evaluate("document.body.innerText")}`);
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  console.log(`  ${what}`);
}
const cell = (rank, label) =>
  `[...document.querySelectorAll("#rank-rows tr")].find(r => r.firstChild.textContent === "${rank}")?.querySelector('[data-label="${label}"]')?.textContent`;
const button = rank => `document.querySelector('#rank-rows button[aria-label$=" rank ${rank}"]')`;

/** Types into a field and sends the form with Enter. */
async function enter(field, text) {
  await evaluate(`document.getElementById("${field}").focus()`);
  await page("Input.insertText", { text });
  await press("Enter");
}
async function press(key, code = key) {
  const text = key === "Enter" ? "\r" : undefined;
  const windowsVirtualKeyCode = { Enter: 13, Tab: 9 }[key];
  await page("Input.dispatchKeyEvent", { type: "keyDown", key, code, text, windowsVirtualKeyCode });
  await page("Input.dispatchKeyEvent", { type: "keyUp", key, code, windowsVirtualKeyCode });
}
async function look(name, width, height, scheme) {
  await page("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile: width < 500 });
  await page("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: scheme }] });
  const overflow = await evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");
  if (overflow > 0) problems.push(`${name}: the page is ${overflow} px wider than the window`);
  const { data } = await page("Page.captureScreenshot", { format: "png", captureBeyondViewport: width < 500 });
  writeFileSync(join(folder, `${name}.png`), Buffer.from(data, "base64"));
}

/** Text whose contrast with what lies behind it is below 4.5, WCAG 2.2's limit for text. */
const CONTRAST = `(() => {
  const parse = c => (c.match(/[\\d.]+/g) ?? []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const behind = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c.length === 3 || c[3] > 0) return c; } return [255, 255, 255]; };
  const bad = [];
  for (const e of document.querySelectorAll("body *:not(script):not(style)")) {
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()) || e.disabled || !e.checkVisibility()) continue;
    const [a, b] = [light(parse(getComputedStyle(e).color)), light(behind(e))].sort((x, y) => y - x);
    if ((a + .05) / (b + .05) < 4.5) bad.push(e.textContent.trim().slice(0, 30) + " " + ((a + .05) / (b + .05)).toFixed(2));
  }
  return bad;
})()`;

async function load(count, tokens) {
  const body = JSON.stringify({ text: "How many requests does a rank hold?", sampling_params: { max_new_tokens: tokens, ignore_eos: true } });
  const replies = await Promise.all(Array.from({ length: count }, () => fetch(`${base}/generate`, { method: "POST", body, headers: { Authorization: `Bearer ${apiKey}` } })));
  return Promise.all(replies.map(async r => r.ok || fail(`/generate: ${r.status} ${await r.text()}`)));
}

async function drive() {
  const { targetInfos } = await browser.send("Target.getTargets");
  const { targetId } = targetInfos.find(t => t.type === "page");
  session = (await browser.send("Target.attachToTarget", { targetId, flatten: true })).sessionId;
  browser.listeners.push((method, p) => {
    if (method === "Network.requestWillBeSent" && !p.request.url.startsWith(base) && !p.request.url.startsWith("data:"))
      problems.push(`a request to another server: ${p.request.url}`);
    if (method === "Runtime.consoleAPICalled" && ["error", "warning", "assert"].includes(p.type))
      problems.push(`console: ${p.args.map(a => a.value ?? a.description).join(" ")}`);
    if (method === "Log.entryAdded" && ["error", "warning"].includes(p.entry.level)) problems.push(`log: ${p.entry.text} ${p.entry.url ?? ""}`);
    if (method === "Runtime.exceptionThrown") problems.push(`exception: ${p.exceptionDetails.exception?.description ?? p.exceptionDetails.text}`);
  });
  for (const domain of ["Page", "Runtime", "Network", "Log", "Accessibility"]) await page(`${domain}.enable`);
  await page("Emulation.setDeviceMetricsOverride", { width: 1100, height: 700, deviceScaleFactor: 1, mobile: false });
  await page("Page.navigate", { url: `${base}/dashboard` });

  await until("the page asks for the API key", `/API key/.test(document.getElementById("alert").textContent)`);
  expected.push("401 (Unauthorized)");
  await enter("api-key", apiKey);
  await until("figures appear", `${cell(RANK, "State")} === "up" && document.getElementById("connection").className === "live"`);
  const running = load(40, 400);
  await until("figures change under load", `Number(${cell(RANK, "Running")}) > 0 && Number(${cell(RANK, "Tokens/s")}) > 0`);
  await until("decisions with reasons", `document.querySelectorAll("#decisions li").length === 12 && /score/.test(document.getElementById("decisions").textContent)`);

  await evaluate(`document.querySelector("#decisions summary").focus()`);
  await press("Enter");
  await until("a decision opens by keyboard", `document.querySelector("#decisions details").open && /rank 0: \\d+ requests/.test(document.querySelector("#decisions pre").textContent)`);

  await evaluate(`${button(RANK)}.click()`);
  await until("draining asks for the admin key", `/admin key/.test(document.getElementById("alert").textContent)`);
  await enter("admin-key", adminKey);
  await evaluate(`${button(RANK)}.focus()`);
  await press("Enter");
  await until("a rank drains at a key press", `/^drain/.test(${cell(RANK, "State")})`);
  await until("the change is announced", `/Rank ${RANK}/.test(document.getElementById("announce").textContent)`);
  if (!(await evaluate(`document.activeElement === ${button(RANK)}`))) problems.push("the drain button lost the focus");
  await look("light", 1100, 700, "light");
  problems.push(...(await evaluate(CONTRAST)).map(t => `light, contrast: ${t}`));
  await look("dark", 1100, 700, "dark");
  problems.push(...(await evaluate(CONTRAST)).map(t => `dark, contrast: ${t}`));
  await look("phone", 375, 812, "light");
  await look("phone-dark", 375, 812, "dark");
  await evaluate(`${button(RANK)}.click()`);
  await until("and comes back", `${cell(RANK, "State")} === "up"`);

  await evaluate(`document.getElementById("pause").click()`);
  await until("pauses", `document.getElementById("connection").textContent === "Paused"`);
  await evaluate(`document.getElementById("pause").click()`);
  await until("goes on", `document.getElementById("connection").textContent.startsWith("Live")`);

  const { nodes } = await page("Accessibility.getFullAXTree");
  const nameless = nodes.filter(n => !n.ignored && ["button", "textbox", "image", "table", "link"].includes(n.role?.value) && !n.name?.value);
  problems.push(...nameless.map(n => `a ${n.role.value} without a name`));
  for (const role of ["table", "columnheader", "rowheader", "main", "status"]) {
    if (!nodes.some(n => !n.ignored && n.role?.value === role)) problems.push(`no ${role} for a screen reader`);
  }
  await running;
}

let status = 1;
try {
  await drive();
  problems.splice(0, problems.length, ...problems.filter(p => !expected.some(e => p.includes(e))));
  problems.forEach(p => console.error(`  ${p}`));
  status = problems.length === 0 ? 0 : 1;
} catch (e) {
  console.error(`  ${e.message}`);
  problems.forEach(p => console.error(`  ${p}`));
} finally {
  browser.send("Browser.close").catch(() => {});
  const killer = setTimeout(() => browser.process.kill("SIGKILL"), 3000);
  await browser.ended;
  clearTimeout(killer);
  rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 }); // its last children may still write there
}
process.exit(status);
