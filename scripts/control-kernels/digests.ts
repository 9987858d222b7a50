/**
 * SHA-256 of the control kernels, where they were built of Linux 6.12.117-1~deb12u1 and 6.1.192-2 by the compilers of
 * Debian 12: gcc 12.2.0-14+deb12u1, clang 1:16.0.6-15~deb12u1. A recipe gives the same bytes in any folder.
 */
export const DIGESTS: Readonly<Record<string, string>> = {
  everything: '542cc4bf53710bf2574ed09273d1ad0c5b1d9deefc2deb51ca2324d41a606ba8',
  'no-kvm-guest': '8816fcffcc06ea8e1e1d3bf9deb0d9c87012fac259a8df82ed2249f7e29632ac',
  'tdx-only': '72ec92f2a0be237e7db88e1e7ea6d87fb9fac3d8327ad8fb5119caae5a44d824',
  neither: '04c0c4432f7a2f218337e56231c3723480ea68d5dc0018eb39ce4165cfeb5952',
  'amd-only': 'e323de2029a210288e6dc50c23a6dfbd81070c9431e91d8b5abab34cfb72fde0',
  'no-kallsyms': '1ab8ea4bb44403870f8c80867fe06b44b21b6bcf9156d95cd6681610adcc478a',
  'fix-undone': '76fbd5eb93aab8051617e83a012c61ad327576ea4e93b88067feff9133f20a6c',
  'clang-lto': '242e52da4cb63008b3d78a608bd81ee703933c90dc8d84e356f3e9b77a7344d0',
};
