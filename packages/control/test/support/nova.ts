/** Images and flavors as Glance and Nova show them over their APIs, in our own words. */

type Json = Record<string, unknown>;

/** Glance v2: properties stand beside the image's own fields, all of them strings. */
export function glanceProperties(more: Json = {}): Json {
  return {
    hw_firmware_type: 'uefi',
    hw_machine_type: 'q35',
    os_distro: 'debian',
    os_type: 'linux',
    ...more,
  };
}

export const GLANCE_ID = '3f2b1c86-6f0a-4f1e-9b57-b9b1b5a7d0c4';

/** A request for `POST /v1/webhooks/nova`. */
export function novaRequest(properties: Json, extraSpecs: Json, more: Json = {}) {
  return {
    image: { id: GLANCE_ID, name: 'Debian 13', properties: glanceProperties(properties) },
    flavor: { name: 'c8.confidential', extra_specs: extraSpecs },
    ...more,
  };
}
