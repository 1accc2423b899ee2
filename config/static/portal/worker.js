/*
 * The service worker of the visit page: without a network it answers that one page with its empty shell, which visit.js
 * fills with what the device keeps for the user. It keeps no page and no answer; visit.js puts the shell and the static
 * files it needs into the cache. Served at /worker.js, for addresses under /supervision/visits/ only.
 */
"use strict";

const SHELL = "/supervision/visits/offline/";
const PAGE = /^\/supervision\/visits\/\d+\/record\/$/;
const PATIENCE = 10000; // milliseconds; a network that hangs counts as none

const kept = (address) => caches.match(address, { ignoreVary: true });

const page = async (request) => {
  const late = new Promise((done, failed) => setTimeout(failed, PATIENCE));
  try {
    return await Promise.race([fetch(request), late]);
  } catch {
    return (await kept(SHELL)) || Response.error();
  }
};

const asset = async (request) => {
  try {
    return await fetch(request);
  } catch {
    return (await kept(request)) || Response.error();
  }
};

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (request.mode === "navigate") {
    if (PAGE.test(url.pathname)) event.respondWith(page(request));
  } else if (["style", "script", "image"].includes(request.destination)) {
    event.respondWith(asset(request));
  }
});
