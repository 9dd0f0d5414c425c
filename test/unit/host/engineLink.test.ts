import { describe, expect, test } from 'vitest';
import { EngineError, type EngineConnection } from '../../../src/client/connection.ts';
import { createEngineLink, type Connect } from '../../../src/host/engineLink.ts';
import { eventsAppended, listRuns } from '../../../src/protocol/engine.ts';
import { fakeEngine, settle } from './fakeEngine.ts';

function linkOver(connect: Connect, now = () => 0) {
  const logged: string[] = [];
  const link = createEngineLink({ connect, now, log: (message) => logged.push(message) });
  const states: string[] = [];
  link.onState(({ kind }) => states.push(kind));
  return { link, states, logged };
}

describe('the window’s link to its engine', () => {
  test('requests asked for together wait for one connection', async () => {
    const engine = fakeEngine({ 'ratchet/runs': () => [] });
    let connections = 0;
    const { link, states } = linkOver(async () => {
      connections += 1;
      await settle();
      return engine.connection;
    });
    await Promise.all([link.request(listRuns, {}), link.request(listRuns, {})]);
    expect(connections).toBe(1);
    expect(states).toEqual(['connecting', 'open']);
  });

  test('looking for an engine that is not there starts none and is no failure', async () => {
    const asked: string[] = [];
    const { link, states } = linkOver(async (start) => {
      asked.push(start);
      return null;
    });
    expect(await link.connect('never')).toBeNull();
    expect(asked).toEqual(['never']);
    expect(states).toEqual(['connecting', 'idle']);
  });

  test('a request made while only looking still starts the engine', async () => {
    const engine = fakeEngine({ 'ratchet/runs': () => [] });
    const { link } = linkOver(async (start) => {
      await settle();
      return start === 'never' ? null : engine.connection;
    });
    const looked = link.connect('never');
    const answer = link.request(listRuns, {});
    await looked;
    expect(await answer).toEqual([]);
  });

  test('a failure is told in its own sentence, is kept, and goes away with retry', async () => {
    const engine = fakeEngine({ 'ratchet/runs': () => [] });
    let works = false;
    let attempts = 0;
    const { link } = linkOver(async () => {
      attempts += 1;
      if (!works) throw new EngineError('store', 'The database is damaged.');
      return engine.connection;
    });
    await expect(link.request(listRuns, {})).rejects.toThrow('The database is damaged.');
    await expect(link.request(listRuns, {})).rejects.toThrow('The database is damaged.');
    expect(attempts).toBe(1);
    works = true;
    await link.retry();
    expect(link.state().kind).toBe('open');
  });

  test('what is not an engine’s error is put into a sentence', async () => {
    const { link } = linkOver(async () => {
      throw new TypeError('x is not a function');
    });
    await expect(link.connect('ifNeeded')).rejects.toBeInstanceOf(EngineError);
  });

  test('subscriptions outlive an engine that goes away and comes back', async () => {
    const engines = [fakeEngine({}), fakeEngine({})];
    let index = -1;
    const { link, states } = linkOver(async () => {
      index += 1;
      return engines[index]?.connection ?? null;
    });
    const seen: number[] = [];
    link.on(eventsAppended, ({ events }) => seen.push(events.length));
    await link.connect('ifNeeded');
    engines[0]?.notify(eventsAppended, { events: [] });
    engines[0]?.die();
    await settle();
    engines[1]?.notify(eventsAppended, { events: [] });
    expect(seen).toEqual([0, 0]);
    expect(states).toEqual(['connecting', 'open', 'idle', 'connecting', 'open']);
  });

  test('an engine that keeps going away is given up after three times in a minute, and can be retried', async () => {
    let engine = fakeEngine({});
    const { link } = linkOver(async (): Promise<EngineConnection> => {
      engine = fakeEngine({});
      return engine.connection;
    });
    await link.connect('ifNeeded');
    for (let death = 0; death < 4; death += 1) {
      engine.die();
      await settle();
    }
    expect(link.state()).toMatchObject({ kind: 'failed' });
    await link.retry();
    expect(link.state().kind).toBe('open');
  });

  test('a closed link connects no more', async () => {
    const engine = fakeEngine({});
    const { link } = linkOver(async () => engine.connection);
    await link.connect('ifNeeded');
    link.close();
    await expect(link.connect('ifNeeded')).rejects.toThrow('closing');
  });

  test('a restart asks the engine to end and starts another', async () => {
    const engines = [fakeEngine({ 'ratchet/shutdown': () => null }), fakeEngine({})];
    let index = -1;
    const { link } = linkOver(async () => {
      index += 1;
      return engines[index]?.connection ?? null;
    });
    await link.connect('ifNeeded');
    await link.restart();
    expect(engines[0]?.asked).toEqual(['ratchet/shutdown']);
    expect(link.state()).toMatchObject({ kind: 'open', connection: engines[1]?.connection });
  });
});
