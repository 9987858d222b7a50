import type { ViewFinding } from '../port/index.ts';
import type { Judgement, Lie } from './lie.ts';
import { consumedOnHardware, discardedOnHardware } from './on-hardware.ts';
import { otherView } from './side-pages.ts';

/** How much of an access is known of: that its first byte is concerned. */
const KNOWN_BYTES = 1;

/** What a finding of a KVM that sees both views is. Pure. */
export function judgementOf({ gpa, view, isWrite, attribute, consumes }: ViewFinding): Judgement {
  const wrongView = view === attribute ? null : { gpa, size: KNOWN_BYTES, view, isWrite, attribute, saturated: false };
  const lie = { gpa, bytes: KNOWN_BYTES, view, attribute, exact: false };
  switch (consumes) {
    case 'nothing':
      return { wrongView, lies: [] };
    case 'other-view': {
      const writtenView = otherView(view);
      const onHardware = consumedOnHardware(view, writtenView);
      return { wrongView, lies: [{ ...lie, kind: 'consumed-other-view', writtenView, onHardware } satisfies Lie] };
    }
    case 'discarded':
      return {
        wrongView,
        lies: [{ ...lie, kind: 'consumed-discarded', writtenView: view, onHardware: discardedOnHardware(view) }],
      };
  }
}
