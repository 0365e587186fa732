// Keeps the page for when there is no network, and nothing else: a status is never shown from a cache.

const CACHE = "baywatt";
const KEPT = "__KEPT__";

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(KEPT)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  const drop = async () => {
    const cache = await caches.open(CACHE);
    const wanted = new Set(KEPT.map((path) => new URL(path, location.origin).href));
    for (const request of await cache.keys()) if (!wanted.has(request.url)) await cache.delete(request);
    await self.clients.claim();
  };
  event.waitUntil(drop());
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.mode === "navigate") {
    event.respondWith(fetch(request).catch(() => caches.match("/offline")));
  } else if (KEPT.some((path) => request.url.endsWith(path)) && request.method === "GET") {
    event.respondWith(fetch(request).catch(() => caches.match(request)));
  }
});

// what the reader is told while no page is open
self.addEventListener("push", (event) => {
  const told = event.data?.json();
  if (!told) return;
  event.waitUntil(self.registration.showNotification(told.title, { body: told.body, tag: told.id, data: { link: told.link } }));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const link = new URL(event.notification.data?.link ?? "/", location.origin);
  if (link.origin === location.origin) event.waitUntil(self.clients.openWindow(link.href));
});
