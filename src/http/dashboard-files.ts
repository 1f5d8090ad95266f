// The dashboard's built files. Names under assets/ carry a hash of what is in them and may be kept for ever; the page
// itself is asked for each time.

import { existsSync } from "node:fs";
import { join, sep } from "node:path";
import fastifyStatic from "@fastify/static";
import type { FastifyInstance } from "fastify";

/** Serves `dashboardDir` at `/`, its page to log in at `/login` and `/setup`, or a page that says how to build it. */
export async function serveDashboard(app: FastifyInstance, { dashboardDir }: { dashboardDir: string }): Promise<void> {
  if (!existsSync(join(dashboardDir, "index.html"))) {
    for (const path of ["/", "/login", "/setup"])
      app.get(path, async (_request, reply) => reply.code(503).header("content-type", "text/html; charset=utf-8").send(notBuilt));
    return;
  }
  await app.register(fastifyStatic, {
    root: dashboardDir,
    wildcard: false,
    cacheControl: false,
    setHeaders: (response, path) => {
      response.header("cache-control", path.includes(`${sep}assets${sep}`) ? "public, max-age=31536000, immutable" : "no-cache");
    },
  });
  for (const path of ["/login", "/setup"]) app.get(path, async (_request, reply) => reply.sendFile("login.html"));
}

const notBuilt = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Highwater</title></head>
<body><h1>The gateway runs; its page is not built</h1><p>Run <code>npm run prepare</code> and start it again. The API is described at <a href="/openapi.json">/openapi.json</a>.</p></body></html>
`;
