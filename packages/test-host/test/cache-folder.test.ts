import assert from 'node:assert/strict';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { cacheFolder } from '../src/cache/cache-folder.ts';

test('the cache is where its user says, else where the XDG specification does, else in the home folder', () => {
  assert.equal(cacheFolder({ UNPIN_CACHE: '/a', XDG_CACHE_HOME: '/b' }), '/a');
  assert.equal(cacheFolder({ XDG_CACHE_HOME: '/b' }), '/b/unpin');
  assert.equal(cacheFolder({}), join(homedir(), '.cache/unpin'));
});

test('a relative or empty place for the cache is ignored: it would be another in every folder', () => {
  assert.equal(cacheFolder({ UNPIN_CACHE: 'a', XDG_CACHE_HOME: '' }), join(homedir(), '.cache/unpin'));
});
