// ioredis over its everyday surface, against any server: ioredis.cjs PORT.
const assert = require('node:assert');
const Redis = require('ioredis');

const port = Number(process.argv[2]);
let checks = 0;
const same = (found, expected) => {
  checks += 1;
  assert.deepEqual(found, expected, `check ${checks}`);
};

async function main() {
  const c = new Redis({ port, connectionName: 'tester', db: 3 });
  c.on('error', (error) => { throw error; });
  await c.flushall();
  same(await c.ping(), 'PONG');
  same(await c.set('s', 'v', 'EX', 100), 'OK');
  same(await c.get('s'), 'v');
  same(await c.getBuffer('s'), Buffer.from('v'));
  same(await c.get('nosuch'), null);
  same((await c.ttl('s')) > 0, true);
  same(await c.mset('a', 1, 'b', 2), 'OK');
  same(await c.mget('a', 'nosuch', 'b'), ['1', null, '2']);
  same(await c.incrby('a', 41), 42);
  same(await c.hset('h', { f: '1', g: '2' }), 2);
  same({ ...(await c.hgetall('h')) }, { f: '1', g: '2' });
  same(await c.rpush('l', 'a', 'b', 'c'), 3);
  same(await c.lrange('l', 0, -1), ['a', 'b', 'c']);
  same(await c.sadd('t', '1', '2'), 2);
  same([...(await c.smembers('t'))].sort(), ['1', '2']);
  same(await c.zadd('z', 1, 'one', 0.5, 'half'), 2);
  same((await c.zrange('z', 0, -1, 'WITHSCORES')).flat().map(String), ['half', '0.5', 'one', '1']);
  same(await c.xadd('x', '1-1', 'f', 'v'), '1-1');
  same(await c.xrange('x', '-', '+'), [['1-1', ['f', 'v']]]);
  same(await c.xgroup('CREATE', 'x', 'g', '0'), 'OK');
  same(await c.xreadgroup('GROUP', 'g', 'me', 'COUNT', 1, 'STREAMS', 'x', '>'), [['x', [['1-1', ['f', 'v']]]]]);
  same(await c.xack('x', 'g', '1-1'), 1);
  same([await c.setbit('bits', 7, 1), await c.bitcount('bits')], [0, 1]);
  same([await c.pfadd('hll', 'a', 'b'), await c.pfcount('hll')], [1, 2]);
  same(await c.geoadd('geo', 13.361389, 38.115556, 'Palermo'), 1);
  same(await c.geosearch('geo', 'FROMLONLAT', 13, 38, 'BYRADIUS', 100, 'km', 'ASC'), ['Palermo']);
  same((await c.hscan('h', 0))[1].length, 4);
  same(await c.sort('t', 'DESC'), ['2', '1']);
  same(await c.lmove('l', 'm', 'LEFT', 'RIGHT'), 'a');
  same(await c.blpop('nosuch', 'm', 5), ['m', 'a']);
  const other = c.duplicate();
  await c.watch('watched');
  await other.set('watched', 'by another');
  same(await c.multi().set('watched', 'mine').exec(), null);
  await other.psubscribe('n?ws');
  same(await c.publish('news', 'to patterns'), 1);
  await other.quit();
  const pipeline = c.pipeline();
  for (let i = 0; i < 1000; i += 1) pipeline.set(`key:${i}`, i).get(`key:${i}`);
  same((await pipeline.exec()).filter(([error]) => error).length, 0);
  same(await c.multi().incr('n').incr('n').exec(), [[null, 1], [null, 2]]);
  same(await c.blpop('nosuch', 0.01), null);
  const listener = c.duplicate();
  await listener.subscribe('news');
  const heard = new Promise((resolve) => { listener.on('message', (channel, message) => resolve(message)); });
  same(await c.publish('news', 'hello'), 1);
  same(await heard, 'hello');
  await listener.quit();
  const keys = new Set();
  for await (const batch of c.scanStream({ match: 'key:*', count: 100 })) batch.forEach((key) => keys.add(key));
  same(keys.size, 1000);
  await assert.rejects(c.incr('l'), /WRONGTYPE/);
  await assert.rejects(c.call('NOSUCH', 'x'), /unknown command 'NOSUCH', with args beginning with: 'x'/);
  same([await c.config('GET', 'maxmemory')].flat(2).length > 0, true);
  same(/redis_version:8\.0\.6/.test(await c.info()), true);
  same(await c.client('GETNAME'), 'tester');
  same(/lib-name=ioredis/.test(await c.client('INFO')), true);
  same(/ db=3 /.test(await c.client('INFO')), true);
  await c.flushdb();
  await c.quit();
  console.log(`ioredis ${require('ioredis/package.json').version}: ${checks} checks passed`);
}

main().catch((error) => { console.error(error); process.exit(1); });
