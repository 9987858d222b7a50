export { cacheFolder } from './cache/cache-folder.ts';
export type { AssetRecord, PackageRecord } from './cache/manifest.ts';
export {
  ASSET_GROUPS,
  ASSET_IDS,
  ASSETS,
  type AssetId,
  assetsNamed,
  DEFAULT_ASSET_IDS,
  isAssetId,
  TEST_HOST_ASSETS,
} from './debian/assets.ts';
export {
  assetFolder,
  assetPath,
  type FetchOptions,
  type FetchProgress,
  fetchAssets,
  findAsset,
} from './debian/fetch.ts';
export type { TerminalSize } from './host/guest-scripts.ts';
export { keptCode } from './host/kept-code.ts';
export { HOST_KERNELS, HOST_STAGES, type HostKernel, type HostStage, type TestHostOptions } from './host/options.ts';
export { plainQemu, type QemuInvocation } from './host/plain-qemu.ts';
export { startTestHost, type TestHostResult } from './host/start-test-host.ts';
export { type BusyboxInitrdOptions, busyboxInitrd, type InitrdFile, SHELL_INIT } from './initrd/busybox-initrd.ts';
export { type CpioEntry, cpioArchive } from './initrd/newc.ts';
export { TINY_INIT_LINE, tinyInit, tinyInitrd } from './initrd/tiny-initrd.ts';
export { type PostgresOptions, type RunningPostgres, startPostgres } from './postgres/start-postgres.ts';
