import { FormatError } from '../../format-error.ts';
import type { Budget } from '../../source/budget.ts';
import type { ByteSource } from '../../source/byte-source.ts';
import { LruCache } from '../../source/lru-cache.ts';
import { checkRead } from '../../source/most-at-once.ts';
import { ClusterMap, type Extent } from './cluster-map.ts';
import type { Qcow2Header } from './header.ts';
import { TablePages } from './table-pages.ts';
import { unpackCluster } from './unpack-cluster.ts';

/** What is kept of unpacked clusters, in bytes; at least one, which has up to 2 MiB. */
const KEPT = 2 ** 22;

/**
 * The guest's view of a qcow2 file.
 * @param file the qcow2 file itself, cached: tables and packed clusters are read in small pieces
 * @param backing what shows through where nothing was written
 */
export function qcow2Source(
  name: string,
  file: ByteSource,
  header: Qcow2Header,
  backing: ByteSource | undefined,
  budget: Budget,
): ByteSource {
  const clusterBytes = 2 ** header.clusterBits;
  const map = new ClusterMap(header, new TablePages(file, clusterBytes), budget);
  const unpacked = new LruCache<Uint8Array>(KEPT);

  async function cluster(host: number, packed: number): Promise<Uint8Array> {
    const known = unpacked.get(host);
    if (known !== undefined) return known;
    // The last sector of the file need not be whole.
    const length = Math.min(packed, file.size - host);
    if (length <= 0) throw new FormatError('truncated', 'qcow2 compressed cluster', host, `the file has ${file.size}`);
    budget.takeBytes(clusterBytes, 'qcow2 compressed cluster', host);
    const bytes = unpackCluster(header.compression, await file.read(host, length), clusterBytes, host);
    unpacked.set(host, bytes, clusterBytes);
    return bytes;
  }

  /** Plain clusters; the last one of the file may be cut off where only zeroes would follow. */
  async function data(host: number, length: number): Promise<Uint8Array> {
    if (host + length <= file.size) return file.read(host, length);
    const end = Math.ceil(file.size / clusterBytes) * clusterBytes;
    if (host + length > end)
      throw new FormatError('truncated', 'qcow2 cluster', host, `${length} bytes wanted, the file has ${file.size}`);
    const out = Buffer.alloc(length);
    if (host < file.size) out.set(await file.read(host, file.size - host));
    return out;
  }

  async function behind(offset: number, length: number): Promise<Uint8Array> {
    const inBacking = backing === undefined ? 0 : Math.max(0, Math.min(length, backing.size - offset));
    if (backing !== undefined && inBacking === length) return backing.read(offset, length);
    budget.takeBytes(length - inBacking, 'qcow2 zeroes', offset);
    const out = Buffer.alloc(length);
    if (backing !== undefined && inBacking > 0) out.set(await backing.read(offset, inBacking));
    return out;
  }

  async function bytesOf(extent: Extent, offset: number): Promise<Uint8Array> {
    switch (extent.kind) {
      case 'data':
        return data(extent.host, extent.length);
      case 'compressed': {
        const bytes = await cluster(extent.host, extent.packed);
        return bytes.subarray(extent.inCluster, extent.inCluster + extent.length);
      }
      case 'unallocated':
        return behind(offset, extent.length);
      case 'zero':
        budget.takeBytes(extent.length, 'qcow2 zeroes', offset);
        return Buffer.alloc(extent.length);
    }
  }

  return {
    name,
    size: header.size,
    read: async (offset, length) => {
      checkRead(name, header.size, offset, length);
      if (length === 0) return new Uint8Array(0);
      const first = await map.extentAt(offset, length);
      if (first.length === length) return bytesOf(first, offset);
      const out = Buffer.allocUnsafeSlow(length);
      out.set(await bytesOf(first, offset));
      for (let done = first.length; done < length; ) {
        const extent = await map.extentAt(offset + done, length - done);
        out.set(await bytesOf(extent, offset + done), done);
        done += extent.length;
      }
      return out;
    },
  };
}
