// Where a webhook may be: URLs, and paths of services.
import type { FieldError } from "../api-errors.ts";
import { invalid, required } from "../validation/field-errors.ts";
import { dnsSubdomain } from "../validation/formats.ts";

const FORM = "; desired format: https://host[/path]";
/** Scheme, host with what stands before it, path, query, fragment. */
const URL_PARTS = /^(?:([a-zA-Z][a-zA-Z0-9+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/s;

export function webhookUrlErrors(url: string, field: string): FieldError[] {
  const fault = parseFault(url);
  if (fault !== undefined)
    return [required(field, `url must be a valid URL: parse ${JSON.stringify(url)}: ${fault}${FORM}`)];
  const [, scheme = "", authority = "", , query = "", fragment = ""] = URL_PARTS.exec(url) ?? [];
  const at = authority.lastIndexOf("@");
  const host = authority.slice(at + 1);
  const errors: FieldError[] = [];
  if (scheme.toLowerCase() !== "https")
    errors.push(invalid(field, scheme.toLowerCase(), `'https' is the only allowed URL scheme${FORM}`));
  if (host === "") errors.push(invalid(field, host, `host must be specified${FORM}`));
  if (at >= 0) errors.push(invalid(field, authority.slice(0, at), "user information is not permitted in the URL"));
  if (fragment !== "") errors.push(invalid(field, fragment, "fragments are not permitted in the URL"));
  if (query !== "") errors.push(invalid(field, query, "query parameters are not permitted in the URL"));
  return errors;
}

/** What Go's reader of URLs cannot take. */
function parseFault(url: string): string | undefined {
  if ([...url].some((letter) => letter < " " || letter === "\u007f"))
    return "net/url: invalid control character in URL";
  if (url.startsWith(":")) return "missing protocol scheme";
  const [before = ""] = url.split(/[?#]/);
  if (!url.startsWith("/") && !/^[a-zA-Z][a-zA-Z0-9+.-]*:/.test(url) && (before.split("/")[0] ?? "").includes(":"))
    return "first path segment in URL cannot contain colon";
  const authority = URL_PARTS.exec(url)?.[2] ?? "";
  const bad = / /.exec(authority)?.[0];
  return bad === undefined ? undefined : `invalid character ${JSON.stringify(bad)} in host name`;
}

export function webhookPathErrors(path: string, field: string): FieldError[] {
  if (path === "/" || path === "") return [];
  if (path === "//") return [invalid(field, path, "segment[0] may not be empty")];
  const errors = path.startsWith("/") ? [] : [invalid(field, path, "must start with a '/'")];
  // Go cuts off the first byte, whatever letter it belongs to.
  const steps = Buffer.from(path).subarray(1).toString().replace(/\/$/, "").split("/");
  return [
    ...errors,
    ...steps.flatMap((step, index) =>
      (step === "" ? [" may not be empty"] : dnsSubdomain(step).map((text) => `: ${text}`)).map((text) =>
        invalid(field, path, `segment[${index}]${text}`),
      ),
    ),
  ];
}
