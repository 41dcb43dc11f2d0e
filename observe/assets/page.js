// The page without this script is a table as of its loading. With it the table is a treegrid that follows the stream of
// events, and a supervisor can be opened beside it. All text gets into the page as text, never as markup.
"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const SHAPES = { "stuck": "✕", "down": "■", "refusing": "▲", "above limit": "▲", "full": "◆", "restarting": "↻", "near limit": "◐", "unlimited": "∞", "ok": "●" };
  const BAD = 5; // from this rank on a supervisor has a problem
  const FEW = 300; // with more supervisors than this, the tree begins folded
  const state = {
    rows: new Map(), kids: new Map(), lines: new Map(), folded: new Set(), visible: [], focus: "", chosen: "", filter: "", changes: false,
    since: null, now: new Date(), stream: null, paused: false, retry: 0, events: [], spoken: "", spokenAt: 0, ready: false,
  };

  // --- words and small builders

  const grouped = new Intl.NumberFormat("en-US"); // toLocaleString would make one for each number
  const number = (n) => (n === "unlimited" ? n : grouped.format(Number(n)));
  const setText = (e, text) => { if (e.textContent !== text) e.textContent = text; };
  const shade = (rank) => (rank >= BAD ? "bad" : rank >= 1 ? "warn" : "good");
  const age = (from, to) => {
    const s = Math.max(0, Math.floor((to - new Date(from)) / 1000));
    if (s < 60) return s + " s";
    if (s < 3600) return Math.floor(s / 60) + " min";
    if (s < 172800) return Math.floor(s / 3600) + " h " + (Math.floor(s / 60) % 60) + " min";
    return Math.floor(s / 86400) + " d";
  };
  const clock = (t) => new Date(t).toLocaleTimeString([], { hour12: false });
  const stamp = (t) => new Date(t).toLocaleString([], { hour12: false });
  const fill = (n, limit) => (limit === "unlimited" ? 0 : limit > 0 ? Math.min(100, Math.floor((n * 100) / limit)) : n > 0 ? 100 : 0);
  const kind = (r) => r.kind.replace("_supervisor", "") + (r.strategy ? ", " + r.strategy : "");

  // make builds an element: attributes, then children, which are elements or text.
  const make = (tag, attributes, ...children) => {
    const e = document.createElement(tag);
    for (const [k, v] of Object.entries(attributes || {})) {
      if (k.startsWith("on")) e.addEventListener(k.slice(2), v);
      else if (v === true) e.setAttribute(k, "");
      else if (v !== false && v != null) e.setAttribute(k, v);
    }
    e.append(...children.filter((c) => c != null));
    return e;
  };
  const draw = (tag, attributes, ...children) => {
    const e = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [k, v] of Object.entries(attributes || {})) e.setAttribute(k, v);
    e.append(...children);
    return e;
  };
  // As Row.SharesBudget of wire/row.go.
  const sharesBudget = (r) => r.kind === "supervisor" || r.restarts_used > 0;
  const badge = (r) => make("span", { class: "state " + shade(r.rank) }, make("span", { "aria-hidden": "true" }, SHAPES[r.status] || "●"), " " + r.status);

  // --- the API

  class Problem extends Error {}
  const call = async (path, query, body) => {
    // Not by a relative address: the page's own may have a token in it, with which fetch does not work.
    const url = location.origin + location.pathname + "api/v1/" + path + (query ? "?" + new URLSearchParams(query) : "");
    const answer = await fetch(url, body && { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
    const data = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Problem((data.field ? data.field + ": " : "") + (data.detail || answer.statusText));
    return data;
  };
  const reason = (err) => (err instanceof Problem ? err.message : "no connection");

  // --- the stream

  const connection = (name, words) => { $("conn").dataset.state = name; setText($("conn-words"), words); };

  function connect() {
    clearTimeout(state.retry);
    connection("wait", "connecting");
    const stream = new EventSource("api/v1/events");
    state.stream = stream;
    stream.addEventListener("open", () => connection("live", "live"));
    stream.addEventListener("snapshot", (e) => { take(JSON.parse(e.data), true); connection("live", "live"); });
    stream.addEventListener("delta", (e) => take(JSON.parse(e.data), false));
    stream.addEventListener("error", () => {
      connection("lost", "connection lost, trying again");
      if (stream.readyState === EventSource.CLOSED) { stream.close(); state.retry = setTimeout(connect, 5000); }
    });
  }

  function pause(on) {
    state.paused = on;
    setText($("pause"), on ? "Resume" : "Pause");
    if (!on) return connect();
    clearTimeout(state.retry);
    if (state.stream) state.stream.close();
    connection("paused", "paused at " + clock(state.now));
  }

  function take(data, whole) {
    const began = performance.now();
    state.now = new Date(data.time);
    state.since = data.since || null;
    let placed = whole;
    if (whole) {
      const first = !state.ready;
      state.changes = data.changes;
      state.rows = new Map(data.rows.map((r) => [r.path, r]));
      state.events = data.events;
      setText($("root"), data.root);
      if (first) begin(data.rows);
    } else {
      const words = filterWords();
      for (const path of data.gone) { placed = state.rows.delete(path) || placed; }
      for (const r of data.rows) {
        const old = state.rows.get(r.path);
        placed = placed || !old || old.rank !== r.rank || old.index !== r.index || old.parent !== r.parent || (words.length > 0 && matches(old, words) !== matches(r, words));
        state.rows.set(r.path, r);
      }
      state.events = state.events.concat(data.events).slice(-300);
    }
    showTotals(data.totals);
    if (placed) arrange();
    for (const r of whole ? state.visible.map((p) => state.rows.get(p)) : data.rows) showRow(r);
    for (const path of state.visible) showAge(path);
    if (whole || data.events.length) showEvents(data.events, whole);
    const chosen = state.rows.get(state.chosen);
    if (state.chosen && panel.path === state.chosen) panel.tick(chosen, whole || data.rows.some((r) => r.path === state.chosen));
    speak(data.totals);
    $("tree").dataset.took = (performance.now() - began).toFixed(1); // milliseconds, for who wants to know
  }

  function begin(rows) {
    state.ready = true;
    if (rows.length > FEW) for (const r of rows) if (r.depth > 1) state.folded.add(r.path);
    state.focus = rows.length ? rows[0].path : "";
    $("tree").setAttribute("role", "treegrid");
    $("tree").setAttribute("aria-readonly", "true");
    for (const e of $("tree").querySelectorAll("thead, tbody")) e.setAttribute("role", "rowgroup");
    $("tree").querySelector("thead tr").setAttribute("role", "row");
    for (const th of $("tree").querySelectorAll("th")) th.setAttribute("role", "columnheader");
    $("rows").replaceChildren();
    const asked = new URLSearchParams(location.search).get("node");
    if (asked && state.rows.has(asked)) choose(asked, false); else panel.close(false);
  }

  function showTotals(t) {
    for (const [id, n] of [["children", t.children], ["limit", t.limit], ["refused", t.refused_minute], ["restarts", t.restarts_minute], ["waiting", t.waiting], ["stuck", t.stuck], ["goroutines", t.goroutines]]) setText($("t-" + id), number(n));
    $("t-refused").closest("div").classList.toggle("alert", t.refused_minute > 0);
    $("t-stuck").closest("div").classList.toggle("alert", t.stuck > 0);
    setText($("t-supervised"), t.supervised < 0 ? "" : number(t.supervised) + " supervised");
    setText($("count"), number(t.supervisors));
    setText($("uptime"), state.since ? "up " + age(state.since, state.now) : "not running");
  }

  // speak tells those who listen how many problems there are, when that changes, and not more than once in ten seconds.
  function speak(t) {
    const words = t.problems === 0 ? "no problems" : t.problems === 1 ? "1 supervisor needs a look" : t.problems + " supervisors need a look";
    if (words === state.spoken || Date.now() - state.spokenAt < 10000) return;
    if (state.spoken) setText($("live"), words);
    state.spoken = words;
    state.spokenAt = Date.now();
    document.title = (t.problems ? "(" + t.problems + ") " : "") + $("root").textContent + " · Headcount";
  }

  // --- the tree

  // The rule of the filter is that of the server, in wire/row.go.
  function matches(r, words) {
    return words.every((w) => {
      if (w.startsWith("state:")) {
        const s = w.slice(6);
        if (s === "full") return ["full", "refusing", "above limit"].includes(r.status);
        if (s === "problem") return r.rank >= BAD;
        return r.status.replace(" ", "-") === s || r.state === s;
      }
      return w === "unlimited" ? r.limit === "unlimited" : r.path.toLowerCase().includes(w);
    });
  }

  const filterWords = () => state.filter.toLowerCase().split(/\s+/).filter(Boolean);

  // arrange decides which rows are shown, in which order, and puts them there.
  function arrange() {
    const kids = new Map();
    const worst = new Map();
    const all = [...state.rows.values()].sort((a, b) => a.index - b.index);
    for (let i = all.length - 1; i >= 0; i--) { // children come after their parents: from the end, worst is complete
      const r = all[i];
      worst.set(r.path, Math.max(r.rank, worst.get(r.path) || 0));
      if (r.parent) worst.set(r.parent, Math.max(worst.get(r.path), worst.get(r.parent) || 0));
    }
    for (const r of all) {
      if (!kids.has(r.parent)) kids.set(r.parent, []);
      kids.get(r.parent).push(r);
    }
    if ($("first").checked) for (const list of kids.values()) list.sort((a, b) => worst.get(b.path) - worst.get(a.path) || a.index - b.index);
    state.kids = kids;
    const words = filterWords();
    const visible = [];
    if (words.length) {
      const flat = all.filter((r) => matches(r, words));
      if ($("first").checked) flat.sort((a, b) => b.rank - a.rank || a.index - b.index);
      visible.push(...flat.slice(0, 1000).map((r) => r.path));
    } else {
      const down = (list) => { for (const r of list || []) { visible.push(r.path); if (!state.folded.has(r.path)) down(kids.get(r.path)); } };
      down(kids.get(""));
    }
    state.visible = visible;
    const body = $("rows");
    const keep = new Set(visible);
    for (const [path, line] of state.lines) if (!keep.has(path)) {
      if (line.tr.contains(document.activeElement)) state.lost = true;
      line.tr.remove();
      state.lines.delete(path);
    }
    const none = body.querySelector(".none");
    if (none) none.remove();
    let at = body.firstElementChild;
    for (const path of visible) {
      let line = state.lines.get(path);
      if (!line) { line = newLine(path); state.lines.set(path, line); showRow(state.rows.get(path)); }
      if (line.tr === at) { at = at.nextElementSibling; continue; }
      const focused = line.tr === document.activeElement;
      body.insertBefore(line.tr, at);
      if (focused) line.tr.focus({ preventScroll: true });
    }
    if (!visible.length) body.append(make("tr", { role: "row", class: "none" }, make("td", { role: "gridcell", colspan: "9" }, "No supervisor matches the filter.")));
    if (!keep.has(state.focus)) state.focus = visible[0] || "";
    const positions = new Map();
    if (!words.length) for (const list of kids.values()) list.forEach((r, i) => positions.set(r.path, i + 1));
    state.positions = positions;
    for (const path of visible) place(path, words.length > 0);
    if (state.lost) { state.lost = false; focusRow(state.focus); }
    for (const chip of document.querySelectorAll(".chip")) {
      if (chip.dataset.filter === state.filter.trim()) chip.setAttribute("aria-current", "true"); else chip.removeAttribute("aria-current");
    }
  }

  function newLine(path) {
    const cell = (cls) => make("td", { role: "gridcell", class: cls });
    const line = {
      twisty: make("span", { class: "twisty", "aria-hidden": "true" }), label: make("span", { class: "label" }), kind: make("small"),
      children: make("span"), rect: draw("rect", { height: "6", width: "0" }),
      name: cell("name"), state: cell(""), count: cell("n"), refused: cell("n opt"), restarts: cell("n opt"), waiting: cell("n opt"), stuck: cell("n opt"), oldest: cell("n opt"), source: cell("opt"),
    };
    line.svg = draw("svg", { viewBox: "0 0 100 6", preserveAspectRatio: "none", "aria-hidden": "true" }, line.rect);
    line.meter = make("div", { role: "meter", "aria-valuemin": "0" }, line.svg);
    line.name.append(line.twisty, line.label, line.kind);
    line.count.append(line.children, line.meter);
    line.tr = make("tr", { class: "r", role: "row", tabindex: "-1" }, line.name, line.state, line.count, line.refused, line.restarts, line.waiting, line.stuck, line.oldest, line.source);
    line.tr.dataset.path = path;
    return line;
  }

  // place sets what depends on where a row is.
  function place(path, flat) {
    const r = state.rows.get(path), tr = state.lines.get(path).tr, line = state.lines.get(path);
    const parent = !flat && state.kids.has(path);
    const open = parent && !state.folded.has(path);
    const known = [flat, r.depth, r.name, parent, open, path === state.chosen, path === state.focus, state.positions.get(path), flat ? 0 : state.kids.get(r.parent).length].join();
    if (line.known === known) return;
    line.known = known;
    tr.setAttribute("aria-level", flat ? 1 : r.depth);
    if (flat) { tr.removeAttribute("aria-posinset"); tr.removeAttribute("aria-setsize"); } else { tr.setAttribute("aria-posinset", state.positions.get(path)); tr.setAttribute("aria-setsize", state.kids.get(r.parent).length); }
    if (parent) tr.setAttribute("aria-expanded", open); else tr.removeAttribute("aria-expanded");
    tr.setAttribute("aria-selected", path === state.chosen);
    tr.tabIndex = path === state.focus ? 0 : -1;
    setText(line.twisty, parent ? (open ? "▾" : "▸") : "");
    setText(line.label, flat ? path : r.name);
    line.name.className = "name " + (flat ? "d1" : r.depth < 6 ? "d" + r.depth : "deep");
  }

  function showRow(r) {
    const line = r && state.lines.get(r.path);
    if (!line) return;
    setText(line.kind, kind(r));
    if (line.status !== r.status) { line.state.replaceChildren(badge(r)); line.status = r.status; }
    const most = r.max_descendants !== "unlimited" && r.kind === "supervisor" ? [r.descendants, r.max_descendants, "descendants"] : [r.children, r.limit, "children"];
    line.children.replaceChildren(number(most[0]) + " ", make("small", null, "of " + number(most[1])));
    line.rect.setAttribute("width", fill(most[0], most[1]));
    line.svg.setAttribute("class", "meter " + shade(r.rank));
    line.meter.hidden = most[1] === "unlimited";
    if (most[1] !== "unlimited") {
      line.meter.setAttribute("aria-label", most[2] + " of " + r.name);
      line.meter.setAttribute("aria-valuemax", Math.max(most[1], most[0]));
      line.meter.setAttribute("aria-valuenow", most[0]);
      line.meter.setAttribute("aria-valuetext", number(most[0]) + " of " + number(most[1]));
    }
    if (r.refused_minute || line.refusedBefore !== 0) line.refused.replaceChildren(number(r.refused_minute), ...r.refused_by.slice(0, 3).map((x) => make("small", null, x.reason + " " + number(x.count))));
    line.refusedBefore = r.refused_minute;
    line.restarts.replaceChildren(number(r.restarts_minute), ...(sharesBudget(r) ? ["budget", number(r.restarts_used) + " of " + number(r.restarts_allowed)].map((t) => make("small", null, " " + t)) : []));
    setText(line.waiting, number(r.waiting));
    setText(line.stuck, number(r.stuck));
    line.source.replaceChildren(r.source, ...(r.capped_by ? [make("small", null, "cap " + r.capped_by)] : []));
    showAge(r.path);
  }

  function showAge(path) {
    const line = state.lines.get(path), r = state.rows.get(path);
    if (!line || !r) return;
    const text = r.oldest ? age(r.oldest, state.now) : "";
    if (line.age !== text) line.oldest.textContent = line.age = text;
  }

  function focusRow(path) {
    const old = state.lines.get(state.focus), line = state.lines.get(path);
    if (!line) return;
    if (old) { old.tr.tabIndex = -1; old.known = ""; }
    state.focus = path;
    line.tr.tabIndex = 0;
    line.known = "";
    line.tr.focus();
    line.tr.scrollIntoView({ block: "nearest" });
  }

  function fold(path, on) {
    if (on) state.folded.add(path); else state.folded.delete(path);
    arrange();
  }

  function treeKey(e) {
    if (e.altKey || e.ctrlKey || e.metaKey || e.target.closest(".r") === null) return;
    const path = state.focus, at = state.visible.indexOf(path), tr = state.lines.get(path) && state.lines.get(path).tr;
    const go = (i) => focusRow(state.visible[Math.max(0, Math.min(state.visible.length - 1, i))]);
    const open = tr && tr.getAttribute("aria-expanded");
    switch (e.key) {
      case "ArrowDown": go(at + 1); break;
      case "ArrowUp": go(at - 1); break;
      case "PageDown": go(at + 10); break;
      case "PageUp": go(at - 10); break;
      case "Home": go(0); break;
      case "End": go(state.visible.length - 1); break;
      case "ArrowRight": if (open === "false") fold(path, false); else if (open === "true") go(at + 1); break;
      case "ArrowLeft": if (open === "true") fold(path, true); else if (state.lines.has(state.rows.get(path).parent)) focusRow(state.rows.get(path).parent); break;
      case "Enter": choose(path, true); break;
      case " ": if (open) fold(path, open === "true"); break;
      default: return;
    }
    e.preventDefault();
  }

  function setFilter(text) {
    state.filter = text;
    if ($("filter").value !== text) $("filter").value = text;
    if (state.ready) arrange();
  }

  // --- events

  const eventLine = (e) => make("li", null, make("time", { datetime: e.time }, clock(e.time)), " " + e.text);

  function showEvents(fresh, whole) {
    const list = $("all-events") || $("node-events");
    if (!list) return;
    const here = (e) => !state.chosen || e.path === state.chosen || e.path.startsWith(state.chosen + "/");
    const lines = (whole && !state.chosen ? state.events : fresh).filter(here);
    if (whole && !state.chosen) list.replaceChildren();
    if (lines.length && list.querySelector(".none")) list.replaceChildren();
    for (const e of lines) list.prepend(eventLine(e));
    while (list.children.length > 100) list.lastElementChild.remove();
    if (!list.children.length) list.append(make("li", { class: "none" }, "None yet."));
  }

  // --- the panel

  const panel = {
    path: "", detail: null, beat: 0, turn: 0,

    close(move) {
      this.path = state.chosen = "";
      delete $("panel").dataset.chosen;
      $("panel").replaceChildren(make("h2", { id: "panel-title" }, "Events"), make("ol", { class: "events", id: "all-events" }), auditPart());
      showEvents([], true);
      for (const path of state.visible) place(path, state.filter.trim() !== "");
      history.replaceState(null, "", location.pathname);
      if (move) focusRow(state.focus);
    },

    async open(path, move) {
      const turn = ++this.turn;
      let d, log;
      try {
        [d, log] = await Promise.all([call("node", { path }), call("log", { path, limit: 50 })]);
      } catch (err) {
        if (turn === this.turn) $("panel").replaceChildren(make("h2", { id: "panel-title" }, path), make("p", { class: "wrong" }, reason(err)));
        return;
      }
      if (turn !== this.turn) return; // another one has been chosen meanwhile
      this.path = path;
      this.detail = d;
      this.beat = 0;
      this.state = make("p", { id: "node-state" });
      this.facts = make("dl", { class: "facts" });
      this.chart = make("div", { id: "chart" });
      this.limits = make("ul", { class: "limits" });
      this.said = make("div", { role: "status" });
      const events = make("ol", { class: "events", id: "node-events" }, ...log.events.map(eventLine));
      if (!log.events.length) events.append(make("li", { class: "none" }, "None yet."));
      $("panel").dataset.chosen = "";
      $("panel").replaceChildren(
        make("div", { class: "head" }, make("h2", { id: "panel-title" }, path), make("button", { type: "button", onclick: () => this.close(true) }, "Close")),
        this.state, this.facts, make("h3", null, "Last hour"), this.chart, make("h3", null, "Limits"), this.said, this.limits,
        ...(d.keyed ? [keysPart(path)] : []), childrenPart(path, d), goroutinesPart(path), cpuPart(path), auditPart(path), make("h3", null, "Events"), events);
      this.show(d.row);
      this.showLimits();
      this.drawChart();
      if (move) { $("panel").focus({ preventScroll: true }); $("panel").scrollIntoView({ block: matchMedia("(max-width: 1100px)").matches ? "start" : "nearest" }); }
    },

    // tick is called with each delta.
    tick(r, changed) {
      if (!r) { $("panel").replaceChildren(make("h2", { id: "panel-title" }, this.path), make("p", null, "It is not there any more.")); this.path = ""; return; }
      if (changed) this.show(r); else this.showState(r);
      if (++this.beat % 10 === 0) this.drawChart();
      if (changed && this.beat % 3 === 0) this.refresh();
    },

    async refresh() {
      const path = this.path;
      const d = await call("node", { path }).catch(() => null);
      if (!d || path !== this.path) return;
      this.detail = d;
      this.show(d.row);
      if (!$("panel").querySelector(".change")) this.showLimits();
    },

    showState(r) {
      const since = this.detail.since;
      this.state.replaceChildren(badge(r), " " + kind(r) + ", " + r.state + (since && r.state === "running" ? " for " + age(since, state.now) : ""));
    },

    show(r) {
      const d = this.detail;
      this.showState(r);
      const facts = [
        ["Children", number(r.children) + " of " + number(r.limit)], ["Peak", number(r.peak)], ["Started", number(d.started)],
        ["Refused, 1 min", number(r.refused_minute)], ["Refused", number(Math.max(d.refused, r.refused_minute))], ["Waiting", number(r.waiting) + (d.queue ? " of " + number(d.queue) : "")],
        ["Restarts, 1 min", number(r.restarts_minute)], sharesBudget(r) ? ["Budget used", number(r.restarts_used) + " of " + number(r.restarts_allowed) + " in " + r.restarts_within_seconds + " s"] : ["Budget of a child", number(r.restarts_allowed) + " in " + r.restarts_within_seconds + " s"], ["Stuck", number(r.stuck)],
      ];
      if (r.descendants >= 0) facts.push(["Descendants", number(r.descendants) + " of " + number(r.max_descendants)]);
      if (d.reserve) facts.push(["Reserve", number(d.reserve)]);
      if (d.max_bytes) facts.push(["Bytes charged", number(d.bytes) + " of " + number(d.max_bytes)]);
      const ends = d.exits.error + d.exits.panic + d.exits.goexit;
      if (ends) facts.push(["Failed ends", number(ends)]);
      this.facts.replaceChildren(...facts.map(([k, v]) => make("div", null, make("dt", null, k), make("dd", null, v))));
      if (r.refused_by.length) this.facts.append(make("div", { class: "wide" }, make("dt", null, "Refused by"), make("dd", null, r.refused_by.map((x) => x.reason + " " + number(x.count)).join(", "))));
    },

    showLimits() {
      this.limits.replaceChildren(...this.detail.limits.map((l) => {
        const item = make("li");
        const how = "set to " + number(l.value) + " by " + (l.by || l.source) + (l.when ? " on " + stamp(l.when) : "") + (l.why ? ": " + l.why : "");
        const words = make("div", null, make("b", null, l.name), " " + number(l.in_force) + (l.gate && l.observing ? " (observes only)" : ""), make("small", null, how));
        if (l.expires) words.append(make("small", null, "the value before comes back on " + stamp(l.expires)));
        if (l.review) {
          const over = new Date(l.review) < state.now;
          words.append(make("small", { class: over ? "cap" : "" }, (over ? "its review date has passed: it was to be looked at again on " : "to be looked at again on ") + stamp(l.review)));
        }
        if (l.gate) words.append(make("small", null, number(l.refused) + " refused"));
        for (const c of l.caps) words.append(make("small", { class: "cap" }, "held at " + number(c.value) + " by the cap " + c.name + " since " + stamp(c.since) + (c.why ? ": " + c.why : "")));
        const line = make("div", { class: "line" }, words);
        if (state.changes) line.append(make("button", { type: "button", "aria-label": "Change " + l.name, onclick: () => { if (!item.querySelector(".change")) item.append(changeForm(this.path, l, item)); item.querySelector("input").focus(); } }, "Change"));
        item.append(line);
        return item;
      }));
      for (const s of this.detail.sources) if (s.error) this.limits.append(make("li", null, make("small", { class: "cap" }, "what " + s.name + " says about the limits is refused, the old ones stay: " + s.error)));
    },

    async drawChart() {
      const path = this.path;
      const h = await call("history", { path }).catch(() => null);
      if (!h || path !== this.path) return;
      const open = this.chart.querySelector("details[open]") !== null;
      this.chart.replaceChildren(...chart(h, open));
    },
  };

  function choose(path, move) {
    state.chosen = path;
    for (const p of state.visible) place(p, state.filter.trim() !== "");
    history.replaceState(null, "", "?" + new URLSearchParams({ node: path }));
    panel.open(path, move);
  }

  // chart draws the last hour: children as a line, their peaks behind it, the limit dashed; and the same as a table.
  function chart(h, open) {
    if (!h.kept) return [make("p", null, "No history is kept: there are too many supervisors.")];
    const points = h.points;
    if (!points.length) return [make("p", null, "Nothing yet.")];
    const W = 400, H = 150, L = 44, B = 18, T = 8;
    const limits = points.map((p) => p.limit).filter((l) => l !== "unlimited");
    const peak = Math.max(...points.map((p) => p.peak));
    const now = points[points.length - 1];
    const near = limits.filter((l) => l <= Math.max(peak, 1) * 4); // a limit far above would press the line to the ground
    const top = Math.max(1, peak, ...near) * 1.08;
    const to = new Date(now.time).getTime();
    const past = to - new Date(points[0].time);
    const step = past < 300e3 ? 60e3 : 300e3;
    const span = Math.min(3600e3, Math.max(step, Math.ceil(past / step) * step)); // it grows with what there is
    const x = (t) => (L + ((new Date(t) - to + span) / span) * (W - L - 4)).toFixed(1);
    const y = (n) => (T + (1 - n / top) * (H - T - B)).toFixed(1);
    const line = (get) => points.map((p, i) => (i ? "L" : "M") + x(p.time) + " " + y(get(p))).join("");
    const svg = draw("svg", { class: "chart", viewBox: `0 0 ${W} ${H}`, role: "img" });
    svg.setAttribute("aria-label", `Children in the last hour: ${number(now.children)} now, ${number(peak)} at most, limit ${number(now.limit)}`);
    const most = Math.round(top / 1.08);
    for (const n of new Set([0, Math.round(most / 2), most])) svg.append(draw("line", { class: "grid", x1: L, x2: W, y1: y(n), y2: y(n) }), label(L - 5, +y(n) + 4, "end", number(n)));
    for (const part of [1, 0.5]) svg.append(label(x(to - part * span), H - 4, part === 1 ? "start" : "middle", "−" + (part * span) / 60e3 + " min"));
    svg.append(label(W - 4, H - 4, "end", "now"));
    svg.append(draw("path", { class: "peak", d: line((p) => p.peak) + `L${x(now.time)} ${y(0)}L${x(points[0].time)} ${y(0)}Z` }));
    svg.append(draw("path", { class: "children", d: line((p) => p.children) + (points.length === 1 ? "h2" : "") }));
    let d = "", last = null;
    for (const p of points) {
      if (p.limit === "unlimited" || p.limit > top) { last = null; continue; }
      d += last === null ? `M${x(p.time)} ${y(p.limit)}` : `H${x(p.time)}V${y(p.limit)}`;
      last = p.limit;
    }
    if (d) svg.append(draw("path", { class: "limit", d }));
    const legend = make("p", { class: "legend" }, make("span", null, make("i"), "children"), make("span", null, make("i", { class: "peak" }), "peak"), make("span", null, make("i", { class: "limit" }), "limit " + number(now.limit) + (now.limit !== "unlimited" && now.limit > top ? ", above the chart" : "")));
    const every = Math.max(1, Math.ceil(points.length / 30));
    const rows = points.filter((_, i) => (points.length - 1 - i) % every === 0).reverse();
    const table = make("details", { open }, make("summary", null, "As a table"), make("table", null,
      make("thead", null, make("tr", null, ...["Time", "Children", "Peak", "Limit", "Refused"].map((t) => make("th", { scope: "col" }, t)))),
      make("tbody", null, ...rows.map((p) => make("tr", null, ...[clock(p.time), number(p.children), number(p.peak), number(p.limit), number(p.refused)].map((t) => make("td", null, t)))))));
    return [svg, legend, table];
  }
  const label = (x, y, anchor, text) => draw("text", { x, y, "text-anchor": anchor }, text);

  // --- changing a limit

  const asLimit = (text) => { const t = text.trim().replaceAll(",", ""); return t === "unlimited" ? t : /^\d+$/.test(t) ? Number(t) : null; };
  const LATER = [["", "never"], ["900", "in 15 minutes"], ["3600", "in 1 hour"], ["14400", "in 4 hours"], ["86400", "in 1 day"]];

  function changeForm(path, l, item) {
    const value = make("input", { name: "value", inputmode: "numeric", autocomplete: "off", required: true, value: l.value });
    const why = make("input", { name: "why", maxlength: "500", autocomplete: "off", required: true });
    const expires = make("select", { name: "expires" }, ...LATER.map(([v, t]) => make("option", { value: v }, t)));
    const review = make("input", { name: "review", type: "date" });
    const effects = make("div", { class: "effects", role: "status" }, "What the change would do is shown here.");
    const set = make("button", { class: "main" }, "Set the limit");
    const ask = () => {
      const body = { path, limit: l.name, value: asLimit(value.value), expected: l.value, why: why.value.trim(), source: "page" };
      if (expires.value) body.expires = new Date(Date.now() + 1000 * expires.value).toISOString();
      if (review.value) body.review = new Date(review.value).toISOString();
      return body;
    };
    let turn = 0, timer = 0;
    const look = async () => {
      const mine = ++turn;
      const body = ask();
      const say = (wrong, lines) => { if (mine === turn) { effects.classList.toggle("wrong", wrong); effects.replaceChildren(...lines.map((t) => make("div", null, t))); set.disabled = wrong; } };
      if (body.value === null) return say(true, ["Not a whole number, and not the word unlimited."]);
      delete body.expires;
      try { say(false, (await call("limits/preview", null, body)).effects); } catch (err) { say(true, [reason(err)]); }
    };
    value.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(look, 250); });
    const form = make("form", { class: "change", "aria-label": "Change " + l.name + " of " + path }, make("label", null, "New value (now " + number(l.value) + ")", value), effects, make("label", null, "Reason", why),
      make("div", { class: "two" }, make("label", null, "Give way again", expires), make("label", null, "Review on", review)),
      make("div", { class: "actions" }, set, make("button", { type: "button", onclick: () => { form.remove(); item.querySelector("button").focus(); } }, "Cancel")));
    form.addEventListener("submit", async (e) => {
      e.preventDefault();
      set.disabled = true;
      try {
        const done = await call("limits", null, ask());
        form.remove();
        tellDone(path, done);
        await panel.refresh();
      } catch (err) {
        effects.classList.add("wrong");
        effects.replaceChildren(reason(err));
        set.disabled = false;
      }
    });
    return form;
  }

  // tell says what has come of a change, where the focus goes on: what had it is not there any more.
  function tell(...words) {
    const said = make("div", { class: "said", tabindex: "-1" }, ...words);
    panel.said.replaceChildren(said);
    said.focus();
  }

  function tellDone(path, done) {
    if (panel.path !== path) return;
    const undo = async (e) => {
      e.target.disabled = true;
      try {
        const undone = await call("limits/undo", null, { entry: done.id, source: "page" });
        tell(`Undone: ${undone.limit} is ${number(undone.in_force)} again.`);
        await panel.refresh();
      } catch (err) { panel.said.replaceChildren(make("div", { class: "wrong" }, reason(err))); }
    };
    tell(make("span", null, `${done.limit} is ${number(done.in_force)} now, ${number(done.from)} before.`), ...(done.undo ? [make("button", { type: "button", onclick: undo }, "Undo")] : []));
  }

  // --- parts of the panel that are read when they are opened

  function part(title, load) {
    const body = make("div", { tabindex: "-1" });
    const d = make("details", null, make("summary", null, title), body);
    const read = async () => {
      const had = body.contains(document.activeElement);
      try { await load(body, read); } catch (err) { body.replaceChildren(make("p", { class: "wrong" }, reason(err))); }
      if (had && document.activeElement === document.body) body.focus(); // the button that was pressed has been replaced
    };
    d.addEventListener("toggle", () => { if (d.open) read(); });
    return d;
  }

  function childrenPart(path, d) {
    const declared = d.row.kind === "supervisor";
    const found = make("div", { tabindex: "-1" });
    const put = (...content) => { if (found.contains(document.activeElement)) found.focus(); found.replaceChildren(...content); }; // what had the focus goes
    let filter = "", after = "0", turn = 0, search = null;
    return part("Children", async (body) => {
      if (!search) {
        const input = make("input", { type: "search", "aria-label": "Filter children by name, key or state:stuck", placeholder: "name, key, state:stuck", autocomplete: "off" });
        search = make("form", { class: "actions" }, input, make("button", null, "Filter"));
        search.addEventListener("submit", (e) => { e.preventDefault(); filter = input.value; after = "0"; read(); });
        body.append(search, found);
      }
      const read = async () => {
        const mine = ++turn;
        try {
          let page, until = Date.now() + 15000;
          do { // one answer has looked at a part of the children only: a filter that few pass needs many
            if (page) { after = page.next; put(make("p", { role: "status" }, "Searching.")); }
            page = await call("children", { path, limit: 50, ...(filter ? { filter } : {}), ...(after !== "0" ? { after } : {}) });
            if (mine !== turn || !body.isConnected) return;
          } while (!page.children.length && page.next !== "0" && Date.now() < until);
          const more = make("button", { type: "button", onclick: () => { after = page.next; read(); } }, page.children.length ? "Next page" : "Search on");
          const list = make("ul", { class: "kids" }, ...page.children.map((c) => childLine(path, c, declared, read)));
          if (!page.children.length) list.append(make("li", null, page.next === "0" ? "None." : "None so far; there are more."));
          put(list, ...(page.next === "0" ? [] : [more]));
        } catch (err) { if (mine === turn) put(make("p", { class: "wrong" }, reason(err))); }
      };
      await read();
    });
  }

  function childLine(path, c, declared, again) {
    const item = make("li");
    const words = [c.state + (c.stuck_seconds ? " for " + Math.floor(c.stuck_seconds) + " s" : ""), "since " + stamp(c.started)];
    if (c.restarts) words.push(number(c.restarts) + " restarts");
    if (c.goroutines > 1) words.push(number(c.goroutines) + " goroutines");
    if (c.bytes) words.push(number(c.bytes) + " bytes");
    const name = (c.key ? c.key + " · " : "") + c.name;
    const text = make("div", null, make("b", null, name), make("small", null, words.join(", ")));
    if (c.last_error) text.append(make("small", null, "last error: " + c.last_error));
    const out = make("div");
    const actions = make("div", { class: "actions" }, make("button", { type: "button", "aria-label": "Stack of " + name, onclick: () => showStack(out, c) }, "Stack"));
    if (state.changes && c.state !== "stopped") actions.append(endButton("Terminate", name, () => ({ path, ...(declared ? { name: c.name } : { id: c.id }) }), out, again));
    item.append(make("div", { class: "line" }, text, actions), out);
    return item;
  }

  // endButton terminates at the second press.
  function endButton(word, name, target, out, again) {
    let sure = false;
    const b = make("button", { type: "button", class: "danger", "aria-label": word + " " + name, onclick: async () => {
      if (!sure) { sure = true; b.textContent = "Sure?"; b.setAttribute("aria-label", "Sure? " + word + " " + name); setTimeout(() => { sure = false; b.textContent = word; b.setAttribute("aria-label", word + " " + name); }, 5000); return; }
      b.disabled = true;
      try {
        const done = await call("terminate", null, { ...target(), source: "page" });
        out.replaceChildren(make("p", { role: "status" }, done.outcome));
        setTimeout(again, 1500);
      } catch (err) { out.replaceChildren(make("p", { class: "wrong", role: "status" }, reason(err))); }
    } }, word);
    return b;
  }

  async function showStack(out, c) {
    try {
      const s = await call("stack", { path: c.path, id: c.id });
      const about = s.exact ? "Its own goroutines." : "Not traceable: these are the goroutines of all children of its supervisor, its own among them.";
      out.replaceChildren(make("p", null, make("small", null, about + " Read at " + clock(s.time) + ".")),
        ...s.stacks.slice(0, 5).map((x) => make("pre", { tabindex: "0", "aria-label": "stack" }, number(x.count) + (x.stray ? " strays" : "") + " at\n" + x.text)));
    } catch (err) { out.replaceChildren(make("p", { class: "wrong" }, reason(err))); }
  }

  const keysPart = (path) => part("Top keys", async (body, read) => {
    const top = await call("keys", { path, limit: 20 });
    body.replaceChildren(make("ul", { class: "kids" }, ...top.keys.map((k) => {
      const out = make("div");
      const line = make("div", { class: "line" }, make("div", null, make("b", null, k.key), make("small", null, number(k.count) + " children")));
      if (state.changes) line.append(make("div", { class: "actions" }, endButton("Terminate all", k.key, () => ({ path, key: k.key }), out, read)));
      return make("li", null, line, out);
    })));
    if (!top.keys.length) body.replaceChildren(make("p", null, "No key holds a child."));
    body.append(make("button", { type: "button", onclick: read }, "Read again"));
  });

  const goroutinesPart = (path) => part("Goroutines", async (body, read) => {
    const g = await call("goroutines", { path });
    body.replaceChildren(
      make("p", null, `${number(g.supervised)} of the ${number(g.total)} goroutines of the process are of children here; ${number(g.inherited)} strays were started by them, ${number(g.strays)} strays there are in all. Read at ${clock(g.time)}.`),
      make("table", null, make("thead", null, make("tr", null, make("th", { scope: "col" }, "Path"), make("th", { scope: "col", class: "n" }, "Goroutines"), make("th", { scope: "col", class: "n" }, "Strays"))),
        make("tbody", null, ...g.paths.slice(0, 20).map((p) => make("tr", null, make("td", null, p.path), make("td", { class: "n" }, number(p.goroutines)), make("td", { class: "n" }, number(p.strays)))))),
      make("button", { type: "button", onclick: read }, "Read again"));
  });

  // cpuPart asks for a profile at the press of a button only. The button stays where it is, so that the focus does.
  function cpuPart(path) {
    const seconds = 2;
    const said = make("div", { class: "measured", role: "status" });
    const table = make("div");
    let busy = false;
    const button = make("button", { type: "button", onclick: async () => {
      if (busy) return;
      busy = true;
      button.setAttribute("aria-disabled", "true");
      said.replaceChildren(make("p", null, `Measuring for ${seconds} seconds.`));
      try {
        const c = await call("cpu", { path, seconds });
        said.replaceChildren(make("p", null, `${spent(c.supervised_seconds)} of the ${spent(c.total_seconds)} of CPU time were used by children here and what they have started, ${spent(c.elsewhere_seconds)} by other supervisors, ${spent(c.outside_seconds)} by the rest of the program. Measured for ${c.for_seconds.toFixed(1)} s from ${clock(c.time)} on; not more often than each ten seconds.`));
        table.replaceChildren(c.paths.length ? make("table", null, make("thead", null, make("tr", null, make("th", { scope: "col" }, "Path"), make("th", { scope: "col", class: "n" }, "CPU"), make("th", { scope: "col", class: "n" }, "Share"))),
          make("tbody", null, ...c.paths.slice(0, 20).map((p) => make("tr", null, make("td", null, p.path), make("td", { class: "n" }, spent(p.cpu_seconds)), make("td", { class: "n" }, Math.round((100 * p.cpu_seconds) / c.total_seconds) + " %"))))) : make("p", null, "None of it was used here."));
      } catch (err) { said.replaceChildren(make("p", { class: "wrong" }, reason(err))); }
      busy = false;
      button.removeAttribute("aria-disabled");
    } }, `Measure for ${seconds} seconds`);
    return part("CPU", async (body) => { if (!body.children.length) body.append(button, said, table); });
  }
  const spent = (s) => (s < 1 ? Math.round(s * 1000) + " ms" : s.toFixed(2) + " s");

  const auditPart = (path) => part("Changes", async (body, read) => {
    const log = await call("audit", { limit: 30, ...(path ? { path } : {}) });
    const line = (e) => {
      const what = e.limit ? `${e.limit} of ${e.path}: ${number(e.from)} → ${number(e.to)}` : `${e.path}: ${e.key || e.child} terminated, ${e.outcome}`;
      return make("li", null, make("b", null, what), make("small", null, `${e.by || "(nobody named)"}${e.verified ? "" : e.by ? " (not verified)" : ""}, by ${e.source}, ${stamp(e.time)}${e.why ? ": " + e.why : ""}`));
    };
    body.replaceChildren(make("ul", { class: "kids" }, ...log.entries.map(line)), make("button", { type: "button", onclick: read }, "Read again"));
    if (!log.entries.length) body.replaceChildren(make("p", null, "None yet."));
  });

  // --- the controls

  $("tree").addEventListener("keydown", treeKey);
  $("tree").addEventListener("focusin", (e) => { // however it got there, the focus is where the keys go on from
    const path = e.target.dataset.path, old = state.lines.get(state.focus);
    if (!path || path === state.focus || !state.lines.has(path)) return;
    if (old) { old.tr.tabIndex = -1; old.known = ""; }
    state.focus = path;
    e.target.tabIndex = 0;
    state.lines.get(path).known = "";
  });
  $("tree").addEventListener("click", (e) => {
    const tr = e.target.closest(".r");
    if (!tr || !state.ready) return;
    e.preventDefault();
    const path = tr.dataset.path;
    focusRow(path);
    if (e.target.closest(".twisty") && tr.hasAttribute("aria-expanded")) return fold(path, tr.getAttribute("aria-expanded") === "true");
    choose(path, matchMedia("(max-width: 1100px)").matches); // there the panel is not beside the tree
  });
  $("filter").addEventListener("input", () => setFilter($("filter").value));
  $("filter").addEventListener("keydown", (e) => {
    if (e.key === "Escape") { setFilter(""); focusRow(state.focus); e.preventDefault(); }
    if (e.key === "ArrowDown") { focusRow(state.visible[0]); e.preventDefault(); }
  });
  $("search").addEventListener("submit", (e) => { e.preventDefault(); focusRow(state.visible[0]); });
  $("search").querySelector("button").hidden = true;
  $("chips").addEventListener("click", (e) => { const c = e.target.closest(".chip"); if (c) { e.preventDefault(); setFilter(c.dataset.filter); } });
  $("first").addEventListener("change", () => arrange());
  $("panel").addEventListener("keydown", (e) => { if (e.key === "Escape" && state.chosen && !e.target.closest("input, select")) panel.close(true); });
  $("pause").addEventListener("click", () => pause(!state.paused));
  $("reload").addEventListener("click", (e) => { e.preventDefault(); if (state.stream) state.stream.close(); pause(false); });
  const wanted = () => { try { return localStorage.getItem("headcount-slash") !== "off"; } catch { return true; } };
  $("slash").checked = wanted();
  $("slash").addEventListener("change", () => { try { localStorage.setItem("headcount-slash", $("slash").checked ? "on" : "off"); } catch { /* not kept */ } });
  document.addEventListener("keydown", (e) => {
    if (e.key !== "/" || !$("slash").checked || e.altKey || e.ctrlKey || e.metaKey || e.target.closest("input, select, textarea")) return;
    e.preventDefault();
    $("filter").focus();
    $("filter").select();
  });
  $("pause").hidden = $("first-label").hidden = $("help").hidden = false;
  state.filter = $("filter").value;
  connect();
})();
