// Reads fields of unknown JSON one by one and gathers what is wrong, so that a person sees every mistake at once.
import type { Parsed, Violation } from "./violation.ts";

export type Json = Readonly<Record<string, unknown>>;

export function isJson(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export class FieldReader {
  readonly #object: Json;
  readonly #path: string;
  readonly #violations: Violation[];

  constructor(object: unknown, path = "", violations: Violation[] = []) {
    this.#path = path;
    this.#violations = violations;
    if (!isJson(object) && object !== undefined && object !== null) this.refuse("", "must be an object");
    this.#object = isJson(object) ? object : {};
  }

  has(field: string): boolean {
    return this.#object[field] !== undefined && this.#object[field] !== null;
  }

  /** The raw value, for fields that are kept as they are. */
  raw(field: string): unknown {
    return this.#object[field];
  }

  text(field: string, fallback = ""): string {
    return this.#scalar(field, fallback, "string", (value): value is string => typeof value === "string");
  }

  flag(field: string, fallback: boolean): boolean {
    return this.#scalar(field, fallback, "boolean", (value): value is boolean => typeof value === "boolean");
  }

  number(field: string, fallback: number): number {
    return this.#scalar(field, fallback, "number", (value): value is number => typeof value === "number");
  }

  /** A number, or undefined when the field is absent. */
  maybeNumber(field: string): number | undefined {
    return this.has(field) ? this.number(field, 0) : undefined;
  }

  oneOf<T extends string>(field: string, allowed: readonly T[], fallback: T): T {
    const value = this.text(field, fallback);
    const known = allowed.find((each) => each === value);
    if (known === undefined) this.refuse(field, `is "${value}"; allowed are ${allowed.join(", ")}`);
    return known ?? fallback;
  }

  texts(field: string): readonly string[] {
    const value = this.#object[field];
    if (value === undefined || value === null) return [];
    if (Array.isArray(value) && value.every((item): item is string => typeof item === "string")) return value;
    this.refuse(field, "must be a list of strings");
    return [];
  }

  textMap(field: string): Readonly<Record<string, string>> {
    const value = this.#object[field];
    if (value === undefined || value === null) return {};
    if (isJson(value)) {
      const entries = Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === "string");
      if (entries.length === Object.keys(value).length) return Object.fromEntries(entries);
    }
    this.refuse(field, "must map names to strings");
    return {};
  }

  child(field: string): FieldReader {
    return new FieldReader(this.#object[field], this.#at(field), this.#violations);
  }

  children(field: string): readonly FieldReader[] {
    const value = this.#object[field];
    if (value === undefined || value === null) return [];
    if (!Array.isArray(value)) {
      this.refuse(field, "must be a list");
      return [];
    }
    return value.map((item, i) => new FieldReader(item, this.#at(`${field}[${i}]`), this.#violations));
  }

  keys(): readonly string[] {
    return Object.keys(this.#object);
  }

  refuse(field: string, message: string, severity: Violation["severity"] = "error"): void {
    this.#violations.push({ path: this.#at(field), message, severity });
  }

  /** Closes the reading: the value when no error was met. */
  done<T>(value: T): Parsed<T> {
    const refused = this.#violations.some((violation) => violation.severity === "error");
    return refused ? { violations: this.#violations } : { value, warnings: this.#violations };
  }

  #at(field: string): string {
    if (field === "" || this.#path === "") return `${this.#path}${field}`;
    return `${this.#path}.${field}`;
  }

  #scalar<T>(field: string, fallback: T, type: string, is: (value: unknown) => value is T): T {
    const value = this.#object[field];
    if (value === undefined || value === null) return fallback;
    if (is(value)) return value;
    this.refuse(field, `must be a ${type}`);
    return fallback;
  }
}
