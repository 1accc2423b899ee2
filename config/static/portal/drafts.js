/*
 * What this device keeps of a visit that is being recorded: drafts and photos not sent yet, and a copy of the page they
 * belong to. Each row bears the user it belongs to and is gone when that user logs out, or after 14 days at the latest.
 * Nothing else of the portal is kept in a browser. Loaded on every page; visit.js does the recording.
 *
 *   form[data-forget=USER]  the log-out: asks first if something is not sent, then clears the user's rows
 *
 * window.portalDrafts: put(store, row)  remove(store, id)  get(store, id)  of(store, user, visit)  forget(user)
 *                      who() and setWho(user): whose copies the page may show when there is no network
 */
"use strict";

(() => {
  const NAME = "portal-visits";
  const STORES = ["drafts", "photos", "pages", "who"];
  const KEPT = 14 * 24 * 3600 * 1000; // milliseconds

  const asked = (request) => new Promise((done, failed) => {
    request.onsuccess = () => done(request.result);
    request.onerror = () => failed(request.error);
  });

  // A page that only looks whether there is something makes no database.
  const open = (create) => new Promise((done, failed) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => {
      if (!create) {
        request.transaction.abort();
        return;
      }
      for (const name of STORES) {
        request.result.createObjectStore(name, { keyPath: "id" }).createIndex("user", "user");
      }
    };
    request.onsuccess = () => done(request.result);
    request.onerror = () => (create ? failed(request.error) : done(null));
  });

  const using = async (name, mode, deed, create = true) => {
    const database = await open(create);
    if (!database) return null;
    try {
      const transaction = database.transaction(name, mode);
      const finished = new Promise((done, failed) => {
        transaction.oncomplete = done;
        transaction.onerror = transaction.onabort = () => failed(transaction.error);
      });
      const result = await deed(transaction.objectStore(name));
      await finished;
      return result;
    } finally {
      database.close();
    }
  };

  const put = (name, row) => using(name, "readwrite", (rows) => asked(rows.put(row)));
  const remove = (name, id) => using(name, "readwrite", (rows) => asked(rows.delete(id)));
  const get = (name, id) => using(name, "readonly", (rows) => asked(rows.get(id)), false);

  const of = async (name, user, visit) => {
    const rows = await using(
      name, "readonly", (kept) => asked(kept.index("user").getAll(String(user))), false,
    );
    return (rows || [])
      .filter((row) => visit === undefined || row.visit === String(visit))
      .sort((one, other) => one.at - other.at);
  };

  const clear = async (is) => {
    for (const name of STORES) {
      const rows = await using(name, "readonly", (kept) => asked(kept.getAll()), false);
      for (const row of (rows || []).filter(is)) await remove(name, row.id);
    }
  };

  const forget = (user) => clear((row) => row.user === String(user));
  const sweep = () => clear((row) => Date.now() - row.at > KEPT);
  const who = async () => ((await get("who", "now")) || {}).user || "";
  const setWho = (user) => put("who", { id: "now", user: String(user), at: Date.now() });

  const waiting = async (user) => {
    const drafts = (await of("drafts", user)).filter((row) => row.state !== "saved");
    return { drafts, photos: await of("photos", user) };
  };

  window.portalDrafts = { put, remove, get, of, forget, who, setWho };

  /* ---- Logging out takes everything along ---- */

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.dataset || !("forget" in form.dataset)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const leave = async () => {
      const left = await waiting(form.dataset.forget);
      const parts = [];
      if (left.drafts.length) parts.push(`${left.drafts.length} 条督导记录`);
      if (left.photos.length) parts.push(`${left.photos.length} 张照片`);
      const text = `本机还有 ${parts.join("、")}没有发送，退出后将从本机清除。确定退出吗？`;
      if (parts.length && !window.confirm(text)) return false;
      await forget(form.dataset.forget);
      return true;
    };
    leave().catch(() => true).then((goes) => goes && form.submit());
  }, true);

  /* ---- On every other page: what is still to be sent ---- */

  const make = (name, text, attributes = {}) => {
    const element = document.createElement(name);
    element.textContent = text;
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  };

  const remind = async (user) => {
    const left = await waiting(user);
    const visits = [...new Set([...left.drafts, ...left.photos].map((row) => row.visit))];
    for (const visit of visits) {
      const drafts = left.drafts.filter((row) => row.visit === visit);
      const photos = left.photos.filter((row) => row.visit === visit);
      const note = make("div", "", { class: "note note-warn", role: "status" });
      const line = make("p", `▲ 本机还有 ${drafts.length} 条督导记录、${photos.length} 张照片没有发送。`);
      line.append(make("a", "去发送", { href: `/supervision/visits/${visit}/record/` }));
      const seen = make("details", "");
      seen.append(make("summary", "查看内容"));
      for (const row of drafts) seen.append(make("p", row.values.text || "（没有文字）"));
      const drop = make("button", "不要了，从本机删除", { type: "button", class: "btn btn-quiet" });
      drop.addEventListener("click", async () => {
        if (!window.confirm("没有发送的记录和照片将被删除，不能恢复。确定吗？")) return;
        for (const row of drafts) await remove("drafts", row.id);
        for (const row of photos) await remove("photos", row.id);
        note.remove();
      });
      seen.append(drop);
      note.append(line, seen);
      document.querySelector("main").prepend(note);
    }
  };

  const begin = async () => {
    await sweep();
    const form = document.querySelector("form[data-forget]");
    if (form && !document.querySelector("[data-visit], [data-shell]")) await remind(form.dataset.forget);
  };

  if (typeof indexedDB !== "undefined") begin().catch(() => {});
})();
