// mcp-atlassian reads the simulator, as a server on stdin and stdout would for a
// language model. It calls endpoints that Atlassian has removed but that many
// sites still have, hence the quirk.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { simulate } from './simulator.mjs';

const bounded = { timeout: 20_000 };

describe('mcp-atlassian', bounded, () => {
  let simulator;
  let client;

  before(async () => {
    simulator = await simulate('--quirk', 'old-content-routes');
    const transport = new StdioClientTransport({
      command: process.execPath,
      args: [fileURLToPath(import.meta.resolve('mcp-atlassian'))],
      stderr: 'ignore',
      env: {
        ATLASSIAN_BASE_URL: simulator.gateway,
        ATLASSIAN_EMAIL: simulator.env.CONFLUENCE_EMAIL,
        ATLASSIAN_API_TOKEN: simulator.env.CONFLUENCE_TOKEN,
      },
    });
    client = new Client({ name: 'confluence-broker-peers', version: '1.0.0' });
    client.onerror = () => {}; // it writes its log between the messages
    await client.connect(transport, bounded);
  }, bounded);
  after(async () => {
    await client?.close();
    await simulator?.stop();
  }, bounded);

  // call returns what the tool says. A tool that failed says so in words.
  async function call(name, args) {
    const answer = await client.callTool({ name, arguments: args }, undefined, bounded);
    assert.ok(!answer.isError, answer.content[0].text);
    return JSON.parse(answer.content[0].text);
  }

  test('reads a page', async () => {
    const page = await call('read_confluence_page', { pageId: '1001' });
    assert.equal(page.title, 'Run Book');
    assert.equal(page.space.key, 'DOC');
    assert.equal(page.version, 3);
    assert.match(page.content, /^<h1>Ingest service<\/h1>/);
  });
  test('searches', async () => {
    const found = await call('search_confluence_pages', { cql: 'label = "on-call" and type = page order by title' });
    assert.deepEqual(found.results.map((hit) => hit.title), ['Escalation', 'Run Book']);
    assert.equal(found.totalResults, 2);
  });
  test('is told of as careless for what many sites would refuse', async () => {
    assert.match(await simulator.order('GET', '/suspicious'), /content\/1001 .*answers 410 on many sites/);
  });
});
