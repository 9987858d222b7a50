import type { Divergence, Loss, Place } from './divergence.ts';

type NameOf = (rip: bigint) => string | undefined;

/** All instructions that a divergence names. */
export function ripsOf({ at, loss, lie }: Divergence): readonly bigint[] {
  return [at, ...placesOf(loss), ...(lie === undefined ? [] : [lie])].map(({ rip }) => BigInt(rip));
}

/** The same with the kernel's names for them. */
export function nameSymbols(divergence: Divergence, nameOf: NameOf): Divergence {
  const { at, loss, lie } = divergence;
  return {
    ...divergence,
    at: place(at, nameOf),
    ...(loss === undefined ? {} : { loss: named(loss, nameOf) }),
    ...(lie === undefined ? {} : { lie: place(lie, nameOf) }),
  };
}

function placesOf(loss: Loss | undefined): readonly Place[] {
  if (loss === undefined) return [];
  const { bytes, origin } = loss;
  return [bytes.report?.by, origin.at].filter((each) => each !== undefined).concat(placesOf(origin.from));
}

function named({ bytes, origin }: Loss, nameOf: NameOf): Loss {
  const { report } = bytes;
  return {
    bytes: report === undefined ? bytes : { ...bytes, report: { ...report, by: place(report.by, nameOf) } },
    origin: {
      ...origin,
      ...(origin.at === undefined ? {} : { at: place(origin.at, nameOf) }),
      ...(origin.from === undefined ? {} : { from: named(origin.from, nameOf) }),
    },
  };
}

function place<P extends { readonly rip: string }>(at: P, nameOf: NameOf): P {
  const symbol = nameOf(BigInt(at.rip));
  return symbol === undefined ? at : { ...at, symbol };
}
