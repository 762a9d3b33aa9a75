/** A mistake that a caller can mend: one line of what was found and what is allowed. */
export class AdaINError extends Error {
  constructor(message, options) {
    super(message, options);
    this.name = 'AdaINError';
  }
}

/** The error for an argument or file. */
export function foundError(name, found, allowed, cause) {
  const line = `${name}: found ${found}; allowed: ${allowed}`.replace(/\s+/g, ' ');
  return new AdaINError(line, { cause });
}

/** Throws unless a value is an integer of at least 1. */
export function checkInteger(name, value) {
  if (Number.isInteger(value) && value > 0) return;
  throw foundError(name, briefly(value), 'an integer of at least 1');
}

/** An error of another's making, or a value, in few words. */
export function briefly(value) {
  const text = value instanceof Error ? value.message : describe(value);
  return text.split('\n')[0].slice(0, 200);
}

function describe(value) {
  if (typeof value === 'string') return JSON.stringify(value);
  if (value === null || typeof value !== 'object') return String(value);
  return `${value.constructor?.name ?? 'an object'}`;
}
