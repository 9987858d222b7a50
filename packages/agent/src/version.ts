/** The version of this build; a test compares it with package.json. */
export const VERSION = '0.1.0';

/** The version of the contract that this agent speaks. */
export const CONTRACT_VERSION = 1;
