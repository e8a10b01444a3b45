// Where images come from: a hub or tag that can be part of no image name is told before a pod waits for it in vain.
import { MeshError } from "#base/mesh-error";

const HUB = /^[a-z\d]([\w.:-]*[a-z\d])?(\/[a-z\d]([\w.-]*[a-z\d])?)*$/i;
const TAG = /^\w[\w.-]{0,127}$/;

/** Throws MeshError IMAGE_SOURCE_INVALID. */
export function checkImageSource({ hub, tag }: { readonly hub: string; readonly tag: string }): void {
  if (!HUB.test(hub)) {
    throw new MeshError("IMAGE_SOURCE_INVALID", `hub ${JSON.stringify(hub)} is no place of images`, {
      hint: "write HOST[:PORT]/PATH without a slash at its end, such as --set hub=registry.example/mesh",
    });
  }
  if (!TAG.test(tag)) {
    throw new MeshError("IMAGE_SOURCE_INVALID", `tag ${JSON.stringify(tag)} is no tag of an image`, {
      hint: "write letters, digits, dots, dashes and underscores, at most 128, such as --set tag=1.0.0",
    });
  }
}
