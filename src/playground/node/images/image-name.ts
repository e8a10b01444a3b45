// Whether a text can be the name of an image at all: the grammar of references that every registry and runtime shares.

const PART = "[a-z0-9]+(?:(?:[.]|_{1,2}|-+)[a-z0-9]+)*";
const DOMAIN =
  "(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)(?:[.](?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?))*(?::\\d+)?|\\[[a-fA-F0-9:]+\\](?::\\d+)?";
const REST = new RegExp(
  `^${PART}(?:/${PART})*(?::\\w[\\w.-]{0,127})?(?:@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})?$`,
);
const HOST = new RegExp(`^(?:${DOMAIN})$`);
const DEFAULT_FOLDER = "library/";

/** Why not, in the words that clients know from kubelets; undefined: it can. */
export function whyNoImageName(image: string): string | undefined {
  const { domain, rest } = split(image);
  const [repository = ""] = rest.split(":");
  const why = (what: string) => `couldn't parse image name ${JSON.stringify(image)}: ${what}`;
  if (/^[0-9a-f]{64}$/.test(image)) {
    return why(`invalid repository name (${image}), cannot specify 64-byte hexadecimal strings`);
  }
  if (repository.toLowerCase() !== repository) {
    return why(`invalid reference format: repository name (${repository}) must be lowercase`);
  }
  return HOST.test(domain) && REST.test(rest) ? undefined : why("invalid reference format");
}

/** The first part is a host where it looks like one. */
function split(image: string): { domain: string; rest: string } {
  const slash = image.indexOf("/");
  const first = image.slice(0, Math.max(0, slash));
  const isHost = slash >= 0 && (/[.:]/.test(first) || first === "localhost" || first.toLowerCase() !== first);
  if (isHost) return { domain: first, rest: image.slice(slash + 1) };
  return { domain: "docker.io", rest: slash < 0 ? DEFAULT_FOLDER + image : image };
}
