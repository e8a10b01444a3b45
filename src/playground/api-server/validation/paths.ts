// Paths of files inside volumes.
import type { FieldError } from "../api-errors.ts";
import { invalid } from "./field-errors.ts";

export function noBacksteps(field: string, path: string): FieldError[] {
  return path.split("/").includes("..") ? [invalid(field, path, "must not contain '..'")] : [];
}

/** Stays below where it starts. */
export function localPath(field: string, path: string): FieldError[] {
  const absolute = path.startsWith("/") ? [invalid(field, path, "must be a relative path")] : [];
  return [...absolute, ...noBacksteps(field, path)];
}

/** Nor begins with the two dots that volumes keep for themselves. */
export function localUnreservedPath(field: string, path: string): FieldError[] {
  const reserved = path.startsWith("..") && !path.startsWith("../");
  return [...localPath(field, path), ...(reserved ? [invalid(field, path, "must not start with '..'")] : [])];
}
