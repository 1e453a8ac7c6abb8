// node-redis over its everyday surface, against any server: node_redis.cjs PORT. RESP3 (its default) and RESP2.
const assert = require('node:assert');
const { createClient } = require('redis');

const port = Number(process.argv[2]);
let checks = 0;
const same = (found, expected) => {
  checks += 1;
  // Maps and sets of RESP3 come as plain objects without a prototype.
  assert.deepEqual(JSON.parse(JSON.stringify(found)), expected, `check ${checks}`);
};

async function surface(c) {
  await c.flushAll();
  same(await c.ping(), 'PONG');
  same(await c.set('s', 'v'), 'OK');
  same(await c.get('s'), 'v');
  same(await c.get('nosuch'), null);
  same(await c.set('s', 'w', { NX: true }), null);
  same(await c.mSet({ a: '1', b: '2' }), 'OK');
  same(await c.mGet(['a', 'nosuch', 'b']), ['1', null, '2']);
  same(await c.incrBy('a', 41), 42);
  same(await c.set('e', 'v', { EX: 100 }), 'OK');
  same((await c.ttl('e')) > 0, true);
  same(await c.persist('e'), 1);
  same(await c.hSet('h', { f: '1', g: '2' }), 2);
  same({ ...(await c.hGetAll('h')) }, { f: '1', g: '2' });
  same(await c.hmGet('h', ['f', 'nosuch']), ['1', null]);
  same(await c.hExpire('h', 'f', 100), [1]);
  same(await c.rPush('l', ['a', 'b', 'c']), 3);
  same(await c.lRange('l', 0, -1), ['a', 'b', 'c']);
  same(await c.lPop('l'), 'a');
  same(await c.sAdd('t', ['1', '2']), 2);
  same([...(await c.sMembers('t'))].sort(), ['1', '2']);
  same(await c.sIsMember('t', '1'), 1);
  same(await c.zAdd('z', [{ score: 1, value: 'one' }, { score: 0.5, value: 'half' }]), 2);
  same(await c.zRangeWithScores('z', 0, -1), [{ value: 'half', score: 0.5 }, { value: 'one', score: 1 }]);
  same(await c.zScore('z', 'half'), 0.5);
  same(await c.xAdd('x', '1-1', { f: 'v' }), '1-1');
  same(await c.xLen('x'), 1);
  same((await c.xRange('x', '-', '+')).map((e) => [e.id, { ...e.message }]), [['1-1', { f: 'v' }]]);
  same(await c.xGroupCreate('x', 'g', '0'), 'OK');
  // A list of streams in RESP2, a map of them in RESP3.
  const batch = JSON.stringify(await c.xReadGroup('g', 'me', { key: 'x', id: '>' }, { COUNT: 1 }));
  same(/"x".*"1-1".*"f"/.test(batch), true);
  same(await c.xAck('x', 'g', '1-1'), 1);
  same((await c.xInfoGroups('x')).map((group) => group.name), ['g']);
  same([await c.setBit('bits', 7, 1), await c.bitCount('bits')], [0, 1]);
  same([await c.pfAdd('hll', ['a', 'b']), await c.pfCount('hll')], [1, 2]);
  same(await c.geoAdd('geo', [{ longitude: 13.361389, latitude: 38.115556, member: 'Palermo' }]), 1);
  same(await c.geoSearch('geo', { longitude: 13, latitude: 38 }, { radius: 100, unit: 'km' }), ['Palermo']);
  same(await c.sInter(['t', 't']), await c.sMembers('t'));
  same(await c.zRangeStore('z2', 'z', 0, 0), 1);
  same(await c.hRandField('h') !== null, true);
  same(await c.sort('t', { DIRECTION: 'DESC' }), ['2', '1']);
  same(await c.lMove('l', 'm', 'LEFT', 'RIGHT'), 'b');
  same({ ...(await c.blPop(['nosuch', 'm'], 5)) }, { key: 'm', element: 'b' });
  const other = c.duplicate();
  await other.connect();
  await c.watch('watched');
  await other.set('watched', 'by another');
  await assert.rejects(c.multi().set('watched', 'mine').exec());
  await other.sSubscribe('shard', () => {});
  same(await c.sPublish('shard', 'there'), 1);
  await other.close();
  // Commands of one tick leave as one pipeline.
  const many = await Promise.all(Array.from({ length: 1000 }, (_, i) => c.set(`key:${i}`, String(i))));
  same(many.every((reply) => reply === 'OK'), true);
  same(await c.multi().incr('n').incr('n').exec(), [1, 2]);
  same(await c.blPop('nosuch', 0.01), null);
  const listener = c.duplicate();
  await listener.connect();
  const heard = new Promise((resolve) => { listener.subscribe('news', resolve).then(() => c.publish('news', 'hello')); });
  same(await heard, 'hello');
  await listener.close();
  const keys = new Set();
  for await (const batch of c.scanIterator({ MATCH: 'key:*', COUNT: 100 })) {
    for (const key of [batch].flat()) keys.add(key);
  }
  same(keys.size, 1000);
  same(await c.type('z'), 'zset');
  same(await c.objectEncoding('key:1'), 'int');
  await assert.rejects(c.incr('l'), /WRONGTYPE/);
  await assert.rejects(c.sendCommand(['NOSUCH', 'x']), /unknown command 'NOSUCH', with args beginning with: 'x'/);
  same({ ...(await c.configGet('maxmemory')) }, { maxmemory: '0' });
  same(/redis_version:8\.0\.6/.test(await c.info()), true);
  const me = await c.clientInfo();
  same(me.libName, 'node-redis');
  same(await c.clientSetName('tester'), 'OK');
  same(await c.clientGetName(), 'tester');
  same(await c.dbSize(), (await c.keys('*')).length);
  same(await c.flushDb(), 'OK');
}

async function main() {
  for (const RESP of [3, 2]) {
    const client = createClient({ socket: { port }, RESP });
    client.on('error', (error) => { throw error; });
    await client.connect();
    await surface(client);
    await client.close();
  }
  console.log(`node-redis ${require('redis/package.json').version}: ${checks} checks passed`);
}

main().catch((error) => { console.error(error); process.exit(1); });
