// confluence.js reads the simulator. It checks each answer against schemas of its
// own and throws where one does not fit, so reading is a check by itself.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  createV1Client, createV2Client, isApiError, isAuthError, isForbiddenError, isNotFoundError, isRateLimitError,
  isSchemaMismatchError, isScopeError, isServerError,
} from 'confluence.js';
import { simulate } from './simulator.mjs';

const bounded = { timeout: 20_000 };

// withSimulator runs the tests against a simulator of their own.
function withSimulator(name, flags, tests) {
  describe(name, bounded, () => {
    const at = {};
    before(async () => {
      at.simulator = await simulate(...flags);
      Object.assign(at, clients(at.simulator.gateway, at.simulator.env));
    }, bounded);
    after(() => at.simulator?.stop(), bounded);
    tests(at);
  });
}

function clients(host, env) {
  const auth = env.CONFLUENCE_AUTH === 'bearer'
    ? { type: 'bearer', token: env.CONFLUENCE_TOKEN }
    : { type: 'basic', email: env.CONFLUENCE_EMAIL, apiToken: env.CONFLUENCE_TOKEN };
  return { v1: createV1Client({ host, auth }), v2: createV2Client({ host, auth }) };
}

// walk reads a listing to its end by the cursors in its next links.
async function walk(read) {
  const results = [];
  let cursor;
  for (let pages = 1; pages <= 50; pages++) {
    const page = await read(cursor);
    results.push(...page.results);
    const next = page._links?.next;
    if (!next) return { results, pages };
    cursor = new URL(next, 'http://127.0.0.1').searchParams.get('cursor');
  }
  return assert.fail('the listing does not end');
}

const ids = (results) => results.map((one) => one.id);

withSimulator('confluence.js with the least scopes', [], (at) => {
  test('reads a page in storage format', async () => {
    const page = await at.v2.page.getPageById({ id: 1001, bodyFormat: 'storage' });
    assert.equal(page.title, 'Run Book');
    assert.equal(page.version.number, 3);
    assert.match(page.body.storage.value, /^<h1>Ingest service<\/h1>/);
  });
  test('reads an earlier version of it', async () => {
    const page = await at.v2.page.getPageById({ id: 1001, bodyFormat: 'storage', version: 1 });
    assert.equal(page.body.storage.value.trim(), '<p>How we run the ingest service.</p>');
  });
  test('reads a page of the new editor in ADF', async () => {
    const page = await at.v2.page.getPageById({ id: 1002, bodyFormat: 'atlas_doc_format' });
    assert.equal(JSON.parse(page.body.atlas_doc_format.value).type, 'doc');
  });
  test('reads a page whose id needs more than 32 bits', async () => {
    assert.equal((await at.v2.page.getPageById({ id: 4643979279 })).id, '4643979279');
  });
  test('lists pages in pieces, each of them once', async () => {
    const pieces = await walk((cursor) => at.v2.page.getPages({ limit: 3, cursor }));
    const whole = await walk((cursor) => at.v2.page.getPages({ limit: 250, cursor }));
    assert.ok(pieces.pages > 3 && whole.results.length > 10);
    assert.deepEqual(ids(pieces.results), ids(whole.results));
  });
  test('lists children of five types, in their order', async () => {
    const { results } = await walk((cursor) => at.v2.children.getPageDirectChildren({ id: 1000, limit: 2, cursor }));
    assert.deepEqual(results.map((one) => one.type), ['page', 'folder', 'whiteboard', 'database', 'embed', 'page']);
  });
  test('lists children of a folder, with any sign in their titles', async () => {
    const { results } = await at.v2.children.getFolderDirectChildren({ id: 5005 });
    assert.deepEqual(results.map((one) => one.title), ['R&D "x" <env>', 'Überblick: Größe & Maß 日本語', 'Old Guides']);
  });
  test('lists descendants', async () => {
    const { results } = await walk((cursor) => at.v2.descendants.getPageDescendants({ id: 1001, depth: 5, cursor }));
    assert.deepEqual(ids(results), ['1005', '1006']);
  });
  test('finds a space by its key', async () => {
    assert.deepEqual(ids((await at.v2.space.getSpaces({ keys: ['DOC'] })).results), ['7']);
  });
  test('searches, and walks the hits', async () => {
    const search = (cursor) => at.v1.search.searchByCQL({ cql: 'space = DOC and type = page order by id', limit: 4, cursor });
    const { results, pages } = await walk(search);
    const found = results.map((hit) => hit.content.id);
    assert.ok(pages > 1 && found.includes('1001'));
    assert.equal(new Set(found).size, found.length);
  });
  test('marks the words that were searched for', async () => {
    const { results } = await at.v1.search.searchByCQL({ cql: 'text ~ "restart" and id = 1001', excerpt: 'highlight' });
    assert.match(results[0].excerpt, /@@@hl@@@restart@@@endhl@@@/);
  });
  test('lists attachments and downloads one to the last byte', async () => {
    const { results } = await walk((cursor) => at.v2.attachment.getPageAttachments({ id: 1001, limit: 2, cursor }));
    assert.deepEqual(ids(results).toSorted(), ['att77', 'att80', 'att81', 'att9']);
    const { fileSize } = await at.v2.attachment.getAttachmentById({ id: 'att9' });
    const bytes = Buffer.from(await at.v1.contentAttachments.downloadAttatchment({ id: '1001', attachmentId: 'att9' }));
    assert.equal(bytes.length, fileSize);
    assert.equal(bytes.toString('latin1', 0, 8), '\x89PNG\r\n\x1a\n');
  });
  test('sends nothing so far that a careful client would not', async () => {
    assert.equal(await at.simulator.order('GET', '/suspicious'), '');
  });
  test('is in the log of requests, without its token', async () => {
    const log = await at.simulator.order('GET', '/requests');
    const requests = log.trimEnd().split('\n').map((line) => JSON.parse(line));
    assert.ok(requests.some((one) => one.route === '/wiki/api/v2/pages/{id}' && one.status === 200 && one.token === 'default'));
    assert.ok(!log.includes(at.simulator.env.CONFLUENCE_TOKEN));
  });

  test('tells that a page is absent', async () => {
    await assert.rejects(at.v2.page.getPageById({ id: 99 }), isNotFoundError);
  });
  test('shows why CQL was refused', async () => {
    await assert.rejects(at.v1.search.searchByCQL({ cql: 'text ~' }),
      (error) => isApiError(error) && error.status === 400 && /Could not parse cql/.test(error.message));
  });
  test('tells that the site refuses scoped tokens', async () => {
    const { v2 } = clients(at.simulator.env.CONFLUENCE_SITE_URL, at.simulator.env);
    await assert.rejects(v2.page.getPageById({ id: 1001 }), isAuthError);
  });
  test('reads how long to wait from a rate limit', async () => {
    await at.simulator.order('POST', '/faults', 'route=/wiki/api/v2/pages/{id},status=429,retry-after=7,count=1');
    await assert.rejects(at.v2.page.getPageById({ id: 1001 }), (error) => isRateLimitError(error) && error.retryAfterMs === 7000);
  });
  test('tells that Confluence is down', async () => {
    await at.simulator.order('POST', '/faults', 'route=/wiki/api/v2/pages/{id},status=503,count=1');
    await assert.rejects(at.v2.page.getPageById({ id: 1001 }), isServerError);
  });
  // Without this one, all that was read above would show nothing.
  test('refuses an answer that lacks what the API description promises', async () => {
    await at.simulator.order('POST', '/faults', 'route=/wiki/api/v2/pages/{id}/direct-children,status=200,count=1,body={"results":[{"id":5}]}');
    await assert.rejects(at.v2.children.getPageDirectChildren({ id: 1000 }), isSchemaMismatchError);
  });
  test('takes a revoked token for an absent page, or for no permission, as every client does', async () => {
    await at.simulator.order('POST', '/revoke/default');
    await assert.rejects(at.v2.page.getPageById({ id: 1001 }), isNotFoundError);
    await assert.rejects(at.v1.search.searchByCQL({ cql: 'type = page' }), isForbiddenError);
  });
});

withSimulator('confluence.js with all scopes of a reader', ['--token', 'reader'], (at) => {
  test('reads a folder and the way to a page', async () => {
    assert.equal((await at.v2.folder.getFolderById({ id: 5005 })).title, 'Guides');
    assert.deepEqual(ids((await at.v2.ancestors.getPageAncestors({ id: 1006 })).results), ['1000', '1001', '1005']);
  });
  test('lists labels and versions', async () => {
    assert.deepEqual((await at.v2.label.getPageLabels({ id: 1001 })).results.map((one) => one.name).toSorted(), ['on-call', 'runbook']);
    assert.deepEqual((await at.v2.version.getPageVersions({ id: 1001 })).results.map((one) => one.number), [3, 2, 1]);
  });
  test('lists comments at the foot and in the text', async () => {
    const { results } = await at.v2.comment.getPageFooterComments({ id: 1001, bodyFormat: 'storage' });
    assert.match(results[0].body.storage.value, /^<p>Does step two/);
    assert.deepEqual(ids((await at.v2.comment.getPageInlineComments({ id: 1001 })).results), ['8003']);
  });
  test('reads people and restrictions', async () => {
    const { authorId } = await at.v2.page.getPageById({ id: 1001 });
    const { results } = await at.v1.users.getBulkUserLookup({ accountId: [authorId] });
    assert.deepEqual(results.map((one) => one.displayName), ['Ada Example']);
    const restrictions = await at.v1.contentRestrictions.getRestrictions({ id: '1001' });
    assert.deepEqual(restrictions.results.map((one) => one.operation).toSorted(), ['read', 'update']);
  });
});

withSimulator('confluence.js without the scope for search', ['--token', 'without-search'], (at) => {
  test('tells that a scope is missing, and not that the token is bad', async () => {
    await assert.rejects(at.v1.search.searchByCQL({ cql: 'type = page' }), isScopeError);
    assert.equal((await at.v2.page.getPageById({ id: 1001 })).title, 'Run Book');
  });
});

withSimulator('confluence.js with a bearer token', ['--auth', 'bearer'], (at) => {
  test('reads a page', async () => {
    assert.equal((await at.v2.page.getPageById({ id: 1001 })).title, 'Run Book');
  });
});

withSimulator('confluence.js on a site of many pages', ['--pages', '2000', '--quirk', 'gateway-base', '--rate-limit', '1000'], (at) => {
  test('walks all children of a wide page', async () => {
    const { results, pages } = await walk((cursor) => at.v2.children.getPageDirectChildren({ id: 1000, limit: 50, cursor }));
    assert.ok(pages > 2 && results.length > 100);
    assert.equal(new Set(ids(results)).size, results.length);
  });
});
