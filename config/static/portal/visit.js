/*
 * Recording on site (supervision/visit_record.html): each line is kept on the device as soon as it is typed, and sent
 * when there is a network; so are photos. Both survive a reload, a killed tab and a session that is over, and are sent
 * once: each save and each photo bears a name (`sent`, `key`) that the portal takes only once.
 *
 *   [data-visit][data-user]      the page; data-worker and data-scope: the service worker (only over HTTPS or on 127.0.0.1)
 *   form[data-draft=ANCHOR]      a line; form[data-new]: room for another finding, becomes a line when it is saved
 *   [data-photos] form           photos of the line it stands in
 *   [data-shell]                 the empty page that the worker answers with when there is no network
 *
 * A line's answers: 200 {version, line, totals}, 400 {errors}, 409 {message, theirs | closed}. Photos: {photos}.
 */
"use strict";

(() => {
  const store = window.portalDrafts;
  const CACHE = "portal-visit";
  const WAIT = 1500; // milliseconds after the last key
  const AGAIN = 60000; // when nothing tells that the network is back
  const KEPT = "已存在本机，联网后自动发送";

  const drafts = new Map(); // anchor → draft
  const timers = new Map();
  let root = document.querySelector("[data-visit]");
  const shell = document.querySelector("[data-shell]");
  let user = root ? root.dataset.user : "";
  const visit = root ? root.dataset.visit : (location.pathname.match(/\/visits\/(\d+)\//) || [])[1];
  let photos = [];
  let busy = false;
  let again = false;

  const make = (name, text = "", attributes = {}) => {
    const element = document.createElement(name);
    element.textContent = text;
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  };

  // crypto.randomUUID exists only where the connection is secure.
  const name = () => {
    if (crypto.randomUUID) return crypto.randomUUID();
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 15) | 64;
    bytes[8] = (bytes[8] & 63) | 128;
    const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  };

  /* ---- Lines ---- */

  const formOf = (anchor) => document.querySelector(`form[data-draft="${CSS.escape(anchor)}"]`);
  const lineOf = (form) => form.closest("[data-line]");

  const say = (form, is, text) => {
    const state = lineOf(form).querySelector("[data-state]");
    state.dataset.is = is;
    state.textContent = text;
  };

  const NOT_TYPED = ["csrfmiddlewaretoken", "version"];

  const read = (form) => Object.fromEntries(
    [...new FormData(form)].filter(([field]) => !NOT_TYPED.includes(field)),
  );

  const write = (form, values) => {
    for (const field of form.elements) {
      if (!(field.name in values) || NOT_TYPED.includes(field.name) || field.type === "hidden") continue;
      if (field.type === "radio") field.checked = field.value === values[field.name];
      else field.value = values[field.name] ?? "";
    }
  };

  const setVersion = (form, version) => {
    form.elements.version.value = version;
    const anchor = CSS.escape(form.dataset.draft);
    for (const other of document.querySelectorAll(`form[data-version-of="${anchor}"]`)) {
      other.elements.version.value = version;
    }
  };

  const fill = (scope, attribute, values) => {
    for (const [field, value] of Object.entries(values || {})) {
      for (const target of scope.querySelectorAll(`[${attribute}="${CSS.escape(field)}"]`)) {
        target.textContent = value;
      }
    }
  };

  const missing = (form) => [...form.querySelectorAll("[data-required-when]")].find((field) => {
    const [other, value] = field.dataset.requiredWhen.split("=");
    return new FormData(form).get(other) === value && !field.value.trim();
  });

  const keep = async (draft) => {
    try {
      await store.put("drafts", draft);
      return true;
    } catch {
      return false; // private browsing: the line is sent, but not kept
    }
  };

  const drop = async (draft) => {
    drafts.delete(draft.anchor);
    await store.remove("drafts", draft.id).catch(() => {});
  };

  const later = (anchor, wait) => {
    clearTimeout(timers.get(anchor));
    timers.set(anchor, setTimeout(flush, wait));
  };

  const words = (form, values) => {
    const field = [...form.elements].find(
      (one) => one.type === "radio" && one.value === (values.follow || values.found),
    );
    const label = field && form.querySelector(`label[for="${CSS.escape(field.id)}"]`);
    return `【${label ? label.textContent : "未选结果"}】${values.text || "（没有文字）"}`;
  };

  const edit = async (form, wait) => {
    const anchor = form.dataset.draft;
    const old = drafts.get(anchor);
    const values = read(form);
    if (old && old.state === "conflict") {
      // Nothing is sent until one of the two texts is chosen.
      Object.assign(old, { values, at: Date.now() });
      lineOf(form).querySelector("[data-mine]").textContent = words(form, values);
      await keep(old);
      return;
    }
    if (old && old.state !== "refused" && JSON.stringify(old.values) === JSON.stringify(values)) {
      if (old.state === "waiting") later(anchor, wait);
      return; // a field was left, nothing was changed
    }
    const draft = {
      id: `${user}|${visit}|${anchor}`,
      user,
      visit,
      anchor,
      url: form.getAttribute("action"),
      values,
      version: old && old.state !== "saved" ? old.version : form.elements.version.value,
      sent: name(),
      // A save that was sent and never answered may have arrived.
      tried: old && old.state !== "saved" ? [...old.tried, ...(old.flying ? [old.sent] : [])] : [],
      flying: false,
      state: "waiting",
      at: Date.now(),
    };
    drafts.set(anchor, draft);
    const kept = await keep(draft);
    say(form, "dirty", kept ? KEPT : "未保存");
    count();
    later(anchor, wait);
  };

  /* ---- Sending: one at a time, lines before photos ---- */

  const token = () => {
    const field = document.querySelector("input[name=csrfmiddlewaretoken]");
    return field ? field.value : "";
  };

  // After another log-in the page's token is an old one: fetch a new one, or learn that nobody is logged in.
  const renew = async () => {
    const answer = await fetch(location.pathname, { credentials: "same-origin" });
    if (!answer.ok || answer.redirected) return false;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const field = fresh.querySelector("input[name=csrfmiddlewaretoken]");
    if (!field) return false;
    for (const old of document.querySelectorAll("input[name=csrfmiddlewaretoken]")) old.value = field.value;
    return Boolean(token());
  };

  const post = async (url, data) => {
    for (const again of [false, true]) {
      const answer = await fetch(url, {
        method: "POST",
        body: data,
        credentials: "same-origin",
        headers: { Accept: "application/json", "X-CSRFToken": token() },
      });
      const isJson = (answer.headers.get("Content-Type") || "").includes("application/json");
      if (isJson) return { status: answer.status, body: await answer.json() };
      if (!answer.redirected && answer.status !== 403) return { status: answer.status, body: null };
      if (again || !(await renew())) return { status: 401, body: null };
    }
    return { status: 401, body: null };
  };

  const sendDraft = async (draft) => {
    const form = formOf(draft.anchor);
    if (!form) return true;
    const empty = missing(form);
    if (empty) {
      say(form, "asks", `未发送：${empty.dataset.ask}`);
      return true;
    }
    draft.flying = true;
    await keep(draft);
    say(form, "saving", "正在发送");
    const data = new FormData();
    for (const [field, value] of Object.entries(draft.values)) data.set(field, value);
    data.set("version", draft.version);
    data.set("sent", draft.sent);
    data.set("tried", draft.tried.join(","));
    const { status, body } = await post(draft.url, data);
    const now = drafts.get(draft.anchor);
    if (status === 200 && body) {
      setVersion(form, body.version);
      fill(lineOf(form), "data-out", body.line);
      fill(document, "data-total", body.totals);
      markInvalid(form, {});
      if (now === draft) {
        Object.assign(draft, { state: "saved", flying: false, version: String(body.version), tried: [] });
        await keep(draft);
        say(form, "saved", "已保存");
      } else {
        now.version = String(body.version);
        await keep(now);
      }
      return true;
    }
    if (now !== draft) return status !== 401;
    if (status === 401) {
      await login(form);
      return false;
    }
    if (status >= 500) {
      say(form, "failed", `${KEPT}（服务器暂时没有应答）`);
      return false;
    }
    draft.flying = false;
    if (status === 400 && body) {
      draft.state = "refused";
      markInvalid(form, body.errors);
      say(form, "failed", `未保存：${Object.values(body.errors).flat().join("；")}`);
    } else if (status === 409 && body) {
      draft.state = "conflict";
      say(form, "failed", body.message);
      if (body.closed) draft.state = "refused";
      else choose(form, draft, body.theirs);
    } else {
      draft.state = "refused";
      say(form, "failed", "未保存：您现在不能填写这次督导");
    }
    await keep(draft);
    return true;
  };

  const markInvalid = (form, errors) => {
    for (const field of form.elements) {
      if (!field.name || field.type === "hidden") continue;
      if (field.name in errors) field.setAttribute("aria-invalid", "true");
      else field.removeAttribute("aria-invalid");
    }
  };

  const login = async (form) => {
    say(form, "failed", "已存在本机。登录已过期，");
    const next = encodeURIComponent(location.pathname);
    const link = make("a", "重新登录后自动发送", { href: `/login/?next=${next}` });
    lineOf(form).querySelector("[data-state]").append(link);
  };

  /* ---- Somebody else changed the same line: both texts, to choose from ---- */

  const choose = (form, draft, theirs) => {
    const line = lineOf(form);
    line.querySelectorAll("[data-conflict]").forEach((old) => old.remove());
    const box = make("div", "", { class: "note note-warn", role: "alert", "data-conflict": "" });
    box.append(make("p", theirs ? `▲ 他人已修改本条（${theirs.told}）：` : "▲ 这条发现已被他人删除。"));
    if (theirs) box.append(make("p", `【${theirs.result}】${theirs.text || "（没有文字）"}`));
    box.append(make("p", "我填写的："), make("p", words(form, draft.values), { "data-mine": "" }));
    const row = make("div", "", { class: "actions" });
    const mine = make("button", "用我的", { type: "button", class: "btn" });
    const other = make("button", theirs ? "用对方的" : "不要了", { type: "button", class: "btn" });
    mine.addEventListener("click", async () => {
      box.remove();
      Object.assign(draft, {
        version: String(theirs ? theirs.version : 0), sent: name(), tried: [], state: "waiting",
      });
      await keep(draft);
      flush();
    });
    other.addEventListener("click", async () => {
      box.remove();
      await drop(draft);
      if (theirs) {
        write(form, theirs.values);
        setVersion(form, theirs.version);
        say(form, "saved", "已采用对方的记录");
      } else {
        line.remove();
      }
      count();
    });
    row.append(mine, other);
    box.append(row);
    form.after(box);
  };

  /* ---- Photos ---- */

  const photoBox = (anchor) => {
    const form = formOf(anchor);
    return form && lineOf(form).querySelector("[data-photos]");
  };

  const showPhotos = (anchor) => {
    const box = photoBox(anchor);
    if (!box) return;
    const list = box.querySelector("[data-waiting]");
    list.replaceChildren(...photos.filter((photo) => photo.anchor === anchor).map((photo) => {
      const row = make("li", `${photo.name}：${photo.said || "已存在本机，待发送"} `);
      const off = make("button", "删除", { type: "button", class: "link" });
      off.addEventListener("click", async () => {
        photos = photos.filter((one) => one !== photo);
        await store.remove("photos", photo.id).catch(() => {});
        showPhotos(anchor);
        count();
      });
      row.append(off);
      return row;
    }));
    const all = list.children.length + box.querySelectorAll("[data-sent] li").length;
    box.querySelector("[data-count]").textContent = all ? `（${all}）` : "";
  };

  const addPhotos = async (input) => {
    const form = input.form;
    const line = form.closest("[data-line]");
    const anchor = line.querySelector("form[data-draft]").dataset.draft;
    const place = read(form);
    for (const field of ["files", "key"]) delete place[field];
    for (const file of input.files) {
      const photo = {
        id: name(), user, visit, anchor, place, url: form.getAttribute("action"),
        name: file.name, blob: file, at: Date.now(),
      };
      await store.put("photos", photo).catch(() => { photo.said = "没有存在本机，请不要关闭本页"; });
      photos.push(photo);
    }
    input.value = "";
    showPhotos(anchor);
    count();
    flush();
  };

  const sendPhoto = async (photo) => {
    const draft = drafts.get(photo.anchor);
    if (draft && draft.state !== "saved") return true; // its line comes first
    const data = new FormData();
    for (const [field, value] of Object.entries(photo.place)) data.set(field, value);
    data.set("key", photo.id);
    data.set("files", photo.blob, photo.name);
    const { status, body } = await post(photo.url, data);
    const box = photoBox(photo.anchor);
    if (status === 200 && body) {
      photos = photos.filter((one) => one !== photo);
      await store.remove("photos", photo.id).catch(() => {});
      if (box) {
        box.querySelector("[data-sent]").replaceChildren(...body.photos.map((sent) => {
          const row = make("li");
          row.append(make("a", sent.name, { href: sent.url }));
          return row;
        }));
      }
    } else if (status === 400 && body) {
      photo.said = `没有发送：${Object.values(body.errors).flat().join("；")}`;
    } else if (status !== 401) {
      photo.said = status >= 500 ? "服务器暂时没有应答，稍后再发" : "没有发送：督导记录已提交或不能填写";
    }
    showPhotos(photo.anchor);
    return status !== 401 && status < 500;
  };

  const count = () => {
    const bar = document.querySelector("[data-unsent]");
    if (!bar) return;
    const lines = [...drafts.values()].filter((draft) => draft.state !== "saved").length;
    bar.hidden = !lines && !photos.length;
    bar.querySelector("[data-unsent-text]").textContent =
      `本机待发送：记录 ${lines} 条，照片 ${photos.length} 张。关闭页面也不会丢失。`;
  };

  const flush = async () => {
    again = busy;
    if (busy || shell) return;
    busy = true;
    // Each save is tried once in a run; what is typed meanwhile has a new name and is taken too.
    const taken = new Set();
    const next = () => [...drafts.values()].find(
      (draft) => draft.state === "waiting" && !taken.has(draft.sent),
    );
    try {
      for (let draft; (draft = next());) {
        taken.add(draft.sent);
        if (!(await sendDraft(draft))) return;
      }
      for (const photo of [...photos]) {
        if (!(await sendPhoto(photo))) return;
      }
    } catch {
      // No network: everything stays on the device.
      for (const draft of drafts.values()) {
        const form = formOf(draft.anchor);
        if (draft.state === "waiting" && form) say(form, "dirty", KEPT);
      }
    } finally {
      busy = false;
      count();
      if (again) setTimeout(flush, WAIT);
    }
  };

  /* ---- Another finding: becomes a line of its own at once ---- */

  const adopt = (blank, key, values) => {
    const article = lineOf(blank);
    const old = article.id;
    const anchor = `key-${key}`;
    const copy = article.cloneNode(true);
    for (const element of [copy, ...copy.querySelectorAll("[id], [for]")]) {
      for (const attribute of ["id", "for"]) {
        const value = element.getAttribute(attribute);
        if (value && value.startsWith(old)) element.setAttribute(attribute, anchor + value.slice(old.length));
      }
    }
    copy.className = "card stack-y";
    const form = copy.querySelector("form[data-new]");
    delete form.dataset.new;
    form.dataset.draft = anchor;
    form.elements.key.value = key;
    form.querySelector("[data-save]").remove();
    const box = copy.querySelector("[data-photos]");
    box.hidden = false;
    box.querySelector("[name=line_key]").value = key;
    article.closest("details").before(copy);
    write(form, values);
    return form;
  };

  const added = (blank) => {
    const empty = missing(blank);
    const values = read(blank);
    if (empty || !values.found) {
      say(blank, "asks", empty ? empty.dataset.ask : "请选择结果");
      return;
    }
    const form = adopt(blank, values.key, values);
    blank.reset();
    blank.elements.key.value = name();
    say(blank, "", "");
    form.scrollIntoView({ block: "nearest" });
    edit(form, 0);
  };

  /* ---- What was kept comes back ---- */

  const placeOf = (draft) => {
    const there = formOf(draft.anchor);
    if (there || !draft.anchor.startsWith("key-")) return there;
    const key = draft.values.key;
    const arrived = document.querySelector(`form[data-key="${CSS.escape(key)}"]`);
    if (arrived) return arrived;
    const blank = document.querySelector(`form[data-new="${CSS.escape(draft.values.item || "")}"]`);
    return blank && adopt(blank, key, draft.values);
  };

  const orphan = (draft) => {
    const box = make("div", "", { class: "note note-warn" });
    const text = `▲ 有一条没有发送的记录，原来的位置已不在：${draft.values.text || "（没有文字）"}`;
    const off = make("button", "从本机删除", { type: "button", class: "btn btn-quiet" });
    off.addEventListener("click", async () => {
      box.remove();
      await drop(draft);
      count();
    });
    box.append(make("p", text), off);
    root.prepend(box);
  };

  const restore = async () => {
    for (const draft of await store.of("drafts", user, visit)) {
      if (draft.state === "saved" && !shell) {
        await store.remove("drafts", draft.id); // the page itself has it
        continue;
      }
      const form = placeOf(draft);
      if (!form) {
        if (draft.state !== "saved") orphan(draft);
        continue;
      }
      if (form.dataset.draft !== draft.anchor) {
        await store.remove("drafts", draft.id);
        draft.anchor = form.dataset.draft;
        draft.id = `${user}|${visit}|${draft.anchor}`;
        await keep(draft);
      }
      write(form, draft.values);
      if (draft.state === "saved") setVersion(form, draft.version);
      else draft.state = "waiting";
      drafts.set(draft.anchor, draft);
      say(form, draft.state === "saved" ? "saved" : "dirty", draft.state === "saved" ? "已保存" : KEPT);
    }
    photos = await store.of("photos", user, visit);
    for (const photo of photos) {
      const draft = [...drafts.values()].find((one) => one.values.key && one.values.key === photo.place.line_key);
      const arrived = photo.place.line_key
        && document.querySelector(`form[data-key="${CSS.escape(photo.place.line_key)}"]`);
      if (draft) photo.anchor = draft.anchor;
      else if (arrived) photo.anchor = arrived.dataset.draft;
    }
    new Set(photos.map((photo) => photo.anchor)).forEach(showPhotos);
    count();
  };

  const copyPage = async () => {
    const copy = document.querySelector("main").cloneNode(true);
    for (const out of copy.querySelectorAll("[name=csrfmiddlewaretoken], .messages")) out.remove();
    await store.setWho(user);
    await store.put("pages", {
      id: `${user}|${visit}`, user, visit, html: copy.innerHTML, title: document.title, at: Date.now(),
    });
  };

  // The shell and what it needs, nothing else; what an earlier version of the portal left is thrown away.
  const prepare = async () => {
    if (!("serviceWorker" in navigator) || typeof caches === "undefined") return;
    await navigator.serviceWorker.register(root.dataset.worker, { scope: root.dataset.scope });
    const address = root.dataset.offline;
    const answer = await fetch(address);
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.clone().text(), "text/html");
    const needed = [...page.querySelectorAll("link[href], script[src]")].map(
      (element) => new URL(element.getAttribute("href") || element.getAttribute("src"), location.href).href,
    );
    const cache = await caches.open(CACHE);
    const there = (await cache.keys()).map((request) => request.url);
    await Promise.all(needed.filter((url) => !there.includes(url)).map((url) => cache.add(url)));
    await cache.put(address, answer);
    const whole = new URL(address, location.href).href;
    await Promise.all(there.filter((url) => url !== whole && !needed.includes(url)).map((url) => cache.delete(url)));
  };

  const open = async () => {
    user = await store.who();
    const page = user && (await store.get("pages", `${user}|${visit}`));
    if (!page) {
      shell.querySelector("[data-none]").hidden = false;
      return false;
    }
    const kept = new DOMParser().parseFromString(`<main>${page.html}</main>`, "text/html");
    const main = document.querySelector("main");
    const bar = shell.querySelector("[data-offline]");
    bar.hidden = false;
    main.replaceChildren(bar, ...kept.querySelector("main").childNodes);
    document.title = page.title;
    root = document.querySelector("[data-visit]");
    return true;
  };

  const listen = () => {
    const typed = (wait) => (event) => {
      const form = event.target.form;
      if (form && form.dataset && "draft" in form.dataset) edit(form, wait);
    };
    document.addEventListener("input", typed(WAIT));
    document.addEventListener("change", typed(0));
    document.addEventListener("submit", (event) => {
      const form = event.target;
      const ours = "draft" in form.dataset || "new" in form.dataset || form.closest("[data-photos]");
      if (ours || shell) event.preventDefault();
      if ("draft" in form.dataset) edit(form, 0);
      if ("new" in form.dataset) added(form);
    }, true);
    document.addEventListener("shrunk", (event) => {
      if (event.target.closest("[data-photos]")) addPhotos(event.target);
    });
    window.addEventListener("online", () => (shell ? location.reload() : flush()));
    document.addEventListener("visibilitychange", () => !document.hidden && flush());
    document.addEventListener("click", (event) => {
      if (event.target.closest("[data-send]")) flush();
      if (event.target.closest("[data-reload]")) location.reload();
    });
    setInterval(flush, AGAIN);
  };

  const begin = async () => {
    if (shell && !(await open())) return;
    if (!root) return;
    listen();
    if (!shell) await copyPage().catch(() => {});
    await restore().catch(() => {});
    flush();
    if (!shell) await prepare().catch(() => {}); // offline pages are a comfort, recording goes on without
  };

  begin();
})();
