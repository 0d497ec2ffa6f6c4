// nats.mjs: is a NATS server healthy, connected to its cluster, and has JetStream a leader and room?
//
// It asks the server's monitoring port for /healthz, /varz, /routez where routes are wanted, and /jsz where JetStream is.
//
//   ok     healthy, and below the limits
//   warn   connections, JetStream's memory or its storage above `warn_percent` of what is allowed
//   fail   no answer; not healthy; fewer routes than wanted; JetStream wanted and off, without a leader of its meta group,
//          or with a member of it offline; above `fail_percent`
//   void   the port asks for a login, or this is another service
//
// Settings, in brackets what holds without them.
//   url            of the monitoring port, required: http://10.0.0.50:8222
//   routes         so many other servers of the cluster have to be connected [0]
//   jetstream      true: it has to be on [false: looked at where it is]
//   warn_percent   of the connections, of JetStream's memory and storage [80]
//   fail_percent   [95]
//
// Needs: nats-server 2.9 or newer with its monitoring port on: `http_port: 8222` or `-m 8222`. No package.
//
//   targets:
//     - name: nats-1
//       interval: 10s
//       script:
//         file: ./probes/contrib/nats.mjs
//         with: { url: "http://10.0.0.50:8222", routes: 2, jetstream: true }

import { defineProbe, fail, ok, voided, warn } from 'vitald';

const KNOWN = new Set(['url', 'routes', 'jetstream', 'warn_percent', 'fail_percent']);

export default defineProbe({
  settings(given) {
    const unknown = Object.keys(given).find((key) => !KNOWN.has(key));
    if (unknown !== undefined) throw new Error(`there is no setting ${unknown}`);
    const { url, routes = 0, jetstream = false, warn_percent = 80, fail_percent = 95 } = given;
    if (typeof url !== 'string' || !/^https?:\/\//.test(url))
      throw new Error('url: http://host:port is needed');
    return {
      url: url.replace(/\/+$/, ''),
      routes: number('routes', routes),
      jetstream: jetstream === true || jetstream === 'true',
      warnAt: number('warn_percent', warn_percent),
      failAt: number('fail_percent', fail_percent),
    };
  },

  async attempt(settings, { signal }) {
    const get = (path) => read(settings.url + path, signal);
    const health = await get('/healthz');
    if (health.status === 401 || health.status === 403)
      return voided(`the login was refused: status ${health.status}`);
    if (health.json?.status === undefined) {
      return voided(
        `no health in the answer (status ${health.status}): is this the monitoring port of NATS 2.9 or newer?`,
      );
    }
    if (health.status !== 200 || health.json.status !== 'ok') {
      return fail('not_serving', `not healthy: ${health.json.error ?? health.json.status}`);
    }

    const { json: server } = await get('/varz');
    if (server?.server_id === undefined) return voided('/varz tells nothing: is this NATS?');
    const facts = {
      version: server.version,
      connections: server.connections,
      slow_consumers: server.slow_consumers,
      memory_bytes: server.mem,
      routes: server.routes,
    };
    const troubles = createTroubles(settings);
    troubles.share('connections', server.connections, server.max_connections);
    if (settings.routes > 0) await lookAtRoutes(get, settings, facts, troubles);
    if (server.jetstream?.config !== undefined) await lookAtJetStream(get, server, facts, troubles);
    else if (settings.jetstream) troubles.fails.push('JetStream is off');

    const { fails, warns } = troubles;
    const name = server.server_name ?? server.server_id;
    if (fails.length > 0) return fail('not_serving', `${name}: ${[...fails, ...warns].join('; ')}`, facts);
    if (warns.length > 0) return warn(`${name}: ${warns.join('; ')}`, facts);
    return ok(`${name} is healthy, ${server.connections} connections`, facts);
  },
});

/** A route is counted once for each pool connection: what counts is how many servers are at their other ends. */
async function lookAtRoutes(get, settings, facts, { fails }) {
  const { json } = await get('/routez');
  const others = new Set((json?.routes ?? []).map(({ remote_id }) => remote_id));
  facts.routed_servers = others.size;
  if (others.size < settings.routes)
    fails.push(`connected to ${others.size} of ${settings.routes} servers of the cluster`);
}

async function lookAtJetStream(get, server, facts, troubles) {
  const { json: js } = await get('/jsz');
  facts.jetstream_storage_bytes = js?.storage;
  facts.jetstream_memory_bytes = js?.memory;
  facts.streams = js?.streams;
  facts.consumers = js?.consumers;
  troubles.share("JetStream's storage", js?.storage, server.jetstream.config.max_storage);
  troubles.share("JetStream's memory", js?.memory, server.jetstream.config.max_memory);
  const meta = js?.meta_cluster;
  if (meta === undefined) return;
  facts.meta_size = meta.cluster_size;
  if (!meta.leader) troubles.fails.push('JetStream has no leader of its meta group');
  const gone = (meta.replicas ?? []).filter(({ offline }) => offline === true).map(({ name }) => name);
  if (gone.length > 0) troubles.fails.push(`offline in JetStream: ${gone.join(', ')}`);
}

function createTroubles({ warnAt, failAt }) {
  const fails = [];
  const warns = [];
  return {
    fails,
    warns,
    share(what, used, most) {
      if (!(most > 0) || used === undefined) return;
      const percent = (100 * used) / most;
      if (percent < warnAt) return;
      (percent >= failAt ? fails : warns).push(`${what}: ${Math.round(percent)} % of what is allowed`);
    },
  };
}

async function read(url, signal) {
  // A connection that is kept would hide a server that takes no new ones.
  const response = await fetch(url, { signal, redirect: 'error', headers: { connection: 'close' } });
  const text = await response.text();
  try {
    return { status: response.status, json: JSON.parse(text) };
  } catch {
    return { status: response.status, json: undefined };
  }
}

function number(name, value) {
  if (!(Number(value) >= 0)) throw new Error(`${name}: ${value} is not a number`);
  return Number(value);
}
