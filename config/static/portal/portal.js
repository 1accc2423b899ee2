/*
 * 公卫督导: the portal's own script. Every page works without it; it adds comfort only.
 * No eval, no inline handler, nothing kept in browser storage (PCs are shared; drafts.js says what is).
 *
 *   form[method=post]         cannot be sent twice; data-repeat lets one (a download) be sent again
 *   form[data-autosave=GROUP] saves itself when a value changes; forms of one GROUP share a version
 *   [data-confirm="text"]     a submit button that asks first
 *   [data-copy="#id"]         copies the text of that element
 *   [data-print]              prints the page
 *   input[type=file][data-shrink]  makes photos smaller before they are sent, then tells "shrunk"
 *
 * Autosave: the form is posted with Accept: application/json. The view answers
 *   200 {"version": 8, "line": {"points": "4.50"}, "totals": {"total": "86.20"}}
 *       version  goes to every hidden "version" of forms with the same data-autosave or data-version-of
 *       line     fills [data-out=NAME] inside the line (nearest [data-line], else the form)
 *       totals   fills [data-total=NAME] anywhere on the page
 *   400 {"errors": {"field": ["text"]}}      shown beside the line
 *   409 {"message": "text"}                  somebody else changed it; typed values stay
 * A field with data-required-when="found=problem" that is empty while `found` is "problem" keeps its form from being
 * sent: its data-ask is shown as the line's state, and the line stays unsaved until the field is filled.
 */
"use strict";

(() => {
  document.documentElement.classList.add("js");

  const make = (name, attributes = {}, text = "") => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.textContent = text;
    return element;
  };

  const submitButtons = (form) =>
    [...form.elements].filter((field) => field.type === "submit" && field.localName !== "fieldset");

  /* ---- A form is sent once ---- */

  const lock = (form) => {
    form.dataset.busy = "1";
    // After this tick, so that the pressed button's own value is still sent.
    setTimeout(() => {
      if (!form.dataset.busy) return;
      for (const button of submitButtons(form).filter((item) => !item.disabled)) {
        button.disabled = true;
        button.dataset.locked = "1";
      }
    }, 0);
  };

  const unlock = (form) => {
    delete form.dataset.busy;
    for (const button of submitButtons(form).filter((item) => item.dataset.locked)) {
      button.disabled = false;
      delete button.dataset.locked;
    }
  };

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post" || "repeat" in form.dataset) return;
    if (form.dataset.busy) event.preventDefault();
    else lock(form);
  });

  window.addEventListener("pageshow", () => [...document.forms].forEach(unlock));

  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.target.localName === "form") lock(event.target);
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.target.localName === "form") unlock(event.target);
  });

  /* ---- Confirm before a deed that cannot be undone ---- */

  let dialog = null;
  let pending = null;

  const buildDialog = () => {
    dialog = make("dialog", { class: "confirm", "aria-labelledby": "confirm-text" });
    const row = make("div", { class: "actions" });
    const no = make("button", { type: "button", class: "btn" }, "取消");
    const yes = make("button", { type: "button", class: "btn btn-danger" }, "确定");
    no.addEventListener("click", () => dialog.close());
    yes.addEventListener("click", () => {
      dialog.close();
      pending.dataset.confirmed = "1";
      pending.click();
    });
    row.append(no, yes);
    dialog.append(make("p", { id: "confirm-text" }), row);
    document.body.append(dialog);
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-confirm]");
    if (!button) return;
    if (button.dataset.confirmed) {
      delete button.dataset.confirmed;
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    if (button.form && !button.form.reportValidity()) return;
    if (typeof HTMLDialogElement === "undefined") {
      if (!window.confirm(button.dataset.confirm)) return;
      button.dataset.confirmed = "1";
      button.click();
      return;
    }
    if (!dialog) buildDialog();
    pending = button;
    dialog.querySelector("p").textContent = button.dataset.confirm;
    dialog.showModal();
  }, true);

  /* ---- Copy and print ---- */

  // Intranets often have no HTTPS, where navigator.clipboard does not exist.
  const copyOld = (text) => {
    const area = make("textarea", { class: "vh", "aria-hidden": "true" });
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  };

  const copy = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      return copyOld(text);
    }
  };

  // The result is written beside the button, in a live region, and goes away again.
  const say = (button, text, seconds = 4) => {
    let note = button.nextElementSibling;
    if (!note || !note.matches(".said")) {
      note = make("span", { class: "said muted small", role: "status" });
      button.after(note);
    }
    note.textContent = text;
    setTimeout(() => { note.textContent = ""; }, seconds * 1000);
  };

  document.addEventListener("click", async (event) => {
    const copier = event.target.closest("[data-copy]");
    if (copier) {
      const source = document.querySelector(copier.dataset.copy);
      const done = await copy(source.value ?? source.innerText);
      say(copier, done ? "已复制" : "复制失败，请选中文字后手动复制");
      copier.focus();
    }
    if (event.target.closest("[data-print]")) window.print();
  });

  /* ---- Open menus close when one looks elsewhere ---- */

  const closePops = (except) => {
    for (const pop of document.querySelectorAll("details.pop[open]")) {
      if (!except || !pop.contains(except)) pop.open = false;
    }
  };

  document.addEventListener("click", (event) => closePops(event.target));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const open = document.querySelector("details.pop[open]");
    if (!open) return;
    const summary = open.querySelector("summary");
    closePops();
    summary.focus();
  });

  /* ---- Lines that save themselves ---- */

  const lines = new Map(); // form → {edits, saved, timer}
  const queues = new Map(); // group → promise: one save at a time, each needs the version of the last

  const lineOf = (form) => form.closest("[data-line]") || form;

  const stateOf = (form) => {
    const line = lineOf(form);
    let state = line.querySelector("[data-state]");
    if (!state) {
      state = make("span", { "data-state": "" });
      form.append(state);
    }
    state.classList.add("save-state");
    state.setAttribute("role", "status");
    state.setAttribute("aria-live", "polite");
    return state;
  };

  const show = (form, is, text, retry = false) => {
    const state = stateOf(form);
    state.dataset.is = is;
    if (!retry) {
      state.textContent = text;
      return;
    }
    const button = make("button", { type: "button", class: "link" }, "点击重试");
    button.addEventListener("click", () => save(form));
    state.replaceChildren(document.createTextNode(`${text}—`), button);
  };

  const fill = (root, attribute, values) => {
    for (const [name, value] of Object.entries(values || {})) {
      for (const target of root.querySelectorAll(`[${attribute}="${CSS.escape(name)}"]`)) {
        target.textContent = value;
      }
    }
  };

  const setVersion = (group, version) => {
    const value = CSS.escape(group);
    const forms = `form[data-autosave="${value}"], form[data-version-of="${value}"]`;
    for (const form of document.querySelectorAll(forms)) {
      if (form.elements.version) form.elements.version.value = version;
    }
  };

  const markInvalid = (form, errors) => {
    for (const field of form.elements) {
      if (!field.name || field.type === "hidden") continue;
      if (field.name in errors) field.setAttribute("aria-invalid", "true");
      else field.removeAttribute("aria-invalid");
    }
  };

  const answered = async (form, response) => {
    const isJson = (response.headers.get("Content-Type") || "").includes("application/json");
    const body = isJson ? await response.json() : null;
    if (response.ok && body) {
      markInvalid(form, {});
      if (body.version !== undefined) setVersion(form.dataset.autosave, body.version);
      fill(lineOf(form), "data-out", body.line);
      fill(document, "data-total", body.totals);
      return true;
    }
    if (response.status === 400 && body) {
      markInvalid(form, body.errors || {});
      show(form, "failed", `未保存：${Object.values(body.errors || {}).flat().join("；")}`);
    } else if (response.status === 409) {
      show(form, "failed", (body && body.message) || "未保存：他人已修改，请记下填写内容后刷新页面");
    } else if (response.redirected || response.status === 401 || response.status === 403) {
      show(form, "failed", "未保存：登录已过期或无权限，请在新窗口登录后重试", true);
    } else {
      show(form, "failed", "未保存", true);
    }
    return false;
  };

  const missing = (form, data) => [...form.querySelectorAll("[data-required-when]")].find((field) => {
    const [name, value] = field.dataset.requiredWhen.split("=");
    return data.get(name) === value && !field.value.trim();
  });

  const send = async (form) => {
    const line = lines.get(form);
    const edits = line.edits;
    if (edits === line.saved) return;
    const data = new FormData(form);
    const empty = missing(form, data);
    if (empty) {
      show(form, "asks", `未保存：${empty.dataset.ask}`);
      return;
    }
    show(form, "saving", "保存中");
    try {
      const response = await fetch(form.action, {
        method: "POST",
        body: data,
        credentials: "same-origin",
        headers: { Accept: "application/json", "X-CSRFToken": data.get("csrfmiddlewaretoken") || "" },
      });
      if (!(await answered(form, response))) return;
      line.saved = edits;
      if (line.edits === edits) show(form, "saved", "已保存");
    } catch {
      show(form, "failed", "未保存", true); // no network
    }
  };

  const save = (form) => {
    const line = lines.get(form);
    clearTimeout(line.timer);
    const group = form.dataset.autosave;
    const turn = (queues.get(group) || Promise.resolve()).then(() => send(form));
    queues.set(group, turn);
    return turn;
  };

  const edited = (event, wait) => {
    const form = event.target.form;
    if (!form || !("autosave" in form.dataset)) return;
    if (!lines.has(form)) lines.set(form, { edits: 0, saved: 0, timer: 0 });
    const line = lines.get(form);
    clearTimeout(line.timer);
    if (event.type === "input") line.edits += 1;
    if (line.edits === line.saved) return;
    show(form, "dirty", "未保存");
    line.timer = setTimeout(() => save(form), wait);
  };

  document.addEventListener("input", (event) => edited(event, 1500));
  document.addEventListener("change", (event) => edited(event, 0));

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!("autosave" in form.dataset)) return;
    event.preventDefault();
    if (!lines.has(form)) lines.set(form, { edits: 0, saved: 0, timer: 0 });
    lines.get(form).edits += 1;
    save(form);
  }, true);

  const unsaved = () => [...lines].filter(([form, line]) => form.isConnected && line.edits !== line.saved);

  window.addEventListener("online", () => unsaved().forEach(([form]) => save(form)));
  window.addEventListener("beforeunload", (event) => {
    if (!unsaved().length) return;
    event.preventDefault();
    event.returnValue = "";
  });

  /* ---- Photos are made smaller before they are sent ---- */

  const LONGEST_SIDE = 1600; // pixels: enough to read a paper register
  const JPEG_QUALITY = 0.85;

  const HEIC = "这是苹果手机的 HEIC 照片，请在手机“设置—相机—格式”里选“兼容性最佳”后重拍，或另存为 JPG";
  const isHeic = (file) => /hei[cf]/i.test(file.type) || /\.hei[cf]$/i.test(file.name);

  // A file that cannot be decoded is sent as it is; of HEIC it is known that the portal refuses it (null).
  const shrunk = async (file) => {
    try {
      return await shrink(file);
    } catch {
      return isHeic(file) ? null : file;
    }
  };

  const shrink = async (file) => {
    if (!file.type.startsWith("image/") && !isHeic(file)) return file;
    const picture = await createImageBitmap(file); // turns by EXIF itself
    const scale = Math.min(1, LONGEST_SIDE / Math.max(picture.width, picture.height));
    const canvas = make("canvas");
    canvas.width = Math.round(picture.width * scale);
    canvas.height = Math.round(picture.height * scale);
    const paper = canvas.getContext("2d");
    paper.fillStyle = "#fff";
    paper.fillRect(0, 0, canvas.width, canvas.height);
    paper.drawImage(picture, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", JPEG_QUALITY));
    if (!blob || (blob.size >= file.size && !isHeic(file))) return file;
    return new File([blob], file.name.replace(/\.\w+$/, "") + ".jpg", { type: "image/jpeg" });
  };

  const megabytes = (files) =>
    `${(files.reduce((sum, file) => sum + file.size, 0) / 1048576).toFixed(1)} MB`;

  document.addEventListener("change", async (event) => {
    const input = event.target;
    if (!input.matches || !input.matches("input[type=file][data-shrink]") || !input.files.length) return;
    const before = [...input.files];
    lock(input.form);
    say(input, "正在压缩照片");
    try {
      const after = (await Promise.all(before.map(shrunk))).filter((file) => file);
      const box = new DataTransfer();
      after.forEach((file) => box.items.add(file));
      input.files = box.files;
      const told = `${after.length} 个文件，${megabytes(before)} → ${megabytes(after)}`;
      if (after.length < before.length) say(input, HEIC, 60);
      else say(input, told);
      if (after.length) input.dispatchEvent(new CustomEvent("shrunk", { bubbles: true }));
    } finally {
      unlock(input.form);
    }
  });
})();
