"use strict";
(() => {
  const POINTS = 120; // two minutes at one a second
  const FEWEST = 20; // a line spans at least so many, so that a new one is not as wide as an old one
  const RETRY_MS = 2000;
  const SVG = "http://www.w3.org/2000/svg";
  const at = id => document.getElementById(id);
  const number = (value, digits = 0) =>
    value == null ? "–" : value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const percent = value => (value == null ? "–" : number(100 * value, 1) + " %");
  const age = s => (s == null ? "–" : s < 0.9995 ? number(s * 1000) + " ms" : s < 100 ? number(s, 1) + " s" : number(s) + " s");

  let keys = { api: "", admin: "" }; // here only: never stored, never in an address
  let paused = false;
  let stream = null;
  const rows = new Map();

  function element(name, properties = {}, ...children) {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  }
  function say(node, text) {
    if (node.textContent !== text) node.textContent = text;
  }
  function problem(text) {
    say(at("alert"), text);
    at("alert").hidden = text === "";
  }
  function connection(text, live) {
    say(at("connection"), text);
    at("connection").classList.toggle("live", live);
  }
  const withKey = key => (key === "" ? {} : { Authorization: "Bearer " + key });

  class Line {
    constructor() {
      this.values = [];
      this.path = document.createElementNS(SVG, "path");
      this.svg = document.createElementNS(SVG, "svg");
      this.svg.setAttribute("preserveAspectRatio", "none");
      this.svg.setAttribute("role", "img");
      this.svg.append(this.path);
    }
    add(value) {
      this.values.push(value);
      if (this.values.length > POINTS) this.values.shift();
    }
    highest() {
      return Math.max(0, ...this.values.filter(v => v != null));
    }
    draw(top, label) {
      let d = "";
      let pen = false;
      const span = Math.max(FEWEST, this.values.length);
      const first = span - this.values.length;
      this.svg.setAttribute("viewBox", `0 0 ${span - 1} 30`);
      this.values.forEach((v, i) => {
        if (v != null) d += `${pen ? "L" : "M"}${first + i} ${(28.5 - (27 * v) / (top || 1)).toFixed(1)}`;
        pen = v != null;
      });
      this.path.setAttribute("d", d);
      this.svg.setAttribute("aria-label", label);
    }
  }

  const CHARTS = [
    ["In flight", "requests", t => t.in_flight_reqs, v => number(v), 1],
    ["Throughput", "tokens/s", t => t.gen_throughput, v => number(v), 1],
    ["KV in use", "of all ranks", t => t.token_usage, percent, 1],
    ["Balance", "most held / mean", t => t.balance_ratio, v => number(v, 2), 2],
  ].map(([name, unit, value, shown, least]) => {
    const chart = { name, value, shown, least, line: new Line(), now: element("b") };
    const caption = element("figcaption", {}, element("span", {}, name + " ", element("small", { textContent: unit })), chart.now);
    at("charts").append(element("figure", {}, caption, chart.line.svg));
    return chart;
  });

  const COLUMNS = [
    ["State", "state", r => r.state],
    ["In flight", "", r => number(r.in_flight_reqs)],
    ["Running", "", r => number(r.num_running_reqs)],
    ["Queued", "", r => number(r.num_waiting_reqs)],
    ["KV in use", "kv", r => percent(r.token_usage)],
    ["Cache hits", "", r => percent(r.cache_hit_rate)],
    ["Tokens/s", "", r => number(r.gen_throughput)],
    ["Load age", "", r => age(r.load_age_s)],
    ["Unseen", "", r => number(r.unseen_reqs)],
  ];

  function makeRow(rank) {
    const row = { line: new Line(), cells: [], state: null, tr: element("tr") };
    row.tr.setAttribute("role", "row");
    const head = element("th", { scope: "row", textContent: rank });
    head.setAttribute("role", "rowheader");
    head.dataset.label = "Rank";
    row.tr.append(head);
    const cell = (label, className, ...children) => {
      const td = element("td", { className }, ...children);
      td.setAttribute("role", "cell");
      td.dataset.label = label;
      row.tr.append(td);
      return td;
    };
    for (const [label, className] of COLUMNS) {
      const text = element("span");
      const td = cell(label, className, text);
      if (className === "kv") td.prepend((row.bar = element("span", { className: "bar" })));
      row.cells.push(text);
    }
    cell("Over time", "spark", row.line.svg);
    row.button = element("button", { type: "button" });
    row.button.addEventListener("click", () => act(rank, row));
    cell("", "action", row.button);
    return row;
  }

  async function act(rank, row) {
    const action = row.action;
    try {
      const reply = await fetch(`ranks/${rank}/${action}`, { method: "POST", headers: withKey(keys.admin || keys.api) });
      if (!reply.ok) throw new Error(await reason(reply, "admin key"));
      problem("");
      say(at("announce"), `Rank ${rank}: ${action} accepted`);
    } catch (e) {
      problem(`Rank ${rank}: ${action} failed: ${e.message}`);
    }
  }
  async function reason(reply, key) {
    if (reply.status === 401 || reply.status === 403) return `the server asks for its ${key}; enter it above`;
    const text = await reply.text();
    try {
      const body = JSON.parse(text);
      return `${reply.status} ${body.error?.message ?? body.message ?? body.detail ?? text}`;
    } catch {
      return `${reply.status} ${text}`;
    }
  }

  function showRanks(ranks) {
    const changes = [];
    for (const rank of ranks) {
      const id = rank.dp_rank;
      if (!rows.has(id)) {
        rows.set(id, makeRow(id));
        at("rank-rows").append(rows.get(id).tr);
      }
      const row = rows.get(id);
      COLUMNS.forEach(([, , text], i) => say(row.cells[i], text(rank)));
      row.bar.style.setProperty("--share", `${100 * (rank.token_usage ?? 0)}%`);
      if (row.state !== rank.state) {
        if (row.state !== null) changes.push(`Rank ${id} is ${rank.state}`);
        row.state = rank.state;
        row.cells[0].parentElement.className = "state " + rank.state;
        row.action = rank.state.startsWith("drain") ? "undrain" : "drain";
        say(row.button, row.action === "drain" ? "Drain" : "Undrain");
        row.button.setAttribute("aria-label", `${row.button.textContent} rank ${id}`);
        row.button.disabled = !(rank.state === "up" || row.action === "undrain");
      }
      row.line.add(rank.in_flight_reqs);
    }
    const known = new Set(ranks.map(r => r.dp_rank));
    for (const [id, row] of rows) {
      if (!known.has(id)) {
        row.tr.remove();
        rows.delete(id);
        changes.push(`Rank ${id} is gone`);
      }
    }
    const top = Math.max(1, ...[...rows.values()].map(r => r.line.highest()));
    rows.forEach((row, id) =>
      row.line.draw(top, `Requests in flight on rank ${id}: now ${number(row.line.values.at(-1))}, at most ${number(row.line.highest())}`));
    if (changes.length > 0) say(at("announce"), changes.join(". "));
  }

  const decisionKey = d => `${d.rid} ${d.sequence} ${d.attempt} ${d.at}`;
  function showDecisions(decisions) {
    const list = at("decisions");
    const known = new Map([...list.children].map(li => [li.dataset.key, li]));
    at("no-decisions").hidden = decisions.length > 0;
    const wanted = decisions.map(d => known.get(decisionKey(d)) ?? makeDecision(d));
    // Those that stay are not touched, so an open one stays open and keeps the focus.
    const kept = new Set(wanted);
    [...list.children].filter(li => !kept.has(li) && !li.contains(document.activeElement)).forEach(li => li.remove());
    wanted.filter(li => !li.isConnected).reverse().forEach(li => list.prepend(li));
  }
  function makeDecision(d) {
    const time = new Date(d.at * 1000).toLocaleTimeString("en-GB");
    const attempt = d.attempt > 0 ? `, attempt ${d.attempt + 1}` : "";
    const summary = element("summary", {},
      element("span", { className: "time", textContent: time + " " }),
      element("b", { textContent: `rank ${d.dp_rank}` }), ` by ${d.load_balance_method}: ${d.reason} `,
      element("span", { className: "time", textContent: `(${d.rid}${attempt})` }));
    const seen = d.ranks.map(r =>
      `rank ${r.dp_rank}: ${r.live ? "" : "takes none, "}${r.num_reqs} requests (${r.reported_reqs} reported, ${r.unseen_reqs} unseen), ` +
      `${number(r.num_tokens)} tokens` + (r.load_age_ms == null ? ", no report" : `, report ${age(r.load_age_ms / 1000)} old`) +
      (r.score == null ? "" : `, score ${+r.score.toPrecision(6)}`));
    const li = element("li", {}, element("details", {}, summary, element("pre", { textContent: seen.join("\n") })));
    li.dataset.key = decisionKey(d);
    return li;
  }

  function show(snapshot) {
    say(at("model"), snapshot.model);
    const delay = snapshot.load_report_delay_ms > 0 ? `, reports ${number(snapshot.load_report_delay_ms)} ms late` : "";
    say(at("policy"), snapshot.load_balance_method == null ? "Controller: no answer"
      : `Policy ${snapshot.load_balance_method}, loads by ${snapshot.load_report}${delay}`);
    for (const chart of CHARTS) {
      const value = chart.value(snapshot.totals);
      chart.line.add(value);
      say(chart.now, chart.shown(value));
      const highest = chart.line.highest();
      chart.line.draw(Math.max(chart.least, highest), `${chart.name}: now ${chart.shown(value)}, at most ${chart.shown(highest)}`);
    }
    showRanks(snapshot.ranks);
    showDecisions(snapshot.decisions);
    const silent = snapshot.unanswered.length > 0 ? `; no answer from ${snapshot.unanswered.join(", ")}` : "";
    connection("Live" + silent, true);
  }

  async function read(signal) {
    const reply = await fetch("dashboard/events", { headers: withKey(keys.api), signal, cache: "no-store" });
    if (!reply.ok) throw new Error(await reason(reply, "API key"));
    const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) throw new Error("the server ended the stream");
      const events = (rest + value).split("\n\n");
      rest = events.pop();
      // If the browser was slow, only the newest matters.
      const newest = events.filter(e => e.startsWith("data: ")).at(-1);
      if (newest !== undefined) {
        problem("");
        show(JSON.parse(newest.slice(6)));
      }
    }
  }

  // A page that nobody looks at asks for nothing.
  async function follow() {
    stream?.abort();
    stream = null;
    if (paused || document.hidden) {
      connection("Paused", false);
      return;
    }
    const mine = (stream = new AbortController());
    while (stream === mine) {
      try {
        await read(mine.signal);
      } catch (e) {
        if (stream !== mine) return;
        connection("Not connected", false);
        problem(e instanceof TypeError ? "The server cannot be reached; trying again." : `No data: ${e.message}`);
        await new Promise(resolve => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  at("pause").addEventListener("click", () => {
    paused = !paused;
    say(at("pause"), paused ? "Resume" : "Pause");
    follow();
  });
  at("access").addEventListener("submit", event => {
    event.preventDefault();
    keys = { api: at("api-key").value.trim(), admin: at("admin-key").value.trim() };
    problem("");
    follow();
  });
  document.addEventListener("visibilitychange", follow);
  follow();
})();
