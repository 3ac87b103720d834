// Runs n8n's Calendly trigger against the sandbox, as n8n does: asks whether its subscription exists,
// makes it, has it check the webhooks that come, and deletes it.
//
//     node n8n.js SANDBOX_URL TOKEN PACKAGE_FOLDER
//
// The node is used as it is published; what n8n itself gives to a node is stood in for here. Calls
// that it makes to Calendly's host go to the sandbox.

"use strict";

const assert = require("node:assert/strict");
const http = require("node:http");
const Module = require("node:module");
const path = require("node:path");

const [sandbox, token, folder] = process.argv.slice(2);

// What the node takes from n8n's own package.
const workflow = {
  NodeConnectionTypes: { Main: "main" },
  NodeOperationError: class extends Error {
    constructor(node, message) {
      super(message);
    }
  },
  VersionedNodeType: class {
    constructor(versions, description) {
      Object.assign(this, { nodeVersions: versions, description });
    }
  },
};
const load = Module._load;
Module._load = (name, ...rest) => (name === "n8n-workflow" ? workflow : load(name, ...rest));
const { CalendlyTrigger } = require(path.join(folder, "dist/nodes/Calendly/CalendlyTrigger.node.js"));

async function call(method, url, body, headers) {
  const options = { method, headers: { "content-type": "application/json", ...headers } };
  if (body !== undefined) options.body = JSON.stringify(body);
  const answer = await fetch(url, options);
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${url}: ${answer.status} ${text}`);
  return text ? JSON.parse(text) : undefined;
}

const control = (method, path, body) => call(method, `${sandbox}/_sandbox${path}`, body);

// What n8n gives to a node in one workflow.
function host(parameters, webhookUrl, state) {
  return {
    getNodeWebhookUrl: () => webhookUrl,
    getWorkflowStaticData: () => state,
    getNodeParameter: (name, _, fallback) => parameters[name] ?? fallback,
    getNode: () => ({ name: "Calendly Trigger" }),
    helpers: {
      returnJsonArray: (json) => [{ json }],
      async requestWithAuthentication(credentials, { method, uri, body, qs }) {
        assert.equal(credentials, parameters.credentials);
        const url = new URL(uri.replace("https://api.calendly.com", sandbox));
        for (const [name, value] of Object.entries(qs ?? {})) url.searchParams.set(name, value);
        return call(method, url, body, { authorization: `Bearer ${token}` });
      },
    },
  };
}

// What n8n gives to a node with one webhook, and how that was answered.
function arrival(workflowHost, { headers, body }) {
  const answer = { status: 200 };
  const response = {
    status: (status) => Object.assign(answer, { status }) && response,
    send: () => response,
    end: () => response,
  };
  return {
    answer,
    given: {
      ...workflowHost,
      getRequestObject: () => ({ header: (name) => headers[name], rawBody: body }),
      getResponseObject: () => response,
      getBodyData: () => JSON.parse(body),
    },
  };
}

// The next webhook that comes to an address of its own.
async function receiver() {
  let arrived;
  const next = new Promise((resolve) => (arrived = resolve));
  const server = http.createServer((request, response) => {
    const parts = [];
    request.on("data", (part) => parts.push(part));
    request.on("end", () => {
      response.end();
      arrived({ headers: request.headers, body: Buffer.concat(parts) });
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${server.address().port}/`, next, server };
}

async function tryOut(version, scope) {
  const node = new CalendlyTrigger().nodeVersions[version];
  const { checkExists, create, delete: remove } = node.webhookMethods.default;
  const credentials = version === 1 ? "calendlyApi" : "calendlyOAuth2Api";
  const authentication = version === 1 ? "apiKey" : "oAuth2";
  const events = ["invitee.created", "invitee.canceled"];
  const parameters = { scope, events, authentication, credentials };
  const state = {};
  // It insists on HTTPS, so nothing listens here.
  const given = host(parameters, `https://n8n.example.com/webhook/${version}-${scope}`, state);

  assert.equal(await checkExists.call(given), false);
  assert.equal(await create.call(given), true);
  delete state.webhookURI;
  assert.equal(await checkExists.call(given), true, "it finds what it made");

  // The same webhooks, signed with the node's own key, to an address that listens.
  const { url, next, server } = await receiver();
  const second = { url, events, signingKey: state.webhookSecret };
  await control("POST", "/subscriptions", second);
  const startTime = "2030-01-01T10:00:00Z";
  await control("POST", "/bookings", { name: "Ada", email: "ada@example.com", startTime });
  const webhook = await next;
  server.close();
  const good = arrival(given, webhook);
  const { workflowData } = await node.webhook.call(good.given);
  assert.equal(good.answer.status, 200);
  assert.equal(workflowData[0][0].json.event, "invitee.created");
  state.webhookSecret = "another key";
  const bad = arrival(given, webhook);
  assert.deepEqual(await node.webhook.call(bad.given), { noWebhookResponse: true });
  assert.equal(bad.answer.status, 401);

  assert.equal(await remove.call(given), true);
  assert.equal(await checkExists.call(given), false);
}

(async () => {
  for (const version of [1, 2]) {
    for (const scope of ["user", "organization"]) {
      await tryOut(version, scope);
      console.log(`version ${version}, scope ${scope}: well`);
    }
  }
})();
