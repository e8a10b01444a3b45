// How `hub`, `tag`, `variant` and an image's name become what a container runs.
import type { ResolvedInstall } from "../resolve-install.ts";
import { stringAt } from "../tree.ts";

/**
 * `HUB/NAME:TAG[-VARIANT]`, NAME from `image` below `part` of the values, such as `pilot` or `global.proxy`. What the part
 * itself names as hub, tag or variant goes before what is global. A name with a slash is a whole one and stays.
 */
export function imageName(install: ResolvedInstall, part: string): string {
  const own = (field: string) => stringAt(install.values, `${part}.${field}`);
  const name = own("image");
  if (name.includes("/")) return name;
  const variant = own("variant") || stringAt(install.values, "global.variant");
  const tag = own("tag") || install.tag;
  return `${own("hub") || install.hub}/${name}:${tag}${variant === "" ? "" : `-${variant}`}`;
}
